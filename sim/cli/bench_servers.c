/* SPDX-License-Identifier: GPL-3.0-or-later */
/* M/M/1: Poisson arrivals of work at one team with exponential services, through the ordinary scenario. */
#include "sim/cli/bench.h"
#include "sim/core/mem.h"

struct options {
  int64_t customers, replicates, seed;
  double load;
  bool json;
};

static char *scenario(const struct options *o) {
  return sim_strf("airesim: 1\nhorizon: %.17g h\nsource: illustrative\n"
                  "incidents:\n  customers: {demands: desk, service: exponential mean 1 h, arrivals: poisson %.17g/h}\n"
                  "teams:\n  desk: {size: 1}\n"
                  "measures:\n  declared:\n    wait: {waits: desk, of: mean}\n",
                  (double)o->customers / o->load, o->load);
}

static int measure(const struct options *o, struct bench_world *b, struct bench_report *r) {
  struct bench_time time = {0}, unused = {0};
  double events = 0, callbacks = 0, wait = 0;
  int status = bench_world_execute(b, (uint64_t)o->replicates, &unused); /* warms memory up */
  bench_resident_reset();
  for (int64_t i = 0; i < o->replicates && status == CLI_DONE; i++) {
    status = bench_world_execute(b, (uint64_t)i, &time);
    events += bench_world_value(b, "arrivals") + bench_world_value(b, "jobs_served");
    callbacks += (double)b->row.events;
    wait += bench_world_value(b, "wait");
  }
  if (status) return status;
  const struct bench_field field[] = {{"bench", "servers", 0},
                                      {"load", NULL, o->load},
                                      {"replicates", NULL, (double)o->replicates},
                                      {"events", NULL, events},
                                      {"callbacks", NULL, callbacks},
                                      {"ns_per_event", NULL, time.cpu * 1e9 / events},
                                      {"million_events_per_s", NULL, events / time.cpu * 1e-6},
                                      {"wall_s", NULL, time.wall},
                                      {"mean_wait_h", NULL, 24 * wait / (double)o->replicates},
                                      {"resident_mb", NULL, bench_resident()}};
  bench_report_row(r, field, sizeof field / sizeof *field);
  return CLI_DONE;
}

static const struct bench_origin origins[] = {
    {"horizon", "--customers, --load"}, {"incidents.customers", "--load"}, {.path = NULL}};

static int run(const struct cli_context *context, void *options) {
  const struct options *o = options;
  struct bench_report r = {.json = o->json};
  struct bench_world b = {0};
  (void)context;
  if (o->customers < 1 || o->replicates < 1 || !(o->load > 0) || o->load > 1000)
    return cli_usage(bench_servers.name, "--customers and --replicates: at least 1; --load: more than 0, at most 1000");
  char *text = scenario(o);
  int status = text ? bench_world_open(&b, text, ".", o->seed, &bench_servers, origins)
                    : cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  sim_free(text);
  if (status == CLI_DONE) status = measure(o, &b, &r);
  bench_world_close(&b);
  int ended = bench_report_end(&r, "events: arrivals and completions; callbacks: what the engine dispatched. "
                                   "ns_per_event: CPU.\nIn theory the mean wait is load / (1 - load) hours.");
  return status ? status : ended;
}

static const struct options defaults = {.customers = 100000, .replicates = 10, .seed = 1, .load = 0.8};
#define AT(field) offsetof(struct options, field)
static const struct cli_option options[] = {
    {"load", 0, CLI_NUMBER, AT(load), "RHO", "0.8",
     "arrivals an hour, at one place with services of one hour on average"},
    {"customers", 0, CLI_COUNT, AT(customers), "N", "100000", "expected arrivals a replicate"},
    {"replicates", 0, CLI_COUNT, AT(replicates), "R", "10", "replicates that are timed"},
    {"seed", 0, CLI_COUNT, AT(seed), "K", "1", "seed of the random streams"},
    {"json", 0, CLI_FLAG, AT(json), NULL, NULL, "a line of JSON"},
    {.name = NULL}};

const struct cli_command bench_servers = {
    .name = "bench servers",
    .arguments = "",
    .purpose = "a queue with one server (M/M/1), through the ordinary scenario",
    .examples = "  airesim bench servers --load 0.9 --json",
    .options = options,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
