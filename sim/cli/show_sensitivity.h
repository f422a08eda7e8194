/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `airesim show --sensitivity`: the tables. */
#ifndef SIM_CLI_SHOW_SENSITIVITY_H
#define SIM_CLI_SHOW_SENSITIVITY_H
#include "sim/experiment/experiment.h"

struct show_sensitivity {
  const char *measure, *arm; /* arm NULL: the reference */
  const char *above, *below; /* threshold of a box, or NULL */
  double threshold;          /* read from either */
  bool csv;
};

/* Checks the options; CLI_DONE or CLI_USAGE after a message. */
int show_sensitivity_check(struct show_sensitivity *o, struct sim_results *r, char *const *arms, size_t n,
                           size_t *arm) SIM_MUST_CHECK;
/* label(ctx, variable, element): what an element is called, "" for none; freed with sim_free. */
int show_sensitivity_print(const struct show_sensitivity *o, struct sim_results *r, const char *arm_name, size_t arm,
                           char *(*label)(const void *ctx, const struct sim_variable *v, size_t element),
                           const void *ctx, struct sim_diag *diag) SIM_MUST_CHECK;
#endif
