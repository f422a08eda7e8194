/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recorder: hears of every change of state and keeps what the results need -- functionality Q(t), episode times,
 * statuses, declared measures, sampled curves. docs/measures.md defines each. Integer arithmetic where exactness
 * matters. */
#ifndef SIM_CORE_RECORDER_H
#define SIM_CORE_RECORDER_H
#include "sim/core/run_internal.h"

#define SIM_STATUS_FAILED 5 /* of SIM_FLAG columns, where the run failed */

/* Planning, after all instances are planned: reads root's `measures`, checks it, appends its columns to *columns (array
 * grown with sim_grow) and keeps its own plan. Strings it makes are given to sim_world_own. */
int sim_recorder_plan(struct sim_recorder_plan **out, struct sim_world *w, struct sim_column **columns, size_t *n,
                      size_t *cap, struct sim_diag *diag) SIM_MUST_CHECK;
void sim_recorder_plan_free(struct sim_recorder_plan *p);
size_t sim_recorder_series(const struct sim_recorder_plan *p, const struct sim_series **series);
size_t sim_recorder_samples(const struct sim_recorder_plan *p, const double **days);

/* Whether a replicate is first run without incidents (run->twin), for the recorder to keep its course as the target. */
bool sim_recorder_needs_twin(const struct sim_recorder_plan *p);

int sim_recorder_create(struct sim_recorder **out, const struct sim_world *w) SIM_MUST_CHECK;
void sim_recorder_free(struct sim_recorder *r);

/* Before the instances' `begin`, and after all of them (the state then is the baseline at t = 0). */
void sim_recorder_begin(struct sim_run *run);
void sim_recorder_begun(struct sim_run *run);
/* Samples, values at moments and steps of the target up to before `tick`. */
void sim_recorder_take(struct sim_run *run, int64_t tick);
/* The clock is about to move from run->now to `tick`, which is later. */
static inline void sim_recorder_advance(struct sim_run *run, int64_t tick) {
  if (tick > run->recorder_due) sim_recorder_take(run, tick);
}
/* At run->now, after the change has taken effect. */
void sim_recorder_moved(struct sim_run *run, const struct sim_machine *m, struct sim_entity *e, unsigned from,
                        unsigned to);
void sim_recorder_observed(struct sim_run *run, uint32_t observable, int64_t before, int64_t after);
void sim_recorder_incident(struct sim_run *run, const struct sim_instance *incident);
void sim_recorder_signal(struct sim_run *run, const struct sim_instance *self, unsigned signal);
/* After the last event, advanced to the horizon: writes its columns (the first ones of the row) and samples. Resets
 * what the run touched. */
void sim_recorder_end(struct sim_run *run, struct sim_row *row);
#endif
