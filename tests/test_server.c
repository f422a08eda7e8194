/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server alone, on a small loop of events of its own: queueing theory with bounds from batch means, and the rules
 * of order, room, size, preemption, patience, backlogs and withdrawal by hand-worked cases. */
#include "sim/core/queue.h"
#include "sim/core/server.h"
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_OWNERS 4
#define BATCHES    20

/* ---- a fake engine ------------------------------------------------------------------------------------------------
 */

struct stream { /* Poisson arrivals of one owner */
  double rate;
  double (*service)(struct sim_run *run, double mean);
  double mean;
};

struct sim_run {
  int64_t now, round;
  struct sim_queue queue;
  struct sim_server_plan plan;
  struct sim_server *server;
  struct sim_instance team, owner[MAX_OWNERS];
  struct sim_value size;
  uint64_t random; /* splitmix64 */
  struct stream stream[MAX_OWNERS];
  uint64_t arrivals, limit; /* of all streams */
  /* What happened, by owner: batch sums over completed jobs after a warm-up. */
  double wait[MAX_OWNERS][BATCHES], sojourn[MAX_OWNERS][BATCHES], count[MAX_OWNERS][BATCHES];
  double refused[BATCHES], offered[BATCHES];
  /* A log of hand-worked cases: "a3@2.5" is job 3 of owner a served at day 2.5. */
  char log[1000];
  uint32_t backlog[MAX_OWNERS];
  double backlog_service;
  int64_t seen_busy, seen_queue, most_queue;
  struct sim_rng rng;
};

enum { ARRIVAL, SERVER = MAX_OWNERS };

static double uniform(struct sim_run *run) {
  uint64_t z = run->random += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return ((double)((z ^ (z >> 31)) >> 12) + 0.5) * 0x1p-52;
}
static double exponential(struct sim_run *run, double mean) {
  return -log(uniform(run)) * mean;
}
static double constant(struct sim_run *run, double mean) {
  (void)run;
  return mean;
}
static double lognormal_cv2(struct sim_run *run, double mean) { /* sigma^2 = log(1 + cv^2) */
  double s2 = log(5), z = sqrt(-2 * log(uniform(run))) * cos(6.283185307179586 * uniform(run));
  return mean * exp(sqrt(s2) * z - s2 / 2);
}

static void schedule(struct sim_run *run, unsigned kind, uint32_t entity, uint32_t n, int64_t tick,
                     sim_handle *handle) {
  if (tick == SIM_NEVER) {
    if (handle && *handle) sim_queue_cancel(&run->queue, *handle);
    return;
  }
  cr_assert(tick >= run->now);
  uint64_t round = tick == run->now ? (uint64_t)(run->round + 1) : 0;
  struct sim_key key = {tick, round << 16 | kind, (uint64_t)entity << 32 | n};
  if (handle && *handle)
    cr_assert_eq(sim_queue_move(&run->queue, *handle, &key), 0);
  else
    cr_assert_eq(sim_queue_push(&run->queue, &key, handle), 0);
}

static int64_t call_now(const struct sim_run *run) {
  return run->now;
}
static void call_schedule(struct sim_run *run, const struct sim_instance *self, unsigned kind, uint32_t entity,
                          uint32_t n, int64_t tick, sim_handle *handle) {
  cr_assert_eq(self, &run->team);
  schedule(run, SERVER + kind, entity, n, tick, handle);
}
static void call_cancel(struct sim_run *run, sim_handle *handle) {
  if (*handle) sim_queue_cancel(&run->queue, *handle);
}
static void call_observe(struct sim_run *run, uint32_t observable, int64_t value) {
  if (observable == 0) run->seen_busy = value;
  if (observable == 1) run->seen_queue = value;
  if (observable == 1 && value > run->most_queue) run->most_queue = value;
}
static void call_fail(struct sim_run *run, const char *fmt, ...) {
  (void)run;
  cr_assert_fail("the server failed the run: %s", fmt);
}

