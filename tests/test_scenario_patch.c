/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one patch rule: RFC 7396 on trees, dotted keys, patterns and factors on scenarios. */
#include "scenario_reader.h"
#include "sim/scenario/names.h"
#include "sim/scenario/patch.h"
#include "sim/scenario/scenario.h"
#include <criterion/criterion.h>
#include <stdio.h>

/* A tree as compact text, mappings sorted. */
static void show(struct sc_text *t, struct sc_node *node) {
  if (!node || node->kind == SC_NULL) {
    sc_text_add(t, "null");
  } else if (node->kind == SC_SCALAR) {
    sc_text_add(t, "%s", node->text);
  } else {
    if (node->kind == SC_MAP) sc_node_sort(node);
    sc_text_add(t, node->kind == SC_MAP ? "{" : "[");
    for (size_t i = 0; i < node->n; i++) {
      if (i) sc_text_add(t, ", ");
      if (node->kind == SC_MAP) sc_text_add(t, "%s: ", node->items[i]->key);
      show(t, node->items[i]);
    }
    sc_text_add(t, node->kind == SC_MAP ? "}" : "]");
  }
}

/* RFC 7396, appendix A; scalars of a scenario are text, and {"a": null} patches of nothing leave nothing. */
static const struct {
  const char *target, *patch, *result;
} rfc[] = {
    {"{a: b}", "{a: c}", "{a: c}"},
    {"{a: b}", "{b: c}", "{a: b, b: c}"},
    {"{a: b}", "{a: null}", "{}"},
    {"{a: b, b: c}", "{a: null}", "{b: c}"},
    {"{a: [b]}", "{a: c}", "{a: c}"},
    {"{a: c}", "{a: [b]}", "{a: [b]}"},
    {"{a: {b: c}}", "{a: {b: d, c: null}}", "{a: {b: d}}"},
    {"{a: [{b: c}]}", "{a: [1]}", "{a: [1]}"},
    {"[a, b]", "[c, d]", "[c, d]"},
    {"{a: b}", "[c]", "[c]"},
    {"{a: foo}", "bar", "bar"},
    {"{e: null}", "{a: 1}", "{a: 1, e: null}"},
    {"[1, 2]", "{a: b, c: null}", "{a: b}"},
    {"{}", "{a: {bb: {ccc: null}}}", "{a: {bb: {}}}"},
    /* dotted keys */
    {"{a: {b: c, d: e}}", "{a.b: x}", "{a: {b: x, d: e}}"},
    {"{a: {b: {c: d, e: f}}}", "{a.b: {c: x}}", "{a: {b: {c: x, e: f}}}"},
    {"{a: {b: c}}", "{a.b: null}", "{a: {}}"},
    {"{a: {b: c}}", "{a.b.c: 1, a.d: 2}", "{a: {b: {c: 1}, d: 2}}"},
    /* patterns: what is named exactly wins, in any order */
    {"{a: {p: {s: 1}, q: {s: 2}}}", "{a.*.s: 3}", "{a: {p: {s: 3}, q: {s: 3}}}"},
    {"{a: {p: {s: 1}, q: {s: 2}}}", "{a.p.s: 4, a.*.s: 3}", "{a: {p: {s: 4}, q: {s: 3}}}"},
    {"{a: {p: {s: 1}, q: {t: 2}}}", "{a.*.s: 3}", "{a: {p: {s: 3}, q: {t: 2}}}"},
    {"{a: {p: 1, q: 2}}", "{a.*: null}", "{a: {}}"},
    {"{a: {p: {s: {x: 1}}, q: {s: {x: 2}}}}", "{\"*\": {\"*\": {s: {\"*\": 3}}}}",
     "{a: {p: {s: {x: 3}}, q: {s: {x: 3}}}}"},
    /* forms of one value: they merge with themselves and replace one another */
    {"{v: {value: 3, range: 1..4}}", "{v: {range: 2..4}}", "{v: {range: 2..4, value: 3}}"},
    {"{v: {value: 3, range: 1..4}}", "{v: {old: 1, young: 2}}", "{v: {old: 1, young: 2}}"},
    {"{v: {old: 1, young: 2}}", "{v: {value: 3}}", "{v: {value: 3}}"},
    {"{v: {old: 1, young: 2}}", "{v: {old: 3}}", "{v: {old: 3, young: 2}}"},
    {"{v: {call: gamma, mean: 1, cv: 2}}", "{v: {mean: 3}}", "{v: {call: gamma, cv: 2, mean: 3}}"},
    {"{v: {call: gamma, mean: 1, cv: 2}}", "{v: {call: fixed, value: 3}}", "{v: {call: fixed, value: 3}}"},
};

