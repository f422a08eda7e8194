/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a loaded scenario holds; for the files of this folder. */
#ifndef SIM_SCENARIO_INTERNAL_H
#define SIM_SCENARIO_INTERNAL_H
#include "sim/scenario/scenario.h"
#include "sim/scenario/tree.h"

struct sc_arm {
  const char *name;
  const struct sc_node *written; /* as in the scenario, `like` included */
  const struct sc_node **patch;  /* from the root of its `like` chain to its own */
  size_t n;
};

struct sim_scenario {
  struct sc_arena arena;
  struct sc_library library;
  const char *directory;
  struct sim_scenario_origin origin;
  const struct sc_node *base; /* expanded, without arms */
  const char *source;         /* default source at the top, for arms */
  struct sc_arm *arm;
  const char **arm_name;
  size_t n_arms;
  bool unnamed; /* no arms were given: there is one, "base" */
};

struct sim_bound {
  struct sc_arena arena;
  struct sim_value root;
};

/* Patches a copy of the base into c's arena, expands it and makes it c's context. */
struct sc_node *sc_scenario_tree(struct sc *c, const struct sim_scenario *s, size_t arm, const struct sim_patch *point,
                                 size_t n_point);
#endif
