/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vaccination campaigns: doses given one by one, by a team or at a rate, to people called in some order.
 *
 * The campaign knows nobody's state but that of the dead, who are not called: it calls everyone once, in order, those
 * who accept get a dose, and the dose acts when it protects: on a person still susceptible. A team works on the
 * campaign as a backlog, so that the cost of a run is that of the doses given, not of the population: random order is a
 * keyed permutation computed place by place. */
#include "models/response/action.h"
#include "sim/core/model.h"
#include <stdlib.h>

static const struct sim_param params[] = {
    ACTION_AGAINST,
    ACTION_PARAMS("day 0"),
    ACTION_TEAM("The team that vaccinates; without it doses_per_day is the pace"),
    {.name = "service",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .fallback = "5 min",
     .doc = "Working time of the team for a dose."},
    {.name = "doses_per_day",
     .kind = SIM_QUANTITY,
     .flags = SIM_NULLABLE,
     .unit = "dose/day",
     .doc = "Pace without a team, evenly spread; unlimited: all at the start."},
    {.name = "among",
     .kind = SIM_REF,
     .flags = SIM_LIST,
     .refers = "group",
     .doc = "Groups that are called; without it everyone."},
    {.name = "order",
     .kind = SIM_CHOICE,
     .choices = "random degree vulnerable_first people_served",
     .fallback = "random",
     .doc = "Order in which people are called: at random, by contacts in `layer`, by vulnerability, by weight; highest "
            "first, ties by number."},
    {.name = "layer", .kind = SIM_REF, .refers = "layer", .doc = "Layer whose contacts `order: degree` counts."},
    {.name = "uptake",
     .kind = SIM_QUANTITY,
     .flags = SIM_BY_GROUP,
     .unit = "1",
     .fallback = "100 %",
     .max = 1,
     .doc = "Share of the people called who accept."},
    {.name = "coverage",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .fallback = "100 %",
     .max = 1,
     .doc = "The campaign ends when this share of the people to be called has a dose."},
    {.name = "efficacy",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .unit = "1",
     .max = 1,
     .doc = "all_or_nothing: share of the doses that protect wholly; leaky: reduction of everyone's susceptibility."},
    {.name = "mode",
     .kind = SIM_CHOICE,
     .choices = "all_or_nothing leaky",
     .fallback = "all_or_nothing",
     .doc = "How a dose protects (Smith, Rodrigues & Fine 1984)."},
    {.name = "transition",
     .kind = SIM_REF,
     .refers = "transition",
     .doc = "all_or_nothing: the hazard's transition that a protected person makes, if in its `from` state; without it "
            "their susceptibility becomes 0 and their state remains."},
    {.name = "protection_delay",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .fallback = "14 days",
     .doc = "Time from the dose to protection."},
    {.name = "cost",
     .kind = SIM_QUANTITY,
     .unit = "currency/dose",
     .fallback = "0 currency/dose",
     .doc = "Cost of a dose."},
    {0}};

static const struct sim_knob knobs[] = {{"uptake", SIM_SCOPE_ENTITY, 0, 1000, "Multiplies a person's uptake"}, {0}};
enum { KNOB_UPTAKE };
static const struct sim_signal_desc signals[] = {ACTION_SIGNALS, {0}};
enum { EV_DOSE = ACTION_EV_OWN, EV_PROTECT };
static const struct sim_event_desc events[] = {
    ACTION_EVENTS, {"dose", SIM_PHASE_SERVE}, {"protect", SIM_PHASE_SERVE}, {0}};
enum { OUT_DOSES = ACTION_OUT_OWN, OUT_REFUSED, OUT_PROTECTED };
static const struct sim_output_desc outputs[] = {ACTION_OUTPUTS,
                                                 {"doses", "dose", "Doses given", true},
                                                 {"refused", "people", "People called who did not accept", true},
                                                 {"protected", "people", "People on whom a dose took effect", true},
                                                 {0}};

