#!/usr/bin/env bash
# loom: each mutation of the sharing protocol fails a model
set -euo pipefail

scripts/loom.sh mutations
