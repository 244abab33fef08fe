#!/usr/bin/env bash
# Measures what the hooks cost and gain, stock against ours: bench.sh
set -euo pipefail
here=ffi-examples/cruby
stock=$($here/build.sh stock)
ours=$($here/build.sh ours)
"$stock/bin/ruby" $here/bench.rb "$stock/bin/ruby" "$ours/bin/ruby" "$($here/source.sh)/benchmark" "$@"
