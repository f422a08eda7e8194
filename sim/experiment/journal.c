/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/journal.h"
#include "sim/core/mem.h"
#include "sim/experiment/journal_internal.h"
#include "sim/experiment/journal_row.h"
#include "sim/experiment/lock.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define SPARE (1 << 20)   /* bytes that must be free beyond the rows */
#define AHEAD (1ll << 32) /* row ids looked at behind a damaged page */

/* ---- the index ----------------------------------------------------------------------------------------------- */

static uint64_t *place_of(const struct sim_journals *js, size_t arm, size_t point, size_t replicate) {
  return &js->place[(point * js->key.arms + arm) * js->replicates + replicate];
}

/* Enters a row whose CRC is right. A run found twice must be the same bit for bit. */
static int index_row(struct sim_journals *js, size_t file, const int64_t at[4], sqlite3_int64 id, const void *blob,
                     size_t n, struct sim_diag *diag) {
  if ((size_t)at[2] >= js->replicates) { /* of a larger batch: not asked for now */
    js->beyond++;
    return 0;
  }
  uint64_t *place = place_of(js, (size_t)at[0], (size_t)at[1], (size_t)at[2]);
  if (*place) {
    size_t other_n = 0;
    const unsigned char *other = sim_journal_files_fetch(&js->files, *place, &other_n);
    if (other && other_n == n && memcmp(other, blob, n) == 0) return 0;
    if (!other) return SIM_ERR_IO;
    sim_diag_add(diag, NULL, NULL,
                 "run arm %" PRId64 " point %" PRId64 " replicate %" PRId64
                 " stands twice in the journals of %s with different results: this is a bug or a broken machine",
                 at[0], at[1], at[2], js->dir);
    return SIM_ERR_MISMATCH;
  }
  *place = (uint64_t)(file + 1) << 48 | (uint64_t)id;
  js->done++;
  js->failed += at[3] == SIM_JOURNAL_FAILED;
  return 0;
}

static bool row_is_good(const struct sim_journals *js, sqlite3_stmt *st, int64_t at[4], const void **blob, size_t *n) {
  for (int i = 0; i < 4; i++) at[i] = sqlite3_column_int64(st, i + 1);
  *blob = sqlite3_column_blob(st, 5);
  *n = (size_t)sqlite3_column_bytes(st, 5);
  if (!*blob || sim_journal_row_crc(at, *blob, *n) != (uint32_t)sqlite3_column_int64(st, 6)) return false;
  bool inside =
      at[0] >= 0 && (size_t)at[0] < js->key.arms && at[1] >= 0 && (size_t)at[1] < js->key.points && at[2] >= 0;
  return inside && sqlite3_column_int64(st, 0) > 0 && sim_journal_fits(*blob, *n, &js->layouts[at[0]]);
}

/* Indexes the rows behind *last of one database, which moves on; deletes those that fail their check unless the file is
 * kept. Returns an SQLite code through *code. */
static int scan_rows(struct sim_journals *js, size_t file, sqlite3 *db, sqlite3_int64 *last, int *code,
                     struct sim_diag *diag) {
  sqlite3_stmt *st = NULL, *drop = NULL;
  bool dropped_some = false;
  int ret = 0;
  *code = sqlite3_prepare_v2(
      db, "SELECT id, arm, point, replicate, outcome, data, crc FROM run WHERE id > ? ORDER BY id", -1, &st, NULL);
  if (*code == SQLITE_OK) *code = sqlite3_prepare_v2(db, "DELETE FROM run WHERE id = ?", -1, &drop, NULL);
  if (*code == SQLITE_OK) *code = sqlite3_bind_int64(st, 1, *last);
  while (ret == 0 && *code == SQLITE_OK && (*code = sqlite3_step(st)) == SQLITE_ROW) {
    int64_t at[4];
    const void *blob;
    size_t n;
    *code = SQLITE_OK;
    *last = sqlite3_column_int64(st, 0);
    if (row_is_good(js, st, at, &blob, &n)) {
      ret = index_row(js, file, at, *last, blob, n, diag);
      continue;
    }
    js->damaged++;
    if (js->files.item[file].kept) continue;
    /* deleting the row a query stands on is allowed; the query goes on with the next */
    sqlite3_bind_int64(drop, 1, *last);
    int dropped = sqlite3_step(drop);
    sqlite3_reset(drop);
    if (dropped != SQLITE_DONE) *code = dropped;
    dropped_some = true;
  }
  sqlite3_finalize(st);
  sqlite3_finalize(drop);
  if (dropped_some && *code == SQLITE_DONE) {
    int counted = sim_journal_tally_again(db);
    if (counted != SQLITE_OK) *code = counted;
  }
  if (*code == SQLITE_ERROR) *code = SQLITE_CORRUPT; /* no such table or column: it was there once */
  return ret;
}

