/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run alone. */
#include "sim/experiment/batch.h"
#include "sim/experiment/workers.h"

static int replay(const struct sim_world *w, uint64_t replicate, uint64_t point, const struct sim_trace *trace,
                  void (*column)(void *ctx, const struct sim_column *c, double value), void *ctx,
                  struct sim_diag *diag) {
  struct sim_layout layout;
  struct sim_row row = {0};
  struct sim_run *run = NULL;
  int ret = sim_layout_init(&layout, w, 0);
  if (ret == 0) ret = sim_row_init(&row, &layout);
  if (ret == 0) ret = sim_run_create(&run, w);
  if (ret == 0) {
    if (trace) sim_run_trace(run, trace);
    ret = sim_run_execute(run, replicate, point, &row);
  }
  for (size_t i = 0; ret == 0 && column && i < layout.columns; i++) column(ctx, &layout.column[i], row.columns[i]);
  if (ret == 0 && row.error[0]) {
    sim_diag_add(diag, NULL, NULL, "the run failed: %s", row.error);
    ret = SIM_ERR_RUN;
  }
  if (run) sim_run_free(run);
  sim_row_free(&row);
  sim_layout_free(&layout);
  return ret;
}

int sim_batch_replay(const struct sim_scenario *s, size_t arm, size_t point, uint64_t replicate, int64_t seed,
                     const struct sim_trace *trace, void (*column)(void *ctx, const struct sim_column *c, double value),
                     void *ctx, struct sim_diag *diag) {
  struct sim_design design;
  struct sim_slot slot = {0};
  int ret = sim_design_init(&design, s, -1, seed, diag);
  if (ret) return ret;
  struct sim_graph_cache *graphs = sim_graph_cache_create();
  if (!graphs) ret = SIM_ERR_MEMORY;
  if (ret == 0 && (arm >= design.arms || point >= design.points)) {
    ret = sim_diag_add(diag, NULL, NULL, "no such run: %zu arms and %zu design points, counted from 0", design.arms,
                       design.points);
  }
  if (ret == 0) ret = sim_slot_plan(&slot, s, &design, arm, point, graphs, diag);
  if (ret == 0) ret = replay(slot.world, replicate, design.fresh ? point : 0, trace, column, ctx, diag);
  sim_slot_free(&slot);
  if (graphs) sim_graph_cache_free(graphs);
  sim_design_free(&design);
  return ret;
}
