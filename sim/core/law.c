/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Evaluation of laws; law_init.c builds them from scenarios. */
#include "sim/core/law.h"
#include "sim/core/dmath.h"
#include "sim/core/law_gamma.h"
#include "sim/core/mem.h"
#include <math.h>

#define LOG_2     0.693147180559945309
#define SQRT_HALF 0.707106781186547524

void sim_law_init_exponential(struct sim_law *law, double mean) {
  *law = (struct sim_law){.kind = SIM_LAW_EXPONENTIAL, .a = mean, .mean = mean};
}

void sim_law_init_fixed(struct sim_law *law, double value) {
  *law = (struct sim_law){.kind = SIM_LAW_FIXED, .a = value, .mean = value};
}

void sim_law_free(struct sim_law *law) {
  sim_free(law->table);
  *law = (struct sim_law){0};
}

int sim_law_is_memoryless(const struct sim_law *law) {
  return law->kind == SIM_LAW_EXPONENTIAL;
}

int sim_law_has_density(const struct sim_law *law) {
  return law->kind != SIM_LAW_FIXED && law->kind != SIM_LAW_EMPIRICAL;
}

/* Mills' ratio Q(z) / phi(z) for z >= 20 by Laplace's continued fraction; 16 levels give 1e-16. */
static double mills(double z) {
  double f = z;
  for (int k = 16; k >= 1; k--) f = z + k / f;
  return 1 / f;
}

/* H of the standard normal law, -log(1 - Phi(z)): each tail from the side where it does not cancel. */
static double normal_hazard(double z) {
  if (z < 0) return -sim_log1p(-0.5 * sim_erfc(-z * SQRT_HALF));
  if (z < 20) return -sim_log(0.5 * sim_erfc(z * SQRT_HALF));
  return 0.5 * z * z + 0.918938533204672742 - sim_log(mills(z)); /* log sqrt(2 pi) */
}

/* Its inverse. Above 700, where e^-E leaves the range of the quantile: Newton's method, with h = 1 / mills. */
static double normal_inverse(double e) {
  if (e < LOG_2) return sim_normal_quantile(-sim_expm1(-e));
  if (e <= 700) return -sim_normal_quantile(sim_exp(-e));
  double z = sqrt(2 * e);
  for (int i = 0; i < 4; i++) z -= (normal_hazard(z) - e) * mills(z);
  return z;
}

/* Smallest value whose cumulative probability reaches p. */
static double steps_inverse(const struct sim_law *law, double p) {
  uint32_t low = 0, high = law->table_size / 2 - 1;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (law->table[2 * middle + 1] >= p)
      high = middle;
    else
      low = middle + 1;
  }
  return law->table[2 * low];
}

/* Cumulative probability at x. */
static double steps_probability(const struct sim_law *law, double x) {
  uint32_t low = 0, high = law->table_size / 2; /* first value above x lies in [low, high] */
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (law->table[2 * middle] > x)
      high = middle;
    else
      low = middle + 1;
  }
  return low == 0 ? 0 : law->table[2 * low - 1];
}

double sim_law_inverse(const struct sim_law *law, double e) {
  switch (law->kind) {
  case SIM_LAW_FIXED:
    return law->a;
  case SIM_LAW_EXPONENTIAL:
    return law->a * e;
  case SIM_LAW_GAMMA:
    sim_gamma_inverses(law->a, law->table, law->table_size, &e, 1);
    return law->b * e;
  case SIM_LAW_LOGNORMAL:
    if (!(e > 0)) return 0;
    return isinf(e) ? e : sim_exp(law->a + law->b * normal_inverse(e));
  case SIM_LAW_WEIBULL:
    return e > 0 ? law->b * sim_pow(e, 1 / law->a) : 0;
  case SIM_LAW_UNIFORM:
    return law->a + (law->b - law->a) * -sim_expm1(-e);
  case SIM_LAW_EMPIRICAL:
    return steps_inverse(law, -sim_expm1(-e));
  }
  sim_bug("a kind of law", __FILE__, __LINE__);
}

void sim_law_inverses(const struct sim_law *law, double *e, uint32_t n) {
  if (law->kind == SIM_LAW_GAMMA) {
    sim_gamma_inverses(law->a, law->table, law->table_size, e, n);
    for (uint32_t i = 0; i < n; i++) e[i] = law->b * e[i];
  } else
    for (uint32_t i = 0; i < n; i++) e[i] = sim_law_inverse(law, e[i]);
}

double sim_law_hazard(const struct sim_law *law, double x) {
  switch (law->kind) {
  case SIM_LAW_FIXED:
    return x < law->a ? 0 : INFINITY;
  case SIM_LAW_EXPONENTIAL:
    return x / law->a;
  case SIM_LAW_GAMMA:
    return sim_gamma_hazard(law->a, x / law->b);
  case SIM_LAW_LOGNORMAL:
    if (!(x > 0)) return 0;
    return isinf(x) ? x : normal_hazard((sim_log(x) - law->a) / law->b);
  case SIM_LAW_WEIBULL:
    return x > 0 ? sim_pow(x / law->b, law->a) : 0;
  case SIM_LAW_UNIFORM: {
    double width = law->b - law->a;
    if (x <= law->a) return 0;
    if (x >= law->b) return INFINITY;
    double p = (x - law->a) / width;
    return p < 0.5 ? -sim_log1p(-p) : -sim_log((law->b - x) / width);
  }
  case SIM_LAW_EMPIRICAL:
    return -sim_log1p(-steps_probability(law, x));
  }
  sim_bug("a kind of law", __FILE__, __LINE__);
}
