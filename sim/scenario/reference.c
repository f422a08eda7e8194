/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reference of every key, from the tables, as Markdown and as text. A key without a word of documentation is marked
 * UNDOCUMENTED, so that a test can find it. */
#include "sim/scenario/expand.h"
#include "sim/scenario/like.h"
#include "sim/scenario/presets.h"
#include "sim/scenario/scalar.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/sections.h"
#include <string.h>

struct page {
  struct sc *c;
  struct sc_text text;
};

static const char *documented(const char *doc) {
  return doc && *doc ? doc : "UNDOCUMENTED";
}

static const char *kind_text(struct sc *c, const struct sim_param *p) {
  const char *unit = !p->unit ? "number" : strcmp(p->unit, "1") == 0 ? "share" : p->unit;
  switch (p->kind) {
  case SIM_QUANTITY:
    return sc_printf(c, "%s%s%s%s%s%s", unit, p->flags & SIM_BY_GROUP ? ", by group" : "",
                     p->flags & SIM_BY_FAMILY ? ", by family of incidents" : "",
                     p->flags & SIM_BY_TIME ? ", by time" : "", p->refers ? ", or " : "", p->refers ? p->refers : "");
  case SIM_LAW_CALL:
    return sc_printf(c, "law (%s)", unit);
  case SIM_CALL:
    return p->flags & SIM_OR_MOMENT ? "call, or moments" : "call";
  case SIM_MOMENT:
    return "moment";
  case SIM_PREDICATE:
    return "condition";
  case SIM_RULE:
    return "count rule";
  case SIM_CHOICE:
    return sc_printf(c, "one of: %s", p->choices);
  case SIM_REF:
    return sc_printf(c, "name: %s", p->refers);
  case SIM_TEXT:
    return "text";
  case SIM_FILE:
    return "file";
  case SIM_FIELDS:
  case SIM_MODEL:
    return "mapping";
  default:
    return "mapping of names";
  }
}

static const char *limits_text(struct sc *c, const struct sim_param *p) {
  bool number = p->kind == SIM_QUANTITY;
  if (!number || (p->min == 0 && p->max == 0)) return number && (p->flags & SIM_OPEN_MIN) ? "> 0" : "";
  const char *low = sc_number(c, p->min), *open = p->flags & SIM_OPEN_MIN ? "> " : ">= ";
  return p->max > p->min ? sc_printf(c, "%s%s, <= %s", open, low, sc_number(c, p->max))
                         : sc_printf(c, "%s%s", open, low);
}

/* A cell of a table: `|` would end it. */
static const char *cell(struct sc *c, const char *text) {
  struct sc_text t = {.c = c};
  for (; *text; text++) sc_text_add(&t, *text == '|' ? "\\|" : "%c", *text);
  return t.at ? t.at : "";
}

static void put_keys(struct page *page, const struct sim_param *table, const char *prefix) {
  struct sc *c = page->c;
  for (const struct sim_param *p = table; p && p->name; p++) {
    const char *standard = p->flags & SIM_REQUIRED ? "required" : p->fallback ? sc_printf(c, "`%s`", p->fallback) : "";
    const char *list = p->flags & SIM_LIST ? ", or a list" : "";
    const char *beside = p->beside ? sc_printf(c, "With `%s`. ", p->beside) : "";
    sc_text_add(&page->text, "| `%s%s` | %s%s | %s | %s | %s%s%s%s |\n", prefix, p->name, cell(c, kind_text(c, p)),
                list, cell(c, standard), limits_text(c, p), beside, cell(c, documented(p->doc)), p->source ? " @" : "",
                p->source ? p->source : "");
    if (p->kind == SIM_FIELDS && p->fields) put_keys(page, p->fields, sc_printf(c, "%s%s.", prefix, p->name));
    const struct sim_param *entry = p->kind == SIM_NAMES ? p->fields : NULL;
    while (entry && entry->kind == SIM_NAMES) entry = entry->fields;
    if (entry && entry->kind == SIM_FIELDS && entry->fields)
      put_keys(page, entry->fields, sc_printf(c, "%s%s.<%s>.", prefix, p->name, entry->name));
    else if (entry && entry->kind != SIM_MODEL && entry->kind != SIM_FIELDS) /* the value of a name */
      put_keys(page, (struct sim_param[]){*entry, {.name = NULL}}, sc_printf(c, "%s%s.<name>: ", prefix, p->name));
  }
}

