/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A reader of the scenario language for tests that look inside it: an arena, a place for errors, a preset library. */
#ifndef TESTS_SCENARIO_READER_H
#define TESTS_SCENARIO_READER_H
#include "sim/scenario/bind.h"
#include "sim/scenario/like.h"
#include "sim/scenario/yaml.h"
#include <string.h>

struct reader {
  struct sc c;
  struct sc_arena arena;
  struct sc_library library;
  struct sim_diag diag;
  struct sc_doc doc;
};

/* unwind: of the caller, who says setjmp. */
static inline void reader_init(struct reader *r, jmp_buf *unwind) {
  *r = (struct reader){.doc = {"test.yaml", "."}};
  r->library.arena = &r->arena;
  r->c = (struct sc){.arena = &r->arena, .diag = &r->diag, .unwind = unwind, .library = &r->library, .currency = "USD"};
}

static inline void reader_free(struct reader *r) {
  sc_arena_free(&r->arena);
  sim_diag_free(&r->diag);
}

static inline struct sc_node *reader_parse(struct reader *r, const char *text) {
  return sc_yaml_parse(&r->c, text, strlen(text), &r->doc);
}
#endif
