/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exactness under intervention: the engine's runs of the scenarios in tests/exactness against a plain reference
 * simulator that shares no code with it. Samples are compared by two-sample tests of Kolmogorov and Smirnov on the
 * person-days spent susceptible and on the time of extinction, and of chi-square on the number of infections; the
 * bounds reject a right simulator once in 10,000. The same tests must reject a reference with one mistake in it. */
#include "reference_sim.h"
#include "sim/core/mem.h"
#include "sim/core/world.h"
#include "sim/scenario/scenario.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RUNS            20000
#define MOST_INFECTIONS 64
enum { INFECTIONS, EXTINCT, SUSCEPTIBLE_DAYS, MEASURES };
static const char *const measures[MEASURES] = {"ever_infected", "extinct", "susceptible_days"};

struct sample {
  double *value[MEASURES]; /* [RUNS] each */
};

static struct sample sample_create(void) {
  struct sample s;
  for (int m = 0; m < MEASURES; m++) cr_assert_not_null(s.value[m] = sim_calloc(RUNS, sizeof(double)));
  return s;
}

static void sample_free(struct sample *s) {
  for (int m = 0; m < MEASURES; m++) sim_free(s->value[m]);
}

static void fail_with(const struct sim_diag *diag, const char *what) {
  cr_assert_fail("%s: %s", what, diag->n ? diag->items[0].text : "no diagnostic");
}

/* Runs an arm of tests/exactness/<name>.yaml RUNS times. */
static struct sample run_engine(const char *name, const char *arm) {
  struct sample out = sample_create();
  struct sim_diag diag = {0};
  struct sim_scenario *scenario = NULL;
  struct sim_bound *bound = NULL;
  struct sim_world *world = NULL;
  struct sim_run *run = NULL;
  struct sim_graph_cache *cache = sim_graph_cache_create();
  char *path = sim_strf("%s/tests/exactness/%s.yaml", AIRESIM_SOURCE_DIR, name);
  if (sim_scenario_load(&scenario, path, NULL, 0, &diag)) fail_with(&diag, path);
  size_t a = 0;
  while (a + 1 < sim_scenario_arms(scenario) && strcmp(sim_scenario_arm(scenario, a), arm) != 0) a++;
  cr_assert_str_eq(sim_scenario_arm(scenario, a), arm);
  if (sim_scenario_bind(&bound, scenario, a, NULL, 0, &diag)) fail_with(&diag, path);
  if (sim_world_create(&world, sim_bound_root(bound), 20260101, cache, &diag)) fail_with(&diag, path);
  cr_assert_eq(sim_run_create(&run, world), 0);

  const struct sim_column *columns;
  const struct sim_series *series;
  const double *days;
  size_t n = sim_world_columns(world, &columns), at[MEASURES] = {0};
  struct sim_row row = {
      .columns = sim_calloc(n, sizeof(double)),
      .samples = sim_calloc(sim_world_series(world, &series) * sim_world_samples(world, &days) + 1, sizeof(uint16_t))};
  for (int m = 0; m < MEASURES; m++) {
    while (at[m] < n && strcmp(columns[at[m]].variable, measures[m]) != 0) at[m]++;
    cr_assert_lt(at[m], n, "no column %s", measures[m]);
  }
  for (uint64_t r = 0; r < RUNS; r++) {
    cr_assert_eq(sim_run_execute(run, r, 0, &row), 0);
    cr_assert_str_empty(row.error);
    for (int m = 0; m < MEASURES; m++) out.value[m][r] = row.columns[at[m]];
  }
  sim_free(row.columns);
  sim_free(row.samples);
  sim_run_free(run);
  sim_world_free(world);
  sim_bound_free(bound);
  sim_scenario_free(scenario);
  sim_graph_cache_free(cache);
  sim_diag_free(&diag);
  sim_free(path);
  return out;
}

