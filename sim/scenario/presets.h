/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of scenarios/presets/, compiled into the library (cmake/Presets.cmake). */
#ifndef SIM_SCENARIO_PRESETS_H
#define SIM_SCENARIO_PRESETS_H
#include <stddef.h>

struct sc_preset_file {
  const char *section; /* "hazards"; also "bibliography" */
  const char *name;    /* "presets/hazards.yaml", for messages */
  const unsigned char *text;
  size_t length;
};
extern const struct sc_preset_file sc_presets[]; /* ends with section NULL */
#endif
