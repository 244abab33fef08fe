#!/usr/bin/env bash
# Builds the benchmark programs with the library as it is shipped, and prints the measured table.
set -euo pipefail

build=target/c-tests/bench
library=$(scripts/library.sh shared)
scripts/quietly.sh bench-build cmake -S c-tests/bench -B $build -G Ninja \
    -DVMSHARE_LIBRARY="$library" -DVMSHARE_INCLUDE="$PWD/include"
scripts/quietly.sh bench-build cmake --build $build --parallel 2
exec cargo run --quiet --release --manifest-path benches/Cargo.toml -- --programs "$build" "$@"
