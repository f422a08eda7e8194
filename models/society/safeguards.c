/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Safeguards: barriers between an attempt and what it would do. An attempt passes if it goes round them all (bypass) or
 * none stops it. Barriers fail independently or, for a share of the attempts, by one common cause (beta-factor model:
 * Fleming 1975): they then share one uniform number, so that the strongest alone decides. With powers p_i and share
 * beta, an attempt passes with probability (1 - beta) prod(1 - p_i) + beta (1 - max p_i).
 *
 * Each draw is named by its barrier, its incident and the attempt's number, so every arm meets the same attempts, and
 * a stronger barrier stops those that a weaker one stops and some more. */
#include "sim/core/model.h"
#include <string.h>

enum { MOST_FAMILIES = 16, MOST_BARRIERS = 64 };

static const struct sim_param no_params[] = {{0}};
static const struct sim_param beta_params[] = {{.name = "beta",
                                                .kind = SIM_QUANTITY,
                                                .flags = SIM_FIRST | SIM_REQUIRED,
                                                .unit = "1",
                                                .max = 1,
                                                .doc = "Share of the attempts at which all barriers share their luck."},
                                               {0}};
static const struct sim_call dependence_calls[] = {
    {"independent", no_params, "Each barrier has its own luck with each attempt."},
    {"beta_factor", beta_params,
     "For a share of the attempts one common cause decides for all barriers (Fleming 1975)."},
    {"common", no_params, "One common cause always: only the strongest barrier counts."},
    {0}};

static const struct sim_param barrier_params[] = {
    {.name = "stops",
     .kind = SIM_QUANTITY,
     .flags = SIM_BY_FAMILY,
     .unit = "1",
     .fallback = "0 %",
     .max = 1,
     .doc =
         "Share of the attempts that it stops; by family, the families not named are as `other`, or none is stopped."},
    {.name = "origins",
     .kind = SIM_CHOICE,
     .flags = SIM_LIST,
     .choices = SIM_ORIGINS,
     .fallback = "[misuse, accident, autonomous]",
     .doc = "Origins of the incidents that it stands against."},
    {.name = "faithfulness",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .fallback = "100 %",
     .max = 1,
     .doc =
         "Multiplies what it stops and sees: for a monitor of the chain of thought, how far that shows the reasoning."},
    {.name = "sees",
     .kind = SIM_QUANTITY,
     .flags = SIM_BY_FAMILY,
     .unit = "1",
     .fallback = "0 %",
     .max = 1,
     .doc =
         "Makes it a sensor as well: share of the attempts that it notices, at least those that it stops; each gives "
         "the signal `sighting`."},
    {.name = "monitors",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .fallback = "0 %",
     .max = 1,
     .doc = "Share of the people whose use of models it reads: each of their days is one under monitoring."},
    {0}};
static const struct sim_param barrier_entry[] = {
    {.name = "barrier", .kind = SIM_FIELDS, .fields = barrier_params, .doc = "One barrier."}, {0}};

static const struct sim_param params[] = {
    {.name = "bypass",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .fallback = "0 %",
     .max = 1,
     .doc = "Share of the attempts at misuse that meet no barrier, such as those with open weights."},
    {.name = "dependence",
     .kind = SIM_CALL,
     .calls = dependence_calls,
     .fallback = "independent",
     .doc = "Whether the barriers fail together."},
    {.name = "barriers", .kind = SIM_NAMES, .fields = barrier_entry, .doc = "Barriers, by name."},
    {0}};

enum { SIGNAL_SIGHTING };
static const struct sim_signal_desc signals[] = {{"sighting", "A barrier that sees has noticed an attempt"}, {0}};
enum { OUT_BYPASSED, OUT_SIGHTINGS, OUT_FIRST_SIGHTING };
static const struct sim_output_desc outputs[] = {{"bypassed", "1", "Attempts that met no barrier", true},
                                                 {"sightings", "1", "Attempts that a barrier noticed", true},
                                                 {"first_sighting", "day", "When the first attempt was noticed", false},
                                                 {0}};

struct barrier {
  double stops[MOST_FAMILIES], sees[MOST_FAMILIES]; /* faithfulness included; sees 0: no sensor for this family */
  bool against[3];                                  /* by origin */
  uint32_t draw, observable;
};
struct plan {
  double bypass, beta;
  struct barrier *barrier; /* [barriers] */
  uint32_t barriers;
  uint32_t draw_bypass, draw_common, stopped, sightings; /* purposes; observables */
  uint32_t privacy;
  double monitored; /* people, each barrier counted */
};
struct state {
  int64_t bypassed, stopped, sightings, first; /* first: tick */
  int64_t by[MOST_BARRIERS];
};

/* Place of a word in a list separated by spaces. */
static unsigned place_of(const char *words, const char *word) {
  size_t length = strlen(word);
  unsigned place = 0;
  for (const char *w = words;; place++) {
    size_t n = strcspn(w, " ");
    if (n == length && memcmp(w, word, n) == 0) return place;
    w += n + (w[n] == ' ');
    sim_bug_assert(*w); /* the scenario layer has checked the word */
  }
}

/* ---- planning ---------------------------------------------------------------------------------------------------- */

