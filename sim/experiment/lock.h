/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A directory with one owner: an advisory lock on the file `lock` in it, which ends with the process however it ends.
 */
#ifndef SIM_EXPERIMENT_LOCK_H
#define SIM_EXPERIMENT_LOCK_H
#include "sim/core/err.h"
#include <stdbool.h>

/* Makes the directory if need be and takes its lock; closing *fd gives it back. SIM_ERR_INPUT with diag: it cannot be
 * written, or another process (named) has it. output: what the user knows the directory by. */
int sim_lock_take(int *fd, const char *dir, const char *output, struct sim_diag *diag) SIM_MUST_CHECK;
/* Removes lock and directory, which must be empty otherwise, while the lock is held. Those who wait find it gone. */
void sim_lock_remove(const char *dir);
/* Does some process hold it? Takes nothing. */
bool sim_lock_is_held(const char *dir);
#endif
