/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Journals looked at from outside, without the lock. */
#include "sim/core/mem.h"
#include "sim/experiment/journal_internal.h"
#include "sim/experiment/lock.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int status_file(const char *path, struct sim_journal_status *status) {
  sqlite3 *db = NULL;
  sqlite3_stmt *st = NULL;
  int code = sim_journal_db_open(&db, path, SQLITE_OPEN_READONLY, false);
  if (code == SQLITE_OK) {
    code = sqlite3_prepare_v2(db, "SELECT count(*), coalesce(sum(failed), 0) FROM run", -1, &st, NULL);
  }
  if (code == SQLITE_OK && (code = sqlite3_step(st)) == SQLITE_ROW) {
    status->done += (uint64_t)sqlite3_column_int64(st, 0);
    status->failed += (uint64_t)sqlite3_column_int64(st, 1);
    const char *names[] = {"arms", "points", "replicates"};
    uint64_t total = 1;
    for (size_t i = 0; i < 3; i++) {
      char *value = sim_journal_meta_get(db, names[i], &code);
      total *= value ? strtoull(value, NULL, 10) : 0;
      sim_free(value);
    }
    if (total) status->total = total;
    char *started = sim_journal_meta_get(db, "started", &code);
    if (started && (!*status->started || strcmp(started, status->started) < 0)) {
      snprintf(status->started, sizeof status->started, "%s", started);
    }
    sim_free(started);
    code = SQLITE_OK;
  }
  sqlite3_finalize(st);
  sqlite3_close(db);
  return code;
}

/* Seconds since the database or its log was last written. */
static double file_age(const char *path) {
  double age = INFINITY;
  const char *ends[] = {"", "-wal"};
  for (size_t i = 0; i < 2; i++) {
    char *side = sim_strf("%s%s", path, ends[i]);
    struct stat s;
    if (side && stat(side, &s) == 0) {
      double seconds = difftime(time(NULL), s.st_mtime);
      if (seconds < age) age = seconds;
    }
    sim_free(side);
  }
  return age;
}

int sim_journal_status(const char *output, struct sim_journal_status *status, struct sim_diag *diag) {
  *status = (struct sim_journal_status){.seconds_since_last = INFINITY};
  struct journal_files files = {0};
  char *dir = sim_strf("%s.journal", output);
  struct stat s;
  int ret = dir ? 0 : SIM_ERR_MEMORY;
  if (ret == 0 && stat(dir, &s) != 0) ret = 1;
  if (ret == 0 && (ret = sim_journal_files_list(&files, dir, true, NULL)) == SIM_ERR_IO) {
    sim_diag_add(diag, NULL, NULL, "cannot read %s: %s", dir, strerror(errno));
  }
  if (ret == 0) status->running = sim_lock_is_held(dir);
  for (size_t i = 0; ret == 0 && i < files.n; i++) {
    char *path = files.item[i].path;
    status->files++;
    status_file(path, status); /* one that is being created has nothing to say yet */
    status->seconds_since_last = fmin(status->seconds_since_last, file_age(path));
    *strrchr(path, '/') = '\0'; /* a shard has a lock of its own */
    status->running = status->running || sim_lock_is_held(path);
  }
  if (status->total && status->done > status->total) status->done = status->total; /* made twice, by other parts */
  sim_journal_files_forget(&files);
  sim_free(files.item);
  sim_free(dir);
  return ret;
}

/* ---- the scenario ------------------------------------------------------------------------------------------------ */

int sim_journal_scenario(const char *const *source, size_t n, struct sim_scenario **scenario, struct sim_diag *diag) {
  struct journal_files files = {0};
  int ret = 0;
  for (size_t i = 0; ret == 0 && i < n; i++) ret = sim_journal_files_add(&files, NULL, source[i], diag);
  int found = 1;
  for (size_t i = 0; ret == 0 && found == 1 && i < files.n; i++) {
    sqlite3 *db = NULL;
    if (sim_journal_db_open(&db, files.item[i].path, SQLITE_OPEN_READWRITE, true) == SQLITE_OK) {
      found = sim_journal_origin_load(db, files.item[i].path, scenario, diag);
    }
    sqlite3_close(db);
  }
  if (ret == 0 && found == 1) {
    ret = sim_diag_add(diag, NULL, NULL, "none of the %zu journals says which scenario it is of%s", files.n,
                       files.n ? ": they are damaged, or no journals" : "");
  } else if (ret == 0) {
    ret = found;
  }
  sim_journal_files_forget(&files);
  sim_free(files.item);
  return ret;
}
