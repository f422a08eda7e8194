#!/bin/sh
# Real networks by changing the scenario only: a friendship graph (edge list), a power grid (GML) and mail between the
# members of an institution (directed). The data are not part of the project: AIRESIM_DATA names their directory, and
# without it the test is skipped (exit 77).
set -eu
for f in facebook-ego-combined.edges western-us-power-grid.gml email-eu-core.directed.edges; do
  if [ ! -f "${AIRESIM_DATA:-/nowhere}/$f" ]; then
    echo "skipped: $f is not in AIRESIM_DATA (${AIRESIM_DATA:-unset})"
    exit 77
  fi
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$AIRESIM_DATA"/*.edges "$AIRESIM_DATA"/*.gml "$AIRESIM_SOURCE_DIR"/tests/program/networks/*.yaml "$dir"
cd "$dir"

fail() {
  echo "real_networks: $*" >&2
  exit 1
}
# value FILE VARIABLE ARM: the mean of a variable (with its label) in an arm, from `show --csv`
value() {
  "$AIRESIM_PROGRAM" show "$1.h5" --csv --variable "$2" | awk -F, -v arm="$3" '$1 == arm && $4 == "mean" { print $5; exit }'
}

for s in friends grid mail; do
  "$AIRESIM_PROGRAM" run $s.yaml -o $s.h5 --quiet || fail "$s did not run"
done
# The documented sizes: nodes and edges as each network's own description gives them.
for want in "friends 4039 88234" "grid 4941 6594" "mail 1005 24929"; do
  set -- $want
  ncdump -v layer_nodes,layer_edges "$1.h5" | tr -d '\n ' | grep -q "layer_nodes=$2[,;].*layer_edges=$3[,;]" ||
    fail "$1: expected $2 nodes and $3 edges"
done
awk -v a="$(value friends final_size isolation)" -v b="$(value friends final_size nobody)" 'BEGIN { exit !(a < b && a > 0) }' ||
  fail "isolation did not make the outbreak among friends smaller"
awk -v a="$(value grid time_to_recover many)" -v b="$(value grid time_to_recover few)" 'BEGIN { exit !(a < b / 2 && a > 0) }' ||
  fail "three times the crews did not restore the grid in less than half the time"
echo "three real networks: as expected"
