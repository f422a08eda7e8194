/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contagion on a network, beside a peer on the same graph. */
#include "sim/cli/bench.h"
#include "sim/core/mem.h"
#include <math.h>
#include <string.h>

#define MOST_THREADS 1024
#define MAJOR        0.05 /* share of the nodes that a major outbreak infects at least */

struct options {
  const char *generator, *network, *law, *peer;
  int64_t nodes, replicates, seeds, threads, seed;
  double mean_degree, transmission, recovery, days; /* days NaN: 100 mean stays of the infectious */
  bool response, json;
};

struct tally { /* of replicates */
  struct bench_time time;
  double runs, infections, recoveries, callbacks;
};

struct measured {
  struct tally all, major, peer;
  double peer_setup, peer_setups; /* seconds, calls */
  struct bench_threads_sum threads;
  double building_mb, resident_mb; /* most that was resident while building; since */
};

/* ---- the scenario ---------------------------------------------------------------------------------------------- */

/* A value in double quotes of YAML; the caller frees. */
static char *quoted(const char *text) {
  char *out = sim_alloc(2 * strlen(text) + 3), *end = out;
  if (!out) return NULL;
  *end++ = '"';
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') *end++ = '\\';
    *end++ = *text;
  }
  *end++ = '"';
  *end = '\0';
  return out;
}

/* The layer of contacts: of people, or as large as the file says. */
static char *society(const struct options *o) {
  if (!o->network)
    return sim_strf("  people: %lld\n  layers: {contacts: {nodes: people, graph: %s mean_degree %.17g}}\n",
                    (long long)o->nodes, strcmp(o->generator, "er") == 0 ? "erdos_renyi" : "barabasi_albert",
                    o->mean_degree);
  const char *slash = strrchr(o->network, '/');
  char *path = quoted(slash ? slash + 1 : o->network);
  char *text = path ? sim_strf("  layers: {contacts: {graph: {call: file, path: %s}}}\n", path) : NULL;
  sim_free(path);
  return text;
}

/* Where the network is: a scenario names only files beside it. The caller frees. */
static char *directory(const struct options *o) {
  const char *slash = o->network ? strrchr(o->network, '/') : NULL;
  if (!slash) return sim_strdup(".");
  return slash == o->network ? sim_strdup("/") : sim_strf("%.*s", (int)(slash - o->network), o->network);
}

static char *hazard(const struct options *o) {
  if (strcmp(o->law, "exponential") == 0)
    return sim_strf("transmission: %.17g/day, infectious: exponential mean %.17g days", o->transmission,
                    1 / o->recovery);
  return sim_strf("transmission: gamma mean %.17g days shape 3, infectious: gamma mean %.17g days shape 3",
                  1 / o->transmission, 1 / o->recovery);
}

/* A campaign of 1,000 doses a day (10 teams of 10 hours, 6 minutes a dose) and the isolation of reported cases. */
static const char response[] =
    "sensing:\n"
    "  clinics: {watches: outbreak.infectious, ascertainment: 20 %, report_delay: exponential mean 1 day,"
    " alarm: 10 reports in 7 days}\n"
    "teams:\n"
    "  vaccinators: {size: 10, hours: 10 h/day}\n"
    "actions:\n"
    "  vaccinate: {like: vaccination, against: outbreak, when: clinics.alarm, team: vaccinators, service: 6 min,"
    " efficacy: 80 %, protection_delay: 1 day}\n"
    "  isolate: {like: isolation, against: outbreak, on: clinics, when: clinics.alarm, compliance: 70 %}\n";

/* The caller frees; NULL: no memory. */
static char *scenario(const struct options *o) {
  char *people = society(o), *laws = hazard(o), *text = NULL;
  if (people && laws)
    text = sim_strf("airesim: 1\nhorizon: %.17g days\nsource: illustrative\nsociety:\n%s"
                    "incidents:\n  release: {starts: outbreak, seeds: %lld people, arrivals: day 0}\n"
                    "hazards:\n  outbreak: {like: sir, layer: contacts, %s}\n%s"
                    "measures:\n  declared:\n    infections: {entries: outbreak.infectious}\n"
                    "    recoveries: {entries: outbreak.recovered}\n",
                    isnan(o->days) ? 100 / o->recovery : o->days, people, (long long)o->seeds, laws,
                    o->response ? response : "");
  sim_free(people);
  sim_free(laws);
  return text;
}

/* ---- measuring ------------------------------------------------------------------------------------------------- */