static void note(struct sim_run *run, const char *what, const struct sim_instance *owner, uint32_t entity) {
  size_t used = strlen(run->log);
  if (used + 40 < sizeof run->log)
    snprintf(run->log + used, sizeof run->log - used, "%s%s%s%u@%g", used ? " " : "", what, owner->name, entity,
             sim_days(run->now));
}

static void call_served(struct sim_run *run, const struct sim_instance *owner, const struct sim_job *job) {
  uint32_t o = owner->index;
  note(run, "", owner, job->entity);
  if (!run->limit || run->arrivals < run->limit / 10) return;
  size_t batch = (size_t)((double)job->tag / (double)run->limit * BATCHES);
  if (batch >= BATCHES) return;
  run->wait[o][batch] += sim_days(job->started - job->submitted);
  run->sojourn[o][batch] += sim_days(run->now - job->submitted);
  run->count[o][batch]++;
}
static void call_dropped(struct sim_run *run, const struct sim_instance *owner, const struct sim_job *job,
                         bool abandoned) {
  note(run, abandoned ? "-" : "!", owner, job->entity);
  if (run->limit) run->refused[(size_t)((double)job->tag / (double)run->limit * BATCHES)]++;
}
static bool call_pull(struct sim_run *run, const struct sim_instance *owner, struct sim_job *job) {
  uint32_t *left = &run->backlog[owner->index];
  if (!*left) return false;
  job->entity = 100 - (*left)--;
  job->service = sim_ticks(run->backlog_service);
  return true;
}
static const struct sim_server_calls calls = {call_now,  call_schedule, call_cancel,  call_observe,
                                              call_fail, call_served,   call_dropped, call_pull};

/* A server of `places` for owners a, b, c, d in classes 0, 1, 2, 3. */
static struct sim_run *create(double places, bool preemptive, double room) {
  static const char *const names[] = {"a", "b", "c", "d"};
  struct sim_run *run = sim_calloc(1, sizeof *run);
  run->size = (struct sim_value){.form = SIM_NUMBER, .number = places};
  run->team = (struct sim_instance){.name = "team", .path = "teams.team"};
  run->plan =
      (struct sim_server_plan){.self = &run->team,
                               .busy = 0,
                               .queue = 1,
                               .spec = {.size = &run->size, .speed = 1, .preemptive = preemptive, .room = room}};
  for (uint32_t i = 0; i < MAX_OWNERS; i++)
    run->owner[i] = (struct sim_instance){.name = names[i], .path = names[i], .index = i};
  run->random = 20270101;
  sim_rng_init(&run->rng, 7, 0, 0);
  return run;
}

static void own(struct sim_run *run, unsigned owner, int priority, bool backlog) {
  struct sim_diag diag = {0};
  cr_assert_eq(sim_server_plan_owner(&run->plan, &run->owner[owner], priority, "fifo", backlog, NULL, &diag), 0);
}

static void begin(struct sim_run *run) {
  cr_assert_eq(sim_server_plan_seal(&run->plan), 0);
  cr_assert_eq(sim_server_open(&run->server, &run->plan, run, &calls), 0);
  sim_server_begin(run->server, &run->rng);
}

static void destroy(struct sim_run *run) {
  sim_server_close(run->server);
  sim_server_plan_free(&run->plan);
  sim_queue_free(&run->queue);
  sim_free(run);
}

static void arrive(struct sim_run *run, unsigned o) {
  struct stream *s = &run->stream[o];
  uint32_t number = (uint32_t)run->arrivals++;
  if (run->arrivals >= run->limit) return;
  schedule(run, ARRIVAL + o, o, number, run->now + sim_ticks(exponential(run, 1 / s->rate)), NULL);
  run->offered[(size_t)((double)number / (double)run->limit * BATCHES)]++;
  struct sim_job job = {.entity = o, .tag = number, .service = sim_ticks(s->service(run, s->mean)), .priority = (int)o};
  sim_server_submit(run->server, &run->owner[o], &job);
}

