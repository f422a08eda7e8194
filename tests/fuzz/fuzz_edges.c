/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as an edge list or a CSV of attributes: refused with messages that name the file, or read to a graph whose
 * rows are in order and within bounds. */
#include "sim/core/graph.h"
#include "sim/core/mem.h"
#include "sim/core/population.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sim_call *file_call(void) {
  const struct sim_call *c = sim_graphs;
  while (strcmp(c->name, "file") != 0) c++;
  return c;
}

/* A bound `file PATH`: the path in its place, the rest at its default. */
static int build(const char *path, const struct sim_graph **graph, struct sim_diag *diag) {
  const struct sim_call *call = file_call();
  struct sim_value items[8];
  memset(items, 0, sizeof items);
  size_t n = 0;
  for (; call->params[n].name && n < 8; n++) {
    items[n].param = &call->params[n];
    items[n].name = call->params[n].name;
    items[n].path = "graph";
    items[n].text = call->params[n].kind == SIM_FILE ? path : call->params[n].fallback;
    items[n].form = items[n].text ? SIM_NAME : SIM_ABSENT;
  }
  struct sim_param holder = {.name = "graph", .kind = SIM_CALL, .calls = sim_graphs};
  struct sim_value value = {
      .param = &holder, .name = "graph", .path = "graph", .text = "file", .form = SIM_CALLED, .items = items, .n = n};
  struct sim_rng rng;
  sim_rng_init(&rng, 1, 0, 0);
  return sim_graph_build(graph, &value, 0, NULL, &rng, 1, diag);
}

static void check(const struct sim_graph *g) {
  for (uint32_t u = 0; u < g->nodes; u++)
    for (uint64_t e = g->row[u]; e < g->row[u + 1]; e++) {
      sim_bug_assert(g->to[e] < g->nodes && g->to[e] != u);
      sim_bug_assert(e == g->row[u] || g->to[e - 1] < g->to[e]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const endings[] = {".edges", ".csv"};
  char path[2][64];
  struct sim_diag diag = {0};
  for (int k = 0; k < 2; k++) {
    snprintf(path[k], sizeof path[k], "/tmp/airesim-fuzz-%ld%s", (long)getpid(), endings[k]);
    FILE *f = fopen(path[k], "wb");
    sim_bug_assert(f && fwrite(data, 1, size, f) == size && fclose(f) == 0);
  }
  const struct sim_graph *graph = NULL;
  if (build(path[0], &graph, &diag) == 0) {
    check(graph);
    sim_graph_free(graph);
  } else
    sim_bug_assert(diag.n > 0);
  struct sim_value file = {.name = "attributes", .path = "society.attributes", .text = path[1], .form = SIM_NAME};
  uint32_t rows = 0;
  if (sim_population_rows(&file, &rows, &diag) == 0 && rows > 0 && rows < 100000) {
    struct sim_population p = {0};
    struct sim_rng rng;
    sim_rng_init(&rng, 1, 0, 0);
    if (sim_population_init(&p, "people", rows, NULL, &file, &rng, &diag) == 0) sim_population_free(&p);
  }
  unlink(path[0]);
  unlink(path[1]);
  sim_diag_free(&diag);
  return 0;
}
