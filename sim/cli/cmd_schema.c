/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/core/mem.h"

struct schema_options {
  bool reference;
};

static int run(const struct cli_context *context, void *options) {
  (void)context;
  const struct schema_options *o = options;
  char *text = o->reference ? sim_reference_markdown() : sim_schema_json();
  if (!text) return cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  fputs(text, stdout);
  sim_free(text);
  return CLI_DONE;
}

static const struct schema_options defaults;
static const struct cli_option options[] = {{"reference", 0, CLI_FLAG, offsetof(struct schema_options, reference), NULL,
                                             NULL, "print the reference of every key as Markdown instead"},
                                            {.name = NULL}};

const struct cli_command cli_cmd_schema = {
    .name = "schema",
    .arguments = "",
    .purpose = "print the JSON Schema of the scenario language",
    .about = "Editors use it for completion: put `# yaml-language-server: $schema=airesim.schema.json` on the first\n"
             "line of a scenario.",
    .examples = "  airesim schema > airesim.schema.json\n  airesim schema --reference > docs/reference.md",
    .options = options,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
