/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matrix of tests that every model passes: its tables are whole; its scenario tests/models/<model>.yaml gives the
 * same bits whatever ran before, keeps the invariants of the engine after every event, uses every event, signal and
 * output of the model, is not changed by an intervention without effect, and survives refused allocations. CTest
 * sets AIRESIM_MODEL to one model of models/CMakeLists.txt; without it, all are tested. */
#include "sim/core/run_internal.h"
#include "tests/worlds.h"
#include <ctype.h>
#include <stdlib.h>

enum { REPLICATES = 6 };

/* ---- which models ----------------------------------------------------------------------------------------------- */

static bool chosen(const struct sim_model *m) {
  const char *one = getenv("AIRESIM_MODEL");
  return !one || strcmp(one, m->name) == 0;
}

static char *scenario_of(const struct sim_model *m) {
  char *path = sim_strf("%s/tests/models/%s.yaml", AIRESIM_SOURCE_DIR, m->name);
  FILE *f = fopen(path, "rb");
  cr_assert(f, "a model needs a scenario that exercises it: write tests/models/%s.yaml", m->name);
  char *text = sim_calloc(1, 1 << 16);
  cr_assert_lt(fread(text, 1, (1 << 16) - 1, f), (1 << 16) - 1);
  fclose(f);
  sim_free(path);
  return text;
}

static bool has_arm(const char *text, const char *arm) {
  struct test_world t;
  test_world_bind(&t, text, NULL, NULL, 0);
  bool found = false;
  for (size_t a = 0; a < sim_scenario_arms(t.scenario); a++) found |= strcmp(sim_scenario_arm(t.scenario, a), arm) == 0;
  test_world_close(&t);
  return found;
}

