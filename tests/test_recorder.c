/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recorder against hand-made worlds: every move, incident and signal is written here, so every number is known. */
#include "recorder_world.h"
#include "sim/core/recorder_declared.h"
#include "sim/core/server.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Bruneau: case A25 ------------------------------------------------------------------------------------------ */

Test(recorder, step_restoration_by_three_crews) {
  struct fixture f;
  struct sim_value levels[4], both[2];
  units(&f, 10, 10);
  set_recovery(&f, levels, both, (const double[]){50, 100, 0}, 1);
  open_run(&f);
  start(&f);
  begun(&f);
  set_up(&f, 0);
  for (uint32_t h = 1; h <= 4; h++) {
    at(&f, h);
    set_up(&f, h < 4 ? 3 * h : 10);
  }
  finish(&f);
  close_to(at_label(&f, "person_days", "power", 0), 22, 1e-12, "lost unit-time");
  close_to(scalar(&f, "resilience_loss"), 2.2, 1e-12, "area");
  close_to(1 - scalar(&f, "resilience_loss") / 10, 0.78, 1e-12, "mean Q");
  close_to(at_label(&f, "population_resilience_loss", "power", 0), 2.2, 1e-12, "area of the population");
  close_to(scalar(&f, "robustness"), 0, 0, "robustness");
  close_to(scalar(&f, "rapidity"), 0.25, 1e-12, "1 over 4 days");
  close_to(level(&f, "time_to_recover", 50), 2, 0, "50 %");
  close_to(level(&f, "time_to_recover", 100), 4, 0, "100 %");
  close_to(at_label(&f, "peak_load", "power", 0), 10, 0, "peak");
  close_to(at_label(&f, "final_size", "power", 0), 10, 0, "final size");
  close_to(at_label(&f, "time_to_contain", "power", 0), 0, 0, "contained at once");
  close_to(scalar(&f, "observed_time"), 10, 0, "observed");
  close_run(&f);
}

/* Q drops from 100 to 40 at 2, is flat to 5, then rises to 100 at 11, here in 60 steps centred on the ramp. `cuts`: the
 * clock is also stopped that often, at instants at which nothing happens. */
static void trapezoid(struct fixture *f, unsigned cuts) {
  start(f);
  begun(f);
  at(f, 2);
  set_up(f, 40);
  for (unsigned k = 0; k < 60; k++) {
    double now = 5 + (2 * k + 1) / 20.0, last = sim_days(f->run.now);
    for (unsigned c = 1; c <= cuts; c++) at(f, last + (now - last) * c / (cuts + 1));
    at(f, now);
    set_up(f, 41 + k);
  }
  finish(f);
}

Test(recorder, trapezoid) {
  struct fixture f;
  struct sim_value levels[4], both[2];
  units(&f, 100, 20);
  set_recovery(&f, levels, both, (const double[]){30, 50, 100, 0}, 2);
  open_run(&f);
  trapezoid(&f, 0);
  close_to(scalar(&f, "resilience_loss") * 100, 360, 1e-8, "area lost");
  close_to(1 - at_label(&f, "person_days", "power", 0) / 100 / 20, 0.82, 1e-10, "mean over 20");
  close_to(scalar(&f, "episode_start"), 2, 0, "start");
  close_to(level(&f, "status", 30), 4, 0, "never below 30 %");
  close_to(level(&f, "time_to_recover", 50), 3.95, 1e-11, "50 %");
  close_to(level(&f, "time_to_recover", 100), 8.95, 1e-11, "100 %");
  close_to(scalar(&f, "rapidity"), 0.6 / 8.95, 1e-11, "slope");

  double *once = calloc(f.w.columns, sizeof *once);
  memcpy(once, f.row.columns, f.w.columns * sizeof *once);
  trapezoid(&f, 3);
  cr_assert_eq(memcmp(once, f.row.columns, f.w.columns * sizeof *once), 0, "results depend on how time is cut");
  free(once);
  close_run(&f);
}

/* ---- statuses ---------------------------------------------------------------------------------------------------- */

