#!/usr/bin/env bash
# Rust tests of links and cycles, shortened, under AddressSanitizer
set -euo pipefail

if ! rustc +nightly --version >/dev/null 2>&1; then
    echo "a nightly toolchain is missing"
    exit 77
fi
scripts/sanitized.sh address
