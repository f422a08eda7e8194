/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/queue.h"
#include "sim/core/mem.h"
#include <string.h>

static void place(struct sim_queue *q, uint32_t at, const struct sim_queue_item *item) {
  q->heap[at] = *item;
  q->position[item->slot] = at;
}

static void sift_up(struct sim_queue *q, uint32_t at, struct sim_queue_item item) {
  while (at > 0) {
    uint32_t parent = (at - 1) / 4;
    if (!sim_key_less(&item.key, &q->heap[parent].key)) break;
    place(q, at, &q->heap[parent]);
    at = parent;
  }
  place(q, at, &item);
}

static void sift_down(struct sim_queue *q, uint32_t at, struct sim_queue_item item) {
  for (;;) {
    uint64_t first = 4 * (uint64_t)at + 1;
    if (first >= q->n) break;
    uint32_t last = first + 4 < q->n ? (uint32_t)first + 4 : q->n, best = (uint32_t)first;
    for (uint32_t c = best + 1; c < last; c++)
      if (sim_key_less(&q->heap[c].key, &q->heap[best].key)) best = c;
    if (!sim_key_less(&q->heap[best].key, &item.key)) break;
    place(q, at, &q->heap[best]);
    at = best;
  }
  place(q, at, &item);
}

static void resettle(struct sim_queue *q, uint32_t at, const struct sim_queue_item *item) {
  if (at > 0 && sim_key_less(&item->key, &q->heap[(at - 1) / 4].key))
    sift_up(q, at, *item);
  else
    sift_down(q, at, *item);
}

static int grow(struct sim_queue *q) {
  uint32_t cap = q->cap ? q->cap * 2 : 64;
  if (cap <= q->cap) return SIM_ERR_LIMIT;
  void *heap = sim_realloc_array(q->heap, cap, sizeof *q->heap);
  if (!heap) return SIM_ERR_MEMORY;
  q->heap = heap;
  uint32_t *position = sim_realloc_array(q->position, cap, sizeof *position);
  if (!position) return SIM_ERR_MEMORY;
  q->position = position;
  uint32_t **owner = sim_realloc_array(q->owner, cap, sizeof *owner);
  if (!owner) return SIM_ERR_MEMORY;
  q->owner = owner;
  uint32_t *free_slot = sim_realloc_array(q->free_slot, cap, sizeof *free_slot);
  if (!free_slot) return SIM_ERR_MEMORY;
  q->free_slot = free_slot;
  q->cap = cap;
  return 0;
}

void sim_queue_free(struct sim_queue *q) {
  sim_free(q->heap);
  sim_free(q->position);
  sim_free(q->owner);
  sim_free(q->free_slot);
  memset(q, 0, sizeof *q);
}

void sim_queue_clear(struct sim_queue *q) {
  for (uint32_t i = 0; i < q->n; i++) {
    uint32_t *owner = q->owner[q->heap[i].slot];
    if (owner) *owner = 0;
  }
  q->n = q->free_n = q->slots = 0;
}

int sim_queue_push(struct sim_queue *q, const struct sim_key *key, uint32_t *owner) {
  if (q->n == q->cap) {
    int ret = grow(q);
    if (ret) return ret;
  }
  uint32_t slot = q->free_n ? q->free_slot[--q->free_n] : q->slots++;
  q->owner[slot] = owner;
  if (owner) *owner = slot + 1;
  sift_up(q, q->n++, (struct sim_queue_item){*key, slot});
  return 0;
}

void sim_queue_move(struct sim_queue *q, uint32_t handle, const struct sim_key *key) {
  struct sim_queue_item item = {*key, handle - 1};
  resettle(q, q->position[handle - 1], &item);
}

/* Takes the item at `at` out of the heap and releases its slot. */
static void take(struct sim_queue *q, uint32_t at) {
  uint32_t slot = q->heap[at].slot;
  if (q->owner[slot]) *q->owner[slot] = 0;
  q->free_slot[q->free_n++] = slot;
  struct sim_queue_item last = q->heap[--q->n];
  if (at < q->n) resettle(q, at, &last);
}

void sim_queue_cancel(struct sim_queue *q, uint32_t handle) {
  take(q, q->position[handle - 1]);
}

const struct sim_key *sim_queue_key(const struct sim_queue *q, uint32_t handle) {
  return &q->heap[q->position[handle - 1]].key;
}

void sim_queue_pop(struct sim_queue *q, struct sim_key *key) {
  *key = q->heap[0].key;
  take(q, 0);
}