/* Level 50 %, hold 10 days, horizon 100 days. */
struct step {
  double day;
  uint32_t percent;
};
struct status_case {
  const char *name;
  struct step step[6]; /* ended by day 0 */
  double status, time, relapses, below;
};
static const double one_tick = 1 / SIM_TICKS_PER_DAY;
static const struct status_case cases[] = {
    {"held", {{10, 40}, {20, 100}}, 0, 10, 0, 10},
    {"relapsed, then held", {{10, 40}, {20, 60}, {25, 40}, {30, 60}}, 1, 20, 1, 15},
    {"relapsed and censored", {{10, 40}, {20, 60}, {25, 40}}, 2, NAN, 1, 85},
    {"relapsed, last window too short", {{10, 40}, {20, 60}, {25, 40}, {95, 60}}, 2, NAN, 1, 80},
    {"censored", {{10, 40}}, 3, NAN, 0, 90},
    {"window shorter than hold at the horizon", {{10, 40}, {95, 100}}, 3, NAN, 0, 85},
    {"window ends exactly at the horizon", {{10, 40}, {90, 100}}, 0, 80, 0, 80},
    {"window a tick short", {{10, 40}, {90 + 1 / SIM_TICKS_PER_DAY, 100}}, 3, NAN, 0, 80},
    {"window of exactly the hold", {{10, 40}, {20, 60}, {30, 40}}, 0, 10, 1, 80},
    {"broken a tick early", {{10, 40}, {20, 60}, {30 - 1 / SIM_TICKS_PER_DAY, 40}}, 2, NAN, 1, 80},
    {"exactly at the level", {{10, 40}, {20, 50}}, 0, 10, 0, 10},
    {"one unit below the level", {{10, 40}, {20, 49}}, 3, NAN, 0, 90},
    {"never below the level", {{10, 80}}, 4, NAN, 0, 0},
    {"falls to exactly the level", {{10, 50}}, 4, NAN, 0, 0},
    {"never degraded", {{0, 0}}, 4, NAN, 0, 0},
    {"long above the level before the fall", {{10, 80}, {40, 30}, {50, 70}}, 0, 40, 0, 10},
    {"back within an instant", {{10, 40}, {20, 60}, {25, 40}, {25, 60}}, 0, 10, 0, 10},
    {"down and up within an instant", {{10, 40}, {10, 100}}, 4, NAN, 0, 0},
    {"falls again after recovery", {{10, 40}, {20, 60}, {60, 40}, {70, 60}, {80, 0}}, 0, 10, 2, 40},
    {"recovers at the horizon itself", {{10, 40}, {100, 100}}, 3, NAN, 0, 90},
};

Test(recorder, statuses) {
  struct fixture f;
  struct sim_value levels[4], both[2];
  units(&f, 100, 100);
  set_recovery(&f, levels, both, (const double[]){50, 0}, 10);
  open_run(&f);
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    const struct status_case *k = &cases[c];
    start(&f);
    begun(&f);
    for (const struct step *s = k->step; s < k->step + 6 && s->day > 0; s++) {
      at(&f, s->day);
      set_up(&f, s->percent);
    }
    finish(&f);
    close_to(level(&f, "status", 50), k->status, 0, k->name);
    cr_assert_eq(isnan(level(&f, "time_to_recover", 50)), isnan(k->time), "%s", k->name);
    if (!isnan(k->time)) close_to(level(&f, "time_to_recover", 50), k->time, 0, k->name);
    close_to(level(&f, "relapses", 50), k->relapses, 0, k->name);
    close_to(level(&f, "time_below", 50), k->below, 2 * one_tick, k->name);
  }
  close_run(&f);
}

Test(recorder, never_degraded_and_failed_runs) {
  struct fixture f;
  units(&f, 100, 100);
  open_run(&f);
  start(&f);
  begun(&f);
  finish(&f);
  cr_assert(isnan(scalar(&f, "episode_start")) && isnan(scalar(&f, "observed_time")) && isnan(scalar(&f, "rapidity")));
  cr_assert(isnan(at_label(&f, "time_to_contain", "power", 0)) && isnan(at_label(&f, "peak_time", "power", 0)));
  close_to(scalar(&f, "robustness"), 1, 0, "robustness");
  close_to(scalar(&f, "resilience_loss"), 0, 0, "loss");
  close_to(level(&f, "status", 30), 4, 0, "the default levels");
  close_to(level(&f, "status", 90), 4, 0, "the default levels");
  cr_assert_eq(f.row.samples[100], 0);

  start(&f);
  begun(&f);
  at(&f, 3);
  set_up(&f, 20);
  strcpy(f.run.error, "broken");
  finish(&f);
  close_to(level(&f, "status", 60), 5, 0, "failed");
  cr_assert(isnan(scalar(&f, "resilience_loss")) && isnan(scalar(&f, "incidents")));
  cr_assert_eq(f.row.samples[0], SIM_SERIES_MISSING);
  close_run(&f);
}

/* ---- entries of measures.declared -------------------------------------------------------------------------------- */

enum { FIELDS = 16 };
struct declaration {
  struct sim_value field[FIELDS], at[4];
};

