#!/bin/sh
# Builds airesim and runs its two main scenarios; `./quickstart.sh test` builds and runs every test instead.
# On Debian it installs the packages that are missing; elsewhere it names what is needed and goes on if that is there.
set -eu
cd "$(dirname "$0")"

packages="gcc libc6-dev cmake ninja-build pkg-config libgsl-dev libigraph-dev libhdf5-dev librandom123-dev libfyaml-dev
 libsqlite3-dev libsleef-dev zlib1g-dev python3 python3-h5netcdf python3-h5py python3-jinja2 python3-matplotlib
 python3-numpy python3-pandas python3-scipy python3-statsmodels python3-xarray"
test_packages="libcriterion-dev clang libclang-rt-14-dev clang-format-14 jupyter-nbconvert libopenmpi-dev llvm mandoc munge
 netcdf-bin openmpi-bin python3-ipykernel python3-jsonschema python3-netcdf4 python3-yaml slurm-wlm"
modules="gsl igraph hdf5-serial libfyaml sqlite3 sleef zlib" # as pkg-config names them
scenarios="power_restoration_sandy headline" # the main one last: its answer ends the output
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

step() { printf '\n==> %s\n' "$*"; }
echo_run() {
  printf '+ %s\n' "$*"
  "$@"
}
fail() {
  printf 'quickstart: %s\n' "$*" >&2
  exit 1
}

install_debian() {
  missing=""
  for p in $1; do
    [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null | cut -c1-2)" = ii ] || missing="$missing $p"
  done
  if [ -z "$missing" ]; then
    echo "all packages are installed"
    return
  fi
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "please install as root: apt-get install$missing"
    as_root=sudo
  fi
  echo "installing:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # the list is meant to be split
  {
    echo_run $as_root apt-get update -qq || echo "quickstart: apt-get update failed; trying with the lists at hand" >&2
    echo_run $as_root apt-get install -y -qq --no-install-recommends $missing >apt.log 2>&1 || {
      tail -n 20 apt.log >&2
      fail "apt-get could not install:$missing"
    }
    rm -f apt.log
  }
}

# Elsewhere: say what is not there; the build tells the rest.
name_needs() {
  echo "This is not Debian. airesim needs a C17 compiler, CMake 3.25, pkg-config, GSL, igraph 0.10, HDF5 (with its"
  echo "high-level library), Random123, libfyaml, SQLite 3, SLEEF; for figures Python 3 with h5netcdf, matplotlib,"
  echo "numpy and xarray; for tests Criterion."
  for c in cmake pkg-config cc; do
    command -v $c >/dev/null || fail "$c is not installed"
  done
  for m in $modules; do
    pkg-config --exists "$m" || fail "pkg-config does not find $m"
  done
}

set_up() {
  step "Packages"
  if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    install_debian "$1"
  else
    name_needs
  fi
}

# build PRESET [cmake arguments]
build() {
  preset=$1
  shift
  step "Build ($preset)"
  if command -v ninja >/dev/null; then set -- -G Ninja "$@"; fi
  dir=build
  [ "$preset" = release ] || dir=build-$preset
  if [ -f $dir/CMakeCache.txt ] && ! grep -q "^CMAKE_HOME_DIRECTORY:INTERNAL=$(pwd -P)\$" $dir/CMakeCache.txt; then
    rm -rf "$dir" # of a copy that was moved
  fi
  echo "+ cmake --preset $preset $*"
  cmake --preset "$preset" "$@" >$dir.configure.log 2>&1 || {
    cat $dir.configure.log >&2
    fail "cmake could not configure $preset"
  }
  rm -f $dir.configure.log
  echo_run cmake --build --preset "$preset" -j "$jobs"
}

python() { sed -n 's/^AIRESIM_PYTHON:FILEPATH=//p' build/CMakeCache.txt; }

run_scenario() {
  step "Scenario $1"
  again=""
  if [ -e "results/$1.h5" ]; then again=--overwrite; fi # a finished file is made anew; an interrupted batch goes on
  echo_run build/airesim run "scenarios/$1.yaml" -o "results/$1.h5" $again
  echo_run build/airesim show "results/$1.h5"
  if [ -n "$(python)" ]; then
    set -- "$1" "results/$1.h5" -o "results/$1.png"
    if [ -e "scenarios/$1.observed.csv" ]; then set -- "$@" --observed "scenarios/$1.observed.csv"; fi
    shift
    echo_run env PYTHONPATH=analysis "$(python)" -m airesim figures "$@"
    echo_run env PYTHONPATH=analysis "$(python)" -m airesim report "$1" -o "${1%.h5}.html"
  else
    echo "no Python with matplotlib and xarray: results/$1.png and .html are left out"
  fi
}

check_format() {
  step "Format"
  tool=$(command -v clang-format-14 || command -v clang-format || true)
  [ -n "$tool" ] || fail "clang-format 14 is not installed"
  find sim models tests docs -name '*.[ch]' -print | sort | xargs "$tool" --dry-run -Werror ||
    fail "formatting differs: run clang-format 14 on the files above"
  echo "all files are formatted"
}

# Criterion lets a test pass whose process leaked, so the sanitizers write logs, and any log is a failure.
run_tests() {
  step "Tests ($1)"
  dir=build
  [ "$1" = release ] || dir=build-$1
  rm -rf $dir/sanitizer
  mkdir -p $dir/sanitizer
  status=0
  echo_run ctest --preset "$1" -j "$jobs" || status=$?
  if [ -n "$(ls $dir/sanitizer)" ]; then
    head -n 60 $dir/sanitizer/*
    fail "the sanitizers of $1 reported (see $dir/sanitizer)"
  fi
  [ $status -eq 0 ] || fail "tests of $1 failed"
}

case ${1:-} in
"")
  set_up "$packages"
  build release -DBUILD_TESTING=OFF
  mkdir -p results
  for s in $scenarios; do run_scenario "$s"; done
  step "Done: tables above, files in results/"
  ;;
test)
  set_up "$packages $test_packages"
  check_format
  # The results of these builds are compared bit for bit with the release's: gcc with clang, optimised with not.
  others="$(pwd -P)/build-asan/airesim;$(pwd -P)/build-debug/airesim"
  build debug -DAIRESIM_WERROR=ON
  for preset in asan tsan; do build $preset -DBUILD_TESTING=ON -DAIRESIM_WERROR=ON; done
  build release -DBUILD_TESTING=ON -DAIRESIM_WERROR=ON "-DAIRESIM_OTHER_PROGRAMS=$others"
  for preset in tsan asan release; do run_tests $preset; done
  ;;
*)
  echo "usage: ./quickstart.sh [test]" >&2
  exit 2
  ;;
esac
