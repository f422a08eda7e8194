/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/results_read.h"
#include "sim/core/mem.h"
#include "sim/experiment/results.h"
#include <errno.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SLAB_BYTES (32u << 20) /* read at once when comparing */

struct sim_results {
  hid_t file;
  struct sim_variable *variable;
  size_t n, cap;
};

/* HDF5 prints its errors and cleans up at exit (see results.c) unless told before its first use. */
static void setup(void) {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* ---- attributes ---------------------------------------------------------------------------------------------- */

static bool has_attribute(hid_t object, const char *name) {
  return H5Aexists(object, name) > 0;
}

/* A text attribute of fixed or variable length as a new string. NULL if it cannot be read. */
static char *text_of(hid_t a, hid_t type) {
  char *out = NULL, *read = NULL;
  if (H5Tis_variable_str(type) > 0) {
    hid_t memory = H5Tcopy(type);
    if (H5Aread(a, memory, &read) >= 0) out = sim_strdup(read ? read : "");
    if (read) H5free_memory(read);
    H5Tclose(memory);
    return out;
  }
  size_t n = H5Tget_size(type);
  out = sim_calloc(n + 1, 1);
  if (out && H5Aread(a, type, out) < 0) sim_free(out), out = NULL;
  return out;
}

/* The first number of an attribute as text. */
static char *number_of(hid_t a, hid_t type) {
  hssize_t n = 0;
  hid_t space = H5Aget_space(a);
  if (space >= 0) n = H5Sget_simple_extent_npoints(space), H5Sclose(space);
  if (n < 1) return NULL;
  char *out = NULL;
  if (H5Tget_class(type) == H5T_INTEGER) {
    uint64_t *value = sim_calloc((size_t)n, sizeof *value);
    if (value && H5Aread(a, H5T_NATIVE_UINT64, value) >= 0) out = sim_strf("%" PRIu64, value[0]);
    sim_free(value);
  } else if (H5Tget_class(type) == H5T_FLOAT) {
    double *value = sim_calloc((size_t)n, sizeof *value);
    if (value && H5Aread(a, H5T_NATIVE_DOUBLE, value) >= 0) out = sim_strf("%.17g", value[0]);
    sim_free(value);
  }
  return out;
}

static char *attribute_text(hid_t object, const char *name) {
  if (!has_attribute(object, name)) return NULL;
  hid_t a = H5Aopen(object, name, H5P_DEFAULT);
  if (a < 0) return NULL;
  hid_t type = H5Aget_type(a);
  char *out = H5Tget_class(type) == H5T_STRING ? text_of(a, type) : number_of(a, type);
  H5Tclose(type);
  H5Aclose(a);
  return out;
}

char *sim_results_attribute(struct sim_results *r, const char *name) {
  return attribute_text(r->file, name);
}

/* ---- variables ----------------------------------------------------------------------------------------------- */

static void variable_free(struct sim_variable *v) {
  sim_free(v->name), sim_free(v->unit), sim_free(v->long_name), sim_free(v->flags);
  for (unsigned d = 0; d < SIM_MAX_DIMS; d++) sim_free(v->dim[d]);
}

static herr_t first_scale(hid_t set, unsigned d, hid_t scale, void *out) {
  (void)set, (void)d;
  char name[256] = "";
  H5Iget_name(scale, name, sizeof name);
  *(char **)out = sim_strdup(name[0] == '/' ? name + 1 : name);
  return 1; /* the first is enough */
}

static char *dimension_name(hid_t set, unsigned d, const char *own_name) {
  char *name = NULL;
  if (H5DSis_scale(set) > 0) {
    name = sim_strdup(own_name);
  } else if (H5DSget_num_scales(set, d) > 0) {
    int from = 0;
    H5DSiterate_scales(set, d, &from, first_scale, &name);
  }
  return name ? name : sim_strf("dim%u", d);
}

static char *or_empty(char *text) {
  return text ? text : sim_strdup("");
}

static int describe(struct sim_variable *v, hid_t set, const char *name) {
  memset(v, 0, sizeof *v);
  hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  int rank = H5Sget_simple_extent_ndims(space), ret = SIM_ERR_IO;
  hsize_t size[SIM_MAX_DIMS];
  if (rank >= 0 && rank <= SIM_MAX_DIMS && H5Sget_simple_extent_dims(space, size, NULL) >= 0) {
    H5T_class_t class = H5Tget_class(type);
    v->text = class == H5T_STRING;
    v->integer = class == H5T_INTEGER;
    ret = v->text || v->integer || class == H5T_FLOAT ? 0 : SIM_ERR_IO;
    v->dims = (unsigned)rank;
    v->name = sim_strdup(name);
    v->unit = or_empty(attribute_text(set, "units"));
    v->long_name = or_empty(attribute_text(set, "long_name"));
    v->flags = attribute_text(set, "flag_meanings");
    bool whole = v->name && v->unit && v->long_name;
    for (unsigned d = 0; d < v->dims; d++) {
      v->size[d] = (size_t)size[d];
      v->dim[d] = dimension_name(set, d, name);
      whole = whole && v->dim[d];
    }
    if (!whole) ret = SIM_ERR_MEMORY;
  }
  H5Tclose(type);
  H5Sclose(space);
  return ret;
}

static int add_variable(struct sim_results *r, const char *name) {
  H5O_info_t info;
  if (H5Oget_info_by_name(r->file, name, &info, H5P_DEFAULT) < 0) return SIM_ERR_IO;
  if (info.type != H5O_TYPE_DATASET) return 0;
  struct sim_variable *grown = sim_grow(r->variable, &r->cap, r->n + 1, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  r->variable = grown;
  hid_t set = H5Dopen2(r->file, name, H5P_DEFAULT);
  if (set < 0) return SIM_ERR_IO;
  int ret = describe(&grown[r->n], set, name);
  if (ret) {
    variable_free(&grown[r->n]);
  } else {
    r->n++;
  }
  H5Dclose(set);
  return ret;
}

static int list_variables(struct sim_results *r) {
  H5G_info_t group;
  if (H5Gget_info(r->file, &group) < 0) return SIM_ERR_IO;
  for (hsize_t i = 0; i < group.nlinks; i++) {
    char name[256];
    if (H5Lget_name_by_idx(r->file, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) < 0) {
      return SIM_ERR_IO;
    }
    int ret = add_variable(r, name);
    if (ret) return ret;
  }
  return 0;
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

/* What is wrong with a file that HDF5 does not open. */
static int refuse(const char *path, struct sim_diag *diag) {
  struct stat s;
  if (stat(path, &s) != 0) return sim_diag_add(diag, NULL, NULL, "cannot read %s: %s", path, strerror(errno));
  if (S_ISDIR(s.st_mode)) return sim_diag_add(diag, NULL, NULL, "%s is a directory, not a results file", path);
  if (s.st_size == 0) return sim_diag_add(diag, NULL, NULL, "%s is empty", path);
  FILE *f = fopen(path, "rb");
  if (!f) return sim_diag_add(diag, NULL, NULL, "cannot read %s: %s", path, strerror(errno));
  unsigned char magic[8] = {0};
  size_t n = fread(magic, 1, sizeof magic, f);
  fclose(f);
  if (n == 8 && memcmp(magic, "\211HDF\r\n\032\n", 8) == 0) {
    return sim_diag_add(diag, NULL, NULL, "%s is a damaged or incomplete HDF5 file", path);
  }
  return sim_diag_add(diag, NULL, NULL, "%s is not an HDF5 file", path);
}

int sim_results_open(struct sim_results **out, const char *path, struct sim_diag *diag) {
  setup();
  struct sim_results *r = sim_calloc(1, sizeof *r);
  if (!r) return SIM_ERR_MEMORY;
  r->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  int ret = r->file < 0 ? refuse(path, diag) : 0;
  if (ret == 0) {
    char *version = sim_results_attribute(r, "airesim_results");
    long number = version ? strtol(version, NULL, 10) : 0;
    sim_free(version);
    if (number < 1) ret = sim_diag_add(diag, NULL, NULL, "%s is not a results file of airesim", path);
    if (number > SIM_RESULTS_VERSION) {
      ret = sim_diag_add(diag, NULL, NULL, "%s was written by a later version of airesim (results version %ld)", path,
                         number);
    }
  }
  if (ret == 0) {
    ret = list_variables(r);
    if (ret == SIM_ERR_IO) ret = sim_diag_add(diag, NULL, NULL, "%s is damaged", path);
  }
  if (ret) {
    sim_results_close(r);
    return ret;
  }
  *out = r;
  return 0;
}

void sim_results_close(struct sim_results *r) {
  if (!r) return;
  for (size_t i = 0; i < r->n; i++) variable_free(&r->variable[i]);
  sim_free(r->variable);
  if (r->file >= 0) H5Fclose(r->file);
  sim_free(r);
}

size_t sim_results_variables(const struct sim_results *r, const struct sim_variable **variables) {
  *variables = r->variable;
  return r->n;
}

const struct sim_variable *sim_results_find(const struct sim_results *r, const char *name) {
  for (size_t i = 0; i < r->n; i++)
    if (strcmp(r->variable[i].name, name) == 0) return &r->variable[i];
  return NULL;
}

size_t sim_results_count(const struct sim_variable *v) {
  size_t n = 1;
  for (unsigned d = 0; d < v->dims; d++) n *= v->size[d];
  return n;
}

/* Integers' fill value becomes NaN; floats' is NaN already. */
static void mark_missing(hid_t set, const struct sim_variable *v, double *value, size_t n) {
  double fill;
  if (!v->integer || !has_attribute(set, "_FillValue")) return;
  hid_t a = H5Aopen(set, "_FillValue", H5P_DEFAULT);
  if (H5Aread(a, H5T_NATIVE_DOUBLE, &fill) >= 0) {
    for (size_t i = 0; i < n; i++)
      if (value[i] == fill) value[i] = NAN;
  }
  H5Aclose(a);
}

int sim_results_load(struct sim_results *r, const char *name, double **values) {
  const struct sim_variable *v = sim_results_find(r, name);
  if (!v || v->text) return SIM_ERR_INPUT;
  size_t n = sim_results_count(v);
  double *value = n < SIZE_MAX / sizeof(double) ? sim_calloc(n + 1, sizeof *value) : NULL;
  if (!value) return SIM_ERR_MEMORY;
  hid_t set = H5Dopen2(r->file, name, H5P_DEFAULT);
  int ret = set >= 0 && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0 ? 0 : SIM_ERR_IO;
  if (ret == 0) mark_missing(set, v, value, n);
  if (set >= 0) H5Dclose(set);
  if (ret) {
    sim_free(value);
    return ret;
  }
  *values = value;
  return 0;
}

int sim_results_load_box(struct sim_results *r, const char *name, const size_t *start, const size_t *size,
                         double *values) {
  const struct sim_variable *v = sim_results_find(r, name);
  if (!v || v->text) return SIM_ERR_INPUT;
  hsize_t from[SIM_MAX_DIMS], count[SIM_MAX_DIMS];
  size_t n = 1;
  for (unsigned d = 0; d < v->dims; d++) from[d] = start[d], count[d] = size[d], n *= size[d];
  hid_t set = H5Dopen2(r->file, name, H5P_DEFAULT), space = H5Dget_space(set);
  hid_t memory = H5Screate_simple((int)v->dims, count, NULL);
  bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, count, NULL) >= 0 &&
              H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values) >= 0;
  if (good) mark_missing(set, v, values, n);
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(set);
  return good ? 0 : SIM_ERR_IO;
}

void sim_results_texts_free(char **texts, size_t n) {
  for (size_t i = 0; texts && i < n; i++) sim_free(texts[i]);
  sim_free(texts);
}

int sim_results_load_texts(struct sim_results *r, const char *name, char ***texts, size_t *n) {
  const struct sim_variable *v = sim_results_find(r, name);
  if (!v || !v->text) return SIM_ERR_INPUT;
  *n = sim_results_count(v);
  char **read = sim_calloc(*n + 1, sizeof *read), **copy = sim_calloc(*n + 1, sizeof *copy);
  int ret = read && copy ? 0 : SIM_ERR_MEMORY;
  hid_t set = H5Dopen2(r->file, name, H5P_DEFAULT), type = H5Dget_type(set), space = H5Dget_space(set);
  if (ret == 0 && !(H5Tis_variable_str(type) > 0)) ret = SIM_ERR_IO; /* airesim writes no others */
  if (ret == 0) {
    ret = H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, read) >= 0 ? 0 : SIM_ERR_IO;
    for (size_t i = 0; ret == 0 && i < *n; i++) {
      copy[i] = sim_strdup(read[i] ? read[i] : "");
      if (!copy[i]) ret = SIM_ERR_MEMORY;
    }
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, read);
  }
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(set);
  sim_free(read);
  if (ret) {
    sim_results_texts_free(copy, *n);
    return ret;
  }
  *texts = copy;
  return 0;
}

