/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every parameter of an arm by its path. */
#include "sim/scenario/names.h"
#include "sim/scenario/scenario_internal.h"
#include <math.h>
#include <string.h>

struct list {
  struct sim_path_info *at;
  size_t n, cap;
  const char *glob, *currency;
  bool failed;
};

static void info_free(struct sim_path_info *p) {
  sim_free((char *)p->path);
  sim_free((char *)p->value);
  sim_free((char *)p->unit);
  sim_free((char *)p->source);
  sim_free((char *)p->origin);
}

/* The unit with the scenario's currency in it; "" for plain numbers. */
static char *unit_of(const struct list *l, const struct sim_value *v) {
  const char *unit = v->form == SIM_NUMBER && v->param->unit ? v->param->unit : "";
  if (strncmp(unit, "currency", 8) == 0) return sim_strf("%s%s", l->currency, unit + 8);
  return sim_strdup(unit);
}

static char *list_text(const struct sim_value *v) {
  char *text = sim_strdup("[");
  for (size_t i = 0; i <= v->n && text; i++) {
    char *longer = i < v->n ? sim_strf("%s%s%s", text, i ? ", " : "", v->items[i].written) : sim_strf("%s]", text);
    sim_free(text);
    text = longer;
  }
  return text;
}

/* "file:line", "budget.lines.x" of what a line of the budget buys, or "default". */
static char *origin_of(const struct sim_value *v) {
  if (!v->mark.file) return sim_strdup("default");
  return v->mark.line ? sim_strf("%s:%u", v->mark.file, v->mark.line) : sim_strdup(v->mark.file);
}

static void add(struct list *l, const struct sim_value *v) {
  if (l->glob && !sc_glob(l->glob, v->path)) return;
  struct sim_path_info *grown = sim_grow(l->at, &l->cap, l->n + 1, sizeof *grown);
  if (!grown) {
    l->failed = true;
    return;
  }
  l->at = grown;
  bool number = v->form == SIM_NUMBER;
  struct sim_path_info *p = &l->at[l->n++];
  *p = (struct sim_path_info){.path = sim_strdup(v->path),
                              .value = v->form == SIM_ITEMS ? list_text(v) : sim_strdup(v->written ? v->written : ""),
                              .unit = unit_of(l, v),
                              .source = sim_strdup(v->source),
                              .origin = origin_of(v),
                              .number = number ? v->number : NAN,
                              .low = number ? v->low : NAN,
                              .high = number ? v->high : NAN,
                              .ranged = number && v->ranged};
  if (!p->path || !p->value || !p->unit || !p->source || !p->origin) l->failed = true;
}

static void walk(struct list *l, const struct sim_value *v) {
  bool group = v->form == SIM_MAPPING || v->form == SIM_GROUPS || v->form == SIM_STEPS;
  if (v->form == SIM_ABSENT) return;
  if (!group) {
    bool parts = false;
    for (size_t i = 0; v->form == SIM_CALLED && i < v->n; i++) parts = parts || v->items[i].form != SIM_ABSENT;
    if (!parts) {
      add(l, v);
      return;
    }
    if (v->param->kind == SIM_CALL || v->param->kind == SIM_LAW_CALL) add(l, v);
  }
  for (size_t i = 0; i < v->n; i++) walk(l, &v->items[i]);
}

size_t sim_scenario_paths(const struct sim_scenario *s, size_t arm, const char *glob, struct sim_path_info **out) {
  struct sim_diag diag = {0};
  struct sim_bound *bound = NULL;
  *out = NULL;
  if (sim_scenario_bind(&bound, s, arm, NULL, 0, &diag) != 0) {
    sim_diag_free(&diag);
    return 0;
  }
  const struct sim_value *currency = sim_value_get(&bound->root, "currency");
  struct list l = {.glob = glob, .currency = currency->text ? currency->text : "USD"};
  walk(&l, &bound->root);
  sim_bound_free(bound);
  sim_diag_free(&diag);
  if (l.failed) {
    sim_paths_free(l.at, l.n);
    return 0;
  }
  *out = l.at;
  return l.n;
}

void sim_paths_free(struct sim_path_info *paths, size_t n) {
  for (size_t i = 0; i < n; i++) info_free(&paths[i]);
  sim_free(paths);
}
