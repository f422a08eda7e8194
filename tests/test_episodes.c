/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Episodes, groups and the twin run, by hand: the numbers beside each case follow from its few lines. */
#include "recorder_world.h"
#include "worlds.h"

static const double tick = 1 / SIM_TICKS_PER_DAY;

/* A number of episode e (from 1), at a level in per cent or, for those without, 0. */
static double of_episode(const struct fixture *f, const char *variable, double e, double percent) {
  for (size_t c = 0; c < f->w.columns; c++) {
    const struct sim_column *k = &f->w.column[c];
    if (strcmp(k->variable, variable) != 0 || fabs(k->at[0].coordinate - e) > 1e-9) continue;
    if (k->dims == 1 || fabs(k->at[1].coordinate - percent / 100) < 1e-9) return f->row.columns[c];
  }
  cr_assert_fail("no column %s of episode %g", variable, e);
  return 0;
}

static bool has_column(const struct fixture *f, const char *variable) {
  for (size_t c = 0; c < f->w.columns; c++)
    if (strcmp(f->w.column[c].variable, variable) == 0) return true;
  return false;
}

/* Units with incidents; the episodes end with 10 days at 90 %. */
struct stage {
  struct fixture f;
  struct sim_value levels[4], both[2];
  const struct sim_instance *storm;
};
static void set_stage(struct stage *s, double horizon, const double *percent, double hold) {
  units(&s->f, 100, horizon);
  s->storm = add_instance(&s->f, &incident, "storm");
  set_recovery(&s->f, s->levels, s->both, percent, hold);
}
static void strike(struct stage *s, double days) {
  at(&s->f, days);
  sim_recorder_incident(&s->f.run, s->storm);
}
static void set_at_day(struct fixture *f, double days, uint32_t up) {
  at(f, days);
  set_up(f, up);
}
static void begin_run(struct fixture *f) {
  start(f);
  begun(f);
}

/* ---- episodes ---------------------------------------------------------------------------------------------------- */

/* A long one with a second blow in it, a fall that belongs to none, a short one, and one that the horizon cuts. */
Test(episodes, three) {
  struct stage s;
  struct fixture *f = &s.f;
  set_stage(&s, 150, (const double[]){50, 90, 0}, 10);
  open_run(f);
  for (int again = 0; again < 2; again++) {
    begin_run(f);
    strike(&s, 10);
    set_up(f, 40);
    strike(&s, 15);
    set_at_day(f, 20, 60);
    set_at_day(f, 30, 95);
    set_at_day(f, 60, 70);
    set_at_day(f, 70, 100);
    strike(&s, 100);
    set_at_day(f, 103, 80);
    strike(&s, 105);
    set_at_day(f, 110, 100);
    strike(&s, 120); /* the tick at which the window has been held */
    set_up(f, 0);
    finish(f);
    close_to(scalar(f, "episodes"), 3, 0, "episodes");
    const double begins[3] = {10, 103, 120}, ends[2] = {40, 120}, incidents[3] = {2, 2, 1};
    const double least[3] = {0.4, 0.8, 0}, loss[3] = {6 + 4 + 0.5, 1.4, 30};
    for (int e = 0; e < 3; e++) {
      close_to(of_episode(f, "episode_begin", e + 1, 0), begins[e], 0, "begin");
      close_to(of_episode(f, "episode_incidents", e + 1, 0), incidents[e], 0, "incidents");
      close_to(of_episode(f, "episode_robustness", e + 1, 0), least[e], 1e-15, "robustness");
      close_to(of_episode(f, "episode_resilience_loss", e + 1, 0), loss[e], 1e-11, "loss");
      if (e < 2) close_to(of_episode(f, "episode_end", e + 1, 0), ends[e], 0, "end");
    }
    cr_assert(isnan(of_episode(f, "episode_end", 3, 0)), "cut by the horizon");
    close_to(of_episode(f, "episode_time_to_recover", 1, 50), 10, 0, "50 %");
    close_to(of_episode(f, "episode_time_to_recover", 1, 90), 20, 0, "90 %");
    close_to(of_episode(f, "episode_status", 2, 50), 4, 0, "never below 50 %");
    close_to(of_episode(f, "episode_status", 2, 90), 0, 0, "recovered");
    close_to(of_episode(f, "episode_time_to_recover", 2, 90), 7, 0, "90 %");
    close_to(of_episode(f, "episode_status", 3, 90), 3, 0, "censored");
    cr_assert(isnan(of_episode(f, "episode_time_to_recover", 3, 50)));
    cr_assert(isnan(of_episode(f, "episode_begin", 4, 0)) && isnan(of_episode(f, "episode_status", 4, 90)));
    /* Those of the run stay with the first, to the horizon. */
    close_to(scalar(f, "episode_start"), 10, 0, "first");
    close_to(scalar(f, "incidents"), 5, 0, "incidents of the run");
    close_to(level(f, "relapses", 90), 3, 0, "all falls");
    close_to(scalar(f, "resilience_loss"), 6 + 4 + 1.5 + 3 + 1.4 + 30, 1e-11, "whole loss");
    close_to(scalar(f, "lost_days_per_year"), 45.9 / 150 * 365.25, 1e-9, "by year");
  }
  close_run(f);
}

