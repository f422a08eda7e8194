#!/bin/sh
# The scenarios that the documents show are scenarios: the first block of YAML of each is checked.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for document in README.md docs/tutorial.md; do
  awk '/^```yaml/ { n++; next } /^```/ { if (n == 1) exit } n == 1' "$AIRESIM_SOURCE_DIR/$document" >"$work/shown.yaml"
  [ -s "$work/shown.yaml" ] || { echo "$document shows no scenario"; exit 1; }
  "$AIRESIM_PROGRAM" check "$work/shown.yaml" || { echo "the scenario in $document is wrong"; exit 1; }
done
