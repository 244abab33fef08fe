#!/usr/bin/env bash
# CRuby: its own tests under the verifier, which looks for writes that no check announces
set -euo pipefail
here=ffi-examples/cruby
ruby=$($here/build.sh ours)/bin/ruby
build=$PWD/target/cruby/ours/build
log=$PWD/target/logs/cruby-probe-findings.log
probe=$PWD/$here/test/probe.rb

# Not looked at: a nesting of more than 127 iterations of a hash, which is counted in a hidden instance
# variable, no write; and the one write that comes after user code and does not look again (README).
ignored='/iter_?level|ar2st_delete/'

rm -f "$log"
cd target/cruby/ours/source
for name in array hash string struct object variable proc marshal rational complex regexp range enum \
    stringio/test_stringio strscan/test_stringscanner set; do
    case $name in
    */*) file=$name.rb ;;
    *) file=ruby/test_$name.rb ;;
    esac
    [ -f "test/$file" ] || continue
    RUBY_AUTOSHARE_VERIFY=1 PROBE_LOG=$log PROBE_FILES=/test_ "$ruby" -W0 -I tool/lib \
        -I "$build/.ext/$(basename "$build"/.ext/*-linux)" -I "$build/.ext/common" \
        -r "$probe" test/runner.rb --ignore-name="$ignored" "$file" >"$log.out" 2>&1 || true
    echo "$file: $(grep -o '[0-9]* tests, .*' "$log.out" | tail -n 1); $(tail -n 1 "$log")"
done
if grep -q '^    ' "$log"; then
    grep -v ' lines, ' "$log"
    exit 1
fi
