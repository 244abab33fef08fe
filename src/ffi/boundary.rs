//! The boundary: NULLs, sizes, handles, callers and panics are dealt with here, once for all functions.

use crate::host::Host;
use crate::host::contract::{rs_host, rs_ractor, rs_value, rs_vm};
use crate::status::*;
use crate::vm::Vm;
use crate::vm::shell::{self, Shell};
use core::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Who may make a call.
#[derive(Clone, Copy)]
pub enum Caller {
    /// The main ractor only.
    Main,
    /// The ractor that the call names.
    Ractor(rs_ractor),
    /// Any thread.
    Anyone,
}

/// What the body of a call returns besides failures.
pub trait Answer {
    /// As a status.
    fn status(self) -> rs_status;
}

impl Answer for () {
    fn status(self) -> rs_status {
        RS_OK
    }
}

impl Answer for rs_status {
    fn status(self) -> rs_status {
        self
    }
}

fn flatten<A: Answer>(result: Result<A, rs_status>) -> rs_status {
    match result {
        Ok(answer) => answer.status(),
        Err(status) => status,
    }
}

/// Runs the body of a call that changes something, or walks: not from inside a callback.
pub fn call<A: Answer>(
    handle: *mut rs_vm,
    caller: Caller,
    body: impl FnOnce(&Vm) -> Result<A, rs_status>,
) -> rs_status {
    guard(handle, |shell| {
        let vm = shell.vm()?;
        vm.expect_outside()?;
        expect(vm, caller)?;
        body(vm)
    })
}

/// Runs the body of a call that may come from inside of a walk, but not while a lock is held: a
/// collector's, at a safepoint; a question about slots and reports.
pub fn call_unlocked<A: Answer>(
    handle: *mut rs_vm,
    caller: Caller,
    body: impl FnOnce(&Vm) -> Result<A, rs_status>,
) -> rs_status {
    guard(handle, |shell| {
        let vm = shell.vm()?;
        vm.expect_unlocked()?;
        expect(vm, caller)?;
        body(vm)
    })
}

/// Runs the body of a call that may come from anywhere but from inside of a walk: from callbacks too
/// that run any code.
pub fn call_nested<A: Answer>(
    handle: *mut rs_vm,
    body: impl FnOnce(&Vm) -> Result<A, rs_status>,
) -> rs_status {
    call(handle, Caller::Anyone, body)
}

fn expect(vm: &Vm, caller: Caller) -> Result<(), rs_status> {
    match caller {
        Caller::Main => vm.expect_caller(vm.main()),
        Caller::Ractor(ractor) => vm.expect_caller(ractor),
        Caller::Anyone => Ok(()),
    }
}

/// Runs the body of a call that may come from anywhere, inside callbacks too: it takes no lock.
pub fn query<A: Answer>(
    handle: *mut rs_vm,
    body: impl FnOnce(&Vm) -> Result<A, rs_status>,
) -> rs_status {
    guard(handle, |shell| body(shell.vm()?))
}

/// Answers a question by 1 or 0.
pub fn ask(handle: *mut rs_vm, question: impl FnOnce(&Vm) -> bool) -> rs_status {
    query(handle, |vm| Ok(rs_status::from(question(vm))))
}

/// Runs the body of the call that makes a vm known in a forked child.
pub fn call_in_forked_child(
    handle: *mut rs_vm,
    body: impl FnOnce(&Vm) -> Result<(), rs_status>,
) -> rs_status {
    guard(handle, |shell| {
        body(shell.vm_in_child()?)?;
        shell.adopt();
        Ok(())
    })
}

/// Finds the vm, and keeps a panic from crossing into C.
fn guard<A: Answer>(
    handle: *mut rs_vm,
    body: impl FnOnce(&Shell) -> Result<A, rs_status>,
) -> rs_status {
    let shell = match Shell::find(handle) {
        Ok(shell) => shell,
        Err(status) => return status,
    };
    match catch_unwind(AssertUnwindSafe(|| flatten(body(shell)))) {
        Ok(status) => status,
        Err(_) => {
            shell.poison();
            if let Ok(vm) = shell.vm_in_child() {
                vm.host().callbacks().fatal(c"vmshare failed inside");
            }
            RS_ERR_PANIC
        }
    }
}

