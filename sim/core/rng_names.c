/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exponentials of any names, sixteen at once where the CPU has AVX2 or AVX-512, the same bits elsewhere. */
#include "sim/core/rng_names.h"
#include "sim/core/dmath.h"
#include "sim/core/lanes.h"

#if defined(__x86_64__)
#include "sim/core/rng_lanes.h"

/* The uniforms of four names from `at` on, and of `sets` - 1 fours after them. */
SIM_AVX2 void some_uniforms(const struct sim_rng *rng, const struct sim_rng_names *names, uint32_t sets, double *u) {
  const __m256i step0 = _mm256_set1_epi64x(SIM_PHILOX_STEP0), step1 = _mm256_set1_epi64x(SIM_PHILOX_STEP1);
  __m256i key0 = _mm256_set1_epi64x(rng->key[0]), key1 = _mm256_set1_epi64x(rng->key[1]);
  struct sim_blocks b[SIM_RNG_NAMES / 4];
  for (uint32_t i = 0; i < sets; i++)
    for (int w = 0; w < 4; w++)
      b[i].c[w] = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(const void *)(names->word[w] + 4 * i)));
  for (int round = 0; round < 10; round++) {
    for (uint32_t i = 0; i < sets; i++) sim_philox_round(&b[i], key0, key1);
    key0 = _mm256_add_epi32(key0, step0);
    key1 = _mm256_add_epi32(key1, step1);
  }
  for (uint32_t i = 0; i < sets; i++) _mm256_storeu_pd(u + 4 * i, sim_block_uniforms(&b[i]));
}

SIM_TARGET_AVX2 static void uniforms_avx2(const struct sim_rng *rng, const struct sim_rng_names *names, uint32_t n,
                                          double *u) {
  if (n <= SIM_RNG_NAMES / 2)
    some_uniforms(rng, names, SIM_RNG_NAMES / 8, u);
  else
    some_uniforms(rng, names, SIM_RNG_NAMES / 4, u);
}

SIM_AVX512 void some_uniforms8(const struct sim_rng *rng, const struct sim_rng_names *names, uint32_t sets, double *u) {
  struct sim_blocks8 b[SIM_RNG_NAMES / 8];
  for (uint32_t i = 0; i < sets; i++)
    for (int w = 0; w < 4; w++)
      b[i].c[w] = _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)(const void *)(names->word[w] + 8 * i)));
  sim_philox8(b, sets, rng->key);
  for (uint32_t i = 0; i < sets; i++) _mm512_storeu_pd(u + 8 * i, sim_block_uniforms8(&b[i]));
}

SIM_TARGET_AVX512 static void uniforms_avx512(const struct sim_rng *rng, const struct sim_rng_names *names, uint32_t n,
                                              double *u) {
  if (n <= SIM_RNG_NAMES / 2)
    some_uniforms8(rng, names, SIM_RNG_NAMES / 16, u);
  else
    some_uniforms8(rng, names, SIM_RNG_NAMES / 8, u);
}
#endif

void sim_rng_exponentials(const struct sim_rng *rng, const struct sim_rng_names *names, uint32_t n,
                          double e[SIM_RNG_NAMES]) {
#if defined(__x86_64__)
  enum sim_lanes lanes = sim_lanes();
  if (n > 1 && lanes >= SIM_LANES_AVX2) {
    if (lanes == SIM_LANES_AVX512)
      uniforms_avx512(rng, names, n, e);
    else
      uniforms_avx2(rng, names, n, e);
    sim_logs(e, n);
    for (uint32_t i = 0; i < n; i++) e[i] = -e[i];
    return;
  }
#endif
  for (uint32_t i = 0; i < n; i++)
    e[i] = sim_rng_exponential(rng, names->word[0][i], names->word[1][i], names->word[2][i], names->word[3][i]);
}
