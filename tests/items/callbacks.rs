//! What the library calls.

use super::{Content, FALSE, Moment, NIL, TRUE, host, object};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use vmshare::host::contract::*;
use vmshare::host::exchange::*;
use vmshare::host::item::*;
use vmshare::status::*;

fn countdown(left: &Cell<i64>) -> bool {
    match left.get() {
        0 => true,
        now => {
            left.set(now - 1);
            false
        }
    }
}

pub unsafe extern "C" fn allocate(ctx: *mut c_void, size: usize) -> *mut c_void {
    let host = host(ctx);
    host.tell(Moment::Allocates);
    if countdown(&host.allocations_left) {
        host.failures.set(host.failures.get() + 1);
        if host.fails_once.get() {
            host.allocations_left.set(-1);
        }
        return ptr::null_mut();
    }
    host.balance.set(host.balance.get() + 1);
    // SAFETY: malloc takes any size.
    unsafe { libc::malloc(size) }
}

pub unsafe extern "C" fn release(ctx: *mut c_void, memory: *mut c_void, _size: usize) {
    let host = host(ctx);
    host.balance.set(host.balance.get() - 1);
    // SAFETY: came from `allocate`.
    unsafe { libc::free(memory) };
}

/// What a value is. The bytes of an item are those of the object itself.
fn item(value: rs_value) -> rs_item {
    if value & 3 == 3 {
        return rs_item::with_bits(RS_ITEM_INTEGER, (value as i64 >> 2) as u64);
    }
    match value {
        NIL => return rs_item::with_bits(RS_ITEM_NIL, 0),
        FALSE => return rs_item::with_bits(RS_ITEM_FALSE, 0),
        TRUE => return rs_item::with_bits(RS_ITEM_TRUE, 0),
        _ => {}
    }
    let in_a_row = |mut item: rs_item, elements: &[rs_value]| {
        item.content.elements = elements.as_ptr();
        item
    };
    match &*object(value).content.borrow() {
        Content::Integer(integer) => rs_item::with_bits(RS_ITEM_INTEGER, *integer as u64),
        Content::BigInteger(negative, bytes) => {
            rs_item::with_bytes(RS_ITEM_BIG_INTEGER, u32::from(*negative), bytes)
        }
        Content::Float(bits) => rs_item::with_bits(RS_ITEM_FLOAT, *bits),
        Content::Symbol(name) => rs_item::with_bytes(RS_ITEM_SYMBOL, 0, name),
        Content::Uninterned(name) => rs_item::with_bytes(RS_ITEM_UNINTERNED_SYMBOL, 0, name),
        Content::Text(flags, bytes) => rs_item::with_bytes(RS_ITEM_STRING, *flags, bytes),
        Content::Cons(elements) => {
            in_a_row(rs_item::with_elements(RS_ITEM_CONS, 0, 2, &[]), elements)
        }
        Content::Vector(elements) => in_a_row(
            rs_item::with_elements(RS_ITEM_VECTOR, 0, elements.len() as u64, &[]),
            elements,
        ),
        Content::Map(flags, elements) => {
            rs_item::with_elements(RS_ITEM_MAP, *flags, elements.len() as u64 / 2, &[])
        }
        Content::Record(name, elements) => in_a_row(
            rs_item::with_elements(RS_ITEM_RECORD, 0, elements.len() as u64, name),
            elements,
        ),
        Content::File | Content::Function(_) => rs_item::with_bits(RS_ITEM_OPAQUE, 0),
        Content::Remote(remote, _) => rs_item::with_bits(RS_ITEM_REMOTE, *remote),
        Content::Forward(value) => item(*value),
    }
}

pub unsafe extern "C" fn read_items(
    ctx: *mut c_void,
    values: *const rs_value,
    count: usize,
    items: *mut rs_item,
) -> rs_status {
    host(ctx).tell(Moment::Reads);
    if countdown(&host(ctx).callbacks_left) {
        return RS_ERR_HOST;
    }
    for index in 0..count {
        // SAFETY: the library's arrays have `count` places.
        unsafe { items.add(index).write(item(values.add(index).read())) };
    }
    RS_OK
}

pub unsafe extern "C" fn read_elements(
    ctx: *mut c_void,
    value: rs_value,
    from: u64,
    count: usize,
    elements: *mut rs_value,
) -> rs_status {
    if countdown(&host(ctx).callbacks_left) {
        return RS_ERR_HOST;
    }
    if let Content::Map(_, own) = &*object(value).content.borrow() {
        let own = &own[from as usize..from as usize + count];
        // SAFETY: the library's array has `count` places.
        unsafe { ptr::copy_nonoverlapping(own.as_ptr(), elements, count) };
    }
    RS_OK
}

