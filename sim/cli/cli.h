/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the subcommands share: options from tables, messages, progress.
 *
 * A subcommand is one `struct cli_command` in one file cmd_<name>.c; main.c lists them. Its options are a table whose
 * rows say where, in the subcommand's own struct, the value goes; from the same rows comes `--help`. Data goes to
 * stdout, everything else to stderr. */
#ifndef SIM_CLI_CLI_H
#define SIM_CLI_CLI_H
#include "sim/core/err.h"
#include "sim/experiment/experiment.h"
#include "sim/scenario/scenario.h"
#include <stdio.h>

enum cli_exit { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_INTERRUPTED = 3 };

enum cli_type {
  CLI_FLAG,    /* bool */
  CLI_TEXT,    /* const char * */
  CLI_COUNT,   /* int64_t, 0 or more; 1e6 is a million */
  CLI_NUMBER,  /* double, finite, 0 or more */
  CLI_SET,     /* struct cli_sets: path=value, may be repeated */
  CLI_DESIGN,  /* struct cli_sets: a whole number for the key of `design` that the option is named after */
  CLI_OPTIONAL /* const char *: the next word if it holds a wildcard (or --name=WORD), else "" */
};

struct cli_option { /* tables end with name NULL */
  const char *name; /* without dashes */
  char letter;      /* or 0 */
  enum cli_type type;
  size_t offset;        /* in the subcommand's struct */
  const char *argument; /* "FILE"; NULL for flags */
  const char *fallback; /* the default in words; NULL: none */
  const char *doc;
};

#define CLI_MAX_SETS 64
struct cli_sets {
  struct sim_patch patch[CLI_MAX_SETS]; /* borrowed from the command line, whose '=' was cut */
  size_t n;
};

#define CLI_MAX_WORDS 60000 /* `merge` is given journals by the shell's wildcards */
struct cli_words {          /* what is not an option */
  const char **word;        /* [n] */
  unsigned n;
};

struct cli_context {
  struct cli_words words;
  const char *line; /* the whole command line, for provenance */
};

struct cli_command {
  const char *name;                       /* of a part: the whole's, a blank, its own */
  const char *arguments;                  /* "SCENARIO" */
  const char *purpose;                    /* one line */
  const char *about;                      /* further lines of --help, or NULL */
  const char *examples;                   /* lines, each indented by two */
  const struct cli_command *const *parts; /* ends with NULL: the next word chooses one, and nothing below is used */
  const struct cli_option *options;
  unsigned min_words, max_words;
  const void *defaults;                                         /* a struct of the options' targets as it starts */
  size_t size;                                                  /* of that struct */
  int (*run)(const struct cli_context *context, void *options); /* returns an exit status */
};

/* Parses argv (after the subcommand's name) into options and words, answers --help, runs the subcommand. argv's strings
 * may be cut at '='. Returns the exit status. */
int cli_command_run(const struct cli_command *command, int argc, char **argv, const char *line);
void cli_command_help(const struct cli_command *command, FILE *out);

/* "airesim: error: ..." on stderr, and for wrong usage a pointer to --help; returns the status to exit with. */
int cli_fail(const char *fmt, ...) SIM_PRINTF(1, 2);
int cli_usage(const char *command, const char *fmt, ...) SIM_PRINTF(2, 3);
/* All diagnostics on stderr: `file:line:col: error: path: message`, the line and a caret. */
void cli_print_diag(const struct sim_diag *diag);
/* The exit status for a library's code, after printing diag, or the code's text where diag is empty. */
int cli_status(int code, const struct sim_diag *diag);
/* True, with everything of stdout written; else prints why (a full disk). */
bool cli_flush(void);
/* Nearest of n names (edit distance up to 2 or a third of its length), or NULL. */
const char *cli_nearest(const char *word, const char *const *names, size_t n);

/* Index of an arm by name (NULL: the first), or a message and CLI_USAGE. */
int cli_find_arm(const struct sim_scenario *s, const char *command, const char *name, size_t *arm);

/* Seconds in words: "3 min 20 s". */
const char *cli_duration(double seconds, char buffer[32]);

struct cli_progress {
  bool quiet, terminal;
  double last; /* seconds at the last plain line */
  int width;   /* of the line on the terminal, to wipe it */
};
void cli_progress_init(struct cli_progress *p, bool quiet);
/* As sim_batch_options.progress, with a struct cli_progress as ctx. */
void cli_progress_show(void *ctx, const struct sim_progress *progress);
void cli_progress_end(struct cli_progress *p);

extern const struct cli_command cli_cmd_run, cli_cmd_check, cli_cmd_show, cli_cmd_replay, cli_cmd_models,
    cli_cmd_schema, cli_cmd_status, cli_cmd_merge, cli_cmd_slurm, cli_cmd_bench, cli_cmd_compare, cli_cmd_report;
#endif
