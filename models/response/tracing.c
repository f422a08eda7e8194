/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contact tracing: the neighbours of a reported person are named with some probability, reached by a team or at once,
 * and quarantined for a time. Contacts of contacts are traced only if they are reported themselves. */
#include "models/response/hold.h"

static const struct sim_param params[] = {
    HELD_PARAMS,
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
    HELD_PARAMS_OF("a quarantined", "quarantine", "14 days"),
    {.name = "records",
     .kind = SIM_QUANTITY,
     .unit = "day",
     .fallback = "14 days",
     .doc = "Time for which the data of a traced case, and of each contact named, are kept; of several the latest end "
            "counts. Each person-day of it is one under monitoring."},
    {.name = "monitors",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .fallback = "100 %",
     .max = 1,
     .doc = "Privacy lost in a person-day on record."},
    {.name = "cost",
     .kind = SIM_QUANTITY,
     .unit = "currency/contact",
     .fallback = "0 currency/contact",
     .doc = "Cost of a contact reached."},
    {0}};
static const struct sim_signal_desc signals[] = {ACTION_SIGNALS, {0}};
enum { EV_KNOWN = HELD_EV_OWN };
static const struct sim_event_desc events[] = {HELD_EVENTS("contact_known"), {0}};
enum { OUT_CASES = ACTION_OUT_OWN, OUT_CONTACTS, OUT_PERSON_DAYS };
static const struct sim_output_desc outputs[] = {
    ACTION_OUTPUTS,
    {"cases_traced", "people", "Reported cases whose contacts were traced", true},
    {"contacts_reached", "contact", "Contacts reached", true},
    {"person_days_held", "person_day", "Person-days held", false},
    {0}};

struct plan {
  struct held_plan held;
  struct action_burden privacy;
  uint32_t server;
  uint32_t *layer, *draw_edge; /* [layers] */
  size_t layers;
  int priority;
  double coverage;
  int64_t records; /* ticks */
  struct sim_law delay, service;
  uint32_t draw_delay, draw_service;
};
struct call { /* one contact to be reached; its draws are named by contact, source and life */
  uint32_t source, life;
};
struct state {
  struct held held;
  uint32_t *last;    /* [size] incarnation last traced, plus 1 */
  int64_t *kept;     /* [size] tick until which their data are kept, plus 1 */
  uint32_t *touched; /* [size] who is on record */
  uint32_t touched_n;
  struct call *call; /* [calls] of this run */
  size_t calls, calls_cap;
  uint64_t cases, reached;
  double days; /* person-days on record */
};

static bool can_trace(const struct plan *p, const struct sim_layer *layer) {
  return !layer->mixing && layer->population == p->held.hold.population;
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
  p->priority = (int)sim_value_number(self->params, "priority");
  p->coverage = sim_value_number(self->params, "coverage");
  p->records = sim_ticks(sim_value_number(self->params, "records"));
  p->draw_delay = sim_builder_purpose(b, self, "delay");
  p->draw_service = sim_builder_purpose(b, self, "service");
  action_burden_plan(b, self, "monitors", SIM_PRIVACY, &p->privacy);
  int ret = held_plan_init(b, self, &p->held);
  if (!ret) ret = plan_layers(b, self, p);
  if (!ret) ret = action_team(b, self, "fifo", false, &p->server);
  if (!ret) ret = action_law(b, self, "delay", &p->delay);
  return ret ? ret : action_law(b, self, "service", &p->service);
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_free(p->layer);
  sim_free(p->draw_edge);
  sim_law_free(&p->delay);
  sim_law_free(&p->service);
  sim_law_free(&p->held.duration);
}

static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  size_t size = sim_run_population(run, self->population)->size + (size_t)1;
  s->last = sim_calloc(size, sizeof *s->last);
  s->kept = sim_calloc(size, sizeof *s->kept);
  s->touched = sim_calloc(size, sizeof *s->touched);
  return s->last && s->kept && s->touched ? hold_open(run, &p->held.hold, &s->held.hold) : SIM_ERR_MEMORY;
}

