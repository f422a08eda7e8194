/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Declared-state contagion on contact layers, exact under intervention.
 *
 * A target v in a susceptible state is infected by a source u in an infectious state over an edge when
 *     integral of  strength * infectivity * susceptibility * weight * m_layer(t) m_source(t) m_target(t)  dH(age of u)
 * since both became eligible reaches E, a standard exponential keyed by the edge, the stay of u and the stay of v. H is
 * the cumulative hazard of the transmission law in the age of u's present stay; multipliers m scale the hazard and
 * never stop the age (Sellke 1983; Anderson 2007, next reaction). The integral is always taken from the histories of
 * the multipliers, never from a running sum, so a time does not depend on how often it was computed.
 *
 * One event is pending for each target: the least time over its sources on all layers. A change of m_target recomputes
 * the target; of m_source, its out-neighbours; of a layer, the targets of all sources on it. A source that leaves early
 * is noticed when the event fires. Homogeneous layers: each source makes contacts at its own keyed times with uniform
 * partners, thinned by the multipliers; a bound above 1 adds further processes, so it renames no draw. */
#include "models/hazards/contagion.h"

enum { EV_INFECT, EV_CONTACT };

struct history { /* of a multiplier: from `tick` on it is `value`; newest first */
  int64_t tick;
  double value;
  uint32_t older; /* place + 1 in the pool, or 0 */
  uint32_t knob, subject;
};

struct contact { /* one contact process of a source on a homogeneous layer */
  double sum;    /* of the exponentials so far */
  uint32_t n;
  sim_handle pending;
};

struct contagion {
  const struct contagion_plan *plan;
  bool memoryless;                /* the law's hazard is constant */
  sim_handle *pending;            /* [size] */
  uint32_t *source, *source_stay; /* [size] of the pending event */
  uint8_t *via;                   /* [size] layer of the pending event */
  uint32_t *infectious, *place;   /* [size] sources now, and where each stands in that list */
  uint32_t infectious_n;
  uint32_t *head[4]; /* per knob: newest history of each subject, or NULL where nothing modifies it */
  struct history *history;
  uint32_t history_n;
  size_t history_cap;
  struct contact *contact; /* [size][mixing layers][processes] */
  unsigned mixing, processes;
  uint32_t *order; /* [size] for the draw of initial states, or NULL */
};

/* ---- the time of transmission over an edge ------------------------------------------------------------------------
 */

struct walk { /* back through one multiplier's history */
  double value;
  int64_t since;
  uint32_t older;
};

static struct walk walk_of(const struct contagion *s, enum contagion_knob knob, uint32_t subject) {
  uint32_t at = s->head[knob] ? s->head[knob][subject] : 0;
  if (!at) return (struct walk){1, -1, 0};
  const struct history *h = &s->history[at - 1];
  return (struct walk){h->value, h->tick, h->older};
}

static void walk_back(const struct contagion *s, struct walk *w) {
  if (!w->older) {
    *w = (struct walk){1, -1, 0};
    return;
  }
  const struct history *h = &s->history[w->older - 1];
  *w = (struct walk){h->value, h->tick, h->older};
}

/* Tick at which the integral from `start` of m(t) dH(t - entered) reaches `need`, if the multipliers stay as they are.
 */
static int64_t crossing(const struct contagion *s, uint32_t layer, uint32_t u, uint32_t v, int64_t entered,
                        int64_t start, double need) {
  struct walk w[4] = {walk_of(s, KNOB_INFECTIVITY, u), walk_of(s, KNOB_SUSCEPTIBILITY, v),
                      walk_of(s, KNOB_LAYER, layer), walk_of(s, KNOB_TRANSMISSION, 0)};
  const struct sim_law *law = &s->plan->law;
  double done = 0, m_last = 0, h_last = 0, h_next = 0;
  for (bool first = true;; first = false) {
    int64_t since = start;
    for (int k = 0; k < 4; k++)
      if (w[k].since > since) since = w[k].since;
    double m = w[0].value * w[1].value * w[2].value * w[3].value;
    double h = since == entered ? 0 : sim_law_hazard(law, sim_days(since - entered));
    if (first) {
      m_last = m;
      h_last = h;
    } else if (m > 0)
      done += m * (h_next - h);
    h_next = h;
    if (since == start) break;
    for (int k = 0; k < 4; k++)
      if (w[k].since == since) walk_back(s, &w[k]);
  }
  if (!(m_last > 0) || h_last == HUGE_VAL) return SIM_NEVER; /* closed now, or all of the hazard is past */
  double left = need - done;
  return sim_ticks_add(entered, sim_ticks(sim_law_inverse(law, h_last + (left > 0 ? left / m_last : 0))));
}

