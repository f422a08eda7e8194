/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/mem.h"
#include "sim/experiment/design_internal.h"
#include "sim/experiment/layout.h"
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- factors ------------------------------------------------------------------------------------------------- */

size_t sim_design_factor(const struct sim_design *d, const char *path) {
  size_t f = 0;
  while (f < d->factors && strcmp(d->path[f], path) != 0) f++;
  return f;
}

/* Is this ranged parameter among those that `vary` names? Absent and `all`: every one. */
static bool is_varied(const struct sim_value *vary, const char *path) {
  if (vary->form == SIM_ABSENT) return true;
  if (vary->form == SIM_MAPPING) return false; /* brings its own ranges */
  const struct sim_value *item = vary->form == SIM_ITEMS ? vary->items : vary;
  size_t n = vary->form == SIM_ITEMS ? vary->n : 1;
  for (size_t i = 0; i < n; i++) {
    if (strcmp(item[i].text, "all") == 0 || fnmatch(item[i].text, path, 0) == 0) return true;
  }
  return false;
}

int sim_design_add_factor(struct sim_design *d, size_t *cap, const char *path, const char *unit) {
  if (sim_design_factor(d, path) < d->factors) return 0;
  size_t unit_cap = *cap;
  char **paths = sim_grow(d->path, cap, d->factors + 1, sizeof *paths);
  if (paths) d->path = paths;
  char **units = paths ? sim_grow(d->unit, &unit_cap, d->factors + 1, sizeof *units) : NULL;
  if (!units) return SIM_ERR_MEMORY;
  d->unit = units;
  d->path[d->factors] = sim_strdup(path);
  d->unit[d->factors] = sim_strdup(unit ? unit : "");
  d->factors++;
  return d->path[d->factors - 1] && d->unit[d->factors - 1] ? 0 : SIM_ERR_MEMORY;
}

/* The bound value at a path, or NULL. */
const struct sim_value *sim_design_value_at(const struct sim_value *v, const char *path) {
  if (v->path && strcmp(v->path, path) == 0) return v;
  for (size_t i = 0; i < v->n; i++) {
    const struct sim_value *found = sim_design_value_at(&v->items[i], path);
    if (found) return found;
  }
  return NULL;
}

/* Ranges that the mapping form of `vary` gives itself: {path: 10..60 %}. */
static int factors_given(struct sim_design *d, size_t *cap, const struct sim_value *vary,
                         const struct sim_path_info *paths, size_t n, struct sim_diag *diag) {
  int ret = 0;
  for (size_t i = 0; ret == 0 && vary->form == SIM_MAPPING && i < vary->n; i++) {
    size_t k = 0;
    while (k < n && strcmp(paths[k].path, vary->items[i].name) != 0) k++;
    if (k == n) {
      ret = sim_diag_add(diag, &vary->items[i].mark, vary->items[i].path, "no parameter has the path `%s`",
                         vary->items[i].name);
    } else if (!vary->items[i].ranged) {
      ret = sim_diag_add(diag, &vary->items[i].mark, vary->items[i].path, "expected a range: `10..60 %%`");
    } else {
      ret = sim_design_add_factor(d, cap, vary->items[i].name, paths[k].unit);
    }
  }
  return ret;
}

/* First pass: which factors there are, over all arms. */
static int collect_factors(struct sim_design *d, const struct sim_scenario *s, const struct sim_value *vary,
                           struct sim_diag *diag) {
  size_t cap = 0;
  int ret = 0;
  for (size_t arm = 0; ret == 0 && arm < d->arms; arm++) {
    struct sim_path_info *paths = NULL;
    size_t n = sim_scenario_paths(s, arm, NULL, &paths);
    for (size_t i = 0; ret == 0 && i < n; i++) {
      if (paths[i].ranged && is_varied(vary, paths[i].path))
        ret = sim_design_add_factor(d, &cap, paths[i].path, paths[i].unit);
    }
    if (ret == 0) ret = factors_given(d, &cap, vary, paths, n, diag);
    sim_paths_free(paths, n);
  }
  if (ret == 0 && d->factors == 0) {
    ret = sim_diag_add(diag, &vary->mark, "design.vary", "nothing to vary: no such parameter has a range");
  }
  return ret;
}

