/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Populations: groups by shares, attributes from CSV. */
#include "sim/core/csv.h"
#include "sim/core/population.h"
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sim_value shares(struct sim_value *items, size_t n, const char *const *names, const double *share) {
  for (size_t i = 0; i < n; i++)
    items[i] = (struct sim_value){.form = SIM_NUMBER, .name = names[i], .path = names[i], .number = share[i]};
  return (struct sim_value){.form = SIM_MAPPING, .path = "society.groups", .items = items, .n = n};
}

static const char *const names[] = {"adults", "elderly", "minors"};

static int by_shares(struct sim_population *p, uint32_t size, size_t n, const double *share, uint64_t seed,
                     struct sim_diag *diag) {
  struct sim_value items[SIM_MAX_GROUPS], groups = shares(items, n, names, share);
  struct sim_rng rng;
  sim_rng_init(&rng, seed, 0, 0);
  return sim_population_init(p, "people", size, &groups, NULL, &rng, diag);
}

Test(population, plain) {
  struct sim_population p;
  struct sim_diag diag = {0};
  struct sim_rng rng;
  sim_rng_init(&rng, 1, 0, 0);
  cr_assert_eq(sim_population_init(&p, "people", 7, NULL, NULL, &rng, &diag), 0);
  cr_expect_eq(p.size, 7);
  cr_expect_eq(p.weight_total, 7);
  cr_expect_eq(p.groups, 0);
  cr_expect_null(p.group);
  cr_expect_eq(sim_population_group(&p, "adults"), -1);
  cr_expect_str_eq(p.name, "people");
  sim_population_free(&p);
  cr_expect_eq(sim_population_init(&p, "people", 0, NULL, NULL, &rng, &diag), SIM_ERR_INPUT);
  sim_diag_free(&diag);
}

/* Largest remainder: exact counts that add up. */
Test(population, exact_counts) {
  static const struct {
    uint32_t size;
    double share[3];
    uint32_t count[3];
  } table[] = {{10, {0.3, 0.3, 0.4}, {3, 3, 4}},  {10, {1.0 / 3, 1.0 / 3, 1.0 / 3}, {4, 3, 3}},
               {7, {0.5, 0.25, 0.25}, {3, 2, 2}}, {20000, {0.58, 0.2, 0.22}, {11600, 4000, 4400}},
               {5, {1, 0, 0}, {5, 0, 0}},         {1, {0.2, 0.3, 0.5}, {0, 0, 1}},
               {3, {0.1, 0.1, 0.8}, {0, 0, 3}}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct sim_population p;
    struct sim_diag diag = {0};
    uint32_t seen[3] = {0};
    cr_assert_eq(by_shares(&p, table[i].size, 3, table[i].share, 1, &diag), 0);
    for (uint32_t u = 0; u < p.size; u++) seen[p.group[u]]++;
    for (int g = 0; g < 3; g++) {
      cr_expect_eq(seen[g], table[i].count[g], "row %zu: %u in %s", i, seen[g], names[g]);
      cr_expect_eq(p.group_size[g], seen[g]);
    }
    sim_population_free(&p);
  }
}

Test(population, who_is_keyed_and_shuffled) {
  static const double share[] = {0.5, 0.2, 0.3};
  struct sim_population a, b, c;
  struct sim_diag diag = {0};
  cr_assert_eq(by_shares(&a, 1000, 3, share, 1, &diag), 0);
  cr_assert_eq(by_shares(&b, 1000, 3, share, 1, &diag), 0);
  cr_assert_eq(by_shares(&c, 1000, 3, share, 2, &diag), 0);
  cr_expect_arr_eq(a.group, b.group, 1000);
  cr_expect_neq(memcmp(a.group, c.group, 1000), 0);
  int first = 0; /* adults among the first half: hypergeometric, mean 250, sd 7.9 */
  for (int i = 0; i < 500; i++) first += a.group[i] == 0;
  cr_expect(abs(first - 250) <= 32, "%d", first);
  cr_expect_eq(sim_population_group(&a, "elderly"), 1);
  cr_expect_eq(sim_population_group(&a, "minor"), -1);
  sim_population_free(&a);
  sim_population_free(&b);
  sim_population_free(&c);
}

