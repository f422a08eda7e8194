/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/cli/measure.h"
#include "sim/cli/table.h"
#include "sim/core/mem.h"
#include "sim/experiment/pairing.h"
#include <math.h>
#include <string.h>

struct compare_options {
  bool csv, all;
  const char *variable, *arm;
};

/* Everything that the files' comparison yields. */
struct comparison {
  struct sim_pairing pairing;
  struct sim_pair_parameter *parameter;
  size_t parameters;
  double *until; /* of the recovery at each level */
  struct measure {
    const struct sim_variable *variable; /* of the first file */
    bool recovery;
    struct sim_pair_difference *row; /* arms slowest */
    size_t rows, left;
  } * measure;
  size_t measures;
};

/* ---- gathering ------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct compare_options *o, const struct sim_variable *v) {
  if (o->variable) return strcmp(v->name, o->variable) == 0;
  return !v->flags && cli_is_measure(v) && (o->all || o->csv || !cli_is_detail(v));
}

static int gather(struct comparison *c, const struct compare_options *o, struct sim_diag *diag) {
  const struct sim_variable *variable;
  size_t n = sim_results_variables(c->pairing.file[0], &variable);
  c->measure = sim_calloc(n + 1, sizeof *c->measure);
  int code = c->measure ? sim_pairing_parameters(&c->pairing, &c->parameter, &c->parameters, diag) : SIM_ERR_MEMORY;
  for (size_t i = 0; code == 0 && i < n; i++) {
    struct measure *m = &c->measure[c->measures];
    m->variable = &variable[i];
    m->recovery = strcmp(variable[i].name, "time_to_recover") == 0 && (!o->variable || is_wanted(o, &variable[i]));
    if (m->recovery)
      code = sim_pairing_recovery(&c->pairing, &m->row, &m->rows, &c->until, diag);
    else if (is_wanted(o, &variable[i]))
      code = sim_pairing_measure(&c->pairing, variable[i].name, &m->row, &m->rows, &m->left, diag);
    c->measures += m->rows > 0 || m->left > 0;
  }
  return code;
}

static void comparison_free(struct comparison *c) {
  for (size_t i = 0; i < c->measures; i++) sim_free(c->measure[i].row);
  sim_free(c->measure);
  sim_free(c->until);
  sim_pairing_parameters_free(c->parameter, c->parameters);
  sim_pairing_free(&c->pairing);
}

/* Share of the pairs in which the first file does better; NaN where a measure is neither good nor bad. */
static double share_better(const struct measure *m, const struct sim_pair_difference *d) {
  int direction = sim_measure_direction(m->variable->name);
  return direction == 0 ? NAN : direction < 0 ? d->lower : d->higher;
}

/* ---- for people ------------------------------------------------------------------------------------------------ */

static void print_heading(const struct comparison *c, const struct cli_words *words) {
  const struct sim_pairing *p = &c->pairing;
  for (unsigned k = 0; k < 2; k++) {
    char *hash = sim_results_attribute(p->file[k], "scenario_hash");
    printf("%c       %s, scenario %s\n", "AB"[k], words -> word[k], hash ? hash : "unknown");
    sim_free(hash);
  }
  char *seed = sim_results_attribute(p->file[0], "seed");
  printf("pairs   arms %zu, points %zu, replicates %zu", p->arms, p->points, p->replicates);
  if (p->replicates_of[0] != p->replicates_of[1])
    printf(" (A has %zu, B %zu)", p->replicates_of[0], p->replicates_of[1]);
  printf("; seed %s\n", seed ? seed : "unknown");
  sim_free(seed);
}

/* True if a longer path tells the same in detail: `latent` differs because `latent.mean` does. */
static bool is_told_below(const struct comparison *c, size_t i) {
  size_t length = strlen(c->parameter[i].path);
  for (size_t k = i + 1; k < c->parameters && strncmp(c->parameter[k].path, c->parameter[i].path, length) == 0; k++)
    if (c->parameter[k].path[length] == '.') return true;
  return false;
}

static int print_parameters(const struct comparison *c) {
  struct cli_table t = {.columns = 4};
  if (c->parameters == 0) {
    puts("\nThe scenarios assume the same.");
    return 0;
  }
  puts("\nWhat the scenarios assume differently");
  static const char *const head[] = {"parameter", "arms", "A", "B"};
  for (unsigned i = 0; i < 4; i++) cli_table_add(&t, "%s", head[i]);
  for (size_t i = 0; i < c->parameters; i++) {
    const struct sim_pair_parameter *x = &c->parameter[i];
    if (is_told_below(c, i)) continue;
    bool sources = strcmp(x->source[0], x->source[1]) != 0;
    cli_table_add(&t, "%s", x->path);
    cli_table_add(&t, "%s", x->arms ? x->arms : "all");
    for (unsigned k = 0; k < 2; k++)
      cli_table_add(&t, "%s%s%s", *x->value[k] ? x->value[k] : "-", sources && *x->source[k] ? " @" : "",
                    sources ? x->source[k] : "");
  }
  return cli_table_print(&t, stdout);
}

