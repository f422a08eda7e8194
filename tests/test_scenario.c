/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole scenarios: `like`, defaults, expanding, order, paths, differences, and the bound tree. */
#include "sim/scenario/scenario.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct sim_scenario *parse_in(const char *text, const char *directory) {
  struct sim_diag diag = {0};
  struct sim_scenario *s;
  int ret = sim_scenario_parse(&s, text, strlen(text), "t.yaml", directory, NULL, 0, &diag);
  for (size_t i = 0; i < diag.n; i++)
    fprintf(stderr, "%u:%u: %s\n", diag.items[i].line, diag.items[i].column, diag.items[i].text);
  sim_diag_free(&diag);
  cr_assert_eq(ret, 0);
  return s;
}

static struct sim_scenario *parse(const char *text) {
  return parse_in(text, NULL);
}

/* One value's text, source and origin at a path of an arm; "" if there is none. */
static void look(const struct sim_scenario *s, size_t arm, const char *path, char *out, size_t size) {
  struct sim_path_info *paths;
  size_t n = sim_scenario_paths(s, arm, path, &paths);
  out[0] = '\0';
  if (n == 1) snprintf(out, size, "%s @%s %s", paths[0].value, paths[0].source, paths[0].origin);
  sim_paths_free(paths, n);
}

static void expect_at(const struct sim_scenario *s, size_t arm, const char *path, const char *expected) {
  char text[300];
  look(s, arm, path, text, sizeof text);
  cr_expect_str_eq(text, expected, "%s: %s", path, text);
}

#define TOP "airesim: 1\nhorizon: 100 days\n"
#define TOWN                                                                                                           \
  "society: {people: 100, groups: {old: 20 %, young: 80 %}, layers: {contacts: {graph: complete}, power: {nodes: "     \
  "9}}}\n"

static const char full[] =
    "airesim: 1\nquestion: 'Why: \"this\" # and not that?'\nstart: 2027-01-01T06:00\nhorizon: 2 years\nsource: "
    "illustrative\n"
    "society:\n  people: 100\n  groups: {old: 20 %, young: 80 %}\n"
    "  layers:\n    contacts: {graph: barabasi_albert mean_degree 4, realisation: every 5}\n"
    "    ties: {graph: edges \"0-1 1-2 2-0\"}\n"
    "    power: {nodes: 9, graph: watts_strogatz 4 rewire 0.1, serves: people, failure: weibull mean 90 days shape 2 "
    "@elicited}\n"
    "incidents:\n  release: {starts: flu, seeds: 5 people, arrivals: poisson 0.5/year (0.1..2)}\n"
    "  storm: {fails: power, share: 20 % (5..50), arrivals: [day 9, 2027-06-01, clinics.alarm + 12 h]}\n"
    "hazards:\n  flu: {like: seird, layer: contacts, strength.contacts: 2, transmission: 0.1/day (0.05..0.2) @fitted, "
    "latent: {call: gamma, mean: 2 days (1..3) @flu1978, cv: 0.5}, initial: {recovered: 10 %}}\n"
    "sensing: {clinics: {watches: flu.ill, ascertainment: {value: 30 %, range: 10..60 %, source: elicited, note: a "
    "guess}, "
    "report_delay: lognormal median 3 days p95 10 days, alarm: 5 reports in 7 days, clear: 1 report in 3 weeks}}\n"
    "teams: {crew: {size: {day 0: 3, 2027-03-01: 5}}, nurses: {size: unlimited, cost: 3 thousand USD/team_day}}\n"
    "actions: {jab: {like: vaccination, against: flu, when: actual flu.ill > 1 %, team: nurses, efficacy: 50 %, "
    "uptake: {old: 40 % @elicited, young: 30 % (20..50)}}}\n"
    "repair: {grid: {layer: power, team: crew, time: exponential mean 6 h, delay: "
    "$sensing.clinics.report_delay.median}}\n"
    "couplings: {dark: {while: power.down, multiply: sensing.clinics.ascertainment, by: 50 %}}\n"
    "measures: {declared: {worst: {maximum: flu.ill}}, recovery.levels: [50 %, 90 %]}\n"
    "arms:\n  b: {like: a, teams.*.size: x 2, source: elicited}\n  a: {hazards.flu.latent.mean: 3 days, actions.jab: "
    "null}\n"
    "  c: {teams: {extra: {size: 3}}, repair.grid.time: x 3 }\n"
    "design: {replicates: 7, vary: {sensing.clinics.ascertainment: 20..40 %, hazards.flu.latent.mean: 1..4 days}, "
    "sample: sobol points 8, reference: a}\n"
    "sources: {mine: 'Me, 2026: \"A book\"'}\n";

