/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "reference_sim.h"
#include <math.h>
#include <string.h>

enum { SUSCEPTIBLE, INFECTIOUS, RECOVERED };

struct ref_state {
  const struct ref_problem *p;
  uint64_t random;
  double now, layer, source[REF_NODES], target[REF_NODES];
  int status[REF_NODES];
  double age[REF_NODES], recovery[REF_NODES]; /* of the infectious */
  double threshold[REF_NODES][REF_NODES], done[REF_NODES][REF_NODES], frozen[REF_NODES][REF_NODES];
};

/* Xorshift64* (Marsaglia 2003, Vigna 2016). */
static double exponential(struct ref_state *s) {
  s->random ^= s->random >> 12;
  s->random ^= s->random << 25;
  s->random ^= s->random >> 27;
  return -log(((double)((s->random * 2685821657736338717ULL) >> 11) + 0.5) / 9007199254740992.0);
}

static double hazard(const struct ref_law *law, double age) {
  return pow(age / law->scale, law->shape);
}
static double inverse(const struct ref_law *law, double h) {
  return law->scale * pow(h, 1.0 / law->shape);
}

static double multiplier(const struct ref_state *s, int u, int v) {
  if (s->p->mistake == REF_KEEPS_SCHEDULE) return s->frozen[u][v];
  return s->layer * s->source[u] * s->target[v];
}

static bool at_work(const struct ref_state *s, int u, int v) {
  return s->p->edge[u][v] && s->status[u] == INFECTIOUS && s->status[v] == SUSCEPTIBLE;
}

/* A pair becomes eligible: its integral starts. */
static void start_pair(struct ref_state *s, int u, int v) {
  s->threshold[u][v] = exponential(s);
  s->done[u][v] = 0;
  s->frozen[u][v] = s->layer * s->source[u] * s->target[v];
}

static void infect(struct ref_state *s, int v, struct ref_result *r) {
  s->status[v] = INFECTIOUS;
  s->age[v] = 0;
  s->recovery[v] = s->p->for_ever ? INFINITY : s->now + inverse(&s->p->infectious, exponential(s));
  for (int w = 0; w < s->p->nodes; w++) start_pair(s, v, w);
  r->infections++;
}

static void recover(struct ref_state *s, int v) {
  s->status[v] = s->p->susceptible_again ? SUSCEPTIBLE : RECOVERED;
  for (int u = 0; u < s->p->nodes && s->p->mistake != REF_SOURCE_KEY; u++) start_pair(s, u, v);
}

static void change(struct ref_state *s, const struct ref_change *c) {
  if (c->scope == REF_LAYER) s->layer = c->factor;
  if (c->scope == REF_SOURCE || c->scope == REF_NODE) s->source[c->node] = c->factor;
  if (c->scope == REF_TARGET || c->scope == REF_NODE) s->target[c->node] = c->factor;
  if (s->p->mistake == REF_RESTARTS) memset(s->done, 0, sizeof s->done);
}

/* The time of the first event from now on: infection of *v, else recovery of *v (*recovers), else *v = -1. */
static double next_event(const struct ref_state *s, int *v, bool *recovers) {
  double first = s->p->horizon;
  *v = -1;
  for (int i = 0; i < s->p->nodes; i++)
    if (s->status[i] == INFECTIOUS && s->recovery[i] < first) first = s->recovery[i], *v = i, *recovers = true;
  for (int u = 0; u < s->p->nodes; u++)
    for (int w = 0; w < s->p->nodes; w++) {
      double m = at_work(s, u, w) ? multiplier(s, u, w) : 0;
      if (m <= 0 || (s->p->mistake == REF_SOURCE_KEY && s->threshold[u][w] - s->done[u][w] < 1e-9)) continue;
      const struct ref_law *law = &s->p->transmission;
      double left = fmax(s->threshold[u][w] - s->done[u][w], 0);
      double t = s->now + inverse(law, hazard(law, s->age[u]) + left / m) - s->age[u];
      if (t < first) first = t, *v = w, *recovers = false;
    }
  return first;
}

static void advance(struct ref_state *s, double to, struct ref_result *r) {
  double dt = to - s->now;
  const struct ref_law *law = &s->p->transmission;
  bool always = s->p->mistake == REF_SOURCE_KEY;
  for (int u = 0; u < s->p->nodes; u++) {
    if (s->status[u] == SUSCEPTIBLE) r->susceptible_days += dt;
    if (s->status[u] != INFECTIOUS) continue;
    double gain = hazard(law, s->age[u] + dt) - hazard(law, s->age[u]);
    for (int v = 0; v < s->p->nodes; v++)
      if (always || at_work(s, u, v)) s->done[u][v] += multiplier(s, u, v) * gain;
    if (s->p->mistake != REF_AGE_STOPS || s->layer * s->source[u] > 0) s->age[u] += dt;
  }
  s->now = to;
}

void ref_run(const struct ref_problem *problem, uint64_t seed, struct ref_result *result) {
  static const struct ref_state zero;
  struct ref_state s = zero;
  s.p = problem;
  s.random = (seed + 1) * 0x9e3779b97f4a7c15ULL;
  s.layer = 1;
  for (int i = 0; i < problem->nodes; i++) s.source[i] = s.target[i] = 1;
  for (int i = 0; i < 8; i++) exponential(&s);
  *result = (struct ref_result){0};
  int next_change = 0;
  for (; next_change < problem->changes && problem->change[next_change].time <= 0; next_change++)
    change(&s, &problem->change[next_change]);
  for (int i = 0; i < problem->seeds; i++) infect(&s, i, result);
  while (s.now < problem->horizon) {
    int v;
    bool recovers = false;
    double t = next_event(&s, &v, &recovers);
    if (next_change < problem->changes && problem->change[next_change].time <= t) {
      advance(&s, problem->change[next_change].time, result);
      change(&s, &problem->change[next_change++]);
      continue;
    }
    advance(&s, t, result);
    if (v >= 0 && recovers) recover(&s, v);
    if (v >= 0 && !recovers) infect(&s, v, result);
    if (v >= 0 && recovers) result->last_infectious = s.now;
  }
  for (int i = 0; i < problem->nodes; i++) result->infectious += s.status[i] == INFECTIOUS;
  if (result->infectious > 0) result->last_infectious = problem->horizon;
}
