/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The six scalar forms: what each text means, in canonical units, and how it is written again. */
#include "scenario_reader.h"
#include "sim/scenario/scalar.h"
#include "sim/scenario/units.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#define QUANTITY(u, f)                                                                                                 \
  { .name = "q", .kind = SIM_QUANTITY, .unit = u, .flags = f }
static const struct sim_param duration = QUANTITY("day", 0), rate = QUANTITY("1/day", 0),
                              number = QUANTITY(NULL, SIM_SIGNED), money = QUANTITY("currency/team_day", 0),
                              budget = QUANTITY("currency/day", 0), people = QUANTITY("people", SIM_INTEGER),
                              hours = QUANTITY("h/day", 0), power = QUANTITY("GW", 0),
                              room = QUANTITY("job", SIM_NULLABLE), growth = QUANTITY("GW/day", 0);
static const struct sim_param share = {.name = "q", .kind = SIM_QUANTITY, .unit = "1", .min = 0, .max = 1};
static const struct sim_param positive = {
    .name = "q", .kind = SIM_QUANTITY, .flags = SIM_OPEN_MIN, .min = 0, .max = 10};

static const struct { /* good quantities */
  const struct sim_param *p;
  const char *text;
  double number, low, high; /* NaN: no range */
  const char *written;      /* NULL: as the text */
} good[] = {
    {&duration, "14 days", 14, NAN, NAN, NULL},
    {&duration, "1 day", 1, NAN, NAN, NULL},
    {&duration, "  1   day ", 1, NAN, NAN, "1 day"},
    {&duration, "14days", 14, NAN, NAN, "14 days"},
    {&duration, "2 weeks", 14, NAN, NAN, NULL},
    {&duration, "1 week", 7, NAN, NAN, NULL},
    {&duration, "12 months", 365.25, NAN, NAN, NULL},
    {&duration, "1 month", 365.25 / 12, NAN, NAN, NULL},
    {&duration, "2 years", 730.5, NAN, NAN, NULL},
    {&duration, "1 year", 365.25, NAN, NAN, NULL},
    {&duration, "6 h", 0.25, NAN, NAN, NULL},
    {&duration, "1 hour", 1.0 / 24, NAN, NAN, NULL},
    {&duration, "119.4 h", 119.4 / 24, NAN, NAN, NULL},
    {&duration, "36 hours", 1.5, NAN, NAN, NULL},
    {&duration, "5 min", 5.0 / 1440, NAN, NAN, NULL},
    {&duration, "1440 minutes", 1, NAN, NAN, NULL},
    {&duration, "43200 s", 0.5, NAN, NAN, NULL},
    {&duration, "86400 seconds", 1, NAN, NAN, NULL},
    {&duration, "0 days", 0, NAN, NAN, NULL},
    {&duration, "1e2 days", 100, NAN, NAN, "100 days"},
    {&duration, "1.5E1 days", 15, NAN, NAN, "15 days"},
    {&duration, ".5 days", 0.5, NAN, NAN, "0.5 days"},
    {&duration, "3. days", 3, NAN, NAN, "3 days"},
    {&duration, "+3 days", 3, NAN, NAN, "3 days"},
    {&duration, "2 thousand days", 2000, NAN, NAN, NULL},
    {&duration, "3 days (1..14)", 3, 1, 14, NULL},
    {&duration, "3 days (1 .. 14)", 3, 1, 14, "3 days (1..14)"},
    {&duration, "6 h (3..12)", 0.25, 0.125, 0.5, NULL},
    {&duration, "2 weeks(1..3)", 14, 7, 21, "2 weeks (1..3)"},
    {&duration, "3 days (.5..1e1)", 3, 0.5, 10, "3 days (0.5..10)"},
    {&rate, "0.4/day", 0.4, NAN, NAN, NULL},
    {&rate, "0.4 /day", 0.4, NAN, NAN, "0.4/day"},
    {&rate, "0.4 1/day", 0.4, NAN, NAN, NULL},
    {&rate, "0.4 per day", 0.4, NAN, NAN, "0.4/day"},
    {&rate, "0.4/day per contact", 0.4, NAN, NAN, "0.4/day/contact"},
    {&rate, "0.5/year (0.1..2)", 0.5 / 365.25, 0.1 / 365.25, 2 / 365.25, NULL},
    {&rate, "24/h", 576, NAN, NAN, NULL},
    {&rate, "7/week", 1, NAN, NAN, NULL},
    {&rate, "2 thousand/year", 2000 / 365.25, NAN, NAN, NULL},
    {&share, "30 %", 0.3, NAN, NAN, NULL},
    {&share, "30%", 0.3, NAN, NAN, "30 %"},
    {&share, "0.3", 0.3, NAN, NAN, NULL},
    {&share, "0.3 1", 0.3, NAN, NAN, NULL},
    {&share, "30 % (10..60)", 0.3, 0.1, 0.6, NULL},
    {&share, "100 %", 1, NAN, NAN, NULL},
    {&share, "0 %", 0, NAN, NAN, NULL},
    {&share, "7 %", 0.07, NAN, NAN, NULL},
    {&share, "33.3 % (0..100)", 33.3 / 100, 0, 1, NULL},
    {&number, "2", 2, NAN, NAN, NULL},
    {&number, "-2.5", -2.5, NAN, NAN, NULL},
    {&number, "2 (1.4..3)", 2, 1.4, 3, NULL},
    {&number, "-1 (-2..-0.5)", -1, -2, -0.5, NULL},
    {&number, "40 %", 0.4, NAN, NAN, NULL},
    {&number, "0.1", 0.1, NAN, NAN, NULL},
    {&number, "12345678901234567", 12345678901234567.0, NAN, NAN, "12345678901234568"},
    {&number, "3 million", 3e6, NAN, NAN, NULL},
    {&money, "900 USD/team_day", 900, NAN, NAN, NULL},
    {&money, "0 currency/team_day", 0, NAN, NAN, NULL},
    {&money, "2 thousand USD/team_day", 2000, NAN, NAN, NULL},
    {&money, "900 USD per team_day", 900, NAN, NAN, "900 USD/team_day"},
    {&budget, "3 million USD/year", 3e6 / 365.25, NAN, NAN, NULL},
    {&budget, "10 billion USD/year (1..20)", 1e10 / 365.25, 1e9 / 365.25, 2e10 / 365.25, NULL},
    {&people, "5 people", 5, NAN, NAN, NULL},
    {&people, "1 person", 1, NAN, NAN, NULL},
    {&people, "20000", 20000, NAN, NAN, NULL},
    {&people, "2 million people", 2e6, NAN, NAN, NULL},
    {&people, "2 million", 2e6, NAN, NAN, NULL},
    {&people, "5 (1..9)", 5, 1, 9, NULL},
    {&hours, "10 h/day", 10, NAN, NAN, NULL},
    {&hours, "24 h/day", 24, NAN, NAN, NULL},
    {&hours, "600 min/day", 10, NAN, NAN, NULL},
    {&hours, "40 h/week", 40.0 / 7, NAN, NAN, NULL},
    {&power, "30 GW", 30, NAN, NAN, NULL},
    {&power, "500 MW", 0.5, NAN, NAN, NULL},
    {&growth, "1 GW/week", 1.0 / 7, NAN, NAN, NULL},
    {&room, "unlimited", INFINITY, NAN, NAN, NULL},
    {&room, "3 jobs", 3, NAN, NAN, NULL},
    {&room, "0", 0, NAN, NAN, NULL},
    {&positive, "10", 10, NAN, NAN, NULL},
    {&positive, "1e-9", 1e-9, NAN, NAN, "1e-09"},
};