static void count(struct tally *t, const struct bench_time *time, double infections, double recoveries,
                  double callbacks) {
  t->time.cpu += time->cpu;
  t->time.wall += time->wall;
  t->runs++;
  t->infections += infections;
  t->recoveries += recoveries;
  t->callbacks += callbacks;
}

/* One replicate of ours. */
static int execute(struct bench_world *b, uint64_t replicate, double nodes, struct measured *m) {
  struct bench_time time = {0};
  int status = bench_world_execute(b, replicate, &time);
  if (status) return status;
  double infections = bench_world_value(b, "infections"), recoveries = bench_world_value(b, "recoveries");
  count(&m->all, &time, infections, recoveries, (double)b->row.events);
  if (infections >= MAJOR * nodes) count(&m->major, &time, infections, recoveries, (double)b->row.events);
  return CLI_DONE;
}

/* One run of the peer, and one of its set-up alone. */
static int execute_peer(struct bench_peer *peer, double nodes, struct measured *m) {
  struct bench_peer_run empty, run;
  int status = bench_peer_execute(peer, true, &empty);
  if (status == CLI_DONE) status = bench_peer_execute(peer, false, &run);
  if (status) return status;
  m->peer_setup += empty.cpu;
  m->peer_setups++;
  struct bench_time time = {.cpu = run.cpu};
  if (run.infected >= MAJOR * nodes) count(&m->peer, &time, run.infected, run.infected, 0);
  return CLI_DONE;
}

#define ROUND 8 /* replicates a thread in a round: that the last one ends alone costs little */

/* A round of replicates by one thread, the peer taking turns, and then by several. */
static int measure_round(struct bench_world *b, struct bench_peer *peer, struct bench_threads *threads, double nodes,
                         uint64_t first, uint64_t n, struct measured *m) {
  int status = CLI_DONE;
  for (uint64_t r = first; r < first + n && status == CLI_DONE; r++) {
    status = execute(b, r, nodes, m);
    if (status == CLI_DONE && peer) status = execute_peer(peer, nodes, m);
  }
  if (status == CLI_DONE && threads) status = bench_threads_execute(threads, first, n, &m->threads);
  if (status == CLI_DONE && threads && m->threads.callbacks != m->all.callbacks)
    return cli_fail("%s (of one thread and of several)", sim_err_text(SIM_ERR_MISMATCH));
  return status;
}

/* A first replicate of each warms memory up and is not counted. */
static int measure(const struct options *o, struct bench_world *b, struct bench_peer *peer, double nodes,
                   struct measured *m) {
  struct measured unused = {0};
  struct bench_threads threads = {0};
  struct cli_progress progress;
  uint64_t total = (uint64_t)o->replicates, size = ROUND * (uint64_t)o->threads;
  struct bench_time start = bench_now();
  cli_progress_init(&progress, false);
  int status = execute(b, total, nodes, &unused);
  if (status == CLI_DONE && peer) status = execute_peer(peer, nodes, &unused);
  if (status == CLI_DONE && o->threads > 1) status = bench_threads_open(&threads, b, (unsigned)o->threads, total);
  for (uint64_t done = 0; done < total && status == CLI_DONE; done += size) {
    struct bench_time spent = {0};
    bench_add(&spent, &start);
    struct sim_progress now = {.total = total, .done = done, .seconds = spent.wall, .phase = "running"};
    if (spent.wall > 2) cli_progress_show(&progress, &now);
    if (size > total - done) size = total - done;
    status = measure_round(b, peer, o->threads > 1 ? &threads : NULL, nodes, done, size, m);
  }
  cli_progress_end(&progress);
  bench_threads_close(&threads);
  return status;
}

/* ---- report ---------------------------------------------------------------------------------------------------- */

static const char note[] =
    "events: infections (seeds included) and recoveries, of the replicates counted; ns_per_event: CPU. Counted are "
    "the\n"
    "major outbreaks (at least 5 % of the nodes infected) if there are any, else all; us_per_run is of the same.\n"
    "million_events_per_s: of all replicates, on the wall, by all threads; threads_ratio: the wall of one thread over "
    "theirs;\n"
    "threads_cpu_ratio: what that would be on an idle machine, from the CPU of both.";

static double per_event(const struct tally *t, double setup) {
  return (t->time.cpu - t->runs * setup) * 1e9 / (t->infections + t->recoveries);
}

