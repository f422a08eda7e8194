/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/dmath.h"
#include "sim/core/lanes.h"
#include "sim/core/law.h"
#include "sim/core/mem.h"
#include "sim/core/rng.h"
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAWS = 100000, MOST_PARAMS = 8 };

/* ---- values as the scenario layer would bind them ---- */

struct call {
  struct sim_value value, items[MOST_PARAMS];
};

/* Fills the call `name` with the pairs key, double; ends with NULL. A text stands after the key "file". */
static const struct sim_value *bind_list(struct call *c, const char *name, va_list args) {
  const struct sim_call *law = sim_laws;
  while (law->name && strcmp(law->name, name) != 0) law++;
  cr_assert(law->name, "%s is a law", name);
  *c = (struct call){.value = {.form = SIM_CALLED, .text = name, .path = "x.y", .items = c->items}};
  c->value.mark = (struct sim_mark){"s.yaml", 4, 2};
  for (const struct sim_param *p = law->params; p->name; p++)
    c->items[c->value.n++] = (struct sim_value){.param = p, .name = p->name};
  for (const char *key = va_arg(args, const char *); key; key = va_arg(args, const char *)) {
    struct sim_value *item = &c->items[sim_value_get(&c->value, key) - c->items];
    item->form = strcmp(key, "file") == 0 ? SIM_NAME : SIM_NUMBER;
    if (item->form == SIM_NAME)
      item->text = va_arg(args, const char *);
    else
      item->number = va_arg(args, double);
  }
  return &c->value;
}

static const struct sim_value *bind(struct call *c, const char *name, ...) {
  va_list args;
  va_start(args, name);
  const struct sim_value *value = bind_list(c, name, args);
  va_end(args);
  return value;
}

static struct sim_law make(const char *name, ...) {
  struct call c;
  struct sim_law law;
  struct sim_diag d = {0};
  va_list args;
  va_start(args, name);
  const struct sim_value *value = bind_list(&c, name, args);
  va_end(args);
  cr_assert_eq(sim_law_init(&law, value, &d), 0, "%s", d.n ? d.items[0].text : "memory");
  sim_diag_free(&d);
  return law;
}

/* A temporary file with this text; the caller unlinks path. */
static void write_file(char path[32], const char *text, size_t length) {
  strcpy(path, "/tmp/law_XXXXXX");
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, text, length), (ssize_t)length);
  close(fd);
}

/* ---- H and its inverse ---- */

static void round_trip(struct sim_law law, double from, double to, double tolerance) {
  double previous = -1;
  for (int i = 0; i <= 2000; i++) {
    double e = from * pow(to / from, i / 2000.0), x = sim_law_inverse(&law, e);
    cr_assert(x >= previous, "monotone at %g", e);
    previous = x;
    if (x < 1e-290) continue; /* underflow of a steep law: H there is not representable either */
    double h = sim_law_hazard(&law, x);
    cr_assert(fabs(h - e) <= tolerance * e, "kind %d: H(H^-1(%.17g)) = %.17g", law.kind, e, h);
  }
  cr_assert_eq(sim_law_hazard(&law, INFINITY), INFINITY);
  cr_assert_eq(sim_law_hazard(&law, 0), 0);
  sim_law_free(&law);
}

Test(law, hazard_inverts_the_inverse) {
  round_trip(make("exponential", "mean", 3.0, NULL), 1e-12, 700, 1e-15);
  round_trip(make("weibull", "scale", 2.0, "shape", 0.3, NULL), 1e-12, 700, 1e-14);
  round_trip(make("weibull", "mean", 2.0, "shape", 8.0, NULL), 1e-12, 700, 1e-14);
  round_trip(make("lognormal", "median", 3.0, "p95", 10.0, NULL), 1e-12, 700, 1e-13);
  round_trip(make("lognormal", "median", 3.0, "p95", 10.0, NULL), 600, 1e5, 1e-13);
  round_trip(make("lognormal", "mean", 3.0, "cv", 0.05, NULL), 1e-12, 700, 1e-12);
  round_trip(make("uniform", "from", 0.0, "to", 5.0, NULL), 1e-12, 10, 1e-11); /* x = 5 - 5 e^-10 has 12 digits left */
}

