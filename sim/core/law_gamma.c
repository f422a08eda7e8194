/* SPDX-License-Identifier: GPL-3.0-or-later */
/* H^-1 of the gamma law by a table. With t = log E and y = log x, y(t) has slope 1/shape for E -> 0 and 1 for E -> inf
 * and bends smoothly between, so quintic Hermite interpolation over uniform t needs few nodes; value, first and second
 * derivative of each node are exact, from the incomplete gamma functions. Outside of the table, where a draw falls once
 * in 10^7, the equation is solved directly. Relative error of x, measured over E in [1e-12, 700] and shapes from 0.01
 * to 1000 (tests/test_law.c): below 2e-11. */
#include "sim/core/law_gamma.h"
#include "sim/core/dmath.h"
#include "sim/core/mem.h"
#include <math.h>

#define FIRST_T (-16.75) /* log E of the first node: E = 5.3e-8 */
#define LAST_T  4.25     /* of the last: E = 70 */
enum { NODE = 3 };       /* doubles a node: y, y' step, y'' step^2 */

/* Intervals of the table: small shapes turn from slope 1/shape to 1 quickly. */
static uint32_t intervals(double shape) {
  return shape < 0.1 ? 1024 : shape < 1 ? 512 : 256;
}

/* log H at x = exp(y), with its first two derivatives by y. */
struct point {
  double t, slope, bend;
};

static void point_at(double shape, double y, struct point *p) {
  struct sim_gamma_logs logs;
  double x = sim_exp(y);
  sim_gamma_logs(shape, x, y, &logs);
  p->t = logs.p < -36 ? logs.p : sim_log(-logs.q); /* H = P (1 + P/2 + ...) */
  double rate = sim_exp(logs.xf - logs.q);         /* x h(x), h = f / (1 - F) */
  p->slope = sim_exp(logs.xf - logs.q - p->t);     /* x h / H, without 0 / 0 */
  p->bend = p->slope * (shape - x + rate - p->slope);
}

/* Solves log H(e^y) = t. log H is concave in y for shape >= 1 and convex below, and y = t lies on the side from which
 * Newton's method then converges monotonically. */
static double solve(double shape, double t) {
  double y = t;
  struct point p;
  for (int i = 0; i < 200; i++) {
    point_at(shape, y, &p);
    double step = (t - p.t) / p.slope;
    y += step;
    if (fabs(step) <= 1e-9 * (1 + fabs(y))) break; /* the next error is of the order of its square */
  }
  return y;
}

/* From a good guess: Halley steps. Leaves the point's derivatives in p. */
static double polish(double shape, double t, double y, struct point *p) {
  for (int i = 0; i < 20; i++) {
    point_at(shape, y, p);
    double newton = (t - p->t) / p->slope;
    double step = newton / (1 + 0.5 * newton * p->bend / p->slope);
    y += step;
    if (fabs(step) <= 1e-11) break; /* small enough for the derivatives, which are those before the step */
  }
  return y;
}

int sim_gamma_table(double shape, double **table, uint32_t *size) {
  uint32_t n = intervals(shape);
  double step = (LAST_T - FIRST_T) / n;
  double *nodes = sim_realloc_array(NULL, (size_t)(n + 1) * NODE, sizeof *nodes);
  if (!nodes) return SIM_ERR_MEMORY;
  double y = solve(shape, FIRST_T);
  for (uint32_t i = 0; i <= n; i++) {
    struct point p;
    double *node = nodes + (size_t)i * NODE;
    y = polish(shape, FIRST_T + i * step, y, &p);
    node[0] = y;
    node[1] = step / p.slope;
    node[2] = -step * step * p.bend / (p.slope * p.slope * p.slope);
    y += node[1] + 0.5 * node[2];
  }
  *table = nodes;
  *size = (n + 1) * NODE;
  return 0;
}

double sim_gamma_hazard(double shape, double x) {
  if (!(x > 0)) return 0;
  if (isinf(x)) return x;
  struct sim_gamma_logs logs;
  sim_gamma_logs(shape, x, sim_log(x), &logs);
  return -logs.q;
}

/* Quintic Hermite interpolation at s in [0, 1] between two nodes. */
static double between(const double *a, const double *b, double s) {
  double half = 0.5 * a[2];
  double value = b[0] - a[0] - a[1] - half, slope = b[1] - a[1] - a[2], bend = 0.5 * (b[2] - a[2]);
  double c3 = 10 * value - 4 * slope + bend;
  double c4 = -15 * value + 7 * slope - 2 * bend;
  double c5 = 6 * value - 3 * slope + bend;
  return a[0] + s * (a[1] + s * (half + s * (c3 + s * (c4 + s * c5))));
}

/* log H^-1 at t = log e; for e of 0 or less, -inf. */
static double log_inverse(double shape, const double *table, uint32_t size, double t) {
  if (!(t > FIRST_T && t < LAST_T)) return t > -HUGE_VAL && t < HUGE_VAL ? solve(shape, t) : t > 0 ? t : -HUGE_VAL;
  uint32_t n = size / NODE - 1;
  double at = (t - FIRST_T) * (n / (LAST_T - FIRST_T));
  uint32_t i = (uint32_t)at;
  if (i >= n) i = n - 1;
  const double *node = table + (size_t)i * NODE;
  return between(node, node + NODE, at - i);
}

void sim_gamma_inverses(double shape, const double *table, uint32_t size, double *e, uint32_t n) {
  sim_logs(e, n);
  for (uint32_t i = 0; i < n; i++) e[i] = log_inverse(shape, table, size, e[i]);
  sim_exps(e, n);
}
