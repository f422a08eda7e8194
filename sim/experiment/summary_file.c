/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Summaries of the variables of a results file. */
#include "sim/core/mem.h"
#include "sim/experiment/summary.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Views of `time_to_recover` and its companions: [arm][point x replicate][level]. */
struct recovery_data {
  double *time, *status, *start, *observed, *horizon, *level;
  char **arm;
  size_t arms, runs, levels;
  double *scratch; /* [3][runs] */
};

static int load_optional(struct sim_results *r, const char *name, double **out) {
  return sim_results_find(r, name) ? sim_results_load(r, name, out) : 0;
}

static int recovery_load(struct sim_results *r, const struct sim_variable *v, struct recovery_data *d) {
  size_t n = 0;
  d->arms = v->size[0];
  d->runs = v->size[1] * v->size[2];
  d->levels = v->dims > 3 ? v->size[3] : 1;
  int ret = sim_results_load(r, "time_to_recover", &d->time);
  if (ret == 0) ret = sim_results_load(r, "status", &d->status);
  if (ret == 0) ret = sim_results_load_texts(r, "arm", &d->arm, &n);
  if (ret == 0) ret = load_optional(r, "observed_time", &d->observed);
  if (ret == 0) ret = load_optional(r, "episode_start", &d->start);
  if (ret == 0) ret = load_optional(r, "horizon", &d->horizon);
  if (ret == 0 && v->dims > 3) ret = load_optional(r, v->dim[3], &d->level);
  if (ret == 0 && n != d->arms) ret = SIM_ERR_IO;
  d->scratch = sim_calloc(3 * d->runs + 1, sizeof *d->scratch);
  return ret == 0 && !d->scratch ? SIM_ERR_MEMORY : ret;
}

static void recovery_free(struct recovery_data *d) {
  sim_free(d->time), sim_free(d->status), sim_free(d->start), sim_free(d->observed), sim_free(d->horizon);
  sim_free(d->level), sim_free(d->scratch);
  sim_results_texts_free(d->arm, d->arms);
}

/* Copies one arm's and level's runs into the scratch arrays: time, status, time under observation. */
static void recovery_view(const struct recovery_data *d, size_t arm, size_t level) {
  for (size_t i = 0; i < d->runs; i++) {
    size_t run = arm * d->runs + i, at = run * d->levels + level;
    d->scratch[i] = d->time[at];
    d->scratch[d->runs + i] = d->status[at];
    d->scratch[2 * d->runs + i] = d->observed              ? d->observed[run]
                                  : d->start && d->horizon ? d->horizon[arm] - d->start[run]
                                                           : NAN;
  }
}

/* Longest time, ended or censored, among the degraded runs of a view; NaN if there are none. */
static double view_longest(const struct recovery_data *d) {
  double longest = NAN;
  for (size_t i = 0; i < d->runs; i++) {
    double status = d->scratch[d->runs + i];
    bool ended = status == SIM_STATUS_RECOVERED || status == SIM_STATUS_RELAPSED_RECOVERED;
    bool censored = status == SIM_STATUS_CENSORED || status == SIM_STATUS_RELAPSED_CENSORED;
    /* Where all recover the curve is 0 from the last time on, so any longer window is good too: what counts is how long
     * a run could have been watched. */
    double t = ended || censored ? d->scratch[2 * d->runs + i] : NAN;
    if (isnan(t) && ended) t = d->scratch[i];
    longest = fmax(longest, t);
  }
  return longest;
}

/* Log-rank test of the arms at one level, over the degraded runs. */
static int logrank_of(const struct recovery_data *d, size_t level, struct sim_logrank *out) {
  size_t most = d->arms * d->runs, n = 0;
  double *time = sim_calloc(most + 1, sizeof *time);
  bool *event = sim_calloc(most + 1, sizeof *event);
  size_t *group = sim_calloc(most + 1, sizeof *group);
  int ret = time && event && group ? 0 : SIM_ERR_MEMORY;
  for (size_t arm = 0; ret == 0 && arm < d->arms; arm++) {
    recovery_view(d, arm, level);
    for (size_t i = 0; i < d->runs; i++) {
      double status = d->scratch[d->runs + i];
      bool ended = status == SIM_STATUS_RECOVERED || status == SIM_STATUS_RELAPSED_RECOVERED;
      bool censored = status == SIM_STATUS_CENSORED || status == SIM_STATUS_RELAPSED_CENSORED;
      double t = ended ? d->scratch[i] : d->scratch[2 * d->runs + i];
      if ((ended || censored) && t >= 0) time[n] = t, event[n] = ended, group[n++] = arm;
    }
  }
  if (ret == 0) ret = sim_logrank_test(time, event, group, n, d->arms, out);
  sim_free(time), sim_free(event), sim_free(group);
  return ret;
}

