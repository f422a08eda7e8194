/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Designs: samplers, points from files, constraints, and what the results say of them. */
#include "sim/core/mem.h"
#include "sim/experiment/experiment.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Three factors, whole numbers of 1 to 9, and one that is fixed in an arm. */
#define SCENARIO                                                                                                       \
  "airesim: 1\nhorizon: 10 days\nsociety: {people: 20, layers: {contacts: {graph: erdos_renyi mean_degree 3}}}\n"      \
  "hazards: {flu: {like: sir, layer: contacts, transmission: 0.3/day per contact, infectious: exponential mean 3 "     \
  "days}}\n"                                                                                                           \
  "incidents: {start: {starts: flu, seeds: 3 people, arrivals: [day 1]}}\n"                                            \
  "measures: {functionality: {people: {flu: {infectious: 50 %}}}}\n"                                                   \
  "teams: {a: {size: 3 (1..9)}, b: {size: 5 (1..9)}, c: {size: 6 (1..9)}}\n"                                           \
  "arms: {base: {}, fixed: {teams.a.size: 4}}\n"

static char dir[64];
static void setup(void) {
  snprintf(dir, sizeof dir, "/tmp/airesim_design_XXXXXX");
  cr_assert_not_null(mkdtemp(dir));
}
static void teardown(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", dir);
  cr_assert_eq(system(command), 0);
}
TestSuite(design, .init = setup, .fini = teardown, .timeout = 120);

static void write_csv(const char *text) {
  char *path = sim_strf("%s/points.csv", dir);
  FILE *f = fopen(path, "w");
  cr_assert_not_null(f);
  fputs(text, f);
  fclose(f);
  sim_free(path);
}

static struct sim_scenario *load(const char *design) {
  char *text = sim_strf("%sdesign: {replicates: 2, %s}\n", SCENARIO, design);
  struct sim_scenario *s = NULL;
  struct sim_diag diag = {0};
  int ret = sim_scenario_parse(&s, text, strlen(text), "test", dir, NULL, 0, &diag);
  cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : "");
  sim_free(text);
  sim_diag_free(&diag);
  return s;
}

static struct sim_design make(const char *design) {
  struct sim_scenario *s = load(design);
  struct sim_design d;
  struct sim_diag diag = {0};
  int ret = sim_design_init(&d, s, -1, -1, &diag);
  cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : "");
  sim_diag_free(&diag);
  sim_scenario_free(s);
  return d;
}

static void refuse(const char *design, const char *message) {
  struct sim_scenario *s = load(design);
  struct sim_design d;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_design_init(&d, s, -1, -1, &diag), SIM_ERR_INPUT, "%s", design);
  cr_assert(diag.n == 1 && strstr(diag.items[0].text, message), "%s: %s", design, diag.items[0].text);
  sim_diag_free(&diag);
  sim_design_free(&d);
  sim_scenario_free(s);
}

/* The first points of GSL 2.7.1's Sobol' sequence in three dimensions (validation case A27), bit for bit. */
Test(design, sobol_is_gsls) {
  static const double first[8][3] = {{0.5, 0.5, 0.5},       {0.75, 0.25, 0.75},      {0.25, 0.75, 0.25},
                                     {0.375, 0.375, 0.625}, {0.875, 0.875, 0.125},   {0.625, 0.125, 0.375},
                                     {0.125, 0.625, 0.875}, {0.1875, 0.3125, 0.3125}};
  struct sim_design d = make("sample: sobol points 8");
  cr_assert(d.points == 8 && d.factors == 3 && !strcmp(d.kind, "sobol") && !d.row && !d.part);
  cr_assert_arr_eq(d.cube, first, sizeof first);
  sim_design_free(&d);
}

/* A and B are halves of a six-dimensional sequence; AB_f is A but for factor f; a longer design begins with a shorter.
 */
Test(design, saltelli_rows) {
  struct sim_design d = make("sample: saltelli points 16"), shorter = make("sample: saltelli points 5");
  cr_assert(d.points == 16 * 5 && d.base == 16 && shorter.points == 25);
  cr_assert_arr_eq(d.cube, shorter.cube, 25 * 3 * sizeof *d.cube);
  for (size_t p = 0; p < d.points; p++) {
    const double *row = d.cube + (p - p % 5) * 3, *x = d.cube + p * 3;
    cr_assert(d.row[p] == (int64_t)(p / 5) && d.part[p] == (int64_t)(p % 5));
    for (size_t f = 0; f < 3; f++) {
      bool from_b = d.part[p] == 1 || d.part[p] == (int64_t)f + 2;
      cr_assert_eq(x[f], row[from_b ? 3 + f : f]);
    }
  }
  cr_assert(d.cube[0] == 0.5 && d.cube[3] == 0.5 && d.cube[15] == 0.75 && d.cube[16] == 0.25);
  sim_design_free(&d);
  sim_design_free(&shorter);
}

