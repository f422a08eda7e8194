/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Machines: entities in named states, and the timed transitions between them. */
#include "sim/core/recorder.h"
#include "sim/core/run_internal.h"
#include <string.h>

const struct sim_entity *sim_entities(const struct sim_run *run, uint32_t machine) {
  return run->machine[machine].entity;
}
uint8_t sim_state(const struct sim_run *run, uint32_t machine, uint32_t entity) {
  return run->machine[machine].entity[entity].state;
}
uint32_t sim_incarnation(const struct sim_run *run, uint32_t machine, uint32_t entity) {
  return run->machine[machine].entity[entity].incarnation;
}
int64_t sim_entered(const struct sim_run *run, uint32_t machine, uint32_t entity) {
  return run->machine[machine].entity[entity].entered;
}
int64_t sim_planned_exit(const struct sim_run *run, uint32_t machine, uint32_t entity) {
  return sim_expected_tick(run->machine[machine].entity[entity].exit, run->now);
}
void sim_foresee_move(const struct sim_run *run, uint32_t machine, uint32_t entity) {
  __builtin_prefetch(&run->machine[machine].entity[entity], 1);
}
uint8_t sim_planned_state(const struct sim_run *run, uint32_t machine, uint32_t entity) {
  return run->world->machine[machine].transition[run->machine[machine].entity[entity].transition].to;
}
uint32_t sim_count(const struct sim_run *run, uint32_t machine, uint8_t state) {
  return (uint32_t)run->observed[run->world->machine[machine].observable + state];
}

bool sim_machine_goes_on(const struct sim_machine *m) {
  bool on = false;
  for (unsigned t = 0; t < m->transitions; t++) {
    const struct sim_transition *x = &m->transition[t];
    on |= (x->after || x->probability >= 0) && m->exits[x->to];
  }
  return on;
}

/* The branch that a keyed uniform picks among the transitions out of `state` that carry a probability; the last one
 * takes what rounding leaves. */
static unsigned pick_branch(const struct sim_machine *m, uint8_t state, double u) {
  double sum = 0;
  unsigned last = 0;
  for (unsigned t = 0; t < m->transitions; t++) {
    const struct sim_transition *x = &m->transition[t];
    if (x->from != state || x->probability < 0) continue;
    last = t;
    sum += x->probability;
    if (u < sum) return t;
  }
  return last;
}

/* Pure function of the names of its draws: (dwell of the transition, entity, incarnation). */
void sim_draw_exit(const struct sim_run *run, const struct sim_machine *m, uint32_t entity, struct sim_exit *exit) {
  const struct sim_rng *rng = &run->rng;
  double dwell = HUGE_VAL;
  unsigned branch = SIM_NONE;
  exit->transition = 0;
  if (m->exits[exit->state] == 2)
    branch =
        pick_branch(m, exit->state, sim_rng_uniform(rng, m->branch_purpose[exit->state], entity, exit->incarnation, 0));
  for (unsigned t = 0; t < m->transitions; t++) {
    const struct sim_transition *x = &m->transition[t];
    if (x->from != exit->state || (!x->after && x->probability < 0)) continue;
    if (x->probability >= 0 && t != branch) continue;
    double d = 0;
    if (x->after)
      d = sim_law_inverse(x->after, sim_rng_exponential(rng, m->dwell_purpose[t], entity, exit->incarnation, 0));
    if (d < dwell) {
      dwell = d;
      exit->transition = (uint8_t)t;
    }
  }
  exit->tick = dwell == HUGE_VAL ? SIM_NEVER : sim_ticks_add(exit->entered, sim_ticks(dwell));
}

static void schedule_exit(struct sim_run *run, const struct sim_machine *m, uint32_t entity) {
  struct sim_entity *e = &run->machine[m->index].entity[entity];
  struct sim_exit exit = {.incarnation = e->incarnation, .state = e->state, .entered = run->now};
  if (!sim_exit_ahead(run, m, entity, &exit)) sim_draw_exit(run, m, entity, &exit);
  e->transition = exit.transition;
  sim_expect(run, m->index, entity, exit.tick);
}

/* Those who start in a state that is left by itself: a pass over all entities, only where the state at rest is such. */
void sim_machine_begin(struct sim_run *run, uint32_t machine) {
  const struct sim_machine *m = &run->world->machine[machine];
  if (!m->exits[m->rest]) return;
  for (uint32_t e = 0; e < run->world->population[m->population].size; e++) schedule_exit(run, m, e);
}

/* One entity fewer in `from` and one more in `to`, for those who look at it. */
static void count(struct sim_run *run, const struct sim_machine *m, unsigned from, unsigned to, uint64_t touched) {
  int64_t *number = run->observed + m->observable;
  if (m->heard & touched) {
    sim_observe(run, m->observable + from, number[from] - 1);
    sim_observe(run, m->observable + to, number[to] + 1);
  } else {
    number[from]--;
    number[to]++;
  }
}

