/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Repair: what is broken is found after a delay, waits for a crew, takes a time to mend, and then makes a transition:
 * an asset from down to up, a computer from infected to patched. What leaves the state by itself is taken off the list.
 */
#include "models/response/action.h"
#include "sim/core/model.h"

static const struct sim_param params[] = {
    {.name = "layer",
     .kind = SIM_REF,
     .refers = "layer",
     .doc = "The layer whose nodes are repaired; with `hazard`: the layer whose contacts `order: degree` counts."},
    {.name = "hazard", .kind = SIM_REF, .refers = "hazard", .doc = "The hazard whose entities are repaired."},
    {.name = "transition",
     .kind = SIM_REF,
     .fallback = "repair",
     .refers = "transition",
     .doc = "The transition that a repair completes; entities in its `from` state are repaired."},
    ACTION_TEAM("The crews; without a team everything is repaired at once, side by side"),
    {.name = "time", .kind = SIM_LAW_CALL, .flags = SIM_REQUIRED, .unit = "day", .doc = "Working time of a repair."},
    {.name = "delay",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .fallback = "0 days",
     .doc = "Time from the failure until it can be worked on."},
    {.name = "order",
     .kind = SIM_CHOICE,
     .choices = "fifo lifo degree people_served vulnerable_first random",
     .fallback = "fifo",
     .doc = "Which waiting repair of one priority comes first."},
    {.name = "when",
     .kind = SIM_MOMENT,
     .flags = SIM_LIST,
     .doc = "Moment from which repairs are made; those known before wait for it; without it from the beginning."},
    {.name = "cost",
     .kind = SIM_QUANTITY,
     .unit = "currency/repair",
     .fallback = "0 currency/repair",
     .doc = "Cost of a repair besides the crew's."},
    {0}};
enum { KNOB_SPEED };
static const struct sim_knob knobs[] = {{"speed", SIM_SCOPE_ENTITY, 0.01, 1000,
                                         "Divides the working time of the repairs of a node that are taken up "
                                         "meanwhile; to stop them, multiply the team's"},
                                        {0}};
enum { EV_FOUND, EV_MENDED };
static const struct sim_event_desc events[] = {{"found", SIM_PHASE_SENSE}, {"mended", SIM_PHASE_SERVE}, {0}};
enum { OUT_REPAIRED, OUT_MEAN };
static const struct sim_output_desc outputs[] = {
    {"repaired", "repair", "Repairs completed", true},
    {"mean_time_to_repair", "day", "Mean time from failure to completion, of the repairs completed", false},
    {0}};

struct plan {
  uint32_t machine, population, layer, server;
  unsigned transition;
  uint8_t from;
  int priority;
  const char *order;
  bool waits; /* there is a `when` */
  struct sim_law time, delay;
  double cost;
  uint32_t item, draw_time, draw_delay, draw_order;
};
struct state {
  bool open;           /* repairs are made */
  sim_handle *pending; /* [size] discovery, or completion without a team */
  uint32_t *job;       /* [size] */
  uint32_t *found;     /* [founds] found before `when`, in order */
  size_t founds, founds_cap;
  uint64_t repaired;
  double days; /* summed times to repair */
};

static int declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  (void)plan;
  bool hazard = sim_value_has(self->params, "hazard");
  if (hazard || sim_value_has(self->params, "layer"))
    action_declare_population(b, self, sim_value_text(self->params, hazard ? "hazard" : "layer"));
  return 0;
}

static int plan_target(struct sim_builder *b, struct sim_instance *self, struct plan *p) {
  const struct sim_value *layer = sim_value_get(self->params, "layer");
  const struct sim_value *hazard = sim_value_get(self->params, "hazard");
  const struct sim_value *at = hazard->form != SIM_ABSENT ? hazard : layer;
  if (at->form == SIM_ABSENT)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path, "expected a `layer` or a `hazard`");
  const struct sim_instance *target = sim_builder_find(b, at->text);
  if (!target || target->machine == SIM_NONE)
    return sim_diag_add(sim_builder_diag(b), &at->mark, at->path, "%s has no states to repair", at->text);
  p->machine = target->machine;
  p->population = self->population = sim_builder_machine_population(b, p->machine);
  p->layer = layer->form == SIM_ABSENT ? SIM_NONE : sim_builder_find_layer(b, layer->text);
  const struct sim_layer *l = p->layer == SIM_NONE ? NULL : sim_builder_layer(b, p->layer);
  if (p->order[0] == 'd' && (!l || l->mixing || l->population != p->population)) {
    at = sim_value_get(self->params, "order");
    return sim_diag_add(sim_builder_diag(b), &at->mark, at->path,
                        "order: degree needs a `layer` with edges among what is repaired");
  }
  at = sim_value_get(self->params, "transition");
  int ret = action_transition(b, at, target, at->text, &p->transition);
  if (ret) return ret;
  p->from = sim_builder_transition(b, p->machine, p->transition)->from;
  sim_builder_watch(b, self, p->machine, p->from);
  return 0;
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  p->order = sim_value_text(self->params, "order");
  p->priority = (int)sim_value_number(self->params, "priority");
  p->cost = sim_value_number(self->params, "cost");
  p->item = sim_builder_cost(b, self);
  p->draw_time = sim_builder_purpose(b, self, "time");
  p->draw_delay = sim_builder_purpose(b, self, "delay");
  p->draw_order = sim_builder_purpose(b, self, "order");
  int ret = plan_target(b, self, p);
  size_t n;
  const struct sim_value *when = sim_value_list(self->params, "when", &n);
  p->waits = n > 0;
  for (size_t i = 0; !ret && i < n; i++) ret = sim_builder_moment(b, self, &when[i], 0, 0, (uint32_t)i);
  if (!ret) ret = action_team(b, self, p->order, false, &p->server);
  if (!ret) ret = action_law(b, self, "time", &p->time);
  if (!ret) ret = action_law(b, self, "delay", &p->delay);
  return ret;
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_law_free(&p->time);
  sim_law_free(&p->delay);
}

