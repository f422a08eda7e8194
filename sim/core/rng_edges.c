/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws of a row of edges at once: Philox4x32-10 (Salmon et al. 2011) in eight lanes where the CPU has AVX2, in sixteen
 * where it has AVX-512, the same bits edge by edge elsewhere. */
#include "sim/core/lanes.h"
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

SIM_TARGET_AVX2 static void edges_avx2(const struct sim_rng *rng, uint32_t purpose, uint32_t u, uint32_t inc_u,
                                       const uint32_t *v, const uint32_t *inc_v, uint32_t n, double least,
                                       struct sim_rng_kept *kept) {
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

struct names8 { /* what the names of a row's edges share */
  __m512i purpose, u, stay;
};

/* The first n of eight edges, or fewer. */
SIM_AVX512 __mmask8 first_of_eight(uint32_t n) {
  return n >= 8 ? 0xff : (__mmask8)((1u << n) - 1);
}

SIM_AVX512 struct sim_blocks8 blocks8_of(const struct names8 *x, const uint32_t *v, const uint32_t *inc_v,
                                         __mmask8 here) {
  __m512i stay = x->stay;
  if (inc_v) stay = _mm512_or_si512(stay, _mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(here, inc_v)));
  return (struct sim_blocks8){{x->purpose, x->u, _mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(here, v)), stay}};
}

/* Appends those of eight uniforms that are at least `least`. */
SIM_AVX512 void keep8(const struct sim_blocks8 *b, uint32_t first, __mmask8 here, double least,
                      struct sim_rng_kept *k) {
  __m512d x = sim_block_uniforms8(b);
  __mmask8 mask = _mm512_mask_cmp_pd_mask(here, x, _mm512_set1_pd(least), _CMP_GE_OQ);
  __m256i place = _mm256_add_epi32(_mm256_set1_epi32((int)first), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
  _mm512_storeu_pd(k->draw + k->n, _mm512_maskz_compress_pd(mask, x));
  _mm256_storeu_si256((__m256i *)(void *)(k->at + k->n), _mm256_maskz_compress_epi32(mask, place));
  k->n += (uint32_t)__builtin_popcount(mask);
}

SIM_TARGET_AVX512 static void edges_avx512(const struct sim_rng *rng, uint32_t purpose, uint32_t u, uint32_t inc_u,
                                           const uint32_t *v, const uint32_t *inc_v, uint32_t n, double least,
                                           struct sim_rng_kept *kept) {
  const struct names8 x = {_mm512_set1_epi64(purpose), _mm512_set1_epi64(u), _mm512_set1_epi64(inc_u << 16)};
  for (uint32_t i = 0; i < n; i += 16) {
    uint32_t left = n - i;
    __mmask8 low = first_of_eight(left);
    struct sim_blocks8 b[2] = {blocks8_of(&x, v + i, inc_v ? inc_v + i : NULL, low)};
    if (left <= 8) {
      sim_philox8(b, 1, rng->key);
      keep8(&b[0], i, low, least, kept);
      return;
    }
    __mmask8 high = first_of_eight(left - 8);
    b[1] = blocks8_of(&x, v + i + 8, inc_v ? inc_v + i + 8 : NULL, high);
    sim_philox8(b, 2, rng->key);
    keep8(&b[0], i, low, least, kept);
    keep8(&b[1], i + 8, high, least, kept);
  }
}

/* Names with a stay of 65,536 or more fold into the key: no lanes for them. */
static bool stays_fit(uint32_t inc_u, const uint32_t *inc_v, uint32_t n) {
  uint32_t any = inc_u;
  for (uint32_t i = 0; inc_v && i < n; i++) any |= inc_v[i];
  return any < 65536;
}
#endif

void sim_rng_edges(const struct sim_rng *rng, uint32_t purpose, uint32_t u, uint32_t inc_u, const uint32_t *v,
                   const uint32_t *inc_v, uint32_t n, double least, struct sim_rng_kept *kept) {
  kept->n = 0;
#if defined(__x86_64__)
  enum sim_lanes lanes = sim_lanes();
  if (lanes >= SIM_LANES_AVX2 && stays_fit(inc_u, inc_v, n)) {
    if (lanes == SIM_LANES_AVX512)
      edges_avx512(rng, purpose, u, inc_u, v, inc_v, n, least, kept);
    else
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
