/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The graphs that a scenario can name: their table, and building from a bound call. */
#include "sim/core/arcs.h"
#include "sim/core/law.h"
#include "sim/core/mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- table ----------------------------------------------------------------------------------------------------- */

static const struct sim_param no_params[] = {{.name = NULL}};

#define MEAN_DEGREE(least, most, text)                                                                                 \
  {                                                                                                                    \
    .name = "mean_degree", .kind = SIM_QUANTITY, .flags = SIM_REQUIRED | SIM_FIRST, .min = least, .max = most,         \
    .doc = text                                                                                                        \
  }

static const struct sim_param mean_degree_params[] = {MEAN_DEGREE(0, 1e9, "Mean number of neighbours of a node."),
                                                      {.name = NULL}};

static const struct sim_param barabasi_albert_params[] = {
    MEAN_DEGREE(2, 1e9,
                "Mean degree of a large graph; a new node brings half as many edges (if that is not whole, its "
                "floor and ceiling in turn)."),
    {.name = NULL}};

static const struct sim_param watts_strogatz_params[] = {
    MEAN_DEGREE(0, 1e9, "Neighbours on the ring at the start, half on each side: an even number."),
    {.name = "rewire",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .unit = "1",
     .max = 1,
     .doc = "Probability that an edge is rewired at random."},
    {.name = NULL}};

static const struct sim_param regular_params[] = {MEAN_DEGREE(0, 1e9, "Degree of every node: a whole number."),
                                                  {.name = NULL}};

static const struct sim_param configuration_params[] = {{.name = "degrees",
                                                         .kind = SIM_FILE,
                                                         .flags = SIM_REQUIRED | SIM_FIRST,
                                                         .doc = "File with the degree of one node a line."},
                                                        {.name = NULL}};

static const struct sim_param poisson_params[] = {{.name = "mean",
                                                   .kind = SIM_QUANTITY,
                                                   .flags = SIM_REQUIRED | SIM_FIRST,
                                                   .max = 1e6,
                                                   .doc = "Mean of the Poisson law of degrees."},
                                                  {.name = NULL}};

static const struct sim_param power_law_params[] = {
    {.name = "exponent",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_FIRST,
     .max = 20,
     .doc = "A degree k has probability proportional to k to the power of minus this."},
    {.name = "minimum",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER,
     .fallback = "1",
     .min = 1,
     .max = 1e6,
     .doc = "Smallest degree."},
    {.name = "maximum",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_INTEGER,
     .min = 1,
     .max = 1e6,
     .doc = "Largest degree."},
    {.name = NULL}};

static const struct sim_param bimodal_params[] = {
    {.name = "low",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_INTEGER | SIM_FIRST,
     .max = 1e6,
     .doc = "The lower of two degrees."},
    {.name = "high", .kind = SIM_QUANTITY, .flags = SIM_REQUIRED | SIM_INTEGER, .max = 1e6, .doc = "The higher one."},
    {.name = "share",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .unit = "1",
     .max = 1,
     .doc = "Probability of the higher degree."},
    {.name = NULL}};

static const struct sim_param degrees_params[] = {
    {.name = "of",
     .kind = SIM_TEXT,
     .flags = SIM_REQUIRED | SIM_FIRST,
     .doc =
         "Degrees with their weights, \"1:50 5:30 10:20\": each node's degree is drawn with these odds (a weight may "
         "be left out: 1)."},
    {.name = NULL}};

static const struct sim_param blocks_params[] = {
    {.name = "mean_degree_within",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_FIRST,
     .max = 1e9,
     .doc = "Mean number of a person's neighbours in the same group."},
    {.name = "mean_degree_between",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED,
     .max = 1e9,
     .doc =
         "Mean number of neighbours in other groups, over all people; any two people of different groups are equally "
         "likely to be joined."},
    {.name = NULL}};

static const struct sim_param lattice_params[] = {
    {.name = "width",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_INTEGER | SIM_FIRST,
     .min = 1,
     .max = 2147483646,
     .doc = "Nodes in a row; node 0 is a corner, node 1 its neighbour in the row."},
    {.name = "height",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_INTEGER,
     .min = 1,
     .max = 2147483646,
     .doc = "Rows."},
    {.name = NULL}};

