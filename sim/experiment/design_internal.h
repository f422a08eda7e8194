/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of a design share. */
#ifndef SIM_EXPERIMENT_DESIGN_INTERNAL_H
#define SIM_EXPERIMENT_DESIGN_INTERNAL_H
#include "sim/experiment/design.h"

#define SIM_DESIGN_MOST_POINTS 1000000

/* Index of a factor by path, or factors. */
size_t sim_design_factor(const struct sim_design *d, const char *path);
/* Adds a factor unless it is there; *cap of both arrays. */
int sim_design_add_factor(struct sim_design *d, size_t *cap, const char *path, const char *unit) SIM_MUST_CHECK;
/* The bound value at a path, or NULL. */
const struct sim_value *sim_design_value_at(const struct sim_value *v, const char *path);

/* Fills points, cube, kind and structure, from the factors and the bound call `sample`. */
int sim_design_make_points(struct sim_design *d, const struct sim_value *sample, struct sim_diag *diag) SIM_MUST_CHECK;
/* Factors, ranges, points and values from the file of a call `csv`. */
int sim_design_read_csv(struct sim_design *d, const struct sim_scenario *s, const struct sim_value *sample,
                        struct sim_diag *diag) SIM_MUST_CHECK;
/* Drops the points that break one of the section's constraints. */
int sim_design_constrain(struct sim_design *d, const struct sim_scenario *s, const struct sim_value *section,
                         struct sim_diag *diag) SIM_MUST_CHECK;
#endif
