/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plain reference for the runs of contagion, on the engine's own draws.
 *
 * A run of the engine is recorded: every move of an entity and every change of a multiplier, in order. The reference
 * then goes through that record with the same named draws, by the plainest method: it carries the integral of every
 * pair of a target and a source forward from event to event, and looks at all of them for what comes next. So every
 * infection and every timed transition must be where the reference has it, and none may be missing; what others do
 * (incidents, services, multipliers) is taken from the record. One function, `keyed_edge`, knows how an edge's draw is
 * named, another how a contact's is; the rest is definition. */
#ifndef TESTS_KEYED_SIM_H
#define TESTS_KEYED_SIM_H
#include "sim/core/world.h"

/* Mistakes that a simulator could make, for checks that the comparison would notice. */
enum keyed_mistake {
  KEYED_EXACT,
  KEYED_KEEPS_SCHEDULE,  /* a change of a multiplier is not seen by pairs that are already at work */
  KEYED_RESTARTS,        /* after a change of a multiplier every pair starts its integral again */
  KEYED_AGE_STOPS,       /* an infector's age stands still while it transmits nothing */
  KEYED_SOURCE_KEY,      /* one draw for an edge and a stay of the source, whatever the target did meanwhile */
  KEYED_STAYS_SHUT,      /* what was once multiplied by zero is not opened again */
  KEYED_NO_WEIGHTS,      /* weights of edges are ignored */
  KEYED_BOTH_DIRECTIONS, /* arcs are taken both ways */
  KEYED_ONE_LAYER,       /* a layer's multiplier acts on all layers */
  KEYED_MISTAKES
};

struct keyed_sim;

/* For one hazard of a planned world. Reads its entry in `root` (the bound scenario); wraps its model's callbacks in the
 * world, so the world must outlive it. Aborts the test on what it cannot read. */
struct keyed_sim *keyed_create(struct sim_world *world, const struct sim_value *root, const char *hazard);
void keyed_free(struct keyed_sim *k);

/* Before a run is executed: records what it does. One recording at a time. */
void keyed_record(struct keyed_sim *k, struct sim_run *run);
/* After it: compares the record with the reference. Returns NULL, or what differs (valid until the next call). The
 * run's graphs and draws must still be those of the replicate. */
const char *keyed_compare(struct keyed_sim *k, const struct sim_run *run, enum keyed_mistake mistake);

/* What was recorded, so that a test can say that it tested something. */
struct keyed_counts {
  uint64_t infections, exits, others, multipliers;
};
struct keyed_counts keyed_counts(const struct keyed_sim *k);
#endif
