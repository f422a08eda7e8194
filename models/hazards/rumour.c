/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rumour and its correction on contact layers, exact under intervention.
 *
 * The times of a person's stay in a state are those at which the integral of a rate reaches standard exponentials keyed
 * by the person and the stay (Sellke 1983); the integral is carried from one change of the rate to the next, and a
 * change that leaves the rate what it was leaves the time what it was, bit for bit.
 *
 * Linear kernel. A susceptible has two such clocks, of belief and of checking. Their rates are spread (check) times the
 * sum, over believing (checking) contacts, of weight, strength and multipliers, kept in units of 2^-32 as an integer:
 * it does not drift and comes back to zero. On a homogeneous layer each teller meets uniform partners at its own keyed
 * times, as in contagion.
 *
 * Normalised kernel (Tambuscio et al. 2015). While a susceptible has any believing or checking contact, its total rate
 * is `spread`, whatever the numbers: one clock, which only stops and goes on as that count leaves or reaches zero. When
 * it rings, a keyed uniform picks the side by the numbers of that moment: O(1) an event where all mix. Multipliers
 * scale the hazard of their message and leave that of the other alone: they thin the rings (Lewis & Shedler 1979), and
 * a bound above 1 adds further clocks, so it renames no draw. */
#include "models/hazards/rumour.h"

enum { EV_HEAR, EV_MEET, EV_VERIFY };
/* Of each message: infectivity of a teller, susceptibility of a hearer, of a layer, of the whole. */
enum { KNOB_INFECTIVITY, KNOB_SUSCEPTIBILITY, KNOB_LAYER, KNOB_TRANSMISSION, KNOBS_A_MESSAGE };
enum { KNOB_VERIFICATION = RUMOUR_MESSAGES * KNOBS_A_MESSAGE };
enum { SILENT, MOST_PROCESSES = 15 };

struct clock {
  double left; /* of the exponential */
  double rate; /* per day since `since` */
  int64_t since;
  uint32_t n; /* of the draw */
  sim_handle pending;
};

struct person {
  double voice;  /* multiplier of infectivity with which it was told to its contacts */
  uint8_t tells; /* SILENT or 1 + the message that its contacts were told of */
  bool touched;
};

struct rumour {
  const struct rumour_plan *plan;
  uint32_t size;
  struct person *person;           /* [size] */
  unsigned hearing, clocks;        /* clocks of a person: first those of hearing, then of meeting */
  unsigned mixing, processes;      /* homogeneous layers; clocks for each unit of the bound of multipliers */
  struct clock *clock;             /* [size][clocks]; a believer's first one is of verifying */
  int64_t *heard[RUMOUR_MESSAGES]; /* [size] linear: in 2^-32 of a contact; else, or without edges, NULL */
  uint32_t *exposed;               /* [size] normalised: tellers among the contacts; else, or without edges, NULL */
  int64_t loud[RUMOUR_MESSAGES];   /* all tellers, in 2^-32 */
  uint32_t tellers;
  uint32_t *touched, touched_n; /* [size] persons to reset */
  uint32_t *order;              /* [size] for the draw of initial states, or NULL */
};

/* ---- clocks --------------------------------------------------------------------------------------------------------
 */

static struct clock *clock_of(const struct rumour *s, uint32_t v, unsigned c) {
  return &s->clock[(size_t)v * s->clocks + c];
}

static double knob(const struct sim_run *run, const struct sim_instance *self, unsigned message, unsigned which,
                   uint32_t subject) {
  return sim_factor(run, self, message * KNOBS_A_MESSAGE + which, subject);
}

