/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Burdens: what restrictions take of people's freedom and monitoring of their privacy, in person-days: of each entry
 * that declares one, in all, and at the price that `measures.prices` puts on it. */
#include "sim/core/burden.h"
#include "sim/core/builder.h"

const struct sim_param sim_price_params[] = {
    {.name = "freedom",
     .kind = SIM_QUANTITY,
     .unit = "currency/person_day",
     .doc = "Price put on a person-day of freedom lost; gives `freedom_cost`."},
    {.name = "privacy",
     .kind = SIM_QUANTITY,
     .unit = "currency/person_day",
     .doc = "Price put on a person-day under monitoring; gives `privacy_cost`."},
    {0}};

static const struct {
  const char *price, *total, *total_doc, *cost, *cost_doc, *own, *own_doc;
} kinds[SIM_BURDENS] = {
    {"freedom", "freedom_lost", "Person-days of freedom lost to restrictions", "freedom_cost",
     "Freedom lost, at its price", "person_days_restricted", "Person-days of freedom lost to an item"},
    {"privacy", "privacy_lost", "Person-days under monitoring", "privacy_cost", "Privacy lost, at its price",
     "person_days_monitored", "Person-days under monitoring by an item"}};

static const struct sim_value *price_of(const struct sim_world *w, unsigned kind) {
  return sim_value_get(sim_value_get(sim_value_get(w->root, "measures"), "prices"), kinds[kind].price);
}

uint32_t sim_builder_burden(struct sim_builder *b, const struct sim_instance *self, enum sim_burden kind) {
  struct sim_world *w = b->world;
  struct sim_burden_plan *grown = sim_realloc_array(w->burden, w->burdens + 1u, sizeof *grown);
  if (!grown) {
    if (!b->failed) b->failed = SIM_ERR_MEMORY;
    return 0;
  }
  w->burden = grown;
  w->burden[w->burdens] = (struct sim_burden_plan){self->index, kind};
  return w->burdens++;
}

/* For each kind its total and, if it has a price, its cost; then the items. */
int sim_burden_columns(struct sim_world *w, const char *currency,
                       int (*add)(struct sim_world *w, size_t *cap, const struct sim_column *c), size_t *cap) {
  int ret = 0;
  for (unsigned k = 0; !ret && k < SIM_BURDENS; k++) {
    w->burden_total[k] = w->columns;
    ret = add(w, cap,
              &(struct sim_column){kinds[k].total, "person_day", kinds[k].total_doc, SIM_F64, NULL, 0, {{0}, {0}}});
    if (!ret && price_of(w, k)->form != SIM_ABSENT)
      ret = add(w, cap, &(struct sim_column){kinds[k].cost, currency, kinds[k].cost_doc, SIM_F64, NULL, 0, {{0}, {0}}});
  }
  w->burden_item = w->columns;
  for (uint32_t i = 0; !ret && i < w->burdens; i++) {
    unsigned k = w->burden[i].kind;
    struct sim_column c = {kinds[k].own, "person_day", kinds[k].own_doc, SIM_F64, NULL, 1, {{0}, {0}}};
    c.at[0].dim = "item";
    c.at[0].label = w->instance[w->burden[i].instance].name;
    ret = add(w, cap, &c);
  }
  return ret;
}

void sim_burdens_begin(const struct sim_world *w, double *columns) {
  for (size_t c = w->burden_total[0]; c < w->burden_item + w->burdens; c++) columns[c] = 0;
}

void sim_burden(struct sim_run *run, uint32_t burden, double person_days) {
  const struct sim_world *w = run->world;
  unsigned kind = w->burden[burden].kind;
  const struct sim_value *price = price_of(w, kind);
  double *total = run->column + w->burden_total[kind];
  total[0] += person_days;
  if (price->form != SIM_ABSENT) total[1] += price->number * person_days;
  run->column[w->burden_item + burden] += person_days;
}
