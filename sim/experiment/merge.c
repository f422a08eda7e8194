/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Results from journals alone. */
#include "sim/experiment/batch_internal.h"

/* A message for each arm that lacks runs; their number. */
static uint64_t say_missing(const struct batch *b, struct sim_diag *diag) {
  uint64_t all = 0, asked = 0;
  for (size_t point = 0; point < b->design.points; point++) asked += b->stopping.asked[point];
  for (size_t arm = 0; arm < b->design.arms; arm++) {
    uint64_t missing = sim_batch_missing(b, arm);
    all += missing;
    if (missing) {
      sim_diag_add(diag, NULL, NULL, "arm %s: %llu of %llu runs are missing", sim_scenario_arm(b->scenario, arm),
                   (unsigned long long)missing, (unsigned long long)asked);
    }
  }
  return all;
}

static int merge(struct batch *b, const struct sim_merge_options *o, struct sim_merge_report *report,
                 struct sim_diag *diag) {
  size_t open = 0;
  int ret = sim_design_init(&b->design, b->scenario, -1, -1, diag);
  int outcome = ret ? ret : sim_outcome_check(o->output, b->scenario, &b->design, o->overwrite, diag);
  if (outcome == SIM_OUTCOME_SAME) {
    return sim_diag_add(diag, NULL, NULL, "%s holds these results already; --overwrite merges again", o->output);
  }
  ret = outcome < 0 ? outcome : sim_batch_plan(b, diag);
  if (ret == 0) ret = sim_batch_open_journals(b, diag);
  if (ret == 0) ret = sim_batch_open_previous(b, outcome, diag);
  if (ret == 0) ret = sim_batch_look(b, &open, diag);
  if (ret) return ret;
  for (size_t point = 0; point < b->design.points; point++) report->total += b->stopping.asked[point] * b->design.arms;
  report->failed = sim_journals_failed(b->journals) + sim_previous_failed(b->previous);
  report->damaged = sim_journals_damaged(b->journals);
  report->found = report->total - (open ? say_missing(b, diag) : 0);
  if (open && !o->allow_missing) return SIM_ERR_RUN;
  ret = sim_batch_write(b, diag);
  if (ret == 0 && o->remove && !open) sim_batch_leave_journals(b);
  return ret;
}

int sim_batch_merge(const struct sim_merge_options *o, struct sim_merge_report *report, struct sim_diag *diag) {
  struct sim_scenario *s = NULL;
  *report = (struct sim_merge_report){0};
  int ret = sim_journal_scenario(o->source, o->sources, &s, diag);
  if (ret) return ret;
  struct batch b = {.scenario = s,
                    .o = {.output = o->output, .jobs = 1, .command_line = o->command_line, .overwrite = o->overwrite},
                    .source = o->source,
                    .sources = o->sources};
  ret = merge(&b, o, report, diag);
  sim_batch_free(&b);
  sim_scenario_free(s);
  return ret;
}
