/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exponentials of names that follow one another, sixteen at once where the CPU has AVX2 or AVX-512, the same bits
 * elsewhere. */
#include "sim/core/rng_series.h"
#include "sim/core/dmath.h"
#include "sim/core/lanes.h"

#if defined(__x86_64__)
#include "sim/core/rng_lanes.h"

/* The uniforms of numbers first to first + 15 in the place of the entity or of n. */
SIM_TARGET_AVX2 static void uniforms_avx2(const struct sim_rng *rng, uint32_t purpose, enum sim_rng_order order,
                                          uint32_t first, double out[SIM_RNG_AHEAD]) {
  const __m256i step0 = _mm256_set1_epi64x(SIM_PHILOX_STEP0), step1 = _mm256_set1_epi64x(SIM_PHILOX_STEP1);
  const __m256i zero = _mm256_setzero_si256();
  struct sim_blocks b[SIM_RNG_AHEAD / 4];
  __m256i key0 = _mm256_set1_epi64x(rng->key[0]), key1 = _mm256_set1_epi64x(rng->key[1]);
  for (uint32_t i = 0; i < SIM_RNG_AHEAD / 4; i++) {
    __m256i number = _mm256_add_epi64(_mm256_set1_epi64x(first + 4 * i), _mm256_set_epi64x(3, 2, 1, 0));
    b[i] = (struct sim_blocks){{_mm256_set1_epi64x(purpose), order == SIM_RNG_BY_ENTITY ? number : zero, zero,
                                order == SIM_RNG_BY_N ? number : zero}};
  }
  for (int round = 0; round < 10; round++) {
    for (uint32_t i = 0; i < SIM_RNG_AHEAD / 4; i++) sim_philox_round(&b[i], key0, key1);
    key0 = _mm256_add_epi32(key0, step0);
    key1 = _mm256_add_epi32(key1, step1);
  }
  for (uint32_t i = 0; i < SIM_RNG_AHEAD / 4; i++) _mm256_storeu_pd(out + 4 * i, sim_block_uniforms(&b[i]));
}

SIM_TARGET_AVX512 static void uniforms_avx512(const struct sim_rng *rng, uint32_t purpose, enum sim_rng_order order,
                                              uint32_t first, double out[SIM_RNG_AHEAD]) {
  const __m512i zero = _mm512_setzero_si512();
  struct sim_blocks8 b[SIM_RNG_AHEAD / 8];
  for (uint32_t i = 0; i < SIM_RNG_AHEAD / 8; i++) {
    __m512i number = _mm512_add_epi64(_mm512_set1_epi64(first + 8 * i), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    b[i] = (struct sim_blocks8){{_mm512_set1_epi64(purpose), order == SIM_RNG_BY_ENTITY ? number : zero, zero,
                                 order == SIM_RNG_BY_N ? number : zero}};
  }
  sim_philox8(b, SIM_RNG_AHEAD / 8, rng->key);
  for (uint32_t i = 0; i < SIM_RNG_AHEAD / 8; i++) _mm512_storeu_pd(out + 8 * i, sim_block_uniforms8(&b[i]));
}
#endif

/* One by one at first, so that a short series costs what it needs. */
void sim_rng_series_draw(struct sim_rng_series *s, const struct sim_rng *rng, uint32_t purpose,
                         enum sim_rng_order order, uint32_t first) {
  s->first = first;
#if defined(__x86_64__)
  enum sim_lanes lanes = sim_lanes();
  if (first >= SIM_RNG_AHEAD && first <= UINT32_MAX - SIM_RNG_AHEAD && lanes >= SIM_LANES_AVX2) {
    s->n = SIM_RNG_AHEAD;
    if (lanes == SIM_LANES_AVX512)
      uniforms_avx512(rng, purpose, order, first, s->ahead);
    else
      uniforms_avx2(rng, purpose, order, first, s->ahead);
    sim_logs(s->ahead, s->n);
    for (uint32_t i = 0; i < s->n; i++) s->ahead[i] = -s->ahead[i];
    return;
  }
#endif
  s->n = 1;
  s->ahead[0] =
      sim_rng_exponential(rng, purpose, order == SIM_RNG_BY_ENTITY ? first : 0, 0, order == SIM_RNG_BY_N ? first : 0);
}
