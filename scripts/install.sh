#!/usr/bin/env bash
# Installs library and headers: install.sh PREFIX, under DESTDIR if that is set.
set -euo pipefail

prefix=$1
target=${DESTDIR:-}$prefix
library=$(scripts/library.sh shared)
version=$(sed -n '0,/^version = /s/^version = "\(.*\)"/\1/p' Cargo.toml)
soname=libvmshare.so.${version%%.*}

install -d "$target/lib/pkgconfig" "$target/include/vmshare"
install -m 755 -s "$library" "$target/lib/libvmshare.so.$version"
ln -sf "libvmshare.so.$version" "$target/lib/$soname"
ln -sf "$soname" "$target/lib/libvmshare.so"
install -m 644 include/vmshare.h include/vmshare.hpp "$target/include"
install -m 644 include/vmshare/*.h "$target/include/vmshare"
cat >"$target/lib/pkgconfig/vmshare.pc" <<END
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: vmshare
Description: shares live objects between the ractors of an existing VM
Version: $version
Libs: -L\${libdir} -lvmshare
Cflags: -I\${includedir}
END
