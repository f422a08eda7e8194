/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deterministic mathematics: the same bits on every CPU, compiler and optimisation level. glibc's log, exp and pow
 * choose code by CPU feature (FMA) and differ in the last bit; these are SLEEF's `cinz` scalar forms, which do not.
 * Everything that reaches a result uses these, never <math.h>'s transcendental functions (sqrt, floor, fabs, ldexp are
 * exact and allowed). */
#ifndef SIM_CORE_DMATH_H
#define SIM_CORE_DMATH_H

double sim_log(double x);
double sim_log1p(double x);
double sim_exp(double x);
/* Each x[i] to its logarithm or exponential: the same bits, several at a time. */
void sim_logs(double *x, unsigned n);
void sim_exps(double *x, unsigned n);
double sim_expm1(double x);
double sim_pow(double x, double y);
double sim_erfc(double x);
double sim_lgamma(double x);
double sim_sin(double x);

/* Inverse of the standard normal distribution function, 0 < p < 1 (Wichura 1988, algorithm AS 241 PPND16; relative
 * error 1e-16). */
double sim_normal_quantile(double p);
/* Upper regularised incomplete gamma function Q(a, x) and lower P(a, x), a > 0, x >= 0 (series for x < a + 1, Lentz's
 * continued fraction otherwise; relative error about 1e-13). */
double sim_gamma_q(double a, double x);
double sim_gamma_p(double a, double x);
/* The same in logarithms, good in both tails where P and Q underflow, and log(x f(x)) of the density f. log_x is given
 * apart since x may underflow too. Absolute error about 1e-15 * (1 + |value|). */
struct sim_gamma_logs {
  double p, q, xf;
};
void sim_gamma_logs(double a, double x, double log_x, struct sim_gamma_logs *out);
#endif
