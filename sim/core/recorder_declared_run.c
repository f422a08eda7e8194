/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Declared measures: their course in a run, and their columns. */
#include "sim/core/recorder_declared.h"
#include "sim/core/server.h"
#include <string.h>

void sim_declared_begin(struct sim_recorder *r) {
  for (uint32_t d = 0; d < r->plan->declareds; d++)
    r->declared[d] = (struct sim_declared_run){.first = SIM_NEVER, .ended = -1};
  for (uint32_t v = 0; v < r->plan->values; v++) r->value[v] = (double)NAN;
}

static void hear_predicate(const struct sim_declared *plan, struct sim_declared_run *m, int64_t value, int64_t now) {
  bool truth = value >= plan->low && value <= plan->high;
  if (truth == m->truth) return;
  m->truth = truth;
  if (truth) {
    m->since = now;
    if (m->first == SIM_NEVER) m->first = now;
  } else {
    m->ended = now;
    m->ticks += now - m->since;
  }
}

/* To the values around the present one that are no news to the measure. */
static void narrow(const struct sim_declared *plan, const struct sim_declared_run *m, struct sim_gauge *g) {
  int64_t low = INT64_MIN, high = INT64_MAX;
  if (plan->kind == SIM_DECLARED_MAXIMUM) {
    high = m->peak;
  } else if (m->truth) {
    low = plan->low;
    high = plan->high;
  } else if (g->value < plan->low) {
    high = plan->low - 1;
  } else {
    low = plan->high + 1;
  }
  if (low > g->low) g->low = low;
  if (high < g->high) g->high = high;
}

void sim_declared_hear(struct sim_recorder *r, uint32_t gauge, int64_t now) {
  const struct sim_recorder_plan *p = r->plan;
  struct sim_gauge *g = &r->gauge[gauge];
  g->low = INT64_MIN;
  g->high = INT64_MAX;
  for (uint32_t k = p->heard_first[gauge]; k < p->heard_first[gauge + 1]; k++) {
    const struct sim_declared *plan = &p->declared[p->heard[k]];
    struct sim_declared_run *m = &r->declared[p->heard[k]];
    if (!m->on) continue;
    if (plan->kind != SIM_DECLARED_MAXIMUM)
      hear_predicate(plan, m, g->value, now);
    else if (g->value > m->peak)
      m->peak = g->value;
    narrow(plan, m, g);
  }
}

static double giant(struct sim_run *run, const struct sim_declared *d) {
  struct sim_recorder *r = run->recorder;
  const struct sim_graph *g = run->graph[d->layer];
  if (d->machine == SIM_NONE) return sim_graph_giant(g, NULL, r->work);
  for (uint32_t i = 0; i < g->nodes; i++) r->keep[i] = run->machine[d->machine].entity[i].state == d->state;
  return sim_graph_giant(g, r->keep, r->work);
}

void sim_declared_due(struct sim_run *run, const struct sim_recorder_due *due) {
  struct sim_recorder *r = run->recorder;
  const struct sim_declared *plan = &r->plan->declared[due->declared];
  if (due->value != SIM_NONE) {
    r->value[due->value] = plan->kind == SIM_DECLARED_GIANT ? giant(run, plan) : (double)r->gauge[plan->gauge].value;
    return;
  }
  struct sim_declared_run *m = &r->declared[due->declared];
  const struct sim_gauge *g = &r->gauge[plan->gauge];
  m->on = true;
  m->peak = g->value;
  m->base = sim_gauge_sum(g, due->tick);
  sim_declared_hear(r, plan->gauge, due->tick);
}

static double waits(const struct sim_run *run, const struct sim_declared *d) {
  struct sim_server_totals t;
  const struct sim_server *server = run->server[d->server];
  sim_server_read(server, d->priority, d->any, &t);
  double n = (double)t.started, mean = t.wait_sum / n;
  switch (d->of) {
  case SIM_WAITS_MEAN:
    return t.started ? mean : (double)NAN;
  case SIM_WAITS_SD:
    return t.started > 1 ? sqrt(fmax(0, t.wait_sumsq - n * mean * mean) / (n - 1)) : (double)NAN;
  case SIM_WAITS_SHARE_ABOVE:
    return t.started ? (double)sim_server_above(server, d->watch) / n : (double)NAN;
  case SIM_WAITS_SERVED:
    return (double)t.served;
  case SIM_WAITS_DROPPED:
    return (double)t.dropped;
  case SIM_WAITS_ABANDONED:
    return (double)t.abandoned;
  case SIM_WAITS_BUSY_SHARE:
    return t.place_days > 0 && isfinite(t.place_days) ? t.busy_days / t.place_days : (double)NAN;
  }
  return (double)NAN;
}

static double scalar(const struct sim_run *run, uint32_t i) {
  const struct sim_recorder *r = run->recorder;
  const struct sim_declared *d = &r->plan->declared[i];
  const struct sim_declared_run *m = &r->declared[i];
  int64_t end = run->world->horizon, span = end - d->from;
  double days = sim_days(span);
  switch (d->kind) {
  case SIM_DECLARED_FIRST:
    return m->first == SIM_NEVER ? (double)NAN : sim_days(m->first);
  case SIM_DECLARED_LAST:
    return m->truth ? sim_days(end) : m->ended < 0 ? (double)NAN : sim_days(m->ended);
  case SIM_DECLARED_SHARE_OF_TIME:
    return span > 0 ? (double)(m->ticks + (m->truth ? end - m->since : 0)) / (double)span : (double)NAN;
  case SIM_DECLARED_INTEGRAL:
  case SIM_DECLARED_AVERAGE: {
    double integral = (double)(sim_gauge_sum(&r->gauge[d->gauge], end) - m->base) / SIM_TICKS_PER_DAY;
    if (d->kind == SIM_DECLARED_INTEGRAL) return integral;
    return span > 0 ? integral / days : (double)NAN;
  }
  case SIM_DECLARED_MAXIMUM:
    return (double)m->peak;
  case SIM_DECLARED_ENTRIES:
    return (double)r->entries[r->plan->machine[d->machine].entry + d->state];
  case SIM_DECLARED_WAITS:
    return waits(run, d);
  default:
    return (double)NAN; /* count and giant are taken at moments */
  }
}

