/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recorder's course in a run. The hot path is sim_recorder_moved: a few additions an event; all else happens at the
 * end of an instant, for the gauges that left their bands in it. */
#include "sim/core/recorder.h"
#include "sim/core/burden.h"
#include "sim/core/recorder_declared.h"
#include <string.h>

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static int create_parts(struct sim_recorder *r, const struct sim_world *w) {
  const struct sim_recorder_plan *p = r->plan;
  r->gauge = sim_calloc(p->gauges + 1, sizeof *r->gauge);
  r->list = sim_calloc(p->gauges + 1, sizeof *r->list);
  r->load = sim_calloc(p->hazards + 1, sizeof *r->load);
  r->entries = sim_calloc(p->entries + 1, sizeof *r->entries);
  r->ever = sim_calloc(w->machines + 1, sizeof *r->ever);
  r->part = sim_calloc(p->parts + 1, sizeof *r->part);
  r->lost_before = sim_calloc(p->parts + 1, sizeof *r->lost_before);
  r->lost_before_latest = sim_calloc(p->parts + 1, sizeof *r->lost_before_latest);
  r->threshold = sim_calloc(p->levels + 1, sizeof *r->threshold);
  r->level = sim_calloc(p->levels + 1, sizeof *r->level);
  r->group_threshold = sim_calloc(p->groups + 1, sizeof *r->group_threshold);
  r->group = sim_calloc(p->groups + 1, sizeof *r->group);
  r->episode = sim_calloc(p->kept + 1, sizeof *r->episode);
  r->episode_level = sim_calloc((size_t)(p->kept + 1) * p->levels, sizeof *r->episode_level);
  r->declared = sim_calloc(p->declareds + 1, sizeof *r->declared);
  r->value = sim_calloc(p->values + 1, sizeof *r->value);
  r->samples = sim_calloc((size_t)p->seriess * p->samples + 1, sizeof *r->samples);
  r->lost = sim_calloc(w->shares + 1, sizeof *r->lost);
  r->lost_any = sim_calloc(w->shares + 1, sizeof *r->lost_any);
  r->keep = sim_calloc(p->giant_nodes + 1, sizeof *r->keep);
  r->work = sim_calloc(p->giant_nodes + 1, sizeof *r->work);
  if (!r->gauge || !r->list || !r->load || !r->entries || !r->ever || !r->part || !r->lost_before ||
      !r->lost_before_latest || !r->threshold || !r->level || !r->group_threshold || !r->group || !r->episode ||
      !r->episode_level || !r->declared || !r->value || !r->samples || !r->lost || !r->lost_any || !r->keep || !r->work)
    return SIM_ERR_MEMORY;
  for (uint32_t s = 0; s < w->shares; s++) {
    size_t size = (size_t)w->population[w->share[s]].size + 1;
    r->lost[s] = sim_calloc(size, sizeof **r->lost);
    if (!r->lost[s]) return SIM_ERR_MEMORY;
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
  sim_free(r->gauge);
  sim_free(r->list);
  sim_free(r->load);
  sim_free(r->entries);
  sim_free(r->ever);
  sim_free(r->part);
  sim_free(r->lost_before);
  sim_free(r->lost_before_latest);
  sim_free(r->threshold);
  sim_free(r->level);
  sim_free(r->group_threshold);
  sim_free(r->group);
  sim_free(r->episode);
  sim_free(r->episode_level);
  sim_free(r->step);
  sim_free(r->declared);
  sim_free(r->value);
  sim_free(r->samples);
  for (uint32_t s = 0; r->lost && s < r->plan->world->shares; s++) sim_free(r->lost[s]);
  sim_free(r->lost);
  sim_free(r->lost_any);
  sim_free(r->keep);
  sim_free(r->work);
  sim_free(r);
}

/* ---- start ------------------------------------------------------------------------------------------------------ */

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
  for (uint32_t s = 0; s < w->shares; s++) {
    if (r->lost_any[s]) memset(r->lost[s], 0, w->population[w->share[s]].size * sizeof **r->lost);
    r->lost_any[s] = false;
  }
  for (uint32_t g = 0; g <= p->gauges; g++) r->gauge[g] = (struct sim_gauge){.low = INT64_MIN, .high = INT64_MAX};
  for (uint32_t h = 0; h < p->hazards; h++) r->load[h] = (struct sim_load_run){.peak = -1};
  for (uint32_t i = 0; i < p->parts; i++) r->gauge[i].value = p->part[i].at_rest;
  r->low = 0;
  for (uint32_t m = 0; m < w->machines; m++) {
    uint32_t size = w->population[w->machine[m].population].size;
    bool active = p->machine[m].active[w->machine[m].rest];
    r->ever[m] = active ? size : 0;
    if (active) r->gauge[p->machine[m].load].value = size;
  }
  for (uint32_t o = 0; o < w->observables; o++)
    if (p->gauge_of[o] != SIM_NONE) r->gauge[p->gauge_of[o]].value = run->observed[o];
  r->listed = 0;
  for (uint32_t g = 0; g < p->gauges; g++) sim_gauge_list(r, g);
  sim_target_begin(r, run->twin);
  sim_episode_begin(r);
  sim_declared_begin(r);
  r->next_sample = 0;
  r->next_due = 0;
  plan_next(r);
  run->recorder_due = run->now; /* all gauges are listed */
}

