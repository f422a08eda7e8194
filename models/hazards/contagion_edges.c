/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contagion over edges: when a source infects a target, and the least of these times for each target.
 *
 * The hot path is an infection: all edges of the new source are drawn at once, by names that hold the target's stay,
 * and the draws that cannot succeed before the source leaves are dropped by a comparison without a logarithm. While no
 * entity has returned to a susceptible state, every susceptible target is in stay 0, so memory of targets is touched
 * only for the draws that are left. */
#include "models/hazards/contagion_run.h"

#define STAY(incarnation) ((incarnation)&0x3fffff)

/* ---- the time of transmission over an edge --------------------------------------------------------------------- */

struct walk { /* back through one multiplier's history */
  double value;
  int64_t since;
  uint32_t older;
};

static struct walk walk_of(const struct contagion *s, enum contagion_knob knob, uint32_t subject) {
  uint32_t at = s->head[knob] ? s->head[knob][subject] : 0;
  if (!at) return (struct walk){1, -1, 0};
  const struct contagion_history *h = &s->history[at - 1];
  return (struct walk){h->value, h->tick, h->older};
}

static void walk_back(const struct contagion *s, struct walk *w) {
  if (!w->older) {
    *w = (struct walk){1, -1, 0};
    return;
  }
  const struct contagion_history *h = &s->history[w->older - 1];
  *w = (struct walk){h->value, h->tick, h->older};
}

/* Tick at which the integral from `start` of m(t) dH(t - entered) reaches `need`, if the multipliers stay as they are.
 */
static int64_t crossing(const struct contagion *s, uint32_t layer, uint32_t u, uint32_t v, int64_t entered,
                        int64_t start, double need) {
  const struct sim_law *law = &s->plan->law;
  if (!s->history_n) { /* as below with one stretch and no multipliers */
    double h = start == entered ? 0 : sim_law_hazard(law, sim_days(start - entered));
    return h == HUGE_VAL ? SIM_NEVER : sim_ticks_add(entered, sim_ticks(sim_law_inverse(law, h + need)));
  }
  struct walk w[4] = {walk_of(s, KNOB_INFECTIVITY, u), walk_of(s, KNOB_SUSCEPTIBILITY, v),
                      walk_of(s, KNOB_LAYER, layer), walk_of(s, KNOB_TRANSMISSION, 0)};
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
  double m = contagion_multiplier(s, layer, u, v);
  if (!(draw[0] < s->plan->probability * scale * m)) return SIM_NEVER;
  int64_t tick = sim_ticks_add(entered, sim_ticks(sim_law_inverse(&s->plan->law, -sim_log(draw[1]))));
  return tick < start ? SIM_NEVER : tick;
}

/* True if the hazard cannot reach this draw from `start` to `end`: see prepare. */
static bool too_late(const struct contagion *s, double d, double scale, int64_t start, int64_t end) {
  if (s->plan->law.kind != SIM_LAW_EXPONENTIAL || s->history_n || end == SIM_NEVER) return false;
  return (1 - d) * s->plan->law.mean > scale * (sim_days(end - start) + 1e-9) * (1 + 1e-9);
}

/* When u infects v over an edge of layer l, if nothing changes; SIM_NEVER if that is not before `before`, or if u
 * leaves its state first. e: -log of the edge's first uniform, or NULL to draw it. */
static int64_t edge_time(const struct sim_run *run, const struct contagion *s, unsigned l, uint32_t u, uint32_t v,
                         double weight, const double *e, int64_t before) {
  const struct contagion_plan *p = s->plan;
  const struct contagion_layer *layer = &p->layer[l];
  const struct sim_entity *from = &s->entity[u], *to = &s->entity[v];
  int64_t now = sim_now(run), exit = sim_expected_tick(from->exit, now), tick;
  int64_t start = from->entered > to->entered ? from->entered : to->entered;
  double scale = layer->strength * weight * p->infectivity[from->state] * p->susceptibility[to->state], draw[2];
  if (!e || p->attempt) sim_rng_edge(sim_run_rng(run), layer->purpose, u, v, from->incarnation, to->incarnation, draw);
  if (p->attempt) {
    tick = attempt(s, layer->layer, u, v, from->entered, start, scale, draw);
    if (tick < now) return SIM_NEVER; /* that try is over */
  } else {
    if (!(scale > 0)) return SIM_NEVER;
    if (!e && too_late(s, draw[0], scale, start, exit < before ? exit : before)) return SIM_NEVER;
    tick = crossing(s, layer->layer, u, v, from->entered, start, (e ? *e : -sim_log(draw[0])) / scale);
    if (tick < now) tick = now;
  }
  return tick > exit || tick >= before ? SIM_NEVER : tick;
}

/* ---- pending infections ----------------------------------------------------------------------------------------- */

