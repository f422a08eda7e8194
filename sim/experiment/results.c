/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file: opened, written step by step, closed, renamed. */
#include "sim/experiment/results.h"
#include "sim/experiment/results_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void write_attributes(struct sim_writer *w) {
  sim_writer_attribute_text(w, w->file, "Conventions", "CF-1.8");
  sim_writer_attribute_number(w, w->file, "airesim_results", SIM_RESULTS_VERSION);
  for (size_t i = 0; i < w->c->attributes; i++) {
    const struct sim_results_attribute *a = &w->c->attribute[i];
    if (a->text) {
      sim_writer_attribute_text(w, w->file, a->name, a->text);
    } else {
      sim_writer_attribute_number(w, w->file, a->name, a->number);
    }
  }
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  char library[48];
  snprintf(library, sizeof library, "HDF5 %u.%u.%u", major, minor, release);
  sim_writer_attribute_text(w, w->file, "provenance_hdf5", library);
}

static void write_counts(struct sim_writer *w) {
  sim_writer_attribute_number(w, w->file, "runs_asked", w->done + w->missing);
  sim_writer_attribute_number(w, w->file, "runs_done", w->done);
  sim_writer_attribute_number(w, w->file, "runs_failed", w->failure.n);
  sim_writer_attribute_number(w, w->file, "runs_censored", w->censored);
  sim_writer_attribute_number(w, w->file, "runs_not_run", w->missing);
}

static void open_file(struct sim_writer *w, const char *path) {
  H5dont_atexit(); /* after a disk was full, HDF5's clean-up at exit follows dangling pointers; all is closed here */
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  w->text = sim_writer_keep(w, H5Tcopy(H5T_C_S1));
  sim_writer_check(w, H5Tset_size(w->text, H5T_VARIABLE));
  sim_writer_check(w, H5Tset_cset(w->text, H5T_CSET_UTF8));
  hid_t p = sim_writer_keep(w, H5Pcreate(H5P_FILE_CREATE));
  sim_writer_check(w, H5Pset_link_creation_order(p, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  sim_writer_check(w, H5Pset_attr_creation_order(p, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  errno = 0;
  if (!w->ret) w->file = sim_writer_keep(w, H5Fcreate(path, H5F_ACC_TRUNC, p, H5P_DEFAULT));
  H5Pclose(p);
}

static void close_file(struct sim_writer *w) {
  const size_t n[3] = {w->s->arrays, w->s->curves, w->s->curves};
  hid_t *const sets[3] = {w->array, w->fan, w->histogram};
  for (unsigned k = 0; k < 3; k++)
    for (size_t i = 0; sets[k] && i < n[k]; i++)
      if (sets[k][i] > 0) sim_writer_check(w, H5Dclose(sets[k][i]));
  if (w->events > 0) sim_writer_check(w, H5Dclose(w->events));
  if (w->failed > 0) sim_writer_check(w, H5Dclose(w->failed));
  for (size_t i = 0; i < w->dims; i++)
    if (w->dim[i].scale > 0) sim_writer_check(w, H5Dclose(w->dim[i].scale));
  if (w->file > 0) sim_writer_check(w, H5Fclose(w->file));
  if (w->text > 0) H5Tclose(w->text);
}

static void free_writer(struct sim_writer *w) {
  for (size_t i = 0; i < w->failure.n; i++) sim_free(w->failure.reason[i]);
  sim_free(w->failure.arm), sim_free(w->failure.point), sim_free(w->failure.replicate), sim_free(w->failure.reason);
  sim_free(w->array), sim_free(w->fan), sim_free(w->histogram), sim_free(w->dim);
}

/* The file must be on the disk before the journals go. */
static void sync_file(struct sim_writer *w, const char *path) {
  if (w->ret) return;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fsync(fd) != 0) sim_writer_fail(w, SIM_ERR_IO);
  if (fd >= 0) close(fd);
}

int sim_results_write(const char *output, const struct sim_results_content *c, struct sim_diag *diag) {
  struct sim_writer w = {.c = c, .s = c->shape};
  w.array = sim_calloc(c->shape->arrays + 1, sizeof *w.array);
  w.fan = sim_calloc(c->shape->curves + 1, sizeof *w.fan);
  w.histogram = sim_calloc(c->shape->curves + 1, sizeof *w.histogram);
  char *temporary = sim_strf("%s.part", output);
  if (!w.array || !w.fan || !w.histogram || !temporary) sim_writer_fail(&w, SIM_ERR_MEMORY);
  if (!w.ret) open_file(&w, temporary);
  write_attributes(&w);
  sim_writer_tables(&w);
  sim_writer_runs(&w);
  sim_writer_fans(&w);
  write_counts(&w);
  close_file(&w);
  sync_file(&w, temporary);
  if (!w.ret && rename(temporary, output) != 0) sim_writer_fail(&w, SIM_ERR_IO);
  if (w.ret && temporary) unlink(temporary);
  if (w.ret == SIM_ERR_IO) sim_diag_add(diag, NULL, NULL, "cannot write %s: %s", output, w.why);
  sim_free(temporary);
  free_writer(&w);
  return w.ret;
}
