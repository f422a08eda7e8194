/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measures: which variables of a results file the tables show, and how their elements are called. */
#ifndef SIM_CLI_MEASURE_H
#define SIM_CLI_MEASURE_H
#include "sim/experiment/results_read.h"

/* True for a variable of runs that the tables of recovery do not show already. */
bool cli_is_measure(const struct sim_variable *v);
/* True for what only --all shows: outputs of models, whose last dimension is a section of the scenario, and the details
 * by episode and by group. */
bool cli_is_detail(const struct sim_variable *v);
/* "level=0.9" or "hazard=flu,day=30" for an element of the dimensions after the replicate; "" without such dimensions;
 * NULL without memory. The caller frees. */
char *cli_element_label(struct sim_results *r, const struct sim_variable *v, size_t element);
/* "peak_load[hazard=flu] (people)", as tables name a row, with "number" for counts of no one unit; NULL without memory.
 * The caller frees. */
char *cli_measure_name(struct sim_results *r, const struct sim_variable *v, size_t element);
/* The variable of runs asked for by name, or NULL after a message of that command that names the nearest. */
const struct sim_variable *cli_find_measure(struct sim_results *r, const char *command, const char *name);
#endif