/* An entry with every field absent. */
static struct sim_value declaration(struct declaration *d, const char *name) {
  for (size_t i = 0; i < FIELDS; i++) {
    cr_assert_not_null(sim_declared_params[i].name);
    d->field[i] = (struct sim_value){.name = sim_declared_params[i].name, .path = sim_declared_params[i].name};
  }
  cr_assert_null(sim_declared_params[FIELDS].name);
  return mapping(name, d->field, FIELDS);
}
static struct sim_value *field(struct declaration *d, const char *name) {
  for (size_t i = 0; i < FIELDS; i++)
    if (strcmp(d->field[i].name, name) == 0) return &d->field[i];
  cr_assert_fail("no field %s", name);
  return NULL;
}
static void set_name(struct declaration *d, const char *name, const char *text) {
  field(d, name)->form = SIM_NAME;
  field(d, name)->text = text;
}
static void set_test(struct declaration *d, const char *name, const char *path, char op, double x, bool share) {
  struct sim_value *v = field(d, name);
  v->form = SIM_TEST;
  v->text = path;
  v->op = op;
  v->number = x;
  v->share = share;
}
static void set_at(struct declaration *d, const char *name, double days) {
  field(d, name)->form = SIM_AT;
  field(d, name)->number = days;
}
static void set_at_list(struct declaration *d, const double *days, size_t n) {
  for (size_t i = 0; i < n; i++)
    d->at[i] = (struct sim_value){.name = "", .path = "at", .form = SIM_AT, .number = days[i]};
  *field(d, "at") = list("at", d->at, n);
}

/* ---- the episode's start, incidents, alarms --------------------------------------------------------------------- */

Test(recorder, episode_and_detection) {
  struct fixture f;
  units(&f, 100, 100);
  const struct sim_instance *storm = add_instance(&f, &incident, "storm");
  const struct sim_instance *clinic = add_instance(&f, &sensor, "clinic");
  open_run(&f);
  /* A loss before the first incident is no episode until that comes; alarms before it detect nothing. */
  start(&f);
  begun(&f);
  at(&f, 5);
  set_up(&f, 99);
  sim_recorder_signal(&f.run, clinic, 0);
  at(&f, 20);
  sim_recorder_incident(&f.run, storm);
  at(&f, 30);
  sim_recorder_signal(&f.run, clinic, 1); /* clear */
  sim_recorder_signal(&f.run, storm, 0);  /* not a sensor's */
  sim_recorder_incident(&f.run, storm);
  at(&f, 33);
  sim_recorder_signal(&f.run, clinic, 0);
  at(&f, 40);
  sim_recorder_signal(&f.run, clinic, 0);
  finish(&f);
  close_to(scalar(&f, "episode_start"), 20, 0, "with the incident");
  close_to(scalar(&f, "incidents"), 2, 0, "incidents");
  close_to(scalar(&f, "time_to_detect"), 13, 0, "first alarm");
  close_to(scalar(&f, "resilience_loss"), 0.8, 1e-12, "from the start only");
  close_to(at_label(&f, "person_days", "power", 0), 95, 1e-12, "of the whole run");

  /* An alarm between incident and first loss: detected at once. */
  start(&f);
  begun(&f);
  at(&f, 10);
  sim_recorder_incident(&f.run, storm);
  at(&f, 12);
  sim_recorder_signal(&f.run, clinic, 0);
  at(&f, 15);
  set_up(&f, 10);
  finish(&f);
  close_to(scalar(&f, "episode_start"), 15, 0, "first loss");
  close_to(scalar(&f, "time_to_detect"), 0, 0, "alarm before the loss");

  /* Losses without any incident. */
  start(&f);
  begun(&f);
  set_up(&f, 10);
  finish(&f);
  cr_assert(isnan(scalar(&f, "episode_start")) && isnan(scalar(&f, "time_to_detect")));
  close_to(scalar(&f, "incidents"), 0, 0, "none");
  close_run(&f);
}

