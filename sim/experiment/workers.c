/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/workers.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define BLOCK_SECONDS 0.5
#define BLOCK_MOST    65536
#define TICK_NS       100000000L /* between calls of tick */
#define HEAR_NS       1000000L   /* between looks for other ranks' messages: they wait that long at most */

struct worker {
  struct sim_pool *pool;
  unsigned index;
  struct sim_journal *journal;
  size_t slot;         /* whose world it has, or SIZE_MAX */
  struct sim_run *run; /* of that world; NULL: it cannot be planned */
  struct sim_row row;  /* of that arm's layout */
  double seconds;      /* a run, smoothed; 0: unknown yet */
};

struct run_block {
  size_t slot, first, last; /* replicates [first, last) of a slot; some may be there already */
};

/* ---- worlds -------------------------------------------------------------------------------------------------- */

int sim_slot_plan(struct sim_slot *slot, const struct sim_scenario *s, const struct sim_design *d, size_t arm,
                  size_t point, struct sim_graph_cache *graphs, struct sim_diag *diag) {
  struct sim_patch *patches = NULL;
  size_t n = 0;
  int ret = sim_design_patches(d, arm, point, &patches, &n);
  if (ret == 0) ret = sim_scenario_bind(&slot->bound, s, arm, patches, n, diag);
  sim_patches_free(patches, n);
  if (ret == 0) ret = sim_world_create(&slot->world, sim_bound_root(slot->bound), d->seed, graphs, diag);
  if (ret) sim_slot_free(slot);
  return ret;
}

void sim_slot_free(struct sim_slot *slot) {
  if (slot->world) sim_world_free(slot->world);
  if (slot->bound) sim_bound_free(slot->bound);
  sim_free(slot->error);
  slot->world = NULL, slot->bound = NULL, slot->error = NULL;
}

/* The rows of a later point must have the layout that the results were planned for. */
static bool same_layout(const struct sim_world *w, const struct sim_layout *l) {
  struct sim_layout mine;
  bool same = sim_layout_init(&mine, w, l->horizon) == 0 && sim_layout_hash(&mine) == sim_layout_hash(l);
  sim_layout_free(&mine);
  return same;
}

/* Makes sure that a slot has a world or an error. */
static int slot_ready(struct sim_pool *pool, size_t index) {
  struct sim_slot *slot = &pool->slot[index];
  size_t arm = index % pool->design->arms, point = index / pool->design->arms;
  int ret = 0;
  pthread_mutex_lock(&pool->planning);
  if (!slot->world && !slot->error) {
    struct sim_diag diag = {0};
    ret = sim_slot_plan(slot, pool->scenario, pool->design, arm, point, pool->graphs, &diag);
    if (ret == 0 && !same_layout(slot->world, &pool->layouts[arm])) {
      sim_slot_free(slot);
      slot->error = sim_strdup("this design point has other variables than the first");
    } else if (ret && ret != SIM_ERR_MEMORY) {
      slot->error =
          sim_strf("this design point cannot be planned: %s", diag.n ? diag.items[0].text : sim_err_text(ret));
      ret = 0;
    }
    if (!slot->world && !slot->error) ret = SIM_ERR_MEMORY;
    sim_diag_free(&diag);
  }
  pthread_mutex_unlock(&pool->planning);
  return ret;
}

/* Gives a slot back; frees its world when no block of it is left and nobody uses it. */
static void slot_release(struct sim_pool *pool, size_t index) {
  pthread_mutex_lock(&pool->lock);
  struct sim_slot *slot = &pool->slot[index];
  slot->users--;
  if (slot->users == 0 && index < pool->swept) sim_slot_free(slot);
  pthread_mutex_unlock(&pool->lock);
}

/* No block is left of the slots before this one. */
static void sweep_slots(struct sim_pool *pool, size_t index) {
  for (; pool->swept < index; pool->swept++)
    if (pool->slot[pool->swept].users == 0) sim_slot_free(&pool->slot[pool->swept]);
}

/* ---- blocks -------------------------------------------------------------------------------------------------- */

static bool is_stopped(const struct sim_pool *pool) {
  return atomic_load(&pool->halt) || (pool->stop && atomic_load(pool->stop));
}

static bool is_asked(const struct sim_pool *pool, size_t run) {
  return pool->todo[run / 64] >> run % 64 & 1;
}

/* A range of the list for one worker, sized by what a run takes; by rank 0 and where there are no ranks. */
static struct sim_mpi_range cut_range(struct sim_pool *pool, uint64_t wanted) {
  uint64_t left = pool->asked - pool->handed;
  struct sim_mpi_range range = {pool->handed, is_stopped(pool) ? 0 : wanted < left ? wanted : left};
  pool->handed += range.count;
  return range;
}

