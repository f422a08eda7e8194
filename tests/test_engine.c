/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine, by a model of this file whose callbacks each test gives: order of events, rounds, moments, machines,
 * knobs, watchers, errors and the reset between runs. This program's own list of models stands for the generated one.
 */
#include "sim/core/builder.h"
#include "sim/core/recorder.h"
#include "worlds.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the actor -------------------------------------------------------------------------------------------------- */

/* What the instances of a name do; a test fills in `hooks` before it makes a world. */
struct hooks {
  const char *name;
  int (*plan)(struct sim_builder *b, struct sim_instance *self);
  void (*begin)(struct sim_run *run, const struct sim_instance *self);
  void (*event)(struct sim_run *run, const struct sim_instance *self, const struct sim_event *ev);
  void (*moment)(struct sim_run *run, const struct sim_instance *self, unsigned slot, uint32_t index);
  void (*changed)(struct sim_run *run, const struct sim_instance *self, const struct sim_change *c);
  void (*knob)(struct sim_run *run, const struct sim_instance *self, unsigned knob, uint32_t subject, double before,
               double after);
  void (*end)(struct sim_run *run, const struct sim_instance *self);
};
static const struct hooks *hooks; /* ends with name NULL */

static const struct hooks *hooks_of(const struct sim_instance *self) {
  static const struct hooks none;
  for (const struct hooks *h = hooks; h && h->name; h++)
    if (strcmp(h->name, self->name) == 0) return h;
  return &none;
}

static char log_text[20000];
static size_t log_length;
static void say(const char *fmt, ...) SIM_PRINTF(1, 2);
static void say(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(log_text + log_length, sizeof log_text - log_length, fmt, args);
  va_end(args);
  cr_assert(n >= 0 && (size_t)n < sizeof log_text - log_length);
  log_length += (size_t)n;
}
static void log_clear(void) {
  log_length = 0;
  log_text[0] = '\0';
}

enum { A, B, C };                              /* states */
enum { GO, OFF, FALL, PART, TRANSITIONS = 6 }; /* transitions a-b, a-c race; b-c, b-a branch; c-a by name */
enum { KNOB_EACH, KNOB_ALL, KNOB_LAYER };
enum { PING };
enum { EV_INCIDENT, EV_LATE, EV_TRANSMIT, EV_SERVE, EV_DECIDE };

static const struct sim_param actor_params[] = {
    {.name = "when", .kind = SIM_MOMENT, .flags = SIM_LIST, .doc = "Moments of which it is told."},
    {.name = "by", .kind = SIM_QUANTITY, .unit = "1", .flags = SIM_BY_GROUP, .max = 1000, .doc = "A factor."},
    {.name = "go", .kind = SIM_LAW_CALL, .unit = "day", .doc = "Time from a to b."},
    {.name = "off", .kind = SIM_LAW_CALL, .unit = "day", .doc = "Time from a to c."},
    {.name = "fall", .kind = SIM_LAW_CALL, .unit = "day", .doc = "Time from b to c on its branch."},
    {.name = "part", .kind = SIM_LAW_CALL, .unit = "day", .doc = "Time from b to a on its branch."},
    {.name = "branch", .kind = SIM_QUANTITY, .unit = "1", .max = 1, .doc = "Share of the branch from b to c."},
    {.name = NULL}};
static const struct sim_state_desc actor_states[] = {
    {"a", 1, "Rest."}, {"b", 0.5, "Second."}, {"c", 0, "Third."}, {NULL, 0, NULL}};
static const struct sim_knob actor_knobs[] = {{"each", SIM_SCOPE_ENTITY, 0, 10, "Of an entity."},
                                              {"all", SIM_SCOPE_WHOLE, 0.25, 4, "Of the whole."},
                                              {"on_layer", SIM_SCOPE_LAYER, 0, 10, "Of a layer."},
                                              {NULL, SIM_SCOPE_WHOLE, 0, 0, NULL}};
static const struct sim_signal_desc actor_signals[] = {{"ping", "Something happened."}, {NULL, NULL}};
static const struct sim_event_desc actor_events[] = {{"incident", SIM_PHASE_INCIDENT}, {"late", SIM_PHASE_MEASURE},
                                                     {"transmit", SIM_PHASE_TRANSMIT}, {"serve", SIM_PHASE_SERVE},
                                                     {"decide", SIM_PHASE_DECIDE},     {NULL, SIM_PHASE_INCIDENT}};
