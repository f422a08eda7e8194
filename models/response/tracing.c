/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contact tracing: the neighbours of a reported person are named with some probability, reached by a team or at once,
 * and quarantined for a time. Contacts of contacts are traced only if they are reported themselves. */
#include "models/response/action.h"
#include "sim/core/model.h"

static const struct sim_param params[] = {
    ACTION_AGAINST,
    ACTION_ON,
    ACTION_PARAMS(NULL),
    {.name = "layers",
     .kind = SIM_REF,
     .flags = SIM_LIST,
     .refers = "layer",
     .doc = "Layers whose contacts are traced (along their direction where they have one); without it all layers with "
            "edges among the people of the hazard."},
    {.name = "coverage",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .unit = "1",
     .max = 1,
     .doc = "Probability that a contact is named and found."},
    {.name = "delay",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .fallback = "1 day",
     .doc = "Time from the report until a contact is known."},
    ACTION_TEAM("The team that calls contacts; without it they are reached at once"),
    {.name = "service",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .fallback = "30 min",
     .doc = "Working time of the team for a contact."},
    {.name = "duration", .kind = SIM_LAW_CALL, .unit = "day", .fallback = "14 days", .doc = "Time in quarantine."},
    {.name = "efficacy",
     .kind = SIM_QUANTITY,

     .unit = "1",
     .fallback = "80 %",
     .max = 1,
     .doc = "Reduction of the infectivity and of the susceptibility of a quarantined person."},
    {.name = "cost",
     .kind = SIM_QUANTITY,
     .unit = "currency/contact",
     .fallback = "0 currency/contact",
     .doc = "Cost of a contact reached."},
    {0}};
static const struct sim_signal_desc signals[] = {ACTION_SIGNALS, {0}};
enum { EV_KNOWN = ACTION_EV_OWN, EV_RELEASE };
static const struct sim_event_desc events[] = {
    ACTION_EVENTS, {"contact_known", SIM_PHASE_SERVE}, {"release", SIM_PHASE_SERVE}, {0}};
enum { OUT_CASES = ACTION_OUT_OWN, OUT_CONTACTS, OUT_PERSON_DAYS };
static const struct sim_output_desc outputs[] = {
    ACTION_OUTPUTS,
    {"cases_traced", "people", "Reported cases whose contacts were traced", true},
    {"contacts_reached", "contact", "Contacts reached", true},
    {"person_days_held", "person_day", "Person-days held", false},
    {0}};

struct plan {
  struct action_plan action;
  struct hold_plan hold;
  uint32_t machine, server;
  uint32_t *layer, *draw_edge; /* [layers] */
  size_t layers;
  int priority;
  double coverage, cost;
  struct sim_law delay, service, duration;
  uint32_t item, draw_delay, draw_service, draw_duration;
};
struct call { /* one contact to be reached; its draws are named by contact, source and life */
  uint32_t source, life;
};
struct state {
  struct action action;
  struct hold hold;
  uint32_t *last;    /* [size] incarnation last traced, plus 1 */
  uint32_t *touched; /* [size] */
  uint32_t touched_n;
  struct call *call; /* [calls] of this run */
  size_t calls, calls_cap;
  uint64_t cases, reached;
};

static bool can_trace(const struct plan *p, const struct sim_layer *layer) {
  return !layer->mixing && layer->population == p->hold.population;
}

static int add_layer(struct sim_builder *b, struct sim_instance *self, struct plan *p, uint32_t layer) {
  char *suffix = sim_strf("coverage.%s", sim_builder_layer(b, layer)->name);
  if (!suffix) return SIM_ERR_MEMORY;
  p->layer[p->layers] = layer;
  p->draw_edge[p->layers++] = sim_builder_purpose(b, self, suffix);
  sim_free(suffix);
  return 0;
}

static int plan_layers(struct sim_builder *b, struct sim_instance *self, struct plan *p) {
  size_t n;
  const struct sim_value *list = sim_value_list(self->params, "layers", &n);
  uint32_t all = sim_builder_layers(b);
  p->layer = sim_calloc(n + all + 1, sizeof *p->layer);
  p->draw_edge = sim_calloc(n + all + 1, sizeof *p->draw_edge);
  if (!p->layer || !p->draw_edge) return SIM_ERR_MEMORY;
  int ret = 0;
  for (uint32_t l = 0; !ret && !n && l < all; l++)
    if (can_trace(p, sim_builder_layer(b, l))) ret = add_layer(b, self, p, l);
  for (size_t i = 0; !ret && i < n; i++) {
    uint32_t l = sim_builder_find_layer(b, list[i].text);
    if (l == SIM_NONE || !can_trace(p, sim_builder_layer(b, l)))
      return sim_diag_add(sim_builder_diag(b), &list[i].mark, list[i].path,
                          "tracing needs layers with edges among the people of the hazard");
    ret = add_layer(b, self, p, l);
  }
  return ret;
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *against = sim_value_get(self->params, "against");
  const struct sim_instance *hazard = action_hazard(b, against, against->text);
  if (!hazard) return SIM_ERR_INPUT;
  p->machine = hazard->machine;
  self->population = action_population(b, hazard);
  hold_plan_init(b, self, hazard, sim_value_number(self->params, "efficacy"), &p->hold);
  p->priority = (int)sim_value_number(self->params, "priority");
  p->coverage = sim_value_number(self->params, "coverage");
  p->cost = sim_value_number(self->params, "cost");
  p->item = sim_builder_cost(b, self);
  p->draw_delay = sim_builder_purpose(b, self, "delay");
  p->draw_service = sim_builder_purpose(b, self, "service");
  p->draw_duration = sim_builder_purpose(b, self, "duration");
  int ret = plan_layers(b, self, p);
  if (!ret) ret = action_plan_moments(b, self, &p->action);
  if (!ret) ret = action_listen(b, self);
  if (!ret) ret = action_team(b, self, "fifo", false, &p->server);
  if (!ret) ret = action_law(b, self, "delay", &p->delay);
  if (!ret) ret = action_law(b, self, "service", &p->service);
  if (!ret) ret = action_law(b, self, "duration", &p->duration);
  return ret;
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_free(p->layer);
  sim_free(p->draw_edge);
  sim_law_free(&p->delay);
  sim_law_free(&p->service);
  sim_law_free(&p->duration);
}

