/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/shape.h"
#include <stdlib.h>
#include <string.h>

size_t sim_shape_axis(const struct sim_shape *s, const char *name) {
  size_t i = 0;
  while (i < s->axes && strcmp(s->axis[i].name, name) != 0) i++;
  return i;
}

size_t sim_axis_find(const struct sim_axis *a, const char *label) {
  size_t i = 0;
  while (i < a->n && strcmp(a->label[i], label) != 0) i++;
  return i;
}

static size_t axis_find_number(const struct sim_axis *a, double x) {
  size_t i = 0;
  while (i < a->n && a->coordinate[i] != x) i++;
  return i;
}

/* Enters a coordinate of an axis, which is made at first sight; the axis's index goes to *index. */
static int axis_add(struct sim_shape *s, const char *name, const char *unit, const char *label, double x, size_t *index,
                    struct sim_diag *diag) {
  size_t i = sim_shape_axis(s, name);
  if (i == s->axes) {
    struct sim_axis *axis = sim_grow(s->axis, &s->axes_cap, s->axes + 1, sizeof *axis);
    if (!axis) return SIM_ERR_MEMORY;
    s->axis = axis;
    s->axis[s->axes++] = (struct sim_axis){.name = name, .unit = unit, .text = label != NULL};
  }
  if (index) *index = i;
  struct sim_axis *a = &s->axis[i];
  if (a->text != (label != NULL)) {
    return sim_diag_add(diag, NULL, NULL, "the results' dimension `%s` has names and numbers", name);
  }
  if ((label ? sim_axis_find(a, label) : axis_find_number(a, x)) < a->n) return 0;
  if (label) {
    const char **grown = sim_grow(a->label, &a->label_cap, a->n + 1, sizeof *grown);
    if (!grown) return SIM_ERR_MEMORY;
    a->label = grown;
    a->label[a->n++] = label;
  } else {
    double *grown = sim_grow(a->coordinate, &a->cap, a->n + 1, sizeof *grown);
    if (!grown) return SIM_ERR_MEMORY;
    a->coordinate = grown;
    a->coordinate[a->n++] = x;
  }
  return 0;
}

