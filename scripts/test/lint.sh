#!/usr/bin/env bash
# rustfmt, clippy and clang-format find nothing
set -euo pipefail

if ! command -v clang-format >/dev/null; then
    echo "clang-format is missing"
    exit 77
fi

cargo fmt --check
cargo clippy --quiet --all-targets -- --deny warnings
cargo fmt --check --manifest-path benches/Cargo.toml
cargo fmt --check --manifest-path benches/iceoryx2/Cargo.toml
cargo clippy --quiet --manifest-path benches/Cargo.toml --target-dir target/benches -- --deny warnings
cargo fmt --check --manifest-path tests/instrumented/Cargo.toml
cargo fmt --check --manifest-path fuzz/Cargo.toml
# Nothing is linked here, so no fuzzer need be built.
CUSTOM_LIBFUZZER_PATH=$PWD/target/unused.a cargo clippy --quiet --manifest-path fuzz/Cargo.toml \
    --target-dir target -- --deny warnings

# Headers that are generated look as their generator leaves them.
generated=$(grep -rlE '^ \* Generated from .* by cbindgen' include)
find include c-tests ffi-examples tests fuzz/src \( -name '*.[ch]' -o -name '*.cpp' -o -name '*.hpp' \) |
    grep -vFx "$generated" |
    xargs clang-format --dry-run -Werror
