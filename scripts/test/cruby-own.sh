#!/usr/bin/env bash
# CRuby: our own tests in Ruby, interpreted, compiled, and under the verifier
set -euo pipefail
here=ffi-examples/cruby
ruby=$($here/build.sh ours)/bin/ruby
"$ruby" -W0 $here/test/test_autoshare.rb
if "$ruby" --yjit -e 0 2>/dev/null; then
    "$ruby" -W0 --yjit --yjit-call-threshold=1 $here/test/test_autoshare.rb
fi
RUBY_AUTOSHARE_VERIFY=1 "$ruby" -W0 $here/test/test_autoshare.rb
"$ruby" -W0 $here/test/test_modes.rb
