/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory: one hook for every allocation, so that running out of memory can be tested. */
#ifndef SIM_CORE_MEM_H
#define SIM_CORE_MEM_H
#include <stddef.h>

/* Replaces the allocator (tests). resize(ctx, ptr, size): size 0 frees and returns NULL; NULL ptr allocates. */
typedef void *sim_mem_resize_fn(void *ctx, void *ptr, size_t size);
void sim_mem_set(sim_mem_resize_fn *resize, void *ctx);

/* Like malloc, calloc, realloc, free. Sizes are checked for overflow in the array forms (n * size). */
void *sim_alloc(size_t size);
void *sim_calloc(size_t n, size_t size);
void *sim_realloc_array(void *ptr, size_t n, size_t size);
void sim_free(void *ptr);
char *sim_strdup(const char *s);
char *sim_strf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Grows an array geometrically so that it holds at least `need` items; updates *cap. Returns the array or NULL
 * (the old one stays valid). */
void *sim_grow(void *ptr, size_t *cap, size_t need, size_t size);
#endif
