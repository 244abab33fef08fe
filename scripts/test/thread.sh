#!/usr/bin/env bash
# C suite and mini-VM, shortened, under ThreadSanitizer, C and Rust instrumented
set -euo pipefail

if ! rustc +nightly --version >/dev/null 2>&1; then
    echo "a nightly toolchain is missing"
    exit 77
fi
# What a policy or a stopped walk changes is not in scripts about links and copies.
export VMSHARE_ROUNDS=200 VMSHARE_SCALE=100 VMSHARE_CONFIGURATIONS=5
# Its shadow memory has fixed places, where a kernel may have put something at random.
setarch --addr-no-randomize scripts/c-tests.sh thread --exclude-regex \
    '/(stress|stress-moving)/|^minivm-(side|split)/(on-assign|stopped|provenance)/|^minivm/(on-assign|stopped)/(remote|copies)|^minivm-[a-z]*/[a-z-]*/(remote|copies)|^suite_(depth|out_of_memory)$'
