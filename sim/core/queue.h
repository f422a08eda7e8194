/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event queue: what is due next in a small heap, what is due later in a radix store.
 *
 * Total order: (tick, round, kind, entity, n), unique among pending events. Ranks of kinds come from the world. The
 * heap is 4-ary and knows the place of each of its events, so that one can be cancelled or moved at once. When it grows
 * beyond some hundred events, those after the first tick go to the store (radix.h), and come back a slot at a time when
 * the heap is empty; an event that is cancelled or moved there leaves its item behind, which is recognised by its
 * generation and dropped. So the order is the heap's, and an operation costs O(1) but for the few levels of a small
 * heap. No allocation once it has grown. */
#ifndef SIM_CORE_QUEUE_H
#define SIM_CORE_QUEUE_H
#include "sim/core/radix.h"

struct sim_key {
  int64_t tick;     /* less than SIM_NEVER */
  uint64_t order;   /* round << 16 | kind */
  uint64_t subject; /* entity << 32 | n */
};

struct sim_queue_item { /* in the heap */
  int64_t tick;
  uint32_t tie; /* of the order, which seldom needs more bits */
  uint32_t slot;
};

struct sim_queue_slot { /* a pending event */
  struct sim_key key;
  uint32_t *owner;     /* the handle to clear when the event leaves, or NULL */
  uint32_t position;   /* in the heap, or SIM_QUEUE_LATER; of a free slot: the next free one + 1 */
  uint32_t generation; /* of its item in the store */
};
#define SIM_QUEUE_LATER UINT32_MAX

struct sim_queue { /* zero-initialise */
  uint32_t n;      /* pending events */
  uint32_t heap_n; /* of them in the heap, and the hole */
  bool hole;       /* the heap's first was popped and its place not yet filled */
  bool awake;      /* the store is in use */
  uint32_t heap_limit;
  struct sim_queue_item *heap; /* [cap] */
  struct sim_queue_slot *slot; /* [cap] */
  uint32_t cap, slots;         /* used so far */
  uint32_t free_slot;          /* head of the list, + 1 */
  uint32_t stale;              /* items of the store whose event is gone */
  struct sim_radix later;
};

static inline bool sim_key_less(const struct sim_key *a, const struct sim_key *b) {
  if (a->tick != b->tick) return a->tick < b->tick;
  if (a->order != b->order) return a->order < b->order;
  return a->subject < b->subject;
}

void sim_queue_free(struct sim_queue *q);
/* Removes everything, keeps the memory; owners' handles are cleared. O(pending). */
void sim_queue_clear(struct sim_queue *q);
/* Adds; *owner (may be NULL) becomes the handle, slot + 1, and is set to 0 when the event is popped or cancelled. The
 * owner's address must stay valid until then. */
int sim_queue_push(struct sim_queue *q, const struct sim_key *key, uint32_t *owner) SIM_MUST_CHECK;
/* Moves a pending event to another key. Where memory is refused it stays as it was. */
int sim_queue_move(struct sim_queue *q, uint32_t handle, const struct sim_key *key) SIM_MUST_CHECK;
void sim_queue_cancel(struct sim_queue *q, uint32_t handle);
static inline const struct sim_key *sim_queue_key(const struct sim_queue *q, uint32_t handle) {
  return &q->slot[handle - 1].key;
}
/* Brings the first event to the top of the heap; for sim_queue_top. */
void sim_queue_settle(struct sim_queue *q);
/* The first event, or NULL. */
static inline const struct sim_key *sim_queue_top(struct sim_queue *q) {
  if (q->hole || !q->heap_n) sim_queue_settle(q);
  return q->heap_n ? &q->slot[q->heap[0].slot].key : NULL;
}
/* Its tick, or SIM_NEVER. */
static inline int64_t sim_queue_first(struct sim_queue *q) {
  if (q->hole || !q->heap_n) sim_queue_settle(q);
  return q->heap_n ? q->heap[0].tick : SIM_NEVER;
}
/* There is one. */
void sim_queue_pop(struct sim_queue *q, struct sim_key *key);
#endif
