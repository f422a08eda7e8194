/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arc lists: what generators and readers of files yield, and what sim_graph_from_edges turns into CSR. Loops and
 * repeats may stand in a list; the CSR drops and merges them. Internal to the graph_*.c files. */
#ifndef SIM_CORE_ARCS_H
#define SIM_CORE_ARCS_H
#include "sim/core/graph.h"

#define SIM_MAX_NODES 2147483647u  /* ids fit 31 bits */
#define SIM_MAX_EDGES 1000000000.0 /* of one graph: 16 GB while it is built; twice as many fit a row's 32 bits */

/* Zero-initialise; sim_arcs_free when done. */
struct sim_arcs {
  uint32_t nodes;
  bool directed;
  uint32_t (*pair)[2]; /* [n]: from, to */
  double *weight;      /* [n] or NULL: all 1 */
  size_t n, pair_cap, weight_cap;
};
int sim_arcs_add(struct sim_arcs *a, uint32_t u, uint32_t v) SIM_MUST_CHECK;
/* All arcs of a list have a weight or none has. */
int sim_arcs_add_weighted(struct sim_arcs *a, uint32_t u, uint32_t v, double weight) SIM_MUST_CHECK;
void sim_arcs_free(struct sim_arcs *a);

/* One graph to make. nodes: 0 where the call is to say how many; a maker that knows sets arcs->nodes, which comes in as
 * `nodes`. */
struct sim_graph_request {
  const struct sim_value *call;
  uint32_t nodes;
  const struct sim_population *population; /* or NULL */
  struct sim_rng_stream stream;
  struct sim_diag *diag;
};
/* Reports at the call's parameter `name` (NULL: at the call) and returns SIM_ERR_INPUT. */
int sim_graph_complain(struct sim_graph_request *r, const char *name, const char *fmt, ...) SIM_PRINTF(3, 4);

/* A maker appends arcs; 0, or a negative code after reporting. */
typedef int sim_graph_maker(struct sim_arcs *out, struct sim_graph_request *r);

/* graph_own.c */
sim_graph_maker sim_make_none, sim_make_complete, sim_make_ring, sim_make_star, sim_make_path, sim_make_lattice,
    sim_make_erdos_renyi, sim_make_gnp, sim_make_configuration, sim_make_configuration_poisson,
    sim_make_configuration_power_law, sim_make_configuration_bimodal, sim_make_configuration_degrees,
    sim_make_communities;
/* graph_igraph.c */
sim_graph_maker sim_make_zachary, sim_make_barabasi_albert, sim_make_watts_strogatz, sim_make_regular, sim_make_blocks,
    sim_make_geometric;
/* graph_read.c */
sim_graph_maker sim_make_file, sim_make_edges;

/* How a file is to be read. */
struct sim_graph_reading {
  bool by_file;  /* as the file says; lists of edges: undirected */
  bool directed; /* where not by_file. An undirected GML, GraphML or Pajek read as directed has each edge both ways */
  bool weights;
};
/* graph_igraph.c: GML, GraphML, Pajek or NCOL from text in memory. format: "gml", "graphml", "net", "ncol". Weights are
 * an edge attribute `weight` or `value`. */
int sim_graph_read_igraph(struct sim_arcs *out, struct sim_graph_request *r, const char *path, const char *format,
                          char *text, size_t length, struct sim_graph_reading how) SIM_MUST_CHECK;
/* graph_read.c: true if w can be a weight: finite and positive as a float. */
bool sim_graph_weight_ok(double w);
#endif
