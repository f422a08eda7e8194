/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stopping: how many replicates each design point is given.
 *
 * Without `design.precision` every point has `replicates`. With it, a point is looked at when it has `floor`
 * replicates, then half as many again, and so on, and has enough at the first look at which the 95 % interval of the
 * measure is no wider than asked in every arm, or at `replicates`. A look sees the first n replicates of every arm,
 * complete, and nothing else; the sizes n depend on `floor` alone. So the answer is a function of the runs' results,
 * whatever the order and number of workers, and asking again for more replicates or a narrower interval goes on where
 * the first answer ended. All arms of a point have the same n.
 *
 * Looking again and again until an interval is narrow makes it a little too narrow (Anscombe 1953); few looks, a floor,
 * and a rule that looks at the width alone and not at the estimate keep that small. */
#ifndef SIM_EXPERIMENT_STOPPING_H
#define SIM_EXPERIMENT_STOPPING_H
#include "sim/experiment/design.h"
#include "sim/experiment/layout.h"

enum sim_stopping_rule { SIM_STOP_FIXED, SIM_STOP_MEAN, SIM_STOP_DIFFERENCE, SIM_STOP_RMST, SIM_STOP_QUANTILE };

struct sim_stopping {
  enum sim_stopping_rule rule;
  size_t arms, points, reference, floor, most; /* most: the ceiling */
  double wanted;                               /* widest interval, in `unit` */
  double share, window;                        /* of a quantile; days, NaN: as long as runs were watched */
  bool all;                                    /* never-degraded runs count */
  size_t *column;                              /* [arms][3] of the variable, or of time, status, observed time */
  const char *unit;                            /* borrowed from the layouts */
  char *text;                                  /* as the scenario has it; "" if fixed */
  /* What was found so far. */
  size_t *asked; /* [points] replicates of each arm */
  bool *final;   /* [points] that is all */
  bool *reached; /* [points] the intervals are as narrow as asked */
  double *width; /* [arms][points] at `asked`; NaN: no interval */
};

/* Where results are read: a row of the arm's layout; 0, 1 where the run is not there, or a negative code. */
typedef int sim_stopping_row(void *ctx, size_t arm, size_t point, size_t replicate, struct sim_row *row);
typedef bool sim_stopping_has(void *ctx, size_t arm, size_t point, size_t replicate);

/* layouts: [arms], must outlive it. SIM_ERR_INPUT with diag: no such variable, no such level. Safe to free after
 * failure. */
int sim_stopping_init(struct sim_stopping *s, const struct sim_scenario *scenario, const struct sim_design *d,
                      const struct sim_layout *layouts, struct sim_diag *diag) SIM_MUST_CHECK;
void sim_stopping_free(struct sim_stopping *s);
/* Looks at each point that is not final as often as its complete prefixes allow. *open: points that lack runs. 0, or
 * what `row` returned. */
int sim_stopping_look(struct sim_stopping *s, const struct sim_layout *layouts, sim_stopping_has *has,
                      sim_stopping_row *row, void *ctx, size_t *open) SIM_MUST_CHECK;
/* Final points whose intervals are as narrow as asked; widest: of all intervals (NaN: there is none, of any point). */
size_t sim_stopping_reached(const struct sim_stopping *s, double *widest);
#endif
