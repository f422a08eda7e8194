/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/cli/walltime.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SECONDS (366L * 86400)

/* "90 min", "2h". */
static bool with_unit(const char *text, long *seconds) {
  static const struct {
    const char *name;
    long seconds;
  } units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}, {"days", 86400}, {"day", 86400}};
  char *end;
  double number = strtod(text, &end);
  if (end == text || !(number > 0)) return false;
  while (*end == ' ') end++;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (strcmp(end, units[i].name) != 0) continue;
    double all = number * (double)units[i].seconds;
    *seconds = all < (double)MOST_SECONDS ? (long)all : MOST_SECONDS;
    return *seconds > 0;
  }
  return false;
}

bool cli_walltime(const char *text, long *seconds) {
  if (with_unit(text, seconds)) return true;
  long part[4] = {0}, days = 0;
  unsigned n = 0;
  const char *at = text, *dash = strchr(text, '-');
  for (;;) {
    char *end;
    if (!isdigit((unsigned char)*at) || n == 4) return false;
    part[n++] = strtol(at, &end, 10);
    if (part[n - 1] > MOST_SECONDS) return false;
    if (*end == '-' && end == dash && n == 1) {
      days = part[0];
      n = 0;
    } else if (*end != ':') {
      if (*end) return false;
      break;
    }
    at = end + 1;
  }
  if (n > 3) return false;
  long left = dash     ? part[0] * 3600 + (n > 1 ? part[1] * 60 : 0) + (n > 2 ? part[2] : 0)
              : n == 1 ? part[0] * 60
              : n == 2 ? part[0] * 60 + part[1]
                       : part[0] * 3600 + part[1] * 60 + part[2];
  if (days > 366) return false;
  *seconds = days * 86400 + left;
  return *seconds > 0 && *seconds <= MOST_SECONDS;
}
