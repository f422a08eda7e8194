/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Descriptors and bound values: what a scenario may say, and what it said.
 *
 * Every section and every model declares its keys in one table of `struct sim_param`. From that table come parsing,
 * checks, --set, `airesim models`, the JSON Schema, the reference pages and the attributes in the results, so a key has
 * one name everywhere. The scenario layer reads YAML, applies `like`, patches and arms, checks each scalar against its
 * descriptor and hands the engine a tree of `struct sim_value`: typed, in canonical units, with a path and a mark for
 * messages. The engine and the models never see YAML.
 *
 * Canonical units: time in days; rates per day; shares and percentages as fractions (unit "1"); money in the scenario's
 * currency ("currency"); counts in their noun. */
#ifndef SIM_CORE_PARAM_H
#define SIM_CORE_PARAM_H
#include "sim/core/err.h"
#include <stdbool.h>
#include <stdint.h>

enum sim_kind {
  SIM_QUANTITY = 1, /* number, unit, (range), @source */
  SIM_LAW_CALL,     /* a distribution from sim_laws; a bare quantity is that fixed amount */
  SIM_CALL,         /* one of .calls: name, then parameter-quantity pairs */
  SIM_MOMENT,       /* day 30 | 2027-03-01 | clinics.alarm + 3 days | actual outbreak.ill > 1 % */
  SIM_PREDICATE,    /* outbreak.ill > 1 % | power.down = 0 */
  SIM_RULE,         /* 5 reports in 7 days */
  SIM_CHOICE,       /* one of .choices */
  SIM_REF,          /* a name or path in this scenario; .refers says of what */
  SIM_TEXT,         /* free text */
  SIM_FILE,         /* a path, beside or below the scenario's directory; bound to an absolute path */
  SIM_FIELDS,       /* a mapping of the fixed keys in .fields */
  SIM_NAMES,        /* a mapping of the user's names; each value is described by .fields[0] */
  SIM_MODEL /* an entry whose keys are its model's params: .fields[0] of a SIM_NAMES section, or a section that is
               one entry itself */
};

enum sim_param_flag {
  SIM_REQUIRED = 1 << 0, /* no default: an error when absent (fallback must be NULL) */
  SIM_LIST = 1 << 1,     /* also a list [a, b] of such values (one value is a list of one) */
  SIM_BY_GROUP = 1 << 2, /* a quantity may be a mapping from groups of people to quantities */
  SIM_BY_TIME = 1 << 3,  /* a quantity may be a mapping {day 0: 10, day 3: 70}: steps */
  SIM_NO_RANGE = 1 << 4, /* a structural number: no (low..high) ranges */
  SIM_INTEGER = 1 << 5,  /* a quantity that must be whole */
  SIM_OPEN_MIN = 1 << 6, /* min itself is excluded (> 0) */
  SIM_SIGNED = 1 << 7,
  SIM_NULLABLE = 1 << 8, /* the word `unlimited` (quantities) is allowed: +inf */
  SIM_FIRST = 1 << 9,    /* in a call: this parameter's name may be left out */
  SIM_OR_MOMENT =
      1 << 10,            /* a SIM_CALL that may also be a moment, or a list of moments (arrivals: [day 90, day 400]) */
  SIM_BY_FAMILY = 1 << 11 /* a quantity may be a mapping from families of incidents to quantities (SIM_GROUPS) */
};

/* Families and origins of incidents: one list for the incidents and for what goes by them. */
#define SIM_FAMILIES "biological misinformation cyber infrastructure fraud economic psychological institutional other"
#define SIM_ORIGINS  "misuse accident autonomous"

