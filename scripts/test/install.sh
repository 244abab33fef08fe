#!/usr/bin/env bash
# the program of README.md, built with an installed library as README.md says
set -euo pipefail

prefix=$PWD/target/installed
rm -rf "$prefix"
scripts/install.sh "$prefix"

block() { # language: the first block of the README in it
    sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" README.md | sed '/^```$/q' | sed '/^```/d'
}
block c >"$prefix/toy.c"
cc -I"$prefix/include" "$prefix/toy.c" -o "$prefix/toy" \
    -L"$prefix/lib" -Wl,-rpath,"$prefix/lib" -lvmshare -pthread
diff <(block text) <("$prefix/toy")