/* All rows that can be read of a kept database: behind a page that cannot, goes on further and further ahead. */
static int scan_kept(struct sim_journals *js, size_t file, sqlite3 *db, int *code, struct sim_diag *diag) {
  sqlite3_int64 last = 0;
  uint64_t damaged = js->damaged, done = js->done;
  bool torn = false;
  int ret = scan_rows(js, file, db, &last, code, diag);
  for (sqlite3_int64 step = 1; ret == 0 && sim_journal_is_damage(*code) && step < AHEAD; step *= 2) {
    sqlite3_int64 from = last;
    torn = true;
    last += step;
    ret = scan_rows(js, file, db, &last, code, diag);
    if (last > from + step) step = 1;
  }
  if (ret == 0 && (torn || js->damaged > damaged)) {
    js->damaged += torn;
    sim_diag_add(diag, NULL, NULL,
                 "the journal %s is damaged: %" PRIu64 " rows of it fail their check%s, %" PRIu64 " were kept",
                 js->files.item[file].path, js->damaged - damaged - torn, torn ? " and others cannot be read" : "",
                 js->done - done);
  }
  if (torn) *code = SQLITE_DONE;
  return ret;
}

/* A database that cannot be read is dropped whole, with what was indexed from it: its runs are made again. */
static void drop_file(struct sim_journals *js, size_t file) {
  js->damaged++;
  uint64_t kept = 0;
  size_t all = js->key.arms * js->key.points * js->replicates;
  for (size_t i = 0; i < all; i++) {
    if (js->place[i] >> 48 == file + 1) js->place[i] = 0;
    kept += js->place[i] != 0;
  }
  js->done = kept;
  sim_journal_file_close(&js->files, &js->files.item[file]);
  sim_journal_file_remove(js->files.item[file].path);
}

static int scan_file(struct sim_journals *js, size_t file, struct sim_diag *diag) {
  const char *path = js->files.item[file].path;
  sqlite3 *db = NULL;
  uint64_t failed = js->failed;
  int tables = 0, ret = 0, code = sim_journal_db_open(&db, path, SQLITE_OPEN_READWRITE, js->files.item[file].kept);
  sqlite3_stmt *st = NULL;
  if (code == SQLITE_OK) code = sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_schema", -1, &st, NULL);
  if (code == SQLITE_OK) code = sqlite3_step(st);
  if (code == SQLITE_ROW) tables = sqlite3_column_int(st, 0), code = SQLITE_OK;
  sqlite3_finalize(st);
  if (code == SQLITE_OK && tables) { /* without tables: killed while it was created */
    enum journal_state state = sim_journal_meta_check(js, db, path, &code, diag);
    if (state == JOURNAL_FOREIGN) ret = SIM_ERR_INPUT;
    if (state == JOURNAL_DAMAGED) code = SQLITE_CORRUPT;
    if (state == JOURNAL_GOOD) {
      char *started = sim_journal_meta_get(db, "started", &code);
      if (started && (!*js->started || strcmp(started, js->started) < 0)) {
        snprintf(js->started, sizeof js->started, "%s", started);
      }
      sim_free(started);
      sqlite3_int64 last = 0;
      ret = js->files.item[file].kept ? scan_kept(js, file, db, &code, diag)
                                      : scan_rows(js, file, db, &last, &code, diag);
      if (code == SQLITE_DONE) code = SQLITE_OK;
    }
  }
  char *why = code == SQLITE_OK ? NULL : sim_strdup(sqlite3_errmsg(db));
  sqlite3_close(db);
  if (ret == 0 && sim_journal_is_damage(code) && js->files.item[file].kept) {
    js->damaged++;
    sim_diag_add(diag, NULL, NULL, "the journal %s is damaged and was passed over: %s", path, why ? why : "unreadable");
  } else if (ret == 0 && sim_journal_is_damage(code)) {
    drop_file(js, file);
    js->failed = failed;
  } else if (ret == 0 && code != SQLITE_OK) {
    sim_diag_add(diag, NULL, NULL, "cannot read the journal %s: %s", path, why ? why : "out of memory");
    ret = SIM_ERR_IO;
  }
  sim_free(why);
  return ret;
}

