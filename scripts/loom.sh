#!/usr/bin/env bash
# Checks the models of the sharing protocol and of rings between processes, and that they can fail.
#
# Each model runs in two builds: as it is, and with each load as a read-modify-write, since loom's
# reduction can hide another thread's access behind a thread's own load. Then each mutation of
# the code in tests/loom/mutations is applied to a copy of the sources, and one of the models that
# it names must fail in one of the two builds.
#
# Usage: scripts/loom.sh [models | mutations [NAME...]]     both without an argument
set -euo pipefail
cd "$(dirname "$0")/.."

models() { # target folder, then extra arguments for the tests
    local target=$1
    shift
    RUST_BACKTRACE=0 cargo test --quiet --profile models --test loom --target-dir "$target" -- "$@"
}

builds=("--cfg loom" "--cfg loom --cfg vmshare_loads_as_rmw")

check_models() {
    for number in 0 1; do
        echo "models, built with ${builds[$number]}"
        RUSTFLAGS="${builds[$number]}" models "target/loom-$number"
    done
}

# Whether one of the named models fails in the mutated copy, in one of the builds.
is_caught() { # copy, models
    local copy=$1 target
    target=$PWD/target
    shift
    for number in 0 1; do
        # Compiling must work: a mutation that does not build proves nothing.
        (cd "$copy" && RUSTFLAGS="${builds[$number]}" cargo test --quiet --profile models \
            --test loom --target-dir "$target/loom-mutant-$number" --no-run) || return 2
        if ! (cd "$copy" && RUSTFLAGS="${builds[$number]}" \
            models "$target/loom-mutant-$number" "$@" >"$target/loom-mutant.log" 2>&1); then
            return 0
        fi
    done
    return 1
}

check_mutations() { # names; all if there are none
    local copy=target/loom-mutant-sources survivors=0 caught=0 name models
    [ $# -gt 0 ] || set -- $(basename --suffix .patch tests/loom/mutations/*)
    for name in "$@"; do
        local patch=tests/loom/mutations/$name.patch
        read -r -a models < <(sed -n 's/^Caught by: //p' "$patch")
        rm -rf "$copy"
        mkdir -p "$copy"
        cp -r Cargo.toml Cargo.lock build.rs cbindgen.toml src tests "$copy/"
        patch --quiet -d "$copy" -p1 <"$patch"
        if is_caught "$copy" "${models[@]}"; then
            echo "caught: $name"
            caught=$((caught + 1))
        else
            echo "SURVIVED: $name"
            survivors=$((survivors + 1))
        fi
    done
    echo "mutations: $caught caught, $survivors survived"
    [ "$survivors" -eq 0 ]
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
