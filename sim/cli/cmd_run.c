/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/cli/walltime.h"
#include "sim/core/mem.h"
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct run_options {
  const char *output;
  int64_t jobs;
  const char *shard, *max_time;
  struct cli_sets sets;
  bool quiet, overwrite;
};

static atomic_bool stop; /* the one thing that a signal's handler may touch */

static void on_signal(int signal) {
  (void)signal;
  atomic_store(&stop, true);
}

/* A second signal has its usual effect. SIGUSR1 is what batch systems send before the limit; SIGALRM is --max-time. */
static void catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGALRM, &action, NULL);
}

struct watch {
  struct cli_progress progress;
  struct sim_progress last;
};

static void watch_progress(void *ctx, const struct sim_progress *p) {
  struct watch *w = ctx;
  w->last = *p;
  cli_progress_show(&w->progress, p);
}

/* results/<name of the scenario>.h5; the caller frees. */
static char *default_output(const char *scenario) {
  const char *slash = strrchr(scenario, '/'), *name = slash ? slash + 1 : scenario;
  const char *dot = strrchr(name, '.');
  if (strcmp(scenario, "-") == 0) return sim_strdup("results/scenario.h5");
  return sim_strf("results/%.*s.h5", (int)(dot && dot != name ? (size_t)(dot - name) : strlen(name)), name);
}

static void say_interrupted(const struct watch *w, const char *line, bool overwrite) {
  fprintf(stderr,
          "airesim: interrupted; %llu of %llu runs are done and kept. The same command%s goes on from there:\n  %s\n",
          (unsigned long long)w->last.done, (unsigned long long)w->last.total,
          overwrite ? ", without --overwrite," : "", line);
}

/* What was reached of `design.precision`. */
static void say_precision(const struct sim_progress *p) {
  if (!p->points) return;
  fprintf(stderr, "airesim: precision: an interval of %.4g %s or less was reached at %llu of %llu design point%s",
          p->precision, p->unit, (unsigned long long)p->points_reached, (unsigned long long)p->points,
          p->points == 1 ? "" : "s");
  if (isfinite(p->widest)) fprintf(stderr, "; the widest is %.4g %s", p->widest, p->unit);
  fputs(p->points_reached < p->points ? "; at the others `design.replicates` came first\n" : "\n", stderr);
}

static void say_done(const struct watch *w, const char *output) {
  char time[32];
  if (w->last.phase && strcmp(w->last.phase, "complete") == 0) {
    fprintf(stderr, "airesim: %s is complete already; --overwrite runs it again\n", output);
    return;
  }
  fprintf(stderr, "airesim: wrote %s: %llu runs", output, (unsigned long long)w->last.total);
  if (w->last.resumed) fprintf(stderr, ", %llu of them from before", (unsigned long long)w->last.resumed);
  if (w->last.failed) fprintf(stderr, ", %llu failed", (unsigned long long)w->last.failed);
  if (w->last.damaged) fprintf(stderr, ", %llu damaged and run again", (unsigned long long)w->last.damaged);
  fprintf(stderr, ", in %s\n", cli_duration(w->last.seconds, time));
  say_precision(&w->last);
}

/* "3/7": part 3 of 7. */
static int parse_shard(const char *text, size_t *part, size_t *parts) {
  char *end, *end2;
  unsigned long i = strtoul(text, &end, 10), n = *end == '/' ? strtoul(end + 1, &end2, 10) : 0;
  if (*end != '/' || end2 == end + 1 || *end2 || *text == '-' || i < 1 || i > n || n > 60000)
    return cli_usage("run", "--shard expects I/N with I from 1 to N (60000 at most), not `%s`", text);
  *part = i, *parts = n;
  return CLI_DONE;
}

static void say_part(const struct watch *w, const struct sim_batch_options *o) {
  char time[32];
  fprintf(stderr,
          "airesim: part %zu of %zu is done: %llu runs, %llu of them from before, in %s. When all are:\n"
          "  airesim merge %s.journal -o %s\n",
          o->part, o->parts, (unsigned long long)w->last.total, (unsigned long long)w->last.resumed,
          cli_duration(w->last.seconds, time), o->output, o->output);
}

static int run_batch(const struct cli_context *context, const struct run_options *o, const struct sim_scenario *s,
                     const char *output, struct sim_mpi *mpi, struct sim_diag *diag) {
  struct watch watch = {0};
  bool leads = sim_mpi_rank(mpi) == 0;
  long seconds = 0;
  struct sim_batch_options batch = {.output = output,
                                    .jobs = o->jobs > 0 ? (unsigned)o->jobs : 0,
                                    .overwrite = o->overwrite,
                                    .command_line = context->line,
                                    .mpi = mpi,
                                    .stop = &stop,
                                    .progress = watch_progress,
                                    .ctx = &watch};
  if (mpi && o->jobs == 0) batch.jobs = 1; /* launchers start a rank for each core */
  if (o->shard && parse_shard(o->shard, &batch.part, &batch.parts)) return CLI_USAGE;
  if (o->max_time && !cli_walltime(o->max_time, &seconds))
    return cli_usage("run", "--max-time expects a time such as 1:30:00 or `90 min`, not `%s`", o->max_time);
  int status = CLI_DONE;
  cli_progress_init(&watch.progress, o->quiet || !leads);
  catch_signals();
  if (seconds) alarm((unsigned)seconds);
  int code = sim_batch_run(s, &batch, diag);
  alarm(0);
  cli_progress_end(&watch.progress);
  if (!leads) {
    if (diag->n) cli_print_diag(diag);
    status = code == SIM_ERR_INPUT ? CLI_USAGE : code ? CLI_FAILED : CLI_DONE;
  } else if (code == SIM_ERR_INTERRUPTED) {
    say_interrupted(&watch, context->line, o->overwrite);
    status = CLI_INTERRUPTED;
  } else if (code) {
    status = cli_status(code, diag);
  } else {
    bool part = watch.last.phase && strcmp(watch.last.phase, "part") == 0;
    if (!o->quiet && part) say_part(&watch, &batch);
    if (!o->quiet && !part) say_done(&watch, output);
    if (watch.last.total && watch.last.failed == watch.last.total) status = cli_fail("every run failed");
  }
  return status;
}

