/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contagion over edges: when a source infects a target, and the least of these times for each target.
 *
 * The hot path is an infection: all edges of the new source are drawn at once, by names that hold the target's stay,
 * and the draws that cannot succeed before the source leaves are dropped by a comparison without a logarithm. What is
 * left is an offer; offers wait until memory of their targets has arrived, and those that cannot come before what their
 * target expects already are dropped by a comparison too. Only the rest have a logarithm taken and the law inverted,
 * many at a time. While no entity has returned to a susceptible state, every susceptible target is in stay 0, so memory
 * of targets is not needed for the draws. */
#include "models/hazards/contagion_run.h"
#include <string.h>

#define STAY(incarnation) ((incarnation)&0xfffff)

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
  s->node[v].listed = 1;
  if (!sim_touched_add(&s->touched, v)) sim_run_out_of_memory(run, "expected infections");
}

/* v is infected by u at `tick`, not later than u's exit, unless something comes between. */
static void expect(struct sim_run *run, struct contagion *s, uint32_t v, uint32_t u, uint32_t stay, unsigned l,
                   int64_t tick, int64_t exit) {
  struct contagion_node *node = &s->node[v];
  contagion_list(run, s, v);
  s->unsure |= tick == exit;
  node->source = u;
  node->stay = STAY(stay);
  node->via = (uint8_t)l;
  sim_expect(run, s->agenda, v, tick);
}

