/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prebunking: from a moment on, a share of the people is less susceptible to a rumour. */
#include "models/response/reach.h"

static const struct sim_param params[] = {
    {.name = "against",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED,
     .refers = "hazard",
     .doc = "The rumour that people are warned of."},
    ACTION_PARAMS("day 0"),
    REACH_PARAMS,
    {.name = "efficacy",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .unit = "1",
     .max = 1,
     .doc = "Reduction of the susceptibility to belief of a person reached, until the action ends."},
    {.name = "cost",
     .kind = SIM_QUANTITY,
     .unit = "currency/person",
     .fallback = "0 currency/person",
     .doc = "Cost of reaching a person."},
    {0}};
static const struct sim_signal_desc signals[] = {ACTION_SIGNALS, {0}};
static const struct sim_event_desc events[] = {ACTION_EVENTS, {0}};
static const struct sim_output_desc outputs[] = {REACH_OUTPUTS, {0}};

struct plan {
  struct reach_plan reach;
  double cost; /* a person */
};

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *efficacy = sim_value_get(self->params, "efficacy");
  p->cost = sim_value_number(self->params, "cost");
  return reach_plan_init(b, self, &p->reach, "susceptibility", efficacy, 1 - efficacy->number);
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  reach_plan_free(&p->reach);
}

static void moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot, uint32_t index) {
  const struct plan *p = self->plan;
  (void)index;
  reach_moment(run, self, &p->reach, state, slot);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  const struct plan *p = self->plan;
  (void)ev; /* the start */
  reach_start(run, self, &p->reach, state);
}

static void begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct plan *p = self->plan;
  reach_begin(run, self, &p->reach, state);
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct plan *p = self->plan;
  const struct reach *r = state;
  sim_spend(run, p->reach.item, p->cost * (double)r->persons);
  (void)reach_end(run, self, state);
}

const struct sim_model sim_model_prebunking = {
    .name = "prebunking",
    .section = "actions",
    .doc = "Warning people of a rumour and its tricks before they hear it: a share of them is less susceptible "
           "(Roozenbeek, van der Linden & Nygren 2020).",
    .params = params,
    .signals = signals,
    .events = events,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct reach),
    .plan = plan,
    .plan_free = plan_free,
    .begin = begin,
    .event = event,
    .moment = moment,
    .end = end};
