/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors: negative codes from one X-macro, and a collector of diagnostics.
 *
 * Every function that can fail returns 0 or a negative code. What a *user* got wrong (a scenario, a file, an option)
 * is added to a `struct sim_diag`, which keeps all of them, so that one run reports every error at once, each with
 * file:line:column and the path in the scenario. What *we* got wrong meets sim_bug_assert, which is always on. */
#ifndef SIM_CORE_ERR_H
#define SIM_CORE_ERR_H
#include <stddef.h>

#define SIM_MUST_CHECK   __attribute__((warn_unused_result))
#define SIM_PRINTF(f, a) __attribute__((format(printf, f, a)))

#define SIM_ERRORS(X)                                                                                                  \
  X(SIM_ERR_MEMORY, -1, "out of memory")                                                                               \
  X(SIM_ERR_INPUT, -2, "the input is wrong (see the diagnostics)")                                                     \
  X(SIM_ERR_IO, -3, "a file could not be read or written")                                                             \
  X(SIM_ERR_LIMIT, -4, "a limit of the program was reached")                                                           \
  X(SIM_ERR_RUN, -5, "a run failed")                                                                                   \
  X(SIM_ERR_INTERRUPTED, -6, "interrupted")                                                                            \
  X(SIM_ERR_MISMATCH, -7, "two results that must be equal differ")

enum sim_errcode {
#define X(name, code, text) name = code,
  SIM_ERRORS(X)
#undef X
};

/* The message of a code; "unknown error" for others. */
const char *sim_err_text(int code);

/* A place in a scenario. Lines and columns count from 1; 0 means unknown. Strings are borrowed. */
struct sim_mark {
  const char *file;
  unsigned line, column;
};

struct sim_diag_item {
  char *text; /* one message, one line, no trailing newline; owned */
  char *path; /* path in the scenario or NULL; owned */
  char *file; /* or NULL; owned */
  unsigned line, column;
};

/* A collector of diagnostics. Zero-initialise; sim_diag_free when done. */
struct sim_diag {
  struct sim_diag_item *items;
  size_t n, cap;
  size_t more; /* messages that were only counted */
};

/* Adds a message and returns SIM_ERR_INPUT (or SIM_ERR_MEMORY), so that `return sim_diag_add(...)` reads well. mark and
 * path may be NULL. After 200 messages further ones are only counted: item 201 says "and 17 more". */
int sim_diag_add(struct sim_diag *d, const struct sim_mark *mark, const char *path, const char *fmt, ...)
    SIM_PRINTF(4, 5);
void sim_diag_free(struct sim_diag *d);

/* A bug of ours: prints expression, file and line on stderr and aborts. Never compiled out. */
void sim_bug(const char *expr, const char *file, int line) __attribute__((noreturn));
#define sim_bug_assert(e) ((e) ? (void)0 : sim_bug(#e, __FILE__, __LINE__))
#endif
