/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the recorder's own files share. docs/measures.md defines every number.
 *
 * All that is measured over time is a *gauge*: an integer that changes at ticks -- the functionality of a population,
 * the active load of a machine, an observable that a declared measure reads. Only the value after all events of an
 * instant is measured, so what happens and is undone within one instant is not seen, and curves are right-continuous.
 * Integrals are exact sums of ticks x counts, so they do not depend on how time was cut.
 *
 * Most values mean nothing but for the integral: no new peak, no level crossed. Each gauge has a *band* of such values.
 * A gauge that leaves its band is listed, and before the clock moves on what is listed is looked at, and gets a new
 * band (settle). So a change costs a few additions and two comparisons. */
#ifndef SIM_CORE_RECORDER_INTERNAL_H
#define SIM_CORE_RECORDER_INTERNAL_H
#include "sim/core/recorder.h"

__extension__ typedef __int128 sim_int128;

#define SIM_Q_ONE INT64_C(1000000) /* functionality 1 of an entity of weight 1 */

/* ---- the plan --------------------------------------------------------------------------------------------------- */

/* A part is what has a functionality of its own: the populations that count, then the groups of the people. Gauge i is
 * that of part i. */
struct sim_recorder_part {
  int64_t full;    /* gauge when nothing is lost: total weight x SIM_Q_ONE */
  int64_t at_rest; /* gauge when every machine is at rest */
};

/* A population that counts: part i is that of population i of the plan. */
struct sim_recorder_population {
  uint32_t population;    /* of the world */
  int64_t weight;         /* in society, up to a common factor; 0: not part of it */
  sim_int128 coefficient; /* society = sum of coefficient x gauge */
  unsigned share;         /* of what society may change by, its gauge may by a 2^share-th */
  uint32_t *machine;      /* machines that can lower functionality */
  uint32_t machines;
  bool shared;               /* by a share too */
  uint32_t group;            /* gauge of its first group, or SIM_NONE */
  const uint32_t *weight_of; /* [entities] or NULL, and */
  const uint8_t *group_of;   /* [entities]: the population's own */
};

/* What a move from one state of a machine to another changes. A change of 0 has the gauge that nobody reads. */
struct sim_recorder_effect {
  int64_t q;      /* functionality of an entity, in millionths */
  uint32_t part;  /* its gauge */
  uint32_t load;  /* gauge of the active load */
  uint32_t entry; /* counter of entries into the state */
  int8_t active;  /* change of the load */
  bool affected;  /* the entity is active, as it is not from the start */
  bool own;       /* the functionality that changes is the entity's own: q does not say it */
};

struct sim_recorder_machine {
  struct sim_recorder_effect *effect; /* [from x states + to] */
  uint32_t population;                /* gauge of its functionality; SIM_NONE: all its states have functionality 1 */
  bool alone;                         /* the only such machine of its population, which has no shares */
  uint32_t load;                      /* gauge of its active load; SIM_NONE: no state of it is active */
  uint32_t entry;                     /* its first counter of entries; state s is entry + s */
  uint8_t active[SIM_MAX_STATES];
  double functionality[SIM_MAX_STATES];
  int64_t q[SIM_MAX_STATES];
  const char *label; /* along the dimension "hazard" */
};

enum sim_declared_kind {
  SIM_DECLARED_COUNT,
  SIM_DECLARED_FIRST,
  SIM_DECLARED_LAST,
  SIM_DECLARED_SHARE_OF_TIME,
  SIM_DECLARED_INTEGRAL,
  SIM_DECLARED_AVERAGE,
  SIM_DECLARED_MAXIMUM,
  SIM_DECLARED_ENTRIES,
  SIM_DECLARED_WAITS,
  SIM_DECLARED_GIANT,
  SIM_DECLARED_KINDS
};
enum sim_waits_of {
  SIM_WAITS_MEAN,
  SIM_WAITS_SD,
  SIM_WAITS_SHARE_ABOVE,
  SIM_WAITS_SERVED,
  SIM_WAITS_DROPPED,
  SIM_WAITS_ABANDONED,
  SIM_WAITS_BUSY_SHARE
};

