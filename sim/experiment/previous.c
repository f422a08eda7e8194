/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/previous.h"
#include "sim/core/mem.h"
#include "sim/experiment/results_read.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MADE_RUNS    65536
#define WINDOW_RUNS  4096
#define WINDOW_BYTES (64u << 20)

struct failure {
  uint64_t run;
  char *reason;
};

struct sim_previous {
  struct sim_results *file;
  const struct sim_layout *layouts;
  const struct sim_shape *shape;
  size_t arms, points, replicates; /* replicates: of the file */
  uint64_t *made;                  /* bits by run: [arms][points][replicates], as in the file */
  struct failure *failure;         /* [failures], by run */
  size_t failures;
  struct { /* runs read ahead: one arm, points [point, ...), replicates [replicate, ...) */
    size_t arm, point, replicate, points, replicates;
    double *value;  /* as blocks of sim_shape_place */
    double *events; /* [runs] */
  } window;
};

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

static uint64_t run_of(const struct sim_previous *p, size_t arm, size_t point, size_t replicate) {
  return ((uint64_t)arm * p->points + point) * p->replicates + replicate;
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

/* Is this variable (arm, point, replicate) and then of these sizes? */
static bool has_sizes(const struct sim_previous *p, const char *name, const struct sim_array *a) {
  const struct sim_variable *v = sim_results_find(p->file, name);
  unsigned dims = a ? a->dims : 0;
  if (!v || v->dims != 3 + dims || v->size[0] != p->arms || v->size[1] != p->points || v->size[2] != p->replicates)
    return false;
  for (unsigned d = 0; d < dims; d++)
    if (v->size[3 + d] != p->shape->axis[a->axis[d]].n) return false;
  return true;
}

static bool has_variables(const struct sim_previous *p) {
  bool same = has_sizes(p, "events", NULL) && has_sizes(p, "run_failed", NULL);
  for (size_t i = 0; same && i < p->shape->arrays; i++)
    same = has_sizes(p, p->shape->array[i].name, &p->shape->array[i]);
  return same;
}

/* Which runs it has; so many points at a time. */
static int read_made(struct sim_previous *p) {
  size_t runs = p->arms * p->points * p->replicates, most = MADE_RUNS / p->replicates + 1;
  p->made = sim_calloc(runs / 64 + 1, sizeof *p->made);
  double *state = sim_calloc(most * p->replicates, sizeof *state);
  int ret = p->made && state ? 0 : SIM_ERR_MEMORY;
  for (size_t arm = 0; arm < p->arms; arm++) {
    for (size_t point = 0; ret == 0 && point < p->points; point += most) {
      const size_t start[3] = {arm, point, 0}, size[3] = {1, smaller(most, p->points - point), p->replicates};
      ret = sim_results_load_box(p->file, "run_failed", start, size, state);
      uint64_t first = run_of(p, arm, point, 0);
      for (size_t i = 0; ret == 0 && i < size[1] * size[2]; i++) {
        if (state[i] != 0 && state[i] != 1) continue; /* neither done nor failed */
        p->made[(first + i) / 64] |= UINT64_C(1) << (first + i) % 64;
      }
    }
  }
  sim_free(state);
  return ret;
}

static int compare_failures(const void *a, const void *b) {
  uint64_t x = ((const struct failure *)a)->run, y = ((const struct failure *)b)->run;
  return (x > y) - (x < y);
}

static int read_failures(struct sim_previous *p) {
  static const char *const names[3] = {"failure_arm", "failure_point", "failure_replicate"};
  double *at[3] = {NULL};
  char **reason = NULL;
  size_t n = 0;
  if (!sim_results_find(p->file, names[0])) return 0;
  int ret = sim_results_load_texts(p->file, "failure_reason", &reason, &n);
  for (unsigned k = 0; ret == 0 && k < 3; k++) ret = sim_results_load(p->file, names[k], &at[k]);
  if (ret == 0 && !(p->failure = sim_calloc(n + 1, sizeof *p->failure))) ret = SIM_ERR_MEMORY;
  for (size_t i = 0; ret == 0 && i < n; i++) {
    uint64_t run = run_of(p, (size_t)at[0][i], (size_t)at[1][i], (size_t)at[2][i]);
    p->failure[p->failures++] = (struct failure){run, reason[i]};
    reason[i] = NULL;
  }
  if (ret == 0) qsort(p->failure, p->failures, sizeof *p->failure, compare_failures);
  sim_results_texts_free(reason, n);
  for (unsigned k = 0; k < 3; k++) sim_free(at[k]);
  return ret;
}

static int make_window(struct sim_previous *p) {
  size_t most = WINDOW_BYTES / sizeof(double) / (p->shape->elements + 1);
  if (most > WINDOW_RUNS) most = WINDOW_RUNS;
  if (most < 1) most = 1;
  p->window.replicates = p->replicates < most ? p->replicates : most;
  p->window.points = most / p->window.replicates < p->points ? most / p->window.replicates : p->points;
  p->window.arm = p->arms; /* nothing yet */
  size_t runs = p->window.points * p->window.replicates;
  p->window.value = sim_calloc(runs * p->shape->elements + 1, sizeof *p->window.value);
  p->window.events = sim_calloc(runs, sizeof *p->window.events);
  return p->window.value && p->window.events ? 0 : SIM_ERR_MEMORY;
}

int sim_previous_open(struct sim_previous **out, const char *path, const struct sim_design *d,
                      const struct sim_layout *layouts, const struct sim_shape *shape, struct sim_diag *diag) {
  struct sim_previous *p = sim_calloc(1, sizeof *p);
  if (!p) return SIM_ERR_MEMORY;
  p->layouts = layouts, p->shape = shape;
  p->arms = d->arms, p->points = d->points;
  int ret = sim_results_open(&p->file, path, diag);
  const struct sim_variable *v = ret == 0 ? sim_results_find(p->file, "replicate") : NULL;
  p->replicates = v ? v->size[0] : 0;
  if (ret == 0 && !(p->replicates && has_variables(p))) {
    ret = sim_diag_add(diag, NULL, NULL, "%s has other variables: choose another output, or --overwrite", path);
  }
  if (ret == 0) {
    ret = make_window(p);
    if (ret == 0) ret = read_made(p);
    if (ret == 0) ret = read_failures(p);
    if (ret == SIM_ERR_IO) ret = sim_diag_add(diag, NULL, NULL, "%s is damaged", path);
  }
  if (ret) {
    sim_previous_close(p);
    return ret;
  }
  *out = p;
  return 0;
}

void sim_previous_close(struct sim_previous *p) {
  if (!p) return;
  sim_results_close(p->file);
  for (size_t i = 0; i < p->failures; i++) sim_free(p->failure[i].reason);
  sim_free(p->failure);
  sim_free(p->made);
  sim_free(p->window.value);
  sim_free(p->window.events);
  sim_free(p);
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

bool sim_previous_has(const struct sim_previous *p, size_t arm, size_t point, size_t replicate) {
  if (!p || replicate >= p->replicates) return false;
  uint64_t run = run_of(p, arm, point, replicate);
  return p->made[run / 64] >> run % 64 & 1;
}

size_t sim_previous_replicates(const struct sim_previous *p) {
  return p ? p->replicates : 0;
}

uint64_t sim_previous_failed(const struct sim_previous *p) {
  return p ? p->failures : 0;
}

/* Runs of the window along points and replicates, fewer at the file's ends. */
static void window_size(const struct sim_previous *p, size_t size[3]) {
  size[0] = 1;
  size[1] = smaller(p->window.points, p->points - p->window.point);
  size[2] = smaller(p->window.replicates, p->replicates - p->window.replicate);
}

/* Reads the window in which a run lies. Windows lie as the file's chunks do. */
static int move_window(struct sim_previous *p, size_t arm, size_t point, size_t replicate) {
  p->window.point = point - point % p->window.points;
  p->window.replicate = replicate - replicate % p->window.replicates;
  size_t start[5] = {arm, p->window.point, p->window.replicate}, size[5];
  window_size(p, size);
  size_t runs = size[1] * size[2];
  p->window.arm = p->arms; /* until all is there */
  int ret = sim_results_load_box(p->file, "events", start, size, p->window.events);
  for (size_t i = 0; ret == 0 && i < p->shape->arrays; i++) {
    const struct sim_array *a = &p->shape->array[i];
    for (unsigned k = 0; k < a->dims; k++) start[3 + k] = 0, size[3 + k] = p->shape->axis[a->axis[k]].n;
    ret = sim_results_load_box(p->file, a->name, start, size, p->window.value + runs * a->offset);
  }
  if (ret == 0) p->window.arm = arm;
  return ret;
}

static const char *reason_of(const struct sim_previous *p, uint64_t run) {
  const struct failure key = {.run = run};
  const struct failure *found =
      p->failures ? bsearch(&key, p->failure, p->failures, sizeof *p->failure, compare_failures) : NULL;
  return found ? found->reason : "";
}

int sim_previous_read(struct sim_previous *p, size_t arm, size_t point, size_t replicate, struct sim_row *row) {
  if (!sim_previous_has(p, arm, point, replicate)) return 1;
  const struct sim_layout *l = &p->layouts[arm];
  size_t size[3];
  window_size(p, size);
  bool inside = arm == p->window.arm && point >= p->window.point && point - p->window.point < size[1] &&
                replicate >= p->window.replicate && replicate - p->window.replicate < size[2];
  if (!inside) {
    int ret = move_window(p, arm, point, replicate);
    if (ret) return ret;
    window_size(p, size);
  }
  size_t r = (point - p->window.point) * size[2] + (replicate - p->window.replicate);
  for (size_t i = 0; i < l->columns; i++)
    row->columns[i] = p->window.value[sim_shape_place(p->shape, arm, i, size[1] * size[2], r)];
  for (size_t i = 0; i < l->series * l->samples; i++) row->samples[i] = SIM_SERIES_MISSING;
  row->events = (uint64_t)p->window.events[r];
  snprintf(row->error, sizeof row->error, "%s", reason_of(p, run_of(p, arm, point, replicate)));
  return 0;
}

int sim_previous_count(struct sim_previous *p, size_t arm, size_t series, uint32_t *histogram) {
  const struct sim_array *curve = &p->shape->curve[p->shape->curve_of[arm][series]];
  size_t cells = p->shape->days * SIM_SERIES_BINS, k = 0;
  char *name = sim_strf("%s_histogram", curve->name);
  double *count = sim_calloc(cells, sizeof *count);
  size_t start[4] = {arm}, size[4] = {1};
  if (curve->dims) start[++k] = p->shape->curve_element[arm][series], size[k] = 1;
  size[++k] = p->shape->days;
  size[++k] = SIM_SERIES_BINS;
  int ret = name && count ? sim_results_load_box(p->file, name, start, size, count) : SIM_ERR_MEMORY;
  for (size_t i = 0; ret == 0 && i < cells; i++) histogram[i] += (uint32_t)count[i];
  sim_free(name);
  sim_free(count);
  return ret;
}
