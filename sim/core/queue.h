/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event queue: a 4-ary implicit heap with positions, so that a pending event can be cancelled or moved at once.
 *
 * Total order: (tick, round, kind, entity, n), unique among pending events. Ranks of kinds come from the world. O(log4
 * n) an operation; no allocation once it has grown. */
#ifndef SIM_CORE_QUEUE_H
#define SIM_CORE_QUEUE_H
#include "sim/core/err.h"
#include <stdbool.h>
#include <stdint.h>

struct sim_key {
  int64_t tick;
  uint64_t order;   /* round << 16 | kind */
  uint64_t subject; /* entity << 32 | n */
};

struct sim_queue_item {
  struct sim_key key;
  uint32_t slot;
};

struct sim_queue {
  struct sim_queue_item *heap;
  uint32_t n, cap;
  uint32_t *position;  /* [slots] place in the heap */
  uint32_t **owner;    /* [slots] the handle to clear when the event leaves, or NULL */
  uint32_t *free_slot; /* stack of free slots */
  uint32_t free_n, slots;
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
/* Moves a pending event to another key. */
void sim_queue_move(struct sim_queue *q, uint32_t handle, const struct sim_key *key);
void sim_queue_cancel(struct sim_queue *q, uint32_t handle);
const struct sim_key *sim_queue_key(const struct sim_queue *q, uint32_t handle);
/* The first event, or NULL. */
static inline const struct sim_key *sim_queue_top(const struct sim_queue *q) {
  return q->n ? &q->heap[0].key : NULL;
}
void sim_queue_pop(struct sim_queue *q, struct sim_key *key);
#endif
