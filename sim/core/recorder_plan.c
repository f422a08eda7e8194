/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recorder's plan: the section `measures`, functionality weights, society's sum, grid, series and columns. */
#include "sim/core/burden.h"
#include "sim/core/recorder_declared.h"
#include <stdlib.h>
#include <string.h>

static const struct sim_param state_share[] = {{.name = "state",
                                                .kind = SIM_QUANTITY,
                                                .unit = "1",
                                                .min = 0,
                                                .max = 1,
                                                .doc = "Functionality of an entity in this state: 100 % is whole."},
                                               {.name = NULL}};
static const struct sim_param instance_states[] = {
    {.name = "hazard", .kind = SIM_NAMES, .fields = state_share, .doc = "States of a hazard or layer of assets."},
    {.name = NULL}};
static const struct sim_param population_instances[] = {{.name = "population",
                                                         .kind = SIM_NAMES,
                                                         .fields = instance_states,
                                                         .doc = "Hazards and layers that affect a population."},
                                                        {.name = NULL}};
static const struct sim_param population_share[] = {{.name = "population",
                                                     .kind = SIM_QUANTITY,
                                                     .unit = "1",
                                                     .min = 0,
                                                     .max = 1,
                                                     .doc = "Share of the population in society's functionality."},
                                                    {.name = NULL}};
static const struct sim_param recovery_params[] = {
    {.name = "levels",
     .kind = SIM_QUANTITY,
     .flags = SIM_LIST | SIM_NO_RANGE | SIM_OPEN_MIN,
     .unit = "1",
     .fallback = "[30 %, 60 %, 90 %]",
     .min = 0,
     .max = 1,
     .doc = "Levels of functionality, as shares of the target, to which time to recover is measured."},
    {.name = "hold",
     .kind = SIM_QUANTITY,
     .unit = "day",
     .fallback = "14 days",
     .doc = "How long a level must be held to count as recovered."},
    {.name = NULL}};
static const struct sim_param declared_entry[] = {{.name = "measure",
                                                   .kind = SIM_FIELDS,
                                                   .fields = sim_declared_params,
                                                   .doc = "A number that is a variable of the results."},
                                                  {.name = NULL}};

const struct sim_param sim_measures_params[] = {
    {.name = "functionality",
     .kind = SIM_NAMES,
     .fields = population_instances,
     .doc = "Functionality of entities by population, hazard or layer, and state. Default: the models'."},
    {.name = "weights",
     .kind = SIM_NAMES,
     .fields = population_share,
     .doc = "How populations make one functionality of society. Default: those that a hazard or failure can reach, "
            "equally."},
    {.name = "target",
     .kind = SIM_CHOICE,
     .choices = "full no_incident",
     .fallback = "full",
     .doc = "What functionality is compared with: full is 1; no_incident is that of the same replicate without "
            "incidents, which is run beside each."},
    {.name = "prices",
     .kind = SIM_FIELDS,
     .fields = sim_price_params,
     .doc = "What is put on freedom and privacy; without a price they are counted in person-days only."},
    {.name = "recovery", .kind = SIM_FIELDS, .fields = recovery_params, .doc = "What counts as recovery."},
    {.name = "episodes",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER | SIM_NO_RANGE,
     .fallback = "4",
     .min = 1,
     .max = 1000,
     .doc = "How many episodes of a run have numbers of their own; further ones are counted."},
    {.name = "samples",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER | SIM_NO_RANGE,
     .fallback = "100",
     .min = 1,
     .max = 10000,
     .doc = "Intervals of the time grid on which curves are kept, from the start to the horizon."},
    {.name = "declared", .kind = SIM_NAMES, .fields = declared_entry, .doc = "Further measures, by name."},
    {.name = NULL}};

/* ---- functionality ---------------------------------------------------------------------------------------------- */

