/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/scenario.h"
#include "sim/scenario/bind.h"
#include "sim/scenario/budget.h"
#include "sim/scenario/expand.h"
#include "sim/scenario/like.h"
#include "sim/scenario/names.h"
#include "sim/scenario/patch.h"
#include "sim/scenario/refs.h"
#include "sim/scenario/scenario_internal.h"
#include "sim/scenario/sections.h"
#include "sim/scenario/yaml.h"
#include <stdlib.h>
#include <string.h>

/* ---- arms ------------------------------------------------------------------------------------------------------- */

/* What an arm may not touch: it would change what is measured or asked, not what happens. */
static void check_arm(struct sc *c, const struct sc_node *arm, const char *path) {
  static const char *const kept[] = {"measures", "design", "arms", "airesim", "sources", "observed", "question"};
  for (size_t i = 0; i < arm->n; i++)
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
      if (strcmp(arm->items[i]->key, kept[k]) == 0)
        sc_error_key(c, arm->items[i], sc_printf(c, "%s.%s", path, kept[k]), "an arm may not change `%s`", kept[k]);
}

/* The patches of an arm, those of the arm it is `like` first. */
static void collect_patches(struct sc *c, const struct sc_node *arms, const struct sc_node *node, struct sc_arm *out) {
  const struct sc_node *chain[SC_LIKE_MAX + 1];
  size_t n = 0;
  while (node) {
    const struct sc_node *like = sc_node_find(node, "like"), *next = NULL;
    const char *path = sc_printf(c, "arms.%s", out->name);
    for (size_t i = 0; i < n; i++) {
      if (chain[i] != node) continue;
      sc_error(c, sc_node_find(chain[n - 1], "like"), path, "`like` goes round in a circle");
      return;
    }
    if (n > SC_LIKE_MAX) {
      sc_error(c, like, path, "a chain of `like` is longer than %d", SC_LIKE_MAX);
      return;
    }
    chain[n++] = node;
    if (like && (like->kind != SC_SCALAR || !(next = sc_node_find(arms, like->text)))) {
      struct sc_names names = {.c = c};
      for (size_t i = 0; i < arms->n; i++) sc_names_add(&names, arms->items[i]->key);
      const char *wrong = like->text ? like->text : "";
      sc_error(c, like, path, "there is no arm `%s`%s", wrong, sc_names_hint(&names, wrong));
      return;
    }
    node = next;
  }
  out->patch = sc_alloc(c, n * sizeof *out->patch);
  out->n = n;
  for (size_t i = 0; i < n; i++) {
    struct sc_node *patch = sc_node_copy(c, chain[n - 1 - i]);
    sc_node_remove(patch, "like");
    sc_node_remove(patch, "source"); /* its scalars carry it */
    out->patch[i] = patch;
  }
}

static void load_arms(struct sc *c, struct sim_scenario *s, struct sc_node *root) {
  struct sc_node *arms = sc_node_find(root, "arms");
  if (arms && arms->kind != SC_MAP) sc_error(c, arms, "arms", "expected a mapping of arms");
  bool given = arms && arms->kind == SC_MAP && arms->n > 0;
  s->unnamed = !given;
  s->arm = sc_alloc(c, ((given ? arms->n : 0) + 1) * sizeof *s->arm);
  s->arm_name = sc_alloc(c, ((given ? arms->n : 0) + 1) * sizeof *s->arm_name);
  if (given) sc_node_sort(arms);
  for (size_t i = 0; given && i < arms->n; i++) {
    const struct sc_node *node = arms->items[i];
    const char *path = sc_printf(c, "arms.%s", node->key);
    if (strcmp(node->key, "source") == 0) continue;
    if (!sc_is_name(node->key, strlen(node->key)) || sc_is_reserved(node->key)) {
      sc_error_key(c, node, path, "`%s` is not a name for an arm: small letters, digits and _", node->key);
      continue;
    }
    if (node->kind != SC_MAP) {
      sc_error(c, node, path, "expected a mapping of changes, or {}");
      continue;
    }
    check_arm(c, node, path);
    struct sc_arm *arm = &s->arm[s->n_arms];
    s->arm_name[s->n_arms++] = arm->name = node->key;
    arm->written = node;
    collect_patches(c, arms, node, arm);
  }
  if (!given) {
    s->arm_name[0] = s->arm[0].name = "base";
    s->n_arms = 1;
  }
  sc_node_remove(root, "arms");
}

