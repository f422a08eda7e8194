/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws of a row of edges at once: Philox4x32-10 (Salmon et al. 2011) in eight lanes where the CPU has AVX2, the same
 * bits edge by edge elsewhere. */
#include "sim/core/rng.h"
#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__)
#include "sim/core/rng_lanes.h"

/* Appends those of the first n of four uniforms that are at least `least`. */
SIM_AVX2 void keep(const struct sim_blocks *b, uint32_t first, uint32_t n, double least, struct sim_rng_kept *k) {
  double u[4];
  __m256d x = sim_block_uniforms(b);
  unsigned mask = (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(x, _mm256_set1_pd(least), _CMP_GE_OQ));
  if (!mask) return;
  _mm256_storeu_pd(u, x);
  for (uint32_t i = 0; i < n; i++) {
    k->at[k->n] = first + i;
    k->draw[k->n] = u[i];
    k->n += mask >> i & 1;
  }
}

SIM_AVX2 __m256i widen(const uint32_t four[4]) {
  return _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(const void *)four));
}

struct names { /* what the names of a row's edges share */
  __m256i purpose, u, stay, key[2];
};

SIM_AVX2 struct sim_blocks blocks_of(const struct names *x, const uint32_t v[4], const uint32_t *inc_v) {
  __m256i stay = inc_v ? _mm256_or_si256(x->stay, widen(inc_v)) : x->stay;
  return (struct sim_blocks){{x->purpose, x->u, widen(v), stay}};
}

/* n of 4 or 8 edges, the whole of which can be read: two sets of blocks keep the multiplier busy. */
SIM_AVX2 void some_edges(const struct names *x, const uint32_t *v, const uint32_t *inc_v, uint32_t first, uint32_t n,
                         bool eight, double least, struct sim_rng_kept *kept) {
  const __m256i step0 = _mm256_set1_epi64x(SIM_PHILOX_STEP0), step1 = _mm256_set1_epi64x(SIM_PHILOX_STEP1);
  __m256i key0 = x->key[0], key1 = x->key[1];
  struct sim_blocks a = blocks_of(x, v, inc_v), b = a;
  if (eight) b = blocks_of(x, v + 4, inc_v ? inc_v + 4 : NULL);
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
    sim_philox_round(&a, key0, key1);
    if (eight) sim_philox_round(&b, key0, key1);
    key0 = _mm256_add_epi32(key0, step0);
    key1 = _mm256_add_epi32(key1, step1);
  }
  keep(&a, first, n < 4 ? n : 4, least, kept);
  if (eight) keep(&b, first + 4, n - 4, least, kept);
}

__attribute__((target("avx2"))) static void edges_avx2(const struct sim_rng *rng, uint32_t purpose, uint32_t u,
                                                       uint32_t inc_u, const uint32_t *v, const uint32_t *inc_v,
                                                       uint32_t n, double least, struct sim_rng_kept *kept) {
  const struct names x = {_mm256_set1_epi64x(purpose),
                          _mm256_set1_epi64x(u),
                          _mm256_set1_epi64x(inc_u << 16),
                          {_mm256_set1_epi64x(rng->key[0]), _mm256_set1_epi64x(rng->key[1])}};
  uint32_t i = 0;
  for (; i + 8 <= n; i += 8) some_edges(&x, v + i, inc_v ? inc_v + i : NULL, i, 8, true, least, kept);
  if (i == n) return;
  uint32_t to[8] = {0}, stay[8] = {0};
  for (uint32_t k = 0; i + k < n; k++) {
    to[k] = v[i + k];
    if (inc_v) stay[k] = inc_v[i + k];
  }
  some_edges(&x, to, inc_v ? stay : NULL, i, n - i, n - i > 4, least, kept);
}

/* Names with a stay of 65,536 or more fold into the key: no lanes for them. */
static bool lanes_fit(uint32_t inc_u, const uint32_t *inc_v, uint32_t n) {
  uint32_t any = inc_u;
  for (uint32_t i = 0; inc_v && i < n; i++) any |= inc_v[i];
  return any < 65536 && __builtin_cpu_supports("avx2");
}
#endif

void sim_rng_edges(const struct sim_rng *rng, uint32_t purpose, uint32_t u, uint32_t inc_u, const uint32_t *v,
                   const uint32_t *inc_v, uint32_t n, double least, struct sim_rng_kept *kept) {
  kept->n = 0;
#if defined(__x86_64__)
  if (lanes_fit(inc_u, inc_v, n)) {
    edges_avx2(rng, purpose, u, inc_u, v, inc_v, n, least, kept);
    return;
  }
#endif
  for (uint32_t i = 0; i < n; i++) {
    double both[2];
    sim_rng_edge(rng, purpose, u, v[i], inc_u, inc_v ? inc_v[i] : 0, both);
    kept->at[kept->n] = i;
    kept->draw[kept->n] = both[0];
    kept->n += both[0] >= least;
  }
}
