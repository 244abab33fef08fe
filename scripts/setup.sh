#!/usr/bin/env bash
# Installs the Debian packages that the Makefile's targets need: setup.sh [test|bench|cruby]
#
# The only list of them. Rust itself comes from rustup; what cargo builds with is in Cargo.toml.
# As root it installs what is missing; otherwise it says what is, and fails.
set -euo pipefail

test_packages=(
    gcc g++ libc6-dev binutils make # compilers of the C tests, and readelf for the ABI test
    cmake ninja-build               # the build of c-tests/
    clang libclang-dev              # the second compiler of the header test; bindgen for the ABI test
    clang-format                    # make lint
    patch                           # mutations of the sharing protocol, for the loom models
    valgrind                        # memcheck of the C suite
    libedit-dev                     # line editing in the mini-VM
)
bench_packages=(
    # what the table's rows stand beside:
    ruby                 # the share of a graph in CRuby; DRb, Marshal
    python3 python3-rpyc # RPyC, multiprocessing.Manager, pickle
)

cruby_packages=(
    gcc g++ libc6-dev make valgrind
    debian-archive-keyring dpkg-dev xz-utils # Debian's source packages
    python3                                  # the edits
    ruby                                     # what CRuby's own build may call for
    libffi-dev libgmp-dev libreadline-dev libssl-dev libyaml-dev zlib1g-dev # its extensions
)

packages=("${test_packages[@]}")
case "${1:-test}" in
test) ;;
bench) packages+=("${bench_packages[@]}") ;;
cruby) packages=("${cruby_packages[@]}") ;;
*)
    echo "usage: scripts/setup.sh [test|bench|cruby]" >&2
    exit 2
    ;;
esac

if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust $(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml) or newer" >&2
    exit 1
fi
if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system; what is needed has these names there: ${packages[*]}"
    exit 0
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "missing packages; install them by: apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null
