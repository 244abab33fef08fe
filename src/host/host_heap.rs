//! The heap of the embedding host, read as its contract says.

use super::callbacks::{Callbacks, VISITOR_ROOM};
use super::contract::{
    RS_ELEMENTS_ASK, RS_ELEMENTS_INDIRECT, RS_ELEMENTS_INLINE, RS_ELEMENTS_NONE, RS_SHARE_ASK,
    RS_SHARE_NO, rs_pointers, rs_type_tag, rs_value,
};
use super::flags::{AnyFlags, Flags};
use super::heap::{Copied, Heap, Object, Scanned};
use super::plan::{FEW, Plan, Plans, bare_layout};
use crate::status::rs_status;
use crate::sync::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use core::ops::Range;

/// Most elements that [`Heap::copy`] copies.
const AT_A_STROKE: usize = 256;

/// The plan of objects outside of the range that the host named: they have no flags.
static OUTSIDE: Plan = Plan::new(
    bare_layout(RS_SHARE_NO, RS_ELEMENTS_NONE),
    &rs_pointers {
        lowest: 0,
        tag_mask: 0,
        tags: 0,
    },
);

/// What stands in the fields of an object that has none.
static NOTHING: rs_value = 0;

/// The heap of the embedding host.
pub struct HostHeap<'a, F> {
    flags: F,
    pointers: rs_pointers,
    type_tag: rs_type_tag,
    plans: &'a [Plan],
    /// The plan of objects whose type has no layout.
    ask: &'a Plan,
    /// Most fields of any of the plans whose fields are few.
    few: usize,
    callbacks: &'a Callbacks,
}

/// The heap of the embedding host, whatever its placement.
pub type AnyHeap<'a> = HostHeap<'a, AnyFlags>;

impl<'a, F: Flags> HostHeap<'a, F> {
    /// The heap that a host describes.
    pub fn new(
        flags: F,
        pointers: rs_pointers,
        type_tag: rs_type_tag,
        plans: &'a Plans,
        callbacks: &'a Callbacks,
    ) -> Self {
        HostHeap {
            flags,
            pointers,
            type_tag,
            plans: plans.all(),
            ask: plans.ask(),
            few: plans.few(),
            callbacks,
        }
    }

    /// Visits all that an object refers to. Unlike a walk, which passes over objects that can have no flags, this
    /// one looks into those too that lie outside of the range which the host named.
    pub fn references(&self, object: Object, visit: impl FnMut(rs_value)) -> Result<(), rs_status> {
        let plan = self.plans.get(self.tag(object)).unwrap_or(self.ask);
        self.scan(object, plan, 0, usize::MAX, visit).map(|_| ())
    }

    #[inline(always)]
    fn is_object(&self, value: rs_value) -> bool {
        self.has_tag(value, self.pointers.tags)
    }

    /// Whether a value is that of an object, with one of these low bits.
    #[inline(always)]
    fn has_tag(&self, value: rs_value, tags: u32) -> bool {
        let tagged = (tags >> (value & 31)) & 1 != 0;
        (value >= self.pointers.lowest) & tagged
    }

    /// The type tag of an object. Most hosts keep it in 32 bits: only those are read inline, which
    /// spares every other object a jump.
    #[inline(always)]
    fn tag(&self, object: Object) -> usize {
        let tag = &self.type_tag;
        let word = match tag.width == 32 {
            true => load_number(self.address(object) + usize::from(tag.offset), 32),
            false => self.load_tag(object),
        };
        ((word >> (tag.shift & 63)) as u32 & tag.mask) as usize
    }

    #[inline(never)]
    fn load_tag(&self, object: Object) -> u64 {
        let place = self.address(object) + usize::from(self.type_tag.offset);
        match self.type_tag.width {
            0 => object.0 as u64,
            width => load_number(place, width),
        }
    }

    /// The few fields of an object, the last one first, each with the low bits that an object has there;
    /// without a branch that depends on the object. Fields that are not there come with no low bits.
    #[inline(always)]
    fn few_fields(&self, object: Object, plan: &Plan) -> impl Iterator<Item = (rs_value, u32)> {
        let start = match plan.fields_count {
            0 => &raw const NOTHING as usize,
            _ => self.address(object),
        };
        // How many there are is the same for all objects of a host, so that the processor knows it.
        (0..FEW)
            .take_while(|&place| place < 2 || place < self.few)
            .map(move |place| {
                let (offset, tags) = plan.field(place);
                (load_value(start + offset), tags)
            })
    }

