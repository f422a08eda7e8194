/* SPDX-License-Identifier: GPL-3.0-or-later */
/* airesim as a library: runs the scenario argv[1] into argv[2] and prints the mean of each arm's resilience loss. */
#include "airesim.h"
#include <math.h>
#include <stdio.h>

static void report(const char *errors, int code) {
  fprintf(stderr, "%s\n", errors ? errors : airesim_error_text(code));
}

int main(int argc, char **argv) {
  struct airesim_scenario *scenario = NULL;
  struct airesim_results *results = NULL;
  char *errors = NULL;
  double *loss = NULL;
  int status = 1;
  if (argc != 3) return 2;
  struct airesim_options options = {
      .size = sizeof options, .output = argv[2], .replicates = -1, .seed = -1, .overwrite = 1};
  int code = airesim_scenario_load(&scenario, argv[1], NULL, 0, &errors);
  if (code == 0) code = airesim_run(scenario, &options, &errors);
  if (code == 0) code = airesim_results_open(&results, argv[2], &errors);
  if (code == 0) code = airesim_results_values(results, "resilience_loss", &loss);
  if (code != 0) {
    report(errors, code);
    goto out;
  }
  size_t size[8] = {0};
  int dims = airesim_results_dims(results, "resilience_loss", NULL, size, 8);
  size_t row = 1;
  for (int i = 1; i < dims; i++) row *= size[i];
  for (size_t arm = 0; arm < size[0]; arm++) {
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < row; i++)
      if (!isnan(loss[arm * row + i])) {
        sum += loss[arm * row + i];
        n++;
      }
    printf("%s: mean resilience loss %.4g days of full functionality, n = %zu\n", airesim_scenario_arm(scenario, arm),
           n ? sum / (double)n : NAN, n);
  }
  status = 0;
out:
  airesim_free(loss);
  airesim_free(errors);
  airesim_results_close(results);
  airesim_scenario_free(scenario);
  return status;
}
