/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/refs.h"
#include "sim/scenario/like.h"
#include "sim/scenario/names.h"
#include "sim/scenario/scalar.h"
#include "sim/scenario/sections.h"
#include <stdio.h>
#include <string.h>

struct instance { /* an entry that others may name */
  const char *name, *section;
  const struct sim_value *value;
  const struct sim_model *model; /* of layers: that of assets */
};

struct checker {
  struct sc *c;
  const struct sim_value *root;
  const struct sim_value *entry; /* the entry of a model or layer that encloses what is being checked */
  struct instance *instance;
  size_t n, cap;
  const char *const *arms;
  size_t n_arms;
  bool unions; /* what is being checked may name a union of layers */
};

/* Observables that are no states, by section; a name outside it in these sections is left to the engine. */
static bool has_more_observables(const char *section) {
  return strcmp(section, "hazards") != 0 && strcmp(section, "unions") != 0;
}

static void value_error(struct sc *c, const struct sim_value *v, const char *fmt, ...) SIM_PRINTF(3, 4);
static void value_error(struct sc *c, const struct sim_value *v, const char *fmt, ...) {
  struct sc_doc doc = {.name = v->mark.file};
  struct sc_node at = {.doc = v->mark.file ? &doc : NULL, .line = v->mark.line, .column = v->mark.column};
  char text[1024];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  sc_error(c, &at, v->path, "%s", text);
}

/* ---- instances -------------------------------------------------------------------------------------------------- */

static void add_instance(struct checker *k, const char *section, const struct sim_value *v) {
  for (size_t i = 0; i < k->n; i++) {
    if (strcmp(k->instance[i].name, v->name) != 0) continue;
    const struct sim_mark *first = &k->instance[i].value->mark;
    value_error(k->c, v, "the name `%s` is used twice: also by `%s` (%s:%u:%u)", v->name, k->instance[i].value->path,
                first->file ? first->file : "default", first->line, first->column);
  }
  if (k->n == k->cap) {
    size_t cap = k->cap ? 2 * k->cap : 32;
    struct instance *grown = sc_alloc(k->c, cap * sizeof *grown);
    if (k->n) memcpy(grown, k->instance, k->n * sizeof *grown);
    k->instance = grown;
    k->cap = cap;
  }
  const struct sim_model *model = v->model;
  if (strcmp(section, "layers") == 0) sc_model_find("layers", NULL, &model);
  k->instance[k->n++] = (struct instance){v->name, section, v, model};
}

static bool is_union(const struct sim_value *layer) {
  const struct sim_value *of = layer->form == SIM_MAPPING && !layer->model ? sim_value_find(layer, "of") : NULL;
  return of && of->form != SIM_ABSENT;
}

static void gather(struct checker *k) {
  for (size_t s = 0; sc_model_sections[s]; s++) {
    const struct sim_value *section = sim_value_find(k->root, sc_model_sections[s]);
    if (section && section->param->kind == SIM_MODEL) {
      if (section->form == SIM_MAPPING) add_instance(k, sc_model_sections[s], section);
      continue;
    }
    for (size_t i = 0; section && i < section->n; i++) add_instance(k, sc_model_sections[s], &section->items[i]);
  }
  const struct sim_value *society = sim_value_find(k->root, "society");
  const struct sim_value *layers = society ? sim_value_find(society, "layers") : NULL;
  for (size_t i = 0; layers && i < layers->n; i++)
    add_instance(k, is_union(&layers->items[i]) ? "unions" : "layers", &layers->items[i]);
}

static const struct instance *find(const struct checker *k, const char *name, size_t length, const char *section) {
  for (size_t i = 0; i < k->n; i++)
    if (strlen(k->instance[i].name) == length && memcmp(k->instance[i].name, name, length) == 0 &&
        (!section || strcmp(k->instance[i].section, section) == 0))
      return &k->instance[i];
  return NULL;
}

static void add_of_section(const struct checker *k, const char *section, struct sc_names *names) {
  for (size_t i = 0; i < k->n; i++)
    if (!section || strcmp(k->instance[i].section, section) == 0) sc_names_add(names, k->instance[i].name);
}

