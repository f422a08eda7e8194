/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Holds on persons: while one is held, modifiers of the hazard are on; person-days are counted as freedom lost. A hold
 * ends by time, by its owner, or by death; the dead cannot be held.
 *
 * `held` is what isolation and tracing share besides: they follow up reports (isolation the reported, tracing their
 * contacts) and hold persons for a time, in isolation or in quarantine. */
#ifndef MODELS_RESPONSE_HOLD_H
#define MODELS_RESPONSE_HOLD_H
#include "models/response/action.h"

/* ---- holds ------------------------------------------------------------------------------------------------------- */

enum { HOLD_MODIFIERS = 2 };
struct hold_plan {
  uint32_t modifier[HOLD_MODIFIERS]; /* on while a person is held */
  unsigned modifiers;
  uint32_t population;
  struct action_burden freedom;
};
enum hold_status { HOLD_UNTOUCHED, HOLD_HELD, HOLD_RELEASED };
struct hold {
  uint8_t *status;     /* [size] enum hold_status */
  int64_t *since;      /* [size] tick at which the present hold began */
  sim_handle *release; /* [size] */
  uint32_t *touched;   /* [size] */
  uint32_t touched_n;
  uint64_t persons; /* holds begun */
  double days;      /* person-days of holds that ended */
};

/* Adds a modifier of the hazard: `knob` times 1 - efficacy, a share that stands at `at`. */
static inline void hold_plan_modifier(struct sim_builder *b, const struct sim_instance *self,
                                      const struct sim_instance *hazard, const char *knob, const struct sim_value *at,
                                      struct hold_plan *plan) {
  plan->population = action_population(b, hazard);
  plan->modifier[plan->modifiers++] = sim_builder_modifier(b, self, at, hazard, knob, 1 - at->number, NULL);
}

static inline int hold_open(const struct sim_run *run, const struct hold_plan *plan, struct hold *h) {
  size_t size = sim_run_population(run, plan->population)->size + (size_t)1;
  h->status = sim_calloc(size, sizeof *h->status);
  h->since = sim_calloc(size, sizeof *h->since);
  h->release = sim_calloc(size, sizeof *h->release);
  h->touched = sim_calloc(size, sizeof *h->touched);
  return h->status && h->since && h->release && h->touched ? 0 : SIM_ERR_MEMORY;
}

static inline void hold_close(struct hold *h) {
  sim_free(h->status);
  sim_free(h->since);
  sim_free(h->release);
  sim_free(h->touched);
}

/* Holds a person for `ticks` (SIM_NEVER: until released); of two overlapping holds the later end counts. `kind` is the
 * owner's event of release. */
static inline void hold_take(struct sim_run *run, const struct sim_instance *self, const struct hold_plan *plan,
                             struct hold *h, uint32_t entity, int64_t ticks, unsigned kind) {
  int64_t end = sim_ticks_add(sim_now(run), ticks);
  if (h->status[entity] == HOLD_HELD) {
    if (end > sim_scheduled(run, h->release[entity]))
      sim_schedule(run, self, kind, entity, 0, end, &h->release[entity]);
    return;
  }
  if (sim_gone(run, plan->population, entity)) return;
  if (h->status[entity] == HOLD_UNTOUCHED) h->touched[h->touched_n++] = entity;
  h->status[entity] = HOLD_HELD;
  h->since[entity] = sim_now(run);
  h->persons++;
  for (unsigned m = 0; m < plan->modifiers; m++) sim_modify(run, plan->modifier[m], entity, true);
  sim_schedule(run, self, kind, entity, 0, end, &h->release[entity]);
}

/* Does nothing where the person is not held. */
static inline void hold_release(struct sim_run *run, const struct hold_plan *plan, struct hold *h, uint32_t entity) {
  if (h->status[entity] != HOLD_HELD) return;
  sim_cancel(run, &h->release[entity]);
  h->status[entity] = HOLD_RELEASED;
  h->days += sim_days(sim_now(run) - h->since[entity]);
  for (unsigned m = 0; m < plan->modifiers; m++) sim_modify(run, plan->modifier[m], entity, false);
}

