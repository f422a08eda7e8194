/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Servers in a run: what joins server.c to the engine and to the models that own the jobs. */
#include "sim/core/run_internal.h"
#include "sim/core/server.h"
#include <string.h>

static void schedule(struct sim_run *run, const struct sim_instance *self, unsigned kind, uint32_t entity, uint32_t n,
                     int64_t tick, sim_handle *handle) {
  sim_schedule(run, self, sim_engine_kind(self, SIM_EV_SERVED) + kind, entity, n, tick, handle);
}
static void served(struct sim_run *run, const struct sim_instance *owner, const struct sim_job *job) {
  if (owner->model->served) owner->model->served(run, owner, run->state[owner->index], job);
}
static void dropped(struct sim_run *run, const struct sim_instance *owner, const struct sim_job *job, bool abandoned) {
  if (owner->model->dropped) owner->model->dropped(run, owner, run->state[owner->index], job, abandoned);
}
static bool pull(struct sim_run *run, const struct sim_instance *owner, struct sim_job *job) {
  return !run->error[0] && owner->model->pull(run, owner, run->state[owner->index], job);
}

const struct sim_server_calls sim_server_engine = {sim_now,      schedule, sim_cancel, sim_observe,
                                                   sim_run_fail, served,   dropped,    pull};

uint32_t sim_submit(struct sim_run *run, uint32_t server, const struct sim_instance *owner, const struct sim_job *job) {
  return run->error[0] ? 0 : sim_server_submit(run->server[server], owner, job);
}
void sim_withdraw(struct sim_run *run, uint32_t server, uint32_t job) {
  if (!run->error[0]) sim_server_withdraw(run->server[server], job);
}
void sim_wake(struct sim_run *run, uint32_t server) {
  if (!run->error[0]) sim_server_wake(run->server[server]);
}
void sim_staff(struct sim_run *run, uint32_t server, uint32_t place, bool present) {
  if (!run->error[0]) sim_server_staff(run->server[server], place, present);
}
void sim_speed(struct sim_run *run, uint32_t server, double factor) {
  if (!run->error[0]) sim_server_speed(run->server[server], factor);
}
void sim_server_total(const struct sim_run *run, uint32_t server, struct sim_server_totals *out) {
  sim_server_read(run->server[server], 0, true, out);
}

double sim_rank(struct sim_run *run, const char *order, uint32_t population, uint32_t layer, uint32_t entity,
                uint32_t purpose) {
  const struct sim_population *p = &run->world->population[population];
  if (strcmp(order, "lifo") == 0) return -(double)run->now;
  if (strcmp(order, "degree") == 0) return layer == SIM_NONE ? 0 : -(double)sim_graph_degree(run->graph[layer], entity);
  if (strcmp(order, "people_served") == 0) return -(double)sim_population_weight(p, entity);
  if (strcmp(order, "vulnerable_first") == 0) return p->vulnerability ? -(double)p->vulnerability[entity] : -1;
  if (strcmp(order, "random") == 0) return sim_rng_uniform(&run->rng, purpose, entity, 0, 0);
  return 0; /* fifo, priority: by time of submission */
}