/* Where the curve of a view ends above 0, its last time: beyond it nothing is known. Else +inf. */
static double view_open_end(const struct recovery_data *d) {
  double last = -INFINITY;
  bool open = false;
  for (size_t i = 0; i < d->runs; i++) {
    double status = d->scratch[d->runs + i];
    bool ended = status == SIM_STATUS_RECOVERED || status == SIM_STATUS_RELAPSED_RECOVERED;
    bool censored = status == SIM_STATUS_CENSORED || status == SIM_STATUS_RELAPSED_CENSORED;
    double t = ended ? d->scratch[i] : censored ? d->scratch[2 * d->runs + i] : NAN;
    if (t > last || (t == last && censored)) last = t, open = censored;
  }
  return open ? last : INFINITY;
}

/* The window of each level: what every arm was watched for, and no longer than every curve is known. */
static void windows(const struct recovery_data *d, double *tau) {
  double watched = NAN;
  for (size_t i = 0; i < d->arms * d->levels; i++) {
    recovery_view(d, i / d->levels, i % d->levels);
    watched = fmin(watched, view_longest(d));
  }
  for (size_t level = 0; level < d->levels; level++) {
    tau[level] = watched;
    for (size_t arm = 0; arm < d->arms; arm++) {
      recovery_view(d, arm, level);
      tau[level] = fmin(tau[level], view_open_end(d));
    }
  }
}

int sim_summary_recoveries(struct sim_results *r, double tau, struct sim_recovery **out, size_t *n,
                           struct sim_diag *diag) {
  const struct sim_variable *v = sim_results_find(r, "time_to_recover"), *s = sim_results_find(r, "status");
  *out = NULL, *n = 0;
  if (!v || !s || v->dims < 3 || v->dims > 4 || s->dims != v->dims) return 0;
  struct recovery_data d = {0};
  struct sim_recovery *list = NULL;
  int ret = recovery_load(r, v, &d);
  if (ret == 0 && !(list = sim_calloc(d.arms * d.levels + 1, sizeof *list))) ret = SIM_ERR_MEMORY;
  double *window = sim_calloc(d.levels + 1, sizeof *window);
  if (ret == 0 && !window) ret = SIM_ERR_MEMORY;
  if (ret == 0 && isnan(tau)) windows(&d, window);
  for (size_t level = 0; ret == 0 && !isnan(tau) && level < d.levels; level++) window[level] = tau;
  for (size_t i = 0; ret == 0 && i < d.arms * d.levels; i++) {
    recovery_view(&d, i / d.levels, i % d.levels);
    ret = sim_summary_recovery(d.scratch, d.scratch + d.runs, d.scratch + 2 * d.runs, d.runs, window[i % d.levels],
                               &list[i]);
    snprintf(list[i].arm, sizeof list[i].arm, "%s", d.arm[i / d.levels]);
    if (d.level) list[i].level = d.level[i % d.levels];
  }
  for (size_t level = 0; ret == 0 && level < d.levels; level++) {
    struct sim_logrank test;
    ret = logrank_of(&d, level, &test);
    for (size_t arm = 0; ret == 0 && arm < d.arms; arm++) list[arm * d.levels + level].logrank = test;
  }
  *n = ret == 0 ? d.arms * d.levels : 0;
  sim_free(window);
  recovery_free(&d);
  if (ret) {
    sim_free(list);
    if (ret == SIM_ERR_IO || ret == SIM_ERR_INPUT) {
      ret = sim_diag_add(diag, NULL, NULL, "the times of recovery cannot be read: the results file is damaged");
    }
    return ret;
  }
  *out = list;
  return 0;
}

int sim_summary_variable(struct sim_results *r, const char *name, struct sim_variable_summary **out, size_t *n,
                         struct sim_diag *diag) {
  const struct sim_variable *v = sim_results_find(r, name);
  *out = NULL, *n = 0;
  if (!v) return sim_diag_add(diag, NULL, NULL, "there is no variable `%s` in the results", name);
  if (v->text || v->dims < 3 || strcmp(v->dim[0], "arm") || strcmp(v->dim[1], "point") ||
      strcmp(v->dim[2], "replicate")) {
    return sim_diag_add(diag, NULL, NULL, "`%s` is not a number a run", name);
  }
  size_t arms = v->size[0], runs = v->size[1] * v->size[2], elements = 1;
  for (unsigned d = 3; d < v->dims; d++) elements *= v->size[d];
  double *value = NULL, *one = sim_calloc(runs + 1, sizeof *one);
  struct sim_variable_summary *list = sim_calloc(arms * elements + 1, sizeof *list);
  int ret = one && list ? sim_results_load(r, name, &value) : SIM_ERR_MEMORY;
  if (ret == SIM_ERR_IO) ret = sim_diag_add(diag, NULL, NULL, "`%s` cannot be read: the results file is damaged", name);
  for (size_t i = 0; ret == 0 && i < arms * elements; i++) {
    list[i].arm = i / elements, list[i].element = i % elements;
    for (size_t k = 0; k < runs; k++) {
      one[k] = value[(list[i].arm * runs + k) * elements + list[i].element];
      if (v->flags && one[k] >= 0 && one[k] < 16) list[i].flag[(size_t)one[k]]++;
    }
    ret = sim_summary_numbers(one, runs, &list[i].numbers);
  }
  sim_free(value);
  sim_free(one);
  if (ret) {
    sim_free(list);
    return ret;
  }
  *out = list;
  *n = arms * elements;
  return 0;
}