static struct sample run_reference(const struct ref_problem *problem, enum ref_mistake mistake) {
  struct sample out = sample_create();
  struct ref_problem p = *problem;
  p.mistake = mistake;
  for (int r = 0; r < RUNS; r++) {
    struct ref_result result;
    ref_run(&p, (uint64_t)r, &result);
    out.value[INFECTIONS][r] = result.infections;
    out.value[EXTINCT][r] = result.last_infectious;
    out.value[SUSCEPTIBLE_DAYS][r] = result.susceptible_days;
  }
  return out;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Largest distance of the two empirical distribution functions over its bound of 1e-4,
 * sqrt(ln(2 / 1e-4) / 2) sqrt(2 / n) (Smirnov 1939): 1 or more rejects. Sorts both. */
static double kolmogorov(double *x, double *y) {
  qsort(x, RUNS, sizeof *x, ascending);
  qsort(y, RUNS, sizeof *y, ascending);
  double largest = 0;
  for (int i = 0, j = 0; i < RUNS && j < RUNS;) {
    double at = fmin(x[i], y[j]) + 1e-9; /* ticks are coarser than doubles: atoms such as the horizon must coincide */
    while (i < RUNS && x[i] <= at) i++;
    while (j < RUNS && y[j] <= at) j++;
    largest = fmax(largest, fabs((double)(i - j)) / RUNS);
  }
  return largest / (sqrt(log(2e4) / 2) * sqrt(2.0 / RUNS));
}

/* Chi-square of two samples of whole numbers over its bound of 1e-4 (Wilson and Hilferty 1931: d (1 - 2/(9d) + z
 * sqrt(2/(9d)))^3 with z = 3.719). Cells of fewer than ten are added to the one before. */
static double chi_square(const double *x, const double *y) {
  double count[2][MOST_INFECTIONS + 1] = {0}, statistic = 0, a = 0, b = 0;
  int cells = 0;
  for (int r = 0; r < RUNS; r++) {
    count[0][(int)fmin(x[r], MOST_INFECTIONS)]++;
    count[1][(int)fmin(y[r], MOST_INFECTIONS)]++;
  }
  for (int k = MOST_INFECTIONS; k >= 0; k--) {
    a += count[0][k];
    b += count[1][k];
    if (a + b < 10) continue;
    statistic += (a - b) * (a - b) / (a + b);
    cells++;
    a = b = 0;
  }
  double d = fmax(cells - 1, 1), w = 2 / (9 * d);
  return statistic / (d * pow(1 - w + 3.719 * sqrt(w), 3));
}

/* The worst of the three tests: below 1, the samples agree. */
static double difference(const struct sample *a, const struct sample *b) {
  double worst = chi_square(a->value[INFECTIONS], b->value[INFECTIONS]);
  worst = fmax(worst, kolmogorov(a->value[EXTINCT], b->value[EXTINCT]));
  return fmax(worst, kolmogorov(a->value[SUSCEPTIBLE_DAYS], b->value[SUSCEPTIBLE_DAYS]));
}

static void compare(const char *scenario, const char *arm, const struct ref_problem *p, enum ref_mistake mistake) {
  struct sample engine = run_engine(scenario, arm), exact = run_reference(p, REF_EXACT);
  double right = difference(&engine, &exact);
  cr_expect_lt(right, 1.0, "%s, %s: the engine differs from the reference (%.3g of the bound)", scenario, arm, right);
  struct sample wrong = run_reference(p, mistake);
  double broken = difference(&engine, &wrong);
  cr_expect_geq(broken, 1.0, "%s, %s: a reference with a mistake was accepted (%.3g of the bound)", scenario, arm,
                broken);
  sample_free(&engine);
  sample_free(&exact);
  sample_free(&wrong);
}

static void join(struct ref_problem *p, int u, int v) {
  p->edge[u][v] = p->edge[v][u] = true;
}

/* The graph of the first three scenarios: a triangle with a tail of two. */
static struct ref_problem outbreak(struct ref_law transmission, double infectious, const struct ref_change *change,
                                   int changes) {
  struct ref_problem p = {.nodes = 5,
                          .transmission = transmission,
                          .infectious = {1, infectious},
                          .seeds = 1,
                          .change = change,
                          .changes = changes,
                          .horizon = 100};
  join(&p, 0, 1);
  join(&p, 0, 2);
  join(&p, 1, 2);
  join(&p, 2, 3);
  join(&p, 3, 4);
  return p;
}

static const struct ref_change isolated[] = {{1, REF_NODE, 0, 0}, {3, REF_NODE, 0, 1}};
static const struct ref_change raised[] = {{0, REF_LAYER, 0, 1.0 / 15}, {1, REF_LAYER, 0, 1}};
static const struct ref_change closed[] = {{0.5, REF_LAYER, 0, 0}, {1.5, REF_LAYER, 0, 1}};

Test(exactness, isolated_and_released_at_a_constant_rate, .timeout = 240) {
  struct ref_problem p = outbreak((struct ref_law){1, 2.5}, 4, isolated, 2);
  compare("isolated", "exponential", &p, REF_RESTARTS);
}

Test(exactness, isolated_and_released_at_a_rising_rate, .timeout = 240) {
  struct ref_problem p = outbreak((struct ref_law){2, 3}, 4, isolated, 2);
  compare("isolated", "weibull", &p, REF_AGE_STOPS);
}

Test(exactness, raised_after_scheduling_at_a_constant_rate, .timeout = 240) {
  struct ref_problem p = outbreak((struct ref_law){1, 1 / 1.2}, 4, raised, 2);
  compare("raised", "exponential", &p, REF_KEEPS_SCHEDULE);
}

Test(exactness, raised_after_scheduling_at_a_rising_rate, .timeout = 240) {
  struct ref_problem p = outbreak((struct ref_law){2, sqrt(3)}, 4, raised, 2);
  compare("raised", "weibull", &p, REF_KEEPS_SCHEDULE);
}

Test(exactness, age_runs_while_a_rate_is_off, .timeout = 240) {
  struct ref_problem p = outbreak((struct ref_law){2, 1}, 2, closed, 2);
  compare("age_runs", "weibull", &p, REF_AGE_STOPS);
}

Test(exactness, thresholds_are_named_by_both_stays, .timeout = 240) {
  struct ref_problem p = {.nodes = 3,
                          .transmission = {1, 1 / 1.5},
                          .infectious = {1, 1},
                          .susceptible_again = true,
                          .seeds = 1,
                          .horizon = 6};
  join(&p, 0, 1);
  join(&p, 0, 2);
  compare("sis_keys", "base", &p, REF_SOURCE_KEY);
}
