/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store of expected events against a plain sort: random times near and far, ties, events moved and cancelled
 * (their reminders go stale), waking in the middle of a bottom. */
#include "sim/core/agenda.h"
#include "sim/core/mem.h"
#include <criterion/criterion.h>
#include <stdlib.h>

enum { ENTITIES = 20000, AGENDAS = 2 };

struct fixture {
  struct sim_bottom bottom;
  int64_t field[AGENDAS][ENTITIES];
  struct sim_agenda agenda[AGENDAS];
  uint64_t random;
};

static uint64_t draw(struct fixture *f, uint64_t below) { /* xorshift64* (Marsaglia 2003, Vigna 2016) */
  f->random ^= f->random >> 12;
  f->random ^= f->random << 25;
  f->random ^= f->random >> 27;
  return (f->random * 2685821657736338717ULL >> 11) % below;
}

static struct fixture *open(uint64_t seed) {
  struct fixture *f = sim_calloc(1, sizeof *f);
  cr_assert_not_null(f);
  f->random = seed;
  for (uint32_t a = 0; a < AGENDAS; a++) {
    f->agenda[a] = (struct sim_agenda){.field = (char *)f->field[a], .stride = sizeof(int64_t)};
    f->agenda[a].rank = (uint16_t)(7 - a); /* the later agenda comes first at equal ticks */
    for (uint32_t e = 0; e < ENTITIES; e++) f->field[a][e] = SIM_NEVER;
  }
  sim_bottom_reset(&f->bottom);
  cr_assert_eq(sim_bottom_wake(&f->bottom, 0, 0), 0);
  return f;
}

static void close(struct fixture *f) {
  sim_bottom_free(&f->bottom);
  sim_free(f);
}

/* False if it would be the queue's. */
static bool expect(struct fixture *f, uint32_t agenda, uint32_t entity, int64_t tick) {
  struct sim_bottom *b = &f->bottom;
  struct sim_radix_item item = {tick, entity, agenda};
  if (tick < b->later.end && b->n - b->at >= SIM_BOTTOM_MOST) return false;
  f->field[agenda][entity] = tick;
  cr_assert_eq(tick < b->later.end ? sim_bottom_insert(b, f->agenda, &item) : sim_radix_push(&b->later, item), 0);
  return true;
}

/* Takes the next live reminder; false at the end. Cancels it, as firing does. */
static bool next(struct fixture *f, struct sim_radix_item *out) {
  for (;;) {
    struct sim_bottom *b = &f->bottom;
    for (; b->at < b->n; b->at++) {
      *out = b->item[b->at];
      if (f->field[out->b][out->a] != out->tick) continue;
      f->field[out->b][out->a] = SIM_NEVER;
      b->at++;
      return true;
    }
    if (b->later.end == SIM_NEVER) return false;
    cr_assert_eq(sim_bottom_advance(b, f->agenda, 0), 0);
  }
}

static const struct fixture *comparing;
static int by_order(const void *x, const void *y) {
  const struct sim_radix_item *a = x, *b = y;
  if (a->tick != b->tick) return a->tick < b->tick ? -1 : 1;
  int ra = comparing->agenda[a->b].rank, rb = comparing->agenda[b->b].rank;
  if (ra != rb) return ra - rb;
  return a->a < b->a ? -1 : a->a > b->a;
}

/* Expected, some twice or cancelled, with ticks of the given span and grain; all come in the order of a plain sort. */
static void compare(uint64_t seed, uint64_t span, int64_t grain) {
  struct fixture *f = open(seed);
  for (uint32_t a = 0; a < AGENDAS; a++)
    for (uint32_t e = 0; e < ENTITIES; e++)
      for (uint64_t times = draw(f, 3); times > 0; times--)
        (void)expect(f, a, e, f->bottom.later.end + (int64_t)draw(f, span) / grain * grain);
  for (uint32_t k = 0; k < ENTITIES / 10; k++) f->field[draw(f, AGENDAS)][draw(f, ENTITIES)] = SIM_NEVER;
  struct sim_radix_item *want = sim_calloc(AGENDAS * ENTITIES, sizeof *want), got;
  cr_assert_not_null(want);
  uint32_t n = 0;
  for (uint32_t a = 0; a < AGENDAS; a++)
    for (uint32_t e = 0; e < ENTITIES; e++)
      if (f->field[a][e] != SIM_NEVER) want[n++] = (struct sim_radix_item){f->field[a][e], e, a};
  comparing = f;
  qsort(want, n, sizeof *want, by_order);
  for (uint32_t i = 0; i < n; i++) {
    cr_assert(next(f, &got));
    cr_assert(got.tick == want[i].tick && got.a == want[i].a && got.b == want[i].b, "place %u of %u", i, n);
    if (i % 5000 == 4999) cr_assert_eq(sim_bottom_wake(&f->bottom, got.tick, 0), 0); /* in the middle of a bottom */
  }
  cr_assert_not(next(f, &got));
  sim_free(want);
  close(f);
}

Test(agenda, spread_out) {
  compare(1, UINT64_C(1) << 46, 1);
  compare(2, 1000, 1);
}

Test(agenda, days_apart) {
  compare(3, UINT64_C(1) << 46, INT64_C(1) << 40);
}

Test(agenda, all_at_one_instant) {
  compare(4, 1, 1);
}

Test(agenda, expected_while_they_fire) {
  struct fixture *f = open(5);
  for (uint32_t e = 0; e < ENTITIES; e++) cr_assert(expect(f, 0, e, 1 + (int64_t)draw(f, UINT64_C(1) << 40)));
  struct sim_radix_item got;
  int64_t last = 0;
  uint32_t fired = 0, moved = 0, soon = 0;
  for (; next(f, &got); fired++) {
    cr_assert_geq(got.tick, last);
    last = got.tick;
    if (moved == 3 * ENTITIES) continue;
    int64_t tick = last + (int64_t)draw(f, UINT64_C(1) << 38);
    soon += tick < f->bottom.later.end;
    moved += expect(f, 1, got.a, tick);
  }
  cr_assert_gt(moved, ENTITIES);
  cr_assert_gt(soon, ENTITIES / 100);
  cr_assert_leq(fired, ENTITIES + moved);
  close(f);
}

/* Before it wakes, everything comes through the bottom; ticks tie often, so agenda and entity decide. */
Test(agenda, asleep) {
  struct fixture *f = open(6);
  sim_bottom_reset(&f->bottom);
  struct sim_radix_item got, last = {-1, 0, 0};
  comparing = f;
  uint32_t fired = 0, refused = 0;
  for (uint32_t e = 0; e < ENTITIES; e++) {
    int64_t now = last.tick < 0 ? 0 : last.tick;
    uint32_t agenda = (uint32_t)draw(f, AGENDAS);
    while (!expect(f, agenda, e, now + 1 + (int64_t)draw(f, 100))) {
      cr_assert(next(f, &got));
      cr_assert_lt(by_order(&last, &got), 0);
      now = got.tick;
      last = got;
      fired++;
      refused++;
    }
  }
  for (; next(f, &got); fired++) {
    cr_assert_lt(by_order(&last, &got), 0);
    last = got;
  }
  cr_assert_eq(fired, ENTITIES);
  cr_assert_gt(refused, ENTITIES / 2);
  close(f);
}
