/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threshold contagion (complex contagion): an entity becomes active once enough of its contacts are.
 *
 * Entity v hears  a(v) = sum over active contacts u of  weight * strength * m_layer * m_source  and takes part when
 *     a(v) >= threshold(v) * k(v) / m_target,   k(v) = sum over all contacts of  weight * strength,
 * and goes on to hold for `delay` (Watts 2002; Gleeson & Cahalane 2007; by count, not share: Centola & Macy 2007).
 * Multipliers act on what is heard at that moment; if a(v) falls below before the delay is over, the decision is off.
 *
 * Where no weight or multiplier is a fraction, a(v) and k(v) are whole numbers, which doubles hold exactly, and the
 * product with the threshold is taken as reached within a part in 1e9: so 3 of 10 reach 30 %, whatever 0.3 is in
 * binary, and 1 of 3 reaches 33.3333333333 %. Thresholds and delays are named by the entity and its stay. */
#include "models/hazards/hazard.h"
#include <string.h>

enum { INACTIVE, ACTIVE, FORMER };
enum { ACTIVATE, STOP, TRANSITIONS };
enum { KNOB_INFECTIVITY, KNOB_SUSCEPTIBILITY, KNOB_LAYER };
enum { EV_ACTIVATE };
#define SLACK 1e-9 /* of a threshold, relative */

/* ---- parameters ----------------------------------------------------------------------------------------------------
 */

static const struct sim_param strength_entry[] = {{.name = "strength",
                                                   .kind = SIM_QUANTITY,
                                                   .unit = "1",
                                                   .min = 0,
                                                   .max = 1000,
                                                   .doc = "Weight of a contact on this layer."},
                                                  {.name = NULL}};
static const struct sim_param initial_params[] = {{.name = "active",
                                                   .kind = SIM_QUANTITY,
                                                   .unit = "1",
                                                   .fallback = "0 %",
                                                   .max = 1,
                                                   .doc = "Share of the population that is active at the start."},
                                                  {.name = NULL}};
static const struct sim_param params[] = {
    {.name = "layer",
     .kind = SIM_REF,
     .flags = SIM_LIST | SIM_REQUIRED,
     .refers = "layer",
     .doc = "Layers of contacts, all over the same population, not homogeneous; over a directed edge u>v, v heeds u."},
    {.name = "threshold",
     .kind = SIM_LAW_CALL,
     .unit = "1",
     .flags = SIM_REQUIRED,
     .doc = "How many of its contacts must be active before an entity becomes active (of weights, where edges have "
            "them), at least one; a law gives everyone a threshold of their own, drawn for each replicate."},
    {.name = "by",
     .kind = SIM_CHOICE,
     .choices = "share count",
     .fallback = "share",
     .doc = "share: the threshold is a share of all contacts (Watts 2002). count: a number of contacts (Centola & Macy "
            "2007)."},
    {.name = "delay",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .fallback = "1 days",
     .doc = "Time for which the threshold must be reached before the entity becomes active; 0 days: at once."},
    {.name = "lasts",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .doc = "Time for which an entity is active. Without it for ever, or until a service completes `stop`."},
    {.name = "strength",
     .kind = SIM_NAMES,
     .fields = strength_entry,
     .refers = "layer",
     .doc = "Weights of contacts, by layer. Default 100 %."},
    {.name = "initial",
     .kind = SIM_FIELDS,
     .fields = initial_params,
     .doc = "Who is active at the start, besides the seeds of incidents; who, is drawn for each replicate."},
    {.name = NULL}};

static const struct sim_state_desc states[] = {{"inactive", 1, "Has not taken part."},
                                               {"active", 1, "Takes part, which its contacts see."},
                                               {"former", 1, "Took part and does no more."},
                                               {NULL, 0, NULL}};
static const struct sim_knob knobs[] = {
    {"infectivity", SIM_SCOPE_ENTITY, 0, 100, "Multiplies how much an active entity counts for its contacts."},
    {"susceptibility", SIM_SCOPE_ENTITY, 0, 100, "Divides an entity's threshold; 0: it never becomes active."},
    {"layer", SIM_SCOPE_LAYER, 0, 100, "Multiplies how much active entities count over a layer."},
    {NULL, SIM_SCOPE_WHOLE, 0, 0, NULL}};
static const struct sim_event_desc events[] = {{"activate", SIM_PHASE_TRANSMIT}, {NULL, SIM_PHASE_TRANSMIT}};

/* ---- planning ------------------------------------------------------------------------------------------------------
 */

struct plan {
  struct hazard_layer *layer;
  unsigned layers;
  uint32_t population, initial;
  bool count; /* thresholds are numbers of contacts */
  struct sim_law threshold, delay, lasts;
  uint32_t threshold_purpose, delay_purpose, initial_purpose;
};

