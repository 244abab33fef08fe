#!/usr/bin/env bash
# C suite and mini-VM, shortened, under ThreadSanitizer, C and Rust instrumented
set -euo pipefail

if ! rustc +nightly --version >/dev/null 2>&1; then
    echo "a nightly toolchain is missing"
    exit 77
fi
export VMSHARE_ROUNDS=200 VMSHARE_SCALE=100
# Its shadow memory has fixed places, where a kernel may have put something at random.
fixed_addresses=(setarch --addr-no-randomize)
"${fixed_addresses[@]}" scripts/c-tests.sh thread-header thread header \
    --exclude-regex '^minivm/(stress|stress-moving)/|^suite_(depth|out_of_memory)$'
for placement in side split; do
    "${fixed_addresses[@]}" scripts/c-tests.sh "thread-$placement" thread "$placement" \
        --tests-regex '^minivm/(default|moving)/'
done