static const struct sim_value *mapping_in(const struct sim_value *entry, const char *field) {
  const struct sim_value *map = entry ? sim_value_find(entry, field) : NULL;
  return map && map->form == SIM_MAPPING ? map : NULL;
}

static void add_keys(const struct sim_value *map, struct sc_names *names) {
  for (size_t i = 0; map && i < map->n; i++) sc_names_add(names, map->items[i].name);
}

static void add_states(const struct instance *at, struct sc_names *names) {
  add_keys(mapping_in(at->value, "states"), names);
  for (const struct sim_state_desc *s = at->model ? at->model->states : NULL; s && s->name; s++)
    sc_names_add(names, s->name);
  if (strcmp(at->section, "layers") == 0) sc_names_add(names, "unsupplied");
}

/* ---- instance.name ---------------------------------------------------------------------------------------------- */

enum part { STATE, OBSERVABLE, KNOB, SIGNAL };

static void add_parts(const struct instance *at, enum part part, struct sc_names *names) {
  if (part == STATE || part == OBSERVABLE) add_states(at, names);
  for (const struct sim_knob *k = part == KNOB && at->model ? at->model->knobs : NULL; k && k->name; k++)
    sc_names_add(names, k->name);
  for (const struct sim_signal_desc *s = part == SIGNAL && at->model ? at->model->signals : NULL; s && s->name; s++)
    sc_names_add(names, s->name);
}

/* Checks "clinics.alarm"; a section before it (`actions.vaccinate.uptake`) is dropped. Returns the short form. */
static const char *check_part(struct checker *k, const struct sim_value *v, const char *text, enum part part) {
  static const char *const what[] = {"state", "observable", "knob", "signal"};
  struct sc_names names = {.c = k->c};
  const char *dot = strchr(text, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;
  for (size_t i = 0; second && i < k->n; i++) {
    size_t n = strlen(k->instance[i].section);
    if ((size_t)(dot - text) != n || memcmp(k->instance[i].section, text, n) != 0) continue;
    text = dot + 1;
    dot = second;
    break;
  }
  if (!dot) {
    value_error(k->c, v, "expected a %s such as `entry.%s`, found `%s`", what[part], what[part], text);
    return text;
  }
  const struct instance *at = find(k, text, (size_t)(dot - text), NULL);
  if (!at) {
    const char *name = sc_copy(k->c, text, (size_t)(dot - text));
    add_of_section(k, NULL, &names);
    value_error(k->c, v, "there is no entry `%s`%s", name, sc_names_hint(&names, name));
    return text;
  }
  add_parts(at, part, &names);
  if (sc_names_have(&names, dot + 1) || (part == OBSERVABLE && has_more_observables(at->section))) return text;
  value_error(k->c, v, "`%s` has no %s `%s`%s", at->name, what[part], dot + 1, sc_names_hint(&names, dot + 1));
  return text;
}

/* ---- what a descriptor refers to -------------------------------------------------------------------------------- */

static const struct sim_value *people_groups(const struct checker *k, bool *by_file) {
  const struct sim_value *society = sim_value_find(k->root, "society");
  const struct sim_value *attributes = society ? sim_value_find(society, "attributes") : NULL;
  *by_file = attributes && attributes->form != SIM_ABSENT;
  return society ? sim_value_find(society, "groups") : NULL;
}

static bool is_own_population(const struct instance *layer) {
  const struct sim_value *nodes = sim_value_find(layer->value, "nodes");
  return !nodes || nodes->form != SIM_NAME;
}

/* Names of a simple kind of reference; false if this kind is not of that sort or cannot be known here. */
static bool names_of(const struct checker *k, const char *kind, struct sc_names *names) {
  static const char *const sections[][2] = {
      {"layer", "layers"}, {"hazard", "hazards"}, {"team", "teams"}, {"sensor", "sensing"}, {"entry", NULL}};
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    if (strcmp(kind, sections[i][0]) != 0) continue;
    add_of_section(k, sections[i][1], names);
    if (k->unions && strcmp(kind, "layer") == 0) add_of_section(k, "unions", names);
    return true;
  }
  bool by_file = false;
  if (strcmp(kind, "population") == 0) {
    sc_names_add(names, "people");
    for (size_t i = 0; i < k->n; i++)
      if (strcmp(k->instance[i].section, "layers") == 0 && is_own_population(&k->instance[i]))
        sc_names_add(names, k->instance[i].name);
  } else if (strcmp(kind, "group") == 0) {
    add_keys(people_groups(k, &by_file), names);
  } else if (strcmp(kind, "arm") == 0) {
    for (size_t i = 0; i < k->n_arms; i++) sc_names_add(names, k->arms[i]);
  } else if (strcmp(kind, "observed") == 0) {
    add_keys(sim_value_find(k->root, "observed"), names);
  } else if (strcmp(kind, "own_state") == 0) {
    add_keys(mapping_in(k->entry, "states"), names);
  } else if (strcmp(kind, "own_transition") == 0) {
    add_keys(mapping_in(k->entry, "transitions"), names);
  } else {
    return false;
  }
  return !by_file;
}