static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  size_t size = sim_run_population(run, p->population)->size + (size_t)1;
  s->open = !p->waits;
  s->pending = sim_calloc(size, sizeof *s->pending);
  s->job = sim_calloc(size, sizeof *s->job);
  return s->pending && s->job ? 0 : SIM_ERR_MEMORY;
}

static void close(void *state) {
  struct state *s = state;
  sim_free(s->pending);
  sim_free(s->job);
  sim_free(s->found);
}

/* Puts a known failure on the crews' list. */
static void submit(struct sim_run *run, const struct sim_instance *self, struct state *s, uint32_t entity) {
  const struct plan *p = self->plan;
  uint32_t life = sim_incarnation(run, p->machine, entity);
  int64_t time = action_scale(action_draw(run, &p->time, p->draw_time, entity, life, 0),
                              1 / sim_factor(run, self, KNOB_SPEED, entity));
  if (p->server == SIM_NONE) {
    sim_schedule(run, self, EV_MENDED, entity, 0, sim_ticks_add(sim_now(run), time), &s->pending[entity]);
    return;
  }
  struct sim_job job = {.entity = entity,
                        .tag = life,
                        .service = time,
                        .priority = p->priority,
                        .rank = sim_rank(run, p->order, p->population, p->layer, entity, p->draw_order)};
  s->job[entity] = sim_submit(run, p->server, self, &job);
}

static void found(struct sim_run *run, const struct sim_instance *self, struct state *s, uint32_t entity) {
  if (s->open) {
    submit(run, self, s, entity);
    return;
  }
  uint32_t *list = sim_grow(s->found, &s->founds_cap, s->founds + 1, sizeof *list);
  if (!list) {
    sim_run_out_of_memory(run, self->path);
    return;
  }
  s->found = list;
  s->found[s->founds++] = entity;
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  struct state *s = state;
  const struct plan *p = self->plan;
  uint32_t e = c->entity;
  if (c->from == p->from) {
    sim_cancel(run, &s->pending[e]);
    if (s->job[e]) sim_withdraw(run, p->server, s->job[e]);
    s->job[e] = 0;
  } else if (c->to == p->from) {
    int64_t delay = action_draw(run, &p->delay, p->draw_delay, e, sim_incarnation(run, p->machine, e), 0);
    if (delay > 0)
      sim_schedule(run, self, EV_FOUND, e, 0, sim_ticks_add(sim_now(run), delay), &s->pending[e]);
    else
      found(run, self, s, e);
  }
}

/* Repairs may begin: what was found before and is still broken is put on the list (once, if it broke twice). */
static void moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot, uint32_t index) {
  (void)slot, (void)index;
  struct state *s = state;
  const struct plan *p = self->plan;
  if (s->open) return;
  s->open = true;
  for (size_t i = 0; i < s->founds; i++) {
    uint32_t e = s->found[i];
    if (sim_state(run, p->machine, e) == p->from && !s->job[e] && !s->pending[e]) submit(run, self, s, e);
  }
  s->founds = 0;
}

static void mend(struct sim_run *run, const struct plan *p, struct state *s, uint32_t entity) {
  s->repaired++;
  s->days += sim_days(sim_now(run) - sim_entered(run, p->machine, entity));
  sim_spend(run, p->item, p->cost);
  (void)sim_fire(run, p->machine, entity, p->transition);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  struct state *s = state;
  if (ev->kind == EV_FOUND)
    found(run, self, s, ev->entity);
  else
    mend(run, self->plan, s, ev->entity);
}

static void served(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_job *job) {
  struct state *s = state;
  s->job[job->entity] = 0;
  mend(run, self->plan, s, job->entity);
}

static void dropped(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_job *job,
                    bool abandoned) {
  (void)run, (void)self, (void)abandoned;
  ((struct state *)state)->job[job->entity] = 0;
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  sim_output(run, self, OUT_REPAIRED, (double)s->repaired);
  if (s->repaired) sim_output(run, self, OUT_MEAN, s->days / (double)s->repaired);
  s->open = !p->waits;
  s->founds = 0;
  s->repaired = 0;
  s->days = 0;
}

const struct sim_model sim_model_repair = {
    .name = "repair",
    .section = "repair",
    .doc = "Repair of broken nodes or entities by crews of finite number, in an order (machine repairman: Feller 1950; "
           "restoration orders: Nurre et al. 2012).",
    .params = params,
    .knobs = knobs,
    .events = events,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .declare = declare,
    .plan = plan,
    .plan_free = plan_free,
    .open = open,
    .close = close,
    .event = event,
    .moment = moment,
    .changed = changed,
    .served = served,
    .dropped = dropped,
    .end = end};
