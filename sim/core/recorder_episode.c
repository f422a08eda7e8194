/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The episode: from the first loss of functionality after an incident, through falls below and returns to each level,
 * to windows held long enough (Poulin & Kane 2021; Royston & Parmar 2013 for times that may be censored). */
#include "sim/core/recorder_internal.h"

void sim_episode_begin(struct sim_recorder *r) {
  r->clock = r->plan->clock_at_start;
  r->degraded = false;
  r->start = r->alarm = SIM_NEVER;
  r->incidents = 0;
  for (uint32_t l = 0; l < r->plan->levels; l++) r->level[l] = (struct sim_level_run){0};
}

static void start(struct sim_recorder *r, int64_t now) {
  r->degraded = true;
  r->start = now;
  r->low = r->society;
  r->low_at = now;
  for (uint32_t g = 0; g < r->plan->populations + r->plan->hazards; g++) {
    struct sim_gauge *gauge = &r->gauge[g];
    gauge->low = gauge->top = gauge->held;
    gauge->top_at = now;
    gauge->base = sim_gauge_sum(gauge, now);
  }
}

/* A window of [start, now) has ended, by a fall or by the horizon. */
static void close_window(const struct sim_recorder *r, struct sim_level_run *l, int64_t now) {
  if (l->recovered) return;
  if (now - l->start >= r->plan->hold) l->recovered = true;
}

static void fall(const struct sim_recorder *r, struct sim_level_run *l, int64_t now) {
  l->below = l->ever_below = true;
  l->below_since = now;
  if (!l->open) return;
  l->open = false;
  l->relapses++;
  close_window(r, l, now);
  if (!l->recovered) l->broken = true;
}

static void rise(const struct sim_recorder *r, struct sim_level_run *l, int64_t now) {
  l->below = false;
  l->open = true;
  l->time_below += now - l->below_since;
  if (l->recovered) return;
  l->start = now;
  l->society = r->society;
  l->low = r->low;
  l->low_at = r->low_at;
}

void sim_episode_settle(struct sim_recorder *r, int64_t now) {
  if (!r->degraded) {
    if (r->society >= r->plan->full) return;
    start(r, now);
  }
  if (r->society < r->low) {
    r->low = r->society;
    r->low_at = now;
  }
  for (uint32_t i = 0; i < r->plan->levels; i++) {
    bool below = r->society < r->plan->threshold[i];
    if (below == r->level[i].below) continue;
    if (below)
      fall(r, &r->level[i], now);
    else
      rise(r, &r->level[i], now);
  }
}

void sim_episode_end(struct sim_recorder *r, int64_t horizon) {
  for (uint32_t i = 0; i < r->plan->levels; i++) {
    struct sim_level_run *l = &r->level[i];
    if (l->below) l->time_below += horizon - l->below_since;
    if (l->open) close_window(r, l, horizon);
  }
}
