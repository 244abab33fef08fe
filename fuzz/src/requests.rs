//! Requests of an end that a fuzzer leads: one operation, or the same one several times in a batch.

use vmshare::ffi::remote::{rs_remote_batch, rs_remote_request};
use vmshare::host::contract::rs_vm;
use vmshare::host::exchange::*;
use vmshare::status::rs_status;

/// From so many operations on, they are a batch.
const BATCH: usize = 3;

/// Asks, and waits for no longer than so many nanoseconds if it is a batch.
pub fn ask(
    vm: *mut rs_vm,
    link: rs_link,
    remote: rs_remote,
    operation: &rs_operation,
    count: usize,
    timeout: u64,
) -> rs_status {
    let entry = rs_batch_entry {
        remote,
        operation: *operation,
        result: 0,
        status: 0,
        reserved: 0,
    };
    let (mut result, mut entries) = (0, vec![entry; count]);
    // SAFETY: valid pointers, and so many entries.
    unsafe {
        match count {
            0..BATCH => rs_remote_request(vm, link, remote, operation, &mut result),
            _ => rs_remote_batch(vm, link, entries.as_mut_ptr(), count, timeout),
        }
    }
}
