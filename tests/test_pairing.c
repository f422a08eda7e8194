/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two results files paired run by run: small made-up ones whose differences are known. */
#include "sim/core/mem.h"
#include "sim/experiment/pairing.h"
#include "sim/experiment/results.h"
#include "sim/experiment/summary.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POINTS                2
#define NEAR(x, y, tolerance) cr_assert(fabs((x) - (y)) <= (tolerance), "%.15g is not %.15g", (double)(x), (double)(y))

/* HDF5 1.10 and Criterion lose memory of their own (see test_results.c). */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libhdf5_serial\nleak:libcriterion\n";
}

static const char flags[] = "recovered relapsed_then_recovered relapsed_censored censored never_degraded failed";
static const struct sim_column columns[] = {
    {"loss", "day", "loss", SIM_F64, NULL, 1, {{"hazard", "flu", 0, NULL}}},
    {"loss", "day", "loss", SIM_F64, NULL, 1, {{"hazard", "rumour", 0, NULL}}},
    {"observed_time", "day", "watched", SIM_F64, NULL, 0, {{0}}},
    {"status", "1", "outcome", SIM_FLAG, flags, 1, {{"level", NULL, 0.9, "1"}}},
    {"time_to_recover", "day", "time to recover", SIM_F64, NULL, 1, {{"level", NULL, 0.9, "1"}}},
};
static const double days[] = {0, 10};
static const char *const arms[] = {"base", "late"}, *const others[] = {"base", "other"};
static const char *const factor[] = {"hazards.flu.latent.mean"}, *const factor_unit[] = {"day"};
static struct sim_path_info base[] = {{"a.x", "2 days", "day", "assumed", "f:1", 2, 1, 3, true},
                                      {"a.y", "same", "", "assumed", "f:2", NAN, NAN, NAN, false}};
static struct sim_path_info late[] = {{"a.x", "4 days", "day", "assumed", "f:1", 4, NAN, NAN, false},
                                      {"a.y", "same", "", "assumed", "f:2", NAN, NAN, NAN, false}};
static struct sim_path_info after[] = {{"a.x", "3 days", "day", "flu1978", "f:1", 3, NAN, NAN, false},
                                       {"a.y", "same", "", "assumed", "f:2", NAN, NAN, NAN, false},
                                       {"b.z", "new", "", "assumed", "f:3", NAN, NAN, NAN, false}};

struct file { /* what a test writes */
  const char *const *arm;
  size_t replicates, columns;
  uint64_t seed, stream;
  double value;                 /* of the factor at point 1 */
  struct sim_path_info *second; /* parameters of both arms; NULL: base and late */
  double shift;                 /* of the loss in arm base */
};
static const struct file plain = {arms, 4, 5, 7, 1, 2.5, NULL, 0};
static char dir[64], path[2][96];

/* Loss: replicate + 10 point + 100 arm (+ shift by replicate). Recovery: day 1 + replicate, but replicate 2 is censored
 * after 2.5 days (3.5 in the other file) and replicate 3 never degraded. */
static int make(void *ctx, size_t arm, size_t point, size_t replicate, struct sim_row *row) {
  const struct file *f = ctx;
  double r = (double)replicate;
  const double value[] = {(double)(100 * arm + 10 * point) + r + (arm == 0 ? f->shift * (1 + r) : 0),
                          replicate == 1 ? NAN : 5, replicate == 2 ? 2.5 + (f->shift > 0) : 20,
                          replicate == 2   ? SIM_STATUS_CENSORED
                          : replicate == 3 ? SIM_STATUS_NEVER_DEGRADED
                                           : SIM_STATUS_RECOVERED,
                          replicate < 2 ? 1 + r + f->shift : NAN};
  memcpy(row->columns, value, f->columns * sizeof *value);
  return 0;
}

static void write_file(const char *output, const struct file *f) {
  struct sim_layout layouts[2];
  struct sim_shape shape;
  struct sim_diag diag = {0};
  const struct sim_results_attribute attributes[] = {
      {"seed", NULL, f->seed}, {"stream_version", NULL, f->stream}, {"draws", "fresh", 0}};
  const double factor_value[] = {1.5, f->value};
  struct sim_path_info *parameters[] = {f->second ? f->second : base, f->second ? f->second : late};
  const size_t counts[] = {f->second ? 3 : 2, f->second ? 3 : 2};
  for (int a = 0; a < 2; a++)
    cr_assert_eq(sim_layout_init_tables(&layouts[a], columns, f->columns, NULL, 0, days, 2, 10), 0);
  cr_assert_eq(sim_shape_init(&shape, layouts, 2, &diag), 0);
  struct sim_results_content c = {.arms = 2,
                                  .points = POINTS,
                                  .replicates = f->replicates,
                                  .arm = f->arm,
                                  .layouts = layouts,
                                  .shape = &shape,
                                  .attributes = 3,
                                  .attribute = attributes,
                                  .factors = 1,
                                  .factor = factor,
                                  .factor_unit = factor_unit,
                                  .factor_value = factor_value,
                                  .parameter = parameters,
                                  .parameters = counts,
                                  .row = make,
                                  .ctx = (void *)(uintptr_t)f};
  int ret = sim_results_write(output, &c, &diag);
  cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : sim_err_text(ret));
  sim_shape_free(&shape);
  for (int a = 0; a < 2; a++) sim_layout_free(&layouts[a]);
}

