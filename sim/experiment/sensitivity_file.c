/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sensitivity from a results file alone: it holds the design and its structure. */
#include "sim/core/mem.h"
#include "sim/experiment/sensitivity.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_BOX 0.05 /* share of the points that a box keeps */

static int load_design(struct sim_sensitivity *s, struct sim_results *r, struct sim_diag *diag) {
  s->design = sim_results_attribute(r, "design");
  const struct sim_variable *v = sim_results_find(r, "design_value");
  if (!s->design || !v || v->dims != 2 || !sim_results_find(r, "design_place")) {
    return sim_diag_add(diag, NULL, NULL, "the results have no design: `design.sample` was none");
  }
  s->points = v->size[0];
  s->factors = v->size[1];
  char *base = sim_results_attribute(r, "design_base");
  if (base) s->base = strtoull(base, NULL, 10);
  sim_free(base);
  size_t n = 0;
  int ret = sim_results_load(r, "design_value", &s->value);
  if (ret == 0) ret = sim_results_load(r, "design_place", &s->place);
  if (ret == 0 && sim_results_find(r, "design_part")) ret = sim_results_load(r, "design_part", &s->part);
  if (ret == 0) ret = sim_results_labels(r, "factor", &s->path, &n);
  return ret == 0 && n != s->factors ? SIM_ERR_IO : ret;
}

/* Mean of the replicates at each point, and what chance leaves in it. */
static int load_means(struct sim_sensitivity *s, struct sim_results *r, const char *measure, size_t arm, size_t element,
                      struct sim_diag *diag) {
  const struct sim_variable *v = sim_results_find(r, measure);
  if (!v) return sim_diag_add(diag, NULL, NULL, "there is no variable `%s` in the results", measure);
  if (v->text || v->flags || v->dims < 3 || strcmp(v->dim[0], "arm") || strcmp(v->dim[1], "point") ||
      strcmp(v->dim[2], "replicate")) {
    return sim_diag_add(diag, NULL, NULL, "`%s` is not a number a run", measure);
  }
  size_t replicates = v->size[2], elements = 1, estimated = 0;
  for (unsigned d = 3; d < v->dims; d++) elements *= v->size[d];
  sim_bug_assert(arm < v->size[0] && element < elements && v->size[1] == s->points);
  double *y = NULL, sum_noise = 0;
  int ret = sim_results_load(r, measure, &y);
  s->mean = sim_calloc(s->points, sizeof *s->mean);
  if (ret == 0 && !s->mean) ret = SIM_ERR_MEMORY;
  s->runs = s->points * replicates;
  for (size_t p = 0; ret == 0 && p < s->points; p++) {
    const double *at = y + (arm * s->points + p) * replicates * elements + element;
    double n = 0, sum = 0, squares = 0;
    for (size_t k = 0; k < replicates; k++)
      if (isfinite(at[k * elements])) n++, sum += at[k * elements];
    s->missing += replicates - (size_t)n;
    s->mean[p] = n > 0 ? sum / n : NAN;
    for (size_t k = 0; k < replicates; k++) {
      double x = at[k * elements] - s->mean[p];
      if (isfinite(x)) squares += x * x;
    }
    if (n > 1) sum_noise += squares / (n - 1) / n, estimated++;
  }
  s->noise = estimated ? sum_noise / (double)estimated : NAN;
  sim_free(y);
  return ret;
}

/* Points of a row (trajectory), whose means are all known. */
static bool complete(const struct sim_sensitivity *s, size_t row, size_t parts) {
  for (size_t k = 0; k < parts; k++)
    if (!isfinite(s->mean[row * parts + k])) return false;
  return true;
}

static int sobol(struct sim_sensitivity *s, const struct sim_rng *rng, double *y) {
  size_t parts = s->factors + 2;
  for (size_t row = 0; row < s->base; row++) {
    if (complete(s, row, parts)) memcpy(y + parts * s->rows++, s->mean + row * parts, parts * sizeof *y);
  }
  if (s->rows < 2) return 0;
  s->sobol = sim_calloc(s->factors, sizeof *s->sobol);
  return s->sobol ? sim_sobol_indices(y, s->rows, s->factors, rng, s->sobol, &s->overall, &s->variance)
                  : SIM_ERR_MEMORY;
}

