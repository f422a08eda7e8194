/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Incidents: attempts that arrive at given moments or at random, and what each does if the safeguards let it through:
 * start a hazard in some people, fail nodes of a layer, or (as work, which meets no safeguard) ask a team for work. The
 * k-th attempt's draws are named by k, and attempts arrive whatever became of those before: every arm has the same.
 *
 * Multipliers of the rate thin candidates that come at the highest rate they could give (Lewis & Shedler 1979), so what
 * another factor lets through at the same bound is a part of it, or it and more. */
#include "sim/core/model.h"
#include <stdlib.h>
#include <string.h>

enum { EV_ARRIVE, EV_CANDIDATE, EV_FOLLOWER };
enum { ARRIVALS_GIVEN, ARRIVALS_POISSON, ARRIVALS_RENEWAL, ARRIVALS_SINUSOIDAL, ARRIVALS_HAWKES };
enum { OUT_ARRIVALS, OUT_ATTEMPTS, OUT_STOPPED };
enum { KNOB_RATE, KNOB_SEVERITY };
#define TWO_PI 6.283185307179586

struct incident_plan {
  int arrivals;
  int64_t *given; /* absolute ticks */
  uint32_t given_n;
  struct sim_law interval;        /* renewal and Poisson; Hawkes: the base */
  double mean, amplitude, period; /* sinusoidal, per day and days */
  double branching, decay;        /* Hawkes: mean number of followers of an attempt, and 1/day */
  uint32_t arrival_purpose, follower_purpose, attempt_purpose, severity_purpose, seed_purpose, service_purpose;
  const char *family, *origin;
  bool severe;
  struct sim_law severity;
  double amount;    /* entities, before severity and rounding; NaN: those of `at` */
  uint32_t machine; /* starts, fails; or SIM_NONE */
  uint8_t into, eligible;
  bool any_other; /* everyone outside `into` is eligible (fails), not only those in `eligible` */
  uint32_t *pool; /* whom it may take; NULL: all */
  uint32_t pool_n, wanted;
  bool ordered;          /* take the first of the pool, not random ones */
  uint32_t degree_layer; /* whose degrees order the pool, or SIM_NONE */
  uint32_t server;
  struct sim_law service;
  int priority;
};

struct ranked { /* a member of the pool */
  uint64_t degree;
  uint32_t id;
};
struct incident {
  uint32_t attempts, stopped, candidates;
  double bound;          /* of the multiplier of the rate */
  bool thinned;          /* arrivals are candidates */
  double clock;          /* days, of the arrival process */
  uint32_t *work;        /* [pool_n] scratch for large samples */
  struct ranked *ranked; /* [pool_n] the pool by degree, of the graph with that hash */
  bool sorted;
  uint64_t sorted_graph;
  struct sim_rng_series interval, service;
};

/* ---- parameters ----------------------------------------------------------------------------------------------------
 */

static const struct sim_param poisson_params[] = {{.name = "rate",
                                                   .kind = SIM_QUANTITY,
                                                   .unit = "1/day",
                                                   .flags = SIM_FIRST | SIM_REQUIRED,
                                                   .doc = "Arrivals per time."},
                                                  {.name = NULL}};
static const struct sim_param renewal_params[] = {{.name = "interval",
                                                   .kind = SIM_LAW_CALL,
                                                   .unit = "day",
                                                   .flags = SIM_FIRST | SIM_REQUIRED,
                                                   .doc = "Time between arrivals, and until the first."},
                                                  {.name = NULL}};
static const struct sim_param sinusoidal_params[] = {
    {.name = "mean", .kind = SIM_QUANTITY, .unit = "1/day", .flags = SIM_FIRST | SIM_REQUIRED, .doc = "Mean rate."},
    {.name = "amplitude",
     .kind = SIM_QUANTITY,
     .unit = "1/day",
     .flags = SIM_REQUIRED,
     .doc = "Half the difference between the highest and the lowest rate; at most the mean."},
    {.name = "period",
     .kind = SIM_QUANTITY,
     .unit = "day",
     .flags = SIM_REQUIRED | SIM_OPEN_MIN,
     .doc = "Time from crest to crest; the rate rises through its mean at the start."},
    {.name = NULL}};
