/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/bench_edges.h"
#include "sim/core/dmath.h"
#include <stdbool.h>
#include <string.h>

enum { FULL = 1, LAPS = 2, /* purposes */ CHUNK = 64 /* edges or steps that are drawn together */ };

void bench_edges_full(const struct sim_rng *rng, uint32_t source, uint32_t stay, const uint32_t *v, uint32_t n,
                      double hazard, struct bench_hits *out) {
  struct sim_rng_edges edges = {.u = {source}, .inc_u = {stay}, .least = {sim_exp(-hazard)}, .sources = 1};
  struct sim_rng_kept kept;
  out->n = 0;
  for (uint32_t first = 0; first < n; first += CHUNK) {
    edges.n = n - first < CHUNK ? n - first : CHUNK;
    memcpy(edges.v, v + first, edges.n * sizeof *v);
    sim_rng_edges(rng, FULL, &edges, &kept);
    sim_logs(kept.draw, kept.n);
    for (uint32_t i = 0; i < kept.n; i++) {
      out->edge[out->n] = first + kept.at[i];
      out->at[out->n++] = -kept.draw[i];
    }
  }
}

/* Logarithms of n uniforms of steps first to first + n - 1: the names of edges serve, with the step as the target and
 * the lap as its stay, so that they come in lanes as those of full rows do. */
static void draw_steps(const struct sim_rng *rng, uint32_t source, uint32_t stay, uint32_t lap, uint32_t first,
                       uint32_t n, struct sim_rng_kept *kept) {
  struct sim_rng_edges edges;
  uint32_t laps[CHUNK + 16];
  edges.u[0] = source;
  edges.inc_u[0] = stay;
  edges.least[0] = 0;
  edges.sources = 1;
  edges.n = n;
  edges.inc_v = laps;
  memset(edges.source, 0, n);
  for (uint32_t i = 0; i < n; i++) {
    edges.v[i] = first + i;
    laps[i] = lap;
  }
  sim_rng_edges(rng, LAPS, &edges, kept);
  sim_logs(kept->draw, n);
}

/* About as many as the rest of the lap needs; lanes come in fours. */
static uint32_t steps_ahead(double rest) {
  return rest >= CHUNK - 4 ? CHUNK : ((uint32_t)rest / 4 + 1) * 4;
}

static void walk(const struct sim_rng *rng, uint32_t source, uint32_t stay, uint32_t lap, uint32_t n, double hazard,
                 double length, bool *seen, struct bench_hits *out) {
  double at = 0, end = n * length;
  for (uint32_t step = 0, ahead; at < end; step += ahead) {
    struct sim_rng_kept kept;
    ahead = steps_ahead(end - at);
    draw_steps(rng, source, stay, lap, step, ahead, &kept);
    for (uint32_t i = 0; i < ahead && (at -= kept.draw[i]) < end; i++) {
      uint32_t edge = (uint32_t)(at / length);
      if (edge >= n || seen[edge]) continue; /* n: rounding at the end */
      seen[edge] = true;
      double reached = lap * length + (at - edge * length);
      if (reached > hazard) continue;
      out->edge[out->n] = edge;
      out->at[out->n++] = reached;
    }
  }
}

void bench_edges_laps(const struct sim_rng *rng, uint32_t source, uint32_t stay, uint32_t n, double hazard, double lap,
                      struct bench_hits *out) {
  bool seen[BENCH_EDGES];
  memset(seen, 0, n);
  out->n = 0;
  for (uint32_t i = 0; i * lap < hazard; i++) walk(rng, source, stay, i, n, hazard, lap, seen, out);
}
