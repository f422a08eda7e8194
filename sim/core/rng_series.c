/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exponentials of names that follow one another, sixteen at once where the CPU has lanes for them. */
#include "sim/core/rng_series.h"
#include "sim/core/lanes.h"
#include <stdbool.h>

/* One by one at first, so that a short series costs what it needs. */
void sim_rng_series_draw(struct sim_rng_series *s, const struct sim_rng *rng, uint32_t purpose,
                         enum sim_rng_order order, uint32_t first) {
  struct sim_rng_names names = {0};
  unsigned counts = order == SIM_RNG_BY_ENTITY ? 1 : 3;
  bool many = first >= SIM_RNG_NAMES && first <= UINT32_MAX - SIM_RNG_NAMES && sim_lanes() >= SIM_LANES_AVX2;
  s->first = first;
  s->n = many ? SIM_RNG_NAMES : 1;
  for (uint32_t i = 0; i < s->n; i++) {
    names.word[0][i] = purpose;
    names.word[counts][i] = first + i;
  }
  sim_rng_exponentials(rng, &names, s->n, s->ahead);
}
