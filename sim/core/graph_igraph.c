/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything that igraph does for us; no other file includes it.
 *
 * igraph 0.10 keeps its generator, its handlers and its stack of clean-ups in globals and (as Debian builds it) is not
 * thread-safe. So every use of it happens inside `guarded`: one thread at a time, on our keyed generator, with errors
 * recorded instead of printed. The state below exists because igraph's handlers take no context; it is only touched
 * under the lock. */
#include "sim/core/arcs.h"
#include "sim/core/dmath.h"
#include "sim/core/mem.h"
#include "sim/core/population.h"
#include <gsl/gsl_errno.h>
#include <igraph/igraph.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct {
  pthread_once_t once;
  pthread_mutex_t lock;
  jmp_buf escape; /* out of a fatal error, which igraph does not return from */
  char message[300];
} shared = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- handlers -------------------------------------------------------------------------------------------------- */

static void on_error(const char *reason, const char *file, int line, igraph_error_t code) {
  (void)file;
  (void)line;
  if (!*shared.message) /* the first is nearest to the cause */
    snprintf(shared.message, sizeof shared.message, "%s", *reason ? reason : igraph_strerror(code));
  IGRAPH_FINALLY_FREE();
}

static void on_fatal(const char *reason, const char *file, int line) {
  (void)file;
  (void)line;
  snprintf(shared.message, sizeof shared.message, "%s", reason);
  longjmp(shared.escape, 1);
}

static void set_up(void) {
  igraph_set_error_handler(on_error);
  igraph_set_fatal_handler(on_fatal);
  igraph_set_warning_handler(igraph_warning_handler_ignore);
  igraph_set_attribute_table(&igraph_cattribute_table);
  gsl_set_error_handler_off();
}

void sim_graph_setup(void) {
  sim_bug_assert(pthread_once(&shared.once, set_up) == 0);
}

/* ---- generator ------------------------------------------------------------------------------------------------- */

static igraph_error_t rng_init(void **state) {
  *state = NULL;
  return IGRAPH_SUCCESS;
}
static void rng_destroy(void *state) {
  (void)state;
}
static igraph_error_t rng_seed(void *state, igraph_uint_t seed) {
  (void)state; /* the stream is named, not seeded */
  (void)seed;
  return IGRAPH_SUCCESS;
}
static igraph_uint_t rng_get(void *state) {
  return sim_rng_stream_next32(state);
}
static igraph_real_t rng_real(void *state) {
  return sim_rng_stream_uniform(state);
}
/* Failures before the first success: igraph's own form takes libm's logarithm, whose bits depend on the CPU. */
static igraph_real_t rng_geometric(void *state, igraph_real_t p) {
  return p < 1 ? floor(sim_log(sim_rng_stream_uniform(state)) / sim_log1p(-p)) : 0;
}

static const igraph_rng_type_t keyed_type = {.name = "airesim keyed stream",
                                             .bits = 32,
                                             .init = rng_init,
                                             .destroy = rng_destroy,
                                             .seed = rng_seed,
                                             .get = rng_get,
                                             .get_real = rng_real,
                                             .get_geom = rng_geometric};

/* ---- guard ----------------------------------------------------------------------------------------------------- */

/* One use of igraph: makes a graph, whose arcs are then copied. */
struct job {
  igraph_error_t (*make)(igraph_t *graph, const struct job *job);
  struct sim_graph_request *request;
  struct sim_arcs *out;
  uint32_t nodes;
  igraph_integer_t k;     /* makers' own: degree, half of it */
  double p;               /* makers' own: probability, radius, edges a new node */
  const uint32_t *member; /* blocks: nodes in the order of their groups */
  FILE *file;
  struct sim_graph_reading how;
};

/* Edge attribute that holds the weights, or NULL. */
static const char *weight_name(const igraph_t *graph, const struct job *job) {
  static const char *const names[] = {"weight", "value"};
  for (size_t i = 0; job->file && job->how.weights && i < sizeof names / sizeof *names; i++)
    if (igraph_cattribute_has_attr(graph, IGRAPH_ATTRIBUTE_EDGE, names[i])) return names[i];
  return NULL;
}

