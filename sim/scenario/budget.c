/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/budget.h"
#include "sim/core/budget.h"
#include "sim/core/dmath.h"
#include "sim/scenario/bind.h"
#include "sim/scenario/expand.h"
#include "sim/scenario/patch.h"
#include "sim/scenario/scalar.h"
#include "sim/scenario/sections.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the section ------------------------------------------------------------------------------------------------ */

#define VALUE(called, flag, text)                                                                                      \
  { .name = called, .kind = SIM_QUANTITY, .flags = SIM_REQUIRED | (flag), .unit = "@", .doc = text }
#define MONEY(called, text)                                                                                            \
  { .name = called, .kind = SIM_QUANTITY, .flags = SIM_REQUIRED | SIM_OPEN_MIN, .unit = "currency/year", .doc = text }

static const struct sim_param linear_params[] = {
    VALUE("from", SIM_FIRST, "Value without spending."),
    MONEY("per", "Spending that adds one: a team, a day, 100 % of a share."),
    {.name = NULL}};
static const struct sim_param power_params[] = {VALUE("from", SIM_FIRST, "Value without spending."),
                                                MONEY("per", "Spending that adds one."),
                                                {.name = "exponent",
                                                 .kind = SIM_QUANTITY,
                                                 .flags = SIM_REQUIRED | SIM_OPEN_MIN,
                                                 .min = 0,
                                                 .max = 10,
                                                 .doc = "Below 1 each further unit is dearer, above 1 cheaper."},
                                                {.name = NULL}};
static const struct sim_param saturating_params[] = {VALUE("from", SIM_FIRST, "Value without spending."),
                                                     VALUE("to", 0, "Value that spending without limit would buy."),
                                                     MONEY("half", "Spending that buys half of the way."),
                                                     {.name = NULL}};
static const struct sim_call curves[] = {
    {"linear", linear_params, "from + spending / per."},
    {"power", power_params, "from + (spending / per) to the power of the exponent."},
    {"saturating", saturating_params, "from + (to - from) * spending / (spending + half)."},
    {NULL, NULL, NULL}};

static const struct sim_param line_params[] = {
    {.name = "share",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .unit = "1",
     .max = 1,
     .choices = "rest",
     .doc = "Share of the total that this line gets; one line may take the `rest`."},
    {.name = "buys",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED,
     .refers = "parameter",
     .doc = "Path of the quantity that the line buys; where that is a whole number, what is bought is rounded down."},
    {.name = "curve",
     .kind = SIM_CALL,
     .flags = SIM_REQUIRED,
     .refers = "buys",
     .calls = curves,
     .doc = "Value of what is bought as a function of the line's spending; its values have the unit of what is "
            "bought."},
    {.name = NULL}};
static const struct sim_param line_entry[] = {
    {.name = "line", .kind = SIM_FIELDS, .fields = line_params, .doc = "A part of the budget, and what it buys."},
    {.name = NULL}};
const struct sim_param sc_budget_params[] = {
    {.name = "total",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .unit = "currency/year",
     .doc = "Spending on all lines together."},
    {.name = "lines", .kind = SIM_NAMES, .fields = line_entry, .doc = "Lines of the budget, by name."},
    {.name = NULL}};
static const struct sim_param budget_section = {.name = "budget", .kind = SIM_FIELDS, .fields = sc_budget_params};

/* ---- what is bought --------------------------------------------------------------------------------------------- */

/* The descriptor of what lies at a path below the root, in calls and values by group too; NULL if nothing does. */
static const struct sim_param *param_at(struct sc *c, const char *path, const struct sc_node **at) {
  const struct sc_node *node = c->root;
  const struct sim_param *p = &sc_root;
  while (p && *path) {
    size_t n = strcspn(path, ".");
    const char *key = sc_copy(c, path, n);
    const struct sc_node *child = sc_find_path(c, node, key);
    if (!child) return NULL;
    if (p->kind == SIM_FIELDS || p->kind == SIM_MODEL) {
      p = sc_table_find(sc_table(node, p), key);
    } else if (p->kind == SIM_NAMES) {
      p = p->fields;
    } else if (sc_is_call_kind(p)) {
      const struct sc_node *name = sc_find_path(c, node, "call");
      const struct sim_call *call = name && name->text ? sc_call_find(p, name->text, strlen(name->text)) : NULL;
      const struct sim_param *part = call ? sc_table_find(call->params, key) : p->flags & SIM_BY_GROUP ? p : NULL;
      p = part ? sc_resolve_unit(c, part, p->unit) : NULL;
    } else if (p->kind != SIM_QUANTITY) {
      return NULL;
    }
    node = child;
    path += n + (path[n] == '.');
  }
  *at = node;
  return p;
}

