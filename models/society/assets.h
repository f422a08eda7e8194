/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the model of assets share: assets.c, the nodes; assets_circle.c, layers that hang together;
 * assets_beds.c, beds. */
#ifndef MODELS_SOCIETY_ASSETS_H
#define MODELS_SOCIETY_ASSETS_H
#include "models/share.h"

#define ASSETS_WHOLE 1000000u /* supply and functionality are in millionths */

enum { ASSET_UP, ASSET_DOWN, ASSET_UNSUPPLIED, ASSET_STATES };
enum { ASSET_FAIL, ASSET_REPAIR, ASSET_LOSE, ASSET_REGAIN, ASSET_TRANSITIONS };
enum { ASSETS_EV_SUPPLY, ASSETS_EV_CIRCLE, ASSETS_EV_SERVE, ASSETS_EV_BEDS, ASSETS_EV_LEAVE, ASSETS_EV_ENTER };
enum { ASSETS_OUT_OCCUPANCY, ASSETS_OUT_EXCESS, ASSETS_OUT_EXCESS_DAYS, ASSETS_OUT_ADMISSIONS };

/* ---- beds -------------------------------------------------------------------------------------------------------- */

/* Of the persons who enter one of the states of `admits`, a share needs a bed. */
struct beds_demand {
  uint32_t machine, purpose;
  uint8_t state;
};
struct beds_plan {
  uint32_t people;  /* population of the patients, or SIM_NONE: no beds */
  uint32_t nodes;   /* that have the beds, */
  uint32_t *beds;   /* [nodes] so many each */
  uint32_t pools;   /* 1: any bed will do; nodes: everyone goes to the node that serves them */
  uint32_t machine; /* of the patients */
  uint32_t demands;
  struct beds_demand *demand; /* [demands] */
  struct action_share admission;
  bool stays; /* a bed is kept for the time `stay`, else while its patient is in the state */
  struct sim_law stay;
  uint32_t capacity, patients; /* observables */
};

struct beds_pool {
  uint32_t beds;              /* of nodes that work */
  uint32_t count[2];          /* patients in bed and waiting, */
  uint32_t first[2], last[2]; /* in the order in which they came; SIM_NONE */
  uint32_t share;             /* millionths of its patients who have a bed */
  sim_handle balance;
};
struct beds {
  struct beds_pool *pool;          /* [pools] */
  uint32_t *next, *previous;       /* [people] along the list in which a patient stands */
  int64_t beds, admitted, waiting; /* of all pools */
  int64_t since;                   /* tick up to which the totals reach */
  int64_t peak_admitted, peak_waiting, admissions;
  double waited; /* person-days */
};

int beds_declare(struct sim_builder *b, struct sim_instance *self, struct beds_plan *p) SIM_MUST_CHECK;
int beds_plan(struct sim_builder *b, const struct sim_instance *self, struct beds_plan *p) SIM_MUST_CHECK;
void beds_plan_free(struct beds_plan *p);
int beds_open(const struct sim_run *run, const struct beds_plan *p, struct beds *s) SIM_MUST_CHECK;
void beds_close(struct beds *s);
void beds_begin(struct sim_run *run, const struct beds_plan *p, struct beds *s);
/* A node's beds in use become so many. */
void beds_change(struct sim_run *run, const struct sim_instance *self, const struct beds_plan *p, struct beds *s,
                 uint32_t node, uint32_t before, uint32_t after);
/* Millionths of the patients of a node who have a bed. */
static inline uint32_t beds_share(const struct beds_plan *p, const struct beds *s, uint32_t node) {
  return p->people == SIM_NONE ? ASSETS_WHOLE : s->pool[p->pools == 1 ? 0 : node].share;
}
void beds_changed(struct sim_run *run, const struct sim_instance *self, const struct beds_plan *p, struct beds *s,
                  const struct sim_change *c);
/* True if the share of a pool's patients who have a bed has changed: nodes *first .. *end - 1 are its. */
bool beds_event(struct sim_run *run, const struct beds_plan *p, struct beds *s, const struct sim_event *ev,
                uint32_t *first, uint32_t *end);
