/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walltimes as batch systems write them: "30" (minutes), "MM:SS", "H:MM:SS", "D-HH", "D-HH:MM", "D-HH:MM:SS"; or a
 * number with s, min, h or d. */
#ifndef SIM_CLI_WALLTIME_H
#define SIM_CLI_WALLTIME_H
#include <stdbool.h>

/* False: it is none, or 0. */
bool cli_walltime(const char *text, long *seconds);
#endif
