/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What prebunking and fact-checking share, which is all but their parameters: while in force, a modifier is on for a
 * share of the people. Who, is a keyed uniform below the coverage: a higher coverage reaches the same persons and more.
 * The dead are not reached. The plan is a struct reach_plan, the state a struct reach. */
#ifndef MODELS_RESPONSE_REACH_H
#define MODELS_RESPONSE_REACH_H
#include "models/response/action.h"

#define REACH_PARAMS                                                                                                   \
  {.name = "among", .kind = SIM_REF, .flags = SIM_LIST, .refers = "group", .doc = "Groups; without it everyone."}, {   \
    .name = "coverage", .kind = SIM_QUANTITY, .flags = SIM_BY_GROUP, .unit = "1", .fallback = "100 %", .max = 1,       \
    .doc = "Share of them that it reaches."                                                                            \
  }
enum { REACH_OUT_PERSONS = ACTION_OUT_OWN };
#define REACH_OUTPUTS                                                                                                  \
  ACTION_OUTPUTS, {                                                                                                    \
    "persons_reached", "person", "Persons reached, each start counted", true                                           \
  }

struct reach_plan {
  struct action_plan action;
  uint32_t modifier, purpose, item;
  double a_person, a_day; /* cost */
  struct action_share coverage;
  uint32_t *member, members; /* of the groups, or NULL: everyone */
};
struct reach {
  struct action action;
  uint64_t persons;
};

/* On `knob` of the hazard that it is against, by `factor`. */
static inline int reach_plan_init(struct sim_builder *b, struct sim_instance *self, struct reach_plan *p,
                                  const char *knob, const struct sim_value *at, double factor) {
  const struct sim_value *against = sim_value_get(self->params, "against");
  const struct sim_instance *hazard = action_hazard(b, against, against->text);
  if (!hazard) return SIM_ERR_INPUT;
  self->population = action_population(b, hazard);
  p->modifier = sim_builder_modifier(b, self, at, hazard, knob, factor, NULL);
  p->purpose = sim_builder_purpose(b, self, "coverage");
  p->item = sim_builder_cost(b, self);
  int ret = action_share_init(b, sim_value_get(self->params, "coverage"), self->population, &p->coverage);
  if (!ret) ret = action_members(b, self, "among", self->population, &p->member, &p->members);
  return ret ? ret : action_plan_moments(b, self, &p->action);
}

static inline void reach_plan_free(void *plan) {
  struct reach_plan *p = plan;
  sim_free(p->coverage.group);
  sim_free(p->member);
}

static inline void reach_turn(struct sim_run *run, const struct sim_instance *self, struct reach *r, bool on) {
  const struct reach_plan *p = self->plan;
  const struct sim_population *people = sim_run_population(run, self->population);
  for (uint32_t i = 0; i < p->members; i++) {
    uint32_t e = p->member ? p->member[i] : i;
    if (!(sim_rng_uniform(sim_run_rng(run), p->purpose, e, 0, 0) < action_share_of(&p->coverage, people, e))) continue;
    if (on && sim_gone(run, self->population, e)) continue;
    sim_modify(run, p->modifier, e, on);
    r->persons += on;
  }
}

static inline void reach_begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct reach *r = state;
  action_on_begin(run, self, r);
  if (r->action.active) reach_turn(run, self, r, true);
}
static inline void reach_event(struct sim_run *run, const struct sim_instance *self, void *state,
                               const struct sim_event *ev) {
  (void)ev; /* the start */
  action_start(run, self, state);
  reach_turn(run, self, state, true);
}
static inline void reach_moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot,
                                uint32_t index) {
  (void)index;
  if (action_moment(run, self, self->plan, state, slot)) reach_turn(run, self, state, false);
}
static inline void reach_end(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct reach_plan *p = self->plan;
  struct reach *r = state;
  double days = action_end(run, self, &r->action);
  sim_output(run, self, REACH_OUT_PERSONS, (double)r->persons);
  sim_spend(run, p->item, p->a_person * (double)r->persons + p->a_day * days);
  r->persons = 0;
}

#define REACH_CALLBACKS                                                                                                \
  .plan_size = sizeof(struct reach_plan), .state_size = sizeof(struct reach), .plan_free = reach_plan_free,            \
  .begin = reach_begin, .event = reach_event, .moment = reach_moment, .end = reach_end
#endif
