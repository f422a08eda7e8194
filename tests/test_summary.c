/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/summary.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#define NEAR(x, y, tolerance) cr_assert(fabs((x) - (y)) <= (tolerance), "%.15g is not %.15g", (double)(x), (double)(y))

/* Freireich et al. 1963: weeks in remission; the standard example of survival analysis. */
static const double mp[] = {6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35};
static const bool mp_event[] = {1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0};
static const double placebo[] = {1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23};

Test(summary, kaplan_meier_of_freireich) {
  struct sim_km km;
  cr_assert_eq(sim_km_init(&km, mp, mp_event, 21), 0);
  const double expected[][3] = {
      {6, 0.857142857142857, 0.0763603548321},       {7, 0.8067226890756303, 0.0869352851800572},
      {10, 0.7529411764705882, 0.0963496529943},     {13, 0.6901960784313725, 0.106814707775},
      {16, 0.6274509803921569, 0.11405386525675254}, {22, 0.5378151260504203, 0.128233751693},
      {23, 0.4481792717086836, 0.134591456756}};
  for (size_t i = 0; i < 7; i++) {
    NEAR(sim_km_survival(&km, expected[i][0]), expected[i][1], 1e-10);
    NEAR(sim_km_se(&km, expected[i][0]), expected[i][2], 1e-10);
  }
  NEAR(sim_km_survival(&km, 5.999), 1, 0);
  NEAR(sim_km_survival(&km, 35), 0.4481792717086836, 1e-10);
  double se, low, high;
  NEAR(sim_km_rmst(&km, 35, &se), 23.287394957983196, 1e-10);
  NEAR(se, 2.8274676233714393, 1e-10);
  NEAR(sim_km_rmst(&km, 20, NULL), 16.116526610644257, 1e-10);
  NEAR(sim_km_quantile(&km, 0.5, &low, &high), 23, 0);
  NEAR(low, 13, 0); /* log-log limits: 13 to open, as R's survfit(conf.type = "log-log") */
  cr_assert(isnan(high));
  cr_assert(isnan(sim_km_quantile(&km, 0.9, NULL, NULL)), "the curve never falls to 0.1");
  sim_km_free(&km);
}

Test(summary, without_censoring_it_is_the_sample) {
  bool event[21];
  double sum = 0;
  for (int i = 0; i < 21; i++) event[i] = true, sum += placebo[i];
  struct sim_km km;
  cr_assert_eq(sim_km_init(&km, placebo, event, 21), 0);
  double se;
  NEAR(sim_km_rmst(&km, 23, &se), 8.666666666666668, 1e-10);
  NEAR(sim_km_rmst(&km, 23, NULL), sum / 21, 1e-10);
  NEAR(sim_km_quantile(&km, 0.5, NULL, NULL), 8, 0);
  NEAR(sim_km_survival(&km, 23), 0, 0);
  NEAR(sim_km_se(&km, 23), 0, 0);
  /* Uncensored, Greenwood's variance of the mean is the sample's with divisor n. */
  double squares = 0;
  for (int i = 0; i < 21; i++) squares += (placebo[i] - sum / 21) * (placebo[i] - sum / 21);
  NEAR(se, sqrt(squares / 21 / 21), 1e-10);
  sim_km_free(&km);
}

/* Taking censored times for events must give another answer: the test can fail. */
Test(summary, censoring_matters) {
  bool event[21];
  for (int i = 0; i < 21; i++) event[i] = true;
  struct sim_km km;
  cr_assert_eq(sim_km_init(&km, mp, event, 21), 0);
  cr_assert(fabs(sim_km_rmst(&km, 35, NULL) - 23.287394957983196) > 1);
  sim_km_free(&km);
}

Test(summary, empty_and_single) {
  struct sim_km km;
  cr_assert_eq(sim_km_init(&km, NULL, NULL, 0), 0);
  NEAR(sim_km_survival(&km, 5), 1, 0);
  sim_km_free(&km);
  struct sim_recovery r;
  const double nan = NAN, status = SIM_STATUS_NEVER_DEGRADED;
  cr_assert_eq(sim_summary_recovery(&nan, &status, &nan, 1, 10, &r), 0);
  cr_assert(isnan(r.rmst));
  NEAR(r.rmst_unconditional, 0, 0);
  cr_assert_eq(r.count[SIM_STATUS_NEVER_DEGRADED], 1);
}

/* Freireich's patients as runs, with as many that never degraded and one that failed. */
Test(summary, recovery_conditional_and_not) {
  double time[43], status[43], observed[43];
  for (int i = 0; i < 42; i++) {
    time[i] = i < 21 && mp_event[i] ? mp[i] : NAN;
    status[i] = i >= 21 ? SIM_STATUS_NEVER_DEGRADED : mp_event[i] ? SIM_STATUS_RECOVERED : SIM_STATUS_CENSORED;
    observed[i] = i < 21 ? (mp_event[i] ? 40 : mp[i]) : NAN;
  }
  time[42] = observed[42] = NAN, status[42] = SIM_STATUS_FAILED;
  struct sim_recovery r;
  cr_assert_eq(sim_summary_recovery(time, status, observed, 43, 35, &r), 0);
  cr_assert_eq(r.runs, 43);
  cr_assert_eq(r.count[SIM_STATUS_RECOVERED], 9);
  cr_assert_eq(r.count[SIM_STATUS_CENSORED], 12);
  cr_assert_eq(r.count[SIM_STATUS_FAILED], 1);
  NEAR(r.median, 23, 0);
  NEAR(r.rmst, 23.287394957983196, 1e-10);
  NEAR(r.rmst_unconditional, 23.287394957983196 / 2, 1e-10);
  /* Variance of a share times a mean: (p^2 v + p (1-p)/n m^2). */
  double v = 2.8274676233714393 * 2.8274676233714393, m = 23.287394957983196;
  NEAR(r.rmst_unconditional_se, sqrt(0.25 * v + 0.25 / 42 * m * m), 1e-9);
}

