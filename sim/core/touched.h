/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of many subjects a run has touched, for a reset that costs what was touched: a list, or all of them once they
 * are more than one in 32, so that the list stays small beside what it is about. */
#ifndef SIM_CORE_TOUCHED_H
#define SIM_CORE_TOUCHED_H
#include "sim/core/mem.h"
#include <stdbool.h>
#include <stdint.h>

struct sim_touched { /* zero-initialise, then set size */
  uint32_t *item;
  uint32_t n, size; /* listed; subjects there are */
  bool all;
  size_t cap;
};

/* A subject may be added again. False if memory runs out: then all count as touched. */
static inline bool sim_touched_add(struct sim_touched *t, uint32_t subject) {
  if (t->n >= t->size / 32) {
    t->all = true;
    return true;
  }
  if (t->n == t->cap) {
    uint32_t *grown = (uint32_t *)sim_grow(t->item, &t->cap, t->n + (size_t)1, sizeof *grown);
    if (!grown) {
      t->all = true;
      return false;
    }
    t->item = grown;
  }
  t->item[t->n++] = subject;
  return true;
}

/* The k-th of sim_touched_count subjects. */
static inline uint32_t sim_touched_count(const struct sim_touched *t) {
  return t->all ? t->size : t->n;
}
static inline uint32_t sim_touched_at(const struct sim_touched *t, uint32_t k) {
  return t->all ? k : t->item[k];
}

static inline void sim_touched_clear(struct sim_touched *t) {
  t->n = 0;
  t->all = false;
}
static inline void sim_touched_free(struct sim_touched *t) {
  sim_free(t->item);
  *t = (struct sim_touched){0};
}
#endif
