/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The expanded scenario as YAML, its hash, and the difference of two. */
#include "sim/scenario/bind.h"
#include "sim/scenario/budget.h"
#include "sim/scenario/expand.h"
#include "sim/scenario/scalar.h"
#include "sim/scenario/scenario_internal.h"
#include "sim/scenario/sections.h"
#include <stdlib.h>
#include <string.h>

struct writer {
  struct sc *c;
  struct sc_text text;
  bool flat;    /* a line "path: value" for each leaf, for differences */
  bool origins; /* a comment on each line */
};

/* ---- lines ------------------------------------------------------------------------------------------------------ */

/* A text as YAML: plain where that reads back as the same text in block and flow, else in double quotes. */
static const char *yaml_text(struct sc *c, const char *text, bool quoted) {
  bool plain = text[0] && !(quoted && strncmp(text, "x ", 2) == 0) &&
               strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.$") > 0 &&
               !(quoted && text[0] == '$') && strcmp(text, "null") != 0 && text[strlen(text) - 1] != ' ' &&
               text[strlen(text) - 1] != ':' && !strpbrk(text, "[]{},\"'\\\n\t") && !strstr(text, ": ") &&
               !strstr(text, " #");
  if (plain) return text;
  struct sc_text t = {.c = c};
  sc_text_add(&t, "\"");
  for (; *text; text++) {
    if (*text == '\n')
      sc_text_add(&t, "\\n");
    else if (*text == '\t')
      sc_text_add(&t, "\\t");
    else if (*text == '"' || *text == '\\')
      sc_text_add(&t, "\\%c", *text);
    else
      sc_text_add(&t, "%c", *text);
  }
  sc_text_add(&t, "\"");
  return t.at;
}

static void origin(struct writer *w, const struct sc_node *node) {
  struct sim_mark mark = sc_mark(node);
  if (!w->origins) return;
  if (mark.file && mark.line)
    sc_text_add(&w->text, "  # %s:%u", mark.file, mark.line);
  else if (mark.file)
    sc_text_add(&w->text, "  # %s", mark.file); /* bought by a line of the budget */
  else
    sc_text_add(&w->text, "  # default");
}

static const char *yaml_key(const char *key) {
  return strcmp(key, "*") == 0 ? "\"*\"" : key;
}

static void leaf(struct writer *w, int depth, const char *path, const char *key, const char *value,
                 const struct sc_node *node) {
  if (w->flat)
    sc_text_add(&w->text, "%s: %s", path, value);
  else
    sc_text_add(&w->text, "%*s%s: %s", 2 * depth, "", yaml_key(key), value);
  origin(w, node);
  sc_text_add(&w->text, "\n");
}

static void open_map(struct writer *w, int depth, const char *key, bool empty) {
  if (!w->flat && key) sc_text_add(&w->text, "%*s%s:%s\n", 2 * depth, "", yaml_key(key), empty ? " {}" : "");
}

/* ---- what stays as it was written: arms, and what only an arm makes right -----------------------------------------
 */

static bool is_citation(const struct sc_node *child) {
  return child->key && strcmp(child->key, "source") == 0;
}

static const char *raw_scalar(struct writer *w, const struct sc_node *node, const char *source) {
  if (node->kind == SC_NULL) return "null";
  const char *text = yaml_text(w->c, node->text, node->quoted);
  const char *own = node->source ? node->source : "assumed";
  bool tagged = strchr(node->text, '@') != NULL || strcmp(own, source) == 0;
  return tagged ? text : sc_printf(w->c, "%s @%s", text, own);
}

static void raw(struct writer *w, int depth, const char *path, const struct sc_node *node, const char *source);

