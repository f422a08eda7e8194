/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Episodes: from the first loss of functionality after an incident, through falls below and returns to each level, to
 * windows held long enough (Poulin & Kane 2021; Royston & Parmar 2013 for times that may be censored). The numbers of a
 * run are those of its first episode, followed to the horizon; beside them each episode has its own. */
#include "sim/core/recorder_internal.h"

/* ---- windows ---------------------------------------------------------------------------------------------------- */

/* A window of [start, now) has ended, by a fall, the episode's end or the horizon. */
static void close_window(struct sim_window_run *w, int64_t hold, int64_t now) {
  if (!w->recovered && now - w->start >= hold) w->recovered = true;
}

static void fall(struct sim_window_run *w, int64_t hold, int64_t now) {
  w->ever_below = true;
  w->below_since = now;
  if (!w->open) return;
  w->open = false;
  w->relapses++;
  close_window(w, hold, now);
  if (!w->recovered) w->broken = true;
}

bool sim_window_settle(struct sim_window_run *w, bool below, int64_t hold, int64_t now) {
  if (below == w->below) return false;
  w->below = below;
  if (below) {
    fall(w, hold, now);
    return false;
  }
  w->open = true;
  w->time_below += now - w->below_since;
  if (w->recovered) return false;
  w->start = now;
  return true;
}

static void end_window(struct sim_window_run *w, int64_t hold, int64_t end) {
  if (w->below) w->time_below += end - w->below_since;
  if (w->open) close_window(w, hold, end);
}

/* ---- episodes --------------------------------------------------------------------------------------------------- */

/* Linear in the populations' losses, each of which is exact. */
double sim_society_loss(const struct sim_recorder *r, const sim_int128 *before, int64_t end) {
  const struct sim_recorder_plan *p = r->plan;
  double sum = 0;
  for (uint32_t k = 0; k < p->populations; k++) {
    if (!p->population[k].weight) continue;
    sim_int128 lost = sim_part_lost(r, k, end) - (before ? before[k] : 0);
    sum += (double)p->population[k].weight * ((double)lost / (double)p->part[k].full / SIM_TICKS_PER_DAY);
  }
  return p->weight_total ? sum / (double)p->weight_total : 0;
}

void sim_episode_begin(struct sim_recorder *r) {
  const struct sim_recorder_plan *p = r->plan;
  r->clock = r->awaited = p->clock_at_start;
  r->degraded = r->running = false;
  r->start = r->alarm = r->closes = SIM_NEVER;
  r->incidents = r->gathered = 0;
  r->episodes = 0;
  for (uint32_t l = 0; l < p->levels; l++) r->level[l] = (struct sim_level_run){0};
  for (uint32_t g = 0; g < p->groups; g++) r->group[g] = (struct sim_window_run){0};
}

/* From here on the numbers of the run are measured. */
static void degrade(struct sim_recorder *r, int64_t now) {
  const struct sim_recorder_plan *p = r->plan;
  r->degraded = true;
  r->start = now;
  r->low = sim_society_standing(r);
  r->low_at = now;
  for (uint32_t k = 0; k < p->parts; k++) {
    r->part[k].low = r->gauge[k].value + r->part[k].shift;
    r->lost_before[k] = sim_part_lost(r, k, now);
    sim_gauge_list(r, k);
  }
  for (uint32_t g = 0; g < p->groups; g++)
    (void)sim_window_settle(&r->group[g], r->gauge[p->populations + g].value < r->group_threshold[g], p->hold, now);
  for (uint32_t h = 0; h < p->hazards; h++) {
    r->load[h].top = r->gauge[p->parts + h].value;
    r->load[h].top_at = now;
    sim_gauge_list(r, p->parts + h);
  }
}

static void start(struct sim_recorder *r, int64_t now) {
  const struct sim_recorder_plan *p = r->plan;
  if (!r->degraded) degrade(r, now);
  uint32_t place = r->episodes < p->kept ? r->episodes : p->kept;
  r->episodes++;
  r->latest = &r->episode[place];
  r->latest_level = r->episode_level + (size_t)place * p->levels;
  r->running = true;
  r->awaited = false;
  r->whole_since = SIM_NEVER;
  r->band_high = 0; /* none */
  *r->latest = (struct sim_episode_run){.start = now, .end = SIM_NEVER, .low = sim_society_standing(r)};
  for (uint32_t l = 0; l < p->levels; l++) r->latest_level[l] = (struct sim_window_run){0};
  for (uint32_t k = 0; k < p->parts; k++) r->lost_before_latest[k] = sim_part_lost(r, k, now);
}

/* The running episode has ended, or the horizon has come. Nothing has changed since before `end`. */
static void finish(struct sim_recorder *r, int64_t end) {
  for (uint32_t l = 0; l < r->plan->levels; l++) end_window(&r->latest_level[l], r->plan->hold, end);
  r->latest->incidents = r->gathered;
  r->latest->loss = sim_society_loss(r, r->lost_before_latest, end);
}

static void stop(struct sim_recorder *r, int64_t end) {
  finish(r, end);
  r->latest->end = end;
  r->running = false;
  r->gathered = 0;
  r->closes = SIM_NEVER;
}

void sim_episode_close(struct sim_recorder *r) {
  stop(r, r->closes);
}

