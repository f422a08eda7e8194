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

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct reach_plan *p = plan;
  const struct sim_value *efficacy = sim_value_get(self->params, "efficacy");
  p->a_person = sim_value_number(self->params, "cost");
  return reach_plan_init(b, self, p, "susceptibility", efficacy, 1 - efficacy->number);
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
    .plan = plan,
    REACH_CALLBACKS};
