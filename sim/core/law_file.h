/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The values of an empirical law, read from a CSV file; for law_init.c. */
#ifndef SIM_CORE_LAW_FILE_H
#define SIM_CORE_LAW_FILE_H
#include "sim/core/law.h"

/* Fills table, table_size and mean. Reports the first problem to diag at the value's mark, with the file's line. 0, or
 * SIM_ERR_INPUT, or SIM_ERR_MEMORY. */
int sim_law_read(struct sim_law *law, const char *file, const struct sim_value *value,
                 struct sim_diag *diag) SIM_MUST_CHECK;
#endif