static int plan_laws(struct sim_builder *b, struct sim_instance *self, struct plan *p) {
  struct sim_diag *diag = sim_builder_diag(b);
  const struct sim_value *lasts = sim_value_get(self->params, "lasts");
  p->count = strcmp(sim_value_text(self->params, "by"), "count") == 0;
  int ret = sim_law_init(&p->threshold, sim_value_get(self->params, "threshold"), diag);
  if (!ret) ret = sim_law_init(&p->delay, sim_value_get(self->params, "delay"), diag);
  if (!ret && lasts->form != SIM_ABSENT) ret = sim_law_init(&p->lasts, lasts, diag);
  return ret;
}

static int declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  int ret = hazard_layers_init(b, self, &p->layer, &p->layers, &p->population);
  if (!ret) ret = plan_laws(b, self, p);
  if (ret) return ret;
  for (unsigned l = 0; l < p->layers; l++)
    if (p->layer[l].mixing)
      return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path,
                          "a threshold counts contacts: layer %s is homogeneous and has none",
                          sim_builder_layer(b, p->layer[l].layer)->name);
  p->initial = hazard_initial_count(b, self, p->population, "active");
  bool ends = sim_value_has(self->params, "lasts");
  const struct sim_transition transition[TRANSITIONS] = {
      [ACTIVATE] = {"activate", INACTIVE, ACTIVE, NULL, -1},
      [STOP] = {"stop", ACTIVE, FORMER, ends ? &p->lasts : NULL, -1}};
  return hazard_machine(b, self, p->population, ACTIVE, transition, TRANSITIONS);
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  p->threshold_purpose = sim_builder_purpose(b, self, "threshold");
  p->delay_purpose = sim_builder_purpose(b, self, "delay");
  p->initial_purpose = sim_builder_purpose(b, self, "initial");
  sim_builder_watch(b, self, self->machine, SIM_NONE);
  return 0;
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_law_free(&p->threshold);
  sim_law_free(&p->delay);
  sim_law_free(&p->lasts);
  sim_free(p->layer);
}

/* ---- running -------------------------------------------------------------------------------------------------------
 */

struct entity {
  double heard;  /* of active contacts */
  double needed; /* for its threshold; 0: not yet taken */
  sim_handle pending;
  bool touched;
};
struct threshold {
  const struct plan *plan;
  struct entity *entity;        /* [size] */
  uint32_t *touched, touched_n; /* [size] */
  uint32_t *order;              /* [size] for the draw of initial states, or NULL */
};

static void touch(struct threshold *s, uint32_t v) {
  if (s->entity[v].touched) return;
  s->entity[v].touched = true;
  s->touched[s->touched_n++] = v;
}

/* What v must hear, from its own threshold; +inf: more than there can be. */
static double needed_by(const struct sim_run *run, const struct sim_instance *self, const struct plan *p, uint32_t v) {
  double all = p->count ? 1 : 0;
  for (unsigned l = 0; l < p->layers && !p->count; l++) {
    const struct sim_graph *g = sim_run_graph(run, p->layer[l].layer);
    double sum = (double)(g->in_row[v + 1] - g->in_row[v]);
    if (g->in_weight) sum = 0;
    for (uint64_t e = g->in_row[v]; g->in_weight && e < g->in_row[v + 1]; e++) sum += (double)g->in_weight[e];
    all += p->layer[l].strength * sum;
  }
  double e = sim_rng_exponential(sim_run_rng(run), p->threshold_purpose, v, 0, 0);
  double receptive = sim_factor(run, self, KNOB_SUSCEPTIBILITY, v);
  double needed = receptive > 0 ? sim_law_inverse(&p->threshold, e) * all / receptive * (1 - SLACK) : HUGE_VAL;
  return needed > 0 ? needed : SLACK; /* at least one active contact */
}

/* Takes, or takes back, the decision of v to become active. */
static void review(struct sim_run *run, const struct sim_instance *self, struct threshold *s, uint32_t v) {
  const struct plan *p = s->plan;
  struct entity *x = &s->entity[v];
  bool decides = sim_state(run, self->machine, v) == INACTIVE && x->heard > SLACK;
  if (decides && !(x->needed > 0)) x->needed = needed_by(run, self, p, v);
  if (!decides || x->heard < x->needed) {
    sim_cancel(run, &x->pending);
  } else if (!x->pending) {
    uint32_t stay = sim_incarnation(run, self->machine, v);
    double days = sim_law_inverse(&p->delay, sim_rng_exponential(sim_run_rng(run), p->delay_purpose, v, stay, 0));
    sim_schedule(run, self, EV_ACTIVATE, v, 0, sim_ticks_add(sim_now(run), sim_ticks(days)), &x->pending);
  }
}