static const struct sim_output_desc actor_outputs[] = {{"value", "1", "A number.", false}, {NULL, NULL, NULL, false}};

struct actor_plan {
  struct sim_law law[TRANSITIONS];
  struct sim_transition transition[TRANSITIONS];
  uint32_t modifier, modifier_all, modifier_layer, counter;
};
#define PLAN(instance) ((struct actor_plan *)(instance)->plan)

static int actor_declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  static const char *const names[] = {"a", "b", "c"};
  static const double functionality[] = {1, 0.5, 0};
  static const struct {
    const char *name;
    uint8_t from, to;
  } moves[] = {{"go", A, B}, {"off", A, C}, {"fall", B, C}, {"part", B, A}, {"back", C, A}, {"up", C, B}};
  struct actor_plan *p = plan;
  p->counter = sim_builder_observable(b, self, "counter", "1", "A number.");
  for (unsigned t = 0; t < TRANSITIONS; t++) {
    p->transition[t] = (struct sim_transition){moves[t].name, moves[t].from, moves[t].to, NULL, -1};
    if (t > PART) continue;
    const struct sim_value *v = sim_value_get(self->params, moves[t].name);
    if (v->form == SIM_ABSENT) continue;
    int ret = sim_law_init(&p->law[t], v, sim_builder_diag(b));
    if (ret) return ret;
    p->transition[t].after = &p->law[t];
  }
  if (sim_value_has(self->params, "branch")) {
    p->transition[FALL].probability = sim_value_number(self->params, "branch");
    p->transition[PART].probability = 1 - p->transition[FALL].probability;
  }
  const struct sim_machine_spec spec = {.population = 0,
                                        .states = 3,
                                        .state_names = names,
                                        .functionality = functionality,
                                        .seeded = B,
                                        .transitions = TRANSITIONS,
                                        .transition = p->transition};
  return sim_builder_machine(b, self, &spec);
}

static int actor_plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  (void)plan;
  size_t n;
  const struct sim_value *when = sim_value_list(self->params, "when", &n);
  for (size_t i = 0; i < n; i++) {
    int ret = sim_builder_moment(b, self, &when[i], 0, 7, (uint32_t)i);
    if (ret) return ret;
  }
  return hooks_of(self)->plan ? hooks_of(self)->plan(b, self) : 0;
}
static void actor_plan_free(void *plan) {
  struct actor_plan *p = plan;
  for (unsigned t = 0; t < TRANSITIONS; t++) sim_law_free(&p->law[t]);
}
static void actor_begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  (void)state;
  if (hooks_of(self)->begin) hooks_of(self)->begin(run, self);
}
static void actor_event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  (void)state;
  if (hooks_of(self)->event) {
    hooks_of(self)->event(run, self, ev);
    return;
  }
  say("%s.%s(%u,%u)@%g ", self->name, actor_events[ev->kind].name, ev->entity, ev->n, sim_days(sim_now(run)));
  cr_assert_eq(ev->tick, sim_now(run));
}
static void actor_moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot,
                         uint32_t index) {
  (void)state;
  cr_assert_eq(slot, 7);
  if (hooks_of(self)->moment)
    hooks_of(self)->moment(run, self, slot, index);
  else
    say("%s.%u@%g ", self->name, index, sim_days(sim_now(run)));
}
static void actor_changed(struct sim_run *run, const struct sim_instance *self, void *state,
                          const struct sim_change *c) {
  (void)state;
  if (hooks_of(self)->changed)
    hooks_of(self)->changed(run, self, c);
  else
    say("%s:%u%c%c@%g ", self->name, c->entity, 'a' + c->from, 'a' + c->to, sim_days(sim_now(run)));
}
static void actor_knob(struct sim_run *run, const struct sim_instance *self, void *state, unsigned knob,
                       uint32_t subject, double before, double after) {
  (void)state;
  if (hooks_of(self)->knob) hooks_of(self)->knob(run, self, knob, subject, before, after);
}
static void actor_end(struct sim_run *run, const struct sim_instance *self, void *state) {
  (void)state;
  if (hooks_of(self)->end) hooks_of(self)->end(run, self);
}

