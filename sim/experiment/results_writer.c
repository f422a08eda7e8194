/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/results_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIXED_TEXT 32000 /* attributes up to this many bytes are fixed-length (64 KiB is HDF5's limit) */
#define DEFLATE    4

/* ---- errors -------------------------------------------------------------------------------------------------- */

static herr_t innermost(unsigned n, const H5E_error2_t *e, void *why) {
  (void)n;
  if (e->desc && *e->desc) snprintf(why, 256, "%s", e->desc);
  return 0;
}

void sim_writer_fail(struct sim_writer *w, int code) {
  if (w->ret) return;
  w->ret = code;
  if (code == SIM_ERR_IO) {
    const char *system = errno ? strerror(errno) : "";
    snprintf(w->why, sizeof w->why, "%s", system);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, innermost, w->why);
  }
}

void sim_writer_check(struct sim_writer *w, herr_t status) {
  if (status < 0) sim_writer_fail(w, SIM_ERR_IO);
}
hid_t sim_writer_keep(struct sim_writer *w, hid_t id) {
  if (id < 0) sim_writer_fail(w, SIM_ERR_IO);
  return id;
}

/* ---- attributes ---------------------------------------------------------------------------------------------- */

static void attribute(struct sim_writer *w, hid_t object, const char *name, hid_t file_type, hid_t memory_type,
                      hsize_t n, const void *value) {
  if (w->ret) return;
  hid_t space = sim_writer_keep(w, n == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &n, NULL));
  hid_t a = sim_writer_keep(w, H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT));
  if (!w->ret) sim_writer_check(w, H5Awrite(a, memory_type, value));
  if (a >= 0) sim_writer_check(w, H5Aclose(a));
  if (space >= 0) H5Sclose(space);
}

void sim_writer_attribute_text(struct sim_writer *w, hid_t object, const char *name, const char *text) {
  size_t n = text ? strlen(text) : 0;
  if (w->ret || n == 0) return;
  if (n > FIXED_TEXT) {
    attribute(w, object, name, w->text, w->text, 1, &text);
    return;
  }
  hid_t type = sim_writer_keep(w, H5Tcopy(H5T_C_S1));
  sim_writer_check(w, H5Tset_size(type, n));
  sim_writer_check(w, H5Tset_strpad(type, H5T_STR_NULLPAD));
  sim_writer_check(w, H5Tset_cset(type, H5T_CSET_UTF8));
  attribute(w, object, name, type, type, 1, text);
  H5Tclose(type);
}

void sim_writer_attribute_number(struct sim_writer *w, hid_t object, const char *name, uint64_t value) {
  attribute(w, object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, &value);
}

void sim_writer_describe(struct sim_writer *w, hid_t set, const char *unit, const char *long_name, const char *flags) {
  sim_writer_attribute_text(w, set, "units", unit);
  sim_writer_attribute_text(w, set, "long_name", long_name);
  if (!flags) return;
  int8_t value[127];
  hsize_t n = 0;
  for (const char *p = flags; *p && n < 127; n++) {
    value[n] = (int8_t)n;
    p += strcspn(p, " ");
    p += strspn(p, " ");
  }
  if (n > 1) attribute(w, set, "flag_values", H5T_STD_I8LE, H5T_NATIVE_INT8, n, value);
  sim_writer_attribute_text(w, set, "flag_meanings", flags);
}

/* ---- datasets ------------------------------------------------------------------------------------------------ */

