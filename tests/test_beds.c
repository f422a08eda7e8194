/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Beds of hospitals: who gets one, by hand; the excess over capacity, against queues of theory. */
#include "worlds.h"

#define HEAD "airesim: 1\nquestion: test\nsource: illustrative\n"

/* Nobody infects anybody: people fall ill by incidents, at given times or at random, and stay so for a while. */
#define ILL(horizon, people, society, recovery)                                                                        \
  HEAD "horizon: " horizon "\n"                                                                                        \
       "society:\n  people: " people "\n  groups: {old: 50 %, young: 50 %}\n  layers:\n" society "hazards:\n"          \
       "  flu:\n"                                                                                                      \
       "    like: contagion\n"                                                                                         \
       "    population: people\n"                                                                                      \
       "    states: {well: {}, ill: {functionality: 50 %}}\n"                                                          \
       "    rest: well\n"                                                                                              \
       "    seeded: ill\n"                                                                                             \
       "    transitions: {recover: {from: ill, to: well, after: " recovery "}}\n"

static double value_of(const struct test_world *t, const char *variable, const char *label) {
  return t->row.columns[test_column(t, variable, label)];
}

/* ---- by hand ----------------------------------------------------------------------------------------------------- */

/* Five beds on three nodes are 1, 2 and 2. Ten people fall ill at once, for 20 days. The last node fails on day 2 and
 * works again on day 4; the first one fails on day 6, for good. */
#define TEN(keys)                                                                                                      \
  ILL("40 days", "12", "    clinics: {nodes: 3, beds: 5, admission: 100 %" keys "}\n", "20 days")                      \
  "incidents:\n"                                                                                                       \
  "  cases: {starts: flu, at: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], arrivals: day 0}\n"                                      \
  "  cut: {fails: clinics, at: [2], arrivals: day 2}\n"                                                                \
  "  later: {fails: clinics, at: [0], arrivals: day 6}\n"                                                              \
  "teams: {crew: {size: {day 0: 1, day 5: 0}}}\n"                                                                      \
  "repair: {work: {layer: clinics, team: crew, time: 2 days}}\n"                                                       \
  "measures:\n  declared:\n"                                                                                           \
  "    in_bed: {count: clinics.admitted, at: [day 1, day 3, day 5, day 7, day 21]}\n"                                  \
  "    waits: {count: clinics.waiting, at: [day 1, day 3, day 5, day 7, day 21]}\n"                                    \
  "    beds: {count: clinics.capacity, at: [day 1, day 3, day 5, day 7, day 21]}\n"

static void expect_counts(const struct test_world *t, const char *variable, const double *expected) {
  size_t first = test_column(t, variable, NULL);
  for (unsigned k = 0; k < 5; k++)
    cr_expect_eq(t->row.columns[first + k], expected[k], "%s %u: %g, expected %g", variable, k,
                 t->row.columns[first + k], expected[k]);
}

Test(beds, ten_patients_and_five_beds) {
  struct test_world t;
  test_world_open(&t, TEN(""));
  for (unsigned again = 0; again < 2; again++) {
    test_world_run(&t, 0);
    expect_counts(&t, "beds", (double[]){5, 3, 5, 4, 4});
    expect_counts(&t, "in_bed", (double[]){5, 3, 5, 4, 0});
    expect_counts(&t, "waits", (double[]){5, 7, 5, 6, 0});
    cr_expect_eq(value_of(&t, "peak_occupancy", "clinics"), 5);
    cr_expect_eq(value_of(&t, "peak_excess", "clinics"), 7);
    cr_expect_float_eq(value_of(&t, "excess_person_days", "clinics"), 2 * 5 + 2 * 7 + 2 * 5 + 14 * 6, 1e-9);
    cr_expect_eq(value_of(&t, "admissions", "clinics"), 7);
    cr_expect_eq(value_of(&t, "peak_load", "clinics.people"), 7, "those without a bed are the load of the beds");
  }
  test_world_close(&t);
}