/* An episode that never lost the highest level has no window of recovery to end it: it ends with the incident that
 * finds society whole for as long as a window must be held. */
static bool ended_unhurt(const struct sim_recorder *r, int64_t now) {
  const struct sim_window_run *highest = &r->latest_level[r->plan->levels - 1];
  return !highest->ever_below && r->whole_since != SIM_NEVER && now - r->whole_since >= r->plan->hold;
}

void sim_episode_incident(struct sim_recorder *r, int64_t now) {
  r->incidents++;
  if (r->running && ended_unhurt(r, now)) stop(r, now);
  r->gathered++;
  if (r->running) return;
  r->clock = r->awaited = true;
  r->band_high = 0; /* none */
  r->look = true;
}

/* Windows of the first episode, to the horizon. */
static void settle_run(struct sim_recorder *r, sim_int128 standing, int64_t now) {
  for (uint32_t i = 0; i < r->plan->levels; i++) {
    struct sim_level_run *l = &r->level[i];
    if (!sim_window_settle(&l->window, r->society < r->threshold[i], r->plan->hold, now)) continue;
    l->standing = standing;
    l->low = r->low;
    l->low_at = r->low_at;
  }
}

/* Windows of the episode that is running. */
static void settle_running(struct sim_recorder *r, int64_t now) {
  const struct sim_recorder_plan *p = r->plan;
  struct sim_window_run *window = r->latest_level;
  for (uint32_t i = 0; i < p->levels; i++)
    (void)sim_window_settle(&window[i], r->society < r->threshold[i], p->hold, now);
  const struct sim_window_run *highest = &window[p->levels - 1];
  r->closes = highest->open ? sim_ticks_add(highest->start, p->hold) : SIM_NEVER;
  if (r->society < r->target)
    r->whole_since = SIM_NEVER;
  else if (r->whole_since == SIM_NEVER)
    r->whole_since = now;
}

/* The values of society around the present one between which it crosses neither a level nor the target, and those that
 * are no lower than it was. */
static void set_band(struct sim_recorder *r) {
  r->lowest = (r->running ? r->latest->low : r->degraded ? r->low : 0) - (r->plan->full - r->target);
  r->band_low = 0;
  r->band_high = r->target;
  if (r->society >= r->target) {
    r->band_low = r->target;
    r->band_high = r->plan->full + 1;
  }
  for (uint32_t i = 0; i < r->plan->levels; i++) {
    sim_int128 threshold = r->threshold[i];
    if (threshold <= r->society && threshold > r->band_low) r->band_low = threshold;
    if (threshold > r->society && threshold < r->band_high) r->band_high = threshold;
  }
}

static void fall_to(struct sim_recorder *r, sim_int128 standing, int64_t now) {
  if (standing < r->low) {
    r->low = standing;
    r->low_at = now;
  }
  if (r->running && standing < r->latest->low) r->latest->low = standing;
}

/* Society has never stood as low: neither may any population fall; how far they may rise is as before. */
static void sink(struct sim_recorder *r, int64_t now) {
  const struct sim_recorder_plan *p = r->plan;
  r->lowest = r->society;
  fall_to(r, sim_society_standing(r), now);
  for (uint32_t k = 0; k < p->populations; k++) {
    if (!p->population[k].coefficient) continue;
    r->part[k].floor = r->gauge[k].value;
    sim_gauge_list(r, k);
  }
}

/* What society may fall and rise by, shared among the populations: while each keeps to its share, society keeps to its
 * band. */
static void share_band(struct sim_recorder *r) {
  const struct sim_recorder_plan *p = r->plan;
  sim_int128 down = r->society - (r->lowest > r->band_low ? r->lowest : r->band_low);
  sim_int128 up = r->band_high - 1 - r->society;
  for (uint32_t k = 0; k < p->populations; k++) {
    if (!p->population[k].coefficient) continue;
    r->part[k].floor = r->gauge[k].value - (int64_t)(down >> p->population[k].share);
    r->part[k].ceiling = r->gauge[k].value + (int64_t)(up >> p->population[k].share);
    sim_gauge_list(r, k);
  }
}

/* Society may have crossed a level or the target, or an episode may begin. */
static __attribute__((noinline)) void cross(struct sim_recorder *r, int64_t now) {
  if (r->awaited && r->society < r->target) start(r, now);
  if (r->degraded) {
    sim_int128 standing = sim_society_standing(r);
    fall_to(r, standing, now);
    settle_run(r, standing, now);
    if (r->running) settle_running(r, now);
  }
  set_band(r);
}

void sim_episode_look(struct sim_recorder *r, int64_t now) {
  r->society = sim_society_now(r);
  if (r->society < r->band_low || r->society >= r->band_high) {
    cross(r, now);
    share_band(r);
  } else if (r->society < r->lowest) {
    sink(r, now);
  } else {
    share_band(r);
  }
}

void sim_episode_end(struct sim_recorder *r, int64_t horizon) {
  const struct sim_recorder_plan *p = r->plan;
  for (uint32_t i = 0; i < p->levels; i++) end_window(&r->level[i].window, p->hold, horizon);
  for (uint32_t g = 0; g < p->groups; g++) end_window(&r->group[g], p->hold, horizon);
  if (!r->running) return;
  if (r->closes <= horizon)
    stop(r, r->closes);
  else
    finish(r, horizon);
}
