/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/lanes.h"
#include "sim/core/rng.h"
#include "sim/core/rng_gsl.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { N = 100000 };
#define SIGMAS 4.5 /* draws are fixed by their names: a bound either holds for good or not */

static struct sim_rng keyed(void) {
  struct sim_rng rng;
  sim_rng_init(&rng, 2027, 3, 0);
  return rng;
}

Test(rng, known_answers_of_philox) { /* Random123's kat_vectors, philox4x32 with 10 rounds */
  static const struct {
    uint32_t key[2], name[4], expected[4];
  } kat[] = {
      {{0, 0}, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0xa4093822, 0x299f31d0},
       {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof kat / sizeof *kat; i++) {
    struct sim_rng rng = {{kat[i].key[0], kat[i].key[1]}};
    uint32_t out[4];
    sim_rng_block(&rng, kat[i].name[0], kat[i].name[1], kat[i].name[2], kat[i].name[3], out);
    cr_assert_arr_eq(out, kat[i].expected, sizeof out);
  }
}

static void edges_at_once(void) {
  static const double least[] = {0, 0.3, 0.9, 1};
  enum { MOST = 64 };
  struct sim_rng rng = keyed();
  struct sim_rng_edges x;
  struct sim_rng_kept kept;
  uint32_t stay[MOST + 16];
  double both[2];
  for (x.n = 0; x.n <= MOST; x.n++)
    for (int form = 0; form < 4; form++) { /* no stays, small ones, one beyond 16 bits, a source's beyond 16 bits */
      x.sources = 1 + x.n % SIM_RNG_SOURCES;
      for (uint32_t k = 0; k < x.sources; k++) {
        x.u[k] = 5 + 3 * k;
        x.inc_u[k] = form == 3 && k == x.sources - 1 ? 70000 : 3 * k;
        x.least[k] = least[(x.n + k) % 4];
      }
      for (uint32_t i = 0; i < x.n; i++) {
        x.source[i] = (uint8_t)(i * x.sources / x.n);
        x.v[i] = i * UINT32_C(2654435761);
        stay[i] = form == 2 && i == x.n / 2 ? 65536 + i : i * 977 % 65536;
      }
      x.inc_v = form ? stay : NULL;
      sim_rng_edges(&rng, 11, &x, &kept);
      uint32_t k = 0;
      for (uint32_t i = 0; i < x.n; i++) {
        uint32_t s = x.source[i];
        sim_rng_edge(&rng, 11, x.u[s], x.v[i], x.inc_u[s], form ? stay[i] : 0, both);
        if (!(both[0] >= x.least[s])) continue;
        cr_assert(k < kept.n && kept.at[k] == i && kept.draw[k] == both[0], "edge %u of %u, form %d", i, x.n, form);
        k++;
      }
      cr_assert_eq(k, kept.n);
    }
}

Test(rng, edges_at_once_are_the_edges_one_by_one) {
  int widest = sim_lanes();
  for (int lanes = SIM_LANES_NONE; lanes <= widest; lanes++) {
    sim_lanes_limit((enum sim_lanes)lanes);
    edges_at_once();
  }
}

Test(rng, uniforms_come_from_the_named_words) {
  struct sim_rng rng = keyed();
  uint32_t w[4];
  sim_rng_block(&rng, 7, 8, 9, 10, w);
  cr_assert_eq(sim_rng_uniform(&rng, 7, 8, 9, 10), ((double)(((uint64_t)w[0] << 32 | w[1]) >> 12) + 0.5) * 0x1p-52);
  cr_assert_eq(sim_rng_uniform2(&rng, 7, 8, 9, 10), ((double)(((uint64_t)w[2] << 32 | w[3]) >> 12) + 0.5) * 0x1p-52);
  cr_assert_eq(sim_rng_below(&rng, 7, 8, 9, 10, 1000),
               (uint32_t)((__uint128_t)((uint64_t)w[0] << 32 | w[1]) * 1000 >> 64));
}

/* Largest absolute deviation, in standard errors, of mean, second moment and lag-1 product of N uniforms. */
static double worst_deviation(double (*draw)(uint32_t i)) {
  double sum = 0, square = 0, lag = 0, last = draw(N);
  for (uint32_t i = 0; i < N; i++) {
    double u = draw(i);
    cr_assert(u > 0 && u < 1);
    sum += u;
    square += u * u;
    lag += (u - 0.5) * (last - 0.5);
    last = u;
  }
  double z[3] = {(sum / N - 0.5) / sqrt(1.0 / 12 / N), (square / N - 1.0 / 3) / sqrt(4.0 / 45 / N),
                 lag / N / (1.0 / 12 / sqrt(N))};
  return fmax(fabs(z[0]), fmax(fabs(z[1]), fabs(z[2])));
}

static double by_entity(uint32_t i) {
  struct sim_rng rng = keyed();
  return sim_rng_uniform(&rng, 1, i, 0, 0);
}
static double by_incarnation(uint32_t i) {
  struct sim_rng rng = keyed();
  return sim_rng_uniform(&rng, 1, 5, i, 0);
}
static double by_n(uint32_t i) {
  struct sim_rng rng = keyed();
  return sim_rng_uniform(&rng, 1, 5, 0, i);
}
static double by_replicate(uint32_t i) {
  struct sim_rng rng;
  sim_rng_init(&rng, 1, i, 0);
  return sim_rng_uniform(&rng, 1, 5, 0, 0);
}
static double by_seed(uint32_t i) {
  struct sim_rng rng;
  sim_rng_init(&rng, i, 0, 0);
  return sim_rng_uniform(&rng, 1, 5, 0, 0);
}
static double by_edge(uint32_t i) {
  struct sim_rng rng = keyed();
  double u[2];
  sim_rng_edge(&rng, 1, i, i + 1, 0, 0, u);
  return u[0];
}
static double by_high_incarnation(uint32_t i) {
  struct sim_rng rng = keyed();
  double u[2];
  sim_rng_edge(&rng, 1, 3, 4, i << 15, 7, u);
  return u[1];
}
static double too_coarse(uint32_t i) {
  return (floor(by_n(i) * 32) + 0.75) / 32;
}

Test(rng, moments_along_every_part_of_a_name) {
  cr_assert_lt(worst_deviation(by_entity), SIGMAS);
  cr_assert_lt(worst_deviation(by_incarnation), SIGMAS);
  cr_assert_lt(worst_deviation(by_n), SIGMAS);
  cr_assert_lt(worst_deviation(by_replicate), SIGMAS);
  cr_assert_lt(worst_deviation(by_seed), SIGMAS);
  cr_assert_lt(worst_deviation(by_edge), SIGMAS);
  cr_assert_lt(worst_deviation(by_high_incarnation), SIGMAS);
  cr_assert_gt(worst_deviation(too_coarse), SIGMAS, "a biased generator is found out");
}

Test(rng, exponentials) {
  struct sim_rng rng = keyed();
  double sum = 0, square = 0;
  for (uint32_t i = 0; i < N; i++) {
    double e = sim_rng_exponential(&rng, 2, i, 0, 0);
    cr_assert(e > 0);
    cr_assert_float_eq(e, -log(sim_rng_uniform(&rng, 2, i, 0, 0)), 1e-14);
    sum += e;
    square += e * e;
  }
  cr_assert_lt(fabs(sum / N - 1) * sqrt(N), SIGMAS);
  cr_assert_lt(fabs(square / N - 2) * sqrt(N / 20.0), SIGMAS); /* Var E^2 = 24 - 4 */
}

Test(rng, the_two_uniforms_of_a_name_are_independent) {
  struct sim_rng rng = keyed();
  double product = 0, mean = 0;
  for (uint32_t i = 0; i < N; i++) {
    double a = sim_rng_uniform(&rng, 3, i, 0, 0), b = sim_rng_uniform2(&rng, 3, i, 0, 0);
    product += (a - 0.5) * (b - 0.5);
    mean += b;
  }
  cr_assert_lt(fabs(product / N) * 12 * sqrt(N), SIGMAS);
  cr_assert_lt(fabs(mean / N - 0.5) * sqrt(12.0 * N), SIGMAS);
}

Test(rng, below_is_even) {
  struct sim_rng rng = keyed();
  unsigned count[7] = {0};
  for (uint32_t i = 0; i < N; i++) {
    uint32_t k = sim_rng_below(&rng, 4, i, 0, 0, 7);
    cr_assert_lt(k, 7);
    count[k]++;
  }
  double chi2 = 0;
  for (int k = 0; k < 7; k++) chi2 += (count[k] - N / 7.0) * (count[k] - N / 7.0) / (N / 7.0);
  cr_assert_lt(chi2, 27.9); /* 6 degrees of freedom, one in 10^4 */
  for (uint32_t i = 0; i < 100; i++) {
    cr_assert_eq(sim_rng_below(&rng, 4, i, 0, 0, 1), 0);
    cr_assert_lt(sim_rng_below(&rng, 4, i, 0, 0, UINT32_MAX), UINT32_MAX);
  }
}

Test(rng, layout_of_an_edge) {
  struct sim_rng rng = keyed();
  uint32_t w[4];
  double u[2];
  sim_rng_block(&rng, 11, 100, 200, 3u << 16 | 5, w);
  sim_rng_edge(&rng, 11, 100, 200, 3, 5, u);
  cr_assert_eq(u[0], sim_rng_uniform(&rng, 11, 100, 200, 3u << 16 | 5));
  cr_assert_eq(u[1], sim_rng_uniform2(&rng, 11, 100, 200, 3u << 16 | 5));
  double reverse[2];
  sim_rng_edge(&rng, 11, 200, 100, 5, 3, reverse);
  cr_assert_neq(u[0], reverse[0]);
}

Test(rng, incarnations_past_16_bits_have_their_own_draws) {
  struct sim_rng rng = keyed();
  static const uint32_t inc[] = {0, 1, 65535, 65536, 65537, 131072, 0xffff0000, 0xffffffff};
  enum { K = sizeof inc / sizeof *inc };
  double seen[K * K];
  for (size_t i = 0; i < K; i++)
    for (size_t j = 0; j < K; j++) {
      double u[2];
      sim_rng_edge(&rng, 11, 1, 2, inc[i], inc[j], u);
      seen[i * K + j] = u[0];
      for (size_t k = 0; k < i * K + j; k++) cr_assert_neq(seen[k], u[0]);
    }
}

Test(rng, keys) {
  struct sim_rng a, b;
  sim_rng_init(&a, 1, 2, 3);
  sim_rng_init(&b, 1, 2, 3);
  cr_assert_arr_eq(a.key, b.key, sizeof a.key);
  static const uint64_t other[][3] = {{2, 2, 3}, {1, 3, 3}, {1, 2, 4}, {2, 1, 3}, {1, 3, 2}, {3, 2, 1}};
  for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
    sim_rng_init(&b, other[i][0], other[i][1], other[i][2]);
    cr_assert(memcmp(a.key, b.key, sizeof a.key) != 0);
  }
}

