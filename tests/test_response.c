/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Models of response and couplings, each in a small world whose outcome is known: by hand, or binomially. */
#include "worlds.h"
#include <stdio.h>

#define HEAD "airesim: 1\nquestion: test\nsource: illustrative\ncurrency: USD\n"

/* 1,000 people, some of whom are ill from the start and stay so for ever; nobody infects anybody. */
#define STILL(ill)                                                                                                     \
  HEAD "horizon: 20 days\n"                                                                                            \
       "society: {people: 1000, groups: {young: 40 %, old: 60 %}}\n"                                                   \
       "hazards:\n"                                                                                                    \
       "  flu:\n"                                                                                                      \
       "    like: contagion\n"                                                                                         \
       "    population: people\n"                                                                                      \
       "    states: {well: {}, ill: {functionality: 50 %}, immune: {}}\n"                                              \
       "    rest: well\n"                                                                                              \
       "    seeded: ill\n"                                                                                             \
       "    initial: {ill: " ill "}\n"                                                                                 \
       "    transitions:\n"                                                                                            \
       "      protect: {from: well, to: immune}\n"                                                                     \
       "      cure: {from: ill, to: immune}\n"

/* 1,000 people on a graph; the ill infect each neighbour after half a day, for ever. */
#define SPREAD(graph, seeds)                                                                                           \
  HEAD "horizon: 30 days\n"                                                                                            \
       "society: {people: 1000, groups: {young: 40 %, old: 60 %}, layers: {contacts: {nodes: people, graph: " graph    \
       "}}}\n"                                                                                                         \
       "hazards:\n"                                                                                                    \
       "  flu: {like: si, layer: contacts, transmission: attempt probability 100 % delay 0.5 days}\n"                  \
       "incidents:\n"                                                                                                  \
       "  start: {starts: flu, arrivals: day 1, at: [" seeds "]}\n"

static double value_of(struct test_world *t, const char *variable, const char *label) {
  return t->row.columns[test_column(t, variable, label)];
}

/* One run of replicate 0: the value of a column. */
static double outcome(const char *scenario, const char *variable, const char *label) {
  struct test_world t;
  test_world_open(&t, scenario);
  test_world_run(&t, 0);
  double value = value_of(&t, variable, label);
  test_world_run(&t, 0); /* a run leaves nothing behind */
  double again = value_of(&t, variable, label);
  cr_assert(memcmp(&value, &again, sizeof value) == 0, "%s of %s: %.17g, then %.17g", variable, label, value, again);
  test_world_close(&t);
  return value;
}
static void expect(const char *scenario, const char *variable, const char *label, double value) {
  double x = outcome(scenario, variable, label);
  cr_assert_float_eq(x, value, 1e-6, "%s of %s: %.9g, expected %.9g", variable, label, x, value);
}
/* A binomial count within four standard deviations. */
static void expect_binomial(const char *scenario, const char *variable, const char *label, double n, double p) {
  double x = outcome(scenario, variable, label), sd = sqrt(n * p * (1 - p));
  cr_assert(fabs(x - n * p) <= 4 * sd, "%s of %s: %g, expected %g +- %g", variable, label, x, n * p, sd);
}

/* ---- sensing -------------------------------------------------------------------------------------------------------
 */

#define CLINICS STILL("50 %") "sensing:\n  clinics: {watches: flu.ill, report_delay: 2 days, "

