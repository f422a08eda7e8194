/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Machines: entities in named states, and the timed transitions between them. */
#include "sim/core/recorder.h"
#include "sim/core/run_internal.h"
#include <string.h>

uint8_t sim_state(const struct sim_run *run, uint32_t machine, uint32_t entity) {
  return run->machine[machine].state[entity];
}
uint32_t sim_incarnation(const struct sim_run *run, uint32_t machine, uint32_t entity) {
  return run->machine[machine].incarnation[entity];
}
int64_t sim_entered(const struct sim_run *run, uint32_t machine, uint32_t entity) {
  return run->machine[machine].entered[entity];
}
int64_t sim_planned_exit(const struct sim_run *run, uint32_t machine, uint32_t entity) {
  return sim_scheduled(run, run->machine[machine].exit[entity]);
}
uint32_t sim_count(const struct sim_run *run, uint32_t machine, uint8_t state) {
  return run->machine[machine].count[state];
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

/* When, and by which transition, an entity that has just entered its state will leave it by itself. Pure function of
 * the names of its draws: (dwell of the transition, entity, incarnation). */
static int64_t next_exit(const struct sim_run *run, const struct sim_machine *m, uint32_t entity, uint8_t state,
                         uint32_t incarnation, unsigned *transition) {
  const struct sim_rng *rng = &run->rng;
  double dwell = HUGE_VAL;
  unsigned chosen = 0, branch = SIM_NONE;
  if (m->exits[state] == 2)
    branch = pick_branch(m, state, sim_rng_uniform(rng, m->branch_purpose[state], entity, incarnation, 0));
  for (unsigned t = 0; t < m->transitions; t++) {
    const struct sim_transition *x = &m->transition[t];
    if (x->from != state || (!x->after && x->probability < 0)) continue;
    if (x->probability >= 0 && t != branch) continue;
    double d =
        x->after ? sim_law_inverse(x->after, sim_rng_exponential(rng, m->dwell_purpose[t], entity, incarnation, 0)) : 0;
    if (d < dwell) {
      dwell = d;
      chosen = t;
    }
  }
  *transition = chosen;
  return dwell == HUGE_VAL ? SIM_NEVER : sim_ticks_add(run->now, sim_ticks(dwell));
}

static void schedule_exit(struct sim_run *run, const struct sim_machine *m, uint32_t entity) {
  struct sim_machine_run *r = &run->machine[m->index];
  unsigned transition;
  int64_t tick = next_exit(run, m, entity, r->state[entity], r->incarnation[entity], &transition);
  unsigned kind = sim_engine_kind(m->instance, SIM_EV_DWELL);
  /* An instance may own two machines: n tells which machine and transition. */
  sim_schedule(run, m->instance, kind, entity, m->index << 8 | transition, tick, &r->exit[entity]);
}

/* Those who start in a state that is left by itself: a pass over all entities, only where the state at rest is such. */
void sim_machine_begin(struct sim_run *run, uint32_t machine) {
  const struct sim_machine *m = &run->world->machine[machine];
  if (!m->exits[m->rest]) return;
  for (uint32_t e = 0; e < run->world->population[m->population].size; e++) schedule_exit(run, m, e);
}

/* A timed exit has come (called by the run loop). */
void sim_machine_dwell_over(struct sim_run *run, uint32_t entity, uint32_t n) {
  const struct sim_machine *m = &run->world->machine[n >> 8];
  sim_move(run, m->index, entity, m->transition[n & 0xff].to);
}

static void tell_watchers(struct sim_run *run, const struct sim_machine *m, const struct sim_change *change) {
  uint64_t touched = UINT64_C(1) << change->from | UINT64_C(1) << change->to;
  for (uint32_t i = 0; i < m->watchers; i++) {
    if (!(m->watched[i] & touched)) continue;
    const struct sim_instance *w = &run->world->instance[m->watcher[i]];
    w->model->changed(run, w, run->state[w->index], change);
  }
}

void sim_move(struct sim_run *run, uint32_t machine, uint32_t entity, uint8_t to) {
  const struct sim_machine *m = &run->world->machine[machine];
  struct sim_machine_run *r = &run->machine[machine];
  uint8_t from = r->state[entity];
  if (from == to || run->error[0]) return;
  sim_cancel(run, &r->exit[entity]);
  if (r->incarnation[entity]++ == 0) r->touched[r->touched_n++] = entity;
  r->state[entity] = to;
  r->entered[entity] = run->now;
  r->count[from]--;
  r->count[to]++;
  if (m->exits[to]) schedule_exit(run, m, entity);
  if (run->trace && run->trace->move)
    run->trace->move(run->trace->ctx, sim_days(run->now), m->instance->name, entity, m->state_name[from],
                     m->state_name[to]);
  sim_recorder_moved(run, machine, entity, from, to);
  sim_observe(run, m->observable + from, r->count[from]);
  sim_observe(run, m->observable + to, r->count[to]);
  struct sim_change change = {machine, entity, from, to};
  tell_watchers(run, m, &change);
}

bool sim_fire(struct sim_run *run, uint32_t machine, uint32_t entity, unsigned transition) {
  const struct sim_transition *x = &run->world->machine[machine].transition[transition];
  if (run->machine[machine].state[entity] != x->from) return false;
  sim_move(run, machine, entity, x->to);
  return true;
}

int sim_machine_open(struct sim_machine_run *r, uint32_t size, uint8_t rest) {
  r->state = sim_alloc(size ? size : 1);
  r->incarnation = sim_calloc(size ? size : 1, sizeof *r->incarnation);
  r->entered = sim_calloc(size ? size : 1, sizeof *r->entered);
  r->exit = sim_calloc(size ? size : 1, sizeof *r->exit);
  r->touched = sim_calloc(size ? size : 1, sizeof *r->touched);
  if (!r->state || !r->incarnation || !r->entered || !r->exit || !r->touched) return SIM_ERR_MEMORY;
  memset(r->state, rest, size);
  r->count[rest] = size;
  return 0;
}

void sim_machine_close(struct sim_machine_run *r) {
  sim_free(r->state);
  sim_free(r->incarnation);
  sim_free(r->entered);
  sim_free(r->exit);
  sim_free(r->touched);
}

/* Back to rest, at the cost of what the run touched. Pending exits were cleared with the queue. */
void sim_machine_reset(struct sim_machine_run *r, uint8_t rest, uint32_t size) {
  for (uint32_t i = 0; i < r->touched_n; i++) {
    uint32_t e = r->touched[i];
    r->state[e] = rest;
    r->incarnation[e] = 0;
    r->entered[e] = 0;
  }
  r->touched_n = 0;
  memset(r->count, 0, sizeof r->count);
  r->count[rest] = size;
}
