/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/cli/walltime.h"
#include "sim/core/mem.h"
#include <string.h>
#include <unistd.h>

struct slurm_options {
  const char *output, *time;
  int64_t nodes, tasks_per_node;
  struct cli_sets sets;
};

/* A word for the shell: quoted where it holds anything unusual. */
static void print_word(const char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (*word && word[strspn(word, plain)] == '\0') {
    fputs(word, stdout);
    return;
  }
  putchar('\'');
  for (; *word; word++) {
    if (*word == '\'') {
      fputs("'\\''", stdout);
    } else {
      putchar(*word);
    }
  }
  putchar('\'');
}

static void print_setting(const char *name, const char *value) {
  printf("%s=", name);
  print_word(value);
  putchar('\n');
}

/* Time to stop at: a twentieth of the limit before it, between 20 seconds and 10 minutes, but not before its half. */
static long stop_at(long limit) {
  long margin = limit / 20;
  if (margin < 20) margin = 20;
  if (margin > 600) margin = 600;
  return limit - margin > limit / 2 ? limit - margin : limit / 2;
}

static void print_head(const struct slurm_options *o, const char *scenario, long parts) {
  printf("#!/bin/bash\n"
         "# Runs %s as an array job of %ld parts: nodes: %lld, tasks a node: %lld, time: at most %s each.\n"
         "#   submit:  bash THIS_SCRIPT     (an array job, and a job that merges its parts when all have ended)\n"
         "#   watch:   airesim status \"$OUTPUT\"\n"
         "#   resume:  bash THIS_SCRIPT     again; parts that are done end at once, others go on where they stopped\n"
         "#   merge:   airesim merge \"$OUTPUT.journal\" -o \"$OUTPUT\"     (what the last job does)\n"
         "# A part that is stopped by its time limit, or requeued, loses at most its last second of work.\n"
         "# SCENARIO and OUTPUT must be on a file system that all nodes see.\n"
         "#SBATCH --job-name=airesim\n"
         "#SBATCH --ntasks=1\n"
         "#SBATCH --requeue\n",
         scenario, parts, (long long)o->nodes, (long long)o->tasks_per_node, o->time);
}

static int print_script(const struct slurm_options *o, const char *scenario, const char *output, long seconds) {
  char program[4096], full[4096];
  ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
  if (n <= 0) return cli_fail("the program does not know its own path");
  program[n] = '\0';
  if (!getcwd(full, sizeof full)) return cli_fail("the working directory is unknown");
  long parts = (long)(o->nodes * o->tasks_per_node), stop = stop_at(seconds);
  print_head(o, scenario, parts);
  printf("#SBATCH --time=%ld-%02ld:%02ld:%02ld\n", seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60,
         seconds % 60);
  puts("set -eu");
  print_setting("PROGRAM", program);
  print_setting("DIRECTORY", full);
  print_setting("SCENARIO", scenario);
  print_setting("OUTPUT", output);
  printf("PARTS=%ld\nOPTIONS=(", parts);
  for (size_t i = 0; i < o->sets.n; i++) {
    char *set = sim_strf("%s=%s", o->sets.patch[i].path, o->sets.patch[i].text);
    if (!set) return cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
    if (i) putchar(' ');
    fputs("--set ", stdout);
    print_word(set);
    sim_free(set);
  }
  printf(")\n"
         "cd \"$DIRECTORY\"\n\n"
         "if [ -n \"${SLURM_ARRAY_TASK_ID:-}\" ]; then\n"
         "  # One part. Exit status 3: time was up (in Slurm's eyes the task failed; submit again to resume).\n"
         "  exec \"$PROGRAM\" run \"$SCENARIO\" -o \"$OUTPUT\" \"${OPTIONS[@]}\" --quiet --jobs 1 \\\n"
         "    --shard \"$SLURM_ARRAY_TASK_ID/$PARTS\" --max-time %lds\n"
         "elif [ -n \"${SLURM_JOB_ID:-}\" ]; then\n"
         "  exec \"$PROGRAM\" merge \"$OUTPUT.journal\" -o \"$OUTPUT\" --remove\n"
         "fi\n\n"
         "# Not inside a job: submit both. The merge says what is missing if a part did not end well.\n"
         "array=$(sbatch --parsable --array=1-$PARTS \"$0\")\n"
         "merge=$(sbatch --parsable --dependency=afterany:${array%%%%;*} \"$0\")\n"
         "echo \"submitted: array ${array%%%%;*} of $PARTS parts, then merge ${merge%%%%;*}\"\n\n"
         "# As one MPI job instead, where srun and the program share an MPI (docs/clusters.md):\n"
         "#   srun --nodes=%lld --ntasks-per-node=%lld --mpi=pmix \"$PROGRAM\" run \"$SCENARIO\" -o \"$OUTPUT\"\n",
         stop, (long long)o->nodes, (long long)o->tasks_per_node);
  return CLI_DONE;
}