Test(response, sensor_reports_a_share_late) {
  expect_binomial(CLINICS "ascertainment: 30 %}\n", "reports", "clinics", 500, 0.3);
  expect(CLINICS "ascertainment: 30 %}\n", "first_report", "clinics", 2);
  expect(CLINICS "ascertainment: 0 %}\n", "reports", "clinics", 0);
  expect(CLINICS "ascertainment: {young: 0 %, old: 0 %}}\n", "reports", "clinics", 0);
  double x = outcome(CLINICS "ascertainment: 0 %}\n", "first_report", "clinics");
  cr_assert(isnan(x));
}
Test(response, sensor_false_reports_are_poisson) {
  double n = outcome(CLINICS "ascertainment: 0 %, false_reports: 10/day}\n", "false_reports", "clinics");
  cr_assert(fabs(n - 200) < 4 * sqrt(200), "%g", n);
}
Test(response, alarm_and_clear) {
#define ALARM CLINICS "alarm: 500 reports in 7 days, clear: 10 reports in 3 days}\n"
  expect(ALARM, "first_alarm", "clinics", 2);
  cr_assert(isnan(outcome(CLINICS "alarm: 501 reports in 7 days}\n", "first_alarm", "clinics")));
  /* in force from the alarm plus a decision of half a day to the clear, 3 days after the last report */
#define DRILL                                                                                                          \
  "actions:\n  drill: {like: shielding, against: flu, among: old, reduction: 10 %, cost: 2 USD/person_day, when: "     \
  "clinics.alarm, until: clinics.clear, decision_delay: "
  expect(ALARM DRILL "0.5 days}\n", "active_days", "drill", 2.5);
  expect(ALARM DRILL "0.5 days}\n", "first_start", "drill", 2.5);
  expect(ALARM DRILL "0.5 days}\n", "cost", "drill", 2 * 600 * 2.5);
  expect(ALARM DRILL "3.5 days}\n", "active_days", "drill", 0); /* overtaken by the clear */
}

/* ---- teams and repair ----------------------------------------------------------------------------------------------
 */

#define GRID                                                                                                           \
  HEAD "horizon: 30 days\n"                                                                                            \
       "society: {people: 10, layers: {power: {nodes: 10, graph: none}}}\n"                                            \
       "incidents:\n  storm: {fails: power, share: 100 %, arrivals: day 1}\n"

Test(response, repair_by_crews) {
#define CREWS(size)                                                                                                    \
  GRID "teams:\n  crews: {size: " size                                                                                 \
       ", cost: 100 USD/team_day}\nrepair:\n  mend: {layer: power, team: crews, time: 1 day"
  expect(CREWS("1") "}\n", "mean_time_to_repair", "mend", 5.5);
  expect(CREWS("2") "}\n", "mean_time_to_repair", "mend", 3);
  expect(CREWS("2") "}\n", "mean_wait", "crews", 2);
  expect(CREWS("2") "}\n", "busy_days", "crews", 10);
  expect(CREWS("2") "}\n", "utilisation", "crews", 10. / 60);
  expect(CREWS("2") "}\n", "cost", "crews", 2 * 30 * 100);
  expect(CREWS("{day 0: 1, day 4: 7}") "}\n", "mean_time_to_repair", "mend", (1 + 2 + 3 + 7 * 4) / 10.);
  expect(CREWS("2") ", when: day 5, delay: 0.25 days}\n", "mean_time_to_repair", "mend", 7);
  expect(CREWS("2") ", when: day 0, delay: 0.25 days}\n", "mean_time_to_repair", "mend", 3.25);
  expect(GRID "repair:\n  mend: {layer: power, time: 1 day}\n", "mean_time_to_repair", "mend", 1);
  expect(GRID "teams:\n  crews: {size: 1, hours: 6 h/day}\nrepair:\n  mend: {layer: power, team: crews, time: 1 day}\n",
         "repaired", "mend", 7); /* four days each, 29 days */
  expect(GRID
         "teams:\n  crews: {size: 1, waiting_room: 3}\nrepair:\n  mend: {layer: power, team: crews, time: 1 day}\n",
         "jobs_dropped", "crews", 6);
  expect(GRID
         "teams:\n  crews: {size: 1, patience: 2.5 days}\nrepair:\n  mend: {layer: power, team: crews, time: 1 day}\n",
         "jobs_abandoned", "crews", 7);
}

