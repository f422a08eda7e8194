/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Generators of our own: the plain ones, and random ones that igraph lacks or samples by libm's logarithms, whose bits
 * depend on the CPU. Randomness comes from the request's stream, in the order of the code. */
#include "sim/core/arcs.h"
#include "sim/core/csv.h"
#include "sim/core/dmath.h"
#include "sim/core/law.h"
#include "sim/core/mem.h"
#include "sim/core/population.h"
#include "sim/core/shuffle.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int too_many(struct sim_graph_request *r, double edges) {
  if (edges <= SIM_MAX_EDGES) return 0;
  return sim_graph_complain(r, NULL, "the graph would have %.3g edges; at most %.0e are made", edges, SIM_MAX_EDGES);
}

static double pairs_of(double n) {
  return n * (n - 1) / 2;
}

/* ---- plain graphs ---------------------------------------------------------------------------------------------- */

int sim_make_none(struct sim_arcs *out, struct sim_graph_request *r) {
  (void)out;
  (void)r;
  return 0;
}

int sim_make_complete(struct sim_arcs *out, struct sim_graph_request *r) {
  int rc = too_many(r, pairs_of(out->nodes));
  for (uint32_t u = 0; u < out->nodes; u++)
    for (uint32_t v = u + 1; rc == 0 && v < out->nodes; v++) rc = sim_arcs_add(out, u, v);
  return rc;
}

int sim_make_path(struct sim_arcs *out, struct sim_graph_request *r) {
  (void)r;
  int rc = 0;
  for (uint32_t u = 1; rc == 0 && u < out->nodes; u++) rc = sim_arcs_add(out, u - 1, u);
  return rc;
}

int sim_make_ring(struct sim_arcs *out, struct sim_graph_request *r) {
  int rc = sim_make_path(out, r);
  return rc == 0 && out->nodes > 2 ? sim_arcs_add(out, out->nodes - 1, 0) : rc;
}

int sim_make_star(struct sim_arcs *out, struct sim_graph_request *r) {
  (void)r;
  int rc = 0;
  for (uint32_t u = 1; rc == 0 && u < out->nodes; u++) rc = sim_arcs_add(out, 0, u);
  return rc;
}

int sim_make_lattice(struct sim_arcs *out, struct sim_graph_request *r) {
  double width = sim_value_number(r->call, "width"), height = sim_value_number(r->call, "height");
  if (width * height > SIM_MAX_NODES) return sim_graph_complain(r, NULL, "%.0f nodes are too many", width * height);
  out->nodes = (uint32_t)(width * height);
  uint32_t w = (uint32_t)width;
  int rc = 0;
  for (uint32_t u = 0; rc == 0 && u < out->nodes; u++) {
    if ((u + 1) % w != 0) rc = sim_arcs_add(out, u, u + 1);
    if (rc == 0 && out->nodes - u > w) rc = sim_arcs_add(out, u, u + w);
  }
  return rc;
}

/* ---- Erdos and Renyi ------------------------------------------------------------------------------------------- */

/* A set of pairs u < v, as open-addressed words (v << 32 | u; 0 is free, since v > 0). */
struct pair_set {
  uint64_t *slot;
  uint64_t mask;
};

static uint64_t *pair_slot(const struct pair_set *set, uint64_t pair) {
  uint64_t h = pair * UINT64_C(0x9e3779b97f4a7c15);
  for (h ^= h >> 32;; h++) {
    uint64_t *slot = &set->slot[h & set->mask];
    if (*slot == 0 || *slot == pair) return slot;
  }
}

/* Draws m distinct pairs of n nodes by drawing again what is there already; adds those pairs to out if it is given. */
static int pair_set_draw(struct pair_set *set, uint32_t n, uint64_t m, struct sim_rng_stream *s, struct sim_arcs *out) {
  uint64_t size = 16;
  while (size < m + m / 2) size *= 2;
  set->mask = size - 1;
  set->slot = sim_calloc(size, sizeof *set->slot);
  if (!set->slot) return SIM_ERR_MEMORY;
  for (uint64_t drawn = 0; drawn < m;) {
    uint32_t u = sim_stream_below(s, n), v = sim_stream_below(s, n - 1);
    if (v >= u) v++;
    uint64_t pair = u < v ? (uint64_t)v << 32 | u : (uint64_t)u << 32 | v, *slot = pair_slot(set, pair);
    if (*slot == pair) continue;
    *slot = pair;
    drawn++;
    int rc = out ? sim_arcs_add(out, u, v) : 0;
    if (rc != 0) return rc;
  }
  return 0;
}

