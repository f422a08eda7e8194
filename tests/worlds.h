/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Worlds for tests: from the text of a scenario to runs of one of its arms, in this process. */
#ifndef TESTS_WORLDS_H
#define TESTS_WORLDS_H
#include "sim/core/mem.h"
#include "sim/core/world.h"
#include "sim/scenario/scenario.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct test_world {
  struct sim_scenario *scenario;
  struct sim_bound *bound;
  struct sim_graph_cache *cache;
  struct sim_world *world;
  struct sim_run *run;
  const struct sim_column *column;
  size_t columns, cells; /* cells: of the samples */
  struct sim_row row;
};

static inline void test_fail_with(const struct sim_diag *diag, const char *what) {
  for (size_t i = 0; i < diag->n; i++)
    fprintf(stderr, "%s: %s:%u: %s: %s\n", what, diag->items[i].file ? diag->items[i].file : "", diag->items[i].line,
            diag->items[i].path ? diag->items[i].path : "", diag->items[i].text);
  cr_assert_fail("%s: %s", what, diag->n ? diag->items[0].text : "no diagnostic");
}

/* Up to and with the binding of an arm (NULL: the first). */
static inline void test_world_bind(struct test_world *t, const char *text, const char *arm,
                                   const struct sim_patch *sets, size_t n_sets) {
  struct sim_diag diag = {0};
  *t = (struct test_world){0};
  if (sim_scenario_parse(&t->scenario, text, strlen(text), "test.yaml", AIRESIM_SOURCE_DIR "/tests/models", sets,
                         n_sets, &diag))
    test_fail_with(&diag, "scenario");
  size_t a = 0;
  while (arm && a < sim_scenario_arms(t->scenario) && strcmp(sim_scenario_arm(t->scenario, a), arm) != 0) a++;
  cr_assert_lt(a, sim_scenario_arms(t->scenario), "there is no such arm");
  if (sim_scenario_bind(&t->bound, t->scenario, a, NULL, 0, &diag)) test_fail_with(&diag, "binding");
  t->cache = sim_graph_cache_create();
  cr_assert_not_null(t->cache);
  sim_diag_free(&diag);
}

static inline void test_row_create(struct test_world *t) {
  const struct sim_series *series;
  const double *days;
  t->columns = sim_world_columns(t->world, &t->column);
  t->cells = sim_world_series(t->world, &series) * sim_world_samples(t->world, &days);
  t->row = (struct sim_row){.columns = sim_calloc(t->columns + 1, sizeof(double)),
                            .samples = sim_calloc(t->cells + 1, sizeof(uint16_t))};
  cr_assert(t->row.columns && t->row.samples);
}

static inline void test_world_open_with(struct test_world *t, const char *text, const char *arm,
                                        const struct sim_patch *sets, size_t n_sets) {
  struct sim_diag diag = {0};
  test_world_bind(t, text, arm, sets, n_sets);
  if (sim_world_create(&t->world, sim_bound_root(t->bound), 1, t->cache, &diag)) test_fail_with(&diag, "world");
  cr_assert_eq(sim_run_create(&t->run, t->world), 0);
  test_row_create(t);
  sim_diag_free(&diag);
}
static inline void test_world_open(struct test_world *t, const char *text) {
  test_world_open_with(t, text, NULL, NULL, 0);
}

/* The text must be refused, when it is read or when its world is made, with a message that holds `part`. */
static inline void test_refused(const char *text, const char *part) {
  struct sim_diag diag = {0};
  struct test_world t = {0};
  int ret = sim_scenario_parse(&t.scenario, text, strlen(text), "test.yaml", ".", NULL, 0, &diag);
  if (!ret) ret = sim_scenario_bind(&t.bound, t.scenario, 0, NULL, 0, &diag);
  if (!ret) {
    t.cache = sim_graph_cache_create();
    ret = sim_world_create(&t.world, sim_bound_root(t.bound), 1, t.cache, &diag);
  }
  cr_assert_eq(ret, SIM_ERR_INPUT, "accepted, but it should say: %s", part);
  bool said = false;
  for (size_t i = 0; i < diag.n; i++) said |= strstr(diag.items[i].text, part) != NULL;
  cr_assert(said, "it says \"%s\", not \"%s\"", diag.n ? diag.items[0].text : "", part);
  sim_world_free(t.world);
  sim_bound_free(t.bound);
  sim_scenario_free(t.scenario);
  sim_graph_cache_free(t.cache);
  sim_diag_free(&diag);
}

/* Executes a replicate that must not fail. */
static inline void test_world_run(struct test_world *t, uint64_t replicate) {
  cr_assert_eq(sim_run_execute(t->run, replicate, 0, &t->row), 0);
  cr_assert_str_empty(t->row.error);
}

static inline void test_world_close(struct test_world *t) {
  sim_free(t->row.columns);
  sim_free(t->row.samples);
  sim_run_free(t->run);
  sim_world_free(t->world);
  sim_bound_free(t->bound);
  sim_scenario_free(t->scenario);
  sim_graph_cache_free(t->cache);
}

/* Index of a column by variable and, where label is given, by the text of its first coordinate. */
static inline size_t test_column(const struct test_world *t, const char *variable, const char *label) {
  for (size_t c = 0; c < t->columns; c++) {
    if (strcmp(t->column[c].variable, variable) != 0) continue;
    const char *text = t->column[c].dims ? t->column[c].at[0].label : NULL;
    if (!label || (text && strcmp(text, label) == 0)) return c;
  }
  cr_assert_fail("no column %s of %s", variable, label ? label : "any");
  return 0;
}
static inline double test_value(const struct test_world *t, const char *variable) {
  return t->row.columns[test_column(t, variable, NULL)];
}

/* The same bits, NaN included. */
static inline bool test_same_bits(const double *a, const double *b, size_t n) {
  return memcmp(a, b, n * sizeof *a) == 0;
}

/* A variable of replicate 0, twice the same; label: of the variable's dimension, or NULL. */
static inline double test_outcome(const char *scenario, const char *variable, const char *label) {
  struct test_world t;
  test_world_open(&t, scenario);
  test_world_run(&t, 0);
  double value = t.row.columns[test_column(&t, variable, label)];
  test_world_run(&t, 0); /* a run leaves nothing behind */
  double again = t.row.columns[test_column(&t, variable, label)];
  cr_assert(test_same_bits(&value, &again, 1), "%s of %s: %.17g, then %.17g", variable, label ? label : "all", value,
            again);
  test_world_close(&t);
  return value;
}
static inline void test_expect(const char *scenario, const char *variable, const char *label, double value) {
  double x = test_outcome(scenario, variable, label);
  cr_assert_float_eq(x, value, 1e-6, "%s of %s: %.9g, expected %.9g", variable, label ? label : "all", x, value);
}
#endif
