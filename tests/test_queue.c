/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event queue against a naive sorted array, handles and all. */
#include "sim/core/mem.h"
#include "sim/core/queue.h"
#include "sim/core/rng.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define OWNERS 1000 /* events that can be pending with a handle */
#define LOOSE  1000 /* and without */

struct model { /* pending events, ascending by key */
  struct sim_key key[OWNERS + LOOSE];
  int owner[OWNERS + LOOSE]; /* or -1 */
  size_t n;
};

static void model_insert(struct model *m, struct sim_key key, int owner) {
  size_t at = m->n++;
  for (; at > 0 && sim_key_less(&key, &m->key[at - 1]); at--) {
    m->key[at] = m->key[at - 1];
    m->owner[at] = m->owner[at - 1];
  }
  m->key[at] = key;
  m->owner[at] = owner;
}

static void model_remove(struct model *m, size_t at) {
  for (m->n--; at < m->n; at++) {
    m->key[at] = m->key[at + 1];
    m->owner[at] = m->owner[at + 1];
  }
}

static size_t model_find(const struct model *m, int owner) {
  for (size_t i = 0; i < m->n; i++)
    if (m->owner[i] == owner) return i;
  cr_assert_fail("owner %d has nothing pending", owner);
  return 0;
}

static bool equal(const struct sim_key *a, const struct sim_key *b) {
  return a->tick == b->tick && a->order == b->order && a->subject == b->subject;
}

/* Few distinct ticks and orders, so that ties are common, over the whole range of ticks and a little before the first;
 * the subject is unique. */
static struct sim_key random_key(struct sim_rng_stream *s, uint64_t unique, const struct sim_key *first) {
  int64_t base = first ? first->tick : 0, step = (int64_t)(sim_rng_stream_next32(s) % 40) - 1;
  step *= INT64_C(1) << sim_rng_stream_next32(s) % 56;
  int64_t tick = step < 0 || base > INT64_MAX - 1 - step ? INT64_MAX - 1 : base + step; /* a step back: the last tick */
  uint64_t order = sim_rng_stream_next32(s) % 5;
  return (struct sim_key){tick, order == 4 ? UINT64_C(1) << 40 | sim_rng_stream_next32(s) % 2 : order, unique};
}

/* Heap order, positions and handles, from the outside in. */
static void check_inside(const struct sim_queue *q, const struct model *m, const uint32_t *handle) {
  cr_assert_eq(q->n, m->n);
  for (uint32_t i = q->hole; i < q->heap_n; i++) {
    uint32_t parent = (i - 1) / 4;
    if (i > 0 && (parent > 0 || !q->hole))
      cr_assert(sim_key_less(&q->slot[q->heap[parent].slot].key, &q->slot[q->heap[i].slot].key));
    cr_assert_eq(q->slot[q->heap[i].slot].position, i);
    cr_assert(!q->awake || q->heap[i].tick < q->later.end);
  }
  for (int o = 0; o < OWNERS; o++) {
    size_t at = 0;
    while (at < m->n && m->owner[at] != o) at++;
    cr_assert_eq(handle[o] != 0, at < m->n, "a handle lives exactly as long as its event");
    if (handle[o]) cr_assert(equal(sim_queue_key(q, handle[o]), &m->key[at]));
  }
}