/* With `stay`, a bed is kept for so long and no longer. Persons 3 and 4, who came last, lose theirs on day 2 and have
 * them again on day 4; on day 6 person 4 does. Of day 19, when the stays of 0, 1 and 2 end, are 4, 5 and 6; those who
 * wait are well on day 20. */
Test(beds, a_stay_of_its_own_length) {
  struct test_world t;
  test_world_open(&t, TEN(", stay: 19 days"));
  test_world_run(&t, 0);
  expect_counts(&t, "in_bed", (double[]){5, 3, 5, 4, 4});
  expect_counts(&t, "waits", (double[]){5, 7, 5, 6, 0});
  test_world_close(&t);
}

/* With `serves: people`, everyone goes to the node that serves them: persons 0..3 to the one bed of node 0 and so on,
 * whatever is free elsewhere. */
Test(beds, catchments) {
  struct test_world t;
  test_world_open(&t, TEN(", serves: people"));
  test_world_run(&t, 0);
  expect_counts(&t, "in_bed", (double[]){5, 3, 5, 4, 0});
  expect_counts(&t, "waits", (double[]){5, 7, 5, 6, 0});
  cr_expect_eq(value_of(&t, "admissions", "clinics"), 7);
  test_world_close(&t);
  test_world_open(&t, ILL("9 days", "12", "    clinics: {nodes: 3, beds: 5, admission: 100 %, serves: people}\n",
                          "20 days") "incidents: {cases: {starts: flu, at: [0, 1, 2, 3, 11], arrivals: day 0}}\n");
  test_world_run(&t, 0);
  cr_expect_eq(value_of(&t, "peak_occupancy", "clinics"), 2, "one of four at node 0, one at node 2");
  cr_expect_eq(value_of(&t, "peak_excess", "clinics"), 3);
  test_world_close(&t);
}

/* Those in a bed are persons in a state: what reads states reads them. */
Test(beds, by_group_and_for_couplings) {
  struct test_world t;
  test_world_open(
      &t,
      ILL("9 days", "100", "    clinics: {nodes: 2, beds: 20, admission: {old: 100 %, young: 0 %}}\n",
          "20 days") "incidents: {cases: {starts: flu, seeds: 100 people, arrivals: day 0}}\n"
                     "sensing: {ward: {watches: clinics.admitted, ascertainment: 100 %, report_delay: 0 days, alarm: 1 "
                     "report in 1 day}}\n"
                     "measures:\n  functionality: {people: {clinics: {waiting: 0 %}}}\n"
                     "  declared: {old: {count: clinics.patients, at: [day 1]}}\n");
  test_world_run(&t, 0);
  cr_expect_eq(value_of(&t, "old", NULL), 50);
  cr_expect_eq(value_of(&t, "reports", "ward"), 20);
  cr_expect_float_eq(value_of(&t, "group_robustness", "young"), 0.5, 1e-12);
  cr_expect_float_eq(value_of(&t, "group_robustness", "old"), 0.5 * 20 / 50, 1e-12);
  test_world_close(&t);
}

/* ---- theory ------------------------------------------------------------------------------------------------------ */

enum { RUNS = 40 };

/* Mean over runs of a column, and its standard error. */
static double mean(const char *text, const char *variable, double *se) {
  struct test_world t;
  double sum = 0, squares = 0;
  test_world_open(&t, text);
  for (unsigned r = 0; r < RUNS; r++) {
    test_world_run(&t, r);
    double x = value_of(&t, variable, NULL);
    sum += x;
    squares += x * x;
  }
  test_world_close(&t);
  *se = sqrt((squares / RUNS - sum / RUNS * (sum / RUNS)) / (RUNS - 1));
  return sum / RUNS;
}