static void tell_watchers(struct sim_run *run, const struct sim_machine *m, const struct sim_change *change,
                          uint64_t touched) {
  for (uint32_t k = 0; k < m->watchers; k++) {
    const struct sim_watcher *w = &m->watcher[k];
    if (!(w->states & touched)) continue;
    const struct sim_instance *i = &run->world->instance[w->instance];
    i->model->changed(run, i, run->state[w->instance], change);
  }
}

static __attribute__((noinline)) void trace(const struct sim_run *run, const struct sim_machine *m, uint32_t entity,
                                            unsigned from, unsigned to) {
  const struct sim_trace *t = run->trace;
  if (t->move) t->move(t->ctx, sim_days(run->now), m->instance->name, entity, m->state_name[from], m->state_name[to]);
}

static void move(struct sim_run *run, const struct sim_machine *m, uint32_t entity, unsigned to, bool planned) {
  struct sim_machine_run *r = &run->machine[m->index];
  struct sim_entity *e = &r->entity[entity];
  unsigned from = e->state;
  if (from == to || run->error[0]) return;
  if (e->incarnation == 0 && !sim_touched_add(&r->touched, entity)) {
    sim_run_out_of_memory(run, "moves");
    return;
  }
  struct sim_change change = {m->index, entity, (uint8_t)from, (uint8_t)to, planned};
  e->incarnation++;
  e->state = (uint8_t)to;
  e->entered = run->now;
  if (m->exits[to])
    schedule_exit(run, m, entity);
  else
    e->exit = SIM_NEVER;
  if (run->trace) trace(run, m, entity, from, to);
  sim_recorder_moved(run, m, e, from, to);
  uint64_t touched = UINT64_C(1) << from | UINT64_C(1) << to;
  count(run, m, from, to, touched);
  tell_watchers(run, m, &change, touched);
}

void sim_move(struct sim_run *run, uint32_t machine, uint32_t entity, uint8_t to) {
  move(run, &run->world->machine[machine], entity, to, false);
}

/* A timed exit has come (called by the run loop). */
void sim_machine_dwell_over(struct sim_run *run, uint32_t machine, uint32_t entity) {
  const struct sim_machine *m = &run->world->machine[machine];
  move(run, m, entity, m->transition[run->machine[machine].entity[entity].transition].to, true);
}

bool sim_fire(struct sim_run *run, uint32_t machine, uint32_t entity, unsigned transition) {
  const struct sim_transition *x = &run->world->machine[machine].transition[transition];
  if (run->machine[machine].entity[entity].state != x->from) return false;
  sim_move(run, machine, entity, x->to);
  return true;
}

static void forget_ahead(struct sim_ahead *a) {
  a->kept = a->next = 0;
  for (uint32_t i = 0; i < SIM_AHEAD; i++) a->entity[i] = SIM_NONE;
}

int sim_machine_open(struct sim_run *run, uint32_t machine) {
  const struct sim_machine *m = &run->world->machine[machine];
  struct sim_machine_run *r = &run->machine[machine];
  uint32_t size = run->world->population[m->population].size, agenda;
  r->entity = sim_calloc(size ? size : 1, sizeof *r->entity);
  if (!r->entity) return SIM_ERR_MEMORY;
  for (uint32_t e = 0; e < size; e++) r->entity[e] = (struct sim_entity){.exit = SIM_NEVER, .state = m->rest};
  r->touched.size = size;
  forget_ahead(&r->ahead);
  int ret = sim_agenda_open(run, m->instance, sim_engine_kind(m->instance, SIM_EV_DWELL), &r->entity->exit,
                            sizeof *r->entity, &agenda);
  sim_bug_assert(ret || agenda == machine);
  return ret;
}

void sim_machine_close(struct sim_machine_run *r) {
  sim_free(r->entity);
  sim_touched_free(&r->touched);
}

/* Back to rest, at the cost of what the run touched; of all, where those at rest had planned exits. */
void sim_machine_reset(struct sim_run *run, uint32_t machine) {
  const struct sim_machine *m = &run->world->machine[machine];
  struct sim_machine_run *r = &run->machine[machine];
  const struct sim_entity rest = {.exit = SIM_NEVER, .state = m->rest};
  r->touched.all |= m->exits[m->rest] != 0;
  for (uint32_t k = 0; k < sim_touched_count(&r->touched); k++) r->entity[sim_touched_at(&r->touched, k)] = rest;
  sim_touched_clear(&r->touched);
  forget_ahead(&r->ahead);
}
