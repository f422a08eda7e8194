/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The built-in measures: one row each, from name to number. docs/measures.md has the definitions in full. */
#include "sim/core/recorder_internal.h"

const char sim_status_flags[] = "recovered relapsed_then_recovered relapsed_censored censored never_degraded failed";

static const double missing = (double)NAN;

static int64_t horizon(const struct sim_run *run) {
  return run->world->horizon;
}
static const struct sim_gauge *load(const struct sim_run *run, uint32_t hazard) {
  return &run->recorder->gauge[run->recorder->plan->populations + hazard];
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

static double status(const struct sim_run *run, uint32_t i) {
  const struct sim_level_run *l = &run->recorder->level[i];
  if (run->error[0]) return SIM_STATUS_FAILED;
  if (!l->ever_below) return 4;
  if (l->recovered) return l->broken ? 1 : 0;
  return l->broken ? 2 : 3;
}
static double time_to_recover(const struct sim_run *run, uint32_t i) {
  const struct sim_recorder *r = run->recorder;
  return r->level[i].recovered ? sim_days(r->level[i].start - r->start) : missing;
}
static double time_below(const struct sim_run *run, uint32_t i) {
  return sim_days(run->recorder->level[i].time_below);
}
static double relapses(const struct sim_run *run, uint32_t i) {
  return (double)run->recorder->level[i].relapses;
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
    if (!l->recovered) continue;
    return (double)(l->society - l->low) / (double)r->plan->full / sim_days(l->start - l->low_at);
  }
  return missing;
}

static double population_robustness(const struct sim_run *run, uint32_t i) {
  const struct sim_recorder *r = run->recorder;
  return r->degraded ? (double)r->gauge[i].low / (double)r->plan->population[i].full : 1;
}
static double population_resilience_loss(const struct sim_run *run, uint32_t i) {
  const struct sim_recorder *r = run->recorder;
  if (!r->degraded) return 0;
  int64_t full = r->plan->population[i].full;
  sim_int128 kept = sim_gauge_sum(&r->gauge[i], horizon(run)) - r->gauge[i].base;
  sim_int128 lost = (sim_int128)full * (horizon(run) - r->start) - kept;
  return (double)lost / (double)full / SIM_TICKS_PER_DAY;
}
/* Linear in the populations' losses, each of which is exact. */
static double resilience_loss(const struct sim_run *run, uint32_t i) {
  (void)i;
  const struct sim_recorder_plan *p = run->recorder->plan;
  double sum = 0;
  for (uint32_t k = 0; k < p->populations; k++)
    if (p->population[k].weight) sum += (double)p->population[k].weight * population_resilience_loss(run, k);
  return p->weight_total ? sum / (double)p->weight_total : 0;
}

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
  return (double)sim_gauge_sum(load(run, i), horizon(run)) / SIM_TICKS_PER_DAY;
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
     "least functionality of society in the episode; 1 without an episode (Bruneau et al. 2003)"},
    {"rapidity", "1/day", SIM_F64, SIM_MEASURE_SCALAR, rapidity,
     "mean slope of functionality from its minimum to the window of the highest level recovered (Bruneau et al. 2003)"},
    {"resilience_loss", "day", SIM_F64, SIM_MEASURE_SCALAR, resilience_loss,
     "integral of target minus functionality over the episode, to the horizon (Bruneau et al. 2003)"},
    {"population_robustness", "1", SIM_F64, SIM_MEASURE_POPULATION, population_robustness,
     "least functionality of the population in the episode; 1 without an episode"},
    {"population_resilience_loss", "day", SIM_F64, SIM_MEASURE_POPULATION, population_resilience_loss,
     "integral of 1 minus the population's functionality over the episode, to the horizon"},
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
  default:
    return 1;
  }
}
