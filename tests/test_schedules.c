/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contagion under random schedules of interventions, every move exactly where the plain reference of keyed_sim.h has
 * it: hundreds of small scenarios, drawn from a fixed seed, of weighted and directed graphs, several layers, all laws,
 * tries, reinfection and branches, with distancing, shielding, isolation, tracing, vaccination, treatment and couplings
 * that multiply up and down; and the scenarios of the models' own tests. The same comparison must notice a reference
 * with one mistake in it. */
#include "keyed_sim.h"
#include "worlds.h"
#include <stdarg.h>

#define SCHEDULES  1000
#define REPLICATES 3
#define HORIZON    20.0

/* ---- random texts ------------------------------------------------------------------------------------------------ */

struct text {
  uint64_t random; /* xorshift64* (Marsaglia 2003, Vigna 2016) */
  char *text;
  size_t n, cap;
};

static uint32_t draw(struct text *x, uint32_t bound) {
  x->random ^= x->random >> 12;
  x->random ^= x->random << 25;
  x->random ^= x->random >> 27;
  return (uint32_t)((x->random * 2685821657736338717ULL) >> 32) % bound;
}
static bool chance(struct text *x, uint32_t percent) {
  return draw(x, 100) < percent;
}
/* A number from low to high with four decimals, so that moments never coincide by design. */
static double between(struct text *x, double low, double high) {
  return low + (high - low) * draw(x, 10000) / 10000;
}

static void __attribute__((format(printf, 2, 3))) say(struct text *x, const char *fmt, ...) {
  char line[600];
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(line, sizeof line, fmt, args);
  va_end(args);
  cr_assert(n >= 0 && (size_t)n < sizeof line);
  x->text = sim_grow(x->text, &x->cap, x->n + (size_t)n + 1, 1);
  cr_assert_not_null(x->text);
  memcpy(x->text + x->n, line, (size_t)n + 1);
  x->n += (size_t)n;
}

/* A law of a mean of about `mean` days; `end`: one that ends (uniform, fixed), where it may be such. */
static void say_law(struct text *x, double mean, bool end) {
  double m = mean * between(x, 0.5, 1.5);
  switch (draw(x, end ? 6 : 4)) {
  case 0:
    say(x, "gamma mean %.4f days cv %.3f", m, between(x, 0.3, 1.2));
    break;
  case 1:
    say(x, "weibull scale %.4f days shape %.3f", m, between(x, 0.8, 3));
    break;
  case 2:
    say(x, "lognormal median %.4f days p95 %.4f days", m, m * between(x, 1.5, 4));
    break;
  case 3:
    say(x, "exponential mean %.4f days", m);
    break;
  case 4:
    say(x, "uniform from %.4f days to %.4f days", m / 2, m * 1.5);
    break;
  default:
    say(x, "fixed %.4f days", m);
  }
}

static void say_edges(struct text *x, const char *name, uint32_t people) {
  bool directed = chance(x, 40), weighted = chance(x, 40);
  say(x, "    %s: {nodes: people, graph: edges of \"", name);
  for (uint32_t u = 0; u < people; u++)
    for (uint32_t v = directed ? 0 : u + 1; v < people; v++) {
      if (u == v || !(v == u + 1 || chance(x, directed ? 15 : 30))) continue;
      say(x, "%u%s%u", u, directed ? ">" : "-", v);
      if (weighted) say(x, ":%.2f", between(x, 0.2, 3));
      say(x, " ");
    }
  say(x, "\"}\n");
}

struct choices {
  uint32_t people;
  bool second, crowd, latent, deadly, waning, leaky, try;
};

static void say_society(struct text *x, const struct choices *c) {
  say(x, "airesim: 1\nhorizon: %.0f days\nsource: illustrative\nsociety:\n  people: %u\n", HORIZON, c->people);
  say(x, "  groups: {few: 40 %%, many: 60 %%}\n  layers:\n");
  say_edges(x, "net", c->people);
  if (c->second) say_edges(x, "work", c->people);
  if (c->crowd) say(x, "    crowd: {graph: homogeneous contacts %.2f}\n", between(x, 0.5, 2));
}