/* Weights of all edges in order of their ids; reports those that are none. */
static int copy_weights(const igraph_t *graph, const struct job *job, const char *name, igraph_vector_t *weights) {
  if (igraph_cattribute_EANV(graph, name, igraph_ess_all(IGRAPH_EDGEORDER_ID), weights) != IGRAPH_SUCCESS)
    return sim_graph_complain(job->request, NULL, "edge attribute '%s' is not a number: %s", name, shared.message);
  for (igraph_integer_t e = 0; e < igraph_vector_size(weights); e++)
    if (!sim_graph_weight_ok(VECTOR(*weights)[e]))
      return sim_graph_complain(job->request, NULL, "edge %lld has the %s %g; a weight must be positive and finite",
                                (long long)e + 1, name, VECTOR(*weights)[e]);
  return 0;
}

static int copy_edges(const igraph_t *graph, const struct job *job, const igraph_vector_t *weights) {
  struct sim_arcs *out = job->out;
  bool flagged = igraph_is_directed(graph), twice = false;
  if (job->file && !job->how.by_file) {
    out->directed = job->how.directed;
    twice = out->directed && !flagged;
  } else {
    out->directed = flagged;
  }
  for (igraph_integer_t e = 0, n = igraph_ecount(graph); e < n; e++) {
    uint32_t u = (uint32_t)IGRAPH_FROM(graph, e), v = (uint32_t)IGRAPH_TO(graph, e);
    if (job->member) {
      u = job->member[u];
      v = job->member[v];
    }
    int rc = weights ? sim_arcs_add_weighted(out, u, v, VECTOR(*weights)[e]) : sim_arcs_add(out, u, v);
    if (rc == 0 && twice)
      rc = weights ? sim_arcs_add_weighted(out, v, u, VECTOR(*weights)[e]) : sim_arcs_add(out, v, u);
    if (rc != 0) return rc;
  }
  return 0;
}

static int copy_graph(const igraph_t *graph, const struct job *job) {
  if (igraph_vcount(graph) > SIM_MAX_NODES) return sim_graph_complain(job->request, NULL, "more than 2^31 nodes");
  if (job->file) job->out->nodes = (uint32_t)igraph_vcount(graph);
  const char *name = weight_name(graph, job);
  if (!name) return copy_edges(graph, job, NULL);
  igraph_vector_t weights;
  if (igraph_vector_init(&weights, igraph_ecount(graph)) != IGRAPH_SUCCESS) return SIM_ERR_MEMORY;
  int rc = copy_weights(graph, job, name, &weights);
  if (rc == 0) rc = copy_edges(graph, job, &weights);
  igraph_vector_destroy(&weights);
  return rc;
}

/* Runs a job alone. Returns igraph's code; *rc is ours, of copying the graph. A fatal error forgets igraph's clean-ups:
 * what they hold leaks. */
static igraph_error_t run_job(const struct job *job, int *rc) {
  igraph_t graph;
  if (setjmp(shared.escape) != 0) {
    IGRAPH_FINALLY_CLEAN(IGRAPH_FINALLY_STACK_SIZE());
    return IGRAPH_FAILURE;
  }
  igraph_error_t code = job->make(&graph, job);
  if (code != IGRAPH_SUCCESS) return code;
  *rc = copy_graph(&graph, job);
  igraph_destroy(&graph);
  return IGRAPH_SUCCESS;
}

