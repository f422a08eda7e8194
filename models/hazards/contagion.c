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
 * is noticed when the event fires. Edges: contagion_edges.c; what a source offers over them: contagion_offers.c;
 * homogeneous layers: contagion_mixing.c. */
#include "models/hazards/contagion_run.h"

static void list_source(struct contagion *s, uint32_t u) {
  if (!s->place) return;
  s->place[u] = s->infectious_n;
  s->infectious[s->infectious_n++] = u;
}
static void unlist_source(struct contagion *s, uint32_t u) {
  if (!s->place) return;
  uint32_t last = s->infectious[--s->infectious_n];
  s->infectious[s->place[u]] = last;
  s->place[last] = s->place[u];
}

/* v becomes susceptible, or is so no longer. */
static void set_open(struct sim_run *run, struct contagion *s, uint32_t v, bool open) {
  contagion_list(run, s, v);
  s->node[v].open = open;
  s->returned += open;
  if (open)
    contagion_recompute(run, s, v);
  else if (s->node[v].pending != SIM_NEVER)
    sim_expect(run, s->agenda, v, SIM_NEVER);
}

static void contagion_changed(struct sim_run *run, const struct sim_instance *self, void *state,
                              const struct sim_change *c) {
  struct contagion *s = state;
  const struct contagion_plan *p = s->plan;
  if (c->machine != s->machine) return;
  if (p->infectivity[c->from] > 0) {
    unlist_source(s, c->entity);
    s->unsure |= !c->planned;
    if (s->mixing) contagion_stop_contacts(run, s, c->entity);
  }
  if (p->susceptibility[c->from] > 0 || p->susceptibility[c->to] > 0)
    set_open(run, s, c->entity, p->susceptibility[c->to] > 0);
  if (p->infectivity[c->to] > 0) {
    list_source(s, c->entity);
    contagion_offer_all(run, s, c->entity, true);
    if (s->mixing) contagion_start_contacts(run, self, s, c->entity);
  }
}

static void contagion_event(struct sim_run *run, const struct sim_instance *self, void *state,
                            const struct sim_event *ev) {
  if (ev->kind == EV_CONTACT)
    contagion_meet(run, self, state, ev);
  else
    contagion_infect(run, state, ev->entity);
}

static void remember(struct sim_run *run, struct contagion *s, unsigned knob, uint32_t subject, double value) {
  if (s->history_n == s->history_cap) {
    struct contagion_history *grown = sim_grow(s->history, &s->history_cap, s->history_n + 1u, sizeof *grown);
    if (!grown) {
      sim_run_out_of_memory(run, "the history of multipliers");
      return;
    }
    s->history = grown;
  }
  if (knob == KNOB_SUSCEPTIBILITY) {
    s->node[subject].varied = 1;
    s->node[subject].shut = !(value > 0);
  }
  s->history[s->history_n] = (struct contagion_history){sim_now(run), value, s->head[knob][subject], knob, subject};
  s->head[knob][subject] = ++s->history_n;
}

static void contagion_knob(struct sim_run *run, const struct sim_instance *self, void *state, unsigned knob,
                           uint32_t subject, double before, double after) {
  struct contagion *s = state;
  (void)before;
  (void)self;
  remember(run, s, knob, subject, after);
  if (sim_run_failed(run)) return;
  if (knob == KNOB_INFECTIVITY) {
    if (contagion_is_source(s, subject)) contagion_offer_all(run, s, subject, false);
  } else if (knob == KNOB_SUSCEPTIBILITY) {
    if (s->node[subject].open) contagion_recompute(run, s, subject);
  } else
    for (uint32_t i = 0; i < s->infectious_n; i++)
      for (unsigned l = 0; l < s->plan->layers; l++)
        if (!s->plan->layer[l].mixing && (knob == KNOB_TRANSMISSION || s->plan->layer[l].layer == subject))
          contagion_offer(run, s, s->infectious[i], l, false);
}

/* ---- life ----------------------------------------------------------------------------------------------------------
 */

static void contagion_close(void *state) {
  struct contagion *s = state;
  sim_touched_free(&s->touched);
  void *arrays[] = {s->node,  s->ahead,   s->infectious, s->place,   s->history, s->contact,
                    s->order, s->head[0], s->head[1],    s->head[2], s->head[3]};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) sim_free(arrays[i]);
}

