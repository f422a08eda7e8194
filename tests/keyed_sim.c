/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "keyed_sim.h"
#include "sim/core/run_internal.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STATES      16
#define MOST_TRANSITIONS 16
#define MOST_LAYERS      4
#define PROCESSES        13   /* of contacts where everyone meets everyone: multipliers up to 13 */
#define SLACK            1e-6 /* days: for the rounding of sums taken in another order */

enum knob { INFECTIVITY, SUSCEPTIBILITY, LAYER, TRANSMISSION, KNOBS };

/* ---- what is read from the scenario ------------------------------------------------------------------------------ */

struct transition {
  const char *name;
  int from, to;
  bool timed, branch, contact;
  double probability, susceptibility;
  struct sim_law after;
  uint32_t purpose;
};
struct layer {
  uint32_t world; /* its index there */
  bool mixing;
  double contacts, strength;
  uint32_t purpose;
};

struct entry { /* of the record */
  int64_t tick;
  bool is_move, own; /* own: made by the hazard itself, not by another instance */
  uint32_t entity;   /* or the knob's subject */
  int from, to;      /* states, of a move */
  enum knob knob;
  double value;
};

struct pair { /* of a source and a target on an edge */
  uint32_t layer, u, v;
  double weight, draw[2], done, frozen;
  bool at_work, shut;
};

struct contact { /* process of a source where everyone meets everyone */
  double sum;
  uint32_t n;
  int64_t tick; /* of the next, or SIM_NEVER */
};

struct keyed_sim {
  struct sim_world *world;
  uint32_t hazard, size; /* instance; entities */
  char path[120];
  const char *state_name[MOST_STATES];
  double infectivity[MOST_STATES];
  int states, transitions, layers;
  struct transition transition[MOST_TRANSITIONS];
  struct layer layer[MOST_LAYERS];
  bool attempt;
  double probability;
  struct sim_law law;
  struct sim_model wrapped; /* the hazard's model, with a callback that records */
  const struct sim_model *model;
  /* the record */
  struct sim_trace trace;
  struct entry *entry;
  size_t entries, entries_cap;
  bool own; /* the event under way is the hazard's own */
  const struct sim_run *run;
  /* the reference */
  enum keyed_mistake mistake;
  int64_t now;
  int *state;                       /* [size] */
  uint32_t *stay;                   /* [size] moves so far */
  int64_t *entered, *exit, *halted; /* [size]; halted: ticks by which the age stood still */
  int *exit_to;                     /* [size] */
  double *factor[KNOBS];            /* [size], [size], [world's layers], [1] */
  struct pair *pair;
  size_t pairs, pairs_cap;
  struct contact *contact; /* [layers][size][PROCESSES] */
  char message[300];
};

static void *needed(void *p) {
  cr_assert_not_null(p);
  return p;
}

static int state_index(const struct keyed_sim *k, const char *name) {
  for (int s = 0; s < k->states; s++)
    if (strcmp(k->state_name[s], name) == 0) return s;
  cr_assert_fail("no state %s", name);
  return -1;
}

static void read_law(const struct sim_value *v, struct sim_law *law) {
  struct sim_diag diag = {0};
  cr_assert_eq(sim_law_init(law, v, &diag), 0);
}

static void read_states(struct keyed_sim *k, const struct sim_value *states) {
  cr_assert_leq(states->n, MOST_STATES);
  for (size_t s = 0; s < states->n; s++, k->states++) {
    k->state_name[s] = states->items[s].name;
    k->infectivity[s] = sim_value_number(&states->items[s], "infectious");
  }
}

static void read_transitions(struct keyed_sim *k, const struct sim_value *list) {
  char name[200];
  cr_assert_leq(list->n, MOST_TRANSITIONS);
  for (size_t i = 0; i < list->n; i++, k->transitions++) {
    const struct sim_value *v = &list->items[i];
    struct transition *t = &k->transition[i];
    t->name = v->name;
    t->from = state_index(k, sim_value_text(v, "from"));
    t->to = state_index(k, sim_value_text(v, "to"));
    t->timed = sim_value_has(v, "after");
    t->branch = sim_value_has(v, "probability");
    t->contact = sim_value_has(v, "contact");
    if (t->contact) t->susceptibility = sim_value_number(v, "contact");
    if (t->timed) read_law(sim_value_get(v, "after"), &t->after);
    const struct sim_value *p = sim_value_get(v, "probability");
    t->probability = p->form == SIM_NUMBER ? p->number : 1; /* `rest`: below, 1 minus the others */
    snprintf(name, sizeof name, "%s.transitions.%s.after", k->path, t->name);
    t->purpose = sim_purpose(name);
  }
  for (int i = 0; i < k->transitions; i++)
    for (int j = 0; j < k->transitions; j++)
      if (i != j && sim_value_get(&list->items[i], "probability")->form == SIM_NAME && k->transition[j].branch &&
          k->transition[i].from == k->transition[j].from)
        k->transition[i].probability -= k->transition[j].probability;
}

