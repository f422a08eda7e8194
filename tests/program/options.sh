#!/bin/sh
# Exit statuses, streams and messages of the command line.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
small=$AIRESIM_SOURCE_DIR/tests/program/small.yaml
failures=0

# expect STATUS PATTERN ARGUMENTS...: the exit status; PATTERN occurs in stderr (or, after `out:`, in stdout).
expect() {
  status=$1 pattern=$2
  shift 2
  "$AIRESIM_PROGRAM" "$@" >out 2>err </dev/null
  got=$?
  where=err
  case $pattern in out:*) where=out pattern=${pattern#out:} ;; esac
  if [ $got -ne "$status" ] || ! grep -q -- "$pattern" $where; then
    echo "airesim $*: status $got (expected $status); no '$pattern' in $where:"
    cat err
    failures=$((failures + 1))
  fi
}

expect 2 'Usage: airesim COMMAND'
expect 0 'out:Commands:' --help
expect 0 'out:scenario language' --version
for command in run check show compare report replay models schema status merge slurm bench; do
  expect 0 'out:Examples:' $command --help
  expect 0 'out:Usage: airesim '$command help $command
done
for part in propagation queue servers random; do
  expect 0 'out:Examples:' bench $part --help
  expect 0 "out:^  $part " bench --help
done
expect 2 'did you mean `queue`' bench queu
expect 2 'expected PART' bench
expect 2 'expects a number' bench servers --load high
expect 2 'did you mean --nodes' bench propagation --node 5
for count in 1e6.5 2.5e0 1e99 0x10 -3 inf 1e 1e-3 9223372036854775808 ''; do
  expect 2 'nodes expects a whole number' bench propagation --nodes="$count"
done
expect 2 'threads: 1 to' bench propagation --threads 0
expect 2 'one thread only' bench propagation --threads 2 --peer igraph
expect 2 'er or ba' bench propagation --generator tree
expect 2 'exponential or gamma' bench propagation --law weibull
expect 2 'knows neither' bench propagation --law gamma --peer igraph
expect 2 'none.edges' bench propagation --network none.edges
expect 2 'did you mean `check`' chek
expect 2 'no command' frobnicate
expect 2 'expected SCENARIO' run
expect 2 'unexpected argument' run a b
expect 2 'did you mean --overwrite' run "$small" --overwrit
expect 2 'unknown option' run "$small" -z
expect 2 'expects FILE' run "$small" -o
expect 2 'takes no value' run "$small" --quiet=yes
expect 2 'whole number' run "$small" --replicates=many
expect 2 'whole number' run "$small" --jobs -1
expect 2 'path=value' run "$small" --set horizon
expect 2 'exclude one another' check "$small" --expand --paths
expect 2 'did you mean `base`' replay "$small" --arm bas
expect 2 'choose one with --arm' replay "$small"
expect 2 'no model' models no_such_model
expect 2 'neither' status none.h5
expect 2 '' show none.h5
expect 2 'none.yaml' run none.yaml

# All errors at once, with place, line and caret; nothing is written.
sed -e 's/^horizon: .*/horizon: 60/' -e 's/replicates: 40/replicatez: 40/' "$small" >bad.yaml
expect 2 'bad.yaml:[0-9]*:[0-9]*: error: ' run bad.yaml
[ "$(grep -c ': error: ' err)" -ge 2 ] || { echo "not all errors were reported:"; cat err; failures=$((failures + 1)); }
grep -q '^ *^$' err || { echo "no caret:"; cat err; failures=$((failures + 1)); }
[ ! -e results ] || { echo "a bad scenario wrote results"; failures=$((failures + 1)); }
expect 2 'error' run "$small" -o no/such/directory/x.h5

expect 0 'out:runs: 2 arms x 1 point x 40 replicates = 80' check "$small"
expect 0 'out:illustrative' check "$small"
expect 0 'out:horizon' check "$small" --expand
expect 0 'out:hazards.outbreak.latent' check --paths '*latent*' "$small"
expect 2 'no path matches' check "$small" --paths=no.such.path
expect 0 'out:horizon' check "$small" --diff "$small" --set horizon='70 days'
expect 0 'out:->' replay "$small" --arm base --replicate 3
expect 0 'out:"$schema"' schema
expect 0 'out:contagion' models
[ ! -e results ] || { echo "a command other than run wrote results"; failures=$((failures + 1)); }
"$AIRESIM_PROGRAM" run "$small" --quiet >out 2>err || { echo "run --quiet failed"; failures=$((failures + 1)); }
[ ! -s err ] && [ ! -s out ] || { echo "--quiet is not silent:"; cat err out; failures=$((failures + 1)); }
[ -s results/small.h5 ] || { echo "no results/small.h5"; failures=$((failures + 1)); }
expect 0 'out:complete' status results/small.h5
"$AIRESIM_PROGRAM" run "$small" --quiet --replicates 2e0 --seed 3e0 -o two.h5 || failures=$((failures + 1))
expect 0 'out:^base.2' status two.h5
expect 0 'out:fewer_contacts' show results/small.h5
expect 0 'out:^arm,variable,element,statistic,value,unit' show results/small.h5 --csv
expect 2 'did you mean `final_size`' show results/small.h5 --variable final_siz
expect 0 'out:missing' show results/small.h5 --variable final_size
expect 2 'expected A B' compare results/small.h5
"$AIRESIM_PROGRAM" run "$small" --quiet --set society.people=150 -o fewer.h5 2>err || { cat err; failures=$((failures + 1)); }
expect 0 'out:society.people' compare results/small.h5 fewer.h5
expect 0 'out:The scenarios assume the same' compare fewer.h5 fewer.h5
expect 0 'out:^arm,variable,element,statistic,value,unit' compare results/small.h5 fewer.h5 --csv
expect 0 'out:final_size' compare results/small.h5 fewer.h5 --arm base --variable final_size
expect 2 'did you mean `final_size`' compare results/small.h5 fewer.h5 --variable final_siz
expect 2 'no number that both files have' compare results/small.h5 fewer.h5 --variable status
expect 2 'no arm `none`' compare results/small.h5 fewer.h5 --arm none
expect 2 'none.h5' compare results/small.h5 none.h5
"$AIRESIM_PROGRAM" run "$small" --quiet --seed 8 -o other.h5 2>err || { cat err; failures=$((failures + 1)); }
expect 2 'the seed differs (7 and 8)' compare results/small.h5 other.h5

expect 2 'none.h5' report none.h5
expect 2 'is not an HDF5 file' report "$small"
AIRESIM_PYTHON=/none/python
export AIRESIM_PYTHON
expect 1 'could not be started' report results/small.h5
cat >python <<'END'
#!/bin/sh
echo "$@" >said
echo started >&2
END
chmod +x python
AIRESIM_PYTHON=$PWD/python
expect 0 started report results/small.h5
grep -q -- '-o results/small.html -- results/small.h5' said || { echo "report starts Python with:"; cat said; failures=$((failures + 1)); }
unset AIRESIM_PYTHON

"$AIRESIM_PROGRAM" schema >/dev/full 2>err
[ $? -eq 1 ] || { echo "a full disk went unnoticed"; failures=$((failures + 1)); }
exit $((failures > 0))
