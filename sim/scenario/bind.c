/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/bind.h"
#include "sim/scenario/budget.h"
#include "sim/scenario/expand.h"
#include "sim/scenario/like.h"
#include "sim/scenario/names.h"
#include "sim/scenario/scalar.h"
#include "sim/scenario/sections.h"
#include <string.h>
#include <unistd.h>

/* ---- context ---------------------------------------------------------------------------------------------------- */

void sc_bind_context(struct sc *c, const struct sc_node *root) {
  const struct sc_node *start = sc_node_find(root, "start"), *currency = sc_node_find(root, "currency");
  c->root = root;
  c->dated = start && start->kind == SC_SCALAR && sc_date(start->text, strlen(start->text), &c->start);
  c->currency = currency && currency->kind == SC_SCALAR ? currency->text : "USD";
}

bool sc_source_known(struct sc *c, const char *key) {
  static const char *const built_in[] = {"assumed", "illustrative", "elicited", "fitted"};
  for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
    if (strcmp(built_in[i], key) == 0) return true;
  if (c->root && sc_node_find(sc_node_find(c->root, "sources"), key)) return true;
  return c->library && sc_node_find(sc_library_presets(c->library, "bibliography"), key);
}

static void check_source(struct sc *c, const struct sc_node *node, const char *key, const char *path) {
  if (sc_source_known(c, key)) return;
  struct sc_names names = {.c = c};
  sc_names_add_words(&names, "assumed illustrative elicited fitted");
  const struct sc_node *own = c->root ? sc_node_find(c->root, "sources") : NULL;
  for (size_t i = 0; own && i < own->n; i++) sc_names_add(&names, own->items[i]->key);
  sc_error(c, node, path, "the source `%s` stands neither in `sources` nor in the bibliography%s", key,
           sc_names_hint(&names, key));
}

/* What is no statement about the world needs no source: moments, the version of the language, the design. */
static bool needs_no_source(const struct sim_param *p, const char *path) {
  return p->kind == SIM_MOMENT || p->kind == SIM_PREDICATE || strcmp(path, "airesim") == 0 ||
         strncmp(path, "design.", 7) == 0;
}

/* Takes the source of a scalar into out; returns the length of the text before it. */
static size_t take_source(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                          struct sim_value *out) {
  size_t length = strlen(node->text);
  const char *cited = sc_split_source(c, node->text, &length);
  const char *given = cited || needs_no_source(p, path) ? cited : node->source;
  out->source = given ? given : "assumed";
  if (given) check_source(c, node, given, path);
  return length;
}

/* ---- references to values: $name -------------------------------------------------------------------------------- */

const struct sc_node *sc_find_path(struct sc *c, const struct sc_node *node, const char *path) {
  while (node && *path) {
    size_t n = strcspn(path, ".");
    if (node->kind == SC_SCALAR && node->param && (sc_is_call_kind(node->param) || node->param->kind == SIM_QUANTITY)) {
      struct sim_diag *diag = c->diag;
      size_t errors = c->errors;
      c->diag = NULL; /* what is wrong with it is reported where it stands */
      node = sc_unfold(c, node, node->param, path);
      c->diag = diag;
      c->errors = errors;
    }
    node = node ? sc_node_find(node, sc_copy(c, path, n)) : NULL;
    path += n + (path[n] == '.');
  }
  return node;
}

static const char *call_text(struct sc *c, const struct sim_value *v);

static void no_ranges(struct sc *c, struct sim_value *v) {
  const char *range = v->form == SIM_NUMBER ? strstr(v->written, " (") : NULL;
  if (range) v->written = sc_copy(c, v->written, (size_t)(range - v->written));
  v->ranged = false;
  for (size_t i = 0; i < v->n; i++) no_ranges(c, &v->items[i]);
  if (v->form == SIM_CALLED) v->written = call_text(c, v);
}

/* The value of `$a.b`: of the nearest enclosing mapping that has that path. Its range stays with what is referred to.
 */