/* An incident a tick before the window has been held belongs to the episode; at that tick it begins another one. */
Test(episodes, edges_of_the_window) {
  struct stage s;
  struct fixture *f = &s.f;
  set_stage(&s, 150, (const double[]){90, 0}, 10);
  open_run(f);
  for (int late = 0; late < 2; late++) {
    begin_run(f);
    strike(&s, 10);
    set_up(f, 40);
    set_at_day(f, 30, 95);
    strike(&s, late ? 40 : 40 - tick);
    finish(f);
    close_to(scalar(f, "episodes"), late ? 2 : 1, 0, "episodes");
    close_to(of_episode(f, "episode_incidents", 1, 0), late ? 1 : 2, 0, "incidents");
    close_to(of_episode(f, "episode_end", 1, 0), 40, 0, "end");
    close_to(of_episode(f, "episode_resilience_loss", 1, 0), 0.6 * 20 + 0.05 * 10, 1e-12, "loss to the end");
    if (late) close_to(of_episode(f, "episode_begin", 2, 0), 40, 0, "below the target still");
    if (late) close_to(of_episode(f, "episode_status", 2, 90), 4, 0, "not lost again");
  }
  close_run(f);
}

/* One that never lost the highest level ends with an incident that finds Q whole for as long as a window. */
Test(episodes, unhurt) {
  struct stage s;
  struct fixture *f = &s.f;
  set_stage(&s, 100, (const double[]){90, 0}, 10);
  open_run(f);
  begin_run(f);
  strike(&s, 10);
  set_up(f, 95);
  set_at_day(f, 12, 100);
  strike(&s, 20); /* 8 days whole: the same */
  strike(&s, 30);
  set_at_day(f, 33, 0);
  finish(f);
  close_to(scalar(f, "episodes"), 2, 0, "episodes");
  close_to(of_episode(f, "episode_incidents", 1, 0), 2, 0, "incidents");
  close_to(of_episode(f, "episode_end", 1, 0), 30, 0, "ended by the third");
  close_to(of_episode(f, "episode_resilience_loss", 1, 0), 0.1, 1e-14, "loss");
  close_to(of_episode(f, "episode_begin", 2, 0), 33, 0, "begin");
  close_to(of_episode(f, "episode_incidents", 2, 0), 1, 0, "incidents");

  /* Dormant, and no other incident: what comes later is the first one's. */
  begin_run(f);
  strike(&s, 10);
  set_up(f, 95);
  set_at_day(f, 12, 100);
  set_at_day(f, 40, 0);
  finish(f);
  close_to(scalar(f, "episodes"), 1, 0, "episodes");
  close_to(of_episode(f, "episode_status", 1, 90), 3, 0, "censored");
  close_to(of_episode(f, "episode_resilience_loss", 1, 0), scalar(f, "resilience_loss"), 0, "all of the loss");
  close_run(f);
}

