/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading results files: variables as doubles or texts with named dimensions. Not thread-safe (nor is HDF5). */
#ifndef SIM_EXPERIMENT_RESULTS_READ_H
#define SIM_EXPERIMENT_RESULTS_READ_H
#include "sim/core/err.h"
#include <stdbool.h>
#include <stdint.h>

#define SIM_MAX_DIMS 8

struct sim_results; /* an open file */

struct sim_variable {
  char *name, *unit, *long_name; /* "" where absent */
  char *flags;                   /* meanings of 0, 1, ..., or NULL */
  bool text, integer;
  unsigned dims;
  char *dim[SIM_MAX_DIMS];
  size_t size[SIM_MAX_DIMS];
};

/* SIM_ERR_INPUT with diag: absent, empty, truncated, not HDF5, not a results file of airesim, a later version. */
int sim_results_open(struct sim_results **out, const char *path, struct sim_diag *diag) SIM_MUST_CHECK;
void sim_results_close(struct sim_results *r);

/* In order of creation; coordinates included. */
size_t sim_results_variables(const struct sim_results *r, const struct sim_variable **variables);
const struct sim_variable *sim_results_find(const struct sim_results *r, const char *name); /* or NULL */
size_t sim_results_count(const struct sim_variable *v);                                     /* product of sizes */
/* All values, row-major; fill values become NaN. Free with sim_free. SIM_ERR_IO if it cannot be read. */
int sim_results_load(struct sim_results *r, const char *name, double **values) SIM_MUST_CHECK;
/* A box of a variable, [size] at [start] along its dimensions, into values: product of size. */
int sim_results_load_box(struct sim_results *r, const char *name, const size_t *start, const size_t *size,
                         double *values) SIM_MUST_CHECK;
/* A variable of texts; free with sim_results_texts_free. */
int sim_results_load_texts(struct sim_results *r, const char *name, char ***texts, size_t *n) SIM_MUST_CHECK;
/* Labels along a dimension: its texts, or its numbers as text ("0.9"). Free with sim_results_texts_free. */
int sim_results_labels(struct sim_results *r, const char *dim, char ***texts, size_t *n) SIM_MUST_CHECK;
void sim_results_texts_free(char **texts, size_t n);
/* A global attribute as text (numbers printed), to be freed with sim_free; NULL if absent. */
char *sim_results_attribute(struct sim_results *r, const char *name);
#endif
