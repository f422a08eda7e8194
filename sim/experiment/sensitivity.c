/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/sensitivity.h"
#include "sim/core/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bootstrap ------------------------------------------------------------------------------------------------- */

/* Statistics of weighted rows: out [n]. weight NULL: each row once. */
typedef void statistics(const void *data, const uint32_t *weight, double *out);

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Type-7 quantile of sorted values. */
static double quantile(const double *sorted, size_t n, double p) {
  double at = p * (double)(n - 1), whole = floor(at);
  size_t i = (size_t)whole, next = i + 1 < n ? i + 1 : i;
  return sorted[i] + (at - whole) * (sorted[next] - sorted[i]);
}

/* Limits of each of n statistics: percentiles over resampled rows (Efron & Tibshirani 1993). */
static int bootstrap(statistics *compute, const void *data, size_t rows, size_t n, const struct sim_rng *rng,
                     double *low, double *high) {
  const size_t times = SIM_SENSITIVITY_RESAMPLES;
  const uint32_t purpose = sim_purpose("sensitivity.bootstrap");
  uint32_t *weight = sim_calloc(rows, sizeof *weight);
  double *all = sim_calloc(n * times, sizeof *all), *one = sim_calloc(n, sizeof *one);
  int ret = weight && all && one ? 0 : SIM_ERR_MEMORY;
  for (size_t t = 0; ret == 0 && t < times; t++) {
    memset(weight, 0, rows * sizeof *weight);
    for (size_t i = 0; i < rows; i++) {
      weight[sim_rng_below(rng, purpose, (uint32_t)t, 0, (uint32_t)i, (uint32_t)rows)]++;
    }
    compute(data, weight, one);
    for (size_t k = 0; k < n; k++) all[k * times + t] = one[k];
  }
  for (size_t k = 0; ret == 0 && k < n; k++) {
    size_t finite = 0; /* a resample of equal rows has no variance */
    double *sample = all + k * times;
    for (size_t t = 0; t < times; t++)
      if (isfinite(sample[t])) sample[finite++] = sample[t];
    qsort(sample, finite, sizeof *sample, ascending);
    low[k] = finite ? quantile(sample, finite, 0.025) : NAN;
    high[k] = finite ? quantile(sample, finite, 0.975) : NAN;
  }
  sim_free(weight);
  sim_free(all);
  sim_free(one);
  return ret;
}

/* ---- Sobol' indices -------------------------------------------------------------------------------------------- */

struct saltelli {
  const double *y; /* [rows][factors + 2] */
  size_t rows, factors;
  double centre; /* taken off y, so that sums do not cancel */
};

/* out: first [factors], total [factors], mean, variance. */
static void sobol_statistics(const void *data, const uint32_t *weight, double *out) {
  const struct saltelli *s = data;
  double *first = out, *total = out + s->factors, n = 0, sum = 0, squares = 0;
  for (size_t row = 0; row < s->rows; row++) {
    const double *y = s->y + row * (s->factors + 2), w = weight ? weight[row] : 1;
    double a = y[0] - s->centre, b = y[1] - s->centre;
    n += w;
    sum += w * (a + b);
    squares += w * (a * a + b * b);
  }
  double mean = sum / (2 * n), variance = squares / (2 * n) - mean * mean;
  if (!(variance > 1e-24 * s->centre * s->centre)) variance = NAN; /* nothing but rounding */
  memset(out, 0, 2 * s->factors * sizeof *out);
  for (size_t row = 0; row < s->rows; row++) {
    const double *y = s->y + row * (s->factors + 2), w = weight ? weight[row] : 1;
    if (w == 0) continue;
    double b = y[1] - s->centre - mean;
    for (size_t f = 0; f < s->factors; f++) {
      double change = y[2 + f] - y[0];
      first[f] += w * b * change;
      total[f] += w * change * change;
    }
  }
  for (size_t f = 0; f < s->factors; f++) {
    first[f] /= n * variance;
    total[f] /= 2 * n * variance;
  }
  out[2 * s->factors] = s->centre + mean;
  out[2 * s->factors + 1] = isnan(variance) ? 0 : variance;
}

int sim_sobol_indices(const double *y, size_t rows, size_t factors, const struct sim_rng *rng, struct sim_sobol *out,
                      double *mean, double *variance) {
  struct saltelli s = {.y = y, .rows = rows, .factors = factors};
  for (size_t row = 0; row < rows; row++) s.centre += y[row * (factors + 2)] / (double)rows;
  size_t n = 2 * factors + 2;
  double *value = sim_calloc(n, sizeof *value), *low = sim_calloc(n, sizeof *low), *high = sim_calloc(n, sizeof *high);
  int ret = value && low && high ? 0 : SIM_ERR_MEMORY;
  if (ret == 0) {
    sobol_statistics(&s, NULL, value);
    ret = bootstrap(sobol_statistics, &s, rows, n, rng, low, high);
  }
  for (size_t f = 0; ret == 0 && f < factors; f++) {
    out[f].first = (struct sim_estimate){value[f], low[f], high[f]};
    out[f].total = (struct sim_estimate){value[factors + f], low[factors + f], high[factors + f]};
  }
  if (ret == 0 && mean) *mean = value[2 * factors];
  if (ret == 0 && variance) *variance = value[2 * factors + 1];
  sim_free(value);
  sim_free(low);
  sim_free(high);
  return ret;
}

/* ---- Morris ---------------------------------------------------------------------------------------------------- */

struct effects {
  const double *effect; /* [rows][factors] */
  size_t rows, factors;
};

/* out: mean [factors], mean of absolute values [factors], standard deviation [factors]. */
static void morris_statistics(const void *data, const uint32_t *weight, double *out) {
  const struct effects *e = data;
  for (size_t f = 0; f < e->factors; f++) {
    double n = 0, sum = 0, absolute = 0, squares = 0;
    for (size_t row = 0; row < e->rows; row++) {
      double x = e->effect[row * e->factors + f], w = weight ? weight[row] : 1;
      n += w, sum += w * x, absolute += w * fabs(x);
    }
    double mean = sum / n;
    for (size_t row = 0; row < e->rows; row++) {
      double x = e->effect[row * e->factors + f] - mean, w = weight ? weight[row] : 1;
      squares += w * x * x;
    }
    out[f] = mean;
    out[e->factors + f] = absolute / n;
    out[2 * e->factors + f] = n > 1 ? sqrt(squares / (n - 1)) : NAN;
  }
}

int sim_morris_effects(const double *effect, size_t trajectories, size_t factors, const struct sim_rng *rng,
                       struct sim_morris *out) {
  struct effects e = {effect, trajectories, factors};
  size_t n = 3 * factors;
  double *value = sim_calloc(n, sizeof *value), *low = sim_calloc(n, sizeof *low), *high = sim_calloc(n, sizeof *high);
  int ret = value && low && high ? 0 : SIM_ERR_MEMORY;
  if (ret == 0) {
    morris_statistics(&e, NULL, value);
    ret = bootstrap(morris_statistics, &e, trajectories, n, rng, low, high);
  }
  for (size_t f = 0; ret == 0 && f < factors; f++) {
    size_t k = factors + f;
    out[f].mean = (struct sim_estimate){value[f], low[f], high[f]};
    out[f].absolute = (struct sim_estimate){value[k], low[k], high[k]};
    out[f].sd = value[2 * factors + f];
  }
  sim_free(value);
  sim_free(low);
  sim_free(high);
  return ret;
}