/* Beyond those kept, episodes are counted and leave the others alone. */
Test(episodes, more_than_kept) {
  struct stage s;
  struct fixture *f = &s.f;
  set_stage(&s, 400, (const double[]){90, 0}, 10);
  set_section(f, number("episodes", 2));
  open_run(f);
  begin_run(f);
  for (int e = 0; e < 6; e++) {
    strike(&s, 10 + 50 * e);
    set_up(f, 50 - (uint32_t)e);
    set_at_day(f, 20 + 50 * e, 100);
  }
  finish(f);
  close_to(scalar(f, "episodes"), 6, 0, "all are counted");
  close_to(of_episode(f, "episode_robustness", 1, 0), 0.5, 1e-15, "first");
  close_to(of_episode(f, "episode_robustness", 2, 0), 0.49, 1e-15, "second");
  close_to(of_episode(f, "episode_end", 2, 0), 80, 0, "second");
  size_t columns = 0;
  for (size_t c = 0; c < f->w.columns; c++) columns += strcmp(f->w.column[c].variable, "episode_begin") == 0;
  cr_assert_eq(columns, 2);
  close_run(f);
}

/* ---- the twin ---------------------------------------------------------------------------------------------------- */

static void set_twin_target(struct fixture *f) {
  set_section(f, (struct sim_value){.name = "target", .path = "target", .form = SIM_NAME, .text = "no_incident"});
}

/* What goes on anyway: a fifth out on [20, 30), and a failure at 55 that is repaired at `repair`. */
static void background(struct fixture *f, double repair, bool struck) {
  set_at_day(f, 20, 80);
  if (struck) set_at_day(f, 22, 70);
  if (struck) set_at_day(f, 28, 80);
  set_at_day(f, 30, 100);
  set_at_day(f, 55, 90);
  set_at_day(f, repair, 100);
}
static void run_twin(struct fixture *f, double repair) {
  f->run.twin = true;
  begin_run(f);
  background(f, repair, false);
  finish(f);
  f->run.twin = false;
}

Test(episodes, twin) {
  struct stage s;
  struct fixture *f = &s.f;
  set_stage(&s, 100, (const double[]){87.5, 90, 0}, 5);
  set_twin_target(f);
  open_run(f);
  run_twin(f, 60);
  begin_run(f);
  strike(&s, 12);
  background(f, 60, true);
  finish(f);
  close_to(scalar(f, "episode_start"), 22, 0, "start");
  close_to(scalar(f, "resilience_loss"), 0.6, 1e-13, "a tenth for six days");
  close_to(scalar(f, "lost_days_per_year"), 0.6 / 100 * 365.25, 1e-12, "by year");
  close_to(at_label(f, "population_resilience_loss", "power", 0), 0.6, 1e-13, "the population's");
  close_to(scalar(f, "robustness"), 0.9, 1e-15, "largest shortfall");
  close_to(level(f, "status", 90), 0, 0, "0.7 is below 90 % of 0.8");
  close_to(level(f, "time_to_recover", 90), 6, 0, "until 28");
  close_to(level(f, "status", 87.5), 4, 0, "0.7 is 87.5 % of 0.8");
  close_to(scalar(f, "rapidity"), 0.1 / 6, 1e-15, "a tenth in six days");
  close_to(of_episode(f, "episode_end", 1, 0), 33, 0, "held");

  /* The difference opens where nothing happens but in the twin; and more than the twin has is a gain. */
  run_twin(f, 60);
  begin_run(f);
  strike(&s, 12);
  background(f, 70, false);
  finish(f);
  close_to(scalar(f, "episode_start"), 60, 0, "the twin's repair");
  close_to(scalar(f, "resilience_loss"), 1, 1e-13, "a tenth for ten days");
  run_twin(f, 70);
  begin_run(f);
  strike(&s, 12);
  background(f, 60, true);
  finish(f);
  close_to(scalar(f, "resilience_loss"), 0.6 - 1, 1e-13, "net");
  close_run(f);
}

