/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a user can get wrong: each wrong scenario is refused with a message that says what was expected, at a line and a
 * column. Hostile input (large, deep, binary, random) is refused too, and nothing leaks. */
#include "sim/scenario/scenario.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOP "airesim: 1\nhorizon: 100 days\n" /* lines 1 and 2 */
#define SOC                                                                                                            \
  "society: {people: 100, groups: {old: 20 %, young: 80 %}, layers: {contacts: {graph: complete}, power: {nodes: "     \
  "9}}}\n"
#define FLU  "hazards:\n  flu: {like: sir, layer: contacts, transmission: 0.1/day}\n" /* lines 4 and 5 */
#define BASE TOP SOC FLU                                                              /* what follows is line 6 */

static const struct bad {
  const char *what, *text, *message;
  unsigned line, column;
} table[] = {
#include "bad_scenarios.inc"
};

static int load(const char *text, size_t length, struct sim_diag *diag) {
  struct sim_scenario *s;
  int ret = sim_scenario_parse(&s, text, length, "bad.yaml", AIRESIM_SOURCE_DIR "/tests", NULL, 0, diag);
  sim_scenario_free(s);
  return ret;
}

static bool says(const struct sim_diag *d, const struct bad *b) {
  for (size_t i = 0; i < d->n; i++) {
    const struct sim_diag_item *item = &d->items[i];
    if (strstr(item->text, b->message) && item->line == b->line && item->column == b->column &&
        !strchr(item->text, '\n'))
      return true;
  }
  return false;
}

Test(bad_scenarios, table) {
  size_t n = sizeof table / sizeof *table, wrong = 0;
  cr_assert_geq(n, 60u);
  for (size_t i = 0; i < n; i++) {
    struct sim_diag diag = {0};
    int ret = load(table[i].text, strlen(table[i].text), &diag);
    if (ret != SIM_ERR_INPUT || !says(&diag, &table[i])) {
      wrong++;
      fprintf(stderr, "%s: expected %u:%u \"%s\", got %d:\n", table[i].what, table[i].line, table[i].column,
              table[i].message, ret);
      for (size_t k = 0; k < diag.n; k++)
        fprintf(stderr, "  %u:%u: %s: %s\n", diag.items[k].line, diag.items[k].column,
                diag.items[k].path ? diag.items[k].path : "", diag.items[k].text);
    }
    sim_diag_free(&diag);
  }
  cr_assert_eq(wrong, 0u, "%zu of %zu", wrong, n);
}

Test(bad_scenarios, all_errors_at_once) {
  static const char text[] =
      "airesim: 1\nhorizon: 100\nsociety: {peple: 3}\nhazards: {flu: {like: sirr}}\nteams: {t: {size: -1}}\n";
  struct sim_diag diag = {0};
  cr_assert_eq(load(text, strlen(text), &diag), SIM_ERR_INPUT);
  cr_expect_eq(diag.n, 4u, "%zu messages", diag.n);
  sim_diag_free(&diag);
}

Test(bad_scenarios, what_is_right_in_one_arm_only_names_the_other) {
  static const char text[] = BASE "teams: {crew: {size: 3}}\narms:\n  good: {}\n  bad: {teams.crew.size: many}\n";
  struct sim_diag diag = {0};
  cr_assert_eq(load(text, strlen(text), &diag), SIM_ERR_INPUT);
  cr_assert_eq(diag.n, 1u);
  cr_expect(strstr(diag.items[0].text, "(in arm `bad`)") != NULL, "%s", diag.items[0].text);
  cr_expect_eq(diag.items[0].line, 9u);
  cr_expect_eq(diag.items[0].column, 26u);
  sim_diag_free(&diag);
}

static void refused(const char *text, size_t length, const char *message) {
  struct sim_diag diag = {0};
  cr_expect_eq(load(text, length, &diag), SIM_ERR_INPUT);
  cr_expect(diag.n > 0 && strstr(diag.items[0].text, message), "%s", diag.n ? diag.items[0].text : "nothing said");
  sim_diag_free(&diag);
}