struct plan {
  struct action_plan action;
  const struct sim_instance *hazard;
  uint32_t population, server;
  int priority;
  const char *order;
  uint32_t layer;    /* of order degree, or SIM_NONE */
  uint32_t *members; /* people to be called, in order of number, or sorted by `order`; NULL: everyone */
  uint32_t n;        /* how many */
  uint32_t limit;    /* doses at most */
  uint64_t graph;    /* hash of the graph that `members` is sorted by */
  struct action_share uptake;
  struct sim_law service, protection;
  double efficacy, rate, cost;
  bool leaky, has_transition;
  unsigned transition;
  uint32_t modifier, item;
  uint32_t draw_order, draw_uptake, draw_service, draw_efficacy, draw_protection;
};
enum { AHEAD = 16 }; /* places of a random order that are computed at once */
struct state {
  struct action action;
  uint32_t called, given_out; /* places of the order gone through; doses given or under way */
  uint64_t doses, refused, protected;
  int64_t base; /* tick from which a campaign at a rate counts */
  uint32_t k;   /* doses since */
  sim_handle dose;
  int64_t *protect; /* [size] when a dose takes effect: an agenda's field */
  uint32_t agenda;
  uint32_t *dosed; /* [dosed_n] who has had a dose */
  uint32_t dosed_n;
  size_t dosed_cap;
  uint32_t ahead[AHEAD], ahead_first, ahead_n; /* people at the places [ahead_first, ahead_first + ahead_n) */
  uint32_t *sorted;                            /* [n] order by the degrees of this replicate's graph, or NULL */
  uint64_t graph;                              /* its hash */
};

/* ---- order ------------------------------------------------------------------------------------------------------- */

struct ranked {
  double key;
  uint32_t entity;
};
static int by_key(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  if (x->key != y->key) return x->key > y->key ? -1 : 1;
  return (x->entity > y->entity) - (x->entity < y->entity);
}

/* out[n]: members (NULL: 0..n-1) from the highest key to the lowest. */
static int sort_members(const struct plan *p, const struct sim_population *people, const struct sim_graph *graph,
                        uint32_t *out) {
  struct ranked *ranked = sim_calloc(p->n + 1u, sizeof *ranked);
  if (!ranked) return SIM_ERR_MEMORY;
  for (uint32_t i = 0; i < p->n; i++) {
    uint32_t e = p->members ? p->members[i] : i;
    double key = graph                ? (double)sim_graph_degree(graph, e)
                 : p->order[0] == 'v' ? (people->vulnerability ? (double)people->vulnerability[e] : 1)
                                      : sim_population_weight(people, e);
    ranked[i] = (struct ranked){key, e};
  }
  qsort(ranked, p->n, sizeof *ranked, by_key);
  for (uint32_t i = 0; i < p->n; i++) out[i] = ranked[i].entity;
  sim_free(ranked);
  return 0;
}

/* The person at a place of the order. Those at random places are found some at a time, since one has not to wait for
 * another then. */
static uint32_t person_at(const struct sim_run *run, const struct plan *p, struct state *s, uint32_t place) {
  if (p->order[0] != 'r') return s->sorted ? s->sorted[place] : p->members[place];
  if (place - s->ahead_first >= s->ahead_n) {
    s->ahead_first = place;
    s->ahead_n = p->n - place < AHEAD ? p->n - place : AHEAD;
    for (uint32_t k = 0; k < s->ahead_n; k++)
      s->ahead[k] = sim_rng_permuted(sim_run_rng(run), p->draw_order, p->n, place + k);
  }
  uint32_t i = s->ahead[place - s->ahead_first];
  return p->members ? p->members[i] : i;
}

/* Whether a keyed uniform of the person is below a share; it always is where the share is everyone. */
static bool falls_below(const struct sim_run *run, uint32_t purpose, uint32_t entity, double share) {
  return share >= 1 || sim_rng_uniform(sim_run_rng(run), purpose, entity, 0, 0) < share;
}