/* Processes events up to and including `until` days. */
static void loop(struct sim_run *run, double until) {
  const struct sim_key *top;
  while ((top = sim_queue_top(&run->queue)) && top->tick <= sim_ticks(until)) {
    struct sim_key key;
    sim_queue_pop(&run->queue, &key);
    run->now = key.tick;
    run->round = (int64_t)(key.order >> 16);
    unsigned kind = key.order & 0xffff;
    if (kind < SERVER)
      arrive(run, kind - ARRIVAL);
    else
      sim_server_event(run->server, kind - SERVER, (uint32_t)key.subject);
  }
  if (until < 1e6) run->now = sim_ticks(until);
  run->round = -1;
}

/* Runs Poisson streams of rates (0: none) with services of mean 1 until `jobs` came. */
static void simulate(struct sim_run *run, uint64_t jobs, const double rates[MAX_OWNERS],
                     double (*service)(struct sim_run *, double)) {
  for (unsigned o = 0; o < MAX_OWNERS; o++)
    if (rates[o] > 0) own(run, o, (int)o, false);
  begin(run);
  run->limit = jobs;
  for (unsigned o = 0; o < MAX_OWNERS; o++) {
    run->stream[o] = (struct stream){rates[o], service, 1};
    if (rates[o] > 0) schedule(run, ARRIVAL + o, o, UINT32_MAX, sim_ticks(exponential(run, 1 / rates[o])), NULL);
  }
  loop(run, 8e6);
}

/* ---- statistics: ratios of batch sums, leaving out the first tenth -------------------------------------------------
 */

struct estimate {
  double mean, error;
};
static struct estimate ratio(const double *sum, const double *count) {
  double mean = 0, square = 0, n = 0;
  for (size_t i = BATCHES / 10; i < BATCHES; i++) {
    if (!(count[i] > 0)) continue;
    double x = sum[i] / count[i];
    n++;
    mean += x;
    square += x * x;
  }
  mean /= n;
  return (struct estimate){mean, sqrt((square / n - mean * mean) / (n - 1))};
}

/* Within four standard errors (a chance of 6e-5 of failing wrongly, at a fixed seed), and precise enough that a value a
 * quarter off would be refused. */
static void expect(struct estimate e, double theory, const char *what) {
  cr_assert(fabs(e.mean - theory) <= 4 * e.error, "%s: %.5f +- %.5f, theory %.5f", what, e.mean, e.error, theory);
  cr_assert(fabs(e.mean - 1.25 * theory) > 4 * e.error, "%s: %.5f +- %.5f is too coarse", what, e.mean, e.error);
  cr_assert(fabs(e.mean - 0.8 * theory) > 4 * e.error, "%s: %.5f +- %.5f is too coarse", what, e.mean, e.error);
}

static void check_one(double places, double rate, uint64_t jobs, double (*service)(struct sim_run *, double),
                      double wait, const char *what) {
  struct sim_run *run = create(places, false, (double)INFINITY);
  simulate(run, jobs, (double[]){rate, 0, 0, 0}, service);
  expect(ratio(run->wait[0], run->count[0]), wait, what);
  expect(ratio(run->sojourn[0], run->count[0]), wait + 1, what);
  struct sim_server_totals t;
  sim_server_read(run->server, 0, true, &t);
  cr_assert_eq(t.served, t.started);
  cr_assert_float_eq(t.queue_days, t.wait_sum, 1e-6 * t.wait_sum); /* Little, exactly: all jobs are through */
  destroy(run);
}

Test(server, m_m_1) {
  check_one(1, 0.9, 3000000, exponential, 9, "M/M/1");
}
Test(server, m_m_3) {
  check_one(3, 2.5, 1000000, exponential, 1.404494, "M/M/3");
}
Test(server, m_d_1) {
  check_one(1, 0.8, 600000, constant, 2, "M/D/1");
}
Test(server, m_g_1_lognormal) {
  check_one(1, 0.8, 4000000, lognormal_cv2, 10, "M/G/1 cv 2");
}

