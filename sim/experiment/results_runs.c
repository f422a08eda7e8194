/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Variables with one value, or an array, for each run. */
#include "sim/experiment/results_internal.h"
#include <math.h>
#include <string.h>

#define BLOCK_RUNS   4096                     /* runs gathered before they are written; also the chunk of variables */
#define MISSING_I64  (-9223372036854775806ll) /* netCDF's NC_FILL_INT64 */
#define MISSING_FLAG (-127)                   /* netCDF's NC_FILL_BYTE */

/* ---- runs ---------------------------------------------------------------------------------------------------- */

/* Runs that are gathered before writing: one arm, [points][replicates] of a box that is also the chunk. */
struct block {
  size_t points, replicates;
  double *value;    /* array by array: [runs][count] at runs * offset */
  int64_t *scratch; /* one array's, as integers */
  int64_t *events;  /* [runs] */
  int8_t *failed;   /* [runs] */
};

static void create_arrays(struct sim_writer *w, const struct block *b) {
  const struct sim_shape *s = w->s;
  const char *dims[SIM_WRITER_RANK] = {"arm", "point", "replicate"};
  hsize_t chunk[SIM_WRITER_RANK] = {1, b->points, b->replicates};
  const double nan = NAN;
  const int64_t missing = MISSING_I64;
  const int8_t missing_flag = MISSING_FLAG;
  for (size_t i = 0; i < s->arrays; i++) {
    const struct sim_array *a = &s->array[i];
    for (unsigned d = 0; d < a->dims; d++) dims[3 + d] = s->axis[a->axis[d]].name, chunk[3 + d] = s->axis[a->axis[d]].n;
    if (a->dtype == SIM_F64) {
      w->array[i] = sim_writer_variable(w, a->name, H5T_IEEE_F64LE, 3 + a->dims, dims, chunk, H5T_NATIVE_DOUBLE, &nan);
    } else if (a->dtype == SIM_I64) {
      w->array[i] =
          sim_writer_variable(w, a->name, H5T_STD_I64LE, 3 + a->dims, dims, chunk, H5T_NATIVE_INT64, &missing);
    } else {
      w->array[i] =
          sim_writer_variable(w, a->name, H5T_STD_I8LE, 3 + a->dims, dims, chunk, H5T_NATIVE_INT8, &missing_flag);
    }
    sim_writer_describe(w, w->array[i], a->unit, a->long_name, a->dtype == SIM_FLAG ? a->flags : NULL);
  }
  w->events = sim_writer_variable(w, "events", H5T_STD_I64LE, 3, dims, chunk, H5T_NATIVE_INT64, &missing);
  sim_writer_describe(w, w->events, "event", "events executed in the run", NULL);
  w->failed = sim_writer_variable(w, "run_failed", H5T_STD_I8LE, 3, dims, chunk, 0, NULL);
  sim_writer_describe(w, w->failed, NULL, "whether the run was made", "done failed not_run");
}

static void note_failure(struct sim_writer *w, size_t arm, size_t point, size_t replicate, const char *reason) {
  size_t n = w->failure.n + 1;
  int64_t **list[3] = {&w->failure.arm, &w->failure.point, &w->failure.replicate};
  const size_t at[3] = {arm, point, replicate};
  for (unsigned i = 0; i < 3; i++) {
    int64_t *grown = sim_grow(*list[i], &w->failure.cap[i], n, sizeof *grown);
    if (!grown) {
      sim_writer_fail(w, SIM_ERR_MEMORY);
      return;
    }
    *list[i] = grown;
    grown[n - 1] = (int64_t)at[i];
  }
  char **grown = sim_grow(w->failure.reason, &w->failure.cap[3], n, sizeof *grown);
  char *copy = sim_strdup(reason);
  if (grown) w->failure.reason = grown;
  if (!grown || !copy) {
    sim_free(copy);
    sim_writer_fail(w, SIM_ERR_MEMORY);
    return;
  }
  grown[n - 1] = copy;
  w->failure.n = n;
}

/* Reads one run into place r of the block. */
static void gather_run(struct sim_writer *w, struct block *b, size_t arm, size_t point, size_t replicate, size_t r,
                       size_t runs, struct sim_row *row) {
  const struct sim_shape *s = w->s;
  const struct sim_layout *l = &w->c->layouts[arm];
  int found = w->c->row(w->c->ctx, arm, point, replicate, row);
  if (found < 0) {
    sim_writer_fail(w, found);
    return;
  }
  b->failed[r] = found ? 2 : row->error[0] != 0;
  b->events[r] = found ? MISSING_I64 : (int64_t)row->events;
  w->missing += found != 0;
  if (found) return;
  w->done++;
  w->censored += sim_row_is_censored(row, l);
  if (row->error[0]) note_failure(w, arm, point, replicate, row->error);
  for (size_t i = 0; i < l->columns; i++) b->value[sim_shape_place(s, arm, i, runs, r)] = row->columns[i];
}

