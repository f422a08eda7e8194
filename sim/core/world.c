/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A world: from the bound scenario to the tables of a run. The steps of sim_world_create are the table of contents. */
#include "sim/core/budget.h"
#include "sim/core/builder.h"
#include "sim/core/burden.h"
#include "sim/core/recorder.h"
#include "sim/core/server.h"
#include "sim/core/society.h"
#include <stdlib.h>
#include <string.h>

/* ---- instances ------------------------------------------------------------------------------------------------- */

static int add_instance(struct sim_world *w, size_t *cap, const struct sim_model *model,
                        const struct sim_value *params) {
  struct sim_instance *grown = sim_grow(w->instance, cap, w->instances + 1u, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  w->instance = grown;
  unsigned events = 0;
  while (model->events && model->events[events].name) events++;
  w->instance[w->instances++] = (struct sim_instance){.model = model,
                                                      .params = params,
                                                      .name = params->name,
                                                      .path = params->path,
                                                      .own_events = events,
                                                      .machine = SIM_NONE,
                                                      .server = SIM_NONE,
                                                      .population = SIM_NONE};
  return 0;
}

static int by_path(const void *a, const void *b) {
  return strcmp(((const struct sim_instance *)a)->path, ((const struct sim_instance *)b)->path);
}

static bool is_one_of(const char *name, const char *const *names) {
  for (; *names; names++)
    if (strcmp(name, *names) == 0) return true;
  return false;
}

/* True if some value under v speaks of the states of this layer's nodes: `fails: power`, `power.down`, a repair ... */
static bool speaks_of(const struct sim_value *v, const char *layer, bool repair) {
  static const char *const keys[] = {"fails", "needs", "giant", NULL};
  size_t length = strlen(layer);
  if (v->text && v->param) {
    if (strncmp(v->text, layer, length) == 0 && v->text[length] == '.') return true;
    if (strcmp(v->text, layer) == 0 && (repair || is_one_of(v->param->name, keys))) return true;
  }
  if (v->name && v->path && strcmp(v->name, layer) == 0 && strncmp(v->path, "measures.functionality.", 23) == 0)
    return true;
  for (size_t i = 0; i < v->n; i++)
    if (speaks_of(&v->items[i], layer, repair)) return true;
  return false;
}

/* A layer with nodes of its own is a population of assets where anything can befall them, and only contacts otherwise.
 */
static bool has_assets(const struct sim_world *w, const struct sim_layer *l) {
  if (!l->own_nodes) return false;
  static const char *const keys[] = {"serves", "failure", "needs", "beds", "works_in", NULL};
  for (size_t i = 0; keys[i]; i++)
    if (sim_value_has(l->params, keys[i])) return true;
  for (size_t s = 0; s < w->root->n; s++)
    if (speaks_of(&w->root->items[s], l->name, w->root->items[s].name && strcmp(w->root->items[s].name, "repair") == 0))
      return true;
  return false;
}

/* Every entry of a section of models, every section that is one entry, and every layer of assets; in the order of their
 * paths. */
static int make_instances(struct sim_world *w) {
  size_t cap = 0;
  int ret = 0;
  for (size_t s = 0; !ret && s < w->root->n; s++) {
    const struct sim_value *section = &w->root->items[s];
    if (section->form == SIM_MAPPING && section->param->kind == SIM_MODEL)
      ret = add_instance(w, &cap, section->model, section);
    if (section->form != SIM_MAPPING || section->param->kind != SIM_NAMES ||
        section->param->fields[0].kind != SIM_MODEL)
      continue;
    for (size_t i = 0; !ret && i < section->n; i++)
      ret = add_instance(w, &cap, section->items[i].model, &section->items[i]);
  }
  const struct sim_model *assets = NULL;
  for (size_t m = 0; sim_models[m]; m++)
    if (strcmp(sim_models[m]->section, "layers") == 0) assets = sim_models[m];
  for (uint32_t l = 0; !ret && assets && l < w->layers; l++)
    if (has_assets(w, &w->layer[l])) ret = add_instance(w, &cap, assets, w->layer[l].params);
  if (ret || !w->instances) return ret;
  qsort(w->instance, w->instances, sizeof *w->instance, by_path);
  for (uint32_t i = 0; i < w->instances; i++) {
    w->instance[i].index = i;
    size_t size = w->instance[i].model->plan_size;
    w->instance[i].plan = sim_calloc(1, size ? size : 1);
    if (!w->instance[i].plan) return SIM_ERR_MEMORY;
  }
  return 0;
}

static unsigned knobs_of(const struct sim_model *m) {
  unsigned n = 0;
  while (m->knobs && m->knobs[n].name) n++;
  return n;
}
static unsigned signals_of(const struct sim_model *m) {
  unsigned n = 0;
  while (m->signals && m->signals[n].name) n++;
  return n;
}

static int make_tables(struct sim_world *w) {
  w->knob_base = sim_calloc(w->instances + 1u, sizeof *w->knob_base);
  w->signal_base = sim_calloc(w->instances + 1u, sizeof *w->signal_base);
  w->output_base = sim_calloc(w->instances + 1u, sizeof *w->output_base);
  w->listener = sim_calloc(w->instances + 1u, sizeof *w->listener);
  w->listeners = sim_calloc(w->instances + 1u, sizeof *w->listeners);
  if (!w->knob_base || !w->signal_base || !w->output_base || !w->listener || !w->listeners) return SIM_ERR_MEMORY;
  for (uint32_t i = 0; i < w->instances; i++) {
    w->knob_base[i] = w->knobs;
    w->signal_base[i] = w->signals;
    w->knobs += knobs_of(w->instance[i].model);
    w->signals += signals_of(w->instance[i].model);
  }
  w->knob = sim_calloc(w->knobs + 1u, sizeof *w->knob);
  w->signal_moment = sim_calloc(w->signals + 1u, sizeof *w->signal_moment);
  w->signal_moments = sim_calloc(w->signals + 1u, sizeof *w->signal_moments);
  return w->knob && w->signal_moment && w->signal_moments ? 0 : SIM_ERR_MEMORY;
}

/* ---- order of events ------------------------------------------------------------------------------------------- */

struct kind_sort {
  enum sim_phase phase;
  uint32_t instance;
  unsigned local;
};

static int by_phase(const void *a, const void *b) {
  const struct kind_sort *x = a, *y = b;
  if (x->phase != y->phase) return x->phase < y->phase ? -1 : 1;
  if (x->instance != y->instance) return x->instance < y->instance ? -1 : 1;
  return x->local < y->local ? -1 : x->local > y->local;
}

static enum sim_phase phase_of(const struct sim_instance *i, unsigned local) {
  unsigned own = sim_engine_kind(i, 0);
  if (local < own) return i->model->events[local].phase;
  return local - own == SIM_EV_DWELL    ? SIM_PHASE_PROGRESS
         : local - own == SIM_EV_MOMENT ? SIM_PHASE_DECIDE
                                        : SIM_PHASE_SERVE;
}

static int rank_kinds(struct sim_world *w) {
  size_t n = 0, k = 0;
  for (uint32_t i = 0; i < w->instances; i++) n += sim_engine_kind(&w->instance[i], SIM_EV_COUNT);
  if (n > UINT16_MAX) return SIM_ERR_LIMIT;
  struct kind_sort *sort = sim_calloc(n + 1, sizeof *sort);
  w->kind = sim_calloc(n + 1, sizeof *w->kind);
  w->rank = sim_calloc(w->instances + 1u, sizeof *w->rank);
  int ret = sort && w->kind && w->rank ? 0 : SIM_ERR_MEMORY;
  for (uint32_t i = 0; !ret && i < w->instances; i++) {
    unsigned kinds = sim_engine_kind(&w->instance[i], SIM_EV_COUNT);
    w->rank[i] = sim_calloc(kinds, sizeof **w->rank);
    if (!w->rank[i]) ret = SIM_ERR_MEMORY;
    for (unsigned l = 0; l < kinds; l++) sort[k++] = (struct kind_sort){phase_of(&w->instance[i], l), i, l};
  }
  if (!ret) {
    qsort(sort, n, sizeof *sort, by_phase);
    for (size_t r = 0; r < n; r++) {
      w->kind[r] = (struct sim_kind_desc){sort[r].instance, sort[r].local};
      w->rank[sort[r].instance][sort[r].local] = (uint16_t)r;
    }
    w->kinds = (uint32_t)n;
  }
  sim_free(sort);
  return ret;
}

/* ---- columns --------------------------------------------------------------------------------------------------- */

static const char *dimension(const char *section) {
  static const char *const names[][2] = {{"hazards", "hazard"},    {"incidents", "incident"}, {"sensing", "sensor"},
                                         {"teams", "team"},        {"actions", "action"},     {"layers", "layer"},
                                         {"couplings", "coupling"}};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(section, names[i][0]) == 0) return names[i][1];
  return section; /* repair, safeguards */
}