static uint32_t find_population(const struct sim_world *w, const struct sim_value *at, struct sim_diag *diag) {
  struct sim_nearest nearest = {.wanted = at->name};
  for (uint32_t p = 0; p < w->populations; p++) {
    if (strcmp(w->population[p].name, at->name) == 0) return p;
    sim_nearest_offer(&nearest, w->population[p].name);
  }
  (void)sim_nearest_report(&nearest, at, "population", diag);
  return SIM_NONE;
}

/* measures.functionality.<population>.<instance>.<state>: sets the state's share in each machine that it names. */
static void override_state(struct sim_recorder_plan *p, uint32_t population, const struct sim_value *instance,
                           const struct sim_value *state, struct sim_diag *diag) {
  const struct sim_world *w = p->world;
  struct sim_nearest nearest = {.wanted = state->name};
  bool found = false;
  for (uint32_t m = 0; m < w->machines; m++) {
    const struct sim_machine *machine = &w->machine[m];
    if (machine->population != population || strcmp(machine->instance->name, instance->name) != 0) continue;
    for (unsigned s = 0; s < machine->states; s++) {
      sim_nearest_offer(&nearest, machine->state_name[s]);
      if (strcmp(machine->state_name[s], state->name) != 0) continue;
      p->machine[m].functionality[s] = state->number;
      found = true;
    }
  }
  if (!found) (void)sim_nearest_report(&nearest, state, "state", diag);
}

static void override_instance(struct sim_recorder_plan *p, uint32_t population, const struct sim_value *instance,
                              struct sim_diag *diag) {
  const struct sim_world *w = p->world;
  struct sim_nearest nearest = {.wanted = instance->name};
  bool found = false;
  for (uint32_t m = 0; m < w->machines; m++) {
    if (w->machine[m].population != population) continue;
    sim_nearest_offer(&nearest, w->machine[m].instance->name);
    found |= strcmp(w->machine[m].instance->name, instance->name) == 0;
  }
  if (!found) {
    (void)sim_nearest_report(&nearest, instance, "hazard or layer with states of this population", diag);
    return;
  }
  for (size_t s = 0; s < instance->n; s++) override_state(p, population, instance, &instance->items[s], diag);
}

/* The instance's name, or that and the population's for its second machine (assets: who is served). */
static const char *machine_label(struct sim_world *w, const struct sim_machine *m) {
  if (m->instance->machine == m->index) return m->instance->name;
  return sim_world_own(w, sim_strf("%s.%s", m->instance->name, w->population[m->population].name));
}

static int plan_machines(struct sim_recorder_plan *p, struct sim_world *w, const struct sim_value *overrides,
                         struct sim_diag *diag) {
  p->machine = sim_calloc(w->machines + 1, sizeof *p->machine);
  if (!p->machine) return SIM_ERR_MEMORY;
  for (uint32_t m = 0; m < w->machines; m++) {
    struct sim_recorder_machine *r = &p->machine[m];
    r->population = SIM_NONE;
    r->entry = p->entries;
    p->entries += w->machine[m].states;
    memcpy(r->functionality, w->machine[m].functionality, w->machine[m].states * sizeof *r->functionality);
    if (!(r->label = machine_label(w, &w->machine[m]))) return SIM_ERR_MEMORY;
  }
  for (size_t i = 0; overrides && i < overrides->n; i++) {
    const struct sim_value *population = &overrides->items[i];
    uint32_t found = find_population(w, population, diag);
    for (size_t k = 0; found != SIM_NONE && k < population->n; k++)
      override_instance(p, found, &population->items[k], diag);
  }
  for (uint32_t m = 0; m < w->machines; m++) {
    struct sim_recorder_machine *r = &p->machine[m];
    for (unsigned s = 0; s < w->machine[m].states; s++) {
      r->q[s] = (int64_t)(r->functionality[s] * (double)SIM_Q_ONE + 0.5);
      r->functionality[s] = (double)r->q[s] / (double)SIM_Q_ONE;
      r->active[s] = w->machine[m].active ? w->machine[m].active[s] != 0 : r->functionality[s] < 1;
    }
  }
  return 0;
}