void contagion_list(struct sim_run *run, struct contagion *s, uint32_t v) {
  if (s->node[v].listed) return;
  if (s->listed_n == s->listed_cap) {
    uint32_t *grown = sim_grow(s->listed, &s->listed_cap, s->listed_n + 1u, sizeof *grown);
    if (!grown) {
      sim_run_out_of_memory(run, "expected infections");
      return;
    }
    s->listed = grown;
  }
  s->listed[s->listed_n++] = v;
  s->node[v].listed = 1;
}

static void expect(struct sim_run *run, struct contagion *s, uint32_t v, uint32_t u, unsigned l, int64_t tick) {
  struct contagion_node *node = &s->node[v];
  contagion_list(run, s, v);
  node->source = u;
  node->stay = STAY(s->entity[u].incarnation);
  node->via = (uint8_t)l;
  sim_expect(run, s->agenda, v, tick);
}

void contagion_recompute(struct sim_run *run, struct contagion *s, uint32_t v) {
  int64_t best = SIM_NEVER;
  uint32_t from = SIM_NONE;
  unsigned via = 0;
  for (unsigned l = 0; l < s->plan->layers; l++) {
    if (s->plan->layer[l].mixing) continue;
    const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
    for (uint64_t e = g->in_row[v]; e < g->in_row[v + 1]; e++) {
      uint32_t u = g->from[e];
      if (!contagion_is_source(s, u)) continue;
      int64_t tick = edge_time(run, s, l, u, v, g->in_weight ? (double)g->in_weight[e] : 1, NULL, best);
      if (tick < best) {
        best = tick;
        from = u;
        via = l;
      }
    }
  }
  if (from == SIM_NONE)
    sim_expect(run, s->agenda, v, SIM_NEVER);
  else
    expect(run, s, v, from, via, best);
}

void contagion_infect(struct sim_run *run, struct contagion *s, uint32_t v) {
  const struct contagion_node *node = &s->node[v];
  if (contagion_is_source(s, node->source) && STAY(s->entity[node->source].incarnation) == node->stay)
    sim_move(run, s->machine, v, s->plan->infected[s->entity[v].state]);
  else
    contagion_recompute(run, s, v); /* the source left early: the next one */
}

/* ---- offers ----------------------------------------------------------------------------------------------------- */

struct source { /* on one layer */
  uint32_t u;
  unsigned l;
  const uint32_t *to;
  const float *weight; /* or NULL */
  uint32_t n;          /* edges of this part of the row */
  double least;        /* a draw below it comes to nothing */
  double scale;        /* of the hazard to the most susceptible, at weight 1 */
  bool plain;          /* a constant hazard from now to the exit, the same for all targets, that nothing multiplies */
  int64_t entered, exit;
};

/* The most that the hazard of an edge can add up to until u leaves or the run ends; with room for rounding. */
static double most_hazard(const struct sim_run *run, const struct contagion *s, const struct sim_graph *g,
                          const struct source *x) {
  double weight = g->weight ? 0 : 1;
  for (uint64_t e = g->row[x->u]; g->weight && e < g->row[x->u + 1]; e++)
    if ((double)g->weight[e] > weight) weight = (double)g->weight[e];
  int64_t end = x->exit < sim_horizon(run) ? x->exit : sim_horizon(run);
  double hazard = sim_law_hazard(&s->plan->law, sim_days(end - x->entered + 2));
  return weight > 0 ? x->scale * weight * s->bound * hazard * (1 + 1e-9) : 0;
}

/* What all edges of a source have in common. A draw d is hopeless where -log d >= 1 - d is more than the hazard can
 * come to, so it is dropped without a logarithm, and no outcome depends on that; the draws of tries are all looked at.
 */
static void prepare(const struct sim_run *run, const struct contagion *s, const struct sim_graph *g, struct source *x) {
  const struct contagion_plan *p = s->plan;
  const struct sim_entity *from = &s->entity[x->u];
  x->entered = from->entered;
  x->exit = sim_expected_tick(from->exit, sim_now(run));
  x->plain = p->law.kind == SIM_LAW_EXPONENTIAL && !p->attempt && !g->weight && !s->returned && !s->history_n &&
             !s->graded && x->entered == sim_now(run);
  x->scale = p->layer[x->l].strength * p->infectivity[from->state] * s->most;
  x->least = p->attempt ? 0 : 1 - most_hazard(run, s, g, x);
}

/* Names and draws: those of open targets with their stays, or of all while no stay but the first exists. */
static void draw_row(const struct sim_run *run, const struct contagion *s, const struct source *x,
                     struct sim_rng_kept *kept) {
  const struct sim_rng *rng = sim_run_rng(run);
  uint32_t purpose = s->plan->layer[x->l].purpose, stay_u = s->entity[x->u].incarnation;
  if (!s->returned) {
    sim_rng_edges(rng, purpose, x->u, stay_u, x->to, NULL, x->n, x->least, kept);
    return;
  }
  uint32_t to[SIM_RNG_ROW], stay[SIM_RNG_ROW], place[SIM_RNG_ROW + 1], open = 0;
  for (uint32_t i = 0; i < x->n; i++) {
    if (!s->node[x->to[i]].open) continue;
    place[open] = i;
    to[open] = x->to[i];
    stay[open++] = s->entity[x->to[i]].incarnation;
  }
  sim_rng_edges(rng, purpose, x->u, stay_u, to, stay, open, x->least, kept);
  for (uint32_t k = 0; k < kept->n; k++) kept->at[k] = place[kept->at[k]];
}