/* The same course is no loss at all, to the bit; one unit for one tick more is one. With the full target it is. */
Test(episodes, twin_without_incidents) {
  for (int full = 0; full < 2; full++) {
    struct stage s;
    struct fixture *f = &s.f;
    set_stage(&s, 1000, (const double[]){90, 0}, 5);
    if (!full) set_twin_target(f);
    open_run(f);
    for (int late = -1; late < 2; late++) { /* -1: the twin */
      f->run.twin = late < 0;
      begin_run(f);
      if (late >= 0) strike(&s, 0);
      srand(3);
      for (int k = 1; k < 900; k++) {
        at(f, k + rand() % 8 / 8.0);
        place(f, 0, (uint32_t)rand() % 100, (uint8_t)(rand() % 2));
      }
      set_at_day(f, 950, 90);
      set_at_day(f, late > 0 ? 960 + tick : 960, 91);
      finish(f);
    }
    f->run.twin = false;
    double lost = scalar(f, "lost_days_per_year") / 365.25 * 1000;
    if (full) {
      cr_assert_gt(lost, 10);
      close_to(scalar(f, "episodes"), 1, 0, "many losses");
      close_run(f);
      continue;
    }
    close_to(lost, tick / 100, tick / 1e6, "one unit for a tick");
    close_to(scalar(f, "episode_start"), 960, 0, "at that tick");
    close_run(f);
  }
  struct stage s;
  struct fixture *f = &s.f;
  set_stage(&s, 100, (const double[]){90, 0}, 5);
  set_twin_target(f);
  open_run(f);
  run_twin(f, 60);
  begin_run(f);
  strike(&s, 0);
  background(f, 60, false);
  finish(f);
  cr_assert(isnan(scalar(f, "episode_start")));
  cr_assert(scalar(f, "resilience_loss") == 0 && scalar(f, "lost_days_per_year") == 0);
  cr_assert(scalar(f, "episodes") == 0 && scalar(f, "robustness") == 1);
  close_run(f);
}

