/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time inside the engine is an int64 count of ticks of 2^-40 day (79 nanoseconds; range ±23,000 years). Doubles, in
 * days, exist only at the interface; they are quantised once, by floor. */
#ifndef SIM_CORE_TICKS_H
#define SIM_CORE_TICKS_H
#include <math.h>
#include <stdint.h>

#define SIM_TICKS_PER_DAY 1099511627776.0 /* 2^40 */
#define SIM_NEVER         INT64_MAX

/* Days to ticks by floor; saturates to SIM_NEVER (also for NaN and +inf). Multiplication by 2^40 is exact. */
static inline int64_t sim_ticks(double days) {
  double t = days * SIM_TICKS_PER_DAY;
  if (t >= 0 && t < 9.2e18) return (int64_t)t; /* truncation is floor here, and costs no call */
  t = floor(t);
  if (!(t < 9.2e18)) return SIM_NEVER;
  if (t < -9.2e18) return INT64_MIN;
  return (int64_t)t;
}
/* Ticks to days. */
static inline double sim_days(int64_t ticks) {
  return (double)ticks / SIM_TICKS_PER_DAY;
}
/* a + b, saturating at SIM_NEVER; both non-negative. */
static inline int64_t sim_ticks_add(int64_t a, int64_t b) {
  return a > SIM_NEVER - b ? SIM_NEVER : a + b;
}
#endif
