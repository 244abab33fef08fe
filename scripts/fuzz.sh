#!/usr/bin/env bash
# Feeds arbitrary bytes to images, links and calls, under AddressSanitizer.
#
# fuzz.sh run SECONDS [TARGET...]   each target for so long, all at once: two of them often sleep
# fuzz.sh minimize [TARGET...]      what was found goes to fuzz/corpus, as far as it adds something
# fuzz.sh again TARGET FILE...      runs these inputs, to see why they fail
#
# A target is a program of fuzz/; all without an argument. It begins with fuzz/corpus/TARGET, and keeps what
# it finds in target/fuzz-corpus/TARGET, to begin with the next time. Inputs that fail are left in
# target/fuzz-failures.
set -euo pipefail
cd "$(dirname "$0")/.."

# Most files of a committed corpus.
most=280

platform=$(rustc +nightly --print host-tuple)
programs=target/fuzz/$platform/release
failures=target/fuzz-failures
options=(-timeout=20 -rss_limit_mb=2048 -max_len=2048 -detect_leaks=0)

build() {
    # What cargo-fuzz passes: edges are counted, comparisons are told.
    local coverage=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares)
    RUSTFLAGS="-Zsanitizer=address --cfg fuzzing ${coverage[*]}" \
        cargo +nightly build --quiet --release --manifest-path fuzz/Cargo.toml \
        --target "$platform" --target-dir target/fuzz
}

targets() { # those named; all if there are none
    [ $# -gt 0 ] || set -- $(basename --suffix .rs fuzz/src/{image,peer,calls}.rs)
    echo "$@"
}

run_one() { # seconds, target
    local name=$2 found=target/fuzz-corpus/$2 log=target/logs/fuzz-$2.log
    mkdir -p "$found" "$failures" target/logs
    if "$programs/$name" "${options[@]}" -max_total_time="$1" -artifact_prefix="$failures/$name-" \
        "$found" "fuzz/corpus/$name" >"$log" 2>&1; then
        echo "$name: $(grep --text '^Done' "$log")"
    else
        echo "$name: FAILED; the end of $log"
        tail -n 100 "$log"
        return 1
    fi
}

run() { # seconds, targets
    local seconds=$1 name failed=0 running=()
    shift
    for name in $(targets "$@"); do
        run_one "$seconds" "$name" &
        running+=($!)
    done
    for job in "${running[@]}"; do
        wait "$job" || failed=1
    done
    return $failed
}

minimize() { # targets
    local name fresh
    for name in $(targets "$@"); do
        fresh=target/fuzz-corpus/$name-minimized
        rm -rf "$fresh"
        mkdir -p "$fresh"
        "$programs/$name" "${options[@]}" -set_cover_merge=1 -use_counters=0 "$fresh" \
            "fuzz/corpus/$name" "target/fuzz-corpus/$name" 2>/dev/null
        rm -rf "fuzz/corpus/$name"
        mkdir -p "fuzz/corpus/$name"
        # By edges alone: how often each is taken would be a thousand files.
        ls -S "$fresh" | sed -n "1,${most}p" | xargs -I{} cp "$fresh/{}" "fuzz/corpus/$name/"
        echo "$name: $(ls "fuzz/corpus/$name" | wc -l) of $(ls "$fresh" | wc -l) inputs"
    done
}

build
case ${1:-} in
run) run "${@:2}" ;;
minimize) minimize "${@:2}" ;;
again) "$programs/$2" "${options[@]}" "${@:3}" ;;
*)
    sed -n 's/^# fuzz.sh/usage: fuzz.sh/p' "$0" >&2
    exit 2
    ;;
esac
