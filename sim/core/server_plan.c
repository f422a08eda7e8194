/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans of servers: who submits, in which classes, and which waits are counted. */
#include "sim/core/server.h"
#include <stdlib.h>
#include <string.h>

static int add_class(struct sim_server_plan *plan, int priority) {
  for (size_t i = 0; i < plan->classes; i++)
    if (plan->priority[i] == priority) return 0;
  int *classes = sim_grow(plan->priority, &plan->classes_cap, plan->classes + 1, sizeof *classes);
  if (!classes) return SIM_ERR_MEMORY;
  plan->priority = classes;
  plan->priority[plan->classes++] = priority;
  return 0;
}

int sim_server_plan_owner(struct sim_server_plan *plan, const struct sim_instance *owner, int priority,
                          const char *order, bool backlog, const struct sim_value *at, struct sim_diag *diag) {
  int ret = 0;
  bool known = false;
  for (size_t i = 0; i < plan->owners; i++) {
    const struct sim_server_owner *o = &plan->owner[i];
    known = known || (o->instance == owner && o->priority == priority);
    if (o->instance == owner || o->priority != priority || o->backlog || backlog || !strcmp(o->order, order)) continue;
    ret = sim_diag_add(diag, at ? &at->mark : NULL, at ? at->path : owner->path,
                       "%s serves priority %d in order `%s` for %s; jobs of one priority need one order, not `%s`",
                       plan->self->path, priority, o->order, o->instance->path, order);
  }
  if (known) return ret;
  struct sim_server_owner *owners = sim_grow(plan->owner, &plan->owners_cap, plan->owners + 1, sizeof *owners);
  if (!owners) return SIM_ERR_MEMORY;
  plan->owner = owners;
  plan->owner[plan->owners++] = (struct sim_server_owner){owner, order, sim_purpose(owner->path), priority, backlog};
  return add_class(plan, priority) ? SIM_ERR_MEMORY : ret;
}

int sim_server_watch_wait(struct sim_server_plan *plan, int priority, bool any, double above, size_t *index) {
  struct sim_server_watch *watches = sim_grow(plan->watch, &plan->watches_cap, plan->watches + 1, sizeof *watches);
  if (!watches) return SIM_ERR_MEMORY;
  plan->watch = watches;
  *index = plan->watches++;
  plan->watch[*index] = (struct sim_server_watch){priority, any, sim_ticks(above)};
  return 0;
}

static int by_path(const void *a, const void *b) {
  const struct sim_server_owner *x = a, *y = b;
  int order = strcmp(x->instance->path, y->instance->path);
  return order ? order : (x->priority > y->priority) - (x->priority < y->priority);
}

static int by_number(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}

int sim_server_plan_seal(struct sim_server_plan *plan) {
  if (plan->owners) qsort(plan->owner, plan->owners, sizeof *plan->owner, by_path);
  if (plan->classes) qsort(plan->priority, plan->classes, sizeof *plan->priority, by_number);
  sim_free(plan->backlog);
  plan->backlogs = 0;
  plan->backlog = sim_calloc(plan->owners + 1, sizeof *plan->backlog);
  if (!plan->backlog) return SIM_ERR_MEMORY;
  for (size_t c = 0; c < plan->classes; c++)
    for (size_t i = 0; i < plan->owners; i++)
      if (plan->owner[i].backlog && plan->owner[i].priority == plan->priority[c])
        plan->backlog[plan->backlogs++] = (uint32_t)i;
  return 0;
}

void sim_server_plan_free(struct sim_server_plan *plan) {
  sim_free(plan->owner);
  sim_free(plan->backlog);
  sim_free(plan->priority);
  sim_free(plan->watch);
  plan->owner = NULL;
  plan->backlog = NULL;
  plan->priority = NULL;
  plan->watch = NULL;
  plan->owners = plan->backlogs = plan->classes = plan->watches = 0;
  plan->owners_cap = plan->classes_cap = plan->watches_cap = 0;
}
