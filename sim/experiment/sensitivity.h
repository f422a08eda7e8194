/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sensitivity: which parameters move a measure.
 *
 * From a Saltelli design: Sobol' indices, shares of the variance that a parameter explains alone (first order) and with
 * all its interactions (total). From a Morris design: elementary effects, the change of the measure as a parameter
 * moves over its whole range, by linear scaling of a step. From any design: a box of the parameters in which a measure
 * passes a threshold more often (PRIM). Intervals are 95 % percentile intervals of a bootstrap over rows or
 * trajectories, with keyed draws: the same file always has the same intervals. */
#ifndef SIM_EXPERIMENT_SENSITIVITY_H
#define SIM_EXPERIMENT_SENSITIVITY_H
#include "sim/core/err.h"
#include "sim/core/rng.h"
#include "sim/experiment/results_read.h"

#define SIM_SENSITIVITY_RESAMPLES 400

struct sim_estimate {
  double value, low, high;
};

/* ---- Sobol' indices ------------------------------------------------------------------------------------------- */

struct sim_sobol {
  struct sim_estimate first, total;
};
/* y: [rows][factors + 2], the function at A, B, A with factor f from B; all finite. First order by Saltelli et al.
 * (2010, table 2 b), total order by Jansen (1999), f centred on its mean; variance over A and B. out: [factors]; NaN
 * where the function does not vary. mean and variance may be NULL. rng: of the bootstrap. */
int sim_sobol_indices(const double *y, size_t rows, size_t factors, const struct sim_rng *rng, struct sim_sobol *out,
                      double *mean, double *variance) SIM_MUST_CHECK;

/* ---- Morris ---------------------------------------------------------------------------------------------------- */

struct sim_morris {
  struct sim_estimate mean, absolute; /* mu, mu* (Campolongo, Cariboni & Saltelli 2007) */
  double sd;                          /* sigma: interactions or curvature */
};
/* effect: [trajectories][factors], finite. */
int sim_morris_effects(const double *effect, size_t trajectories, size_t factors, const struct sim_rng *rng,
                       struct sim_morris *out) SIM_MUST_CHECK;

/* ---- PRIM ------------------------------------------------------------------------------------------------------ */

struct sim_box {
  double *low, *high; /* [factors], inclusive; -inf, +inf where not restricted */
  size_t inside, hits, all, all_hits;
};
/* Patient rule induction (Friedman & Fisher 1999): peels the 5 % of the points in the box whose removal raises the
 * share of hits most, until all are hits or less than `least` of all points would stay; then pastes back while that
 * share does not fall. x: [points][factors]; box is freed with sim_box_free. */
int sim_box_find(const double *x, const bool *hit, size_t points, size_t factors, double least,
                 struct sim_box *box) SIM_MUST_CHECK;
void sim_box_free(struct sim_box *box);

/* ---- from a results file --------------------------------------------------------------------------------------- */

/* One arm's and element's means over the replicates, at every point. */
struct sim_sensitivity {
  char *design; /* its kind */
  size_t points, factors, base;
  double *value, *place; /* [points][factors] */
  double *part;          /* [points] or NULL */
  double *mean;          /* [points]: of the replicates that have a value; NaN if none has */
  double noise;          /* mean over points of the squared standard error of that mean; NaN with one replicate */
  size_t missing, runs;  /* runs without a value; all */
  char **path;           /* [factors] */

  size_t rows; /* rows (trajectories) whose points all have a mean */
  double overall, variance;
  struct sim_sobol *sobol;   /* [factors] of a Saltelli design, else NULL */
  struct sim_morris *morris; /* [factors] of a Morris design, else NULL */
};
/* SIM_ERR_INPUT with diag: no design in the file, no such measure, no complete row. element: row-major over the further
 * dimensions of the measure. Free with sim_sensitivity_free, also after failure. */
int sim_sensitivity_read(struct sim_sensitivity *s, struct sim_results *r, const char *measure, size_t arm,
                         size_t element, struct sim_diag *diag) SIM_MUST_CHECK;
void sim_sensitivity_free(struct sim_sensitivity *s);
/* The box in which the points' means lie above (or below) a threshold. Of a Saltelli design: rows A and B only. */
int sim_sensitivity_box(const struct sim_sensitivity *s, double threshold, bool above,
                        struct sim_box *box) SIM_MUST_CHECK;
#endif
