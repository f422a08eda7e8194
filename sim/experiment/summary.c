/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/summary.h"
#include "sim/core/dmath.h"
#include "sim/core/mem.h"
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NORMAL_975 1.959963984540054 /* quantile 0.975 of the standard normal */

/* ---- Kaplan-Meier -------------------------------------------------------------------------------------------- */

struct km_item {
  double time;
  bool event;
};

static int compare_items(const void *a, const void *b) {
  double x = ((const struct km_item *)a)->time, y = ((const struct km_item *)b)->time;
  return (x > y) - (x < y);
}

static void km_steps(struct sim_km *km, const struct km_item *item) {
  double survival = 1, sum = 0;
  for (size_t i = 0; i < km->n;) {
    size_t events = 0, j = i;
    for (; j < km->n && item[j].time == item[i].time; j++) events += item[j].event;
    double risk = (double)(km->n - i), d = (double)events;
    if (events) {
      survival *= (risk - d) / risk;
      sum += d < risk ? d / (risk * (risk - d)) : INFINITY;
      km->time[km->steps] = item[i].time;
      km->risk[km->steps] = risk;
      km->events[km->steps] = d;
      km->survival[km->steps] = survival;
      km->greenwood[km->steps++] = sum;
    }
    i = j;
  }
}

int sim_km_init(struct sim_km *km, const double *time, const bool *event, size_t n) {
  memset(km, 0, sizeof *km);
  struct km_item *item = sim_calloc(n + 1, sizeof *item);
  km->time = sim_calloc(n + 1, sizeof *km->time);
  km->risk = sim_calloc(n + 1, sizeof *km->risk);
  km->events = sim_calloc(n + 1, sizeof *km->events);
  km->survival = sim_calloc(n + 1, sizeof *km->survival);
  km->greenwood = sim_calloc(n + 1, sizeof *km->greenwood);
  if (!item || !km->time || !km->risk || !km->events || !km->survival || !km->greenwood) {
    sim_free(item);
    sim_km_free(km);
    return SIM_ERR_MEMORY;
  }
  for (size_t i = 0; i < n; i++) item[i] = (struct km_item){time[i], event[i]};
  qsort(item, n, sizeof *item, compare_items);
  km->n = n;
  km->last = n ? item[n - 1].time : 0;
  km_steps(km, item);
  sim_free(item);
  return 0;
}

void sim_km_free(struct sim_km *km) {
  sim_free(km->time);
  sim_free(km->risk);
  sim_free(km->events);
  sim_free(km->survival);
  sim_free(km->greenwood);
  memset(km, 0, sizeof *km);
}

