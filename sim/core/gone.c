/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is gone: in a state of a hazard in which nothing works and out of which no transition leads (the dead). Nobody
 * acts on them and they serve nowhere. */
#include "sim/core/builder.h"
#include <string.h>

/* A machine without transitions is moved by its model, which knows the ways out. */
uint64_t sim_machine_gone(const struct sim_machine *m) {
  uint64_t gone = 0;
  if (strcmp(m->instance->model->section, "hazards") != 0 || !m->transitions) return 0;
  for (unsigned s = 0; s < m->states; s++)
    if (m->functionality[s] == 0) gone |= UINT64_C(1) << s;
  for (unsigned t = 0; t < m->transitions; t++) gone &= ~(UINT64_C(1) << m->transition[t].from);
  return gone;
}

void sim_builder_watch_gone(struct sim_builder *b, const struct sim_instance *self, uint32_t population) {
  for (uint32_t m = 0; m < b->world->machines; m++)
    for (unsigned s = 0; s < b->world->machine[m].states; s++)
      if (b->world->machine[m].population == population && b->world->machine[m].gone >> s & 1)
        sim_builder_watch(b, self, m, s);
}

/* In how many machines of the population the entity is gone. */
static unsigned gone_in(const struct sim_run *run, uint32_t population, uint32_t entity) {
  unsigned n = 0;
  for (uint32_t m = 0; m < run->world->machines; m++) {
    const struct sim_machine *machine = &run->world->machine[m];
    if (machine->population != population || !machine->gone) continue; /* memory of the entity stays alone */
    n += machine->gone >> run->machine[m].entity[entity].state & 1;
  }
  return n;
}

bool sim_gone(const struct sim_run *run, uint32_t population, uint32_t entity) {
  return gone_in(run, population, entity) > 0;
}

bool sim_newly_gone(const struct sim_run *run, uint32_t population, const struct sim_change *c) {
  const struct sim_machine *m = &run->world->machine[c->machine];
  return m->population == population && m->gone >> c->to & 1 && gone_in(run, population, c->entity) == 1;
}
