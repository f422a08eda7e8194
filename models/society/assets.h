/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the model of assets share: assets.c, the nodes; assets_beds.c, their beds. */
#ifndef MODELS_SOCIETY_ASSETS_H
#define MODELS_SOCIETY_ASSETS_H
#include "models/share.h"

enum { ASSET_UP, ASSET_DOWN, ASSET_UNSUPPLIED, ASSET_STATES };
enum { ASSETS_EV_SUPPLY, ASSETS_EV_SERVE, ASSETS_EV_BEDS, ASSETS_EV_LEAVE, ASSETS_EV_ENTER };
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
/* Beds of a node come into or go out of use. */
void beds_change(struct sim_run *run, const struct sim_instance *self, const struct beds_plan *p, struct beds *s,
                 uint32_t node, bool working);
void beds_changed(struct sim_run *run, const struct sim_instance *self, const struct beds_plan *p, struct beds *s,
                  const struct sim_change *c);
void beds_event(struct sim_run *run, const struct beds_plan *p, struct beds *s, const struct sim_event *ev);
void beds_end(struct sim_run *run, const struct sim_instance *self, const struct beds_plan *p, struct beds *s);
#endif
