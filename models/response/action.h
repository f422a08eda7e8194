/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the models of response share: when an action is in force, members of groups, what it takes of freedom and
 * privacy. Inline functions only: a model remains one file.
 *
 * An action with moments `when` starts `decision_delay` after one of them and is in force until a moment of `until`; an
 * end that comes within the delay cancels the start. Without `when` it is in force from the beginning. */
#ifndef MODELS_RESPONSE_ACTION_H
#define MODELS_RESPONSE_ACTION_H
#include "models/share.h"
#include <string.h>

/* Every action's table of events begins with ACTION_EVENTS, of signals with ACTION_SIGNALS, of outputs with
 * ACTION_OUTPUTS. */
enum { ACTION_EV_START, ACTION_EV_OWN };
enum { ACTION_SIGNAL_START, ACTION_SIGNAL_END };
enum { ACTION_OUT_FIRST, ACTION_OUT_DAYS, ACTION_OUT_OWN };
enum { ACTION_WHEN, ACTION_UNTIL }; /* slots of moments */

#define ACTION_EVENTS                                                                                                  \
  { "start", SIM_PHASE_DECIDE }
#define ACTION_SIGNALS                                                                                                 \
  {"start", "The action comes into force"}, {                                                                          \
    "end", "The action ends"                                                                                           \
  }
#define ACTION_OUTPUTS                                                                                                 \
  {"first_start", "day", "When the action first came into force", false}, {                                            \
    "active_days", "day", "Time during which the action was in force", false                                           \
  }
#define ACTION_PARAMS(when_default)                                                                                    \
  {.name = "when",                                                                                                     \
   .kind = SIM_MOMENT,                                                                                                 \
   .flags = SIM_LIST,                                                                                                  \
   .fallback = when_default,                                                                                           \
   .doc = "Moments after which the action starts; without any it is in force from the beginning."},                    \
      {.name = "until", .kind = SIM_MOMENT, .flags = SIM_LIST, .doc = "Moments at which the action ends."}, {          \
    .name = "decision_delay", .kind = SIM_QUANTITY, .unit = "day", .fallback = "0 days",                               \
    .doc = "Time from the moment of `when` to the start."                                                              \
  }
#define ACTION_AGAINST                                                                                                 \
  {                                                                                                                    \
    .name = "against", .kind = SIM_REF, .flags = SIM_REQUIRED, .refers = "hazard",                                     \
    .doc = "The hazard that the action works on."                                                                      \
  }
#define ACTION_ON                                                                                                      \
  {                                                                                                                    \
    .name = "on", .kind = SIM_REF, .flags = SIM_REQUIRED | SIM_LIST, .refers = "sensor",                               \
    .doc = "Sensors whose reports the action follows up."                                                              \
  }
#define ACTION_TEAM(what)                                                                                              \
  {.name = "team", .kind = SIM_REF, .refers = "team", .doc = what}, {                                                  \
    .name = "priority", .kind = SIM_QUANTITY, .flags = SIM_INTEGER | SIM_NO_RANGE, .fallback = "0", .max = 1000,       \
    .doc = "Class of its jobs in the team's queue; lower is served first."                                             \
  }

#define ACTION_RESTRICTS(what)                                                                                         \
  {                                                                                                                    \
    .name = "restricts", .kind = SIM_QUANTITY, .unit = "1", .fallback = "100 %", .max = 1,                             \
    .doc = "Freedom lost in a person-day " what "."                                                                    \
  }

/* ---- in force ---------------------------------------------------------------------------------------------------- */

struct action_plan {
  int64_t delay; /* ticks of decision */
  bool always;   /* no `when` */
};
struct action {
  bool active;
  sim_handle start;
  int64_t since, total; /* ticks; since: of the present spell */
  int64_t first;        /* valid if ever */
  bool ever;
};

static inline int action_plan_moments(struct sim_builder *b, const struct sim_instance *self,
                                      struct action_plan *plan) {
  static const char *const names[] = {"when", "until"};
  int ret = 0;
  for (unsigned slot = ACTION_WHEN; slot <= ACTION_UNTIL; slot++) {
    size_t n;
    const struct sim_value *moments = sim_value_list(self->params, names[slot], &n);
    if (slot == ACTION_WHEN) plan->always = n == 0;
    for (size_t i = 0; i < n; i++) {
      int r = sim_builder_moment(b, self, &moments[i], 0, slot, (uint32_t)i);
      if (r) ret = r;
    }
  }
  plan->delay = sim_ticks(sim_value_number(self->params, "decision_delay"));
  return ret;
}

static inline void action_start(struct sim_run *run, const struct sim_instance *self, struct action *a) {
  a->active = true;
  a->since = sim_now(run);
  if (!a->ever) a->first = a->since;
  a->ever = true;
  sim_signal(run, self, ACTION_SIGNAL_START);
}