static hid_t creation(struct sim_writer *w, int rank, const hsize_t *chunk) {
  hid_t p = sim_writer_keep(w, H5Pcreate(H5P_DATASET_CREATE));
  sim_writer_check(w, H5Pset_attr_creation_order(p, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  sim_writer_check(w, H5Pset_obj_track_times(p, 0));
  if (chunk) {
    sim_writer_check(w, H5Pset_chunk(p, rank, chunk));
    sim_writer_check(w, H5Pset_shuffle(p));
    sim_writer_check(w, H5Pset_deflate(p, DEFLATE));
  }
  return p;
}

static size_t dimension_find(const struct sim_writer *w, const char *name) {
  for (size_t i = 0; i < w->dims; i++)
    if (strcmp(w->dim[i].name, name) == 0) return i;
  sim_bug(name, __FILE__, __LINE__); /* a dimension was used before it was made */
}

hid_t sim_writer_variable(struct sim_writer *w, const char *name, hid_t type, unsigned rank, const char *const *dims,
                          const hsize_t *chunk, hid_t fill_type, const void *fill) {
  if (w->ret) return -1;
  hsize_t size[SIM_WRITER_RANK];
  for (unsigned d = 0; d < rank; d++) size[d] = w->dim[dimension_find(w, dims[d])].size;
  hid_t space = sim_writer_keep(w, H5Screate_simple((int)rank, size, NULL)), p = creation(w, (int)rank, chunk);
  if (fill) sim_writer_check(w, H5Pset_fill_value(p, fill_type, fill));
  hid_t set = sim_writer_keep(w, H5Dcreate2(w->file, name, type, space, H5P_DEFAULT, p, H5P_DEFAULT));
  H5Pclose(p);
  H5Sclose(space);
  if (fill) attribute(w, set, "_FillValue", type, fill_type, 1, fill);
  for (unsigned d = 0; d < rank && !w->ret; d++) {
    sim_writer_check(w, H5DSattach_scale(set, w->dim[dimension_find(w, dims[d])].scale, d));
  }
  return set;
}

/* Writes a dataset whole and closes it. */
static void fill_in(struct sim_writer *w, hid_t set, hid_t type, const void *values) {
  if (!w->ret) sim_writer_check(w, H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  if (set >= 0) sim_writer_check(w, H5Dclose(set));
}

void sim_writer_dimension(struct sim_writer *w, const char *name, size_t n, hid_t file_type, hid_t memory_type,
                          const void *values, const char *unit, const char *long_name) {
  if (w->ret) return;
  struct sim_writer_dimension *grown = sim_grow(w->dim, &w->cap, w->dims + 1, sizeof *grown);
  if (!grown) {
    sim_writer_fail(w, SIM_ERR_MEMORY);
    return;
  }
  w->dim = grown;
  hsize_t size = n;
  hid_t space = sim_writer_keep(w, H5Screate_simple(1, &size, NULL)), p = creation(w, 1, NULL);
  hid_t set = sim_writer_keep(w, H5Dcreate2(w->file, name, file_type, space, H5P_DEFAULT, p, H5P_DEFAULT));
  if (!w->ret) sim_writer_check(w, H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  if (!w->ret) sim_writer_check(w, H5DSset_scale(set, name));
  sim_writer_describe(w, set, unit, long_name, NULL);
  H5Pclose(p);
  H5Sclose(space);
  w->dim[w->dims++] = (struct sim_writer_dimension){name, size, set};
}

void sim_writer_dimension_texts(struct sim_writer *w, const char *name, size_t n, const char *const *text,
                                const char *long_name) {
  sim_writer_dimension(w, name, n, w->text, w->text, text, NULL, long_name);
}

void sim_writer_dimension_counter(struct sim_writer *w, const char *name, size_t n, const char *long_name) {
  int64_t *value = sim_calloc(n + 1, sizeof *value);
  if (!value) {
    sim_writer_fail(w, SIM_ERR_MEMORY);
    return;
  }
  for (size_t i = 0; i < n; i++) value[i] = (int64_t)i;
  sim_writer_dimension(w, name, n, H5T_STD_I64LE, H5T_NATIVE_INT64, value, NULL, long_name);
  sim_free(value);
}

void sim_writer_box(struct sim_writer *w, hid_t set, hid_t type, int rank, const hsize_t *start, const hsize_t *size,
                    const void *values) {
  if (w->ret) return;
  hid_t memory = sim_writer_keep(w, H5Screate_simple(rank, size, NULL)), space = sim_writer_keep(w, H5Dget_space(set));
  if (!w->ret) sim_writer_check(w, H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL));
  if (!w->ret) sim_writer_check(w, H5Dwrite(set, type, memory, space, H5P_DEFAULT, values));
  H5Sclose(memory);
  H5Sclose(space);
}

void sim_writer_doubles(struct sim_writer *w, const char *name, unsigned rank, const char *const *dims,
                        const double *value, const char *unit, const char *long_name) {
  const double nan = NAN;
  hid_t set = sim_writer_variable(w, name, H5T_IEEE_F64LE, rank, dims, NULL, H5T_NATIVE_DOUBLE, &nan);
  sim_writer_describe(w, set, unit, long_name, NULL);
  fill_in(w, set, H5T_NATIVE_DOUBLE, value);
}

void sim_writer_integers(struct sim_writer *w, const char *name, unsigned rank, const char *const *dims,
                         const int64_t *value, const char *unit, const char *long_name) {
  hid_t set = sim_writer_variable(w, name, H5T_STD_I64LE, rank, dims, NULL, 0, NULL);
  sim_writer_describe(w, set, unit, long_name, NULL);
  fill_in(w, set, H5T_NATIVE_INT64, value);
}

void sim_writer_texts(struct sim_writer *w, const char *name, unsigned rank, const char *const *dims,
                      const char *const *text, const char *long_name) {
  hid_t set = sim_writer_variable(w, name, w->text, rank, dims, NULL, 0, NULL);
  sim_writer_describe(w, set, NULL, long_name, NULL);
  fill_in(w, set, w->text, text);
}
