/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Populations: sets of entities with attributes, and layers: edge sets over a population. Immutable in a run. */
#ifndef SIM_CORE_POPULATION_H
#define SIM_CORE_POPULATION_H
#include "sim/core/graph.h"

#define SIM_MAX_GROUPS 64

struct sim_population {
  char *name; /* "people", or the layer that brought it */
  uint32_t size;
  uint32_t groups;            /* 0: none declared */
  char **group_name;          /* [groups], sorted by name */
  uint32_t *group_size;       /* [groups] */
  const uint8_t *group;       /* [size] or NULL */
  const uint32_t *weight;     /* [size] or NULL: all 1. Integer weight in functionality and in customers served */
  const float *vulnerability; /* [size] or NULL: all 1 */
  uint64_t weight_total;
};

/* The table of one entry of society.groups and of the file of attributes live in population.c / society.c. Builds
 * `people` (size, shares by group, optional CSV with columns id?, group?, weight?, vulnerability?). Group membership by
 * shares: exact counts by largest remainder, who by a keyed shuffle of purpose "society.groups". */
int sim_population_init(struct sim_population *p, const char *name, uint32_t size, const struct sim_value *groups,
                        const struct sim_value *attributes, const struct sim_rng *rng,
                        struct sim_diag *diag) SIM_MUST_CHECK;
/* Rows of a CSV of attributes (header line excluded): the size of a population that is given by file. */
int sim_population_rows(const struct sim_value *attributes, uint32_t *rows, struct sim_diag *diag) SIM_MUST_CHECK;
/* Index of a group by name, or -1. */
int sim_population_group(const struct sim_population *p, const char *group);
void sim_population_free(struct sim_population *p);
/* First of the `of` things that belong to node `node` of `nodes`: equal blocks, thing i belongs to floor(i nodes / of).
 */
static inline uint32_t sim_block_start(uint32_t node, uint32_t nodes, uint32_t of) {
  return (uint32_t)(((uint64_t)node * of + nodes - 1) / nodes);
}
static inline uint32_t sim_population_weight(const struct sim_population *p, uint32_t i) {
  return p->weight ? p->weight[i] : 1;
}
#endif
