/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/csv.h"
#include "sim/core/mem.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILE       4294967296LL
#define MAX_COMPLAINTS 10

/* ---- whole files ----------------------------------------------------------------------------------------------- */

static int read_stream(FILE *f, char *text, size_t length, const struct sim_value *file, struct sim_diag *diag) {
  if (fread(text, 1, length, f) != length)
    return sim_diag_add(diag, &file->mark, file->path, "%s: could not be read: %s", file->text,
                        errno ? strerror(errno) : "it became shorter");
  text[length] = '\0';
  const char *zero = memchr(text, '\0', length);
  if (zero)
    return sim_diag_add(diag, &file->mark, file->path, "%s: not a text file (a zero byte at offset %zu)", file->text,
                        (size_t)(zero - text));
  return 0;
}

int sim_text_read(char **text, size_t *length, const struct sim_value *file, struct sim_diag *diag) {
  *text = NULL;
  *length = 0;
  int rc;
  struct stat info;
  FILE *f = fopen(file->text, "rb");
  if (!f || fstat(fileno(f), &info) != 0) {
    rc = sim_diag_add(diag, &file->mark, file->path, "%s: could not be opened: %s", file->text, strerror(errno));
    goto out;
  }
  if (!S_ISREG(info.st_mode)) {
    rc = sim_diag_add(diag, &file->mark, file->path, "%s: not a regular file", file->text);
    goto out;
  }
  if (info.st_size == 0) {
    rc = sim_diag_add(diag, &file->mark, file->path, "%s: the file is empty", file->text);
    goto out;
  }
  if (info.st_size > MAX_FILE) {
    rc = sim_diag_add(diag, &file->mark, file->path, "%s: the file is above 4 GB", file->text);
    goto out;
  }
  *length = (size_t)info.st_size;
  *text = sim_alloc(*length + 1);
  errno = 0;
  rc = *text ? read_stream(f, *text, *length, file, diag) : SIM_ERR_MEMORY;
  if (rc == 0 && *length >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) { /* UTF-8 byte order mark */
    *length -= 3;
    memmove(*text, *text + 3, *length + 1);
  }
out:
  if (f) fclose(f);
  if (rc != 0) {
    sim_free(*text);
    *text = NULL;
    *length = 0;
  }
  return rc;
}

/* ---- tables ---------------------------------------------------------------------------------------------------- */

static int complain(const struct sim_csv *csv, unsigned line, struct sim_diag *diag, const char *fmt, va_list args) {
  char text[256];
  vsnprintf(text, sizeof text, fmt, args);
  struct sim_mark mark = {csv->path, line, 0};
  return sim_diag_add(diag, &mark, csv->at, "%s", text);
}

int sim_csv_complain(const struct sim_csv *csv, size_t row, struct sim_diag *diag, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  int rc = complain(csv, row == SIM_CSV_HEADER ? csv->header_line : csv->line[row], diag, fmt, args);
  va_end(args);
  return rc;
}

static SIM_PRINTF(4, 5) int complain_at(const struct sim_csv *csv, unsigned line, struct sim_diag *diag,
                                        const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  int rc = complain(csv, line, diag, fmt, args);
  va_end(args);
  return rc;
}

static char *skip_blanks(char *p) {
  while (*p == ' ' || *p == '\t') p++;
  return p;
}

/* Takes the quoted cell that begins at p, unescaped in place; returns what follows the closing quote, or NULL. */
static char *take_quoted(char *p, char **cell) {
  char *to = p + 1;
  *cell = to;
  for (char *from = p + 1; *from; from++) {
    if (*from == '"') {
      if (from[1] != '"') {
        *to = '\0';
        return skip_blanks(from + 1);
      }
      from++;
    }
    *to++ = *from;
  }
  return NULL;
}

/* Takes the next cell of a line; *p moves behind its comma, or becomes NULL at the end of the line. Returns NULL, or
 * what is wrong. */
static const char *take_cell(char **p, char **cell) {
  char *end, *at = skip_blanks(*p);
  if (*at == '"') {
    end = take_quoted(at, cell);
    if (!end) return "a quote is not closed";
    if (*end && *end != ',') return "text after a closing quote";
  } else {
    *cell = at;
    end = at + strcspn(at, ",");
  }
  bool last = *end == '\0';
  *p = last ? NULL : end + 1;
  if (*at != '"') {
    while (end > at && (end[-1] == ' ' || end[-1] == '\t')) end--;
    *end = '\0';
  }
  return NULL;
}

struct table {
  struct sim_csv *csv;
  struct sim_diag *diag;
  size_t cells, cell_cap, line_cap;
  int complaints, rc;
};

static void note(struct table *t, int rc) {
  t->complaints++;
  if (t->rc != SIM_ERR_MEMORY) t->rc = rc;
}

