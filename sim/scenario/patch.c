/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/patch.h"
#include "sim/scenario/bind.h"
#include "sim/scenario/expand.h"
#include "sim/scenario/names.h"
#include "sim/scenario/scalar.h"
#include <stdlib.h>
#include <string.h>

/* ---- what is patched onto what ---------------------------------------------------------------------------------- */

/* The factor of `x 2`, or false. */
static bool factor_of(const struct sc_node *node, double *factor) {
  if (node->kind != SC_SCALAR || node->quoted || strncmp(node->text, "x ", 2) != 0) return false;
  size_t length = strlen(node->text);
  char *end, *text = node->text[2] >= '0' && node->text[2] <= '9' ? (char *)node->text + 2 : NULL;
  if (!text) return false;
  *factor = strtod(text, &end);
  return (size_t)(end - node->text) == length;
}

static bool is_written_out(const struct sc_node *map) {
  return sc_node_find(map, "call") || sc_node_find(map, "value") || sc_node_find(map, "range") ||
         sc_node_find(map, "note");
}

static bool only_source(const struct sc_node *map) {
  for (size_t i = 0; i < map->n; i++)
    if (strcmp(map->items[i]->key, "source") != 0) return false;
  return true;
}

/* Whether two mappings are of one form, so that they merge; else the patch replaces: groups against a written-out
 * value, one call against another. */
static bool same_form(const struct sc_node *target, const struct sc_node *patch) {
  bool written = is_written_out(patch);
  const struct sc_node *call = sc_node_find(target, "call"), *other = sc_node_find(patch, "call");
  if (target->n == 0 || only_source(patch)) return true;
  if (!is_written_out(target)) return !written || target->under;
  if (!written) return call != NULL;
  if (other) return call && call->text && other->text && strcmp(call->text, other->text) == 0;
  return !call || !sc_node_find(patch, "value") || sc_node_find(target, "value");
}

static void set_source(struct sc_node *map, const char *source) {
  for (size_t i = 0; i < map->n; i++)
    if (map->items[i]->kind == SC_SCALAR) map->items[i]->source = source;
}

/* ---- merging ---------------------------------------------------------------------------------------------------- */

/* A copy of a patch that lands where nothing was. */
static struct sc_node *fresh(struct sc *c, const struct sc_node *patch, const char *path, bool keep_null) {
  struct sc_node *copy = sc_alloc(c, sizeof *copy);
  *copy = *patch;
  copy->items = NULL;
  copy->n = copy->cap = 0;
  copy->ghost = patch->dotted;
  for (size_t i = 0; i < patch->n; i++) {
    const struct sc_node *child = patch->items[i];
    if (child->kind == SC_NULL && !keep_null && patch->kind == SC_MAP) continue;
    const char *child_path = child->key ? sc_printf(c, "%s%s%s", path, *path ? "." : "", child->key) : path;
    if (child->key && strcmp(child->key, "*") == 0 && !keep_null)
      sc_error_key(c, child, child_path, "`%s` matches nothing", child_path);
    else
      sc_node_append(c, copy, fresh(c, child, child_path, keep_null));
  }
  return copy;
}

static bool declared(const struct sc_node *map, const char *key) {
  const struct sim_param *table = map->model ? map->model->params : map->param ? map->param->fields : NULL;
  if (!map->model && map->param && map->param->kind != SIM_FIELDS) return false;
  for (; table && table->name; table++)
    if (strcmp(table->name, key) == 0) return true;
  return false;
}

/* Whether a pattern's remainder names something in target. */
static bool reaches(const struct sc_node *target, const struct sc_node *patch) {
  double factor;
  if (patch->kind != SC_MAP || target->kind != SC_MAP) return true;
  for (size_t i = 0; i < patch->n; i++) {
    const struct sc_node *child = patch->items[i], *there = sc_node_find(target, child->key);
    if (strcmp(child->key, "*") == 0 || strcmp(child->key, "source") == 0) continue;
    if (there ? !reaches(there, child) : !declared(target, child->key) || factor_of(child, &factor)) return false;
  }
  return true;
}

