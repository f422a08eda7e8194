/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shielding: while in force, the members of some groups catch less and pass on less. */
#include "models/response/action.h"
#include "sim/core/model.h"

static const struct sim_param params[] = {
    {.name = "against",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED | SIM_LIST,
     .refers = "hazard",
     .doc = "The hazards from which the groups are shielded; all over one population."},
    ACTION_PARAMS("day 0"),
    {.name = "among",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED | SIM_LIST,
     .refers = "group",
     .doc = "The groups that are shielded."},
    {.name = "reduction",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .unit = "1",
     .max = 1,
     .doc = "Reduction of the susceptibility and of the infectivity of a shielded person."},
    ACTION_RESTRICTS("of a shielded person who lives"),
    {.name = "cost",
     .kind = SIM_QUANTITY,
     .unit = "currency/person_day",
     .fallback = "0 currency/person_day",
     .doc = "Cost of a shielded person's day."},
    {0}};
static const struct sim_signal_desc signals[] = {ACTION_SIGNALS, {0}};
static const struct sim_event_desc events[] = {ACTION_EVENTS, {0}};
enum { OUT_PERSON_DAYS = ACTION_OUT_OWN };
static const struct sim_output_desc outputs[] = {
    ACTION_OUTPUTS, {"person_days_held", "person_day", "Person-days held", false}, {0}};

struct plan {
  struct action_plan action;
  uint32_t *modifier; /* [modifiers] two for each hazard */
  size_t modifiers;
  uint32_t *member; /* [members] */
  uint32_t members, item;
  struct action_people people;
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
  size_t hazards;
  const struct sim_value *against = sim_value_list(self->params, "against", &hazards);
  p->modifier = sim_calloc(2 * hazards + 1, sizeof *p->modifier);
  if (!p->modifier) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < hazards; i++) {
    const struct sim_instance *hazard = action_hazard(b, &against[i], against[i].text);
    if (!hazard) return SIM_ERR_INPUT;
    uint32_t population = action_population(b, hazard);
    if (i && population != self->population)
      return sim_diag_add(sim_builder_diag(b), &against[i].mark, against[i].path,
                          "the hazards concern different populations: one entry each");
    self->population = population;
    p->modifier[p->modifiers++] = sim_builder_modifier(b, self, at, hazard, "susceptibility", 1 - at->number, NULL);
    p->modifier[p->modifiers++] = sim_builder_modifier(b, self, at, hazard, "infectivity", 1 - at->number, NULL);
  }
  p->item = sim_builder_cost(b, self);
  action_burden_plan(b, self, "restricts", SIM_FREEDOM, &p->freedom);
  p->cost = sim_value_number(self->params, "cost");
  uint64_t groups = 0;
  int ret = hazards ? action_members(b, self, "among", self->population, &p->member, &p->members) : 0;
  if (!ret && hazards) ret = action_groups(b, self, "among", self->population, &groups);
  if (!ret && hazards) action_people_plan(b, self, self->population, groups, p->members, &p->people);
  return ret ? ret : action_plan_moments(b, self, &p->action);
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_free(p->modifier);
  sim_free(p->member);
}

static void turn(struct sim_run *run, const struct plan *p, bool on) {
  for (uint32_t i = 0; p->member && i < p->members; i++)
    for (size_t m = 0; m < p->modifiers; m++) sim_modify(run, p->modifier[m], p->member[i], on);
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
  double days = action_people_end(&p->people, action_end(run, self, &s->action), &s->dead);
  sim_output(run, self, OUT_PERSON_DAYS, days);
  action_burden_end(run, &p->freedom, days);
  sim_spend(run, p->item, p->cost * days);
}

const struct sim_model sim_model_shielding = {
    .name = "shielding",
    .section = "actions",
    .doc =
        "Protection of some groups by less contact for a time, at a cost per person and day (van Bunnik et al. 2021).",
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
