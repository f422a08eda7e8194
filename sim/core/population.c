/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Populations from shares of groups and from a CSV of attributes. */
#include "sim/core/population.h"
#include "sim/core/arcs.h"
#include "sim/core/csv.h"
#include "sim/core/mem.h"
#include "sim/core/shuffle.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COMPLAINTS 10

/* The arrays while they are filled; the population holds them as const. */
struct filling {
  struct sim_population *p;
  struct sim_diag *diag;
  uint8_t *group;
  uint32_t *weight;
  float *vulnerability;
  int complaints, rc;
};

static void note(struct filling *f, int rc) {
  f->complaints++;
  if (f->rc != SIM_ERR_MEMORY) f->rc = rc;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- groups by shares ------------------------------------------------------------------------------------------ */

/* Numbers that add up to `size`, by largest remainder (Hamilton); ties go to the earlier name. The slack of 1e-9 keeps
 * 0.3 of 10 at 3. */
static void apportion(uint32_t size, const struct sim_value *shares, uint32_t *count) {
  double remainder[SIM_MAX_GROUPS];
  uint32_t given = 0;
  for (size_t g = 0; g < shares->n; g++) {
    double quota = shares->items[g].number * size;
    double whole = fmin(floor(quota + 1e-9), (double)(size - given));
    count[g] = (uint32_t)whole;
    remainder[g] = quota - whole;
    given += count[g];
  }
  for (; given < size; given++) {
    size_t best = 0;
    for (size_t g = 1; g < shares->n; g++)
      if (remainder[g] > remainder[best]) best = g;
    count[best]++;
    remainder[best] -= 1;
  }
}

static int check_shares(const struct sim_value *shares, struct sim_diag *diag) {
  double sum = 0;
  if (shares->n > SIM_MAX_GROUPS)
    return sim_diag_add(diag, &shares->mark, shares->path, "at most %d groups", SIM_MAX_GROUPS);
  for (size_t g = 0; g < shares->n; g++) sum += shares->items[g].number;
  if (fabs(sum - 1) > 1e-9)
    return sim_diag_add(diag, &shares->mark, shares->path, "the groups' shares add up to %.10g %%, not to 100 %%",
                        100 * sum);
  return 0;
}

static int name_groups(struct sim_population *p, uint32_t groups) {
  p->groups = groups;
  p->group_name = sim_calloc(groups, sizeof *p->group_name);
  p->group_size = sim_calloc(groups, sizeof *p->group_size);
  return p->group_name && p->group_size ? 0 : SIM_ERR_MEMORY;
}

/* Items are sorted by name already. Who is in which group: the first in a keyed shuffle are in the first group. */
static int fill_groups(struct filling *f, const struct sim_value *shares, const struct sim_rng *rng) {
  struct sim_population *p = f->p;
  int rc = check_shares(shares, f->diag);
  if (rc == 0) rc = name_groups(p, (uint32_t)shares->n);
  if (rc != 0) return rc;
  for (uint32_t g = 0; g < p->groups; g++)
    if (!(p->group_name[g] = sim_strdup(shares->items[g].name))) return SIM_ERR_MEMORY;
  apportion(p->size, shares, p->group_size);
  uint32_t *who = sim_realloc_array(NULL, p->size, sizeof *who);
  f->group = sim_alloc(p->size);
  if (!who || !f->group) {
    sim_free(who);
    return SIM_ERR_MEMORY;
  }
  for (uint32_t i = 0; i < p->size; i++) who[i] = i;
  struct sim_rng_stream stream;
  sim_rng_stream_init(&stream, rng, sim_purpose("society.groups"), 0, 0);
  sim_shuffle(who, p->size, &stream);
  for (uint32_t g = 0, i = 0; g < p->groups; g++)
    for (uint32_t k = 0; k < p->group_size[g]; k++) f->group[who[i++]] = (uint8_t)g;
  sim_free(who);
  return 0;
}

/* ---- attributes from a file ------------------------------------------------------------------------------------ */

/* Columns of the file, -1 where absent. */
struct columns {
  int id, group, weight, vulnerability;
};

static int find_columns(const struct sim_csv *csv, struct columns *c, struct sim_diag *diag) {
  int rc = 0;
  *c = (struct columns){sim_csv_column(csv, "id"), sim_csv_column(csv, "group"), sim_csv_column(csv, "weight"),
                        sim_csv_column(csv, "vulnerability")};
  for (size_t i = 0; i < csv->columns; i++)
    if ((int)i != c->id && (int)i != c->group && (int)i != c->weight && (int)i != c->vulnerability)
      rc = sim_csv_complain(csv, SIM_CSV_HEADER, diag, "column '%s' is none of id, group, weight, vulnerability",
                            csv->header[i]);
  return rc;
}

/* Entity of each row: given by the column `id`, each once, or the number of the row. */
static int find_entities(struct filling *f, const struct sim_csv *csv, int column, uint32_t **out) {
  uint32_t size = f->p->size, *entity = *out = sim_realloc_array(NULL, size, sizeof *entity);
  uint8_t *seen = sim_calloc(size, 1);
  if (!entity || !seen) note(f, SIM_ERR_MEMORY);
  for (uint32_t i = 0; f->rc != SIM_ERR_MEMORY && f->complaints < MAX_COMPLAINTS && i < size; i++) {
    entity[i] = i;
    if (column < 0) continue;
    if (!sim_csv_whole(csv, i, (size_t)column, 0, size - 1, &entity[i]))
      note(f, sim_csv_complain(csv, i, f->diag, "the id '%s' is not a whole number from 0 to %u",
                               csv->cell[i * csv->columns + (size_t)column], size - 1));
    else if (seen[entity[i]]++)
      note(f, sim_csv_complain(csv, i, f->diag, "the id %u stands twice", entity[i]));
  }
  sim_free(seen);
  return f->rc;
}

static bool name_ok(const char *name) {
  return *name >= 'a' && *name <= 'z' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* Adds a name to the sorted names if it is new; false if there is no room. */
static bool add_name(const char **names, uint32_t *n, const char *name) {
  if (bsearch(&name, names, *n, sizeof *names, by_name)) return true;
  if (*n == SIM_MAX_GROUPS) return false;
  uint32_t i = (*n)++;
  for (; i > 0 && strcmp(names[i - 1], name) > 0; i--) names[i] = names[i - 1];
  names[i] = name;
  return true;
}

static void read_groups(struct filling *f, const struct sim_csv *csv, const uint32_t *entity, size_t column) {
  const char *names[SIM_MAX_GROUPS];
  uint32_t n = 0, size = f->p->size;
  for (uint32_t i = 0; f->complaints < MAX_COMPLAINTS && i < size; i++) {
    const char *name = csv->cell[i * csv->columns + column];
    if (!name_ok(name))
      note(f, sim_csv_complain(csv, i, f->diag, "'%s' is no name of a group (small letters, digits, _)", name));
    else if (!add_name(names, &n, name)) {
      note(f, sim_csv_complain(csv, i, f->diag, "'%s' is one group too many; at most %d", name, SIM_MAX_GROUPS));
      return;
    }
  }
  if (f->rc != 0) return;
  f->group = sim_alloc(size);
  if (!f->group || name_groups(f->p, n) != 0) {
    note(f, SIM_ERR_MEMORY);
    return;
  }
  for (uint32_t g = 0; g < n; g++)
    if (!(f->p->group_name[g] = sim_strdup(names[g]))) note(f, SIM_ERR_MEMORY);
  for (uint32_t i = 0; f->rc == 0 && i < size; i++) {
    int g = sim_population_group(f->p, csv->cell[i * csv->columns + column]);
    f->group[entity[i]] = (uint8_t)g;
    f->p->group_size[g]++;
  }
}

static void read_weights(struct filling *f, const struct sim_csv *csv, const uint32_t *entity, size_t column) {
  f->weight = sim_realloc_array(NULL, f->p->size, sizeof *f->weight);
  if (!f->weight) note(f, SIM_ERR_MEMORY);
  for (uint32_t i = 0; f->weight && f->complaints < MAX_COMPLAINTS && i < f->p->size; i++)
    if (!sim_csv_whole(csv, i, column, 1, UINT32_MAX, &f->weight[entity[i]]))
      note(f, sim_csv_complain(csv, i, f->diag, "the weight '%s' is not a whole number from 1",
                               csv->cell[i * csv->columns + column]));
}

static void read_vulnerabilities(struct filling *f, const struct sim_csv *csv, const uint32_t *entity, size_t column) {
  f->vulnerability = sim_realloc_array(NULL, f->p->size, sizeof *f->vulnerability);
  if (!f->vulnerability) note(f, SIM_ERR_MEMORY);
  for (uint32_t i = 0; f->vulnerability && f->complaints < MAX_COMPLAINTS && i < f->p->size; i++) {
    double v;
    if (!sim_csv_number(csv, i, column, &v) || v < (double)FLT_MIN || v > (double)FLT_MAX)
      note(f, sim_csv_complain(csv, i, f->diag, "the vulnerability '%s' is not a number above 0",
                               csv->cell[i * csv->columns + column]));
    else
      f->vulnerability[entity[i]] = (float)v;
  }
}

static int fill_attributes(struct filling *f, const struct sim_value *file, bool have_groups) {
  struct sim_csv csv = {0};
  struct columns c;
  uint32_t *entity = NULL;
  int rc = sim_csv_read(&csv, file, true, f->diag);
  if (rc != 0) return rc;
  rc = find_columns(&csv, &c, f->diag);
  if (rc == 0 && have_groups && c.group >= 0)
    rc = sim_diag_add(f->diag, &file->mark, file->path,
                      "groups are given twice: as shares and by the column `group` of %s", file->text);
  if (rc == 0 && csv.rows != f->p->size)
    rc = sim_diag_add(f->diag, &file->mark, file->path, "%s: %zu rows, but the population has %u", file->text, csv.rows,
                      f->p->size);
  if (rc == 0) rc = find_entities(f, &csv, c.id, &entity);
  if (rc == 0) {
    if (c.group >= 0) read_groups(f, &csv, entity, (size_t)c.group);
    if (c.weight >= 0) read_weights(f, &csv, entity, (size_t)c.weight);
    if (c.vulnerability >= 0) read_vulnerabilities(f, &csv, entity, (size_t)c.vulnerability);
    rc = f->rc;
  }
  sim_free(entity);
  sim_csv_free(&csv);
  return rc;
}

/* ---- populations ----------------------------------------------------------------------------------------------- */

static bool given(const struct sim_value *v) {
  return v && v->form != SIM_ABSENT;
}

int sim_population_rows(const struct sim_value *attributes, uint32_t *rows, struct sim_diag *diag) {
  struct sim_csv csv = {0};
  *rows = 0;
  int rc = sim_csv_read(&csv, attributes, true, diag);
  if (rc == 0 && csv.rows > SIM_MAX_NODES)
    rc =
        sim_diag_add(diag, &attributes->mark, attributes->path, "%s: at most %u rows", attributes->text, SIM_MAX_NODES);
  if (rc == 0) *rows = (uint32_t)csv.rows;
  sim_csv_free(&csv);
  return rc;
}

int sim_population_init(struct sim_population *p, const char *name, uint32_t size, const struct sim_value *groups,
                        const struct sim_value *attributes, const struct sim_rng *rng, struct sim_diag *diag) {
  *p = (struct sim_population){.name = sim_strdup(name), .size = size};
  struct filling f = {.p = p, .diag = diag};
  bool shares = given(groups) && groups->n > 0;
  int rc = p->name ? 0 : SIM_ERR_MEMORY;
  if (rc == 0 && size == 0 && given(attributes)) rc = sim_population_rows(attributes, &p->size, diag);
  if (rc == 0 && (p->size == 0 || p->size > SIM_MAX_NODES))
    rc = sim_diag_add(diag, given(attributes) ? &attributes->mark : NULL, given(attributes) ? attributes->path : NULL,
                      "population '%s' must have from 1 to %u members", name, SIM_MAX_NODES);
  if (rc == 0 && shares) rc = fill_groups(&f, groups, rng);
  if (rc == 0 && given(attributes)) rc = fill_attributes(&f, attributes, shares);
  p->group = f.group;
  p->weight = f.weight;
  p->vulnerability = f.vulnerability;
  for (uint32_t i = 0; rc == 0 && i < p->size; i++) p->weight_total += sim_population_weight(p, i);
  if (rc != 0) sim_population_free(p);
  return rc;
}

int sim_population_group(const struct sim_population *p, const char *group) {
  char **found = p->groups ? bsearch(&group, p->group_name, p->groups, sizeof *p->group_name, by_name) : NULL;
  return found ? (int)(found - p->group_name) : -1;
}

void sim_population_free(struct sim_population *p) {
  for (uint32_t g = 0; p->group_name && g < p->groups; g++) sim_free(p->group_name[g]);
  sim_free(p->group_name);
  sim_free(p->group_size);
  sim_free((void *)(uintptr_t)p->group);
  sim_free((void *)(uintptr_t)p->weight);
  sim_free((void *)(uintptr_t)p->vulnerability);
  sim_free(p->name);
  *p = (struct sim_population){0};
}
