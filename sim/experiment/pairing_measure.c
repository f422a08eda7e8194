/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Paired differences of the measures of two results files. */
#include "sim/core/mem.h"
#include "sim/experiment/pairing.h"
#include "sim/experiment/summary.h"
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

int sim_measure_direction(const char *name) {
  static const char *const more[] = {"robustness", "population_robustness", "episode_robustness", "group_robustness",
                                     "rapidity"};
  static const char *const less[] = {"incidents",
                                     "episodes",
                                     "time_to_detect",
                                     "time_to_recover",
                                     "time_to_contain",
                                     "time_below",
                                     "relapses",
                                     "resilience_loss",
                                     "population_resilience_loss",
                                     "episode_resilience_loss",
                                     "episode_time_to_recover",
                                     "group_resilience_loss",
                                     "group_time_to_recover",
                                     "lost_days_per_year",
                                     "theil_t",
                                     "recovery_gap",
                                     "peak_load",
                                     "final_size",
                                     "person_days",
                                     "cost"};
  for (size_t i = 0; i < sizeof more / sizeof *more; i++)
    if (strcmp(name, more[i]) == 0) return 1;
  for (size_t i = 0; i < sizeof less / sizeof *less; i++)
    if (strcmp(name, less[i]) == 0) return -1;
  return 0;
}

/* ---- one sample of differences --------------------------------------------------------------------------------- */

/* Variance of the mean of the means along rows (or columns) that have a value, as a sample; *n: how many have one. */
static double variance_of_means(const double *value, size_t points, size_t replicates, bool rows, size_t *n) {
  size_t outer = rows ? points : replicates, inner = rows ? replicates : points;
  double mean = 0, squares = 0; /* Welford's recurrence */
  *n = 0;
  for (size_t i = 0; i < outer; i++) {
    double sum = 0, count = 0;
    for (size_t j = 0; j < inner; j++) {
      double x = rows ? value[i * replicates + j] : value[j * replicates + i];
      if (isfinite(x)) sum += x, count++;
    }
    if (count == 0) continue;
    double step = sum / count - mean;
    mean += step / (double)++*n;
    squares += step * (sum / count - mean);
  }
  return *n > 1 ? squares / (double)(*n - 1) / (double)*n : NAN;
}

void sim_pairing_interval(const double *value, size_t points, size_t replicates, bool shared,
                          struct sim_pair_difference *out) {
  double sum = 0;
  size_t n = 0, by_point, by_replicate, size;
  for (size_t i = 0; i < points * replicates; i++)
    if (isfinite(value[i])) sum += value[i], n++;
  out->n = n;
  out->difference = n ? sum / (double)n : NAN;
  out->low = out->high = NAN;
  double variance = variance_of_means(value, points, replicates, true, &by_point);
  size = by_point;
  double chance = variance_of_means(value, points, replicates, false, &by_replicate);
  if (by_point == 1) { /* the replicates of one point are the sample */
    variance = chance, size = by_replicate;
  } else if (shared && by_replicate > 1) {
    variance += chance;
    if (by_replicate < size) size = by_replicate;
  }
  if (size < 2) return;
  double width = gsl_cdf_tdist_Pinv(0.975, (double)(size - 1)) * sqrt(variance);
  out->low = out->difference - width;
  out->high = out->difference + width;
}

/* Values of the pairs by file: value[k][points * replicates]; value[0] becomes the difference. */
static void summarise(const struct sim_pairing *p, double *value[2], struct sim_pair_difference *out) {
  size_t n = 0, lower = 0, equal = 0;
  double sum[2] = {0, 0};
  for (size_t i = 0; i < p->points * p->replicates; i++) {
    double a = value[0][i], b = value[1][i];
    value[0][i] = isfinite(a) && isfinite(b) ? a - b : NAN;
    if (isnan(value[0][i])) continue;
    n++, lower += a < b, equal += a == b;
    sum[0] += a, sum[1] += b;
  }
  sim_pairing_interval(value[0], p->points, p->replicates, p->shared, out);
  for (unsigned k = 0; k < 2; k++) out->mean[k] = n ? sum[k] / (double)n : NAN;
  out->lower = n ? (double)lower / (double)n : NAN;
  out->equal = n ? (double)equal / (double)n : NAN;
  out->higher = n ? (double)(n - lower - equal) / (double)n : NAN;
}

/* ---- measures of the files ------------------------------------------------------------------------------------- */

static bool of_runs(const struct sim_variable *v) {
  return v && !v->text && !v->flags && v->dims >= 3 && strcmp(v->dim[0], "arm") == 0 &&
         strcmp(v->dim[1], "point") == 0 && strcmp(v->dim[2], "replicate") == 0;
}

static bool alike(const struct sim_variable *a, const struct sim_variable *b) {
  bool same = of_runs(a) && of_runs(b) && a->dims == b->dims && strcmp(a->unit, b->unit) == 0;
  for (unsigned d = 3; same && d < a->dims; d++) same = strcmp(a->dim[d], b->dim[d]) == 0;
  return same;
}

