/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The budget: what lines spend, what their curves buy, in which order, and that it reaches the runs. */
#include "sim/core/budget.h"
#include "worlds.h"
#include <stdlib.h>

#define TOWN                                                                                                           \
  "airesim: 1\nhorizon: 30 days\nsource: illustrative\n"                                                               \
  "society: {people: 300, layers: {meet: {graph: erdos_renyi mean_degree 8}}}\n"                                       \
  "hazards: {flu: {like: seird, layer: meet, transmission: 0.2/day}}\n"                                                \
  "incidents: {i: {starts: flu, seeds: 5 people, arrivals: day 1}}\n"                                                  \
  "sensing: {clinics: {watches: flu.ill, ascertainment: 20 % (10..40), alarm: 3 reports in 7 days}}\n"                 \
  "teams: {crew: {size: 2, cost: 9 USD/team_day}, other: {size: $teams.crew.size}}\n"                                  \
  "actions: {jab: {like: vaccination, against: flu, when: clinics.alarm, decision_delay: 1 day, team: crew, service: " \
  "2 h, efficacy: 90 %, uptake: 80 %, cost: 5 USD/dose}}\n"
#define LINES                                                                                                          \
  "budget:\n  total: 3 million USD/year\n  lines:\n"                                                                   \
  "    eyes: {share: 50 %, buys: sensing.clinics.ascertainment, curve: saturating from 30 % to 90 % half 1 million "   \
  "USD/year (0.3..3)}\n"                                                                                               \
  "    hands: {share: rest, buys: teams.crew.size, curve: linear from 4 per 300 thousand USD/year @elicited}\n"
#define ARMS                                                                                                           \
  "arms:\n  half: {}\n  same: {budget.lines.eyes.share: 0.5, budget.total: 3000 thousand USD/year}\n"                  \
  "  all_eyes: {budget.lines.eyes.share: 100 %}\n  dear: {like: half, budget.total: x 2, teams.*.cost: x 1.5}\n"
#define BASE TOWN LINES ARMS

static struct sim_scenario *parse(const char *text, const struct sim_patch *sets, size_t n) {
  struct sim_diag diag = {0};
  struct sim_scenario *s = NULL;
  int ret = sim_scenario_parse(&s, text, strlen(text), "t.yaml", NULL, sets, n, &diag);
  cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : "");
  sim_diag_free(&diag);
  return s;
}

static size_t arm_of(const struct sim_scenario *s, const char *name) {
  size_t a = 0;
  while (strcmp(sim_scenario_arm(s, a), name) != 0) a++;
  return a;
}

/* A path's number, text, source and origin under an arm. */
static void expect(const struct sim_scenario *s, const char *arm, const char *path, double number, const char *source,
                   const char *origin) {
  struct sim_path_info *at;
  size_t n = sim_scenario_paths(s, arm_of(s, arm), path, &at);
  cr_assert_eq(n, 1u, "%s in %s", path, arm);
  cr_expect_eq(at->number, number, "%s in %s: %.17g, not %.17g", path, arm, at->number, number);
  cr_expect_str_eq(at->source, source, "%s: %s", path, at->source);
  cr_expect_str_eq(at->origin, origin, "%s: %s", path, at->origin);
  sim_paths_free(at, n);
}

Test(budget, buys) {
  struct sim_scenario *s = parse(BASE, NULL, 0);
  expect(s, "half", "teams.crew.size", 9, "elicited", "budget.lines.hands");
  expect(s, "half", "teams.other.size", 9, "elicited", "t.yaml:8"); /* references see what was bought */
  expect(s, "half", "sensing.clinics.ascertainment", 0.3 + (0.9 - 0.3) * (1.5 / 2.5), "illustrative",
         "budget.lines.eyes");
  expect(s, "all_eyes", "teams.crew.size", 4, "elicited", "budget.lines.hands");
  expect(s, "all_eyes", "sensing.clinics.ascertainment", 0.3 + (0.9 - 0.3) * 0.75, "illustrative", "budget.lines.eyes");
  expect(s, "dear", "teams.crew.size", 14, "elicited", "budget.lines.hands");
  expect(s, "dear", "teams.crew.cost", 13.5, "illustrative", "t.yaml:19");
  struct sim_diag diag = {0};
  struct sim_bound *b;
  cr_assert_eq(sim_scenario_bind(&b, s, arm_of(s, "dear"), NULL, 0, &diag), 0);
  const struct sim_value *budget = sim_value_get(sim_bound_root(b), "budget");
  const struct sim_value *lines = sim_budget_lines(sim_bound_root(b));
  cr_expect_eq(sim_budget_spend(budget, sim_value_find(lines, "eyes")), 3e6);
  cr_expect_eq(sim_budget_spend(budget, sim_value_find(lines, "hands")), 3e6);
  sim_bound_free(b);
  sim_scenario_free(s);
}

