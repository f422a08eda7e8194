/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Binding: an expanded tree checked against the descriptors and typed. References are checked afterwards, on the whole
 * bound tree (refs.h). */
#ifndef SIM_SCENARIO_BIND_H
#define SIM_SCENARIO_BIND_H
#include "sim/scenario/tree.h"

/* Binds one node (NULL: absent) into *out, reporting what is wrong; out->form is SIM_ABSENT then. */
void sc_bind(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
             struct sim_value *out);
/* Takes `start` and `currency` from the root and makes it the tree in which references are looked up. */
void sc_bind_context(struct sc *c, const struct sc_node *root);
/* Whether a source key is built in, in `sources`, or in the bibliography. */
bool sc_source_known(struct sc *c, const char *key);
/* Follows a dotted path into the tree, into scalars too; NULL if it ends in nothing. */
const struct sc_node *sc_find_path(struct sc *c, const struct sc_node *node, const char *path);
#endif
