//! A host with every kind of value, whose objects are kept until it is gone. It has variables and
//! functions, which a peer may ask for.

#![allow(dead_code)]

mod callbacks;
mod operations;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use vmshare::ffi;
use vmshare::host::contract::*;
use vmshare::host::exchange::*;
use vmshare::host::item::*;
use vmshare::status::*;

/// What an object holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Integer(i64),
    BigInteger(bool, Vec<u8>),
    /// The bits of a float.
    Float(u64),
    Symbol(Vec<u8>),
    Uninterned(Vec<u8>),
    Text(u32, Vec<u8>),
    Cons([rs_value; 2]),
    Vector(Vec<rs_value>),
    /// Keys and values in turn, as they are handed in; not in a row, so that they are asked for.
    Map(u32, Vec<rs_value>),
    Record(Vec<u8>, Vec<rs_value>),
    /// Never copied.
    File,
    /// A peer's object: which, and the kind of item that it is over there.
    Remote(rs_remote, u32),
    /// What a remote became.
    Forward(rs_value),
    /// A function of the host.
    Function(Function),
}

/// What a host's function does with its arguments.
pub type Body = fn(&Host, rs_link, &[rs_value]) -> Result<rs_value, rs_status>;

#[derive(Clone, Copy, Debug)]
pub struct Function(pub Body);

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

#[repr(align(16))]
pub struct Object {
    pub content: RefCell<Content>,
}

pub const NIL: rs_value = 8;
pub const FALSE: rs_value = 16;
pub const TRUE: rs_value = 24;

pub fn small(integer: i64) -> rs_value {
    (integer << 2) as rs_value | 3
}

/// What a host is about to do, or has done: for tests in which something happens just then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Is going to wait for a peer.
    Waits,
    /// Begins to carry out an operation with this `index`.
    Operates(u64),
    /// Has carried it out.
    HasOperated,
    /// Puts an object of its own in the place of a reference.
    Replaces,
    /// Says what a value is.
    Reads,
    /// Makes an object.
    Makes,
    /// Gives the library memory.
    Allocates,
}

/// What is to be told of moments.
pub type Observe = Box<dyn Fn(Moment)>;

/// A host whose objects live as long as it does.
pub struct Host {
    // Boxed: objects must not move when there are more.
    #[expect(clippy::vec_box)]
    objects: RefCell<Vec<Box<Object>>>,
    pub vm: *mut rs_vm,
    pub main: rs_ractor,
    /// Fails the allocation after this many; negative: none.
    pub allocations_left: Cell<i64>,
    /// Only that one, and not those behind it.
    pub fails_once: Cell<bool>,
    /// Allocations that have failed.
    pub failures: Cell<u64>,
    /// Allocations that were not released. Not in here: the library counts while `drop` holds the host alone.
    pub balance: Rc<Cell<i64>>,
    /// Fails the callback after this many; negative: none.
    pub callbacks_left: Cell<i64>,
    /// Does not want to wait any longer.
    pub cancels: Cell<bool>,
    /// Remotes of which the host was told that what they stand for was written.
    pub changed: RefCell<Vec<rs_value>>,
    /// What may be asked for by name.
    pub variables: RefCell<HashMap<Vec<u8>, rs_value>>,
    /// Has its collector look at the roots in each callback that may collect.
    pub collects: Cell<bool>,
    /// Is told of each moment.
    pub observer: RefCell<Option<Observe>>,
}

fn host<'a>(ctx: *mut c_void) -> &'a Host {
    // SAFETY: the ctx of every vm of these tests.
    unsafe { &*ctx.cast::<Host>() }
}

/// Whether a value is an object, and no immediate.
pub fn is_object(value: rs_value) -> bool {
    value > TRUE && value & 3 == 0
}

pub fn object<'a>(value: rs_value) -> &'a Object {
    assert!(value > 64 && value & 15 == 0, "no object: {value:#x}");
    // SAFETY: such values are objects, which live as long as the host.
    unsafe { &*(value as *const Object) }
}

pub fn content(value: rs_value) -> Content {
    object(value).content.borrow().clone()
}

impl Host {
    /// A host; with `immediates` it says how it writes integers, nil, false and true.
    pub fn new(immediates: bool) -> Box<Host> {
        Host::with(immediates, |_| {})
    }

    /// The same, with something else in what it says of itself.
    pub fn with(immediates: bool, change: impl FnOnce(&mut rs_host)) -> Box<Host> {
        let mut host = Box::new(Host {
            objects: RefCell::new(Vec::new()),
            vm: ptr::null_mut(),
            main: 0,
            allocations_left: Cell::new(-1),
            fails_once: Cell::new(false),
            failures: Cell::new(0),
            balance: Rc::default(),
            callbacks_left: Cell::new(-1),
            cancels: Cell::new(false),
            changed: RefCell::default(),
            variables: RefCell::new(HashMap::new()),
            collects: Cell::new(false),
            observer: RefCell::new(None),
        });
        // SAFETY: zero is every member's default.
        let mut data: rs_host = unsafe { std::mem::zeroed() };
        data.size = size_of::<rs_host>() as u32;
        data.abi = RS_ABI;
        data.ctx = (&raw mut *host).cast();
        data.flags = rs_flags {
            placement: RS_FLAGS_IN_SIDE_TABLE,
            granule: 4,
            ..rs_flags::default()
        };
        data.pointers = rs_pointers {
            tags: 1 | 1 << 16,
            tag_mask: 0,
            lowest: 64,
        };
        data.allocate = Some(callbacks::allocate);
        data.release = Some(callbacks::release);
        data.read_items = Some(callbacks::read_items);
        data.read_elements = Some(callbacks::read_elements);
        data.make_items = Some(callbacks::make_items);
        data.set_elements = Some(callbacks::set_elements);
        data.make_remote = Some(callbacks::make_remote);
        data.replace_remote = Some(callbacks::replace_remote);
        data.on_change = Some(callbacks::on_change);
        data.operate = Some(callbacks::operate);
        data.is_cancelled = Some(callbacks::is_cancelled);
        data.blocking_enter = Some(callbacks::blocking_enter);
        if immediates {
            data.immediates = rs_immediates {
                integer_shift: 2,
                integer_bits: 62,
                integer_tag: 3,
                has_constants: 1,
                nil: NIL,
                false_value: FALSE,
                true_value: TRUE,
            };
        }
        change(&mut data);
        let (vm, main) = (&raw mut host.vm, &raw mut host.main);
        // SAFETY: the host struct is whole, and the places are valid.
        let status = unsafe { ffi::vm::rs_vm_new(&data, vm, main) };
        assert_eq!(status, RS_OK);
        host
    }