const struct sim_param *sc_budget_curve(struct sc *c, const struct sc_node *line, const struct sim_param *p) {
  const struct sc_node *buys = sc_node_find(line, p->refers), *at;
  const struct sim_param *bought = buys && buys->kind == SC_SCALAR && c->root ? param_at(c, buys->text, &at) : NULL;
  if (!bought || bought->kind != SIM_QUANTITY) return NULL;
  struct sim_param *curve = sc_alloc(c, sizeof *curve);
  *curve = *p;
  curve->unit = bought->unit;
  return curve;
}

/* What a line buys, checked; NULL after reporting. */
static const struct sim_param *bought_by(struct sc *c, const struct sc_node *line, const char *path) {
  const struct sc_node *buys = sc_node_find(line, "buys"), *at = NULL;
  if (buys->kind != SC_SCALAR) {
    sc_error(c, buys, path, "a line buys one path such as `teams.crews.size`");
    return NULL;
  }
  const struct sim_param *p = param_at(c, buys->text, &at);
  if (!p || strncmp(buys->text, "budget.", 7) == 0 || strncmp(buys->text, "design.", 7) == 0)
    sc_error(c, buys, path, "`%s` names no parameter", buys->text);
  else if (p->kind != SIM_QUANTITY)
    sc_error(c, buys, path, "`%s` is no quantity: a line buys one number", buys->text);
  else if (at->kind == SC_MAP && !sc_node_find(at, "value"))
    sc_error(c, buys, path, "`%s` goes by group or time: a line buys one number of it", buys->text);
  else
    return p;
  return NULL;
}

/* ---- spending --------------------------------------------------------------------------------------------------- */

static double part(const struct sim_value *curve, const char *name) {
  return sim_value_get(curve, name)->number;
}

static double bought_value(const struct sim_value *curve, double spend) {
  double from = part(curve, "from");
  if (strcmp(curve->text, "linear") == 0) return from + spend / part(curve, "per");
  if (strcmp(curve->text, "power") == 0)
    return spend > 0 ? from + sim_pow(spend / part(curve, "per"), part(curve, "exponent")) : from;
  return from + (part(curve, "to") - from) * (spend / (spend + part(curve, "half")));
}

/* A value as text that reads back to the same bits. Part of a team, a bed or a dose cannot be bought. */
static const char *value_text(struct sc *c, double x, const struct sim_param *p) {
  const char *unit = p->unit ? p->unit : "";
  if (p->flags & SIM_INTEGER) x = floor(x + 1e-9 * fabs(x));
  if (strcmp(unit, "1") == 0) {
    const char *percent = sc_number(c, x * 100);
    return strtod(percent, NULL) / 100 == x ? sc_printf(c, "%s %%", percent) : sc_number(c, x);
  }
  if (strncmp(unit, "1/", 2) == 0) return sc_printf(c, "%s%s", sc_number(c, x), unit + 1);
  return sc_printf(c, "%s%s%s", sc_number(c, x), *unit ? " " : "", unit);
}

/* Reports shares that cannot all be. */
static void check_shares(struct sc *c, const struct sc_node *section, const struct sim_value *lines) {
  const struct sc_node *map = sc_node_find(section, "lines"), *rest = NULL;
  double sum = 0;
  for (size_t i = 0; i < lines->n; i++) {
    const char *name = lines->items[i].name, *path = sc_printf(c, "budget.lines.%s.share", name);
    const struct sim_value *share = sim_value_get(&lines->items[i], "share");
    const struct sc_node *node = sc_node_find(sc_node_find(map, name), "share");
    if (share->form == SIM_NUMBER) {
      double before = sum;
      sum += share->number;
      if (sum > 1 + 1e-9 && before <= 1 + 1e-9)
        sc_error(c, node, path, "the shares of the budget add up to more than 100 %%: %.6g %% with this one",
                 sum * 100);
    } else if (rest) {
      sc_error(c, node, path, "only one line may take the `rest`");
    } else {
      rest = node;
    }
  }
}

/* Whether one path names the other or what lies in it. */
static bool overlap(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b), k = n < m ? n : m;
  return strncmp(a, b, k) == 0 && (n == m || (n < m ? b[n] : a[m]) == '.');
}

static void check_twice(struct sc *c, const struct sc_node *lines, size_t i, const char *path) {
  const struct sc_node *buys = sc_node_find(lines->items[i], "buys");
  for (size_t k = 0; k < i; k++) {
    const struct sc_node *other = sc_node_find(lines->items[k], "buys");
    if (buys->text && other && other->text && overlap(buys->text, other->text))
      sc_error(c, buys, path, "`%s` is bought twice: also by `budget.lines.%s`", buys->text, lines->items[k]->key);
  }
}

/* ---- buying ----------------------------------------------------------------------------------------------------- */

