#!/bin/sh
# The reference in docs/ is what the program prints, and every key in it has its sentence.
set -eu
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
"$AIRESIM_PROGRAM" schema --reference >"$printed"
if ! diff -u "$AIRESIM_SOURCE_DIR/docs/reference.md" "$printed"; then
  echo "docs/reference.md is out of date: build/airesim schema --reference > docs/reference.md"
  exit 1
fi
