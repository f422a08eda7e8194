/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Journals: finished runs on their way to a results file.
 *
 * Beside `results.h5` stands the directory `results.h5.journal/` with a lock file, held (flock) by the one process that
 * may write, and one SQLite database a worker, `w0.db`, `w1.db`, ... with one row a run: its place (arm, point,
 * replicate), a blob of the row, and a CRC-32 of both. Databases are in WAL mode and committed about once a second: a
 * killed process loses at most the last second, a reader may look on while they grow. A changed number of replicates or
 * threads is no obstacle to resuming; another scenario, seed or version is.
 *
 * A process that makes only a part (a shard, another rank) has a directory of the same kind inside that one,
 * `results.h5.journal/shard-3-of-7.journal/`. Who owns the outer directory reads the inner ones too, but changes
 * nothing in them until the results are written: damaged rows are passed over and made again. */
#ifndef SIM_EXPERIMENT_JOURNAL_H
#define SIM_EXPERIMENT_JOURNAL_H
#include "sim/experiment/layout.h"
#include "sim/scenario/scenario.h"

/* What rows of one set of journals share; compared one by one when resuming. Then what the set is made for. */
struct sim_journal_key {
  uint64_t scenario_hash, seed, layout_hash;
  unsigned stream_version, language_version;
  const char *program_version;
  size_t arms, points;
  const char *const *arm;                   /* [arms] names, for `status`; or NULL */
  double share;                             /* of the missing runs that this process makes, for room; 0: all */
  const char *precision;                    /* as the scenario has it, "" if fixed; for `status` */
  const struct sim_scenario_origin *origin; /* kept in new journals, so that they can be merged by themselves */
  const char *const *source;                /* further directories or files to read, never changed */
  size_t sources;
};

struct sim_journals; /* all journals of one output, owned by this process */
struct sim_journal;  /* one worker's, being written */

/* Takes the lock, then reads and checks every journal present. overwrite: removes them instead. layouts: [arms],
 * borrowed. SIM_ERR_INPUT with diag: locked by another process, directory missing or not writable, other key;
 * SIM_ERR_MISMATCH with diag: one run twice with different results. */
int sim_journals_open(struct sim_journals **out, const char *output, const struct sim_journal_key *key,
                      size_t replicates, const struct sim_layout *layouts, bool overwrite,
                      struct sim_diag *diag) SIM_MUST_CHECK;
/* Reads again what writers have appended since. All of them must be closed. */
int sim_journals_refresh(struct sim_journals *js, struct sim_diag *diag) SIM_MUST_CHECK;
bool sim_journals_has(const struct sim_journals *js, size_t arm, size_t point, size_t replicate);
uint64_t sim_journals_done(const struct sim_journals *js);
uint64_t sim_journals_failed(const struct sim_journals *js);
uint64_t sim_journals_beyond(const struct sim_journals *js);     /* rows of replicates that are not asked for now */
uint64_t sim_journals_damaged(const struct sim_journals *js);    /* rows dropped by their CRC, and files unreadable */
const char *sim_journals_started(const struct sim_journals *js); /* ISO 8601 time when the first run of all began */
/* Fills a row of the arm's layout. 0; 1 where that run is not there; SIM_ERR_IO. */
int sim_journals_read(struct sim_journals *js, size_t arm, size_t point, size_t replicate,
                      struct sim_row *row) SIM_MUST_CHECK;
/* Closes; removes the directory if asked (the results are safe). */
void sim_journals_close(struct sim_journals *js, bool remove);

/* Opens or continues worker k's database. One thread a journal; different journals may be used at the same time. */
int sim_journal_open(struct sim_journal **out, struct sim_journals *js, unsigned worker) SIM_MUST_CHECK;
int sim_journal_append(struct sim_journal *j, size_t arm, size_t point, size_t replicate,
                       const struct sim_row *row) SIM_MUST_CHECK;
/* Why the last call on this journal failed. */
const char *sim_journal_error(const struct sim_journal *j);
/* Commits what is pending; close commits too. 0 or SIM_ERR_IO. */
int sim_journal_flush(struct sim_journal *j) SIM_MUST_CHECK;
int sim_journal_close(struct sim_journal *j) SIM_MUST_CHECK;

/* Version of SQLite, for provenance. */
const char *sim_journal_library(void);

/* The scenario of the first readable journal among directories and files. SIM_ERR_INPUT with diag:
 * a path is not there, or none of them has a journal that says it. */
int sim_journal_scenario(const char *const *source, size_t n, struct sim_scenario **scenario,
                         struct sim_diag *diag) SIM_MUST_CHECK;

/* A look from outside, without the lock. Rates are those of the processes that are running, since each was started, by
 * the monotonic clock. */
struct sim_journal_arm {
  char *name;                             /* NULL: unknown */
  uint64_t total, done, failed, censored; /* runs */
  double rate;                            /* runs a second */
};
struct sim_journal_status {
  uint64_t total, done, failed; /* runs */
  double rate;
  bool running; /* some process holds the lock */
  unsigned files;
  char started[32];          /* ISO 8601 */
  double seconds_since_last; /* since the last commit */
  char *precision;           /* total is the most that may be needed for it; NULL or "": there is none */
  struct sim_journal_arm *arm;
  size_t arms;
};
void sim_journal_status_free(struct sim_journal_status *status);
/* 0; 1 if there is no journal beside this output; SIM_ERR_INPUT or SIM_ERR_IO with diag. Free it in any case. */
int sim_journal_status(const char *output, struct sim_journal_status *status, struct sim_diag *diag) SIM_MUST_CHECK;
#endif
