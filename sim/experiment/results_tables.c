/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all runs share: dimensions, design, society, parameters. */
#include "sim/experiment/fan.h"
#include "sim/experiment/results_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- dimensions and tables ----------------------------------------------------------------------------------- */

static void write_dimensions(struct sim_writer *w) {
  const struct sim_results_content *c = w->c;
  sim_writer_dimension_texts(w, "arm", c->arms, c->arm, "arm of the experiment");
  sim_writer_dimension_counter(w, "point", c->points, "design point");
  sim_writer_dimension_counter(w, "replicate", c->replicates, "replicate");
  for (size_t i = 0; i < w->s->axes; i++) {
    const struct sim_axis *a = &w->s->axis[i];
    if (a->text) {
      sim_writer_dimension_texts(w, a->name, a->n, a->label, a->name);
    } else {
      sim_writer_dimension(w, a->name, a->n, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, a->coordinate, a->unit, a->name);
    }
  }
  if (w->s->curves == 0 || w->s->days == 0) return;
  sim_writer_dimension(w, "time", w->s->days, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, w->s->day, "day",
                       "time since the start");
  double quantile[SIM_FAN_QUANTILES], bin[SIM_SERIES_BINS];
  for (unsigned q = 0; q < SIM_FAN_QUANTILES; q++) quantile[q] = sim_fan_permille[q] / 1000.0;
  for (unsigned b = 0; b < SIM_SERIES_BINS; b++) bin[b] = b / 1000.0;
  sim_writer_dimension(w, "quantile", SIM_FAN_QUANTILES, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, quantile, "1",
                       "share of runs below");
  sim_writer_dimension(w, "bin", SIM_SERIES_BINS, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, bin, "1",
                       "square root of the share of the scale (of functionality: of what is lost)");
}

static void write_design(struct sim_writer *w) {
  const struct sim_results_content *c = w->c;
  if (c->factors == 0) return;
  sim_writer_dimension_texts(w, "factor", c->factors, c->factor, "path of a parameter that the design varies");
  const char *const dims[] = {"point", "factor"};
  sim_writer_texts(w, "design_unit", 1, dims + 1, c->factor_unit, "unit of the factor");
  sim_writer_doubles(w, "design_value", 2, dims, c->factor_value, NULL, "value of the factor at the design point");
  if (c->factor_place)
    sim_writer_doubles(w, "design_place", 2, dims, c->factor_place, "1", "place of that value in the factor's range");
  if (!c->design_row || !c->design_part) return;
  sim_writer_integers(w, "design_row", 1, dims, c->design_row, "1", "row of the base design, or trajectory");
  sim_writer_integers(w, "design_part", 1, dims, c->design_part, "1",
                      "Saltelli: 0 A, 1 B, 2 + f: A with factor f from B; Morris: 0 start, 1 + f: factor f was moved");
}

static void write_horizon(struct sim_writer *w) {
  double *horizon = sim_calloc(w->c->arms + 1, sizeof *horizon);
  if (!horizon) sim_writer_fail(w, SIM_ERR_MEMORY);
  for (size_t a = 0; horizon && a < w->c->arms; a++) horizon[a] = w->c->layouts[a].horizon;
  const char *const dims[] = {"arm"};
  sim_writer_doubles(w, "horizon", 1, dims, horizon, "day", "length of a run");
  sim_free(horizon);
}

/* Sizes of populations, and for each layer the nodes, edges and hash of its graph. */
static void write_society(struct sim_writer *w) {
  const struct sim_shape *s = w->s;
  size_t layer_axis = sim_shape_axis(s, "layer"), population_axis = sim_shape_axis(s, "population");
  size_t layers = layer_axis < s->axes ? s->axis[layer_axis].n : 0;
  size_t populations = population_axis < s->axes ? s->axis[population_axis].n : 0;
  size_t cells = w->c->arms * layers;
  int64_t *nodes = sim_calloc(cells + 1, sizeof *nodes), *edges = sim_calloc(cells + 1, sizeof *edges);
  int64_t *size = sim_calloc(w->c->arms * populations + 1, sizeof *size);
  char(*hash)[17] = sim_calloc(cells + 1, sizeof *hash);
  const char **text = sim_calloc(cells + 1, sizeof *text);
  if (!nodes || !edges || !size || !hash || !text) sim_writer_fail(w, SIM_ERR_MEMORY);
  for (size_t i = 0; !w->ret && i < cells; i++) text[i] = hash[i];
  for (size_t a = 0; !w->ret && a < w->c->arms; a++) {
    const struct sim_layout *l = &w->c->layouts[a];
    for (size_t i = 0; i < l->layers; i++) {
      size_t at = a * layers + sim_axis_find(&s->axis[layer_axis], l->layer[i].name);
      nodes[at] = (int64_t)l->layer[i].nodes;
      edges[at] = (int64_t)l->layer[i].edges;
      if (l->layer[i].hash) snprintf(hash[at], sizeof *hash, "%016llx", (unsigned long long)l->layer[i].hash);
    }
    for (size_t i = 0; i < l->populations; i++) {
      size[a * populations + sim_axis_find(&s->axis[population_axis], l->population[i].name)] = l->population[i].size;
    }
  }
  const char *const by_layer[] = {"arm", "layer"}, *const by_population[] = {"arm", "population"};
  if (layers) {
    sim_writer_integers(w, "layer_nodes", 2, by_layer, nodes, "node",
                        "nodes of the layer's graph; 0: none, or one a replicate");
    sim_writer_integers(w, "layer_edges", 2, by_layer, edges, "edge", "edges of the layer's graph");
    sim_writer_texts(w, "layer_graph_hash", 2, by_layer, text,
                     "hash of the layer's graph; empty: none, or one a replicate");
  }
  if (populations) sim_writer_integers(w, "population_size", 2, by_population, size, "1", "entities in the population");
  sim_free(nodes), sim_free(edges), sim_free(size), sim_free(hash), sim_free(text);
}

