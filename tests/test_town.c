/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `society: {like: town}`: what scales with the people and what does not, against what the preset asks for. Unions of
 * layers. */
#include "sim/core/run_internal.h"
#include "worlds.h"
#include <stdlib.h>

#define FLU "hazards: {flu: {like: sir, layer: contacts, transmission: 0.05/day, strength: {households: 2}}}\n"

static void open_town(struct test_world *t, const char *society) {
  char text[1024];
  snprintf(text, sizeof text, "airesim: 1\nhorizon: 3 days\nsociety: %s\n" FLU, society);
  test_world_open(t, text);
}

static const struct sim_graph *graph_of(const struct test_world *t, const char *name) {
  for (size_t i = 0; i < sim_world_layers(t->world); i++) {
    const struct sim_graph *g;
    if (strcmp(sim_world_layer(t->world, i, &g)->name, name) == 0) return g;
  }
  return NULL;
}

/* Mean and standard error of the degree over one group (NULL: all). */
static double mean_degree(const struct test_world *t, const char *layer, const char *group, double *se) {
  const struct sim_graph *g = graph_of(t, layer);
  const struct sim_population *p = &t->world->population[0];
  cr_assert_not_null(g, "%s", layer);
  int in = group ? sim_population_group(p, group) : -1;
  double n = 0, sum = 0, squares = 0;
  for (uint32_t u = 0; u < g->nodes; u++) {
    double k = (double)sim_graph_degree(g, u);
    if (group && p->group[u] != in) {
      cr_assert_eq(k, 0, "%s is among %s", layer, group);
      continue;
    }
    n++;
    sum += k;
    squares += k * k;
  }
  *se = sqrt(2 * (squares / n - sum / n * (sum / n)) / n); /* an edge counts at both of its ends */
  return sum / n;
}

/* Communities of cliques: their number is the sum over the people of 1 / (degree + 1). */
static double mean_household(const struct test_world *t) {
  const struct sim_graph *g = graph_of(t, "households");
  double households = 0;
  for (uint32_t u = 0; u < g->nodes; u++) households += 1 / (1 + (double)sim_graph_degree(g, u));
  return g->nodes / households;
}

/* Size of the largest component of a layer. */
static uint32_t largest(const struct test_world *t, const char *layer) {
  const struct sim_graph *g = graph_of(t, layer);
  uint32_t *work = malloc(g->nodes * sizeof *work), size = sim_graph_giant(g, NULL, work);
  free(work);
  return size;
}

static void check_town(uint32_t people) {
  struct test_world t;
  char society[64];
  snprintf(society, sizeof society, "{like: town, people: %u}", people);
  open_town(&t, society);
  const struct sim_population *p = &t.world->population[0];
  cr_expect_eq(p->size, people);
  cr_expect_eq(p->group_size[sim_population_group(p, "minors")], people * 22 / 100);
  cr_expect_eq(p->group_size[sim_population_group(p, "adults")], people * 61 / 100);
  cr_expect_eq(p->group_size[sim_population_group(p, "elderly")], people * 17 / 100);
  double se, k = mean_degree(&t, "schools", "minors", &se);
  cr_expect_leq(fabs(k - 8), 4 * se, "schools %g, se %g", k, se);
  k = mean_degree(&t, "community", NULL, &se);
  cr_expect_eq(k, 6);
  /* Workplaces with fewer than six people are cliques: below five contacts each. E[min(5, size - 1) | size of the
   * workplace of a person], sizes lognormal of mean 20 and cv 1.5 rounded. */
  double expected = 0, weight = 0, s2 = log(1 + 1.5 * 1.5), mu = log(20) - s2 / 2;
  for (int size = 1; size < 5000; size++) {
    double low = size == 1 ? 0 : 0.5 * (1 + erf((log(size - 0.5) - mu) / sqrt(2 * s2)));
    double share = 0.5 * (1 + erf((log(size + 0.5) - mu) / sqrt(2 * s2))) - low;
    weight += size * share;
    expected += size * share * fmin(5, size - 1);
  }
  k = mean_degree(&t, "work", "adults", &se);
  cr_expect_leq(fabs(k - expected / weight), 4 * se, "work %g, expected %g, se %g", k, expected / weight, se);
  /* Households: a gamma law of mean 2.5 and cv 0.5 (shape 4, scale 0.625) rounded, at least 1. P(X > x) of shape 4 is a
   * Poisson sum. */
  double mean = 1, square = 1;
  for (int size = 2; size < 40; size++) {
    double x = (size - 0.5) / 0.625, above = exp(-x) * (1 + x + x * x / 2 + x * x * x / 6);
    mean += above; /* E[size] = sum of P(size >= k), E[size^2] of (2k - 1) P(size >= k) */
    square += (2 * size - 1) * above;
  }
  double household = mean_household(&t), error = sqrt((square - mean * mean) / (people / mean));
  cr_expect_leq(fabs(mean - 2.5), 0.05);
  cr_expect_leq(fabs(household - mean), 4 * error, "households of %g, expected %g, se %g", household, mean, error);
  cr_expect_leq(largest(&t, "schools"), 400);
  cr_expect_geq(largest(&t, "schools"), 390);
  cr_expect_null(graph_of(&t, "contacts"));
  cr_expect_eq(sim_world_layers(t.world), 4u);
  test_world_close(&t);
}

