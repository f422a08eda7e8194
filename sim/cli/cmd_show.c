/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/cli/measure.h"
#include "sim/cli/show_sensitivity.h"
#include "sim/cli/table.h"
#include "sim/core/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct show_options {
  bool csv, all;
  const char *variable;
  struct show_sensitivity sensitivity;
};

/* An open results file and what every table needs of it. */
struct view {
  struct sim_results *results;
  char **arm;
  size_t arms;
  struct sim_recovery *recovery; /* [recoveries], arms slowest */
  size_t recoveries;
};

static int view_open(struct view *v, const char *path, struct sim_diag *diag) {
  int code = sim_results_open(&v->results, path, diag);
  if (code == 0) code = sim_results_labels(v->results, "arm", &v->arm, &v->arms);
  if (code == 0) code = sim_summary_recoveries(v->results, NAN, &v->recovery, &v->recoveries, diag);
  return code;
}

static void view_close(struct view *v) {
  sim_free(v->recovery);
  sim_results_texts_free(v->arm, v->arms);
  sim_results_close(v->results);
}

/* ---- for people ------------------------------------------------------------------------------------------------ */

static void print_attribute(const struct view *v, const char *label, const char *name, const char *unit) {
  char *text = sim_results_attribute(v->results, name);
  if (text) printf("%-10s %s%s\n", label, text, unit);
  sim_free(text);
}

/* What an adaptive design asked for, and how much of it was reached. */
static int print_precision(const struct view *v) {
  const struct sim_variable *width = sim_results_find(v->results, "precision_width");
  double *made = NULL, *reached = NULL, *interval = NULL;
  if (!width) return 0;
  int code = sim_results_load(v->results, "precision_replicates", &made);
  if (code == 0) code = sim_results_load(v->results, "precision_reached", &reached);
  if (code == 0) code = sim_results_load(v->results, "precision_width", &interval);
  if (code == 0) {
    size_t points = width->size[1], enough = 0;
    double fewest = INFINITY, most = 0, widest = NAN;
    for (size_t p = 0; p < points; p++) {
      fewest = fmin(fewest, made[p]);
      most = fmax(most, made[p]);
      enough += reached[p] > 0;
    }
    for (size_t i = 0; i < sim_results_count(width); i++) widest = fmax(widest, interval[i]);
    print_attribute(v, "precision", "precision", "");
    printf("%-10s at %zu of %zu point%s, with %.0f to %.0f replicates of each arm", "reached", enough, points,
           points == 1 ? "" : "s", fewest, most);
    if (isfinite(widest)) printf("; the widest interval is %.4g %s", widest, width->unit);
    puts(enough < points ? "; at the others `design.replicates` came first" : "");
  }
  sim_free(made);
  sim_free(reached);
  sim_free(interval);
  return code;
}

static int print_heading(const struct view *v, const char *path) {
  const struct sim_variable *status = sim_results_find(v->results, "status");
  print_attribute(v, "question", "question", "");
  printf("%-10s %s", "results", path);
  if (status && status->dims >= 3)
    printf(": arms %zu, points %zu%s, replicates %zu", status->size[0], status->size[1],
           status->size[1] > 1 ? " (pooled below)" : "", status->size[2]);
  putchar('\n');
  double *horizon = NULL;
  if (sim_results_find(v->results, "horizon") && sim_results_load(v->results, "horizon", &horizon) == 0)
    printf("%-10s %.6g days\n", "horizon", horizon[0]);
  sim_free(horizon);
  print_attribute(v, "seed", "seed", "");
  print_attribute(v, "scenario", "scenario_hash", " (hash)");
  return print_precision(v);
}

static void add_median(struct cli_table *t, const struct sim_recovery *r) {
  char low[32] = "?", high[32] = "?";
  if (!isfinite(r->median)) {
    cli_table_add(t, "not reached");
    return;
  }
  if (isfinite(r->median_low)) snprintf(low, sizeof low, "%.3g", r->median_low);
  if (isfinite(r->median_high)) snprintf(high, sizeof high, "%.3g", r->median_high);
  cli_table_add(t, "%.3g [%s, %s]", r->median, low, high);
}

