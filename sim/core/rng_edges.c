/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws of many edges at once: Philox4x32-10 (Salmon et al. 2011) in eight lanes where the CPU has AVX2, in sixteen
 * where it has AVX-512, the same bits edge by edge elsewhere. */
#include "sim/core/lanes.h"
#include "sim/core/rng.h"
#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__)
#include "sim/core/rng_lanes.h"

/* Appends those of the first n of four uniforms that are not less than asked for. */
SIM_AVX2 void keep(const struct sim_blocks *b, __m256d least, uint32_t first, uint32_t n, struct sim_rng_kept *k) {
  double u[4];
  __m256d draw = sim_block_uniforms(b);
  unsigned mask = (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(draw, least, _CMP_GE_OQ));
  _mm256_storeu_pd(u, draw);
  for (uint32_t i = 0; i < 4; i++) {
    k->at[k->n] = first + i;
    k->draw[k->n] = u[i];
    k->n += i < n && (mask >> i & 1);
  }
}

struct names4 { /* what the edges of a source share, by source */
  __m256i purpose, u, stay;
};

/* Four edges: their sources are the low or the high half of `of`. */
SIM_AVX2 struct sim_blocks blocks_of(const struct names4 *names, const struct sim_rng_edges *x, uint32_t i,
                                     __m128i of) {
  __m256i index = _mm256_castsi128_si256(of);
  __m256i u = _mm256_cvtepu32_epi64(_mm256_castsi256_si128(_mm256_permutevar8x32_epi32(names->u, index)));
  __m256i stay = _mm256_cvtepu32_epi64(_mm256_castsi256_si128(_mm256_permutevar8x32_epi32(names->stay, index)));
  __m256i v = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(const void *)(x->v + i)));
  if (x->inc_v)
    stay = _mm256_or_si256(stay, _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(const void *)(x->inc_v + i))));
  return (struct sim_blocks){{names->purpose, u, v, stay}};
}

SIM_TARGET_AVX2 static void edges_avx2(const struct sim_rng *rng, uint32_t purpose, const struct sim_rng_edges *x,
                                       struct sim_rng_kept *kept) {
  const __m256i step0 = _mm256_set1_epi64x(SIM_PHILOX_STEP0), step1 = _mm256_set1_epi64x(SIM_PHILOX_STEP1);
  const struct names4 names = {_mm256_set1_epi64x(purpose), _mm256_loadu_si256((const __m256i *)(const void *)x->u),
                               _mm256_slli_epi32(_mm256_loadu_si256((const __m256i *)(const void *)x->inc_u), 16)};
  for (uint32_t i = 0; i < x->n; i += 8) { /* two sets of blocks keep the multiplier busy */
    __m256i key0 = _mm256_set1_epi64x(rng->key[0]), key1 = _mm256_set1_epi64x(rng->key[1]);
    __m256i of = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(x->source + i)));
    of = _mm256_and_si256(of, _mm256_set1_epi32(SIM_RNG_SOURCES - 1)); /* beyond n: anything */
    __m128i low = _mm256_castsi256_si128(of), high = _mm256_extracti128_si256(of, 1);
    struct sim_blocks a = blocks_of(&names, x, i, low), b = blocks_of(&names, x, i + 4, high);
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
      sim_philox_round(&a, key0, key1);
      sim_philox_round(&b, key0, key1);
      key0 = _mm256_add_epi32(key0, step0);
      key1 = _mm256_add_epi32(key1, step1);
    }
    keep(&a, _mm256_i32gather_pd(x->least, low, 8), i, x->n - i, kept);
    if (x->n - i > 4) keep(&b, _mm256_i32gather_pd(x->least, high, 8), i + 4, x->n - i - 4, kept);
  }
}

struct names8 { /* what the edges of a source share, by source */
  __m512i purpose, u, stay;
  __m512d least;
};

SIM_AVX512 __m512i eight(const uint32_t *x) {
  return _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)(const void *)x));
}