Test(law, gamma_hazard_inverts_its_table) {
  static const double shapes[] = {0.01, 0.02, 0.0999, 0.1, 0.2, 0.7, 0.999, 1.001, 1.5, 4, 9.99, 10, 60, 400, 1000};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    round_trip(make("gamma", "mean", 3.0, "shape", shapes[i], NULL), 1e-12, 700, 2e-11);
}

/* x against x(1 + d): H must notice, or the round trip proves nothing. */
Test(law, the_round_trip_is_sensitive) {
  struct sim_law law = make("gamma", "mean", 3.0, "shape", 2.0, NULL), wrong = law;
  wrong.a *= 1 + 1e-7;
  double x = sim_law_inverse(&law, 1.3);
  cr_assert_gt(fabs(sim_law_hazard(&wrong, x) - 1.3), 1.3e-8);
  sim_law_free(&law);
}

Test(law, draws_at_once_have_the_bits_of_single_ones) {
  static const double odd[] = {0, 1e-300, 1e-9, 5e-8, 69, 71, 700, INFINITY};
  struct sim_law laws[] = {make("gamma", "mean", 3.0, "shape", 0.05, NULL), make("gamma", "mean", 3.0, "cv", 0.5, NULL),
                           make("exponential", "mean", 3.0, NULL), make("weibull", "scale", 2.0, "shape", 1.5, NULL)};
  struct sim_rng rng;
  sim_rng_init(&rng, 1, 2, 3);
  int widest = sim_lanes();
  for (size_t l = 0; l < sizeof laws / sizeof *laws; l++) {
    for (uint32_t n = 0; n <= 64; n++)
      for (int lanes = SIM_LANES_NONE; lanes <= widest; lanes++) {
        double e[64], x[64];
        sim_lanes_limit((enum sim_lanes)lanes);
        for (uint32_t i = 0; i < n; i++)
          e[i] = x[i] = i % 9 == 8 ? odd[(i / 9 + n) % 8] : sim_rng_exponential(&rng, 1, n, i, 0);
        sim_law_inverses(&laws[l], x, n);
        for (uint32_t i = 0; i < n; i++)
          cr_assert(x[i] == sim_law_inverse(&laws[l], e[i]), "law %zu, e = %.17g, lanes %d", l, e[i], lanes);
      }
    sim_law_free(&laws[l]);
  }
}

Test(law, gamma_near_the_ends_of_its_table_is_continuous) {
  struct sim_law law = make("gamma", "mean", 3.0, "shape", 2.0, NULL);
  for (int side = 0; side < 2; side++) {
    double end = exp(side ? 4.25 : -16.75);
    double below = sim_law_inverse(&law, end * (1 - 1e-9)), above = sim_law_inverse(&law, end * (1 + 1e-9));
    cr_assert(above > below && above / below - 1 < 3e-9);
  }
  sim_law_free(&law);
}

static void close_to(double got, double expected, double tolerance) {
  cr_assert(fabs(got - expected) <= tolerance * fabs(expected), "%.17g is not %.17g", got, expected);
}

/* Against GSL's quantiles: lower tail by P, upper tail by Q. */
Test(law, quantiles_are_those_of_gsl) {
  static const double shapes[] = {0.5, 1, 2, 7.3, 40, 900};
  struct sim_law weibull = make("weibull", "scale", 2.0, "shape", 1.7, NULL);
  struct sim_law lognormal = make("lognormal", "mean", 3.0, "cv", 0.8, NULL);
  struct sim_law uniform = make("uniform", "from", 2.0, "to", 5.0, NULL);
  double sigma = sqrt(log1p(0.64)), mu = log(3) - sigma * sigma / 2;
  for (double p = 0.0005; p < 1; p += 0.0101) {
    double e = -log1p(-p);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
      struct sim_law gamma = make("gamma", "mean", 3.0, "shape", shapes[i], NULL);
      close_to(sim_law_inverse(&gamma, e), gsl_cdf_gamma_Pinv(p, shapes[i], 3 / shapes[i]), 1e-9);
      sim_law_free(&gamma);
    }
    close_to(sim_law_inverse(&weibull, e), gsl_cdf_weibull_Pinv(p, 2, 1.7), 1e-13);
    close_to(sim_law_inverse(&lognormal, e), gsl_cdf_lognormal_Pinv(p, mu, sigma), 1e-13);
    close_to(sim_law_inverse(&uniform, e), gsl_cdf_flat_Pinv(p, 2, 5), 1e-14);
  }
  struct sim_law gamma = make("gamma", "mean", 3.0, "shape", 2.0, NULL);
  for (double e = 2; e < 600; e += 13) {
    close_to(sim_law_inverse(&gamma, e), gsl_cdf_gamma_Qinv(exp(-e), 2, 1.5), 1e-9);
    close_to(sim_law_inverse(&lognormal, e), gsl_cdf_lognormal_Qinv(exp(-e), mu, sigma), 1e-12);
  }
  sim_law_free(&gamma);
}

