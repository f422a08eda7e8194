/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Experiments: arms x design points x replicates, run by workers into journals, gathered into one results file, and
 * summarised from it. */
#ifndef SIM_EXPERIMENT_EXPERIMENT_H
#define SIM_EXPERIMENT_EXPERIMENT_H
#include "sim/experiment/batch.h"
#include "sim/experiment/design.h"
#include "sim/experiment/fan.h"
#include "sim/experiment/journal.h"
#include "sim/experiment/results.h"
#include "sim/experiment/results_read.h"
#include "sim/experiment/sensitivity.h"
#include "sim/experiment/summary.h"
#endif