int sim_results_labels(struct sim_results *r, const char *dim, char ***texts, size_t *n) {
  const struct sim_variable *v = sim_results_find(r, dim);
  if (!v) return SIM_ERR_INPUT;
  if (v->text) return sim_results_load_texts(r, dim, texts, n);
  double *value = NULL;
  int ret = sim_results_load(r, dim, &value);
  if (ret) return ret;
  *n = sim_results_count(v);
  char **label = sim_calloc(*n + 1, sizeof *label);
  for (size_t i = 0; label && ret == 0 && i < *n; i++) {
    label[i] = sim_strf("%.10g", value[i]);
    if (!label[i]) ret = SIM_ERR_MEMORY;
  }
  sim_free(value);
  if (!label || ret) {
    sim_results_texts_free(label, *n);
    return SIM_ERR_MEMORY;
  }
  *texts = label;
  return 0;
}

/* ---- equality ------------------------------------------------------------------------------------------------ */

struct comparison {
  hid_t file[2];
  char why[300]; /* "" while equal */
};

#define DIFFER(c, ...) snprintf((c)->why, sizeof(c)->why, __VA_ARGS__)

/* Attributes that tell who, when and where; and those of the format itself, which hold addresses in the file. */
static bool is_left_out(const char *name) {
  static const char *const names[] = {"scenario", "REFERENCE_LIST", "DIMENSION_LIST", NULL};
  if (strncmp(name, "provenance_", 11) == 0) return true;
  for (size_t i = 0; names[i]; i++)
    if (strcmp(names[i], name) == 0) return true;
  return false;
}

