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

/* Makes room for the arms and takes their names, from the first database that says them. */
static void name_arms(struct sim_journal_status *status, const char *names, size_t arms, uint64_t each) {
  if (!status->arm && arms < SIZE_MAX / sizeof *status->arm) {
    status->arm = sim_calloc(arms, sizeof *status->arm);
    status->arms = status->arm ? arms : 0;
  }
  for (size_t i = 0; i < status->arms; i++) {
    size_t n = strcspn(names, "\n");
    status->arm[i].total = each;
    if (n && !status->arm[i].name) status->arm[i].name = sim_strf("%.*s", (int)n, names);
    names += n + (names[n] == '\n');
  }
}

/* Facts: how many runs there are to be, of what. False: it says nothing yet. */
static bool read_facts(sqlite3 *db, struct sim_journal_status *status) {
  static const char *const names[] = {"arms", "points", "replicates"};
  uint64_t number[3] = {0};
  int code;
  for (size_t i = 0; i < 3; i++) {
    char *value = sim_journal_meta_get(db, names[i], &code);
    number[i] = value ? strtoull(value, NULL, 10) : 0;
    sim_free(value);
  }
  if (number[0] == 0 || number[0] > 1000000) return false;
  if (number[1] * number[2] * number[0] > status->total) status->total = number[1] * number[2] * number[0];
  char *started = sim_journal_meta_get(db, "started", &code), *arms = sim_journal_meta_get(db, "arm_names", &code);
  if (started && (!*status->started || strcmp(started, status->started) < 0))
    snprintf(status->started, sizeof status->started, "%s", started);
  if (!status->precision) status->precision = sim_journal_meta_get(db, "precision", &code);
  name_arms(status, arms ? arms : "", number[0], status->total / number[0]);
  sim_free(started);
  sim_free(arms);
  return true;
}

/* Adds one database. running: its rate counts. One that is being created has nothing to say yet. */
static void status_file(const char *path, bool running, struct sim_journal_status *status) {
  sqlite3 *db = NULL;
  sqlite3_stmt *st = NULL;
  double seconds = 0;
  int code = sim_journal_db_open(&db, path, SQLITE_OPEN_READONLY, false);
  if (code == SQLITE_OK && read_facts(db, status)) {
    if (sqlite3_prepare_v2(db, "SELECT seconds FROM session", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
      seconds = sqlite3_column_double(st, 0);
    sqlite3_finalize(st);
    st = NULL;
    code = sqlite3_prepare_v2(db, "SELECT arm, done, failed, censored, made FROM tally", -1, &st, NULL);
    while (code == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
      uint64_t n[5];
      for (int i = 0; i < 5; i++) n[i] = (uint64_t)sqlite3_column_int64(st, i);
      if (n[0] >= status->arms) continue;
      struct sim_journal_arm *arm = &status->arm[n[0]];
      arm->done += n[1], arm->failed += n[2], arm->censored += n[3];
      if (running && seconds > 0) arm->rate += (double)n[4] / seconds;
    }
  }
  sqlite3_finalize(st);
  sqlite3_close(db);
}

/* Seconds since the database or its log was last written. */
static double file_age(const char *path) {
  double age = INFINITY;
  const char *ends[] = {"", "-wal"};
  for (size_t i = 0; i < 2; i++) {
    char *side = sim_strf("%s%s", path, ends[i]);
    struct stat s;
    if (side && stat(side, &s) == 0) {
      double seconds = fmax(difftime(time(NULL), s.st_mtime), 0); /* the time of day may have been set back */
      if (seconds < age) age = seconds;
    }
    sim_free(side);
  }
  return age;
}

static void sum_arms(struct sim_journal_status *status) {
  for (size_t i = 0; i < status->arms; i++) {
    struct sim_journal_arm *arm = &status->arm[i];
    if (arm->done > arm->total) arm->done = arm->total; /* made twice, by other parts */
    status->done += arm->done;
    status->failed += arm->failed;
    status->rate += arm->rate;
  }
}

void sim_journal_status_free(struct sim_journal_status *status) {
  for (size_t i = 0; i < status->arms; i++) sim_free(status->arm[i].name);
  sim_free(status->arm);
  sim_free(status->precision);
  *status = (struct sim_journal_status){0};
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
  bool outer = status->running;
  for (size_t i = 0; ret == 0 && i < files.n; i++) {
    char *path = files.item[i].path, *slash = strrchr(path, '/');
    *slash = '\0'; /* a shard has a lock of its own */
    bool running = outer || sim_lock_is_held(path);
    *slash = '/';
    status->running = status->running || running;
    status->files++;
    status_file(path, running, status);
    status->seconds_since_last = fmin(status->seconds_since_last, file_age(path));
  }
  sum_arms(status);
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