static void say_hazard(struct text *x, const struct choices *c) {
  say(x, "hazards:\n  flu:\n    like: contagion\n    layer: [net%s%s]\n", c->second ? ", work" : "",
      c->crowd ? ", crowd" : "");
  if (c->second && chance(x, 50)) say(x, "    strength: {work: %.3f}\n", between(x, 0.2, 2));
  say(x, "    transmission: ");
  if (c->try)
    say(x, "attempt probability %.3f delay %.3f days", between(x, 0.3, 0.9), chance(x, 30) ? 0 : between(x, 0.1, 2));
  else if (chance(x, 40))
    say(x, "%.4f/day", between(x, 0.1, 0.8));
  else
    say_law(x, 3, !c->crowd);
  say(x, "\n    states: {susceptible: {}, ill: {infectious: 100 %%}, recovered: {}, immune: {}, treated: {}%s%s}\n",
      c->latent ? ", exposed: {infectious: 30 %}" : "", c->deadly ? ", dead: {}" : "");
  say(x, "    rest: susceptible\n    seeded: ill\n    transitions:\n");
  const char *infected = c->latent ? "exposed" : "ill";
  say(x, "      infect: {from: susceptible, to: %s, contact: 100 %%}\n", infected);
  say(x, "      jab: {from: susceptible, to: immune}\n      cure: {from: ill, to: treated}\n");
  if (c->leaky) say(x, "      breach: {from: immune, to: %s, contact: %.0f %%}\n", infected, between(x, 20, 80));
  if (c->latent) {
    say(x, "      onset: {from: exposed, to: ill, after: ");
    say_law(x, 1.5, true);
    say(x, "}\n");
  }
  bool branches = c->deadly && chance(x, 50);
  say(x, "      recover: {from: ill, to: recovered, %safter: ", branches ? "probability: rest, " : "");
  say_law(x, 3, true);
  say(x, "}\n");
  if (c->deadly) {
    say(x, "      die: {from: ill, to: dead, %safter: ", branches ? "probability: 30 %, " : "");
    say_law(x, branches ? 2 : 8, false);
    say(x, "}\n");
  }
  if (c->waning) {
    say(x, "      wane: {from: recovered, to: susceptible, after: ");
    say_law(x, 2, true);
    say(x, "}\n      fade: {from: immune, to: susceptible, after: ");
    say_law(x, 4, false);
    say(x, "}\n");
  }
}

/* Who wears a mask changes at random, for each person and for all. */
static void say_masks(struct text *x) {
  say(x,
      "  mask: {like: contagion, population: people, rest: bare, states: {bare: {}, worn: {}}, transitions: {don: "
      "{from: bare, to: worn, after: exponential mean %.3f days}, doff: {from: worn, to: bare, after: exponential "
      "mean %.3f days}}}\n",
      between(x, 1, 6), between(x, 1, 6));
  say(x, "couplings:\n");
  say(x, "  gives: {while: mask.worn, multiply: flu.infectivity, by: %.0f %%}\n",
      chance(x, 30) ? 0 : between(x, 5, 250));
  say(x, "  takes: {while: mask.worn, multiply: flu.susceptibility, by: %.0f %%}\n", between(x, 0, 250));
  if (chance(x, 50))
    say(x, "  all: {while: mask.worn, multiply: flu.transmission, by: %.0f %%, above: 40 %%}\n", between(x, 0, 200));
}

static void say_period(struct text *x) {
  double from = between(x, 0, HORIZON / 2);
  say(x, "when: day %.4f", from);
  if (chance(x, 80)) say(x, ", until: day %.4f", from + between(x, 0.5, 6));
}

static void say_actions(struct text *x, const struct choices *c) {
  static const char *const reductions[] = {"100", "60", "35"};
  say(x, "sensing:\n  clinics: {watches: flu.ill, ascertainment: 80 %%, report_delay: exponential mean 0.5 days, "
         "alarm: 1 reports in 7 days}\n");
  say(x, "teams:\n  nurses: {size: 1, hours: 24 h/day}\nactions:\n");
  say(x, "  base: {like: distancing, against: flu, layers: net, reduction: 5 %%, when: day %.4f}\n", between(x, 0, 5));
  for (int i = 0; i < 3; i++) {
    if (!chance(x, 60)) continue;
    say(x, "  apart%d: {like: distancing, against: flu, layers: %s, reduction: %s %%, ", i,
        c->second && chance(x, 50)  ? "[net, work]"
        : c->crowd && chance(x, 50) ? "crowd"
                                    : "net",
        reductions[draw(x, 3)]);
    say_period(x);
    say(x, "}\n");
  }
  if (chance(x, 50)) {
    say(x, "  shield: {like: shielding, against: flu, among: few, reduction: %s %%, ", reductions[draw(x, 3)]);
    say_period(x);
    say(x, "}\n");
  }
  if (chance(x, 50))
    say(x,
        "  home: {like: isolation, against: flu, on: clinics, delay: exponential mean 6 h, duration: %.3f days, "
        "efficacy: %s %%}\n",
        between(x, 0.5, 4), reductions[draw(x, 3)]);
  if (chance(x, 30))
    say(x, "  trace: {like: tracing, against: flu, on: clinics, coverage: 70 %%, delay: 6 h, duration: 2 days}\n");
  if (chance(x, 50))
    say(x,
        "  jabs: {like: vaccination, against: flu, when: day %.4f, team: nurses, service: %.3f days, efficacy: "
        "%.0f %%%s, protection_delay: 0.7 days}\n",
        between(x, 0, 4), between(x, 0.2, 1), between(x, 30, 100),
        chance(x, 40)   ? ", mode: leaky"
        : chance(x, 70) ? ", transition: jab"
                        : "");
  if (chance(x, 40))
    say(x,
        "  cures: {like: treatment, against: flu, on: clinics, team: nurses, service: 0.3 days, transition: cure}\n");
}

