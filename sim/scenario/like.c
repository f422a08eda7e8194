/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/like.h"
#include "sim/scenario/names.h"
#include "sim/scenario/patch.h"
#include "sim/scenario/presets.h"
#include "sim/scenario/yaml.h"
#include <string.h>

/* ---- the library ------------------------------------------------------------------------------------------------ */

void sc_library_load(struct sc *c, struct sc_library *library) {
  while (sc_presets[library->n_preset].section) library->n_preset++;
  library->preset = sc_alloc(c, (library->n_preset + 1) * sizeof(struct sc_node *));
  for (size_t i = 0; i < library->n_preset; i++) {
    struct sc_doc *doc = sc_alloc(c, sizeof *doc);
    doc->name = sc_presets[i].name;
    library->preset[i] = sc_yaml_parse(c, (const char *)sc_presets[i].text, sc_presets[i].length, doc);
  }
}

const struct sc_node *sc_library_presets(const struct sc_library *library, const char *section) {
  for (size_t i = 0; i < library->n_preset; i++)
    if (strcmp(sc_presets[i].section, section) == 0) return library->preset[i];
  return NULL;
}

const struct sim_model *sc_model_find(const char *section, const char *name, const struct sim_model **only) {
  const struct sim_model *found = NULL;
  size_t n = 0;
  if (only) *only = NULL;
  for (const struct sim_model *const *m = sim_models; *m; m++) {
    if (strcmp((*m)->section, section) != 0) continue;
    if (only) *only = n++ == 0 ? *m : NULL;
    if (name && strcmp((*m)->name, name) == 0) found = *m;
  }
  return found;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* Whether a relative path stays beside or below its start. */
static bool stays_below(const char *path) {
  if (path[0] == '/') return false;
  for (const char *part = path; *part; part += strcspn(part, "/"), part += *part == '/')
    if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || !part[2])) return false;
  return true;
}

static const char *directory_of(struct sc *c, const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? sc_copy(c, path, (size_t)(slash - path)) : ".";
}

/* Root of the file that a `like` names. The scenario's own file is not in the library, so that a circle through it is
 * found by the limit of depth at the latest. */
static struct sc_node *like_file(struct sc *c, const struct sc_node *like, const char *path) {
  const char *directory = like->doc ? like->doc->directory : NULL, *text = like->text;
  if (!directory || !stays_below(text)) {
    sc_error(c, like, path, "`%s` is not a file beside or below this one", text);
    return NULL;
  }
  while (strncmp(text, "./", 2) == 0) text += 2;
  const char *name = strcmp(directory, ".") == 0 ? text : sc_printf(c, "%s/%s", directory, text);
  struct sc_library *library = c->library;
  for (size_t i = 0; i < library->n_file; i++)
    if (strcmp(library->file[i]->doc->name, name) == 0) return library->file[i];
  struct sc_arena *arena = c->arena;
  if (!library->frozen) c->arena = library->arena;
  struct sc_doc *doc = sc_alloc(c, sizeof *doc);
  doc->name = name = sc_copy(c, name, strlen(name));
  doc->directory = directory_of(c, name);
  size_t length;
  char *content = sc_read_file(c, name, &length, like, path);
  struct sc_node *root = content ? sc_yaml_parse(c, content, length, doc) : NULL;
  if (root && root->kind != SC_MAP) {
    sc_error(c, root, NULL, "expected a mapping");
    root = NULL;
  }
  if (root && !library->frozen) {
    if (library->n_file == library->cap_file) {
      size_t cap = library->cap_file ? 2 * library->cap_file : 8;
      struct sc_node **file = sc_alloc(c, cap * sizeof *file);
      if (library->n_file) memcpy(file, library->file, library->n_file * sizeof *file);
      library->file = file;
      library->cap_file = cap;
    }
    library->file[library->n_file++] = root;
  }
  c->arena = arena;
  return root;
}

