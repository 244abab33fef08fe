//! What the processes of a trial tell each other: words in memory that all of them map.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering::SeqCst};

/// How far the one that will be killed has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    /// It prepares, or has not begun.
    Elsewhere,
    /// The asker is about to begin the request.
    BeforeBegin,
    /// It is in the call that begins it.
    InBegin,
    /// The request is begun, and not yet waited for.
    Between,
    /// The asker waits for the answer, or reads it.
    InFinish,
    /// The owner's event loop has been woken.
    Woken,
    /// The owner serves, and its host has not been asked to do anything.
    BeforeOperate,
    /// The owner's host carries the operation out.
    InOperate,
    /// The host has carried it out, and the owner serves on.
    AfterOperate,
}

/// The words. Zero is what each of them is at first.
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

/// A board that a forked child shares with this process.
pub struct SharedBoard(*mut Board);

// SAFETY: every word is atomic.
unsafe impl Sync for SharedBoard {}
// SAFETY: as above.
unsafe impl Send for SharedBoard {}

impl SharedBoard {
    pub fn new(stops_at: Phase) -> SharedBoard {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        let size = size_of::<Board>();
        // SAFETY: a new mapping.
        let place = unsafe { libc::mmap(std::ptr::null_mut(), size, access, flags, -1, 0) };
        assert_ne!(place, libc::MAP_FAILED);
        let board = SharedBoard(place.cast());
        board.stops_at.store(stops_at as u32, SeqCst);
        board
    }
}

impl std::ops::Deref for SharedBoard {
    type Target = Board;

    fn deref(&self) -> &Board {
        // SAFETY: mapped as long as this is there; zero is a value of every word.
        unsafe { &*self.0 }
    }
}

impl Drop for SharedBoard {
    fn drop(&mut self) {
        // SAFETY: this one's own mapping.
        unsafe { libc::munmap(self.0.cast(), size_of::<Board>()) };
    }
}

impl Board {
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

/// Waits for another process of the trial.
pub fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}
