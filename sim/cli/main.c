/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program: finds the subcommand in a table and runs it. */
#include "sim/cli/cli.h"
#include "sim/core/lanes.h"
#include "sim/core/mem.h"
#include <stdlib.h>
#include <string.h>

static const struct cli_command *const commands[] = {
    &cli_cmd_run,    &cli_cmd_check,  &cli_cmd_show,   &cli_cmd_compare, &cli_cmd_report, &cli_cmd_replay,
    &cli_cmd_models, &cli_cmd_schema, &cli_cmd_status, &cli_cmd_merge,   &cli_cmd_slurm,  &cli_cmd_bench};
#define N_COMMANDS (sizeof commands / sizeof *commands)

static void help(FILE *out) {
  fputs("airesim: how fast does society recover when AI is misused or fails, and what would make it faster?\n\n"
        "Usage: airesim COMMAND [arguments] [options]\n\nCommands:\n",
        out);
  for (size_t i = 0; i < N_COMMANDS; i++) fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->purpose);
  fputs("\n`airesim COMMAND --help` shows a command's options and examples; `airesim --version` the versions.\n"
        "Exit status: 0 done, 1 failed, 2 bad usage or scenario, 3 interrupted but resumable.\n",
        out);
}

static int version(void) {
  printf("airesim %s (scenario language %d, random streams %d)\n", AIRESIM_VERSION, SIM_LANGUAGE_VERSION,
         SIM_STREAM_VERSION);
  return cli_flush() ? CLI_DONE : CLI_FAILED;
}

static const struct cli_command *find(const char *name) {
  for (size_t i = 0; i < N_COMMANDS; i++)
    if (strcmp(commands[i]->name, name) == 0) return commands[i];
  return NULL;
}

static int unknown(const char *name) {
  const char *names[N_COMMANDS];
  for (size_t i = 0; i < N_COMMANDS; i++) names[i] = commands[i]->name;
  const char *near = cli_nearest(name, names, N_COMMANDS);
  if (near) return cli_usage("", "no command `%s`; did you mean `%s`?", name, near);
  return cli_usage("", "no command `%s`", name);
}

/* AIRESIM_LANES: no wider vectors than these. */
static int limit_lanes(void) {
  static const char *const names[] = {"none", "avx", "avx2", "avx512"};
  const char *most = getenv("AIRESIM_LANES");
  if (!most || !*most) return CLI_DONE;
  for (int lanes = SIM_LANES_NONE; lanes <= SIM_LANES_AVX512; lanes++)
    if (strcmp(most, names[lanes]) == 0) {
      sim_lanes_limit((enum sim_lanes)lanes);
      return CLI_DONE;
    }
  return cli_usage("", "the environment's AIRESIM_LANES is none, avx, avx2 or avx512, not `%s`", most);
}

/* The words of the command line joined by blanks, as provenance shows them. */
static char *join(int argc, char **argv) {
  size_t length = 1;
  for (int i = 0; i < argc; i++) length += strlen(argv[i]) + 1;
  char *line = sim_alloc(length), *end = line;
  for (int i = 0; line && i < argc; i++) {
    size_t n = strlen(argv[i]);
    memcpy(end, argv[i], n);
    end += n;
    *end++ = i + 1 < argc ? ' ' : '\0';
  }
  return line;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    help(stderr);
    return CLI_USAGE;
  }
  const char *name = argv[1];
  if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) return version();
  bool wants_help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0;
  if (wants_help && argc == 2) {
    help(stdout);
    return cli_flush() ? CLI_DONE : CLI_FAILED;
  }
  const struct cli_command *command = find(wants_help ? argv[2] : name);
  if (!command) return unknown(wants_help ? argv[2] : name);
  if (wants_help) {
    cli_command_help(command, stdout);
    return cli_flush() ? CLI_DONE : CLI_FAILED;
  }
  int status = limit_lanes();
  if (status) return status;
  char *line = join(argc, argv);
  if (!line) return cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  status = cli_command_run(command, argc - 2, argv + 2, line);
  sim_free(line);
  return status;
}