/* The process of a clock, counted from the first of its kind (and layer); n of a draw: process above, count below. */
static unsigned process_of(const struct rumour *s, unsigned c) {
  return c < s->hearing ? c : (c - s->hearing) % s->processes;
}
static const struct hazard_layer *layer_of(const struct rumour *s, unsigned c) {
  unsigned mix = (c - s->hearing) / s->processes, l = 0;
  for (;; l++)
    if (s->plan->layer[l].mixing && mix-- == 0) return &s->plan->layer[l];
}
static uint32_t purpose_of(const struct sim_run *run, const struct sim_instance *self, const struct rumour *s,
                           uint32_t v, unsigned c) {
  if (c >= s->hearing) return layer_of(s, c)->purpose;
  if (sim_state(run, self->machine, v) == RUMOUR_BELIEVER) return s->plan->verify_purpose;
  return s->plan->purpose[s->plan->normalised ? RUMOUR_BELIEF : c];
}

/* Draws the clock's next exponential; it stands still until it has a rate. */
static void wind(struct sim_run *run, const struct sim_instance *self, struct rumour *s, uint32_t v, unsigned c,
                 uint32_t n) {
  struct clock *k = clock_of(s, v, c);
  sim_cancel(run, &k->pending);
  k->n = n;
  k->rate = 0;
  k->since = sim_now(run);
  k->left = sim_rng_exponential(sim_run_rng(run), purpose_of(run, self, s, v, c), v,
                                sim_incarnation(run, self->machine, v), n);
}

static void set_rate(struct sim_run *run, const struct sim_instance *self, struct rumour *s, unsigned kind, uint32_t v,
                     unsigned c, double rate) {
  struct clock *k = clock_of(s, v, c);
  if (rate == k->rate) return;
  double spent = k->rate * sim_days(sim_now(run) - k->since);
  k->left = spent < k->left ? k->left - spent : 0;
  k->since = sim_now(run);
  k->rate = rate;
  int64_t tick = rate > 0 ? sim_ticks_add(sim_now(run), sim_ticks(k->left / rate)) : SIM_NEVER;
  sim_schedule(run, self, kind, v, c, tick, &k->pending);
}

/* After a ring without effect. */
static void wind_again(struct sim_run *run, const struct sim_instance *self, struct rumour *s, unsigned kind,
                       uint32_t v, unsigned c) {
  const struct clock *k = clock_of(s, v, c);
  double rate = k->rate;
  if ((k->n & 0xffffff) == 0xffffff) {
    sim_run_fail(run, "%s: more than 16 million contacts in one stay of entity %u", self->path, v);
    return;
  }
  wind(run, self, s, v, c, k->n + 1);
  set_rate(run, self, s, kind, v, c, rate);
}

/* The clocks that the state of v needs. */
static void start_stay(struct sim_run *run, const struct sim_instance *self, struct rumour *s, uint32_t v) {
  uint8_t state = sim_state(run, self->machine, v);
  unsigned from = state == RUMOUR_SUSCEPTIBLE ? 0 : s->hearing;
  unsigned to = state == RUMOUR_SUSCEPTIBLE ? s->hearing : s->clocks;
  for (unsigned c = 0; c < s->clocks; c++) {
    struct clock *k = clock_of(s, v, c);
    sim_cancel(run, &k->pending);
    k->rate = 0;
    bool named_by_process = s->plan->normalised || c >= s->hearing;
    if (c >= from && c < to) wind(run, self, s, v, c, named_by_process ? process_of(s, c) << 24 : 0);
  }
  if (state == RUMOUR_BELIEVER) wind(run, self, s, v, 0, 0);
}

static void touch(struct sim_run *run, const struct sim_instance *self, struct rumour *s, uint32_t v) {
  if (s->person[v].touched) return;
  s->person[v].touched = true;
  s->touched[s->touched_n++] = v;
  start_stay(run, self, s, v);
}

static bool is_exposed(const struct rumour *s, uint32_t v) {
  if (s->mixing && s->tellers > 0) return true;
  return s->exposed && s->exposed[v] > 0;
}

