/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contagion against exact theory, through scenarios: final sizes of small epidemics, times of transmission over one
 * edge under interventions, groups, attempts, mixing, directed, weighted and several layers, reproduction numbers.
 * Bounds: 4.5 standard errors of a mean, or a test of Kolmogorov or chi-square that rejects a right program once in
 * 10,000. Each kind of check is also shown to reject a wrong theory. */
#include "models/hazards/contagion.h"
#include "sim/core/run_internal.h"
#include "worlds.h"
#include <stdlib.h>

#define RUNS    8000
#define HORIZON 20.0

/* ---- samples ---------------------------------------------------------------------------------------------------- */

/* A scenario of `hazard`, seeded in entity 0 on day 0, and further sections. */
#define OUTBREAK(people, layers, hazard, more)                                                                         \
  "airesim: 1\nhorizon: 20 days\nsociety: {people: " people ", groups: {few: 30 %, many: 70 %}, layers: {" layers      \
  "}}\nincidents: {seed: {starts: flu, seeds: 1 people, at: [0], arrivals: day 0}}\n"                                  \
  "hazards:\n  flu: {" hazard "}\n" more                                                                               \
  "measures: {declared: {size: {entries: flu.infectious}, waiting: {integral: flu.susceptible}}}\n"
#define EDGE(hazard, more) OUTBREAK("2", "net: {graph: path}", hazard, more)
#define CLOSED(from, to)                                                                                               \
  "actions: {closed: {like: distancing, against: flu, layers: net, reduction: 100 %, when: day " from                  \
  ", until: day " to "}}\n"

struct sample {
  double size[RUNS], waiting[RUNS];
};

static struct sample *run_all(const char *text) {
  struct sample *s = calloc(1, sizeof *s);
  struct test_world t;
  test_world_open(&t, text);
  size_t size = test_column(&t, "size", NULL), waiting = test_column(&t, "waiting", NULL);
  for (uint64_t r = 0; r < RUNS; r++) {
    test_world_run(&t, r);
    s->size[r] = t.row.columns[size];
    s->waiting[r] = t.row.columns[waiting];
  }
  test_world_close(&t);
  return s;
}

static void moments(const double *x, double *mean, double *variance) {
  *mean = *variance = 0;
  for (int i = 0; i < RUNS; i++) *mean += x[i] / RUNS;
  for (int i = 0; i < RUNS; i++) *variance += (x[i] - *mean) * (x[i] - *mean) / (RUNS - 1);
}

