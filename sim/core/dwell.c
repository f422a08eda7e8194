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

/* The exits that wait: n of one transition, whose dwells have the named draws. */
static void draw(const struct sim_run *run, const struct sim_machine *m, const struct sim_rng_names *names, uint32_t n,
                 struct sim_exit *exit) {
  double days[SIM_RNG_NAMES];
  sim_rng_exponentials(&run->rng, names, n, days);
  sim_law_inverses(m->transition[exit[0].transition].after, days, n);
  for (uint32_t i = 0; i < n; i++) {
    exit[i].tick = sim_ticks_add(exit[i].entered, sim_ticks(days[i]));
    keep(&run->machine[m->index].ahead, names->word[1][i], &exit[i]);
  }
}

void sim_foresee_exits(const struct sim_run *run, uint32_t machine, const struct sim_foreseen *f, const uint8_t *to,
                       int64_t *tick) {
  const struct sim_machine *m = &run->world->machine[machine];
  const struct sim_entity *entity = run->machine[machine].entity;
  struct sim_rng_names names = {0};
  struct sim_exit exit[SIM_RNG_NAMES];
  uint32_t n = 0, of[SIM_RNG_NAMES];
  for (uint32_t i = 0; i <= f->n; i++) {
    bool only = i < f->n && m->only[to[i]];
    uint8_t transition = only ? (uint8_t)(m->only[to[i]] - 1) : 0;
    if (n && (i == f->n || n == SIM_RNG_NAMES || (only && transition != exit[0].transition))) {
      draw(run, m, &names, n, exit);
      for (uint32_t k = 0; k < n; k++) tick[of[k]] = exit[k].tick;
      n = 0;
    }
    if (i == f->n) break;
    uint32_t incarnation = entity[f->entity[i]].incarnation + 1;
    struct sim_exit x = {incarnation, to[i], transition, f->tick[i], SIM_NEVER};
    if (only) {
      of[n] = i;
      names.word[0][n] = m->dwell_purpose[transition];
      names.word[1][n] = f->entity[i];
      names.word[2][n] = incarnation;
      exit[n++] = x;
    } else if (m->exits[to[i]]) {
      sim_draw_exit(run, m, f->entity[i], &x);
      keep(&run->machine[machine].ahead, f->entity[i], &x);
      tick[i] = x.tick;
    } else {
      tick[i] = SIM_NEVER;
    }
  }
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