Test(law, normal_tails) { /* H of the standard normal law at z, 40 digits (mpmath) */
  static const double ref[][2] = {
      {-30, 4.9067139271481871e-198}, {-8, 6.2209605742717861e-16}, {-1, 0.17275377902344989}, {0, 0.69314718055994531},
      {3, 6.6077262215103495},        {36, 652.5032275937984},      {60, 1805.0135606805671}};
  struct sim_law law = {.kind = SIM_LAW_LOGNORMAL, .a = 0, .b = 1};
  for (size_t i = 0; i < sizeof ref / sizeof *ref; i++) {
    close_to(sim_law_hazard(&law, exp(ref[i][0])), ref[i][1], 1e-12);
    close_to(log(sim_law_inverse(&law, ref[i][1])) + 100, ref[i][0] + 100, 1e-14);
  }
}

Test(law, ends) {
  struct sim_law laws[] = {make("exponential", "mean", 3.0, NULL), make("gamma", "mean", 3.0, "cv", 0.7, NULL),
                           make("lognormal", "mean", 3.0, "cv", 0.7, NULL),
                           make("weibull", "mean", 3.0, "shape", 2.0, NULL)};
  for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
    cr_assert_eq(sim_law_inverse(&laws[i], 0), 0);
    cr_assert_eq(sim_law_inverse(&laws[i], INFINITY), INFINITY);
    cr_assert(sim_law_has_density(&laws[i]));
    cr_assert_eq(sim_law_is_memoryless(&laws[i]), i == 0);
    sim_law_free(&laws[i]);
  }
  struct sim_law uniform = make("uniform", "from", 2.0, "to", 5.0, NULL);
  cr_assert_eq(sim_law_inverse(&uniform, 0), 2);
  cr_assert_eq(sim_law_inverse(&uniform, INFINITY), 5);
  cr_assert_eq(sim_law_hazard(&uniform, 1.9), 0);
  cr_assert_eq(sim_law_hazard(&uniform, 5), INFINITY);
  struct sim_law fixed = make("fixed", "value", 4.0, NULL);
  cr_assert_eq(sim_law_inverse(&fixed, 0), 4);
  cr_assert_eq(sim_law_inverse(&fixed, 99), 4);
  cr_assert_eq(sim_law_hazard(&fixed, 3.999), 0);
  cr_assert_eq(sim_law_hazard(&fixed, 4), INFINITY);
  cr_assert_not(sim_law_has_density(&fixed));
}

Test(law, shape_one_is_exponential) {
  struct sim_law laws[] = {
      make("gamma", "mean", 3.0, "shape", 1.0, NULL),    make("gamma", "mean", 3.0, "cv", 1.0, NULL),
      make("erlang", "mean", 3.0, "stages", 1.0, NULL),  make("weibull", "mean", 3.0, "shape", 1.0, NULL),
      make("weibull", "scale", 3.0, "shape", 1.0, NULL), make("exponential", "rate", 1.0 / 3, NULL)};
  for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
    cr_assert(sim_law_is_memoryless(&laws[i]));
    cr_assert_eq(sim_law_inverse(&laws[i], 0.7), 3 * 0.7);
  }
}

/* ---- draws ---- */

static double draw(const struct sim_law *law, uint32_t i) {
  struct sim_rng rng;
  sim_rng_init(&rng, 20270101, 0, 0);
  return sim_law_inverse(law, sim_rng_exponential(&rng, sim_purpose("law"), i, 0, 0));
}

