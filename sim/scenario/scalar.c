/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantities, moments, predicates and rules. Calls are in call.c. */
#include "sim/scenario/scalar.h"
#include "sim/scenario/names.h"
#include "sim/scenario/units.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- pieces of text --------------------------------------------------------------------------------------------- */

static size_t skip(const char *text, size_t at, size_t length) {
  while (at < length && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n')) at++;
  return at;
}

static size_t trim(const char *text, size_t at, size_t length) {
  while (length > at && (text[length - 1] == ' ' || text[length - 1] == '\t' || text[length - 1] == '\n')) length--;
  return length;
}

const char *sc_split_source(struct sc *c, const char *text, size_t *length) {
  size_t end = trim(text, 0, *length), at = end;
  *length = end;
  while (at > 0 && text[at - 1] != '@' && text[at - 1] != ' ') at--;
  if (at == 0 || text[at - 1] != '@' || at == end) return NULL;
  if (at > 1 && text[at - 2] != ' ') return NULL;
  *length = trim(text, 0, at - 1);
  return sc_copy(c, text + at, end - at);
}

/* Length of the decimal number at text, or 0. */
static size_t number_length(const char *text, size_t length) {
  size_t n = 0, digits = 0;
  if (n < length && (text[n] == '+' || text[n] == '-')) n++;
  for (; n < length && text[n] >= '0' && text[n] <= '9'; n++) digits++;
  if (n < length && text[n] == '.' && !(n + 1 < length && text[n + 1] == '.')) {
    n++;
    for (; n < length && text[n] >= '0' && text[n] <= '9'; n++) digits++;
  }
  if (digits == 0) return 0;
  size_t e = n;
  if (e < length && (text[e] == 'e' || text[e] == 'E')) {
    e++;
    if (e < length && (text[e] == '+' || text[e] == '-')) e++;
    size_t from = e;
    while (e < length && text[e] >= '0' && text[e] <= '9') e++;
    if (e > from) n = e;
  }
  return n;
}

/* The number at text, and how long it is; 0 if there is none or it is too large for a double. */
static size_t read_number(const char *text, size_t length, double *out) {
  char digits[64];
  size_t n = number_length(text, length);
  if (n == 0 || n >= sizeof digits) return 0;
  memcpy(digits, text, n);
  digits[n] = '\0';
  *out = strtod(digits, NULL);
  return isfinite(*out) ? n : 0;
}

const char *sc_number(struct sc *c, double x) {
  for (int precision = 6; precision < 17; precision++) {
    char text[40];
    snprintf(text, sizeof text, "%.*g", precision, x);
    if (strtod(text, NULL) == x) return sc_copy(c, text, strlen(text));
  }
  return sc_printf(c, "%.17g", x);
}

/* ---- quantities ------------------------------------------------------------------------------------------------- */

struct quantity {
  double number, low, high, magnitude; /* as written */
  bool ranged;
  const char *unit; /* as written, without spaces; "" if none */
  const char *word; /* thousand, million, billion, or "" */
  size_t unit_at;   /* where it stands in the text */
};

static void expected(struct sc *c, const struct sc_node *node, size_t at, size_t length, const struct sim_param *p,
                     const char *path) {
  bool law = p->kind == SIM_LAW_CALL;
  sc_error_at(c, node, at, path, "expected %s%s, found `%.*s`", sc_unit_expects(c, p->unit),
              law ? " or a distribution such as `exponential mean 5 days`" : "", (int)length, node->text);
}

/* "lo..hi" at text[at..end). */
static bool read_range(const char *text, size_t at, size_t end, double *low, double *high) {
  at = skip(text, at, end);
  size_t n = read_number(text + at, end - at, low);
  if (n == 0) return false;
  at = skip(text, at + n, end);
  if (at + 2 > end || text[at] != '.' || text[at + 1] != '.') return false;
  at = skip(text, at + 2, end);
  n = read_number(text + at, end - at, high);
  return n > 0 && skip(text, at + n, end) == end;
}

/* Magnitude and unit in text[at..end): words joined, `per` as `/`. False if it is more than that. */
static bool read_unit(struct sc *c, const char *text, size_t at, size_t end, struct quantity *q) {
  struct sc_text unit = {.c = c};
  q->magnitude = 1;
  q->word = q->unit = "";
  at = skip(text, at, end);
  q->unit_at = at;
  bool joined = true; /* the next word continues the unit */
  while (at < end) {
    size_t n = 0;
    while (at + n < end && text[at + n] != ' ' && !(n > 0 && text[at + n] == '/' && sc_magnitude(text + at, n) > 0))
      n++;
    double magnitude = unit.n == 0 && !*q->word ? sc_magnitude(text + at, n) : 0;
    if (magnitude > 0) {
      q->magnitude = magnitude;
      q->word = sc_copy(c, text + at, n);
    } else if (n == 3 && memcmp(text + at, "per", 3) == 0) {
      sc_text_add(&unit, "/");
      joined = true;
    } else if (joined) {
      sc_text_add(&unit, "%.*s", (int)n, text + at);
      joined = false;
    } else {
      return false;
    }
    at = skip(text, at + n, end);
  }
  if (unit.n) q->unit = unit.at;
  return true;
}

static bool read_quantity(struct sc *c, const char *text, size_t length, struct quantity *q) {
  size_t at = skip(text, 0, length), end = trim(text, 0, length);
  size_t n = read_number(text + at, end - at, &q->number);
  if (n == 0) return false;
  at += n;
  q->ranged = end > at && text[end - 1] == ')';
  if (q->ranged) {
    size_t open = end - 1;
    while (open > at && text[open] != '(') open--;
    if (text[open] != '(' || !read_range(text, open + 1, end - 1, &q->low, &q->high)) return false;
    end = trim(text, at, open);
  }
  return read_unit(c, text, at, end, q);
}

static const char *limit_text(struct sc *c, double x, const char *unit) {
  if (!unit) return sc_number(c, x);
  if (strcmp(unit, "1") == 0) return sc_printf(c, "%s %%", sc_number(c, x * 100));
  return sc_printf(c, "%s %s", sc_number(c, x), unit);
}

/* Reports a number outside the hard limits. */
static bool within(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path, double x,
                   const char *what) {
  bool limited = p->min != 0 || p->max != 0;
  double min = limited || !(p->flags & SIM_SIGNED) ? p->min : -INFINITY;
  double max = limited && p->max > p->min ? p->max : INFINITY;
  if (p->flags & SIM_OPEN_MIN ? x <= min : x < min)
    sc_error(c, node, path, "%s must be %s %s, found `%s`", what, p->flags & SIM_OPEN_MIN ? "more than" : "at least",
             limit_text(c, min, p->unit), node->text);
  else if (x > max)
    sc_error(c, node, path, "%s must be at most %s, found `%s`", what, limit_text(c, max, p->unit), node->text);
  else if ((p->flags & SIM_INTEGER) && x != floor(x))
    sc_error(c, node, path, "%s must be a whole number, found `%s`", what, node->text);
  else
    return true;
  return false;
}

static const char *quantity_text(struct sc *c, const struct quantity *q, bool range) {
  struct sc_text t = {.c = c};
  sc_text_add(&t, "%s", sc_number(c, q->number));
  if (*q->word) sc_text_add(&t, " %s", q->word);
  if (*q->unit) sc_text_add(&t, "%s%s", *q->unit == '/' ? "" : " ", q->unit);
  if (range && q->ranged) sc_text_add(&t, " (%s..%s)", sc_number(c, q->low), sc_number(c, q->high));
  return t.at;
}

/* Factor from the written unit to the descriptor's, as num / den; false after reporting. */
static bool conversion(struct sc *c, const struct sc_node *node, size_t length, const struct quantity *q,
                       const struct sim_param *p, const char *path, double *num, double *den) {
  struct sc_unit given, want = {.num = 1, .den = 1};
  const char *wrong = p->unit ? sc_unit_parse(c, p->unit, strlen(p->unit), &want) : NULL;
  sim_bug_assert(!wrong && "descriptors have good units");
  *num = *den = 1;
  if (!*q->unit) {
    if ((sc_unit_is_number(&want) && want.num == want.den) || sc_unit_is_count(&want)) return true;
    expected(c, node, 0, length, p, path);
    return false;
  }
  wrong = sc_unit_parse(c, q->unit, strlen(q->unit), &given);
  if (wrong || !sc_unit_same(&given, &want)) {
    struct sc_names units = {.c = c};
    sc_names_add_words(&units, "days weeks months years min h s day week month year hours minutes");
    if (p->unit) sc_names_add(&units, p->unit);
    const char *hint = sc_names_have(&units, q->unit) ? "" : sc_names_hint(&units, q->unit);
    if (strncmp(hint, "; did", 5) != 0) hint = "";
    sc_error_at(c, node, q->unit_at, path, "expected %s, found `%.*s`%s%s%s", sc_unit_expects(c, p->unit), (int)length,
                node->text, wrong ? ": " : "", wrong ? wrong : "", hint);
    return false;
  }
  *num = given.num * want.den;
  *den = given.den * want.num;
  if (*num == *den) *num = *den = 1;
  return true;
}

bool sc_quantity(struct sc *c, const struct sc_node *node, size_t length, const struct sim_param *p, const char *path,
                 struct sim_value *out) {
  struct quantity q = {0};
  out->form = SIM_ABSENT;
  size_t from = skip(node->text, 0, length);
  if ((p->flags & SIM_NULLABLE) && length - from == 9 && memcmp(node->text + from, "unlimited", 9) == 0) {
    out->form = SIM_NUMBER;
    out->number = out->low = out->high = INFINITY;
    out->written = "unlimited";
    return true;
  }
  if (!read_quantity(c, node->text, length, &q)) {
    expected(c, node, 0, length, p, path);
    return false;
  }
  double num, den;
  if (!conversion(c, node, length, &q, p, path, &num, &den)) return false;
  out->number = q.number * q.magnitude * num / den;
  out->ranged = q.ranged;
  out->low = q.ranged ? q.low * q.magnitude * num / den : out->number;
  out->high = q.ranged ? q.high * q.magnitude * num / den : out->number;
  out->written = quantity_text(c, &q, true);
  if (!isfinite(out->number) || !isfinite(out->low) || !isfinite(out->high)) {
    sc_error(c, node, path, "`%.*s` is too large", (int)length, node->text);
    return false;
  }
  if (q.ranged && (p->flags & SIM_NO_RANGE)) {
    sc_error(c, node, path, "this number may not have a range");
    return false;
  }
  if (q.ranged && q.low > q.high) {
    sc_error(c, node, path, "the ends of the range are in the wrong order: `%.*s`", (int)length, node->text);
    return false;
  }
  if (!within(c, node, p, path, out->number, "the value")) return false;
  if (q.ranged && (!within(c, node, p, path, out->low, "the low end of the range") ||
                   !within(c, node, p, path, out->high, "the high end of the range")))
    return false;
  out->form = SIM_NUMBER;
  return true;
}

/* A range that stands alone is put behind the value, its numbers first brought to the value's unit. */
bool sc_range(struct sc *c, const struct sc_node *node, const struct sim_param *p, const char *path,
              struct sim_value *out) {
  const char *text = node->text;
  size_t length = trim(text, 0, strlen(text)), at = skip(text, 0, length);
  const char *dots = strstr(text, "..");
  struct quantity q = {0}, value = {0};
  size_t low_length = dots ? trim(text, at, (size_t)(dots - text)) : 0, high_at = dots ? (size_t)(dots - text) + 2 : 0;
  bool good = dots && read_number(text + at, low_length - at, &q.low) == low_length - at;
  good = good && read_quantity(c, text + high_at, length - high_at, &q) && !q.ranged;
  if (!good) {
    sc_error(c, node, path, "expected a range such as `10..60 %%`, found `%s`", text);
    return false;
  }
  sim_bug_assert(read_quantity(c, out->written, strlen(out->written), &value));
  value.ranged = true;
  value.low = q.low;
  value.high = q.number;
  if (*q.unit || *q.word) { /* its own unit: the value is told in it */
    double num, den;
    q.unit_at += high_at;
    if (!conversion(c, node, length, &q, p, path, &num, &den)) return false;
    if (strcmp(q.unit, value.unit) != 0 || q.magnitude != value.magnitude) {
      double value_num = 1, value_den = 1;
      struct sc_node told = *node;
      told.text = out->written;
      if (!conversion(c, &told, strlen(told.text), &value, p, path, &value_num, &value_den)) return false;
      double to = num * value_den * q.magnitude, from = den * value_num * value.magnitude;
      value.low = value.low * to / from;
      value.high = value.high * to / from;
    }
  }
  struct sc_node whole = *node;
  whole.text = quantity_text(c, &value, true);
  return sc_quantity(c, &whole, strlen(whole.text), p, path, out);
}

const char *sc_scaled(struct sc *c, const char *text, double factor) {
  struct quantity q = {0};
  if (!read_quantity(c, text, strlen(text), &q)) return text;
  q.number *= factor;
  q.low *= factor;
  q.high *= factor;
  return quantity_text(c, &q, true);
}

/* ---- moments, predicates, rules --------------------------------------------------------------------------------- */

static struct sc_node *slice(struct sc *c, const struct sc_node *node, size_t at, size_t end) {
  struct sc_node *part = sc_node_scalar(c, node->key, sc_copy(c, node->text + at, end - at), node);
  part->column = node->column ? node->column + (unsigned)at : 0;
  return part;
}

static bool digits(const char *text, size_t n, int *out) {
  *out = 0;
  for (size_t i = 0; i < n; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    *out = *out * 10 + (text[i] - '0');
  }
  return true;
}

/* Days from 1970-01-01 (Hinnant 2013, days_from_civil). */
static double civil(int y, int m, int d) {
  y -= m <= 2;
  int era = (y >= 0 ? y : y - 399) / 400;
  int yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097.0 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

bool sc_date(const char *text, size_t length, double *days) {
  static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int y, m, d, hour = 0, minute = 0, second = 0;
  if (length != 10 && length != 16 && length != 19) return false;
  if (!digits(text, 4, &y) || text[4] != '-' || !digits(text + 5, 2, &m) || text[7] != '-' || !digits(text + 8, 2, &d))
    return false;
  bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
  if (m < 1 || m > 12 || d < 1 || d > month_days[m - 1] + (m == 2 && leap)) return false;
  if (length > 10 && ((text[10] != 'T' && text[10] != ' ') || !digits(text + 11, 2, &hour) || text[13] != ':' ||
                      !digits(text + 14, 2, &minute)))
    return false;
  if (length > 16 && (text[16] != ':' || !digits(text + 17, 2, &second))) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  *days = civil(y, m, d) + (hour * 3600 + minute * 60 + second) / 86400.0;
  return true;
}

/* name.name; its length, or 0. */
static size_t signal_length(const char *text, size_t length) {
  size_t n = 0, dot = 0;
  while (n < length && strchr("abcdefghijklmnopqrstuvwxyz0123456789_.", text[n])) {
    if (text[n] == '.') {
      if (dot) return 0;
      dot = n;
    }
    n++;
  }
  return dot && sc_is_name(text, dot) && sc_is_name(text + dot + 1, n - dot - 1) ? n : 0;
}

bool sc_looks_like_moment(const char *text) {
  size_t length = strlen(text);
  int year;
  return strncmp(text, "day ", 4) == 0 || strncmp(text, "actual ", 7) == 0 || signal_length(text, length) > 0 ||
         (length >= 10 && digits(text, 4, &year) && text[4] == '-');
}

static const struct sim_param offset_param = {
    .name = "offset", .kind = SIM_QUANTITY, .flags = SIM_NO_RANGE, .unit = "day"};

/* " + 3 days" at text[at..end): adds to *days and appends to the canonical text. */
static bool offset(struct sc *c, const struct sc_node *node, size_t at, size_t end, const char *path, double *days,
                   const char **written) {
  at = skip(node->text, at, end);
  if (at == end) return true;
  if (node->text[at] != '+') {
    sc_error_at(c, node, at, path, "expected `+` and a duration, found `%.*s`", (int)(end - at), node->text + at);
    return false;
  }
  at = skip(node->text, at + 1, end);
  struct sc_node *part = slice(c, node, at, end);
  struct sim_value v = {0};
  if (!sc_quantity(c, part, strlen(part->text), &offset_param, path, &v)) return false;
  *days += v.number;
  *written = sc_printf(c, "%s + %s", *written, v.written);
  return true;
}

bool sc_predicate(struct sc *c, const struct sc_node *node, size_t at, size_t length, const char *path,
                  struct sim_value *out) {
  const char *text = node->text;
  size_t end = trim(text, 0, length), from = at = skip(text, at, end), n = signal_length(text + at, end - at);
  if (n == 0) goto wrong;
  out->text = sc_copy(c, text + at, n);
  at = skip(text, at + n, end);
  if (at >= end || !strchr("<>=", text[at])) goto wrong;
  bool equal = at + 1 < end && text[at + 1] == '=';
  out->op = text[at] == '=' ? '=' : text[at] == '>' ? (equal ? 'g' : '>') : (equal ? 'l' : '<');
  const char *op = out->op == 'g' ? ">=" : out->op == 'l' ? "<=" : text[at] == '=' ? "=" : text[at] == '<' ? "<" : ">";
  at = skip(text, at + 1 + equal, end);
  struct quantity q = {0};
  if (!read_quantity(c, text + at, end - at, &q) || q.ranged) goto wrong;
  out->share = strcmp(q.unit, "%") == 0;
  struct sc_unit unit;
  if (*q.unit && !out->share && (sc_unit_parse(c, q.unit, strlen(q.unit), &unit) || !sc_unit_is_count(&unit)))
    goto wrong;
  out->number = out->low = out->high = q.number * q.magnitude / (out->share ? 100 : 1);
  if (out->number < 0 || (out->share && out->number > 1)) {
    sc_error_at(c, node, at, path, "a threshold must be %s, found `%.*s`",
                out->share ? "between 0 % and 100 %" : "at least 0", (int)(end - at), text + at);
    return false;
  }
  out->form = SIM_TEST;
  out->written = sc_printf(c, "%s %s %s", out->text, op, quantity_text(c, &q, false));
  return true;
wrong:
  sc_error_at(c, node, from, path, "expected a condition such as `outbreak.ill > 1 %%`, found `%.*s`",
              (int)(end - from), text + from);
  return false;
}

static bool actual(struct sc *c, const struct sc_node *node, size_t end, const char *path, struct sim_value *out) {
  size_t plus = 7;
  while (plus < end && node->text[plus] != '+') plus++;
  struct sim_value *test = sc_alloc(c, sizeof *test);
  *test = (struct sim_value){.param = out->param, .name = "", .path = path, .source = out->source, .mark = out->mark};
  if (!sc_predicate(c, node, 7, plus, path, test)) return false;
  out->form = SIM_ACTUAL;
  out->items = test;
  out->n = 1;
  out->number = 0;
  out->written = sc_printf(c, "actual %s", test->written);
  return offset(c, node, plus, end, path, &out->number, &out->written);
}

bool sc_moment(struct sc *c, const struct sc_node *node, size_t length, const char *path, struct sim_value *out) {
  const char *text = node->text;
  size_t end = trim(text, 0, length), n;
  double days;
  out->number = 0;
  if (end > 7 && memcmp(text, "actual ", 7) == 0) return actual(c, node, end, path, out);
  if (end > 4 && memcmp(text, "day ", 4) == 0) {
    size_t at = skip(text, 4, end);
    n = read_number(text + at, end - at, &days);
    if (n == 0 || at + n != end || days < 0) {
      sc_error_at(c, node, at, path, "expected a day from 0 such as `day 30`, found `%.*s`", (int)end, text);
      return false;
    }
    out->number = days;
    out->written = sc_printf(c, "day %s", sc_number(c, days));
  } else if (sc_date(text, end, &days)) {
    if (!c->dated || days < c->start) {
      sc_error(c, node, path, c->dated ? "`%.*s` is before `start`" : "the date `%.*s` needs the key `start`", (int)end,
               text);
      return false;
    }
    out->number = days - c->start;
    out->written = sc_copy(c, text, end);
  } else if ((n = signal_length(text, end)) > 0) {
    out->text = out->written = sc_copy(c, text, n);
    if (!offset(c, node, n, end, path, &out->number, &out->written)) return false;
  } else {
    sc_error(c, node, path,
             "expected a moment such as `day 30`, `2027-03-01` or `clinics.alarm + 3 days`, found `%.*s`", (int)end,
             text);
    return false;
  }
  out->form = SIM_AT;
  return true;
}

bool sc_rule(struct sc *c, const struct sc_node *node, size_t length, const struct sim_param *p, const char *path,
             struct sim_value *out) {
  static const struct sim_param window_param = {
      .name = "window", .kind = SIM_QUANTITY, .unit = "day", .flags = SIM_NO_RANGE | SIM_OPEN_MIN};
  static const struct sim_param count_param = {
      .name = "count", .kind = SIM_QUANTITY, .flags = SIM_NO_RANGE | SIM_INTEGER};
  const char *text = node->text, *noun = p->unit ? p->unit : "report";
  size_t end = trim(text, 0, length), at = 0;
  while (at + 4 < end && memcmp(text + at, " in ", 4) != 0) at++;
  struct sim_param count = count_param;
  count.unit = noun;
  struct sim_value number = {0}, window = {0};
  double first;
  if (at + 4 >= end || read_number(text, end, &first) == 0) {
    sc_error(c, node, path, "expected a rule such as `5 %ss in 7 days`, found `%.*s`", noun, (int)end, text);
    return false;
  }
  struct sc_node *left = slice(c, node, 0, trim(text, 0, at)), *right = slice(c, node, skip(text, at + 4, end), end);
  if (!sc_quantity(c, left, strlen(left->text), &count, path, &number)) return false;
  if (!sc_quantity(c, right, strlen(right->text), &window_param, path, &window)) return false;
  if (!strchr(number.written, ' ')) {
    sc_error(c, left, path, "of what? Expected a rule such as `5 %ss in 7 days`, found `%.*s`", noun, (int)end, text);
    return false;
  }
  out->form = SIM_COUNTING;
  out->number = number.number;
  out->low = window.number;
  out->high = window.number;
  out->text = noun;
  out->written =
      sc_printf(c, "%s %s%s in %s", sc_number(c, number.number), noun, number.number == 1 ? "" : "s", window.written);
  return true;
}
