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

/* Values of the pairs by file: value[k][points * replicates]; value[0] becomes the difference. order: what pairs are
 * ranked by, or NULL: the values. */
static void summarise(const struct sim_pairing *p, double *value[2], double *const order[2],
                      struct sim_pair_difference *out) {
  size_t n = 0, lower = 0, equal = 0, higher = 0;
  double sum[2] = {0, 0};
  for (size_t i = 0; i < p->points * p->replicates; i++) {
    double a = value[0][i], b = value[1][i], x = order ? order[0][i] : a, y = order ? order[1][i] : b;
    value[0][i] = isfinite(a) && isfinite(b) ? a - b : NAN;
    if (isnan(value[0][i])) continue;
    n++, lower += x < y, equal += x == y && isfinite(x), higher += x > y;
    sum[0] += a, sum[1] += b;
  }
  sim_pairing_interval(value[0], p->points, p->replicates, p->shared, out);
  for (unsigned k = 0; k < 2; k++) out->mean[k] = n ? sum[k] / (double)n : NAN;
  out->lower = n ? (double)lower / (double)n : NAN;
  out->equal = n ? (double)equal / (double)n : NAN;
  out->higher = n ? (double)higher / (double)n : NAN;
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
    summarise(p, value, NULL, x);
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

/* The runs of one file, arm and level, as far as they are paired: [points * replicates]. */
struct times {
  double *time, *order, *value; /* order: 0 where never degraded, +inf where it had not recovered; NaN: no value */
  bool *event;
  double watched, last; /* longest watch of a degraded run; last time of all, or +inf where it is an event */
};

static int times_init(struct times *t, size_t pairs) {
  t->time = sim_calloc(pairs, sizeof *t->time), t->order = sim_calloc(pairs, sizeof *t->order);
  t->value = sim_calloc(pairs, sizeof *t->value), t->event = sim_calloc(pairs, sizeof *t->event);
  return t->time && t->order && t->value && t->event ? 0 : SIM_ERR_MEMORY;
}

static void times_free(struct times *t) {
  sim_free(t->time), sim_free(t->order), sim_free(t->value), sim_free(t->event);
}

static void times_read(struct times *t, const struct sim_pairing *p, unsigned k, const struct recovery *r, size_t arm,
                       size_t level) {
  const struct sim_variable *v = r->status;
  double last = 0;
  bool open = false;
  t->watched = -INFINITY;
  for (size_t i = 0; i < p->points * p->replicates; i++) {
    size_t run = (p->place[k][arm] * v->size[1] + i / p->replicates) * v->size[2] + i % p->replicates;
    double code = r->code[run * v->size[3] + level], time = r->time[run * v->size[3] + level];
    bool recovered = code == SIM_STATUS_RECOVERED || code == SIM_STATUS_RELAPSED_RECOVERED;
    bool censored = code == SIM_STATUS_CENSORED || code == SIM_STATUS_RELAPSED_CENSORED;
    t->event[i] = !censored;
    t->time[i] = recovered ? time : censored ? r->observed[run] : code == SIM_STATUS_NEVER_DEGRADED ? 0 : NAN;
    t->order[i] = censored ? INFINITY : t->time[i];
    if (!(recovered || censored) || isnan(t->time[i])) continue;
    t->watched = fmax(t->watched, r->observed[run]);
    if (t->time[i] > last || (t->time[i] == last && censored)) last = t->time[i], open = censored;
  }
  t->last = open ? last : INFINITY;
}

/* Pseudo-observations of the restricted mean; where the run has no time, NaN. */
static int times_restrict(struct times *t, size_t pairs, double until) {
  struct sim_km km;
  size_t n = 0;
  double *time = sim_calloc(2 * pairs, sizeof *time);
  bool *event = sim_calloc(pairs, sizeof *event);
  int ret = time && event ? 0 : SIM_ERR_MEMORY;
  for (size_t i = 0; ret == 0 && i < pairs; i++)
    if (!isnan(t->time[i])) time[n] = t->time[i], event[n++] = t->event[i];
  if (ret == 0) ret = sim_km_init(&km, time, event, n);
  if (ret == 0) {
    ret = sim_km_pseudo(&km, time, event, n, until, time + pairs);
    sim_km_free(&km);
  }
  n = 0;
  for (size_t i = 0; ret == 0 && i < pairs; i++) t->value[i] = isnan(t->time[i]) ? NAN : time[pairs + n++];
  sim_free(time);
  sim_free(event);
  return ret;
}

/* The longest time up to which the restricted means of all arms of both files are known; +inf: nobody was degraded. */
static double window_of(const struct sim_pairing *p, const struct recovery r[2], size_t level, struct times t[2]) {
  double until = INFINITY;
  for (size_t arm = 0; arm < p->arms; arm++)
    for (unsigned k = 0; k < 2; k++) {
      times_read(&t[k], p, k, &r[k], arm, level);
      if (t[k].watched >= 0) until = fmin(until, fmin(t[k].watched, t[k].last));
    }
  return until;
}

static int recover_level(const struct sim_pairing *p, const struct recovery r[2], size_t level, struct times t[2],
                         double until, struct sim_pair_difference *out, size_t stride) {
  size_t pairs = p->points * p->replicates;
  int ret = 0;
  for (size_t arm = 0; ret == 0 && arm < p->arms; arm++) {
    for (unsigned k = 0; ret == 0 && k < 2; k++) {
      times_read(&t[k], p, k, &r[k], arm, level);
      ret = times_restrict(&t[k], pairs, isfinite(until) ? until : 0);
    }
    out[arm * stride].arm = arm, out[arm * stride].element = level;
    summarise(p, (double *[]){t[0].value, t[1].value}, (double *[]){t[0].order, t[1].order}, &out[arm * stride]);
  }
  return ret;
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
  struct times t[2] = {{0}, {0}};
  double *window = sim_calloc(levels, sizeof *window);
  struct sim_pair_difference *list = sim_calloc(p->arms * levels, sizeof *list);
  int ret = window && list ? 0 : SIM_ERR_MEMORY;
  for (unsigned k = 0; ret == 0 && k < 2; k++) ret = times_init(&t[k], pairs);
  for (unsigned k = 0; ret == 0 && k < 2; k++) ret = recovery_load(&r[k], p->file[k]);
  for (size_t level = 0; ret == 0 && level < levels; level++) {
    window[level] = window_of(p, r, level, t);
    ret = recover_level(p, r, level, t, window[level], list + level, levels);
  }
  for (unsigned k = 0; k < 2; k++) recovery_free(&r[k]), times_free(&t[k]);
  if (ret == 0) {
    *out = list, *until = window, *n = p->arms * levels;
    return 0;
  }
  sim_free(list), sim_free(window);
  return damaged(ret, "time_to_recover", diag);
}
