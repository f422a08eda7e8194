/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Society: the section's tables, and the making of populations, layers and their graphs for a world. */
#ifndef SIM_CORE_SOCIETY_H
#define SIM_CORE_SOCIETY_H
#include "sim/core/run_internal.h"

/* Fills w->population, w->layer, w->graph from the section; diagnostics go to diag. */
int sim_society_build(struct sim_world *w, const struct sim_value *society, struct sim_diag *diag) SIM_MUST_CHECK;
void sim_society_free(struct sim_world *w);
/* The graphs of this replicate, where a layer has one a replicate (or every k replicates); latches an error in the run.
 */
void sim_society_draw_graphs(struct sim_run *run);
#endif