Test(queue, random_operations_agree_with_a_sorted_array) {
  static struct sim_queue q;
  static struct model m;
  static uint32_t handle[OWNERS];
  struct sim_rng rng;
  struct sim_rng_stream s;
  sim_rng_init(&rng, 11, 0, 0);
  sim_rng_stream_init(&s, &rng, 1, 0, 0);
  size_t loose = 0, most = 0, awake = 0, stale = 0, refilled = 0;
  for (uint64_t step = 0; step < 100000; step++) {
    bool empty = q.heap_n == q.hole;
    int o = (int)(sim_rng_stream_next32(&s) % OWNERS);
    struct sim_key key = random_key(&s, step, m.n ? &m.key[0] : NULL), first;
    switch (sim_rng_stream_next32(&s) % 8) {
    case 0: /* push without a handle */
      if (loose == LOOSE) break;
      cr_assert_eq(sim_queue_push(&q, &key, NULL), 0);
      model_insert(&m, key, -1);
      loose++;
      break;
    case 1:
    case 2:
    case 3: /* push with a handle, or move */
      if (handle[o]) {
        model_remove(&m, model_find(&m, o));
        cr_assert_eq(sim_queue_move(&q, handle[o], &key), 0);
      } else
        cr_assert_eq(sim_queue_push(&q, &key, &handle[o]), 0);
      model_insert(&m, key, o);
      break;
    case 4: /* cancel */
      if (!handle[o]) break;
      model_remove(&m, model_find(&m, o));
      sim_queue_cancel(&q, handle[o]);
      cr_assert_eq(handle[o], 0);
      break;
    default: /* pop, a little less often than push */
      if (!m.n || sim_rng_stream_next32(&s) % 3 == 0) break;
      cr_assert(equal(sim_queue_top(&q), &m.key[0]));
      sim_queue_pop(&q, &first);
      cr_assert(equal(&first, &m.key[0]));
      if (m.owner[0] >= 0)
        cr_assert_eq(handle[m.owner[0]], 0);
      else
        loose--;
      model_remove(&m, 0);
    }
    cr_assert_eq(q.n, m.n);
    if (m.n > most) most = m.n;
    awake += q.awake;
    stale += q.stale > 0;
    refilled += empty && q.awake && q.heap_n > q.hole;
    if (step % 2500 == 0) check_inside(&q, &m, handle);
    if (step % 30000 == 29999) { /* start over, with the memory kept */
      uint32_t cap = q.cap;
      sim_queue_clear(&q);
      m.n = loose = 0;
      check_inside(&q, &m, handle);
      cr_assert_null(sim_queue_top(&q));
      cr_assert_eq(q.cap, cap);
    }
  }
  cr_assert_gt(most, 1000, "the test must make the queue grow");
  cr_assert_gt(awake, 50000, "and its store be used");
  cr_assert_gt(stale, 50000, "with events that leave it early");
  cr_assert_gt(refilled, 100, "and with slots that come back");
  sim_queue_free(&q);
}

/* Draining gives the total order: tick, then order (round and kind), then subject (entity, n), each unsigned where it
 * is. */
Test(queue, drains_in_total_order) {
  static const struct sim_key sorted[] = {{-5, UINT64_MAX, UINT64_MAX},
                                          {0, 0, 0},
                                          {0, 0, 1},
                                          {0, 0, UINT64_C(1) << 63},
                                          {0, 1, 0},
                                          {0, UINT64_C(1) << 63, 0},
                                          {1, 0, UINT64_C(1) << 32},
                                          {1, 0, UINT64_C(2) << 32},
                                          {INT64_MAX - 1, 0, 0}};
  enum { N = sizeof sorted / sizeof *sorted };
  for (unsigned start = 0; start < N; start++)
    for (unsigned stride = 1; stride < N; stride += (stride == 2) ? 2 : 1) { /* strides prime to 9, insertion orders */
      if (stride % 3 == 0) continue;
      struct sim_queue q = {0};
      for (unsigned i = 0; i < N; i++) cr_assert_eq(sim_queue_push(&q, &sorted[(start + i * stride) % N], NULL), 0);
      for (unsigned i = 0; i < N; i++) {
        struct sim_key key;
        sim_queue_pop(&q, &key);
        cr_assert(equal(&key, &sorted[i]));
      }
      cr_assert_null(sim_queue_top(&q));
      sim_queue_free(&q);
    }
}

Test(queue, clearing_clears_the_owners) {
  struct sim_queue q = {0};
  uint32_t a = 0, b = 0;
  cr_assert_eq(sim_queue_push(&q, &(struct sim_key){1, 0, 0}, &a), 0);
  cr_assert_eq(sim_queue_push(&q, &(struct sim_key){2, 0, 0}, &b), 0);
  cr_assert(a && b && a != b);
  sim_queue_clear(&q);
  cr_assert(!a && !b && q.n == 0);
  cr_assert_eq(sim_queue_push(&q, &(struct sim_key){3, 0, 0}, &b), 0);
  cr_assert_eq(sim_queue_key(&q, b)->tick, 3);
  sim_queue_free(&q);
}