Test(scenario_patch, rfc_7396) {
  jmp_buf unwind;
  struct reader r;
  reader_init(&r, &unwind);
  cr_assert(setjmp(unwind) == 0);
  for (size_t i = 0; i < sizeof rfc / sizeof *rfc; i++) {
    struct sc_node *target = reader_parse(&r, rfc[i].target), *patch = reader_parse(&r, rfc[i].patch);
    cr_assert(target && patch, "%s %s", rfc[i].target, rfc[i].patch);
    struct sc_text t = {.c = &r.c};
    show(&t, sc_merge(&r.c, target, patch, ""));
    cr_expect_str_eq(t.at, rfc[i].result, "%s patched with %s: %s", rfc[i].target, rfc[i].patch, t.at);
  }
  cr_expect_eq(r.diag.n, 0u, "%s", r.diag.n ? r.diag.items[0].text : "");
  reader_free(&r);
}

#define BASE                                                                                                           \
  "airesim: 1\nhorizon: 100 days\nsource: illustrative\n"                                                              \
  "society: {people: 100, groups: {old: 20 %, young: 80 %}, layers: {contacts: {graph: complete}, power: {nodes: "     \
  "9}}}\n"                                                                                                             \
  "hazards:\n  flu: {like: seir, layer: contacts, transmission: 0.1/day (0.05..0.2), latent: gamma mean 2 days "       \
  "(1..3) cv 0.5 @flu1978}\n"                                                                                          \
  "sensing: {clinics: {watches: flu.infectious, ascertainment: 30 % (10..40)}}\n"                                      \
  "teams: {crew: {size: 3 (1..4)}, other: {size: {day 0: 2, day 9: 5}, cost: 9 USD/team_day}}\n"                       \
  "actions: {jab: {like: vaccination, against: flu, when: day 1, efficacy: 50 %, uptake: {old: 40 %, young: 30 % "     \
  "(20..50)}}}\n"                                                                                                      \
  "repair: {grid: {layer: power, team: crew, time: exponential rate 0.5/day}}\n"                                       \
  "incidents: {blow: {fails: power, count: 1, arrivals: poisson 0.5/year (0.1..2)}}\n"

