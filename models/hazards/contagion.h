/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contagion: what its planning (contagion_plan.c) hands to its running (contagion.c). */
#ifndef MODELS_HAZARDS_CONTAGION_H
#define MODELS_HAZARDS_CONTAGION_H
#include "sim/core/model.h"

#define CONTAGION_MAX_STATES 64

/* The table of the soonest times: so many steps for each power of two of the need, from 2^-30 to 2^7. */
enum {
  CONTAGION_SOONEST_STEPS = 8, /* a power of two as well */
  CONTAGION_SOONEST_FIRST = -30,
  CONTAGION_SOONEST = 37 * CONTAGION_SOONEST_STEPS
};

enum contagion_knob { KNOB_INFECTIVITY, KNOB_SUSCEPTIBILITY, KNOB_LAYER, KNOB_TRANSMISSION };

struct contagion_layer {
  uint32_t layer;   /* the world's */
  bool mixing;      /* homogeneous */
  double contacts;  /* a person, where mixing */
  double strength;  /* multiplies the hazard (or the probability of an attempt) on this layer */
  uint32_t purpose; /* edges, or contacts where mixing */
};

struct contagion_plan {
  uint32_t population, world_layers;
  unsigned layers;
  struct contagion_layer *layer;
  bool attempt; /* one try per contact, after `law`, with `probability` */
  double probability;
  struct sim_law law; /* hazard of transmission in the age of the source's stay, or delay of the attempt */
  double soonest[CONTAGION_SOONEST]; /* days at which the law's hazard reaches the beginning of each step */
  unsigned states, transitions;
  char **state_name;
  double *functionality;
  uint8_t active[CONTAGION_MAX_STATES];
  double infectivity[CONTAGION_MAX_STATES];    /* of a source in this state; 0: not infectious */
  double susceptibility[CONTAGION_MAX_STATES]; /* of a target in this state; 0: not susceptible */
  uint8_t infected[CONTAGION_MAX_STATES];      /* where a contact takes a target in this state */
  struct sim_transition *transition;
  struct sim_law *after; /* [transitions] */
  uint8_t rest, seeded;
  bool timed;        /* there is a state from which an entity becomes infectious by itself */
  uint32_t *initial; /* [states]: entities put there at the start, besides `rest` */
  uint64_t initial_total;
  uint32_t initial_purpose;
};

/* declare and plan_free of the model. */
int contagion_declare(struct sim_builder *b, struct sim_instance *self, void *plan);
int contagion_plan(struct sim_builder *b, struct sim_instance *self, void *plan);
void contagion_plan_free(void *plan);
extern const struct sim_param contagion_params[];

/* The need, of unit hazard, at which a step of `soonest` begins. */
double contagion_need(unsigned step);
#endif
