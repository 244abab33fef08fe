#!/usr/bin/env bash
# Main writes while another ractor reads, and exactly one of them must fail: race.sh ROUNDS
#
# That many rounds in the mini-VM, for each placement of the flags and each policy of marking.
set -euo pipefail

rounds=$1
for placement in header side split; do
    scripts/quietly.sh "build-$placement" scripts/c-build.sh "shared-$placement" shared "$placement"
    for policy in first-ractor on-assign; do
        echo "$placement, $policy:"
        "target/c-tests/shared-$placement/minivm/minivm-stress" "$rounds" "--policy=$policy"
    done
done