/* The mean degree asked for, if n nodes can have it. */
static int ask_mean_degree(struct sim_graph_request *r, uint32_t n, double *k) {
  *k = sim_value_number(r->call, "mean_degree");
  if (*k > 0 && *k > (double)n - 1)
    return sim_graph_complain(r, "mean_degree", "a mean degree of %g needs more than %u nodes", *k, n);
  return too_many(r, *k * n / 2);
}

int sim_make_erdos_renyi(struct sim_arcs *out, struct sim_graph_request *r) {
  double k, all = pairs_of(out->nodes);
  int rc = ask_mean_degree(r, out->nodes, &k);
  if (rc != 0 || out->nodes < 2) return rc;
  double m = floor(k * out->nodes / 2 + 0.5);
  if (m > all) m = all;
  bool dense = m > all / 2; /* then the pairs without an edge are drawn */
  struct pair_set set = {0};
  rc = pair_set_draw(&set, out->nodes, (uint64_t)(dense ? all - m : m), &r->stream, dense ? NULL : out);
  for (uint32_t v = 1; dense && v < out->nodes; v++)
    for (uint32_t u = 0; rc == 0 && u < v; u++) {
      uint64_t pair = (uint64_t)v << 32 | u;
      if (*pair_slot(&set, pair) != pair) rc = sim_arcs_add(out, u, v);
    }
  sim_free(set.slot);
  return rc;
}

/* G(n, p) on n members (NULL: nodes 0 to n-1) by geometric skips over the pairs (Batagelj and Brandes 2005). */
static int add_gnp(struct sim_arcs *out, const uint32_t *member, uint32_t n, double p, struct sim_rng_stream *s) {
  if (n < 2 || p <= 0) return 0;
  double step = p < 1 ? sim_log1p(-p) : -INFINITY, left = pairs_of(n);
  int64_t v = 1, u = -1;
  for (;;) {
    double skip = p < 1 ? 1 + floor(sim_log(sim_rng_stream_uniform(s)) / step) : 1;
    if (skip > left) return 0;
    left -= skip;
    for (u += (int64_t)skip; u >= v; v++) u -= v;
    int rc = member ? sim_arcs_add(out, member[u], member[v]) : sim_arcs_add(out, (uint32_t)u, (uint32_t)v);
    if (rc != 0) return rc;
  }
}

int sim_make_gnp(struct sim_arcs *out, struct sim_graph_request *r) {
  double k;
  int rc = ask_mean_degree(r, out->nodes, &k);
  return rc == 0 && out->nodes > 1 ? add_gnp(out, NULL, out->nodes, k / (out->nodes - 1.0), &r->stream) : rc;
}

enum { MOST_DEGREE = 1000000 }; /* as in the tables of graph_build.c */

/* ---- configuration model --------------------------------------------------------------------------------------- */

/* Pairs the stubs of nodes with these degrees at random; an odd stub is left over. Loops and repeats fall away when the
 * rows are built (the erased configuration model). */
static int pair_stubs(struct sim_arcs *out, struct sim_graph_request *r, const uint32_t *degree) {
  uint64_t stubs = 0, i = 0;
  for (uint32_t u = 0; u < out->nodes; u++) stubs += degree[u];
  int rc = too_many(r, (double)stubs / 2);
  if (rc != 0) return rc;
  uint32_t *stub = sim_realloc_array(NULL, stubs + 1, sizeof *stub);
  if (!stub) return SIM_ERR_MEMORY;
  for (uint32_t u = 0; u < out->nodes; u++)
    for (uint32_t d = 0; d < degree[u]; d++) stub[i++] = u;
  sim_shuffle(stub, stubs, &r->stream);
  for (i = 0; rc == 0 && i + 1 < stubs; i += 2) rc = sim_arcs_add(out, stub[i], stub[i + 1]);
  sim_free(stub);
  return rc;
}

