/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SIM_CORE_RNG_SERIES_H
#define SIM_CORE_RNG_SERIES_H
#include "sim/core/rng_names.h"

/* Standard exponentials of names that follow one another, drawn some ahead: the i-th is what sim_rng_exponential gives
 * for (purpose, i, 0, 0) or (purpose, 0, 0, i). Zero-initialise, and again (n = 0) when the replicate changes. */
enum sim_rng_order { SIM_RNG_BY_ENTITY, SIM_RNG_BY_N };
struct sim_rng_series {
  uint32_t first, n; /* those that are drawn: [first, first + n) */
  double ahead[SIM_RNG_NAMES];
};
void sim_rng_series_draw(struct sim_rng_series *s, const struct sim_rng *rng, uint32_t purpose,
                         enum sim_rng_order order, uint32_t first);
static inline double sim_rng_series_exponential(struct sim_rng_series *s, const struct sim_rng *rng, uint32_t purpose,
                                                enum sim_rng_order order, uint32_t i) {
  if (i - s->first >= s->n) sim_rng_series_draw(s, rng, purpose, order, i);
  return s->ahead[i - s->first];
}
#endif
