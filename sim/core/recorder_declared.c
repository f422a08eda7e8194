/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Declared measures: what a scenario may declare, and its checks. */
#include "sim/core/recorder_declared.h"
#include "sim/core/server.h"
#include <stdlib.h>
#include <string.h>

const struct sim_param sim_declared_params[] = {
    {.name = "count",
     .kind = SIM_REF,
     .refers = "observable",
     .doc = "Value of an observable at the moments in `at`, after all events of each."},
    {.name = "first", .kind = SIM_PREDICATE, .doc = "First time at which the predicate holds."},
    {.name = "last",
     .kind = SIM_PREDICATE,
     .doc = "Last time at which the predicate holds: when it last ceased to, or the horizon if it still does."},
    {.name = "share_of_time", .kind = SIM_PREDICATE, .doc = "Share of the time in which the predicate holds."},
    {.name = "integral", .kind = SIM_REF, .refers = "observable", .doc = "Integral of an observable over time."},
    {.name = "average", .kind = SIM_REF, .refers = "observable", .doc = "Average of an observable over time."},
    {.name = "maximum", .kind = SIM_REF, .refers = "observable", .doc = "Largest value of an observable."},
    {.name = "entries",
     .kind = SIM_REF,
     .refers = "state",
     .doc = "Number of moves into a state; who is placed there at the start is not counted."},
    {.name = "waits", .kind = SIM_REF, .refers = "team", .doc = "Statistic of a team's jobs: see `of`."},
    {.name = "giant",
     .kind = SIM_REF,
     .refers = "layer",
     .doc = "Nodes in the largest connected component of a layer at the moments in `at`."},
    {.name = "at", .kind = SIM_MOMENT, .flags = SIM_LIST, .doc = "Moments of `count` and `giant`: days or dates."},
    {.name = "from",
     .kind = SIM_MOMENT,
     .doc = "Day or date from which first, last, share_of_time, integral, average and maximum measure. Default: the "
            "start."},
    {.name = "of",
     .kind = SIM_CHOICE,
     .choices = "mean sd share_above served dropped abandoned busy_share",
     .doc = "Of `waits`: mean or standard deviation of the time from submission to start, share of those waits longer "
            "than `above`, jobs served, turned away or abandoned, or the share of the team's time that is busy. "
            "Default: mean."},
    {.name = "above", .kind = SIM_QUANTITY, .unit = "day", .doc = "Threshold of share_above."},
    {.name = "priority",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER | SIM_SIGNED | SIM_NO_RANGE,
     .doc = "Class of jobs that `waits` counts. Default: all."},
    {.name = "state",
     .kind = SIM_REF,
     .refers = "state",
     .doc = "State that a node must be in to count in `giant`. Default: any."},
    {.name = NULL}};

/* By kind: its key, what it means in the results, and which modifiers may stand beside it. */
enum { WITH_AT = 1, WITH_FROM = 2, WITH_WAITS = 4, WITH_STATE = 8 };
static const struct {
  const char *key;
  unsigned with;
} kinds[SIM_DECLARED_KINDS] = {
    [SIM_DECLARED_COUNT] = {"count", WITH_AT},         [SIM_DECLARED_FIRST] = {"first", WITH_FROM},
    [SIM_DECLARED_LAST] = {"last", WITH_FROM},         [SIM_DECLARED_SHARE_OF_TIME] = {"share_of_time", WITH_FROM},
    [SIM_DECLARED_INTEGRAL] = {"integral", WITH_FROM}, [SIM_DECLARED_AVERAGE] = {"average", WITH_FROM},
    [SIM_DECLARED_MAXIMUM] = {"maximum", WITH_FROM},   [SIM_DECLARED_ENTRIES] = {"entries", 0},
    [SIM_DECLARED_WAITS] = {"waits", WITH_WAITS},      [SIM_DECLARED_GIANT] = {"giant", WITH_AT | WITH_STATE},
};
static const struct {
  const char *key;
  unsigned with;
} modifiers[] = {{"at", WITH_AT},       {"from", WITH_FROM},      {"of", WITH_WAITS},
                 {"above", WITH_WAITS}, {"priority", WITH_WAITS}, {"state", WITH_STATE}};
