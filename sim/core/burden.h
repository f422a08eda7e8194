/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Burdens on freedom and privacy in the results: their prices and columns. sim_burden of model.h counts them. */
#ifndef SIM_CORE_BURDEN_H
#define SIM_CORE_BURDEN_H
#include "sim/core/run_internal.h"

extern const struct sim_param sim_price_params[]; /* measures.prices */
/* Adds the columns; add: appends one to the world's. */
int sim_burden_columns(struct sim_world *w, const char *currency,
                       int (*add)(struct sim_world *w, size_t *cap, const struct sim_column *c),
                       size_t *cap) SIM_MUST_CHECK;
/* Before the models' `end`: nothing was counted yet. */
void sim_burdens_begin(const struct sim_world *w, double *columns);
#endif
