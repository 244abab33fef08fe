#!/usr/bin/env bash
# the same, shortened, with the static library
set -euo pipefail

export VMSHARE_ROUNDS=500 VMSHARE_SCALE=20
scripts/c-tests.sh static static header --label-exclude stress-moving