struct sim_declared {
  const char *name;
  enum sim_declared_kind kind;
  uint32_t gauge;    /* of the observable, or SIM_NONE */
  int64_t low, high; /* predicate: true while low <= gauge <= high */
  int64_t from;      /* tick from which it measures */
  uint32_t machine;  /* entries; giant: or SIM_NONE, all nodes */
  uint8_t state;
  uint32_t layer;  /* giant */
  uint32_t server; /* waits */
  enum sim_waits_of of;
  int priority;
  bool any; /* priority: all classes */
  size_t watch;
  uint32_t value, moments; /* count, giant: its places in the run's values */
};

/* Something to do once the state at `tick` is final: take a value, or start to measure (value SIM_NONE). */
struct sim_recorder_due {
  int64_t tick;
  double days; /* as written */
  uint32_t declared, value;
};

struct sim_recorder_plan {
  const struct sim_world *world;
  uint32_t *part_of; /* [world's populations] part, or SIM_NONE: it does not count */
  struct sim_recorder_population *population;
  uint32_t populations;
  struct sim_recorder_part *part;       /* [parts] */
  uint32_t parts, groups;               /* populations + groups; groups of the people, 0 without */
  const char *const *group_name;        /* [groups] borrowed */
  struct sim_recorder_machine *machine; /* [world's machines] */
  uint32_t *hazard; /* [hazards] machines with an active state: what the dimension "hazard" counts */
  uint32_t hazards;
  uint32_t entries;      /* counters of entries: states of all machines */
  uint32_t *gauge_of;    /* [observables] gauge, or SIM_NONE */
  uint32_t gauges;       /* parts, then hazards, then observables; and one more, that nobody reads */
  uint32_t *heard_first; /* [gauges + 1] measures that read gauge g: heard[heard_first[g] ..) */
  uint32_t *heard;
  int64_t weight_total; /* of the populations' weights */
  sim_int128 full;      /* society when nothing is lost */
  bool twin;            /* the target is the replicate without incidents; else full */
  double *level;        /* [levels] ascending */
  int64_t *level_q;     /* [levels] in millionths */
  uint32_t levels;
  int64_t hold;
  uint32_t kept;       /* episodes that have numbers of their own */
  bool clock_at_start; /* the scenario has no incidents: time 0 stands for one */
  bool *sensor;        /* [instances] */
  double *sample;      /* [samples] days */
  int64_t *sample_tick;
  uint32_t samples;
  struct sim_series *series; /* society, populations, hazards */
  uint32_t seriess;
  struct sim_declared *declared;
  uint32_t declareds;
  struct sim_recorder_due *due; /* by tick */
  size_t dues, dues_cap;
  uint32_t values;      /* taken at moments */
  uint32_t giant_nodes; /* most nodes of a layer whose giant component is measured */
};

/* ---- a run ------------------------------------------------------------------------------------------------------ */

struct sim_gauge {
  int64_t value;     /* in the midst of an instant it may still change */
  int64_t low, high; /* the band: while low <= value <= high there is nothing to look at */
  bool listed;       /* it is looked at when the instant is over */
  sim_int128 moment; /* sum of changes x their ticks: the integral from 0 to t is value x t - moment */
};

struct sim_load_run {
  int64_t peak, peak_at; /* largest value, and its first tick */
  int64_t top, top_at;   /* that since degraded */
};

/* What a part is compared with. Its standing is full - (target - gauge): the gauge itself where the target is full. */
struct sim_part_run {
  int64_t floor, ceiling; /* of the gauge: while none is beyond, society is in its band */
  int64_t target, since;  /* from that tick on */
  int64_t shift;          /* full - target: standing is gauge + shift */
  sim_int128 target_sum;  /* integral of the target up to there */
  int64_t low;            /* least standing since degraded */
  int64_t recorded;       /* of the twin: gauge at the latest step */
};

/* The target's part took this value. In the order of time. */
struct sim_target_step {
  int64_t tick, value;
  uint32_t part;
};

