/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Teams: people or crews who do jobs, as a queue with parallel servers. The queue itself is the engine's server. */
#include "sim/core/model.h"

static const struct sim_param params[] = {
    {.name = "size",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_BY_TIME | SIM_NULLABLE | SIM_INTEGER,
     .doc = "Jobs that can be done at once; by time: steps, where a reduction lets jobs under way finish."},
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
     .doc = "Cost of a team and day, at work or idle, until the horizon."},
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

enum { OUT_SERVED, OUT_DROPPED, OUT_ABANDONED, OUT_WAIT, OUT_UTILISATION, OUT_BUSY };
static const struct sim_output_desc outputs[] = {
    {"jobs_served", "job", "Jobs completed", true},
    {"jobs_dropped", "job", "Jobs that found no waiting room", true},
    {"jobs_abandoned", "job", "Jobs given up for lack of patience", true},
    {"mean_wait", "day", "Mean time from submission to start, of the jobs that waited in the queue and started", false},
    {"utilisation", "1", "Share of the teams' time at work", false},
    {"busy_days", "team_day", "Time at work, summed over teams", false},
    {0}};

struct plan {
  struct sim_law patience;
  double cost;
  uint32_t item;
};

static int declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  struct sim_diag *diag = sim_builder_diag(b);
  struct sim_server_spec spec = {.size = sim_value_get(self->params, "size"),
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
  bool unlimited = spec.size->form == SIM_NUMBER && spec.size->number == (double)INFINITY;
  for (size_t i = 0; spec.size->form == SIM_STEPS && i < spec.size->n; i++)
    unlimited = unlimited || spec.size->items[i].number == (double)INFINITY;
  if (unlimited && p->cost > 0) {
    const struct sim_value *at = sim_value_get(self->params, "cost");
    return sim_diag_add(diag, &at->mark, at->path, "a team of unlimited size cannot have a cost per team and day");
  }
  return sim_builder_server(b, self, &spec);
}

static void plan_free(void *plan) {
  sim_law_free(&((struct plan *)plan)->patience);
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
  if (p->cost > 0) sim_spend(run, p->item, p->cost * t.place_days);
}

const struct sim_model sim_model_team = {
    .name = "team",
    .section = "teams",
    .doc = "People or crews of finite number who do jobs in order of priority: a queue G/G/c with classes, preemptive "
           "resume, finite room and patience (Kleinrock 1975; Cobham 1954 for priorities).",
    .params = params,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .declare = declare,
    .plan_free = plan_free,
    .end = end};
