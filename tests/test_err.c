/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/err.h"
#include "sim/core/mem.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

Test(err, every_code_has_its_own_text) {
  const int codes[] = {
#define X(name, code, text) code,
      SIM_ERRORS(X)
#undef X
  };
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    cr_assert_lt(codes[i], 0);
    cr_assert_str_neq(sim_err_text(codes[i]), "unknown error");
    for (size_t j = 0; j < i; j++) cr_assert_str_neq(sim_err_text(codes[i]), sim_err_text(codes[j]));
  }
  cr_assert_str_eq(sim_err_text(0), "unknown error");
  cr_assert_str_eq(sim_err_text(-1000), "unknown error");
}

Test(err, keeps_copies_of_what_it_is_told) {
  struct sim_diag d = {0};
  char file[] = "a.yaml", path[] = "hazards.flu";
  struct sim_mark mark = {file, 3, 7};
  cr_assert_eq(sim_diag_add(&d, &mark, path, "%s is %d", "it", 4), SIM_ERR_INPUT);
  file[0] = path[0] = 'x';
  cr_assert_eq(sim_diag_add(&d, NULL, NULL, "plain"), SIM_ERR_INPUT);
  cr_assert_eq(d.n, 2);
  cr_assert_str_eq(d.items[0].text, "it is 4");
  cr_assert_str_eq(d.items[0].file, "a.yaml");
  cr_assert_str_eq(d.items[0].path, "hazards.flu");
  cr_assert_eq(d.items[0].line, 3);
  cr_assert_eq(d.items[0].column, 7);
  cr_assert_null(d.items[1].file);
  cr_assert_null(d.items[1].path);
  sim_diag_free(&d);
  cr_assert_eq(d.n, 0);
  sim_diag_free(&d); /* twice is safe */
}

Test(err, a_message_is_one_line) {
  struct sim_diag d = {0};
  cr_assert_eq(sim_diag_add(&d, NULL, NULL, "a %s", "b\nc\td\x1b\xc3\xa9"), SIM_ERR_INPUT);
  cr_assert_str_eq(d.items[0].text, "a b c d \xc3\xa9");
  sim_diag_free(&d);
}

Test(err, counts_beyond_two_hundred) {
  struct sim_diag d = {0};
  for (int i = 0; i < 200; i++) sim_diag_add(&d, NULL, "p", "message %d", i);
  cr_assert_eq(d.n, 200);
  cr_assert_eq(d.more, 0);
  for (int i = 0; i < 17; i++) cr_assert_eq(sim_diag_add(&d, NULL, "p", "more"), SIM_ERR_INPUT);
  cr_assert_eq(d.n, 201);
  cr_assert_eq(d.more, 17);
  cr_assert_str_eq(d.items[199].text, "message 199");
  cr_assert_str_eq(d.items[200].text, "and 17 more");
  sim_diag_free(&d);
}

/* Fails once the budget of allocations is used up. */
static void *limited(void *ctx, void *ptr, size_t size) {
  int *budget = ctx;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return (*budget)-- > 0 ? realloc(ptr, size) : NULL;
}

Test(err, survives_running_out_of_memory) {
  struct sim_mark mark = {"a.yaml", 1, 1};
  int failures = 0;
  for (int allowed = 0; allowed < 8; allowed++) {
    int budget = allowed;
    struct sim_diag d = {0};
    sim_mem_set(limited, &budget);
    int ret = sim_diag_add(&d, &mark, "path", "text");
    sim_mem_set(NULL, NULL);
    cr_assert(ret == SIM_ERR_MEMORY || ret == SIM_ERR_INPUT);
    cr_assert_eq(d.n, ret == SIM_ERR_INPUT);
    failures += ret == SIM_ERR_MEMORY;
    sim_diag_free(&d);
  }
  cr_assert_eq(failures, 4); /* items, text, path, file */
}

Test(err, a_bug_aborts, .signal = SIGABRT) {
  sim_bug_assert(1 + 1 == 3);
}

Test(err, no_bug_goes_on) {
  sim_bug_assert(1 + 1 == 2);
}
