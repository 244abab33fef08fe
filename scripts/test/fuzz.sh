#!/usr/bin/env bash
# fuzzing of images, links and calls under AddressSanitizer, a minute from what was found before
set -euo pipefail

if ! rustc +nightly --version >/dev/null 2>&1; then
    echo "a nightly toolchain is missing"
    exit 77
fi
scripts/fuzz.sh run 60
