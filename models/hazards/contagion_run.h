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

enum { CONTAGION_SOURCES = 64, CONTAGION_OFFERS = 256 };

struct contagion_source { /* an infectious entity, on one layer */
  uint32_t u, stay;
  uint32_t end; /* of its offers: the place after the last */
  unsigned l;
  bool first; /* of this stay: nothing was offered before, and nothing of it is past */
  int64_t entered, exit;
  double infectivity, rate; /* rate: the most that its hazard of unit law comes to, at weight 1 */
};

/* Draws that sources offer, before the targets' memory is looked at: see contagion_edges.c. */
struct contagion_offers {
  uint32_t n, sources;
  int64_t least; /* no infection by one of them comes before this tick */
  struct contagion_source source[CONTAGION_SOURCES];
  uint32_t to[CONTAGION_OFFERS];
  float weight[CONTAGION_OFFERS];
  double draw[CONTAGION_OFFERS];
};

struct contagion {
  const struct contagion_plan *plan;
  const struct sim_instance *self;
  uint32_t machine, agenda;
  const struct sim_entity *entity; /* [size], the engine's */
  struct contagion_node *node;     /* [size] */
  struct sim_touched touched;      /* nodes that the run has changed */
  struct contagion_offers offers;
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
/* u's edges on layer l of the plan have a new time: each target keeps the least. first: of this stay of u. */
void contagion_offer(struct sim_run *run, struct contagion *s, uint32_t u, unsigned l, bool first);
void contagion_offer_all(struct sim_run *run, struct contagion *s, uint32_t u, bool first);
/* Makes the offers that are still waiting: before anything that could change them, or the first of them, is due. */
void contagion_catch_up(struct sim_run *run, const struct sim_instance *self, void *state);
/* The least time over all sources of v, from scratch. */
void contagion_recompute(struct sim_run *run, struct contagion *s, uint32_t v);
/* The expected infection of v is due. */
void contagion_infect(struct sim_run *run, struct contagion *s, uint32_t v);
/* v will be reset at the end of the run. */
void contagion_list(struct sim_run *run, struct contagion *s, uint32_t v);
void contagion_foresee(const struct sim_run *run, const struct sim_instance *self, const void *state,
                       const uint32_t *entity, uint32_t n, unsigned stage);

/* contagion_mixing.c */
int contagion_open_mixing(struct contagion *s, uint32_t size);
void contagion_start_contacts(struct sim_run *run, const struct sim_instance *self, struct contagion *s, uint32_t u);
void contagion_stop_contacts(struct sim_run *run, struct contagion *s, uint32_t u);
void contagion_meet(struct sim_run *run, const struct sim_instance *self, struct contagion *s,
                    const struct sim_event *ev);
#endif
