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

/* Names of which every word differs, in groups of every size. */
static void names(uint32_t n) {
  struct sim_rng rng;
  struct sim_rng_names x = {0};
  double e[SIM_RNG_NAMES];
  sim_rng_init(&rng, 5, 6, 7);
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t w = 0; w < 4; w++) x.word[w][i] = (i + 16 * w + 64 * n) * UINT32_C(2654435761);
  sim_rng_exponentials(&rng, &x, n, e);
  for (uint32_t i = 0; i < n; i++)
    cr_assert(e[i] == sim_rng_exponential(&rng, x.word[0][i], x.word[1][i], x.word[2][i], x.word[3][i]),
              "name %u of %u", i, n);
}

Test(rng, names_at_once_are_the_names_one_by_one) {
  int widest = sim_lanes();
  for (int lanes = SIM_LANES_NONE; lanes <= widest; lanes++) {
    sim_lanes_limit((enum sim_lanes)lanes);
    for (uint32_t n = 0; n <= SIM_RNG_NAMES; n++) names(n);
  }
}