static const struct { /* texts that are refused, with a piece of the message */
  const struct sim_param *p;
  const char *text, *message;
} refused[] = {
    {&duration, "14", "expected a duration such as `14 days`, found `14`"},
    {&duration, "days", "expected a duration"},
    {&duration, "", "expected a duration"},
    {&duration, "0x10 days", "expected a duration"},
    {&duration, "inf days", "expected a duration"},
    {&duration, "nan days", "expected a duration"},
    {&duration, "1e400 days", "expected a duration"},
    {&duration, "14 days days", "expected a duration"},
    {&duration, "14 day/day", "expected a duration"},
    {&duration, "14 %", "expected a duration"},
    {&duration, "-1 days", "at least 0"},
    {&duration, "3 days (1..)", "expected a duration"},
    {&duration, "3 days (1-14)", "expected a duration"},
    {&duration, "3 days 1..14", "expected a duration"},
    {&duration, "3 days (14..1)", "wrong order"},
    {&duration, "3 fortnights", "expected a duration"},
    {&duration, "unlimited", "expected a duration"},
    {&rate, "2 days", "expected a rate such as `0.5/year`"},
    {&rate, "2", "expected a rate"},
    {&rate, "2//day", "expected a rate"},
    {&share, "101 %", "at most 100 %"},
    {&share, "1.01", "at most 100 %"},
    {&share, "-1 %", "at least 0 %"},
    {&share, "1 day", "expected a share"},
    {&share, "5 % (4..101)", "high end of the range must be at most 100 %"},
    {&money, "900", "expected an amount of money such as `900 USD/team_day`"},
    {&money, "900 USD", "expected an amount of money"},
    {&money, "900 EUR/team_day", "not this scenario's currency"},
    {&money, "900 USD/dose", "expected an amount of money"},
    {&people, "1.5 people", "whole number"},
    {&people, "3 reports", "expected a count such as `5 people`"},
    {&hours, "10", "expected hours a day"},
    {&hours, "10 h", "expected hours a day"},
    {&positive, "0", "more than 0"},
    {&positive, "11", "at most 10"},
    {&number, "2 days", "expected a number such as `2`"},
    {&number, "2,5", "expected a number"},
    {&number, "two", "expected a number"},
};

