/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/radix.h"
#include "sim/core/mem.h"
#include <string.h>

enum {
  DIGIT = 6, /* bits of a level whose content is not known yet */
  DIGIT_LEAST = 3,
  ITEMS = SIM_RADIX_ITEMS,
  SLAB = 64, /* chunks allocated at once */
  /* Each slot wastes less than one chunk, so this many beyond what full chunks would take are enough to split. */
  RESERVE = SIM_RADIX_LEVELS * SIM_RADIX_SLOTS
};

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static int new_slab(struct sim_radix *r) {
  void **slab = sim_grow(r->slab, &r->slab_cap, r->slabs + 1, sizeof *slab);
  if (!slab) return SIM_ERR_MEMORY;
  r->slab = slab;
  if (!(r->slab[r->slabs] = sim_alloc((SLAB + 1) * SIM_RADIX_CHUNK))) return SIM_ERR_MEMORY; /* 1: to align */
  r->slabs++;
  r->spare += SLAB;
  return 0;
}

/* There is one: RESERVE. */
static struct sim_radix_chunk *new_chunk(struct sim_radix *r) {
  struct sim_radix_chunk *chunk = r->free;
  r->spare--;
  if (chunk) {
    r->free = chunk->next;
    return chunk;
  }
  if (r->fresh == 0) {
    r->used++;
    r->fresh = SLAB;
  }
  uintptr_t first = (uintptr_t)r->slab[r->used - 1] + SIM_RADIX_CHUNK - 1;
  first -= first % SIM_RADIX_CHUNK;
  return (struct sim_radix_chunk *)(void *)(first + (uintptr_t)--r->fresh * SIM_RADIX_CHUNK);
}

static void release(struct sim_radix *r, struct sim_radix_chunk *chunk) {
  chunk->next = r->free;
  r->free = chunk;
  r->spare++;
}

void sim_radix_free(struct sim_radix *r) {
  for (size_t i = 0; i < r->slabs; i++) sim_free(r->slab[i]);
  sim_free(r->slab);
  *r = (struct sim_radix){0};
}

/* ---- levels ------------------------------------------------------------------------------------------------------ */

/* Gives the level below one, which is empty, a digit of so many bits. */
static void lay_out(struct sim_radix *r, unsigned level, unsigned bits) {
  unsigned above = r->shift[level], digit = bits < above ? bits : above;
  r->shift[level + 1] = (uint8_t)(above - digit);
  memset(r->level_of + (above - digit), (int)level + 1, digit);
}

static void set_cursor(struct sim_radix *r, uint64_t cursor, unsigned level) {
  uint64_t span = UINT64_C(1) << r->shift[level];
  r->cursor = (int64_t)sim_radix_place((int64_t)cursor);
  r->low = level;
  r->end = cursor > UINT64_MAX - span ? SIM_NEVER : (int64_t)sim_radix_place((int64_t)(cursor + span));
}

void sim_radix_reset(struct sim_radix *r) {
  for (unsigned level = 0; level < SIM_RADIX_LEVELS; level++)
    for (; r->filled[level]; r->filled[level] &= r->filled[level] - 1)
      r->tail[level][__builtin_ctzll(r->filled[level])] = NULL;
  r->open = r->free = NULL;
  r->used = r->fresh = 0;
  r->spare = (uint32_t)(r->slabs * SLAB);
  r->low = 0;
  r->shift[0] = 64 - 64 % DIGIT;
  memset(r->level_of + r->shift[0], 0, 64 % DIGIT);
  r->end = SIM_NEVER;
}

void sim_radix_start(struct sim_radix *r, int64_t tick) {
  unsigned level = r->low;
  for (; r->shift[level] > 0; level++) lay_out(r, level, DIGIT);
  set_cursor(r, sim_radix_place(tick), level);
}

/* ---- slots ------------------------------------------------------------------------------------------------------ */

static struct sim_radix_chunk *chunk_of(const struct sim_radix_item *tail) { /* not NULL */
  uintptr_t last = (uintptr_t)(tail - 1);
  return (struct sim_radix_chunk *)(void *)(last - last % SIM_RADIX_CHUNK);
}

