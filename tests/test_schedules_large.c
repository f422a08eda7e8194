/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contagion under a schedule of interventions on 10,000 nodes against the reference of foresight_sim.h: with the
 * engine's draws, everybody's day of infection and of recovery; with independent draws, the distributions of the
 * attack, of its person-days and of its last case. A reference that keeps the schedule it had must be noticed. */
#include "foresight_sim.h"
#include "sim/core/run_internal.h"
#include "worlds.h"
#include <stdlib.h>

#define PEOPLE  10000
#define RUNS    40
#define HORIZON 120.0
#define SLACK   1e-6 /* days */

/* Distancing twice over, a group that is shielded meanwhile, and twice the transmission from day 14 on. */
#define SCENARIO(graph, transmission, infectious)                                                                      \
  "airesim: 1\nhorizon: 120 days\nsource: illustrative\nsociety:\n  people: 10000\n"                                   \
  "  groups: {few: 30 %, many: 70 %}\n  layers: {net: {graph: " graph "}}\n"                                           \
  "incidents: {case: {starts: flu, at: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], arrivals: day 0}}\n"                            \
  "hazards:\n  flu: {like: sir, layer: net, transmission: " transmission ", infectious: " infectious "}\n"             \
  "  law: {like: contagion, population: people, rest: strict, states: {strict: {}, lax: {}}, "                         \
  "transitions: {end: {from: strict, to: lax, after: 14 days}}}\n"                                                     \
  "couplings: {laxity: {while: law.lax, multiply: flu.transmission, by: 200 %, above: 0 %}}\n"                         \
  "actions:\n  apart: {like: distancing, against: flu, layers: net, reduction: 60 %, when: day 5, until: day 11}\n"    \
  "  shut: {like: distancing, against: flu, layers: net, reduction: 100 %, when: day 8, until: day 9.5}\n"             \
  "  shield: {like: shielding, against: flu, among: few, reduction: 50 %, when: day 4, until: day 20}\n"               \
  "measures: {declared: {size: {entries: flu.infectious}, load: {integral: flu.infectious}, "                          \
  "last: {last: flu.infectious > 0}}}\ndesign: {replicates: 1}\n"

static const struct foresight_period schedule[] = {{0, 1, {1, 1}},    {4, 1, {0.5, 1}},     {5, 0.4, {0.5, 1}},
                                                   {8, 0, {0.5, 1}},  {9.5, 0.4, {0.5, 1}}, {11, 1, {0.5, 1}},
                                                   {14, 2, {0.5, 1}}, {20, 2, {1, 1}}};
static const struct foresight_period ignored[] = {{0, 1, {1, 1}}, {14, 2, {1, 1}}};

/* ---- draws ------------------------------------------------------------------------------------------------------- */

struct keyed {
  const struct sim_rng *rng;
  uint32_t edge, stay;
};
/* The seeds are infected for the first time, as is everyone: the first stay of a source, before the first of a target.
 */
static double keyed_edge(void *ctx, uint32_t u, uint32_t v) {
  const struct keyed *k = ctx;
  double draw[2];
  sim_rng_edge(k->rng, k->edge, u, v, 1, 0, draw);
  return -sim_log(draw[0]);
}
static double keyed_stay(void *ctx, uint32_t u) {
  const struct keyed *k = ctx;
  return sim_rng_exponential(k->rng, k->stay, u, 1, 0);
}

/* Xorshift64* (Marsaglia 2003, Vigna 2016). */
static double exponential(void *ctx) {
  uint64_t *s = ctx;
  *s ^= *s >> 12;
  *s ^= *s << 25;
  *s ^= *s >> 27;
  return -log(((double)((*s * 2685821657736338717ULL) >> 11) + 0.5) / 9007199254740992.0);
}
static double own_edge(void *ctx, uint32_t u, uint32_t v) {
  (void)u;
  (void)v;
  return exponential(ctx);
}
static double own_stay(void *ctx, uint32_t u) {
  (void)u;
  return exponential(ctx);
}

/* ---- the same days ----------------------------------------------------------------------------------------------- */

struct days {
  double infected[PEOPLE], recovered[PEOPLE];
};

