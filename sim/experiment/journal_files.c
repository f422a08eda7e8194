/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/mem.h"
#include "sim/experiment/journal_internal.h"
#include "sim/experiment/lock.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_FILES   0xfffe /* a row's place has 16 bits for its file */
#define DESCRIPTORS  3      /* of one connection: the database, its log, its index of the log */
#define SPARE_OPEN   64     /* descriptors left to others */
#define MOST_OPENED  4096   /* connections, for memory: some 0.1 MB each */
#define INNER_ENDING ".journal"

static bool is_database(const char *name) {
  size_t n = strlen(name);
  return n > 4 && name[0] == 'w' && strcmp(name + n - 3, ".db") == 0;
}

static bool ends_with(const char *name, const char *ending) {
  size_t n = strlen(name), k = strlen(ending);
  return n > k && strcmp(name + n - k, ending) == 0;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a directory that a filter wants, sorted; to be freed. */
static int list_names(const char *dir, bool (*wanted)(const char *name), char ***out, size_t *n) {
  size_t cap = 0;
  int ret = 0;
  *out = NULL, *n = 0;
  DIR *d = opendir(dir);
  if (!d) return SIM_ERR_IO;
  for (struct dirent *e; ret == 0 && (e = readdir(d));) {
    if (!wanted(e->d_name)) continue;
    char **grown = sim_grow(*out, &cap, *n + 1, sizeof **out);
    if (grown) *out = grown;
    char *name = grown ? sim_strdup(e->d_name) : NULL;
    if (name) {
      (*out)[(*n)++] = name;
    } else {
      ret = SIM_ERR_MEMORY;
    }
  }
  closedir(d);
  if (*n) qsort(*out, *n, sizeof **out, compare_names);
  return ret;
}

static void free_names(char **name, size_t n) {
  for (size_t i = 0; i < n; i++) sim_free(name[i]);
  sim_free(name);
}

static int add_file(struct journal_files *fs, const char *path, bool kept) {
  struct stat st;
  if (stat(path, &st) != 0) return errno == ENOENT ? 0 : SIM_ERR_IO; /* removed just now */
  for (size_t i = 0; i < fs->n; i++) {
    if (fs->item[i].dev == st.st_dev && fs->item[i].ino == st.st_ino) return 0;
  }
  if (fs->n == MOST_FILES) return SIM_ERR_LIMIT;
  struct journal_file *grown = sim_grow(fs->item, &fs->cap, fs->n + 1, sizeof *fs->item);
  if (!grown) return SIM_ERR_MEMORY;
  fs->item = grown;
  char *copy = sim_strdup(path);
  if (!copy) return SIM_ERR_MEMORY;
  fs->item[fs->n++] = (struct journal_file){.path = copy, .kept = kept, .dev = st.st_dev, .ino = st.st_ino};
  return 0;
}

static int list_databases(struct journal_files *fs, const char *dir, bool kept) {
  char **name = NULL;
  size_t n = 0;
  int ret = list_names(dir, is_database, &name, &n);
  for (size_t i = 0; ret == 0 && i < n; i++) {
    char *path = sim_strf("%s/%s", dir, name[i]);
    ret = path ? add_file(fs, path, kept) : SIM_ERR_MEMORY;
    sim_free(path);
  }
  free_names(name, n);
  return ret;
}

static bool is_inner(const char *name) {
  return ends_with(name, INNER_ENDING);
}

static int list_inner(struct journal_files *fs, const char *path, struct sim_diag *diag) {
  if (diag && sim_lock_is_held(path)) {
    return sim_diag_add(diag, NULL, NULL, "another process is writing %s: wait until it ends", path);
  }
  int ret = list_databases(fs, path, true);
  return ret == SIM_ERR_IO && errno == ENOENT ? 0 : ret; /* it ended without a run, just now */
}

int sim_journal_files_list(struct journal_files *fs, const char *dir, bool kept, struct sim_diag *diag) {
  char **name = NULL;
  size_t n = 0;
  int ret = list_databases(fs, dir, kept);
  if (ret == 0) ret = list_names(dir, is_inner, &name, &n);
  for (size_t i = 0; ret == 0 && i < n; i++) {
    char *path = sim_strf("%s/%s", dir, name[i]);
    ret = path ? list_inner(fs, path, diag) : SIM_ERR_MEMORY;
    sim_free(path);
  }
  free_names(name, n);
  return ret;
}

int sim_journal_files_add(struct journal_files *fs, const char *own, const char *path, struct sim_diag *diag) {
  struct stat st, mine;
  int ret = stat(path, &st) == 0 ? 0 : SIM_ERR_IO;
  if (ret == 0 && own && stat(own, &mine) == 0 && mine.st_dev == st.st_dev && mine.st_ino == st.st_ino) return 0;
  if (ret == 0 && S_ISDIR(st.st_mode)) {
    if (sim_lock_is_held(path)) {
      return sim_diag_add(diag, NULL, NULL, "another process is writing %s: wait until it ends", path);
    }
    ret = sim_journal_files_list(fs, path, true, diag);
  } else if (ret == 0) {
    ret = add_file(fs, path, true);
  }
  if (ret == SIM_ERR_IO) return sim_diag_add(diag, NULL, NULL, "cannot read the journal %s: %s", path, strerror(errno));
  if (ret == SIM_ERR_LIMIT) return sim_diag_add(diag, NULL, NULL, "more than %d journals", MOST_FILES);
  return ret;
}

/* ---- connections ------------------------------------------------------------------------------------------------ */

/* As many connections as descriptors allow: rows are read in the order of runs, which shards share out among files. */
static size_t most_opened(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 64;
  rlim_t wanted = DESCRIPTORS * MOST_OPENED + SPARE_OPEN;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0) return 64;
  }
  size_t most = limit.rlim_cur > 2 * SPARE_OPEN ? (size_t)(limit.rlim_cur - SPARE_OPEN) / DESCRIPTORS : 16;
  return most < MOST_OPENED ? most : MOST_OPENED;
}

