/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Compressed sparse rows from arc lists, and what is measured on them. */
#include "sim/core/arcs.h"
#include "sim/core/mem.h"
#include <math.h>
#include <string.h>

/* ---- arc lists ------------------------------------------------------------------------------------------------- */

int sim_arcs_add(struct sim_arcs *a, uint32_t u, uint32_t v) {
  if (a->n == a->pair_cap) {
    void *grown = sim_grow(a->pair, &a->pair_cap, a->n + 1, sizeof *a->pair);
    if (!grown) return SIM_ERR_MEMORY;
    a->pair = grown;
  }
  a->pair[a->n][0] = u;
  a->pair[a->n][1] = v;
  a->n++;
  return 0;
}

int sim_arcs_add_weighted(struct sim_arcs *a, uint32_t u, uint32_t v, double weight) {
  if (a->n == a->weight_cap) {
    double *grown = sim_grow(a->weight, &a->weight_cap, a->n + 1, sizeof *grown);
    if (!grown) return SIM_ERR_MEMORY;
    a->weight = grown;
  }
  a->weight[a->n] = weight;
  return sim_arcs_add(a, u, v);
}

void sim_arcs_free(struct sim_arcs *a) {
  sim_free(a->pair);
  sim_free(a->weight);
  *a = (struct sim_arcs){0};
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

/* Rows under construction; arrays as in struct sim_graph. */
struct rows {
  uint32_t *row;
  uint32_t *to;
  double *weight;
};

static void rows_free(struct rows *r) {
  sim_free(r->row);
  sim_free(r->to);
  sim_free(r->weight);
  *r = (struct rows){0};
}

static int rows_alloc(struct rows *r, uint32_t nodes, uint64_t arcs, bool weighted) {
  r->row = sim_calloc((size_t)nodes + 2, sizeof *r->row);
  r->to = sim_realloc_array(NULL, (size_t)arcs + 1, sizeof *r->to);
  r->weight = weighted ? sim_realloc_array(NULL, (size_t)arcs + 1, sizeof *r->weight) : NULL;
  return r->row && r->to && (r->weight || !weighted) ? 0 : SIM_ERR_MEMORY;
}

/* Buckets the arcs by their end `by` (0 source, 1 target), listing the other end in the order of the arcs; with `both`,
 * every pair counts in both directions. Loops are left out. */
static int rows_bucket(struct rows *r, uint32_t nodes, const uint32_t *pairs, const double *weights, uint64_t m,
                       unsigned by, bool both) {
  int rc = rows_alloc(r, nodes, both ? 2 * m : m, weights != NULL);
  if (rc != 0) return rc;
  for (uint64_t e = 0; e < m; e++) {
    const uint32_t *p = pairs + 2 * e;
    if (p[0] == p[1]) continue;
    r->row[p[by] + 2]++; /* one further along: filling leaves row[u] as the start of u */
    if (both) r->row[p[1 - by] + 2]++;
  }
  for (uint64_t u = 2; u <= (uint64_t)nodes + 1; u++) r->row[u] += r->row[u - 1];
  for (uint64_t e = 0; e < m; e++) {
    const uint32_t *p = pairs + 2 * e;
    if (p[0] == p[1]) continue;
    for (unsigned way = 0; way < (both ? 2u : 1u); way++) {
      uint32_t place = r->row[p[by ^ way] + 1]++;
      r->to[place] = p[by ^ way ^ 1];
      if (weights) r->weight[place] = weights[e];
    }
  }
  return 0;
}

/* Transposes `in` into `out`. Going through the buckets in order makes every row of `out` ascending, so repeats are
 * neighbours and merge at once (their weights added in the order of the arcs): sorting in linear time. */
static int rows_transpose(struct rows *out, const struct rows *in, uint32_t nodes) {
  uint32_t arcs = in->row[nodes], kept = 0, start = 0;
  int rc = rows_alloc(out, nodes, arcs, in->weight != NULL);
  uint32_t *end = rc == 0 ? sim_realloc_array(NULL, (size_t)nodes + 1, sizeof *end) : NULL;
  if (!end) return SIM_ERR_MEMORY;
  for (uint32_t i = 0; i < arcs; i++) out->row[in->to[i] + 1]++;
  for (uint32_t u = 0; u < nodes; u++) {
    end[u] = out->row[u]; /* nothing filled yet */
    out->row[u + 1] += out->row[u];
  }
  for (uint32_t v = 0; v < nodes; v++)
    for (uint32_t i = in->row[v]; i < in->row[v + 1]; i++) {
      uint32_t u = in->to[i];
      bool repeat = end[u] > out->row[u] && out->to[end[u] - 1] == v;
      uint32_t place = repeat ? end[u] - 1 : end[u]++;
      out->to[place] = v;
      if (in->weight) out->weight[place] = repeat ? out->weight[place] + in->weight[i] : in->weight[i];
    }
  for (uint32_t u = 0; u < nodes; u++) { /* close the gaps that repeats left */
    uint32_t length = end[u] - start;
    memmove(out->to + kept, out->to + start, length * sizeof *out->to);
    if (out->weight) memmove(out->weight + kept, out->weight + start, length * sizeof *out->weight);
    start = out->row[u + 1];
    kept += length;
    out->row[u + 1] = kept;
  }
  sim_free(end);
  return 0;
}

/* Double weights to the floats that are kept, in place of NULL where all are 1. SIM_ERR_INPUT if a sum is too large. */
static int rows_weights(const float **out, const struct rows *r, uint64_t arcs) {
  bool plain = true;
  *out = NULL;
  for (uint64_t i = 0; r->weight && plain && i < arcs; i++) plain = r->weight[i] == 1;
  if (plain) return 0;
  float *weight = sim_realloc_array(NULL, (size_t)arcs, sizeof *weight);
  if (!weight) return SIM_ERR_MEMORY;
  *out = weight;
  for (uint64_t i = 0; i < arcs; i++) {
    if (!sim_graph_weight_ok(r->weight[i])) return SIM_ERR_INPUT;
    weight[i] = (float)r->weight[i];
  }
  return 0;
}

/* ---- graphs ---------------------------------------------------------------------------------------------------- */

static uint64_t hash_word(uint64_t h, uint64_t word) { /* FNV-1a over words, high bits folded down */
  h = (h ^ word) * UINT64_C(0x100000001b3);
  return h ^ (h >> 29);
}

static uint64_t hash_graph(const struct sim_graph *g) {
  uint64_t h = hash_word(UINT64_C(0xcbf29ce484222325), g->nodes);
  h = hash_word(h, g->directed);
  for (uint32_t u = 0; u < g->nodes; u++) h = hash_word(h, g->row[u + 1]);
  for (uint64_t i = 0; i < g->row[g->nodes]; i++) {
    uint32_t bits = 0;
    if (g->weight) memcpy(&bits, &g->weight[i], sizeof bits);
    h = hash_word(h, (uint64_t)bits << 32 | g->to[i]);
  }
  return h;
}

/* Arcs are good if they name nodes and their weights are positive numbers. */
static bool arcs_ok(uint32_t nodes, const uint32_t *pairs, const double *weights, uint64_t m) {
  if (nodes > SIM_MAX_NODES || (double)m > SIM_MAX_EDGES) return false;
  for (uint64_t e = 0; e < m; e++)
    if (pairs[2 * e] >= nodes || pairs[2 * e + 1] >= nodes || (weights && !sim_graph_weight_ok(weights[e])))
      return false;
  return true;
}

int sim_graph_from_edges(const struct sim_graph **out, uint32_t nodes, bool directed, const uint32_t *pairs,
                         const double *weights, uint64_t m) {
  *out = NULL;
  if (!arcs_ok(nodes, pairs, weights, m)) return SIM_ERR_INPUT;
  struct rows in = {0}, rows = {0}, back = {0};
  struct sim_graph *g = sim_calloc(1, sizeof *g);
  int rc = g ? rows_bucket(&in, nodes, pairs, weights, m, 1, !directed) : SIM_ERR_MEMORY;
  if (rc != 0) goto out;
  rc = rows_transpose(&rows, &in, nodes);
  if (rc == 0 && directed) rc = rows_transpose(&back, &rows, nodes);
  if (rc != 0) goto out;
  uint64_t arcs = rows.row[nodes];
  *g = (struct sim_graph){.nodes = nodes, .edges = directed ? arcs : arcs / 2, .directed = directed};
  g->row = g->in_row = rows.row;
  g->to = g->from = rows.to;
  if (directed) {
    g->in_row = back.row;
    g->from = back.to;
  }
  rc = rows_weights(&g->weight, &rows, arcs);
  g->in_weight = g->weight;
  rows.row = NULL; /* now the graph's */
  rows.to = NULL;
  if (rc == 0 && directed) rc = rows_weights(&g->in_weight, &back, arcs);
  back.row = NULL;
  back.to = NULL;
  if (rc == 0) g->hash = hash_graph(g);
out:
  rows_free(&in);
  rows_free(&rows);
  rows_free(&back);
  if (rc == 0)
    *out = g;
  else
    sim_graph_free(g);
  return rc;
}

void sim_graph_free(const struct sim_graph *g) {
  if (!g) return;
  if (g->in_row != g->row) sim_free((void *)(uintptr_t)g->in_row);
  if (g->from != g->to) sim_free((void *)(uintptr_t)g->from);
  if (g->in_weight != g->weight) sim_free((void *)(uintptr_t)g->in_weight);
  sim_free((void *)(uintptr_t)g->row);
  sim_free((void *)(uintptr_t)g->to);
  sim_free((void *)(uintptr_t)g->weight);
  sim_free((void *)(uintptr_t)g);
}

/* ---- measures -------------------------------------------------------------------------------------------------- */

/* In the forest of components a node's word is its parent, or ROOT | size at a root (ids have 31 bits). */
#define ROOT 0x80000000u

static uint32_t find_root(uint32_t *work, uint32_t u) {
  while (!(work[u] & ROOT)) {
    uint32_t parent = work[u];
    if (!(work[parent] & ROOT)) work[u] = work[parent]; /* path halving */
    u = parent;
  }
  return u;
}

uint32_t sim_graph_giant(const struct sim_graph *g, const uint8_t *keep, uint32_t *work) {
  uint32_t giant = 0;
  for (uint32_t u = 0; u < g->nodes; u++) {
    work[u] = ROOT | 1;
    if (!keep || keep[u]) giant = 1;
  }
  for (uint32_t u = 0; u < g->nodes; u++) {
    if (keep && !keep[u]) continue;
    for (uint64_t i = g->row[u]; i < g->row[u + 1]; i++) {
      uint32_t v = g->to[i];
      if ((!g->directed && v < u) || (keep && !keep[v])) continue;
      uint32_t a = find_root(work, u), b = find_root(work, v);
      if (a == b) continue;
      uint32_t size = (work[a] & ~ROOT) + (work[b] & ~ROOT);
      if (work[a] < work[b]) { /* the smaller below the larger */
        uint32_t swap = a;
        a = b;
        b = swap;
      }
      work[a] = ROOT | size;
      work[b] = a;
      if (size > giant) giant = size;
    }
  }
  return giant;
}

uint32_t sim_graph_keep_giant(const struct sim_graph *g, uint8_t *keep, uint32_t *work) {
  uint32_t size = sim_graph_giant(g, keep, work), root = UINT32_MAX;
  for (uint32_t u = 0; u < g->nodes; u++) {
    if (!keep[u]) continue;
    uint32_t r = find_root(work, u);
    if (root == UINT32_MAX && (work[r] & ~ROOT) == size) root = r;
  }
  for (uint32_t u = 0; u < g->nodes; u++)
    if (keep[u]) keep[u] = find_root(work, u) == root;
  return size;
}

void sim_graph_moments(const struct sim_graph *g, double *mean_degree, double *mean_excess) {
  double arcs = (double)g->row[g->nodes], pairs = 0;
  for (uint32_t u = 0; u < g->nodes; u++) {
    double out = (double)sim_graph_degree(g, u), in = (double)(g->in_row[u + 1] - g->in_row[u]);
    pairs += g->directed ? in * out : out * (out - 1); /* ways on from u for one who came along an arc */
  }
  *mean_degree = g->nodes ? arcs / g->nodes : 0;
  *mean_excess = arcs > 0 ? pairs / arcs : 0;
}
