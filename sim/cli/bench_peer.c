/* SPDX-License-Identifier: GPL-3.0-or-later */
/* igraph_sir as a peer. Beside core/graph_igraph.c the one file that includes igraph: there every use is a graph built
 * on our generator under a lock; here it is a whole simulator as its users have it, on its own generator, in a child
 * process whose memory and clean-ups are nobody else's. */
#include "sim/cli/bench.h"
#include <errno.h>
#include <igraph/igraph.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct request {
  bool empty;
};

static double cpu(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- in the child: an error of igraph ends it (its default handler aborts) ------------------------------------------
 */

static void copy_graph(igraph_t *out, const struct sim_graph *g) {
  igraph_vector_int_t edges;
  igraph_vector_int_init(&edges, 2 * (igraph_integer_t)g->edges);
  igraph_integer_t n = 0;
  for (uint32_t u = 0; u < g->nodes; u++)
    for (uint64_t e = g->row[u]; e < g->row[u + 1]; e++) {
      if (g->to[e] < u) continue; /* each edge once */
      VECTOR(edges)[n++] = u;
      VECTOR(edges)[n++] = g->to[e];
    }
  igraph_create(out, &edges, g->nodes, IGRAPH_UNDIRECTED);
  igraph_vector_int_destroy(&edges);
}

static struct bench_peer_run simulate(const igraph_t *graph, double transmission, double recovery) {
  igraph_vector_ptr_t result;
  igraph_vector_ptr_init(&result, 0);
  double start = cpu();
  igraph_sir(graph, transmission, recovery, 1, &result);
  struct bench_peer_run run = {.cpu = cpu() - start};
  igraph_sir_t *sir = VECTOR(result)[0];
  run.infected = (double)(igraph_vector_int_tail(&sir->no_r) + igraph_vector_int_tail(&sir->no_i));
  igraph_sir_destroy(sir);
  igraph_free(sir);
  igraph_vector_ptr_destroy(&result);
  return run;
}

static void serve(int in, int out, const struct sim_graph *g, double transmission, double recovery, int64_t seed) {
  igraph_t graph;
  struct request request;
  igraph_set_error_handler(igraph_error_handler_abort);
  copy_graph(&graph, g);
  igraph_rng_seed(igraph_rng_default(), (igraph_uint_t)seed);
  while (read(in, &request, sizeof request) == (ssize_t)sizeof request) {
    struct bench_peer_run run = simulate(&graph, request.empty ? 0 : transmission, recovery);
    if (write(out, &run, sizeof run) != (ssize_t)sizeof run) break;
  }
  _exit(0);
}

/* ---- in the parent ------------------------------------------------------------------------------------------------
 */

int bench_peer_start(struct bench_peer *p, const struct sim_graph *g, double transmission, double recovery,
                     int64_t seed) {
  int to[2], from[2];
  if (pipe(to) != 0) return cli_fail("the peer cannot be started: %s", strerror(errno));
  if (pipe(from) != 0) {
    close(to[0]), close(to[1]);
    return cli_fail("the peer cannot be started: %s", strerror(errno));
  }
  p->to = to[1];
  p->from = from[0];
  p->process = fork();
  if (p->process == 0) {
    close(to[1]), close(from[0]);
    serve(to[0], from[1], g, transmission, recovery, seed);
  }
  close(to[0]), close(from[1]);
  if (p->process > 0) return CLI_DONE;
  close(p->to), close(p->from);
  return cli_fail("the peer cannot be started: %s", strerror(errno));
}

int bench_peer_execute(struct bench_peer *p, bool empty, struct bench_peer_run *out) {
  struct request request = {empty};
  if (write(p->to, &request, sizeof request) == (ssize_t)sizeof request &&
      read(p->from, out, sizeof *out) == (ssize_t)sizeof *out)
    return CLI_DONE;
  return cli_fail("igraph_sir failed");
}

void bench_peer_end(struct bench_peer *p) {
  close(p->to), close(p->from);
  waitpid((pid_t)p->process, NULL, 0);
}
