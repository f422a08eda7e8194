/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rumour against exact theory, through scenarios: the race of belief and checking on tiny graphs (case A16), the mean
 * field of the normalised kernel (case A28), hazards under each kind of intervention on every kernel and layer,
 * monotony in coverage. Bounds: 4.5 standard errors of a mean unless said. Each kind of check also rejects something
 * wrong. */
#include "worlds.h"
#include <stdlib.h>

#define RUNS    6000
#define HORIZON 20.0
#define SIGMAS  4.5

/* ---- samples ---------------------------------------------------------------------------------------------------- */

#define RUMOUR(people, graph, hazard, believers, more)                                                                 \
  "airesim: 1\nhorizon: 20 days\ncurrency: USD\nsociety: {people: " people ", layers: {net: {graph: " graph "}}}\n"    \
  "incidents: {seed: {starts: hoax, at: [" believers "], arrivals: day 0}}\n"                                          \
  "hazards:\n  hoax: {like: rumour, layer: net, forget: 0/day, " hazard "}\n" more                                     \
  "measures: {declared: {ever: {entries: hoax.believer}, gone: {last: hoax.believer > 0}, belief: {integral: "         \
  "hoax.believer}, waiting: {integral: hoax.susceptible}}}\n"
#define CHECKERS(ids) "  answer: {starts: hoax, into: hoax.checker, at: [" ids "], arrivals: day 0}\n"

/* Distance of the mean of a column over RUNS replicates from `expected`, in standard errors. */
static double errors_off(const char *text, const char *variable, double expected) {
  struct test_world t;
  test_world_open(&t, text);
  size_t column = test_column(&t, variable, NULL);
  double sum = 0, squares = 0;
  for (uint64_t r = 0; r < RUNS; r++) {
    test_world_run(&t, r);
    double x = t.row.columns[column];
    sum += x;
    squares += x * x;
  }
  test_world_close(&t);
  double mean = sum / RUNS, variance = (squares / RUNS - mean * mean) * RUNS / (RUNS - 1.0);
  return fabs(mean - expected) / sqrt(variance / RUNS);
}
static void expect_mean(const char *text, const char *variable, double expected) {
  double off = errors_off(text, variable, expected);
  cr_assert_lt(off, SIGMAS, "mean of %s is %.1f standard errors from %.6f in\n%s", variable, off, expected, text);
}

/* ---- case A16: belief at 1 and checking at 2 per contact, verification at 1 ------------------------------------- */

#define RACE "kernel: linear, spread: 1/day, check: 2/day, verify: 1/day"

static void expect_race(const char *text, double gone, double ever) {
  expect_mean(text, "gone", gone);
  expect_mean(text, "ever", ever);
  expect_mean(text, "belief", ever); /* each belief lasts a day on average */
}

