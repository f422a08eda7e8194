/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contagion, planned: the table of parameters, the machine of states, and the transmission rate that a reproduction
 * number asks for. */
#include "models/hazards/contagion.h"
#include <string.h>

/* ---- parameters ----------------------------------------------------------------------------------------------------
 */

static const struct sim_param rate_params[] = {
    {.name = "value",
     .kind = SIM_QUANTITY,
     .unit = "1/day",
     .flags = SIM_FIRST | SIM_REQUIRED,
     .doc = "Hazard of transmission over one contact while the source is infectious."},
    {.name = NULL}};
static const struct sim_param attempt_params[] = {{.name = "probability",
                                                   .kind = SIM_QUANTITY,
                                                   .unit = "1",
                                                   .flags = SIM_FIRST | SIM_REQUIRED,
                                                   .min = 0,
                                                   .max = 1,
                                                   .doc = "Probability that the one try over a contact transmits."},
                                                  {.name = "delay",
                                                   .kind = SIM_QUANTITY,
                                                   .unit = "day",
                                                   .fallback = "0 days",
                                                   .doc = "Time from the source becoming infectious to its try."},
                                                  {.name = NULL}};
static const struct sim_call transmissions[] = {
    {"rate", rate_params, "A constant hazard per contact (exponential transmission time)."},
    {"attempt", attempt_params,
     "One try per contact (independent cascade: Kempe, Kleinberg & Tardos 2003; Reed-Frost)."},
    {NULL, NULL, NULL}};

static const struct sim_param strength_entry[] = {{.name = "strength",
                                                   .kind = SIM_QUANTITY,
                                                   .unit = "1",
                                                   .min = 0,
                                                   .max = 1000,
                                                   .doc = "Factor on the transmission over this layer."},
                                                  {.name = NULL}};
static const struct sim_param state_params[] = {
    {.name = "infectious",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .fallback = "0 %",
     .min = 0,
     .max = 100,
     .doc = "Infectivity of an entity in this state, relative to `transmission`; 0 %: not infectious."},
    {.name = "functionality",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .fallback = "100 %",
     .min = 0,
     .max = 1,
     .doc = "Functionality of an entity in this state, where `measures.functionality` does not say otherwise."},
    {.name = NULL}};
static const struct sim_param state_entry[] = {
    {.name = "state", .kind = SIM_FIELDS, .fields = state_params, .doc = "A state in which an entity can be."},
    {.name = NULL}};
static const struct sim_param initial_entry[] = {
    {.name = "share",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .min = 0,
     .max = 1,
     .doc = "Share of the population in this state at the start; who, is drawn for each replicate."},
    {.name = NULL}};
static const struct sim_param transition_params[] = {
    {.name = "from", .kind = SIM_REF, .flags = SIM_REQUIRED, .refers = "own_state", .doc = "State that it leaves."},
    {.name = "to", .kind = SIM_REF, .flags = SIM_REQUIRED, .refers = "own_state", .doc = "State that it enters."},
    {.name = "after",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .doc = "Time spent in `from`. Several timed transitions of one state race. Without `after`, `contact` and "
            "`probability`, the transition happens only when a service or an action completes it."},
    {.name = "probability",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .min = 0,
     .max = 1,
     .choices = "rest",
     .doc = "Makes it one of the branches of `from`, which add up to 100 %: the branch is drawn on entry, then its "
            "`after`. `rest` is what the other branches leave."},
    {.name = "contact",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .min = 0,
     .max = 100,
     .doc = "Makes it happen by contact with infectious entities; the value is the susceptibility of `from`."},
    {.name = NULL}};
static const struct sim_param transition_entry[] = {
    {.name = "transition", .kind = SIM_FIELDS, .fields = transition_params, .doc = "A move from one state to another."},
    {.name = NULL}};

