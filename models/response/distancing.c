/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distancing: while in force, contacts on some layers transmit less (closed schools, work from home). */
#include "models/response/action.h"
#include "sim/core/model.h"

static const struct sim_param params[] = {
    {.name = "against",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED | SIM_LIST,
     .refers = "hazard",
     .doc = "The hazards whose transmission it lowers."},
    ACTION_PARAMS("day 0"),
    {.name = "layers",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED | SIM_LIST,
     .refers = "layer",
     .doc = "The layers on which people keep their distance."},
    {.name = "reduction",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .unit = "1",
     .max = 1,
     .doc = "Reduction of transmission along each contact of these layers."},
    ACTION_RESTRICTS("under distancing, of each living person of the first layer's population"),
    {.name = "cost",
     .kind = SIM_QUANTITY,
     .unit = "currency/person_day",
     .fallback = "0 currency/person_day",
     .doc = "Cost of a day for each living person of the first layer's population."},
    {0}};
static const struct sim_signal_desc signals[] = {ACTION_SIGNALS, {0}};
static const struct sim_event_desc events[] = {ACTION_EVENTS, {0}};
static const struct sim_output_desc outputs[] = {ACTION_OUTPUTS, {0}};

struct plan {
  struct action_plan action;
  uint32_t *modifier, *layer; /* [hazards], [layers] */
  size_t hazards, layers;
  struct action_people people;
  uint32_t item;
  double cost;
  struct action_burden freedom;
};
struct state {
  struct action action;
  struct action_dead dead;
};

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *at = sim_value_get(self->params, "reduction");
  const struct sim_value *against = sim_value_list(self->params, "against", &p->hazards);
  const struct sim_value *layers = sim_value_list(self->params, "layers", &p->layers);
  p->modifier = sim_calloc(p->hazards + 1, sizeof *p->modifier);
  p->layer = sim_calloc(p->layers + 1, sizeof *p->layer);
  if (!p->modifier || !p->layer) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < p->hazards; i++) {
    const struct sim_instance *hazard = action_hazard(b, &against[i], against[i].text);
    if (!hazard) return SIM_ERR_INPUT;
    p->modifier[i] = sim_builder_modifier(b, self, at, hazard, "layer", 1 - at->number, NULL);
  }
  for (size_t i = 0; i < p->layers; i++) {
    p->layer[i] = sim_builder_find_layer(b, layers[i].text);
    if (p->layer[i] == SIM_NONE)
      return sim_diag_add(sim_builder_diag(b), &layers[i].mark, layers[i].path, "%s is not a layer of this scenario",
                          layers[i].text);
  }
  if (p->layers) {
    uint32_t population = sim_builder_layer(b, p->layer[0])->population;
    action_people_plan(b, self, population, ~UINT64_C(0), sim_builder_population(b, population)->size, &p->people);
  }
  p->item = sim_builder_cost(b, self);
  action_burden_plan(b, self, "restricts", SIM_FREEDOM, &p->freedom);
  p->cost = sim_value_number(self->params, "cost");
  return action_plan_moments(b, self, &p->action);
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_free(p->modifier);
  sim_free(p->layer);
}

static void turn(struct sim_run *run, const struct plan *p, bool on) {
  for (size_t h = 0; h < p->hazards; h++)
    for (size_t l = 0; l < p->layers; l++) sim_modify(run, p->modifier[h], p->layer[l], on);
}

static void moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot, uint32_t index) {
  (void)index;
  const struct plan *p = self->plan;
  if (action_moment(run, self, &p->action, state, slot)) turn(run, p, false);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  (void)ev; /* the start */
  action_start(run, self, state);
  turn(run, self->plan, true);
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  const struct plan *p = self->plan;
  struct state *s = state;
  action_people_changed(run, &p->people, &s->action, c, &s->dead);
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct plan *p = self->plan;
  struct state *s = state;
  double person_days = action_people_end(&p->people, action_end(run, self, &s->action), &s->dead);
  action_burden_end(run, &p->freedom, person_days);
  sim_spend(run, p->item, p->cost * person_days);
}

const struct sim_model sim_model_distancing = {
    .name = "distancing",
    .section = "actions",
    .doc = "Less transmission on some layers for a time, at a cost per person and day (Ferguson et al. 2006).",
    .params = params,
    .signals = signals,
    .events = events,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .plan = plan,
    .plan_free = plan_free,
    .event = event,
    .moment = moment,
    .changed = changed,
    .end = end};
