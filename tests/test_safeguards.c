/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Safeguards against closed forms (binomial, four standard errors), the same attempts in every arm, and attempts that
 * bring about others (case A20). */
#include "worlds.h"
#include <stdio.h>

#define HEAD                                                                                                           \
  "airesim: 1\nquestion: test\nsource: illustrative\nhorizon: 1000 days\nsociety: {people: 10, groups: {all: 100 "     \
  "%}}\n"
#define HAZARD                                                                                                         \
  "hazards:\n  flu: {like: contagion, population: people, states: {well: {}, ill: {}}, rest: well, seeded: ill, "      \
  "transitions: {fall: {from: well, to: ill}}}\n"
/* About 10,000 attempts a run. */
#define ATTEMPTS(what)                                                                                                 \
  HEAD HAZARD "incidents:\n  case: {starts: flu, seeds: 0 people, arrivals: poisson 10/day" what "}\n"

static double value_of(const struct test_world *t, const char *variable, const char *label) {
  return t->row.columns[test_column(t, variable, label)];
}

/* Attempts and those that passed in one run. */
static void run(const char *text, double *attempts, double *passed) {
  struct test_world t;
  test_world_open(&t, text);
  test_world_run(&t, 0);
  *attempts = value_of(&t, "attempts", "case");
  *passed = value_of(&t, "arrivals", "case");
  cr_assert_eq(*passed + value_of(&t, "stopped", "case"), *attempts);
  test_world_close(&t);
}

static bool fits(double n, double x, double p) {
  double sd = sqrt(n * p * (1 - p));
  return n > 9000 && fabs(x - n * p) <= 4 * sd;
}
static void expect_share(const char *text, double p) {
  double n, x;
  run(text, &n, &x);
  cr_assert(fits(n, x, p), "%g of %g pass, expected the share %g: %s", x, n, p, text);
}

/* ---- barriers ---------------------------------------------------------------------------------------------------- */

#define BARRIERS(dependence)                                                                                           \
  ATTEMPTS("")                                                                                                         \
  "safeguards:\n  dependence: " dependence "\n  barriers: {a: {stops: 30 %}, b: {stops: 60 %}, c: {stops: 20 %}}\n"

Test(safeguards, absent_or_empty_they_stop_nothing) {
  expect_share(ATTEMPTS(""), 1);
  expect_share(ATTEMPTS("") "safeguards: {}\n", 1);
  expect_share(ATTEMPTS("") "safeguards: {bypass: 0 %, barriers: {a: {}}}\n", 1);
  expect_share(ATTEMPTS("") "safeguards: {barriers: {a: {stops: 100 %}}}\n", 0);
}

Test(safeguards, independent_barriers_multiply) {
  const double product = 0.7 * 0.4 * 0.8;
  double n, x;
  expect_share(BARRIERS("independent"), product);
  expect_share(BARRIERS("beta_factor 0"), product);
  run(BARRIERS("common"), &n, &x); /* a broken product is told from the right one */
  cr_assert(!fits(n, x, product));
}

Test(safeguards, common_cause_leaves_the_strongest_and_beta_lies_between) {
  expect_share(BARRIERS("common"), 0.4);
  expect_share(BARRIERS("beta_factor 1"), 0.4);
  expect_share(BARRIERS("beta_factor 30 %"), 0.7 * (0.7 * 0.4 * 0.8) + 0.3 * 0.4);
}

Test(safeguards, bypass_is_of_misuse_only) {
#define BYPASS(what, share) ATTEMPTS(what) "safeguards: {bypass: " share ", barriers: {a: {stops: 50 %}}}\n"
  expect_share(BYPASS("", "0 %"), 0.5);
  expect_share(BYPASS("", "100 %"), 1);
  expect_share(BYPASS("", "10 %"), 0.1 + 0.9 * 0.5);
  expect_share(BYPASS(", origin: accident", "100 %"), 0.5);
  expect_share(BYPASS(", origin: autonomous", "100 %"), 0.5);
}