static const char *raw_list(struct writer *w, const struct sc_node *node, const char *source) {
  struct sc_text t = {.c = w->c};
  sc_text_add(&t, "[");
  for (size_t i = 0; i < node->n; i++)
    if (node->items[i]->kind == SC_SCALAR || node->items[i]->kind == SC_NULL)
      sc_text_add(&t, "%s%s", i ? ", " : "", raw_scalar(w, node->items[i], source));
  sc_text_add(&t, "]");
  return t.at;
}

/* The children of a mapping. Their citations stand again as a `source` of the mapping where it differs from around. */
static void raw_children(struct writer *w, int depth, const char *path, const struct sc_node *node,
                         const char *source) {
  struct sc_node sorted = sc_node_shallow(w->c, node);
  sc_node_sort(&sorted);
  for (size_t i = 0; i < sorted.n; i++) {
    const struct sc_node *child = sorted.items[i];
    if (child->kind != SC_SCALAR || is_citation(child) || strcmp(child->key, "like") == 0) continue;
    const char *own = child->source ? child->source : "assumed";
    if (strcmp(own, source) != 0) leaf(w, depth, sc_printf(w->c, "%s.source", path), "source", own, child);
    source = own;
    break;
  }
  for (size_t i = 0; i < sorted.n; i++) {
    const struct sc_node *child = sorted.items[i];
    if (!is_citation(child)) raw(w, depth, sc_printf(w->c, "%s.%s", path, child->key), child, source);
  }
}

static void raw(struct writer *w, int depth, const char *path, const struct sc_node *node, const char *source) {
  bool like = strcmp(node->key, "like") == 0;
  if (node->kind == SC_MAP) {
    bool empty = true;
    for (size_t i = 0; i < node->n; i++) empty = empty && is_citation(node->items[i]);
    open_map(w, depth, node->key, empty);
    if (empty && w->flat) leaf(w, depth, path, node->key, "{}", node);
    raw_children(w, depth + 1, path, node, source);
  } else if (node->kind == SC_LIST) {
    leaf(w, depth, path, node->key, raw_list(w, node, source), node);
  } else {
    leaf(w, depth, path, node->key, like ? node->text : raw_scalar(w, node, source), node);
  }
}

/* ---- what is understood -------------------------------------------------------------------------------------------
 */

static const char *cited(struct writer *w, const char *text, const char *source) {
  return strcmp(source, "assumed") == 0 ? text : sc_printf(w->c, "%s @%s", text, source);
}

static bool is_reference(const struct sc_node *node, const struct sim_param *p) {
  return node && node->kind == SC_SCALAR && !node->quoted && node->text[0] == '$' && p->kind != SIM_TEXT;
}

static void value(struct writer *w, int depth, const char *key, const struct sc_node *node, const struct sim_value *v);

/* Whether a call can be written on one line: one source, nothing nested, no reference in it. */
static bool is_one_line(const struct sc_node *map, const struct sim_value *v) {
  const char *source = NULL;
  for (size_t i = 0; i < v->n; i++) {
    const struct sim_value *item = &v->items[i];
    if (item->form == SIM_ABSENT) continue;
    bool plain = item->form == SIM_NUMBER || item->form == SIM_NAME;
    if (!plain || is_reference(sc_node_find(map, item->name), item->param)) return false;
    if (item->form == SIM_NAME) continue;
    if (source && strcmp(source, item->source) != 0) return false;
    source = item->source;
  }
  return true;
}

static void called(struct writer *w, int depth, const char *key, const struct sc_node *node,
                   const struct sim_value *v) {
  const struct sc_node *map = node->kind == SC_SCALAR ? sc_unfold(w->c, node, v->param, v->path) : node;
  if (map && is_one_line(map, v)) {
    const char *source = "assumed";
    for (size_t i = 0; i < v->n; i++)
      if (v->items[i].form == SIM_NUMBER) source = v->items[i].source;
    leaf(w, depth, v->path, key,
         cited(w, strchr(v->written, '"') ? yaml_text(w->c, v->written, false) : v->written, source), node);
    return;
  }
  open_map(w, depth, key, false);
  leaf(w, depth + 1, sc_printf(w->c, "%s.call", v->path), "call", v->text, node);
  for (size_t i = 0; i < v->n; i++)
    value(w, depth + 1, v->items[i].name, sc_node_find(map, v->items[i].name), &v->items[i]);
}

