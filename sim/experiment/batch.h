/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Batches: arms x design points x replicates, run by threads into journals, gathered into one results file.
 *
 * Run index = (point * arms + arm) * replicates + replicate; results are the same whatever the order of work. */
#ifndef SIM_EXPERIMENT_BATCH_H
#define SIM_EXPERIMENT_BATCH_H
#include "sim/core/world.h"
#include "sim/experiment/journal.h"
#include "sim/experiment/mpi.h"
#include "sim/scenario/scenario.h"
#include <stdatomic.h>

struct sim_progress {
  uint64_t total, done, failed, resumed; /* runs (of this part); done counts resumed and failed ones */
  uint64_t damaged;                      /* runs in journals that failed their check and are run again */
  uint64_t points, points_reached;       /* design points, where a precision is asked for; those that reached it */
  double precision, widest;              /* the interval asked for, and the widest of all (NaN: there is none) */
  char unit[32];                         /* of both */
  double seconds, rate;                  /* since start; runs a second of this process */
  const char *phase; /* "running", "writing", "done", "part" (is done); "complete": the file was there already */
};

struct sim_batch_options {
  const char *output;       /* results.h5 */
  unsigned jobs;            /* threads; 0: cores */
  bool overwrite;           /* start again instead of resuming */
  const char *command_line; /* for provenance, or NULL */
  size_t part, parts;       /* make part 1..parts of the runs and leave the rest and the file to others; 0: all */
  struct sim_mpi *mpi;      /* share the runs among its ranks, or NULL */
  const atomic_bool *stop;  /* set by a signal handler: finish the runs in flight, keep the journal; or NULL */
  void (*progress)(void *ctx, const struct sim_progress *p); /* about ten times a second, from one thread; or NULL */
  void *ctx;
};

/* Runs what is missing of what `design` asks for (sim/experiment/stopping.h), taking runs also from a file at the
 * output that has fewer of the same, then writes the results file and removes the journals. 0, also when the results
 * file was complete already; SIM_ERR_INPUT with diag (before anything is written); SIM_ERR_INTERRUPTED (journal kept,
 * the same call resumes); SIM_ERR_IO with diag; SIM_ERR_MISMATCH with diag: a run found twice with different results.
 */
int sim_batch_run(const struct sim_scenario *s, const struct sim_batch_options *o,
                  struct sim_diag *diag) SIM_MUST_CHECK;
struct sim_merge_options {
  const char *output;        /* results.h5 */
  const char *const *source; /* directories or files of journals */
  size_t sources;
  bool allow_missing;     /* write although runs are missing; they are `not_run` */
  bool overwrite, remove; /* remove: the journals beside the output, once it is written */
  const char *command_line;
};
struct sim_merge_report {
  uint64_t total, found, failed, damaged;
};
/* Writes the results file from journals alone: in any order, of any parts; the scenario is the one in them. diag may
 * hold warnings on success: what is missing by arm, what is damaged. 0; SIM_ERR_RUN with diag: runs are missing and may
 * not be; else as sim_batch_run. */
int sim_batch_merge(const struct sim_merge_options *o, struct sim_merge_report *report,
                    struct sim_diag *diag) SIM_MUST_CHECK;
/* Runs one replicate of one arm and point with a trace, without writing; calls column for each. 0; SIM_ERR_INPUT;
 * SIM_ERR_RUN with diag if the run failed. */
int sim_batch_replay(const struct sim_scenario *s, size_t arm, size_t point, uint64_t replicate, int64_t seed,
                     const struct sim_trace *trace, void (*column)(void *ctx, const struct sim_column *c, double value),
                     void *ctx, struct sim_diag *diag) SIM_MUST_CHECK;
#endif