const struct sim_param contagion_params[] = {
    {.name = "layer",
     .kind = SIM_REF,
     .flags = SIM_LIST,
     .refers = "layer",
     .doc = "Contact layers over which it spreads, all over the same population."},
    {.name = "population",
     .kind = SIM_REF,
     .refers = "population",
     .doc = "The population, where there is no `layer` (no contagion, only timed transitions and services)."},
    {.name = "transmission",
     .kind = SIM_CALL,
     .calls = transmissions,
     .more_calls = sim_laws,
     .unit = "day",
     .doc = "How it passes over a contact: a rate, a law of the transmission time in the age of the source's stay, or "
            "one attempt. A law without density (fixed, empirical) is an attempt of probability 1."},
    {.name = "reproduction_number",
     .kind = SIM_QUANTITY,
     .min = 0,
     .max = 100,
     .flags = SIM_OPEN_MIN,
     .doc = "Instead of `transmission`: sets the rate such that a typical early case infects this many (probability of "
            "transmission over an edge times mean excess degree; Newman 2002)."},
    {.name = "strength",
     .kind = SIM_NAMES,
     .fields = strength_entry,
     .refers = "layer",
     .doc = "Factors on the transmission by layer. Default 100 %."},
    {.name = "states", .kind = SIM_NAMES, .fields = state_entry, .doc = "The states, by name."},
    {.name = "rest",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED,
     .refers = "own_state",
     .doc = "The state in which everyone starts."},
    {.name = "initial",
     .kind = SIM_NAMES,
     .fields = initial_entry,
     .refers = "own_state",
     .doc = "Shares that start in other states."},
    {.name = "seeded",
     .kind = SIM_REF,
     .refers = "own_state",
     .doc = "The state into which an incident puts its seeds. Default: where contact takes an entity at rest."},
    {.name = "transitions", .kind = SIM_NAMES, .fields = transition_entry, .doc = "The transitions, by name."},
    {.name = "latent",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .doc = "Time from infection to infectiousness, for transitions that say `after: $latent`."},
    {.name = "infectious",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .doc = "Duration of infectiousness, for transitions that say `after: $infectious`."},
    {.name = "immunity",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .doc = "Duration of immunity, for transitions that say `after: $immunity`."},
    {.name = "fatality",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .min = 0,
     .max = 1,
     .doc = "Share of cases that die, for branches that say `probability: $fatality`."},
    {.name = NULL}};

/* ---- layers --------------------------------------------------------------------------------------------------------
 */

static int plan_layers(struct sim_builder *b, struct sim_instance *self, struct contagion_plan *p) {
  size_t n;
  const struct sim_value *list = sim_value_list(self->params, "layer", &n);
  const struct sim_value *strength = sim_value_get(self->params, "strength");
  p->world_layers = sim_builder_layers(b);
  p->layer = sim_calloc(n + 1, sizeof *p->layer);
  if (!p->layer) return SIM_ERR_MEMORY;
  p->population = SIM_NONE;
  for (size_t i = 0; i < n; i++) {
    uint32_t id = sim_builder_find_layer(b, list[i].text);
    if (id == SIM_NONE)
      return sim_diag_add(sim_builder_diag(b), &list[i].mark, list[i].path, "there is no layer %s", list[i].text);
    const struct sim_layer *layer = sim_builder_layer(b, id);
    if (p->population != SIM_NONE && p->population != layer->population)
      return sim_diag_add(sim_builder_diag(b), &list[i].mark, list[i].path,
                          "layer %s has other nodes than the layers before it", layer->name);
    p->population = layer->population;
    const struct sim_value *factor = strength->form == SIM_MAPPING ? sim_value_find(strength, layer->name) : NULL;
    p->layer[p->layers++] =
        (struct contagion_layer){id, layer->mixing, layer->contacts, factor ? factor->number : 1, 0};
  }
  if (n) return 0;
  const struct sim_value *population = sim_value_get(self->params, "population");
  if (population->form == SIM_ABSENT)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path, "give `layer` (or `population`)");
  p->population = sim_builder_find_population(b, population->text);
  return 0;
}