/* The same scenario, shuffled, nested instead of dotted, written out instead of short, in block style. */
static const char shuffled[] =
    "sources:\n  mine: \"Me, 2026: \\\"A book\\\"\"\n"
    "design:\n  reference: a\n  sample: {call: sobol, points: 8}\n"
    "  vary: {hazards.flu.latent.mean: 1..4 days, sensing.clinics.ascertainment: 20..40 %}\n  replicates: 7\n"
    "arms:\n  c: {repair: {grid: {time: x 3}}, teams.extra: {size: 3}}\n"
    "  a:\n    actions: {jab: null}\n    hazards: {flu: {latent: {mean: 3 days}}}\n"
    "  b: {source: elicited, teams: {'*': {size: x 2}}, like: a}\n"
    "measures.recovery: {levels: [50 %, 90 %]}\nmeasures.declared.worst.maximum: flu.ill\n"
    "couplings:\n  dark:\n    by: {value: 50 %}\n    multiply: sensing.clinics.ascertainment\n    while: power.down\n"
    "repair.grid: {delay: $sensing.clinics.report_delay.median, time: {call: exponential, mean: 6 h}, team: crew, "
    "layer: power}\n"
    "actions:\n  jab:\n    uptake: {young: {value: 30 %, range: 20..50}, old: {value: 40 %, source: elicited}}\n"
    "    efficacy: 50 %\n    team: nurses\n    when: actual flu.ill > 1 %\n    against: flu\n    like: vaccination\n"
    "teams:\n  nurses: {cost: 3 thousand USD/team_day, size: unlimited}\n  crew: {size: {2027-03-01: 5, day 0: 3}}\n"
    "sensing:\n  clinics:\n    clear: 1 report in 3 weeks\n    alarm: 5 reports in 7 days\n"
    "    report_delay: {p95: 10 days, median: 3 days, call: lognormal}\n    ascertainment: 30 % (10..60) @elicited\n   "
    " watches: flu.ill\n"
    "hazards:\n  flu:\n    initial.recovered: 10 %\n    latent: {cv: 0.5, mean: {value: 2 days, source: flu1978, "
    "range: 1..3}, call: gamma}\n"
    "    transmission: {value: 0.1/day, range: 0.05..0.2/day, source: fitted}\n    strength: {contacts: 2}\n    layer: "
    "[contacts]\n    like: seird\n"
    "incidents:\n  storm: {arrivals: [day 9, 2027-06-01, clinics.alarm + 12 h], share: 20 % (5..50), fails: power}\n"
    "  release: {arrivals: {call: poisson, rate: 0.5/year (0.1..2)}, seeds: 5 people, starts: flu}\n"
    "society:\n  layers:\n    power: {failure: weibull shape 2 mean 90 days @elicited, serves: people, graph: "
    "watts_strogatz mean_degree 4 rewire 0.1, nodes: 9}\n"
    "    ties: {graph: {call: edges, of: 0-1 1-2 2-0}}\n    contacts: {realisation: {call: every, replicates: 5}, "
    "graph: barabasi_albert 4}\n"
    "  groups: {young: 80 %, old: 20 %}\n  people: 100\n"
    "source: illustrative\nhorizon: 2 years\nstart: 2027-01-01T06:00\nquestion: \"Why: \\\"this\\\" # and not "
    "that?\"\nairesim: 1\n";

Test(scenario, expanding_twice_is_once) {
  struct sim_scenario *s = parse(full);
  char *once = sim_scenario_expanded(s, false);
  struct sim_scenario *again = parse(once);
  char *twice = sim_scenario_expanded(again, false);
  cr_expect_str_eq(once, twice);
  cr_expect_eq(sim_scenario_hash(s), sim_scenario_hash(again));
  char *diff = sim_scenario_diff(s, again);
  cr_expect_str_eq(diff, "");
  cr_expect(strstr(once, "like: contagion") && !strstr(once, "seird"));
  char *origins = sim_scenario_expanded(s, true);
  cr_expect(strstr(origins, "fatality: 1 % @illustrative  # presets/hazards.yaml:"));
  cr_expect(strstr(origins, "seed: 1  # default"));
  cr_expect(strstr(origins, "horizon: 2 years @illustrative  # t.yaml:4"));
  struct sim_scenario *commented = parse(origins);
  cr_expect_eq(sim_scenario_hash(s), sim_scenario_hash(commented));
  char *written = sim_scenario_written(s);
  cr_expect_str_eq(written, full);
  sim_free(written);
  sim_free(origins);
  sim_free(diff);
  sim_free(once);
  sim_free(twice);
  sim_scenario_free(commented);
  sim_scenario_free(again);
  sim_scenario_free(s);
}

