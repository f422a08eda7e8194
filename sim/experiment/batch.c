/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running a batch: rounds of missing runs, shared among threads and ranks, until every design point has enough. */
#include "sim/experiment/batch.h"
#include "sim/experiment/batch_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double monotonic(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void report(struct batch *b, const char *phase) {
  struct sim_progress *p = &b->progress;
  uint64_t made = b->made + atomic_load(&b->pool.done);
  p->phase = phase;
  p->done = p->resumed + made;
  p->failed = b->failed_before + b->made_failed + atomic_load(&b->pool.failed);
  p->seconds = monotonic() - b->start;
  p->rate = p->seconds > 0 ? (double)made / p->seconds : 0;
  if (b->o.progress) b->o.progress(b->o.ctx, p);
}

static void report_running(void *ctx) {
  report(ctx, "running");
}

static unsigned choose_jobs(unsigned asked, size_t runs) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  size_t jobs = asked ? asked : cores > 0 ? (size_t)cores : 1;
  return (unsigned)(jobs < runs ? jobs : runs);
}

/* ---- preparation: everything that can be refused before anything is written ------------------------------------ */

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

/* Agrees, and tells all the outcome that rank 0 found. */
static int agree_outcome(struct batch *b, int ret, int *outcome, struct sim_diag *diag) {
  int agreed = agree(b, ret < 0 ? ret : 0, diag);
  *outcome = ret;
  if (agreed == 0) sim_mpi_share(b->o.mpi, outcome, sizeof *outcome);
  return agreed;
}

/* With a precision, whether a point needs more runs is for the one to say who has them all. */
static int check_parts(const struct batch *b, struct sim_diag *diag) {
  if (b->stopping.rule == SIM_STOP_FIXED || b->o.parts <= b->design.points) return 0;
  return sim_diag_add(
      diag, NULL, NULL,
      "with `design.precision` a part is made of whole design points, and there are %zu of them for %zu "
      "parts: use fewer parts, more threads (--jobs), or MPI",
      b->design.points, b->o.parts);
}

/* Takes the journals of the whole, or of a part. Returns an outcome: that of before may have been completed by another
 * process just now. */
static int take_output(struct batch *b, struct sim_diag *diag) {
  int ret = sim_batch_open_journals(b, diag);
  if (ret) return ret;
  int outcome = sim_outcome_check(b->o.output, b->scenario, &b->design, b->o.overwrite, diag);
  if (outcome < 0) return outcome;
  if (!b->o.parts && b->o.overwrite && unlink(b->o.output) != 0 && errno != ENOENT) {
    return sim_diag_add(diag, NULL, NULL, "cannot replace %s: %s", b->o.output, strerror(errno));
  }
  ret = sim_batch_open_previous(b, outcome, diag);
  return ret ? ret : outcome;
}

/* Everything before the first run: rank 0 takes the output. */
static int prepare(struct batch *b, int *outcome, struct sim_diag *diag) {
  bool leads = sim_mpi_rank(b->o.mpi) == 0;
  int ret = sim_design_init(&b->design, b->scenario, -1, -1, diag);
  if (ret == 0) {
    b->progress.total = sim_design_runs(&b->design);
    b->o.jobs = choose_jobs(b->o.jobs, b->progress.total);
    if (leads) ret = sim_outcome_check(b->o.output, b->scenario, &b->design, b->o.overwrite, diag);
  }
  ret = agree_outcome(b, ret, outcome, diag);
  if (ret || *outcome == SIM_OUTCOME_SAME) return ret;
  b->todo = sim_calloc(sim_design_runs(&b->design) / 64 + 1, sizeof *b->todo);
  ret = b->todo ? sim_batch_plan(b, diag) : SIM_ERR_MEMORY;
  if (ret == 0) ret = check_parts(b, diag);
  if (ret == 0 && leads) ret = take_output(b, diag);
  return agree_outcome(b, ret, outcome, diag);
}

