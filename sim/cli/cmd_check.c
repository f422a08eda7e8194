/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/core/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct check_options {
  bool expand, origins;
  const char *paths, *diff, *arm;
  struct cli_sets sets;
};

/* ---- where the values come from ------------------------------------------------------------------------------- */

struct tag {
  const char *source; /* borrowed from the paths */
  size_t values, ranged;
};

static int by_source(const void *a, const void *b) {
  return strcmp(((const struct sim_path_info *)a)->source, ((const struct sim_path_info *)b)->source);
}

/* Counts of an arm's numbers by source, as `assumed 12 (3 with a range), flu1978 2`. */
static void print_sources(const struct sim_scenario *s, size_t arm) {
  struct sim_path_info *paths = NULL;
  size_t n = sim_scenario_paths(s, arm, NULL, &paths);
  if (n) qsort(paths, n, sizeof *paths, by_source);
  const char *comma = "";
  printf("numbers by source (arm %s):", sim_scenario_arm(s, arm));
  for (size_t i = 0; i < n;) {
    struct tag tag = {paths[i].source, 0, 0};
    for (; i < n && strcmp(paths[i].source, tag.source) == 0; i++) {
      tag.values += isfinite(paths[i].number);
      tag.ranged += paths[i].ranged;
    }
    if (tag.values == 0) continue;
    printf("%s %s %zu", comma, tag.source, tag.values);
    if (tag.ranged) printf(" (%zu with a range)", tag.ranged);
    comma = ",";
  }
  putchar('\n');
  sim_paths_free(paths, n);
}

/* ---- perfect information --------------------------------------------------------------------------------------- */

static void print_actual(const struct sim_value *v, const char *arm) {
  if (v->form == SIM_ACTUAL)
    printf("perfect information (arm %s): %s: %s\n", arm, v->path, v->written ? v->written : "actual");
  for (size_t i = 0; v->form != SIM_ACTUAL && i < v->n; i++) print_actual(&v->items[i], arm);
}

/* ---- cost ------------------------------------------------------------------------------------------------------ */

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Core-seconds of a design: what is certain, and where `design.precision` may stop earlier, what it is at most. */
struct cost {
  double least, most;
};

struct sample {
  double plan, run; /* core-seconds: to plan the world; a run */
  int failed;
  char error[200];
};

/* Plans an arm's world and times runs of it for about `budget` core-seconds (one run at least). */
static int time_arm(const struct sim_value *root, uint64_t seed, struct sim_graph_cache *cache, double budget,
                    struct sample *out, struct sim_diag *diag) {
  struct sim_world *world = NULL;
  struct sim_run *run = NULL;
  struct sim_row row = {0};
  const struct sim_column *columns;
  const struct sim_series *series;
  const double *days;
  double start = cpu_seconds();
  int code = sim_world_create(&world, root, seed, cache, diag);
  if (code) goto out;
  code = SIM_ERR_MEMORY;
  row.columns = sim_calloc(sim_world_columns(world, &columns) + 1, sizeof *row.columns);
  row.samples = sim_calloc(sim_world_series(world, &series) * sim_world_samples(world, &days) + 1, sizeof *row.samples);
  if (!row.columns || !row.samples) goto out;
  code = sim_run_create(&run, world);
  double begun = cpu_seconds(), now = begun;
  out->plan = begun - start;
  uint64_t n = 0;
  while (code == 0 && (n == 0 || now - begun < budget)) {
    code = sim_run_execute(run, n++, 0, &row);
    now = cpu_seconds();
    if (row.error[0] && !out->failed++) memcpy(out->error, row.error, sizeof out->error);
  }
  out->run = n ? (now - begun) / (double)n : 0;
out:
  sim_run_free(run);
  sim_free(row.columns);
  sim_free(row.samples);
  sim_world_free(world);
  return code;
}

static void print_time(double seconds) {
  if (seconds < 3600)
    printf("%.3g core-seconds", seconds);
  else
    printf("%.3g core-hours", seconds / 3600);
}

/* Binds an arm, plans its world and adds what it is estimated to cost. */
static int check_arm(const struct sim_scenario *s, size_t arm, const struct sim_design *design,
                     struct sim_graph_cache *cache, struct cost *total, struct sim_diag *diag) {
  struct sim_bound *bound = NULL;
  struct sample sample = {0};
  int code = sim_scenario_bind(&bound, s, arm, NULL, 0, diag);
  if (code) return code;
  code = time_arm(sim_bound_root(bound), design->seed, cache, 1.0 / (double)(design->arms + 1), &sample, diag);
  sim_bound_free(bound);
  if (sample.failed)
    fprintf(stderr, "airesim: warning: arm %s: a run of the sample failed: %s\n", sim_scenario_arm(s, arm),
            sample.error);
  size_t least = design->floor ? design->floor : design->replicates;
  total->least += (double)design->points * (sample.plan + (double)least * sample.run);
  total->most += (double)design->points * (sample.plan + (double)design->replicates * sample.run);
  return code;
}

static const char *plural(size_t n) {
  return n == 1 ? "" : "s";
}

static void print_cost(const struct cost *cost) {
  printf("estimated cost: ");
  if (cost->least < cost->most) {
    print_time(cost->least);
    printf(" to ");
  }
  print_time(cost->most);
  puts(" (from a sample at the values as written; to record a run takes about 0.05 ms more)");
}

