/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planned exits drawn ahead. How long an entity stays is a pure function of the name of its draw, and moves that come
 * soon are foreseen: their exits are drawn together, in lanes, and kept until the moves come. Whether an exit was
 * foreseen can be seen in nothing but time. */
#include "sim/core/run_internal.h"

static void keep(struct sim_ahead *a, uint32_t entity, const struct sim_exit *exit) {
  uint32_t place = a->kept++ % SIM_AHEAD;
  a->entity[place] = entity;
  a->exit[place] = *exit;
}

/* Draws the exits by the one timed way out of their states: n, at the places `of` in f and tick. */
static void draw(const struct sim_run *run, const struct sim_machine *m, const struct sim_foreseen *f,
                 const uint32_t *of, uint32_t n, struct sim_exit *exit, int64_t *tick) {
  struct sim_rng_names names = {0};
  double days[SIM_RNG_NAMES];
  for (uint32_t k = 0; k < n; k++) {
    names.word[0][k] = m->dwell_purpose[exit[k].transition];
    names.word[1][k] = f->entity[of[k]];
    names.word[2][k] = exit[k].incarnation;
  }
  sim_rng_exponentials(&run->rng, &names, n, days);
  for (uint32_t k = 0, next; k < n; k = next) { /* those of one law together */
    for (next = k + 1; next < n && exit[next].transition == exit[k].transition; next++) continue;
    sim_law_inverses(m->transition[exit[k].transition].after, days + k, next - k);
  }
  for (uint32_t k = 0; k < n; k++) {
    tick[of[k]] = exit[k].tick = sim_ticks_add(exit[k].entered, sim_ticks(days[k]));
    keep(&run->machine[m->index].ahead, f->entity[of[k]], &exit[k]);
  }
}

_Static_assert((int)SIM_FORESEEN <= (int)SIM_RNG_NAMES, "all that is foreseen at once is drawn at once");

void sim_foresee_exits(const struct sim_run *run, uint32_t machine, const struct sim_foreseen *f, const uint8_t *to,
                       int64_t *tick) {
  const struct sim_machine *m = &run->world->machine[machine];
  struct sim_exit exit[SIM_FORESEEN];
  uint32_t n = 0, of[SIM_FORESEEN];
  for (uint32_t i = 0; i < f->n; i++) {
    uint32_t incarnation = run->machine[machine].entity[f->entity[i]].incarnation + 1;
    struct sim_exit x = {incarnation, to[i], 0, f->tick[i], SIM_NEVER};
    tick[i] = SIM_NEVER;
    if (m->only[to[i]]) {
      x.transition = (uint8_t)(m->only[to[i]] - 1);
      of[n] = i;
      exit[n++] = x;
    } else if (m->exits[to[i]]) {
      sim_draw_exit(run, m, f->entity[i], &x);
      keep(&run->machine[machine].ahead, f->entity[i], &x);
      tick[i] = x.tick;
    }
  }
  if (n) draw(run, m, f, of, n, exit, tick);
}

/* Moves come nearly in the order in which they were foreseen. */
bool sim_exit_ahead(const struct sim_run *run, const struct sim_machine *m, uint32_t entity, struct sim_exit *exit) {
  struct sim_ahead *a = &run->machine[m->index].ahead;
  for (uint32_t k = 0; k < SIM_AHEAD; k++) {
    uint32_t place = (a->next + k) % SIM_AHEAD;
    if (a->entity[place] != entity) continue;
    a->next = place + 1;
    const struct sim_exit *x = &a->exit[place];
    if (x->incarnation != exit->incarnation || x->state != exit->state || x->entered != exit->entered) return false;
    *exit = *x;
    return true;
  }
  return false;
}
