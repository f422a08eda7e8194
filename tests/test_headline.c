/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The qualitative findings of scenarios/headline.yaml, in smaller copies of it: what is bought to no purpose changes
 * nothing, and the break-even between safeguards and response moves the way that it must. */
#include "worlds.h"
#include <stdint.h>
#include <stdlib.h>

enum { ARMS = 5, MOST_SETS = 24, MOST_RUNS = 200, SAMPLES = 400 };
static const char *const arms[ARMS] = {"all_response", "mostly_response", "half", "mostly_safeguards",
                                       "all_safeguards"};
static const double shares[ARMS] = {0, 0.25, 0.5, 0.75, 1};

/* A small town for a year, in which each kind of attempt is frequent. */
#define SMALL                                                                                                          \
  {"society.people", "400"}, {"horizon", "1 year"}, {"measures.declared", "null"}, {"incidents.false_claims", "null"}, \
  {                                                                                                                    \
    "incidents.bio_misuse.arrivals", "poisson 4/year"                                                                  \
  }
/* Attempts at the grid alone, with crews that the money can buy many of, and no other change of capability. */
#define GRID                                                                                                           \
  {"society.people", "200"}, {"horizon", "1 year"}, {"measures.declared", "null"}, {"incidents.false_claims", "null"}, \
      {"incidents.bio_misuse", "null"}, {"incidents.grid_attack.arrivals", "poisson 12/year"},                         \
      {"budget.lines.repair.curve", "linear from 2 per 60 thousand USD/year"}, {"capability.rate", "0 %"},             \
      {"capability.detection", "0 %"}, {"capability.repair", "0 %"}, {"capability.severity", "100 %"},                 \
      {"capability.milestones.assistant.at", "day 0"}, {                                                               \
    "capability.milestones.scientist.factor", "1"                                                                      \
  }
/* For other shares than those of the arms, which would add up to too much. */
#define HALF_ONLY                                                                                                      \
  {"arms.all_safeguards", "null"}, {                                                                                   \
    "arms.mostly_safeguards", "null"                                                                                   \
  }
#define MORE(...)                                                                                                      \
  (const struct sim_patch[]) {                                                                                         \
    __VA_ARGS__, {                                                                                                     \
      NULL, NULL                                                                                                       \
    }                                                                                                                  \
  }

static char *headline(void) {
  FILE *f = fopen(AIRESIM_SOURCE_DIR "/scenarios/headline.yaml", "rb");
  char *text = sim_calloc(1, 1 << 16);
  cr_assert(f && text);
  cr_assert_lt(fread(text, 1, (1 << 16) - 1, f), (1 << 16) - 1);
  fclose(f);
  return text;
}

static void open_arm(struct test_world *t, const char *arm, const struct sim_patch *sets) {
  size_t n = 0;
  while (sets[n].path) n++;
  char *text = headline();
  test_world_open_with(t, text, arm, sets, n);
  sim_free(text);
}

/* ---- what changes nothing ---------------------------------------------------------------------------------------- */

/* Runs in which some column of society's losses differs between two arms; `all`: any column. */
static unsigned differing(const char *arm, const struct sim_patch *sets, const char *other,
                          const struct sim_patch *other_sets, bool all) {
  enum { RUNS = 20 };
  struct test_world a, b;
  unsigned differ = 0;
  open_arm(&a, arm, sets);
  open_arm(&b, other, other_sets);
  cr_assert_eq(a.columns, b.columns);
  for (uint64_t r = 0; r < RUNS; r++) {
    test_world_run(&a, r);
    test_world_run(&b, r);
    size_t at = test_column(&a, "lost_days_per_year", NULL);
    differ += all ? !test_same_bits(a.row.columns, b.row.columns, a.columns)
                  : !test_same_bits(&a.row.columns[at], &b.row.columns[at], 1);
  }
  test_world_close(&a);
  test_world_close(&b);
  return differ;
}

Test(headline, behind_perfect_barriers_response_buys_nothing, .timeout = 60) {
#define BARRIERS(stops, bypass)                                                                                        \
  MORE(SMALL, {"safeguards.barriers.systemic_safety.stops", stops}, {"safeguards.bypass", bypass})
  const struct sim_patch *perfect = BARRIERS("100 %", "0 %");
  cr_assert_eq(differing("all_response", perfect, "all_safeguards", perfect, false), 0);
  const struct sim_patch *leaky = BARRIERS("100 %", "40 %"), *weak = BARRIERS("50 %", "0 %");
  cr_assert_gt(differing("all_response", leaky, "all_safeguards", leaky, false), 0);
  cr_assert_gt(differing("all_response", weak, "all_safeguards", weak, false), 0);
}

