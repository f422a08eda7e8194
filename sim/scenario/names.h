/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and paths of the language, and the nearest name for messages. */
#ifndef SIM_SCENARIO_NAMES_H
#define SIM_SCENARIO_NAMES_H
#include "sim/scenario/tree.h"

/* [a-z][a-z0-9_]*, of the given length. */
bool sc_is_name(const char *text, size_t length);
/* A name that users may not give: YAML 1.1 booleans and the keys that any mapping may hold. */
bool sc_is_reserved(const char *text);
/* name.name..., where each part may be `*`; at least two parts. */
bool sc_path_is_dotted(const char *text);
/* Whether `text` matches a pattern in which `*` stands for any characters. */
bool sc_glob(const char *pattern, const char *text);

/* A set of names that would have been right, gathered to name the nearest one. */
struct sc_names {
  struct sc *c;
  const char **at;
  size_t n, cap;
};
void sc_names_add(struct sc_names *names, const char *name);
void sc_names_add_words(struct sc_names *names, const char *words); /* separated by spaces */
bool sc_names_have(const struct sc_names *names, const char *name);
/* "; did you mean `x`?", or "; known: a, b, c", or "". */
const char *sc_names_hint(const struct sc_names *names, const char *wrong);
/* Optimal string alignment distance (Damerau 1964): insertions, deletions, substitutions, neighbours swapped. */
unsigned sc_distance(const char *a, const char *b);
#endif
