/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Couplings and the staff of teams, each in a small world whose outcome is known by hand or binomially, and in a larger
 * one, where each changes what it may touch and nothing else. */
#include "worlds.h"

#define HEAD "airesim: 1\nquestion: test\nsource: illustrative\ncurrency: USD\n"

/* ---- by hand -------------------------------------------------------------------------------------------------------
 */

/* Within four standard deviations. */
static bool is_binomial(const char *scenario, const char *variable, const char *label, double n, double p) {
  double x = test_outcome(scenario, variable, label), sd = sqrt(n * p * (1 - p));
  return fabs(x - n * p) <= 4 * sd;
}
static void expect_binomial(const char *scenario, const char *variable, const char *label, double n, double p) {
  cr_assert(is_binomial(scenario, variable, label, n, p), "%s of %s: expected %g", variable, label, n * p);
}

/* Ten people, three of them `initial`; ten nodes that fail at day 1, each a day's work; crews drawn from the people. */
#define STAFF(initial, team, more)                                                                                     \
  HEAD "horizon: 30 days\n"                                                                                            \
       "society: {people: 10, groups: {young: 50 %, old: 50 %}, layers: {power: {nodes: 10}}}\n"                       \
       "incidents:\n  storm: {fails: power, share: 100 %, arrivals: day 1}\n"                                          \
       "hazards:\n  flu:\n"                                                                                            \
       "    like: contagion\n    population: people\n    rest: well\n    seeded: ill\n"                                \
       "    states: {well: {}, ill: {functionality: 50 %}, back: {}, dead: {functionality: 0 %}}\n"                    \
       "    initial: {" initial "}\n"                                                                                  \
       "    transitions: {fall: {from: well, to: ill}, rise: {from: ill, to: back}, die: {from: ill, to: dead}}\n"     \
       "teams:\n  crews: {members: people, cost: 100 USD/team_day, " team "}\n"                                        \
       "repair:\n  mend: {layer: power, team: crews, time: 1 day}\n" more
#define SICK(by) "couplings:\n  sick_staff: {while: flu.ill, multiply: teams.crews.present, by: " by "}\n"

Test(couplings, the_ill_staff_no_teams) {
  test_expect(STAFF("ill: 30 %", "size: 10", SICK("0 %")), "absent_days", "crews", 3 * 30);
  test_expect(STAFF("ill: 30 %", "size: 10", SICK("0 %")), "mean_time_to_repair", "mend", (7 * 1 + 3 * 2) / 10.);
  test_expect(STAFF("ill: 30 %", "size: 10", SICK("0 %")), "cost", "crews", 10 * 30 * 100); /* sick pay */
  test_expect(STAFF("ill: 30 %", "size: 10", SICK("0 %")), "utilisation", "crews", 10. / (7 * 30));
  test_expect(STAFF("ill: 30 %", "size: 10", SICK("100 %")), "absent_days", "crews", 0);
  test_expect(STAFF("ill: 30 %", "size: 10", ""), "mean_time_to_repair", "mend", 1);
  test_expect(STAFF("ill: 100 %", "size: 10", SICK("0 %")), "repaired", "mend", 0);
  test_expect(
      STAFF("well: 100 %", "size: 10", "couplings:\n  c: {while: flu.well, multiply: crews.present, by: 0 %}\n"),
      "absent_days", "crews", 300); /* the state of rest acts from the beginning */
}

Test(couplings, the_dead_staff_no_teams) {
  test_expect(STAFF("dead: 30 %", "size: 10", ""), "absent_days", "crews", 3 * 30);
}

Test(couplings, presence_by_a_share) {
#define CROWD(by)                                                                                                      \
  HEAD "horizon: 1 day\nsociety: {people: 1000}\n"                                                                     \
       "hazards:\n  flu: {like: contagion, population: people, states: {well: {}, ill: {}}, rest: well, seeded: ill, " \
       "initial: {ill: 60 %}}\n"                                                                                       \
       "teams:\n  crews: {members: people, size: 1000}\n" SICK(by)
  expect_binomial(CROWD("30 %"), "absent_days", "crews", 600, 0.7);
  cr_assert(!is_binomial(CROWD("10 %"), "absent_days", "crews", 600, 0.7)); /* another share shows */
}