Test(recorder, loads_and_containment) {
  static char *names[] = {"susceptible", "exposed", "ill", "immune"};
  static double share[] = {1, 1, 1, 1};
  static uint8_t active[] = {0, 1, 1, 0};
  struct fixture f;
  init(&f, 100);
  add_population(&f, "people", 50, NULL);
  add_machine(&f, "flu", 0, 4, names, share, active);
  struct sim_value ill = number("ill", 0.5), flu = mapping("flu", &ill, 1), people = mapping("people", &flu, 1);
  set_section(&f, mapping("functionality", &people, 1));
  static struct declaration d;
  struct sim_value entry = declaration(&d, "cases");
  set_name(&d, "entries", "flu.ill");
  set_section(&f, mapping("declared", &entry, 1));
  open_run(&f);
  for (int again = 0; again < 2; again++) {
    start(&f);
    place(&f, 0, 0, 2); /* ill from the start: affected, active */
    begun(&f);
    at(&f, 10);
    for (uint32_t i = 0; i < 6; i++) place(&f, 0, i, 1); /* 0 for a second time */
    at(&f, 20);
    for (uint32_t i = 0; i < 6; i++) place(&f, 0, i, 2);
    at(&f, 30);
    for (uint32_t i = 0; i < 6; i++) place(&f, 0, i, 3);
    finish(&f);
    close_to(at_label(&f, "peak_load", "flu", 0), 6, 0, "peak");
    close_to(at_label(&f, "peak_time", "flu", 0), 10, 0, "when");
    close_to(at_label(&f, "time_to_contain", "flu", 0), 10, 0, "since 0");
    close_to(at_label(&f, "final_size", "flu", 0), 6, 0, "distinct");
    close_to(at_label(&f, "person_days", "flu", 0), 10 + 6 * 20, 1e-12, "person-days");
    close_to(scalar(&f, "cases"), 6, 0, "moves; not who was placed");
    close_to(scalar(&f, "robustness"), 1 - 6 * 0.5 / 50, 1e-15, "six at half");
    close_to(scalar(&f, "resilience_loss"), (10 * 0.5 + 6 * 10 * 0.5) / 50, 1e-12, "loss");
  }
  close_run(&f);
}

/* ---- functionality ---------------------------------------------------------------------------------------------- */

/* Entities in three machines with awkward weights: the running total is that computed afresh, and exactly full after
 * everyone is back. */
Test(recorder, product_of_machines_returns_to_one) {
  static char *names[] = {"rest", "a", "b"};
  static double share[3][3] = {{1, 1 / 3.0, 0.7}, {1, 0.123456789, 0.9}, {0.999, 0.1, 1}};
  static uint32_t weight[20];
  for (uint32_t i = 0; i < 20; i++) weight[i] = 1 + i * i;
  struct fixture f;
  init(&f, 1000);
  add_population(&f, "people", 20, weight);
  for (int m = 0; m < 3; m++) add_machine(&f, (const char *[]){"x", "y", "z"}[m], 0, 3, names, share[m], NULL);
  open_run(&f);
  start(&f);
  begun(&f);
  srand(7);
  for (int k = 1; k < 900; k++) {
    at(&f, k);
    place(&f, (uint32_t)rand() % 3, (uint32_t)rand() % 20, (uint8_t)(rand() % 3));
    int64_t total = 0;
    for (uint32_t i = 0; i < 20; i++) {
      double product = 1;
      for (int m = 0; m < 3; m++) product *= nearbyint(share[m][f.machine_run[m].entity[i].state] * 1e6) / 1e6;
      total += (int64_t)nearbyint(product * 1e6) * weight[i];
    }
    cr_assert_eq(f.run.recorder->gauge[0].value, total, "after move %d", k);
  }
  at(&f, 950);
  for (uint32_t m = 0; m < 3; m++)
    for (uint32_t i = 0; i < 20; i++) place(&f, m, i, m == 2 ? 2 : 0);
  finish(&f);
  cr_assert_eq(sim_society_now(f.run.recorder), f.w.recorder->full);
  cr_assert_eq(f.row.samples[100], 0);
  close_run(&f);
}

/* Three populations of unlike sizes: 1 - .5/10 - .3 2/20 - .2 4/40 is 0.9 exactly, which doubles do not see. */
Test(recorder, society_is_compared_exactly) {
  struct fixture f;
  struct sim_value levels[4], both[2];
  init(&f, 100);
  add_population(&f, "people", 10, NULL);
  add_population(&f, "power", 20, NULL);
  add_population(&f, "water", 40, NULL);
  for (uint32_t p = 0; p < 3; p++) add_machine(&f, f.population[p].name, p, 2, up_down, up_down_share, NULL);
  struct sim_value weights[3] = {number("people", 0.5), number("power", 0.3), number("water", 0.2)};
  set_section(&f, mapping("weights", weights, 3));
  set_recovery(&f, levels, both, (const double[]){90, 0}, 5);
  open_run(&f);
  for (int over = 0; over < 2; over++) {
    start(&f);
    begun(&f);
    at(&f, 10);
    for (uint32_t p = 0; p < 3; p++)
      for (uint32_t i = 0; i < (1u << p); i++) place(&f, p, i, 1);
    if (over) place(&f, 2, 39, 1);
    at(&f, 20);
    for (uint32_t i = 0; i < 40; i++) place(&f, 2, i, 0);
    for (uint32_t i = 0; i < 20; i++) place(&f, 1, i, 0);
    place(&f, 0, 0, 0);
    finish(&f);
    close_to(level(&f, "status", 90), over ? 0 : 4, 0, over ? "a 40th more" : "exactly at the level");
    close_to(scalar(&f, "robustness"), over ? 0.895 : 0.9, 1e-15, "robustness");
    close_to(scalar(&f, "resilience_loss"), over ? 1.05 : 1, 1e-12, "loss");
    close_to(at_label(&f, "population_robustness", "water", 0), over ? 0.875 : 0.9, 1e-15, "water");
  }
  close_run(&f);
}

