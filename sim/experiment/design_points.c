/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samplers: places in the unit cube, all functions of the seed and of the factors' paths. */
#include "sim/core/mem.h"
#include "sim/core/rng.h"
#include "sim/experiment/design_internal.h"
#include <gsl/gsl_qrng.h>
#include <math.h>
#include <string.h>

/* Incarnations of the names of draws under the purpose "design.sample" and the factor. */
enum { CELL, WITHIN, UNIFORM, LEVEL, ORDER };

struct sampler {
  struct sim_design *d;
  const struct sim_value *sample; /* the bound call */
  struct sim_rng rng;
  uint32_t purpose;
  struct sim_diag *diag;
};

/* McKay, Beckman & Conover 1979: each factor's points fall one into each of `points` equal cells, cells in keyed random
 * order. Factors are named by path: another factor changes nothing here. */
static int latin_hypercube(struct sampler *s) {
  struct sim_design *d = s->d;
  size_t *cell = sim_calloc(d->points, sizeof *cell);
  if (!cell) return SIM_ERR_MEMORY;
  for (size_t f = 0; f < d->factors; f++) {
    uint32_t name = sim_purpose(d->path[f]);
    for (size_t i = 0; i < d->points; i++) {
      size_t j = sim_rng_below(&s->rng, s->purpose, name, CELL, (uint32_t)i, (uint32_t)i + 1);
      cell[i] = cell[j];
      cell[j] = i;
    }
    for (size_t i = 0; i < d->points; i++) {
      double u = sim_rng_uniform(&s->rng, s->purpose, name, WITHIN, (uint32_t)i);
      d->cube[i * d->factors + f] = ((double)cell[i] + u) / (double)d->points;
    }
  }
  sim_free(cell);
  return 0;
}

static int random_points(struct sampler *s) {
  struct sim_design *d = s->d;
  for (size_t i = 0; i < d->points; i++) {
    for (size_t f = 0; f < d->factors; f++) {
      d->cube[i * d->factors + f] = sim_rng_uniform(&s->rng, s->purpose, sim_purpose(d->path[f]), UNIFORM, (uint32_t)i);
    }
  }
  return 0;
}

/* A sequence of a dimension for each factor, `each` times; NULL after reporting, or out of memory. */
static int sobol_sequence(struct sampler *s, unsigned each, gsl_qrng **out) {
  unsigned most = gsl_qrng_sobol->max_dimension;
  *out = NULL;
  if (s->d->factors * each > most) {
    return sim_diag_add(s->diag, &s->sample->mark, s->sample->path,
                        "%s takes at most %u factors (GSL's Sobol' sequence has %u dimensions, %u a factor), here are "
                        "%zu: name fewer in `vary`",
                        s->d->kind, most / each, most, each, s->d->factors);
  }
  *out = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)s->d->factors * each);
  return *out ? 0 : SIM_ERR_MEMORY;
}

static int sobol_points(struct sampler *s) {
  gsl_qrng *q;
  int ret = sobol_sequence(s, 1, &q);
  if (ret) return ret;
  for (size_t i = 0; i < s->d->points; i++) gsl_qrng_get(q, s->d->cube + i * s->d->factors);
  gsl_qrng_free(q);
  return 0;
}

/* Full factorial: `base` values of each factor, ends included; the last factor varies fastest. */
static int grid_points(struct sampler *s) {
  struct sim_design *d = s->d;
  for (size_t i = 0; i < d->points; i++) {
    size_t rest = i;
    for (size_t f = d->factors; f-- > 0; rest /= d->base) {
      d->cube[i * d->factors + f] = d->base > 1 ? (double)(rest % d->base) / (double)(d->base - 1) : 0.5;
    }
  }
  return 0;
}

static int structure(struct sim_design *d) {
  d->row = sim_calloc(d->points, sizeof *d->row);
  d->part = sim_calloc(d->points, sizeof *d->part);
  return d->row && d->part ? 0 : SIM_ERR_MEMORY;
}

/* Saltelli et al. 2010: each row is a point of a Sobol' sequence of twice the dimension, cut into A and B; then A with
 * factor i taken from B, for every i. Rows come one after the other, so that a longer design begins with a shorter. */
static int saltelli_points(struct sampler *s) {
  struct sim_design *d = s->d;
  size_t n = d->factors, size = n * sizeof *d->cube;
  gsl_qrng *q;
  int ret = sobol_sequence(s, 2, &q);
  if (ret) return ret;
  double *ab = sim_calloc(2 * n, sizeof *ab);
  ret = ab ? structure(d) : SIM_ERR_MEMORY;
  for (size_t row = 0; ret == 0 && row < d->base; row++) {
    gsl_qrng_get(q, ab);
    for (size_t part = 0; part < n + 2; part++) {
      size_t p = row * (n + 2) + part;
      memcpy(d->cube + p * n, part == 1 ? ab + n : ab, size);
      if (part >= 2) d->cube[p * n + part - 2] = ab[n + part - 2];
      d->row[p] = (int64_t)row;
      d->part[p] = (int64_t)part;
    }
  }
  gsl_qrng_free(q);
  sim_free(ab);
  return ret;
}

