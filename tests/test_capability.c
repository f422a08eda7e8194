/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Capability against closed forms: numbers of attempts (Poisson, four standard errors), what each takes (exact), and
 * attempts that stay the same below a milestone's effect. */
#include "worlds.h"

#define HEAD                                                                                                           \
  "airesim: 1\nquestion: test\nsource: illustrative\nhorizon: 1000 days\nsociety: {people: 10, groups: {all: 100 "     \
  "%}}\nhazards:\n  flu: {like: contagion, population: people, states: {well: {}, ill: {}}, rest: well, seeded: ill, " \
  "transitions: {fall: {from: well, to: ill}}}\n"
#define CASE(arrivals) "incidents:\n  case: {starts: flu, seeds: 0 people, arrivals: " arrivals "}\n"
#define MILESTONES(share)                                                                                              \
  "capability: {" share ", milestones: {a: {at: day 200, factor: 4}, b: {at: day 600, factor: 9}}}\n"

static double attempts(const char *text) {
  struct test_world t;
  test_world_open(&t, text);
  test_world_run(&t, 0);
  double n = t.row.columns[test_column(&t, "attempts", "case")];
  test_world_close(&t);
  return n;
}

static bool fits(double n, double mean) {
  return fabs(n - mean) <= 4 * sqrt(mean);
}

/* Half the growth on a log scale: factors 1, 2 and 6. */
Test(capability, attempts_come_more_often_by_their_share) {
  const double half = 10 * (200 + 2 * 400 + 6 * 400), full = 10 * (200 + 4 * 400 + 36 * 400);
  double n = attempts(HEAD CASE("poisson 10/day") MILESTONES("rate: 50 %"));
  cr_assert(fits(n, half), "%g attempts, expected %g", n, half);
  cr_assert(!fits(n, 10000) && !fits(n, full), "the check cannot tell a share of 50 %% from 0 or 100 %%");
  n = attempts(HEAD CASE("poisson 10/day") MILESTONES("rate: 100 %"));
  cr_assert(fits(n, full), "%g attempts, expected %g", n, full);
  n = attempts(HEAD CASE("sinusoidal 10/day amplitude 5/day period 100 days") MILESTONES("rate: 50 %"));
  cr_assert(fits(n, half), "%g attempts of a swinging rate, expected %g", n, half);
  n = attempts(HEAD CASE("hawkes 10/day branching 0.5 decay 10/day") MILESTONES("rate: 50 %"));
  cr_assert(fabs(n - 2 * half) <= 4 * sqrt(8 * half), "%g attempts with followers, expected %g", n, 2 * half);
}

Test(capability, given_attempts_and_renewals_keep_their_times) {
  cr_assert_eq(attempts(HEAD CASE("[day 10, day 700]") MILESTONES("rate: 100 %")), 2);
  cr_assert_eq(attempts(HEAD CASE("renewal 300 days") MILESTONES("rate: 100 %")), 3);
}

Test(capability, without_a_share_the_attempts_are_the_same) {
  double n = attempts(HEAD CASE("poisson 10/day"));
  cr_assert_eq(attempts(HEAD CASE("poisson 10/day") MILESTONES("rate: 0 %, severity: 50 %")), n);
  cr_assert_eq(
      attempts(HEAD CASE("poisson 10/day") "capability: {rate: 100 %, milestones: {a: {at: day 1, factor: 1}}}\n"), n);
}

/* Nodes that fail: 3 a time, times the square root of 1, 4 and 36, rounded. */
Test(capability, an_attempt_takes_more) {
#define GRID(how)                                                                                                      \
  "airesim: 1\nquestion: test\nsource: illustrative\nhorizon: 1000 days\nsociety: {people: 10, layers: {power: "       \
  "{nodes: 100, graph: none}}}\nincidents: {case: {fails: power, " how ", arrivals: [day 100, day 300, day 700]}}\n"   \
  "measures: {declared: {down: {count: power.down, at: [day 150, day 350, day 750]}}}\n"
  struct test_world t;
  test_world_open(&t, GRID("count: 3") MILESTONES("severity: 50 %"));
  test_world_run(&t, 0);
  const double expected[] = {3, 9, 27};
  size_t at = test_column(&t, "down", NULL);
  for (size_t i = 0; i < 3; i++) cr_assert_eq(t.row.columns[at + i], expected[i], "%g down", t.row.columns[at + i]);
  cr_assert_eq(t.row.columns[test_column(&t, "capability_level", NULL)], 36);
  test_world_close(&t);
  test_world_open(&t, GRID("at: [3, 5]") MILESTONES("severity: 50 %")); /* named nodes stay these */
  test_world_run(&t, 0);
  cr_assert_eq(t.row.columns[test_column(&t, "down", NULL) + 2], 2);
  test_world_close(&t);
}

/* Three nodes and one crew before any milestone, after one and after two: each repair takes 8 days by 1, 2 and 6. */
Test(capability, repairs_take_less) {
#define MENDED(share)                                                                                                  \
  GRID("count: 3")                                                                                                     \
  "teams: {crew: {size: 1}}\nrepair: {lines: {layer: power, team: crew, time: 8 days}}\n" MILESTONES(share)
  struct test_world t;
  test_world_open(&t, MENDED("repair: 50 %"));
  test_world_run(&t, 0);
  double days = t.row.columns[test_column(&t, "person_days", "power")],
         expected = (8 + 16 + 24) * (1 + 1 / 2.0 + 1 / 6.0);
  cr_assert_float_eq(days, expected, 1e-6, "%g node-days, expected %g", days, expected);
  test_world_close(&t);
  test_world_open(&t, MENDED("repair: 0 %")); /* what the check above must tell apart */
  test_world_run(&t, 0);
  cr_assert_float_eq(t.row.columns[test_column(&t, "person_days", "power")], 3 * (8 + 16 + 24), 1e-6);
  test_world_close(&t);
}

Test(capability, a_report_comes_sooner) {
#define SEEN(share)                                                                                                    \
  "airesim: 1\nquestion: test\nsource: illustrative\nhorizon: 1000 days\nsociety: {people: 10, layers: {power: "       \
  "{nodes: 100, graph: none}}}\nincidents: {case: {fails: power, count: 3, arrivals: day 700}}\nsensing: {watch: "     \
  "{watches: power.down, ascertainment: 100 %, report_delay: 12 days, alarm: 3 reports in 7 days}}\n" MILESTONES(      \
      share)
  struct test_world t;
  test_world_open(&t, SEEN("detection: 50 %"));
  test_world_run(&t, 0);
  cr_assert_float_eq(test_value(&t, "time_to_detect"), 2, 1e-9);
  test_world_close(&t);
  test_world_open(&t, SEEN("detection: 0 %"));
  test_world_run(&t, 0);
  cr_assert_float_eq(test_value(&t, "time_to_detect"), 12, 1e-9);
  test_world_close(&t);
}

Test(capability, what_cannot_be_is_refused) {
  test_refused(HEAD CASE("day 1") "capability: {milestones: {a: {at: day 1, factor: 0.5}}}\n", "1");
  test_refused(HEAD CASE("day 1") "capability: {rate: 120 %, milestones: {a: {at: day 1, factor: 2}}}\n", "100 %");
}