static bool at_moments(const struct sim_declared *d) {
  return d->kind == SIM_DECLARED_COUNT || d->kind == SIM_DECLARED_GIANT;
}

double *sim_declared_write(const struct sim_run *run, double *column) {
  const struct sim_recorder *r = run->recorder;
  for (uint32_t i = 0; i < r->plan->declareds; i++) {
    const struct sim_declared *d = &r->plan->declared[i];
    if (!at_moments(d)) *column++ = scalar(run, i);
    for (uint32_t k = 0; k < d->moments; k++) *column++ = r->value[d->value + k];
  }
  return column;
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

static const struct sim_observable_plan *read_by(const struct sim_recorder_plan *p, const struct sim_declared *d) {
  for (uint32_t o = 0; o < p->world->observables; o++)
    if (d->gauge != SIM_NONE && p->gauge_of[o] == d->gauge) return &p->world->observable[o];
  return NULL;
}

/* Long name and unit, by kind; `*text` is to be owned by the world. */
static int describe(const struct sim_recorder_plan *p, struct sim_world *w, const struct sim_declared *d,
                    struct sim_column *c) {
  static const char *const predicate[SIM_DECLARED_KINDS] = {[SIM_DECLARED_FIRST] = "first time of a condition on",
                                                            [SIM_DECLARED_LAST] = "last time of a condition on",
                                                            [SIM_DECLARED_SHARE_OF_TIME] =
                                                                "share of time of a condition on",
                                                            [SIM_DECLARED_COUNT] = "value of",
                                                            [SIM_DECLARED_INTEGRAL] = "integral of",
                                                            [SIM_DECLARED_AVERAGE] = "time average of",
                                                            [SIM_DECLARED_MAXIMUM] = "largest value of"};
  static const char *const of[] = {"mean wait of jobs",
                                   "standard deviation of waits of jobs",
                                   "share of long waits of jobs",
                                   "jobs served",
                                   "jobs turned away",
                                   "jobs abandoned",
                                   "share of time busy"};
  const struct sim_observable_plan *o = read_by(p, d);
  const char *noun = o && o->unit ? o->unit : "1";
  char *name = NULL;
  c->variable = d->name;
  c->dtype = SIM_F64;
  c->unit = "1";
  switch (d->kind) {
  case SIM_DECLARED_FIRST:
  case SIM_DECLARED_LAST:
    c->unit = "day";
    break;
  case SIM_DECLARED_COUNT:
  case SIM_DECLARED_MAXIMUM:
    c->dtype = SIM_I64;
    c->unit = noun;
    break;
  case SIM_DECLARED_AVERAGE:
    c->unit = noun;
    break;
  case SIM_DECLARED_INTEGRAL: {
    bool plain = strcmp(noun, "1") == 0;
    c->unit = plain ? "day" : sim_world_own(w, sim_strf("%s day", noun));
    break;
  }
  case SIM_DECLARED_ENTRIES: {
    const struct sim_machine *m = &w->machine[d->machine];
    c->dtype = SIM_I64;
    name = sim_strf("moves into %s.%s", m->instance->name, m->state_name[d->state]);
    break;
  }
  case SIM_DECLARED_GIANT:
    c->dtype = SIM_I64;
    name = sim_strf("nodes of %s in the largest component", w->layer[d->layer].name);
    break;
  case SIM_DECLARED_WAITS:
    c->dtype = d->of >= SIM_WAITS_SERVED && d->of <= SIM_WAITS_ABANDONED ? SIM_I64 : SIM_F64;
    c->unit = d->of <= SIM_WAITS_SD ? "day" : "1";
    name = sim_strf("%s at %s", of[d->of], w->server[d->server]->self->name);
    break;
  case SIM_DECLARED_SHARE_OF_TIME:
  case SIM_DECLARED_KINDS:
    break;
  }
  if (o) name = sim_strf("%s %s.%s", predicate[d->kind], o->instance->name, o->name);
  c->long_name = sim_world_own(w, name);
  return c->unit && c->long_name ? 0 : SIM_ERR_MEMORY;
}

int sim_declared_columns(const struct sim_recorder_plan *p, struct sim_world *w, struct sim_columns *columns) {
  for (uint32_t i = 0; i < p->declareds; i++) {
    const struct sim_declared *d = &p->declared[i];
    struct sim_column c = {0};
    int ret = describe(p, w, d, &c);
    if (ret) return ret;
    if (!at_moments(d)) {
      if ((ret = sim_columns_add(columns, &c))) return ret;
      continue;
    }
    c.dims = 1;
    c.at[0].unit = "day";
    if (!(c.at[0].dim = sim_world_own(w, sim_strf("%s_time", d->name)))) return SIM_ERR_MEMORY;
    for (uint32_t k = 0; k < d->moments; k++) {
      for (size_t j = 0; j < p->dues; j++)
        if (p->due[j].declared == i && p->due[j].value == d->value + k) c.at[0].coordinate = p->due[j].days;
      if ((ret = sim_columns_add(columns, &c))) return ret;
    }
  }
  return 0;
}