size_t sim_scenario_arms(const struct sim_scenario *s) {
  return s->n_arms;
}

const char *sim_scenario_arm(const struct sim_scenario *s, size_t arm) {
  return arm < s->n_arms ? s->arm_name[arm] : NULL;
}

/* ---- binding ---------------------------------------------------------------------------------------------------- */

static struct sc_node *apply(struct sc *c, struct sc_node *root, const struct sim_patch *patch, const char *what) {
  struct sc_doc *doc = sc_alloc(c, sizeof *doc);
  doc->name = sc_printf(c, "%s %s", what, patch->path);
  doc->directory = c->directory;
  struct sc_node *value = sc_yaml_value(c, patch->text, doc);
  struct sc_node *map = value ? sc_patch_of(c, patch->path, value) : NULL;
  if (!map) return root;
  root = sc_merge(c, root, map, "");
  sc_budget_guard(c, root, map);
  return root;
}

struct sc_node *sc_scenario_tree(struct sc *c, const struct sim_scenario *s, size_t arm, const struct sim_patch *point,
                                 size_t n_point) {
  struct sc_node *root = sc_node_copy(c, s->base);
  c->directory = s->directory;
  sc_bind_context(c, root);
  for (size_t i = 0; i < s->arm[arm].n; i++) {
    root = sc_merge(c, root, s->arm[arm].patch[i], "");
    root = sc_expand(c, root, &sc_root, ""); /* so that a factor finds what the patch before it made */
  }
  for (size_t i = 0; i < s->arm[arm].n; i++) sc_budget_guard(c, root, s->arm[arm].patch[i]);
  for (size_t i = 0; i < n_point; i++) {
    root = apply(c, root, &point[i], "design point");
    root = sc_expand(c, root, &sc_root, "");
  }
  sc_bind_context(c, root);
  root = sc_budget_apply(c, root);
  sc_bind_context(c, root);
  return root;
}

/* library: the scenario's own while it is loaded, else a copy that nobody else sees. */
static int bind_arm(struct sim_bound **out, const struct sim_scenario *s, struct sc_library *library, size_t arm,
                    const struct sim_patch *point, size_t n_point, struct sim_diag *diag) {
  *out = NULL;
  struct sim_bound *b = sim_calloc(1, sizeof *b);
  if (!b) return SIM_ERR_MEMORY;
  jmp_buf unwind;
  struct sc c = {.arena = &b->arena, .diag = diag, .unwind = &unwind, .library = library};
  if (setjmp(unwind) != 0) {
    sim_bound_free(b);
    return SIM_ERR_MEMORY;
  }
  struct sc_node *root = sc_scenario_tree(&c, s, arm, point, n_point);
  sc_bind(&c, root, &sc_root, "", &b->root);
  sc_check_references(&c, &b->root, s->arm_name, s->unnamed ? 0 : s->n_arms);
  if (c.errors > 0) {
    sim_bound_free(b);
    return SIM_ERR_INPUT;
  }
  *out = b;
  return 0;
}

int sim_scenario_bind(struct sim_bound **out, const struct sim_scenario *s, size_t arm, const struct sim_patch *point,
                      size_t n_point, struct sim_diag *diag) {
  sim_bug_assert(arm < s->n_arms);
  struct sc_library library = s->library;
  return bind_arm(out, s, &library, arm, point, n_point, diag);
}

const struct sim_value *sim_bound_root(const struct sim_bound *b) {
  return &b->root;
}