    /// Copies the children of an object that has a few fields, the last one first.
    ///
    /// # Safety
    /// FEW words can be written from `place` on.
    #[inline(always)]
    unsafe fn copy_few(&self, object: Object, plan: &Plan, place: *mut rs_value) -> Copied {
        let mut next = place;
        for (value, tags) in self.few_fields(object, plan) {
            // SAFETY: the caller's promise.
            unsafe {
                *next = value;
                next = next.add(usize::from(self.has_tag(value, tags)));
            }
        }
        Copied {
            words: usize::from(plan.fields_count),
            end: next,
        }
    }

    /// Lets the host write the children of an object, and keeps the objects among them, the last one
    /// first.
    ///
    /// # Safety
    /// What lies between `place` and `end` can be written.
    #[inline(always)]
    unsafe fn copy_asked(
        &self,
        object: Object,
        place: *mut rs_value,
        end: *mut rs_value,
    ) -> Option<Copied> {
        if (end as usize - place as usize) < 2 * VISITOR_ROOM * size_of::<rs_value>() {
            return None;
        }
        // SAFETY: the caller's promise; there is room for what the host writes behind the room for
        // what is kept of it.
        unsafe {
            let written = place.add(VISITOR_ROOM);
            let limit = written.add(VISITOR_ROOM);
            let written_end = self.callbacks.all_children(object, written, limit)?;
            let words = (written_end as usize - written as usize) / size_of::<rs_value>();
            let mut next = place;
            for index in (0..words).rev() {
                let value = *written.add(index);
                *next = value;
                next = next.add(usize::from(self.is_object(value)));
            }
            Some(Copied { words, end: next })
        }
    }

    /// Visits words `[from, …)` of the fixed fields and elements.
    #[inline(always)]
    fn scan_words<V: FnMut(rs_value)>(
        &self,
        object: Object,
        plan: &Plan,
        from: u64,
        limit: usize,
        mut visit: V,
    ) -> Scanned {
        let address = self.address(object);
        let fields = usize::from(plan.fields_count);
        let from = from as usize;
        if from < fields {
            let start = address + usize::from(plan.fields_offset);
            for index in from..fields {
                visit(load_value(start + index * size_of::<rs_value>()));
            }
        }
        if plan.elements == RS_ELEMENTS_NONE {
            return Scanned::All;
        }
        let (start, length) = elements(address, plan);
        let first = from.saturating_sub(fields);
        let range = piece(first, length, limit);
        for index in range.clone() {
            visit(load_value(start + index * size_of::<rs_value>()));
        }
        if range.end < length {
            Scanned::Upto((fields + range.end) as u64)
        } else {
            Scanned::All
        }
    }
}

/// The elements to visit now: from `first` on, `limit` at most.
#[inline(always)]
fn piece(first: usize, length: usize, limit: usize) -> Range<usize> {
    let first = first.min(length);
    first..length.min(first.saturating_add(limit))
}

/// Where the elements of an object begin, and how many there are.
#[inline(always)]
fn elements(address: usize, plan: &Plan) -> (usize, usize) {
    let place = address + usize::from(plan.elements_offset);
    let start = match plan.elements {
        RS_ELEMENTS_INLINE => place,
        _ => load_value(place),
    };
    let length = address + usize::from(plan.length_offset);
    let length = match plan.length_width {
        64 => load_number(length, 64),
        width => load_shorter(length, width),
    };
    match start {
        0 => (0, 0),
        start => (start, plan.length(length) as usize),
    }
}

/// Reads a child's word, which its owner may be writing at this moment.
#[inline(always)]
fn load_value(place: usize) -> rs_value {
    // SAFETY: the host's layout says that an aligned word stands here, in an object that is alive;
    // it may be written meanwhile, hence the atomic.
    unsafe { (*(place as *const AtomicUsize)).load(Ordering::Relaxed) }
}

#[inline(never)]
fn load_shorter(place: usize, width: u8) -> u64 {
    load_number(place, width)
}