SIM_AVX512 struct sim_blocks8 blocks8_of(const struct names8 *names, const struct sim_rng_edges *x, uint32_t i,
                                         __m512i of) {
  __m512i stay = _mm512_permutexvar_epi64(of, names->stay);
  if (x->inc_v) stay = _mm512_or_si512(stay, eight(x->inc_v + i));
  return (struct sim_blocks8){{names->purpose, _mm512_permutexvar_epi64(of, names->u), eight(x->v + i), stay}};
}

SIM_AVX512 __m512i sources8(const struct sim_rng_edges *x, uint32_t i) {
  return _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(const void *)(x->source + i)));
}

/* Appends those of the first n of eight. */
SIM_AVX512 void keep8(const struct sim_blocks8 *b, __m512d least, uint32_t first, uint32_t n, struct sim_rng_kept *k) {
  __mmask8 here = n >= 8 ? 0xff : (__mmask8)((1u << n) - 1);
  __m512d draw = sim_block_uniforms8(b);
  __mmask8 mask = _mm512_mask_cmp_pd_mask(here, draw, least, _CMP_GE_OQ);
  __m256i place = _mm256_add_epi32(_mm256_set1_epi32((int)first), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
  _mm512_storeu_pd(k->draw + k->n, _mm512_maskz_compress_pd(mask, draw));
  _mm256_storeu_si256((__m256i *)(void *)(k->at + k->n), _mm256_maskz_compress_epi32(mask, place));
  k->n += (uint32_t)__builtin_popcount(mask);
}

SIM_TARGET_AVX512 static void edges_avx512(const struct sim_rng *rng, uint32_t purpose, const struct sim_rng_edges *x,
                                           struct sim_rng_kept *kept) {
  const struct names8 names = {_mm512_set1_epi64(purpose), eight(x->u), _mm512_slli_epi64(eight(x->inc_u), 16),
                               _mm512_loadu_pd(x->least)};
  for (uint32_t i = 0; i < x->n; i += 16) {
    uint32_t left = x->n - i;
    __m512i of = sources8(x, i);
    __m512d least = _mm512_permutexvar_pd(of, names.least);
    struct sim_blocks8 b[2] = {blocks8_of(&names, x, i, of)};
    if (left <= 8) {
      sim_philox8(b, 1, rng->key);
      keep8(&b[0], least, i, left, kept);
      return;
    }
    of = sources8(x, i + 8);
    b[1] = blocks8_of(&names, x, i + 8, of);
    sim_philox8(b, 2, rng->key);
    keep8(&b[0], least, i, left, kept);
    keep8(&b[1], _mm512_permutexvar_pd(of, names.least), i + 8, left - 8, kept);
  }
}

/* Names with a stay of 65,536 or more fold into the key: no lanes for them. */
static bool stays_fit(const struct sim_rng_edges *x) {
  uint32_t any = 0;
  for (uint32_t i = 0; i < x->sources; i++) any |= x->inc_u[i];
  for (uint32_t i = 0; x->inc_v && i < x->n; i++) any |= x->inc_v[i];
  return any < 65536;
}
#endif

void sim_rng_edges(const struct sim_rng *rng, uint32_t purpose, const struct sim_rng_edges *x,
                   struct sim_rng_kept *kept) {
  kept->n = 0;
#if defined(__x86_64__)
  enum sim_lanes lanes = sim_lanes();
  if (lanes >= SIM_LANES_AVX2 && stays_fit(x)) {
    if (lanes == SIM_LANES_AVX512)
      edges_avx512(rng, purpose, x, kept);
    else
      edges_avx2(rng, purpose, x, kept);
    return;
  }
#endif
  for (uint32_t i = 0; i < x->n; i++) {
    double both[2];
    uint32_t k = x->source[i];
    sim_rng_edge(rng, purpose, x->u[k], x->v[i], x->inc_u[k], x->inc_v ? x->inc_v[i] : 0, both);
    kept->at[kept->n] = i;
    kept->draw[kept->n] = both[0];
    kept->n += both[0] >= x->least[k];
  }
}
