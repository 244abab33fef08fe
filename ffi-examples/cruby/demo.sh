#!/usr/bin/env bash
# Builds CRuby with the hooks, and runs the proposal's program, as it stands there, and the race.
set -euo pipefail

here=ffi-examples/cruby
echo "=== CRuby from Debian's source package, with the hooks (the first build takes five minutes)"
root=$($here/build.sh ours)
"$root/bin/ruby" --version
for program in proposal race; do
    printf '\n=== %s\n\n' "$here/demo/$program.rb"
    sed 's/^/    /' "$here/demo/$program.rb"
    printf '\n--- prints\n\n'
    "$root/bin/ruby" -W0 "$here/demo/$program.rb" | sed 's/^/    /'
done