int sim_make_configuration(struct sim_arcs *out, struct sim_graph_request *r) {
  struct sim_csv csv = {0};
  int rc = sim_csv_read(&csv, sim_value_get(r->call, "degrees"), false, r->diag);
  if (rc != 0) return rc;
  uint32_t *degree = sim_realloc_array(NULL, csv.rows, sizeof *degree);
  if (!degree) rc = SIM_ERR_MEMORY;
  out->nodes = (uint32_t)csv.rows;
  for (size_t i = 0; degree && i < csv.rows && rc == 0; i++)
    if (csv.columns != 1 || !sim_csv_whole(&csv, i, 0, 0, out->nodes - 1, &degree[i]))
      rc = sim_csv_complain(&csv, i, r->diag, "expected one degree, a whole number from 0 to %u", out->nodes - 1);
  if (rc == 0) rc = pair_stubs(out, r, degree);
  sim_free(degree);
  sim_csv_free(&csv);
  return rc;
}

/* A law of degrees from `low` on: weight[i] of degree low + i; turned into the distribution function in place. */
static int configure(struct sim_arcs *out, struct sim_graph_request *r, double *weight, size_t n, uint32_t low) {
  double total = 0;
  for (size_t i = 0; i < n; i++) weight[i] = total += weight[i];
  uint32_t *degree = sim_realloc_array(NULL, (size_t)out->nodes + 1, sizeof *degree);
  if (!degree) return SIM_ERR_MEMORY;
  for (uint32_t u = 0; u < out->nodes; u++) {
    double at = total * sim_rng_stream_uniform(&r->stream);
    size_t first = 0, last = n - 1; /* the first whose cumulative weight is above `at` */
    while (first < last) {
      size_t middle = (first + last) / 2;
      if (weight[middle] > at)
        last = middle;
      else
        first = middle + 1;
    }
    degree[u] = low + (uint32_t)first;
  }
  int rc = pair_stubs(out, r, degree);
  sim_free(degree);
  return rc;
}

int sim_make_configuration_poisson(struct sim_arcs *out, struct sim_graph_request *r) {
  double mean = sim_value_number(r->call, "mean");
  int rc = too_many(r, mean * out->nodes / 2);
  if (rc != 0) return rc;
  size_t n = (size_t)(mean + 12 * sqrt(mean) + 30); /* beyond: below 1e-20 */
  double *weight = sim_realloc_array(NULL, n, sizeof *weight);
  if (!weight) return SIM_ERR_MEMORY;
  double log_mean = mean > 0 ? sim_log(mean) : 0;
  for (size_t i = 0; i < n; i++)
    weight[i] = mean > 0 ? sim_exp((double)i * log_mean - mean - sim_lgamma((double)i + 1)) : i == 0;
  rc = configure(out, r, weight, n, 0);
  sim_free(weight);
  return rc;
}

int sim_make_configuration_power_law(struct sim_arcs *out, struct sim_graph_request *r) {
  double exponent = sim_value_number(r->call, "exponent"), low = sim_value_number(r->call, "minimum"),
         high = sim_value_number(r->call, "maximum");
  if (high < low) return sim_graph_complain(r, "maximum", "the maximum is below the minimum");
  size_t n = (size_t)(high - low) + 1;
  double *weight = sim_realloc_array(NULL, n, sizeof *weight);
  if (!weight) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) weight[i] = sim_pow((low + (double)i) / low, -exponent);
  int rc = configure(out, r, weight, n, (uint32_t)low);
  sim_free(weight);
  return rc;
}

int sim_make_configuration_bimodal(struct sim_arcs *out, struct sim_graph_request *r) {
  double low = sim_value_number(r->call, "low"), high = sim_value_number(r->call, "high"),
         share = sim_value_number(r->call, "share");
  if (high < low) return sim_graph_complain(r, "high", "the high degree is below the low one");
  size_t n = (size_t)(high - low) + 1;
  double *weight = sim_calloc(n, sizeof *weight);
  if (!weight) return SIM_ERR_MEMORY;
  weight[0] = 1 - share;
  weight[n - 1] += share;
  int rc = configure(out, r, weight, n, (uint32_t)low);
  sim_free(weight);
  return rc;
}