/* One key. Tables end with name NULL. Strings are static. */
struct sim_param {
  const char *name;
  enum sim_kind kind;
  unsigned flags;
  const char *unit;     /* quantity, law: canonical unit: "day", "1/day", "1" (share; written with % or as a number),
                           "currency", "currency/day", "currency/<noun>", "people", "report", "1/day", "h/day", ... A
                           noun stands for itself, dimension of a count. NULL: dimensionless number */
  const char *fallback; /* default as scenario text ("14 days", "susceptible"); NULL: absent unless given */
  double min, max;      /* hard limits in canonical units; both 0: none but non-negative unless SIM_SIGNED */
  const char *refers;   /* SIM_REF: "layer", "layer|people" (population), "hazard", "state" (of hazard: outbreak.ill),
                           "own_state" (a state of this entry), "own_transition", "transition", "team", "sensor",
                           "group", "population", "observable", "knob", "arm", "entry" (any instance).
                           A SIM_QUANTITY with `refers` accepts such a name as well (form SIM_NAME): `nodes: people` */
  const char *choices;  /* SIM_CHOICE: "fifo lifo priority" separated by spaces */
  const struct sim_call *calls; /* SIM_CALL: the names. A bare quantity means calls[0] with its SIM_FIRST parameter */
  const struct sim_call *more_calls; /* SIM_CALL: a second table (such as sim_laws), or NULL */
  const struct sim_param *fields;    /* SIM_FIELDS: the table; SIM_NAMES: one descriptor of the entries */
  const char *section;               /* SIM_MODEL: the section whose models may stand here */
  const char *beside; /* the key beside which alone this one means something, or NULL: without it, this one
                         has no default and may not be given */
  const char *source; /* key of the bibliography for the default, or NULL (assumed) */
  const char *doc;    /* one sentence for reference pages, with units where they matter */
};

/* One callable name (a law, a graph generator). Tables end with name NULL. */
struct sim_call {
  const char *name;
  const struct sim_param *params;
  const char *doc; /* one sentence and the source (author, year) */
};

enum sim_form {
  SIM_ABSENT = 0, /* not given and no default */
  SIM_NUMBER,     /* number, low, high, ranged */
  SIM_CALLED,     /* text = name of the call; items = one value per parameter of that call, in table order */
  SIM_AT,         /* moment: text NULL: `number` days after the start; else signal `text`, plus `number` days */
  SIM_ACTUAL,     /* moment on the truth: items[0] is the predicate, plus `number` days */
  SIM_TEST,     /* predicate: text = observable's path, op, number; share: the threshold is a share of its population*/
  SIM_COUNTING, /* rule: number = count, low = window in days; text = the noun */
  SIM_NAME,     /* choice, reference, text, file: text */
  SIM_ITEMS,    /* list: items */
  SIM_MAPPING,  /* fields in table order, or names sorted by strcmp: items */
  SIM_GROUPS,   /* by group or family: items named by it, sorted */
  SIM_STEPS     /* by time: items in time order; items[i].low = start in days, items[i].number = value */
};

struct sim_model;

/* A bound value. Immutable; owned by the scenario layer; lives as long as the world built from it. */
struct sim_value {
  const struct sim_param *param;
  const struct sim_model *model; /* SIM_MODEL entries: the model at the root of the chain of `like` */
  const char *name;              /* its key; "" for list items */
  const char *path;              /* "hazards.flu.latent.mean" */
  const char *source;            /* source key in force: "assumed", "flu1978", ... */
  const char *text;
  const char *written; /* canonical text of a scalar, as check --expand prints it */
  enum sim_form form;
  char op; /* predicate: '>', '<', 'g' (>=), 'l' (<=), '=' */
  bool ranged, share;
  double number, low, high;
  struct sim_value *items;
  size_t n;
  struct sim_mark mark;
};

/* Child of a mapping, call or group by name. The fields of a SIM_FIELDS or SIM_MODEL mapping always exist (form
 * SIM_ABSENT when not given), so for these the result is never NULL; an undeclared name is a bug and aborts. */
const struct sim_value *sim_value_get(const struct sim_value *map, const char *name);
/* Child of a SIM_NAMES mapping or of groups, or NULL. */
const struct sim_value *sim_value_find(const struct sim_value *map, const char *name);
/* Shorthands for fields: number (aborts if absent and no default), text or NULL, presence. */
double sim_value_number(const struct sim_value *map, const char *name);
double sim_value_number_or(const struct sim_value *map, const char *name, double otherwise);
const char *sim_value_text(const struct sim_value *map, const char *name);
bool sim_value_has(const struct sim_value *map, const char *name);
/* A field as a list: *n items (one value counts as a list of one; absent: 0). */
const struct sim_value *sim_value_list(const struct sim_value *map, const char *name, size_t *n);
/* Step function value at `days` for SIM_STEPS (0 before the first step) or SIM_NUMBER. */
double sim_value_at(const struct sim_value *v, double days);
#endif
