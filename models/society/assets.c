/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Assets: the nodes of an infrastructure layer. A node is up, down (failed: waits for repair) or unsupplied (intact,
 * but a layer that it needs does not supply it). Node i of n needs node floor(i m / n) of the m of each needed layer,
 * and serves an equal block of the people, or of a number of customers. */
#include "models/society/assets.h"
#include <string.h>

enum { UP = ASSET_UP, DOWN = ASSET_DOWN, UNSUPPLIED = ASSET_UNSUPPLIED, STATES = ASSET_STATES };
enum { SERVED, UNSERVED };
enum { FAIL, REPAIR, LOSE, REGAIN, TRANSITIONS };

struct assets_plan {
  uint32_t nodes;
  struct sim_law failure;
  unsigned needs;
  uint32_t *supplier;  /* [needs] machines */
  uint32_t *suppliers; /* [needs] their nodes */
  uint32_t people;     /* population served, or SIM_NONE */
  uint32_t served;     /* machine of who is served */
  uint32_t unserved;   /* observable of customers, or SIM_NONE */
  struct beds_plan beds;
};

struct assets {
  uint8_t *missing;   /* [nodes] needed layers that do not supply */
  sim_handle *supply; /* [nodes] */
  sim_handle *serve;  /* [nodes] */
  int64_t unserved;   /* customers */
  struct beds beds;
};

static int declare_served(struct sim_builder *b, struct sim_instance *self, struct assets_plan *p) {
  static const char *const names[] = {"served", "unserved"};
  static const double functionality[] = {1, 0};
  static const uint8_t active[] = {0, 0}; /* the nodes are the load; these are whom it reaches */
  struct sim_machine_spec spec = {.population = p->people,
                                  .states = 2,
                                  .state_names = names,
                                  .functionality = functionality,
                                  .active = active,
                                  .rest = SERVED,
                                  .seeded = UNSERVED};
  int ret = sim_builder_machine(b, self, &spec);
  uint8_t state;
  char *path = sim_strf("%s.served", self->name);
  if (!ret) ret = path ? sim_builder_state(b, self->params, path, &p->served, &state) : SIM_ERR_MEMORY;
  sim_free(path);
  return ret;
}

static int declare_nodes(struct sim_builder *b, struct sim_instance *self, struct assets_plan *p) {
  static const char *const names[STATES] = {"up", "down", "unsupplied"};
  uint32_t layer = sim_builder_find_layer(b, self->name), population = sim_builder_layer(b, layer)->population;
  double f = sim_value_number(self->params, "functionality"), functionality[STATES] = {1, f, f};
  static const uint8_t active[STATES] = {0, 1, 1};
  p->nodes = sim_builder_population(b, population)->size;
  const struct sim_value *failure = sim_value_get(self->params, "failure");
  if (failure->form != SIM_ABSENT) {
    int ret = sim_law_init(&p->failure, failure, sim_builder_diag(b));
    if (ret) return ret;
  }
  struct sim_transition transition[TRANSITIONS] = {
      {"fail", UP, DOWN, failure->form != SIM_ABSENT ? &p->failure : NULL, -1},
      {"repair", DOWN, UP, NULL, -1},
      {"lose_supply", UP, UNSUPPLIED, NULL, -1},
      {"regain_supply", UNSUPPLIED, UP, NULL, -1}};
  struct sim_machine_spec spec = {.population = population,
                                  .states = STATES,
                                  .state_names = names,
                                  .functionality = functionality,
                                  .active = active,
                                  .rest = UP,
                                  .seeded = DOWN,
                                  .transitions = TRANSITIONS,
                                  .transition = transition};
  return sim_builder_machine(b, self, &spec);
}

static int declare_customers(struct sim_builder *b, struct sim_instance *self, struct assets_plan *p) {
  const struct sim_value *serves = sim_value_get(self->params, "serves");
  if (serves->form == SIM_ABSENT) return 0;
  if (serves->form == SIM_NAME) {
    p->people = sim_builder_find_population(b, serves->text);
    return p->people == SIM_NONE ? sim_diag_add(sim_builder_diag(b), &serves->mark, serves->path,
                                                "there is no population %s to serve", serves->text)
                                 : declare_served(b, self, p);
  }
  p->unserved = sim_builder_observable(b, self, "unserved", "customers", "Customers of nodes that do not work");
  return 0;
}

