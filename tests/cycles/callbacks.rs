//! What the library asks of a heap.

use crate::heap::{FIELDS, WRAPPER, heap, name, object};
use std::ffi::c_void;
use vmshare::host::contract::*;
use vmshare::host::exchange::*;
use vmshare::host::item::*;
use vmshare::status::*;

pub unsafe extern "C" fn read_items(
    ctx: *mut c_void,
    values: *const rs_value,
    count: usize,
    items: *mut rs_item,
) -> rs_status {
    for index in 0..count {
        // SAFETY: the library's arrays have so many places.
        let (value, item) = unsafe { (*values.add(index), &mut *items.add(index)) };
        let Some(object) = object(value) else {
            item.kind = RS_ITEM_NIL;
            continue;
        };
        heap(ctx).expect_alive(object);
        item.kind = RS_ITEM_RECORD;
        item.count = FIELDS as u64;
        if object.is_wrapper() {
            *item = rs_item::with_bits(RS_ITEM_REMOTE, object.remote);
        }
        item.name = object.text.as_ptr().cast();
        item.name_length = object.text.len() as u64;
    }
    RS_OK
}

pub unsafe extern "C" fn make_remote(
    ctx: *mut c_void,
    link: rs_link,
    remote: rs_remote,
    item: *const rs_item,
    value: *mut rs_value,
) -> rs_status {
    // SAFETY: the library's pointer.
    let text = std::str::from_utf8(unsafe { (*item).name() }).unwrap();
    let (process, number) = text.split_once(':').unwrap();
    let name = (process.parse().unwrap(), number.parse().unwrap());
    // SAFETY: the library's pointer.
    unsafe { value.write(heap(ctx).object(WRAPPER, name, link, remote)) };
    RS_OK
}

pub unsafe extern "C" fn operate(
    ctx: *mut c_void,
    link: rs_link,
    target: rs_value,
    operation: *const rs_operation,
    result: *mut rs_value,
) -> rs_status {
    let heap = heap(ctx);
    // SAFETY: the library's pointer.
    let operation = unsafe { &*operation };
    let asked = heap.world().map(|world| world.begins(heap.process, link));
    let outcome = heap.holding(&[target], || heap.carry_out(target, operation));
    match outcome {
        Ok(value) => {
            if let (Some(world), Some(asked)) = (heap.world(), asked) {
                world.ends(asked, name(value));
            }
            // SAFETY: the library's pointer.
            unsafe { result.write(value) };
            RS_OK
        }
        Err(status) => status,
    }
}

pub unsafe extern "C" fn blocking_enter(ctx: *mut c_void) {
    let heap = heap(ctx);
    if let Some(world) = heap.world() {
        world.meanwhile(heap.process);
    }
}

pub unsafe extern "C" fn collect(ctx: *mut c_void) -> rs_status {
    heap(ctx).collect();
    RS_OK
}
