/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Beds of a layer of assets, such as hospitals. Of the persons who enter a state of a hazard, a share needs a bed: one
 * who finds none waits, in the order of coming, and the number of those is the excess over capacity. Beds of nodes that
 * do not work are out of use: those who came last give theirs up first. A patient is a person in a state of this
 * machine -- outside, admitted, waiting -- so that couplings, sensors, weights of functionality and measures see them.
 *
 * All is done in three events of an instant, in this order: beds come into or out of use (of a pool), persons leave,
 * persons enter. Every step costs O(1), by lists through the persons. */
#include "models/society/assets.h"
#include <string.h>

enum { OUTSIDE, ADMITTED, WAITING, CARE_STATES };
enum { BED, QUEUE }; /* lists of a pool: those of the last two states */

/* ---- planning ---------------------------------------------------------------------------------------------------- */

int beds_declare(struct sim_builder *b, struct sim_instance *self, struct beds_plan *p) {
  static const char *const names[CARE_STATES] = {"outside", "admitted", "waiting"};
  static const double functionality[CARE_STATES] = {1, 1, 1}; /* the illness counts already */
  static const uint8_t active[CARE_STATES] = {0, 0, 1};
  const struct sim_value *beds = sim_value_get(self->params, "beds"), *stay = sim_value_get(self->params, "stay");
  if (beds->form == SIM_ABSENT) return 0;
  p->people = sim_builder_find_population(b, "people");
  if (p->people == SIM_NONE)
    return sim_diag_add(sim_builder_diag(b), &beds->mark, beds->path, "beds without people: give `society.people`");
  p->stays = stay->form != SIM_ABSENT;
  int ret = p->stays ? sim_law_init(&p->stay, stay, sim_builder_diag(b)) : 0;
  const struct sim_transition discharge[] = {{"discharge", ADMITTED, OUTSIDE, p->stays ? &p->stay : NULL, -1}};
  struct sim_machine_spec spec = {.population = p->people,
                                  .states = CARE_STATES,
                                  .state_names = names,
                                  .functionality = functionality,
                                  .active = active,
                                  .rest = OUTSIDE,
                                  .seeded = WAITING,
                                  .transitions = 1,
                                  .transition = discharge};
  if (!ret) ret = sim_builder_machine(b, self, &spec);
  if (ret) return ret;
  p->machine = sim_builder_machines(b) - 1;
  p->capacity = sim_builder_observable(b, self, "capacity", "beds", "Beds of nodes that work");
  p->patients = sim_builder_observable(b, self, "patients", "people", "People who need a bed, in one or waiting");
  return 0;
}

/* True if `machine` is of a hazard of the people, and a person in that state lives, but not in full function: is ill.
 */
static bool is_ill(const struct sim_builder *b, uint32_t machine, unsigned state, uint32_t people) {
  double functionality = sim_builder_machine_functionality(b, machine, state);
  return strcmp(sim_builder_machine_instance(b, machine)->model->section, "hazards") == 0 &&
         sim_builder_machine_population(b, machine) == people && functionality > 0 && functionality < 1;
}

/* Without `admits`: the one state in which people are ill. */
static int default_demand(struct sim_builder *b, const struct sim_instance *self, struct beds_plan *p) {
  const struct sim_value *beds = sim_value_get(self->params, "beds");
  unsigned found = 0;
  for (uint32_t m = 0; m < sim_builder_machines(b); m++)
    for (unsigned s = 0; s < sim_builder_machine_states(b, m); s++)
      if (is_ill(b, m, s, p->people) && found++ == 0) p->demand[0] = (struct beds_demand){m, 0, (uint8_t)s};
  p->demands = 1;
  return found == 1 ? 0
                    : sim_diag_add(sim_builder_diag(b), &beds->mark, beds->path,
                                   "%s: say who needs a bed by `admits`, such as `admits: outbreak.ill`",
                                   found ? "people are ill in more states than one"
                                         : "beds that nobody needs, for no hazard has a state of the people with "
                                           "functionality between 0 and 100 %");
}