static void bind_reference(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                           struct sim_value *out) {
  const char *name = node->text + 1;
  size_t depth = c->depth;
  for (size_t i = depth; i-- > 0;) {
    const struct sc_node *target = sc_find_path(c, c->stack[i], name);
    if (!target) continue;
    if (c->references >= 16) {
      sc_error(c, node, path, "the reference `%s` goes round in a circle", node->text);
      return;
    }
    c->references++;
    c->depth = i + 1;
    sc_bind(c, target, p, path, out);
    c->depth = depth;
    c->references--;
    out->mark = sc_mark(node);
    out->name = node->key ? node->key : p->name;
    no_ranges(c, out);
    return;
  }
  sc_error(c, node, path, "`%s` names no parameter around here or at the top", node->text);
}

/* ---- mappings --------------------------------------------------------------------------------------------------- */

static void push(struct sc *c, const struct sc_node *map) {
  sim_bug_assert(c->depth < sizeof c->stack / sizeof *c->stack);
  c->stack[c->depth++] = map;
}

static bool is_mapping(struct sc *c, const struct sc_node *node, const char *path) {
  if (node->kind == SC_MAP) return true;
  sc_error(c, node, path, "expected a mapping of keys and values, found %s%s%s", node->text ? "`" : "",
           node->text ? node->text : "a list", node->text ? "`" : "");
  return false;
}

static void unknown_key(struct sc *c, const struct sc_node *child, const struct sim_param *table, const char *path) {
  struct sc_names names = {.c = c};
  for (const struct sim_param *p = table; p && p->name; p++) sc_names_add(&names, p->name);
  sc_error_key(c, child, path, "unknown key `%s`%s", child->key, sc_names_hint(&names, child->key));
}

static const char *join(struct sc *c, const char *path, const char *name) {
  return *path ? sc_printf(c, "%s.%s", path, name) : name;
}

static void bind_fields(struct sc *c, const struct sc_node *node, const struct sim_param *table, const char *path,
                        struct sim_value *out) {
  size_t n = 0;
  while (table && table[n].name) n++;
  push(c, node);
  out->form = SIM_MAPPING;
  out->items = sc_alloc(c, (n + 1) * sizeof *out->items);
  out->n = n;
  for (size_t i = 0; i < node->n; i++) {
    const struct sc_node *child = node->items[i];
    if (!sc_table_find(table, child->key) && strcmp(child->key, "source") != 0)
      unknown_key(c, child, table, join(c, path, child->key));
  }
  for (size_t i = 0; i < n; i++) {
    const struct sc_node *child = sc_node_find(node, table[i].name);
    const char *child_path = join(c, path, table[i].name);
    sc_bind(c, child, &table[i], child_path, &out->items[i]);
    if (child && table[i].beside && !sc_node_find(node, table[i].beside))
      sc_error_key(c, child, child_path, "`%s` is about `%s`, which is not given", table[i].name, table[i].beside);
    if (child || !(table[i].flags & SIM_REQUIRED)) continue;
    sc_error_key(c, node, child_path, "`%s` is missing: %s", table[i].name, table[i].doc ? table[i].doc : "");
  }
  c->depth--;
}

static bool good_name(struct sc *c, const struct sc_node *child, const char *path) {
  if (!sc_is_name(child->key, strlen(child->key)))
    sc_error_key(c, child, path, "`%s` is not a name: small letters, digits and _, beginning with a letter",
                 child->key);
  else if (sc_is_reserved(child->key))
    sc_error_key(c, child, path, "`%s` may not be a name: YAML or this language gives it a meaning", child->key);
  else
    return true;
  return false;
}