static void add_interval(struct cli_table *t, const struct sim_pair_difference *d) {
  if (!isfinite(d->difference))
    cli_table_add(t, "-");
  else if (!isfinite(d->low))
    cli_table_add(t, "%.4g", d->difference);
  else
    cli_table_add(t, "%.4g [%.4g, %.4g]", d->difference, d->low, d->high);
}

static void add_name(struct cli_table *t, const struct comparison *c, const struct measure *m, size_t element) {
  char *name = cli_measure_name(c->pairing.file[0], m->variable, element);
  cli_table_add(t, "%s%s", m->recovery ? "restricted_" : "", name ? name : m->variable->name);
  sim_free(name);
}

static void add_row(struct cli_table *t, const struct comparison *c, const struct measure *m,
                    const struct sim_pair_difference *d) {
  static const char *const head[] = {"measure", "pairs", "A", "B", "A - B [95 %]", "A lower", "equal", "A better"};
  double better = share_better(m, d);
  for (unsigned i = 0; t->n == i && i < t->columns; i++) cli_table_add(t, "%s", head[i]);
  add_name(t, c, m, d->element);
  cli_table_add(t, "%zu", d->n);
  for (unsigned k = 0; k < 2; k++) cli_table_number(t, d->mean[k]);
  add_interval(t, d);
  cli_table_share(t, d->lower, 1);
  cli_table_share(t, d->equal, 1);
  cli_table_share(t, better, isfinite(better));
}

/* One arm: the measures that differ in some pair; the others are counted. */
static int print_arm(const struct comparison *c, size_t arm, bool all) {
  struct cli_table t = {.columns = 8};
  size_t alike = 0;
  for (size_t i = 0; i < c->measures; i++) {
    const struct measure *m = &c->measure[i];
    for (size_t k = 0; k < m->rows; k++) {
      const struct sim_pair_difference *d = &m->row[k];
      if (d->arm != arm || d->n == 0) continue;
      if (d->equal == 1 && !all)
        alike++;
      else
        add_row(&t, c, m, d);
    }
  }
  bool differs = t.n > 0;
  printf("\nArm %s: A minus B, over the pairs in which both have a value\n", c->pairing.arm[arm]);
  int code = differs ? cli_table_print(&t, stdout) : 0;
  if (alike)
    printf("%zu%s equal in every pair\n", alike, differs ? " measures more (--all) are" : " measures (--all), all");
  else if (!differs)
    puts("No measure has a value in both");
  return code;
}

/* What the rows of recovery mean, and what could not be matched. */
static void print_notes(const struct comparison *c) {
  size_t left = 0;
  putchar('\n');
  for (size_t i = 0; i < c->measures; i++) {
    left += c->measure[i].left;
    if (!c->measure[i].recovery) continue;
    fputs("restricted_time_to_recover: 0 where never degraded", stdout);
    for (size_t k = 0; k < c->measure[i].rows / c->pairing.arms; k++) {
      char *label = cli_element_label(c->pairing.file[0], c->measure[i].variable, k);
      if (isfinite(c->until[k])) printf("; %s: at most %.4g days", label ? label : "?", c->until[k]);
      sim_free(label);
    }
    putchar('\n');
  }
  if (left) printf("%zu elements of measures are in one file only and were left out\n", left);
}

static int print_all(const struct comparison *c, const struct compare_options *o, const struct cli_words *words) {
  print_heading(c, words);
  int code = print_parameters(c);
  for (size_t arm = 0; code == 0 && arm < c->pairing.arms; arm++) code = print_arm(c, arm, o->all || o->variable);
  if (code == 0) print_notes(c);
  return code;
}

/* ---- for programs: arm, variable, element, statistic, value, unit ------------------------------------------------ */

struct csv {
  const char *arm, *variable, *element, *unit;
};

static void csv_line(const struct csv *c, const char *statistic, const char *value, const char *unit) {
  cli_csv_field(stdout, c->arm, ',');
  cli_csv_field(stdout, c->variable, ',');
  cli_csv_field(stdout, c->element, ',');
  cli_csv_field(stdout, statistic, ',');
  cli_csv_field(stdout, value, ',');
  cli_csv_field(stdout, unit, '\n');
}

static void csv_number(const struct csv *c, const char *statistic, double value, const char *unit) {
  char text[32] = "";
  if (isfinite(value)) snprintf(text, sizeof text, "%.17g", value);
  csv_line(c, statistic, text, unit);
}