/* Patients come at 20 x 40 % = 8 a day. */
#define ARRIVALS "incidents: {cases: {starts: flu, seeds: 1 people, arrivals: poisson 20/day}}\n"
#define WAITING(from)                                                                                                  \
  "measures: {declared: {excess: {average: clinics.waiting, from: " from                                               \
  "}, load: {average: clinics.patients, from: " from "}}}\n"

/* As long as a bed is needed for as long as one is ill, patients are an M/M/infinity queue of 8 x 2 = 16 on average,
 * and the excess over c beds has the mean of (N - c)+ with N Poisson. With one bed more the check must fail. */
static double poisson_excess(unsigned beds) {
  double p = exp(-16), excess = 0;
  for (unsigned n = 1; n < 200; n++) {
    p *= 16.0 / n;
    if (n > beds) excess += (n - beds) * p;
  }
  return excess;
}
Test(beds, excess_over_capacity_of_a_poisson_load) {
  static const char text[] = ILL("400 days", "20000", "    clinics: {nodes: 4, beds: 18, admission: 40 %}\n",
                                 "exponential mean 2 days") ARRIVALS WAITING("day 20");
  double se, load = mean(text, "load", &se);
  cr_expect_leq(fabs(load - 16), 4 * se, "load %g, se %g", load, se);
  double excess = mean(text, "excess", &se);
  cr_expect_leq(fabs(excess - poisson_excess(18)), 4 * se, "excess %g, se %g", excess, se);
  cr_expect_gt(fabs(excess - poisson_excess(19)), 4 * se, "the check cannot tell 18 beds from 19");
}

/* Where those who wait stay ill for long and a bed is kept for an exponential stay, the queue is M/M/c (Erlang 1917).
 */
static double erlang_queue(unsigned c, double load) {
  double term = 1, sum = 1;
  for (unsigned k = 1; k < c; k++) sum += term *= load / k;
  double last = term * load / c, full = last * c / (c - load);
  return full / (sum + full) * load / (c - load);
}
Test(beds, queue_for_beds_of_erlang) {
  static const char text[] =
      ILL("400 days", "20000", "    clinics: {nodes: 4, beds: 20, admission: 40 %, stay: exponential mean 2 days}\n",
          "1000000 days") ARRIVALS WAITING("day 40");
  double se, excess = mean(text, "excess", &se);
  cr_expect_leq(fabs(excess - erlang_queue(20, 16)), 4 * se, "queue %g, expected %g, se %g", excess,
                erlang_queue(20, 16), se);
  cr_expect_gt(fabs(excess - erlang_queue(21, 16)), 4 * se, "the check cannot tell 20 beds from 21");
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

#define CLINICS(keys) ILL("9 days", "100", "    clinics: {nodes: 2, " keys "}\n", "2 days")

Test(beds, refused) {
  test_refused(CLINICS("serves: people, stay: 3 days"), "`stay` is about `beds`, which is not given");
  test_refused(CLINICS("beds: 3, admits: flu.well"), "everyone is in the state flu.well at the start");
  test_refused(CLINICS("beds: 3, admits: clinics.up"), "clinics.up is not a state of the people");
  test_refused(CLINICS("beds: 3, admits: flu.dead"), "`flu` has no state `dead`");
  test_refused(CLINICS("beds: 3, admission: {old: 10 %}"), "there is no value for group young");
  test_refused(CLINICS("beds: 3.5"), "must be a whole number");
  test_refused(CLINICS("beds: 3") "  cold: {like: sir, population: people, transmission: 0/day}\n",
               "people are ill in more states than one: say who needs a bed by `admits`");
  test_refused(HEAD "horizon: 9 days\nsociety: {people: 9, layers: {clinics: {nodes: 2, beds: 3}}}\n",
               "beds that nobody needs");
  test_refused(HEAD "horizon: 9 days\nsociety: {layers: {clinics: {nodes: 2, beds: 3}}}\n", "beds without people");
}
