/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person reads while a subcommand works: diagnostics with the line they are about, and progress. */
#include "sim/cli/cli.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- diagnostics ----------------------------------------------------------------------------------------------- */

/* Line number `line` of a file into *text (getline's buffer); false if there is none. */
static bool read_line(const char *file, unsigned line, char **text, size_t *cap) {
  FILE *in = fopen(file, "r");
  if (!in) return false;
  ssize_t length = -1;
  for (unsigned i = 0; i < line && (length = getline(text, cap, in)) >= 0; i++) {
  }
  fclose(in);
  if (length < 0) return false;
  (*text)[strcspn(*text, "\r\n")] = '\0';
  return true;
}

/* The line, and a caret below its column (in characters, from 1). */
static void print_place(const char *text, unsigned column) {
  fprintf(stderr, "  %s\n  ", text);
  const char *at = text;
  for (unsigned i = 1; i < column && *at; i++) {
    fputc(*at == '\t' ? '\t' : ' ', stderr);
    at++;
    while ((*at & 0xC0) == 0x80) /* the rest of a character of UTF-8 */
      at++;
  }
  fputs("^\n", stderr);
}

void cli_print_diag(const struct sim_diag *diag) {
  char *text = NULL;
  size_t cap = 0;
  for (size_t i = 0; i < diag->n; i++) {
    const struct sim_diag_item *item = &diag->items[i];
    if (item->file) fprintf(stderr, "%s:", item->file);
    if (item->line) fprintf(stderr, "%u:%u:", item->line, item->column);
    fprintf(stderr, "%s: %s%s%s\n", item->file ? " error" : "airesim: error", item->path ? item->path : "",
            item->path ? ": " : "", item->text);
    if (item->file && item->line && read_line(item->file, item->line, &text, &cap) && strlen(text) < 400)
      print_place(text, item->column);
  }
  free(text);
}

int cli_status(int code, const struct sim_diag *diag) {
  if (code == 0) return CLI_DONE;
  if (diag && diag->n)
    cli_print_diag(diag);
  else
    cli_fail("%s", sim_err_text(code));
  if (code == SIM_ERR_INPUT) return CLI_USAGE;
  return code == SIM_ERR_INTERRUPTED ? CLI_INTERRUPTED : CLI_FAILED;
}

/* ---- progress -------------------------------------------------------------------------------------------------- */

const char *cli_duration(double seconds, char buffer[32]) {
  long long s = isfinite(seconds) && seconds > 0 ? (long long)(fmin(seconds, 1e15) + 0.5) : 0;
  if (s < 60)
    snprintf(buffer, 32, "%lld s", s);
  else if (s < 3600)
    snprintf(buffer, 32, "%lld min %lld s", s / 60, s % 60);
  else if (s < 48 * 3600)
    snprintf(buffer, 32, "%lld h %lld min", s / 3600, s / 60 % 60);
  else
    snprintf(buffer, 32, "%lld days %lld h", s / 86400, s / 3600 % 24);
  return buffer;
}

void cli_progress_init(struct cli_progress *p, bool quiet) {
  *p = (struct cli_progress){.quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1};
}

void cli_progress_show(void *ctx, const struct sim_progress *now) {
  const double plain_every = 5; /* seconds between lines where there is no terminal */
  struct cli_progress *p = ctx;
  if (p->quiet) return;
  bool last = now->done >= now->total || strcmp(now->phase, "running") != 0;
  if (!p->terminal && !last && now->seconds - p->last < plain_every) return;
  if (!p->terminal && last && p->width) return; /* the last plain line is out */
  char line[160], left[32];
  double rest = now->rate > 0 ? (double)(now->total - now->done) / now->rate : NAN;
  int n = snprintf(line, sizeof line, "%s %llu/%llu runs (%.0f %%)", now->phase, (unsigned long long)now->done,
                   (unsigned long long)now->total, now->total ? 100.0 * (double)now->done / (double)now->total : 100);
  if (now->failed) n += snprintf(line + n, sizeof line - (size_t)n, ", %llu failed", (unsigned long long)now->failed);
  if (now->rate > 0) n += snprintf(line + n, sizeof line - (size_t)n, ", %.3g runs/s", now->rate);
  if (!last && isfinite(rest)) n += snprintf(line + n, sizeof line - (size_t)n, ", %s left", cli_duration(rest, left));
  if (p->terminal) {
    fprintf(stderr, "\r%-*s", p->width, line);
    p->width = n;
  } else {
    fprintf(stderr, "%s\n", line);
    p->width = last;
  }
  p->last = now->seconds;
}

void cli_progress_end(struct cli_progress *p) {
  if (!p->quiet && p->terminal && p->width) fputc('\n', stderr);
  p->width = 0;
}
