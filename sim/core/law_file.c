/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/law_file.h"
#include "sim/core/mem.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 26, CHUNK = 1 << 16 };

struct sample {
  double value, weight;
};

/* The whole file as text, ended by NUL; NULL with *ret set. */
static char *read_all(const char *file, size_t *bytes, int *ret) {
  char *text = NULL;
  size_t length = 0, cap = 0;
  errno = 0;
  FILE *f = fopen(file, "rb");
  *ret = SIM_ERR_IO;
  if (!f) return NULL;
  for (;;) {
    char *grown = sim_grow(text, &cap, length + CHUNK + 1, 1);
    if (!grown) {
      *ret = SIM_ERR_MEMORY;
      goto out;
    }
    text = grown;
    size_t got = fread(text + length, 1, CHUNK, f);
    length += got;
    if (ferror(f)) goto out;
    if (length > MOST_BYTES) {
      *ret = SIM_ERR_LIMIT;
      goto out;
    }
    if (got < CHUNK) break;
  }
  fclose(f);
  text[length] = 0;
  *bytes = length;
  *ret = 0;
  return text;
out:;
  int error = errno;
  fclose(f);
  sim_free(text);
  errno = error;
  return NULL;
}

static char *skip_blanks(char *c) {
  while (*c == ' ' || *c == '\t') c++;
  return c;
}

/* A decimal number at *c, moving *c behind it and the blanks that follow. */
static bool read_number(char **c, double *number) {
  char *start = skip_blanks(*c), *end;
  if (!strchr("+-.0123456789", *start) || *start == 0 || start[strspn(start, "+-")] == 'n' ||
      start[strspn(start, "+-")] == 'i')
    return false;
  *number = strtod(start, &end);
  if (end == start) return false;
  *c = skip_blanks(end);
  return true;
}

/* One line, "value" or "value,weight". Without a weight it is 1. NULL, or what is wrong with it. */
static const char *read_sample(char *line, struct sample *s, bool *weighted) {
  char *c = line;
  *weighted = false;
  s->weight = 1;
  if (!read_number(&c, &s->value)) return "a number is expected";
  if (*c == ',') {
    c++;
    *weighted = true;
    if (!read_number(&c, &s->weight)) return "a weight is expected after the comma";
  }
  if (*c) return "a line holds a value, or a value and a weight";
  if (!(s->value >= 0) || isinf(s->value)) return "a value must be 0 or more and finite";
  if (!(s->weight >= 0) || isinf(s->weight)) return "a weight must be 0 or more and finite";
  return NULL;
}

/* Splits text into samples. 0, SIM_ERR_MEMORY, or SIM_ERR_INPUT with *problem and *line. */
static int parse(char *text, struct sample **samples, size_t *n, const char **problem, unsigned *line) {
  size_t cap = 0;
  bool first = true, columns = false;
  for (char *next = text; next;) {
    char *start = next;
    next = strchr(start, '\n');
    if (next) *next++ = 0;
    ++*line;
    size_t length = strlen(start);
    if (length > 0 && start[length - 1] == '\r') start[length - 1] = 0;
    if (*skip_blanks(start) == 0) continue;
    struct sample s;
    bool weighted;
    *problem = read_sample(start, &s, &weighted);
    char *probe = start;
    double ignored;
    bool header = first && *problem && !read_number(&probe, &ignored);
    first = false;
    if (header) continue;
    if (!*problem && *n > 0 && weighted != columns) *problem = "all lines need the same number of columns";
    if (*problem) return SIM_ERR_INPUT;
    columns = weighted;
    struct sample *grown = sim_grow(*samples, &cap, *n + 1, sizeof **samples);
    if (!grown) return SIM_ERR_MEMORY;
    *samples = grown;
    grown[(*n)++] = s;
  }
  return 0;
}

/* By value, then weight, so that sums do not depend on the order of lines. */
static int compare(const void *a, const void *b) {
  const struct sample *p = a, *q = b;
  if (p->value != q->value) return p->value < q->value ? -1 : 1;
  return (p->weight > q->weight) - (p->weight < q->weight);
}

/* Sorts, merges equal values, drops those without weight: pairs (value, cumulative probability). */
static int tabulate(struct sim_law *law, struct sample *samples, size_t n, double total) {
  qsort(samples, n, sizeof *samples, compare);
  law->table = sim_realloc_array(NULL, 2 * n, sizeof *law->table);
  if (!law->table) return SIM_ERR_MEMORY;
  double sum = 0, moment = 0;
  uint32_t used = 0;
  for (size_t i = 0; i < n; i++) {
    if (!(samples[i].weight > 0)) continue;
    sum += samples[i].weight;
    moment += samples[i].weight / total * samples[i].value;
    if (used == 0 || law->table[2 * used - 2] != samples[i].value) law->table[2 * used++] = samples[i].value;
    law->table[2 * used - 1] = sum;
  }
  for (uint32_t i = 0; i < used; i++) law->table[2 * i + 1] /= sum; /* the last becomes exactly 1 */
  law->table_size = 2 * used;
  law->mean = moment;
  return 0;
}

int sim_law_read(struct sim_law *law, const char *file, const struct sim_value *value, struct sim_diag *diag) {
  int ret;
  struct sample *samples = NULL;
  size_t bytes, n = 0;
  unsigned line = 0;
  const char *problem = NULL;
  char *text = read_all(file, &bytes, &ret);
  if (ret == SIM_ERR_IO)
    return sim_diag_add(diag, &value->mark, value->path, "cannot read %s: %s", file, strerror(errno));
  if (ret == SIM_ERR_LIMIT)
    return sim_diag_add(diag, &value->mark, value->path, "%s is larger than %d MB", file, MOST_BYTES >> 20);
  if (ret != 0) return ret;
  if (strlen(text) != bytes) {
    ret = sim_diag_add(diag, &value->mark, value->path, "%s is not a text file", file);
    goto out;
  }
  ret = parse(text, &samples, &n, &problem, &line);
  if (ret == SIM_ERR_INPUT) ret = sim_diag_add(diag, &value->mark, value->path, "%s:%u: %s", file, line, problem);
  if (ret != 0) goto out;
  double total = 0;
  for (size_t i = 0; i < n; i++) total += samples[i].weight;
  if (!(total > 0) || isinf(total)) {
    ret = sim_diag_add(diag, &value->mark, value->path, "%s holds no value with a weight above 0", file);
    goto out;
  }
  ret = tabulate(law, samples, n, total);
out:
  sim_free(samples);
  sim_free(text);
  return ret;
}