/* Fields that only some runs have: those of several threads and of a peer. */
static size_t more_fields(const struct options *o, const struct measured *m, double ns, struct bench_field *field) {
  size_t n = 0;
  const struct bench_time *one = &m->all.time, *several = &m->threads.time;
  if (o->threads > 1) {
    field[n++] = (struct bench_field){"threads_ratio", NULL, one->wall / several->wall};
    field[n++] = (struct bench_field){"threads_cpu_ratio", NULL, (double)o->threads * one->cpu / several->cpu};
  }
  if (!o->peer) return n;
  double peer_ns = per_event(&m->peer, m->peer_setup / m->peer_setups);
  field[n++] = (struct bench_field){"peer_ns_per_event", NULL, peer_ns};
  field[n++] = (struct bench_field){"peer_final_size_mean", NULL, m->peer.infections / m->peer.runs};
  field[n++] = (struct bench_field){"peer_ratio", NULL, peer_ns / ns};
  return n;
}

static int report(const struct options *o, const struct sim_graph *g, const struct measured *m) {
  struct bench_report r = {.json = o->json};
  const struct tally *t = m->major.runs > 0 ? &m->major : &m->all;
  double ns = per_event(t, 0), wall = o->threads > 1 ? m->threads.time.wall : m->all.time.wall;
  struct bench_field field[32] = {
      {"bench", "propagation", 0},
      {"network", o->network ? o->network : o->generator, 0},
      {"nodes", NULL, g->nodes},
      {"edges", NULL, (double)g->edges},
      {"transmission", NULL, o->transmission},
      {"recovery", NULL, o->recovery},
      {"law", o->law, 0},
      {"response", o->response ? "yes" : "no", 0},
      {"seeds", NULL, (double)o->seeds},
      {"replicates", NULL, (double)o->replicates},
      {"counted", NULL, t->runs},
      {"events", NULL, t->infections + t->recoveries},
      {"callbacks", NULL, t->callbacks},
      {"ns_per_event", NULL, ns},
      {"us_per_run", NULL, t->time.cpu * 1e6 / t->runs},
      {"wall_s", NULL, t->time.wall},
      {"final_size_mean", NULL, t->infections / t->runs},
      {"building_mb", NULL, m->building_mb},
      {"resident_mb", NULL, m->resident_mb},
      {"threads", NULL, (double)o->threads},
      {"million_events_per_s", NULL, (m->all.infections + m->all.recoveries) / wall * 1e-6},
  };
  size_t n = 0;
  while (field[n].name) n++;
  n += more_fields(o, m, ns, field + n);
  if (o->json) {
    bench_report_row(&r, field, n);
    return bench_report_end(&r, note);
  }
  for (size_t i = 1; i < n; i++) { /* one row of twenty columns reads better the other way */
    const struct bench_field line[] = {{"propagation", field[i].name, 0}, {"", field[i].text, field[i].number}};
    bench_report_row(&r, line, 2);
  }
  return bench_report_end(&r, note);
}

static int check(const struct options *o) {
  const char *name = bench_propagation.name;
  if (strcmp(o->generator, "er") != 0 && strcmp(o->generator, "ba") != 0)
    return cli_usage(name, "--generator is er or ba, not `%s`", o->generator);
  if (strcmp(o->law, "exponential") != 0 && strcmp(o->law, "gamma") != 0)
    return cli_usage(name, "--law is exponential or gamma, not `%s`", o->law);
  if (o->peer && strcmp(o->peer, "igraph") != 0) return cli_usage(name, "--peer is igraph, not `%s`", o->peer);
  if (o->peer && (strcmp(o->law, "exponential") != 0 || o->response))
    return cli_usage(name, "igraph_sir knows neither --law gamma nor --response");
  if (!(isnan(o->days) || o->days > 0)) return cli_usage(name, "--days: more than 0");
  if (!(o->recovery > 0)) return cli_usage(name, "--recovery: more than 0");
  if (!(o->transmission > 0) && strcmp(o->law, "gamma") == 0)
    return cli_usage(name, "--law gamma: --transmission is the inverse of its mean, so more than 0");
  if (o->replicates < 1 || o->seeds < 1) return cli_usage(name, "--replicates and --seeds: at least 1");
  if (o->threads < 1 || o->threads > MOST_THREADS) return cli_usage(name, "--threads: 1 to %d", MOST_THREADS);
  if (o->threads > 1 && o->peer) return cli_usage(name, "--threads: igraph_sir takes turns with one thread only");
  return CLI_DONE;
}

