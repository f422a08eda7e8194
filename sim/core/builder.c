/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What models may ask while a world is planned: names resolved, machines, knobs' modifiers, moments, servers declared.
 * Arrays here are small and grow one by one; indices, not pointers, cross the calls. */
#include "sim/core/builder.h"
#include "sim/core/server.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(struct sim_builder *b, int code) {
  if (!b->failed) b->failed = code;
}

/* Appends a value to an array of uint32 whose length is *n (grown one at a time: planning only). */
static int append(uint32_t **array, uint32_t *n, uint32_t value) {
  uint32_t *grown = sim_realloc_array(*array, *n + 1u, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  grown[(*n)++] = value;
  *array = grown;
  return 0;
}

struct sim_diag *sim_builder_diag(struct sim_builder *b) {
  return b->diag;
}
double sim_builder_horizon(const struct sim_builder *b) {
  return b->world->horizon_days;
}
uint32_t sim_builder_layers(const struct sim_builder *b) {
  return b->world->layers;
}
const struct sim_layer *sim_builder_layer(const struct sim_builder *b, uint32_t layer) {
  return &b->world->layer[layer];
}

uint32_t sim_builder_find_layer(const struct sim_builder *b, const char *name) {
  for (uint32_t i = 0; i < b->world->layers; i++)
    if (strcmp(b->world->layer[i].name, name) == 0) return i;
  return SIM_NONE;
}
uint32_t sim_builder_find_population(const struct sim_builder *b, const char *name) {
  for (uint32_t i = 0; i < b->world->populations; i++)
    if (strcmp(b->world->population[i].name, name) == 0) return i;
  uint32_t l = sim_builder_find_layer(b, name);
  return l == SIM_NONE ? SIM_NONE : b->world->layer[l].population;
}
const struct sim_population *sim_builder_population(const struct sim_builder *b, uint32_t population) {
  return &b->world->population[population];
}
struct sim_instance *sim_builder_find(const struct sim_builder *b, const char *name) {
  for (uint32_t i = 0; i < b->world->instances; i++)
    if (strcmp(b->world->instance[i].name, name) == 0) return &b->world->instance[i];
  return NULL;
}

const struct sim_instance *sim_builder_instance(const struct sim_builder *b, uint32_t i) {
  return i < b->world->instances ? &b->world->instance[i] : NULL;
}

const struct sim_graph *sim_builder_graph(struct sim_builder *b, uint32_t layer) {
  struct sim_world *w = b->world;
  if (w->graph[layer]) return w->graph[layer];
  if (!b->sample && !(b->sample = sim_calloc(w->layers, sizeof *b->sample))) {
    fail(b, SIM_ERR_MEMORY);
    return NULL;
  }
  if (b->sample[layer]) return b->sample[layer];
  struct sim_rng rng;
  sim_rng_init(&rng, w->seed, 0, 0);
  const struct sim_population *p = &w->population[w->layer[layer].population];
  int ret = sim_graph_build(&b->sample[layer], sim_value_get(w->layer[layer].params, "graph"), p->size, p, &rng,
                            w->graph_purpose[layer], b->diag);
  if (ret) fail(b, ret);
  return ret ? NULL : b->sample[layer];
}

void sim_builder_close(struct sim_builder *b) {
  for (uint32_t l = 0; b->sample && l < b->world->layers; l++)
    if (b->sample[l]) sim_graph_free(b->sample[l]);
  sim_free(b->sample);
}

/* ---- purposes -------------------------------------------------------------------------------------------------- */

/* Registers the purpose of `path` (ownership taken); two paths with one hash are refused. */
static uint32_t purpose(struct sim_builder *b, char *path) {
  struct sim_world *w = b->world;
  if (!path) {
    fail(b, SIM_ERR_MEMORY);
    return 0;
  }
  uint32_t hash = sim_purpose(path);
  for (size_t i = 0; i < w->purposes; i++) {
    if (w->purpose[i] != hash) continue;
    if (strcmp(w->purpose_path[i], path) != 0)
      fail(b, sim_diag_add(b->diag, NULL, path, "its random numbers would coincide with those of %s: rename one",
                           w->purpose_path[i]));
    sim_free(path);
    return hash;
  }
  uint32_t *hashes = sim_realloc_array(w->purpose, w->purposes + 1, sizeof *hashes);
  if (hashes) w->purpose = hashes;
  char **paths = sim_realloc_array(w->purpose_path, w->purposes + 1, sizeof *paths);
  if (paths) w->purpose_path = paths;
  if (!hashes || !paths) {
    sim_free(path);
    fail(b, SIM_ERR_MEMORY);
    return hash;
  }
  w->purpose[w->purposes] = hash;
  w->purpose_path[w->purposes++] = path;
  return hash;
}

uint32_t sim_builder_purpose(struct sim_builder *b, const struct sim_instance *self, const char *suffix) {
  return purpose(b, sim_strf("%s.%s", self->path, suffix));
}

/* ---- machines and observables ---------------------------------------------------------------------------------- */

static uint32_t observable(struct sim_builder *b, const struct sim_instance *self, const char *name, const char *unit,
                           const char *doc, uint32_t population) {
  struct sim_world *w = b->world;
  struct sim_observable_plan *grown = sim_grow(w->observable, &b->observable_cap, w->observables + 1u, sizeof *grown);
  char *copy = sim_strdup(name);
  if (grown) w->observable = grown;
  if (!grown || !copy) {
    sim_free(copy);
    fail(b, SIM_ERR_MEMORY);
    return 0;
  }
  w->observable[w->observables] =
      (struct sim_observable_plan){.instance = self, .name = copy, .unit = unit, .doc = doc, .population = population};
  return w->observables++;
}

uint32_t sim_builder_share(struct sim_builder *b, const struct sim_instance *self, uint32_t population) {
  (void)self;
  if (append(&b->world->share, &b->world->shares, population)) {
    fail(b, SIM_ERR_MEMORY);
    return 0;
  }
  return b->world->shares - 1;
}

uint32_t sim_builder_observable(struct sim_builder *b, const struct sim_instance *self, const char *name,
                                const char *unit, const char *doc) {
  return observable(b, self, name, unit, doc, SIM_NONE);
}

static int copy_states(struct sim_machine *m, const struct sim_machine_spec *spec) {
  m->state_name = sim_calloc(spec->states, sizeof *m->state_name);
  m->functionality = sim_calloc(spec->states, sizeof *m->functionality);
  if (spec->active && !(m->active = sim_calloc(spec->states, 1))) return SIM_ERR_MEMORY;
  if (!m->state_name || !m->functionality) return SIM_ERR_MEMORY;
  for (unsigned s = 0; s < spec->states; s++) {
    if (!(m->state_name[s] = sim_strdup(spec->state_names[s]))) return SIM_ERR_MEMORY;
    m->functionality[s] = spec->functionality[s];
    if (spec->active) m->active[s] = spec->active[s];
  }
  return 0;
}

static int copy_transitions(struct sim_builder *b, struct sim_machine *m, const struct sim_machine_spec *spec) {
  m->transition = sim_calloc(spec->transitions + 1u, sizeof *m->transition);
  m->dwell_purpose = sim_calloc(spec->transitions + 1u, sizeof *m->dwell_purpose);
  if (!m->transition || !m->dwell_purpose) return SIM_ERR_MEMORY;
  for (unsigned t = 0; t < spec->transitions; t++) {
    const struct sim_transition *x = &spec->transition[t];
    m->transition[t] = *x;
    if (!(m->transition[t].name = sim_strdup(x->name))) return SIM_ERR_MEMORY;
    m->dwell_purpose[t] = purpose(b, sim_strf("%s.transitions.%s.after", m->instance->path, x->name));
    if (x->probability >= 0) {
      m->exits[x->from] = 2;
      m->branch_purpose[x->from] =
          purpose(b, sim_strf("%s.states.%s.branch", m->instance->path, m->state_name[x->from]));
    } else if (x->after && m->exits[x->from] == 0)
      m->exits[x->from] = 1;
    if (x->after) m->only[x->from] = m->only[x->from] ? UINT16_MAX : (uint16_t)(t + 1);
  }
  for (unsigned s = 0; s < m->states; s++)
    if (m->exits[s] == 2 || m->only[s] == UINT16_MAX) m->only[s] = 0;
  return 0;
}

int sim_builder_machine(struct sim_builder *b, struct sim_instance *self, const struct sim_machine_spec *spec) {
  struct sim_world *w = b->world;
  sim_bug_assert(spec->states <= SIM_MAX_STATES && spec->transitions <= 256);
  struct sim_machine *grown = sim_grow(w->machine, &b->machine_cap, w->machines + 1u, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  w->machine = grown;
  struct sim_machine *m = &w->machine[w->machines];
  memset(m, 0, sizeof *m);
  m->instance = self;
  m->index = w->machines++;
  m->population = spec->population;
  m->states = spec->states;
  m->transitions = spec->transitions;
  m->rest = spec->rest;
  m->seeded = spec->seeded;
  if (self->machine == SIM_NONE) {
    self->machine = m->index;
    self->population = spec->population;
  }
  int ret = copy_states(m, spec);
  if (!ret) ret = copy_transitions(b, m, spec);
  if (ret) return ret;
  m->gone = sim_machine_gone(m);
  m->observable = w->observables;
  for (unsigned s = 0; s < spec->states; s++)
    observable(b, self, spec->state_names[s], "1", "Entities in this state", spec->population);
  return b->failed;
}

int sim_builder_machine_state(const struct sim_builder *b, uint32_t machine, const char *name) {
  const struct sim_machine *m = &b->world->machine[machine];
  for (unsigned s = 0; s < m->states; s++)
    if (strcmp(m->state_name[s], name) == 0) return (int)s;
  return -1;
}
int sim_builder_machine_transition(const struct sim_builder *b, uint32_t machine, const char *name) {
  const struct sim_machine *m = &b->world->machine[machine];
  for (unsigned t = 0; t < m->transitions; t++)
    if (strcmp(m->transition[t].name, name) == 0) return (int)t;
  return -1;
}
uint8_t sim_builder_machine_rest(const struct sim_builder *b, uint32_t machine) {
  return b->world->machine[machine].rest;
}
uint8_t sim_builder_machine_seeded(const struct sim_builder *b, uint32_t machine) {
  return b->world->machine[machine].seeded;
}
uint32_t sim_builder_machine_population(const struct sim_builder *b, uint32_t machine) {
  return b->world->machine[machine].population;
}

uint32_t sim_builder_machines(const struct sim_builder *b) {
  return b->world->machines;
}
const struct sim_instance *sim_builder_machine_instance(const struct sim_builder *b, uint32_t machine) {
  return b->world->machine[machine].instance;
}
unsigned sim_builder_machine_states(const struct sim_builder *b, uint32_t machine) {
  return b->world->machine[machine].states;
}
const char *sim_builder_machine_state_name(const struct sim_builder *b, uint32_t machine, unsigned state) {
  return b->world->machine[machine].state_name[state];
}
double sim_builder_machine_functionality(const struct sim_builder *b, uint32_t machine, unsigned state) {
  return b->world->machine[machine].functionality[state];
}

const struct sim_transition *sim_builder_transition(const struct sim_builder *b, uint32_t machine,
                                                    unsigned transition) {
  return &b->world->machine[machine].transition[transition];
}

/* "outbreak.ill" -> instance and the rest; the instance or NULL. */
static struct sim_instance *split(const struct sim_builder *b, const char *path, const char **rest) {
  const char *dot = strchr(path, '.');
  char name[256];
  if (!dot || (size_t)(dot - path) >= sizeof name) return NULL;
  memcpy(name, path, (size_t)(dot - path));
  name[dot - path] = '\0';
  *rest = dot + 1;
  return sim_builder_find(b, name);
}

int sim_builder_state(struct sim_builder *b, const struct sim_value *at, const char *path, uint32_t *machine,
                      uint8_t *state) {
  const char *name;
  const struct sim_instance *i = split(b, path, &name);
  for (uint32_t m = 0; i && m < b->world->machines; m++) {
    if (b->world->machine[m].instance != i) continue;
    int s = sim_builder_machine_state(b, m, name);
    if (s < 0) continue;
    *machine = m;
    *state = (uint8_t)s;
    return 0;
  }
  return sim_diag_add(b->diag, &at->mark, at->path, "there is no state %s in this scenario", path);
}

void sim_builder_watch(struct sim_builder *b, const struct sim_instance *self, uint32_t machine, uint32_t state) {
  struct sim_machine *m = &b->world->machine[machine];
  uint64_t mask = state == SIM_NONE ? UINT64_MAX : UINT64_C(1) << state;
  uint32_t at = 0;
  while (at < m->watchers && m->watcher[at].instance < self->index) at++;
  if (at < m->watchers && m->watcher[at].instance == self->index) {
    m->watcher[at].states |= mask;
    return;
  }
  struct sim_watcher *watcher = sim_realloc_array(m->watcher, m->watchers + 1u, sizeof *watcher);
  if (!watcher) {
    fail(b, SIM_ERR_MEMORY);
    return;
  }
  m->watcher = watcher;
  memmove(watcher + at + 1, watcher + at, (m->watchers++ - at) * sizeof *watcher);
  watcher[at] = (struct sim_watcher){self->index, mask};
}

/* With another `supply` than one, a node may have several suppliers. */
static bool needs(const struct sim_builder *b, const struct sim_layer *layer, uint32_t supplier) {
  size_t n;
  const char *supply = sim_value_text(layer->params, "supply");
  if (supply && strcmp(supply, "one") != 0) return false;
  const struct sim_value *needs = sim_value_list(layer->params, "needs", &n);
  for (size_t i = 0; i < n; i++)
    if (sim_builder_find_population(b, needs[i].text) == supplier) return true;
  return false;
}

bool sim_builder_hangs_on(const struct sim_builder *b, uint32_t dependent, uint32_t supplier) {
  for (uint32_t l = 0; l < b->world->layers; l++) {
    const struct sim_layer *layer = &b->world->layer[l];
    if (!layer->own_nodes) continue;
    const struct sim_value *serves = sim_value_get(layer->params, "serves");
    if (layer->population == supplier && serves->form == SIM_NAME &&
        sim_builder_find_population(b, serves->text) == dependent)
      return true;
    if (layer->population == dependent && needs(b, layer, supplier)) return true;
  }
  return false;
}

/* ---- knobs ----------------------------------------------------------------------------------------------------- */

static int group_factors(struct sim_builder *b, const struct sim_value *at, struct sim_modifier *m,
                         const struct sim_instance *target, const struct sim_knob *knob,
                         const struct sim_value *by_group) {
  const struct sim_population *p = &b->world->population[target->population];
  m->by_group = sim_calloc(p->groups + 1u, sizeof *m->by_group);
  if (!m->by_group) return SIM_ERR_MEMORY;
  for (uint32_t g = 0; g < p->groups; g++) m->by_group[g] = m->factor;
  for (size_t i = 0; i < by_group->n; i++) {
    int g = sim_population_group(p, by_group->items[i].name);
    if (g < 0)
      return sim_diag_add(b->diag, &at->mark, at->path, "population %s has no group %s", p->name,
                          by_group->items[i].name);
    double f = by_group->items[i].number;
    if (!(f >= knob->min && f <= knob->max))
      return sim_diag_add(b->diag, &at->mark, at->path, "the factor %g of group %s is outside %g..%g of %s.%s", f,
                          by_group->items[i].name, knob->min, knob->max, target->path, knob->name);
    m->by_group[g] = f;
  }
  return 0;
}

uint32_t sim_builder_modifier(struct sim_builder *b, const struct sim_instance *self, const struct sim_value *at,
                              const struct sim_instance *target, const char *knob, double factor,
                              const struct sim_value *by_group) {
  struct sim_world *w = b->world;
  const struct sim_knob *knobs = target->model->knobs;
  unsigned k = 0;
  while (knobs && knobs[k].name && strcmp(knobs[k].name, knob) != 0) k++;
  if (!knobs || !knobs[k].name) {
    fail(b, sim_diag_add(b->diag, &at->mark, at->path, "%s has no knob %s", target->path, knob));
    return SIM_NONE;
  }
  if (!(factor >= knobs[k].min && factor <= knobs[k].max)) {
    fail(b, sim_diag_add(b->diag, &at->mark, at->path, "the factor %g is outside %g..%g of %s.%s", factor, knobs[k].min,
                         knobs[k].max, target->path, knob));
    return SIM_NONE;
  }
  struct sim_knob_plan *plan = &w->knob[w->knob_base[target->index] + k];
  if (plan->modifiers == SIM_MAX_MODIFIERS) {
    fail(b, sim_diag_add(b->diag, &at->mark, at->path, "more than %d entries modify %s.%s", SIM_MAX_MODIFIERS,
                         target->path, knob));
    return SIM_NONE;
  }
  struct sim_modifier *grown = sim_grow(w->modifier, &b->modifier_cap, w->modifiers + 1u, sizeof *grown);
  if (grown) w->modifier = grown;
  if (!grown || append(&plan->modifier, &plan->modifiers, w->modifiers)) {
    fail(b, SIM_ERR_MEMORY);
    return SIM_NONE;
  }
  struct sim_modifier *m = &w->modifier[w->modifiers];
  *m = (struct sim_modifier){self->index, target->index, k, plan->modifiers - 1, factor, NULL};
  if (by_group && by_group->form == SIM_GROUPS && knobs[k].scope == SIM_SCOPE_ENTITY) {
    int ret = group_factors(b, at, m, target, &knobs[k], by_group);
    if (ret) fail(b, ret);
  }
  return w->modifiers++;
}

/* ---- moments and reports --------------------------------------------------------------------------------------- */

static int signal_of(struct sim_builder *b, const struct sim_value *at, uint32_t *id) {
  const char *name;
  const struct sim_instance *i = split(b, at->text, &name);
  const struct sim_signal_desc *s = i ? i->model->signals : NULL;
  for (unsigned k = 0; s && s[k].name; k++)
    if (strcmp(s[k].name, name) == 0) {
      *id = b->world->signal_base[i->index] + k;
      return 0;
    }
  return sim_diag_add(b->diag, &at->mark, at->path, "there is no signal %s in this scenario", at->text);
}

/* Observable of a path; SIM_NONE after reporting. */
static uint32_t find_observable(struct sim_builder *b, const struct sim_value *at, const char *path) {
  const char *name;
  const struct sim_instance *i = split(b, path, &name);
  for (uint32_t o = 0; i && o < b->world->observables; o++)
    if (b->world->observable[o].instance == i && strcmp(b->world->observable[o].name, name) == 0) return o;
  fail(b, sim_diag_add(b->diag, &at->mark, at->path, "there is nothing to observe named %s", path));
  return SIM_NONE;
}

static int actual(struct sim_builder *b, const struct sim_value *test, struct sim_moment *m) {
  uint32_t o = find_observable(b, test, test->text);
  if (o == SIM_NONE) return SIM_ERR_INPUT;
  struct sim_observable_plan *plan = &b->world->observable[o];
  if (test->share && plan->population == SIM_NONE)
    return sim_diag_add(b->diag, &test->mark, test->path, "%s is not a count of entities: give a number, not a share",
                        test->text);
  m->trigger = SIM_TRIGGER_ACTUAL;
  m->source = o;
  m->op = test->op;
  m->threshold = test->share ? test->number * (double)b->world->population[plan->population].size : test->number;
  double whole = floor(m->threshold + 0.5); /* 7 % of 100 is 7, whatever 0.07 is in binary */
  if (fabs(m->threshold - whole) <= 1e-9 * (1 + fabs(whole))) m->threshold = whole;
  return append(&plan->trigger, &plan->triggers, b->world->moments);
}

int sim_builder_moment(struct sim_builder *b, const struct sim_instance *self, const struct sim_value *moment,
                       double delay, unsigned slot, uint32_t index) {
  struct sim_world *w = b->world;
  struct sim_moment *grown = sim_grow(w->moment, &b->moment_cap, w->moments + 1u, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  w->moment = grown;
  struct sim_moment m = {.instance = self->index, .slot = slot, .index = index};
  double offset = moment->number + delay;
  if (offset < 0 || moment->number < 0)
    return sim_diag_add(b->diag, &moment->mark, moment->path, "this moment lies before the start");
  m.offset = sim_ticks(offset);
  int ret = 0;
  if (moment->form == SIM_ACTUAL)
    ret = actual(b, &moment->items[0], &m);
  else if (moment->text) {
    m.trigger = SIM_TRIGGER_SIGNAL;
    ret = signal_of(b, moment, &m.source);
    if (!ret) ret = append(&w->signal_moment[m.source], &w->signal_moments[m.source], w->moments);
  }
  if (!ret) w->moment[w->moments++] = m;
  return ret;
}

void sim_builder_listen(struct sim_builder *b, const struct sim_instance *self, const struct sim_instance *sensor) {
  struct sim_world *w = b->world;
  if (append(&w->listener[sensor->index], &w->listeners[sensor->index], self->index)) fail(b, SIM_ERR_MEMORY);
}

/* ---- servers and costs ----------------------------------------------------------------------------------------- */

int sim_builder_server(struct sim_builder *b, struct sim_instance *self, const struct sim_server_spec *spec) {
  struct sim_world *w = b->world;
  struct sim_server_plan **grown = sim_grow(w->server, &b->server_cap, w->servers + 1u, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  w->server = grown;
  struct sim_server_plan *plan = sim_calloc(1, sizeof *plan);
  if (!plan) return SIM_ERR_MEMORY;
  plan->self = self;
  plan->spec = *spec;
  plan->busy = observable(b, self, "busy", "1", "Places at work", SIM_NONE);
  plan->queue = observable(b, self, "queue", "1", "Jobs that wait", SIM_NONE);
  self->server = w->servers;
  w->server[w->servers++] = plan;
  return b->failed;
}

void sim_builder_works_for(struct sim_builder *b, const struct sim_instance *self, const struct sim_value *at,
                           uint32_t server, int priority, const char *order, bool backlog) {
  int ret = sim_server_plan_owner(b->world->server[server], self, priority, order, backlog, at, b->diag);
  if (ret) fail(b, ret);
}

uint32_t sim_builder_cost(struct sim_builder *b, const struct sim_instance *self) {
  struct sim_world *w = b->world;
  uint32_t *grown = sim_grow(w->cost_instance, &b->cost_cap, w->costs + 1u, sizeof *grown);
  if (!grown) {
    fail(b, SIM_ERR_MEMORY);
    return 0;
  }
  w->cost_instance = grown;
  w->cost_instance[w->costs] = self->index;
  return w->costs++;
}
