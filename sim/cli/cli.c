/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/cli.h"
#include "sim/core/mem.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int cli_fail(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  fputs("airesim: error: ", stderr);
  vfprintf(stderr, fmt, args);
  fputc('\n', stderr);
  va_end(args);
  return CLI_FAILED;
}

int cli_usage(const char *command, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  fputs("airesim: error: ", stderr);
  vfprintf(stderr, fmt, args);
  fprintf(stderr, "\nTry `airesim %s%s--help`.\n", command, *command ? " " : "");
  va_end(args);
  return CLI_USAGE;
}

bool cli_flush(void) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return true;
  cli_fail("standard output could not be written: %s", strerror(errno));
  return false;
}

/* Levenshtein distance, for words of up to 63 characters. */
static size_t distance(const char *a, const char *b) {
  size_t row[64], la = strlen(a), lb = strlen(b);
  if (la > 63 || lb > 63) return 64;
  for (size_t j = 0; j <= lb; j++) row[j] = j;
  for (size_t i = 1; i <= la; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= lb; j++) {
      size_t best = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[lb];
}

const char *cli_nearest(const char *word, const char *const *names, size_t n) {
  const char *best = NULL;
  size_t limit = strlen(word) / 3 > 2 ? strlen(word) / 3 : 2;
  for (size_t i = 0; i < n; i++) {
    size_t d = distance(word, names[i]);
    if (d > limit || d >= strlen(names[i])) continue;
    best = names[i];
    if (d == 0) break;
    limit = d - 1;
  }
  return best;
}

int cli_find_arm(const struct sim_scenario *s, const char *command, const char *name, size_t *arm) {
  const char *names[256];
  size_t n = 0;
  *arm = 0;
  if (!name) return CLI_DONE;
  for (size_t i = 0; i < sim_scenario_arms(s); i++) {
    if (n < 256) names[n++] = sim_scenario_arm(s, i);
    if (strcmp(sim_scenario_arm(s, i), name) != 0) continue;
    *arm = i;
    return CLI_DONE;
  }
  const char *near = cli_nearest(name, names, n);
  if (near) return cli_usage(command, "no arm `%s`; did you mean `%s`?", name, near);
  return cli_usage(command, "no arm `%s`", name);
}

/* ---- help ------------------------------------------------------------------------------------------------------ */

static void print_option(const struct cli_option *o, FILE *out) {
  char head[64];
  const char *before = o->type == CLI_OPTIONAL ? "[" : "", *after = o->type == CLI_OPTIONAL ? "]" : "";
  snprintf(head, sizeof head, "%c%c%s --%s%s%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
           o->letter ? "," : " ", o->name, o->argument ? " " : "", before, o->argument ? o->argument : "", after);
  fprintf(out, "  %-28s %s", head, o->doc);
  if (o->fallback) fprintf(out, " [default: %s]", o->fallback);
  fputc('\n', out);
}

/* The word that chooses a part. */
static const char *part_name(const struct cli_command *part) {
  return strrchr(part->name, ' ') + 1;
}

void cli_command_help(const struct cli_command *c, FILE *out) {
  static const struct cli_option help = {"help", 'h', CLI_FLAG, 0, NULL, NULL, "show this help"};
  fprintf(out, "airesim %s: %s\n\nUsage: airesim %s%s%s [options]\n", c->name, c->purpose, c->name,
          *c->arguments ? " " : "", c->arguments);
  if (c->about) fprintf(out, "\n%s\n", c->about);
  if (c->parts) fprintf(out, "\n%s:\n", c->arguments);
  for (size_t i = 0; c->parts && c->parts[i]; i++)
    fprintf(out, "  %-12s %s\n", part_name(c->parts[i]), c->parts[i]->purpose);
  fputs("\nOptions:\n", out);
  for (const struct cli_option *o = c->options; o && o->name; o++) print_option(o, out);
  print_option(&help, out);
  fprintf(out, "\nExamples:\n%s\n", c->examples);
}

/* ---- options --------------------------------------------------------------------------------------------------- */

struct parser {
  const struct cli_command *command;
  int argc, at; /* at: the next word */
  char **argv;
  void *target;
};

static int add_set(const struct cli_command *c, struct cli_sets *sets, char *text) {
  char *equals = strchr(text, '=');
  if (!equals || equals == text) return cli_usage(c->name, "--set expects path=value, not `%s`", text);
  if (sets->n == CLI_MAX_SETS) return cli_usage(c->name, "--set may be given %d times at most", CLI_MAX_SETS);
  *equals = '\0';
  sets->patch[sets->n++] = (struct sim_patch){text, equals + 1};
  return CLI_DONE;
}

/* Digits, or what is whole in scientific notation (1e6, 2.5e3) and a double holds exactly. */
static bool read_count(const char *text, int64_t *out) {
  char *end;
  if (*text < '0' || *text > '9' || text[strspn(text, "0123456789.eE+")]) return false;
  errno = 0;
  if (!text[strspn(text, "0123456789")]) {
    *out = strtoll(text, NULL, 10);
    return errno == 0;
  }
  double value = strtod(text, &end);
  if (*end || !(value <= 0x1p53) || value != floor(value)) return false;
  *out = (int64_t)value;
  return true;
}

static int set_count(const struct cli_command *c, const struct cli_option *o, const char *text, int64_t *out) {
  if (read_count(text, out)) return CLI_DONE;
  return cli_usage(c->name, "--%s expects a whole number such as 1000 or 1e3, 0 or more, not `%s`", o->name, text);
}

static int set_number(const struct cli_command *c, const struct cli_option *o, const char *text, double *out) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end || !isfinite(value) || value < 0)
    return cli_usage(c->name, "--%s expects a number, 0 or more, not `%s`", o->name, text);
  *out = value;
  return CLI_DONE;
}