/* Curves at hand-computed places; shares and limits as --set changes them. */
Test(budget, curves) {
  static const struct {
    const char *path, *text;
    double hands;
  } table[] = {
      {"budget.lines.hands.curve", "linear from 4 per 300 thousand USD/year", 9},
      {"budget.lines.hands.curve", "linear 4 per 400 thousand USD/year", 7}, /* 7.75: no part of a team */
      {"budget.lines.hands.curve", "power from 1 per 15 thousand USD/year exponent 0.5", 11},
      {"budget.lines.hands.curve", "{call: saturating, from: 20, to: 4, half: 500 thousand USD/year}", 8},
      {"budget.lines.hands.curve.from", "0", 5},
      {"budget.lines.hands.curve.per", "x 0.5", 14},
      {"budget.lines.hands.share", "10 %", 5},
      {"budget.lines.eyes.share", "80 %", 6},
      {"budget.total", "0 USD/year", 4},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct sim_patch set = {table[i].path, table[i].text};
    struct sim_scenario *s = parse(TOWN LINES, &set, 1);
    struct sim_path_info *at;
    cr_assert_eq(sim_scenario_paths(s, 0, "teams.crew.size", &at), 1u);
    cr_expect_eq(at->number, table[i].hands, "%s: %s buys %g", table[i].path, table[i].text, at->number);
    sim_paths_free(at, 1);
    sim_scenario_free(s);
  }
}

/* A design point that varies a curve's parameter moves what is bought. */
Test(budget, points) {
  struct sim_scenario *s = parse(BASE, NULL, 0);
  struct sim_diag diag = {0};
  struct sim_patch point = {"budget.lines.eyes.curve.half", "1500000 USD/year"};
  struct sim_bound *b;
  cr_assert_eq(sim_scenario_bind(&b, s, arm_of(s, "half"), &point, 1, &diag), 0);
  const struct sim_value *clinics = sim_value_find(sim_value_get(sim_bound_root(b), "sensing"), "clinics");
  cr_expect_float_eq(sim_value_number(clinics, "ascertainment"), 0.6, 1e-15);
  sim_bound_free(b);
  point = (struct sim_patch){"teams.crew.size", "7"};
  cr_expect_eq(sim_scenario_bind(&b, s, 0, &point, 1, &diag), SIM_ERR_INPUT);
  cr_expect(diag.n == 1 && strstr(diag.items[0].text, "is what `budget.lines.hands` buys"));
  sim_diag_free(&diag);
  sim_scenario_free(s);
}

/* Expanded, the section stays and buys the same; expanding twice is expanding once. */
Test(budget, expanded) {
  struct sim_scenario *s = parse(BASE, NULL, 0);
  char *once = sim_scenario_expanded(s, false), *marked = sim_scenario_expanded(s, true);
  struct sim_scenario *again = parse(once, NULL, 0);
  char *twice = sim_scenario_expanded(again, false);
  cr_expect_str_eq(once, twice);
  cr_expect_eq(sim_scenario_hash(s), sim_scenario_hash(again));
  cr_expect_not_null(strstr(marked, "    size: 9 @elicited  # budget.lines.hands\n"), "%s", marked);
  for (size_t a = 0; a < sim_scenario_arms(s); a++) {
    struct sim_path_info *x, *y;
    size_t n = sim_scenario_paths(s, a, "*", &x);
    cr_assert_eq(sim_scenario_paths(again, a, "*", &y), n);
    for (size_t i = 0; i < n; i++) cr_expect_eq(memcmp(&x[i].number, &y[i].number, sizeof(double)), 0, "%s", x[i].path);
    sim_paths_free(x, n);
    sim_paths_free(y, n);
  }
  sim_free(once);
  sim_free(marked);
  sim_free(twice);
  sim_scenario_free(again);
  sim_scenario_free(s);
}

/* Sums over replicates of all columns; bitwise in order. */
static bool same_rows(const char *a, const char *b) {
  struct test_world x, y;
  bool same = true;
  test_world_open_with(&x, BASE, a, NULL, 0);
  test_world_open_with(&y, BASE, b, NULL, 0);
  cr_assert_eq(x.columns, y.columns);
  for (uint64_t r = 0; r < 5; r++) {
    cr_assert_eq(sim_run_execute(x.run, r, 0, &x.row), 0);
    cr_assert_eq(sim_run_execute(y.run, r, 0, &y.row), 0);
    cr_assert_str_eq(x.row.error, "");
    cr_expect_float_eq(x.row.columns[test_column(&x, "budget_spend", "eyes")], 1.5e6 * 30 / 365.25, 1e-6);
    cr_expect(x.row.columns[test_column(&x, "cost", "jab")] >= 0);
    same = same && memcmp(x.row.columns, y.row.columns, x.columns * sizeof(double)) == 0 &&
           memcmp(x.row.samples, y.row.samples, x.cells * sizeof(uint16_t)) == 0 && x.row.events == y.row.events;
  }
  test_world_close(&x);
  test_world_close(&y);
  return same;
}

Test(budget, no_difference_in_money_is_no_difference) {
  cr_expect(same_rows("half", "same"));
  cr_expect(!same_rows("half", "all_eyes"), "the budget must reach the runs");
}
