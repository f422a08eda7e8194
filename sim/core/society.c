/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/society.h"
#include <stdio.h>
#include <string.h>

static const struct sim_param every_params[] = {{.name = "replicates",
                                                 .kind = SIM_QUANTITY,
                                                 .flags = SIM_FIRST | SIM_REQUIRED | SIM_INTEGER | SIM_NO_RANGE,
                                                 .min = 1,
                                                 .max = 1e9,
                                                 .doc = "Number of successive replicates that share a network."},
                                                {.name = NULL}};
static const struct sim_param no_params[] = {{.name = NULL}};
static const struct sim_call realisations[] = {{"fixed", no_params, "One network for the whole batch."},
                                               {"per_replicate", no_params, "A new network for every replicate."},
                                               {"every", every_params, "A new network for every so many replicates."},
                                               {NULL, NULL, NULL}};

static const struct sim_param at_least_params[] = {
    {.name = "share",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .flags = SIM_FIRST | SIM_REQUIRED | SIM_OPEN_MIN,
     .max = 1,
     .doc = "Least share of the suppliers that work with which a node works."},
    {.name = NULL}};
static const struct sim_call supplies[] = {
    {"at_least", at_least_params,
     "A node has an equal block of the suppliers, and works while this share of them does."},
    {"share", no_params,
     "A node has an equal block of the suppliers, and works by the share of them that does; supply shares multiply."},
    {"one", no_params, "A node has one supplier in each needed layer, and works while that one does."},
    {NULL, NULL, NULL}};

const struct sim_param sim_layer_params[] = {
    {.name = "of",
     .kind = SIM_REF,
     .flags = SIM_LIST,
     .refers = "layer",
     .doc = "Makes this name stand for these layers, wherever a list of layers may: it is no layer of its own."},
    {.name = "nodes",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER | SIM_NO_RANGE | SIM_OPEN_MIN,
     .min = 0,
     .max = 2e9,
     .refers = "population",
     .doc =
         "Whose edges these are: `people`, or a number of assets of the layer's own. Default: as many as the graph's "
         "file or inline edges have, else the people."},
    {.name = "graph",
     .kind = SIM_CALL,
     .fallback = "none",
     .calls = sim_graphs,
     .doc = "The network: a generator, inline edges or a file."},
    {.name = "realisation",
     .kind = SIM_CALL,
     .fallback = "fixed",
     .calls = realisations,
     .doc = "Whether a random network is drawn once, for every replicate, or for every so many."},
    {.name = "attributes",
     .kind = SIM_FILE,
     .doc = "CSV of the layer's own nodes, one line a node, columns group, weight, vulnerability."},
    {.name = "serves",
     .kind = SIM_QUANTITY,
     .unit = "customers",
     .flags = SIM_INTEGER | SIM_NO_RANGE,
     .refers = "population",
     .doc = "Whom the nodes serve: `people` (each person is served by one node, in equal blocks), or a number of "
            "customers, split evenly; nodes count in functionality by those they serve."},
    {.name = "needs",
     .kind = SIM_REF,
     .flags = SIM_LIST,
     .refers = "layer",
     .doc = "Layers of assets on which these nodes depend: a node without supply from one of them does not work."},
    {.name = "supply",
     .beside = "needs",
     .kind = SIM_CALL,
     .calls = supplies,
     .doc = "What of the needed layers a node must have to work. Default: one."},
    {.name = "works_in",
     .kind = SIM_CHOICE,
     .choices = "anywhere giant_component",
     .doc = "Where a node works: anywhere (the default), or in the giant component of the layer's working nodes only "
            "(with `needs` in both directions the mutual giant component of Buldyrev et al. 2010)."},
    {.name = "failure",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .doc = "Time from being up to the next spontaneous failure of a node. Default: nodes fail only by incidents."},
    {.name = "functionality",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .fallback = "0 %",
     .min = 0,
     .max = 1,
     .doc = "Functionality of a node that is down or without supply."},
    {.name = "beds",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER,
     .doc = "Beds for patients, split evenly over the nodes; those of a node that does not work are out of use. A "
            "patient takes any bed, or where the layer `serves: people` one of the node that serves them."},
    {.name = "admits",
     .beside = "beds",
     .kind = SIM_REF,
     .flags = SIM_LIST,
     .refers = "state",
     .doc = "States of hazards of which those who enter may need a bed. Default: the state in which people are ill, "
            "with functionality between 0 and 100 %, where there is just one."},
    {.name = "admission",
     .beside = "beds",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .flags = SIM_BY_GROUP,
     .fallback = "5 %",
     .max = 1,
     .source = "illustrative",
     .doc = "Share of those who enter a state of `admits` who need a bed."},
    {.name = "stay",
     .beside = "beds",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .doc = "Time for which a patient keeps a bed, from admission. Default: for as long as in the state; one who waits "
            "does so no longer than that."},
    {.name = NULL}};

