/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/airesim.h"
#include "sim/core/mem.h"
#include "sim/experiment/experiment.h"
#include "sim/scenario/scenario.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

_Static_assert(AIRESIM_INTERRUPTED == SIM_ERR_INTERRUPTED, "public and internal codes are the same");

struct airesim_scenario {
  struct sim_scenario *scenario;
};
struct airesim_results {
  struct sim_results *file;
};

const char *airesim_version(void) {
  return AIRESIM_VERSION;
}

const char *airesim_error_text(int code) {
  return sim_err_text(code);
}

void airesim_free(void *text_or_values) {
  sim_free(text_or_values);
}

/* ---- errors ---------------------------------------------------------------------------------------------------- */

/* `before` and one more line for item; frees before. NULL: out of memory. */
static char *append_item(char *before, const struct sim_diag_item *item) {
  char place[32] = "";
  if (item->line) snprintf(place, sizeof place, ":%u:%u", item->line, item->column);
  char *text = sim_strf("%s%s%s%s%s%s%s\n", before ? before : "", item->file ? item->file : "", place,
                        item->file ? ": " : "", item->path ? item->path : "", item->path ? ": " : "", item->text);
  sim_free(before);
  return text;
}

/* Stores the diagnostics (or the code's own text), frees diag, returns code. */
static int finish(int code, struct sim_diag *diag, char **errors) {
  if (code && errors) {
    char *text = diag->n ? NULL : sim_strf("%s\n", sim_err_text(code));
    for (size_t i = 0; i < diag->n; i++) text = append_item(text, &diag->items[i]);
    *errors = text;
  }
  sim_diag_free(diag);
  return code;
}

/* ---- scenarios ------------------------------------------------------------------------------------------------- */

/* Patches from "path=value"; owns the copies of the paths. */
struct patches {
  struct sim_patch *patch;
  char **path;
  size_t n;
};

static void patches_free(struct patches *p) {
  for (size_t i = 0; p->path && i < p->n; i++) sim_free(p->path[i]);
  sim_free(p->path);
  sim_free(p->patch);
}

static int patches_init(struct patches *p, const char *const *sets, size_t n, struct sim_diag *diag) {
  *p = (struct patches){
      .patch = sim_calloc(n + 1, sizeof *p->patch), .path = sim_calloc(n + 1, sizeof *p->path), .n = n};
  if (!p->patch || !p->path) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) {
    const char *equals = strchr(sets[i], '=');
    if (!equals || equals == sets[i]) return sim_diag_add(diag, NULL, NULL, "expected path=value, found `%s`", sets[i]);
    p->path[i] = sim_strf("%.*s", (int)(equals - sets[i]), sets[i]);
    if (!p->path[i]) return SIM_ERR_MEMORY;
    p->patch[i] = (struct sim_patch){p->path[i], equals + 1};
  }
  return 0;
}

/* path or text is given. */
static int scenario_open(struct airesim_scenario **out, const char *path, const char *text, const char *directory,
                         const char *const *sets, size_t n, char **errors) {
  struct sim_diag diag = {0};
  struct patches p = {0};
  struct airesim_scenario *s = sim_calloc(1, sizeof *s);
  int code = s ? patches_init(&p, sets, n, &diag) : SIM_ERR_MEMORY;
  if (code == 0 && path) code = sim_scenario_load(&s->scenario, path, p.patch, p.n, &diag);
  if (code == 0 && !path)
    code = sim_scenario_parse(&s->scenario, text, strlen(text), "scenario", directory ? directory : ".", p.patch, p.n,
                              &diag);
  patches_free(&p);
  if (code == 0)
    *out = s;
  else
    sim_free(s);
  return finish(code, &diag, errors);
}

int airesim_scenario_load(struct airesim_scenario **out, const char *path, const char *const *sets, size_t n,
                          char **errors) {
  return scenario_open(out, path, NULL, NULL, sets, n, errors);
}

int airesim_scenario_parse(struct airesim_scenario **out, const char *text, const char *directory,
                           const char *const *sets, size_t n, char **errors) {
  return scenario_open(out, NULL, text, directory, sets, n, errors);
}

void airesim_scenario_free(struct airesim_scenario *s) {
  if (!s) return;
  sim_scenario_free(s->scenario);
  sim_free(s);
}

size_t airesim_scenario_arms(const struct airesim_scenario *s) {
  return sim_scenario_arms(s->scenario);
}

const char *airesim_scenario_arm(const struct airesim_scenario *s, size_t arm) {
  return arm < sim_scenario_arms(s->scenario) ? sim_scenario_arm(s->scenario, arm) : NULL;
}

