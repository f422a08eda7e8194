/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Offers of infection: the draws of all edges of a source, and what becomes of them.
 *
 * The hot path is an infection. Its draws, the dwell of the new source and so the times at which it would infect its
 * neighbours follow from names and from the tick at which it becomes infectious. All are known when the infection is
 * expected: so they are drawn a little ahead, for some sources at once, and the memory of their targets is asked for.
 * Draws that cannot succeed before the source leaves are dropped by a comparison without a logarithm. When the source
 * becomes infectious, what is left is offered to the targets, each of which keeps the least. Whether a source was
 * foreseen can be seen in nothing but time.
 *
 * Names of edges hold the target's stay. While no entity has returned to a susceptible state, every susceptible target
 * is in stay 0; after that, edges are drawn only when they are offered. */
#include "models/hazards/contagion_run.h"
#include <string.h>

/* ---- draws ------------------------------------------------------------------------------------------------------ */

/* An upper bound of the law's hazard in so many days, close to it, by a search where the hazard costs more. */
static double most_hazard(const struct contagion_plan *p, double days) {
  if (p->law.kind == SIM_LAW_EXPONENTIAL) return days / p->law.a;
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

static double greatest_weight(const struct sim_graph *g, uint32_t u) {
  double weight = 0;
  if (!g->weight) return 1;
  for (uint32_t e = g->row[u]; e < g->row[u + 1]; e++)
    if ((double)g->weight[e] > weight) weight = (double)g->weight[e];
  return weight;
}

/* A draw below this comes to nothing: its exponential is more than the hazard of any edge of the row can add up to
 * until u leaves or the run ends. (1 - h/8)^8 <= exp(-h), with room for rounding. */
static double hopeless(const struct sim_run *run, const struct contagion *s, const struct sim_graph *g,
                       const struct contagion_source *x) {
  if (s->plan->attempt) return 0;
  double rate = x->strength * s->most * s->bound * greatest_weight(g, x->u);
  if (!(rate > 0)) return 1;
  int64_t end = x->exit < sim_horizon(run) ? x->exit : sim_horizon(run);
  double root = 1 - 0.125 * (1 + 1e-9) * (rate * most_hazard(s->plan, sim_days(end - x->entered + 2)));
  if (!(root > 0)) return 0;
  root *= root;
  root *= root;
  return root * root;
}

/* Edges of a batch's sources whose draws have names. */
struct named {
  struct sim_rng_edges edges;
  uint32_t stay[SIM_RNG_EDGES + 16]; /* of the targets, where some have returned */
  float weight[SIM_RNG_EDGES + 16];  /* where edges have weights */
};

/* Leaves only those from `first` on whose targets are open, with their stays. */
static void name_stays(const struct contagion *s, struct named *named, uint32_t first, bool weighted) {
  struct sim_rng_edges *x = &named->edges;
  uint32_t k = first;
  for (uint32_t i = first; i < x->n; i++) {
    uint32_t v = x->v[i];
    x->v[k] = v;
    named->stay[k] = s->entity[v].incarnation;
    if (weighted) named->weight[k] = named->weight[i];
    k += s->node[v].open;
  }
  x->n = k;
  x->inc_v = named->stay;
}

/* Names n of a source's edges, from place e of the graph's on, for a new row of the batch: those of open targets with
 * their stays, or all while no stay but the first exists. */
static void name_edges(const struct sim_run *run, const struct contagion *s, const struct contagion_source *source,
                       uint32_t e, uint32_t n, struct contagion_batch *b, struct named *named) {
  const struct sim_graph *g = sim_run_graph(run, s->plan->layer[source->l].layer);
  struct sim_rng_edges *x = &named->edges;
  uint32_t row = b->rows++, first = x->n;
  b->row[row] = (struct contagion_row){*source, 0, 0, s->returned};
  x->u[row] = source->u;
  x->inc_u[row] = source->stay;
  x->least[row] = hopeless(run, s, g, source);
  memcpy(x->v + first, g->to + e, n * sizeof *x->v);
  memset(x->source + first, (int)row, n);
  if (g->weight) memcpy(named->weight + first, g->weight + e, n * sizeof *named->weight);
  x->n += n;
  x->sources = b->rows;
  if (s->returned) name_stays(s, named, first, g->weight != NULL);
}

static void begin_batch(struct contagion_batch *b, struct named *named) {
  b->rows = named->edges.sources = named->edges.n = 0;
  named->edges.inc_v = NULL;
}

/* Draws the named edges of a batch's sources, all on one layer: what may come to something, and when. */
static void draw(const struct sim_run *run, const struct contagion *s, const struct named *named,
                 struct contagion_batch *b) {
  const struct contagion_plan *p = s->plan;
  const struct contagion_layer *layer = &p->layer[b->row[0].source.l];
  struct sim_rng_kept kept;
  double days[SIM_RNG_EDGES + 16];
  sim_rng_edges(sim_run_rng(run), layer->purpose, &named->edges, &kept);
  for (uint32_t i = 0; i < kept.n; i++) {
    uint32_t at = kept.at[i], v = named->edges.v[at];
    struct contagion_row *r = &b->row[named->edges.source[at]];
    __builtin_prefetch(&s->node[v], 1);
    b->to[i] = v;
    days[i] = r->source.strength;
    r->end = i + 1;
  }
  b->weighted = sim_run_graph(run, layer->layer)->weight != NULL;
  for (uint32_t i = 0; b->weighted && i < kept.n; i++) {
    b->weight[i] = named->weight[kept.at[i]];
    days[i] *= (double)b->weight[i];
  }
  for (uint32_t i = 0; s->graded && i < kept.n; i++) __builtin_prefetch(&s->entity[b->to[i]]);
  for (uint32_t k = 0, end = 0; k < b->rows; k++) { /* those without offers too */
    struct contagion_row *r = &b->row[k];
    r->first = end;
    end = r->end > end ? r->end : end;
    r->end = end;
  }
  if (p->attempt) return;
  sim_logs(kept.draw, kept.n);
  for (uint32_t i = 0; i < kept.n; i++) {
    b->e[i] = -kept.draw[i];
    days[i] = b->e[i] / (days[i] * s->most);
  }
  sim_law_inverses(&p->law, days, kept.n);
  for (uint32_t i = 0; i < kept.n; i++) b->after[i] = sim_ticks(days[i]);
}

/* ---- offers ----------------------------------------------------------------------------------------------------- */

/* The tick of the i-th offer of a batch, with the multipliers and the target's susceptibility as they are: to the bit
 * what contagion_edge_time has for one stretch of the multipliers. */
static int64_t tick_now(const struct sim_run *run, const struct contagion *s, const struct contagion_source *x,
                        const struct contagion_batch *b, uint32_t i) {
  const struct contagion_plan *p = s->plan;
  uint32_t v = b->to[i];
  double weight = b->weighted ? (double)b->weight[i] : 1;
  if (!x->first) return contagion_edge_time(run, s, x->l, x->u, v, weight, &b->e[i], SIM_NEVER);
  double susceptibility = s->graded ? p->susceptibility[s->entity[v].state] : s->most;
  double m = contagion_multiplier(s, p->layer[x->l].layer, x->u, v);
  if (!(m > 0)) return SIM_NEVER;
  if (m == 1 && !(susceptibility < s->most)) return sim_ticks_add(x->entered, b->after[i]);
  double days = b->e[i] / (x->strength * weight * susceptibility) / m;
  return sim_ticks_add(x->entered, sim_ticks(sim_law_inverse(&p->law, days)));
}

/* Each target keeps the least. One that expects this source's infection in an earlier stay, or at another time, looks
 * at all its sources again. */
static void offer_row(struct sim_run *run, struct contagion *s, const struct contagion_batch *b,
                      const struct contagion_row *r) {
  const struct contagion_source *x = &r->source;
  bool as_drawn = x->first && !s->history_n && !s->graded;
  for (uint32_t i = r->first; i < r->end; i++) {
    const struct contagion_node *node = &s->node[b->to[i]];
    if (!node->open || node->shut) continue;
    int64_t tick = as_drawn ? sim_ticks_add(x->entered, b->after[i]) : tick_now(run, s, x, b, i);
    if (x->first && tick > x->exit) continue;
    if (node->source == x->u && node->via == x->l && node->pending != SIM_NEVER)
      contagion_recompute(run, s, b->to[i]);
    else if (tick < node->pending)
      contagion_expect(run, s, b->to[i], x->u, x->stay, x->l, tick, x->exit);
  }
}

/* The row that was drawn ahead for a source as it is now, or NULL; its batch. Sources come nearly in the order in which
 * they were foreseen. */
static const struct contagion_row *find(struct contagion_ahead *a, const struct contagion *s, uint32_t u, int64_t exit,
                                        const struct contagion_batch **batch) {
  const struct sim_entity *e = &s->entity[u];
  uint32_t oldest = a->oldest, next = a->next;
  for (uint32_t k = 0; k <= CONTAGION_BATCHES; k++) {
    const struct contagion_batch *b = *batch = &a->batch[a->oldest % CONTAGION_BATCHES];
    for (; a->next < b->rows; a->next++) {
      const struct contagion_row *r = &b->row[a->next];
      if (r->source.u != u) continue;
      a->next++;
      bool same = r->source.stay == e->incarnation && r->source.state == e->state && r->source.entered == e->entered &&
                  r->source.exit == exit && r->returned == s->returned;
      return same ? r : NULL;
    }
    a->oldest++;
    a->next = 0;
  }
  a->oldest = oldest;
  a->next = next;
  return NULL;
}

static struct contagion_source source_of(const struct contagion *s, uint32_t u, unsigned l, uint32_t stay,
                                         uint8_t state, int64_t entered, int64_t exit) {
  double strength = s->plan->layer[l].strength * s->plan->infectivity[state];
  return (struct contagion_source){u, stay, l, state, !s->plan->attempt, entered, exit, strength};
}

static __attribute__((noinline)) void offer_unforeseen(struct sim_run *run, struct contagion *s,
                                                       const struct contagion_source *x) {
  const struct sim_graph *g = sim_run_graph(run, s->plan->layer[x->l].layer);
  for (uint32_t e = g->row[x->u], n; e < g->row[x->u + 1]; e += n) {
    n = g->row[x->u + 1] - e < SIM_RNG_EDGES ? g->row[x->u + 1] - e : SIM_RNG_EDGES;
    struct named named;
    begin_batch(&s->now, &named);
    name_edges(run, s, x, e, n, &s->now, &named);
    draw(run, s, &named, &s->now);
    offer_row(run, s, &s->now, &s->now.row[0]);
  }
}

void contagion_offer(struct sim_run *run, struct contagion *s, uint32_t u, unsigned l, bool first) {
  const struct sim_entity *from = &s->entity[u];
  int64_t exit = sim_expected_tick(from->exit, sim_now(run));
  const struct contagion_batch *b;
  const struct contagion_row *r = first ? find(&s->ahead[l], s, u, exit, &b) : NULL;
  if (r) {
    offer_row(run, s, b, r);
    return;
  }
  struct contagion_source x = source_of(s, u, l, from->incarnation, from->state, from->entered, exit);
  x.first &= first;
  offer_unforeseen(run, s, &x);
}

void contagion_offer_all(struct sim_run *run, struct contagion *s, uint32_t u, bool first) {
  for (unsigned l = 0; l < s->plan->layers; l++)
    if (!s->plan->layer[l].mixing) contagion_offer(run, s, u, l, first);
}

/* ---- what comes soon -------------------------------------------------------------------------------------------- */

/* A batch of the edges of those, from the i-th on, that will be infectious: `to` at f->tick, until `exit`. The place of
 * the first that found no room in it. Rows that no batch can hold are drawn when they are offered. */
static uint32_t draw_ahead(const struct sim_run *run, struct contagion *s, const struct sim_foreseen *f, uint32_t i,
                           const uint8_t *to, const int64_t *exit, unsigned l) {
  const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
  struct contagion_batch *b = &s->ahead[l].batch[s->ahead[l].drawn % CONTAGION_BATCHES];
  struct named named;
  begin_batch(b, &named);
  for (; i < f->n; i++) {
    uint32_t u = f->entity[i], e = g->row[u], n = g->row[u + 1] - e;
    if (!(s->plan->infectivity[to[i]] > 0) || n > SIM_RNG_EDGES) continue;
    if (b->rows == CONTAGION_ROWS || n > SIM_RNG_EDGES - named.edges.n) break;
    struct contagion_source x = source_of(s, u, l, s->entity[u].incarnation + 1, to[i], f->tick[i], exit[i]);
    name_edges(run, s, &x, e, n, b, &named);
  }
  if (!b->rows) return i;
  draw(run, s, &named, b);
  s->ahead[l].drawn++;
  return i;
}

/* The rows of the graph, then what is in them. */
static void touch_rows(const struct sim_run *run, const struct contagion *s, const struct sim_foreseen *f,
                       unsigned stage, unsigned l) {
  const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
  for (uint32_t i = 0; i < f->n; i++) {
    const uint32_t *row = &g->row[f->entity[i]];
    if (stage == 0) {
      __builtin_prefetch(row);
    } else {
      __builtin_prefetch(g->to + *row);
      __builtin_prefetch(g->to + *row + 16);
    }
  }
}

void contagion_foresee(const struct sim_run *run, const struct sim_instance *self, void *state,
                       const struct sim_foreseen *f, unsigned stage) {
  struct contagion *s = state;
  const struct contagion_plan *p = self->plan;
  uint8_t to[SIM_FORESEEN];
  int64_t exit[SIM_FORESEEN];
  for (uint32_t i = 0; stage == 0 && f->kind == EV_INFECT && i < f->n; i++) {
    sim_foresee_move(run, s->machine, f->entity[i]);
    if (s->unsure) __builtin_prefetch(&s->entity[s->node[f->entity[i]].source]);
  }
  if (stage == 2) {
    for (uint32_t i = 0; i < f->n; i++)
      to[i] = f->kind == SIM_EXITS ? sim_planned_state(run, s->machine, f->entity[i])
                                   : p->infected[s->entity[f->entity[i]].state];
    sim_foresee_exits(run, s->machine, f, to, exit);
  }
  for (unsigned l = 0; l < p->layers && (p->timed || f->kind == EV_INFECT); l++) {
    if (p->layer[l].mixing) continue;
    if (stage < 2)
      touch_rows(run, s, f, stage, l);
    else if (!s->returned && !p->attempt)
      for (uint32_t i = 0; i < f->n;) i = draw_ahead(run, s, f, i, to, exit, l);
  }
}
