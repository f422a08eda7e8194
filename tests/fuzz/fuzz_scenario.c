/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as a scenario: it is refused with messages, or its expanded form loads again to the same scenario. */
#include "sim/core/mem.h"
#include "sim/scenario/scenario.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct sim_scenario *s) {
  struct sim_diag diag = {0};
  struct sim_scenario *second = NULL;
  char *text = sim_scenario_expanded(s, false);
  sim_bug_assert(text != NULL);
  int ret = sim_scenario_parse(&second, text, strlen(text), "expanded", NULL, NULL, 0, &diag);
  sim_bug_assert(ret == 0);
  sim_bug_assert(sim_scenario_hash(second) == sim_scenario_hash(s));
  sim_scenario_free(second);
  sim_free(text);
  sim_diag_free(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct sim_diag diag = {0};
  struct sim_scenario *s = NULL;
  int ret = sim_scenario_parse(&s, (const char *)data, size, "input", NULL, NULL, 0, &diag);
  sim_bug_assert((ret == 0) == (s != NULL));
  sim_bug_assert(ret == 0 || diag.n > 0);
  for (size_t arm = 0; s && arm < sim_scenario_arms(s); arm++) {
    struct sim_bound *bound = NULL;
    sim_bug_assert(sim_scenario_bind(&bound, s, arm, NULL, 0, &diag) == 0);
    sim_bound_free(bound);
  }
  if (s) again(s);
  sim_scenario_free(s);
  sim_diag_free(&diag);
  return 0;
}
