/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Supply between layers of assets: one, at least a share, a share; the giant component; layers that need one another.
 */
#include "sim/core/run_internal.h"
#include "worlds.h"

#define HEAD "airesim: 1\nquestion: test\nsource: illustrative\nhorizon: 10 days\n"
/* Nodes given by `at` of a layer fail on day 1; with crews, all are repaired one by one, a day each, from day 3 on. */
#define FAILS(layer, ids)                                                                                              \
  "incidents: {cut: {fails: " layer ", at: [" ids "], arrivals: day 1}}\n"                                             \
  "teams: {crew: {size: {day 0: 0, day 2: 1}}}\nrepair: {work: {layer: " layer ", team: crew, time: 1 day}}\n"

static void expect_values(const char *text, const char *variable, const double *expected, unsigned n) {
  struct test_world t;
  test_world_open(&t, text);
  for (unsigned again = 0; again < 2; again++) { /* a run leaves nothing behind */
    test_world_run(&t, again);
    size_t first = test_column(&t, variable, NULL);
    for (unsigned k = 0; k < n; k++)
      cr_expect_eq(t.row.columns[first + k], expected[k], "%s %u: %g, expected %g", variable, k,
                   t.row.columns[first + k], expected[k]);
  }
  test_world_close(&t);
}
#define COUNT(name, of) "    " name ": {count: " of ", at: [day 0.5, day 1.5, day 3.5, day 4.5, day 5.5]}\n"

/* ---- rules of supply --------------------------------------------------------------------------------------------- */

/* Four power nodes for two hospitals of 100 customers each: node 0 of the hospitals has power nodes 0 and 1. */
#define TWO(supply)                                                                                                    \
  HEAD "society: {layers: {power: {nodes: 4}, wards: {nodes: 2, needs: [power], serves: 200 customers" supply          \
       "}}}\n" FAILS("power", "1, 2, 3") "measures:\n  declared:\n" COUNT("up", "wards.up")                            \
           COUNT("dark", "wards.unserved")

Test(supply, one) {
  expect_values(TWO(""), "up", (double[]){2, 1, 1, 2, 2}, 5);
}
Test(supply, at_least) {
  expect_values(TWO(", supply: at_least 50 %"), "up", (double[]){2, 1, 1, 2, 2}, 5);
  expect_values(TWO(", supply: at_least 51 %"), "up", (double[]){2, 0, 1, 1, 2}, 5);
}
Test(supply, share) {
  expect_values(TWO(", supply: share"), "up", (double[]){2, 1, 1, 2, 2}, 5);
  expect_values(TWO(", supply: share"), "dark", (double[]){0, 150, 100, 50, 0}, 5);
}

/* The shares of two supplies multiply, functionality is theirs, and it returns to exactly 1. */
Test(supply, shares_multiply) {
  static const char text[] =
      HEAD "society: {layers: {power: {nodes: 4}, water: {nodes: 2, needs: [power], supply: share}, wards: {nodes: 1, "
           "needs: [power, water], supply: share}}}\n" FAILS("power", "3") "measures:\n  weights: {wards: 100 %}\n";
  struct test_world t;
  test_world_open(&t, text);
  test_world_run(&t, 0);
  cr_expect_float_eq(test_value(&t, "robustness"), 0.75 * 0.75, 1e-6);
  cr_expect_float_eq(test_value(&t, "resilience_loss"), 2 * (1 - 0.75 * 0.75), 1e-5);
  cr_expect_eq(t.row.columns[test_column(&t, "time_below", NULL) + 2], 2, "below 90 %% until the repair");
  test_world_close(&t);
}

/* Hospitals with more patients than beds work by the share of those who have one. */
Test(supply, overload_lowers_functionality) {
  static const char text[] = HEAD "society: {people: 100, layers: {meet: {nodes: people, graph: ring}, wards: {nodes: "
                                  "2, beds: 10, admission: 100 %}}}\n"
                                  "hazards: {flu: {like: sir, layer: meet, transmission: 0/day, infectious: 3 days}}\n"
                                  "incidents: {cases: {starts: flu, seeds: 40 people, arrivals: day 1}}\n"
                                  "measures: {weights: {wards: 100 %}}\n";
  struct test_world t;
  test_world_open(&t, text);
  test_world_run(&t, 0);
  cr_expect_float_eq(test_value(&t, "robustness"), 0.25, 1e-9);
  cr_expect_float_eq(test_value(&t, "resilience_loss"), 3 * 0.75, 1e-9);
  test_world_close(&t);
}

/* ---- giant component --------------------------------------------------------------------------------------------- */

/* On a path of seven, node 2 parts 0-1 from 3-6. */
Test(supply, giant_component_of_a_path) {
  static const char text[] =
      HEAD "society: {layers: {net: {nodes: 7, graph: path, works_in: giant_component, serves: 70 customers}}}\n" FAILS(
          "net", "2") "measures:\n  declared:\n" COUNT("up", "net.up") COUNT("dark", "net.unserved");
  expect_values(text, "up", (double[]){7, 4, 7, 7, 7}, 5);
  expect_values(text, "dark", (double[]){0, 30, 0, 0, 0}, 5);
}