/* Nobody has entered the state in which the run finds him. */
void sim_recorder_begun(struct sim_run *run) {
  struct sim_recorder *r = run->recorder;
  memset(r->entries, 0, r->plan->entries * sizeof *r->entries);
}

/* ---- an instant that is over ------------------------------------------------------------------------------------ */

/* A part has a value, against the present target: its standing, and, of a group, its recovery. */
static void hear_part(struct sim_recorder *r, uint32_t part, int64_t now) {
  const struct sim_recorder_plan *p = r->plan;
  struct sim_gauge *g = &r->gauge[part];
  struct sim_part_run *t = &r->part[part];
  if (g->value + t->shift < t->low) t->low = g->value + t->shift;
  g->low = t->low - t->shift > t->floor ? t->low - t->shift : t->floor;
  g->high = t->ceiling;
  if (part >= p->populations && r->degraded) {
    int64_t threshold = r->group_threshold[part - p->populations];
    bool below = g->value < threshold;
    (void)sim_window_settle(&r->group[part - p->populations], below, p->hold, now);
    if (below)
      g->high = threshold - 1;
    else if (threshold > g->low)
      g->low = threshold;
  }
  if (r->recording) g->high = INT64_MIN; /* each value is a step */
}

static void hear_load(struct sim_gauge *g, struct sim_load_run *load, int64_t now) {
  if (g->value > load->peak) {
    load->peak = g->value;
    load->peak_at = now;
  }
  if (g->value > load->top) {
    load->top = g->value;
    load->top_at = now;
  }
  g->high = load->top < load->peak ? load->top : load->peak;
}

/* The state is final at `now`: the target, society, then the gauges that have left their bands. */
static void settle(struct sim_run *run, int64_t now) {
  struct sim_recorder *r = run->recorder;
  const struct sim_recorder_plan *p = r->plan;
  if (r->next_target <= now) sim_target_move(r, now);
  if (r->look && r->recording) sim_target_record(run, now);
  if (r->look && r->clock) sim_episode_look(r, now);
  r->look = false;
  for (uint32_t i = 0; i < r->listed; i++) {
    uint32_t g = r->list[i];
    r->gauge[g].listed = false;
    if (g < p->parts)
      hear_part(r, g, now);
    else if (g < p->parts + p->hazards)
      hear_load(&r->gauge[g], &r->load[g - p->parts], now);
    else
      sim_declared_hear(r, g, now);
  }
  r->listed = 0;
}

/* ---- changes ---------------------------------------------------------------------------------------------------- */

/* Functionality of an entity, in millionths, were it in `state` of `machine` (SIM_NONE: as it is): the product over the
 * machines and shares that can lower it. A pure function of its states and shares, so that the same ones give the same
 * total whatever came before. */
static int64_t functionality(const struct sim_run *run, uint32_t population, uint32_t machine, uint32_t entity,
                             unsigned state) {
  const struct sim_recorder_plan *p = run->recorder->plan;
  const struct sim_recorder_population *pop = &p->population[population];
  double product = 1;
  for (uint32_t k = 0; k < pop->machines; k++) {
    uint32_t m = pop->machine[k];
    product *= p->machine[m].functionality[m == machine ? state : run->machine[m].entity[entity].state];
  }
  for (uint32_t s = 0; pop->shared && s < run->world->shares; s++)
    if (run->world->share[s] == pop->population)
      product *= (double)(SIM_Q_ONE - run->recorder->lost[s][entity]) / (double)SIM_Q_ONE;
  return (int64_t)(product * (double)SIM_Q_ONE + 0.5);
}

static inline void change(struct sim_run *run, uint32_t gauge, int64_t by) {
  struct sim_gauge *g = &run->recorder->gauge[gauge];
  sim_gauge_change(g, by, run->now);
  if (g->value >= g->low && g->value <= g->high) return;
  sim_gauge_list(run->recorder, gauge);
  run->recorder_due = run->now;
}

/* The functionality of a population's entity. */
static void change_functionality(struct sim_run *run, uint32_t population, uint32_t entity, int64_t by) {
  const struct sim_recorder_population *plan = &run->recorder->plan->population[population];
  if (plan->weight_of) by *= plan->weight_of[entity];
  change(run, population, by);
  if (plan->group != SIM_NONE) change(run, plan->group + plan->group_of[entity], by);
}

