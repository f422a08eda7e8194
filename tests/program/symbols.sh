#!/bin/sh
# symbols.sh NM LIBRARY: what the shared library shows is exactly what airesim.h declares.
set -eu
shown=$("$1" -D --defined-only "$2" | awk '{print $NF}' | sed 's/@.*//' | sort)
declared=$(sed -n 's/.*AIRESIM_API[^(]*[ *]\(airesim_[a-z0-9_]*\)(.*/\1/p' "$AIRESIM_SOURCE_DIR/sim/airesim.h" | sort)
[ -n "$declared" ] || { echo "no declaration found in airesim.h"; exit 1; }
if [ "$shown" != "$declared" ]; then
  printf 'shown:\n%s\ndeclared:\n%s\n' "$shown" "$declared"
  exit 1
fi