static const struct sim_param layer_entry[] = {
    {.name = "layer", .kind = SIM_FIELDS, .fields = sim_layer_params, .doc = "A network of contacts or of assets."},
    {.name = NULL}};
static const struct sim_param group_entry[] = {
    {.name = "group",
     .kind = SIM_QUANTITY,
     .unit = "1",
     .flags = SIM_NO_RANGE,
     .min = 0,
     .max = 1,
     .doc = "Share of the people in this group; the shares add up to 100 %."},
    {.name = NULL}};

const struct sim_param sim_society_params[] = {
    {.name = "people",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER | SIM_NO_RANGE | SIM_OPEN_MIN,
     .min = 0,
     .max = 2e9,
     .doc = "Number of people. Default: the lines of `attributes`, or none."},
    {.name = "attributes",
     .kind = SIM_FILE,
     .doc = "CSV of the people, one line a person, with a header naming any of group, weight, vulnerability."},
    {.name = "groups",
     .kind = SIM_NAMES,
     .fields = group_entry,
     .doc = "Groups of people and their shares; who belongs to which is drawn once for the batch."},
    {.name = "layers", .kind = SIM_NAMES, .fields = layer_entry, .doc = "Networks of contacts and of assets, by name."},
    {.name = NULL}};

/* ---- cache of graphs ------------------------------------------------------------------------------------------- */

struct cached_graph {
  char *key;
  const struct sim_graph *graph;
};
struct sim_graph_cache {
  pthread_mutex_t lock;
  struct cached_graph *item;
  size_t n, cap;
};

struct sim_graph_cache *sim_graph_cache_create(void) {
  struct sim_graph_cache *c = sim_calloc(1, sizeof *c);
  if (c) pthread_mutex_init(&c->lock, NULL);
  return c;
}

void sim_graph_cache_free(struct sim_graph_cache *c) {
  if (!c) return;
  for (size_t i = 0; i < c->n; i++) {
    sim_free(c->item[i].key);
    sim_graph_free(c->item[i].graph);
  }
  sim_free(c->item);
  pthread_mutex_destroy(&c->lock);
  sim_free(c);
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n) {
  const unsigned char *p = data;
  for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(1099511628211);
  return h;
}

/* What a fixed graph depends on: its call, the seed, and the people and their groups. */
static char *cache_key(const struct sim_world *w, const struct sim_layer *l, const struct sim_population *p) {
  uint64_t h = hash_bytes(UINT64_C(14695981039346656037), &p->size, sizeof p->size);
  if (p->group) h = hash_bytes(h, p->group, p->size);
  for (uint32_t g = 0; g < p->groups; g++) h = hash_bytes(h, p->group_name[g], strlen(p->group_name[g]) + 1);
  const struct sim_value *call = sim_value_get(l->params, "graph");
  return sim_strf("%s|%s|%llx|%llx", l->name, call->written ? call->written : "", (unsigned long long)w->seed,
                  (unsigned long long)h);
}

