/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/show_sensitivity.h"
#include "sim/cli/cli.h"
#include "sim/cli/table.h"
#include "sim/core/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- options --------------------------------------------------------------------------------------------------- */

static bool is_number(const char *text, double *out) {
  char *end;
  *out = strtod(text, &end);
  return *text && !*end && isfinite(*out);
}

static int find_arm(const char *name, struct sim_results *r, char *const *arms, size_t n, size_t *arm) {
  char *reference = name ? NULL : sim_results_attribute(r, "reference");
  const char *wanted = name ? name : reference;
  *arm = 0;
  for (size_t a = 0; wanted && a < n; a++) {
    if (strcmp(arms[a], wanted) != 0) continue;
    *arm = a;
    sim_free(reference);
    return CLI_DONE;
  }
  sim_free(reference);
  if (!name) return CLI_DONE;
  const char *near = cli_nearest(name, (const char *const *)arms, n);
  return near ? cli_usage("show", "no arm `%s`; did you mean `%s`?", name, near)
              : cli_usage("show", "no arm `%s`", name);
}

int show_sensitivity_check(struct show_sensitivity *o, struct sim_results *r, char *const *arms, size_t n,
                           size_t *arm) {
  const char *threshold = o->above ? o->above : o->below;
  if (o->above && o->below) return cli_usage("show", "--above or --below, not both");
  if (threshold && !is_number(threshold, &o->threshold))
    return cli_usage("show", "--%s: expected a number, found `%s`", o->above ? "above" : "below", threshold);
  return find_arm(o->arm, r, arms, n, arm);
}

/* ---- for people ------------------------------------------------------------------------------------------------ */

static void add_estimate(struct cli_table *t, const struct sim_estimate *e) {
  if (isfinite(e->value))
    cli_table_add(t, "%.3g [%.3g, %.3g]", e->value, e->low, e->high);
  else
    cli_table_add(t, "-");
}

static int print_sobol(const struct sim_sensitivity *s) {
  struct cli_table t = {.columns = 3};
  printf("Sobol' indices [95 %%] from %zu of %zu rows, as shares of the variance %.4g\n", s->rows, s->base,
         s->variance);
  cli_table_add(&t, "parameter");
  cli_table_add(&t, "alone");
  cli_table_add(&t, "with interactions");
  for (size_t f = 0; f < s->factors; f++) {
    cli_table_add(&t, "%s", s->path[f]);
    add_estimate(&t, &s->sobol[f].first);
    add_estimate(&t, &s->sobol[f].total);
  }
  return cli_table_print(&t, stdout);
}

static int print_morris(const struct sim_sensitivity *s, const char *unit) {
  struct cli_table t = {.columns = 4};
  printf("Elementary effects of the whole range [95 %%] from %zu of %zu trajectories%s%s\n", s->rows, s->base,
         *unit ? ", " : "", unit);
  cli_table_add(&t, "parameter");
  cli_table_add(&t, "mean of |effect|");
  cli_table_add(&t, "mean effect");
  cli_table_add(&t, "sd");
  for (size_t f = 0; f < s->factors; f++) {
    cli_table_add(&t, "%s", s->path[f]);
    add_estimate(&t, &s->morris[f].absolute);
    add_estimate(&t, &s->morris[f].mean);
    cli_table_number(&t, s->morris[f].sd);
  }
  return cli_table_print(&t, stdout);
}

static int print_box(const struct sim_sensitivity *s, const struct show_sensitivity *o, const struct sim_box *box) {
  struct cli_table t = {.columns = 3};
  if (box->all_hits == 0) {
    printf("None of the %zu points has `%s` %s %g: no box\n", box->all, o->measure, o->above ? "above" : "below",
           o->threshold);
    return 0;
  }
  printf("Box in which `%s` is %s %g (PRIM): %zu of its %zu points are, %zu of all %zu; it holds %.3g %% of them\n",
         o->measure, o->above ? "above" : "below", o->threshold, box->hits, box->inside, box->all_hits, box->all,
         100 * (double)box->hits / (double)box->all_hits);
  cli_table_add(&t, "parameter");
  cli_table_add(&t, "from");
  cli_table_add(&t, "to");
  for (size_t f = 0; f < s->factors; f++) {
    if (isinf(box->low[f]) && isinf(box->high[f])) continue;
    cli_table_add(&t, "%s", s->path[f]);
    cli_table_number(&t, box->low[f]);
    cli_table_number(&t, box->high[f]);
  }
  return cli_table_print(&t, stdout);
}

static void print_chance(const struct sim_sensitivity *s) {
  if (isfinite(s->noise) && s->variance > 0)
    printf("Chance left in the points' means: variance %.3g, %.3g %% of the variance between points\n", s->noise,
           100 * s->noise / s->variance);
  else if (!isfinite(s->noise))
    puts("One run a point: chance and parameters cannot be told apart");
  if (s->missing)
    printf("%zu of %zu runs have no value and are left out: what follows speaks of the others only\n", s->missing,
           s->runs);
}

