/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SIM_CORE_RNG_NAMES_H
#define SIM_CORE_RNG_NAMES_H
#include "sim/core/rng.h"

enum { SIM_RNG_NAMES = 16 };

/* Names of up to so many draws. All places can be read, whether they are named or not. */
struct sim_rng_names {
  uint32_t word[4][SIM_RNG_NAMES]; /* purpose, entity, incarnation, n: see rng.h */
};

/* Standard exponentials of the first n names, many at a time where the CPU can: the i-th is what sim_rng_exponential
 * gives. `e` has SIM_RNG_NAMES places. */
void sim_rng_exponentials(const struct sim_rng *rng, const struct sim_rng_names *names, uint32_t n,
                          double e[SIM_RNG_NAMES]);
#endif
