//! A host of random graphs: objects of a few kinds in an arena, with flags at any placement.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use vmshare::ffi;
use vmshare::host::contract::*;
use vmshare::status::*;

pub const FROZEN: u32 = 1 << 4;
pub const SHAREABLE: u32 = 1 << 5;
pub const AUTOSHARE: u32 = 1 << 6;
pub const PENDING: u32 = 1 << 7;
/// A bit of the host's own, which must survive everything.
pub const OWN: u32 = 1 << 31;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Children in the object.
    Inline = 0,
    /// Children behind a pointer.
    Indirect = 1,
    /// Children through the callback, and asked whether it can be shared.
    Asked = 2,
    /// Can never be shared.
    File = 3,
    /// Must be prepared.
    Unprepared = 4,
}

/// Children that an object has room for.
pub const ROOM: usize = 5;

#[repr(C, align(16))]
pub struct Object {
    pub flags: AtomicU32,
    pub kind: AtomicU32,
    pub length: AtomicUsize,
    pub elements: AtomicUsize,
    pub inline: [AtomicUsize; ROOM],
}

/// How a vm is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub placement: u32,
    pub mark_policy: u32,
    pub provenance: bool,
    /// No layouts: everything through callbacks.
    pub callbacks_only: bool,
    pub world_stopped: bool,
}

pub struct Host {
    pub objects: *mut Object,
    pub count: usize,
    pub vm: *mut rs_vm,
    pub main: rs_ractor,
    /// Fails the allocation after this many; negative: none.
    pub allocations_left: Cell<i64>,
    /// Fails the `prepare` after this many; negative: none.
    pub prepares_left: Cell<i64>,
    pub balance: Cell<i64>,
    layouts: Vec<rs_layout>,
    setup: Setup,
}

fn host<'a>(ctx: *mut c_void) -> &'a Host {
    // SAFETY: the ctx of every vm of these tests.
    unsafe { &*ctx.cast::<Host>() }
}

fn object<'a>(value: rs_value) -> &'a Object {
    // SAFETY: values of these tests are objects of the arena.
    unsafe { &*(value as *const Object) }
}

unsafe extern "C" fn allocate(ctx: *mut c_void, size: usize) -> *mut c_void {
    let host = host(ctx);
    match host.allocations_left.get() {
        0 => return ptr::null_mut(),
        left => host.allocations_left.set(left - 1),
    }
    host.balance.set(host.balance.get() + 1);
    // SAFETY: malloc takes any size.
    unsafe { libc::malloc(size) }
}

unsafe extern "C" fn release(ctx: *mut c_void, memory: *mut c_void, _size: usize) {
    let host = host(ctx);
    host.balance.set(host.balance.get() - 1);
    // SAFETY: came from `allocate`.
    unsafe { libc::free(memory) };
}

unsafe extern "C" fn can_share(_ctx: *mut c_void, value: rs_value) -> u32 {
    match object(value).kind.load(Ordering::Relaxed) {
        3 => RS_SHARE_NO,
        4 => RS_SHARE_NEEDS_PREPARE,
        _ => RS_SHARE_YES,
    }
}

unsafe extern "C" fn children(
    _ctx: *mut c_void,
    value: rs_value,
    visitor: *mut rs_visitor,
) -> rs_status {
    let object = object(value);
    // SAFETY: the library's visitor.
    let visitor = unsafe { &mut *visitor };
    let first = visitor.cursor as usize;
    let length = object.length.load(Ordering::Relaxed);
    // Two at a time, so that the cursor is used.
    let end = length.min(first + 2);
    for index in first..end {
        // SAFETY: the buffer has more room than two.
        unsafe {
            *visitor.next = object.child(index);
            visitor.next = visitor.next.add(1);
        }
    }
    visitor.cursor = end as u64;
    if end < length { RS_MORE } else { RS_OK }
}

unsafe extern "C" fn prepare(ctx: *mut c_void, value: rs_value) -> rs_status {
    let host = host(ctx);
    match host.prepares_left.get() {
        0 => return RS_ERR_HOST,
        left => host.prepares_left.set(left - 1),
    }
    object(value)
        .kind
        .store(Kind::Inline as u32, Ordering::Relaxed);
    RS_OK
}

