/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Couplings: while entities are in a state, a knob of another entry is multiplied. Couplings read states and multiply
 * parameters, so that they cannot form an algebraic loop; feedback over time is allowed.
 *
 * Whose knob, is the first of these rules that fits:
 *   above given: everyone's, in full, while more than that share of the entities is in the state
 *   a knob of the same entities: of those in the state
 *   a knob of entities that hang on nodes (served by them, or needing them): of those whose node is in the state
 *   all else: everyone's, in proportion: by 1 - share + share * factor, share of the entities in the state
 * The proportion is taken anew after each instant at which the state was entered or left, in steps of a thousandth
 * where there are more than a thousand entities: from integer counts, so that it returns to exactly 1. */
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
         "What is multiplied, such as vaccinate.uptake. A knob of persons or nodes: that of those in the state, or of "
         "those who hang on a node in the state (whom it serves, or who need it). Any other: that of all, by 1 - "
         "share + share * `by`, with the share of the population that is in the state."},
    {.name = "by",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_BY_GROUP,
     .unit = "1",
     .max = 1000,
     .doc = "The factor; by group only for knobs of persons."},
    {.name = "above",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .max = 1,
     .doc = "Makes it all or nothing, for everyone: the coupling acts in full while more than this share of the "
            "population is in the state, and not otherwise."},
    {0}};
enum { EV_SHARE };
static const struct sim_event_desc events[] = {{"share", SIM_PHASE_PROGRESS}, {0}};

enum reach { SAME, HANGING, ABOVE, PROPORTION };
struct plan {
  uint32_t machine, modifier;
  uint8_t state;
  enum reach reach;
  uint32_t size, dependents; /* of the population in the state; of that which hangs on it */
  double above;              /* entities */
};
struct state {
  sim_handle share;
  bool at_rest; /* all start in the state */
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

static int plan_reach(struct sim_builder *b, struct sim_instance *self, struct plan *p,
                      const struct sim_instance *target, const struct sim_knob *knob) {
  const struct sim_value *multiply = sim_value_get(self->params, "multiply");
  const struct sim_value *above = sim_value_get(self->params, "above");
  bool single = knob->scope == SIM_SCOPE_ENTITY;
  if (knob->scope == SIM_SCOPE_LAYER)
    return sim_diag_add(sim_builder_diag(b), &multiply->mark, multiply->path,
                        "%s goes by layer: a coupling cannot multiply it", multiply->text);
  if (single && target->population == SIM_NONE)
    return sim_diag_add(sim_builder_diag(b), &multiply->mark, multiply->path,
                        "%s goes by person or node, and %s has none (a team: give its `members`)", multiply->text,
                        target->path);
  p->size = sim_builder_population(b, self->population)->size;
  p->reach = PROPORTION;
  if (above->form != SIM_ABSENT) {
    p->reach = ABOVE;
    double entities = above->number * p->size;
    p->above = floor(entities + 1e-9 * (1 + entities)); /* 29 % of 100 is 29, whatever 0.29 is in binary */
  } else if (single && target->population == self->population)
    p->reach = SAME;
  else if (single && sim_builder_hangs_on(b, target->population, self->population)) {
    p->reach = HANGING;
    p->dependents = sim_builder_population(b, target->population)->size;
  }
  return 0;
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
  self->population = sim_builder_machine_population(b, p->machine);
  ret = plan_reach(b, self, p, target, knob);
  if (ret) return ret;
  if (knob->scope == SIM_SCOPE_WHOLE && by->form == SIM_GROUPS)
    return sim_diag_add(sim_builder_diag(b), &by->mark, by->path, "%s has one value for all: give one factor",
                        multiply->text);
  double factor = by->form == SIM_GROUPS ? 1 : by->number;
  p->modifier = sim_builder_modifier(b, self, by, target, knob->name, factor, by);
  sim_builder_watch(b, self, p->machine, p->state);
  return 0;
}

/* Share of the entities in the state, in whole steps: all of them where there are at most a thousand. */
static double share_in_state(const struct sim_run *run, const struct plan *p) {
  uint64_t in = sim_count(run, p->machine, p->state), steps = p->size < 1000 ? p->size : 1000;
  return (double)((2 * in * steps + p->size) / (2 * (uint64_t)p->size)) / (double)steps;
}

static void turn_dependents(struct sim_run *run, const struct plan *p, uint32_t node, bool on) {
  uint32_t end = sim_block_start(node + 1, p->size, p->dependents);
  for (uint32_t i = sim_block_start(node, p->size, p->dependents); i < end; i++) sim_modify(run, p->modifier, i, on);
}

static void turn_one(struct sim_run *run, const struct plan *p, uint32_t entity, bool on) {
  if (p->reach == SAME)
    sim_modify(run, p->modifier, entity, on);
  else
    turn_dependents(run, p, entity, on);
}

static void turn_all(struct sim_run *run, const struct plan *p) {
  bool on = sim_count(run, p->machine, p->state) > p->above;
  sim_modify_share(run, p->modifier, p->reach == ABOVE ? (double)on : share_in_state(run, p));
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  const struct plan *p = self->plan;
  struct state *s = state;
  if (p->reach == ABOVE)
    turn_all(run, p);
  else if (p->reach == PROPORTION) /* once for all that happens at this instant */
    sim_schedule(run, self, EV_SHARE, SIM_NONE, 0, sim_now(run), &s->share);
  else
    turn_one(run, p, c->entity, c->to == p->state);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  (void)state, (void)ev;
  turn_all(run, self->plan);
}

/* Before any run all entities are at rest, so a coupling to the state of rest shows here. */
static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct plan *p = self->plan;
  ((struct state *)state)->at_rest = sim_count(run, p->machine, p->state) > 0;
  return 0;
}

/* A state of rest acts from the beginning, without a move (here a pass over the population is what the run touches). */
static void begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct plan *p = self->plan;
  if (p->reach == ABOVE || p->reach == PROPORTION) {
    turn_all(run, p);
    return;
  }
  for (uint32_t i = 0; ((const struct state *)state)->at_rest && i < p->size; i++)
    if (sim_state(run, p->machine, i) == p->state) turn_one(run, p, i, true);
}

const struct sim_model sim_model_coupling = {
    .name = "coupling",
    .section = "couplings",
    .doc =
        "While entities are in a state, a knob of another entry is multiplied: their own, that of those who hang on "
        "them, or everyone's in proportion; states are read and parameters multiplied, so couplings form no algebraic "
        "loop.",
    .params = params,
    .events = events,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .plan = plan,
    .open = open,
    .begin = begin,
    .event = event,
    .changed = changed};
