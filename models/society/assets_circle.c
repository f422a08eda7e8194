/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Layers that hang together: they need one another, or a node works only in the giant component of its layer's working
 * nodes, or both (Buldyrev, Parshani, Paul, Stanley & Havlin 2010, Nature 464:1025: the mutual giant component).
 *
 * Who works is a function of who is intact and of what layers outside supply, not of what came before: all intact nodes
 * are taken to work, and in synchronous rounds first those outside the giant components cease to, then all those that
 * lose their supply in turn, until nobody does. So what failed together is restored when all of it is repaired. A
 * resolution visits all nodes and edges of the circle in each of a few rounds; there is one at each instant at which
 * a node of it fails or is repaired, and one at the start where a giant component is asked for. Every node moves once
 * at most. */
#include "models/society/assets.h"
#include <string.h>

/* ---- planning ---------------------------------------------------------------------------------------------------- */

/* reached[layer] becomes true for the layers that `from` needs, and those that these need. */
static void reach(const struct sim_builder *b, uint32_t from, bool *reached) {
  size_t n;
  const struct sim_value *needs = sim_value_list(sim_builder_layer(b, from)->params, "needs", &n);
  for (size_t i = 0; i < n; i++) {
    uint32_t layer = sim_builder_find_layer(b, needs[i].text);
    if (layer == SIM_NONE || reached[layer]) continue;
    reached[layer] = true;
    reach(b, layer, reached);
  }
}

static int gather(struct sim_builder *b, struct assets_plan *p, const bool *mine, bool *theirs) {
  uint32_t layers = sim_builder_layers(b);
  for (uint32_t l = 0; l < layers; l++) {
    bool member = l == p->layer;
    if (!member && mine[l]) {
      memset(theirs, 0, layers * sizeof *theirs);
      reach(b, l, theirs);
      member = theirs[p->layer];
    }
    if (member) p->circle[p->members++] = sim_builder_find(b, sim_builder_layer(b, l)->name);
  }
  return 0;
}

int circle_plan(struct sim_builder *b, const struct sim_instance *self, struct assets_plan *p) {
  uint32_t layers = sim_builder_layers(b);
  bool *mine = sim_calloc(layers, sizeof *mine), *theirs = sim_calloc(layers, sizeof *theirs);
  p->circle = sim_calloc(layers, sizeof *p->circle);
  int ret = mine && theirs && p->circle ? 0 : SIM_ERR_MEMORY;
  if (ret) goto out;
  reach(b, p->layer, mine);
  ret = gather(b, p, mine, theirs);
  for (unsigned k = 0; k < p->needs; k++)
    for (uint32_t m = 0; m < p->members; m++) p->need[k].inside |= p->circle[m] == p->need[k].supplier;
  if (p->members == 1 && !p->giant) p->members = 0;
  const struct sim_value *supply = sim_value_get(self->params, "supply");
  if (p->members > 1 && p->supply == SUPPLY_SHARE)
    ret = sim_diag_add(sim_builder_diag(b), &supply->mark, supply->path,
                       "layers that need one another cannot have shares of supply: use `at_least`");
out:
  sim_free(mine);
  sim_free(theirs);
  return ret;
}

int circle_open(const struct assets_plan *p, struct assets *s) {
  if (!p->members) return 0;
  s->works = sim_calloc(p->nodes, sizeof *s->works);
  s->component = p->giant ? sim_calloc(p->nodes, sizeof *s->component) : NULL;
  return s->works && (s->component || !p->giant) ? 0 : SIM_ERR_MEMORY;
}

/* ---- resolution -------------------------------------------------------------------------------------------------- */

/* Something changed for a node of the circle: it is resolved once, in the next round of this instant. */
void circle_touch(struct sim_run *run, const struct assets_plan *p) {
  struct assets *first = sim_run_state(run, p->circle[0]);
  sim_schedule(run, p->circle[0], ASSETS_EV_CIRCLE, 0, 0, sim_now(run), &first->circle);
}

static void start(const struct sim_run *run, const struct sim_instance *layer) {
  const struct assets_plan *p = layer->plan;
  struct assets *s = sim_run_state(run, layer);
  for (uint32_t i = 0; i < p->nodes; i++)
    s->works[i] = sim_state(run, layer->machine, i) != ASSET_DOWN && assets_outer_supply(p, s, i) > 0;
}

/* Those outside the giant component cease to work; whether there are any. */
static bool keep_giant(const struct sim_run *run, const struct sim_instance *layer) {
  const struct assets_plan *p = layer->plan;
  struct assets *s = sim_run_state(run, layer);
  uint32_t before = 0;
  if (!p->giant) return false;
  for (uint32_t i = 0; i < p->nodes; i++) before += s->works[i];
  return sim_graph_keep_giant(sim_run_graph(run, p->layer), s->works, s->component) < before;
}

static bool supplied_within(const struct sim_run *run, const struct assets_plan *p, uint32_t node) {
  for (unsigned k = 0; k < p->needs; k++) {
    if (!p->need[k].inside) continue;
    const struct assets *other = sim_run_state(run, p->need[k].supplier);
    uint32_t first, end;
    uint64_t missing = 0;
    assets_suppliers(p, &p->need[k], node, &first, &end);
    for (uint32_t j = first; j < end; j++) missing += other->works[j] ? 0 : ASSETS_WHOLE;
    if (!assets_supplied(p, missing, end - first)) return false;
  }
  return true;
}

/* Those without supply cease to work; whether there are any. */
static bool keep_supplied(const struct sim_run *run, const struct sim_instance *layer) {
  const struct assets_plan *p = layer->plan;
  struct assets *s = sim_run_state(run, layer);
  bool changed = false;
  for (uint32_t i = 0; i < p->nodes; i++) {
    if (!s->works[i] || supplied_within(run, p, i)) continue;
    s->works[i] = 0;
    changed = true;
  }
  return changed;
}

void circle_resolve(struct sim_run *run, const struct assets_plan *p) {
  for (uint32_t m = 0; m < p->members; m++) start(run, p->circle[m]);
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t m = 0; m < p->members; m++) changed |= keep_giant(run, p->circle[m]);
    for (bool more = p->members > 1; more;) {
      more = false;
      for (uint32_t m = 0; m < p->members; m++) more |= keep_supplied(run, p->circle[m]);
      changed |= more;
    }
  }
  for (uint32_t m = 0; m < p->members; m++) {
    const struct assets_plan *plan = p->circle[m]->plan;
    const struct assets *s = sim_run_state(run, p->circle[m]);
    for (uint32_t i = 0; i < plan->nodes; i++)
      assets_settle(run, p->circle[m], i, s->works[i] ? ASSETS_WHOLE - assets_outer_supply(plan, s, i) : ASSETS_WHOLE);
  }
}
