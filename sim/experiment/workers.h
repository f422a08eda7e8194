/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workers: threads that make the missing runs of a batch, each into its own journal.
 *
 * The runs to make are a list, in order of run index; it may be one part of several (a shard) or be shared by ranks.
 *
 * Runs are handed out as blocks of consecutive run indices of one world, about half a second's work each and smaller
 * towards the end, so that threads end together. A world is planned when its first block is handed out and freed when
 * its last is done; whoever comes second waits. No result depends on who made it. */
#ifndef SIM_EXPERIMENT_WORKERS_H
#define SIM_EXPERIMENT_WORKERS_H
#include "sim/experiment/batch.h"
#include "sim/experiment/design.h"
#include "sim/experiment/journal.h"
#include "sim/experiment/mpi.h"
#include <pthread.h>

struct sim_slot { /* one arm at one point */
  struct sim_bound *bound;
  struct sim_world *world;
  char *error; /* why it cannot be planned: its runs fail with this */
  size_t users;
};

struct sim_pool {
  const struct sim_scenario *scenario;
  const struct sim_design *design;
  const struct sim_layout *layouts; /* [arms] */
  struct sim_journals *journals;
  struct sim_graph_cache *graphs;
  struct sim_slot *slot; /* [points][arms] */
  struct sim_mpi *mpi;   /* whose ranks share `todo`, or NULL */
  const uint64_t *todo;  /* bit i % 64 of word i / 64: run index i is to be made */
  uint64_t asked;        /* bits set in it */
  unsigned jobs;
  const atomic_bool *stop; /* or NULL */

  pthread_mutex_t lock;       /* of the cursor, slots' users, and what follows */
  pthread_mutex_t planning;   /* held while a world is planned */
  pthread_cond_t ended;       /* a worker ended */
  uint64_t handed;            /* places of the list handed out; of other ranks than 0: as last heard */
  struct sim_mpi_range range; /* what this process has to hand out next */
  size_t cursor;              /* run index at place `at` of the list, or before it */
  size_t swept;               /* slots before it have no block left: their worlds go when nobody uses them */
  uint64_t at;
  uint64_t told, told_failed; /* of `done` and `failed`: reported to rank 0 */
  unsigned running;           /* workers alive */
  int ret;                    /* first error */
  char why[300];
  atomic_bool halt;
  atomic_uint_fast64_t done, failed; /* by this process; at rank 0 by all */
};

/* Plans the world of a slot from the scenario. */
int sim_slot_plan(struct sim_slot *slot, const struct sim_scenario *s, const struct sim_design *d, size_t arm,
                  size_t point, struct sim_graph_cache *graphs, struct sim_diag *diag) SIM_MUST_CHECK;
void sim_slot_free(struct sim_slot *slot);

/* Makes all runs of the list; calls tick(ctx) about ten times a second from this thread meanwhile. The fields down to
 * `stop` are given. Rank 0 returns when all have; the others must tell it (sim_mpi_leave) after closing their journals,
 * and return 0 even if interrupted. 0; SIM_ERR_INTERRUPTED; SIM_ERR_IO or SIM_ERR_MEMORY with `why`. What was made is
 * committed. */
int sim_pool_run(struct sim_pool *pool, void (*tick)(void *ctx), void *ctx) SIM_MUST_CHECK;
#endif
