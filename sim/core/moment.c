/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moments: absolute times, signals with an offset, and predicates on the truth; and the reports of sensors. */
#include "sim/core/recorder.h"
#include "sim/core/run_internal.h"

static void schedule(struct sim_run *run, uint32_t moment, int64_t tick) {
  const struct sim_instance *i = &run->world->instance[run->world->moment[moment].instance];
  sim_schedule(run, i, sim_engine_kind(i, SIM_EV_MOMENT), moment, run->moment_occurrences[moment]++, tick, NULL);
}

void sim_moments_begin(struct sim_run *run) {
  const struct sim_world *w = run->world;
  for (uint32_t m = 0; m < w->moments; m++) {
    run->moment_occurrences[m] = 0;
    run->moment_true[m] = false;
    if (w->moment[m].trigger == SIM_TRIGGER_AT && w->moment[m].offset <= w->horizon)
      schedule(run, m, w->moment[m].offset);
  }
}

void sim_moment_due(struct sim_run *run, uint32_t moment) {
  const struct sim_moment *m = &run->world->moment[moment];
  const struct sim_instance *i = &run->world->instance[m->instance];
  i->model->moment(run, i, run->state[i->index], m->slot, m->index);
}

void sim_signal(struct sim_run *run, const struct sim_instance *self, unsigned signal) {
  const struct sim_world *w = run->world;
  uint32_t id = w->signal_base[self->index] + signal;
  if (run->trace && run->trace->event)
    run->trace->event(run->trace->ctx, sim_days(run->now), self->name, self->model->signals[signal].name, SIM_NONE, 0);
  sim_recorder_signal(run, self, signal);
  for (uint32_t k = 0; k < w->signal_moments[id]; k++) {
    uint32_t m = w->signal_moment[id][k];
    schedule(run, m, sim_ticks_add(run->now, w->moment[m].offset));
  }
}

static bool holds(const struct sim_moment *m, int64_t value) {
  double v = (double)value;
  switch (m->op) {
  case '>':
    return v > m->threshold;
  case '<':
    return v < m->threshold;
  case 'g':
    return v >= m->threshold;
  case 'l':
    return v <= m->threshold;
  default:
    return v == m->threshold;
  }
}

/* Predicates fire when they become true. */
static void test_triggers(struct sim_run *run, uint32_t observable) {
  const struct sim_observable_plan *o = &run->world->observable[observable];
  for (uint32_t k = 0; k < o->triggers; k++) {
    uint32_t m = o->trigger[k];
    const struct sim_moment *plan = &run->world->moment[m];
    bool now = holds(plan, run->observed[observable]);
    if (now && !run->moment_true[m]) schedule(run, m, sim_ticks_add(run->now, plan->offset));
    run->moment_true[m] = now;
  }
}

void sim_moments_begun(struct sim_run *run) {
  for (uint32_t o = 0; o < run->world->observables; o++)
    if (run->world->observable[o].triggers) test_triggers(run, o);
}

void sim_observe(struct sim_run *run, uint32_t observable, int64_t value) {
  const struct sim_observable_plan *o = &run->world->observable[observable];
  int64_t before = run->observed[observable];
  run->observed[observable] = value;
  if (before == value || !o->heard) return;
  sim_recorder_observed(run, observable, before, value);
  if (o->triggers && !run->beginning) test_triggers(run, observable);
}

int64_t sim_observed(const struct sim_run *run, uint32_t observable) {
  return run->observed[observable];
}

void sim_report(struct sim_run *run, const struct sim_instance *sensor, uint32_t entity) {
  const struct sim_world *w = run->world;
  for (uint32_t k = 0; k < w->listeners[sensor->index]; k++) {
    const struct sim_instance *i = &w->instance[w->listener[sensor->index][k]];
    i->model->reported(run, i, run->state[i->index], sensor, entity);
  }
}
