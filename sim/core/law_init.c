/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Laws as scenarios write them: the tables of names and parameters, and the checks that make a struct sim_law of them.
 */
#include "sim/core/dmath.h"
#include "sim/core/law.h"
#include "sim/core/law_file.h"
#include "sim/core/law_gamma.h"
#include <math.h>
#include <string.h>

/* The unit "@" is that of the parameter which holds the law: a law of a duration has a mean in days. "1/@" is its
 * inverse. Scaling the variable of a law scales its "@" and divides its "1/@". */
#define POSITIVE SIM_OPEN_MIN
#define AMOUNT(key, more, text)                                                                                        \
  { .name = (key), .kind = SIM_QUANTITY, .flags = POSITIVE | (more), .unit = "@", .doc = (text) }
#define CV                                                                                                             \
  {                                                                                                                    \
    .name = "cv", .kind = SIM_QUANTITY, .flags = POSITIVE, .unit = "1",                                                \
    .doc = "Coefficient of variation: standard deviation over mean."                                                   \
  }

static const struct sim_param fixed_params[] = {{.name = "value",
                                                 .kind = SIM_QUANTITY,
                                                 .flags = SIM_REQUIRED | SIM_FIRST,
                                                 .unit = "@",
                                                 .doc = "The amount; a bare quantity means the same."},
                                                {0}};
static const struct sim_param exponential_params[] = {
    AMOUNT("mean", SIM_FIRST, "Mean; or give the rate."),
    {.name = "rate", .kind = SIM_QUANTITY, .flags = POSITIVE, .unit = "1/@", .doc = "Rate, 1 / mean."},
    {0}};
static const struct sim_param gamma_params[] = {AMOUNT("mean", SIM_FIRST | SIM_REQUIRED, "Mean."),
                                                CV,
                                                {.name = "shape",
                                                 .kind = SIM_QUANTITY,
                                                 .min = SIM_GAMMA_MIN_SHAPE,
                                                 .max = SIM_GAMMA_MAX_SHAPE,
                                                 .doc = "Shape, 1 / cv^2, from 0.01 to 1000; or give the cv."},
                                                {0}};
static const struct sim_param erlang_params[] = {
    AMOUNT("mean", SIM_FIRST | SIM_REQUIRED, "Mean of the sum of all stages."),
    {.name = "stages",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_INTEGER | SIM_NO_RANGE,
     .min = 1,
     .max = SIM_GAMMA_MAX_SHAPE,
     .doc = "Number of exponential stages, from 1 to 1000."},
    {0}};
static const struct sim_param lognormal_params[] = {
    AMOUNT("median", SIM_FIRST, "Median, with p95; or give mean and cv."),
    AMOUNT("p95", 0, "Quantile of 95 %, above the median."),
    AMOUNT("mean", 0, "Mean, with cv."),
    CV,
    {0}};
static const struct sim_param weibull_params[] = {
    AMOUNT("mean", SIM_FIRST, "Mean; or give the scale."),
    AMOUNT("scale", 0, "Scale: the quantile of 63.2 %."),
    {.name = "shape",
     .kind = SIM_QUANTITY,
     .flags = POSITIVE | SIM_REQUIRED,
     .doc = "Shape: below 1 the hazard falls with age, above 1 it rises."},
    {0}};
static const struct sim_param uniform_params[] = {
    {.name = "from", .kind = SIM_QUANTITY, .flags = SIM_FIRST | SIM_REQUIRED, .unit = "@", .doc = "Lower end."},
    AMOUNT("to", SIM_REQUIRED, "Upper end, above the lower one."),
    {0}};
static const struct sim_param empirical_params[] = {
    {.name = "file",
     .kind = SIM_FILE,
     .flags = SIM_FIRST | SIM_REQUIRED,
     .doc =
         "CSV file: a column of values, or of value,weight; a header line is allowed. Values are in the canonical unit "
         "(durations in days)."},
    {0}};

const struct sim_call sim_laws[] = {
    {"fixed", fixed_params, "Always the same amount."},
    {"exponential", exponential_params,
     "Memoryless law: the hazard does not depend on age (Johnson, Kotz & Balakrishnan 1994, chapter 19)."},
    {"gamma", gamma_params, "Gamma law by mean and cv or shape (Johnson, Kotz & Balakrishnan 1994, chapter 17)."},
    {"erlang", erlang_params, "Sum of equal exponential stages: gamma with an integer shape (Erlang 1917)."},
    {"lognormal", lognormal_params,
     "Normal law of the logarithm, by median and p95 or mean and cv (Johnson, Kotz & Balakrishnan 1994, chapter 14)."},
    {"weibull", weibull_params, "Power law of the cumulative hazard (Weibull 1951)."},
    {"uniform", uniform_params, "All amounts between two ends alike."},
    {"empirical", empirical_params, "Values drawn from a file, each as observed (Efron 1979)."},
    {0}};