/* The transitions of the hazard that the same entry names; false if they are its model's own, as a layer's are: then
 * the engine knows them. */
static bool transitions(const struct checker *k, struct sc_names *names) {
  for (size_t i = 0; k->entry && i < k->entry->n; i++) {
    const struct sim_value *field = &k->entry->items[i];
    if (field->form != SIM_NAME || !field->param->refers || strcmp(field->param->refers, "hazard") != 0) continue;
    const struct instance *hazard = find(k, field->text, strlen(field->text), "hazards");
    if (!hazard || (hazard->model && hazard->model->states)) return false;
    add_keys(mapping_in(hazard->value, "transitions"), names);
    return true;
  }
  return false;
}

static bool part_kind(const char *kind, enum part *part) {
  static const char *const kinds[] = {"state", "observable", "knob", "signal"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kind, kinds[i]) == 0) {
      *part = (enum part)i;
      return true;
    }
  return false;
}

const struct sim_value *sc_value_at_path(const struct sim_value *v, const char *path) {
  while (v && *path) {
    const struct sim_value *next = NULL;
    size_t length = 0;
    for (size_t i = 0; i < v->n; i++) { /* names of steps hold spaces and dots: the longest that fits */
      size_t n = v->items[i].name ? strlen(v->items[i].name) : 0;
      if (n <= length || strncmp(v->items[i].name, path, n) != 0 || (path[n] && path[n] != '.')) continue;
      next = &v->items[i];
      length = n;
    }
    v = next;
    path += length + (path[length] == '.');
  }
  return v;
}

static const struct sim_value *check_parameter(struct checker *k, const struct sim_value *v, const char *path) {
  const struct sim_value *target = sc_value_at_path(k->root, path);
  if (target && target->form == SIM_NUMBER) return target;
  value_error(k->c, v, target ? "`%s` is not a number that can be varied" : "`%s` names no parameter", path);
  return NULL;
}

static void check_varied(struct checker *k, struct sim_value *v) {
  for (size_t i = 0; i < v->n; i++) {
    struct sim_value *item = &v->items[i];
    const struct sim_value *target = check_parameter(k, item, item->name);
    if (!target) continue;
    struct sc_doc doc = {.name = item->mark.file};
    struct sc_node at = {
        .kind = SC_SCALAR, .text = item->text, .doc = &doc, .line = item->mark.line, .column = item->mark.column};
    struct sim_value range = *target;
    if (range.ranged) range.written = sc_copy(k->c, range.written, strcspn(range.written, "("));
    range.ranged = false;
    if (!sc_range(k->c, &at, target->param, item->path, &range)) continue;
    item->form = SIM_NUMBER;
    item->param = target->param;
    item->ranged = true;
    item->number = target->number;
    item->low = range.low;
    item->high = range.high;
  }
}

