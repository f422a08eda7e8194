/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/dmath.h"
#include "sim/core/lanes.h"
#include <math.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <sleef.h>

/* Where SSE2 is sure to be there its form is taken: the same bits in three fifths of the time. */
#if defined(__x86_64__)
#define DETERMINISTIC(name)                                                                                            \
  double sim_##name(double x) {                                                                                        \
    return _mm_cvtsd_f64(Sleef_cinz_##name##d2_u10sse2(_mm_set1_pd(x)));                                               \
  }
#else
#define DETERMINISTIC(name)                                                                                            \
  double sim_##name(double x) {                                                                                        \
    return Sleef_cinz_##name##d1_u10purec(x);                                                                          \
  }
#endif
DETERMINISTIC(log)
DETERMINISTIC(log1p)
DETERMINISTIC(exp)
DETERMINISTIC(expm1)

#if defined(__x86_64__)
/* SLEEF's header declares these forms only where the whole file is compiled for such a CPU. None fuses products, so
 * the bits are those of the others. */
#define IN_LANES(name)                                                                                                 \
  __attribute__((target("avx"))) __m256d Sleef_cinz_##name##d4_u10avx(__m256d x);                                      \
  __attribute__((target("avx512f"))) __m512d Sleef_cinz_##name##d8_u10avx512fnofma(__m512d x);                         \
                                                                                                                       \
  __attribute__((target("avx"))) static void name##s_avx(double *x, unsigned n) {                                      \
    unsigned i = 0;                                                                                                    \
    for (; i + 4 <= n; i += 4) _mm256_storeu_pd(x + i, Sleef_cinz_##name##d4_u10avx(_mm256_loadu_pd(x + i)));          \
    if (i == n) return;                                                                                                \
    double four[4] = {1, 1, 1, 1};                                                                                     \
    for (unsigned k = 0; i + k < n; k++) four[k] = x[i + k];                                                           \
    _mm256_storeu_pd(four, Sleef_cinz_##name##d4_u10avx(_mm256_loadu_pd(four)));                                       \
    for (unsigned k = 0; i + k < n; k++) x[i + k] = four[k];                                                           \
  }                                                                                                                    \
                                                                                                                       \
  __attribute__((target("avx512f"))) static void name##s_avx512(double *x, unsigned n) {                               \
    for (unsigned i = 0; i < n; i += 8) {                                                                              \
      __mmask8 here = n - i >= 8 ? 0xff : (__mmask8)((1u << (n - i)) - 1);                                             \
      __m512d eight = _mm512_mask_loadu_pd(_mm512_set1_pd(1), here, x + i);                                            \
      _mm512_mask_storeu_pd(x + i, here, Sleef_cinz_##name##d8_u10avx512fnofma(eight));                                \
    }                                                                                                                  \
  }                                                                                                                    \
                                                                                                                       \
  void sim_##name##s(double *x, unsigned n) {                                                                          \
    enum sim_lanes lanes = sim_lanes();                                                                                \
    if (n < 2 || lanes < SIM_LANES_AVX) {                                                                              \
      for (unsigned i = 0; i < n; i++) x[i] = sim_##name(x[i]);                                                        \
    } else if (lanes == SIM_LANES_AVX512)                                                                              \
      name##s_avx512(x, n);                                                                                            \
    else                                                                                                               \
      name##s_avx(x, n);                                                                                               \
  }
#else
#define IN_LANES(name)                                                                                                 \
  void sim_##name##s(double *x, unsigned n) {                                                                          \
    for (unsigned i = 0; i < n; i++) x[i] = sim_##name(x[i]);                                                          \
  }
#endif
IN_LANES(log)
IN_LANES(exp)

double sim_pow(double x, double y) {
  return Sleef_cinz_powd1_u10purec(x, y);
}
double sim_erfc(double x) {
  return Sleef_cinz_erfcd1_u15purec(x);
}
double sim_lgamma(double x) {
  return Sleef_cinz_lgammad1_u10purec(x);
}
double sim_sin(double x) {
  return Sleef_cinz_sind1_u10purec(x);
}

/* Value of the polynomial with 8 coefficients, lowest first. */
static double poly8(const double c[8], double r) {
  return ((((((c[7] * r + c[6]) * r + c[5]) * r + c[4]) * r + c[3]) * r + c[2]) * r + c[1]) * r + c[0];
}

/* AS 241 PPND16 (Wichura 1988): numerators and denominators for |p - 1/2| <= 0.425, for the tails with
 * r = sqrt(-log p) <= 5, and for the far tails. */
static const double central[2][8] = {
    {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3},
    {1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
     3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3}};
static const double tail[2][8] = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
     1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
static const double far[2][8] = {
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
     1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}};

double sim_normal_quantile(double p) {
  double q = p - 0.5;
  if (fabs(q) <= 0.425) {
    double r = 0.180625 - q * q;
    return q * poly8(central[0], r) / poly8(central[1], r);
  }
  double r = sqrt(-sim_log(q < 0 ? p : 1 - p));
  double z = r <= 5 ? poly8(tail[0], r - 1.6) / poly8(tail[1], r - 1.6) : poly8(far[0], r - 5) / poly8(far[1], r - 5);
  return q < 0 ? -z : z;
}
