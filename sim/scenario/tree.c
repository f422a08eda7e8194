/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/tree.h"
#include "sim/scenario/names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- arena ------------------------------------------------------------------------------------------------------ */

struct sc_block {
  struct sc_block *next;
  size_t used, size;
  max_align_t data[];
};

void sc_arena_free(struct sc_arena *arena) {
  for (struct sc_block *b = arena->block, *next; b; b = next) {
    next = b->next;
    sim_free(b);
  }
  arena->block = NULL;
}

void sc_out_of_memory(struct sc *c) {
  longjmp(*c->unwind, 1);
}

void *sc_alloc_or_null(struct sc *c, size_t size) {
  size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
  struct sc_block *b = c->arena->block;
  if (!b || b->size - b->used < size) {
    size_t capacity = size > 32768 ? size : 32768;
    b = sim_alloc(sizeof *b + capacity);
    if (!b) return NULL;
    *b = (struct sc_block){.next = c->arena->block, .size = capacity};
    c->arena->block = b;
  }
  void *p = (char *)b->data + b->used;
  b->used += size;
  return memset(p, 0, size);
}

void *sc_alloc(struct sc *c, size_t size) {
  void *p = sc_alloc_or_null(c, size);
  if (!p) sc_out_of_memory(c);
  return p;
}

char *sc_copy(struct sc *c, const char *text, size_t length) {
  char *copy = sc_alloc(c, length + 1);
  memcpy(copy, text, length);
  return copy;
}

static char *format(struct sc *c, const char *fmt, va_list args) SIM_PRINTF(2, 0);
static char *format(struct sc *c, const char *fmt, va_list args) {
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, fmt, again);
  va_end(again);
  sim_bug_assert(length >= 0);
  char *text = sc_alloc(c, (size_t)length + 1);
  vsnprintf(text, (size_t)length + 1, fmt, args);
  return text;
}

char *sc_printf(struct sc *c, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  char *text = format(c, fmt, args);
  va_end(args);
  return text;
}

void sc_text_add(struct sc_text *t, const char *fmt, ...) {
  va_list args, again;
  va_start(args, fmt);
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, fmt, again);
  va_end(again);
  sim_bug_assert(length >= 0);
  if (t->n + (size_t)length + 1 > t->cap) {
    size_t cap = 2 * (t->n + (size_t)length + 1);
    char *at = sc_alloc(t->c, cap);
    if (t->n) memcpy(at, t->at, t->n);
    t->at = at;
    t->cap = cap;
  }
  vsnprintf(t->at + t->n, t->cap - t->n, fmt, args);
  t->n += (size_t)length;
  va_end(args);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

struct sc_node *sc_node_new(struct sc *c, enum sc_kind kind, const struct sc_node *place) {
  struct sc_node *node = sc_alloc(c, sizeof *node);
  node->kind = kind;
  if (place) {
    node->doc = place->doc;
    node->line = place->line;
    node->column = place->column;
    node->key_line = place->key_line;
    node->key_column = place->key_column;
    node->via = place->via;
    node->source = place->source;
  }
  return node;
}

struct sc_node *sc_node_scalar(struct sc *c, const char *key, const char *text, const struct sc_node *place) {
  struct sc_node *node = sc_node_new(c, SC_SCALAR, place);
  node->key = key;
  node->text = text;
  return node;
}

struct sc_node *sc_node_copy(struct sc *c, const struct sc_node *node) {
  struct sc_node *copy = sc_alloc(c, sizeof *copy);
  *copy = *node;
  copy->cap = node->n;
  copy->items = node->n ? sc_alloc(c, node->n * sizeof *copy->items) : NULL;
  for (size_t i = 0; i < node->n; i++) copy->items[i] = sc_node_copy(c, node->items[i]);
  if (node->under) copy->under = sc_node_copy(c, node->under);
  return copy;
}

struct sc_node sc_node_shallow(struct sc *c, const struct sc_node *node) {
  struct sc_node copy = *node;
  copy.items = sc_alloc(c, (node->n + 1) * sizeof *copy.items);
  if (node->n) memcpy(copy.items, node->items, node->n * sizeof *copy.items);
  copy.cap = node->n + 1;
  return copy;
}

void sc_node_append(struct sc *c, struct sc_node *parent, struct sc_node *child) {
  if (parent->n == parent->cap) {
    size_t cap = parent->cap ? 2 * parent->cap : 4;
    struct sc_node **items = sc_alloc(c, cap * sizeof *items);
    if (parent->n) memcpy(items, parent->items, parent->n * sizeof *items);
    parent->items = items;
    parent->cap = cap;
  }
  parent->items[parent->n++] = child;
}

struct sc_node *sc_node_find(const struct sc_node *map, const char *key) {
  if (!map || map->kind != SC_MAP) return NULL;
  for (size_t i = 0; i < map->n; i++)
    if (strcmp(map->items[i]->key, key) == 0) return map->items[i];
  return NULL;
}

void sc_node_remove(struct sc_node *map, const char *key) {
  size_t kept = 0;
  for (size_t i = 0; i < map->n; i++)
    if (strcmp(map->items[i]->key, key) != 0) map->items[kept++] = map->items[i];
  map->n = kept;
}

static int by_key(const void *a, const void *b) {
  return strcmp((*(struct sc_node *const *)a)->key, (*(struct sc_node *const *)b)->key);
}

void sc_node_sort(struct sc_node *map) {
  if (map->n > 1) qsort(map->items, map->n, sizeof *map->items, by_key);
}

