/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scenario as a tree: what YAML said, with marks, before it is typed.
 *
 * Everything that loading or binding makes lives in an arena and dies with it. So running out of memory needs no
 * clean-up of its own: sc_alloc unwinds (longjmp) to the entry point, which frees the arena. Functions that hold
 * something outside the arena (a file, libfyaml's parser) keep it in the reader (`struct sc`) or do not allocate while
 * they hold it. A tree that has been loaded is never changed again: binding copies it, so threads may share it. */
#ifndef SIM_SCENARIO_TREE_H
#define SIM_SCENARIO_TREE_H
#include "sim/core/model.h"
#include <setjmp.h>
#include <stdarg.h>

enum { SC_DEPTH_MAX = 64, SC_LIKE_MAX = 8, SC_SIZE_MAX = 16 * 1024 * 1024 };

struct sc_block;
struct sc_arena {
  struct sc_block *block;
};
void sc_arena_free(struct sc_arena *arena);

/* A text that was read: a file, a preset library, a --set. */
struct sc_doc {
  const char *name;      /* for messages */
  const char *directory; /* relative files start here; NULL: none may be named */
};

enum sc_kind { SC_NULL, SC_SCALAR, SC_LIST, SC_MAP };

struct sc_node {
  enum sc_kind kind;
  bool quoted;              /* a scalar in quotes: always text */
  bool dotted;              /* a mapping that only a dotted key implies */
  bool ghost;               /* made by patching through a dotted key what was not there */
  bool filled;              /* a default */
  const char *key;          /* in its mapping; NULL in lists and at the root */
  const char *text;         /* of a scalar */
  const char *source;       /* source in force where it was written, or NULL */
  const struct sc_doc *doc; /* NULL for defaults */
  unsigned line, column, key_line, key_column;
  const struct sc_node *via; /* the `like` that brought it from elsewhere, or NULL */
  struct sc_node *under;     /* what it was patched onto, until the descriptor is known (patch.h) */
  struct sc_node **items;    /* of a list or mapping; mappings are sorted by key once expanded */
  size_t n, cap;
  const struct sim_param *param; /* once expanded */
  const struct sim_model *model; /* entries of models, once expanded */
};

/* Files and presets read so far; filled while loading, read-only afterwards. */
struct sc_library {
  struct sc_arena *arena;
  struct sc_node **preset; /* roots of the preset files, in the order of sc_presets */
  struct sc_node **file;   /* roots of files named by `like`; doc->name is their path */
  size_t n_preset, n_file, cap_file;
  bool frozen;
};

/* A reader: one loading or binding under way. */
struct sc {
  struct sc_arena *arena;
  struct sim_diag *diag; /* NULL: errors are only counted */
  size_t errors;
  jmp_buf *unwind; /* out of memory */
  struct sc_library *library;
  const struct sc_node *root; /* of the tree being bound: sources and `$` references are looked up here */
  const char *directory;      /* of the scenario: files are printed relative to it */
  const char *currency;
  bool dated;                                    /* `start` is given */
  double start;                                  /* days since 1970-01-01 */
  unsigned references;                           /* `$` references being followed */
  const struct sc_node *stack[SC_DEPTH_MAX * 2]; /* enclosing mappings while binding, root first */
  size_t depth;
};

/* Memory of the arena; zeroed; unwinds when there is none. */
void *sc_alloc(struct sc *c, size_t size);
void *sc_alloc_or_null(struct sc *c, size_t size); /* for those who hold something outside the arena */
void sc_out_of_memory(struct sc *c) __attribute__((noreturn));
char *sc_copy(struct sc *c, const char *text, size_t length);
char *sc_printf(struct sc *c, const char *fmt, ...) SIM_PRINTF(2, 3);

/* A text that grows. */
struct sc_text {
  struct sc *c;
  char *at;
  size_t n, cap;
};
void sc_text_add(struct sc_text *t, const char *fmt, ...) SIM_PRINTF(2, 3);

struct sc_node *sc_node_new(struct sc *c, enum sc_kind kind, const struct sc_node *place);
struct sc_node *sc_node_scalar(struct sc *c, const char *key, const char *text, const struct sc_node *place);
struct sc_node *sc_node_copy(struct sc *c, const struct sc_node *node);
/* The node with an array of children of its own, so that theirs may be replaced or sorted. */
struct sc_node sc_node_shallow(struct sc *c, const struct sc_node *node);
void sc_node_append(struct sc *c, struct sc_node *parent, struct sc_node *child);
struct sc_node *sc_node_find(const struct sc_node *map, const char *key);
void sc_node_remove(struct sc_node *map, const char *key);
void sc_node_sort(struct sc_node *map);                        /* by key, at this level */
bool sc_node_is(const struct sc_node *node, const char *text); /* an unquoted scalar with this text */
/* Nested mappings for dotted keys; reports a path given twice. */
void sc_node_undot(struct sc *c, struct sc_node *root);
/* Stamps each scalar with the `source` of the nearest enclosing mapping, or `source`. */
void sc_node_stamp(struct sc_node *node, const char *source);

struct sim_mark sc_mark(const struct sc_node *node);
struct sim_mark sc_key_mark(const struct sc_node *node);
/* Reports an error at a node (its key, for sc_error_key; `offset` characters inside its text, for sc_error_at). Equal
 * messages at one place are reported once. */
void sc_error(struct sc *c, const struct sc_node *node, const char *path, const char *fmt, ...) SIM_PRINTF(4, 5);
void sc_error_key(struct sc *c, const struct sc_node *node, const char *path, const char *fmt, ...) SIM_PRINTF(4, 5);
void sc_error_at(struct sc *c, const struct sc_node *node, size_t offset, const char *path, const char *fmt, ...)
    SIM_PRINTF(5, 6);
#endif