static const struct sim_param hawkes_params[] = {
    {.name = "base",
     .kind = SIM_QUANTITY,
     .unit = "1/day",
     .flags = SIM_FIRST | SIM_REQUIRED,
     .doc = "Rate of attempts that follow from no other."},
    {.name = "branching",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .flags = SIM_REQUIRED,
     .max = 1,
     .doc = "Mean number of attempts that one brings about directly; below 1."},
    {.name = "decay",
     .kind = SIM_QUANTITY,
     .unit = "1/day",
     .flags = SIM_REQUIRED | SIM_OPEN_MIN,
     .doc = "Rate at which that influence fades: followers come after exponential times with this rate."},
    {.name = NULL}};
static const struct sim_call arrival_calls[] = {
    {"poisson", poisson_params, "Independent arrivals at a constant rate."},
    {"renewal", renewal_params, "Independent intervals of a law (Cox 1962)."},
    {"sinusoidal", sinusoidal_params, "A Poisson process whose rate swings (by thinning: Lewis & Shedler 1979)."},
    {"hawkes", hawkes_params,
     "Attempts that bring about others, by imitation, starting from none (Hawkes 1971; as clusters: Hawkes & Oakes "
     "1974)."},
    {NULL, NULL, NULL}};

static const struct sim_param params[] = {
    {.name = "family",
     .kind = SIM_CHOICE,
     .fallback = "other",
     .choices = SIM_FAMILIES,
     .doc = "Family of misuse or failure."},
    {.name = "origin",
     .kind = SIM_CHOICE,
     .fallback = "misuse",
     .choices = SIM_ORIGINS,
     .doc = "Origin: misuse by people, accident, or autonomous failure of a system."},
    {.name = "arrivals",
     .kind = SIM_CALL,
     .flags = SIM_REQUIRED | SIM_OR_MOMENT | SIM_LIST,
     .calls = arrival_calls,
     .doc = "When it happens: moments (`day 0`, `[day 90, day 400]`, `clinics.alarm`) or a random process."},
    {.name = "starts", .kind = SIM_REF, .refers = "hazard", .doc = "Hazard that it starts."},
    {.name = "seeds",
     .kind = SIM_QUANTITY,
     .unit = "people",
     .fallback = "1 people",
     .flags = SIM_INTEGER,
     .doc = "How many entities each arrival puts into the hazard's seeded state (fewer if not enough are at rest)."},
    {.name = "into",
     .kind = SIM_REF,
     .refers = "state",
     .doc = "State that they enter. Default: the hazard's `seeded`."},
    {.name = "fails", .kind = SIM_REF, .refers = "layer", .doc = "Layer of assets whose nodes it fails."},
    {.name = "share",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .min = 0,
     .max = 1,
     .doc = "Share of the layer's nodes that fail."},
    {.name = "count",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER,
     .doc = "Number of nodes that fail, instead of `share`."},
    {.name = "severity",
     .kind = SIM_LAW_CALL,
     .unit = "1",
     .doc = "Multiplies `seeds`, `share` or `count`, drawn anew at each attempt (rounded; at most all). Default: 1."},
    {.name = "seed_by",
     .kind = SIM_CHOICE,
     .fallback = "random",
     .choices = "random degree",
     .doc = "Whom it takes: at random, or those of highest degree first."},
    {.name = "layer",
     .kind = SIM_REF,
     .refers = "layer",
     .doc = "Layer whose degrees count. Default: the hazard's first layer, or the layer that fails."},
    {.name = "among", .kind = SIM_REF, .refers = "group", .doc = "Only entities of this group."},
    {.name = "at",
     .kind = SIM_QUANTITY,
     .flags = SIM_LIST | SIM_INTEGER | SIM_NO_RANGE,
     .doc = "Instead of a number: the ids of the entities, from 0."},
    {.name = "demands", .kind = SIM_REF, .refers = "team", .doc = "Team for which each arrival is a job."},
    {.name = "service", .kind = SIM_LAW_CALL, .unit = "day", .doc = "Work that such a job takes."},
    {.name = "priority",
     .kind = SIM_QUANTITY,
     .fallback = "1",
     .flags = SIM_INTEGER | SIM_NO_RANGE,
     .min = 0,
     .max = 1000,
     .doc = "Class of the job: lower is served first."},
    {.name = NULL}};

/* ---- planning ------------------------------------------------------------------------------------------------------
 */

