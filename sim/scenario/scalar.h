/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The six scalar forms, read from the text by the kind that the descriptor asks for. */
#ifndef SIM_SCENARIO_SCALAR_H
#define SIM_SCENARIO_SCALAR_H
#include "sim/scenario/tree.h"

/* Splits a closing ` @key` off. *length becomes that of the text before it (without spaces at its end). Returns the
 * key or NULL. */
const char *sc_split_source(struct sc *c, const char *text, size_t *length);

/* Number, unit and range of `node->text` up to `length` into out (form, number, low, high, ranged, written); false
 * after reporting. unit and limits come from p. */
bool sc_quantity(struct sc *c, const struct sc_node *node, size_t length, const struct sim_param *p, const char *path,
                 struct sim_value *out);
/* "10..60 %" of a written-out value, in the unit of out->written where it names none. */
bool sc_range(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
              struct sim_value *out);
bool sc_moment(struct sc *c, const struct sc_node *node, size_t length, const char *path, struct sim_value *out);
bool sc_predicate(struct sc *c, const struct sc_node *node, size_t at, size_t length, const char *path,
                  struct sim_value *out);
bool sc_rule(struct sc *c, const struct sc_node *node, size_t length, const struct sim_param *p, const char *path,
             struct sim_value *out);
/* A date or date and time as days since 1970-01-01 (proleptic Gregorian calendar, no time zones). */
bool sc_date(const char *text, size_t length, double *days);
/* Whether the text can only be a moment: `day 30`, a date, a signal or `actual ...`. */
bool sc_looks_like_moment(const char *text);

/* ---- calls: text <-> written-out mapping ---------------------------------------------------------------------------
 */

const struct sim_call *sc_call_find(const struct sim_param *p, const char *name, size_t length);
/* Whether a descriptor takes calls, and this text is a bare quantity for it. */
bool sc_is_call_kind(const struct sim_param *p);
bool sc_is_bare(const char *text);
/* The parameter whose name may be left out, or NULL. */
const struct sim_param *sc_call_first(const struct sim_call *call);
/* A scalar as its written-out mapping: {call:, mean:, cv:} or {value:, range:}; sources go to the parts. NULL after
 * reporting. A bare quantity of a SIM_CALL becomes a call of the first of its table. */
struct sc_node *sc_unfold(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path);

/* The quantity in `text` (canonical) times `factor`, as text; its range too. */
const char *sc_scaled(struct sc *c, const char *text, double factor);
/* Shortest decimal that reads back to the same double. */
const char *sc_number(struct sc *c, double x);
/* A descriptor with "@" and "1/@" in its unit replaced by the holder's unit; p itself if there is none. */
const struct sim_param *sc_resolve_unit(struct sc *c, const struct sim_param *p, const char *holder);
#endif