/* Sets the rates of v to what they are now. */
static void refresh(struct sim_run *run, const struct sim_instance *self, struct rumour *s, uint32_t v) {
  const struct rumour_plan *p = s->plan;
  uint8_t state = sim_state(run, self->machine, v);
  touch(run, self, s, v);
  if (state == RUMOUR_BELIEVER)
    set_rate(run, self, s, EV_VERIFY, v, 0, p->verify * sim_factor(run, self, KNOB_VERIFICATION, v));
  if (state != RUMOUR_SUSCEPTIBLE) return;
  for (unsigned c = 0; p->normalised && c < s->hearing; c++)
    set_rate(run, self, s, EV_HEAR, v, c, is_exposed(s, v) ? p->rate[RUMOUR_BELIEF] : 0);
  for (unsigned m = 0; !p->normalised && s->heard[RUMOUR_BELIEF] && m < RUMOUR_MESSAGES; m++)
    set_rate(run, self, s, EV_HEAR, v, m,
             p->rate[m] * (double)s->heard[m][v] * 0x1p-32 * knob(run, self, m, KNOB_SUSCEPTIBILITY, v) *
                 knob(run, self, m, KNOB_TRANSMISSION, 0));
}

/* ---- what is heard -------------------------------------------------------------------------------------------------
 */

static int64_t quanta(double x) {
  return x < 0x1p30 ? (int64_t)floor(x * 0x1p32 + 0.5) : INT64_MAX;
}

static void add(struct sim_run *run, const struct sim_instance *self, int64_t *sum, int64_t before, int64_t after) {
  int64_t x;
  if (__builtin_sub_overflow(*sum, before, &x) || __builtin_add_overflow(x, after, &x))
    sim_run_fail(run, "%s: the weights and multipliers around an entity are too large", self->path);
  else
    *sum = x;
}

/* Linear: what a contact of weight 1 of layer l contributes. */
static double gain(const struct sim_run *run, const struct sim_instance *self, const struct rumour *s, unsigned l,
                   unsigned message, double voice) {
  const struct hazard_layer *layer = &s->plan->layer[l];
  return layer->strength * knob(run, self, message, KNOB_LAYER, layer->layer) * voice;
}

/* Normalised: u begins or ceases to tell its contacts on layer l. Which message it tells is looked up when a clock
 * rings, so only the first teller of v and its last count: an event of a rumour known to all touches few clocks. */
static void expose(struct sim_run *run, const struct sim_instance *self, struct rumour *s, uint32_t u, unsigned l,
                   bool tells) {
  const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
  if (!(s->plan->layer[l].strength > 0)) return;
  for (uint64_t e = g->row[u]; e < g->row[u + 1]; e++) {
    uint32_t v = g->to[e];
    bool changes = tells ? s->exposed[v]++ == 0 : --s->exposed[v] == 0;
    if (changes) refresh(run, self, s, v);
  }
}

/* Linear: u tells its contacts on layer l `before[m]` no more, but `after[m]`. */
static void tell(struct sim_run *run, const struct sim_instance *self, struct rumour *s, uint32_t u, unsigned l,
                 const double before[RUMOUR_MESSAGES], const double after[RUMOUR_MESSAGES]) {
  const struct sim_graph *g = sim_run_graph(run, s->plan->layer[l].layer);
  for (uint64_t e = g->row[u]; e < g->row[u + 1]; e++) {
    uint32_t v = g->to[e];
    double weight = g->weight ? (double)g->weight[e] : 1;
    for (unsigned m = 0; m < RUMOUR_MESSAGES; m++)
      add(run, self, &s->heard[m][v], quanta(weight * before[m]), quanta(weight * after[m]));
    refresh(run, self, s, v);
  }
}

/* The first teller where all mix, or none is left: everyone's exposure changed. */
static void refresh_everyone(struct sim_run *run, const struct sim_instance *self, struct rumour *s) {
  for (uint32_t v = 0; v < s->size; v++)
    if (sim_state(run, self->machine, v) == RUMOUR_SUSCEPTIBLE) refresh(run, self, s, v);
}