/* ---- society ---------------------------------------------------------------------------------------------------- */

/* Who counts: populations with a machine, and those with a declared weight; sorted by name. */
static int plan_populations(struct sim_recorder_plan *p, const struct sim_value *weights, struct sim_diag *diag) {
  const struct sim_world *w = p->world;
  p->population = sim_calloc(w->populations + 1, sizeof *p->population);
  int64_t *weight = sim_calloc(w->populations + 1, sizeof *weight);
  bool *counts = sim_calloc(w->populations + 1, sizeof *counts);
  int ret = p->population && weight && counts ? 0 : SIM_ERR_MEMORY;
  if (ret) goto out;
  for (uint32_t m = 0; m < w->machines; m++) {
    counts[w->machine[m].population] = true;
    if (!weights || !weights->n) weight[w->machine[m].population] = 1;
  }
  int64_t total = 0;
  for (size_t i = 0; weights && i < weights->n; i++) {
    uint32_t found = find_population(w, &weights->items[i], diag);
    if (found == SIM_NONE) continue;
    counts[found] = true;
    total += weight[found] = (int64_t)(weights->items[i].number * (double)SIM_Q_ONE + 0.5);
  }
  if (weights && weights->n && !total)
    (void)sim_diag_add(diag, &weights->mark, weights->path, "the weights add up to 0: give one of them a share");
  for (uint32_t i = 0; i < w->populations; i++) {
    if (!counts[i] || !w->population[i].weight_total) continue;
    uint32_t k = p->populations++;
    for (; k > 0 && strcmp(w->population[p->population[k - 1].population].name, w->population[i].name) > 0; k--)
      p->population[k] = p->population[k - 1];
    p->population[k] = (struct sim_recorder_population){.population = i, .weight = weight[i]};
  }
out:
  sim_free(weight);
  sim_free(counts);
  return ret;
}

/* Machines that can lower a population's functionality, and its total at rest. */
static int plan_population(struct sim_recorder_plan *p, uint32_t k, int64_t *rest_q, struct sim_diag *diag) {
  const struct sim_world *w = p->world;
  struct sim_recorder_population *pop = &p->population[k];
  const struct sim_population *population = &w->population[pop->population];
  if (population->weight_total >= (UINT64_C(1) << 62) / (uint64_t)SIM_Q_ONE) {
    (void)sim_diag_add(diag, NULL, NULL, "the weights of population '%s' add up to %llu: at most 4.6e12",
                       population->name, (unsigned long long)population->weight_total);
    return 0;
  }
  pop->machine = sim_calloc(w->machines + 1, sizeof *pop->machine);
  if (!pop->machine) return SIM_ERR_MEMORY;
  double product = 1;
  for (uint32_t m = 0; m < w->machines; m++) {
    bool lowers = false;
    for (unsigned s = 0; s < w->machine[m].states; s++) lowers |= p->machine[m].q[s] != SIM_Q_ONE;
    if (!lowers || w->machine[m].population != pop->population) continue;
    p->machine[m].population = k;
    pop->machine[pop->machines++] = m;
    product *= p->machine[m].functionality[w->machine[m].rest];
  }
  pop->group = SIM_NONE;
  pop->weight_of = population->weight;
  pop->group_of = population->group;
  for (uint32_t s = 0; s < w->shares; s++) pop->shared |= w->share[s] == pop->population;
  p->part_of[pop->population] = k;
  if (pop->machines == 1 && !pop->shared) p->machine[pop->machine[0]].alone = true;
  *rest_q = (int64_t)(product * (double)SIM_Q_ONE + 0.5);
  p->part[k].full = (int64_t)population->weight_total * SIM_Q_ONE;
  p->part[k].at_rest = (int64_t)population->weight_total * *rest_q;
  return 0;
}