/* A path's value and source in the scenario under one arm's patch. */
static const struct {
  const char *patch, *path, *value, *source;
} arms[] = {
    {"{}", "hazards.flu.latent.mean", "2 days (1..3)", "flu1978"},
    {"{hazards.flu.latent.mean: 3 days}", "hazards.flu.latent.mean", "3 days", "illustrative"},
    {"{hazards.flu.latent.mean: 3 days}", "hazards.flu.latent.cv", "0.5", "flu1978"},
    {"{hazards.flu.latent.mean: 3 days @elicited}", "hazards.flu.latent.mean", "3 days", "elicited"},
    {"{source: fitted, hazards.flu.latent.mean: 3 days}", "hazards.flu.latent.mean", "3 days", "fitted"},
    {"{hazards.flu.latent: exponential mean 1 day}", "hazards.flu.latent.mean", "1 day", "illustrative"},
    {"{hazards.flu.latent: {call: exponential, mean: 1 day}}", "hazards.flu.latent.mean", "1 day", "illustrative"},
    {"{hazards.flu.latent.source: elicited}", "hazards.flu.latent.mean", "2 days (1..3)", "elicited"},
    {"{hazards.flu.latent: x 2}", "hazards.flu.latent.mean", "4 days (2..6)", "illustrative"},
    {"{hazards.flu.latent: x 2}", "hazards.flu.latent.cv", "0.5", "flu1978"},
    {"{hazards.flu.latent.mean: x 0.5}", "hazards.flu.latent.mean", "1 days (0.5..1.5)", "illustrative"},
    {"{hazards.flu.latent: x 2}", "hazards.flu.transitions.onset.after.mean", "4 days", "illustrative"},
    {"{repair.grid.time: x 2}", "repair.grid.time.rate", "0.25/day", "illustrative"},
    {"{incidents.blow.arrivals: x 2}", "incidents.blow.arrivals.rate", "1/year (0.2..4)", "illustrative"},
    {"{hazards.flu.transmission: x 2}", "hazards.flu.transmission.value", "0.2/day (0.1..0.4)", "illustrative"},
    {"{hazards.flu.transmission: 0.3/day}", "hazards.flu.transmission.value", "0.3/day", "illustrative"},
    {"{hazards.flu.transmission.value: 0.3/day}", "hazards.flu.transmission.value", "0.3/day", "illustrative"},
    {"{actions.jab.uptake.young: x 2}", "actions.jab.uptake.young", "60 % (40..100)", "illustrative"},
    {"{teams.crew.size: x 2}", "teams.crew.size", "6 (2..8)", "illustrative"},
    {"{teams.*.size: x 2}", "teams.other.size.day 9", "10", "illustrative"},
    {"{teams.*.size: x 2}", "teams.crew.size", "6 (2..8)", "illustrative"},
    {"{teams.*.cost: x 2}", "teams.other.cost", "18 USD/team_day", "illustrative"},
    {"{teams.*.cost: x 2}", "teams.crew.cost", "0 currency/team_day", "illustrative"},
    {"{teams.crew.size.value: 2}", "teams.crew.size", "2 (1..4)", "illustrative"},
    {"{teams.crew.size.range: 2..3}", "teams.crew.size", "3 (2..3)", "illustrative"},
    {"{teams.crew.size: {day 0: 1}}", "teams.crew.size.day 0", "1", "illustrative"},
    {"{teams.other.size: {day 9: 7}}", "teams.other.size.day 0", "2", "illustrative"},
    {"{teams.other.size: 4}", "teams.other.size", "4", "illustrative"},
    {"{actions.jab.uptake: x 2}", "actions.jab.uptake.young", "60 % (40..100)", "illustrative"},
    {"{actions.jab.uptake.old: 10 %}", "actions.jab.uptake.young", "30 % (20..50)", "illustrative"},
    {"{actions.jab.uptake: 10 %}", "actions.jab.uptake", "10 %", "illustrative"},
    {"{actions.jab.efficacy.range: 10..60 %}", "actions.jab.efficacy", "50 % (10..60)", "illustrative"},
    {"{actions.jab.protection_delay: x 2}", "actions.jab.protection_delay", "28 days", "illustrative"},
    {"{actions.jab: {like: isolation, against: flu, on: clinics, when: day 2}}", "actions.jab.when", "day 2",
     "assumed"},
    {"{teams.crew.size: null, teams.crew: {size: 9}}", NULL, NULL, NULL},
    {"{teams: {third: {size: 9}}}", "teams.third.size", "9", "illustrative"},
    {"{teams.third: {like: other}}", "teams.third.size.day 9", "5", "illustrative"},
    {"{teams.third: {like: other, size: x 3}}", "teams.third.size.day 9", "15", "illustrative"},
    {"{actions.jab.when: null, actions.jab: null}", NULL, NULL, NULL},
    {"{teams.other.size: $teams.crew.size, teams.crew.size: 8}", "teams.other.size", "8", "illustrative"},
};

