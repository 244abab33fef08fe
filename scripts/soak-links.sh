#!/usr/bin/env bash
# Links between processes, for a day: what `make test` tries in some places is tried in all of them.
#
# soak-links.sh [PART...]   deaths, wakes, lies, sizes; all without an argument
set -euo pipefail
cd "$(dirname "$0")/.."

# Either end is killed before each instruction of each request, and at random.
deaths() {
    VMSHARE_STRIDE=1 cargo test --quiet --test remote steps::
    VMSHARE_ROUNDS=100000 cargo test --quiet --test remote deaths::
}

# 10^7 times asleep and woken, in calls and in event loops.
wakes() {
    VMSHARE_WAKE_UPS=10000000 cargo test --quiet --test channel waking::
    VMSHARE_WAKE_UPS=5000000 cargo test --quiet --test remote waking::
}

# Peers that keep to no protocol.
lies() {
    VMSHARE_SCRIBBLES=3600 cargo test --quiet --test channel lies::
    VMSHARE_ROUNDS=100000 cargo test --quiet --test remote lies::
}

# As large, deep and long as they are said to hold.
sizes() {
    VMSHARE_BUSY=10000 VMSHARE_DEPTH=1000000 VMSHARE_OBJECTS=1000000 \
        cargo test --quiet --test remote tricky::
}

[ $# -gt 0 ] || set -- sizes wakes lies deaths
for part in "$@"; do
    echo "$part"
    "$part"
done
