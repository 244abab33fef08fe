//! On whose behalf a thread works: the request that it is carrying out, if any.
//!
//! What it asks for meanwhile, over whichever link, belongs to the same chain of calls and ends no later.
//! That is kept for each thread, and not for each link, since a host passes requests on from one link to
//! another inside of `operate`.

use crate::shm::deadline::Deadline;
use core::cell::Cell;

/// A chain of calls, each made while the one before is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Its number, the same in all processes that it runs through, or [`NO_CHAIN`].
    pub chain: u64,
    /// When it ends.
    pub deadline: Deadline,
    /// How many requests the thread is carrying out inside of each other.
    pub depth: u32,
}

/// The thread works for nobody.
pub const NO_CHAIN: u64 = 0;

const NOBODY: Context = Context {
    chain: NO_CHAIN,
    deadline: Deadline::NEVER,
    depth: 0,
};

std::thread_local! {
    static CURRENT: Cell<Context> = const { Cell::new(NOBODY) };
}

/// What the calling thread works for.
#[inline]
pub fn current() -> Context {
    CURRENT.get()
}

/// Works for a chain; whatever is asked for meanwhile ends no later than what is being done already.
#[inline]
pub fn within<T>(chain: u64, deadline: Deadline, work: impl FnOnce() -> T) -> T {
    let outer = Outer(current());
    CURRENT.set(Context {
        chain,
        deadline: deadline.min(outer.0.deadline),
        depth: outer.0.depth + 1,
    });
    work()
}

/// What the thread did before, and will go on with.
struct Outer(Context);

impl Drop for Outer {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_work_ends_no_later_than_the_outer_one() {
        let depths = within(7, Deadline::at(100), || {
            let outer = current();
            let inner = within(8, Deadline::at(200), current);
            assert_eq!((inner.chain, inner.deadline), (8, Deadline::at(100)));
            (outer.depth, inner.depth)
        });
        assert_eq!(depths, (1, 2));
        assert_eq!(current(), NOBODY);
    }
}
