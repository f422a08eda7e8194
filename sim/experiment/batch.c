/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/batch.h"
#include "sim/experiment/lock.h"
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
  uint64_t *todo;            /* bits: runs to make */
  const char *const *source; /* journals to merge, or NULL */
  size_t sources;
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

/* The name whose journals this process writes: the output, or for a part of the work one inside its journals. */
static char *journals_name(const struct batch *b) {
  if (b->o.parts) return sim_strf("%s.journal/shard-%zu-of-%zu", b->o.output, b->o.part, b->o.parts);
  unsigned rank = sim_mpi_rank(b->o.mpi);
  return rank ? sim_strf("%s.journal/rank-%u", b->o.output, rank) : sim_strdup(b->o.output);
}

/* Makes the directory around a shard's. Nobody may be writing the whole. */
static int enter_outer(const struct batch *b, struct sim_diag *diag) {
  char *dir = sim_strf("%s.journal", b->o.output);
  int ret = dir ? 0 : SIM_ERR_MEMORY;
  if (ret == 0 && sim_lock_is_held(dir)) {
    ret = sim_diag_add(diag, NULL, NULL, "another process is writing %s; wait for it or choose another output",
                       b->o.output);
  }
  if (ret == 0 && mkdir(dir, 0777) != 0 && errno != EEXIST) {
    ret = sim_diag_add(diag, NULL, NULL, "cannot write %s: %s (making the directory %s beside it)", b->o.output,
                       strerror(errno), dir);
  }
  sim_free(dir);
  return ret;
}

static int open_journals(struct batch *b, struct sim_diag *diag) {
  const struct sim_design *d = &b->design;
  size_t workers = b->o.parts ? b->o.parts : sim_mpi_size(b->o.mpi);
  struct sim_journal_key key = {.seed = d->seed,
                                .layout_hash = SIM_HASH_START,
                                .stream_version = SIM_STREAM_VERSION,
                                .language_version = SIM_LANGUAGE_VERSION,
                                .program_version = AIRESIM_VERSION,
                                .arms = d->arms,
                                .points = d->points,
                                .share = workers > 1 ? 1 / (double)workers : 0,
                                .origin = sim_scenario_origin(b->scenario),
                                .source = b->source,
                                .sources = b->sources};
  for (size_t arm = 0; arm < d->arms; arm++) {
    uint64_t hash = sim_layout_hash(&b->layouts[arm]);
    key.layout_hash = sim_hash_bytes(key.layout_hash, &hash, sizeof hash);
  }
  int ret = sim_outcome_identity(b->scenario, &key.scenario_hash);
  key.scenario_hash = sim_design_hash(d, key.scenario_hash);
  char *name = journals_name(b);
  if (ret == 0 && !name) ret = SIM_ERR_MEMORY;
  if (ret == 0 && b->o.parts) ret = enter_outer(b, diag);
  bool overwrite = b->o.overwrite && !b->sources;
  if (ret == 0) ret = sim_journals_open(&b->journals, name, &key, d->replicates, b->layouts, overwrite, diag);
  sim_free(name);
  return ret;
}

/* ---- the work -------------------------------------------------------------------------------------------------- */

/* The results are there. Journals beside them are left over from a process that was killed while removing them. */
static int say_complete(struct batch *b) {
  if (sim_mpi_rank(b->o.mpi)) return 0;
  char *dir = sim_strf("%s.journal", b->o.output);
  if (!dir) return SIM_ERR_MEMORY;
  struct stat st;
  struct sim_diag ignored = {0};
  bool stale = !b->journals && !b->o.parts && stat(dir, &st) == 0;
  sim_free(dir);
  if (stale && plan_arms(b, &ignored) == 0 && open_journals(b, &ignored) != 0) b->journals = NULL;
  sim_diag_free(&ignored);
  sim_journals_close(b->journals, !b->o.parts);
  b->journals = NULL;
  b->progress.resumed = b->progress.total;
  report(b, "complete");
  return 0;
}

/* Whether a run belongs to this part: by turns, whole worlds where there are many. */
static bool is_mine(const struct batch *b, size_t run) {
  const struct sim_design *d = &b->design;
  if (!b->o.parts) return true;
  size_t piece = d->arms * d->points >= 8 * b->o.parts ? d->replicates : 1;
  return run / piece % b->o.parts == b->o.part - 1;
}