/* From now on u tells `tells` with multiplier `voice`. */
static void speak(struct sim_run *run, const struct sim_instance *self, struct rumour *s, uint32_t u, uint8_t tells,
                  double voice) {
  struct person *p = &s->person[u];
  uint8_t told = p->tells;
  for (unsigned l = 0; l < s->plan->layers; l++) {
    if (s->plan->layer[l].mixing) continue;
    if (s->plan->normalised) {
      if ((told == SILENT) != (tells == SILENT)) expose(run, self, s, u, l, tells != SILENT);
      continue;
    }
    double before[RUMOUR_MESSAGES] = {0}, after[RUMOUR_MESSAGES] = {0};
    if (told != SILENT) before[told - 1] = gain(run, self, s, l, told - 1u, p->voice);
    if (tells != SILENT) after[tells - 1] = gain(run, self, s, l, tells - 1u, voice);
    tell(run, self, s, u, l, before, after);
  }
  bool some = s->tellers > 0;
  if (told != SILENT) add(run, self, &s->loud[told - 1], quanta(p->voice), 0);
  if (tells != SILENT) add(run, self, &s->loud[tells - 1], 0, quanta(voice));
  s->tellers += (uint32_t)(tells != SILENT) - (uint32_t)(told != SILENT);
  p->tells = tells;
  p->voice = voice;
  if (s->mixing && s->plan->normalised && some != (s->tellers > 0)) refresh_everyone(run, self, s);
}

/* ---- events --------------------------------------------------------------------------------------------------------
 */

/* What v hears of each message, on all layers: with the multipliers, and plain. */
static void listen(const struct sim_run *run, const struct sim_instance *self, const struct rumour *s, uint32_t v,
                   double heard[RUMOUR_MESSAGES], double plain[RUMOUR_MESSAGES]) {
  for (unsigned l = 0; l < s->plan->layers; l++) {
    const struct hazard_layer *layer = &s->plan->layer[l];
    double sum[RUMOUR_MESSAGES] = {0}, count[RUMOUR_MESSAGES] = {0}, each = layer->strength;
    if (layer->mixing) {
      each *= layer->contacts / (s->size - 1.0);
      for (unsigned m = 0; m < RUMOUR_MESSAGES; m++) {
        sum[m] = (double)s->loud[m] * 0x1p-32;
        count[m] = sim_count(run, self->machine, (uint8_t)(m + 1));
      }
    } else {
      const struct sim_graph *g = sim_run_graph(run, layer->layer);
      for (uint64_t e = g->in_row[v]; e < g->in_row[v + 1]; e++) {
        const struct person *u = &s->person[g->from[e]];
        if (u->tells == SILENT) continue;
        double weight = g->in_weight ? (double)g->in_weight[e] : 1;
        count[u->tells - 1] += weight;
        sum[u->tells - 1] += weight * u->voice;
      }
    }
    for (unsigned m = 0; m < RUMOUR_MESSAGES; m++) {
      plain[m] += each * count[m];
      heard[m] += each * sum[m] * knob(run, self, m, KNOB_LAYER, layer->layer);
    }
  }
}

/* Normalised: a clock of v rang. Process k takes the part of the shares between k and k + 1. */
static void take_side(struct sim_run *run, const struct sim_instance *self, struct rumour *s, uint32_t v, unsigned c) {
  const struct rumour_plan *p = s->plan;
  double heard[RUMOUR_MESSAGES] = {0}, plain[RUMOUR_MESSAGES] = {0}, share[RUMOUR_MESSAGES], all = 0;
  listen(run, self, s, v, heard, plain);
  for (unsigned m = 0; m < RUMOUR_MESSAGES; m++) all += p->favour[m] * plain[m];
  for (unsigned m = 0; m < RUMOUR_MESSAGES; m++)
    share[m] = all > 0 ? p->favour[m] * heard[m] * knob(run, self, m, KNOB_SUSCEPTIBILITY, v) *
                             knob(run, self, m, KNOB_TRANSMISSION, 0) / all
                       : 0;
  double believe = share[RUMOUR_BELIEF], both = believe + share[RUMOUR_CHECK];
  if (both > s->processes * (1 + 1e-9))
    sim_run_fail(run, "%s: a multiplier of %g is too large for the normalised kernel", self->path, both);
  double at = process_of(s, c) + sim_rng_uniform2(sim_run_rng(run), p->purpose[RUMOUR_BELIEF], v,
                                                  sim_incarnation(run, self->machine, v), clock_of(s, v, c)->n);
  if (at < both)
    sim_move(run, self->machine, v, at < believe ? RUMOUR_BELIEVER : RUMOUR_CHECKER);
  else
    wind_again(run, self, s, EV_HEAR, v, c);
}