bool sc_node_is(const struct sc_node *node, const char *text) {
  return node && node->kind == SC_SCALAR && !node->quoted && strcmp(node->text, text) == 0;
}

void sc_node_stamp(struct sc_node *node, const char *source) {
  if (node->kind == SC_SCALAR) node->source = source;
  const struct sc_node *own = sc_node_find(node, "source");
  if (own && own->kind == SC_SCALAR) source = own->text[0] == '@' ? own->text + 1 : own->text;
  for (size_t i = 0; i < node->n; i++) sc_node_stamp(node->items[i], source);
}

/* ---- dotted keys ------------------------------------------------------------------------------------------------ */

/* Adds child to map under its own key; two mappings under one key become one, anything else is given twice. */
static void add(struct sc *c, struct sc_node *map, struct sc_node *child, const char *path) {
  struct sc_node *there = sc_node_find(map, child->key);
  if (!there) {
    sc_node_append(c, map, child);
  } else if (there->kind == SC_MAP && child->kind == SC_MAP) {
    if (!child->dotted) { /* the explicit mapping is what messages point to */
      there->dotted = false;
      there->line = child->line;
      there->column = child->column;
    }
    for (size_t i = 0; i < child->n; i++)
      add(c, there, child->items[i], sc_printf(c, "%s.%s", path, child->items[i]->key));
  } else {
    struct sim_mark first = sc_key_mark(there);
    sc_error_key(c, child, path, "`%s` is given twice, first on line %u", path, first.line);
  }
}

static struct sc_node *nest(struct sc *c, struct sc_node *node) {
  const char *key = node->key, *dot = strchr(key, '.');
  if (!dot || !sc_path_is_dotted(key)) return node;
  struct sc_node *outer = sc_node_new(c, SC_MAP, node);
  outer->dotted = true;
  outer->line = node->key_line;
  outer->column = node->key_column;
  outer->key = sc_copy(c, key, (size_t)(dot - key));
  node->key = sc_copy(c, dot + 1, strlen(dot + 1));
  sc_node_append(c, outer, nest(c, node));
  return outer;
}

static void undot(struct sc *c, struct sc_node *node, const char *path) {
  for (size_t i = 0; i < node->n; i++) {
    struct sc_node *child = node->items[i];
    const char *key = child->key ? child->key : "";
    undot(c, child, *path ? sc_printf(c, "%s.%s", path, key) : key);
  }
  /* The keys of design.vary are paths and stay so. */
  if (node->kind != SC_MAP || strcmp(path, "design.vary") == 0) return;
  struct sc_node flat = *node;
  node->items = NULL;
  node->n = node->cap = 0;
  for (size_t i = 0; i < flat.n; i++) {
    struct sc_node *child = nest(c, flat.items[i]);
    add(c, node, child, *path ? sc_printf(c, "%s.%s", path, child->key) : child->key);
  }
}

void sc_node_undot(struct sc *c, struct sc_node *root) {
  undot(c, root, "");
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

struct sim_mark sc_mark(const struct sc_node *node) {
  if (!node || !node->doc) return (struct sim_mark){0};
  return (struct sim_mark){node->doc->name, node->line, node->column};
}

struct sim_mark sc_key_mark(const struct sc_node *node) {
  struct sim_mark mark = sc_mark(node);
  if (node && node->doc && node->key_line) {
    mark.line = node->key_line;
    mark.column = node->key_column;
  }
  return mark;
}

static bool said(const struct sim_diag *d, const struct sim_mark *mark, const char *path, const char *text) {
  for (size_t i = 0; i < d->n; i++) {
    const struct sim_diag_item *item = &d->items[i];
    bool same_path = item->path && path ? strcmp(item->path, path) == 0 : item->path == path;
    if (same_path && item->line == mark->line && item->column == mark->column && strcmp(item->text, text) == 0)
      return true;
  }
  return false;
}

static void report(struct sc *c, const struct sc_node *node, struct sim_mark mark, const char *path, const char *fmt,
                   va_list args) SIM_PRINTF(5, 0);
static void report(struct sc *c, const struct sc_node *node, struct sim_mark mark, const char *path, const char *fmt,
                   va_list args) {
  c->errors++;
  if (!c->diag) return;
  const char *text = format(c, fmt, args);
  if (node && node->via) {
    struct sim_mark via = sc_mark(node->via);
    if (via.file) text = sc_printf(c, "%s (via %s:%u:%u)", text, via.file, via.line, via.column);
  }
  if (path && !*path) path = NULL;
  if (said(c->diag, &mark, path, text)) return;
  if (sim_diag_add(c->diag, &mark, path, "%s", text) == SIM_ERR_MEMORY) sc_out_of_memory(c);
}

void sc_error(struct sc *c, const struct sc_node *node, const char *path, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  report(c, node, sc_mark(node), path, fmt, args);
  va_end(args);
}

void sc_error_key(struct sc *c, const struct sc_node *node, const char *path, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  report(c, node, sc_key_mark(node), path, fmt, args);
  va_end(args);
}

void sc_error_at(struct sc *c, const struct sc_node *node, size_t offset, const char *path, const char *fmt, ...) {
  struct sim_mark mark = sc_mark(node);
  if (mark.column && node->kind == SC_SCALAR)
    for (size_t i = 0; i < offset && node->text[i]; i++) /* columns count characters, not bytes */
      if (((unsigned char)node->text[i] & 0xc0) != 0x80) mark.column++;
  va_list args;
  va_start(args, fmt);
  report(c, node, mark, path, fmt, args);
  va_end(args);
}
