/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/layout.h"
#include <stdio.h>
#include <string.h>

uint64_t sim_hash_bytes(uint64_t hash, const void *data, size_t n) {
  const unsigned char *p = data;
  for (size_t i = 0; i < n; i++) hash = (hash ^ p[i]) * 1099511628211ull;
  return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text) {
  return sim_hash_bytes(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

/* Copies a borrowed text into the slot; NULL stays NULL. */
static int own(const char **slot, const char *text) {
  *slot = NULL;
  if (!text) return 0;
  *slot = sim_strdup(text);
  return *slot ? 0 : SIM_ERR_MEMORY;
}

static int column_copy(struct sim_column *to, const struct sim_column *from) {
  *to = *from;
  to->variable = to->unit = to->long_name = to->flags = NULL;
  for (unsigned d = 0; d < 2; d++) to->at[d].dim = to->at[d].label = to->at[d].unit = NULL;
  int ret = own(&to->variable, from->variable);
  if (ret == 0) ret = own(&to->unit, from->unit);
  if (ret == 0) ret = own(&to->long_name, from->long_name);
  if (ret == 0) ret = own(&to->flags, from->flags);
  for (unsigned d = 0; ret == 0 && d < from->dims; d++) {
    ret = own(&to->at[d].dim, from->at[d].dim);
    if (ret == 0) ret = own(&to->at[d].label, from->at[d].label);
    if (ret == 0) ret = own(&to->at[d].unit, from->at[d].unit);
  }
  return ret;
}

static int series_copy(struct sim_series *to, const struct sim_series *from) {
  memset(to, 0, sizeof *to);
  to->scale = from->scale;
  to->loss = from->loss;
  int ret = own(&to->variable, from->variable);
  if (ret == 0) ret = own(&to->unit, from->unit);
  if (ret == 0) ret = own(&to->long_name, from->long_name);
  if (ret == 0) ret = own(&to->dim, from->dim);
  if (ret == 0) ret = own(&to->label, from->label);
  return ret;
}

int sim_layout_init_tables(struct sim_layout *l, const struct sim_column *column, size_t columns,
                           const struct sim_series *curve, size_t series, const double *day, size_t samples,
                           double horizon) {
  memset(l, 0, sizeof *l);
  l->horizon = horizon;
  l->column = sim_calloc(columns + 1, sizeof *l->column);
  l->curve = sim_calloc(series + 1, sizeof *l->curve);
  l->day = sim_calloc(samples + 1, sizeof *l->day);
  if (!l->column || !l->curve || !l->day) return SIM_ERR_MEMORY;
  l->columns = columns, l->series = series, l->samples = samples;
  int ret = 0;
  for (size_t i = 0; ret == 0 && i < columns; i++) ret = column_copy(&l->column[i], &column[i]);
  for (size_t i = 0; ret == 0 && i < series; i++) ret = series_copy(&l->curve[i], &curve[i]);
  if (samples) memcpy(l->day, day, samples * sizeof *day);
  return ret;
}

static int copy_society(struct sim_layout *l, const struct sim_world *w) {
  size_t layers = sim_world_layers(w);
  l->layer = sim_calloc(layers + 1, sizeof *l->layer);
  if (!l->layer) return SIM_ERR_MEMORY;
  l->layers = layers;
  for (size_t i = 0; i < layers; i++) {
    const struct sim_graph *g = NULL;
    const struct sim_layer *layer = sim_world_layer(w, i, &g);
    l->layer[i].name = sim_strdup(layer->name);
    if (!l->layer[i].name) return SIM_ERR_MEMORY;
    if (g) l->layer[i].nodes = g->nodes, l->layer[i].edges = g->edges, l->layer[i].hash = g->hash;
  }
  const struct sim_population *population;
  size_t populations = sim_world_populations(w, &population);
  l->population = sim_calloc(populations + 1, sizeof *l->population);
  if (!l->population) return SIM_ERR_MEMORY;
  l->populations = populations;
  for (size_t i = 0; i < populations; i++) {
    l->population[i].name = sim_strdup(population[i].name);
    l->population[i].size = population[i].size;
    if (!l->population[i].name) return SIM_ERR_MEMORY;
  }
  return 0;
}

int sim_layout_init(struct sim_layout *l, const struct sim_world *w, double horizon) {
  const struct sim_column *column = NULL;
  const struct sim_series *curve = NULL;
  const double *day = NULL;
  size_t columns = sim_world_columns(w, &column), series = sim_world_series(w, &curve);
  size_t samples = sim_world_samples(w, &day);
  int ret = sim_layout_init_tables(l, column, columns, curve, series, day, samples, horizon);
  return ret ? ret : copy_society(l, w);
}

static void disown(const char *text) {
  sim_free((void *)text);
}

void sim_layout_free(struct sim_layout *l) {
  for (size_t i = 0; l->column && i < l->columns; i++) {
    struct sim_column *c = &l->column[i];
    disown(c->variable), disown(c->unit), disown(c->long_name), disown(c->flags);
    for (unsigned d = 0; d < 2; d++) disown(c->at[d].dim), disown(c->at[d].label), disown(c->at[d].unit);
  }
  for (size_t i = 0; l->curve && i < l->series; i++) {
    struct sim_series *s = &l->curve[i];
    disown(s->variable), disown(s->unit), disown(s->long_name), disown(s->dim), disown(s->label);
  }
  for (size_t i = 0; l->layer && i < l->layers; i++) sim_free(l->layer[i].name);
  for (size_t i = 0; l->population && i < l->populations; i++) sim_free(l->population[i].name);
  sim_free(l->column);
  sim_free(l->curve);
  sim_free(l->day);
  sim_free(l->layer);
  sim_free(l->population);
  memset(l, 0, sizeof *l);
}

uint64_t sim_layout_hash(const struct sim_layout *l) {
  uint64_t h = SIM_HASH_START;
  for (size_t i = 0; i < l->columns; i++) {
    const struct sim_column *c = &l->column[i];
    h = hash_text(hash_text(h, c->variable), c->unit);
    h = hash_text(sim_hash_bytes(h, &c->dtype, sizeof c->dtype), c->flags);
    for (unsigned d = 0; d < c->dims; d++) {
      h = hash_text(hash_text(h, c->at[d].dim), c->at[d].label);
      if (!c->at[d].label) h = sim_hash_bytes(h, &c->at[d].coordinate, sizeof(double));
    }
  }
  for (size_t i = 0; i < l->series; i++) {
    const struct sim_series *s = &l->curve[i];
    h = hash_text(hash_text(hash_text(h, s->variable), s->dim), s->label);
    h = sim_hash_bytes(h, &s->scale, sizeof s->scale);
    h = sim_hash_bytes(h, &s->loss, sizeof s->loss);
  }
  return sim_hash_bytes(h, l->day, l->samples * sizeof *l->day);
}

int sim_row_init(struct sim_row *row, const struct sim_layout *l) {
  memset(row, 0, sizeof *row);
  size_t samples = l->series * l->samples;
  row->columns = sim_calloc(l->columns + 1, sizeof *row->columns);
  row->samples = sim_calloc(samples + 1, sizeof *row->samples);
  if (!row->columns || !row->samples) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < l->columns; i++) row->columns[i] = NAN;
  for (size_t i = 0; i < samples; i++) row->samples[i] = SIM_SERIES_MISSING;
  return 0;
}

void sim_row_free(struct sim_row *row) {
  sim_free(row->columns);
  sim_free(row->samples);
  memset(row, 0, sizeof *row);
}

/* Place of a word among others separated by spaces, or NaN. */
static double flag_value(const char *flags, const char *word) {
  size_t length = strlen(word);
  int place = 0;
  for (const char *p = flags; p && *p; place++) {
    size_t n = strcspn(p, " ");
    if (n == length && memcmp(p, word, n) == 0) return place;
    p += n + strspn(p + n, " ");
  }
  return NAN;
}

void sim_row_fail(struct sim_row *row, const struct sim_layout *l, const char *why) {
  for (size_t i = 0; i < l->columns; i++) row->columns[i] = flag_value(l->column[i].flags, "failed");
  for (size_t i = 0; i < l->series * l->samples; i++) row->samples[i] = SIM_SERIES_MISSING;
  row->events = 0;
  snprintf(row->error, sizeof row->error, "%s", why && *why ? why : "unknown reason");
}

bool sim_row_is_censored(const struct sim_row *row, const struct sim_layout *l) {
  for (size_t i = 0; i < l->columns; i++) {
    const struct sim_column *c = &l->column[i];
    if (!c->flags || strcmp(c->variable, "status") != 0 || !(row->columns[i] >= 0)) continue;
    const char *p = c->flags;
    for (int k = (int)row->columns[i]; k > 0 && *p; k--) p += strcspn(p, " "), p += strspn(p, " ");
    size_t n = strcspn(p, " ");
    if (n >= 8 && memcmp(p + n - 8, "censored", 8) == 0) return true;
  }
  return false;
}