/* The next person who accepts, or SIM_NONE: nobody is left, or coverage is reached. */
static uint32_t next_person(struct sim_run *run, const struct sim_instance *self, const struct plan *p,
                            struct state *s) {
  const struct sim_population *people = sim_run_population(run, p->population);
  while (s->called < p->n && s->given_out < p->limit) {
    uint32_t e = person_at(run, p, s, s->called++);
    if (sim_gone(run, p->population, e)) continue;
    double uptake = action_share_of(&p->uptake, people, e) * sim_factor(run, self, KNOB_UPTAKE, e);
    if (falls_below(run, p->draw_uptake, e, uptake)) {
      s->given_out++;
      return e;
    }
    s->refused++;
  }
  return SIM_NONE;
}

/* ---- planning ---------------------------------------------------------------------------------------------------- */

static int declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  (void)plan;
  action_declare_population(b, self, sim_value_text(self->params, "against"));
  return 0;
}

static int plan_order(struct sim_builder *b, struct sim_instance *self, struct plan *p) {
  p->order = sim_value_text(self->params, "order");
  p->layer = SIM_NONE;
  int ret = action_members(b, self, "among", p->population, &p->members, &p->n);
  if (ret || p->order[0] == 'r') return ret;
  const struct sim_graph *graph = NULL;
  if (p->order[0] == 'd') {
    const struct sim_value *at = sim_value_get(self->params, "layer");
    if (at->form == SIM_ABSENT) at = sim_value_get(self->params, "order");
    if (sim_value_has(self->params, "layer")) p->layer = sim_builder_find_layer(b, at->text);
    const struct sim_layer *layer = p->layer == SIM_NONE ? NULL : sim_builder_layer(b, p->layer);
    if (!layer || layer->mixing || layer->population != p->population)
      return sim_diag_add(sim_builder_diag(b), &at->mark, at->path,
                          "order: degree needs a `layer` with edges among the people of the hazard");
    if (!(graph = sim_builder_graph(b, p->layer))) return SIM_ERR_INPUT;
    p->graph = graph->hash;
  }
  uint32_t *sorted = sim_calloc(p->n + 1u, sizeof *sorted);
  if (!sorted) return SIM_ERR_MEMORY;
  ret = sort_members(p, sim_builder_population(b, p->population), graph, sorted);
  sim_free(p->members);
  p->members = sorted;
  return ret;
}

static int plan_effect(struct sim_builder *b, struct sim_instance *self, struct plan *p) {
  const struct sim_value *at = sim_value_get(self->params, "transition"), *efficacy;
  efficacy = sim_value_get(self->params, "efficacy");
  p->efficacy = efficacy->number;
  p->leaky = sim_value_text(self->params, "mode")[0] == 'l';
  p->has_transition = at->form != SIM_ABSENT;
  if (p->has_transition && p->leaky)
    return sim_diag_add(sim_builder_diag(b), &at->mark, at->path, "a leaky vaccine makes no transition");
  if (p->has_transition) return action_transition(b, at, p->hazard, at->text, &p->transition);
  p->modifier =
      sim_builder_modifier(b, self, efficacy, p->hazard, "susceptibility", p->leaky ? 1 - p->efficacy : 0, NULL);
  return 0;
}

