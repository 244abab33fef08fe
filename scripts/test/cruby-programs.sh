#!/usr/bin/env bash
# CRuby: libraries and gems that ractors can't use in stock, unchanged
set -euo pipefail
here=ffi-examples/cruby
stock=$($here/build.sh stock)/bin/ruby
ours=$($here/build.sh ours)/bin/ruby

gems=$PWD/target/cruby/gems
mkdir -p "$gems"
for package in ruby-builder ruby-addressable ruby-public-suffix; do
    if ! compgen -G "$gems/${package}_*.deb" >/dev/null; then
        (cd "$gems" && apt-get -o APT::Sandbox::User=root download -qq "$package")
        dpkg-deb --extract "$gems/$package"_*.deb "$gems/unpacked"
    fi
done
"$ours" -W0 $here/test/programs.rb "$stock" "$ours" "$gems/unpacked"
