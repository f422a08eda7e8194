/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results: one HDF5 file that is also valid netCDF-4. docs/results.md describes its variables.
 *
 * The writer streams rows block by block, so memory is bounded whatever the number of runs, and gathers columns of one
 * name into a variable (arm, point, replicate, dims...), its coordinates the union over the arms. It writes beside the
 * output under a temporary name and renames at the end: the output is whole or absent. Not thread-safe (nor is HDF5).
 */
#ifndef SIM_EXPERIMENT_RESULTS_H
#define SIM_EXPERIMENT_RESULTS_H
#include "sim/experiment/layout.h"
#include "sim/experiment/shape.h"
#include "sim/experiment/stopping.h"
#include "sim/scenario/scenario.h"

#define SIM_RESULTS_VERSION 1 /* of the file's layout */

struct sim_results_attribute {
  const char *name;
  const char *text; /* or NULL: a number */
  uint64_t number;
};

/* Everything that goes into a file; all borrowed. */
struct sim_results_content {
  size_t arms, points, replicates;
  const char *const *arm;           /* [arms] names */
  const struct sim_layout *layouts; /* [arms] */
  const struct sim_shape *shape;    /* of these layouts */
  size_t attributes;                /* global ones; those named provenance_* are no part of equality */
  const struct sim_results_attribute *attribute;
  size_t factors; /* of the design, or 0 */
  const char *const *factor, *const *factor_unit;
  const double *factor_value, *factor_place; /* [points][factors]; place in the range (or NULL) */
  const int64_t *design_row, *design_part;   /* [points] structure, or NULL */
  struct sim_path_info *const *parameter;    /* [arms] lists of that arm's parameters, or NULL */
  const size_t *parameters;                  /* [arms] */
  const struct sim_stopping *stopping;       /* how many replicates each point has, and why */
  /* Fills a row of the arm's layout: 0, 1 where the run is missing, or a negative code, which ends the writing. */
  int (*row)(void *ctx, size_t arm, size_t point, size_t replicate, struct sim_row *row);
  /* Adds to [days][SIM_SERIES_BINS] counts of a series what rows without samples would have. NULL: every row has. */
  int (*counted)(void *ctx, size_t arm, size_t series, uint32_t *histogram);
  void *ctx;
};

/* SIM_ERR_IO with diag (disk full, not writable), SIM_ERR_MEMORY, or what `row` returned. */
int sim_results_write(const char *output, const struct sim_results_content *c, struct sim_diag *diag) SIM_MUST_CHECK;

/* Compares two files bit for bit: variables, coordinates and attributes, but not provenance: attributes named
 * provenance_* and `scenario` (the text as written). 0; SIM_ERR_MISMATCH with *why (free with sim_free); SIM_ERR_IO
 * with *why. why may be NULL. */
int sim_results_equal(const char *a, const char *b, char **why) SIM_MUST_CHECK;
#endif
