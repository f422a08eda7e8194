/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/queue.h"
#include "sim/core/mem.h"
#include <string.h>

enum {
  HEAP_MOST = 192, /* events in the heap before the store is used; it may grow again by as many as come back */
  SLOT_MOST = 24,  /* items of the store that come back at once */
  STALE_FEW = 1024 /* items without an event that are left in the store */
};

/* ---- heap ------------------------------------------------------------------------------------------------------- */

static struct sim_queue_item item_of(const struct sim_key *key, uint32_t slot) {
  return (struct sim_queue_item){key->tick, key->order < UINT32_MAX ? (uint32_t)key->order : UINT32_MAX, slot};
}

static inline bool before(const struct sim_queue *q, const struct sim_queue_item *a, const struct sim_queue_item *b) {
  if (a->tick != b->tick) return a->tick < b->tick;
  if (a->tie != b->tie) return a->tie < b->tie;
  return sim_key_less(&q->slot[a->slot].key, &q->slot[b->slot].key);
}

static inline void place(struct sim_queue *q, uint32_t at, const struct sim_queue_item *item) {
  q->heap[at] = *item;
  q->slot[item->slot].position = at;
}

static void sift_up(struct sim_queue *q, uint32_t at, struct sim_queue_item item) {
  while (at > 0) {
    uint32_t parent = (at - 1) / 4;
    if (!before(q, &item, &q->heap[parent])) break;
    place(q, at, &q->heap[parent]);
    at = parent;
  }
  place(q, at, &item);
}

static void sift_down(struct sim_queue *q, uint32_t at, struct sim_queue_item item) {
  for (;;) {
    uint64_t first = 4 * (uint64_t)at + 1;
    if (first >= q->heap_n) break;
    uint32_t last = first + 4 < q->heap_n ? (uint32_t)first + 4 : q->heap_n, best = (uint32_t)first;
    for (uint32_t c = best + 1; c < last; c++)
      if (before(q, &q->heap[c], &q->heap[best])) best = c;
    if (!before(q, &q->heap[best], &item)) break;
    place(q, at, &q->heap[best]);
    at = best;
  }
  place(q, at, &item);
}

static void resettle(struct sim_queue *q, uint32_t at, struct sim_queue_item item) {
  if (at > 0 && before(q, &item, &q->heap[(at - 1) / 4]))
    sift_up(q, at, item);
  else
    sift_down(q, at, item);
}

static void take(struct sim_queue *q, uint32_t at) {
  struct sim_queue_item last = q->heap[--q->heap_n];
  if (at < q->heap_n) resettle(q, at, last);
}

/* Closes the hole that the last pop left. */
static void fill(struct sim_queue *q) {
  if (!q->hole) return;
  q->hole = false;
  struct sim_queue_item last = q->heap[--q->heap_n];
  if (q->heap_n) sift_down(q, 0, last);
}

static void heap_add(struct sim_queue *q, uint32_t slot) {
  struct sim_queue_item item = item_of(&q->slot[slot].key, slot);
  if (q->hole) {
    q->hole = false;
    sift_down(q, 0, item);
  } else {
    sift_up(q, q->heap_n++, item);
  }
}

/* Orders items that stand anywhere (Floyd 1964). */
static void heapify(struct sim_queue *q) {
  for (uint32_t i = 0; i < q->heap_n; i++) q->slot[q->heap[i].slot].position = i;
  for (uint32_t i = q->heap_n / 4 + 1; i-- > 0;)
    if (i < q->heap_n) sift_down(q, i, q->heap[i]);
  q->heap_limit = q->heap_n > HEAP_MOST / 2 ? 2 * q->heap_n : HEAP_MOST;
}

/* ---- the store ----------------------------------------------------------------------------------------------------
 */

static bool is_later(const struct sim_queue *q, int64_t tick) {
  return q->awake && tick >= q->later.end;
}

static bool is_current(const void *queue, const struct sim_radix_item *item) {
  const struct sim_queue *q = queue;
  return q->slot[item->a].generation == item->b;
}

static int put_later(struct sim_queue *q, int64_t tick, uint32_t slot, uint32_t generation) {
  return sim_radix_push(&q->later, (struct sim_radix_item){tick, slot, generation});
}

/* The event of an item in the store is no longer there. */
static void make_stale(struct sim_queue *q, uint32_t slot) {
  q->slot[slot].generation++;
  if (++q->stale <= q->n + STALE_FEW) return;
  sim_radix_filter(&q->later, is_current, q);
  q->stale = 0;
}

/* The heap has grown large: what is due after its first tick goes to the store. */
static int spill(struct sim_queue *q) {
  fill(q);
  int64_t first = q->heap[0].tick;
  if (!q->awake) sim_radix_reset(&q->later);
  sim_radix_start(&q->later, q->awake && q->later.cursor > first ? q->later.cursor : first);
  q->awake = true;
  uint32_t kept = 0;
  int ret = 0;
  for (uint32_t i = 0; i < q->heap_n; i++) {
    struct sim_queue_item item = q->heap[i];
    struct sim_queue_slot *s = &q->slot[item.slot];
    if (ret == 0 && item.tick >= q->later.end) ret = put_later(q, item.tick, item.slot, s->generation);
    if (ret || item.tick < q->later.end)
      q->heap[kept++] = item;
    else
      s->position = SIM_QUEUE_LATER;
  }
  q->heap_n = kept;
  heapify(q);
  return ret;
}

