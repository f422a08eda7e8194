/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/outcome.h"
#include "airesim_commit.h"
#include "sim/experiment/results.h"
#include "sim/experiment/results_read.h"
#include <errno.h>
#include <gsl/gsl_version.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void sim_outcome_time(char out[32]) {
  time_t now = time(NULL);
  struct tm utc;
  strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
}

/* ---- identity ------------------------------------------------------------------------------------------------ */

/* Is this line of the expanded scenario `replicates:`, `precision:` or `seed:` of the design? */
static bool is_length_of_batch(const char *line) {
  line += strspn(line, " ");
  return strncmp(line, "replicates:", 11) == 0 || strncmp(line, "precision:", 10) == 0 ||
         strncmp(line, "seed:", 5) == 0;
}

static uint64_t identity_of(const char *expanded) {
  uint64_t hash = SIM_HASH_START;
  bool design = false;
  for (const char *line = expanded; *line;) {
    size_t n = strcspn(line, "\n");
    if (line[0] != ' ') design = strncmp(line, "design:", 7) == 0;
    if (!(design && is_length_of_batch(line))) hash = sim_hash_bytes(hash, line, n);
    line += n + (line[n] == '\n');
  }
  return hash;
}

int sim_outcome_identity(const struct sim_scenario *s, uint64_t *identity) {
  char *text = sim_scenario_expanded(s, false);
  if (!text) return SIM_ERR_MEMORY;
  *identity = identity_of(text);
  sim_free(text);
  return 0;
}

/* ---- what is there ------------------------------------------------------------------------------------------- */

static void hash_text(uint64_t hash, char out[24]) {
  snprintf(out, 24, "%016" PRIx64, hash);
}

static bool attribute_is(struct sim_results *r, const char *name, const char *value) {
  char *found = sim_results_attribute(r, name);
  bool same = found && strcmp(found, value) == 0;
  sim_free(found);
  return same;
}

/* Does the file hold the same scenario, but for the length of the batch? */
static int same_identity(struct sim_results *r, const struct sim_scenario *s, bool *same) {
  char *expanded = sim_results_attribute(r, "scenario_expanded");
  uint64_t mine = 0;
  int ret = sim_outcome_identity(s, &mine);
  *same = ret == 0 && expanded && identity_of(expanded) == mine;
  sim_free(expanded);
  return ret;
}

/* Names the first thing in which the file is of another batch, or NULL. */
static const char *difference(struct sim_results *r, const struct sim_design *d, bool same_scenario) {
  char seed[24], stream[24], design[24];
  snprintf(seed, sizeof seed, "%" PRIu64, d->seed);
  snprintf(stream, sizeof stream, "%d", SIM_STREAM_VERSION);
  if (!attribute_is(r, "seed", seed)) return "another seed";
  if (!attribute_is(r, "stream_version", stream)) return "another version of the random streams";
  const size_t size[3] = {d->arms, d->points, d->replicates};
  static const char *const dim[] = {"arm", "point", "replicate"};
  static const char *const words[] = {"another number of arms", "another number of design points", "more replicates"};
  for (unsigned i = 0; i < 3; i++) {
    const struct sim_variable *v = sim_results_find(r, dim[i]);
    if (!v || (i < 2 && v->size[0] != size[i]) || v->size[0] > size[i]) return words[i];
  }
  hash_text(sim_design_hash(d, SIM_HASH_START), design);
  if (!same_scenario) return "another scenario";
  return d->factors == 0 || attribute_is(r, "design_hash", design) ? NULL : "other design points";
}

/* What a file is that can be read: an outcome, or SIM_ERR_INPUT with diag. */
static int judge(struct sim_results *r, const char *output, const struct sim_scenario *s, const struct sim_design *d,
                 struct sim_diag *diag) {
  bool same = false;
  char hash[24];
  int ret = same_identity(r, s, &same);
  if (ret) return ret;
  const char *what = difference(r, d, same);
  hash_text(sim_scenario_hash(s), hash);
  bool whole = attribute_is(r, "runs_not_run", "0"), these = attribute_is(r, "scenario_hash", hash);
  if (!what && these && whole) return SIM_OUTCOME_SAME;
  if (!what && !attribute_is(r, "provenance_program_version", AIRESIM_VERSION)) what = "another version of airesim";
  if (!what) return these ? SIM_OUTCOME_GAPS : SIM_OUTCOME_PART;
  return sim_diag_add(diag, NULL, NULL, "%s holds results of %s: choose another output, or --overwrite", output, what);
}

