/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Graphs: exact ones, statistics of random ones (bounds from standard errors), files good and bad. */
#include "sim/core/dmath.h"
#include "sim/core/graph.h"
#include "sim/core/mem.h"
#include "sim/core/population.h"
#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- values by hand -------------------------------------------------------------------------------------------- */

static struct sim_value quantity(const char *name, double x) {
  return (struct sim_value){.form = SIM_NUMBER, .name = name, .path = name, .number = x, .low = x, .high = x};
}

struct made_call {
  struct sim_value value, items[4];
};

/* Binds a call as the scenario layer would: `numbers` of quantities by name up to NULL; texts go in with set_text. */
static struct made_call make_call(const char *name, ...) {
  struct made_call c = {.value = {.form = SIM_CALLED, .text = name, .path = "graph"}};
  const struct sim_call *call = sim_graphs;
  while (call->name && strcmp(call->name, name) != 0) call++;
  cr_assert_not_null(call->name, "no call %s", name);
  for (const struct sim_param *p = call->params; p->name; p++) {
    struct sim_value *v = &c.items[c.value.n++];
    *v = (struct sim_value){.param = p, .name = p->name, .path = p->name};
    if (p->fallback && p->kind == SIM_CHOICE) v->form = SIM_NAME, v->text = p->fallback;
    if (p->fallback && p->kind == SIM_QUANTITY) v->form = SIM_NUMBER, v->number = atof(p->fallback);
  }
  va_list args;
  va_start(args, name);
  for (const char *key; (key = va_arg(args, const char *));) {
    double x = va_arg(args, double);
    for (size_t i = 0; i < c.value.n; i++)
      if (strcmp(c.items[i].name, key) == 0) c.items[i].form = SIM_NUMBER, c.items[i].number = x;
  }
  va_end(args);
  return c;
}

static void set_text(struct made_call *c, const char *key, const char *text) {
  for (size_t i = 0; i < c->value.n; i++)
    if (strcmp(c->items[i].name, key) == 0) c->items[i].form = SIM_NAME, c->items[i].text = text;
}

static const struct sim_graph *try_build(struct made_call *c, uint32_t nodes, const struct sim_population *people,
                                         uint64_t seed, struct sim_diag *diag, int *rc) {
  const struct sim_graph *g = NULL;
  struct sim_rng rng;
  sim_rng_init(&rng, seed, 0, 0);
  c->value.items = c->items;
  *rc = sim_graph_build(&g, &c->value, nodes, people, &rng, sim_purpose("graph"), diag);
  return g;
}

/* Checks what every graph keeps: rows ascending, no loops, in-rows the transpose. */
static void check_form(const struct sim_graph *g) {
  uint64_t arcs = g->row[g->nodes], back = 0;
  cr_assert_eq(g->row[0], 0);
  cr_assert_eq(g->in_row[g->nodes], arcs);
  cr_assert_eq(g->edges, g->directed ? arcs : arcs / 2);
  for (uint32_t u = 0; u < g->nodes; u++) {
    for (uint64_t i = g->row[u]; i < g->row[u + 1]; i++) {
      cr_assert_lt(g->to[i], g->nodes);
      cr_assert_neq(g->to[i], u);
      if (i > g->row[u]) cr_assert_lt(g->to[i - 1], g->to[i]);
      for (uint64_t j = g->in_row[g->to[i]]; j < g->in_row[g->to[i] + 1]; j++)
        if (g->from[j] == u) {
          back++;
          if (g->weight) cr_assert_eq(g->weight[i], g->in_weight[j]);
          break;
        }
    }
  }
  cr_assert_eq(back, arcs);
}

static const struct sim_graph *build(struct made_call c, uint32_t nodes, uint64_t seed) {
  struct sim_diag diag = {0};
  int rc;
  const struct sim_graph *g = try_build(&c, nodes, NULL, seed, &diag, &rc);
  cr_assert_eq(rc, 0, "%s: %s", c.value.text, diag.n ? diag.items[0].text : "");
  if (nodes <= 20000) check_form(g);
  return g;
}

static double mean_degree(const struct sim_graph *g) {
  return (double)g->row[g->nodes] / g->nodes;
}

static uint64_t count_degree(const struct sim_graph *g, uint64_t degree) {
  uint64_t n = 0;
  for (uint32_t u = 0; u < g->nodes; u++) n += sim_graph_degree(g, u) == degree;
  return n;
}

#define CALL(...) make_call(__VA_ARGS__, NULL)

/* |x - expected| within 4 standard errors. */
static void within(double x, double expected, double se, const char *what) {
  cr_assert(fabs(x - expected) <= 4 * se, "%s: %g, expected %g, standard error %g", what, x, expected, se);
}

/* ---- exact ----------------------------------------------------------------------------------------------------- */

Test(graph, plain_graphs) {
  static const struct {
    const char *name;
    uint32_t nodes;
    uint64_t edges, first, largest;
  } table[] = {{"none", 5, 0, 0, 0}, {"complete", 6, 15, 5, 5}, {"ring", 7, 7, 2, 2},
               {"ring", 2, 1, 1, 1}, {"ring", 1, 0, 0, 0},      {"star", 6, 5, 5, 5},
               {"path", 5, 4, 1, 2}, {"path", 1, 0, 0, 0},      {"zachary", 34, 78, 16, 17}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const struct sim_graph *g = build(CALL(table[i].name), table[i].nodes, 1);
    uint64_t largest = 0;
    for (uint32_t u = 0; u < g->nodes; u++)
      if (sim_graph_degree(g, u) > largest) largest = sim_graph_degree(g, u);
    cr_expect_eq(g->nodes, table[i].nodes, "%s", table[i].name);
    cr_expect_eq(g->edges, table[i].edges, "%s: %lu edges", table[i].name, (unsigned long)g->edges);
    cr_expect_eq(sim_graph_degree(g, 0), table[i].first, "%s", table[i].name);
    cr_expect_eq(largest, table[i].largest, "%s", table[i].name);
    sim_graph_free(g);
  }
  const struct sim_graph *homogeneous = build(CALL("homogeneous", "contacts", 8.0), 10, 1);
  cr_expect_eq(homogeneous->edges, 0);
  sim_graph_free(homogeneous);
}