static bool same(double a, double b) {
  return a == b || (isnan(a) && isnan(b));
}

Test(scenario_scalars, quantities) {
  jmp_buf unwind;
  struct reader r;
  reader_init(&r, &unwind);
  cr_assert(setjmp(unwind) == 0);
  size_t n = sizeof good / sizeof *good, m = sizeof refused / sizeof *refused;
  cr_assert_gt(n + m, 100u);
  for (size_t i = 0; i < n; i++) {
    struct sc_node *node = sc_node_scalar(&r.c, "q", good[i].text, NULL);
    struct sim_value v;
    sc_bind(&r.c, node, good[i].p, "q", &v);
    bool ranged = !isnan(good[i].low);
    cr_expect_eq(v.form, SIM_NUMBER, "%s", good[i].text);
    if (v.form != SIM_NUMBER) continue;
    cr_expect(same(v.number, good[i].number), "%s: %.17g", good[i].text, v.number);
    cr_expect_eq(v.ranged, ranged, "%s", good[i].text);
    cr_expect(!ranged || (same(v.low, good[i].low) && same(v.high, good[i].high)), "%s: %.17g..%.17g", good[i].text,
              v.low, v.high);
    cr_expect_str_eq(v.written, good[i].written ? good[i].written : good[i].text);
    /* What is written reads back to the same bits. */
    struct sim_value again;
    sc_bind(&r.c, sc_node_scalar(&r.c, "q", v.written, NULL), good[i].p, "q", &again);
    cr_expect(again.form == SIM_NUMBER && same(v.number, again.number) && same(v.low, again.low) &&
                  same(v.high, again.high) && strcmp(v.written, again.written) == 0,
              "%s: %s", good[i].text, v.written);
  }
  cr_expect_eq(r.diag.n, 0u);
  for (size_t i = 0; i < m; i++) {
    struct sim_value v;
    size_t before = r.diag.n;
    struct sc_node at = {.doc = &r.doc, .line = (unsigned)i + 1, .column = 1};
    sc_bind(&r.c, sc_node_scalar(&r.c, "q", refused[i].text, &at), refused[i].p, "q", &v);
    cr_expect_eq(v.form, SIM_ABSENT, "%s", refused[i].text);
    cr_expect(r.diag.n == before + 1 && strstr(r.diag.items[before].text, refused[i].message), "%s: %s",
              refused[i].text, r.diag.n > before ? r.diag.items[before].text : "nothing said");
  }
  reader_free(&r);
}

static const struct sim_param law = {.name = "law", .kind = SIM_LAW_CALL, .unit = "day"};
static const struct sim_param moment = {.name = "when", .kind = SIM_MOMENT, .flags = SIM_LIST};
static const struct sim_param predicate = {.name = "first", .kind = SIM_PREDICATE};
static const struct sim_param rule = {.name = "alarm", .kind = SIM_RULE, .unit = "report"};

