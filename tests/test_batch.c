/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Designs and batches through small scenarios. */
#include "sim/core/mem.h"
#include "sim/experiment/experiment.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCENARIO                                                                                                       \
  "airesim: 1\n"                                                                                                       \
  "question: does it work\n"                                                                                           \
  "horizon: 40 days\n"                                                                                                 \
  "society: {people: 100, layers: {contacts: {graph: erdos_renyi mean_degree 6}}}\n"                                   \
  "hazards:\n"                                                                                                         \
  "  flu: {like: sir, layer: contacts, transmission: 0.3/day per contact (0.1..0.5),"                                  \
  " infectious: exponential mean 3 days (2..5)}\n"                                                                     \
  "incidents: {start: {starts: flu, seeds: 3 people, arrivals: [day 1]}}\n"                                            \
  "measures: {functionality: {people: {flu: {infectious: 50 %}}}}\n"                                                   \
  "arms: {base: {}, fixed: {hazards.flu.transmission: 0.2/day}, strong: {hazards.flu.transmission: x 2}}\n"

enum { BASE, FIXED, STRONG };

static char dir[64];
static void setup(void) {
  snprintf(dir, sizeof dir, "/tmp/airesim_batch_XXXXXX");
  cr_assert_not_null(mkdtemp(dir));
}
static void teardown(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", dir);
  cr_assert_eq(system(command), 0);
}
TestSuite(batch, .init = setup, .fini = teardown, .timeout = 300);

static char *output(const char *name) {
  static char path[4][128];
  static int turn;
  char *p = path[turn++ % 4];
  snprintf(p, 128, "%s/%s.h5", dir, name);
  return p;
}

static struct sim_scenario *load(const char *design) {
  char *text = sim_strf("%sdesign: {%s}\n", SCENARIO, design);
  struct sim_scenario *s = NULL;
  struct sim_diag diag = {0};
  int ret = sim_scenario_parse(&s, text, strlen(text), "test", ".", NULL, 0, &diag);
  cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : "");
  sim_free(text);
  sim_diag_free(&diag);
  return s;
}

static struct sim_design design_of(const struct sim_scenario *s) {
  struct sim_design d;
  struct sim_diag diag = {0};
  int ret = sim_design_init(&d, s, -1, -1, &diag);
  cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : "");
  sim_diag_free(&diag);
  return d;
}

Test(batch, without_a_sampler_one_point_as_written) {
  struct sim_scenario *s = load("replicates: 7, seed: 5, reference: strong");
  struct sim_design d = design_of(s);
  cr_assert(d.points == 1 && d.factors == 0 && d.replicates == 7 && d.seed == 5 && d.arms == 3 && d.reference == 2);
  cr_assert_eq(sim_design_runs(&d), 21);
  sim_design_free(&d);
  struct sim_diag diag = {0};
  cr_assert_eq(sim_design_init(&d, s, 0, -1, &diag), SIM_ERR_INPUT);
  sim_diag_free(&diag);
  sim_scenario_free(s);
}

Test(batch, latin_hypercube_has_one_point_a_cell) {
  struct sim_scenario *s = load("replicates: 1, sample: latin_hypercube points 50");
  struct sim_design d = design_of(s);
  cr_assert(d.factors == 2 && d.points == 50);
  for (size_t f = 0; f < 2; f++) {
    bool seen[50] = {false};
    for (size_t p = 0; p < 50; p++) {
      double u = d.cube[p * 2 + f];
      cr_assert(u > 0 && u < 1 && !seen[(size_t)(u * 50)]);
      seen[(size_t)(u * 50)] = true;
    }
  }
  sim_design_free(&d);
  sim_scenario_free(s);
}

