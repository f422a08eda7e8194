/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Assets: the nodes of an infrastructure layer. A node is up, down (failed: waits for repair) or unsupplied (intact,
 * but a layer that it needs does not supply it, or it is cut off from the giant component of its layer). Node i of n
 * needs node floor(i m / n) of the m of each needed layer, or its block of them where `supply` speaks of more, and
 * serves an equal block of the people, or of a number of customers. What it gives is a share of one: 1 when it is up,
 * less where only a share of its supply is there. */
#include "models/society/assets.h"
#include <string.h>

enum { UP = ASSET_UP, DOWN = ASSET_DOWN, UNSUPPLIED = ASSET_UNSUPPLIED, STATES = ASSET_STATES };
enum { SERVED, UNSERVED };

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
  const char *works_in = sim_value_text(self->params, "works_in");
  double f = sim_value_number(self->params, "functionality"), functionality[STATES] = {1, f, f};
  static const uint8_t active[STATES] = {0, 1, 1};
  p->nodes = sim_builder_population(b, population)->size;
  p->layer = layer;
  p->giant = strcmp(works_in ? works_in : "anywhere", "giant_component") == 0;
  bool checked = p->giant || sim_value_has(self->params, "needs"); /* a repaired node works if it is supplied */
  const struct sim_value *graph = sim_value_get(self->params, "graph");
  if (p->giant && strcmp(graph->text, "none") == 0)
    return sim_diag_add(sim_builder_diag(b), &graph->mark, graph->path,
                        "a layer without edges has no giant component: give it a `graph`");
  const struct sim_value *failure = sim_value_get(self->params, "failure");
  if (failure->form != SIM_ABSENT) {
    int ret = sim_law_init(&p->failure, failure, sim_builder_diag(b));
    if (ret) return ret;
  }
  struct sim_transition transition[ASSET_TRANSITIONS] = {
      {"fail", UP, DOWN, failure->form != SIM_ABSENT ? &p->failure : NULL, -1},
      {"repair", DOWN, checked ? UNSUPPLIED : UP, NULL, -1},
      {"lose_supply", UP, UNSUPPLIED, NULL, -1},
      {"regain_supply", UNSUPPLIED, UP, NULL, -1}};
  struct sim_machine_spec spec = {.population = population,
                                  .states = STATES,
                                  .state_names = names,
                                  .functionality = functionality,
                                  .active = active,
                                  .rest = UP,
                                  .seeded = DOWN,
                                  .transitions = ASSET_TRANSITIONS,
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

static void plan_supply(const struct sim_instance *self, struct assets_plan *p) {
  const struct sim_value *supply = sim_value_get(self->params, "supply");
  p->supply = SUPPLY_ONE;
  if (supply->form == SIM_ABSENT) return;
  if (strcmp(supply->text, "share") == 0) p->supply = SUPPLY_SHARE;
  if (strcmp(supply->text, "at_least") != 0) return;
  p->supply = SUPPLY_AT_LEAST;
  p->least = (uint32_t)(sim_value_number(supply, "share") * ASSETS_WHOLE + 0.5);
}

static int assets_declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct assets_plan *p = plan;
  p->people = p->unserved = p->beds.people = p->share = SIM_NONE;
  plan_supply(self, p);
  int ret = declare_nodes(b, self, p);
  if (!ret) ret = declare_customers(b, self, p);
  if (!ret && (p->supply == SUPPLY_SHARE || sim_value_has(self->params, "beds")))
    p->share = sim_builder_share(b, self, self->population);
  return ret ? ret : beds_declare(b, self, &p->beds);
}

static int add_dependent(struct sim_instance *supplier, const struct sim_instance *self, unsigned need) {
  struct assets_plan *p = supplier->plan;
  struct assets_dependent *grown = sim_realloc_array(p->dependent, p->dependents + 1u, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  p->dependent = grown;
  grown[p->dependents++] = (struct assets_dependent){self, need};
  return 0;
}

static int assets_plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct assets_plan *p = plan;
  size_t n;
  const struct sim_value *needs = sim_value_list(self->params, "needs", &n);
  p->need = sim_calloc(n + 1, sizeof *p->need);
  if (!p->need) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) {
    struct sim_instance *supplier = sim_builder_find(b, needs[i].text);
    if (!supplier || supplier->model != self->model || supplier->machine == SIM_NONE || supplier == self)
      return sim_diag_add(sim_builder_diag(b), &needs[i].mark, needs[i].path,
                          "%s is not another layer of assets (with `nodes` of its own)", needs[i].text);
    struct assets_need *need = &p->need[p->needs];
    need->supplier = supplier;
    need->nodes = sim_builder_population(b, supplier->population)->size;
    need->several = p->supply != SUPPLY_ONE && need->nodes >= p->nodes;
    int ret = add_dependent(supplier, self, p->needs++);
    if (ret) return ret;
  }
  sim_builder_watch(b, self, self->machine, SIM_NONE);
  int ret = circle_plan(b, self, p);
  return ret ? ret : beds_plan(b, self, &p->beds);
}

