/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two made-up arms and rows that are a function of their place: for tests of journals and results. */
#ifndef TESTS_ROWS_H
#define TESTS_ROWS_H
#include "sim/experiment/layout.h"
#include <stdio.h>

#define ROWS_STATUS  "recovered relapsed_then_recovered relapsed_censored censored never_degraded failed"
#define ROWS_HORIZON 30.0

static const struct sim_column rows_columns[] = {
    {"final_size", "people", "people ever ill", SIM_I64, NULL, 1, {{"hazard", "flu", 0, NULL}}},
    {"final_size", "people", "people ever ill", SIM_I64, NULL, 1, {{"hazard", "rumour", 0, NULL}}},
    {"episode_start", "day", "start of the episode", SIM_F64, NULL, 0, {{0}}},
    {"status", "1", "outcome", SIM_FLAG, ROWS_STATUS, 1, {{"level", NULL, 0.9, "1"}}},
    {"status", "1", "outcome", SIM_FLAG, ROWS_STATUS, 1, {{"level", NULL, 0.3, "1"}}},
    {"time_to_recover", "day", "time to recover", SIM_F64, NULL, 1, {{"level", NULL, 0.9, "1"}}},
    {"time_to_recover", "day", "time to recover", SIM_F64, NULL, 1, {{"level", NULL, 0.3, "1"}}},
    {"ill", "people", "people ill", SIM_F64, NULL, 2, {{"hazard", "flu", 0, NULL}, {"ill_time", NULL, 10, "day"}}},
    {"ill", "people", "people ill", SIM_F64, NULL, 2, {{"hazard", "flu", 0, NULL}, {"ill_time", NULL, 20, "day"}}},
};
static const struct sim_column rows_fewer[] = {
    {"final_size", "people", "people ever ill", SIM_I64, NULL, 1, {{"hazard", "rumour", 0, NULL}}},
    {"cost", "EUR", "cost of action \xc3\xa9toile", SIM_F64, NULL, 1, {{"item", "\xc3\xa9toile", 0, NULL}}},
};
static const struct sim_series rows_series[] = {
    {"functionality", "1", "functionality", "population", "people", 1, true},
    {"ill_count", "people", "people ill", NULL, NULL, 20000, false},
};
static const double rows_days[] = {0, 10, 20, 30};
static const char *const rows_arms[] = {"base", "late"};

/* Arm 0 has every column, arm 1 (`late`) two, one of them its own. Returns 0 or a code. */
static inline int rows_layouts(struct sim_layout layouts[2]) {
  int ret = sim_layout_init_tables(&layouts[0], rows_columns, sizeof rows_columns / sizeof *rows_columns, rows_series,
                                   2, rows_days, 4, ROWS_HORIZON);
  return ret ? ret
             : sim_layout_init_tables(&layouts[1], rows_fewer, sizeof rows_fewer / sizeof *rows_fewer, rows_series, 1,
                                      rows_days, 3, 20);
}

/* A pure function of the place, as runs are. Run (0, 1, 3) fails. */
static inline void rows_make(const struct sim_layout *l, size_t arm, size_t point, size_t replicate,
                             struct sim_row *row) {
  double x = (double)(arm * 100 + point * 10) + (double)replicate;
  row->error[0] = 0;
  row->events = (uint64_t)x * 3;
  if (arm == 0 && point == 1 && replicate == 3) {
    sim_row_fail(row, l, "an impossible state");
    return;
  }
  for (size_t i = 0; i < l->columns; i++) {
    row->columns[i] = l->column[i].dtype == SIM_F64 ? x + (double)i / 8 : (double)((size_t)x % 5);
  }
  if (arm == 0) {
    row->columns[4] = replicate % 2 ? 3 : 0;
    row->columns[6] = replicate % 2 ? NAN : 1 + (double)replicate;
  }
  for (size_t i = 0; i < l->series * l->samples; i++) row->samples[i] = (uint16_t)((replicate * 10 + i) % 1001);
}
#endif