/* Linear: u meets a partner where all mix. Words of the block: 0, 1 time; 2 partner; 3 acceptance. */
static void meet(struct sim_run *run, const struct sim_instance *self, struct rumour *s, uint32_t u, unsigned c) {
  const struct hazard_layer *layer = layer_of(s, c);
  unsigned m = sim_state(run, self->machine, u) - 1u, process = process_of(s, c);
  uint32_t block[4];
  sim_rng_block(sim_run_rng(run), layer->purpose, u, sim_incarnation(run, self->machine, u), clock_of(s, u, c)->n,
                block);
  uint32_t v = (uint32_t)((uint64_t)block[2] * (s->size - 1) >> 32);
  if (v >= u) v++;
  double factor = knob(run, self, m, KNOB_INFECTIVITY, u) * knob(run, self, m, KNOB_SUSCEPTIBILITY, v) *
                  knob(run, self, m, KNOB_LAYER, layer->layer) * knob(run, self, m, KNOB_TRANSMISSION, 0);
  if (factor > s->processes)
    sim_run_fail(run, "%s: a multiplier of %g is too large for a homogeneous layer", self->path, factor);
  if (((double)block[3] + 0.5) * 0x1p-32 < factor - process)
    sim_fire(run, self->machine, v, m == RUMOUR_BELIEF ? RUMOUR_BELIEVE : RUMOUR_DOUBT);
  wind_again(run, self, s, EV_MEET, u, c);
}

static void rumour_event(struct sim_run *run, const struct sim_instance *self, void *state,
                         const struct sim_event *ev) {
  struct rumour *s = state;
  if (ev->kind == EV_VERIFY)
    sim_fire(run, self->machine, ev->entity, RUMOUR_VERIFY);
  else if (ev->kind == EV_MEET)
    meet(run, self, s, ev->entity, ev->n);
  else if (s->plan->normalised)
    take_side(run, self, s, ev->entity, ev->n);
  else
    sim_fire(run, self->machine, ev->entity, ev->n == RUMOUR_BELIEF ? RUMOUR_BELIEVE : RUMOUR_DOUBT);
}

static void rumour_changed(struct sim_run *run, const struct sim_instance *self, void *state,
                           const struct sim_change *c) {
  struct rumour *s = state;
  const struct rumour_plan *p = s->plan;
  uint32_t u = c->entity;
  if (c->machine != self->machine) return;
  if (s->person[u].touched) start_stay(run, self, s, u);
  refresh(run, self, s, u);
  uint8_t tells = c->to; /* believers and checkers: 1 + their message */
  speak(run, self, s, u, tells, tells == SILENT ? 1 : knob(run, self, tells - 1u, KNOB_INFECTIVITY, u));
  for (unsigned k = s->hearing; tells != SILENT && k < s->clocks; k++) {
    const struct hazard_layer *layer = layer_of(s, k);
    set_rate(run, self, s, EV_MEET, u, k, p->rate[tells - 1] * layer->strength * layer->contacts);
  }
}

