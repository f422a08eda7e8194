/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/bench.h"
#include "sim/core/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- time and memory ------------------------------------------------------------------------------------------- */

static double clock_seconds(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct bench_time bench_now(void) {
  return (struct bench_time){clock_seconds(CLOCK_THREAD_CPUTIME_ID), clock_seconds(CLOCK_MONOTONIC)};
}

void bench_add(struct bench_time *sum, const struct bench_time *start) {
  struct bench_time now = bench_now();
  sum->cpu += now.cpu - start->cpu;
  sum->wall += now.wall - start->wall;
}

/* Linux (proc(5)): "5" resets the high-water mark. Where it cannot be, the mark is that of the whole process. */
void bench_resident_reset(void) {
  FILE *f = fopen("/proc/self/clear_refs", "w");
  if (!f) return;
  fputs("5", f);
  fclose(f);
}

double bench_resident(void) {
  char line[128];
  double kib = (double)NAN;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (strncmp(line, "VmHWM:", 6) == 0) kib = strtod(line + 6, NULL);
  if (f) fclose(f);
  return kib * 1024e-6;
}

/* ---- a scenario in memory -------------------------------------------------------------------------------------- */

#define NOWHERE "<bench>" /* the scenario's file */

static int world_open(struct bench_world *b, const char *text, const char *directory, int64_t seed,
                      struct sim_diag *diag) {
  int ret = sim_scenario_parse(&b->scenario, text, strlen(text), NOWHERE, directory, NULL, 0, diag);
  if (ret == 0) ret = sim_scenario_bind(&b->bound, b->scenario, 0, NULL, 0, diag);
  if (ret) return ret;
  const struct sim_value *root = sim_bound_root(b->bound);
  b->graphs = sim_graph_cache_create();
  if (!b->graphs) return SIM_ERR_MEMORY;
  ret = sim_world_create(&b->world, root, (uint64_t)seed, b->graphs, diag);
  if (ret == 0) ret = sim_layout_init(&b->layout, b->world, sim_value_number(root, "horizon"));
  if (ret == 0) ret = sim_row_init(&b->row, &b->layout);
  return ret ? ret : sim_run_create(&b->run, b->world);
}

static const char *origin_of(const struct bench_origin *origins, const char *path) {
  for (; path && origins->path; origins++) {
    size_t n = strlen(origins->path);
    if (strncmp(path, origins->path, n) == 0 && (path[n] == '\0' || path[n] == '.')) return origins->options;
  }
  return NULL;
}

/* The scenario is nobody's file: its errors are those of the options that it was written from. */
static void print_errors(struct sim_diag *diag, const struct cli_command *command, const struct bench_origin *origins) {
  bool of_options = false;
  for (size_t i = 0; i < diag->n; i++) {
    const char *options = origin_of(origins, diag->items[i].path);
    const struct sim_diag_item *item = &diag->items[i];
    if (options) {
      if (item->file && item->line && strcmp(item->file, NOWHERE) != 0) /* a file that an option names */
        cli_fail("%s: %s:%u: %s", options, item->file, item->line, item->text);
      else
        cli_fail("%s: %s", options, item->text);
      of_options = true;
    } else {
      cli_print_diag(&(struct sim_diag){.items = &diag->items[i], .n = 1});
    }
  }
  if (of_options) fprintf(stderr, "Try `airesim %s --help`.\n", command->name);
}

int bench_world_open(struct bench_world *b, const char *text, const char *directory, int64_t seed,
                     const struct cli_command *command, const struct bench_origin *origins) {
  struct sim_diag diag = {0};
  int ret = world_open(b, text, directory, seed, &diag), status = CLI_DONE;
  if (ret && diag.n) {
    print_errors(&diag, command, origins);
    status = ret == SIM_ERR_INPUT ? CLI_USAGE : CLI_FAILED;
  } else if (ret) {
    status = cli_fail("%s", sim_err_text(ret));
  }
  sim_diag_free(&diag);
  return status;
}

int bench_world_execute(struct bench_world *b, uint64_t replicate, struct bench_time *sum) {
  struct bench_time start = bench_now();
  int ret = sim_run_execute(b->run, replicate, 0, &b->row);
  bench_add(sum, &start);
  if (ret) return cli_fail("%s", sim_err_text(ret));
  if (b->row.error[0]) return cli_fail("replicate %llu: %s", (unsigned long long)replicate, b->row.error);
  return CLI_DONE;
}

void bench_world_close(struct bench_world *b) {
  sim_run_free(b->run);
  sim_row_free(&b->row);
  sim_layout_free(&b->layout);
  if (b->world) sim_world_free(b->world);
  if (b->graphs) sim_graph_cache_free(b->graphs);
  if (b->bound) sim_bound_free(b->bound);
  sim_scenario_free(b->scenario);
}

double bench_world_value(const struct bench_world *b, const char *variable) {
  for (size_t c = 0; c < b->layout.columns; c++)
    if (strcmp(b->layout.column[c].variable, variable) == 0) return b->row.columns[c];
  return (double)NAN;
}

/* ---- reports --------------------------------------------------------------------------------------------------- */

static void print_json(const struct bench_field *field, size_t n) {
  for (size_t i = 0; i < n; i++) {
    printf("%s\"%s\": ", i ? ", " : "{", field[i].name);
    if (!field[i].text) {
      if (isfinite(field[i].number))
        printf("%.10g", field[i].number);
      else
        fputs("null", stdout);
      continue;
    }
    putchar('"');
    for (const char *c = field[i].text; *c; c++) {
      if ((unsigned char)*c < 0x20)
        printf("\\u%04x", (unsigned)*c);
      else
        printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    putchar('"');
  }
  puts("}");
  fflush(stdout); /* the next row may take long */
}

void bench_report_row(struct bench_report *r, const struct bench_field *field, size_t n) {
  if (r->json) {
    print_json(field, n);
    return;
  }
  if (!r->table.columns) {
    r->table.columns = n;
    for (size_t i = 0; i < n; i++) cli_table_add(&r->table, "%s", field[i].name);
  }
  for (size_t i = 0; i < n; i++) {
    if (field[i].text)
      cli_table_add(&r->table, "%s", field[i].text);
    else
      cli_table_number(&r->table, field[i].number);
  }
}

int bench_report_end(struct bench_report *r, const char *note) {
  if (r->json || !r->table.columns) return CLI_DONE;
  int ret = cli_table_print(&r->table, stdout);
  if (ret) return cli_fail("%s", sim_err_text(ret));
  printf("\n%s\n", note);
  return CLI_DONE;
}
