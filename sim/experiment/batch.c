/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/batch.h"
#include "sim/experiment/outcome.h"
#include "sim/experiment/workers.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct batch {
  const struct sim_scenario *scenario;
  struct sim_batch_options o;
  struct sim_design design;
  struct sim_layout *layouts; /* [arms] */
  struct sim_shape shape;
  struct sim_journals *journals;
  struct sim_pool pool;
  struct sim_progress progress;
  uint64_t failed_before; /* among the resumed runs */
  double start;           /* monotonic seconds */
};

static double monotonic(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void report(struct batch *b, const char *phase) {
  struct sim_progress *p = &b->progress;
  uint64_t made = atomic_load(&b->pool.done);
  p->phase = phase;
  p->done = p->resumed + made;
  p->failed = b->failed_before + atomic_load(&b->pool.failed);
  p->seconds = monotonic() - b->start;
  p->rate = p->seconds > 0 ? (double)made / p->seconds : 0;
  if (b->o.progress) b->o.progress(b->o.ctx, p);
}

static void report_running(void *ctx) {
  report(ctx, "running");
}

/* ---- preparation: everything that can be refused before anything is written ------------------------------------ */

static unsigned choose_jobs(unsigned asked, size_t runs) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  size_t jobs = asked ? asked : cores > 0 ? (size_t)cores : 1;
  return (unsigned)(jobs < runs ? jobs : runs);
}

/* Plans all arms at the first point, so that every error is reported; keeps their layouts. */
static int plan_arms(struct batch *b, struct sim_diag *diag) {
  const struct sim_design *d = &b->design;
  b->layouts = sim_calloc(d->arms, sizeof *b->layouts);
  b->pool.slot = sim_calloc(d->arms * d->points, sizeof *b->pool.slot);
  b->pool.graphs = sim_graph_cache_create();
  if (!b->layouts || !b->pool.slot || !b->pool.graphs) return SIM_ERR_MEMORY;
  int first = 0;
  for (size_t arm = 0; arm < d->arms; arm++) {
    struct sim_slot *slot = &b->pool.slot[arm];
    int ret = sim_slot_plan(slot, b->scenario, d, arm, 0, b->pool.graphs, diag);
    if (ret == 0) {
      double horizon = sim_value_number(sim_bound_root(slot->bound), "horizon");
      ret = sim_layout_init(&b->layouts[arm], slot->world, horizon);
    }
    if (ret && !first) first = ret;
    if (ret == SIM_ERR_MEMORY) break;
  }
  return first ? first : sim_shape_init(&b->shape, b->layouts, d->arms, diag);
}

static int open_journals(struct batch *b, struct sim_diag *diag) {
  const struct sim_design *d = &b->design;
  struct sim_journal_key key = {.seed = d->seed,
                                .layout_hash = SIM_HASH_START,
                                .stream_version = SIM_STREAM_VERSION,
                                .language_version = SIM_LANGUAGE_VERSION,
                                .program_version = AIRESIM_VERSION,
                                .arms = d->arms,
                                .points = d->points};
  for (size_t arm = 0; arm < d->arms; arm++) {
    uint64_t hash = sim_layout_hash(&b->layouts[arm]);
    key.layout_hash = sim_hash_bytes(key.layout_hash, &hash, sizeof hash);
  }
  int ret = sim_outcome_identity(b->scenario, &key.scenario_hash);
  key.scenario_hash = sim_design_hash(d, key.scenario_hash);
  return ret ? ret
             : sim_journals_open(&b->journals, b->o.output, &key, d->replicates, b->layouts, b->o.overwrite, diag);
}

/* ---- the work -------------------------------------------------------------------------------------------------- */