/// Makes a vm.
///
/// # Safety
/// `host` is NULL or valid for the bytes that its `size` says.
pub unsafe fn open(
    host: *const rs_host,
    vm: *mut *mut rs_vm,
    main_ractor: *mut rs_ractor,
) -> rs_status {
    let (Some(vm), Some(main_ractor)) = (out_pointer(vm), out_pointer(main_ractor)) else {
        return RS_ERR_ARGUMENT;
    };
    vm.set(core::ptr::null_mut());
    main_ractor.set(0);
    if host.is_null() || !host.is_aligned() {
        return RS_ERR_ARGUMENT;
    }
    let opened = catch_unwind(|| {
        // SAFETY: the caller's promise.
        let host = unsafe { Host::new(host) }?;
        shell::open(host)
    });
    match opened {
        Ok(Ok((handle, main))) => {
            vm.set(handle);
            main_ractor.set(main);
            RS_OK
        }
        Ok(Err(status)) => status,
        Err(_) => RS_ERR_PANIC,
    }
}

/// Ends a vm.
pub fn close(handle: *mut rs_vm) -> rs_status {
    guard(handle, Shell::close)
}

/// A place of the caller's that a result goes to.
#[derive(Clone, Copy)]
pub struct Out<T>(*mut T);

/// The place, unless it is NULL or not aligned.
pub fn out_pointer<T>(place: *mut T) -> Option<Out<T>> {
    (!place.is_null() && place.is_aligned()).then_some(Out(place))
}

impl<T> Out<T> {
    /// Writes the result.
    pub fn set(self, value: T) {
        // SAFETY: not NULL, aligned, and valid by the contract of every function with a result.
        unsafe { self.0.write(value) };
    }

    /// Writes as much of the result as the caller has room for: its first member, a `u32`, says how
    /// many bytes that is, and stays as it is.
    ///
    /// # Safety
    /// The place is valid for as many bytes as its first member says.
    pub unsafe fn fill_sized(self, value: &T) -> Result<(), rs_status> {
        let size_member = self.0.cast::<u32>();
        // SAFETY: the caller's promise; the first member is the size.
        let size = unsafe { size_member.read() };
        let count = (size as usize).min(size_of::<T>());
        if count < size_of::<u64>() {
            return Err(RS_ERR_ARGUMENT);
        }
        // SAFETY: both are valid for `count` bytes, and do not overlap.
        unsafe {
            core::ptr::copy_nonoverlapping(
                core::ptr::from_ref(value).cast::<u8>(),
                self.0.cast::<u8>(),
                count,
            );
            size_member.write(size);
        }
        Ok(())
    }
}

/// The bytes of a C string; none for NULL.
///
/// # Safety
/// `text` is NULL or a C string that lives as long as `'a`.
pub unsafe fn text<'a>(text: *const c_char) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// An array of words; none for NULL with a count, or a count that can't be.
///
/// # Safety
/// `words` is NULL or valid for `count` words, as long as `'a`.
pub unsafe fn words<'a>(words: *const u64, count: usize) -> Option<&'a [u64]> {
    let too_large = count > isize::MAX as usize / size_of::<u64>();
    if words.is_null() || !words.is_aligned() || too_large {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { core::slice::from_raw_parts(words, count) })
}

/// An array that results are written to; none for NULL with a count, or a count that can't be.
///
/// # Safety
/// `entries` is NULL or valid for `count` entries, as long as `'a`, and used by nobody else.
pub unsafe fn entries<'a, T>(entries: *mut T, count: usize) -> Option<&'a mut [T]> {
    if count == 0 {
        return Some(&mut []);
    }
    let too_large = count > isize::MAX as usize / size_of::<T>();
    if entries.is_null() || !entries.is_aligned() || too_large {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { core::slice::from_raw_parts_mut(entries, count) })
}

/// An array of values; none for NULL with a count, or a count that can't be.
///
/// # Safety
/// `values` is NULL or valid for `count` values, as long as `'a`.
pub unsafe fn slice<'a>(values: *const rs_value, count: usize) -> Option<&'a [rs_value]> {
    if count == 0 {
        return Some(&[]);
    }
    let too_large = count > isize::MAX as usize / size_of::<rs_value>();
    if values.is_null() || !values.is_aligned() || too_large {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { core::slice::from_raw_parts(values, count) })
}