Test(scenario_scalars, sources) {
  jmp_buf unwind;
  struct reader r;
  reader_init(&r, &unwind);
  cr_assert(setjmp(unwind) == 0);
  struct sim_value v;
  sc_bind(&r.c, sc_node_scalar(&r.c, "q", "14 days (7..20) @elicited", NULL), &duration, "q", &v);
  cr_expect_str_eq(v.source, "elicited");
  cr_expect_str_eq(v.written, "14 days (7..20)");
  sc_bind(&r.c, sc_node_scalar(&r.c, "q", "14 days", NULL), &duration, "q", &v);
  cr_expect_str_eq(v.source, "assumed");
  sc_bind(&r.c, sc_node_scalar(&r.c, "q", "gamma mean 2 days cv 0.5 @fitted", NULL), &law, "q", &v);
  cr_expect_str_eq(v.source, "fitted");
  cr_expect_str_eq(v.items[0].source, "fitted");
  cr_expect_eq(r.diag.n, 0u);
  sc_bind(&r.c, sc_node_scalar(&r.c, "q", "14 days @nobody1999", NULL), &duration, "q", &v);
  cr_expect_eq(r.diag.n, 1u);
  reader_free(&r);
}

Test(scenario_scalars, laws) {
  static const struct {
    const char *text, *name, *written;
  } cases[] = {{"gamma mean 2 days cv 0.5", "gamma", NULL},
               {"gamma cv 0.5 mean 2 days", "gamma", "gamma mean 2 days cv 0.5"},
               {"exponential mean 2.24 days (1.5..4)", "exponential", NULL},
               {"exponential 5 days", "exponential", "exponential mean 5 days"},
               {"exponential rate 0.2/day", "exponential", NULL},
               {"lognormal median 3 days p95 10 days", "lognormal", NULL},
               {"weibull scale 2 days shape 1.5", "weibull", NULL},
               {"uniform from 1 day to 3 days", "uniform", NULL},
               {"erlang mean 6 h stages 3", "erlang", NULL},
               {"fixed 5 days", "fixed", "fixed value 5 days"}};
  jmp_buf unwind;
  struct reader r;
  reader_init(&r, &unwind);
  cr_assert(setjmp(unwind) == 0);
  struct sim_value v;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sc_bind(&r.c, sc_node_scalar(&r.c, "q", cases[i].text, NULL), &law, "q", &v);
    cr_assert_eq(v.form, SIM_CALLED, "%s", cases[i].text);
    cr_expect_str_eq(v.text, cases[i].name);
    cr_expect_str_eq(v.written, cases[i].written ? cases[i].written : cases[i].text);
  }
  sc_bind(&r.c, sc_node_scalar(&r.c, "q", "5 days", NULL), &law, "q", &v);
  cr_expect(v.form == SIM_NUMBER && v.number == 5); /* a bare duration is fixed, never silently exponential */
  sc_bind(&r.c, reader_parse(&r, "{call: gamma, mean: {value: 2 days, range: 1..4 days}, cv: 0.5, note: why}"), &law,
          "q", &v);
  cr_expect_str_eq(v.written, "gamma mean 2 days (1..4) cv 0.5");
  sc_bind(&r.c, reader_parse(&r, "{value: 48 h, range: 1..4 days, source: elicited}"), &law, "q", &v);
  cr_expect(v.form == SIM_NUMBER && v.number == 2 && v.low == 1 && v.high == 4);
  cr_expect_str_eq(v.source, "elicited");
  cr_expect_eq(r.diag.n, 0u, "%s", r.diag.n ? r.diag.items[0].text : "");
  reader_free(&r);
}

