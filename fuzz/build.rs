//! Compiles the readers of inline.h, which are C, for the target that reads images.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=src/readers.c");
    println!("cargo::rerun-if-changed=../include");
    let mut build = cc::Build::new();
    build.file("src/readers.c").include("../include").std("c11");
    // With the sanitizer of the Rust code, which only its own compiler tells.
    let sanitizers = env::var("CARGO_CFG_SANITIZE").unwrap_or_default();
    if sanitizers.split(',').any(|name| name == "address") {
        build.flag("-fsanitize=address");
    }
    build.compile("readers");
}