/* u's edge to v has the time `tick`. */
static void offer_to(struct sim_run *run, struct contagion *s, uint32_t u, unsigned l, uint32_t v, int64_t tick) {
  const struct contagion_node *node = &s->node[v];
  if (!node->open) return;
  if (node->source == u && node->via == l && node->pending != SIM_NEVER)
    contagion_recompute(run, s, v);
  else if (tick < node->pending)
    expect(run, s, v, u, l, tick);
}

void contagion_catch_up(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct contagion *s = state;
  struct contagion_offers *o = &s->offers;
  (void)self;
  if (s->entity[o->u].incarnation != o->stay) o->n = 0; /* the source is gone */
  for (uint32_t i = 0; i < o->n; i++) offer_to(run, s, o->u, o->l, o->to[i], o->tick[i]);
  o->n = 0;
}

/* The hot case: times follow from the draws alone, so memory of the targets is asked for here and looked at when the
 * next source comes, or the first of these times, whichever is earlier. Nothing can tell the difference: what becomes
 * of a target in between does not change these times, and whatever could change them makes the model catch up first. */
static void offer_later(struct sim_run *run, struct contagion *s, const struct source *x,
                        const struct sim_rng_kept *kept) {
  struct contagion_offers *o = &s->offers;
  o->u = x->u;
  o->stay = s->entity[x->u].incarnation;
  o->l = x->l;
  o->least = SIM_NEVER;
  for (uint32_t k = 0; k < kept->n; k++) { /* as edge_time has it, to the bit */
    int64_t tick = sim_ticks_add(x->entered, sim_ticks(s->plan->law.a * (-kept->draw[k] / x->scale)));
    if (tick > x->exit) continue;
    uint32_t v = x->to[kept->at[k]];
    __builtin_prefetch(&s->node[v], 1);
    o->to[o->n] = v;
    o->tick[o->n++] = tick;
    if (tick < o->least) o->least = tick;
  }
  if (o->n) sim_catch_up_by(run, s->self, o->least);
}

static void offer_now(struct sim_run *run, struct contagion *s, const struct source *x,
                      const struct sim_rng_kept *kept) {
  for (uint32_t k = 0; k < kept->n; k++) __builtin_prefetch(&s->node[x->to[kept->at[k]]], 1);
  for (uint32_t k = 0; k < kept->n; k++) {
    uint32_t place = kept->at[k], v = x->to[place];
    if (!s->node[v].open) continue;
    double e = -kept->draw[k], weight = x->weight ? (double)x->weight[place] : 1;
    offer_to(run, s, x->u, x->l, v, edge_time(run, s, x->l, x->u, v, weight, &e, SIM_NEVER));
  }
}

static void offer_part(struct sim_run *run, struct contagion *s, const struct source *x) {
  struct sim_rng_kept kept;
  contagion_catch_up(run, s->self, s);
  draw_row(run, s, x, &kept);
  sim_logs(kept.draw, kept.n);
  if (x->plain)
    offer_later(run, s, x, &kept);
  else
    offer_now(run, s, x, &kept);
}

void contagion_offer(struct sim_run *run, struct contagion *s, uint32_t u, unsigned l) {
  const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
  struct source x = {.u = u, .l = l};
  prepare(run, s, g, &x);
  for (uint64_t e = g->row[u]; e < g->row[u + 1]; e += SIM_RNG_ROW) {
    x.to = g->to + e;
    x.weight = g->weight ? g->weight + e : NULL;
    x.n = g->row[u + 1] - e < SIM_RNG_ROW ? (uint32_t)(g->row[u + 1] - e) : SIM_RNG_ROW;
    offer_part(run, s, &x);
  }
}

void contagion_offer_all(struct sim_run *run, struct contagion *s, uint32_t u) {
  for (unsigned l = 0; l < s->plan->layers; l++)
    if (!s->plan->layer[l].mixing) contagion_offer(run, s, u, l);
}

void contagion_foresee(const struct sim_run *run, const struct sim_instance *self, const void *state, uint32_t v,
                       unsigned stage) {
  const struct contagion *s = state;
  (void)self;
  if (stage == 0) {
    sim_foresee_move(run, s->machine, v);
    __builtin_prefetch(&s->entity[s->node[v].source]);
  }
  for (unsigned l = 0; l < s->plan->layers; l++) {
    if (s->plan->layer[l].mixing) continue;
    const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
    if (stage == 0) {
      __builtin_prefetch(&g->row[v]);
      continue;
    }
    const uint32_t *to = g->to + g->row[v];
    __builtin_prefetch(to);
    __builtin_prefetch(to + 16);
  }
}
