//! A heap of a few objects whose memory is loom's, so that every access is a step of the model.

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use vmshare::host::contract::{
    RS_ELEMENTS_INDIRECT, RS_ELEMENTS_NONE, RS_POINTERS_ALIGNED_8, RS_SHARE_YES, rs_layout,
    rs_pointers, rs_value,
};
use vmshare::host::flags::{Flags, Masks};
use vmshare::host::heap::{Heap, Object, Scanned};
use vmshare::host::plan::Plan;
use vmshare::status::rs_status;
use vmshare::sync::Word;

pub const FROZEN: u32 = 1;
pub const SHAREABLE: u32 = 2;
pub const AUTOSHARE: u32 = 4;
pub const PENDING: u32 = 8;

/// How the children of an object lie.
#[derive(Clone, Copy, PartialEq)]
pub enum Shape {
    /// In the object: a writer does not wait for a scan.
    Inline,
    /// Behind a pointer: the memory may be freed by a writer.
    Indirect,
}

/// An object: its address is 8 × (its number + 1).
pub struct Model {
    shape: Shape,
    flags: AtomicU32,
    children: Vec<AtomicUsize>,
    /// Read by each scan of indirect children, written by each change of them: loom reports a
    /// race if a writer does not wait.
    buffer: UnsafeCell<()>,
    /// Read by each look at the object, written when it is freed.
    memory: UnsafeCell<()>,
}

pub struct ModelHeap {
    objects: Vec<Model>,
    /// A walk that looks at this object has believed a torn read.
    pub forbidden: Option<usize>,
}

const fn plan(elements: u8) -> Plan {
    let layout = rs_layout {
        share: RS_SHARE_YES as u8,
        elements,
        length_width: 64,
        length_shift: 0,
        length_bits: 0,
        fields_offset: 0,
        fields_count: 1,
        elements_offset: 0,
        length_offset: 0,
        commit: 0,
        name: core::ptr::null(),
    };
    let pointers = rs_pointers {
        tags: RS_POINTERS_ALIGNED_8,
        tag_mask: 0,
        lowest: 8,
    };
    Plan::new(layout, &pointers)
}

static INLINE: Plan = plan(RS_ELEMENTS_NONE);
static INDIRECT: Plan = plan(RS_ELEMENTS_INDIRECT);

/// The value of object number `number`.
pub fn value(number: usize) -> rs_value {
    (number + 1) * 8
}

pub fn object(number: usize) -> Object {
    Object(value(number))
}

impl ModelHeap {
    /// Objects with these shapes, flags and children.
    pub fn new(objects: &[(Shape, u32, &[usize])]) -> Self {
        ModelHeap {
            objects: objects
                .iter()
                .map(|(shape, flags, children)| Model {
                    shape: *shape,
                    flags: AtomicU32::new(*flags),
                    children: children
                        .iter()
                        .map(|child| AtomicUsize::new(value(*child)))
                        .collect(),
                    buffer: UnsafeCell::new(()),
                    memory: UnsafeCell::new(()),
                })
                .collect(),
            forbidden: None,
        }
    }

    fn model(&self, address: usize) -> &Model {
        let number = address / 8 - 1;
        assert_ne!(self.forbidden, Some(number), "a torn child was used");
        let model = &self.objects[number];
        model.memory.with(|_| ());
        model
    }

    /// The owner writes a child. It has asked before.
    pub fn write(&self, number: usize, child: usize, to: rs_value) {
        let model = &self.objects[number];
        if model.shape == Shape::Indirect {
            model.buffer.with_mut(|_| ());
        }
        model.children[child].store(to, Ordering::Relaxed);
    }

    /// The owner moves the children, without changing what they are.
    pub fn move_buffer(&self, number: usize) {
        self.objects[number].buffer.with_mut(|_| ());
    }

    pub fn child(&self, number: usize, child: usize) -> rs_value {
        self.objects[number].children[child].load(Ordering::Relaxed)
    }

    /// The memory of an object is freed.
    pub fn free(&self, number: usize) {
        self.objects[number].memory.with_mut(|_| ());
    }

    pub fn flags_now(&self, number: usize) -> u32 {
        Word::load(&self.objects[number].flags) as u32
    }

    /// The program freezes an object.
    pub fn freeze(&self, number: usize) {
        self.objects[number]
            .flags
            .fetch_or(FROZEN, Ordering::AcqRel);
    }
}

impl Flags for &ModelHeap {
    fn masks(&self) -> Masks {
        Masks::new(
            u64::from(FROZEN),
            u64::from(SHAREABLE),
            u64::from(AUTOSHARE),
            u64::from(PENDING),
        )
    }

    fn covers(&self, _address: usize) -> bool {
        true
    }

    fn load(&self, address: usize) -> u64 {
        Word::load(&self.model(address).flags)
    }

    fn store(&self, address: usize, value: u64) {
        Word::store(&self.model(address).flags, value);
    }

    fn compare_exchange(&self, address: usize, old: u64, new: u64) -> Result<u64, u64> {
        Word::compare_exchange(&self.model(address).flags, old, new)
    }

    fn fetch_or(&self, address: usize, bits: u64) -> u64 {
        Word::fetch_or(&self.model(address).flags, bits)
    }

    fn fetch_clear(&self, address: usize, bits: u64) -> u64 {
        Word::fetch_clear(&self.model(address).flags, bits)
    }
}

/// The heap as a walk or its owner sees it: a reference that can be handed to each thread.
pub struct View<'a>(pub &'a ModelHeap);

impl<'a> Heap for View<'a> {
    type Flags = &'a ModelHeap;

    fn flags(&self) -> &&'a ModelHeap {
        &self.0
    }

    fn object(&self, value: rs_value) -> Option<Object> {
        (value >= 8).then_some(Object(value))
    }

    fn address(&self, object: Object) -> usize {
        object.0
    }

    fn plan(&self, object: Object) -> &Plan {
        match self.0.model(object.0).shape {
            Shape::Inline => &INLINE,
            Shape::Indirect => &INDIRECT,
        }
    }

    fn can_share(&self, _object: Object, plan: &Plan) -> u32 {
        u32::from(plan.share)
    }

    fn scan<F: FnMut(rs_value)>(
        &self,
        object: Object,
        _plan: &Plan,
        cursor: u64,
        limit: usize,
        mut visit: F,
    ) -> Result<Scanned, rs_status> {
        let model = self.0.model(object.0);
        let first = cursor as usize;
        let end = model.children.len().min(first.saturating_add(limit));
        for child in &model.children[first..end] {
            if model.shape == Shape::Indirect {
                model.buffer.with(|_| ());
            }
            visit(child.load(Ordering::Relaxed));
        }
        Ok(match end < model.children.len() {
            true => Scanned::Upto(end as u64),
            false => Scanned::All,
        })
    }

    fn prefetch(&self, _object: Object) {}

    fn commit(&self, _object: Object, _plan: &Plan) {}
}