/* Recovery to a level: falls, returns and windows. */
struct sim_window_run {
  bool below, ever_below; /* the level */
  bool open;              /* a window has begun since the first fall and is not broken */
  bool broken;            /* a window was, before any was held */
  bool recovered;
  int64_t below_since, time_below, relapses;
  int64_t start; /* of the window; of the held one once recovered */
};
struct sim_level_run {
  struct sim_window_run window;
  sim_int128 standing; /* at the window's start */
  sim_int128 low;      /* the minimum then, */
  int64_t low_at;      /* and its first tick */
};
struct sim_episode_run {
  int64_t start, end; /* end SIM_NEVER: the horizon came first */
  int64_t incidents;
  sim_int128 low; /* least standing */
  double loss;    /* days */
};

struct sim_declared_run {
  bool on;                            /* `from` has come */
  bool truth;                         /* predicate */
  int64_t since, first, ended, ticks; /* true since; first true; last turned false; ticks true before `since` */
  int64_t peak;
  sim_int128 base; /* sum of the gauge at `from` */
};

struct sim_recorder {
  const struct sim_recorder_plan *plan;
  struct sim_gauge *gauge;         /* [gauges + 1] */
  uint32_t *list, listed;          /* [gauges] those to be looked at when the instant is over */
  bool look;                       /* society too */
  struct sim_load_run *load;       /* [hazards] */
  uint64_t *entries;               /* [entries] */
  uint64_t *ever;                  /* [machines] entities ever active in this run */
  uint32_t **lost;                 /* [shares][entities] millionths below 1 */
  bool *lost_any;                  /* [shares] some was set in this run */
  bool clock;                      /* an incident has come */
  bool degraded;                   /* the first episode has begun */
  int64_t start, alarm, incidents; /* of the first episode; first alarm since the clock started, or SIM_NEVER */
  sim_int128 society;              /* when last looked at */
  sim_int128 target;
  sim_int128 low;                 /* least standing of society since degraded, */
  int64_t low_at;                 /* and its first tick */
  struct sim_part_run *part;      /* [parts] */
  sim_int128 *lost_before;        /* [parts] integral of target - gauge up to the first episode, */
  sim_int128 *lost_before_latest; /* [parts] and up to the latest */
  sim_int128 *threshold;          /* [levels] society is at the level from here on */
  sim_int128 band_low, band_high; /* while low <= society < high, it crosses no level; high 0: not known */
  sim_int128 lowest;              /* society at the least standing in the running or else the first episode */
  struct sim_level_run *level;    /* [levels] in the first episode, to the horizon */
  int64_t *group_threshold;       /* [groups] of the highest level */
  struct sim_window_run *group;   /* [groups] */

  uint32_t episodes;                    /* begun so far */
  bool running, awaited;                /* an episode is; an incident has come since the last one ended */
  int64_t gathered;                     /* incidents in the one that is running or awaited */
  int64_t closes;                       /* tick at which it ends unless the highest level is lost again, or SIM_NEVER */
  int64_t whole_since;                  /* since when society is at the target in it, or SIM_NEVER */
  struct sim_episode_run *latest;       /* the latest episode, */
  struct sim_window_run *latest_level;  /* and its levels */
  struct sim_episode_run *episode;      /* [kept + 1] the last serves all that are not kept */
  struct sim_window_run *episode_level; /* [kept + 1][levels] */

  bool recording;               /* this run is the twin: its course becomes the target */
  struct sim_target_step *step; /* [steps] of the twin */
  size_t steps, steps_cap, next_step;
  int64_t next_target; /* tick of the next step, or SIM_NEVER */

  struct sim_declared_run *declared;
  double *value;     /* [values] */
  uint16_t *samples; /* [seriess][samples] */
  uint32_t next_sample;
  size_t next_due;
  int64_t next;  /* tick of the earlier of the two */
  uint8_t *keep; /* [giant_nodes] scratch */
  uint32_t *work;
};