/* One try, after a delay; multipliers act on its probability, as they are now. */
static int64_t attempt(const struct contagion *s, uint32_t layer, uint32_t u, uint32_t v, int64_t entered,
                       int64_t start, double scale, const double draw[2]) {
  double m = walk_of(s, KNOB_INFECTIVITY, u).value * walk_of(s, KNOB_SUSCEPTIBILITY, v).value *
             walk_of(s, KNOB_LAYER, layer).value * walk_of(s, KNOB_TRANSMISSION, 0).value;
  if (!(draw[0] < s->plan->probability * scale * m)) return SIM_NEVER;
  int64_t tick = sim_ticks_add(entered, sim_ticks(sim_law_inverse(&s->plan->law, -sim_log(draw[1]))));
  return tick < start ? SIM_NEVER : tick;
}

/* True if a constant hazard of `scale` times the law's cannot transmit from `start` to `end`: draws are compared
 * without their logarithm (-log d >= 1 - d), with room for the rounding of ticks, so that no outcome depends on this
 * test. */
static bool too_late(const struct contagion *s, double d, double scale, int64_t start, int64_t end) {
  if (!s->memoryless || s->history_n || end == SIM_NEVER) return false;
  return (1 - d) * s->plan->law.mean > scale * (sim_days(end - start) + 1e-9) * (1 + 1e-9);
}

/* When u infects v over an edge of layer l, if nothing changes; SIM_NEVER if that is not before `before`, or if u
 * leaves its state first. */
static int64_t edge_time(const struct sim_run *run, uint32_t machine, const struct contagion *s, unsigned l, uint32_t u,
                         uint32_t v, double weight, int64_t before) {
  const struct contagion_plan *p = s->plan;
  const struct contagion_layer *layer = &p->layer[l];
  int64_t entered = sim_entered(run, machine, u), since = sim_entered(run, machine, v);
  int64_t start = entered > since ? entered : since, exit = sim_planned_exit(run, machine, u), tick;
  double scale = layer->strength * weight * p->infectivity[sim_state(run, machine, u)] *
                 p->susceptibility[sim_state(run, machine, v)];
  double draw[2];
  sim_rng_edge(sim_run_rng(run), layer->purpose, u, v, sim_incarnation(run, machine, u),
               sim_incarnation(run, machine, v), draw);
  if (p->attempt) {
    tick = attempt(s, layer->layer, u, v, entered, start, scale, draw);
    if (tick < sim_now(run)) return SIM_NEVER; /* that try is over */
  } else {
    if (!(scale > 0) || too_late(s, draw[0], scale, start, exit < before ? exit : before)) return SIM_NEVER;
    tick = crossing(s, layer->layer, u, v, entered, start, -sim_log(draw[0]) / scale);
    if (tick < sim_now(run)) tick = sim_now(run);
  }
  return tick > exit || tick >= before ? SIM_NEVER : tick;
}

/* ---- pending infections -------------------------------------------------------------------------------------------
 */

static void expect(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t v, uint32_t u,
                   unsigned l, int64_t tick) {
  s->source[v] = u;
  s->source_stay[v] = sim_incarnation(run, self->machine, u);
  s->via[v] = (uint8_t)l;
  sim_schedule(run, self, EV_INFECT, v, 0, tick, &s->pending[v]);
}

static bool is_source(const struct sim_run *run, const struct sim_instance *self, const struct contagion *s,
                      uint32_t u) {
  return s->plan->infectivity[sim_state(run, self->machine, u)] > 0;
}
static bool is_target(const struct sim_run *run, const struct sim_instance *self, const struct contagion *s,
                      uint32_t v) {
  return s->plan->susceptibility[sim_state(run, self->machine, v)] > 0;
}

/* The least time over all sources of v, from scratch. */
static void recompute(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t v) {
  int64_t best = SIM_NEVER;
  uint32_t from = SIM_NONE;
  unsigned via = 0;
  for (unsigned l = 0; l < s->plan->layers; l++) {
    if (s->plan->layer[l].mixing) continue;
    const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
    for (uint64_t e = g->in_row[v]; e < g->in_row[v + 1]; e++) {
      uint32_t u = g->from[e];
      if (!is_source(run, self, s, u)) continue;
      int64_t tick = edge_time(run, self->machine, s, l, u, v, g->in_weight ? (double)g->in_weight[e] : 1, best);
      if (tick < best) {
        best = tick;
        from = u;
        via = l;
      }
    }
  }
  if (from == SIM_NONE)
    sim_cancel(run, &s->pending[v]);
  else
    expect(run, self, s, v, from, via, best);
}

