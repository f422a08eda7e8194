/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log-rank test of several groups (Mantel 1966; Klein & Moeschberger 2003, section 7.3). */
#include "sim/core/mem.h"
#include "sim/experiment/summary.h"
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct member {
  double time;
  size_t group;
  bool event;
};

static int compare_members(const void *a, const void *b) {
  double x = ((const struct member *)a)->time, y = ((const struct member *)b)->time;
  return (x > y) - (x < y);
}

struct tally { /* over the groups: who is at risk, whose event it is at one time; sums of observed less expected */
  size_t groups;
  double *risk, *now, *excess, *covariance; /* covariance: [groups][groups] */
};

/* One time of events: `all` at risk, `events` of them. */
static void add_time(struct tally *t, double all, double events) {
  double scale = all > 1 ? events * (all - events) / (all - 1) : 0;
  for (size_t i = 0; i < t->groups; i++) {
    double share = t->risk[i] / all;
    t->excess[i] += t->now[i] - events * share;
    for (size_t j = 0; j < t->groups; j++)
      t->covariance[i * t->groups + j] += scale * share * ((i == j) - t->risk[j] / all);
  }
}

static void add_all(struct tally *t, const struct member *m, size_t n) {
  for (size_t i = 0; i < n; i++) t->risk[m[i].group]++;
  for (size_t i = 0, j; i < n; i = j) {
    double events = 0;
    memset(t->now, 0, t->groups * sizeof *t->now);
    for (j = i; j < n && m[j].time == m[i].time; j++)
      if (m[j].event) events++, t->now[m[j].group]++;
    if (events > 0) add_time(t, (double)(n - i), events);
    for (size_t k = i; k < j; k++) t->risk[m[k].group]--;
  }
}

/* excess' covariance^-1 excess over the first k of the groups that anybody is in, by Cholesky's factors; the last such
 * group follows from the others. NaN if the covariance is singular: some group shares no time with another. */
static double quadratic_form(const struct tally *t, const size_t *used, size_t k, double *l) {
  double sum = 0;
  for (size_t i = 0; i < k; i++) {
    double y = t->excess[used[i]];
    for (size_t j = 0; j <= i; j++) {
      double c = t->covariance[used[i] * t->groups + used[j]];
      for (size_t m = 0; m < j; m++) c -= l[i * (k + 1) + m] * l[j * (k + 1) + m];
      if (i == j && !(c > 1e-12 * t->covariance[used[i] * t->groups + used[i]])) return NAN;
      l[i * (k + 1) + j] = i == j ? sqrt(c) : c / l[j * (k + 1) + j];
    }
    for (size_t j = 0; j < i; j++) y -= l[i * (k + 1) + j] * l[j * (k + 1) + k];
    y /= l[i * (k + 1) + i];
    l[i * (k + 1) + k] = y; /* the solution of L y = excess stands in the last column */
    sum += y * y;
  }
  return sum;
}

int sim_logrank_test(const double *time, const bool *event, const size_t *group, size_t n, size_t groups,
                     struct sim_logrank *out) {
  *out = (struct sim_logrank){NAN, NAN, 0};
  struct member *m = sim_calloc(n + 1, sizeof *m);
  double *memory = sim_calloc(groups * (3 + 2 * (groups + 1)) + 1, sizeof *memory);
  size_t *used = sim_calloc(groups + 1, sizeof *used), present = 0;
  int ret = m && memory && used ? 0 : SIM_ERR_MEMORY;
  bool any = false;
  for (size_t i = 0; ret == 0 && i < n; i++) {
    m[i] = (struct member){time[i], group[i], event[i]};
    any = any || event[i];
  }
  if (ret == 0 && any) {
    struct tally t = {groups, memory, memory + groups, memory + 2 * groups, memory + 3 * groups};
    for (size_t i = 0; i < n; i++) t.risk[group[i]] = 1;
    for (size_t g = 0; g < groups; g++)
      if (t.risk[g] > 0) used[present++] = g;
    memset(t.risk, 0, groups * sizeof *t.risk);
    qsort(m, n, sizeof *m, compare_members);
    add_all(&t, m, n);
    if (present > 1) out->chi2 = quadratic_form(&t, used, present - 1, memory + groups * (3 + groups));
    out->freedom = present > 1 ? present - 1 : 0;
    if (isfinite(out->chi2)) out->p = gsl_cdf_chisq_Q(out->chi2, (double)out->freedom);
  }
  sim_free(m);
  sim_free(memory);
  sim_free(used);
  return ret;
}
