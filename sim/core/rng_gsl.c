/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/rng_gsl.h"
#include "sim/core/err.h"

static void set(void *state, unsigned long seed) {
  struct sim_rng rng;
  sim_rng_init(&rng, seed, 0, 0);
  sim_rng_stream_init(state, &rng, sim_purpose("gsl"), 0, 0);
}

static unsigned long get(void *state) {
  return sim_rng_stream_next32(state);
}

static double get_double(void *state) {
  return sim_rng_stream_uniform(state);
}

static const gsl_rng_type type = {
    "sim_philox4x32", UINT32_MAX, 0, sizeof(struct sim_rng_stream), set, get, get_double,
};

const gsl_rng_type *sim_rng_gsl_type(void) {
  return &type;
}

void sim_rng_gsl_init(gsl_rng *r, const struct sim_rng_stream *stream) {
  sim_bug_assert(r->type == &type);
  *(struct sim_rng_stream *)r->state = *stream;
}
