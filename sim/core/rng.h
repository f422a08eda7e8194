/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Randomness is a pure function of its name.
 *
 * There is no generator state. A draw is named by (purpose, entity, incarnation, n) within a replicate, and its value
 * is Philox4x32-10 (Salmon et al. 2011) of that name under the replicate's key. So a draw does not depend on threads,
 * on the order of work, on the arm, or on how many other draws were made.
 *
 * Layout of the 128-bit counter, words 0 to 3:   purpose | entity | incarnation | n
 * for an edge (u to v):                          purpose of hazard and layer | u | v | (inc_u & 0xffff) << 16 | (inc_v
 * & 0xffff); incarnations of 65,536 and more fold their high bits into the key, so the name stays unique. Key: two
 * words, splitmix64 of seed, replicate and (draws: fresh) design point. Word n of a name's block holds: words 0,1 ->
 * the uniform; words 2,3 -> a second independent uniform (sim_rng_uniform2). */
#ifndef SIM_CORE_RNG_H
#define SIM_CORE_RNG_H
#include <stdint.h>

#define SIM_STREAM_VERSION 1 /* of names and layout: results files and journals carry it */

struct sim_rng {
  uint32_t key[2];
};

void sim_rng_init(struct sim_rng *rng, uint64_t seed, uint64_t replicate, uint64_t point);

/* 32-bit hash of a scenario path such as "hazards.flu.transmission" (FNV-1a, then murmur3's finaliser). The world's
 * builder registers purposes and refuses collisions. */
uint32_t sim_purpose(const char *path);

void sim_rng_block(const struct sim_rng *rng, uint32_t purpose, uint32_t entity, uint32_t incarnation, uint32_t n,
                   uint32_t out[4]);
/* Uniform on the open interval (0, 1): (52-bit integer + 1/2) * 2^-52, which is exact (with 53 bits the largest would
 * round to 1). The integer is the top of word 0 (high) and word 1 (low). */
double sim_rng_uniform(const struct sim_rng *rng, uint32_t purpose, uint32_t entity, uint32_t incarnation, uint32_t n);
double sim_rng_uniform2(const struct sim_rng *rng, uint32_t purpose, uint32_t entity, uint32_t incarnation, uint32_t n);
/* Standard exponential, -log of that uniform. */
double sim_rng_exponential(const struct sim_rng *rng, uint32_t purpose, uint32_t entity, uint32_t incarnation,
                           uint32_t n);
/* Uniform integer on [0, bound), bound >= 1 (Lemire's multiply-shift on 64 bits; bias below 2^-32). */
uint32_t sim_rng_below(const struct sim_rng *rng, uint32_t purpose, uint32_t entity, uint32_t incarnation, uint32_t n,
                       uint32_t bound);
/* A keyed permutation of 0..n-1 (n >= 1): the i-th of them in a random order, and the place of a value in that order.
 * O(1) each, nothing stored. */
uint32_t sim_rng_permuted(const struct sim_rng *rng, uint32_t purpose, uint32_t n, uint32_t i);
uint32_t sim_rng_place(const struct sim_rng *rng, uint32_t purpose, uint32_t n, uint32_t value);
/* The two uniforms of an edge's name: u[0] from words 0,1 and u[1] from words 2,3. */
void sim_rng_edge(const struct sim_rng *rng, uint32_t purpose, uint32_t u, uint32_t v, uint32_t inc_u, uint32_t inc_v,
                  double out[2]);
/* The first of them for many edges of a few sources at once: of those that are at least what their source asks for,
 * `at` are the places among the named and `draw` what sim_rng_edge gives as out[0]. Many at a time where the CPU can;
 * the same bits where it cannot. */
enum { SIM_RNG_EDGES = 512, SIM_RNG_SOURCES = 8 };
struct sim_rng_edges {
  uint32_t u[SIM_RNG_SOURCES], inc_u[SIM_RNG_SOURCES];
  double least[SIM_RNG_SOURCES];
  uint32_t sources, n;                /* edges named; there is room for as many more as a vector holds */
  uint8_t source[SIM_RNG_EDGES + 16]; /* of each, below `sources` */
  uint32_t v[SIM_RNG_EDGES + 16];
  const uint32_t *inc_v; /* [n, and as many more], or NULL: 0 for all */
};
struct sim_rng_kept { /* places are written before it is known what counts: so many more, again */
  uint32_t n, at[SIM_RNG_EDGES + 16];
  double draw[SIM_RNG_EDGES + 16];
};
void sim_rng_edges(const struct sim_rng *rng, uint32_t purpose, const struct sim_rng_edges *names,
                   struct sim_rng_kept *kept);

/* The same stream as a GSL generator type, for GSL's and igraph's algorithms (graph building): a sequence under one
 * name (purpose, entity, incarnation), n counting up. */
struct sim_rng_stream {
  struct sim_rng rng;
  uint32_t purpose, entity, incarnation, n, buffer[4], left;
};
void sim_rng_stream_init(struct sim_rng_stream *s, const struct sim_rng *rng, uint32_t purpose, uint32_t entity,
                         uint32_t incarnation);
uint32_t sim_rng_stream_next32(struct sim_rng_stream *s);
double sim_rng_stream_uniform(struct sim_rng_stream *s);
#endif