/* Second pass: each arm's range of each factor. */
static int collect_ranges(struct sim_design *d, const struct sim_scenario *s, const struct sim_value *vary) {
  d->low = sim_calloc(d->arms * d->factors, sizeof *d->low);
  d->high = sim_calloc(d->arms * d->factors, sizeof *d->high);
  if (!d->low || !d->high) return SIM_ERR_MEMORY;
  for (size_t i = 0; i < d->arms * d->factors; i++) d->low[i] = d->high[i] = NAN;
  for (size_t arm = 0; arm < d->arms; arm++) {
    struct sim_path_info *paths = NULL;
    size_t n = sim_scenario_paths(s, arm, NULL, &paths);
    for (size_t i = 0; i < n; i++) {
      size_t f = sim_design_factor(d, paths[i].path);
      if (f == d->factors || !paths[i].ranged) continue;
      d->low[arm * d->factors + f] = paths[i].low;
      d->high[arm * d->factors + f] = paths[i].high;
    }
    sim_paths_free(paths, n);
    for (size_t i = 0; vary->form == SIM_MAPPING && i < vary->n; i++) {
      size_t f = sim_design_factor(d, vary->items[i].name);
      d->low[arm * d->factors + f] = vary->items[i].low;
      d->high[arm * d->factors + f] = vary->items[i].high;
    }
  }
  return 0;
}

/* ---- values -------------------------------------------------------------------------------------------------- */

/* Value of a factor in an arm: uniform between the ends, whole where both whole numbers are required. */
static double factor_value(const struct sim_design *d, size_t arm, size_t point, size_t f) {
  double low = d->low[arm * d->factors + f], high = d->high[arm * d->factors + f];
  double u = d->cube[point * d->factors + f];
  if (!d->whole[f]) return u >= 1 ? high : low + u * (high - low);
  return fmin(floor(low + u * (high - low + 1)), high);
}

size_t sim_design_arm_of(const struct sim_design *d, size_t f) {
  size_t arm = d->reference;
  for (size_t a = 0; a < d->arms && isnan(d->low[arm * d->factors + f]); a++) arm = a;
  return arm;
}

static int make_values(struct sim_design *d) {
  d->value = sim_calloc(d->points * d->factors, sizeof *d->value);
  if (!d->value) return SIM_ERR_MEMORY;
  for (size_t f = 0; f < d->factors; f++) {
    size_t arm = sim_design_arm_of(d, f);
    for (size_t p = 0; p < d->points; p++) d->value[p * d->factors + f] = factor_value(d, arm, p, f);
  }
  return 0;
}

/* ---- the design ---------------------------------------------------------------------------------------------- */

static int read_numbers(struct sim_design *d, const struct sim_scenario *s, const struct sim_value *section,
                        int64_t replicates, int64_t seed, struct sim_diag *diag) {
  if (replicates < 0) replicates = (int64_t)sim_value_number_or(section, "replicates", 1);
  if (replicates < 1 || replicates > INT64_C(1) << 40) {
    return sim_diag_add(diag, &section->mark, "design.replicates", "%lld replicates: expected at least 1",
                        (long long)replicates);
  }
  d->replicates = (size_t)replicates;
  const struct sim_value *precision = sim_value_get(section, "precision");
  if (precision->form == SIM_CALLED && strcmp(precision->text, "none") != 0)
    d->floor = (size_t)fmin(sim_value_number(precision, "floor"), (double)replicates);
  d->seed = seed >= 0 ? (uint64_t)seed : (uint64_t)sim_value_number_or(section, "seed", 1);
  const char *draws = sim_value_text(section, "draws"), *reference = sim_value_text(section, "reference");
  d->fresh = !draws || strcmp(draws, "fresh") == 0;
  for (size_t a = 0; reference && a < d->arms; a++)
    if (strcmp(sim_scenario_arm(s, a), reference) == 0) d->reference = a;
  return 0;
}