/* Response gets the same in both. */
Test(headline, where_all_misuse_goes_round_them_safeguards_buy_nothing, .timeout = 60) {
#define SAFEGUARDS(share, bypass)                                                                                      \
  MORE(SMALL, HALF_ONLY, {"budget.lines.response.share", "20 %"}, {"budget.lines.repair.share", "20 %"},               \
       {"budget.lines.safeguards.share", share}, {"safeguards.bypass", bypass})
  cr_assert_eq(differing("half", SAFEGUARDS("0 %", "100 %"), "half", SAFEGUARDS("60 %", "100 %"), false), 0);
  cr_assert_gt(differing("half", SAFEGUARDS("0 %", "40 %"), "half", SAFEGUARDS("60 %", "40 %"), false), 0);
}

Test(headline, no_difference_in_money_no_difference_to_the_bit, .timeout = 60) {
  const struct sim_patch *nothing = MORE(SMALL, {"budget.total", "0 USD/year"}), *money = MORE(SMALL);
  cr_assert_eq(differing("all_response", nothing, "all_safeguards", nothing, true), 0);
  const struct sim_patch *same =
      MORE(SMALL, {"budget.lines.safeguards.share", "0.5"}, {"budget.lines.repair.share", "0.2"});
  cr_assert_eq(differing("half", money, "half", same, true), 0);
  cr_assert_gt(differing("all_response", money, "all_safeguards", money, true), 0);
}

/* ---- the break-even ---------------------------------------------------------------------------------------------- */

/* Lost days by arm and run under one set of assumptions. */
struct losses {
  double lost[ARMS][MOST_RUNS];
};

static void simulate(struct losses *x, const struct sim_patch *sets) {
  for (unsigned a = 0; a < ARMS; a++) {
    struct test_world t;
    open_arm(&t, arms[a], sets);
    for (uint64_t r = 0; r < MOST_RUNS; r++) {
      test_world_run(&t, r);
      x->lost[a][r] = test_value(&t, "lost_days_per_year");
    }
    test_world_close(&t);
  }
}

/* The largest share of safeguards at which as little is lost as with response alone, from the means of the sampled
 * runs, linear between the arms; 1 where safeguards alone lose no more, 0 where any share loses more. */
static double break_even(const struct losses *x, const unsigned *run) {
  double excess[ARMS];
  for (unsigned a = 0; a < ARMS; a++) {
    excess[a] = 0;
    for (unsigned i = 0; i < MOST_RUNS; i++) excess[a] += x->lost[a][run[i]] - x->lost[0][run[i]];
  }
  unsigned a = ARMS - 1;
  while (a > 0 && excess[a] > 0) a--;
  if (a == ARMS - 1 || a == 0) return shares[a];
  return shares[a] + (shares[a + 1] - shares[a]) * excess[a] / (excess[a] - excess[a + 1]);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* True if the break-even of `a` lies above that of `b`: 95 % interval of their difference by bootstrap of the runs
 * (Efron & Tibshirani 1993), which both share. */
static bool lies_above(const struct losses *a, const struct losses *b, const char *what) {
  double difference[SAMPLES];
  unsigned run[MOST_RUNS];
  uint64_t state = 1;
  for (unsigned s = 0; s < SAMPLES; s++) {
    for (unsigned i = 0; i < MOST_RUNS; i++) {
      state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's generator */
      run[i] = (unsigned)((state >> 33) % MOST_RUNS);
    }
    difference[s] = break_even(a, run) - break_even(b, run);
  }
  qsort(difference, SAMPLES, sizeof *difference, ascending);
  double low = difference[SAMPLES / 40], high = difference[SAMPLES - 1 - SAMPLES / 40];
  for (unsigned i = 0; i < MOST_RUNS; i++) run[i] = i;
  fprintf(stderr, "%s: break-even at %.3f and %.3f, difference %.3f to %.3f\n", what, break_even(a, run),
          break_even(b, run), low, high);
  return low > 0;
}

/* `more` must bear less of safeguards than `less`; the check rejects the reverse, and no effect at all. */
static void expect_fall(const struct sim_patch *less, const struct sim_patch *more, const char *what) {
  static struct losses a, b;
  simulate(&a, less);
  simulate(&b, more);
  cr_assert(lies_above(&a, &b, what), "the break-even does not fall with %s", what);
  cr_assert(!lies_above(&b, &a, what) && !lies_above(&a, &a, what), "the check cannot tell: %s", what);
}

Test(headline, the_break_even_falls_with_bypass, .timeout = 120) {
  expect_fall(MORE(GRID, {"safeguards.bypass", "2 %"}), MORE(GRID, {"safeguards.bypass", "20 %"}), "bypass");
}

Test(headline, the_break_even_falls_where_safeguards_are_dearer, .timeout = 120) {
#define CURVE(half)                                                                                                    \
  MORE(GRID, {"budget.lines.safeguards.curve", "saturating from 30 % to 90 % half " half " million USD/year"})
  expect_fall(CURVE("0.1"), CURVE("0.4"), "dearer safeguards");
}

/* Attacks that take more leave longer queues to the crews: their number counts for more. */
Test(headline, the_break_even_falls_with_capability_to_harm, .timeout = 120) {
#define CAPABILITY(factor) MORE(GRID, {"capability.milestones.assistant.factor", factor})
  expect_fall(CAPABILITY("1"), CAPABILITY("4"), "capability");
}
