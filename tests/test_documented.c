/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every key, call, state, knob, signal and output of every table says what it is. */
#include "sim/core/model.h"
#include "sim/scenario/sections.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static unsigned faults, entries;

/* A word at least, with its full stop or without. */
static void expect_words(const char *where, const char *name, const char *doc) {
  entries++;
  if (doc && strlen(doc) >= 4) return;
  fprintf(stderr, "%s.%s: says nothing: \"%s\"\n", where, name, doc ? doc : "");
  faults++;
}

static void walk(const char *where, const struct sim_param *table, unsigned depth);

static void walk_calls(const char *where, const struct sim_call *calls, unsigned depth) {
  for (; calls && calls->name; calls++) {
    expect_words(where, calls->name, calls->doc);
    walk(calls->name, calls->params, depth + 1);
  }
}

static void walk(const char *where, const struct sim_param *table, unsigned depth) {
  if (depth > 6) return; /* laws whose parameters are laws */
  for (const struct sim_param *p = table; p && p->name; p++) {
    expect_words(where, p->name, p->doc);
    walk_calls(p->name, p->calls, depth + 1);
    walk_calls(p->name, p->more_calls, depth + 1);
    if (p->kind == SIM_FIELDS)
      walk(p->name, p->fields, depth + 1);
    else if (p->kind == SIM_NAMES && p->fields->kind != SIM_MODEL && p->fields->kind != SIM_NAMES)
      walk(p->name, p->fields->kind == SIM_FIELDS ? p->fields->fields : NULL, depth + 1);
  }
}

Test(documented, engine_tables) {
  walk("scenario", sc_root.fields, 0);
  walk_calls("law", sim_laws, 0);
  walk_calls("graph", sim_graphs, 0);
  cr_assert_eq(faults, 0, "%u entries say nothing", faults);
  cr_assert_gt(entries, 50, "only %u entries were found", entries);
}

Test(documented, models) {
  unsigned models = 0;
  for (const struct sim_model *const *m = sim_models; *m; m++, models++) {
    const char *name = (*m)->name;
    expect_words("models", name, (*m)->doc);
    walk(name, (*m)->params, 0);
    for (const struct sim_state_desc *s = (*m)->states; s && s->name; s++) expect_words(name, s->name, s->doc);
    for (const struct sim_knob *k = (*m)->knobs; k && k->name; k++) expect_words(name, k->name, k->doc);
    for (const struct sim_signal_desc *s = (*m)->signals; s && s->name; s++) expect_words(name, s->name, s->doc);
    for (const struct sim_output_desc *o = (*m)->outputs; o && o->name; o++) expect_words(name, o->name, o->doc);
  }
  cr_assert_eq(faults, 0, "%u entries say nothing", faults);
  cr_assert_gt(models, 5, "only %u models were found", models);
}

/* The check itself can fail. */
Test(documented, finds_what_is_missing) {
  static const struct sim_param bare[] = {
      {.name = "rate", .kind = SIM_QUANTITY}, {.name = "size", .kind = SIM_QUANTITY, .doc = "n"}, {.name = NULL}};
  walk("test", bare, 0);
  cr_assert_eq(faults, 2);
}