/* Linear: layer `layer` carries message m with another multiplier. */
static void change_layer(struct sim_run *run, const struct sim_instance *self, struct rumour *s, unsigned m,
                         uint32_t layer, double before, double after) {
  for (unsigned l = 0; l < s->plan->layers; l++) {
    if (s->plan->layer[l].mixing || s->plan->layer[l].layer != layer) continue;
    for (uint32_t i = 0; i < s->touched_n; i++) {
      const struct person *u = &s->person[s->touched[i]];
      if (u->tells != m + 1) continue;
      double was[RUMOUR_MESSAGES] = {0}, is[RUMOUR_MESSAGES] = {0};
      was[m] = s->plan->layer[l].strength * before * u->voice;
      is[m] = s->plan->layer[l].strength * after * u->voice;
      tell(run, self, s, s->touched[i], l, was, is);
    }
  }
}

static void rumour_knob(struct sim_run *run, const struct sim_instance *self, void *state, unsigned which,
                        uint32_t subject, double before, double after) {
  struct rumour *s = state;
  unsigned m = which / KNOBS_A_MESSAGE;
  bool linear = !s->plan->normalised; /* else the multipliers are looked at when a clock rings */
  if (which == KNOB_VERIFICATION) {
    if (sim_state(run, self->machine, subject) == RUMOUR_BELIEVER) refresh(run, self, s, subject);
  } else if (which % KNOBS_A_MESSAGE == KNOB_INFECTIVITY) {
    if (s->person[subject].tells == m + 1) speak(run, self, s, subject, (uint8_t)(m + 1), after);
  } else if (linear && which % KNOBS_A_MESSAGE == KNOB_SUSCEPTIBILITY) {
    if (s->person[subject].touched) refresh(run, self, s, subject);
  } else if (linear && which % KNOBS_A_MESSAGE == KNOB_LAYER) {
    change_layer(run, self, s, m, subject, before, after);
  } else if (linear) {
    for (uint32_t i = 0; i < s->touched_n; i++) refresh(run, self, s, s->touched[i]);
  }
}

/* ---- life ----------------------------------------------------------------------------------------------------------
 */

static void rumour_close(void *state) {
  struct rumour *s = state;
  void *arrays[] = {s->person, s->clock, s->heard[0], s->heard[1], s->exposed, s->touched, s->order};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) sim_free(arrays[i]);
}

/* Clocks that the multipliers can need: where they thin, one for each unit of their bound. */
static unsigned processes_for(const struct sim_run *run, const struct sim_instance *self) {
  double most = 1;
  for (unsigned m = 0; m < RUMOUR_MESSAGES; m++) {
    double bound = 1;
    for (unsigned k = 0; k < KNOBS_A_MESSAGE; k++) bound *= sim_factor_bound(run, self, m * KNOBS_A_MESSAGE + k);
    if (bound > most) most = bound;
  }
  return (unsigned)ceil(most < MOST_PROCESSES ? most : MOST_PROCESSES);
}

static int rumour_open(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct rumour *s = state;
  const struct rumour_plan *p = s->plan = self->plan;
  size_t size = s->size = sim_run_population(run, p->population)->size;
  bool edges = false;
  for (unsigned l = 0; l < p->layers; l++) {
    edges |= !p->layer[l].mixing;
    s->mixing += p->layer[l].mixing && size > 1;
  }
  s->processes = processes_for(run, self);
  s->hearing = p->normalised ? s->processes : RUMOUR_MESSAGES;
  s->clocks = s->hearing + (p->normalised ? 0 : s->mixing * s->processes);
  s->person = sim_calloc(size + 1, sizeof *s->person);
  s->clock = sim_calloc(size * s->clocks + 1, sizeof *s->clock);
  s->touched = sim_calloc(size + 1, sizeof *s->touched);
  if (!s->person || !s->clock || !s->touched) return SIM_ERR_MEMORY;
  if (edges && p->normalised && !(s->exposed = sim_calloc(size + 1, sizeof *s->exposed))) return SIM_ERR_MEMORY;
  for (unsigned m = 0; edges && !p->normalised && m < RUMOUR_MESSAGES; m++)
    if (!(s->heard[m] = sim_calloc(size + 1, sizeof *s->heard[m]))) return SIM_ERR_MEMORY;
  if (!p->initial[RUMOUR_BELIEVER] && !p->initial[RUMOUR_CHECKER]) return 0;
  return (s->order = hazard_initial_order(s->size)) ? 0 : SIM_ERR_MEMORY;
}

