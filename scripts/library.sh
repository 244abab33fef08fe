#!/usr/bin/env bash
# Builds the library and prints the path of what was built: library.sh KIND
#
#   shared    the shared library, as shipped
#   static    the static library
#   address   the static library, instrumented by AddressSanitizer
#   thread    the static library, instrumented by ThreadSanitizer
#
# One crate type at a time: a crate that is built as several at once gets no link-time optimisation. What is
# instrumented has none, and compiles on all processors.
set -euo pipefail

build() { # crate type, options of cargo
    cargo rustc --quiet --release --lib --crate-type "$@" >&2
}

# The standard library is not instrumented (that needs its source): it counts as another ABI. An
# explicit --target keeps build scripts and procedural macros free of the sanitizer.
instrumented() { # sanitizer, more flags of rustc
    local machine
    machine=$(rustc --print host-tuple)
    export RUSTFLAGS="-Zsanitizer=$1 -Cunsafe-allow-abi-mismatch=sanitizer $2"
    export RUSTUP_TOOLCHAIN=nightly
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
    build staticlib --target "$machine" --target-dir "target/$1"
    echo "$PWD/target/$1/$machine/release/libvmshare.a"
}

case "${1:-}" in
shared)
    build cdylib
    # Programs look for the library under its SONAME.
    ln -sf libvmshare.so target/release/libvmshare.so.0
    echo "$PWD/target/release/libvmshare.so"
    ;;
static)
    build staticlib
    echo "$PWD/target/release/libvmshare.a"
    ;;
address) instrumented address "" ;;
# ThreadSanitizer must see what locks order: they are not those of the standard library then.
thread) instrumented thread "--cfg vmshare_instrumented_locks" ;;
*)
    echo "usage: scripts/library.sh shared|static|address|thread" >&2
    exit 2
    ;;
esac