static int plan_given(struct sim_builder *b, struct sim_instance *self, struct incident_plan *p,
                      const struct sim_value *list, size_t n) {
  p->given = sim_calloc(n + 1, sizeof *p->given);
  if (!p->given) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) {
    if (list[i].form == SIM_AT && !list[i].text) {
      if (list[i].number < 0)
        return sim_diag_add(sim_builder_diag(b), &list[i].mark, list[i].path, "this moment lies before the start");
      p->given[p->given_n++] = sim_ticks(list[i].number);
      continue;
    }
    int ret = sim_builder_moment(b, self, &list[i], 0, 0, (uint32_t)i);
    if (ret) return ret;
  }
  return 0;
}

static int plan_arrivals(struct sim_builder *b, struct sim_instance *self, struct incident_plan *p) {
  size_t n;
  const struct sim_value *v = sim_value_list(self->params, "arrivals", &n);
  p->arrival_purpose = sim_builder_purpose(b, self, "arrivals");
  if (n != 1 || v->form != SIM_CALLED) return plan_given(b, self, p, v, n);
  if (strcmp(v->text, "renewal") == 0) {
    p->arrivals = ARRIVALS_RENEWAL;
    return sim_law_init(&p->interval, sim_value_get(v, "interval"), sim_builder_diag(b));
  }
  if (strcmp(v->text, "poisson") == 0) {
    double rate = sim_value_number(v, "rate");
    p->arrivals = ARRIVALS_POISSON;
    sim_law_init_exponential(&p->interval, rate > 0 ? 1 / rate : HUGE_VAL);
    return 0;
  }
  if (strcmp(v->text, "hawkes") == 0) {
    double base = sim_value_number(v, "base");
    p->arrivals = ARRIVALS_HAWKES;
    sim_law_init_exponential(&p->interval, base > 0 ? 1 / base : HUGE_VAL);
    p->branching = sim_value_number(v, "branching");
    p->decay = sim_value_number(v, "decay");
    p->follower_purpose = sim_builder_purpose(b, self, "arrivals.followers");
    return p->branching < 1 ? 0
                            : sim_diag_add(sim_builder_diag(b), &v->mark, v->path,
                                           "the branching ratio must be below 1: the attempts would multiply for ever");
  }
  p->arrivals = ARRIVALS_SINUSOIDAL;
  p->mean = sim_value_number(v, "mean");
  p->amplitude = sim_value_number(v, "amplitude");
  p->period = sim_value_number(v, "period");
  return p->amplitude <= p->mean ? 0
                                 : sim_diag_add(sim_builder_diag(b), &v->mark, v->path,
                                                "the amplitude exceeds the mean: the rate would be negative");
}

/* Layer whose degrees count: given, else that of the hazard or of the assets. */
static uint32_t degree_layer(const struct sim_builder *b, const struct sim_instance *self, const char *target,
                             const struct sim_instance *hazard) {
  if (sim_value_has(self->params, "layer")) return sim_builder_find_layer(b, sim_value_text(self->params, "layer"));
  if (strcmp(hazard->model->section, "layers") == 0) return sim_builder_find_layer(b, target);
  for (const struct sim_param *q = hazard->model->params; q->name; q++) {
    size_t n;
    if (strcmp(q->name, "layer") != 0) continue;
    const struct sim_value *list = sim_value_list(hazard->params, "layer", &n);
    if (n) return sim_builder_find_layer(b, list[0].text);
  }
  return SIM_NONE;
}

static int plan_ids(struct sim_builder *b, struct sim_instance *self, struct incident_plan *p, uint32_t size) {
  size_t n;
  const struct sim_value *at = sim_value_list(self->params, "at", &n);
  p->pool = sim_calloc(n + 1, sizeof *p->pool);
  if (!p->pool) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) {
    if (at[i].number >= size)
      return sim_diag_add(sim_builder_diag(b), &at[i].mark, at[i].path, "there is no entity %.0f: ids are 0 to %u",
                          at[i].number, size - 1);
    p->pool[p->pool_n++] = (uint32_t)at[i].number;
  }
  p->wanted = p->pool_n;
  p->amount = NAN;
  p->ordered = true;
  return 0;
}