static void setup(void) {
  snprintf(dir, sizeof dir, "/tmp/airesim_pairing_XXXXXX");
  cr_assert_not_null(mkdtemp(dir));
  for (int k = 0; k < 2; k++) snprintf(path[k], sizeof path[k], "%s/%d.h5", dir, k);
}
static void teardown(void) {
  for (int k = 0; k < 2; k++) unlink(path[k]);
  rmdir(dir);
}
TestSuite(pairing, .init = setup, .fini = teardown);

/* The two-way interval by hand: points 0, 2 (variance of their mean 1), replicates 1, 1 (0): t(1) = 12.7062. */
Test(pairing, interval_over_points_and_replicates) {
  const double v[] = {-1, 1, 3, 1}, hole[] = {-1, 1, 3, NAN}, one[] = {4, 6, 8}, alone[] = {3};
  struct sim_pair_difference d;
  sim_pairing_interval(v, 2, 2, false, &d);
  NEAR(d.difference, 1, 0);
  NEAR(d.high - d.low, 2 * 12.706204736432095, 1e-9);
  sim_pairing_interval(v, 2, 2, true, &d); /* the replicates' means 1, 1 add nothing */
  NEAR(d.high - d.low, 2 * 12.706204736432095, 1e-9);
  const double tilted[] = {-1, 3, 1, 5}; /* points 1, 3; replicates 0, 4: variance 1 + 4 */
  sim_pairing_interval(tilted, 2, 2, true, &d);
  NEAR(d.high - d.low, 2 * 12.706204736432095 * sqrt(5), 1e-8);
  sim_pairing_interval(hole, 2, 2, false, &d); /* points 0 and 3 */
  cr_assert_eq(d.n, 3);
  NEAR(d.difference, 1, 0);
  NEAR(d.high - d.low, 2 * 12.706204736432095 * 1.5, 1e-9);
  sim_pairing_interval(one, 1, 3, true, &d); /* replicates of one point: sd 2, t(2) = 4.30265 */
  NEAR(d.high, 6 + 4.302652729749462 * 2 / sqrt(3), 1e-9);
  sim_pairing_interval(alone, 1, 1, true, &d);
  cr_assert(d.difference == 3 && isnan(d.low) && isnan(d.high), "one pair has no interval");
}

Test(pairing, differences_by_arm_and_label) {
  struct file changed = plain;
  changed.shift = 0.5, changed.replicates = 6;
  write_file(path[0], &plain);
  write_file(path[1], &changed);
  struct sim_pairing p;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_pairing_init(&p, path[0], path[1], NULL, &diag), 0);
  cr_assert(p.arms == 2 && p.points == POINTS && p.replicates == 4 && !p.shared && p.replicates_of[1] == 6);
  struct sim_pair_difference *d = NULL;
  size_t n = 0, left = 0;
  cr_assert_eq(sim_pairing_measure(&p, "loss", &d, &n, &left, &diag), 0);
  cr_assert(n == 4 && left == 0);
  /* base, flu: -0.5 (1 + r): mean -1.25 at both points, so that the points agree without error */
  NEAR(d[0].difference, -1.25, 1e-12);
  NEAR(d[0].mean[0], 6.5, 1e-12);
  NEAR(d[0].mean[1], 7.75, 1e-12);
  NEAR(d[0].low, -1.25, 1e-12);
  cr_assert(d[0].n == 8 && d[0].lower == 1 && d[0].equal == 0 && d[0].higher == 0);
  cr_assert(d[1].n == 6 && d[1].equal == 1, "one replicate has no value in either file");
  cr_assert(d[2].arm == 1 && d[2].difference == 0 && d[2].low == 0 && d[2].high == 0 && d[2].equal == 1,
            "the other arm is the same to the bit");
  sim_free(d);
  cr_assert_eq(sim_pairing_measure(&p, "status", &d, &n, &left, &diag), 0);
  cr_assert_eq(n, 0, "flags have no difference");
  sim_free(d);
  sim_pairing_free(&p);
}

/* The window is 2.5 days, where the first file's curve ends above 0: what came later counts as that. */
Test(pairing, recovery_is_restricted) {
  struct file changed = plain;
  changed.shift = 1;
  write_file(path[0], &plain);
  write_file(path[1], &changed);
  struct sim_pairing p;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_pairing_init(&p, path[0], path[1], "base", &diag), 0);
  struct sim_pair_difference *d = NULL;
  double *until = NULL;
  size_t n = 0;
  cr_assert_eq(sim_pairing_recovery(&p, &d, &n, &until, &diag), 0);
  cr_assert_eq(n, 1);
  cr_assert_eq(until[0], 2.5);
  /* 1, 2, 2.5, 0 against 2, 2.5, 2.5, 0 */
  NEAR(d[0].mean[0], 5.5 / 4, 1e-12);
  NEAR(d[0].mean[1], 7.0 / 4, 1e-12);
  cr_assert(d[0].n == 8 && d[0].lower == 0.5 && d[0].equal == 0.25 && d[0].higher == 0,
            "two that were never seen to recover are neither equal nor not");
  sim_free(d), sim_free(until);
  sim_pairing_free(&p);
}

