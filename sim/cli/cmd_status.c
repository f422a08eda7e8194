/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/core/mem.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Seconds since an ISO 8601 time in UTC, or -1. */
static double seconds_since(const char *iso) {
  struct tm t = {0};
  if (sscanf(iso, "%d-%d-%dT%d:%d:%d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec) != 6)
    return -1;
  t.tm_year -= 1900;
  t.tm_mon -= 1;
  return difftime(time(NULL), timegm(&t));
}

static void print_journal(const struct sim_journal_status *j) {
  char text[32];
  double elapsed = seconds_since(j->started) - j->seconds_since_last;
  printf("%s\t%" PRIu64 " of %" PRIu64 " runs done, %" PRIu64 " failed\n", j->running ? "running" : "stopped", j->done,
         j->total, j->failed);
  printf("started\t%s\nlast run\t%s ago\n", j->started, cli_duration(j->seconds_since_last, text));
  if (elapsed > 0 && j->done > 0) {
    double rate = (double)j->done / elapsed;
    printf("rate\t%.3g runs/s\n", rate);
    if (j->running && j->total > j->done) printf("left\t%s\n", cli_duration((double)(j->total - j->done) / rate, text));
  }
  if (!j->running) puts("resume\tthe command that started it goes on from there");
}

/* Runs by arm of a finished file, from the variable `status`. */
static int print_results(const char *path, struct sim_diag *diag) {
  struct sim_results *r = NULL;
  struct sim_recovery *rows = NULL;
  size_t n = 0;
  int code = sim_results_open(&r, path, diag);
  if (code == 0) code = sim_summary_recoveries(r, NAN, &rows, &n, diag);
  if (code == 0) puts("complete");
  for (size_t i = 0; code == 0 && i < n; i++)
    if (i == 0 || strcmp(rows[i].arm, rows[i - 1].arm) != 0)
      printf("%s\t%zu runs, %zu failed\n", rows[i].arm, rows[i].runs, rows[i].count[SIM_STATUS_FAILED]);
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
  sim_diag_free(&diag);
  return status;
}

static const struct cli_option options[] = {{.name = NULL}};

const struct cli_command cli_cmd_status = {
    .name = "status",
    .arguments = "RESULTS",
    .purpose = "how far a batch is: done, failed, rate, time left",
    .about = "Reads the journals beside RESULTS while they grow, or the file where the batch is complete.",
    .examples = "  airesim status results/outbreak_response.h5",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