static void same_values(const struct sim_value *a, const struct sim_value *b) {
  bool same = a->form == b->form && a->n == b->n && strcmp(a->path, b->path) == 0 && a->ranged == b->ranged &&
              memcmp(&a->number, &b->number, sizeof a->number) == 0 && memcmp(&a->low, &b->low, sizeof a->low) == 0 &&
              memcmp(&a->high, &b->high, sizeof a->high) == 0 &&
              strcmp(a->text ? a->text : "", b->text ? b->text : "") == 0 && strcmp(a->name, b->name) == 0;
  cr_expect(same, "%s: %s and %s", a->path, a->written ? a->written : "", b->written ? b->written : "");
  for (size_t i = 0; same && i < a->n; i++) same_values(&a->items[i], &b->items[i]);
}

/* What is shuffled, written out or expanded binds to the same values, bit for bit, in every arm. */
Test(scenario, order_and_form_do_not_matter) {
  struct sim_scenario *s = parse(full);
  char *text = sim_scenario_expanded(s, false);
  struct sim_scenario *others[] = {parse(text), parse(shuffled)};
  cr_assert_eq(sim_scenario_arms(s), 3u);
  for (size_t k = 0; k < 2; k++)
    for (size_t arm = 0; arm < 3; arm++) {
      struct sim_bound *a, *b;
      struct sim_diag diag = {0};
      cr_assert_eq(sim_scenario_bind(&a, s, arm, NULL, 0, &diag), 0);
      cr_assert_eq(sim_scenario_bind(&b, others[k], arm, NULL, 0, &diag), 0);
      cr_expect_str_eq(sim_scenario_arm(s, arm), sim_scenario_arm(others[k], arm));
      const struct sim_value *x = sim_bound_root(a), *y = sim_bound_root(b);
      for (size_t i = 0; i < x->n; i++)
        if (k == 0 || strcmp(x->items[i].name, "hazards") != 0) same_values(&x->items[i], &y->items[i]);
      sim_bound_free(a);
      sim_bound_free(b);
    }
  char *diff = sim_scenario_diff(s, others[1]);
  cr_expect_str_eq(diff, "hazards.flu.layer: contacts -> [contacts]\n"); /* a list of one is one */
  sim_free(diff);
  sim_free(text);
  for (size_t k = 0; k < 2; k++) sim_scenario_free(others[k]);
  sim_scenario_free(s);
}

