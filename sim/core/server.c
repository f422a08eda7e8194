/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Servers: the queue, the places, preemption, patience and backlogs (see server.h). */
#include "sim/core/server.h"
#include <string.h>

/* Jobs live in blocks, because the event queue keeps the addresses of their handles. */
#define BLOCK_BITS 8
#define BLOCK      (1u << BLOCK_BITS)
#define UNLIMITED  UINT32_MAX
#define NO_SLOT    UINT32_MAX

enum place { FREE, WAITING, RUNNING };

struct slot {
  struct sim_job job;
  int64_t left;      /* ticks of work still to do */
  int64_t since;     /* tick at which the present spell of work began */
  sim_handle handle; /* pending completion (running) or end of patience (waiting) */
  uint32_t owner;    /* in the plan */
  uint32_t position; /* in the heap it stands in; of a free slot: the next free one */
  uint32_t class;
  enum place place;
  bool pulled; /* came from a backlog: never waited */
};

struct entry { /* the part of a job's order that seldom ties */
  double rank;
  int64_t submitted;
  int priority;
  uint32_t slot;
};

/* 4-ary implicit heap of jobs; `reverse`: the last in order is on top. */
struct heap {
  struct entry *at;
  size_t n, cap;
  bool reverse;
};

struct sim_server {
  const struct sim_server_plan *plan;
  struct sim_run *run;
  const struct sim_server_calls *calls;
  const struct sim_rng *rng;
  struct slot **block;
  size_t blocks, blocks_cap;
  uint32_t used, free_slot; /* slots handed out so far; head of the free list */
  struct heap queue;
  struct heap running;   /* only of a preemptive server: whom to displace */
  uint32_t busy, places; /* places: of the size, those that are staffed */
  uint32_t size, absent;
  uint32_t most;       /* places that may be without anyone at work: the largest size, or 0 */
  bool *away;          /* [most] those that are */
  double speed;        /* work done per unit of time, now */
  size_t step;         /* next step of the size */
  bool asked;          /* a dispatch is pending */
  bool *dry;           /* [owners] the backlog had nothing when last asked */
  int64_t now;         /* tick of the call under way */
  uint32_t shown_busy; /* the observables as they were last set */
  size_t shown_queue;
  int64_t settled; /* tick up to which the integrals reach */
  double busy_days, queue_days, place_days, absent_days;
  struct sim_server_totals *total; /* [classes] */
  uint64_t *above;                 /* [watches] */
};

static void set_clock(struct sim_server *s) {
  s->now = s->calls->now(s->run);
}