static int given_demand(struct sim_builder *b, struct beds_plan *p, const struct sim_value *at) {
  struct beds_demand *d = &p->demand[p->demands++];
  int ret = sim_builder_state(b, at, at->text, &d->machine, &d->state);
  if (ret) return ret;
  if (sim_builder_machine_population(b, d->machine) != p->people)
    return sim_diag_add(sim_builder_diag(b), &at->mark, at->path, "%s is not a state of the people", at->text);
  return sim_builder_machine_rest(b, d->machine) != d->state
             ? 0
             : sim_diag_add(sim_builder_diag(b), &at->mark, at->path,
                            "everyone is in the state %s at the start: a bed is needed by those who enter a state",
                            at->text);
}

static int plan_demands(struct sim_builder *b, const struct sim_instance *self, struct beds_plan *p) {
  size_t n;
  const struct sim_value *admits = sim_value_list(self->params, "admits", &n);
  p->demand = sim_calloc(n + 1, sizeof *p->demand);
  if (!p->demand) return SIM_ERR_MEMORY;
  int ret = n ? 0 : default_demand(b, self, p);
  for (size_t i = 0; !ret && i < n; i++) ret = given_demand(b, p, &admits[i]);
  for (uint32_t d = 0; !ret && d < p->demands; d++) {
    const struct beds_demand *demand = &p->demand[d];
    char *suffix = sim_strf("admission.%s.%s", sim_builder_machine_instance(b, demand->machine)->name,
                            sim_builder_machine_state_name(b, demand->machine, demand->state));
    if (!suffix) return SIM_ERR_MEMORY;
    p->demand[d].purpose = sim_builder_purpose(b, self, suffix);
    sim_free(suffix);
    sim_builder_watch(b, self, demand->machine, demand->state);
  }
  return ret;
}

int beds_plan(struct sim_builder *b, const struct sim_instance *self, struct beds_plan *p) {
  if (p->people == SIM_NONE) return 0;
  uint64_t total = (uint64_t)sim_value_number(self->params, "beds");
  p->nodes = sim_builder_population(b, self->population)->size;
  p->pools = sim_value_get(self->params, "serves")->form == SIM_NAME ? p->nodes : 1;
  p->beds = sim_calloc(p->nodes, sizeof *p->beds);
  if (!p->beds) return SIM_ERR_MEMORY;
  for (uint32_t i = 0; i < p->nodes; i++) p->beds[i] = (uint32_t)(total * (i + 1) / p->nodes - total * i / p->nodes);
  sim_builder_watch(b, self, p->machine, SIM_NONE);
  int ret = plan_demands(b, self, p);
  return ret ? ret : action_share_init(b, sim_value_get(self->params, "admission"), p->people, &p->admission);
}