static int plan_pool(struct sim_builder *b, struct sim_instance *self, struct incident_plan *p, const char *target,
                     const struct sim_instance *hazard) {
  const struct sim_population *pop = sim_builder_population(b, sim_builder_machine_population(b, p->machine));
  if (sim_value_has(self->params, "at")) return plan_ids(b, self, p, pop->size);
  const char *among = sim_value_text(self->params, "among");
  bool degree = strcmp(sim_value_text(self->params, "seed_by"), "degree") == 0;
  int group = among ? sim_population_group(pop, among) : -1;
  if (among && group < 0)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path, "population %s has no group %s",
                        pop->name, among);
  p->pool_n = pop->size;
  if (!among && !degree) return 0;
  p->pool = sim_calloc(pop->size + 1u, sizeof *p->pool);
  if (!p->pool) return SIM_ERR_MEMORY;
  p->pool_n = 0;
  for (uint32_t i = 0; i < pop->size; i++)
    if (group < 0 || pop->group[i] == group) p->pool[p->pool_n++] = i;
  if (!degree) return 0;
  uint32_t layer = degree_layer(b, self, target, hazard);
  if (layer == SIM_NONE)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path, "`seed_by: degree` needs a `layer`");
  p->degree_layer = layer;
  p->ordered = true;
  return 0;
}

static int plan_target(struct sim_builder *b, struct sim_instance *self, struct incident_plan *p, const char *target,
                       bool fails) {
  const struct sim_instance *hazard = sim_builder_find(b, target);
  if (!hazard || hazard->machine == SIM_NONE)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path,
                        fails ? "layer %s has no assets: give it `nodes` of its own" : "hazard %s has no states",
                        target);
  p->machine = hazard->machine;
  p->into = sim_builder_machine_seeded(b, p->machine);
  p->any_other = fails;
  const struct sim_value *into = sim_value_get(self->params, "into");
  if (into->form != SIM_ABSENT) {
    uint32_t machine;
    int ret = sim_builder_state(b, into, into->text, &machine, &p->into);
    if (ret) return ret;
    if (machine != p->machine)
      return sim_diag_add(sim_builder_diag(b), &into->mark, into->path, "%s is not a state of %s", into->text, target);
  }
  p->eligible = sim_builder_machine_rest(b, p->machine);
  uint32_t size = sim_builder_population(b, sim_builder_machine_population(b, p->machine))->size;
  double wanted = sim_value_number(self->params, "seeds");
  if (fails) {
    bool share = sim_value_has(self->params, "share"), count = sim_value_has(self->params, "count");
    if (share + count + sim_value_has(self->params, "at") != 1)
      return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path,
                          "`fails` needs exactly one of `share` (such as 20 %%), `count` and `at`");
    wanted = share ? sim_value_number(self->params, "share") * size : sim_value_number_or(self->params, "count", 0);
  }
  p->amount = wanted;
  wanted = floor(wanted + 0.5);
  p->wanted = wanted < size ? (uint32_t)wanted : size;
  p->seed_purpose = sim_builder_purpose(b, self, "seeds");
  return plan_pool(b, self, p, target, hazard);
}

static int plan_severity(struct sim_builder *b, struct sim_instance *self, struct incident_plan *p) {
  const struct sim_value *severity = sim_value_get(self->params, "severity");
  if (severity->form == SIM_ABSENT) return 0;
  if (p->server != SIM_NONE || sim_value_has(self->params, "at"))
    return sim_diag_add(sim_builder_diag(b), &severity->mark, severity->path,
                        "`severity` multiplies `seeds`, `share` or `count`: here is none of them");
  p->severe = true;
  p->severity_purpose = sim_builder_purpose(b, self, "severity");
  return sim_law_init(&p->severity, severity, sim_builder_diag(b));
}

static int plan_demand(struct sim_builder *b, struct sim_instance *self, struct incident_plan *p, const char *team) {
  const struct sim_instance *t = sim_builder_find(b, team);
  const struct sim_value *service = sim_value_get(self->params, "service");
  if (!t || t->server == SIM_NONE || service->form == SIM_ABSENT)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path,
                        service->form == SIM_ABSENT ? "`demands` needs `service`, the work that a job takes"
                                                    : "%s is not a team",
                        team);
  p->server = t->server;
  p->priority = (int)sim_value_number(self->params, "priority");
  p->service_purpose = sim_builder_purpose(b, self, "service");
  sim_builder_works_for(b, self, sim_value_get(self->params, "demands"), p->server, p->priority, "fifo", false);
  return sim_law_init(&p->service, service, sim_builder_diag(b));
}

