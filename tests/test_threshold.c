/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threshold contagion: who becomes active and when, on graphs where it is plain. Ties of a share and its threshold are
 * decided exactly. Times and thresholds that are drawn are compared with their laws by bounds of 4.5 standard errors or
 * of Kolmogorov's test at 1e-4, which must also reject a wrong law. */
#include "worlds.h"
#include <stdlib.h>

#define RUNS 4000

/* People, layers, hazard's keys, ids of the seeds, and further sections. */
#define WORLD(people, layers, hazard, seeds, more)                                                                     \
  "airesim: 1\nhorizon: 30 days\nsociety: {people: " people ", layers: {" layers "}}"                                  \
  "\nincidents: {start: {starts: fad, at: [" seeds "], arrivals: day 0}}\n"                                            \
  "hazards:\n  fad: {like: threshold, " hazard "}\n" more                                                              \
  "measures: {declared: {active: {count: fad.active, at: day 30}, ever: {entries: fad.active}, "                       \
  "second: {first: fad.active > 1}, waiting: {integral: fad.inactive}}}\n"

static double value_of(const char *text, const char *variable) {
  struct test_world t;
  test_world_open(&t, text);
  test_world_run(&t, 0);
  double value = test_value(&t, variable);
  test_world_close(&t);
  return value;
}
static void expect_active(double expected, const char *text) {
  cr_expect_eq(value_of(text, "active"), expected, "%g active, expected %g: %s", value_of(text, "active"), expected,
               text);
}

/* ---- ties -------------------------------------------------------------------------------------------------------- */

/* A hub with k leaves, the last m active from the start; whether the hub follows. */
static bool hub_follows(unsigned k, unsigned m, const char *threshold) {
  char ids[400] = "", text[1200];
  for (unsigned i = 0; i < m; i++) snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s%u", i ? ", " : "", k - i);
  snprintf(text, sizeof text, WORLD("%u", "net: {graph: star}", "layer: net, threshold: %s", "%s", ""), k + 1, ids,
           threshold);
  return value_of(text, "active") > m;
}

Test(threshold, a_share_that_equals_the_threshold_reaches_it, .timeout = 120) {
  char threshold[40];
  for (unsigned k = 2; k <= 30; k++)
    for (unsigned m = 2; m <= k; m += 1 + k / 10) {
      snprintf(threshold, sizeof threshold, "%.12f", (double)m / k);
      cr_expect(hub_follows(k, m, threshold), "%u of %u do not reach %s", m, k, threshold);
      cr_expect_not(hub_follows(k, m - 1, threshold), "%u of %u reach %s", m - 1, k, threshold);
      snprintf(threshold, sizeof threshold, "%.12f", (m + 1e-6) / k);
      cr_expect_not(hub_follows(k, m, threshold), "%u of %u reach %s", m, k, threshold);
    }
}

Test(threshold, percentages_are_taken_as_written) {
  cr_expect(hub_follows(10, 3, "30 %") && !hub_follows(10, 2, "30 %"));
  cr_expect(hub_follows(100, 7, "7 %") && !hub_follows(100, 6, "7 %"));
  cr_expect(hub_follows(50, 29, "58 %") && !hub_follows(50, 28, "58 %"));
}

/* ---- who --------------------------------------------------------------------------------------------------------- */

Test(threshold, weights_layers_and_directions_count) {
  /* 0 hears 1 with weight 3 and 2 with weight 1. */
  expect_active(
      3, WORLD("3", "net: {nodes: people, graph: edges of \"0-1:3 0-2:1\"}", "layer: net, threshold: 75 %", "1", ""));
  expect_active(
      1, WORLD("3", "net: {nodes: people, graph: edges of \"0-1:3 0-2:1\"}", "layer: net, threshold: 76 %", "1", ""));
  /* Over a directed edge only its head hears: 1 of the two whom 0 heeds, then 3. */
  expect_active(
      3, WORLD("4", "net: {nodes: people, graph: edges of \"1>0 2>0 0>3\"}", "layer: net, threshold: 50 %", "1", ""));
  expect_active(
      1, WORLD("4", "net: {nodes: people, graph: edges of \"0>1 2>0 0>3\"}", "layer: net, threshold: 50 %", "1", ""));
#define TWO_LAYERS "net: {nodes: people, graph: edges of \"0-1 0-2\"}, web: {nodes: people, graph: edges of \"0-3\"}"
  expect_active(1, WORLD("4", TWO_LAYERS, "layer: [net, web], threshold: 50 %", "3", ""));
  expect_active(4, WORLD("4", TWO_LAYERS, "layer: [net, web], strength: {web: 2}, threshold: 50 %", "3", ""));
}

Test(threshold, counts_of_contacts) {
#define TWO_OF "layer: net, threshold: 2, by: count"
  expect_active(3, WORLD("8", "net: {graph: star}", TWO_OF, "5, 6", "") /* the hub, but no leaf has two contacts */);
}

Test(threshold, one_contact_at_least) {
  expect_active(2, WORLD("3", "net: {nodes: people, graph: edges of \"0-1\"}", "layer: net, threshold: 0 %", "0", ""));
}

/* ---- when -------------------------------------------------------------------------------------------------------- */