static int print_summary(const struct sim_scenario *s, const struct sim_design *d, const struct cost *cost,
                         struct sim_diag *diag) {
  printf("runs: %zu arm%s x %zu point%s x %zu replicate%s = %s%zu\n", d->arms, plural(d->arms), d->points,
         plural(d->points), d->replicates, plural(d->replicates), cost->least < cost->most ? "at most " : "",
         sim_design_runs(d));
  printf("seed: %llu\nhash: %016llx\n", (unsigned long long)d->seed, (unsigned long long)sim_scenario_hash(s));
  print_sources(s, d->reference);
  for (size_t arm = 0; arm < d->arms; arm++) {
    struct sim_bound *bound = NULL;
    int code = sim_scenario_bind(&bound, s, arm, NULL, 0, diag);
    if (code) return code;
    print_actual(sim_bound_root(bound), sim_scenario_arm(s, arm));
    sim_bound_free(bound);
  }
  print_cost(cost);
  return 0;
}

static int summarise(const struct sim_scenario *s, struct sim_diag *diag) {
  struct sim_design design = {0};
  struct cost cost = {0, 0};
  int code = sim_design_init(&design, s, -1, -1, diag);
  if (code) return code;
  struct sim_graph_cache *cache = sim_graph_cache_create();
  if (!cache) code = SIM_ERR_MEMORY;
  for (size_t arm = 0; cache && arm < design.arms; arm++) { /* every arm, so that every error is told */
    int arm_code = check_arm(s, arm, &design, cache, &cost, diag);
    if (code == 0) code = arm_code;
  }
  if (code == 0) code = print_summary(s, &design, &cost, diag);
  sim_graph_cache_free(cache);
  sim_design_free(&design);
  return code;
}

/* ---- --expand, --paths, --diff --------------------------------------------------------------------------------- */

static int print_text(char *text) {
  if (!text) return SIM_ERR_MEMORY;
  fputs(text, stdout);
  sim_free(text);
  return 0;
}

/* Tab-separated: path, value, unit, low, high, source, origin. */
static int print_paths(const struct sim_scenario *s, size_t arm, const char *glob) {
  struct sim_path_info *paths = NULL;
  size_t n = sim_scenario_paths(s, arm, *glob ? glob : NULL, &paths);
  puts("# path\tvalue\tunit\trange\tsource\torigin");
  for (size_t i = 0; i < n; i++) {
    const struct sim_path_info *p = &paths[i];
    printf("%s\t%s\t%s\t", p->path, p->value ? p->value : "", p->unit ? p->unit : "");
    if (p->ranged) printf("%g..%g", p->low, p->high);
    printf("\t%s\t%s\n", p->source ? p->source : "", p->origin ? p->origin : "");
  }
  sim_paths_free(paths, n);
  return n ? CLI_DONE : cli_usage("check", "no path matches `%s`", glob);
}

static int print_diff(const struct sim_scenario *s, const char *other, struct sim_diag *diag) {
  struct sim_scenario *b = NULL;
  int code = sim_scenario_load(&b, other, NULL, 0, diag);
  if (code == 0) code = print_text(sim_scenario_diff(s, b));
  sim_scenario_free(b);
  return code;
}

static int run(const struct cli_context *context, void *options) {
  const struct check_options *o = options;
  struct sim_diag diag = {0};
  struct sim_scenario *s = NULL;
  size_t arm = 0;
  if (o->expand + (o->paths != NULL) + (o->diff != NULL) > 1)
    return cli_usage("check", "--expand, --paths and --diff exclude one another");
  if (o->origins && !o->expand) return cli_usage("check", "--origins goes with --expand");
  int status = cli_status(sim_scenario_load(&s, context->words.word[0], o->sets.patch, o->sets.n, &diag), &diag);
  if (status == CLI_DONE) status = cli_find_arm(s, "check", o->arm, &arm);
  if (status) goto out;
  if (o->paths)
    status = print_paths(s, arm, o->paths);
  else if (o->expand)
    status = cli_status(print_text(sim_scenario_expanded(s, o->origins)), &diag);
  else if (o->diff)
    status = cli_status(print_diff(s, o->diff, &diag), &diag);
  else
    status = cli_status(summarise(s, &diag), &diag);
out:
  sim_scenario_free(s);
  sim_diag_free(&diag);
  return status;
}

static const struct check_options defaults;
#define AT(field) offsetof(struct check_options, field)
static const struct cli_option options[] = {
    {"expand", 0, CLI_FLAG, AT(expand), NULL, NULL, "print the scenario with every default and no `like`"},
    {"origins", 0, CLI_FLAG, AT(origins), NULL, NULL, "with --expand: where each value comes from, as comments"},
    {"paths", 0, CLI_OPTIONAL, AT(paths), "GLOB", "all", "list path, value, unit, range, source and origin"},
    {"arm", 0, CLI_TEXT, AT(arm), "A", "the first", "with --paths: the arm"},
    {"diff", 0, CLI_TEXT, AT(diff), "OTHER", NULL, "list the differences from another scenario"},
    {"set", 0, CLI_SET, AT(sets), "PATH=VALUE", NULL, "change a value of the scenario; may be repeated"},
    {.name = NULL}};

const struct cli_command cli_cmd_check = {
    .name = "check",
    .arguments = "SCENARIO",
    .purpose = "check a scenario; count its runs, sources and core-hours",
    .about =
        "All errors are reported at once, each with its place. Without errors: the number of runs, how many values\n"
        "come from which source, the triggers that see the truth (`actual`), and the cost, estimated by running a\n"
        "few replicates of each arm for about a second; with `design.precision`, from its floor to all replicates.\n"
        "Nothing is written. SCENARIO may be `-`.",
    .examples = "  airesim check scenarios/outbreak_response.yaml\n"
                "  airesim check scenarios/outbreak_response.yaml --paths '*delay*'\n"
                "  airesim check scenarios/outbreak_response.yaml --expand --origins\n"
                "  airesim check mine.yaml --diff scenarios/outbreak_response.yaml",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