static int ascending(const void *a, const void *b) {
  const double *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

/* Kolmogorov's statistic sqrt(n) D of DRAWS draws against a distribution function with two parameters. */
static double kolmogorov(const struct sim_law *law, double (*cdf)(double x, double a, double b), double a, double b) {
  double *x = malloc(DRAWS * sizeof *x), worst = 0;
  for (uint32_t i = 0; i < DRAWS; i++) x[i] = draw(law, i);
  qsort(x, DRAWS, sizeof *x, ascending);
  for (uint32_t i = 0; i < DRAWS; i++) {
    double f = cdf(x[i], a, b);
    worst = fmax(worst, fmax(f - (double)i / DRAWS, (double)(i + 1) / DRAWS - f));
  }
  free(x);
  return worst * sqrt(DRAWS);
}

#define KOLMOGOROV_BOUND 2.23 /* exceeded by one true law in 10^4: 2 exp(-2 * 2.23^2) */

static double exponential_cdf(double x, double mean, double unused) {
  (void)unused;
  return gsl_cdf_exponential_P(x, mean);
}

Test(law, draws_follow_their_law) {
  const struct {
    struct sim_law law;
    double (*cdf)(double x, double a, double b);
    double a, b, off; /* off: a second first parameter, for a law that must be found wrong */
    double mean, sd;
  } cases[] = {
      {make("exponential", "mean", 3.0, NULL), exponential_cdf, 3, 0, 3.3, 3, 3},
      {make("gamma", "mean", 3.0, "cv", 0.5, NULL), gsl_cdf_gamma_P, 4, 0.75, 4.4, 3, 1.5},
      {make("gamma", "mean", 3.0, "shape", 0.2, NULL), gsl_cdf_gamma_P, 0.2, 15, 0.22, 3, 3 / sqrt(0.2)},
      {make("gamma", "mean", 3.0, "shape", 0.02, NULL), gsl_cdf_gamma_P, 0.02, 150, 0.022, 3, 3 / sqrt(0.02)},
      {make("erlang", "mean", 3.0, "stages", 3.0, NULL), gsl_cdf_gamma_P, 3, 1, 3.3, 3, sqrt(3)},
      {make("weibull", "scale", 2.0, "shape", 1.5, NULL), gsl_cdf_weibull_P, 2, 1.5, 2.2, 2 * tgamma(1 + 1 / 1.5),
       2 * sqrt(tgamma(1 + 2 / 1.5) - pow(tgamma(1 + 1 / 1.5), 2))},
      {make("lognormal", "median", 3.0, "p95", 10.0, NULL), gsl_cdf_lognormal_P, log(3),
       log(10 / 3.0) / 1.6448536269514722, log(3.3), 3 * exp(pow(log(10 / 3.0) / 1.6448536269514722, 2) / 2),
       3 * exp(pow(log(10 / 3.0) / 1.6448536269514722, 2) / 2) *
           sqrt(expm1(pow(log(10 / 3.0) / 1.6448536269514722, 2)))},
      {make("lognormal", "mean", 3.0, "cv", 0.5, NULL), gsl_cdf_lognormal_P, log(3) - log1p(0.25) / 2,
       sqrt(log1p(0.25)), log(3.3) - log1p(0.25) / 2, 3, 1.5},
      {make("uniform", "from", 2.0, "to", 5.0, NULL), gsl_cdf_flat_P, 2, 5, 2.2, 3.5, 3 / sqrt(12)},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct sim_law law = cases[i].law;
    double good = kolmogorov(&law, cases[i].cdf, cases[i].a, cases[i].b);
    double bad = kolmogorov(&law, cases[i].cdf, cases[i].off, cases[i].b);
    cr_assert_lt(good, KOLMOGOROV_BOUND, "case %zu: %g", i, good);
    cr_assert_gt(bad, KOLMOGOROV_BOUND, "case %zu: off by a tenth gives %g", i, bad);
    double sum = 0;
    for (uint32_t k = 0; k < DRAWS; k++) sum += draw(&law, k);
    cr_assert(fabs(law.mean / cases[i].mean - 1) < 1e-12, "case %zu: mean %.17g", i, law.mean);
    cr_assert_lt(fabs(sum / DRAWS - law.mean), 4.5 * cases[i].sd / sqrt(DRAWS), "case %zu: mean %g", i, sum / DRAWS);
    sim_law_free(&law);
  }
}

/* ---- empirical ---- */

static struct sim_law from_text(const char *text) {
  char path[32];
  write_file(path, text, strlen(text));
  struct sim_law law = make("empirical", "file", path, NULL);
  unlink(path);
  return law;
}

Test(law, empirical_draws_what_was_observed) {
  struct sim_law law = from_text("days,count\r\n4,1\n1,2\n\n 2 , 5 \n4,2\n9,0\n");
  cr_assert_eq(law.table_size, 6);
  cr_assert_float_eq(law.mean, 2.4, 1e-15);
  static const double expected[][2] = {{1, 0.2}, {2, 0.5}, {4, 0.3}};
  unsigned count[3] = {0};
  for (uint32_t i = 0; i < DRAWS; i++) {
    double x = draw(&law, i);
    int k = x == 1 ? 0 : x == 2 ? 1 : 2;
    cr_assert_eq(x, expected[k][0]);
    count[k]++;
  }
  for (int k = 0; k < 3; k++) {
    double p = expected[k][1];
    cr_assert_lt(fabs(count[k] / (double)DRAWS - p), 4.5 * sqrt(p * (1 - p) / DRAWS));
  }
  cr_assert_eq(sim_law_hazard(&law, 0.9), 0);
  cr_assert_float_eq(sim_law_hazard(&law, 1), -log(0.8), 1e-15);
  cr_assert_float_eq(sim_law_hazard(&law, 3.9), -log(0.3), 1e-15);
  cr_assert_eq(sim_law_hazard(&law, 4), INFINITY);
  cr_assert_eq(sim_law_inverse(&law, 0), 1);
  cr_assert_eq(sim_law_inverse(&law, INFINITY), 4);
  cr_assert_not(sim_law_has_density(&law));
  sim_law_free(&law);
}

Test(law, empirical_ignores_the_order_of_lines) {
  struct sim_law a = from_text("0.1,0.1\n0.2,0.7\n0.1,0.3\n"), b = from_text("0.1,0.3\n0.1,0.1\n0.2,0.7");
  cr_assert_eq(a.table_size, 4);
  cr_assert_arr_eq(a.table, b.table, 4 * sizeof(double));
  sim_law_free(&a);
  sim_law_free(&b);
  struct sim_law plain = from_text("7\n");
  cr_assert_eq(sim_law_inverse(&plain, 2.5), 7);
  sim_law_free(&plain);
}

/* ---- what users get wrong ---- */

static void refused(const char *expected, const struct sim_value *value) {
  struct sim_diag d = {0};
  struct sim_law law;
  cr_assert_eq(sim_law_init(&law, value, &d), SIM_ERR_INPUT, "%s", expected);
  cr_assert_eq(d.n, 1, "one message");
  cr_assert(strstr(d.items[0].text, expected), "\"%s\" in \"%s\"", expected, d.items[0].text);
  cr_assert_str_eq(d.items[0].path, "x.y");
  cr_assert_str_eq(d.items[0].file, "s.yaml");
  cr_assert_eq(d.items[0].line, 4);
  cr_assert_null(law.table);
  sim_law_free(&law);
  sim_diag_free(&d);
}

Test(law, impossible_parameters) {
  struct call c;
  refused("exponential needs `mean` or `rate`", bind(&c, "exponential", NULL));
  refused("not both", bind(&c, "exponential", "mean", 1.0, "rate", 1.0, NULL));
  refused("`rate` must be above 0", bind(&c, "exponential", "rate", 0.0, NULL));
  refused("`mean` must be above 0, not -1", bind(&c, "exponential", "mean", -1.0, NULL));
  refused("`mean` must be above 0", bind(&c, "exponential", "mean", NAN, NULL));
  refused("`mean` must be above 0", bind(&c, "exponential", "mean", INFINITY, NULL));
  refused("beyond the range", bind(&c, "exponential", "rate", 1e-320, NULL));
  refused("gamma needs `cv` or `shape`", bind(&c, "gamma", "mean", 1.0, NULL));
  refused("gamma takes `cv` or `shape`, not both", bind(&c, "gamma", "mean", 1.0, "cv", 1.0, "shape", 1.0, NULL));
  refused("`cv` must be above 0", bind(&c, "gamma", "mean", 1.0, "cv", 0.0, NULL));
  refused("`mean` is missing", bind(&c, "gamma", "cv", 0.5, NULL));
  refused("shape must be from 0.01 to 1000", bind(&c, "gamma", "mean", 1.0, "cv", 0.001, NULL));
  refused("shape must be from 0.01 to 1000", bind(&c, "gamma", "mean", 1.0, "shape", 0.009, NULL));
  refused("`stages` must be a whole number", bind(&c, "erlang", "mean", 1.0, "stages", 1.5, NULL));
  refused("`stages` must be a whole number", bind(&c, "erlang", "mean", 1.0, "stages", 0.5, NULL));
  refused("`stages` must be above 0", bind(&c, "erlang", "mean", 1.0, "stages", -1.0, NULL));
  refused("`stages` is missing", bind(&c, "erlang", "mean", 1.0, NULL));
  refused("`median` and `p95`, or", bind(&c, "lognormal", NULL));
  refused("not a mixture", bind(&c, "lognormal", "median", 1.0, "cv", 0.5, NULL));
  refused("`p95` is missing", bind(&c, "lognormal", "median", 1.0, NULL));
  refused("`median` is missing", bind(&c, "lognormal", "p95", 1.0, NULL));
  refused("`cv` is missing", bind(&c, "lognormal", "mean", 1.0, NULL));
  refused("`p95` (3) must be above `median` (3)", bind(&c, "lognormal", "median", 3.0, "p95", 3.0, NULL));
  refused("spread is too small", bind(&c, "lognormal", "mean", 3.0, "cv", 1e-170, NULL));
  refused("beyond the range", bind(&c, "lognormal", "median", 1.0, "p95", 1e300, NULL));
  refused("weibull needs `mean` or `scale`", bind(&c, "weibull", "shape", 2.0, NULL));
  refused("not both", bind(&c, "weibull", "mean", 1.0, "scale", 1.0, "shape", 2.0, NULL));
  refused("`shape` is missing", bind(&c, "weibull", "mean", 1.0, NULL));
  refused("`shape` must be above 0", bind(&c, "weibull", "mean", 1.0, "shape", 0.0, NULL));
  refused("beyond the range", bind(&c, "weibull", "mean", 1.0, "shape", 1e-5, NULL));
  refused("beyond the range", bind(&c, "weibull", "scale", 1.0, "shape", 1e-5, NULL));
  refused("`from` is missing", bind(&c, "uniform", "to", 2.0, NULL));
  refused("`to` is missing", bind(&c, "uniform", "from", 2.0, NULL));
  refused("`to` (2) must be above `from` (2)", bind(&c, "uniform", "from", 2.0, "to", 2.0, NULL));
  refused("`from` must be 0 or more", bind(&c, "uniform", "from", -1.0, "to", 2.0, NULL));
  refused("`value` is missing", bind(&c, "fixed", NULL));
  refused("0 or more", bind(&c, "fixed", "value", -1.0, NULL));
  refused("0 or more", bind(&c, "fixed", "value", NAN, NULL));
  refused("`file` is missing", bind(&c, "empirical", NULL));
  refused("cannot read /nonexistent/x.csv: No such file", bind(&c, "empirical", "file", "/nonexistent/x.csv", NULL));
  refused("cannot read /tmp: Is a directory", bind(&c, "empirical", "file", "/tmp", NULL));
}

Test(law, unusable_files) {
  static const struct {
    const char *text, *expected;
  } files[] = {{"", "holds no value"},           {"days\n", "holds no value"},
               {"1,0\n2,0\n", "holds no value"}, {"1\nx\n", ":2: a number"},
               {"a\nb\n1\n", ":2: a number"},    {"1\n2,3\n", ":2: all lines need"},
               {"1,2\n2\n", ":2: all lines"},    {"1,x\n", ":1: a weight"},
               {"1,2,3\n", ":1: a line holds"},  {"-1\n", ":1: a value must be"},
               {"1,-2\n", ":1: a weight must"},  {"5\n1e999\n", ":2: a value must be"},
               {"1\nnan\n", ":2: a number"},     {"1\n-inf\n", ":2: a number"},
               {"1 2\n", ":1: a line holds"},    {"1,1e308\n2,1e308\n", "holds no value"}};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char path[32];
    struct call c;
    write_file(path, files[i].text, strlen(files[i].text));
    refused(files[i].expected, bind(&c, "empirical", "file", path, NULL));
    unlink(path);
  }
  char path[32];
  struct call c;
  write_file(path, "1\n\0\n2\n", 6);
  refused("is not a text file", bind(&c, "empirical", "file", path, NULL));
  unlink(path);
}