static struct slot *slot_of(const struct sim_server *s, uint32_t i) {
  return &s->block[i >> BLOCK_BITS][i & (BLOCK - 1)];
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

static bool before(const struct sim_server *s, const struct entry *a, const struct entry *b) {
  if (a->priority != b->priority) return a->priority < b->priority;
  if (a->rank < b->rank) return true;
  if (a->rank > b->rank) return false;
  if (a->submitted != b->submitted) return a->submitted < b->submitted;
  const struct slot *x = slot_of(s, a->slot), *y = slot_of(s, b->slot);
  if (x->owner != y->owner) return x->owner < y->owner;
  if (x->job.entity != y->job.entity) return x->job.entity < y->job.entity;
  if (x->job.tag != y->job.tag) return x->job.tag < y->job.tag;
  return a->slot < b->slot;
}

static bool above(const struct sim_server *s, const struct heap *h, const struct entry *a, const struct entry *b) {
  return h->reverse ? before(s, b, a) : before(s, a, b);
}

static void put(struct sim_server *s, struct heap *h, size_t i, const struct entry *e) {
  struct entry *at = &h->at[i];
  at->rank = e->rank;
  at->submitted = e->submitted;
  at->priority = e->priority;
  at->slot = e->slot;
  slot_of(s, e->slot)->position = (uint32_t)i;
}

static void sift_up(struct sim_server *s, struct heap *h, size_t i, const struct entry *e) {
  while (i) {
    size_t parent = (i - 1) / 4;
    if (!above(s, h, e, &h->at[parent])) break;
    put(s, h, i, &h->at[parent]);
    i = parent;
  }
  put(s, h, i, e);
}

static void sift_down(struct sim_server *s, struct heap *h, size_t i, const struct entry *e) {
  for (;;) {
    size_t first = 4 * i + 1, last = first + 4 < h->n ? first + 4 : h->n, best = first;
    if (first >= h->n) break;
    for (size_t c = first + 1; c < last; c++)
      if (above(s, h, &h->at[c], &h->at[best])) best = c;
    if (!above(s, h, &h->at[best], e)) break;
    put(s, h, i, &h->at[best]);
    i = best;
  }
  put(s, h, i, e);
}

static bool heap_add(struct sim_server *s, struct heap *h, uint32_t slot) {
  if (h->n == h->cap) {
    struct entry *at = sim_grow(h->at, &h->cap, h->n + 1, sizeof *at);
    if (!at) {
      s->calls->fail(s->run, "out of memory for the jobs of %s", s->plan->self->path);
      return false;
    }
    h->at = at;
  }
  const struct sim_job *job = &slot_of(s, slot)->job;
  struct entry e = {job->rank, job->submitted, job->priority, slot};
  sift_up(s, h, h->n++, &e);
  return true;
}

static void heap_remove(struct sim_server *s, struct heap *h, uint32_t slot) {
  size_t i = slot_of(s, slot)->position;
  struct entry last = h->at[--h->n];
  if (i == h->n) return;
  if (i && above(s, h, &last, &h->at[(i - 1) / 4]))
    sift_up(s, h, i, &last);
  else
    sift_down(s, h, i, &last);
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

static uint32_t take_slot(struct sim_server *s) {
  uint32_t i = s->free_slot;
  if (i != NO_SLOT) {
    s->free_slot = slot_of(s, i)->position;
    return i;
  }
  if (s->used == s->blocks * BLOCK) {
    struct slot **blocks = sim_grow(s->block, &s->blocks_cap, s->blocks + 1, sizeof *blocks);
    if (blocks) s->block = blocks;
    struct slot *block = blocks ? sim_calloc(BLOCK, sizeof *block) : NULL;
    if (!block) {
      s->calls->fail(s->run, "out of memory for the jobs of %s", s->plan->self->path);
      return NO_SLOT;
    }
    s->block[s->blocks++] = block;
  }
  return s->used++;
}

static void give_slot(struct sim_server *s, uint32_t i) {
  struct slot *x = slot_of(s, i);
  x->place = FREE;
  x->position = s->free_slot;
  s->free_slot = i;
}

static uint32_t class_of(const struct sim_server *s, int priority) {
  uint32_t c = 0;
  while (c < s->plan->classes && s->plan->priority[c] != priority) c++;
  sim_bug_assert(c < s->plan->classes); /* sim_builder_works_for declares the classes */
  return c;
}

static uint32_t owner_of(const struct sim_server *s, const struct sim_instance *owner) {
  uint32_t i = 0;
  while (i < s->plan->owners && s->plan->owner[i].instance != owner) i++;
  sim_bug_assert(i < s->plan->owners);
  return i;
}

/* A slot for a job of an owner and class, or NO_SLOT after failing the run. */
static uint32_t new_job(struct sim_server *s, uint32_t owner, uint32_t class, const struct sim_job *job, bool pulled) {
  uint32_t i = take_slot(s);
  if (i == NO_SLOT) return i;
  struct slot *x = slot_of(s, i);
  x->job.entity = job->entity;
  x->job.tag = job->tag;
  x->job.service = job->service;
  x->job.priority = job->priority;
  x->job.rank = job->rank;
  x->job.submitted = s->now;
  x->job.started = SIM_NEVER;
  x->left = job->service;
  x->owner = owner;
  x->class = class;
  x->pulled = pulled;
  x->handle = 0;
  return i;
}

/* ---- statistics -------------------------------------------------------------------------------------------------- */

void sim_server_settle(struct sim_server *s, int64_t tick) {
  if (tick == s->settled) return;
  double days = sim_days(tick - s->settled);
  s->settled = tick;
  s->busy_days += s->busy * days;
  s->queue_days += (double)s->queue.n * days;
  s->place_days += (s->places == UNLIMITED ? (double)INFINITY : s->places) * days;
  s->absent_days += s->absent * days;
}

static void record_wait(struct sim_server *s, const struct slot *x) {
  int64_t wait = x->job.started - x->job.submitted;
  double days = sim_days(wait);
  struct sim_server_totals *t = &s->total[x->class];
  t->started++;
  t->wait_sum += days;
  t->wait_sumsq += days * days;
  if (days > t->wait_max) t->wait_max = days;
  for (size_t i = 0; i < s->plan->watches; i++) {
    const struct sim_server_watch *w = &s->plan->watch[i];
    if ((w->any || w->priority == x->job.priority) && wait > w->above) s->above[i]++;
  }
}

/* What predicates see. Not while a dispatch is pending: a job that finds a free place was never in the queue. */
static void publish(struct sim_server *s) {
  if (s->asked) return;
  if (s->busy != s->shown_busy) {
    s->shown_busy = s->busy;
    if (s->plan->busy != SIM_NONE) s->calls->observe(s->run, s->plan->busy, s->busy);
  }
  if (s->queue.n != s->shown_queue) {
    s->shown_queue = s->queue.n;
    if (s->plan->queue != SIM_NONE) s->calls->observe(s->run, s->plan->queue, (int64_t)s->queue.n);
  }
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

static void ask(struct sim_server *s) {
  if (s->asked) return;
  s->asked = true;
  s->calls->schedule(s->run, s->plan->self, SIM_SERVER_DISPATCH, SIM_NONE, 0, s->now, NULL);
}

/* Schedules the end of the work that a running job has left, from now on. */
static void go_on(struct sim_server *s, uint32_t i) {
  struct slot *x = slot_of(s, i);
  x->since = s->now;
  int64_t ticks = x->left;
  if (s->speed != 1 && ticks != SIM_NEVER) ticks = sim_ticks(sim_days(ticks) / s->speed);
  s->calls->schedule(s->run, s->plan->self, SIM_SERVER_DONE, x->job.entity, i, sim_ticks_add(x->since, ticks),
                     &x->handle);
}

/* Takes what a running job has had since `since` off what it has left. */
static void take_off(struct sim_server *s, struct slot *x) {
  int64_t spent = s->now - x->since;
  if (s->speed != 1) spent = sim_ticks(sim_days(spent) * s->speed);
  if (x->left != SIM_NEVER) x->left = spent < x->left ? x->left - spent : 0;
}

static void start(struct sim_server *s, uint32_t i) {
  struct slot *x = slot_of(s, i);
  x->place = RUNNING;
  if (x->job.started == SIM_NEVER) {
    x->job.started = s->now;
    if (!x->pulled) record_wait(s, x);
  }
  s->busy++;
  go_on(s, i);
  if (s->plan->spec.preemptive) heap_add(s, &s->running, i);
}

/* Takes a running job from its place. */
static void stop(struct sim_server *s, uint32_t i) {
  struct slot *x = slot_of(s, i);
  if (x->handle) s->calls->cancel(s->run, &x->handle);
  if (s->plan->spec.preemptive) heap_remove(s, &s->running, i);
  s->busy--;
}

/* Starts work from the first backlog that has some, unless a queued job of its class or better comes before. */
static bool start_from_backlog(struct sim_server *s) {
  for (size_t b = 0; b < s->plan->backlogs; b++) {
    uint32_t o = s->plan->backlog[b];
    const struct sim_server_owner *owner = &s->plan->owner[o];
    if (s->queue.n && s->queue.at[0].priority <= owner->priority) return false;
    if (s->dry[o]) continue;
    struct sim_job job = {.entity = SIM_NONE, .priority = owner->priority};
    if (s->calls->pull(s->run, owner->instance, &job)) {
      uint32_t i = new_job(s, o, class_of(s, job.priority), &job, true);
      if (i == NO_SLOT) return false;
      start(s, i);
      return true;
    }
    s->dry[o] = true;
  }
  return false;
}

static bool start_from_queue(struct sim_server *s) {
  if (!s->queue.n) return false;
  uint32_t i = s->queue.at[0].slot;
  heap_remove(s, &s->queue, i);
  start(s, i);
  return true;
}

/* Displaces the last in order of the running jobs while a waiting one is of a better class. */
static void preempt(struct sim_server *s) {
  while (s->queue.n && s->running.n && s->queue.at[0].priority < s->running.at[0].priority) {
    uint32_t i = s->running.at[0].slot;
    struct slot *x = slot_of(s, i);
    take_off(s, x);
    stop(s, i);
    start_from_queue(s);
    x->place = WAITING;
    if (!heap_add(s, &s->queue, i)) return;
  }
}

static void dispatch(struct sim_server *s) {
  while (s->busy < s->places && (start_from_backlog(s) || start_from_queue(s))) continue;
  if (s->plan->spec.preemptive) preempt(s);
}

/* ---- size ----------------------------------------------------------------------------------------------------- */

/* A size that is not whole is rounded. */
static uint32_t whole(double size) {
  return size >= UNLIMITED ? UNLIMITED : (uint32_t)floor(size + 0.5);
}

static uint32_t largest(const struct sim_value *size) {
  uint32_t most = size->form == SIM_STEPS ? 0 : whole(size->number);
  for (size_t i = 0; size->form == SIM_STEPS && i < size->n; i++)
    if (whole(size->items[i].number) > most) most = whole(size->items[i].number);
  return most;
}

static void count_places(struct sim_server *s) {
  s->absent = 0;
  for (uint32_t i = 0; i < s->size && i < s->most; i++) s->absent += s->away[i];
  s->places = s->size - s->absent;
}

/* Sets the places for the clock's time and schedules the next change. */
static void resize(struct sim_server *s) {
  const struct sim_value *v = s->plan->spec.size;
  double size = v->form == SIM_STEPS ? 0 : v->number;
  if (v->form == SIM_STEPS) {
    while (s->step < v->n && sim_ticks(v->items[s->step].low) <= s->settled) s->step++;
    if (s->step) size = v->items[s->step - 1].number;
    if (s->step < v->n)
      s->calls->schedule(s->run, s->plan->self, SIM_SERVER_RESIZE, SIM_NONE, 0, sim_ticks(v->items[s->step].low), NULL);
  }
  s->size = whole(size);
  count_places(s);
}

void sim_server_staff(struct sim_server *s, uint32_t place, bool present) {
  if (place >= s->most || s->away[place] == !present) return;
  set_clock(s);
  sim_server_settle(s, s->now);
  s->away[place] = !present;
  if (place < s->size) s->absent = present ? s->absent - 1 : s->absent + 1;
  s->places = s->size - s->absent;
  if (s->busy < s->places) ask(s);
}

void sim_server_speed(struct sim_server *s, double factor) {
  set_clock(s);
  for (uint32_t i = 0; i < s->used; i++)
    if (slot_of(s, i)->place == RUNNING) take_off(s, slot_of(s, i));
  s->speed = s->plan->spec.speed * factor;
  for (uint32_t i = 0; i < s->used; i++)
    if (slot_of(s, i)->place == RUNNING) go_on(s, i);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

int sim_server_open(struct sim_server **out, const struct sim_server_plan *plan, struct sim_run *run,
                    const struct sim_server_calls *calls) {
  *out = NULL;
  struct sim_server *s = sim_calloc(1, sizeof *s);
  if (!s) return SIM_ERR_MEMORY;
  s->plan = plan;
  s->run = run;
  s->calls = calls;
  s->running.reverse = true;
  s->free_slot = NO_SLOT;
  s->dry = sim_calloc(plan->owners + 1, sizeof *s->dry);
  s->total = sim_calloc(plan->classes + 1, sizeof *s->total);
  s->above = sim_calloc(plan->watches + 1, sizeof *s->above);
  uint32_t most = plan->spec.staffed ? largest(plan->spec.size) : 0;
  s->away = sim_calloc(most + (size_t)1, sizeof *s->away);
  s->most = most;
  if (!s->dry || !s->total || !s->above || !s->away) {
    sim_server_close(s);
    return SIM_ERR_MEMORY;
  }
  *out = s;
  return 0;
}

void sim_server_close(struct sim_server *s) {
  if (!s) return;
  for (size_t b = 0; b < s->blocks; b++) sim_free(s->block[b]);
  sim_free(s->block);
  sim_free(s->queue.at);
  sim_free(s->running.at);
  sim_free(s->dry);
  sim_free(s->total);
  sim_free(s->above);
  sim_free(s->away);
  sim_free(s);
}

void sim_server_begin(struct sim_server *s, const struct sim_rng *rng) {
  s->rng = rng;
  s->queue.n = s->running.n = 0;
  s->used = 0;
  s->free_slot = NO_SLOT;
  s->busy = s->shown_busy = 0;
  s->shown_queue = 0;
  s->asked = false;
  s->step = 0;
  set_clock(s);
  s->settled = s->now;
  s->busy_days = s->queue_days = s->place_days = s->absent_days = 0;
  s->speed = s->plan->spec.speed;
  memset(s->away, 0, s->most * sizeof *s->away);
  memset(s->dry, 0, s->plan->owners * sizeof *s->dry);
  memset(s->total, 0, s->plan->classes * sizeof *s->total);
  memset(s->above, 0, s->plan->watches * sizeof *s->above);
  resize(s);
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

static bool has_room(const struct sim_server *s) {
  double places = s->places > s->busy ? (double)(s->places - s->busy) : 0;
  return (double)s->queue.n < s->plan->spec.room + places;
}

/* Patience is named by (team, entity, tag, owner), so an owner's further jobs for an entity carry other tags. */
static void schedule_patience(struct sim_server *s, uint32_t i) {
  struct slot *x = slot_of(s, i);
  if (!s->plan->spec.patience) return;
  double e = sim_rng_exponential(s->rng, s->plan->spec.patience_purpose, x->job.entity, x->job.tag,
                                 s->plan->owner[x->owner].key);
  int64_t patience = sim_ticks(sim_law_inverse(s->plan->spec.patience, e));
  s->calls->schedule(s->run, s->plan->self, SIM_SERVER_ABANDON, x->job.entity, i,
                     sim_ticks_add(x->job.submitted, patience), &x->handle);
}

uint32_t sim_server_submit(struct sim_server *s, const struct sim_instance *owner, const struct sim_job *job) {
  uint32_t o = owner_of(s, owner), class = class_of(s, job->priority);
  set_clock(s);
  sim_server_settle(s, s->now);
  s->total[class].submitted++;
  if (!has_room(s)) {
    struct sim_job refused = *job;
    refused.submitted = s->now;
    refused.started = SIM_NEVER;
    s->total[class].dropped++;
    s->calls->dropped(s->run, owner, &refused, false);
    return 0;
  }
  uint32_t i = new_job(s, o, class, job, false);
  if (i == NO_SLOT) return 0;
  slot_of(s, i)->place = WAITING;
  if (!heap_add(s, &s->queue, i)) {
    give_slot(s, i);
    return 0;
  }
  schedule_patience(s, i);
  if (s->busy < s->places || s->plan->spec.preemptive) ask(s);
  publish(s);
  return i + 1;
}

void sim_server_withdraw(struct sim_server *s, uint32_t job) {
  if (!job) return;
  uint32_t i = job - 1;
  struct slot *x = slot_of(s, i);
  sim_bug_assert(i < s->used && x->place != FREE);
  set_clock(s);
  sim_server_settle(s, s->now);
  if (x->place == RUNNING) {
    stop(s, i);
    if (s->busy < s->places) ask(s);
  } else {
    s->calls->cancel(s->run, &x->handle);
    heap_remove(s, &s->queue, i);
  }
  give_slot(s, i);
  publish(s);
}

void sim_server_wake(struct sim_server *s) {
  set_clock(s);
  memset(s->dry, 0, s->plan->owners * sizeof *s->dry);
  if (s->busy < s->places) ask(s);
}

static void finish(struct sim_server *s, uint32_t i) {
  struct slot *x = slot_of(s, i);
  sim_bug_assert(x->place == RUNNING);
  struct sim_job job = x->job;
  const struct sim_instance *owner = s->plan->owner[x->owner].instance;
  struct sim_server_totals *t = &s->total[x->class];
  t->served++;
  t->sojourn_sum += sim_days(s->now - job.submitted);
  x->handle = 0;
  stop(s, i);
  give_slot(s, i);
  s->calls->served(s->run, owner, &job);
}

static void abandon(struct sim_server *s, uint32_t i) {
  struct slot *x = slot_of(s, i);
  sim_bug_assert(x->place == WAITING);
  struct sim_job job = x->job;
  const struct sim_instance *owner = s->plan->owner[x->owner].instance;
  s->total[x->class].abandoned++;
  x->handle = 0;
  heap_remove(s, &s->queue, i);
  give_slot(s, i);
  s->calls->dropped(s->run, owner, &job, true);
}

void sim_server_event(struct sim_server *s, unsigned kind, uint32_t n) {
  set_clock(s);
  sim_server_settle(s, s->now);
  switch ((enum sim_server_event)kind) {
  case SIM_SERVER_DONE:
    finish(s, n);
    break;
  case SIM_SERVER_RESIZE:
    resize(s);
    break;
  case SIM_SERVER_DISPATCH:
    s->asked = false;
    break;
  case SIM_SERVER_ABANDON:
    abandon(s, n);
    break;
  }
  if (kind != SIM_SERVER_ABANDON) dispatch(s);
  publish(s);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

void sim_server_read(const struct sim_server *s, int priority, bool any, struct sim_server_totals *out) {
  *out = (struct sim_server_totals){.busy_days = s->busy_days,
                                    .queue_days = s->queue_days,
                                    .place_days = s->place_days,
                                    .absent_days = s->absent_days};
  for (size_t c = 0; c < s->plan->classes; c++) {
    if (!any && s->plan->priority[c] != priority) continue;
    const struct sim_server_totals *t = &s->total[c];
    out->submitted += t->submitted;
    out->started += t->started;
    out->served += t->served;
    out->dropped += t->dropped;
    out->abandoned += t->abandoned;
    out->wait_sum += t->wait_sum;
    out->wait_sumsq += t->wait_sumsq;
    if (t->wait_max > out->wait_max) out->wait_max = t->wait_max;
    out->sojourn_sum += t->sojourn_sum;
  }
}

uint64_t sim_server_above(const struct sim_server *s, size_t watch) {
  return s->above[watch];
}