static int incident_plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct incident_plan *p = plan;
  p->machine = p->server = p->degree_layer = SIM_NONE;
  const char *starts = sim_value_text(self->params, "starts"), *fails = sim_value_text(self->params, "fails"),
             *demands = sim_value_text(self->params, "demands");
  if ((starts != NULL) + (fails != NULL) + (demands != NULL) != 1)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path,
                        "an incident needs exactly one of `starts`, `fails` and `demands`");
  int ret = plan_arrivals(b, self, p);
  if (ret) return ret;
  p->family = sim_value_text(self->params, "family");
  p->origin = sim_value_text(self->params, "origin");
  p->attempt_purpose = sim_builder_purpose(b, self, "attempts");
  ret = demands ? plan_demand(b, self, p, demands) : plan_target(b, self, p, starts ? starts : fails, fails != NULL);
  return ret ? ret : plan_severity(b, self, p);
}

static void incident_plan_free(void *plan) {
  struct incident_plan *p = plan;
  sim_law_free(&p->interval);
  sim_law_free(&p->service);
  sim_law_free(&p->severity);
  sim_free(p->given);
  sim_free(p->pool);
}

/* ---- running -------------------------------------------------------------------------------------------------------
 */

static int incident_open(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct incident_plan *p = self->plan;
  struct incident *s = state;
  s->bound = sim_factor_bound(run, self, KNOB_RATE);
  s->thinned = p->arrivals == ARRIVALS_SINUSOIDAL ||
               (p->arrivals != ARRIVALS_RENEWAL && sim_factor_varies(run, self, KNOB_RATE));
  bool varies = p->severe || sim_factor_varies(run, self, KNOB_SEVERITY);
  if (p->degree_layer != SIM_NONE && !(s->ranked = sim_calloc(p->pool_n + 1u, sizeof *s->ranked)))
    return SIM_ERR_MEMORY;
  if (p->machine == SIM_NONE || p->ordered || (!varies && p->wanted <= p->pool_n / 8)) return 0;
  s->work = sim_calloc(p->pool_n + 1u, sizeof *s->work);
  return s->work ? 0 : SIM_ERR_MEMORY;
}

static void incident_close(void *state) {
  struct incident *s = state;
  sim_free(s->work);
  sim_free(s->ranked);
}

