/* SPDX-License-Identifier: GPL-3.0-or-later */
/* References: names and paths in a bound scenario that must name something in it. */
#ifndef SIM_SCENARIO_REFS_H
#define SIM_SCENARIO_REFS_H
#include "sim/scenario/tree.h"

/* Checks every reference, signal and observable, that entries' names are unique, and reads the ranges of design.vary.
 */
void sc_check_references(struct sc *c, struct sim_value *root, const char *const *arms, size_t n_arms);
/* The value at a dotted path below root, or NULL. */
const struct sim_value *sc_value_at_path(const struct sim_value *root, const char *path);
#endif
