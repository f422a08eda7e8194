/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/units.h"
#include "sim/scenario/names.h"
#include <string.h>

static const struct {
  const char *names; /* separated by spaces */
  double num, den;
  int time, power;
} known[] = {
    {"day days", 1, 1, 1, 0},
    {"s second seconds", 1, 86400, 1, 0},
    {"min minute minutes", 1, 1440, 1, 0},
    {"h hour hours", 1, 24, 1, 0},
    {"week weeks", 7, 1, 1, 0},
    {"month months", 365.25, 12, 1, 0},
    {"year years", 365.25, 1, 1, 0},
    {"GW", 1, 1, 0, 1},
    {"MW", 1, 1000, 0, 1},
    {"kW", 1, 1e6, 0, 1},
    {"%", 1, 100, 0, 0},
    {"1", 1, 1, 0, 0},
    {"contact contacts", 1, 1, 0, 0}, /* a rate per contact is a rate */
};

static bool in_words(const char *words, const char *word, size_t length) {
  for (const char *w = words; *w;) {
    size_t n = strcspn(w, " ");
    if (n == length && memcmp(w, word, n) == 0) return true;
    w += n + (w[n] == ' ');
  }
  return false;
}

double sc_magnitude(const char *word, size_t length) {
  if (in_words("thousand", word, length)) return 1e3;
  if (in_words("million", word, length)) return 1e6;
  if (in_words("billion", word, length)) return 1e9;
  return 0;
}

/* The singular of a count noun: people -> person, reports -> report, bodies -> body. */
static void singular(const char *word, size_t length, char out[SC_NOUN_LENGTH]) {
  if (in_words("people", word, length)) {
    strcpy(out, "person");
    return;
  }
  memcpy(out, word, length);
  out[length] = '\0';
  if (length > 3 && strcmp(out + length - 3, "ies") == 0)
    strcpy(out + length - 3, "y");
  else if (length > 1 && out[length - 1] == 's' && out[length - 2] != 's')
    out[length - 1] = '\0';
}

static const char *add_noun(struct sc *c, const char *word, size_t length, int sign, struct sc_unit *out) {
  char name[SC_NOUN_LENGTH];
  for (size_t i = 0; i < length; i++)
    if (!((word[i] >= 'a' && word[i] <= 'z') || word[i] == '_'))
      return sc_printf(c, "`%.*s` is not a unit", (int)length, word);
  if (length >= SC_NOUN_LENGTH) return sc_printf(c, "`%.*s` is not a unit", (int)length, word);
  singular(word, length, name);
  for (size_t i = 0; i < SC_NOUNS; i++) {
    if (out->noun[i].exponent && strcmp(out->noun[i].name, name) != 0) continue;
    strcpy(out->noun[i].name, name);
    out->noun[i].exponent += sign;
    return NULL;
  }
  return "too many nouns in a unit";
}

static const char *add_word(struct sc *c, const char *word, size_t length, int sign, struct sc_unit *out) {
  if (length == 0) return "a unit is missing after `/`";
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    if (!in_words(known[k].names, word, length)) continue;
    out->num *= sign > 0 ? known[k].num : known[k].den;
    out->den *= sign > 0 ? known[k].den : known[k].num;
    out->time += sign * known[k].time;
    out->power += sign * known[k].power;
    return NULL;
  }
  const char *currency = c->currency ? c->currency : "USD";
  if (in_words("currency", word, length) || (strlen(currency) == length && memcmp(currency, word, length) == 0)) {
    out->money += sign;
    return NULL;
  }
  if (length == 3 && strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= 3)
    return sc_printf(c, "`%.3s` is not this scenario's currency (%s)", word, currency);
  return add_noun(c, word, length, sign, out);
}

const char *sc_unit_parse(struct sc *c, const char *text, size_t length, struct sc_unit *out) {
  *out = (struct sc_unit){.num = 1, .den = 1};
  size_t at = 0;
  int sign = 1;
  if (length && text[0] == '/') {
    at = 1;
    sign = -1;
  }
  for (;;) {
    size_t n = 0;
    while (at + n < length && text[at + n] != '/') n++;
    const char *wrong = add_word(c, text + at, n, sign, out);
    if (wrong) return wrong;
    at += n;
    if (at >= length) return NULL;
    at++;
    sign = -1;
  }
}