static bool same_attribute(hid_t a, hid_t b) {
  hid_t type[2] = {H5Aget_type(a), H5Aget_type(b)};
  bool text = H5Tget_class(type[0]) == H5T_STRING, same = text == (H5Tget_class(type[1]) == H5T_STRING);
  if (same && text) {
    char *x = text_of(a, type[0]), *y = text_of(b, type[1]);
    same = x && y && strcmp(x, y) == 0;
    sim_free(x), sim_free(y);
  } else if (same) {
    hsize_t size = H5Aget_storage_size(a);
    same = H5Tequal(type[0], type[1]) > 0 && size == H5Aget_storage_size(b);
    void *x = same ? sim_calloc(1, size + 1) : NULL, *y = same ? sim_calloc(1, size + 1) : NULL;
    same = x && y && H5Aread(a, type[0], x) >= 0 && H5Aread(b, type[1], y) >= 0 && memcmp(x, y, size) == 0;
    sim_free(x), sim_free(y);
  }
  H5Tclose(type[0]), H5Tclose(type[1]);
  return same;
}

struct attribute_walk {
  struct comparison *c;
  hid_t other;
  const char *owner;
  bool values; /* compare values too; else only presence */
};

static herr_t visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *ctx) {
  (void)info;
  struct attribute_walk *walk = ctx;
  if (is_left_out(name)) return 0;
  if (!has_attribute(walk->other, name)) {
    DIFFER(walk->c, "attribute %s of %s is in one file only", name, walk->owner);
  } else if (walk->values) {
    hid_t a = H5Aopen(object, name, H5P_DEFAULT), b = H5Aopen(walk->other, name, H5P_DEFAULT);
    if (!same_attribute(a, b)) DIFFER(walk->c, "attribute %s of %s differs", name, walk->owner);
    H5Aclose(a), H5Aclose(b);
  }
  return walk->c->why[0] != 0;
}