/* Runs of about half a second, fewer towards the end; the first block is one run, to learn how long a run takes. */
static uint64_t wanted_runs(const struct sim_pool *pool, double seconds) {
  double wanted = seconds > 0 ? BLOCK_SECONDS / seconds : 1;
  double workers = (double)pool->jobs * sim_mpi_size(pool->mpi);
  double share = (double)(pool->asked - pool->handed) / (2 * workers);
  if (wanted > share) wanted = share;
  if (wanted > BLOCK_MOST) wanted = BLOCK_MOST;
  return wanted > 1 ? (uint64_t)wanted : 1;
}

static void fetch_range(struct sim_pool *pool, double seconds) {
  uint64_t wanted = wanted_runs(pool, seconds);
  if (sim_mpi_rank(pool->mpi) == 0) {
    pool->range = cut_range(pool, wanted);
    return;
  }
  uint64_t done = atomic_load(&pool->done), failed = atomic_load(&pool->failed);
  pool->range = sim_mpi_ask(pool->mpi, wanted, done - pool->told, failed - pool->told_failed);
  pool->told = done, pool->told_failed = failed;
  pool->handed = pool->range.count ? pool->range.first + pool->range.count : pool->asked;
}

/* Moves to a place of the list. Ranges come in ascending order, so that this only goes forward. */
static void move_to(struct sim_pool *pool, uint64_t place) {
  for (;; pool->cursor++) {
    if (!is_asked(pool, pool->cursor)) continue;
    if (pool->at == place) return;
    pool->at++;
  }
}

/* Hands out the next block, and with it a use of its slot. False: nothing is left. */
static bool take_block(struct sim_pool *pool, double seconds, struct run_block *b) {
  const size_t replicates = pool->design->replicates;
  pthread_mutex_lock(&pool->lock);
  if (pool->range.count == 0 && pool->handed < pool->asked) fetch_range(pool, seconds);
  bool found = pool->range.count > 0;
  if (!found) sweep_slots(pool, pool->design->arms * pool->design->points);
  if (found) {
    move_to(pool, pool->range.first);
    *b = (struct run_block){.slot = pool->cursor / replicates, .first = pool->cursor % replicates};
    sweep_slots(pool, b->slot);
    uint64_t runs = 0;
    for (b->last = b->first; b->last < replicates && runs < pool->range.count; b->last++) {
      runs += is_asked(pool, b->slot * replicates + b->last);
    }
    pool->cursor += b->last - b->first;
    pool->at += runs;
    pool->range.first += runs, pool->range.count -= runs;
    pool->slot[b->slot].users++;
  }
  pthread_mutex_unlock(&pool->lock);
  return found;
}

/* ---- a worker ------------------------------------------------------------------------------------------------ */

