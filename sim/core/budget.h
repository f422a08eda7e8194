/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spending of the lines of a bound budget; what they buy is the scenario layer's (sim/scenario/budget.h). */
#ifndef SIM_CORE_BUDGET_H
#define SIM_CORE_BUDGET_H
#include "sim/core/param.h"

/* The lines of a bound scenario's budget, or NULL. */
const struct sim_value *sim_budget_lines(const struct sim_value *root);
/* Spending of a line in currency a year: its share of the total; `rest` is what the other lines leave. */
double sim_budget_spend(const struct sim_value *budget, const struct sim_value *line);
#endif