static void compare_attributes(struct comparison *c, hid_t a, hid_t b, const char *owner) {
  struct attribute_walk there = {c, b, owner, true}, back = {c, a, owner, false};
  if (H5Aiterate2(a, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute, &there) < 0 ||
      (!*c->why && H5Aiterate2(b, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute, &back) < 0)) {
    DIFFER(c, "attributes of %s cannot be read", owner);
  }
}

/* One box of both datasets, bytes against bytes or texts against texts. */
static void compare_box(struct comparison *c, hid_t set[2], hid_t type, bool text, hid_t memory, const hid_t space[2],
                        size_t n, const char *name) {
  size_t width = H5Tget_size(type);
  char *value[2] = {sim_calloc(n + 1, width), sim_calloc(n + 1, width)};
  bool read = value[0] && value[1];
  for (unsigned k = 0; k < 2 && read; k++) {
    read = H5Dread(set[k], type, memory, space[k], H5P_DEFAULT, value[k]) >= 0;
  }
  if (!read) {
    DIFFER(c, "variable %s cannot be read", name);
  } else if (text) {
    char **x = (char **)(void *)value[0], **y = (char **)(void *)value[1];
    for (size_t i = 0; i < n && !*c->why; i++)
      if (strcmp(x[i] ? x[i] : "", y[i] ? y[i] : "") != 0) DIFFER(c, "variable %s differs at element %zu", name, i);
    for (unsigned k = 0; k < 2; k++) H5Dvlen_reclaim(type, memory, H5P_DEFAULT, value[k]);
  } else if (memcmp(value[0], value[1], n * width) != 0) {
    size_t i = 0;
    while (memcmp(value[0] + i * width, value[1] + i * width, width) == 0) i++;
    DIFFER(c, "variable %s differs (element %zu of a part)", name, i);
  }
  sim_free(value[0]), sim_free(value[1]);
}

