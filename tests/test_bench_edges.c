/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Full rows and laps give the same law of times, and neither renames a draw when a rate changes. */
#include "sim/cli/bench_edges.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { N = 10, SOURCES = 30000 };
#define SIGMAS 4.5 /* draws are fixed by their names: a bound either holds for good or not */

struct sample {
  double *at; /* [N * SOURCES] times of those that transmit, sorted */
  size_t n;
  double sum, square, of_edge[N]; /* transmissions of a source; of each edge */
};

static void draw(uint32_t source, double hazard, double lap, struct bench_hits *h) {
  static const uint32_t v[N] = {3, 1, 4, 15, 9, 2, 6, 5, 35, 8};
  struct sim_rng rng;
  sim_rng_init(&rng, 11, 0, 0);
  if (lap > 0)
    bench_edges_laps(&rng, source, 1, N, hazard, lap, h);
  else
    bench_edges_full(&rng, source, 1, v, N, hazard, h);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static struct sample sample(double hazard, double lap) {
  struct sample s = {.at = malloc(sizeof(double) * N * SOURCES)};
  struct bench_hits h;
  cr_assert(s.at);
  for (uint32_t u = 0; u < SOURCES; u++) {
    draw(u, hazard, lap, &h);
    s.sum += h.n;
    s.square += (double)h.n * h.n;
    for (uint32_t i = 0; i < h.n; i++) {
      cr_assert(h.edge[i] < N && h.at[i] <= hazard);
      s.of_edge[h.edge[i]]++;
      s.at[s.n++] = h.at[i];
    }
  }
  qsort(s.at, s.n, sizeof *s.at, ascending);
  return s;
}

/* Largest deviation from the law of independent edges, in standard errors: of the mean and the variance of the number
 * that transmit, of each edge's share, and of Kolmogorov's distance of the times (whose 4.5-sigma point is 2.6). */
static double deviation(double hazard, const struct sample *s) {
  double p = -expm1(-hazard), mean = N * p, variance = N * p * (1 - p), worst, distance = 0;
  double m = s->sum / SOURCES, v = s->square / SOURCES - m * m;
  worst = fabs(m - mean) / sqrt(variance / SOURCES);
  double fourth = variance * (1 + (3.0 * N - 6) * p * (1 - p)); /* central moment of the binomial law */
  worst = fmax(worst, fabs(v - variance) / sqrt((fourth - variance * variance) / SOURCES));
  for (uint32_t i = 0; i < N; i++) worst = fmax(worst, fabs(s->of_edge[i] / SOURCES - p) / sqrt(p * (1 - p) / SOURCES));
  for (size_t i = 0; i < s->n; i++) {
    double cdf = -expm1(-s->at[i]) / p;
    distance = fmax(distance, fmax(cdf - (double)i / (double)s->n, (double)(i + 1) / (double)s->n - cdf));
  }
  return fmax(worst, distance * sqrt((double)s->n) * SIGMAS / 2.6);
}

static double worst_of(double hazard, double drawn, double lap) {
  struct sample s = sample(drawn, lap);
  double d = deviation(hazard, &s);
  free(s.at);
  return d;
}

static const struct {
  double hazard, lap; /* lap 0: full rows */
} ways[] = {{0.3, 0}, {1.7, 0}, {0.3, 1}, {0.3, 0.4}, {0.3, 0.1}, {1.7, 0.5}, {1.7, 2}};

Test(bench_edges, both_ways_follow_the_law) {
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    double worst = worst_of(ways[i].hazard, ways[i].hazard, ways[i].lap);
    cr_expect(worst < SIGMAS, "hazard %g, lap %g: %g", ways[i].hazard, ways[i].lap, worst);
  }
}

Test(bench_edges, a_hazard_off_by_five_per_cent_is_noticed) {
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    cr_expect(worst_of(ways[i].hazard, 1.05 * ways[i].hazard, ways[i].lap) > SIGMAS, "hazard %g, lap %g",
              ways[i].hazard, ways[i].lap);
}

Test(bench_edges, a_smaller_hazard_leaves_out_and_renames_nothing) {
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    for (uint32_t u = 0; u < 1000; u++) {
      struct bench_hits all, fewer;
      uint32_t k = 0;
      draw(u, ways[i].hazard, ways[i].lap, &all);
      draw(u, 0.6 * ways[i].hazard, ways[i].lap, &fewer);
      for (uint32_t j = 0; j < all.n; j++) {
        if (all.at[j] > 0.6 * ways[i].hazard) continue;
        cr_assert(k < fewer.n && fewer.edge[k] == all.edge[j] && fewer.at[k] == all.at[j]);
        k++;
      }
      cr_assert_eq(k, fewer.n);
    }
}
