/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Philox4x32-10 (Salmon et al. 2011) of four names at once with AVX2, of eight with AVX-512: for the files that draw
 * many (x86-64 only; the CPU is to be asked first, lanes.h). */
#ifndef SIM_CORE_RNG_LANES_H
#define SIM_CORE_RNG_LANES_H
#include <immintrin.h>
#include <stdint.h>

#define SIM_TARGET_AVX2   __attribute__((target("avx2")))
#define SIM_TARGET_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl")))
#define SIM_AVX2          SIM_TARGET_AVX2 __attribute__((always_inline)) static inline
#define SIM_AVX512        SIM_TARGET_AVX512 __attribute__((always_inline)) static inline

/* The words by which the two halves of the key grow each round. */
#define SIM_PHILOX_STEP0 0x9E3779B9
#define SIM_PHILOX_STEP1 0xBB67AE85

/* Four blocks: word w of block i in the low half of 64-bit lane i of c[w]. The high halves hold what is left over and
 * are never read, since a product takes the low halves alone. */
struct sim_blocks {
  __m256i c[4];
};

SIM_AVX2 void sim_philox_round(struct sim_blocks *b, __m256i key0, __m256i key1) {
  __m256i p0 = _mm256_mul_epu32(b->c[0], _mm256_set1_epi64x(0xD2511F53));
  __m256i p1 = _mm256_mul_epu32(b->c[2], _mm256_set1_epi64x(0xCD9E8D57));
  b->c[0] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), b->c[1]), key0);
  b->c[2] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), b->c[3]), key1);
  b->c[1] = p1;
  b->c[3] = p0;
}

/* The uniforms of words 0 and 1: their top 52 bits as the mantissa of a double in [2^52, 2^53), which is exact. */
SIM_AVX2 __m256d sim_block_uniforms(const struct sim_blocks *b) {
  const __m256i low = _mm256_set1_epi64x(0xffffffff), exponent = _mm256_set1_epi64x(0x4330000000000000);
  __m256i bits = _mm256_or_si256(_mm256_slli_epi64(b->c[0], 32), _mm256_and_si256(b->c[1], low));
  __m256d x = _mm256_castsi256_pd(_mm256_or_si256(_mm256_srli_epi64(bits, 12), exponent));
  x = _mm256_add_pd(_mm256_sub_pd(x, _mm256_set1_pd(0x1p52)), _mm256_set1_pd(0.5));
  return _mm256_mul_pd(x, _mm256_set1_pd(0x1p-52));
}

/* The same with eight blocks. */
struct sim_blocks8 {
  __m512i c[4];
};

SIM_AVX512 __m512i sim_xor3(__m512i a, __m512i b, __m512i c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

SIM_AVX512 void sim_philox_round8(struct sim_blocks8 *b, __m512i key0, __m512i key1) {
  __m512i p0 = _mm512_mul_epu32(b->c[0], _mm512_set1_epi64(0xD2511F53));
  __m512i p1 = _mm512_mul_epu32(b->c[2], _mm512_set1_epi64(0xCD9E8D57));
  b->c[0] = sim_xor3(_mm512_srli_epi64(p1, 32), b->c[1], key0);
  b->c[2] = sim_xor3(_mm512_srli_epi64(p0, 32), b->c[3], key1);
  b->c[1] = p1;
  b->c[3] = p0;
}

/* Ten rounds of n sets of blocks at once, under a key: the sets keep the multiplier busy. */
SIM_AVX512 void sim_philox8(struct sim_blocks8 *b, unsigned n, const uint32_t key[2]) {
  __m512i key0 = _mm512_set1_epi64(key[0]), key1 = _mm512_set1_epi64(key[1]);
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
#pragma GCC unroll 2
    for (unsigned i = 0; i < n; i++) sim_philox_round8(&b[i], key0, key1);
    key0 = _mm512_add_epi32(key0, _mm512_set1_epi64(SIM_PHILOX_STEP0));
    key1 = _mm512_add_epi32(key1, _mm512_set1_epi64(SIM_PHILOX_STEP1));
  }
}

SIM_AVX512 __m512d sim_block_uniforms8(const struct sim_blocks8 *b) {
  __m512i high = _mm512_slli_epi64(b->c[0], 32), low = _mm512_set1_epi64(0xffffffff);
  __m512i bits = _mm512_ternarylogic_epi64(high, b->c[1], low, 0xF8); /* high | word 1 & low */
  __m512d x = _mm512_cvtepu64_pd(_mm512_srli_epi64(bits, 12));        /* exact: 52 bits */
  return _mm512_mul_pd(_mm512_add_pd(x, _mm512_set1_pd(0.5)), _mm512_set1_pd(0x1p-52));
}
#endif