Test(graph, lattice) {
  const struct sim_graph *g = build(CALL("lattice", "width", 4.0, "height", 3.0), 0, 1);
  cr_expect_eq(g->nodes, 12);
  cr_expect_eq(g->edges, 3 * 3 + 4 * 2);
  cr_expect_eq(count_degree(g, 2), 4);
  cr_expect_eq(count_degree(g, 4), 2);
  cr_expect_eq(g->to[g->row[0]], 1);
  cr_expect_eq(g->to[g->row[0] + 1], 4);
  sim_graph_free(g);
}

Test(graph, nodes_that_calls_fix) {
  struct sim_diag diag = {0};
  struct made_call c = CALL("lattice", "width", 4.0, "height", 3.0);
  uint32_t nodes = 99;
  c.value.items = c.items;
  cr_expect_eq(sim_graph_nodes(&c.value, &nodes, &diag), 0);
  cr_expect_eq(nodes, 12);
  c = CALL("zachary");
  cr_expect_eq(sim_graph_nodes(&c.value, &nodes, &diag), 0);
  cr_expect_eq(nodes, 34);
  c = CALL("ring");
  cr_expect_eq(sim_graph_nodes(&c.value, &nodes, &diag), 0);
  cr_expect_eq(nodes, 0);
  c = CALL("edges");
  set_text(&c, "of", "0-1 1-7");
  c.value.items = c.items;
  cr_expect_eq(sim_graph_nodes(&c.value, &nodes, &diag), 0);
  cr_expect_eq(nodes, 8);
  cr_expect_eq(diag.n, 0);
}

Test(graph, inline_edges) {
  struct made_call c = CALL("edges");
  set_text(&c, "of", " 0-1 1-2:2.5\t2-1:1 3-3");
  const struct sim_graph *g = build(c, 0, 1);
  cr_expect_eq(g->nodes, 4);
  cr_expect_eq(g->edges, 2);
  cr_expect_not(g->directed);
  cr_expect_eq(g->weight[g->row[1] + 1], 3.5F); /* parallel edges added */
  cr_expect_eq(g->weight[g->row[0]], 1.0F);
  cr_expect_eq(g->in_row, g->row); /* shared where undirected */
  sim_graph_free(g);
  set_text(&c, "of", "0>1 1-2 2>0");
  g = build(c, 5, 1);
  cr_expect(g->directed);
  cr_expect_eq(g->nodes, 5);
  cr_expect_eq(g->edges, 4);
  cr_expect_null(g->weight);
  cr_expect_eq(g->in_row[2] - g->in_row[1], 2); /* into 1: from 0 and 2 */
  cr_expect_eq(g->from[g->in_row[1]], 0);
  cr_expect_eq(g->from[g->in_row[1] + 1], 2);
  sim_graph_free(g);
}

Test(graph, from_edges) {
  const uint32_t pairs[] = {2, 0, 0, 2, 1, 1, 0, 1};
  const double bad[] = {1, 1, 1, NAN}, ones[] = {1, 1, 1, 1};
  const struct sim_graph *g, *h;
  cr_assert_eq(sim_graph_from_edges(&g, 3, false, pairs, NULL, 4), 0);
  check_form(g);
  cr_expect_eq(g->edges, 2); /* loop and repeat gone */
  cr_assert_eq(sim_graph_from_edges(&h, 3, true, pairs, ones, 4), 0);
  check_form(h);
  cr_expect_eq(h->edges, 3);
  cr_expect_null(h->weight);
  cr_expect_neq(g->hash, h->hash);
  sim_graph_free(g);
  sim_graph_free(h);
  cr_expect_eq(sim_graph_from_edges(&g, 2, false, pairs, NULL, 4), SIM_ERR_INPUT);
  cr_expect_eq(sim_graph_from_edges(&g, 3, false, pairs, bad, 4), SIM_ERR_INPUT);
  cr_expect_null(g);
  cr_assert_eq(sim_graph_from_edges(&g, 0, false, NULL, NULL, 0), 0);
  sim_graph_free(g);
}

Test(graph, hash_is_stable) {
  const uint32_t a[] = {0, 1, 1, 2}, b[] = {2, 1, 1, 0}, c[] = {0, 1, 0, 2};
  const double w[] = {1, 2};
  const struct sim_graph *g[4];
  cr_assert_eq(sim_graph_from_edges(&g[0], 3, false, a, NULL, 2), 0);
  cr_assert_eq(sim_graph_from_edges(&g[1], 3, false, b, NULL, 2), 0);
  cr_assert_eq(sim_graph_from_edges(&g[2], 3, false, c, NULL, 2), 0);
  cr_assert_eq(sim_graph_from_edges(&g[3], 3, false, a, w, 2), 0);
  cr_expect_eq(g[0]->hash, UINT64_C(0x12beca8a0b2cae6f), "%lx", (unsigned long)g[0]->hash);
  cr_expect_eq(g[0]->hash, g[1]->hash);
  cr_expect_neq(g[0]->hash, g[2]->hash);
  cr_expect_neq(g[0]->hash, g[3]->hash);
  for (int i = 0; i < 4; i++) sim_graph_free(g[i]);
}

