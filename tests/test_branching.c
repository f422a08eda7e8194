/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Branching: offspring, generation times, multipliers above and below 1, cures and the end of the population, against
 * their laws: 4.5 standard errors of a mean, with a wrong expectation that the same bound rejects. */
#include "worlds.h"

#define RUNS 4000

#define WORLD(people, hazard, more)                                                                                    \
  "airesim: 1\nhorizon: 3 days\nsociety: {people: " people ", groups: {few: 50 %, many: 50 %}}\n"                      \
  "incidents: {case: {starts: flu, at: [0], arrivals: day 0}}\n"                                                       \
  "hazards:\n  flu: {like: branching, population: people, " hazard "}\n" more                                          \
  "measures: {declared: {cases: {entries: flu.case}, by: {count: flu.susceptible, at: day 2.5}}}\n"
/* The first generation only: offspring come on day 2, theirs on day 4, after the end. */
#define ONE_GENERATION "generation: 2 days, lasts: 3 days, "

struct moments {
  double mean, variance, none;
};

/* Of the offspring of the first case: those infected by day 2.5. */
static struct moments offspring(const char *text) {
  struct test_world t;
  struct moments m = {0};
  double sum = 0, squares = 0;
  test_world_open(&t, text);
  size_t by = test_column(&t, "by", NULL);
  double people = sim_run_population(t.run, 0)->size;
  for (uint64_t r = 0; r < RUNS; r++) {
    test_world_run(&t, r);
    double x = people - 1 - t.row.columns[by];
    sum += x;
    squares += x * x;
    m.none += x == 0 ? 1.0 / RUNS : 0;
  }
  test_world_close(&t);
  m.mean = sum / RUNS;
  m.variance = squares / RUNS - m.mean * m.mean;
  return m;
}
static double errors_off(struct moments m, double mean) {
  return fabs(m.mean - mean) / sqrt(m.variance / RUNS);
}
static double share_off(struct moments m, double p) {
  return fabs(m.none - p) / sqrt(p * (1 - p) / RUNS);
}

Test(branching, poisson_offspring) {
  struct moments m = offspring(WORLD("100000", ONE_GENERATION "reproduction_number: 2.5", ""));
  cr_expect_lt(errors_off(m, 2.5), 4.5);
  cr_expect_gt(errors_off(m, 2.75), 4.5);
  cr_expect_lt(share_off(m, exp(-2.5)), 4.5);
}

Test(branching, negative_binomial_offspring) {
  struct moments m = offspring(WORLD("100000", ONE_GENERATION "reproduction_number: gamma mean 2.5 shape 0.5", ""));
  cr_expect_lt(errors_off(m, 2.5), 4.5);
  cr_expect_lt(share_off(m, pow(1 + 2.5 / 0.5, -0.5)), 4.5);
  cr_expect_gt(share_off(m, exp(-2.5)), 4.5);
}

/* Half the people cannot be infected; who isolates from the start infects a quarter of those it meets. */
#define BARE                  "  mask: {like: contagion, population: people, rest: worn, states: {worn: {}}}\n"
#define SCALED(percent, knob) BARE "couplings: {masks: {while: mask.worn, multiply: flu." knob ", by: " percent "}}\n"

Test(branching, multipliers) {
  struct moments m = offspring(
      WORLD("3000", ONE_GENERATION "reproduction_number: 2", SCALED("{few: 0 %, many: 100 %}", "susceptibility")));
  cr_expect_lt(errors_off(m, 1), 4.5);
  m = offspring(WORLD("3000", ONE_GENERATION "reproduction_number: 2", SCALED("25 %", "infectivity")));
  cr_expect_lt(errors_off(m, 0.5), 4.5);
  m = offspring(WORLD("3000", ONE_GENERATION "reproduction_number: 2", SCALED("260 %", "infectivity")));
  cr_expect_lt(errors_off(m, 5.2), 4.5);
  cr_expect_gt(errors_off(m, 6), 4.5);
}

/* A multiplier that comes to an end on day 1 does not touch what happens on day 2. */
Test(branching, multipliers_act_when_people_meet) {
  struct moments m = offspring(WORLD("3000", ONE_GENERATION "reproduction_number: 2",
                                     "actions: {apart: {like: shielding, against: flu, among: [few, many], reduction: "
                                     "100 %, when: day 0, until: day 1}}\n"));
  cr_expect_lt(errors_off(m, 2), 4.5);
}

/* Nobody but four others to meet, with offspring without end: all of them, and each once. */
Test(branching, a_population_is_finite) {
  struct test_world t;
  test_world_open(&t, WORLD("5", "generation: exponential mean 1 days, reproduction_number: 60", ""));
  for (uint64_t r = 0; r < 20; r++) {
    test_world_run(&t, r);
    cr_expect_eq(test_value(&t, "cases"), 5);
  }
  test_world_close(&t);
  test_world_open(&t, WORLD("1", "generation: 1 days, reproduction_number: 60", ""));
  test_world_run(&t, 0);
  cr_expect_eq(test_value(&t, "cases"), 1);
  test_world_close(&t);
}

/* Who is no case any more infects nobody. */
Test(branching, recovery_ends_it) {
  struct moments m =
      offspring(WORLD("100000", "generation: exponential mean 2 days, lasts: 1 days, reproduction_number: 0.5", ""));
  double each = 0.5 * (1 - exp(-0.5)); /* and three generations by day 2.5, the third in part */
  cr_expect_lt(errors_off(m, each + each * each + pow(each, 3) / 2), 4.5);
  cr_expect_gt(errors_off(m, 0.5), 4.5);
}

Test(branching, more_reproduction_only_adds) {
  struct test_world low, high;
  test_world_open(&low, WORLD("100000", ONE_GENERATION "reproduction_number: 2", ""));
  test_world_open(&high, WORLD("100000", ONE_GENERATION "reproduction_number: 2.2", ""));
  unsigned more = 0;
  for (uint64_t r = 0; r < 500; r++) {
    test_world_run(&low, r);
    test_world_run(&high, r);
    double fewer = low.row.columns[test_column(&low, "by", NULL)],
           other = high.row.columns[test_column(&high, "by", NULL)];
    cr_assert_leq(other, fewer);
    more += other < fewer;
  }
  cr_expect(more > 20 && more < 200, "%u", more);
  test_world_close(&low);
  test_world_close(&high);
}

Test(branching, what_it_says) {
  test_refused(WORLD("5", "generation: 1 days", ""), "reproduction_number");
  struct test_world t;
  test_world_open(&t, WORLD("50", ONE_GENERATION "reproduction_number: 2", SCALED("2000 %", "infectivity")));
  cr_assert_eq(sim_run_execute(t.run, 0, 0, &t.row), 0);
  cr_expect(strstr(t.row.error, "multiplier of 20 is too large"), "%s", t.row.error);
  test_world_close(&t);
  test_world_open(&t, WORLD("50", ONE_GENERATION "reproduction_number: 1e9", ""));
  cr_assert_eq(sim_run_execute(t.run, 0, 0, &t.row), 0);
  cr_expect(strstr(t.row.error, "more than a million"), "%s", t.row.error);
  test_world_close(&t);
}
