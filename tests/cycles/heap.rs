//! A host for random histories: objects of three fields, a collector that sweeps them, and a name for each
//! object that all processes know, so that an oracle can see the whole graph.

use crate::callbacks;
use crate::memory::{self, Memory};
use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_void};
use std::ptr;
use vmshare::ffi::cycles::*;
use vmshare::ffi::gc::*;
use vmshare::ffi::link::*;
use vmshare::ffi::remote::*;
use vmshare::ffi::vm::*;
use vmshare::host::contract::*;
use vmshare::host::exchange::*;
use vmshare::host::item::*;
use vmshare::status::*;

/// Fields of an object.
pub const FIELDS: usize = 3;

pub const NIL: rs_value = 8;

const OWN: u32 = 0;
pub const WRAPPER: u32 = 1;

/// An object of a process, by its name everywhere: the process, and which of its objects.
pub type Name = (usize, usize);

#[repr(C, align(16))]
pub struct Object {
    kind: u32,
    flags: u32,
    pub fields: [Cell<rs_value>; FIELDS],
    /// Of a wrapper: the name of what it stands for.
    pub name: Name,
    pub text: String,
    pub remote: rs_remote,
    link: rs_link,
    is_marked: Cell<bool>,
    pub is_freed: Cell<bool>,
}

impl Object {
    pub fn is_wrapper(&self) -> bool {
        self.kind == WRAPPER
    }
}

/// What the world around a host does for it.
pub trait World {
    /// The host of this number waits: the others do what they have to.
    fn meanwhile(&self, process: usize);
    /// This object is about to be freed.
    fn frees(&self, process: usize, object: &Object);
    /// Something is wrong. Callbacks can't panic.
    fn fails(&self, text: String);
    /// The host of this number is carrying out an operation.
    fn inside(&self, process: usize);
    /// An operation that the host of this number was asked for begins; returns what to tell at its end.
    fn begins(&self, process: usize, link: rs_link) -> usize;
    /// It ends, with this object if any.
    fn ends(&self, operation: usize, result: Option<Name>);
    /// The host of this number asks over a link for an operation on an object, with another as argument.
    fn asks(&self, process: usize, link: rs_link, target: Name, argument: Option<Name>) -> usize;
    /// The answer was received, or nobody wants it.
    fn forgets(&self, asked: usize);
}

pub struct Heap {
    pub vm: *mut rs_vm,
    pub main: rs_ractor,
    pub process: usize,
    // Boxed: objects must not move when there are more.
    #[expect(clippy::vec_box)]
    objects: RefCell<Vec<Box<Object>>>,
    /// The values that the program holds.
    pub roots: Vec<Cell<rs_value>>,
    /// The values that functions hold which are under way.
    stack: RefCell<Vec<rs_value>>,
    /// Takes part in rounds.
    collects: bool,
    world: Cell<Option<*const dyn World>>,
    pub memory: Memory,
}

pub fn heap<'a>(ctx: *mut c_void) -> &'a Heap {
    // SAFETY: the ctx of every vm of these tests.
    unsafe { &*ctx.cast::<Heap>() }
}

pub fn object<'a>(value: rs_value) -> Option<&'a Object> {
    // SAFETY: such values are objects, whose memory stays as long as the heap.
    (value >= 64).then(|| unsafe { &*(value as *const Object) })
}

/// The name of what a value is, or stands for.
pub fn name(value: rs_value) -> Option<Name> {
    object(value).map(|object| object.name)
}