static void listed(struct writer *w, int depth, const char *key, const struct sc_node *node,
                   const struct sim_value *v) {
  struct sc_text t = {.c = w->c};
  sc_text_add(&t, "[");
  for (size_t i = 0; i < v->n; i++) {
    const struct sim_value *item = &v->items[i];
    const char *text = item->form == SIM_NAME ? yaml_text(w->c, item->written, false) : item->written;
    sc_text_add(&t, "%s%s", i ? ", " : "", cited(w, text, item->form == SIM_NAME ? "assumed" : item->source));
  }
  sc_text_add(&t, "]");
  leaf(w, depth, v->path, key, t.at, node);
}

/* A mapping in which nothing is given or has a default: left out, unless it is an entry of the user's. */
static bool is_silent(const struct sim_value *v) {
  if (v->form == SIM_ABSENT) return true;
  if (v->form != SIM_MAPPING || v->model || (v->param->kind == SIM_NAMES && v->n > 0)) return false;
  for (size_t i = 0; i < v->n; i++)
    if (!is_silent(&v->items[i])) return false;
  return true;
}

static void mapping(struct writer *w, int depth, const char *key, const struct sc_node *node,
                    const struct sim_value *v) {
  bool model = v->param->kind == SIM_MODEL && v->model;
  open_map(w, depth, key, is_silent(v));
  if (w->flat && key && is_silent(v)) leaf(w, depth, v->path, key, "{}", node);
  if (model) leaf(w, depth + 1, sc_printf(w->c, "%s.like", v->path), "like", v->model->name, node);
  for (size_t i = 0; i < v->n; i++) {
    const struct sim_value *item = &v->items[i];
    const struct sc_node *child = sc_node_find(node, item->name);
    if (!child || (v->param->kind != SIM_NAMES && item->form == SIM_MAPPING && is_silent(item))) continue;
    value(w, key ? depth + 1 : depth, item->name, child, item);
  }
}

static void value(struct writer *w, int depth, const char *key, const struct sc_node *node, const struct sim_value *v) {
  if (!node && v->form == SIM_ABSENT) return;
  if (is_reference(node, v->param)) {
    leaf(w, depth, v->path, key, node->text, node);
    return;
  }
  switch (v->form) {
  case SIM_ABSENT: {
    struct sc_node named = *node;
    named.key = key;
    raw(w, depth, v->path, &named, "assumed");
    break;
  }
  case SIM_NAME:
    leaf(w, depth, v->path, key, yaml_text(w->c, v->written, node && node->quoted), node);
    break;
  case SIM_CALLED:
    called(w, depth, key, node, v);
    break;
  case SIM_ITEMS:
    listed(w, depth, key, node, v);
    break;
  case SIM_MAPPING:
    mapping(w, depth, key, node, v);
    break;
  case SIM_GROUPS:
  case SIM_STEPS:
    open_map(w, depth, key, v->n == 0);
    for (size_t i = 0; i < v->n; i++)
      value(w, depth + 1, v->items[i].name, sc_node_find(node, v->items[i].name), &v->items[i]);
    break;
  default:
    leaf(w, depth, v->path, key, cited(w, v->written, v->source), node);
    break;
  }
}

static void arms(struct writer *w, const struct sim_scenario *s) {
  if (s->unnamed) return;
  open_map(w, 0, "arms", false);
  for (size_t i = 0; i < s->n_arms; i++)
    raw(w, 1, sc_printf(w->c, "arms.%s", s->arm_name[i]), s->arm[i].written, "assumed");
}

