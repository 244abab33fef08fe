//! status.h: statuses as text.

use crate::status::{self, rs_status};
use core::ffi::c_char;

/// The C name of a status, such as "RS_FROZEN"; "RS_?" for an unknown number.
///
/// Borrows: a static string. Threads: any, signal handlers too. Blocks: no. Allocates: no.
/// Returns: never NULL. Since: 0.1
#[unsafe(no_mangle)]
pub extern "C" fn rs_status_name(status: rs_status) -> *const c_char {
    status::name(status).as_ptr()
}

/// What a status says, in English, without a full stop.
///
/// Borrows: a static string. Threads: any, signal handlers too. Blocks: no. Allocates: no.
/// Returns: never NULL. Since: 0.1
#[unsafe(no_mangle)]
pub extern "C" fn rs_status_text(status: rs_status) -> *const c_char {
    status::text(status).as_ptr()
}
