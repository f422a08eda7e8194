/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/budget.h"

const struct sim_value *sim_budget_lines(const struct sim_value *root) {
  const struct sim_value *budget = sim_value_find(root, "budget");
  if (!budget || budget->form != SIM_MAPPING) return NULL;
  const struct sim_value *lines = sim_value_get(budget, "lines");
  return lines->form == SIM_MAPPING && lines->n ? lines : NULL;
}

static double rest_of(const struct sim_value *lines) {
  double rest = 1;
  for (size_t i = 0; i < lines->n; i++) {
    const struct sim_value *share = sim_value_get(&lines->items[i], "share");
    if (share->form == SIM_NUMBER) rest -= share->number;
  }
  return rest > 0 ? rest : 0;
}

double sim_budget_spend(const struct sim_value *budget, const struct sim_value *line) {
  const struct sim_value *share = sim_value_get(line, "share");
  double part = share->form == SIM_NUMBER ? share->number : rest_of(sim_value_get(budget, "lines"));
  return sim_value_number(budget, "total") * part;
}
