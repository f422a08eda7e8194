/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heat wave: the example of CONTRIBUTING.md. While it lasts, each well person falls ill at a constant rate; the ill
 * recover after a law of time. Each person is a two-state chain on their own, so with an exponential law the expected
 * share of ill people at time t into the heat is  a / (a + b) (1 - exp(-(a + b) t)),  a the rate, b = 1 / mean. */
#include "sim/core/model.h"

struct heatwave_plan {
  double rate, begins, ends; /* 1/day, days */
  struct sim_law illness;
  uint32_t population, draw;
  struct sim_transition recover;
};

enum { WELL, ILL };

static const struct sim_param params[] = {
    {.name = "rate",
     .kind = SIM_QUANTITY,
     .unit = "1/day",
     .flags = SIM_REQUIRED,
     .doc = "Rate at which a well person falls ill during the heat."},
    {.name = "begins", .kind = SIM_QUANTITY, .unit = "day", .fallback = "1 day", .doc = "When the heat begins."},
    {.name = "ends", .kind = SIM_QUANTITY, .unit = "day", .flags = SIM_REQUIRED, .doc = "When the heat ends."},
    {.name = "illness",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .fallback = "exponential mean 4 days",
     .doc = "Time from falling ill to being well again."},
    {.name = NULL}};

static const struct sim_state_desc states[] = {
    {"well", 1, "Not ill from the heat."}, {"ill", 0.5, "Ill from the heat."}, {NULL, 0, NULL}};

enum { EVENT_BEGINS, EVENT_FALLS_ILL };
static const struct sim_event_desc events[] = {
    {"begins", SIM_PHASE_INCIDENT}, {"falls_ill", SIM_PHASE_PROGRESS}, {NULL, SIM_PHASE_INCIDENT}};

/* Says what others may name: the people, each `well` or `ill`, and the transition `recover`. */
static int declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct heatwave_plan *p = plan;
  static const char *const names[] = {"well", "ill"};
  static const double functionality[] = {1, 0.5};
  p->population = sim_builder_find_population(b, "people");
  if (p->population == SIM_NONE)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path, "a heat wave needs `society.people`");
  int code = sim_law_init(&p->illness, sim_value_get(self->params, "illness"), sim_builder_diag(b));
  if (code) return code;
  p->recover = (struct sim_transition){"recover", ILL, WELL, &p->illness, -1};
  const struct sim_machine_spec spec = {.population = p->population,
                                        .states = 2,
                                        .state_names = names,
                                        .functionality = functionality,
                                        .rest = WELL,
                                        .transitions = 1,
                                        .transition = &p->recover};
  return sim_builder_machine(b, self, &spec);
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct heatwave_plan *p = plan;
  p->rate = sim_value_number(self->params, "rate");
  p->begins = sim_value_number(self->params, "begins");
  p->ends = sim_value_number(self->params, "ends");
  p->draw = sim_builder_purpose(b, self, "falls_ill");
  sim_builder_watch(b, self, self->machine, WELL);
  if (p->ends > p->begins) return 0;
  const struct sim_value *ends = sim_value_get(self->params, "ends");
  return sim_diag_add(sim_builder_diag(b), &ends->mark, ends->path, "the heat must end after it begins");
}

static void plan_free(void *plan) {
  struct heatwave_plan *p = plan;
  sim_law_free(&p->illness);
}

static void begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  (void)state;
  const struct heatwave_plan *p = self->plan;
  sim_schedule(run, self, EVENT_BEGINS, SIM_NONE, 0, sim_ticks(p->begins), NULL);
}

/* The draw is named by the person and by how often they have moved so far: the same in every arm and on any thread. */
static void expose(struct sim_run *run, const struct sim_instance *self, uint32_t person) {
  const struct heatwave_plan *p = self->plan;
  uint32_t moves = sim_incarnation(run, self->machine, person);
  double wait = sim_rng_exponential(sim_run_rng(run), p->draw, person, moves, 0) / p->rate;
  int64_t tick = sim_ticks_add(sim_now(run), sim_ticks(wait));
  if (tick < sim_ticks(p->ends)) sim_schedule(run, self, EVENT_FALLS_ILL, person, moves, tick, NULL);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  (void)state;
  const struct heatwave_plan *p = self->plan;
  if (ev->kind == EVENT_FALLS_ILL) {
    sim_move(run, self->machine, ev->entity, ILL);
    return;
  }
  for (uint32_t i = 0; i < sim_run_population(run, p->population)->size; i++) expose(run, self, i);
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  (void)state;
  if (c->to == WELL) expose(run, self, c->entity);
}

const struct sim_model sim_model_heatwave = {
    .name = "heatwave",
    .section = "hazards",
    .doc = "A heat wave: people fall ill independently while it lasts (two-state Markov chain).",
    .params = params,
    .states = states,
    .events = events,
    .plan_size = sizeof(struct heatwave_plan),
    .declare = declare,
    .plan = plan,
    .plan_free = plan_free,
    .begin = begin,
    .event = event,
    .changed = changed,
};