Test(population, shares_must_add_up) {
  static const double low[] = {0.5, 0.2, 0.2}, near[] = {0.5, 0.2, 0.3 + 1e-8};
  struct sim_population p;
  struct sim_diag diag = {0};
  cr_expect_eq(by_shares(&p, 10, 3, low, 1, &diag), SIM_ERR_INPUT);
  cr_expect_eq(by_shares(&p, 10, 3, near, 1, &diag), SIM_ERR_INPUT);
  cr_assert_eq(diag.n, 2);
  cr_expect(strstr(diag.items[0].text, "90 %"));
  sim_diag_free(&diag);
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static char path[] = "/tmp/airesim-population-XXXXXX";
static void make_file(void) {
  int fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  close(fd);
}
static void remove_file(void) {
  unlink(path);
}

static int from_text(struct sim_population *p, const char *text, uint32_t size, struct sim_diag *diag) {
  FILE *f = fopen(path, "wb");
  cr_assert_not_null(f);
  fputs(text, f);
  fclose(f);
  struct sim_value file = {.form = SIM_NAME, .path = "society.attributes", .text = path};
  struct sim_rng rng;
  sim_rng_init(&rng, 1, 0, 0);
  return sim_population_init(p, "people", size, NULL, &file, &rng, diag);
}

Test(population, attributes, .init = make_file, .fini = remove_file) {
  struct sim_population p;
  struct sim_diag diag = {0};
  const char *text =
      "# a town\r\nid, weight,group ,\"vulnerability\"\r\n2,5,minors,0.5\r\n0,1,\"adults\",1\r\n\r\n1,2,adults,2.5\r\n";
  cr_assert_eq(from_text(&p, text, 3, &diag), 0, "%s", diag.n ? diag.items[0].text : "");
  cr_expect_eq(p.groups, 2);
  cr_expect_str_eq(p.group_name[0], "adults");
  cr_expect_eq(p.group_size[0], 2);
  cr_expect_eq(p.group_size[1], 1);
  cr_expect_arr_eq(p.group, ((uint8_t[]){0, 0, 1}), 3);
  cr_expect_arr_eq(p.weight, ((uint32_t[]){1, 2, 5}), 3 * sizeof(uint32_t));
  cr_expect_eq(p.vulnerability[1], 2.5F);
  cr_expect_eq(p.weight_total, 8);
  sim_population_free(&p);
  cr_assert_eq(from_text(&p, "weight\n4000000000\n4000000000\n", 0, &diag), 0); /* the size by the file */
  cr_expect_eq(p.size, 2);
  cr_expect_eq(p.weight_total, UINT64_C(8000000000));
  sim_population_free(&p);
}

Test(population, rows, .init = make_file, .fini = remove_file) {
  FILE *f = fopen(path, "wb");
  fputs("weight\n1\n2\n3", f);
  fclose(f);
  struct sim_value file = {.form = SIM_NAME, .path = "attributes", .text = path};
  struct sim_diag diag = {0};
  uint32_t rows;
  cr_expect_eq(sim_population_rows(&file, &rows, &diag), 0);
  cr_expect_eq(rows, 3);
}

Test(population, malformed_attributes, .init = make_file, .fini = remove_file) {
  static const struct {
    const char *text;
    uint32_t size;
    unsigned line, messages;
    const char *says;
  } table[] = {{"", 2, 0, 1, "empty"},
               {"\n# only\n", 2, 0, 1, "no rows"},
               {"weight\n", 2, 0, 1, "0 rows"},
               {"weight\n1\n2\n3\n", 2, 0, 1, "3 rows"},
               {"\nage\n1\n2\n", 2, 2, 1, "'age'"},
               {"weight,weight\n1,1\n2,2\n", 2, 1, 1, "twice"},
               {"weight,\n1,1\n2,2\n", 2, 1, 1, "no name"},
               {"weight,group\n1,a\n2\n", 2, 3, 1, "1 cells"},
               {"weight\n1\n0\n", 2, 3, 1, "'0'"},
               {"weight\n1.5\n-1\n", 2, 2, 2, "'1.5'"},
               {"weight\n1\n99999999999\n", 2, 3, 1, "whole number"},
               {"weight\n1\nx\n", 2, 3, 1, "'x'"},
               {"vulnerability\n1\n0\n", 2, 3, 1, "above 0"},
               {"vulnerability\nnan\n1\n", 2, 2, 1, "'nan'"},
               {"vulnerability\n0x1\n1\n", 2, 2, 1, "'0x1'"},
               {"vulnerability\n1e999\n1\n", 2, 2, 1, "above 0"},
               {"group\nAdults\nb\n", 2, 2, 1, "'Adults'"},
               {"group,weight\n,1\nb,1\n", 2, 2, 1, "no name of a group"},
               {"id\n0\n0\n", 2, 3, 1, "twice"},
               {"id\n0\n2\n", 2, 3, 1, "from 0 to 1"},
               {"id\n-1\n0\n", 2, 2, 1, "'-1'"},
               {"group\n\"a\nb\n", 2, 2, 1, "not closed"},
               {"group\n\"a\"b\nb\n", 2, 2, 1, "after a closing quote"}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    struct sim_population p;
    struct sim_diag diag = {0};
    cr_expect_eq(from_text(&p, table[i].text, table[i].size, &diag), SIM_ERR_INPUT, "row %zu", i);
    cr_assert_eq(diag.n, table[i].messages, "row %zu: %zu messages", i, diag.n);
    cr_expect(strstr(diag.items[0].text, table[i].says), "row %zu: %s", i, diag.items[0].text);
    cr_expect_eq(diag.items[0].line, table[i].line, "row %zu: line %u", i, diag.items[0].line);
    sim_diag_free(&diag);
  }
}

Test(population, groups_given_twice, .init = make_file, .fini = remove_file) {
  static const double share[] = {0.5, 0.5};
  struct sim_value items[2], groups = shares(items, 2, names, share);
  struct sim_value file = {.form = SIM_NAME, .path = "society.attributes", .text = path};
  struct sim_population p;
  struct sim_diag diag = {0};
  struct sim_rng rng;
  sim_rng_init(&rng, 1, 0, 0);
  FILE *f = fopen(path, "wb");
  fputs("group\na\nb\n", f);
  fclose(f);
  cr_expect_eq(sim_population_init(&p, "people", 2, &groups, &file, &rng, &diag), SIM_ERR_INPUT);
  cr_assert_eq(diag.n, 1);
  cr_expect(strstr(diag.items[0].text, "twice"));
  sim_diag_free(&diag);
}

Test(population, missing_file) {
  struct sim_value file = {.form = SIM_NAME, .path = "society.attributes", .text = "/nonexistent/people.csv"};
  struct sim_diag diag = {0};
  uint32_t rows;
  cr_expect_eq(sim_population_rows(&file, &rows, &diag), SIM_ERR_INPUT);
  cr_expect(strstr(diag.items[0].text, "/nonexistent/people.csv"));
  sim_diag_free(&diag);
}

/* ---- CSV ------------------------------------------------------------------------------------------------------- */

Test(csv, cells, .init = make_file, .fini = remove_file) {
  FILE *f = fopen(path, "wb");
  fputs("a, \"b, \"\"c\"\"\" ,\n1e3, -2.5 ,+7", f);
  fclose(f);
  struct sim_value file = {.form = SIM_NAME, .path = "file", .text = path};
  struct sim_diag diag = {0};
  struct sim_csv csv;
  double x;
  uint32_t n;
  cr_assert_eq(sim_csv_read(&csv, &file, true, &diag), SIM_ERR_INPUT); /* the third column has no name */
  cr_assert_eq(sim_csv_read(&csv, &file, false, &diag), 0);
  cr_expect_eq(csv.columns, 3);
  cr_expect_eq(csv.rows, 2);
  cr_expect_str_eq(csv.cell[1], "b, \"c\"");
  cr_expect_str_eq(csv.cell[2], "");
  cr_expect(sim_csv_number(&csv, 1, 1, &x) && x == -2.5);
  cr_expect(sim_csv_whole(&csv, 1, 0, 0, 1000, &n) && n == 1000);
  cr_expect_not(sim_csv_whole(&csv, 1, 0, 0, 999, &n));
  cr_expect_not(sim_csv_number(&csv, 0, 2, &x));
  sim_csv_free(&csv);
  sim_diag_free(&diag);
}