/* Totals whose common denominator has 90 bits: weights are rounded, but full is full and nothing else is. */
Test(recorder, society_of_unlike_large_populations) {
  static const uint32_t weight[3][2] = {{999999936, 1}, {999999928, 1}, {999999892, 1}};
  struct fixture f;
  init(&f, 10);
  for (uint32_t p = 0; p < 3; p++) {
    const char *name = (const char *[]){"a", "b", "c"}[p];
    add_population(&f, name, 2, weight[p]);
    add_machine(&f, name, p, 2, up_down, up_down_share, NULL);
  }
  open_run(&f);
  start(&f);
  begun(&f);
  at(&f, 1);
  place(&f, 2, 1, 1); /* a loss of 3.3e-10 */
  at(&f, 2);
  cr_assert_lt(sim_society_now(f.run.recorder), f.w.recorder->full);
  place(&f, 0, 0, 1);
  place(&f, 0, 1, 1);
  at(&f, 3);
  for (uint32_t p = 0; p < 3; p++)
    for (uint32_t i = 0; i < 2; i++) place(&f, p, i, 0);
  finish(&f);
  cr_assert_eq(sim_society_now(f.run.recorder), f.w.recorder->full);
  close_to(scalar(&f, "episode_start"), 1, 0, "the smallest loss counts");
  close_to(scalar(&f, "robustness"), 2 / 3.0, 1e-9, "one of three");
  close_to(scalar(&f, "resilience_loss"), (1 + 2e-9) / 3, 1e-9, "loss");
  close_run(&f);
}

/* Samples are those after the events of their time, roots of what is lost, rounded up: 0 only if nothing is lost. */
Test(recorder, samples) {
  struct fixture f;
  units(&f, 3000, 10);
  set_section(&f, number("samples", 10));
  open_run(&f);
  start(&f);
  begun(&f);
  at(&f, 3);
  set_up(&f, 2999);
  at(&f, 6);
  set_up(&f, 1500);
  at(&f, 8.5);
  set_up(&f, 0);
  at(&f, 10);
  set_up(&f, 3000);
  finish(&f);
  /* 1000 sqrt(1/3000) = 18.3, 1000 sqrt(1/2) = 707.1 */
  const uint16_t expected[11] = {0, 0, 0, 19, 19, 19, 708, 708, 708, 1000, 0};
  for (int s = 0; s < 3; s++)
    for (int k = 0; k < 11; k++)
      cr_assert_eq(f.row.samples[s * 11 + k], expected[k], "series %d at %d: %d", s, k, f.row.samples[s * 11 + k]);
  close_run(&f);
}

/* ---- declared measures ------------------------------------------------------------------------------------------ */

/* 100 units, horizon 100 days: all up; 40 up on [10, 20); 99 up on [20, 50); all up; and an observable of 5 on [30,
 * 60).
 */
static void declared_course(struct fixture *f, uint32_t queue) {
  start(f);
  begun(f);
  at(f, 10);
  set_up(f, 40);
  at(f, 20);
  set_up(f, 99);
  at(f, 30);
  observe(f, queue, 5);
  at(f, 50);
  set_up(f, 100);
  at(f, 60);
  observe(f, queue, 0);
  finish(f);
}

