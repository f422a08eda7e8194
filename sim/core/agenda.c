/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bottom of the store of expected events: see agenda.h. */
#include "sim/core/agenda.h"
#include "sim/core/mem.h"
#include <string.h>

enum {
  BOTTOM = SIM_BOTTOM_MOST, /* a slot of more is split */
  ENOUGH = 192,             /* with fewer in the bottom, the next slot is taken too: what fires soon must be foreseen */
  INSERTION = 24,           /* a run of more is sorted by merging */
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
    int ret = sim_radix_push(&b->later, &b->item[i]);
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

static void insertion(const struct sim_agenda *agenda, struct sim_radix_item *x, uint32_t n) {
  for (uint32_t i = 1; i < n; i++) {
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

/* Orders n items of `work` into `item`, n places: by counting on the leading bits of the place within the slot that was
 * opened last, then within each part. */
static void sort(struct sim_bottom *b, const struct sim_agenda *agenda, struct sim_radix_item *item, uint32_t n) {
  uint32_t start[BOTTOM + 1] = {0};
  uint64_t last = (uint64_t)b->later.end - (uint64_t)b->later.cursor - 1; /* place of the slot's last tick */
  unsigned bits = 0, width = last ? 64 - (unsigned)__builtin_clzll(last) : 0;
  while (bits < 9 && bits < width && 2u << bits < n) bits++;
  unsigned shift = width - bits;
  int64_t first_tick = b->later.cursor;
  for (uint32_t i = 0; i < n; i++) start[(b->work[i].tick - first_tick) >> shift]++;
  uint32_t parts = 1u << bits;
  for (uint32_t p = 0, sum = 0; p < parts; p++) {
    uint32_t here = start[p];
    start[p] = sum;
    sum += here;
  }
  for (uint32_t i = 0; i < n; i++) item[start[(b->work[i].tick - first_tick) >> shift]++] = b->work[i];
  for (uint32_t p = 0, first = 0; p < parts; first = start[p], p++) { /* start[p] is the part's end now */
    uint32_t size = start[p] - first;
    if (size > INSERTION)
      merge_sort(agenda, item + first, b->work, size);
    else
      insertion(agenda, item + first, size);
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

/* Appends the open slot's reminders that are not stale, in order. The first pass only touches their fields. */
static void append(struct sim_bottom *b, const struct sim_agenda *agenda) {
  uint32_t n = 0, kept = 0;
  struct sim_radix_item *end = b->item + b->n;
  const struct sim_radix_item *item;
  for (uint32_t here; (here = sim_radix_read(&b->later, &item)) > 0; n += here)
    for (uint32_t i = 0; i < here; i++) {
      __builtin_prefetch(sim_agenda_field(&agenda[item[i].b], item[i].a), 1);
      end[n + i] = item[i];
    }
  for (uint32_t i = 0; i < n; i++) {
    b->work[kept] = end[i];
    kept += *sim_agenda_field(&agenda[end[i].b], end[i].a) == end[i].tick;
  }
  sort(b, agenda, end, kept);
  b->n += kept;
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
    append(b, agenda);
  }
  b->queue_limit = queue + (b->later.end == SIM_NEVER ? QUEUE_START : QUEUE_GROWTH);
  return 0;
}
