/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dwells drawn ahead. How long an entity stays is a pure function of the name of its draw, and moves that come soon are
 * foreseen: their names gather until one of them is needed, and are then drawn together in lanes. Whether a dwell was
 * foreseen can be seen in nothing but time. */
#include "sim/core/run_internal.h"

static struct sim_dwell *place_of(struct sim_dwells *d, uint32_t entity) {
  return &d->drawn[entity % SIM_DWELLS];
}

/* Those that wait are drawn, the ones of a transition together. */
static void draw(const struct sim_run *run, const struct sim_machine *m, struct sim_dwells *d) {
  double days[SIM_RNG_NAMES];
  sim_rng_exponentials(&run->rng, &d->names, d->waiting, days);
  for (uint32_t i = 0, next; i < d->waiting; i = next) {
    uint8_t transition = d->transition[i];
    for (next = i + 1; next < d->waiting && d->transition[next] == transition; next++) continue;
    sim_law_inverses(m->transition[transition].after, days + i, next - i);
    for (; i < next; i++)
      *place_of(d, d->names.word[1][i]) =
          (struct sim_dwell){d->names.word[1][i], d->names.word[2][i], transition + 1u, days[i]};
  }
  d->waiting = 0;
}

void sim_foresee_dwell(const struct sim_run *run, uint32_t machine, uint32_t entity, uint8_t to) {
  const struct sim_machine *m = &run->world->machine[machine];
  struct sim_dwells *d = &run->machine[machine].dwells;
  if (!m->only[to]) return;
  if (d->waiting == SIM_RNG_NAMES) draw(run, m, d);
  uint32_t i = d->waiting++;
  d->transition[i] = (uint8_t)(m->only[to] - 1);
  d->names.word[0][i] = m->dwell_purpose[d->transition[i]];
  d->names.word[1][i] = entity;
  d->names.word[2][i] = run->machine[machine].entity[entity].incarnation + 1;
}

static bool waits(const struct sim_dwells *d, uint32_t entity) {
  for (uint32_t i = 0; i < d->waiting; i++)
    if (d->names.word[1][i] == entity) return true;
  return false;
}

static bool is_of(const struct sim_dwell *x, uint32_t entity, uint32_t incarnation, unsigned transition) {
  return x->entity == entity && x->incarnation == incarnation && x->transition == transition + 1;
}

double sim_dwell(const struct sim_run *run, const struct sim_machine *m, uint32_t entity, uint32_t incarnation,
                 unsigned transition) {
  struct sim_dwells *d = &run->machine[m->index].dwells;
  const struct sim_dwell *x = place_of(d, entity);
  if (is_of(x, entity, incarnation, transition)) return x->days;
  if (waits(d, entity)) draw(run, m, d);
  if (is_of(x, entity, incarnation, transition)) return x->days;
  return sim_law_inverse(m->transition[transition].after,
                         sim_rng_exponential(&run->rng, m->dwell_purpose[transition], entity, incarnation, 0));
}
