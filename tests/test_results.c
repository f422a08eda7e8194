/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rows.h"
#include "sim/core/mem.h"
#include "sim/experiment/results.h"
#include "sim/experiment/results_read.h"
#include "sim/experiment/summary.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define POINTS 2

/* HDF5 1.10 loses memory of its own when it refuses a spoiled file. Ours is watched as ever. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libhdf5_serial\nleak:libcriterion\n";
}

static char dir[64], path_a[96], path_b[96];
static struct sim_layout layouts[2];
static struct sim_shape shape;
static struct sim_results_attribute attributes[] = {{"title", "a test of results", 0},
                                                    {"scenario", "as written", 0},
                                                    {"scenario_hash", "00ff", 0},
                                                    {"seed", NULL, UINT64_MAX},
                                                    {"provenance_host", "here", 0}};
static const char *const factor[] = {"hazards.flu.latent.mean"}, *const factor_unit[] = {"day"};
static const double factor_value[] = {1.5, 2.5};
static struct sim_path_info parameters_base[] = {{"a.x", "2 days", "day", "assumed", "f:1", 2, 1, 3, true},
                                                 {"a.y", "random", "", "elicited", "f:2", NAN, NAN, NAN, false}};
static struct sim_path_info parameters_late[] = {{"a.x", "4 days", "day", "assumed", "f:1", 4, NAN, NAN, false},
                                                 {"b.z", "30 %", "1", "flu1978", "f:3", 0.3, NAN, NAN, false}};
static struct sim_path_info *parameters[] = {parameters_base, parameters_late};
static const size_t parameter_count[] = {2, 2};

static double nudge; /* added to one value: to see that equality looks at it */
static bool hole;    /* one run is missing */

static int make(void *ctx, size_t arm, size_t point, size_t replicate, struct sim_row *row) {
  (void)ctx;
  if (hole && arm == 1 && point == 0 && replicate == 1) return 1;
  rows_make(&layouts[arm], arm, point, replicate, row);
  if (arm == 1 && point == 1 && replicate == 2) row->columns[1] += nudge;
  return 0;
}

static struct sim_results_content content(size_t replicates) {
  return (struct sim_results_content){.arms = 2,
                                      .points = POINTS,
                                      .replicates = replicates,
                                      .arm = rows_arms,
                                      .layouts = layouts,
                                      .shape = &shape,
                                      .attributes = 5,
                                      .attribute = attributes,
                                      .factors = 1,
                                      .factor = factor,
                                      .factor_unit = factor_unit,
                                      .factor_value = factor_value,
                                      .parameter = parameters,
                                      .parameters = parameter_count,
                                      .row = make};
}

static void write_file(const char *path, size_t replicates) {
  struct sim_results_content c = content(replicates);
  struct sim_diag diag = {0};
  int ret = sim_results_write(path, &c, &diag);
  cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : sim_err_text(ret));
}

static void setup(void) {
  snprintf(dir, sizeof dir, "/tmp/airesim_results_XXXXXX");
  cr_assert_not_null(mkdtemp(dir));
  snprintf(path_a, sizeof path_a, "%s/a.h5", dir);
  snprintf(path_b, sizeof path_b, "%s/b.h5", dir);
  struct sim_diag diag = {0};
  cr_assert_eq(rows_layouts(layouts), 0);
  cr_assert_eq(sim_shape_init(&shape, layouts, 2, &diag), 0);
}
static void teardown(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", dir);
  cr_assert_eq(system(command), 0);
  sim_shape_free(&shape);
  for (int a = 0; a < 2; a++) sim_layout_free(&layouts[a]);
}
TestSuite(results, .init = setup, .fini = teardown);

static struct sim_results *open_file(const char *path) {
  struct sim_results *r = NULL;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_results_open(&r, path, &diag), 0, "%s", diag.n ? diag.items[0].text : "");
  return r;
}

static double at(const double *v, const struct sim_variable *var, size_t arm, size_t point, size_t rep, size_t k) {
  size_t count = var->dims > 3 ? var->size[3] : 1;
  return v[((arm * var->size[1] + point) * var->size[2] + rep) * count + k];
}