Test(safeguards, faithfulness_is_the_monitor_s_power) {
#define MONITOR(share) ATTEMPTS("") "safeguards: {barriers: {monitor: {stops: 80 %, faithfulness: " share "}}}\n"
  expect_share(MONITOR("100 %"), 0.2);
  expect_share(MONITOR("0 %"), 1);
  expect_share(MONITOR("50 %"), 0.6);
}

Test(safeguards, barriers_stand_against_their_origins) {
#define ORIGINS(origin)                                                                                                \
  ATTEMPTS(", origin: " origin)                                                                                        \
  "safeguards: {barriers: {a: {stops: 50 %, origins: misuse}, b: {stops: 20 %, origins: [accident, misuse]}}}\n"
  expect_share(ORIGINS("misuse"), 0.5 * 0.8);
  expect_share(ORIGINS("accident"), 0.8);
  expect_share(ORIGINS("autonomous"), 1);
}

Test(safeguards, barriers_go_by_family) {
#define FAMILY(family, rest)                                                                                           \
  ATTEMPTS(", family: " family) "safeguards: {barriers: {a: {stops: {biological: 30 %, cyber: 60 %" rest "}}}}\n"
  expect_share(FAMILY("biological", ""), 0.7);
  expect_share(FAMILY("cyber", ""), 0.4);
  expect_share(FAMILY("fraud", ""), 1);
  expect_share(FAMILY("fraud", ", other: 10 %"), 0.9);
}

/* The preset: each origin meets its own layer, the systemic one and the monitor; a patch of one family keeps the rest.
 */
Test(safeguards, five_layers) {
#define FIVE(what) ATTEMPTS(what) "safeguards:\n  like: five_layers\n  dependence: independent\n"
  double monitor = 1 - 0.7 * 0.3;
  expect_share(FIVE(", family: biological"), 0.4 * 0.8 * monitor);
  expect_share(FIVE(", family: biological, origin: accident"), 0.3 * 0.8 * monitor);
  expect_share(FIVE(", family: biological, origin: autonomous"), 0.2 * 0.3 * 0.8 * monitor);
  expect_share(FIVE(", family: biological") "  barriers.adversarial_robustness.stops.biological: 90 %\n",
               0.1 * 0.8 * monitor);
  expect_share(FIVE(", family: cyber") "  barriers.adversarial_robustness.stops.biological: 90 %\n",
               0.5 * 0.8 * (1 - 0.7 * 0.3));
  expect_share(FIVE(", family: institutional"), 0.6 * 0.9 * (1 - 0.7 * 0.2));
}

Test(safeguards, work_meets_no_barrier) {
  double n, x;
  run(HEAD "teams: {crew: {size: 1}}\n"
           "incidents:\n  case: {demands: crew, service: 1 min, arrivals: poisson 10/day}\n"
           "safeguards: {barriers: {a: {stops: 100 %}}}\n",
      &n, &x);
  cr_assert(n > 9000 && x == n);
}

/* ---- sightings --------------------------------------------------------------------------------------------------- */

Test(safeguards, a_monitor_sees_what_it_does_not_stop) {
#define SEES(more)                                                                                                     \
  ATTEMPTS("")                                                                                                         \
  "safeguards: {barriers: {monitor: {stops: 20 %, sees: 50 %, faithfulness: 80 %}" more "}}\n"                         \
  "measures: {declared: {alone: {count: safeguards.monitor, at: day 1000}}}\n"
  struct test_world t;
  test_world_open(&t, SEES(", wall: {stops: 100 %}"));
  test_world_run(&t, 0);
  double n = value_of(&t, "attempts", "case");
  cr_assert(fits(n, test_value(&t, "sightings"), 0.8 * 0.5));
  cr_assert(fits(n, test_value(&t, "alone"), 0.8 * 0.2), "what the monitor stops, though the wall stops all");
  cr_assert(test_value(&t, "first_sighting") > 0 && test_value(&t, "first_sighting") < 10);
  test_world_close(&t);
  test_world_open(&t, ATTEMPTS("") "safeguards: {bypass: 100 %, barriers: {monitor: {sees: 100 %}}}\n");
  test_world_run(&t, 0);
  cr_assert_eq(test_value(&t, "sightings"), 0);
  cr_assert_eq(test_value(&t, "bypassed"), value_of(&t, "attempts", "case"));
  cr_assert(isnan(test_value(&t, "first_sighting")));
  test_world_close(&t);
}