/* Person-days held up to the horizon, counted as freedom lost; resets. */
static inline double hold_end(struct sim_run *run, const struct hold_plan *plan, struct hold *h) {
  double days = h->days;
  for (uint32_t i = 0; i < h->touched_n; i++) {
    uint32_t e = h->touched[i];
    if (h->status[e] == HOLD_HELD) days += sim_days(sim_horizon(run) - h->since[e]);
    h->status[e] = HOLD_UNTOUCHED;
  }
  h->touched_n = 0;
  h->persons = 0;
  h->days = 0;
  action_burden_end(run, &plan->freedom, days);
  return days;
}

/* ---- isolation and quarantine ------------------------------------------------------------------------------------ */

/* The tables begin with these; the plan with struct held_plan, the state with struct held. An event of the model's own
 * stands between the start and the release. */
#define HELD_PARAMS ACTION_AGAINST, ACTION_ON
#define HELD_PARAMS_OF(who, how, standard)                                                                             \
  {.name = "duration", .kind = SIM_LAW_CALL, .unit = "day", .fallback = standard, .doc = "Time in " how "."},          \
      {.name = "efficacy",                                                                                             \
       .kind = SIM_QUANTITY,                                                                                           \
       .unit = "1",                                                                                                    \
       .fallback = "80 %",                                                                                             \
       .max = 1,                                                                                                       \
       .doc = "Reduction of the infectivity and of the susceptibility of " who " person."},                            \
      ACTION_RESTRICTS("in " how)
enum { HELD_EV_OWN = ACTION_EV_OWN, HELD_EV_RELEASE };
#define HELD_EVENTS(own)                                                                                               \
  ACTION_EVENTS, {own, SIM_PHASE_SERVE}, {                                                                             \
    "release", SIM_PHASE_SERVE                                                                                         \
  }

struct held_plan {
  struct action_plan action;
  struct hold_plan hold;
  uint32_t machine; /* of the hazard */
  struct sim_law duration;
  double cost;
  uint32_t item, draw_duration;
};
struct held {
  struct action action;
  struct hold hold;
};

static inline int held_plan_init(struct sim_builder *b, struct sim_instance *self, struct held_plan *p) {
  const struct sim_value *against = sim_value_get(self->params, "against");
  const struct sim_value *efficacy = sim_value_get(self->params, "efficacy");
  const struct sim_instance *hazard = action_hazard(b, against, against->text);
  if (!hazard) return SIM_ERR_INPUT;
  p->machine = hazard->machine;
  self->population = action_population(b, hazard);
  hold_plan_modifier(b, self, hazard, "infectivity", efficacy, &p->hold);
  hold_plan_modifier(b, self, hazard, "susceptibility", efficacy, &p->hold);
  action_burden_plan(b, self, "restricts", SIM_FREEDOM, &p->hold.freedom);
  sim_builder_watch_gone(b, self, self->population);
  p->item = sim_builder_cost(b, self);
  p->cost = sim_value_number(self->params, "cost");
  p->draw_duration = sim_builder_purpose(b, self, "duration");
  int ret = action_plan_moments(b, self, &p->action);
  if (!ret) ret = action_listen(b, self);
  return ret ? ret : action_law(b, self, "duration", &p->duration);
}

/* Holds a person for a draw of `duration` named by them and two numbers more. */
static inline void held_take(struct sim_run *run, const struct sim_instance *self, struct held *s, uint32_t entity,
                             uint32_t incarnation, uint32_t n) {
  const struct held_plan *p = self->plan;
  hold_take(run, self, &p->hold, &s->hold, entity,
            action_draw(run, &p->duration, p->draw_duration, entity, incarnation, n), HELD_EV_RELEASE);
}

/* The events that are not the model's own. */
static inline void held_event(struct sim_run *run, const struct sim_instance *self, struct held *s,
                              const struct sim_event *ev) {
  const struct held_plan *p = self->plan;
  if (ev->kind == HELD_EV_RELEASE)
    hold_release(run, &p->hold, &s->hold, ev->entity);
  else
    action_start(run, self, &s->action);
}

/* `changed`: someone died. */
static inline void held_changed(struct sim_run *run, const struct sim_instance *self, void *state,
                                const struct sim_change *c) {
  const struct held_plan *p = self->plan;
  struct held *s = state;
  if (sim_gone(run, p->hold.population, c->entity)) hold_release(run, &p->hold, &s->hold, c->entity);
}
#endif