Test(town, of_2000) {
  check_town(2000);
}
Test(town, of_20000) {
  check_town(20000);
}

/* Any part may be replaced; the union follows. */
Test(town, replaced) {
  struct test_world t;
  open_town(&t, "{like: town, people: 1000, groups: {minors: 30 %, adults: 70 %, elderly: null}, layers: {work: null, "
                "community: {graph: ring}, clubs: {nodes: people, graph: regular 2}, contacts: {of: [households, "
                "community, clubs]}}}");
  double se;
  cr_expect_eq(mean_degree(&t, "community", NULL, &se), 2);
  cr_expect_eq(t.world->population[0].groups, 2u);
  const struct sim_value *flu = sim_value_find(sim_value_get(sim_bound_root(t.bound), "hazards"), "flu");
  size_t n;
  const struct sim_value *layer = sim_value_list(flu, "layer", &n);
  cr_assert_eq(n, 3u);
  cr_expect_str_eq(layer[0].text, "households");
  cr_expect_str_eq(layer[1].text, "community");
  cr_expect_str_eq(layer[2].text, "clubs");
  test_world_close(&t);
}

/* Nested unions, a layer that is named twice, and an arm that changes a union; expanded, the union keeps its name. */
Test(town, unions) {
  static const char text[] =
      "airesim: 1\nhorizon: 3 days\nsociety: {people: 50, layers: {a: {graph: ring}, b: {graph: path}, c: {graph: "
      "star}, ab: {of: [a, b]}, all: {of: [ab, c, b]}}}\n"
      "hazards: {flu: {like: sir, layer: [b, all], transmission: 1/day}, two: {like: sir, layer: ab, transmission: "
      "1/day}}\n"
      "arms: {base: {}, less: {society.layers.ab.of: [a]}}\n";
  static const struct {
    const char *arm, *hazard, *layers;
  } table[] = {{"base", "flu", "b a c"}, {"base", "two", "a b"}, {"less", "flu", "b a c"}, {"less", "two", "a"}};
  for (int expanded = 0; expanded < 2; expanded++) {
    struct test_world t;
    char *again = NULL;
    if (expanded) {
      test_world_bind(&t, text, NULL, NULL, 0);
      again = sim_scenario_expanded(t.scenario, false);
      cr_expect_not_null(strstr(again, "layer: ab\n"));
      test_world_close(&t);
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
      test_world_bind(&t, again ? again : text, table[i].arm, NULL, 0);
      const struct sim_value *hazards = sim_value_get(sim_bound_root(t.bound), "hazards");
      size_t n;
      const struct sim_value *at = sim_value_list(sim_value_find(hazards, table[i].hazard), "layer", &n);
      char found[64] = "";
      for (size_t k = 0; k < n; k++) {
        strcat(found, k ? " " : "");
        strcat(found, at[k].text);
      }
      cr_expect_str_eq(found, table[i].layers, "%s of %s: %s", table[i].hazard, table[i].arm, found);
      test_world_close(&t);
    }
    sim_free(again);
  }
}

/* ---- scale ------------------------------------------------------------------------------------------------------- */

enum { NETWORKS = 16 };