static int declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *barriers = sim_value_get(self->params, "barriers");
  if (barriers->n > MOST_BARRIERS)
    return sim_diag_add(sim_builder_diag(b), &barriers->mark, barriers->path, "at most %d barriers", MOST_BARRIERS);
  p->barrier = sim_calloc(barriers->n + 1, sizeof *p->barrier);
  if (!p->barrier) return SIM_ERR_MEMORY;
  p->stopped = sim_builder_observable(b, self, "stopped", "1", "Attempts stopped so far");
  p->sightings = sim_builder_observable(b, self, "sightings", "1", "Attempts noticed so far");
  for (size_t i = 0; i < barriers->n; i++) {
    const char *name = barriers->items[i].name;
    if (strcmp(name, "stopped") == 0 || strcmp(name, "sightings") == 0)
      return sim_diag_add(sim_builder_diag(b), &barriers->items[i].mark, barriers->items[i].path,
                          "%s is what all barriers do together: give this one another name", name);
    p->barrier[i].observable =
        sim_builder_observable(b, self, name, "1", "Attempts that this barrier stopped, alone or with others");
  }
  return 0;
}

/* One share for all families, or by family; those not named are as `other`, or 0. */
static void shares(const struct sim_value *v, double factor, double share[MOST_FAMILIES]) {
  const struct sim_value *other = v->form == SIM_GROUPS ? sim_value_find(v, "other") : v;
  for (unsigned f = 0; f < MOST_FAMILIES; f++) share[f] = other ? other->number * factor : 0;
  for (size_t i = 0; i < v->n; i++) share[place_of(SIM_FAMILIES, v->items[i].name)] = v->items[i].number * factor;
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *barriers = sim_value_get(self->params, "barriers");
  const struct sim_value *dependence = sim_value_get(self->params, "dependence");
  uint32_t population = sim_builder_find_population(b, "people");
  double people = population == SIM_NONE ? 0 : sim_builder_population(b, population)->size;
  p->privacy = sim_builder_burden(b, self, SIM_PRIVACY);
  p->bypass = sim_value_number(self->params, "bypass");
  p->beta = strcmp(dependence->text, "common") == 0        ? 1
            : strcmp(dependence->text, "beta_factor") == 0 ? sim_value_number(dependence, "beta")
                                                           : 0;
  p->draw_bypass = sim_builder_purpose(b, self, "bypass");
  p->draw_common = sim_builder_purpose(b, self, "dependence");
  for (; p->barriers < barriers->n; p->barriers++) {
    const struct sim_value *entry = &barriers->items[p->barriers];
    struct barrier *x = &p->barrier[p->barriers];
    double faithfulness = sim_value_number(entry, "faithfulness");
    p->monitored += sim_value_number(entry, "monitors") * people;
    shares(sim_value_get(entry, "stops"), faithfulness, x->stops);
    shares(sim_value_get(entry, "sees"), faithfulness, x->sees);
    size_t n;
    const struct sim_value *origin = sim_value_list(entry, "origins", &n);
    for (size_t i = 0; i < n; i++) x->against[place_of(SIM_ORIGINS, origin[i].text)] = true;
    char *suffix = sim_strf("barriers.%s", entry->name);
    if (!suffix) return SIM_ERR_MEMORY;
    x->draw = sim_builder_purpose(b, self, suffix);
    sim_free(suffix);
  }
  return 0;
}

static void plan_free(void *plan) {
  sim_free(((struct plan *)plan)->barrier);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static void sighting(struct sim_run *run, const struct sim_instance *self, struct state *s) {
  const struct plan *p = self->plan;
  if (s->sightings++ == 0) s->first = sim_now(run);
  sim_observe(run, p->sightings, s->sightings);
  sim_signal(run, self, SIGNAL_SIGHTING);
}

static bool gate(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_attempt *a) {
  const struct plan *p = self->plan;
  const struct sim_rng *rng = sim_run_rng(run);
  struct state *s = state;
  unsigned family = place_of(SIM_FAMILIES, a->family), origin = place_of(SIM_ORIGINS, a->origin);
  bool misuse = strcmp(a->origin, "misuse") == 0;
  if (misuse && sim_rng_uniform(rng, p->draw_bypass, a->key, 0, a->number) < p->bypass) {
    s->bypassed++;
    return true;
  }
  double shared = sim_rng_uniform(rng, p->draw_common, a->key, 0, a->number);
  bool together = sim_rng_uniform2(rng, p->draw_common, a->key, 0, a->number) < p->beta;
  bool stopped = false, seen = false;
  for (uint32_t i = 0; i < p->barriers; i++) {
    const struct barrier *x = &p->barrier[i];
    if (!x->against[origin]) continue;
    double u = together ? shared : sim_rng_uniform(rng, x->draw, a->key, 0, a->number);
    bool stops = u < x->stops[family];
    seen |= u < x->sees[family] || (stops && x->sees[family] > 0);
    stopped |= stops;
    if (stops) sim_observe(run, x->observable, ++s->by[i]);
  }
  if (stopped) sim_observe(run, p->stopped, ++s->stopped);
  if (seen) sighting(run, self, s);
  return !stopped;
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  const struct plan *p = self->plan;
  sim_burden(run, p->privacy, p->monitored * sim_days(sim_horizon(run)));
  sim_output(run, self, OUT_BYPASSED, (double)s->bypassed);
  sim_output(run, self, OUT_SIGHTINGS, (double)s->sightings);
  if (s->sightings) sim_output(run, self, OUT_FIRST_SIGHTING, sim_days(s->first));
  *s = (struct state){0};
}

const struct sim_model sim_model_safeguards = {
    .name = "safeguards",
    .section = "safeguards",
    .doc = "Barriers in and around models that stop attempts, each by origin and family, failing apart or by a common "
           "cause (beta-factor model: Fleming 1975), and what goes round them.",
    .params = params,
    .signals = signals,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .declare = declare,
    .plan = plan,
    .plan_free = plan_free,
    .gate = gate,
    .end = end};
