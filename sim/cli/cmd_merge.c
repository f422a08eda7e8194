/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/core/mem.h"

struct merge_options {
  const char *output;
  bool allow_missing, overwrite, remove, quiet;
};

/* What is missing or damaged, as warnings. */
static void print_warnings(const struct sim_diag *diag) {
  for (size_t i = 0; i < diag->n; i++) fprintf(stderr, "airesim: warning: %s\n", diag->items[i].text);
}

static int run(const struct cli_context *context, void *options) {
  const struct merge_options *o = options;
  if (!o->output) return cli_usage("merge", "-o FILE is needed: the results file to write");
  struct sim_merge_options merge = {.output = o->output,
                                    .source = context->words.word,
                                    .sources = context->words.n,
                                    .allow_missing = o->allow_missing,
                                    .overwrite = o->overwrite,
                                    .remove = o->remove,
                                    .command_line = context->line};
  struct sim_merge_report report;
  struct sim_diag diag = {0};
  int code = sim_batch_merge(&merge, &report, &diag), status = CLI_DONE;
  if (code == SIM_ERR_RUN) {
    cli_print_diag(&diag);
    status = cli_fail("%llu of %llu runs are missing; make them, or write the others with --allow-missing",
                      (unsigned long long)(report.total - report.found), (unsigned long long)report.total);
  } else if (code) {
    status = cli_status(code, &diag);
  } else {
    print_warnings(&diag);
    if (!o->quiet) {
      fprintf(stderr, "airesim: wrote %s: %llu of %llu runs", o->output, (unsigned long long)report.found,
              (unsigned long long)report.total);
      if (report.failed) fprintf(stderr, ", %llu failed", (unsigned long long)report.failed);
      fputc('\n', stderr);
    }
  }
  sim_diag_free(&diag);
  return status;
}

static const struct merge_options defaults = {.quiet = false};
#define AT(field) offsetof(struct merge_options, field)
static const struct cli_option options[] = {
    {"output", 'o', CLI_TEXT, AT(output), "FILE", NULL, "the results file (HDF5); needed"},
    {"allow-missing", 0, CLI_FLAG, AT(allow_missing), NULL, NULL,
     "write although runs are missing; they are `not_run`"},
    {"remove", 0, CLI_FLAG, AT(remove), NULL, NULL, "then remove FILE.journal/, if nothing is missing"},
    {"overwrite", 0, CLI_FLAG, AT(overwrite), NULL, NULL, "replace FILE"},
    {"quiet", 'q', CLI_FLAG, AT(quiet), NULL, NULL, "only warnings and errors"},
    {.name = NULL}};

const struct cli_command cli_cmd_merge = {
    .name = "merge",
    .arguments = "JOURNAL...",
    .purpose = "join the journals of parts into one results file",
    .about =
        "JOURNAL is a directory of journals or a single one (w0.db), in any order; what stands in several of them\n"
        "must be equal. The file is the same as that of one run. The scenario is the one stored in the journals;\n"
        "journals of another scenario, seed or version are refused. Damaged rows are left out and named.",
    .examples = "  airesim merge many.h5.journal -o many.h5\n"
                "  airesim merge node1/many.h5.journal node2/many.h5.journal -o many.h5\n"
                "  airesim merge many.h5.journal -o so_far.h5 --allow-missing",
    .options = options,
    .min_words = 1,
    .max_words = CLI_MAX_WORDS,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
