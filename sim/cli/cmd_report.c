/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report is drawn by the Python package in analysis/: this finds an interpreter and the package, and becomes it. */
#include "airesim_python.h"
#include "sim/cli/cli.h"
#include "sim/core/mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct report_options {
  const char *output;
};

/* Names what is missing instead of showing a traceback. The package's directory is the first argument; the directory
 * in which the user stands is no place to import from. */
static const char start[] = "import sys\n"
                            "sys.path = [sys.argv.pop(1), *filter(None, sys.path)]\n"
                            "try:\n"
                            "    from airesim.__main__ import main\n"
                            "except ModuleNotFoundError as error:\n"
                            "    name = error.name.partition('.')[0]\n"
                            "    sys.exit(f'airesim: error: {sys.executable} lacks the package {name} '\n"
                            "             f'(Debian: python3-{name}); AIRESIM_PYTHON names another Python')\n"
                            "sys.exit(main(sys.argv[1:]))\n";

/* Directory of this program, to be freed, or NULL. */
static char *own_directory(void) {
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0) return NULL;
  path[n] = '\0';
  char *slash = strrchr(path, '/');
  if (slash) *slash = '\0';
  return sim_strdup(path);
}

/* The directory that holds the package: beside the installed program, else in the source tree. To be freed; NULL if it
 * is in neither, or without memory. */
static char *find_package(void) {
  char *here = own_directory();
  char *const candidate[] = {here ? sim_strf("%s/%s", here, AIRESIM_PACKAGE_FROM_BIN) : NULL,
                             sim_strdup(AIRESIM_PACKAGE_IN_SOURCE)};
  char *found = NULL;
  sim_free(here);
  for (size_t i = 0; i < sizeof candidate / sizeof *candidate; i++) {
    char *file = candidate[i] && !found ? sim_strf("%s/airesim/__main__.py", candidate[i]) : NULL;
    if (file && access(file, R_OK) == 0)
      found = candidate[i];
    else
      sim_free(candidate[i]);
    sim_free(file);
  }
  return found;
}

/* RESULTS with .html for .h5; to be freed. */
static char *default_output(const char *results) {
  size_t n = strlen(results);
  if (n > 3 && strcmp(results + n - 3, ".h5") == 0) n -= 3;
  return sim_strf("%.*s.html", (int)n, results);
}

static int run(const struct cli_context *context, void *options) {
  const struct report_options *o = options;
  const char *results = context->words.word[0], *python = getenv("AIRESIM_PYTHON");
  if (!python || !*python) python = AIRESIM_PYTHON;
  struct sim_results *r = NULL;
  struct sim_diag diag = {0};
  int status = cli_status(sim_results_open(&r, results, &diag), &diag); /* the message that every command gives */
  sim_results_close(r);
  sim_diag_free(&diag);
  if (status) return status;
  char *package = find_package(), *output = o->output ? sim_strdup(o->output) : default_output(results);
  if (!*python) {
    status = cli_fail("no Python was found when this program was built: AIRESIM_PYTHON names one");
  } else if (!package) {
    status = cli_fail("the Python package airesim is not where it was installed (%s)", AIRESIM_PACKAGE_IN_SOURCE);
  } else if (!output) {
    status = cli_fail("%s", sim_err_text(SIM_ERR_MEMORY));
  } else {
    fflush(NULL);
    execlp(python, python, "-c", start, package, "report", "-o", output, "--", results, (char *)NULL);
    status = cli_fail("%s could not be started: %s; AIRESIM_PYTHON names another Python", python, strerror(errno));
  }
  sim_free(package);
  sim_free(output);
  return status;
}

static const struct report_options defaults;
static const struct cli_option options[] = {{"output", 'o', CLI_TEXT, offsetof(struct report_options, output), "FILE",
                                             "RESULTS with .html for .h5", "the page"},
                                            {.name = NULL}};

const struct cli_command cli_cmd_report = {
    .name = "report",
    .arguments = "RESULTS",
    .purpose = "write one page: the answer, how sure it is, figures, assumptions",
    .about =
        "One HTML file that asks nothing of the network: the scenario's question, the answer with its uncertainty and\n"
        "what would flip it, figures, a table of the arms, the assumptions by their influence, caveats, provenance "
        "and\n"
        "how to repeat it. Needs Python 3 with h5netcdf, jinja2, matplotlib, pandas, scipy, statsmodels and xarray;\n"
        "the environment variable AIRESIM_PYTHON names another interpreter than the one found at build time.",
    .examples = "  airesim report results/outbreak_response.h5\n"
                "  airesim report results/outbreak_response.h5 -o report.html",
    .options = options,
    .min_words = 1,
    .max_words = 1,
    .defaults = &defaults,
    .size = sizeof defaults,
    .run = run,
};
