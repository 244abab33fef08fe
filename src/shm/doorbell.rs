//! Sleeping until the peer has done something, and waking it.
//!
//! | value of an end's `sleeping` | written by | says |
//! |---|---|---|
//! | AWAKE | either | this end looks at the rings by itself |
//! | ASLEEP | this end | whoever changes a cursor must send this end a wake-up |
//!
//! No wake-up can be lost. The sleeper writes ASLEEP, passes a fence, and looks at the cursors once more; the waker
//! writes its cursor, passes a fence, and looks at `sleeping`. Of two such fences one is first: if the
//! sleeper's, the waker finds ASLEEP and sends; if the waker's, the sleeper finds the new cursor and does
//! not sleep. What is sent stays in the socket until somebody reads it, so it does not matter
//! whether the sleeper has reached its system call by then.
//!
//! Nor can a wake-up that is read be one for later: between reading it and writing ASLEEP again a
//! sleeper looks at the cursors. One that comes late only wakes without a reason.
//!
//! A peer that lies gains nothing. One that says ASLEEP always costs a `send` for each publication, which never
//! blocks; one that clears this end's word keeps itself from being heard; one that floods the socket keeps us
//! from sleeping while we wait for it, until our deadline. Death ends the sleep too: it hangs up the socket,
//! and makes the descriptor of the process readable.

use super::deadline::Deadline;
use super::system::{last_errno, last_failure};
use crate::status::rs_status;
use crate::sync::{Cell, Ordering, fence};
use core::ffi::{c_int, c_short};
use core::ptr::null;
use std::os::fd::{AsRawFd, BorrowedFd};

const AWAKE: u64 = 0;
const ASLEEP: u64 = 1;

/// This end is about to sleep. It must look at the cursors after this and before it does.
#[inline]
pub fn arm(own: &Cell) {
    own.store(ASLEEP);
    fence(Ordering::SeqCst);
}

/// This end does not sleep any more.
#[inline]
pub fn disarm(own: &Cell) {
    own.store(AWAKE);
}

/// Sleeps by `sleep`, having said so. What it is told is whether there is news since the sleeper last
/// looked, which `has_news` says: it shall look at its sources then, but not wait.
#[inline]
pub fn sleep_unless<T>(
    own: &Cell,
    has_news: impl FnOnce() -> bool,
    sleep: impl FnOnce(bool) -> T,
) -> T {
    arm(own);
    let has_news = has_news();
    let slept = sleep(has_news);
    disarm(own);
    slept
}

/// Whether the peer must be sent a wake-up, after a cursor was changed. The word is taken back with the answer,
/// so that one sleep is one wake-up.
#[inline]
pub fn must_wake(peers: &Cell) -> bool {
    fence(Ordering::SeqCst);
    peers.load_relaxed() == ASLEEP && peers.compare_exchange(ASLEEP, AWAKE).is_ok()
}

/// What a sleep may end by.
pub struct Sources<'a> {
    /// The link's socket: wake-ups, and the peer's hanging up.
    pub socket: BorrowedFd<'a>,
    /// Whether wake-ups end the sleep; hanging up always does.
    pub wake_ups: bool,
    /// Whether room to send in the socket ends it.
    pub room: bool,
    /// The peer's process.
    pub process: Option<BorrowedFd<'a>>,
    /// Whatever the caller wants to be interrupted by.
    pub cancel: Option<BorrowedFd<'a>>,
}

/// What a sleep has ended by; nothing of it is true if it was the deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Awakened {
    /// There is something in the socket.
    pub socket: bool,
    /// There is room in the socket, which was asked for.
    pub room: bool,
    /// The peer has hung up, or its process has ended.
    pub gone: bool,
    /// The caller's descriptor is readable.
    pub cancelled: bool,
    /// A signal was handled.
    pub interrupted: bool,
}

/// Sleeps until a source has something to say, a signal was handled, or the deadline.
pub fn sleep(sources: &Sources, deadline: Deadline) -> Result<Awakened, rs_status> {
    let wake_ups = if sources.wake_ups { libc::POLLIN } else { 0 };
    let room = if sources.room { libc::POLLOUT } else { 0 };
    // A negative descriptor is one that the kernel passes over.
    let mut polled = [
        poll_for(Some(sources.socket), wake_ups | room | libc::POLLRDHUP),
        poll_for(sources.process, libc::POLLIN),
        poll_for(sources.cancel, libc::POLLIN),
    ];
    let left = deadline.left();
    let time = left.as_ref().map_or(null(), |left| left as *const _);
    // SAFETY: the array and the time are this frame's; no signal mask is passed.
    let count = unsafe { libc::ppoll(polled.as_mut_ptr(), 3, time, null()) };
    if count == -1 {
        return match last_errno() {
            libc::EINTR => Ok(Awakened {
                interrupted: true,
                ..Awakened::default()
            }),
            _ => Err(last_failure()),
        };
    }
    let hung_up = libc::POLLHUP | libc::POLLRDHUP | libc::POLLERR | libc::POLLNVAL;
    Ok(Awakened {
        socket: polled[0].revents & libc::POLLIN != 0,
        room: polled[0].revents & libc::POLLOUT != 0,
        gone: polled[0].revents & hung_up != 0 || polled[1].revents != 0,
        cancelled: polled[2].revents != 0,
        interrupted: false,
    })
}

fn poll_for(descriptor: Option<BorrowedFd>, events: c_short) -> libc::pollfd {
    const NONE: c_int = -1;
    libc::pollfd {
        fd: descriptor.map_or(NONE, |descriptor| descriptor.as_raw_fd()),
        events,
        revents: 0,
    }
}