static void put_head(struct page *page) {
  sc_text_add(&page->text, "| key | kind | default | limits | meaning |\n|---|---|---|---|---|\n");
}

static void put_calls(struct page *page, const char *title, const struct sim_call *calls) {
  sc_text_add(&page->text, "\n### %s\n\n", title);
  for (const struct sim_call *k = calls; k && k->name; k++) {
    sc_text_add(&page->text, "* `%s`", k->name);
    for (const struct sim_param *p = k->params; p && p->name; p++)
      sc_text_add(&page->text, " `%s`%s", p->name, p->flags & SIM_FIRST ? " (name may be left out)" : "");
    sc_text_add(&page->text, " — %s\n", documented(k->doc));
    for (const struct sim_param *p = k->params; p && p->name; p++)
      sc_text_add(&page->text, "  * `%s` (%s%s%s%s): %s\n", p->name,
                  p->unit && p->unit[0] == '@'       ? "unit of what it stands for"
                  : p->unit && strstr(p->unit, "/@") ? "one over the unit of what it stands for"
                                                     : kind_text(page->c, p),
                  p->fallback ? ", default " : "", p->fallback ? p->fallback : "",
                  p->flags & SIM_REQUIRED ? ", required" : "", documented(p->doc));
  }
}

/* The calls of a table's keys, each table once. */
static void put_own_calls(struct page *page, const struct sim_param *table) {
  for (const struct sim_param *p = table; p && p->name; p++) {
    const struct sim_param *inner = p->kind == SIM_FIELDS || p->kind == SIM_NAMES ? p->fields : NULL;
    if (p->kind == SIM_CALL && p->calls && p->calls != sim_graphs)
      put_calls(page, sc_printf(page->c, "Forms of `%s`", p->name), p->calls);
    if (inner && inner->kind != SIM_MODEL && !sc_is_patch(inner)) put_own_calls(page, inner);
  }
}

static void put_model(struct page *page, const struct sim_model *m) {
  sc_text_add(&page->text, "\n## `%s` (in `%s`)%s\n\n%s\n\n", m->name, m->section,
              m->experimental ? ", experimental" : "", documented(m->doc));
  if (m->params && m->params->name) {
    put_head(page);
    put_keys(page, m->params, "");
  }
  for (const struct sim_state_desc *s = m->states; s && s->name; s++)
    sc_text_add(&page->text, "%s* state `%s` (functionality %s): %s\n", s == m->states ? "\n" : "", s->name,
                sc_number(page->c, s->functionality), documented(s->doc));
  for (const struct sim_knob *k = m->knobs; k && k->name; k++)
    sc_text_add(&page->text, "%s* knob `%s` (factor %s to %s): %s\n", k == m->knobs ? "\n" : "", k->name,
                sc_number(page->c, k->min), sc_number(page->c, k->max), documented(k->doc));
  for (const struct sim_signal_desc *s = m->signals; s && s->name; s++)
    sc_text_add(&page->text, "%s* signal `%s`: %s\n", s == m->signals ? "\n" : "", s->name, documented(s->doc));
  for (const struct sim_output_desc *s = m->outputs; s && s->name; s++)
    sc_text_add(&page->text, "%s* output `%s` [%s]: %s\n", s == m->outputs ? "\n" : "", s->name,
                s->unit ? s->unit : "1", documented(s->doc));
  put_own_calls(page, m->params);
}