static int name_layers(struct sim_builder *b, struct sim_instance *self, struct contagion_plan *p) {
  for (unsigned l = 0; l < p->layers; l++) {
    char *suffix = sim_strf("transmission.%s", sim_builder_layer(b, p->layer[l].layer)->name);
    if (!suffix) return SIM_ERR_MEMORY;
    p->layer[l].purpose = sim_builder_purpose(b, self, suffix);
    sim_free(suffix);
  }
  return 0;
}

/* ---- states and transitions ----------------------------------------------------------------------------------------
 */

static int state_index(const struct contagion_plan *p, const char *name) {
  for (unsigned s = 0; s < p->states; s++)
    if (strcmp(p->state_name[s], name) == 0) return (int)s;
  return -1;
}

static int plan_states(struct sim_builder *b, struct sim_instance *self, struct contagion_plan *p) {
  const struct sim_value *states = sim_value_get(self->params, "states");
  if (states->form != SIM_MAPPING || states->n < 1 || states->n > CONTAGION_MAX_STATES)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path,
                        "give `states` (1 to %d of them), or start from a preset such as `like: sir`",
                        CONTAGION_MAX_STATES);
  p->state_name = sim_calloc(states->n, sizeof *p->state_name);
  p->functionality = sim_calloc(states->n, sizeof *p->functionality);
  p->initial = sim_calloc(states->n, sizeof *p->initial);
  if (!p->state_name || !p->functionality || !p->initial) return SIM_ERR_MEMORY;
  for (size_t s = 0; s < states->n; s++) {
    if (!(p->state_name[s] = sim_strdup(states->items[s].name))) return SIM_ERR_MEMORY;
    p->states++;
    p->infectivity[s] = sim_value_number(&states->items[s], "infectious");
    p->functionality[s] = sim_value_number(&states->items[s], "functionality");
  }
  p->rest = (uint8_t)state_index(p, sim_value_text(self->params, "rest"));
  return 0;
}

/* Probability of each branch; `rest` is 1 minus its siblings. */
static int plan_branches(struct sim_builder *b, const struct sim_value *list, struct contagion_plan *p) {
  for (unsigned t = 0; t < p->transitions; t++) {
    const struct sim_value *v = sim_value_get(&list->items[t], "probability");
    if (v->form == SIM_ABSENT) continue;
    double sum = 0;
    unsigned rest = 0;
    for (unsigned k = 0; k < p->transitions; k++) {
      const struct sim_value *w = sim_value_get(&list->items[k], "probability");
      if (p->transition[k].from != p->transition[t].from || w->form == SIM_ABSENT) continue;
      if (w->form == SIM_NAME)
        rest++;
      else
        sum += w->number;
    }
    if (rest > 1 || sum > 1 + 1e-9 || (rest == 0 && sum < 1 - 1e-9))
      return sim_diag_add(sim_builder_diag(b), &v->mark, v->path,
                          "the branches out of state %s must add up to 100 %% (they give %g %%; one may be `rest`)",
                          p->state_name[p->transition[t].from], 100 * sum);
    p->transition[t].probability = v->form == SIM_NAME ? (sum < 1 ? 1 - sum : 0) : v->number;
  }
  return 0;
}

static int plan_contact(struct sim_builder *b, const struct sim_value *v, struct contagion_plan *p, unsigned t) {
  uint8_t from = p->transition[t].from;
  if (sim_value_has(v, "after") || sim_value_has(v, "probability"))
    return sim_diag_add(sim_builder_diag(b), &v->mark, v->path, "`contact` excludes `after` and `probability`");
  if (p->susceptibility[from] > 0)
    return sim_diag_add(sim_builder_diag(b), &v->mark, v->path, "state %s has two transitions by contact",
                        p->state_name[from]);
  p->susceptibility[from] = sim_value_number(v, "contact");
  p->infected[from] = p->transition[t].to;
  return 0;
}

