/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The built-in measures: one row each, from name to number. docs/measures.md has the definitions in full. */
#include "sim/core/recorder_internal.h"

const char sim_status_flags[] = "recovered relapsed_then_recovered relapsed_censored censored never_degraded failed";

static const double missing = (double)NAN;
#define DAYS_PER_YEAR 365.25 /* as in the scenario language */

static int64_t horizon(const struct sim_run *run) {
  return run->world->horizon;
}
static const struct sim_load_run *load(const struct sim_run *run, uint32_t hazard) {
  return &run->recorder->load[hazard];
}

static double episode_start(const struct sim_run *run, uint32_t i) {
  (void)i;
  return run->recorder->degraded ? sim_days(run->recorder->start) : missing;
}
static double incidents(const struct sim_run *run, uint32_t i) {
  (void)i;
  return (double)run->recorder->incidents;
}
static double observed_time(const struct sim_run *run, uint32_t i) {
  (void)i;
  return run->recorder->degraded ? sim_days(horizon(run) - run->recorder->start) : missing;
}
static double time_to_detect(const struct sim_run *run, uint32_t i) {
  (void)i;
  const struct sim_recorder *r = run->recorder;
  if (!r->degraded || r->alarm == SIM_NEVER) return missing;
  return r->alarm > r->start ? sim_days(r->alarm - r->start) : 0;
}

static double outcome(const struct sim_run *run, const struct sim_window_run *w) {
  if (run->error[0]) return SIM_STATUS_FAILED;
  if (!w->ever_below) return 4;
  if (w->recovered) return w->broken ? 1 : 0;
  return w->broken ? 2 : 3;
}
static double recovery(const struct sim_window_run *w, int64_t start) {
  return w->recovered ? sim_days(w->start - start) : missing;
}
static double status(const struct sim_run *run, uint32_t i) {
  return outcome(run, &run->recorder->level[i].window);
}
static double time_to_recover(const struct sim_run *run, uint32_t i) {
  return recovery(&run->recorder->level[i].window, run->recorder->start);
}
static double time_below(const struct sim_run *run, uint32_t i) {
  return sim_days(run->recorder->level[i].window.time_below);
}
static double relapses(const struct sim_run *run, uint32_t i) {
  return (double)run->recorder->level[i].window.relapses;
}

static double robustness(const struct sim_run *run, uint32_t i) {
  (void)i;
  const struct sim_recorder *r = run->recorder;
  return r->degraded ? sim_recorder_share(r->plan, r->low) : 1;
}
static double rapidity(const struct sim_run *run, uint32_t i) {
  (void)i;
  const struct sim_recorder *r = run->recorder;
  for (uint32_t k = r->plan->levels; k-- > 0;) {
    const struct sim_level_run *l = &r->level[k];
    if (!l->window.recovered) continue;
    return (double)(l->standing - l->low) / (double)r->plan->full / sim_days(l->window.start - l->low_at);
  }
  return missing;
}
static double resilience_loss(const struct sim_run *run, uint32_t i) {
  (void)i;
  const struct sim_recorder *r = run->recorder;
  return r->degraded ? sim_society_loss(r, r->lost_before, horizon(run)) : 0;
}
static double lost_days_per_year(const struct sim_run *run, uint32_t i) {
  (void)i;
  return sim_society_loss(run->recorder, NULL, horizon(run)) / sim_days(horizon(run)) * DAYS_PER_YEAR;
}

/* A part without weight, a group of nobody, has neither. */
static double part_robustness(const struct sim_run *run, uint32_t part) {
  const struct sim_recorder *r = run->recorder;
  int64_t full = r->plan->part[part].full;
  if (!full) return missing;
  return r->degraded ? (double)r->part[part].low / (double)full : 1;
}
static double part_loss(const struct sim_run *run, uint32_t part) {
  const struct sim_recorder *r = run->recorder;
  int64_t full = r->plan->part[part].full;
  if (!full) return missing;
  if (!r->degraded) return 0;
  sim_int128 lost = sim_part_lost(r, part, horizon(run)) - r->lost_before[part];
  return (double)lost / (double)full / SIM_TICKS_PER_DAY;
}

