/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store of items that are due later, in no order within a span of time (a radix queue: Ahuja et al. 1990).
 *
 * Levels of up to 64 slots, each with a digit of some bits of the tick: a level holds what agrees with the cursor in
 * the digits of all levels above and differs in its own, which is the slot. So putting an item in costs O(1), any
 * horizon keeps its full resolution, and the first full slot of the lowest full level holds what is due first. A slot
 * with many items is split over the level below before it is read; that level is empty then, and gets a digit of so
 * many bits as leave its slots of about the size that is asked for (compare the rungs of Tang, Goh & Thng 2005). Items
 * are kept in chunks of 1 KB, so memory follows what is stored. */
#ifndef SIM_CORE_RADIX_H
#define SIM_CORE_RADIX_H
#include "sim/core/err.h"
#include "sim/core/ticks.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  SIM_RADIX_LEVELS = 22, /* a digit has 3 bits at least */
  SIM_RADIX_SLOTS = 64,
  SIM_RADIX_CHUNK = 1024 /* bytes */
};

struct sim_radix_item {
  int64_t tick;
  uint32_t a, b; /* the owner's own */
};
#define SIM_RADIX_ITEMS ((SIM_RADIX_CHUNK - 16) / sizeof(struct sim_radix_item))

struct sim_radix_chunk {                     /* its address is a multiple of its size */
  _Alignas(16) struct sim_radix_chunk *next; /* of its slot, which were filled before; or of the free ones */
  uint32_t before;                           /* items in those */
  uint32_t n;                                /* items; of a slot's first only when the slot is open */
  struct sim_radix_item item[SIM_RADIX_ITEMS];
};

struct sim_radix {                   /* zero-initialise, then reset */
  int64_t cursor, end;               /* stored is only what is due at `end` or later; SIM_NEVER: nothing */
  unsigned low;                      /* level of the slot that was opened last */
  uint8_t level_of[64];              /* by the highest bit in which a tick differs from the cursor's */
  uint8_t shift[SIM_RADIX_LEVELS];   /* bits below the level's digit; the highest level is 0 */
  uint64_t filled[SIM_RADIX_LEVELS]; /* bit i: slot i holds something */
  /* Where the slot's next item goes; to a new chunk from the end of one, or from NULL. */
  struct sim_radix_item *tail[SIM_RADIX_LEVELS][SIM_RADIX_SLOTS];
  struct sim_radix_chunk *open; /* those of the slot that was opened last, until it is closed */
  struct sim_radix_chunk *free;
  void **slab; /* [slabs] chunks are allocated in slabs */
  size_t slabs, slab_cap;
  size_t used;    /* slabs from which chunks were taken since the reset, */
  unsigned fresh; /* and chunks left in the last of them */
  uint32_t spare; /* chunks that are free or were never used */
};

/* Empties; keeps the memory. */
void sim_radix_reset(struct sim_radix *r);
void sim_radix_free(struct sim_radix *r);
/* From now on what is due after `tick` is stored. Only while nothing is stored that is due before the end of the slot
 * that was opened last, and with a tick in that slot (after a reset: any). */
void sim_radix_start(struct sim_radix *r, int64_t tick);
/* Opens the first full slot, split until it holds at most `most` items or those of one tick; `end` moves behind it. The
 * number of its items, which are in the chunks from `open` on; 0: nothing is stored, and `end` is SIM_NEVER. Never
 * fails. */
uint32_t sim_radix_open(struct sim_radix *r, uint32_t most);
/* The items of the open slot are needed no longer. */
void sim_radix_close(struct sim_radix *r);
/* Removes the items of which keep(ctx, item) is false. */
void sim_radix_filter(struct sim_radix *r, bool (*keep)(const void *ctx, const struct sim_radix_item *item),
                      const void *ctx);

/* Ticks in the order of unsigned numbers, negative ones too. */
static inline uint64_t sim_radix_place(int64_t tick) {
  return (uint64_t)tick ^ UINT64_C(1) << 63;
}

/* Where the slot of a tick goes on. */
static inline struct sim_radix_item **sim_radix_tail(struct sim_radix *r, unsigned level, int64_t tick) {
  return &r->tail[level][(sim_radix_place(tick) >> r->shift[level]) % SIM_RADIX_SLOTS];
}
/* Whether it needs a chunk for that. */
static inline bool sim_radix_is_full(const struct sim_radix_item *tail) {
  return (uintptr_t)tail % SIM_RADIX_CHUNK == 0;
}
/* Gives it one. */
int sim_radix_extend(struct sim_radix *r, struct sim_radix_item **tail) SIM_MUST_CHECK;

/* Stores an item that is due at `end` or later. Writes one line of the slot's chunk and reads none of it: it may be
 * far. */
static inline SIM_MUST_CHECK int sim_radix_push(struct sim_radix *r, struct sim_radix_item item) {
  unsigned highest = 63 - (unsigned)__builtin_clzll((uint64_t)(item.tick ^ r->cursor));
  struct sim_radix_item **tail = sim_radix_tail(r, r->level_of[highest], item.tick);
  if (sim_radix_is_full(*tail)) {
    int ret = sim_radix_extend(r, tail);
    if (ret) return ret;
  }
  *(*tail)++ = item;
  return 0;
}

/* Asks for the beginning of the chunk that follows an open one. */
static inline void sim_radix_look_ahead(const struct sim_radix_chunk *chunk) {
  const char *next = (const char *)chunk->next;
  for (size_t i = 0; next && i < SIM_RADIX_CHUNK / 2; i += 64) __builtin_prefetch(next + i);
}
#endif