/* ---- for programs ---------------------------------------------------------------------------------------------- */

struct csv {
  const char *arm, *measure, *element;
};

static void csv_line(const struct csv *c, const char *path, const char *statistic, double value) {
  cli_csv_field(stdout, c->arm, ',');
  cli_csv_field(stdout, c->measure, ',');
  cli_csv_field(stdout, c->element, ',');
  cli_csv_field(stdout, path, ',');
  cli_csv_field(stdout, statistic, ',');
  if (isfinite(value)) printf("%.17g", value);
  putchar('\n');
}

static void csv_estimate(const struct csv *c, const char *path, const char *const name[3],
                         const struct sim_estimate *e) {
  csv_line(c, path, name[0], e->value);
  csv_line(c, path, name[1], e->low);
  csv_line(c, path, name[2], e->high);
}

static void csv_print(const struct csv *c, const struct sim_sensitivity *s, const struct sim_box *box) {
  static const char *const first[] = {"first_order", "first_order_low", "first_order_high"};
  static const char *const total[] = {"total_order", "total_order_low", "total_order_high"};
  static const char *const mean[] = {"mean_effect", "mean_effect_low", "mean_effect_high"};
  static const char *const absolute[] = {"mean_absolute_effect", "mean_absolute_effect_low",
                                         "mean_absolute_effect_high"};
  csv_line(c, "", "rows", (double)s->rows);
  csv_line(c, "", "missing_runs", (double)s->missing);
  csv_line(c, "", "mean", s->overall);
  csv_line(c, "", "variance", s->variance);
  csv_line(c, "", "noise", s->noise);
  for (size_t f = 0; f < s->factors; f++) {
    if (s->sobol) csv_estimate(c, s->path[f], first, &s->sobol[f].first);
    if (s->sobol) csv_estimate(c, s->path[f], total, &s->sobol[f].total);
    if (s->morris) csv_estimate(c, s->path[f], absolute, &s->morris[f].absolute);
    if (s->morris) csv_estimate(c, s->path[f], mean, &s->morris[f].mean);
    if (s->morris) csv_line(c, s->path[f], "sd_of_effects", s->morris[f].sd);
    if (box) csv_line(c, s->path[f], "box_low", box->low[f]);
    if (box) csv_line(c, s->path[f], "box_high", box->high[f]);
  }
  if (!box) return;
  csv_line(c, "", "box_points", (double)box->inside);
  csv_line(c, "", "box_hits", (double)box->hits);
  csv_line(c, "", "all_points", (double)box->all);
  csv_line(c, "", "all_hits", (double)box->all_hits);
}

/* ---------------------------------------------------------------------------------------------------------------- */

static int print_element(const struct show_sensitivity *o, const struct sim_sensitivity *s, const struct sim_box *box,
                         const struct sim_variable *v, const char *arm, const char *element) {
  if (o->csv) {
    csv_print(&(struct csv){arm, o->measure, element}, s, box);
    return 0;
  }
  printf("\n%s%s%s%s in arm %s: mean of the %zu points %.6g %s\n", o->measure, *element ? "[" : "", element,
         *element ? "]" : "", arm, s->points, s->overall, v->unit);
  print_chance(s);
  if (s->part && s->rows < 2) puts("Fewer than two rows of the design have a value at every point: no indices");
  int code = s->sobol ? print_sobol(s) : s->morris ? print_morris(s, v->unit) : 0;
  return code || !box ? code : print_box(s, o, box);
}

int show_sensitivity_print(const struct show_sensitivity *o, struct sim_results *r, const char *arm_name, size_t arm,
                           char *(*label)(const void *ctx, const struct sim_variable *v, size_t element),
                           const void *ctx, struct sim_diag *diag) {
  const struct sim_variable *v = sim_results_find(r, o->measure);
  size_t elements = 1;
  for (unsigned d = 3; v && d < v->dims; d++) elements *= v->size[d];
  if (o->csv) puts("arm,variable,element,parameter,statistic,value");
  int code = 0;
  for (size_t e = 0; code == 0 && e < elements; e++) {
    struct sim_sensitivity s;
    struct sim_box box = {0};
    bool boxed = o->above || o->below;
    code = sim_sensitivity_read(&s, r, o->measure, arm, e, diag);
    if (code == 0 && boxed) code = sim_sensitivity_box(&s, o->threshold, o->above != NULL, &box);
    char *element = code == 0 && v->dims > 3 ? label(ctx, v, e) : NULL;
    if (code == 0 && !s.part && !boxed) {
      code = sim_diag_add(
          diag, NULL, NULL,
          "indices need the design `saltelli` or `morris`, here is `%s`; --above or --below X finds a box", s.design);
    }
    if (code == 0) code = print_element(o, &s, boxed ? &box : NULL, v, arm_name, element ? element : "");
    sim_free(element);
    sim_box_free(&box);
    sim_sensitivity_free(&s);
  }
  return code;
}