/* Walks both datasets in boxes: single indices along the leading dimensions, as many as keep a box small. */
static void compare_values(struct comparison *c, hid_t set[2], hid_t type, int rank, const hsize_t *size,
                           const char *name) {
  int leading = 0;
  size_t n = 1, boxes = 1;
  for (int d = 0; d < rank; d++) n *= (size_t)size[d];
  if (n == 0) return;
  while (leading < rank && n * H5Tget_size(type) > SLAB_BYTES) {
    n /= (size_t)size[leading];
    boxes *= (size_t)size[leading++];
  }
  bool text = H5Tget_class(type) == H5T_STRING;
  for (size_t i = 0; i < boxes && !*c->why; i++) {
    hsize_t start[SIM_MAX_DIMS] = {0}, count[SIM_MAX_DIMS];
    size_t rest = i;
    for (int d = rank - 1; d >= 0; d--) {
      count[d] = d < leading ? 1 : size[d];
      if (d < leading) start[d] = rest % size[d], rest /= (size_t)size[d];
    }
    hsize_t flat = n;
    hid_t memory = H5Screate_simple(1, &flat, NULL), space[2];
    for (unsigned k = 0; k < 2; k++) {
      space[k] = H5Dget_space(set[k]);
      if (rank) H5Sselect_hyperslab(space[k], H5S_SELECT_SET, start, NULL, count, NULL);
    }
    compare_box(c, set, type, text, memory, space, n, name);
    H5Sclose(memory), H5Sclose(space[0]), H5Sclose(space[1]);
  }
}

