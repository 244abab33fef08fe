//! graph.h: whole graphs in one piece of memory, for another process, a file, or another host.
//!
//! An image says what a graph holds in terms that every host has (`rs_item` in host.h): identity,
//! sharing and cycles are kept. It can be read in place (`rs_image_…` in inline.h), sent anywhere on
//! this machine, and made into objects of any host.

use super::boundary::{self, Caller, out_pointer};
use crate::host::contract::{rs_ractor, rs_value, rs_vm};
use crate::status::*;

/// A graph in one piece of memory; an id that is never used twice.
#[allow(non_camel_case_types)]
pub type rs_image = u64;

/// How much of a graph goes into an image. What does not is referred to, as an opaque value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
#[allow(non_camel_case_types)]
pub struct rs_limits {
    /// Most levels below the root, counted on the shortest way: at 0 the root alone, and what it
    /// holds that has no elements. `RS_WHOLE` for all.
    pub depth: u64,
    /// Most bytes of the image, about: 0 for no limit.
    pub bytes: u64,
}

/// Every level of a graph.
pub const RS_WHOLE: u64 = 0x7fff_ffff_ffff_ffff;

/// Encodes the graph of a value. Nothing of the graph may change meanwhile: the ractor that calls
/// owns it, or it is shareable.
///
/// Owns: the caller gets `*image`, and frees it. `limits` may be NULL: the whole graph.
/// Threads: the ractor's. Blocks: no. Allocates: 8 to 10 bytes for each word of the image.
/// Cost: O(objects + references): some tens of nanoseconds an object. Does not recurse.
/// Returns: RS_OK; RS_ERR_UNSUPPORTED (the host has no `read_items`), RS_ERR_LIMIT (a string of
/// 2^40 bytes), RS_ERR_MEMORY, what a callback returned, RS_ERR_HOST, RS_ERR_ARGUMENT,
/// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_image_encode(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    root: rs_value,
    limits: *const rs_limits,
    image: *mut rs_image,
) -> rs_status {
    let Some(out) = out_pointer(image) else {
        return RS_ERR_ARGUMENT;
    };
    out.set(0);
    // SAFETY: NULL or valid, by the contract of every function.
    let limits = unsafe { limits.as_ref() };
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        let (depth, bytes) = limits.map_or((RS_WHOLE, 0), |limits| (limits.depth, limits.bytes));
        vm.encode(ractor, root, depth, bytes).map(|id| out.set(id))
    })
}

/// Takes in an image from elsewhere: copies it, and validates the copy, so that whoever wrote it may
/// go on writing.
///
/// Owns: the caller gets `*image`, and frees it; borrows `words` for the call.
/// Threads: any. Blocks: no. Allocates: the size of the image, and an eighth of it for the call.
/// Cost: O(words).
/// Returns: RS_OK; RS_ERR_IMAGE; RS_ERR_MEMORY, RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN,
/// RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_image_read(
    vm: *mut rs_vm,
    words: *const u64,
    count: usize,
    image: *mut rs_image,
) -> rs_status {
    let Some(out) = out_pointer(image) else {
        return RS_ERR_ARGUMENT;
    };
    out.set(0);
    // SAFETY: the caller's promise: so many words.
    let Some(words) = (unsafe { boundary::words(words, count) }) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Anyone, |vm| {
        vm.take_image(words).map(|id| out.set(id))
    })
}

/// Makes the graph of an image in the host's heap.
///
/// `opaques` has `opaques_count` values: those that stand for what the image refers to; for an image
/// that was encoded here, NULL stands for the values themselves.
///
/// Owns: `*root` is the caller's to keep alive. Threads: the ractor's. Blocks: no.
/// Allocates: a word for each word of the image, for the call; objects through `make_items`.
/// Cost: O(words). Does not recurse.
/// Returns: RS_OK; RS_ERR_IMAGE (too few opaque values), RS_ERR_UNSUPPORTED (the host has no
/// `make_items`), RS_ERR_MEMORY, what a callback returned, RS_ERR_HOST, RS_ERR_ARGUMENT,
/// RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_THREAD, RS_ERR_REENTRANT, RS_ERR_FORKED, RS_ERR_POISONED.
/// Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_image_decode(
    vm: *mut rs_vm,
    ractor: rs_ractor,
    image: rs_image,
    opaques: *const rs_value,
    opaques_count: usize,
    root: *mut rs_value,
) -> rs_status {
    let Some(out) = out_pointer(root) else {
        return RS_ERR_ARGUMENT;
    };
    let given = match opaques.is_null() {
        true => Some(None),
        // SAFETY: the caller's promise: so many values.
        false => unsafe { boundary::slice(opaques, opaques_count) }.map(Some),
    };
    let Some(given) = given else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Ractor(ractor), |vm| {
        vm.decode(ractor, image, given).map(|value| out.set(value))
    })
}

/// The words of an image: for inline.h, to be sent, or to be written to a file. They stay where
/// they are, and as they are, until the image is freed.
///
/// Owns: the image owns them. Threads: any. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT, RS_ERR_FORKED,
/// RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_image_words(
    vm: *mut rs_vm,
    image: rs_image,
    words: *mut *const u64,
    count: *mut usize,
) -> rs_status {
    let (Some(words), Some(count)) = (out_pointer(words), out_pointer(count)) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Anyone, |vm| {
        let kept = vm.images().get(image)?;
        words.set(kept.words().as_ptr());
        count.set(kept.words().len());
        Ok(())
    })
}

/// The values that an image of this host refers to, in the order of their numbers. A collector keeps
/// them alive, and updates them in their place, until the image is freed.
///
/// Owns: the image owns them. Threads: any. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT, RS_ERR_FORKED,
/// RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_image_opaques(
    vm: *mut rs_vm,
    image: rs_image,
    values: *mut *const rs_value,
    count: *mut usize,
) -> rs_status {
    let (Some(values), Some(count)) = (out_pointer(values), out_pointer(count)) else {
        return RS_ERR_ARGUMENT;
    };
    boundary::call(vm, Caller::Anyone, |vm| {
        let kept = vm.images().get(image)?;
        values.set(kept.opaques().as_ptr());
        count.set(kept.opaques().len());
        Ok(())
    })
}

/// Frees an image. Calls that read it in other threads come to their end first.
///
/// Threads: any. Blocks: no. Allocates: no.
/// Returns: RS_OK; RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_REENTRANT, RS_ERR_FORKED,
/// RS_ERR_POISONED. Since: 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rs_image_free(vm: *mut rs_vm, image: rs_image) -> rs_status {
    boundary::call(vm, Caller::Anyone, |vm| vm.images().free(image))
}