static int exponent(const struct sc_unit *u, const char *noun) {
  for (size_t i = 0; i < SC_NOUNS; i++)
    if (u->noun[i].exponent && strcmp(u->noun[i].name, noun) == 0) return u->noun[i].exponent;
  return 0;
}

bool sc_unit_same(const struct sc_unit *a, const struct sc_unit *b) {
  if (a->time != b->time || a->money != b->money || a->power != b->power) return false;
  for (size_t i = 0; i < SC_NOUNS; i++) {
    if (a->noun[i].exponent && exponent(b, a->noun[i].name) != a->noun[i].exponent) return false;
    if (b->noun[i].exponent && exponent(a, b->noun[i].name) != b->noun[i].exponent) return false;
  }
  return true;
}

static size_t nouns(const struct sc_unit *u) {
  size_t n = 0;
  for (size_t i = 0; i < SC_NOUNS; i++) n += u->noun[i].exponent != 0;
  return n;
}

bool sc_unit_is_number(const struct sc_unit *u) {
  return u->time == 0 && u->money == 0 && u->power == 0 && nouns(u) == 0;
}

bool sc_unit_is_count(const struct sc_unit *u) {
  return u->time == 0 && u->money == 0 && u->power == 0 && nouns(u) == 1;
}

/* The unit with the scenario's currency in place of the word. */
static const char *spelled(struct sc *c, const char *unit) {
  if (strncmp(unit, "currency", 8) != 0) return unit;
  return sc_printf(c, "%s%s", c->currency ? c->currency : "USD", unit + 8);
}

const char *sc_unit_expects(struct sc *c, const char *unit) {
  struct sc_unit u;
  if (!unit) return "a number such as `2`";
  if (strcmp(unit, "1") == 0) return "a share such as `30 %`";
  if (strcmp(unit, "h/day") == 0) return "hours a day such as `10 h/day`";
  if (sc_unit_parse(c, unit, strlen(unit), &u) != NULL) return sc_printf(c, "an amount in %s", unit);
  bool plain = u.money == 0 && u.power == 0 && nouns(&u) == 0;
  if (plain && u.time == 1) return "a duration such as `14 days`";
  if (plain && u.time == -1) return "a rate such as `0.5/year`";
  if (u.money == 1) return sc_printf(c, "an amount of money such as `900 %s`", spelled(c, unit));
  if (sc_unit_is_count(&u)) return sc_printf(c, "a count such as `5 %s`", unit);
  return sc_printf(c, "an amount such as `5 %s`", unit);
}

const char *sc_unit_pattern(struct sc *c, const char *unit) {
  static const char number[] = "[+-]?([0-9]+\\\\.?[0-9]*|\\\\.[0-9]+)([eE][+-]?[0-9]+)?";
  static const char time[] = "(s|seconds?|min|minutes?|h|hours?|days?|weeks?|months?|years?)";
  static const char tail[] = "( *\\\\([^()]*\\\\.\\\\.[^()]*\\\\))?( *@[a-z][a-z0-9_]*)?$";
  struct sc_unit u;
  const char *middle;
  if (!unit || sc_unit_parse(c, unit, strlen(unit), &u) != NULL || sc_unit_is_number(&u))
    middle = unit && strcmp(unit, "h/day") == 0 ? " *[a-z]+/[a-z]+" : "( *%| +1)?";
  else if (u.money == 0 && u.power == 0 && nouns(&u) == 0 && u.time == 1)
    middle = sc_printf(c, "( +(thousand|million|billion))? *%s", time);
  else if (u.money == 0 && u.power == 0 && nouns(&u) == 0 && u.time == -1)
    middle = sc_printf(c, "( +(thousand|million|billion))? *1?/%s( per contact|/contact)?", time);
  else if (sc_unit_is_count(&u))
    middle = "( +(thousand|million|billion))?( +[a-z_]+)?";
  else
    middle = "( +(thousand|million|billion))? *[A-Za-z1/][A-Za-z_/]*( per [a-z_]+)?";
  return sc_printf(c, "^%s%s%s", number, middle, tail);
}
