/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/mem.h"
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Counts calls and can refuse. */
struct probe {
  size_t allocations, frees;
  int refuse;
};

static void *watched(void *ctx, void *ptr, size_t size) {
  struct probe *p = ctx;
  if (size == 0) {
    p->frees++;
    free(ptr);
    return NULL;
  }
  if (p->refuse) return NULL;
  p->allocations += ptr == NULL;
  return realloc(ptr, size);
}

Test(mem, all_go_through_the_hook) {
  struct probe p = {0};
  sim_mem_set(watched, &p);
  size_t cap = 0;
  void *made[] = {sim_alloc(5),       sim_calloc(3, 4),   sim_realloc_array(NULL, 2, 8),
                  sim_strdup("text"), sim_strf("%d", 12), sim_grow(NULL, &cap, 1, 16)};
  size_t n = sizeof made / sizeof *made;
  cr_assert_eq(p.allocations, n);
  for (size_t i = 0; i < n; i++) {
    cr_assert_not_null(made[i]);
    sim_free(made[i]);
  }
  sim_free(NULL);
  cr_assert_eq(p.frees, n);
  sim_mem_set(NULL, NULL);
  sim_free(sim_alloc(1));
  cr_assert_eq(p.allocations, n, "the system's allocator is back");
}

Test(mem, refusal_is_null_and_leaves_the_old) {
  struct probe p = {0};
  sim_mem_set(watched, &p);
  size_t cap = 0;
  int *array = sim_grow(NULL, &cap, 1, sizeof *array);
  cr_assert_not_null(array);
  array[0] = 42;
  size_t before = cap;
  p.refuse = 1;
  cr_assert_null(sim_grow(array, &cap, before + 1, sizeof *array));
  cr_assert_eq(cap, before);
  cr_assert_eq(array[0], 42);
  cr_assert_null(sim_alloc(1));
  cr_assert_null(sim_calloc(1, 1));
  cr_assert_null(sim_strdup(""));
  cr_assert_null(sim_strf("x"));
  sim_free(array);
  sim_mem_set(NULL, NULL);
}

Test(mem, sizes_that_overflow_are_refused) {
  size_t cap = 0;
  const size_t wraps = SIZE_MAX / 4 + 2; /* four times this is 4 modulo 2^64: unchecked, it would be granted */
  cr_assert_null(sim_calloc(wraps, 4));
  cr_assert_null(sim_realloc_array(NULL, wraps, 4));
  cr_assert_null(sim_grow(NULL, &cap, wraps, 4));
  cr_assert_null(sim_realloc_array(NULL, SIZE_MAX, SIZE_MAX));
  cr_assert_null(sim_realloc_array(NULL, (size_t)PTRDIFF_MAX / 8 + 1, 8));
  cr_assert_null(sim_grow(NULL, &cap, SIZE_MAX, 2));
  cr_assert_null(sim_alloc(SIZE_MAX));
  cr_assert_eq(cap, 0);
}

Test(mem, nothing_is_not_failure) {
  void *a = sim_alloc(0), *b = sim_calloc(0, 8), *c = sim_realloc_array(NULL, 0, 8);
  size_t cap = 0;
  void *d = sim_grow(NULL, &cap, 0, 8);
  cr_assert(a && b && c && d);
  sim_free(a);
  sim_free(b);
  sim_free(c);
  sim_free(d);
}

Test(mem, contents) {
  unsigned char *zeros = sim_calloc(100, 7);
  for (int i = 0; i < 700; i++) cr_assert_eq(zeros[i], 0);
  sim_free(zeros);
  char *text = sim_strf("%s-%05d", "a", 42), *copy = sim_strdup(text);
  cr_assert_str_eq(text, "a-00042");
  cr_assert_str_eq(copy, text);
  cr_assert_neq(copy, text);
  sim_free(text);
  sim_free(copy);
}

Test(mem, growth_is_geometric) {
  size_t cap = 0, grown = 0;
  uint32_t *array = NULL;
  for (uint32_t i = 0; i < 100000; i++) {
    size_t before = cap;
    array = sim_grow(array, &cap, i + 1, sizeof *array);
    cr_assert_not_null(array);
    grown += cap != before;
    array[i] = i;
  }
  cr_assert_lt(grown, 40);
  cr_assert_lt(cap, 151000);
  for (uint32_t i = 0; i < 100000; i++) cr_assert_eq(array[i], i);
  sim_free(array);
}