/* One table a level; rows are arms. */
static int print_recovery(const struct view *v) {
  size_t levels = v->arms ? v->recoveries / v->arms : 0;
  for (size_t level = 0; level < levels; level++) {
    const struct sim_recovery *first = &v->recovery[level];
    struct cli_table t = {.columns = 8};
    static const char *const head[] = {"arm",      "runs",          "failed",    "never degraded",
                                       "censored", "median [95 %]", "mean ± SE", "mean ± SE, never degraded as 0"};
    for (size_t i = 0; i < 8; i++) cli_table_add(&t, "%s", head[i]);
    for (size_t arm = 0; arm < v->arms; arm++) {
      const struct sim_recovery *r = &v->recovery[arm * levels + level];
      double runs = (double)r->runs;
      cli_table_add(&t, "%s", r->arm);
      cli_table_add(&t, "%zu", r->runs);
      cli_table_add(&t, "%zu", r->count[SIM_STATUS_FAILED]);
      cli_table_share(&t, (double)r->count[SIM_STATUS_NEVER_DEGRADED], runs);
      cli_table_share(&t, (double)(r->count[SIM_STATUS_CENSORED] + r->count[SIM_STATUS_RELAPSED_CENSORED]), runs);
      add_median(&t, r);
      cli_table_mean(&t, r->rmst, r->rmst_se, 0, 0);
      cli_table_mean(&t, r->rmst_unconditional, r->rmst_unconditional_se, 0, 0);
    }
    if (isfinite(first->level))
      printf("\nTime to recover to %g %% of the target, days", 100 * first->level);
    else
      printf("\nTime to recover, days");
    printf(" (Kaplan-Meier, of degraded runs");
    if (isfinite(first->tau)) printf("; means restricted to %.4g days", first->tau);
    puts(")");
    int code = cli_table_print(&t, stdout);
    if (code) return code;
    if (isfinite(first->logrank.p))
      printf("log-rank test that degraded runs of all arms recover alike: chi-squared %.4g with %zu degree%s of "
             "freedom, p "
             "%.2g\n",
             first->logrank.chi2, first->logrank.freedom, first->logrank.freedom == 1 ? "" : "s", first->logrank.p);
  }
  return 0;
}

/* Rows of one variable: an element each, its mean ± SE by arm (of flags: the commonest meaning and its share). */
static int add_measure(struct cli_table *t, const struct view *v, const struct sim_variable *var,
                       struct sim_diag *diag) {
  struct sim_variable_summary *s = NULL;
  size_t n = 0;
  int code = sim_summary_variable(v->results, var->name, &s, &n, diag);
  size_t elements = v->arms ? n / v->arms : 0;
  for (size_t e = 0; code == 0 && e < elements; e++) {
    size_t known = 0;
    for (size_t arm = 0; arm < v->arms; arm++) known += s[arm * elements + e].numbers.n;
    if (known == 0) continue; /* missing in every run of every arm */
    char *name = cli_measure_name(v->results, var, e);
    cli_table_add(t, "%s", name ? name : var->name);
    sim_free(name);
    for (size_t arm = 0; arm < v->arms; arm++) {
      const struct sim_numbers *x = &s[arm * elements + e].numbers;
      cli_table_mean(t, x->mean, x->se, x->n, x->n + x->missing);
    }
  }
  sim_free(s);
  return code;
}

static int print_measures(const struct view *v, bool all, struct sim_diag *diag) {
  const struct sim_variable *variable;
  size_t n = sim_results_variables(v->results, &variable), shown = 0, left = 0;
  struct cli_table t = {.columns = v->arms + 1};
  int code = 0;
  cli_table_add(&t, "measure");
  for (size_t arm = 0; arm < v->arms; arm++) cli_table_add(&t, "%s", v->arm[arm]);
  for (size_t i = 0; code == 0 && i < n; i++) {
    if (!cli_is_measure(&variable[i]) || variable[i].flags) continue;
    if (!all && cli_is_detail(&variable[i])) {
      left++;
      continue;
    }
    code = add_measure(&t, v, &variable[i], diag);
    shown++;
  }
  if (shown) puts("\nMean ± standard error of all runs, or of the n that have a value");
  int printed = cli_table_print(&t, stdout);
  if (left) printf("\n%zu variables more, by model, episode and group: --all\n", left);
  return code ? code : printed;
}

/* All that is known of one variable: a row an arm and element. */
static int print_variable(const struct view *v, const struct sim_variable *var, struct sim_diag *diag) {
  static const char *const head[] = {"arm", "element", "n",      "missing", "mean ± SE", "sd",
                                     "min", "5 %",     "median", "95 %",    "max"};
  struct sim_variable_summary *s = NULL;
  size_t n = 0;
  struct cli_table t = {.columns = 11};
  int code = sim_summary_variable(v->results, var->name, &s, &n, diag);
  if (code) return code;
  printf("\n%s: %s%s%s\n", var->name, var->long_name, *var->unit ? ", " : "", var->unit);
  for (size_t i = 0; i < 11; i++) cli_table_add(&t, "%s", head[i]);
  for (size_t i = 0; i < n; i++) {
    const struct sim_numbers *x = &s[i].numbers;
    const double numbers[] = {x->sd, x->min, x->quantile[0], x->quantile[2], x->quantile[4], x->max};
    char *label = cli_element_label(v->results, var, s[i].element);
    cli_table_add(&t, "%s", s[i].arm < v->arms ? v->arm[s[i].arm] : "?");
    cli_table_add(&t, "%s", label && *label ? label : "-");
    cli_table_add(&t, "%zu", x->n);
    cli_table_add(&t, "%zu", x->missing);
    cli_table_mean(&t, x->mean, x->se, x->n, x->n); /* beside it stands n */
    for (size_t k = 0; k < 6; k++) cli_table_number(&t, numbers[k]);
    sim_free(label);
  }
  sim_free(s);
  return cli_table_print(&t, stdout);
}

