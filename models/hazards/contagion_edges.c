/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contagion over edges: when a source infects a target, and the least of these times for each target, from scratch.
 * What a new source brings: contagion_offers.c. */
#include "models/hazards/contagion_run.h"

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

int64_t contagion_edge_time(const struct sim_run *run, const struct contagion *s, unsigned l, uint32_t u, uint32_t v,
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

void contagion_expect(struct sim_run *run, struct contagion *s, uint32_t v, uint32_t u, uint32_t stay, unsigned l,
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
      int64_t tick = contagion_edge_time(run, s, l, u, v, g->in_weight ? (double)g->in_weight[e] : 1, NULL, best);
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
    contagion_expect(run, s, v, from, s->entity[from].incarnation, via, best,
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
