/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/fan.h"
#include <criterion/criterion.h>
#include <string.h>

static uint32_t histogram[2 * SIM_SERIES_BINS];

Test(fan, counts_and_leaves_missing_out) {
  memset(histogram, 0, sizeof histogram);
  const uint16_t curve[3][2] = {{0, 1000}, {0, 500}, {SIM_SERIES_MISSING, 1000}};
  for (int i = 0; i < 3; i++) sim_fan_count(histogram, curve[i], 2);
  cr_assert_eq(histogram[0], 2);
  cr_assert_eq(histogram[SIM_SERIES_BINS + 500], 1);
  cr_assert_eq(histogram[SIM_SERIES_BINS + 1000], 2);
  uint64_t all = 0;
  for (size_t i = 0; i < 2 * SIM_SERIES_BINS; i++) all += histogram[i];
  cr_assert_eq(all, 5);
}

/* Bins 1..200, one run each: the inverse distribution function gives bins 5, 10, 50, 100, 150, 190, 195; a bin stands
 * for the square of its thousandths. */
Test(fan, quantiles_of_a_ramp) {
  memset(histogram, 0, sizeof histogram);
  for (int i = 1; i <= 200; i++) histogram[i] = 1;
  double q[SIM_FAN_QUANTILES];
  sim_fan_quantiles(histogram, &(struct sim_series){.scale = 1e6}, q);
  const double expected[SIM_FAN_QUANTILES] = {5, 10, 50, 100, 150, 190, 195};
  for (int i = 0; i < SIM_FAN_QUANTILES; i++)
    cr_assert_float_eq(q[i], expected[i] * expected[i], 1e-9, "quantile %d: %g", i, q[i]);
}

Test(fan, nothing_counted_is_missing) {
  memset(histogram, 0, sizeof histogram);
  double q[SIM_FAN_QUANTILES];
  sim_fan_quantiles(histogram, &(struct sim_series){.scale = 1}, q);
  for (int i = 0; i < SIM_FAN_QUANTILES; i++) cr_assert(isnan(q[i]));
  histogram[250] = 1;
  sim_fan_quantiles(histogram, &(struct sim_series){.scale = 20000}, q);
  for (int i = 0; i < SIM_FAN_QUANTILES; i++) cr_assert_eq(q[i], 1250);
}

/* Of functionality the bins count what is lost, so the least value is in the highest bin. */
Test(fan, losses_run_backwards) {
  memset(histogram, 0, sizeof histogram);
  for (int i = 0; i < 200; i++) histogram[i] = 1;
  double q[SIM_FAN_QUANTILES];
  sim_fan_quantiles(histogram, &(struct sim_series){.scale = 1, .loss = true}, q);
  const double bin[SIM_FAN_QUANTILES] = {195, 190, 150, 100, 50, 10, 5};
  for (int i = 0; i < SIM_FAN_QUANTILES; i++) cr_assert_float_eq(q[i], 1 - bin[i] * bin[i] * 1e-6, 1e-12);
}

/* Merging by addition gives the fan of the pooled runs. */
Test(fan, merges_exactly) {
  static uint32_t part[2][SIM_SERIES_BINS], sum[SIM_SERIES_BINS], whole[SIM_SERIES_BINS];
  uint32_t x = 12345;
  for (int i = 0; i < 5000; i++) {
    x = x * 1664525u + 1013904223u;
    uint16_t value = (uint16_t)((x >> 8) % SIM_SERIES_BINS);
    sim_fan_count(part[i % 3 == 0], &value, 1);
    sim_fan_count(whole, &value, 1);
  }
  for (int b = 0; b < SIM_SERIES_BINS; b++) sum[b] = part[0][b] + part[1][b];
  double a[SIM_FAN_QUANTILES], b[SIM_FAN_QUANTILES];
  sim_fan_quantiles(sum, &(struct sim_series){.scale = 1}, a);
  sim_fan_quantiles(whole, &(struct sim_series){.scale = 1}, b);
  cr_assert_arr_eq(a, b, sizeof a);
}
