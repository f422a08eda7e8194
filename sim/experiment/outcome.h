/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outcome: the results file of a batch: whether it is there already, and writing it from the journals. */
#ifndef SIM_EXPERIMENT_OUTCOME_H
#define SIM_EXPERIMENT_OUTCOME_H
#include "sim/experiment/batch.h"
#include "sim/experiment/design.h"
#include "sim/experiment/results.h"

/* The scenario's identity for journals: its hash without the number of replicates and the precision, so that a batch
 * may be made longer, and without the seed, which is compared on its own. */
int sim_outcome_identity(const struct sim_scenario *s, uint64_t *identity) SIM_MUST_CHECK;

enum sim_outcome {
  SIM_OUTCOME_NONE, /* nothing is at the output, or a file that may be overwritten */
  SIM_OUTCOME_SAME, /* these very results */
  SIM_OUTCOME_GAPS, /* these, without some runs: missing ones, or those that no point needed */
  SIM_OUTCOME_PART  /* results of the same batch with fewer replicates or another precision */
};
/* What is at the output; SIM_ERR_INPUT with diag: something else. */
int sim_outcome_check(const char *output, const struct sim_scenario *s, const struct sim_design *d, bool overwrite,
                      struct sim_diag *diag) SIM_MUST_CHECK;

/* Writes the file. The content's tables of runs (shape, layouts, stopping, row, counted, ctx) are given, the rest is
 * filled in. started: ISO 8601. */
int sim_outcome_write(const struct sim_scenario *s, const struct sim_batch_options *o, const struct sim_design *d,
                      const char *started, struct sim_results_content *content, struct sim_diag *diag) SIM_MUST_CHECK;

/* Time in UTC as ISO 8601, to the second. */
void sim_outcome_time(char out[32]);
#endif