Test(summary, numbers) {
  const double x[] = {4, NAN, 1, 3, 2, 5};
  struct sim_numbers s;
  cr_assert_eq(sim_summary_numbers(x, 6, &s), 0);
  cr_assert_eq(s.n, 5);
  cr_assert_eq(s.missing, 1);
  NEAR(s.mean, 3, 0);
  NEAR(s.sd, sqrt(2.5), 1e-15);
  NEAR(s.se, sqrt(0.5), 1e-15);
  NEAR(s.quantile[2], 3, 0);
  NEAR(s.quantile[1], 2, 0);
  NEAR(s.quantile[0], 1.2, 1e-15);
  cr_assert(isnan(s.median_low), "five numbers do not bound a median at 0.95");
  double y[100];
  for (int i = 0; i < 100; i++) y[i] = i + 1;
  cr_assert_eq(sim_summary_numbers(y, 100, &s), 0);
  NEAR(s.median_low, 40, 0); /* Conover 1999: ranks 40 and 61 of 100 */
  NEAR(s.median_high, 61, 0);
  cr_assert_eq(sim_summary_numbers(NULL, 0, &s), 0);
  cr_assert(isnan(s.mean) && isnan(s.se) && s.n == 0);
}

/* Validation case A23: drug against placebo. A broken variant, censorings taken for events, must not pass. */
Test(summary, logrank_of_freireich) {
  double time[42];
  bool event[42], all[42];
  size_t group[42];
  for (size_t i = 0; i < 21; i++) {
    time[i] = mp[i], event[i] = mp_event[i], group[i] = 2;
    time[21 + i] = placebo[i], event[21 + i] = true, group[21 + i] = 0;
  }
  for (size_t i = 0; i < 42; i++) all[i] = true;
  struct sim_logrank test, broken;
  cr_assert_eq(sim_logrank_test(time, event, group, 42, 3, &test), 0); /* nobody is in group 1 */
  NEAR(test.chi2, 16.79294098921654, 1e-10);
  cr_assert_eq(test.freedom, 1);
  NEAR(test.p, 4.168809109334532e-05, 1e-15);
  cr_assert_eq(sim_logrank_test(time, all, group, 42, 3, &broken), 0);
  cr_assert_gt(fabs(broken.chi2 - test.chi2), 1);
  /* three groups, of which two are alike: two degrees of freedom; their order does not matter */
  double twice[63];
  bool events[63];
  size_t of[63], other[63];
  for (size_t i = 0; i < 63; i++) {
    twice[i] = i < 42 ? time[i] : mp[i - 42];
    events[i] = i < 42 ? event[i] : mp_event[i - 42];
    of[i] = i / 21, other[i] = 2 - i / 21;
  }
  cr_assert_eq(sim_logrank_test(twice, events, of, 63, 3, &test), 0);
  cr_assert_eq(sim_logrank_test(twice, events, other, 63, 3, &broken), 0);
  cr_assert_eq(test.freedom, 2);
  NEAR(test.chi2, broken.chi2, 1e-9);
  cr_assert_gt(test.chi2, 16);
  cr_assert_eq(sim_logrank_test(time, event, group, 0, 3, &test), 0);
  cr_assert(isnan(test.chi2) && isnan(test.p), "nobody, no test");
}

/* Pseudo-observations: times where all is known, else near the leave-one-out jackknife, their mean exactly the mean. */
Test(summary, pseudo_observations) {
  struct sim_km km;
  double x[21], left[20], mean, se, sum = 0, squares = 0;
  bool event[21];
  for (size_t i = 0; i < 21; i++) event[i] = true;
  cr_assert_eq(sim_km_init(&km, mp, event, 21), 0);
  cr_assert_eq(sim_km_pseudo(&km, mp, event, 21, 20, x), 0);
  for (size_t i = 0; i < 21; i++) NEAR(x[i], fmin(mp[i], 20), 1e-12);
  sim_km_free(&km);
  cr_assert_eq(sim_km_init(&km, mp, mp_event, 21), 0);
  cr_assert_eq(sim_km_pseudo(&km, mp, mp_event, 21, 30, x), 0);
  mean = sim_km_rmst(&km, 30, &se);
  sim_km_free(&km);
  for (size_t i = 0; i < 21; i++) sum += x[i], squares += (x[i] - mean) * (x[i] - mean);
  NEAR(sum / 21, mean, 1e-12);
  NEAR(sqrt(squares / 21 / 20), se, 0.1 * se);
  for (size_t i = 0; i < 21; i++) {
    for (size_t k = 0; k < 20; k++) left[k] = mp[k + (k >= i)], event[k] = mp_event[k + (k >= i)];
    cr_assert_eq(sim_km_init(&km, left, event, 20), 0);
    NEAR(x[i], 21 * mean - 20 * sim_km_rmst(&km, 30, NULL), 1.5);
    sim_km_free(&km);
  }
}