static void put(struct sc *c, struct sc_node *map, const char *key, struct sc_node *value) {
  for (size_t i = 0; i < map->n; i++) {
    if (strcmp(map->items[i]->key, key) != 0) continue;
    if (value)
      map->items[i] = value;
    else
      sc_node_remove(map, key);
    return;
  }
  if (value) sc_node_append(c, map, value);
}

static struct sc_node *merge(struct sc *c, struct sc_node *target, const struct sc_node *patch, const char *path,
                             bool arm);

static void merge_pattern(struct sc *c, struct sc_node *target, const struct sc_node *patch, const char *path,
                          bool arm) {
  bool matched = false;
  struct sc_node snapshot = sc_node_shallow(c, target);
  for (size_t i = 0; i < snapshot.n; i++) {
    struct sc_node *child = snapshot.items[i];
    if (strcmp(child->key, "like") == 0 || strcmp(child->key, "source") == 0 || !reaches(child, patch)) continue;
    matched = true;
    const char *key = child->key;
    struct sc_node *merged = merge(c, child, patch, sc_printf(c, "%s%s%s", path, *path ? "." : "", key), arm);
    if (merged) merged->key = key;
    put(c, target, key, merged);
  }
  if (!matched)
    sc_error_key(c, patch, sc_printf(c, "%s%s*", path, *path ? "." : ""), "`%s%s*` matches nothing", path,
                 *path ? "." : "");
}

static void remove_key(struct sc *c, struct sc_node *target, const struct sc_node *patch, const char *path) {
  bool names = (target->param && target->param->kind == SIM_NAMES) || strcmp(path, "arms") == 0;
  if (names && !sc_node_find(target, patch->key)) {
    struct sc_names known = {.c = c};
    for (size_t i = 0; i < target->n; i++) sc_names_add(&known, target->items[i]->key);
    sc_error_key(c, patch, path, "there is no `%s` to remove%s", patch->key, sc_names_hint(&known, patch->key));
  }
  sc_node_remove(target, patch->key);
}

static struct sc_node *merge_maps(struct sc *c, struct sc_node *target, const struct sc_node *patch, const char *path,
                                  bool arm) {
  /* A `source` alone cites anew what stands there; beside other keys it is their default, which they carry. */
  const struct sc_node *source = only_source(patch) ? sc_node_find(patch, "source") : NULL;
  if (source && source->kind == SC_SCALAR && (is_written_out(target) || target->under)) {
    set_source(target, source->text);
    if (target->under && target->under->kind == SC_SCALAR) target->under->source = source->text;
  }
  for (size_t i = 0; i < patch->n; i++) /* patterns first: what is named exactly wins, in any order */
    if (strcmp(patch->items[i]->key, "*") == 0 && !arm) merge_pattern(c, target, patch->items[i], path, arm);
  bool inside_arm = arm || strncmp(path, "arms.", 5) == 0;
  for (size_t i = 0; i < patch->n; i++) {
    const struct sc_node *child = patch->items[i];
    if (strcmp(child->key, "*") == 0 && !arm) continue;
    if (strcmp(child->key, "source") == 0 && !arm && child->kind == SC_SCALAR && strcmp(path, "sources") != 0) continue;
    if (child->kind == SC_NULL && !inside_arm) {
      remove_key(c, target, child, path);
      continue;
    }
    const char *child_path = sc_printf(c, "%s%s%s", path, *path ? "." : "", child->key);
    struct sc_node *merged = merge(c, sc_node_find(target, child->key), child, child_path, inside_arm);
    merged->key = child->key;
    put(c, target, child->key, merged);
  }
  target->filled = false;
  return target;
}

