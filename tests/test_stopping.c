/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many replicates: batches that stop when an interval is narrow enough, and batches made longer. */
#include "sim/core/mem.h"
#include "sim/experiment/experiment.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCENARIO                                                                                                       \
  "airesim: 1\n"                                                                                                       \
  "horizon: 60 days\n"                                                                                                 \
  "society: {people: 60, layers: {contacts: {graph: erdos_renyi mean_degree 5}}}\n"                                    \
  "hazards:\n"                                                                                                         \
  "  flu: {like: sir, layer: contacts, transmission: 0.3/day per contact (0.1..0.5)}\n"                                \
  "incidents: {start: {starts: flu, seeds: 2 people, arrivals: [day 1]}}\n"                                            \
  "measures: {functionality: {people: {flu: {infectious: 50 %}}}}\n"                                                   \
  "arms: {base: {}, strong: {hazards.flu.transmission: x 2}}\n"                                                        \
  "design: {replicates: 40, sample: sobol points 3, reference: base}\n"

static char dir[64];
static void setup(void) {
  snprintf(dir, sizeof dir, "/tmp/airesim_stopping_XXXXXX");
  cr_assert_not_null(mkdtemp(dir));
}
static void teardown(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", dir);
  cr_assert_eq(system(command), 0);
}
TestSuite(stopping, .init = setup, .fini = teardown, .timeout = 300);

static const char *output(const char *name) {
  static char path[4][128];
  static int turn;
  char *p = path[turn++ % 4];
  snprintf(p, 128, "%s/%s.h5", dir, name);
  return p;
}

static struct sim_progress last;
static void watch(void *ctx, const struct sim_progress *p) {
  (void)ctx;
  last = *p;
}

/* Runs with replicates and precision (NULL: none); the first message in text. */
static int run(const char *name, unsigned jobs, const char *replicates, const char *precision, char text[300]) {
  struct sim_patch set[2] = {{"design.replicates", replicates}, {"design.precision", precision}};
  struct sim_scenario *s = NULL;
  struct sim_diag diag = {0};
  int ret = sim_scenario_parse(&s, SCENARIO, strlen(SCENARIO), "test", ".", set, precision ? 2 : 1, &diag);
  struct sim_batch_options o = {.output = output(name), .jobs = jobs, .progress = watch};
  if (ret == 0) ret = sim_batch_run(s, &o, &diag);
  snprintf(text, 300, "%s", diag.n ? diag.items[0].text : "");
  sim_diag_free(&diag);
  sim_scenario_free(s);
  return ret;
}

static void expect_equal(const char *a, const char *b) {
  char *why = NULL;
  cr_assert_eq(sim_results_equal(a, b, &why), 0, "%s", why);
}

static double *load(struct sim_results *r, const char *name) {
  double *value = NULL;
  cr_assert_eq(sim_results_load(r, name, &value), 0, "%s", name);
  return value;
}

static struct sim_results *open_results(const char *name) {
  struct sim_results *r = NULL;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_results_open(&r, output(name), &diag), 0);
  sim_diag_free(&diag);
  return r;
}

/* More replicates later: the same file as all at once, twice over; fewer are refused; the same are there already. */
Test(stopping, longer_is_as_if_asked_at_once) {
  char text[300];
  cr_assert_eq(run("once", 2, "70", NULL, text), 0, "%s", text);
  cr_assert_eq(run("grown", 1, "1", NULL, text), 0, "%s", text);
  cr_assert_eq(run("grown", 1, "33", NULL, text), 0, "%s", text);
  cr_assert(last.resumed == 6 && last.done == 198, "%llu from before", (unsigned long long)last.resumed);
  cr_assert_eq(run("grown", 2, "70", NULL, text), 0, "%s", text);
  cr_assert(last.resumed == 198 && last.done == 420);
  expect_equal(output("once"), output("grown"));
  cr_assert_eq(run("grown", 2, "69", NULL, text), SIM_ERR_INPUT);
  cr_assert_not_null(strstr(text, "more replicates"), "%s", text);
  cr_assert_eq(run("grown", 2, "70", NULL, text), 0, "%s", text);
  cr_assert_str_eq(last.phase, "complete");
}

/* The interval of a mean by its own formula. */
static double width_of(const double *value, size_t n) {
  double mean = 0, squares = 0;
  for (size_t i = 0; i < n; i++) mean += value[i] / (double)n;
  for (size_t i = 0; i < n; i++) squares += (value[i] - mean) * (value[i] - mean);
  return 2 * 1.959964 * sqrt(squares / (double)(n - 1) / (double)n);
}

static double worst_width(const double *value, size_t point, size_t n, size_t most) {
  double worst = 0;
  for (size_t arm = 0; arm < 2; arm++) worst = fmax(worst, width_of(value + (arm * 3 + point) * most, n));
  return worst;
}

