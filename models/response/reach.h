/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What prebunking and fact-checking share: while in force, a modifier is on for a share of the people. Who, is a keyed
 * uniform below the coverage: a higher coverage reaches the same persons and more. */
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

static inline void reach_plan_free(struct reach_plan *p) {
  sim_free(p->coverage.group);
  sim_free(p->member);
}

static inline void reach_turn(struct sim_run *run, const struct sim_instance *self, const struct reach_plan *p,
                              struct reach *r, bool on) {
  const struct sim_population *people = sim_run_population(run, self->population);
  for (uint32_t i = 0; i < p->members; i++) {
    uint32_t e = p->member ? p->member[i] : i;
    if (!(sim_rng_uniform(sim_run_rng(run), p->purpose, e, 0, 0) < action_share_of(&p->coverage, people, e))) continue;
    sim_modify(run, p->modifier, e, on);
    r->persons += on;
  }
}

static inline void reach_begin(struct sim_run *run, const struct sim_instance *self, const struct reach_plan *p,
                               struct reach *r) {
  action_begin(run, &p->action, &r->action);
  if (r->action.active) reach_turn(run, self, p, r, true);
}
static inline void reach_start(struct sim_run *run, const struct sim_instance *self, const struct reach_plan *p,
                               struct reach *r) {
  action_start(run, self, &r->action);
  reach_turn(run, self, p, r, true);
}
static inline void reach_moment(struct sim_run *run, const struct sim_instance *self, const struct reach_plan *p,
                                struct reach *r, unsigned slot) {
  if (action_moment(run, self, &p->action, &r->action, slot)) reach_turn(run, self, p, r, false);
}
/* Writes the outputs and resets; returns the days in force. */
static inline double reach_end(struct sim_run *run, const struct sim_instance *self, struct reach *r) {
  sim_output(run, self, REACH_OUT_PERSONS, (double)r->persons);
  r->persons = 0;
  return action_end(run, self, &r->action);
}
#endif