Test(scenario_scalars, moments_conditions_rules) {
  static const struct {
    const struct sim_param *p;
    const char *text;
    enum sim_form form;
    double number;
    const char *written;
  } cases[] = {{&moment, "day 30", SIM_AT, 30, NULL},
               {&moment, "day 0.5", SIM_AT, 0.5, NULL},
               {&moment, "2027-03-01", SIM_AT, 59, NULL},
               {&moment, "2027-03-01T12:00", SIM_AT, 59.5, NULL},
               {&moment, "2027-03-01 06:00:00", SIM_AT, 59.25, NULL},
               {&moment, "2028-02-29", SIM_AT, 424, NULL},
               {&moment, "clinics.alarm", SIM_AT, 0, NULL},
               {&moment, "clinics.alarm + 3 days", SIM_AT, 3, NULL},
               {&moment, "clinics.alarm+12 h", SIM_AT, 0.5, "clinics.alarm + 12 h"},
               {&moment, "actual outbreak.ill > 1 %", SIM_ACTUAL, 0, NULL},
               {&moment, "actual outbreak.ill >= 10 + 2 days", SIM_ACTUAL, 2, NULL},
               {&predicate, "outbreak.ill > 1 %", SIM_TEST, 0.01, NULL},
               {&predicate, "power.down=0", SIM_TEST, 0, "power.down = 0"},
               {&predicate, "power.unserved <= 2 thousand customers", SIM_TEST, 2000, NULL},
               {&predicate, "crews.queue < 5", SIM_TEST, 5, NULL},
               {&rule, "5 reports in 7 days", SIM_COUNTING, 5, NULL},
               {&rule, "1 report in 21 days", SIM_COUNTING, 1, NULL},
               {&rule, "1 reports in 2 weeks", SIM_COUNTING, 1, "1 report in 2 weeks"}};
  static const struct {
    const struct sim_param *p;
    const char *text;
  } wrong[] = {{&moment, "30"},
               {&moment, "30 days"},
               {&moment, "day"},
               {&moment, "day x"},
               {&moment, "2027-13-01"},
               {&moment, "2027-02-29"},
               {&moment, "2026-12-31"},
               {&moment, "2027-01-01T25:00"},
               {&moment, "alarm"},
               {&moment, "a.b.c"},
               {&moment, "a.b - 3 days"},
               {&moment, "a.b + 3"},
               {&moment, "actual a.b"},
               {&predicate, "a.b > "},
               {&predicate, "a > 1"},
               {&predicate, "a.b ! 1"},
               {&predicate, "a.b > 101 %"},
               {&predicate, "a.b > -1"},
               {&predicate, "a.b > 1 day"},
               {&rule, "5 in 7 days"},
               {&rule, "reports in 7 days"},
               {&rule, "5 reports"},
               {&rule, "5.5 reports in 7 days"},
               {&rule, "5 reports in 0 days"}};
  jmp_buf unwind;
  struct reader r;
  reader_init(&r, &unwind);
  cr_assert(setjmp(unwind) == 0);
  r.c.dated = sc_date("2027-01-01", 10, &r.c.start);
  cr_assert(r.c.dated && r.c.start == 20819);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct sim_value v;
    sc_bind(&r.c, sc_node_scalar(&r.c, "q", cases[i].text, NULL), cases[i].p, "q", &v);
    cr_expect_eq(v.form, cases[i].form, "%s", cases[i].text);
    cr_expect_eq(v.number, cases[i].number, "%s: %g", cases[i].text, v.number);
    cr_expect_str_eq(v.written ? v.written : "", cases[i].written ? cases[i].written : cases[i].text);
  }
  cr_expect_eq(r.diag.n, 0u);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct sim_value v;
    size_t before = r.c.errors;
    sc_bind(&r.c, sc_node_scalar(&r.c, "q", wrong[i].text, NULL), wrong[i].p, "q", &v);
    cr_expect_gt(r.c.errors, before, "%s", wrong[i].text);
  }
  reader_free(&r);
}

Test(scenario_scalars, units) {
  jmp_buf unwind;
  struct reader r;
  reader_init(&r, &unwind);
  cr_assert(setjmp(unwind) == 0);
  struct sc_unit a, b;
  static const struct {
    const char *a, *b;
    bool same;
  } cases[] = {{"day", "weeks", true},
               {"1/day", "/year", true},
               {"day", "1/day", false},
               {"people", "person", true},
               {"report", "reports", true},
               {"report", "dose", false},
               {"h/day", "1", true},
               {"currency", "USD", true},
               {"currency/team_day", "USD/team_day", true},
               {"currency/day", "USD/year", true},
               {"currency/day", "USD", false},
               {"GW", "MW", true},
               {"body", "bodies", true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_assert(!sc_unit_parse(&r.c, cases[i].a, strlen(cases[i].a), &a), "%s", cases[i].a);
    cr_assert(!sc_unit_parse(&r.c, cases[i].b, strlen(cases[i].b), &b), "%s", cases[i].b);
    cr_expect_eq(sc_unit_same(&a, &b), cases[i].same, "%s %s", cases[i].a, cases[i].b);
  }
  cr_expect(sc_unit_parse(&r.c, "EUR", 3, &a) != NULL);
  cr_expect(sc_unit_parse(&r.c, "day/", 4, &a) != NULL);
  cr_expect(sc_unit_parse(&r.c, "2days", 5, &a) != NULL);
  r.c.currency = "EUR";
  cr_expect(sc_unit_parse(&r.c, "EUR", 3, &a) == NULL);
  cr_expect(sc_unit_parse(&r.c, "USD", 3, &a) != NULL);
  cr_expect_str_eq(sc_unit_expects(&r.c, "currency/dose"), "an amount of money such as `900 EUR/dose`");
  reader_free(&r);
}