Test(recorder, declared_measures) {
  static struct declaration d[16];
  struct sim_value entry[16];
  size_t n = 0;
  struct fixture f;
  units(&f, 100, 100);
  uint32_t queue = add_observable(&f, &f.instance[0], "unserved", SIM_NONE);
#define DECLARE(name) entry[n] = declaration(&d[n], name), n++
  DECLARE("down_at");
  set_name(&d[n - 1], "count", "power.down");
  set_at_list(&d[n - 1], (const double[]){100, 10, 19.5, 0}, 4);
  DECLARE("first_down");
  set_test(&d[n - 1], "first", "power.down", '>', 0.01, true); /* more than 1 of 100 */
  DECLARE("last_down");
  set_test(&d[n - 1], "last", "power.down", 'g', 0.01, true);
  DECLARE("last_up");
  set_test(&d[n - 1], "last", "power.down", '=', 0, false);
  DECLARE("never");
  set_test(&d[n - 1], "last", "power.down", '>', 60, false);
  DECLARE("share_down");
  set_test(&d[n - 1], "share_of_time", "power.down", '>', 0, false);
  set_at(&d[n - 1], "from", 40);
  DECLARE("first_again");
  set_test(&d[n - 1], "first", "power.down", '>', 0, false);
  set_at(&d[n - 1], "from", 15);
  DECLARE("down_days");
  set_name(&d[n - 1], "integral", "power.down");
  DECLARE("queue_mean");
  set_name(&d[n - 1], "average", "power.unserved");
  set_at(&d[n - 1], "from", 50);
  DECLARE("most_down");
  set_name(&d[n - 1], "maximum", "power.down");
  set_at(&d[n - 1], "from", 20);
  DECLARE("failures");
  set_name(&d[n - 1], "entries", "power.down");
#undef DECLARE
  set_section(&f, mapping("declared", entry, n));
  open_run(&f);
  for (int again = 0; again < 2; again++) {
    declared_course(&f, queue);
    close_to(at_label(&f, "down_at", NULL, 0), 0, 0, "at the start");
    close_to(at_label(&f, "down_at", NULL, 10), 60, 0, "after the events of its time");
    close_to(at_label(&f, "down_at", NULL, 19.5), 60, 0, "between events");
    close_to(at_label(&f, "down_at", NULL, 100), 0, 0, "at the horizon");
    close_to(scalar(&f, "first_down"), 10, 0, "first");
    close_to(scalar(&f, "last_down"), 50, 0, "ceased");
    close_to(scalar(&f, "last_up"), 100, 0, "still true");
    cr_assert(isnan(scalar(&f, "never")));
    close_to(scalar(&f, "share_down"), 10.0 / 60, 1e-15, "share");
    close_to(scalar(&f, "first_again"), 15, 0, "true when it begins to measure");
    close_to(scalar(&f, "down_days"), 60 * 10 + 30, 0, "integral");
    close_to(scalar(&f, "queue_mean"), 5 * 10 / 50.0, 1e-15, "average");
    close_to(scalar(&f, "most_down"), 1, 0, "maximum since");
    close_to(scalar(&f, "failures"), 60, 0, "entries");
  }
  close_run(&f);
}

Test(recorder, giant_component) {
  static struct declaration d[2];
  struct sim_value entry[2] = {declaration(&d[0], "connected"), declaration(&d[1], "whole")};
  const uint32_t path[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 5};
  struct fixture f;
  units(&f, 6, 10);
  f.layer[0] = (struct sim_layer){.name = "grid", .population = 0};
  f.w.layers = 1;
  cr_assert_eq(sim_graph_from_edges(&f.graph[0], 6, false, path, NULL, 5), 0);
  set_name(&d[0], "giant", "grid");
  set_name(&d[0], "state", "power.up");
  set_at_list(&d[0], (const double[]){1, 5}, 2);
  set_name(&d[1], "giant", "grid");
  set_at_list(&d[1], (const double[]){5}, 1);
  set_section(&f, mapping("declared", entry, 2));
  open_run(&f);
  start(&f);
  begun(&f);
  at(&f, 2);
  place(&f, 0, 2, 1);
  finish(&f);
  close_to(at_label(&f, "connected", NULL, 1), 6, 0, "all");
  close_to(at_label(&f, "connected", NULL, 5), 3, 0, "cut at node 2");
  close_to(at_label(&f, "whole", NULL, 5), 6, 0, "any state");
  sim_graph_free(f.graph[0]);
  close_run(&f);
}

