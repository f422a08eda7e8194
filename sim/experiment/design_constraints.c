/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constraints: relations between parameters that a point must meet, `teams.a.size <= teams.b.size`. */
#include "sim/core/mem.h"
#include "sim/experiment/design_internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct side {
  size_t factor; /* or factors: a parameter that is not varied */
  double number;
  char unit[64];
};

struct constraint {
  struct side left, right;
  char relation[3]; /* < <= > >= */
};

static int read_side(struct side *side, const struct sim_design *d, const struct sim_scenario *s, const char *path,
                     const struct sim_value *at, struct sim_diag *diag) {
  side->factor = sim_design_factor(d, path);
  if (side->factor < d->factors) {
    snprintf(side->unit, sizeof side->unit, "%s", d->unit[side->factor]);
    return 0;
  }
  struct sim_path_info *info = NULL;
  size_t n = sim_scenario_paths(s, d->reference, path, &info);
  bool found = n == 1 && !isnan(info->number);
  if (found) {
    side->number = info->number;
    snprintf(side->unit, sizeof side->unit, "%s", info->unit);
  }
  sim_paths_free(info, n);
  return found ? 0 : sim_diag_add(diag, &at->mark, at->path, "`%s` is not the path of a number", path);
}

static int parse(struct constraint *c, const struct sim_design *d, const struct sim_scenario *s,
                 const struct sim_value *at, struct sim_diag *diag) {
  char left[256], right[256], rest[2];
  int words = sscanf(at->text, " %255[^ <>=] %2[<>=] %255[^ <>=] %1s", left, c->relation, right, rest);
  static const char *const relations[] = {"<", "<=", ">", ">="};
  bool known = false;
  for (size_t i = 0; words == 3 && i < 4; i++) known = known || strcmp(relations[i], c->relation) == 0;
  if (!known) {
    return sim_diag_add(diag, &at->mark, at->path,
                        "expected two paths and one of < <= > >=, as in `teams.a.size <= teams.b.size`, found `%s`",
                        at->text);
  }
  int ret = read_side(&c->left, d, s, left, at, diag);
  if (ret == 0) ret = read_side(&c->right, d, s, right, at, diag);
  if (ret == 0 && strcmp(c->left.unit, c->right.unit) != 0) {
    ret = sim_diag_add(diag, &at->mark, at->path, "`%s` has the unit %s, `%s` has %s", left,
                       *c->left.unit ? c->left.unit : "1", right, *c->right.unit ? c->right.unit : "1");
  }
  if (ret == 0 && c->left.factor == d->factors && c->right.factor == d->factors) {
    ret = sim_diag_add(diag, &at->mark, at->path, "the design varies neither `%s` nor `%s`", left, right);
  }
  return ret;
}

static double side_at(const struct side *side, const struct sim_design *d, size_t point) {
  return side->factor < d->factors ? d->value[point * d->factors + side->factor] : side->number;
}

static bool holds(const struct constraint *c, const struct sim_design *d, size_t point) {
  double left = side_at(&c->left, d, point), right = side_at(&c->right, d, point);
  bool equal = c->relation[1] == '=' && left == right;
  return equal || (c->relation[0] == '<' ? left < right : left > right);
}

/* Keeps the points that meet all of n constraints, in their order. */
static void drop(struct sim_design *d, const struct constraint *list, size_t n) {
  size_t kept = 0, factors = d->factors;
  for (size_t p = 0; p < d->points; p++) {
    bool good = true;
    for (size_t i = 0; i < n; i++) good = good && holds(&list[i], d, p);
    for (size_t f = 0; f < factors; f++) {
      size_t from = p * factors + f, to = kept * factors + f;
      if (d->text && !good) sim_free(d->text[from]);
      if (!good) continue;
      d->cube[to] = d->cube[from];
      d->value[to] = d->value[from];
      if (d->text) d->text[to] = d->text[from];
    }
    kept += good;
  }
  d->dropped = d->points - kept;
  d->points = kept;
}

int sim_design_constrain(struct sim_design *d, const struct sim_scenario *s, const struct sim_value *section,
                         struct sim_diag *diag) {
  size_t n;
  const struct sim_value *item = sim_value_list(section, "constraints", &n);
  if (n == 0) return 0;
  if (strcmp(d->kind, "random") != 0 && strcmp(d->kind, "latin_hypercube") != 0 && strcmp(d->kind, "csv") != 0) {
    return sim_diag_add(diag, &item->mark, item->path,
                        "constraints drop points, which the design `%s` does not allow: use random, latin_hypercube or "
                        "csv",
                        d->kind);
  }
  struct constraint *list = sim_calloc(n, sizeof *list);
  int ret = list ? 0 : SIM_ERR_MEMORY;
  for (size_t i = 0; ret == 0 && i < n; i++) ret = parse(&list[i], d, s, &item[i], diag);
  if (ret == 0) drop(d, list, n);
  if (ret == 0 && d->points == 0) {
    ret =
        sim_diag_add(diag, &item->mark, item->path, "no point meets the constraints: all %zu were dropped", d->dropped);
  }
  sim_free(list);
  return ret;
}
