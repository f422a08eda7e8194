/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Benchmarks: what the parts of `airesim bench` share. docs/bench.md is the method.
 *
 * What is timed is what `airesim run` executes: a scenario (written in memory) is parsed, bound and planned as any
 * other, and its replicates are executed one after another by one thread. Planning, with the building of the graph, is
 * not timed; the beginning and the end of a replicate are. */
#ifndef SIM_CLI_BENCH_H
#define SIM_CLI_BENCH_H
#include "sim/cli/cli.h"
#include "sim/cli/table.h"
#include "sim/experiment/layout.h"

/* ---- time ------------------------------------------------------------------------------------------------------ */

struct bench_time { /* seconds */
  double cpu, wall; /* of this thread; of the clock on the wall */
};
struct bench_time bench_now(void);
/* Adds what went by since `start`. */
void bench_add(struct bench_time *sum, const struct bench_time *start);
/* Makes the present memory the highest that bench_resident will remember; most resident since, in MB of 1e6 bytes. */
void bench_resident_reset(void);
double bench_resident(void);

/* ---- a scenario in memory -------------------------------------------------------------------------------------- */

struct bench_world { /* zero-initialise; the first arm of the scenario */
  struct sim_scenario *scenario;
  struct sim_bound *bound;
  struct sim_graph_cache *graphs;
  struct sim_world *world;
  struct sim_run *run;
  struct sim_layout layout;
  struct sim_row row; /* of the latest replicate */
};
/* Which options a part of that scenario comes from: what is wrong at the path or below it is said of them. */
struct bench_origin { /* tables end with path NULL */
  const char *path, *options;
};
/* Exit statuses, after printing what was wrong. directory: where the scenario's files are. */
int bench_world_open(struct bench_world *b, const char *text, const char *directory, int64_t seed,
                     const struct cli_command *command, const struct bench_origin *origins);
int bench_world_execute(struct bench_world *b, uint64_t replicate, struct bench_time *sum);
void bench_world_close(struct bench_world *b);
/* A variable of one number in the latest row; NaN if there is none. */
double bench_world_value(const struct bench_world *b, const char *variable);

/* ---- threads --------------------------------------------------------------------------------------------------- */

/* Threads that share the replicates of a world, each with a run of its own, so that no run waits for another. */
struct bench_threads {
  struct bench_world *world;
  struct bench_thread *thread; /* [n] */
  unsigned n;
};
/* Exit statuses. Each thread makes a replicate that is not counted, which warms its memory up. */
int bench_threads_open(struct bench_threads *t, struct bench_world *world, unsigned n, uint64_t warm_up);
struct bench_threads_sum {
  struct bench_time time; /* on the wall, from the first thread's start to the last one's end; CPU of all */
  double callbacks;
};
/* Makes replicates first to first + n - 1, each by the thread that is free. */
int bench_threads_execute(struct bench_threads *t, uint64_t first, uint64_t n, struct bench_threads_sum *sum);
void bench_threads_close(struct bench_threads *t);

/* ---- reports --------------------------------------------------------------------------------------------------- */

struct bench_field { /* text, or where that is NULL a number (NaN: missing) */
  const char *name, *text;
  double number;
};
struct bench_report {
  bool json; /* a line a row at once; else a table at the end */
  struct cli_table table;
};
void bench_report_row(struct bench_report *r, const struct bench_field *field, size_t n);
/* The table with a line of explanation below it. Returns an exit status. */
int bench_report_end(struct bench_report *r, const char *note);

/* ---- a peer ---------------------------------------------------------------------------------------------------- */

/* igraph_sir in a process of its own, on a copy of an undirected graph; rates a day. Statuses as above. */
struct bench_peer {
  int to, from; /* pipes */
  long process;
};
struct bench_peer_run {
  double cpu; /* seconds */
  double infected;
};
int bench_peer_start(struct bench_peer *p, const struct sim_graph *g, double transmission, double recovery,
                     int64_t seed);
/* A run of the peer from one random seed; with `empty` one that infects nobody. */
int bench_peer_execute(struct bench_peer *p, bool empty, struct bench_peer_run *out);
void bench_peer_end(struct bench_peer *p);

extern const struct cli_command bench_propagation, bench_queue, bench_servers, bench_random;
#endif