#define ACTOR(of_name, of_section)                                                                                     \
  {                                                                                                                    \
    .name = of_name, .section = of_section, .doc = "Does what a test says.", .params = actor_params,                   \
    .states = actor_states, .knobs = actor_knobs, .signals = actor_signals, .events = actor_events,                    \
    .outputs = actor_outputs, .plan_size = sizeof(struct actor_plan), .declare = actor_declare, .plan = actor_plan,    \
    .plan_free = actor_plan_free, .begin = actor_begin, .event = actor_event, .moment = actor_moment,                  \
    .changed = actor_changed, .knob = actor_knob, .end = actor_end                                                     \
  }
static const struct sim_model actor = ACTOR("actor", "hazards"), meter = ACTOR("meter", "sensing");
const struct sim_model *const sim_models[] = {&actor, &meter, NULL};

#define WORLD(days, people, entries)                                                                                   \
  "airesim: 1\nhorizon: " days " days\nsociety:\n  people: " people "\n  groups: {few: 30 %, many: 70 %}\n"            \
  "  layers: {one: {graph: ring}, two: {graph: none}}\n"                                                               \
  "hazards:\n" entries

/* ---- order ------------------------------------------------------------------------------------------------------ */

/* Scheduled in an order that is wrong by every criterion. */
static void order_begin(struct sim_run *run, const struct sim_instance *self) {
  int64_t day = sim_ticks(1);
  if (self->name[0] == 'x') sim_schedule(run, self, EV_LATE, 0, 0, day, NULL);
  sim_schedule(run, self, EV_DECIDE, 0, 0, day, NULL);
  sim_schedule(run, self, EV_TRANSMIT, 2, 0, day, NULL);
  sim_schedule(run, self, EV_TRANSMIT, 1, 3, day, NULL);
  sim_schedule(run, self, EV_TRANSMIT, 1, 2, day, NULL);
  sim_schedule(run, self, EV_INCIDENT, SIM_NONE, 0, day, NULL);
  sim_schedule(run, self, EV_SERVE, 0, 0, day - 1, NULL);
  sim_schedule(run, self, EV_SERVE, 1, 0, SIM_NEVER, NULL);
}

