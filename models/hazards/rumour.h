/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rumour: what its planning (rumour_plan.c) hands to its running (rumour.c). */
#ifndef MODELS_HAZARDS_RUMOUR_H
#define MODELS_HAZARDS_RUMOUR_H
#include "models/hazards/hazard.h"

enum { RUMOUR_SUSCEPTIBLE, RUMOUR_BELIEVER, RUMOUR_CHECKER, RUMOUR_STATES };
enum { RUMOUR_BELIEF, RUMOUR_CHECK, RUMOUR_MESSAGES }; /* what believers and checkers tell: state - 1 */
enum { RUMOUR_BELIEVE, RUMOUR_DOUBT, RUMOUR_VERIFY, RUMOUR_FORGET, RUMOUR_FORGET_CHECK, RUMOUR_TRANSITIONS };

struct rumour_plan {
  uint32_t population, world_layers;
  unsigned layers;
  struct hazard_layer *layer;
  bool normalised;
  double rate[RUMOUR_MESSAGES];   /* per day; linear: over one contact; normalised: [0] of taking a side */
  double favour[RUMOUR_MESSAGES]; /* normalised: weight of a neighbour, 1 + credibility and 1 - credibility */
  double verify;                  /* per day and believer */
  struct sim_law forget;
  bool forgets;
  uint32_t purpose[RUMOUR_MESSAGES], verify_purpose, initial_purpose;
  uint32_t initial[RUMOUR_STATES]; /* entities put there at the start */
};

int rumour_declare(struct sim_builder *b, struct sim_instance *self, void *plan);
int rumour_plan(struct sim_builder *b, struct sim_instance *self, void *plan);
void rumour_plan_free(void *plan);
extern const struct sim_param rumour_params[];
extern const struct sim_state_desc rumour_states[];
#endif
