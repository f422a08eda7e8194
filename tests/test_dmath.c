/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reference values were computed with 40 digits (mpmath 1.2). */
#include "sim/core/dmath.h"
#include "sim/core/lanes.h"
#include "sim/core/rng.h"
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>

static void near(double got, double expected, double tolerance) {
  cr_assert(fabs(got - expected) <= tolerance * fabs(expected), "%.17g is not %.17g", got, expected);
}

Test(dmath, elementary_functions_are_those_of_libm) { /* to some last bits; libm itself depends on the CPU */
  for (int i = 1; i <= 4000; i++) {
    double x = i * 0.01;
    near(sim_log(x), log(x), 4e-16);
    near(sim_log1p(x), log1p(x), 4e-16);
    near(sim_log1p(-x / 50), log1p(-x / 50), 4e-16);
    near(sim_exp(-x), exp(-x), 4e-16);
    near(sim_expm1(-x), expm1(-x), 4e-16);
    near(sim_pow(x, 0.37), pow(x, 0.37), 4e-16);
    near(sim_erfc(x / 2), erfc(x / 2), 1e-15);
    near(sim_lgamma(x + 3), lgamma(x + 3), 1e-15);
    near(sim_sin(x), sin(x), 4e-16);
  }
}

/* Both at once, in groups of every size and lanes of every width. */
static void at_once(double (*one)(double), void (*many)(double *, unsigned), const double odd[8], double scale) {
  struct sim_rng rng;
  sim_rng_init(&rng, 1, 2, 3);
  int widest = sim_lanes();
  for (uint32_t n = 0, draw = 0; draw < 500000; n = (n + 1) % 65) {
    double x[64], got[64];
    for (uint32_t i = 0; i < n; i++, draw++)
      x[i] = draw % 100 == 0 ? odd[draw / 100 % 8] : scale * sim_rng_uniform(&rng, 1, draw, 0, 0);
    for (int lanes = SIM_LANES_NONE; lanes <= widest; lanes++) {
      sim_lanes_limit((enum sim_lanes)lanes);
      for (uint32_t i = 0; i < n; i++) got[i] = x[i];
      many(got, n);
      for (uint32_t i = 0; i < n; i++) cr_assert(got[i] == one(x[i]), "of %.17g, lanes %d", x[i], lanes);
    }
    draw += n == 0;
  }
}

Test(dmath, logarithms_and_exponentials_at_once_have_the_same_bits_on_any_cpu) {
  static const double to_log[] = {0x1p-53, 1 - 0x1p-53, 1, 0.75, 0, 1e-300, 1e300, INFINITY};
  static const double to_exp[] = {0, -0x1p-53, 1e-300, -745.2, 709.7, 800, -INFINITY, INFINITY};
  at_once(sim_log, sim_logs, to_log, 1);
  at_once(sim_exp, sim_exps, to_exp, -17);
  at_once(sim_exp, sim_exps, to_exp, 5);
}

Test(dmath, limits) {
  cr_assert_eq(sim_log(0), -INFINITY);
  cr_assert_eq(sim_log(1), 0);
  cr_assert_eq(sim_exp(-INFINITY), 0);
  cr_assert_eq(sim_exp(1000), INFINITY);
  cr_assert_eq(sim_exp(0), 1);
  cr_assert_eq(sim_expm1(0), 0);
  cr_assert_eq(sim_expm1(-INFINITY), -1);
  cr_assert_eq(sim_log1p(-1), -INFINITY);
  cr_assert_eq(sim_log1p(0), 0);
  cr_assert_eq(sim_pow(0, 2.5), 0);
  cr_assert_eq(sim_pow(INFINITY, 0.5), INFINITY);
  cr_assert_eq(sim_erfc(0), 1);
  cr_assert_eq(sim_erfc(INFINITY), 0);
  cr_assert(isnan(sim_log(-1)));
}