static void bind_names(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                       struct sim_value *out) {
  push(c, node);
  out->form = SIM_MAPPING;
  out->items = sc_alloc(c, (node->n + 1) * sizeof *out->items);
  for (size_t i = 0; i < node->n; i++) {
    const struct sc_node *child = node->items[i];
    const char *child_path = join(c, path, child->key);
    if (strcmp(child->key, "source") == 0 && child->kind == SC_SCALAR) continue;
    if (!good_name(c, child, child_path)) continue;
    sc_bind(c, child, p->fields, child_path, &out->items[out->n++]);
  }
  c->depth--;
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static const char *call_text(struct sc *c, const struct sim_value *v) {
  struct sc_text t = {.c = c};
  sc_text_add(&t, "%s", v->text);
  for (size_t i = 0; i < v->n; i++) {
    const struct sim_value *item = &v->items[i];
    if (item->form == SIM_ABSENT) continue;
    bool flag = item->param->kind == SIM_CHOICE && strcmp(item->text, item->name) == 0;
    bool quote = item->written && item->param->kind == SIM_TEXT && strchr(item->written, ' ');
    const char *mark = quote ? "\"" : "";
    if (!flag) sc_text_add(&t, " %s", item->name);
    sc_text_add(&t, " %s%s%s", mark, item->written ? item->written : "", mark);
  }
  return t.at;
}

/* {value: 0.4/day, range: ...} of a SIM_CALL: the first parameter of its first call, written out. */
static const struct sc_node *first_call(struct sc *c, const struct sc_node *map, const struct sim_param *p) {
  const struct sim_param *first = p->calls && p->calls->name ? sc_call_first(p->calls) : NULL;
  if (p->kind != SIM_CALL || sc_node_find(map, "call") || !sc_node_find(map, "value") || !first) return map;
  struct sc_node *outer = sc_node_new(c, SC_MAP, map), *inner = sc_alloc(c, sizeof *inner);
  *inner = *map;
  inner->key = first->name;
  sc_node_append(c, outer, sc_node_scalar(c, "call", p->calls->name, map));
  sc_node_append(c, outer, inner);
  return outer;
}

static void bind_call(struct sc *c, const struct sc_node *map, const struct sim_param *p, const char *path,
                      struct sim_value *out) {
  const struct sc_node *name = sc_node_find(map, "call");
  size_t before = c->errors;
  const struct sim_call *call =
      name && name->kind == SC_SCALAR ? sc_call_find(p, name->text, strlen(name->text)) : NULL;
  if (!call) {
    struct sc_names names = {.c = c};
    for (const struct sim_call *k = p->kind == SIM_LAW_CALL ? sim_laws : p->calls; k && k->name; k++)
      sc_names_add(&names, k->name);
    for (const struct sim_call *k = p->kind == SIM_CALL ? p->more_calls : NULL; k && k->name; k++)
      sc_names_add(&names, k->name);
    const char *wrong = name && name->text ? name->text : "";
    sc_error(c, name ? name : map, path, "`%s` is not one of the forms of `%s`%s", wrong, p->name,
             sc_names_hint(&names, wrong));
    return;
  }
  size_t n = 0;
  while (call->params && call->params[n].name) n++;
  push(c, map);
  out->text = call->name;
  out->items = sc_alloc(c, (n + 1) * sizeof *out->items);
  out->n = n;
  for (size_t i = 0; i < map->n; i++) {
    const struct sc_node *child = map->items[i];
    const char *key = child->key;
    bool common = strcmp(key, "call") == 0 || strcmp(key, "source") == 0 || strcmp(key, "note") == 0;
    if (!common && !sc_table_find(call->params, key)) unknown_key(c, child, call->params, join(c, path, key));
  }
  for (size_t i = 0; i < n; i++) {
    const struct sim_param *part = sc_resolve_unit(c, &call->params[i], p->unit);
    const struct sc_node *child = sc_node_find(map, part->name);
    if (!child && part->fallback) {
      struct sc_node *filled = sc_node_scalar(c, part->name, part->fallback, NULL);
      filled->source = part->source;
      filled->filled = true;
      child = filled;
    }
    sc_bind(c, child, part, join(c, path, part->name), &out->items[i]);
    if (!child && (part->flags & SIM_REQUIRED))
      sc_error(c, map, path, "`%s` needs `%s`: %s", call->name, part->name, part->doc ? part->doc : "");
    if (child && out->items[i].source) out->source = out->items[i].source;
  }
  c->depth--;
  if (c->errors != before) return;
  out->form = SIM_CALLED;
  out->written = call_text(c, out);
}

/* ---- quantities ------------------------------------------------------------------------------------------------- */

static bool is_word(const char *words, const char *word) {
  size_t length = strlen(word);
  for (const char *w = words; w && *w;) {
    size_t n = strcspn(w, " ");
    if (n == length && memcmp(w, word, n) == 0) return true;
    w += n + (w[n] == ' ');
  }
  return false;
}

static void bind_scalar_quantity(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                                 struct sim_value *out) {
  bool word = is_word(p->choices, node->text);
  bool name = p->refers && node->text[0] >= 'a' && node->text[0] <= 'z' && strcmp(node->text, "unlimited") != 0;
  if (word || name) {
    out->form = SIM_NAME;
    out->text = out->written = node->text;
    return;
  }
  size_t length = take_source(c, node, p, path, out);
  sc_quantity(c, node, length, p, path, out);
}

static void bind_steps(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                       struct sim_value *out) {
  size_t before = c->errors;
  struct sim_param step = *p;
  step.flags = (step.flags & ~(unsigned)(SIM_BY_GROUP | SIM_BY_FAMILY | SIM_BY_TIME)) | SIM_NO_RANGE;
  struct sim_param *kept = sc_alloc(c, sizeof *kept);
  *kept = step;
  out->items = sc_alloc(c, (node->n + 1) * sizeof *out->items);
  for (size_t i = 0; i < node->n; i++) {
    const struct sc_node *child = node->items[i];
    struct sim_value at = {0}, v = {0};
    if (strcmp(child->key, "source") == 0) continue;
    struct sc_node key = *child;
    key.kind = SC_SCALAR;
    key.text = child->key;
    key.line = child->key_line;
    key.column = child->key_column;
    if (!sc_moment(c, &key, strlen(key.text), path, &at)) continue;
    if (at.text) sc_error_key(c, child, path, "steps begin on days or dates, found `%s`", child->key);
    sc_bind(c, child, kept, join(c, path, child->key), &v);
    if (v.form == SIM_NUMBER && v.ranged) sc_error(c, child, path, "a step may not have a range");
    v.low = v.high = at.number;
    v.name = at.written;
    size_t k = out->n++;
    for (; k > 0 && out->items[k - 1].low > v.low; k--) out->items[k] = out->items[k - 1];
    if (k > 0 && out->items[k - 1].low == v.low) sc_error_key(c, child, path, "`%s` is given twice", child->key);
    out->items[k] = v;
  }
  if (c->errors == before) out->form = SIM_STEPS;
}

static void bind_groups(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                        struct sim_value *out) {
  size_t before = c->errors;
  struct sim_param *one = sc_alloc(c, sizeof *one);
  *one = *p;
  one->flags &= ~(unsigned)(SIM_BY_GROUP | SIM_BY_FAMILY | SIM_BY_TIME);
  struct sim_param names = {.kind = SIM_NAMES, .fields = one};
  struct sc_node sorted = sc_node_shallow(c, node);
  sc_node_sort(&sorted);
  bind_names(c, &sorted, &names, path, out);
  out->form = c->errors == before ? SIM_GROUPS : SIM_ABSENT;
}

static bool has_steps(const struct sc_node *node) {
  for (size_t i = 0; i < node->n; i++) {
    const char *key = node->items[i]->key;
    if (strncmp(key, "day ", 4) == 0 || (key[0] >= '0' && key[0] <= '9')) return true;
  }
  return false;
}

static void bind_written_out(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                             struct sim_value *out) {
  const struct sc_node *value = sc_node_find(node, "value"), *range = sc_node_find(node, "range");
  for (size_t i = 0; i < node->n; i++) {
    const char *key = node->items[i]->key;
    if (!is_word("value range source note", key))
      sc_error_key(c, node->items[i], join(c, path, key),
                   "unknown key `%s`; a written-out value has value, range, source, note", key);
  }
  if (!value || value->kind != SC_SCALAR) {
    sc_error(c, value ? value : node, path, "`value` is missing in a written-out quantity");
    return;
  }
  push(c, node);
  struct sc_node scalar = *value;
  if (!scalar.source) scalar.source = node->source;
  sc_bind(c, &scalar, p, path, out);
  out->name = node->key ? node->key : p->name;
  c->depth--;
  if (!range || out->form != SIM_NUMBER) return;
  if (range->kind != SC_SCALAR || out->ranged) {
    sc_error(c, range, path, out->ranged ? "the range is given twice" : "expected a range such as `10..60 %%`");
    return;
  }
  if (!sc_range(c, range, p, path, out)) out->form = SIM_ABSENT;
}

static void bind_quantity(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                          struct sim_value *out) {
  if (node->kind == SC_SCALAR) {
    bind_scalar_quantity(c, node, p, path, out);
  } else if (sc_node_find(node, "value") || sc_node_find(node, "range")) {
    bind_written_out(c, node, p, path, out);
  } else if (has_steps(node)) {
    if (p->flags & SIM_BY_TIME)
      bind_steps(c, node, p, path, out);
    else
      sc_error(c, node, path, "`%s` does not go by time", p->name);
  } else if (p->flags & (SIM_BY_GROUP | SIM_BY_FAMILY)) {
    bind_groups(c, node, p, path, out);
  } else {
    sc_error(c, node, path, "expected one value, found a mapping");
  }
}

static void bind_calling(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                         struct sim_value *out) {
  if (p->kind == SIM_CALL && p->refers) /* a curve; what it is to buy is reported where it is named */
    p = sc_budget_curve(c, c->depth ? c->stack[c->depth - 1] : NULL, p);
  if (!p) return;
  bool moment = (p->flags & SIM_OR_MOMENT) && node->kind == SC_SCALAR && sc_looks_like_moment(node->text);
  static const struct sim_param as_moment = {.kind = SIM_MOMENT};
  if (moment) {
    size_t length = take_source(c, node, &as_moment, path, out);
    sc_moment(c, node, length, path, out);
  } else if (node->kind == SC_SCALAR && p->kind == SIM_LAW_CALL && sc_is_bare(node->text)) {
    bind_scalar_quantity(c, node, p, path, out);
  } else if (node->kind == SC_SCALAR) {
    const struct sc_node *map = sc_unfold(c, node, p, path);
    if (map) bind_call(c, map, p, path, out);
  } else if (p->kind == SIM_LAW_CALL && !sc_node_find(node, "call")) {
    if (sc_node_find(node, "value"))
      bind_written_out(c, node, p, path, out);
    else if (p->flags & SIM_BY_GROUP)
      bind_groups(c, node, p, path, out);
    else
      sc_error(c, node, path,
               "expected a distribution such as `gamma mean 2 days cv 0.5`, found a mapping without `call`");
  } else {
    bind_call(c, first_call(c, node, p), p, path, out);
  }
}

/* ---- names and files -------------------------------------------------------------------------------------------- */

static void bind_choice(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                        struct sim_value *out) {
  if (is_word(p->choices, node->text)) {
    out->form = SIM_NAME;
    out->text = out->written = node->text;
    return;
  }
  struct sc_names names = {.c = c};
  sc_names_add_words(&names, p->choices);
  sc_error(c, node, path, "`%s` is not a choice of `%s`%s", node->text, p->name, sc_names_hint(&names, node->text));
}

static void bind_file(struct sc *c, const struct sc_node *node, const char *path, struct sim_value *out) {
  const char *text = node->text, *directory = node->doc ? node->doc->directory : NULL;
  while (strncmp(text, "./", 2) == 0) text += 2;
  bool climbs = strcmp(text, "..") == 0 || strncmp(text, "../", 3) == 0 || strstr(text, "/../");
  if (!directory || text[0] == '/' || climbs || !*text) {
    sc_error(c, node, path, "`%s` is not a file beside or below the scenario", node->text);
    return;
  }
  const char *full = sc_printf(c, "%s/%s", directory, text);
  if (access(full, R_OK) != 0) {
    sc_error(c, node, path, "the file `%s` does not exist or cannot be read", full);
    return;
  }
  size_t n = c->directory ? strlen(c->directory) : 0;
  bool below = n && strncmp(full, c->directory, n) == 0 && full[n] == '/';
  out->form = SIM_NAME;
  out->text = full;
  out->written = below ? full + n + 1 : text;
}

static void bind_text(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                      struct sim_value *out) {
  out->form = SIM_NAME;
  out->text = out->written = node->text;
  if (strcmp(path, "start") == 0 && !sc_date(node->text, strlen(node->text), &out->number)) {
    sc_error(c, node, path, "expected a date such as `2027-01-01` or `2027-01-01T10:00`, found `%s`", node->text);
    out->form = SIM_ABSENT;
  }
  if (strcmp(path, "currency") == 0 &&
      (strlen(node->text) != 3 || strspn(node->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)) {
    sc_error(c, node, path, "expected a currency's code such as `USD`, found `%s`", node->text);
    out->form = SIM_ABSENT;
  }
  (void)p;
}

/* ---- one node --------------------------------------------------------------------------------------------------- */

/* design.vary as {path: range}: the ranges are read once the paths are known (refs.c). */
static void bind_varied(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                        struct sim_value *out) {
  struct sc_node sorted = sc_node_shallow(c, node);
  sc_node_sort(&sorted);
  out->form = SIM_MAPPING;
  out->items = sc_alloc(c, (node->n + 1) * sizeof *out->items);
  for (size_t i = 0; i < node->n; i++) {
    const struct sc_node *child = sorted.items[i];
    if (strcmp(child->key, "source") == 0) continue;
    if (child->kind != SC_SCALAR) {
      sc_error(c, child, path, "expected a range such as `10..60 %%`");
      continue;
    }
    out->items[out->n++] = (struct sim_value){.param = p,
                                              .name = child->key,
                                              .path = join(c, path, child->key),
                                              .source = "assumed",
                                              .text = child->text,
                                              .written = child->text,
                                              .form = SIM_NAME,
                                              .mark = sc_mark(child)};
  }
}

static void bind_list(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                      struct sim_value *out) {
  if (!(p->flags & SIM_LIST) && !(p->flags & SIM_OR_MOMENT)) {
    sc_error(c, node, path, "expected one value, found a list");
    return;
  }
  size_t before = c->errors;
  out->items = sc_alloc(c, (node->n + 1) * sizeof *out->items);
  for (size_t i = 0; i < node->n; i++) {
    if (node->items[i]->kind != SC_SCALAR)
      sc_error(c, node->items[i], path, "a list holds plain values only");
    else
      sc_bind(c, node->items[i], p, path, &out->items[out->n++]);
  }
  for (size_t i = 0; i < out->n; i++) out->items[i].name = "";
  if (c->errors == before) out->form = SIM_ITEMS;
}

static bool wants_scalar(enum sim_kind kind) {
  return kind != SIM_QUANTITY && kind != SIM_LAW_CALL && kind != SIM_CALL;
}

static void bind_value(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                       struct sim_value *out) {
  if (node->kind == SC_SCALAR && !node->quoted && node->text[0] == '$' && p->kind != SIM_TEXT) {
    bind_reference(c, node, p, path, out);
    return;
  }
  if (node->kind == SC_MAP && p->kind == SIM_REF && strcmp(p->refers, "parameter") == 0) {
    bind_varied(c, node, p, path, out);
    return;
  }
  if (node->kind == SC_NULL || (wants_scalar(p->kind) && node->kind != SC_SCALAR)) {
    sc_error(c, node, path,
             node->kind == SC_NULL ? "`%s` has no value" : "expected one value for `%s`, found a mapping", p->name);
    return;
  }
  size_t length;
  switch (p->kind) {
  case SIM_QUANTITY:
    bind_quantity(c, node, p, path, out);
    break;
  case SIM_LAW_CALL:
  case SIM_CALL:
    bind_calling(c, node, p, path, out);
    break;
  case SIM_MOMENT:
    length = take_source(c, node, p, path, out);
    sc_moment(c, node, length, path, out);
    break;
  case SIM_PREDICATE:
    length = take_source(c, node, p, path, out);
    sc_predicate(c, node, 0, length, path, out);
    break;
  case SIM_RULE:
    length = take_source(c, node, p, path, out);
    sc_rule(c, node, length, p, path, out);
    break;
  case SIM_CHOICE:
    bind_choice(c, node, p, path, out);
    break;
  case SIM_FILE:
    bind_file(c, node, path, out);
    break;
  default: /* SIM_REF, SIM_TEXT */
    bind_text(c, node, p, path, out);
    break;
  }
}

void sc_bind(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
             struct sim_value *out) {
  *out = (struct sim_value){.param = p,
                            .name = node && node->key ? node->key : p->name,
                            .path = path,
                            .source = "assumed",
                            .model = node ? node->model : NULL,
                            .mark = node && node->kind == SC_MAP ? sc_key_mark(node) : sc_mark(node)};
  if (!node) return;
  size_t errors = c->errors;
  switch (p->kind) {
  case SIM_FIELDS:
    if (is_mapping(c, node, path)) bind_fields(c, node, p->fields, path, out);
    break;
  case SIM_NAMES:
    if (sc_is_patch(p->fields))
      out->form = SIM_ABSENT;
    else if (is_mapping(c, node, path))
      bind_names(c, node, p, path, out);
    break;
  case SIM_MODEL:
    if (node->model && is_mapping(c, node, path)) bind_fields(c, node, node->model->params, path, out);
    break;
  default:
    if (node->kind == SC_LIST)
      bind_list(c, node, p, path, out);
    else
      bind_value(c, node, p, path, out);
    if (c->errors != errors) out->form = SIM_ABSENT;
    break;
  }
}
