/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws of durations (and of other non-negative amounts), by their cumulative hazard.
 *
 * A law with distribution function F has cumulative hazard H(x) = -log(1 - F(x)). A draw is H^-1(E) with E standard
 * exponential, so every law is drawn by inversion from one keyed number: monotone in E, scale families scale. The same
 * pair (H, H^-1) drives transmission under time-varying multipliers: E = integral of m(t) dH(age). All functions use
 * sim/core/dmath.h: bits do not depend on the CPU. Days in, days out, for durations. */
#ifndef SIM_CORE_LAW_H
#define SIM_CORE_LAW_H
#include "sim/core/err.h"
#include "sim/core/param.h"

enum sim_law_kind {
  SIM_LAW_FIXED,       /* a */
  SIM_LAW_EXPONENTIAL, /* mean a */
  SIM_LAW_GAMMA,       /* shape a, scale b; H^-1 from a monotone table, relative error below 2e-11 */
  SIM_LAW_LOGNORMAL,   /* mu a, sigma b of the logarithm */
  SIM_LAW_WEIBULL,     /* shape a, scale b */
  SIM_LAW_UNIFORM,     /* from a to b */
  SIM_LAW_EMPIRICAL    /* table: values with cumulative probabilities, drawn as steps */
};

struct sim_law {
  enum sim_law_kind kind;
  double a, b;
  double mean;         /* of the law, same unit as its draws */
  double *table;       /* gamma: nodes of H^-1; empirical: pairs (value, cumulative probability); owned */
  uint32_t table_size; /* entries in table */
};

/* The calls that name laws in scenarios, for params of kind SIM_LAW; ends with name NULL. Names and parameters:
 * fixed value; exponential mean | rate; gamma mean (cv | shape); erlang mean stages; lognormal (median p95) | (mean
 * cv); weibull (mean | scale) shape; uniform from to; empirical file (CSV column of values, or of value,weight). */
extern const struct sim_call sim_laws[];

/* Builds from a bound value of kind SIM_LAW (a bare quantity is a fixed law). Reports impossible parameters to diag
 * with the value's mark. */
int sim_law_init(struct sim_law *law, const struct sim_value *value, struct sim_diag *diag) SIM_MUST_CHECK;
void sim_law_init_exponential(struct sim_law *law, double mean);
void sim_law_init_fixed(struct sim_law *law, double value);
void sim_law_free(struct sim_law *law);

/* H^-1(e), e >= 0: the draw for standard exponential e; +inf where H never reaches e. */
double sim_law_inverse(const struct sim_law *law, double e);
/* Each e[i] to its draw: the same bits, several at a time where that is cheaper. */
void sim_law_inverses(const struct sim_law *law, double *e, uint32_t n);
/* H(x), x >= 0; +inf from where F = 1. Point masses (fixed, empirical) jump. */
double sim_law_hazard(const struct sim_law *law, double x);
/* True if H is linear (exponential): the rate does not depend on age. */
int sim_law_is_memoryless(const struct sim_law *law);
/* True if F is continuous, so that multiplying its hazard has a meaning (not fixed, not empirical). */
int sim_law_has_density(const struct sim_law *law);
#endif
