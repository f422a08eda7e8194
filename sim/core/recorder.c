/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recorder's course in a run. The hot path is sim_recorder_moved: a few additions an event; all else happens once
 * an instant, for the gauges that moved in it. */
#include "sim/core/recorder.h"
#include "sim/core/recorder_declared.h"
#include <string.h>

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static int create_parts(struct sim_recorder *r, const struct sim_world *w) {
  const struct sim_recorder_plan *p = r->plan;
  r->gauge = sim_calloc(p->gauges + 1, sizeof *r->gauge);
  r->dirty = sim_calloc(p->gauges + 1, sizeof *r->dirty);
  r->entries = sim_calloc(p->entries + 1, sizeof *r->entries);
  r->ever = sim_calloc(w->machines + 1, sizeof *r->ever);
  r->affected = sim_calloc(w->machines + 1, sizeof *r->affected);
  r->level = sim_calloc(p->levels + 1, sizeof *r->level);
  r->declared = sim_calloc(p->declareds + 1, sizeof *r->declared);
  r->value = sim_calloc(p->values + 1, sizeof *r->value);
  r->samples = sim_calloc((size_t)p->seriess * p->samples + 1, sizeof *r->samples);
  r->keep = sim_calloc(p->giant_nodes + 1, sizeof *r->keep);
  r->work = sim_calloc(p->giant_nodes + 1, sizeof *r->work);
  if (!r->gauge || !r->dirty || !r->entries || !r->ever || !r->affected || !r->level || !r->declared || !r->value ||
      !r->samples || !r->keep || !r->work)
    return SIM_ERR_MEMORY;
  for (uint32_t m = 0; m < w->machines; m++) {
    r->affected[m] = sim_calloc((size_t)w->population[w->machine[m].population].size + 1, sizeof **r->affected);
    if (!r->affected[m]) return SIM_ERR_MEMORY;
  }
  return 0;
}

int sim_recorder_create(struct sim_recorder **out, const struct sim_world *w) {
  *out = NULL;
  struct sim_recorder *r = sim_calloc(1, sizeof *r);
  if (!r) return SIM_ERR_MEMORY;
  r->plan = w->recorder;
  int ret = create_parts(r, w);
  if (ret) {
    sim_recorder_free(r);
    return ret;
  }
  *out = r;
  return 0;
}

void sim_recorder_free(struct sim_recorder *r) {
  if (!r) return;
  for (uint32_t m = 0; r->affected && m < r->plan->world->machines; m++) sim_free(r->affected[m]);
  sim_free(r->gauge);
  sim_free(r->dirty);
  sim_free(r->entries);
  sim_free(r->ever);
  sim_free(r->affected);
  sim_free(r->level);
  sim_free(r->declared);
  sim_free(r->value);
  sim_free(r->samples);
  sim_free(r->keep);
  sim_free(r->work);
  sim_free(r);
}

/* ---- start ------------------------------------------------------------------------------------------------------ */

static void mark_dirty(struct sim_recorder *r, uint32_t g) {
  if (r->gauge[g].dirty) return;
  r->gauge[g].dirty = true;
  r->dirty[r->dirty_n++] = g;
}

static void add(struct sim_recorder *r, uint32_t g, int64_t change) {
  r->gauge[g].live += change;
  mark_dirty(r, g);
}

/* Entities that were active in an earlier run carry another epoch; so nothing is cleared, but once in 65,535 runs. */
static void next_epoch(struct sim_recorder *r) {
  const struct sim_world *w = r->plan->world;
  if (++r->epoch) return;
  r->epoch = 1;
  for (uint32_t m = 0; m < w->machines; m++)
    memset(r->affected[m], 0, w->population[w->machine[m].population].size * sizeof **r->affected);
}

static void plan_next(struct sim_recorder *r) {
  const struct sim_recorder_plan *p = r->plan;
  int64_t sample = r->next_sample < p->samples ? p->sample_tick[r->next_sample] : SIM_NEVER;
  int64_t due = r->next_due < p->dues ? p->due[r->next_due].tick : SIM_NEVER;
  r->next = sample < due ? sample : due;
}