Test(dmath, normal_quantile) {
  static const double ref[][2] = {
      {1e-300, -37.047096299361199}, {1e-100, -21.273453560965324}, {1e-20, -9.2623400897984076},
      {1e-5, -4.2648907939228246},   {0.02, -2.053748910631823},    {0.075, -1.4395314709384559},
      {0.0751, -1.43882539275254},   {0.3, -0.52440051270804082},   {0.6, 0.25334710313579974},
      {0.975, 1.9599639845400539},   {0.99999, 4.2648907939238408},
  };
  for (size_t i = 0; i < sizeof ref / sizeof *ref; i++) near(sim_normal_quantile(ref[i][0]), ref[i][1], 2e-15);
  cr_assert_eq(sim_normal_quantile(0.5), 0);
  for (int i = 1; i < 1000; i++) {
    double p = i / 1000.0, z = sim_normal_quantile(p);
    cr_assert_lt(fabs(gsl_cdf_ugaussian_P(z) - p), 1e-15);
    cr_assert_lt(fabs(z + sim_normal_quantile(1 - p)), 1e-13);
    cr_assert_gt(z, sim_normal_quantile(p - 0.0005));
  }
}

Test(dmath, incomplete_gamma) {
  static const double ref[][4] = {
      {0.01, 1e-20, 0.63455792054899674, 0.36544207945100326},
      {0.01, 0.5, 0.99437324380603282, 0.0056267561939671841},
      {0.01, 1.5, 0.99898645697750469, 0.0010135430224953093},
      {0.3, 2.0, 0.97797401917285299, 0.022025980827147014},
      {0.5, 1e-08, 0.00011283791633342487, 0.99988716208366658},
      {1, 3, 0.95021293163213606, 0.049787068367863943},
      {2.5, 0.1, 0.00088613878881244261, 0.99911386121118756},
      {2.5, 30, 0.99999999998784543, 1.2154569777183039e-11},
      {9.5, 8.0, 0.34272200179935608, 0.65727799820064392},
      {10, 12.0, 0.75760783832948765, 0.24239216167051235},
      {50, 20.0, 1.2458926079719379e-8, 0.99999998754107392},
      {50, 55.0, 0.76779521949914367, 0.23220478050085633},
      {400, 380.0, 0.15855070978429479, 0.84144929021570521},
      {1000, 900.0, 0.00054990226571178292, 0.99945009773428822},
      {1000, 1100.0, 0.99894067674607002, 0.0010593232539299773},
  };
  for (size_t i = 0; i < sizeof ref / sizeof *ref; i++) {
    near(sim_gamma_p(ref[i][0], ref[i][1]), ref[i][2], 1e-13);
    near(sim_gamma_q(ref[i][0], ref[i][1]), ref[i][3], 1e-13);
  }
  cr_assert_eq(sim_gamma_p(2, 0), 0);
  cr_assert_eq(sim_gamma_q(2, 0), 1);
  cr_assert_eq(sim_gamma_p(2, INFINITY), 1);
  cr_assert_eq(sim_gamma_q(2, INFINITY), 0);
}

Test(dmath, incomplete_gamma_where_it_underflows) {
  struct sim_gamma_logs logs;
  sim_gamma_logs(0.5, 800, sim_log(800), &logs);
  near(logs.q, -803.91529483319384, 1e-14);
  cr_assert_eq(logs.p, 0);
  sim_gamma_logs(3, 900, sim_log(900), &logs);
  near(logs.q, -887.08613543351505, 1e-14);
  sim_gamma_logs(100, 2000, sim_log(2000), &logs);
  near(logs.q, -1606.5941221221888, 1e-14);
  sim_gamma_logs(50, 1e-9, sim_log(1e-9), &logs);
  near(logs.p, -1184.641058800074, 1e-14);
  sim_gamma_logs(1000, 1, 0, &logs);
  near(logs.p, -5913.1271789888283, 1e-14);
}

Test(dmath, logarithms_at_once_are_the_logarithms_one_by_one) {
  for (unsigned n = 0; n < 11; n++)
    for (int k = 0; k < 2000; k++) {
      double x[11], one[11];
      for (unsigned i = 0; i < n; i++) {
        x[i] = ldexp((double)(i + 1) * 0.618033988749895 * (k + 1), (int)(i * 97u + (unsigned)k) % 600 - 300);
        one[i] = sim_log(x[i]);
      }
      sim_logs(x, n);
      for (unsigned i = 0; i < n; i++) cr_assert(x[i] == one[i]);
    }
}
