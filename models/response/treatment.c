/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Treatment: reported cases are treated, by a team or at once, and a treatment that works completes a transition of the
 * hazard (from ill to recovered). A case that leaves the state by itself leaves the queue too. */
#include "models/response/action.h"
#include "sim/core/model.h"

static const struct sim_param params[] = {ACTION_AGAINST,
                                          ACTION_ON,
                                          ACTION_PARAMS(NULL),
                                          ACTION_TEAM("The team that treats; without it every case is treated at once"),
                                          {.name = "order",
                                           .kind = SIM_CHOICE,
                                           .choices = "fifo lifo people_served vulnerable_first random",
                                           .fallback = "fifo",
                                           .doc = "Order of waiting cases of one priority."},
                                          {.name = "delay",
                                           .kind = SIM_LAW_CALL,
                                           .unit = "day",
                                           .fallback = "0 days",
                                           .doc = "Time from the report to the case's arrival at the team."},
                                          {.name = "service",
                                           .kind = SIM_LAW_CALL,
                                           .unit = "day",
                                           .fallback = "30 min",
                                           .doc = "Working time for a treatment."},
                                          {.name = "transition",
                                           .kind = SIM_REF,
                                           .flags = SIM_REQUIRED,
                                           .refers = "transition",
                                           .doc = "The hazard's transition that a treatment completes."},
                                          {.name = "efficacy",
                                           .kind = SIM_QUANTITY,
                                           .flags = SIM_BY_GROUP,
                                           .unit = "1",
                                           .fallback = "100 %",
                                           .max = 1,
                                           .doc = "Share of the treatments that work."},
                                          {.name = "cost",
                                           .kind = SIM_QUANTITY,
                                           .unit = "currency/treatment",
                                           .fallback = "0 currency/treatment",
                                           .doc = "Cost of a treatment."},
                                          {0}};
static const struct sim_signal_desc signals[] = {ACTION_SIGNALS, {0}};
enum { EV_ARRIVE = ACTION_EV_OWN, EV_TREATED };
static const struct sim_event_desc events[] = {
    ACTION_EVENTS, {"arrive", SIM_PHASE_SERVE}, {"treated", SIM_PHASE_SERVE}, {0}};
enum { OUT_TREATED = ACTION_OUT_OWN, OUT_CURED };
static const struct sim_output_desc outputs[] = {ACTION_OUTPUTS,
                                                 {"treated", "people", "Treatments given", true},
                                                 {"cured", "people", "Treatments that completed the transition", true},
                                                 {0}};

struct plan {
  struct action_plan action;
  const struct sim_instance *hazard;
  uint32_t machine, population, server;
  unsigned transition;
  uint8_t from;
  int priority;
  const char *order;
  struct sim_law delay, service;
  struct action_share efficacy;
  double cost;
  uint32_t item, draw_delay, draw_service, draw_efficacy, draw_order;
};
struct state {
  struct action action;
  sim_handle *pending; /* [size] arrival, or end of a treatment without a team */
  uint32_t *job;       /* [size] */
  uint32_t *last;      /* [size] incarnation last taken up, plus 1 */
  uint32_t *touched;   /* [size] */
  uint32_t touched_n;
  uint64_t treated, cured;
};

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *against = sim_value_get(self->params, "against");
  const struct sim_value *at = sim_value_get(self->params, "transition");
  if (!(p->hazard = action_hazard(b, against, against->text))) return SIM_ERR_INPUT;
  p->machine = p->hazard->machine;
  p->population = self->population = action_population(b, p->hazard);
  p->order = sim_value_text(self->params, "order");
  p->priority = (int)sim_value_number(self->params, "priority");
  p->item = sim_builder_cost(b, self);
  p->cost = sim_value_number(self->params, "cost");
  p->draw_delay = sim_builder_purpose(b, self, "delay");
  p->draw_service = sim_builder_purpose(b, self, "service");
  p->draw_efficacy = sim_builder_purpose(b, self, "efficacy");
  p->draw_order = sim_builder_purpose(b, self, "order");
  int ret = action_transition(b, at, p->hazard, at->text, &p->transition);
  if (ret) return ret;
  p->from = sim_builder_transition(b, p->machine, p->transition)->from;
  sim_builder_watch(b, self, p->machine, p->from);
  ret = action_plan_moments(b, self, &p->action);
  if (!ret) ret = action_listen(b, self);
  if (!ret) ret = action_team(b, self, p->order, false, &p->server);
  if (!ret) ret = action_law(b, self, "delay", &p->delay);
  if (!ret) ret = action_law(b, self, "service", &p->service);
  if (!ret) ret = action_share_init(b, sim_value_get(self->params, "efficacy"), p->population, &p->efficacy);
  return ret;
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_law_free(&p->delay);
  sim_law_free(&p->service);
  sim_free(p->efficacy.group);
}