/* A larger team has the members of a smaller one and more, whoever is ill. */
Test(couplings, teams_are_nested) {
#define SIZED(size) STAFF("ill: 30 %", "size: " size, SICK("0 %"))
  static const char *const teams[] = {SIZED("1"), SIZED("2"), SIZED("3"), SIZED("4"), SIZED("5"),
                                      SIZED("6"), SIZED("7"), SIZED("8"), SIZED("9"), SIZED("10")};
  double before = 0;
  for (size_t i = 0; i < 10; i++) {
    double absent = test_outcome(teams[i], "absent_days", "crews");
    cr_assert(absent == before || absent == before + 30, "size %zu: %g after %g", i + 1, absent, before);
    before = absent;
  }
  cr_assert_float_eq(before, 90, 1e-9);
}

Test(couplings, members_of_a_group) {
#define OLD(size) "among: old, size: " size
  test_expect(STAFF("ill: 100 %", OLD("5"), SICK("{young: 0 %, old: 100 %}")), "absent_days", "crews", 0);
  test_expect(STAFF("ill: 100 %", OLD("5"), SICK("{young: 100 %, old: 0 %}")), "absent_days", "crews", 150);
  test_refused(STAFF("ill: 100 %", OLD("6"), ""), "a team of 6 cannot have its members from 5 people");
  test_refused(STAFF("ill: 100 %", "size: unlimited", ""), "cannot have its members");
  test_refused(STAFF("ill: 100 %", "among: infants, size: 1", ""), "infants");
}

/* Of five, who all fall ill at day 1.5 and are back at day 4.5, the jobs under way at day 1.5 finish. */
Test(couplings, jobs_under_way_finish) {
#define SPELL                                                                                                          \
  HEAD "horizon: 30 days\nsociety: {people: 5, layers: {power: {nodes: 10}}}\n"                                        \
       "incidents:\n  storm: {fails: power, share: 100 %, arrivals: day 1}\n"                                          \
       "hazards:\n  flu: {like: contagion, population: people, rest: well, states: {well: {}, ill: {}, back: {}}, "    \
       "transitions: {fall: {from: well, to: ill, after: 1.5 days}, rise: {from: ill, to: back, after: 3 days}}}\n"    \
       "repair:\n  mend: {layer: power, team: crews, time: 1 day}\n" SICK("0 %") "teams:\n  crews: {members: people, "
  test_expect(SPELL "size: 5}\n", "mean_time_to_repair", "mend", (5 * 1 + 5 * 4.5) / 10);
  test_expect(SPELL "size: 5}\n", "absent_days", "crews", 15);
  test_expect(SPELL "size: {day 0: 5, day 2: 1, day 6: 5}}\n", "absent_days", "crews", 5 * 0.5 + 2.5);
  test_expect(SPELL "size: {day 0: 5, day 2: 1, day 6: 5}}\n", "mean_time_to_repair", "mend",
              (5 * 1 + 4.5 + 5.5 + 3 * 6) / 10);
}

Test(couplings, a_team_that_the_budget_buys) {
#define BOUGHT                                                                                                         \
  STAFF("ill: 30 %", "size: 1", SICK("0 %"))                                                                           \
  "budget:\n  total: 80 thousand USD/year\n  lines:\n    crews: {share: rest, buys: teams.crews.size, curve: linear "  \
  "from 2 per 10 thousand USD/year}\n"
  test_expect(BOUGHT, "absent_days", "crews", 90); /* 2 + 8 members */
}

Test(couplings, presence_needs_members) {
  test_refused(HEAD
               "horizon: 1 day\nsociety: {people: 9}\nhazards:\n  flu: {like: contagion, population: people, states: "
               "{well: {}, ill: {}}, rest: well, initial: {ill: 10 %}}\nteams:\n  crews: {size: 1}\n" SICK("0 %"),
               "give its `members`");
}

