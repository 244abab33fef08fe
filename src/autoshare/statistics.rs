//! What happened on a vm, in numbers.

#![allow(non_camel_case_types)]

use crate::sync::{AtomicU64, Ordering};

/// Counts since the vm was made.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct rs_statistics {
    /// `sizeof(rs_statistics)` as the caller was compiled; set by the caller.
    pub size: u32,
    /// Padding; 0.
    pub reserved: u32,
    /// Calls of `rs_autoshare_mark` and marks at the first ractor, one for each slot.
    pub marks: u64,
    /// Objects that were marked, by those.
    pub objects_marked: u64,
    /// Objects that went from A to B because main wrote to them.
    pub objects_written: u64,
    /// Objects that went from A to B because they lie on the path to a blocker.
    pub objects_demoted: u64,
    /// Accesses that were not answered by a flag alone.
    pub accesses: u64,
    /// Walks that began, restarts included.
    pub walks: u64,
    /// Graphs that became shareable.
    pub graphs_shared: u64,
    /// Objects that became shareable.
    pub objects_shared: u64,
    /// Walks that failed because of what they met.
    pub walks_blocked: u64,
    /// Walks that failed because main wrote to what they had claimed.
    pub walks_lost: u64,
    /// Walks that began anew for another reason: collections, changes of representation.
    pub walks_restarted: u64,
    /// Times that main waited for a piece of a walk.
    pub main_waits: u64,
    /// Most bytes of memory that walks have held at a time.
    pub walk_memory_peak: u64,
}

/// The counters behind [`rs_statistics`].
#[derive(Default)]
pub struct Counters {
    pub(crate) marks: Counter,
    pub(crate) objects_marked: Counter,
    pub(crate) objects_written: Counter,
    pub(crate) objects_demoted: Counter,
    pub(crate) accesses: Counter,
    pub(crate) walks: Counter,
    pub(crate) graphs_shared: Counter,
    pub(crate) objects_shared: Counter,
    pub(crate) walks_blocked: Counter,
    pub(crate) walks_lost: Counter,
    pub(crate) walks_restarted: Counter,
    pub(crate) main_waits: Counter,
    pub(crate) walk_memory_peak: Counter,
}

/// One count that any thread may add to.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to the count.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Raises the count to at least `amount`.
    pub fn raise(&self, amount: u64) {
        self.0.fetch_max(amount, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// The counts as they are now.
    pub fn read(&self) -> rs_statistics {
        rs_statistics {
            size: size_of::<rs_statistics>() as u32,
            reserved: 0,
            marks: self.marks.get(),
            objects_marked: self.objects_marked.get(),
            objects_written: self.objects_written.get(),
            objects_demoted: self.objects_demoted.get(),
            accesses: self.accesses.get(),
            walks: self.walks.get(),
            graphs_shared: self.graphs_shared.get(),
            objects_shared: self.objects_shared.get(),
            walks_blocked: self.walks_blocked.get(),
            walks_lost: self.walks_lost.get(),
            walks_restarted: self.walks_restarted.get(),
            main_waits: self.main_waits.get(),
            walk_memory_peak: self.walk_memory_peak.get(),
        }
    }
}