static int guarded(const struct job *job, const char *subject) {
  char message[sizeof shared.message];
  int rc = 0;
  sim_graph_setup();
  sim_bug_assert(pthread_mutex_lock(&shared.lock) == 0);
  shared.message[0] = '\0';
  igraph_rng_t rng = {.type = &keyed_type, .state = &job->request->stream, .is_seeded = true};
  igraph_rng_t *before = igraph_rng_default();
  igraph_rng_set_default(&rng);
  igraph_error_t code = run_job(job, &rc);
  igraph_rng_set_default(before);
  memcpy(message, shared.message, sizeof message);
  sim_bug_assert(pthread_mutex_unlock(&shared.lock) == 0);
  if (code == IGRAPH_SUCCESS) return rc;
  if (code == IGRAPH_ENOMEM) return SIM_ERR_MEMORY;
  message[strcspn(message, "\r\n")] = '\0';
  return sim_graph_complain(job->request, NULL, "%s%s%s", subject, *subject ? ": " : "", message);
}

/* ---- generators ------------------------------------------------------------------------------------------------ */

static int mean_degree(struct sim_graph_request *r, uint32_t nodes, double *k) {
  *k = sim_value_number(r->call, "mean_degree");
  if (*k > (double)nodes - 1)
    return sim_graph_complain(r, "mean_degree", "a mean degree of %g needs more than %u nodes", *k, nodes);
  if (*k * nodes / 2 > SIM_MAX_EDGES)
    return sim_graph_complain(r, NULL, "the graph would have %.3g edges; at most %.0e are made", *k * nodes / 2,
                              SIM_MAX_EDGES);
  return 0;
}

static igraph_error_t make_zachary(igraph_t *graph, const struct job *job) {
  (void)job;
  return igraph_famous(graph, "Zachary");
}

int sim_make_zachary(struct sim_arcs *out, struct sim_graph_request *r) {
  out->nodes = 34;
  return guarded(&(struct job){.make = make_zachary, .request = r, .out = out}, "");
}

/* Attachment strictly by degree: igraph's default start, a lone node, needs a constant added to all degrees. We start
 * from a complete graph. Where k/2 is not whole, new nodes bring floor(k/2) and ceil(k/2) edges in turn. */
static igraph_error_t make_barabasi_albert(igraph_t *graph, const struct job *job) {
  igraph_t start;
  igraph_vector_int_t edges;
  igraph_integer_t grown = job->nodes - job->k - 1;
  igraph_error_t code = igraph_vector_int_init(&edges, grown);
  if (code != IGRAPH_SUCCESS) return code;
  for (igraph_integer_t u = 0; u < grown; u++)
    VECTOR(edges)[u] = (igraph_integer_t)(floor((double)(u + 1) * job->p) - floor((double)u * job->p));
  code = igraph_full(&start, job->k + 1, IGRAPH_UNDIRECTED, IGRAPH_NO_LOOPS);
  if (code == IGRAPH_SUCCESS) {
    code = igraph_barabasi_game(graph, job->nodes, 1, 0, &edges, true, 0, IGRAPH_UNDIRECTED, IGRAPH_BARABASI_PSUMTREE,
                                &start);
    igraph_destroy(&start);
  }
  igraph_vector_int_destroy(&edges);
  return code;
}

int sim_make_barabasi_albert(struct sim_arcs *out, struct sim_graph_request *r) {
  double k;
  int rc = mean_degree(r, out->nodes, &k);
  if (rc != 0) return rc;
  struct job job = {.make = make_barabasi_albert,
                    .request = r,
                    .out = out,
                    .nodes = out->nodes,
                    .p = k / 2,
                    .k = (igraph_integer_t)ceil(k / 2)};
  return guarded(&job, "");
}

/* igraph moves each *end* of an edge with the probability given; an edge moves with probability p if that is
 * 1 - sqrt(1 - p). (Watts and Strogatz move one end; so do nearly all moves here unless p is large.) */
static igraph_error_t make_watts_strogatz(igraph_t *graph, const struct job *job) {
  return igraph_watts_strogatz_game(graph, 1, job->nodes, job->k, 1 - sqrt(1 - job->p), IGRAPH_NO_LOOPS,
                                    IGRAPH_NO_MULTIPLE);
}