/* ---- parameters ---------------------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted union of the paths of all arms. */
static size_t union_of_paths(const struct sim_results_content *c, const char **path) {
  size_t n = 0, distinct = 0;
  for (size_t a = 0; a < c->arms; a++)
    for (size_t i = 0; i < c->parameters[a]; i++) path[n++] = c->parameter[a][i].path;
  qsort(path, n, sizeof *path, compare_texts);
  for (size_t i = 0; i < n; i++)
    if (distinct == 0 || strcmp(path[distinct - 1], path[i]) != 0) path[distinct++] = path[i];
  return distinct;
}

/* Every parameter of every arm with value, unit, range and source: what was assumed. */
static void write_parameters(struct sim_writer *w) {
  const struct sim_results_content *c = w->c;
  size_t all = 0;
  for (size_t a = 0; c->parameter && a < c->arms; a++) all += c->parameters[a];
  if (all == 0) return;
  const char **path = sim_calloc(all, sizeof *path);
  size_t n = path ? union_of_paths(c, path) : 0, cells = c->arms * n;
  const char **value = sim_calloc(cells + 1, sizeof *value), **source = sim_calloc(cells + 1, sizeof *source);
  const char **unit = sim_calloc(n + 1, sizeof *unit);
  double *number = sim_calloc(3 * cells + 1, sizeof *number);
  if (!path || !value || !source || !unit || !number) sim_writer_fail(w, SIM_ERR_MEMORY);
  if (!w->ret) {
    for (size_t i = 0; i < cells; i++) value[i] = source[i] = "";
    for (size_t i = 0; i < 3 * cells; i++) number[i] = NAN;
    for (size_t i = 0; i < n; i++) unit[i] = "";
    for (size_t a = 0; a < c->arms; a++) {
      for (size_t i = 0; i < c->parameters[a]; i++) {
        const struct sim_path_info *p = &c->parameter[a][i];
        const char **found = bsearch(&p->path, path, n, sizeof *path, compare_texts);
        size_t k = (size_t)(found - path), at = a * n + k;
        if (p->value) value[at] = p->value;
        if (p->source) source[at] = p->source;
        if (p->unit) unit[k] = p->unit;
        number[at] = p->number;
        if (p->ranged) number[cells + at] = p->low, number[2 * cells + at] = p->high;
      }
    }
    const char *const dims[] = {"arm", "parameter"};
    sim_writer_dimension_texts(w, "parameter", n, path, "path of a parameter in the expanded scenario");
    sim_writer_texts(w, "parameter_value", 2, dims, value, "value as scenario text");
    sim_writer_texts(w, "parameter_unit", 1, dims + 1, unit, "canonical unit of number, low and high");
    sim_writer_texts(w, "parameter_source", 2, dims, source,
                     "source of the value: a key of `sources` or a built-in tag");
    sim_writer_doubles(w, "parameter_number", 2, dims, number, NULL, "value of a quantity in canonical units");
    sim_writer_doubles(w, "parameter_low", 2, dims, number + cells, NULL, "low end of the range");
    sim_writer_doubles(w, "parameter_high", 2, dims, number + 2 * cells, NULL, "high end of the range");
  }
  sim_free(path), sim_free(value), sim_free(source), sim_free(unit), sim_free(number);
}

/* Where replicates were made until an interval was narrow enough: how many, how wide it is, and whether that is it. */
static void write_precision(struct sim_writer *w) {
  const struct sim_stopping *s = w->c->stopping;
  if (!s || s->rule == SIM_STOP_FIXED || w->ret) return;
  const char *const dims[] = {"arm", "point"};
  int64_t *made = sim_calloc(s->points, sizeof *made);
  int8_t *reached = sim_calloc(s->points, sizeof *reached);
  if (!made || !reached) sim_writer_fail(w, SIM_ERR_MEMORY);
  for (size_t p = 0; made && reached && p < s->points; p++) {
    made[p] = (int64_t)s->asked[p];
    reached[p] = s->reached[p];
  }
  sim_writer_integers(w, "precision_replicates", 1, dims + 1, made, "1", "replicates of each arm at the design point");
  sim_writer_doubles(w, "precision_width", 2, dims, s->width, s->unit, "width of the 95 % interval that was reached");
  hid_t set = sim_writer_variable(w, "precision_reached", H5T_STD_I8LE, 1, dims + 1, NULL, 0, NULL);
  sim_writer_describe(w, set, NULL, "whether the intervals of all arms are as narrow as asked", "no yes");
  if (!w->ret) sim_writer_check(w, H5Dwrite(set, H5T_NATIVE_INT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, reached));
  if (set >= 0) sim_writer_check(w, H5Dclose(set));
  sim_free(made);
  sim_free(reached);
}

void sim_writer_tables(struct sim_writer *w) {
  write_dimensions(w);
  write_design(w);
  write_horizon(w);
  write_society(w);
  write_parameters(w);
  write_precision(w);
}