Test(pairing, parameters_that_differ) {
  struct file changed = plain;
  changed.second = after;
  write_file(path[0], &plain);
  write_file(path[1], &changed);
  struct sim_pairing p;
  struct sim_diag diag = {0};
  struct sim_pair_parameter *x = NULL;
  size_t n = 0;
  cr_assert_eq(sim_pairing_init(&p, path[0], path[1], NULL, &diag), 0);
  cr_assert_eq(sim_pairing_parameters(&p, &x, &n, &diag), 0);
  cr_assert_eq(n, 3);
  cr_assert(strcmp(x[0].path, "a.x") == 0 && strcmp(x[0].arms, "base") == 0 && strcmp(x[0].value[0], "2 days") == 0 &&
            strcmp(x[0].source[1], "flu1978") == 0);
  cr_assert(strcmp(x[1].path, "a.x") == 0 && strcmp(x[1].arms, "late") == 0 && strcmp(x[1].value[0], "4 days") == 0);
  cr_assert(strcmp(x[2].path, "b.z") == 0 && !x[2].arms && !*x[2].value[0] && strcmp(x[2].value[1], "new") == 0);
  sim_pairing_parameters_free(x, n);
  sim_pairing_free(&p);
}

static void expect_refusal(const struct file *f, const char *arm, const char *words) {
  struct sim_pairing p;
  struct sim_diag diag = {0};
  write_file(path[1], f);
  cr_assert_eq(sim_pairing_init(&p, path[0], path[1], arm, &diag), SIM_ERR_INPUT);
  bool found = false;
  for (size_t i = 0; i < diag.n; i++) found = found || strstr(diag.items[i].text, words);
  cr_assert(found, "%s", diag.n ? diag.items[0].text : "no message");
  sim_diag_free(&diag);
  sim_pairing_free(&p);
}

Test(pairing, refuses_what_shares_no_draws) {
  struct file f = plain;
  write_file(path[0], &plain);
  f.seed = 8;
  expect_refusal(&f, NULL, "the seed differs (7 and 8)");
  f = plain, f.stream = 2;
  expect_refusal(&f, NULL, "version of the random streams differs");
  f = plain, f.arm = others;
  expect_refusal(&f, NULL, "arm `late` is in the first file only");
  expect_refusal(&f, "late", "no arm `late` in the second file");
  f = plain, f.value = 3;
  expect_refusal(&f, NULL, "at design point 1 `hazards.flu.latent.mean` is 2.5 in the first file and 3 in the second");
  struct sim_pairing p;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_pairing_init(&p, path[0], "/nowhere/x.h5", NULL, &diag), SIM_ERR_INPUT);
  sim_pairing_free(&p);
  sim_diag_free(&diag);
}

/* Any allocation may fail: a code, and nothing leaks (the sanitizer watches). */
static size_t allowed;
static void *resize(void *ctx, void *ptr, size_t size) {
  (void)ctx;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  if (allowed == 0) return NULL;
  allowed--;
  return realloc(ptr, size);
}

static int whole(void) {
  struct sim_pairing p;
  struct sim_diag diag = {0};
  struct sim_pair_difference *d = NULL;
  struct sim_pair_parameter *x = NULL;
  double *until = NULL;
  size_t n = 0, m = 0, left;
  int ret = sim_pairing_init(&p, path[0], path[1], NULL, &diag);
  if (ret == 0) ret = sim_pairing_measure(&p, "loss", &d, &n, &left, &diag);
  sim_free(d), d = NULL;
  if (ret == 0) ret = sim_pairing_recovery(&p, &d, &n, &until, &diag);
  if (ret == 0) ret = sim_pairing_parameters(&p, &x, &m, &diag);
  sim_free(d), sim_free(until);
  sim_pairing_parameters_free(x, m);
  sim_pairing_free(&p);
  sim_diag_free(&diag);
  return ret;
}

Test(pairing, without_memory, .timeout = 120) {
  struct file changed = plain;
  changed.second = after;
  write_file(path[0], &plain);
  write_file(path[1], &changed);
  sim_mem_set(resize, NULL);
  size_t given = 0;
  int ret = SIM_ERR_MEMORY;
  while (ret) {
    allowed = given++;
    ret = whole();
    cr_assert(ret == 0 || ret == SIM_ERR_MEMORY || ret == SIM_ERR_INPUT, "%d", ret);
    cr_assert_lt(given, 10000);
  }
  cr_assert_gt(given, 100);
}