Test(results, reads_back_what_was_written) {
  write_file(path_a, 6);
  struct sim_results *r = open_file(path_a);
  const struct sim_variable *v = sim_results_find(r, "time_to_recover");
  cr_assert_not_null(v);
  cr_assert_eq(v->dims, 4);
  const char *const dims[] = {"arm", "point", "replicate", "level"};
  const size_t size[] = {2, POINTS, 6, 2};
  for (int d = 0; d < 4; d++) cr_assert(strcmp(v->dim[d], dims[d]) == 0 && v->size[d] == size[d]);
  cr_assert_str_eq(v->unit, "day");
  double *x = NULL;
  cr_assert_eq(sim_results_load(r, "time_to_recover", &x), 0);
  cr_assert_eq(at(x, v, 0, 1, 4, 1), 14 + 5 / 8.0); /* levels are sorted: 0.3, 0.9 */
  cr_assert_eq(at(x, v, 0, 0, 2, 0), 3);
  cr_assert(isnan(at(x, v, 1, 0, 0, 0)), "the arm `late` has no such column");
  sim_free(x);
  v = sim_results_find(r, "final_size");
  cr_assert(v && v->integer);
  cr_assert_eq(sim_results_load(r, "final_size", &x), 0);
  cr_assert_eq(at(x, v, 0, 1, 4, 0), 4);
  cr_assert(isnan(at(x, v, 0, 1, 3, 0)), "the failed run");
  cr_assert(isnan(at(x, v, 1, 0, 0, 0)) && at(x, v, 1, 0, 2, 1) == 102 % 5);
  sim_free(x);
  v = sim_results_find(r, "status");
  cr_assert_str_eq(v->flags, ROWS_STATUS);
  cr_assert_eq(sim_results_load(r, "status", &x), 0);
  cr_assert_eq(at(x, v, 0, 1, 3, 0), SIM_STATUS_FAILED);
  sim_free(x);
  char **label = NULL, *text;
  size_t n = 0;
  cr_assert_eq(sim_results_labels(r, "arm", &label, &n), 0);
  cr_assert(n == 2 && strcmp(label[0], "base") == 0 && strcmp(label[1], "late") == 0);
  sim_results_texts_free(label, n);
  cr_assert_eq(sim_results_labels(r, "level", &label, &n), 0);
  cr_assert(n == 2 && strcmp(label[0], "0.3") == 0 && strcmp(label[1], "0.9") == 0);
  sim_results_texts_free(label, n);
  cr_assert_eq(sim_results_load_texts(r, "failure_reason", &label, &n), 0);
  cr_assert(n == 1 && strcmp(label[0], "an impossible state") == 0);
  sim_results_texts_free(label, n);
  cr_assert_str_eq(text = sim_results_attribute(r, "seed"), "18446744073709551615");
  sim_free(text);
  cr_assert_str_eq(text = sim_results_attribute(r, "runs_failed"), "1");
  sim_free(text);
  cr_assert_null(sim_results_attribute(r, "no_such"));
  sim_results_close(r);
}

Test(results, fans_come_from_all_good_runs) {
  write_file(path_a, 6);
  struct sim_results *r = open_file(path_a);
  double *fan = NULL, *histogram = NULL;
  cr_assert_eq(sim_results_load(r, "functionality_fan", &fan), 0);
  cr_assert_eq(sim_results_load(r, "functionality_histogram", &histogram), 0);
  const struct sim_variable *v = sim_results_find(r, "functionality_histogram");
  cr_assert(v->dims == 4 && v->size[2] == 4 && v->size[3] == 1001);
  double arm[2] = {0};
  for (size_t i = 0; i < 2 * 1001; i++) arm[i / 1001] += histogram[(i / 1001) * 4 * 1001 + i % 1001];
  cr_assert_eq(arm[0], 11, "12 runs, one failed");
  cr_assert_eq(arm[1], 12);
  cr_assert_eq(histogram[2 * 1001 + 32], 1, "time 2: replicate 3 of point 0; that of point 1 failed");
  sim_free(fan), sim_free(histogram);
  sim_results_close(r);
}

