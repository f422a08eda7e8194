/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rows.h"
#include "sim/experiment/journal.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], output[96];
static struct sim_layout layouts[2];
static const struct sim_journal_key key = {.scenario_hash = 0x1234,
                                           .seed = 7,
                                           .layout_hash = 0x99,
                                           .stream_version = 1,
                                           .language_version = 1,
                                           .program_version = "0.1.0",
                                           .arms = 2,
                                           .points = 2};

static void setup(void) {
  snprintf(dir, sizeof dir, "/tmp/airesim_journal_XXXXXX");
  cr_assert_not_null(mkdtemp(dir));
  snprintf(output, sizeof output, "%s/r.h5", dir);
  cr_assert_eq(rows_layouts(layouts), 0);
}
static void teardown(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf '%s'", dir);
  cr_assert_eq(system(command), 0);
  for (int a = 0; a < 2; a++) sim_layout_free(&layouts[a]);
}
TestSuite(journal, .init = setup, .fini = teardown);

static struct sim_journals *open_set(const struct sim_journal_key *k, size_t replicates) {
  struct sim_journals *js = NULL;
  struct sim_diag diag = {0};
  int ret = sim_journals_open(&js, output, k, replicates, layouts, false, &diag);
  cr_assert_eq(ret, 0, "%s", diag.n ? diag.items[0].text : sim_err_text(ret));
  sim_diag_free(&diag);
  return js;
}

/* The code of opening, and the first message in `text`. */
static int try_open(const struct sim_journal_key *k, size_t replicates, char text[300]) {
  struct sim_journals *js = NULL;
  struct sim_diag diag = {0};
  int ret = sim_journals_open(&js, output, k, replicates, layouts, false, &diag);
  snprintf(text, 300, "%s", diag.n ? diag.items[0].text : "");
  if (ret == 0) sim_journals_close(js, false);
  sim_diag_free(&diag);
  return ret;
}

static void append(struct sim_journal *j, size_t arm, size_t point, size_t replicate, double nudge) {
  struct sim_row row;
  cr_assert_eq(sim_row_init(&row, &layouts[arm]), 0);
  rows_make(&layouts[arm], arm, point, replicate, &row);
  row.columns[0] += nudge;
  cr_assert_eq(sim_journal_append(j, arm, point, replicate, &row), 0);
  sim_row_free(&row);
}

static void fill(struct sim_journals *js, unsigned worker, size_t first, size_t last) {
  struct sim_journal *j = NULL;
  cr_assert_eq(sim_journal_open(&j, js, worker), 0);
  for (size_t arm = 0; arm < 2; arm++)
    for (size_t point = 0; point < 2; point++)
      for (size_t r = first; r < last; r++) append(j, arm, point, r, 0);
  cr_assert_eq(sim_journal_close(j), 0);
}

static void check_row(struct sim_journals *js, size_t arm, size_t point, size_t replicate) {
  struct sim_row got, wanted;
  cr_assert_eq(sim_row_init(&got, &layouts[arm]) + sim_row_init(&wanted, &layouts[arm]), 0);
  cr_assert_eq(sim_journals_read(js, arm, point, replicate, &got), 0);
  rows_make(&layouts[arm], arm, point, replicate, &wanted);
  cr_assert_arr_eq(got.columns, wanted.columns, layouts[arm].columns * sizeof(double));
  cr_assert_arr_eq(got.samples, wanted.samples, layouts[arm].series * layouts[arm].samples * sizeof(uint16_t));
  cr_assert_eq(got.events, wanted.events);
  cr_assert_str_eq(got.error, wanted.error);
  sim_row_free(&got);
  sim_row_free(&wanted);
}

static char *database(unsigned worker) {
  static char path[160];
  snprintf(path, sizeof path, "%s.journal/w%u.db", output, worker);
  return path;
}

Test(journal, writes_resumes_and_reads) {
  struct sim_journals *js = open_set(&key, 5);
  cr_assert_eq(sim_journals_done(js), 0);
  fill(js, 0, 0, 3);
  fill(js, 1, 3, 5);
  sim_journals_close(js, false);
  js = open_set(&key, 5);
  cr_assert_eq(sim_journals_done(js), 20);
  cr_assert_eq(sim_journals_failed(js), 1);
  cr_assert_eq(sim_journals_damaged(js), 0);
  for (size_t i = 0; i < 20; i++) check_row(js, i / 10, i / 5 % 2, i % 5);
  sim_journals_close(js, true);
  struct stat s;
  char path[160];
  snprintf(path, sizeof path, "%s.journal", output);
  cr_assert_neq(stat(path, &s), 0, "the directory must be gone");
}