void contagion_recompute(struct sim_run *run, struct contagion *s, uint32_t v) {
  int64_t best = SIM_NEVER;
  uint32_t from = SIM_NONE;
  unsigned via = 0;
  for (unsigned l = 0; l < s->plan->layers && !s->node[v].shut; l++) {
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
    expect(run, s, v, from, s->entity[from].incarnation, via, best,
           sim_expected_tick(s->entity[from].exit, sim_now(run)));
}

/* While all sources have left by planned exits alone, and none at the very tick of an infection, the source is still
 * there: what is far in memory is not asked for. */
void contagion_infect(struct sim_run *run, struct contagion *s, uint32_t v) {
  const struct contagion_node *node = &s->node[v];
  if (!s->unsure || (contagion_is_source(s, node->source) && STAY(s->entity[node->source].incarnation) == node->stay))
    sim_move(run, s->machine, v, s->plan->infected[s->entity[v].state]);
  else
    contagion_recompute(run, s, v); /* the source left early: the next one */
}

/* ---- offers ----------------------------------------------------------------------------------------------------- */

/* A source's edge to v has the time `tick`. */
static void offer_to(struct sim_run *run, struct contagion *s, const struct contagion_source *x, uint32_t v,
                     int64_t tick) {
  const struct contagion_node *node = &s->node[v];
  if (node->source == x->u && node->via == x->l && node->pending != SIM_NEVER)
    contagion_recompute(run, s, v);
  else if (tick < node->pending)
    expect(run, s, v, x->u, x->stay, x->l, tick, x->exit);
}

/* A lower bound of -log d, close where d is not far from 1. */
static double least_exponential(double d) {
  double r = 1 - d;
  return r + 0.5 * r * r;
}

/* Ticks from a source's entry that an edge's need of unit hazard takes at least. */
static int64_t soonest(const struct contagion_plan *p, double need) {
  double days;
  if (p->law.kind == SIM_LAW_EXPONENTIAL) {
    days = p->law.a * need;
  } else {
    uint64_t bits; /* of sign, exponent and so much of the mantissa that it is the step */
    memcpy(&bits, &need, sizeof bits);
    int64_t step = (int64_t)(bits / ((UINT64_C(1) << 52) / CONTAGION_SOONEST_STEPS)) -
                   CONTAGION_SOONEST_STEPS * (1023 + CONTAGION_SOONEST_FIRST);
    if (step < 0) return 0;
    days = p->soonest[step < CONTAGION_SOONEST ? step : CONTAGION_SOONEST - 1];
  }
  double ticks = days * (1 - 1e-9) * SIM_TICKS_PER_DAY - 2; /* with room for rounding */
  return ticks < 9e18 ? (int64_t)ticks : (int64_t)9e18;
}

/* Those whose targets could be infected sooner than is expected, with the logarithms of their draws. m: the products of
 * multipliers of first offers; where it is 0 nothing comes. */
static void select_offers(const struct contagion *s, struct contagion_offers *o, double *m) {
  uint32_t i = 0, kept = 0;
  for (uint32_t k = 0; k < o->sources; k++) {
    struct contagion_source *x = &o->source[k];
    bool gone = !x->first && s->entity[x->u].incarnation != x->stay;
    double most = 1 / x->rate, m_source = contagion_factor(s, KNOB_INFECTIVITY, x->u),
           m_layer = contagion_factor(s, KNOB_LAYER, s->plan->layer[x->l].layer),
           m_all = contagion_factor(s, KNOB_TRANSMISSION, 0);
    for (; i < x->end; i++) {
      const struct contagion_node *node = &s->node[o->to[i]];
      if (!node->open || node->shut || gone) continue;
      if (x->first && node->source != x->u) {
        double need = least_exponential(o->draw[i]) * most / (double)o->weight[i];
        if (sim_ticks_add(x->entered, soonest(s->plan, need)) >= node->pending) continue;
      }
      double m_target = node->varied ? contagion_factor(s, KNOB_SUSCEPTIBILITY, o->to[i]) : 1;
      m[kept] = m_source * m_target * m_layer * m_all;
      o->to[kept] = o->to[i];
      o->draw[kept] = o->draw[i];
      o->weight[kept] = o->weight[i];
      kept += !x->first || m[kept] > 0;
    }
    x->end = kept;
  }
  o->n = kept;
  sim_logs(o->draw, o->n);
}

/* Days from a first offer's entry to the infection, if nothing changes: what `crossing` has for one stretch, to the
 * bit. days: the multipliers, which are replaced; 0 for offers that are not first. */
static void first_times(const struct contagion *s, const struct contagion_offers *o, double *days) {
  const struct contagion_plan *p = s->plan;
  uint32_t i = 0;
  for (uint32_t k = 0; k < o->sources; k++) {
    const struct contagion_source *x = &o->source[k];
    for (; i < x->end; i++) {
      double susceptibility = s->graded ? p->susceptibility[s->entity[o->to[i]].state] : s->most;
      double scale = p->layer[x->l].strength * (double)o->weight[i] * x->infectivity * susceptibility;
      days[i] = x->first ? -o->draw[i] / scale / days[i] : 0;
    }
  }
  sim_law_inverses(&p->law, days, o->n);
}

void contagion_catch_up(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct contagion *s = state;
  struct contagion_offers *o = &s->offers;
  double days[CONTAGION_OFFERS];
  (void)self;
  if (!o->n) return;
  select_offers(s, o, days);
  first_times(s, o, days);
  for (uint32_t i = 0, k = 0; k < o->sources; k++) {
    const struct contagion_source *x = &o->source[k];
    for (; i < x->end; i++) {
      uint32_t v = o->to[i];
      double e = -o->draw[i];
      int64_t tick = x->first ? sim_ticks_add(x->entered, sim_ticks(days[i]))
                              : edge_time(run, s, x->l, x->u, v, (double)o->weight[i], &e, SIM_NEVER);
      if (!x->first || tick <= x->exit) offer_to(run, s, x, v, tick);
    }
  }
  o->n = o->sources = 0;
  o->least = SIM_NEVER;
}

/* An upper bound of the law's hazard in so many days, close to it, by a search where the hazard costs more. */
static double most_hazard(const struct contagion_plan *p, double days) {
  if (p->law.kind == SIM_LAW_EXPONENTIAL) return sim_law_hazard(&p->law, days);
  double safe = days * (1 + 1e-9);
  unsigned step = 0; /* the first that takes longer lies in [step, step + n] */
  for (unsigned n = CONTAGION_SOONEST; n > 0;) {
    unsigned half = n / 2;
    bool later = p->soonest[step + half] > safe;
    step = later ? step : step + half + 1;
    n = later ? half : n - half - 1;
  }
  return step < CONTAGION_SOONEST ? contagion_need(step) : sim_law_hazard(&p->law, days);
}

/* A draw below this comes to nothing: its exponential is more than the hazard of any edge of the row can add up to
 * until u leaves or the run ends. (1 - h/8)^8 <= exp(-h), with room for rounding. */
static double hopeless(const struct sim_run *run, const struct contagion *s, const struct sim_graph *g,
                       const struct contagion_source *x) {
  double weight = g->weight ? 0 : 1;
  for (uint64_t e = g->row[x->u]; g->weight && e < g->row[x->u + 1]; e++)
    if ((double)g->weight[e] > weight) weight = (double)g->weight[e];
  int64_t end = x->exit < sim_horizon(run) ? x->exit : sim_horizon(run);
  double hazard =
      weight > 0 && x->rate > 0 ? x->rate * weight * most_hazard(s->plan, sim_days(end - x->entered + 2)) : 0;
  double root = 1 - 0.125 * (1 + 1e-9) * hazard;
  if (!(root > 0)) return 0;
  root *= root;
  root *= root;
  return root * root;
}

/* Names and draws: those of open targets with their stays, or of all while no stay but the first exists. */
static void draw_row(const struct sim_run *run, const struct contagion *s, const struct contagion_source *x,
                     const uint32_t *row, uint32_t n, double least, struct sim_rng_kept *kept) {
  const struct sim_rng *rng = sim_run_rng(run);
  uint32_t purpose = s->plan->layer[x->l].purpose;
  if (!s->returned) {
    sim_rng_edges(rng, purpose, x->u, x->stay, row, NULL, n, least, kept);
    return;
  }
  uint32_t to[SIM_RNG_ROW], stay[SIM_RNG_ROW], place[SIM_RNG_ROW], open = 0;
  for (uint32_t i = 0; i < n; i++) {
    place[open] = i;
    to[open] = row[i];
    stay[open] = s->entity[row[i]].incarnation;
    open += s->node[row[i]].open;
  }
  sim_rng_edges(rng, purpose, x->u, x->stay, to, stay, open, least, kept);
  for (uint32_t k = 0; k < kept->n; k++) kept->at[k] = place[kept->at[k]];
}

/* The offers of a part of a row wait, while memory of their targets is on its way, until their draws are many, or until
 * the first of them could be due. Nothing can tell the difference: times follow from the draws, the stays and the
 * multipliers, and before any of these changes the model catches up (what became of a target meanwhile is seen then).
 */
static void put_off(struct sim_run *run, struct contagion *s, const struct contagion_source *x, const uint32_t *row,
                    const float *weight, const struct sim_rng_kept *kept) {
  struct contagion_offers *o = &s->offers;
  double least = HUGE_VAL;
  for (uint32_t k = 0; k < kept->n; k++) {
    uint32_t v = row[kept->at[k]], at = o->n + k;
    float w = weight ? weight[kept->at[k]] : 1;
    double e = least_exponential(kept->draw[k]) / (double)w;
    __builtin_prefetch(&s->node[v], 1);
    if (s->graded) __builtin_prefetch(&s->entity[v]);
    o->to[at] = v;
    o->draw[at] = kept->draw[k];
    o->weight[at] = w;
    if (e < least) least = e;
  }
  o->n += kept->n;
  o->source[o->sources] = *x;
  o->source[o->sources++].end = o->n;
  int64_t tick = x->first ? sim_ticks_add(x->entered, soonest(s->plan, least / x->rate)) : sim_now(run);
  if (tick >= o->least) return;
  o->least = tick;
  sim_catch_up_by(run, s->self, tick);
}

void contagion_offer(struct sim_run *run, struct contagion *s, uint32_t u, unsigned l, bool first) {
  const struct contagion_plan *p = s->plan;
  const struct sim_graph *g = sim_run_graph(run, p->layer[l].layer);
  const struct sim_entity *from = &s->entity[u];
  struct contagion_offers *o = &s->offers;
  struct contagion_source x = {.u = u,
                               .stay = from->incarnation,
                               .l = l,
                               .first = first && !p->attempt,
                               .entered = from->entered,
                               .exit = sim_expected_tick(from->exit, sim_now(run)),
                               .infectivity = p->infectivity[from->state]};
  x.rate = p->layer[l].strength * x.infectivity * s->most * s->bound;
  double least = p->attempt ? 0 : hopeless(run, s, g, &x);
  for (uint64_t e = g->row[u]; e < g->row[u + 1]; e += SIM_RNG_ROW) {
    uint32_t n = g->row[u + 1] - e < SIM_RNG_ROW ? (uint32_t)(g->row[u + 1] - e) : SIM_RNG_ROW;
    struct sim_rng_kept kept;
    if (o->n > CONTAGION_OFFERS - SIM_RNG_ROW || o->sources == CONTAGION_SOURCES) contagion_catch_up(run, s->self, s);
    draw_row(run, s, &x, g->to + e, n, least, &kept);
    if (kept.n) put_off(run, s, &x, g->to + e, g->weight ? g->weight + e : NULL, &kept);
  }
}

void contagion_offer_all(struct sim_run *run, struct contagion *s, uint32_t u, bool first) {
  for (unsigned l = 0; l < s->plan->layers; l++)
    if (!s->plan->layer[l].mixing) contagion_offer(run, s, u, l, first);
}

void contagion_foresee(const struct sim_run *run, const struct sim_instance *self, const void *state,
                       const uint32_t *entity, uint32_t n, unsigned stage) {
  const struct contagion *s = state;
  (void)self;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t v = entity[i];
    if (stage == 0) {
      sim_foresee_move(run, s->machine, v);
      if (s->unsure) __builtin_prefetch(&s->entity[s->node[v].source]);
    } else {
      sim_foresee_dwell(run, s->machine, v, s->plan->infected[s->entity[v].state]);
    }
  }
  for (unsigned l = 0; l < s->plan->layers; l++) {
    if (s->plan->layer[l].mixing) continue;
    const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
    for (uint32_t i = 0; i < n; i++) {
      if (stage == 0) {
        __builtin_prefetch(&g->row[entity[i]]);
        continue;
      }
      const uint32_t *to = g->to + g->row[entity[i]];
      __builtin_prefetch(to);
      __builtin_prefetch(to + 16);
    }
  }
}