static const struct sim_param communities_params[] = {
    {.name = "size",
     .kind = SIM_LAW_CALL,
     .flags = SIM_REQUIRED | SIM_FIRST,
     .unit = "people",
     .doc = "Law of the sizes of communities, rounded, at least 1; the last one is what is left."},
    {.name = "mean_degree",
     .kind = SIM_QUANTITY,
     .max = 1e9,
     .doc = "Mean number of neighbours within a community that is larger than that; if absent, all meet all."},
    {.name = "among",
     .kind = SIM_REF,
     .refers = "group",
     .doc = "Only people of this group; the others have no edges."},
    {.name = NULL}};

static const struct sim_param homogeneous_params[] = {{.name = "contacts",
                                                       .kind = SIM_QUANTITY,
                                                       .flags = SIM_REQUIRED | SIM_FIRST,
                                                       .max = 1e9,
                                                       .doc = "Contacts of a person, spread over all others."},
                                                      {.name = NULL}};

static const struct sim_param file_params[] = {
    {.name = "path",
     .kind = SIM_FILE,
     .flags = SIM_REQUIRED | SIM_FIRST,
     .doc =
         "Read by its ending: .edges, .txt, .csv, .tsv (ids from 0, `u v` or `u v weight` a line, # comments), .ncol, "
         ".gml, .graphml, .net (Pajek)."},
    {.name = "direction",
     .kind = SIM_CHOICE,
     .choices = "undirected directed",
     .doc = "If absent: as a GML, GraphML or Pajek file says, undirected for lists of edges."},
    {.name = "weights",
     .kind = SIM_CHOICE,
     .choices = "used ignored",
     .fallback = "used",
     .doc = "Whether a third column, or an edge attribute `weight` or `value`, weighs the edges."},
    {.name = NULL}};

static const struct sim_param edges_params[] = {
    {.name = "of",
     .kind = SIM_TEXT,
     .flags = SIM_REQUIRED | SIM_FIRST,
     .doc = "Edges between node ids from 0, such as 0-1 1-2; 0>1 is directed, 0-1:2.5 has a weight."},
    {.name = NULL}};

const struct sim_call sim_graphs[] = {
    {"none", no_params, "No edges."},
    {"complete", no_params, "Every pair of nodes is joined."},
    {"ring", no_params, "Each node is joined to the next, the last to the first."},
    {"star", no_params, "Node 0 is joined to all others."},
    {"path", no_params, "Each node is joined to the next."},
    {"zachary", no_params, "Friendships in a karate club: 34 nodes, 78 edges (Zachary 1977)."},
    {"erdos_renyi", mean_degree_params,
     "A given number of edges (nodes times mean degree over 2, rounded) at random: G(n, m) (Erdős and Rényi 1959)."},
    {"gnp", mean_degree_params,
     "Each pair is joined with equal probability, independently: G(n, p) (Gilbert 1959; sampled after Batagelj and "
     "Brandes 2005)."},
    {"barabasi_albert", barabasi_albert_params,
     "Growth by preferential attachment to degree, from a complete graph (Barabási and Albert 1999)."},
    {"watts_strogatz", watts_strogatz_params,
     "A ring whose edges are rewired: a small world (Watts and Strogatz 1998)."},
    {"regular", regular_params, "A random graph in which every node has the same degree."},
    {"configuration", configuration_params,
     "Given degrees, stubs paired at random; loops and repeats are dropped (Molloy and Reed 1995)."},
    {"configuration_poisson", poisson_params, "Configuration model with Poisson degrees (Molloy and Reed 1995)."},
    {"configuration_power_law", power_law_params,
     "Configuration model with degrees of a truncated power law (Newman, Strogatz and Watts 2001)."},
    {"configuration_bimodal", bimodal_params, "Configuration model with two degrees (Molloy and Reed 1995)."},
    {"configuration_degrees", degrees_params, "Configuration model with degrees from a list (Molloy and Reed 1995)."},
    {"blocks", blocks_params,
     "Stochastic block model over the groups of the people (Holland, Laskey and Leinhardt 1983)."},
    {"lattice", lattice_params, "A square lattice of rows, with free edges."},
    {"geometric", mean_degree_params,
     "Random points on a torus, joined where near; a node's id grows with its first coordinate (Penrose 2003)."},
    {"communities", communities_params,
     "The people are shuffled into communities such as households, schools or workplaces, and meet within them."},
    {"homogeneous", homogeneous_params, "No edges: everyone meets everyone (mass action)."},
    {"file", file_params, "A network from a file; loops are dropped, weights of parallel edges added."},
    {"edges", edges_params, "Edges written out in the scenario."},
    {.name = NULL}};

