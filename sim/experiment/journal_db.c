/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/mem.h"
#include "sim/experiment/journal_internal.h"
#include "sim/experiment/journal_row.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FORMAT 2 /* of the databases */

int sim_journal_db_exec(sqlite3 *db, const char *sql) {
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

bool sim_journal_is_damage(int code) {
  return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB || (code & 0xff) == SQLITE_FORMAT;
}

int sim_journal_db_open(sqlite3 **db, const char *path, int flags, bool salvage) {
  int code = sqlite3_open_v2(path, db, flags, NULL);
  if (code == SQLITE_OK) code = sqlite3_busy_timeout(*db, 5000);
  /* A file shorter than its header says would be refused whole. */
  if (code == SQLITE_OK && salvage)
    code = sim_journal_db_exec(*db, "PRAGMA writable_schema = ON; PRAGMA cache_size = 64");
  return code;
}

char *sim_journal_meta_get(sqlite3 *db, const char *name, int *code) {
  sqlite3_stmt *st = NULL;
  char *value = NULL;
  *code = sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = ?", -1, &st, NULL);
  if (*code == SQLITE_OK) *code = sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
  if (*code == SQLITE_OK) *code = sqlite3_step(st);
  if (*code == SQLITE_ROW) value = sim_strdup((const char *)sqlite3_column_text(st, 0));
  sqlite3_finalize(st);
  return value;
}

int sim_journal_meta_set(sqlite3 *db, const char *name, const char *value) {
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

/* ---- where the scenario came from ------------------------------------------------------------------------------ */

/* Patches as one text: path, unit separator, text, record separator. */
static char *join_sets(const struct sim_scenario_origin *o) {
  char *all = sim_strdup("");
  for (size_t i = 0; all && i < o->n_sets; i++) {
    char *more = sim_strf("%s%s\x1f%s\x1e", all, o->sets[i].path, o->sets[i].text);
    sim_free(all);
    all = more;
  }
  return all;
}

static int store_origin(const struct sim_scenario_origin *o, sqlite3 *db) {
  char *sets = join_sets(o);
  int code = sets ? sim_journal_meta_set(db, "origin_sets", sets) : SQLITE_NOMEM;
  if (code == SQLITE_OK) code = sim_journal_meta_set(db, "origin_name", o->name);
  if (code == SQLITE_OK) code = sim_journal_meta_set(db, "origin_directory", o->directory);
  if (code == SQLITE_OK) code = sim_journal_meta_set(db, "origin_text", o->text);
  sim_free(sets);
  return code;
}

/* Cuts the text in place. */
static size_t split_sets(char *text, struct sim_patch *set, size_t most) {
  size_t n = 0;
  for (char *at = text; *at && n < most; n++) {
    char *value = strchr(at, '\x1f'), *end = value ? strchr(value, '\x1e') : NULL;
    if (!end) break;
    *value = *end = '\0';
    set[n] = (struct sim_patch){at, value + 1};
    at = end + 1;
  }
  return n;
}

int sim_journal_origin_load(sqlite3 *db, const char *path, struct sim_scenario **scenario, struct sim_diag *diag) {
  static const char *const names[] = {"origin_text", "origin_name", "origin_directory", "origin_sets"};
  char *value[4] = {NULL};
  struct sim_patch *set = NULL;
  int code, ret = 0;
  for (size_t i = 0; ret == 0 && i < 4; i++) {
    value[i] = sim_journal_meta_get(db, names[i], &code);
    if (!value[i]) ret = 1;
  }
  if (ret == 0) {
    size_t most = strlen(value[3]) / 2 + 1, before = diag->n;
    set = sim_calloc(most, sizeof *set);
    ret = set ? sim_scenario_parse(scenario, value[0], strlen(value[0]), value[1], value[2], set,
                                   split_sets(value[3], set, most), diag)
              : SIM_ERR_MEMORY;
    if (ret && diag->n > before) sim_diag_add(diag, NULL, NULL, "this is the scenario that the journal %s holds", path);
  }
  for (size_t i = 0; i < 4; i++) sim_free(value[i]);
  sim_free(set);
  return ret;
}

int sim_journal_tally_again(sqlite3 *db) {
  return sim_journal_db_exec(db,
                             "BEGIN; DELETE FROM tally;"
                             "INSERT INTO tally SELECT arm, count(*), sum(outcome = 1), sum(outcome = 2), 0 FROM run"
                             " GROUP BY arm; COMMIT;");
}

int sim_journal_db_create(const struct sim_journals *js, sqlite3 *db) {
  struct fact fact[FACTS];
  char crc[16], replicates[32];
  key_facts(&js->key, fact);
  facts_crc(fact, crc);
  snprintf(replicates, sizeof replicates, "%zu", js->replicates);
  int code =
      sim_journal_db_exec(db, "BEGIN; CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
                              "CREATE TABLE run(id INTEGER PRIMARY KEY, arm INTEGER, point INTEGER, replicate INTEGER,"
                              " outcome INTEGER, data BLOB, crc INTEGER);"
                              "CREATE TABLE tally(arm INTEGER PRIMARY KEY, done INTEGER, failed INTEGER,"
                              " censored INTEGER, made INTEGER);"
                              "CREATE TABLE session(id INTEGER PRIMARY KEY, seconds REAL);");
  for (unsigned i = 0; code == SQLITE_OK && i < FACTS; i++)
    code = sim_journal_meta_set(db, fact[i].name, fact[i].value);
  if (code == SQLITE_OK) code = sim_journal_meta_set(db, "crc", crc);
  if (code == SQLITE_OK) code = sim_journal_meta_set(db, "replicates", replicates);
  if (code == SQLITE_OK) code = sim_journal_meta_set(db, "precision", js->key.precision ? js->key.precision : "");
  if (code == SQLITE_OK) code = sim_journal_meta_set(db, "arm_names", js->names);
  if (code == SQLITE_OK) code = sim_journal_meta_set(db, "started", js->started);
  if (code == SQLITE_OK && js->key.origin) code = store_origin(js->key.origin, db);
  if (code == SQLITE_OK) code = sim_journal_db_exec(db, "COMMIT");
  return code;
}

enum journal_state sim_journal_meta_check(const struct sim_journals *js, sqlite3 *db, const char *path, int *code,
                                          struct sim_diag *diag) {
  struct fact mine[FACTS], theirs[FACTS];
  char crc[16];
  key_facts(&js->key, mine);
  key_facts(&js->key, theirs);
  for (unsigned i = 0; i < FACTS; i++) {
    char *value = sim_journal_meta_get(db, mine[i].name, code);
    if (!value)
      return *code == SQLITE_DONE || *code == SQLITE_ERROR || sim_journal_is_damage(*code) ? JOURNAL_DAMAGED
                                                                                           : JOURNAL_ERROR;
    snprintf(theirs[i].value, sizeof theirs[i].value, "%s", value);
    sim_free(value);
  }
  facts_crc(theirs, crc);
  char *stored = sim_journal_meta_get(db, "crc", code);
  bool good = stored && strcmp(stored, crc) == 0;
  sim_free(stored);
  if (!good) return JOURNAL_DAMAGED;
  enum journal_state state = JOURNAL_GOOD;
  for (unsigned i = 0; i < FACTS; i++) {
    if (strcmp(mine[i].value, theirs[i].value) == 0) continue;
    sim_diag_add(diag, NULL, NULL, "the journal %s holds runs of another %s (%s there, %s now); %s", path,
                 mine[i].words, theirs[i].value, mine[i].value,
                 js->key.sources ? "they cannot be merged"
                                 : "finish it as it was started, or start again with --overwrite");
    state = JOURNAL_FOREIGN;
  }
  return state;
}