unsafe extern "C" fn nothing(_ctx: *mut c_void) {}

impl Object {
    fn place(&self, index: usize) -> &AtomicUsize {
        match self.elements.load(Ordering::Relaxed) {
            0 => &self.inline[index],
            // SAFETY: indirect elements are ROOM words.
            start => unsafe { &*(start as *const AtomicUsize).add(index) },
        }
    }

    pub fn child(&self, index: usize) -> rs_value {
        self.place(index).load(Ordering::Relaxed)
    }

    pub fn set_child(&self, index: usize, value: rs_value) {
        self.place(index).store(value, Ordering::Relaxed);
    }
}

fn layout(share: u32, elements: u8, elements_offset: usize) -> rs_layout {
    rs_layout {
        share: share as u8,
        elements,
        length_width: 64,
        length_shift: 0,
        length_bits: 0,
        fields_offset: 0,
        fields_count: 0,
        elements_offset: elements_offset as u16,
        length_offset: std::mem::offset_of!(Object, length) as u16,
        commit: 0,
        name: ptr::null(),
    }
}

impl Host {
    /// A host with `count` objects, of these kinds and children, and its vm.
    pub fn new(setup: Setup, graph: &[(Kind, Vec<usize>)]) -> Box<Host> {
        let count = graph.len();
        let arena = Layout::array::<Object>(count).unwrap();
        // SAFETY: the layout is not empty, and zeros are valid objects.
        let objects = unsafe { alloc_zeroed(arena) }.cast::<Object>();
        let inline = std::mem::offset_of!(Object, inline);
        let elements = std::mem::offset_of!(Object, elements);
        let mut layouts = vec![
            layout(RS_SHARE_YES, RS_ELEMENTS_INLINE, inline),
            layout(RS_SHARE_YES, RS_ELEMENTS_INDIRECT, elements),
            layout(RS_SHARE_ASK, RS_ELEMENTS_ASK, 0),
            layout(RS_SHARE_NO, RS_ELEMENTS_INLINE, inline),
            layout(RS_SHARE_ASK, RS_ELEMENTS_INLINE, inline),
        ];
        if setup.callbacks_only {
            layouts.clear();
        }
        let mut host = Box::new(Host {
            objects,
            count,
            vm: ptr::null_mut(),
            main: 0,
            allocations_left: Cell::new(-1),
            prepares_left: Cell::new(-1),
            balance: Cell::new(0),
            layouts,
            setup,
        });
        for (number, (kind, children)) in graph.iter().enumerate() {
            host.fill(number, *kind, children);
        }
        host.open();
        host
    }

    fn fill(&self, number: usize, kind: Kind, children: &[usize]) {
        let object = self.object(number);
        object.kind.store(kind as u32, Ordering::Relaxed);
        object.flags.store(OWN, Ordering::Relaxed);
        object.length.store(children.len(), Ordering::Relaxed);
        if kind == Kind::Indirect {
            let elements = Box::leak(Box::new([0_usize; ROOM]));
            object
                .elements
                .store(elements.as_ptr() as usize, Ordering::Relaxed);
        }
        for (index, &child) in children.iter().enumerate() {
            object.set_child(index, self.value(child));
        }
    }