Test(graph, moments_and_giant) {
  double k, excess;
  uint32_t work[34];
  const struct sim_graph *g = build(CALL("star"), 5, 1);
  sim_graph_moments(g, &k, &excess);
  cr_expect_float_eq(k, 8.0 / 5, 1e-15);
  cr_expect_float_eq(excess, 12.0 / 8, 1e-15);
  cr_expect_eq(sim_graph_giant(g, NULL, work), 5);
  cr_expect_eq(sim_graph_giant(g, (const uint8_t[]){0, 1, 1, 1, 1}, work), 1);
  cr_expect_eq(sim_graph_giant(g, (const uint8_t[]){1, 1, 0, 0, 1}, work), 3);
  cr_expect_eq(sim_graph_giant(g, (const uint8_t[]){0, 0, 0, 0, 0}, work), 0);
  sim_graph_free(g);
  struct made_call c = CALL("edges");
  set_text(&c, "of", "0-1 2-3 3-4 5-6");
  g = build(c, 8, 1);
  cr_expect_eq(sim_graph_giant(g, NULL, work), 3);
  sim_graph_free(g);
  set_text(&c, "of", "1>0 2>0 0>3"); /* in the middle: 2 in, 1 out */
  g = build(c, 0, 1);
  cr_expect_eq(sim_graph_giant(g, NULL, work), 4); /* weakly */
  sim_graph_moments(g, &k, &excess);
  cr_expect_float_eq(excess, 2.0 / 3, 1e-15);
  sim_graph_free(g);
}

/* ---- random ---------------------------------------------------------------------------------------------------- */

Test(graph, erdos_renyi_has_its_edges) {
  const struct sim_graph *g = build(CALL("erdos_renyi", "mean_degree", 5.0), 10001, 3);
  cr_expect_eq(g->edges, 25003); /* 25002.5 rounded, all distinct */
  double excess, k;
  sim_graph_moments(g, &k, &excess);
  /* given the sum, Var of the mean of k(k-1) is 2 k^2 / n: Var(K(K-1)) less what the regression on K explains */
  within(excess, 5, sqrt(2.0 / 10001), "mean excess degree of G(n, m)");
  sim_graph_free(g);
  g = build(CALL("erdos_renyi", "mean_degree", 16.0), 20, 3); /* dense: by the complement */
  cr_expect_eq(g->edges, 160);
  sim_graph_free(g);
  g = build(CALL("erdos_renyi", "mean_degree", 19.0), 20, 3);
  cr_expect_eq(g->edges, 190);
  sim_graph_free(g);
}

/* Every pair equally likely, for the sparse and for the dense way. */
static void check_pairs(const char *name, double k, double sd_of_count) {
  enum { N = 6, RUNS = 3000 };
  unsigned seen[N][N] = {{0}};
  for (unsigned s = 0; s < RUNS; s++) {
    const struct sim_graph *g = build(CALL(name, "mean_degree", k), N, s);
    for (uint32_t u = 0; u < N; u++)
      for (uint64_t i = g->row[u]; i < g->row[u + 1]; i++) seen[u][g->to[i]]++;
    sim_graph_free(g);
  }
  for (uint32_t u = 0; u < N; u++)
    for (uint32_t v = 0; v < u; v++) within(seen[u][v], RUNS * k / (N - 1), sd_of_count, name);
}

Test(graph, pairs_are_equally_likely) {
  check_pairs("erdos_renyi", 1, sqrt(3000 * 0.2 * 0.8));
  check_pairs("erdos_renyi", 4, sqrt(3000 * 0.2 * 0.8));
  check_pairs("gnp", 1, sqrt(3000 * 0.2 * 0.8));
  check_pairs("gnp", 4, sqrt(3000 * 0.2 * 0.8));
}

Test(graph, gnp_mean_degree) {
  const struct sim_graph *g = build(CALL("gnp", "mean_degree", 6.0), 20000, 5);
  within(mean_degree(g), 6, sqrt(2.0 * 6 / 20000), "G(n, p)");
  double p0 = sim_exp(-6.0);
  within((double)count_degree(g, 4), 20000 * p0 * 1296 / 24, sqrt(20000 * p0 * 1296 / 24), "degree 4 in G(n, p)");
  sim_graph_free(g);
  g = build(CALL("gnp", "mean_degree", 9.0), 10, 5);
  cr_expect_eq(g->edges, 45);
  sim_graph_free(g);
}

/* Case A12: the share s of the giant component solves s = 1 - exp(-k s); its variance is s(1-s)/(1-k(1-s))^2 / n. */
Test(graph, giant_component_of_gnp) {
  static const struct {
    double k, s;
  } table[] = {{1.5, 0.5828116438658114}, {2, 0.7968121300200376}, {3, 0.9404797907073595}};
  enum { N = 100000 };
  uint32_t *work = malloc(N * sizeof *work);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const struct sim_graph *g = build(CALL("gnp", "mean_degree", table[i].k), N, 11 + i);
    double k = table[i].k, s = table[i].s, slope = 1 - k * (1 - s);
    double se = sqrt(s * (1 - s) / N) / slope;
    within((double)sim_graph_giant(g, NULL, work) / N, s, se, "giant component");
    sim_graph_free(g);
  }
  free(work);
}

Test(graph, barabasi_albert) {
  const struct sim_graph *g = build(CALL("barabasi_albert", "mean_degree", 6.0), 20000, 7);
  cr_expect_eq(g->edges, 3 * 20000 - 6); /* complete graph of 4, then 3 a node */
  uint64_t largest = 0;
  for (uint32_t u = 0; u < g->nodes; u++) {
    cr_assert_geq(sim_graph_degree(g, u), 3);
    if (sim_graph_degree(g, u) > largest) largest = sim_graph_degree(g, u);
  }
  /* P(k) = 2 m (m + 1) / (k (k + 1) (k + 2)) (Bollobas et al. 2001): 2/5 at k = m = 3, 1/5 at 4 */
  within((double)count_degree(g, 3) / 20000, 0.4, sqrt(0.24 / 20000), "BA degree 3");
  within((double)count_degree(g, 4) / 20000, 0.2, sqrt(0.16 / 20000), "BA degree 4");
  cr_expect_gt(largest, 150); /* of order m sqrt(n) = 424 */
  sim_graph_free(g);
  g = build(CALL("barabasi_albert", "mean_degree", 5.0), 2000, 7);
  cr_expect(fabs(mean_degree(g) - 5) < 0.02, "%g", mean_degree(g));
  cr_expect_gt(count_degree(g, 2), 0);
  sim_graph_free(g);
}

