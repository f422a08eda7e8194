/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/core/mem.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

struct run_options {
  const char *output;
  int64_t jobs;
  struct cli_sets sets;
  bool quiet, overwrite;
};

static atomic_bool stop; /* the one thing that a signal's handler may touch */

static void on_signal(int signal) {
  (void)signal;
  atomic_store(&stop, true);
}

/* A second signal has its usual effect. */
static void catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
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

static void say_interrupted(const struct watch *w, const char *line) {
  fprintf(stderr,
          "airesim: interrupted; %llu of %llu runs are done and kept. The same command goes on from there:\n  %s\n",
          (unsigned long long)w->last.done, (unsigned long long)w->last.total, line);
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
}

static int run_batch(const struct cli_context *context, const struct run_options *o, const struct sim_scenario *s,
                     const char *output, struct sim_diag *diag) {
  struct watch watch = {0};
  struct sim_batch_options batch = {.output = output,
                                    .jobs = o->jobs > 0 ? (unsigned)o->jobs : 0,
                                    .replicates = -1,
                                    .seed = -1,
                                    .overwrite = o->overwrite,
                                    .command_line = context->line,
                                    .stop = &stop,
                                    .progress = watch_progress,
                                    .ctx = &watch};
  cli_progress_init(&watch.progress, o->quiet);
  catch_signals();
  int code = sim_batch_run(s, &batch, diag);
  cli_progress_end(&watch.progress);
  if (code == SIM_ERR_INTERRUPTED) {
    say_interrupted(&watch, context->line);
    return CLI_INTERRUPTED;
  }
  if (code) return cli_status(code, diag);
  if (!o->quiet) say_done(&watch, output);
  if (watch.last.total && watch.last.failed == watch.last.total) return cli_fail("every run failed");
  return CLI_DONE;
}

static int run(const struct cli_context *context, void *options) {
  const struct run_options *o = options;
  const char *scenario = context->words.word[0];
  struct sim_diag diag = {0};
  struct sim_scenario *s = NULL;
  char *output = NULL;
  if (o->jobs > 4096) return cli_usage("run", "--jobs: at most 4096");
  int status = cli_status(sim_scenario_load(&s, scenario, o->sets.patch, o->sets.n, &diag), &diag);
  if (status) goto out;
  status = CLI_FAILED;
  output = o->output ? sim_strdup(o->output) : default_output(scenario);
  if (!output) {
    cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  } else if (!o->output && mkdir("results", 0777) != 0 && errno != EEXIST) {
    cli_fail("the directory `results` cannot be made: %s", strerror(errno));
  } else {
    status = run_batch(context, o, s, output, &diag);
  }
out:
  sim_free(output);
  sim_scenario_free(s);
  sim_diag_free(&diag);
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
    {"quiet", 'q', CLI_FLAG, AT(quiet), NULL, NULL, "no progress, only errors"},
    {"overwrite", 0, CLI_FLAG, AT(overwrite), NULL, NULL, "start again instead of resuming or refusing"},
    {.name = NULL}};

const struct cli_command cli_cmd_run = {
    .name = "run",
    .arguments = "SCENARIO",
    .purpose = "run a scenario: every arm, design point and replicate",
    .about = "The scenario is checked whole before anything is written. Finished runs are kept in journals beside the\n"
             "results file until it is written; after an interruption (exit status 3) or a crash the same command\n"
             "resumes. SCENARIO may be `-` for standard input.",
    .examples = "  airesim run scenarios/outbreak_response.yaml\n"
                "  airesim run scenarios/outbreak_response.yaml -o twice.h5 --set teams.vaccinators.size=8\n"
                "  airesim run scenarios/power_restoration_sandy.yaml --replicates 1000 --jobs 8",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