static size_t elements_of(const struct sim_variable *v) {
  size_t n = 1;
  for (unsigned d = 3; d < v->dims; d++) n *= v->size[d];
  return n;
}

/* Where each label of a dimension of the first file stands in the second; SIZE_MAX: nowhere. */
static int match_labels(const struct sim_pairing *p, const char *dim, size_t size, size_t *to) {
  char **label[2] = {NULL, NULL};
  size_t n[2] = {0, 0};
  int ret = sim_results_labels(p->file[0], dim, &label[0], &n[0]);
  if (ret == 0) ret = sim_results_labels(p->file[1], dim, &label[1], &n[1]);
  for (size_t i = 0; ret == 0 && i < size; i++) {
    to[i] = SIZE_MAX;
    for (size_t j = 0; i < n[0] && j < n[1] && to[i] == SIZE_MAX; j++)
      if (strcmp(label[0][i], label[1][j]) == 0) to[i] = j;
  }
  sim_results_texts_free(label[0], n[0]), sim_results_texts_free(label[1], n[1]);
  return ret;
}

/* Where each element of the first file's variable is in the second's: to[elements], SIZE_MAX: nowhere. */
static int match_elements(const struct sim_pairing *p, const struct sim_variable *v[2], size_t *to) {
  size_t elements = elements_of(v[0]), inner = elements, stride = elements_of(v[1]);
  int ret = 0;
  memset(to, 0, elements * sizeof *to);
  for (unsigned d = 3; ret == 0 && d < v[0]->dims; d++) {
    size_t *label = sim_calloc(v[0]->size[d] + 1, sizeof *label);
    if (!label) return SIM_ERR_MEMORY;
    ret = match_labels(p, v[0]->dim[d], v[0]->size[d], label);
    if (v[0]->size[d]) inner /= v[0]->size[d];
    if (v[1]->size[d]) stride /= v[1]->size[d];
    for (size_t e = 0; ret == 0 && e < elements; e++) {
      size_t place = label[e / inner % v[0]->size[d]];
      to[e] = to[e] == SIZE_MAX || place == SIZE_MAX ? SIZE_MAX : to[e] + place * stride;
    }
    sim_free(label);
  }
  return ret;
}

/* The runs of one arm and element of a variable that is loaded whole, as far as they are paired. */
static void gather(const struct sim_pairing *p, unsigned k, const struct sim_variable *v, const double *all, size_t arm,
                   size_t element, double *out) {
  size_t elements = elements_of(v);
  for (size_t point = 0; point < p->points; point++)
    for (size_t r = 0; r < p->replicates; r++) {
      size_t run = (p->place[k][arm] * v->size[1] + point) * v->size[2] + r;
      out[point * p->replicates + r] = all[run * elements + element];
    }
}

static int damaged(int ret, const char *name, struct sim_diag *diag) {
  if (ret != SIM_ERR_IO && ret != SIM_ERR_INPUT) return ret;
  return sim_diag_add(diag, NULL, NULL, "a file is damaged: `%s` cannot be read", name);
}

int sim_pairing_measure(const struct sim_pairing *p, const char *name, struct sim_pair_difference **out, size_t *n,
                        size_t *left, struct sim_diag *diag) {
  const struct sim_variable *v[2] = {sim_results_find(p->file[0], name), sim_results_find(p->file[1], name)};
  *out = NULL, *n = *left = 0;
  if (!alike(v[0], v[1])) return 0;
  size_t elements = elements_of(v[0]), pairs = p->points * p->replicates, matched = 0;
  double *all[2] = {NULL, NULL}, *value[2] = {sim_calloc(pairs, sizeof(double)), sim_calloc(pairs, sizeof(double))};
  size_t *to = sim_calloc(elements + 1, sizeof *to);
  struct sim_pair_difference *list = sim_calloc(p->arms * elements + 1, sizeof *list);
  int ret = value[0] && value[1] && to && list ? match_elements(p, v, to) : SIM_ERR_MEMORY;
  for (unsigned k = 0; ret == 0 && k < 2; k++) ret = sim_results_load(p->file[k], name, &all[k]);
  for (size_t e = 0; ret == 0 && e < elements; e++) matched += to[e] != SIZE_MAX;
  for (size_t i = 0; ret == 0 && i < p->arms * elements; i++) {
    struct sim_pair_difference *x = &list[*n];
    x->arm = i / elements, x->element = i % elements;
    if (to[x->element] == SIZE_MAX) continue;
    gather(p, 0, v[0], all[0], x->arm, x->element, value[0]);
    gather(p, 1, v[1], all[1], x->arm, to[x->element], value[1]);
    summarise(p, value, x);
    ++*n;
  }
  *left = elements - matched + elements_of(v[1]) - matched;
  for (unsigned k = 0; k < 2; k++) sim_free(all[k]), sim_free(value[k]);
  sim_free(to);
  if (ret == 0) {
    *out = list;
    return 0;
  }
  sim_free(list);
  *n = 0;
  return damaged(ret, name, diag);
}

