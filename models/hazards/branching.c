/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Branching: outbreaks by numbers of offspring, without a network.
 *
 * A case has a reproduction number of its own, nu, drawn from a law, and would infect Poisson(nu) others: so a fixed nu
 * gives Poisson offspring, a gamma one the negative binomial of superspreading (Lloyd-Smith, Schreiber, Kopp & Getz
 * 2005), an exponential one the geometric law. Each of these comes after a generation time of its own (Harris 1963),
 * and meets anybody of the population with equal chance, so an outbreak ends as it meets those who had it.
 *
 * The candidates are the steps of a Poisson process that lie below nu: a higher reproduction number adds to them and
 * changes none. A multiplier m at that moment accepts the share m of them; where multipliers can exceed 1, further
 * processes are there for the parts above. Draws are named by the case, its stay, the process and the candidate. */
#include "models/hazards/hazard.h"

enum { SUSCEPTIBLE, CASE, RECOVERED };
enum { INFECT, RECOVER, IMMUNISE, TRANSITIONS };
enum { KNOB_INFECTIVITY, KNOB_SUSCEPTIBILITY, KNOB_TRANSMISSION, KNOBS };
enum { EV_MEET };
enum { MOST_PROCESSES = 15, MOST_CANDIDATES = 1 << 20 };

/* ---- tables --------------------------------------------------------------------------------------------------------
 */

static const struct sim_param initial_params[] = {{.name = "case",
                                                   .kind = SIM_QUANTITY,
                                                   .unit = "1",
                                                   .fallback = "0 %",
                                                   .max = 1,
                                                   .doc = "Share of the population that are cases at the start."},
                                                  {.name = NULL}};
static const struct sim_param params[] = {
    {.name = "population",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED,
     .refers = "population",
     .doc = "Who can become a case: any meets any."},
    {.name = "reproduction_number",
     .kind = SIM_LAW_CALL,
     .unit = "1",
     .flags = SIM_REQUIRED,
     .doc = "Expected number that a case infects while nobody is immune: a number (Poisson offspring), or a law of it "
            "over "
            "cases (gamma: negative binomial offspring of dispersion = its shape)."},
    {.name = "generation",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .flags = SIM_REQUIRED,
     .doc = "Time from becoming a case to infecting each of them."},
    {.name = "lasts",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .doc = "Time for which one is a case, and after which one infects nobody. Without it for ever, or until a service "
            "completes `recover`."},
    {.name = "initial",
     .kind = SIM_FIELDS,
     .fields = initial_params,
     .doc = "Who is a case at the start, besides the seeds of incidents; who, is drawn for each replicate."},
    {.name = NULL}};

static const struct sim_state_desc states[] = {{"susceptible", 1, "Can become a case."},
                                               {"case", 1, "Infects others."},
                                               {"recovered", 1, "Infects nobody and is immune."},
                                               {NULL, 0, NULL}};
static const struct sim_knob knobs[] = {
    {"infectivity", SIM_SCOPE_ENTITY, 0, 100, "Multiplies the chance that a case infects whom it meets."},
    {"susceptibility", SIM_SCOPE_ENTITY, 0, 100, "Multiplies the chance of a person to be infected when met."},
    {"transmission", SIM_SCOPE_WHOLE, 0, 100, "Multiplies the chance of infection everywhere."},
    {NULL, SIM_SCOPE_WHOLE, 0, 0, NULL}};
static const struct sim_event_desc events[] = {{"meet", SIM_PHASE_TRANSMIT}, {NULL, SIM_PHASE_TRANSMIT}};

/* ---- planning ------------------------------------------------------------------------------------------------------
 */

struct plan {
  uint32_t population, initial;
  struct sim_law reproduction, generation, lasts;
  uint32_t reproduction_purpose, meeting_purpose, generation_purpose, initial_purpose;
};

static int plan_laws(struct sim_builder *b, const struct sim_instance *self, struct plan *p) {
  struct sim_diag *diag = sim_builder_diag(b);
  const struct sim_value *lasts = sim_value_get(self->params, "lasts");
  int ret = sim_law_init(&p->reproduction, sim_value_get(self->params, "reproduction_number"), diag);
  if (!ret) ret = sim_law_init(&p->generation, sim_value_get(self->params, "generation"), diag);
  if (!ret && lasts->form != SIM_ABSENT) ret = sim_law_init(&p->lasts, lasts, diag);
  return ret;
}

static int declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  p->population = sim_builder_find_population(b, sim_value_text(self->params, "population"));
  int ret = plan_laws(b, self, p);
  if (ret) return ret;
  p->initial = hazard_initial_count(b, self, p->population, "case");
  const struct sim_law *lasts = sim_value_has(self->params, "lasts") ? &p->lasts : NULL;
  const struct sim_transition transition[TRANSITIONS] = {[INFECT] = {"infect", SUSCEPTIBLE, CASE, NULL, -1},
                                                         [RECOVER] = {"recover", CASE, RECOVERED, lasts, -1},
                                                         [IMMUNISE] = {"immunise", SUSCEPTIBLE, RECOVERED, NULL, -1}};
  return hazard_machine(b, self, p->population, CASE, transition, TRANSITIONS);
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  p->reproduction_purpose = sim_builder_purpose(b, self, "reproduction_number");
  p->meeting_purpose = sim_builder_purpose(b, self, "meetings");
  p->generation_purpose = sim_builder_purpose(b, self, "generation");
  p->initial_purpose = sim_builder_purpose(b, self, "initial");
  sim_builder_watch(b, self, self->machine, CASE);
  return 0;
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_law_free(&p->reproduction);
  sim_law_free(&p->generation);
  sim_law_free(&p->lasts);
}