Test(journal, other_number_of_replicates_and_workers) {
  struct sim_journals *js = open_set(&key, 4);
  fill(js, 0, 0, 4);
  sim_journals_close(js, false);
  js = open_set(&key, 9);
  cr_assert_eq(sim_journals_done(js), 16);
  cr_assert(sim_journals_has(js, 1, 1, 3) && !sim_journals_has(js, 1, 1, 4));
  fill(js, 5, 4, 9);
  struct sim_diag diag = {0};
  cr_assert_eq(sim_journals_refresh(js, &diag), 0);
  cr_assert_eq(sim_journals_done(js), 36);
  sim_journals_close(js, false);
  js = open_set(&key, 2);
  cr_assert_eq(sim_journals_done(js), 8);
  cr_assert_eq(sim_journals_failed(js), 0, "the failed run is not among them");
  sim_journals_close(js, false);
}

Test(journal, refuses_another_batch_and_names_what_differs) {
  struct sim_journals *js = open_set(&key, 2);
  fill(js, 0, 0, 2);
  sim_journals_close(js, false);
  char text[300];
  struct sim_journal_key other = key;
  other.scenario_hash++;
  cr_assert_eq(try_open(&other, 2, text), SIM_ERR_INPUT);
  cr_assert_not_null(strstr(text, "another scenario"), "%s", text);
  other = key, other.seed = 8;
  cr_assert_eq(try_open(&other, 2, text), SIM_ERR_INPUT);
  cr_assert_not_null(strstr(text, "another seed (7 there, 8 now)"), "%s", text);
  other = key, other.stream_version = 2;
  cr_assert_eq(try_open(&other, 2, text), SIM_ERR_INPUT);
  cr_assert_not_null(strstr(text, "random streams"), "%s", text);
  cr_assert_eq(try_open(&key, 2, text), 0, "refusals leave the journal as it was");
}

Test(journal, one_process_at_a_time) {
  struct sim_journals *js = open_set(&key, 2);
  fill(js, 0, 0, 1);
  pid_t child = fork();
  if (child == 0) {
    char text[300];
    int ret = try_open(&key, 2, text);
    _exit(ret == SIM_ERR_INPUT && strstr(text, "another process") ? 0 : 1);
  }
  int status = -1;
  cr_assert_eq(waitpid(child, &status, 0), child);
  cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  struct sim_journal_status look;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_journal_status(output, &look, &diag), 0);
  cr_assert(look.running && look.done == 4 && look.total == 8 && look.files == 1);
  sim_journals_close(js, false);
  cr_assert_eq(sim_journal_status(output, &look, &diag), 0);
  cr_assert(!look.running);
  char text[300];
  cr_assert_eq(try_open(&key, 2, text), 0);
}

/* Ten children write until they are killed; each resumes; what was committed a while before the kill is there. */
Test(journal, survives_sigkill, .timeout = 120) {
  const size_t replicates = 1000000;
  uint64_t before = 0;
  for (int round = 0; round < 10; round++) {
    int tell[2];
    cr_assert_eq(pipe(tell), 0);
    pid_t child = fork();
    if (child == 0) {
      struct sim_journals *js = open_set(&key, replicates);
      struct sim_journal *j = NULL;
      cr_assert_eq(sim_journal_open(&j, js, round % 3), 0);
      for (size_t r = 0;; r++) {
        if (sim_journals_has(js, 1, 0, r)) continue;
        append(j, 1, 0, r, 0);
        if (r % 50 == 0) {
          cr_assert_eq(sim_journal_flush(j), 0);
          if (write(tell[1], "x", 1) != 1) _exit(1);
        }
      }
    }
    char c;
    close(tell[1]);
    cr_assert_eq(read(tell[0], &c, 1), 1); /* at least one commit was made */
    usleep(20000 + 3777 * (useconds_t)round);
    kill(child, SIGKILL);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    close(tell[0]);
    struct sim_journals *js = open_set(&key, replicates);
    cr_assert_eq(sim_journals_damaged(js), 0);
    cr_assert_gt(sim_journals_done(js), before);
    before = sim_journals_done(js);
    check_row(js, 1, 0, 0);
    sim_journals_close(js, false);
  }
  struct sim_journals *js = open_set(&key, replicates);
  for (size_t r = 0, seen = 0; seen < before; r++) {
    if (!sim_journals_has(js, 1, 0, r)) continue;
    check_row(js, 1, 0, r);
    seen++;
  }
  sim_journals_close(js, false);
}