    fn open(&mut self) {
        // SAFETY: all members of the contract are numbers, pointers and optional functions.
        let mut contract = unsafe { std::mem::zeroed::<rs_host>() };
        contract.size = size_of::<rs_host>() as u32;
        contract.abi = RS_ABI;
        contract.ctx = ptr::from_mut(self).cast();
        contract.flags = rs_flags {
            placement: self.setup.placement,
            offset: std::mem::offset_of!(Object, flags) as u16,
            width: 32,
            granule: 4,
            frozen: u64::from(FROZEN),
            shareable: u64::from(SHAREABLE),
            autoshare: u64::from(AUTOSHARE),
            pending: u64::from(PENDING),
            heap_start: self.objects as usize,
            heap_size: self.count * size_of::<Object>(),
        };
        contract.pointers = rs_pointers {
            tags: RS_POINTERS_ALIGNED_8,
            tag_mask: 0,
            lowest: 16,
        };
        contract.type_tag = rs_type_tag {
            width: 32,
            shift: 0,
            offset: std::mem::offset_of!(Object, kind) as u16,
            mask: 0xff,
        };
        contract.layouts = self.layouts.as_ptr();
        contract.layouts_count = self.layouts.len() as u32;
        contract.mark_policy = self.setup.mark_policy;
        contract.walk_mode = u32::from(self.setup.world_stopped);
        contract.options = u32::from(self.setup.provenance);
        contract.can_share = Some(can_share);
        contract.children = Some(children);
        contract.prepare = Some(prepare);
        contract.stop_world = Some(nothing);
        contract.resume_world = Some(nothing);
        contract.allocate = Some(allocate);
        contract.release = Some(release);
        // SAFETY: the contract describes the arena, which lives as long as the host.
        let status = unsafe { ffi::vm::rs_vm_new(&contract, &mut self.vm, &mut self.main) };
        assert_eq!(status, RS_OK);
    }

    pub fn object(&self, number: usize) -> &Object {
        assert!(number < self.count);
        // SAFETY: in the arena.
        unsafe { &*self.objects.add(number) }
    }

    pub fn value(&self, number: usize) -> rs_value {
        ptr::from_ref(self.object(number)) as usize
    }

    /// The number of the object that a value points to.
    pub fn number(&self, value: rs_value) -> Option<usize> {
        (value >= 16).then(|| (value - self.objects as usize) / size_of::<Object>())
    }

    pub fn children(&self, number: usize) -> Vec<usize> {
        let object = self.object(number);
        (0..object.length.load(Ordering::Relaxed))
            .filter_map(|index| self.number(object.child(index)))
            .collect()
    }

    pub fn state(&self, number: usize) -> u32 {
        let mut state = 0;
        // SAFETY: an open vm and a value of its host.
        let status =
            unsafe { ffi::autoshare::rs_object_state(self.vm, self.value(number), &mut state) };
        assert_eq!(status, RS_OK);
        state
    }

    /// The states of all objects, and every bit of every flag word and side byte; but for one: with
    /// split flags, "ask before a write" may stand in a header when there is nothing to ask for
    /// any more, until the owner looks.
    pub fn snapshot(&self) -> Vec<(u32, u32, u8)> {
        (0..self.count)
            .map(|number| {
                let mut flags = self.object(number).flags.load(Ordering::Relaxed);
                let side = self.side_byte(number);
                if self.setup.placement == RS_FLAGS_SPLIT && side & 0xf == 0 {
                    flags &= !AUTOSHARE;
                }
                (self.state(number), flags, side)
            })
            .collect()
    }

    fn side_byte(&self, number: usize) -> u8 {
        // SAFETY: plain data.
        let mut table = unsafe { std::mem::zeroed::<ffi::vm::rs_side_table>() };
        // SAFETY: an open vm.
        if unsafe { ffi::vm::rs_vm_side_table(self.vm, &mut table) } != RS_OK {
            return 0;
        }
        let place = table
            .bytes
            .wrapping_add(self.value(number) >> table.granule);
        // SAFETY: the address lies in the table's range.
        unsafe { place.read() }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: an open vm, with no other thread.
        assert_eq!(unsafe { ffi::vm::rs_vm_free(self.vm) }, RS_OK);
        assert_eq!(self.balance.get(), 0, "all memory was given back");
        for number in 0..self.count {
            let elements = self.object(number).elements.load(Ordering::Relaxed);
            if elements != 0 {
                // SAFETY: leaked by `fill`.
                drop(unsafe { Box::from_raw(elements as *mut [usize; ROOM]) });
            }
        }
        // SAFETY: allocated by `new` with this layout.
        unsafe {
            dealloc(
                self.objects.cast(),
                Layout::array::<Object>(self.count).unwrap(),
            );
        }
    }
}
