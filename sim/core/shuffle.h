/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Integers and shuffles from a keyed stream: the same order for the same key. */
#ifndef SIM_CORE_SHUFFLE_H
#define SIM_CORE_SHUFFLE_H
#include "sim/core/rng.h"
#include <stddef.h>

/* Uniform integer on [0, bound), bound >= 1, from 64 random bits (Lemire 2019, multiply-shift without rejection; bias
 * below bound / 2^64). */
static inline uint32_t sim_stream_below(struct sim_rng_stream *s, uint32_t bound) {
  uint64_t high = sim_rng_stream_next32(s), low = sim_rng_stream_next32(s);
  return (uint32_t)((high * bound + ((low * bound) >> 32)) >> 32);
}

/* Shuffles n < 2^32 items (Fisher and Yates 1938, Durstenfeld's form). */
static inline void sim_shuffle(uint32_t *items, size_t n, struct sim_rng_stream *s) {
  for (size_t i = n; i > 1; i--) {
    size_t j = sim_stream_below(s, (uint32_t)i);
    uint32_t item = items[i - 1];
    items[i - 1] = items[j];
    items[j] = item;
  }
}
#endif
