/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `like:` starts an entry from a sibling, a shipped preset, a model or a file; at the top, from a whole scenario. */
#ifndef SIM_SCENARIO_LIKE_H
#define SIM_SCENARIO_LIKE_H
#include "sim/scenario/tree.h"

/* Parses every preset file into the library. */
void sc_library_load(struct sc *c, struct sc_library *library);
/* Root mapping of a section's preset file, or NULL. */
const struct sc_node *sc_library_presets(const struct sc_library *library, const char *section);
/* The model of a section by name, or NULL; *only the section's only model if it has exactly one. */
const struct sim_model *sc_model_find(const char *section, const char *name, const struct sim_model **only);

/* An entry (or a section that is one mapping, siblings NULL) with its `like` resolved and taken away; its model is set
 * where `models`. siblings: the mapping of entries. NULL after reporting. */
struct sc_node *sc_like_entry(struct sc *c, const struct sc_node *siblings, const struct sc_node *node,
                              const char *section, bool models, const char *path);
/* A whole scenario with the `like` at its top resolved; NULL after reporting. */
struct sc_node *sc_like_root(struct sc *c, struct sc_node *root);
#endif
