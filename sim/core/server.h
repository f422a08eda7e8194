/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Servers: teams and crews at which jobs queue.
 *
 * A server has a number of parallel places that may change over time. Jobs wait in one queue, ordered by (class, rank,
 * time of submission, owner's path, entity, tag), and start when a place is free; a *backlog* is work that an owner
 * hands over one job at a time, when a place is free and nothing of the same or a better class is queued.
 *
 * A place that is free when a job comes is not taken at once: the server schedules a dispatch at the same tick (next
 * round), so that of all jobs submitted at one instant (a storm that fails thousands of lines) the first in order
 * start, not the first submitted. Completions dispatch directly.
 *
 * The server knows the engine only through `struct sim_server_calls`, whose members have the engine's own signatures,
 * so it can be tested alone. An operation costs O(log jobs); nothing is allocated once the
 * arrays have grown to what a run needs; beginning costs O(classes). */
#ifndef SIM_CORE_SERVER_H
#define SIM_CORE_SERVER_H
#include "sim/core/model.h"

/* Kinds of the server's events, in their order within a tick. */
enum sim_server_event {
  SIM_SERVER_DONE,     /* entity: the job's, n: its slot */
  SIM_SERVER_RESIZE,   /* the number of places changes */
  SIM_SERVER_DISPATCH, /* start what can start */
  SIM_SERVER_ABANDON   /* entity: the job's, n: its slot */
};

struct sim_server_owner {
  const struct sim_instance *instance;
  const char *order;
  uint32_t key; /* names the owner in draws: hash of its path */
  int priority; /* class of its backlog */
  bool backlog;
};

/* Waits of submitted jobs that started, counted above a threshold. */
struct sim_server_watch {
  int priority;  /* class */
  bool any;      /* of every class */
  int64_t above; /* ticks */
};

/* Immutable after sim_server_plan_seal. Zero-initialise; set self, spec, busy and queue. */
struct sim_server_plan {
  const struct sim_instance *self;
  struct sim_server_spec spec;
  uint32_t busy, queue;           /* observables, or SIM_NONE */
  struct sim_server_owner *owner; /* sorted by path once sealed */
  size_t owners, owners_cap;
  uint32_t *backlog; /* [backlogs] owners with a backlog, by class, then path */
  size_t backlogs;
  int *priority; /* [classes] distinct classes, ascending once sealed */
  size_t classes, classes_cap;
  struct sim_server_watch *watch;
  size_t watches, watches_cap;
};

/* Adds an owner and its class (again for a further class). Reports at `at` that another owner of the class has another
 * order; owners of backlogs are exempt, since their jobs never queue. */
int sim_server_plan_owner(struct sim_server_plan *plan, const struct sim_instance *owner, int priority,
                          const char *order, bool backlog, const struct sim_value *at,
                          struct sim_diag *diag) SIM_MUST_CHECK;
/* Counts waits longer than `above` days of one class, or of all; *index names the count in sim_server_above. */
int sim_server_watch_wait(struct sim_server_plan *plan, int priority, bool any, double above,
                          size_t *index) SIM_MUST_CHECK;
/* Sorts; after the last owner and watch. */
int sim_server_plan_seal(struct sim_server_plan *plan) SIM_MUST_CHECK;
void sim_server_plan_free(struct sim_server_plan *plan);

struct sim_server_calls {
  int64_t (*now)(const struct sim_run *run);
  void (*schedule)(struct sim_run *run, const struct sim_instance *self, unsigned kind, uint32_t entity, uint32_t n,
                   int64_t tick, sim_handle *handle);
  void (*cancel)(struct sim_run *run, sim_handle *handle);
  void (*observe)(struct sim_run *run, uint32_t observable, int64_t value);
  void (*fail)(struct sim_run *run, const char *fmt, ...) SIM_PRINTF(2, 3);
  void (*served)(struct sim_run *run, const struct sim_instance *owner, const struct sim_job *job);
  void (*dropped)(struct sim_run *run, const struct sim_instance *owner, const struct sim_job *job, bool abandoned);
  bool (*pull)(struct sim_run *run, const struct sim_instance *owner, struct sim_job *job);
};

struct sim_server;
/* The plan is sealed; it, run and calls are borrowed. */
int sim_server_open(struct sim_server **out, const struct sim_server_plan *plan, struct sim_run *run,
                    const struct sim_server_calls *calls) SIM_MUST_CHECK;
void sim_server_close(struct sim_server *s);
/* Forgets all jobs and totals (their events are gone) and starts the clock at now; rng: the replicate's, borrowed. */
void sim_server_begin(struct sim_server *s, const struct sim_rng *rng);
/* As sim_submit, sim_withdraw and sim_wake in model.h. */
uint32_t sim_server_submit(struct sim_server *s, const struct sim_instance *owner, const struct sim_job *job);
void sim_server_withdraw(struct sim_server *s, uint32_t job);
void sim_server_wake(struct sim_server *s);
/* As sim_staff and sim_speed in model.h. */
void sim_server_staff(struct sim_server *s, uint32_t place, bool present);
void sim_server_speed(struct sim_server *s, double factor);
/* One of the server's own events is due: kind of enum sim_server_event, n as scheduled. */
void sim_server_event(struct sim_server *s, unsigned kind, uint32_t n);
/* Brings the time integrals up to `tick` (not before the last event): before reading totals. */
void sim_server_settle(struct sim_server *s, int64_t tick);
/* Totals of one class, or with `any` of all (the time integrals are always of all). */
void sim_server_read(const struct sim_server *s, int priority, bool any, struct sim_server_totals *out);
uint64_t sim_server_above(const struct sim_server *s, size_t watch);
#endif
