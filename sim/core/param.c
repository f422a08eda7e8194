/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/param.h"
#include <string.h>

const struct sim_value *sim_value_find(const struct sim_value *map, const char *name) {
  for (size_t i = 0; i < map->n; i++)
    if (map->items[i].name && strcmp(map->items[i].name, name) == 0) return &map->items[i];
  return NULL;
}

const struct sim_value *sim_value_get(const struct sim_value *map, const char *name) {
  const struct sim_value *child = sim_value_find(map, name);
  sim_bug_assert(child && "the field is declared");
  return child;
}

double sim_value_number(const struct sim_value *map, const char *name) {
  const struct sim_value *child = sim_value_get(map, name);
  sim_bug_assert(child->form == SIM_NUMBER);
  return child->number;
}

double sim_value_number_or(const struct sim_value *map, const char *name, double otherwise) {
  const struct sim_value *child = sim_value_get(map, name);
  if (child->form == SIM_ABSENT) return otherwise;
  sim_bug_assert(child->form == SIM_NUMBER);
  return child->number;
}

const char *sim_value_text(const struct sim_value *map, const char *name) {
  const struct sim_value *child = sim_value_get(map, name);
  return child->form == SIM_ABSENT ? NULL : child->text;
}

bool sim_value_has(const struct sim_value *map, const char *name) {
  return sim_value_get(map, name)->form != SIM_ABSENT;
}

const struct sim_value *sim_value_list(const struct sim_value *map, const char *name, size_t *n) {
  const struct sim_value *child = sim_value_get(map, name);
  if (child->form == SIM_ITEMS) {
    *n = child->n;
    return child->items;
  }
  *n = child->form == SIM_ABSENT ? 0 : 1;
  return *n ? child : NULL;
}

double sim_value_at(const struct sim_value *v, double days) {
  if (v->form == SIM_NUMBER) return v->number;
  sim_bug_assert(v->form == SIM_STEPS);
  double number = 0; /* before the first step */
  for (size_t i = 0; i < v->n && v->items[i].low <= days; i++) number = v->items[i].number;
  return number;
}
