#!/usr/bin/env bash
# Main writes while another ractor reads, and exactly one of them must fail: race.sh ROUNDS
#
# That many rounds in the mini-VM, for each placement of the flags and each policy of marking.
set -euo pipefail

rounds=$1
scripts/quietly.sh race-build scripts/c-build.sh shared
for suffix in "" -side -split; do
    for policy in first-ractor on-assign; do
        echo "minivm-stress$suffix, $policy:"
        "target/c-tests/shared/minivm/minivm-stress$suffix" "$rounds" "--policy=$policy"
    done
done
