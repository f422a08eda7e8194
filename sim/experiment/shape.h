/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shape: the arrays of a results file, gathered from the layouts of all arms.
 *
 * Columns of one name become one array; coordinates along its dimensions are the union over the arms. What an arm lacks
 * stays missing. Dimensions of numbers are sorted, those of texts keep the order in which they are met. */
#ifndef SIM_EXPERIMENT_SHAPE_H
#define SIM_EXPERIMENT_SHAPE_H
#include "sim/experiment/layout.h"

struct sim_axis {
  const char *name, *unit; /* borrowed from the layouts */
  bool text;
  size_t n, cap, label_cap;
  const char **label; /* [n] where text */
  double *coordinate; /* [n] otherwise */
};

struct sim_array { /* one variable of the file; strings borrowed */
  const char *name, *unit, *long_name, *flags;
  enum sim_dtype dtype;
  unsigned dims;
  size_t axis[2]; /* [dims] */
  size_t count;   /* elements a run: product of the axes' sizes */
  size_t offset;  /* of its first element among all elements of a run */
};

struct sim_shape {
  size_t arms, axes, arrays, curves, days, elements; /* elements: of all arrays, a run */
  size_t axes_cap, arrays_cap, curves_cap;
  struct sim_axis *axis;
  struct sim_array *array;
  struct sim_array *curve; /* for series: at most one dimension; count elements of it */
  double *day;             /* [days]: union of the arms' grids, ascending */
  size_t **element;        /* [arms][columns]: place among a run's elements */
  size_t **array_of;       /* [arms][columns]: the array that it is part of */
  size_t **curve_of;       /* [arms][series] */
  size_t **curve_element;  /* [arms][series] */
  size_t **day_of;         /* [arms][samples]: place in day */
};

/* layouts: [arms], must outlive the shape. Reports names that clash with those of the file. Safe to free after failure.
 */
int sim_shape_init(struct sim_shape *s, const struct sim_layout *layouts, size_t arms,
                   struct sim_diag *diag) SIM_MUST_CHECK;
void sim_shape_free(struct sim_shape *s);
/* Where run r of a block of runs has a column: blocks are kept array by array, [runs][count] at runs * offset. */
static inline size_t sim_shape_place(const struct sim_shape *s, size_t arm, size_t column, size_t runs, size_t r) {
  const struct sim_array *a = &s->array[s->array_of[arm][column]];
  return runs * a->offset + r * a->count + (s->element[arm][column] - a->offset);
}
/* Index of an axis by name, or axes. */
size_t sim_shape_axis(const struct sim_shape *s, const char *name);
/* Place of a label along a text axis, or n. */
size_t sim_axis_find(const struct sim_axis *a, const char *label);
#endif
