#!/usr/bin/env bash
# Builds the C tests of one kind and runs them: c-tests.sh KIND [CTEST OPTION...]
#
# KIND is that of c-build.sh. VMSHARE_ROUNDS, VMSHARE_SCALE and VMSHARE_CONFIGURATIONS in the
# environment make the suite shorter (c-tests/suite/fixture/check.h).
set -euo pipefail

kind=$1
shift
scripts/c-build.sh "$kind"
# One run at a time in a folder.
flock "target/c-tests/$kind-tests.lock" ctest --test-dir "target/c-tests/$kind" --output-on-failure --parallel 2 --no-tests=error "$@"