void sim_recorder_begin(struct sim_run *run) {
  struct sim_recorder *r = run->recorder;
  const struct sim_recorder_plan *p = r->plan;
  const struct sim_world *w = run->world;
  next_epoch(r);
  r->dirty_n = 0;
  for (uint32_t g = 0; g < p->gauges; g++) r->gauge[g] = (struct sim_gauge){.peak = -1};
  for (uint32_t i = 0; i < p->populations; i++) r->gauge[i].live = p->population[i].at_rest;
  for (uint32_t m = 0; m < w->machines; m++) {
    uint32_t size = w->population[w->machine[m].population].size;
    bool active = p->machine[m].active[w->machine[m].rest];
    r->ever[m] = active ? size : 0;
    if (active) r->gauge[p->machine[m].load].live = size;
  }
  for (uint32_t o = 0; o < w->observables; o++)
    if (p->gauge_of[o] != SIM_NONE) r->gauge[p->gauge_of[o]].live = run->observed[o];
  memset(r->entries, 0, p->entries * sizeof *r->entries);
  r->society = r->low = 0;
  r->unsettled = true;
  sim_episode_begin(r);
  sim_declared_begin(r);
  r->next_sample = 0;
  r->next_due = 0;
  plan_next(r);
}

/* Everything is measured at time 0, whether it moved or not. */
void sim_recorder_begun(struct sim_run *run) {
  for (uint32_t g = 0; g < run->recorder->plan->gauges; g++) mark_dirty(run->recorder, g);
}

/* ---- changes ---------------------------------------------------------------------------------------------------- */

/* Functionality of an entity, in millionths, were it in `state` of `machine`: the product over the machines that can
 * lower it. A pure function of its states, so that the same states give the same total whatever came before. */
static int64_t functionality(const struct sim_run *run, uint32_t population, uint32_t machine, uint32_t entity,
                             uint8_t state) {
  const struct sim_recorder_plan *p = run->recorder->plan;
  const struct sim_recorder_population *pop = &p->population[population];
  double product = 1;
  for (uint32_t k = 0; k < pop->machines; k++) {
    uint32_t m = pop->machine[k];
    product *= p->machine[m].functionality[m == machine ? state : run->machine[m].state[entity]];
  }
  return (int64_t)(product * (double)SIM_Q_ONE + 0.5);
}

void sim_recorder_moved(struct sim_run *run, uint32_t machine, uint32_t entity, uint8_t from, uint8_t to) {
  struct sim_recorder *r = run->recorder;
  const struct sim_recorder_machine *m = &r->plan->machine[machine];
  if (m->population != SIM_NONE && m->q[from] != m->q[to]) {
    const struct sim_population *p = &run->world->population[run->world->machine[machine].population];
    int64_t change = m->alone ? m->q[to] - m->q[from]
                              : functionality(run, m->population, machine, entity, to) -
                                    functionality(run, m->population, machine, entity, from);
    if (change) add(r, m->population, change * sim_population_weight(p, entity));
  }
  if (m->active[from] != m->active[to]) add(r, m->load, m->active[to] - m->active[from]);
  if (m->active[to] && !m->active[run->world->machine[machine].rest] && r->affected[machine][entity] != r->epoch) {
    r->affected[machine][entity] = r->epoch;
    r->ever[machine]++;
  }
  if (!run->beginning) r->entries[m->entry + to]++;
}

void sim_recorder_observed(struct sim_run *run, uint32_t observable, int64_t before, int64_t after) {
  uint32_t g = run->recorder->plan->gauge_of[observable];
  if (g != SIM_NONE) add(run->recorder, g, after - before);
}

void sim_recorder_incident(struct sim_run *run, const struct sim_instance *incident) {
  (void)incident;
  struct sim_recorder *r = run->recorder;
  r->incidents++;
  if (r->clock) return;
  r->clock = r->unsettled = true;
}

void sim_recorder_signal(struct sim_run *run, const struct sim_instance *self, unsigned signal) {
  struct sim_recorder *r = run->recorder;
  if (signal == 0 && r->clock && r->alarm == SIM_NEVER && r->plan->sensor[self->index]) r->alarm = run->now;
}