/* Every step moves one factor by half the levels; each factor moves once; levels are used equally often. */
Test(design, morris_trajectories) {
  enum { R = 400, LEVELS = 6 };
  struct sim_design d = make("sample: morris trajectories 400 levels 6, seed: 3");
  cr_assert(d.points == R * 4 && d.base == R && d.levels == LEVELS);
  size_t used[LEVELS] = {0}, first[3] = {0};
  for (size_t t = 0; t < R; t++) {
    unsigned moved = 0;
    cr_assert_eq(d.part[t * 4], 0);
    first[d.part[t * 4 + 1] - 1]++;
    for (size_t k = 1; k < 4; k++) {
      const double *x = d.cube + (t * 4 + k) * 3, *before = x - 3;
      size_t f = (size_t)d.part[t * 4 + k] - 1;
      moved |= 1u << f;
      for (size_t g = 0; g < 3; g++) {
        double step = fabs(x[g] - before[g]);
        cr_assert(g == f ? fabs(step - 0.6) < 1e-12 : step == 0);
      }
    }
    cr_assert_eq(moved, 7);
    used[(size_t)lround(d.cube[t * 12] * (LEVELS - 1))]++;
  }
  for (size_t l = 0; l < LEVELS; l++) { /* binomial(400, 1/6): sd 7.5; 4.5 sd */
    cr_assert(fabs((double)used[l] - R / 6.0) < 34, "level %zu: %zu", l, used[l]);
  }
  for (size_t f = 0; f < 3; f++) cr_assert(fabs((double)first[f] - R / 3.0) < 43, "%zu", first[f]); /* sd 9.4 */
  struct sim_design other = make("sample: morris trajectories 400 levels 6, seed: 4");
  cr_assert_neq(memcmp(d.cube, other.cube, R * 12 * sizeof *d.cube), 0);
  sim_design_free(&d);
  sim_design_free(&other);
  refuse("sample: morris trajectories 4 levels 5", "an even number");
}

/* Cells are scalars with units; they set the parameter in every arm that has it, and go to the worlds as written. */
Test(design, points_from_a_file) {
  write_csv("hazards.flu.infectious.mean,teams.a.size\n36 h,2\n\"3 days\",7\n");
  struct sim_design d = make("sample: csv points.csv");
  cr_assert(d.points == 2 && d.factors == 2 && !strcmp(d.kind, "csv") && !strcmp(d.unit[0], "day"));
  const double value[] = {1.5, 2, 3, 7}, place[] = {0, 0, 1, 1};
  cr_assert_arr_eq(d.value, value, sizeof value);
  cr_assert_arr_eq(d.cube, place, sizeof place);
  for (size_t arm = 0; arm < 2; arm++) {
    struct sim_patch *patch;
    size_t n;
    cr_assert_eq(sim_design_patches(&d, arm, 0, &patch, &n), 0);
    cr_assert(n == 2 && !strcmp(patch[0].text, "36 h") && !strcmp(patch[1].path, "teams.a.size"));
    sim_patches_free(patch, n);
  }
  uint64_t hash = sim_design_hash(&d, 1);
  sim_design_free(&d);
  write_csv("hazards.flu.infectious.mean,teams.a.size\n36 h,2\n3 days,8\n");
  d = make("sample: csv points.csv");
  cr_assert_neq(sim_design_hash(&d, 1), hash);
  sim_design_free(&d);
}