/* Each wrong entry is reported once, with what would be right. */
Test(recorder, wrong_declarations) {
  static struct declaration d[9];
  struct sim_value entry[9];
  const char *names[9] = {"status", "unknown", "none", "two", "late", "signal", "odd", "no_share", "attack_rate"};
  const char *texts[9] = {"another variable",  "nearest: power.down", "exactly one",
                          "exactly one",       "after the end",       "not known",
                          "no meaning beside", "no population",       "another variable"};
  struct fixture f;
  units(&f, 100, 100);
  add_observable(&f, &f.instance[0], "unserved", SIM_NONE);
  for (int i = 0; i < 9; i++) entry[i] = declaration(&d[i], names[i]);
  set_name(&d[0], "entries", "power.down");
  set_name(&d[1], "integral", "power.donw");
  set_name(&d[3], "integral", "power.down");
  set_name(&d[3], "maximum", "power.down");
  set_name(&d[4], "count", "power.down");
  set_at(&d[4], "at", 101);
  set_name(&d[5], "maximum", "power.down");
  field(&d[5], "from")->form = SIM_AT;
  field(&d[5], "from")->text = "clinic.alarm";
  set_name(&d[6], "entries", "power.down");
  set_at(&d[6], "from", 1);
  set_test(&d[7], "first", "power.unserved", '>', 0.1, true);
  set_name(&d[8], "entries", "power.down");
  set_section(&f, mapping("declared", entry, 9));
  cr_assert_eq(plan(&f), SIM_ERR_INPUT);
  cr_assert_eq(f.diag.n, 9, "%zu messages", f.diag.n);
  for (int i = 0; i < 9; i++)
    cr_assert_not_null(strstr(f.diag.items[i].text, texts[i]), "%s: %s", names[i], f.diag.items[i].text);
  sim_diag_free(&f.diag);
  sim_free(f.w.column);
  sim_recorder_plan_free(f.w.recorder);
}

Test(recorder, wrong_names) {
  struct fixture f;
  struct sim_value state = number("dwn", 0.5), instance = mapping("power", &state, 1),
                   other = mapping("powr", &state, 1);
  struct sim_value instances[2] = {instance, other},
                   population[2] = {mapping("power", instances, 2), mapping("x", NULL, 0)};
  struct sim_value weight = number("pwer", 1), levels[4], both[2];
  units(&f, 100, 100);
  set_section(&f, mapping("functionality", population, 2));
  set_section(&f, mapping("weights", &weight, 1));
  set_recovery(&f, levels, both, (const double[]){50, 50, 0}, 10);
  cr_assert_eq(plan(&f), SIM_ERR_INPUT);
  const char *texts[] = {"no state 'dwn'; nearest: down", "no hazard or layer", "no population 'x'",
                         "no population 'pwer'",          "add up to 0",        "listed twice"};
  cr_assert_eq(f.diag.n, 6, "%zu", f.diag.n);
  for (int i = 0; i < 6; i++) cr_assert_not_null(strstr(f.diag.items[i].text, texts[i]), "%s", f.diag.items[i].text);
  sim_diag_free(&f.diag);
  sim_free(f.w.column);
}

/* ---- waits: a real server with a small calendar of its own ------------------------------------------------------- */

struct pending {
  int64_t tick;
  unsigned kind;
  uint32_t n;
  sim_handle *handle;
};
static struct pending calendar[16];
static size_t calendar_n;

static void schedule(struct sim_run *run, const struct sim_instance *self, unsigned kind, uint32_t entity, uint32_t n,
                     int64_t tick, sim_handle *handle) {
  (void)run, (void)self, (void)entity;
  if (tick == SIM_NEVER) return;
  calendar[calendar_n++] = (struct pending){tick, kind, n, handle};
  if (handle) *handle = (sim_handle)calendar_n;
}
static void cancel(struct sim_run *run, sim_handle *handle) {
  (void)run;
  if (*handle) calendar[*handle - 1].tick = SIM_NEVER;
  *handle = 0;
}
static void no_observe(struct sim_run *run, uint32_t observable, int64_t value) {
  (void)run, (void)observable, (void)value;
}
static void no_fail(struct sim_run *run, const char *fmt, ...) {
  (void)run, (void)fmt;
  cr_assert_fail("the server failed");
}
static void no_served(struct sim_run *run, const struct sim_instance *owner, const struct sim_job *job) {
  (void)run, (void)owner, (void)job;
}
static void no_dropped(struct sim_run *run, const struct sim_instance *owner, const struct sim_job *job, bool left) {
  (void)run, (void)owner, (void)job, (void)left;
}
static bool no_pull(struct sim_run *run, const struct sim_instance *owner, struct sim_job *job) {
  (void)run, (void)owner, (void)job;
  return false;
}

/* Works off the calendar up to the horizon. */
static void serve(struct fixture *f, struct sim_server *server) {
  for (;;) {
    struct pending *next = NULL;
    for (size_t i = 0; i < calendar_n; i++)
      if (calendar[i].tick <= f->w.horizon && (!next || calendar[i].tick < next->tick)) next = &calendar[i];
    if (!next) return;
    at_tick(f, next->tick);
    next->tick = SIM_NEVER;
    if (next->handle) *next->handle = 0;
    sim_server_event(server, next->kind, next->n);
  }
}

