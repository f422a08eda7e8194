/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store of items that are due later, in no order within a span of time (a radix queue: Ahuja et al. 1990).
 *
 * 64 slots on each of 11 levels: level l holds ticks that agree with the cursor in all base-64 digits above l and
 * differ in digit l, which is the slot. So putting an item in costs O(1), any horizon keeps its full resolution, and
 * the first full slot of the lowest full level holds what is due first. A slot with many items is split over the level
 * below before it is read. Items are kept in chunks of 1 KB, so memory follows what is stored. */
#ifndef SIM_CORE_RADIX_H
#define SIM_CORE_RADIX_H
#include "sim/core/err.h"
#include "sim/core/ticks.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_RADIX_LEVELS = 11, SIM_RADIX_SLOTS = 64 };

struct sim_radix_item {
  int64_t tick;
  uint32_t a, b; /* the owner's own */
};
struct sim_radix {                   /* zero-initialise, then reset */
  int64_t cursor, end;               /* stored is only what is due at `end` or later; SIM_NEVER: nothing */
  unsigned low;                      /* level of the slot that was read last */
  uint64_t filled[SIM_RADIX_LEVELS]; /* bit i: slot i holds something */
  uint32_t head[SIM_RADIX_LEVELS][SIM_RADIX_SLOTS], count[SIM_RADIX_LEVELS][SIM_RADIX_SLOTS];
  struct sim_radix_item **slab; /* chunks of items, numbered through the slabs */
  uint32_t *next;               /* [chunks] number + 1 of the next in its slot, or of the free ones */
  size_t slabs, slab_cap, next_cap;
  uint32_t free, fresh; /* head of the list of free chunks, number + 1; chunks ever used */
  uint32_t spare;       /* chunks that are free or were never used */
  uint32_t reading;     /* chunk that is read next, number + 1, */
  uint32_t unread;      /* and items from it on */
};

/* Empties; keeps the memory. */
void sim_radix_reset(struct sim_radix *r);
void sim_radix_free(struct sim_radix *r);
/* From now on what is due after `tick` is stored. Only while nothing is stored that is due before the end of the slot
 * that was read last, and with a tick in that slot (after a reset: any). */
void sim_radix_start(struct sim_radix *r, int64_t tick);
/* Stores an item that is due at `end` or later. */
int sim_radix_push(struct sim_radix *r, const struct sim_radix_item *item) SIM_MUST_CHECK;
/* Opens the first full slot, split until it holds at most `most` items or those of one tick; `end` moves behind it. The
 * number of its items; 0: nothing is stored, and `end` is SIM_NEVER. Never fails. */
uint32_t sim_radix_open(struct sim_radix *r, uint32_t most);
/* The next items of the open slot, valid until the next call; 0 at the end. */
uint32_t sim_radix_read(struct sim_radix *r, const struct sim_radix_item **items);
/* Removes the items of which keep(ctx, item) is false. */
void sim_radix_filter(struct sim_radix *r, bool (*keep)(const void *ctx, const struct sim_radix_item *item),
                      const void *ctx);
#endif