/* The next "degree:weight" of a list. NULL, or what is wrong. */
static const char *take_degree(const char **p, uint32_t *degree, double *weight) {
  char *end;
  if (**p < '0' || **p > '9') return "expected a degree, a whole number";
  double k = strtod(*p, &end);
  if (!(k <= MOST_DEGREE) || k != floor(k)) return "a degree is a whole number up to 1,000,000";
  *degree = (uint32_t)k;
  *weight = 1;
  if (*end == ':') {
    *p = end + 1;
    *weight = **p >= '0' && **p <= '9' ? strtod(*p, &end) : -1;
    if (!(*weight > 0) || isinf(*weight)) return "expected a positive weight after the colon";
  }
  if (*end && !strchr(" \t\r\n", *end)) return "expected degree:weight";
  *p = end;
  return NULL;
}

int sim_make_configuration_degrees(struct sim_arcs *out, struct sim_graph_request *r) {
  const char *text = sim_value_text(r->call, "of");
  double *weight = sim_calloc(MOST_DEGREE + 1, sizeof *weight), each;
  if (!weight) return SIM_ERR_MEMORY;
  int rc = 0;
  size_t listed = 0;
  uint32_t degree, highest = 0;
  for (const char *p = text + strspn(text, " \t\r\n"); *p && rc == 0; p += strspn(p, " \t\r\n"), listed++) {
    const char *token = p, *wrong = take_degree(&p, &degree, &each);
    if (wrong) {
      rc = sim_graph_complain(r, "of", "'%.*s': %s", (int)strcspn(token, " \t\r\n"), token, wrong);
      break;
    }
    weight[degree] += each;
    if (degree > highest) highest = degree;
  }
  if (rc == 0 && !listed) rc = sim_graph_complain(r, "of", "no degrees; expected a list such as 1:50 5:30 10:20");
  if (rc == 0) rc = configure(out, r, weight, (size_t)highest + 1, 0);
  sim_free(weight);
  return rc;
}

/* ---- communities ----------------------------------------------------------------------------------------------- */

/* The people of `among`, or everyone. */
static int find_members(struct sim_graph_request *r, uint32_t nodes, uint32_t **member, uint32_t *n) {
  const char *among = sim_value_text(r->call, "among");
  int group = among && r->population ? sim_population_group(r->population, among) : -1;
  if (among && group < 0) return sim_graph_complain(r, "among", "no group of the people is called '%s'", among);
  if (among && r->population->size != nodes)
    return sim_graph_complain(r, "among", "the layer has %u nodes, but there are %u people", nodes,
                              r->population->size);
  *n = 0;
  *member = sim_realloc_array(NULL, (size_t)nodes + 1, sizeof **member);
  if (!*member) return SIM_ERR_MEMORY;
  for (uint32_t u = 0; u < nodes; u++)
    if (!among || r->population->group[u] == group) (*member)[(*n)++] = u;
  return 0;
}

int sim_make_communities(struct sim_arcs *out, struct sim_graph_request *r) {
  uint32_t *member = NULL, n = 0;
  struct sim_law law = {0};
  double degree = sim_value_number_or(r->call, "mean_degree", INFINITY), edges = 0;
  int rc = sim_law_init(&law, sim_value_get(r->call, "size"), r->diag);
  if (rc == 0) rc = find_members(r, out->nodes, &member, &n);
  if (rc == 0) sim_shuffle(member, n, &r->stream);
  for (uint32_t first = 0, size; rc == 0 && first < n; first += size) {
    double drawn = floor(sim_law_inverse(&law, -sim_log(sim_rng_stream_uniform(&r->stream))) + 0.5);
    size = drawn < 1 ? 1 : drawn > n - first ? n - first : (uint32_t)drawn; /* the last is what is left */
    double p = size > 1 && degree < size - 1.0 ? degree / (size - 1.0) : 1;
    edges += p * pairs_of(size);
    rc = too_many(r, edges);
    if (rc == 0) rc = add_gnp(out, member + first, size, p, &r->stream);
  }
  sim_free(member);
  sim_law_free(&law);
  return rc;
}