/* The results are there. Journals beside them are left over from a process that was killed while removing them. */
static int say_complete(struct batch *b) {
  if (sim_mpi_rank(b->o.mpi)) return 0;
  char *dir = sim_strf("%s.journal", b->o.output);
  if (!dir) return SIM_ERR_MEMORY;
  struct stat st;
  struct sim_diag ignored = {0};
  bool stale = !b->journals && !b->o.parts && stat(dir, &st) == 0;
  sim_free(dir);
  if (stale && sim_batch_plan(b, &ignored) == 0 && sim_batch_open_journals(b, &ignored) != 0) b->journals = NULL;
  for (size_t p = 0; stale && b->stopping.asked && p < b->design.points; p++)
    b->stopping.asked[p] = b->design.replicates; /* the file has them all */
  sim_diag_free(&ignored);
  if (!b->o.parts) sim_batch_leave_journals(b);
  b->progress.resumed = b->progress.total;
  report(b, "complete");
  return 0;
}

/* ---- rounds ---------------------------------------------------------------------------------------------------- */

/* Whether a run belongs to this part: by turns, whole worlds where there are many, whole points where it depends on
 * their runs how many they need. */
static bool is_mine(const struct batch *b, size_t run) {
  const struct sim_design *d = &b->design;
  if (!b->o.parts) return true;
  size_t piece = d->arms * d->points >= 8 * b->o.parts ? d->replicates : 1;
  if (b->stopping.rule != SIM_STOP_FIXED) piece = d->arms * d->replicates;
  return run / piece % b->o.parts == b->o.part - 1;
}

static bool is_there(const struct batch *b, size_t run) {
  const struct sim_design *d = &b->design;
  size_t slot = run / d->replicates;
  return sim_batch_has(b, slot % d->arms, slot / d->arms, run % d->replicates);
}

/* Lists the runs that are asked for and are not there; by rank 0, which has them all, or the process of a part. */
static void list_todo(struct batch *b) {
  const struct sim_design *d = &b->design;
  const size_t runs = sim_design_runs(d);
  memset(b->todo, 0, (runs / 64 + 1) * sizeof *b->todo);
  b->progress.total = b->pool.asked = 0;
  for (size_t slot = 0; slot < d->arms * d->points; slot++) {
    for (size_t r = 0; r < b->stopping.asked[slot / d->arms]; r++) {
      size_t run = slot * d->replicates + r;
      if (!is_mine(b, run)) continue;
      b->progress.total++;
      if (is_there(b, run)) continue;
      b->todo[run / 64] |= UINT64_C(1) << run % 64;
      b->pool.asked++;
    }
  }
}

/* Reads what was written in a round, and checks that all of it is there. */
static int gather_round(struct batch *b, struct sim_diag *diag) {
  int ret = sim_journals_refresh(b->journals, diag);
  bool lost = false;
  for (size_t run = 0; ret == 0 && run < sim_design_runs(&b->design); run++) {
    if (b->todo[run / 64] == 0) run |= 63;
    lost = lost || ((b->todo[run / 64] >> run % 64 & 1) && !is_there(b, run));
  }
  if (!lost) return ret;
  sim_diag_add(diag, NULL, NULL, "the journals of %s lost runs while they were written; the same command resumes",
               b->o.output);
  return SIM_ERR_IO;
}

struct round { /* as rank 0 tells it */
  bool more;
  uint64_t asked, total;
};

/* Rank 0 looks at what is there and lists what is missing; tells the others. */
static int plan_round(struct batch *b, struct round *round, struct sim_diag *diag) {
  size_t open = 0;
  int ret = 0;
  if (sim_mpi_rank(b->o.mpi) == 0) {
    ret = sim_batch_look(b, &open, diag);
    if (ret == 0) list_todo(b);
    *round = (struct round){ret == 0 && b->pool.asked > 0, b->pool.asked, b->progress.total};
  }
  sim_mpi_share(b->o.mpi, round, sizeof *round);
  if (!round->more) return ret;
  b->pool.asked = round->asked, b->progress.total = round->total;
  sim_mpi_share(b->o.mpi, b->todo, (sim_design_runs(&b->design) / 64 + 1) * sizeof *b->todo);
  return ret;
}

