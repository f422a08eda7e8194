/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bottom of the store of expected events: see agenda.h. */
#include "sim/core/agenda.h"
#include "sim/core/mem.h"
#include <string.h>

enum {
  BOTTOM = SIM_BOTTOM_MOST, /* a slot of more is split */
  ENOUGH = 112,             /* with fewer in the bottom, the next slot is taken too: what fires soon must be foreseen */
  INSERTION = 24,           /* a run of more is sorted by merging */
  PARTS_BITS = 10,          /* the parts of a slot for sorting are 2^10 at most */
  QUEUE_START = 256,        /* events in the queue before the store wakes */
  QUEUE_GROWTH = 512        /* and during one bottom */
};

void sim_bottom_free(struct sim_bottom *b) {
  sim_radix_free(&b->later);
  sim_free(b->item);
  sim_free(b->work);
  *b = (struct sim_bottom){0};
}

void sim_bottom_reset(struct sim_bottom *b) {
  sim_radix_reset(&b->later);
  b->later.cursor = 0;
  b->at = b->n = b->group = 0;
  b->queue_limit = QUEUE_START;
}

int sim_bottom_wake(struct sim_bottom *b, int64_t now, uint32_t queue) {
  uint32_t first = b->at, kept = 0;
  /* The queue may be behind the bottom, after a gap; a cursor never goes back. */
  sim_radix_start(&b->later, now > b->later.cursor ? now : b->later.cursor);
  b->queue_limit = queue + QUEUE_GROWTH;
  for (uint32_t i = first; i < b->n; i++) {
    if (b->item[i].tick < b->later.end) {
      b->item[kept++] = b->item[i];
      continue;
    }
    int ret = sim_radix_push(&b->later, b->item[i]);
    if (ret) return ret;
  }
  b->at = b->group = 0;
  b->n = kept;
  return 0;
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

static bool before(const struct sim_agenda *agenda, const struct sim_radix_item *a, const struct sim_radix_item *b) {
  if (a->tick != b->tick) return a->tick < b->tick;
  if (agenda[a->b].rank != agenda[b->b].rank) return agenda[a->b].rank < agenda[b->b].rank;
  if (a->a != b->a) return a->a < b->a;
  return a->b < b->b;
}

/* Quick where few are out of order, and not far. */
static void insertion(const struct sim_agenda *agenda, struct sim_radix_item *x, uint32_t n) {
  for (uint32_t i = 1; i < n; i++) {
    if (x[i].tick > x[i - 1].tick) continue;
    struct sim_radix_item e = x[i];
    uint32_t j = i;
    for (; j > 0 && before(agenda, &e, &x[j - 1]); j--) x[j] = x[j - 1];
    x[j] = e;
  }
}

/* Merges sorted runs of INSERTION, then of twice as many, and so on; work: n. */
static void merge_sort(const struct sim_agenda *agenda, struct sim_radix_item *x, struct sim_radix_item *work,
                       uint32_t n) {
  for (uint32_t i = 0; i < n; i += INSERTION) insertion(agenda, x + i, n - i < INSERTION ? n - i : INSERTION);
  for (uint64_t width = INSERTION; width < n; width *= 2) {
    for (uint64_t i = 0; i < n; i += 2 * width) {
      uint64_t middle = i + width < n ? i + width : n, end = i + 2 * width < n ? i + 2 * width : n;
      for (uint64_t a = i, b = middle, k = i; k < end; k++)
        work[k] = b == end || (a < middle && !before(agenda, &x[b], &x[a])) ? x[a++] : x[b++];
    }
    memcpy(x, work, n * sizeof *x);
  }
}

/* ---- the next bottom -------------------------------------------------------------------------------------------- */

static int make_room(struct sim_bottom *b, uint32_t n) {
  size_t cap = b->cap;
  struct sim_radix_item *item = sim_grow(b->item, &cap, n, sizeof *item);
  if (!item) return SIM_ERR_MEMORY;
  b->item = item;
  struct sim_radix_item *work = sim_realloc_array(b->work, cap, sizeof *work);
  if (!work) return SIM_ERR_MEMORY;
  b->work = work;
  b->cap = cap;
  return 0;
}

/* The open slot's reminders by the part of the slot that they are in; asks for the field of each, stale or not. */
static void count(const struct sim_radix *r, const struct sim_agenda *agenda, unsigned shift, uint32_t *parts) {
  int64_t first = r->cursor;
  for (const struct sim_radix_chunk *chunk = r->open; chunk; chunk = chunk->next) {
    sim_radix_look_ahead(chunk);
    for (const struct sim_radix_item *e = chunk->item, *end = e + chunk->n; e < end; e++) {
      __builtin_prefetch(sim_agenda_field(&agenda[e->b], e->a), 1);
      parts[(uint64_t)(e->tick - first) >> shift]++;
    }
  }
}

/* Puts each into its part's place in `item`: start[p] is where part p begins, and becomes where it ends. */
static void deal(const struct sim_radix *r, unsigned shift, uint32_t *start, struct sim_radix_item *item) {
  int64_t first = r->cursor;
  for (const struct sim_radix_chunk *chunk = r->open; chunk; chunk = chunk->next)
    for (const struct sim_radix_item *e = chunk->item, *end = e + chunk->n; e < end; e++)
      item[start[(uint64_t)(e->tick - first) >> shift]++] = *e;
}

/* Appends the n reminders of the open slot in order. There are about as many parts as reminders, so those that are not
 * in order yet are near their places. */
static void append(struct sim_bottom *b, const struct sim_agenda *agenda, uint32_t n) {
  struct sim_radix_item *item = b->item + b->n;
  uint32_t start[1 << PARTS_BITS], bits = 0, sum = 0, width = b->later.shift[b->later.low];
  while (bits < PARTS_BITS && bits < width && 1u << bits < n) bits++;
  uint32_t parts = 1u << bits;
  memset(start, 0, parts * sizeof *start);
  count(&b->later, agenda, width - bits, start);
  bool crowded = false;
  for (uint32_t p = 0; p < parts; p++) {
    uint32_t here = start[p];
    start[p] = sum;
    sum += here;
    crowded |= here > INSERTION;
  }
  deal(&b->later, width - bits, start, item);
  for (uint32_t p = 0, at = 0; crowded && p < parts; at = start[p++])
    if (start[p] - at > INSERTION) merge_sort(agenda, item + at, b->work, start[p] - at);
  insertion(agenda, item, n);
  b->n += n;
}

/* At the end of the array what is left moves to its beginning: less than half of it. */
static int make_place(struct sim_bottom *b) {
  if (b->n < b->cap) return 0;
  if (b->cap < 2 * BOTTOM) return make_room(b, 2 * BOTTOM);
  b->n -= b->at;
  memmove(b->item, b->item + b->at, b->n * sizeof *b->item);
  b->at = b->group = 0;
  return 0;
}

int sim_bottom_insert(struct sim_bottom *b, const struct sim_agenda *agenda, const struct sim_radix_item *e) {
  int ret = make_place(b);
  if (ret) return ret;
  uint32_t at = b->at;
  for (uint32_t n = b->n - at, half; n > 1; n -= half) { /* the first of these ticks, without a branch to guess */
    half = n / 2;
    at += b->item[at + half - 1].tick < e->tick ? half : 0;
  }
  while (at < b->n && before(agenda, &b->item[at], e)) at++;
  memmove(b->item + at + 1, b->item + at, (b->n++ - at) * sizeof *e);
  b->item[at] = *e;
  return 0;
}

int sim_bottom_advance(struct sim_bottom *b, const struct sim_agenda *agenda, uint32_t queue) {
  b->at = b->n = b->group = 0;
  while (b->n < ENOUGH) {
    uint32_t n = sim_radix_open(&b->later, BOTTOM);
    if (n == 0) break;
    if (b->n + n > b->cap) {
      int ret = make_room(b, b->n + n);
      if (ret) return ret;
    }
    append(b, agenda, n);
    sim_radix_close(&b->later);
  }
  b->queue_limit = queue + (b->later.end == SIM_NEVER ? QUEUE_START : QUEUE_GROWTH);
  return 0;
}