static int plan_pace(struct sim_builder *b, struct sim_instance *self, struct plan *p) {
  bool rate = sim_value_has(self->params, "doses_per_day"), team = sim_value_has(self->params, "team");
  const struct sim_value *at = sim_value_get(self->params, rate ? "doses_per_day" : "team");
  p->rate = sim_value_number_or(self->params, "doses_per_day", 0);
  p->priority = (int)sim_value_number(self->params, "priority");
  if (rate == team)
    return sim_diag_add(sim_builder_diag(b), rate ? &at->mark : &self->params->mark, self->path,
                        "expected either a team or doses_per_day");
  return action_team(b, self, "fifo", true, &p->server);
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *against = sim_value_get(self->params, "against");
  if (!(p->hazard = action_hazard(b, against, against->text))) return SIM_ERR_INPUT;
  p->population = self->population = action_population(b, p->hazard);
  p->item = sim_builder_cost(b, self);
  p->cost = sim_value_number(self->params, "cost");
  p->draw_order = sim_builder_purpose(b, self, "order");
  p->draw_uptake = sim_builder_purpose(b, self, "uptake");
  p->draw_service = sim_builder_purpose(b, self, "service");
  p->draw_efficacy = sim_builder_purpose(b, self, "efficacy");
  p->draw_protection = sim_builder_purpose(b, self, "protection_delay");
  int ret = action_plan_moments(b, self, &p->action);
  if (!ret) ret = plan_order(b, self, p);
  if (!ret) ret = plan_effect(b, self, p);
  if (!ret) ret = plan_pace(b, self, p);
  if (!ret) ret = action_share_init(b, sim_value_get(self->params, "uptake"), p->population, &p->uptake);
  if (!ret) ret = action_law(b, self, "service", &p->service);
  if (!ret) ret = action_law(b, self, "protection_delay", &p->protection);
  p->limit = (uint32_t)floor(sim_value_number(self->params, "coverage") * p->n + 1e-9);
  return ret;
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_free(p->members);
  sim_free(p->uptake.group);
  sim_law_free(&p->service);
  sim_law_free(&p->protection);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  uint32_t size = sim_run_population(run, p->population)->size;
  if (!(s->protect = sim_calloc(size + 1u, sizeof *s->protect))) return SIM_ERR_MEMORY;
  for (uint32_t e = 0; e < size; e++) s->protect[e] = SIM_NEVER;
  return sim_agenda_open(run, self, EV_PROTECT, s->protect, sizeof *s->protect, &s->agenda);
}

static void close(void *state) {
  struct state *s = state;
  sim_free(s->sorted);
  sim_free(s->protect);
  sim_free(s->dosed);
}

/* Where the graph is drawn anew in each replicate, the order by degree is too, at the first call. */
static bool sort_for_run(struct sim_run *run, const struct plan *p, struct state *s) {
  if (p->order[0] != 'd') return true;
  const struct sim_graph *graph = sim_run_graph(run, p->layer);
  if (graph->hash == (s->sorted ? s->graph : p->graph)) return true;
  if (!s->sorted) s->sorted = sim_calloc(p->n + 1u, sizeof *s->sorted);
  if (!s->sorted || sort_members(p, sim_run_population(run, p->population), graph, s->sorted)) {
    sim_run_out_of_memory(run, "vaccinations");
    return false;
  }
  s->graph = graph->hash;
  return true;
}

static void give_dose(struct sim_run *run, const struct sim_instance *self, const struct plan *p, struct state *s,
                      uint32_t entity) {
  (void)self;
  uint32_t *dosed = sim_grow(s->dosed, &s->dosed_cap, s->dosed_n + 1u, sizeof *dosed);
  if (!dosed) {
    sim_run_out_of_memory(run, "vaccinations");
    return;
  }
  s->dosed = dosed;
  s->dosed[s->dosed_n++] = entity;
  s->doses++;
  sim_spend(run, p->item, p->cost);
  int64_t delay = action_draw(run, &p->protection, p->draw_protection, entity, 0, 0);
  sim_expect(run, s->agenda, entity, sim_ticks_add(sim_now(run), delay));
}

static void foresee(const struct sim_run *run, const struct sim_instance *self, void *state,
                    const struct sim_foreseen *f, unsigned stage) {
  const struct plan *p = self->plan;
  (void)state;
  for (uint32_t i = 0; stage == 0 && i < f->n; i++) {
    if (p->has_transition)
      sim_foresee_move(run, p->hazard->machine, f->entity[i]);
    else
      sim_foresee_modify(run, p->modifier, f->entity[i]);
  }
}