/* What the sensor sees can start an action, though nothing has passed. */
Test(safeguards, a_sighting_is_a_signal) {
  struct test_world t;
  test_world_open(&t, HEAD HAZARD "incidents:\n  case: {starts: flu, arrivals: day 10}\n"
                                  "safeguards: {barriers: {monitor: {stops: 100 %, sees: 100 %}}}\n"
                                  "actions:\n  warn: {like: shielding, against: flu, reduction: 10 %, among: all, "
                                  "when: safeguards.sighting + 2 days}\n");
  test_world_run(&t, 0);
  cr_assert_eq(value_of(&t, "first_start", "warn"), 12);
  cr_assert_eq(value_of(&t, "arrivals", "case"), 0);
  test_world_close(&t);
}

/* ---- arms -------------------------------------------------------------------------------------------------------- */

/* Whether each of 64 attempts, on days 1 to 64, puts its person into the hazard. */
static void passed(const char *arm, const char *text, bool out[64]) {
  struct test_world t;
  test_world_open_with(&t, text, arm, NULL, 0);
  test_world_run(&t, 3);
  for (unsigned i = 0; i < 64; i++) {
    char name[16];
    snprintf(name, sizeof name, "c%u", i);
    out[i] = value_of(&t, "arrivals", name) == 1;
  }
  test_world_close(&t);
}

static unsigned removed(const bool *more, const bool *less) {
  unsigned n = 0;
  for (unsigned i = 0; i < 64; i++) {
    cr_assert(more[i] || !less[i], "a stronger safeguard lets attempt %u through", i);
    n += more[i] && !less[i];
  }
  return n;
}

Test(safeguards, a_stronger_barrier_only_removes_incidents) {
  static char text[16384];
  size_t n = (size_t)snprintf(text, sizeof text, "%s%s", HEAD HAZARD, "incidents:\n");
  for (unsigned i = 0; i < 64; i++)
    n += (size_t)snprintf(text + n, sizeof text - n, "  c%u: {starts: flu, arrivals: day 1}\n", i);
  snprintf(text + n, sizeof text - n, "%s",
           "safeguards: {bypass: 30 %, dependence: beta_factor 0.3, barriers: {a: {stops: 30 %, faithfulness: 50 %}, "
           "b: {stops: 20 %}}}\n"
           "arms:\n  base: {}\n  again: {}\n  stronger: {safeguards.barriers.b.stops: 60 %}\n"
           "  faithful: {safeguards.barriers.a.faithfulness: 100 %}\n  closed: {safeguards.bypass: 5 %}\n"
           "  one_more: {safeguards.barriers: {d: {stops: 40 %}}}\n  none: {safeguards: null}\n"
           "design: {reference: base}\n");
  bool base[64], other[64];
  passed("base", text, base);
  passed("again", text, other);
  cr_assert_eq(removed(base, other) + removed(other, base), 0);
  passed("stronger", text, other);
  cr_assert_gt(removed(base, other), 0);
  passed("faithful", text, other);
  cr_assert_gt(removed(base, other), 0);
  passed("closed", text, other);
  cr_assert_gt(removed(base, other), 0);
  passed("one_more", text, other);
  cr_assert_gt(removed(base, other), 0);
  passed("none", text, other);
  cr_assert_gt(removed(other, base), 0);
}