static struct contagion_node node_at_rest(const struct contagion_plan *p) {
  return (struct contagion_node){.pending = SIM_NEVER, .source = SIM_NONE, .open = p->susceptibility[p->rest] > 0};
}

static void reset_nodes(struct contagion *s) {
  for (uint32_t k = 0; k < sim_touched_count(&s->touched); k++)
    s->node[sim_touched_at(&s->touched, k)] = node_at_rest(s->plan);
  sim_touched_clear(&s->touched);
}

static int open_nodes(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t size) {
  if (!(s->node = sim_calloc(size + 1u, sizeof *s->node))) return SIM_ERR_MEMORY;
  if (!(s->ahead = sim_calloc(s->plan->layers + 1u, sizeof *s->ahead))) return SIM_ERR_MEMORY;
  s->touched.size = size;
  s->touched.all = true;
  reset_nodes(s);
  if (s->plan->timed) sim_foresee_all_exits(run, self);
  return sim_agenda_open(run, self, EV_INFECT, &s->node->pending, sizeof *s->node, &s->agenda);
}

/* Histories of the knobs that something may turn, and the list of sources if all of a layer's may change at once. */
static int open_knobs(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t size) {
  uint32_t subjects[4] = {size, size, s->plan->world_layers, 1};
  for (unsigned k = 0; k < 4; k++)
    if (sim_factor_varies(run, self, k) && !(s->head[k] = sim_calloc(subjects[k] + 1u, sizeof *s->head[k])))
      return SIM_ERR_MEMORY;
  if (!s->head[KNOB_LAYER] && !s->head[KNOB_TRANSMISSION]) return 0;
  s->infectious = sim_calloc(size + 1u, sizeof *s->infectious);
  s->place = sim_calloc(size + 1u, sizeof *s->place);
  return s->infectious && s->place ? 0 : SIM_ERR_MEMORY;
}

static void find_bounds(struct sim_run *run, const struct sim_instance *self, struct contagion *s) {
  const struct contagion_plan *p = s->plan;
  for (unsigned i = 0; i < p->states; i++)
    if (p->susceptibility[i] > s->most) s->most = p->susceptibility[i];
  for (unsigned i = 0; i < p->states; i++) s->graded |= p->susceptibility[i] > 0 && p->susceptibility[i] < s->most;
  s->bound = 1;
  for (unsigned k = 0; k < 4; k++) s->bound *= sim_factor_bound(run, self, k);
}

static int contagion_open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct contagion *s = state;
  const struct contagion_plan *p = s->plan = self->plan;
  uint32_t size = sim_run_population(run, p->population)->size;
  s->self = self;
  s->machine = self->machine;
  s->entity = sim_entities(run, self->machine);
  find_bounds(run, self, s);
  int ret = open_nodes(run, self, s, size);
  if (!ret) ret = open_knobs(run, self, s, size);
  if (!ret && p->initial_total) {
    if (!(s->order = sim_calloc(size, sizeof *s->order))) return SIM_ERR_MEMORY;
    for (uint32_t i = 0; i < size; i++) s->order[i] = i;
  }
  return ret ? ret : contagion_open_mixing(s, size);
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

/* What was drawn ahead in the run before. */
static void forget(struct contagion *s) {
  for (unsigned l = 0; l < s->plan->layers; l++) {
    struct contagion_ahead *a = &s->ahead[l];
    a->drawn = a->oldest = a->next = 0;
    for (unsigned k = 0; k < CONTAGION_BATCHES; k++) a->batch[k].rows = 0;
  }
}

static void contagion_end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct contagion *s = state;
  (void)run;
  (void)self;
  for (uint32_t i = 0; i < s->history_n; i++) {
    const struct contagion_history *h = &s->history[i];
    s->head[h->knob][h->subject] = 0;
    if (h->knob == KNOB_SUSCEPTIBILITY) s->node[h->subject] = node_at_rest(s->plan);
  }
  reset_nodes(s);
  forget(s);
  s->returned = 0;
  s->unsure = false;
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
    .foresee = contagion_foresee,
    .changed = contagion_changed,
    .knob = contagion_knob,
    .end = contagion_end};