/* u's edges on layer l have a new time: keep the least. */
static void offer(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t u, unsigned l) {
  const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
  for (uint64_t e = g->row[u]; e < g->row[u + 1]; e++) {
    uint32_t v = g->to[e];
    if (!is_target(run, self, s, v)) continue;
    if (s->pending[v] && s->source[v] == u && s->via[v] == l) {
      recompute(run, self, s, v);
      continue;
    }
    int64_t pending = sim_scheduled(run, s->pending[v]);
    int64_t tick = edge_time(run, self->machine, s, l, u, v, g->weight ? (double)g->weight[e] : 1, pending);
    if (tick < pending) expect(run, self, s, v, u, l, tick);
  }
}

static void offer_all(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t u) {
  for (unsigned l = 0; l < s->plan->layers; l++)
    if (!s->plan->layer[l].mixing) offer(run, self, s, u, l);
}

/* ---- homogeneous layers -------------------------------------------------------------------------------------------
 */

static struct contact *contact_of(const struct contagion *s, uint32_t u, unsigned mix, unsigned process) {
  return &s->contact[((size_t)u * s->mixing + mix) * s->processes + process];
}

static unsigned mixing_layer(const struct contagion_plan *p, unsigned mix) {
  unsigned l = 0;
  for (;; l++)
    if (p->layer[l].mixing && mix-- == 0) return l;
}

/* n of a contact's draws: the process above, the contact below. Words 0, 1: time; 2: partner; 3: acceptance. */
static uint32_t contact_name(unsigned process, uint32_t n) {
  return process << 24 | n;
}

/* Schedules the next contact of u: its n-th comes when H(age) reaches the sum of n exponentials over the rate. */
static void next_contact(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t u,
                         unsigned mix, unsigned process) {
  const struct contagion_plan *p = s->plan;
  const struct contagion_layer *layer = &p->layer[mixing_layer(p, mix)];
  struct contact *c = contact_of(s, u, mix, process);
  c->sum += sim_rng_exponential(sim_run_rng(run), layer->purpose, u, sim_incarnation(run, self->machine, u),
                                contact_name(process, c->n));
  double rate = layer->contacts * layer->strength * p->infectivity[sim_state(run, self->machine, u)];
  int64_t tick = sim_ticks_add(sim_entered(run, self->machine, u), sim_ticks(sim_law_inverse(&p->law, c->sum / rate)));
  if (tick < sim_now(run)) tick = sim_now(run);
  if (tick > sim_planned_exit(run, self->machine, u)) tick = SIM_NEVER;
  sim_schedule(run, self, EV_CONTACT, u, mix << 8 | process, tick, &c->pending);
}

static void start_contacts(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t u) {
  for (unsigned m = 0; m < s->mixing; m++)
    for (unsigned k = 0; k < s->processes; k++) {
      struct contact *c = contact_of(s, u, m, k);
      c->sum = 0;
      c->n = 0;
      next_contact(run, self, s, u, m, k);
    }
}

static void stop_contacts(struct sim_run *run, struct contagion *s, uint32_t u) {
  for (unsigned i = 0; i < s->mixing * s->processes; i++)
    sim_cancel(run, &s->contact[(size_t)u * s->mixing * s->processes + i].pending);
}

/* u meets a partner: process k accepts the part of the multiplier between k and k + 1. */
static void meet(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t u, unsigned mix,
                 unsigned process) {
  const struct contagion_plan *p = s->plan;
  const struct contagion_layer *layer = &p->layer[mixing_layer(p, mix)];
  uint32_t size = sim_run_population(run, p->population)->size, block[4];
  struct contact *c = contact_of(s, u, mix, process);
  sim_rng_block(sim_run_rng(run), layer->purpose, u, sim_incarnation(run, self->machine, u),
                contact_name(process, c->n), block);
  uint32_t v = (uint32_t)((uint64_t)block[2] * (size - 1) >> 32);
  if (v >= u) v++;
  double m = p->susceptibility[sim_state(run, self->machine, v)];
  if (m > 0) {
    m *= walk_of(s, KNOB_INFECTIVITY, u).value * walk_of(s, KNOB_SUSCEPTIBILITY, v).value *
         walk_of(s, KNOB_LAYER, layer->layer).value * walk_of(s, KNOB_TRANSMISSION, 0).value;
    if (m > s->processes)
      sim_run_fail(run, "%s: a multiplier of %g is too large for a homogeneous layer", self->path, m);
    if (((double)block[3] + 0.5) * 0x1p-32 < m - process)
      sim_move(run, self->machine, v, p->infected[sim_state(run, self->machine, v)]);
  }
  c->n++;
  if (c->n == 1u << 24)
    sim_run_fail(run, "%s: more than 16 million contacts in one stay of entity %u", self->path, u);
  else
    next_contact(run, self, s, u, mix, process);
}