/* ---- instants --------------------------------------------------------------------------------------------------- */

static void settle_gauge(struct sim_recorder *r, uint32_t g, int64_t now) {
  struct sim_gauge *gauge = &r->gauge[g];
  gauge->dirty = false;
  gauge->sum = sim_gauge_sum(gauge, now);
  gauge->since = now;
  gauge->held = gauge->live;
  if (gauge->held > gauge->peak) {
    gauge->peak = gauge->held;
    gauge->peak_at = now;
  }
  if (gauge->held < gauge->low) gauge->low = gauge->held;
  if (gauge->held > gauge->top) {
    gauge->top = gauge->held;
    gauge->top_at = now;
  }
  for (uint32_t k = r->plan->heard_first[g]; k < r->plan->heard_first[g + 1]; k++)
    sim_declared_heard(r, r->plan->heard[k], gauge->held, now);
}

/* The state at run->now is final. */
static void settle(struct sim_run *run) {
  struct sim_recorder *r = run->recorder;
  for (uint32_t k = 0; k < r->dirty_n; k++) {
    uint32_t g = r->dirty[k];
    if (g < r->plan->populations)
      r->society += r->plan->population[g].coefficient * (r->gauge[g].live - r->gauge[g].held);
    settle_gauge(r, g, run->now);
  }
  r->dirty_n = 0;
  r->unsettled = false;
  if (r->clock) sim_episode_settle(r, run->now);
}

/* Thousandths, rounded down: 1000 only if nothing is lost. */
static uint16_t sample(const struct sim_recorder *r, uint32_t series) {
  const struct sim_recorder_plan *p = r->plan;
  if (series == 0) return (uint16_t)(p->full ? r->society * 1000 / p->full : 1000);
  const struct sim_gauge *g = &r->gauge[series - 1];
  if (series <= p->populations) return (uint16_t)((sim_int128)g->held * 1000 / p->population[series - 1].full);
  return (uint16_t)((double)g->held * 1000 / p->series[series].scale);
}

/* Samples and values of ticks up to `last`, in which the state does not change any more. */
static void take_until(struct sim_run *run, int64_t last) {
  struct sim_recorder *r = run->recorder;
  const struct sim_recorder_plan *p = r->plan;
  uint32_t first = r->next_sample;
  while (r->next_sample < p->samples && p->sample_tick[r->next_sample] <= last) r->next_sample++;
  for (uint32_t s = 0; r->next_sample > first && s < p->seriess; s++) {
    uint16_t value = sample(r, s), *curve = r->samples + (size_t)s * p->samples;
    for (uint32_t k = first; k < r->next_sample; k++) curve[k] = value;
  }
  for (; r->next_due < p->dues && p->due[r->next_due].tick <= last; r->next_due++)
    sim_declared_due(run, &p->due[r->next_due]);
  plan_next(r);
}

void sim_recorder_advance(struct sim_run *run, int64_t tick) {
  struct sim_recorder *r = run->recorder;
  if (tick == run->now) return;
  if (r->dirty_n || r->unsettled) settle(run);
  if (r->next < tick) take_until(run, tick - 1);
}

void sim_recorder_end(struct sim_run *run, struct sim_row *row) {
  struct sim_recorder *r = run->recorder;
  const struct sim_recorder_plan *p = r->plan;
  size_t samples = (size_t)p->seriess * p->samples;
  if (!run->error[0]) {
    settle(run);
    take_until(run, run->world->horizon);
    sim_episode_end(r, run->world->horizon);
  }
  double *column = row->columns;
  for (const struct sim_measure *m = sim_measures; m->name; m++)
    for (uint32_t i = 0; i < sim_measure_extent(p, m->dim); i++)
      *column++ = run->error[0] && m->dtype != SIM_FLAG ? (double)NAN : m->value(run, i);
  double *declared = column;
  column = sim_declared_write(run, column);
  if (!run->error[0]) {
    memcpy(row->samples, r->samples, samples * sizeof *r->samples);
    return;
  }
  for (; declared < column; declared++) *declared = (double)NAN;
  for (size_t k = 0; k < samples; k++) row->samples[k] = SIM_SERIES_MISSING;
}