/* The caller frees. */
static char *scenario(uint32_t number) {
  struct text x = {.random = (number + 1) * UINT64_C(0x9e3779b97f4a7c15)};
  for (int i = 0; i < 8; i++) draw(&x, 2);
  struct choices c = {.people = 3 + draw(&x, 8), .second = chance(&x, 40), .crowd = chance(&x, 25)};
  c.try = !c.crowd && chance(&x, 20);
  c.latent = chance(&x, 40);
  c.deadly = chance(&x, 30);
  c.waning = chance(&x, 60);
  c.leaky = chance(&x, 50);
  say_society(&x, &c);
  say_hazard(&x, &c);
  if (chance(&x, 70)) say_masks(&x);
  say_actions(&x, &c);
  say(&x, "incidents:\n  case: {starts: flu, at: [0, %u], arrivals: [day 0, day %.4f]}\n", 1 + draw(&x, c.people - 1),
      between(&x, 3, 8));
  say(&x, "design: {replicates: 1}\n");
  return x.text;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

struct tally {
  struct keyed_counts counts;
  int compared, rejected[KEYED_MISTAKES];
};

/* Runs some replicates of a world; each must be the reference's, and where `mistakes` the wrong ones are tried too. */
static void compare(struct test_world *t, const char *what, uint64_t replicates, bool mistakes, struct tally *tally) {
  struct keyed_sim *k = keyed_create(t->world, sim_bound_root(t->bound), "flu");
  for (uint64_t r = 0; r < replicates; r++) {
    keyed_record(k, t->run);
    test_world_run(t, r);
    const char *wrong = keyed_compare(k, t->run, KEYED_EXACT);
    cr_assert_null(wrong, "%s, replicate %u: %s", what, (unsigned)r, wrong);
    struct keyed_counts c = keyed_counts(k);
    tally->counts.infections += c.infections;
    tally->counts.exits += c.exits;
    tally->counts.others += c.others;
    tally->counts.multipliers += c.multipliers;
    tally->compared++;
    for (int m = 1; m < KEYED_MISTAKES && mistakes; m++)
      tally->rejected[m] += keyed_compare(k, t->run, (enum keyed_mistake)m) != NULL;
  }
  sim_run_trace(t->run, NULL);
  keyed_free(k);
}

static void sweep(uint32_t from, uint32_t to, bool mistakes, struct tally *tally) {
  for (uint32_t s = from; s < to; s++) {
    struct test_world t;
    char name[40], *text = scenario(s);
    snprintf(name, sizeof name, "schedule %u", s);
    test_world_open(&t, text);
    compare(&t, name, REPLICATES, mistakes, tally);
    test_world_close(&t);
    sim_free(text);
  }
}

Test(schedules, every_move_is_where_the_reference_has_it, .timeout = 300) {
  struct tally tally = {0};
  sweep(0, SCHEDULES, false, &tally);
  cr_expect_gt(tally.counts.infections, 3000, "only %lu", (unsigned long)tally.counts.infections);
  cr_expect_gt(tally.counts.exits, 3000, "only %lu", (unsigned long)tally.counts.exits);
  cr_expect_gt(tally.counts.others, 1000, "only %lu", (unsigned long)tally.counts.others);
  cr_expect_gt(tally.counts.multipliers, 10000, "only %lu", (unsigned long)tally.counts.multipliers);
}

Test(schedules, mistakes_are_noticed, .timeout = 300) {
  struct tally tally = {0};
  sweep(0, SCHEDULES / 4, true, &tally);
  for (int m = 1; m < KEYED_MISTAKES; m++)
    cr_expect_gt(tally.rejected[m], tally.compared / 50, "mistake %d was noticed in %d of %d runs only", m,
                 tally.rejected[m], tally.compared);
}

Test(schedules, the_models_own_scenarios, .timeout = 300) {
  static const char *const names[] = {"contagion", "coupling",  "distancing", "incident",    "isolation", "safeguards",
                                      "sensor",    "shielding", "tracing",    "vaccination", "treatment"};
  struct tally tally = {0};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct test_world t;
    char path[300], text[20000];
    snprintf(path, sizeof path, "%s/tests/models/%s.yaml", AIRESIM_SOURCE_DIR, names[i]);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    test_world_open(&t, text);
    compare(&t, names[i], REPLICATES, false, &tally);
    test_world_close(&t);
  }
  cr_expect_gt(tally.counts.infections, 500);
}