/* ---- for programs: one line a number: arm, variable, element, statistic, value, unit ----------------------------- */

static void csv_line(const char *arm, const char *variable, const char *element, const char *statistic, double value,
                     const char *unit) {
  cli_csv_field(stdout, arm, ',');
  cli_csv_field(stdout, variable, ',');
  cli_csv_field(stdout, element, ',');
  cli_csv_field(stdout, statistic, ',');
  if (isfinite(value)) printf("%.17g", value);
  putchar(',');
  cli_csv_field(stdout, unit, '\n');
}

static void csv_recovery(const struct sim_recovery *r) {
  static const char *const status[SIM_STATUSES] = {"recovered", "relapsed_then_recovered", "relapsed_censored",
                                                   "censored",  "never_degraded",          "failed"};
  const struct {
    const char *name;
    double value;
  } days[] = {{"median", r->median},
              {"median_low", r->median_low},
              {"median_high", r->median_high},
              {"quantile_0.25", r->quantile[0]},
              {"quantile_0.75", r->quantile[1]},
              {"quantile_0.9", r->quantile[2]},
              {"window", r->tau},
              {"restricted_mean", r->rmst},
              {"restricted_mean_se", r->rmst_se},
              {"restricted_mean_unconditional", r->rmst_unconditional},
              {"restricted_mean_unconditional_se", r->rmst_unconditional_se}};
  const struct {
    const char *name;
    double value;
  } test[] = {{"logrank_chi2", r->logrank.chi2}, {"logrank_p", r->logrank.p}};
  char element[48] = "";
  if (isfinite(r->level)) snprintf(element, sizeof element, "level=%g", r->level);
  csv_line(r->arm, "time_to_recover", element, "runs", (double)r->runs, "1");
  for (size_t i = 0; i < SIM_STATUSES; i++)
    csv_line(r->arm, "time_to_recover", element, status[i], (double)r->count[i], "1");
  for (size_t i = 0; i < sizeof days / sizeof *days; i++)
    csv_line(r->arm, "time_to_recover", element, days[i].name, days[i].value, "day");
  for (size_t i = 0; i < sizeof test / sizeof *test; i++)
    csv_line(r->arm, "time_to_recover", element, test[i].name, test[i].value, "1");
}

static int csv_variable(const struct view *v, const struct sim_variable *var, struct sim_diag *diag) {
  struct sim_variable_summary *s = NULL;
  size_t n = 0;
  int code = sim_summary_variable(v->results, var->name, &s, &n, diag);
  for (size_t i = 0; code == 0 && i < n; i++) {
    const struct sim_numbers *x = &s[i].numbers;
    const struct {
      const char *name;
      double value;
    } row[] = {{"mean", x->mean},
               {"se", x->se},
               {"sd", x->sd},
               {"min", x->min},
               {"quantile_0.05", x->quantile[0]},
               {"quantile_0.25", x->quantile[1]},
               {"median", x->quantile[2]},
               {"quantile_0.75", x->quantile[3]},
               {"quantile_0.95", x->quantile[4]},
               {"max", x->max},
               {"median_low", x->median_low},
               {"median_high", x->median_high}};
    const char *arm = s[i].arm < v->arms ? v->arm[s[i].arm] : "?";
    char *element = cli_element_label(v->results, var, s[i].element);
    csv_line(arm, var->name, element ? element : "", "n", (double)x->n, "1");
    csv_line(arm, var->name, element ? element : "", "missing", (double)x->missing, "1");
    for (size_t k = 0; k < sizeof row / sizeof *row; k++)
      csv_line(arm, var->name, element ? element : "", row[k].name, row[k].value, var->unit);
    sim_free(element);
  }
  sim_free(s);
  return code;
}