Test(response, repair_refuses) {
  test_refused(GRID "repair:\n  mend: {time: 1 day}\n", "`layer` or a `hazard`");
  test_refused(GRID "repair:\n  mend: {layer: power, transition: fly, time: 1 day}\n", "transition");
  test_refused(GRID "teams:\n  crews: {size: unlimited, cost: 1 USD/team_day}\n", "unlimited size");
  test_refused(GRID "teams:\n  crews: {size: 1}\nrepair:\n"
                    "  one: {layer: power, team: crews, time: 1 day, order: lifo}\n"
                    "  two: {layer: power, team: crews, time: 1 day}\n",
               "one order");
}

/* ---- actions -------------------------------------------------------------------------------------------------------
 */

#define VACCINE                                                                                                        \
  STILL("0.1 %")                                                                                                       \
  "actions:\n  vaccinate: {like: vaccination, against: flu, protection_delay: 1 day, cost: 3 "                         \
  "USD/dose, "

Test(response, vaccination_at_a_rate) {
#define AT_RATE VACCINE "doses_per_day: 50 doses/day, when: day 2, until: day 6.01, "
  expect(AT_RATE "efficacy: 100 %}\n", "doses", "vaccinate", 201); /* at days 2, 2.02 ... 6 */
  expect(AT_RATE "efficacy: 100 %}\n", "cost", "vaccinate", 603);
  expect(AT_RATE "efficacy: 100 %}\n", "protected", "vaccinate", 201); /* so no person twice */
  expect(AT_RATE "efficacy: 0 %}\n", "protected", "vaccinate", 0);
  expect_binomial(AT_RATE "efficacy: 40 %}\n", "protected", "vaccinate", 201, 0.4);
  expect(AT_RATE "efficacy: 40 %, mode: leaky}\n", "protected", "vaccinate", 201);
  expect(AT_RATE "efficacy: 100 %, coverage: 10 %}\n", "doses", "vaccinate", 100);
  expect(AT_RATE "efficacy: 100 %, coverage: 10 %}\n", "active_days", "vaccinate", 2);
}
Test(response, vaccination_of_everyone) {
#define ALL VACCINE "doses_per_day: unlimited, efficacy: 100 %, transition: protect, "
  expect(ALL "order: random}\n", "protected", "vaccinate", 999); /* one is ill */
  expect(ALL "order: random, among: old}\n", "doses", "vaccinate", 600);
  expect(ALL "order: vulnerable_first, among: [old, young]}\n", "doses", "vaccinate", 1000);
  expect_binomial(ALL "uptake: 70 %}\n", "doses", "vaccinate", 1000, 0.7);
  expect_binomial(ALL "uptake: {young: 0 %, old: 50 %}}\n", "doses", "vaccinate", 600, 0.5);
}
Test(response, vaccination_by_a_team) {
#define NURSES VACCINE "team: nurses, service: 30 min, efficacy: 100 %, transition: protect, when: day 1.25}\n"
  expect(NURSES "teams:\n  nurses: {size: 2, hours: 12 h/day}\n", "jobs_served", "nurses",
         900); /* 48 a day, 18.75 days */
  expect(NURSES "teams:\n  nurses: {size: 4, hours: 12 h/day}\n", "doses", "vaccinate", 1000);
  expect(NURSES "teams:\n  nurses: {size: 4, hours: 12 h/day}\n", "busy_days", "nurses", 1000 / 24.);
}
Test(response, vaccination_refuses) {
  test_refused(VACCINE "efficacy: 50 %}\n", "a team or doses_per_day");
  test_refused(VACCINE "efficacy: 50 %, doses_per_day: 1 dose/day, order: degree}\n", "needs a `layer`");
  test_refused(VACCINE "efficacy: 50 %, doses_per_day: 1 dose/day, mode: leaky, transition: protect}\n", "leaky");
  test_refused(VACCINE "efficacy: 50 %, doses_per_day: 1 dose/day, uptake: {old: 50 %}}\n", "no value for group young");
}
Test(response, vaccination_reaches_the_best_connected_first) {
  /* in a star of one group the hub is vaccinated first: nobody else is infected but by it */
  const char *star = SPREAD(
      "star", "5") "actions:\n  vaccinate: {like: vaccination, against: flu, doses_per_day: 1 dose/day, "
                   "order: degree, layer: contacts, efficacy: 100 %, protection_delay: 0 days, until: day 0.5}\n";
  expect(star, "protected", "vaccinate", 1);
  expect(star, "final_size", "flu", 1);
}