void beds_plan_free(struct beds_plan *p) {
  sim_law_free(&p->stay);
  sim_free(p->beds);
  sim_free(p->demand);
  sim_free(p->admission.group);
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static struct beds_pool *pool_of(const struct sim_run *run, const struct beds_plan *p, struct beds *s,
                                 uint32_t person) {
  if (p->pools == 1) return s->pool;
  return &s->pool[(uint64_t)person * p->pools / sim_run_population(run, p->people)->size];
}

static void unlink_patient(struct beds *s, struct beds_pool *pool, unsigned list, uint32_t person) {
  uint32_t next = s->next[person], previous = s->previous[person];
  *(previous == SIM_NONE ? &pool->first[list] : &s->next[previous]) = next;
  *(next == SIM_NONE ? &pool->last[list] : &s->previous[next]) = previous;
  pool->count[list]--;
}

/* At the end, or at the front: of two who gave up their beds, the one who had come first stands first. */
static void link_patient(struct beds *s, struct beds_pool *pool, unsigned list, uint32_t person, bool front) {
  s->next[person] = front ? pool->first[list] : SIM_NONE;
  s->previous[person] = front ? SIM_NONE : pool->last[list];
  *(s->previous[person] == SIM_NONE ? &pool->first[list] : &s->next[s->previous[person]]) = person;
  *(s->next[person] == SIM_NONE ? &pool->last[list] : &s->previous[s->next[person]]) = person;
  pool->count[list]++;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

int beds_open(const struct sim_run *run, const struct beds_plan *p, struct beds *s) {
  if (p->people == SIM_NONE) return 0;
  size_t people = sim_run_population(run, p->people)->size;
  s->pool = sim_calloc(p->pools, sizeof *s->pool);
  s->next = sim_calloc(people, sizeof *s->next);
  s->previous = sim_calloc(people, sizeof *s->previous);
  return s->pool && s->next && s->previous ? 0 : SIM_ERR_MEMORY;
}

void beds_close(struct beds *s) {
  sim_free(s->pool);
  sim_free(s->next);
  sim_free(s->previous);
}

void beds_begin(struct sim_run *run, const struct beds_plan *p, struct beds *s) {
  if (p->people == SIM_NONE) return;
  for (uint32_t i = 0; i < p->pools; i++)
    s->pool[i] = (struct beds_pool){.first = {SIM_NONE, SIM_NONE}, .last = {SIM_NONE, SIM_NONE}, .share = ASSETS_WHOLE};
  for (uint32_t i = 0; i < p->nodes; i++) {
    s->pool[p->pools == 1 ? 0 : i].beds += p->beds[i];
    s->beds += p->beds[i];
  }
  sim_observe(run, p->capacity, s->beds);
}

static uint32_t usable(const struct beds_plan *p, uint32_t node, uint32_t lost) {
  return p->beds[node] - (uint32_t)((uint64_t)p->beds[node] * lost / ASSETS_WHOLE);
}

void beds_change(struct sim_run *run, const struct sim_instance *self, const struct beds_plan *p, struct beds *s,
                 uint32_t node, uint32_t before, uint32_t after) {
  if (p->people == SIM_NONE) return;
  struct beds_pool *pool = &s->pool[p->pools == 1 ? 0 : node];
  uint32_t was = usable(p, node, before), is = usable(p, node, after);
  pool->beds = pool->beds + is - was;
  s->beds += (int64_t)is - was;
  sim_observe(run, p->capacity, s->beds);
  sim_schedule(run, self, ASSETS_EV_BEDS, (uint32_t)(pool - s->pool), 0, sim_now(run), &pool->balance);
}

/* Millionths of a pool's patients for whom there are beds. */
static uint32_t share_of(const struct beds_pool *pool) {
  uint32_t patients = pool->count[BED] + pool->count[QUEUE];
  return patients <= pool->beds ? ASSETS_WHOLE : (uint32_t)((uint64_t)pool->beds * ASSETS_WHOLE / patients);
}

/* A draw named by the state and how often the person has moved: the same in every arm, and asked as often as needed. */
static bool needs_bed(const struct sim_run *run, const struct beds_plan *p, uint32_t person) {
  const struct sim_population *people = sim_run_population(run, p->people);
  for (uint32_t d = 0; d < p->demands; d++) {
    const struct beds_demand *demand = &p->demand[d];
    if (sim_state(run, demand->machine, person) != demand->state) continue;
    uint32_t incarnation = sim_incarnation(run, demand->machine, person);
    double u = sim_rng_uniform(sim_run_rng(run), demand->purpose, person, incarnation, 0);
    if (u < action_share_of(&p->admission, people, person)) return true;
  }
  return false;
}

/* Totals up to now: what was and ended within an instant is not seen. */
static void account(struct beds *s, int64_t now) {
  if (now == s->since) return;
  if (s->admitted > s->peak_admitted) s->peak_admitted = s->admitted;
  if (s->waiting > s->peak_waiting) s->peak_waiting = s->waiting;
  s->waited += (double)s->waiting * sim_days(now - s->since);
  s->since = now;
}

static void patient_moved(struct sim_run *run, const struct sim_instance *self, const struct beds_plan *p,
                          struct beds *s, const struct sim_change *c) {
  struct beds_pool *pool = pool_of(run, p, s, c->entity);
  account(s, sim_now(run));
  if (c->from != OUTSIDE) unlink_patient(s, pool, c->from == ADMITTED ? BED : QUEUE, c->entity);
  if (c->to != OUTSIDE) link_patient(s, pool, c->to == ADMITTED ? BED : QUEUE, c->entity, c->from == ADMITTED);
  s->admitted += (c->to == ADMITTED) - (c->from == ADMITTED);
  s->waiting += (c->to == WAITING) - (c->from == WAITING);
  s->admissions += c->to == ADMITTED;
  sim_observe(run, p->patients, s->admitted + s->waiting);
  if ((c->from == ADMITTED && c->to == OUTSIDE && pool->count[QUEUE]) || share_of(pool) != pool->share)
    sim_schedule(run, self, ASSETS_EV_BEDS, (uint32_t)(pool - s->pool), 0, sim_now(run), &pool->balance);
}

void beds_changed(struct sim_run *run, const struct sim_instance *self, const struct beds_plan *p, struct beds *s,
                  const struct sim_change *c) {
  if (p->people == SIM_NONE) return;
  if (c->machine == p->machine) patient_moved(run, self, p, s, c);
  for (uint32_t d = 0; d < p->demands; d++) {
    const struct beds_demand *demand = &p->demand[d];
    if (c->machine != demand->machine) continue;
    uint32_t n = sim_incarnation(run, c->machine, c->entity) * p->demands + d; /* one event a move */
    if (c->to == demand->state && needs_bed(run, p, c->entity))
      sim_schedule(run, self, ASSETS_EV_ENTER, c->entity, n, sim_now(run), NULL);
    if (c->from == demand->state && sim_state(run, p->machine, c->entity) != OUTSIDE)
      sim_schedule(run, self, ASSETS_EV_LEAVE, c->entity, n, sim_now(run), NULL);
  }
}

/* Beds and patients come to match: who came last gives up a bed first, who waits longest gets one first. */
static void balance(struct sim_run *run, const struct beds_plan *p, struct beds *s, uint32_t index) {
  const struct beds_pool *pool = &s->pool[index];
  while (pool->count[BED] > pool->beds && !sim_run_failed(run))
    sim_move(run, p->machine, pool->last[BED], needs_bed(run, p, pool->last[BED]) ? WAITING : OUTSIDE);
  while (pool->count[BED] < pool->beds && pool->count[QUEUE] && !sim_run_failed(run))
    sim_move(run, p->machine, pool->first[QUEUE], ADMITTED);
}

bool beds_event(struct sim_run *run, const struct beds_plan *p, struct beds *s, const struct sim_event *ev,
                uint32_t *first, uint32_t *end) {
  if (ev->kind == ASSETS_EV_BEDS) {
    struct beds_pool *pool = &s->pool[ev->entity];
    balance(run, p, s, ev->entity);
    uint32_t before = pool->share;
    pool->share = share_of(pool);
    *first = p->pools == 1 ? 0 : ev->entity;
    *end = p->pools == 1 ? p->nodes : ev->entity + 1;
    return pool->share != before;
  }
  uint8_t now = sim_state(run, p->machine, ev->entity);
  bool needs = needs_bed(run, p, ev->entity);
  const struct beds_pool *pool = pool_of(run, p, s, ev->entity);
  if (ev->kind == ASSETS_EV_ENTER && now == OUTSIDE && needs)
    sim_move(run, p->machine, ev->entity, pool->count[BED] < pool->beds && !pool->count[QUEUE] ? ADMITTED : WAITING);
  if (ev->kind == ASSETS_EV_LEAVE && !needs &&
      (now == WAITING || (now == ADMITTED && (!p->stays || sim_gone(run, p->people, ev->entity)))))
    sim_move(run, p->machine, ev->entity, OUTSIDE);
  return false;
}

void beds_end(struct sim_run *run, const struct sim_instance *self, const struct beds_plan *p, struct beds *s) {
  if (p->people == SIM_NONE) return;
  account(s, sim_now(run));
  sim_output(run, self, ASSETS_OUT_OCCUPANCY, (double)s->peak_admitted);
  sim_output(run, self, ASSETS_OUT_EXCESS, (double)s->peak_waiting);
  sim_output(run, self, ASSETS_OUT_EXCESS_DAYS, s->waited);
  sim_output(run, self, ASSETS_OUT_ADMISSIONS, (double)s->admissions);
  s->beds = s->admitted = s->waiting = s->since = 0;
  s->peak_admitted = s->peak_waiting = s->admissions = 0;
  s->waited = 0;
}