static void extend(struct sim_radix *r, struct sim_radix_item **tail) {
  struct sim_radix_chunk *chunk = new_chunk(r), *full = *tail ? chunk_of(*tail) : NULL;
  chunk->next = full;
  chunk->before = full ? full->before + ITEMS : 0;
  if (full) {
    full->n = ITEMS;
  } else {
    size_t at = (size_t)(tail - r->tail[0]);
    r->filled[at / SIM_RADIX_SLOTS] |= UINT64_C(1) << at % SIM_RADIX_SLOTS;
  }
  *tail = chunk->item;
}

int sim_radix_extend(struct sim_radix *r, struct sim_radix_item **tail) {
  while (r->spare <= RESERVE) {
    int ret = new_slab(r);
    if (ret) return ret;
  }
  extend(r, tail);
  return 0;
}

/* Takes a full slot's chunks from it. */
static struct sim_radix_chunk *detach(struct sim_radix *r, unsigned level, unsigned slot) {
  struct sim_radix_item *tail = r->tail[level][slot];
  struct sim_radix_chunk *chunk = chunk_of(tail);
  chunk->n = (uint32_t)(tail - chunk->item);
  r->tail[level][slot] = NULL;
  r->filled[level] &= ~(UINT64_C(1) << slot);
  return chunk;
}

/* Spreads detached items over a level, but for those that are not kept. */
static void spread(struct sim_radix *r, struct sim_radix_chunk *chunk, unsigned level,
                   bool (*keep)(const void *ctx, const struct sim_radix_item *item), const void *ctx) {
  for (struct sim_radix_chunk *next; chunk; chunk = next) {
    sim_radix_look_ahead(chunk);
    for (uint32_t i = 0; i < chunk->n; i++) {
      if (keep && !keep(ctx, &chunk->item[i])) continue;
      struct sim_radix_item **tail = sim_radix_tail(r, level, chunk->item[i].tick);
      if (sim_radix_is_full(*tail)) extend(r, tail);
      *(*tail)++ = chunk->item[i];
    }
    next = chunk->next;
    release(r, chunk);
  }
}

/* Bits of a digit that leaves of n items about half of `most` to a slot. */
static unsigned digit_for(uint32_t n, uint32_t most) {
  unsigned bits = DIGIT_LEAST;
  while (bits < DIGIT && n >> bits > most / 2) bits++;
  return bits;
}

uint32_t sim_radix_open(struct sim_radix *r, uint32_t most) {
  unsigned level = r->low;
  for (;;) {
    while (level > 0 && !r->filled[level]) level--;
    if (!r->filled[level]) {
      r->end = SIM_NEVER;
      return 0;
    }
    unsigned slot = (unsigned)__builtin_ctzll(r->filled[level]), shift = r->shift[level];
    uint64_t above = level ? ~UINT64_C(0) << r->shift[level - 1] : 0;
    set_cursor(r, (sim_radix_place(r->cursor) & above) | (uint64_t)slot << shift, level);
    struct sim_radix_chunk *first = detach(r, level, slot);
    uint32_t n = first->before + first->n;
    if (n <= most || shift == 0) {
      r->open = first;
      return n;
    }
    lay_out(r, level, digit_for(n, most));
    spread(r, first, ++level, NULL, NULL);
  }
}

void sim_radix_close(struct sim_radix *r) {
  for (struct sim_radix_chunk *chunk = r->open, *next; chunk; chunk = next) {
    next = chunk->next;
    release(r, chunk);
  }
  r->open = NULL;
}

void sim_radix_filter(struct sim_radix *r, bool (*keep)(const void *ctx, const struct sim_radix_item *item),
                      const void *ctx) {
  for (unsigned level = 0; level < SIM_RADIX_LEVELS; level++)
    for (uint64_t left = r->filled[level]; left; left &= left - 1) {
      struct sim_radix_chunk *first = detach(r, level, (unsigned)__builtin_ctzll(left));
      spread(r, first, level, keep, ctx);
    }
}
