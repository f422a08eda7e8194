/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/stopping.h"
#include "sim/core/mem.h"
#include "sim/experiment/summary.h"
#include <math.h>
#include <string.h>

#define NORMAL_975 1.959963984540054 /* quantile 0.975 of the standard normal */

/* ---- what is asked --------------------------------------------------------------------------------------------- */

/* A column of an arm: a number a run, or with `level` (NaN: the highest) that of a level. Columns if there is none. */
static size_t find_column(const struct sim_layout *l, const char *variable, unsigned dims, double level) {
  size_t found = l->columns;
  for (size_t i = 0; i < l->columns; i++) {
    const struct sim_column *c = &l->column[i];
    if (strcmp(c->variable, variable) != 0 || c->dims != dims) continue;
    if (dims && !isnan(level) && fabs(c->at[0].coordinate - level) > 1e-9) continue;
    if (found == l->columns || (dims && c->at[0].coordinate > l->column[found].at[0].coordinate)) found = i;
  }
  return found;
}

/* The columns that the measure is made of, in every arm. */
static int find_columns(struct sim_stopping *s, const struct sim_value *v, const struct sim_layout *layouts,
                        struct sim_diag *diag) {
  static const char *const recovery[3] = {"time_to_recover", "status", "observed_time"};
  static const unsigned dims[3] = {1, 1, 0};
  bool of_recovery = s->rule == SIM_STOP_RMST || s->rule == SIM_STOP_QUANTILE;
  double level = of_recovery ? sim_value_number_or(v, "level", NAN) : NAN;
  const char *of = of_recovery                         ? NULL
                   : strcmp(v->text, "lost_days") == 0 ? "lost_days_per_year"
                                                       : sim_value_text(v, "of");
  for (size_t arm = 0; arm < s->arms; arm++) {
    for (unsigned k = 0; k < (of_recovery ? 3 : 1); k++) {
      const char *name = of_recovery ? recovery[k] : of;
      size_t column = find_column(&layouts[arm], name, of_recovery ? dims[k] : 0, level);
      s->column[3 * arm + k] = column;
      if (column < layouts[arm].columns && (of_recovery || layouts[arm].column[column].dtype != SIM_FLAG)) continue;
      if (of_recovery) {
        return sim_diag_add(diag, &v->mark, v->path, "%g %% is none of `measures.recovery.levels`", 100 * level);
      }
      return sim_diag_add(diag, &v->mark, v->path, "`%s` is no variable with one number a run in every arm", name);
    }
  }
  s->unit = layouts[0].column[s->column[0]].unit;
  return 0;
}

static enum sim_stopping_rule rule_of(const char *name) {
  if (strcmp(name, "difference") == 0) return SIM_STOP_DIFFERENCE;
  if (strcmp(name, "rmst") == 0) return SIM_STOP_RMST;
  return strcmp(name, "quantile") == 0 ? SIM_STOP_QUANTILE : SIM_STOP_MEAN;
}

static int read_precision(struct sim_stopping *s, const struct sim_value *v, const struct sim_layout *layouts,
                          struct sim_diag *diag) {
  s->rule = rule_of(v->text);
  s->wanted = sim_value_number(v, "width");
  s->share = s->rule == SIM_STOP_QUANTILE ? sim_value_number(v, "share") : NAN;
  s->window = s->rule == SIM_STOP_RMST ? sim_value_number_or(v, "window", NAN) : NAN;
  s->all = s->rule == SIM_STOP_RMST && strcmp(sim_value_text(v, "runs"), "all") == 0;
  if (s->rule == SIM_STOP_DIFFERENCE && s->arms < 2)
    return sim_diag_add(diag, &v->mark, v->path, "there is one arm only: nothing to compare");
  return find_columns(s, v, layouts, diag);
}

