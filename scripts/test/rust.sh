#!/usr/bin/env bash
# cargo test: units, properties, headers, ABI and embedding
set -euo pipefail

cargo test --quiet
# Once more with the library as it is shipped.
VMSHARE_LIBRARY=$(scripts/library.sh shared) cargo test --quiet --test abi --test embedding