/* ---- callbacks -----------------------------------------------------------------------------------------------------
 */

static void contagion_event(struct sim_run *run, const struct sim_instance *self, void *state,
                            const struct sim_event *ev) {
  struct contagion *s = state;
  if (ev->kind == EV_CONTACT) {
    meet(run, self, s, ev->entity, ev->n >> 8, ev->n & 0xff);
    return;
  }
  uint32_t v = ev->entity, u = s->source[v];
  if (is_source(run, self, s, u) && sim_incarnation(run, self->machine, u) == s->source_stay[v])
    sim_move(run, self->machine, v, s->plan->infected[sim_state(run, self->machine, v)]);
  else
    recompute(run, self, s, v); /* the source left early: the next one */
}

static void list_source(struct contagion *s, uint32_t u) {
  s->place[u] = s->infectious_n;
  s->infectious[s->infectious_n++] = u;
}
static void unlist_source(struct contagion *s, uint32_t u) {
  uint32_t last = s->infectious[--s->infectious_n];
  s->infectious[s->place[u]] = last;
  s->place[last] = s->place[u];
}

static void contagion_changed(struct sim_run *run, const struct sim_instance *self, void *state,
                              const struct sim_change *c) {
  struct contagion *s = state;
  const struct contagion_plan *p = s->plan;
  if (c->machine != self->machine) return;
  if (p->infectivity[c->from] > 0) {
    unlist_source(s, c->entity);
    stop_contacts(run, s, c->entity);
  }
  if (p->susceptibility[c->to] > 0)
    recompute(run, self, s, c->entity);
  else
    sim_cancel(run, &s->pending[c->entity]);
  if (p->infectivity[c->to] > 0) {
    list_source(s, c->entity);
    offer_all(run, self, s, c->entity);
    start_contacts(run, self, s, c->entity);
  }
}

static void remember(struct sim_run *run, struct contagion *s, unsigned knob, uint32_t subject, double value) {
  struct history *grown = sim_grow(s->history, &s->history_cap, s->history_n + 1u, sizeof *grown);
  if (!grown) {
    sim_run_fail(run, "out of memory for the history of multipliers");
    return;
  }
  s->history = grown;
  s->history[s->history_n] = (struct history){sim_now(run), value, s->head[knob][subject], knob, subject};
  s->head[knob][subject] = ++s->history_n;
}

static void contagion_knob(struct sim_run *run, const struct sim_instance *self, void *state, unsigned knob,
                           uint32_t subject, double before, double after) {
  struct contagion *s = state;
  (void)before;
  remember(run, s, knob, subject, after);
  if (sim_run_failed(run)) return;
  if (knob == KNOB_INFECTIVITY) {
    if (is_source(run, self, s, subject)) offer_all(run, self, s, subject);
  } else if (knob == KNOB_SUSCEPTIBILITY) {
    if (is_target(run, self, s, subject)) recompute(run, self, s, subject);
  } else
    for (uint32_t i = 0; i < s->infectious_n; i++)
      for (unsigned l = 0; l < s->plan->layers; l++)
        if (!s->plan->layer[l].mixing && (knob == KNOB_TRANSMISSION || s->plan->layer[l].layer == subject))
          offer(run, self, s, s->infectious[i], l);
}

/* ---- life ----------------------------------------------------------------------------------------------------------
 */

static void contagion_close(void *state) {
  struct contagion *s = state;
  void *arrays[] = {s->pending, s->source, s->source_stay, s->via,     s->infectious, s->place,  s->history,
                    s->contact, s->order,  s->head[0],     s->head[1], s->head[2],    s->head[3]};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) sim_free(arrays[i]);
}

static int open_mixing(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t size) {
  double bound = 1, most = 0;
  for (unsigned l = 0; l < s->plan->layers; l++) s->mixing += s->plan->layer[l].mixing;
  if (size < 2) s->mixing = 0; /* nobody to meet */
  if (!s->mixing) return 0;
  for (unsigned i = 0; i < s->plan->states; i++)
    if (s->plan->susceptibility[i] > most) most = s->plan->susceptibility[i];
  for (unsigned k = 0; k < 4; k++) bound *= sim_factor_bound(run, self, k);
  bound *= most;
  s->processes = bound > 1 ? (unsigned)ceil(bound < 15 ? bound : 15) : 1;
  s->contact = sim_calloc((size_t)size * s->mixing * s->processes, sizeof *s->contact);
  return s->contact ? 0 : SIM_ERR_MEMORY;
}