static void assets_plan_free(void *plan) {
  struct assets_plan *p = plan;
  sim_law_free(&p->failure);
  sim_free(p->need);
  sim_free(p->dependent);
  sim_free(p->circle);
  beds_plan_free(&p->beds);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static int assets_open(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct assets_plan *p = self->plan;
  struct assets *s = state;
  s->missing = sim_calloc(p->needs + 1u, sizeof *s->missing);
  for (unsigned k = 0; s->missing && k < p->needs; k++)
    if (!(s->missing[k] = sim_calloc(p->nodes, sizeof **s->missing))) return SIM_ERR_MEMORY;
  s->cut = sim_calloc(p->nodes, sizeof *s->cut);
  s->lost = sim_calloc(p->nodes, sizeof *s->lost);
  s->supply = sim_calloc(p->nodes, sizeof *s->supply);
  s->serve = sim_calloc(p->nodes, sizeof *s->serve);
  if (!s->missing || !s->cut || !s->lost || !s->supply || !s->serve) return SIM_ERR_MEMORY;
  int ret = circle_open(p, s);
  return ret ? ret : beds_open(run, &p->beds, &s->beds);
}

/* missing[needs] is NULL, the end. */
static void assets_close(void *state) {
  struct assets *s = state;
  for (unsigned k = 0; s->missing && s->missing[k]; k++) sim_free(s->missing[k]);
  sim_free(s->missing);
  sim_free(s->cut);
  sim_free(s->lost);
  sim_free(s->supply);
  sim_free(s->serve);
  sim_free(s->works);
  sim_free(s->component);
  beds_close(&s->beds);
}

static void assets_begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct assets_plan *p = self->plan;
  beds_begin(run, &p->beds, &((struct assets *)state)->beds);
  if (p->giant) circle_touch(run, p);
}

uint32_t assets_outer_supply(const struct assets_plan *p, const struct assets *s, uint32_t node) {
  uint64_t supply = ASSETS_WHOLE;
  for (unsigned k = 0; k < p->needs; k++) {
    uint32_t first, end;
    if (!s->missing[k][node]) continue;
    assets_suppliers(p, &p->need[k], node, &first, &end);
    supply = supply * assets_supplied(p, s->missing[k][node], end - first) / ASSETS_WHOLE;
  }
  return (uint32_t)supply;
}

/* A supplier's loss has changed, for a need of this layer. */
static void supply_changed(struct sim_run *run, const struct assets_dependent *d, uint32_t supplier, uint32_t before,
                           uint32_t after) {
  const struct sim_instance *self = d->instance;
  const struct assets_plan *p = self->plan;
  const struct assets_need *need = &p->need[d->need];
  struct assets *s = sim_run_state(run, self);
  if (need->inside) return;
  if (p->supply == SUPPLY_ONE) { /* any part of it will do */
    before = before == ASSETS_WHOLE ? ASSETS_WHOLE : 0;
    after = after == ASSETS_WHOLE ? ASSETS_WHOLE : 0;
  }
  if (before == after) return;
  uint32_t first = need->several ? (uint32_t)((uint64_t)supplier * p->nodes / need->nodes)
                                 : sim_block_start(supplier, need->nodes, p->nodes),
           end = need->several ? first + 1 : sim_block_start(supplier + 1, need->nodes, p->nodes);
  for (uint32_t i = first; i < end; i++) {
    s->missing[d->need][i] = s->missing[d->need][i] + after - before;
    if (!p->members) sim_schedule(run, self, ASSETS_EV_SUPPLY, i, 0, sim_now(run), &s->supply[i]);
  }
  s->touched = true;
  if (p->members) circle_touch(run, p);
}

static uint32_t part(uint32_t whole, uint32_t millionths) {
  return (uint32_t)((uint64_t)whole * millionths / ASSETS_WHOLE);
}

/* What follows from a node's output: who is served, beds in use, the supply of other layers. */
static void output_changed(struct sim_run *run, const struct sim_instance *self, uint32_t node) {
  const struct assets_plan *p = self->plan;
  struct assets *s = sim_run_state(run, self);
  uint32_t before = s->lost[node], after = sim_state(run, self->machine, node) == UP ? s->cut[node] : ASSETS_WHOLE;
  if (before == after) return;
  s->lost[node] = after;
  s->touched = true;
  for (unsigned d = 0; d < p->dependents; d++) supply_changed(run, &p->dependent[d], node, before, after);
  if (p->people != SIM_NONE) sim_schedule(run, self, ASSETS_EV_SERVE, node, 0, sim_now(run), &s->serve[node]);
  if (p->unserved != SIM_NONE) {
    uint32_t customers = sim_population_weight(sim_run_population(run, self->population), node);
    s->unserved += (int64_t)part(customers, after) - part(customers, before);
    sim_observe(run, p->unserved, s->unserved);
  }
  beds_change(run, self, &p->beds, &s->beds, node, before, after);
}

