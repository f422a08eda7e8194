/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pairing: two results files compared run by run.
 *
 * Files of the same seed and version of the random streams share their draws: arm, point and replicate of equal name
 * meet the same attempts, people and luck in both. What they have in common cancels in a paired difference, so that a
 * small change of a scenario shows in few runs. Files that do not share draws, or whose design points are not the same,
 * cannot be paired, and are refused.
 *
 * A design point is ignorance, a replicate chance: where there are several points, they are the sample that an interval
 * speaks of; where all points share the draws of a replicate, the replicates are a second sample, crossed with the
 * first (Owen 2007), and its variance is added. */
#ifndef SIM_EXPERIMENT_PAIRING_H
#define SIM_EXPERIMENT_PAIRING_H
#include "sim/core/err.h"
#include "sim/experiment/results_read.h"

struct sim_pairing {
  struct sim_results *file[2];
  size_t arms, points, replicates; /* that are paired */
  size_t replicates_of[2];         /* in each file */
  char **arm;                      /* [arms] names */
  size_t *place[2];                /* [arms]: of each arm in each file */
  bool shared;                     /* points share the draws of a replicate */
};
/* arm: only this one, or NULL: all, and then both files must have the same. SIM_ERR_INPUT with every reason why they
 * cannot be paired. Free with sim_pairing_free, also after failure. */
int sim_pairing_init(struct sim_pairing *p, const char *a, const char *b, const char *arm,
                     struct sim_diag *diag) SIM_MUST_CHECK;
void sim_pairing_free(struct sim_pairing *p);

/* Whether less or more of a measure is better for society: -1 less, 1 more, 0: it is a matter of what it counts. */
int sim_measure_direction(const char *name);

/* One arm and element of a measure: first minus second file, over the pairs in which both have a value. */
struct sim_pair_difference {
  size_t arm, element; /* element: of the first file, row-major over the dimensions after the replicate */
  size_t n;
  double mean[2], difference, low, high; /* low, high: 95 %; NaN with one pair */
  double lower, equal, higher;           /* shares of the pairs: first less than second; equal; more */
};
/* 95 % interval of the mean of values [points][replicates]; missing ones (NaN) are left out. */
void sim_pairing_interval(const double *value, size_t points, size_t replicates, bool shared,
                          struct sim_pair_difference *out);
/* A number of both files over (arm, point, replicate, ...). Elements are matched by their labels; *left counts those of
 * either file that the other lacks. No rows where the variable is not in both, of other dimensions or in another unit.
 * *out is freed with sim_free. */
int sim_pairing_measure(const struct sim_pairing *p, const char *name, struct sim_pair_difference **out, size_t *n,
                        size_t *left, struct sim_diag *diag) SIM_MUST_CHECK;
/* The same of the time to recover at each level, restricted to *until days ([levels], to be freed): the longest window
 * in which the restricted mean of every arm of both files is known; +inf where nobody was degraded. A run that was
 * never degraded counts as 0. Censored runs contribute pseudo-observations (sim_km_pseudo), so that the means are those
 * of Kaplan and Meier and the interval knows of the censoring; pairs are ranked by the times themselves, a run that had
 * not recovered by its end behind all that had (two of these are neither lower, equal nor higher). Elements are levels.
 * No rows where the files have no such times, or other levels. */
int sim_pairing_recovery(const struct sim_pairing *p, struct sim_pair_difference **out, size_t *n, double **until,
                         struct sim_diag *diag) SIM_MUST_CHECK;

/* A parameter that differs between the files in one or more arms. */
struct sim_pair_parameter {
  char *path;
  char *arms;                 /* "base, late", or NULL: in all that are paired */
  char *value[2], *source[2]; /* "" where a file lacks it */
};
/* Sorted by path. Free with sim_pairing_parameters_free. */
int sim_pairing_parameters(const struct sim_pairing *p, struct sim_pair_parameter **out, size_t *n,
                           struct sim_diag *diag) SIM_MUST_CHECK;
void sim_pairing_parameters_free(struct sim_pair_parameter *list, size_t n);
#endif