static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  size_t size = sim_run_population(run, p->hold.population)->size + (size_t)1;
  s->last = sim_calloc(size, sizeof *s->last);
  s->touched = sim_calloc(size, sizeof *s->touched);
  return s->last && s->touched ? hold_open(run, &p->hold, &s->hold) : SIM_ERR_MEMORY;
}

static void close(void *state) {
  struct state *s = state;
  sim_free(s->last);
  sim_free(s->touched);
  sim_free(s->call);
  hold_close(&s->hold);
}

static void begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  action_begin(run, &((const struct plan *)self->plan)->action, &((struct state *)state)->action);
}

static void moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot, uint32_t index) {
  (void)index;
  action_moment(run, self, &((const struct plan *)self->plan)->action, &((struct state *)state)->action, slot);
}

static void name_contact(struct sim_run *run, const struct sim_instance *self, struct state *s, struct call call,
                         uint32_t contact) {
  const struct plan *p = self->plan;
  struct call *calls = sim_grow(s->call, &s->calls_cap, s->calls + 1, sizeof *calls);
  if (!calls) {
    sim_run_fail(run, "out of memory for the contacts of %s", self->path);
    return;
  }
  s->call = calls;
  s->call[s->calls] = call;
  int64_t delay = action_draw(run, &p->delay, p->draw_delay, contact, call.source, call.life);
  sim_schedule(run, self, EV_KNOWN, contact, (uint32_t)s->calls++, sim_ticks_add(sim_now(run), delay), NULL);
}

/* A spell of a person is traced once, however often it is reported. */
static void reported(struct sim_run *run, const struct sim_instance *self, void *state,
                     const struct sim_instance *sensor, uint32_t entity) {
  (void)sensor;
  struct state *s = state;
  const struct plan *p = self->plan;
  struct call call = {entity, sim_incarnation(run, p->machine, entity)};
  if (!s->action.active || s->last[entity] == call.life + 1) return;
  if (!s->last[entity]) s->touched[s->touched_n++] = entity;
  s->last[entity] = call.life + 1;
  s->cases++;
  for (size_t l = 0; l < p->layers; l++) {
    const struct sim_graph *g = sim_run_graph(run, p->layer[l]);
    for (uint64_t a = g->row[entity]; a < g->row[entity + 1]; a++) {
      double u[2];
      sim_rng_edge(sim_run_rng(run), p->draw_edge[l], entity, g->to[a], call.life, 0, u);
      if (u[0] < p->coverage) name_contact(run, self, s, call, g->to[a]);
    }
  }
}

static void reach(struct sim_run *run, const struct sim_instance *self, struct state *s, uint32_t contact, uint32_t i) {
  const struct plan *p = self->plan;
  s->reached++;
  hold_take(run, self, &p->hold, &s->hold, contact,
            action_draw(run, &p->duration, p->draw_duration, contact, s->call[i].source, s->call[i].life), EV_RELEASE);
}

static void contact_known(struct sim_run *run, const struct sim_instance *self, struct state *s, uint32_t contact,
                          uint32_t i) {
  const struct plan *p = self->plan;
  if (p->server == SIM_NONE) {
    reach(run, self, s, contact, i);
    return;
  }
  struct sim_job job = {.entity = contact,
                        .tag = i,
                        .service =
                            action_draw(run, &p->service, p->draw_service, contact, s->call[i].source, s->call[i].life),
                        .priority = p->priority};
  (void)sim_submit(run, p->server, self, &job);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  struct state *s = state;
  switch (ev->kind) {
  case ACTION_EV_START:
    action_start(run, self, &s->action);
    break;
  case EV_KNOWN:
    contact_known(run, self, s, ev->entity, ev->n);
    break;
  case EV_RELEASE:
    hold_release(run, &((const struct plan *)self->plan)->hold, &s->hold, ev->entity);
    break;
  default:
    break;
  }
}

static void served(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_job *job) {
  reach(run, self, state, job->entity, job->tag);
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  action_end(run, self, &s->action);
  sim_output(run, self, OUT_CASES, (double)s->cases);
  sim_output(run, self, OUT_CONTACTS, (double)s->reached);
  sim_output(run, self, OUT_PERSON_DAYS, hold_end(run, &s->hold));
  sim_spend(run, p->item, p->cost * (double)s->reached);
  for (uint32_t i = 0; i < s->touched_n; i++) s->last[s->touched[i]] = 0;
  s->touched_n = 0;
  s->calls = 0;
  s->cases = s->reached = 0;
}

const struct sim_model sim_model_tracing = {
    .name = "tracing",
    .section = "actions",
    .doc =
        "Tracing and quarantine of the contacts of reported cases, with a team of finite size (Klinkenberg, Fraser & "
        "Heesterbeek 2006).",
    .params = params,
    .signals = signals,
    .events = events,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .plan = plan,
    .plan_free = plan_free,
    .open = open,
    .close = close,
    .begin = begin,
    .event = event,
    .moment = moment,
    .reported = reported,
    .served = served,
    .end = end};
