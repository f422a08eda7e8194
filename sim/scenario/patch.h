/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One patch rule for what stands beside `like`, for arms, --set and design points: mappings merge, everything else
 * replaces, null removes (RFC 7396). `*` is any one name; `x 2` multiplies the value below.
 *
 * Patching knows no descriptors. Where a mapping meets a scalar (`latent.mean` on `latent: gamma mean 2 days`) or a
 * factor meets a value, the result keeps what it was patched onto in `under`; sc_settle, which knows the descriptor,
 * makes one value of the two. */
#ifndef SIM_SCENARIO_PATCH_H
#define SIM_SCENARIO_PATCH_H
#include "sim/scenario/tree.h"

/* target (or NULL: absent) patched; NULL if removed. Changes target; copies what it takes from the patch. */
struct sc_node *sc_merge(struct sc *c, struct sc_node *target, const struct sc_node *patch, const char *path);
/* Removes nulls, except in arms and beside `like`, where they are patches. */
void sc_strip_nulls(struct sc_node *node, bool root);
/* Makes one value of a node and what lies under it. */
struct sc_node *sc_settle(struct sc *c, struct sc_node *node, const struct sim_param *p, const char *path);
/* The patch {a: {b: value}} of "a.b"; NULL after reporting a bad path. */
struct sc_node *sc_patch_of(struct sc *c, const char *path, struct sc_node *value);
#endif
