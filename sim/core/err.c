/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/err.h"
#include "sim/core/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 200 }; /* messages kept; one item more tells how many were not */

const char *sim_err_text(int code) {
  switch (code) {
#define X(name, value, text)                                                                                           \
  case value:                                                                                                          \
    return text;
    SIM_ERRORS(X)
#undef X
  default:
    return "unknown error";
  }
}

static char *format(const char *fmt, va_list args) SIM_PRINTF(1, 0);
static char *format(const char *fmt, va_list args) {
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, fmt, again);
  va_end(again);
  if (length < 0) return NULL;
  char *text = sim_alloc((size_t)length + 1);
  if (!text) return NULL;
  vsnprintf(text, (size_t)length + 1, fmt, args);
  /* What a user wrote may hold newlines and control characters; a message is one line. */
  for (char *c = text; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' ';
  return text;
}

static void item_free(struct sim_diag_item *item) {
  sim_free(item->text);
  sim_free(item->path);
  sim_free(item->file);
}

/* Counts a message beyond the kept ones in the text of the last item. */
static int count_more(struct sim_diag *d) {
  char *text = sim_strf("and %zu more", d->more + 1);
  if (!text) return SIM_ERR_MEMORY;
  struct sim_diag_item *last = &d->items[KEPT];
  if (d->n > KEPT)
    sim_free(last->text);
  else
    d->n++;
  *last = (struct sim_diag_item){.text = text};
  d->more++;
  return SIM_ERR_INPUT;
}

int sim_diag_add(struct sim_diag *d, const struct sim_mark *mark, const char *path, const char *fmt, ...) {
  struct sim_diag_item *items = sim_grow(d->items, &d->cap, d->n + 1, sizeof *items);
  if (!items) return SIM_ERR_MEMORY;
  d->items = items;
  if (d->n >= KEPT) return count_more(d);
  struct sim_diag_item item = {0};
  va_list args;
  va_start(args, fmt);
  item.text = format(fmt, args);
  va_end(args);
  if (!item.text) goto out;
  if (path && !(item.path = sim_strdup(path))) goto out;
  if (mark) {
    if (mark->file && !(item.file = sim_strdup(mark->file))) goto out;
    item.line = mark->line;
    item.column = mark->column;
  }
  d->items[d->n++] = item;
  return SIM_ERR_INPUT;
out:
  item_free(&item);
  return SIM_ERR_MEMORY;
}

void sim_diag_free(struct sim_diag *d) {
  for (size_t i = 0; i < d->n; i++) item_free(&d->items[i]);
  sim_free(d->items);
  *d = (struct sim_diag){0};
}

void sim_bug(const char *expr, const char *file, int line) {
  fprintf(stderr, "airesim: bug at %s:%d: %s does not hold\n", file, line, expr);
  abort();
}