/* The contacts of u on layer l hear it `by` times a contact's weight more. */
static void tell(struct sim_run *run, const struct sim_instance *self, struct threshold *s, uint32_t u, unsigned l,
                 double by) {
  const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
  by *= s->plan->layer[l].strength;
  for (uint64_t e = g->row[u]; by != 0 && e < g->row[u + 1]; e++) {
    uint32_t v = g->to[e];
    touch(s, v);
    s->entity[v].heard += g->weight ? by * (double)g->weight[e] : by;
    review(run, self, s, v);
  }
}

static double layer_factor(const struct sim_run *run, const struct sim_instance *self, const struct plan *p,
                           unsigned l) {
  return sim_factor(run, self, KNOB_LAYER, p->layer[l].layer);
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  struct threshold *s = state;
  uint32_t u = c->entity;
  double voice = sim_factor(run, self, KNOB_INFECTIVITY, u) * ((c->to == ACTIVE) - (c->from == ACTIVE));
  touch(s, u);
  review(run, self, s, u);
  for (unsigned l = 0; l < s->plan->layers; l++) tell(run, self, s, u, l, voice * layer_factor(run, self, s->plan, l));
}

static void knob(struct sim_run *run, const struct sim_instance *self, void *state, unsigned which, uint32_t subject,
                 double before, double after) {
  struct threshold *s = state;
  const struct plan *p = s->plan;
  if (which == KNOB_SUSCEPTIBILITY) {
    s->entity[subject].needed = 0;
    if (s->entity[subject].touched) review(run, self, s, subject);
  } else if (which == KNOB_INFECTIVITY) {
    for (unsigned l = 0; sim_state(run, self->machine, subject) == ACTIVE && l < p->layers; l++)
      tell(run, self, s, subject, l, (after - before) * layer_factor(run, self, p, l));
  } else {
    uint32_t active = s->touched_n; /* those who hear of it now are not among them */
    for (unsigned l = 0; l < p->layers; l++)
      for (uint32_t i = 0; p->layer[l].layer == subject && i < active; i++)
        if (sim_state(run, self->machine, s->touched[i]) == ACTIVE)
          tell(run, self, s, s->touched[i], l,
               (after - before) * sim_factor(run, self, KNOB_INFECTIVITY, s->touched[i]));
  }
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  (void)state; /* what is pending still holds: else `review` would have cancelled it */
  sim_fire(run, self->machine, ev->entity, ACTIVATE);
}

/* ---- life ----------------------------------------------------------------------------------------------------------
 */

static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct threshold *s = state;
  const struct plan *p = s->plan = self->plan;
  uint32_t size = sim_run_population(run, p->population)->size;
  s->entity = sim_calloc(size + 1u, sizeof *s->entity);
  s->touched = sim_calloc(size + 1u, sizeof *s->touched);
  if (!s->entity || !s->touched) return SIM_ERR_MEMORY;
  return !p->initial || (s->order = hazard_initial_order(size)) ? 0 : SIM_ERR_MEMORY;
}

static void close(void *state) {
  struct threshold *s = state;
  sim_free(s->entity);
  sim_free(s->touched);
  sim_free(s->order);
}

static void begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct threshold *s = state;
  const struct plan *p = s->plan;
  uint32_t size = sim_run_population(run, p->population)->size;
  hazard_initial_draw(run, p->initial_purpose, s->order, size, p->initial);
  for (uint32_t i = 0; i < p->initial; i++) sim_move(run, self->machine, s->order[i], ACTIVE);
  hazard_initial_undo(run, p->initial_purpose, s->order, size, p->initial);
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct threshold *s = state;
  (void)run;
  (void)self;
  for (uint32_t i = 0; i < s->touched_n; i++) s->entity[s->touched[i]] = (struct entity){0};
  s->touched_n = 0;
}

const struct sim_model sim_model_threshold = {
    .name = "threshold",
    .section = "hazards",
    .doc = "Threshold contagion: an entity becomes active once a share, or a number, of its contacts is, and stays so "
           "(Watts 2002, A simple model of global cascades on random networks; Gleeson & Cahalane 2007; Centola & Macy "
           "2007).",
    .params = params,
    .states = states,
    .knobs = knobs,
    .events = events,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct threshold),
    .declare = declare,
    .plan = plan,
    .plan_free = plan_free,
    .open = open,
    .close = close,
    .begin = begin,
    .event = event,
    .changed = changed,
    .knob = knob,
    .end = end};
