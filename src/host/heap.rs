//! What a walk needs to know of a heap: what is an object, what its flags are, which words of it are
//! children. [`HostHeap`](super::host_heap::HostHeap) is the one of the embedding host; models bring
//! their own.

use super::contract::{RS_ELEMENTS_INDIRECT, rs_value};
use super::flags::Flags;
use super::plan::Plan;
use crate::status::rs_status;

/// A value that points to the host's heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Object(pub rs_value);

/// How far a scan of an object's children came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// All children were visited.
    All,
    /// There are more, from this cursor on.
    Upto(u64),
}

/// What [`Heap::copy`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Words that were looked at.
    pub words: usize,
    /// Behind the last child.
    pub end: *mut rs_value,
}

/// A heap of objects with flags and children.
pub trait Heap {
    /// The flags of its objects.
    type Flags: Flags;

    /// The flags.
    fn flags(&self) -> &Self::Flags;
    /// The object that a value points to; none for an immediate.
    fn object(&self, value: rs_value) -> Option<Object>;
    /// Where an object's flags are found.
    fn address(&self, object: Object) -> usize;
    /// What an object looks like, and how to read it: fixed for its life.
    fn plan(&self, object: Object) -> &Plan;
    /// Whether an object can be shared: `RS_SHARE_YES` to `RS_SHARE_BUSY`.
    fn can_share(&self, object: Object, plan: &Plan) -> u32;
    /// Visits at most about `limit` words of an object from a cursor on: children and immediates,
    /// in a fixed order.
    fn scan<F: FnMut(rs_value)>(
        &self,
        object: Object,
        plan: &Plan,
        cursor: u64,
        limit: usize,
        visit: F,
    ) -> Result<Scanned, rs_status>;
    /// Writes all children of an object to `place`, the last one first; returns where they end, and
    /// how many words were looked at. None if they might not fit before `end`, or if that is not
    /// done at a stroke: then [`scan`](Heap::scan) does it.
    ///
    /// # Safety
    /// What lies between `place` and `end` can be written.
    unsafe fn copy(
        &self,
        _object: Object,
        _plan: &Plan,
        _place: *mut rs_value,
        _end: *mut rs_value,
    ) -> Option<Copied> {
        None
    }
    /// Whether an object refers to another; none if [`scan`](Heap::scan) is to find out.
    fn refers_to(&self, _object: Object, _plan: &Plan, _other: Object) -> Option<bool> {
        None
    }
    /// Brings an object nearer to the processor.
    fn prefetch(&self, object: Object);
    /// Brings what an object holds behind a pointer nearer; the object itself is near.
    fn prefetch_elements(&self, _object: Object) {}
    /// Whether any object's kind wants to know that it is becoming shareable.
    fn wants_commits(&self) -> bool {
        true
    }
    /// The object is becoming shareable.
    fn commit(&self, object: Object, plan: &Plan);
}

/// Whether a write to the object may move its children's words: its writer waits for a scan.
#[inline(always)]
pub fn is_indirect(plan: &Plan) -> bool {
    plan.elements >= RS_ELEMENTS_INDIRECT
}

/// Where a value lies, if it is an object.
#[inline]
pub fn address(heap: &impl Heap, value: rs_value) -> Option<usize> {
    heap.object(value).map(|object| heap.address(object))
}
