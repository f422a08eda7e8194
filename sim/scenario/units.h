/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units: dimensions are time, money, power and count nouns. A unit is a product of powers of these with a rational
 * factor, so that `2 weeks` is exactly 14 days and `30 %` the double nearest to 0.3. */
#ifndef SIM_SCENARIO_UNITS_H
#define SIM_SCENARIO_UNITS_H
#include "sim/scenario/tree.h"

enum { SC_NOUNS = 4, SC_NOUN_LENGTH = 24 };

struct sc_unit {
  double num, den; /* in days, the scenario's currency, GW */
  int time, money, power;
  struct {
    char name[SC_NOUN_LENGTH]; /* singular */
    int exponent;
  } noun[SC_NOUNS];
};

/* Parses "day", "1/year", "/year", "currency/team_day", "%", "h/day". Returns NULL, or what is wrong with it. */
const char *sc_unit_parse(struct sc *c, const char *text, size_t length, struct sc_unit *out);
bool sc_unit_same(const struct sc_unit *a, const struct sc_unit *b);
bool sc_unit_is_number(const struct sc_unit *u); /* no dimension */
bool sc_unit_is_count(const struct sc_unit *u);  /* one noun and nothing else: its unit may be left out */
/* "a duration such as `14 days`": what a descriptor with this unit expects. */
const char *sc_unit_expects(struct sc *c, const char *unit);
/* Factor of thousand, million, billion; 0 for other words. */
double sc_magnitude(const char *word, size_t length);
/* The regular expression (ECMA 262) of a quantity with this unit, for the JSON Schema. */
const char *sc_unit_pattern(struct sc *c, const char *unit);
#endif