/* ---- running -------------------------------------------------------------------------------------------------------
 */

struct branching {
  const struct plan *plan;
  uint32_t size, processes;
  uint32_t *order; /* [size] for the draw of initial states, or NULL */
};

/* Draws of the c-th candidate of a process. In the block of meetings, words 0, 1: the step to it from the one before;
 * 2: whom it meets; 3: acceptance. */
static uint32_t candidate_name(uint32_t process, uint32_t c) {
  return process << 24 | c;
}

/* Schedules whom a new case would infect by one process. */
static void plan_meetings(struct sim_run *run, const struct sim_instance *self, const struct plan *p, uint32_t u,
                          uint32_t process, double nu) {
  const struct sim_rng *rng = sim_run_rng(run);
  uint32_t stay = sim_incarnation(run, self->machine, u), c = 0;
  for (double at = 0;; c++) {
    uint32_t name = candidate_name(process, c);
    at += sim_rng_exponential(rng, p->meeting_purpose, u, stay, name);
    if (!(at <= nu)) return;
    if (c == MOST_CANDIDATES) break;
    double days = sim_law_inverse(&p->generation, sim_rng_exponential(rng, p->generation_purpose, u, stay, name));
    sim_schedule(run, self, EV_MEET, u, name, sim_ticks_add(sim_now(run), sim_ticks(days)), NULL);
  }
  sim_run_fail(run, "%s: a case would infect more than a million (reproduction number %g)", self->path, nu);
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  const struct branching *s = state;
  const struct plan *p = s->plan;
  if (c->to != CASE || s->size < 2) return;
  uint32_t stay = sim_incarnation(run, self->machine, c->entity);
  double e = sim_rng_exponential(sim_run_rng(run), p->reproduction_purpose, c->entity, stay, 0);
  double nu = sim_law_inverse(&p->reproduction, e);
  for (uint32_t k = 0; k < s->processes; k++) plan_meetings(run, self, p, c->entity, k, nu);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  const struct branching *s = state;
  uint32_t u = ev->entity, w[4];
  if (sim_state(run, self->machine, u) != CASE) return; /* it has recovered, or was cured */
  sim_rng_block(sim_run_rng(run), s->plan->meeting_purpose, u, sim_incarnation(run, self->machine, u), ev->n, w);
  uint32_t v = (uint32_t)((uint64_t)w[2] * (s->size - 1) >> 32);
  if (v >= u) v++;
  double m = sim_factor(run, self, KNOB_INFECTIVITY, u) * sim_factor(run, self, KNOB_SUSCEPTIBILITY, v) *
             sim_factor(run, self, KNOB_TRANSMISSION, 0);
  if (m > s->processes)
    sim_run_fail(run, "%s: a multiplier of %g is too large (at most %u)", self->path, m, s->processes);
  else if (((double)w[3] + 0.5) * 0x1p-32 < m - (ev->n >> 24))
    sim_fire(run, self->machine, v, INFECT);
}

/* ---- life ----------------------------------------------------------------------------------------------------------
 */

static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct branching *s = state;
  const struct plan *p = s->plan = self->plan;
  double bound = 1;
  s->size = sim_run_population(run, p->population)->size;
  for (unsigned k = 0; k < KNOBS; k++) bound *= sim_factor_bound(run, self, k);
  s->processes = (uint32_t)ceil(bound < MOST_PROCESSES ? bound : MOST_PROCESSES);
  return !p->initial || (s->order = hazard_initial_order(s->size)) ? 0 : SIM_ERR_MEMORY;
}

static void close(void *state) {
  sim_free(((struct branching *)state)->order);
}

static void begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct branching *s = state;
  const struct plan *p = s->plan;
  hazard_initial_draw(run, p->initial_purpose, s->order, s->size, p->initial);
  for (uint32_t i = 0; i < p->initial; i++) sim_move(run, self->machine, s->order[i], CASE);
  hazard_initial_undo(run, p->initial_purpose, s->order, s->size, p->initial);
}

const struct sim_model sim_model_branching = {
    .name = "branching",
    .section = "hazards",
    .doc =
        "Outbreaks by offspring, without a network: each case infects a random number of others, who may be anybody, "
        "after generation times (Harris 1963; superspreading: Lloyd-Smith, Schreiber, Kopp & Getz 2005).",
    .params = params,
    .states = states,
    .knobs = knobs,
    .events = events,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct branching),
    .declare = declare,
    .plan = plan,
    .plan_free = plan_free,
    .open = open,
    .close = close,
    .begin = begin,
    .event = event,
    .changed = changed};
