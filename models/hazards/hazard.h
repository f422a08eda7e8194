/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What hazards over contact layers share: their list of layers with strengths, and the draw of who is in another state
 * at the start. Inline functions only: a model remains one file. */
#ifndef MODELS_HAZARDS_HAZARD_H
#define MODELS_HAZARDS_HAZARD_H
#include "sim/core/model.h"

struct hazard_layer {
  uint32_t layer;   /* the world's */
  bool mixing;      /* homogeneous */
  double contacts;  /* a person, where mixing */
  double strength;  /* of this layer, by the key `strength` */
  uint32_t purpose; /* for draws about its contacts; the model's to set */
};

/* Reads the keys `layer` and `strength`. *layer: [*n], to be freed; all over one *population. */
static inline int hazard_layers_init(struct sim_builder *b, const struct sim_instance *self,
                                     struct hazard_layer **layer, unsigned *n, uint32_t *population) {
  size_t names;
  const struct sim_value *list = sim_value_list(self->params, "layer", &names);
  const struct sim_value *strength = sim_value_get(self->params, "strength");
  *n = 0;
  *layer = sim_calloc(names + 1, sizeof **layer);
  if (!*layer) return SIM_ERR_MEMORY;
  if (!names)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path, "a %s needs a `layer`",
                        self->model->name);
  for (size_t i = 0; i < names; i++) {
    uint32_t id = sim_builder_find_layer(b, list[i].text);
    if (id == SIM_NONE)
      return sim_diag_add(sim_builder_diag(b), &list[i].mark, list[i].path, "there is no layer %s", list[i].text);
    const struct sim_layer *found = sim_builder_layer(b, id);
    if (i && *population != found->population)
      return sim_diag_add(sim_builder_diag(b), &list[i].mark, list[i].path,
                          "layer %s has other nodes than the layers before it", found->name);
    *population = found->population;
    const struct sim_value *factor = strength->form == SIM_MAPPING ? sim_value_find(strength, found->name) : NULL;
    (*layer)[(*n)++] = (struct hazard_layer){id, found->mixing, found->contacts, factor ? factor->number : 1, 0};
  }
  return 0;
}

/* ---- states that the model fixes itself -------------------------------------------------------------------------- */

enum { HAZARD_FIXED_STATES = 8 };

/* The machine of a model whose states are its table: the first is everyone's at rest, incidents seed `seeded`, which
 * alone counts in the active load. */
static inline int hazard_machine(struct sim_builder *b, struct sim_instance *self, uint32_t population, uint8_t seeded,
                                 const struct sim_transition *transition, unsigned transitions) {
  const struct sim_state_desc *states = self->model->states;
  const char *names[HAZARD_FIXED_STATES];
  double functionality[HAZARD_FIXED_STATES];
  uint8_t active[HAZARD_FIXED_STATES] = {0};
  unsigned n = 0;
  for (; states[n].name; n++) {
    sim_bug_assert(n < HAZARD_FIXED_STATES);
    names[n] = states[n].name;
    functionality[n] = states[n].functionality;
  }
  active[seeded] = 1;
  struct sim_machine_spec spec = {.population = population,
                                  .states = n,
                                  .state_names = names,
                                  .functionality = functionality,
                                  .active = active,
                                  .rest = 0,
                                  .seeded = seeded,
                                  .transitions = transitions,
                                  .transition = transition};
  return sim_builder_machine(b, self, &spec);
}

/* How many `initial` puts into a state at the start. */
static inline uint32_t hazard_initial_count(const struct sim_builder *b, const struct sim_instance *self,
                                            uint32_t population, const char *state) {
  const struct sim_value *initial = sim_value_get(self->params, "initial");
  double share = initial->form == SIM_MAPPING ? sim_value_number(initial, state) : 0;
  return (uint32_t)floor(share * sim_builder_population(b, population)->size + 0.5);
}

/* ---- who starts in another state ---------------------------------------------------------------------------------
 */

/* order: [size] 0 .. size - 1, for hazard_initial_draw. NULL: out of memory. */
static inline uint32_t *hazard_initial_order(uint32_t size) {
  uint32_t *order = sim_calloc(size + 1u, sizeof *order);
  for (uint32_t i = 0; order && i < size; i++) order[i] = i;
  return order;
}

static inline void hazard_swap(uint32_t *order, uint32_t i, uint32_t j) {
  uint32_t kept = order[i];
  order[i] = order[j];
  order[j] = kept;
}

/* A keyed partial shuffle: order[0 .. n) are the chosen; `undo` with the same numbers restores the order, so that a run
 * pays for those it chooses and not for everyone. */
static inline void hazard_initial_draw(const struct sim_run *run, uint32_t purpose, uint32_t *order, uint32_t size,
                                       uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    hazard_swap(order, i, i + sim_rng_below(sim_run_rng(run), purpose, i, 0, 0, size - i));
}
static inline void hazard_initial_undo(const struct sim_run *run, uint32_t purpose, uint32_t *order, uint32_t size,
                                       uint32_t n) {
  for (uint32_t i = n; i-- > 0;) hazard_swap(order, i, i + sim_rng_below(sim_run_rng(run), purpose, i, 0, 0, size - i));
}
#endif