/* Five jobs of 2 days for one crew: waits 0, 2, 4, 6, 8; one of class 1 comes last. Places for six days of work and
 * twelve of time. */
Test(recorder, waits) {
  static struct declaration d[7];
  const char *names[7] = {"mean_wait",    "sd_wait",   "long_waits", "jobs_served",
                          "jobs_dropped", "crew_busy", "late_class"};
  const char *of[7] = {NULL, "sd", "share_above", "served", "dropped", "busy_share", "mean"};
  struct sim_value entry[7], size = number("size", 1);
  const struct sim_server_calls calls = {sim_now, schedule,  cancel,     no_observe,
                                         no_fail, no_served, no_dropped, no_pull};
  struct fixture f;
  units(&f, 5, 20);
  struct sim_instance *crew = add_instance(&f, &incident, "crew");
  crew->server = 0;
  struct sim_server_plan server = {
      .self = crew, .spec = {.size = &size, .speed = 1, .room = (double)INFINITY}, .busy = SIM_NONE, .queue = SIM_NONE};
  struct sim_server_plan *servers[1] = {&server};
  f.w.server = servers;
  f.w.servers = 1;
  for (int c = 0; c < 2; c++)
    cr_assert_eq(sim_server_plan_owner(&server, &f.instance[0], c, "fifo", false, &size, &f.diag), 0);
  for (int i = 0; i < 7; i++) {
    entry[i] = declaration(&d[i], names[i]);
    set_name(&d[i], "waits", "crew");
    if (of[i]) set_name(&d[i], "of", of[i]);
  }
  *field(&d[2], "above") = number("above", 4);
  *field(&d[6], "priority") = number("priority", 1);
  set_section(&f, mapping("declared", entry, 7));
  open_run(&f);
  cr_assert_eq(sim_server_plan_seal(&server), 0);
  struct sim_server *open[1];
  f.run.server = open;
  cr_assert_eq(sim_server_open(&open[0], &server, &f.run, &calls), 0);
  const struct sim_rng rng = {{1, 2}};
  calendar_n = 0;
  start(&f);
  sim_server_begin(open[0], &rng);
  begun(&f);
  for (uint32_t i = 0; i < 5; i++) {
    struct sim_job job = {.entity = i, .service = sim_ticks(2), .priority = i == 0};
    sim_server_submit(open[0], &f.instance[0], &job);
  }
  serve(&f, open[0]);
  sim_server_settle(open[0], f.w.horizon);
  finish(&f);
  close_to(scalar(&f, "mean_wait"), 4, 1e-12, "mean");
  close_to(scalar(&f, "sd_wait"), sqrt(10), 1e-12, "sd");
  close_to(scalar(&f, "long_waits"), 0.4, 1e-15, "longer than 4 days");
  close_to(scalar(&f, "jobs_served"), 5, 0, "served");
  close_to(scalar(&f, "jobs_dropped"), 0, 0, "dropped");
  close_to(scalar(&f, "crew_busy"), 0.5, 1e-12, "10 of 20 days");
  close_to(scalar(&f, "late_class"), 8, 1e-12, "behind the first class");
  sim_server_close(open[0]);
  sim_server_plan_free(&server);
  close_run(&f);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void *failing(void *ctx, void *ptr, size_t size) {
  int *left = ctx;
  if (size && (*left)-- <= 0) return NULL;
  if (size) return realloc(ptr, size);
  free(ptr);
  return NULL;
}

/* Every allocation of planning and opening fails once; nothing leaks and the code says so. */
Test(recorder, out_of_memory) {
  static struct declaration d[2];
  for (int n = 0; n < 200; n++) {
    struct fixture f;
    struct sim_value entry[2] = {declaration(&d[0], "down_days"), declaration(&d[1], "down_at")};
    units(&f, 10, 10);
    set_name(&d[0], "integral", "power.down");
    set_name(&d[1], "count", "power.down");
    set_at_list(&d[1], (const double[]){1, 2}, 2);
    set_section(&f, mapping("declared", entry, 2));
    int left = n;
    sim_mem_set(failing, &left);
    int ret = plan(&f);
    if (!ret) ret = sim_recorder_create(&f.run.recorder, &f.w);
    sim_mem_set(NULL, NULL);
    cr_assert(ret == 0 || ret == SIM_ERR_MEMORY, "%d at allocation %d", ret, n);
    close_run(&f);
    if (!ret) return;
  }
  cr_assert_fail("needs more than 200 allocations");
}
