/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON Schema (draft 2020-12) of the language, from the tables: for editors, which show `patternErrorMessage`. It knows
 * forms, not meanings: references, `like` of a sibling and arms pass it, and `airesim check` judges them. */
#include "sim/scenario/expand.h"
#include "sim/scenario/like.h"
#include "sim/scenario/presets.h"
#include "sim/scenario/scalar.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/sections.h"
#include "sim/scenario/units.h"
#include <string.h>

#define ANY_TEXT "^(null|~|x +[0-9.eE+-]+|\\\\$.*)$"
#define DOTTED   "\"^[a-z*][a-z0-9_]*(\\\\.[a-z*][a-z0-9_]*)+$\": {}"
#define NAME     "\"^[a-z][a-z0-9_]*$\""

struct out {
  struct sc *c;
  struct sc_text text;
};

static void put_string(struct out *o, const char *text) {
  sc_text_add(&o->text, "\"");
  for (; text && *text; text++) {
    if (*text == '"' || *text == '\\')
      sc_text_add(&o->text, "\\%c", *text);
    else if ((unsigned char)*text < 0x20)
      sc_text_add(&o->text, " ");
    else
      sc_text_add(&o->text, "%c", *text);
  }
  sc_text_add(&o->text, "\"");
}

static void put_param(struct out *o, const struct sim_param *p);

/* Text with a pattern; references, factors and null pass everywhere. A bare number, which no pattern binds, only where
 * there is no unit to miss. */
static void put_text(struct out *o, const char *pattern, const char *message, bool number) {
  sc_text_add(&o->text,
              "{\"type\": [\"string\", %s\"null\"], \"anyOf\": [{\"pattern\": \"%s\", "
              "\"patternErrorMessage\": ",
              number ? "\"number\", " : "", pattern);
  put_string(o, message);
  sc_text_add(&o->text, "}, {\"pattern\": \"" ANY_TEXT "\"}]}");
}

static void put_pattern(struct out *o, const char *pattern, const char *message) {
  put_text(o, pattern, message, false);
}

static const char *words_pattern(struct sc *c, const char *words) {
  struct sc_text t = {.c = c};
  sc_text_add(&t, "^(");
  for (; words && *words; words++) sc_text_add(&t, "%c", *words == ' ' ? '|' : *words);
  sc_text_add(&t, ")$");
  return t.at;
}

/* Names of the calls that a descriptor takes, as alternatives. */
static const char *calls_pattern(struct sc *c, const struct sim_param *p) {
  const struct sim_call *tables[] = {p->kind == SIM_LAW_CALL ? sim_laws : p->calls,
                                     p->kind == SIM_CALL ? p->more_calls : NULL};
  struct sc_text t = {.c = c};
  sc_text_add(&t, "^(");
  for (size_t k = 0; k < 2; k++)
    for (const struct sim_call *call = tables[k]; call && call->name; call++)
      sc_text_add(&t, "%s%s", t.n > 2 ? "|" : "", call->name);
  sc_text_add(&t, ")( .*)?$");
  return t.at;
}

static void put_quantity(struct out *o, const struct sim_param *p) {
  const char *expects = sc_printf(o->c, "expected %s", sc_unit_expects(o->c, p->unit));
  put_text(o, sc_unit_pattern(o->c, p->unit), expects, !p->unit || strcmp(p->unit, "1") == 0);
  if (p->flags & SIM_NULLABLE) sc_text_add(&o->text, ", {\"const\": \"unlimited\"}");
  if (p->choices) sc_text_add(&o->text, ", {\"pattern\": \"%s\"}", words_pattern(o->c, p->choices));
  if (p->refers) sc_text_add(&o->text, ", {\"type\": \"string\", \"pattern\": \"^[a-z][a-z0-9_.]*$\"}");
  sc_text_add(&o->text, ", {\"type\": \"object\"}");
}

static void put_scalar(struct out *o, const struct sim_param *p) {
  static const char moment[] =
      "^(day +[0-9.]+|[0-9]{4}-[0-9]{2}-[0-9]{2}.*|actual .*|[a-z][a-z0-9_]*\\\\.[a-z][a-z0-9_]*.*)$";
  static const char moment_says[] = "expected a moment such as `day 30`, `2027-03-01` or `clinics.alarm + 3 days`";
  switch (p->kind) {
  case SIM_QUANTITY:
    put_quantity(o, p);
    break;
  case SIM_LAW_CALL:
    put_quantity(o, p);
    sc_text_add(&o->text, ", ");
    put_pattern(o, calls_pattern(o->c, p), "expected a distribution such as `gamma mean 2 days cv 0.5`");
    break;
  case SIM_CALL:
    put_pattern(o, calls_pattern(o->c, p), sc_printf(o->c, "expected one of the forms of `%s`", p->name));
    sc_text_add(&o->text, ", {\"pattern\": \"^[+.0-9-]\", \"type\": [\"string\", \"number\"]}, {\"type\": \"object\"}");
    if (p->flags & SIM_OR_MOMENT) {
      sc_text_add(&o->text, ", ");
      put_pattern(o, moment, moment_says);
    }
    break;
  case SIM_MOMENT:
    put_pattern(o, moment, moment_says);
    break;
  case SIM_PREDICATE:
    put_pattern(o, "^[a-z][a-z0-9_]*\\\\.[a-z][a-z0-9_]* *(<|>|<=|>=|=) *[0-9.]",
                "expected a condition such as `outbreak.ill > 1 %`");
    break;
  case SIM_RULE:
    put_pattern(o, "^[0-9]+ +[a-z]+ +in +[0-9.]+ *[a-z]+( *@[a-z][a-z0-9_]*)?$",
                "expected a rule such as `5 reports in 7 days`");
    break;
  case SIM_CHOICE:
    put_pattern(o, words_pattern(o->c, p->choices), sc_printf(o->c, "expected one of: %s", p->choices));
    break;
  case SIM_REF:
    put_pattern(o, "^[a-z][a-z0-9_.*]*$", "expected a name or path in this scenario");
    if (strcmp(p->refers, "parameter") == 0) sc_text_add(&o->text, ", {\"type\": \"object\"}");
    break;
  default:
    sc_text_add(&o->text, "{\"type\": [\"string\", \"number\", \"null\"]}");
    break;
  }
}