/* The state carries what a node loses that is not up; what one that is up loses is a share. */
static void share_changed(struct sim_run *run, const struct sim_instance *self, uint32_t node) {
  const struct assets_plan *p = self->plan;
  const struct assets *s = sim_run_state(run, self);
  if (p->share == SIM_NONE) return;
  uint32_t beds = beds_share(&p->beds, &s->beds, node);
  sim_share(run, p->share, node,
            sim_state(run, self->machine, node) == UP ? part(ASSETS_WHOLE - s->cut[node], beds) : ASSETS_WHOLE);
}

void assets_settle(struct sim_run *run, const struct sim_instance *self, uint32_t node, uint32_t cut) {
  struct assets *s = sim_run_state(run, self);
  if (cut == s->cut[node] && sim_state(run, self->machine, node) != (cut == ASSETS_WHOLE ? UP : UNSUPPLIED)) return;
  s->cut[node] = cut;
  s->touched = true;
  sim_fire(run, self->machine, node, cut == ASSETS_WHOLE ? ASSET_LOSE : ASSET_REGAIN);
  output_changed(run, self, node);
  share_changed(run, self, node);
}

static void own_changed(struct sim_run *run, const struct sim_instance *self, struct assets *s,
                        const struct sim_change *c) {
  const struct assets_plan *p = self->plan;
  output_changed(run, self, c->entity);
  share_changed(run, self, c->entity);
  if (p->members && (c->from == DOWN || c->to == DOWN))
    circle_touch(run, p);
  else if (c->from == DOWN && c->to == UNSUPPLIED)
    sim_schedule(run, self, ASSETS_EV_SUPPLY, c->entity, 0, sim_now(run), &s->supply[c->entity]);
}

static void assets_changed(struct sim_run *run, const struct sim_instance *self, void *state,
                           const struct sim_change *c) {
  const struct assets_plan *p = self->plan;
  struct assets *s = state;
  if (c->machine == self->machine) own_changed(run, self, s, c);
  beds_changed(run, self, &p->beds, &s->beds, c);
}

/* Of a node's block of people, the share that it cannot serve goes without: the first of them. */
static void serve(struct sim_run *run, const struct assets_plan *p, const struct assets *s, uint32_t node) {
  uint32_t people = sim_run_population(run, p->people)->size, first = sim_block_start(node, p->nodes, people),
           end = sim_block_start(node + 1, p->nodes, people), dark = first + part(end - first, s->lost[node]);
  for (uint32_t i = first; i < end; i++) sim_move(run, p->served, i, i < dark ? UNSERVED : SERVED);
}

static void assets_event(struct sim_run *run, const struct sim_instance *self, void *state,
                         const struct sim_event *ev) {
  const struct assets_plan *p = self->plan;
  struct assets *s = state;
  uint32_t first, end;
  if (ev->kind == ASSETS_EV_SUPPLY)
    assets_settle(run, self, ev->entity, ASSETS_WHOLE - assets_outer_supply(p, s, ev->entity));
  else if (ev->kind == ASSETS_EV_CIRCLE)
    circle_resolve(run, p);
  else if (ev->kind == ASSETS_EV_SERVE)
    serve(run, p, s, ev->entity);
  else if (beds_event(run, &p->beds, &s->beds, ev, &first, &end))
    for (uint32_t i = first; i < end; i++) share_changed(run, self, i);
}

/* A pass at memory speed, where anything happened. */
static void assets_end(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct assets_plan *p = self->plan;
  struct assets *s = state;
  beds_end(run, self, &p->beds, &s->beds);
  s->unserved = 0;
  if (!s->touched) return;
  for (unsigned k = 0; k < p->needs; k++) memset(s->missing[k], 0, p->nodes * sizeof **s->missing);
  memset(s->cut, 0, p->nodes * sizeof *s->cut);
  memset(s->lost, 0, p->nodes * sizeof *s->lost);
  s->touched = false;
}

static const struct sim_state_desc states[] = {
    {"up", 1, "Works."},
    {"down", 0, "Failed; works again after repair."},
    {"unsupplied", 0, "Intact, but without supply, or outside the giant component."},
    {"served", 1, "People whose node works (where `serves: people`)."},
    {"unserved", 0, "People, or customers, whose node does not work."},
    {"outside", 1, "People who need no bed (where the layer has `beds`)."},
    {"admitted", 1, "People in a bed."},
    {"waiting", 1, "People who need a bed and have none."},
    {NULL, 0, NULL}};
static const struct sim_event_desc events[] = {{"supply", SIM_PHASE_PROGRESS}, {"circle", SIM_PHASE_PROGRESS},
                                               {"serve", SIM_PHASE_PROGRESS},  {"beds", SIM_PHASE_PROGRESS},
                                               {"leave", SIM_PHASE_PROGRESS},  {"enter", SIM_PHASE_PROGRESS},
                                               {NULL, SIM_PHASE_PROGRESS}};
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
