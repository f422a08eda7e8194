/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls: `gamma mean 2 days cv 0.5` is short for the mapping {call: gamma, mean: 2 days, cv: 0.5}. */
#include "sim/scenario/names.h"
#include "sim/scenario/scalar.h"
#include <string.h>

const struct sim_param *sc_resolve_unit(struct sc *c, const struct sim_param *p, const char *holder) {
  if (!p->unit || !strchr(p->unit, '@')) return p;
  struct sim_param *copy = sc_alloc(c, sizeof *copy);
  *copy = *p;
  bool plain = !holder || strcmp(holder, "1") == 0;
  if (strcmp(p->unit, "@") == 0)
    copy->unit = holder;
  else
    copy->unit = plain ? NULL : strcmp(holder, "1/day") == 0 ? "day" : sc_printf(c, "1/%s", holder);
  return copy;
}

bool sc_is_call_kind(const struct sim_param *p) {
  return p->kind == SIM_CALL || p->kind == SIM_LAW_CALL;
}

bool sc_is_bare(const char *text) {
  return strchr("+-.0123456789$", text[0]) || strcmp(text, "unlimited") == 0 || strncmp(text, "unlimited @", 11) == 0;
}

static const struct sim_call *find(const struct sim_call *table, const char *name, size_t length) {
  for (; table && table->name; table++)
    if (strlen(table->name) == length && memcmp(table->name, name, length) == 0) return table;
  return NULL;
}

const struct sim_call *sc_call_find(const struct sim_param *p, const char *name, size_t length) {
  if (p->kind == SIM_LAW_CALL) return find(sim_laws, name, length);
  const struct sim_call *call = find(p->calls, name, length);
  return call ? call : find(p->more_calls, name, length);
}

const struct sim_param *sc_call_first(const struct sim_call *call) {
  for (const struct sim_param *p = call->params; p && p->name; p++)
    if (p->flags & SIM_FIRST) return p;
  return call->params && call->params->name ? call->params : NULL;
}

static const struct sim_param *param_of(const struct sim_call *call, const char *word, size_t length) {
  for (const struct sim_param *p = call->params; p && p->name; p++)
    if (strlen(p->name) == length && memcmp(p->name, word, length) == 0) return p;
  return NULL;
}

/* Length of the word at text: up to a space, but a quoted or bracketed piece is one word. */
static size_t word_length(const char *text, size_t length) {
  if (text[0] == '"') {
    const char *end = memchr(text + 1, '"', length - 1);
    return end ? (size_t)(end - text) + 1 : length;
  }
  size_t n = 0, open = 0;
  for (; n < length && (text[n] != ' ' || open > 0); n++) {
    if (text[n] == '(') open++;
    if (text[n] == ')' && open > 0) open--;
  }
  return n;
}

static void part(struct sc *c, struct sc_node *map, const struct sc_node *node, const char *key, size_t at,
                 size_t length, const char *path) {
  const char *text = node->text + at;
  while (length && text[length - 1] == ' ') length--;
  bool quoted = length >= 2 && text[0] == '"' && text[length - 1] == '"';
  struct sc_node *child = sc_node_scalar(c, key, sc_copy(c, text + quoted, length - 2 * quoted), node);
  child->quoted = quoted;
  child->column = node->column ? node->column + (unsigned)(at + quoted + node->quoted) : 0;
  if (sc_node_find(map, key)) {
    sc_error(c, child, path, "`%s` is given twice", key);
    return;
  }
  sc_node_append(c, map, child);
}

/* The pairs of a call's text from `at`: segments that begin with a parameter's name. */
static bool pairs(struct sc *c, struct sc_node *map, const struct sc_node *node, size_t at, size_t length,
                  const struct sim_call *call, const char *path) {
  const struct sim_param *current = NULL;
  size_t from = at, before = c->errors;
  bool started = false;
  while (at < length) {
    if (node->text[at] == ' ') {
      at++;
      continue;
    }
    size_t n = word_length(node->text + at, length - at);
    const struct sim_param *p = param_of(call, node->text + at, n);
    if (p || !started) {
      if (started) part(c, map, node, current->name, from, at - from, path);
      current = p ? p : sc_call_first(call);
      if (!current) {
        sc_error_at(c, node, at, path, "`%s` takes no parameter, found `%.*s`", call->name, (int)(length - at),
                    node->text + at);
        return false;
      }
      /* A flag such as `directed` is its own value. */
      bool flag = p && p->kind == SIM_CHOICE && strcmp(p->choices, p->name) == 0;
      from = p && !flag ? at + n : at;
      while (from < length && node->text[from] == ' ') from++;
      started = true;
    }
    at += n;
  }
  if (started && from < length)
    part(c, map, node, current->name, from, length - from, path);
  else if (started)
    sc_error_at(c, node, length, path, "`%s` needs a value", current->name);
  return c->errors == before;
}

static struct sc_node *unfold_call(struct sc *c, struct sc_node *map, const struct sc_node *node,
                                   const struct sim_param *p, size_t length, const char *path) {
  size_t n = word_length(node->text, length);
  const struct sim_call *call = sc_call_find(p, node->text, n);
  if (!call) {
    struct sc_names names = {.c = c};
    for (const struct sim_call *k = p->kind == SIM_LAW_CALL ? sim_laws : p->calls; k && k->name; k++)
      sc_names_add(&names, k->name);
    for (const struct sim_call *k = p->kind == SIM_CALL ? p->more_calls : NULL; k && k->name; k++)
      sc_names_add(&names, k->name);
    const char *word = sc_copy(c, node->text, n);
    sc_error(c, node, path, "`%s` is not one of the forms of `%s`%s", word, p->name, sc_names_hint(&names, word));
    return NULL;
  }
  part(c, map, node, "call", 0, n, path);
  return pairs(c, map, node, n, length, call, path) ? map : NULL;
}

struct sc_node *sc_unfold(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path) {
  struct sc_node *map = sc_node_new(c, SC_MAP, node);
  size_t length = strlen(node->text);
  const char *source = sc_split_source(c, node->text, &length);
  map->key = node->key;
  map->filled = node->filled;
  map->param = node->param;
  if (sc_is_call_kind(p) && !sc_is_bare(node->text)) {
    if (!unfold_call(c, map, node, p, length, path)) return NULL;
  } else if (p->kind == SIM_CALL) {
    const struct sim_param *first = p->calls && p->calls->name ? sc_call_first(p->calls) : NULL;
    if (!first) {
      sc_error(c, node, path, "expected a name such as `%s`, found `%s`", p->calls ? p->calls->name : "", node->text);
      return NULL;
    }
    sc_node_append(c, map, sc_node_scalar(c, "call", p->calls->name, node));
    part(c, map, node, first->name, 0, length, path);
  } else {
    const char *open = memchr(node->text, '(', length);
    size_t value = open ? (size_t)(open - node->text) : length;
    part(c, map, node, "value", 0, value, path);
    if (open && node->text[length - 1] == ')') part(c, map, node, "range", value + 1, length - value - 2, path);
  }
  for (size_t i = 0; i < map->n; i++) {
    if (source) map->items[i]->source = source;
    map->items[i]->filled = node->filled;
  }
  return map;
}
