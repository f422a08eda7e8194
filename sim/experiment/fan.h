/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fans: quantiles of curves by time, from integer histograms on fixed bins, which merge exactly (by addition). */
#ifndef SIM_EXPERIMENT_FAN_H
#define SIM_EXPERIMENT_FAN_H
#include "sim/core/world.h"

#define SIM_FAN_QUANTILES 7
/* 0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975 in thousandths. */
extern const unsigned sim_fan_permille[SIM_FAN_QUANTILES];

/* histogram: [samples][SIM_SERIES_BINS]; counts one curve. Missing samples are left out. */
void sim_fan_count(uint32_t *histogram, const uint16_t *curve, size_t samples);
/* Quantiles of one histogram: the smallest bin whose cumulated count reaches the share (inverse of the empirical
 * distribution function), as values of the series; NaN where nothing was counted. */
void sim_fan_quantiles(const uint32_t histogram[SIM_SERIES_BINS], const struct sim_series *series,
                       double out[SIM_FAN_QUANTILES]);
#endif
