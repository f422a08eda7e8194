/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/table.h"
#include "sim/core/mem.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

void cli_table_add(struct cli_table *t, const char *fmt, ...) {
  char text[512];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  char **grown = sim_grow(t->cell, &t->cap, t->n + 1, sizeof *t->cell);
  if (grown) t->cell = grown;
  char *copy = grown ? sim_strdup(text) : NULL;
  if (copy)
    t->cell[t->n++] = copy;
  else
    t->failed = true;
}

void cli_table_number(struct cli_table *t, double value) {
  if (!isfinite(value))
    cli_table_add(t, "-");
  else if (fabs(value) >= 1e4 && fabs(value) < 1e15)
    cli_table_add(t, "%.0f", value);
  else
    cli_table_add(t, "%.4g", value);
}

void cli_table_share(struct cli_table *t, double part, double whole) {
  if (whole > 0)
    cli_table_add(t, "%.3g %%", 100 * part / whole);
  else
    cli_table_add(t, "-");
}

/* As many decimals as the error's two leading digits have. */
void cli_table_mean(struct cli_table *t, double mean, double se, size_t n, size_t of) {
  char few[32] = "";
  if (n < of) snprintf(few, sizeof few, " (n %zu)", n);
  if (!isfinite(mean)) {
    cli_table_add(t, "-");
  } else if (!isfinite(se) || se <= 0) {
    cli_table_add(t, fabs(mean) >= 1e4 && fabs(mean) < 1e15 ? "%.0f%s" : "%.4g%s", mean, few);
  } else {
    int decimals = 1 - (int)floor(log10(se));
    decimals = decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
    cli_table_add(t, "%.*f ± %.*f%s", decimals, mean, decimals, se, few);
  }
}

/* Characters of UTF-8. */
static size_t width(const char *text) {
  size_t n = 0;
  for (; *text; text++) n += (*text & 0xC0) != 0x80;
  return n;
}

int cli_table_print(struct cli_table *t, FILE *out) {
  int code = t->failed ? SIM_ERR_MEMORY : 0;
  size_t *widest = sim_calloc(t->columns, sizeof *widest);
  if (!widest) code = SIM_ERR_MEMORY;
  for (size_t i = 0; code == 0 && i < t->n; i++) {
    size_t w = width(t->cell[i]);
    if (w > widest[i % t->columns]) widest[i % t->columns] = w;
  }
  for (size_t i = 0; code == 0 && i < t->n; i++) {
    size_t column = i % t->columns, pad = widest[column] - width(t->cell[i]);
    bool last = column + 1 == t->columns;
    if (column == 0)
      fprintf(out, "%s%*s%s", t->cell[i], last ? 0 : (int)pad, "", last ? "\n" : "  ");
    else
      fprintf(out, "%*s%s%s", (int)pad, "", t->cell[i], last ? "\n" : "  ");
  }
  for (size_t i = 0; i < t->n; i++) sim_free(t->cell[i]);
  sim_free(t->cell);
  sim_free(widest);
  *t = (struct cli_table){.columns = t->columns};
  return code;
}

void cli_csv_field(FILE *out, const char *text, char end) {
  if (!strpbrk(text, ",\"\r\n")) {
    fprintf(out, "%s%c", text, end);
    return;
  }
  fputc('"', out);
  for (; *text; text++) {
    if (*text == '"') fputc('"', out);
    fputc(*text, out);
  }
  fprintf(out, "\"%c", end);
}