static int open_world(const struct options *o, struct bench_world *b) {
  const struct bench_origin origins[] = {{"society.people", "--nodes"},
                                         {"society.layers", o->network ? "--network" : "--mean-degree"},
                                         {"incidents.release", "--seeds"},
                                         {"hazards.outbreak.transmission", "--transmission"},
                                         {"hazards.outbreak.infectious", "--recovery"},
                                         {"horizon", "--days"},
                                         {.path = NULL}};
  const double slow = 1e6; /* nodes */
  char *text = scenario(o), *beside = directory(o);
  if (!o->network && (double)o->nodes >= slow) fprintf(stderr, "building a network of %.4g nodes\n", (double)o->nodes);
  int status = text && beside ? bench_world_open(b, text, beside, o->seed, &bench_propagation, origins)
                              : cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  sim_free(text);
  sim_free(beside);
  return status;
}

static int run(const struct cli_context *context, void *options) {
  const struct options *o = options;
  struct bench_world b = {0};
  struct bench_peer peer;
  struct measured m = {0};
  const struct sim_graph *g = NULL;
  (void)context;
  int status = check(o);
  if (status) return status;
  bench_resident_reset();
  status = open_world(o, &b);
  if (status) goto out;
  (void)sim_world_layer(b.world, 0, &g);
  if (o->peer && g->directed) {
    status = cli_usage(bench_propagation.name, "igraph_sir needs an undirected network");
    goto out;
  }
  if (o->peer) status = bench_peer_start(&peer, g, o->transmission, o->recovery, o->seed);
  if (status) goto out;
  m.building_mb = bench_resident();
  bench_resident_reset();
  status = measure(o, &b, o->peer ? &peer : NULL, g->nodes, &m);
  m.resident_mb = bench_resident();
  if (o->peer) bench_peer_end(&peer);
  if (status == CLI_DONE) status = report(o, g, &m);
out:
  bench_world_close(&b);
  return status;
}

static const struct options defaults = {.generator = "er",
                                        .law = "exponential",
                                        .nodes = 100000,
                                        .replicates = 10,
                                        .seeds = 10,
                                        .threads = 1,
                                        .seed = 1,
                                        .mean_degree = 10,
                                        .transmission = 0.4,
                                        .recovery = 1,
                                        .days = NAN};
#define AT(field) offsetof(struct options, field)
static const struct cli_option options[] = {
    {"generator", 0, CLI_TEXT, AT(generator), "G", "er", "er (Erdős–Rényi) or ba (Barabási–Albert)"},
    {"nodes", 0, CLI_COUNT, AT(nodes), "N", "100000", "people"},
    {"mean-degree", 0, CLI_NUMBER, AT(mean_degree), "K", "10", "mean number of contacts"},
    {"network", 0, CLI_TEXT, AT(network), "FILE", "none", "a network's file instead of a generator"},
    {"transmission", 0, CLI_NUMBER, AT(transmission), "B", "0.4", "rate a day per contact"},
    {"recovery", 0, CLI_NUMBER, AT(recovery), "C", "1", "rate a day"},
    {"days", 0, CLI_NUMBER, AT(days), "D", "100 / C",
     "horizon: the outbreak is long over, and a response goes on to it"},
    {"law", 0, CLI_TEXT, AT(law), "L", "exponential", "exponential, or gamma (shape 3) with the same means"},
    {"seeds", 0, CLI_COUNT, AT(seeds), "S", "10", "infected at the start"},
    {"response", 0, CLI_FLAG, AT(response), NULL, NULL, "with sensors, 1,000 vaccinations a day and isolation"},
    {"replicates", 0, CLI_COUNT, AT(replicates), "R", "10", "replicates that are timed"},
    {"threads", 0, CLI_COUNT, AT(threads), "N", "1", "threads that share the replicates, beside one: threads_ratio"},
    {"seed", 0, CLI_COUNT, AT(seed), "K", "1", "seed of the random streams"},
    {"peer", 0, CLI_TEXT, AT(peer), "P", "none", "igraph: igraph_sir in turns, its set-up taken off"},
    {"json", 0, CLI_FLAG, AT(json), NULL, NULL, "a line of JSON"},
    {.name = NULL}};

const struct cli_command bench_propagation = {
    .name = "bench propagation",
    .arguments = "",
    .purpose = "an epidemic (SIR) on a network, through the ordinary scenario",
    .about = "Infections and recoveries are events; every contact has draws of its own, so that arms are coupled edge\n"
             "by edge.",
    .examples = "  airesim bench propagation --nodes 1e6 --peer igraph\n"
                "  airesim bench propagation --generator ba --nodes 1e6 --transmission 0.1 --json\n"
                "  airesim bench propagation --nodes 1e5 --replicates 80 --threads 2\n"
                "  airesim bench propagation --nodes 1e6 --seeds 1 --transmission 0 --replicates 1000",
    .options = options,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
