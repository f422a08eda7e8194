/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rumour, planned: its parameters, layers and machine. */
#include "models/hazards/rumour.h"
#include <string.h>

/* ---- parameters ----------------------------------------------------------------------------------------------------
 */

static const struct sim_param strength_entry[] = {{.name = "strength",
                                                   .kind = SIM_QUANTITY,
                                                   .unit = "1",
                                                   .min = 0,
                                                   .max = 1000,
                                                   .doc = "Weight of what is heard on this layer."},
                                                  {.name = NULL}};
static const struct sim_param initial_params[] = {{.name = "believer",
                                                   .kind = SIM_QUANTITY,
                                                   .unit = "1",
                                                   .fallback = "0 %",
                                                   .max = 1,
                                                   .doc = "Share of the population that believes it at the start."},
                                                  {.name = "checker",
                                                   .kind = SIM_QUANTITY,
                                                   .unit = "1",
                                                   .fallback = "0 %",
                                                   .max = 1,
                                                   .doc = "Share of the population that contradicts it at the start."},
                                                  {.name = NULL}};

const struct sim_param rumour_params[] = {
    {.name = "layer",
     .kind = SIM_REF,
     .flags = SIM_LIST | SIM_REQUIRED,
     .refers = "layer",
     .doc = "Layers over which people hear of it, all over the same population; over a directed edge u>v, v hears u."},
    {.name = "kernel",
     .kind = SIM_CHOICE,
     .choices = "linear normalised",
     .fallback = "normalised",
     .doc = "linear: each believing or checking contact adds its own rate. normalised: who has any such contact takes "
            "a side at the rate `spread`, and their weighted numbers n_B (1 + credibility) and n_F (1 - credibility) "
            "share that rate (Tambuscio et al. 2015)."},
    {.name = "spread",
     .kind = SIM_QUANTITY,
     .unit = "1/day",
     .fallback = "0.5/day",
     .source = "tambuscio2015",
     .doc = "linear: rate at which a believing contact convinces a susceptible person. normalised: rate at which a "
            "susceptible person with a believing or checking contact takes a side."},
    {.name = "check",
     .kind = SIM_QUANTITY,
     .unit = "1/day",
     .doc = "linear only: rate at which a checking contact makes a susceptible person a checker."},
    {.name = "credibility",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .max = 1,
     .doc = "normalised only: how much more the rumour convinces than its correction; 0 %: equally."},
    {.name = "verify",
     .kind = SIM_QUANTITY,
     .unit = "1/day",
     .fallback = "0.05/day",
     .source = "tambuscio2015",
     .doc = "Rate at which a believer verifies it and becomes a checker."},
    {.name = "forget",
     .kind = SIM_QUANTITY,
     .unit = "1/day",
     .fallback = "0.1/day",
     .source = "tambuscio2015",
     .doc = "Rate at which a believer or a checker forgets and is susceptible again; 0/day: never."},
    {.name = "strength",
     .kind = SIM_NAMES,
     .fields = strength_entry,
     .refers = "layer",
     .doc = "Weights of what is heard, by layer; a homogeneous layer counts its contacts a person. Default 100 %."},
    {.name = "initial",
     .kind = SIM_FIELDS,
     .fields = initial_params,
     .doc = "Shares that believe or contradict it at the start; who, is drawn for each replicate."},
    {.name = NULL}};

const struct sim_state_desc rumour_states[] = {{"susceptible", 1, "Has not heard it, or has forgotten."},
                                               {"believer", 1, "Believes and spreads it."},
                                               {"checker", 1, "Knows that it is false and spreads the correction."},
                                               {NULL, 0, NULL}};

/* ---- planning ------------------------------------------------------------------------------------------------------
 */

