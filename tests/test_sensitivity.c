/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Estimators of sensitivity against functions whose indices are known, at the points of the real designs. */
#include "sim/core/mem.h"
#include "sim/experiment/experiment.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PI 3.14159265358979323846
TestSuite(sensitivity, .timeout = 120);

static struct sim_design make(size_t factors, const char *sample) {
  char text[2048], *at = text;
  at += sprintf(at, "airesim: 1\nhorizon: 1 day\nteams: {");
  for (size_t i = 0; i < factors; i++) at += sprintf(at, "%st%zu: {size: 3 (1..9)}", i ? ", " : "", i);
  sprintf(at, "}\ndesign: {sample: %s}\n", sample);
  struct sim_scenario *s = NULL;
  struct sim_design d;
  struct sim_diag diag = {0};
  int ret = sim_scenario_parse(&s, text, strlen(text), "test", ".", NULL, 0, &diag);
  if (ret == 0) ret = sim_design_init(&d, s, -1, -1, &diag);
  cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : "");
  sim_diag_free(&diag);
  sim_scenario_free(s);
  cr_assert_eq(d.factors, factors);
  return d;
}

/* Ishigami & Homma 1990 with a = 7, b = 0.1, from the unit cube. */
static double ishigami(const double *u) {
  double x[3];
  for (size_t i = 0; i < 3; i++) x[i] = PI * (2 * u[i] - 1);
  return sin(x[0]) + 7 * sin(x[1]) * sin(x[1]) + 0.1 * x[2] * x[2] * x[2] * x[2] * sin(x[0]);
}
static const double ishigami_first[] = {0.31390519, 0.44241114, 0},
                    ishigami_total[] = {0.55758886, 0.44241114, 0.24368366};

/* Saltelli & Sobol' 1995. */
static double g_function(const double *u) {
  static const double a[] = {0, 1, 4.5, 9, 99, 99, 99, 99};
  double product = 1;
  for (size_t i = 0; i < 8; i++) product *= (fabs(4 * u[i] - 2) + a[i]) / (1 + a[i]);
  return product;
}
static const double g_first[] = {0.7161921688, 0.1790480422, 0.0236757742, 0.0071619217},
                    g_total[] = {0.7871441267, 0.2421981928, 0.0343169102, 0.0104603871};

static double *evaluate(const struct sim_design *d, double (*f)(const double *u)) {
  double *y = sim_calloc(d->points, sizeof *y);
  cr_assert_not_null(y);
  for (size_t p = 0; p < d->points; p++) y[p] = f(d->cube + p * d->factors);
  return y;
}

static double worst(const struct sim_sobol *s, const double *first, const double *total, size_t n) {
  double most = 0;
  for (size_t i = 0; i < n; i++)
    most = fmax(most, fmax(fabs(s[i].first.value - first[i]), fabs(s[i].total.value - total[i])));
  return most;
}

static const struct sim_rng rng = {{1, 2}};

/* Validation case A24: within 0.01 at 2^16 rows. The broken variant confuses two columns of the design. */
Test(sensitivity, ishigami) {
  struct sim_design d = make(3, "saltelli points 65536");
  double *y = evaluate(&d, ishigami), mean, variance;
  struct sim_sobol s[3];
  cr_assert_eq(sim_sobol_indices(y, d.base, 3, &rng, s, &mean, &variance), 0);
  cr_assert(worst(s, ishigami_first, ishigami_total, 3) < 0.01, "%g", worst(s, ishigami_first, ishigami_total, 3));
  cr_assert(fabs(mean - 3.5) < 0.01 && fabs(variance - 13.844587940719254) < 0.05, "%g %g", mean, variance);
  for (size_t f = 0; f < 3; f++) {
    cr_assert(s[f].first.low <= s[f].first.value && s[f].first.value <= s[f].first.high);
    cr_assert(s[f].total.low <= ishigami_total[f] && ishigami_total[f] <= s[f].total.high, "factor %zu", f);
    cr_assert(s[f].total.high - s[f].total.low < 0.03 && s[f].total.high > s[f].total.low);
  }
  for (size_t row = 0; row < d.base; row++) {
    double *at = y + row * 5, swap = at[2];
    at[2] = at[4], at[4] = swap;
  }
  cr_assert_eq(sim_sobol_indices(y, d.base, 3, &rng, s, NULL, NULL), 0);
  cr_assert(worst(s, ishigami_first, ishigami_total, 3) > 0.1);
  sim_free(y);
  sim_design_free(&d);
}

Test(sensitivity, g_function) {
  struct sim_design d = make(8, "saltelli points 65536");
  double *y = evaluate(&d, g_function);
  struct sim_sobol s[8];
  cr_assert_eq(sim_sobol_indices(y, d.base, 8, &rng, s, NULL, NULL), 0);
  cr_assert(worst(s, g_first, g_total, 4) < 0.01, "%g", worst(s, g_first, g_total, 4));
  for (size_t f = 4; f < 8; f++) cr_assert(fabs(s[f].first.value) < 0.002 && s[f].total.value < 0.002);
  sim_free(y);
  sim_design_free(&d);
}