static struct sc_node *merge(struct sc *c, struct sc_node *target, const struct sc_node *patch, const char *path,
                             bool arm) {
  double factor;
  if (!target) {
    if (factor_of(patch, &factor) && !arm) sc_error(c, patch, path, "`%s` has nothing to multiply", patch->text);
    return fresh(c, patch, path, arm || strncmp(path, "arms", 4) == 0);
  }
  if (patch->kind == SC_MAP) {
    bool expanded = target->model || target->param;
    if (target->kind == SC_MAP && !(expanded && sc_node_find(patch, "like")) && same_form(target, patch))
      return merge_maps(c, target, patch, path, arm);
    struct sc_node *copy = fresh(c, patch, path, arm);
    copy->ghost = false;
    if (target->kind == SC_SCALAR && !arm) copy->under = target;
    return copy;
  }
  struct sc_node *copy = fresh(c, patch, path, true);
  if (factor_of(patch, &factor) && !arm) copy->under = target;
  return patch->kind == SC_NULL && !arm ? NULL : copy;
}

struct sc_node *sc_merge(struct sc *c, struct sc_node *target, const struct sc_node *patch, const char *path) {
  return merge(c, target, patch, path, false);
}

void sc_strip_nulls(struct sc_node *node, bool root) {
  if (node->kind != SC_MAP || (!root && sc_node_find(node, "like"))) return; /* beside `like` null is a patch */
  size_t kept = 0;
  for (size_t i = 0; i < node->n; i++) {
    struct sc_node *child = node->items[i];
    if (child->kind == SC_NULL) continue;
    bool arms = root && strcmp(child->key, "arms") == 0;
    for (size_t k = 0; arms && k < child->n; k++) /* an arm without patches is written `late:` */
      if (child->items[k]->kind == SC_NULL) child->items[k]->kind = SC_MAP;
    if (!arms) sc_strip_nulls(child, false);
    node->items[kept++] = child;
  }
  node->n = kept;
}

struct sc_node *sc_patch_of(struct sc *c, const char *path, struct sc_node *value) {
  const struct sc_doc *doc = value->doc;
  if (!sc_path_is_dotted(path) && !sc_is_name(path, strlen(path))) {
    sc_error(c, value, NULL, "`%s` is not a path such as `teams.crews.size`", path);
    return NULL;
  }
  struct sc_node *root = sc_node_new(c, SC_MAP, NULL);
  root->doc = doc;
  value->key = sc_copy(c, path, strlen(path));
  sc_node_append(c, root, value);
  sc_node_undot(c, root);
  return root;
}

/* ---- settling --------------------------------------------------------------------------------------------------- */

static struct sc_node *scaled_node(struct sc *c, const struct sc_node *factor_node, const struct sim_value *v,
                                   double factor, const char *path);

/* A whole distribution is scaled by its variable: means times the factor, rates divided by it, shapes untouched. A call
 * that is not a distribution (`poisson 0.5/year`) is scaled by its first parameter. */
static struct sc_node *scaled_call(struct sc *c, const struct sc_node *at, const struct sim_value *v, double factor,
                                   const char *path) {
  struct sc_node *map = sc_node_new(c, SC_MAP, at);
  sc_node_append(c, map, sc_node_scalar(c, "call", v->text, at));
  const struct sim_call *call = sc_call_find(v->param, v->text, strlen(v->text));
  bool law = false;
  for (size_t i = 0; i < v->n; i++) law = law || (call->params[i].unit && strchr(call->params[i].unit, '@'));
  for (size_t i = 0; i < v->n; i++) {
    const struct sim_value *item = &v->items[i];
    const char *unit = call->params[i].unit;
    double by = 1;
    if (item->form == SIM_ABSENT) continue;
    if (law && unit && strchr(unit, '@')) by = strcmp(unit, "@") == 0 ? factor : 1 / factor;
    if (!law && &call->params[i] == sc_call_first(call)) by = factor;
    struct sc_node *part = by == 1 ? sc_node_scalar(c, NULL, item->written ? item->written : item->text, at)
                                   : scaled_node(c, at, item, by, path);
    if (!part) return NULL;
    part->key = item->name;
    if (by == 1) part->source = item->source;
    sc_node_append(c, map, part);
  }
  return map;
}

