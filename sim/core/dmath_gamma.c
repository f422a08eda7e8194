/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The incomplete gamma functions, in logarithms so that neither tail underflows. */
#include "sim/core/dmath.h"
#include <math.h>

#define EPSILON 0x1p-53
enum { MOST_TERMS = 100000 }; /* a bound, not a need: about 10 sqrt(a) + 100 are used */

/* u - log(1 + u), without cancellation for small u. With v = u / (2 + u): log(1 + u) = 2 atanh(v) and u - 2 v = u v. */
static double log1p_gap(double u, double log1p_u) {
  if (fabs(u) > 0.5) return u - log1p_u;
  double v = u / (2 + u), v2 = v * v, power = v2, sum = 0;
  for (int k = 3; k < 60; k += 2) {
    double term = power / k;
    sum += term;
    if (term <= EPSILON * sum) break;
    power *= v2;
  }
  return v * (u - 2 * sum);
}

/* log(x^a e^-x / Gamma(a + 1)). For a >= 10 through Stirling's series (error of the first omitted term 6e-16 at 10),
 * since the large terms of the plain form would cancel. */
static double log_front(double a, double x, double log_x) {
  if (a < 10) return a * log_x - x - sim_lgamma(a + 1);
  double i = 1 / a, i2 = i * i;
  double stirling =
      i *
      (1.0 / 12 - i2 * (1.0 / 360 - i2 * (1.0 / 1260 - i2 * (1.0 / 1680 - i2 * (1.0 / 1188 - i2 * (691.0 / 360360))))));
  double gap = log1p_gap((x - a) / a, log_x - sim_log(a));
  return -a * gap - stirling - 0.5 * sim_log(6.283185307179586477 * a);
}

/* P(a, x) / (x^a e^-x / Gamma(a + 1)) = 1 + x/(a+1) + x^2/((a+1)(a+2)) + ... */
static double series(double a, double x) {
  double term = 1, sum = 1;
  for (int n = 1; n < MOST_TERMS && term > EPSILON * sum; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/* Q(a, x) / (x^a e^-x / Gamma(a)): Legendre's continued fraction by the modified Lentz method (Thompson & Barnett
 * 1986). */
static double fraction(double a, double x) {
  const double tiny = 1e-300;
  double b = x + 1 - a, c = 1 / tiny, d = 1 / b, f = d;
  for (int n = 1; n < MOST_TERMS; n++) {
    double numerator = -n * (n - a);
    b += 2;
    d = numerator * d + b;
    if (fabs(d) < tiny) d = tiny;
    c = b + numerator / c;
    if (fabs(c) < tiny) c = tiny;
    d = 1 / d;
    double factor = d * c;
    f *= factor;
    if (fabs(factor - 1) <= 2 * EPSILON) break;
  }
  return f;
}

void sim_gamma_logs(double a, double x, double log_x, struct sim_gamma_logs *out) {
  double front = log_front(a, x, log_x);
  out->xf = front + sim_log(a);
  if (x < a + 1) {
    out->p = front + sim_log(series(a, x));
    out->q = sim_log1p(-sim_exp(out->p));
  } else {
    out->q = out->xf + sim_log(fraction(a, x));
    out->p = sim_log1p(-sim_exp(out->q));
  }
}

double sim_gamma_p(double a, double x) {
  if (!(x > 0)) return 0;
  if (isinf(x)) return 1;
  struct sim_gamma_logs logs;
  sim_gamma_logs(a, x, sim_log(x), &logs);
  return x < a + 1 ? sim_exp(logs.p) : -sim_expm1(logs.q);
}

double sim_gamma_q(double a, double x) {
  if (!(x > 0)) return 1;
  if (isinf(x)) return 0;
  struct sim_gamma_logs logs;
  sim_gamma_logs(a, x, sim_log(x), &logs);
  return x < a + 1 ? -sim_expm1(logs.p) : sim_exp(logs.q);
}