/* Exact numbers of entities, chosen by a keyed partial shuffle, start as believers and checkers. */
static void rumour_begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct rumour *s = state;
  uint32_t believers = s->plan->initial[RUMOUR_BELIEVER], all = believers + s->plan->initial[RUMOUR_CHECKER];
  if (!all) return;
  hazard_initial_draw(run, s->plan->initial_purpose, s->order, s->size, all);
  for (uint32_t i = 0; i < all; i++)
    sim_move(run, self->machine, s->order[i], i < believers ? RUMOUR_BELIEVER : RUMOUR_CHECKER);
  hazard_initial_undo(run, s->plan->initial_purpose, s->order, s->size, all);
}

/* Pending events were cleared with the queue; rates are zeroed when a person is touched again. */
static void rumour_end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct rumour *s = state;
  (void)run;
  (void)self;
  for (uint32_t i = 0; i < s->touched_n; i++) {
    uint32_t v = s->touched[i];
    s->person[v] = (struct person){0};
    if (s->exposed) s->exposed[v] = 0;
    for (unsigned m = 0; s->heard[RUMOUR_BELIEF] && m < RUMOUR_MESSAGES; m++) s->heard[m][v] = 0;
  }
  s->touched_n = s->tellers = 0;
  for (unsigned m = 0; m < RUMOUR_MESSAGES; m++) s->loud[m] = 0;
}

static const struct sim_knob knobs[] = {
    {"infectivity", SIM_SCOPE_ENTITY, 0, 100, "Multiplies the hazard of belief from a believer on all its edges."},
    {"susceptibility", SIM_SCOPE_ENTITY, 0, 100, "Multiplies the hazard of belief of a susceptible person."},
    {"layer", SIM_SCOPE_LAYER, 0, 100, "Multiplies the hazard of belief over a layer."},
    {"transmission", SIM_SCOPE_WHOLE, 0, 100, "Multiplies the hazard of belief everywhere."},
    {"check_infectivity", SIM_SCOPE_ENTITY, 0, 100, "Multiplies the hazard of checking from a checker on its edges."},
    {"check_susceptibility", SIM_SCOPE_ENTITY, 0, 100, "Multiplies the hazard of checking of a susceptible person."},
    {"check_layer", SIM_SCOPE_LAYER, 0, 100, "Multiplies the hazard of checking over a layer."},
    {"check_transmission", SIM_SCOPE_WHOLE, 0, 100, "Multiplies the hazard of checking everywhere."},
    {"verification", SIM_SCOPE_ENTITY, 0, 100, "Multiplies the rate at which a believer verifies."},
    {NULL, SIM_SCOPE_WHOLE, 0, 0, NULL}};
static const struct sim_event_desc events[] = {
    {"hear", SIM_PHASE_TRANSMIT}, {"meet", SIM_PHASE_TRANSMIT}, {"verify", SIM_PHASE_PROGRESS}, {NULL, 0}};

const struct sim_model sim_model_rumour = {
    .name = "rumour",
    .section = "hazards",
    .doc = "A rumour and its correction: susceptible people become believers or checkers by their contacts, believers "
           "verify, both forget (Tambuscio, Ruffo, Flammini & Menczer 2015); also with rates linear in the contacts. "
           "In the normalised kernel a multiplier scales the hazard of its message and leaves the other's alone.",
    .params = rumour_params,
    .states = rumour_states,
    .knobs = knobs,
    .events = events,
    .plan_size = sizeof(struct rumour_plan),
    .state_size = sizeof(struct rumour),
    .declare = rumour_declare,
    .plan = rumour_plan,
    .plan_free = rumour_plan_free,
    .open = rumour_open,
    .close = rumour_close,
    .begin = rumour_begin,
    .event = rumour_event,
    .changed = rumour_changed,
    .knob = rumour_knob,
    .end = rumour_end};
