/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run: one replicate of a world, from the first event to the horizon. */
#include "sim/core/budget.h"
#include "sim/core/recorder.h"
#include "sim/core/run_internal.h"
#include "sim/core/server.h"
#include "sim/core/society.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int64_t sim_now(const struct sim_run *run) {
  return run->now;
}
int64_t sim_horizon(const struct sim_run *run) {
  return run->world->horizon;
}
const struct sim_rng *sim_run_rng(const struct sim_run *run) {
  return &run->rng;
}
uint64_t sim_run_replicate(const struct sim_run *run) {
  return run->replicate;
}
bool sim_run_is_twin(const struct sim_run *run) {
  return run->twin;
}
const struct sim_graph *sim_run_graph(const struct sim_run *run, uint32_t layer) {
  return run->graph[layer];
}
const struct sim_population *sim_run_population(const struct sim_run *run, uint32_t population) {
  return &run->world->population[population];
}
void *sim_run_state(const struct sim_run *run, const struct sim_instance *instance) {
  return run->state[instance->index];
}
bool sim_run_failed(const struct sim_run *run) {
  return run->error[0] != '\0';
}

void sim_run_fail(struct sim_run *run, const char *fmt, ...) {
  if (run->error[0]) return;
  va_list args;
  va_start(args, fmt);
  vsnprintf(run->error, sizeof run->error, fmt, args);
  va_end(args);
  run->until = -1;
}

void sim_run_out_of_memory(struct sim_run *run, const char *what) {
  run->no_memory = true;
  sim_run_fail(run, "out of memory for %s", what);
}

enum {
  GROUP = SIM_FORESEEN,
  STAGES = 3
};                            /* reminders that are foreseen together; stage s comes STAGES - s groups ahead */
#define DWELLS (SIM_NONE - 1) /* agenda_of: exits from states, of the machine that n names */

/* ---- events ---------------------------------------------------------------------------------------------------- */

static uint64_t order_of(const struct sim_run *run, int64_t tick, unsigned rank) {
  uint64_t round = tick == run->now ? (uint64_t)(run->round + 1) : 0;
  return round << 16 | rank;
}

void sim_schedule(struct sim_run *run, const struct sim_instance *self, unsigned kind, uint32_t entity, uint32_t n,
                  int64_t tick, sim_handle *handle) {
  if (tick == SIM_NEVER || run->error[0]) {
    if (handle) sim_cancel(run, handle);
    return;
  }
  sim_bug_assert(tick >= run->now);
  struct sim_key key = {tick, order_of(run, tick, sim_rank_of(run->world, self->index, kind)),
                        (uint64_t)entity << 32 | n};
  int ret = handle && *handle ? sim_queue_move(&run->queue, *handle, &key) : sim_queue_push(&run->queue, &key, handle);
  if (ret) sim_run_out_of_memory(run, "pending events");
}

void sim_cancel(struct sim_run *run, sim_handle *handle) {
  if (*handle) sim_queue_cancel(&run->queue, *handle);
}

int64_t sim_scheduled(const struct sim_run *run, sim_handle handle) {
  return handle ? sim_queue_key(&run->queue, handle)->tick : SIM_NEVER;
}

/* ---- expected events -------------------------------------------------------------------------------------------- */

