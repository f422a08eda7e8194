/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/results.h"
#include "sim/experiment/fan.h"
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_RUNS   4096        /* runs gathered before they are written; also the chunk of variables */
#define BLOCK_BYTES  (64u << 20) /* bound on buffers */
#define FIXED_TEXT   32000       /* attributes up to this many bytes are fixed-length (64 KiB is HDF5's limit) */
#define DEFLATE      4
#define MISSING_I64  (-9223372036854775806ll) /* netCDF's NC_FILL_INT64 */
#define MISSING_FLAG (-127)                   /* netCDF's NC_FILL_BYTE */
#define MAX_RANK     5

struct dimension {
  const char *name;
  hsize_t size;
  hid_t scale;
};

/* The file being written. The first error latches in `ret` and `why`; after it every step does nothing. */
struct writer {
  const struct sim_results_content *c;
  const struct sim_shape *s;
  hid_t file, text; /* text: type of variable-length UTF-8 strings */
  struct dimension *dim;
  size_t dims, cap;
  hid_t *array, *histogram, *fan; /* datasets of the shape's arrays and curves */
  hid_t events, failed;
  struct { /* failed runs */
    int64_t *arm, *point, *replicate;
    char **reason;
    size_t n, cap[4];
  } failure;
  uint64_t done, missing, censored;
  int ret;
  char why[256];
};

/* ---- errors -------------------------------------------------------------------------------------------------- */

static herr_t innermost(unsigned n, const H5E_error2_t *e, void *why) {
  (void)n;
  if (e->desc && *e->desc) snprintf(why, 256, "%s", e->desc);
  return 0;
}

static void fail(struct writer *w, int code) {
  if (w->ret) return;
  w->ret = code;
  if (code == SIM_ERR_IO) {
    const char *system = errno ? strerror(errno) : "";
    snprintf(w->why, sizeof w->why, "%s", system);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, w->why);
  }
}

static void check(struct writer *w, herr_t status) {
  if (status < 0) fail(w, SIM_ERR_IO);
}
static hid_t keep(struct writer *w, hid_t id) {
  if (id < 0) fail(w, SIM_ERR_IO);
  return id;
}

/* ---- attributes ---------------------------------------------------------------------------------------------- */

static void attribute(struct writer *w, hid_t object, const char *name, hid_t file_type, hid_t memory_type, hsize_t n,
                      const void *value) {
  if (w->ret) return;
  hid_t space = keep(w, n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL));
  hid_t a = keep(w, H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT));
  if (!w->ret) check(w, H5Awrite(a, memory_type, value));
  if (a >= 0) check(w, H5Aclose(a));
  if (space >= 0) H5Sclose(space);
}

static void attribute_text(struct writer *w, hid_t object, const char *name, const char *text) {
  size_t n = text ? strlen(text) : 0;
  if (w->ret || n == 0) return;
  if (n > FIXED_TEXT) {
    attribute(w, object, name, w->text, w->text, 1, &text);
    return;
  }
  hid_t type = keep(w, H5Tcopy(H5T_C_S1));
  check(w, H5Tset_size(type, n));
  check(w, H5Tset_strpad(type, H5T_STR_NULLPAD));
  check(w, H5Tset_cset(type, H5T_CSET_UTF8));
  attribute(w, object, name, type, type, 1, text);
  H5Tclose(type);
}

static void attribute_number(struct writer *w, hid_t object, const char *name, uint64_t value) {
  attribute(w, object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &value);
}

/* Units, long name, and for flags their values and meanings. */
static void describe(struct writer *w, hid_t set, const char *unit, const char *long_name, const char *flags) {
  attribute_text(w, set, "units", unit);
  attribute_text(w, set, "long_name", long_name);
  if (!flags) return;
  int8_t value[127];
  hsize_t n = 0;
  for (const char *p = flags; *p && n < 127; n++) {
    value[n] = (int8_t)n;
    p += strcspn(p, " ");
    p += strspn(p, " ");
  }
  if (n > 1) attribute(w, set, "flag_values", H5T_STD_I8LE, H5T_NATIVE_INT8, n, value);
  attribute_text(w, set, "flag_meanings", flags);
}

/* ---- datasets ------------------------------------------------------------------------------------------------ */