static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  size_t size = sim_run_population(run, p->population)->size + (size_t)1;
  s->pending = sim_calloc(size, sizeof *s->pending);
  s->job = sim_calloc(size, sizeof *s->job);
  s->last = sim_calloc(size, sizeof *s->last);
  s->touched = sim_calloc(size, sizeof *s->touched);
  return s->pending && s->job && s->last && s->touched ? 0 : SIM_ERR_MEMORY;
}

static void close(void *state) {
  struct state *s = state;
  sim_free(s->pending);
  sim_free(s->job);
  sim_free(s->last);
  sim_free(s->touched);
}

/* Each spell of an entity (incarnation of the hazard's machine) is taken up once, however often it is reported. */
static void reported(struct sim_run *run, const struct sim_instance *self, void *state,
                     const struct sim_instance *sensor, uint32_t entity) {
  (void)sensor;
  struct state *s = state;
  const struct plan *p = self->plan;
  if (!s->action.active || sim_state(run, p->machine, entity) != p->from) return;
  uint32_t life = sim_incarnation(run, p->machine, entity);
  if (s->last[entity] == life + 1) return;
  if (!s->last[entity]) s->touched[s->touched_n++] = entity;
  s->last[entity] = life + 1;
  int64_t delay = action_draw(run, &p->delay, p->draw_delay, entity, life, 0);
  sim_schedule(run, self, EV_ARRIVE, entity, 0, sim_ticks_add(sim_now(run), delay), &s->pending[entity]);
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  struct state *s = state;
  const struct plan *p = self->plan;
  if (c->from != p->from) return;
  sim_cancel(run, &s->pending[c->entity]);
  if (s->job[c->entity]) sim_withdraw(run, p->server, s->job[c->entity]);
  s->job[c->entity] = 0;
}

static void arrive(struct sim_run *run, const struct sim_instance *self, const struct plan *p, struct state *s,
                   uint32_t entity) {
  uint32_t life = sim_incarnation(run, p->machine, entity);
  int64_t service = action_draw(run, &p->service, p->draw_service, entity, life, 0);
  if (p->server == SIM_NONE) {
    sim_schedule(run, self, EV_TREATED, entity, 0, sim_ticks_add(sim_now(run), service), &s->pending[entity]);
    return;
  }
  struct sim_job job = {.entity = entity,
                        .tag = life,
                        .service = service,
                        .priority = p->priority,
                        .rank = sim_rank(run, p->order, p->population, SIM_NONE, entity, p->draw_order)};
  s->job[entity] = sim_submit(run, p->server, self, &job);
}

static void treat(struct sim_run *run, const struct plan *p, struct state *s, uint32_t entity) {
  s->treated++;
  sim_spend(run, p->item, p->cost);
  uint32_t life = sim_incarnation(run, p->machine, entity);
  double efficacy = action_share_of(&p->efficacy, sim_run_population(run, p->population), entity);
  if (sim_rng_uniform(sim_run_rng(run), p->draw_efficacy, entity, life, 0) < efficacy)
    s->cured += sim_fire(run, p->machine, entity, p->transition);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  struct state *s = state;
  const struct plan *p = self->plan;
  switch (ev->kind) {
  case ACTION_EV_START:
    action_start(run, self, &s->action);
    break;
  case EV_ARRIVE:
    arrive(run, self, p, s, ev->entity);
    break;
  case EV_TREATED:
    treat(run, p, s, ev->entity);
    break;
  default:
    break;
  }
}

static void served(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_job *job) {
  struct state *s = state;
  s->job[job->entity] = 0;
  treat(run, self->plan, s, job->entity);
}

static void dropped(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_job *job,
                    bool abandoned) {
  (void)run, (void)self, (void)abandoned;
  ((struct state *)state)->job[job->entity] = 0;
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  action_end(run, self, &s->action);
  sim_output(run, self, OUT_TREATED, (double)s->treated);
  sim_output(run, self, OUT_CURED, (double)s->cured);
  for (uint32_t i = 0; i < s->touched_n; i++) s->last[s->touched[i]] = s->job[s->touched[i]] = 0;
  s->touched_n = 0;
  s->treated = s->cured = 0;
}

const struct sim_model sim_model_treatment = {
    .name = "treatment",
    .section = "actions",
    .doc =
        "Treatment of reported cases by a team of finite size, completing a transition of the hazard (queue of cases: "
        "Kaplan, Craft & Wein 2002).",
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
    .changed = changed,
    .reported = reported,
    .served = served,
    .dropped = dropped,
    .end = end};
