/* SPDX-License-Identifier: GPL-3.0-or-later */
/* YAML text to a tree. The subset of the language: one document of mappings, lists and scalars; anchors, aliases, `<<`,
 * tags and further documents are errors, since `like` does their work in the open. */
#ifndef SIM_SCENARIO_YAML_H
#define SIM_SCENARIO_YAML_H
#include "sim/scenario/tree.h"

/* Root of the text, dotted keys nested and sources stamped; NULL after reporting. */
struct sc_node *sc_yaml_parse(struct sc *c, const char *text, size_t length, const struct sc_doc *doc);
/* The value of a patch: a scalar of the language as it is, or YAML where it begins with `{` or `[`, or null. */
struct sc_node *sc_yaml_value(struct sc *c, const char *text, const struct sc_doc *doc);
/* Reads a file into the arena; "-" is standard input. NULL after reporting at `at` (NULL: of the whole file). */
char *sc_read_file(struct sc *c, const char *path, size_t *length, const struct sc_node *at, const char *at_path);
#endif
