//! The shared library under test, and C programs that use it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of vmshare.h.
pub const INCLUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include");

/// `VMSHARE_LIBRARY`, or the library that cargo built along with this test.
pub fn shared_library() -> PathBuf {
    match std::env::var_os("VMSHARE_LIBRARY") {
        Some(path) => PathBuf::from(path),
        None => beside_this_test().join("libvmshare.so"),
    }
}

/// The compiler of this machine, for a language standard such as `c11` or `c++11`.
#[allow(dead_code, reason = "not every test compiles")]
pub fn compiler(standard: &str) -> Command {
    let machine = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    cc::Build::new()
        .cpp(standard.starts_with("c++"))
        .std(standard)
        .target(&machine)
        .host(&machine)
        .opt_level(1)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .flag("-pedantic")
        .include(INCLUDE)
        .get_compiler()
        .to_command()
}

/// A folder of one test's own, with the library in it under the name that programs look for.
#[allow(dead_code, reason = "not every test runs programs")]
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).unwrap();
    let named = folder.join("libvmshare.so.0");
    let _ = std::fs::remove_file(&named);
    std::os::unix::fs::symlink(shared_library(), named).unwrap();
    folder
}

fn beside_this_test() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().to_path_buf()
}