static void csv_difference(const struct csv *c, const struct measure *m, const struct sim_pair_difference *d) {
  csv_number(c, "pairs", (double)d->n, "1");
  csv_number(c, "mean_a", d->mean[0], c->unit);
  csv_number(c, "mean_b", d->mean[1], c->unit);
  csv_number(c, "difference", d->difference, c->unit);
  csv_number(c, "difference_low", d->low, c->unit);
  csv_number(c, "difference_high", d->high, c->unit);
  csv_number(c, "lower", d->lower, "1");
  csv_number(c, "equal", d->equal, "1");
  csv_number(c, "higher", d->higher, "1");
  csv_number(c, "better", share_better(m, d), "1");
}

static void print_csv(const struct comparison *c) {
  puts("arm,variable,element,statistic,value,unit");
  for (size_t i = 0; i < c->parameters; i++) {
    const struct sim_pair_parameter *x = &c->parameter[i];
    const struct csv line = {x->arms ? x->arms : "", "parameter", x->path, ""};
    csv_line(&line, "value_a", x->value[0], "");
    csv_line(&line, "value_b", x->value[1], "");
    csv_line(&line, "source_a", x->source[0], "");
    csv_line(&line, "source_b", x->source[1], "");
  }
  for (size_t i = 0; i < c->measures; i++) {
    const struct measure *m = &c->measure[i];
    for (size_t k = 0; k < m->rows; k++) {
      const struct sim_pair_difference *d = &m->row[k];
      char *element = cli_element_label(c->pairing.file[0], m->variable, d->element);
      const struct csv line = {c->pairing.arm[d->arm], m->recovery ? "restricted_time_to_recover" : m->variable->name,
                               element ? element : "", m->variable->unit};
      csv_difference(&line, m, d);
      if (m->recovery) csv_number(&line, "until", c->until[d->element], "day");
      sim_free(element);
    }
  }
}

/* ---------------------------------------------------------------------------------------------------------------- */

static int run(const struct cli_context *context, void *options) {
  const struct compare_options *o = options;
  struct comparison c = {.parameter = NULL};
  struct sim_diag diag = {0};
  int code = sim_pairing_init(&c.pairing, context->words.word[0], context->words.word[1], o->arm, &diag);
  int status = CLI_DONE;
  if (code == 0 && o->variable && !cli_find_measure(c.pairing.file[0], "compare", o->variable)) status = CLI_USAGE;
  if (code == 0 && status == CLI_DONE) code = gather(&c, o, &diag);
  if (code == 0 && status == CLI_DONE && o->variable && c.measures == 0)
    status = cli_usage("compare", "`%s` is no number that both files have, over the same dimensions, in the same unit",
                       o->variable);
  if (code == 0 && status == CLI_DONE) {
    if (o->csv)
      print_csv(&c);
    else
      code = print_all(&c, o, &context->words);
  }
  if (code) status = cli_status(code, &diag);
  comparison_free(&c);
  sim_diag_free(&diag);
  return status;
}

static const struct compare_options defaults;
#define AT(field) offsetof(struct compare_options, field)
static const struct cli_option options[] = {
    {"csv", 0, CLI_FLAG, AT(csv), NULL, NULL, "arm,variable,element,statistic,value,unit: one line a number"},
    {"all", 0, CLI_FLAG, AT(all), NULL, NULL, "measures that are equal in every pair, models, episodes and groups too"},
    {"variable", 0, CLI_TEXT, AT(variable), "V", "all", "only this variable"},
    {"arm", 0, CLI_TEXT, AT(arm), "ARM", "all", "only this arm; the files may then differ in the others"},
    {.name = NULL}};

const struct cli_command cli_cmd_compare = {
    .name = "compare",
    .arguments = "A B",
    .purpose = "compare two results files, run by run",
    .about =
        "Runs of equal arm, design point and replicate share their draws if the files have the same seed: what they\n"
        "have in common cancels in the difference. Files of another seed, version of the random streams, set of arms\n"
        "or design are refused. First what the scenarios assume differently; then for each arm and measure the number\n"
        "of pairs, both means, the mean of A minus B with its 95 % interval, and the shares of the pairs in which A\n"
        "is lower, in which both are equal, and in which A is better, where one can say which way is better.",
    .examples = "  airesim run mine.yaml -o before.h5\n"
                "  airesim run mine.yaml -o after.h5 --set teams.crews.size=20\n"
                "  airesim compare after.h5 before.h5\n"
                "  airesim compare after.h5 before.h5 --arm base --variable resilience_loss\n"
                "  airesim compare after.h5 before.h5 --csv > differences.csv",
    .options = options,
    .min_words = 2,
    .max_words = 2,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
