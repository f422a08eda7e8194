/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/expand.h"
#include "sim/core/world.h"
#include "sim/scenario/like.h"
#include "sim/scenario/names.h"
#include "sim/scenario/patch.h"
#include "sim/scenario/sections.h"
#include "sim/scenario/yaml.h"
#include <string.h>

const struct sim_param *sc_table(const struct sc_node *node, const struct sim_param *p) {
  if (p->kind == SIM_MODEL) return node && node->model ? node->model->params : NULL;
  return p->kind == SIM_FIELDS ? p->fields : NULL;
}

const struct sim_param *sc_table_find(const struct sim_param *table, const char *key) {
  for (; table && table->name; table++)
    if (strcmp(table->name, key) == 0) return table;
  return NULL;
}

bool sc_table_requires(const struct sim_param *table) {
  for (; table && table->name; table++)
    if (table->flags & SIM_REQUIRED) return true;
  return false;
}

/* A default as a node: a scalar, or a list where it is written in brackets. */
static struct sc_node *fallback_node(struct sc *c, const struct sim_param *p) {
  const char *text = p->fallback;
  if (text[0] != '[') {
    struct sc_node *node = sc_node_scalar(c, p->name, text, NULL);
    node->source = p->source;
    return node;
  }
  struct sc_node *list = sc_node_new(c, SC_LIST, NULL);
  list->key = p->name;
  for (text++; *text && *text != ']';) {
    text += strspn(text, " ");
    size_t n = strcspn(text, ",]");
    struct sc_node *item = sc_node_scalar(c, NULL, sc_copy(c, text, n), NULL);
    item->source = p->source;
    item->filled = true;
    sc_node_append(c, list, item);
    text += n + (text[n] == ',');
  }
  return list;
}

/* What stands for a key that is not given; NULL: nothing. */
static struct sc_node *default_node(struct sc *c, const struct sim_param *p) {
  struct sc_node *node = NULL;
  if (p->fallback) {
    node = fallback_node(c, p);
  } else if (p->kind == SIM_NAMES || (p->kind == SIM_FIELDS && !sc_table_requires(p->fields))) {
    node = sc_node_new(c, SC_MAP, NULL);
    node->key = p->name;
  }
  if (node) node->filled = true;
  return node;
}

static void expand_fields(struct sc *c, struct sc_node *node, const struct sim_param *table, const char *path) {
  for (size_t i = 0; i < node->n; i++) {
    const struct sim_param *p = sc_table_find(table, node->items[i]->key);
    const char *key = node->items[i]->key;
    if (p) node->items[i] = sc_expand(c, node->items[i], p, sc_printf(c, "%s%s%s", path, *path ? "." : "", key));
  }
  if (table == sim_layer_params && sc_node_find(node, "of")) return; /* a union of layers has nothing of its own */
  for (const struct sim_param *p = table; p && p->name; p++) {
    bool moot = p->beside && !sc_node_find(node, p->beside);
    struct sc_node *filled = moot || sc_node_find(node, p->name) ? NULL : default_node(c, p);
    if (filled)
      sc_node_append(c, node, sc_expand(c, filled, p, sc_printf(c, "%s%s%s", path, *path ? "." : "", p->name)));
  }
}

static void ghost_error(struct sc *c, const struct sc_node *map, const struct sc_node *child, const char *path) {
  struct sc_names names = {.c = c};
  for (size_t i = 0; i < map->n; i++)
    if (!map->items[i]->ghost) sc_names_add(&names, map->items[i]->key);
  sc_error_key(c, child, path, "there is no `%s` to change%s", child->key, sc_names_hint(&names, child->key));
}

static void expand_names(struct sc *c, struct sc_node *node, const struct sim_param *p, const char *path) {
  const struct sim_param *entry = p->fields;
  if (sc_is_patch(entry)) return;
  bool models = entry->kind == SIM_MODEL;
  const char *section = models ? entry->section : p->name;
  struct sc_node raw = sc_node_shallow(c, node); /* siblings as written, while entries are replaced one by one */
  for (size_t i = 0; i < node->n; i++) {
    struct sc_node *child = raw.items[i];
    const char *child_path = sc_printf(c, "%s.%s", path, child->key);
    if (strcmp(child->key, "source") == 0 || strcmp(child->key, "like") == 0) continue;
    if (child->ghost) ghost_error(c, &raw, child, child_path);
    child->ghost = false;
    if ((models || entry->kind == SIM_FIELDS) && (sc_node_find(child, "like") || (models && !child->model))) {
      struct sc_node *resolved = sc_like_entry(c, &raw, child, section, models, child_path);
      if (!resolved) continue; /* reported */
      child = resolved;
    }
    node->items[i] = sc_expand(c, child, entry, child_path);
  }
  sc_node_sort(node);
}

struct sc_node *sc_expand(struct sc *c, struct sc_node *node, const struct sim_param *p, const char *path) {
  node = sc_settle(c, node, p, path);
  node->param = p;
  bool entry = p->kind == SIM_MODEL && !node->model; /* a section that is one entry: others are resolved already */
  if (entry && node->kind != SC_NULL) {
    if (node->ghost) sc_error_key(c, node, path, "there is no `%s` to change", path);
    struct sc_node *resolved = sc_like_entry(c, NULL, node, p->section, true, path);
    if (!resolved) return node;
    node = resolved;
    node->param = p;
    node->ghost = false;
  }
  if (node->kind != SC_MAP) return node;
  if (p->kind == SIM_FIELDS && *path && sc_node_find(node, "like")) {
    struct sc_node *resolved = sc_like_entry(c, NULL, node, p->name, false, path);
    if (!resolved) return node;
    node = resolved;
    node->param = p;
  }
  if (p->kind == SIM_FIELDS || p->kind == SIM_MODEL)
    expand_fields(c, node, sc_table(node, p), path);
  else if (p->kind == SIM_NAMES)
    expand_names(c, node, p, path);
  return node;
}