/* Checks a name against the kinds of `refers`, which are separated by `|`; any will do. */
static void check_name(struct checker *k, struct sim_value *v, const char *refers) {
  struct sc_names names = {.c = k->c};
  const char *last = refers;
  bool known = true;
  for (const char *at = refers; *at;) {
    size_t n = strcspn(at, "|");
    const char *kind = last = sc_copy(k->c, at, n);
    enum part part;
    if (part_kind(kind, &part)) {
      if (!strchr(refers, '|') || strchr(v->text, '.')) {
        v->text = check_part(k, v, v->text, part);
        return;
      }
    } else if (strcmp(kind, "parameter") == 0) {
      if (strcmp(v->text, "all") != 0 && !strchr(v->text, '*')) check_parameter(k, v, v->text);
      return;
    } else if (strcmp(kind, "transition") == 0) {
      known = transitions(k, &names) && known;
    } else if (strcmp(kind, "people") == 0) {
      sc_names_add(&names, "people");
    } else {
      known = names_of(k, kind, &names) && known;
    }
    at += n + (at[n] == '|');
  }
  if (!known || sc_names_have(&names, v->text)) return;
  value_error(k->c, v, "there is no %s `%s`%s", strchr(refers, '|') ? "such name" : last, v->text,
              sc_names_hint(&names, v->text));
}

static void check_groups(struct checker *k, const struct sim_value *v) {
  bool by_family = v->param->flags & SIM_BY_FAMILY, by_file = false;
  struct sc_names names = {.c = k->c};
  if (by_family)
    sc_names_add_words(&names, SIM_FAMILIES);
  else
    add_keys(people_groups(k, &by_file), &names);
  for (size_t i = 0; i < v->n && !by_file; i++)
    if (!sc_names_have(&names, v->items[i].name))
      value_error(k->c, &v->items[i], "there is no %s `%s`%s", by_family ? "family" : "group", v->items[i].name,
                  sc_names_hint(&names, v->items[i].name));
}

/* Keys of a mapping of names that must name something: `strength: {contacts: 50 %}`. */
static void check_keys(struct checker *k, const struct sim_value *v) {
  struct sc_names names = {.c = k->c};
  if (!names_of(k, v->param->refers, &names)) return;
  for (size_t i = 0; i < v->n; i++)
    if (!sc_names_have(&names, v->items[i].name))
      value_error(k->c, &v->items[i], "there is no %s `%s`%s", v->param->refers, v->items[i].name,
                  sc_names_hint(&names, v->items[i].name));
}

/* ---- unions of layers ------------------------------------------------------------------------------------------- */

struct members { /* the layers that a list names, each once */
  struct sim_value *at;
  size_t n;
  bool *seen; /* [instances] unions that were looked into */
  size_t depth;
};

static void add_member(struct checker *k, struct members *m, const struct sim_value *named) {
  const struct instance *layers = find(k, named->text, strlen(named->text), "unions");
  for (size_t i = 0; !layers && i < m->n; i++)
    if (strcmp(m->at[i].text, named->text) == 0) return;
  if (!layers) {
    struct sim_value *grown = sc_alloc(k->c, (m->n + 1) * sizeof *grown);
    if (m->n) memcpy(grown, m->at, m->n * sizeof *grown);
    m->at = grown;
    m->at[m->n] = *named;
    m->at[m->n++].name = "";
    return;
  }
  if (m->seen[layers - k->instance] || m->depth == SC_DEPTH_MAX) return; /* circles are reported where they stand */
  m->seen[layers - k->instance] = true;
  m->depth++;
  size_t n;
  const struct sim_value *of = sim_value_list(layers->value, "of", &n);
  for (size_t i = 0; i < n; i++) {
    struct sim_value member = of[i];
    member.path = named->path;
    member.mark = named->mark;
    if (member.form == SIM_NAME) add_member(k, m, &member);
  }
  m->depth--;
}

/* Puts the members of unions in the place of their names. */
static void resolve_unions(struct checker *k, struct sim_value *v) {
  const struct sim_value whole = *v, *item = v->form == SIM_ITEMS ? v->items : &whole;
  size_t n = v->form == SIM_ITEMS ? v->n : 1;
  bool any = false;
  for (size_t i = 0; i < n; i++)
    any = any || (item[i].form == SIM_NAME && find(k, item[i].text, strlen(item[i].text), "unions"));
  if (!any) return;
  struct members m = {.seen = sc_alloc(k->c, k->n + 1)};
  for (size_t i = 0; i < n; i++)
    if (item[i].form == SIM_NAME) add_member(k, &m, &item[i]);
  v->form = SIM_ITEMS;
  v->items = m.at;
  v->n = m.n;
}