static int assets_declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct assets_plan *p = plan;
  p->people = p->unserved = p->beds.people = SIM_NONE;
  int ret = declare_nodes(b, self, p);
  if (!ret) ret = declare_customers(b, self, p);
  return ret ? ret : beds_declare(b, self, &p->beds);
}

static int assets_plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct assets_plan *p = plan;
  size_t n;
  const struct sim_value *needs = sim_value_list(self->params, "needs", &n);
  if (n > 255) return sim_diag_add(sim_builder_diag(b), &needs->mark, needs->path, "more than 255 needed layers");
  p->supplier = sim_calloc(n + 1, sizeof *p->supplier);
  p->suppliers = sim_calloc(n + 1, sizeof *p->suppliers);
  if (!p->supplier || !p->suppliers) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) {
    const struct sim_instance *s = sim_builder_find(b, needs[i].text);
    if (!s || s->machine == SIM_NONE || s == self)
      return sim_diag_add(sim_builder_diag(b), &needs[i].mark, needs[i].path,
                          "%s is not another layer of assets (with `nodes` of its own)", needs[i].text);
    p->supplier[i] = s->machine;
    p->suppliers[i] = sim_builder_population(b, sim_builder_machine_population(b, s->machine))->size;
    p->needs++;
    sim_builder_watch(b, self, s->machine, UP);
  }
  sim_builder_watch(b, self, self->machine, UP);
  return beds_plan(b, self, &p->beds);
}

static void assets_plan_free(void *plan) {
  struct assets_plan *p = plan;
  sim_law_free(&p->failure);
  sim_free(p->supplier);
  sim_free(p->suppliers);
  beds_plan_free(&p->beds);
}

static int assets_open(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct assets_plan *p = self->plan;
  struct assets *s = state;
  s->missing = sim_calloc(p->nodes, 1);
  s->supply = sim_calloc(p->nodes, sizeof *s->supply);
  s->serve = sim_calloc(p->nodes, sizeof *s->serve);
  return s->missing && s->supply && s->serve ? beds_open(run, &p->beds, &s->beds) : SIM_ERR_MEMORY;
}

static void assets_close(void *state) {
  struct assets *s = state;
  sim_free(s->missing);
  sim_free(s->supply);
  sim_free(s->serve);
  beds_close(&s->beds);
}

static void assets_begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct assets_plan *p = self->plan;
  beds_begin(run, &p->beds, &((struct assets *)state)->beds);
}

/* A node of a needed layer stopped or resumed supplying. */
static void supply_changed(struct sim_run *run, const struct sim_instance *self, struct assets *s, unsigned need,
                           uint32_t supplier, int change) {
  const struct assets_plan *p = self->plan;
  uint32_t end = sim_block_start(supplier + 1, p->suppliers[need], p->nodes);
  for (uint32_t i = sim_block_start(supplier, p->suppliers[need], p->nodes); i < end; i++) {
    s->missing[i] = (uint8_t)(s->missing[i] + change);
    sim_schedule(run, self, ASSETS_EV_SUPPLY, i, 0, sim_now(run), &s->supply[i]);
  }
}

static void own_changed(struct sim_run *run, const struct sim_instance *self, struct assets *s,
                        const struct sim_change *c) {
  const struct assets_plan *p = self->plan;
  if (c->to == UP && s->missing[c->entity])
    sim_schedule(run, self, ASSETS_EV_SUPPLY, c->entity, 0, sim_now(run), &s->supply[c->entity]);
  if (p->people != SIM_NONE) sim_schedule(run, self, ASSETS_EV_SERVE, c->entity, 0, sim_now(run), &s->serve[c->entity]);
  beds_change(run, self, &p->beds, &s->beds, c->entity, c->to == UP);
  if (p->unserved == SIM_NONE) return;
  const struct sim_population *nodes = sim_run_population(run, self->population);
  int64_t customers = sim_population_weight(nodes, c->entity);
  s->unserved += c->to == UP ? -customers : customers;
  sim_observe(run, p->unserved, s->unserved);
}