/* Finds or makes an array by name; its dimensions must be the same in all arms. */
static int array_add(struct sim_array **list, size_t *n, size_t *cap, const struct sim_array *wanted, size_t *index,
                     struct sim_diag *diag) {
  size_t i = 0;
  while (i < *n && strcmp((*list)[i].name, wanted->name) != 0) i++;
  *index = i;
  if (i < *n) {
    const struct sim_array *a = &(*list)[i];
    bool same = a->dims == wanted->dims && a->dtype == wanted->dtype;
    for (unsigned d = 0; same && d < a->dims; d++) same = a->axis[d] == wanted->axis[d];
    return same ? 0 : sim_diag_add(diag, NULL, NULL, "`%s` means different things in the arms", wanted->name);
  }
  struct sim_array *grown = sim_grow(*list, cap, *n + 1, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  *list = grown;
  grown[(*n)++] = *wanted;
  return 0;
}

static int gather_columns(struct sim_shape *s, const struct sim_layout *l, size_t arm, struct sim_diag *diag) {
  int ret = 0;
  for (size_t i = 0; ret == 0 && i < l->columns; i++) {
    const struct sim_column *c = &l->column[i];
    struct sim_array a = {.name = c->variable,
                          .unit = c->unit,
                          .long_name = c->long_name,
                          .flags = c->flags,
                          .dtype = c->dtype,
                          .dims = c->dims};
    for (unsigned d = 0; ret == 0 && d < c->dims; d++) {
      ret = axis_add(s, c->at[d].dim, c->at[d].unit, c->at[d].label, c->at[d].coordinate, &a.axis[d], diag);
    }
    if (ret == 0) ret = array_add(&s->array, &s->arrays, &s->arrays_cap, &a, &s->array_of[arm][i], diag);
  }
  return ret;
}

static int gather_series(struct sim_shape *s, const struct sim_layout *l, size_t arm, struct sim_diag *diag) {
  int ret = 0;
  for (size_t i = 0; ret == 0 && i < l->series; i++) {
    const struct sim_series *c = &l->curve[i];
    struct sim_array a = {.name = c->variable, .unit = c->unit, .long_name = c->long_name, .dims = c->dim != NULL};
    if (c->dim) ret = axis_add(s, c->dim, NULL, c->label, 0, &a.axis[0], diag);
    if (ret == 0) ret = array_add(&s->curve, &s->curves, &s->curves_cap, &a, &s->curve_of[arm][i], diag);
  }
  return ret;
}

static int gather_society(struct sim_shape *s, const struct sim_layout *l, struct sim_diag *diag) {
  int ret = 0;
  for (size_t i = 0; ret == 0 && i < l->layers; i++) {
    ret = axis_add(s, "layer", NULL, l->layer[i].name, 0, NULL, diag);
  }
  for (size_t i = 0; ret == 0 && i < l->populations; i++) {
    ret = axis_add(s, "population", NULL, l->population[i].name, 0, NULL, diag);
  }
  return ret;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int gather_days(struct sim_shape *s, const struct sim_layout *layouts) {
  size_t all = 0;
  for (size_t a = 0; a < s->arms; a++) all += layouts[a].samples;
  s->day = sim_calloc(all + 1, sizeof *s->day);
  if (!s->day) return SIM_ERR_MEMORY;
  size_t n = 0;
  for (size_t a = 0; a < s->arms; a++) {
    memcpy(s->day + n, layouts[a].day, layouts[a].samples * sizeof *s->day);
    n += layouts[a].samples;
  }
  qsort(s->day, n, sizeof *s->day, compare_doubles);
  for (size_t i = 0; i < n; i++)
    if (s->days == 0 || s->day[s->days - 1] != s->day[i]) s->day[s->days++] = s->day[i];
  for (size_t a = 0; a < s->arms; a++) {
    for (size_t i = 0, at = 0; i < layouts[a].samples; i++) {
      while (s->day[at] != layouts[a].day[i]) at++;
      s->day_of[a][i] = at;
    }
  }
  return 0;
}

/* Sizes and offsets, once every axis is complete; then each column's place. */
static void settle(struct sim_shape *s, const struct sim_layout *layouts) {
  for (size_t i = 0; i < s->axes; i++) {
    struct sim_axis *x = &s->axis[i];
    if (!x->text) qsort(x->coordinate, x->n, sizeof *x->coordinate, compare_doubles);
  }
  for (size_t i = 0; i < s->arrays; i++) {
    struct sim_array *a = &s->array[i];
    a->count = 1;
    for (unsigned d = 0; d < a->dims; d++) a->count *= s->axis[a->axis[d]].n;
    a->offset = s->elements;
    s->elements += a->count;
  }
  for (size_t i = 0; i < s->curves; i++) s->curve[i].count = s->curve[i].dims ? s->axis[s->curve[i].axis[0]].n : 1;
  for (size_t arm = 0; arm < s->arms; arm++) {
    const struct sim_layout *l = &layouts[arm];
    for (size_t i = 0; i < l->columns; i++) {
      const struct sim_array *a = &s->array[s->array_of[arm][i]];
      size_t place = 0;
      for (unsigned d = 0; d < a->dims; d++) {
        const struct sim_axis *x = &s->axis[a->axis[d]];
        size_t at =
            x->text ? sim_axis_find(x, l->column[i].at[d].label) : axis_find_number(x, l->column[i].at[d].coordinate);
        place = place * x->n + at;
      }
      s->element[arm][i] = a->offset + place;
    }
    for (size_t i = 0; i < l->series; i++) {
      const struct sim_array *a = &s->curve[s->curve_of[arm][i]];
      s->curve_element[arm][i] = a->dims ? sim_axis_find(&s->axis[a->axis[0]], l->curve[i].label) : 0;
    }
  }
}

/* The user names measures; the file has names of its own. */
static int check_names(const struct sim_shape *s, struct sim_diag *diag) {
  static const char *const own[] = {"arm",
                                    "point",
                                    "replicate",
                                    "time",
                                    "quantile",
                                    "bin",
                                    "parameter",
                                    "factor",
                                    "failure",
                                    "events",
                                    "horizon",
                                    "run_failed",
                                    "layer_graph_hash",
                                    "layer_nodes",
                                    "layer_edges",
                                    "design_value",
                                    "design_unit",
                                    "design_place",
                                    "design_row",
                                    "design_part",
                                    "population_size",
                                    NULL};
  int ret = 0;
  for (size_t i = 0; i < s->arrays; i++) {
    const char *name = s->array[i].name;
    bool taken = sim_shape_axis(s, name) < s->axes || strncmp(name, "parameter_", 10) == 0 ||
                 strncmp(name, "failure_", 8) == 0 || strncmp(name, "precision_", 10) == 0;
    for (size_t k = 0; own[k]; k++) taken = taken || strcmp(own[k], name) == 0;
    for (size_t k = 0; k < s->curves; k++) {
      size_t n = strlen(s->curve[k].name);
      bool begins = strncmp(name, s->curve[k].name, n) == 0;
      taken = taken || (begins && (strcmp(name + n, "_fan") == 0 || strcmp(name + n, "_histogram") == 0));
    }
    if (taken) ret = sim_diag_add(diag, NULL, NULL, "`%s` is a name of the results file: choose another", name);
  }
  return ret;
}

int sim_shape_init(struct sim_shape *s, const struct sim_layout *layouts, size_t arms, struct sim_diag *diag) {
  memset(s, 0, sizeof *s);
  s->element = sim_calloc(arms + 1, sizeof *s->element);
  s->array_of = sim_calloc(arms + 1, sizeof *s->array_of);
  s->curve_of = sim_calloc(arms + 1, sizeof *s->curve_of);
  s->curve_element = sim_calloc(arms + 1, sizeof *s->curve_element);
  s->day_of = sim_calloc(arms + 1, sizeof *s->day_of);
  if (!s->element || !s->array_of || !s->curve_of || !s->curve_element || !s->day_of) return SIM_ERR_MEMORY;
  s->arms = arms;
  int ret = 0;
  for (size_t a = 0; ret == 0 && a < arms; a++) {
    const struct sim_layout *l = &layouts[a];
    s->element[a] = sim_calloc(l->columns + 1, sizeof **s->element);
    s->array_of[a] = sim_calloc(l->columns + 1, sizeof **s->array_of);
    s->curve_of[a] = sim_calloc(l->series + 1, sizeof **s->curve_of);
    s->curve_element[a] = sim_calloc(l->series + 1, sizeof **s->curve_element);
    s->day_of[a] = sim_calloc(l->samples + 1, sizeof **s->day_of);
    if (!s->element[a] || !s->array_of[a] || !s->curve_of[a] || !s->curve_element[a] || !s->day_of[a])
      return SIM_ERR_MEMORY;
    ret = gather_columns(s, l, a, diag);
    if (ret == 0) ret = gather_series(s, l, a, diag);
    if (ret == 0) ret = gather_society(s, l, diag);
  }
  if (ret == 0) ret = gather_days(s, layouts);
  if (ret) return ret;
  settle(s, layouts);
  return check_names(s, diag);
}

void sim_shape_free(struct sim_shape *s) {
  for (size_t i = 0; i < s->axes; i++) sim_free(s->axis[i].label), sim_free(s->axis[i].coordinate);
  for (size_t a = 0; a < s->arms; a++) {
    sim_free(s->element[a]);
    sim_free(s->array_of[a]);
    sim_free(s->curve_of[a]);
    sim_free(s->curve_element[a]);
    sim_free(s->day_of[a]);
  }
  sim_free(s->axis);
  sim_free(s->array);
  sim_free(s->curve);
  sim_free(s->day);
  sim_free(s->element);
  sim_free(s->array_of);
  sim_free(s->curve_of);
  sim_free(s->curve_element);
  sim_free(s->day_of);
  memset(s, 0, sizeof *s);
}
