//! Memory that a vm gets of its host, which may run out.

use crate::heap::heap;
use std::cell::Cell;
use std::ffi::c_void;

/// What a host counts of allocations.
#[derive(Default)]
pub struct Memory {
    /// How many succeed until one fails; none: all.
    left: Cell<Option<i64>>,
    /// Only one fails.
    fails_once: Cell<bool>,
    failures: Cell<u64>,
}

impl Memory {
    /// So many allocations succeed; then one fails, or all do.
    pub fn run_out_after(&self, allowed: i64, is_over_then: bool) {
        self.failures.set(0);
        self.fails_once.set(is_over_then);
        self.left.set(Some(allowed));
    }

    /// There is memory again; how many allocations have failed.
    pub fn is_back(&self) -> u64 {
        self.left.set(None);
        self.failures.take()
    }

    fn fails(&self) -> bool {
        match self.left.get() {
            None => false,
            Some(0) => {
                self.failures.set(self.failures.get() + 1);
                if self.fails_once.get() {
                    self.left.set(None);
                }
                true
            }
            Some(left) => {
                self.left.set(Some(left - 1));
                false
            }
        }
    }
}

pub unsafe extern "C" fn allocate(ctx: *mut c_void, size: usize) -> *mut c_void {
    if heap(ctx).memory.fails() {
        return std::ptr::null_mut();
    }
    // SAFETY: malloc takes any size.
    unsafe { libc::malloc(size) }
}

pub unsafe extern "C" fn release(_ctx: *mut c_void, memory: *mut c_void, _size: usize) {
    // SAFETY: came from `allocate`.
    unsafe { libc::free(memory) };
}