void beds_end(struct sim_run *run, const struct sim_instance *self, const struct beds_plan *p, struct beds *s);

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

enum assets_supply { SUPPLY_ONE, SUPPLY_AT_LEAST, SUPPLY_SHARE };

struct assets_need {
  const struct sim_instance *supplier;
  uint32_t nodes; /* of the supplier */
  bool several;   /* a node has a block of suppliers; else one, which may supply a block */
  bool inside;    /* the supplier is in the same circle */
};
struct assets_dependent {
  const struct sim_instance *instance;
  unsigned need;
};
struct assets_plan {
  uint32_t nodes, layer;
  struct sim_law failure;
  enum assets_supply supply;
  uint32_t least; /* millionths, of SUPPLY_AT_LEAST */
  bool giant;     /* a node works only in the giant component */
  unsigned needs;
  struct assets_need *need; /* [needs] */
  unsigned dependents;
  struct assets_dependent *dependent;
  const struct sim_instance **circle; /* [members] of what is resolved jointly, the same order in each; or NULL */
  uint32_t members;
  uint32_t share;    /* factor of functionality, or SIM_NONE: it is always 1 */
  uint32_t people;   /* population served, or SIM_NONE */
  uint32_t served;   /* machine of who is served */
  uint32_t unserved; /* observable of customers, or SIM_NONE */
  struct beds_plan beds;
};

struct assets {
  uint64_t **missing;  /* [needs][nodes] millionths of a supplier that are missing; of suppliers outside the circle */
  uint32_t *cut;       /* [nodes] millionths of its supply that an intact node lacks */
  uint32_t *lost;      /* [nodes] millionths of its output: all unless up, else cut */
  sim_handle *supply;  /* [nodes] */
  sim_handle *serve;   /* [nodes] */
  sim_handle circle;   /* of the first in the circle */
  uint8_t *works;      /* [nodes] scratch of the circle */
  uint32_t *component; /* [nodes] scratch, where giant */
  bool touched;
  int64_t unserved; /* customers */
  struct beds beds;
};

/* Suppliers of a node: first .. end - 1. */
static inline void assets_suppliers(const struct assets_plan *p, const struct assets_need *need, uint32_t node,
                                    uint32_t *first, uint32_t *end) {
  *first = need->several ? sim_block_start(node, p->nodes, need->nodes)
                         : (uint32_t)((uint64_t)node * need->nodes / p->nodes);
  *end = need->several ? sim_block_start(node + 1, p->nodes, need->nodes) : *first + 1;
}
/* Millionths of a supply of which `missing` are missing out of `suppliers` wholes, under the layer's rule. */
static inline uint32_t assets_supplied(const struct assets_plan *p, uint64_t missing, uint32_t suppliers) {
  uint64_t all = (uint64_t)suppliers * ASSETS_WHOLE;
  if (p->supply == SUPPLY_SHARE) return (uint32_t)((all - missing) / suppliers);
  if (p->supply == SUPPLY_AT_LEAST) return all - missing >= (uint64_t)suppliers * p->least ? ASSETS_WHOLE : 0;
  return missing ? 0 : ASSETS_WHOLE;
}
/* What suppliers outside the circle give a node, in millionths. */
uint32_t assets_outer_supply(const struct assets_plan *p, const struct assets *s, uint32_t node);
/* An intact node lacks `cut` of its supply: its state and output follow. */
void assets_settle(struct sim_run *run, const struct sim_instance *self, uint32_t node, uint32_t cut);

/* The layers that hang together with this one: that need it and that it needs, over any number of steps; and itself
 * alone, if its nodes work in the giant component only. */
int circle_plan(struct sim_builder *b, const struct sim_instance *self, struct assets_plan *p) SIM_MUST_CHECK;
int circle_open(const struct assets_plan *p, struct assets *s) SIM_MUST_CHECK;
void circle_touch(struct sim_run *run, const struct assets_plan *p);
void circle_resolve(struct sim_run *run, const struct assets_plan *p);
#endif
