/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event queue by the hold model (Jones 1986). */
#include "sim/cli/bench.h"
#include "sim/core/mem.h"
#include "sim/core/queue.h"
#include "sim/core/rng.h"
#include "sim/core/ticks.h"
#include <math.h>
#include <string.h>

#define STEPS 4096 /* exponential times drawn ahead, so that the queue alone is timed */

struct queue_options {
  int64_t pending, operations, seed;
  double reschedules;
  bool ties, json;
};

struct hold {
  struct sim_queue queue;
  uint32_t *handle; /* [pending] of each event */
  uint32_t pending;
  bool ties;       /* whole days */
  uint64_t move;   /* probability of a reschedule, of 2^32 */
  uint64_t random; /* linear congruential, Knuth's MMIX: its upper half is used */
  int64_t step[STEPS];
};

static struct sim_key key_at(int64_t tick, uint32_t event) {
  return (struct sim_key){tick, 0, (uint64_t)event << 32};
}

static uint32_t next(struct hold *h) {
  h->random = h->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(h->random >> 32);
}

static int64_t step(struct hold *h) {
  return h->step[next(h) % STEPS];
}

static void draw_steps(struct hold *h, int64_t seed) {
  struct sim_rng rng;
  struct sim_rng_stream s;
  sim_rng_init(&rng, (uint64_t)seed, 0, 0);
  sim_rng_stream_init(&s, &rng, sim_purpose("bench.queue"), 0, 0);
  for (uint32_t i = 0; i < STEPS; i++) {
    double days = -sim_log(sim_rng_stream_uniform(&s)) * 100;
    h->step[i] = sim_ticks(h->ties ? floor(days) + 1 : days);
  }
}

static int hold_open(struct hold *h, int64_t seed) {
  draw_steps(h, seed);
  h->handle = sim_calloc(h->pending, sizeof *h->handle);
  if (!h->handle) return SIM_ERR_MEMORY;
  for (uint32_t i = 0; i < h->pending; i++) {
    struct sim_key key = key_at(step(h), i);
    int ret = sim_queue_push(&h->queue, &key, &h->handle[i]);
    if (ret) return ret;
  }
  return 0;
}

/* Each operation takes the first event out and puts it back later; some move a random one before. */
static int hold_operate(struct hold *h, int64_t operations) {
  for (int64_t i = 0; i < operations; i++) {
    struct sim_key first = *sim_queue_top(&h->queue), key;
    if (h->move && next(h) < h->move) {
      uint32_t who = (uint32_t)((uint64_t)next(h) * h->pending >> 32);
      key = key_at(first.tick + step(h), who);
      int ret = sim_queue_move(&h->queue, h->handle[who], &key);
      if (ret) return ret;
    }
    sim_queue_pop(&h->queue, &first);
    uint32_t event = (uint32_t)(first.subject >> 32);
    key = key_at(first.tick + step(h), event);
    int ret = sim_queue_push(&h->queue, &key, &h->handle[event]);
    if (ret) return ret;
  }
  return 0;
}

static int hold_run(const struct queue_options *o, uint32_t pending, double share, bool ties, struct bench_report *r) {
  struct hold *h = sim_calloc(1, sizeof *h);
  struct bench_time time = {0};
  int ret = SIM_ERR_MEMORY;
  if (!h) return cli_fail("%s", sim_err_text(ret));
  h->pending = pending;
  h->ties = ties;
  h->move = (uint64_t)(share * 0x1p32);
  bench_resident_reset();
  ret = hold_open(h, o->seed);
  if (ret == 0) ret = hold_operate(h, pending); /* to the steady state */
  struct bench_time start = bench_now();
  if (ret == 0) ret = hold_operate(h, o->operations);
  bench_add(&time, &start);
  double n = (double)o->operations;
  const struct bench_field field[] = {{"bench", "queue", 0},        {"pending", NULL, pending},
                                      {"reschedules", NULL, share}, {"ties", ties ? "yes" : "no", 0},
                                      {"events", NULL, n},          {"ns_per_event", NULL, time.cpu * 1e9 / n},
                                      {"wall_s", NULL, time.wall},  {"resident_mb", NULL, bench_resident()}};
  if (ret == 0) bench_report_row(r, field, sizeof field / sizeof *field);
  sim_queue_free(&h->queue);
  sim_free(h->handle);
  sim_free(h);
  return ret ? cli_fail("%s", sim_err_text(ret)) : CLI_DONE;
}

static int run_queue(const struct cli_context *context, void *options) {
  const struct queue_options *o = options;
  struct bench_report r = {.json = o->json};
  static const int64_t sizes[] = {1000, 100000, 1000000};
  int status = CLI_DONE;
  (void)context;
  if (o->pending > UINT32_MAX / 4) return cli_usage(bench_queue.name, "--pending: at most %u", UINT32_MAX / 4);
  if (o->reschedules > 1) return cli_usage(bench_queue.name, "--reschedules is a share: at most 1");
  if (o->operations < 1) return cli_usage(bench_queue.name, "--operations: at least 1");
  if (o->pending) status = hold_run(o, (uint32_t)o->pending, o->reschedules, o->ties, &r);
  for (size_t i = 0; !o->pending && i < 3 && status == CLI_DONE; i++) {
    status = hold_run(o, (uint32_t)sizes[i], 0, false, &r);
    if (status == CLI_DONE) status = hold_run(o, (uint32_t)sizes[i], 0.5, false, &r);
    if (status == CLI_DONE) status = hold_run(o, (uint32_t)sizes[i], 0, true, &r);
  }
  int ended =
      bench_report_end(&r, "events: the first is taken out and put back later; with reschedules, before that a "
                           "random one is moved\nwith this probability. Ties: at whole days. ns_per_event: CPU.");
  return status ? status : ended;
}

static const struct queue_options queue_defaults = {.operations = 3000000, .seed = 1};
#define AT(field) offsetof(struct queue_options, field)
static const struct cli_option queue_table[] = {
    {"pending", 0, CLI_COUNT, AT(pending), "N", "1e3, 1e5 and 1e6, each way", "pending events"},
    {"reschedules", 0, CLI_NUMBER, AT(reschedules), "P", "0", "with --pending: probability of a move an event"},
    {"ties", 0, CLI_FLAG, AT(ties), NULL, NULL, "with --pending: times are whole days"},
    {"operations", 0, CLI_COUNT, AT(operations), "M", "3000000", "events that are timed"},
    {"seed", 0, CLI_COUNT, AT(seed), "K", "1", "seed of the random streams"},
    {"json", 0, CLI_FLAG, AT(json), NULL, NULL, "a line of JSON a row"},
    {.name = NULL}};
#undef AT

const struct cli_command bench_queue = {
    .name = "bench queue",
    .arguments = "",
    .purpose = "the queue of pending events alone (hold model)",
    .examples = "  airesim bench queue\n"
                "  airesim bench queue --pending 50000 --reschedules 0.5 --ties",
    .options = queue_table,
    .defaults = &queue_defaults,
    .size = sizeof queue_defaults,
    .run = run_queue,
};
