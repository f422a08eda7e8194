/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Summaries of many runs: survival curves of recovery, restricted means, quantiles and means with their uncertainty.
 *
 * A run that had not recovered when it ended is censored, and its time is a lower bound: so medians and means come from
 * the Kaplan-Meier estimate (Kaplan & Meier 1958) with Greenwood's (1926) variance, and means are restricted to a
 * window tau (RMST; Royston & Parmar 2013). *Conditional* summaries speak of runs whose functionality degraded;
 * *unconditional* ones count never-degraded runs as recovered in time 0. */
#ifndef SIM_EXPERIMENT_SUMMARY_H
#define SIM_EXPERIMENT_SUMMARY_H
#include "sim/core/err.h"
#include "sim/experiment/results_read.h"

/* A Kaplan-Meier estimate: a step at each distinct time of an event. */
struct sim_km {
  size_t n, steps;
  double *time;      /* [steps], ascending */
  double *risk;      /* [steps]: runs at risk just before time */
  double *events;    /* [steps]: of them, those whose event this is */
  double *survival;  /* [steps]: S just after time */
  double *greenwood; /* [steps]: cumulated sum of d / (r (r - d)); +inf once everybody at risk had the event */
  double last;       /* largest time, censored or not */
};
/* event[i]: time[i] is an event, else a censoring (after events of the same time). Times >= 0. */
int sim_km_init(struct sim_km *km, const double *time, const bool *event, size_t n) SIM_MUST_CHECK;
void sim_km_free(struct sim_km *km);
double sim_km_survival(const struct sim_km *km, double t);
double sim_km_se(const struct sim_km *km, double t); /* of S(t); 0 where S(t) = 0 */
/* Smallest t with S(t) <= 1 - p, or NaN if S stays above; an interval of two-sided level 0.95 by inverting log-log
 * limits of S (Brookmeyer & Crowley 1982); ends NaN where open. low, high may be NULL. */
double sim_km_quantile(const struct sim_km *km, double p, double *low, double *high);
/* Integral of S from 0 to tau; beyond the last time S is held constant. se may be NULL. */
double sim_km_rmst(const struct sim_km *km, double tau, double *se);
/* What each of the n that the estimate is of contributes to its restricted mean: pseudo-observations (Andersen, Hansen
 * & Klein 2004) by the infinitesimal jackknife, so that paired differences can be taken under censoring. Their mean is
 * sim_km_rmst; without censoring before tau they are min(time, tau). out: [n]. */
int sim_km_pseudo(const struct sim_km *km, const double *time, const bool *event, size_t n, double tau,
                  double *out) SIM_MUST_CHECK;
/* Log-rank test that samples come from one distribution (Mantel 1966): group[i] < groups; *chi2 has as many degrees of
 * freedom as there are groups with anybody, less one. NaN where fewer than two have, or nobody had the event. */
struct sim_logrank {
  double chi2, p;
  size_t freedom;
};
int sim_logrank_test(const double *time, const bool *event, const size_t *group, size_t n, size_t groups,
                     struct sim_logrank *out) SIM_MUST_CHECK;

/* Recovery of one arm at one level. */
enum sim_status { /* the flags of the variable `status` */
                  SIM_STATUS_RECOVERED,
                  SIM_STATUS_RELAPSED_RECOVERED,
                  SIM_STATUS_RELAPSED_CENSORED,
                  SIM_STATUS_CENSORED,
                  SIM_STATUS_NEVER_DEGRADED,
                  SIM_STATUS_FAILED,
                  SIM_STATUSES
};
struct sim_recovery {
  char arm[128];
  double level;                           /* share of the target; NaN if there is no such dimension */
  size_t count[SIM_STATUSES];             /* runs by status */
  size_t runs;                            /* with a status, failed ones included */
  double median, median_low, median_high; /* days, conditional */
  double quantile[3];                     /* 0.25, 0.75, 0.9, conditional */
  double tau;                             /* days: window of the restricted means */
  double rmst, rmst_se;                   /* conditional */
  double rmst_unconditional, rmst_unconditional_se;
  struct sim_logrank logrank; /* that degraded runs of all arms recover alike: of the level, the same in every arm */
};
/* Times to recover and censorings of the degraded among n runs, as sim_km_init wants them, and behind them, if `all`,
 * the never-degraded at time 0. time, event: [n]. Returns their number. */
size_t sim_summary_times(const double *recovery, const double *status, const double *observed, size_t n, bool all,
                         double *time, bool *event);
/* One arm: n runs; time NaN unless recovered; observed: days from the start of the episode to the end of the run. */
int sim_summary_recovery(const double *time, const double *status, const double *observed, size_t n, double tau,
                         struct sim_recovery *out) SIM_MUST_CHECK;
/* All arms and levels of a results file, arms slowest. tau: days, or NaN: the longest window in which every arm and
 * level has runs under observation, at each level no longer than every arm's curve is known. *out is freed with
 * sim_free; 0 rows where the file has no times of recovery. */
int sim_summary_recoveries(struct sim_results *r, double tau, struct sim_recovery **out, size_t *n,
                           struct sim_diag *diag) SIM_MUST_CHECK;

/* Numbers: missing ones (NaN) are left out and counted. */
struct sim_numbers {
  size_t n, missing;
  double mean, se, sd, min, max;
  double quantile[5]; /* 0.05, 0.25, 0.5, 0.75, 0.95: linear between order statistics (type 7) */
  double median_low,
      median_high; /* order statistics with coverage of at least 0.95 (binomial); NaN if n is too small */
};
int sim_summary_numbers(const double *value, size_t n, struct sim_numbers *out) SIM_MUST_CHECK;

/* A numeric variable (arm, point, replicate, ...) of a file: one entry an arm and element of the further dimensions. */
struct sim_variable_summary {
  size_t arm, element; /* element: row-major over the further dimensions */
  struct sim_numbers numbers;
  size_t flag[16]; /* of flags: runs by meaning */
};
int sim_summary_variable(struct sim_results *r, const char *name, struct sim_variable_summary **out, size_t *n,
                         struct sim_diag *diag) SIM_MUST_CHECK;
#endif
