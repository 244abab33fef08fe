#!/usr/bin/env bash
# Builds the C tests and runs them: c-tests.sh NAME KIND PLACEMENT [CTEST OPTION...]
#
# The first three are those of c-build.sh. VMSHARE_ROUNDS and VMSHARE_SCALE in the environment make
# the suite shorter: rounds of each race, and the divisor of sizes.
set -euo pipefail

name=$1
scripts/c-build.sh "$1" "$2" "$3"
shift 3
ctest --test-dir "target/c-tests/$name" --output-on-failure --parallel 2 --no-tests=error "$@"