/* Properties of a table; what every mapping may hold is added. */
static void put_table(struct out *o, const struct sim_param *table) {
  sc_text_add(&o->text,
              "\"type\": [\"object\", \"null\"], \"additionalProperties\": false, \"patternProperties\": {" DOTTED "}, "
              "\"properties\": {\"like\": {\"type\": \"string\"}, \"source\": {\"type\": \"string\"}");
  for (const struct sim_param *p = table; p && p->name; p++) {
    sc_text_add(&o->text, ",\n");
    put_string(o, p->name);
    sc_text_add(&o->text, ": ");
    put_param(o, p);
  }
  sc_text_add(&o->text, "}");
}

/* One `if like is a name of this model then its keys` a model; names that only the scenario knows pass. */
static void put_entry(struct out *o, const char *section, const struct sc_library *library) {
  const struct sim_model *only;
  sc_model_find(section, NULL, &only);
  if (only) {
    sc_text_add(&o->text, "{\"$ref\": \"#/$defs/%s\"}", only->name);
    return;
  }
  sc_text_add(&o->text, "{\"type\": [\"object\", \"null\"], \"allOf\": [");
  bool first = true;
  for (const struct sim_model *const *m = sim_models; *m; m++) {
    if (strcmp((*m)->section, section) != 0) continue;
    sc_text_add(&o->text, "%s\n{\"if\": {\"required\": [\"like\"], \"properties\": {\"like\": {\"enum\": [\"%s\"",
                first ? "" : ",", (*m)->name);
    const struct sc_node *presets = sc_library_presets(library, section);
    for (size_t i = 0; presets && i < presets->n; i++) {
      const struct sc_node *entry = presets->items[i];
      struct sc_node *resolved = sc_like_entry(o->c, presets, entry, section, true, section);
      if (resolved && resolved->model == *m) sc_text_add(&o->text, ", \"%s\"", entry->key);
    }
    sc_text_add(&o->text, "]}}}, \"then\": {\"$ref\": \"#/$defs/%s\"}}", (*m)->name);
    first = false;
  }
  sc_text_add(&o->text, "]}");
}

static void put_param(struct out *o, const struct sim_param *p) {
  sc_text_add(&o->text, "{\"description\": ");
  put_string(o, p->doc ? p->doc : "");
  sc_text_add(&o->text, ", ");
  if (p->kind == SIM_FIELDS && p->fields) {
    put_table(o, p->fields);
  } else if (p->kind == SIM_MODEL) {
    sc_text_add(&o->text, "\"allOf\": [");
    put_entry(o, p->section, o->c->library);
    sc_text_add(&o->text, "]");
  } else if (p->kind == SIM_NAMES) {
    bool patch = sc_is_patch(p->fields);
    sc_text_add(&o->text,
                "\"type\": [\"object\", \"null\"], \"additionalProperties\": false, \"patternProperties\": {" DOTTED
                ", " NAME ": ");
    if (patch)
      sc_text_add(&o->text, "{\"type\": [\"object\", \"null\"]}");
    else if (p->fields->kind == SIM_MODEL)
      put_entry(o, p->fields->section, o->c->library);
    else
      put_param(o, p->fields);
    sc_text_add(&o->text, "}");
  } else {
    sc_text_add(&o->text, "\"anyOf\": [");
    put_scalar(o, p);
    if (p->flags & (SIM_LIST | SIM_OR_MOMENT)) {
      sc_text_add(&o->text, ", {\"type\": \"array\", \"items\": {\"anyOf\": [");
      put_scalar(o, p);
      sc_text_add(&o->text, "]}}");
    }
    sc_text_add(&o->text, "]");
  }
  sc_text_add(&o->text, "}");
}

static void put_schema(struct out *o) {
  sc_text_add(&o->text, "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n\"title\": \"airesim "
                        "scenario\",\n\"$defs\": {");
  bool first = true;
  for (const struct sim_model *const *m = sim_models; *m; m++) {
    sc_text_add(&o->text, "%s\"%s\": {\"description\": ", first ? "\n" : ",\n", (*m)->name);
    put_string(o, (*m)->doc);
    sc_text_add(&o->text, ", ");
    put_table(o, (*m)->params);
    sc_text_add(&o->text, "}");
    first = false;
  }
  sc_text_add(&o->text, "},\n\"required\": [\"airesim\"],\n");
  put_table(o, sc_root.fields);
  sc_text_add(&o->text, "}\n");
}

char *sim_schema_json(void) {
  struct sc_arena arena = {NULL};
  struct sc_library library = {.arena = &arena};
  jmp_buf unwind;
  struct sc c = {.arena = &arena, .unwind = &unwind, .library = &library};
  char *volatile out = NULL;
  if (setjmp(unwind) == 0) {
    struct out o = {&c, {.c = &c}};
    sc_library_load(&c, &library);
    put_schema(&o);
    out = sim_strdup(o.text.at);
  }
  sc_arena_free(&arena);
  return out;
}