static const char *const waits_of[] = {"mean", "sd", "share_above", "served", "dropped", "abandoned", "busy_share"};

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* Levenshtein distance of the first 95 characters. */
static unsigned edit_distance(const char *a, const char *b) {
  unsigned row[96];
  size_t n = strnlen(b, 95);
  for (unsigned j = 0; j <= n; j++) row[j] = j;
  for (unsigned i = 1; a[i - 1] && i < 96; i++) {
    unsigned diagonal = row[0];
    row[0] = i;
    for (unsigned j = 1; j <= n; j++) {
      unsigned replace = diagonal + (a[i - 1] != b[j - 1]), other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
      diagonal = row[j];
      row[j] = replace < other ? replace : other;
    }
  }
  return row[n];
}

void sim_nearest_offer(struct sim_nearest *n, const char *candidate) {
  unsigned d = edit_distance(n->wanted, candidate), k = n->n;
  while (k > 0 && d < n->distance[k - 1]) k--;
  if (k == 3) return;
  for (unsigned i = n->n < 3 ? n->n : 2; i > k; i--) {
    memcpy(n->name[i], n->name[i - 1], sizeof n->name[i]);
    n->distance[i] = n->distance[i - 1];
  }
  size_t length = strnlen(candidate, sizeof n->name[k] - 1);
  memcpy(n->name[k], candidate, length);
  n->name[k][length] = '\0';
  n->distance[k] = d;
  if (n->n < 3) n->n++;
}

int sim_nearest_report(const struct sim_nearest *n, const struct sim_value *at, const char *what,
                       struct sim_diag *diag) {
  static const char *const before[3] = {"; nearest: ", ", ", ", "};
  const char *t[6] = {"", "", "", "", "", ""};
  for (unsigned i = 0; i < n->n; i++) {
    t[2 * i] = before[i];
    t[2 * i + 1] = n->name[i];
  }
  return sim_diag_add(diag, &at->mark, at->path, "there is no %s '%s'%s%s%s%s%s%s", what, n->wanted, t[0], t[1], t[2],
                      t[3], t[4], t[5]);
}

/* Index of the observable of that path, or SIM_NONE after reporting. states_only: of machines' states. */
static uint32_t find_observable(const struct sim_world *w, const struct sim_value *at, const char *path,
                                bool states_only, struct sim_diag *diag) {
  struct sim_nearest nearest = {.wanted = path};
  for (uint32_t o = 0; o < w->observables; o++) {
    const struct sim_observable_plan *plan = &w->observable[o];
    bool state = false;
    for (uint32_t m = 0; m < w->machines && !state; m++)
      state = o >= w->machine[m].observable && o - w->machine[m].observable < w->machine[m].states;
    if (states_only && !state) continue;
    size_t n = strlen(plan->instance->name);
    if (strncmp(path, plan->instance->name, n) == 0 && path[n] == '.' && strcmp(path + n + 1, plan->name) == 0)
      return o;
    char *candidate = sim_strf("%s.%s", plan->instance->name, plan->name);
    if (candidate) sim_nearest_offer(&nearest, candidate);
    sim_free(candidate);
  }
  (void)sim_nearest_report(&nearest, at, states_only ? "state" : "observable", diag);
  return SIM_NONE;
}

static bool find_state(const struct sim_world *w, const struct sim_value *at, struct sim_declared *d,
                       struct sim_diag *diag) {
  uint32_t o = find_observable(w, at, at->text, true, diag);
  for (uint32_t m = 0; o != SIM_NONE && m < w->machines; m++) {
    if (o < w->machine[m].observable || o - w->machine[m].observable >= w->machine[m].states) continue;
    d->machine = m;
    d->state = (uint8_t)(o - w->machine[m].observable);
    return true;
  }
  return false;
}

