#!/bin/sh
# The man page is well formed and speaks of every subcommand and option.
set -eu
page=$AIRESIM_SOURCE_DIR/docs/airesim.1
if command -v mandoc >/dev/null; then
  mandoc -T lint -W warning "$page"
fi
if command -v groff >/dev/null; then
  warnings=$(LC_ALL=C groff -man -ww -z "$page" 2>&1)
  [ -z "$warnings" ] || { echo "$warnings"; exit 1; }
fi
for command in run check show compare report replay models schema status merge slurm 'bench propagation' 'bench queue' \
  'bench servers' 'bench random'; do
  grep -q "^\.SS $command" "$page" || { echo "airesim.1 lacks the subcommand $command"; exit 1; }
  for option in $("$AIRESIM_PROGRAM" $command --help | sed -n 's/^ .* --\([a-z]*\).*/\1/p' | sort -u); do
    grep -q -- "\\\\-\\\\-$option" "$page" || { echo "airesim.1 lacks --$option of $command"; exit 1; }
  done
done
