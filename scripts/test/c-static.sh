#!/usr/bin/env bash
# the C suite, the examples and the mini-VM, shortened, with the static library
set -euo pipefail

export VMSHARE_ROUNDS=500 VMSHARE_SCALE=20 VMSHARE_CONFIGURATIONS=5
scripts/c-tests.sh static --exclude-regex '/(stress|stress-moving)/'