/* Fills the empty heap from the store. */
static void refill(struct sim_queue *q) {
  while (q->awake && q->heap_n == 0) {
    q->awake = sim_radix_open(&q->later, SLOT_MOST) > 0;
    for (const struct sim_radix_chunk *chunk = q->later.open; chunk; chunk = chunk->next)
      for (uint32_t i = 0; i < chunk->n; i++) {
        uint32_t slot = chunk->item[i].a;
        if (is_current(q, &chunk->item[i]))
          q->heap[q->heap_n++] = item_of(&q->slot[slot].key, slot);
        else
          q->stale--;
      }
    sim_radix_close(&q->later);
  }
  heapify(q);
}

void sim_queue_settle(struct sim_queue *q) {
  fill(q);
  if (q->heap_n == 0 && q->awake) refill(q);
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

static int grow(struct sim_queue *q) {
  uint32_t cap = q->cap ? q->cap * 2 : 64;
  if (cap <= q->cap) return SIM_ERR_LIMIT;
  void *heap = sim_realloc_array(q->heap, cap, sizeof *q->heap);
  if (!heap) return SIM_ERR_MEMORY;
  q->heap = heap;
  void *slot = sim_realloc_array(q->slot, cap, sizeof *q->slot);
  if (!slot) return SIM_ERR_MEMORY;
  q->slot = slot;
  if (q->cap == 0) q->heap_limit = HEAP_MOST;
  q->cap = cap;
  return 0;
}

/* The event leaves; its place in the heap or the store is dealt with. */
static void release(struct sim_queue *q, uint32_t slot) {
  struct sim_queue_slot *s = &q->slot[slot];
  if (s->owner) *s->owner = 0;
  s->owner = NULL;
  s->position = q->free_slot;
  q->free_slot = slot + 1;
  q->n--;
}

void sim_queue_free(struct sim_queue *q) {
  sim_free(q->heap);
  sim_free(q->slot);
  sim_radix_free(&q->later);
  memset(q, 0, sizeof *q);
}

void sim_queue_clear(struct sim_queue *q) {
  for (uint32_t i = 0; q->n && i < q->slots; i++)
    if (q->slot[i].owner) *q->slot[i].owner = 0;
  q->n = q->heap_n = q->slots = q->free_slot = q->stale = 0;
  q->hole = q->awake = false;
  q->heap_limit = HEAP_MOST;
}

static inline void set_key(struct sim_queue_slot *s, const struct sim_key *key) {
  s->key.tick = key->tick;
  s->key.order = key->order;
  s->key.subject = key->subject;
}

int sim_queue_push(struct sim_queue *q, const struct sim_key *key, uint32_t *owner) {
  int ret = !q->free_slot && q->slots == q->cap ? grow(q) : 0;
  if (ret == 0 && q->heap_n >= q->heap_limit && !is_later(q, key->tick)) ret = spill(q);
  if (ret) return ret;
  uint32_t slot = q->free_slot ? q->free_slot - 1 : q->slots;
  struct sim_queue_slot *s = &q->slot[slot];
  if (!q->free_slot) s->generation = 0;
  bool later = is_later(q, key->tick);
  if (later && (ret = put_later(q, key->tick, slot, s->generation))) return ret;
  if (q->free_slot)
    q->free_slot = s->position;
  else
    q->slots++;
  q->n++;
  set_key(s, key);
  s->owner = owner;
  if (owner) *owner = slot + 1;
  s->position = SIM_QUEUE_LATER;
  if (!later) heap_add(q, slot);
  return 0;
}

int sim_queue_move(struct sim_queue *q, uint32_t handle, const struct sim_key *key) {
  uint32_t slot = handle - 1;
  struct sim_queue_slot *s = &q->slot[slot];
  bool was_later = s->position == SIM_QUEUE_LATER, later = is_later(q, key->tick);
  if (later) {
    int ret = put_later(q, key->tick, slot, s->generation + was_later);
    if (ret) return ret;
  }
  fill(q);
  set_key(s, key);
  if (!was_later && !later) {
    resettle(q, s->position, item_of(key, slot));
  } else if (!was_later) {
    take(q, s->position);
    s->position = SIM_QUEUE_LATER;
  } else {
    make_stale(q, slot);
    if (!later) heap_add(q, slot);
  }
  return 0;
}

void sim_queue_cancel(struct sim_queue *q, uint32_t handle) {
  uint32_t slot = handle - 1;
  if (q->slot[slot].position == SIM_QUEUE_LATER) {
    make_stale(q, slot);
  } else {
    fill(q);
    take(q, q->slot[slot].position);
  }
  release(q, slot);
}

void sim_queue_pop(struct sim_queue *q, struct sim_key *key) {
  if (q->hole || !q->heap_n) sim_queue_settle(q);
  uint32_t slot = q->heap[0].slot;
  *key = q->slot[slot].key;
  q->hole = true;
  release(q, slot);
}