static void put_presets(struct page *page, const struct sc_library *library) {
  sc_text_add(&page->text, "\n# Presets\n\n");
  for (size_t i = 0; i < library->n_preset; i++) {
    const struct sc_node *root = library->preset[i];
    if (!root || strcmp(sc_presets[i].section, "bibliography") == 0) continue;
    for (size_t k = 0; k < root->n; k++) {
      const struct sc_node *like = sc_node_find(root->items[k], "like");
      sc_text_add(&page->text, "* `%s`: `%s`, like `%s`\n", sc_presets[i].section, root->items[k]->key,
                  like && like->text ? like->text : "");
    }
  }
  const struct sc_node *bibliography = sc_library_presets(library, "bibliography");
  sc_text_add(&page->text, "\n# Bibliography\n\n");
  for (size_t i = 0; bibliography && i < bibliography->n; i++)
    sc_text_add(&page->text, "* `@%s`: %s\n", bibliography->items[i]->key, bibliography->items[i]->text);
}

static void put_reference(struct page *page) {
  sc_text_add(&page->text, "# Reference of every key\n\nGenerated from the tables of the program (`airesim schema "
                           "--reference`). Defaults without a source are assumed.\n\n## The scenario\n\n");
  put_head(page);
  put_keys(page, sc_root.fields, "");
  put_own_calls(page, sc_root.fields);
  put_calls(page, "Laws (distributions)", sim_laws);
  put_calls(page, "Graphs", sim_graphs);
  sc_text_add(&page->text, "\n# Models\n");
  for (const struct sim_model *const *m = sim_models; *m; m++) put_model(page, *m);
  put_presets(page, page->c->library);
}

static void put_list(struct page *page) {
  for (size_t s = 0; sc_model_sections[s]; s++) {
    sc_text_add(&page->text, "%s\n", sc_model_sections[s]);
    for (const struct sim_model *const *m = sim_models; *m; m++)
      if (strcmp((*m)->section, sc_model_sections[s]) == 0)
        sc_text_add(&page->text, "  %-20s %s\n", (*m)->name, documented((*m)->doc));
    const struct sc_node *presets = sc_library_presets(page->c->library, sc_model_sections[s]);
    for (size_t i = 0; presets && i < presets->n; i++) {
      const struct sc_node *like = sc_node_find(presets->items[i], "like");
      sc_text_add(&page->text, "  %-20s preset, like %s\n", presets->items[i]->key,
                  like && like->text ? like->text : "");
    }
  }
  sc_text_add(&page->text, "society.layers\n");
  for (const struct sim_model *const *m = sim_models; *m; m++)
    if (strcmp((*m)->section, "layers") == 0)
      sc_text_add(&page->text, "  %-20s %s\n", (*m)->name, documented((*m)->doc));
}

/* Runs a writer in an arena of its own; the caller frees the text. NULL: out of memory. */
static char *written_by(void (*put)(struct page *page, const void *what), const void *what) {
  struct sc_arena arena = {NULL};
  struct sc_library library = {.arena = &arena};
  jmp_buf unwind;
  struct sc c = {.arena = &arena, .unwind = &unwind, .library = &library};
  char *volatile out = NULL;
  if (setjmp(unwind) == 0) {
    struct page page = {&c, {.c = &c}};
    sc_library_load(&c, &library);
    put(&page, what);
    out = sim_strdup(page.text.at ? page.text.at : "");
  }
  sc_arena_free(&arena);
  return out;
}

static void reference(struct page *page, const void *what) {
  (void)what;
  put_reference(page);
}

static void models(struct page *page, const void *what) {
  const char *name = what;
  if (!name) {
    put_list(page);
    return;
  }
  for (const struct sim_model *const *m = sim_models; *m; m++)
    if (strcmp((*m)->name, name) == 0) put_model(page, *m);
}

char *sim_reference_markdown(void) {
  return written_by(reference, NULL);
}

char *sim_models_text(const char *name_or_null) {
  bool known = !name_or_null;
  for (const struct sim_model *const *m = sim_models; *m; m++) known = known || strcmp((*m)->name, name_or_null) == 0;
  if (!known) return NULL;
  return written_by(models, name_or_null);
}