static int contagion_open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct contagion *s = state;
  const struct contagion_plan *p = s->plan = self->plan;
  s->memoryless = sim_law_is_memoryless(&p->law);
  uint32_t size = sim_run_population(run, p->population)->size;
  s->pending = sim_calloc(size, sizeof *s->pending);
  s->source = sim_calloc(size, sizeof *s->source);
  s->source_stay = sim_calloc(size, sizeof *s->source_stay);
  s->via = sim_calloc(size, sizeof *s->via);
  s->infectious = sim_calloc(size, sizeof *s->infectious);
  s->place = sim_calloc(size, sizeof *s->place);
  if (!s->pending || !s->source || !s->source_stay || !s->via || !s->infectious || !s->place) return SIM_ERR_MEMORY;
  uint32_t subjects[4] = {size, size, p->world_layers, 1};
  for (unsigned k = 0; k < 4; k++)
    if (sim_factor_varies(run, self, k) && !(s->head[k] = sim_calloc(subjects[k] + 1u, sizeof *s->head[k])))
      return SIM_ERR_MEMORY;
  if (p->initial_total) {
    if (!(s->order = sim_calloc(size, sizeof *s->order))) return SIM_ERR_MEMORY;
    for (uint32_t i = 0; i < size; i++) s->order[i] = i;
  }
  return open_mixing(run, self, s, size);
}

/* Puts exact numbers of entities, chosen by a keyed partial shuffle, into the initial states; undoes the shuffle. */
static void draw_initial(struct sim_run *run, const struct sim_instance *self, struct contagion *s) {
  const struct contagion_plan *p = s->plan;
  uint32_t size = sim_run_population(run, p->population)->size, i = 0;
  for (unsigned state = 0; state < p->states; state++)
    for (uint32_t k = 0; k < p->initial[state]; k++, i++) {
      uint32_t j = i + sim_rng_below(sim_run_rng(run), p->initial_purpose, i, 0, 0, size - i), chosen = s->order[j];
      s->order[j] = s->order[i];
      s->order[i] = chosen;
      sim_move(run, self->machine, chosen, (uint8_t)state);
    }
  for (uint32_t k = i; k-- > 0;) {
    uint32_t j = k + sim_rng_below(sim_run_rng(run), p->initial_purpose, k, 0, 0, size - k), chosen = s->order[j];
    s->order[j] = s->order[k];
    s->order[k] = chosen;
  }
}

static void contagion_begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct contagion *s = state;
  if (s->plan->initial_total) draw_initial(run, self, s);
}

static void contagion_end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct contagion *s = state;
  (void)run;
  (void)self;
  for (uint32_t i = 0; i < s->history_n; i++) s->head[s->history[i].knob][s->history[i].subject] = 0;
  s->history_n = 0;
  s->infectious_n = 0;
}

static const struct sim_knob knobs[] = {
    {"infectivity", SIM_SCOPE_ENTITY, 0, 100, "Multiplies the hazard from a source on all its edges."},
    {"susceptibility", SIM_SCOPE_ENTITY, 0, 100, "Multiplies the hazard to a target on all its edges."},
    {"layer", SIM_SCOPE_LAYER, 0, 100, "Multiplies the hazard on every edge of a layer."},
    {"transmission", SIM_SCOPE_WHOLE, 0, 100, "Multiplies the hazard everywhere."},
    {NULL, SIM_SCOPE_WHOLE, 0, 0, NULL}};
static const struct sim_event_desc events[] = {
    {"infect", SIM_PHASE_TRANSMIT}, {"contact", SIM_PHASE_TRANSMIT}, {NULL, SIM_PHASE_TRANSMIT}};

const struct sim_model sim_model_contagion = {
    .name = "contagion",
    .section = "hazards",
    .doc = "Contagion between entities in declared states over contact layers: SI, SIS, SIR, SEIR, SIRS and any other "
           "machine, with any law of dwell and of transmission (Kermack & McKendrick 1927; Sellke 1983).",
    .params = contagion_params,
    .knobs = knobs,
    .events = events,
    .plan_size = sizeof(struct contagion_plan),
    .state_size = sizeof(struct contagion),
    .declare = contagion_declare,
    .plan = contagion_plan,
    .plan_free = contagion_plan_free,
    .open = contagion_open,
    .close = contagion_close,
    .begin = contagion_begin,
    .event = contagion_event,
    .changed = contagion_changed,
    .knob = contagion_knob,
    .end = contagion_end};
