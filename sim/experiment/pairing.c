/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which runs of two results files pair, and what their scenarios assume differently. */
#include "sim/experiment/pairing.h"
#include "sim/core/mem.h"
#include <stdlib.h>
#include <string.h>

/* ---- what makes two files a pair ------------------------------------------------------------------------------- */

static int same_attribute(struct sim_pairing *p, const char *name, const char *words, struct sim_diag *diag) {
  char *text[2] = {sim_results_attribute(p->file[0], name), sim_results_attribute(p->file[1], name)};
  int ret = 0;
  if (!text[0] || !text[1] || strcmp(text[0], text[1]) != 0) {
    ret = sim_diag_add(diag, NULL, NULL,
                       "the files cannot be paired: %s differs (%s and %s), so their runs share no draws", words,
                       text[0] ? text[0] : "none", text[1] ? text[1] : "none");
  }
  sim_free(text[0]), sim_free(text[1]);
  return ret;
}

static size_t find_text(char *const *texts, size_t n, const char *wanted) {
  size_t i = 0;
  while (i < n && strcmp(texts[i], wanted) != 0) i++;
  return i;
}

/* Reports arms of one file that the other lacks. */
static int missing_arms(char **arm[2], const size_t n[2], struct sim_diag *diag) {
  static const char *const which[] = {"first", "second"};
  int ret = 0;
  for (unsigned k = 0; k < 2; k++) {
    for (size_t i = 0; i < n[k]; i++) {
      if (find_text(arm[!k], n[!k], arm[k][i]) < n[!k]) continue;
      ret = sim_diag_add(diag, NULL, NULL,
                         "the files cannot be paired: arm `%s` is in the %s file only; --arm ARM compares one arm that "
                         "both have",
                         arm[k][i], which[k]);
      if (ret == SIM_ERR_MEMORY) return ret;
    }
  }
  return ret;
}

static int pair_arms(struct sim_pairing *p, const char *wanted, struct sim_diag *diag) {
  char **arm[2] = {NULL, NULL};
  size_t n[2] = {0, 0};
  int ret = sim_results_load_texts(p->file[0], "arm", &arm[0], &n[0]);
  if (ret == 0) ret = sim_results_load_texts(p->file[1], "arm", &arm[1], &n[1]);
  if (ret == 0 && !wanted) ret = missing_arms(arm, n, diag);
  for (unsigned k = 0; ret == 0 && wanted && k < 2; k++)
    if (find_text(arm[k], n[k], wanted) == n[k])
      ret = sim_diag_add(diag, NULL, NULL, "no arm `%s` in the %s file", wanted, k ? "second" : "first");
  if (ret == 0) {
    p->arm = sim_calloc(n[0] + 1, sizeof *p->arm);
    for (unsigned k = 0; k < 2; k++) p->place[k] = sim_calloc(n[0] + 1, sizeof *p->place[k]);
    if (!p->arm || !p->place[0] || !p->place[1]) ret = SIM_ERR_MEMORY;
  }
  for (size_t i = 0; ret == 0 && i < n[0]; i++) {
    if (wanted && strcmp(wanted, arm[0][i]) != 0) continue;
    p->place[0][p->arms] = i;
    p->place[1][p->arms] = find_text(arm[1], n[1], arm[0][i]);
    p->arm[p->arms] = sim_strdup(arm[0][i]);
    if (!p->arm[p->arms++]) ret = SIM_ERR_MEMORY;
  }
  sim_results_texts_free(arm[0], n[0]), sim_results_texts_free(arm[1], n[1]);
  return ret;
}

/* The values that the design gives its factors must be equal at every point that is paired. */
static int same_values(struct sim_pairing *p, char *const *factor, size_t n, struct sim_diag *diag) {
  double *value[2] = {NULL, NULL};
  int ret = sim_results_load(p->file[0], "design_value", &value[0]);
  if (ret == 0) ret = sim_results_load(p->file[1], "design_value", &value[1]);
  for (size_t i = 0; ret == 0 && i < p->points * n; i++) {
    if (value[0][i] == value[1][i]) continue;
    ret = sim_diag_add(diag, NULL, NULL,
                       "the files cannot be paired: at design point %zu `%s` is %.6g in the first file and %.6g in the "
                       "second",
                       i / n, factor[i % n], value[0][i], value[1][i]);
  }
  sim_free(value[0]), sim_free(value[1]);
  return ret;
}

