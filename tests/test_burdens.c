/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What actions take of freedom and privacy, counted by hand; and whom they cannot act on: the dead. */
#include "worlds.h"

#define HEAD "airesim: 1\nquestion: test\nsource: illustrative\ncurrency: USD\n"

/* A star of ten around person 0, who falls ill at day 1 and whose illness ends at day 4, in death if `fatality` is
 * 100 %; nobody infects anybody. */
#define STAR(fatality, more)                                                                                           \
  HEAD "horizon: 30 days\n"                                                                                            \
       "society: {people: 10, groups: {young: 40 %, old: 60 %}, layers: {contacts: {nodes: people, graph: star}}}\n"   \
       "hazards:\n  flu: {like: seird, layer: contacts, transmission: 0/day, latent: 0 days, infectious: 3 days, "     \
       "fatality: " fatality "}\n"                                                                                     \
       "incidents:\n  start: {starts: flu, arrivals: [day 1, day 6], at: [0]}\n"                                       \
       "sensing:\n  clinics: {watches: flu.ill}\n" more

/* ---- freedom -------------------------------------------------------------------------------------------------------
 */

Test(burdens, isolation) {
#define HOME(fatality, more)                                                                                           \
  STAR(fatality, "actions:\n  home: {like: isolation, against: flu, on: clinics, delay: 1 day, duration: 10 "          \
                 "days" more)
  test_expect(HOME("0 %", "}\n"), "person_days_restricted", "home", 10);
  test_expect(HOME("0 %", "}\n"), "person_days_held", "home", 10);
  test_expect(HOME("0 %", "}\n"), "freedom_lost", NULL, 10);
  test_expect(HOME("0 %", "}\n"), "privacy_lost", NULL, 0);
  test_expect(HOME("0 %", ", restricts: 25 %}\n"), "freedom_lost", NULL, 2.5);
  test_expect(HOME("0 %", ", restricts: 25 %}\n"), "person_days_held", "home", 10);
  test_expect(HOME("0 %", ", compliance: 0 %}\n"), "freedom_lost", NULL, 0);
  test_expect(HOME("100 %", "}\n"), "freedom_lost", NULL, 2); /* from day 2 to the death at day 4 */
  test_expect(HOME("100 %", "}\n"), "isolated", "home", 1);
}

Test(burdens, distancing_and_shielding) {
#define APART                                                                                                          \
  STAR(                                                                                                                \
      "0 %",                                                                                                           \
      "actions:\n  apart: {like: distancing, against: flu, layers: contacts, reduction: 50 %, restricts: 20 %, when: " \
      "day 3, until: day 8}\n  shield: {like: shielding, against: flu, among: old, reduction: 10 %}\n")
  test_expect(APART, "person_days_restricted", "apart", 0.2 * 10 * 5);
  test_expect(APART, "person_days_restricted", "shield", 6 * 30);
  test_expect(APART, "freedom_lost", NULL, 10 + 180);
  test_expect(APART "measures: {prices: {freedom: 3 USD/person_day}}\n", "freedom_cost", NULL, 3 * 190);
}

/* Person 0, one of the old, dies at day 4: within the one and before the other. */
Test(burdens, the_dead_are_not_restricted) {
#define LATE(among)                                                                                                    \
  STAR("100 %",                                                                                                        \
       "actions:\n"                                                                                                    \
       "  apart: {like: distancing, against: flu, layers: contacts, reduction: 50 %, when: day 3, until: day "         \
       "8, cost: 2 USD/person_day}\n"                                                                                  \
       "  shield: {like: shielding, against: flu, among: " among ", reduction: 10 %, when: day 10}\n")
  test_expect(LATE("young"), "person_days_restricted", "apart", 9 * 5 + 1);
  test_expect(LATE("young"), "cost", "apart", 2 * (9 * 5 + 1));
  test_expect(LATE("old"), "person_days_restricted", "shield", 5 * 20);
  test_expect(LATE("young"), "person_days_held", "shield", 4 * 20);
}

Test(burdens, takedown) { /* the posts of five believers, for ever from a day after day 1 on */
#define POSTS(reduction)                                                                                               \
  HEAD "horizon: 21 days\n"                                                                                            \
       "society: {people: 20, layers: {online: {nodes: people, graph: none}}}\n"                                       \
       "hazards:\n  hoax: {like: rumour, layer: online, kernel: linear, spread: 0/day, verify: 0/day, forget: 0/day, " \
       "check: 0/day}\n"                                                                                               \
       "incidents:\n  claim: {starts: hoax, seeds: 5 people, arrivals: day 1}\n"                                       \
       "actions:\n  down: {like: takedown, against: hoax, delay: 1 day, reduction: " reduction "}\n"
  test_expect(POSTS("100 %"), "takedowns", "down", 5);
  test_expect(POSTS("100 %"), "person_days_restricted", "down", 5 * 19);
  test_expect(POSTS("50 %"), "freedom_lost", NULL, 5 * 19);
}

/* ---- privacy -------------------------------------------------------------------------------------------------------
 */

Test(burdens, tracing) {
#define TRACE(records, more)                                                                                           \
  STAR("0 %",                                                                                                          \
       "actions:\n  trace: {like: tracing, against: flu, on: clinics, coverage: 100 %, delay: 2 days, duration: 4 "    \
       "days, records: " records more "}\n")
  test_expect(TRACE("5 days", ""), "person_days_monitored", "trace", 10 * 5); /* the case and nine contacts */
  test_expect(TRACE("5 days", ""), "person_days_restricted", "trace", 9 * 4);
  test_expect(TRACE("5 days", ", monitors: 10 %"), "privacy_lost", NULL, 5);
  test_expect(TRACE("100 days", ""), "privacy_lost", NULL, 10 * 29); /* to the horizon */
  test_expect(TRACE("5 days", "") "measures: {prices: {privacy: 2 USD/person_day}}\n", "privacy_cost", NULL, 100);
}