Test(graph, watts_strogatz) {
  const struct sim_graph *g = build(CALL("watts_strogatz", "mean_degree", 4.0, "rewire", 0.0), 1000, 1);
  cr_expect_eq(count_degree(g, 4), 1000);
  sim_graph_free(g);
  g = build(CALL("watts_strogatz", "mean_degree", 4.0, "rewire", 0.2), 5000, 1);
  uint64_t ring = 0;
  cr_expect_eq(g->row[g->nodes], 20000); /* rewiring keeps the number of edges */
  for (uint32_t u = 0; u < 5000; u++)
    for (uint64_t i = g->row[u]; i < g->row[u + 1]; i++) {
      uint32_t distance = g->to[i] > u ? g->to[i] - u : u - g->to[i];
      ring += distance <= 2 || distance >= 4998;
    }
  within((double)ring / 2, 8000, sqrt(10000 * 0.2 * 0.8), "edges that stayed");
  sim_graph_free(g);
}

Test(graph, regular) {
  const struct sim_graph *g = build(CALL("regular", "mean_degree", 4.0), 5000, 1);
  cr_expect_eq(count_degree(g, 4), 5000);
  sim_graph_free(g);
}

/* Degree laws of case A06. Erasing loops and repeats takes a few edges; the bounds leave room for that. */
Test(graph, configuration) {
  const struct sim_graph *g = build(CALL("configuration_poisson", "mean", 4.0), 20000, 2);
  within(mean_degree(g), 4 - 4.0 * 4 / 20000, sqrt(4.0 / 20000), "Poisson");
  within((double)count_degree(g, 0), 20000 * exp(-4), sqrt(20000 * exp(-4)), "Poisson, degree 0");
  sim_graph_free(g);
  g = build(CALL("configuration_bimodal", "low", 1.0, "high", 7.0, "share", 0.5), 20000, 2);
  within((double)count_degree(g, 1), 10000, sqrt(5000), "bimodal, low");
  within((double)count_degree(g, 7), 10000, sqrt(5000) + 3, "bimodal, high");
  sim_graph_free(g);
  g = build(CALL("configuration_power_law", "exponent", 2.5, "minimum", 1.0, "maximum", 100.0), 20000, 2);
  double total = 0;
  for (int k = 1; k <= 100; k++) total += pow(k, -2.5);
  within((double)count_degree(g, 1), 20000 / total, sqrt(20000 / total * (1 - 1 / total)), "power law, degree 1");
  within((double)count_degree(g, 2), 20000 * pow(2, -2.5) / total, sqrt(20000 * pow(2, -2.5) / total), "degree 2");
  sim_graph_free(g);
}