static inline void sim_gauge_change(struct sim_gauge *g, int64_t change, int64_t now) {
  g->value += change;
  g->moment += (sim_int128)change * now;
}
/* Integral of a gauge from 0 to tick (at or after its last change). */
static inline sim_int128 sim_gauge_sum(const struct sim_gauge *g, int64_t tick) {
  return (sim_int128)g->value * tick - g->moment;
}
/* It is looked at when the instant is over; before the clock moves the recorder must be due. */
static inline void sim_gauge_list(struct sim_recorder *r, uint32_t gauge) {
  struct sim_gauge *g = &r->gauge[gauge];
  if (g->listed) return;
  g->listed = true;
  r->list[r->listed++] = gauge;
  r->look |= gauge < r->plan->populations;
}
/* Integral of target minus gauge of a part from 0 to tick. */
static inline sim_int128 sim_part_lost(const struct sim_recorder *r, uint32_t part, int64_t tick) {
  const struct sim_part_run *t = &r->part[part];
  return t->target_sum + (sim_int128)t->target * (tick - t->since) - sim_gauge_sum(&r->gauge[part], tick);
}
/* Society as it is. */
static inline sim_int128 sim_society_now(const struct sim_recorder *r) {
  sim_int128 sum = 0;
  for (uint32_t k = 0; k < r->plan->populations; k++) sum += r->plan->population[k].coefficient * r->gauge[k].value;
  return sum;
}
static inline sim_int128 sim_society_standing(const struct sim_recorder *r) {
  return r->society + (r->plan->full - r->target);
}
/* Society's standing as a share; exactly 1 when nothing is lost. */
static inline double sim_recorder_share(const struct sim_recorder_plan *p, sim_int128 society) {
  return society == p->full ? 1 : (double)society / (double)p->full;
}

/* ---- the built-in measures (recorder_measures.c) ---------------------------------------------------------------- */

enum sim_measure_dim {
  SIM_MEASURE_SCALAR,
  SIM_MEASURE_LEVEL,
  SIM_MEASURE_POPULATION,
  SIM_MEASURE_HAZARD,
  SIM_MEASURE_EPISODE,
  SIM_MEASURE_EPISODE_LEVEL, /* episodes x levels */
  SIM_MEASURE_GROUP,
  SIM_MEASURE_GROUPS /* one number, where there are groups */
};
struct sim_measure {
  const char *name, *unit; /* unit NULL: that of the hazard's entities */
  enum sim_dtype dtype;
  enum sim_measure_dim dim;
  double (*value)(const struct sim_run *run, uint32_t i); /* i along the dimension */
  const char *doc;
};
extern const struct sim_measure sim_measures[]; /* ends with name NULL */
extern const char sim_status_flags[];
uint32_t sim_measure_extent(const struct sim_recorder_plan *p, enum sim_measure_dim dim);

/* ---- episodes (recorder_episode.c) ------------------------------------------------------------------------------ */

void sim_episode_begin(struct sim_recorder *r);
/* An incident came through at `now`, in the midst of an instant. */
void sim_episode_incident(struct sim_recorder *r, int64_t now);
/* The running episode ended at r->closes; nothing has changed since. */
void sim_episode_close(struct sim_recorder *r);
/* The populations' values are final at `now`. */
void sim_episode_look(struct sim_recorder *r, int64_t now);
void sim_episode_end(struct sim_recorder *r, int64_t horizon);
/* `below` the level from `now` on; true if a window starts, before any was held. */
bool sim_window_settle(struct sim_window_run *w, bool below, int64_t hold, int64_t now);
/* Days of society's functionality lost from the tick at which its parts had lost `before` (NULL: 0) until `end`. */
double sim_society_loss(const struct sim_recorder *r, const sim_int128 *before, int64_t end);

/* ---- the target (recorder_target.c) ----------------------------------------------------------------------------- */

void sim_target_begin(struct sim_recorder *r, bool recording);
/* Of the twin: the parts' values are final at `now`. */
void sim_target_record(struct sim_run *run, int64_t now);
/* Takes the steps up to `now`. */
void sim_target_move(struct sim_recorder *r, int64_t now);
#endif