Test(response, treatment_by_a_team) {
#define TREAT                                                                                                          \
  STILL("1 %")                                                                                                         \
  "sensing:\n  clinics: {watches: flu.ill, report_delay: 1 day}\nteams:\n  doctors: {size: 1}\nactions:\n  treat: "    \
  "{like: treatment, against: flu, on: clinics, transition: cure, cost: 10 USD/treatment, "
  expect(TREAT "team: doctors, service: 3 days}\n", "cured", "treat", 6); /* 19 days */
  expect(TREAT "team: doctors, service: 3 days, until: day 0.5}\n", "treated", "treat", 0);
  expect(TREAT "service: 3 days}\n", "cured", "treat", 10);
  expect(TREAT "service: 3 days}\n", "cost", "treat", 100);
  expect(TREAT "service: 3 days, efficacy: 0 %}\n", "treated", "treat", 10);
  expect(TREAT "service: 3 days, efficacy: 0 %}\n", "cured", "treat", 0);
}

Test(response, isolation_stops_and_releases) {
#define ISOLATE                                                                                                        \
  SPREAD("complete", "0")                                                                                              \
  "sensing:\n  clinics: {watches: flu.infectious}\nactions:\n  isolate: {like: isolation, against: flu, on: clinics, "
  expect(ISOLATE "efficacy: 100 %, duration: 100 days, cost: 1 USD/person_day}\n", "final_size", "flu", 1);
  expect(ISOLATE "efficacy: 100 %, duration: 100 days, cost: 1 USD/person_day}\n", "cost", "isolate", 29);
  expect(ISOLATE "efficacy: 100 %, duration: 100 days, compliance: 0 %}\n", "isolated", "isolate", 0);
  expect(ISOLATE "efficacy: 100 %, duration: 100 days, compliance: 0 %}\n", "final_size", "flu", 1000);
  expect(ISOLATE "efficacy: 0 %, duration: 2 days}\n", "final_size", "flu", 1000);
  expect(ISOLATE "efficacy: 0 %, duration: 2 days}\n", "person_days_held", "isolate", 2000);
  expect_binomial(ISOLATE "efficacy: 0 %, compliance: 30 %}\n", "isolated", "isolate", 1000, 0.3);
}

Test(response, tracing_holds_the_contacts) {
#define TRACE                                                                                                          \
  SPREAD("star", "0")                                                                                                  \
  "sensing:\n  clinics: {watches: flu.infectious}\nactions:\n"                                                         \
  "  trace: {like: tracing, against: flu, on: clinics, duration: 100 days, cost: 2 USD/contact, efficacy: 100 %, "
#define TRACE_FAST TRACE "delay: 0.25 days, coverage: "
  expect(TRACE_FAST "100 %}\n", "contacts_reached", "trace", 999);
  expect(TRACE_FAST "100 %}\n", "final_size", "flu", 1);
  expect(TRACE_FAST "100 %}\n", "cost", "trace", 2 * 999);
  expect(TRACE_FAST "100 %}\n", "person_days_held", "trace", 999 * (29 - 0.25));
  expect_binomial(TRACE_FAST "30 %}\n", "final_size", "flu", 999, 0.7);
  expect(TRACE_FAST "100 %, until: day 0.5}\n", "final_size", "flu", 1000);
  expect(TRACE "coverage: 100 %, delay: 0.6 days}\n", "final_size", "flu", 1000); /* too late */
}
/* Contacts are known at day 1.25 and would be infected at day 1.5: four people make five calls of 61 minutes each until
 * then, or six of an hour (whose length in ticks is rounded down). Those infected name the first case in their turn. */
