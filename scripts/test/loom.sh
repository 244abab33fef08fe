#!/usr/bin/env bash
# loom: models of the sharing protocol and of rings, in all interleavings
set -euo pipefail

scripts/loom.sh models
