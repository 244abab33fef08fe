#!/usr/bin/env bash
# the C suite in all placements, the examples, and the mini-VM with its flags in the header
set -euo pipefail

scripts/c-tests.sh shared --exclude-regex '^minivm-(side|split)/'
