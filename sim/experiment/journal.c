/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/experiment/journal.h"
#include "sim/experiment/journal_row.h"
#include "sim/experiment/lock.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define FORMAT 1         /* of the databases */
#define SPARE  (1 << 20) /* bytes that must be free beyond the rows */

struct journal_file {
  char *path;
  sqlite3 *db; /* for reading, opened at need */
  sqlite3_stmt *read;
};

struct sim_journals {
  char *dir, *version;
  int lock;
  struct sim_journal_key key;
  size_t replicates;
  const struct sim_layout *layouts; /* [arms] */
  struct journal_file *file;
  size_t files, cap;
  uint64_t *place; /* [points][arms][replicates]: (file + 1) << 48 | row id; 0: not there */
  uint64_t done, failed, damaged;
  char started[32];
};

struct sim_journal {
  struct sim_journals *set;
  sqlite3 *db;
  sqlite3_stmt *insert;
  unsigned char *blob;
  size_t blob_cap;
  bool open;                  /* a transaction is under way */
  double committed, appended; /* monotonic seconds */
  char error[256];
};

static double monotonic(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- databases ----------------------------------------------------------------------------------------------- */

static int db_exec(sqlite3 *db, const char *sql) {
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static bool is_damage(int code) {
  return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_FORMAT;
}

static int db_open(sqlite3 **db, const char *path, int flags) {
  int code = sqlite3_open_v2(path, db, flags, NULL);
  if (code == SQLITE_OK) code = sqlite3_busy_timeout(*db, 5000);
  return code;
}

/* A value of the table `meta`, to be freed; NULL if it is not there; *code says more. */
static char *meta_get(sqlite3 *db, const char *name, int *code) {
  sqlite3_stmt *st = NULL;
  char *value = NULL;
  *code = sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = ?", -1, &st, NULL);
  if (*code == SQLITE_OK) *code = sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
  if (*code == SQLITE_OK) *code = sqlite3_step(st);
  if (*code == SQLITE_ROW) value = sim_strdup((const char *)sqlite3_column_text(st, 0));
  sqlite3_finalize(st);
  return value;
}

static int meta_set(sqlite3 *db, const char *name, const char *value) {
  sqlite3_stmt *st = NULL;
  int code = sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO meta VALUES(?, ?)", -1, &st, NULL);
  if (code == SQLITE_OK) code = sqlite3_bind_text(st, 1, name, -1, SQLITE_TRANSIENT);
  if (code == SQLITE_OK) code = sqlite3_bind_text(st, 2, value, -1, SQLITE_TRANSIENT);
  if (code == SQLITE_OK) code = sqlite3_step(st);
  sqlite3_finalize(st);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* The facts that must agree for rows to belong together, as texts, with the words that name them to the user. */
#define FACTS 9
struct fact {
  const char *name, *words;
  char value[64];
};
static void key_facts(const struct sim_journal_key *key, struct fact fact[FACTS]) {
  memset(fact, 0, FACTS * sizeof *fact);
  unsigned n = 0;
#define FACT(field, text, ...)                                                                                         \
  fact[n].name = field, fact[n].words = text, snprintf(fact[n].value, sizeof fact[n].value, __VA_ARGS__), n++
  FACT("format", "format of journals", "%d", FORMAT);
  FACT("scenario_hash", "scenario", "%016" PRIx64, key->scenario_hash);
  FACT("seed", "seed", "%" PRIu64, key->seed);
  FACT("stream_version", "version of the random streams", "%u", key->stream_version);
  FACT("language_version", "version of the scenario language", "%u", key->language_version);
  FACT("program_version", "version of the program", "%s", key->program_version);
  FACT("arms", "number of arms", "%zu", key->arms);
  FACT("points", "number of design points", "%zu", key->points);
  FACT("layout_hash", "set of results", "%016" PRIx64, key->layout_hash);
#undef FACT
  sim_bug_assert(n == FACTS);
}

static void facts_crc(const struct fact fact[FACTS], char out[16]) {
  uint32_t crc = 0;
  for (unsigned i = 0; i < FACTS; i++) crc = sim_journal_crc(crc, fact[i].value, strlen(fact[i].value) + 1);
  snprintf(out, 16, "%08x", crc);
}

/* One transaction, so that a database has all of its tables or none. */
static int db_create(const struct sim_journals *js, sqlite3 *db) {
  struct fact fact[FACTS];
  char crc[16], replicates[32];
  key_facts(&js->key, fact);
  facts_crc(fact, crc);
  snprintf(replicates, sizeof replicates, "%zu", js->replicates);
  int code = db_exec(db, "BEGIN; CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
                         "CREATE TABLE run(id INTEGER PRIMARY KEY, arm INTEGER, point INTEGER, replicate INTEGER,"
                         " failed INTEGER, data BLOB, crc INTEGER);");
  for (unsigned i = 0; code == SQLITE_OK && i < FACTS; i++) code = meta_set(db, fact[i].name, fact[i].value);
  if (code == SQLITE_OK) code = meta_set(db, "crc", crc);
  if (code == SQLITE_OK) code = meta_set(db, "replicates", replicates);
  if (code == SQLITE_OK) code = meta_set(db, "started", js->started);
  if (code == SQLITE_OK) code = db_exec(db, "COMMIT");
  return code;
}

enum file_state { FILE_GOOD, FILE_DAMAGED, FILE_FOREIGN, FILE_ERROR };

/* Reads the facts of a database: damaged if they are not all there or fail their CRC. FILE_ERROR: an SQLite code that
 * is no damage (busy, input/output) is in *code. */
static enum file_state meta_check(const struct sim_journals *js, sqlite3 *db, const char *path, int *code,
                                  struct sim_diag *diag) {
  struct fact mine[FACTS], theirs[FACTS];
  char crc[16];
  key_facts(&js->key, mine);
  key_facts(&js->key, theirs);
  for (unsigned i = 0; i < FACTS; i++) {
    char *value = meta_get(db, mine[i].name, code);
    if (!value) return *code == SQLITE_DONE || *code == SQLITE_ERROR || is_damage(*code) ? FILE_DAMAGED : FILE_ERROR;
    snprintf(theirs[i].value, sizeof theirs[i].value, "%s", value);
    sim_free(value);
  }
  facts_crc(theirs, crc);
  char *stored = meta_get(db, "crc", code);
  bool good = stored && strcmp(stored, crc) == 0;
  sim_free(stored);
  if (!good) return FILE_DAMAGED;
  enum file_state state = FILE_GOOD;
  for (unsigned i = 0; i < FACTS; i++) {
    if (strcmp(mine[i].value, theirs[i].value) == 0) continue;
    sim_diag_add(diag, NULL, NULL,
                 "the journal %s holds runs of another %s (%s there, %s now); finish it as it was started, or start "
                 "again with --overwrite",
                 path, mine[i].words, theirs[i].value, mine[i].value);
    state = FILE_FOREIGN;
  }
  return state;
}

/* ---- the index ----------------------------------------------------------------------------------------------- */

static uint64_t *place_of(const struct sim_journals *js, size_t arm, size_t point, size_t replicate) {
  return &js->place[(point * js->key.arms + arm) * js->replicates + replicate];
}

/* Blob of an indexed row; valid until the next call for the same file. NULL on error. */
static const unsigned char *fetch(struct sim_journals *js, uint64_t place, size_t *n) {
  struct journal_file *f = &js->file[(place >> 48) - 1];
  if (!f->db && db_open(&f->db, f->path, SQLITE_OPEN_READONLY) != SQLITE_OK) return NULL;
  if (!f->read && sqlite3_prepare_v2(f->db, "SELECT data FROM run WHERE id = ?", -1, &f->read, NULL) != SQLITE_OK) {
    return NULL;
  }
  sqlite3_reset(f->read);
  sqlite3_bind_int64(f->read, 1, (sqlite3_int64)(place & 0xffffffffffffull));
  if (sqlite3_step(f->read) != SQLITE_ROW) return NULL;
  *n = (size_t)sqlite3_column_bytes(f->read, 0);
  return sqlite3_column_blob(f->read, 0);
}

/* Enters a row whose CRC is right. A run found twice must be the same bit for bit. */
static int index_row(struct sim_journals *js, size_t file, const int64_t at[4], sqlite3_int64 id, const void *blob,
                     size_t n, struct sim_diag *diag) {
  if ((size_t)at[2] >= js->replicates) return 0; /* of a larger batch: not asked for now */
  uint64_t *place = place_of(js, (size_t)at[0], (size_t)at[1], (size_t)at[2]);
  if (*place) {
    size_t other_n = 0;
    const unsigned char *other = fetch(js, *place, &other_n);
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
  js->failed += at[3] != 0;
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

/* Indexes the rows of one database; deletes those that fail their check. Returns an SQLite code through *code. */
static int scan_rows(struct sim_journals *js, size_t file, sqlite3 *db, int *code, struct sim_diag *diag) {
  sqlite3_stmt *st = NULL, *drop = NULL;
  int ret = 0;
  *code = sqlite3_prepare_v2(db, "SELECT id, arm, point, replicate, failed, data, crc FROM run", -1, &st, NULL);
  if (*code == SQLITE_OK) *code = sqlite3_prepare_v2(db, "DELETE FROM run WHERE id = ?", -1, &drop, NULL);
  while (ret == 0 && *code == SQLITE_OK && (*code = sqlite3_step(st)) == SQLITE_ROW) {
    int64_t at[4];
    const void *blob;
    size_t n;
    *code = SQLITE_OK;
    if (row_is_good(js, st, at, &blob, &n)) {
      ret = index_row(js, file, at, sqlite3_column_int64(st, 0), blob, n, diag);
    } else { /* deleting the row a query stands on is allowed; the query goes on with the next */
      js->damaged++;
      sqlite3_bind_int64(drop, 1, sqlite3_column_int64(st, 0));
      int dropped = sqlite3_step(drop);
      sqlite3_reset(drop);
      if (dropped != SQLITE_DONE) *code = dropped;
    }
  }
  sqlite3_finalize(st);
  sqlite3_finalize(drop);
  if (*code == SQLITE_ERROR) *code = SQLITE_CORRUPT; /* no such table or column: it was there once */
  return ret;
}

static void remove_database(const char *path) {
  unlink(path);
  const char *ends[] = {"-wal", "-shm", "-journal"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    char *side = sim_strf("%s%s", path, ends[i]);
    if (side) unlink(side);
    sim_free(side);
  }
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
  sqlite3_finalize(js->file[file].read);
  sqlite3_close(js->file[file].db);
  js->file[file].read = NULL, js->file[file].db = NULL;
  remove_database(js->file[file].path);
}

static int scan_file(struct sim_journals *js, size_t file, struct sim_diag *diag) {
  const char *path = js->file[file].path;
  sqlite3 *db = NULL;
  uint64_t failed = js->failed;
  int tables = 0, ret = 0, code = db_open(&db, path, SQLITE_OPEN_READWRITE);
  sqlite3_stmt *st = NULL;
  if (code == SQLITE_OK) code = sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_schema", -1, &st, NULL);
  if (code == SQLITE_OK) code = sqlite3_step(st);
  if (code == SQLITE_ROW) tables = sqlite3_column_int(st, 0), code = SQLITE_OK;
  sqlite3_finalize(st);
  if (code == SQLITE_OK && tables) { /* without tables: killed while it was created */
    enum file_state state = meta_check(js, db, path, &code, diag);
    if (state == FILE_FOREIGN) ret = SIM_ERR_INPUT;
    if (state == FILE_DAMAGED) code = SQLITE_CORRUPT;
    if (state == FILE_GOOD) {
      char *started = meta_get(db, "started", &code);
      if (started && (!*js->started || strcmp(started, js->started) < 0)) {
        snprintf(js->started, sizeof js->started, "%s", started);
      }
      sim_free(started);
      ret = scan_rows(js, file, db, &code, diag);
      if (code == SQLITE_DONE) code = SQLITE_OK;
    }
  }
  char *why = code == SQLITE_OK ? NULL : sim_strdup(sqlite3_errmsg(db));
  sqlite3_close(db);
  if (ret == 0 && is_damage(code)) {
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

static void forget_files(struct sim_journals *js) {
  for (size_t i = 0; i < js->files; i++) {
    sqlite3_finalize(js->file[i].read);
    sqlite3_close(js->file[i].db);
    sim_free(js->file[i].path);
  }
  js->files = 0;
}

static bool is_database(const char *name) {
  size_t n = strlen(name);
  return n > 4 && name[0] == 'w' && strcmp(name + n - 3, ".db") == 0;
}

static int compare_files(const void *a, const void *b) {
  return strcmp(((const struct journal_file *)a)->path, ((const struct journal_file *)b)->path);
}

/* Names of the databases present, sorted. */
static int list_files(struct sim_journals *js) {
  DIR *d = opendir(js->dir);
  if (!d) return SIM_ERR_IO;
  int ret = 0;
  for (struct dirent *e; ret == 0 && (e = readdir(d));) {
    if (!is_database(e->d_name)) continue;
    struct journal_file *grown = sim_grow(js->file, &js->cap, js->files + 1, sizeof *js->file);
    if (grown) js->file = grown;
    char *path = grown ? sim_strf("%s/%s", js->dir, e->d_name) : NULL;
    if (!path || js->files + 1 >= 0xffff) {
      sim_free(path);
      ret = SIM_ERR_MEMORY;
    } else {
      js->file[js->files++] = (struct journal_file){.path = path};
    }
  }
  closedir(d);
  if (js->files) qsort(js->file, js->files, sizeof *js->file, compare_files);
  return ret;
}

int sim_journals_refresh(struct sim_journals *js, struct sim_diag *diag) {
  forget_files(js);
  memset(js->place, 0, js->key.arms * js->key.points * js->replicates * sizeof *js->place);
  js->done = js->failed = 0;
  int ret = list_files(js);
  if (ret == SIM_ERR_IO) sim_diag_add(diag, NULL, NULL, "cannot list %s: %s", js->dir, strerror(errno));
  for (size_t i = 0; ret == 0 && i < js->files; i++) ret = scan_file(js, i, diag);
  return ret;
}

/* Refuses at the start what would certainly fill the disk. */
static int check_space(const struct sim_journals *js, struct sim_diag *diag) {
  double need = SPARE;
  for (size_t a = 0; a < js->key.arms; a++) {
    need += (double)(js->key.points * js->replicates) * (double)sim_journal_base(&js->layouts[a]);
  }
  size_t all = js->key.arms * js->key.points * js->replicates;
  need *= all ? (double)(all - js->done) / (double)all : 0;
  struct statvfs fs;
  if (statvfs(js->dir, &fs) != 0 || fs.f_blocks == 0) return 0;
  double free_bytes = (double)fs.f_bavail * (double)fs.f_frsize;
  if (free_bytes >= need) return 0;
  return sim_diag_add(diag, NULL, NULL, "no room for the results beside %s: %.0f MB needed, %.0f MB free", js->dir,
                      ceil(need / 1e6), floor(free_bytes / 1e6));
}

static void remove_databases(struct sim_journals *js) {
  for (size_t i = 0; i < js->files; i++) {
    char *path = js->file[i].path;
    js->file[i].path = NULL;
    sqlite3_finalize(js->file[i].read);
    sqlite3_close(js->file[i].db);
    remove_database(path);
    sim_free(path);
  }
  js->files = 0;
}

/* Databases of an earlier call count replicates as it did: tell them the present number, for `status`. */
static void update_replicates(struct sim_journals *js) {
  char replicates[32];
  snprintf(replicates, sizeof replicates, "%zu", js->replicates);
  for (size_t i = 0; i < js->files; i++) {
    sqlite3 *db = NULL;
    if (db_open(&db, js->file[i].path, SQLITE_OPEN_READWRITE) == SQLITE_OK) meta_set(db, "replicates", replicates);
    sqlite3_close(db);
  }
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
  js->place = sim_calloc(key->arms * key->points * replicates + 1, sizeof *js->place);
  int ret = js->dir && js->version && js->place ? sim_lock_take(&js->lock, js->dir, output, diag) : SIM_ERR_MEMORY;
  if (ret == 0 && overwrite) {
    ret = list_files(js);
    remove_databases(js);
  }
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
  if (remove) remove_databases(js);
  forget_files(js);
  if (js->lock >= 0) {
    /* A directory without rows is of no use: it goes too, as after a refusal. */
    if (list_files(js) == 0 && js->files == 0) sim_lock_remove(js->dir);
    forget_files(js);
    close(js->lock);
  }
  sim_free(js->file);
  sim_free(js->place);
  sim_free(js->dir);
  sim_free(js->version);
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
  const unsigned char *blob = fetch(js, place, &n);
  if (!blob || !sim_journal_fits(blob, n, &js->layouts[arm])) return SIM_ERR_IO;
  sim_journal_decode(blob, &js->layouts[arm], row);
  return 0;
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

static int journal_fail(struct sim_journal *j, int code) {
  snprintf(j->error, sizeof j->error, "%s: %s", sqlite3_db_filename(j->db, "main"), sqlite3_errmsg(j->db));
  return (code & 0xff) == SQLITE_NOMEM ? SIM_ERR_MEMORY : SIM_ERR_IO;
}

int sim_journal_open(struct sim_journal **out, struct sim_journals *js, unsigned worker) {
  struct sim_journal *j = sim_calloc(1, sizeof *j);
  char *path = sim_strf("%s/w%u.db", js->dir, worker);
  int ret = j && path ? 0 : SIM_ERR_MEMORY, code = SQLITE_OK;
  *out = j;
  if (ret == 0) {
    j->set = js;
    j->appended = monotonic();
    j->committed = j->appended - 1; /* the first run is committed at once */
    code = db_open(&j->db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (code == SQLITE_OK) code = db_exec(j->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    sqlite3_stmt *st = NULL;
    bool empty = false;
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(j->db, "SELECT count(*) FROM sqlite_schema", -1, &st, NULL);
    if (code == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) empty = sqlite3_column_int(st, 0) == 0;
    sqlite3_finalize(st);
    if (code == SQLITE_OK && empty) code = db_create(js, j->db);
    if (code == SQLITE_OK) {
      code = sqlite3_prepare_v2(j->db, "INSERT INTO run(arm, point, replicate, failed, data, crc) VALUES(?,?,?,?,?,?)",
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

int sim_journal_flush(struct sim_journal *j) {
  if (!j->open) return 0;
  int code = db_exec(j->db, "COMMIT");
  if (code != SQLITE_OK) return journal_fail(j, code);
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
  int64_t at[4] = {(int64_t)arm, (int64_t)point, (int64_t)replicate, row->error[0] != 0};
  int code = j->open ? SQLITE_OK : db_exec(j->db, "BEGIN");
  if (code != SQLITE_OK) return journal_fail(j, code);
  j->open = true;
  for (int i = 0; i < 4; i++) sqlite3_bind_int64(j->insert, i + 1, at[i]);
  sqlite3_bind_blob64(j->insert, 5, blob, n, SQLITE_STATIC);
  sqlite3_bind_int64(j->insert, 6, sim_journal_row_crc(at, blob, n));
  code = sqlite3_step(j->insert);
  if (code != SQLITE_DONE) return journal_fail(j, code);
  sqlite3_reset(j->insert);
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
  sim_free(j);
  return ret;
}

const char *sim_journal_library(void) {
  return sqlite3_libversion();
}

/* ---- looking on ---------------------------------------------------------------------------------------------- */

static int status_file(const char *path, struct sim_journal_status *status) {
  sqlite3 *db = NULL;
  sqlite3_stmt *st = NULL;
  int code = db_open(&db, path, SQLITE_OPEN_READONLY);
  if (code == SQLITE_OK) {
    code = sqlite3_prepare_v2(db, "SELECT count(*), coalesce(sum(failed), 0) FROM run", -1, &st, NULL);
  }
  if (code == SQLITE_OK && (code = sqlite3_step(st)) == SQLITE_ROW) {
    status->done += (uint64_t)sqlite3_column_int64(st, 0);
    status->failed += (uint64_t)sqlite3_column_int64(st, 1);
    const char *names[] = {"arms", "points", "replicates"};
    uint64_t total = 1;
    for (size_t i = 0; i < 3; i++) {
      char *value = meta_get(db, names[i], &code);
      total *= value ? strtoull(value, NULL, 10) : 0;
      sim_free(value);
    }
    if (total) status->total = total;
    char *started = meta_get(db, "started", &code);
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
  struct sim_journals js = {.lock = -1, .dir = sim_strf("%s.journal", output)};
  struct stat s;
  int ret = js.dir ? 0 : SIM_ERR_MEMORY;
  if (ret == 0 && stat(js.dir, &s) != 0) ret = 1;
  if (ret == 0 && (ret = list_files(&js)) == SIM_ERR_IO) {
    sim_diag_add(diag, NULL, NULL, "cannot read %s: %s", js.dir, strerror(errno));
  }
  if (ret == 0) status->running = sim_lock_is_held(js.dir);
  for (size_t i = 0; ret == 0 && i < js.files; i++) {
    status->files++;
    status_file(js.file[i].path, status); /* one that is being created has nothing to say yet */
    status->seconds_since_last = fmin(status->seconds_since_last, file_age(js.file[i].path));
  }
  forget_files(&js);
  sim_free(js.file);
  sim_free(js.dir);
  return ret;
}