/* Society's target is the sum of the populations'; steps of one instant take effect together. */
Test(episodes, twin_of_several_populations) {
  struct fixture f;
  init(&f, 100);
  add_population(&f, "power", 3, NULL);
  add_population(&f, "water", 7, NULL);
  for (uint32_t p = 0; p < 2; p++) add_machine(&f, f.population[p].name, p, 2, up_down, up_down_share, NULL);
  const struct sim_instance *storm = add_instance(&f, &incident, "storm");
  set_twin_target(&f);
  open_run(&f);
  for (int real = 0; real < 2; real++) {
    f.run.twin = !real;
    begin_run(&f);
    if (real) sim_recorder_incident(&f.run, storm);
    at(&f, 10);
    place(&f, real ? 1 : 0, 0, 1); /* the twin loses a third of the power, the run a seventh of the water */
    at(&f, 20);
    place(&f, real ? 1 : 0, 0, 0);
    finish(&f);
  }
  cr_assert(isnan(scalar(&f, "episode_start")), "1 - 1/14 is more than 1 - 1/6");
  close_to(scalar(&f, "lost_days_per_year"), (10 / 14.0 - 10 / 6.0) / 100 * 365.25, 1e-11, "net");
  for (int real = 0; real < 2; real++) {
    f.run.twin = !real;
    begin_run(&f);
    if (real) sim_recorder_incident(&f.run, storm);
    at(&f, 10);
    place(&f, real ? 0 : 1, 0, 1);
    at(&f, 20);
    place(&f, real ? 0 : 1, 0, 0);
    finish(&f);
  }
  close_to(scalar(&f, "resilience_loss"), 10 / 6.0 - 10 / 14.0, 1e-13, "the other way round");
  close_to(scalar(&f, "robustness"), 1 - (1 / 6.0 - 1 / 14.0), 1e-15, "shortfall");
  close_to(at_label(&f, "population_robustness", "power", 0), 2 / 3.0, 1e-15, "power");
  close_run(&f);
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static uint8_t group_of[10] = {0, 0, 0, 0, 1, 1, 1, 1, 1, 1};
static char *group_name[] = {"old", "young", "nobody"};
static uint32_t group_size[] = {4, 6, 0};

static void people(struct stage *s, uint32_t groups, const uint32_t *weight) {
  init(&s->f, 100);
  add_population(&s->f, "people", 10, weight);
  struct sim_population *p = &s->f.population[0];
  p->groups = groups;
  p->group = groups ? group_of : NULL;
  p->group_name = group_name;
  p->group_size = group_size;
  add_machine(&s->f, "power", 0, 2, up_down, up_down_share, NULL);
  set_recovery(&s->f, s->levels, s->both, (const double[]){50, 100, 0}, 5);
  open_run(&s->f);
}

/* Two of four old ones are down from 10, one until 20 and one until 30; one of six young ones from 10 to 15. */
static void unequal(struct fixture *f) {
  begin_run(f);
  at(f, 10);
  place(f, 0, 0, 1);
  place(f, 0, 1, 1);
  place(f, 0, 4, 1);
  at(f, 15);
  place(f, 0, 4, 0);
  at(f, 20);
  place(f, 0, 0, 0);
  at(f, 30);
  place(f, 0, 1, 0);
  finish(f);
}

Test(episodes, groups) {
  static const uint32_t two[10] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
  for (int weighted = 0; weighted < 2; weighted++) {
    struct stage s;
    struct fixture *f = &s.f;
    people(&s, 2, weighted ? two : NULL);
    unequal(f);
    close_to(at_label(f, "group_robustness", "old", 0), 0.5, 0, "old");
    close_to(at_label(f, "group_robustness", "young", 0), 5 / 6.0, 1e-15, "young");
    close_to(at_label(f, "group_resilience_loss", "old", 0), 7.5, 1e-12, "old");
    close_to(at_label(f, "group_resilience_loss", "young", 0), 5 / 6.0, 1e-12, "young");
    close_to(at_label(f, "group_time_to_recover", "old", 0), 20, 0, "old");
    close_to(at_label(f, "group_time_to_recover", "young", 0), 5, 0, "young");
    close_to(at_label(f, "group_status", "old", 0), 0, 0, "old");
    close_to(scalar(f, "recovery_gap"), 15, 0, "gap");
    close_to(at_label(f, "population_resilience_loss", "people", 0), 0.4 * 7.5 + 0.6 * 5 / 6, 1e-12, "all");
    double old = 7.5 / 3.5, young = 5 / 6.0 / 3.5;
    close_to(scalar(f, "theil_t"), 0.4 * old * log(old) + 0.6 * young * log(young), 1e-12, "Theil");

    /* Equal losses a person: two of four and three of six for ten days. */
    begin_run(f);
    at(f, 10);
    for (uint32_t i = 2; i < 7; i++) place(f, 0, i, 1);
    at(f, 20);
    for (uint32_t i = 2; i < 7; i++) place(f, 0, i, 0);
    finish(f);
    close_to(scalar(f, "theil_t"), 0, 1e-15, "equal");
    close_to(scalar(f, "recovery_gap"), 0, 0, "together");

    /* One group only: T is -ln of its share of the people, and there is no gap. */
    begin_run(f);
    at(f, 10);
    place(f, 0, 0, 1);
    at(f, 97);
    place(f, 0, 0, 0);
    finish(f);
    close_to(scalar(f, "theil_t"), -log(0.4), 1e-12, "all of it");
    cr_assert(isnan(scalar(f, "recovery_gap")));
    close_to(at_label(f, "group_status", "young", 0), 4, 0, "never below");
    close_to(at_label(f, "group_status", "old", 0), 3, 0, "window too short");

    begin_run(f);
    finish(f);
    close_to(scalar(f, "theil_t"), 0, 0, "no loss");
    close_to(at_label(f, "group_robustness", "old", 0), 1, 0, "whole");
    close_run(f);
  }
}

/* A group without members has no functionality; without groups there are no such variables, and all else is the same.
 */
Test(episodes, groups_change_nothing_else) {
  struct stage without, with;
  people(&without, 0, NULL);
  people(&with, 3, NULL);
  unequal(&without.f);
  unequal(&with.f);
  cr_assert(!has_column(&without.f, "group_robustness") && !has_column(&without.f, "theil_t"));
  cr_assert(isnan(at_label(&with.f, "group_robustness", "nobody", 0)));
  cr_assert(isnan(at_label(&with.f, "group_status", "nobody", 0)));
  cr_assert_gt(scalar(&with.f, "theil_t"), 0.1, "of the two others");
  close_to(scalar(&with.f, "recovery_gap"), 15, 0, "of the two others");
  for (size_t c = 0, k = 0; c < without.f.w.columns; c++, k++) {
    while (strcmp(with.f.w.column[k].variable, without.f.w.column[c].variable) != 0) k++;
    cr_assert_eq(memcmp(&with.f.row.columns[k], &without.f.row.columns[c], sizeof(double)), 0, "%s",
                 without.f.w.column[c].variable);
  }
  close_run(&without.f);
  close_run(&with.f);
}

/* Against the twin, groups have targets of their own. */
Test(episodes, groups_and_twin) {
  struct stage s;
  struct fixture *f = &s.f;
  struct sim_value target = {.name = "target", .path = "target", .form = SIM_NAME, .text = "no_incident"};
  init(f, 100);
  add_population(f, "people", 10, NULL);
  f->population[0].groups = 2;
  f->population[0].group = group_of;
  f->population[0].group_name = group_name;
  f->population[0].group_size = group_size;
  add_machine(f, "power", 0, 2, up_down, up_down_share, NULL);
  const struct sim_instance *storm = add_instance(f, &incident, "storm");
  set_section(f, target);
  set_recovery(f, s.levels, s.both, (const double[]){100, 0}, 5);
  open_run(f);
  for (int real = 0; real < 2; real++) {
    f->run.twin = !real;
    begin_run(f);
    if (real) sim_recorder_incident(&f->run, storm);
    at(f, 10);
    place(f, 0, 0, 1);
    place(f, 0, 4, 1);
    at(f, 20);
    place(f, 0, 0, 0);
    if (!real) place(f, 0, 4, 0);
    at(f, 32);
    place(f, 0, 4, 0);
    finish(f);
  }
  close_to(scalar(f, "episode_start"), 20, 0, "start");
  close_to(at_label(f, "group_resilience_loss", "old", 0), 0, 0, "as in the twin");
  close_to(at_label(f, "group_status", "old", 0), 4, 0, "as in the twin");
  close_to(at_label(f, "group_resilience_loss", "young", 0), 2, 1e-12, "a sixth for twelve days");
  close_to(at_label(f, "group_time_to_recover", "young", 0), 12, 0, "young");
  close_run(f);
}

/* ---- in whole runs ----------------------------------------------------------------------------------------------- */

/* An epidemic and failures with repair go on anyway; the incident brings `seeds` more cases, `shocks` fail the grid. */
#define WORLD(seeds, rate, target)                                                                                     \
  "airesim: 1\nquestion: test\nsource: illustrative\ncurrency: USD\nhorizon: 120 days\n"                               \
  "society:\n"                                                                                                         \
  "  people: 500\n"                                                                                                    \
  "  groups: {young: 40 %, old: 60 %}\n"                                                                               \
  "  layers:\n"                                                                                                        \
  "    contacts: {nodes: people, graph: erdos_renyi mean_degree 8}\n"                                                  \
  "    power: {nodes: 50, failure: exponential mean 60 days}\n"                                                        \
  "hazards:\n"                                                                                                         \
  "  flu: {like: sir, layer: contacts, transmission: 0.1/day, infectious: exponential mean 4 days,\n"                  \
  "        states: {infectious: {functionality: 50 %}}, initial: {infectious: 2 %}}\n"                                 \
  "teams: {crews: {size: 2}}\n"                                                                                        \
  "repair: {grid: {layer: power, team: crews, time: exponential mean 1 day}}\n"                                        \
  "incidents:\n"                                                                                                       \
  "  chores: {demands: crews, service: exponential mean 1 day, arrivals: poisson 0.3/day}\n"                           \
  "  cases: {starts: flu, seeds: " seeds " people, arrivals: day 3}\n"                                                 \
  "  shocks: {fails: power, share: 20 %, arrivals: poisson " rate "/day}\n"                                            \
  "measures: {target: " target ", recovery: {hold: 2 days}}\n"

/* Incidents that do nothing lose nothing, to the bit, in runs full of losses; those that do something lose. Runs leave
 * nothing behind, the twin's included. */
Test(episodes, twin_in_whole_runs) {
  static const struct {
    const char *text;
    bool loses;
  } worlds[] = {{WORLD("0", "0", "no_incident"), false},
                {WORLD("20", "0", "no_incident"), true},
                {WORLD("0", "0.05", "no_incident"), true},
                {WORLD("0", "0", "full"), true}};
  for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
    struct test_world t;
    double first[2] = {0, 0};
    test_world_open(&t, worlds[i].text);
    for (uint64_t replicate = 0; replicate < 4; replicate++) {
      test_world_run(&t, replicate % 2);
      double lost = test_value(&t, "lost_days_per_year"), loss = test_value(&t, "resilience_loss");
      cr_assert_eq(lost == 0 && loss == 0, !worlds[i].loses, "world %zu: %g", i, lost);
      cr_assert_eq(test_value(&t, "episodes") == 0, !worlds[i].loses);
      cr_assert_gt(t.row.columns[test_column(&t, "arrivals", "chores")], 15, "work goes on");
      if (replicate > 1) cr_assert(test_same_bits(&lost, &first[replicate % 2], 1), "the same again");
      first[replicate % 2] = lost;
    }
    test_world_close(&t);
  }
}

