/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The only file that includes libfyaml's header. */
#include "sim/scenario/yaml.h"
#include "sim/scenario/names.h"
#include <errno.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the text --------------------------------------------------------------------------------------------------- */

/* Length in bytes of the UTF-8 character at p (Unicode 15, table 3-7), or 0 if it is not one. */
static size_t utf8(const unsigned char *p, size_t left) {
  if (p[0] < 0x80) return 1;
  size_t n = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
  if (n == 0 || n > left) return 0;
  for (size_t i = 1; i < n; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  bool long_form = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
  bool outside = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
  return long_form || outside ? 0 : n;
}

static void text_error(struct sc *c, const struct sc_doc *doc, unsigned line, unsigned column, const char *text) {
  struct sc_node place = {.doc = doc, .line = line, .column = column};
  sc_error(c, &place, NULL, "%s", text);
}

/* Whether the text is one that YAML may hold; reports the first place where it is not. */
static bool readable(struct sc *c, const char *text, size_t length, const struct sc_doc *doc) {
  unsigned line = 1, column = 1;
  bool blank = true;
  for (size_t i = 0, n; i < length; i += n) {
    const unsigned char *p = (const unsigned char *)text + i;
    n = utf8(p, length - i);
    bool control = (*p < 0x20 && *p != '\n' && *p != '\t' && *p != '\r') || *p == 0x7f;
    if (n == 0 || control) {
      text_error(c, doc, line, column,
                 n == 0 ? "this is not a text: invalid UTF-8" : "this is not a text: it holds a control character");
      return false;
    }
    if (*p > ' ') blank = false;
    column = *p == '\n' ? 1 : column + 1;
    line += *p == '\n';
  }
  if (blank) text_error(c, doc, 1, 1, "the file is empty: a scenario begins with `airesim: 1`");
  return !blank;
}

char *sc_read_file(struct sc *c, const char *path, size_t *length, const struct sc_node *at, const char *at_path) {
  struct sc_doc doc = {.name = sc_copy(c, path, strlen(path))};
  struct sc_node whole = {.doc = &doc};
  if (!at) at = &whole;
  bool standard = strcmp(path, "-") == 0;
  FILE *file = standard ? stdin : fopen(path, "rb");
  if (!file) {
    sc_error(c, at, at_path, "cannot open `%s`: %s", path, strerror(errno));
    return NULL;
  }
  size_t cap = 0, n = 0;
  char *text = NULL;
  bool memory = true;
  for (size_t got = 1; got > 0 && n <= SC_SIZE_MAX;) {
    char *grown = sim_grow(text, &cap, n + 65536, 1);
    if (!(memory = grown != NULL)) break;
    text = grown;
    n += got = fread(text + n, 1, 65536, file);
  }
  int failed = ferror(file) ? errno : 0;
  if (!standard) fclose(file);
  char *copy = NULL;
  if (memory && n <= SC_SIZE_MAX && !failed) {
    copy = sc_alloc_or_null(c, n + 1);
    memory = copy != NULL;
    if (copy && n) memcpy(copy, text, n);
  }
  sim_free(text);
  if (!memory) sc_out_of_memory(c);
  if (failed)
    sc_error(c, at, at_path, "cannot read `%s`: %s", path, strerror(failed));
  else if (!copy)
    sc_error(c, at, at_path, "`%s` is larger than %d MB", path, SC_SIZE_MAX / (1024 * 1024));
  *length = n;
  return copy;
}

/* ---- events to nodes -------------------------------------------------------------------------------------------- */

struct builder {
  struct sc *c;
  const struct sc_doc *doc;
  struct sc_node *stack[SC_DEPTH_MAX + 1], *root;
  struct sc_node *key[SC_DEPTH_MAX + 1]; /* key read in the mapping at that depth, or NULL */
  size_t depth;
  unsigned documents;
  bool stop;
};

static void set_place(struct sc_node *node, const struct fy_mark *mark, const struct sc_doc *doc) {
  node->doc = doc;
  node->line = mark ? (unsigned)mark->line + 1 : 0;
  node->column = mark ? (unsigned)mark->column + 1 : 0;
}

/* Puts a finished or opened node into the collection on top of the stack. */
static void place(struct builder *b, struct sc_node *node) {
  struct sc *c = b->c;
  if (b->depth == 0) {
    if (!b->root) b->root = node;
    return;
  }
  struct sc_node *top = b->stack[b->depth];
  struct sc_node **key = &b->key[b->depth];
  if (top->kind == SC_LIST) {
    sc_node_append(c, top, node);
  } else if (!*key) {
    if (node->kind == SC_MAP || node->kind == SC_LIST) sc_error(c, node, NULL, "a key must be a name");
    if (node->kind == SC_NULL) node->text = "null";
    if (sc_node_is(node, "<<")) sc_error(c, node, NULL, "`<<` is not part of the language: use `like`");
    *key = node;
  } else {
    struct sc_node *name = *key;
    *key = NULL;
    node->key = name->text ? name->text : "";
    node->key_line = name->line;
    node->key_column = name->column;
    const struct sc_node *there = sc_node_find(top, node->key);
    if (there)
      sc_error_key(c, node, NULL, "`%s` is given twice, first on line %u", node->key, there->key_line);
    else
      sc_node_append(c, top, node);
  }
}

static void open_collection(struct builder *b, enum sc_kind kind, struct fy_token *token) {
  struct sc_node *node = sc_node_new(b->c, kind, NULL);
  set_place(node, fy_token_start_mark(token), b->doc);
  place(b, node);
  if (b->depth == SC_DEPTH_MAX) {
    sc_error(b->c, node, NULL, "nested more than %d deep", SC_DEPTH_MAX);
    b->stop = true;
    return;
  }
  b->stack[++b->depth] = node;
  b->key[b->depth] = NULL;
}

static bool is_null(const char *text, size_t n) {
  return n == 0 || (n == 1 && text[0] == '~') || (n == 4 && memcmp(text, "null", 4) == 0);
}

static void scalar(struct builder *b, struct fy_event *event) {
  struct fy_token *token = event->scalar.value;
  size_t n = 0;
  const char *text = token ? fy_token_get_text(token, &n) : "";
  bool plain = !token || fy_token_scalar_style(token) == FYSS_PLAIN;
  struct sc_node *node = sc_node_new(b->c, plain && is_null(text, n) ? SC_NULL : SC_SCALAR, NULL);
  set_place(node, token ? fy_token_start_mark(token) : NULL, b->doc);
  node->quoted = !plain;
  if (node->kind == SC_SCALAR) node->text = sc_copy(b->c, text ? text : "", n);
  if (!node->line && b->depth && b->key[b->depth]) { /* `key:` and nothing more: point to the key */
    node->line = b->key[b->depth]->line;
    node->column = b->key[b->depth]->column;
  }
  place(b, node);
}

/* behind: the token's mark is that many columns behind where it begins (`&` and `*` are before it). */
static void forbid(struct builder *b, struct fy_token *token, unsigned behind, const char *what) {
  struct sc_node at = {0};
  if (!token) return;
  set_place(&at, fy_token_start_mark(token), b->doc);
  at.column -= behind;
  sc_error(b->c, &at, NULL, "%s not part of the language: use `like`", what);
}

static void accept(struct builder *b, struct fy_event *event) {
  switch (event->type) {
  case FYET_DOCUMENT_START:
    if (++b->documents > 1) {
      struct sc_node at = {0};
      set_place(&at, fy_token_start_mark(event->document_start.document_start), b->doc);
      sc_error(b->c, &at, NULL, "a second document is not part of the language: use `like` for another file");
      b->stop = true;
    }
    break;
  case FYET_ALIAS:
    forbid(b, event->alias.anchor, 1, "an alias (`*name`) is");
    place(b, sc_node_new(b->c, SC_NULL, NULL));
    break;
  case FYET_SCALAR:
    forbid(b, event->scalar.anchor, 1, "an anchor (`&name`) is");
    forbid(b, event->scalar.tag, 0, "a tag (`!name`) is");
    scalar(b, event);
    break;
  case FYET_MAPPING_START:
    forbid(b, event->mapping_start.anchor, 1, "an anchor (`&name`) is");
    forbid(b, event->mapping_start.tag, 0, "a tag (`!name`) is");
    open_collection(b, SC_MAP, event->mapping_start.mapping_start);
    break;
  case FYET_SEQUENCE_START:
    forbid(b, event->sequence_start.anchor, 1, "an anchor (`&name`) is");
    forbid(b, event->sequence_start.tag, 0, "a tag (`!name`) is");
    open_collection(b, SC_LIST, event->sequence_start.sequence_start);
    break;
  case FYET_MAPPING_END:
  case FYET_SEQUENCE_END:
    b->depth--;
    break;
  default:
    break;
  }
}

static void report_library(struct builder *b, struct fy_diag *diag) {
  void *state = NULL;
  size_t before = b->c->errors;
  for (struct fy_diag_error *e; (e = fy_diag_errors_iterate(diag, &state));) {
    if (e->type < FYET_ERROR || !e->msg) continue;
    struct sc_node at = {.doc = b->doc, .line = (unsigned)e->line, .column = (unsigned)e->column};
    sc_error(b->c, &at, NULL, "this is not YAML: %s", e->msg);
  }
  if (b->c->errors == before) text_error(b->c, b->doc, 1, 1, "this is not YAML");
}

static void say_nothing(struct fy_diag *diag, void *user, const char *text, size_t length) {
  (void)diag, (void)user, (void)text, (void)length;
}

/* A parser whose errors are collected; they are freed with it. NULL: no memory. */
static struct fy_parser *parser_create(struct fy_diag **diag) {
  struct fy_diag_cfg diag_cfg;
  fy_diag_cfg_default(&diag_cfg);
  diag_cfg.fp = NULL;
  diag_cfg.output_fn = say_nothing;
  if (!(*diag = fy_diag_create(&diag_cfg))) return NULL;
  fy_diag_set_collect_errors(*diag, true);
  struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_RECYCLING, .diag = *diag};
  struct fy_parser *parser = fy_parser_create(&cfg);
  if (!parser) fy_diag_destroy(*diag);
  return parser;
}

