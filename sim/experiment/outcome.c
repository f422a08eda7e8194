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

/* Is this line of the expanded scenario `replicates:` or `seed:` of the design? */
static bool is_length_of_batch(const char *line) {
  line += strspn(line, " ");
  return strncmp(line, "replicates:", 11) == 0 || strncmp(line, "seed:", 5) == 0;
}

int sim_outcome_identity(const struct sim_scenario *s, uint64_t *identity) {
  char *text = sim_scenario_expanded(s, false);
  if (!text) return SIM_ERR_MEMORY;
  uint64_t hash = SIM_HASH_START;
  bool design = false;
  for (char *line = text; *line;) {
    size_t n = strcspn(line, "\n");
    if (line[0] != ' ') design = strncmp(line, "design:", 7) == 0;
    if (!(design && is_length_of_batch(line))) hash = sim_hash_bytes(hash, line, n);
    line += n + (line[n] == '\n');
  }
  sim_free(text);
  *identity = hash;
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

/* Names the first thing in which the file differs from what is asked, or NULL. */
static const char *difference(struct sim_results *r, const struct sim_scenario *s, const struct sim_design *d) {
  char hash[24], seed[24], stream[24], design[24];
  hash_text(sim_scenario_hash(s), hash);
  snprintf(seed, sizeof seed, "%" PRIu64, d->seed);
  snprintf(stream, sizeof stream, "%d", SIM_STREAM_VERSION);
  if (!attribute_is(r, "seed", seed)) return "another seed";
  if (!attribute_is(r, "stream_version", stream)) return "another version of the random streams";
  const size_t size[3] = {d->arms, d->points, d->replicates};
  static const char *const dim[] = {"arm", "point", "replicate"};
  static const char *const words[] = {"another number of arms", "another number of design points",
                                      "another number of replicates"};
  for (unsigned i = 0; i < 3; i++) {
    const struct sim_variable *v = sim_results_find(r, dim[i]);
    if (!v || v->size[0] != size[i]) return words[i];
  }
  hash_text(sim_design_hash(d, SIM_HASH_START), design);
  if (!attribute_is(r, "scenario_hash", hash)) return "another scenario";
  return d->factors == 0 || attribute_is(r, "design_hash", design) ? NULL : "other design points";
}

int sim_outcome_check(const char *output, const struct sim_scenario *s, const struct sim_design *d, bool overwrite,
                      struct sim_diag *diag) {
  struct stat st;
  if (stat(output, &st) != 0) {
    if (errno == ENOENT) return 0;
    return sim_diag_add(diag, NULL, NULL, "cannot write %s: %s", output, strerror(errno));
  }
  if (!S_ISREG(st.st_mode)) return sim_diag_add(diag, NULL, NULL, "cannot write %s: it is not a file", output);
  if (overwrite) return 0;
  struct sim_results *r = NULL;
  struct sim_diag ignored = {0};
  int ret = sim_results_open(&r, output, &ignored);
  sim_diag_free(&ignored);
  if (ret == SIM_ERR_MEMORY) return ret;
  if (ret) {
    return sim_diag_add(diag, NULL, NULL,
                        "%s is there and no readable results file: choose another output, or --overwrite", output);
  }
  const char *what = difference(r, s, d);
  sim_results_close(r);
  if (!what) return 1;
  return sim_diag_add(diag, NULL, NULL, "%s holds results of %s: choose another output, or --overwrite", output, what);
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
                             const struct sim_design *d, const struct sim_journals *js) {
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
  add_text(a, "provenance_started", sim_journals_started(js));
  add_text(a, "provenance_finished", a->finished);
  return 0;
}

static int read_row(void *ctx, size_t arm, size_t point, size_t replicate, struct sim_row *row) {
  return sim_journals_read(ctx, arm, point, replicate, row);
}

int sim_outcome_write(const struct sim_scenario *s, const struct sim_batch_options *o, const struct sim_design *d,
                      const struct sim_layout *layouts, const struct sim_shape *shape, struct sim_journals *js,
                      struct sim_diag *diag) {
  struct attributes a = {0};
  const char **arm = sim_calloc(d->arms, sizeof *arm);
  struct sim_path_info **parameter = sim_calloc(d->arms, sizeof *parameter);
  size_t *parameters = sim_calloc(d->arms, sizeof *parameters);
  int ret = arm && parameter && parameters ? gather_attributes(&a, s, o, d, js) : SIM_ERR_MEMORY;
  for (size_t i = 0; ret == 0 && i < d->arms; i++) {
    arm[i] = sim_scenario_arm(s, i);
    parameters[i] = sim_scenario_paths(s, i, NULL, &parameter[i]);
  }
  if (ret == 0) {
    struct sim_results_content content = {.arms = d->arms,
                                          .points = d->points,
                                          .replicates = d->replicates,
                                          .arm = arm,
                                          .layouts = layouts,
                                          .shape = shape,
                                          .attributes = a.n,
                                          .attribute = a.item,
                                          .factors = d->factors,
                                          .factor = (const char *const *)d->path,
                                          .factor_unit = (const char *const *)d->unit,
                                          .factor_value = d->value,
                                          .factor_place = d->cube,
                                          .design_row = d->row,
                                          .design_part = d->part,
                                          .parameter = parameter,
                                          .parameters = parameters,
                                          .row = read_row,
                                          .ctx = js};
    ret = sim_results_write(o->output, &content, diag);
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
