#!/usr/bin/env bash
# Builds CRuby and prints the folder where it was installed: build.sh stock|ours|debug
#
#   stock   as its source is
#   ours    with the hooks, on libvmshare
#   debug   with the hooks and CRuby's own assertions
#
# The build folder is beside it. A build takes about five minutes on two cores; if it is there, only what
# has changed of the hooks, the edits or the library is built again.
set -euo pipefail

here=ffi-examples/cruby
kind=$1
root=$PWD/target/cruby/$kind
source=$($here/source.sh)
mkdir -p "$root"

configure() { # source, arguments of configure...
    local tree=$1
    shift
    [ -f "$root/build/Makefile" ] && return
    mkdir -p "$root/build"
    (cd "$root/build" && "$tree/configure" --prefix="$root/install" --disable-install-doc "$@")
}

make_all() {
    make -C "$root/build" -j "$(nproc)"
    make -C "$root/build" install-nodoc
}

with_library() { # more arguments of configure
    configure "$root/source" CPPFLAGS="-I$root/vmshare/include" LIBS=-lvmshare \
        LDFLAGS="-L$root/vmshare/lib -Wl,-rpath,$root/vmshare/lib" "$@"
}

all() {
    case $kind in
    stock)
        [ -x "$root/install/bin/ruby" ] && return
        configure "$source"
        ;;
    ours)
        python3 $here/edits.py "$source" "$root/source"
        scripts/install.sh "$root/vmshare"
        with_library
        ;;
    debug)
        python3 $here/edits.py "$source" "$root/source"
        scripts/install.sh "$root/vmshare"
        with_library cppflags="-DRUBY_DEBUG=1 -DRGENGC_CHECK_MODE=1"
        ;;
    *)
        echo "usage: build.sh stock|ours|debug"
        return 2
        ;;
    esac
    make_all
}

if [ "${2:-}" = inside ]; then
    all
else
    scripts/quietly.sh "cruby-$kind" "$0" "$kind" inside
    echo "$root/install"
fi