static int plan_transitions(struct sim_builder *b, struct sim_instance *self, struct contagion_plan *p) {
  const struct sim_value *list = sim_value_get(self->params, "transitions");
  size_t n = list->form == SIM_MAPPING ? list->n : 0;
  if (n > 200) return sim_diag_add(sim_builder_diag(b), &list->mark, list->path, "more than 200 transitions");
  p->transition = sim_calloc(n + 1, sizeof *p->transition);
  p->after = sim_calloc(n + 1, sizeof *p->after);
  if (!p->transition || !p->after) return SIM_ERR_MEMORY;
  for (size_t t = 0; t < n; t++) {
    const struct sim_value *v = &list->items[t], *after = sim_value_get(v, "after");
    struct sim_transition *x = &p->transition[t];
    int from = state_index(p, sim_value_text(v, "from")), to = state_index(p, sim_value_text(v, "to"));
    if (from < 0 || to < 0) return SIM_ERR_INPUT; /* reported by the scenario layer */
    *x = (struct sim_transition){v->name, (uint8_t)from, (uint8_t)to, NULL, -1};
    p->transitions++;
    if (from == to)
      return sim_diag_add(sim_builder_diag(b), &v->mark, v->path, "`from` and `to` are the same state %s",
                          p->state_name[from]);
    if (after->form != SIM_ABSENT) {
      int ret = sim_law_init(&p->after[t], after, sim_builder_diag(b));
      if (ret) return ret;
      x->after = &p->after[t];
    }
    int ret = sim_value_has(v, "contact") ? plan_contact(b, v, p, (unsigned)t) : 0;
    if (ret) return ret;
  }
  return n ? plan_branches(b, list, p) : 0;
}

/* A state that nothing leads to can only be a mistake. */
static int check_reachable(struct sim_builder *b, struct sim_instance *self, const struct contagion_plan *p) {
  bool reached[CONTAGION_MAX_STATES] = {false};
  reached[p->rest] = reached[p->seeded] = true;
  for (unsigned s = 0; s < p->states; s++) reached[s] |= p->initial[s] > 0;
  for (unsigned round = 0; round < p->states; round++)
    for (unsigned t = 0; t < p->transitions; t++)
      if (reached[p->transition[t].from]) reached[p->transition[t].to] = true;
  for (unsigned s = 0; s < p->states; s++)
    if (!reached[s]) {
      const struct sim_value *v = sim_value_find(sim_value_get(self->params, "states"), p->state_name[s]);
      return sim_diag_add(sim_builder_diag(b), &v->mark, v->path, "no transition leads to state %s", p->state_name[s]);
    }
  return 0;
}

static int plan_start(struct sim_builder *b, struct sim_instance *self, struct contagion_plan *p) {
  const struct sim_value *seeded = sim_value_get(self->params, "seeded"),
                         *initial = sim_value_get(self->params, "initial");
  p->seeded = p->susceptibility[p->rest] > 0 ? p->infected[p->rest] : p->rest;
  if (seeded->form != SIM_ABSENT) p->seeded = (uint8_t)state_index(p, seeded->text);
  uint32_t size = sim_builder_population(b, p->population)->size;
  double sum = 0;
  for (size_t i = 0; initial->form == SIM_MAPPING && i < initial->n; i++) {
    int s = state_index(p, initial->items[i].name);
    if (s < 0)
      return sim_diag_add(sim_builder_diag(b), &initial->items[i].mark, initial->items[i].path,
                          "%s is not one of the states", initial->items[i].name);
    sum += initial->items[i].number;
    if ((unsigned)s == p->rest) continue;
    p->initial[s] = (uint32_t)floor(initial->items[i].number * size + 0.5);
    p->initial_total += p->initial[s];
  }
  if (sum > 1 + 1e-9 || p->initial_total > size)
    return sim_diag_add(sim_builder_diag(b), &initial->mark, initial->path, "the shares add up to more than 100 %%");
  return check_reachable(b, self, p);
}