void sim_journal_file_close(struct journal_files *fs, struct journal_file *f) {
  if (!f->db) return;
  sqlite3_finalize(f->read);
  sqlite3_close(f->db);
  f->read = NULL, f->db = NULL;
  fs->opened--;
}

static bool file_open(struct journal_files *fs, struct journal_file *f) {
  if (!fs->most) fs->most = most_opened();
  for (; fs->opened >= fs->most; fs->hand = (fs->hand + 1) % fs->n) sim_journal_file_close(fs, &fs->item[fs->hand]);
  fs->opened++;
  /* One transaction for all rows that are read: a lock for each costs more than the row. */
  if (sim_journal_db_open(&f->db, f->path, SQLITE_OPEN_READONLY, f->kept) == SQLITE_OK &&
      sim_journal_db_exec(f->db, "BEGIN") == SQLITE_OK &&
      sqlite3_prepare_v2(f->db, "SELECT data FROM run WHERE id = ?", -1, &f->read, NULL) == SQLITE_OK) {
    return true;
  }
  sim_journal_file_close(fs, f);
  return false;
}

const unsigned char *sim_journal_files_fetch(struct journal_files *fs, uint64_t place, size_t *n) {
  struct journal_file *f = &fs->item[(place >> 48) - 1];
  if (!f->db && !file_open(fs, f)) return NULL;
  sqlite3_reset(f->read);
  sqlite3_bind_int64(f->read, 1, (sqlite3_int64)(place & 0xffffffffffffull));
  if (sqlite3_step(f->read) != SQLITE_ROW) return NULL;
  *n = (size_t)sqlite3_column_bytes(f->read, 0);
  return sqlite3_column_blob(f->read, 0);
}

void sim_journal_file_remove(const char *path) {
  unlink(path);
  const char *ends[] = {"-wal", "-shm", "-journal"};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    char *side = sim_strf("%s%s", path, ends[i]);
    if (side) unlink(side);
    sim_free(side);
  }
}

void sim_journal_files_forget(struct journal_files *fs) {
  for (size_t i = 0; i < fs->n; i++) {
    sim_journal_file_close(fs, &fs->item[i]);
    sim_free(fs->item[i].path);
  }
  fs->n = fs->hand = 0;
}
