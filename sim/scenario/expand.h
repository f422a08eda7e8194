/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expanding: every `like` resolved, every default filled in, every node told its descriptor. Expanding again changes
 * nothing, so an arm's patch is followed by expanding what it brought. */
#ifndef SIM_SCENARIO_EXPAND_H
#define SIM_SCENARIO_EXPAND_H
#include "sim/scenario/tree.h"

struct sc_node *sc_expand(struct sc *c, struct sc_node *node, const struct sim_param *p, const char *path);
/* The keys of a mapping: its model's, its descriptor's, or NULL. */
const struct sim_param *sc_table(const struct sc_node *node, const struct sim_param *p);
const struct sim_param *sc_table_find(const struct sim_param *table, const char *key);
/* Whether a table holds a key without which it is wrong. */
bool sc_table_requires(const struct sim_param *table);
#endif
