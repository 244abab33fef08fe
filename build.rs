//! Finds out whether links can be had, and names the shared library.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if has_links() {
        println!("cargo:rustc-cfg=vmshare_links");
    }
    name_shared_library();
}

/// Whether the system has what links between processes need.
fn has_links() -> bool {
    let is = |key: &str, value: &str| env::var(key).is_ok_and(|own| own == value);
    is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_POINTER_WIDTH", "64")
}

fn name_shared_library() {
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let major = env::var("CARGO_PKG_VERSION_MAJOR").expect("cargo sets it");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libvmshare.so.{major}");
    // Threads of the host may still be inside when a host unloads its plug-ins.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