/* The name of a file in a directory `results`, after the scenario's. */
static char *default_output(const char *scenario) {
  const char *slash = strrchr(scenario, '/'), *name = slash ? slash + 1 : scenario;
  const char *dot = strrchr(name, '.');
  return sim_strf("results/%.*s.h5", (int)(dot && dot != name ? (size_t)(dot - name) : strlen(name)), name);
}

/* Nobody should wait in a queue for a wrong scenario, nor for parts that have nothing to do. */
static int check_parts(const struct slurm_options *o, const struct sim_scenario *s, struct sim_diag *diag) {
  struct sim_design design = {0};
  size_t parts = (size_t)(o->nodes * o->tasks_per_node);
  int code = sim_design_init(&design, s, -1, -1, diag);
  size_t pieces = code ? 0 : design.floor ? design.points : sim_design_runs(&design);
  if (code == 0 && parts > pieces && design.floor) {
    code = sim_diag_add(diag, NULL, NULL,
                        "with `design.precision` a part is made of whole design points, and there are %zu of them for "
                        "%zu tasks: use fewer tasks, or MPI",
                        pieces, parts);
  } else if (code == 0 && parts > pieces) {
    fprintf(stderr, "airesim: warning: %zu tasks for %zu runs: %zu have nothing to do\n", parts, pieces,
            parts - pieces);
  }
  sim_design_free(&design);
  return code;
}

static int run(const struct cli_context *context, void *options) {
  const struct slurm_options *o = options;
  const char *scenario = context->words.word[0];
  long seconds;
  if (!o->time || !cli_walltime(o->time, &seconds))
    return cli_usage("slurm", "--time expects a limit such as 2:00:00%s%s", o->time ? ", not " : "",
                     o->time ? o->time : "");
  if (o->nodes < 1 || o->tasks_per_node < 1 || o->nodes > 60000 || o->nodes * o->tasks_per_node > 60000)
    return cli_usage("slurm", "--nodes and --tasks-per-node: from 1 to 60000 tasks in all");
  struct sim_diag diag = {0};
  struct sim_scenario *s = NULL;
  int status = cli_status(sim_scenario_load(&s, scenario, o->sets.patch, o->sets.n, &diag), &diag);
  if (status == CLI_DONE) status = cli_status(check_parts(o, s, &diag), &diag);
  char *output = o->output ? sim_strdup(o->output) : default_output(scenario);
  if (status == CLI_DONE && !output) status = cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  if (status == CLI_DONE) status = print_script(o, scenario, output, seconds);
  sim_free(output);
  sim_scenario_free(s);
  sim_diag_free(&diag);
  return status;
}

static const struct slurm_options defaults = {.nodes = 1, .tasks_per_node = 1};
#define AT(field) offsetof(struct slurm_options, field)
static const struct cli_option options[] = {
    {"nodes", 0, CLI_COUNT, AT(nodes), "N", "1", "nodes"},
    {"tasks-per-node", 0, CLI_COUNT, AT(tasks_per_node), "N", "1",
     "tasks of one core a node; parts are N times as many"},
    {"time", 0, CLI_TEXT, AT(time), "LIMIT", NULL, "limit of each task (2:00:00, 1-12:00:00); needed"},
    {"output", 'o', CLI_TEXT, AT(output), "FILE", "results/<name of the scenario>.h5", "the results file (HDF5)"},
    {"replicates", 0, CLI_DESIGN, AT(sets), "R", "as the scenario says", "replicates of each arm"},
    {"seed", 0, CLI_DESIGN, AT(sets), "K", "as the scenario says", "seed of the random streams"},
    {"set", 0, CLI_SET, AT(sets), "PATH=VALUE", NULL, "change a value of the scenario; may be repeated"},
    {.name = NULL}};

const struct cli_command cli_cmd_slurm = {
    .name = "slurm",
    .arguments = "SCENARIO",
    .purpose = "print a job script for a cluster that runs Slurm",
    .about =
        "The script submits an array job whose tasks each make one part (run --shard), and a job that merges them.\n"
        "Started again it resumes. Tasks stop cleanly a little before the limit.",
    .examples =
        "  airesim slurm scenarios/outbreak_response.yaml --nodes 4 --time 2:00:00 > job.sh && bash job.sh\n"
        "  airesim slurm mine.yaml --nodes 20 --tasks-per-node 48 --time 1-00:00:00 --replicates 100000 > job.sh",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