static inline void action_stop(struct sim_run *run, const struct sim_instance *self, struct action *a) {
  a->active = false;
  a->total += sim_now(run) - a->since;
  sim_signal(run, self, ACTION_SIGNAL_END);
}

static inline void action_begin(struct sim_run *run, const struct action_plan *plan, struct action *a) {
  if (!plan->always) return;
  a->active = a->ever = true;
  a->since = a->first = sim_now(run);
}

/* A moment of `when` or `until`. True if the action was in force and has just ended. */
static inline bool action_moment(struct sim_run *run, const struct sim_instance *self, const struct action_plan *plan,
                                 struct action *a, unsigned slot) {
  if (slot == ACTION_WHEN) {
    if (!a->active && !a->start)
      sim_schedule(run, self, ACTION_EV_START, SIM_NONE, 0, sim_ticks_add(sim_now(run), plan->delay), &a->start);
    return false;
  }
  sim_cancel(run, &a->start);
  if (!a->active) return false;
  action_stop(run, self, a);
  return true;
}

/* Callbacks of a model whose plan begins with a struct action_plan, its state with a struct action. */
static inline void action_on_begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  action_begin(run, self->plan, state);
}
static inline void action_on_moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot,
                                    uint32_t index) {
  (void)index;
  action_moment(run, self, self->plan, state, slot);
}

/* Writes the common outputs and resets; returns the days in force. */
static inline double action_end(struct sim_run *run, const struct sim_instance *self, struct action *a) {
  if (a->active) a->total += sim_horizon(run) - a->since;
  double days = sim_days(a->total);
  if (a->ever) sim_output(run, self, ACTION_OUT_FIRST, sim_days(a->first));
  sim_output(run, self, ACTION_OUT_DAYS, days);
  a->active = a->ever = false;
  a->total = 0;
  return days;
}

/* ---- references and numbers -------------------------------------------------------------------------------------- */

/* The hazard (or other instance with a machine) that a key names; NULL after reporting. */
static inline const struct sim_instance *action_hazard(struct sim_builder *b, const struct sim_value *at,
                                                       const char *name) {
  const struct sim_instance *h = sim_builder_find(b, name);
  if (h && h->machine != SIM_NONE) return h;
  (void)!sim_diag_add(sim_builder_diag(b), &at->mark, at->path, "%s is not a hazard of this scenario", name);
  return NULL;
}

/* In `declare`: the population of the entity knobs is that of the instance named first in `path`, if it is declared
 * already; `plan` sets it for good. */
static inline void action_declare_population(const struct sim_builder *b, struct sim_instance *self, const char *path) {
  char name[256];
  size_t length = strcspn(path, ".");
  if (length >= sizeof name) return;
  memcpy(name, path, length);
  name[length] = '\0';
  const struct sim_instance *target = sim_builder_find(b, name);
  if (target && target->machine != SIM_NONE) self->population = target->population;
}

/* The population of a hazard once its machine is declared. */
static inline uint32_t action_population(const struct sim_builder *b, const struct sim_instance *hazard) {
  return sim_builder_machine_population(b, hazard->machine);
}

/* Resolves `team`; *server SIM_NONE if absent. */
static inline int action_team(struct sim_builder *b, const struct sim_instance *self, const char *order, bool backlog,
                              uint32_t *server) {
  *server = SIM_NONE;
  if (!sim_value_has(self->params, "team")) return 0;
  const struct sim_value *at = sim_value_get(self->params, "team");
  const struct sim_instance *team = sim_builder_find(b, at->text);
  if (!team || team->server == SIM_NONE)
    return sim_diag_add(sim_builder_diag(b), &at->mark, at->path, "%s is not a team of this scenario", at->text);
  *server = team->server;
  sim_builder_works_for(b, self, at, team->server, (int)sim_value_number(self->params, "priority"), order, backlog);
  return 0;
}

/* Listens to the sensors of `on`. */
static inline int action_listen(struct sim_builder *b, const struct sim_instance *self) {
  size_t n;
  const struct sim_value *on = sim_value_list(self->params, "on", &n);
  for (size_t i = 0; i < n; i++) {
    const struct sim_instance *sensor = sim_builder_find(b, on[i].text);
    if (!sensor)
      return sim_diag_add(sim_builder_diag(b), &on[i].mark, on[i].path, "%s is not a sensor of this scenario",
                          on[i].text);
    sim_builder_listen(b, self, sensor);
  }
  return 0;
}