Test(law, a_bare_quantity_is_fixed) {
  struct sim_param plain = {.name = "delay", .kind = SIM_LAW_CALL, .unit = "day"}, open = plain;
  open.flags = SIM_NULLABLE;
  struct sim_value value = {
      .form = SIM_NUMBER, .param = &plain, .number = 2.5, .path = "x.y", .mark = {"s.yaml", 4, 2}};
  struct sim_diag d = {0};
  struct sim_law law;
  cr_assert_eq(sim_law_init(&law, &value, &d), 0);
  cr_assert_eq(law.kind, SIM_LAW_FIXED);
  cr_assert_eq(sim_law_inverse(&law, 0.1), 2.5);
  value.number = INFINITY;
  refused("finite", &value);
  value.param = &open;
  cr_assert_eq(sim_law_init(&law, &value, &d), 0);
  cr_assert_eq(sim_law_inverse(&law, 0.1), INFINITY);
}

/* ---- memory ---- */

struct budget {
  long left, live;
};

static void *limited(void *ctx, void *ptr, size_t size) {
  struct budget *b = ctx;
  if (size == 0) {
    b->live--;
    free(ptr);
    return NULL;
  }
  if (b->left-- <= 0) return NULL;
  b->live += ptr == NULL;
  return realloc(ptr, size);
}