Test(bad_scenarios, hostile_input) {
  size_t size = 100u * 1024 * 1024;
  char *large = malloc(size);
  memset(large, 'a', size);
  refused(large, size, "larger than 16 MB");
  free(large);
  static char deep[30000];
  memset(deep, '[', 10000);
  refused(deep, 10000, "nested more than 64 deep");
  for (size_t i = 0; i < 10000; i++) memcpy(deep + 3 * i, "{a:", 3);
  refused(deep, sizeof deep, "nested more than 64 deep");
  for (size_t i = 0; i < 10000; i++) memcpy(deep + 2 * i, "- ", 2);
  refused(deep, 20000, "nested more than 64 deep");
  refused("", 0, "empty");
  refused("\n  \n# nothing\n", 14, "empty");
  refused("\x7f"
          "ELF\x01\x01\x00\x00",
          8, "control character");
  refused("airesim: 1\nquestion: a\0b\n", 25, "control character");
  refused("question: \xc3\x28\n", 13, "invalid UTF-8");
  refused("question: \xed\xa0\x80\n", 14, "invalid UTF-8");
  refused("\xff\xfe"
          "a\0i\0",
          6, "invalid UTF-8");
}

Test(bad_scenarios, large_file) {
  char path[] = "/tmp/airesim_large_XXXXXX";
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  FILE *file = fdopen(fd, "wb");
  fseek(file, 100L * 1024 * 1024, SEEK_SET);
  fputc('x', file);
  fclose(file);
  struct sim_scenario *s;
  struct sim_diag diag = {0};
  cr_expect_eq(sim_scenario_load(&s, path, NULL, 0, &diag), SIM_ERR_INPUT);
  cr_expect(strstr(diag.items[0].text, "larger than 16 MB") != NULL);
  sim_diag_free(&diag);
  remove(path);
  cr_expect_eq(sim_scenario_load(&s, "/nowhere/at_all.yaml", NULL, 0, &diag), SIM_ERR_INPUT);
  cr_expect(strstr(diag.items[0].text, "cannot open") != NULL);
  sim_diag_free(&diag);
}

/* Random bytes, and a good scenario with random bytes changed: no crash, and a refusal always has its reason. */
Test(bad_scenarios, fuzz, .timeout = 120) {
  static const char good[] =
      BASE "teams: {crew: {size: {day 0: 3, day 9: 5}}}\narms: {a: {teams.*.size: x 2}, b: {like: a}}\n";
  static const char alphabet[] = "airesm: 1\n{}[],'\"&*!|>%@$#-.x()<=+~?0/";
  unsigned state = 20270101;
  char text[sizeof good];
  for (int round = 0; round < 4000; round++) {
    size_t length = sizeof good - 1;
    memcpy(text, good, sizeof good);
    if (round % 4 == 0) length = (size_t)(round / 4) % 200;
    for (size_t k = round % 4 == 0 ? length : 1 + (size_t)round % 6; k > 0; k--) {
      state = state * 1664525u + 1013904223u;
      size_t at = round % 4 == 0 ? k - 1 : (state >> 8) % length;
      text[at] = round % 8 == 0 ? (char)(state >> 24) : alphabet[(state >> 16) % (sizeof alphabet - 1)];
    }
    struct sim_diag diag = {0};
    int ret = load(text, length, &diag);
    cr_assert(ret == 0 ? diag.n == 0 : ret == SIM_ERR_INPUT && diag.n > 0, "round %d: %d with %zu messages", round, ret,
              diag.n);
    sim_diag_free(&diag);
  }
}

/* Memory that runs out at the n-th allocation, for every n: an error code, no crash, no leak. */
struct limit {
  size_t left, live;
};

static void *limited(void *ctx, void *ptr, size_t size) {
  struct limit *l = ctx;
  if (size == 0) {
    free(ptr);
    l->live -= ptr != NULL;
    return NULL;
  }
  if (l->left == 0) return NULL;
  l->left--;
  l->live += ptr == NULL;
  return realloc(ptr, size);
}

Test(bad_scenarios, memory_runs_out) {
  static const char text[] = BASE "arms: {a: {}, b: {hazards.flu.infectious: x 2}}\n";
  int ret = SIM_ERR_MEMORY;
  for (size_t n = 0; ret == SIM_ERR_MEMORY; n++) {
    struct limit limit = {n, 0};
    struct sim_diag diag = {0};
    sim_mem_set(limited, &limit);
    ret = load(text, strlen(text), &diag);
    sim_diag_free(&diag);
    sim_mem_set(NULL, NULL);
    cr_assert_eq(limit.live, 0u, "%zu blocks leak after allocation %zu fails", limit.live, n);
    cr_assert_lt(n, 1000u);
  }
  cr_assert_eq(ret, 0);
}
