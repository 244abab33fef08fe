#!/usr/bin/env bash
# Fetches CRuby's source from Debian's source packages and prints where it is: source.sh
#
#   CRUBY_PACKAGE   the source package (ruby3.3)
#   CRUBY_SUITE     the release of Debian that has it (trixie)
#   CRUBY_SOURCE    a tree that is there already, to be taken instead
#
# The sources of this machine's own release need not be configured: the mirror is the one that its
# packages come from, and lists and settings of the system are left alone.
set -euo pipefail

if [ -n "${CRUBY_SOURCE:-}" ]; then
    echo "$CRUBY_SOURCE"
    exit 0
fi

package=${CRUBY_PACKAGE:-ruby3.3}
suite=${CRUBY_SUITE:-trixie}
folder=$PWD/target/cruby/source/$package
if ! compgen -G "$folder/$package-*/" >/dev/null; then
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)' |
        sed -n 's/^Debian Debian main //p' | head -n 1)
    if [ -z "$mirror" ]; then
        echo "no mirror of Debian is configured: run apt-get update, or set CRUBY_SOURCE" >&2
        exit 1
    fi
    echo "deb-src $mirror $suite main" >"$folder/sources.list"
    options=(-o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache"
        -o APT::Sandbox::User=root)
    (
        cd "$folder"
        apt-get "${options[@]}" update
        apt-get "${options[@]}" source "$package"
        # Debian's patches touch what it is made from; as released it is the same.
        touch "$package"-*/configure
    ) >"$folder/apt.log" 2>&1 || {
        tail -n 20 "$folder/apt.log" >&2
        exit 1
    }
fi
compgen -G "$folder/$package-*/" | sed 's|/$||'
