/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takedown: while in force, some time after a person came to believe a rumour, their posts of it are removed or shown
 * less; what was removed stays so until they believe no more. */
#include "models/response/hold.h"

static const struct sim_param params[] = {
    {.name = "against",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED,
     .refers = "hazard",
     .doc = "The rumour whose posts are taken down."},
    ACTION_PARAMS("day 0"),
    {.name = "share",
     .kind = SIM_QUANTITY,
     .flags = SIM_BY_GROUP,
     .unit = "1",
     .fallback = "100 %",
     .max = 1,
     .doc = "Share of the believers whose posts are found."},
    {.name = "delay",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .fallback = "1 day",
     .doc = "Time from belief, or from the start of the action, to the takedown."},
    {.name = "reduction",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .fallback = "100 %",
     .max = 1,
     .doc = "Reduction of the infectivity of a believer whose posts were taken down."},
    ACTION_RESTRICTS("of a believer whose posts were taken down"),
    {.name = "cost",
     .kind = SIM_QUANTITY,
     .unit = "currency/takedown",
     .fallback = "0 currency/takedown",
     .doc = "Cost of a takedown."},
    {0}};
static const struct sim_signal_desc signals[] = {ACTION_SIGNALS, {0}};
enum { EV_REMOVE = ACTION_EV_OWN };
static const struct sim_event_desc events[] = {ACTION_EVENTS, {"remove", SIM_PHASE_SERVE}, {0}};
enum { OUT_TAKEDOWNS = ACTION_OUT_OWN };
static const struct sim_output_desc outputs[] = {
    ACTION_OUTPUTS, {"takedowns", "takedown", "Believers whose posts were taken down", true}, {0}};

struct plan {
  struct action_plan action;
  struct hold_plan hold; /* of the believer's posts */
  uint32_t machine, purpose, item;
  uint8_t believer;
  struct action_share share;
  struct sim_law delay;
  double cost; /* a takedown */
};

struct takedown {
  struct action action;
  struct hold hold;
  sim_handle *pending; /* [size] */
};

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *against = sim_value_get(self->params, "against"),
                         *reduction = sim_value_get(self->params, "reduction");
  const struct sim_instance *hazard = action_hazard(b, against, against->text);
  if (!hazard) return SIM_ERR_INPUT;
  int believer = sim_builder_machine_state(b, hazard->machine, "believer");
  if (believer < 0)
    return sim_diag_add(sim_builder_diag(b), &against->mark, against->path, "%s has no state `believer`", hazard->path);
  self->population = action_population(b, hazard);
  p->machine = hazard->machine;
  p->believer = (uint8_t)believer;
  hold_plan_modifier(b, self, hazard, "infectivity", reduction, &p->hold);
  action_burden_plan(b, self, "restricts", SIM_FREEDOM, &p->hold.freedom);
  p->purpose = sim_builder_purpose(b, self, "delay");
  p->item = sim_builder_cost(b, self);
  p->cost = sim_value_number(self->params, "cost");
  sim_builder_watch(b, self, p->machine, p->believer);
  int ret = action_share_init(b, sim_value_get(self->params, "share"), self->population, &p->share);
  if (!ret) ret = action_law(b, self, "delay", &p->delay);
  return ret ? ret : action_plan_moments(b, self, &p->action);
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_free(p->share.group);
  sim_law_free(&p->delay);
}

static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct plan *p = self->plan;
  struct takedown *s = state;
  s->pending = sim_calloc(sim_run_population(run, self->population)->size + 1u, sizeof *s->pending);
  return s->pending ? hold_open(run, &p->hold, &s->hold) : SIM_ERR_MEMORY;
}

static void close(void *state) {
  struct takedown *s = state;
  sim_free(s->pending);
  hold_close(&s->hold);
}

/* The posts of believer u will be found, or not. Word pairs of one block: the delay, the share. */
static void look_for(struct sim_run *run, const struct sim_instance *self, struct takedown *s, uint32_t u) {
  const struct plan *p = self->plan;
  uint32_t stay = sim_incarnation(run, p->machine, u);
  double share = action_share_of(&p->share, sim_run_population(run, self->population), u);
  if (!(sim_rng_uniform2(sim_run_rng(run), p->purpose, u, stay, 0) < share)) return;
  int64_t delay = action_draw(run, &p->delay, p->purpose, u, stay, 0);
  sim_schedule(run, self, EV_REMOVE, u, 0, sim_ticks_add(sim_now(run), delay), &s->pending[u]);
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  const struct plan *p = self->plan;
  struct takedown *s = state;
  if (c->from == p->believer) {
    sim_cancel(run, &s->pending[c->entity]);
    hold_release(run, &p->hold, &s->hold, c->entity);
  } else if (c->to == p->believer && s->action.active)
    look_for(run, self, s, c->entity);
}

static void moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot, uint32_t index) {
  const struct plan *p = self->plan;
  struct takedown *s = state;
  (void)index;
  if (!action_moment(run, self, &p->action, &s->action, slot)) return;
  for (uint32_t u = 0; u < sim_run_population(run, self->population)->size; u++) sim_cancel(run, &s->pending[u]);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  const struct plan *p = self->plan;
  struct takedown *s = state;
  if (ev->kind == EV_REMOVE) {
    hold_take(run, self, &p->hold, &s->hold, ev->entity, SIM_NEVER, EV_REMOVE);
    return;
  }
  action_start(run, self, &s->action);
  for (uint32_t u = 0; u < sim_run_population(run, self->population)->size; u++)
    if (sim_state(run, p->machine, u) == p->believer && s->hold.status[u] != HOLD_HELD) look_for(run, self, s, u);
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct plan *p = self->plan;
  struct takedown *s = state;
  (void)action_end(run, self, &s->action);
  sim_output(run, self, OUT_TAKEDOWNS, (double)s->hold.persons);
  sim_spend(run, p->item, p->cost * (double)s->hold.persons);
  (void)hold_end(run, &p->hold, &s->hold);
}

const struct sim_model sim_model_takedown = {
    .name = "takedown",
    .section = "actions",
    .doc = "Removal of a rumour's posts, or showing them less, some time after they appear (Bak-Coleman et al. 2022).",
    .params = params,
    .signals = signals,
    .events = events,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct takedown),
    .plan = plan,
    .plan_free = plan_free,
    .open = open,
    .close = close,
    .begin = action_on_begin,
    .event = event,
    .changed = changed,
    .moment = moment,
    .end = end};
