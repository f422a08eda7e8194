/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A world made by hand for tests of the recorder: every move, incident and signal is written in the test. */
#ifndef TESTS_RECORDER_WORLD_H
#define TESTS_RECORDER_WORLD_H
#include "sim/core/recorder.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MACHINES = 4, INSTANCES = 8 };

static const struct sim_output_desc contagion_outputs[] = {{"attack_rate", "1", "", false}, {NULL, NULL, NULL, false}};
static const struct sim_model contagion = {.name = "contagion", .section = "hazards", .outputs = contagion_outputs};
static const struct sim_model sensor = {.name = "sensor", .section = "sensing"};
static const struct sim_model incident = {.name = "incident", .section = "incidents"};

struct fixture {
  struct sim_world w;
  struct sim_population population[3];
  struct sim_layer layer[1];
  const struct sim_graph *graph[1];
  struct sim_instance instance[INSTANCES];
  struct sim_machine machine[MACHINES];
  struct sim_observable_plan observable[32];
  struct sim_value root, section[8];
  struct sim_diag diag;
  size_t columns_cap;
  struct sim_run run;
  struct sim_machine_run machine_run[MACHINES];
  int64_t observed[32];
  struct sim_row row;
};

static inline double day(double days) {
  return days * SIM_TICKS_PER_DAY;
}

static inline uint32_t add_population(struct fixture *f, const char *name, uint32_t size, const uint32_t *weight) {
  struct sim_population *p = &f->population[f->w.populations];
  *p = (struct sim_population){.name = (char *)name, .size = size, .weight = weight};
  for (uint32_t i = 0; i < size; i++) p->weight_total += weight ? weight[i] : 1;
  return f->w.populations++;
}

static inline struct sim_instance *add_instance(struct fixture *f, const struct sim_model *model, const char *name) {
  struct sim_instance *i = &f->instance[f->w.instances];
  *i = (struct sim_instance){
      .model = model, .name = name, .path = name, .index = f->w.instances, .machine = SIM_NONE, .server = SIM_NONE};
  f->w.instances++;
  return i;
}

static inline uint32_t add_observable(struct fixture *f, const struct sim_instance *i, const char *name,
                                      uint32_t population) {
  f->observable[f->w.observables] =
      (struct sim_observable_plan){.instance = i, .name = (char *)name, .unit = "1", .population = population};
  return f->w.observables++;
}

/* A machine of an own instance; state 0 is rest. */
static inline uint32_t add_machine(struct fixture *f, const char *instance, uint32_t population, unsigned states,
                                   char **names, double *functionality, uint8_t *active) {
  uint32_t m = f->w.machines++;
  struct sim_instance *i = add_instance(f, &contagion, instance);
  i->machine = m;
  f->machine[m] = (struct sim_machine){.instance = i,
                                       .index = m,
                                       .population = population,
                                       .states = states,
                                       .state_name = names,
                                       .functionality = functionality,
                                       .active = active,
                                       .observable = f->w.observables};
  for (unsigned s = 0; s < states; s++) add_observable(f, i, names[s], population);
  return m;
}

static inline struct sim_value number(const char *name, double x) {
  return (struct sim_value){.name = name, .path = name, .form = SIM_NUMBER, .number = x};
}
static inline struct sim_value mapping(const char *name, struct sim_value *items, size_t n) {
  return (struct sim_value){.name = name, .path = name, .form = SIM_MAPPING, .items = items, .n = n};
}
static inline struct sim_value list(const char *name, struct sim_value *items, size_t n) {
  return (struct sim_value){.name = name, .path = name, .form = SIM_ITEMS, .items = items, .n = n};
}

/* measures.recovery from up to four levels in per cent (ended by 0) and a hold in days. */
static inline void set_recovery(struct fixture *f, struct sim_value levels[4], struct sim_value both[2],
                                const double *percent, double hold) {
  size_t n = 0;
  for (; percent[n] > 0; n++) levels[n] = number("", percent[n] / 100);
  both[0] = list("levels", levels, n);
  both[1] = number("hold", hold);
  f->section[f->section[0].n + 1] = mapping("recovery", both, 2);
  f->section[0].n++;
}
static inline void set_section(struct fixture *f, struct sim_value v) {
  f->section[f->section[0].n++ + 1] = v;
}

static inline void init(struct fixture *f, double horizon_days) {
  memset(f, 0, sizeof *f);
  f->w.population = f->population;
  f->w.layer = f->layer;
  f->w.graph = f->graph;
  f->w.instance = f->instance;
  f->w.machine = f->machine;
  f->w.observable = f->observable;
  f->w.horizon_days = horizon_days;
  f->w.horizon = sim_ticks(horizon_days);
  f->section[0] = mapping("measures", &f->section[1], 0);
  f->root = mapping("", &f->section[0], 1);
  f->w.root = &f->root;
}

static inline int plan(struct fixture *f) {
  return sim_recorder_plan(&f->w.recorder, &f->w, &f->w.column, &f->w.columns, &f->columns_cap, &f->diag);
}