static int same_design(struct sim_pairing *p, struct sim_diag *diag) {
  bool varied[2];
  for (unsigned k = 0; k < 2; k++) varied[k] = sim_results_find(p->file[k], "design_value") != NULL;
  if (!varied[0] && !varied[1]) return 0;
  if (varied[0] != varied[1]) {
    return sim_diag_add(diag, NULL, NULL, "the files cannot be paired: only the %s file varies parameters by a design",
                        varied[0] ? "first" : "second");
  }
  char **factor[2] = {NULL, NULL};
  size_t n[2] = {0, 0};
  int ret = p->points > 1 ? same_attribute(p, "draws", "`design.draws`", diag) : 0;
  if (ret == 0) ret = sim_results_labels(p->file[0], "factor", &factor[0], &n[0]);
  if (ret == 0) ret = sim_results_labels(p->file[1], "factor", &factor[1], &n[1]);
  bool same = n[0] == n[1];
  for (size_t i = 0; ret == 0 && same && i < n[0]; i++) same = strcmp(factor[0][i], factor[1][i]) == 0;
  if (ret == 0 && !same)
    ret = sim_diag_add(diag, NULL, NULL, "the files cannot be paired: their designs vary other parameters");
  if (ret == 0) ret = same_values(p, factor[0], n[0], diag);
  sim_results_texts_free(factor[0], n[0]), sim_results_texts_free(factor[1], n[1]);
  return ret;
}