impl Heap {
    /// The heap of a process with so many roots.
    pub fn new(process: usize, roots: usize, collects: bool) -> Box<Heap> {
        let mut heap = Box::new(Heap {
            vm: ptr::null_mut(),
            main: 0,
            process,
            objects: RefCell::new(Vec::new()),
            roots: vec![Cell::new(NIL); roots],
            stack: RefCell::new(Vec::new()),
            collects,
            world: Cell::new(None),
            memory: Memory::default(),
        });
        let layout = |fields| rs_layout {
            fields_offset: std::mem::offset_of!(Object, fields) as u16,
            fields_count: fields,
            // SAFETY: zero is every other member's default.
            ..unsafe { std::mem::zeroed() }
        };
        let layouts = [layout(FIELDS as u16), layout(0)];
        // SAFETY: zero is every member's default.
        let mut data: rs_host = unsafe { std::mem::zeroed() };
        data.size = size_of::<rs_host>() as u32;
        data.abi = RS_ABI;
        data.ctx = (&raw mut *heap).cast();
        data.flags = rs_flags {
            placement: RS_FLAGS_IN_HEADER,
            offset: std::mem::offset_of!(Object, flags) as u16,
            width: 32,
            frozen: 1,
            shareable: 2,
            autoshare: 4,
            pending: 8,
            ..rs_flags::default()
        };
        data.pointers = rs_pointers {
            tags: RS_POINTERS_ALIGNED_8,
            tag_mask: 0,
            lowest: 64,
        };
        data.type_tag = rs_type_tag {
            width: 32,
            mask: 0xff,
            ..rs_type_tag::default()
        };
        data.layouts = layouts.as_ptr();
        data.layouts_count = layouts.len() as u32;
        data.immediates = rs_immediates {
            has_constants: 1,
            nil: NIL,
            false_value: 16,
            true_value: 24,
            // SAFETY: zero is every other member's default.
            ..unsafe { std::mem::zeroed() }
        };
        data.read_items = Some(callbacks::read_items);
        data.make_remote = Some(callbacks::make_remote);
        data.operate = Some(callbacks::operate);
        data.blocking_enter = Some(callbacks::blocking_enter);
        data.allocate = Some(memory::allocate);
        data.release = Some(memory::release);
        if collects {
            data.collect = Some(callbacks::collect);
        }
        let (vm, main) = (&raw mut heap.vm, &raw mut heap.main);
        // SAFETY: the host struct is whole, and the places are valid.
        assert_eq!(unsafe { rs_vm_new(&data, vm, main) }, RS_OK);
        heap
    }

    pub fn set_world(&self, world: Option<*const dyn World>) {
        self.world.set(world);
    }

    pub fn world(&self) -> Option<&dyn World> {
        // SAFETY: the world outlives its heaps, or takes itself away.
        self.world.get().map(|world| unsafe { &*world })
    }

    fn add(&self, object: Object) -> rs_value {
        let object = Box::new(object);
        let value = &raw const *object as rs_value;
        self.objects.borrow_mut().push(object);
        value
    }

    pub fn object(&self, kind: u32, name: Name, link: rs_link, remote: rs_remote) -> rs_value {
        self.add(Object {
            kind,
            flags: 0,
            fields: [const { Cell::new(NIL) }; FIELDS],
            name,
            text: format!("{}:{}", name.0, name.1),
            remote,
            link,
            is_marked: Cell::new(false),
            is_freed: Cell::new(false),
        })
    }

    /// A new object.
    pub fn allocate(&self) -> rs_value {
        let number = self.objects.borrow().len();
        self.object(OWN, (self.process, number), 0, 0)
    }

    /// All objects that there ever were.
    pub fn objects(&self) -> Vec<&Object> {
        let objects = self.objects.borrow();
        let all = objects.iter().map(|object| {
            let place: *const Object = &raw const **object;
            // SAFETY: boxes stay where they are, and as long as the heap.
            unsafe { &*place }
        });
        all.collect()
    }

    /// What functions hold that are under way.
    pub fn held(&self) -> Vec<rs_value> {
        self.stack.borrow().clone()
    }

    /// Runs while these values are roots too.
    pub fn holding<R>(&self, values: &[rs_value], run: impl FnOnce() -> R) -> R {
        let before = self.stack.borrow().len();
        self.stack.borrow_mut().extend_from_slice(values);
        let result = run();
        self.stack.borrow_mut().truncate(before);
        result
    }

    pub fn expect_alive(&self, object: &Object) {
        match self.world() {
            Some(world) if object.is_freed.get() => {
                world.fails(format!("{} was freed", object.text));
            }
            Some(_) => {}
            None => assert!(!object.is_freed.get(), "{} was freed", object.text),
        }
    }