Test(results, equality_sees_one_bit_and_not_provenance) {
  char *why = NULL;
  write_file(path_a, 6);
  attributes[4].text = "there", attributes[1].text = "written otherwise";
  write_file(path_b, 6);
  cr_assert_eq(sim_results_equal(path_a, path_b, &why), 0, "%s", why);
  cr_assert_null(why);
  nudge = 1e-13;
  write_file(path_b, 6);
  nudge = 0;
  cr_assert_eq(sim_results_equal(path_a, path_b, &why), SIM_ERR_MISMATCH);
  cr_assert_not_null(strstr(why, "cost"), "%s", why);
  sim_free(why);
  attributes[2].text = "00fe";
  write_file(path_b, 6);
  cr_assert_eq(sim_results_equal(path_a, path_b, &why), SIM_ERR_MISMATCH);
  cr_assert_not_null(strstr(why, "scenario_hash"), "%s", why);
  sim_free(why);
  attributes[2].text = "00ff";
  write_file(path_b, 7);
  cr_assert_eq(sim_results_equal(path_a, path_b, NULL), SIM_ERR_MISMATCH);
  cr_assert_eq(sim_results_equal(path_a, "/nowhere", NULL), SIM_ERR_IO);
}

/* More runs than a block holds: the seams must not show. */
Test(results, blocks_and_missing_runs, .timeout = 300) {
  hole = true;
  write_file(path_a, 5000);
  hole = false;
  struct sim_results *r = open_file(path_a);
  const struct sim_variable *v = sim_results_find(r, "ill");
  cr_assert_eq(v->dims, 5);
  double *x = NULL, *failed = NULL, *events = NULL;
  cr_assert_eq(sim_results_load(r, "episode_start", &x), 0);
  cr_assert_eq(sim_results_load(r, "run_failed", &failed), 0);
  cr_assert_eq(sim_results_load(r, "events", &events), 0);
  for (size_t i = 0; i < 10000; i++) {
    size_t point = i / 5000, replicate = i % 5000;
    if (point == 1 && replicate == 3) continue;
    double value = (double)(point * 10 + replicate) + 0.25;
    cr_assert_eq(x[i], value, "run %zu: %g is not %g", i, x[i], value);
  }
  cr_assert_eq(failed[10001], 2, "not run");
  cr_assert(isnan(events[10001]) && failed[5003] == 1 && failed[10002] == 0);
  sim_free(x), sim_free(failed), sim_free(events);
  char *text;
  cr_assert_str_eq(text = sim_results_attribute(r, "runs_not_run"), "1");
  sim_free(text);
  sim_results_close(r);
}

Test(results, summaries_of_a_file) {
  write_file(path_a, 40);
  struct sim_results *r = open_file(path_a);
  struct sim_recovery *recovery = NULL;
  struct sim_diag diag = {0};
  size_t n = 0;
  cr_assert_eq(sim_summary_recoveries(r, NAN, &recovery, &n, &diag), 0);
  cr_assert_eq(n, 4);
  cr_assert(strcmp(recovery[0].arm, "base") == 0 && recovery[0].level == 0.3);
  cr_assert_eq(recovery[0].count[SIM_STATUS_RECOVERED], 40);
  cr_assert_eq(recovery[0].count[SIM_STATUS_CENSORED], 39);
  cr_assert_eq(recovery[0].count[SIM_STATUS_FAILED], 1);
  cr_assert_eq(recovery[2].runs, 0, "the arm `late` has no statuses");
  sim_free(recovery);
  struct sim_variable_summary *list = NULL;
  cr_assert_eq(sim_summary_variable(r, "final_size", &list, &n, &diag), 0);
  cr_assert_eq(n, 4);
  cr_assert_eq(list[1].numbers.n, 79);
  cr_assert_eq(list[2].numbers.n, 0);
  sim_free(list);
  cr_assert_eq(sim_summary_variable(r, "nonsense", &list, &n, &diag), SIM_ERR_INPUT);
  cr_assert_eq(sim_summary_variable(r, "arm", &list, &n, &diag), SIM_ERR_INPUT);
  sim_diag_free(&diag);
  sim_results_close(r);
}