static void assets_changed(struct sim_run *run, const struct sim_instance *self, void *state,
                           const struct sim_change *c) {
  const struct assets_plan *p = self->plan;
  struct assets *s = state;
  if (c->machine == self->machine) own_changed(run, self, s, c);
  for (unsigned i = 0; i < p->needs; i++)
    if (c->machine == p->supplier[i]) supply_changed(run, self, s, i, c->entity, c->to == UP ? -1 : 1);
  beds_changed(run, self, &p->beds, &s->beds, c);
}

static void assets_event(struct sim_run *run, const struct sim_instance *self, void *state,
                         const struct sim_event *ev) {
  const struct assets_plan *p = self->plan;
  struct assets *s = state;
  if (ev->kind >= ASSETS_EV_BEDS) {
    beds_event(run, &p->beds, &s->beds, ev);
    return;
  }
  if (ev->kind == ASSETS_EV_SUPPLY) {
    sim_fire(run, self->machine, ev->entity, s->missing[ev->entity] ? LOSE : REGAIN);
    return;
  }
  uint32_t people = sim_run_population(run, p->people)->size, end = sim_block_start(ev->entity + 1, p->nodes, people);
  uint8_t to = sim_state(run, self->machine, ev->entity) == UP ? SERVED : UNSERVED;
  for (uint32_t i = sim_block_start(ev->entity, p->nodes, people); i < end; i++) sim_move(run, p->served, i, to);
}

/* One byte a node, only where the layer needs others: a pass at memory speed. */
static void assets_end(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct assets_plan *p = self->plan;
  struct assets *s = state;
  beds_end(run, self, &p->beds, &s->beds);
  s->unserved = 0;
  if (p->needs) memset(s->missing, 0, p->nodes);
}

static const struct sim_state_desc states[] = {{"up", 1, "Works."},
                                               {"down", 0, "Failed; works again after repair."},
                                               {"unsupplied", 0, "Intact, but without supply from a layer it needs."},
                                               {"served", 1, "People whose node works (where `serves: people`)."},
                                               {"unserved", 0, "People, or customers, whose node does not work."},
                                               {"outside", 1, "People who need no bed (where the layer has `beds`)."},
                                               {"admitted", 1, "People in a bed."},
                                               {"waiting", 1, "People who need a bed and have none."},
                                               {NULL, 0, NULL}};
static const struct sim_event_desc events[] = {{"supply", SIM_PHASE_PROGRESS}, {"serve", SIM_PHASE_PROGRESS},
                                               {"beds", SIM_PHASE_PROGRESS},   {"leave", SIM_PHASE_PROGRESS},
                                               {"enter", SIM_PHASE_PROGRESS},  {NULL, SIM_PHASE_PROGRESS}};
static const struct sim_output_desc outputs[] = {
    {"peak_occupancy", "people", "Most people in a bed at a time", true},
    {"peak_excess", "people", "Most people at a time who needed a bed and had none", true},
    {"excess_person_days", "day", "Integral over the run of the people who needed a bed and had none", false},
    {"admissions", "1", "Admissions to a bed", true},
    {NULL, NULL, NULL, false}};

const struct sim_model sim_model_assets = {
    .name = "assets",
    .section = "layers",
    .doc = "Nodes of an infrastructure: up, down or without supply; they fail by incidents or by themselves, depend on "
           "other layers and serve people or customers (Buldyrev et al. 2010 for dependence between networks).",
    .states = states,
    .events = events,
    .outputs = outputs,
    .outputs_when = "beds",
    .plan_size = sizeof(struct assets_plan),
    .state_size = sizeof(struct assets),
    .declare = assets_declare,
    .plan = assets_plan,
    .plan_free = assets_plan_free,
    .open = assets_open,
    .close = assets_close,
    .begin = assets_begin,
    .event = assets_event,
    .changed = assets_changed,
    .end = assets_end};