static int vary(struct sim_design *d, const struct sim_scenario *s, const struct sim_value *root,
                const struct sim_value *section, struct sim_diag *diag) {
  const struct sim_value *sample = sim_value_get(section, "sample"), *varied = sim_value_get(section, "vary");
  if (strcmp(sample->text, "csv") == 0) return sim_design_read_csv(d, s, sample, diag);
  int ret = collect_factors(d, s, varied, diag);
  if (ret) return ret;
  d->whole = sim_calloc(d->factors, sizeof *d->whole);
  if (!d->whole) return SIM_ERR_MEMORY;
  for (size_t f = 0; f < d->factors; f++) {
    const struct sim_value *v = sim_design_value_at(root, d->path[f]);
    d->whole[f] = v && v->param && v->param->flags & SIM_INTEGER;
  }
  ret = collect_ranges(d, s, varied);
  if (ret == 0) ret = sim_design_make_points(d, sample, diag);
  return ret ? ret : make_values(d);
}

int sim_design_init(struct sim_design *d, const struct sim_scenario *s, int64_t replicates, int64_t seed,
                    struct sim_diag *diag) {
  memset(d, 0, sizeof *d);
  d->arms = sim_scenario_arms(s);
  d->points = 1;
  d->kind = "none";
  struct sim_bound *bound = NULL;
  int ret = sim_scenario_bind(&bound, s, 0, NULL, 0, diag);
  if (ret) return ret;
  const struct sim_value *root = sim_bound_root(bound), *section = sim_value_get(root, "design");
  ret = read_numbers(d, s, section, replicates, seed, diag);
  const char *sample = sim_value_text(section, "sample");
  if (ret == 0 && sample && strcmp(sample, "none") != 0) {
    ret = vary(d, s, root, section, diag);
    if (ret == 0) ret = sim_design_constrain(d, s, section, diag);
  }
  if (ret == 0 && (double)d->arms * (double)d->points * (double)d->replicates > 1e12) {
    ret = sim_diag_add(diag, &section->mark, "design", "more than 1e12 runs");
  }
  sim_bound_free(bound);
  if (ret) sim_design_free(d);
  return ret;
}

void sim_design_free(struct sim_design *d) {
  for (size_t f = 0; f < d->factors; f++) sim_free(d->path[f]), sim_free(d->unit[f]);
  for (size_t i = 0; d->text && i < d->points * d->factors; i++) sim_free(d->text[i]);
  sim_free(d->text);
  sim_free(d->row);
  sim_free(d->part);
  sim_free(d->path);
  sim_free(d->unit);
  sim_free(d->whole);
  sim_free(d->cube);
  sim_free(d->low);
  sim_free(d->high);
  sim_free(d->value);
  memset(d, 0, sizeof *d);
}

/* A quantity in canonical units as scenario text: 17 digits give the same bits back. */
static char *value_text(double value, const char *unit) {
  if (strcmp(unit, "") == 0 || strcmp(unit, "1") == 0) return sim_strf("%.17g", value);
  if (strncmp(unit, "1/", 2) == 0) return sim_strf("%.17g%s", value, unit + 1);
  return sim_strf("%.17g %s", value, unit);
}

int sim_design_patches(const struct sim_design *d, size_t arm, size_t point, struct sim_patch **out, size_t *n) {
  *n = 0;
  *out = sim_calloc(d->factors + 1, sizeof **out);
  if (!*out) return SIM_ERR_MEMORY;
  for (size_t f = 0; f < d->factors; f++) {
    if (isnan(d->low[arm * d->factors + f])) continue; /* the arm fixed it */
    struct sim_patch *p = &(*out)[*n];
    p->path = sim_strdup(d->path[f]);
    p->text =
        d->text ? sim_strdup(d->text[point * d->factors + f]) : value_text(factor_value(d, arm, point, f), d->unit[f]);
    ++*n;
    if (!p->path || !p->text) {
      sim_patches_free(*out, *n);
      *out = NULL;
      return SIM_ERR_MEMORY;
    }
  }
  return 0;
}

void sim_patches_free(struct sim_patch *patches, size_t n) {
  for (size_t i = 0; patches && i < n; i++) sim_free((void *)patches[i].path), sim_free((void *)patches[i].text);
  sim_free(patches);
}

uint64_t sim_design_hash(const struct sim_design *d, uint64_t hash) {
  return d->factors ? sim_hash_bytes(hash, d->value, d->points * d->factors * sizeof *d->value) : hash;
}