Test(server, erlang_loss) {
  struct sim_run *run = create(5, false, 0);
  simulate(run, 600000, (double[]){4, 0, 0, 0}, exponential);
  expect(ratio(run->refused, run->offered), 0.19906687, "M/M/5/5");
  destroy(run);
}

Test(server, m_g_infinity) {
  struct sim_run *run = create((double)INFINITY, false, 0);
  simulate(run, 400000, (double[]){10, 0, 0, 0}, lognormal_cv2);
  struct sim_server_totals t;
  sim_server_read(run->server, 0, true, &t);
  cr_assert_eq(t.wait_max, 0);
  cr_assert_eq(t.dropped, 0);
  cr_assert_eq(run->most_queue, 0); /* a job that finds a place is never seen in the queue */
  /* mean number present = rate x mean service: relative standard error (1 + cv^2)^(1/2) / sqrt(jobs) */
  double error = sqrt(1 + 4) / sqrt(400000);
  cr_assert_float_eq(t.busy_days / (double)t.served, 1, 4 * error);
  cr_assert_float_eq(t.busy_days, t.sojourn_sum, 1e-6 * t.busy_days);
  destroy(run);
}

Test(server, priorities_without_preemption) { /* Cobham 1954 */
  struct sim_run *run = create(1, false, (double)INFINITY);
  simulate(run, 2000000, (double[]){0.2, 0.3, 0.3, 0}, exponential);
  static const double theory[] = {1, 2, 8};
  for (unsigned c = 0; c < 3; c++) expect(ratio(run->wait[c], run->count[c]), theory[c], "non-preemptive wait");
  destroy(run);
}

Test(server, priorities_with_preemption) {
  struct sim_run *run = create(1, true, (double)INFINITY);
  simulate(run, 2000000, (double[]){0.2, 0.3, 0.3, 0}, exponential);
  static const double theory[] = {1.25, 2.5, 10};
  for (unsigned c = 0; c < 3; c++) expect(ratio(run->sojourn[c], run->count[c]), theory[c], "preemptive sojourn");
  destroy(run);
}

Test(server, abandonment) { /* Erlang A (Palm 1957): M/M/2+M, rate 3, patience of mean 2 */
  struct sim_law patience;
  sim_law_init_exponential(&patience, 2);
  struct sim_run *run = create(2, false, (double)INFINITY);
  run->plan.spec.patience = &patience;
  run->plan.spec.patience_purpose = 1234;
  simulate(run, 600000, (double[]){3, 0, 0, 0}, exponential);
  double p = 1, sum = 0, queue = 0;
  for (int n = 0; n < 400; n++) { /* birth 3, death min(n, 2) + max(n - 2, 0) / 2 */
    sum += p;
    if (n > 2) queue += p * (n - 2);
    int next = n + 1;
    p *= 3 / ((next < 2 ? next : 2) + (next > 2 ? next - 2 : 0) * 0.5);
  }
  expect(ratio(run->refused, run->offered), queue / sum * 0.5 / 3, "share that abandons");
  struct sim_server_totals t;
  sim_server_read(run->server, 0, true, &t);
  cr_assert_eq(t.submitted, t.served + t.abandoned);
  destroy(run);
}

Test(server, share_of_waits_above) { /* M/M/1: P(wait > t) = rho exp(-(1 - rho) t) */
  struct sim_run *run = create(1, false, (double)INFINITY);
  size_t all, other;
  cr_assert_eq(sim_server_watch_wait(&run->plan, 0, true, 3, &all), 0);
  cr_assert_eq(sim_server_watch_wait(&run->plan, 9, false, 0, &other), 0);
  simulate(run, 1000000, (double[]){0.5, 0, 0, 0}, exponential);
  struct sim_server_totals t;
  sim_server_read(run->server, 0, false, &t);
  double share = (double)sim_server_above(run->server, all) / (double)t.started, theory = 0.5 * exp(-1.5);
  cr_assert_float_eq(share, theory, 0.02 * theory);
  cr_assert_eq(sim_server_above(run->server, other), 0);
  destroy(run);
}

