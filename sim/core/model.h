/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model interface: everything that a file in models/ may use.
 *
 * A model is one `struct sim_model`: tables that say what it is (parameters, states, knobs, signals, events, outputs)
 * and callbacks that say what it does. An *instance* is one entry of a scenario made from a model: `hazards.flu`.
 * Instances know one another only through the engine:
 *
 *   machine     entities in named states (an instance's states over a population); others watch the changes
 *   knob        a multiplier of an instance (whole, per entity or per layer); others declare *modifiers* of it
 *   signal      a named moment ("clinics.alarm"); others wait for it with an offset
 *   report      a sensor tells that an entity was seen in a state; actions listen
 *   server      a team: jobs queue for it, a finished job calls its owner
 *   observable  a named integer that predicates and declared measures read ("outbreak.ill", "crews.queue")
 *
 * Life of an instance:   plan (once per arm and design point; immutable afterwards, shared by threads)
 *                     -> open (once per worker: allocate) -> begin -> events and callbacks -> end (per run) -> close.
 * `begin` and `end` may cost only what the run touched. Rules in callbacks: `event`, `moment` and `served` may do
 * anything; `changed`, `reported`, `knob` and `dropped` are bookkeeping: they may schedule, submit, modify and post,
 * but not move an entity (schedule an event at sim_now instead: it comes in the next round of the same tick). Errors in
 * a run latch: sim_run_fail, then every call is harmless and the loop ends; no return codes to check. */
#ifndef SIM_CORE_MODEL_H
#define SIM_CORE_MODEL_H
#include "sim/core/dmath.h"
#include "sim/core/graph.h"
#include "sim/core/law.h"
#include "sim/core/mem.h"
#include "sim/core/param.h"
#include "sim/core/population.h"
#include "sim/core/rng.h"
#include "sim/core/rng_series.h"
#include "sim/core/ticks.h"
#include "sim/core/touched.h"

#define SIM_NONE UINT32_MAX /* no entity, no index */

struct sim_run;     /* one replicate under way */
struct sim_world;   /* one arm at one design point */
struct sim_builder; /* the world while it is planned */
struct sim_instance;

/* ---- tables ---------------------------------------------------------------------------------------------------- */

/* Events of equal tick and round fire in this order; within a phase by instance path, then by the event's place in the
 * model's table, then by entity, then by n. */
enum sim_phase {
  SIM_PHASE_INCIDENT,
  SIM_PHASE_TRANSMIT,
  SIM_PHASE_PROGRESS,
  SIM_PHASE_SENSE,
  SIM_PHASE_DECIDE,
  SIM_PHASE_SERVE,
  SIM_PHASE_MEASURE
};
struct sim_event_desc { /* ends with name NULL */
  const char *name;
  enum sim_phase phase;
};

enum sim_scope { SIM_SCOPE_WHOLE, SIM_SCOPE_ENTITY, SIM_SCOPE_LAYER };
struct sim_knob { /* ends with name NULL */
  const char *name;
  enum sim_scope scope;
  double min, max; /* of the product of modifiers */
  const char *doc;
};
struct sim_signal_desc { /* ends with name NULL */
  const char *name, *doc;
};
/* A number per run and instance. In the results: variable `name`, along a dimension named for the section ("hazard",
 * "sensor", "team", "action", "repair", "incident", "layer", "safeguards", "capability") with the instances' names.
 * Ends with name NULL. */
struct sim_output_desc {
  const char *name, *unit, *doc;
  bool integer;
};
struct sim_state_desc { /* states that a model fixes itself (assets: up, down); a contagion's are the scenario's */
  const char *name;
  double functionality; /* default weight in Q, 0..1 */
  const char *doc;
};

struct sim_event {
  int64_t tick;
  unsigned kind; /* place in the model's table of events */
  uint32_t entity, n;
};
struct sim_change { /* an entity's state changed */
  uint32_t machine, entity;
  uint8_t from, to;
  bool planned; /* by the exit that was planned when it entered `from` */
};
struct sim_attempt { /* an incident asks whether it may act */
  const struct sim_instance *incident;
  const char *family, *origin; /* of SIM_FAMILIES and SIM_ORIGINS */
  uint32_t key, number;        /* a purpose of the incident's own and the attempt's number, to name draws by */
};
struct sim_job {              /* as given to sim_submit, plus what the server knows */
  uint32_t entity;            /* target, or SIM_NONE */
  uint32_t tag;               /* the owner's own */
  int64_t service;            /* ticks of work */
  int priority;               /* class: lower is served first */
  double rank;                /* within the class: lower first, then by time of submission, then by entity */
  int64_t submitted, started; /* set by the server; started SIM_NEVER until then */
};

struct sim_foreseen;
struct sim_model {
  const char *name;    /* "contagion" */
  const char *section; /* "hazards", "sensing", "teams", "actions", "repair", "incidents", "layers", "couplings",
                          "safeguards", "capability" */
  const char *doc;     /* what it is, with source (author, year) */
  bool experimental;   /* lacks a check against theory or a broken variant that fails */
  const struct sim_param *params;
  const struct sim_state_desc *states;
  const struct sim_knob *knobs;
  const struct sim_signal_desc *signals;
  const struct sim_event_desc *events;
  const struct sim_output_desc *outputs;
  const char *outputs_when;     /* the parameter with which an instance has these outputs; NULL: always */
  size_t plan_size, state_size; /* zeroed memory for each */

  /* First pass: declare what others may name (machine, observables, server). Every instance has passed it before any
   * `plan` runs. May be NULL. */
  int (*declare)(struct sim_builder *b, struct sim_instance *self, void *plan);
  int (*plan)(struct sim_builder *b, struct sim_instance *self, void *plan);
  void (*plan_free)(void *plan);
  int (*open)(struct sim_run *run, const struct sim_instance *self, void *state); /* 0 or a negative code */
  void (*close)(void *state);
  void (*begin)(struct sim_run *run, const struct sim_instance *self, void *state);
  void (*event)(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev);
  /* Expected events come soon: touch (prefetch) what they will need, first with stage 0, then closer, with stage 1 and
   * 2, and draw ahead what follows from names. Each may still be cancelled. Changes nothing but what is kept ready. */
  void (*foresee)(const struct sim_run *run, const struct sim_instance *self, void *state,
                  const struct sim_foreseen *foreseen, unsigned stage);
  void (*moment)(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot, uint32_t index);
  void (*changed)(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c);
  void (*knob)(struct sim_run *run, const struct sim_instance *self, void *state, unsigned knob, uint32_t subject,
               double before, double after);
  void (*reported)(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_instance *sensor,
                   uint32_t entity);
  void (*served)(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_job *job);
  void (*dropped)(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_job *job,
                  bool abandoned); /* false: no room */
  bool (*pull)(struct sim_run *run, const struct sim_instance *self, void *state,
               struct sim_job *job); /* the next job of a backlog, or false: nothing now */
  bool (*gate)(struct sim_run *run, const struct sim_instance *self, void *state,
               const struct sim_attempt *attempt); /* false: stopped; bookkeeping, as `changed` */
  void (*end)(struct sim_run *run, const struct sim_instance *self, void *state); /* write outputs, reset state */
};

struct sim_instance {
  const struct sim_model *model;
  const struct sim_value *params;
  const char *name; /* unique in the scenario */
  const char *path; /* "hazards.flu" */
  uint32_t index;
  unsigned own_events; /* in the model's table */
  uint32_t machine;    /* or SIM_NONE; a second one (assets: who is served) is found through sim_builder_state */
  uint32_t server;     /* or SIM_NONE */
  uint32_t population; /* whose entities its knobs of entity scope mean: set by sim_builder_machine, or in `declare` */
  void *plan;
};

/* The registered models; ends with NULL. Generated from models/CMakeLists.txt. */
extern const struct sim_model *const sim_models[];

/* ---- planning -------------------------------------------------------------------------------------------------- */

struct sim_layer {
  const char *name;
  uint32_t index, population;
  bool mixing; /* homogeneous: no edges, `contacts` a person */
  double contacts;
  bool own_nodes;                 /* its population came with it: assets */
  const struct sim_value *params; /* of the layer's entry */
};

struct sim_diag *sim_builder_diag(struct sim_builder *b);
double sim_builder_horizon(const struct sim_builder *b); /* days */
uint32_t sim_builder_layers(const struct sim_builder *b);
const struct sim_layer *sim_builder_layer(const struct sim_builder *b, uint32_t layer);
/* By name, as checked by the scenario layer. SIM_NONE if absent. */
uint32_t sim_builder_find_layer(const struct sim_builder *b, const char *name);
uint32_t sim_builder_find_population(const struct sim_builder *b, const char *name);
const struct sim_population *sim_builder_population(const struct sim_builder *b, uint32_t population);
/* Graph of a layer for planning (reproduction numbers): the fixed one, or that of replicate 0. */
const struct sim_graph *sim_builder_graph(struct sim_builder *b, uint32_t layer);
struct sim_instance *sim_builder_find(const struct sim_builder *b, const char *name);
/* Instance i of the world, in the order of their paths; NULL past the last. */
const struct sim_instance *sim_builder_instance(const struct sim_builder *b, uint32_t i);
/* Registers a draw's purpose: path of the instance + "." + suffix. */
uint32_t sim_builder_purpose(struct sim_builder *b, const struct sim_instance *self, const char *suffix);

/* Machines (in `declare`). Transitions: timed (after != NULL; those of one state race), a branch (probability >= 0:
 * the branches of one state are drawn first, then that branch's `after`), or neither (only fired by name). */
struct sim_transition {
  const char *name;
  uint8_t from, to;
  const struct sim_law *after; /* borrowed from the plan, or NULL */
  double probability;          /* or -1 */
};
struct sim_machine_spec {
  uint32_t population;
  unsigned states; /* at most 64 */
  const char *const *state_names;
  const double *functionality; /* [states], 0..1 */
  const uint8_t *active;       /* [states]: 1 counts in the active load, or NULL: where functionality < 1 */
  uint8_t rest;                /* everyone's state at the start */
  uint8_t seeded;              /* the state into which incidents put entities */
  unsigned transitions;
  const struct sim_transition *transition;
};
int sim_builder_machine(struct sim_builder *b, struct sim_instance *self,
                        const struct sim_machine_spec *spec) SIM_MUST_CHECK;
/* Resolves "outbreak.ill" to machine and state. 0, or SIM_ERR_INPUT after reporting at `at`. */
int sim_builder_state(struct sim_builder *b, const struct sim_value *at, const char *path, uint32_t *machine,
                      uint8_t *state) SIM_MUST_CHECK;
/* State or transition of a machine by its own name; -1 if absent. */
int sim_builder_machine_state(const struct sim_builder *b, uint32_t machine, const char *name);
int sim_builder_machine_transition(const struct sim_builder *b, uint32_t machine, const char *name);
uint8_t sim_builder_machine_rest(const struct sim_builder *b, uint32_t machine);
uint8_t sim_builder_machine_seeded(const struct sim_builder *b, uint32_t machine);
uint32_t sim_builder_machine_population(const struct sim_builder *b, uint32_t machine);
/* All machines there are so far, with what they were declared with. */
uint32_t sim_builder_machines(const struct sim_builder *b);
const struct sim_instance *sim_builder_machine_instance(const struct sim_builder *b, uint32_t machine);
unsigned sim_builder_machine_states(const struct sim_builder *b, uint32_t machine);
const char *sim_builder_machine_state_name(const struct sim_builder *b, uint32_t machine, unsigned state);
double sim_builder_machine_functionality(const struct sim_builder *b, uint32_t machine, unsigned state);
/* A transition of a machine by index. */
const struct sim_transition *sim_builder_transition(const struct sim_builder *b, uint32_t machine, unsigned transition);
/* From now on self->model->changed hears of moves into or out of `state` (SIM_NONE: of all). */
void sim_builder_watch(struct sim_builder *b, const struct sim_instance *self, uint32_t machine, uint32_t state);
/* From now on self->model->changed hears of entities of a population that are gone (sim_gone). */
void sim_builder_watch_gone(struct sim_builder *b, const struct sim_instance *self, uint32_t population);
/* True if each entity of `dependent` hangs on one node of `supplier`, node i of n on equal blocks (sim_block_start):
 * the layer of `supplier` serves them, or theirs needs it. */
bool sim_builder_hangs_on(const struct sim_builder *b, uint32_t dependent, uint32_t supplier);
/* A factor of each entity's functionality that is no state of it: see sim_share. In `declare`. */
uint32_t sim_builder_share(struct sim_builder *b, const struct sim_instance *self, uint32_t population);
/* A named integer of this instance: "power.unserved". Machines' states are observables without this. */
uint32_t sim_builder_observable(struct sim_builder *b, const struct sim_instance *self, const char *name,
                                const char *unit, const char *doc);

/* A modifier of another instance's knob: `factor` while it is on; by_group (SIM_GROUPS value) overrides for entities of
 * that group. Returns an id, or SIM_NONE after reporting (no such knob, factor outside its limits). */
uint32_t sim_builder_modifier(struct sim_builder *b, const struct sim_instance *self, const struct sim_value *at,
                              const struct sim_instance *target, const char *knob, double factor,
                              const struct sim_value *by_group);
/* self->model->moment(slot, index) will be called at this moment (and at each occurrence of a signal), `delay` days
 * later. index distinguishes the moments of a list. */
int sim_builder_moment(struct sim_builder *b, const struct sim_instance *self, const struct sim_value *moment,
                       double delay, unsigned slot, uint32_t index) SIM_MUST_CHECK;
/* self->model->reported hears this sensor. */
void sim_builder_listen(struct sim_builder *b, const struct sim_instance *self, const struct sim_instance *sensor);

struct sim_server_spec {
  const struct sim_value *size; /* SIM_NUMBER (+inf: unlimited) or SIM_STEPS; jobs in service finish when it shrinks */
  double speed;                 /* work done per unit of time (10 h/day: 10/24) */
  bool staffed;                 /* its places may stand empty (sim_staff) */
  bool preemptive;              /* resume: a better class takes the place; the work done is kept */
  double room;                  /* waiting places, or +inf */
  const struct sim_law *patience; /* time in the queue before a job abandons, or NULL */
  uint32_t patience_purpose;
};
int sim_builder_server(struct sim_builder *b, struct sim_instance *self,
                       const struct sim_server_spec *spec) SIM_MUST_CHECK;
/* self submits jobs to this team's server under the given order ("fifo", "lifo", "priority", "degree",
 * "people_served", "vulnerable_first", "random"); reports if two owners of one class differ in order. backlog: the
 * server may call self->model->pull when it has a free place and nothing better queued. */
void sim_builder_works_for(struct sim_builder *b, const struct sim_instance *self, const struct sim_value *at,
                           uint32_t server, int priority, const char *order, bool backlog);
/* An item of cost of this instance, in currency; the label is the instance's name. Returns its index. */
uint32_t sim_builder_cost(struct sim_builder *b, const struct sim_instance *self);
/* What this instance takes from people besides money: freedom by restrictions, privacy by monitoring. Returns its
 * index. */
enum sim_burden { SIM_FREEDOM, SIM_PRIVACY, SIM_BURDENS };
uint32_t sim_builder_burden(struct sim_builder *b, const struct sim_instance *self, enum sim_burden kind);

/* ---- running --------------------------------------------------------------------------------------------------- */

int64_t sim_now(const struct sim_run *run);
int64_t sim_horizon(const struct sim_run *run); /* ticks */
const struct sim_rng *sim_run_rng(const struct sim_run *run);
uint64_t sim_run_replicate(const struct sim_run *run);
/* True in the run of a replicate without incidents (`measures.target: no_incident`): none may arrive. All else, and
 * every draw, is as in the run that is compared with it. */
bool sim_run_is_twin(const struct sim_run *run);
const struct sim_graph *sim_run_graph(const struct sim_run *run, uint32_t layer); /* this replicate's */
const struct sim_population *sim_run_population(const struct sim_run *run, uint32_t population);
void *sim_run_state(const struct sim_run *run, const struct sim_instance *instance);
void sim_run_fail(struct sim_run *run, const char *fmt, ...) SIM_PRINTF(2, 3);
/* The machine, not the scenario, could not: the run is no result, and the batch stops. what: "pending events". */
void sim_run_out_of_memory(struct sim_run *run, const char *what);
bool sim_run_failed(const struct sim_run *run);

/* Events. A handle names a pending event; 0 is none. At most one pending event per (kind, entity, n) of an instance.
 * tick >= now; SIM_NEVER schedules nothing. sim_cancel of 0 does nothing; both set the handle. */
typedef uint32_t sim_handle;
void sim_schedule(struct sim_run *run, const struct sim_instance *self, unsigned kind, uint32_t entity, uint32_t n,
                  int64_t tick, sim_handle *handle); /* handle NULL: never cancelled; else replaces what it names */
void sim_cancel(struct sim_run *run, sim_handle *handle);
int64_t sim_scheduled(const struct sim_run *run, sim_handle handle); /* tick, or SIM_NEVER for 0 */

/* Expected events: at most one of an entity and kind (n = 0), whose tick the engine keeps in a field of the model's own
 * memory, so that it is read, moved and cancelled without a look into a queue. For large populations: see agenda.h.
 * `open` registers an array of fields that hold SIM_NEVER, `stride` bytes apart; between runs the model sets those that
 * it expected to SIM_NEVER again. sim_expect replaces what was expected; SIM_NEVER cancels. Negative fields mean "in
 * this instant". */
int sim_agenda_open(struct sim_run *run, const struct sim_instance *self, unsigned kind, int64_t *first, size_t stride,
                    uint32_t *agenda) SIM_MUST_CHECK;
void sim_expect(struct sim_run *run, uint32_t agenda, uint32_t entity, int64_t tick);
#define SIM_EXITS (~0u) /* kind: exits from states of the instance's machine */
enum { SIM_FORESEEN = 16 };
struct sim_foreseen { /* n events of one kind, at most SIM_FORESEEN, in the order of time */
  unsigned kind;
  uint32_t n;
  const uint32_t *entity;
  const int64_t *tick;
};
/* Asks for the memory that a move of this entity will touch: for `foresee`. */
void sim_foresee_move(const struct sim_run *run, uint32_t machine, uint32_t entity);
/* The state into which its planned exit takes an entity. */
uint8_t sim_planned_state(const struct sim_run *run, uint32_t machine, uint32_t entity);
/* For stage 2: the entities' next moves take them, at the foreseen ticks, into the states `to`. When they would leave
 * these by themselves (SIM_NEVER: not at all), drawn together and kept for when they come. tick: [f->n] out. */
void sim_foresee_exits(const struct sim_run *run, uint32_t machine, const struct sim_foreseen *f, const uint8_t *to,
                       int64_t *tick);
/* In `open`: this model's `foresee` is to hear of exits from its machine's states even where nobody leaves again the
 * states that they lead to. */
void sim_foresee_all_exits(struct sim_run *run, const struct sim_instance *self);
static inline int64_t sim_expected_tick(int64_t field, int64_t now) {
  return field < 0 ? now : field;
}

/* Machines. */
struct sim_entity {          /* of a machine */
  int64_t entered;           /* tick of the last move */
  int64_t exit;              /* expected event: planned exit from the state; see sim_expected_tick */
  uint32_t incarnation;      /* moves so far */
  uint8_t state, transition; /* transition: of the planned exit */
  bool affected;             /* was in an active state in this run: the recorder's */
};
const struct sim_entity *sim_entities(const struct sim_run *run, uint32_t machine); /* [size of its population] */
uint8_t sim_state(const struct sim_run *run, uint32_t machine, uint32_t entity);
uint32_t sim_incarnation(const struct sim_run *run, uint32_t machine, uint32_t entity);
int64_t sim_entered(const struct sim_run *run, uint32_t machine, uint32_t entity);
int64_t sim_planned_exit(const struct sim_run *run, uint32_t machine, uint32_t entity); /* or SIM_NEVER */
uint32_t sim_count(const struct sim_run *run, uint32_t machine, uint8_t state);
/* True for the dead: in a state of some hazard with functionality 0 that no transition leaves. They cannot be acted on.
 */
bool sim_gone(const struct sim_run *run, uint32_t population, uint32_t entity);
/* In `changed`: whether this change made the entity gone. */
bool sim_newly_gone(const struct sim_run *run, uint32_t population, const struct sim_change *c);
void sim_move(struct sim_run *run, uint32_t machine, uint32_t entity, uint8_t to);
/* Fires a transition by index if the entity is in its `from`; returns whether it did. */
bool sim_fire(struct sim_run *run, uint32_t machine, uint32_t entity, unsigned transition);

/* From now on the entity's functionality is multiplied by these millionths; by 1 from the start of a run. */
void sim_share(struct sim_run *run, uint32_t share, uint32_t entity, uint32_t millionths);
void sim_observe(struct sim_run *run, uint32_t observable, int64_t value);
int64_t sim_observed(const struct sim_run *run, uint32_t observable);

/* Knobs: switch a modifier for a subject (entity, layer, or 0 for whole); the target hears through `knob` only if the
 * product changed. Switching to what it is already does nothing. */
void sim_modify(struct sim_run *run, uint32_t modifier, uint32_t subject, bool on);
/* Asks for the memory that switching a modifier of entity scope will touch: for `foresee`. */
void sim_foresee_modify(const struct sim_run *run, uint32_t modifier, uint32_t subject);
/* Switches a modifier for all subjects at once and by degree: its factor is 1 - share + share f. Not for a modifier
 * that sim_modify switches. */
void sim_modify_share(struct sim_run *run, uint32_t modifier, double share);
/* Product of the active modifiers of a knob for a subject; exactly 1 when none is on. */
double sim_factor(const struct sim_run *run, const struct sim_instance *target, unsigned knob, uint32_t subject);

/* An upper bound of that product over all that the scenario could switch on: the product of the factors above 1. */
double sim_factor_bound(const struct sim_run *run, const struct sim_instance *target, unsigned knob);
/* True if some entry of the scenario may modify this knob. */
bool sim_factor_varies(const struct sim_run *run, const struct sim_instance *target, unsigned knob);

void sim_signal(struct sim_run *run, const struct sim_instance *self, unsigned signal);
void sim_report(struct sim_run *run, const struct sim_instance *sensor, uint32_t entity);

/* Servers. sim_submit returns a job's handle (0: refused, `dropped` was called). sim_withdraw takes a waiting or
 * running job back without a callback. sim_wake tells a server that this owner's backlog has work. */
uint32_t sim_submit(struct sim_run *run, uint32_t server, const struct sim_instance *owner, const struct sim_job *job);
void sim_withdraw(struct sim_run *run, uint32_t server, uint32_t job);
void sim_wake(struct sim_run *run, uint32_t server);
/* A place of a staffed server (0 .. its size - 1) has someone at work or not; places that it has not are ignored. As
 * when the size shrinks, jobs in service finish. */
void sim_staff(struct sim_run *run, uint32_t server, uint32_t place, bool present);
/* From now on its speed is `factor` times that of its spec, also for the work that jobs in service have left. */
void sim_speed(struct sim_run *run, uint32_t server, double factor);
/* What a server did so far; time integrals reach to the horizon when read in `end`. */
struct sim_server_totals {
  uint64_t submitted, started, served, dropped, abandoned; /* started: of the submitted; served: pulled ones too */
  double wait_sum, wait_sumsq, wait_max;    /* days, days^2, days: submission to first start, of the started */
  double sojourn_sum;                       /* days: submission (or pull) to completion, of the served */
  double busy_days, queue_days, place_days; /* integrals of places at work, of jobs waiting, of places staffed */
  double absent_days;                       /* integral of places of the size with nobody at work */
};
void sim_server_total(const struct sim_run *run, uint32_t server, struct sim_server_totals *out);
/* Rank of an entity under an order, as sim_job.rank: fifo 0; degree: minus its degree in `layer`; people_served: minus
 * its weight; vulnerable_first: minus its vulnerability; lifo: minus now; random: keyed uniform. */
double sim_rank(struct sim_run *run, const char *order, uint32_t population, uint32_t layer, uint32_t entity,
                uint32_t purpose);

/* An incident asks every entry that has a gate; false if one of them stops it. */
bool sim_incident_passes(struct sim_run *run, const struct sim_attempt *attempt);
/* An incident came through: the first one starts the clock of the episode (DESIGN: t0). */
void sim_incident(struct sim_run *run, const struct sim_instance *self);
void sim_spend(struct sim_run *run, uint32_t cost, double amount);
void sim_burden(struct sim_run *run, uint32_t burden, double person_days);                            /* in `end` */
void sim_output(struct sim_run *run, const struct sim_instance *self, unsigned output, double value); /* in `end` */
#endif