static int add_column(struct sim_world *w, size_t *cap, const struct sim_column *c) {
  struct sim_column *grown = sim_grow(w->column, cap, w->columns + 1, sizeof *grown);
  if (!grown) return SIM_ERR_MEMORY;
  w->column = grown;
  w->column[w->columns++] = *c;
  return 0;
}

/* The recorder's first, then the models' outputs, then burdens, the budget's lines, and costs. */
static int make_columns(struct sim_world *w, struct sim_diag *diag) {
  size_t cap = 0;
  int ret = sim_recorder_plan(&w->recorder, w, &w->column, &w->columns, &cap, diag);
  for (uint32_t i = 0; !ret && i < w->instances; i++) {
    const struct sim_model *model = w->instance[i].model;
    bool has = !model->outputs_when || sim_value_has(w->instance[i].params, model->outputs_when);
    const struct sim_output_desc *o = has ? model->outputs : NULL;
    w->output_base[i] = (uint32_t)w->columns;
    for (; !ret && o && o->name; o++) {
      struct sim_column c = {o->name, o->unit, o->doc, o->integer ? SIM_I64 : SIM_F64, NULL, 1, {{0}, {0}}};
      c.at[0].dim = dimension(model->section);
      c.at[0].label = w->instance[i].name;
      ret = add_column(w, &cap, &c);
    }
  }
  const char *currency = sim_value_text(w->root, "currency");
  if (!currency) currency = "USD";
  if (!ret) ret = sim_burden_columns(w, currency, add_column, &cap);
  const struct sim_value *lines = sim_budget_lines(w->root);
  for (size_t k = 0; !ret && lines && k < lines->n; k++) {
    struct sim_column c = {"budget_spend", currency, "Spending of a line of the budget over the run", SIM_F64, NULL, 1,
                           {{0}, {0}}};
    c.at[0].dim = "line";
    c.at[0].label = lines->items[k].name;
    ret = add_column(w, &cap, &c);
  }
  for (uint32_t k = 0; !ret && k < w->costs; k++) {
    struct sim_column c = {"cost", currency, "Cost of an item over the run", SIM_F64, NULL, 1, {{0}, {0}}};
    c.at[0].dim = "item";
    c.at[0].label = w->instance[w->cost_instance[k]].name;
    ret = add_column(w, &cap, &c);
  }
  return ret;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

/* Hazards and layers have the states that others name, so they are declared first. */
static bool has_states(const struct sim_instance *i) {
  return strcmp(i->model->section, "hazards") == 0 || strcmp(i->model->section, "layers") == 0;
}

/* One pass over the instances; all are asked, so that all errors are found, unless memory is out. */
static int call_all(struct sim_builder *b, bool declare, bool states) {
  int first = 0;
  struct sim_world *w = b->world;
  for (uint32_t i = 0; i < w->instances && first != SIM_ERR_MEMORY; i++) {
    struct sim_instance *self = &w->instance[i];
    int (*step)(struct sim_builder *, struct sim_instance *, void *) =
        declare ? self->model->declare : self->model->plan;
    if (!step || (declare && has_states(self) != states)) continue;
    int ret = step(b, self, self->plan);
    if (ret && (!first || ret == SIM_ERR_MEMORY)) first = ret;
  }
  return b->failed ? b->failed : first;
}

static int plan(struct sim_world *w, struct sim_diag *diag) {
  struct sim_builder b = {.world = w, .diag = diag};
  int ret = sim_society_build(w, sim_value_get(w->root, "society"), diag);
  if (!ret) ret = make_instances(w);
  if (!ret) ret = make_tables(w);
  if (!ret) ret = call_all(&b, true, true);
  if (!ret) ret = call_all(&b, true, false);
  if (!ret) ret = call_all(&b, false, false);
  if (!ret) ret = make_columns(w, diag);
  for (uint32_t s = 0; !ret && s < w->servers; s++) ret = sim_server_plan_seal(w->server[s]);
  if (!ret) ret = rank_kinds(w);
  sim_builder_close(&b);
  return ret ? ret : diag->n ? SIM_ERR_INPUT : 0;
}

int sim_world_create(struct sim_world **out, const struct sim_value *root, uint64_t seed, struct sim_graph_cache *cache,
                     struct sim_diag *diag) {
  *out = NULL;
  sim_graph_setup();
  struct sim_world *w = sim_calloc(1, sizeof *w);
  if (!w) return SIM_ERR_MEMORY;
  w->root = root;
  w->seed = seed;
  w->cache = cache;
  w->horizon_days = sim_value_number(root, "horizon");
  w->horizon = sim_ticks(w->horizon_days);
  int ret = plan(w, diag);
  if (ret) {
    sim_world_free(w);
    return ret;
  }
  *out = w;
  return 0;
}

static void free_machine(struct sim_machine *m) {
  for (unsigned s = 0; m->state_name && s < m->states; s++) sim_free(m->state_name[s]);
  sim_free(m->state_name);
  sim_free(m->functionality);
  sim_free(m->active);
  for (unsigned t = 0; m->transition && t < m->transitions; t++) sim_free((char *)m->transition[t].name);
  sim_free(m->transition);
  sim_free(m->dwell_purpose);
  sim_free(m->watcher);
}

void sim_world_free(struct sim_world *w) {
  if (!w) return;
  for (uint32_t i = 0; i < w->instances; i++) {
    if (w->instance[i].plan && w->instance[i].model->plan_free) w->instance[i].model->plan_free(w->instance[i].plan);
    sim_free(w->instance[i].plan);
    if (w->listener) sim_free(w->listener[i]);
    if (w->rank) sim_free(w->rank[i]);
  }
  for (uint32_t m = 0; m < w->machines; m++) free_machine(&w->machine[m]);
  for (uint32_t o = 0; o < w->observables; o++) {
    sim_free(w->observable[o].name);
    sim_free(w->observable[o].trigger);
  }
  for (uint32_t m = 0; m < w->modifiers; m++) sim_free(w->modifier[m].by_group);
  for (uint32_t k = 0; w->knob && k < w->knobs; k++) sim_free(w->knob[k].modifier);
  for (uint32_t s = 0; w->signal_moment && s < w->signals; s++) sim_free(w->signal_moment[s]);
  for (uint32_t s = 0; s < w->servers; s++) {
    sim_server_plan_free(w->server[s]);
    sim_free(w->server[s]);
  }
  for (size_t p = 0; p < w->purposes; p++) sim_free(w->purpose_path[p]);
  for (size_t o = 0; o < w->owned_n; o++) sim_free(w->owned[o]);
  sim_recorder_plan_free(w->recorder);
  sim_society_free(w);
  void *arrays[] = {w->instance,       w->machine,       w->observable,    w->modifier, w->knob,   w->knob_base,
                    w->signal_base,    w->moment,        w->signal_moment, w->listener, w->server, w->listeners,
                    w->signal_moments, w->cost_instance, w->output_base,   w->kind,     w->burden, w->rank,
                    w->purpose,        w->purpose_path,  w->column,        w->owned,    w->share,  w};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) sim_free(arrays[i]);
}

const char *sim_world_own(struct sim_world *w, char *text) {
  if (!text) return NULL;
  char **grown = sim_grow(w->owned, &w->owned_cap, w->owned_n + 1, sizeof *grown);
  if (!grown) {
    sim_free(text);
    return NULL;
  }
  w->owned = grown;
  return w->owned[w->owned_n++] = text;
}

size_t sim_world_columns(const struct sim_world *w, const struct sim_column **columns) {
  *columns = w->column;
  return w->columns;
}
size_t sim_world_series(const struct sim_world *w, const struct sim_series **series) {
  return sim_recorder_series(w->recorder, series);
}
size_t sim_world_samples(const struct sim_world *w, const double **days) {
  return sim_recorder_samples(w->recorder, days);
}
size_t sim_world_layers(const struct sim_world *w) {
  return w->layers;
}
const struct sim_layer *sim_world_layer(const struct sim_world *w, size_t i, const struct sim_graph **graph) {
  if (graph) *graph = w->graph[i];
  return &w->layer[i];
}
size_t sim_world_populations(const struct sim_world *w, const struct sim_population **populations) {
  *populations = w->population;
  return w->populations;
}