/* Steps at or before t. */
static size_t steps_until(const struct sim_km *km, double t) {
  size_t low = 0, high = km->steps;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (km->time[middle] <= t)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

double sim_km_survival(const struct sim_km *km, double t) {
  size_t i = steps_until(km, t);
  return i ? km->survival[i - 1] : 1;
}

double sim_km_se(const struct sim_km *km, double t) {
  size_t i = steps_until(km, t);
  if (i == 0 || km->survival[i - 1] == 0) return 0;
  return km->survival[i - 1] * sqrt(km->greenwood[i - 1]);
}

/* Limits of S after step i: S^exp(+-z se(log(-log S))), which stay within (0, 1). */
static void log_log_limits(const struct sim_km *km, size_t i, double *low, double *high) {
  double s = km->survival[i];
  *low = *high = s;
  if (s <= 0 || s >= 1) return;
  double spread = NORMAL_975 * sqrt(km->greenwood[i]) / fabs(sim_log(s));
  *low = sim_pow(s, sim_exp(spread));
  *high = sim_pow(s, sim_exp(-spread));
}

double sim_km_quantile(const struct sim_km *km, double p, double *low, double *high) {
  double quantile = NAN, first = NAN, last = NAN;
  const double level = 1 - p + 1e-12; /* so that S = 1/2 computed by a product of fractions counts as 1/2 */
  for (size_t i = 0; i < km->steps; i++) {
    double s_low, s_high;
    log_log_limits(km, i, &s_low, &s_high);
    if (isnan(first) && s_low <= level) first = km->time[i];
    if (isnan(quantile) && km->survival[i] <= level) quantile = km->time[i];
    if (isnan(last) && s_high <= level) last = km->time[i];
  }
  if (low) *low = first;
  if (high) *high = last;
  return quantile;
}

double sim_km_rmst(const struct sim_km *km, double tau, double *se) {
  size_t steps = steps_until(km, tau);
  double area = 0, variance = 0, right = tau; /* area: integral from the step's time to tau, built from the right */
  for (size_t i = steps; i-- > 0;) {
    area += km->survival[i] * (right - km->time[i]);
    right = km->time[i];
    double before = i ? km->greenwood[i - 1] : 0;
    /* where S reaches 0 the area is 0 and Greenwood's term infinite: its product is 0 */
    if (area > 0) variance += area * area * (km->greenwood[i] - before);
  }
  if (se) *se = sqrt(variance);
  return area + right;
}

int sim_km_pseudo(const struct sim_km *km, const double *time, const bool *event, size_t n, double tau, double *out) {
  size_t steps = steps_until(km, tau);
  double mean = sim_km_rmst(km, tau, NULL), area = 0, right = tau;
  /* weight: area under the curve from a step to tau, over those who go on; passed: what it takes from those at risk */
  double *weight = sim_calloc(2 * steps + 2, sizeof *weight);
  if (!weight) return SIM_ERR_MEMORY;
  double *passed = weight + steps + 1;
  for (size_t i = steps; i-- > 0;) {
    double left = km->risk[i] - km->events[i];
    area += km->survival[i] * (right - km->time[i]);
    right = km->time[i];
    weight[i] = left > 0 ? area / left : 0;
  }
  for (size_t i = 0; i < steps; i++) passed[i + 1] = passed[i] + weight[i] * km->events[i] / km->risk[i];
  for (size_t i = 0; i < n; i++) {
    size_t until = steps_until(km, fmin(time[i], tau));
    bool own = event[i] && time[i] <= tau && until > 0;
    out[i] = mean - (double)n * ((own ? weight[until - 1] : 0) - passed[until]);
  }
  sim_free(weight);
  return 0;
}

/* ---- recovery ------------------------------------------------------------------------------------------------ */

static int rmst_of(const double *time, const bool *event, size_t n, double tau, struct sim_recovery *out,
                   bool conditional) {
  struct sim_km km;
  int ret = sim_km_init(&km, time, event, n);
  if (ret) return ret;
  if (!conditional) {
    out->rmst_unconditional = n ? sim_km_rmst(&km, tau, &out->rmst_unconditional_se) : NAN;
  } else if (n) {
    out->rmst = sim_km_rmst(&km, tau, &out->rmst_se);
    out->median = sim_km_quantile(&km, 0.5, &out->median_low, &out->median_high);
    const double p[3] = {0.25, 0.75, 0.9};
    for (unsigned q = 0; q < 3; q++) out->quantile[q] = sim_km_quantile(&km, p[q], NULL, NULL);
  }
  sim_km_free(&km);
  return 0;
}

static bool is_recovered(double status) {
  return status == SIM_STATUS_RECOVERED || status == SIM_STATUS_RELAPSED_RECOVERED;
}

static bool is_censored(double status) {
  return status == SIM_STATUS_CENSORED || status == SIM_STATUS_RELAPSED_CENSORED;
}

size_t sim_summary_times(const double *recovery, const double *status, const double *observed, size_t n, bool all,
                         double *time, bool *event) {
  size_t m = 0;
  for (size_t i = 0; i < n; i++) {
    if (!is_recovered(status[i]) && !is_censored(status[i])) continue;
    event[m] = is_recovered(status[i]);
    time[m] = event[m] ? recovery[i] : observed[i];
    if (time[m] >= 0) m++;
  }
  for (size_t i = 0; all && i < n; i++)
    if (status[i] == SIM_STATUS_NEVER_DEGRADED) time[m] = 0, event[m++] = true;
  return m;
}

int sim_summary_recovery(const double *time, const double *status, const double *observed, size_t n, double tau,
                         struct sim_recovery *out) {
  memset(out, 0, sizeof *out);
  out->level = NAN, out->tau = tau;
  out->median = out->median_low = out->median_high = NAN;
  out->quantile[0] = out->quantile[1] = out->quantile[2] = NAN;
  out->rmst = out->rmst_se = out->rmst_unconditional = out->rmst_unconditional_se = NAN;
  double *t = sim_calloc(n + 1, sizeof *t);
  bool *event = sim_calloc(n + 1, sizeof *event);
  int ret = t && event ? 0 : SIM_ERR_MEMORY;
  for (size_t i = 0; ret == 0 && i < n; i++) {
    if (!(status[i] >= 0 && status[i] < SIM_STATUSES)) continue; /* not run */
    out->count[(size_t)status[i]]++, out->runs++;
  }
  for (int all = 0; ret == 0 && all < 2; all++) {
    size_t m = sim_summary_times(time, status, observed, n, all, t, event);
    ret = rmst_of(t, event, m, tau, out, !all);
  }
  sim_free(t);
  sim_free(event);
  return ret;
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile_sorted(const double *x, size_t n, double p) {
  double place = p * (double)(n - 1), whole = floor(place);
  size_t i = (size_t)whole;
  return i + 1 < n ? x[i] + (place - whole) * (x[i + 1] - x[i]) : x[n - 1];
}

/* Ranks l < u of order statistics with P(x_(l) <= median <= x_(u)) >= 0.95: both binomial tails below 0.025. */
static void median_interval(const double *x, size_t n, struct sim_numbers *out) {
  size_t below = 0, top = n / 2; /* most order statistics that may be left out at either end */
  while (below < top) {
    size_t middle = (below + top + 1) / 2;
    if (gsl_cdf_binomial_P((unsigned)(middle - 1), 0.5, (unsigned)n) <= 0.025) {
      below = middle;
    } else {
      top = middle - 1;
    }
  }
  if (below == 0) return;
  out->median_low = x[below - 1];
  out->median_high = x[n - below];
}

int sim_summary_numbers(const double *value, size_t n, struct sim_numbers *out) {
  *out = (struct sim_numbers){
      .mean = NAN, .se = NAN, .sd = NAN, .min = NAN, .max = NAN, .median_low = NAN, .median_high = NAN};
  for (unsigned q = 0; q < 5; q++) out->quantile[q] = NAN;
  double *x = sim_calloc(n + 1, sizeof *x);
  if (!x) return SIM_ERR_MEMORY;
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++)
    if (!isnan(value[i])) sum += x[out->n++] = value[i];
  out->missing = n - out->n;
  if (out->n) {
    size_t m = out->n;
    qsort(x, m, sizeof *x, compare_doubles);
    out->mean = sum / (double)m;
    for (size_t i = 0; i < m; i++) squares += (x[i] - out->mean) * (x[i] - out->mean);
    if (m > 1) out->sd = sqrt(squares / (double)(m - 1)), out->se = out->sd / sqrt((double)m);
    out->min = x[0], out->max = x[m - 1];
    const double p[5] = {0.05, 0.25, 0.5, 0.75, 0.95};
    for (unsigned q = 0; q < 5; q++) out->quantile[q] = quantile_sorted(x, m, p[q]);
    median_interval(x, m, out);
  }
  sim_free(x);
  return 0;
}
