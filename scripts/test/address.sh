#!/usr/bin/env bash
# C suite and mini-VM, shortened, under AddressSanitizer, C and Rust instrumented
set -euo pipefail

if ! rustc +nightly --version >/dev/null 2>&1; then
    echo "a nightly toolchain is missing"
    exit 77
fi
export VMSHARE_ROUNDS=200 VMSHARE_SCALE=20 VMSHARE_CONFIGURATIONS=5
# After a fork, older versions of this sanitizer wait for threads that are not in the child: memcheck
# has those tests. The mini-VM's own code differs between placements only where flags are read, and where
# remote objects are concerned not at all.
scripts/c-tests.sh address \
    --exclude-regex '^suite_fork$|^minivm-(side|split)/(stress-moving|on-assign|stopped|provenance)/|^minivm-[a-z]*/[a-z-]*/(remote|copies)'
