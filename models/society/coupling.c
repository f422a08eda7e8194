/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Couplings: while an entity (or enough of them) is in a state, a knob of another entry is multiplied. Couplings read
 * states and multiply parameters, so that they cannot form an algebraic loop; feedback over time is allowed. */
#include "sim/core/model.h"
#include <string.h>

static const struct sim_param params[] = {
    {.name = "while",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED,
     .refers = "state",
     .doc = "The state during which the coupling acts, such as rumour.believer."},
    {.name = "multiply",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED,
     .refers = "knob",
     .doc =
         "What is multiplied, such as vaccinate.uptake. A knob of persons or nodes: of those in the state. A knob of a "
         "whole entry: while more than `above` of the population is in the state."},
    {.name = "by",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_BY_GROUP,
     .unit = "1",
     .max = 1000,
     .doc = "The factor; by group only for knobs of persons."},
    {.name = "above",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .fallback = "0 %",
     .max = 1,
     .doc = "For knobs of a whole entry: share of the population in the state above which the coupling acts."},
    {0}};

struct plan {
  uint32_t machine, modifier;
  uint8_t state;
  bool whole;
  double above; /* entities */
};

/* "actions.vaccinate.uptake" or "vaccinate.uptake" to instance and knob. */
static const struct sim_instance *find_target(struct sim_builder *b, const struct sim_value *at,
                                              const struct sim_knob **knob) {
  char name[256];
  const char *dot = strrchr(at->text, '.');
  const struct sim_instance *target = NULL;
  if (dot && (size_t)(dot - at->text) < sizeof name) {
    memcpy(name, at->text, (size_t)(dot - at->text));
    name[dot - at->text] = '\0';
    const char *last = strrchr(name, '.');
    target = sim_builder_find(b, last ? last + 1 : name);
  }
  for (const struct sim_knob *k = target ? target->model->knobs : NULL; k && k->name; k++)
    if (!strcmp(k->name, dot + 1)) {
      *knob = k;
      return target;
    }
  (void)!sim_diag_add(sim_builder_diag(b), &at->mark, at->path, "there is no knob %s in this scenario", at->text);
  return NULL;
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *condition = sim_value_get(self->params, "while");
  const struct sim_value *multiply = sim_value_get(self->params, "multiply");
  const struct sim_value *by = sim_value_get(self->params, "by");
  int ret = sim_builder_state(b, condition, condition->text, &p->machine, &p->state);
  const struct sim_knob *knob = NULL;
  const struct sim_instance *target = find_target(b, multiply, &knob);
  if (ret || !target) return SIM_ERR_INPUT;
  uint32_t population = self->population = sim_builder_machine_population(b, p->machine);
  p->whole = knob->scope == SIM_SCOPE_WHOLE;
  double above = sim_value_number(self->params, "above") * sim_builder_population(b, population)->size;
  p->above = floor(above + 1e-9 * (1 + above)); /* 29 % of 100 is 29, whatever 0.29 is in binary */
  if (knob->scope == SIM_SCOPE_LAYER)
    return sim_diag_add(sim_builder_diag(b), &multiply->mark, multiply->path,
                        "%s goes by layer: a coupling cannot multiply it", multiply->text);
  if (!p->whole && target->population != population)
    return sim_diag_add(sim_builder_diag(b), &multiply->mark, multiply->path,
                        "%s belongs to other entities than the state %s", multiply->text, condition->text);
  if (p->whole && by->form == SIM_GROUPS)
    return sim_diag_add(sim_builder_diag(b), &by->mark, by->path, "%s has one value for all: give one factor",
                        multiply->text);
  double factor = by->form == SIM_GROUPS ? 1 : by->number;
  p->modifier = sim_builder_modifier(b, self, by, target, knob->name, factor, p->whole ? NULL : by);
  sim_builder_watch(b, self, p->machine, p->state);
  return 0;
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  (void)state;
  const struct plan *p = self->plan;
  if (p->whole)
    sim_modify(run, p->modifier, 0, sim_count(run, p->machine, p->state) > p->above);
  else
    sim_modify(run, p->modifier, c->entity, c->to == p->state);
}

/* Before any run all entities are at rest, so a coupling to the state of rest shows here. */
static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct plan *p = self->plan;
  *(bool *)state = sim_count(run, p->machine, p->state) > 0;
  return 0;
}

/* A state of rest acts from the beginning, without a move (here a pass over the population is what the run touches). */
static void begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct plan *p = self->plan;
  if (p->whole) sim_modify(run, p->modifier, 0, sim_count(run, p->machine, p->state) > p->above);
  if (p->whole || !*(const bool *)state) return;
  uint32_t size = sim_run_population(run, self->population)->size;
  for (uint32_t i = 0; i < size; i++)
    if (sim_state(run, p->machine, i) == p->state) sim_modify(run, p->modifier, i, true);
}

const struct sim_model sim_model_coupling = {
    .name = "coupling",
    .section = "couplings",
    .doc = "While entities are in a state, a knob of another entry is multiplied; states are read and parameters "
           "multiplied, so couplings form no algebraic loop.",
    .params = params,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(bool),
    .plan = plan,
    .open = open,
    .begin = begin,
    .changed = changed};