    fn mark(&self, from: impl IntoIterator<Item = rs_value>) {
        let mut worklist: Vec<rs_value> = from.into_iter().collect();
        while let Some(value) = worklist.pop() {
            let Some(object) = object(value) else {
                continue;
            };
            self.expect_alive(object);
            if !object.is_marked.replace(true) {
                worklist.extend(object.fields.iter().map(Cell::get));
            }
        }
    }

    fn mark_by(
        &self,
        function: unsafe extern "C" fn(*mut rs_vm, rs_gc_visit_fn, *mut c_void) -> rs_status,
    ) {
        unsafe extern "C" fn visit(data: *mut c_void, value: rs_value) {
            // SAFETY: the vector of the call below.
            unsafe { (*data.cast::<Vec<rs_value>>()).push(value) };
        }
        let mut roots: Vec<rs_value> = Vec::new();
        // SAFETY: as a collector's call, from the only thread.
        let status = unsafe { function(self.vm, Some(visit), (&raw mut roots).cast()) };
        assert_eq!(status, RS_OK);
        self.mark(roots);
    }

    /// Collects all garbage.
    pub fn collect(&self) {
        unsafe extern "C" fn is_alive(_data: *mut c_void, value: rs_value) -> u32 {
            u32::from(object(value).unwrap().is_marked.get())
        }
        self.mark(self.roots.iter().map(Cell::get));
        self.mark(self.held());
        if self.collects {
            self.mark_by(rs_gc_visit_own_roots);
            // SAFETY: as a collector's call, from the only thread.
            let status = unsafe { rs_gc_summarise(self.vm, Some(is_alive), ptr::null_mut()) };
            assert_eq!(status, RS_OK);
        }
        self.mark_by(rs_gc_visit_roots);
        // SAFETY: as above.
        let status = unsafe { rs_gc_sweep(self.vm, Some(is_alive), ptr::null_mut()) };
        assert_eq!(status, RS_OK);
        for object in self.objects() {
            if !object.is_marked.replace(false) && !object.is_freed.get() {
                if let Some(world) = self.world() {
                    world.frees(self.process, object);
                }
                object.is_freed.set(true);
            }
        }
    }

    fn operation(&self, code: u32, index: usize, arguments: &[rs_value]) -> rs_operation {
        rs_operation {
            index: index as u64,
            arguments: arguments.as_ptr(),
            arguments_count: arguments.len() as u64,
            ..rs_operation::new(code)
        }
    }

    fn asks(&self, target: &Object, arguments: &[rs_value]) -> usize {
        let argument = arguments.first().and_then(|&value| name(value));
        let world = self.world();
        world.map_or(0, |world| {
            world.asks(self.process, target.link, target.name, argument)
        })
    }

    /// Asks for a field, or to set it; the request, and what the world calls it.
    pub fn begin(
        &self,
        wrapper: &Object,
        field: usize,
        value: Option<rs_value>,
    ) -> (rs_link, u64, usize) {
        let arguments: Vec<rs_value> = value.into_iter().collect();
        let code = match value {
            Some(_) => RS_WRITE_ELEMENT,
            None => RS_READ_ELEMENT,
        };
        let operation = self.operation(code, field, &arguments);
        let asked = self.asks(wrapper, &arguments);
        let mut request = 0;
        // SAFETY: valid pointers.
        let status = unsafe {
            rs_remote_begin(
                self.vm,
                wrapper.link,
                wrapper.remote,
                &operation,
                &mut request,
            )
        };
        assert_eq!(status, RS_OK, "{}", wrapper.text);
        (wrapper.link, request, asked)
    }

    /// The result of a request, if it is there.
    pub fn poll(&self, link: rs_link, request: u64) -> Option<rs_value> {
        let mut value = 0;
        // SAFETY: a valid pointer.
        match unsafe { rs_remote_finish(self.vm, link, request, 0, &mut value) } {
            RS_OK => Some(value),
            status => {
                assert_eq!(
                    status, RS_MORE,
                    "request {request} of {} over {link:#x}",
                    self.process
                );
                None
            }
        }
    }

    pub fn forget(&self, link: rs_link, request: u64) {
        // SAFETY: any number may be given.
        assert_eq!(unsafe { rs_remote_forget(self.vm, link, request) }, RS_OK);
    }