/* The people's groups, if the people count, as parts after the populations. */
static int plan_groups(struct sim_recorder_plan *p, const int64_t *rest_q) {
  const struct sim_world *w = p->world;
  uint32_t k = 0;
  while (k < p->populations && strcmp(w->population[p->population[k].population].name, "people") != 0) k++;
  if (k == p->populations) return 0;
  const struct sim_population *people = &w->population[p->population[k].population];
  struct sim_recorder_part *grown =
      sim_realloc_array(p->part, p->populations + people->groups + 1, sizeof *grown); /* 1: never of size 0 */
  if (!grown) return SIM_ERR_MEMORY;
  p->part = grown;
  p->groups = people->groups;
  p->group_name = (const char *const *)people->group_name;
  struct sim_recorder_part *group = p->part + p->populations;
  for (uint32_t g = 0; g < p->groups; g++) group[g] = (struct sim_recorder_part){0, 0};
  for (uint32_t i = 0; p->groups && i < people->size; i++)
    group[people->group[i]].full += (int64_t)sim_population_weight(people, i) * SIM_Q_ONE;
  for (uint32_t g = 0; g < p->groups; g++) group[g].at_rest = group[g].full / SIM_Q_ONE * rest_q[k];
  if (p->groups) p->population[k].group = p->populations;
  return 0;
}

static int plan_parts(struct sim_recorder_plan *p, struct sim_diag *diag) {
  int64_t *rest_q = sim_calloc(p->populations + 1, sizeof *rest_q);
  p->part = sim_calloc(p->populations + 1, sizeof *p->part);
  p->part_of = sim_calloc(p->world->populations + 1, sizeof *p->part_of);
  int ret = rest_q && p->part && p->part_of ? 0 : SIM_ERR_MEMORY;
  for (uint32_t i = 0; !ret && i < p->world->populations; i++) p->part_of[i] = SIM_NONE;
  for (uint32_t k = 0; !ret && k < p->populations; k++) ret = plan_population(p, k, &rest_q[k], diag);
  if (!ret) ret = plan_groups(p, rest_q);
  p->parts = p->populations + p->groups;
  sim_free(rest_q);
  return ret;
}

