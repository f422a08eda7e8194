/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/mem.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((uintptr_t)2 << 20)

/* Large arrays are read at random: pages of 2 MB, where the system grants them, spare most walks of page tables. */
static void ask_huge_pages(void *ptr, size_t size) {
#ifdef MADV_HUGEPAGE
  uintptr_t start = ((uintptr_t)ptr + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1),
            end = ((uintptr_t)ptr + size) & ~(HUGE_PAGE - 1);
  if (end > start) (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
#else
  (void)ptr;
  (void)size;
#endif
}

static void *system_resize(void *ctx, void *ptr, size_t size) {
  (void)ctx;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  void *out = realloc(ptr, size);
  if (out && size >= 2 * HUGE_PAGE) ask_huge_pages(out, size);
  return out;
}

/* The program's only mutable global: set by tests before any thread starts, constant otherwise. */
static struct {
  sim_mem_resize_fn *resize;
  void *ctx;
} hook = {system_resize, NULL};

void sim_mem_set(sim_mem_resize_fn *resize, void *ctx) {
  hook.resize = resize ? resize : system_resize;
  hook.ctx = resize ? ctx : NULL;
}

/* n * size into *bytes, at least 1 (so that NULL always means failure); nonzero on overflow. */
static int bytes_of(size_t n, size_t size, size_t *bytes) {
  if (size > 0 && n > (size_t)PTRDIFF_MAX / size) return -1;
  *bytes = n * size > 0 ? n * size : 1;
  return 0;
}

void *sim_alloc(size_t size) {
  return sim_realloc_array(NULL, size, 1);
}

void *sim_calloc(size_t n, size_t size) {
  void *ptr = sim_realloc_array(NULL, n, size);
  if (ptr) memset(ptr, 0, n * size);
  return ptr;
}

void *sim_realloc_array(void *ptr, size_t n, size_t size) {
  size_t bytes;
  if (bytes_of(n, size, &bytes) != 0) return NULL;
  return hook.resize(hook.ctx, ptr, bytes);
}

void sim_free(void *ptr) {
  if (ptr) hook.resize(hook.ctx, ptr, 0);
}

char *sim_strdup(const char *s) {
  size_t size = strlen(s) + 1;
  char *copy = sim_alloc(size);
  if (copy) memcpy(copy, s, size);
  return copy;
}

char *sim_strf(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  int length = vsnprintf(NULL, 0, fmt, args);
  va_end(args);
  if (length < 0) return NULL;
  char *text = sim_alloc((size_t)length + 1);
  if (!text) return NULL;
  va_start(args, fmt);
  vsnprintf(text, (size_t)length + 1, fmt, args);
  va_end(args);
  return text;
}

void *sim_grow(void *ptr, size_t *cap, size_t need, size_t size) {
  if (ptr && need <= *cap) return ptr;
  size_t target = *cap < SIZE_MAX / 2 ? *cap + *cap / 2 : need;
  if (target < need) target = need;
  if (target < 8) target = 8;
  void *grown = sim_realloc_array(ptr, target, size);
  if (grown) *cap = target;
  return grown;
}