static void close(void *state) {
  struct state *s = state;
  sim_free(s->last);
  sim_free(s->kept);
  sim_free(s->touched);
  sim_free(s->call);
  hold_close(&s->held.hold);
}

/* Keeps a person's data from now on: adds the days that were not covered. */
static void keep(struct sim_run *run, const struct plan *p, struct state *s, uint32_t person) {
  int64_t from = sim_now(run), end = sim_ticks_add(from, p->records);
  if (end > sim_horizon(run)) end = sim_horizon(run);
  if (!s->kept[person]) s->touched[s->touched_n++] = person;
  if (s->kept[person] && s->kept[person] - 1 > from) from = s->kept[person] - 1;
  if (end > from) s->days += sim_days(end - from);
  s->kept[person] = (end > from ? end : from) + 1;
}

static void name_contact(struct sim_run *run, const struct sim_instance *self, struct state *s, struct call call,
                         uint32_t contact) {
  const struct plan *p = self->plan;
  struct call *calls = sim_grow(s->call, &s->calls_cap, s->calls + 1, sizeof *calls);
  if (!calls) {
    sim_run_out_of_memory(run, self->path);
    return;
  }
  s->call = calls;
  s->call[s->calls] = call;
  keep(run, p, s, contact);
  int64_t delay = action_draw(run, &p->delay, p->draw_delay, contact, call.source, call.life);
  sim_schedule(run, self, EV_KNOWN, contact, (uint32_t)s->calls++, sim_ticks_add(sim_now(run), delay), NULL);
}

/* A spell of a person is traced once, however often it is reported. */
static void reported(struct sim_run *run, const struct sim_instance *self, void *state,
                     const struct sim_instance *sensor, uint32_t entity) {
  (void)sensor;
  struct state *s = state;
  const struct plan *p = self->plan;
  struct call call = {entity, sim_incarnation(run, p->held.machine, entity)};
  if (!s->held.action.active || s->last[entity] == call.life + 1) return;
  keep(run, p, s, entity);
  s->last[entity] = call.life + 1;
  s->cases++;
  for (size_t l = 0; l < p->layers; l++) {
    const struct sim_graph *g = sim_run_graph(run, p->layer[l]);
    for (uint64_t a = g->row[entity]; a < g->row[entity + 1]; a++) {
      double u[2];
      sim_rng_edge(sim_run_rng(run), p->draw_edge[l], entity, g->to[a], call.life, 0, u);
      if (u[0] < p->coverage && !sim_gone(run, self->population, g->to[a])) name_contact(run, self, s, call, g->to[a]);
    }
  }
}

static void reach(struct sim_run *run, const struct sim_instance *self, struct state *s, uint32_t contact, uint32_t i) {
  s->reached++;
  held_take(run, self, &s->held, contact, s->call[i].source, s->call[i].life);
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
  if (ev->kind == EV_KNOWN)
    contact_known(run, self, s, ev->entity, ev->n);
  else
    held_event(run, self, &s->held, ev);
}

static void served(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_job *job) {
  reach(run, self, state, job->entity, job->tag);
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  action_end(run, self, &s->held.action);
  sim_output(run, self, OUT_CASES, (double)s->cases);
  sim_output(run, self, OUT_CONTACTS, (double)s->reached);
  sim_output(run, self, OUT_PERSON_DAYS, hold_end(run, &p->held.hold, &s->held.hold));
  action_burden_end(run, &p->privacy, s->days);
  sim_spend(run, p->held.item, p->held.cost * (double)s->reached);
  for (uint32_t i = 0; i < s->touched_n; i++) s->last[s->touched[i]] = 0, s->kept[s->touched[i]] = 0;
  s->days = 0;
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
    .begin = action_on_begin,
    .event = event,
    .moment = action_on_moment,
    .changed = held_changed,
    .reported = reported,
    .served = served,
    .end = end};
