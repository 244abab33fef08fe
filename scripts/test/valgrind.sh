#!/usr/bin/env bash
# C suite and mini-VM, shortened, under valgrind's memcheck
set -euo pipefail

if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing"
    exit 77
fi
export VMSHARE_ROUNDS=5 VMSHARE_SCALE=1000
# Memcheck has no room for the 64 GiB of address space that the heap reserves otherwise.
export CMAKE_OPTIONS="-DVMSHARE_MEMCHECK=ON -DMINIVM_HEAP_BYTES=268435456"
# What is left out takes minutes here; AddressSanitizer looks at it too.
scripts/c-tests.sh memcheck shared header \
    --tests-regex '^(suite_.*|ffi-examples/.*|minivm/(default|moving)/.*)$' \
    --exclude-regex '/race$|^suite_(depth|out_of_memory|reentrancy)$'