static void protect(struct sim_run *run, const struct plan *p, struct state *s, uint32_t entity) {
  if (sim_gone(run, p->population, entity)) return;
  if (!p->leaky && !falls_below(run, p->draw_efficacy, entity, p->efficacy)) return;
  if (p->has_transition) {
    if (!sim_fire(run, p->hazard->machine, entity, p->transition)) return;
  } else {
    sim_modify(run, p->modifier, entity, true);
  }
  s->protected ++;
}

/* Doses at a rate: dose k is due k / rate after the start, so the pace does not drift. */
static void dose_at_rate(struct sim_run *run, const struct sim_instance *self, const struct plan *p, struct state *s) {
  uint32_t e;
  do {
    e = next_person(run, self, p, s);
    if (e != SIM_NONE) give_dose(run, self, p, s, e);
  } while (e != SIM_NONE && p->rate == (double)INFINITY);
  if (e == SIM_NONE) {
    action_stop(run, self, &s->action);
    return;
  }
  int64_t due = sim_ticks_add(s->base, sim_ticks(++s->k / p->rate));
  sim_schedule(run, self, EV_DOSE, SIM_NONE, s->k, due, &s->dose);
}

static void start(struct sim_run *run, const struct sim_instance *self, const struct plan *p, struct state *s) {
  action_start(run, self, &s->action);
  if (!sort_for_run(run, p, s)) return;
  if (p->server != SIM_NONE) {
    sim_wake(run, p->server);
  } else if (p->rate > 0) {
    s->base = sim_now(run);
    s->k = 0;
    dose_at_rate(run, self, p, s);
  }
}

static void moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot, uint32_t index) {
  (void)index;
  struct state *s = state;
  const struct plan *p = self->plan;
  if (action_moment(run, self, &p->action, &s->action, slot)) sim_cancel(run, &s->dose);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  struct state *s = state;
  const struct plan *p = self->plan;
  switch (ev->kind) {
  case ACTION_EV_START:
    start(run, self, p, s);
    break;
  case EV_DOSE:
    dose_at_rate(run, self, p, s);
    break;
  case EV_PROTECT:
    protect(run, p, s, ev->entity);
    break;
  default:
    break;
  }
}

static bool pull(struct sim_run *run, const struct sim_instance *self, void *state, struct sim_job *job) {
  struct state *s = state;
  const struct plan *p = self->plan;
  if (!s->action.active) return false;
  uint32_t e = next_person(run, self, p, s);
  if (e == SIM_NONE) {
    action_stop(run, self, &s->action);
    return false;
  }
  job->entity = e;
  job->priority = p->priority;
  job->service = action_draw(run, &p->service, p->draw_service, e, 0, 0);
  return true;
}

static void served(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_job *job) {
  give_dose(run, self, self->plan, state, job->entity);
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  action_end(run, self, &s->action);
  sim_output(run, self, OUT_DOSES, (double)s->doses);
  sim_output(run, self, OUT_REFUSED, (double)s->refused);
  sim_output(run, self, OUT_PROTECTED, (double)s->protected);
  for (uint32_t i = 0; i < s->dosed_n; i++) s->protect[s->dosed[i]] = SIM_NEVER;
  s->dosed_n = 0;
  s->called = s->given_out = s->ahead_n = 0;
  s->doses = s->refused = s->protected = 0;
}

const struct sim_model sim_model_vaccination = {
    .name = "vaccination",
    .section = "actions",
    .doc = "A vaccination campaign of finite pace: doses by a team or at a rate, in an order, with uptake and "
           "all-or-nothing "
           "or leaky protection (Smith, Rodrigues & Fine 1984; Halloran, Longini & Struchiner 2010).",
    .params = params,
    .knobs = knobs,
    .signals = signals,
    .events = events,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .declare = declare,
    .plan = plan,
    .plan_free = plan_free,
    .open = open,
    .close = close,
    .event = event,
    .foresee = foresee,
    .moment = moment,
    .pull = pull,
    .served = served,
    .end = end};