/* A transition of an instance's machine by its name or by "instance.name". */
static inline int action_transition(struct sim_builder *b, const struct sim_value *at, const struct sim_instance *owner,
                                    const char *name, unsigned *transition) {
  const char *dot = strrchr(name, '.');
  int t = sim_builder_machine_transition(b, owner->machine, dot ? dot + 1 : name);
  if (t < 0)
    return sim_diag_add(sim_builder_diag(b), &at->mark, at->path, "%s has no transition %s", owner->path, name);
  *transition = (unsigned)t;
  return 0;
}

static inline int action_law(struct sim_builder *b, const struct sim_instance *self, const char *name,
                             struct sim_law *law) {
  return sim_law_init(law, sim_value_get(self->params, name), sim_builder_diag(b));
}

/* A draw of a law in ticks, by its name. */
static inline int64_t action_draw(const struct sim_run *run, const struct sim_law *law, uint32_t purpose,
                                  uint32_t entity, uint32_t incarnation, uint32_t n) {
  if (law->kind == SIM_LAW_FIXED) return sim_ticks(law->a); /* whatever the draw */
  return sim_ticks(sim_law_inverse(law, sim_rng_exponential(sim_run_rng(run), purpose, entity, incarnation, n)));
}

/* Ticks by a factor; exact where it is 1. */
static inline int64_t action_scale(int64_t ticks, double factor) {
  return factor == 1 || ticks == SIM_NEVER ? ticks : sim_ticks(sim_days(ticks) * factor);
}

/* Person-days, each counted as a share of a day. */
struct action_burden {
  uint32_t index;
  double weight;
};
static inline void action_burden_plan(struct sim_builder *b, const struct sim_instance *self, const char *key,
                                      enum sim_burden kind, struct action_burden *burden) {
  burden->index = sim_builder_burden(b, self, kind);
  burden->weight = sim_value_number(self->params, key);
}
static inline void action_burden_end(struct sim_run *run, const struct action_burden *burden, double person_days) {
  sim_burden(run, burden->index, burden->weight * person_days);
}

/* The groups that a key lists, as bits; without the key all. */
static inline int action_groups(struct sim_builder *b, const struct sim_instance *self, const char *key,
                                uint32_t population, uint64_t *chosen) {
  const struct sim_population *p = sim_builder_population(b, population);
  size_t groups;
  const struct sim_value *list = sim_value_list(self->params, key, &groups);
  *chosen = groups ? 0 : ~UINT64_C(0);
  for (size_t i = 0; i < groups; i++) {
    int g = sim_population_group(p, list[i].text);
    if (g < 0)
      return sim_diag_add(sim_builder_diag(b), &list[i].mark, list[i].path, "%s has no group %s", p->name,
                          list[i].text);
    *chosen |= UINT64_C(1) << g;
  }
  return 0;
}

/* The members of the groups that a key lists, ascending; without the key *members stays NULL and *n is everyone. */
static inline int action_members(struct sim_builder *b, const struct sim_instance *self, const char *key,
                                 uint32_t population, uint32_t **members, uint32_t *n) {
  const struct sim_population *p = sim_builder_population(b, population);
  uint64_t chosen;
  int ret = action_groups(b, self, key, population, &chosen);
  *n = p->size;
  if (ret || !~chosen) return ret;
  *members = sim_calloc(p->size + 1u, sizeof **members);
  if (!*members) return SIM_ERR_MEMORY;
  *n = 0;
  for (uint32_t i = 0; i < p->size; i++)
    if (chosen >> p->group[i] & 1) (*members)[(*n)++] = i;
  return 0;
}

/* ---- person-days of those alive ---------------------------------------------------------------------------------- */

struct action_people { /* whom an action covers while it is in force */
  uint32_t population, n;
  uint64_t groups; /* as bits */
};
struct action_dead { /* of them, in a run */
  uint32_t n;
  double days; /* in force before their deaths, summed */
};

static inline void action_people_plan(struct sim_builder *b, const struct sim_instance *self, uint32_t population,
                                      uint64_t groups, uint32_t n, struct action_people *people) {
  *people = (struct action_people){population, n, groups};
  sim_builder_watch_gone(b, self, population);
}

/* `changed`: of those who are watched. */
static inline void action_people_changed(struct sim_run *run, const struct action_people *people,
                                         const struct action *a, const struct sim_change *c, struct action_dead *dead) {
  const struct sim_population *p = sim_run_population(run, people->population);
  if (!sim_newly_gone(run, people->population, c)) return;
  if (~people->groups && !(people->groups >> p->group[c->entity] & 1)) return;
  dead->n++;
  dead->days += sim_days(a->total + (a->active ? sim_now(run) - a->since : 0));
}

/* Person-days in force, of `days` in all; resets. */
static inline double action_people_end(const struct action_people *people, double days, struct action_dead *dead) {
  double person_days = (people->n - dead->n) * days + dead->days;
  *dead = (struct action_dead){0};
  return person_days;
}
#endif