/* The results are there. Journals beside them are left over from a process that was killed while removing them. */
static int say_complete(struct batch *b) {
  char *dir = sim_strf("%s.journal", b->o.output);
  if (!dir) return SIM_ERR_MEMORY;
  struct stat st;
  struct sim_diag ignored = {0};
  bool stale = !b->journals && stat(dir, &st) == 0;
  sim_free(dir);
  if (stale && plan_arms(b, &ignored) == 0 && open_journals(b, &ignored) != 0) b->journals = NULL;
  sim_diag_free(&ignored);
  sim_journals_close(b->journals, true);
  b->journals = NULL;
  b->progress.resumed = b->progress.total;
  report(b, "complete");
  return 0;
}

static int make_runs(struct batch *b, struct sim_diag *diag) {
  b->progress.resumed = sim_journals_done(b->journals);
  b->progress.damaged = sim_journals_damaged(b->journals);
  b->failed_before = sim_journals_failed(b->journals);
  b->pool.scenario = b->scenario;
  b->pool.design = &b->design;
  b->pool.layouts = b->layouts;
  b->pool.journals = b->journals;
  b->pool.jobs = b->o.jobs;
  b->pool.stop = b->o.stop;
  report(b, "running");
  int ret = sim_pool_run(&b->pool, report_running, b);
  if (ret && ret != SIM_ERR_INTERRUPTED) {
    sim_diag_add(diag, NULL, NULL, "the batch stopped, and the same command resumes it: %s", b->pool.why);
  }
  return ret;
}

static int write_results(struct batch *b, struct sim_diag *diag) {
  report(b, "writing");
  int ret = sim_journals_refresh(b->journals, diag);
  if (ret == 0 && sim_journals_done(b->journals) < b->progress.total) {
    sim_diag_add(diag, NULL, NULL, "the journals of %s lost runs while they were written; the same command resumes",
                 b->o.output);
    ret = SIM_ERR_IO;
  }
  if (ret == 0) {
    ret = sim_outcome_write(b->scenario, &b->o, &b->design, b->layouts, &b->shape, b->journals, diag);
  }
  return ret;
}

static int run_batch(struct batch *b, struct sim_diag *diag) {
  int ret = sim_design_init(&b->design, b->scenario, b->o.replicates, b->o.seed, diag);
  if (ret) return ret;
  b->progress.total = sim_design_runs(&b->design);
  b->o.jobs = choose_jobs(b->o.jobs, b->progress.total);
  ret = sim_outcome_check(b->o.output, b->scenario, &b->design, b->o.overwrite, diag);
  if (ret == 1) return say_complete(b);
  if (ret == 0) ret = plan_arms(b, diag);
  if (ret == 0) ret = open_journals(b, diag);
  /* Once more under the lock: another process may just have finished. */
  if (ret == 0) ret = sim_outcome_check(b->o.output, b->scenario, &b->design, b->o.overwrite, diag);
  if (ret == 1) return say_complete(b);
  if (ret == 0 && b->o.overwrite && unlink(b->o.output) != 0 && errno != ENOENT) {
    ret = sim_diag_add(diag, NULL, NULL, "cannot replace %s: %s", b->o.output, strerror(errno));
  }
  if (ret == 0) ret = make_runs(b, diag);
  if (ret == 0) ret = write_results(b, diag);
  if (ret) return ret;
  sim_journals_close(b->journals, true);
  b->journals = NULL;
  report(b, "done");
  return 0;
}

int sim_batch_run(const struct sim_scenario *s, const struct sim_batch_options *o, struct sim_diag *diag) {
  struct batch b = {.scenario = s, .o = *o, .start = monotonic()};
  int ret = run_batch(&b, diag);
  sim_journals_close(b.journals, false);
  for (size_t i = 0; b.pool.slot && i < b.design.arms * b.design.points; i++) sim_slot_free(&b.pool.slot[i]);
  for (size_t i = 0; b.layouts && i < b.design.arms; i++) sim_layout_free(&b.layouts[i]);
  sim_shape_free(&b.shape);
  sim_free(b.pool.slot);
  sim_free(b.layouts);
  if (b.pool.graphs) sim_graph_cache_free(b.pool.graphs);
  sim_design_free(&b.design);
  return ret;
}

/* ---- replay ---------------------------------------------------------------------------------------------------- */

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