/* ---- the set ------------------------------------------------------------------------------------------------- */

/* The files of the directory, then those of the sources. */
static int list_files(struct sim_journals *js, struct sim_diag *diag) {
  int ret = sim_journal_files_list(&js->files, js->dir, false, diag);
  if (ret == SIM_ERR_IO) sim_diag_add(diag, NULL, NULL, "cannot list %s: %s", js->dir, strerror(errno));
  for (size_t i = 0; ret == 0 && i < js->key.sources; i++) {
    ret = sim_journal_files_add(&js->files, js->dir, js->key.source[i], diag);
  }
  return ret;
}

int sim_journals_refresh(struct sim_journals *js, struct sim_diag *diag) {
  sim_journal_files_forget(&js->files);
  js->done = js->failed = js->beyond = 0;
  sim_free(js->place);
  js->place = sim_calloc(js->key.arms * js->key.points * js->replicates + 1, sizeof *js->place); /* unused: no memory */
  int ret = js->place ? list_files(js, diag) : SIM_ERR_MEMORY;
  for (size_t i = 0; ret == 0 && i < js->files.n; i++) ret = scan_file(js, i, diag);
  return ret;
}

/* Refuses at the start what would certainly fill the disk. */
static int check_space(const struct sim_journals *js, struct sim_diag *diag) {
  double need = SPARE;
  for (size_t a = 0; a < js->key.arms; a++) {
    need += (double)(js->key.points * js->replicates) * (double)sim_journal_base(&js->layouts[a]);
  }
  size_t all = js->key.arms * js->key.points * js->replicates;
  if (js->key.share > 0) need *= js->key.share;
  need *= all ? (double)(all - js->done) / (double)all : 0;
  struct statvfs fs;
  if (statvfs(js->dir, &fs) != 0 || fs.f_blocks == 0) return 0;
  double free_bytes = (double)fs.f_bavail * (double)fs.f_frsize;
  if (free_bytes >= need) return 0;
  return sim_diag_add(diag, NULL, NULL, "no room for the results beside %s: %.0f MB needed, %.0f MB free", js->dir,
                      ceil(need / 1e6), floor(free_bytes / 1e6));
}

/* Removes all databases of the directory and the inner ones, not the sources. */
static int remove_databases(struct sim_journals *js) {
  sim_journal_files_forget(&js->files);
  int ret = sim_journal_files_list(&js->files, js->dir, false, NULL);
  for (size_t i = 0; ret == 0 && i < js->files.n; i++) {
    struct journal_file *f = &js->files.item[i];
    sim_journal_file_remove(f->path);
    if (!f->kept) continue;
    *strrchr(f->path, '/') = '\0';
    sim_lock_remove(f->path); /* when its last database goes */
  }
  sim_journal_files_forget(&js->files);
  return ret;
}