Test(scenario, bound_tree) {
  struct sim_scenario *s = parse(full);
  struct sim_bound *b;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_scenario_bind(&b, s, 2, NULL, 0, &diag), 0);
  const struct sim_value *root = sim_bound_root(b);
  cr_expect_eq(sim_value_number(root, "horizon"), 730.5);
  cr_expect_eq(sim_value_get(root, "start")->number, 20819.25);
  const struct sim_value *layers = sim_value_get(sim_value_get(root, "society"), "layers");
  cr_assert_eq(layers->n, 3u);
  cr_expect_str_eq(layers->items[0].name, "contacts");
  cr_expect_eq(sim_value_get(&layers->items[1], "serves")->form, SIM_NAME);
  cr_expect_eq(sim_value_get(sim_value_get(&layers->items[1], "graph"), "rewire")->number, 0.1);
  const struct sim_value *flu = sim_value_find(sim_value_get(root, "hazards"), "flu");
  cr_assert(flu->model && strcmp(flu->model->name, "contagion") == 0);
  cr_expect_eq(flu->form, SIM_MAPPING);
  cr_expect_eq(sim_value_get(flu, "reproduction_number")->form, SIM_ABSENT);
  const struct sim_value *transitions = sim_value_get(flu, "transitions");
  const struct sim_value *die = sim_value_find(transitions, "die"), *recover = sim_value_find(transitions, "recover");
  cr_expect_eq(sim_value_number(die, "probability"), 0.01); /* $fatality */
  cr_expect_str_eq(sim_value_text(recover, "probability"), "rest");
  cr_expect_str_eq(sim_value_get(recover, "after")->text, "exponential");
  const struct sim_value *mean = sim_value_get(sim_value_get(flu, "latent"), "mean");
  cr_expect(mean->number == 2 && mean->ranged && mean->low == 1 && mean->high == 3 &&
            strcmp(mean->source, "flu1978") == 0);
  size_t n;
  const struct sim_value *storm = sim_value_find(sim_value_get(root, "incidents"), "storm");
  const struct sim_value *when = sim_value_list(storm, "arrivals", &n);
  cr_assert_eq(n, 3u);
  cr_expect(when[0].number == 9 && when[1].number == 150.75 && when[2].number == 0.5);
  cr_expect_str_eq(when[2].text, "clinics.alarm");
  const struct sim_value *crew = sim_value_find(sim_value_get(root, "teams"), "crew");
  cr_expect_eq(sim_value_at(sim_value_get(crew, "size"), 58), 3);
  cr_expect_eq(sim_value_at(sim_value_get(crew, "size"), 59), 5);
  cr_expect(isinf(sim_value_number(sim_value_find(sim_value_get(root, "teams"), "nurses"), "size")));
  const struct sim_value *jab = sim_value_find(sim_value_get(root, "actions"), "jab");
  cr_expect_eq(sim_value_get(jab, "when")->form, SIM_ACTUAL);
  cr_expect_eq(sim_value_get(jab, "when")->items[0].number, 0.01);
  cr_expect_eq(sim_value_get(jab, "uptake")->form, SIM_GROUPS);
  const struct sim_value *grid = sim_value_find(sim_value_get(root, "repair"), "grid");
  cr_expect_eq(sim_value_get(sim_value_get(grid, "time"), "mean")->number, 0.75); /* x 3 in arm c */
  const struct sim_value *clinics = sim_value_find(sim_value_get(root, "sensing"), "clinics");
  cr_expect(sim_value_get(clinics, "alarm")->number == 5 && sim_value_get(clinics, "alarm")->low == 7);
  const struct sim_value *dark = sim_value_find(sim_value_get(root, "couplings"), "dark");
  cr_expect_str_eq(sim_value_text(dark, "multiply"), "clinics.ascertainment");
  const struct sim_value *vary = sim_value_get(sim_value_get(root, "design"), "vary");
  cr_assert(vary->form == SIM_MAPPING && vary->n == 2);
  cr_expect(vary->items[1].low == 0.2 && vary->items[1].high == 0.4);
  sim_bound_free(b);
  sim_scenario_free(s);
}

Test(scenario, where_values_come_from) {
  struct sim_scenario *s = parse(full);
  expect_at(s, 0, "hazards.flu.latent.mean", "3 days @illustrative t.yaml:26");
  expect_at(s, 2, "hazards.flu.latent.mean", "2 days (1..3) @flu1978 t.yaml:17");
  expect_at(s, 2, "hazards.flu.latent.cv", "0.5 @illustrative t.yaml:17");
  expect_at(s, 2, "sensing.clinics.ascertainment", "30 % (10..60) @elicited t.yaml:18");
  expect_at(s, 2, "design.seed", "1 @assumed default");
  expect_at(s, 1, "teams.crew.size.day 0", "6 @elicited t.yaml:25");
  expect_at(s, 2, "hazards.flu.fatality", "1 % @illustrative presets/hazards.yaml:42");
  struct sim_path_info *paths;
  size_t n = sim_scenario_paths(s, 2, "*delay*", &paths);
  cr_expect_gt(n, 3u);
  for (size_t i = 0; i < n; i++) cr_expect(strstr(paths[i].path, "delay"));
  sim_paths_free(paths, n);
  n = sim_scenario_paths(s, 2, "teams.nurses.cost", &paths);
  cr_assert_eq(n, 1u);
  cr_expect_str_eq(paths[0].unit, "USD/team_day");
  cr_expect_eq(paths[0].number, 3000);
  sim_paths_free(paths, n);
  sim_scenario_free(s);
}