Test(graph, configuration_from_a_list) {
  struct made_call c = CALL("configuration_degrees");
  set_text(&c, "of", " 1:2 5:1  10 ");
  const struct sim_graph *g = build(c, 20000, 2);
  within((double)count_degree(g, 1), 10000, sqrt(5000), "degree 1");
  within((double)count_degree(g, 5), 5000, sqrt(3750) + 3, "degree 5");
  within((double)count_degree(g, 10), 5000, sqrt(3750) + 20, "degree 10");
  cr_expect_leq(count_degree(g, 2) + count_degree(g, 3), 5);
  sim_graph_free(g);
  static const char *const wrong[][2] = {{" ", "no degrees"},        {"1:2 x", "expected a degree"},
                                         {"1:0", "positive weight"}, {"1:-1", "positive weight"},
                                         {"1.5", "whole number"},    {"2000000", "1,000,000"},
                                         {"3;4", "degree:weight"},   {"1:1e999", "positive weight"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct sim_diag diag = {0};
    int rc;
    set_text(&c, "of", wrong[i][0]);
    cr_expect_null(try_build(&c, 100, NULL, 1, &diag, &rc));
    cr_assert_eq(diag.n, 1);
    cr_expect(strstr(diag.items[0].text, wrong[i][1]), "%s: %s", wrong[i][0], diag.items[0].text);
    sim_diag_free(&diag);
  }
}

static struct sim_population groups_of(uint32_t size, uint32_t a) {
  static char *names[] = {"a", "b"};
  static uint32_t sizes[2];
  uint8_t *group = malloc(size);
  sizes[0] = a;
  sizes[1] = size - a;
  for (uint32_t i = 0; i < size; i++) group[i] = (uint64_t)i * 7919 % size < a ? 0 : 1; /* size prime to 7919 */
  return (struct sim_population){.size = size, .groups = 2, .group_name = names, .group_size = sizes, .group = group};
}

Test(graph, blocks) {
  enum { N = 6000, A = 2000 };
  struct sim_population people = groups_of(N, A);
  struct made_call c = CALL("blocks", "mean_degree_within", 6.0, "mean_degree_between", 2.0);
  struct sim_diag diag = {0};
  int rc;
  const struct sim_graph *g = try_build(&c, N, &people, 4, &diag, &rc);
  cr_assert_eq(rc, 0);
  check_form(g);
  double count[2][2] = {{0}};
  for (uint32_t u = 0; u < N; u++)
    for (uint64_t i = g->row[u]; i < g->row[u + 1]; i++) count[people.group[u]][people.group[g->to[i]]]++;
  within(count[0][0] / 2, 6.0 * A / 2, sqrt(6.0 * A / 2), "edges within a");
  within(count[1][1] / 2, 6.0 * (N - A) / 2, sqrt(6.0 * (N - A) / 2), "edges within b");
  within(count[0][1], N, sqrt(N), "edges between");
  sim_graph_free(g);
  cr_assert_null(try_build(&c, N, NULL, 4, &diag, &rc));
  cr_expect_eq(rc, SIM_ERR_INPUT);
  sim_diag_free(&diag);
  free((void *)(uintptr_t)people.group);
}

Test(graph, geometric) {
  const struct sim_graph *g = build(CALL("geometric", "mean_degree", 8.0), 10000, 4);
  /* on the torus the pairs are pairwise independent, so the number of edges varies as in G(n, p) */
  within(mean_degree(g), 8, sqrt(2.0 * 8 / 10000), "geometric");
  sim_graph_free(g);
}

static void set_law(struct made_call *c, double size) {
  c->items[0] = quantity("size", size);
}

/* Communities of size 5 cover everyone once: degrees 4, and components of 5. */
Test(graph, communities) {
  struct made_call c = CALL("communities");
  set_law(&c, 5);
  const struct sim_graph *g = build(c, 1003, 9);
  uint32_t work[1003];
  cr_expect_eq(count_degree(g, 4), 1000);
  cr_expect_eq(count_degree(g, 2), 3); /* what is left */
  cr_expect_eq(sim_graph_giant(g, NULL, work), 5);
  uint64_t neighbours = 0;
  for (uint32_t u = 0; u + 1 < 1003; u++)
    for (uint64_t i = g->row[u]; i < g->row[u + 1]; i++) neighbours += g->to[i] == u + 1;
  cr_expect_lt(neighbours, 30); /* shuffled: about 4 are expected; unshuffled it would be 800 */
  sim_graph_free(g);
  c = CALL("communities", "mean_degree", 10.0);
  set_law(&c, 200);
  g = build(c, 20000, 9);
  within(mean_degree(g), 10, sqrt(2.0 * 10 / 20000), "sparse communities");
  uint32_t *many = malloc(20000 * sizeof *many);
  cr_expect_leq(sim_graph_giant(g, NULL, many), 200);
  free(many);
  sim_graph_free(g);
}

Test(graph, communities_among_a_group) {
  struct sim_population people = groups_of(1000, 300);
  struct made_call c = CALL("communities");
  struct sim_diag diag = {0};
  int rc;
  set_law(&c, 3);
  set_text(&c, "among", "a");
  const struct sim_graph *g = try_build(&c, 1000, &people, 4, &diag, &rc);
  cr_assert_eq(rc, 0);
  for (uint32_t u = 0; u < 1000; u++) cr_assert_eq(sim_graph_degree(g, u), people.group[u] == 0 ? 2 : 0);
  sim_graph_free(g);
  set_text(&c, "among", "c");
  cr_expect_null(try_build(&c, 1000, &people, 4, &diag, &rc));
  cr_expect_eq(diag.n, 1);
  sim_diag_free(&diag);
  free((void *)(uintptr_t)people.group);
}

/* ---- the same key, the same graph ------------------------------------------------------------------------------- */

static const char *const random_calls[] = {"erdos_renyi",    "gnp",     "barabasi_albert",
                                           "watts_strogatz", "regular", "geometric"};
#define RANDOM_CALLS (sizeof random_calls / sizeof *random_calls)

static void *hash_all(void *out) {
  uint64_t *hash = out;
  for (unsigned round = 0; round < 3; round++)
    for (size_t i = 0; i < RANDOM_CALLS; i++) {
      struct made_call c = CALL(random_calls[i], "mean_degree", 4.0, "rewire", 0.1);
      struct sim_diag diag = {0};
      int rc;
      const struct sim_graph *g = try_build(&c, 500, NULL, 21, &diag, &rc);
      uint64_t h = rc == 0 ? g->hash : 0;
      if (round == 0) hash[i] = h;
      if (hash[i] != h) hash[i] = 0; /* changed by what was built in between */
      sim_graph_free(g);
    }
  return NULL;
}

Test(graph, keyed_from_any_thread) {
  uint64_t here[RANDOM_CALLS], there[2][RANDOM_CALLS];
  pthread_t thread[2];
  for (int t = 0; t < 2; t++) cr_assert_eq(pthread_create(&thread[t], NULL, hash_all, there[t]), 0);
  hash_all(here);
  for (int t = 0; t < 2; t++) pthread_join(thread[t], NULL);
  for (size_t i = 0; i < RANDOM_CALLS; i++) {
    cr_expect_neq(here[i], 0, "%s", random_calls[i]);
    cr_expect_eq(here[i], there[0][i], "%s", random_calls[i]);
    cr_expect_eq(here[i], there[1][i], "%s", random_calls[i]);
    const struct sim_graph *other = build(make_call(random_calls[i], "mean_degree", 4.0, "rewire", 0.1, NULL), 500, 22);
    cr_expect_neq(other->hash, here[i], "%s: another seed", random_calls[i]);
    sim_graph_free(other);
  }
}

Test(graph, which_calls_are_random) {
  struct made_call c = CALL("ring");
  cr_expect_not(sim_graph_is_random(&c.value));
  c = CALL("file");
  cr_expect_not(sim_graph_is_random(&c.value));
  for (size_t i = 0; i < RANDOM_CALLS; i++) {
    c = CALL(random_calls[i]);
    cr_expect(sim_graph_is_random(&c.value));
  }
}

Test(graph, impossible_requests) {
  static const struct {
    const char *name;
    double k;
    uint32_t nodes;
  } table[] = {{"erdos_renyi", 20, 20}, {"gnp", 20, 20},    {"barabasi_albert", 20, 20}, {"watts_strogatz", 3, 20},
               {"regular", 2.5, 20},    {"regular", 3, 21}, {"geometric", 19, 20},       {"complete", 0, 2000000000},
               {"erdos_renyi", 4, 0},   {"ring", 0, 0},     {"zachary", 0, 33},          {"gnp", 100000, 2000000}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct made_call c = CALL(table[i].name, "mean_degree", table[i].k, "rewire", 0.1);
    struct sim_diag diag = {0};
    int rc;
    cr_expect_null(try_build(&c, table[i].nodes, NULL, 1, &diag, &rc), "%s %g", table[i].name, table[i].k);
    cr_expect_eq(rc, SIM_ERR_INPUT);
    cr_expect_eq(diag.n, 1);
    sim_diag_free(&diag);
  }
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static char directory[] = "/tmp/airesim-graph-XXXXXX";
static void make_directory(void) {
  cr_assert_not_null(mkdtemp(directory));
}
static void remove_directory(void) {
  rmdir(directory);
}

struct sample {
  const char *name, *text;
  size_t length; /* 0: of the text */
};

/* Writes the file, reads it as a graph, removes it. */
static const struct sim_graph *read_sample(const struct sample *s, uint32_t nodes, const char *direction,
                                           const char *weights, struct sim_diag *diag, int *rc) {
  char path[200];
  snprintf(path, sizeof path, "%s/%s", directory, s->name);
  FILE *f = fopen(path, "wb");
  cr_assert_not_null(f);
  fwrite(s->text, 1, s->length ? s->length : strlen(s->text), f);
  fclose(f);
  struct made_call c = CALL("file");
  set_text(&c, "path", path);
  if (direction) set_text(&c, "direction", direction);
  if (weights) set_text(&c, "weights", weights);
  const struct sim_graph *g = try_build(&c, nodes, NULL, 1, diag, rc);
  unlink(path);
  return g;
}

#define GML_HEAD  "graph [\n directed 0\n node [ id 10 ]\n node [ id 7 ]\n node [ id 9 ]\n"
#define GML_EDGES " edge [ source 10 target 7 value 2 ]\n edge [ source 7 target 9 value 0.5 ]\n]\n"

Test(graph_files, formats, .init = make_directory, .fini = remove_directory) {
  static const struct {
    struct sample sample;
    uint32_t nodes;
    uint64_t edges;
    float weight; /* of the edge 0-1; 0: none */
    bool directed;
  } table[] = {
      {{"a.edges", "# comment\n0 1\n1 2\n", 0}, 3, 2, 0, false},
      {{"b.txt", "0\t1 2\r\n\r\n 1\t2 0.5  # end\r\n0 1 1", 0}, 3, 2, 3, false},
      {{"c.csv", "source,target,weight\n0, 1, 2e0\n1,2,.5\n", 0}, 3, 2, 2, false},
      {{"c2.csv", "\xef\xbb\xbf\"u\",\"v\"\n0,1\n1,2\n", 0}, 3, 2, 0, false},
      {{"c3.txt", "-1\n0 1\n1 2\n", 0}, 3, 2, 0, false},
      {{"c4.txt", "# nodes\n4\n0 1\n1 2\n", 0}, 4, 2, 0, false},
      {{"d.tsv", "0\t1\n1\t2\n2\t2\n", 0}, 3, 2, 0, false},
      {{"e.ncol", "ann bob 2\nbob eve 3\n", 0}, 3, 2, 2, false},
      {{"f.gml", GML_HEAD GML_EDGES, 0}, 3, 2, 2, false},
      {{"g.GML", "graph [\n directed 1\n node [ id 0 ]\n node [ id 1 ]\n edge [ source 0 target 1 ]\n]\n", 0},
       2,
       1,
       0,
       true},
      {{"h.graphml",
        "<?xml version=\"1.0\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
        "<key id=\"w\" for=\"edge\" attr.name=\"weight\" attr.type=\"double\"/>\n<graph edgedefault=\"undirected\">\n"
        "<node id=\"a\"/><node id=\"b\"/><node id=\"c\"/>\n<edge source=\"a\" target=\"b\"><data "
        "key=\"w\">4</data></edge>\n"
        "<edge source=\"b\" target=\"c\"><data key=\"w\">1</data></edge>\n</graph>\n</graphml>\n",
        0},
       3,
       2,
       4,
       false},
      {{"i.net", "*Vertices 3\n1 \"a\"\n2 \"b\"\n3 \"c\"\n*Edges\n1 2 5\n2 3 1\n", 0}, 3, 2, 5, false},
      {{"j.net", "*Vertices 3\n*Arcs\n1 2\n2 3\n", 0}, 3, 2, 0, true}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const char *name = table[i].sample.name;
    struct sim_diag diag = {0};
    int rc;
    const struct sim_graph *g = read_sample(&table[i].sample, 0, NULL, NULL, &diag, &rc);
    cr_assert_eq(rc, 0, "%s: %s", name, diag.n ? diag.items[0].text : "");
    check_form(g);
    cr_expect_eq(g->nodes, table[i].nodes, "%s: %u nodes", name, g->nodes);
    cr_expect_eq(g->edges, table[i].edges, "%s: %lu edges", name, (unsigned long)g->edges);
    cr_expect_eq(g->directed, table[i].directed, "%s", name);
    cr_expect_eq(g->to[0], 1, "%s", name);
    cr_expect_eq(g->weight ? g->weight[0] : 0, table[i].weight, "%s", name);
    sim_graph_free(g);
    g = read_sample(&table[i].sample, 5, table[i].directed ? "undirected" : "directed", "ignored", &diag, &rc);
    cr_assert_eq(rc, 0, "%s: %s", name, diag.n ? diag.items[0].text : "");
    check_form(g);
    cr_expect_eq(g->nodes, 5);
    cr_expect_eq(g->directed, !table[i].directed, "%s: direction overrides", name);
    cr_expect_null(g->weight, "%s: weights ignored", name);
    sim_graph_free(g);
    sim_diag_free(&diag);
  }
}

Test(graph_files, direction, .init = make_directory, .fini = remove_directory) {
  struct sim_diag diag = {0};
  int rc;
  const struct sample list = {"a.edges", "3 0\n2 0\n0 1\n", 0}, gml = {"a.gml", GML_HEAD GML_EDGES, 0};
  const struct sim_graph *g = read_sample(&list, 0, "directed", NULL, &diag, &rc);
  cr_assert_eq(rc, 0);
  cr_expect_eq(g->in_row[1], 2); /* into 0: 2 and 3, ascending */
  cr_expect_eq(g->from[0], 2);
  cr_expect_eq(g->from[1], 3);
  sim_graph_free(g);
  g = read_sample(&gml, 0, "directed", NULL, &diag, &rc); /* each edge both ways */
  cr_assert_eq(rc, 0);
  cr_expect(g->directed);
  cr_expect_eq(g->edges, 4);
  sim_graph_free(g);
}

Test(graph_files, malformed, .init = make_directory, .fini = remove_directory) {
  static const struct {
    struct sample sample;
    uint32_t nodes;
    unsigned line, column; /* of the message; 0: it names the file */
    const char *says;
  } table[] = {{{"a.edges", "", 0}, 0, 0, 0, "empty"},
               {{"a.edges", "# nothing\n\n", 0}, 0, 0, 0, "no edges"},
               {{"a.edges", "0 1\n\0 2\n", 8}, 0, 0, 0, "zero byte"},
               {{"a.edges", "0 1\n-1 2\n", 0}, 0, 2, 1, "negative"},
               {{"a.edges", "0 1\n1 -2\n", 0}, 0, 2, 3, "negative"},
               {{"a.edges", "0 1\n1 2147483648\n", 0}, 0, 2, 3, "too large"},
               {{"a.edges", "0 99999999999999999999999\n", 0}, 0, 1, 3, "too large"},
               {{"a.edges", "0 1\n2 x\n", 0}, 0, 2, 3, "expected a node id"},
               {{"a.edges", "0 1\n2\n", 0}, 0, 2, 2, "after a node id"},
               {{"a.edges", "3\n0 1\n2 3\n", 0}, 0, 3, 1, "beyond the number of nodes (3: ids 0 to 2)"},
               {{"a.edges", "-2\n0 1\n", 0}, 0, 1, 1, "negative"},
               {{"a.edges", "0 1\n2 ", 0}, 0, 2, 3, "second node id"},
               {{"a.edges", "0 1.5\n", 0}, 0, 1, 4, "expected a space"},
               {{"a.edges", "0,,1\n", 0}, 0, 1, 3, "expected a node id"},
               {{"a.edges", "source target\n0 1\n", 0}, 0, 1, 1, "expected a node id"},
               {{"a.edges", "0 1\n3 4\n", 0}, 4, 2, 1, "beyond the number of nodes (4: ids 0 to 3)"},
               {{"a.edges", "0 1 0\n", 0}, 0, 1, 5, "positive"},
               {{"a.edges", "0 1 -2\n", 0}, 0, 1, 5, "positive"},
               {{"a.edges", "0 1 nan\n", 0}, 0, 1, 5, "expected a weight"},
               {{"a.edges", "0 1 inf\n", 0}, 0, 1, 5, "expected a weight"},
               {{"a.edges", "0 1 1e999\n", 0}, 0, 1, 5, "finite"},
               {{"a.edges", "0 1 0x10\n", 0}, 0, 1, 5, "expected a weight"},
               {{"a.edges", "0 1 2 3\n", 0}, 0, 1, 7, "more than two ids"},
               {{"a.edges", "0 1 2\n1 2\n", 0}, 0, 2, 4, "no weight"},
               {{"a.edges", "0 1\n1 2 2\n", 0}, 0, 2, 6, "a weight, where"},
               {{"a.edges", "0 1\n0 2000000000\n", 0}, 0, 0, 0, "without gaps"},
               {{"a.edges", "0 1 3e38\n1 0 3e38\n", 0}, 0, 0, 0, "add up"},
               {{"a.xlsx", "0 1\n", 0}, 0, 0, 0, "read from"},
               {{"a.gml", "graph [ node [ id 0 ] edge [ source 0 target 5 ] ]\n", 0}, 0, 0, 0, "a.gml: "},
               {{"a.gml", "graph [ node [ id 0 \n", 0}, 0, 0, 0, "a.gml: "},
               {{"a.gml", "\xff\xfe\x01\x02\x03", 0}, 0, 0, 0, "a.gml: "},
               {{"a.gml", "graph [ node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 weight -1 ] ]\n", 0},
                0,
                0,
                0,
                "positive"},
               {{"a.gml", "graph [ node [ id 0 ] node [ id 1 ] edge [ source 0 target 1 weight \"x\" ] ]\n", 0},
                0,
                0,
                0,
                "weight"},
               {{"a.gml", GML_HEAD GML_EDGES, 0}, 2, 0, 0, "3 nodes, but the layer has 2"},
               {{"a.graphml", "<graphml><graph><node id='a'/>", 0}, 0, 0, 0, "a.graphml: "},
               {{"a.graphml", "no xml", 0}, 0, 0, 0, "a.graphml: "},
               {{"a.net", "*Vertices 100000000000\n", 0}, 0, 0, 0, "more vertices"},
               {{"a.net", "*Vertices 2\n*Edges\n1 7\n", 0}, 0, 0, 0, "a.net: "},
               {{"a.net", "hello\n", 0}, 0, 0, 0, "a.net: "},
               {{"a.ncol", "a b c d e\n", 0}, 0, 0, 0, "a.ncol: "}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct sim_diag diag = {0};
    int rc;
    cr_expect_null(read_sample(&table[i].sample, table[i].nodes, NULL, NULL, &diag, &rc));
    cr_expect_eq(rc, SIM_ERR_INPUT, "row %zu: %d", i, rc);
    cr_assert_eq(diag.n, 1, "row %zu: %zu messages", i, diag.n);
    const struct sim_diag_item *item = &diag.items[0];
    cr_expect(strstr(item->text, table[i].says), "row %zu: %s", i, item->text);
    cr_expect_eq(item->line, table[i].line, "row %zu: line %u", i, item->line);
    cr_expect_eq(item->column, table[i].column, "row %zu: column %u: %s", i, item->column, item->text);
    if (table[i].line) cr_expect(item->file && strstr(item->file, table[i].sample.name));
    sim_diag_free(&diag);
  }
}

Test(graph_files, many_errors_at_once, .init = make_directory, .fini = remove_directory) {
  struct sim_diag diag = {0};
  int rc;
  const struct sample s = {"a.edges", "x\n0 1\ny\nz\n", 0};
  cr_expect_null(read_sample(&s, 0, NULL, NULL, &diag, &rc));
  cr_expect_eq(diag.n, 3);
  sim_diag_free(&diag);
}

Test(graph_files, missing) {
  static const char *const paths[] = {"/nonexistent/x.edges", "/nonexistent/x.gml"};
  for (size_t i = 0; i < 2; i++) {
    struct made_call c = CALL("file");
    struct sim_diag diag = {0};
    int rc;
    set_text(&c, "path", paths[i]);
    cr_expect_null(try_build(&c, 0, NULL, 1, &diag, &rc));
    cr_assert_eq(diag.n, 1);
    cr_expect(strstr(diag.items[0].text, paths[i]) && strstr(diag.items[0].text, "No such file"));
    sim_diag_free(&diag);
  }
}

Test(graph_files, inline_edges_malformed) {
  static const char *const texts[] = {
      "",       "  ",      "0",       "0-",  "0-x",  "-1-2", "0-1:",  "0=1",    "0-1:0", "0-1-2",
      "0-1:-3", "0-1:nan", "0-1,1-2", "0-9", "0--1", "a-b",  "0 - 1", "0-1:1x", "0>>1",  "0-99999999999"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct made_call c = CALL("edges");
    struct sim_diag diag = {0};
    int rc;
    set_text(&c, "of", texts[i]);
    cr_expect_null(try_build(&c, 5, NULL, 1, &diag, &rc), "'%s'", texts[i]);
    cr_expect_eq(rc, SIM_ERR_INPUT, "'%s'", texts[i]);
    cr_expect_eq(diag.n, 1, "'%s'", texts[i]);
    sim_diag_free(&diag);
  }
}

Test(graph_files, degrees, .init = make_directory, .fini = remove_directory) {
  char path[200];
  snprintf(path, sizeof path, "%s/degrees.txt", directory);
  FILE *f = fopen(path, "w");
  cr_assert_not_null(f);
  for (int i = 0; i < 1000; i++) fprintf(f, "%d\n", i % 2 ? 3 : 1);
  fclose(f);
  struct made_call c = CALL("configuration");
  set_text(&c, "degrees", path);
  const struct sim_graph *g = build(c, 0, 1);
  cr_expect_eq(g->nodes, 1000);
  cr_expect_gt(count_degree(g, 3), 480); /* a few lose a loop or a repeat */
  cr_expect_gt(count_degree(g, 1), 480);
  sim_graph_free(g);
  f = fopen(path, "w");
  fprintf(f, "1\n-1\n");
  fclose(f);
  struct sim_diag diag = {0};
  int rc;
  cr_expect_null(try_build(&c, 0, NULL, 1, &diag, &rc));
  cr_assert_eq(diag.n, 1);
  cr_expect_eq(diag.items[0].line, 2);
  sim_diag_free(&diag);
  unlink(path);
}

/* Real networks, where they are at hand. */
Test(graph_files, real_networks) {
  static const struct {
    const char *name, *direction;
    uint32_t nodes;
    uint64_t edges;
  } table[] = {{"western-us-power-grid.gml", NULL, 4941, 6594},
               {"facebook-ego-combined.edges", NULL, 4039, 88234},
               {"email-eu-core.directed.edges", "directed", 1005, 24929}}; /* 25571 less 642 self-loops */
  const char *data = getenv("AIRESIM_DATA");
  if (!data) cr_skip_test("AIRESIM_DATA is not set");
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    char path[500];
    snprintf(path, sizeof path, "%s/%s", data, table[i].name);
    struct made_call c = CALL("file");
    set_text(&c, "path", path);
    if (table[i].direction) set_text(&c, "direction", table[i].direction);
    const struct sim_graph *g = build(c, 0, 1);
    cr_expect_eq(g->nodes, table[i].nodes, "%s: %u", table[i].name, g->nodes);
    cr_expect_eq(g->edges, table[i].edges, "%s: %lu", table[i].name, (unsigned long)g->edges);
    sim_graph_free(g);
  }
}

/* ---- out of memory --------------------------------------------------------------------------------------------- */

static size_t allowance;
static void *scarce(void *ctx, void *ptr, size_t size) {
  (void)ctx;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  if (allowance == 0) return NULL;
  allowance--;
  return realloc(ptr, size);
}

Test(graph, out_of_memory_is_an_error) {
  static const char *const names[] = {"erdos_renyi", "barabasi_albert", "communities", "configuration_poisson"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    int rc = SIM_ERR_MEMORY;
    for (size_t n = 0; rc != 0 && n < 500; n++) {
      struct made_call c = CALL(names[i], "mean_degree", 4.0, "mean", 4.0);
      struct sim_diag diag = {0};
      if (i == 2) set_law(&c, 6);
      allowance = n;
      sim_mem_set(scarce, NULL);
      const struct sim_graph *g = try_build(&c, 100, NULL, 1, &diag, &rc);
      allowance = SIZE_MAX;
      if (rc != 0) cr_assert_eq(rc, SIM_ERR_MEMORY);
      sim_graph_free(g);
      sim_diag_free(&diag);
      sim_mem_set(NULL, NULL);
    }
    cr_expect_eq(rc, 0, "%s", names[i]);
  }
}
