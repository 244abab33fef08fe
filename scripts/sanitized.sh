#!/usr/bin/env bash
# Runs Rust tests of cycles over links, and but for ThreadSanitizer of links themselves, shortened, under a sanitizer:
# sanitized.sh address|thread [ARGUMENT OF THE TESTS...]
#
# As in library.sh the standard library is not instrumented, and an explicit --target keeps build scripts free of
# the sanitizer.
set -euo pipefail

sanitizer=$1
shift
machine=$(rustc --print host-tuple)
export RUSTUP_TOOLCHAIN=nightly
export RUSTFLAGS="-Zsanitizer=$sanitizer -Cunsafe-allow-abi-mismatch=sanitizer --cfg vmshare_links"
tests=(--test cycles)
options=(--skip steps::)
if [ "$sanitizer" = thread ]; then
    RUSTFLAGS+=" --cfg vmshare_instrumented_locks"
    # One test at a time: what tests share is made once by means of the standard library's, which it does not see.
    options+=(--test-threads 1)
else
    # Their host has a table beside all addresses, for which ThreadSanitizer's own memory leaves no room.
    tests+=(--test remote)
fi
export TSAN_OPTIONS=suppressions=$PWD/tests/instrumented/thread_sanitizer.txt
export VMSHARE_ROUNDS=10 VMSHARE_WAKE_UPS=500 VMSHARE_HISTORIES=40 VMSHARE_BUSY=200
export VMSHARE_DEPTH=10000 VMSHARE_OBJECTS=10000

# Without steps::, which runs a process instruction by instruction, of which a sanitizer makes very many more.
cargo test --quiet --manifest-path tests/instrumented/Cargo.toml --target "$machine" \
    --target-dir "target/$sanitizer" "${tests[@]}" -- "${options[@]}" "$@"