/* Factors in the keyed random order in which a trajectory changes them. */
static void morris_order(struct sampler *s, size_t trajectory, size_t *order, double *rank) {
  for (size_t f = 0; f < s->d->factors; f++) {
    double u = sim_rng_uniform(&s->rng, s->purpose, sim_purpose(s->d->path[f]), ORDER, (uint32_t)trajectory);
    size_t k = f;
    for (; k > 0 && rank[k - 1] > u; k--) rank[k] = rank[k - 1], order[k] = order[k - 1];
    rank[k] = u;
    order[k] = f;
  }
}

/* Morris 1991: trajectories on a grid of an even number of levels; each step moves one factor by half the levels, which
 * has one direction only, so every level is visited equally often. */
static int morris_points(struct sampler *s) {
  struct sim_design *d = s->d;
  size_t n = d->factors, half = d->levels / 2;
  size_t *order = sim_calloc(n, sizeof *order), *level = sim_calloc(n, sizeof *level);
  double *rank = sim_calloc(n, sizeof *rank);
  int ret = order && level && rank ? structure(d) : SIM_ERR_MEMORY;
  for (size_t t = 0; ret == 0 && t < d->base; t++) {
    for (size_t f = 0; f < n; f++) {
      level[f] = sim_rng_below(&s->rng, s->purpose, sim_purpose(d->path[f]), LEVEL, (uint32_t)t, (uint32_t)d->levels);
    }
    morris_order(s, t, order, rank);
    for (size_t step = 0; step <= n; step++) {
      size_t p = t * (n + 1) + step, moved = step ? order[step - 1] : 0;
      if (step) level[moved] = level[moved] < half ? level[moved] + half : level[moved] - half;
      for (size_t f = 0; f < n; f++) d->cube[p * n + f] = (double)level[f] / (double)(d->levels - 1);
      d->row[p] = (int64_t)t;
      d->part[p] = step ? (int64_t)moved + 1 : 0;
    }
  }
  sim_free(order);
  sim_free(level);
  sim_free(rank);
  return ret;
}

static const struct {
  const char *name;
  int (*make)(struct sampler *s);
} samplers[] = {
    {"latin_hypercube", latin_hypercube}, {"random", random_points}, {"sobol", sobol_points}, {"grid", grid_points},
    {"saltelli", saltelli_points},        {"morris", morris_points}};
#define SAMPLERS (sizeof samplers / sizeof *samplers)

/* Points in all, from the call's first parameter (`base`). */
static double count_points(const struct sim_design *d) {
  double base = (double)d->base, points = base;
  if (strcmp(d->kind, "saltelli") == 0) return base * ((double)d->factors + 2);
  if (strcmp(d->kind, "morris") == 0) return base * ((double)d->factors + 1);
  for (size_t f = 1; strcmp(d->kind, "grid") == 0 && f < d->factors; f++) points *= base;
  return points;
}

int sim_design_make_points(struct sim_design *d, const struct sim_value *sample, struct sim_diag *diag) {
  size_t k = 0;
  while (k < SAMPLERS && strcmp(samplers[k].name, sample->text) != 0) k++;
  sim_bug_assert(k < SAMPLERS);
  d->kind = samplers[k].name;
  d->base = (size_t)sample->items[0].number;
  if (strcmp(d->kind, "morris") == 0) d->levels = (size_t)sim_value_number(sample, "levels");
  if (d->levels % 2) {
    return sim_diag_add(diag, &sample->mark, sample->path, "%zu levels: morris takes an even number", d->levels);
  }
  double points = count_points(d);
  if (!(points >= 1 && points <= SIM_DESIGN_MOST_POINTS)) {
    return sim_diag_add(diag, &sample->mark, sample->path, "%.0f design points: expected 1 to %d", points,
                        SIM_DESIGN_MOST_POINTS);
  }
  d->points = (size_t)points;
  d->cube = sim_calloc(d->points * d->factors, sizeof *d->cube);
  if (!d->cube) return SIM_ERR_MEMORY;
  struct sampler s = {.d = d, .sample = sample, .purpose = sim_purpose("design.sample"), .diag = diag};
  sim_rng_init(&s.rng, d->seed, 0, 0);
  return samplers[k].make(&s);
}