Test(batch, sobol_and_grid_points) {
  struct sim_scenario *s = load("replicates: 1, sample: sobol points 3");
  struct sim_design d = design_of(s);
  const double sobol[] = {0.5, 0.5, 0.75, 0.25, 0.25, 0.75}; /* Bratley & Fox 1988, the origin left out */
  cr_assert_arr_eq(d.cube, sobol, sizeof sobol);
  sim_design_free(&d);
  sim_scenario_free(s);
  s = load("replicates: 1, sample: grid points 3");
  d = design_of(s);
  cr_assert_eq(d.points, 9);
  const double first[] = {0, 0, 0, 0.5, 0, 1, 0.5, 0};
  cr_assert_arr_eq(d.cube, first, sizeof first);
  sim_design_free(&d);
  sim_scenario_free(s);
}

/* The arm that fixed the value keeps it; the one that doubled it has the doubled range; texts give the bits back. */
Test(batch, patches_by_arm) {
  struct sim_scenario *s = load("replicates: 1, sample: random points 20, vary: [hazards.flu.transmission.value]");
  struct sim_design d = design_of(s);
  cr_assert_eq(d.factors, 1, "%zu factors", d.factors);
  for (size_t p = 0; p < 20; p++) {
    for (size_t arm = 0; arm < 3; arm++) {
      struct sim_patch *patch = NULL;
      size_t n = 0;
      cr_assert_eq(sim_design_patches(&d, arm, p, &patch, &n), 0);
      cr_assert_eq(n, arm != FIXED);
      struct sim_bound *b = NULL;
      struct sim_diag diag = {0};
      cr_assert_eq(sim_scenario_bind(&b, s, arm, patch, n, &diag), 0, "%s", diag.n ? diag.items[0].text : "");
      const struct sim_value *flu = sim_value_find(sim_value_get(sim_bound_root(b), "hazards"), "flu");
      double got = sim_value_number(sim_value_get(flu, "transmission"), "value");
      double low = arm == STRONG ? 0.2 : 0.1, high = arm == STRONG ? 1.0 : 0.5;
      double wanted = arm == FIXED ? 0.2 : low + d.cube[p] * (high - low);
      cr_assert(fabs(got - wanted) < 1e-15, "%.17g is not %.17g", got, wanted);
      if (arm == BASE) cr_assert_eq(got, d.value[p], "the same bits");
      sim_bound_free(b);
      sim_patches_free(patch, n);
    }
  }
  sim_design_free(&d);
  sim_scenario_free(s);
}

static struct sim_progress last;
static atomic_bool stop;
static uint64_t stop_after;
static void watch(void *ctx, const struct sim_progress *p) {
  (void)ctx;
  last = *p;
  if (stop_after && p->done >= stop_after) atomic_store(&stop, true);
}

static int run(const struct sim_scenario *s, const char *path, unsigned jobs, int64_t replicates, bool overwrite,
               char text[300]) {
  struct sim_batch_options o = {.output = path, .jobs = jobs, .overwrite = overwrite, .stop = &stop, .progress = watch};
  struct sim_diag diag = {0};
  struct sim_scenario *changed = NULL;
  char number[32];
  snprintf(number, sizeof number, "%lld", (long long)replicates);
  const struct sim_patch set = {"design.replicates", number};
  int ret = replicates >= 0 ? sim_scenario_with(&changed, s, &set, 1, &diag) : 0;
  if (ret == 0) ret = sim_batch_run(changed ? changed : s, &o, &diag);
  sim_scenario_free(changed);
  snprintf(text, 300, "%s", diag.n ? diag.items[0].text : "");
  sim_diag_free(&diag);
  return ret;
}

static void expect_equal(const char *a, const char *b) {
  char *why = NULL;
  cr_assert_eq(sim_results_equal(a, b, &why), 0, "%s", why);
}