/* Lists the runs that are not in the journals; by rank 0, which has them all, or the process of a part. */
static void list_todo(struct batch *b) {
  const struct sim_design *d = &b->design;
  const size_t runs = sim_design_runs(d);
  b->progress.total = 0;
  for (size_t i = 0; i < runs; i++) {
    size_t slot = i / d->replicates;
    if (!is_mine(b, i)) continue;
    b->progress.total++;
    if (sim_journals_has(b->journals, slot % d->arms, slot / d->arms, i % d->replicates)) continue;
    b->todo[i / 64] |= UINT64_C(1) << i % 64;
    b->pool.asked++;
  }
}

static int make_runs(struct batch *b, struct sim_diag *diag) {
  b->progress.resumed = b->progress.total - b->pool.asked;
  b->progress.damaged = sim_journals_damaged(b->journals);
  b->failed_before = sim_journals_failed(b->journals);
  b->pool.scenario = b->scenario;
  b->pool.design = &b->design;
  b->pool.layouts = b->layouts;
  b->pool.journals = b->journals;
  b->pool.mpi = b->o.mpi;
  b->pool.todo = b->todo;
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

/* What all ranks must know of each other before they go on. The lowest that failed says why; the others are silent. */
static int agree(struct batch *b, int ret, struct sim_diag *diag) {
  int first = sim_mpi_first_failed(b->o.mpi, ret);
  if (first < 0 || !b->o.mpi) return ret;
  if ((unsigned)first == sim_mpi_rank(b->o.mpi)) {
    if (!diag->n) sim_diag_add(diag, NULL, NULL, "rank %d: %s", first, sim_err_text(ret));
    return ret;
  }
  sim_diag_free(diag);
  *diag = (struct sim_diag){0};
  return SIM_ERR_RUN;
}

/* Agrees, and tells all whether the results were found complete (ret 1 at rank 0). */
static int agree_complete(struct batch *b, int ret, bool *complete, struct sim_diag *diag) {
  int agreed = agree(b, ret < 0 ? ret : 0, diag);
  *complete = ret == 1;
  if (agreed == 0) sim_mpi_share(b->o.mpi, complete, sizeof *complete);
  return agreed;
}

/* Takes the journals of the whole, or of a part. 1: another process has just completed the results. */
static int take_output(struct batch *b, struct sim_diag *diag) {
  int ret = open_journals(b, diag);
  /* Once more under the lock: another process may just have finished. */
  if (ret == 0) ret = sim_outcome_check(b->o.output, b->scenario, &b->design, b->o.overwrite, diag);
  if (ret == 0 && !b->o.parts && b->o.overwrite && unlink(b->o.output) != 0 && errno != ENOENT) {
    ret = sim_diag_add(diag, NULL, NULL, "cannot replace %s: %s", b->o.output, strerror(errno));
  }
  if (ret == 0) list_todo(b);
  return ret;
}

/* Everything before the first run: rank 0 takes the output and lists what is to be made, then each its own journals. */
static int prepare(struct batch *b, bool *complete, struct sim_diag *diag) {
  bool leads = sim_mpi_rank(b->o.mpi) == 0;
  int ret = sim_design_init(&b->design, b->scenario, -1, -1, diag);
  if (ret == 0) {
    b->progress.total = sim_design_runs(&b->design);
    b->o.jobs = choose_jobs(b->o.jobs, b->progress.total);
    if (leads) ret = sim_outcome_check(b->o.output, b->scenario, &b->design, b->o.overwrite, diag);
  }
  ret = agree_complete(b, ret, complete, diag);
  if (ret || *complete) return ret;
  size_t words = sim_design_runs(&b->design) / 64 + 1;
  b->todo = sim_calloc(words, sizeof *b->todo);
  ret = b->todo ? plan_arms(b, diag) : SIM_ERR_MEMORY;
  if (ret == 0 && leads) ret = take_output(b, diag);
  ret = agree_complete(b, ret, complete, diag);
  if (ret || *complete || !b->o.mpi) return ret;
  sim_mpi_share(b->o.mpi, b->todo, words * sizeof *b->todo);
  sim_mpi_share(b->o.mpi, &b->pool.asked, sizeof b->pool.asked);
  sim_mpi_share(b->o.mpi, &b->progress.total, sizeof b->progress.total);
  if (!leads) ret = open_journals(b, diag);
  return agree(b, ret, diag);
}

/* Another rank than 0: makes what it is handed, closes its journals, and only then says that it has. */
static int run_other_rank(struct batch *b, struct sim_diag *diag) {
  int ret = make_runs(b, diag);
  sim_diag_free(diag); /* rank 0 says it */
  *diag = (struct sim_diag){0};
  sim_journals_close(b->journals, false);
  b->journals = NULL;
  sim_mpi_leave(b->o.mpi, ret, b->pool.why, atomic_load(&b->pool.done) - b->pool.told,
                atomic_load(&b->pool.failed) - b->pool.told_failed);
  return ret;
}

static int run_batch(struct batch *b, struct sim_diag *diag) {
  bool complete = false;
  int ret = prepare(b, &complete, diag);
  if (ret == 0 && complete) return say_complete(b);
  if (ret == 0 && sim_mpi_rank(b->o.mpi)) return run_other_rank(b, diag);
  if (ret == 0) ret = make_runs(b, diag);
  if (ret == 0 && b->o.parts) {
    report(b, "part");
    return 0;
  }
  if (ret == 0) ret = write_results(b, diag);
  if (ret) return ret;
  sim_journals_close(b->journals, true);
  b->journals = NULL;
  report(b, "done");
  return 0;
}

static void batch_free(struct batch *b) {
  sim_journals_close(b->journals, false);
  for (size_t i = 0; b->pool.slot && i < b->design.arms * b->design.points; i++) sim_slot_free(&b->pool.slot[i]);
  for (size_t i = 0; b->layouts && i < b->design.arms; i++) sim_layout_free(&b->layouts[i]);
  sim_shape_free(&b->shape);
  sim_free(b->pool.slot);
  sim_free(b->todo);
  sim_free(b->layouts);
  if (b->pool.graphs) sim_graph_cache_free(b->pool.graphs);
  sim_design_free(&b->design);
}

int sim_batch_run(const struct sim_scenario *s, const struct sim_batch_options *o, struct sim_diag *diag) {
  struct batch b = {.scenario = s, .o = *o, .start = monotonic()};
  int ret = run_batch(&b, diag);
  batch_free(&b);
  return ret;
}

/* ---- merging --------------------------------------------------------------------------------------------------- */

/* A message for each arm that lacks runs. */
static void say_missing(const struct batch *b, struct sim_diag *diag) {
  const struct sim_design *d = &b->design;
  for (size_t arm = 0; arm < d->arms; arm++) {
    uint64_t missing = 0;
    for (size_t point = 0; point < d->points; point++) {
      for (size_t r = 0; r < d->replicates; r++) missing += !sim_journals_has(b->journals, arm, point, r);
    }
    if (missing) {
      sim_diag_add(diag, NULL, NULL, "arm %s: %llu of %zu runs are missing", sim_scenario_arm(b->scenario, arm),
                   (unsigned long long)missing, d->points * d->replicates);
    }
  }
}

static int merge(struct batch *b, const struct sim_merge_options *o, struct sim_merge_report *report,
                 struct sim_diag *diag) {
  int ret = sim_design_init(&b->design, b->scenario, -1, -1, diag);
  if (ret) return ret;
  ret = sim_outcome_check(o->output, b->scenario, &b->design, o->overwrite, diag);
  if (ret == 1) {
    return sim_diag_add(diag, NULL, NULL, "%s holds these results already; --overwrite merges again", o->output);
  }
  if (ret == 0) ret = plan_arms(b, diag);
  if (ret == 0) ret = open_journals(b, diag);
  if (ret) return ret;
  *report = (struct sim_merge_report){.total = sim_design_runs(&b->design),
                                      .found = sim_journals_done(b->journals),
                                      .failed = sim_journals_failed(b->journals),
                                      .damaged = sim_journals_damaged(b->journals)};
  if (report->found < report->total) {
    say_missing(b, diag);
    if (!o->allow_missing) return SIM_ERR_RUN;
  }
  ret = sim_outcome_write(b->scenario, &b->o, &b->design, b->layouts, &b->shape, b->journals, diag);
  if (ret == 0) {
    sim_journals_close(b->journals, o->remove && report->found == report->total);
    b->journals = NULL;
  }
  return ret;
}

int sim_batch_merge(const struct sim_merge_options *o, struct sim_merge_report *report, struct sim_diag *diag) {
  struct sim_scenario *s = NULL;
  *report = (struct sim_merge_report){0};
  int ret = sim_journal_scenario(o->source, o->sources, &s, diag);
  if (ret) return ret;
  struct batch b = {.scenario = s,
                    .o = {.output = o->output, .jobs = 1, .command_line = o->command_line, .overwrite = o->overwrite},
                    .source = o->source,
                    .sources = o->sources};
  ret = merge(&b, o, report, diag);
  batch_free(&b);
  sim_scenario_free(s);
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
