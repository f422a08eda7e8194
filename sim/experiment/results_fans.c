/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Curves: histograms over runs at each time, and their quantiles. */
#include "sim/experiment/fan.h"
#include "sim/experiment/results_internal.h"
#include <math.h>
#include <string.h>

/* ---- fans ---------------------------------------------------------------------------------------------------- */

static void create_fans(struct sim_writer *w) {
  const struct sim_shape *s = w->s;
  const double nan = NAN;
  for (size_t i = 0; i < s->curves && !w->ret; i++) {
    const struct sim_array *a = &s->curve[i];
    const char *dims[SIM_WRITER_RANK] = {"arm"};
    hsize_t chunk[SIM_WRITER_RANK] = {1};
    unsigned rank = 1;
    if (a->dims) dims[rank] = s->axis[a->axis[0]].name, chunk[rank++] = 1;
    dims[rank] = "time", chunk[rank++] = sim_smaller(s->days, 64);
    dims[rank] = "quantile", chunk[rank++] = SIM_FAN_QUANTILES;
    char *name = sim_strf("%s_fan", a->name),
         *about = sim_strf("%s: quantiles of runs", a->long_name ? a->long_name : a->name);
    char *histogram = sim_strf("%s_histogram", a->name);
    char *counts = sim_strf("%s: runs by bin", a->long_name ? a->long_name : a->name);
    if (!name || !about || !histogram || !counts) sim_writer_fail(w, SIM_ERR_MEMORY);
    w->fan[i] = sim_writer_variable(w, name, H5T_IEEE_F64LE, rank, dims, chunk, H5T_NATIVE_DOUBLE, &nan);
    sim_writer_describe(w, w->fan[i], a->unit, about, NULL);
    dims[rank - 1] = "bin", chunk[rank - 1] = SIM_SERIES_BINS;
    w->histogram[i] = sim_writer_variable(w, histogram, H5T_STD_U32LE, rank, dims, chunk, 0, NULL);
    sim_writer_describe(w, w->histogram[i], "run", counts, NULL);
    sim_free(name), sim_free(about), sim_free(histogram), sim_free(counts);
  }
}

static void write_fan(struct sim_writer *w, size_t arm, size_t series, const uint32_t *histogram, double *fan) {
  const struct sim_shape *s = w->s;
  size_t curve = s->curve_of[arm][series];
  const struct sim_series *shown = &w->c->layouts[arm].curve[series];
  for (size_t t = 0; t < s->days; t++) {
    sim_fan_quantiles(histogram + t * SIM_SERIES_BINS, shown, fan + t * SIM_FAN_QUANTILES);
  }
  hsize_t start[4] = {arm}, size[4] = {1};
  int rank = 1;
  if (s->curve[curve].dims) start[rank] = s->curve_element[arm][series], size[rank++] = 1;
  size[rank++] = s->days;
  size[rank] = SIM_FAN_QUANTILES;
  sim_writer_box(w, w->fan[curve], H5T_NATIVE_DOUBLE, rank + 1, start, size, fan);
  size[rank] = SIM_SERIES_BINS;
  sim_writer_box(w, w->histogram[curve], H5T_NATIVE_UINT32, rank + 1, start, size, histogram);
}

/* Counts series [first, last) of an arm over all its good runs. */
static void count_series(struct sim_writer *w, size_t arm, size_t first, size_t last, uint32_t *histogram,
                         struct sim_row *row) {
  const struct sim_results_content *c = w->c;
  size_t samples = c->layouts[arm].samples, cells = w->s->days * SIM_SERIES_BINS;
  for (size_t i = 0; i < c->points * c->replicates && !w->ret; i++) {
    int found = c->row(c->ctx, arm, i / c->replicates, i % c->replicates, row);
    if (found < 0) sim_writer_fail(w, found);
    if (found || row->error[0]) continue;
    for (size_t k = first; k < last; k++) {
      for (size_t t = 0; t < samples; t++) {
        sim_fan_count(histogram + (k - first) * cells + w->s->day_of[arm][t] * SIM_SERIES_BINS,
                      row->samples + k * samples + t, 1);
      }
    }
  }
}

/* Adds what was counted in runs whose curves are not there any more. */
static void count_before(struct sim_writer *w, size_t arm, size_t first, size_t last, uint32_t *histogram) {
  size_t cells = w->s->days * SIM_SERIES_BINS;
  for (size_t k = first; k < last && w->c->counted && !w->ret; k++) {
    int ret = w->c->counted(w->c->ctx, arm, k, histogram + (k - first) * cells);
    if (ret) sim_writer_fail(w, ret);
  }
}

/* Fans pool the design points. One pass over the runs for as many curves as fit into memory. */
void sim_writer_fans(struct sim_writer *w) {
  if (w->s->curves == 0 || w->s->days == 0) return;
  create_fans(w);
  size_t cells = w->s->days * SIM_SERIES_BINS, at_once = SIM_WRITER_BYTES / (cells * sizeof(uint32_t));
  if (at_once < 1) at_once = 1;
  size_t most = 0;
  for (size_t arm = 0; arm < w->c->arms; arm++)
    if (w->c->layouts[arm].series > most) most = w->c->layouts[arm].series;
  at_once = sim_smaller(at_once, most);
  uint32_t *histogram = sim_calloc(at_once * cells, sizeof *histogram);
  double *fan = sim_calloc(w->s->days * SIM_FAN_QUANTILES, sizeof *fan);
  if (!histogram || !fan) sim_writer_fail(w, SIM_ERR_MEMORY);
  for (size_t arm = 0; arm < w->c->arms && !w->ret; arm++) {
    struct sim_row row;
    if (sim_row_init(&row, &w->c->layouts[arm]) != 0) sim_writer_fail(w, SIM_ERR_MEMORY);
    size_t series = w->c->layouts[arm].series;
    for (size_t first = 0; first < series && !w->ret; first += at_once) {
      size_t last = sim_smaller(first + at_once, series);
      memset(histogram, 0, at_once * cells * sizeof *histogram);
      count_series(w, arm, first, last, histogram, &row);
      count_before(w, arm, first, last, histogram);
      for (size_t k = first; k < last && !w->ret; k++) write_fan(w, arm, k, histogram + (k - first) * cells, fan);
    }
    sim_row_free(&row);
  }
  sim_free(histogram);
  sim_free(fan);
}