/* ---- rules, by hand -------------------------------------------------------------------------------------------------
 */

static uint32_t submit(struct sim_run *run, unsigned owner, uint32_t entity, double service, double rank) {
  struct sim_job job = {.entity = entity, .service = sim_ticks(service), .priority = (int)owner, .rank = rank};
  return sim_server_submit(run->server, &run->owner[owner], &job);
}
static void expect_log(struct sim_run *run, const char *log) {
  cr_assert_str_eq(run->log, log);
}

Test(server, jobs_of_one_instant_start_in_order) {
  struct sim_run *run = create(1, false, (double)INFINITY);
  own(run, 0, 0, false);
  own(run, 1, 1, false);
  begin(run);
  submit(run, 1, 1, 1, 0); /* comes first, but of a later class */
  submit(run, 0, 7, 1, 0);
  submit(run, 0, 3, 1, 0);  /* same rank and time: by entity */
  submit(run, 0, 9, 1, -5); /* first by rank */
  loop(run, 10);
  expect_log(run, "a9@1 a3@2 a7@3 b1@4");
  destroy(run);
}

Test(server, order_is_first_come_first_served) {
  struct sim_run *run = create(2, false, (double)INFINITY);
  own(run, 0, 0, false);
  begin(run);
  submit(run, 0, 9, 4, 0);
  loop(run, 0.25);
  submit(run, 0, 8, 1, 0);
  loop(run, 0.5);
  submit(run, 0, 7, 1, 0);
  loop(run, 0.75);
  submit(run, 0, 1, 1, 0);
  cr_assert_eq(run->seen_busy, 2);
  cr_assert_eq(run->seen_queue, 2);
  loop(run, 10);
  expect_log(run, "a8@1.25 a7@2.25 a1@3.25 a9@4");
  struct sim_server_totals t;
  sim_server_settle(run->server, run->now);
  sim_server_read(run->server, 0, true, &t);
  cr_assert_float_eq(t.wait_sum, 0.75 + 1.5, 1e-9);
  cr_assert_float_eq(t.wait_max, 1.5, 1e-9);
  cr_assert_float_eq(t.busy_days, 7, 1e-9);
  cr_assert_float_eq(t.place_days, 20, 1e-9);
  destroy(run);
}

Test(server, size_by_time) {
  struct sim_run *run = create(0, false, (double)INFINITY);
  struct sim_value steps[] = {{.form = SIM_NUMBER, .low = 0, .number = 1},
                              {.form = SIM_NUMBER, .low = 2.1, .number = 3}, /* not a whole number of ticks */
                              {.form = SIM_NUMBER, .low = 4, .number = 0},
                              {.form = SIM_NUMBER, .low = 8, .number = 2}};
  run->size = (struct sim_value){.form = SIM_STEPS, .items = steps, .n = 4};
  own(run, 0, 0, false);
  begin(run);
  for (uint32_t i = 0; i < 8; i++) submit(run, 0, i, 1.5, 0);
  loop(run, 3);
  expect_log(run, "a0@1.5 a1@3");
  cr_assert_eq(run->seen_busy, 3); /* 2 and 3 since day 2.1, 4 since day 3 */
  loop(run, 6);                    /* all three are finished, nothing starts */
  cr_assert_eq(run->seen_busy, 0);
  cr_assert_eq(run->seen_queue, 1);
  loop(run, 20);
  cr_assert_not_null(strstr(run->log, "a4@4.5 a5@5.1 a6@5.1 a7@9.5"));
  struct sim_server_totals t;
  sim_server_settle(run->server, run->now);
  sim_server_read(run->server, 0, true, &t);
  cr_assert_float_eq(t.place_days, 2.1 + 3 * 1.9 + 2 * 12, 1e-9);
  cr_assert_float_eq(t.busy_days, 12, 1e-9);
  destroy(run);
}