int sim_stopping_init(struct sim_stopping *s, const struct sim_scenario *scenario, const struct sim_design *d,
                      const struct sim_layout *layouts, struct sim_diag *diag) {
  *s = (struct sim_stopping){.arms = d->arms,
                             .points = d->points,
                             .reference = d->reference,
                             .floor = d->floor ? d->floor : d->replicates,
                             .most = d->replicates,
                             .column = sim_calloc(3 * d->arms, sizeof *s->column),
                             .asked = sim_calloc(d->points, sizeof *s->asked),
                             .final = sim_calloc(d->points, sizeof *s->final),
                             .reached = sim_calloc(d->points, sizeof *s->reached),
                             .width = sim_calloc(d->arms * d->points, sizeof *s->width)};
  if (!s->column || !s->asked || !s->final || !s->reached || !s->width) return SIM_ERR_MEMORY;
  struct sim_bound *bound = NULL;
  int ret = sim_scenario_bind(&bound, scenario, 0, NULL, 0, diag);
  if (ret) return ret;
  const struct sim_value *v = sim_value_get(sim_value_get(sim_bound_root(bound), "design"), "precision");
  if (d->floor) ret = read_precision(s, v, layouts, diag);
  s->text = sim_strdup(s->rule != SIM_STOP_FIXED && v->written ? v->written : "");
  if (ret == 0 && !s->text) ret = SIM_ERR_MEMORY;
  sim_bound_free(bound);
  for (size_t p = 0; p < s->points; p++) s->asked[p] = s->floor;
  for (size_t i = 0; i < s->arms * s->points; i++) s->width[i] = NAN;
  return ret;
}

void sim_stopping_free(struct sim_stopping *s) {
  sim_free(s->column);
  sim_free(s->text);
  sim_free(s->asked);
  sim_free(s->final);
  sim_free(s->reached);
  sim_free(s->width);
  memset(s, 0, sizeof *s);
}

/* ---- a look ---------------------------------------------------------------------------------------------------- */

struct look { /* the first n replicates of a point */
  size_t n;
  double *value; /* [arms][3][n] columns */
  double *time;  /* [n] scratch */
  bool *event;   /* [n] scratch */
};

static void look_free(struct look *k) {
  sim_free(k->value);
  sim_free(k->time);
  sim_free(k->event);
}

static const double *values(const struct look *k, size_t arm, unsigned column) {
  return k->value + (3 * arm + column) * k->n;
}

static int read_values(const struct sim_stopping *s, const struct sim_layout *layouts, size_t point, struct look *k,
                       sim_stopping_row *read, void *ctx) {
  int ret = 0;
  for (size_t arm = 0; ret == 0 && arm < s->arms; arm++) {
    struct sim_row row;
    ret = sim_row_init(&row, &layouts[arm]);
    for (size_t r = 0; ret == 0 && r < k->n; r++) {
      ret = read(ctx, arm, point, r, &row);
      if (ret > 0) ret = SIM_ERR_IO; /* it was there just now */
      for (unsigned c = 0; ret == 0 && c < 3; c++)
        k->value[(3 * arm + c) * k->n + r] = row.columns[s->column[3 * arm + c]];
    }
    sim_row_free(&row);
  }
  return ret;
}

/* Width of the interval of a mean; less the reference arm's values where `less` is not NULL. Failed runs are NaN. */
static int mean_width(const double *value, const double *less, size_t n, double *scratch, double *width) {
  struct sim_numbers numbers;
  for (size_t i = 0; i < n; i++) scratch[i] = less ? value[i] - less[i] : value[i];
  int ret = sim_summary_numbers(scratch, n, &numbers);
  *width = 2 * NORMAL_975 * numbers.se;
  return ret;
}

/* Longest time that a degraded run of an arm was watched for, NaN if there is none. */
static double longest_watch(const struct look *k, size_t arm) {
  const double *status = values(k, arm, 1), *observed = values(k, arm, 2);
  double longest = NAN;
  for (size_t i = 0; i < k->n; i++)
    if (status[i] < SIM_STATUS_NEVER_DEGRADED) longest = fmax(longest, observed[i]);
  return longest;
}