static void compare_sets(struct comparison *c, hid_t set[2], const char *name) {
  hid_t type[2], space[2];
  int rank[2];
  hsize_t size[2][H5S_MAX_RANK];
  for (unsigned k = 0; k < 2; k++) {
    type[k] = H5Dget_type(set[k]);
    space[k] = H5Dget_space(set[k]);
    rank[k] = H5Sget_simple_extent_dims(space[k], size[k], NULL);
  }
  if (!(H5Tequal(type[0], type[1]) > 0)) {
    DIFFER(c, "variable %s differs in type", name);
  } else if (rank[0] != rank[1] || rank[0] < 0 || rank[0] > SIM_MAX_DIMS ||
             memcmp(size[0], size[1], (size_t)rank[0] * sizeof(hsize_t)) != 0) {
    DIFFER(c, "variable %s differs in shape", name);
  } else {
    compare_values(c, set, type[0], rank[0], size[0], name);
  }
  if (!*c->why) compare_attributes(c, set[0], set[1], name);
  for (unsigned k = 0; k < 2; k++) H5Tclose(type[k]), H5Sclose(space[k]);
}

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *ctx) {
  (void)info;
  struct comparison *c = ctx;
  if (!(H5Lexists(c->file[1], name, H5P_DEFAULT) > 0)) {
    DIFFER(c, "variable %s is in the first file only", name);
    return 1;
  }
  hid_t set[2] = {H5Dopen2(group, name, H5P_DEFAULT), H5Dopen2(c->file[1], name, H5P_DEFAULT)};
  if (set[0] < 0 || set[1] < 0) {
    DIFFER(c, "%s is not a variable in both files", name);
  } else {
    compare_sets(c, set, name);
  }
  for (unsigned k = 0; k < 2; k++)
    if (set[k] >= 0) H5Dclose(set[k]);
  return c->why[0] != 0;
}

static herr_t visit_back(hid_t group, const char *name, const H5L_info_t *info, void *ctx) {
  (void)group, (void)info;
  struct comparison *c = ctx;
  if (!(H5Lexists(c->file[0], name, H5P_DEFAULT) > 0)) DIFFER(c, "variable %s is in the second file only", name);
  return c->why[0] != 0;
}

int sim_results_equal(const char *a, const char *b, char **why) {
  setup();
  struct comparison c = {.file = {H5Fopen(a, H5F_ACC_RDONLY, H5P_DEFAULT), H5Fopen(b, H5F_ACC_RDONLY, H5P_DEFAULT)}};
  int ret = SIM_ERR_IO;
  if (c.file[0] < 0 || c.file[1] < 0) {
    DIFFER(&c, "%s cannot be opened as HDF5", c.file[0] < 0 ? a : b);
  } else {
    ret = 0;
    compare_attributes(&c, c.file[0], c.file[1], "the file");
    if (!*c.why && (H5Literate(c.file[0], H5_INDEX_NAME, H5_ITER_INC, NULL, visit_link, &c) < 0 ||
                    (!*c.why && H5Literate(c.file[1], H5_INDEX_NAME, H5_ITER_INC, NULL, visit_back, &c) < 0))) {
      DIFFER(&c, "the variables cannot be listed");
    }
    if (*c.why) ret = SIM_ERR_MISMATCH;
  }
  for (unsigned k = 0; k < 2; k++)
    if (c.file[k] >= 0) H5Fclose(c.file[k]);
  if (why) *why = ret ? sim_strdup(c.why) : NULL;
  return ret;
}