static inline void open_run(struct fixture *f) {
  cr_assert_eq(plan(f), 0, "%s", f->diag.n ? f->diag.items[0].text : "");
  f->run = (struct sim_run){.world = &f->w, .machine = f->machine_run, .observed = f->observed, .graph = f->graph};
  for (uint32_t m = 0; m < f->w.machines; m++)
    f->machine_run[m].entity = calloc(f->population[f->machine[m].population].size, sizeof *f->machine_run[m].entity);
  cr_assert_eq(sim_recorder_create(&f->run.recorder, &f->w), 0);
  const struct sim_series *series;
  const double *days;
  size_t cells = sim_recorder_series(f->w.recorder, &series) * sim_recorder_samples(f->w.recorder, &days);
  f->row.columns = calloc(f->w.columns, sizeof(double));
  f->row.samples = calloc(cells, sizeof(uint16_t));
}

static inline void start(struct fixture *f) {
  f->run.now = 0;
  f->run.error[0] = '\0';
  for (uint32_t o = 0; o < f->w.observables; o++) f->observed[o] = 0;
  for (uint32_t m = 0; m < f->w.machines; m++) {
    uint32_t size = f->population[f->machine[m].population].size;
    memset(f->machine_run[m].entity, 0, size * sizeof *f->machine_run[m].entity);
    f->observed[f->machine[m].observable] = size;
  }
  f->run.beginning = true;
  sim_recorder_begin(&f->run);
}
static inline void begun(struct fixture *f) {
  f->run.beginning = false;
  sim_recorder_begun(&f->run);
}

static inline void observe(struct fixture *f, uint32_t o, int64_t value) {
  int64_t before = f->observed[o];
  f->observed[o] = value;
  if (before != value) sim_recorder_observed(&f->run, o, before, value);
}

static inline void place(struct fixture *f, uint32_t machine, uint32_t entity, uint8_t to) {
  struct sim_machine_run *r = &f->machine_run[machine];
  uint8_t from = r->entity[entity].state;
  if (from == to) return;
  r->entity[entity].state = to;
  sim_recorder_moved(&f->run, &f->machine[machine], &r->entity[entity], from, to);
  uint32_t first = f->machine[machine].observable;
  observe(f, first + from, f->observed[first + from] - 1);
  observe(f, first + to, f->observed[first + to] + 1);
}

static inline void at_tick(struct fixture *f, int64_t tick) {
  if (tick > f->run.now) sim_recorder_advance(&f->run, tick);
  f->run.now = tick;
}
static inline void at(struct fixture *f, double days) {
  at_tick(f, (int64_t)day(days));
}

static inline void finish(struct fixture *f) {
  at_tick(f, f->w.horizon);
  sim_recorder_end(&f->run, &f->row);
}

static inline void close_run(struct fixture *f) {
  sim_recorder_free(f->run.recorder);
  sim_recorder_plan_free(f->w.recorder);
  for (uint32_t m = 0; m < f->w.machines; m++) free(f->machine_run[m].entity);
  free(f->row.columns);
  free(f->row.samples);
  sim_free(f->w.column);
  for (size_t i = 0; i < f->w.owned_n; i++) sim_free(f->w.owned[i]);
  sim_free(f->w.owned);
  sim_diag_free(&f->diag);
}

/* A column by variable and coordinate: label, or number where label is NULL. */
static inline double at_label(const struct fixture *f, const char *variable, const char *label, double coordinate) {
  for (size_t c = 0; c < f->w.columns; c++) {
    const struct sim_column *k = &f->w.column[c];
    if (strcmp(k->variable, variable) != 0) continue;
    if (k->dims == 0 || (label && k->at[0].label && strcmp(k->at[0].label, label) == 0) ||
        (!label && !k->at[0].label && fabs(k->at[0].coordinate - coordinate) < 1e-9))
      return f->row.columns[c];
  }
  cr_assert_fail("no column %s", variable);
  return 0;
}
static inline double level(const struct fixture *f, const char *variable, double percent) {
  return at_label(f, variable, NULL, percent / 100);
}
static inline double scalar(const struct fixture *f, const char *variable) {
  return at_label(f, variable, NULL, 0);
}

static inline void close_to(double x, double expected, double tolerance, const char *what) {
  cr_assert(fabs(x - expected) <= tolerance, "%s: %.17g, expected %.17g", what, x, expected);
}

static char *up_down[] = {"up", "down"};
static double up_down_share[] = {1, 0};

/* One population of units that are up or down, no incidents declared. */
static inline void units(struct fixture *f, uint32_t n, double horizon) {
  init(f, horizon);
  add_population(f, "power", n, NULL);
  add_machine(f, "power", 0, 2, up_down, up_down_share, NULL);
}
/* Brings the number of units that are up to n. */
static inline void set_up(struct fixture *f, uint32_t n) {
  uint32_t size = f->population[0].size;
  for (uint32_t i = 0; i < size; i++) place(f, 0, i, i >= n);
}
#endif
