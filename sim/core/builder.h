/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The builder: what sim_builder_* of model.h work on while a world is planned. */
#ifndef SIM_CORE_BUILDER_H
#define SIM_CORE_BUILDER_H
#include "sim/core/run_internal.h"

struct sim_builder {
  struct sim_world *world;
  struct sim_diag *diag;
  int failed; /* latched code, for the calls that return no code */
  size_t machine_cap, observable_cap, modifier_cap, moment_cap, server_cap, cost_cap;
  const struct sim_graph **sample; /* [layers] graphs of replicate 0, built for planning */
};
void sim_builder_close(struct sim_builder *b);
uint64_t sim_machine_gone(const struct sim_machine *m); /* bit s: who is in state s is gone (gone.c) */
#endif
