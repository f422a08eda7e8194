/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One worker's journal being written. */
#include "sim/core/mem.h"
#include "sim/experiment/journal_internal.h"
#include "sim/experiment/journal_row.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct tally {
  uint64_t done, failed, censored;
};

struct sim_journal {
  struct sim_journals *set;
  sqlite3 *db;
  sqlite3_stmt *insert;
  unsigned char *blob;
  size_t blob_cap;
  struct tally *tally;        /* [arms] since the last commit */
  bool open;                  /* a transaction is under way */
  double began;               /* monotonic seconds: when it was opened */
  double committed, appended; /* monotonic seconds */
  char error[256];
};

static double monotonic(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int journal_fail(struct sim_journal *j, int code) {
  const char *file = j->db ? sqlite3_db_filename(j->db, "main") : NULL; /* NULL: out of memory while it was opened */
  snprintf(j->error, sizeof j->error, "%s%s%s", file ? file : "", file ? ": " : "", sqlite3_errmsg(j->db));
  return (code & 0xff) == SQLITE_NOMEM ? SIM_ERR_MEMORY : SIM_ERR_IO;
}

int sim_journal_open(struct sim_journal **out, struct sim_journals *js, unsigned worker) {
  struct sim_journal *j = sim_calloc(1, sizeof *j);
  char *path = sim_strf("%s/w%u.db", js->dir, worker);
  int ret = j && path ? 0 : SIM_ERR_MEMORY, code = SQLITE_OK;
  *out = j;
  if (ret == 0) {
    j->set = js;
    j->tally = sim_calloc(js->key.arms, sizeof *j->tally);
    if (!j->tally) ret = SIM_ERR_MEMORY;
  }
  if (ret == 0) {
    j->began = j->appended = monotonic();
    j->committed = j->appended - 1; /* the first run is committed at once */
    code = sim_journal_db_open(&j->db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, false);
    if (code == SQLITE_OK) code = sim_journal_db_exec(j->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    sqlite3_stmt *st = NULL;
    bool empty = false;
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(j->db, "SELECT count(*) FROM sqlite_schema", -1, &st, NULL);
    if (code == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) empty = sqlite3_column_int(st, 0) == 0;
    sqlite3_finalize(st);
    if (code == SQLITE_OK && empty) code = sim_journal_db_create(js, j->db);
    if (code == SQLITE_OK)
      code = sim_journal_db_exec(j->db, "BEGIN; UPDATE tally SET made = 0; DELETE FROM session; COMMIT");
    if (code == SQLITE_OK) {
      code = sqlite3_prepare_v2(j->db, "INSERT INTO run(arm, point, replicate, outcome, data, crc) VALUES(?,?,?,?,?,?)",
                                -1, &j->insert, NULL);
    }
    if (code != SQLITE_OK) ret = journal_fail(j, code);
  }
  sim_free(path);
  return ret;
}

const char *sim_journal_error(const struct sim_journal *j) {
  return j->error;
}

/* Adds what was made since the last commit to the counts by arm, which `status` reads instead of all rows. */
static int write_tally(struct sim_journal *j) {
  char text[384];
  int code = SQLITE_OK;
  for (size_t arm = 0; code == SQLITE_OK && arm < j->set->key.arms; arm++) {
    const struct tally *t = &j->tally[arm];
    if (!t->done) continue;
    snprintf(text, sizeof text,
             "INSERT INTO tally VALUES(%zu, %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64
             ") ON CONFLICT(arm) DO UPDATE"
             " SET done = done + excluded.done, failed = failed + excluded.failed,"
             " censored = censored + excluded.censored, made = made + excluded.made",
             arm, t->done, t->failed, t->censored, t->done);
    code = sim_journal_db_exec(j->db, text);
  }
  snprintf(text, sizeof text, "INSERT OR REPLACE INTO session VALUES(0, %.3f)", monotonic() - j->began);
  return code == SQLITE_OK ? sim_journal_db_exec(j->db, text) : code;
}

int sim_journal_flush(struct sim_journal *j) {
  if (!j->open) return 0;
  int code = write_tally(j);
  if (code == SQLITE_OK) code = sim_journal_db_exec(j->db, "COMMIT");
  if (code != SQLITE_OK) return journal_fail(j, code);
  memset(j->tally, 0, j->set->key.arms * sizeof *j->tally);
  j->open = false;
  j->committed = monotonic();
  return 0;
}

int sim_journal_append(struct sim_journal *j, size_t arm, size_t point, size_t replicate, const struct sim_row *row) {
  const struct sim_layout *l = &j->set->layouts[arm];
  size_t n = sim_journal_base(l) + strlen(row->error);
  unsigned char *blob = sim_grow(j->blob, &j->blob_cap, n, 1);
  if (!blob) return SIM_ERR_MEMORY;
  j->blob = blob;
  sim_journal_encode(blob, l, row);
  int64_t outcome = row->error[0]                 ? SIM_JOURNAL_FAILED
                    : sim_row_is_censored(row, l) ? SIM_JOURNAL_CENSORED
                                                  : SIM_JOURNAL_DONE;
  int64_t at[4] = {(int64_t)arm, (int64_t)point, (int64_t)replicate, outcome};
  int code = j->open ? SQLITE_OK : sim_journal_db_exec(j->db, "BEGIN");
  if (code != SQLITE_OK) return journal_fail(j, code);
  j->open = true;
  for (int i = 0; i < 4; i++) sqlite3_bind_int64(j->insert, i + 1, at[i]);
  sqlite3_bind_blob64(j->insert, 5, blob, n, SQLITE_STATIC);
  sqlite3_bind_int64(j->insert, 6, sim_journal_row_crc(at, blob, n));
  code = sqlite3_step(j->insert);
  if (code != SQLITE_DONE) return journal_fail(j, code);
  sqlite3_reset(j->insert);
  j->tally[arm].done++;
  j->tally[arm].failed += outcome == SIM_JOURNAL_FAILED;
  j->tally[arm].censored += outcome == SIM_JOURNAL_CENSORED;
  /* Once a second; and at once where runs are slow, lest one waits for the next. */
  double now = monotonic(), since = now - j->appended;
  j->appended = now;
  return now - j->committed >= 1 || since >= 0.25 ? sim_journal_flush(j) : 0;
}

int sim_journal_close(struct sim_journal *j) {
  if (!j) return 0;
  int ret = j->db ? sim_journal_flush(j) : 0;
  sqlite3_finalize(j->insert);
  sqlite3_close(j->db);
  sim_free(j->blob);
  sim_free(j->tally);
  sim_free(j);
  return ret;
}

const char *sim_journal_library(void) {
  return sqlite3_libversion();
}
