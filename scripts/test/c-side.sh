#!/usr/bin/env bash
# the mini-VM with flags in the side table (the suite tries every placement by itself)
set -euo pipefail

scripts/c-tests.sh shared --tests-regex '^minivm-side/'