/* Neither the attempts nor the people they take depend on what was stopped before. */
Test(safeguards, arms_have_the_same_attempts) {
  static const char text[] = ATTEMPTS("") "safeguards: {barriers: {a: {stops: 50 %}}}\n"
                                          "arms: {base: {}, none: {safeguards: null}}\n";
  struct test_world a, b;
  test_world_open_with(&a, text, "base", NULL, 0);
  test_world_open_with(&b, text, "none", NULL, 0);
  test_world_run(&a, 5);
  test_world_run(&b, 5);
  cr_assert_eq(value_of(&a, "attempts", "case"), value_of(&b, "arrivals", "case"));
  test_world_close(&a);
  test_world_close(&b);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

Test(safeguards, errors) {
  test_refused(ATTEMPTS("") "safeguards: {barriers: {a: {stops: {biologic: 30 %}}}}\n",
               "there is no family `biologic`");
  test_refused(ATTEMPTS("") "safeguards: {barriers: {a: {stops: 120 %}}}\n", "120 %");
  test_refused(ATTEMPTS("") "safeguards: {barriers: {a: {origins: abuse}}}\n", "`abuse` is not a choice");
  test_refused(ATTEMPTS("") "safeguards: {barriers: {stopped: {stops: 10 %}}}\n", "another name");
  test_refused(ATTEMPTS("") "safeguards: {like: six_layers}\n", "`six_layers` is no entry");
  test_refused(ATTEMPTS("") "safeguards: five_layers\n", "expected a mapping");
  test_refused(ATTEMPTS("") "safeguards: [five_layers]\n", "expected a mapping");
  test_refused(ATTEMPTS("") "arms: {base: {safeguards.bypass: 10 %}}\n", "there is no `safeguards` to change");
  test_refused(ATTEMPTS("") "safeguards: {barrier: {}}\n", "unknown key `barrier`");
  test_refused(ATTEMPTS("") "safeguards: {dependence: beta_factor 2}\n", "2");
  test_refused(ATTEMPTS("") "safeguards: {}\nteams: {safeguards: {size: 1}}\n", "used twice");
}

/* ---- severity ---------------------------------------------------------------------------------------------------- */

#define SEVERE(incident)                                                                                               \
  "airesim: 1\nsource: illustrative\nhorizon: 10 days\nsociety: {people: 1000}\n" HAZARD                               \
  "incidents:\n  case: {starts: flu, arrivals: day 1, " incident "}\n"                                                 \
  "measures: {declared: {taken: {count: flu.ill, at: day 5}}}\n"

static double taken(const char *text, uint64_t replicate) {
  struct test_world t;
  test_world_open(&t, text);
  test_world_run(&t, replicate);
  double x = test_value(&t, "taken");
  test_world_close(&t);
  return x;
}

Test(incidents, severity_multiplies_what_is_taken) {
  cr_assert_eq(taken(SEVERE("seeds: 10 people, severity: fixed 3"), 0), 30);
  cr_assert_eq(taken(SEVERE("seeds: 10 people, severity: fixed 0"), 0), 0);
  cr_assert_eq(taken(SEVERE("seeds: 10 people, severity: fixed 50"), 0), 500);
  cr_assert_eq(taken(SEVERE("seeds: 10 people, severity: fixed 500"), 0), 1000);
  cr_assert_eq(taken(SEVERE("seeds: 10 people, severity: fixed 1"), 0), taken(SEVERE("seeds: 10 people"), 0));
  test_refused(SEVERE("at: [1, 2], severity: fixed 3"), "here is none of them");
  enum { RUNS = 400 };
  struct test_world t;
  double sum = 0;
  test_world_open(&t, SEVERE("seeds: 40 people, severity: uniform from 0 to 2"));
  for (unsigned r = 0; r < RUNS; r++) {
    test_world_run(&t, r);
    sum += test_value(&t, "taken");
  }
  test_world_close(&t);
  cr_assert(fabs(sum / RUNS - 40) < 4 * 40 / sqrt(3.0 * RUNS), "mean %g", sum / RUNS);
}

/* ---- attempts that bring about others ---------------------------------------------------------------------------- */

#define HAWKES(arrivals, horizon)                                                                                      \
  "airesim: 1\nsource: illustrative\nhorizon: " horizon "\nsociety: {people: 10}\n" HAZARD                             \
  "incidents:\n  case: {starts: flu, seeds: 0 people, arrivals: " arrivals "}\n"

struct counts {
  double n, sum, mean, variance, mean_se, variance_se, share[3]; /* share of runs with 0, 1 and 2 attempts */
};

static void count(const char *text, unsigned runs, struct counts *c) {
  struct test_world t;
  double *x = sim_calloc(runs, sizeof *x), m4 = 0;
  *c = (struct counts){.n = runs};
  test_world_open(&t, text);
  for (unsigned r = 0; r < runs; r++) {
    test_world_run(&t, r);
    x[r] = value_of(&t, "attempts", "case");
    c->sum += x[r];
    if (x[r] < 3) c->share[(int)x[r]] += 1.0 / runs;
  }
  test_world_close(&t);
  c->mean = c->sum / runs;
  for (unsigned r = 0; r < runs; r++) {
    double d = x[r] - c->mean;
    c->variance += d * d / (runs - 1);
    m4 += d * d * d * d / runs;
  }
  sim_free(x);
  c->mean_se = sqrt(c->variance / runs);
  c->variance_se = sqrt((m4 - c->variance * c->variance) / runs);
}

static bool agrees(const struct counts *c, double mean, double variance) {
  return fabs(c->mean - mean) < 4 * c->mean_se && fabs(c->variance - variance) < 4 * c->variance_se;
}

/* Case A20: base 0.5/day, kernel 0.6 exp(-t), started from none (mean and variance of N by integration). */
Test(incidents, hawkes_has_the_right_mean_and_variance, .timeout = 60) {
  struct counts c;
  count(HAWKES("hawkes 0.5/day branching 0.6 decay 1/day", "10 days"), 8000, &c);
  cr_assert(agrees(&c, 10.6593, 48.0815), "mean %g ± %g, variance %g ± %g", c.mean, c.mean_se, c.variance,
            c.variance_se);
  count(HAWKES("hawkes 0.5/day branching 0.6 decay 1/day", "100 days"), 2000, &c);
  cr_assert(agrees(&c, 123.125, 749.6), "mean %g ± %g, variance %g ± %g", c.mean, c.mean_se, c.variance, c.variance_se);
}

/* Broken variants are found: too few followers, slower ones, and independent arrivals of the same mean. */
Test(incidents, hawkes_is_told_from_what_it_is_not, .timeout = 60) {
  static const char *const wrong[] = {HAWKES("hawkes 0.5/day branching 0.55 decay 1/day", "10 days"),
                                      HAWKES("hawkes 0.5/day branching 0.6 decay 0.6/day", "10 days"),
                                      HAWKES("poisson 1.06593/day", "10 days")};
  for (unsigned i = 0; i < 3; i++) {
    struct counts c;
    count(wrong[i], 8000, &c);
    cr_assert(!agrees(&c, 10.6593, 48.0815), "%s: mean %g, variance %g", wrong[i], c.mean, c.variance);
  }
}

/* With followers that come at once, clusters are whole: their sizes have Borel's law, P(1) = exp(-n) and P(2) =
 * n exp(-2 n), and N is a compound Poisson number of them. */
Test(incidents, hawkes_clusters_have_borel_s_law, .timeout = 60) {
  enum { RUNS = 8000 };
  const double n = 0.6, m = 2; /* branching; mean number of clusters */
  struct counts c;
  count(HAWKES("hawkes 2/day branching 0.6 decay 100000/day", "1 days"), RUNS, &c);
  double p[3] = {exp(-m), exp(-m) * m * exp(-n), exp(-m) * (m * n * exp(-2 * n) + m * m / 2 * exp(-2 * n))};
  for (int k = 0; k < 3; k++)
    cr_assert(fabs(c.share[k] - p[k]) < 4 * sqrt(p[k] * (1 - p[k]) / RUNS), "P(%d) = %g, expected %g", k, c.share[k],
              p[k]);
  cr_assert(agrees(&c, m / (1 - n), m / ((1 - n) * (1 - n) * (1 - n))));
}

Test(incidents, hawkes_without_followers_is_poisson_and_refuses_to_explode) {
  struct test_world a, b;
  test_world_open(&a, HAWKES("hawkes 5/day branching 0 decay 1/day", "10 days"));
  test_world_open(&b, HAWKES("poisson 5/day", "10 days"));
  for (unsigned r = 0; r < 5; r++) {
    test_world_run(&a, r);
    test_world_run(&b, r);
    cr_assert_eq(value_of(&a, "attempts", "case"), value_of(&b, "attempts", "case"));
  }
  test_world_close(&a);
  test_world_close(&b);
  test_refused(HAWKES("hawkes 5/day branching 1 decay 1/day", "10 days"), "below 1");
}