/* Overwrites every occurrence of a row's first column by other bytes. */
static void spoil(const char *path, const void *bytes, size_t n) {
  int fd = open(path, O_RDWR);
  cr_assert_geq(fd, 0);
  struct stat s;
  cr_assert_eq(fstat(fd, &s), 0);
  unsigned char *all = malloc((size_t)s.st_size);
  cr_assert_eq(read(fd, all, (size_t)s.st_size), s.st_size);
  size_t hits = 0;
  for (size_t i = 0; i + n <= (size_t)s.st_size; i++) {
    if (memcmp(all + i, bytes, n) != 0) continue;
    all[i] ^= 0x40;
    hits++;
  }
  cr_assert_geq(hits, 1);
  cr_assert_eq(pwrite(fd, all, (size_t)s.st_size, 0), s.st_size);
  free(all);
  close(fd);
}

Test(journal, a_row_with_a_wrong_crc_is_dropped_and_made_again) {
  struct sim_journals *js = open_set(&key, 4);
  fill(js, 0, 0, 4);
  sim_journals_close(js, false);
  const double first = 112 + 1 / 8.0; /* second column of arm 1, point 1, replicate 2 */
  spoil(database(0), &first, sizeof first);
  js = open_set(&key, 4);
  cr_assert_eq(sim_journals_damaged(js), 1);
  cr_assert_eq(sim_journals_done(js), 15);
  cr_assert(!sim_journals_has(js, 1, 1, 2));
  struct sim_journal *j = NULL;
  cr_assert_eq(sim_journal_open(&j, js, 0), 0);
  append(j, 1, 1, 2, 0);
  cr_assert_eq(sim_journal_close(j), 0);
  sim_journals_close(js, false);
  js = open_set(&key, 4);
  cr_assert_eq(sim_journals_damaged(js), 0, "the bad row is gone for good");
  cr_assert_eq(sim_journals_done(js), 16);
  check_row(js, 1, 1, 2);
  sim_journals_close(js, false);
}

Test(journal, an_unreadable_file_is_dropped_whole) {
  struct sim_journals *js = open_set(&key, 4);
  fill(js, 0, 0, 2);
  fill(js, 1, 2, 4);
  sim_journals_close(js, false);
  int fd = open(database(1), O_WRONLY | O_TRUNC);
  cr_assert_eq(write(fd, "this is no database, and never was one", 38), 38);
  close(fd);
  js = open_set(&key, 4);
  cr_assert_eq(sim_journals_done(js), 8);
  cr_assert_eq(sim_journals_damaged(js), 1);
  fill(js, 1, 2, 4);
  struct sim_diag diag = {0};
  cr_assert_eq(sim_journals_refresh(js, &diag), 0);
  cr_assert_eq(sim_journals_done(js), 16);
  sim_journals_close(js, false);
}

Test(journal, an_empty_file_is_one_that_was_being_created) {
  struct sim_journals *js = open_set(&key, 2);
  fill(js, 0, 0, 2);
  sim_journals_close(js, false);
  int fd = open(database(1), O_WRONLY | O_CREAT, 0666);
  cr_assert_geq(fd, 0);
  close(fd);
  js = open_set(&key, 2);
  cr_assert_eq(sim_journals_damaged(js), 0);
  fill(js, 1, 0, 2);
  sim_journals_close(js, false);
}

Test(journal, duplicates_must_be_equal) {
  struct sim_journals *js = open_set(&key, 2);
  fill(js, 0, 0, 2);
  fill(js, 1, 0, 2);
  sim_journals_close(js, false);
  js = open_set(&key, 2);
  cr_assert_eq(sim_journals_done(js), 8);
  struct sim_journal *j = NULL;
  cr_assert_eq(sim_journal_open(&j, js, 2), 0);
  append(j, 0, 0, 1, 1);
  cr_assert_eq(sim_journal_close(j), 0);
  sim_journals_close(js, false);
  char text[300];
  cr_assert_eq(try_open(&key, 2, text), SIM_ERR_MISMATCH);
  cr_assert_not_null(strstr(text, "replicate 1"), "%s", text);
}

Test(journal, places_that_cannot_be_written) {
  char text[300];
  snprintf(output, sizeof output, "%s/missing/r.h5", dir);
  cr_assert_eq(try_open(&key, 2, text), SIM_ERR_INPUT);
  cr_assert_not_null(strstr(text, "No such file or directory"), "%s", text);
  snprintf(output, sizeof output, "/proc/r.h5");
  cr_assert_eq(try_open(&key, 2, text), SIM_ERR_INPUT);
  snprintf(output, sizeof output, "%s/r.h5", dir);
  cr_assert_eq(try_open(&key, (size_t)1 << 24, text), 0);
  struct sim_journal_status look;
  struct sim_diag diag = {0};
  cr_assert_eq(sim_journal_status(output, &look, &diag), 1, "an empty journal leaves no trace");
}