static int plan_rates(struct sim_builder *b, struct sim_instance *self, struct rumour_plan *p) {
  const struct sim_value *check = sim_value_get(self->params, "check"),
                         *credibility = sim_value_get(self->params, "credibility");
  p->normalised = strcmp(sim_value_text(self->params, "kernel"), "normalised") == 0;
  const struct sim_value *wanted = p->normalised ? credibility : check, *other = p->normalised ? check : credibility;
  if (wanted->form == SIM_ABSENT)
    return sim_diag_add(sim_builder_diag(b), &self->params->mark, self->path, "the kernel %s needs `%s`",
                        sim_value_text(self->params, "kernel"), p->normalised ? "credibility" : "check");
  if (other->form != SIM_ABSENT)
    return sim_diag_add(sim_builder_diag(b), &other->mark, other->path, "the kernel %s has no `%s`",
                        sim_value_text(self->params, "kernel"), p->normalised ? "check" : "credibility");
  p->rate[RUMOUR_BELIEF] = sim_value_number(self->params, "spread");
  p->rate[RUMOUR_CHECK] = p->normalised ? 0 : wanted->number;
  p->favour[RUMOUR_BELIEF] = p->normalised ? 1 + wanted->number : 1;
  p->favour[RUMOUR_CHECK] = p->normalised ? 1 - wanted->number : 1;
  p->verify = sim_value_number(self->params, "verify");
  double forget = sim_value_number(self->params, "forget");
  p->forgets = forget > 0;
  sim_law_init_exponential(&p->forget, p->forgets ? 1 / forget : HUGE_VAL);
  return 0;
}

static int plan_initial(struct sim_builder *b, struct sim_instance *self, struct rumour_plan *p) {
  const struct sim_value *initial = sim_value_get(self->params, "initial");
  if (initial->form != SIM_MAPPING) return 0;
  double size = sim_builder_population(b, p->population)->size;
  double believers = floor(sim_value_number(initial, "believer") * size + 0.5);
  double checkers = floor(sim_value_number(initial, "checker") * size + 0.5);
  if (believers + checkers > size)
    return sim_diag_add(sim_builder_diag(b), &initial->mark, initial->path, "the shares add up to more than 100 %%");
  p->initial[RUMOUR_BELIEVER] = (uint32_t)believers;
  p->initial[RUMOUR_CHECKER] = (uint32_t)checkers;
  return 0;
}

static int plan_purposes(struct sim_builder *b, struct sim_instance *self, struct rumour_plan *p) {
  p->purpose[RUMOUR_BELIEF] = sim_builder_purpose(b, self, "hearing");
  p->purpose[RUMOUR_CHECK] = sim_builder_purpose(b, self, "checking");
  p->verify_purpose = sim_builder_purpose(b, self, "verifying");
  p->initial_purpose = sim_builder_purpose(b, self, "initial");
  for (unsigned l = 0; l < p->layers; l++) {
    char *suffix = sim_strf("contacts.%s", sim_builder_layer(b, p->layer[l].layer)->name);
    if (!suffix) return SIM_ERR_MEMORY;
    p->layer[l].purpose = sim_builder_purpose(b, self, suffix);
    sim_free(suffix);
  }
  return 0;
}

int rumour_declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct rumour_plan *p = plan;
  p->world_layers = sim_builder_layers(b);
  int ret = hazard_layers_init(b, self, &p->layer, &p->layers, &p->population);
  if (!ret) ret = plan_rates(b, self, p);
  if (!ret) ret = plan_initial(b, self, p);
  if (ret) return ret;
  const struct sim_law *forget = p->forgets ? &p->forget : NULL;
  const struct sim_transition transition[RUMOUR_TRANSITIONS] = {
      [RUMOUR_BELIEVE] = {"believe", RUMOUR_SUSCEPTIBLE, RUMOUR_BELIEVER, NULL, -1},
      [RUMOUR_DOUBT] = {"doubt", RUMOUR_SUSCEPTIBLE, RUMOUR_CHECKER, NULL, -1},
      [RUMOUR_VERIFY] = {"verify", RUMOUR_BELIEVER, RUMOUR_CHECKER, NULL, -1},
      [RUMOUR_FORGET] = {"forget", RUMOUR_BELIEVER, RUMOUR_SUSCEPTIBLE, forget, -1},
      [RUMOUR_FORGET_CHECK] = {"forget_check", RUMOUR_CHECKER, RUMOUR_SUSCEPTIBLE, forget, -1}};
  /* Only believers count as active: without them nobody will believe again. */
  ret = hazard_machine(b, self, p->population, RUMOUR_BELIEVER, transition, RUMOUR_TRANSITIONS);
  return ret ? ret : plan_purposes(b, self, p);
}

int rumour_plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  (void)plan;
  sim_builder_watch(b, self, self->machine, SIM_NONE);
  return 0;
}

void rumour_plan_free(void *plan) {
  struct rumour_plan *p = plan;
  sim_law_free(&p->forget);
  sim_free(p->layer);
}
