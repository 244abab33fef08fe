#!/usr/bin/env bash
# Measures with the library as it is shipped, and prints one table: bench.sh [--quick] [--only PREFIX]
#
#   --quick         a minute, which only shows that everything works; without it, about a quarter of an hour
#   --only PREFIX   the rows whose id begins so
set -euo pipefail

build=target/c-tests/bench
library=$(scripts/library.sh shared)
scripts/quietly.sh bench-configure cmake -S c-tests/bench -B $build -G Ninja \
    -DVMSHARE_LIBRARY="$library" -DVMSHARE_INCLUDE="$PWD/include"
scripts/quietly.sh bench-build cmake --build $build --parallel 2
exec cargo run --quiet --release --manifest-path benches/Cargo.toml -- --programs $build "$@"