static uint64_t gcd(uint64_t a, uint64_t b) {
  while (b) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Society = sum of weight x gauge / (weight total of the population), made an integer over a common denominator: exact
 * where the least one is below 2^60, as it is for all but a dozen large populations of unlike sizes; elsewhere the
 * weights are rounded to 2^-60 of the whole. Levels become thresholds, so comparisons are exact either way. */
static void plan_society(struct sim_recorder_plan *p) {
  const struct sim_world *w = p->world;
  const uint64_t largest = UINT64_C(1) << 60;
  uint64_t denominator = 1;
  for (uint32_t k = 0; k < p->populations; k++) {
    uint64_t total = w->population[p->population[k].population].weight_total;
    if (!p->population[k].weight) continue;
    uint64_t step = total / gcd(denominator, total);
    denominator = step > largest / denominator ? largest : denominator * step;
    if (denominator == largest) break;
  }
  uint32_t weighted = 0;
  for (uint32_t k = 0; k < p->populations; k++) {
    struct sim_recorder_population *pop = &p->population[k];
    sim_int128 total = (sim_int128)w->population[pop->population].weight_total;
    pop->coefficient = ((sim_int128)pop->weight * (sim_int128)denominator + total / 2) / total;
    p->full += pop->coefficient * p->part[k].full;
    p->weight_total += pop->weight;
    weighted += pop->coefficient > 0;
  }
  for (uint32_t k = 0; k < p->populations; k++) { /* and no share of the whole is beyond the numbers of a gauge */
    struct sim_recorder_population *pop = &p->population[k];
    while (((sim_int128)1 << pop->share) < weighted * pop->coefficient || p->full >> pop->share > largest) pop->share++;
  }
}

/* ---- recovery, grid, series ------------------------------------------------------------------------------------- */

static int compare_levels(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int plan_levels(struct sim_recorder_plan *p, const struct sim_value *recovery, struct sim_diag *diag) {
  static const double standard[] = {0.3, 0.6, 0.9};
  bool given = recovery && recovery->form == SIM_MAPPING;
  size_t n = 0;
  const struct sim_value *levels = given ? sim_value_list(recovery, "levels", &n) : NULL;
  p->levels = n ? (uint32_t)n : 3;
  p->level = sim_calloc(p->levels, sizeof *p->level);
  p->level_q = sim_calloc(p->levels, sizeof *p->level_q);
  if (!p->level || !p->level_q) return SIM_ERR_MEMORY;
  for (uint32_t i = 0; i < p->levels; i++) p->level[i] = n ? levels[i].number : standard[i];
  qsort(p->level, p->levels, sizeof *p->level, compare_levels);
  for (uint32_t i = 0; i < p->levels; i++) {
    if (i && p->level[i] == p->level[i - 1])
      (void)sim_diag_add(diag, &levels->mark, levels->path, "level %g %% is listed twice", p->level[i] * 100);
    p->level_q[i] = (int64_t)(p->level[i] * (double)SIM_Q_ONE + 0.5);
  }
  p->hold = sim_ticks(given ? sim_value_number_or(recovery, "hold", 14) : 14);
  return 0;
}

static int plan_grid(struct sim_recorder_plan *p, double intervals) {
  p->samples = (uint32_t)intervals + 1;
  p->sample = sim_calloc(p->samples, sizeof *p->sample);
  p->sample_tick = sim_calloc(p->samples, sizeof *p->sample_tick);
  if (!p->sample || !p->sample_tick) return SIM_ERR_MEMORY;
  for (uint32_t k = 0; k < p->samples; k++) {
    p->sample[k] = p->world->horizon_days * k / intervals;
    p->sample_tick[k] = k + 1 == p->samples ? p->world->horizon : sim_ticks(p->sample[k]);
  }
  return 0;
}

static int plan_series(struct sim_recorder_plan *p) {
  const struct sim_world *w = p->world;
  p->series = sim_calloc(1 + p->populations + p->hazards, sizeof *p->series);
  if (!p->series) return SIM_ERR_MEMORY;
  struct sim_series *s = p->series;
  *s++ = (struct sim_series){"functionality", "1", "functionality of society", NULL, NULL, 1, true};
  for (uint32_t k = 0; k < p->populations; k++)
    *s++ = (struct sim_series){"population_functionality",
                               "1",
                               "functionality of the population",
                               "population",
                               w->population[p->population[k].population].name,
                               1,
                               true};
  for (uint32_t h = 0; h < p->hazards; h++) {
    const struct sim_machine *m = &w->machine[p->hazard[h]];
    const char *unit = w->observable[m->observable].unit;
    *s++ = (struct sim_series){"active_load",
                               unit ? unit : "1",
                               "entities in an active state",
                               "hazard",
                               p->machine[p->hazard[h]].label,
                               w->population[m->population].size,
                               false};
  }
  p->seriess = (uint32_t)(s - p->series);
  return 0;
}

static int plan_instances(struct sim_recorder_plan *p) {
  const struct sim_world *w = p->world;
  p->sensor = sim_calloc(w->instances + 1, sizeof *p->sensor);
  p->gauge_of = sim_calloc(w->observables + 1, sizeof *p->gauge_of);
  p->hazard = sim_calloc(w->machines + 1, sizeof *p->hazard);
  if (!p->sensor || !p->gauge_of || !p->hazard) return SIM_ERR_MEMORY;
  p->clock_at_start = true;
  for (uint32_t i = 0; i < w->instances; i++) {
    p->sensor[i] = strcmp(w->instance[i].model->section, "sensing") == 0;
    if (strcmp(w->instance[i].model->section, "incidents") == 0) p->clock_at_start = false;
  }
  for (uint32_t o = 0; o < w->observables; o++) p->gauge_of[o] = SIM_NONE;
  for (uint32_t m = 0; m < w->machines; m++) {
    p->machine[m].load = SIM_NONE;
    if (!memchr(p->machine[m].active, 1, w->machine[m].states)) continue;
    p->machine[m].load = p->parts + p->hazards;
    p->hazard[p->hazards++] = m;
  }
  p->gauges = p->parts + p->hazards;
  return 0;
}

/* What each move changes, once all gauges are known. */
static int plan_effects(struct sim_recorder_plan *p, struct sim_world *w) {
  for (uint32_t k = 0; k < w->machines; k++) {
    struct sim_machine *m = &w->machine[k];
    struct sim_recorder_machine *r = &p->machine[k];
    const struct sim_recorder_population *pop = r->population == SIM_NONE ? NULL : &p->population[r->population];
    bool own = pop && (!r->alone || pop->weight_of || pop->group != SIM_NONE);
    r->effect = sim_calloc((size_t)m->states * m->states + 1, sizeof *r->effect);
    if (!r->effect) return SIM_ERR_MEMORY;
    for (unsigned from = 0; from < m->states; from++)
      for (unsigned to = 0; to < m->states; to++) {
        int64_t q = pop ? r->q[to] - r->q[from] : 0;
        int active = r->active[to] - r->active[from];
        r->effect[from * m->states + to] =
            (struct sim_recorder_effect){.q = own ? 0 : q,
                                         .part = q && !own ? r->population : p->gauges,
                                         .load = active ? r->load : p->gauges,
                                         .entry = r->entry + to,
                                         .active = (int8_t)active,
                                         .affected = r->active[to] && !r->active[m->rest],
                                         .own = own && q};
      }
    m->effect = r->effect;
  }
  return 0;
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

int sim_columns_add(struct sim_columns *c, const struct sim_column *column) {
  struct sim_column *grown = sim_grow(*c->array, c->cap, *c->n + 1, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  *c->array = grown;
  grown[(*c->n)++] = *column;
  return 0;
}

/* Coordinates of element i of a measure. */
static void place_column(const struct sim_recorder_plan *p, enum sim_measure_dim dim, uint32_t i,
                         struct sim_column *c) {
  const struct sim_world *w = p->world;
  switch (dim) {
  case SIM_MEASURE_EPISODE:
  case SIM_MEASURE_EPISODE_LEVEL:
    c->at[0].dim = "episode";
    c->at[0].coordinate = 1 + (dim == SIM_MEASURE_EPISODE ? i : i / p->levels);
    c->at[0].unit = "1";
    c->dims = 1;
    if (dim == SIM_MEASURE_EPISODE) return;
    i %= p->levels;
    break;
  case SIM_MEASURE_LEVEL:
    break;
  case SIM_MEASURE_POPULATION:
    c->at[0].dim = "population";
    c->at[0].label = w->population[p->population[i].population].name;
    c->dims = 1;
    return;
  case SIM_MEASURE_HAZARD:
    c->at[0].dim = "hazard";
    c->at[0].label = p->machine[p->hazard[i]].label;
    c->dims = 1;
    if (!c->unit) c->unit = p->series[1 + p->populations + i].unit;
    return;
  case SIM_MEASURE_GROUP:
    c->at[0].dim = "group";
    c->at[0].label = p->group_name[i];
    c->dims = 1;
    return;
  default:
    return;
  }
  c->at[c->dims].dim = "level";
  c->at[c->dims].coordinate = p->level[i];
  c->at[c->dims].unit = "1";
  c->dims++;
}

static int plan_columns(const struct sim_recorder_plan *p, struct sim_columns *columns) {
  for (const struct sim_measure *m = sim_measures; m->name; m++) {
    for (uint32_t i = 0; i < sim_measure_extent(p, m->dim); i++) {
      struct sim_column c = {.variable = m->name, .unit = m->unit, .long_name = m->doc, .dtype = m->dtype};
      if (m->dtype == SIM_FLAG) c.flags = sim_status_flags;
      place_column(p, m->dim, i, &c);
      int ret = sim_columns_add(columns, &c);
      if (ret) return ret;
    }
  }
  return 0;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static const struct sim_value *child(const struct sim_value *map, const char *name) {
  const struct sim_value *v = map && map->form == SIM_MAPPING ? sim_value_find(map, name) : NULL;
  return v && v->form != SIM_ABSENT ? v : NULL;
}

/* Without incidents there is one episode at most. */
static void plan_target(struct sim_recorder_plan *p, const struct sim_value *target, const struct sim_value *episodes) {
  p->twin = target && target->text && strcmp(target->text, "no_incident") == 0;
  p->kept = p->clock_at_start ? 1 : episodes ? (uint32_t)episodes->number : 4;
}

static int plan_all(struct sim_recorder_plan *p, struct sim_world *w, struct sim_columns *columns,
                    struct sim_diag *diag) {
  const struct sim_value *measures = child(w->root, "measures");
  const struct sim_value *samples = child(measures, "samples");
  size_t before = diag->n;
  int ret = plan_machines(p, w, child(measures, "functionality"), diag);
  if (!ret) ret = plan_populations(p, child(measures, "weights"), diag);
  if (!ret) ret = plan_parts(p, diag);
  if (ret || (ret = plan_instances(p))) return ret;
  plan_society(p);
  plan_target(p, child(measures, "target"), child(measures, "episodes"));
  ret = plan_levels(p, child(measures, "recovery"), diag);
  if (!ret) ret = plan_grid(p, samples ? samples->number : 100);
  if (!ret) ret = plan_series(p);
  if (!ret) ret = sim_declared_plan(p, w, child(measures, "declared"), diag);
  if (!ret) ret = plan_effects(p, w);
  if (!ret && diag->n > before) ret = SIM_ERR_INPUT;
  if (!ret) ret = plan_columns(p, columns);
  return ret ? ret : sim_declared_columns(p, w, columns);
}

int sim_recorder_plan(struct sim_recorder_plan **out, struct sim_world *w, struct sim_column **columns, size_t *n,
                      size_t *cap, struct sim_diag *diag) {
  *out = NULL;
  struct sim_recorder_plan *p = sim_calloc(1, sizeof *p);
  if (!p) return SIM_ERR_MEMORY;
  p->world = w;
  struct sim_columns c = {columns, n, cap};
  int ret = plan_all(p, w, &c, diag);
  if (ret) {
    sim_recorder_plan_free(p);
    return ret;
  }
  for (uint32_t o = 0; o < w->observables; o++)
    w->observable[o].heard = p->gauge_of[o] != SIM_NONE || w->observable[o].triggers > 0;
  for (uint32_t m = 0; m < w->machines; m++)
    for (unsigned s = 0; s < w->machine[m].states; s++)
      w->machine[m].heard |= (uint64_t)w->observable[w->machine[m].observable + s].heard << s;
  *out = p;
  return 0;
}

void sim_recorder_plan_free(struct sim_recorder_plan *p) {
  if (!p) return;
  for (uint32_t k = 0; k < p->populations; k++) sim_free(p->population[k].machine);
  sim_free(p->population);
  sim_free(p->part);
  sim_free(p->part_of);
  for (uint32_t m = 0; p->machine && m < p->world->machines; m++) sim_free(p->machine[m].effect);
  sim_free(p->machine);
  sim_free(p->gauge_of);
  sim_free(p->hazard);
  sim_free(p->heard_first);
  sim_free(p->heard);
  sim_free(p->level);
  sim_free(p->level_q);
  sim_free(p->sensor);
  sim_free(p->sample);
  sim_free(p->sample_tick);
  sim_free(p->series);
  sim_free(p->declared);
  sim_free(p->due);
  sim_free(p);
}

bool sim_recorder_needs_twin(const struct sim_recorder_plan *p) {
  return p->twin;
}

size_t sim_recorder_series(const struct sim_recorder_plan *p, const struct sim_series **series) {
  *series = p->series;
  return p->seriess;
}

size_t sim_recorder_samples(const struct sim_recorder_plan *p, const double **days) {
  *days = p->sample;
  return p->samples;
}