Test(rng, golden_names) { /* the stream's version stands for these: change SIM_STREAM_VERSION with them */
  cr_assert_eq(SIM_STREAM_VERSION, 1);
  struct sim_rng rng;
  sim_rng_init(&rng, 1, 2, 3);
  cr_assert_eq(rng.key[0], 0xfde362b3u);
  cr_assert_eq(rng.key[1], 0xd0734750u);
  cr_assert_eq(sim_purpose(""), 0xab3e7c0bu);
  cr_assert_eq(sim_purpose("hazards.flu.transmission"), 0xcce332ccu);
  cr_assert_neq(sim_purpose("hazards.flu.transmissioo"), sim_purpose("hazards.flu.transmission"));
}

Test(rng, a_stream_counts_n) {
  struct sim_rng rng = keyed();
  struct sim_rng_stream s;
  sim_rng_stream_init(&s, &rng, 1, 2, 3);
  for (uint32_t n = 0; n < 5; n++) {
    uint32_t w[4];
    sim_rng_block(&rng, 1, 2, 3, n, w);
    for (int i = 0; i < 4; i++) cr_assert_eq(sim_rng_stream_next32(&s), w[i]);
  }
  cr_assert_eq(sim_rng_stream_uniform(&s), sim_rng_uniform(&rng, 1, 2, 3, 5));
  cr_assert_eq(sim_rng_stream_uniform(&s), sim_rng_uniform2(&rng, 1, 2, 3, 5));
}

