/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Teams: people or crews who do jobs, as a queue with parallel servers. The queue itself is the engine's server. */
#include "models/response/action.h"
#include "sim/core/model.h"
#include <stdlib.h>

static const struct sim_param params[] = {
    {.name = "size",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_BY_TIME | SIM_NULLABLE | SIM_INTEGER,
     .doc = "Jobs that can be done at once; by time: steps, where a reduction lets jobs under way finish."},
    {.name = "members",
     .kind = SIM_REF,
     .refers = "population",
     .doc =
         "Who does the work: each place of the team is one person, drawn from this population, and stands empty while "
         "they are away (knob `present`) or dead. A person may be drawn by several teams. Without it the team never "
         "falls ill."},
    {.name = "among",
     .kind = SIM_REF,
     .flags = SIM_LIST,
     .refers = "group",
     .doc = "Groups from which members are drawn; without it everyone."},
    {.name = "hours",
     .kind = SIM_QUANTITY,
     .flags = SIM_OPEN_MIN,
     .unit = "h/day",
     .fallback = "24 h/day",
     .max = 24,
     .doc = "Working time, spread evenly: 10 h/day does ten hours' work in a day."},
    {.name = "cost",
     .kind = SIM_QUANTITY,
     .unit = "currency/team_day",
     .fallback = "0 currency/team_day",
     .doc = "Cost of a team and day, at work, idle or away, until the horizon."},
    {.name = "preemption",
     .kind = SIM_CHOICE,
     .choices = "none resume",
     .fallback = "none",
     .doc = "resume: a job of better priority takes the place of the worst running one, whose work so far is kept."},
    {.name = "waiting_room",
     .kind = SIM_QUANTITY,
     .flags = SIM_NULLABLE | SIM_INTEGER,
     .fallback = "unlimited",
     .doc = "Jobs that may wait; one that finds no room is lost."},
    {.name = "patience",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .doc = "Time after which a job that has not started is given up; without it jobs wait for ever."},
    {0}};

enum { KNOB_PRESENT, KNOB_SPEED };
static const struct sim_knob knobs[] = {
    {"present", SIM_SCOPE_ENTITY, 0, 1,
     "Share of the members concerned who come to work (a member comes or stays away)"},
    {"speed", SIM_SCOPE_WHOLE, 0, 1000, "Multiplies the work done per hour, also of jobs under way"},
    {0}};
enum { OUT_SERVED, OUT_DROPPED, OUT_ABANDONED, OUT_WAIT, OUT_UTILISATION, OUT_BUSY, OUT_ABSENT };
static const struct sim_output_desc outputs[] = {
    {"jobs_served", "job", "Jobs completed", true},
    {"jobs_dropped", "job", "Jobs that found no waiting room", true},
    {"jobs_abandoned", "job", "Jobs given up for lack of patience", true},
    {"mean_wait", "day", "Mean time from submission to start, of the jobs that waited in the queue and started", false},
    {"utilisation", "1", "Share of the time of the members present that they are at work", false},
    {"busy_days", "team_day", "Time at work, summed over teams", false},
    {"absent_days", "team_day", "Time for which members were away, summed over teams", false},
    {0}};

struct plan {
  uint32_t *member; /* [members] from whom the team is drawn, ascending; NULL: the whole population */
  uint32_t members, draw_members, draw_present;
  struct sim_law patience;
  double cost;
  uint32_t item;
};

static double largest(const struct sim_value *size) {
  double most = size->form == SIM_STEPS ? 0 : size->number;
  for (size_t i = 0; size->form == SIM_STEPS && i < size->n; i++)
    if (size->items[i].number > most) most = size->items[i].number;
  return most;
}

static int declare_members(struct sim_builder *b, struct sim_instance *self, struct plan *p, double most) {
  const struct sim_value *at = sim_value_get(self->params, "members");
  struct sim_diag *diag = sim_builder_diag(b);
  self->population = sim_builder_find_population(b, at->text);
  if (self->population == SIM_NONE)
    return sim_diag_add(diag, &at->mark, at->path, "%s is not a population of this scenario", at->text);
  int ret = action_members(b, self, "among", self->population, &p->member, &p->members);
  if (ret) return ret;
  if (!(floor(most + 0.5) <= p->members))
    return sim_diag_add(diag, &at->mark, at->path, "a team of %g cannot have its members from %u people", most,
                        (unsigned)p->members);
  p->draw_members = sim_builder_purpose(b, self, "members");
  p->draw_present = sim_builder_purpose(b, self, "present");
  return 0;
}

