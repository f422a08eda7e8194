/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a batch is made of: batch.c (running), merge.c (journals alone), batch_source.c (where its runs are). */
#ifndef SIM_EXPERIMENT_BATCH_INTERNAL_H
#define SIM_EXPERIMENT_BATCH_INTERNAL_H
#include "sim/experiment/batch.h"
#include "sim/experiment/outcome.h"
#include "sim/experiment/previous.h"
#include "sim/experiment/workers.h"

struct batch {
  const struct sim_scenario *scenario;
  struct sim_batch_options o;
  struct sim_design design;
  struct sim_layout *layouts; /* [arms] */
  struct sim_shape shape;
  struct sim_stopping stopping;
  struct sim_journals *journals;
  struct sim_previous *previous; /* the file at the output, where it lacks runs; or NULL */
  struct sim_pool pool;
  uint64_t *todo;            /* bits: runs to make */
  const char *const *source; /* journals to merge, or NULL */
  size_t sources;
  struct sim_progress progress;
  uint64_t made, made_failed; /* by this process (rank 0: all) in the rounds before this one */
  uint64_t failed_before;     /* among the resumed runs */
  double start;               /* monotonic seconds */
};

/* Plans all arms at the first point, so that every error is reported; keeps their layouts and the rule of stopping. */
int sim_batch_plan(struct batch *b, struct sim_diag *diag) SIM_MUST_CHECK;
/* Takes the lock and reads the journals of this process: the whole, a part or a rank. */
int sim_batch_open_journals(struct batch *b, struct sim_diag *diag) SIM_MUST_CHECK;
/* Opens the file at the output if the outcome says that it may lack runs. */
int sim_batch_open_previous(struct batch *b, int outcome, struct sim_diag *diag) SIM_MUST_CHECK;
/* Looks at the points (sim_stopping_look). SIM_ERR_INPUT with diag: the file that is there has more than is asked. */
int sim_batch_look(struct batch *b, size_t *open, struct sim_diag *diag) SIM_MUST_CHECK;
/* Is that run in the file that is there, or in a journal? */
bool sim_batch_has(const struct batch *b, size_t arm, size_t point, size_t replicate);
/* Runs of an arm that are asked and are nowhere. */
uint64_t sim_batch_missing(const struct batch *b, size_t arm);
/* Is any run that is asked for not in the file that is there? */
bool sim_batch_adds(const struct batch *b);
int sim_batch_write(struct batch *b, struct sim_diag *diag) SIM_MUST_CHECK;
/* Closes and removes the journals, unless they hold runs that the file has not: those of a longer batch. */
void sim_batch_leave_journals(struct batch *b);
void sim_batch_free(struct batch *b);
#endif