Test(rumour, race_on_the_complete_graph, .timeout = 60) {
  expect_race(RUMOUR("4", "complete", RACE, "0", ""), 95.0 / 56, 457.0 / 168);
}
Test(rumour, race_on_the_path_from_its_end, .timeout = 60) {
  expect_race(RUMOUR("4", "path", RACE, "0", ""), 1201.0 / 864, 15.0 / 8);
}
Test(rumour, race_on_the_path_between_believer_and_checker, .timeout = 60) {
  expect_race("airesim: 1\nhorizon: 20 days\nsociety: {people: 4, layers: {net: {graph: path}}}\n"
              "incidents:\n  seed: {starts: hoax, at: [0], arrivals: day 0}\n" CHECKERS(
                  "3") "hazards:\n  hoax: {like: rumour, layer: net, forget: 0/day, " RACE "}\n"
                       "measures: {declared: {ever: {entries: hoax.believer}, gone: {last: hoax.believer > 0}, "
                       "belief: {integral: hoax.believer}}}\n",
              581.0 / 480, 23.0 / 16);
}
Test(rumour, race_on_the_star_from_a_leaf, .timeout = 60) {
  expect_race(RUMOUR("5", "edges of \"0-1 0-2 0-3 0-4\"", RACE, "1", ""), 2166397.0 / 1440000, 9.0 / 4);
}
Test(rumour, race_on_the_ring, .timeout = 60) {
  expect_race(RUMOUR("4", "ring", RACE, "0", ""), 3781.0 / 2400, 113.0 / 48);
}
/* All meet all: the complete graph at a third of the contacts a person. */
Test(rumour, race_where_all_mix, .timeout = 60) {
  expect_race(RUMOUR("4", "homogeneous contacts 3", RACE, "0", ""), 95.0 / 56, 457.0 / 168);
}
Test(rumour, slower_checking_is_another_race, .timeout = 60) {
  cr_assert_gt(
      errors_off(RUMOUR("4", "complete", "kernel: linear, spread: 1/day, check: 1/day, verify: 1/day", "0", ""), "ever",
                 457.0 / 168),
      SIGMAS);
}
Test(rumour, weights_and_directions_count, .timeout = 60) {
  expect_mean(
      RUMOUR("3", "edges of \"0>1:2.5 2>0:9\"", "kernel: linear, spread: 1/day, check: 1/day, verify: 0/day", "0", ""),
      "waiting", HORIZON + (1 - exp(-2.5 * HORIZON)) / 2.5);
}

/* ---- the normalised kernel on few people ------------------------------------------------------------------------ */

/* Means of the Markov chain of s susceptible people, b believers and f checkers who all meet, at rate 1 of taking sides
 * and 1 of verifying: time until nobody believes, and how many come to believe. */
static void normalised_race(int s, int b, int f, double credibility, double *gone, double *ever) {
  *gone = *ever = 0;
  if (b == 0) return;
  double belief = b * (1 + credibility), check = f * (1 - credibility), p = belief / (belief + check);
  double all = s + b, next_gone, next_ever;
  *gone = 1 / all;
  if (s > 0) {
    normalised_race(s - 1, b + 1, f, credibility, &next_gone, &next_ever);
    *gone += s * p / all * next_gone;
    *ever += s * p / all * (next_ever + 1);
    normalised_race(s - 1, b, f + 1, credibility, &next_gone, &next_ever);
    *gone += s * (1 - p) / all * next_gone;
    *ever += s * (1 - p) / all * next_ever;
  }
  normalised_race(s, b - 1, f + 1, credibility, &next_gone, &next_ever);
  *gone += b / all * next_gone;
  *ever += b / all * next_ever;
}

Test(rumour, normalised_race_of_five, .timeout = 60) {
#define FIVE(graph, credibility)                                                                                       \
  RUMOUR("5", graph, "spread: 1/day, credibility: " credibility ", verify: 1/day", "0, 3", "")
  double gone, ever;
  normalised_race(3, 2, 0, 0.4, &gone, &ever);
  expect_race(FIVE("complete", "40 %"), gone, ever + 2);
  expect_race(FIVE("homogeneous contacts 7", "40 %"), gone, ever + 2);
  cr_assert_gt(errors_off(FIVE("complete", "10 %"), "ever", ever + 2), SIGMAS);
  cr_assert_gt(errors_off(FIVE("homogeneous contacts 7", "10 %"), "ever", ever + 2), SIGMAS);
}

/* ---- case A28: mean field of the normalised kernel, N = 10,000 -------------------------------------------------- */

/* Average shares (believers, checkers) over days `from` to 300 of one run. */
static void equilibrium(const char *hazard, const char *from, double share[2]) {
  char *text = sim_strf("airesim: 1\nhorizon: 300 days\nsociety: {people: 10000, layers: {all: {graph: homogeneous "
                        "contacts 10}}}\nhazards:\n  hoax: {like: hoax_fact_check, layer: all, %s}\n"
                        "measures: {declared: {b: {average: hoax.believer, from: day %s}, f: {average: hoax.checker, "
                        "from: day %s}}}\n",
                        hazard, from, from);
  struct test_world t;
  test_world_open(&t, text);
  test_world_run(&t, 0);
  share[0] = test_value(&t, "b") / 10000;
  share[1] = test_value(&t, "f") / 10000;
  test_world_close(&t);
  sim_free(text);
}