Test(design, files_that_are_refused) {
  static const char *const wrong[][2] = {
      {"teams.d.size\n3\n", "`teams.d.size` is not the path of a number in any arm"},
      {"hazards.flu.rest\nsusceptible\n", "is not the path of a number"},
      {"teams.a.size,teams.a.size\n3,4\n", "stands twice"},
      {"teams.a.size\n3\n2.5\n", "teams.a.size"},
      {"teams.a.size\n3\nmany\n", "teams.a.size"},
      {"teams.a.size\n3\n3 (1..4)\n", "expected one number"},
      {"hazards.flu.infectious.mean\n3\n", "expected a duration such as `14 days`, found `3`"},
      {"teams.a.size\n", "0 design points"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    write_csv(wrong[i][0]);
    refuse("sample: csv points.csv", wrong[i][1]);
  }
}

/* What is kept meets the constraints, is what the same design without them has, and the rest is counted. */
Test(design, constraints_drop_points) {
  struct sim_design all = make("sample: random points 500"),
                    d = make("sample: random points 500, constraints: [teams.a.size < teams.b.size, teams.c.size >= "
                             "teams.b.size]");
  cr_assert(d.points > 0 && d.points + d.dropped == 500 && d.base == 500);
  size_t kept = 0;
  for (size_t p = 0; p < 500; p++) {
    const double *v = all.value + p * 3;
    if (!(v[0] < v[1] && v[2] >= v[1])) continue;
    cr_assert_arr_eq(d.value + kept * 3, v, 3 * sizeof *v);
    cr_assert_arr_eq(d.cube + kept * 3, all.cube + p * 3, 3 * sizeof *v);
    kept++;
  }
  cr_assert_eq(kept, d.points);
  sim_design_free(&all);
  sim_design_free(&d);
  write_csv("teams.a.size\n2\n7\n4\n5\n");
  d = make("sample: csv points.csv, constraints: teams.a.size <= teams.b.size"); /* b is not varied: 5 */
  const double left[] = {2, 4, 5};
  cr_assert(d.points == 3 && d.dropped == 1 && !strcmp(d.text[1], "4"));
  cr_assert_arr_eq(d.value, left, sizeof left);
  sim_design_free(&d);
}

Test(design, constraints_that_are_refused) {
  refuse("sample: random points 9, constraints: teams.a.size", "expected two paths");
  refuse("sample: random points 9, constraints: teams.a.size = teams.b.size", "expected two paths");
  refuse("sample: random points 9, constraints: teams.a.size < teams.b.size < teams.c.size", "expected two paths");
  refuse("sample: random points 9, constraints: teams.a.size < teams.d.size", "`teams.d.size` is not the path");
  refuse("sample: random points 9, constraints: teams.a.size < hazards.flu.infectious.mean", "has the unit");
  refuse("sample: random points 9, vary: teams.a.size, constraints: teams.b.size < teams.c.size", "varies neither");
  refuse("sample: random points 9, constraints: teams.a.size < teams.a.size", "all 9 were dropped");
  refuse("sample: saltelli points 9, constraints: teams.a.size < teams.b.size", "which the design `saltelli`");
}

/* Too many factors for GSL: 40 dimensions, of which saltelli takes two a factor. */
Test(design, limits_of_the_sequence) {
  char text[4096], *at = text;
  at += sprintf(at, "airesim: 1\nhorizon: 1 day\nteams: {");
  for (unsigned i = 0; i < 41; i++) at += sprintf(at, "%st%u: {size: 3 (1..9)}", i ? ", " : "", i);
  const char *const sample[] = {"sobol points 4", "saltelli points 4"};
  const char *const message[] = {"sobol takes at most 40 factors", "saltelli takes at most 20 factors"};
  for (size_t i = 0; i < 2; i++) {
    sprintf(at, "}\ndesign: {sample: %s}\n", sample[i]);
    struct sim_scenario *s = NULL;
    struct sim_design d;
    struct sim_diag diag = {0};
    cr_assert_eq(sim_scenario_parse(&s, text, strlen(text), "test", dir, NULL, 0, &diag), 0, "%s",
                 diag.n ? diag.items[0].text : "");
    cr_assert_eq(sim_design_init(&d, s, -1, -1, &diag), SIM_ERR_INPUT);
    cr_assert(strstr(diag.items[0].text, message[i]), "%s", diag.items[0].text);
    sim_diag_free(&diag);
    sim_design_free(&d);
    sim_scenario_free(s);
  }
}

/* The file alone says what the design is; a changed file of points is another design. */
Test(design, results_hold_the_design) {
  struct sim_scenario *s = load("sample: saltelli points 4");
  char *path = sim_strf("%s/r.h5", dir);
  struct sim_batch_options o = {.output = path, .jobs = 1};
  struct sim_diag diag = {0};
  cr_assert_eq(sim_batch_run(s, &o, &diag), 0, "%s", diag.n ? diag.items[0].text : "");
  sim_scenario_free(s);
  struct sim_results *r = NULL;
  struct sim_sensitivity found;
  cr_assert_eq(sim_results_open(&r, path, &diag), 0);
  cr_assert_eq(sim_sensitivity_read(&found, r, "events", 0, 0, &diag), 0, "%s", diag.n ? diag.items[0].text : "");
  cr_assert(found.sobol && found.rows == 4 && found.factors == 3 && found.points == 20 && found.runs == 40);
  cr_assert(found.noise >= 0 && !strcmp(found.path[2], "teams.c.size"));
  cr_assert_float_eq(found.part[6], 1, 0);
  sim_sensitivity_free(&found);
  cr_assert_eq(sim_sensitivity_read(&found, r, "nothing", 0, 0, &diag), SIM_ERR_INPUT);
  sim_sensitivity_free(&found);
  sim_diag_free(&diag);
  sim_results_close(r);
  sim_free(path);

  write_csv("teams.a.size\n2\n7\n");
  s = load("sample: csv points.csv");
  o.output = path = sim_strf("%s/c.h5", dir);
  cr_assert_eq(sim_batch_run(s, &o, &diag), 0, "%s", diag.n ? diag.items[0].text : "");
  cr_assert_eq(sim_batch_run(s, &o, &diag), 0); /* complete */
  write_csv("teams.a.size\n2\n8\n");
  cr_assert_eq(sim_batch_run(s, &o, &diag), SIM_ERR_INPUT);
  cr_assert(strstr(diag.items[0].text, "other design points"), "%s", diag.items[0].text);
  sim_diag_free(&diag);
  sim_scenario_free(s);
  sim_free(path);
}