static int morris(struct sim_sensitivity *s, const struct sim_rng *rng, double *effect) {
  size_t parts = s->factors + 1, n = s->factors;
  for (size_t row = 0; row < s->base; row++) {
    if (!complete(s, row, parts)) continue;
    for (size_t k = 1; k < parts; k++) {
      size_t p = row * parts + k, f = (size_t)s->part[p] - 1;
      effect[s->rows * n + f] = (s->mean[p] - s->mean[p - 1]) / (s->place[p * n + f] - s->place[(p - 1) * n + f]);
    }
    s->rows++;
  }
  if (s->rows < 2) return 0;
  s->morris = sim_calloc(n, sizeof *s->morris);
  return s->morris ? sim_morris_effects(effect, s->rows, n, rng, s->morris) : SIM_ERR_MEMORY;
}

/* Mean and variance of the points' means. */
static void spread(struct sim_sensitivity *s) {
  double n = 0, sum = 0, squares = 0;
  for (size_t p = 0; p < s->points; p++)
    if (isfinite(s->mean[p])) n++, sum += s->mean[p];
  s->overall = n > 0 ? sum / n : NAN;
  for (size_t p = 0; p < s->points; p++)
    if (isfinite(s->mean[p])) squares += (s->mean[p] - s->overall) * (s->mean[p] - s->overall);
  s->variance = n > 1 ? squares / (n - 1) : NAN;
}

int sim_sensitivity_read(struct sim_sensitivity *s, struct sim_results *r, const char *measure, size_t arm,
                         size_t element, struct sim_diag *diag) {
  *s = (struct sim_sensitivity){0};
  int ret = load_design(s, r, diag);
  if (ret == 0) ret = load_means(s, r, measure, arm, element, diag);
  if (ret == SIM_ERR_IO) return sim_diag_add(diag, NULL, NULL, "the design cannot be read: the results are damaged");
  if (ret) return ret;
  spread(s);
  bool saltelli = strcmp(s->design, "saltelli") == 0, screening = strcmp(s->design, "morris") == 0;
  if (!saltelli && !screening) return 0;
  size_t parts = s->factors + (saltelli ? 2 : 1);
  if (!s->part || s->base * parts != s->points) {
    return sim_diag_add(diag, NULL, NULL, "the design cannot be read: the results are damaged");
  }
  struct sim_rng rng;
  sim_rng_init(&rng, 0, 0, 0);
  double *scratch = sim_calloc(s->points, sizeof *scratch);
  if (!scratch) return SIM_ERR_MEMORY;
  ret = saltelli ? sobol(s, &rng, scratch) : morris(s, &rng, scratch);
  sim_free(scratch);
  return ret;
}

void sim_sensitivity_free(struct sim_sensitivity *s) {
  sim_free(s->design);
  sim_free(s->value);
  sim_free(s->place);
  sim_free(s->part);
  sim_free(s->mean);
  sim_results_texts_free(s->path, s->factors);
  sim_free(s->sobol);
  sim_free(s->morris);
  *s = (struct sim_sensitivity){0};
}

int sim_sensitivity_box(const struct sim_sensitivity *s, double threshold, bool above, struct sim_box *box) {
  bool saltelli = strcmp(s->design, "saltelli") == 0;
  double *x = sim_calloc(s->points * s->factors, sizeof *x);
  bool *hit = sim_calloc(s->points, sizeof *hit);
  int ret = x && hit ? 0 : SIM_ERR_MEMORY;
  size_t n = 0;
  for (size_t p = 0; ret == 0 && p < s->points; p++) {
    if (!isfinite(s->mean[p]) || (saltelli && s->part && s->part[p] > 1)) continue;
    memcpy(x + n * s->factors, s->value + p * s->factors, s->factors * sizeof *x);
    hit[n++] = above ? s->mean[p] > threshold : s->mean[p] < threshold;
  }
  if (ret == 0) ret = sim_box_find(x, hit, n, s->factors, LEAST_BOX, box);
  sim_free(x);
  sim_free(hit);
  return ret;
}