/* Believers in equilibrium, at credibility a and rate v of verifying, where b = 0.5 take sides and f = 0.1 forget a
 * day: a share b / (b + f) has a side; of these x believe, with (v + f) (1 - a + 2 a x) = f (1 + a); none from v = 2 a
 * f / (1 - a) on (Tambuscio et al. 2015). */
static double believers(double a, double v) {
  const double b = 0.5, f = 0.1;
  double x = (f * (1 + a) / (v + f) - (1 - a)) / (2 * a);
  return x > 0 ? b / (b + f) * x : 0;
}

Test(rumour, mean_field_below_and_above_the_threshold, .timeout = 120) {
  double share[2];
  cr_assert_float_eq(believers(0.4, 0.05), 0.347222, 1e-6);
  cr_assert_float_eq(believers(0.4, 0.1), 0.1041667, 1e-6);
  cr_assert_float_eq(believers(0.4, 0.4 * 0.2 / 0.6), 0, 1e-12);
  equilibrium("initial: {believer: 35 %, checker: 48 %}", "100", share);
  cr_assert_float_eq(share[0], 0.347222, 0.006, "believers %.4f", share[0]);
  cr_assert_float_eq(share[1], 0.486111, 0.006, "checkers %.4f", share[1]);
  equilibrium("verify: 0.1/day, initial: {believer: 11 %, checker: 72 %}", "100", share);
  cr_assert_float_eq(share[0], 0.1041667, 0.015, "believers %.4f", share[0]);
  equilibrium("verify: 0.15/day, initial: {believer: 4 %, checker: 78 %}", "250", share);
  cr_assert_float_eq(share[0], 0, 0.003, "believers %.4f", share[0]);
  cr_assert_float_eq(share[1], 0.833333, 0.006, "checkers %.4f", share[1]);
}
Test(rumour, mean_field_of_another_credibility_is_rejected, .timeout = 60) {
  double share[2];
  equilibrium("credibility: 37 %, initial: {believer: 35 %, checker: 48 %}", "100", share);
  cr_assert_gt(fabs(share[0] - 0.347222), 0.006);
  cr_assert_float_eq(share[0], believers(0.37, 0.05), 0.006);
}

/* ---- interventions ---------------------------------------------------------------------------------------------- */

#define LINEAR     "kernel: linear, spread: 0.5/day, check: 0.15/day, verify: 0/day"
#define NORMALISED "kernel: normalised, spread: 0.5/day, credibility: 40 %, verify: 0/day"

/* Mean time up to the horizon at hazard `before` until day 1 and `after` from then on. */
static double mean_wait(double before, double after) {
  double early = (1 - exp(-before)) / before, rest = HORIZON - 1;
  return early + exp(-before) * (after > 0 ? (1 - exp(-after * rest)) / after : rest);
}

/* Two people, one of whom believes; `more` changes the other's hazard of 0.5 by `factor` on day 1. */
#define EVERYWHERE(more, factor)                                                                                       \
  do {                                                                                                                 \
    expect_mean(RUMOUR("2", "path", LINEAR, "0", more), "waiting", mean_wait(0.5, 0.5 * (factor)));                    \
    expect_mean(RUMOUR("2", "path", NORMALISED, "0", more), "waiting", mean_wait(0.5, 0.5 * (factor)));                \
    expect_mean(RUMOUR("2", "homogeneous contacts 1", LINEAR, "0", more), "waiting", mean_wait(0.5, 0.5 * (factor)));  \
    expect_mean(RUMOUR("2", "homogeneous contacts 1", NORMALISED, "0", more), "waiting",                               \
                mean_wait(0.5, 0.5 * (factor)));                                                                       \
  } while (0)
