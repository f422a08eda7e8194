#!/bin/sh
# add_model.sh PROGRAM: the example model of CONTRIBUTING, in a program of its own, agrees with its theory: of 1,000
# people at rate a = 0.05/day, ill for 1/b = 4 days, the expected number ill after 10 days is
# 1000 a / (a + b) (1 - exp(-10 (a + b))) = 158.37. The mean of 100 replicates lies within 4 standard errors.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" models | grep -q heatwave
"$1" run "$AIRESIM_SOURCE_DIR/docs/examples/heatwave.yaml" --quiet -o "$work/heat.h5"
"$1" show "$work/heat.h5" --variable ill_at_end --csv | awk -F, '
  $4 == "mean" { mean = $5 }
  $4 == "se" { se = $5 }
  END {
    a = 0.05; b = 0.25
    theory = 1000 * a / (a + b) * (1 - exp(-10 * (a + b)))
    printf "mean %.3f, se %.3f, theory %.3f\n", mean, se, theory
    exit !(se > 0 && se < 3 && mean > theory - 4 * se && mean < theory + 4 * se)
  }'