static void on_move(void *ctx, double day, const char *instance, uint32_t entity, const char *from, const char *to) {
  struct days *d = ctx;
  (void)from;
  if (strcmp(instance, "flu") != 0) return;
  if (strcmp(to, "infectious") == 0)
    d->infected[entity] = day;
  else
    d->recovered[entity] = day;
}

static struct foresight_problem problem_of(const struct test_world *t, struct sim_law law[2]) {
  const struct sim_value *flu = sim_value_find(sim_value_get(sim_bound_root(t->bound), "hazards"), "flu");
  const struct sim_value *transmission = sim_value_get(flu, "transmission");
  struct sim_diag diag = {0};
  if (strcmp(transmission->text, "rate") == 0)
    sim_law_init_exponential(&law[0], 1 / sim_value_number(transmission, "value"));
  else
    cr_assert_eq(sim_law_init(&law[0], transmission, &diag), 0);
  cr_assert_eq(sim_law_init(&law[1], sim_value_get(flu, "infectious"), &diag), 0);
  return (struct foresight_problem){.group = sim_run_population(t->run, 0)->group,
                                    .transmission = &law[0],
                                    .infectious = &law[1],
                                    .period = schedule,
                                    .periods = sizeof schedule / sizeof *schedule,
                                    .seeds = 10,
                                    .horizon = HORIZON};
}

/* Both days of everyone, up to the horizon. */
static void same_days(const struct days *engine, const struct days *exact, const char *what) {
  uint32_t ever = 0;
  for (uint32_t u = 0; u < PEOPLE; u++) {
    double reference[2] = {exact->infected[u], exact->recovered[u]},
           found[2] = {engine->infected[u], engine->recovered[u]};
    for (int i = 0; i < 2; i++) {
      if (reference[i] > HORIZON) reference[i] = INFINITY;
      cr_assert(reference[i] == found[i] || fabs(reference[i] - found[i]) < SLACK,
                "%s: %s %u on day %.9g, in the reference on day %.9g", what, i ? "recovery of" : "infection of", u,
                found[i], reference[i]);
    }
    ever += found[0] < INFINITY;
  }
  cr_assert_gt(ever, PEOPLE / 10, "%s: only %u infections", what, ever);
}

/* ---- the same distributions -------------------------------------------------------------------------------------- */

enum { SIZE, LOAD, LAST, MEASURES };
struct sample {
  double of[MEASURES][RUNS];
};

static void summarise(const struct days *d, struct sample *s, int run) {
  double size = 0, load = 0, last = 0;
  for (uint32_t u = 0; u < PEOPLE; u++) {
    if (!(d->infected[u] <= HORIZON)) continue;
    size++;
    load += fmin(d->recovered[u], HORIZON) - d->infected[u];
    last = fmax(last, fmin(d->recovered[u], HORIZON));
  }
  s->of[SIZE][run] = size;
  s->of[LOAD][run] = load;
  s->of[LAST][run] = last;
}

