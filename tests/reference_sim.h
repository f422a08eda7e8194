/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plain simulator of SIR and SIS on a small graph with scheduled changes of multipliers, for tests of exactness.
 *
 * It shares no code with sim/ and is slow on purpose: at every event it looks at every pair of a susceptible v and an
 * infectious neighbour u, whose integral of m dH(age of u) has reached `done` of its threshold E ~ Exp(1). m is
 * constant between events, so the pair fires at the age a' with H(a') = H(a) + (E - done) / m. The first event of all
 * happens, every pair's integral is advanced to it, and so on. */
#ifndef TESTS_REFERENCE_SIM_H
#define TESTS_REFERENCE_SIM_H
#include <stdbool.h>
#include <stdint.h>

#define REF_NODES 64

/* Weibull law, H(a) = (a / scale)^shape with shape 1 (exponential) or 2: both inverses are elementary. */
struct ref_law {
  int shape;
  double scale;
};

/* At `time` a multiplier takes the value `factor`: of everything, or of a node, as a source, a target, or both. */
enum ref_scope { REF_LAYER, REF_NODE, REF_SOURCE, REF_TARGET };
struct ref_change {
  double time;
  enum ref_scope scope;
  int node;
  double factor;
};

/* Mistakes that a simulator could make, for checks that the comparison would notice. */
enum ref_mistake {
  REF_EXACT,
  REF_KEEPS_SCHEDULE, /* a change is not seen by pairs that are already at work */
  REF_RESTARTS,       /* after a change of its multiplier a pair starts its integral again */
  REF_AGE_STOPS,      /* an infector's age stands still while it cannot transmit */
  REF_SOURCE_KEY      /* one threshold for an edge and a stay of u, whatever happens to v meanwhile */
};

struct ref_problem {
  int nodes;
  bool edge[REF_NODES][REF_NODES]; /* symmetric */
  struct ref_law transmission, infectious;
  bool susceptible_again; /* SIS, else SIR */
  bool for_ever;          /* SI: nobody recovers */
  int seeds;              /* nodes 0 .. seeds - 1 are infected at time 0 */
  int changes;
  const struct ref_change *change; /* [changes], in time order */
  double horizon;
  enum ref_mistake mistake;
};

struct ref_result {
  int infections;          /* seeds included */
  int infectious;          /* at the horizon */
  double last_infectious;  /* the time at which nobody was infectious any more, or the horizon */
  double susceptible_days; /* integral of the number of susceptible */
};

void ref_run(const struct ref_problem *problem, uint64_t seed, struct ref_result *result);
#endif
