#!/bin/sh
# From a scenario to results with two threads, interrupted and resumed; the same results by one thread.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
small=$AIRESIM_SOURCE_DIR/tests/program/small.yaml
cd "$work"
"$AIRESIM_PROGRAM" run "$small" --jobs 2 --quiet -o two.h5
"$AIRESIM_PROGRAM" run "$small" --jobs 1 --quiet -o one.h5
"$AIRESIM_PROGRAM" show one.h5 --csv >one.csv
"$AIRESIM_PROGRAM" show two.h5 --csv >two.csv
cmp one.csv two.csv || { echo "one and two threads differ"; exit 1; }

# An interruption leaves status 3 and a journal; the same command goes on and ends with the same numbers.
"$AIRESIM_PROGRAM" run "$small" --jobs 2 --replicates 200000 -o long.h5 2>err &
pid=$!
sleep 3
"$AIRESIM_PROGRAM" status long.h5 >status.txt
grep -q running status.txt || { echo "status does not see the running batch:"; cat status.txt err; exit 1; }
kill -TERM $pid
status=0
wait $pid || status=$?
[ $status -eq 3 ] || { echo "interrupted: exit status $status instead of 3"; cat err; exit 1; }
grep -q 'The same command goes on' err || { echo "no word of how to resume:"; cat err; exit 1; }
[ ! -e long.h5 ] || { echo "an interrupted batch wrote its results file"; exit 1; }
"$AIRESIM_PROGRAM" run "$small" --jobs 2 --quiet -o long.h5
[ -s long.h5 ] || { echo "no results after resuming"; exit 1; }
"$AIRESIM_PROGRAM" show long.h5 --csv >long.csv
cmp one.csv long.csv || { echo "resumed results differ"; exit 1; }

# Beside a mean of fewer than all 40 runs stands how many they are; a count says that it is one.
"$AIRESIM_PROGRAM" run "$small" --quiet -o some.h5 --set 'hazards.outbreak.transmission=0.09/day per contact'
n=$("$AIRESIM_PROGRAM" show some.h5 --csv | sed -n 's/^base,rapidity,,n,\([0-9]*\),1$/\1/p')
[ "$n" -gt 0 ] && [ "$n" -lt 40 ] || { echo "rapidity is of $n runs: this test needs 1 to 39"; exit 1; }
"$AIRESIM_PROGRAM" show some.h5 >some.txt
grep '^rapidity' some.txt | grep -q "(n $n)" || { echo "no n beside the mean of $n runs:"; cat some.txt; exit 1; }
grep '^resilience_loss' some.txt | grep -q '(n ' && { echo "n beside a mean of all runs:"; cat some.txt; exit 1; }
grep -q '^peak_load\[hazard=outbreak\] (number)' some.txt || { echo "a count without a unit:"; cat some.txt; exit 1; }
