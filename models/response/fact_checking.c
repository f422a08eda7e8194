/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fact-checking: while in force, believers among those it reaches verify at another rate. */
#include "models/response/reach.h"

static const struct sim_param params[] = {
    {.name = "against",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED,
     .refers = "hazard",
     .doc = "The rumour that is checked."},
    ACTION_PARAMS("day 0"),
    REACH_PARAMS,
    {.name = "verification",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .unit = "1",
     .max = 100,
     .doc = "Factor on the rate at which a believer that it reaches verifies; 300 %: three times as fast."},
    {.name = "cost",
     .kind = SIM_QUANTITY,
     .unit = "currency/day",
     .fallback = "0 currency/day",
     .doc = "Cost of a day in force."},
    {0}};
static const struct sim_signal_desc signals[] = {ACTION_SIGNALS, {0}};
static const struct sim_event_desc events[] = {ACTION_EVENTS, {0}};
static const struct sim_output_desc outputs[] = {REACH_OUTPUTS, {0}};

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct reach_plan *p = plan;
  const struct sim_value *verification = sim_value_get(self->params, "verification");
  p->a_day = sim_value_number(self->params, "cost");
  return reach_plan_init(b, self, p, "verification", verification, verification->number);
}

const struct sim_model sim_model_fact_checking = {
    .name = "fact_checking",
    .section = "actions",
    .doc = "Published checks of a rumour: believers verify faster for a time, at a cost a day (Tambuscio et al. 2015).",
    .params = params,
    .signals = signals,
    .events = events,
    .outputs = outputs,
    .plan = plan,
    REACH_CALLBACKS};
