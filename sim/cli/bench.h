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
/* Exit statuses, after printing what was wrong. directory: where the scenario's files are. */
int bench_world_open(struct bench_world *b, const char *text, const char *directory, int64_t seed);
int bench_world_execute(struct bench_world *b, uint64_t replicate, struct bench_time *sum);
void bench_world_close(struct bench_world *b);
/* A variable of one number in the latest row; NaN if there is none. */
double bench_world_value(const struct bench_world *b, const char *variable);

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