#define CLOSED(from, to)                                                                                               \
  "actions: {closed: {like: distancing, against: fad, layers: net, reduction: 100 %, when: day " from                  \
  ", until: day " to "}}\n"
#define PAIR(hazard, more) WORLD("2", "net: {graph: path}", "layer: net, threshold: 50 %, " hazard, "0", more)

Test(threshold, it_must_be_reached_for_the_whole_delay) {
  cr_expect_eq(value_of(PAIR("delay: 3 days", ""), "second"), 3);
  /* Shut from day 1 to day 2: the delay begins again on day 2. */
  cr_expect_eq(value_of(PAIR("delay: 3 days", CLOSED("1", "2")), "second"), 5);
  cr_expect_eq(value_of(PAIR("delay: 3 days", CLOSED("4", "5")), "second"), 3);
  cr_expect_eq(value_of(PAIR("delay: 0 days", ""), "second"), 0);
  /* A source that is active for less than that convinces nobody; for longer, it does. */
  cr_expect_eq(value_of(PAIR("delay: 3 days, lasts: 2 days", ""), "ever"), 1);
  cr_expect_eq(value_of(PAIR("delay: 3 days, lasts: 4 days", ""), "ever"), 2);
  cr_expect_eq(value_of(PAIR("delay: 3 days, lasts: 4 days", ""), "active"), 0);
}

Test(threshold, multipliers_of_a_person) {
  /* Half as susceptible: twice the threshold, so one of two contacts no longer convinces at 30 %. */
#define SHIELD(share) "actions: {warned: {like: prebunking, against: fad, when: day 0, efficacy: " share " %}}\n"
#define TRIO(more)    WORLD("3", "net: {graph: edges of \"0-1 1-2\"}", "layer: net, threshold: 30 %", "0", more)
  expect_active(3, TRIO(""));
  expect_active(3, TRIO(SHIELD("39")));
  expect_active(1, TRIO(SHIELD("41")));
  expect_active(1, TRIO(SHIELD("100")));
  /* A source of half the voice counts for half a contact. */
#define QUIET(share)                                                                                                   \
  "actions: {quiet: {like: distancing, against: fad, layers: net, when: day 0, reduction: " share " %}}\n"
  expect_active(3, TRIO(QUIET("40")));
  expect_active(1, TRIO(QUIET("41")));
}

/* ---- drawn ------------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Kolmogorov's distance of sorted values from an exponential law, over its bound of 1e-4: above 1 rejects. */
static double kolmogorov(const double *x, double mean) {
  double largest = 0;
  for (int i = 0; i < RUNS; i++) {
    double p = 1 - exp(-x[i] / mean);
    largest = fmax(largest, fmax(fabs(p - i / (double)RUNS), fabs((i + 1) / (double)RUNS - p)));
  }
  return largest / (sqrt(log(2 / 1e-4) / 2) / sqrt(RUNS));
}

Test(threshold, delays_have_their_law) {
  double *x = calloc(RUNS, sizeof *x);
  struct test_world t;
  cr_assert_not_null(x);
  test_world_open(&t, PAIR("delay: exponential mean 2 days", ""));
  for (uint64_t r = 0; r < RUNS; r++) {
    test_world_run(&t, r);
    x[r] = test_value(&t, "waiting");
  }
  test_world_close(&t);
  qsort(x, RUNS, sizeof *x, ascending);
  cr_expect_lt(kolmogorov(x, 2), 1);
  cr_expect_gt(kolmogorov(x, 2.2), 1);
  free(x);
}

/* Standard errors between the share of runs in which a hub with 3 of 10 leaves active follows, and p. */
static double errors_off(const char *threshold, double p) {
  char text[1000];
  snprintf(text, sizeof text, WORLD("11", "net: {graph: star}", "layer: net, threshold: %s", "1, 2, 3", ""), threshold);
  struct test_world t;
  test_world_open(&t, text);
  unsigned follows = 0;
  for (uint64_t r = 0; r < RUNS; r++) {
    test_world_run(&t, r);
    follows += test_value(&t, "active") > 3;
  }
  test_world_close(&t);
  return fabs(follows / (double)RUNS - p) / sqrt(p * (1 - p) / RUNS);
}

Test(threshold, thresholds_have_their_law) {
  cr_expect_lt(errors_off("uniform from 0 % to 100 %", 0.3), 4.5);
  cr_expect_lt(errors_off("exponential mean 30 %", 1 - exp(-1)), 4.5);
  cr_expect_gt(errors_off("uniform from 0 % to 90 %", 0.3), 4.5);
}

Test(threshold, a_share_starts_active) {
  expect_active(30, WORLD("100", "net: {graph: none}", "layer: net, threshold: 50 %, initial: {active: 29 %}", "99",
                          "") /* 29 drawn, and the seed unless it is one of them */);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

Test(threshold, refusals) {
  test_refused(WORLD("5", "net: {graph: homogeneous contacts 3}", "layer: net, threshold: 50 %", "0", ""),
               "layer net is homogeneous and has none");
  test_refused(WORLD("5", "net: {graph: path}", "layer: net", "0", ""), "threshold");
  test_refused(
      WORLD("5", "net: {graph: path}, other: {nodes: 3, graph: path}", "layer: [net, other], threshold: 50 %", "0", ""),
      "layer other has other nodes");
}
