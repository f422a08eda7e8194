/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine's own files share: the world's tables and the state of a run. Models never include this. */
#ifndef SIM_CORE_RUN_INTERNAL_H
#define SIM_CORE_RUN_INTERNAL_H
#include "sim/core/agenda.h"
#include "sim/core/queue.h"
#include "sim/core/rng_names.h"
#include "sim/core/world.h"
#include <pthread.h>

#define SIM_MAX_STATES    64
#define SIM_MAX_MODIFIERS 64 /* of one knob */
#define SIM_MAX_ROUNDS    100000

/* Engine events that every instance has after its model's own (added to the number of those). */
enum sim_engine_event {
  SIM_EV_DWELL,  /* n: the machine */
  SIM_EV_MOMENT, /* entity: the moment */
  SIM_EV_SERVED, /* and the next three: enum sim_server_event of server.h */
  SIM_EV_COUNT = SIM_EV_SERVED + 4
};

struct sim_recorder_effect; /* recorder_internal.h */

struct sim_watcher {
  uint32_t instance;
  uint64_t states; /* bit s: it hears of moves into or out of s */
};

struct sim_machine {
  const struct sim_instance *instance;
  uint32_t index, population;
  unsigned states, transitions;
  char **state_name;     /* [states] */
  double *functionality; /* [states]: model's or scenario's default; measures may override (recorder) */
  uint8_t *active;       /* [states]: 1 counts in the active load; NULL: where functionality < 1 (recorder) */
  uint8_t rest, seeded;
  uint64_t gone;                     /* states of the dead: sim_machine_gone */
  struct sim_transition *transition; /* names owned */
  uint32_t *dwell_purpose;           /* [transitions] */
  uint32_t branch_purpose[SIM_MAX_STATES];
  uint8_t exits[SIM_MAX_STATES]; /* 0: none; 1: race of timed transitions; 2: branches */
  uint16_t only[SIM_MAX_STATES]; /* the transition + 1, where it is timed and the only one that comes by itself */
  uint32_t observable;           /* of state 0; state s is observable + s */
  uint64_t heard;                /* bit s: the observable of s is */
  struct sim_watcher *watcher;   /* by instance */
  uint32_t watchers;
  const struct sim_recorder_effect *effect; /* [from x states + to] of moves: the recorder's */
};

struct sim_observable_plan {
  const struct sim_instance *instance;
  char *name; /* "ill"; path is instance name "." name */
  const char *unit, *doc;
  uint32_t population; /* of a state count, for shares; or SIM_NONE */
  uint32_t *trigger;   /* moments with SIM_TRIGGER_ACTUAL on this one */
  uint32_t triggers;
  bool heard; /* by a trigger or the recorder */
};

struct sim_modifier {
  uint32_t owner, target; /* instances */
  unsigned knob, bit;
  double factor;
  double *by_group; /* [groups of the target's population] or NULL */
};
struct sim_knob_plan { /* one per instance and knob, knob_base[instance] + knob */
  uint32_t *modifier;  /* by bit */
  unsigned modifiers;
};

enum sim_trigger { SIM_TRIGGER_AT, SIM_TRIGGER_SIGNAL, SIM_TRIGGER_ACTUAL };
struct sim_moment {
  uint32_t instance;
  unsigned slot;
  uint32_t index;
  enum sim_trigger trigger;
  int64_t offset;   /* AT: the tick itself */
  uint32_t source;  /* SIGNAL: signal id; ACTUAL: observable */
  char op;          /* ACTUAL */
  double threshold; /* count */
};

struct sim_burden_plan {
  uint32_t instance;
  enum sim_burden kind;
};

struct sim_kind_desc { /* rank in the total order -> who handles it */
  uint32_t instance;
  unsigned local;
};

struct sim_recorder_plan; /* recorder.h */
struct sim_recorder;
struct sim_server_plan; /* server.h */
struct sim_server;
struct sim_server_calls;
extern const struct sim_server_calls sim_server_engine; /* server_run.c */

struct sim_world {
  const struct sim_value *root;
  uint64_t seed;
  int64_t horizon;
  double horizon_days;
  struct sim_population *population;
  uint32_t populations;
  struct sim_layer *layer;
  const struct sim_graph *
      *graph;              /* [layers]: fixed realisation (borrowed from the cache), or NULL: a graph a replicate */
  uint32_t *graph_purpose; /* [layers] */
  uint32_t layers;
  struct sim_instance *instance; /* sorted by path */
  uint32_t instances;
  struct sim_machine *machine;
  uint32_t machines;
  struct sim_observable_plan *observable;
  uint32_t observables;
  uint32_t *share; /* [shares] populations */
  uint32_t shares;
  struct sim_modifier *modifier;
  uint32_t modifiers;
  struct sim_knob_plan *knob;
  uint32_t *knob_base; /* [instances] */
  uint32_t knobs;
  uint32_t *signal_base; /* [instances]: id of its signal 0 */
  uint32_t signals;
  struct sim_moment *moment;
  uint32_t moments;
  uint32_t **signal_moment; /* [signals]: moments waiting for it */
  uint32_t *signal_moments;
  uint32_t **listener; /* [instances]: who hears its reports */
  uint32_t *listeners;
  struct sim_server_plan **server;
  uint32_t servers;
  uint32_t *cost_instance; /* [costs] */
  uint32_t costs;
  struct sim_burden_plan *burden; /* [burdens] */
  uint32_t burdens;
  size_t burden_total[SIM_BURDENS], burden_item; /* columns of burden.c */
  uint32_t *output_base;                         /* [instances]: first column of its outputs */
  struct sim_kind_desc *kind;                    /* [kinds] by rank */
  uint32_t kinds;
  uint16_t **rank;   /* [instances][local kind] */
  uint32_t *purpose; /* registered, sorted, to refuse collisions */
  char **purpose_path;
  size_t purposes, purposes_cap;
  struct sim_recorder_plan *recorder;
  struct sim_column *column; /* recorder's first, then outputs, the budget's lines, costs */
  size_t columns;
  char **owned; /* strings owned by the world */
  size_t owned_n, owned_cap;
  struct sim_graph_cache *cache;
};