static bool names_file(const char *text) {
  size_t n = strlen(text);
  return strchr(text, '/') || (n > 5 && strcmp(text + n - 5, ".yaml") == 0) ||
         (n > 4 && strcmp(text + n - 4, ".yml") == 0);
}

/* ---- the chain -------------------------------------------------------------------------------------------------- */

struct chain { /* the entries that led here */
  const struct chain *up;
  const struct sc_node *at;
  const char *name;
};

struct place { /* where names are looked up */
  const char *section, *path;
  bool models;
};

static void set_via(struct sc_node *node, const struct sc_node *like) {
  if (!node->via) node->via = like;
  for (size_t i = 0; i < node->n; i++) set_via(node->items[i], like);
  if (node->under) set_via(node->under, like);
}

static struct sc_node *resolve(struct sc *c, const struct sc_node *siblings, const struct sc_node *node,
                               const struct place *place, const struct chain *up);

static bool in_circle(struct sc *c, const struct sc_node *like, const struct sc_node *next, const struct chain *chain,
                      const char *path) {
  unsigned depth = 0;
  for (const struct chain *k = chain; k; k = k->up, depth++) {
    if (k->at != next) continue;
    struct sc_text circle = {.c = c};
    sc_text_add(&circle, "%s", like->text);
    for (const struct chain *back = chain; back != k->up; back = back->up) sc_text_add(&circle, " <- %s", back->name);
    sc_error(c, like, path, "`like` goes round in a circle: %s", circle.at);
    return true;
  }
  if (depth < SC_LIKE_MAX) return false;
  sc_error(c, like, path, "a chain of `like` is longer than %d", SC_LIKE_MAX);
  return true;
}

static void unknown(struct sc *c, const struct sc_node *siblings, const struct sc_node *node,
                    const struct sc_node *like, const struct place *place) {
  struct sc_names names = {.c = c};
  const struct sc_node *presets = sc_library_presets(c->library, place->section);
  for (size_t i = 0; siblings && i < siblings->n; i++)
    if (strcmp(siblings->items[i]->key, node->key) != 0) sc_names_add(&names, siblings->items[i]->key);
  for (size_t i = 0; presets && i < presets->n; i++) sc_names_add(&names, presets->items[i]->key);
  for (const struct sim_model *const *m = sim_models; place->models && *m; m++)
    if (strcmp((*m)->section, place->section) == 0) sc_names_add(&names, (*m)->name);
  sc_error(c, like, place->path, "`%s` is no entry beside, preset or model of `%s`%s", like->text, place->section,
           sc_names_hint(&names, like->text));
}

/* What a `like` names, resolved; NULL after reporting. */
static struct sc_node *parent_of(struct sc *c, const struct sc_node *siblings, const struct sc_node *node,
                                 const struct sc_node *like, const struct place *place, const struct chain *chain) {
  if (names_file(like->text)) {
    const struct sc_node *root = like_file(c, like, place->path);
    if (!root || in_circle(c, like, root, chain, place->path)) return NULL;
    return resolve(c, NULL, root, place, chain);
  }
  const struct sc_node *presets = sc_library_presets(c->library, place->section);
  const struct sc_node *preset = sc_node_find(presets, like->text), *sibling = NULL;
  const struct sim_model *model = place->models ? sc_model_find(place->section, like->text, NULL) : NULL;
  if (!node->key || strcmp(like->text, node->key) != 0 || siblings == presets)
    sibling = sc_node_find(siblings, like->text);
  if (sibling && siblings != presets && (preset || model)) {
    sc_error(c, like, place->path, "`%s` is both an entry beside this one and a shipped %s: rename the entry",
             like->text, preset ? "preset" : "model");
    return NULL;
  }
  const struct sc_node *next = sibling ? sibling : preset;
  if (next)
    return in_circle(c, like, next, chain, place->path) ? NULL
                                                        : resolve(c, sibling ? siblings : presets, next, place, chain);
  if (!model) {
    unknown(c, siblings, node, like, place);
    return NULL;
  }
  struct sc_node *start = sc_node_new(c, SC_MAP, node);
  start->model = model;
  return start;
}