Test(response, tracing_by_a_team) {
#define TRACERS(call) TRACE_FAST "100 %, team: tracers, service: " call "}\nteams:\n  tracers: {size: 4}\n"
  expect(TRACERS("61 min"), "final_size", "flu", 1000 - 20);
  expect(TRACERS("1 h"), "final_size", "flu", 1000 - 24);
  expect(TRACERS("1 h"), "jobs_served", "tracers", 999 + (999 - 24));
}

Test(response, distancing_closes_a_layer) {
#define DISTANCE                                                                                                       \
  SPREAD("complete", "0")                                                                                              \
  "actions:\n  distance: {like: distancing, against: flu, layers: contacts, cost: 0.5 USD/person_day, "
  expect(DISTANCE "reduction: 100 %}\n", "final_size", "flu", 1);
  expect(DISTANCE "reduction: 100 %}\n", "cost", "distance", 0.5 * 1000 * 30);
  expect(DISTANCE "reduction: 100 %, when: day 0.5, until: day 3}\n", "cost", "distance", 0.5 * 1000 * 2.5);
  expect(DISTANCE "reduction: 0 %}\n", "final_size", "flu", 1000);
}

Test(response, shielding_protects_groups) {
#define SHIELD SPREAD("complete", "0") "actions:\n  shield: {like: shielding, against: flu, cost: 1 USD/person_day, "
  double size = outcome(SHIELD "reduction: 100 %, among: old}\n", "final_size", "flu");
  cr_assert(size == 400 || size == 1, "%g", size); /* person 0, if old, infects nobody */
  expect(SHIELD "reduction: 100 %, among: old}\n", "person_days_held", "shield", 600 * 30);
  expect(SHIELD "reduction: 100 %, among: [young, old]}\n", "final_size", "flu", 1);
}

/* ---- couplings -----------------------------------------------------------------------------------------------------
 */

Test(response, coupling_of_persons) {
#define REFUSE ALL "uptake: 100 %}\ncouplings:\n  refusal: {while: flu."
  expect(REFUSE "ill, multiply: vaccinate.uptake, by: 0 %}\n", "doses", "vaccinate", 999);
  expect(REFUSE "well, multiply: actions.vaccinate.uptake, by: 0 %}\n", "doses", "vaccinate", 1); /* state of rest */
  expect_binomial(REFUSE "well, multiply: vaccinate.uptake, by: {young: 0 %, old: 50 %}}\n", "doses", "vaccinate", 600,
                  0.5);
  test_refused(REFUSE "ill, multiply: flu.layer, by: 0 %}\n", "goes by layer");
  test_refused(REFUSE "ill, multiply: vaccinate.pace, by: 0 %}\n", "pace");
}
Test(response, coupling_of_an_entry) {
#define BLACKOUT(share, above)                                                                                         \
  HEAD "horizon: 5 days\n"                                                                                             \
       "society: {people: 1000, layers: {power: {nodes: 100, graph: none}}}\n"                                         \
       "hazards:\n"                                                                                                    \
       "  flu: {like: contagion, population: people, states: {well: {}, ill: {}}, rest: well, seeded: ill}\n"          \
       "incidents:\n"                                                                                                  \
       "  storm: {fails: power, share: " share ", arrivals: day 1}\n"                                                  \
       "  outbreak: {starts: flu, seeds: 100 people, arrivals: day 2}\n"                                               \
       "sensing:\n  clinics: {watches: flu.ill}\n"                                                                     \
       "couplings:\n  blackout: {while: power.down, multiply: clinics.detection, by: 0 %, above: " above "}\n"
  expect(BLACKOUT("21 %", "20 %"), "reports", "clinics", 0);
  expect(BLACKOUT("20 %", "20 %"), "reports", "clinics", 100);
  expect(BLACKOUT("1 %", "0 %"), "reports", "clinics", 0);
}

/* ---- no effect, no trace -------------------------------------------------------------------------------------------
 */