/* Active load: the infectious, and those of lower functionality who can still leave their state. */
static void mark_active(struct contagion_plan *p) {
  for (unsigned s = 0; s < p->states; s++) {
    bool leaves = false;
    for (unsigned t = 0; t < p->transitions; t++) leaves |= p->transition[t].from == s;
    p->active[s] = p->infectivity[s] > 0 || (p->functionality[s] < 1 && leaves);
  }
}

/* ---- transmission --------------------------------------------------------------------------------------------------
 */

/* Stays in one state: QUANTILES equally likely durations for each branch out of it, or for the race of its transitions.
 */
enum { QUANTILES = 4096 };
struct stays {
  double *days, *share; /* [n] */
  size_t n;
};

/* Duration at which the hazards of the timed transitions out of s (of branches only `branch`) add up to e. */
static double stay_of(const struct contagion_plan *p, uint8_t s, unsigned branch, double e) {
  double low = 0, high = HUGE_VAL;
  unsigned racing = 0;
  for (unsigned t = 0; t < p->transitions; t++) {
    const struct sim_transition *x = &p->transition[t];
    if (x->from != s || (x->probability >= 0 ? t != branch : !x->after)) continue;
    double alone = x->after ? sim_law_inverse(x->after, e) : 0;
    if (alone < high) high = alone;
    racing++;
  }
  for (int i = 0; racing > 1 && i < 60; i++) {
    double mid = low + (high - low) / 2, sum = 0;
    for (unsigned t = 0; t < p->transitions; t++) {
      const struct sim_transition *x = &p->transition[t];
      if (x->from == s && x->after && (x->probability < 0 || t == branch)) sum += sim_law_hazard(x->after, mid);
    }
    if (sum < e)
      low = mid;
    else
      high = mid;
  }
  return high;
}

static void add_stays(const struct contagion_plan *p, uint8_t s, unsigned branch, double share, struct stays *out) {
  for (unsigned i = 0; i < QUANTILES; i++, out->n++) {
    out->days[out->n] = stay_of(p, s, branch, -sim_log1p(-(i + 0.5) / QUANTILES));
    out->share[out->n] = share / QUANTILES;
  }
}

static int stays_init(const struct contagion_plan *p, uint8_t s, struct stays *out) {
  size_t parts = 0;
  for (unsigned t = 0; t < p->transitions; t++)
    parts += p->transition[t].from == s && p->transition[t].probability >= 0;
  out->n = 0;
  out->days = sim_calloc((parts + 1) * QUANTILES, sizeof *out->days);
  out->share = sim_calloc((parts + 1) * QUANTILES, sizeof *out->share);
  if (!out->days || !out->share) return SIM_ERR_MEMORY;
  if (!parts) add_stays(p, s, SIM_NONE, 1, out);
  for (unsigned t = 0; parts && t < p->transitions; t++)
    if (p->transition[t].from == s && p->transition[t].probability >= 0)
      add_stays(p, s, t, p->transition[t].probability, out);
  return 0;
}

/* How many further cases each layer can give a typical early case: its mean excess degree (Newman 2002), or the
 * contacts where people mix. */
static int reaches(struct sim_builder *b, const struct contagion_plan *p, double *reach) {
  for (unsigned l = 0; l < p->layers; l++) {
    reach[l] = p->layer[l].contacts;
    if (p->layer[l].mixing) continue;
    double mean;
    const struct sim_graph *g = sim_builder_graph(b, p->layer[l].layer);
    if (!g) return SIM_ERR_INPUT;
    sim_graph_moments(g, &mean, &reach[l]);
  }
  return 0;
}

