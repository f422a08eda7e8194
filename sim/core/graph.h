/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Graphs: built and measured by igraph, run on as CSR.
 *
 * A graph is immutable and shared read-only between threads. Simple: self-loops and parallel edges of a file or
 * generator are merged (weights added) when it is built. */
#ifndef SIM_CORE_GRAPH_H
#define SIM_CORE_GRAPH_H
#include "sim/core/param.h"
#include "sim/core/rng.h"

struct sim_population;

struct sim_graph {
  uint32_t nodes;
  uint64_t edges; /* undirected: each counted once */
  bool directed;
  const uint32_t *row;    /* [nodes + 1]: out-neighbours of u are to[row[u] .. row[u+1]), ascending */
  const uint32_t *to;     /* [row[nodes]] */
  const float *weight;    /* [row[nodes]] or NULL: all 1; positive */
  const uint32_t *in_row; /* in-neighbours, same form; the same arrays as row/to/weight where undirected */
  const uint32_t *from;
  const float *in_weight;
  uint64_t hash; /* of size, direction, rows and weights: stored in the results */
};

/* Generators and files for params of kind SIM_CALL named `graph`; ends with name NULL:
 *   none | complete | ring | star | path | zachary
 *   erdos_renyi mean_degree      G(n, m) with m = round(n k / 2)     gnp mean_degree   G(n, p), p = k/(n-1)
 *   barabasi_albert mean_degree  (k/2 edges a new node, floor and ceiling in turn where not whole; k >= 2)
 *   watts_strogatz mean_degree rewire (k even)      regular mean_degree (k whole)
 *   configuration degrees FILE | configuration_poisson mean | configuration_power_law exponent minimum maximum |
 *   configuration_bimodal low high share | configuration_degrees of "1:50 5:30 10:20"
 *                                                   (stubs paired, loops and repeats dropped)
 *   blocks mean_degree_within mean_degree_between   (stochastic block model over the population's groups)
 *   lattice width height    geometric mean_degree (on a torus)
 *   communities size (law) mean_degree among    (partition of the people, or of one group, into cliques of a size law;
 *                                                within a larger community a G(n, p) of that mean degree)
 *   homogeneous contacts K       (no edges: everyone meets everyone, K contacts a person; see sim_layer.mixing)
 *   file path [direction undirected|directed] [weights used|ignored]    by extension: .edges .txt .csv .tsv (u v [w] a
 *                                     line, # comments), .ncol, .gml, .graphml, .net (Pajek)
 *   edges of "0-1 1-2 2-0"       inline, `a>b` for directed, a-b:2.5 for a weight */
extern const struct sim_call sim_graphs[];

/* Builds from a bound SIM_CALL value. nodes: 0 takes the number from a file, from inline edges (largest id + 1), from a
 * lattice or from zachary, and is an error for other generators. Random generators draw from the stream
 * (purpose, 0, 0): the same graph for the same key. igraph is serialised by a lock inside. Reports to diag. */
int sim_graph_build(const struct sim_graph **out, const struct sim_value *call, uint32_t nodes,
                    const struct sim_population *population, const struct sim_rng *rng, uint32_t purpose,
                    struct sim_diag *diag) SIM_MUST_CHECK;
/* True if the call draws random numbers (so `realisation` matters). */
bool sim_graph_is_random(const struct sim_value *call);
/* Nodes that the call itself fixes (file, edges, lattice, zachary), or 0. Reads the file's header at most once. */
int sim_graph_nodes(const struct sim_value *call, uint32_t *nodes, struct sim_diag *diag) SIM_MUST_CHECK;
/* From arcs given directly (tests, models): m pairs, undirected or directed, weights or NULL. */
int sim_graph_from_edges(const struct sim_graph **out, uint32_t nodes, bool directed, const uint32_t *pairs,
                         const double *weights, uint64_t m) SIM_MUST_CHECK;
void sim_graph_free(const struct sim_graph *g);
static inline uint32_t sim_graph_degree(const struct sim_graph *g, uint32_t u) {
  return g->row[u + 1] - g->row[u];
}
/* Size of the largest connected component among nodes with keep[u] != 0 (keep NULL: all); O(nodes + edges). work:
 * nodes uint32 of scratch. */
uint32_t sim_graph_giant(const struct sim_graph *g, const uint8_t *keep, uint32_t *work);
/* As above, and keeps those in it: keep[u] becomes 0 for all others. Of components of one size, that with the lowest
 * id. */
uint32_t sim_graph_keep_giant(const struct sim_graph *g, uint8_t *keep, uint32_t *work);
/* Mean degree, mean excess degree <k(k-1)>/<k>: for reproduction numbers. */
void sim_graph_moments(const struct sim_graph *g, double *mean_degree, double *mean_excess);
/* igraph and GSL abort by default; this installs handlers that record instead. Once, at start; idempotent, thread-safe.
 */
void sim_graph_setup(void);
#endif