/* Places 0 and 2 of three stand empty from day 0.5 to 3: their jobs finish, one place goes on. */
Test(server, places_without_staff) {
  struct sim_run *run = create(3, false, (double)INFINITY);
  run->plan.spec.staffed = true;
  own(run, 0, 0, false);
  begin(run);
  for (uint32_t i = 0; i < 8; i++) submit(run, 0, i, 1, 0);
  loop(run, 0.5);
  sim_server_staff(run->server, 0, false);
  sim_server_staff(run->server, 2, false);
  sim_server_staff(run->server, 2, false);   /* said twice */
  sim_server_staff(run->server, 900, false); /* it has no such place */
  loop(run, 3);
  expect_log(run, "a0@1 a1@1 a2@1 a3@2 a4@3");
  sim_server_staff(run->server, 0, true);
  sim_server_staff(run->server, 2, true);
  loop(run, 10);
  expect_log(run, "a0@1 a1@1 a2@1 a3@2 a4@3 a5@4 a6@4 a7@4");
  struct sim_server_totals t;
  sim_server_settle(run->server, run->now);
  sim_server_read(run->server, 0, true, &t);
  cr_assert_float_eq(t.absent_days, 2 * 2.5, 1e-9);
  cr_assert_float_eq(t.place_days + t.absent_days, 3 * 10, 1e-9);
  sim_server_begin(run->server, &run->rng); /* a new run finds everyone there */
  sim_server_settle(run->server, run->now);
  sim_server_read(run->server, 0, true, &t);
  cr_assert_eq(t.absent_days, 0);
  destroy(run);
}

/* A place of the size that comes later may be empty before it comes. */
Test(server, places_without_staff_and_size_by_time) {
  struct sim_run *run = create(0, false, (double)INFINITY);
  struct sim_value steps[] = {{.form = SIM_NUMBER, .low = 0, .number = 1},
                              {.form = SIM_NUMBER, .low = 2, .number = 3},
                              {.form = SIM_NUMBER, .low = 4, .number = 1}};
  run->size = (struct sim_value){.form = SIM_STEPS, .items = steps, .n = 3};
  run->plan.spec.staffed = true;
  own(run, 0, 0, false);
  begin(run);
  sim_server_staff(run->server, 1, false);
  for (uint32_t i = 0; i < 7; i++) submit(run, 0, i, 1, 0);
  loop(run, 10);
  expect_log(run, "a0@1 a1@2 a2@3 a3@3 a4@4 a5@4 a6@5");
  struct sim_server_totals t;
  sim_server_settle(run->server, run->now);
  sim_server_read(run->server, 0, true, &t);
  cr_assert_float_eq(t.absent_days, 2, 1e-9);
  cr_assert_float_eq(t.place_days, 2 + 2 * 2 + 6, 1e-9);
  destroy(run);
}

/* Work is conserved: a day's job, half done at day 0.5, at a quarter of the speed until day 1.5, then at full speed. */
Test(server, speed_changes_under_way) {
  for (int preemptive = 0; preemptive < 2; preemptive++) {
    struct sim_run *run = create(1, preemptive, (double)INFINITY);
    own(run, 0, 0, false);
    begin(run);
    submit(run, 0, 0, 1, 0);
    submit(run, 0, 1, 1, 0);
    loop(run, 0.5);
    sim_server_speed(run->server, 0.25);
    loop(run, 1.5);
    sim_server_speed(run->server, 1);
    loop(run, 2);
    expect_log(run, "a0@1.75");
    sim_server_speed(run->server, 0); /* nothing gets done, nothing is lost */
    loop(run, 5);
    sim_server_speed(run->server, 2);
    loop(run, 9);
    expect_log(run, "a0@1.75 a1@5.375");
    destroy(run);
  }
}

