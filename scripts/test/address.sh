#!/usr/bin/env bash
# C suite and mini-VM, shortened, under AddressSanitizer, C and Rust instrumented
set -euo pipefail

if ! rustc +nightly --version >/dev/null 2>&1; then
    echo "a nightly toolchain is missing"
    exit 77
fi
export VMSHARE_ROUNDS=200 VMSHARE_SCALE=20
scripts/c-tests.sh address-header address header
for placement in side split; do
    scripts/c-tests.sh "address-$placement" address "$placement" \
        --tests-regex '^minivm/(default|moving|stress)/'
done