/* Databases of an earlier call were for so many replicates as it asked: tell them what is asked now, for `status`. */
static void update_replicates(struct sim_journals *js) {
  char replicates[32];
  snprintf(replicates, sizeof replicates, "%zu", js->replicates);
  for (size_t i = 0; i < js->files.n; i++) {
    sqlite3 *db = NULL;
    if (js->files.item[i].kept) continue;
    if (sim_journal_db_open(&db, js->files.item[i].path, SQLITE_OPEN_READWRITE, false) == SQLITE_OK)
      if (sim_journal_meta_set(db, "replicates", replicates) == SQLITE_OK)
        sim_journal_meta_set(db, "precision", js->key.precision ? js->key.precision : "");
    sqlite3_close(db);
  }
}

static char *join_names(const struct sim_journal_key *key) {
  char *all = sim_strdup("");
  for (size_t i = 0; all && key->arm && i < key->arms; i++) {
    char *more = sim_strf("%s%s\n", all, key->arm[i]);
    sim_free(all);
    all = more;
  }
  return all;
}

int sim_journals_open(struct sim_journals **out, const char *output, const struct sim_journal_key *key,
                      size_t replicates, const struct sim_layout *layouts, bool overwrite, struct sim_diag *diag) {
  struct sim_journals *js = sim_calloc(1, sizeof *js);
  if (!js) return SIM_ERR_MEMORY;
  js->lock = -1;
  js->key = *key;
  js->replicates = replicates;
  js->layouts = layouts;
  js->dir = sim_strf("%s.journal", output);
  js->version = sim_strdup(key->program_version);
  js->key.program_version = js->version;
  js->key.arm = NULL; /* not kept */
  js->names = join_names(key);
  int ret = js->dir && js->version && js->names ? sim_lock_take(&js->lock, js->dir, output, diag) : SIM_ERR_MEMORY;
  if (ret == 0 && overwrite) ret = sim_journal_files_list(&js->files, js->dir, false, diag); /* nobody writes them */
  if (ret == 0 && overwrite) ret = remove_databases(js);
  if (ret == 0) ret = sim_journals_refresh(js, diag);
  if (ret == 0) ret = check_space(js, diag);
  if (ret == 0) update_replicates(js);
  if (ret == 0 && !*js->started) {
    time_t now = time(NULL);
    struct tm utc;
    strftime(js->started, sizeof js->started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  }
  if (ret) {
    sim_journals_close(js, false);
    return ret;
  }
  *out = js;
  return 0;
}

void sim_journals_close(struct sim_journals *js, bool remove) {
  if (!js) return;
  sim_journal_files_forget(&js->files);
  if (js->lock >= 0) {
    /* A directory without rows is of no use: it goes too, as after a refusal. */
    int listed = remove ? remove_databases(js) : sim_journal_files_list(&js->files, js->dir, false, NULL);
    if (listed == 0 && js->files.n == 0) sim_lock_remove(js->dir);
    sim_journal_files_forget(&js->files);
    close(js->lock);
  }
  sim_free(js->files.item);
  sim_free(js->place);
  sim_free(js->dir);
  sim_free(js->version);
  sim_free(js->names);
  sim_free(js);
}

bool sim_journals_has(const struct sim_journals *js, size_t arm, size_t point, size_t replicate) {
  return *place_of(js, arm, point, replicate) != 0;
}
uint64_t sim_journals_done(const struct sim_journals *js) {
  return js->done;
}
uint64_t sim_journals_failed(const struct sim_journals *js) {
  return js->failed;
}
uint64_t sim_journals_beyond(const struct sim_journals *js) {
  return js->beyond;
}
uint64_t sim_journals_damaged(const struct sim_journals *js) {
  return js->damaged;
}
const char *sim_journals_started(const struct sim_journals *js) {
  return js->started;
}

int sim_journals_read(struct sim_journals *js, size_t arm, size_t point, size_t replicate, struct sim_row *row) {
  uint64_t place = *place_of(js, arm, point, replicate);
  if (!place) return 1;
  size_t n = 0;
  const unsigned char *blob = sim_journal_files_fetch(&js->files, place, &n);
  if (!blob || !sim_journal_fits(blob, n, &js->layouts[arm])) return SIM_ERR_IO;
  sim_journal_decode(blob, &js->layouts[arm], row);
  return 0;
}