static int cached(const struct sim_graph **out, struct sim_world *w, const struct sim_layer *l, struct sim_diag *diag) {
  struct sim_graph_cache *c = w->cache;
  const struct sim_population *p = &w->population[l->population];
  char *key = cache_key(w, l, p);
  if (!key) return SIM_ERR_MEMORY;
  int ret = 0;
  *out = NULL;
  pthread_mutex_lock(&c->lock);
  for (size_t i = 0; i < c->n && !*out; i++)
    if (strcmp(c->item[i].key, key) == 0) *out = c->item[i].graph;
  if (*out) goto unlock;
  struct cached_graph *item = sim_grow(c->item, &c->cap, c->n + 1, sizeof *item);
  if (!item) {
    ret = SIM_ERR_MEMORY;
    goto unlock;
  }
  c->item = item;
  struct sim_rng rng;
  sim_rng_init(&rng, w->seed, UINT64_MAX, 0);
  ret = sim_graph_build(out, sim_value_get(l->params, "graph"), p->size, p, &rng, w->graph_purpose[l->index], diag);
  if (!ret) {
    c->item[c->n++] = (struct cached_graph){key, *out};
    key = NULL;
  }
unlock:
  pthread_mutex_unlock(&c->lock);
  sim_free(key);
  return ret;
}

/* ---- populations ----------------------------------------------------------------------------------------------- */

static int make_people(struct sim_world *w, const struct sim_value *society, const struct sim_rng *rng,
                       struct sim_diag *diag) {
  const struct sim_value *people = sim_value_get(society, "people"), *file = sim_value_get(society, "attributes");
  uint32_t size = people->form == SIM_NUMBER ? (uint32_t)people->number : 0;
  if (!size && file->form != SIM_ABSENT) {
    int ret = sim_population_rows(file, &size, diag);
    if (ret) return ret;
  }
  if (!size) return 0;
  int ret = sim_population_init(&w->population[0], "people", size, sim_value_get(society, "groups"), file, rng, diag);
  if (!ret) w->populations = 1;
  return ret;
}

/* Integer weights that split `total` over the nodes as evenly as whole numbers allow. */
static int serve_weights(struct sim_population *p, uint64_t total) {
  uint32_t *weight = sim_calloc(p->size, sizeof *weight);
  if (!weight) return SIM_ERR_MEMORY;
  for (uint32_t i = 0; i < p->size; i++) weight[i] = (uint32_t)(total * (i + 1) / p->size - total * i / p->size);
  p->weight = weight;
  p->weight_total = total;
  return 0;
}

static int own_nodes(struct sim_world *w, struct sim_layer *l, uint32_t size, const struct sim_rng *rng,
                     struct sim_diag *diag) {
  struct sim_population *p = &w->population[w->populations];
  int ret = sim_population_init(p, l->name, size, NULL, sim_value_get(l->params, "attributes"), rng, diag);
  if (ret) return ret;
  l->population = w->populations++;
  l->own_nodes = true;
  const struct sim_value *serves = sim_value_get(l->params, "serves");
  if (serves->form == SIM_ABSENT || p->weight) return 0;
  uint64_t total = serves->form == SIM_NUMBER ? (uint64_t)serves->number : w->population[0].size;
  if (serves->form == SIM_NAME && (w->populations < 2 || strcmp(w->population[0].name, "people") != 0))
    return sim_diag_add(diag, &serves->mark, serves->path, "no people to serve: give `society.people`");
  if (total > (uint64_t)size * UINT32_MAX)
    return sim_diag_add(diag, &serves->mark, serves->path, "too many customers for %u nodes", size);
  return serve_weights(p, total);
}

static int make_layer(struct sim_world *w, struct sim_layer *l, const struct sim_rng *rng, struct sim_diag *diag) {
  const struct sim_value *nodes = sim_value_get(l->params, "nodes"), *graph = sim_value_get(l->params, "graph");
  uint32_t size = 0;
  if (nodes->form == SIM_NUMBER) size = (uint32_t)nodes->number;
  if (nodes->form == SIM_ABSENT) {
    int ret = sim_graph_nodes(graph, &size, diag);
    if (ret) return ret;
    if (size && w->populations && w->population[0].size == size && strcmp(w->population[0].name, "people") == 0)
      size = 0;
  }
  if (size) return own_nodes(w, l, size, rng, diag);
  if (!w->populations || strcmp(w->population[0].name, "people") != 0)
    return sim_diag_add(diag, &l->params->mark, l->params->path,
                        "this layer has no nodes: give `nodes: 120`, or `society.people`");
  l->population = 0;
  return 0;
}