/* Secondary cases at `rate` and their derivative: over an edge E[1 - exp(-rate x stay)] of its layer's reach; where
 * people mix, rate x E[stay]. */
static double secondary_cases(const struct contagion_plan *p, uint8_t s, const struct stays *stays, const double *reach,
                              double rate, double *slope) {
  double cases = 0;
  *slope = 0;
  for (unsigned l = 0; l < p->layers; l++) {
    double factor = p->layer[l].strength * p->infectivity[s], sum = 0, change = 0;
    for (size_t i = 0; factor > 0 && i < stays->n; i++) {
      double x = factor * stays->days[i], escape = p->layer[l].mixing ? 1 : sim_exp(-rate * x);
      sum += stays->share[i] * (p->layer[l].mixing ? rate * x : 1 - escape);
      change += stays->share[i] * x * escape;
    }
    cases += reach[l] * sum;
    *slope += reach[l] * change;
  }
  return cases;
}

/* Newton's method from below: the cases are a concave, increasing function of the rate, so no step overshoots. */
static int solve_rate(struct sim_builder *b, const struct sim_value *r, struct contagion_plan *p, uint8_t s,
                      const struct stays *stays, const double *reach) {
  double rate = 0, slope, most = secondary_cases(p, s, stays, reach, 1e6, &slope);
  if (most < r->number)
    return sim_diag_add(sim_builder_diag(b), &r->mark, r->path,
                        "the network cannot carry a reproduction number of %g: at most %.3g even with certain "
                        "transmission",
                        r->number, most);
  for (int i = 0; i < 1000; i++) {
    double missing = r->number - secondary_cases(p, s, stays, reach, rate, &slope);
    double step = missing / slope;
    if (!(step > rate * 1e-13)) break;
    rate += step;
  }
  sim_law_init_exponential(&p->law, 1 / rate);
  return 0;
}

static int rate_from_reproduction(struct sim_builder *b, const struct sim_value *r, struct contagion_plan *p) {
  int source = -1;
  for (unsigned s = 0; s < p->states; s++)
    if (p->infectivity[s] > 0) source = source < 0 ? (int)s : -2;
  bool timed = false;
  for (unsigned t = 0; source >= 0 && t < p->transitions; t++)
    timed |= p->transition[t].from == source && p->transition[t].after != NULL;
  if (source < 0 || !timed)
    return sim_diag_add(sim_builder_diag(b), &r->mark, r->path,
                        "a reproduction number needs exactly one infectious state with a timed way out: give "
                        "`transmission` instead");
  struct stays stays;
  double *reach = sim_calloc(p->layers + 1u, sizeof *reach);
  int ret = stays_init(p, (uint8_t)source, &stays);
  if (!ret) ret = reach ? reaches(b, p, reach) : SIM_ERR_MEMORY;
  if (!ret) ret = solve_rate(b, r, p, (uint8_t)source, &stays, reach);
  sim_free(reach);
  sim_free(stays.days);
  sim_free(stays.share);
  return ret;
}