/* Gives the observable a gauge, if it has none. */
static bool read_observable(struct sim_recorder_plan *p, const struct sim_value *at, struct sim_declared *d,
                            struct sim_diag *diag) {
  uint32_t o = find_observable(p->world, at, at->text, false, diag);
  if (o == SIM_NONE) return false;
  if (p->gauge_of[o] == SIM_NONE) p->gauge_of[o] = p->gauges++;
  d->gauge = p->gauge_of[o];
  return true;
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

/* A day or a date within the horizon, as a tick. */
static bool moment_tick(const struct sim_world *w, const struct sim_value *at, int64_t *tick, struct sim_diag *diag) {
  if (at->form != SIM_AT || at->text) {
    (void)sim_diag_add(diag, &at->mark, at->path,
                       "a measure is taken on a given day or date: '%s' is not known "
                       "beforehand",
                       at->written ? at->written : at->text);
    return false;
  }
  *tick = sim_ticks(at->number);
  if (*tick >= 0 && *tick <= w->horizon) return true;
  (void)sim_diag_add(diag, &at->mark, at->path, "day %g is %s (the horizon is %g days)", at->number,
                     *tick < 0 ? "before the start" : "after the end", w->horizon_days);
  return false;
}

static int add_due(struct sim_recorder_plan *p, int64_t tick, double days, uint32_t declared, uint32_t value) {
  struct sim_recorder_due *grown = sim_grow(p->due, &p->dues_cap, p->dues + 1, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  p->due = grown;
  p->due[p->dues++] = (struct sim_recorder_due){tick, days, declared, value};
  return 0;
}

/* `at` of count and giant. */
static int plan_moments(struct sim_recorder_plan *p, const struct sim_value *entry, struct sim_declared *d,
                        struct sim_diag *diag) {
  size_t n;
  const struct sim_value *at = sim_value_list(entry, "at", &n);
  if (!n) {
    (void)sim_diag_add(diag, &entry->mark, entry->path, "`%s` needs `at`: one or more days or dates",
                       kinds[d->kind].key);
    return 0;
  }
  d->value = p->values;
  for (size_t i = 0; i < n; i++) {
    int64_t tick;
    if (!moment_tick(p->world, &at[i], &tick, diag)) continue;
    for (size_t j = 0; j < i; j++)
      if (at[j].number == at[i].number)
        (void)sim_diag_add(diag, &at[i].mark, at[i].path, "day %g is listed twice", at[i].number);
    int ret = add_due(p, tick, at[i].number, (uint32_t)(d - p->declared), p->values + d->moments);
    if (ret) return ret;
    d->moments++;
  }
  p->values += d->moments;
  return 0;
}

static int plan_from(struct sim_recorder_plan *p, const struct sim_value *entry, struct sim_declared *d,
                     struct sim_diag *diag) {
  const struct sim_value *from = sim_value_get(entry, "from");
  if (from->form != SIM_ABSENT && !moment_tick(p->world, from, &d->from, diag)) return 0;
  return add_due(p, d->from, sim_days(d->from), (uint32_t)(d - p->declared), SIM_NONE);
}

/* The integers at which a predicate holds. A share of 20,000 that is a whole number but for rounding is that number. */
static void plan_predicate(const struct sim_recorder_plan *p, const struct sim_value *test, struct sim_declared *d,
                           struct sim_diag *diag) {
  uint32_t o = find_observable(p->world, test, test->text, false, diag);
  double threshold = test->number;
  if (o != SIM_NONE && test->share) {
    uint32_t population = p->world->observable[o].population;
    if (population == SIM_NONE) {
      (void)sim_diag_add(diag, &test->mark, test->path, "'%s' has no population to take a share of: give a number",
                         test->text);
      return;
    }
    threshold *= p->world->population[population].size;
  }
  if (fabs(threshold - nearbyint(threshold)) <= 1e-9 * (1 + fabs(threshold))) threshold = nearbyint(threshold);
  threshold = fmax(-1e18, fmin(threshold, 1e18));
  int64_t below = (int64_t)ceil(threshold) - 1, above = (int64_t)floor(threshold) + 1;
  d->low = test->op == '>' ? above : test->op == 'g' || test->op == '=' ? below + 1 : INT64_MIN;
  d->high = test->op == '<' ? below : test->op == 'l' || test->op == '=' ? above - 1 : INT64_MAX;
}

static int plan_waits(struct sim_world *w, const struct sim_value *entry, const struct sim_value *team,
                      struct sim_declared *d, struct sim_diag *diag) {
  struct sim_nearest nearest = {.wanted = team->text};
  const struct sim_instance *found = NULL;
  for (uint32_t i = 0; i < w->instances && !found; i++) {
    if (w->instance[i].server == SIM_NONE) continue;
    if (strcmp(w->instance[i].name, team->text) == 0) found = &w->instance[i];
    sim_nearest_offer(&nearest, w->instance[i].name);
  }
  if (!found) {
    (void)sim_nearest_report(&nearest, team, "team", diag);
    return 0;
  }
  d->server = found->server;
  const struct sim_value *priority = sim_value_get(entry, "priority"), *above = sim_value_get(entry, "above");
  d->any = priority->form == SIM_ABSENT;
  d->priority = d->any ? 0 : (int)priority->number;
  const char *of = sim_value_text(entry, "of");
  for (unsigned i = 0; of && i < sizeof waits_of / sizeof *waits_of; i++)
    if (strcmp(of, waits_of[i]) == 0) d->of = (enum sim_waits_of)i;
  if (d->of == SIM_WAITS_BUSY_SHARE && !d->any)
    (void)sim_diag_add(diag, &priority->mark, priority->path, "busy_share is of the whole team, not of one priority");
  if ((d->of == SIM_WAITS_SHARE_ABOVE) != (above->form != SIM_ABSENT)) {
    (void)sim_diag_add(diag, &entry->mark, entry->path, "`above` and `of: share_above` go together");
    return 0;
  }
  if (d->of != SIM_WAITS_SHARE_ABOVE) return 0;
  return sim_server_watch_wait(w->server[d->server], d->priority, d->any, above->number, &d->watch);
}

static int plan_giant(struct sim_recorder_plan *p, const struct sim_value *entry, const struct sim_value *layer,
                      struct sim_declared *d, struct sim_diag *diag) {
  const struct sim_world *w = p->world;
  struct sim_nearest nearest = {.wanted = layer->text};
  uint32_t l = 0;
  while (l < w->layers && strcmp(w->layer[l].name, layer->text) != 0) sim_nearest_offer(&nearest, w->layer[l++].name);
  if (l == w->layers) {
    (void)sim_nearest_report(&nearest, layer, "layer", diag);
    return 0;
  }
  d->layer = l;
  if (w->layer[l].mixing)
    (void)sim_diag_add(diag, &layer->mark, layer->path, "'%s' is mixed homogeneously: it has no components",
                       layer->text);
  uint32_t population = w->layer[l].population;
  if (w->population[population].size > p->giant_nodes) p->giant_nodes = w->population[population].size;
  const struct sim_value *state = sim_value_get(entry, "state");
  if (state->form == SIM_ABSENT || !find_state(w, state, d, diag)) return plan_moments(p, entry, d, diag);
  if (w->machine[d->machine].population != population)
    (void)sim_diag_add(diag, &state->mark, state->path, "'%s' is a state of %s, but the nodes of '%s' are %s",
                       state->text, w->population[w->machine[d->machine].population].name, layer->text,
                       w->population[population].name);
  return plan_moments(p, entry, d, diag);
}

/* Exactly one kind, and only the modifiers that belong to it. False after reporting. */
static bool find_kind(const struct sim_value *entry, struct sim_declared *d, struct sim_diag *diag) {
  unsigned given = 0;
  for (unsigned k = 0; k < SIM_DECLARED_KINDS; k++)
    if (sim_value_has(entry, kinds[k].key) && given++ == 0) d->kind = (enum sim_declared_kind)k;
  if (given != 1) {
    (void)sim_diag_add(diag, &entry->mark, entry->path,
                       "a declared measure has exactly one of count, first, last, share_of_time, integral, average, "
                       "maximum, entries, waits, giant; here are %u",
                       given);
    return false;
  }
  for (unsigned i = 0; i < sizeof modifiers / sizeof *modifiers; i++) {
    const struct sim_value *v = sim_value_get(entry, modifiers[i].key);
    if (v->form == SIM_ABSENT || (modifiers[i].with & kinds[d->kind].with)) continue;
    (void)sim_diag_add(diag, &v->mark, v->path, "`%s` has no meaning beside `%s`", modifiers[i].key,
                       kinds[d->kind].key);
  }
  return true;
}

static int plan_entry(struct sim_recorder_plan *p, struct sim_world *w, const struct sim_value *entry,
                      struct sim_declared *d, struct sim_diag *diag) {
  if (!find_kind(entry, d, diag)) return 0;
  const struct sim_value *v = sim_value_get(entry, kinds[d->kind].key);
  switch (d->kind) {
  case SIM_DECLARED_ENTRIES:
    find_state(w, v, d, diag);
    return 0;
  case SIM_DECLARED_WAITS:
    return plan_waits(w, entry, v, d, diag);
  case SIM_DECLARED_GIANT:
    return plan_giant(p, entry, v, d, diag);
  default:
    break;
  }
  if (!read_observable(p, v, d, diag)) return 0;
  if (d->kind == SIM_DECLARED_COUNT) return plan_moments(p, entry, d, diag);
  if (v->form == SIM_TEST) plan_predicate(p, v, d, diag);
  return plan_from(p, entry, d, diag);
}

/* A declared measure is a variable of the results: it may not have the name of another. */
static void check_name(const struct sim_world *w, const struct sim_value *entry, struct sim_diag *diag) {
  static const char *const kept[] = {"arm",
                                     "point",
                                     "replicate",
                                     "time",
                                     "level",
                                     "hazard",
                                     "cost",
                                     "layer",
                                     "sensor",
                                     "team",
                                     "action",
                                     "repair",
                                     "error",
                                     "events",
                                     "item",
                                     "incident",
                                     "functionality",
                                     "population",
                                     "fan",
                                     "bin",
                                     "seed",
                                     "quantile",
                                     "active_load",
                                     "population_functionality",
                                     "episode",
                                     "group",
                                     "freedom_lost",
                                     "freedom_cost",
                                     "privacy_lost",
                                     "privacy_cost",
                                     "person_days_restricted",
                                     "person_days_monitored"};
  bool taken = false;
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) taken |= strcmp(entry->name, kept[i]) == 0;
  for (const struct sim_measure *m = sim_measures; m->name; m++) taken |= strcmp(entry->name, m->name) == 0;
  for (uint32_t i = 0; i < w->instances; i++)
    for (const struct sim_output_desc *o = w->instance[i].model->outputs; o && o->name; o++)
      taken |= strcmp(entry->name, o->name) == 0;
  if (taken)
    (void)sim_diag_add(diag, &entry->mark, entry->path, "'%s' is the name of another variable of the results",
                       entry->name);
}

static int compare_due(const void *a, const void *b) {
  const struct sim_recorder_due *x = a, *y = b;
  if (x->tick != y->tick) return x->tick < y->tick ? -1 : 1;
  if (x->declared != y->declared) return x->declared < y->declared ? -1 : 1;
  return (x->value > y->value) - (x->value < y->value);
}

/* Which measures hear of a gauge's values, and not only read it. */
static bool hears(const struct sim_declared *d) {
  return d->kind == SIM_DECLARED_MAXIMUM || d->kind == SIM_DECLARED_FIRST || d->kind == SIM_DECLARED_LAST ||
         d->kind == SIM_DECLARED_SHARE_OF_TIME;
}

static int plan_hearing(struct sim_recorder_plan *p) {
  p->heard_first = sim_calloc(p->gauges + 2, sizeof *p->heard_first);
  p->heard = sim_calloc(p->declareds + 1, sizeof *p->heard);
  if (!p->heard_first || !p->heard) return SIM_ERR_MEMORY;
  for (uint32_t g = 0, n = 0; g < p->gauges; g++) {
    p->heard_first[g] = n;
    for (uint32_t d = 0; d < p->declareds; d++)
      if (p->declared[d].gauge == g && hears(&p->declared[d])) p->heard[n++] = d;
    p->heard_first[g + 1] = n;
  }
  return 0;
}

int sim_declared_plan(struct sim_recorder_plan *p, struct sim_world *w, const struct sim_value *declared,
                      struct sim_diag *diag) {
  size_t n = declared && declared->form == SIM_MAPPING ? declared->n : 0;
  p->declared = sim_calloc(n + 1, sizeof *p->declared);
  if (!p->declared) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) {
    struct sim_declared *d = &p->declared[p->declareds++];
    *d = (struct sim_declared){.name = declared->items[i].name, .gauge = SIM_NONE, .machine = SIM_NONE};
    check_name(w, &declared->items[i], diag);
    int ret = plan_entry(p, w, &declared->items[i], d, diag);
    if (ret) return ret;
  }
  if (p->dues) qsort(p->due, p->dues, sizeof *p->due, compare_due);
  return plan_hearing(p);
}