#define PREBUNKING(efficacy) "actions: {act: {like: prebunking, against: hoax, when: day 1, efficacy: " efficacy "}}\n"
/* A second hazard into which all fall on day 1, and what this multiplies. */
#define FROM_DAY_1(knob, by)                                                                                           \
  "  clock: {like: contagion, population: people, states: {before: {}, after: {}}, rest: before, transitions: {turn: " \
  "{from: before, to: after, after: 1 day}}}\ncouplings: {c: {while: clock.after, multiply: hoax." knob ", by: " by    \
  "}}\n"

Test(rumour, prebunking_lowers_the_hazard_from_its_moment, .timeout = 60) {
  EVERYWHERE(PREBUNKING("70 %"), 0.3);
}
Test(rumour, takedown_lowers_the_hazard_after_its_delay, .timeout = 60) {
  EVERYWHERE("actions: {act: {like: takedown, against: hoax, delay: 1 day, reduction: 70 %}}\n", 0.3);
}
/* What a believer told is taken back in full when they verify, whatever was taken down before: person 1 is convinced
 * before that, or never. */
Test(rumour, takedown_ends_with_belief, .timeout = 60) {
#define TAKEN(kernel)                                                                                                  \
  RUMOUR("2", "path", kernel, "0", "actions: {act: {like: takedown, against: hoax, delay: 0 days, reduction: 70 %}}\n")
  expect_mean(TAKEN("kernel: linear, spread: 0.5/day, check: 0/day, verify: 1/day"), "ever", 1 + 0.15 / 1.15);
  expect_mean(TAKEN("spread: 0.5/day, credibility: 100 %, verify: 1/day"), "ever", 1 + 0.15 / 1.15);
}
Test(rumour, a_layer_can_be_slowed, .timeout = 60) {
  EVERYWHERE("actions: {act: {like: distancing, against: hoax, layers: net, reduction: 70 %, when: day 1}}\n", 0.3);
}
Test(rumour, susceptibility_may_rise, .timeout = 60) {
  EVERYWHERE(FROM_DAY_1("susceptibility", "260 %"), 2.6);
}
Test(rumour, infectivity_may_rise, .timeout = 60) {
  EVERYWHERE(FROM_DAY_1("infectivity", "260 %"), 2.6);
}
Test(rumour, knobs_of_the_other_message_do_nothing, .timeout = 60) {
  EVERYWHERE(FROM_DAY_1("check_susceptibility", "260 %"), 1);
  EVERYWHERE(FROM_DAY_1("check_infectivity", "0 %"), 1);
}
Test(rumour, another_efficacy_is_rejected, .timeout = 60) {
  cr_assert_gt(errors_off(RUMOUR("2", "path", NORMALISED, "0", PREBUNKING("60 %")), "waiting", mean_wait(0.5, 0.15)),
               SIGMAS);
  cr_assert_gt(errors_off(RUMOUR("2", "path", LINEAR, "0", PREBUNKING("60 %")), "waiting", mean_wait(0.5, 0.15)),
               SIGMAS);
}
Test(rumour, fact_checking_speeds_verification, .timeout = 60) {
#define CHECKED(factor)                                                                                                \
  RUMOUR("1", "none", "kernel: linear, check: 0/day, verify: 0.5/day", "0",                                            \
         "actions: {act: {like: fact_checking, against: hoax, when: day 1, verification: " factor "}}\n")
  expect_mean(CHECKED("400 %"), "belief", mean_wait(0.5, 2));
  cr_assert_gt(errors_off(CHECKED("300 %"), "belief", mean_wait(0.5, 2)), SIGMAS);
}

/* Person 1 between a believer and a checker: where nobody can believe any more, the hazard of checking stays what it
 * was, 0.15 (normalised: 0.5 (1 - 0.4) / 2). */
