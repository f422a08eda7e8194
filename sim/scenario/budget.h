/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The budget: lines that buy parameters. A line's spending is its share of the total; a curve turns it into the value
 * of the parameter that the line buys. After `like`, arms, --set and design points that value replaces what stands
 * there, and before `$references` are followed. */
#ifndef SIM_SCENARIO_BUDGET_H
#define SIM_SCENARIO_BUDGET_H
#include "sim/scenario/tree.h"

extern const struct sim_param sc_budget_params[]; /* the section */

/* Buys: puts the value of every line into the expanded root; reports lines that cannot be. Returns the root. */
struct sc_node *sc_budget_apply(struct sc *c, struct sc_node *root);
/* Reports what a patch changes although a line of root's budget buys it. */
void sc_budget_guard(struct sc *c, const struct sc_node *root, const struct sc_node *patch);
/* The descriptor of a curve with the unit of what its line buys (line: the mapping that holds it), or NULL. */
const struct sim_param *sc_budget_curve(struct sc *c, const struct sc_node *line, const struct sim_param *p);
#endif
