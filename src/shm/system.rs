//! What the system's calls return, as the library's statuses; and what they all need.

use super::deadline::now;
use crate::status::*;
use core::ffi::c_int;
use core::mem::zeroed;
use std::io::Error;
use std::os::fd::{FromRawFd, OwnedFd};

/// The last call's failure, as a status.
pub fn last_failure() -> rs_status {
    failure(last_errno())
}

/// The number of the last call's failure.
pub fn last_errno() -> c_int {
    Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// A failure that the system numbers so, as a status.
pub fn failure(errno: c_int) -> rs_status {
    match errno {
        libc::ENOMEM | libc::ENOSPC | libc::EDQUOT | libc::ENOBUFS => RS_ERR_MEMORY,
        libc::EMFILE | libc::ENFILE | libc::ETOOMANYREFS | libc::EFBIG => RS_ERR_LIMIT,
        libc::EPIPE | libc::ECONNRESET | libc::ENOTCONN | libc::ECONNREFUSED | libc::ESRCH => {
            RS_ERR_DEAD
        }
        libc::ENOSYS | libc::EPERM | libc::EACCES | libc::EOPNOTSUPP | libc::ENOPROTOOPT => {
            RS_ERR_UNSUPPORTED
        }
        _ => RS_ERR_ARGUMENT,
    }
}

/// What a call returned, unless it failed.
pub fn check(returned: c_int) -> Result<c_int, rs_status> {
    match returned {
        -1 => Err(last_failure()),
        value => Ok(value),
    }
}

/// The descriptor that a call has made, unless it failed.
pub fn owned(returned: c_int) -> Result<OwnedFd, rs_status> {
    let descriptor = check(returned)?;
    // SAFETY: the system has just made it for this caller.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// A number that nobody can guess; where the system has no such numbers yet, one that is at least rare.
pub fn random() -> u64 {
    let mut number = [0; size_of::<u64>()];
    // SAFETY: the array is this frame's, with the length that is told.
    let got = unsafe { libc::getrandom(number.as_mut_ptr().cast(), 8, libc::GRND_NONBLOCK) };
    match got {
        8 => u64::from_ne_bytes(number),
        _ => now() << 22 ^ u64::from(std::process::id()),
    }
}

/// How many processors this thread may run on; at least one.
pub fn processors() -> usize {
    // SAFETY: a set of no processors is all zero.
    let mut set: libc::cpu_set_t = unsafe { zeroed() };
    // SAFETY: the set is this frame's, with the size that is told.
    let answer = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &mut set) };
    match answer {
        // SAFETY: it only reads the set.
        0 => unsafe { libc::CPU_COUNT(&set) as usize },
        // More processors than the set has room for.
        _ => usize::MAX,
    }
}
