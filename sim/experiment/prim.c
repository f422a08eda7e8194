/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PRIM: a box of the parameters in which the hits are dense. */
#include "sim/core/mem.h"
#include "sim/experiment/sensitivity.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PEEL 0.05 /* share of the points in the box that one step takes off or adds */

struct prim {
  const double *x; /* [points][factors] */
  const bool *hit;
  size_t points, factors;
  struct sim_box *box;
  double *sorted; /* [points] scratch */
};

struct face { /* a face of the box moved to `edge` */
  size_t factor;
  bool upper;
  double edge;
  size_t inside, hits; /* of the box then */
};

static bool within(const struct prim *p, size_t i, size_t but) {
  for (size_t f = 0; f < p->factors; f++) {
    double x = p->x[i * p->factors + f];
    if (f != but && (x < p->box->low[f] || x > p->box->high[f])) return false;
  }
  return true;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorted values of a factor at the points that are inside in all other factors and, in this one, between limits. */
static size_t gather(const struct prim *p, size_t f, double from, double to) {
  size_t n = 0;
  for (size_t i = 0; i < p->points; i++) {
    double x = p->x[i * p->factors + f];
    if (x >= from && x <= to && within(p, i, f)) p->sorted[n++] = x;
  }
  qsort(p->sorted, n, sizeof *p->sorted, ascending);
  return n;
}

static void count(const struct prim *p, struct face *face) {
  size_t f = face->factor;
  double low = face->upper ? p->box->low[f] : face->edge, high = face->upper ? face->edge : p->box->high[f];
  face->inside = face->hits = 0;
  for (size_t i = 0; i < p->points; i++) {
    double x = p->x[i * p->factors + f];
    if (x < low || x > high || !within(p, i, f)) continue;
    face->inside++;
    face->hits += p->hit[i];
  }
}

static double density(size_t hits, size_t inside) {
  return inside ? (double)hits / (double)inside : 0;
}

/* The face of the box moved inwards past about 5 % of its points, and past all that are equal; false if none would be
 * left. */
static bool peel(const struct prim *p, struct face *face) {
  size_t n = gather(p, face->factor, p->box->low[face->factor], p->box->high[face->factor]);
  size_t k = (size_t)fmax(1, floor(PEEL * (double)n));
  if (k >= n) return false;
  if (face->upper) {
    double cut = p->sorted[n - k];
    size_t i = n - k;
    while (i > 0 && p->sorted[i - 1] >= cut) i--;
    if (i == 0) return false;
    face->edge = p->sorted[i - 1];
  } else {
    double cut = p->sorted[k - 1];
    size_t i = k;
    while (i < n && p->sorted[i] <= cut) i++;
    if (i == n) return false;
    face->edge = p->sorted[i];
  }
  count(p, face);
  return true;
}

/* The face moved outwards to take in about 5 % as many points; false if there is none outside. */
static bool paste(const struct prim *p, struct face *face) {
  size_t f = face->factor, k = (size_t)fmax(1, floor(PEEL * (double)p->box->inside));
  double edge = face->upper ? p->box->high[f] : p->box->low[f];
  if (isinf(edge)) return false;
  size_t n = face->upper ? gather(p, f, nextafter(edge, INFINITY), INFINITY)
                         : gather(p, f, -INFINITY, nextafter(edge, -INFINITY));
  if (n == 0) {
    face->edge = face->upper ? INFINITY : -INFINITY;
  } else {
    if (k > n) k = n;
    face->edge = face->upper ? p->sorted[k - 1] : p->sorted[n - k];
  }
  count(p, face);
  return true;
}

static void move(const struct prim *p, const struct face *face) {
  if (face->upper)
    p->box->high[face->factor] = face->edge;
  else
    p->box->low[face->factor] = face->edge;
  p->box->inside = face->inside;
  p->box->hits = face->hits;
}

/* The best of all faces by density, then by points inside; false if there is none with `least` points. */
static bool best_face(const struct prim *p, bool (*try)(const struct prim *p, struct face *face), size_t least,
                      struct face *best) {
  bool found = false;
  for (size_t k = 0; k < 2 * p->factors; k++) {
    struct face face = {.factor = k / 2, .upper = k % 2};
    if (!try(p, &face) || face.inside < least) continue;
    double was = found ? density(best->hits, best->inside) : -1, is = density(face.hits, face.inside);
    if (is > was || (is == was && face.inside > best->inside)) *best = face;
    found = true;
  }
  return found;
}

int sim_box_find(const double *x, const bool *hit, size_t points, size_t factors, double least, struct sim_box *box) {
  *box = (struct sim_box){.inside = points, .all = points};
  box->low = sim_calloc(factors, sizeof *box->low);
  box->high = sim_calloc(factors, sizeof *box->high);
  double *sorted = sim_calloc(points, sizeof *sorted);
  if (!box->low || !box->high || !sorted) {
    sim_free(sorted);
    sim_box_free(box);
    return SIM_ERR_MEMORY;
  }
  for (size_t f = 0; f < factors; f++) box->low[f] = -INFINITY, box->high[f] = INFINITY;
  for (size_t i = 0; i < points; i++) box->hits += hit[i];
  box->all_hits = box->hits;
  struct prim p = {x, hit, points, factors, box, sorted};
  struct face face = {0};
  size_t floor_points = (size_t)fmax(1, ceil(least * (double)points));
  while (box->hits > 0 && box->hits < box->inside && best_face(&p, peel, floor_points, &face)) move(&p, &face);
  while (box->hits > 0 && best_face(&p, paste, 1, &face) &&
         density(face.hits, face.inside) >= density(box->hits, box->inside))
    move(&p, &face);
  sim_free(sorted);
  return 0;
}

void sim_box_free(struct sim_box *box) {
  sim_free(box->low);
  sim_free(box->high);
  *box = (struct sim_box){0};
}
