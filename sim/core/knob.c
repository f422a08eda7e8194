/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Knobs: products of the modifiers that are on. Each knob keeps a bit per modifier and subject, and the product is
 * taken anew in the order of the bits, so switching a modifier off restores the former value exactly. Modifiers
 * that act by a share act on all subjects alike and are kept once. */
#include "sim/core/run_internal.h"

static double product(const struct sim_run *run, const struct sim_instance *target, uint32_t k,
                      const struct sim_knob *desc, uint64_t mask, uint32_t subject) {
  if (!mask) return 1;
  const struct sim_world *w = run->world;
  const struct sim_knob_run *r = &run->knob[k];
  double p = 1;
  const uint8_t *group = desc->scope == SIM_SCOPE_ENTITY ? w->population[target->population].group : NULL;
  for (; mask; mask &= mask - 1) {
    unsigned bit = (unsigned)__builtin_ctzll(mask);
    const struct sim_modifier *m = &w->modifier[w->knob[k].modifier[bit]];
    double f = m->by_group && group ? m->by_group[group[subject]] : m->factor;
    /* of this form, so that it is exactly 1 where f is, and f where the share is 1 */
    if (r->all >> bit & 1) f = 1 - r->share[bit] + r->share[bit] * f;
    p *= f;
  }
  return p < desc->min ? desc->min : p > desc->max ? desc->max : p;
}

double sim_factor(const struct sim_run *run, const struct sim_instance *target, unsigned knob, uint32_t subject) {
  uint32_t k = run->world->knob_base[target->index] + knob;
  const struct sim_knob_run *r = &run->knob[k];
  uint64_t mask = r->mask ? r->mask[subject] | r->all : 0;
  if (!mask) return 1;
  return product(run, target, k, &target->model->knobs[knob], mask, subject);
}

bool sim_factor_varies(const struct sim_run *run, const struct sim_instance *target, unsigned knob) {
  return run->world->knob[run->world->knob_base[target->index] + knob].modifiers > 0;
}

double sim_factor_bound(const struct sim_run *run, const struct sim_instance *target, unsigned knob) {
  const struct sim_world *w = run->world;
  const struct sim_knob_plan *plan = &w->knob[w->knob_base[target->index] + knob];
  double bound = 1;
  for (unsigned i = 0; i < plan->modifiers; i++) {
    const struct sim_modifier *m = &w->modifier[plan->modifier[i]];
    double most = m->factor;
    for (uint32_t g = 0; m->by_group && g < w->population[target->population].groups; g++)
      if (m->by_group[g] > most) most = m->by_group[g];
    if (most > 1) bound *= most;
  }
  double max = target->model->knobs[knob].max;
  return bound < max ? bound : max;
}

void sim_modify(struct sim_run *run, uint32_t modifier, uint32_t subject, bool on) {
  const struct sim_world *w = run->world;
  const struct sim_modifier *m = &w->modifier[modifier];
  const struct sim_instance *target = &w->instance[m->target];
  uint32_t k = w->knob_base[m->target] + m->knob;
  struct sim_knob_run *r = &run->knob[k];
  uint64_t before = r->mask[subject], after = on ? before | UINT64_C(1) << m->bit : before & ~(UINT64_C(1) << m->bit);
  if (after == before || run->error[0]) return;
  if (!before && !sim_touched_add(&r->touched, subject)) {
    sim_run_out_of_memory(run, "modifiers");
    return;
  }
  const struct sim_knob *desc = &target->model->knobs[m->knob];
  double old = product(run, target, k, desc, before | r->all, subject);
  r->mask[subject] = after;
  double new = product(run, target, k, desc, after | r->all, subject);
  if (old != new && target->model->knob)
    target->model->knob(run, target, run->state[target->index], m->knob, subject, old, new);
}

void sim_foresee_modify(const struct sim_run *run, uint32_t modifier, uint32_t subject) {
  const struct sim_world *w = run->world;
  const struct sim_modifier *m = &w->modifier[modifier];
  __builtin_prefetch(&run->knob[w->knob_base[m->target] + m->knob].mask[subject], 1);
  for (uint32_t a = 0; a < run->agendas; a++)
    if (run->agenda[a].instance == m->target && run->agenda[a].machine == SIM_NONE)
      __builtin_prefetch(sim_agenda_field(&run->agenda[a], subject), 1);
}

void sim_modify_share(struct sim_run *run, uint32_t modifier, double share) {
  const struct sim_world *w = run->world;
  const struct sim_modifier *m = &w->modifier[modifier];
  const struct sim_instance *target = &w->instance[m->target];
  const struct sim_knob *desc = &target->model->knobs[m->knob];
  uint32_t k = w->knob_base[m->target] + m->knob;
  struct sim_knob_run *r = &run->knob[k];
  double before = r->share[m->bit];
  if (share == before || run->error[0]) return;
  r->share[m->bit] = share;
  r->all |= UINT64_C(1) << m->bit;
  for (uint32_t i = 0; target->model->knob && i < r->touched.size; i++) {
    r->share[m->bit] = before;
    double old = product(run, target, k, desc, r->mask[i] | r->all, i);
    r->share[m->bit] = share;
    double new = product(run, target, k, desc, r->mask[i] | r->all, i);
    if (old != new) target->model->knob(run, target, run->state[target->index], m->knob, i, old, new);
  }
}

static uint32_t subjects(const struct sim_world *w, const struct sim_instance *i, const struct sim_knob *knob) {
  switch (knob->scope) {
  case SIM_SCOPE_ENTITY:
    return w->population[i->population].size;
  case SIM_SCOPE_LAYER:
    return w->layers;
  case SIM_SCOPE_WHOLE:
    break;
  }
  return 1;
}

int sim_knobs_open(struct sim_run *run) {
  const struct sim_world *w = run->world;
  for (uint32_t i = 0; i < w->instances; i++) {
    const struct sim_knob *knob = w->instance[i].model->knobs;
    for (unsigned k = 0; knob && knob[k].name; k++) {
      struct sim_knob_run *r = &run->knob[w->knob_base[i] + k];
      unsigned modifiers = w->knob[w->knob_base[i] + k].modifiers;
      if (!modifiers) continue;
      r->touched.size = subjects(w, &w->instance[i], &knob[k]);
      r->mask = sim_calloc(r->touched.size ? r->touched.size : 1, sizeof *r->mask);
      r->share = sim_calloc(modifiers, sizeof *r->share);
      if (!r->mask || !r->share) return SIM_ERR_MEMORY;
    }
  }
  return 0;
}

void sim_knobs_reset(struct sim_run *run) {
  for (uint32_t k = 0; k < run->world->knobs; k++) {
    struct sim_knob_run *r = &run->knob[k];
    for (uint32_t i = 0; i < sim_touched_count(&r->touched); i++) r->mask[sim_touched_at(&r->touched, i)] = 0;
    sim_touched_clear(&r->touched);
    for (; r->all; r->all &= r->all - 1) r->share[__builtin_ctzll(r->all)] = 0;
  }
}

void sim_knobs_close(struct sim_run *run) {
  for (uint32_t k = 0; k < run->world->knobs; k++) {
    sim_free(run->knob[k].mask);
    sim_free(run->knob[k].share);
    sim_touched_free(&run->knob[k].touched);
  }
}
