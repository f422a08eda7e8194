/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Isolation on detection: a reported person who complies stays apart for a time, which lowers what they pass on and
 * what they catch. */
#include "models/response/hold.h"

static const struct sim_param params[] = {HELD_PARAMS,
                                          ACTION_PARAMS(NULL),
                                          {.name = "compliance",
                                           .kind = SIM_QUANTITY,
                                           .flags = SIM_BY_GROUP,
                                           .unit = "1",
                                           .fallback = "100 %",
                                           .max = 1,
                                           .doc = "Share of the reported people who isolate."},
                                          {.name = "delay",
                                           .kind = SIM_LAW_CALL,
                                           .unit = "day",
                                           .fallback = "0 days",
                                           .doc = "Time from the report to isolation."},
                                          HELD_PARAMS_OF("an isolated", "isolation", "10 days"),
                                          {.name = "cost",
                                           .kind = SIM_QUANTITY,
                                           .unit = "currency/person_day",
                                           .fallback = "0 currency/person_day",
                                           .doc = "Cost of a person's day in isolation."},
                                          {0}};
static const struct sim_knob knobs[] = {{"compliance", SIM_SCOPE_ENTITY, 0, 1000, "Multiplies a person's compliance"},
                                        {0}};
enum { KNOB_COMPLIANCE };
static const struct sim_signal_desc signals[] = {ACTION_SIGNALS, {0}};
enum { EV_ISOLATE = HELD_EV_OWN };
static const struct sim_event_desc events[] = {HELD_EVENTS("isolate"), {0}};
enum { OUT_ISOLATED = ACTION_OUT_OWN, OUT_PERSON_DAYS };
static const struct sim_output_desc outputs[] = {ACTION_OUTPUTS,
                                                 {"isolated", "people", "Isolations begun", true},
                                                 {"person_days_held", "person_day", "Person-days held", false},
                                                 {0}};

struct plan {
  struct held_plan held;
  struct action_share compliance;
  struct sim_law delay;
  uint32_t draw_compliance, draw_delay;
};
struct state {
  struct held held;
  sim_handle *pending; /* [size] isolation decided but not begun */
};

static int declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  (void)plan;
  action_declare_population(b, self, sim_value_text(self->params, "against"));
  return 0;
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  p->draw_compliance = sim_builder_purpose(b, self, "compliance");
  p->draw_delay = sim_builder_purpose(b, self, "delay");
  int ret = held_plan_init(b, self, &p->held);
  if (!ret) ret = action_share_init(b, sim_value_get(self->params, "compliance"), self->population, &p->compliance);
  return ret ? ret : action_law(b, self, "delay", &p->delay);
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_law_free(&p->delay);
  sim_law_free(&p->held.duration);
  sim_free(p->compliance.group);
}

static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  s->pending = sim_calloc(sim_run_population(run, self->population)->size + (size_t)1, sizeof *s->pending);
  return s->pending ? hold_open(run, &p->held.hold, &s->held.hold) : SIM_ERR_MEMORY;
}

static void close(void *state) {
  struct state *s = state;
  sim_free(s->pending);
  hold_close(&s->held.hold);
}

/* Draws are named by the person and the spell of illness, so two sensors that report one spell get one answer. */
static void reported(struct sim_run *run, const struct sim_instance *self, void *state,
                     const struct sim_instance *sensor, uint32_t entity) {
  (void)sensor;
  struct state *s = state;
  const struct plan *p = self->plan;
  if (!s->held.action.active || s->pending[entity]) return;
  uint32_t life = sim_incarnation(run, p->held.machine, entity);
  double comply = action_share_of(&p->compliance, sim_run_population(run, self->population), entity) *
                  sim_factor(run, self, KNOB_COMPLIANCE, entity);
  if (sim_rng_uniform(sim_run_rng(run), p->draw_compliance, entity, life, 0) >= comply) return;
  int64_t delay = action_draw(run, &p->delay, p->draw_delay, entity, life, 0);
  sim_schedule(run, self, EV_ISOLATE, entity, life, sim_ticks_add(sim_now(run), delay), &s->pending[entity]);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  struct state *s = state;
  if (ev->kind == EV_ISOLATE)
    held_take(run, self, &s->held, ev->entity, ev->n, 0);
  else
    held_event(run, self, &s->held, ev);
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  action_end(run, self, &s->held.action);
  sim_output(run, self, OUT_ISOLATED, (double)s->held.hold.persons);
  double days = hold_end(run, &p->held.hold, &s->held.hold);
  sim_output(run, self, OUT_PERSON_DAYS, days);
  sim_spend(run, p->held.item, p->held.cost * days);
}

const struct sim_model sim_model_isolation = {
    .name = "isolation",
    .section = "actions",
    .doc =
        "Isolation of reported cases, with compliance, delay and duration (Fraser, Riley, Anderson & Ferguson 2004).",
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
    .begin = action_on_begin,
    .event = event,
    .moment = action_on_moment,
    .changed = held_changed,
    .reported = reported,
    .end = end};