Test(rumour, stopping_belief_leaves_checking_alone, .timeout = 60) {
  static const char *const kernels[] = {LINEAR, NORMALISED};
  static const char *const layers[] = {"path", "edges of \"0-1 1-2\""};
  for (size_t k = 0; k < 2; k++)
    for (size_t l = 0; l < 2; l++) {
      char *text = sim_strf("airesim: 1\nhorizon: 20 days\nsociety: {people: 3, layers: {net: {graph: %s}}}\n"
                            "incidents:\n  seed: {starts: hoax, at: [0], arrivals: day 0}\n" CHECKERS(
                                "2") "hazards:\n  hoax: {like: rumour, layer: net, forget: 0/day, %s}\n"
                                     "actions: {act: {like: prebunking, against: hoax, efficacy: 100 %%}}\n"
                                     "measures: {declared: {waiting: {integral: hoax.susceptible}}}\n",
                            layers[l], kernels[k]);
      expect_mean(text, "waiting", (1 - exp(-0.15 * HORIZON)) / 0.15);
      sim_free(text);
    }
}

/* ---- monotony --------------------------------------------------------------------------------------------------- */

/* Without checkers who convince, a person ever believes in every world in which fewer are warned (Sellke 1983). */
Test(rumour, more_coverage_never_makes_more_believers, .timeout = 60) {
  static const char *const coverage[] = {"0 %", "30 %", "60 %", "100 %"};
  enum { WORLDS = 60, LEVELS = 4 };
  double ever[LEVELS][WORLDS];
  for (size_t k = 0; k < LEVELS; k++) {
    char *text = sim_strf("airesim: 1\nhorizon: 400 days\nsociety: {people: 200, layers: {net: {graph: watts_strogatz "
                          "mean_degree 6 rewire 0.1}}}\nincidents: {seed: {starts: hoax, seeds: 3 people, arrivals: "
                          "day 0}}\nhazards:\n  hoax: {like: rumour, kernel: linear, layer: net, spread: 0.1/day, "
                          "check: 0/day, verify: 0.3/day, forget: 0/day}\n"
                          "actions: {act: {like: prebunking, against: hoax, coverage: %s, efficacy: 50 %%}}\n"
                          "measures: {declared: {ever: {entries: hoax.believer}}}\n",
                          coverage[k]);
    struct test_world t;
    test_world_open(&t, text);
    for (uint64_t r = 0; r < WORLDS; r++) {
      test_world_run(&t, r);
      ever[k][r] = test_value(&t, "ever");
    }
    test_world_close(&t);
    sim_free(text);
  }
  unsigned fewer = 0;
  for (size_t k = 1; k < LEVELS; k++)
    for (size_t r = 0; r < WORLDS; r++) {
      cr_assert_leq(ever[k][r], ever[k - 1][r], "coverage %s, replicate %zu", coverage[k], r);
      fewer += ever[k][r] < ever[k - 1][r];
    }
  cr_assert_gt(fewer, WORLDS / 2);
}

/* ---- refusals --------------------------------------------------------------------------------------------------- */

Test(rumour, a_kernel_takes_its_own_parameters) {
  test_refused(RUMOUR("2", "path", "kernel: linear", "0", ""), "needs `check`");
  test_refused(RUMOUR("2", "path", "kernel: normalised", "0", ""), "needs `credibility`");
  test_refused(RUMOUR("2", "path", "credibility: 40 %, check: 1/day", "0", ""), "has no `check`");
  test_refused(RUMOUR("2", "path", RACE ", credibility: 40 %", "0", ""), "has no `credibility`");
  test_refused(RUMOUR("2", "path", RACE ", initial: {believer: 80 %, checker: 80 %}", "0", ""), "more than 100 %");
}
Test(rumour, takedown_needs_believers) {
  test_refused("airesim: 1\nhorizon: 20 days\nsociety: {people: 2, layers: {net: {graph: path}}}\n"
               "hazards:\n  flu: {like: si, layer: net, transmission: 1/day}\n"
               "actions: {act: {like: takedown, against: flu}}\n",
               "no state `believer`");
}