static int csv_all(const struct view *v, struct sim_diag *diag) {
  const struct sim_variable *variable;
  size_t n = sim_results_variables(v->results, &variable);
  int code = 0;
  for (size_t i = 0; i < v->recoveries; i++) csv_recovery(&v->recovery[i]);
  for (size_t i = 0; code == 0 && i < n; i++)
    if (cli_is_measure(&variable[i]) && !variable[i].flags) code = csv_variable(v, &variable[i], diag);
  return code;
}

/* ---------------------------------------------------------------------------------------------------------------- */

static char *label_of(const void *ctx, const struct sim_variable *v, size_t element) {
  const struct view *view = ctx;
  return cli_element_label(view->results, v, element);
}

static int run_sensitivity(struct show_options *o, const struct view *view, struct sim_diag *diag) {
  size_t arm;
  o->sensitivity.csv = o->csv;
  int status = show_sensitivity_check(&o->sensitivity, view->results, view->arm, view->arms, &arm);
  if (status) return status;
  int code = show_sensitivity_print(&o->sensitivity, view->results, view->arm[arm], arm, label_of, view, diag);
  return cli_status(code, diag);
}

static int run(const struct cli_context *context, void *options) {
  struct show_options *o = options;
  const struct sim_variable *variable = NULL;
  struct view view = {0};
  struct sim_diag diag = {0};
  int status = cli_status(view_open(&view, context->words.word[0], &diag), &diag);
  if (status == CLI_DONE && o->variable) {
    variable = cli_find_measure(view.results, "show", o->variable);
    if (!variable) status = CLI_USAGE;
  }
  const struct show_sensitivity *wanted = &o->sensitivity;
  if (status == CLI_DONE && !wanted->measure && (wanted->above || wanted->below || wanted->arm))
    status = cli_usage("show", "--arm, --above and --below go with --sensitivity");
  if (status == CLI_DONE && wanted->measure && o->variable)
    status = cli_usage("show", "--variable or --sensitivity, not both");
  if (status == CLI_DONE && wanted->measure) {
    status = cli_find_measure(view.results, "show", wanted->measure) ? run_sensitivity(o, &view, &diag) : CLI_USAGE;
    goto out;
  }
  if (status) goto out;
  int code = 0;
  if (o->csv) {
    puts("arm,variable,element,statistic,value,unit");
    code = variable ? csv_variable(&view, variable, &diag) : csv_all(&view, &diag);
  } else {
    code = print_heading(&view, context->words.word[0]);
    if (code == 0) code = variable ? print_variable(&view, variable, &diag) : print_recovery(&view);
    if (code == 0 && !variable) code = print_measures(&view, o->all, &diag);
  }
  status = cli_status(code, &diag);
out:
  view_close(&view);
  sim_diag_free(&diag);
  return status;
}

static const struct show_options defaults;
static const struct cli_option options[] = {
    {"csv", 0, CLI_FLAG, offsetof(struct show_options, csv), NULL, NULL,
     "arm,variable,element,statistic,value,unit: one line a number"},
    {"all", 0, CLI_FLAG, offsetof(struct show_options, all), NULL, NULL,
     "the outputs of models, episodes and groups too"},
    {"variable", 0, CLI_TEXT, offsetof(struct show_options, variable), "V", "all", "only this variable, in detail"},
    {"sensitivity", 0, CLI_TEXT, offsetof(struct show_options, sensitivity.measure), "V", NULL,
     "which parameters move this variable: Sobol' indices of a saltelli design, effects of a morris design"},
    {"arm", 0, CLI_TEXT, offsetof(struct show_options, sensitivity.arm), "ARM", "the reference",
     "of --sensitivity: the arm"},
    {"above", 0, CLI_TEXT, offsetof(struct show_options, sensitivity.above), "X", NULL,
     "of --sensitivity: the box of parameters in which the variable is above X (PRIM)"},
    {"below", 0, CLI_TEXT, offsetof(struct show_options, sensitivity.below), "X", NULL,
     "of --sensitivity: the box in which it is below X"},
    {.name = NULL}};

const struct cli_command cli_cmd_show = {
    .name = "show",
    .arguments = "RESULTS",
    .purpose = "show a results file as tables",
    .about =
        "A table for each level of recovery: runs, failed ones, the share that never degraded and the share that\n"
        "had not recovered at the end (censored), the Kaplan-Meier median with its 95 % interval and the restricted\n"
        "mean; then every other measure as mean ± standard error by arm.",
    .examples = "  airesim show results/outbreak_response.h5\n"
                "  airesim show results/outbreak_response.h5 --variable final_size\n"
                "  airesim show results/outbreak_response.h5 --csv > table.csv\n"
                "  airesim show sweep.h5 --sensitivity resilience_loss --arm base --above 30",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
