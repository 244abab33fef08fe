//! version.h: which library this is.

use core::ffi::{CStr, c_char};

/// The version of the library: `major << 16 | minor << 8 | patch`.
///
/// Threads: any, signal handlers too. Blocks: no. Allocates: no. Since: 0.1
#[unsafe(no_mangle)]
pub extern "C" fn rs_version() -> u32 {
    crate::version::NUMBER
}

/// The version of the library as text, such as "0.1.0".
///
/// Borrows: a static string. Threads: any, signal handlers too. Blocks: no. Allocates: no.
/// Returns: never NULL. Since: 0.1
#[unsafe(no_mangle)]
pub extern "C" fn rs_version_text() -> *const c_char {
    crate::version::TEXT.as_ptr()
}

/// Whether this build has a feature: "autoshare", "side-table", "verify", "images",
/// "remote".
///
/// Borrows: `name` for the call. Threads: any. Blocks: no. Allocates: no.
/// Returns: 1 or 0; 0 for NULL and for names that are not known. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_feature(name: *const c_char) -> u32 {
    if name.is_null() {
        return 0;
    }
    // SAFETY: not NULL, and a C string by the contract of this function.
    u32::from(crate::version::has_feature(unsafe { CStr::from_ptr(name) }))
}