Test(engine, equal_ticks_go_by_phase_path_kind_entity_and_n) {
  static const struct hooks h[] = {{.name = "x", .begin = order_begin}, {.name = "w", .begin = order_begin}, {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t,
                  WORLD("3", "10", "  x: {like: actor, when: day 1, go: 1 day}\n  w: {like: actor, when: day 1}\n"));
  log_clear();
  test_world_run(&t, 0);
  char expected[600];
  snprintf(expected, sizeof expected,
           "w.serve(0,0)@1 x.serve(0,0)@1 w.incident(%u,0)@1 x.incident(%u,0)@1 "
           "w.transmit(1,2)@1 w.transmit(1,3)@1 w.transmit(2,0)@1 x.transmit(1,2)@1 x.transmit(1,3)@1 "
           "x.transmit(2,0)@1 w.decide(0,0)@1 w.0@1 x.decide(0,0)@1 x.0@1 x.late(0,0)@1 ",
           SIM_NONE, SIM_NONE);
  cr_assert_str_eq(log_text, expected);
  cr_assert_eq(t.row.events, 15 + 10, "events of the actors and ten timed moves");
  test_world_close(&t);
}

/* A late event's consequence at the same instant comes after all of its round, however early its phase. */
static void round_begin(struct sim_run *run, const struct sim_instance *self) {
  sim_schedule(run, self, EV_TRANSMIT, 0, 0, sim_ticks(1), NULL);
  sim_schedule(run, self, EV_LATE, 0, 0, sim_ticks(1), NULL);
}
static void round_event(struct sim_run *run, const struct sim_instance *self, const struct sim_event *ev) {
  say("%s%u ", actor_events[ev->kind].name, ev->n);
  if (ev->kind == EV_TRANSMIT && ev->n < 2) {
    sim_schedule(run, self, EV_INCIDENT, 0, ev->n, sim_now(run), NULL);
    sim_schedule(run, self, EV_TRANSMIT, 0, ev->n + 1, sim_now(run), NULL);
  }
}
Test(engine, consequences_come_in_the_next_round) {
  static const struct hooks h[] = {{.name = "x", .begin = round_begin, .event = round_event}, {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("3", "10", "  x: {like: actor}\n"));
  log_clear();
  test_world_run(&t, 0);
  cr_assert_str_eq(log_text, "transmit0 late0 incident0 transmit1 incident1 transmit2 ");
  test_world_close(&t);
}

static bool endless;
static void cycle_begin(struct sim_run *run, const struct sim_instance *self) {
  sim_schedule(run, self, EV_SERVE, 0, 0, sim_ticks(1.5), NULL);
}
static void cycle_event(struct sim_run *run, const struct sim_instance *self, const struct sim_event *ev) {
  if (endless) sim_schedule(run, self, EV_SERVE, 0, ev->n + 1, sim_now(run), NULL);
}
static void value_end(struct sim_run *run, const struct sim_instance *self) {
  sim_output(run, self, 0, 42);
}

Test(engine, a_cycle_is_an_error_and_leaves_no_trace) {
  static const struct hooks h[] = {{.name = "x", .begin = cycle_begin, .event = cycle_event, .end = value_end}, {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("3", "10", "  x: {like: actor}\n"));
  endless = true;
  cr_assert_eq(sim_run_execute(t.run, 0, 0, &t.row), 0);
  cr_assert(strstr(t.row.error, "cycle") && strstr(t.row.error, "day 1.5"), "%s", t.row.error);
  for (size_t c = 0; c < t.columns; c++)
    cr_assert(t.column[c].dtype == SIM_FLAG ? t.row.columns[c] == SIM_STATUS_FAILED : isnan(t.row.columns[c]));
  endless = false;
  test_world_run(&t, 0);
  cr_assert_eq(test_value(&t, "value"), 42);
  cr_assert_eq(t.row.events, 1);
  test_world_close(&t);
}

/* Handles: moved, cancelled by SIM_NEVER, cleared when the event fires. */
static sim_handle held[3];
static void handle_begin(struct sim_run *run, const struct sim_instance *self) {
  sim_schedule(run, self, EV_SERVE, 0, 0, sim_ticks(1), &held[0]);
  sim_schedule(run, self, EV_SERVE, 1, 0, sim_ticks(1), &held[1]);
  sim_schedule(run, self, EV_SERVE, 2, 0, sim_ticks(5), &held[2]);
  sim_schedule(run, self, EV_SERVE, 0, 0, sim_ticks(2), &held[0]);
  sim_schedule(run, self, EV_SERVE, 1, 0, SIM_NEVER, &held[1]);
  cr_assert_eq(sim_scheduled(run, held[0]), sim_ticks(2));
  cr_assert_eq(held[1], 0);
  cr_assert_eq(sim_scheduled(run, held[1]), SIM_NEVER);
  sim_cancel(run, &held[1]);
}
static void handle_event(struct sim_run *run, const struct sim_instance *self, const struct sim_event *ev) {
  say("%u@%g ", ev->entity, sim_days(sim_now(run)));
  cr_assert_eq(held[ev->entity], 0);
  sim_schedule(run, self, EV_SERVE, 1, 0, sim_now(run) + 1, &held[1]);
  if (ev->entity == 0) sim_schedule(run, self, EV_SERVE, 2, 0, sim_now(run), &held[2]);
  if (ev->entity == 1) sim_cancel(run, &held[1]);
}
Test(engine, handles_name_what_is_pending) {
  static const struct hooks h[] = {{.name = "x", .begin = handle_begin, .event = handle_event}, {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("3", "10", "  x: {like: actor}\n"));
  for (int again = 0; again < 2; again++) {
    log_clear();
    test_world_run(&t, 0);
    cr_assert_str_eq(log_text, "0@2 2@2 1@2 ");
  }
  test_world_close(&t);
}

/* ---- moments ---------------------------------------------------------------------------------------------------- */

/* The signaller pings on days 1 and 2. */
static void ping_begin(struct sim_run *run, const struct sim_instance *self) {
  sim_schedule(run, self, EV_SERVE, 0, 0, sim_ticks(1), NULL);
  sim_schedule(run, self, EV_SERVE, 0, 1, sim_ticks(2), NULL);
}
static void ping_event(struct sim_run *run, const struct sim_instance *self, const struct sim_event *ev) {
  (void)ev;
  sim_signal(run, self, PING);
}
Test(engine, moments_are_absolute_or_follow_each_signal) {
  static const struct hooks h[] = {{.name = "x", .begin = ping_begin, .event = ping_event}, {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("10", "10",
                            "  x: {like: actor}\n"
                            "  v: {like: actor, when: [day 0, day 10, day 11, x.ping, x.ping + 3 days, day 1.5]}\n"));
  for (int again = 0; again < 2; again++) {
    log_clear();
    test_world_run(&t, 0);
    cr_assert_str_eq(log_text, "v.0@0 v.3@1 v.5@1.5 v.3@2 v.4@4 v.4@5 v.1@10 ");
  }
  test_world_close(&t);
}

/* Entities 0, 1, 2, ... of 100 enter b on days 1, 2, 3, ...; from day 8 they leave it in the same order. */
static void wave_begin(struct sim_run *run, const struct sim_instance *self) {
  for (uint32_t i = 0; i < 7; i++) {
    sim_schedule(run, self, EV_SERVE, i, 0, sim_ticks(1 + i), NULL);
    sim_schedule(run, self, EV_SERVE, i, 1, sim_ticks(8 + i), NULL);
  }
  sim_schedule(run, self, EV_SERVE, 50, 0, sim_ticks(16), NULL);
}
static void wave_event(struct sim_run *run, const struct sim_instance *self, const struct sim_event *ev) {
  sim_move(run, self->machine, ev->entity, ev->n ? A : B);
  sim_observe(run, PLAN(self)->counter, 10 * sim_count(run, self->machine, B));
}
Test(engine, truths_fire_when_they_become_true) {
  static const struct hooks h[] = {{.name = "x", .begin = wave_begin, .event = wave_event}, {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("20", "100",
                            "  v: {like: actor, when: [actual x.b > 2, actual x.b >= 7 %, actual x.b = 0, "
                            "actual x.counter < 30, actual x.a >= 100 %]}\n"
                            "sensing:\n  x: {like: meter}\n"));
  for (int again = 0; again < 2; again++) {
    log_clear();
    test_world_run(&t, 0);
    cr_assert_str_eq(log_text, "v.2@0 v.3@0 v.4@0 v.0@3 v.1@7 v.3@12 v.2@14 v.4@14 ");
  }
  test_world_close(&t);
}

/* ---- knobs ------------------------------------------------------------------------------------------------------ */

static int knob_plan(struct sim_builder *b, struct sim_instance *self) {
  const struct sim_value *by = sim_value_get(self->params, "by");
  const struct sim_instance *x = sim_builder_find(b, "x");
  static const double of_all[] = {0.3, 3, 0.5, 2}; /* p, q, r, s */
  double factor = by->form == SIM_GROUPS ? 1 : by->number;
  PLAN(self)->modifier = sim_builder_modifier(b, self, by, x, "each", factor, by);
  PLAN(self)->modifier_all = sim_builder_modifier(b, self, by, x, "all", of_all[self->name[0] - 'p'], NULL);
  PLAN(self)->modifier_layer = sim_builder_modifier(b, self, by, x, "on_layer", factor, NULL);
  return 0;
}
static void knob_heard(struct sim_run *run, const struct sim_instance *self, unsigned knob, uint32_t subject,
                       double before, double after) {
  say("%s[%u] %g>%g ", actor_knobs[knob].name, subject, before, after);
  cr_assert_eq(sim_factor(run, self, knob, subject), after);
}
static void knob_script(struct sim_run *run, const struct sim_instance *self) {
  const struct sim_world *w = run->world;
  const struct sim_instance *of[4], *x = self;
  const char *const names[4] = {"p", "q", "r", "s"};
  for (int i = 0; i < 4; i++) of[i] = sim_builder_find(&(struct sim_builder){.world = (struct sim_world *)w}, names[i]);
  for (uint32_t e = 0; e < 10; e++) cr_assert_eq(sim_factor(run, x, KNOB_EACH, e), 1);
  sim_modify(run, PLAN(of[0])->modifier, 3, true); /* 0.1 */
  sim_modify(run, PLAN(of[0])->modifier, 3, true); /* nothing new */
  sim_modify(run, PLAN(of[1])->modifier, 3, true); /* 3 */
  double both = sim_factor(run, x, KNOB_EACH, 3);
  cr_assert_eq(both, 0.1 * 3);
  cr_assert_eq(sim_factor(run, x, KNOB_EACH, 4), 1);
  sim_modify(run, PLAN(of[2])->modifier, 3, true); /* 1: nobody hears */
  sim_modify(run, PLAN(of[0])->modifier, 3, false);
  cr_assert_eq(sim_factor(run, x, KNOB_EACH, 3), 3);
  sim_modify(run, PLAN(of[0])->modifier, 3, true);
  cr_assert_eq(sim_factor(run, x, KNOB_EACH, 3), both, "the same bits, whatever the order of switching");
  for (int i = 0; i < 3; i++) sim_modify(run, PLAN(of[i])->modifier, 3, false);
  cr_assert_eq(sim_factor(run, x, KNOB_EACH, 3), 1);
  say("| ");
  for (uint32_t e = 0; e < 10; e++) sim_modify(run, PLAN(of[3])->modifier, e, true); /* by group */
  say("| ");
  static const struct {
    int of;
    bool on;
  } steps[] = {{0, true}, {2, true}, {1, true}, {2, false}, {3, true}, {0, false}};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
    sim_modify(run, PLAN(of[steps[i].of])->modifier_all, 0, steps[i].on);
  sim_modify(run, PLAN(of[1])->modifier_layer, 1, true);
  cr_assert_eq(sim_factor(run, x, KNOB_LAYER, 0), 1);
  cr_assert_eq(sim_factor(run, x, KNOB_LAYER, 1), 3);
  cr_assert(sim_factor_varies(run, x, KNOB_EACH) && !sim_factor_varies(run, of[0], KNOB_EACH));
  cr_assert_eq(sim_factor_bound(run, x, KNOB_EACH), 3 * 2);
  cr_assert_eq(sim_factor_bound(run, x, KNOB_ALL), 4, "3 x 2 is cut at the limit");
  cr_assert_eq(sim_factor_bound(run, of[0], KNOB_ALL), 1);
}

Test(engine, modifiers_multiply_and_restore_exactly) {
  static const struct hooks h[] = {{.name = "x", .begin = knob_script, .knob = knob_heard},
                                   {.name = "p", .plan = knob_plan},
                                   {.name = "q", .plan = knob_plan},
                                   {.name = "r", .plan = knob_plan},
                                   {.name = "s", .plan = knob_plan},
                                   {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("1", "10",
                            "  x: {like: actor}\n  p: {like: actor, by: 10 %}\n  q: {like: actor, by: 300 %}\n"
                            "  r: {like: actor, by: 100 %}\n  s: {like: actor, by: {few: 200 %, many: 100 %}}\n"));
  for (int again = 0; again < 2; again++) { /* all is off again in the next run */
    log_clear();
    test_world_run(&t, 0);
    char expected[500] = "each[3] 1>0.1 each[3] 0.1>0.3 each[3] 0.3>3 each[3] 3>0.3 each[3] 0.3>3 each[3] 3>1 | ";
    const struct sim_population *people = &t.world->population[0];
    for (uint32_t e = 0; e < 10; e++)
      if (strcmp(people->group_name[people->group[e]], "few") == 0)
        snprintf(expected + strlen(expected), 30, "each[%u] 1>2 ", e);
    strcat(expected, "| all[0] 1>0.3 all[0] 0.3>0.25 all[0] 0.25>0.45 all[0] 0.45>0.9 all[0] 0.9>1.8 "
                     "all[0] 1.8>4 on_layer[1] 1>3 ");
    cr_assert_str_eq(log_text, expected);
  }
  test_world_close(&t);
}

Test(engine, a_factor_outside_its_limits_is_refused) {
  static const struct hooks h[] = {{.name = "p", .plan = knob_plan}, {0}};
  hooks = h;
  test_refused(WORLD("1", "10", "  x: {like: actor}\n  p: {like: actor, by: 2000 %}\n"), "outside");
  test_refused(WORLD("1", "10", "  x: {like: actor}\n  p: {like: actor, by: {few: 2000 %, many: 1}}\n"),
               "20 of group few is outside");
}

/* ---- watchers --------------------------------------------------------------------------------------------------- */

static int watch_b(struct sim_builder *b, struct sim_instance *self) {
  uint32_t m = sim_builder_find(b, "x")->machine;
  sim_builder_watch(b, self, m, B);
  sim_builder_watch(b, self, m, B); /* told once all the same */
  return 0;
}
static int watch_all(struct sim_builder *b, struct sim_instance *self) {
  sim_builder_watch(b, self, sim_builder_find(b, "x")->machine, SIM_NONE);
  return 0;
}
static void walk_begin(struct sim_run *run, const struct sim_instance *self) {
  sim_schedule(run, self, EV_SERVE, 4, 0, sim_ticks(1), NULL);
}
static void walk_event(struct sim_run *run, const struct sim_instance *self, const struct sim_event *ev) {
  uint32_t m = self->machine, e = ev->entity;
  const uint8_t to[] = {C, C, B, A};
  for (unsigned i = 0; i < 4; i++) sim_move(run, m, e, to[i]); /* c; c again is no move; b; a */
  cr_assert_eq(sim_incarnation(run, m, e), 3);
  cr_assert_eq(sim_entered(run, m, e), sim_now(run));
  cr_assert(!sim_fire(run, m, e, 4), "`back` leaves c, and this one is in a");
  sim_move(run, m, e, C);
  cr_assert(sim_fire(run, m, e, 4));
  cr_assert_eq(sim_state(run, m, e), A);
}
Test(engine, watchers_hear_of_their_states_in_order_of_paths) {
  static const struct hooks h[] = {{.name = "x", .begin = walk_begin, .event = walk_event},
                                   {.name = "z", .plan = watch_b},
                                   {.name = "k", .plan = watch_all},
                                   {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("3", "10", "  x: {like: actor}\n  z: {like: actor}\n  k: {like: actor}\n"));
  log_clear();
  test_world_run(&t, 0);
  cr_assert_str_eq(log_text, "k:4ac@1 k:4cb@1 z:4cb@1 k:4ba@1 z:4ba@1 k:4ac@1 k:4ca@1 ");
  test_world_close(&t);
}

/* ---- machines --------------------------------------------------------------------------------------------------- */

enum { PEOPLE = 20000 };
static struct tally { double n, sum; } tally[3][3];
static int tally_plan(struct sim_builder *b, struct sim_instance *self) {
  sim_builder_watch(b, self, self->machine, SIM_NONE);
  return 0;
}
static int64_t last_move[PEOPLE];
static void tally_changed(struct sim_run *run, const struct sim_instance *self, const struct sim_change *c) {
  struct tally *x = &tally[c->from][c->to];
  x->n++;
  x->sum += sim_days(sim_now(run) - last_move[c->entity]);
  last_move[c->entity] = sim_now(run);
  (void)self;
}

/* From a, b at rate 1 and c at rate 3 race: 1/4 go to b, after a time of mean 1/4 whichever wins. From b, 0.3 go to c
 * after a fixed day, 0.7 to a after a mean of 2 days. Nobody is moved by hand: those at rest leave by themselves too.
 */
Test(engine, timed_transitions_race_and_branch) {
  static const struct hooks h[] = {{.name = "x", .plan = tally_plan, .changed = tally_changed}, {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("60", "20000",
                            "  x: {like: actor, go: exponential rate 1/day, off: exponential rate 3/day, "
                            "fall: 1 day, part: exponential mean 2 days, branch: 30 %}\n"));
  test_world_run(&t, 0);
  double left_a = tally[A][B].n + tally[A][C].n, left_b = tally[B][C].n + tally[B][A].n;
  /* Each comes back to a with probability 1/4 x 0.7. */
  cr_assert_float_eq(left_a, PEOPLE / (1 - 0.175), 4 * sqrt(PEOPLE * 0.175) / (1 - 0.175) * 1.2);
  cr_assert_float_eq(tally[A][B].n / left_a, 0.25, 4 * sqrt(0.25 * 0.75 / left_a));
  cr_assert_float_eq(tally[B][C].n / left_b, 0.3, 4 * sqrt(0.3 * 0.7 / left_b));
  cr_assert_float_eq((tally[A][B].sum + tally[A][C].sum) / left_a, 0.25, 4 * 0.25 / sqrt(left_a));
  cr_assert_float_eq(tally[A][B].sum / tally[A][B].n, 0.25, 4 * 0.25 / sqrt(tally[A][B].n));
  cr_assert_float_eq(tally[B][C].sum / tally[B][C].n, 1, 1e-9);
  cr_assert_float_eq(tally[B][A].sum / tally[B][A].n, 2, 4 * 2 / sqrt(tally[B][A].n));
  test_world_close(&t);
}

/* Leaving early cancels the planned exit. */
static void exit_begin(struct sim_run *run, const struct sim_instance *self) {
  cr_assert_eq(sim_planned_exit(run, self->machine, 0), sim_ticks(2));
  sim_schedule(run, self, EV_SERVE, 0, 0, sim_ticks(1), NULL);
}
static void exit_event(struct sim_run *run, const struct sim_instance *self, const struct sim_event *ev) {
  sim_move(run, self->machine, ev->entity, C);
  cr_assert_eq(sim_planned_exit(run, self->machine, ev->entity), SIM_NEVER);
}
Test(engine, leaving_early_cancels_the_planned_exit) {
  static const struct hooks h[] = {{.name = "x", .plan = watch_all, .begin = exit_begin, .event = exit_event}, {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("9", "2", "  x: {like: actor, go: 2 days}\n"));
  for (int again = 0; again < 2; again++) {
    log_clear();
    test_world_run(&t, 0);
    cr_assert_str_eq(log_text, "x:0ac@1 x:1ab@2 ");
  }
  test_world_close(&t);
}

/* ---- between runs ----------------------------------------------------------------------------------------------- */

/* A run after others is bit for bit the run alone, and all is at rest between runs. */
static void churn_end(struct sim_run *run, const struct sim_instance *self) {
  double sum = 0;
  for (uint32_t e = 0; e < 50; e++) sum += (e + 1) * sim_days(sim_entered(run, self->machine, e));
  sim_output(run, self, 0, sum);
}
Test(engine, a_run_leaves_nothing_behind) {
  static const struct hooks h[] = {{.name = "x", .end = churn_end}, {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("20", "50",
                            "  x: {like: actor, go: exponential mean 5 days, off: exponential mean 9 days, "
                            "fall: exponential mean 1 day, part: exponential mean 2 days, branch: 40 %}\n"));
  double value[4][2];
  uint64_t events[4][2];
  for (int pass = 0; pass < 2; pass++)
    for (unsigned k = 0; k < 4; k++) {
      unsigned r = pass ? 3 - k : k;
      test_world_run(&t, r);
      value[r][pass] = test_value(&t, "value");
      events[r][pass] = t.row.events;
      const struct sim_machine_run *m = &t.run->machine[0];
      for (const struct sim_entity *e = m->entity; e < m->entity + 50; e++)
        cr_assert(e->state == A && e->incarnation == 0 && e->entered == 0 && e->exit == SIM_NEVER);
      cr_assert(sim_count(t.run, 0, A) == 50 && sim_count(t.run, 0, B) == 0 && sim_count(t.run, 0, C) == 0);
      cr_assert_eq(t.run->queue.n, 0);
    }
  for (unsigned r = 0; r < 4; r++) {
    cr_assert(value[r][0] > 0 && value[r][0] == value[r][1]);
    cr_assert_eq(events[r][0], events[r][1]);
    cr_assert(r == 0 || value[r][0] != value[0][0], "replicates differ");
  }
  test_world_close(&t);
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static bool fail_now;
static void fail_event(struct sim_run *run, const struct sim_instance *self, const struct sim_event *ev) {
  if (!fail_now) return;
  sim_handle handle = 0;
  sim_run_fail(run, "entity %u broke", ev->entity);
  sim_run_fail(run, "and again");
  cr_assert(sim_run_failed(run));
  sim_schedule(run, self, EV_SERVE, 9, 9, sim_now(run), &handle);
  sim_move(run, self->machine, 0, B);
  sim_signal(run, self, PING);
  cr_assert_eq(handle, 0);
  cr_assert_eq(sim_state(run, self->machine, 0), A);
}
Test(engine, the_first_error_stands_and_ends_the_run) {
  static const struct hooks h[] = {
      {.name = "x", .plan = watch_all, .begin = ping_begin, .event = fail_event, .end = value_end}, {0}};
  hooks = h;
  struct test_world t;
  test_world_open(&t, WORLD("9", "2", "  x: {like: actor}\n  v: {like: actor, when: x.ping}\n"));
  for (int pass = 0; pass < 3; pass++) {
    fail_now = pass == 1;
    log_clear();
    cr_assert_eq(sim_run_execute(t.run, 0, 0, &t.row), 0);
    cr_assert_str_eq(t.row.error, fail_now ? "entity 0 broke" : "");
    cr_assert_eq(t.row.events, fail_now ? 1 : 2);
    double value = t.row.columns[test_column(&t, "value", "x")];
    cr_assert(fail_now ? isnan(value) : value == 42);
    cr_assert_str_eq(log_text, "");
  }
  test_world_close(&t);
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static int bad_state(struct sim_builder *b, struct sim_instance *self) {
  uint32_t machine;
  uint8_t state;
  return sim_builder_state(b, self->params, "x.nowhere", &machine, &state);
}
Test(engine, a_wrong_name_is_reported) {
  static const struct hooks h[] = {{.name = "v", .plan = bad_state}, {0}};
  hooks = h;
  test_refused(WORLD("9", "2", "  x: {like: actor}\n  v: {like: actor}\n"), "there is no state x.nowhere");
}