void sim_share(struct sim_run *run, uint32_t share, uint32_t entity, uint32_t millionths) {
  struct sim_recorder *r = run->recorder;
  uint32_t population = run->world->share[share], part = r->plan->part_of[population];
  uint32_t *lost = &r->lost[share][entity], now = (uint32_t)SIM_Q_ONE - millionths;
  if (*lost == now || part == SIM_NONE || run->error[0]) return;
  int64_t before = functionality(run, part, SIM_NONE, entity, 0);
  r->lost_any[share] = true;
  *lost = now;
  change_functionality(run, part, entity, functionality(run, part, SIM_NONE, entity, 0) - before);
}

/* Functionality of an entity that others lower too, or that has a weight or a group. */
static __attribute__((noinline)) void moved_own(struct sim_run *run, const struct sim_machine *m,
                                                const struct sim_entity *e, unsigned from, unsigned to) {
  const struct sim_recorder_machine *plan = &run->recorder->plan->machine[m->index];
  uint32_t part = plan->population, entity = (uint32_t)(e - run->machine[m->index].entity);
  int64_t by = plan->alone
                   ? plan->q[to] - plan->q[from]
                   : functionality(run, part, m->index, entity, to) - functionality(run, part, m->index, entity, from);
  change_functionality(run, part, entity, by);
}

void sim_recorder_moved(struct sim_run *run, const struct sim_machine *m, struct sim_entity *e, unsigned from,
                        unsigned to) {
  struct sim_recorder *r = run->recorder;
  const struct sim_recorder_effect *x = &m->effect[from * m->states + to];
  r->entries[x->entry]++;
  if (x->affected && !e->affected) {
    e->affected = true;
    r->ever[m->index]++;
  }
  change(run, x->load, x->active);
  if (x->own)
    moved_own(run, m, e, from, to);
  else
    change(run, x->part, x->q);
}

void sim_recorder_observed(struct sim_run *run, uint32_t observable, int64_t before, int64_t after) {
  uint32_t gauge = run->recorder->plan->gauge_of[observable];
  if (gauge != SIM_NONE) change(run, gauge, after - before);
}

void sim_recorder_incident(struct sim_run *run, const struct sim_instance *incident) {
  (void)incident;
  sim_episode_incident(run->recorder, run->now);
  run->recorder_due = run->now;
}

void sim_recorder_signal(struct sim_run *run, const struct sim_instance *self, unsigned signal) {
  struct sim_recorder *r = run->recorder;
  if (signal == 0 && r->clock && r->alarm == SIM_NEVER && r->plan->sensor[self->index]) r->alarm = run->now;
}

/* ---- instants --------------------------------------------------------------------------------------------------- */

/* Thousandths of the square root of part / whole, rounded up: 0 only if nothing. */
static uint16_t root_share(double part, double whole) {
  return (uint16_t)(whole > 0 && part > 0 ? ceil(1000 * sqrt(part < whole ? part / whole : 1)) : 0);
}

/* As struct sim_series in world.h: functionality by what is lost. */
static uint16_t sample(const struct sim_recorder *r, uint32_t series) {
  const struct sim_recorder_plan *p = r->plan;
  if (series == 0) return root_share((double)(p->full - sim_society_now(r)), (double)p->full);
  const struct sim_gauge *g = &r->gauge[series - 1];
  if (series <= p->populations) {
    int64_t full = p->part[series - 1].full;
    return root_share((double)(full - g->value), (double)full);
  }
  g += p->groups;
  return root_share((double)g->value, p->series[series].scale);
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

void sim_recorder_take(struct sim_run *run, int64_t tick) {
  struct sim_recorder *r = run->recorder;
  settle(run, run->now);
  for (; r->next_target < tick; settle(run, r->next_target))
    if (r->closes <= r->next_target) sim_episode_close(r);
  if (r->closes <= tick) sim_episode_close(r);
  if (r->next < tick) take_until(run, tick - 1);
  int64_t due = r->next < r->next_target ? r->next : r->next_target;
  run->recorder_due = r->closes <= due ? r->closes - 1 : due;
}

void sim_recorder_end(struct sim_run *run, struct sim_row *row) {
  struct sim_recorder *r = run->recorder;
  const struct sim_recorder_plan *p = r->plan;
  size_t samples = (size_t)p->seriess * p->samples;
  if (!run->error[0]) {
    settle(run, run->now);
    take_until(run, run->world->horizon);
    sim_episode_end(r, run->world->horizon);
  }
  double *column = row->columns;
  for (const struct sim_measure *m = sim_measures; m->name; m++) {
    uint32_t extent = sim_measure_extent(p, m->dim);
    bool lost = run->error[0] && m->dtype != SIM_FLAG;
    for (uint32_t i = 0; i < extent; i++) *column++ = lost ? (double)NAN : m->value(run, i);
  }
  double *declared = column;
  column = sim_declared_write(run, column);
  sim_burdens_begin(run->world, row->columns);
  if (!run->error[0]) {
    memcpy(row->samples, r->samples, samples * sizeof *r->samples);
    return;
  }
  for (; declared < column; declared++) *declared = (double)NAN;
  for (size_t k = 0; k < samples; k++) row->samples[k] = SIM_SERIES_MISSING;
}
