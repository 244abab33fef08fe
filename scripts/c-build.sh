#!/usr/bin/env bash
# Builds the C tests, the mini-VM and the examples: c-build.sh NAME KIND PLACEMENT
#
# They are built in target/c-tests/NAME, with the library of that KIND (see library.sh) and the
# mini-VM's flags at that PLACEMENT: header, side or split. CMAKE_OPTIONS in the environment are
# given to cmake.
set -euo pipefail

name=$1
kind=$2
placement=$3

case $kind in
address | thread) sanitize=$kind ;;
*) sanitize=none ;;
esac
library=$(scripts/library.sh "$kind")
folder=target/c-tests/$name

# shellcheck disable=SC2086 # options are words
cmake -S c-tests -B "$folder" -G Ninja \
    -DVMSHARE_LIBRARY="$library" -DVMSHARE_INCLUDE="$PWD/include" \
    -DMINIVM_FLAGS="$placement" -DSANITIZE=$sanitize ${CMAKE_OPTIONS:-}
cmake --build "$folder" --parallel 2
