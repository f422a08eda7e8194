/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Experiments: arms x design points x replicates, run by workers into journals, gathered into one results file.
 *
 * Run index = (point * arms + arm) * replicates + replicate; results are in that order whatever the order of work. */
#ifndef SIM_EXPERIMENT_EXPERIMENT_H
#define SIM_EXPERIMENT_EXPERIMENT_H
#include "sim/core/world.h"
#include "sim/scenario/scenario.h"
#include <stdatomic.h>

/* ---- design.h: which points ------------------------------------------------------------------------------------- */
struct sim_design {
  uint64_t seed;
  size_t arms, points, replicates;
  size_t reference;  /* arm that others are compared with */
  bool fresh;        /* the point enters the random key */
  size_t factors;    /* varied parameters */
  char **path;       /* [factors] */
  double *value;     /* [points][factors], canonical units; NULL when nothing is varied */
  char **text;       /* [points][factors] as scenario scalars, for patches */
};
/* From the scenario's `design` section; negative overrides mean "as written". */
int sim_design_init(struct sim_design *d, const struct sim_scenario *s, int64_t replicates, int64_t seed,
                    struct sim_diag *diag) SIM_MUST_CHECK;
void sim_design_free(struct sim_design *d);

/* ---- batch.h: do it --------------------------------------------------------------------------------------------- */
struct sim_batch_options {
  const char *output;         /* results.h5 */
  unsigned jobs;              /* threads; 0: cores */
  int64_t replicates, seed;   /* -1: as the scenario says */
  bool overwrite;             /* start again instead of resuming */
  const char *command_line;   /* for provenance, or NULL */
  const atomic_bool *stop;    /* set by a signal handler: finish the runs in flight, keep the journal; or NULL */
  void (*progress)(void *ctx, const struct sim_progress *p); /* about ten times a second, from one thread; or NULL */
  void *ctx;
};
struct sim_progress {
  uint64_t total, done, failed, resumed; /* runs */
  double seconds, rate;                  /* since start; runs a second of this process */
  const char *phase;                     /* "running", "writing", "done" */
};
/* Runs what is missing, then writes the results file and removes the journals. 0; SIM_ERR_INPUT with diag (before
 * anything is written); SIM_ERR_INTERRUPTED (journal kept, resumable); SIM_ERR_IO. */
int sim_batch_run(const struct sim_scenario *s, const struct sim_batch_options *o, struct sim_diag *diag)
    SIM_MUST_CHECK;
/* Runs one replicate of one arm and point with a trace, without writing. */
int sim_batch_replay(const struct sim_scenario *s, size_t arm, size_t point, uint64_t replicate, int64_t seed,
                     const struct sim_trace *trace, void (*column)(void *ctx, const struct sim_column *c, double value),
                     void *ctx, struct sim_diag *diag) SIM_MUST_CHECK;

/* ---- journal.h: finished runs, one SQLite database a worker ------------------------------------------------------- */
/* ---- results.h: the HDF5 file; the only file that includes hdf5.h is results.c (and its reader) -------------------- */
/* ---- summary.h: Kaplan-Meier, RMST, quantiles ---------------------------------------------------------------------- */
#endif