    /// Asks for a field, or to set it, and waits.
    pub fn request(
        &self,
        wrapper: &Object,
        field: usize,
        value: Option<rs_value>,
    ) -> Result<rs_value, rs_status> {
        let arguments: Vec<rs_value> = value.into_iter().collect();
        let code = match value {
            Some(_) => RS_WRITE_ELEMENT,
            None => RS_READ_ELEMENT,
        };
        let operation = self.operation(code, field, &arguments);
        let asked = self.asks(wrapper, &arguments);
        let mut result = 0;
        // SAFETY: valid pointers.
        let status = unsafe {
            rs_remote_request(
                self.vm,
                wrapper.link,
                wrapper.remote,
                &operation,
                &mut result,
            )
        };
        if let Some(world) = self.world() {
            world.forgets(asked);
        }
        match status {
            RS_OK => Ok(result),
            status => Err(status),
        }
    }

    /// What the peer has exported.
    pub fn variable(&self, link: rs_link, name: &str) -> Result<rs_value, rs_status> {
        let operation = rs_operation {
            name: name.as_ptr().cast(),
            name_length: name.len() as u64,
            ..rs_operation::new(RS_READ_VARIABLE)
        };
        let mut result = 0;
        // SAFETY: valid pointers.
        let status =
            unsafe { rs_remote_request(self.vm, link, RS_NO_REMOTE, &operation, &mut result) };
        match status {
            RS_OK => Ok(result),
            status => Err(status),
        }
    }

    pub fn export(&self, link: rs_link, name: *const c_char, value: rs_value) {
        // SAFETY: a C string.
        let status = unsafe { rs_link_export(self.vm, link, name, value, RS_CAN_ALL) };
        assert_eq!(status, RS_OK);
    }

    /// Serves a link for so many nanoseconds; 0 for what is there.
    pub fn serve(&self, link: rs_link, budget: u64) -> rs_status {
        // SAFETY: any id may be given.
        unsafe { rs_link_serve(self.vm, link, budget) }
    }

    pub fn counts(&self, link: rs_link) -> rs_link_statistics {
        let mut counts = rs_link_statistics {
            size: size_of::<rs_link_statistics>() as u32,
            ..rs_link_statistics::default()
        };
        // SAFETY: a valid pointer.
        let status = unsafe { rs_link_counts(self.vm, link, &mut counts) };
        assert_eq!(status, RS_OK);
        counts
    }

    pub fn begin_round(&self, timeout: u64) -> rs_status {
        // SAFETY: any values may be given.
        unsafe { rs_cycles_begin(self.vm, self.main, timeout) }
    }

    /// How many pins were let go; none if the round goes on.
    pub fn finish_round(&self, waits: bool) -> Option<u64> {
        let mut count = 0;
        // SAFETY: a valid pointer.
        match unsafe { rs_cycles_finish(self.vm, self.main, u32::from(waits), &mut count) } {
            RS_OK => Some(count),
            status => {
                assert_eq!(status, RS_MORE);
                None
            }
        }
    }

    /// The same, and what may go wrong.
    pub fn try_finish_round(&self) -> Result<Option<u64>, rs_status> {
        let mut count = 0;
        // SAFETY: a valid pointer.
        match unsafe { rs_cycles_finish(self.vm, self.main, 0, &mut count) } {
            RS_OK => Ok(Some(count)),
            RS_MORE => Ok(None),
            status => Err(status),
        }
    }

    pub fn carry_out(
        &self,
        target: rs_value,
        operation: &rs_operation,
    ) -> Result<rs_value, rs_status> {
        let target = object(target).ok_or(RS_ERR_HOST)?;
        self.expect_alive(target);
        if let Some(world) = self.world() {
            world.inside(self.process);
        }
        let value = operation.arguments().first().copied();
        let field = operation.index as usize;
        if target.is_wrapper() {
            return self.request(target, field, value);
        }
        match value {
            Some(value) => target.fields[field].set(value),
            None => return Ok(target.fields[field].get()),
        }
        Ok(NIL)
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: the vm is this heap's, and nobody uses it any more.
        assert_eq!(unsafe { rs_vm_free(self.vm) }, RS_OK);
    }
}
