/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The writer of results files: results.c (the file), results_writer.c (attributes, datasets, errors), results_tables.c
 * (what all runs share), results_runs.c (variables of runs), results_fans.c (curves). The only header with HDF5's. */
#ifndef SIM_EXPERIMENT_RESULTS_INTERNAL_H
#define SIM_EXPERIMENT_RESULTS_INTERNAL_H
#include "sim/experiment/results.h"
#include <hdf5.h>
#include <hdf5_hl.h>

#define SIM_WRITER_BYTES (64u << 20) /* bound on a buffer */
#define SIM_WRITER_RANK  5           /* most dimensions of a variable */

struct sim_writer_dimension {
  const char *name;
  hsize_t size;
  hid_t scale;
};

/* The file being written. The first error latches in `ret` and `why`; after it every step does nothing. */
struct sim_writer {
  const struct sim_results_content *c;
  const struct sim_shape *s;
  hid_t file, text; /* text: type of variable-length UTF-8 strings */
  struct sim_writer_dimension *dim;
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

static inline size_t sim_smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* ---- errors: a negative status or handle of HDF5 is one ---- */

void sim_writer_fail(struct sim_writer *w, int code);
void sim_writer_check(struct sim_writer *w, herr_t status);
hid_t sim_writer_keep(struct sim_writer *w, hid_t id);

/* ---- attributes ---- */

void sim_writer_attribute_text(struct sim_writer *w, hid_t object, const char *name, const char *text);
void sim_writer_attribute_number(struct sim_writer *w, hid_t object, const char *name, uint64_t value);
/* Units, long name, and for flags their values and meanings. */
void sim_writer_describe(struct sim_writer *w, hid_t set, const char *unit, const char *long_name, const char *flags);

/* ---- datasets ---- */

/* A dataset over named dimensions. chunk NULL: contiguous. fill: value for what is never written, stored as _FillValue
 * too; NULL: none. */
hid_t sim_writer_variable(struct sim_writer *w, const char *name, hid_t type, unsigned rank, const char *const *dims,
                          const hsize_t *chunk, hid_t fill_type, const void *fill);
/* A dimension with its coordinate variable, which stays open until the end. */
void sim_writer_dimension(struct sim_writer *w, const char *name, size_t n, hid_t file_type, hid_t memory_type,
                          const void *values, const char *unit, const char *long_name);
void sim_writer_dimension_texts(struct sim_writer *w, const char *name, size_t n, const char *const *text,
                                const char *long_name);
void sim_writer_dimension_counter(struct sim_writer *w, const char *name, size_t n, const char *long_name);
/* Writes a box [size] at [start] of a dataset. */
void sim_writer_box(struct sim_writer *w, hid_t set, hid_t type, int rank, const hsize_t *start, const hsize_t *size,
                    const void *values);
/* Variables written whole. */
void sim_writer_doubles(struct sim_writer *w, const char *name, unsigned rank, const char *const *dims,
                        const double *value, const char *unit, const char *long_name);
void sim_writer_integers(struct sim_writer *w, const char *name, unsigned rank, const char *const *dims,
                         const int64_t *value, const char *unit, const char *long_name);
void sim_writer_texts(struct sim_writer *w, const char *name, unsigned rank, const char *const *dims,
                      const char *const *text, const char *long_name);

/* ---- parts of the file ---- */

void sim_writer_tables(struct sim_writer *w);
void sim_writer_runs(struct sim_writer *w);
void sim_writer_fans(struct sim_writer *w);
#endif