/* Buldyrev et al. 2010, by hand: a path 0-5 and, of the same nodes, the pairs 0-3, 3-1, 1-4, 4-2, 2-5. Node 3 of the
 * first fails: 0-2 and 4-5 are left, the larger works; of 0, 1, 2 of the second none are neighbours, the first works,
 * alone; so one works in each. When 3 is repaired, all do again. */
#define MUTUAL(keys)                                                                                                   \
  HEAD "society: {layers: {a: {nodes: 6, graph: path, works_in: giant_component, needs: [b]}, b: {nodes: 6, graph: "   \
       "edges of \"0-3 1-3 1-4 2-4 2-5\", works_in: giant_component" keys                                              \
       "}}}\n" FAILS("a", "3") "measures:\n  declared:\n" COUNT("up", "a.up") COUNT("other", "b.up")
Test(supply, mutual_giant_component) {
  expect_values(MUTUAL(", needs: [a]"), "up", (double[]){6, 1, 6, 6, 6}, 5);
  expect_values(MUTUAL(", needs: [a]"), "other", (double[]){6, 1, 6, 6, 6}, 5);
  expect_values(MUTUAL(""), "up", (double[]){6, 3, 6, 6, 6}, 5); /* the need goes one way */
  expect_values(MUTUAL(""), "other", (double[]){6, 6, 6, 6, 6}, 5);
}

/* Layers that need one another come back together, though each waits for the other. */
Test(supply, circle_of_needs) {
  static const char text[] =
      HEAD "society: {layers: {power: {nodes: 4, needs: [telecom]}, telecom: {nodes: 4, needs: [power]}}}\n" FAILS(
          "power", "0, 1") "measures:\n  declared:\n" COUNT("up", "telecom.up") "    spells: {entries: telecom.up}\n";
  expect_values(text, "up", (double[]){4, 2, 3, 4, 4}, 5);
  expect_values(text, "spells", (double[]){2}, 1);
}

/* A node repaired while its supplier is down does not come up for an instant. */
Test(supply, repaired_without_supply) {
  static const char text[] = HEAD
      "society: {layers: {power: {nodes: 1}, telecom: {nodes: 1, needs: [power]}}}\n"
      "incidents: {cut: {fails: telecom, count: 1, arrivals: day 1}, dark: {fails: power, count: 1, arrivals: day 1}}\n"
      "teams: {crew: {size: 1}}\nrepair: {mend: {layer: telecom, team: crew, time: 1 day}}\n"
      "measures: {declared: {spells: {entries: telecom.up}}}\n";
  expect_values(text, "spells", (double[]){0}, 1);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

enum { GRID = 200, CUT = 5 };
struct taken {
  bool down[GRID];
};
static void note_down(void *ctx, double day, const char *instance, uint32_t entity, const char *from, const char *to) {
  (void)day;
  (void)from;
  if (strcmp(instance, "grid") == 0 && strcmp(to, "down") == 0) ((struct taken *)ctx)->down[entity] = true;
}

/* Whether, in four replicates with a graph each, no node that stands has a higher degree than one that was cut. */
static bool cuts_the_hubs(const char *seed_by) {
  char text[1000];
  snprintf(text, sizeof text,
           HEAD
           "society: {layers: {grid: {nodes: %d, graph: barabasi_albert mean_degree 4, realisation: per_replicate}}}\n"
           "incidents: {cut: {fails: grid, count: %d, seed_by: %s, arrivals: day 1}}\n",
           GRID, CUT, seed_by);
  struct test_world t;
  test_world_open(&t, text);
  bool hubs = true;
  uint64_t last = 0;
  for (unsigned r = 0; r < 4; r++) {
    struct taken taken = {0};
    struct sim_trace trace = {.ctx = &taken, .move = note_down};
    sim_run_trace(t.run, &trace);
    test_world_run(&t, r);
    const struct sim_graph *g = t.run->graph[0];
    cr_assert_neq(g->hash, last, "a graph a replicate");
    last = g->hash;
    uint64_t least = UINT64_MAX, most = 0;
    unsigned n = 0;
    for (uint32_t v = 0; v < GRID; v++) {
      uint64_t degree = sim_graph_degree(g, v);
      n += taken.down[v];
      if (taken.down[v] && degree < least) least = degree;
      if (!taken.down[v] && degree > most) most = degree;
    }
    cr_assert_eq(n, CUT);
    hubs = hubs && least >= most;
  }
  test_world_close(&t);
  return hubs;
}

Test(supply, targeted_and_random_outages) {
  cr_assert(cuts_the_hubs("degree"));
  cr_assert_not(cuts_the_hubs("random"));
}

Test(supply, refused) {
  test_refused(HEAD "society: {layers: {a: {nodes: 4, supply: share}}}\n", "`supply` is about `needs`");
  test_refused(HEAD "society: {layers: {a: {nodes: 4, works_in: giant_component}}}\n",
               "a layer without edges has no giant component");
  test_refused(HEAD "society: {layers: {a: {nodes: 4, needs: [b], supply: share}, b: {nodes: 4, needs: [a]}}}\n",
               "layers that need one another cannot have shares of supply");
}