int sim_make_watts_strogatz(struct sim_arcs *out, struct sim_graph_request *r) {
  double k;
  int rc = mean_degree(r, out->nodes, &k);
  if (rc != 0) return rc;
  if (k != 2 * floor(k / 2))
    return sim_graph_complain(r, "mean_degree",
                              "%g is not an even number: each node starts with half of it on each side", k);
  struct job job = {.make = make_watts_strogatz,
                    .request = r,
                    .out = out,
                    .nodes = out->nodes,
                    .k = (igraph_integer_t)(k / 2),
                    .p = sim_value_number(r->call, "rewire")};
  return guarded(&job, "");
}

static igraph_error_t make_regular(igraph_t *graph, const struct job *job) {
  return igraph_k_regular_game(graph, job->nodes, job->k, IGRAPH_UNDIRECTED, IGRAPH_NO_MULTIPLE);
}

int sim_make_regular(struct sim_arcs *out, struct sim_graph_request *r) {
  double k;
  int rc = mean_degree(r, out->nodes, &k);
  if (rc != 0) return rc;
  if (k != floor(k) || fmod(k * out->nodes, 2) != 0)
    return sim_graph_complain(r, "mean_degree", "%u nodes cannot all have degree %g: their sum must be an even number",
                              out->nodes, k);
  struct job job = {.make = make_regular, .request = r, .out = out, .nodes = out->nodes, .k = (igraph_integer_t)k};
  return guarded(&job, "");
}

/* On a torus, so that no node stands at an edge and the mean degree is (n - 1) pi r^2. */
static igraph_error_t make_geometric(igraph_t *graph, const struct job *job) {
  return igraph_grg_game(graph, job->nodes, job->p, true, NULL, NULL);
}

int sim_make_geometric(struct sim_arcs *out, struct sim_graph_request *r) {
  double k;
  int rc = mean_degree(r, out->nodes, &k);
  if (rc != 0) return rc;
  double radius = out->nodes > 1 ? sqrt(k / (3.14159265358979323846 * (out->nodes - 1.0))) : 0;
  if (radius > 0.5)
    return sim_graph_complain(r, "mean_degree",
                              "%g is too much for a geometric graph of %u nodes: the reach would be "
                              "more than half the torus",
                              k, out->nodes);
  struct job job = {.make = make_geometric, .request = r, .out = out, .nodes = out->nodes, .p = radius};
  return guarded(&job, "");
}

/* ---- blocks ---------------------------------------------------------------------------------------------------- */

static igraph_error_t make_blocks(igraph_t *graph, const struct job *job) {
  const struct sim_population *people = job->request->population;
  double within = sim_value_number(job->request->call, "mean_degree_within");
  igraph_matrix_t p;
  igraph_vector_int_t sizes;
  igraph_error_t code = igraph_matrix_init(&p, people->groups, people->groups);
  if (code != IGRAPH_SUCCESS) return code;
  code = igraph_vector_int_init(&sizes, people->groups);
  if (code == IGRAPH_SUCCESS) {
    for (uint32_t g = 0; g < people->groups; g++) {
      VECTOR(sizes)[g] = people->group_size[g];
      for (uint32_t h = 0; h < people->groups; h++) MATRIX(p, g, h) = job->p;
      MATRIX(p, g, g) = people->group_size[g] > 1 ? within / (people->group_size[g] - 1.0) : 0;
    }
    code = igraph_sbm_game(graph, job->nodes, &p, &sizes, IGRAPH_UNDIRECTED, IGRAPH_NO_LOOPS);
    igraph_vector_int_destroy(&sizes);
  }
  igraph_matrix_destroy(&p);
  return code;
}

/* Probability of an edge between two people of different groups: one for all pairs of groups, such that the mean number
 * of such edges of a person is as asked. Checks both densities. */
