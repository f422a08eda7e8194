/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/measure.h"
#include "sim/cli/cli.h"
#include "sim/core/mem.h"
#include <string.h>

static bool of_runs(const struct sim_variable *v) {
  return !v->text && v->dims >= 3 && strcmp(v->dim[0], "arm") == 0 && strcmp(v->dim[1], "point") == 0 &&
         strcmp(v->dim[2], "replicate") == 0;
}

bool cli_is_measure(const struct sim_variable *v) {
  return of_runs(v) && strcmp(v->name, "status") != 0 && strcmp(v->name, "time_to_recover") != 0;
}

bool cli_is_detail(const struct sim_variable *v) {
  static const char *const sections[] = {"incident", "sensor",     "team",       "action",  "repair", "layer",
                                         "coupling", "safeguards", "capability", "episode", "group"};
  for (size_t i = 0; v->dims > 3 && i < sizeof sections / sizeof *sections; i++)
    if (strcmp(v->dim[3], sections[i]) == 0) return true;
  return strcmp(v->name, "events") == 0;
}

char *cli_element_label(struct sim_results *r, const struct sim_variable *v, size_t element) {
  char *text = sim_strdup("");
  for (unsigned d = v->dims; text && d-- > 3;) {
    char **labels = NULL;
    size_t n = 0, at = element % v->size[d];
    element /= v->size[d];
    if (sim_results_labels(r, v->dim[d], &labels, &n) != 0) n = 0;
    char *more = sim_strf("%s=%s%s%s", v->dim[d], at < n ? labels[at] : "?", *text ? "," : "", text);
    sim_results_texts_free(labels, n);
    sim_free(text);
    text = more;
  }
  return text;
}

char *cli_measure_name(struct sim_results *r, const struct sim_variable *v, size_t element) {
  char *label = cli_element_label(r, v, element);
  if (!label) return NULL;
  const char *unit = strcmp(v->unit, "1") != 0 ? v->unit : v->integer ? "number" : "";
  char *name = sim_strf("%s%s%s%s%s%s%s", v->name, *label ? "[" : "", label, *label ? "]" : "", *unit ? " (" : "", unit,
                        *unit ? ")" : "");
  sim_free(label);
  return name;
}

const struct sim_variable *cli_find_measure(struct sim_results *r, const char *command, const char *name) {
  const char *names[256];
  const struct sim_variable *all, *found = sim_results_find(r, name);
  size_t n = sim_results_variables(r, &all), m = 0;
  if (found && of_runs(found)) return found;
  for (size_t i = 0; i < n && m < 256; i++)
    if (of_runs(&all[i])) names[m++] = all[i].name;
  const char *near = found ? NULL : cli_nearest(name, names, m);
  if (near)
    cli_usage(command, "no variable `%s`; did you mean `%s`?", name, near);
  else
    cli_usage(command, found ? "`%s` is not a variable of runs" : "no variable `%s`", name);
  return NULL;
}