static size_t size_of(struct sim_results *r, const char *dim) {
  const struct sim_variable *v = sim_results_find(r, dim);
  return v && v->dims == 1 ? v->size[0] : 0;
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

int sim_pairing_init(struct sim_pairing *p, const char *a, const char *b, const char *arm, struct sim_diag *diag) {
  memset(p, 0, sizeof *p);
  int ret = sim_results_open(&p->file[0], a, diag);
  int second = sim_results_open(&p->file[1], b, diag);
  if (ret || second) return ret ? ret : second;
  for (unsigned k = 0; k < 2; k++) p->replicates_of[k] = size_of(p->file[k], "replicate");
  p->points = least(size_of(p->file[0], "point"), size_of(p->file[1], "point"));
  p->replicates = least(p->replicates_of[0], p->replicates_of[1]);
  if (p->points == 0 || p->replicates == 0) return sim_diag_add(diag, NULL, NULL, "a file holds no runs");
  char *draws = sim_results_attribute(p->file[0], "draws");
  p->shared = !draws || strcmp(draws, "shared") == 0;
  sim_free(draws);
  const int checks[] = {same_attribute(p, "seed", "the seed", diag),
                        same_attribute(p, "stream_version", "the version of the random streams", diag),
                        pair_arms(p, arm, diag), same_design(p, diag)};
  for (unsigned i = 0; ret == 0 && i < sizeof checks / sizeof *checks; i++) ret = checks[i];
  if (ret == SIM_ERR_IO) ret = sim_diag_add(diag, NULL, NULL, "a file is damaged: its arms or design cannot be read");
  return ret;
}

void sim_pairing_free(struct sim_pairing *p) {
  sim_results_texts_free(p->arm, p->arms);
  for (unsigned k = 0; k < 2; k++) {
    sim_results_close(p->file[k]);
    sim_free(p->place[k]);
  }
  memset(p, 0, sizeof *p);
}

/* ---- parameters ------------------------------------------------------------------------------------------------ */

struct assumptions { /* of one file */
  char **path, **value, **source;
  size_t n, cells, arms;
};

static int assumptions_load(struct assumptions *a, struct sim_results *r) {
  size_t more = 0;
  if (!sim_results_find(r, "parameter")) return 0;
  int ret = sim_results_load_texts(r, "parameter", &a->path, &a->n);
  if (ret == 0) ret = sim_results_load_texts(r, "parameter_value", &a->value, &a->cells);
  if (ret == 0) ret = sim_results_load_texts(r, "parameter_source", &a->source, &more);
  a->arms = a->n ? a->cells / a->n : 0;
  return ret == 0 && (more != a->cells || a->arms * a->n != a->cells) ? SIM_ERR_IO : ret;
}

static void assumptions_free(struct assumptions *a) {
  sim_results_texts_free(a->path, a->n);
  sim_results_texts_free(a->value, a->cells);
  sim_results_texts_free(a->source, a->cells);
}

/* What an arm of a file assumes for a path: value and source, "" where it lacks it. Paths are sorted by bytes. */
static int compare_paths(const void *key, const void *item) {
  return strcmp(key, *(char *const *)item);
}

static void assumed(const struct assumptions *a, size_t arm, const char *path, const char *out[2]) {
  char **found = a->n ? bsearch(path, a->path, a->n, sizeof *a->path, compare_paths) : NULL;
  out[0] = out[1] = "";
  if (!found || arm >= a->arms) return;
  size_t at = arm * a->n + (size_t)(found - a->path);
  out[0] = a->value[at], out[1] = a->source[at];
}

struct differing {
  struct sim_pair_parameter *list;
  size_t n, cap;
  const struct sim_pairing *pairing;
  const struct assumptions *file;
};

/* Entry of this path with these values and sources, or a new one. NULL without memory. */
static struct sim_pair_parameter *entry_of(struct differing *d, size_t first, const char *path,
                                           const char *said[2][2]) {
  for (size_t i = first; i < d->n; i++) {
    const struct sim_pair_parameter *x = &d->list[i];
    if (strcmp(x->value[0], said[0][0]) == 0 && strcmp(x->value[1], said[1][0]) == 0 &&
        strcmp(x->source[0], said[0][1]) == 0 && strcmp(x->source[1], said[1][1]) == 0)
      return &d->list[i];
  }
  struct sim_pair_parameter *grown = sim_grow(d->list, &d->cap, d->n + 1, sizeof *grown);
  if (!grown) return NULL;
  d->list = grown;
  struct sim_pair_parameter *x = &grown[d->n++];
  *x = (struct sim_pair_parameter){.path = sim_strdup(path), .arms = sim_strdup("")};
  bool whole = x->path && x->arms;
  for (unsigned k = 0; k < 2; k++) {
    x->value[k] = sim_strdup(said[k][0]), x->source[k] = sim_strdup(said[k][1]);
    whole = whole && x->value[k] && x->source[k];
  }
  return whole ? x : NULL;
}

/* One path in every arm; arms that differ alike share an entry. */
static int add_path(struct differing *d, const char *path) {
  size_t first = d->n, differ = 0;
  for (size_t arm = 0; arm < d->pairing->arms; arm++) {
    const char *said[2][2];
    for (unsigned k = 0; k < 2; k++) assumed(&d->file[k], d->pairing->place[k][arm], path, said[k]);
    if (strcmp(said[0][0], said[1][0]) == 0 && strcmp(said[0][1], said[1][1]) == 0) continue;
    struct sim_pair_parameter *x = entry_of(d, first, path, said);
    char *more = x ? sim_strf("%s%s%s", x->arms, *x->arms ? ", " : "", d->pairing->arm[arm]) : NULL;
    if (!more) return SIM_ERR_MEMORY;
    sim_free(x->arms);
    x->arms = more;
    differ++;
  }
  if (differ == d->pairing->arms && d->n == first + 1) sim_free(d->list[first].arms), d->list[first].arms = NULL;
  return 0;
}

int sim_pairing_parameters(const struct sim_pairing *p, struct sim_pair_parameter **out, size_t *n,
                           struct sim_diag *diag) {
  struct assumptions file[2] = {{0}, {0}};
  struct differing d = {.pairing = p, .file = file};
  *out = NULL, *n = 0;
  int ret = assumptions_load(&file[0], p->file[0]);
  if (ret == 0) ret = assumptions_load(&file[1], p->file[1]);
  for (size_t i = 0, j = 0; ret == 0 && (i < file[0].n || j < file[1].n);) { /* merges the sorted paths */
    int order = i == file[0].n ? 1 : j == file[1].n ? -1 : strcmp(file[0].path[i], file[1].path[j]);
    ret = add_path(&d, order <= 0 ? file[0].path[i] : file[1].path[j]);
    i += order <= 0, j += order >= 0;
  }
  for (unsigned k = 0; k < 2; k++) assumptions_free(&file[k]);
  if (ret) {
    sim_pairing_parameters_free(d.list, d.n);
    if (ret == SIM_ERR_MEMORY) return ret;
    return sim_diag_add(diag, NULL, NULL, "a file is damaged: its parameters cannot be read");
  }
  *out = d.list, *n = d.n;
  return 0;
}

void sim_pairing_parameters_free(struct sim_pair_parameter *list, size_t n) {
  for (size_t i = 0; i < n; i++) {
    sim_free(list[i].path), sim_free(list[i].arms);
    for (unsigned k = 0; k < 2; k++) sim_free(list[i].value[k]), sim_free(list[i].source[k]);
  }
  sim_free(list);
}