    pub fn make(&self, content: Content) -> rs_value {
        let object = Box::new(Object {
            content: RefCell::new(content),
        });
        let value = &raw const *object as rs_value;
        self.objects.borrow_mut().push(object);
        value
    }

    fn tell(&self, moment: Moment) {
        if let Some(observer) = &*self.observer.borrow() {
            observer(moment);
        }
    }

    /// A function that peers may call.
    pub fn function(&self, body: Body) -> rs_value {
        self.make(Content::Function(Function(body)))
    }

    /// All objects.
    pub fn values(&self) -> Vec<rs_value> {
        let objects = self.objects.borrow();
        objects
            .iter()
            .map(|own| &raw const **own as rs_value)
            .collect()
    }

    /// How many objects there are.
    pub fn count(&self) -> usize {
        self.objects.borrow().len()
    }

    /// Shows each root to a collector that demands that it is one of the host's values.
    fn collect_if_it_does(&self) {
        unsafe extern "C" fn visit(ctx: *mut c_void, value: rs_value) {
            let host = host(ctx);
            let is_immediate = value & 3 == 3 || value <= TRUE;
            let objects = host.objects.borrow();
            let is_object = || {
                objects
                    .iter()
                    .any(|own| &raw const **own as rs_value == value)
            };
            assert!(is_immediate || is_object(), "no value: {value:#x}");
        }
        if self.collects.get() {
            let ctx = (&raw const *self).cast_mut().cast();
            // SAFETY: as a collector's call, from the only thread.
            let status = unsafe { ffi::gc::rs_gc_visit_roots(self.vm, Some(visit), ctx) };
            assert_eq!(status, RS_OK);
        }
    }

    /// Encodes; the image's id, or why not.
    pub fn encode(&self, root: rs_value, depth: u64, bytes: u64) -> Result<u64, rs_status> {
        let limits = ffi::graph::rs_limits { depth, bytes };
        let mut image = 0;
        // SAFETY: valid pointers.
        let status =
            unsafe { ffi::graph::rs_image_encode(self.vm, self.main, root, &limits, &mut image) };
        ok(status, image)
    }

    pub fn words(&self, image: u64) -> Vec<u64> {
        let (mut words, mut count) = (ptr::null(), 0);
        // SAFETY: valid pointers; the words stay until the image is freed.
        unsafe {
            let status = ffi::graph::rs_image_words(self.vm, image, &mut words, &mut count);
            assert_eq!(status, RS_OK);
            std::slice::from_raw_parts(words, count).to_vec()
        }
    }

    pub fn opaques(&self, image: u64) -> Vec<rs_value> {
        let (mut values, mut count) = (ptr::null(), 0);
        // SAFETY: valid pointers; the values stay until the image is freed.
        unsafe {
            let status = ffi::graph::rs_image_opaques(self.vm, image, &mut values, &mut count);
            assert_eq!(status, RS_OK);
            std::slice::from_raw_parts(values, count).to_vec()
        }
    }

    pub fn read(&self, words: &[u64]) -> Result<u64, rs_status> {
        let mut image = 0;
        // SAFETY: valid pointers.
        let status =
            unsafe { ffi::graph::rs_image_read(self.vm, words.as_ptr(), words.len(), &mut image) };
        ok(status, image)
    }

    pub fn decode(&self, image: u64, opaques: Option<&[rs_value]>) -> Result<rs_value, rs_status> {
        let (values, count) = match opaques {
            Some([]) => (ptr::dangling(), 0),
            Some(opaques) => (opaques.as_ptr(), opaques.len()),
            None => (ptr::null(), 0),
        };
        let mut root = 0;
        // SAFETY: valid pointers.
        let status = unsafe {
            ffi::graph::rs_image_decode(self.vm, self.main, image, values, count, &mut root)
        };
        ok(status, root)
    }

    pub fn free(&self, image: u64) -> rs_status {
        // SAFETY: any id may be given.
        unsafe { ffi::graph::rs_image_free(self.vm, image) }
    }
}

fn ok<T>(status: rs_status, value: T) -> Result<T, rs_status> {
    match status {
        RS_OK => Ok(value),
        status => Err(status),
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: the vm is this host's, and nobody uses it any more.
        let status = unsafe { ffi::vm::rs_vm_free(self.vm) };
        assert_eq!(status, RS_OK);
        assert_eq!(self.balance.get(), 0, "all memory is given back");
    }
}