/* Share of the people who were ever ill, from one in a hundred; a network a replicate. Mean and standard error. */
static double attack_rate(unsigned people, const char *transmission, double *se) {
#define DRAWN "realisation: per_replicate"
  static const char text[] =
      "airesim: 1\nhorizon: 120 days\nsociety: {like: town, people: %u, layers: {households: {" DRAWN
      "}, schools: {" DRAWN "}, work: {" DRAWN "}, community: {" DRAWN "}}}\n"
      "hazards: {flu: {like: sir, layer: contacts, transmission: %s, initial: {infectious: 1 %%}}}\n";
  struct test_world t;
  char written[1024];
  double sum = 0, squares = 0;
  snprintf(written, sizeof written, text, people, transmission);
  test_world_open(&t, written);
  for (unsigned r = 0; r < NETWORKS; r++) {
    test_world_run(&t, r);
    double x = test_value(&t, "final_size") / people;
    sum += x;
    squares += x * x;
  }
  test_world_close(&t);
  *se = sqrt((squares / NETWORKS - sum / NETWORKS * (sum / NETWORKS)) / (NETWORKS - 1));
  return sum / NETWORKS;
}

/* What is per person does not depend on how many there are; a transmission a tenth higher would show. */
Test(town, rates_a_person_do_not_scale, .timeout = 60) {
  double se_small, se_large, se;
  double small = attack_rate(4000, "0.03/day", &se_small), large = attack_rate(16000, "0.03/day", &se_large);
  cr_expect_leq(fabs(small - large), 4 * hypot(se_small, se_large), "%g +- %g and %g +- %g", small, se_small, large,
                se_large);
  double more = attack_rate(16000, "0.033/day", &se);
  cr_expect_gt(fabs(small - more), 4 * hypot(se_small, se), "%g and %g cannot be told apart", small, more);
}

/* Power, telecom, hospitals, banks and data centres serve the same town: without power nothing that needs it works, by
 * one step or two; half of the power takes what hangs on that half. */
Test(town, services) {
  static const char text[] = "airesim: 1\nquestion: test\nsource: illustrative\nhorizon: 4 days\n"
                             "society:\n  like: town\n  people: 2000\n  layers:\n"
                             "    power: {nodes: 4, serves: people}\n"
                             "    telecom: {nodes: 4, needs: [power], serves: people}\n"
                             "    hospitals: {nodes: 2, beds: 20, admits: flu.infectious, needs: [power, telecom]}\n"
                             "    banks: {nodes: 4, needs: [power, telecom, computing], serves: people}\n"
                             "    computing: {nodes: 4, needs: [power]}\n"
                             "hazards: {flu: {like: sir, layer: contacts, transmission: 0.1/day, infectious: 2 days}}\n"
                             "incidents:\n  half: {fails: power, at: [2, 3], arrivals: day 1}\n  rest: {fails: power, "
                             "at: [0, 1], arrivals: day 2}\n"
                             "measures:\n  declared:\n"
                             "    power: {count: power.unserved, at: [day 0.5, day 1.5, day 2.5]}\n"
                             "    phones: {count: telecom.unserved, at: [day 0.5, day 1.5, day 2.5]}\n"
                             "    money: {count: banks.unserved, at: [day 0.5, day 1.5, day 2.5]}\n"
                             "    wards: {count: hospitals.up, at: [day 0.5, day 1.5, day 2.5]}\n"
                             "    machines: {count: computing.up, at: [day 0.5, day 1.5, day 2.5]}\n";
  static const struct {
    const char *name;
    double value[3];
  } expected[] = {{"power", {0, 1000, 2000}},
                  {"phones", {0, 1000, 2000}},
                  {"money", {0, 1000, 2000}},
                  {"wards", {2, 1, 0}},
                  {"machines", {4, 2, 0}}};
  struct test_world t;
  test_world_open(&t, text);
  test_world_run(&t, 0);
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
    for (unsigned k = 0; k < 3; k++)
      cr_expect_eq(t.row.columns[test_column(&t, expected[i].name, NULL) + k], expected[i].value[k], "%s %u: %g",
                   expected[i].name, k, t.row.columns[test_column(&t, expected[i].name, NULL) + k]);
  test_world_close(&t);
}
