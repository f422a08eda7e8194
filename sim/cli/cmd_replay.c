/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

struct replay_options {
  const char *arm;
  int64_t replicate, point;
  struct cli_sets sets;
  bool outcome;
};

/* The trace: tab-separated day, instance, entity, what happened. */
static void show_event(void *ctx, double day, const char *instance, const char *event, uint32_t entity, uint32_t n) {
  (void)ctx;
  printf("%.9f\t%s\t", day, instance);
  if (entity == SIM_NONE)
    printf("-\t%s", event);
  else
    printf("%" PRIu32 "\t%s", entity, event);
  if (n)
    printf(" %" PRIu32 "\n", n);
  else
    putchar('\n');
}

static void show_move(void *ctx, double day, const char *instance, uint32_t entity, const char *from, const char *to) {
  (void)ctx;
  printf("%.9f\t%s\t%" PRIu32 "\t%s -> %s\n", day, instance, entity, from, to);
}

/* The outcome: one line a column of the results, as variable[coordinates]. */
static void show_column(void *ctx, const struct sim_column *c, double value) {
  (void)ctx;
  printf("%s", c->variable);
  for (unsigned i = 0; i < c->dims; i++) {
    printf("%s%s=", i ? "," : "[", c->at[i].dim);
    if (c->at[i].label)
      printf("%s", c->at[i].label);
    else
      printf("%g", c->at[i].coordinate);
  }
  printf("%s\t", c->dims ? "]" : "");
  if (isnan(value)) {
    puts("missing");
  } else if (c->dtype == SIM_FLAG && c->flags) {
    const char *word = c->flags;
    for (int k = (int)value; k > 0 && *word; k--) word += strcspn(word, " ") + (word[strcspn(word, " ")] == ' ');
    printf("%.*s\n", (int)strcspn(word, " "), word);
  } else {
    printf("%.17g%s%s\n", value, c->unit && strcmp(c->unit, "1") != 0 ? " " : "",
           c->unit && strcmp(c->unit, "1") != 0 ? c->unit : "");
  }
}

static int run(const struct cli_context *context, void *options) {
  const struct replay_options *o = options;
  const struct sim_trace trace = {.event = show_event, .move = show_move};
  struct sim_diag diag = {0};
  struct sim_scenario *s = NULL;
  size_t arm;
  int status = cli_status(sim_scenario_load(&s, context->words.word[0], o->sets.patch, o->sets.n, &diag), &diag);
  if (status == CLI_DONE && !o->arm && sim_scenario_arms(s) > 1)
    status = cli_usage("replay", "the scenario has %zu arms: choose one with --arm", sim_scenario_arms(s));
  if (status == CLI_DONE) status = cli_find_arm(s, "replay", o->arm, &arm);
  if (status == CLI_DONE) {
    if (!o->outcome) puts("# day\tinstance\tentity\tevent");
    status = cli_status(sim_batch_replay(s, arm, (size_t)o->point, (uint64_t)o->replicate, -1,
                                         o->outcome ? NULL : &trace, show_column, NULL, &diag),
                        &diag);
  }
  sim_scenario_free(s);
  sim_diag_free(&diag);
  return status;
}

static const struct replay_options defaults = {.point = 0};
#define AT(field) offsetof(struct replay_options, field)
static const struct cli_option options[] = {
    {"arm", 0, CLI_TEXT, AT(arm), "A", "the only one", "the arm"},
    {"replicate", 0, CLI_COUNT, AT(replicate), "N", "0", "the replicate"},
    {"point", 0, CLI_COUNT, AT(point), "P", "0", "the design point"},
    {"seed", 0, CLI_DESIGN, AT(sets), "K", "as the scenario says", "seed of the random streams"},
    {"set", 0, CLI_SET, AT(sets), "PATH=VALUE", NULL, "change a value of the scenario; may be repeated"},
    {"outcome", 0, CLI_FLAG, AT(outcome), NULL, NULL, "only the outcome, without the trace"},
    {.name = NULL}};

const struct cli_command cli_cmd_replay = {
    .name = "replay",
    .arguments = "SCENARIO",
    .purpose = "run one replicate again and show every event of it",
    .about =
        "Prints each event and each change of state (day, instance, entity, what happened, separated by tabs), then\n"
        "the run's outcome. It is the same run, bit for bit, as in the batch.",
    .examples = "  airesim replay scenarios/outbreak_response.yaml --arm early --replicate 17\n"
                "  airesim replay scenarios/outbreak_response.yaml --arm late --replicate 3 --outcome",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
