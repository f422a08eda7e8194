#!/bin/sh
# Benchmarks say something well formed. How fast is no test.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
  echo "bench: $*" >&2
  exit 1
}
# lines N WANTED ARGUMENTS...: N lines of JSON, each with the keys WANTED and no value missing
lines() {
  n=$1 wanted=$2
  shift 2
  "$AIRESIM_PROGRAM" bench "$@" --json >out || fail "$* failed"
  [ "$(wc -l <out)" = "$n" ] || fail "$*: $(wc -l <out) lines, expected $n"
  python3 - "$wanted" <<'EOF' || fail "$*: $(cat out)"
import json
import sys

for line in open("out"):
    row = json.loads(line)
    assert None not in row.values(), "a missing value"
    for key in sys.argv[1].split():
        assert row[key] > 0, key
EOF
}
all="ns_per_event wall_s events"
# A transmission so high that nearly everyone is infected and recovers, in both simulators.
lines 1 "$all final_size_mean resident_mb peer_ratio" propagation --nodes 300 --replicates 3 --transmission 2 --peer igraph
lines 1 "$all final_size_mean resident_mb" propagation --nodes 300 --generator ba --law gamma --replicates 2
lines 1 "$all final_size_mean resident_mb" propagation --nodes 300 --response --replicates 2
lines 1 "$all us_per_run" propagation --nodes 300 --transmission 0 --seeds 1 --replicates 2
printf '0 1\n1 2\n2 0\n' >'three "nodes".edges'
lines 1 "$all" propagation --network './three "nodes".edges' --seeds 1 --replicates 2
lines 1 "$all resident_mb" queue --operations 1000 --pending 1000
lines 1 "$all" queue --operations 1000 --pending 50 --reschedules 0.5 --ties
lines 1 "$all mean_wait_h" servers --customers 1000 --replicates 2
lines 44 "$all mean" random --draws 1e3
# Three threads make the same replicates as one; counts may be in scientific notation.
lines 1 "$all threads_ratio million_events_per_s" propagation --nodes 3e2 --transmission 2 --replicates 50 --threads 3
# What is wrong is said of the option, not of the scenario that is written from it.
refused() {
  option=$1
  shift
  "$AIRESIM_PROGRAM" bench "$@" >out 2>err && fail "$* is accepted"
  [ ! -s out ] || fail "$*: something on stdout"
  grep -q -- "error: $option: " err || fail "$*: $option is not named: $(cat err)"
  if grep -q '<bench>' err; then fail "$*: $(cat err)"; fi
}
refused --nodes propagation --nodes 0
refused --nodes propagation --nodes 3e9
refused --mean-degree propagation --nodes 5
refused --mean-degree propagation --generator ba --mean-degree 0.5
refused --network propagation --network none.edges
printf '0 1\n1 x\n' >broken.edges
refused --network propagation --network ./broken.edges
grep -q 'broken.edges:2: ' err || fail "the wrong line of a network's file is not named: $(cat err)"
refused --days propagation --days 0
refused '--customers, --load' servers --customers 1e15
"$AIRESIM_PROGRAM" bench servers --customers 1000 --replicates 1 | grep -q '^servers' || fail "no table"
"$AIRESIM_PROGRAM" bench propagation --nodes 300 --replicates 1 | grep -q '^ns_per_event' || fail "no table"
