/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A second plain reference: an outbreak without reinfection whose multipliers are all known beforehand.
 *
 * Then the day on which u would infect v is known as soon as u is infected, and the outbreak is a search for first
 * arrivals (Dijkstra 1959) that takes a moment on 10,000 nodes. Draws come from the caller: the engine's own by name,
 * which must give the same days, or independent ones, which must give the same distributions. */
#ifndef TESTS_FORESIGHT_SIM_H
#define TESTS_FORESIGHT_SIM_H
#include "sim/core/graph.h"
#include "sim/core/law.h"

/* Multipliers from a day on, until the next period begins. */
struct foresight_period {
  double from, all;
  double group[2]; /* of a person as source, and again as target */
};

struct foresight_problem {
  const struct sim_graph *graph;
  const uint8_t *group; /* [nodes] 0 or 1 */
  const struct sim_law *transmission, *infectious;
  const struct foresight_period *period; /* [periods], the first from day 0 */
  int periods;
  uint32_t seeds; /* nodes 0 .. seeds - 1 on day 0 */
  double horizon;
  double (*edge)(void *ctx, uint32_t u, uint32_t v); /* standard exponentials */
  double (*stay)(void *ctx, uint32_t u);
  void *ctx;
};

/* infected, recovered: [nodes] days, or +inf. */
void foresight_run(const struct foresight_problem *p, double *infected, double *recovered);
#endif