int sim_agenda_open(struct sim_run *run, const struct sim_instance *self, unsigned kind, int64_t *first, size_t stride,
                    uint32_t *agenda) {
  struct sim_agenda *grown = sim_grow(run->agenda, &run->agenda_cap, run->agendas + 1u, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  run->agenda = grown;
  *agenda = run->agendas++;
  bool dwell = kind == sim_engine_kind(self, SIM_EV_DWELL);
  uint16_t rank = sim_rank_of(run->world, self->index, kind);
  bool foreseen = dwell ? sim_machine_goes_on(&run->world->machine[*agenda]) : self->model->foresee != NULL;
  run->agenda[*agenda] =
      (struct sim_agenda){(char *)first, stride, self->index, kind, dwell ? *agenda : SIM_NONE, rank, foreseen};
  run->agenda_of[rank] = dwell ? DWELLS : *agenda;
  return 0;
}

void sim_foresee_all_exits(struct sim_run *run, const struct sim_instance *self) {
  run->agenda[self->machine].foreseen = true;
}

/* The `n` of its events. */
static uint32_t number_of(const struct sim_agenda *a) {
  return a->machine == SIM_NONE ? 0 : a->machine;
}

static void key_of(const struct sim_run *run, const struct sim_radix_item *e, uint64_t order, struct sim_key *key) {
  const struct sim_agenda *a = &run->agenda[e->b];
  *key = (struct sim_key){e->tick, order, (uint64_t)e->a << 32 | number_of(a)};
}

/* Consequences at the same instant, in a later round, are the queue's. */
static int remind(struct sim_run *run, const struct sim_radix_item *e, uint64_t order) {
  if (e->tick >= run->bottom.later.end) return sim_radix_push(&run->bottom.later, *e);
  if (order >> 16 == 0 && run->bottom.n - run->bottom.at < SIM_BOTTOM_MOST)
    return sim_bottom_insert(&run->bottom, run->agenda, e);
  if (run->queue.n >= run->bottom.queue_limit) {
    int ret = sim_bottom_wake(&run->bottom, run->now, run->queue.n);
    if (ret) return ret;
    if (e->tick >= run->bottom.later.end) return sim_radix_push(&run->bottom.later, *e);
  }
  struct sim_key key;
  key_of(run, e, order, &key);
  return sim_queue_push(&run->queue, &key, NULL);
}

/* The field's form of an event in this round (0: of a later instant). */
static int64_t in_round(int64_t tick, uint64_t round) {
  return round ? -1 - (int64_t)round : tick;
}

void sim_expect(struct sim_run *run, uint32_t agenda, uint32_t entity, int64_t tick) {
  const struct sim_agenda *a = &run->agenda[agenda];
  int64_t *field = sim_agenda_field(a, entity);
  if (tick > run->until) {
    *field = run->error[0] ? SIM_NEVER : tick;
    return;
  }
  sim_bug_assert(tick >= run->now);
  uint64_t order = order_of(run, tick, a->rank);
  int64_t value = in_round(tick, order >> 16);
  if (*field == value) return;
  *field = value;
  struct sim_radix_item e = {tick, entity, agenda};
  if (remind(run, &e, order)) sim_run_out_of_memory(run, "pending events");
}

static const char *event_name(const struct sim_instance *i, unsigned local) {
  static const char *const engine[SIM_EV_COUNT] = {"dwell", "moment", "done", "resize", "dispatch", "abandon"};
  unsigned own = sim_engine_kind(i, 0);
  return local < own ? i->model->events[local].name : engine[local - own];
}

/* An event that may be taken. */
struct due {
  int64_t *field; /* of an expected one, which is cleared when it is taken; or NULL */
  int64_t tick;
  uint64_t order; /* as of struct sim_key */
  uint32_t instance;
  unsigned local;
  uint32_t entity, n;
};

static __attribute__((noinline)) void trace(const struct sim_run *run, const struct sim_instance *i, unsigned local,
                                            uint32_t entity, uint32_t n) {
  const struct sim_trace *t = run->trace;
  if (t->event) t->event(t->ctx, sim_days(run->now), i->name, event_name(i, local), entity, n);
}

static void dispatch(struct sim_run *run, const struct due *due) {
  const struct sim_instance *i = &run->world->instance[due->instance];
  unsigned own = sim_engine_kind(i, 0);
  if (run->trace) trace(run, i, due->local, due->entity, due->n);
  if (due->local < own) {
    struct sim_event ev = {due->tick, due->local, due->entity, due->n};
    i->model->event(run, i, run->state[due->instance], &ev);
    return;
  }
  unsigned engine = due->local - own;
  if (engine == SIM_EV_DWELL)
    sim_machine_dwell_over(run, due->n, due->entity);
  else if (engine == SIM_EV_MOMENT)
    sim_moment_due(run, due->entity);
  else
    sim_server_event(run->server[i->server], engine - SIM_EV_SERVED, due->n);
}

/* A reminder in the heap that agrees with its field no longer, or a queued event that was never one: whether to drop
 * it. The field of one that fires is cleared. */
static bool stale(struct sim_run *run, const struct sim_key *key) {
  uint32_t agenda = run->agenda_of[key->order & 0xffff];
  if (agenda == SIM_NONE) return false;
  if (agenda == DWELLS) agenda = (uint32_t)key->subject;
  int64_t *field = sim_agenda_field(&run->agenda[agenda], (uint32_t)(key->subject >> 32));
  if (*field != in_round(key->tick, key->order >> 16)) return true;
  *field = SIM_NEVER;
  return false;
}

/* Events of one kind: the model's matter, or, of exits whose model has no say, the next exits'. */
static void foresee_kind(const struct sim_run *run, const struct sim_agenda *a, const struct sim_foreseen *f,
                         unsigned stage) {
  const struct sim_instance *self = &run->world->instance[a->instance];
  if (self->model->foresee) {
    self->model->foresee(run, self, run->state[a->instance], f, stage);
    return;
  }
  uint8_t to[GROUP];
  int64_t tick[GROUP];
  if (stage < STAGES - 1) return;
  for (uint32_t i = 0; i < f->n; i++) to[i] = sim_planned_state(run, a->machine, f->entity[i]);
  sim_foresee_exits(run, a->machine, f, to, tick);
}

/* Lets the models touch what the reminders of a group will need, those of one agenda together. A touch of memory that
 * is far holds up what comes after it until its address is translated, so they cost least side by side. */
static void foresee(const struct sim_run *run, uint32_t group, unsigned stage) {
  const struct sim_bottom *b = &run->bottom;
  uint32_t first = group * GROUP, n = first < b->n ? b->n - first : 0, entity[GROUP];
  const struct sim_radix_item *item = b->item + first;
  int64_t tick[GROUP];
  if (n > GROUP) n = GROUP;
  uint32_t left = 0;
  for (uint32_t i = 0; i < n; i++) {
    const struct sim_agenda *a = &run->agenda[item[i].b];
    if (stage == 0) __builtin_prefetch(sim_agenda_field(a, item[i].a), 1);
    left |= (uint32_t)a->foreseen << i;
  }
  while (left) {
    uint32_t agenda = item[__builtin_ctz(left)].b;
    const struct sim_agenda *a = &run->agenda[agenda];
    struct sim_foreseen f = {a->machine == SIM_NONE ? a->local : SIM_EXITS, 0, entity, tick};
    for (uint32_t rest = left; rest; rest &= rest - 1) {
      const struct sim_radix_item *e = &item[__builtin_ctz(rest)];
      if (e->b != agenda) continue;
      left &= ~(rest & -rest);
      entity[f.n] = e->a;
      tick[f.n] = e->tick;
      f.n += stage == 0 || *sim_agenda_field(a, e->a) == e->tick;
    }
    if (f.n) foresee_kind(run, a, &f, stage);
  }
}

/* A new bottom, and a first look at what comes first in it. */
static bool advance(struct sim_run *run) {
  if (sim_bottom_advance(&run->bottom, run->agenda, run->queue.n)) {
    sim_run_out_of_memory(run, "pending events");
    return false;
  }
  for (unsigned stage = 0; stage < STAGES; stage++)
    for (uint32_t group = 0; group < STAGES - stage; group++) foresee(run, group, stage);
  return true;
}

/* The bottom's first reminder is taken: the next groups come closer. */
static void take(struct sim_run *run) {
  uint32_t group = run->bottom.at++ / GROUP;
  for (; run->bottom.group <= group; run->bottom.group++)
    for (unsigned stage = 0; stage < STAGES; stage++) foresee(run, run->bottom.group + STAGES - stage, stage);
}

/* The store's first reminder that is not stale; false if there is none, or if the heap's first, of tick *heap, comes
 * before it. */
static bool next_expected(struct sim_run *run, int64_t *heap, struct due *due) {
  struct sim_bottom *s = &run->bottom;
  struct sim_key key;
  for (;;) {
    int64_t top = *heap = sim_queue_first(&run->queue);
    for (; s->at < s->n; s->at++) {
      const struct sim_radix_item *e = &s->item[s->at];
      const struct sim_agenda *a = &run->agenda[e->b];
      int64_t *field = sim_agenda_field(a, e->a);
      if (*field != e->tick) continue;
      *due = (struct due){field, e->tick, a->rank, a->instance, a->local, e->a, number_of(a)};
      if (e->tick != top) return e->tick < top;
      key_of(run, e, a->rank, &key);
      return sim_key_less(&key, sim_queue_top(&run->queue));
    }
    if (s->later.end == SIM_NEVER || top < s->later.end) return false;
    if (!advance(run)) return false;
  }
}

/* Takes the next event, of the heap or of the store; false at the end. */
static bool next(struct sim_run *run, struct due *due) {
  for (;;) {
    int64_t top;
    bool expected = next_expected(run, &top, due);
    if (expected) { /* never beyond the horizon: it would not be in the store */
      *due->field = SIM_NEVER;
      take(run);
      return true;
    }
    if (top > run->until) return false;
    struct sim_key key;
    sim_queue_pop(&run->queue, &key);
    if (stale(run, &key)) continue;
    const struct sim_kind_desc *kind = &run->world->kind[key.order & 0xffff];
    *due = (struct due){.tick = key.tick,
                        .order = key.order,
                        .instance = kind->instance,
                        .local = kind->local,
                        .entity = (uint32_t)(key.subject >> 32),
                        .n = (uint32_t)key.subject};
    return true;
  }
}

/* The main loop. Consequences at the same instant run in the next round; a limit on rounds reports a cycle. */
static void loop(struct sim_run *run) {
  uint64_t last = 0;
  struct due due;
  while (!run->error[0] && next(run, &due)) {
    if (due.tick > run->now)
      sim_recorder_advance(run, due.tick);
    else
      sim_bug_assert(due.tick == run->now && due.order >= last);
    last = due.order;
    run->now = due.tick;
    run->round = (int64_t)(due.order >> 16);
    if (run->round > SIM_MAX_ROUNDS) {
      sim_run_fail(run, "a cycle of consequences at day %.9g did not end within %d rounds", sim_days(run->now),
                   SIM_MAX_ROUNDS);
      break;
    }
    run->events++;
    dispatch(run, &due);
  }
}

/* ---- life of a run --------------------------------------------------------------------------------------------- */

void sim_run_free(struct sim_run *run) {
  if (!run) return;
  const struct sim_world *w = run->world;
  for (uint32_t i = 0; run->state && i < w->instances; i++) {
    if (run->state[i] && w->instance[i].model->close) w->instance[i].model->close(run->state[i]);
    sim_free(run->state[i]);
  }
  for (uint32_t m = 0; run->machine && m < w->machines; m++) sim_machine_close(&run->machine[m]);
  if (run->knob) sim_knobs_close(run);
  for (uint32_t l = 0; run->graph && run->graph_owned && l < w->layers; l++)
    if (run->graph_owned[l]) sim_graph_free(run->graph[l]);
  for (uint32_t s = 0; run->server && s < w->servers; s++) sim_server_close(run->server[s]);
  sim_recorder_free(run->recorder);
  sim_queue_free(&run->queue);
  sim_bottom_free(&run->bottom);
  sim_free(run->agenda);
  sim_free(run->agenda_of);
  sim_free(run->state);
  sim_free(run->machine);
  sim_free(run->knob);
  sim_free(run->observed);
  sim_free(run->moment_occurrences);
  sim_free(run->moment_true);
  sim_free(run->graph);
  sim_free(run->graph_owned);
  sim_free(run->graph_block);
  sim_free(run->server);
  sim_free(run->cost);
  sim_free(run);
}

static void *array(size_t n, size_t size) {
  return sim_calloc(n ? n : 1, size);
}

static int open_parts(struct sim_run *run) {
  const struct sim_world *w = run->world;
  for (uint32_t k = 0; k < w->kinds; k++) run->agenda_of[k] = SIM_NONE;
  sim_bottom_reset(&run->bottom);
  int ret = sim_knobs_open(run);
  for (uint32_t m = 0; !ret && m < w->machines; m++) {
    ret = sim_machine_open(run, m);
    run->observed[w->machine[m].observable + w->machine[m].rest] = run->machine[m].touched.size;
  }
  for (uint32_t s = 0; !ret && s < w->servers; s++)
    ret = sim_server_open(&run->server[s], w->server[s], run, &sim_server_engine);
  for (uint32_t i = 0; !ret && i < w->instances; i++) {
    const struct sim_model *model = w->instance[i].model;
    run->state[i] = array(1, model->state_size);
    if (!run->state[i]) return SIM_ERR_MEMORY;
    if (model->open) ret = model->open(run, &w->instance[i], run->state[i]);
  }
  return ret ? ret : sim_recorder_create(&run->recorder, w);
}

int sim_run_create(struct sim_run **out, const struct sim_world *world) {
  *out = NULL;
  struct sim_run *run = array(1, sizeof *run);
  if (!run) return SIM_ERR_MEMORY;
  run->world = world;
  run->machine = array(world->machines, sizeof *run->machine);
  run->knob = array(world->knobs, sizeof *run->knob);
  run->observed = array(world->observables, sizeof *run->observed);
  run->moment_occurrences = array(world->moments, sizeof *run->moment_occurrences);
  run->moment_true = array(world->moments, sizeof *run->moment_true);
  run->graph = array(world->layers, sizeof *run->graph);
  run->graph_owned = array(world->layers, sizeof *run->graph_owned);
  run->graph_block = array(world->layers, sizeof *run->graph_block);
  run->server = array(world->servers, sizeof *run->server);
  run->cost = array(world->costs, sizeof *run->cost);
  run->agenda_of = array(world->kinds, sizeof *run->agenda_of);
  run->state = array(world->instances, sizeof *run->state);
  int ret = SIM_ERR_MEMORY;
  if (run->machine && run->knob && run->observed && run->moment_occurrences && run->moment_true && run->graph &&
      run->graph_owned && run->graph_block && run->server && run->cost && run->agenda_of && run->state)
    ret = open_parts(run);
  if (ret) {
    sim_run_free(run);
    return ret;
  }
  *out = run;
  return 0;
}

void sim_run_trace(struct sim_run *run, const struct sim_trace *trace) {
  run->trace = trace;
}

static void begin(struct sim_run *run) {
  const struct sim_world *w = run->world;
  run->now = 0;
  run->round = -1;
  run->events = 0;
  run->error[0] = '\0';
  run->until = w->horizon < SIM_NEVER ? w->horizon : SIM_NEVER - 1;
  run->beginning = true;
  sim_society_draw_graphs(run);
  sim_recorder_begin(run);
  sim_moments_begin(run);
  for (uint32_t m = 0; m < w->machines; m++) sim_machine_begin(run, m);
  for (uint32_t s = 0; s < w->servers; s++) sim_server_begin(run->server[s], &run->rng);
  for (uint32_t i = 0; i < w->instances; i++)
    if (w->instance[i].model->begin) w->instance[i].model->begin(run, &w->instance[i], run->state[i]);
  run->beginning = false;
  sim_recorder_begun(run);
  sim_moments_begun(run);
}

/* Everything back to rest; what the run did not touch is not visited. */
static void reset(struct sim_run *run) {
  const struct sim_world *w = run->world;
  sim_queue_clear(&run->queue);
  sim_bottom_reset(&run->bottom);
  for (uint32_t m = 0; m < w->machines; m++) sim_machine_reset(run, m);
  sim_knobs_reset(run);
  for (uint32_t o = 0; o < w->observables; o++) run->observed[o] = 0;
  for (uint32_t m = 0; m < w->machines; m++)
    run->observed[w->machine[m].observable + w->machine[m].rest] = w->population[w->machine[m].population].size;
  for (uint32_t c = 0; c < w->costs; c++) run->cost[c] = 0;
}

/* The columns of the budget's lines, which end where those of costs begin. */
static void spend_budget(const struct sim_world *w, double *end) {
  const struct sim_value *lines = sim_budget_lines(w->root);
  for (size_t i = 0; lines && i < lines->n; i++)
    *(end - lines->n + i) =
        sim_budget_spend(sim_value_find(w->root, "budget"), &lines->items[i]) * w->horizon_days / 365.25;
}

/* The replicate from the start to the horizon. */
static void course(struct sim_run *run, struct sim_row *row) {
  const struct sim_world *w = run->world;
  begin(run);
  if (!run->error[0]) loop(run);
  if (!run->error[0] && w->horizon > run->now) sim_recorder_advance(run, w->horizon);
  run->now = w->horizon;
  for (size_t c = 0; c < w->columns; c++) row->columns[c] = (double)NAN;
  run->column = row->columns;
  for (uint32_t s = 0; s < w->servers; s++) sim_server_settle(run->server[s], w->horizon);
  sim_recorder_end(run, row);
  for (uint32_t i = 0; i < w->instances; i++)
    if (w->instance[i].model->end) w->instance[i].model->end(run, &w->instance[i], run->state[i]);
  double *cost = row->columns + w->columns - w->costs;
  spend_budget(w, cost);
  for (uint32_t c = 0; c < w->costs; c++) cost[c] = run->cost[c];
  run->column = NULL;
  row->events = run->events;
  memcpy(row->error, run->error, sizeof row->error);
  if (run->error[0])
    for (size_t c = 0; c < w->columns; c++)
      row->columns[c] = w->column[c].dtype == SIM_FLAG ? SIM_STATUS_FAILED : (double)NAN;
  reset(run);
}

/* The replicate without incidents, whose course the recorder keeps to compare with. Whether it was good. */
static bool twin(struct sim_run *run, struct sim_row *row) {
  const struct sim_trace *trace = run->trace;
  run->trace = NULL;
  run->twin = true;
  course(run, row);
  run->twin = false;
  run->trace = trace;
  if (!run->error[0]) return true;
  snprintf(row->error, sizeof row->error, "without incidents: %.170s", run->error);
  return false;
}

int sim_run_execute(struct sim_run *run, uint64_t replicate, uint64_t point, struct sim_row *row) {
  const struct sim_world *w = run->world;
  run->replicate = replicate;
  run->point = point;
  sim_rng_init(&run->rng, w->seed, replicate, point);
  run->no_memory = false;
  if (!sim_recorder_needs_twin(w->recorder) || twin(run, row)) course(run, row);
  return run->no_memory ? SIM_ERR_MEMORY : 0;
}

bool sim_incident_passes(struct sim_run *run, const struct sim_attempt *attempt) {
  const struct sim_world *w = run->world;
  bool passes = true;
  for (uint32_t i = 0; i < w->instances; i++) /* the last may see what the first has stopped */
    if (w->instance[i].model->gate)
      passes = w->instance[i].model->gate(run, &w->instance[i], run->state[i], attempt) && passes;
  return passes;
}

void sim_incident(struct sim_run *run, const struct sim_instance *self) {
  sim_recorder_incident(run, self);
}

void sim_spend(struct sim_run *run, uint32_t cost, double amount) {
  run->cost[cost] += amount;
}

void sim_output(struct sim_run *run, const struct sim_instance *self, unsigned output, double value) {
  sim_bug_assert(run->column != NULL);
  run->column[run->world->output_base[self->index] + output] = value;
}