static bool same_coordinate(const struct sim_column *x, const struct sim_column *y, unsigned d) {
  const char *a = x->at[d].label, *b = y->at[d].label;
  return strcmp(x->at[d].dim, y->at[d].dim) == 0 && (a && b ? strcmp(a, b) == 0 : a == b) &&
         (a || x->at[d].coordinate == y->at[d].coordinate);
}

static size_t counterpart(const struct test_world *t, const struct sim_column *column) {
  for (size_t c = 0; c < t->columns; c++) {
    const struct sim_column *other = &t->column[c];
    bool same = strcmp(other->variable, column->variable) == 0 && other->dims == column->dims;
    for (unsigned d = 0; same && d < column->dims; d++) same = same_coordinate(other, column, d);
    if (same) return c;
  }
  cr_assert_fail("no counterpart of %s", column->variable);
  return 0;
}

/* Every column and sample of the first world must be in the second, equal bit for bit. */
static bool same_outcomes(const char *without, const char *with) {
  struct test_world a, b;
  bool same = true;
  test_world_open(&a, without);
  test_world_open(&b, with);
  for (uint64_t replicate = 0; replicate < 20; replicate++) {
    test_world_run(&a, replicate);
    test_world_run(&b, replicate);
    for (size_t c = 0; c < a.columns; c++)
      same = same && !memcmp(&a.row.columns[c], &b.row.columns[counterpart(&b, &a.column[c])], sizeof(double));
    cr_assert_eq(a.cells, b.cells);
    same = same && !memcmp(a.row.samples, b.row.samples, a.cells * sizeof *a.row.samples);
  }
  test_world_close(&a);
  test_world_close(&b);
  return same;
}

#define EPIDEMIC                                                                                                       \
  HEAD "horizon: 60 days\n"                                                                                            \
       "society: {people: 500, groups: {young: 40 %, old: 60 %}, layers: {contacts: {nodes: people, graph: "           \
       "erdos_renyi mean_degree 6}}}\n"                                                                                \
       "hazards:\n  flu: {like: sir, layer: contacts, transmission: 0.1/day per contact}\n"                            \
       "incidents:\n  start: {starts: flu, arrivals: day 1, seeds: 5 people}\n"                                        \
       "sensing:\n  clinics: {watches: flu.infectious, ascertainment: 50 %, report_delay: exponential mean 1 day, "    \
       "alarm: 3 reports in 7 days, clear: 0 reports in 7 days}\n"

Test(response, an_action_without_effect_changes_nothing) {
  static const char *const actions[] = {
      "vaccination, against: flu, doses_per_day: 20 doses/day, efficacy: 0 %, mode: leaky, when: clinics.alarm",
      "vaccination, against: flu, doses_per_day: 20 doses/day, efficacy: 0 %, when: clinics.alarm",
      "treatment, against: flu, on: clinics, transition: recover, efficacy: 0 %",
      "isolation, against: flu, on: clinics, efficacy: 0 %, restricts: 0 %, when: clinics.alarm, until: clinics.clear",
      "tracing, against: flu, on: clinics, coverage: 50 %, efficacy: 0 %, restricts: 0 %, monitors: 0 %",
      "distancing, against: flu, layers: contacts, reduction: 0 %, restricts: 0 %, when: clinics.alarm",
      "shielding, against: flu, among: old, reduction: 0 %, restricts: 0 %, when: clinics.alarm, until: clinics.clear"};
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
    char text[4000];
    snprintf(text, sizeof text, "%sactions:\n  act: {like: %s}\n", EPIDEMIC, actions[i]);
    cr_assert(same_outcomes(EPIDEMIC, text), "%s", actions[i]);
  }
#define LINK(by) EPIDEMIC "couplings:\n  link: {while: flu.infectious, multiply: flu.infectivity, by: " by "}\n"
  cr_assert(same_outcomes(EPIDEMIC, LINK("100 %")));
  cr_assert(!same_outcomes(EPIDEMIC, LINK("99 %"))); /* a small effect shows */
  cr_assert(
      same_outcomes(EPIDEMIC, EPIDEMIC "  idle: {watches: flu.recovered, ascertainment: 50 %}\n")); /* only draws */
}