Test(scenario, like) {
  static const char text[] =
      TOP TOWN "hazards:\n"
               "  a: {like: sir, layer: contacts, transmission: 0.1/day, infectious.mean: 7 days}\n"
               "  b: {like: a, transmission: x 2, states.infectious.functionality: 10 %}\n"
               "  c: {like: b, infectious: null, transitions.recover: null}\n"
               "teams: {one: {size: 3}, two: {like: one, hours: 8 h/day}, three: {like: team, size: 1}}\n";
  struct sim_scenario *s = parse(text);
  expect_at(s, 0, "hazards.a.infectious.mean", "7 days @assumed t.yaml:5");
  expect_at(s, 0, "hazards.b.infectious.mean", "7 days @assumed t.yaml:5");
  expect_at(s, 0, "hazards.b.transmission.value", "0.2/day @assumed t.yaml:6");
  expect_at(s, 0, "hazards.b.states.infectious.functionality", "10 % @assumed t.yaml:6");
  expect_at(s, 0, "hazards.c.states.infectious.functionality", "10 % @assumed t.yaml:6");
  expect_at(s, 0, "hazards.c.infectious.mean", "");
  expect_at(s, 0, "hazards.c.transitions.recover.to", "");
  expect_at(s, 0, "teams.two.size", "3 @assumed t.yaml:8");
  expect_at(s, 0, "teams.two.hours", "8 h/day @assumed t.yaml:8");
  cr_expect_eq(sim_scenario_arms(s), 1u);
  cr_expect_str_eq(sim_scenario_arm(s, 0), "base");
  sim_scenario_free(s);
}

static void put_file(const char *directory, const char *name, const char *text) {
  char path[300];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *f = fopen(path, "w");
  cr_assert(f != NULL);
  fputs(text, f);
  fclose(f);
}

Test(scenario, like_of_files) {
  char directory[] = "/tmp/airesim_like_XXXXXX", path[300];
  cr_assert(mkdtemp(directory) != NULL);
  snprintf(path, sizeof path, "%s/below", directory);
  cr_assert_eq(mkdir(path, 0700), 0);
  put_file(directory, "base.yaml",
           TOP TOWN
           "source: elicited\nhazards: {flu: {like: ./below/flu.yaml, layer: contacts}}\nteams: {crew: {size: 3}}\n"
           "arms: {early: {teams.crew.size: 4}, late: {}}\n");
  put_file(path, "flu.yaml", "like: sir\ntransmission: 0.1/day @fitted\ninfectious: empirical file days.csv\n");
  put_file(path, "days.csv", "1\n2\n");
  put_file(directory, "child.yaml",
           "airesim: 1\nlike: ./base.yaml\nsource: illustrative\nteams.crew.size: x 2\narms: {early: null, third: "
           "{teams.crew.size: 9}}\n");
  put_file(directory, "circle.yaml", "airesim: 1\nlike: circle2.yaml\n");
  put_file(directory, "circle2.yaml", "airesim: 1\nlike: circle.yaml\n");
  put_file(directory, "typo.yaml", "airesim: 1\nlike: ./base.yaml\nteams.crw.size: 3\n");
  snprintf(path, sizeof path, "%s/child.yaml", directory);
  struct sim_scenario *s;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_scenario_load(&s, path, NULL, 0, &diag), 0, "%s", diag.n ? diag.items[0].text : "");
  cr_assert_eq(sim_scenario_arms(s), 2u);
  cr_expect_str_eq(sim_scenario_arm(s, 1), "third");
  char text[300];
  look(s, 0, "teams.crew.size", text, sizeof text);
  cr_expect(strstr(text, "6 @illustrative") == text, "%s", text);
  look(s, 0, "hazards.flu.transmission.value", text, sizeof text);
  cr_expect(strstr(text, "0.1/day @fitted") == text, "%s", text);
  char *expanded = sim_scenario_expanded(s, false);
  cr_expect(strstr(expanded, "infectious: empirical file below/days.csv") != NULL, "%s", expanded);
  struct sim_scenario *again = parse_in(expanded, directory);
  cr_expect_eq(sim_scenario_hash(s), sim_scenario_hash(again));
  sim_scenario_free(again);
  sim_free(expanded);
  sim_scenario_free(s);
  snprintf(path, sizeof path, "%s/circle.yaml", directory);
  cr_expect_eq(sim_scenario_load(&s, path, NULL, 0, &diag), SIM_ERR_INPUT);
  cr_expect(diag.n == 1 && strstr(diag.items[0].text, "goes round in a circle"), "%s", diag.items[0].text);
  sim_diag_free(&diag);
  snprintf(path, sizeof path, "%s/typo.yaml", directory);
  cr_expect_eq(sim_scenario_load(&s, path, NULL, 0, &diag), SIM_ERR_INPUT);
  cr_expect(diag.n && strstr(diag.items[0].text, "there is no `crw` to change; did you mean `crew`?"), "%s",
            diag.items[0].text);
  sim_diag_free(&diag);
  snprintf(path, sizeof path, "rm -r %s", directory);
  cr_assert_eq(system(path), 0);
}

