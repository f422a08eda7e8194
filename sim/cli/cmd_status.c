/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/core/mem.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static void print_left(uint64_t total, uint64_t done, double rate) {
  char text[32];
  printf("\t%s\n", rate > 0 && total > done ? cli_duration((double)(total - done) / rate, text) : "-");
}

static void print_journal(const struct sim_journal_status *j) {
  char text[32];
  bool most = j->precision && *j->precision;
  printf("%s\t%" PRIu64 " of %s%" PRIu64 " runs done, %" PRIu64 " failed\n", j->running ? "running" : "stopped",
         j->done, most ? "at most " : "", j->total, j->failed);
  if (most) printf("precision\t%s\n", j->precision);
  printf("started\t%s\nlast run\t%s ago\n", j->started, cli_duration(j->seconds_since_last, text));
  if (j->rate > 0) printf("rate\t%.3g runs/s\n", j->rate);
  if (j->running) {
    printf("left");
    print_left(j->total, j->done, j->rate);
  }
  puts("arm\tdone\tof\tfailed\tcensored\truns/s\tleft");
  for (size_t i = 0; i < j->arms; i++) {
    const struct sim_journal_arm *a = &j->arm[i];
    printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.3g", a->name ? a->name : "?", a->done, a->total,
           a->failed, a->censored, a->rate);
    print_left(a->total, a->done, a->rate);
  }
  if (!j->running) puts("resume\tthe command that started it goes on from there");
}

/* Runs of an arm that had not recovered to the highest level: most of all levels. i: its first row. */
static size_t censored(const struct sim_recovery *rows, size_t n, size_t i) {
  size_t most = 0;
  for (size_t k = i; k < n && strcmp(rows[k].arm, rows[i].arm) == 0; k++) {
    size_t here = rows[k].count[SIM_STATUS_CENSORED] + rows[k].count[SIM_STATUS_RELAPSED_CENSORED];
    if (here > most) most = here;
  }
  return most;
}

/* Runs by arm of a finished file, from the variable `status`. */
static int print_results(const char *path, struct sim_diag *diag) {
  struct sim_results *r = NULL;
  struct sim_recovery *rows = NULL;
  size_t n = 0;
  int code = sim_results_open(&r, path, diag);
  if (code == 0) code = sim_summary_recoveries(r, NAN, &rows, &n, diag);
  if (code == 0) puts("complete\narm\truns\tfailed\tcensored");
  for (size_t i = 0; code == 0 && i < n; i++)
    if (i == 0 || strcmp(rows[i].arm, rows[i - 1].arm) != 0)
      printf("%s\t%zu\t%zu\t%zu\n", rows[i].arm, rows[i].runs, rows[i].count[SIM_STATUS_FAILED], censored(rows, n, i));
  sim_free(rows);
  sim_results_close(r);
  return code;
}

static int run(const struct cli_context *context, void *options) {
  (void)options;
  const char *path = context->words.word[0];
  struct sim_diag diag = {0};
  struct sim_journal_status journal = {0};
  int code = sim_journal_status(path, &journal, &diag), status = CLI_DONE;
  if (code == 0)
    print_journal(&journal);
  else if (code < 0)
    status = cli_status(code, &diag);
  else if (access(path, F_OK) == 0)
    status = cli_status(print_results(path, &diag), &diag);
  else
    status = cli_usage("status", "neither %s nor a journal of it exists", path);
  sim_journal_status_free(&journal);
  sim_diag_free(&diag);
  return status;
}

static const struct cli_option options[] = {{.name = NULL}};

const struct cli_command cli_cmd_status = {
    .name = "status",
    .arguments = "RESULTS",
    .purpose = "how far a batch is, by arm: done, failed, censored, rate, time left",
    .about =
        "Reads the journals beside RESULTS while they grow, of all parts and ranks, or the file where the batch is\n"
        "complete. Rates are those of the processes that run now. Where a finished file is being made longer, it\n"
        "counts the runs that are added.",
    .examples = "  airesim status results/outbreak_response.h5",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
