/* SPDX-License-Identifier: GPL-3.0-or-later */
/* airesim as a library: load a scenario, run it, read the results.
 *
 *   struct airesim_scenario *s;
 *   char *errors = NULL;
 *   if (airesim_scenario_load(&s, "outbreak.yaml", NULL, 0, &errors) == 0) {
 *     struct airesim_options o = {.size = sizeof o, .output = "outbreak.h5", .replicates = -1, .seed = -1};
 *     if (airesim_run(s, &o, &errors) == 0) ...
 *   }
 *   if (errors) fputs(errors, stderr);
 *   airesim_free(errors);
 *   airesim_scenario_free(s);
 *
 * Functions return 0 or a negative code (airesim_error_text tells which). Where a function takes `char **errors` and
 * fails, it stores there a text of one line an error, `file:line:column: path: message`, to be freed with airesim_free
 * (NULL is stored if memory ran out; errors itself may be NULL). The library has no global state but the handlers of
 * the libraries below it, never exits and prints nothing. A scenario may be shared by threads; a results object belongs
 * to one thread at a time, and two threads may not read or write results files at the same time.
 *
 * Unstable until version 1.0. */
#ifndef AIRESIM_H
#define AIRESIM_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AIRESIM_API __attribute__((visibility("default")))

struct airesim_scenario;
struct airesim_results;

AIRESIM_API const char *airesim_version(void);
AIRESIM_API const char *airesim_error_text(int code);
AIRESIM_API void airesim_free(void *text_or_values);

/* ---- scenarios ------------------------------------------------------------------------------------------------- */

/* sets: n texts "path=value", as --set of the program, or NULL. *out is set on success only. */
AIRESIM_API int airesim_scenario_load(struct airesim_scenario **out, const char *path, const char *const *sets,
                                      size_t n, char **errors);
/* The same from text; relative files are looked up in `directory` (NULL: the current one). */
AIRESIM_API int airesim_scenario_parse(struct airesim_scenario **out, const char *text, const char *directory,
                                       const char *const *sets, size_t n, char **errors);
AIRESIM_API void airesim_scenario_free(struct airesim_scenario *s);
AIRESIM_API size_t airesim_scenario_arms(const struct airesim_scenario *s);
AIRESIM_API const char *airesim_scenario_arm(const struct airesim_scenario *s, size_t arm);
AIRESIM_API uint64_t airesim_scenario_hash(const struct airesim_scenario *s);
/* With every default filled in; free with airesim_free. NULL: out of memory. */
AIRESIM_API char *airesim_scenario_expanded(const struct airesim_scenario *s);
/* JSON Schema of the language; free with airesim_free. NULL: out of memory. */
AIRESIM_API char *airesim_schema(void);

/* ---- running --------------------------------------------------------------------------------------------------- */

struct airesim_progress {
  uint64_t total, done, failed; /* runs */
  double seconds, rate;         /* since the start; runs a second */
};

struct airesim_options {
  size_t size;              /* sizeof (struct airesim_options): lets later versions add fields */
  const char *output;       /* the results file */
  unsigned jobs;            /* threads; 0: one a core */
  int64_t replicates, seed; /* -1: as the scenario says */
  int overwrite;            /* nonzero: start again instead of resuming */
  /* About ten times a second, from a thread of the library; nonzero asks it to stop. Or NULL. */
  int (*progress)(void *ctx, const struct airesim_progress *p);
  void *ctx;
};

#define AIRESIM_INTERRUPTED (-6) /* stopped by `progress`: the same call resumes */

AIRESIM_API int airesim_run(const struct airesim_scenario *s, const struct airesim_options *o, char **errors);

/* ---- results --------------------------------------------------------------------------------------------------- */

AIRESIM_API int airesim_results_open(struct airesim_results **out, const char *path, char **errors);
AIRESIM_API void airesim_results_close(struct airesim_results *r);
/* Names of variables in order of creation, coordinates included; NULL from the end on. */
AIRESIM_API const char *airesim_results_variable(const struct airesim_results *r, size_t i);
/* Dimensions of a variable: their number, or -1 if there is no such variable; names and sizes of the first `max`. */
AIRESIM_API int airesim_results_dims(const struct airesim_results *r, const char *variable, const char **names,
                                     size_t *sizes, int max);
/* All values, row-major, missing ones NaN: product of the sizes doubles, to be freed with airesim_free. */
AIRESIM_API int airesim_results_values(struct airesim_results *r, const char *variable, double **values);
/* Label `i` along a dimension ("early"; numbers as text), to be freed with airesim_free; NULL if there is none. */
AIRESIM_API char *airesim_results_label(struct airesim_results *r, const char *dim, size_t i);
/* A global attribute as text ("scenario_hash"), to be freed with airesim_free; NULL if there is none. */
AIRESIM_API char *airesim_results_attribute(struct airesim_results *r, const char *name);

#ifdef __cplusplus
}
#endif
#endif