/* ---- building -------------------------------------------------------------------------------------------------- */

static const struct recipe {
  const char *name;
  sim_graph_maker *make;
  bool random;
  bool fixed; /* the maker sets the number of nodes */
} recipes[] = {{"none", sim_make_none, false, false},
               {"complete", sim_make_complete, false, false},
               {"ring", sim_make_ring, false, false},
               {"star", sim_make_star, false, false},
               {"path", sim_make_path, false, false},
               {"zachary", sim_make_zachary, false, true},
               {"erdos_renyi", sim_make_erdos_renyi, true, false},
               {"gnp", sim_make_gnp, true, false},
               {"barabasi_albert", sim_make_barabasi_albert, true, false},
               {"watts_strogatz", sim_make_watts_strogatz, true, false},
               {"regular", sim_make_regular, true, false},
               {"configuration", sim_make_configuration, true, true},
               {"configuration_poisson", sim_make_configuration_poisson, true, false},
               {"configuration_power_law", sim_make_configuration_power_law, true, false},
               {"configuration_bimodal", sim_make_configuration_bimodal, true, false},
               {"configuration_degrees", sim_make_configuration_degrees, true, false},
               {"blocks", sim_make_blocks, true, false},
               {"lattice", sim_make_lattice, false, true},
               {"geometric", sim_make_geometric, true, false},
               {"communities", sim_make_communities, true, false},
               {"homogeneous", sim_make_none, false, false},
               {"file", sim_make_file, false, true},
               {"edges", sim_make_edges, false, true}};

static const struct recipe *find_recipe(const struct sim_value *call) {
  for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++)
    if (strcmp(recipes[i].name, call->text) == 0) return &recipes[i];
  sim_bug("a call outside the table of graphs", __FILE__, __LINE__);
}

int sim_graph_complain(struct sim_graph_request *r, const char *name, const char *fmt, ...) {
  const struct sim_value *at = name ? sim_value_get(r->call, name) : r->call;
  char text[512];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  return sim_diag_add(r->diag, &at->mark, at->path, "%s", text);
}

bool sim_graph_is_random(const struct sim_value *call) {
  return find_recipe(call)->random;
}

int sim_graph_nodes(const struct sim_value *call, uint32_t *nodes, struct sim_diag *diag) {
  const struct recipe *recipe = find_recipe(call);
  struct sim_graph_request request = {.call = call, .diag = diag};
  struct sim_arcs arcs = {0};
  int rc = 0;
  if (recipe->fixed) {
    sim_rng_stream_init(&request.stream, &(struct sim_rng){{0, 0}}, 0, 0, 0);
    rc = recipe->make(&arcs, &request);
  }
  *nodes = arcs.nodes;
  sim_arcs_free(&arcs);
  return rc;
}

int sim_graph_build(const struct sim_graph **out, const struct sim_value *call, uint32_t nodes,
                    const struct sim_population *population, const struct sim_rng *rng, uint32_t purpose,
                    struct sim_diag *diag) {
  const struct recipe *recipe = find_recipe(call);
  struct sim_graph_request request = {.call = call, .nodes = nodes, .population = population, .diag = diag};
  struct sim_arcs arcs = {.nodes = nodes};
  *out = NULL;
  if (nodes > SIM_MAX_NODES) return sim_graph_complain(&request, NULL, "at most %u nodes", SIM_MAX_NODES);
  if (nodes == 0 && !recipe->fixed) return sim_graph_complain(&request, NULL, "say how many nodes: `nodes: 100`");
  sim_rng_stream_init(&request.stream, rng, purpose, 0, 0);
  int rc = recipe->make(&arcs, &request);
  if (rc == 0 && nodes > 0 && arcs.nodes != nodes)
    rc = sim_graph_complain(&request, NULL, "this graph has %u nodes, but the layer has %u", arcs.nodes, nodes);
  if (rc == 0 && (double)arcs.n > SIM_MAX_EDGES)
    rc = sim_graph_complain(&request, NULL, "the graph has more than %.0e edges", SIM_MAX_EDGES);
  if (rc == 0) {
    rc = sim_graph_from_edges(out, arcs.nodes, arcs.directed, arcs.n ? &arcs.pair[0][0] : NULL, arcs.weight, arcs.n);
    if (rc == SIM_ERR_INPUT)
      rc = sim_graph_complain(&request, NULL, "the weights of parallel edges add up to too much");
  }
  sim_arcs_free(&arcs);
  return rc;
}
