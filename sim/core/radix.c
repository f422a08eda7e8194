/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/radix.h"
#include "sim/core/mem.h"
#include <string.h>

enum {
  DIGIT = 6,  /* bits of a level */
  CHUNK = 63, /* items: 1 KB with the header */
  SLAB = 64,  /* chunks allocated at once */
  /* Each slot wastes less than one chunk, so this many beyond what full chunks would take are enough to split. */
  RESERVE = SIM_RADIX_LEVELS * SIM_RADIX_SLOTS
};

struct sim_radix_chunk {
  uint32_t next, n; /* number + 1 of the next; items */
  uint64_t unused;
  struct sim_radix_item item[CHUNK];
};

/* Ticks in the order of unsigned numbers, negative ones too. */
static uint64_t place(int64_t tick) {
  return (uint64_t)tick ^ UINT64_C(1) << 63;
}

static struct sim_radix_chunk *chunk_of(const struct sim_radix *r, uint32_t number) {
  return &r->slab[number / SLAB][number % SLAB];
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static int new_slab(struct sim_radix *r) {
  struct sim_radix_chunk **grown = sim_grow(r->slab, &r->slab_cap, r->slabs + 1, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  r->slab = grown;
  if (!(r->slab[r->slabs] = sim_alloc(SLAB * sizeof **r->slab))) return SIM_ERR_MEMORY;
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
    r->free = chunk_of(r, number)->next;
  } else {
    r->fresh++;
  }
  return number;
}

static void release(struct sim_radix *r, uint32_t number) {
  chunk_of(r, number)->next = r->free;
  r->free = number + 1;
  r->spare++;
}

void sim_radix_free(struct sim_radix *r) {
  for (size_t i = 0; i < r->slabs; i++) sim_free(r->slab[i]);
  sim_free(r->slab);
  *r = (struct sim_radix){0};
}

void sim_radix_reset(struct sim_radix *r) {
  memset(r->filled, 0, sizeof r->filled);
  r->free = r->fresh = r->reading = 0;
  r->spare = (uint32_t)(r->slabs * SLAB);
  r->end = SIM_NEVER;
}

/* ---- slots ------------------------------------------------------------------------------------------------------ */

static void put(struct sim_radix *r, unsigned level, const struct sim_radix_item *item) {
  unsigned slot = (unsigned)(place(item->tick) >> DIGIT * level) % SIM_RADIX_SLOTS;
  uint64_t bit = UINT64_C(1) << slot;
  uint32_t *head = &r->head[level][slot];
  struct sim_radix_chunk *c = r->filled[level] & bit ? chunk_of(r, *head) : NULL;
  if (!c || c->n == CHUNK) {
    uint32_t number = new_chunk(r);
    struct sim_radix_chunk *first = chunk_of(r, number);
    first->next = c ? *head + 1 : 0;
    first->n = 0;
    if (!c) r->count[level][slot] = 0;
    r->filled[level] |= bit;
    *head = number;
    c = first;
  }
  c->item[c->n++] = *item;
  r->count[level][slot]++;
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

/* Takes a slot's chunks from it: number + 1 of the first. */
static uint32_t detach(struct sim_radix *r, unsigned level, unsigned slot) {
  r->filled[level] &= ~(UINT64_C(1) << slot);
  return r->head[level][slot] + 1;
}

/* Spreads detached chunks over a level, but for the items that are not kept. */
static void spread(struct sim_radix *r, uint32_t next, unsigned level,
                   bool (*keep)(const void *ctx, const struct sim_radix_item *item), const void *ctx) {
  while (next) {
    uint32_t number = next - 1;
    const struct sim_radix_chunk *c = chunk_of(r, number);
    for (uint32_t i = 0; i < c->n; i++)
      if (!keep || keep(ctx, &c->item[i])) put(r, level, &c->item[i]);
    next = c->next;
    release(r, number);
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
    uint32_t n = r->count[level][slot], first = detach(r, level, slot);
    if (n <= most || level == 0) {
      r->reading = first;
      return n;
    }
    spread(r, first, --level, NULL, NULL);
  }
}

/* A chunk is free once it is read, yet stays as it is until something is pushed. */
uint32_t sim_radix_read(struct sim_radix *r, const struct sim_radix_item **items) {
  if (!r->reading) return 0;
  uint32_t number = r->reading - 1;
  const struct sim_radix_chunk *c = chunk_of(r, number);
  *items = c->item;
  r->reading = c->next;
  release(r, number);
  return c->n;
}

void sim_radix_filter(struct sim_radix *r, bool (*keep)(const void *ctx, const struct sim_radix_item *item),
                      const void *ctx) {
  for (unsigned level = 0; level < SIM_RADIX_LEVELS; level++)
    for (uint64_t left = r->filled[level]; left; left &= left - 1) {
      unsigned slot = (unsigned)__builtin_ctzll(left);
      spread(r, detach(r, level, slot), level, keep, ctx);
    }
}