/* Whether a union leads back to itself, or too deep. */
static bool in_circle(const struct checker *k, const struct sim_value *from, const char *name, bool *seen,
                      size_t depth) {
  size_t n;
  const struct sim_value *of = sim_value_list(from, "of", &n);
  if (depth == SC_DEPTH_MAX) return true;
  for (size_t i = 0; i < n; i++) {
    const struct instance *next = of[i].form == SIM_NAME ? find(k, of[i].text, strlen(of[i].text), "unions") : NULL;
    if (!next || (seen[next - k->instance] && strcmp(next->name, name) != 0)) continue;
    seen[next - k->instance] = true;
    if (strcmp(next->name, name) == 0 || in_circle(k, next->value, name, seen, depth + 1)) return true;
  }
  return false;
}

/* What a union is made of, it says with `of` and nothing else. */
static void check_union(struct checker *k, const struct sim_value *layer) {
  static const char *const own[] = {"nodes", "attributes", "serves", "needs", "failure"};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (sim_value_has(layer, own[i]))
      value_error(k->c, sim_value_get(layer, own[i]), "a union of layers has `of` and no `%s` of its own", own[i]);
  if (in_circle(k, layer, layer->name, sc_alloc(k->c, k->n + 1), 0))
    value_error(k->c, sim_value_get(layer, "of"), "the union `%s` goes round in a circle", layer->name);
  const struct sim_value *graph = sim_value_get(layer, "graph");
  if (graph->form == SIM_CALLED && strcmp(graph->text, "none") != 0)
    value_error(k->c, graph, "a union of layers has `of` and no `graph` of its own");
}

/* Names of layers in v: unions resolved where a list may stand, refused where one layer is meant. */
static void check_layers(struct checker *k, struct sim_value *v) {
  bool declares = k->entry && is_union(k->entry) && strcmp(v->param->name, "of") == 0;
  k->unions = (v->param->flags & SIM_LIST) != 0;
  if (k->unions && !declares) {
    resolve_unions(k, v);
  } else if (!k->unions && v->form == SIM_NAME && find(k, v->text, strlen(v->text), "unions")) {
    value_error(k->c, v, "`%s` is a union of layers, and here one layer is meant", v->text);
    k->unions = true; /* said once */
  }
}

static void check(struct checker *k, struct sim_value *v) {
  const struct sim_value *entry = k->entry;
  const struct sim_param *p = v->param;
  bool layer = strncmp(v->path, "society.layers.", 15) == 0 && !strchr(v->path + 15, '.');
  if (p->kind == SIM_MODEL || layer) k->entry = v;
  if (layer && is_union(v)) check_union(k, v);
  k->unions = false;
  if (p->kind == SIM_REF && strcmp(p->refers, "layer") == 0) check_layers(k, v);
  switch (v->form) {
  case SIM_NAME:
    if (p->refers && !(p->choices && strstr(p->choices, v->text))) check_name(k, v, p->refers);
    break;
  case SIM_AT:
    if (v->text) check_part(k, v, v->text, SIGNAL);
    break;
  case SIM_TEST:
    check_part(k, v, v->text, OBSERVABLE);
    break;
  case SIM_MAPPING:
    if (p->kind == SIM_NAMES && p->refers) check_keys(k, v);
    break;
  case SIM_GROUPS:
    check_groups(k, v);
    break;
  default:
    break;
  }
  if (v->form == SIM_MAPPING && p->kind == SIM_REF)
    check_varied(k, v);
  else
    for (size_t i = 0; i < v->n; i++) check(k, &v->items[i]);
  k->entry = entry;
}

void sc_check_references(struct sc *c, struct sim_value *root, const char *const *arms, size_t n_arms) {
  struct checker k = {.c = c, .root = root, .arms = arms, .n_arms = n_arms};
  gather(&k);
  check(&k, root);
}