/* How an entity that enters a state will leave it by itself. */
struct sim_exit {
  uint32_t incarnation;      /* of the stay */
  uint8_t state, transition; /* transition: by which it leaves */
  int64_t entered, tick;     /* tick: of the exit; or SIM_NEVER */
};
/* Exits of entities that will come into a state soon: see dwell.c. The latest ones, a ring. */
enum { SIM_AHEAD = 64 };
struct sim_ahead {
  uint32_t kept, next; /* exits kept so far; place that is probably asked for next */
  uint32_t entity[SIM_AHEAD];
  struct sim_exit exit[SIM_AHEAD];
};

struct sim_machine_run {
  struct sim_entity *entity;  /* [size]; incarnation 0 means untouched */
  struct sim_touched touched; /* by their first moves */
  struct sim_ahead ahead;
};
struct sim_knob_run {
  uint64_t *mask;             /* [subjects] or NULL without modifiers; whole: one subject */
  uint64_t all;               /* modifiers that are on for every subject, */
  double *share;              /* [modifiers] by that share of their effect, or NULL */
  struct sim_touched touched; /* subjects; its size is theirs */
};

struct sim_run {
  const struct sim_world *world;
  struct sim_rng rng;
  uint64_t replicate;
  int64_t now;
  int64_t round; /* of the event under way; -1 before the first */
  int64_t until; /* later events do not come: the horizon, or, of a run that has failed, before the start */
  struct sim_queue queue;
  struct sim_bottom bottom;
  struct sim_agenda *agenda; /* those of the machines' exits first, by machine */
  uint32_t agendas;
  size_t agenda_cap;
  uint32_t *agenda_of; /* [kinds by rank]; see run.c */
  uint64_t events;
  void **state; /* [instances] */
  struct sim_machine_run *machine;
  struct sim_knob_run *knob;
  int64_t *observed;              /* [observables] those of machines' states count the entities in them */
  uint32_t *moment_occurrences;   /* [moments] */
  bool *moment_true;              /* [moments]: truth of ACTUAL predicates */
  const struct sim_graph **graph; /* [layers]: this replicate's */
  bool *graph_owned;              /* [layers] */
  uint64_t *graph_block;          /* [layers]: the block of replicates that an owned graph belongs to */
  uint64_t point, graph_point;
  struct sim_server **server;
  struct sim_recorder *recorder;
  int64_t recorder_due; /* the recorder has work to do before the clock passes this tick */
  double *cost;         /* [costs] */
  double *column;       /* of the row being written, in `end`; NULL otherwise */
  bool no_memory;       /* the run stopped for want of memory */
  bool beginning;       /* inside `begin` callbacks */
  bool twin;            /* this is the replicate without incidents, run before the one that is compared with it */
  const struct sim_trace *trace;
  char error[200];
};

/* run.c: to the engine's other files. rank from instance and local kind. */
static inline uint16_t sim_rank_of(const struct sim_world *w, uint32_t instance, unsigned local) {
  return w->rank[instance][local];
}
static inline unsigned sim_engine_kind(const struct sim_instance *i, enum sim_engine_event e) {
  return i->own_events + (unsigned)e;
}
int sim_machine_open(struct sim_run *run, uint32_t machine) SIM_MUST_CHECK;
void sim_machine_close(struct sim_machine_run *r);
void sim_machine_reset(struct sim_run *run, uint32_t machine);
/* Whether an exit by time leads to a state that has one too. */
bool sim_machine_goes_on(const struct sim_machine *m);
void sim_machine_begin(struct sim_run *run, uint32_t machine);
void sim_machine_dwell_over(struct sim_run *run, uint32_t machine, uint32_t entity);
/* The tick and the transition of an exit whose other parts are given: drawn now, or found among those drawn ahead. */
void sim_draw_exit(const struct sim_run *run, const struct sim_machine *m, uint32_t entity, struct sim_exit *exit);
bool sim_exit_ahead(const struct sim_run *run, const struct sim_machine *m, uint32_t entity, struct sim_exit *exit);
int sim_knobs_open(struct sim_run *run) SIM_MUST_CHECK;
void sim_knobs_reset(struct sim_run *run);
void sim_knobs_close(struct sim_run *run);
void sim_moments_begin(struct sim_run *run); /* schedules the absolute ones */
void sim_moments_begun(struct sim_run *run); /* predicates that hold from the start */
void sim_moment_due(struct sim_run *run, uint32_t moment);
const char *sim_world_own(struct sim_world *w,
                          char *text); /* keeps an allocated string for the world's life; or NULL */
#endif