static int recovery_width(const struct sim_stopping *s, const struct look *k, size_t arm, double window,
                          double *width) {
  struct sim_km km;
  size_t m =
      sim_summary_times(values(k, arm, 0), values(k, arm, 1), values(k, arm, 2), k->n, s->all, k->time, k->event);
  int ret = sim_km_init(&km, k->time, k->event, m);
  if (ret) return ret;
  *width = NAN;
  if (m && s->rule == SIM_STOP_RMST) {
    double se;
    sim_km_rmst(&km, isnan(window) ? 0 : window, &se);
    *width = 2 * NORMAL_975 * se;
  } else if (m) {
    double low, high;
    sim_km_quantile(&km, s->share, &low, &high);
    *width = high - low;
  }
  sim_km_free(&km);
  return 0;
}

/* Widths of all arms' intervals at a point, and whether they are narrow enough. */
static int measure(struct sim_stopping *s, const struct look *k, size_t point) {
  double window = s->window;
  for (size_t arm = 0; isnan(s->window) && s->rule == SIM_STOP_RMST && arm < s->arms; arm++)
    window = fmin(window, longest_watch(k, arm));
  int ret = 0;
  s->reached[point] = true;
  for (size_t arm = 0; ret == 0 && arm < s->arms; arm++) {
    double *width = &s->width[arm * s->points + point];
    bool differs = s->rule == SIM_STOP_DIFFERENCE;
    if (differs && arm == s->reference) continue; /* it has no interval */
    if (differs || s->rule == SIM_STOP_MEAN) {
      ret = mean_width(values(k, arm, 0), differs ? values(k, s->reference, 0) : NULL, k->n, k->time, width);
    } else {
      ret = recovery_width(s, k, arm, window, width);
    }
    if (!(*width <= s->wanted)) s->reached[point] = false;
  }
  return ret;
}

static bool is_complete(const struct sim_stopping *s, size_t point, sim_stopping_has *has, void *ctx) {
  for (size_t arm = 0; arm < s->arms; arm++)
    for (size_t r = 0; r < s->asked[point]; r++)
      if (!has(ctx, arm, point, r)) return false;
  return true;
}

static int look_at(struct sim_stopping *s, const struct sim_layout *layouts, size_t point, sim_stopping_has *has,
                   sim_stopping_row *row, void *ctx) {
  int ret = 0;
  while (ret == 0 && !s->final[point] && is_complete(s, point, has, ctx)) {
    size_t n = s->asked[point];
    if (s->rule != SIM_STOP_FIXED) {
      struct look k = {.n = n,
                       .value = sim_calloc(3 * s->arms * n, sizeof *k.value),
                       .time = sim_calloc(n, sizeof *k.time),
                       .event = sim_calloc(n, sizeof *k.event)};
      ret = k.value && k.time && k.event ? read_values(s, layouts, point, &k, row, ctx) : SIM_ERR_MEMORY;
      if (ret == 0) ret = measure(s, &k, point);
      look_free(&k);
    }
    if (ret) return ret;
    s->final[point] = s->reached[point] || n == s->most;
    size_t next = n + (n + 1) / 2;
    if (!s->final[point]) s->asked[point] = next < s->most ? next : s->most;
  }
  return ret;
}

int sim_stopping_look(struct sim_stopping *s, const struct sim_layout *layouts, sim_stopping_has *has,
                      sim_stopping_row *row, void *ctx, size_t *open) {
  int ret = 0;
  *open = 0;
  for (size_t p = 0; ret == 0 && p < s->points; p++) {
    ret = look_at(s, layouts, p, has, row, ctx);
    *open += !s->final[p];
  }
  return ret;
}

size_t sim_stopping_reached(const struct sim_stopping *s, double *widest) {
  size_t reached = 0;
  *widest = NAN;
  for (size_t p = 0; p < s->points; p++) reached += s->final[p] && s->reached[p];
  for (size_t i = 0; i < s->arms * s->points; i++) *widest = fmax(*widest, s->width[i]);
  return reached;
}
