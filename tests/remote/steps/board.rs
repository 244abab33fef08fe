//! What the processes of a trial tell each other: words in memory that all of them map.

use crate::kind::Phase;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering::SeqCst};

/// The words.
#[derive(Default)]
pub struct Board {
    /// The tracer holds the one that will be killed.
    pub is_traced: AtomicBool,
    /// Where that one is: a [`Phase`].
    phase: AtomicU32,
    /// The phase at whose beginning and end it stops for the tracer.
    stops_at: AtomicU32,
    /// Everything is prepared: phases count.
    is_ready: AtomicBool,
    /// The owner has served everything and is about to sleep.
    pub owner_sleeps: AtomicBool,
    /// The owner's host has begun to carry out an operation: for each index the bit of that number.
    carried_out: AtomicU64,
    /// The descriptors of the joiner's end, in the maker's process; each more by one.
    pub segment: AtomicI32,
    pub socket: AtomicI32,
    /// The joiner has them.
    pub is_joined: AtomicBool,
}

impl Board {
    /// The one that will be killed stops at the beginning and at the end of this phase.
    pub fn stop_at(&self, phase: Phase) {
        self.stops_at.store(phase as u32, SeqCst);
    }

    /// Phases count from now on.
    pub fn set_ready(&self) {
        self.is_ready.store(true, SeqCst);
    }

    pub fn is_ready(&self) -> bool {
        self.is_ready.load(SeqCst)
    }

    /// The one that will be killed has come here; it stops if its phase begins or ends with that.
    pub fn reach(&self, phase: Phase) {
        let before = self.phase.swap(phase as u32, SeqCst);
        let wanted = self.stops_at.load(SeqCst);
        if before != phase as u32 && (before == wanted || phase as u32 == wanted) {
            // SAFETY: no preconditions. The tracer sees it, and nobody else.
            unsafe { libc::raise(libc::SIGSTOP) };
        }
    }

    pub fn is_at(&self, phase: Phase) -> bool {
        self.phase.load(SeqCst) == phase as u32
    }

    /// The owner's host begins to carry out the operation with this index.
    pub fn carry_out(&self, index: u64) {
        self.carried_out.fetch_or(1 << index.min(63), SeqCst);
    }

    pub fn was_carried_out(&self, index: u64) -> bool {
        self.carried_out.load(SeqCst) & 1 << index.min(63) != 0
    }

    pub fn was_anything_carried_out(&self) -> bool {
        self.carried_out.load(SeqCst) != 0
    }
}