/* Loads on every rank; the lowest that cannot says why. */
static int load(struct sim_scenario **s, const struct run_options *o, const char *scenario, struct sim_mpi *mpi) {
  struct sim_diag diag = {0};
  int code = sim_scenario_load(s, scenario, o->sets.patch, o->sets.n, &diag), status = CLI_DONE;
  int first = sim_mpi_first_failed(mpi, code);
  if (first >= 0) status = (unsigned)first == sim_mpi_rank(mpi) ? cli_status(code, &diag) : CLI_USAGE;
  sim_diag_free(&diag);
  return status;
}

static int run_with(const struct cli_context *context, const struct run_options *o, struct sim_mpi *mpi) {
  const char *scenario = context->words.word[0];
  struct sim_diag diag = {0};
  struct sim_scenario *s = NULL;
  char *output = NULL;
  int status = load(&s, o, scenario, mpi);
  if (status) goto out;
  status = CLI_FAILED;
  output = o->output ? sim_strdup(o->output) : default_output(scenario);
  if (!output) {
    cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  } else if (!o->output && mkdir("results", 0777) != 0 && errno != EEXIST) {
    cli_fail("the directory `results` cannot be made: %s", strerror(errno));
  } else {
    status = run_batch(context, o, s, output, mpi, &diag);
  }
out:
  sim_free(output);
  sim_scenario_free(s);
  sim_diag_free(&diag);
  return status;
}

static int run(const struct cli_context *context, void *options) {
  const struct run_options *o = options;
  struct sim_mpi *mpi = NULL;
  if (o->jobs > 4096) return cli_usage("run", "--jobs: at most 4096");
  if (!o->shard && sim_mpi_start(&mpi) != 0)
    return cli_fail(
        "a launcher started several processes, but this program does not find the others through MPI; build "
        "it with an MPI that the launcher knows, or use --shard");
  int status = mpi && strcmp(context->words.word[0], "-") == 0
                   ? cli_usage("run", "standard input reaches only one of the processes: give a file")
                   : run_with(context, o, mpi);
  sim_mpi_end(mpi);
  return status;
}

static const struct run_options defaults = {.jobs = 0};
#define AT(field) offsetof(struct run_options, field)
static const struct cli_option options[] = {
    {"output", 'o', CLI_TEXT, AT(output), "FILE", "results/<name of the scenario>.h5", "the results file (HDF5)"},
    {"jobs", 'j', CLI_COUNT, AT(jobs), "N", "one a core", "threads; the results do not depend on it"},
    {"replicates", 0, CLI_DESIGN, AT(sets), "R", "as the scenario says", "replicates of each arm"},
    {"seed", 0, CLI_DESIGN, AT(sets), "K", "as the scenario says", "seed of the random streams"},
    {"set", 0, CLI_SET, AT(sets), "PATH=VALUE", NULL, "change a value of the scenario; may be repeated"},
    {"shard", 0, CLI_TEXT, AT(shard), "I/N", "all of it", "make only part I of N, for `airesim merge`"},
    {"max-time", 0, CLI_TEXT, AT(max_time), "TIME", "none",
     "stop cleanly after TIME (1:30:00, `90 min`), to be resumed"},
    {"quiet", 'q', CLI_FLAG, AT(quiet), NULL, NULL, "no progress, only errors"},
    {"overwrite", 0, CLI_FLAG, AT(overwrite), NULL, NULL, "start again instead of resuming or refusing"},
    {.name = NULL}};

const struct cli_command cli_cmd_run = {
    .name = "run",
    .arguments = "SCENARIO",
    .purpose = "run a scenario: every arm, design point and replicate",
    .about = "The scenario is checked whole before anything is written. Finished runs are kept in journals beside the\n"
             "results file until it is written; after an interruption (exit status 3) or a crash the same command\n"
             "resumes. SCENARIO may be `-` for standard input.\n\n"
             "Started by mpirun or srun, the processes share the runs. With --shard nothing is shared: each part\n"
             "is a command of its own, in any order, anywhere; `airesim merge` joins them. docs/clusters.md.",
    .examples = "  airesim run scenarios/outbreak_response.yaml\n"
                "  airesim run scenarios/outbreak_response.yaml -o twice.h5 --set teams.vaccinators.size=8\n"
                "  airesim run scenarios/power_restoration_sandy.yaml --replicates 1000 --jobs 8\n"
                "  mpirun -n 4 airesim run scenarios/outbreak_response.yaml -o many.h5 --replicates 10000\n"
                "  airesim run scenarios/outbreak_response.yaml -o many.h5 --shard 3/7 --max-time 1:50:00",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