Test(matrix, the_model_is_registered) {
  size_t found = 0;
  for (size_t i = 0; sim_models[i]; i++) {
    found += chosen(sim_models[i]);
    for (size_t k = 0; k < i; k++) cr_assert_str_neq(sim_models[i]->name, sim_models[k]->name);
  }
  cr_assert_gt(found, 0, "%s is not among the models", getenv("AIRESIM_MODEL"));
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static void check_name(const struct sim_model *m, const char *name, const char *doc) {
  cr_assert(name[0] && islower((unsigned char)name[0]), "%s: the name %s", m->name, name);
  for (const char *c = name; *c; c++)
    cr_assert(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_', "%s: the name %s", m->name, name);
  cr_assert(doc && strlen(doc) > 4, "%s: %s has no sentence of documentation", m->name, name);
}

static void check_params(const struct sim_model *m, const struct sim_param *params, int depth) {
  cr_assert_lt(depth, 8);
  for (const struct sim_param *p = params; p && p->name; p++) {
    check_name(m, p->name, p->doc);
    cr_assert(!(p->flags & SIM_REQUIRED && p->fallback), "%s.%s is required and has a default", m->name, p->name);
    cr_assert(p->max >= p->min);
    for (const struct sim_param *q = params; q != p; q++) cr_assert_str_neq(p->name, q->name);
    if (p->kind == SIM_LAW_CALL || p->kind == SIM_RULE) cr_assert(p->unit, "%s.%s has no unit", m->name, p->name);
    if (p->kind == SIM_CHOICE) cr_assert(p->choices, "%s.%s has no choices", m->name, p->name);
    if (p->kind == SIM_REF) cr_assert(p->refers, "%s.%s refers to nothing", m->name, p->name);
    if (p->kind == SIM_FIELDS || p->kind == SIM_NAMES) check_params(m, p->fields, depth + 1);
    for (const struct sim_call *c = p->kind == SIM_CALL ? p->calls : NULL; c && c->name; c++) {
      check_name(m, c->name, c->doc);
      check_params(m, c->params, depth + 1);
    }
  }
}

static void check_tables(const struct sim_model *m) {
  check_name(m, m->name, m->doc);
  cr_assert(m->section && m->section[0]);
  check_params(m, m->params, 0);
  for (const struct sim_state_desc *s = m->states; s && s->name; s++) {
    check_name(m, s->name, s->doc);
    cr_assert(s->functionality >= 0 && s->functionality <= 1);
  }
  for (const struct sim_knob *k = m->knobs; k && k->name; k++) {
    check_name(m, k->name, k->doc);
    cr_assert(k->min >= 0 && k->min <= 1 && k->max >= 1, "%s.%s: 1 must lie within its limits", m->name, k->name);
  }
  for (const struct sim_signal_desc *s = m->signals; s && s->name; s++) check_name(m, s->name, s->doc);
  for (const struct sim_event_desc *e = m->events; e && e->name; e++) check_name(m, e->name, "an event");
  for (const struct sim_output_desc *o = m->outputs; o && o->name; o++) {
    check_name(m, o->name, o->doc);
    cr_assert(o->unit && o->unit[0], "%s: the output %s has no unit", m->name, o->name);
  }
  cr_assert(!m->events == !m->event, "events and their callback come together");
  cr_assert(!m->plan_free || m->plan_size > 0);
}

Test(matrix, tables_are_whole) {
  for (size_t i = 0; sim_models[i]; i++)
    if (chosen(sim_models[i])) check_tables(sim_models[i]);
}

/* ---- determinism ------------------------------------------------------------------------------------------------ */

struct outcome {
  double *columns[REPLICATES];
  uint16_t *samples[REPLICATES];
  uint64_t events[REPLICATES];
};

static void keep(struct outcome *o, const struct test_world *t, unsigned r) {
  o->columns[r] = sim_calloc(t->columns + 1, sizeof(double));
  o->samples[r] = sim_calloc(t->cells + 1, sizeof(uint16_t));
  memcpy(o->columns[r], t->row.columns, t->columns * sizeof(double));
  memcpy(o->samples[r], t->row.samples, t->cells * sizeof(uint16_t));
  o->events[r] = t->row.events;
}

static void drop(struct outcome *o) {
  for (unsigned r = 0; r < REPLICATES; r++) {
    sim_free(o->columns[r]);
    sim_free(o->samples[r]);
  }
}

static void compare(const struct sim_model *m, const struct outcome *o, const struct test_world *t, unsigned r) {
  for (size_t c = 0; c < t->columns; c++)
    cr_assert(test_same_bits(&o->columns[r][c], &t->row.columns[c], 1), "%s: %s of replicate %u was %.17g, now %.17g",
              m->name, t->column[c].variable, r, o->columns[r][c], t->row.columns[c]);
  cr_assert_eq(memcmp(o->samples[r], t->row.samples, t->cells * sizeof(uint16_t)), 0);
  cr_assert_eq(o->events[r], t->row.events);
}

/* In order; backwards on the same run; each first on a new world. */
static void check_determinism(const struct sim_model *m) {
  struct outcome o = {0};
  struct test_world t;
  char *text = scenario_of(m);
  uint64_t events = 0;
  bool differ = false;
  test_world_open(&t, text);
  for (unsigned r = 0; r < REPLICATES; r++) {
    test_world_run(&t, r);
    keep(&o, &t, r);
    events += t.row.events;
    differ |= r > 0 && !test_same_bits(o.columns[0], o.columns[r], t.columns);
  }
  cr_assert(events > 0 && differ, "%s: the scenario has no events, or no chance", m->name);
  for (unsigned r = REPLICATES; r-- > 0;) {
    test_world_run(&t, r);
    compare(m, &o, &t, r);
  }
  test_world_close(&t);
  for (unsigned r = 1; r < REPLICATES; r += 2) {
    test_world_open(&t, text);
    test_world_run(&t, r);
    compare(m, &o, &t, r);
    test_world_close(&t);
  }
  drop(&o);
  sim_free(text);
}

Test(matrix, the_same_bits_whatever_ran_before, .timeout = 60) {
  for (size_t i = 0; sim_models[i]; i++)
    if (chosen(sim_models[i])) check_determinism(sim_models[i]);
}

/* ---- invariants ------------------------------------------------------------------------------------------------- */

enum { MOST_NAMES = 64 };
struct watch {
  const struct sim_model *model;
  const struct test_world *t;
  double day;
  bool event[MOST_NAMES], signal[MOST_NAMES];
};

static void check_machine(const struct sim_run *run, uint32_t machine) {
  const struct sim_machine *m = &run->world->machine[machine];
  const struct sim_machine_run *r = &run->machine[machine];
  uint32_t size = run->world->population[m->population].size, counted[SIM_MAX_STATES] = {0};
  for (const struct sim_entity *e = r->entity; e < r->entity + size; e++) {
    cr_assert_lt(e->state, m->states);
    counted[e->state]++;
    cr_assert(e->entered >= 0 && e->entered <= run->now);
    cr_assert(e->incarnation > 0 || e->state == m->rest);
    cr_assert(sim_expected_tick(e->exit, run->now) >= run->now);
  }
  for (unsigned s = 0; s < m->states; s++) {
    cr_assert_eq(run->observed[m->observable + s], counted[s], "%s.%s", m->instance->path, m->state_name[s]);
  }
}

static void check_knobs(const struct sim_run *run) {
  const struct sim_world *w = run->world;
  for (uint32_t i = 0; i < w->instances; i++) {
    const struct sim_knob *knob = w->instance[i].model->knobs;
    for (unsigned k = 0; knob && knob[k].name; k++)
      for (uint32_t s = 0; s < run->knob[w->knob_base[i] + k].touched.size; s++) {
        double f = sim_factor(run, &w->instance[i], k, s);
        cr_assert(f >= knob[k].min && f <= knob[k].max);
        cr_assert(f <= sim_factor_bound(run, &w->instance[i], k) * (1 + 1e-12));
      }
  }
}

/* Called before every event, so after every other one. */
static void on_event(void *ctx, double day, const char *instance, const char *event, uint32_t entity, uint32_t n) {
  struct watch *w = ctx;
  const struct sim_run *run = w->t->run;
  (void)entity;
  (void)n;
  cr_assert_geq(day, w->day, "time runs backwards");
  w->day = day;
  for (uint32_t m = 0; m < run->world->machines; m++) check_machine(run, m);
  check_knobs(run);
  cr_assert(run->observed);
  for (uint32_t o = 0; o < run->world->observables; o++) cr_assert_geq(run->observed[o], 0);
  const struct sim_instance *self = NULL;
  for (uint32_t i = 0; i < run->world->instances; i++)
    if (strcmp(run->world->instance[i].name, instance) == 0) self = &run->world->instance[i];
  if (!self || self->model != w->model) return;
  for (unsigned k = 0; w->model->events && w->model->events[k].name; k++)
    w->event[k] |= strcmp(w->model->events[k].name, event) == 0;
  for (unsigned k = 0; w->model->signals && w->model->signals[k].name; k++)
    w->signal[k] |= strcmp(w->model->signals[k].name, event) == 0;
}

static void on_move(void *ctx, double day, const char *instance, uint32_t entity, const char *from, const char *to) {
  struct watch *w = ctx;
  (void)instance;
  (void)entity;
  cr_assert_geq(day, w->day);
  cr_assert_str_neq(from, to);
}

static bool is_own(const struct test_world *t, const struct sim_column *c, const struct sim_model *m) {
  for (uint32_t i = 0; i < t->world->instances; i++)
    for (unsigned d = 0; d < c->dims; d++)
      if (t->world->instance[i].model == m && c->at[d].label && strcmp(c->at[d].label, t->world->instance[i].name) == 0)
        return true;
  return false;
}

static void check_outputs(const struct sim_model *m, const struct test_world *t, const bool *finite) {
  for (const struct sim_output_desc *o = m->outputs; o && o->name; o++) {
    bool used = false;
    for (size_t c = 0; c < t->columns; c++)
      used |= strcmp(t->column[c].variable, o->name) == 0 && is_own(t, &t->column[c], m) && finite[c];
    cr_assert(used, "tests/models/%s.yaml never gives the output %s", m->name, o->name);
  }
}

static void check_invariants(const struct sim_model *m) {
  struct test_world t, traced;
  char *text = scenario_of(m);
  test_world_open(&t, text);
  test_world_open(&traced, text);
  struct watch w = {.model = m, .t = &traced};
  struct sim_trace trace = {&w, on_event, on_move};
  sim_run_trace(traced.run, &trace);
  bool *finite = sim_calloc(t.columns + 1, sizeof *finite);
  for (unsigned r = 0; r < REPLICATES; r++) {
    w.day = 0;
    test_world_run(&t, r);
    test_world_run(&traced, r);
    cr_assert(test_same_bits(t.row.columns, traced.row.columns, t.columns), "%s: tracing changes a run", m->name);
    for (size_t c = 0; c < t.columns; c++) finite[c] |= isfinite(t.row.columns[c]);
  }
  for (unsigned k = 0; m->events && m->events[k].name; k++)
    cr_assert(w.event[k], "tests/models/%s.yaml never has the event %s", m->name, m->events[k].name);
  for (unsigned k = 0; m->signals && m->signals[k].name; k++)
    cr_assert(w.signal[k], "tests/models/%s.yaml never has the signal %s", m->name, m->signals[k].name);
  check_outputs(m, &t, finite);
  sim_free(finite);
  test_world_close(&t);
  test_world_close(&traced);
  sim_free(text);
}

Test(matrix, invariants_hold_after_every_event, .timeout = 60) {
  for (size_t i = 0; sim_models[i]; i++)
    if (chosen(sim_models[i])) check_invariants(sim_models[i]);
}

/* ---- zero effect ------------------------------------------------------------------------------------------------ */

static bool same_column(const struct sim_column *a, const struct sim_column *b) {
  if (strcmp(a->variable, b->variable) != 0 || a->dims != b->dims) return false;
  for (unsigned d = 0; d < a->dims; d++) {
    if (!a->at[d].label != !b->at[d].label) return false;
    if (a->at[d].label ? strcmp(a->at[d].label, b->at[d].label) != 0 : a->at[d].coordinate != b->at[d].coordinate)
      return false;
  }
  return true;
}

enum { NAME_SIZE = 100 };

/* Columns of `a` that differ from those of `b` in some replicate, its own aside. */
static size_t differences(const struct sim_model *m, const char *text, const char *arm_a, const char *arm_b,
                          char *first) {
  struct test_world a, b;
  size_t n = 0;
  test_world_open_with(&a, text, arm_a, NULL, 0);
  test_world_open_with(&b, text, arm_b, NULL, 0);
  for (unsigned r = 0; r < REPLICATES; r++) {
    test_world_run(&a, r);
    test_world_run(&b, r);
    for (size_t i = 0; i < a.columns; i++) {
      if (is_own(&a, &a.column[i], m)) continue;
      size_t k = 0;
      while (k < b.columns && !same_column(&a.column[i], &b.column[k])) k++;
      cr_assert_lt(k, b.columns, "%s has no column %s", arm_b, a.column[i].variable);
      if (test_same_bits(&a.row.columns[i], &b.row.columns[k], 1)) continue;
      if (n == 0) snprintf(first, NAME_SIZE, "%s", a.column[i].variable);
      n++;
    }
  }
  test_world_close(&a);
  test_world_close(&b);
  return n;
}

/* What intervenes must be able to do nothing: arm `zero`, in which its effect is nothing, is bit for bit the arm
 * `without` it; and arm `base` differs, unless the model only looks. */
static void check_zero_effect(const struct sim_model *m) {
  char *text = scenario_of(m);
  bool intervenes = strcmp(m->section, "hazards") != 0 && strcmp(m->section, "layers") != 0;
  bool arms = has_arm(text, "zero") && has_arm(text, "without");
  cr_assert(arms || !intervenes, "tests/models/%s.yaml needs the arms `base`, `zero` and `without`", m->name);
  if (arms) {
    char first[NAME_SIZE] = "";
    size_t n = differences(m, text, "zero", "without", first);
    cr_assert_eq(n, 0, "%s without effect changes %zu columns, such as %s", m->name, n, first);
    if (strcmp(m->section, "sensing") != 0)
      cr_assert_gt(differences(m, text, "base", "without", first), 0, "%s has no effect at all", m->name);
  }
  sim_free(text);
}

Test(matrix, an_intervention_without_effect_changes_nothing, .timeout = 60) {
  for (size_t i = 0; sim_models[i]; i++)
    if (chosen(sim_models[i])) check_zero_effect(sim_models[i]);
}

/* ---- refused memory --------------------------------------------------------------------------------------------- */

/* Refuses one allocation and all after it; counts what is alive. */
struct budget {
  size_t left, alive;
};
static void *limited(void *ctx, void *ptr, size_t size) {
  struct budget *b = ctx;
  if (size == 0) {
    b->alive -= ptr != NULL;
    free(ptr);
    return NULL;
  }
  if (b->left == 0) return NULL;
  b->left--;
  b->alive += ptr == NULL;
  return realloc(ptr, size);
}

/* World, run and one replicate within the budget; true if nothing was refused. */
static bool survive(const struct sim_model *m, struct test_world *t, struct budget *b) {
  struct sim_diag diag = {0};
  struct sim_world *world = NULL;
  struct sim_run *run = NULL;
  size_t grants = b->left;
  sim_mem_set(limited, b);
  struct sim_graph_cache *cache = sim_graph_cache_create();
  int ret = cache ? sim_world_create(&world, sim_bound_root(t->bound), 1, cache, &diag) : SIM_ERR_MEMORY;
  if (!ret) ret = sim_run_create(&run, world);
  bool good = ret == 0;
  if (good) {
    ret = sim_run_execute(run, 1, 0, &t->row);
    good = ret == 0 && !t->row.error[0];
    cr_assert(good || ret == SIM_ERR_MEMORY || strstr(t->row.error, "memory"), "%s, %zu allocations: %d, %s", m->name,
              grants, ret, t->row.error);
    b->left = SIZE_MAX / 2; /* the same run goes on once there is memory again */
    cr_assert_eq(sim_run_execute(run, 1, 0, &t->row), 0);
    cr_assert_str_empty(t->row.error, "%s, %zu allocations: %s", m->name, grants, t->row.error);
  }
  cr_assert(ret == 0 || ret == SIM_ERR_MEMORY, "%s, %zu allocations: code %d, %s", m->name, grants, ret,
            diag.n ? diag.items[0].text : "no diagnostic");
  sim_run_free(run);
  sim_world_free(world);
  sim_graph_cache_free(cache);
  sim_diag_free(&diag);
  sim_mem_set(NULL, NULL);
  cr_assert_eq(b->alive, 0, "%s, %zu allocations: %zu are left", m->name, grants, b->alive);
  return good;
}

static void check_refusals(const struct sim_model *m) {
  struct test_world t;
  char *text = scenario_of(m);
  test_world_open(&t, text);
  bool good = false;
  for (size_t grants = 0; !good; grants += grants < 200 ? 1 : 3) {
    struct budget b = {grants, 0};
    good = survive(m, &t, &b);
  }
  test_world_close(&t);
  sim_free(text);
}

Test(matrix, refused_memory_is_an_error_and_leaks_nothing, .timeout = 120) {
  for (size_t i = 0; sim_models[i]; i++)
    if (chosen(sim_models[i])) check_refusals(sim_models[i]);
}
