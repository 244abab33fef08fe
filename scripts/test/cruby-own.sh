#!/usr/bin/env bash
# CRuby: our own tests in Ruby, interpreted, compiled, and under the verifier
set -euo pipefail
here=ffi-examples/cruby
ruby=$($here/build.sh ours)/bin/ruby
"$ruby" -W0 $here/test/test_autoshare.rb
if "$ruby" --yjit -e 0 2>/dev/null; then
    "$ruby" -W0 --yjit --yjit-call-threshold=1 $here/test/test_autoshare.rb
fi
# Without gems, which share something before the tests fork: a child has no verifier.
RUBY_AUTOSHARE_VERIFY=1 "$ruby" -W0 --disable-gems $here/test/test_autoshare.rb
for mode in RUBY_AUTOSHARE=off RUBY_AUTOSHARE=warn RUBY_AUTOSHARE_VERIFY=1; do
    env $mode "$ruby" -W0 --disable-gems $here/test/test_modes.rb
done