static void read_layers(struct keyed_sim *k, const struct sim_value *hazard) {
  char name[200];
  size_t n;
  const struct sim_value *list = sim_value_list(hazard, "layer", &n), *strength = sim_value_get(hazard, "strength");
  cr_assert_leq(n, MOST_LAYERS);
  for (size_t i = 0; i < n; i++, k->layers++) {
    struct layer *l = &k->layer[i];
    for (l->world = 0; strcmp(k->world->layer[l->world].name, list[i].text) != 0; l->world++)
      cr_assert_lt(l->world + 1, k->world->layers);
    l->mixing = k->world->layer[l->world].mixing;
    l->contacts = k->world->layer[l->world].contacts;
    const struct sim_value *s = strength->form == SIM_MAPPING ? sim_value_find(strength, list[i].text) : NULL;
    l->strength = s ? s->number : 1;
    snprintf(name, sizeof name, "%s.transmission.%s", k->path, list[i].text);
    l->purpose = sim_purpose(name);
  }
}

static void read_transmission(struct keyed_sim *k, const struct sim_value *v) {
  cr_assert_neq(v->form, SIM_ABSENT, "%s: give `transmission`", k->path);
  k->probability = 1;
  if (strcmp(v->text, "rate") == 0) {
    sim_law_init_exponential(&k->law, 1 / sim_value_number(v, "value"));
  } else if (strcmp(v->text, "attempt") == 0) {
    k->attempt = true;
    k->probability = sim_value_number(v, "probability");
    sim_law_init_fixed(&k->law, sim_value_number(v, "delay"));
  } else {
    read_law(v, &k->law);
    k->attempt = !sim_law_has_density(&k->law);
  }
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static struct keyed_sim *recording; /* callbacks of a model carry no context of ours */

static struct entry *append(struct keyed_sim *k) {
  k->entry = needed(sim_grow(k->entry, &k->entries_cap, k->entries + 1, sizeof *k->entry));
  return &k->entry[k->entries++];
}

static void on_event(void *ctx, double day, const char *instance, const char *event, uint32_t entity, uint32_t n) {
  struct keyed_sim *k = ctx;
  (void)day;
  (void)event;
  (void)entity;
  (void)n;
  k->own = strcmp(instance, k->world->instance[k->hazard].name) == 0;
}

static void on_move(void *ctx, double day, const char *instance, uint32_t entity, const char *from, const char *to) {
  struct keyed_sim *k = ctx;
  if (strcmp(instance, k->world->instance[k->hazard].name) != 0) return;
  struct entry *e = append(k);
  *e = (struct entry){.tick = sim_ticks(day), .is_move = true, .own = k->own, .entity = entity};
  e->from = state_index(k, from);
  e->to = state_index(k, to);
}

static void on_knob(struct sim_run *run, const struct sim_instance *self, void *state, unsigned knob, uint32_t subject,
                    double before, double after) {
  static const char *const names[KNOBS] = {"infectivity", "susceptibility", "layer", "transmission"};
  struct keyed_sim *k = recording;
  struct entry *e = append(k);
  *e = (struct entry){.tick = sim_now(run), .entity = subject, .value = after};
  while (strcmp(self->model->knobs[knob].name, names[e->knob]) != 0) e->knob++;
  k->model->knob(run, self, state, knob, subject, before, after);
}

void keyed_record(struct keyed_sim *k, struct sim_run *run) {
  recording = k;
  k->entries = 0;
  k->own = false;
  k->trace = (struct sim_trace){k, on_event, on_move};
  sim_run_trace(run, &k->trace);
}

struct keyed_counts keyed_counts(const struct keyed_sim *k) {
  struct keyed_counts c = {0};
  for (size_t i = 0; i < k->entries; i++) {
    const struct entry *e = &k->entry[i];
    bool by_contact = false;
    for (int t = 0; t < k->transitions; t++)
      by_contact |= k->transition[t].contact && k->transition[t].from == e->from && k->transition[t].to == e->to;
    if (!e->is_move) c.multipliers++;
    if (e->is_move && !e->own) c.others++;
    if (e->is_move && e->own && by_contact) c.infections++;
    if (e->is_move && e->own && !by_contact) c.exits++;
  }
  return c;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct keyed_sim *keyed_create(struct sim_world *world, const struct sim_value *root, const char *hazard) {
  struct keyed_sim *k = needed(sim_calloc(1, sizeof *k));
  k->world = world;
  while (strcmp(world->instance[k->hazard].name, hazard) != 0) cr_assert_lt(++k->hazard, world->instances);
  struct sim_instance *instance = &world->instance[k->hazard];
  snprintf(k->path, sizeof k->path, "%s", instance->path);
  const struct sim_value *entry = sim_value_find(sim_value_get(root, "hazards"), hazard);
  read_states(k, sim_value_get(entry, "states"));
  read_transitions(k, sim_value_get(entry, "transitions"));
  read_layers(k, entry);
  read_transmission(k, sim_value_get(entry, "transmission"));
  k->size = world->population[instance->population].size;
  k->model = instance->model;
  k->wrapped = *instance->model;
  k->wrapped.knob = on_knob;
  instance->model = &k->wrapped;
  k->state = needed(sim_calloc(k->size, sizeof *k->state));
  k->stay = needed(sim_calloc(k->size, sizeof *k->stay));
  k->entered = needed(sim_calloc(k->size, sizeof *k->entered));
  k->exit = needed(sim_calloc(k->size, sizeof *k->exit));
  k->exit_to = needed(sim_calloc(k->size, sizeof *k->exit_to));
  k->halted = needed(sim_calloc(k->size, sizeof *k->halted));
  uint32_t subjects[KNOBS] = {k->size, k->size, world->layers, 1};
  for (int i = 0; i < KNOBS; i++) k->factor[i] = needed(sim_calloc(subjects[i] + 1u, sizeof *k->factor[i]));
  k->contact = needed(sim_calloc((size_t)k->layers * k->size * PROCESSES + 1, sizeof *k->contact));
  return k;
}

void keyed_free(struct keyed_sim *k) {
  k->world->instance[k->hazard].model = k->model;
  for (int t = 0; t < k->transitions; t++) sim_law_free(&k->transition[t].after);
  sim_law_free(&k->law);
  void *arrays[] = {k->state, k->stay,    k->entered,   k->exit,      k->exit_to,   k->halted,   k->entry,
                    k->pair,  k->contact, k->factor[0], k->factor[1], k->factor[2], k->factor[3]};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) sim_free(arrays[i]);
  sim_free(k);
}

/* ---- the reference ----------------------------------------------------------------------------------------------- */

/* The two uniforms of an edge: the threshold (or the success of a try), and the delay of a try. */
static void keyed_edge(const struct keyed_sim *k, const struct pair *p, double draw[2]) {
  uint32_t stay_v = k->mistake == KEYED_SOURCE_KEY ? 0 : k->stay[p->v];
  sim_rng_edge(sim_run_rng(k->run), k->layer[p->layer].purpose, p->u, p->v, k->stay[p->u], stay_v, draw);
}

/* The n-th contact of a process: words 0, 1 are its interval, 2 the partner, 3 the acceptance. */
static void keyed_contact(const struct keyed_sim *k, const struct layer *l, uint32_t u, int process, uint32_t n,
                          double *interval, uint32_t *partner, double *acceptance) {
  uint32_t name = (uint32_t)process << 24 | n, w[4];
  *interval = sim_rng_exponential(sim_run_rng(k->run), l->purpose, u, k->stay[u], name);
  sim_rng_block(sim_run_rng(k->run), l->purpose, u, k->stay[u], name, w);
  *partner = (uint32_t)((uint64_t)w[2] * (k->size - 1) >> 32);
  *partner += *partner >= u;
  *acceptance = (w[3] + 0.5) / 4294967296.0;
}

static const struct transition *by_contact(const struct keyed_sim *k, uint32_t v) {
  for (int t = 0; t < k->transitions; t++)
    if (k->transition[t].contact && k->transition[t].from == k->state[v] && k->transition[t].susceptibility > 0)
      return &k->transition[t];
  return NULL;
}

static double multiplier(const struct keyed_sim *k, uint32_t layer, uint32_t u, uint32_t v) {
  double m = k->factor[INFECTIVITY][u] * k->factor[SUSCEPTIBILITY][v] * k->factor[TRANSMISSION][0];
  if (k->mistake != KEYED_ONE_LAYER) return m * k->factor[LAYER][k->layer[layer].world];
  for (int l = 0; l < k->layers; l++) m *= k->factor[LAYER][k->layer[l].world];
  return m;
}

/* What the hazard over this pair is multiplied by now. */
static double at_work(const struct keyed_sim *k, const struct pair *p) {
  if (!p->at_work || p->shut) return 0;
  double scale =
      k->layer[p->layer].strength * p->weight * k->infectivity[k->state[p->u]] * by_contact(k, p->v)->susceptibility;
  return scale * (k->mistake == KEYED_KEEPS_SCHEDULE ? p->frozen : multiplier(k, p->layer, p->u, p->v));
}

static double age(const struct keyed_sim *k, uint32_t u, int64_t tick) {
  return sim_days(tick - k->entered[u] - k->halted[u]);
}

/* When this pair transmits if nothing changes, or SIM_NEVER. */
static int64_t transmission(const struct keyed_sim *k, const struct pair *p) {
  double m = at_work(k, p);
  int64_t tick;
  if (!(m > 0)) return SIM_NEVER;
  if (k->attempt) {
    if (!(p->draw[0] < k->probability * m)) return SIM_NEVER;
    tick = sim_ticks_add(k->entered[p->u], sim_ticks(sim_law_inverse(&k->law, -sim_log(p->draw[1]))));
    if (tick < k->now || tick < k->entered[p->v]) return SIM_NEVER; /* its try is over */
  } else {
    double left = fmax(-sim_log(p->draw[0]) - p->done, 0), past = sim_law_hazard(&k->law, age(k, p->u, k->now));
    if (past == HUGE_VAL) return SIM_NEVER;
    tick = sim_ticks_add(k->entered[p->u] + k->halted[p->u], sim_ticks(sim_law_inverse(&k->law, past + left / m)));
    if (tick < k->now) tick = k->now;
  }
  return tick > k->exit[p->u] ? SIM_NEVER : tick;
}

static void advance(struct keyed_sim *k, int64_t to) {
  if (to <= k->now) return;
  for (size_t i = 0; i < k->pairs && !k->attempt; i++) {
    struct pair *p = &k->pair[i];
    double m = at_work(k, p), past = m > 0 ? sim_law_hazard(&k->law, age(k, p->u, k->now)) : 0;
    if (m > 0 && past < HUGE_VAL) p->done += m * (sim_law_hazard(&k->law, age(k, p->u, to)) - past);
  }
  for (uint32_t u = 0; k->mistake == KEYED_AGE_STOPS && u < k->size; u++)
    if (k->factor[INFECTIVITY][u] * k->factor[TRANSMISSION][0] < 1) k->halted[u] += to - k->now;
  k->now = to;
}

/* The branch, the race and the dwell of whoever has just entered a state. */
static void plan_exit(struct keyed_sim *k, uint32_t u) {
  const struct sim_rng *rng = sim_run_rng(k->run);
  const struct transition *branch = NULL;
  char name[200];
  snprintf(name, sizeof name, "%s.states.%s.branch", k->path, k->state_name[k->state[u]]);
  double share = sim_rng_uniform(rng, sim_purpose(name), u, k->stay[u], 0), sum = 0;
  for (int i = 0; i < k->transitions; i++) {
    const struct transition *t = &k->transition[i];
    if (t->branch && t->from == k->state[u] && !(branch && share < sum)) {
      branch = t;
      sum += t->probability;
    }
  }
  k->exit[u] = SIM_NEVER;
  for (int i = 0; i < k->transitions; i++) {
    const struct transition *t = &k->transition[i];
    if (t->from != k->state[u] || !(t->branch ? t == branch : t->timed)) continue;
    double e = sim_rng_exponential(rng, t->purpose, u, k->stay[u], 0);
    int64_t tick = sim_ticks_add(k->now, t->timed ? sim_ticks(sim_law_inverse(&t->after, e)) : 0);
    if (tick >= k->exit[u]) continue;
    k->exit[u] = tick;
    k->exit_to[u] = t->to;
  }
}

static void next_contact(struct keyed_sim *k, int layer, uint32_t u, int process) {
  const struct layer *l = &k->layer[layer];
  struct contact *c = &k->contact[((size_t)layer * k->size + u) * PROCESSES + (size_t)process];
  double rate = l->contacts * l->strength * k->infectivity[k->state[u]], interval, acceptance;
  uint32_t partner;
  keyed_contact(k, l, u, process, c->n, &interval, &partner, &acceptance);
  c->sum += interval;
  c->tick = sim_ticks_add(k->entered[u], sim_ticks(sim_law_inverse(&k->law, c->sum / rate)));
  if (c->tick > k->exit[u]) c->tick = SIM_NEVER;
}

/* Whom a contact infects as things stand, or SIM_NONE. */
static uint32_t infected_by(const struct keyed_sim *k, int layer, uint32_t u, int process) {
  const struct contact *c = &k->contact[((size_t)layer * k->size + u) * PROCESSES + (size_t)process];
  double interval, acceptance;
  uint32_t v;
  keyed_contact(k, &k->layer[layer], u, process, c->n, &interval, &v, &acceptance);
  const struct transition *t = by_contact(k, v);
  return t && acceptance < t->susceptibility * multiplier(k, (uint32_t)layer, u, v) - process ? v : SIM_NONE;
}

/* Pairs and contacts of an entity that has entered a state. */
static void start(struct keyed_sim *k, uint32_t u) {
  for (size_t i = 0; i < k->pairs; i++) {
    struct pair *p = &k->pair[i];
    if (p->u != u && p->v != u) continue;
    p->at_work = k->infectivity[k->state[p->u]] > 0 && by_contact(k, p->v);
    p->done = 0;
    keyed_edge(k, p, p->draw);
    p->frozen = multiplier(k, p->layer, p->u, p->v);
    p->shut = k->mistake == KEYED_STAYS_SHUT && p->frozen == 0;
  }
  for (int l = 0; l < k->layers; l++)
    for (int c = 0; k->layer[l].mixing && c < PROCESSES; c++) {
      k->contact[((size_t)l * k->size + u) * PROCESSES + (size_t)c] = (struct contact){0, 0, SIM_NEVER};
      if (k->infectivity[k->state[u]] > 0) next_contact(k, l, u, c);
    }
}

static void move(struct keyed_sim *k, uint32_t u, int to) {
  k->state[u] = to;
  k->stay[u]++;
  k->entered[u] = k->now;
  k->halted[u] = 0;
  plan_exit(k, u);
  start(k, u);
}

static void set(struct keyed_sim *k, const struct entry *e) {
  k->factor[e->knob][e->entity] = e->value;
  for (size_t i = 0; i < k->pairs; i++) {
    if (k->mistake == KEYED_RESTARTS) k->pair[i].done = 0;
    if (k->mistake == KEYED_STAYS_SHUT && multiplier(k, k->pair[i].layer, k->pair[i].u, k->pair[i].v) == 0)
      k->pair[i].shut = true;
  }
}

/* Everyone at rest, all multipliers 1; the pairs are the edges of the replicate's graphs. */
static void begin(struct keyed_sim *k, enum keyed_mistake mistake) {
  k->mistake = mistake;
  k->now = 0;
  k->pairs = 0;
  for (int l = 0; l < k->layers; l++) {
    if (k->layer[l].mixing) continue;
    const struct sim_graph *g = sim_run_graph(k->run, k->layer[l].world);
    for (uint32_t u = 0; u < g->nodes; u++)
      for (uint64_t e = g->row[u]; e < g->row[u + 1]; e++) {
        struct pair p = {.layer = (uint32_t)l, .u = u, .v = g->to[e], .weight = 1};
        if (g->weight && mistake != KEYED_NO_WEIGHTS) p.weight = (double)g->weight[e];
        k->pair = needed(sim_grow(k->pair, &k->pairs_cap, k->pairs + 2, sizeof *k->pair));
        k->pair[k->pairs++] = p;
        if (!g->directed || mistake != KEYED_BOTH_DIRECTIONS) continue;
        p.u = p.v;
        p.v = u;
        k->pair[k->pairs++] = p;
      }
  }
  const struct sim_machine *m = &k->world->machine[k->world->instance[k->hazard].machine];
  int rest = state_index(k, m->state_name[m->rest]);
  for (uint32_t u = 0; u < k->size; u++) {
    k->state[u] = rest;
    k->stay[u] = 0;
    k->entered[u] = k->halted[u] = 0;
    k->factor[INFECTIVITY][u] = k->factor[SUSCEPTIBILITY][u] = 1;
  }
  for (uint32_t l = 0; l < k->world->layers; l++) k->factor[LAYER][l] = 1;
  k->factor[TRANSMISSION][0] = 1;
  for (uint32_t u = 0; u < k->size; u++) {
    plan_exit(k, u);
    start(k, u);
  }
}

/* When entity v makes its next move by the hazard itself, if nothing changes, and where to. */
static int64_t next_move(const struct keyed_sim *k, uint32_t v, int *to, struct contact **by) {
  const struct transition *infection = by_contact(k, v);
  int64_t first = SIM_NEVER;
  *by = NULL;
  for (size_t i = 0; infection && i < k->pairs; i++) {
    if (k->pair[i].v != v || !k->pair[i].at_work) continue;
    int64_t tick = transmission(k, &k->pair[i]);
    if (tick >= first) continue;
    first = tick;
    *to = infection->to;
  }
  for (int l = 0; infection && l < k->layers; l++)
    for (uint32_t u = 0; k->layer[l].mixing && u < k->size; u++)
      for (int c = 0; c < PROCESSES; c++) {
        struct contact *x = &k->contact[((size_t)l * k->size + u) * PROCESSES + (size_t)c];
        if (x->tick >= first || infected_by(k, l, u, c) != v) continue;
        first = x->tick;
        *to = infection->to;
        *by = x;
      }
  if (k->exit[v] < first) {
    first = k->exit[v];
    *to = k->exit_to[v];
    *by = NULL;
  }
  return first;
}

/* Contacts up to `tick` that infect nobody. */
static void skip_contacts(struct keyed_sim *k, int64_t tick) {
  for (int l = 0; l < k->layers; l++)
    for (uint32_t u = 0; k->layer[l].mixing && u < k->size; u++)
      for (int c = 0; c < PROCESSES; c++) {
        struct contact *x = &k->contact[((size_t)l * k->size + u) * PROCESSES + (size_t)c];
        while (x->tick < tick && infected_by(k, l, u, c) == SIM_NONE) {
          x->n++;
          next_contact(k, l, u, c);
        }
      }
}

static const char *differ(struct keyed_sim *k, const char *what, uint32_t entity, int to, int64_t theirs,
                          int64_t ours) {
  snprintf(k->message, sizeof k->message, "%s: entity %u to %s on day %.9g, in the reference on day %.9g", what, entity,
           k->state_name[to], theirs == SIM_NEVER ? HUGE_VAL : sim_days(theirs),
           ours == SIM_NEVER ? HUGE_VAL : sim_days(ours));
  return k->message;
}

/* Nothing that the reference expects may lie before `tick`. */
static const char *missing(struct keyed_sim *k, int64_t tick) {
  for (uint32_t v = 0; v < k->size; v++) {
    int to = 0;
    struct contact *by;
    int64_t expected = next_move(k, v, &to, &by);
    if (expected < tick - sim_ticks(SLACK)) return differ(k, "a move is missing", v, to, SIM_NEVER, expected);
  }
  return NULL;
}

/* A move that the hazard made: the reference must have it. */
static const char *check_own(struct keyed_sim *k, const struct entry *e) {
  int to = e->to;
  struct contact *by;
  int64_t expected = next_move(k, e->entity, &to, &by);
  if (expected == SIM_NEVER || llabs(expected - e->tick) > sim_ticks(SLACK) || to != e->to)
    return differ(k, "another move", e->entity, e->to, e->tick, expected);
  if (by) {
    size_t at = (size_t)(by - k->contact);
    uint32_t u = (uint32_t)(at / PROCESSES % k->size);
    move(k, e->entity, e->to);
    by->n++;
    next_contact(k, (int)(at / PROCESSES / k->size), u, (int)(at % PROCESSES));
  } else {
    move(k, e->entity, e->to);
  }
  return NULL;
}

const char *keyed_compare(struct keyed_sim *k, const struct sim_run *run, enum keyed_mistake mistake) {
  k->run = run;
  begin(k, mistake);
  const char *wrong = NULL;
  for (size_t i = 0; i < k->entries && !wrong; i++) {
    const struct entry *e = &k->entry[i];
    skip_contacts(k, e->tick);
    wrong = missing(k, e->tick);
    advance(k, e->tick);
    if (wrong) break;
    if (!e->is_move)
      set(k, e);
    else if (k->state[e->entity] != e->from)
      wrong = differ(k, "it was in another state", e->entity, e->to, e->tick, e->tick);
    else if (e->own)
      wrong = check_own(k, e);
    else
      move(k, e->entity, e->to);
  }
  skip_contacts(k, sim_horizon(run));
  return wrong ? wrong : missing(k, sim_horizon(run));
}
