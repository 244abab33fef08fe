#!/usr/bin/env bash
# CRuby: its own tests, stock and ours side by side
set -euo pipefail
here=ffi-examples/cruby
$here/build.sh stock >/dev/null
ruby=$($here/build.sh ours)/bin/ruby
"$ruby" $here/test/suites.rb target/cruby/stock/build target/cruby/ours/build
