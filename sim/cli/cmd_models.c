/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/core/mem.h"

static int run(const struct cli_context *context, void *options) {
  (void)options;
  const char *name = context->words.n ? context->words.word[0] : NULL;
  char *text = sim_models_text(name);
  if (!text && name) return cli_usage("models", "no model `%s`; `airesim models` lists them", name);
  if (!text) return cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  fputs(text, stdout);
  sim_free(text);
  return CLI_DONE;
}

static const struct cli_option options[] = {{.name = NULL}};

const struct cli_command cli_cmd_models = {
    .name = "models",
    .arguments = "[NAME]",
    .purpose = "list the models and presets, or describe one",
    .examples = "  airesim models\n  airesim models contagion",
    .options = options,
    .max_words = 1,
    .run = run,
};