/* One law being built: the value, and the first problem reported for it. */
struct build {
  struct sim_law *law;
  const struct sim_value *value;
  struct sim_diag *diag;
};

#define refuse(b, ...) sim_diag_add((b)->diag, &(b)->value->mark, (b)->value->path, __VA_ARGS__)

static bool has(const struct build *b, const char *name) {
  return sim_value_has(b->value, name);
}

/* A parameter that must be given, positive and finite. */
static int positive(const struct build *b, const char *name, double *number) {
  if (!has(b, name)) return refuse(b, "%s: `%s` is missing", b->value->text, name);
  *number = sim_value_number(b->value, name);
  if (isfinite(*number) && *number > 0) return 0;
  return refuse(b, "%s: `%s` must be above 0, not %g", b->value->text, name, *number);
}

/* Exactly one of two alternatives; *second tells which. */
static int one_of(const struct build *b, const char *first, const char *other, bool *second) {
  *second = has(b, other);
  if (has(b, first) != *second) return 0;
  return refuse(b, *second ? "%s takes `%s` or `%s`, not both" : "%s needs `%s` or `%s`", b->value->text, first, other);
}

/* Overflow and underflow of what was computed from legal numbers. */
static int usable(const struct build *b) {
  const struct sim_law *law = b->law;
  if (isfinite(law->mean) && law->mean > 0 && isfinite(law->a) && isfinite(law->b)) return 0;
  return refuse(b, "%s: these parameters give amounts beyond the range of numbers", b->value->text);
}

static int build_fixed(struct build *b, const struct sim_value *amount) {
  double number = amount->number;
  bool unlimited = amount->param && amount->param->flags & SIM_NULLABLE;
  if (!(number >= 0) || (isinf(number) && !unlimited))
    return refuse(b, "an amount of a law must be 0 or more and finite, not %g", number);
  sim_law_init_fixed(b->law, number);
  return 0;
}

static int build_fixed_call(struct build *b) {
  if (!has(b, "value")) return refuse(b, "fixed: `value` is missing");
  return build_fixed(b, sim_value_get(b->value, "value"));
}

static int build_exponential(struct build *b) {
  bool by_rate;
  double number;
  int ret = one_of(b, "mean", "rate", &by_rate);
  if (ret == 0) ret = positive(b, by_rate ? "rate" : "mean", &number);
  if (ret != 0) return ret;
  sim_law_init_exponential(b->law, by_rate ? 1 / number : number);
  return usable(b);
}

/* Gamma with shape 1 is exponential, exactly. */
static int build_shaped(struct build *b, double mean, double shape) {
  if (shape == 1) {
    sim_law_init_exponential(b->law, mean);
    return 0;
  }
  *b->law = (struct sim_law){.kind = SIM_LAW_GAMMA, .a = shape, .b = mean / shape, .mean = mean};
  int ret = usable(b);
  return ret != 0 ? ret : sim_gamma_table(shape, &b->law->table, &b->law->table_size);
}

static int build_gamma(struct build *b) {
  bool by_shape;
  double mean = 0, number;
  int ret = one_of(b, "cv", "shape", &by_shape);
  if (ret == 0) ret = positive(b, "mean", &mean);
  if (ret == 0) ret = positive(b, by_shape ? "shape" : "cv", &number);
  if (ret != 0) return ret;
  double shape = by_shape ? number : 1 / (number * number);
  /* cv 10 means shape 0.01, whichever way 1 / cv^2 rounds. */
  if (!(shape >= SIM_GAMMA_MIN_SHAPE * (1 - 1e-12) && shape <= SIM_GAMMA_MAX_SHAPE * (1 + 1e-12)))
    return refuse(b, "gamma: the shape must be from %g to %g (cv from 3.2 %% to 1000 %%), not %g", SIM_GAMMA_MIN_SHAPE,
                  SIM_GAMMA_MAX_SHAPE, shape);
  return build_shaped(b, mean, shape);
}