/* An error in what a preset brought says by which `like` it came. */
Test(scenario, via) {
  static const char text[] =
      TOP TOWN "hazards: {flu: {like: sir, layer: contacts, transmission: 0.1/day, states: {recovered: null}}}\n"
               "sensing: {s: {watches: flu.recovered}}\n";
  struct sim_scenario *s;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_scenario_parse(&s, text, strlen(text), "t.yaml", NULL, NULL, 0, &diag), SIM_ERR_INPUT);
  bool via = false;
  for (size_t i = 0; i < diag.n; i++)
    via = via || (strcmp(diag.items[i].file, "presets/hazards.yaml") == 0 &&
                  strstr(diag.items[i].text, "there is no own_state `recovered`"));
  cr_expect(via);
  sim_diag_free(&diag);
}

Test(scenario, differences) {
  struct sim_scenario *a = parse(TOP TOWN "teams: {crew: {size: 3}}\n");
  struct sim_scenario *b =
      parse("# another\nhorizon: 50 days\nairesim: 1\n" TOWN "teams: {crew: {size: 3 @elicited}, more: {size: 1}}\n");
  char *diff = sim_scenario_diff(a, b);
  cr_expect(strstr(diff, "horizon: 100 days -> 50 days\n") == diff, "%s", diff);
  cr_expect(strstr(diff, "teams.crew.size: 3 -> 3 @elicited\n") && strstr(diff, "teams.more.size: (absent) -> 1\n"));
  cr_expect(sim_scenario_hash(a) != sim_scenario_hash(b));
  sim_free(diff);
  sim_scenario_free(a);
  sim_scenario_free(b);
}

Test(scenario, pages) {
  char *schema = sim_schema_json(), *reference = sim_reference_markdown(), *list = sim_models_text(NULL);
  for (const struct sim_model *const *m = sim_models; *m; m++) {
    char name[100];
    snprintf(name, sizeof name, "\"%s\": {\"description\"", (*m)->name);
    cr_expect(strstr(schema, name), "%s", name);
    snprintf(name, sizeof name, "\n## `%s` (in", (*m)->name);
    cr_expect(strstr(reference, name), "%s", name);
    cr_expect(strstr(list, (*m)->name));
    char *one = sim_models_text((*m)->name);
    cr_expect(one && strstr(one, (*m)->doc));
    sim_free(one);
  }
  cr_expect(!strstr(reference, "UNDOCUMENTED"));
  cr_expect(sim_models_text("no_such_model") == NULL);
  sim_free(schema);
  sim_free(reference);
  sim_free(list);
}

/* Binding hundreds of design points reads no file again and takes a fraction of a second. */
Test(scenario, binding_is_fast) {
  struct sim_scenario *s = parse(full);
  clock_t start = clock();
  for (int i = 0; i < 200; i++) {
    char text[40];
    snprintf(text, sizeof text, "%.17g", 0.2 + i * 0.001);
    struct sim_patch point = {"sensing.clinics.ascertainment", text};
    struct sim_bound *b;
    struct sim_diag diag = {0};
    cr_assert_eq(sim_scenario_bind(&b, s, (size_t)i % 3, &point, 1, &diag), 0);
    const struct sim_value *clinics = sim_value_find(sim_value_get(sim_bound_root(b), "sensing"), "clinics");
    cr_expect_eq(sim_value_number(clinics, "ascertainment"), 0.2 + i * 0.001);
    sim_bound_free(b);
  }
  double each = (double)(clock() - start) / CLOCKS_PER_SEC / 200;
  cr_expect_lt(each, 0.05, "%g s", each); /* with sanitizers; below 1 ms without */
  sim_scenario_free(s);
}