/* Distance of the sample's mean from `expected` in standard errors. */
static double errors_off(const double *x, double expected) {
  double mean, variance;
  moments(x, &mean, &variance);
  return fabs(mean - expected) / sqrt(variance / RUNS);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Kolmogorov's distance from a distribution function, over its bound of 1e-4: above 1 rejects. Sorts. */
static double kolmogorov(double *x, double (*cdf)(double)) {
  qsort(x, RUNS, sizeof *x, ascending);
  double largest = 0;
  for (int i = 0; i < RUNS;) {
    int next = i;
    while (next < RUNS && x[next] == x[i]) next++;
    double at = cdf(x[i]), before = cdf(x[i] - 1e-9);
    largest = fmax(largest, fmax(fabs(next / (double)RUNS - at), fabs(i / (double)RUNS - before)));
    i = next;
  }
  return largest / (sqrt(log(2 / 1e-4) / 2) / sqrt(RUNS));
}

/* Chi-square of the sizes 1..n against their probabilities, over its bound of 1e-4 (Wilson & Hilferty 1931); sizes that
 * are expected less than 10 times are lumped. */
static double chi_square(const double *x, const double *p, int n) {
  double chi = 0, lump = 0, lump_seen = 0;
  int cells = 0;
  for (int k = 1; k <= n; k++) {
    double seen = 0;
    for (int i = 0; i < RUNS; i++) seen += x[i] == k;
    if (RUNS * p[k] < 10) {
      lump += RUNS * p[k];
      lump_seen += seen;
      continue;
    }
    chi += (seen - RUNS * p[k]) * (seen - RUNS * p[k]) / (RUNS * p[k]);
    cells++;
  }
  if (lump > 5) {
    chi += (lump_seen - lump) * (lump_seen - lump) / lump;
    cells++;
  }
  double df = cells - 1, z = 3.719;
  return chi / (df * pow(1 - 2 / (9 * df) + z * sqrt(2 / (9 * df)), 3));
}

/* Final size of the Markov SIR epidemic in n people with one seed: each infectious one infects each susceptible at rate
 * beta / (n - 1) and recovers at rate 1. Exact, over the embedded chain of (susceptible, infectious). p: [n + 1]. */
static void final_size(int n, double beta, double *p) {
  double *at = calloc((size_t)(n + 1) * (size_t)(n + 2), sizeof *at);
#define AT(s, i) at[(s) * (n + 2) + (i)]
  AT(n - 1, 1) = 1;
  for (int s = n - 1; s >= 0; s--)
    for (int i = n - s; i > 0; i--) {
      double infect = beta * s / (n - 1), sum = infect + 1;
      if (s > 0) AT(s - 1, i + 1) += AT(s, i) * infect / sum;
      AT(s, i - 1) += AT(s, i) / sum;
    }
  for (int s = 0; s < n; s++) p[n - s] = AT(s, 0);
#undef AT
  free(at);
}

/* ---- final sizes ------------------------------------------------------------------------------------------------ */

Test(contagion, sir_on_a_triangle_has_the_exact_sizes) {
  struct sample *s =
      run_all(OUTBREAK("3", "net: {graph: complete}",
                       "like: sir, layer: net, transmission: 0.8/day, infectious: exponential mean 1 days", ""));
  double p[4] = {0}, wrong[4] = {0};
  final_size(3, 1.6, p);
  final_size(3, 1.75, wrong);
  cr_assert_lt(chi_square(s->size, p, 3), 1);
  cr_assert_gt(chi_square(s->size, wrong, 3), 1);
  free(s);
}

Test(contagion, sir_on_a_path_goes_edge_by_edge) {
  struct sample *s =
      run_all(OUTBREAK("3", "net: {graph: path}",
                       "like: sir, layer: net, transmission: 0.8/day, infectious: exponential mean 1 days", ""));
  double T = 0.8 / 1.8, p[4] = {0, 1 - T, T * (1 - T), T * T};
  cr_assert_lt(chi_square(s->size, p, 3), 1);
  free(s);
}

Test(contagion, homogeneous_mixing_has_the_exact_sizes) {
  struct sample *s =
      run_all(OUTBREAK("25", "net: {graph: homogeneous contacts 5}",
                       "like: sir, layer: net, transmission: 0.3/day, infectious: exponential mean 1 days", ""));
  double p[26] = {0}, wrong[26] = {0};
  final_size(25, 1.5, p);
  final_size(25, 1.6, wrong);
  cr_assert_lt(chi_square(s->size, p, 25), 1);
  cr_assert_gt(chi_square(s->size, wrong, 25), 1);
  free(s);
}

/* Everyone is in `worn` for the first `days`, then `bare`; `worn` and `bare` multiply all transmission of flu. */
#define MASKS(days, worn, bare)                                                                                        \
  "  mask: {like: contagion, population: people, rest: worn, states: {bare: {}, worn: {}}, "                           \
  "transitions: {doff: {from: worn, to: bare, after: " days " days}}}\n"                                               \
  "couplings:\n  first: {while: mask.worn, multiply: flu.transmission, by: " worn " %}\n"                              \
  "  then: {while: mask.bare, multiply: flu.transmission, by: " bare " %}\n"

/* A multiplier of 2.5 needs three contact processes, of which the third accepts half; the sizes are those of 2.5 x the
 * rate. */
Test(contagion, mixing_takes_multipliers_above_one) {
  struct sample *s = run_all(OUTBREAK(
      "25", "net: {graph: homogeneous contacts 5}",
      "like: sir, layer: net, transmission: 0.12/day, infectious: exponential mean 1 days", MASKS("50", "250", "100")));
  double p[26] = {0}, unmodified[26] = {0};
  final_size(25, 1.5, p);
  final_size(25, 0.6, unmodified);
  cr_assert_lt(chi_square(s->size, p, 25), 1);
  cr_assert_gt(chi_square(s->size, unmodified, 25), 1);
  free(s);
}

Test(contagion, mixing_says_where_a_multiplier_is_too_large) {
  struct test_world t;
  test_world_open(&t, OUTBREAK("25", "net: {graph: homogeneous contacts 5}",
                               "like: sir, layer: net, transmission: 1/day, infectious: 9 days",
                               MASKS("50", "1700", "100")));
  cr_assert_eq(sim_run_execute(t.run, 0, 0, &t.row), 0);
  cr_assert(strstr(t.row.error, "hazards.flu: a multiplier of 17 is too large"), "%s", t.row.error);
  test_world_close(&t);
}

/* ---- one edge --------------------------------------------------------------------------------------------------- */

static double cut(double t, double survival) {
  return t >= HORIZON ? 1 : 1 - survival;
}
/* Infectious for exactly 3 days at 0.5/day, closed from day 1 to 2. */
static double cdf_closed(double t) {
  double open = t < 1 ? fmax(t, 0) : t < 2 ? 1 : fmin(t, 3) - 1;
  return cut(t, exp(-0.5 * open));
}
static double cdf_never_closed(double t) {
  return cut(t, exp(-0.5 * fmin(fmax(t, 0), 3)));
}
Test(contagion, a_closed_day_is_exactly_missing) {
  struct sample *s =
      run_all(EDGE("like: sir, layer: net, transmission: 0.5/day, infectious: 3 days", CLOSED("1", "2")));
  cr_assert_lt(kolmogorov(s->waiting, cdf_closed), 1);
  cr_assert_gt(kolmogorov(s->waiting, cdf_never_closed), 1);
  cr_assert_lt(errors_off(s->size, 1 + 1 - exp(-1)), 4.5);
  free(s);
}

/* The same person by person: both ends of the edge are shielded by turns, which multiplies to nothing as well. */
Test(contagion, a_shielded_end_is_as_good_as_a_closed_edge) {
  struct sample *s = run_all(
      EDGE("like: sir, layer: net, transmission: 0.5/day, infectious: 3 days",
           "actions:\n"
           "  few: {like: shielding, against: flu, among: few, reduction: 100 %, when: day 1, until: day 1.5}\n"
           "  many: {like: shielding, against: flu, among: many, reduction: 100 %, when: day 1.5, until: day 2}\n"));
  cr_assert_lt(kolmogorov(s->waiting, cdf_closed), 1);
  free(s);
}

/* Weibull with H(t) = t^2 / 4, closed from 0.5 to 1.5: age runs on. If it stopped, H would go on from 0.5. */
static double cdf_aging(double t) {
  double h = t < 0.5 ? fmax(t, 0) * fmax(t, 0) : t < 1.5 ? 0.25 : 0.25 + fmin(t, 3) * fmin(t, 3) - 2.25;
  return cut(t, exp(-h / 4));
}
static double cdf_age_stops(double t) {
  double age = t < 0.5 ? fmax(t, 0) : t < 1.5 ? 0.5 : fmin(t, 3) - 1;
  return cut(t, exp(-age * age / 4));
}
Test(contagion, age_runs_on_while_the_rate_is_off) {
  struct sample *s = run_all(EDGE(
      "like: sir, layer: net, transmission: weibull scale 2 days shape 2, infectious: 3 days", CLOSED("0.5", "1.5")));
  cr_assert_lt(kolmogorov(s->waiting, cdf_aging), 1);
  cr_assert_gt(kolmogorov(s->waiting, cdf_age_stops), 1);
  free(s);
}

/* 0.2 x the rate on the first day, 3 x afterwards: what was scheduled late comes forward. */
static double cdf_raised(double t) {
  double open = t < 1 ? 0.2 * fmax(t, 0) : 0.2 + 3 * (fmin(t, 3) - 1);
  return cut(t, exp(-0.3 * open));
}
Test(contagion, a_raised_multiplier_brings_forward) {
  struct sample *s =
      run_all(EDGE("like: sir, layer: net, transmission: 0.3/day, infectious: 3 days", MASKS("1", "20", "300")));
  cr_assert_lt(kolmogorov(s->waiting, cdf_raised), 1);
  free(s);
}

/* A law with an end: all of its hazard lies in the first day. What was closed away is gone, it does not wait. */
static double cdf_bounded(double t) {
  return t >= HORIZON ? 1 : fmin(fmax(t, 0), 0.5);
}
Test(contagion, hazard_that_passed_behind_a_closed_edge_is_gone) {
  struct sample *s = run_all(EDGE(
      "like: sir, layer: net, transmission: uniform from 0 days to 1 day, infectious: 3 days", CLOSED("0.5", "1.5")));
  cr_assert_lt(kolmogorov(s->waiting, cdf_bounded), 1);
  free(s);
}

Test(contagion, an_attempt_comes_once_at_its_time) {
  struct sample *s = run_all(
      OUTBREAK("51", "net: {graph: star}",
               "like: sir, layer: net, transmission: attempt probability 30 % delay 1 day, infectious: 2 days", ""));
  cr_assert_lt(errors_off(s->size, 1 + 50 * 0.3), 4.5);
  double mean, variance;
  moments(s->size, &mean, &variance);
  cr_assert_float_eq(variance, 50 * 0.3 * 0.7, 4.5 * 50 * 0.3 * 0.7 * sqrt(2.0 / RUNS));
  for (int i = 0; i < RUNS; i++)
    cr_assert_float_eq(s->waiting[i], (s->size[i] - 1) * 1 + (51 - s->size[i]) * HORIZON, 1e-9, "all at day 1");
  free(s);
}

/* An attempt that falls in a closed time fails for good; one after it does not. */
Test(contagion, a_closed_edge_fails_the_attempt) {
  static const char *const closed[] = {CLOSED("0.5", "1.5"), CLOSED("0.2", "0.8")};
  for (int k = 0; k < 2; k++) {
    char *text = sim_strf("%s%s",
                          EDGE("like: sir, layer: net, transmission: attempt probability 100 % delay 1 day, "
                               "infectious: 2 days",
                               ""),
                          closed[k]);
    struct test_world t;
    test_world_open(&t, text);
    test_world_run(&t, 0);
    cr_assert_eq(test_value(&t, "size"), k + 1);
    test_world_close(&t);
    sim_free(text);
  }
}

/* ---- who and over what ------------------------------------------------------------------------------------------ */

/* The few of a star are a fifth as susceptible while they are in a state of another hazard: a coupling by group. */
Test(contagion, susceptibility_goes_by_group) {
  const char *text = OUTBREAK(
      "100", "net: {graph: star}", "like: sir, layer: net, transmission: 0.5/day, infectious: 1 days",
      "  mask: {like: contagion, population: people, rest: bare, states: {bare: {}, worn: {}}, initial: {worn: 100 "
      "%}}\n"
      "couplings: {careful: {while: mask.worn, multiply: flu.susceptibility, by: {few: 20 %, many: 100 %}}}\n");
  struct test_world t;
  const struct sim_population *people;
  test_world_open(&t, text);
  sim_world_populations(t.world, &people);
  double expected = 1;
  for (uint32_t i = 1; i < 100; i++)
    expected += 1 - exp(-0.5 * (strcmp(people->group_name[people->group[i]], "few") == 0 ? 0.2 : 1));
  test_world_close(&t);
  struct sample *s = run_all(text);
  cr_assert_lt(errors_off(s->size, expected), 4.5);
  cr_assert_gt(errors_off(s->size, 1 + 99 * (1 - exp(-0.5))), 4.5);
  free(s);
}

/* A coupling on the state in which everyone starts acts from the beginning, person by person as well. */
Test(contagion, a_coupling_holds_from_the_start) {
  static const char *const knobs[] = {"susceptibility", "transmission"};
  for (int k = 0; k < 2; k++) {
    char *text = sim_strf("%s%s%s%s",
                          OUTBREAK("50", "net: {graph: star}",
                                   "like: sir, layer: net, transmission: 0.5/day, infectious: 1 days",
                                   "  mask: {like: contagion, population: people, rest: worn, states: {worn: {}}}\n"),
                          "couplings: {careful: {while: mask.worn, multiply: flu.", knobs[k], ", by: 20 %}}\n");
    struct sample *s = run_all(text);
    cr_assert_lt(errors_off(s->size, 1 + 49 * (1 - exp(-0.1))), 4.5, "by %s", knobs[k]);
    free(s);
    sim_free(text);
  }
}

/* 29 of 100 people are 29 %, not more, although 0.29 x 100 is a little less than 29 in binary. */
Test(contagion, a_coupling_above_a_share_compares_exactly) {
  struct sample *s = run_all(OUTBREAK(
      "100", "net: {graph: star}", "like: sir, layer: net, transmission: 0.5/day, infectious: 1 days",
      "  mask: {like: contagion, population: people, rest: bare, states: {bare: {}, worn: {}}, initial: {worn: 29 %}}\n"
      "couplings: {careful: {while: mask.worn, multiply: flu.transmission, by: 20 %, above: 29 %}}\n"));
  cr_assert_lt(errors_off(s->size, 1 + 99 * (1 - exp(-0.5))), 4.5);
  free(s);
}

Test(contagion, directed_edges_lead_one_way) {
  struct sample *s = run_all(OUTBREAK("3", "net: {graph: edges of \"0>1 2>0\"}",
                                      "like: sir, layer: net, transmission: 0.5/day, infectious: 2 days", ""));
  double p[4] = {0, exp(-1), 1 - exp(-1), 0};
  cr_assert_lt(chi_square(s->size, p, 3), 1);
  for (int i = 0; i < RUNS; i++) cr_assert_leq(s->size[i], 2);
  free(s);
}

/* A weight multiplies the rate; a second layer adds to it. */
Test(contagion, weights_and_layers_add_up) {
  struct sample *s = run_all(OUTBREAK(
      "2", "net: {graph: edges of \"0-1:2.5\"}, home: {graph: path}, far: {graph: none}",
      "like: sir, layer: [net, home, far], strength: {home: 3}, transmission: 0.1/day, infectious: 2 days", ""));
  double p[3] = {0, exp(-0.1 * (2.5 + 3) * 2), 1 - exp(-0.1 * (2.5 + 3) * 2)};
  double wrong[3] = {0, exp(-0.1 * (2.5 + 1) * 2), 1 - exp(-0.1 * (2.5 + 1) * 2)};
  cr_assert_lt(chi_square(s->size, p, 2), 1);
  cr_assert_gt(chi_square(s->size, wrong, 2), 1);
  free(s);
}

Test(contagion, one_person_meets_nobody) {
  struct sample *s = run_all(OUTBREAK("1", "net: {graph: homogeneous contacts 5}",
                                      "like: sir, layer: net, transmission: 3/day, infectious: 2 days", ""));
  cr_assert_eq(s->size[0], 1);
  free(s);
}

/* ---- reproduction numbers --------------------------------------------------------------------------------------- */

static double planned_rate(const char *text) {
  struct test_world t;
  test_world_open(&t, text);
  const struct contagion_plan *p = NULL;
  for (uint32_t i = 0; i < t.world->instances; i++)
    if (strcmp(t.world->instance[i].name, "flu") == 0) p = t.world->instance[i].plan;
  double rate = 1 / p->law.mean;
  test_world_close(&t);
  return rate;
}

/* On a ring every early case has k - 1 = 1 contact left, so R is the transmissibility: b / (b + g), 1 - exp(-b D). */
Test(contagion, a_reproduction_number_sets_the_rate) {
  cr_assert_float_eq(planned_rate(OUTBREAK(
                         "60", "net: {graph: ring}",
                         "like: sir, layer: net, reproduction_number: 0.6, infectious: exponential mean 2 days", "")),
                     0.6 / 0.4 / 2, 1e-4);
  cr_assert_float_eq(planned_rate(OUTBREAK("60", "net: {graph: ring}",
                                           "like: sir, layer: net, reproduction_number: 0.6, infectious: 2 days", "")),
                     -log(0.4) / 2, 1e-3);
  /* Mixing: K contacts at the rate for the mean stay. */
  cr_assert_float_eq(planned_rate(OUTBREAK(
                         "60", "net: {graph: homogeneous contacts 4}",
                         "like: sir, layer: net, reproduction_number: 1.6, infectious: exponential mean 2 days", "")),
                     1.6 / 4 / 2, 1e-4);
}

/* Two chains of transmissions leave the seed; their lengths are geometric: mean size 1 + 2 T / (1 - T). */
Test(contagion, a_reproduction_number_is_what_is_seen) {
  struct sample *s = run_all(OUTBREAK("60", "net: {graph: ring}",
                                      "like: sir, layer: net, reproduction_number: 0.6, infectious: 0.3 days", ""));
  cr_assert_lt(errors_off(s->size, 1 + 2 * 0.6 / 0.4), 4.5);
  cr_assert_gt(errors_off(s->size, 1 + 2 * 0.62 / 0.38), 4.5);
  free(s);
}

Test(contagion, a_law_that_ends_is_refused_where_all_meet) {
  test_refused("airesim: 1\nhorizon: 10 days\nsociety: {people: 9, layers: {c: {graph: homogeneous contacts 3}}}\n"
               "hazards: {flu: {like: sir, layer: c, transmission: uniform from 1 day to 2 days, infectious: 1 day}}\n",
               "makes endless contacts on a homogeneous layer");
}

Test(contagion, an_impossible_reproduction_number_is_refused) {
  test_refused(
      OUTBREAK("60", "net: {graph: ring}", "like: sir, layer: net, reproduction_number: 1.2, infectious: 2 days", ""),
      "cannot carry");
}
