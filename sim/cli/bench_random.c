/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers: single draws, and the edges of an infection both ways. */
#include "sim/cli/bench.h"
#include "sim/cli/bench_edges.h"
#include "sim/core/rng.h"

struct options {
  int64_t draws, seed;
  bool json;
};

enum draw { UNIFORM, EXPONENTIAL, EDGE, STREAM, N_DRAWS };
static const char *const draw_name[N_DRAWS] = {"uniform", "exponential", "edge", "stream"};

/* The sum keeps the draws from being left out. */
static double draw_many(enum draw what, const struct sim_rng *rng, uint32_t n) {
  double sum = 0, pair[2];
  struct sim_rng_stream s;
  sim_rng_stream_init(&s, rng, 1, 2, 3);
  for (uint32_t i = 0; i < n; i++) {
    if (what == UNIFORM) {
      sum += sim_rng_uniform(rng, 1, i, 0, 0);
    } else if (what == EXPONENTIAL) {
      sum += sim_rng_exponential(rng, 1, i, 0, 0);
    } else if (what == EDGE) {
      sim_rng_edge(rng, 1, i, 7, 1, 1, pair);
      sum += pair[0] + pair[1];
    } else {
      sum += sim_rng_stream_uniform(&s);
    }
  }
  return sum / n;
}

static int run_draws(const struct options *o, const struct sim_rng *rng) {
  struct bench_report r = {.json = o->json};
  for (int d = 0; d < N_DRAWS; d++) {
    struct bench_time time = {0}, start = bench_now();
    double mean = draw_many((enum draw)d, rng, (uint32_t)o->draws);
    bench_add(&time, &start);
    const struct bench_field field[] = {{"bench", "random", 0},
                                        {"draw", draw_name[d], 0},
                                        {"events", NULL, (double)o->draws},
                                        {"ns_per_event", NULL, time.cpu * 1e9 / (double)o->draws},
                                        {"wall_s", NULL, time.wall},
                                        {"mean", NULL, mean}};
    bench_report_row(&r, field, sizeof field / sizeof *field);
  }
  return bench_report_end(&r, "uniform, exponential: one keyed draw; edge: the two uniforms of an edge's name; stream: "
                              "the next uniform\nof a sequence (two a block).\n");
}

/* ---- the edges of an infection ----------------------------------------------------------------------------------- */

/* One way (lap 0: full rows) for as many sources as have `draws` edges together. */
static void run_rows(const struct options *o, const struct sim_rng *rng, uint32_t edges, double hazard, double lap,
                     struct bench_report *r) {
  uint32_t v[BENCH_EDGES], sources = (uint32_t)(o->draws / edges) + 1;
  uint64_t hits = 0;
  struct bench_hits h;
  for (uint32_t i = 0; i < edges; i++) v[i] = i * UINT32_C(2654435761);
  struct bench_time time = {0}, start = bench_now();
  for (uint32_t u = 0; u < sources; u++) {
    if (lap > 0)
      bench_edges_laps(rng, u, 1, edges, hazard, lap, &h);
    else
      bench_edges_full(rng, u, 1, v, edges, hazard, &h);
    hits += h.n;
  }
  bench_add(&time, &start);
  const struct bench_field field[] = {{"bench", "random", 0},
                                      {"draw", lap > 0 ? "laps" : "rows", 0},
                                      {"edges", NULL, edges},
                                      {"hazard", NULL, hazard},
                                      {"lap", NULL, lap},
                                      {"events", NULL, sources},
                                      {"ns_per_event", NULL, time.cpu * 1e9 / sources},
                                      {"wall_s", NULL, time.wall},
                                      {"mean", NULL, (double)hits / sources}};
  bench_report_row(r, field, sizeof field / sizeof *field);
}

static int run_edges(const struct options *o, const struct sim_rng *rng) {
  static const uint32_t edges[] = {10, 100};
  static const double hazard[] = {0.03, 0.1, 0.4, 1, 3}, lap[] = {0, 0.1, 0.4, 1};
  struct bench_report r = {.json = o->json};
  for (size_t e = 0; e < sizeof edges / sizeof *edges; e++)
    for (size_t i = 0; i < sizeof hazard / sizeof *hazard; i++)
      for (size_t l = 0; l < sizeof lap / sizeof *lap; l++) run_rows(o, rng, edges[e], hazard[i], lap[l], &r);
  return bench_report_end(&r, "Which of a source's edges transmit, and when, each with this cumulative hazard. rows: a "
                              "draw named by the edge;\nlaps: edges end to end, of this length, walked by exponential "
                              "steps. event: a source; mean: transmissions.");
}

static int run(const struct cli_context *context, void *options) {
  const struct options *o = options;
  struct sim_rng rng;
  (void)context;
  if (o->draws < 1 || o->draws > UINT32_MAX) return cli_usage(bench_random.name, "--draws: from 1 to %u", UINT32_MAX);
  sim_rng_init(&rng, (uint64_t)o->seed, 0, 0);
  int status = run_draws(o, &rng);
  return status ? status : run_edges(o, &rng);
}

static const struct options defaults = {.draws = 10000000, .seed = 1};
#define AT(field) offsetof(struct options, field)
static const struct cli_option options[] = {
    {"draws", 0, CLI_COUNT, AT(draws), "M", "10000000", "draws of each kind, edges of each row"},
    {"seed", 0, CLI_COUNT, AT(seed), "K", "1", "seed of the random streams"},
    {"json", 0, CLI_FLAG, AT(json), NULL, NULL, "a line of JSON a row"},
    {.name = NULL}};

const struct cli_command bench_random = {
    .name = "bench random",
    .arguments = "",
    .purpose = "keyed random numbers alone, and two ways of drawing a row of edges",
    .examples = "  airesim bench random --draws 1000000",
    .options = options,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