/* Checks a value against the limits of what is bought. */
static void check_value(struct sc *c, const struct sc_node *curve, const struct sim_param *p, const char *path,
                        double x) {
  struct sc_node node = *curve;
  struct sim_value v = {0};
  node.kind = SC_SCALAR;
  node.text = value_text(c, x, p);
  sc_quantity(c, &node, strlen(node.text), p, path, &v);
}

/* The value, and those at the ends of every range, one at a time. */
static void check_values(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
                         const struct sim_value *curve, double spend) {
  check_value(c, node, p, path, bought_value(curve, spend));
  for (size_t i = 0; i < curve->n; i++) {
    struct sim_value *item = &curve->items[i];
    double number = item->number;
    if (!item->ranged) continue;
    item->number = item->low;
    check_value(c, node, p, path, bought_value(curve, spend));
    item->number = item->high;
    check_value(c, node, p, path, bought_value(curve, spend));
    item->number = number;
  }
}

static struct sc_node *buy(struct sc *c, struct sc_node *root, const struct sc_node *line,
                           const struct sim_value *bound, double spend, const char *path) {
  const struct sc_node *buys = sc_node_find(line, "buys"), *curve = sc_node_find(line, "curve");
  const struct sim_value *v = sim_value_get(bound, "curve");
  const struct sim_param *p = bought_by(c, line, sc_printf(c, "%s.buys", path));
  if (!p || v->form != SIM_CALLED) return root;
  size_t before = c->errors;
  check_values(c, curve, p, sc_printf(c, "%s.curve", path), v, spend);
  if (c->errors != before) return root;
  struct sc_doc *doc = sc_alloc(c, sizeof *doc);
  doc->name = path; /* where the value comes from */
  struct sc_node *place = sc_node_new(c, SC_MAP, NULL);
  place->doc = doc;
  struct sc_node *value = sc_node_scalar(c, NULL, value_text(c, bought_value(v, spend), p), place);
  value->source = v->source;
  struct sc_node *patch = sc_patch_of(c, buys->text, value);
  return patch ? sc_expand(c, sc_merge(c, root, patch, ""), &sc_root, "") : root;
}

struct sc_node *sc_budget_apply(struct sc *c, struct sc_node *root) {
  const struct sc_node *section = sc_node_find(root, "budget");
  const struct sc_node *lines = section && section->kind == SC_MAP ? sc_node_find(section, "lines") : NULL;
  if (!lines || lines->kind != SC_MAP || lines->n == 0) return root;
  struct sim_value bound;
  size_t before = c->errors, depth = c->depth;
  c->stack[c->depth++] = root;
  sc_bind(c, section, &budget_section, "budget", &bound);
  c->depth = depth;
  const struct sim_value *each = bound.form == SIM_MAPPING ? sim_value_get(&bound, "lines") : NULL;
  bool good = c->errors == before && each && each->form == SIM_MAPPING;
  if (good) check_shares(c, section, each);
  for (size_t i = 0; good && i < each->n; i++) {
    const struct sim_value *line = &each->items[i];
    const char *path = sc_printf(c, "budget.lines.%s", line->name);
    for (size_t k = 0; k < lines->n; k++) {
      if (strcmp(lines->items[k]->key, line->name) != 0) continue;
      check_twice(c, lines, k, sc_printf(c, "%s.buys", path));
      root = buy(c, root, lines->items[k], line, sim_budget_spend(&bound, line), path);
      break;
    }
  }
  return root;
}

/* ---- what may not be changed ------------------------------------------------------------------------------------ */

static void guard(struct sc *c, const struct sc_node *patch, const char *path, const char *buys, const char *line) {
  if (!*path) {
    sc_error_key(c, patch, buys, "`%s` is what `budget.lines.%s` buys: change the line instead", buys, line);
    return;
  }
  if (patch->kind != SC_MAP) return;
  size_t n = strcspn(path, ".");
  for (size_t i = 0; i < patch->n; i++) {
    const struct sc_node *child = patch->items[i];
    if (strcmp(child->key, "*") == 0 || (strlen(child->key) == n && strncmp(child->key, path, n) == 0))
      guard(c, child, path + n + (path[n] == '.'), buys, line);
  }
}

void sc_budget_guard(struct sc *c, const struct sc_node *root, const struct sc_node *patch) {
  const struct sc_node *lines = sc_node_find(sc_node_find(root, "budget"), "lines");
  for (size_t i = 0; lines && lines->kind == SC_MAP && i < lines->n; i++) {
    const struct sc_node *buys = sc_node_find(lines->items[i], "buys");
    if (buys && buys->kind == SC_SCALAR && *buys->text) guard(c, patch, buys->text, buys->text, lines->items[i]->key);
  }
}
