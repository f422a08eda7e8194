/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layout: what the rows of one arm hold, copied from its world so that it outlives it. */
#ifndef SIM_EXPERIMENT_LAYOUT_H
#define SIM_EXPERIMENT_LAYOUT_H
#include "sim/core/world.h"

struct sim_layout_layer {
  char *name;
  uint32_t nodes;
  uint64_t edges, hash; /* of the fixed graph; 0 where there is none or it differs by replicate */
};
struct sim_layout_population {
  char *name;
  uint32_t size;
};

struct sim_layout {
  size_t columns, series, samples, layers, populations;
  struct sim_column *column;                /* [columns], strings owned */
  struct sim_series *curve;                 /* [series], strings owned */
  double *day;                              /* [samples] */
  struct sim_layout_layer *layer;           /* [layers] */
  struct sim_layout_population *population; /* [populations] */
  double horizon;                           /* days */
};

/* From a world; horizon in days. Safe to free after failure. */
int sim_layout_init(struct sim_layout *l, const struct sim_world *w, double horizon) SIM_MUST_CHECK;
/* From parts (tests): copies the tables. */
int sim_layout_init_tables(struct sim_layout *l, const struct sim_column *column, size_t columns,
                           const struct sim_series *curve, size_t series, const double *day, size_t samples,
                           double horizon) SIM_MUST_CHECK;
void sim_layout_free(struct sim_layout *l);
/* Of columns, series and grid: equal hashes mean that rows can be read alike. */
uint64_t sim_layout_hash(const struct sim_layout *l);
/* Allocates a row of this layout: columns NaN, samples missing. Free with sim_row_free. */
int sim_row_init(struct sim_row *row, const struct sim_layout *l) SIM_MUST_CHECK;
void sim_row_free(struct sim_row *row);
/* Sets a row to that of a failed run: NaN, missing, flags with a meaning "failed" set to it. */
void sim_row_fail(struct sim_row *row, const struct sim_layout *l, const char *why);
/* Does any level's `status` say that the window ended before recovery? */
bool sim_row_is_censored(const struct sim_row *row, const struct sim_layout *l);
/* FNV-1a over bytes, chained: start from SIM_HASH_START. */
#define SIM_HASH_START 14695981039346656037ull
uint64_t sim_hash_bytes(uint64_t hash, const void *data, size_t n);
#endif