static int between(struct sim_graph_request *r, uint32_t nodes, double *p) {
  const struct sim_population *people = r->population;
  if (!people || people->groups == 0) return sim_graph_complain(r, NULL, "blocks need groups of the people");
  if (people->size != nodes)
    return sim_graph_complain(r, NULL, "the layer has %u nodes, but there are %u people", nodes, people->size);
  double within = sim_value_number(r->call, "mean_degree_within"), pairs = 0;
  for (uint32_t g = 0; g < people->groups; g++) {
    double size = people->group_size[g];
    pairs += size * (nodes - size);
    if (size > 1 && within > size - 1)
      return sim_graph_complain(r, "mean_degree_within", "group '%s' has only %.0f people", people->group_name[g],
                                size);
  }
  double degree = sim_value_number(r->call, "mean_degree_between");
  *p = pairs > 0 ? degree * nodes / pairs : 0;
  if (*p > 1 || (degree > 0 && pairs == 0))
    return sim_graph_complain(r, "mean_degree_between", "there are not so many people in other groups");
  if (nodes * (within + degree) / 2 > SIM_MAX_EDGES)
    return sim_graph_complain(r, NULL, "more than %.0e edges", SIM_MAX_EDGES);
  return 0;
}

int sim_make_blocks(struct sim_arcs *out, struct sim_graph_request *r) {
  struct job job = {.make = make_blocks, .request = r, .out = out, .nodes = out->nodes};
  int rc = between(r, out->nodes, &job.p);
  uint32_t *member = rc == 0 ? sim_realloc_array(NULL, (size_t)out->nodes + 1, sizeof *member) : NULL;
  if (!member) return rc != 0 ? rc : SIM_ERR_MEMORY;
  uint32_t n = 0;
  for (uint32_t g = 0; g < r->population->groups; g++)
    for (uint32_t u = 0; u < out->nodes; u++)
      if (r->population->group[u] == g) member[n++] = u;
  job.member = member;
  rc = guarded(&job, "");
  sim_free(member);
  return rc;
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static igraph_error_t read_gml(igraph_t *graph, const struct job *job) {
  return igraph_read_graph_gml(graph, job->file);
}

static igraph_error_t read_graphml(igraph_t *graph, const struct job *job) {
  return igraph_read_graph_graphml(graph, job->file, 0);
}

static igraph_error_t read_pajek(igraph_t *graph, const struct job *job) {
  return igraph_read_graph_pajek(graph, job->file);
}

static igraph_error_t read_ncol(igraph_t *graph, const struct job *job) {
  return igraph_read_graph_ncol(graph, job->file, NULL, false, IGRAPH_ADD_WEIGHTS_IF_PRESENT, job->how.directed);
}

/* Pajek states its number of vertices: one that the file cannot back would only eat memory. */
static bool pajek_size_ok(const char *text, size_t length) {
  const char *star = strchr(text, '*');
  if (!star || strncasecmp(star, "*vertices", 9) != 0) return true; /* igraph will say what is wrong */
  double n = strtod(star + 9, NULL);
  return n <= 1e7 || n <= (double)length;
}

int sim_graph_read_igraph(struct sim_arcs *out, struct sim_graph_request *r, const char *path, const char *format,
                          char *text, size_t length, struct sim_graph_reading how) {
  static const struct {
    const char *format;
    igraph_error_t (*make)(igraph_t *graph, const struct job *job);
  } readers[] = {{"gml", read_gml}, {"graphml", read_graphml}, {"net", read_pajek}, {"ncol", read_ncol}};
  struct job job = {.request = r, .out = out, .how = how};
  for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
    if (strcmp(readers[i].format, format) == 0) job.make = readers[i].make;
  sim_bug_assert(job.make != NULL);
  if (job.make == read_pajek && !pajek_size_ok(text, length))
    return sim_graph_complain(r, "path", "%s: more vertices than the file could list", path);
  job.file = fmemopen(text, length, "r");
  if (!job.file) return SIM_ERR_MEMORY;
  int rc = guarded(&job, path);
  fclose(job.file);
  return rc;
}