static struct sc_node *scaled_node(struct sc *c, const struct sc_node *at, const struct sim_value *v, double factor,
                                   const char *path) {
  if (v->form == SIM_NUMBER) return sc_node_scalar(c, NULL, sc_scaled(c, v->written, factor), at);
  if (v->form == SIM_CALLED) return scaled_call(c, at, v, factor, path);
  if (v->form == SIM_GROUPS || v->form == SIM_STEPS) {
    struct sc_node *map = sc_node_new(c, SC_MAP, at);
    for (size_t i = 0; i < v->n; i++) {
      struct sc_node *part = scaled_node(c, at, &v->items[i], factor, path);
      if (!part) return NULL;
      part->key = v->items[i].name;
      sc_node_append(c, map, part);
    }
    return map;
  }
  sc_error(c, at, path, "`%s` multiplies numbers, and here is none", at->text);
  return NULL;
}

static struct sc_node *settle_factor(struct sc *c, struct sc_node *node, struct sc_node *under,
                                     const struct sim_param *p, const char *path, double factor) {
  struct sim_value v = {0};
  struct sc_node *result = NULL;
  size_t before = c->errors;
  if (under->kind == SC_SCALAR && under->text[0] == '$')
    sc_error(c, node, path, "`%s` cannot multiply the reference `%s`", node->text, under->text);
  else if (p->kind != SIM_QUANTITY && !sc_is_call_kind(p))
    sc_error(c, node, path, "`%s` multiplies numbers, and `%s` is none", node->text, p->name);
  else
    sc_bind(c, under, p, path, &v);
  if (c->errors == before) result = scaled_node(c, node, &v, factor, path);
  if (!result) return under;
  result->key = node->key;
  return result;
}

static struct sc_node *settle_top(struct sc *c, struct sc_node *node, const struct sim_param *p, const char *path) {
  double factor;
  if (!node->under) return node;
  struct sc_node *under = sc_settle(c, node->under, p, path);
  node->under = NULL;
  if (factor_of(node, &factor)) return settle_factor(c, node, under, p, path, factor);
  if ((p->kind != SIM_QUANTITY && !sc_is_call_kind(p)) || under->kind != SC_SCALAR) return node;
  /* Groups or steps replace one number; only a written-out form reaches into it. */
  bool reaches_in = is_written_out(node) || only_source(node) || (sc_is_call_kind(p) && !sc_is_bare(under->text));
  if (!reaches_in || sc_node_find(node, "call")) return node;
  struct sc_node *unfolded = sc_unfold(c, under, p, path);
  if (!unfolded) return node;
  unfolded = merge(c, unfolded, node, path, false);
  unfolded->key = node->key;
  return unfolded;
}

/* The parts of a written-out value, of a call or of a value by group, each with its own descriptor. */
static void settle_parts(struct sc *c, struct sc_node *map, const struct sim_param *p, const char *path) {
  const struct sc_node *name = sc_node_find(map, "call");
  const struct sim_call *call =
      name && name->kind == SC_SCALAR ? sc_call_find(p, name->text, strlen(name->text)) : NULL;
  for (size_t i = 0; i < map->n; i++) {
    struct sc_node *child = map->items[i];
    const struct sim_param *part = p;
    if (call) part = sc_table_find(call->params, child->key);
    if (!part || !child->under) continue;
    map->items[i] = sc_settle(c, child, sc_resolve_unit(c, part, p->unit), sc_printf(c, "%s.%s", path, child->key));
    map->items[i]->key = child->key;
  }
}

struct sc_node *sc_settle(struct sc *c, struct sc_node *node, const struct sim_param *p, const char *path) {
  node = settle_top(c, node, p, path);
  if (node->kind == SC_MAP && (p->kind == SIM_QUANTITY || sc_is_call_kind(p))) settle_parts(c, node, p, path);
  return node;
}