void sim_bound_free(struct sim_bound *b) {
  if (!b) return;
  sc_arena_free(&b->arena);
  sim_free(b);
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

static bool has(const struct sim_diag *d, const struct sim_diag_item *item) {
  for (size_t i = 0; i < d->n; i++) {
    const struct sim_diag_item *k = &d->items[i];
    bool same_file = k->file && item->file ? strcmp(k->file, item->file) == 0 : k->file == item->file;
    if (same_file && k->line == item->line && k->column == item->column && strcmp(k->text, item->text) == 0)
      return true;
  }
  return false;
}

/* Adds what each arm's binding found to diag: what is wrong in all arms as it is, what is wrong in one with its name.
 */
static int gather(const struct sim_scenario *s, const struct sim_diag *found, struct sim_diag *diag) {
  for (size_t a = 0; a < s->n_arms; a++)
    for (size_t i = 0; i < found[a].n; i++) {
      const struct sim_diag_item *item = &found[a].items[i];
      bool everywhere = true, earlier = false;
      for (size_t b = 0; b < s->n_arms; b++) {
        everywhere = everywhere && has(&found[b], item);
        earlier = earlier || (b < a && has(&found[b], item));
      }
      if (earlier || has(diag, item)) continue;
      struct sim_mark mark = {item->file, item->line, item->column};
      int ret = everywhere || s->unnamed
                    ? sim_diag_add(diag, &mark, item->path, "%s", item->text)
                    : sim_diag_add(diag, &mark, item->path, "%s (in arm `%s`)", item->text, s->arm_name[a]);
      if (ret == SIM_ERR_MEMORY) return ret;
    }
  return 0;
}

static int check_arms(struct sim_scenario *s, struct sim_diag *diag) {
  int ret = 0;
  struct sim_diag *found = sim_calloc(s->n_arms, sizeof *found);
  if (!found) return SIM_ERR_MEMORY;
  for (size_t a = 0; a < s->n_arms && ret != SIM_ERR_MEMORY; a++) {
    struct sim_bound *bound;
    int result = bind_arm(&bound, s, &s->library, a, NULL, 0, &found[a]);
    sim_bound_free(bound);
    if (result != 0) ret = result;
  }
  if (ret != SIM_ERR_MEMORY && gather(s, found, diag) != 0) ret = SIM_ERR_MEMORY;
  for (size_t a = 0; a < s->n_arms; a++) sim_diag_free(&found[a]);
  sim_free(found);
  return ret;
}

static void load(struct sc *c, struct sim_scenario *s, const char *text, size_t length, const char *name,
                 const struct sim_patch *sets, size_t n_sets) {
  struct sc_doc *doc = sc_alloc(c, sizeof *doc);
  doc->name = sc_copy(c, name, strlen(name));
  doc->directory = c->directory = s->directory;
  sc_library_load(c, &s->library);
  struct sc_node *root = sc_yaml_parse(c, text, length, doc);
  if (!root) return;
  if (root->kind != SC_MAP) {
    sc_error(c, root, NULL, "a scenario is a mapping that begins with `airesim: 1`");
    return;
  }
  root = sc_like_root(c, root);
  if (!root) return;
  sc_strip_nulls(root, true);
  sc_bind_context(c, root);
  root = sc_expand(c, root, &sc_root, "");
  for (size_t i = 0; i < n_sets; i++) root = sc_expand(c, apply(c, root, &sets[i], "--set"), &sc_root, "");
  load_arms(c, s, root);
  s->base = root;
}

/* Keeps what loads the scenario again. */
static void keep_origin(struct sc *c, struct sim_scenario *s, const char *text, const char *name,
                        const struct sim_patch *sets, size_t n_sets) {
  char *directory = realpath(s->directory, NULL);
  struct sim_patch *copy = sc_alloc(c, (n_sets + 1) * sizeof *copy);
  for (size_t i = 0; i < n_sets; i++) {
    copy[i] = (struct sim_patch){sc_copy(c, sets[i].path, strlen(sets[i].path)),
                                 sc_copy(c, sets[i].text, strlen(sets[i].text))};
  }
  const char *absolute = directory ? directory : s->directory; /* no such directory: so no file of it is found */
  s->origin = (struct sim_scenario_origin){.text = text,
                                           .name = sc_copy(c, name, strlen(name)),
                                           .directory = sc_copy(c, absolute, strlen(absolute)),
                                           .sets = copy,
                                           .n_sets = n_sets};
  free(directory); /* the C library's */
}

static int read_and_load(struct sc *c, struct sim_scenario *s, const char *path, const char *text, size_t length,
                         const char *name, const struct sim_patch *sets, size_t n_sets) {
  if (path) {
    const char *slash = strrchr(path, '/');
    s->directory = slash ? sc_copy(c, path, (size_t)(slash - path)) : ".";
    if (slash == path) s->directory = "/";
    text = sc_read_file(c, path, &length, NULL, NULL);
  } else {
    text = sc_copy(c, text, length);
    s->directory = s->directory ? sc_copy(c, s->directory, strlen(s->directory)) : ".";
  }
  if (!text) return SIM_ERR_INPUT;
  keep_origin(c, s, text, name, sets, n_sets);
  load(c, s, text, length, name, sets, n_sets);
  if (!s->base) return SIM_ERR_INPUT;
  int ret = check_arms(s, c->diag);
  s->library.frozen = true;
  return ret != 0 ? ret : c->errors > 0 ? SIM_ERR_INPUT : 0;
}

static int load_text(struct sim_scenario *s, const char *path, const char *text, size_t length, const char *name,
                     const struct sim_patch *sets, size_t n_sets, struct sim_diag *diag) {
  jmp_buf unwind;
  s->library.arena = &s->arena;
  struct sc c = {.arena = &s->arena, .diag = diag, .unwind = &unwind, .library = &s->library};
  return setjmp(unwind) == 0 ? read_and_load(&c, s, path, text, length, name, sets, n_sets) : SIM_ERR_MEMORY;
}

static int create(struct sim_scenario **out, const char *path, const char *text, size_t length, const char *name,
                  const char *directory, const struct sim_patch *sets, size_t n_sets, struct sim_diag *diag) {
  *out = NULL;
  struct sim_scenario *s = sim_calloc(1, sizeof *s);
  if (!s) return SIM_ERR_MEMORY;
  s->directory = directory;
  int ret = load_text(s, path, text, length, name, sets, n_sets, diag);
  if (ret != 0) {
    sim_scenario_free(s);
    return ret;
  }
  *out = s;
  return 0;
}

int sim_scenario_load(struct sim_scenario **out, const char *path, const struct sim_patch *sets, size_t n_sets,
                      struct sim_diag *diag) {
  return create(out, path, NULL, 0, strcmp(path, "-") == 0 ? "<stdin>" : path, NULL, sets, n_sets, diag);
}

int sim_scenario_parse(struct sim_scenario **out, const char *text, size_t length, const char *name,
                       const char *directory, const struct sim_patch *sets, size_t n_sets, struct sim_diag *diag) {
  return create(out, NULL, text, length, name, directory, sets, n_sets, diag);
}

void sim_scenario_free(struct sim_scenario *s) {
  if (!s) return;
  sc_arena_free(&s->arena);
  sim_free(s);
}

char *sim_scenario_written(const struct sim_scenario *s) {
  return sim_strdup(s->origin.text);
}

const struct sim_scenario_origin *sim_scenario_origin(const struct sim_scenario *s) {
  return &s->origin;
}

int sim_scenario_with(struct sim_scenario **out, const struct sim_scenario *s, const struct sim_patch *sets,
                      size_t n_sets, struct sim_diag *diag) {
  const struct sim_scenario_origin *o = &s->origin;
  struct sim_patch *all = sim_calloc(o->n_sets + n_sets + 1, sizeof *all);
  if (!all) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < o->n_sets + n_sets; i++) all[i] = i < o->n_sets ? o->sets[i] : sets[i - o->n_sets];
  int ret = sim_scenario_parse(out, o->text, strlen(o->text), o->name, o->directory, all, o->n_sets + n_sets, diag);
  sim_free(all);
  return ret;
}