/// What is to be made of an item, with its elements still missing.
fn made(item: &rs_item) -> Content {
    let count = item.count as usize;
    match item.kind {
        RS_ITEM_INTEGER => Content::Integer(item.integer()),
        RS_ITEM_BIG_INTEGER => Content::BigInteger(item.flags == 1, item.bytes().to_vec()),
        RS_ITEM_FLOAT => Content::Float(item.integer() as u64),
        RS_ITEM_SYMBOL => Content::Symbol(item.bytes().to_vec()),
        RS_ITEM_UNINTERNED_SYMBOL => Content::Uninterned(item.bytes().to_vec()),
        RS_ITEM_STRING => Content::Text(item.flags, item.bytes().to_vec()),
        RS_ITEM_CONS => Content::Cons([0, 0]),
        RS_ITEM_VECTOR => Content::Vector(vec![0; count]),
        RS_ITEM_MAP => Content::Map(item.flags, vec![0; 2 * count]),
        RS_ITEM_RECORD => Content::Record(item.name().to_vec(), vec![0; count]),
        kind => panic!("an item of kind {kind} is to be made"),
    }
}

pub unsafe extern "C" fn make_items(
    ctx: *mut c_void,
    items: *const rs_item,
    count: usize,
    values: *mut rs_value,
) -> rs_status {
    let host = host(ctx);
    host.tell(Moment::Makes);
    for index in 0..count {
        if countdown(&host.callbacks_left) {
            return RS_ERR_HOST;
        }
        // SAFETY: the library's arrays have `count` places.
        let (item, place) = unsafe { (&*items.add(index), values.add(index)) };
        let value = match item.kind {
            RS_ITEM_NIL => NIL,
            RS_ITEM_FALSE => FALSE,
            RS_ITEM_TRUE => TRUE,
            _ => host.make(made(item)),
        };
        // SAFETY: as above.
        unsafe { place.write(value) };
        host.collect_if_it_does();
    }
    RS_OK
}

pub unsafe extern "C" fn set_elements(
    ctx: *mut c_void,
    value: rs_value,
    from: u64,
    count: usize,
    elements: *const rs_value,
) -> rs_status {
    let host = host(ctx);
    if countdown(&host.callbacks_left) {
        return RS_ERR_HOST;
    }
    // SAFETY: the library's array has `count` values.
    let elements = unsafe { std::slice::from_raw_parts(elements, count) };
    let place = from as usize..from as usize + count;
    match &mut *object(value).content.borrow_mut() {
        Content::Cons(own) => own[place].copy_from_slice(elements),
        Content::Vector(own) | Content::Map(_, own) | Content::Record(_, own) => {
            own[place].copy_from_slice(elements);
        }
        content => panic!("elements of {content:?}"),
    }
    host.collect_if_it_does();
    RS_OK
}

pub unsafe extern "C" fn make_remote(
    ctx: *mut c_void,
    _link: rs_link,
    remote: rs_remote,
    item: *const rs_item,
    value: *mut rs_value,
) -> rs_status {
    let host = host(ctx);
    if countdown(&host.callbacks_left) {
        return RS_ERR_HOST;
    }
    // SAFETY: the library's pointers.
    unsafe { value.write(host.make(Content::Remote(remote, (*item).kind))) };
    host.collect_if_it_does();
    RS_OK
}

pub unsafe extern "C" fn replace_remote(
    ctx: *mut c_void,
    remote: rs_value,
    value: rs_value,
) -> rs_status {
    host(ctx).tell(Moment::Replaces);
    *object(remote).content.borrow_mut() = Content::Forward(value);
    RS_OK
}

pub unsafe extern "C" fn operate(
    ctx: *mut c_void,
    link: rs_link,
    target: rs_value,
    operation: *const rs_operation,
    result: *mut rs_value,
) -> rs_status {
    let host = host(ctx);
    // SAFETY: the library's pointers.
    let operation = unsafe { &*operation };
    host.tell(Moment::Operates(operation.index));
    let outcome = host.carry_out(link, target, operation);
    host.tell(Moment::HasOperated);
    match outcome {
        Ok(value) => {
            // SAFETY: as above.
            unsafe { result.write(value) };
            RS_OK
        }
        Err(status) => status,
    }
}

pub unsafe extern "C" fn is_cancelled(ctx: *mut c_void, _link: rs_link) -> u32 {
    u32::from(host(ctx).cancels.get())
}

pub unsafe extern "C" fn on_change(ctx: *mut c_void, _link: rs_link, remote: rs_value) {
    host(ctx).changed.borrow_mut().push(remote);
}

pub unsafe extern "C" fn blocking_enter(ctx: *mut c_void) {
    host(ctx).tell(Moment::Waits);
}