static int declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  struct sim_diag *diag = sim_builder_diag(b);
  struct sim_server_spec spec = {.size = sim_value_get(self->params, "size"),
                                 .staffed = sim_value_has(self->params, "members"),
                                 .speed = sim_value_number(self->params, "hours") / 24,
                                 .preemptive = sim_value_text(self->params, "preemption")[0] == 'r',
                                 .room = sim_value_number(self->params, "waiting_room")};
  if (sim_value_has(self->params, "patience")) {
    int ret = sim_law_init(&p->patience, sim_value_get(self->params, "patience"), diag);
    if (ret) return ret;
    spec.patience = &p->patience;
    spec.patience_purpose = sim_builder_purpose(b, self, "patience");
  }
  p->cost = sim_value_number(self->params, "cost");
  p->item = sim_builder_cost(b, self);
  double most = largest(spec.size);
  if (spec.staffed) {
    int ret = declare_members(b, self, p, most);
    if (ret) return ret;
  }
  if (most == (double)INFINITY && p->cost > 0) {
    const struct sim_value *at = sim_value_get(self->params, "cost");
    return sim_diag_add(diag, &at->mark, at->path, "a team of unlimited size cannot have a cost per team and day");
  }
  return sim_builder_server(b, self, &spec);
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  (void)plan;
  if (self->population != SIM_NONE) sim_builder_watch_gone(b, self, self->population);
  return 0;
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_law_free(&p->patience);
  sim_free(p->member);
}

static int by_number(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Places are filled in a random order of all who could be members: place i is the i-th. So a larger team has the same
 * people and more, and nothing need be drawn for those who are never away. SIM_NONE: no member of any such team. */
static uint32_t place_of(const struct sim_run *run, const struct plan *p, uint32_t person) {
  uint32_t index = person;
  if (p->member) {
    const uint32_t *at = bsearch(&person, p->member, p->members, sizeof person, by_number);
    if (!at) return SIM_NONE;
    index = (uint32_t)(at - p->member);
  }
  return sim_rng_place(sim_run_rng(run), p->draw_members, p->members, index);
}

/* A member whose presence falls to a share stays away if a uniform of their own is above it. */
static void staff(struct sim_run *run, const struct sim_instance *self, uint32_t person) {
  const struct plan *p = self->plan;
  uint32_t place = place_of(run, p, person);
  if (place == SIM_NONE) return;
  bool comes =
      sim_rng_uniform(sim_run_rng(run), p->draw_present, person, 0, 0) < sim_factor(run, self, KNOB_PRESENT, person);
  sim_staff(run, self->server, place, comes && !sim_gone(run, self->population, person));
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  (void)state;
  staff(run, self, c->entity);
}

static void knob(struct sim_run *run, const struct sim_instance *self, void *state, unsigned knob, uint32_t subject,
                 double before, double after) {
  (void)state, (void)before;
  if (knob == KNOB_SPEED)
    sim_speed(run, self->server, after);
  else
    staff(run, self, subject);
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  (void)state;
  const struct plan *p = self->plan;
  struct sim_server_totals t;
  sim_server_total(run, self->server, &t);
  sim_output(run, self, OUT_SERVED, (double)t.served);
  sim_output(run, self, OUT_DROPPED, (double)t.dropped);
  sim_output(run, self, OUT_ABANDONED, (double)t.abandoned);
  if (t.started) sim_output(run, self, OUT_WAIT, t.wait_sum / (double)t.started);
  if (t.place_days > 0 && t.place_days < (double)INFINITY)
    sim_output(run, self, OUT_UTILISATION, t.busy_days / t.place_days);
  sim_output(run, self, OUT_BUSY, t.busy_days);
  sim_output(run, self, OUT_ABSENT, t.absent_days);
  if (p->cost > 0) sim_spend(run, p->item, p->cost * (t.place_days + t.absent_days));
}

const struct sim_model sim_model_team = {
    .name = "team",
    .section = "teams",
    .doc = "People or crews of finite number who do jobs in order of priority: a queue G/G/c with classes, preemptive "
           "resume, finite room and patience (Kleinrock 1975; Cobham 1954 for priorities).",
    .params = params,
    .knobs = knobs,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .declare = declare,
    .plan = plan,
    .plan_free = plan_free,
    .changed = changed,
    .knob = knob,
    .end = end};