int sim_outcome_check(const char *output, const struct sim_scenario *s, const struct sim_design *d, bool overwrite,
                      struct sim_diag *diag) {
  struct stat st;
  if (stat(output, &st) != 0) {
    if (errno == ENOENT) return SIM_OUTCOME_NONE;
    return sim_diag_add(diag, NULL, NULL, "cannot write %s: %s", output, strerror(errno));
  }
  if (!S_ISREG(st.st_mode)) return sim_diag_add(diag, NULL, NULL, "cannot write %s: it is not a file", output);
  if (overwrite) return SIM_OUTCOME_NONE;
  struct sim_results *r = NULL;
  struct sim_diag ignored = {0};
  int ret = sim_results_open(&r, output, &ignored);
  sim_diag_free(&ignored);
  if (ret == SIM_ERR_MEMORY) return ret;
  if (ret) {
    return sim_diag_add(diag, NULL, NULL,
                        "%s is there and no readable results file: choose another output, or --overwrite", output);
  }
  ret = judge(r, output, s, d, diag);
  sim_results_close(r);
  return ret;
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

#define MOST_ATTRIBUTES 32
struct attributes {
  struct sim_results_attribute item[MOST_ATTRIBUTES];
  size_t n;
  char hash[24], design[24], host[256], finished[32], jobs[16];
  char *written, *expanded, *question;
};

static void add_text(struct attributes *a, const char *name, const char *text) {
  sim_bug_assert(a->n < MOST_ATTRIBUTES);
  if (text && *text) a->item[a->n++] = (struct sim_results_attribute){.name = name, .text = text};
}
static void add_number(struct attributes *a, const char *name, uint64_t number) {
  sim_bug_assert(a->n < MOST_ATTRIBUTES);
  a->item[a->n++] = (struct sim_results_attribute){.name = name, .number = number};
}

/* The scenario's question, to be freed, or NULL. */
static int read_question(const struct sim_scenario *s, char **question) {
  struct sim_bound *bound = NULL;
  struct sim_diag ignored = {0};
  int ret = sim_scenario_bind(&bound, s, 0, NULL, 0, &ignored);
  sim_diag_free(&ignored);
  if (ret) return ret;
  const char *text = sim_value_text(sim_bound_root(bound), "question");
  *question = text ? sim_strdup(text) : NULL;
  sim_bound_free(bound);
  return text && !*question ? SIM_ERR_MEMORY : 0;
}

/* What the results are of; then who made them, when and where. */
static int gather_attributes(struct attributes *a, const struct sim_scenario *s, const struct sim_batch_options *o,
                             const struct sim_design *d, const char *started, const struct sim_stopping *stopping) {
  a->written = sim_scenario_written(s);
  a->expanded = sim_scenario_expanded(s, false);
  int ret = a->written && a->expanded ? read_question(s, &a->question) : SIM_ERR_MEMORY;
  if (ret) return ret;
  hash_text(sim_scenario_hash(s), a->hash);
  gethostname(a->host, sizeof a->host - 1);
  sim_outcome_time(a->finished);
  snprintf(a->jobs, sizeof a->jobs, "%u", o->jobs);
  add_text(a, "title", a->question ? a->question : "airesim results");
  add_text(a, "question", a->question);
  add_text(a, "scenario", a->written);
  add_text(a, "scenario_expanded", a->expanded);
  add_text(a, "scenario_hash", a->hash);
  add_number(a, "seed", d->seed);
  add_text(a, "draws", d->fresh ? "fresh" : "shared");
  add_text(a, "reference", sim_scenario_arm(s, d->reference));
  if (d->factors) {
    hash_text(sim_design_hash(d, SIM_HASH_START), a->design);
    add_text(a, "design", d->kind);
    add_number(a, "design_base", d->base);
    add_number(a, "design_levels", d->levels);
    add_number(a, "design_dropped", d->dropped);
    add_text(a, "design_hash", a->design);
  }
  if (stopping->rule != SIM_STOP_FIXED) {
    double widest;
    add_text(a, "precision", stopping->text);
    add_number(a, "precision_points_reached", sim_stopping_reached(stopping, &widest));
  }
  add_number(a, "stream_version", SIM_STREAM_VERSION);
  add_number(a, "language_version", SIM_LANGUAGE_VERSION);
  add_text(a, "provenance_program_version", AIRESIM_VERSION);
  add_text(a, "provenance_git_commit", AIRESIM_GIT_COMMIT);
  add_text(a, "provenance_compiler", __VERSION__);
  add_text(a, "provenance_gsl", GSL_VERSION);
  add_text(a, "provenance_sqlite", sim_journal_library());
  add_text(a, "provenance_command_line", o->command_line);
  add_text(a, "provenance_host", a->host);
  add_text(a, "provenance_jobs", a->jobs);
  add_text(a, "provenance_started", started);
  add_text(a, "provenance_finished", a->finished);
  return 0;
}

int sim_outcome_write(const struct sim_scenario *s, const struct sim_batch_options *o, const struct sim_design *d,
                      const char *started, struct sim_results_content *c, struct sim_diag *diag) {
  struct attributes a = {0};
  const char **arm = sim_calloc(d->arms, sizeof *arm);
  struct sim_path_info **parameter = sim_calloc(d->arms, sizeof *parameter);
  size_t *parameters = sim_calloc(d->arms, sizeof *parameters);
  int ret = arm && parameter && parameters ? gather_attributes(&a, s, o, d, started, c->stopping) : SIM_ERR_MEMORY;
  for (size_t i = 0; ret == 0 && i < d->arms; i++) {
    arm[i] = sim_scenario_arm(s, i);
    parameters[i] = sim_scenario_paths(s, i, NULL, &parameter[i]);
  }
  if (ret == 0) {
    c->arms = d->arms, c->points = d->points, c->replicates = d->replicates;
    c->arm = arm;
    c->attributes = a.n, c->attribute = a.item;
    c->factors = d->factors, c->factor = (const char *const *)d->path;
    c->factor_unit = (const char *const *)d->unit;
    c->factor_value = d->value, c->factor_place = d->cube;
    c->design_row = d->row, c->design_part = d->part;
    c->parameter = parameter, c->parameters = parameters;
    ret = sim_results_write(o->output, c, diag);
  }
  for (size_t i = 0; parameter && parameters && i < d->arms; i++) sim_paths_free(parameter[i], parameters[i]);
  sim_free(arm);
  sim_free(parameter);
  sim_free(parameters);
  sim_free(a.written);
  sim_free(a.expanded);
  sim_free(a.question);
  return ret;
}
