/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table at the root of the language. Bound forms that clients outside this folder read:
 *   start            SIM_NAME, text as written, number = days since 1970-01-01
 *   design.vary      SIM_NAME "all"; SIM_ITEMS of SIM_NAME paths; or SIM_MAPPING of SIM_NUMBER items, name = path, low
 *                    and high in the canonical unit of what the path names
 *   arms             not bound (see sim_scenario_arms) */
#ifndef SIM_SCENARIO_SECTIONS_H
#define SIM_SCENARIO_SECTIONS_H
#include "sim/core/param.h"

extern const struct sim_param sc_root;        /* SIM_FIELDS of all sections */
extern const struct sim_param sc_patch_param; /* an arm */

/* Whether an entry of this descriptor is an arm's patch, which is kept as written. */
static inline bool sc_is_patch(const struct sim_param *p) {
  return p == &sc_patch_param;
}
/* Sections of models, in the order of the page; ends with NULL. */
extern const char *const sc_model_sections[];
#endif