static void expect_refusal(const char *path, const char *words) {
  struct sim_results *r = NULL;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_results_open(&r, path, &diag), SIM_ERR_INPUT);
  cr_assert_not_null(strstr(diag.items[0].text, words), "%s", diag.items[0].text);
  sim_diag_free(&diag);
}

Test(results, refuses_what_is_no_results_file) {
  expect_refusal("/nowhere/r.h5", "No such file");
  expect_refusal(dir, "is a directory");
  int fd = open(path_b, O_CREAT | O_WRONLY, 0666);
  cr_assert_geq(fd, 0);
  expect_refusal(path_b, "is empty");
  cr_assert_eq(write(fd, "a,b,c\n1,2,3\n", 12), 12);
  close(fd);
  expect_refusal(path_b, "is not an HDF5 file");
}

/* Cut anywhere, a file is refused or read, but never crashes. */
Test(results, truncated_files, .timeout = 120) {
  write_file(path_a, 6);
  struct stat s;
  cr_assert_eq(stat(path_a, &s), 0);
  for (int i = 1; i < 20; i++) {
    write_file(path_b, 6);
    cr_assert_eq(truncate(path_b, s.st_size * i / 20), 0);
    expect_refusal(path_b, "damaged or incomplete");
  }
}

/* Bytes overwritten in the middle: errors, not crashes. */
Test(results, spoiled_files, .timeout = 300) {
  write_file(path_a, 6);
  struct stat s;
  cr_assert_eq(stat(path_a, &s), 0);
  for (off_t at_byte = 48; at_byte < s.st_size; at_byte += s.st_size / 40) {
    write_file(path_b, 6);
    int fd = open(path_b, O_WRONLY);
    unsigned char junk[16];
    memset(junk, 0xa5, sizeof junk);
    cr_assert_eq(pwrite(fd, junk, sizeof junk, at_byte), 16);
    close(fd);
    struct sim_results *r = NULL;
    struct sim_diag diag = {0};
    if (sim_results_open(&r, path_b, &diag) == 0) {
      const struct sim_variable *v;
      size_t n = sim_results_variables(r, &v);
      for (size_t i = 0; i < n; i++) {
        double *x = NULL;
        if (!v[i].text && sim_results_load(r, v[i].name, &x) == 0) sim_free(x);
      }
      sim_results_close(r);
    }
    sim_diag_free(&diag);
  }
}

/* A full disk: refused with the system's words, and nothing stands under the output's name. */
Test(results, no_room) {
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit = {20000, RLIM_INFINITY};
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  struct sim_results_content c = content(2000);
  struct sim_diag diag = {0};
  cr_assert_eq(sim_results_write(path_a, &c, &diag), SIM_ERR_IO);
  cr_assert_eq(diag.n, 1);
  limit.rlim_cur = RLIM_INFINITY;
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  struct stat s;
  cr_assert_neq(stat(path_a, &s), 0);
  sim_diag_free(&diag);
  snprintf(path_b, sizeof path_b, "%s/missing/a.h5", dir);
  cr_assert_eq(sim_results_write(path_b, &c, &diag), SIM_ERR_IO);
  cr_assert_not_null(strstr(diag.items[0].text, path_b));
  sim_diag_free(&diag);
}

Test(results, names_of_the_file_are_refused) {
  const struct sim_column taken[] = {{"time", "day", "a measure", SIM_F64, NULL, 0, {{0}}},
                                     {"functionality_fan", "1", "a measure", SIM_F64, NULL, 0, {{0}}},
                                     {"fine", "1", "a measure", SIM_F64, NULL, 0, {{0}}}};
  struct sim_layout l;
  struct sim_shape s;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_layout_init_tables(&l, taken, 3, rows_series, 1, rows_days, 4, 30), 0);
  cr_assert_eq(sim_shape_init(&s, &l, 1, &diag), SIM_ERR_INPUT);
  cr_assert_eq(diag.n, 2);
  sim_shape_free(&s);
  sim_layout_free(&l);
  sim_diag_free(&diag);
}

/* For tests/check_netcdf.py, which names the file. */
Test(results, for_netcdf) {
  const char *path = getenv("AIRESIM_NETCDF");
  if (path) write_file(path, 6);
}