/* Each point has the first number of the schedule at which both arms are narrow enough, and no more runs. */
Test(stopping, stops_at_the_first_look_that_is_narrow_enough) {
  enum { MOST = 500 };
  const double wanted = 0.25;
  char text[300];
  cr_assert_eq(run("a", 2, "500", "mean of resilience_loss width 0.25 floor 10", text), 0, "%s", text);
  struct sim_results *r = open_results("a");
  double *loss = load(r, "resilience_loss"), *made = load(r, "precision_replicates");
  double *reached = load(r, "precision_reached"), *width = load(r, "precision_width"), *state = load(r, "run_failed");
  bool stopped_between = false;
  for (size_t point = 0; point < 3; point++) {
    size_t n = 10, before = 0;
    while (n < MOST && worst_width(loss, point, n, MOST) > wanted) {
      before = n;
      n += (n + 1) / 2;
      if (n > MOST) n = MOST;
      if (n > (size_t)made[point]) break;
    }
    cr_assert_eq((size_t)made[point], n, "point %zu: %g, not %zu", point, made[point], n);
    cr_assert(!before || worst_width(loss, point, before, MOST) > wanted);
    cr_assert_eq(reached[point], worst_width(loss, point, n, MOST) <= wanted);
    for (size_t arm = 0; arm < 2; arm++) {
      cr_assert_float_eq(width[arm * 3 + point], width_of(loss + (arm * 3 + point) * MOST, n), 1e-6);
      for (size_t k = 0; k < MOST; k++)
        cr_assert_eq(state[(arm * 3 + point) * MOST + k] == 2, k >= n, "not_run behind");
    }
    stopped_between = stopped_between || (n > 10 && n < MOST);
  }
  cr_assert(stopped_between, "no point tells the schedule from its ends");
  sim_free(loss), sim_free(made), sim_free(reached), sim_free(width), sim_free(state);
  sim_results_close(r);
}

/* In one go or in steps, narrower or longer: the answer depends on the runs alone. */
Test(stopping, steps_make_no_difference) {
  static const char *const rules[] = {"lost_days width 1.2 day/year floor 8", "difference of resilience_loss width 0.3",
                                      "rmst width 3 days level 90 % floor 12",
                                      "rmst width 3 days runs degraded window 20 days",
                                      "quantile width 4 days share 40 %"};
  static const char *const coarse[] = {"lost_days width 3 day/year floor 8", "difference of resilience_loss width 0.6",
                                       "rmst width 6 days level 90 % floor 12",
                                       "rmst width 6 days runs degraded window 20 days",
                                       "quantile width 9 days share 40 %"};
  char text[300], once[32], steps[32];
  uint64_t fewest = UINT64_MAX;
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    snprintf(once, sizeof once, "once%zu", i), snprintf(steps, sizeof steps, "steps%zu", i);
    cr_assert_eq(run(once, 1, "600", rules[i], text), 0, "%s: %s", rules[i], text);
    fewest = last.done < fewest ? last.done : fewest;
    cr_assert_eq(run(steps, 2, "200", coarse[i], text), 0, "%s: %s", coarse[i], text);
    cr_assert_eq(run(steps, 2, "600", rules[i], text), 0, "%s: %s", rules[i], text);
    expect_equal(output(once), output(steps));
    cr_assert_eq(run(steps, 2, "600", rules[i], text), 0, "%s", text);
    cr_assert_str_eq(last.phase, "complete");
  }
  cr_assert_lt(fewest, 3600, "every rule ran to the ceiling: nothing was stopped");
  cr_assert_eq(run("steps0", 2, "600", coarse[0], text), SIM_ERR_INPUT, "what is there cannot be taken away");
  cr_assert_not_null(strstr(text, "more replicates"), "%s", text);
}

/* What was not reached is said, and the ceiling is kept. */
Test(stopping, the_ceiling_is_told) {
  char text[300];
  cr_assert_eq(run("c", 2, "20", "mean of resilience_loss width 0.001 floor 5", text), 0, "%s", text);
  cr_assert(last.points == 3 && last.points_reached == 0 && last.done == 120 && last.widest > 0.001);
  struct sim_results *r = open_results("c");
  char *reached = sim_results_attribute(r, "precision_points_reached");
  cr_assert_str_eq(reached, "0");
  sim_free(reached);
  sim_results_close(r);
}

Test(stopping, what_cannot_be_measured_is_refused) {
  static const struct {
    const char *rule, *words;
  } bad[] = {{"mean of nothing width 1", "`nothing` is no variable"},
             {"mean of status width 1", "`status` is no variable"},
             {"rmst width 1 day level 42 %", "42 % is none of"},
             {"rmst width 0 days", "more than 0"},
             {"median width 1 day", "`median` is not one of"}};
  char text[300];
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    cr_assert_eq(run("bad", 1, "20", bad[i].rule, text), SIM_ERR_INPUT, "%s", bad[i].rule);
    cr_assert_not_null(strstr(text, bad[i].words), "%s: %s", bad[i].rule, text);
  }
}
