//! The only place that names atomics and locks.
//!
//! Everything that threads of one process share goes through these names, so that the same code
//! runs on the machine's atomics and, built with `--cfg loom`, under loom's model checker. Loom
//! remembers only the last access of each thread to an atomic, so a thread's own load can hide
//! another thread's from it: with `VMSHARE_LOADS_AS_RMW` in the environment each load of a [`Cell`] is a
//! read-modify-write then, and every model is run both ways. (Stores are then too: loom orders a plain store
//! and another thread's read-modify-write of the old value either way, which no machine does.)
//!
//! Locks are those of std: they are a futex word each, which a forked child can take over.
//! parking_lot's keep a table for the whole process that a fork may catch half changed. But they are
//! instrumented with the rest of the code where std's are not, so ThreadSanitizer sees what they
//! order: with `--cfg vmshare_instrumented_locks` they are used instead.

#[cfg(vmshare_instrumented_locks)]
pub use parking_lot::{Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
#[cfg(all(not(loom), not(vmshare_instrumented_locks)))]
pub use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(loom)]
pub use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
#[cfg(loom)]
pub use loom::sync::{Condvar, Mutex, MutexGuard};

/// Locks, also if a thread panicked while it held the lock: the vm is poisoned as a whole then.
#[cfg(not(vmshare_instrumented_locks))]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}

/// Waits for a condition variable, with the same view of panics as [`lock`].
#[cfg(not(vmshare_instrumented_locks))]
pub fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    match condition.wait(guard) {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}

/// Locks.
#[cfg(vmshare_instrumented_locks)]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

/// Waits for a condition variable.
#[cfg(vmshare_instrumented_locks)]
pub fn wait<'a, T>(condition: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    let mut guard = guard;
    condition.wait(&mut guard);
    guard
}

/// One more round of waiting for another thread: spins at first, then gives the processor away,
/// since the other thread may need this one.
pub fn pause(round: u32) {
    #[cfg(not(loom))]
    if round < 64 {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
    #[cfg(loom)]
    {
        let _ = round;
        loom::thread::yield_now();
    }
}

/// The calling thread, as an even number that no other live thread has.
pub fn thread_number() -> usize {
    #[cfg(not(loom))]
    {
        // SAFETY: pthread_self has no preconditions.
        unsafe { libc::pthread_self() as usize }
    }
    #[cfg(loom)]
    {
        use std::hash::{Hash, Hasher};
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        loom::thread::current().id().hash(&mut hasher);
        (hasher.finish() as usize | 1) << 1
    }
}

/// Whether each load is a read-modify-write.
#[cfg(not(loom))]
const fn loads_are_rmw() -> bool {
    false
}

/// Whether each load is a read-modify-write.
#[cfg(loom)]
fn loads_are_rmw() -> bool {
    static CHOICE: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *CHOICE.get_or_init(|| std::env::var_os("VMSHARE_LOADS_AS_RMW").is_some())
}

/// A word of the sharing protocol: an atomic whose operations all have the orderings that the
/// protocol needs, so that none has to be chosen where it is used. It may lie in memory that processes share.
#[repr(transparent)]
pub struct Cell(AtomicU64);

impl Cell {
    /// A word with a first value.
    #[cfg(not(loom))]
    pub const fn new(value: u64) -> Self {
        Cell(AtomicU64::new(value))
    }

    /// A word with a first value.
    #[cfg(loom)]
    pub fn new(value: u64) -> Self {
        Cell(AtomicU64::new(value))
    }

    /// Reads; what the writer of the value did before is visible.
    pub fn load(&self) -> u64 {
        if loads_are_rmw() {
            self.0.fetch_or(0, Ordering::AcqRel)
        } else {
            self.0.load(Ordering::Acquire)
        }
    }

    /// Reads with no promise beyond the value itself.
    pub fn load_relaxed(&self) -> u64 {
        if loads_are_rmw() {
            self.0.fetch_or(0, Ordering::AcqRel)
        } else {
            self.0.load(Ordering::Relaxed)
        }
    }

    /// Writes; what this thread did before becomes visible with it.
    pub fn store(&self, value: u64) {
        if loads_are_rmw() {
            self.0.swap(value, Ordering::AcqRel);
        } else {
            self.0.store(value, Ordering::Release);
        }
    }

    /// Writes with no promise beyond the value itself.
    pub fn store_relaxed(&self, value: u64) {
        if loads_are_rmw() {
            self.0.swap(value, Ordering::AcqRel);
        } else {
            self.0.store(value, Ordering::Relaxed);
        }
    }

    /// Replaces `old` by `new`, or returns what stands there.
    pub fn compare_exchange(&self, old: u64, new: u64) -> Result<u64, u64> {
        self.0
            .compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire)
    }

    /// Adds, and returns what stood there.
    pub fn fetch_add(&self, amount: u64) -> u64 {
        self.0.fetch_add(amount, Ordering::AcqRel)
    }
}

/// An unsigned atomic of some width, seen as 64 bits: the flag word of a host's object.
pub trait Word: Sized {
    /// Reads; what the writer of the value did before is visible.
    fn load(&self) -> u64;
    /// Writes; what this thread did before becomes visible with it.
    fn store(&self, value: u64);
    /// Replaces `old` by `new`, or returns what stands there.
    fn compare_exchange(&self, old: u64, new: u64) -> Result<u64, u64>;
    /// Sets bits, and returns what stood there.
    fn fetch_or(&self, bits: u64) -> u64;
    /// Clears bits, and returns what stood there.
    fn fetch_clear(&self, bits: u64) -> u64;
}

macro_rules! word {
    ($atomic:ty, $integer:ty) => {
        impl Word for $atomic {
            #[inline(always)]
            fn load(&self) -> u64 {
                if loads_are_rmw() {
                    return u64::from(self.fetch_or(0, Ordering::AcqRel));
                }
                u64::from(self.load(Ordering::Acquire))
            }

            #[inline(always)]
            fn store(&self, value: u64) {
                if loads_are_rmw() {
                    self.swap(value as $integer, Ordering::AcqRel);
                    return;
                }
                self.store(value as $integer, Ordering::Release);
            }

            #[inline(always)]
            fn compare_exchange(&self, old: u64, new: u64) -> Result<u64, u64> {
                self.compare_exchange(
                    old as $integer,
                    new as $integer,
                    Ordering::AcqRel,
                    Ordering::Acquire,
                )
                .map(u64::from)
                .map_err(u64::from)
            }

            #[inline(always)]
            fn fetch_or(&self, bits: u64) -> u64 {
                u64::from(self.fetch_or(bits as $integer, Ordering::AcqRel))
            }

            #[inline(always)]
            fn fetch_clear(&self, bits: u64) -> u64 {
                u64::from(self.fetch_and(!(bits as $integer), Ordering::AcqRel))
            }
        }
    };
}

word!(AtomicU8, u8);
word!(AtomicU16, u16);
word!(AtomicU32, u32);
word!(AtomicU64, u64);