/// Reads a number of the given width in bits.
#[inline(always)]
fn load_number(place: usize, width: u8) -> u64 {
    // SAFETY: the host says that an aligned number of this width stands here, in an object that
    // is alive; it may be written meanwhile, hence the atomics.
    unsafe {
        match width {
            8 => u64::from((*(place as *const AtomicU8)).load(Ordering::Relaxed)),
            16 => u64::from((*(place as *const AtomicU16)).load(Ordering::Relaxed)),
            32 => u64::from((*(place as *const AtomicU32)).load(Ordering::Relaxed)),
            _ => (*(place as *const AtomicU64)).load(Ordering::Relaxed),
        }
    }
}

impl<F: Flags> Heap for HostHeap<'_, F> {
    type Flags = F;

    #[inline(always)]
    fn flags(&self) -> &F {
        &self.flags
    }

    #[inline(always)]
    fn object(&self, value: rs_value) -> Option<Object> {
        self.is_object(value).then_some(Object(value))
    }

    #[inline(always)]
    fn address(&self, object: Object) -> usize {
        object.0 & !(self.pointers.tag_mask as usize)
    }

    #[inline(always)]
    fn plan(&self, object: Object) -> &Plan {
        if !self.flags.covers(self.address(object)) {
            return &OUTSIDE;
        }
        self.plans.get(self.tag(object)).unwrap_or(self.ask)
    }

    #[inline(always)]
    fn can_share(&self, object: Object, plan: &Plan) -> u32 {
        match u32::from(plan.share) {
            RS_SHARE_ASK => self.callbacks.can_share(object),
            answer => answer,
        }
    }

    #[inline(always)]
    fn scan<V: FnMut(rs_value)>(
        &self,
        object: Object,
        plan: &Plan,
        cursor: u64,
        limit: usize,
        visit: V,
    ) -> Result<Scanned, rs_status> {
        if plan.elements == RS_ELEMENTS_ASK {
            return self.callbacks.children(object, cursor, limit, visit);
        }
        Ok(self.scan_words(object, plan, cursor, limit, visit))
    }

    #[inline(always)]
    unsafe fn copy(
        &self,
        object: Object,
        plan: &Plan,
        place: *mut rs_value,
        end: *mut rs_value,
    ) -> Option<Copied> {
        let room = (end as usize - place as usize) / size_of::<rs_value>();
        if plan.is_few() && room >= FEW {
            // SAFETY: there is room.
            return Some(unsafe { self.copy_few(object, plan, place) });
        }
        let address = self.address(object);
        let (start, words) = match plan.elements {
            RS_ELEMENTS_NONE => (
                address + usize::from(plan.fields_offset),
                usize::from(plan.fields_count),
            ),
            // SAFETY: the caller's promise.
            RS_ELEMENTS_ASK => return unsafe { self.copy_asked(object, place, end) },
            _ if plan.fields_count != 0 => return None,
            _ => match elements(address, plan) {
                (_, words) if words > AT_A_STROKE => return None,
                elements => elements,
            },
        };
        if words > room {
            return None;
        }
        let mut next = place;
        for index in (0..words).rev() {
            let value = load_value(start + index * size_of::<rs_value>());
            // Every word is written and only objects are kept: whether a word is an object is hard
            // to predict.
            // SAFETY: there is room.
            unsafe {
                *next = value;
                next = next.add(usize::from(self.is_object(value)));
            }
        }
        Some(Copied { words, end: next })
    }

    #[inline(always)]
    fn refers_to(&self, object: Object, plan: &Plan, other: Object) -> Option<bool> {
        plan.is_few().then(|| {
            self.few_fields(object, plan)
                .fold(false, |found, (value, tags)| {
                    found | (value == other.0 && tags != 0)
                })
        })
    }

    #[inline(always)]
    fn prefetch(&self, object: Object) {
        let address = self.address(object);
        super::prefetch::prefetch(address);
        if !self.flags.stand_in_objects() {
            self.flags.prefetch(address);
        }
    }

    #[inline(always)]
    fn prefetch_elements(&self, object: Object) {
        let plan = self.plan(object);
        if plan.elements == RS_ELEMENTS_INDIRECT {
            let start = self.address(object) + usize::from(plan.elements_offset);
            super::prefetch::prefetch(load_value(start));
        }
    }

    #[inline(always)]
    fn wants_commits(&self) -> bool {
        self.callbacks.host().commit.is_some()
    }

    #[inline(always)]
    fn commit(&self, object: Object, plan: &Plan) {
        if plan.commit != 0 {
            self.callbacks.commit(object);
        }
    }
}
