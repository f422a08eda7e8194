/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/core/param.h"
#include <criterion/criterion.h>
#include <signal.h>

static struct sim_value steps[] = {{.form = SIM_NUMBER, .low = 1, .number = 10},
                                   {.form = SIM_NUMBER, .low = 3, .number = 70}};
static struct sim_value layers[] = {{.name = "", .form = SIM_NAME, .text = "power"},
                                    {.name = "", .form = SIM_NAME, .text = "telecom"}};
static struct sim_value fields[] = {{.name = "absent", .form = SIM_ABSENT},
                                    {.name = "size", .form = SIM_NUMBER, .number = 4},
                                    {.name = "needs", .form = SIM_ITEMS, .items = layers, .n = 2},
                                    {.name = "order", .form = SIM_NAME, .text = "fifo"},
                                    {.name = "by_time", .form = SIM_STEPS, .items = steps, .n = 2}};
static const struct sim_value map = {.form = SIM_MAPPING, .items = fields, .n = sizeof fields / sizeof *fields};

Test(param, fields_by_name) {
  cr_assert_eq(sim_value_get(&map, "size"), &fields[1]);
  cr_assert_eq(sim_value_find(&map, "order"), &fields[3]);
  cr_assert_null(sim_value_find(&map, "siz"));
  cr_assert_eq(sim_value_number(&map, "size"), 4);
  cr_assert_eq(sim_value_number_or(&map, "size", 9), 4);
  cr_assert_eq(sim_value_number_or(&map, "absent", 9), 9);
  cr_assert_str_eq(sim_value_text(&map, "order"), "fifo");
  cr_assert_null(sim_value_text(&map, "absent"));
  cr_assert(sim_value_has(&map, "size"));
  cr_assert_not(sim_value_has(&map, "absent"));
}

Test(param, one_value_is_a_list_of_one) {
  size_t n = 99;
  cr_assert_eq(sim_value_list(&map, "needs", &n), layers);
  cr_assert_eq(n, 2);
  cr_assert_eq(sim_value_list(&map, "order", &n), &fields[3]);
  cr_assert_eq(n, 1);
  cr_assert_null(sim_value_list(&map, "absent", &n));
  cr_assert_eq(n, 0);
}

Test(param, steps_hold_from_their_start) {
  const struct sim_value *v = sim_value_get(&map, "by_time");
  cr_assert_eq(sim_value_at(v, 0.5), 0);
  cr_assert_eq(sim_value_at(v, 1), 10);
  cr_assert_eq(sim_value_at(v, 2.999), 10);
  cr_assert_eq(sim_value_at(v, 3), 70);
  cr_assert_eq(sim_value_at(v, 1e9), 70);
  cr_assert_eq(sim_value_at(&fields[1], 123), 4);
}

Test(param, an_undeclared_name_is_a_bug, .signal = SIGABRT) {
  sim_value_get(&map, "siz");
}
Test(param, an_absent_number_is_a_bug, .signal = SIGABRT) {
  sim_value_number(&map, "absent");
}
