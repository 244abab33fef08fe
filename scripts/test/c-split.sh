#!/usr/bin/env bash
# the mini-VM with flags split between header and side table
set -euo pipefail

scripts/c-tests.sh shared-split shared split --tests-regex '^minivm'