/* ---- across populations --------------------------------------------------------------------------------------------
 */

/* A thousand people who all change at day 2, and are seen; ten stations serve them; ten data centres and two wells. */
#define WIDE(coupling)                                                                                                 \
  HEAD "horizon: 20 days\n"                                                                                            \
       "society:\n  people: 1000\n  groups: {young: 40 %, old: 60 %}\n  layers:\n"                                     \
       "    power: {nodes: 10, serves: people}\n    telecom: {nodes: 20, needs: power}\n    data: {nodes: 10}\n"       \
       "incidents:\n  storm: {fails: power, at: [0, 1, 9], arrivals: day 1}\n"                                         \
       "  flood: {fails: data, at: [3, 5, 6, 9], arrivals: day 1}\n"                                                   \
       "  cut: {fails: telecom, at: [0, 2, 4, 18], arrivals: day 1.5}\n"                                               \
       "hazards:\n  flu: {like: contagion, population: people, rest: well, states: {well: {}, ill: {}}, "              \
       "transitions: {fall: {from: well, to: ill, after: 2 days}}}\n"                                                  \
       "sensing:\n  clinics: {watches: flu.ill, report_delay: 1 day}\n"                                                \
       "repair:\n  lines: {layer: telecom, time: 1 day}\n  racks: {layer: data, time: 1 day, when: day 4}\n"           \
       "couplings:\n  c: {" coupling "}\n"

Test(couplings, those_whom_a_node_serves) {
  test_expect(WIDE("while: power.down, multiply: sensing.clinics.ascertainment, by: 0 %"), "reports", "clinics", 700);
  expect_binomial(WIDE("while: power.down, multiply: clinics.ascertainment, by: 50 %"), "reports", "clinics", 1000,
                  0.85);
  test_expect(WIDE("while: power.up, multiply: clinics.ascertainment, by: 0 %"), "reports", "clinics", 300);
  test_expect(WIDE("while: power.unserved, multiply: clinics.ascertainment, by: 0 %"), "reports", "clinics", 700);
  /* telecom nodes 0 and 1 hang on station 0, 18 and 19 on station 9: what nodes 0, 2 and 18 lack, node 4 has */
  test_expect(WIDE("while: power.down, multiply: repair.lines.speed, by: 25 %"), "mean_time_to_repair", "lines",
              (3 * 4 + 1) / 4.);
}

Test(couplings, everyone_in_proportion) {
  expect_binomial(WIDE("while: data.down, multiply: clinics.ascertainment, by: 0 %"), "reports", "clinics", 1000, 0.6);
  expect_binomial(WIDE("while: data.down, multiply: clinics.detection, by: 50 %"), "reports", "clinics", 1000, 0.8);
  cr_assert(
      !is_binomial(WIDE("while: data.down, multiply: clinics.detection, by: 20 %"), "reports", "clinics", 1000, 0.8));
  expect_binomial(WIDE("while: data.down, multiply: clinics.ascertainment, by: {young: 0 %, old: 100 %}"), "reports",
                  "clinics", 1000, 0.6 + 0.4 * 0.6);
  test_expect(WIDE("while: data.down, multiply: clinics.delay, by: 600 %"), "first_report", "clinics", 2 + 1 + 0.4 * 5);
  test_expect(WIDE("while: data.down, multiply: lines.speed, by: 50 %"), "mean_time_to_repair", "lines", 1 / 0.8);
}

/* Everyone's susceptibility in proportion is the same as the hazard's transmission in proportion, while it goes up and
 * down under way. */
