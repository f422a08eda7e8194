/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One world's replicates by several threads. */
#include "sim/cli/bench.h"
#include "sim/core/mem.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct work { /* what the threads of a round share */
  atomic_uint_fast64_t next;
  uint64_t end;
};

struct bench_thread {
  struct sim_run *run;
  struct sim_row row;
  struct work *work;
  pthread_t id;
  double callbacks, cpu; /* of the round; seconds */
  uint64_t replicate;    /* the latest */
  int ret;
};

static void *serve(void *self) {
  struct bench_thread *t = self;
  struct bench_time time = {0}, start = bench_now();
  while (t->ret == 0 && (t->replicate = atomic_fetch_add(&t->work->next, 1)) < t->work->end) {
    t->ret = sim_run_execute(t->run, t->replicate, 0, &t->row);
    if (t->ret == 0 && t->row.error[0]) t->ret = SIM_ERR_RUN;
    t->callbacks += (double)t->row.events;
  }
  bench_add(&time, &start);
  t->cpu = time.cpu;
  return NULL;
}

/* Starts the threads and waits for their ends. */
static int serve_all(struct bench_threads *t, struct work *work) {
  unsigned started = 0;
  int ret = 0;
  while (started < t->n && ret == 0) {
    struct bench_thread *one = &t->thread[started];
    one->work = work;
    one->callbacks = 0;
    ret = pthread_create(&one->id, NULL, serve, one);
    started += ret == 0;
  }
  for (unsigned i = 0; i < started; i++) pthread_join(t->thread[i].id, NULL);
  if (ret) return cli_fail("a thread cannot be started: %s", strerror(ret));
  for (unsigned i = 0; i < t->n; i++) {
    const struct bench_thread *one = &t->thread[i];
    const char *why = one->row.error[0] ? one->row.error : sim_err_text(one->ret);
    if (one->ret) return cli_fail("replicate %llu: %s", (unsigned long long)one->replicate, why);
  }
  return CLI_DONE;
}

int bench_threads_open(struct bench_threads *t, struct bench_world *world, unsigned n, uint64_t warm_up) {
  *t = (struct bench_threads){.world = world, .thread = sim_calloc(n, sizeof *t->thread)};
  if (!t->thread) return cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  for (; t->n < n; t->n++) {
    struct bench_thread *one = &t->thread[t->n];
    int ret = sim_row_init(&one->row, &world->layout);
    if (ret == 0) ret = sim_run_create(&one->run, world->world);
    if (ret == 0) ret = sim_run_execute(one->run, warm_up, 0, &one->row);
    if (ret == 0) continue;
    t->n++;
    return cli_fail("%s", sim_err_text(ret));
  }
  return CLI_DONE;
}

int bench_threads_execute(struct bench_threads *t, uint64_t first, uint64_t n, struct bench_threads_sum *sum) {
  struct work work = {.end = first + n};
  struct bench_time time = {0}, start = bench_now();
  atomic_init(&work.next, first);
  int status = serve_all(t, &work);
  bench_add(&time, &start);
  sum->time.wall += time.wall;
  for (unsigned i = 0; i < t->n; i++) {
    sum->time.cpu += t->thread[i].cpu;
    sum->callbacks += t->thread[i].callbacks;
  }
  return status;
}

void bench_threads_close(struct bench_threads *t) {
  for (unsigned i = 0; i < t->n; i++) {
    sim_run_free(t->thread[i].run);
    sim_row_free(&t->thread[i].row);
  }
  sim_free(t->thread);
}