static void reference_sample(const struct foresight_problem *problem, struct days *scratch, struct sample *out) {
  struct foresight_problem p = *problem;
  p.edge = own_edge;
  p.stay = own_stay;
  for (int r = 0; r < RUNS; r++) {
    uint64_t state = (uint64_t)(r + 1) * UINT64_C(0x9e3779b97f4a7c15);
    p.ctx = &state;
    for (int i = 0; i < 8; i++) exponential(&state);
    foresight_run(&p, scratch->infected, scratch->recovered);
    summarise(scratch, out, r);
  }
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Largest distance of two empirical distribution functions over its bound of 1e-4 (Smirnov 1939). */
static double kolmogorov(const double *first, const double *second) {
  double x[RUNS], y[RUNS], largest = 0;
  memcpy(x, first, sizeof x);
  memcpy(y, second, sizeof y);
  qsort(x, RUNS, sizeof *x, ascending);
  qsort(y, RUNS, sizeof *y, ascending);
  for (int i = 0, j = 0; i < RUNS && j < RUNS;) {
    double at = fmin(x[i], y[j]);
    while (i < RUNS && x[i] <= at) i++;
    while (j < RUNS && y[j] <= at) j++;
    largest = fmax(largest, fabs((double)(i - j)) / RUNS);
  }
  return largest / (sqrt(log(2e4) / 2) * sqrt(2.0 / RUNS));
}

/* Difference of the means in standard errors, over the bound of 4.5. */
static double means(const double *x, const double *y) {
  double mean[2] = {0}, variance[2] = {0};
  for (int r = 0; r < RUNS; r++) {
    mean[0] += x[r] / RUNS;
    mean[1] += y[r] / RUNS;
  }
  for (int r = 0; r < RUNS; r++) {
    variance[0] += (x[r] - mean[0]) * (x[r] - mean[0]) / (RUNS - 1);
    variance[1] += (y[r] - mean[1]) * (y[r] - mean[1]) / (RUNS - 1);
  }
  return fabs(mean[0] - mean[1]) / sqrt((variance[0] + variance[1]) / RUNS) / 4.5;
}

/* The worst of all tests: below 1 the samples agree. */
static double difference(const struct sample *a, const struct sample *b) {
  double worst = 0;
  for (int m = 0; m < MEASURES; m++)
    worst = fmax(worst, fmax(kolmogorov(a->of[m], b->of[m]), means(a->of[m], b->of[m])));
  return worst;
}

static void compare(const char *what, const char *text) {
  struct test_world t;
  test_world_open(&t, text);
  struct sim_law law[2];
  struct foresight_problem problem = problem_of(&t, law);
  struct days *engine = calloc(1, sizeof *engine), *exact = calloc(1, sizeof *exact);
  struct sample *found = calloc(3, sizeof *found);
  cr_assert(engine && exact && found);
  struct sim_trace trace = {engine, NULL, on_move};
  sim_run_trace(t.run, &trace);
  for (int r = 0; r < RUNS; r++) {
    for (uint32_t u = 0; u < PEOPLE; u++) engine->infected[u] = engine->recovered[u] = INFINITY;
    test_world_run(&t, (uint64_t)r);
    summarise(engine, &found[0], r);
    cr_assert_eq(found[0].of[SIZE][r], test_value(&t, "size"));
    problem.graph = sim_run_graph(t.run, 0);
    if (r % 10 != 0) continue;
    struct keyed keyed = {sim_run_rng(t.run), sim_purpose("hazards.flu.transmission.net"),
                          sim_purpose("hazards.flu.transitions.recover.after")};
    problem.edge = keyed_edge;
    problem.stay = keyed_stay;
    problem.ctx = &keyed;
    foresight_run(&problem, exact->infected, exact->recovered);
    same_days(engine, exact, what);
  }
  reference_sample(&problem, exact, &found[1]);
  double right = difference(&found[0], &found[1]);
  cr_expect_lt(right, 1, "the distributions differ (%.3g of the bound): %s", right, what);
  problem.period = ignored;
  problem.periods = sizeof ignored / sizeof *ignored;
  reference_sample(&problem, exact, &found[2]);
  double wrong = difference(&found[0], &found[2]);
  cr_expect_gt(wrong, 1, "a reference without interventions was accepted (%.3g of the bound): %s", wrong, what);
  sim_law_free(&law[0]);
  sim_law_free(&law[1]);
  free(engine);
  free(exact);
  free(found);
  test_world_close(&t);
}

Test(schedules_large, constant_rate, .timeout = 300) {
  compare("gnp", SCENARIO("gnp mean_degree 6", "0.09/day", "exponential mean 4 days"));
}
Test(schedules_large, rising_rate_and_gamma_stays, .timeout = 300) {
  compare("small world", SCENARIO("watts_strogatz mean_degree 8 rewire 0.2", "weibull scale 10 days shape 2",
                                  "gamma mean 5 days cv 0.4"));
}
Test(schedules_large, gamma_transmission_on_hubs, .timeout = 300) {
  compare("hubs", SCENARIO("configuration_power_law exponent 2.6 minimum 2 maximum 100", "gamma mean 3 days shape 2",
                           "weibull scale 5 days shape 1.5"));
}