Test(couplings, a_knob_of_all_is_the_knob_of_the_whole) {
#define SPREAD(knob, by)                                                                                               \
  HEAD "horizon: 60 days\n"                                                                                            \
       "society: {people: 500, layers: {contacts: {nodes: people, graph: erdos_renyi mean_degree 6}, data: {nodes: "   \
       "7}}}\n"                                                                                                        \
       "incidents:\n  start: {starts: flu, seeds: 5 people, arrivals: day 1}\n"                                        \
       "  fire: {fails: data, count: 3, arrivals: [day 3, day 9, day 14]}\n"                                           \
       "hazards:\n  flu: {like: sir, layer: contacts, transmission: 0.1/day}\n"                                        \
       "repair:\n  racks: {layer: data, time: exponential mean 4 days}\n"                                              \
       "couplings:\n  c: {while: data.down, multiply: flu." knob ", by: " by "}\n"
  double whole = test_outcome(SPREAD("transmission", "10 %"), "person_days", "flu");
  test_expect(SPREAD("susceptibility", "10 %"), "person_days", "flu", whole);
  test_expect(SPREAD("infectivity", "10 %"), "person_days", "flu", whole);
  cr_assert_float_neq(test_outcome(SPREAD("transmission", "100 %"), "person_days", "flu"), whole, 1e-6);
}

Test(couplings, all_or_nothing_above_a_share) {
#define SHARE(above) WIDE("while: data.down, multiply: clinics.ascertainment, by: 0 %, above: " above)
  test_expect(SHARE("39 %"), "reports", "clinics", 0);
  test_expect(SHARE("40 %"), "reports", "clinics", 1000);
#define OWN(above) WIDE("while: flu.ill, multiply: clinics.delay, by: 300 %, above: " above)
  test_expect(OWN("0 %"), "first_report", "clinics", 2 + 3); /* the first is above 0 % when the others follow */
  test_expect(OWN("100 %"), "first_report", "clinics", 2 + 1);
}

/* Half of the data centres are down for two days: a day's repairs of the grid, begun with them, are half done when they
 * are back. */
Test(couplings, data_centres_down_repair_slower) {
#define CENTRES(by)                                                                                                    \
  HEAD "horizon: 30 days\nsociety: {layers: {power: {nodes: 10}, data: {nodes: 4}}}\n"                                 \
       "incidents:\n  storm: {fails: power, share: 100 %, arrivals: day 1}\n"                                          \
       "  flood: {fails: data, at: [0, 2], arrivals: day 1}\n"                                                         \
       "teams:\n  crews: {size: 10}\n"                                                                                 \
       "repair:\n  mend: {layer: power, team: crews, time: 1 day}\n  racks: {layer: data, time: 1 day}\n"              \
       "couplings:\n  assisted: {while: data.down, multiply: crews.speed, by: " by "}\n"
  test_expect(CENTRES("0 %"), "mean_time_to_repair", "mend", 1.5);
  test_expect(CENTRES("50 %"), "mean_time_to_repair", "mend", 1.25);
  test_expect(CENTRES("100 %"), "mean_time_to_repair", "mend", 1);
}

/* ---- each on and off -----------------------------------------------------------------------------------------------
 */