static double monotonic(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void worker_leave(struct worker *w) {
  if (w->run) sim_run_free(w->run);
  sim_row_free(&w->row);
  if (w->slot != SIZE_MAX) slot_release(w->pool, w->slot);
  w->run = NULL;
  w->slot = SIZE_MAX;
}

/* Moves to the world of a block, whose use it takes over. */
static int worker_enter(struct worker *w, size_t slot) {
  if (w->slot == slot) {
    slot_release(w->pool, slot); /* it has a use already */
    return 0;
  }
  worker_leave(w);
  w->slot = slot;
  int ret = slot_ready(w->pool, slot);
  if (ret == 0) ret = sim_row_init(&w->row, &w->pool->layouts[slot % w->pool->design->arms]);
  if (ret == 0 && w->pool->slot[slot].world) ret = sim_run_create(&w->run, w->pool->slot[slot].world);
  return ret;
}

static int make_run(struct worker *w, size_t replicate) {
  struct sim_pool *pool = w->pool;
  size_t arm = w->slot % pool->design->arms, point = w->slot / pool->design->arms;
  int ret = 0;
  if (w->run) {
    w->row.error[0] = 0;
    ret = sim_run_execute(w->run, replicate, pool->design->fresh ? point : 0, &w->row);
  } else {
    sim_row_fail(&w->row, &pool->layouts[arm], pool->slot[w->slot].error);
  }
  if (ret) return ret;
  ret = sim_journal_append(w->journal, arm, point, replicate, &w->row);
  if (ret) return ret;
  atomic_fetch_add(&pool->done, 1);
  if (w->row.error[0]) atomic_fetch_add(&pool->failed, 1);
  return 0;
}

static int make_block(struct worker *w, const struct run_block *b) {
  int ret = worker_enter(w, b->slot);
  double start = monotonic();
  size_t made = 0;
  for (size_t r = b->first; ret == 0 && r < b->last && !is_stopped(w->pool); r++) {
    if (!is_asked(w->pool, b->slot * w->pool->design->replicates + r)) continue;
    ret = make_run(w, r);
    made++;
  }
  if (made) {
    double seconds = (monotonic() - start) / (double)made + 1e-9;
    w->seconds = w->seconds > 0 ? (w->seconds + seconds) / 2 : seconds;
  }
  return ret;
}

static void pool_fail(struct sim_pool *pool, int ret, const char *why) {
  pthread_mutex_lock(&pool->lock);
  if (!pool->ret) {
    pool->ret = ret;
    snprintf(pool->why, sizeof pool->why, "%s", why && *why ? why : sim_err_text(ret));
  }
  pthread_mutex_unlock(&pool->lock);
  atomic_store(&pool->halt, true);
}

static void *work(void *ctx) {
  struct worker *w = ctx;
  struct sim_pool *pool = w->pool;
  struct run_block block;
  int ret = sim_journal_open(&w->journal, pool->journals, w->index);
  while (ret == 0 && !is_stopped(pool) && take_block(pool, w->seconds, &block)) ret = make_block(w, &block);
  worker_leave(w);
  if (ret == 0) ret = sim_journal_flush(w->journal);
  if (ret) pool_fail(pool, ret, ret == SIM_ERR_IO && w->journal ? sim_journal_error(w->journal) : NULL);
  int closed = sim_journal_close(w->journal);
  if (ret == 0 && closed) pool_fail(pool, closed, NULL);
  pthread_mutex_lock(&pool->lock);
  pool->running--;
  pthread_cond_signal(&pool->ended);
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

/* ---- the pool ------------------------------------------------------------------------------------------------ */

/* Rank 0: answers what other ranks asked meanwhile. The lock is held. */
static void hear_others(struct sim_pool *pool) {
  struct sim_mpi_message m;
  while (sim_mpi_others(pool->mpi) && sim_mpi_hear(pool->mpi, &m)) {
    atomic_fetch_add(&pool->done, m.made);
    atomic_fetch_add(&pool->failed, m.failed);
    if (!m.left) sim_mpi_answer(pool->mpi, m.rank, cut_range(pool, m.wanted));
    if (m.code && !pool->ret) {
      pool->ret = m.code;
      snprintf(pool->why, sizeof pool->why, "%s", *m.why ? m.why : sim_err_text(m.code));
      atomic_store(&pool->halt, true);
    }
  }
}

/* Waits by the monotonic clock: the time of day may be set while a batch runs. */
static void init_condition(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
}

static void wait_for_workers(struct sim_pool *pool, void (*tick)(void *ctx), void *ctx) {
  double ticked = monotonic();
  pthread_mutex_lock(&pool->lock);
  while (pool->running || sim_mpi_others(pool->mpi)) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += sim_mpi_others(pool->mpi) ? HEAR_NS : TICK_NS;
    if (until.tv_nsec >= 1000000000L) until.tv_nsec -= 1000000000L, until.tv_sec++;
    pthread_cond_timedwait(&pool->ended, &pool->lock, &until);
    hear_others(pool);
    pthread_mutex_unlock(&pool->lock);
    double now = monotonic();
    if (tick && (now - ticked) * 1e9 >= 0.9 * TICK_NS) {
      tick(ctx);
      ticked = now;
    }
    pthread_mutex_lock(&pool->lock);
  }
  pthread_mutex_unlock(&pool->lock);
}

int sim_pool_run(struct sim_pool *pool, void (*tick)(void *ctx), void *ctx) {
  struct worker *worker = sim_calloc(pool->jobs, sizeof *worker);
  pthread_t *thread = sim_calloc(pool->jobs, sizeof *thread);
  if (!worker || !thread) {
    sim_free(worker);
    sim_free(thread);
    return SIM_ERR_MEMORY;
  }
  pthread_mutex_init(&pool->lock, NULL);
  pthread_mutex_init(&pool->planning, NULL);
  init_condition(&pool->ended);
  pool->cursor = pool->swept = 0;
  pool->at = pool->handed = pool->told = pool->told_failed = 0;
  pool->range = (struct sim_mpi_range){0, 0};
  sim_mpi_begin(pool->mpi);
  unsigned started = 0;
  for (; started < pool->jobs && !atomic_load(&pool->halt); started++) {
    worker[started] = (struct worker){.pool = pool, .index = started, .slot = SIZE_MAX};
    pthread_mutex_lock(&pool->lock);
    pool->running++;
    pthread_mutex_unlock(&pool->lock);
    int failed = pthread_create(&thread[started], NULL, work, &worker[started]);
    if (failed) {
      pthread_mutex_lock(&pool->lock);
      pool->running--;
      pthread_mutex_unlock(&pool->lock);
      if (started == 0) {
        char why[128];
        snprintf(why, sizeof why, "no thread can be started (too little memory, or too many processes): %s",
                 strerror(failed));
        pool_fail(pool, SIM_ERR_LIMIT, why);
      }
      break; /* fewer threads do */
    }
  }
  wait_for_workers(pool, tick, ctx);
  for (unsigned i = 0; i < started; i++) pthread_join(thread[i], NULL);
  pthread_mutex_destroy(&pool->lock);
  pthread_mutex_destroy(&pool->planning);
  pthread_cond_destroy(&pool->ended);
  sim_free(worker);
  sim_free(thread);
  if (pool->ret) return pool->ret;
  if (sim_mpi_rank(pool->mpi)) return 0;
  return atomic_load(&pool->done) < pool->asked ? SIM_ERR_INTERRUPTED : 0;
}