static char *write_out(const struct sim_scenario *s, bool flat, bool origins) {
  struct sc_arena arena = {NULL};
  struct sc_library library = s->library;
  jmp_buf unwind;
  struct sc c = {.arena = &arena, .unwind = &unwind, .library = &library, .directory = s->directory};
  struct writer w = {.c = &c, .text = {.c = &c}, .flat = flat, .origins = origins};
  char *volatile out = NULL;
  if (setjmp(unwind) == 0) {
    struct sim_value root;
    struct sc_node *base = sc_node_copy(&c, s->base);
    sc_bind_context(&c, base);
    base = sc_budget_apply(&c, base);
    sc_node_remove(base, "arms"); /* written apart */
    sc_bind_context(&c, base);
    sc_bind(&c, base, &sc_root, "", &root); /* what only an arm makes right is written as it stands */
    mapping(&w, 0, NULL, base, &root);
    arms(&w, s);
    out = sim_strdup(w.text.at ? w.text.at : "");
  }
  sc_arena_free(&arena);
  return out;
}

char *sim_scenario_expanded(const struct sim_scenario *s, bool origins) {
  return write_out(s, false, origins);
}

uint64_t sim_scenario_hash(const struct sim_scenario *s) {
  uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a (Fowler, Noll & Vo) */
  char *text = write_out(s, false, false);
  for (const char *p = text; p && *p; p++) hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
  sim_free(text);
  return hash;
}

/* ---- differences ------------------------------------------------------------------------------------------------ */

static int by_path(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Cuts a text into lines, each cut again behind its path; sorted. */
static char **lines_of(char *text, size_t *n) {
  size_t cap = 0;
  char **lines = NULL;
  *n = 0;
  for (char *line = text; *line;) {
    char *end = strchr(line, '\n'), **grown = sim_grow(lines, &cap, *n + 1, sizeof *lines);
    if (!grown) {
      sim_free(lines);
      return NULL;
    }
    lines = grown;
    lines[(*n)++] = line;
    *end = '\0';
    char *colon = strstr(line, ": ");
    if (colon) *colon = '\0';
    line = end + 1;
  }
  if (*n) qsort(lines, *n, sizeof *lines, by_path);
  return lines ? lines : sim_calloc(1, sizeof *lines);
}

static const char *value_of(const char *line) {
  return line + strlen(line) + 2;
}

static void compare(struct sc_text *t, char **x, size_t nx, char **y, size_t ny) {
  for (size_t i = 0, j = 0; i < nx || j < ny;) {
    int order = i == nx ? 1 : j == ny ? -1 : strcmp(x[i], y[j]);
    if (order < 0)
      sc_text_add(t, "%s: %s -> (absent)\n", x[i], value_of(x[i]));
    else if (order > 0)
      sc_text_add(t, "%s: (absent) -> %s\n", y[j], value_of(y[j]));
    else if (strcmp(value_of(x[i]), value_of(y[j])) != 0)
      sc_text_add(t, "%s: %s -> %s\n", x[i], value_of(x[i]), value_of(y[j]));
    i += order <= 0;
    j += order >= 0;
  }
}

char *sim_scenario_diff(const struct sim_scenario *a, const struct sim_scenario *b) {
  char *first = write_out(a, true, false), *second = write_out(b, true, false), *volatile out = NULL;
  size_t nx = 0, ny = 0;
  char **x = first ? lines_of(first, &nx) : NULL, **y = second ? lines_of(second, &ny) : NULL;
  struct sc_arena arena = {NULL};
  jmp_buf unwind;
  struct sc c = {.arena = &arena, .unwind = &unwind};
  if (x && y && setjmp(unwind) == 0) {
    struct sc_text t = {.c = &c};
    compare(&t, x, nx, y, ny);
    out = sim_strdup(t.at ? t.at : "");
  }
  sc_arena_free(&arena);
  sim_free(x);
  sim_free(y);
  sim_free(first);
  sim_free(second);
  return out;
}
