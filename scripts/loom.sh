#!/usr/bin/env bash
# Checks the models of the sharing protocol and of rings between processes, and that they can fail.
#
# Each model runs in two ways: as it is, and with each load as a read-modify-write, since loom's
# reduction can hide another thread's access behind a thread's own load. Then each mutation of
# the code in tests/loom/mutations is applied to a copy of the sources, and one of the models that
# it names must fail in one of the two ways.
#
# Usage: scripts/loom.sh [models | mutations [NAME...]]     both without an argument
set -euo pipefail
cd "$(dirname "$0")/.."

target=$PWD/target/loom

# Tests of the instrumented package of a tree: what it depends on is built once for all trees.
run_tests() { # root of a tree, then arguments of cargo test
    RUSTFLAGS="--cfg loom --cfg vmshare_links" RUST_BACKTRACE=0 cargo test --quiet --release --test loom \
        --manifest-path "$1/tests/instrumented/Cargo.toml" --target-dir "$target" "${@:2}"
}

check_models() {
    echo "models"
    run_tests .
    echo "models, each load as a read-modify-write"
    VMSHARE_LOADS_AS_RMW=1 run_tests .
}

# Whether one of the models that a mutation names fails, in one of the two ways.
is_caught() { # name, root of the mutated tree
    local models
    read -r -a models < <(sed -n 's/^Caught by: //p' "tests/loom/mutations/$1.patch")
    # Compiling must work: a mutation that does not build proves nothing.
    run_tests "$2" --no-run || return 2
    ! run_tests "$2" -- "${models[@]}" &>/dev/null ||
        ! VMSHARE_LOADS_AS_RMW=1 run_tests "$2" -- "${models[@]}" &>/dev/null
}

# Says which mutations are caught, one after the other in one tree: so little is compiled for each.
check_some() { # root of the tree, names
    local tree=$1 name
    shift
    rm -rf "$tree"
    mkdir -p "$tree"
    cp -r tests "$tree/"
    # A name of its own: packages of one name, in whatever trees, overwrite what was built of the others.
    sed -i "s/vmshare-instrumented/vmshare-$(basename "$tree")/" "$tree"/tests/instrumented/Cargo.*
    for name in "$@"; do
        rm -rf "$tree/src"
        cp -r src "$tree/"
        patch --quiet -d "$tree" -p1 <"tests/loom/mutations/$name.patch"
        if is_caught "$name" "$tree"; then
            echo "caught: $name"
        else
            echo "SURVIVED: $name"
        fi
    done
}

# Two trees at once: while one is compiled, the other one's models run.
check_mutations() { # names; all if there are none
    local results=$target/mutations.log number caught names=([0]= [1]=)
    [ $# -gt 0 ] || set -- $(basename --suffix .patch tests/loom/mutations/*)
    for ((number = 1; number <= $#; number++)); do
        names[number % 2]+=" ${!number}"
    done
    mkdir -p "$target"
    for number in 0 1; do
        check_some "$target/mutant-$number" ${names[number]} &
    done | tee "$results"
    caught=$(grep -c '^caught: ' "$results" || true)
    echo "mutations: $caught caught, $(($# - caught)) survived"
    [ "$caught" -eq $# ]
}

case "${1:-all}" in
models) check_models ;;
mutations) check_mutations "${@:2}" ;;
all) check_models && check_mutations ;;
*)
    echo "usage: $0 [models | mutations [NAME...]]" >&2
    exit 2
    ;;
esac