static int make_runs(struct batch *b, struct sim_diag *diag) {
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
  b->made += atomic_exchange(&b->pool.done, 0);
  b->made_failed += atomic_exchange(&b->pool.failed, 0);
  if (ret && ret != SIM_ERR_INTERRUPTED) {
    sim_diag_add(diag, NULL, NULL, "the batch stopped, and the same command resumes it: %s", b->pool.why);
  }
  return ret;
}

/* Another rank than 0: makes what it is handed, closes its journals, and only then says that it has. */
static int make_round_of_rank(struct batch *b, struct sim_diag *diag) {
  uint64_t made = b->made, failed = b->made_failed;
  int ret = make_runs(b, diag);
  sim_diag_free(diag); /* rank 0 says it */
  *diag = (struct sim_diag){0};
  sim_journals_close(b->journals, false);
  b->journals = NULL;
  sim_mpi_leave(b->o.mpi, ret, b->pool.why, b->made - made - b->pool.told,
                b->made_failed - failed - b->pool.told_failed);
  return ret;
}

/* Makes runs until none is missing. */
static int run_rounds(struct batch *b, struct sim_diag *diag) {
  bool leads = sim_mpi_rank(b->o.mpi) == 0, first = true;
  struct round round = {0};
  int ret = 0;
  for (;; first = false) {
    int planned = plan_round(b, &round, diag);
    if (planned || !round.more) return ret ? ret : planned;
    if (first && leads) {
      b->progress.resumed = b->progress.total - b->pool.asked;
      b->progress.damaged = sim_journals_damaged(b->journals);
      b->failed_before = sim_journals_failed(b->journals) + sim_previous_failed(b->previous);
    }
    int opened = agree(b, leads ? 0 : sim_batch_open_journals(b, diag), diag);
    if (opened) return opened;
    if (!leads) {
      int made = make_round_of_rank(b, diag);
      if (!ret) ret = made;
      continue;
    }
    ret = make_runs(b, diag);
    if (ret == 0) ret = gather_round(b, diag);
    if (ret) break;
  }
  round.more = false; /* the others wait for the next round */
  sim_mpi_share(b->o.mpi, &round, sizeof round);
  return ret;
}

/* What was reached of the precision that was asked for. */
static void note_precision(struct batch *b) {
  struct sim_progress *p = &b->progress;
  if (b->stopping.rule == SIM_STOP_FIXED) return;
  p->points = b->design.points;
  p->precision = b->stopping.wanted;
  snprintf(p->unit, sizeof p->unit, "%s", b->stopping.unit ? b->stopping.unit : "");
  p->points_reached = sim_stopping_reached(&b->stopping, &p->widest);
}

static int run_batch(struct batch *b, struct sim_diag *diag) {
  int outcome = SIM_OUTCOME_NONE, ret = prepare(b, &outcome, diag);
  if (ret == 0 && outcome == SIM_OUTCOME_SAME) return say_complete(b);
  if (ret == 0) ret = run_rounds(b, diag);
  if (ret || sim_mpi_rank(b->o.mpi)) return ret;
  if (b->o.parts) {
    report(b, "part");
    return 0;
  }
  if (outcome == SIM_OUTCOME_GAPS && !sim_batch_adds(b)) return say_complete(b);
  note_precision(b);
  report(b, "writing");
  ret = sim_batch_write(b, diag);
  if (ret) return ret;
  sim_batch_leave_journals(b);
  report(b, "done");
  return 0;
}

int sim_batch_run(const struct sim_scenario *s, const struct sim_batch_options *o, struct sim_diag *diag) {
  struct batch b = {.scenario = s, .o = *o, .start = monotonic()};
  int ret = run_batch(&b, diag);
  sim_batch_free(&b);
  return ret;
}
