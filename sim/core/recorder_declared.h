/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Declared measures: numbers that a scenario asks for by name. docs/measures.md defines each kind. */
#ifndef SIM_CORE_RECORDER_DECLARED_H
#define SIM_CORE_RECORDER_DECLARED_H
#include "sim/core/recorder_internal.h"

extern const struct sim_param sim_declared_params[]; /* one entry of measures.declared */

/* Where a world's columns grow. */
struct sim_columns {
  struct sim_column **array;
  size_t *n, *cap;
};
int sim_columns_add(struct sim_columns *c, const struct sim_column *column) SIM_MUST_CHECK;

/* Reports that nothing is called `wanted`, with the candidates that look most like it. */
struct sim_nearest {
  const char *wanted;
  char name[3][96];
  unsigned distance[3], n;
};
void sim_nearest_offer(struct sim_nearest *n, const char *candidate);
int sim_nearest_report(const struct sim_nearest *n, const struct sim_value *at, const char *what,
                       struct sim_diag *diag);

/* Resolves every entry (declared may be NULL or absent): fills p->declared, p->due, and gives gauges to the observables
 * read. Wrong entries are reported; the code is that of memory only. */
int sim_declared_plan(struct sim_recorder_plan *p, struct sim_world *w, const struct sim_value *declared,
                      struct sim_diag *diag) SIM_MUST_CHECK;
int sim_declared_columns(const struct sim_recorder_plan *p, struct sim_world *w,
                         struct sim_columns *columns) SIM_MUST_CHECK;

void sim_declared_begin(struct sim_recorder *r);
/* An observable's gauge holds its value from `now` on: tells the measures that read it, and gives it its band. */
void sim_declared_hear(struct sim_recorder *r, uint32_t gauge, int64_t now);
/* The state at due->tick is final, and is still the run's. */
void sim_declared_due(struct sim_run *run, const struct sim_recorder_due *due);
/* Writes its columns, in the order of sim_declared_columns; returns the place after the last. */
double *sim_declared_write(const struct sim_run *run, double *column);
#endif