/* Refuses every allocation from the `left`-th on. */
struct budget {
  size_t left;
};
static void *limited(void *ctx, void *ptr, size_t size) {
  struct budget *b = ctx;
  if (size == 0) {
    free(ptr);
    return NULL;
  }
  return b->left && b->left-- ? realloc(ptr, size) : NULL;
}

/* Whichever of its arrays cannot grow, the queue keeps all it had and can go on once there is memory. */
Test(queue, survives_refused_memory) {
  bool succeeded = false;
  for (size_t grants = 0; !succeeded; grants++) {
    struct budget b = {grants};
    struct sim_queue q = {0};
    uint32_t handle[400] = {0}, n = 0;
    int ret = 0;
    sim_mem_set(limited, &b);
    for (; n < 400; n++) {
      ret = sim_queue_push(&q, &(struct sim_key){(int64_t)(400 - n), 0, n}, &handle[n]);
      if (ret) break;
    }
    succeeded = ret == 0;
    if (!succeeded) {
      cr_assert_eq(ret, SIM_ERR_MEMORY);
      cr_assert_eq(handle[n], 0);
      cr_assert_eq(q.n, n);
      b.left = 100;
      cr_assert_eq(sim_queue_push(&q, &(struct sim_key){(int64_t)(400 - n), 0, n}, &handle[n]), 0);
      n++;
    }
    for (uint32_t i = n; i-- > 0;) {
      struct sim_key key;
      cr_assert_eq(sim_queue_key(&q, handle[i])->subject, i);
      sim_queue_pop(&q, &key);
      cr_assert_eq(key.subject, i);
      cr_assert_eq(handle[i], 0);
    }
    sim_queue_free(&q);
    sim_mem_set(NULL, NULL);
  }
}

static int compare(const void *a, const void *b) {
  return sim_key_less(b, a) - sim_key_less(a, b);
}

/* Many events, most of them far ahead, some moved or cancelled: what is left drains in the order of sorting. Scales
 * from some ticks for all to decades. */
Test(queue, many_events_drain_as_sorted) {
  enum { MANY = 20000 };
  static struct sim_key left[MANY];
  static uint32_t handle[MANY];
  for (unsigned scale = 0; scale < 60; scale += 13) {
    struct sim_queue q = {0};
    struct sim_rng rng;
    struct sim_rng_stream s;
    sim_rng_init(&rng, scale, 0, 0);
    sim_rng_stream_init(&s, &rng, 1, 0, 0);
    size_t n = 0;
    for (uint32_t round = 0; round < 2; round++)
      for (uint32_t i = 0; i < MANY; i++) {
        struct sim_key key = {(int64_t)(sim_rng_stream_uniform(&s) * 0x1p13 * (double)(UINT64_C(1) << scale) / 0x1p10),
                              i % 3, i};
        if (round == 0) {
          cr_assert_eq(sim_queue_push(&q, &key, &handle[i]), 0);
          continue;
        }
        if (i % 7 == 0) {
          sim_queue_cancel(&q, handle[i]);
          continue;
        }
        if (i % 2 == 0) cr_assert_eq(sim_queue_move(&q, handle[i], &key), 0);
        left[n++] = *sim_queue_key(&q, handle[i]);
      }
    cr_assert_eq(q.n, n);
    qsort(left, n, sizeof *left, compare);
    for (size_t i = 0; i < n; i++) {
      struct sim_key key;
      cr_assert(equal(sim_queue_top(&q), &left[i]), "scale %u, event %zu", scale, i);
      sim_queue_pop(&q, &key);
    }
    cr_assert_null(sim_queue_top(&q));
    sim_queue_free(&q);
  }
}