/* A small town with everything; couplings without effect, which the tests switch on one by one. */
#define TOWN                                                                                                           \
  HEAD "horizon: 200 days\n"                                                                                           \
       "society:\n  people: 400\n  layers:\n"                                                                          \
       "    contacts: {nodes: people, graph: erdos_renyi mean_degree 8}\n"                                             \
       "    online: {nodes: people, graph: barabasi_albert mean_degree 6}\n"                                           \
       "    power: {nodes: 20, serves: people}\n"                                                                      \
       "    telecom: {nodes: 10, needs: power, serves: people}\n"                                                      \
       "    data: {nodes: 5}\n"                                                                                        \
       "incidents:\n  misuse: {starts: outbreak, seeds: 8 people, arrivals: [day 5, day 60]}\n"                        \
       "  claims: {starts: rumour, seeds: 20 people, arrivals: [day 2, day 70]}\n"                                     \
       "  attack: {fails: power, share: 40 %, arrivals: [day 6, day 62]}\n"                                            \
       "  fire: {fails: data, share: 60 %, arrivals: [day 5, day 61]}\n"                                               \
       "hazards:\n  outbreak: {like: seird, layer: contacts, transmission: 0.08/day, fatality: 10 %}\n"                \
       "  rumour: {like: hoax_fact_check, layer: online}\n"                                                            \
       "sensing:\n  clinics: {watches: outbreak.ill, ascertainment: 40 %, report_delay: exponential mean 2 days, "     \
       "false_reports: 0.02/day, alarm: 3 reports in 7 days, clear: 0 reports in 21 days}\n"                           \
       "teams:\n  nurses: {size: 3, members: people, cost: 900 USD/team_day}\n"                                        \
       "  crews: {size: 2, cost: 500 USD/team_day}\n"                                                                  \
       "actions:\n  vaccinate: {like: vaccination, against: outbreak, when: clinics.alarm, until: clinics.clear, "     \
       "team: nurses, service: 4 h, uptake: 80 %, efficacy: 90 %, protection_delay: 1 day, cost: 25 USD/dose}\n"       \
       "repair:\n  grid: {layer: power, team: crews, time: exponential mean 2 days}\n"                                 \
       "  racks: {layer: data, time: exponential mean 20 days}\n"                                                      \
       "couplings:\n"                                                                                                  \
       "  refusal: {while: rumour.believer, multiply: vaccinate.uptake, by: 100 %}\n"                                  \
       "  sick_staff: {while: outbreak.ill, multiply: nurses.present, by: 100 %}\n"                                    \
       "  blackout: {while: power.down, multiply: clinics.ascertainment, by: 100 %}\n"                                 \
       "  no_signal: {while: telecom.unserved, multiply: clinics.ascertainment, by: 100 %}\n"                          \
       "  late: {while: data.down, multiply: clinics.delay, by: 100 %}\n"                                              \
       "  assisted: {while: data.down, multiply: crews.speed, by: 100 %}\n"                                            \
       "arms:\n  base: {}\n  without: {couplings: null}\n"                                                             \
       "  refusal: {couplings.refusal.by: 10 %}\n  sick_staff: {couplings.sick_staff.by: 0 %}\n"                       \
       "  blackout: {couplings.blackout.by: 0 %}\n  no_signal: {couplings.no_signal.by: 0 %}\n"                        \
       "  late: {couplings.late.by: 800 %}\n  assisted: {couplings.assisted.by: 20 %}\n"
#define EPIDEMIC_SIDE "outbreak clinics vaccinate nurses"
#define GRID_SIDE     "power telecom crews grid"

static bool is_of(const struct sim_column *c, const char *words) {
  for (unsigned d = 0; d < c->dims; d++) {
    const char *label = c->at[d].label, *at = label ? strstr(words, label) : NULL;
    size_t n = label ? strlen(label) : 0;
    if (at && (at == words || at[-1] == ' ') && (!at[n] || at[n] == ' ')) return true;
  }
  return false;
}

/* Columns of these entries (NULL: all) that differ between two arms in some of the replicates. */
static size_t differences(const char *arm_a, const char *arm_b, const char *entries) {
  struct test_world a, b;
  size_t n = 0, compared = 0;
  test_world_open_with(&a, TOWN, arm_a, NULL, 0);
  test_world_open_with(&b, TOWN, arm_b, NULL, 0);
  cr_assert_eq(a.columns, b.columns);
  for (uint64_t r = 0; r < 8; r++) {
    test_world_run(&a, r);
    test_world_run(&b, r);
    for (size_t c = 0; c < a.columns; c++) {
      cr_assert_str_eq(a.column[c].variable, b.column[c].variable);
      if (entries && !is_of(&a.column[c], entries)) continue;
      compared++;
      n += !test_same_bits(&a.row.columns[c], &b.row.columns[c], 1);
    }
    if (!entries) n += memcmp(a.row.samples, b.row.samples, a.cells * sizeof *a.row.samples) != 0;
  }
  cr_assert_gt(compared, 0, "no columns of %s", entries);
  test_world_close(&a);
  test_world_close(&b);
  return n;
}

