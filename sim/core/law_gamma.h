/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cumulative hazard of the gamma law (scale 1) and its inverse, for law.c. */
#ifndef SIM_CORE_LAW_GAMMA_H
#define SIM_CORE_LAW_GAMMA_H
#include "sim/core/err.h"
#include <stdint.h>

#define SIM_GAMMA_MIN_SHAPE 0.01
#define SIM_GAMMA_MAX_SHAPE 1000.0

/* Builds the table of H^-1 for a shape within the limits; the caller frees with sim_free. 0 or SIM_ERR_MEMORY. */
int sim_gamma_table(double shape, double **table, uint32_t *size) SIM_MUST_CHECK;
double sim_gamma_hazard(double shape, double x);
/* H^-1 of each e[i], in its place. */
void sim_gamma_inverses(double shape, const double *table, uint32_t size, double *e, uint32_t n);
#endif