/* Appends the cells of one line; on a line that is wrong the row is left out and reported. */
static void take_line(struct table *t, char *text, unsigned line) {
  struct sim_csv *csv = t->csv;
  size_t first = t->cells;
  for (char *p = text; p;) {
    char **cells = sim_grow(csv->cell, &t->cell_cap, t->cells + 1, sizeof *cells);
    if (!cells) {
      note(t, SIM_ERR_MEMORY);
      return;
    }
    csv->cell = cells;
    const char *wrong = take_cell(&p, &cells[t->cells++]);
    if (wrong) {
      note(t, complain_at(csv, line, t->diag, "%s", wrong));
      t->cells = first;
      return;
    }
  }
  if (csv->columns == 0) csv->columns = t->cells - first;
  if (t->cells - first != csv->columns) {
    note(t, complain_at(csv, line, t->diag, "%zu cells where the first line has %zu", t->cells - first, csv->columns));
    t->cells = first;
    return;
  }
  unsigned *lines = sim_grow(csv->line, &t->line_cap, csv->rows + 1, sizeof *lines);
  if (!lines) {
    note(t, SIM_ERR_MEMORY);
    return;
  }
  csv->line = lines;
  lines[csv->rows++] = line;
}

/* Makes the first row the header: names not empty, none twice. */
static int take_header(struct sim_csv *csv, struct sim_diag *diag) {
  csv->header = sim_alloc(csv->columns * sizeof *csv->header);
  if (!csv->header) return SIM_ERR_MEMORY;
  csv->header_line = csv->line[0];
  memcpy(csv->header, csv->cell, csv->columns * sizeof *csv->header);
  int rc = 0;
  for (size_t c = 0; c < csv->columns; c++) {
    if (!*csv->header[c]) rc = sim_csv_complain(csv, SIM_CSV_HEADER, diag, "column %zu has no name", c + 1);
    for (size_t b = 0; b < c; b++)
      if (*csv->header[c] && strcmp(csv->header[b], csv->header[c]) == 0)
        rc = sim_csv_complain(csv, SIM_CSV_HEADER, diag, "column '%s' stands twice", csv->header[c]);
  }
  csv->rows--;
  memmove(csv->cell, csv->cell + csv->columns, csv->rows * csv->columns * sizeof *csv->cell);
  memmove(csv->line, csv->line + 1, csv->rows * sizeof *csv->line);
  return rc;
}

int sim_csv_read(struct sim_csv *csv, const struct sim_value *file, bool header, struct sim_diag *diag) {
  *csv = (struct sim_csv){.path = file->text, .at = file->path};
  size_t length;
  int rc = sim_text_read(&csv->text, &length, file, diag);
  if (rc != 0) return rc;
  struct table t = {.csv = csv, .diag = diag};
  unsigned line = 0;
  for (char *p = csv->text; p && t.complaints < MAX_COMPLAINTS && t.rc != SIM_ERR_MEMORY;) {
    line++;
    char *end = strchr(p, '\n'), *next = end ? end + 1 : NULL;
    if (!end) end = p + strlen(p);
    if (end > p && end[-1] == '\r') end--;
    *end = '\0';
    char *first = skip_blanks(p);
    if (*first && *first != '#') take_line(&t, p, line);
    p = next;
  }
  rc = t.rc;
  if (rc == 0 && csv->rows == 0) rc = complain_at(csv, 0, diag, "the file has no rows");
  if (rc == 0 && header) rc = take_header(csv, diag);
  if (rc != 0) sim_csv_free(csv);
  return rc;
}

void sim_csv_free(struct sim_csv *csv) {
  sim_free(csv->text);
  sim_free(csv->header);
  sim_free(csv->cell);
  sim_free(csv->line);
  *csv = (struct sim_csv){0};
}

int sim_csv_column(const struct sim_csv *csv, const char *name) {
  for (size_t c = 0; csv->header && c < csv->columns; c++)
    if (strcmp(csv->header[c], name) == 0) return (int)c;
  return -1;
}

bool sim_csv_number(const struct sim_csv *csv, size_t row, size_t column, double *out) {
  const char *text = csv->cell[row * csv->columns + column];
  if (strspn(text, "+-.0123456789eE") != strlen(text)) return false; /* no hexadecimal, nan, inf */
  char *end;
  *out = strtod(text, &end);
  return end != text && !*end && isfinite(*out);
}

bool sim_csv_whole(const struct sim_csv *csv, size_t row, size_t column, uint32_t low, uint32_t high, uint32_t *out) {
  double number;
  if (!sim_csv_number(csv, row, column, &number) || number != floor(number) || number < low || number > high)
    return false;
  *out = (uint32_t)number;
  return true;
}
