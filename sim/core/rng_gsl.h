/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keyed stream as a generator of GSL, for GSL's and igraph's algorithms. */
#ifndef SIM_CORE_RNG_GSL_H
#define SIM_CORE_RNG_GSL_H
#include "sim/core/rng.h"
#include <gsl/gsl_rng.h>

/* 32-bit integers and uniforms on (0, 1). gsl_rng_set(r, seed) restarts the stream named ("gsl", 0, 0) of that seed;
 * use sim_rng_gsl_init to give it a name of its own. */
const gsl_rng_type *sim_rng_gsl_type(void);

/* Makes r, allocated with sim_rng_gsl_type, continue from a copy of the stream. */
void sim_rng_gsl_init(gsl_rng *r, const struct sim_rng_stream *stream);
#endif
