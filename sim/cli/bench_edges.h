/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of a source's edges transmit during its stay, and when: two ways of drawing it, of the same law.
 *
 * An edge transmits when its cumulative hazard reaches a standard exponential, so in a stay in which every edge comes
 * to the cumulative hazard L(T), with probability 1 - exp(-L(T)).
 *
 * Full rows, which the contagion model uses: each edge has a uniform of its own name; most are refused without a
 * logarithm. Laps (after the hazard skip of kinetic Monte Carlo): edges are laid end to end, each of one fixed length
 * of cumulative hazard, and walked by exponential steps that are named by (source, stay, lap, step); the first point on
 * an edge is its time, and what lies beyond L(T) is refused. A second lap covers the next length of each edge. As the
 * length does not follow the rates, these do not rename draws, and one edge can be found again by walking its laps. */
#ifndef SIM_CLI_BENCH_EDGES_H
#define SIM_CLI_BENCH_EDGES_H
#include "sim/core/rng.h"

enum { BENCH_EDGES = 128 }; /* of a source at most */

struct bench_hits { /* edges that transmit; rows: by edge; laps: by lap, then edge */
  uint32_t n, edge[BENCH_EDGES];
  double at[BENCH_EDGES]; /* cumulative hazard, at most L(T) */
};
/* v: [n] names of the targets. */
void bench_edges_full(const struct sim_rng *rng, uint32_t source, uint32_t stay, const uint32_t *v, uint32_t n,
                      double hazard, struct bench_hits *out);
void bench_edges_laps(const struct sim_rng *rng, uint32_t source, uint32_t stay, uint32_t n, double hazard, double lap,
                      struct bench_hits *out);
#endif