/* Parses with libfyaml; what it holds is released also when memory runs out. */
static struct sc_node *parse(struct sc *c, const char *text, size_t length, const struct sc_doc *doc) {
  struct builder *b = sc_alloc(c, sizeof *b);
  b->c = c;
  b->doc = doc;
  struct fy_diag *diag;
  struct fy_parser *volatile parser = parser_create(&diag);
  if (!parser) sc_out_of_memory(c);
  struct fy_event *volatile event = NULL;
  jmp_buf *outer = c->unwind, here;
  c->unwind = &here;
  bool memory = setjmp(here) == 0;
  if (memory) {
    if (fy_parser_set_string(parser, text, length) != 0) sc_out_of_memory(c);
    while (!b->stop && (event = fy_parser_parse(parser))) {
      accept(b, event);
      fy_parser_event_free(parser, event);
      event = NULL;
    }
    if (!b->stop && fy_parser_get_stream_error(parser)) report_library(b, diag);
  }
  c->unwind = outer;
  fy_parser_event_free(parser, event);
  fy_parser_destroy(parser);
  fy_diag_destroy(diag);
  if (!memory) sc_out_of_memory(c);
  return b->root;
}

struct sc_node *sc_yaml_parse(struct sc *c, const char *text, size_t length, const struct sc_doc *doc) {
  size_t before = c->errors;
  if (length > SC_SIZE_MAX) {
    text_error(c, doc, 1, 1, "the text is larger than 16 MB");
    return NULL;
  }
  if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
    text += 3;
    length -= 3;
  }
  if (!readable(c, text, length, doc)) return NULL;
  struct sc_node *root = parse(c, text, length, doc);
  if (c->errors != before) return NULL;
  if (!root || root->kind == SC_NULL) {
    text_error(c, doc, 1, 1, "the file is empty: a scenario begins with `airesim: 1`");
    return NULL;
  }
  if (root->kind == SC_MAP) sc_node_undot(c, root);
  sc_node_stamp(root, NULL);
  return c->errors == before ? root : NULL;
}

struct sc_node *sc_yaml_value(struct sc *c, const char *text, const struct sc_doc *doc) {
  while (*text == ' ') text++;
  size_t n = strlen(text);
  if (*text == '{' || *text == '[' || *text == '"') return sc_yaml_parse(c, text, n, doc);
  while (n && text[n - 1] == ' ') n--;
  struct sc_node *node = sc_node_new(c, is_null(text, n) ? SC_NULL : SC_SCALAR, NULL);
  node->doc = doc;
  node->line = node->column = 1;
  if (node->kind == SC_SCALAR) node->text = sc_copy(c, text, n);
  return node;
}