static int by_degree(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  if (x->degree != y->degree) return x->degree > y->degree ? -1 : 1;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* The pool by degree in this replicate's graph, highest first; sorted again only where the graph is another one. */
static const struct ranked *by_degree_now(const struct sim_run *run, const struct incident_plan *p,
                                          struct incident *s) {
  const struct sim_graph *g = sim_run_graph(run, p->degree_layer);
  if (s->sorted && s->sorted_graph == g->hash) return s->ranked;
  for (uint32_t i = 0; i < p->pool_n; i++) s->ranked[i] = (struct ranked){sim_graph_degree(g, p->pool[i]), p->pool[i]};
  qsort(s->ranked, p->pool_n, sizeof *s->ranked, by_degree);
  s->sorted = true;
  s->sorted_graph = g->hash;
  return s->ranked;
}

static uint32_t member(const struct incident_plan *p, uint32_t i) {
  return p->pool ? p->pool[i] : i;
}

static bool take(struct sim_run *run, const struct incident_plan *p, uint32_t entity) {
  uint8_t now = sim_state(run, p->machine, entity);
  if (p->any_other ? now == p->into : now != p->eligible) return false;
  sim_move(run, p->machine, entity, p->into);
  return true;
}

/* Few out of many: tries named by (arrival, try) until enough are taken; gives up where hardly anyone is left. */
static void take_few(struct sim_run *run, const struct incident_plan *p, uint32_t k, uint32_t wanted) {
  uint32_t taken = 0;
  for (uint32_t i = 0; taken < wanted && i < 1000 + 100 * wanted; i++)
    taken += take(run, p, member(p, sim_rng_below(sim_run_rng(run), p->seed_purpose, k, 0, i, p->pool_n)));
}

/* Many: a keyed shuffle of the whole pool. */
static void take_many(struct sim_run *run, const struct incident_plan *p, struct incident *s, uint32_t k,
                      uint32_t wanted) {
  uint32_t taken = 0;
  for (uint32_t i = 0; i < p->pool_n; i++) s->work[i] = member(p, i);
  for (uint32_t i = 0; taken < wanted && i < p->pool_n; i++) {
    uint32_t j = i + sim_rng_below(sim_run_rng(run), p->seed_purpose, k, 0, i, p->pool_n - i), chosen = s->work[j];
    s->work[j] = s->work[i];
    taken += take(run, p, chosen);
  }
}

/* How many entities attempt k takes. */
static uint32_t wanted_by(struct sim_run *run, const struct sim_instance *self, uint32_t k) {
  const struct incident_plan *p = self->plan;
  double severity = sim_factor(run, self, KNOB_SEVERITY, 0);
  if (isnan(p->amount) || (!p->severe && severity == 1)) return p->wanted;
  if (p->severe)
    severity *= sim_law_inverse(&p->severity, sim_rng_exponential(sim_run_rng(run), p->severity_purpose, k, 0, 0));
  double wanted = floor(p->amount * severity + 0.5);
  return wanted < p->pool_n ? (uint32_t)wanted : p->pool_n;
}

/* The followers of attempt k are a Poisson process whose integrated rate reaches branching * (1 - exp(-decay * t)) at
 * age t: unit exponentials carried to where it has grown by them. Each is the parent of its own. */
static void schedule_followers(struct sim_run *run, const struct sim_instance *self, uint32_t k) {
  const struct incident_plan *p = self->plan;
  double grown = 0;
  for (uint32_t i = 0;; i++) {
    grown += sim_rng_exponential(sim_run_rng(run), p->follower_purpose, k, 0, i);
    if (grown >= p->branching) return;
    int64_t age = sim_ticks(-sim_log1p(-grown / p->branching) / p->decay), tick = sim_ticks_add(sim_now(run), age);
    if (tick > sim_horizon(run)) return;
    sim_schedule(run, self, EV_FOLLOWER, k, i, tick, NULL);
  }
}

static void arrive(struct sim_run *run, const struct sim_instance *self, struct incident *s) {
  const struct incident_plan *p = self->plan;
  uint32_t k = s->attempts++;
  if (p->arrivals == ARRIVALS_HAWKES) schedule_followers(run, self, k);
  if (p->server != SIM_NONE) {
    double e = sim_rng_series_exponential(&s->service, sim_run_rng(run), p->service_purpose, SIM_RNG_BY_ENTITY, k);
    double work = sim_law_inverse(&p->service, e);
    struct sim_job job = {.entity = SIM_NONE, .tag = k, .service = sim_ticks(work), .priority = p->priority};
    sim_submit(run, p->server, self, &job);
    return;
  }
  struct sim_attempt attempt = {self, p->family, p->origin, p->attempt_purpose, k};
  if (!sim_incident_passes(run, &attempt)) {
    s->stopped++;
    return;
  }
  sim_incident(run, self);
  uint32_t wanted = wanted_by(run, self, k);
  if (p->ordered) {
    uint32_t taken = 0;
    const struct ranked *r = p->degree_layer == SIM_NONE ? NULL : by_degree_now(run, p, s);
    for (uint32_t i = 0; taken < wanted && i < p->pool_n; i++) taken += take(run, p, r ? r[i].id : p->pool[i]);
  } else if (wanted > p->pool_n / 8)
    take_many(run, p, s, k, wanted);
  else
    take_few(run, p, k, wanted);
}

/* Renewals come at their intervals, whatever multiplies the rate. */
static void next_arrival(struct sim_run *run, const struct sim_instance *self, struct incident *s) {
  const struct incident_plan *p = self->plan;
  uint32_t n = s->candidates++;
  double e = sim_rng_series_exponential(&s->interval, sim_run_rng(run), p->arrival_purpose, SIM_RNG_BY_N, n);
  double interval =
      p->arrivals == ARRIVALS_SINUSOIDAL ? e / (p->mean + p->amplitude) : sim_law_inverse(&p->interval, e);
  s->clock += p->arrivals == ARRIVALS_RENEWAL ? interval : interval / s->bound;
  int64_t tick = sim_ticks(s->clock);
  if (tick > sim_horizon(run)) return;
  if (tick < sim_now(run)) tick = sim_now(run);
  sim_schedule(run, self, s->thinned ? EV_CANDIDATE : EV_ARRIVE, 0, n, tick, NULL);
}

/* Thinning: a candidate of the process at the highest rate counts with probability rate(t) / highest. */
static bool accepted(struct sim_run *run, const struct sim_instance *self, const struct incident *s, uint32_t n) {
  const struct incident_plan *p = self->plan;
  uint32_t word[4];
  sim_rng_block(sim_run_rng(run), p->arrival_purpose, 0, 0, n, word);
  double u = ((double)word[2] + 0.5) * 0x1p-32 * s->bound, factor = sim_factor(run, self, KNOB_RATE, 0);
  if (p->arrivals != ARRIVALS_SINUSOIDAL) return u < factor;
  double top = p->mean + p->amplitude;
  return u * top < (p->mean + p->amplitude * sim_sin(TWO_PI * s->clock / p->period)) * factor;
}

static void incident_event(struct sim_run *run, const struct sim_instance *self, void *state,
                           const struct sim_event *ev) {
  const struct incident_plan *p = self->plan;
  struct incident *s = state;
  if (ev->kind != EV_CANDIDATE || accepted(run, self, s, ev->n)) arrive(run, self, s);
  if (p->arrivals != ARRIVALS_GIVEN && ev->kind != EV_FOLLOWER) next_arrival(run, self, s);
}

/* The twin has the same world and work, without what strikes it. */
static bool suppressed(const struct sim_run *run, const struct incident_plan *p) {
  return p->server == SIM_NONE && sim_run_is_twin(run);
}

static void incident_moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot,
                            uint32_t index) {
  (void)slot;
  (void)index;
  if (!suppressed(run, self->plan)) arrive(run, self, state);
}