static int plan_transmission(struct sim_builder *b, struct sim_instance *self, struct contagion_plan *p) {
  const struct sim_value *v = sim_value_get(self->params, "transmission");
  const struct sim_value *r = sim_value_get(self->params, "reproduction_number");
  bool by_contact = false, given = v->form != SIM_ABSENT, wanted = r->form != SIM_ABSENT;
  for (unsigned s = 0; s < p->states; s++) by_contact |= p->susceptibility[s] > 0;
  if (!by_contact && !given && !wanted) {
    sim_law_init_fixed(&p->law, 0);
    return 0;
  }
  if (given == wanted)
    return sim_diag_add(sim_builder_diag(b), given ? &v->mark : &self->params->mark, given ? v->path : self->path,
                        given ? "`transmission` and `reproduction_number` exclude each other"
                              : "give `transmission` (such as 0.4/day) or `reproduction_number`");
  if (!p->layers)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path, "contagion needs a `layer`");
  if (wanted) return rate_from_reproduction(b, r, p);
  if (strcmp(v->text, "rate") == 0) {
    double rate = sim_value_number(v, "value");
    sim_law_init_exponential(&p->law, rate > 0 ? 1 / rate : HUGE_VAL);
    return 0;
  }
  p->probability = 1;
  if (strcmp(v->text, "attempt") == 0) {
    p->attempt = true;
    p->probability = sim_value_number(v, "probability");
    sim_law_init_fixed(&p->law, sim_value_number(v, "delay"));
  } else {
    int ret = sim_law_init(&p->law, v, sim_builder_diag(b));
    if (ret) return ret;
    p->attempt = !sim_law_has_density(&p->law);
  }
  bool ends = p->law.kind == SIM_LAW_UNIFORM; /* its hazard grows without bound: endless contacts in a finite time */
  for (unsigned l = 0; !p->attempt && ends && l < p->layers; l++)
    if (p->layer[l].mixing)
      return sim_diag_add(sim_builder_diag(b), &v->mark, v->path,
                          "a uniform law of transmission makes endless contacts on a homogeneous layer: give a rate or "
                          "another law");
  for (unsigned l = 0; p->attempt && l < p->layers; l++)
    if (p->layer[l].mixing)
      return sim_diag_add(sim_builder_diag(b), &v->mark, v->path,
                          "one attempt per contact has no meaning on a homogeneous layer: give a rate");
  return 0;
}

/* ---- the whole -----------------------------------------------------------------------------------------------------
 */

int contagion_declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct contagion_plan *p = plan;
  int ret = plan_layers(b, self, p);
  if (!ret) ret = plan_states(b, self, p);
  if (!ret) ret = plan_transitions(b, self, p);
  if (!ret) ret = plan_start(b, self, p);
  if (ret) return ret;
  mark_active(p);
  struct sim_machine_spec spec = {.population = p->population,
                                  .states = p->states,
                                  .state_names = (const char *const *)p->state_name,
                                  .functionality = p->functionality,
                                  .active = p->active,
                                  .rest = p->rest,
                                  .seeded = p->seeded,
                                  .transitions = p->transitions,
                                  .transition = p->transition};
  ret = sim_builder_machine(b, self, &spec);
  if (!ret) ret = name_layers(b, self, p);
  p->initial_purpose = sim_builder_purpose(b, self, "initial");
  return ret;
}

double contagion_need(unsigned step) {
  unsigned power = step / CONTAGION_SOONEST_STEPS, part = step % CONTAGION_SOONEST_STEPS;
  return ldexp(1 + (double)part / CONTAGION_SOONEST_STEPS, CONTAGION_SOONEST_FIRST + (int)power);
}

static void plan_soonest(struct contagion_plan *p) {
  for (unsigned i = 0; i < CONTAGION_SOONEST; i++) p->soonest[i] = sim_law_inverse(&p->law, contagion_need(i));
}

int contagion_plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct contagion_plan *p = plan;
  sim_builder_watch(b, self, self->machine, SIM_NONE);
  int ret = plan_transmission(b, self, p);
  if (!ret) plan_soonest(p);
  for (unsigned t = 0; t < p->transitions; t++) {
    const struct sim_transition *x = &p->transition[t];
    p->timed |= (x->after || x->probability >= 0) && p->infectivity[x->to] > 0;
  }
  return ret;
}

void contagion_plan_free(void *plan) {
  struct contagion_plan *p = plan;
  for (unsigned s = 0; s < p->states; s++) sim_free(p->state_name[s]);
  for (unsigned t = 0; t < p->transitions; t++) sim_law_free(&p->after[t]);
  sim_law_free(&p->law);
  sim_free(p->layer);
  sim_free(p->state_name);
  sim_free(p->functionality);
  sim_free(p->initial);
  sim_free(p->transition);
  sim_free(p->after);
}