Test(server, room) {
  struct sim_run *run = create(2, false, 1);
  own(run, 0, 0, false);
  begin(run);
  for (uint32_t i = 0; i < 5; i++) cr_assert_eq(submit(run, 0, i, 1, 0) != 0, i < 3); /* 2 places, 1 waits */
  loop(run, 0.5);
  cr_assert_eq(submit(run, 0, 5, 1, 0), 0);
  loop(run, 1.5);
  cr_assert_neq(submit(run, 0, 6, 1, 0), 0);
  loop(run, 9);
  expect_log(run, "!a3@0 !a4@0 !a5@0.5 a0@1 a1@1 a2@2 a6@2.5");
  destroy(run);
}

Test(server, preemption_keeps_the_work_done) {
  struct sim_run *run = create(2, true, (double)INFINITY);
  for (unsigned o = 0; o < 3; o++) own(run, o, (int)o, false);
  begin(run);
  submit(run, 1, 1, 4, 0);
  submit(run, 2, 2, 4, 0);
  loop(run, 1);
  submit(run, 0, 3, 1, 0); /* displaces c2, which has 3 days left, not b1 */
  submit(run, 2, 4, 1, 0); /* waits behind c2, which came first */
  loop(run, 1.5);
  cr_assert_eq(run->seen_queue, 2);
  loop(run, 20);
  expect_log(run, "a3@2 b1@4 c2@5 c4@5");
  struct sim_server_totals t;
  sim_server_read(run->server, 2, false, &t);
  cr_assert_float_eq(t.wait_sum, 3, 1e-9); /* to the first start */
  cr_assert_float_eq(t.sojourn_sum, 9, 1e-9);
  destroy(run);
}

Test(server, hours_slow_the_work) {
  struct sim_run *run = create(1, true, (double)INFINITY);
  run->plan.spec.speed = 0.25; /* 6 h/day */
  own(run, 0, 0, false);
  own(run, 1, 1, false);
  begin(run);
  submit(run, 1, 1, 1, 0);
  loop(run, 2); /* half done */
  submit(run, 0, 2, 0.5, 0);
  loop(run, 20);
  expect_log(run, "a2@4 b1@6");
  destroy(run);
}

Test(server, withdrawal) {
  struct sim_run *run = create(1, true, (double)INFINITY);
  own(run, 0, 0, false);
  own(run, 1, 1, false);
  begin(run);
  uint32_t job[6];
  for (uint32_t i = 0; i < 6; i++) job[i] = submit(run, 1, i, 1, 0);
  loop(run, 0.5);
  sim_server_withdraw(run->server, job[0]); /* running */
  sim_server_withdraw(run->server, job[3]); /* waiting */
  loop(run, 0.75);
  submit(run, 0, 7, 1, 0);
  loop(run, 1);
  sim_server_withdraw(run->server, job[1]); /* displaced */
  loop(run, 20);
  expect_log(run, "a7@1.75 b2@2.75 b4@3.75 b5@4.75");
  cr_assert_eq(run->seen_busy, 0);
  destroy(run);
}

Test(server, patience_ends_when_work_starts) {
  struct sim_law patience;
  sim_law_init_fixed(&patience, 1.5);
  struct sim_run *run = create(1, false, (double)INFINITY);
  run->plan.spec.patience = &patience;
  own(run, 0, 0, false);
  begin(run);
  for (uint32_t i = 0; i < 3; i++) submit(run, 0, i, 1, 0);
  loop(run, 20);
  expect_log(run, "a0@1 -a2@1.5 a1@2");
  destroy(run);
}