static void write_block(struct sim_writer *w, const struct block *b, const hsize_t start3[3], const hsize_t size3[3]) {
  const struct sim_shape *s = w->s;
  size_t runs = size3[1] * size3[2];
  for (size_t i = 0; i < s->arrays && !w->ret; i++) {
    const struct sim_array *a = &s->array[i];
    const double *value = b->value + runs * a->offset;
    hsize_t start[SIM_WRITER_RANK] = {start3[0], start3[1], start3[2]}, size[SIM_WRITER_RANK] = {1, size3[1], size3[2]};
    for (unsigned d = 0; d < a->dims; d++) size[3 + d] = s->axis[a->axis[d]].n;
    if (a->dtype == SIM_F64) {
      sim_writer_box(w, w->array[i], H5T_NATIVE_DOUBLE, (int)(3 + a->dims), start, size, value);
      continue;
    }
    int64_t missing = a->dtype == SIM_I64 ? MISSING_I64 : MISSING_FLAG;
    for (size_t k = 0; k < runs * a->count; k++) b->scratch[k] = isfinite(value[k]) ? (int64_t)value[k] : missing;
    sim_writer_box(w, w->array[i], H5T_NATIVE_INT64, (int)(3 + a->dims), start, size, b->scratch);
  }
  sim_writer_box(w, w->events, H5T_NATIVE_INT64, 3, start3, size3, b->events);
  sim_writer_box(w, w->failed, H5T_NATIVE_INT8, 3, start3, size3, b->failed);
}

static void write_arm(struct sim_writer *w, struct block *b, size_t arm, struct sim_row *row) {
  const struct sim_results_content *c = w->c;
  for (size_t p = 0; p < c->points; p += b->points) {
    for (size_t r = 0; r < c->replicates && !w->ret; r += b->replicates) {
      size_t points = sim_smaller(b->points, c->points - p), replicates = sim_smaller(b->replicates, c->replicates - r);
      size_t runs = points * replicates;
      for (size_t i = 0; i < runs * w->s->elements; i++) b->value[i] = NAN;
      for (size_t i = 0; i < runs && !w->ret; i++) {
        gather_run(w, b, arm, p + i / replicates, r + i % replicates, i, runs, row);
      }
      write_block(w, b, (hsize_t[]){arm, p, r}, (hsize_t[]){1, points, replicates});
    }
  }
}

static void write_failures(struct sim_writer *w) {
  if (w->ret || w->failure.n == 0) return;
  const char *const dims[] = {"failure"};
  sim_writer_dimension_counter(w, "failure", w->failure.n, "failed run");
  sim_writer_integers(w, "failure_arm", 1, dims, w->failure.arm, NULL, "index of its arm");
  sim_writer_integers(w, "failure_point", 1, dims, w->failure.point, NULL, "index of its design point");
  sim_writer_integers(w, "failure_replicate", 1, dims, w->failure.replicate, NULL, "index of its replicate");
  sim_writer_texts(w, "failure_reason", 1, dims, (const char *const *)w->failure.reason, "why it failed");
}

void sim_writer_runs(struct sim_writer *w) {
  const struct sim_results_content *c = w->c;
  size_t most = SIM_WRITER_BYTES / sizeof(double) / (w->s->elements + 1), widest = 1;
  if (most > BLOCK_RUNS) most = BLOCK_RUNS;
  if (most < 1) most = 1;
  struct block b = {.replicates = sim_smaller(c->replicates, most)};
  b.points = sim_smaller(c->points, most / b.replicates);
  size_t runs = b.points * b.replicates;
  for (size_t i = 0; i < w->s->arrays; i++)
    if (w->s->array[i].count > widest) widest = w->s->array[i].count;
  b.value = sim_calloc(runs * w->s->elements + 1, sizeof *b.value);
  b.scratch = sim_calloc(runs * widest, sizeof *b.scratch);
  b.events = sim_calloc(runs, sizeof *b.events);
  b.failed = sim_calloc(runs, sizeof *b.failed);
  if (!b.value || !b.scratch || !b.events || !b.failed) sim_writer_fail(w, SIM_ERR_MEMORY);
  if (!w->ret) create_arrays(w, &b);
  for (size_t arm = 0; arm < c->arms && !w->ret; arm++) {
    struct sim_row row;
    if (sim_row_init(&row, &c->layouts[arm]) != 0) sim_writer_fail(w, SIM_ERR_MEMORY);
    if (!w->ret) write_arm(w, &b, arm, &row);
    sim_row_free(&row);
  }
  write_failures(w);
  sim_free(b.value), sim_free(b.scratch), sim_free(b.events), sim_free(b.failed);
}
