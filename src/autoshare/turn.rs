//! Walkers take turns: the lock that #17278 calls "the ractor lock". Main never takes it to write or to
//! mark, only to share explicitly.
//!
//! It is a flag behind a short lock, so that a thread can keep it from call to call (pull walks), and
//! so that a forked child can take it from a thread that does not exist there. What a waiting
//! thread wants to walk from is a root while it waits, since a collector may move it.

use crate::host::callbacks::Callbacks;
use crate::host::contract::rs_value;
use crate::host::memory::{HostAllocator, Vec, push};
use crate::status::{RS_ERR_ARGUMENT, RS_ERR_REENTRANT, rs_status};
use crate::sync::{AtomicU32, Condvar, Mutex, MutexGuard, Ordering, lock, thread_number, wait};

/// Who has the turn, and who keeps walks from beginning.
pub struct State {
    /// The thread that has the turn; 0 for none.
    holder: usize,
    /// How many collectors keep walks from beginning.
    collectors: u32,
    /// What waiting threads will walk from, each with its ticket.
    waiting: Vec<(u64, rs_value)>,
    next_ticket: u64,
}

/// The turn.
pub struct Turn {
    state: Mutex<State>,
    changed: Condvar,
    /// `State::collectors`, for the walker to see without the lock.
    collectors: AtomicU32,
}

impl Turn {
    /// Nobody has it.
    pub fn new(allocator: HostAllocator) -> Self {
        Turn {
            state: Mutex::new(State {
                holder: 0,
                collectors: 0,
                waiting: Vec::new_in(allocator),
                next_ticket: 0,
            }),
            changed: Condvar::new(),
            collectors: AtomicU32::new(0),
        }
    }

    /// Takes the turn to walk from `root`, which follows its object if a collector moves it while
    /// the thread waits. The host's collector need not wait for a thread that waits here.
    pub fn take(&self, callbacks: &Callbacks, root: &mut rs_value) -> Result<(), rs_status> {
        let me = thread_number();
        let mut state = lock(&self.state);
        if state.holder == me {
            return Err(RS_ERR_REENTRANT);
        }
        if state.is_free() {
            state.holder = me;
            return Ok(());
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        push(&mut state.waiting, (ticket, *root))?;
        drop(state);
        callbacks.blocking(|| {
            let mut state = lock(&self.state);
            while !state.is_free() {
                state = wait(&self.changed, state);
            }
            state.holder = me;
        });
        // No collection runs from here to the end of the call: the thread counts as running again.
        let mut state = lock(&self.state);
        if let Some(place) = state.waiting.iter().position(|waiter| waiter.0 == ticket) {
            *root = state.waiting.swap_remove(place).1;
        }
        Ok(())
    }

    /// Gives the turn back, if the calling thread has it.
    pub fn give(&self) {
        let mut state = lock(&self.state);
        if state.holder == thread_number() {
            state.holder = 0;
            drop(state);
            self.changed.notify_all();
        }
    }

    /// Whether the calling thread has the turn.
    pub fn is_mine(&self) -> bool {
        lock(&self.state).holder == thread_number()
    }

    /// Whether any thread has the turn.
    pub fn is_taken(&self) -> bool {
        lock(&self.state).holder != 0
    }

    /// Keeps walks from beginning, interrupts the one under way by `interrupt`, and waits until it
    /// has ended.
    pub fn shut(&self, callbacks: &Callbacks, interrupt: impl FnOnce()) -> Result<(), rs_status> {
        let mut state = lock(&self.state);
        if state.holder == thread_number() {
            return Err(RS_ERR_REENTRANT);
        }
        state.collectors += 1;
        self.collectors.store(state.collectors, Ordering::Relaxed);
        if state.holder == 0 {
            return Ok(());
        }
        drop(state);
        interrupt();
        callbacks.blocking(|| {
            let mut state = lock(&self.state);
            while state.holder != 0 {
                state = wait(&self.changed, state);
            }
        });
        Ok(())
    }

    /// Whether a collector waits for the turn to be given back: a walk that has begun too late to be
    /// interrupted asks between its pieces.
    pub fn is_shut(&self) -> bool {
        self.collectors.load(Ordering::Relaxed) != 0
    }

    /// Lets walks begin again.
    pub fn open(&self) -> Result<(), rs_status> {
        let mut state = lock(&self.state);
        state.collectors = state.collectors.checked_sub(1).ok_or(RS_ERR_ARGUMENT)?;
        self.collectors.store(state.collectors, Ordering::Relaxed);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Visits the place of every value that a waiting thread will walk from.
    pub fn for_each_mut(&self, mut visit: impl FnMut(&mut rs_value)) {
        lock(&self.state)
            .waiting
            .iter_mut()
            .for_each(|waiter| visit(&mut waiter.1));
    }

    /// In a forked child: no other thread exists, so none has the turn or waits for it.
    pub fn forget_others(&self, state: &mut State) {
        state.holder = 0;
        state.collectors = 0;
        state.waiting.clear();
        self.collectors.store(0, Ordering::Relaxed);
    }

    /// Holds the state itself, over a fork.
    pub fn hold(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn is_free(&self) -> bool {
        self.holder == 0 && self.collectors == 0
    }
}
