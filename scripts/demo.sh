#!/usr/bin/env bash
# Builds the library and the mini-VM, and runs the programs of c-tests/minivm/demo.
set -euo pipefail

title() {
    printf '\n=== %s\n\n' "$1"
}

title "The library, as it is shipped"
scripts/quietly.sh demo-build scripts/c-build.sh shared
library=target/release/libvmshare.so
strip -o target/libvmshare-stripped.so "$library"
echo "$library: $(nm --dynamic --defined-only "$library" | grep -c ' rs_') functions," \
    "$(($(stat --format=%s target/libvmshare-stripped.so) / 1024)) KiB without debug information"

title "The headers: generated from the source, in C99 to C23 and C++11 to C++23"
scripts/quietly.sh demo-headers cargo test --quiet --test headers
echo "$(find include -name '*.h*' | wc -l) headers are up to date and compile everywhere"

drawings=target/demo
rm -rf $drawings
mkdir -p $drawings
for program in c-tests/minivm/demo/*.lisp; do
    title "A program of the mini-VM: $program"
    sed -n '/^;/!q; s/^; \{0,1\}//p' "$program"
    echo
    name=$drawings/$(basename "$program" .lisp)
    target/c-tests/shared/minivm/minivm "--drawings=$name" "$program" | sed 's/^/    /'
done

title "The same drawings for Graphviz"
if command -v dot >/dev/null; then
    dot -Tsvg -O $drawings/*.dot
    echo "written to $drawings, and rendered:"
else
    echo "written to $drawings; graphviz, which is not installed, renders them: dot -Tsvg -O FILE"
fi
(cd $drawings && ls)

title "A race, 100000 times: main writes, another ractor reads; exactly one of them gets an error"
target/c-tests/shared/minivm/minivm-stress 100000
