//! Points in time, on the clock that neither jumps nor can be set: CLOCK_MONOTONIC, which all
//! processes of a machine share, so that a deadline may travel to a peer.

use core::time::Duration;

const NANOSECONDS: u64 = 1_000_000_000;

/// When to stop waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(u64);

impl Deadline {
    /// It has passed already: look, but don't wait.
    pub const NOW: Deadline = Deadline(0);
    /// It never passes.
    pub const NEVER: Deadline = Deadline(u64::MAX);

    /// So long from now.
    pub fn after(time: Duration) -> Deadline {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Deadline(now().saturating_add(nanoseconds))
    }

    /// At this reading of the clock, in nanoseconds.
    pub fn at(nanoseconds: u64) -> Deadline {
        Deadline(nanoseconds)
    }

    /// The reading of the clock, in nanoseconds.
    pub fn nanoseconds(self) -> u64 {
        self.0
    }

    /// Whether it has passed at a reading of the clock.
    pub fn has_passed(self, now: u64) -> bool {
        now >= self.0
    }

    /// The time that is left, as `ppoll` takes it; `None` for ever.
    pub fn left(self) -> Option<libc::timespec> {
        if self == Deadline::NEVER {
            return None;
        }
        let left = match self {
            Deadline::NOW => 0,
            _ => self.0.saturating_sub(now()),
        };
        Some(libc::timespec {
            tv_sec: (left / NANOSECONDS) as libc::time_t,
            tv_nsec: (left % NANOSECONDS) as libc::c_long,
        })
    }
}

/// The reading of the clock, in nanoseconds. No system call where the kernel exports its clock.
pub fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the clock exists on every Linux, and `time` is this frame's.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * NANOSECONDS + time.tv_nsec as u64
}
