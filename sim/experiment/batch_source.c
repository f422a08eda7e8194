/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the runs of a batch are: its plan, its journals, the file of before, and the file that is written from them. */
#include "sim/experiment/batch_internal.h"
#include "sim/experiment/lock.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the plan -------------------------------------------------------------------------------------------------- */

int sim_batch_plan(struct batch *b, struct sim_diag *diag) {
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
  if (first == 0) first = sim_shape_init(&b->shape, b->layouts, d->arms, diag);
  if (first == 0) first = sim_stopping_init(&b->stopping, b->scenario, d, b->layouts, diag);
  return first;
}

/* ---- journals -------------------------------------------------------------------------------------------------- */

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

/* Share of all runs that this process makes for certain: of those asked for at first, its part. */
static double share_of_room(const struct batch *b) {
  size_t workers = b->o.parts ? b->o.parts : sim_mpi_size(b->o.mpi);
  double asked = 0;
  for (size_t p = 0; p < b->design.points; p++) asked += (double)(b->design.arms * b->stopping.asked[p]);
  return asked / (double)sim_design_runs(&b->design) / (double)workers;
}

int sim_batch_open_journals(struct batch *b, struct sim_diag *diag) {
  const struct sim_design *d = &b->design;
  const char **names = sim_calloc(d->arms, sizeof *names);
  if (!names) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < d->arms; i++) names[i] = sim_scenario_arm(b->scenario, i);
  struct sim_journal_key key = {.seed = d->seed,
                                .layout_hash = SIM_HASH_START,
                                .stream_version = SIM_STREAM_VERSION,
                                .language_version = SIM_LANGUAGE_VERSION,
                                .program_version = AIRESIM_VERSION,
                                .arms = d->arms,
                                .points = d->points,
                                .arm = names,
                                .share = share_of_room(b),
                                .precision = b->stopping.text,
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
  sim_free(names);
  return ret;
}

/* Is every run of the journals one of the file that has been written or was found complete? */
static bool journals_are_spent(const struct batch *b) {
  const struct sim_design *d = &b->design;
  if (sim_journals_beyond(b->journals)) return false;
  for (size_t i = 0; b->stopping.asked && i < d->arms * d->points; i++) {
    size_t arm = i % d->arms, point = i / d->arms;
    for (size_t r = b->stopping.asked[point]; r < d->replicates; r++)
      if (sim_journals_has(b->journals, arm, point, r)) return false;
  }
  return true;
}

void sim_batch_leave_journals(struct batch *b) {
  if (!b->journals) return;
  sim_journals_close(b->journals, journals_are_spent(b));
  b->journals = NULL;
}

/* ---- runs ------------------------------------------------------------------------------------------------------ */

int sim_batch_open_previous(struct batch *b, int outcome, struct sim_diag *diag) {
  if (outcome != SIM_OUTCOME_PART && outcome != SIM_OUTCOME_GAPS) return 0;
  return sim_previous_open(&b->previous, b->o.output, &b->design, b->layouts, &b->shape, diag);
}

bool sim_batch_has(const struct batch *b, size_t arm, size_t point, size_t replicate) {
  return sim_previous_has(b->previous, arm, point, replicate) || sim_journals_has(b->journals, arm, point, replicate);
}

static bool has(void *ctx, size_t arm, size_t point, size_t replicate) {
  return sim_batch_has(ctx, arm, point, replicate);
}

/* A run that is asked for. */
static int read_row(void *ctx, size_t arm, size_t point, size_t replicate, struct sim_row *row) {
  struct batch *b = ctx;
  if (replicate >= b->stopping.asked[point]) return 1;
  if (sim_previous_has(b->previous, arm, point, replicate))
    return sim_previous_read(b->previous, arm, point, replicate, row);
  return sim_journals_read(b->journals, arm, point, replicate, row);
}

static int read_counted(void *ctx, size_t arm, size_t series, uint32_t *histogram) {
  struct batch *b = ctx;
  return b->previous ? sim_previous_count(b->previous, arm, series, histogram) : 0;
}

uint64_t sim_batch_missing(const struct batch *b, size_t arm) {
  uint64_t missing = 0;
  for (size_t point = 0; point < b->design.points; point++)
    for (size_t r = 0; r < b->stopping.asked[point]; r++) missing += !sim_batch_has(b, arm, point, r);
  return missing;
}

bool sim_batch_adds(const struct batch *b) {
  for (size_t point = 0; point < b->design.points; point++)
    for (size_t arm = 0; arm < b->design.arms; arm++)
      for (size_t r = 0; r < b->stopping.asked[point]; r++)
        if (!sim_previous_has(b->previous, arm, point, r)) return true;
  return false;
}

/* Curves cannot be taken out of a histogram again: so the file must not have runs that a wider interval does not ask.
 */
static bool previous_has_more(const struct batch *b) {
  for (size_t point = 0; point < b->design.points; point++) {
    if (!b->stopping.final[point]) continue;
    for (size_t arm = 0; arm < b->design.arms; arm++)
      for (size_t r = b->stopping.asked[point]; r < sim_previous_replicates(b->previous); r++)
        if (sim_previous_has(b->previous, arm, point, r)) return true;
  }
  return false;
}

int sim_batch_look(struct batch *b, size_t *open, struct sim_diag *diag) {
  int ret = sim_stopping_look(&b->stopping, b->layouts, has, read_row, b, open);
  if (ret == SIM_ERR_IO) sim_diag_add(diag, NULL, NULL, "the runs of %s cannot be read again", b->o.output);
  if (ret || !previous_has_more(b)) return ret;
  return sim_diag_add(diag, NULL, NULL,
                      "%s holds more replicates than this precision asks for: choose another output, or --overwrite",
                      b->o.output);
}

int sim_batch_write(struct batch *b, struct sim_diag *diag) {
  struct sim_results_content content = {.layouts = b->layouts,
                                        .shape = &b->shape,
                                        .stopping = &b->stopping,
                                        .row = read_row,
                                        .counted = read_counted,
                                        .ctx = b};
  return sim_outcome_write(b->scenario, &b->o, &b->design, sim_journals_started(b->journals), &content, diag);
}

void sim_batch_free(struct batch *b) {
  sim_journals_close(b->journals, false);
  sim_previous_close(b->previous);
  for (size_t i = 0; b->pool.slot && i < b->design.arms * b->design.points; i++) sim_slot_free(&b->pool.slot[i]);
  for (size_t i = 0; b->layouts && i < b->design.arms; i++) sim_layout_free(&b->layouts[i]);
  sim_shape_free(&b->shape);
  sim_stopping_free(&b->stopping);
  sim_free(b->pool.slot);
  sim_free(b->todo);
  sim_free(b->layouts);
  if (b->pool.graphs) sim_graph_cache_free(b->pool.graphs);
  sim_design_free(&b->design);
}