Test(batch, threads_and_interruptions_change_nothing) {
  char text[300];
  struct sim_scenario *s = load("replicates: 400, sample: sobol points 2, draws: fresh");
  cr_assert_eq(run(s, output("one"), 1, -1, false, text), 0, "%s", text);
  cr_assert(last.done == 2400 && last.total == 2400 && strcmp(last.phase, "done") == 0);
  cr_assert_eq(run(s, output("three"), 3, -1, false, text), 0, "%s", text);
  expect_equal(output("one"), output("three"));
  int interruptions = 0;
  for (unsigned i = 0; i < 100; i++) {
    stop_after = last.phase && strcmp(last.phase, "done") != 0 ? last.done + 1 : 1;
    if (i > 8) stop_after = 0;
    atomic_store(&stop, false);
    int ret = run(s, output("resumed"), 1 + i % 2, -1, false, text);
    if (ret == 0) break;
    cr_assert_eq(ret, SIM_ERR_INTERRUPTED, "%s", text);
    interruptions++;
  }
  cr_assert_gt(interruptions, 0);
  expect_equal(output("one"), output("resumed"));
  stop_after = 0;
  atomic_store(&stop, false);
  cr_assert_eq(run(s, output("one"), 1, -1, false, text), 0);
  cr_assert_str_eq(last.phase, "complete");
  sim_scenario_free(s);
}

Test(batch, refuses_to_overwrite_other_results) {
  char text[300];
  struct sim_scenario *s = load("replicates: 5"), *other = load("replicates: 5, seed: 9");
  cr_assert_eq(run(s, output("r"), 1, -1, false, text), 0, "%s", text);
  cr_assert_eq(run(other, output("r"), 1, -1, false, text), SIM_ERR_INPUT);
  cr_assert_not_null(strstr(text, "results of another seed"), "%s", text);
  cr_assert_eq(run(s, output("r"), 1, 4, false, text), SIM_ERR_INPUT);
  cr_assert_not_null(strstr(text, "results of more replicates"), "%s", text);
  cr_assert_eq(run(other, output("r"), 1, -1, true, text), 0, "%s", text);
  int fd = open(output("text"), O_CREAT | O_WRONLY, 0666);
  cr_assert_eq(write(fd, "notes", 5), 5);
  close(fd);
  cr_assert_eq(run(s, output("text"), 1, -1, false, text), SIM_ERR_INPUT);
  cr_assert_eq(run(s, "/nowhere/at/all.h5", 1, -1, false, text), SIM_ERR_INPUT);
  cr_assert_eq(run(s, dir, 1, -1, false, text), SIM_ERR_INPUT);
  sim_scenario_free(s);
  sim_scenario_free(other);
}

struct replayed {
  double final_size, time_to_recover;
};
static void keep(void *ctx, const struct sim_column *c, double value) {
  struct replayed *r = ctx;
  if (strcmp(c->variable, "final_size") == 0) r->final_size = value;
  if (strcmp(c->variable, "time_to_recover") == 0 && c->at[0].coordinate == 0.9) r->time_to_recover = value;
}

/* One run alone is the run of the batch; and another replicate is another. */
Test(batch, replay) {
  char text[300];
  struct sim_scenario *s = load("replicates: 30, sample: sobol points 2");
  cr_assert_eq(run(s, output("r"), 2, -1, false, text), 0, "%s", text);
  struct sim_results *file = NULL;
  struct sim_diag diag = {0};
  double *size = NULL;
  cr_assert_eq(sim_results_open(&file, output("r"), &diag), 0);
  cr_assert_eq(sim_results_load(file, "final_size", &size), 0);
  size_t different = 0;
  for (size_t replicate = 0; replicate < 30; replicate++) {
    struct replayed r = {NAN, NAN};
    cr_assert_eq(sim_batch_replay(s, STRONG, 1, replicate, -1, NULL, keep, &r, &diag), 0);
    const double *of_point = size + (STRONG * 2 + 1) * 30;
    cr_assert_eq(r.final_size, of_point[replicate], "replicate %zu: %g", replicate, r.final_size);
    different += r.final_size != of_point[(replicate + 1) % 30];
  }
  cr_assert_gt(different, 0, "all runs alike: the comparison shows nothing");
  cr_assert_eq(sim_batch_replay(s, 3, 0, 0, -1, NULL, keep, NULL, &diag), SIM_ERR_INPUT);
  cr_assert_eq(sim_batch_replay(s, 0, 2, 0, -1, NULL, keep, NULL, &diag), SIM_ERR_INPUT);
  sim_free(size);
  sim_results_close(file);
  sim_diag_free(&diag);
  sim_scenario_free(s);
}
