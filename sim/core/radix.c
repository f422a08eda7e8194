/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/radix.h"
#include "sim/core/mem.h"
#include <string.h>

enum {
  DIGIT = 6,  /* bits of a level */
  CHUNK = 64, /* items: 1 KB */
  SLAB = 64,  /* chunks allocated at once */
  /* Each slot wastes less than one chunk, so this many beyond what full chunks would take are enough to split. */
  RESERVE = SIM_RADIX_LEVELS * SIM_RADIX_SLOTS
};

/* Ticks in the order of unsigned numbers, negative ones too. */
static uint64_t place(int64_t tick) {
  return (uint64_t)tick ^ UINT64_C(1) << 63;
}

static struct sim_radix_item *chunk_of(const struct sim_radix *r, uint32_t number) {
  return r->slab[number / SLAB] + (size_t)(number % SLAB) * CHUNK;
}

/* Of a slot's n items, those in its first chunk; all others are full. */
static uint32_t in_first(uint32_t n) {
  return n ? (n - 1) % CHUNK + 1 : 0;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static int new_slab(struct sim_radix *r) {
  struct sim_radix_item **slab = sim_grow(r->slab, &r->slab_cap, r->slabs + 1, sizeof *slab);
  if (!slab) return SIM_ERR_MEMORY;
  r->slab = slab;
  uint32_t *next = sim_grow(r->next, &r->next_cap, (r->slabs + 1) * SLAB, sizeof *next);
  if (!next) return SIM_ERR_MEMORY;
  r->next = next;
  if (!(r->slab[r->slabs] = sim_alloc(SLAB * CHUNK * sizeof **r->slab))) return SIM_ERR_MEMORY;
  r->slabs++;
  r->spare += SLAB;
  return 0;
}

/* There is one: RESERVE. */
static uint32_t new_chunk(struct sim_radix *r) {
  uint32_t number = r->fresh;
  r->spare--;
  if (r->free) {
    number = r->free - 1;
    r->free = r->next[number];
  } else {
    r->fresh++;
  }
  return number;
}

static void release(struct sim_radix *r, uint32_t number) {
  r->next[number] = r->free;
  r->free = number + 1;
  r->spare++;
}

void sim_radix_free(struct sim_radix *r) {
  for (size_t i = 0; i < r->slabs; i++) sim_free(r->slab[i]);
  sim_free(r->slab);
  sim_free(r->next);
  *r = (struct sim_radix){0};
}

void sim_radix_reset(struct sim_radix *r) {
  memset(r->filled, 0, sizeof r->filled);
  memset(r->count, 0, sizeof r->count);
  r->free = r->fresh = r->unread = 0;
  r->spare = (uint32_t)(r->slabs * SLAB);
  r->end = SIM_NEVER;
}

/* ---- slots ------------------------------------------------------------------------------------------------------ */

/* Writes one line of the slot's first chunk and reads none of it: it may be far. */
static void put(struct sim_radix *r, unsigned level, const struct sim_radix_item *item) {
  unsigned slot = (unsigned)(place(item->tick) >> DIGIT * level) % SIM_RADIX_SLOTS;
  uint32_t *head = &r->head[level][slot], n = r->count[level][slot]++;
  if (n % CHUNK == 0) {
    uint32_t number = new_chunk(r);
    r->next[number] = n ? *head + 1 : 0;
    *head = number;
    r->filled[level] |= UINT64_C(1) << slot;
  }
  chunk_of(r, *head)[n % CHUNK] = *item;
}

int sim_radix_push(struct sim_radix *r, const struct sim_radix_item *item) {
  if (r->spare <= RESERVE) {
    int ret = new_slab(r);
    while (ret == 0 && r->spare <= RESERVE) ret = new_slab(r);
    if (ret) return ret;
  }
  unsigned highest = 63 - (unsigned)__builtin_clzll(place(item->tick) ^ place(r->cursor));
  put(r, highest / DIGIT, item);
  return 0;
}

static void set_cursor(struct sim_radix *r, uint64_t cursor, unsigned level) {
  uint64_t span = UINT64_C(1) << DIGIT * level;
  r->cursor = (int64_t)place((int64_t)cursor);
  r->low = level;
  r->end = cursor > UINT64_MAX - span ? SIM_NEVER : (int64_t)place((int64_t)(cursor + span));
}

void sim_radix_start(struct sim_radix *r, int64_t tick) {
  set_cursor(r, place(tick), 0);
}

/* Takes a slot's n items from it: number + 1 of their first chunk. */
static uint32_t detach(struct sim_radix *r, unsigned level, unsigned slot, uint32_t *n) {
  *n = r->count[level][slot];
  r->count[level][slot] = 0;
  r->filled[level] &= ~(UINT64_C(1) << slot);
  return r->head[level][slot] + 1;
}

/* The items of a detached chunk, number + 1; asks for the beginning of the next. */
static const struct sim_radix_item *look_at(const struct sim_radix *r, uint32_t chunk) {
  uint32_t next = r->next[chunk - 1];
  for (unsigned i = 0; next && i < CHUNK / 2; i += 4) __builtin_prefetch(chunk_of(r, next - 1) + i);
  return chunk_of(r, chunk - 1);
}

/* Spreads n detached items over a level, but for those that are not kept. */
static void spread(struct sim_radix *r, uint32_t chunk, uint32_t n, unsigned level,
                   bool (*keep)(const void *ctx, const struct sim_radix_item *item), const void *ctx) {
  while (n) {
    const struct sim_radix_item *item = look_at(r, chunk);
    uint32_t here = in_first(n), next = r->next[chunk - 1];
    for (uint32_t i = 0; i < here; i++)
      if (!keep || keep(ctx, &item[i])) put(r, level, &item[i]);
    release(r, chunk - 1);
    chunk = next;
    n -= here;
  }
}

uint32_t sim_radix_open(struct sim_radix *r, uint32_t most) {
  unsigned level = r->end == SIM_NEVER ? SIM_RADIX_LEVELS : r->low;
  for (;;) {
    while (level < SIM_RADIX_LEVELS && !r->filled[level]) level++;
    if (level == SIM_RADIX_LEVELS) {
      r->end = SIM_NEVER;
      return 0;
    }
    unsigned slot = (unsigned)__builtin_ctzll(r->filled[level]);
    uint64_t above = DIGIT * (level + 1) < 64 ? ~UINT64_C(0) << DIGIT * (level + 1) : 0;
    set_cursor(r, (place(r->cursor) & above) | (uint64_t)slot << DIGIT * level, level);
    uint32_t n, first = detach(r, level, slot, &n);
    if (n <= most || level == 0) {
      r->reading = first;
      r->unread = n;
      return n;
    }
    spread(r, first, n, --level, NULL, NULL);
  }
}

/* A chunk is free once it is read, yet stays as it is until something is pushed. */
uint32_t sim_radix_read(struct sim_radix *r, const struct sim_radix_item **items) {
  uint32_t n = in_first(r->unread), chunk = r->reading;
  if (n == 0) return 0;
  *items = look_at(r, chunk);
  r->reading = r->next[chunk - 1];
  r->unread -= n;
  release(r, chunk - 1);
  return n;
}

void sim_radix_filter(struct sim_radix *r, bool (*keep)(const void *ctx, const struct sim_radix_item *item),
                      const void *ctx) {
  for (unsigned level = 0; level < SIM_RADIX_LEVELS; level++)
    for (uint64_t left = r->filled[level]; left; left &= left - 1) {
      uint32_t n, first = detach(r, level, (unsigned)__builtin_ctzll(left), &n);
      spread(r, first, n, level, keep, ctx);
    }
}