/* Independent random rows: the 95 % intervals of 60 experiments hold the truth about 57 times. */
Test(sensitivity, intervals_cover) {
  enum { TIMES = 60, ROWS = 500 };
  double *y = sim_calloc(ROWS * 5, sizeof *y);
  size_t covered = 0, total = 0;
  for (uint32_t k = 0; k < TIMES; k++) {
    for (uint32_t row = 0; row < ROWS; row++) {
      double u[6], x[3];
      for (uint32_t i = 0; i < 6; i++) u[i] = sim_rng_uniform(&rng, 77, i, k, row);
      y[row * 5] = ishigami(u);
      y[row * 5 + 1] = ishigami(u + 3);
      for (size_t f = 0; f < 3; f++) {
        memcpy(x, u, sizeof x);
        x[f] = u[3 + f];
        y[row * 5 + 2 + f] = ishigami(x);
      }
    }
    struct sim_sobol s[3];
    cr_assert_eq(sim_sobol_indices(y, ROWS, 3, &rng, s, NULL, NULL), 0);
    for (size_t f = 0; f < 3; f++) {
      covered += s[f].first.low <= ishigami_first[f] && ishigami_first[f] <= s[f].first.high;
      covered += s[f].total.low <= ishigami_total[f] && ishigami_total[f] <= s[f].total.high;
      total += 2;
    }
  }
  double share = (double)covered / (double)total; /* binomial(360, 0.95): sd 1.15 %, more as they are correlated */
  cr_assert(share > 0.90 && share < 0.99, "%g", share);
  sim_free(y);
}

Test(sensitivity, a_constant_has_no_indices) {
  double y[40];
  for (size_t i = 0; i < 40; i++) y[i] = 0.1;
  struct sim_sobol s[2];
  double variance;
  cr_assert_eq(sim_sobol_indices(y, 10, 2, &rng, s, NULL, &variance), 0);
  cr_assert(isnan(s[0].first.value) && isnan(s[1].total.value) && variance == 0);
}

/* y = 3 u0 - 2 u1 + 4 u0 u2: effects 3 + 4 u2, -2, 4 u0, with u on levels 0, 1/3, 2/3, 1. */
static double product(const double *u) {
  return 3 * u[0] - 2 * u[1] + 4 * u[0] * u[2];
}
Test(sensitivity, morris) {
  enum { R = 2000 };
  struct sim_design d = make(3, "morris trajectories 2000 levels 4");
  double *y = evaluate(&d, product), *effect = sim_calloc(R * 3, sizeof *effect);
  for (size_t p = 0; p < d.points; p++) {
    if (d.part[p] == 0) continue;
    size_t f = (size_t)d.part[p] - 1;
    effect[(size_t)d.row[p] * 3 + f] = (y[p] - y[p - 1]) / (d.cube[p * 3 + f] - d.cube[(p - 1) * 3 + f]);
  }
  struct sim_morris m[3];
  cr_assert_eq(sim_morris_effects(effect, R, 3, &rng, m), 0);
  const double mean[] = {5, -2, 2}, sd = 4 * sqrt(5.0 / 36); /* of 4 u over the levels: 1.491 */
  double se = sd / sqrt(R);
  for (size_t f = 0; f < 3; f++) {
    double margin = f == 1 ? 1e-9 : 4 * se;
    cr_assert(fabs(m[f].mean.value - mean[f]) < margin, "%zu: %g", f, m[f].mean.value);
    cr_assert(fabs(m[f].absolute.value - fabs(mean[f])) < margin);
    cr_assert(fabs(m[f].sd - (f == 1 ? 0 : sd)) < 0.08, "%zu: %g", f, m[f].sd);
    cr_assert(m[f].mean.low <= m[f].mean.value && m[f].mean.value <= m[f].mean.high);
  }
  cr_assert(m[0].mean.high - m[0].mean.low > 3 * se && m[0].mean.high - m[0].mean.low < 5 * se); /* 3.92 */
  sim_free(y);
  sim_free(effect);
  sim_design_free(&d);
}

/* Hits fill a box of two of three factors, with one in twenty flipped elsewhere: the box is found, and the third factor
 * stays free or nearly so. */
Test(sensitivity, prim_finds_the_box) {
  struct sim_design d = make(3, "sobol points 2000");
  bool *hit = sim_calloc(d.points, sizeof *hit);
  for (size_t p = 0; p < d.points; p++) {
    const double *u = d.cube + p * 3;
    hit[p] = (u[0] > 0.6 && u[1] < 0.5) || sim_rng_uniform(&rng, 5, 0, 0, (uint32_t)p) < 0.02;
  }
  struct sim_box box;
  cr_assert_eq(sim_box_find(d.cube, hit, d.points, 3, 0.05, &box), 0);
  cr_assert(fabs(box.low[0] - 0.6) < 0.02 && isinf(box.high[0]), "%g..%g", box.low[0], box.high[0]);
  cr_assert(fabs(box.high[1] - 0.5) < 0.02 && isinf(box.low[1]), "%g..%g", box.low[1], box.high[1]);
  cr_assert(isinf(box.low[2]) && isinf(box.high[2]), "%g..%g", box.low[2], box.high[2]);
  size_t inside = 0, hits = 0;
  for (size_t p = 0; p < d.points; p++) {
    const double *u = d.cube + p * 3;
    bool in = true;
    for (size_t f = 0; f < 3; f++) in = in && u[f] >= box.low[f] && u[f] <= box.high[f];
    inside += in, hits += in && hit[p];
  }
  cr_assert(inside == box.inside && hits == box.hits && hits * 100 >= inside * 97);
  sim_box_free(&box);
  memset(hit, 0, d.points * sizeof *hit); /* no hits: everything is the box */
  cr_assert_eq(sim_box_find(d.cube, hit, d.points, 3, 0.05, &box), 0);
  cr_assert(box.inside == d.points && box.hits == 0 && isinf(box.low[0]));
  sim_box_free(&box);
  sim_free(hit);
  sim_design_free(&d);
}
