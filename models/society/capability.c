/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Capability: a clock of what AI can do (an assistant, then a scientist of its own; frontier laboratories' stated
 * milestones). At each milestone capability is multiplied by a factor, for good. Both sides use it, each as far as its
 * share says: a use with share s is multiplied by factor^s, so shares are of the growth in decades, 0 % leaves a use as
 * it was and 100 % hands the whole factor on. Attempts come more often and take more; reports come sooner and repairs
 * go faster.
 *
 * Everyone's capability is one: which side profits more is an assumption of the scenario, and no arm escapes it. */
#include "sim/core/model.h"
#include <string.h>

#define SHARE(n, text)                                                                                                 \
  { .name = (n), .kind = SIM_QUANTITY, .unit = "1", .fallback = "0 %", .max = 1, .doc = (text) }
static const struct sim_param milestone_params[] = {
    {.name = "at", .kind = SIM_MOMENT, .flags = SIM_REQUIRED, .doc = "When it is reached; from the start on."},
    {.name = "factor",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .min = 1,
     .max = 1000,
     .doc = "What it multiplies capability by."},
    {0}};
static const struct sim_param milestone_entry[] = {
    {.name = "milestone", .kind = SIM_FIELDS, .fields = milestone_params, .doc = "One milestone."}, {0}};
static const struct sim_param params[] = {
    {.name = "milestones", .kind = SIM_NAMES, .fields = milestone_entry, .doc = "Milestones, by name."},
    SHARE("rate", "Share of the growth, as its exponent, by which attempts come more often."),
    SHARE("severity", "Share of the growth, as its exponent, by which an attempt takes more."),
    SHARE("detection", "Share of the growth, as its exponent, by which sensors' reports come sooner."),
    SHARE("repair", "Share of the growth, as its exponent, by which repairs take less work."),
    {0}};

enum { OUT_LEVEL };
static const struct sim_output_desc outputs[] = {
    {"capability_level", "1", "Capability at the horizon; 1 at the start", false}, {0}};

/* Who profits: a share, the section of those whom it reaches, their knob, and whether that is a duration. */
static const struct use {
  const char *share, *section, *knob;
  bool shortens;
} uses[] = {{"rate", "incidents", "rate", false},
            {"severity", "incidents", "severity", false},
            {"detection", "sensing", "delay", true},
            {"repair", "repair", "speed", false}};
enum { USES = sizeof uses / sizeof *uses };

struct effect {
  uint32_t milestone, modifier;
};
struct plan {
  double *factor; /* [milestones] */
  struct effect *effect;
  size_t effects, effects_cap;
};
struct state {
  double level;
};

/* ---- planning ---------------------------------------------------------------------------------------------------- */

/* Ordinary work that incidents demand of a team is no attack. */
static bool is_reached(const struct use *use, const struct sim_instance *target) {
  if (strcmp(target->model->section, use->section) != 0) return false;
  for (const struct sim_param *p = target->model->params; p->name; p++)
    if (strcmp(p->name, "demands") == 0 && sim_value_has(target->params, "demands")) return false;
  for (const struct sim_knob *k = target->model->knobs; k && k->name; k++)
    if (strcmp(k->name, use->knob) == 0) return true;
  return false;
}

/* A milestone's effect on one use, for each whom it reaches. */
static int plan_use(struct sim_builder *b, struct sim_instance *self, struct plan *p, const struct use *use,
                    const struct sim_value *milestone, uint32_t index) {
  double share = sim_value_number(self->params, use->share);
  double factor = sim_pow(p->factor[index], use->shortens ? -share : share);
  if (share == 0 || factor == 1) return 0;
  const struct sim_instance *target;
  for (uint32_t i = 0; (target = sim_builder_instance(b, i)); i++) {
    if (!is_reached(use, target)) continue;
    struct effect *grown = sim_grow(p->effect, &p->effects_cap, p->effects + 1, sizeof *grown);
    if (!grown) return SIM_ERR_MEMORY;
    p->effect = grown;
    uint32_t modifier =
        sim_builder_modifier(b, self, sim_value_get(milestone, "factor"), target, use->knob, factor, NULL);
    if (modifier == SIM_NONE) return SIM_ERR_INPUT;
    p->effect[p->effects++] = (struct effect){index, modifier};
  }
  return 0;
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *milestones = sim_value_get(self->params, "milestones");
  p->factor = sim_calloc(milestones->n + 1, sizeof *p->factor);
  if (!p->factor) return SIM_ERR_MEMORY;
  for (uint32_t i = 0; i < milestones->n; i++) {
    const struct sim_value *milestone = &milestones->items[i];
    p->factor[i] = sim_value_number(milestone, "factor");
    int ret = sim_builder_moment(b, self, sim_value_get(milestone, "at"), 0, 0, i);
    for (unsigned u = 0; !ret && u < USES; u++) ret = plan_use(b, self, p, &uses[u], milestone, i);
    if (ret) return ret;
  }
  return 0;
}

static void plan_free(void *plan) {
  sim_free(((struct plan *)plan)->factor);
  sim_free(((struct plan *)plan)->effect);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static void begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  (void)run, (void)self;
  ((struct state *)state)->level = 1;
}

static void moment(struct sim_run *run, const struct sim_instance *self, void *state, unsigned slot, uint32_t index) {
  (void)slot;
  const struct plan *p = self->plan;
  ((struct state *)state)->level *= p->factor[index];
  for (size_t i = 0; i < p->effects; i++)
    if (p->effect[i].milestone == index) sim_modify_share(run, p->effect[i].modifier, 1);
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  sim_output(run, self, OUT_LEVEL, ((struct state *)state)->level);
}

const struct sim_model sim_model_capability = {
    .name = "capability",
    .section = "capability",
    .doc =
        "A clock of what AI can do: at each milestone attempts may come more often and take more, reports come sooner "
        "and repairs go faster, each by its share of the growth.",
    .params = params,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .plan = plan,
    .plan_free = plan_free,
    .begin = begin,
    .moment = moment,
    .end = end};
