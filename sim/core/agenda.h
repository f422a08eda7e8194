/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expected events: at most one pending an entity and kind (its exit from a state, its infection).
 *
 * Where an event stands is a number in its owner's own memory (the agenda's field of the entity), which the engine
 * writes: the tick, SIM_NEVER, or, for this very instant, -(1 + round). Queues hold only reminders: one that no longer
 * agrees with the field is stale and dropped when it comes up. So an event is moved or cancelled by one store to memory
 * that the model has in its hands anyway, and nothing points back into a queue.
 *
 * Reminders stand in order in the *bottom*, from which events fire. It takes a limited number; what else is soon lives
 * in the engine's queue (queue.h). When that becomes many, those beyond the next ones go to a radix store of their own
 * (radix.h), whose first slot is sorted into the next bottom. The memory of what is coming is touched before it is
 * needed: fields when the bottom is made, the model's rows through its `foresee`. The order of events is the total
 * order of queue.h, whatever waits where. */
#ifndef SIM_CORE_AGENDA_H
#define SIM_CORE_AGENDA_H
#include "sim/core/radix.h"

enum { SIM_BOTTOM_MOST = 512 }; /* reminders of a bottom into which more are put */

struct sim_agenda {  /* the expected events of one kind */
  char *field;       /* of entity 0: an int64_t */
  size_t stride;     /* bytes from one entity's to the next's */
  uint32_t instance; /* whose events they are */
  unsigned local;    /* kind: place among the instance's events */
  uint32_t machine;  /* of exits from states, or SIM_NONE */
  uint16_t rank;     /* of the kind in the total order */
  bool foreseen;     /* something can be made ready before they fire */
};

/* Reminders: radix items of which a is the entity and b the agenda. */
struct sim_bottom {                   /* zero-initialise, then reset */
  struct sim_radix later;             /* what is due at later.end or after it */
  struct sim_radix_item *item, *work; /* [cap] */
  uint32_t at, n;                     /* next of the bottom, and its length */
  uint32_t group;                     /* of reminders, the next that is to be entered: see run.c */
  size_t cap;
  uint32_t queue_limit; /* reminders in the engine's queue before what is far goes to the store */
};

static inline int64_t *sim_agenda_field(const struct sim_agenda *a, uint32_t entity) {
  return (int64_t *)(void *)(a->field + a->stride * entity);
}

/* Empty and asleep: nothing goes to the store. */
void sim_bottom_reset(struct sim_bottom *b);
void sim_bottom_free(struct sim_bottom *b);
/* The queue has grown to `queue` events: from now on what is later than `now` goes to the store, the rest of the
 * bottom too. */
int sim_bottom_wake(struct sim_bottom *b, int64_t now, uint32_t queue) SIM_MUST_CHECK;
/* Puts a reminder that is due before later.end into its place in the bottom, of which fewer than SIM_BOTTOM_MOST are
 * left. */
int sim_bottom_insert(struct sim_bottom *b, const struct sim_agenda *agenda,
                      const struct sim_radix_item *e) SIM_MUST_CHECK;
/* The bottom is used up: fills it with the reminders of the next full slots, in order. Once all slots are empty,
 * later.end is SIM_NEVER. `agenda`: the table that reminders refer to. */
int sim_bottom_advance(struct sim_bottom *b, const struct sim_agenda *agenda, uint32_t queue) SIM_MUST_CHECK;
#endif