/* With nothing else that lowers functionality the twin is whole: both targets give the same numbers. */
Test(episodes, whole_twin_is_the_full_target) {
  static const char *const text[2] = {
#define FIRST(target)                                                                                                  \
  "airesim: 1\nquestion: test\nsource: illustrative\ncurrency: USD\nhorizon: 120 days\n"                               \
  "society: {people: 500, layers: {contacts: {nodes: people, graph: erdos_renyi mean_degree 8}}}\n"                    \
  "hazards: {flu: {like: sir, layer: contacts, transmission: 0.1/day, infectious: exponential mean 4 days,\n"          \
  "                states: {infectious: {functionality: 50 %}}}}\n"                                                    \
  "incidents: {cases: {starts: flu, seeds: 20 people, arrivals: poisson 0.05/day}}\n"                                  \
  "measures: {target: " target "}\n"
      FIRST("full"), FIRST("no_incident")};
  struct test_world t[2];
  for (int i = 0; i < 2; i++) test_world_open(&t[i], text[i]);
  for (uint64_t replicate = 0; replicate < 5; replicate++) {
    for (int i = 0; i < 2; i++) test_world_run(&t[i], replicate);
    cr_assert(test_same_bits(t[0].row.columns, t[1].row.columns, t[0].columns));
    cr_assert_eq(memcmp(t[0].row.samples, t[1].row.samples, t[0].cells * sizeof(uint16_t)), 0);
  }
  cr_assert_gt(test_value(&t[0], "resilience_loss"), 0);
  for (int i = 0; i < 2; i++) test_world_close(&t[i]);
}
