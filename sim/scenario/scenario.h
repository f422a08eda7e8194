/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scenarios: from a YAML file to a bound tree of values for each arm and design point. docs/scenario.md is the
 * language.
 *
 *   file -> tree with marks (yaml) -> `like` resolved -> defaults filled in (expanded) -> [ arm patch, point patch ]
 *        -> references and units checked -> bound (struct sim_value)
 *
 * A scenario is immutable after loading; binding is thread-safe and allocates from the bound object. */
#ifndef SIM_SCENARIO_SCENARIO_H
#define SIM_SCENARIO_SCENARIO_H
#include "sim/core/model.h"

#define SIM_LANGUAGE_VERSION 1

struct sim_scenario;
struct sim_bound;

/* One --set path=text (or a design point's value). Text is a scenario scalar, or YAML flow ("{a: 1}", "null"). */
struct sim_patch {
  const char *path;
  const char *text;
};

/* Loads and checks the file: every arm and every end of every range. All errors go to diag at once; *out is set only on
 * success. Limits: 16 MB, depth 64. path "-" reads standard input. */
int sim_scenario_load(struct sim_scenario **out, const char *path, const struct sim_patch *sets, size_t n_sets,
                      struct sim_diag *diag) SIM_MUST_CHECK;
/* The same from text; `name` stands for the file in messages, relative files are looked up in `directory`. */
int sim_scenario_parse(struct sim_scenario **out, const char *text, size_t length, const char *name,
                       const char *directory, const struct sim_patch *sets, size_t n_sets,
                       struct sim_diag *diag) SIM_MUST_CHECK;
void sim_scenario_free(struct sim_scenario *s);

/* Where a scenario came from: what loads it again, anywhere on this file system. Lives as long as the scenario. */
struct sim_scenario_origin {
  const char *text, *name, *directory; /* as written; what messages call it; absolute, where its files are looked up */
  const struct sim_patch *sets;        /* [n_sets] what was changed while it was loaded */
  size_t n_sets;
};
const struct sim_scenario_origin *sim_scenario_origin(const struct sim_scenario *s);
/* The same scenario with further changes, after those that it was loaded with. */
int sim_scenario_with(struct sim_scenario **out, const struct sim_scenario *s, const struct sim_patch *sets,
                      size_t n_sets, struct sim_diag *diag) SIM_MUST_CHECK;

/* Arms in order of their names; a scenario without `arms` has one, "base". */
size_t sim_scenario_arms(const struct sim_scenario *s);
const char *sim_scenario_arm(const struct sim_scenario *s, size_t arm);

/* Binds an arm, with further patches (a design point's). The root is a SIM_FIELDS mapping of all sections. */
int sim_scenario_bind(struct sim_bound **out, const struct sim_scenario *s, size_t arm, const struct sim_patch *point,
                      size_t n_point, struct sim_diag *diag) SIM_MUST_CHECK;
const struct sim_value *sim_bound_root(const struct sim_bound *b);
void sim_bound_free(struct sim_bound *b);

/* Texts; the caller frees with sim_free. The expanded scenario has every default, no `like`, arms as written; loading
 * it again gives the same runs bit for bit. With origins: a comment on each line says where the value comes from. */
char *sim_scenario_written(const struct sim_scenario *s);
char *sim_scenario_expanded(const struct sim_scenario *s, bool origins);
/* 64-bit hash (of the canonical expanded text without comments): equal scenarios have equal hashes however written. */
uint64_t sim_scenario_hash(const struct sim_scenario *s);

/* Every parameter of an arm: for --paths, for provenance and for designs. */
struct sim_path_info {
  const char *path, *value, *unit, *source, *origin; /* value as canonical text; origin "file:line" or "default" */
  double number, low, high;                          /* of quantities; NaN otherwise */
  bool ranged;
};
size_t sim_scenario_paths(const struct sim_scenario *s, size_t arm, const char *glob, struct sim_path_info **out);
void sim_paths_free(struct sim_path_info *paths, size_t n);

/* A line for each difference of two expanded scenarios ("path: a -> b"); returns text, "" if equal. */
char *sim_scenario_diff(const struct sim_scenario *a, const struct sim_scenario *b);

/* JSON Schema (draft 2020-12) of the language; reference of every key as Markdown; listing of models as text, or the
 * page of one model (NULL if there is none of that name). */
char *sim_schema_json(void);
char *sim_reference_markdown(void);
char *sim_models_text(const char *name_or_null);
#endif
