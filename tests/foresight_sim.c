/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "foresight_sim.h"
#include "sim/core/mem.h"
#include <criterion/criterion.h>
#include <math.h>

struct arrival {
  double day;
  uint32_t node;
};
struct heap {
  struct arrival *at; /* [n] */
  size_t n, cap;
};

static void push(struct heap *h, double day, uint32_t node) {
  h->at = sim_grow(h->at, &h->cap, h->n + 1, sizeof *h->at);
  cr_assert_not_null(h->at);
  size_t i = h->n++;
  for (; i > 0 && h->at[(i - 1) / 2].day > day; i = (i - 1) / 2) h->at[i] = h->at[(i - 1) / 2];
  h->at[i] = (struct arrival){day, node};
}

static struct arrival pop(struct heap *h) {
  struct arrival first = h->at[0], last = h->at[--h->n];
  size_t i = 0;
  for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
    if (child + 1 < h->n && h->at[child + 1].day < h->at[child].day) child++;
    if (h->at[child].day >= last.day) break;
    h->at[i] = h->at[child];
  }
  h->at[i] = last;
  return first;
}

/* The day on which u, infected on day `since`, transmits to v: its hazard times the multipliers adds up to `need`. */
static double transmits(const struct foresight_problem *p, uint32_t u, uint32_t v, double since, double need) {
  for (int i = 0; i < p->periods; i++) {
    double end = i + 1 < p->periods ? p->period[i + 1].from : INFINITY;
    if (end <= since) continue;
    double m = p->period[i].all * p->period[i].group[p->group[u]] * p->period[i].group[p->group[v]];
    double past = sim_law_hazard(p->transmission, fmax(p->period[i].from - since, 0));
    double gain = isinf(end) ? INFINITY : m * (sim_law_hazard(p->transmission, end - since) - past);
    if (m > 0 && gain >= need) return since + sim_law_inverse(p->transmission, past + need / m);
    if (m > 0) need -= gain;
  }
  return INFINITY;
}

void foresight_run(const struct foresight_problem *p, double *infected, double *recovered) {
  struct heap heap = {0};
  for (uint32_t u = 0; u < p->graph->nodes; u++) infected[u] = recovered[u] = INFINITY;
  for (uint32_t u = 0; u < p->seeds; u++) push(&heap, 0, u);
  while (heap.n && heap.at[0].day <= p->horizon) {
    struct arrival a = pop(&heap);
    uint32_t u = a.node;
    if (infected[u] < INFINITY) continue;
    infected[u] = a.day;
    recovered[u] = a.day + sim_law_inverse(p->infectious, p->stay(p->ctx, u));
    for (uint64_t e = p->graph->row[u]; e < p->graph->row[u + 1]; e++) {
      uint32_t v = p->graph->to[e];
      if (infected[v] < INFINITY) continue;
      double weight = p->graph->weight ? (double)p->graph->weight[e] : 1;
      double day = transmits(p, u, v, a.day, p->edge(p->ctx, u, v) / weight);
      if (day <= recovered[u]) push(&heap, day, v);
    }
  }
  sim_free(heap.at);
}
