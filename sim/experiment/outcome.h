/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outcome: the results file of a batch: whether it is there already, and writing it from the journals. */
#ifndef SIM_EXPERIMENT_OUTCOME_H
#define SIM_EXPERIMENT_OUTCOME_H
#include "sim/experiment/batch.h"
#include "sim/experiment/design.h"
#include "sim/experiment/journal.h"
#include "sim/experiment/shape.h"

/* The scenario's identity for journals: its hash without the number of replicates and the seed, which are compared on
 * their own, so that a batch may be made longer. */
int sim_outcome_identity(const struct sim_scenario *s, uint64_t *identity) SIM_MUST_CHECK;

/* What is at the output: 0 nothing (or a file that may be overwritten), 1 these very results; SIM_ERR_INPUT with diag:
 * something else. */
int sim_outcome_check(const char *output, const struct sim_scenario *s, const struct sim_design *d, bool overwrite,
                      struct sim_diag *diag) SIM_MUST_CHECK;

/* Writes the file. */
int sim_outcome_write(const struct sim_scenario *s, const struct sim_batch_options *o, const struct sim_design *d,
                      const struct sim_layout *layouts, const struct sim_shape *shape, struct sim_journals *js,
                      struct sim_diag *diag) SIM_MUST_CHECK;

/* Time in UTC as ISO 8601, to the second. */
void sim_outcome_time(char out[32]);
#endif
