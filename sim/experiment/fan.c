/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/fan.h"

const unsigned sim_fan_permille[SIM_FAN_QUANTILES] = {25, 50, 250, 500, 750, 950, 975};

void sim_fan_count(uint32_t *histogram, const uint16_t *curve, size_t samples) {
  for (size_t t = 0; t < samples; t++)
    if (curve[t] < SIM_SERIES_BINS) histogram[t * SIM_SERIES_BINS + curve[t]]++;
}

void sim_fan_quantiles(const uint32_t histogram[SIM_SERIES_BINS], const struct sim_series *series,
                       double out[SIM_FAN_QUANTILES]) {
  uint64_t total = 0, below = 0;
  for (size_t b = 0; b < SIM_SERIES_BINS; b++) total += histogram[b];
  unsigned q = 0;
  for (size_t k = 0; k < SIM_SERIES_BINS && total && q < SIM_FAN_QUANTILES; k++) {
    size_t b = series->loss ? SIM_SERIES_BINS - 1 - k : k; /* from the least value up */
    below += histogram[b];
    while (q < SIM_FAN_QUANTILES && below * 1000 >= total * sim_fan_permille[q]) {
      out[q++] = sim_series_value(series, (double)b);
    }
  }
  for (; q < SIM_FAN_QUANTILES; q++) out[q] = NAN;
}