Test(server, patience_is_named_by_the_job) { /* the same job abandons at the same time whatever else queues */
  struct sim_law patience;
  sim_law_init_exponential(&patience, 1);
  char first[100];
  for (unsigned others = 0; others < 3; others++) {
    struct sim_run *run = create(0, false, (double)INFINITY);
    run->plan.spec.patience = &patience;
    own(run, 0, 0, false);
    own(run, 1, 1, false);
    begin(run);
    for (uint32_t i = 0; i < others; i++) submit(run, 1, i, 1, 0);
    submit(run, 0, 5, 1, 0);
    loop(run, 50);
    char *mine = strstr(run->log, "-a5@");
    cr_assert_not_null(mine);
    if (strchr(mine, ' ')) *strchr(mine, ' ') = '\0';
    if (!others) snprintf(first, sizeof first, "%s", mine);
    cr_assert_str_eq(mine, first);
    destroy(run);
  }
}

Test(server, backlogs_yield_to_jobs_of_their_class) {
  struct sim_run *run = create(1, false, (double)INFINITY);
  own(run, 0, 0, false);
  own(run, 1, 1, true);  /* backlog of class 1 */
  own(run, 2, 1, false); /* jobs of class 1 */
  own(run, 3, 3, false);
  begin(run);
  run->backlog[1] = 3;
  run->backlog_service = 1;
  submit(run, 3, 5, 1, 0); /* of a worse class than the backlog: waits for all of it */
  sim_server_wake(run->server);
  loop(run, 0.5);
  struct sim_job job = {.entity = 6, .service = sim_ticks(1), .priority = 1};
  sim_server_submit(run->server, &run->owner[2], &job);
  submit(run, 0, 4, 1, 0);
  loop(run, 20);
  expect_log(run, "b97@1 a4@2 c6@3 b98@4 b99@5 d5@6");
  run->backlog[1] = 1; /* found dry: not asked again until woken */
  submit(run, 3, 1, 1, 0);
  loop(run, 22);
  cr_assert_eq(run->backlog[1], 1);
  sim_server_wake(run->server);
  loop(run, 30);
  cr_assert_eq(run->backlog[1], 0);
  struct sim_server_totals t;
  sim_server_read(run->server, 1, false, &t);
  cr_assert_eq(t.served, 5);
  cr_assert_eq(t.started, 1); /* pulled jobs never waited: they do not count as waits */
  destroy(run);
}

Test(server, one_order_in_a_class) {
  struct sim_run *run = create(1, false, (double)INFINITY);
  struct sim_diag diag = {0};
  own(run, 0, 0, false);
  cr_assert_eq(sim_server_plan_owner(&run->plan, &run->owner[1], 1, "lifo", false, NULL, &diag), 0);
  cr_assert_eq(sim_server_plan_owner(&run->plan, &run->owner[2], 0, "degree", true, NULL, &diag), 0);
  cr_assert_eq(diag.n, 0);
  cr_assert_eq(sim_server_plan_owner(&run->plan, &run->owner[3], 0, "lifo", false, NULL, &diag), SIM_ERR_INPUT);
  cr_assert_eq(diag.n, 1);
  sim_diag_free(&diag);
  destroy(run);
}

Test(server, runs_repeat) { /* beginning again forgets everything */
  struct sim_run *run = create(1, true, 3);
  own(run, 0, 0, false);
  own(run, 1, 1, false);
  begin(run);
  char first[1000];
  for (unsigned k = 0; k < 3; k++) {
    run->now = 0;
    run->round = -1;
    run->log[0] = '\0';
    sim_server_begin(run->server, &run->rng);
    for (uint32_t i = 0; i < 6; i++) submit(run, i & 1, i, 1 + 0.1 * i, 0);
    loop(run, 3.3);
    struct sim_server_totals t;
    sim_server_read(run->server, 0, true, &t);
    cr_assert_eq(t.submitted, 6);
    cr_assert_eq(t.dropped, 2);
    if (!k) snprintf(first, sizeof first, "%s", run->log);
    cr_assert_str_eq(run->log, first);
    sim_queue_clear(&run->queue); /* as at the horizon: jobs are left behind */
  }
  destroy(run);
}