uint64_t airesim_scenario_hash(const struct airesim_scenario *s) {
  return sim_scenario_hash(s->scenario);
}

char *airesim_scenario_expanded(const struct airesim_scenario *s) {
  return sim_scenario_expanded(s->scenario, false);
}

char *airesim_schema(void) {
  return sim_schema_json();
}

/* ---- running --------------------------------------------------------------------------------------------------- */

struct relay {
  const struct airesim_options *options;
  atomic_bool stop;
};

static void relay_progress(void *ctx, const struct sim_progress *p) {
  struct relay *relay = ctx;
  const struct airesim_progress shown = {
      .total = p->total, .done = p->done, .failed = p->failed, .seconds = p->seconds, .rate = p->rate};
  if (relay->options->progress(relay->options->ctx, &shown)) atomic_store(&relay->stop, true);
}

/* What the options change in the scenario, so that what is stored with the results says what was run. */
static int apply_options(struct sim_scenario **out, const struct sim_scenario *s, const struct airesim_options *o,
                         struct sim_diag *diag) {
  char replicates[32], seed[32];
  struct sim_patch set[2];
  size_t n = 0;
  snprintf(replicates, sizeof replicates, "%" PRId64, o->replicates);
  snprintf(seed, sizeof seed, "%" PRId64, o->seed);
  if (o->replicates >= 0) set[n++] = (struct sim_patch){"design.replicates", replicates};
  if (o->seed >= 0) set[n++] = (struct sim_patch){"design.seed", seed};
  return n ? sim_scenario_with(out, s, set, n, diag) : 0;
}

int airesim_run(const struct airesim_scenario *s, const struct airesim_options *o, char **errors) {
  struct sim_diag diag = {0};
  struct relay relay = {.options = o};
  if (o->size != sizeof *o || !o->output)
    return finish(sim_diag_add(&diag, NULL, NULL, "airesim_options: size or output is not set"), &diag, errors);
  const struct sim_batch_options batch = {.output = o->output,
                                          .jobs = o->jobs,
                                          .overwrite = o->overwrite != 0,
                                          .stop = &relay.stop,
                                          .progress = o->progress ? relay_progress : NULL,
                                          .ctx = &relay};
  struct sim_scenario *changed = NULL;
  int code = apply_options(&changed, s->scenario, o, &diag);
  if (code == 0) code = sim_batch_run(changed ? changed : s->scenario, &batch, &diag);
  sim_scenario_free(changed);
  return finish(code, &diag, errors);
}

/* ---- results --------------------------------------------------------------------------------------------------- */

int airesim_results_open(struct airesim_results **out, const char *path, char **errors) {
  struct sim_diag diag = {0};
  struct airesim_results *r = sim_calloc(1, sizeof *r);
  int code = r ? sim_results_open(&r->file, path, &diag) : SIM_ERR_MEMORY;
  if (code == 0)
    *out = r;
  else
    sim_free(r);
  return finish(code, &diag, errors);
}

void airesim_results_close(struct airesim_results *r) {
  if (!r) return;
  sim_results_close(r->file);
  sim_free(r);
}

const char *airesim_results_variable(const struct airesim_results *r, size_t i) {
  const struct sim_variable *variables;
  return i < sim_results_variables(r->file, &variables) ? variables[i].name : NULL;
}

int airesim_results_dims(const struct airesim_results *r, const char *variable, const char **names, size_t *sizes,
                         int max) {
  const struct sim_variable *v = sim_results_find(r->file, variable);
  for (int i = 0; v && i < (int)v->dims && i < max; i++) {
    if (names) names[i] = v->dim[i];
    if (sizes) sizes[i] = v->size[i];
  }
  return v ? (int)v->dims : -1;
}

int airesim_results_values(struct airesim_results *r, const char *variable, double **values) {
  const struct sim_variable *v = sim_results_find(r->file, variable);
  if (!v || v->text) return SIM_ERR_INPUT;
  return sim_results_load(r->file, variable, values);
}

char *airesim_results_label(struct airesim_results *r, const char *dim, size_t i) {
  char **labels = NULL;
  size_t n = 0;
  if (sim_results_labels(r->file, dim, &labels, &n) != 0) return NULL;
  char *label = i < n ? sim_strdup(labels[i]) : NULL;
  sim_results_texts_free(labels, n);
  return label;
}

char *airesim_results_attribute(struct airesim_results *r, const char *name) {
  return sim_results_attribute(r->file, name);
}
