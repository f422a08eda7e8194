/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/rng.h"
#include "sim/core/dmath.h"
#include "sim/core/err.h"
#include <Random123/philox.h>

/* Finaliser of splitmix64 (Steele, Lea & Flood 2014) after its increment: a bijection of 64-bit words. */
static uint64_t splitmix64(uint64_t x) {
  x += UINT64_C(0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}

/* Finaliser of MurmurHash3 (Appleby 2011): a bijection of 32-bit words that maps 0 to 0. */
static uint32_t fmix32(uint32_t h) {
  h = (h ^ (h >> 16)) * UINT32_C(0x85ebca6b);
  h = (h ^ (h >> 13)) * UINT32_C(0xc2b2ae35);
  return h ^ (h >> 16);
}

/* Two words of a block to the open interval (0, 1); exact, see rng.h. */
static double unit_open(uint32_t high, uint32_t low) {
  uint64_t bits = ((uint64_t)high << 32 | low) >> 12;
  return ((double)bits + 0.5) * 0x1p-52;
}

/* key = S(S(S(seed) ^ replicate) ^ point), S = splitmix64: replicates of a seed never share a key at one point. */
void sim_rng_init(struct sim_rng *rng, uint64_t seed, uint64_t replicate, uint64_t point) {
  uint64_t key = splitmix64(splitmix64(splitmix64(seed) ^ replicate) ^ point);
  rng->key[0] = (uint32_t)key;
  rng->key[1] = (uint32_t)(key >> 32);
}

uint32_t sim_purpose(const char *path) {
  uint32_t h = UINT32_C(2166136261);
  for (const unsigned char *c = (const unsigned char *)path; *c; c++) h = (h ^ *c) * UINT32_C(16777619);
  return fmix32(h);
}

void sim_rng_block(const struct sim_rng *rng, uint32_t purpose, uint32_t entity, uint32_t incarnation, uint32_t n,
                   uint32_t out[4]) {
  philox4x32_ctr_t name = {{purpose, entity, incarnation, n}};
  philox4x32_key_t key = {{rng->key[0], rng->key[1]}};
  philox4x32_ctr_t block = philox4x32_R(10, name, key);
  for (int i = 0; i < 4; i++) out[i] = block.v[i];
}

double sim_rng_uniform(const struct sim_rng *rng, uint32_t purpose, uint32_t entity, uint32_t incarnation, uint32_t n) {
  uint32_t w[4];
  sim_rng_block(rng, purpose, entity, incarnation, n, w);
  return unit_open(w[0], w[1]);
}

double sim_rng_uniform2(const struct sim_rng *rng, uint32_t purpose, uint32_t entity, uint32_t incarnation,
                        uint32_t n) {
  uint32_t w[4];
  sim_rng_block(rng, purpose, entity, incarnation, n, w);
  return unit_open(w[2], w[3]);
}

double sim_rng_exponential(const struct sim_rng *rng, uint32_t purpose, uint32_t entity, uint32_t incarnation,
                           uint32_t n) {
  return -sim_log(sim_rng_uniform(rng, purpose, entity, incarnation, n));
}

uint32_t sim_rng_below(const struct sim_rng *rng, uint32_t purpose, uint32_t entity, uint32_t incarnation, uint32_t n,
                       uint32_t bound) {
  sim_bug_assert(bound >= 1);
  uint32_t w[4];
  sim_rng_block(rng, purpose, entity, incarnation, n, w);
  /* floor((w0 * 2^32 + w1) * bound / 2^64), in two halves that cannot overflow. */
  uint64_t carry = (uint64_t)w[1] * bound >> 32;
  return (uint32_t)(((uint64_t)w[0] * bound + carry) >> 32);
}

/* Half the bits of the least even number of bits that holds n values. */
static unsigned half_bits(uint32_t n) {
  unsigned half = 1;
  while (half < 16 && (UINT64_C(1) << 2 * half) < n) half++;
  return half;
}

/* Four Feistel rounds on that many bits, walked along the permutation's cycle until the value is below n (Black &
 * Rogaway 2002). Backwards the rounds and the walk undo it. */
uint32_t sim_rng_permuted(const struct sim_rng *rng, uint32_t purpose, uint32_t n, uint32_t i) {
  unsigned half = half_bits(n);
  uint32_t mask = (1u << half) - 1, out[4];
  do {
    uint32_t left = i >> half, right = i & mask;
    for (uint32_t round = 0; round < 4; round++) {
      sim_rng_block(rng, purpose, right, round, n, out);
      uint32_t next = (left ^ out[0]) & mask;
      left = right;
      right = next;
    }
    i = left << half | right;
  } while (i >= n);
  return i;
}

uint32_t sim_rng_place(const struct sim_rng *rng, uint32_t purpose, uint32_t n, uint32_t value) {
  unsigned half = half_bits(n);
  uint32_t mask = (1u << half) - 1, out[4];
  do {
    uint32_t left = value >> half, right = value & mask;
    for (uint32_t round = 4; round-- > 0;) {
      sim_rng_block(rng, purpose, left, round, n, out);
      uint32_t before = (right ^ out[0]) & mask;
      right = left;
      left = before;
    }
    value = left << half | right;
  } while (value >= n);
  return value;
}

void sim_rng_edge(const struct sim_rng *rng, uint32_t purpose, uint32_t u, uint32_t v, uint32_t inc_u, uint32_t inc_v,
                  double out[2]) {
  /* fmix32(0) = 0: below 65,536 the key is the replicate's own; above, a bijection keeps names apart. */
  struct sim_rng folded = {{rng->key[0] ^ fmix32(inc_u >> 16), rng->key[1] ^ fmix32(inc_v >> 16)}};
  uint32_t w[4];
  sim_rng_block(&folded, purpose, u, v, (inc_u & 0xffff) << 16 | (inc_v & 0xffff), w);
  out[0] = unit_open(w[0], w[1]);
  out[1] = unit_open(w[2], w[3]);
}

void sim_rng_stream_init(struct sim_rng_stream *s, const struct sim_rng *rng, uint32_t purpose, uint32_t entity,
                         uint32_t incarnation) {
  *s = (struct sim_rng_stream){.rng = *rng, .purpose = purpose, .entity = entity, .incarnation = incarnation};
}

uint32_t sim_rng_stream_next32(struct sim_rng_stream *s) {
  if (s->left == 0) {
    sim_rng_block(&s->rng, s->purpose, s->entity, s->incarnation, s->n, s->buffer);
    sim_bug_assert(s->n < UINT32_MAX);
    s->n++;
    s->left = 4;
  }
  return s->buffer[4 - s->left--];
}

double sim_rng_stream_uniform(struct sim_rng_stream *s) {
  uint32_t high = sim_rng_stream_next32(s);
  uint32_t low = sim_rng_stream_next32(s);
  return unit_open(high, low);
}
