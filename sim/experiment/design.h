/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Designs: which points of the ranged parameters are tried.
 *
 * A range in a scenario is ignorance: one number, fixed within a run. A design varies it: each *factor* is the path of
 * a ranged parameter, each *point* one value for every factor, uniform between the range's ends. A point is a place in
 * the unit cube, so that arms whose ranges differ (`x 2`) share it; an arm that fixed the value keeps its own. */
#ifndef SIM_EXPERIMENT_DESIGN_H
#define SIM_EXPERIMENT_DESIGN_H
#include "sim/scenario/scenario.h"

struct sim_design {
  uint64_t seed;
  size_t arms, points, replicates;
  size_t floor;     /* replicates at the first look of `design.precision`, `replicates` at most; 0: there is none */
  size_t reference; /* arm that others are compared with */
  bool fresh;       /* the point enters the random key */
  const char *kind; /* of the sampler, as the scenario names it; "none" */
  size_t base;      /* points asked for; of a grid values of each factor; of Saltelli rows; of Morris trajectories */
  size_t levels;    /* of Morris, else 0 */
  size_t dropped;   /* points that broke a constraint and are not among `points` */
  size_t factors;   /* varied parameters; 0: one point, everything as written */
  char **path;      /* [factors] */
  char **unit;      /* [factors] canonical, with the scenario's currency */
  bool *whole;      /* [factors]: only whole numbers */
  double *cube;     /* [points][factors], 0..1 */
  double *low;      /* [arms][factors], canonical units; NaN where the arm has no range */
  double *high;
  double *value; /* [points][factors], canonical units, in the reference arm (else in the first arm that has a range) */
  /* Structure, NULL unless Saltelli or Morris. [points] row: of the base design, or trajectory. part: Saltelli 0 for A,
   * 1 for B, 2 + f for A with factor f from B; Morris 0 at the start, 1 + f where factor f has been moved. */
  int64_t *row, *part;
  char **text; /* [points][factors] cells of a CSV file, else NULL */
};

/* From the scenario's `design` section; negative overrides mean "as written". Samplers: latin_hypercube (McKay, Beckman
 * & Conover 1979), sobol (GSL's Sobol' sequence, at most 40 factors), random, grid (full factorial), saltelli (Saltelli
 * et al. 2010, at most 20 factors), morris (Morris 1991), csv (points from a file, which set the parameter in every arm
 * that has it). docs/designs.md. */
int sim_design_init(struct sim_design *d, const struct sim_scenario *s, int64_t replicates, int64_t seed,
                    struct sim_diag *diag) SIM_MUST_CHECK;
void sim_design_free(struct sim_design *d);

/* Patches of an arm at a point, as scenario scalars that parse back to the same bits. Free with sim_patches_free. */
int sim_design_patches(const struct sim_design *d, size_t arm, size_t point, struct sim_patch **out,
                       size_t *n) SIM_MUST_CHECK;
void sim_patches_free(struct sim_patch *patches, size_t n);

/* The arm from which a factor's `value` is taken. */
size_t sim_design_arm_of(const struct sim_design *d, size_t factor);
/* Continues a hash with the points: a design from a file is more than the scenario's text. */
uint64_t sim_design_hash(const struct sim_design *d, uint64_t hash);

/* Runs in all. */
static inline size_t sim_design_runs(const struct sim_design *d) {
  return d->arms * d->points * d->replicates;
}
#endif
