/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A parameter of persons that may go by group: `uptake: {adults: 75 %, elderly: 85 %}`. */
#ifndef MODELS_SHARE_H
#define MODELS_SHARE_H
#include "sim/core/model.h"

/* A number that may go by group. */
struct action_share {
  double all;
  double *group; /* [groups] or NULL */
};

static inline int action_share_init(struct sim_builder *b, const struct sim_value *v, uint32_t population,
                                    struct action_share *share) {
  const struct sim_population *p = sim_builder_population(b, population);
  share->all = v->number;
  if (v->form != SIM_GROUPS) return 0;
  share->group = sim_calloc(p->groups + 1u, sizeof *share->group);
  if (!share->group) return SIM_ERR_MEMORY;
  for (uint32_t g = 0; g < p->groups; g++) {
    const struct sim_value *item = sim_value_find(v, p->group_name[g]);
    if (!item)
      return sim_diag_add(sim_builder_diag(b), &v->mark, v->path, "there is no value for group %s", p->group_name[g]);
    share->group[g] = item->number;
  }
  if (v->n != p->groups)
    return sim_diag_add(sim_builder_diag(b), &v->mark, v->path, "%s has %u groups, but %zu values are given", p->name,
                        (unsigned)p->groups, v->n);
  return 0;
}

static inline double action_share_of(const struct action_share *share, const struct sim_population *p,
                                     uint32_t entity) {
  return share->group ? share->group[p->group[entity]] : share->all;
}
#endif