Test(rng, as_a_generator_of_gsl) {
  struct sim_rng rng = keyed();
  struct sim_rng_stream s;
  sim_rng_stream_init(&s, &rng, 1, 2, 3);
  gsl_rng *r = gsl_rng_alloc(sim_rng_gsl_type());
  sim_rng_gsl_init(r, &s);
  cr_assert_eq(gsl_rng_min(r), 0);
  cr_assert_eq(gsl_rng_max(r), UINT32_MAX);
  for (int i = 0; i < 9; i++) cr_assert_eq(gsl_rng_get(r), sim_rng_stream_next32(&s));
  cr_assert_eq(gsl_rng_uniform(r), sim_rng_stream_uniform(&s));
  gsl_rng_set(r, 5);
  double first = gsl_rng_uniform(r), second = gsl_rng_uniform(r);
  cr_assert_neq(first, second);
  gsl_rng_set(r, 5);
  cr_assert_eq(gsl_rng_uniform(r), first);
  gsl_rng_set(r, 6);
  cr_assert_neq(gsl_rng_uniform(r), first);
  gsl_rng_free(r);
}

/* Each number once, and back to its place; the order changes with the name. */
Test(rng, keyed_permutation_and_its_inverse) {
  static const uint32_t sizes[] = {1, 2, 3, 4, 5, 17, 1000, 4096, 70000};
  struct sim_rng rng;
  sim_rng_init(&rng, 1, 2, 3);
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    uint32_t n = sizes[k], moved = 0;
    uint8_t *seen = calloc(n, 1);
    for (uint32_t i = 0; i < n; i++) {
      uint32_t x = sim_rng_permuted(&rng, 77, n, i);
      cr_assert(x < n && !seen[x]++);
      cr_assert_eq(sim_rng_place(&rng, 77, n, x), i);
      moved += sim_rng_permuted(&rng, 78, n, i) != x;
    }
    cr_assert(n < 17 || moved > n / 2);
    free(seen);
  }
}