/* --replicates and --seed change the scenario, so that what is stored with the results says what was run. */
static int set_design(const struct cli_command *c, const struct cli_option *o, char *text, struct cli_sets *sets) {
  int64_t checked;
  int status = set_count(c, o, text, &checked);
  if (status) return status;
  if (sets->n == CLI_MAX_SETS) return cli_usage(c->name, "--set may be given %d times at most", CLI_MAX_SETS);
  const char *path = strcmp(o->name, "seed") == 0 ? "design.seed" : "design.replicates";
  sets->patch[sets->n++] = (struct sim_patch){path, text};
  return CLI_DONE;
}

/* Stores an option's value. value: what follows `=` or the letter, or NULL. */
static int store(struct parser *p, const struct cli_option *o, char *value) {
  void *field = (char *)p->target + o->offset;
  const char *name = p->command->name;
  if (o->type == CLI_FLAG) {
    if (value) return cli_usage(name, "--%s takes no value", o->name);
    *(bool *)field = true;
    return CLI_DONE;
  }
  if (o->type == CLI_OPTIONAL) {
    if (!value && p->at < p->argc && strpbrk(p->argv[p->at], "*?[")) value = p->argv[p->at++];
    *(const char **)field = value ? value : "";
    return CLI_DONE;
  }
  if (!value) {
    if (p->at == p->argc) return cli_usage(name, "--%s expects %s", o->name, o->argument);
    value = p->argv[p->at++];
  }
  if (o->type == CLI_SET) return add_set(p->command, field, value);
  if (o->type == CLI_DESIGN) return set_design(p->command, o, value, field);
  if (o->type == CLI_COUNT) return set_count(p->command, o, value, field);
  if (o->type == CLI_NUMBER) return set_number(p->command, o, value, field);
  *(const char **)field = value;
  return CLI_DONE;
}

static int unknown_option(const struct cli_command *c, const char *word) {
  const char *names[32];
  size_t n = 0;
  for (const struct cli_option *o = c->options; o->name && n < 32; o++) names[n++] = o->name;
  const char *near = word[1] == '-' ? cli_nearest(word + 2, names, n) : NULL;
  if (near) return cli_usage(c->name, "unknown option `%s`; did you mean --%s?", word, near);
  return cli_usage(c->name, "unknown option `%s`", word);
}

static int parse_option(struct parser *p, char *word) {
  bool is_long = word[1] == '-';
  size_t length = is_long ? strcspn(word + 2, "=") : 0;
  for (const struct cli_option *o = p->command->options; o->name; o++) {
    if (is_long && strlen(o->name) == length && strncmp(o->name, word + 2, length) == 0)
      return store(p, o, word[2 + length] ? word + 3 + length : NULL);
    if (!is_long && o->letter && o->letter == word[1]) return store(p, o, word[2] ? word + 2 : NULL);
  }
  return unknown_option(p->command, word);
}

static int parse(struct parser *p, struct cli_words *words) {
  bool options = true;
  while (p->at < p->argc) {
    char *word = p->argv[p->at++];
    if (options && strcmp(word, "--") == 0) {
      options = false;
    } else if (options && word[0] == '-' && word[1]) {
      int status = parse_option(p, word);
      if (status) return status;
    } else if (words->n == p->command->max_words) {
      return cli_usage(p->command->name, "unexpected argument `%s`", word);
    } else {
      words->word[words->n++] = word;
    }
  }
  if (words->n < p->command->min_words) return cli_usage(p->command->name, "expected %s", p->command->arguments);
  return CLI_DONE;
}

static int run_part(const struct cli_command *c, int argc, char **argv, const char *line) {
  const char *names[16];
  size_t n = 0;
  if (argc == 0) return cli_usage(c->name, "expected %s", c->arguments);
  for (; c->parts[n]; n++) {
    names[n] = part_name(c->parts[n]);
    if (strcmp(names[n], argv[0]) == 0) return cli_command_run(c->parts[n], argc - 1, argv + 1, line);
  }
  const char *near = cli_nearest(argv[0], names, n);
  if (near) return cli_usage(c->name, "`%s` is none of them; did you mean `%s`?", argv[0], near);
  return cli_usage(c->name, "expected %s, not `%s`", c->arguments, argv[0]);
}

int cli_command_run(const struct cli_command *c, int argc, char **argv, const char *line) {
  if (c->parts && argc > 0 && argv[0][0] != '-') return run_part(c, argc, argv, line);
  for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      cli_command_help(c, stdout);
      return cli_flush() ? CLI_DONE : CLI_FAILED;
    }
  if (c->parts) return run_part(c, argc, argv, line);
  struct cli_context context = {.line = line};
  struct parser p = {.command = c, .argc = argc, .argv = argv, .target = sim_alloc(c->size ? c->size : 1)};
  if (!p.target) return cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  context.words.word = sim_alloc((size_t)(argc > 0 ? argc : 1) * sizeof *context.words.word);
  if (!context.words.word) {
    sim_free(p.target);
    return cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  }
  if (c->size) memcpy(p.target, c->defaults, c->size);
  int status = parse(&p, &context.words);
  if (status == CLI_DONE) status = c->run(&context, p.target);
  if (!cli_flush() && status == CLI_DONE) status = CLI_FAILED;
  sim_free(context.words.word);
  sim_free(p.target);
  return status;
}