static int make_graph(struct sim_world *w, struct sim_layer *l, struct sim_diag *diag) {
  const struct sim_value *call = sim_value_get(l->params, "graph");
  if (strcmp(call->text, "homogeneous") == 0) {
    l->mixing = true;
    l->contacts = sim_value_number(call, "contacts");
  }
  const char *realisation = sim_value_text(l->params, "realisation");
  if (strcmp(realisation, "fixed") != 0 && sim_graph_is_random(call)) return 0;
  return cached(&w->graph[l->index], w, l, diag);
}

int sim_society_build(struct sim_world *w, const struct sim_value *society, struct sim_diag *diag) {
  const struct sim_value *layers = sim_value_get(society, "layers");
  uint32_t n = layers->form == SIM_MAPPING ? (uint32_t)layers->n : 0;
  w->population = sim_calloc(n + 1, sizeof *w->population);
  w->layer = sim_calloc(n + 1, sizeof *w->layer);
  w->graph = sim_calloc(n + 1, sizeof *w->graph);
  w->graph_purpose = sim_calloc(n + 1, sizeof *w->graph_purpose);
  if (!w->population || !w->layer || !w->graph || !w->graph_purpose) return SIM_ERR_MEMORY;
  struct sim_rng rng;
  sim_rng_init(&rng, w->seed, UINT64_MAX, 0);
  int ret = make_people(w, society, &rng, diag), first = ret;
  for (uint32_t i = 0; i < n && first != SIM_ERR_MEMORY; i++) {
    if (sim_value_has(&layers->items[i], "of")) continue; /* a union: who names it got its members */
    struct sim_layer *l = &w->layer[w->layers];
    *l = (struct sim_layer){.name = layers->items[i].name, .index = w->layers, .params = &layers->items[i]};
    w->layers++;
    char path[300];
    snprintf(path, sizeof path, "society.layers.%s.graph", l->name);
    w->graph_purpose[l->index] = sim_purpose(path);
    ret = make_layer(w, l, &rng, diag);
    if (!ret) ret = make_graph(w, l, diag);
    if (ret && !first) first = ret;
  }
  return first;
}

void sim_society_free(struct sim_world *w) {
  for (uint32_t p = 0; p < w->populations; p++) sim_population_free(&w->population[p]);
  sim_free(w->population);
  sim_free(w->layer);
  sim_free(w->graph);
  sim_free(w->graph_purpose);
}

/* ---- graphs of a replicate ------------------------------------------------------------------------------------- */

static uint64_t block_of(const struct sim_layer *l, uint64_t replicate) {
  const struct sim_value *r = sim_value_get(l->params, "realisation");
  return strcmp(r->text, "every") == 0 ? replicate / (uint64_t)sim_value_number(r, "replicates") : replicate;
}

void sim_society_draw_graphs(struct sim_run *run) {
  const struct sim_world *w = run->world;
  for (uint32_t i = 0; i < w->layers; i++) {
    const struct sim_layer *l = &w->layer[i];
    if (w->graph[i]) {
      run->graph[i] = w->graph[i];
      continue;
    }
    uint64_t block = block_of(l, run->replicate);
    if (run->graph_owned[i] && run->graph_block[i] == block && run->graph_point == run->point) continue;
    if (run->graph_owned[i]) sim_graph_free(run->graph[i]);
    run->graph[i] = NULL;
    run->graph_owned[i] = false;
    struct sim_rng rng;
    sim_rng_init(&rng, w->seed, block, run->point);
    struct sim_diag diag = {0};
    const struct sim_population *p = &w->population[l->population];
    if (sim_graph_build(&run->graph[i], sim_value_get(l->params, "graph"), p->size, p, &rng, w->graph_purpose[i],
                        &diag)) {
      if (diag.n)
        sim_run_fail(run, "graph of layer %s: %s", l->name, diag.items[0].text);
      else
        sim_run_out_of_memory(run, l->name);
    } else {
      run->graph_owned[i] = true;
      run->graph_block[i] = block;
    }
    sim_diag_free(&diag);
  }
  run->graph_point = run->point;
}
