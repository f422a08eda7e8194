/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state of a contagion in a run, shared by contagion.c (callbacks), contagion_edges.c (infections over edges) and
 * contagion_mixing.c (homogeneous layers). */
#ifndef MODELS_HAZARDS_CONTAGION_RUN_H
#define MODELS_HAZARDS_CONTAGION_RUN_H
#include "models/hazards/contagion.h"

enum contagion_event { EV_INFECT, EV_CONTACT };

/* All that an offer of infection looks at, in 16 bytes. */
struct contagion_node {
  int64_t pending;    /* expected infection: a field of the agenda */
  uint32_t source;    /* of the pending infection */
  uint32_t stay : 20, /* incarnation of the source, low bits */
      via : 8,        /* layer of the plan */
      listed : 1,     /* among those to be reset */
      open : 1,       /* susceptible */
      varied : 1,     /* its susceptibility has been multiplied */
      shut : 1;       /* by 0, now */
};

struct contagion_history { /* of a multiplier: from `tick` on it is `value`; newest first */
  int64_t tick;
  double value;
  uint32_t older; /* place + 1 in the pool, or 0 */
  uint32_t knob, subject;
};

struct contagion_contact { /* one contact process of a source on a homogeneous layer */
  double sum;              /* of the exponentials so far */
  uint32_t n;
  sim_handle pending;
};

/* Edges are drawn for some sources at once, before these become infectious. */
enum { CONTAGION_BATCHES = 8, CONTAGION_ROWS = SIM_RNG_SOURCES };

struct contagion_source { /* an infectious entity, on one layer */
  uint32_t u, stay, l;
  uint8_t state;
  bool first; /* of this stay: nothing was offered before, and nothing of it is past */
  int64_t entered, exit;
  double strength; /* multiplies the law's hazard at weight 1, besides susceptibility and multipliers */
};

struct contagion_row { /* what was drawn for a source: a part of its batch */
  struct contagion_source source;
  uint32_t first, end;
  uint64_t returned; /* moves into susceptible states till then */
};

struct contagion_batch {
  uint32_t rows;
  bool weighted;
  struct contagion_row row[CONTAGION_ROWS];
  uint32_t to[SIM_RNG_EDGES];
  float weight[SIM_RNG_EDGES];  /* where edges have weights */
  double e[SIM_RNG_EDGES];      /* the exponentials */
  int64_t after[SIM_RNG_EDGES]; /* ticks after entry, for targets of the greatest susceptibility without multipliers */
};

struct contagion_ahead { /* of sources to come, on one layer */
  struct contagion_batch batch[CONTAGION_BATCHES];
  uint32_t drawn;        /* batches so far */
  uint32_t oldest, next; /* batch and row from which a source is looked for: those that are asked for come later */
};

struct contagion {
  const struct contagion_plan *plan;
  const struct sim_instance *self;
  uint32_t machine, agenda;
  const struct sim_entity *entity; /* [size], the engine's */
  struct contagion_node *node;     /* [size] */
  struct sim_touched touched;      /* nodes that the run has changed */
  struct contagion_ahead *ahead;   /* [layers of the plan] */
  struct contagion_batch now;      /* of a source that was not foreseen */
  uint64_t returned; /* moves into susceptible states: while 0, every susceptible entity is in its first stay */
  bool unsure;       /* a source of an expected infection may leave before it: see contagion_infect */
  double bound;      /* the multipliers' product never exceeds it */
  double most;       /* greatest susceptibility */
  bool graded;       /* susceptible states differ in it */
  uint32_t *infectious, *place; /* [size] sources now, and where each stands; NULL if no knob needs the list */
  uint32_t infectious_n;
  uint32_t *head[4]; /* per knob: newest history of each subject, or NULL where nothing modifies it */
  struct contagion_history *history;
  uint32_t history_n;
  size_t history_cap;
  struct contagion_contact *contact; /* [size][mixing layers][processes] */
  unsigned mixing, processes;
  uint32_t *order; /* [size] for the draw of initial states, or NULL */
};

static inline bool contagion_is_source(const struct contagion *s, uint32_t u) {
  return s->plan->infectivity[s->entity[u].state] > 0;
}

/* The multiplier of a subject now. */
static inline double contagion_factor(const struct contagion *s, enum contagion_knob knob, uint32_t subject) {
  uint32_t at = s->head[knob] ? s->head[knob][subject] : 0;
  return at ? s->history[at - 1].value : 1;
}
/* The product of all that multiply the hazard from u to v on a layer of the world now. */
static inline double contagion_multiplier(const struct contagion *s, uint32_t layer, uint32_t u, uint32_t v) {
  return contagion_factor(s, KNOB_INFECTIVITY, u) * contagion_factor(s, KNOB_SUSCEPTIBILITY, v) *
         contagion_factor(s, KNOB_LAYER, layer) * contagion_factor(s, KNOB_TRANSMISSION, 0);
}

/* contagion_edges.c */
/* When u infects v over an edge of layer l, if nothing changes; SIM_NEVER if that is not before `before`, or if u
 * leaves its state first. e: -log of the edge's first uniform, or NULL to draw it. */
int64_t contagion_edge_time(const struct sim_run *run, const struct contagion *s, unsigned l, uint32_t u, uint32_t v,
                            double weight, const double *e, int64_t before);
/* v is infected by u at `tick`, not later than u's exit, unless something comes between. */
void contagion_expect(struct sim_run *run, struct contagion *s, uint32_t v, uint32_t u, uint32_t stay, unsigned l,
                      int64_t tick, int64_t exit);
/* The least time over all sources of v, from scratch. */
void contagion_recompute(struct sim_run *run, struct contagion *s, uint32_t v);
/* The expected infection of v is due. */
void contagion_infect(struct sim_run *run, struct contagion *s, uint32_t v);
/* v will be reset at the end of the run. */
void contagion_list(struct sim_run *run, struct contagion *s, uint32_t v);

/* contagion_offers.c */
/* u's edges on layer l of the plan have a new time: each target keeps the least. first: of this stay of u. */
void contagion_offer(struct sim_run *run, struct contagion *s, uint32_t u, unsigned l, bool first);
void contagion_offer_all(struct sim_run *run, struct contagion *s, uint32_t u, bool first);
void contagion_foresee(const struct sim_run *run, const struct sim_instance *self, void *state,
                       const struct sim_foreseen *foreseen, unsigned stage);

/* contagion_mixing.c */
int contagion_open_mixing(struct contagion *s, uint32_t size);
void contagion_start_contacts(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t u);
void contagion_stop_contacts(struct sim_run *run, struct contagion *s, uint32_t u);
void contagion_meet(struct sim_run *run, const struct sim_instance *self, struct contagion *s,
                    const struct sim_event *ev);
#endif
