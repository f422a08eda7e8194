/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of journals share: journal.c (the set and the writer), journal_db.c (one database), journal_files.c
 * (which files there are, and their connections), journal_status.c (looks from outside). */
#ifndef SIM_EXPERIMENT_JOURNAL_INTERNAL_H
#define SIM_EXPERIMENT_JOURNAL_INTERNAL_H
#include "sim/experiment/journal.h"
#include <sqlite3.h>
#include <sys/types.h>

struct journal_file {
  char *path;
  bool kept; /* read only: of another part, or named by the user */
  dev_t dev; /* with ino: which file it is, lest one be read twice */
  ino_t ino;
  sqlite3 *db; /* for reading, opened at need */
  sqlite3_stmt *read;
};

struct journal_files {
  struct journal_file *item;
  size_t n, cap;
  size_t opened, most, hand; /* connections; the next to close where there are too many */
};

struct sim_journals {
  char *dir, *version;
  char *names; /* of arms, a line each; for `status` */
  int lock;
  struct sim_journal_key key;
  size_t replicates;
  const struct sim_layout *layouts; /* [arms] */
  struct journal_files files;
  uint64_t *place; /* [points][arms][replicates]: (file + 1) << 48 | row id; 0: not there */
  uint64_t done, failed, damaged, beyond;
  char started[32];
};

/* ---- one database; SQLite's codes ---- */

int sim_journal_db_exec(sqlite3 *db, const char *sql);
/* salvage: to read only, and damaged ones as far as they go. */
int sim_journal_db_open(sqlite3 **db, const char *path, int flags, bool salvage);
bool sim_journal_is_damage(int code);
/* A value of the table `meta`, to be freed; NULL if it is not there; *code says more. */
char *sim_journal_meta_get(sqlite3 *db, const char *name, int *code);
int sim_journal_meta_set(sqlite3 *db, const char *name, const char *value);
/* Counts rows by arm again, after some were deleted. */
int sim_journal_tally_again(sqlite3 *db);
/* One transaction, so that a database has all of its tables or none. */
int sim_journal_db_create(const struct sim_journals *js, sqlite3 *db);

/* What a row is of, beside its data; under its CRC. */
enum { SIM_JOURNAL_DONE, SIM_JOURNAL_FAILED, SIM_JOURNAL_CENSORED };

enum journal_state { JOURNAL_GOOD, JOURNAL_DAMAGED, JOURNAL_FOREIGN, JOURNAL_ERROR };
/* Reads the facts of a database: damaged if they are not all there or fail their CRC. JOURNAL_ERROR: an SQLite code
 * that is no damage (busy, input/output) is in *code. */
enum journal_state sim_journal_meta_check(const struct sim_journals *js, sqlite3 *db, const char *path, int *code,
                                          struct sim_diag *diag);
/* The scenario stored in a database; 1: none; SIM_ERR_INPUT with diag: it cannot be loaded any more. */
int sim_journal_origin_load(sqlite3 *db, const char *path, struct sim_scenario **scenario,
                            struct sim_diag *diag) SIM_MUST_CHECK;

/* ---- files ---- */

/* Appends the databases of a directory and of the directories `*.journal` in it (those are kept). kept: all of them
 * are. SIM_ERR_IO: it cannot be read, see errno; SIM_ERR_INPUT with diag: another process writes one of the inner
 * ones; diag NULL: never mind. */
int sim_journal_files_list(struct journal_files *fs, const char *dir, bool kept, struct sim_diag *diag) SIM_MUST_CHECK;
/* Appends what the user named, kept: directories or single databases. own: a directory listed already, which this
 * process holds, or NULL. */
int sim_journal_files_add(struct journal_files *fs, const char *own, const char *path,
                          struct sim_diag *diag) SIM_MUST_CHECK;
/* Blob of a row; valid until the next call. NULL on error. */
const unsigned char *sim_journal_files_fetch(struct journal_files *fs, uint64_t place, size_t *n);
void sim_journal_file_close(struct journal_files *fs, struct journal_file *f);
/* Deletes a database and what SQLite keeps beside it. */
void sim_journal_file_remove(const char *path);
void sim_journal_files_forget(struct journal_files *fs);
#endif
