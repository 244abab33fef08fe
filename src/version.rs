//! Which library this is: version and features.

use core::ffi::CStr;

/// `major << 16 | minor << 8 | patch`.
pub const NUMBER: u32 = parse(env!("CARGO_PKG_VERSION_MAJOR")) << 16
    | parse(env!("CARGO_PKG_VERSION_MINOR")) << 8
    | parse(env!("CARGO_PKG_VERSION_PATCH"));

/// The version as text.
pub const TEXT: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a version has no NUL"),
    };

/// Whether this build has a feature.
pub fn has_feature(name: &CStr) -> bool {
    let name = name.to_bytes();
    let always: [&[u8]; 4] = [b"autoshare", b"side-table", b"verify", b"images"];
    always.contains(&name) || (name == b"remote" && cfg!(vmshare_links))
}

const fn parse(digits: &str) -> u32 {
    let digits = digits.as_bytes();
    let mut number = 0;
    let mut at = 0;
    while at < digits.len() {
        number = number * 10 + (digits[at] - b'0') as u32;
        at += 1;
    }
    number
}
