#!/usr/bin/env bash
# C suite and mini-VM, shortened, under valgrind's memcheck
set -euo pipefail

if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing"
    exit 77
fi
export VMSHARE_ROUNDS=5 VMSHARE_SCALE=1000 VMSHARE_CONFIGURATIONS=3
# What is left out takes minutes here; AddressSanitizer looks at it too.
scripts/c-tests.sh memcheck \
    --tests-regex '^(suite_.*|ffi-examples/.*|minivm/moving/.*)$' \
    --exclude-regex '/race$|^suite_(depth|out_of_memory|reentrancy)$'
