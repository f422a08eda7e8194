/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/lanes.h"
#include "sim/core/rng_series.h"
#include <criterion/criterion.h>

static void series(void) {
  struct sim_rng rng;
  sim_rng_init(&rng, 5, 6, 7);
  for (int order = 0; order < 2; order++) {
    struct sim_rng_series s = {0};
    for (uint32_t k = 0; k < 300; k++) {
      uint32_t i = k < 200 ? k : k < 250 ? k * 3 : UINT32_MAX - (300 - k); /* in turn, with gaps, and at the end */
      double one = sim_rng_exponential(&rng, 9, order ? 0 : i, 0, order ? i : 0);
      cr_assert(sim_rng_series_exponential(&s, &rng, 9, order ? SIM_RNG_BY_N : SIM_RNG_BY_ENTITY, i) == one);
    }
  }
}

Test(rng, a_series_is_its_draws_one_by_one) {
  int widest = sim_lanes();
  for (int lanes = SIM_LANES_NONE; lanes <= widest; lanes++) {
    sim_lanes_limit((enum sim_lanes)lanes);
    series();
  }
}
