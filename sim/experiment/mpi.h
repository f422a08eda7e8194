/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ranks: processes started together by mpirun or srun that share one batch. The only file that knows MPI is mpi.c;
 * built without it, or started without a launcher, there is one rank and nothing here costs anything.
 *
 * Rank 0 hands out ranges of the list of missing runs: another rank's worker asks (one message there, one back) when it
 * has nothing left, and with the question reports what it made. MPI is called by one thread at a time of each rank. */
#ifndef SIM_EXPERIMENT_MPI_H
#define SIM_EXPERIMENT_MPI_H
#include "sim/core/err.h"
#include <stdbool.h>
#include <stdint.h>

struct sim_mpi; /* NULL everywhere means: one rank */

/* Starts MPI if a launcher started this process with others; *out stays NULL otherwise. SIM_ERR_LIMIT: a launcher did,
 * but this build has no MPI, or it gives no thread safety (then the ranks would all do the same work). */
int sim_mpi_start(struct sim_mpi **out) SIM_MUST_CHECK;
/* Waits for the others. */
void sim_mpi_end(struct sim_mpi *m);
/* 0 and 1 for NULL. */
unsigned sim_mpi_rank(const struct sim_mpi *m);
unsigned sim_mpi_size(const struct sim_mpi *m);
/* Library and its version, "" for NULL. */
const char *sim_mpi_library(const struct sim_mpi *m);

/* Collective: the lowest rank whose code is not 0, or -1. For NULL: 0 or -1. */
int sim_mpi_first_failed(struct sim_mpi *m, int code);
/* Collective: rank 0's bytes to all. */
void sim_mpi_share(struct sim_mpi *m, void *data, size_t n);

/* All ranks but 0 take part again: before each list of runs that they share. */
void sim_mpi_begin(struct sim_mpi *m);

struct sim_mpi_range { /* places in the list of missing runs */
  uint64_t first, count;
};
/* Another rank's question: up to `wanted` runs; tells how many it made and how many of them failed since the last
 * message. count 0: nothing is left. */
struct sim_mpi_range sim_mpi_ask(struct sim_mpi *m, uint64_t wanted, uint64_t made, uint64_t failed);
/* Another rank's last message, after its journals are closed. */
void sim_mpi_leave(struct sim_mpi *m, int code, const char *why, uint64_t made, uint64_t failed);

struct sim_mpi_message { /* as rank 0 hears it */
  uint64_t wanted, made, failed;
  bool left; /* its last one */
  int code;
  unsigned rank;
  char why[300];
};
/* Rank 0: the next message that is there already; answer it with sim_mpi_answer unless `left`. */
bool sim_mpi_hear(struct sim_mpi *m, struct sim_mpi_message *message);
void sim_mpi_answer(struct sim_mpi *m, unsigned rank, struct sim_mpi_range range);
/* Other ranks that have not left; 0 for NULL. */
unsigned sim_mpi_others(const struct sim_mpi *m);
#endif
