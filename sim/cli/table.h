/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of text for a terminal: columns as wide as their longest cell. */
#ifndef SIM_CLI_TABLE_H
#define SIM_CLI_TABLE_H
#include "sim/core/err.h"
#include <stdbool.h>
#include <stdio.h>

struct cli_table { /* zero-initialise with .columns set */
  size_t columns;  /* the first is set left, the others right */
  char **cell;     /* row-major; owned */
  size_t n, cap;
  bool failed; /* out of memory: printing says so */
};

void cli_table_add(struct cli_table *t, const char *fmt, ...) SIM_PRINTF(2, 3);
/* A share in percent; mean ± standard error, with n where it is of fewer than `of` runs; a number: all "-" where not
 * finite. */
void cli_table_share(struct cli_table *t, double part, double whole);
void cli_table_mean(struct cli_table *t, double mean, double se, size_t n, size_t of);
void cli_table_number(struct cli_table *t, double value);
/* Prints, first row as heading, and empties the table. */
int cli_table_print(struct cli_table *t, FILE *out) SIM_MUST_CHECK;
/* One field of a CSV line, quoted where it must be (RFC 4180). */
void cli_csv_field(FILE *out, const char *text, char end);
#endif