static int build_erlang(struct build *b) {
  double mean = 0, stages;
  int ret = positive(b, "mean", &mean);
  if (ret == 0) ret = positive(b, "stages", &stages);
  if (ret != 0) return ret;
  if (stages < 1 || stages > SIM_GAMMA_MAX_SHAPE || stages != floor(stages))
    return refuse(b, "erlang: `stages` must be a whole number from 1 to %g, not %g", SIM_GAMMA_MAX_SHAPE, stages);
  return build_shaped(b, mean, stages);
}

static int build_lognormal(struct build *b) {
  bool by_mean;
  double mu, sigma, middle, spread;
  bool any_quantile = has(b, "median") || has(b, "p95"), any_moment = has(b, "mean") || has(b, "cv");
  if (any_quantile == any_moment)
    return refuse(b, "lognormal takes `median` and `p95`, or `mean` and `cv`%s", any_moment ? ", not a mixture" : "");
  by_mean = any_moment;
  int ret = positive(b, by_mean ? "mean" : "median", &middle);
  if (ret == 0) ret = positive(b, by_mean ? "cv" : "p95", &spread);
  if (ret != 0) return ret;
  if (by_mean) {
    double variance = sim_log1p(spread * spread);
    sigma = sqrt(variance);
    mu = sim_log(middle) - 0.5 * variance;
  } else {
    if (!(spread > middle)) return refuse(b, "lognormal: `p95` (%g) must be above `median` (%g)", spread, middle);
    sigma = (sim_log(spread) - sim_log(middle)) / 1.64485362695147271; /* normal quantile of 0.95 */
    mu = sim_log(middle);
  }
  double mean = by_mean ? middle : sim_exp(mu + 0.5 * sigma * sigma);
  *b->law = (struct sim_law){.kind = SIM_LAW_LOGNORMAL, .a = mu, .b = sigma, .mean = mean};
  if (!(sigma > 0)) return refuse(b, "lognormal: the spread is too small to be told from a fixed amount");
  return usable(b);
}

static int build_weibull(struct build *b) {
  bool by_scale;
  double number, shape;
  int ret = one_of(b, "mean", "scale", &by_scale);
  if (ret == 0) ret = positive(b, by_scale ? "scale" : "mean", &number);
  if (ret == 0) ret = positive(b, "shape", &shape);
  if (ret != 0) return ret;
  double unit_mean = sim_exp(sim_lgamma(1 + 1 / shape));
  double scale = by_scale ? number : number / unit_mean;
  *b->law = (struct sim_law){.kind = SIM_LAW_WEIBULL, .a = shape, .b = scale, .mean = scale * unit_mean};
  if (shape == 1) sim_law_init_exponential(b->law, number);
  return usable(b);
}

static int build_uniform(struct build *b) {
  double to;
  if (!has(b, "from")) return refuse(b, "uniform: `from` is missing");
  double from = sim_value_number(b->value, "from");
  if (!(from >= 0) || isinf(from)) return refuse(b, "uniform: `from` must be 0 or more, not %g", from);
  int ret = positive(b, "to", &to);
  if (ret != 0) return ret;
  if (!(to > from)) return refuse(b, "uniform: `to` (%g) must be above `from` (%g)", to, from);
  *b->law = (struct sim_law){.kind = SIM_LAW_UNIFORM, .a = from, .b = to, .mean = from + 0.5 * (to - from)};
  return 0;
}

static int build_empirical(struct build *b) {
  if (!has(b, "file")) return refuse(b, "empirical: `file` is missing");
  b->law->kind = SIM_LAW_EMPIRICAL;
  return sim_law_read(b->law, sim_value_text(b->value, "file"), b->value, b->diag);
}

static int build_call(struct build *b) {
  static const struct {
    const char *name;
    int (*build)(struct build *b);
  } calls[] = {{"fixed", build_fixed_call}, {"exponential", build_exponential}, {"gamma", build_gamma},
               {"erlang", build_erlang},    {"lognormal", build_lognormal},     {"weibull", build_weibull},
               {"uniform", build_uniform},  {"empirical", build_empirical}};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    if (strcmp(calls[i].name, b->value->text) == 0) return calls[i].build(b);
  sim_bug("a name of sim_laws", __FILE__, __LINE__);
}

int sim_law_init(struct sim_law *law, const struct sim_value *value, struct sim_diag *diag) {
  *law = (struct sim_law){0};
  struct build b = {law, value, diag};
  sim_bug_assert(value->form == SIM_NUMBER || value->form == SIM_CALLED);
  int ret = value->form == SIM_NUMBER ? build_fixed(&b, value) : build_call(&b);
  if (ret != 0) sim_law_free(law);
  return ret;
}
