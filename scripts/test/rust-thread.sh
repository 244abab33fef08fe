#!/usr/bin/env bash
# Rust tests of cycles over links, shortened, under ThreadSanitizer
set -euo pipefail

if ! rustc +nightly --version >/dev/null 2>&1; then
    echo "a nightly toolchain is missing"
    exit 77
fi
# Its shadow memory has fixed places, where a kernel may have put something at random.
setarch --addr-no-randomize scripts/sanitized.sh thread