static void sweep(const struct sim_value *value, int least_failures) {
  int failures = 0;
  for (long allowed = 0;; allowed++) {
    struct budget b = {allowed, 0};
    struct sim_law law;
    struct sim_diag d = {0};
    cr_assert_lt(allowed, 100);
    sim_mem_set(limited, &b);
    int ret = sim_law_init(&law, value, &d);
    sim_law_free(&law);
    sim_diag_free(&d);
    sim_mem_set(NULL, NULL);
    cr_assert_eq(b.live, 0, "%s leaks with %ld allocations", value->text, allowed);
    if (ret != SIM_ERR_MEMORY) break;
    failures++;
  }
  cr_assert_geq(failures, least_failures);
}

Test(law, every_failed_allocation_is_reported) {
  struct call c;
  char path[32];
  sweep(bind(&c, "gamma", "mean", 2.0, "cv", 0.5, NULL), 1);
  sweep(bind(&c, "lognormal", "mean", 2.0, "cv", 0.5, NULL), 0);
  sweep(bind(&c, "gamma", "mean", 2.0, NULL), 4); /* the message itself */
  write_file(path, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", 21);
  sweep(bind(&c, "empirical", "file", path, NULL), 4); /* text, samples twice, table */
  unlink(path);
  write_file(path, "1\nx\n", 4);
  sweep(bind(&c, "empirical", "file", path, NULL), 6);
  unlink(path);
}

/* ---- bits ---- */

/* FNV-1a over the bits of the first 10^4 draws. The constants were recorded once; compilers, optimisation, CPU features
 * (GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA) must not change them. */
static uint64_t checksum(struct sim_law law) {
  uint64_t h = UINT64_C(14695981039346656037);
  for (uint32_t i = 0; i < 10000; i++) {
    double x = draw(&law, i);
    unsigned char bytes[sizeof x];
    memcpy(bytes, &x, sizeof x);
    for (size_t k = 0; k < sizeof x; k++) h = (h ^ bytes[k]) * UINT64_C(1099511628211);
  }
  sim_law_free(&law);
  return h;
}

Test(law, bits_do_not_depend_on_the_machine) {
  cr_expect_eq(checksum(make("exponential", "mean", 3.0, NULL)), UINT64_C(0xfa9705a6d24d65d8));
  cr_expect_eq(checksum(make("gamma", "mean", 3.0, "cv", 0.5, NULL)), UINT64_C(0xe39739adf289fcc8));
  cr_expect_eq(checksum(make("gamma", "mean", 3.0, "shape", 0.05, NULL)), UINT64_C(0xbc05606b4ce2d73b));
  cr_expect_eq(checksum(make("erlang", "mean", 3.0, "stages", 30.0, NULL)), UINT64_C(0x0c1bf21cdac750d7));
  cr_expect_eq(checksum(make("lognormal", "median", 3.0, "p95", 10.0, NULL)), UINT64_C(0xedb23fd62019076a));
  cr_expect_eq(checksum(make("weibull", "mean", 3.0, "shape", 1.5, NULL)), UINT64_C(0xe28f25b63072587e));
  cr_expect_eq(checksum(make("uniform", "from", 2.0, "to", 5.0, NULL)), UINT64_C(0x1fa31bab41a42fdc));
  cr_expect_eq(checksum(from_text("1,2\n3,4\n5,1\n")), UINT64_C(0x9eb413e6ed215979));
}