static hid_t creation(struct writer *w, int rank, const hsize_t *chunk) {
  hid_t p = keep(w, H5Pcreate(H5P_DATASET_CREATE));
  check(w, H5Pset_attr_creation_order(p, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  check(w, H5Pset_obj_track_times(p, 0));
  if (chunk) {
    check(w, H5Pset_chunk(p, rank, chunk));
    check(w, H5Pset_shuffle(p));
    check(w, H5Pset_deflate(p, DEFLATE));
  }
  return p;
}

static size_t dimension_find(const struct writer *w, const char *name) {
  for (size_t i = 0; i < w->dims; i++)
    if (strcmp(w->dim[i].name, name) == 0) return i;
  sim_bug(name, __FILE__, __LINE__); /* a dimension was used before it was made */
}

/* A dataset over named dimensions. chunk NULL: contiguous. fill: value for what is never written, stored as _FillValue
 * too; NULL: none. */
static hid_t variable(struct writer *w, const char *name, hid_t type, unsigned rank, const char *const *dims,
                      const hsize_t *chunk, hid_t fill_type, const void *fill) {
  if (w->ret) return -1;
  hsize_t size[MAX_RANK];
  for (unsigned d = 0; d < rank; d++) size[d] = w->dim[dimension_find(w, dims[d])].size;
  hid_t space = keep(w, H5Screate_simple((int)rank, size, NULL)), p = creation(w, (int)rank, chunk);
  if (fill) check(w, H5Pset_fill_value(p, fill_type, fill));
  hid_t set = keep(w, H5Dcreate2(w->file, name, type, space, H5P_DEFAULT, p, H5P_DEFAULT));
  H5Pclose(p);
  H5Sclose(space);
  if (fill) attribute(w, set, "_FillValue", type, fill_type, 1, fill);
  for (unsigned d = 0; d < rank && !w->ret; d++) {
    check(w, H5DSattach_scale(set, w->dim[dimension_find(w, dims[d])].scale, d));
  }
  return set;
}

/* Writes a dataset whole and closes it. */
static void fill_in(struct writer *w, hid_t set, hid_t type, const void *values) {
  if (!w->ret) check(w, H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  if (set >= 0) check(w, H5Dclose(set));
}

/* A dimension with its coordinate variable, which stays open until the end. */
static void dimension(struct writer *w, const char *name, size_t n, hid_t file_type, hid_t memory_type,
                      const void *values, const char *unit, const char *long_name) {
  if (w->ret) return;
  struct dimension *grown = sim_grow(w->dim, &w->cap, w->dims + 1, sizeof *grown);
  if (!grown) {
    fail(w, SIM_ERR_MEMORY);
    return;
  }
  w->dim = grown;
  hsize_t size = n;
  hid_t space = keep(w, H5Screate_simple(1, &size, NULL)), p = creation(w, 1, NULL);
  hid_t set = keep(w, H5Dcreate2(w->file, name, file_type, space, H5P_DEFAULT, p, H5P_DEFAULT));
  if (!w->ret) check(w, H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  if (!w->ret) check(w, H5DSset_scale(set, name));
  describe(w, set, unit, long_name, NULL);
  H5Pclose(p);
  H5Sclose(space);
  w->dim[w->dims++] = (struct dimension){name, size, set};
}

static void dimension_texts(struct writer *w, const char *name, size_t n, const char *const *text,
                            const char *long_name) {
  dimension(w, name, n, w->text, w->text, text, NULL, long_name);
}

static void dimension_counter(struct writer *w, const char *name, size_t n, const char *long_name) {
  int64_t *value = sim_calloc(n + 1, sizeof *value);
  if (!value) {
    fail(w, SIM_ERR_MEMORY);
    return;
  }
  for (size_t i = 0; i < n; i++) value[i] = (int64_t)i;
  dimension(w, name, n, H5T_STD_I64LE, H5T_NATIVE_INT64, value, NULL, long_name);
  sim_free(value);
}

/* Writes a box [size] at [start] of a dataset. */
static void write_box(struct writer *w, hid_t set, hid_t type, int rank, const hsize_t *start, const hsize_t *size,
                      const void *values) {
  if (w->ret) return;
  hid_t memory = keep(w, H5Screate_simple(rank, size, NULL)), space = keep(w, H5Dget_space(set));
  if (!w->ret) check(w, H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL));
  if (!w->ret) check(w, H5Dwrite(set, type, memory, space, H5P_DEFAULT, values));
  H5Sclose(memory);
  H5Sclose(space);
}

/* ---- dimensions and tables ----------------------------------------------------------------------------------- */

static void write_dimensions(struct writer *w) {
  const struct sim_results_content *c = w->c;
  dimension_texts(w, "arm", c->arms, c->arm, "arm of the experiment");
  dimension_counter(w, "point", c->points, "design point");
  dimension_counter(w, "replicate", c->replicates, "replicate");
  for (size_t i = 0; i < w->s->axes; i++) {
    const struct sim_axis *a = &w->s->axis[i];
    if (a->text) {
      dimension_texts(w, a->name, a->n, a->label, a->name);
    } else {
      dimension(w, a->name, a->n, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, a->coordinate, a->unit, a->name);
    }
  }
  if (w->s->curves == 0 || w->s->days == 0) return;
  dimension(w, "time", w->s->days, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, w->s->day, "day", "time since the start");
  double quantile[SIM_FAN_QUANTILES], bin[SIM_SERIES_BINS];
  for (unsigned q = 0; q < SIM_FAN_QUANTILES; q++) quantile[q] = sim_fan_permille[q] / 1000.0;
  for (unsigned b = 0; b < SIM_SERIES_BINS; b++) bin[b] = b / 1000.0;
  dimension(w, "quantile", SIM_FAN_QUANTILES, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, quantile, "1", "share of runs below");
  dimension(w, "bin", SIM_SERIES_BINS, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, bin, "1",
            "square root of the share of the scale (of functionality: of what is lost)");
}

static void write_doubles(struct writer *w, const char *name, unsigned rank, const char *const *dims,
                          const double *value, const char *unit, const char *long_name) {
  const double nan = NAN;
  hid_t set = variable(w, name, H5T_IEEE_F64LE, rank, dims, NULL, H5T_NATIVE_DOUBLE, &nan);
  describe(w, set, unit, long_name, NULL);
  fill_in(w, set, H5T_NATIVE_DOUBLE, value);
}

static void write_integers(struct writer *w, const char *name, unsigned rank, const char *const *dims,
                           const int64_t *value, const char *unit, const char *long_name) {
  hid_t set = variable(w, name, H5T_STD_I64LE, rank, dims, NULL, 0, NULL);
  describe(w, set, unit, long_name, NULL);
  fill_in(w, set, H5T_NATIVE_INT64, value);
}

static void write_texts(struct writer *w, const char *name, unsigned rank, const char *const *dims,
                        const char *const *text, const char *long_name) {
  hid_t set = variable(w, name, w->text, rank, dims, NULL, 0, NULL);
  describe(w, set, NULL, long_name, NULL);
  fill_in(w, set, w->text, text);
}

static void write_design(struct writer *w) {
  const struct sim_results_content *c = w->c;
  if (c->factors == 0) return;
  dimension_texts(w, "factor", c->factors, c->factor, "path of a parameter that the design varies");
  const char *const dims[] = {"point", "factor"};
  write_texts(w, "design_unit", 1, dims + 1, c->factor_unit, "unit of the factor");
  write_doubles(w, "design_value", 2, dims, c->factor_value, NULL, "value of the factor at the design point");
  if (c->factor_place)
    write_doubles(w, "design_place", 2, dims, c->factor_place, "1", "place of that value in the factor's range");
  if (!c->design_row || !c->design_part) return;
  write_integers(w, "design_row", 1, dims, c->design_row, "1", "row of the base design, or trajectory");
  write_integers(w, "design_part", 1, dims, c->design_part, "1",
                 "Saltelli: 0 A, 1 B, 2 + f: A with factor f from B; Morris: 0 start, 1 + f: factor f was moved");
}

static void write_horizon(struct writer *w) {
  double *horizon = sim_calloc(w->c->arms + 1, sizeof *horizon);
  if (!horizon) fail(w, SIM_ERR_MEMORY);
  for (size_t a = 0; horizon && a < w->c->arms; a++) horizon[a] = w->c->layouts[a].horizon;
  const char *const dims[] = {"arm"};
  write_doubles(w, "horizon", 1, dims, horizon, "day", "length of a run");
  sim_free(horizon);
}

/* Sizes of populations, and for each layer the nodes, edges and hash of its graph. */
static void write_society(struct writer *w) {
  const struct sim_shape *s = w->s;
  size_t layer_axis = sim_shape_axis(s, "layer"), population_axis = sim_shape_axis(s, "population");
  size_t layers = layer_axis < s->axes ? s->axis[layer_axis].n : 0;
  size_t populations = population_axis < s->axes ? s->axis[population_axis].n : 0;
  size_t cells = w->c->arms * layers;
  int64_t *nodes = sim_calloc(cells + 1, sizeof *nodes), *edges = sim_calloc(cells + 1, sizeof *edges);
  int64_t *size = sim_calloc(w->c->arms * populations + 1, sizeof *size);
  char(*hash)[17] = sim_calloc(cells + 1, sizeof *hash);
  const char **text = sim_calloc(cells + 1, sizeof *text);
  if (!nodes || !edges || !size || !hash || !text) fail(w, SIM_ERR_MEMORY);
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
    write_integers(w, "layer_nodes", 2, by_layer, nodes, "node",
                   "nodes of the layer's graph; 0: none, or one a replicate");
    write_integers(w, "layer_edges", 2, by_layer, edges, "edge", "edges of the layer's graph");
    write_texts(w, "layer_graph_hash", 2, by_layer, text, "hash of the layer's graph; empty: none, or one a replicate");
  }
  if (populations) write_integers(w, "population_size", 2, by_population, size, "1", "entities in the population");
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
static void write_parameters(struct writer *w) {
  const struct sim_results_content *c = w->c;
  size_t all = 0;
  for (size_t a = 0; c->parameter && a < c->arms; a++) all += c->parameters[a];
  if (all == 0) return;
  const char **path = sim_calloc(all, sizeof *path);
  size_t n = path ? union_of_paths(c, path) : 0, cells = c->arms * n;
  const char **value = sim_calloc(cells + 1, sizeof *value), **source = sim_calloc(cells + 1, sizeof *source);
  const char **unit = sim_calloc(n + 1, sizeof *unit);
  double *number = sim_calloc(3 * cells + 1, sizeof *number);
  if (!path || !value || !source || !unit || !number) fail(w, SIM_ERR_MEMORY);
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
    dimension_texts(w, "parameter", n, path, "path of a parameter in the expanded scenario");
    write_texts(w, "parameter_value", 2, dims, value, "value as scenario text");
    write_texts(w, "parameter_unit", 1, dims + 1, unit, "canonical unit of number, low and high");
    write_texts(w, "parameter_source", 2, dims, source, "source of the value: a key of `sources` or a built-in tag");
    write_doubles(w, "parameter_number", 2, dims, number, NULL, "value of a quantity in canonical units");
    write_doubles(w, "parameter_low", 2, dims, number + cells, NULL, "low end of the range");
    write_doubles(w, "parameter_high", 2, dims, number + 2 * cells, NULL, "high end of the range");
  }
  sim_free(path), sim_free(value), sim_free(source), sim_free(unit), sim_free(number);
}

/* ---- runs ---------------------------------------------------------------------------------------------------- */

/* Runs that are gathered before writing: one arm, [points][replicates] of a box that is also the chunk. */
struct block {
  size_t points, replicates;
  double *value;    /* array by array: [runs][count] at runs * offset */
  int64_t *scratch; /* one array's, as integers */
  int64_t *events;  /* [runs] */
  int8_t *failed;   /* [runs] */
};

static void create_arrays(struct writer *w, const struct block *b) {
  const struct sim_shape *s = w->s;
  const char *dims[MAX_RANK] = {"arm", "point", "replicate"};
  hsize_t chunk[MAX_RANK] = {1, b->points, b->replicates};
  const double nan = NAN;
  const int64_t missing = MISSING_I64;
  const int8_t missing_flag = MISSING_FLAG;
  for (size_t i = 0; i < s->arrays; i++) {
    const struct sim_array *a = &s->array[i];
    for (unsigned d = 0; d < a->dims; d++) dims[3 + d] = s->axis[a->axis[d]].name, chunk[3 + d] = s->axis[a->axis[d]].n;
    if (a->dtype == SIM_F64) {
      w->array[i] = variable(w, a->name, H5T_IEEE_F64LE, 3 + a->dims, dims, chunk, H5T_NATIVE_DOUBLE, &nan);
    } else if (a->dtype == SIM_I64) {
      w->array[i] = variable(w, a->name, H5T_STD_I64LE, 3 + a->dims, dims, chunk, H5T_NATIVE_INT64, &missing);
    } else {
      w->array[i] = variable(w, a->name, H5T_STD_I8LE, 3 + a->dims, dims, chunk, H5T_NATIVE_INT8, &missing_flag);
    }
    describe(w, w->array[i], a->unit, a->long_name, a->dtype == SIM_FLAG ? a->flags : NULL);
  }
  w->events = variable(w, "events", H5T_STD_I64LE, 3, dims, chunk, H5T_NATIVE_INT64, &missing);
  describe(w, w->events, "event", "events executed in the run", NULL);
  w->failed = variable(w, "run_failed", H5T_STD_I8LE, 3, dims, chunk, 0, NULL);
  describe(w, w->failed, NULL, "whether the run was made", "done failed not_run");
}

static void note_failure(struct writer *w, size_t arm, size_t point, size_t replicate, const char *reason) {
  size_t n = w->failure.n + 1;
  int64_t **list[3] = {&w->failure.arm, &w->failure.point, &w->failure.replicate};
  const size_t at[3] = {arm, point, replicate};
  for (unsigned i = 0; i < 3; i++) {
    int64_t *grown = sim_grow(*list[i], &w->failure.cap[i], n, sizeof *grown);
    if (!grown) {
      fail(w, SIM_ERR_MEMORY);
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
    fail(w, SIM_ERR_MEMORY);
    return;
  }
  grown[n - 1] = copy;
  w->failure.n = n;
}

/* Does any level's `status` say that the window ended before recovery? */
static bool is_censored(const struct sim_layout *l, const struct sim_row *row) {
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

/* Reads one run into place r of the block. */
static void gather_run(struct writer *w, struct block *b, size_t arm, size_t point, size_t replicate, size_t r,
                       size_t runs, struct sim_row *row) {
  const struct sim_shape *s = w->s;
  const struct sim_layout *l = &w->c->layouts[arm];
  int found = w->c->row(w->c->ctx, arm, point, replicate, row);
  if (found < 0) {
    fail(w, found);
    return;
  }
  b->failed[r] = found ? 2 : row->error[0] != 0;
  b->events[r] = found ? MISSING_I64 : (int64_t)row->events;
  w->missing += found != 0;
  if (found) return;
  w->done++;
  w->censored += is_censored(l, row);
  if (row->error[0]) note_failure(w, arm, point, replicate, row->error);
  for (size_t i = 0, a = 0; i < l->columns; i++) {
    size_t e = s->element[arm][i];
    while (!(e >= s->array[a].offset && e < s->array[a].offset + s->array[a].count)) a = (a + 1) % s->arrays;
    b->value[runs * s->array[a].offset + r * s->array[a].count + (e - s->array[a].offset)] = row->columns[i];
  }
}

static void write_block(struct writer *w, const struct block *b, const hsize_t start3[3], const hsize_t size3[3]) {
  const struct sim_shape *s = w->s;
  size_t runs = size3[1] * size3[2];
  for (size_t i = 0; i < s->arrays && !w->ret; i++) {
    const struct sim_array *a = &s->array[i];
    const double *value = b->value + runs * a->offset;
    hsize_t start[MAX_RANK] = {start3[0], start3[1], start3[2]}, size[MAX_RANK] = {1, size3[1], size3[2]};
    for (unsigned d = 0; d < a->dims; d++) size[3 + d] = s->axis[a->axis[d]].n;
    if (a->dtype == SIM_F64) {
      write_box(w, w->array[i], H5T_NATIVE_DOUBLE, (int)(3 + a->dims), start, size, value);
      continue;
    }
    int64_t missing = a->dtype == SIM_I64 ? MISSING_I64 : MISSING_FLAG;
    for (size_t k = 0; k < runs * a->count; k++) b->scratch[k] = isfinite(value[k]) ? (int64_t)value[k] : missing;
    write_box(w, w->array[i], H5T_NATIVE_INT64, (int)(3 + a->dims), start, size, b->scratch);
  }
  write_box(w, w->events, H5T_NATIVE_INT64, 3, start3, size3, b->events);
  write_box(w, w->failed, H5T_NATIVE_INT8, 3, start3, size3, b->failed);
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

static void write_arm(struct writer *w, struct block *b, size_t arm, struct sim_row *row) {
  const struct sim_results_content *c = w->c;
  for (size_t p = 0; p < c->points; p += b->points) {
    for (size_t r = 0; r < c->replicates && !w->ret; r += b->replicates) {
      size_t points = smaller(b->points, c->points - p), replicates = smaller(b->replicates, c->replicates - r);
      size_t runs = points * replicates;
      for (size_t i = 0; i < runs * w->s->elements; i++) b->value[i] = NAN;
      for (size_t i = 0; i < runs && !w->ret; i++) {
        gather_run(w, b, arm, p + i / replicates, r + i % replicates, i, runs, row);
      }
      write_block(w, b, (hsize_t[]){arm, p, r}, (hsize_t[]){1, points, replicates});
    }
  }
}

static void write_runs(struct writer *w) {
  const struct sim_results_content *c = w->c;
  size_t most = BLOCK_BYTES / sizeof(double) / (w->s->elements + 1), widest = 1;
  if (most > BLOCK_RUNS) most = BLOCK_RUNS;
  if (most < 1) most = 1;
  struct block b = {.replicates = smaller(c->replicates, most)};
  b.points = smaller(c->points, most / b.replicates);
  size_t runs = b.points * b.replicates;
  for (size_t i = 0; i < w->s->arrays; i++)
    if (w->s->array[i].count > widest) widest = w->s->array[i].count;
  b.value = sim_calloc(runs * w->s->elements + 1, sizeof *b.value);
  b.scratch = sim_calloc(runs * widest, sizeof *b.scratch);
  b.events = sim_calloc(runs, sizeof *b.events);
  b.failed = sim_calloc(runs, sizeof *b.failed);
  if (!b.value || !b.scratch || !b.events || !b.failed) fail(w, SIM_ERR_MEMORY);
  if (!w->ret) create_arrays(w, &b);
  for (size_t arm = 0; arm < c->arms && !w->ret; arm++) {
    struct sim_row row;
    if (sim_row_init(&row, &c->layouts[arm]) != 0) fail(w, SIM_ERR_MEMORY);
    if (!w->ret) write_arm(w, &b, arm, &row);
    sim_row_free(&row);
  }
  sim_free(b.value), sim_free(b.scratch), sim_free(b.events), sim_free(b.failed);
}

static void write_failures(struct writer *w) {
  if (w->failure.n == 0) return;
  const char *const dims[] = {"failure"};
  dimension_counter(w, "failure", w->failure.n, "failed run");
  write_integers(w, "failure_arm", 1, dims, w->failure.arm, NULL, "index of its arm");
  write_integers(w, "failure_point", 1, dims, w->failure.point, NULL, "index of its design point");
  write_integers(w, "failure_replicate", 1, dims, w->failure.replicate, NULL, "index of its replicate");
  write_texts(w, "failure_reason", 1, dims, (const char *const *)w->failure.reason, "why it failed");
}

/* ---- fans ---------------------------------------------------------------------------------------------------- */

static void create_fans(struct writer *w) {
  const struct sim_shape *s = w->s;
  const double nan = NAN;
  for (size_t i = 0; i < s->curves && !w->ret; i++) {
    const struct sim_array *a = &s->curve[i];
    const char *dims[MAX_RANK] = {"arm"};
    hsize_t chunk[MAX_RANK] = {1};
    unsigned rank = 1;
    if (a->dims) dims[rank] = s->axis[a->axis[0]].name, chunk[rank++] = 1;
    dims[rank] = "time", chunk[rank++] = smaller(s->days, 64);
    dims[rank] = "quantile", chunk[rank++] = SIM_FAN_QUANTILES;
    char *name = sim_strf("%s_fan", a->name),
         *about = sim_strf("%s: quantiles of runs", a->long_name ? a->long_name : a->name);
    char *histogram = sim_strf("%s_histogram", a->name);
    char *counts = sim_strf("%s: runs by bin", a->long_name ? a->long_name : a->name);
    if (!name || !about || !histogram || !counts) fail(w, SIM_ERR_MEMORY);
    w->fan[i] = variable(w, name, H5T_IEEE_F64LE, rank, dims, chunk, H5T_NATIVE_DOUBLE, &nan);
    describe(w, w->fan[i], a->unit, about, NULL);
    dims[rank - 1] = "bin", chunk[rank - 1] = SIM_SERIES_BINS;
    w->histogram[i] = variable(w, histogram, H5T_STD_U32LE, rank, dims, chunk, 0, NULL);
    describe(w, w->histogram[i], "run", counts, NULL);
    sim_free(name), sim_free(about), sim_free(histogram), sim_free(counts);
  }
}

static void write_fan(struct writer *w, size_t arm, size_t series, const uint32_t *histogram, double *fan) {
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
  write_box(w, w->fan[curve], H5T_NATIVE_DOUBLE, rank + 1, start, size, fan);
  size[rank] = SIM_SERIES_BINS;
  write_box(w, w->histogram[curve], H5T_NATIVE_UINT32, rank + 1, start, size, histogram);
}

/* Counts series [first, last) of an arm over all its good runs. */
static void count_series(struct writer *w, size_t arm, size_t first, size_t last, uint32_t *histogram,
                         struct sim_row *row) {
  const struct sim_results_content *c = w->c;
  size_t samples = c->layouts[arm].samples, cells = w->s->days * SIM_SERIES_BINS;
  for (size_t i = 0; i < c->points * c->replicates && !w->ret; i++) {
    int found = c->row(c->ctx, arm, i / c->replicates, i % c->replicates, row);
    if (found < 0) fail(w, found);
    if (found || row->error[0]) continue;
    for (size_t k = first; k < last; k++) {
      for (size_t t = 0; t < samples; t++) {
        sim_fan_count(histogram + (k - first) * cells + w->s->day_of[arm][t] * SIM_SERIES_BINS,
                      row->samples + k * samples + t, 1);
      }
    }
  }
}

/* Fans pool the design points. One pass over the runs for as many curves as fit into memory. */
static void write_fans(struct writer *w) {
  if (w->s->curves == 0 || w->s->days == 0) return;
  create_fans(w);
  size_t cells = w->s->days * SIM_SERIES_BINS, at_once = BLOCK_BYTES / (cells * sizeof(uint32_t));
  if (at_once < 1) at_once = 1;
  size_t most = 0;
  for (size_t arm = 0; arm < w->c->arms; arm++)
    if (w->c->layouts[arm].series > most) most = w->c->layouts[arm].series;
  at_once = smaller(at_once, most);
  uint32_t *histogram = sim_calloc(at_once * cells, sizeof *histogram);
  double *fan = sim_calloc(w->s->days * SIM_FAN_QUANTILES, sizeof *fan);
  if (!histogram || !fan) fail(w, SIM_ERR_MEMORY);
  for (size_t arm = 0; arm < w->c->arms && !w->ret; arm++) {
    struct sim_row row;
    if (sim_row_init(&row, &w->c->layouts[arm]) != 0) fail(w, SIM_ERR_MEMORY);
    size_t series = w->c->layouts[arm].series;
    for (size_t first = 0; first < series && !w->ret; first += at_once) {
      size_t last = smaller(first + at_once, series);
      memset(histogram, 0, at_once * cells * sizeof *histogram);
      count_series(w, arm, first, last, histogram, &row);
      for (size_t k = first; k < last && !w->ret; k++) write_fan(w, arm, k, histogram + (k - first) * cells, fan);
    }
    sim_row_free(&row);
  }
  sim_free(histogram);
  sim_free(fan);
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

static void write_attributes(struct writer *w) {
  attribute_text(w, w->file, "Conventions", "CF-1.8");
  attribute_number(w, w->file, "airesim_results", SIM_RESULTS_VERSION);
  for (size_t i = 0; i < w->c->attributes; i++) {
    const struct sim_results_attribute *a = &w->c->attribute[i];
    if (a->text) {
      attribute_text(w, w->file, a->name, a->text);
    } else {
      attribute_number(w, w->file, a->name, a->number);
    }
  }
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  char library[48];
  snprintf(library, sizeof library, "HDF5 %u.%u.%u", major, minor, release);
  attribute_text(w, w->file, "provenance_hdf5", library);
}

static void write_counts(struct writer *w) {
  attribute_number(w, w->file, "runs_asked", w->done + w->missing);
  attribute_number(w, w->file, "runs_done", w->done);
  attribute_number(w, w->file, "runs_failed", w->failure.n);
  attribute_number(w, w->file, "runs_censored", w->censored);
  attribute_number(w, w->file, "runs_not_run", w->missing);
}

static void open_file(struct writer *w, const char *path) {
  H5dont_atexit(); /* after a disk was full, HDF5's clean-up at exit follows dangling pointers; all is closed here */
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  w->text = keep(w, H5Tcopy(H5T_C_S1));
  check(w, H5Tset_size(w->text, H5T_VARIABLE));
  check(w, H5Tset_cset(w->text, H5T_CSET_UTF8));
  hid_t p = keep(w, H5Pcreate(H5P_FILE_CREATE));
  check(w, H5Pset_link_creation_order(p, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  check(w, H5Pset_attr_creation_order(p, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  errno = 0;
  if (!w->ret) w->file = keep(w, H5Fcreate(path, H5F_ACC_TRUNC, p, H5P_DEFAULT));
  H5Pclose(p);
}

static void close_file(struct writer *w) {
  const size_t n[3] = {w->s->arrays, w->s->curves, w->s->curves};
  hid_t *const sets[3] = {w->array, w->fan, w->histogram};
  for (unsigned k = 0; k < 3; k++)
    for (size_t i = 0; sets[k] && i < n[k]; i++)
      if (sets[k][i] > 0) check(w, H5Dclose(sets[k][i]));
  if (w->events > 0) check(w, H5Dclose(w->events));
  if (w->failed > 0) check(w, H5Dclose(w->failed));
  for (size_t i = 0; i < w->dims; i++)
    if (w->dim[i].scale > 0) check(w, H5Dclose(w->dim[i].scale));
  if (w->file > 0) check(w, H5Fclose(w->file));
  if (w->text > 0) H5Tclose(w->text);
}

static void free_writer(struct writer *w) {
  for (size_t i = 0; i < w->failure.n; i++) sim_free(w->failure.reason[i]);
  sim_free(w->failure.arm), sim_free(w->failure.point), sim_free(w->failure.replicate), sim_free(w->failure.reason);
  sim_free(w->array), sim_free(w->fan), sim_free(w->histogram), sim_free(w->dim);
}

/* The file must be on the disk before the journals go. */
static void sync_file(struct writer *w, const char *path) {
  if (w->ret) return;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fsync(fd) != 0) fail(w, SIM_ERR_IO);
  if (fd >= 0) close(fd);
}

int sim_results_write(const char *output, const struct sim_results_content *c, struct sim_diag *diag) {
  struct writer w = {.c = c, .s = c->shape};
  w.array = sim_calloc(c->shape->arrays + 1, sizeof *w.array);
  w.fan = sim_calloc(c->shape->curves + 1, sizeof *w.fan);
  w.histogram = sim_calloc(c->shape->curves + 1, sizeof *w.histogram);
  char *temporary = sim_strf("%s.part", output);
  if (!w.array || !w.fan || !w.histogram || !temporary) fail(&w, SIM_ERR_MEMORY);
  if (!w.ret) open_file(&w, temporary);
  write_attributes(&w);
  write_dimensions(&w);
  write_design(&w);
  write_horizon(&w);
  write_society(&w);
  write_parameters(&w);
  write_runs(&w);
  write_failures(&w);
  write_fans(&w);
  write_counts(&w);
  close_file(&w);
  sync_file(&w, temporary);
  if (!w.ret && rename(temporary, output) != 0) fail(&w, SIM_ERR_IO);
  if (w.ret && temporary) unlink(temporary);
  if (w.ret == SIM_ERR_IO) sim_diag_add(diag, NULL, NULL, "cannot write %s: %s", output, w.why);
  sim_free(temporary);
  free_writer(&w);
  return w.ret;
}
