#!/usr/bin/env bash
# the library compiles for other machines, and without links where those can't be
set -euo pipefail

# aarch64 has links; 32 bits and another system have none.
targets=(aarch64-unknown-linux-gnu i686-unknown-linux-gnu x86_64-unknown-freebsd)

if ! command -v rustup >/dev/null; then
    echo "rustup, which fetches Rust's library for other machines, is missing"
    exit 77
fi
missing=()
for target in "${targets[@]}"; do
    rustup target list --installed | grep -qx "$target" ||
        rustup target add "$target" 2>/dev/null || missing+=("$target")
done
if [ ${#missing[@]} -ne 0 ]; then
    echo "Rust's library for ${missing[*]} could not be fetched"
    exit 77
fi
for target in "${targets[@]}"; do
    cargo check --quiet --lib --target "$target"
done
