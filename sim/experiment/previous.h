/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The results file that is there already, of the same batch but with fewer replicates or a wider interval: its runs are
 * taken from it and not made again. It has their numbers and its histograms have their curves, which add up exactly;
 * so the longer file is the same as if all had been asked for at once. Read by one thread (HDF5). */
#ifndef SIM_EXPERIMENT_PREVIOUS_H
#define SIM_EXPERIMENT_PREVIOUS_H
#include "sim/experiment/design.h"
#include "sim/experiment/shape.h"

struct sim_previous;

/* shape and layouts ([arms]): of the batch; borrowed. SIM_ERR_INPUT with diag: it cannot be read, or its variables are
 * others. */
int sim_previous_open(struct sim_previous **out, const char *path, const struct sim_design *d,
                      const struct sim_layout *layouts, const struct sim_shape *shape,
                      struct sim_diag *diag) SIM_MUST_CHECK;
void sim_previous_close(struct sim_previous *p);
/* False for all where p is NULL. */
bool sim_previous_has(const struct sim_previous *p, size_t arm, size_t point, size_t replicate);
size_t sim_previous_replicates(const struct sim_previous *p); /* those of a run that it has are below; 0 for NULL */
uint64_t sim_previous_failed(const struct sim_previous *p);   /* runs; 0 for NULL */
/* A row whose samples are missing. 0; 1 where that run is not there; SIM_ERR_IO; SIM_ERR_MEMORY. */
int sim_previous_read(struct sim_previous *p, size_t arm, size_t point, size_t replicate,
                      struct sim_row *row) SIM_MUST_CHECK;
/* Adds the counts of a series to [days][SIM_SERIES_BINS]. */
int sim_previous_count(struct sim_previous *p, size_t arm, size_t series, uint32_t *histogram) SIM_MUST_CHECK;
#endif
