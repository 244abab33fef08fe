#!/usr/bin/env bash
# CRuby: a million rounds of the race, some while objects move, some under GC.stress
set -euo pipefail
here=ffi-examples/cruby
ruby=$($here/build.sh ours)/bin/ruby
"$ruby" $here/test/race.rb 1000000
"$ruby" $here/test/race.rb 50000 compact
"$ruby" $here/test/race.rb 2000 stress
if "$ruby" --yjit -e 0 2>/dev/null; then
    "$ruby" --yjit $here/test/race.rb 100000
fi
