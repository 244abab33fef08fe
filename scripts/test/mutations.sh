#!/usr/bin/env bash
# loom: each mutation of the protocols fails a model
set -euo pipefail

scripts/loom.sh mutations