Test(couplings, each_changes_what_it_may_touch_and_nothing_else) {
  static const struct {
    const char *arm, *touched, *untouched;
  } cases[] = {{"refusal", EPIDEMIC_SIDE, "rumour data racks " GRID_SIDE},
               {"sick_staff", EPIDEMIC_SIDE, "rumour data racks " GRID_SIDE},
               {"blackout", EPIDEMIC_SIDE, "rumour data racks " GRID_SIDE},
               {"no_signal", EPIDEMIC_SIDE, "rumour data racks " GRID_SIDE},
               {"late", EPIDEMIC_SIDE, "rumour data racks " GRID_SIDE},
               {"assisted", GRID_SIDE, "rumour data racks " EPIDEMIC_SIDE}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    cr_assert_eq(differences("base", cases[i].arm, cases[i].untouched), 0, "%s", cases[i].arm);
    cr_assert_gt(differences("base", cases[i].arm, cases[i].touched), 0, "%s", cases[i].arm);
  }
}

Test(couplings, without_effect_they_leave_no_trace) {
  cr_assert_eq(differences("base", "without", NULL), 0);
}

static double mean(const char *arm, const char *variable, const char *label) {
  struct test_world t;
  double sum = 0;
  test_world_open_with(&t, TOWN, arm, NULL, 0);
  size_t c = test_column(&t, variable, label);
  for (uint64_t r = 0; r < 8; r++) {
    test_world_run(&t, r);
    sum += isnan(t.row.columns[c]) ? 0 : t.row.columns[c];
  }
  test_world_close(&t);
  return sum / 8;
}

/* Which way they work, by what they act on; that fewer are reported in a blackout is tested above, where reports do not
 * change the outbreak. */
Test(couplings, they_work_the_right_way) {
  cr_assert_gt(mean("refusal", "refused", "vaccinate"), mean("base", "refused", "vaccinate"));
  cr_assert_gt(mean("sick_staff", "absent_days", "nurses"), mean("base", "absent_days", "nurses"));
  cr_assert_gt(mean("late", "first_alarm", "clinics"), mean("base", "first_alarm", "clinics"));
  cr_assert_gt(mean("assisted", "mean_time_to_repair", "grid"), mean("base", "mean_time_to_repair", "grid"));
}

/* ---- the shipped scenario ------------------------------------------------------------------------------------------
 */

enum { WORLDS = 16 };

/* The outbreak's final size in an arm of scenarios/vaccine_refusal.yaml with fewer people, over replicates. */
static void final_sizes(const char *arm, const char *refusal, double size[WORLDS]) {
  const struct sim_patch patch[] = {
      {"society.people", "2000"}, {"teams.vaccinators.size", "2"}, {"couplings.refusal.by", refusal}};
  struct test_world t;
  char text[1 << 14] = "";
  FILE *f = fopen(AIRESIM_SOURCE_DIR "/scenarios/vaccine_refusal.yaml", "rb");
  cr_assert(f && fread(text, 1, sizeof text - 1, f) > 0);
  fclose(f);
  test_world_open_with(&t, text, arm, patch, 3);
  size_t c = test_column(&t, "final_size", "outbreak");
  for (uint64_t r = 0; r < WORLDS; r++) {
    test_world_run(&t, r);
    size[r] = t.row.columns[c];
  }
  test_world_close(&t);
}

/* Standard errors by which b exceeds a, world by world; 0 where they are equal. */
static double excess(const double a[WORLDS], const double b[WORLDS]) {
  double sum = 0, squares = 0;
  for (int r = 0; r < WORLDS; r++) sum += (b[r] - a[r]) / WORLDS;
  for (int r = 0; r < WORLDS; r++) squares += (b[r] - a[r] - sum) * (b[r] - a[r] - sum);
  return squares > 0 ? sum / sqrt(squares / (WORLDS - 1) / WORLDS) : 0;
}

Test(couplings, believers_refuse_and_the_outbreak_grows, .timeout = 60) {
  double without[WORLDS], with[WORLDS], idle[WORLDS];
  final_sizes("no_rumour", "40 %", without);
  final_sizes("rumour", "40 %", with);
  final_sizes("rumour", "100 %", idle);
  cr_assert_gt(excess(without, with), 3, "%g", excess(without, with));
  cr_assert_eq(excess(without, idle), 0); /* a rumour that nobody acts on changes no illness, to the bit */
}
