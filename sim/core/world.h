/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A world: one arm at one design point, planned from a bound scenario; and a run: one replicate of it. */
#ifndef SIM_CORE_WORLD_H
#define SIM_CORE_WORLD_H
#include "sim/core/model.h"

struct sim_world;
struct sim_graph_cache;

/* Graphs are the costly part of a world; worlds of one batch share them. Thread-safe. */
struct sim_graph_cache *sim_graph_cache_create(void);
void sim_graph_cache_free(struct sim_graph_cache *cache);

/* Plans. root: the bound scenario (mapping of sections); borrowed, must outlive the world. seed: the batch's. Reports
 * every error to diag. */
int sim_world_create(struct sim_world **out, const struct sim_value *root, uint64_t seed, struct sim_graph_cache *cache,
                     struct sim_diag *diag) SIM_MUST_CHECK;
void sim_world_free(struct sim_world *world);

/* What a run writes: columns, all held as doubles (NaN: missing), in an order that depends only on names. A column is
 * one number of a variable: time_to_recover at level 0.9; variables with coordinates are gathered by name into arrays
 * (arm, point, replicate, dims...). */
enum sim_dtype { SIM_F64, SIM_I64, SIM_FLAG };
struct sim_column {
  const char *variable, *unit, *long_name;
  enum sim_dtype dtype;
  const char *flags; /* SIM_FLAG: meanings of 0, 1, 2, ... separated by spaces */
  unsigned dims;
  struct {
    const char *dim;   /* "level", "hazard", "population", "item", "<measure>_time" */
    const char *label; /* text coordinate, or NULL: numeric */
    double coordinate;
    const char *unit; /* of a numeric coordinate */
  } at[2];
};
/* A curve sampled on the world's grid, for fans. A sample x is a thousandth of the square root of the share of `scale`
 * (Q: 1; counts: population size), or with `loss` of the share that is lost, rounded up: 0 stands only for nothing. So
 * the bins are narrow where nearly nothing is lost and wide where much is. */
struct sim_series {
  const char *variable, *unit, *long_name, *dim, *label;
  double scale;
  bool loss;
};
static inline double sim_series_value(const struct sim_series *s, double sample) {
  double share = sample * sample * 1e-6;
  return s->scale * (s->loss ? 1 - share : share);
}
#define SIM_SERIES_BINS    1001
#define SIM_SERIES_MISSING 0xffff

size_t sim_world_columns(const struct sim_world *w, const struct sim_column **columns);
size_t sim_world_series(const struct sim_world *w, const struct sim_series **series);
size_t sim_world_samples(const struct sim_world *w, const double **days); /* grid, from 0 to the horizon */
/* Named facts for provenance: graphs' hashes; populations and sizes. */
size_t sim_world_layers(const struct sim_world *w);
const struct sim_layer *sim_world_layer(const struct sim_world *w, size_t i, const struct sim_graph **graph_or_null);
size_t sim_world_populations(const struct sim_world *w, const struct sim_population **populations);

/* One line a thing that happened, for `airesim replay`. */
struct sim_trace {
  void *ctx;
  void (*event)(void *ctx, double day, const char *instance, const char *event, uint32_t entity, uint32_t n);
  void (*move)(void *ctx, double day, const char *instance, uint32_t entity, const char *from, const char *to);
};

/* The result of one run. Arrays are the caller's, sized by the world's columns and series x samples. */
struct sim_row {
  double *columns;
  uint16_t *samples; /* [series][samples] */
  uint64_t events;   /* callbacks made */
  char error[200];   /* "" if the run is good */
};

/* A run object belongs to one thread and is reused for any number of replicates. */
int sim_run_create(struct sim_run **out, const struct sim_world *world) SIM_MUST_CHECK;
void sim_run_free(struct sim_run *run);
void sim_run_trace(struct sim_run *run, const struct sim_trace *trace);
/* Executes one replicate; seed as given to the world; point enters the key only where draws are fresh (pass 0 where
 * shared). Returns 0 (row->error says if the run failed) or SIM_ERR_MEMORY. */
int sim_run_execute(struct sim_run *run, uint64_t replicate, uint64_t point, struct sim_row *row) SIM_MUST_CHECK;

/* Tables that the engine owns, for the root of the scenario language (see sim/scenario/sections.c). */
extern const struct sim_param sim_society_params[];  /* society: */
extern const struct sim_param sim_layer_params[];    /* one entry of society.layers */
extern const struct sim_param sim_measures_params[]; /* measures: */
#endif