/* ---- by episode ------------------------------------------------------------------------------------------------- */

/* The episode, or NULL if there were fewer. */
static const struct sim_episode_run *episode(const struct sim_run *run, uint32_t i) {
  return i < run->recorder->episodes ? &run->recorder->episode[i] : NULL;
}
static double episodes(const struct sim_run *run, uint32_t i) {
  (void)i;
  return run->recorder->episodes;
}
static double episode_begin(const struct sim_run *run, uint32_t i) {
  const struct sim_episode_run *e = episode(run, i);
  return e ? sim_days(e->start) : missing;
}
static double episode_end(const struct sim_run *run, uint32_t i) {
  const struct sim_episode_run *e = episode(run, i);
  return e && e->end != SIM_NEVER ? sim_days(e->end) : missing;
}
static double episode_incidents(const struct sim_run *run, uint32_t i) {
  const struct sim_episode_run *e = episode(run, i);
  return e ? (double)e->incidents : missing;
}
static double episode_robustness(const struct sim_run *run, uint32_t i) {
  const struct sim_episode_run *e = episode(run, i);
  return e ? sim_recorder_share(run->recorder->plan, e->low) : missing;
}
static double episode_loss(const struct sim_run *run, uint32_t i) {
  const struct sim_episode_run *e = episode(run, i);
  return e ? e->loss : missing;
}
static double episode_status(const struct sim_run *run, uint32_t i) {
  if (run->error[0]) return SIM_STATUS_FAILED;
  return episode(run, i / run->recorder->plan->levels) ? outcome(run, &run->recorder->episode_level[i]) : missing;
}
static double episode_time_to_recover(const struct sim_run *run, uint32_t i) {
  const struct sim_episode_run *e = episode(run, i / run->recorder->plan->levels);
  return e ? recovery(&run->recorder->episode_level[i], e->start) : missing;
}

/* ---- by group --------------------------------------------------------------------------------------------------- */

static double group_robustness(const struct sim_run *run, uint32_t i) {
  return part_robustness(run, run->recorder->plan->populations + i);
}
static double group_loss(const struct sim_run *run, uint32_t i) {
  return part_loss(run, run->recorder->plan->populations + i);
}
static bool empty(const struct sim_run *run, uint32_t group) {
  const struct sim_recorder_plan *p = run->recorder->plan;
  return !p->part[p->populations + group].full;
}
static double group_status(const struct sim_run *run, uint32_t i) {
  return empty(run, i) && !run->error[0] ? missing : outcome(run, &run->recorder->group[i]);
}
static double group_time_to_recover(const struct sim_run *run, uint32_t i) {
  return recovery(&run->recorder->group[i], run->recorder->start);
}

/* Theil's T of the groups' losses a person: sum of s x / m ln (x / m), with s a group's share of the people by weight,
 * x its loss and m the mean loss (Theil 1967). Undefined where a group has gained by the incidents. */
static double theil_t(const struct sim_run *run, uint32_t i) {
  (void)i;
  const struct sim_recorder_plan *p = run->recorder->plan;
  double people = 0, lost = 0, sum = 0;
  for (uint32_t g = 0; g < p->groups; g++) {
    double size = (double)p->part[p->populations + g].full;
    if (size <= 0) continue;
    if (group_loss(run, g) < 0) return missing;
    people += size;
    lost += size * group_loss(run, g);
  }
  if (lost <= 0) return 0;
  for (uint32_t g = 0; g < p->groups; g++) {
    double size = (double)p->part[p->populations + g].full, ratio = size > 0 ? group_loss(run, g) * people / lost : 0;
    if (ratio > 0) sum += size / people * ratio * sim_log(ratio);
  }
  return sum > 0 ? sum : 0; /* rounding may leave less, where losses are equal */
}
static double recovery_gap(const struct sim_run *run, uint32_t i) {
  (void)i;
  double first = HUGE_VAL, last = 0;
  for (uint32_t g = 0; g < run->recorder->plan->groups; g++) {
    if (empty(run, g)) continue;
    double time = group_time_to_recover(run, g);
    if (isnan(time)) return missing;
    if (time < first) first = time;
    if (time > last) last = time;
  }
  return last - first;
}