static struct sc_node *resolve(struct sc *c, const struct sc_node *siblings, const struct sc_node *node,
                               const struct place *place, const struct chain *up) {
  if (node->kind != SC_MAP) {
    sc_error(c, node, place->path, "expected a mapping, found `%s`", node->text ? node->text : "a list");
    return NULL;
  }
  struct sc_node *own = sc_node_copy(c, node);
  const struct sc_node *like = sc_node_find(node, "like");
  sc_node_remove(own, "like");
  if (!like) {
    const struct sim_model *only = NULL;
    if (place->models && !own->model) {
      sc_model_find(place->section, NULL, &only);
      if (!(own->model = only)) {
        struct sc_names names = {.c = c};
        for (const struct sim_model *const *m = sim_models; *m; m++)
          if (strcmp((*m)->section, place->section) == 0) sc_names_add(&names, (*m)->name);
        sc_error_key(c, node, place->path, "`like` is missing: what is `%s`?%s", node->key ? node->key : place->path,
                     sc_names_hint(&names, ""));
        return NULL;
      }
    }
    return own;
  }
  if (like->kind != SC_SCALAR) {
    sc_error(c, like, place->path, "`like` takes one name or file");
    return NULL;
  }
  struct chain chain = {up, node, node->key ? node->key : place->path};
  struct sc_node *parent = parent_of(c, siblings, node, like, place, &chain);
  if (!parent) return NULL;
  set_via(parent, like);
  const struct sim_model *model = parent->model;
  parent->model = NULL; /* a mapping beside `like` merges into it as into any other */
  struct sc_node *merged = own->n ? sc_merge(c, parent, own, place->path) : parent;
  if (merged == parent) {
    parent->doc = node->doc;
    parent->via = node->via;
    parent->line = node->line;
    parent->column = node->column;
    parent->key_line = node->key_line;
    parent->key_column = node->key_column;
  }
  merged->key = node->key;
  merged->ghost = node->ghost;
  merged->model = model;
  return merged;
}

struct sc_node *sc_like_entry(struct sc *c, const struct sc_node *siblings, const struct sc_node *node,
                              const char *section, bool models, const char *path) {
  struct place place = {section, path, models};
  return resolve(c, siblings, node, &place, NULL);
}

static const char *plain_name(const char *name) {
  return strncmp(name, "./", 2) == 0 ? name + 2 : name;
}

static struct sc_node *root_like(struct sc *c, struct sc_node *root, const struct chain *up) {
  const struct sc_node *like = sc_node_find(root, "like");
  if (!like) return root;
  if (like->kind != SC_SCALAR || !names_file(like->text)) {
    sc_error(c, like, "like", "at the top, `like` names a scenario's file such as `./base.yaml`");
    return NULL;
  }
  struct chain chain = {up, root, plain_name(root->doc->name)};
  const struct sc_node *file = like_file(c, like, "like");
  if (!file) return NULL;
  for (const struct chain *k = &chain; k; k = k->up) {
    if (strcmp(k->name, plain_name(file->doc->name)) != 0) continue;
    sc_error(c, like, "like", "`like` goes round in a circle: `%s` starts from this file", like->text);
    return NULL;
  }
  if (in_circle(c, like, file, &chain, "like")) return NULL;
  struct sc_node *parent = root_like(c, sc_node_copy(c, file), &chain);
  if (!parent) return NULL;
  set_via(parent, like);
  sc_strip_nulls(parent, true);
  sc_node_remove(root, "like");
  struct sc_node *merged = sc_merge(c, parent, root, "");
  merged->doc = root->doc;
  merged->via = NULL;
  return merged;
}

struct sc_node *sc_like_root(struct sc *c, struct sc_node *root) {
  return root_like(c, root, NULL);
}