/* A contact of two cases, named at day 1 and at day 3 with records of five days, is on record for seven days. */
Test(burdens, records_overlap) {
  test_expect(HEAD
              "horizon: 30 days\n"
              "society: {people: 3, layers: {contacts: {nodes: people, graph: star}}}\n"
              "hazards:\n  flu: {like: seird, layer: contacts, transmission: 0/day, latent: 0 days, infectious: 1 day, "
              "fatality: 0 %}\n"
              "incidents:\n  a: {starts: flu, arrivals: day 1, at: [1]}\n  b: {starts: flu, arrivals: day 3, at: [2]}\n"
              "sensing:\n  clinics: {watches: flu.ill}\n"
              "actions:\n  trace: {like: tracing, against: flu, on: clinics, coverage: 100 %, records: 5 days}\n",
              "person_days_monitored", "trace", 5 + 5 + 7);
}

Test(burdens, a_monitor_reads) {
#define MONITOR                                                                                                        \
  STAR("0 %", "safeguards: {barriers: {cot: {stops: 10 %, monitors: 40 %}, other: {monitors: 10 %}, none: {}}}\n")
  test_expect(MONITOR, "person_days_monitored", "safeguards", 0.5 * 10 * 30);
  test_expect(MONITOR, "privacy_lost", NULL, 150);
}

/* Entries add up; a price that is not given gives no column. */
Test(burdens, totals_and_prices) {
#define BOTH                                                                                                           \
  STAR("0 %", "actions:\n  home: {like: isolation, against: flu, on: clinics, duration: 10 days}\n"                    \
              "  trace: {like: tracing, against: flu, on: clinics, coverage: 100 %, duration: 4 days, records: 5 "     \
              "days}\n"                                                                                                \
              "measures: {prices: {freedom: 30 USD/person_day}}\n")
  test_expect(BOTH, "freedom_lost", NULL, 10 + 9 * 4);
  test_expect(BOTH, "freedom_cost", NULL, 30 * 46);
  test_expect(BOTH, "cost", "home", 0); /* money spent is another matter */
  struct test_world t;
  test_world_open(&t, BOTH);
  for (size_t c = 0; c < t.columns; c++) cr_assert_str_neq(t.column[c].variable, "privacy_cost");
  test_world_close(&t);
}

/* ---- the dead ------------------------------------------------------------------------------------------------------
 */

/* 1,000 people of whom 300 are in the state `last` from the start. */
#define MANY(last, more)                                                                                               \
  HEAD "horizon: 20 days\n"                                                                                            \
       "society: {people: 1000, layers: {online: {nodes: people, graph: none}}}\n"                                     \
       "hazards:\n  flu:\n    like: contagion\n    population: people\n    rest: well\n"                               \
       "    states: {well: {}, ill: {functionality: 0 %}, asleep: {functionality: 50 %}, dead: {functionality: 0 "     \
       "%}}\n"                                                                                                         \
       "    initial: {" last ": 30 %}\n"                                                                               \
       "    transitions: {fall: {from: well, to: ill}, nap: {from: ill, to: asleep}, die: {from: ill, to: dead}}\n"    \
       "  hoax: {like: hoax_fact_check, layer: online}\n"                                                              \
       "actions:\n  act: {" more "}\n"
#define VACCINATE "like: vaccination, against: flu, doses_per_day: unlimited, efficacy: 100 %, protection_delay: 1 day"

Test(burdens, the_dead_are_not_acted_on) {
  test_expect(MANY("dead", VACCINATE), "doses", "act", 700);
  test_expect(MANY("dead", VACCINATE), "refused", "act", 0);
  test_expect(MANY("dead", VACCINATE), "protected", "act", 700);
  test_expect(MANY("ill", VACCINATE), "doses", "act", 1000);    /* nothing works, but they may leave the state */
  test_expect(MANY("asleep", VACCINATE), "doses", "act", 1000); /* they stay in it, but it works by half */
  test_expect(MANY("dead", "like: prebunking, against: hoax, efficacy: 50 %"), "persons_reached", "act", 700);
  test_expect(MANY("dead", "like: fact_checking, against: hoax, verification: 200 %"), "persons_reached", "act", 700);
}

Test(burdens, the_dead_are_not_traced) {
#define GRAVE(initial)                                                                                                 \
  HEAD "horizon: 20 days\n"                                                                                            \
       "society: {people: 11, layers: {contacts: {nodes: people, graph: complete}}}\n"                                 \
       "hazards:\n  flu: {like: seird, layer: contacts, transmission: 0/day, latent: 0 days, initial: {" initial       \
       "}}\n"                                                                                                          \
       "  frost: {like: seird, layer: contacts, transmission: 0/day, initial: {dead: 28 %}}\n" /* three of eleven */   \
       "sensing:\n  clinics: {watches: flu.ill}\n"                                                                     \
       "actions:\n  trace: {like: tracing, against: flu, on: clinics, coverage: 100 %, records: 5 days}\n"
  double cases = test_outcome(GRAVE("ill: 100 %"), "cases_traced", "trace"),
         contacts = test_outcome(GRAVE("ill: 100 %"), "contacts_reached", "trace");
  cr_assert_eq(cases, 11);
  cr_assert_eq(contacts, 8 * 7 + 3 * 8, "%g", contacts);
}