/* ---- time to recover ------------------------------------------------------------------------------------------- */

struct recovery { /* of one file, whole */
  const struct sim_variable *status;
  double *time, *code, *observed;
};

static int recovery_load(struct recovery *r, struct sim_results *file) {
  r->status = sim_results_find(file, "status");
  int ret = sim_results_load(file, "time_to_recover", &r->time);
  if (ret == 0) ret = sim_results_load(file, "status", &r->code);
  if (ret == 0) ret = sim_results_load(file, "observed_time", &r->observed);
  return ret;
}

static void recovery_free(struct recovery *r) {
  sim_free(r->time), sim_free(r->code), sim_free(r->observed);
}

static bool is_censored(double code) {
  return code == SIM_STATUS_CENSORED || code == SIM_STATUS_RELAPSED_CENSORED;
}

/* Time to recover of a run, at most `until` days; NaN where the run failed, was not made, or was watched for less. */
static double restricted(const struct recovery *r, size_t run, size_t at, double until) {
  double code = r->code[at];
  if (code == SIM_STATUS_RECOVERED || code == SIM_STATUS_RELAPSED_RECOVERED) return fmin(r->time[at], until);
  if (code == SIM_STATUS_NEVER_DEGRADED) return 0;
  return is_censored(code) && r->observed[run] >= until ? until : NAN;
}

/* Of every pair: value[k][points * replicates] where value is not NULL, and the least time of a censored run. */
static double each_run(const struct sim_pairing *p, const struct recovery r[2], size_t arm, size_t level, double until,
                       double *value[2]) {
  double shortest = INFINITY;
  for (unsigned k = 0; k < 2; k++) {
    const struct sim_variable *v = r[k].status;
    for (size_t i = 0; i < p->points * p->replicates; i++) {
      size_t run = (p->place[k][arm] * v->size[1] + i / p->replicates) * v->size[2] + i % p->replicates;
      size_t at = run * v->size[3] + level;
      if (is_censored(r[k].code[at])) shortest = fmin(shortest, r[k].observed[run]);
      if (value) value[k][i] = restricted(&r[k], run, at, until);
    }
  }
  return shortest;
}

/* True if both files have statuses and times over the same levels. */
static bool same_levels(const struct sim_pairing *p, size_t *levels) {
  char **label[2] = {NULL, NULL};
  size_t n[2] = {0, 0};
  bool same = true;
  for (unsigned k = 0; k < 2 && same; k++) {
    const struct sim_variable *s = sim_results_find(p->file[k], "status");
    same = s && s->dims == 4 && strcmp(s->dim[3], "level") == 0 && sim_results_find(p->file[k], "time_to_recover") &&
           sim_results_find(p->file[k], "observed_time") &&
           sim_results_labels(p->file[k], "level", &label[k], &n[k]) == 0;
  }
  same = same && n[0] == n[1] && n[0] > 0;
  for (size_t i = 0; i < n[0] && same; i++) same = strcmp(label[0][i], label[1][i]) == 0;
  *levels = n[0];
  sim_results_texts_free(label[0], n[0]), sim_results_texts_free(label[1], n[1]);
  return same;
}

int sim_pairing_recovery(const struct sim_pairing *p, struct sim_pair_difference **out, size_t *n, double **until,
                         struct sim_diag *diag) {
  struct recovery r[2] = {{0}, {0}};
  size_t levels = 0, pairs = p->points * p->replicates;
  *out = NULL, *until = NULL, *n = 0;
  if (!same_levels(p, &levels)) return 0;
  double *value[2] = {sim_calloc(pairs, sizeof(double)), sim_calloc(pairs, sizeof(double))};
  double *window = sim_calloc(levels, sizeof *window);
  struct sim_pair_difference *list = sim_calloc(p->arms * levels, sizeof *list);
  int ret = value[0] && value[1] && window && list ? 0 : SIM_ERR_MEMORY;
  for (unsigned k = 0; ret == 0 && k < 2; k++) ret = recovery_load(&r[k], p->file[k]);
  for (size_t level = 0; ret == 0 && level < levels; level++) {
    window[level] = INFINITY;
    for (size_t arm = 0; arm < p->arms; arm++)
      window[level] = fmin(window[level], each_run(p, r, arm, level, INFINITY, NULL));
    for (size_t arm = 0; arm < p->arms; arm++) {
      struct sim_pair_difference *x = &list[arm * levels + level];
      x->arm = arm, x->element = level;
      each_run(p, r, arm, level, window[level], value);
      summarise(p, value, x);
    }
  }
  for (unsigned k = 0; k < 2; k++) recovery_free(&r[k]), sim_free(value[k]);
  if (ret == 0) {
    *out = list, *until = window, *n = p->arms * levels;
    return 0;
  }
  sim_free(list), sim_free(window);
  return damaged(ret, "time_to_recover", diag);
}
