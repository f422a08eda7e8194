/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small strict reader of text files: a whole file into memory, and CSV tables of a few columns.
 *
 * CSV: cells between commas, spaces around them dropped, quoted "with ""doubled"" quotes" if need be (no line breaks
 * inside), LF or CRLF, empty lines and lines that begin with # skipped, every row as long as the first. */
#ifndef SIM_CORE_CSV_H
#define SIM_CORE_CSV_H
#include "sim/core/param.h"

/* Reads the file that a SIM_FILE value names. The text is NUL-terminated, without a byte order mark; the caller frees
 * it with sim_free. A file that is missing, unreadable, empty, not text (a zero byte) or above 4 GB is reported to diag
 * at the value's mark. */
int sim_text_read(char **text, size_t *length, const struct sim_value *file, struct sim_diag *diag) SIM_MUST_CHECK;

/* A table in memory: cell (r, c) is cell[r * columns + c]. Zero-initialise; sim_csv_free when done. */
struct sim_csv {
  const char *path; /* borrowed from the value */
  const char *at;   /* the value's path in the scenario; borrowed */
  char *text;
  size_t rows, columns;
  char **header;  /* [columns] or NULL */
  char **cell;    /* [rows * columns] */
  unsigned *line; /* [rows], from 1 */
  unsigned header_line;
};
/* Reports errors as file:line; after 10 of one file it stops. */
int sim_csv_read(struct sim_csv *csv, const struct sim_value *file, bool header, struct sim_diag *diag) SIM_MUST_CHECK;
void sim_csv_free(struct sim_csv *csv);
/* Column with this header, or -1. */
int sim_csv_column(const struct sim_csv *csv, const char *name);
/* A cell as a finite number, or as a whole number from low to high. False: it is none (nothing is reported). */
bool sim_csv_number(const struct sim_csv *csv, size_t row, size_t column, double *out);
bool sim_csv_whole(const struct sim_csv *csv, size_t row, size_t column, uint32_t low, uint32_t high, uint32_t *out);
/* Reports at a row, or at the header (row SIM_CSV_HEADER); returns SIM_ERR_INPUT. */
#define SIM_CSV_HEADER SIZE_MAX
int sim_csv_complain(const struct sim_csv *csv, size_t row, struct sim_diag *diag, const char *fmt, ...)
    SIM_PRINTF(4, 5);
#endif
