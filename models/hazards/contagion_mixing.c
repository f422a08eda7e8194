/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contagion on homogeneous layers: each source makes contacts at its own keyed times with uniform partners, thinned by
 * the multipliers; a bound above 1 adds further processes, so it renames no draw. */
#include "models/hazards/contagion_run.h"

int contagion_open_mixing(struct contagion *s, uint32_t size) {
  for (unsigned l = 0; l < s->plan->layers; l++) s->mixing += s->plan->layer[l].mixing;
  if (size < 2) s->mixing = 0; /* nobody to meet */
  if (!s->mixing) return 0;
  double bound = s->bound * s->most;
  s->processes = bound > 1 ? (unsigned)ceil(bound < 15 ? bound : 15) : 1;
  s->contact = sim_calloc((size_t)size * s->mixing * s->processes, sizeof *s->contact);
  return s->contact ? 0 : SIM_ERR_MEMORY;
}

static struct contagion_contact *contact_of(const struct contagion *s, uint32_t u, unsigned mix, unsigned process) {
  return &s->contact[((size_t)u * s->mixing + mix) * s->processes + process];
}

static unsigned mixing_layer(const struct contagion_plan *p, unsigned mix) {
  unsigned l = 0;
  for (;; l++)
    if (p->layer[l].mixing && mix-- == 0) return l;
}

/* n of a contact's draws: the process above, the contact below. Words 0, 1: time; 2: partner; 3: acceptance. */
static uint32_t contact_name(unsigned process, uint32_t n) {
  return process << 24 | n;
}

/* Schedules the next contact of u: its n-th comes when H(age) reaches the sum of n exponentials over the rate. */
static void next_contact(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t u,
                         unsigned mix, unsigned process) {
  const struct contagion_plan *p = s->plan;
  const struct contagion_layer *layer = &p->layer[mixing_layer(p, mix)];
  struct contagion_contact *c = contact_of(s, u, mix, process);
  c->sum += sim_rng_exponential(sim_run_rng(run), layer->purpose, u, sim_incarnation(run, self->machine, u),
                                contact_name(process, c->n));
  double rate = layer->contacts * layer->strength * p->infectivity[sim_state(run, self->machine, u)];
  int64_t tick = sim_ticks_add(sim_entered(run, self->machine, u), sim_ticks(sim_law_inverse(&p->law, c->sum / rate)));
  if (tick < sim_now(run)) tick = sim_now(run);
  if (tick > sim_planned_exit(run, self->machine, u)) tick = SIM_NEVER;
  sim_schedule(run, self, EV_CONTACT, u, mix << 8 | process, tick, &c->pending);
}

void contagion_start_contacts(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t u) {
  for (unsigned m = 0; m < s->mixing; m++)
    for (unsigned k = 0; k < s->processes; k++) {
      struct contagion_contact *c = contact_of(s, u, m, k);
      c->sum = 0;
      c->n = 0;
      next_contact(run, self, s, u, m, k);
    }
}

void contagion_stop_contacts(struct sim_run *run, struct contagion *s, uint32_t u) {
  for (unsigned i = 0; i < s->mixing * s->processes; i++)
    sim_cancel(run, &s->contact[(size_t)u * s->mixing * s->processes + i].pending);
}

/* u meets a partner: process k accepts the part of the multiplier between k and k + 1. */
void contagion_meet(struct sim_run *run, const struct sim_instance *self, struct contagion *s,
                    const struct sim_event *ev) {
  uint32_t u = ev->entity;
  unsigned mix = ev->n >> 8, process = ev->n & 0xff;
  const struct contagion_plan *p = s->plan;
  const struct contagion_layer *layer = &p->layer[mixing_layer(p, mix)];
  uint32_t size = sim_run_population(run, p->population)->size, block[4];
  struct contagion_contact *c = contact_of(s, u, mix, process);
  sim_rng_block(sim_run_rng(run), layer->purpose, u, sim_incarnation(run, self->machine, u),
                contact_name(process, c->n), block);
  uint32_t v = (uint32_t)((uint64_t)block[2] * (size - 1) >> 32);
  if (v >= u) v++;
  double m = p->susceptibility[sim_state(run, self->machine, v)];
  if (m > 0) {
    m *= contagion_multiplier(s, layer->layer, u, v);
    if (m > s->processes)
      sim_run_fail(run, "%s: a multiplier of %g is too large for a homogeneous layer", self->path, m);
    if (((double)block[3] + 0.5) * 0x1p-32 < m - process)
      sim_move(run, self->machine, v, p->infected[sim_state(run, self->machine, v)]);
  }
  c->n++;
  if (c->n == 1u << 24)
    sim_run_fail(run, "%s: more than 16 million contacts in one stay of entity %u", self->path, u);
  else
    next_contact(run, self, s, u, mix, process);
}
