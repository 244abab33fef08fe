#!/usr/bin/env bash
# CRuby: our own tests and the race with CRuby's assertions
set -euo pipefail
here=ffi-examples/cruby
ruby=$($here/build.sh debug)/bin/ruby
"$ruby" -W0 $here/test/test_autoshare.rb
"$ruby" $here/test/race.rb 20000
"$ruby" $here/test/race.rb 5000 compact