/* ---- by hazard -------------------------------------------------------------------------------------------------- */

static double time_to_contain(const struct sim_run *run, uint32_t i) {
  const struct sim_recorder *r = run->recorder;
  return r->degraded && load(run, i)->top > 0 ? sim_days(load(run, i)->top_at - r->start) : missing;
}
static double peak_load(const struct sim_run *run, uint32_t i) {
  return (double)load(run, i)->peak;
}
static double peak_time(const struct sim_run *run, uint32_t i) {
  return load(run, i)->peak > 0 ? sim_days(load(run, i)->peak_at) : missing;
}
static double final_size(const struct sim_run *run, uint32_t i) {
  return (double)run->recorder->ever[run->recorder->plan->hazard[i]];
}
static double person_days(const struct sim_run *run, uint32_t i) {
  return (double)sim_gauge_sum(&run->recorder->gauge[run->recorder->plan->parts + i], horizon(run)) / SIM_TICKS_PER_DAY;
}

const struct sim_measure sim_measures[] = {
    {"episode_start", "day", SIM_F64, SIM_MEASURE_SCALAR, episode_start,
     "start of the episode: first time at or after the first incident at which society's functionality is below "
     "target"},
    {"incidents", "1", SIM_I64, SIM_MEASURE_SCALAR, incidents, "incidents that came through, up to the horizon"},
    {"observed_time", "day", SIM_F64, SIM_MEASURE_SCALAR, observed_time,
     "time from the episode's start to the horizon"},
    {"time_to_detect", "day", SIM_F64, SIM_MEASURE_SCALAR, time_to_detect,
     "time from the episode's start to the first alarm of any sensor; 0 if an alarm came between incident and start"},
    {"status", "1", SIM_FLAG, SIM_MEASURE_LEVEL, status, "outcome of recovery to the level"},
    {"time_to_recover", "day", SIM_F64, SIM_MEASURE_LEVEL, time_to_recover,
     "time from the episode's start to the start of the first window in which functionality held the level"},
    {"time_below", "day", SIM_F64, SIM_MEASURE_LEVEL, time_below,
     "time in the episode with functionality below the level"},
    {"relapses", "1", SIM_I64, SIM_MEASURE_LEVEL, relapses, "falls below the level after it had been regained"},
    {"robustness", "1", SIM_F64, SIM_MEASURE_SCALAR, robustness,
     "1 minus the largest shortfall of society from the target in the episode; 1 without an episode (Bruneau et al. "
     "2003)"},
    {"rapidity", "1/day", SIM_F64, SIM_MEASURE_SCALAR, rapidity,
     "mean slope of functionality from its minimum to the window of the highest level recovered (Bruneau et al. 2003)"},
    {"resilience_loss", "day", SIM_F64, SIM_MEASURE_SCALAR, resilience_loss,
     "integral of target minus functionality over the episode, to the horizon (Bruneau et al. 2003)"},
    {"population_robustness", "1", SIM_F64, SIM_MEASURE_POPULATION, part_robustness,
     "1 minus the largest shortfall of the population from the target in the episode; 1 without an episode"},
    {"population_resilience_loss", "day", SIM_F64, SIM_MEASURE_POPULATION, part_loss,
     "integral of target minus the population's functionality over the episode, to the horizon"},
    {"lost_days_per_year", "day/year", SIM_F64, SIM_MEASURE_SCALAR, lost_days_per_year,
     "integral of target minus functionality over the whole run, by its length in years"},
    {"episodes", "1", SIM_I64, SIM_MEASURE_SCALAR, episodes, "episodes that began, kept or not"},
    {"episode_begin", "day", SIM_F64, SIM_MEASURE_EPISODE, episode_begin, "start of the episode"},
    {"episode_end", "day", SIM_F64, SIM_MEASURE_EPISODE, episode_end,
     "end of the episode: when its window at the highest level had been held"},
    {"episode_incidents", "1", SIM_I64, SIM_MEASURE_EPISODE, episode_incidents, "incidents in the episode"},
    {"episode_status", "1", SIM_FLAG, SIM_MEASURE_EPISODE_LEVEL, episode_status,
     "outcome of recovery to the level in the episode"},
    {"episode_time_to_recover", "day", SIM_F64, SIM_MEASURE_EPISODE_LEVEL, episode_time_to_recover,
     "time from the episode's start to the start of the window in which functionality held the level"},
    {"episode_robustness", "1", SIM_F64, SIM_MEASURE_EPISODE, episode_robustness,
     "1 minus the largest shortfall of society from the target in the episode"},
    {"episode_resilience_loss", "day", SIM_F64, SIM_MEASURE_EPISODE, episode_loss,
     "integral of target minus functionality from the episode's start to its end or the horizon"},
    {"group_robustness", "1", SIM_F64, SIM_MEASURE_GROUP, group_robustness,
     "1 minus the largest shortfall of the group from the target in the first episode; 1 without an episode"},
    {"group_resilience_loss", "day", SIM_F64, SIM_MEASURE_GROUP, group_loss,
     "integral of target minus the group's functionality over the first episode, to the horizon"},
    {"group_status", "1", SIM_FLAG, SIM_MEASURE_GROUP, group_status,
     "outcome of the group's recovery to the highest level"},
    {"group_time_to_recover", "day", SIM_F64, SIM_MEASURE_GROUP, group_time_to_recover,
     "time from the episode's start to the start of the first window in which the group held the highest level"},
    {"theil_t", "1", SIM_F64, SIM_MEASURE_GROUPS, theil_t,
     "Theil's T of the groups' losses a person; 0 if they are equal or none (Theil 1967)"},
    {"recovery_gap", "day", SIM_F64, SIM_MEASURE_GROUPS, recovery_gap,
     "time to recover of the last group minus that of the first"},
    {"time_to_contain", "day", SIM_F64, SIM_MEASURE_HAZARD, time_to_contain,
     "time from the episode's start until the active load never again exceeds its value there"},
    {"peak_load", NULL, SIM_I64, SIM_MEASURE_HAZARD, peak_load, "largest active load"},
    {"peak_time", "day", SIM_F64, SIM_MEASURE_HAZARD, peak_time, "first time at which the active load is at its peak"},
    {"final_size", NULL, SIM_I64, SIM_MEASURE_HAZARD, final_size, "entities that were ever active"},
    {"person_days", "day", SIM_F64, SIM_MEASURE_HAZARD, person_days,
     "integral of the active load over the whole run (entity-days)"},
    {0}};

uint32_t sim_measure_extent(const struct sim_recorder_plan *p, enum sim_measure_dim dim) {
  switch (dim) {
  case SIM_MEASURE_LEVEL:
    return p->levels;
  case SIM_MEASURE_POPULATION:
    return p->populations;
  case SIM_MEASURE_HAZARD:
    return p->hazards;
  case SIM_MEASURE_EPISODE:
    return p->kept;
  case SIM_MEASURE_EPISODE_LEVEL:
    return p->kept * p->levels;
  case SIM_MEASURE_GROUP:
    return p->groups;
  case SIM_MEASURE_GROUPS:
    return p->groups > 0;
  default:
    return 1;
  }
}
