/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What functionality is compared with: full, or the course of the twin, the same replicate without incidents. That one
 * is kept as steps of whole numbers at ticks, so that the comparison is exact: without incidents nothing is lost, to
 * the bit. */
#include "sim/core/recorder_internal.h"

/* Least whole number at or above target x share / one; target x share itself may not fit. */
static sim_int128 share_of(sim_int128 target, int64_t share) {
  sim_int128 whole = target / SIM_Q_ONE, rest = target % SIM_Q_ONE;
  return whole * share + (rest * share + SIM_Q_ONE - 1) / SIM_Q_ONE;
}

static void set_group_threshold(struct sim_recorder *r, uint32_t g) {
  const struct sim_recorder_plan *p = r->plan;
  r->group_threshold[g] = (int64_t)share_of(r->part[p->populations + g].target, p->level_q[p->levels - 1]);
}
static void set_thresholds(struct sim_recorder *r) {
  for (uint32_t i = 0; i < r->plan->levels; i++) r->threshold[i] = share_of(r->target, r->plan->level_q[i]);
  r->band_high = 0; /* none */
  r->look = true;
}

void sim_target_begin(struct sim_recorder *r, bool recording) {
  const struct sim_recorder_plan *p = r->plan;
  bool follows = p->twin && !recording; /* from 0: the steps at time 0 give the twin's first values */
  r->recording = recording;
  if (recording) r->steps = 0;
  r->next_step = 0;
  r->next_target = follows && r->steps ? r->step[0].tick : SIM_NEVER;
  r->target = follows ? 0 : p->full;
  for (uint32_t k = 0; k < p->parts; k++) {
    int64_t full = p->part[k].full;
    r->part[k] = (struct sim_part_run){
        .floor = INT64_MIN, .ceiling = INT64_MAX, .target = follows ? 0 : full, .shift = follows ? full : 0};
  }
  set_thresholds(r);
  for (uint32_t g = 0; g < p->groups; g++) set_group_threshold(r, g);
}

void sim_target_record(struct sim_run *run, int64_t now) {
  struct sim_recorder *r = run->recorder;
  for (uint32_t part = 0; part < r->plan->parts; part++) {
    int64_t value = r->gauge[part].value;
    if (value == r->part[part].recorded) continue;
    struct sim_target_step *grown = sim_grow(r->step, &r->steps_cap, r->steps + 1, sizeof *grown);
    if (!grown) {
      sim_run_out_of_memory(run, "the course without incidents");
      return;
    }
    r->step = grown;
    r->step[r->steps++] = (struct sim_target_step){now, value, part};
    r->part[part].recorded = value;
  }
}

void sim_target_move(struct sim_recorder *r, int64_t now) {
  const struct sim_recorder_plan *p = r->plan;
  for (; r->next_step < r->steps && r->step[r->next_step].tick <= now; r->next_step++) {
    const struct sim_target_step *s = &r->step[r->next_step];
    struct sim_part_run *t = &r->part[s->part];
    sim_gauge_list(r, s->part);
    t->target_sum += (sim_int128)t->target * (s->tick - t->since);
    t->since = s->tick;
    if (s->part < p->populations) r->target += p->population[s->part].coefficient * (s->value - t->target);
    t->target = s->value;
    t->shift = p->part[s->part].full - s->value;
    if (s->part >= p->populations) set_group_threshold(r, s->part - p->populations);
  }
  set_thresholds(r);
  r->next_target = r->next_step < r->steps ? r->step[r->next_step].tick : SIM_NEVER;
}
