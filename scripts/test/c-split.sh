#!/usr/bin/env bash
# the mini-VM with flags split between header and side table
set -euo pipefail

scripts/c-tests.sh shared --tests-regex '^minivm-split/'
