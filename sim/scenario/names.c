/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/names.h"
#include <stdlib.h>
#include <string.h>

bool sc_is_name(const char *text, size_t length) {
  if (length == 0 || text[0] < 'a' || text[0] > 'z') return false;
  for (size_t i = 1; i < length; i++) {
    char ch = text[i];
    if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_')) return false;
  }
  return true;
}

static bool among(const char *words, const char *text) {
  size_t length = strlen(text);
  for (const char *w = words; *w;) {
    size_t n = strcspn(w, " ");
    if (n == length && memcmp(w, text, n) == 0) return true;
    w += n + (w[n] == ' ');
  }
  return false;
}

bool sc_is_reserved(const char *text) {
  return among("on off yes no y n true false null like source call value range note", text);
}

bool sc_path_is_dotted(const char *text) {
  if (!strchr(text, '.')) return false;
  for (const char *part = text;;) {
    size_t n = strcspn(part, ".");
    if (!(n == 1 && part[0] == '*') && !sc_is_name(part, n)) return false;
    if (!part[n]) return true;
    part += n + 1;
  }
}

bool sc_glob(const char *pattern, const char *text) {
  const char *star = NULL, *resume = NULL;
  while (*text) {
    if (*pattern == '*') {
      star = pattern++;
      resume = text;
    } else if (*pattern == *text) {
      pattern++;
      text++;
    } else if (star) {
      pattern = star + 1;
      text = ++resume;
    } else {
      return false;
    }
  }
  while (*pattern == '*') pattern++;
  return !*pattern;
}

unsigned sc_distance(const char *a, const char *b) {
  enum { LONGEST = 40 };
  size_t n = strlen(a), m = strlen(b);
  if (n > LONGEST || m > LONGEST) return n == m && strcmp(a, b) == 0 ? 0 : LONGEST;
  unsigned d[LONGEST + 1][LONGEST + 1];
  for (size_t i = 0; i <= n; i++) d[i][0] = (unsigned)i;
  for (size_t j = 0; j <= m; j++) d[0][j] = (unsigned)j;
  for (size_t i = 1; i <= n; i++)
    for (size_t j = 1; j <= m; j++) {
      unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
      if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
        best = d[i - 2][j - 2] + 1;
      d[i][j] = best;
    }
  return d[n][m];
}

bool sc_names_have(const struct sc_names *names, const char *name) {
  for (size_t i = 0; i < names->n; i++)
    if (strcmp(names->at[i], name) == 0) return true;
  return false;
}

void sc_names_add(struct sc_names *names, const char *name) {
  if (sc_names_have(names, name)) return;
  if (names->n == names->cap) {
    size_t cap = names->cap ? 2 * names->cap : 16;
    const char **at = sc_alloc(names->c, cap * sizeof *at);
    if (names->n) memcpy(at, names->at, names->n * sizeof *at);
    names->at = at;
    names->cap = cap;
  }
  names->at[names->n++] = name;
}

void sc_names_add_words(struct sc_names *names, const char *words) {
  for (const char *w = words; w && *w;) {
    size_t n = strcspn(w, " ");
    if (n) sc_names_add(names, sc_copy(names->c, w, n));
    w += n + (w[n] == ' ');
  }
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *sc_names_hint(const struct sc_names *names, const char *wrong) {
  enum { LISTED = 12 };
  const char *nearest = NULL;
  unsigned least = 1 + (unsigned)strlen(wrong) / 3;
  if (names->n) qsort(names->at, names->n, sizeof *names->at, by_text);
  for (size_t i = 0; i < names->n; i++) {
    unsigned distance = sc_distance(wrong, names->at[i]);
    if (distance < least || (distance == least && !nearest)) {
      least = distance;
      nearest = names->at[i];
    }
  }
  if (nearest) return sc_printf(names->c, "; did you mean `%s`?", nearest);
  if (names->n == 0 || names->n > LISTED) return "";
  struct sc_text t = {.c = names->c};
  for (size_t i = 0; i < names->n; i++) sc_text_add(&t, "%s%s", i ? ", " : "; known: ", names->at[i]);
  return t.at;
}