Test(scenario_patch, arms) {
  for (size_t i = 0; i < sizeof arms / sizeof *arms; i++) {
    char text[2048];
    snprintf(text, sizeof text, "%sarms:\n  a: {}\n  b: %s\n", BASE, arms[i].patch);
    struct sim_diag diag = {0};
    struct sim_scenario *s;
    int ret = sim_scenario_parse(&s, text, strlen(text), "t.yaml", NULL, NULL, 0, &diag);
    cr_expect_eq(ret, arms[i].path ? 0 : SIM_ERR_INPUT, "%s: %s", arms[i].patch, diag.n ? diag.items[0].text : "");
    if (ret == 0 && arms[i].path) {
      struct sim_path_info *paths;
      size_t n = sim_scenario_paths(s, 1, arms[i].path, &paths);
      cr_expect_eq(n, 1u, "%s", arms[i].patch);
      if (n) cr_expect_str_eq(paths[0].value, arms[i].value, "%s: %s", arms[i].patch, paths[0].value);
      if (n) cr_expect_str_eq(paths[0].source, arms[i].source, "%s: %s", arms[i].patch, paths[0].source);
      sim_paths_free(paths, n);
    }
    sim_scenario_free(s);
    sim_diag_free(&diag);
  }
}

/* --set and design points are the same patches as an arm. */
Test(scenario_patch, sets_and_points) {
  for (size_t i = 0; i < 2; i++) {
    struct sim_patch patch[] = {{"teams.crew.size", "x 2"},
                                {"hazards.flu.latent.mean", "2.5 day"},
                                {"actions.jab.uptake", "{old: 1 %, young: 2 %}"},
                                {"sensing.clinics.ascertainment", "0.125"},
                                {"repair.grid", "null"}};
    struct sim_diag diag = {0};
    struct sim_scenario *s;
    struct sim_bound *b;
    size_t n = sizeof patch / sizeof *patch;
    int ret = sim_scenario_parse(&s, BASE, strlen(BASE), "t.yaml", NULL, patch, i == 0 ? n : 0, &diag);
    cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : "");
    ret = sim_scenario_bind(&b, s, 0, patch, i == 1 ? n : 0, &diag);
    cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : "");
    const struct sim_value *root = sim_bound_root(b);
    const struct sim_value *crew = sim_value_find(sim_value_get(root, "teams"), "crew");
    const struct sim_value *flu = sim_value_find(sim_value_get(root, "hazards"), "flu");
    const struct sim_value *jab = sim_value_find(sim_value_get(root, "actions"), "jab");
    const struct sim_value *clinics = sim_value_find(sim_value_get(root, "sensing"), "clinics");
    cr_expect_eq(sim_value_number(crew, "size"), 6);
    cr_expect_eq(sim_value_get(sim_value_get(flu, "latent"), "mean")->number, 2.5);
    cr_expect_eq(sim_value_find(sim_value_get(jab, "uptake"), "young")->number, 0.02);
    cr_expect_eq(sim_value_number(clinics, "ascertainment"), 0.125);
    cr_expect_eq(sim_value_get(root, "repair")->n, 0u);
    sim_bound_free(b);
    struct sim_patch bad[] = {
        {"teams.crw.size", "3"}, {"teams.crew.size", "three"}, {"not a path", "1"}, {"teams.crew.size", "{a"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
      size_t before = diag.n;
      cr_expect_eq(sim_scenario_bind(&b, s, 0, &bad[k], 1, &diag), SIM_ERR_INPUT, "%s", bad[k].path);
      cr_expect_gt(diag.n, before, "%s", bad[k].path);
    }
    sim_scenario_free(s);
    sim_diag_free(&diag);
  }
}

Test(scenario_patch, distance_and_globs) {
  cr_expect_eq(sc_distance("latent", "latent"), 0u);
  cr_expect_eq(sc_distance("latnet", "latent"), 1u); /* neighbours swapped: one step */
  cr_expect_eq(sc_distance("ltent", "latent"), 1u);
  cr_expect_eq(sc_distance("latexnt", "latent"), 1u);
  cr_expect_eq(sc_distance("kitten", "sitting"), 3u);
  cr_expect(sc_glob("*delay*", "actions.jab.decision_delay"));
  cr_expect(sc_glob("teams.*.size", "teams.crew.size"));
  cr_expect(!sc_glob("teams.*.size", "teams.crew.sizes"));
  cr_expect(sc_path_is_dotted("teams.*.size") && !sc_path_is_dotted("day 0.5") && !sc_path_is_dotted("teams"));
}
