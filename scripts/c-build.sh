#!/usr/bin/env bash
# Builds the C tests, the mini-VM and the examples, in target/c-tests/KIND: c-build.sh KIND
#
# KIND is that of a library (see library.sh), or `memcheck`: the shared one, under valgrind.
set -euo pipefail

kind=$1
folder=target/c-tests/$kind
library=$kind
options=()
case $kind in
static) options=(-DMINIVM_VARIANTS=header) ;;
address) options=(-DSANITIZE=address -DMINIVM_ROUNDS=20000) ;;
thread) options=(-DSANITIZE=thread -DMINIVM_ROUNDS=10000) ;;
memcheck)
    library=shared
    # Memcheck has no room for the 64 GiB of address space that the heap reserves otherwise.
    options=(-DVMSHARE_MEMCHECK=ON -DMINIVM_VARIANTS=header -DMINIVM_HEAP_BYTES=268435456)
    ;;
esac

# One build at a time in a folder.
mkdir -p target/c-tests
exec 9>"$folder.lock"
flock 9

cmake -S c-tests -B "$folder" -G Ninja \
    -DVMSHARE_LIBRARY="$(scripts/library.sh "$library")" -DVMSHARE_INCLUDE="$PWD/include" \
    "${options[@]}"
cmake --build "$folder" --parallel 2
