/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points from a CSV file: the header names parameters by path, a cell is a scalar as the scenario would have it. */
#include "sim/core/csv.h"
#include "sim/core/mem.h"
#include "sim/experiment/design_internal.h"
#include <math.h>
#include <string.h>

struct reader {
  struct sim_design *d;
  const struct sim_scenario *s;
  struct sim_csv csv;
  struct sim_patch *patch; /* [factors] */
  struct sim_diag *diag;
};

static const struct sim_path_info *find(const struct sim_path_info *paths, size_t n, const char *path) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(paths[i].path, path) == 0) return &paths[i];
  return NULL;
}

/* Factors from the header, and which arms have each (low, high 0 rather than NaN until the values are known). */
static int read_header(struct reader *r) {
  struct sim_design *d = r->d;
  size_t cap = 0, n = r->csv.columns;
  d->low = sim_calloc(d->arms * n, sizeof *d->low);
  d->high = sim_calloc(d->arms * n, sizeof *d->high);
  d->whole = sim_calloc(n, sizeof *d->whole);
  if (!d->low || !d->high || !d->whole) return SIM_ERR_MEMORY;
  struct sim_path_info **paths = sim_calloc(d->arms, sizeof *paths);
  size_t *count = sim_calloc(d->arms, sizeof *count);
  int ret = paths && count ? 0 : SIM_ERR_MEMORY;
  for (size_t a = 0; ret == 0 && a < d->arms; a++) count[a] = sim_scenario_paths(r->s, a, NULL, &paths[a]);
  for (size_t f = 0; ret == 0 && f < n; f++) {
    const char *path = r->csv.header[f], *unit = NULL;
    for (size_t a = 0; a < d->arms; a++) {
      const struct sim_path_info *info = find(paths[a], count[a], path);
      bool number = info && !isnan(info->number);
      if (number && !unit) unit = info->unit;
      d->low[a * n + f] = d->high[a * n + f] = number ? 0 : NAN;
    }
    if (!unit) {
      ret = sim_csv_complain(&r->csv, SIM_CSV_HEADER, r->diag, "`%s` is not the path of a number in any arm", path);
    } else {
      ret = sim_design_add_factor(d, &cap, path, unit);
    }
  }
  for (size_t a = 0; paths && count && a < d->arms; a++) sim_paths_free(paths[a], count[a]);
  sim_free(paths);
  sim_free(count);
  return ret;
}

/* Binds one arm with the cells of a row, and keeps the numbers of those factors whose values come from this arm. */
static int read_row(struct reader *r, size_t row, size_t arm, const size_t *arm_of) {
  struct sim_design *d = r->d;
  size_t n = 0;
  for (size_t f = 0; f < d->factors; f++) {
    if (arm_of[f] == arm) r->patch[n++] = (struct sim_patch){d->path[f], d->text[row * d->factors + f]};
  }
  if (n == 0) return 0;
  struct sim_bound *bound = NULL;
  struct sim_diag wrong = {0};
  int ret = sim_scenario_bind(&bound, r->s, arm, r->patch, n, &wrong);
  if (ret == SIM_ERR_INPUT) {
    const struct sim_diag_item *first = &wrong.items[0];
    ret = sim_csv_complain(&r->csv, row, r->diag, "%s%s%s", first->path ? first->path : "", first->path ? ": " : "",
                           first->text);
  }
  sim_diag_free(&wrong);
  for (size_t f = 0; ret == 0 && f < d->factors; f++) {
    if (arm_of[f] != arm) continue;
    const struct sim_value *v = sim_design_value_at(sim_bound_root(bound), d->path[f]);
    if (v && v->form == SIM_NUMBER && !v->ranged) {
      d->value[row * d->factors + f] = v->number;
    } else {
      ret = sim_csv_complain(&r->csv, row, r->diag, "%s: expected one number, found `%s`", d->path[f],
                             d->text[row * d->factors + f]);
    }
  }
  sim_bound_free(bound);
  return ret;
}

static int read_rows(struct reader *r) {
  struct sim_design *d = r->d;
  size_t cells = d->points * d->factors;
  d->value = sim_calloc(cells, sizeof *d->value);
  d->cube = sim_calloc(cells, sizeof *d->cube);
  d->text = sim_calloc(cells, sizeof *d->text);
  r->patch = sim_calloc(d->factors, sizeof *r->patch);
  size_t *arm_of = sim_calloc(d->factors, sizeof *arm_of);
  int ret = d->value && d->cube && d->text && r->patch && arm_of ? 0 : SIM_ERR_MEMORY;
  for (size_t i = 0; ret == 0 && i < cells; i++) {
    d->text[i] = sim_strdup(r->csv.cell[i]);
    if (!d->text[i]) ret = SIM_ERR_MEMORY;
  }
  for (size_t f = 0; ret == 0 && f < d->factors; f++) arm_of[f] = sim_design_arm_of(d, f);
  for (size_t row = 0; ret == 0 && row < d->points; row++) {
    for (size_t arm = 0; ret == 0 && arm < d->arms; arm++) ret = read_row(r, row, arm, arm_of);
  }
  sim_free(arm_of);
  return ret;
}

/* The range of a factor is what its column spans. */
static void place(struct sim_design *d) {
  for (size_t f = 0; f < d->factors; f++) {
    double low = INFINITY, high = -INFINITY;
    for (size_t p = 0; p < d->points; p++) {
      low = fmin(low, d->value[p * d->factors + f]);
      high = fmax(high, d->value[p * d->factors + f]);
    }
    for (size_t p = 0; p < d->points; p++) {
      d->cube[p * d->factors + f] = high > low ? (d->value[p * d->factors + f] - low) / (high - low) : 0.5;
    }
    for (size_t a = 0; a < d->arms; a++) {
      if (isnan(d->low[a * d->factors + f])) continue;
      d->low[a * d->factors + f] = low;
      d->high[a * d->factors + f] = high;
    }
  }
}

int sim_design_read_csv(struct sim_design *d, const struct sim_scenario *s, const struct sim_value *sample,
                        struct sim_diag *diag) {
  struct reader r = {.d = d, .s = s, .diag = diag};
  d->kind = "csv";
  int ret = sim_csv_read(&r.csv, sim_value_get(sample, "file"), true, diag);
  if (ret == 0 && (r.csv.rows < 1 || r.csv.rows > SIM_DESIGN_MOST_POINTS)) {
    ret = sim_csv_complain(&r.csv, SIM_CSV_HEADER, diag, "%zu design points: expected 1 to %d", r.csv.rows,
                           SIM_DESIGN_MOST_POINTS);
  }
  if (ret == 0) d->points = d->base = r.csv.rows;
  if (ret == 0) ret = read_header(&r);
  if (ret == 0) ret = read_rows(&r);
  if (ret == 0) place(d);
  sim_free(r.patch);
  sim_csv_free(&r.csv);
  return ret;
}