static void incident_begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  const struct incident_plan *p = self->plan;
  if (suppressed(run, p)) return;
  for (uint32_t i = 0; i < p->given_n; i++)
    if (p->given[i] <= sim_horizon(run)) sim_schedule(run, self, EV_ARRIVE, 0, i, p->given[i], NULL);
  if (p->arrivals != ARRIVALS_GIVEN) next_arrival(run, self, state);
}

static void incident_end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct incident *s = state;
  sim_output(run, self, OUT_ARRIVALS, s->attempts - s->stopped);
  sim_output(run, self, OUT_ATTEMPTS, s->attempts);
  sim_output(run, self, OUT_STOPPED, s->stopped);
  s->attempts = s->stopped = s->candidates = 0;
  s->interval.n = s->service.n = 0;
  s->clock = 0;
}

static const struct sim_event_desc events[] = {{"arrive", SIM_PHASE_INCIDENT},
                                               {"candidate", SIM_PHASE_INCIDENT},
                                               {"follower", SIM_PHASE_INCIDENT},
                                               {NULL, SIM_PHASE_INCIDENT}};
static const struct sim_output_desc outputs[] = {
    {"arrivals", "1", "Arrivals of the incident up to the horizon, past the safeguards", true},
    {"attempts", "1", "Attempts up to the horizon, stopped ones included", true},
    {"stopped", "1", "Attempts that safeguards stopped", true},
    {NULL, NULL, NULL, false}};

static const struct sim_knob knobs[] = {
    {"rate", SIM_SCOPE_WHOLE, 0, 1000,
     "Multiplies the rate of attempts that come as poisson, sinusoidal or hawkes (there: of those that follow no "
     "other)"},
    {"severity", SIM_SCOPE_WHOLE, 0, 1000, "Multiplies how many each attempt takes, `at` apart"},
    {NULL, SIM_SCOPE_WHOLE, 0, 0, NULL}};

const struct sim_model sim_model_incident = {
    .name = "incident",
    .section = "incidents",
    .doc = "Attempts and accidents that arrive at given or random times and start a hazard, fail assets or make work.",
    .params = params,
    .knobs = knobs,
    .events = events,
    .outputs = outputs,
    .plan_size = sizeof(struct incident_plan),
    .state_size = sizeof(struct incident),
    .plan = incident_plan,
    .plan_free = incident_plan_free,
    .open = incident_open,
    .close = incident_close,
    .begin = incident_begin,
    .event = incident_event,
    .moment = incident_moment,
    .end = incident_end};
