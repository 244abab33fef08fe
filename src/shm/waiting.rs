//! Waiting for the peer: in a call of the library, or in the host's own event loop.
//!
//! An event loop polls [`Channel::descriptor`] for reading, and keeps to this order:
//!
//! 1. `prepare_to_sleep`; if it says no, there is something to do first;
//! 2. poll, with whatever else the loop waits for, and however that ends:
//! 3. `woken`, then receive and send until nothing is left.
//!
//! Between 1 and 3 nothing else of the channel is called. The descriptor stays readable while there is
//! something in the socket, and for good when the peer is gone.

use super::channel::Channel;
use super::deadline::{Deadline, now};
use super::doorbell::{self, Awakened, Sources};
use super::hello::Agreement;
use super::ring::Memory;
use super::system::{check, owned};
use crate::host::memory::Vec;
use crate::status::*;
use core::time::Duration;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Looks at the rings between two looks at the clock.
const LOOKS: u32 = 16;

/// A wait that always finds something new, and so never sleeps, looks once in so many rounds at what
/// else may end it.
const ROUNDS: u32 = 64;

/// How long to sleep at a time where wake-ups are not enough: this end has no room for more descriptors and so does not
/// read its socket, or the system had no memory for a wake-up that the peer was to get.
const SLICE: Duration = Duration::from_millis(1);

/// What a wait does meanwhile: whether it did something, so that what is waited for may be there now.
pub type Meanwhile<'a> = &'a mut dyn FnMut(&mut Channel) -> Result<bool, rs_status>;

/// How to wait.
pub struct Wait<'a> {
    /// When to give up: `RS_ERR_TIMEOUT`.
    pub deadline: Deadline,
    /// When this is readable: `RS_CANCELLED`.
    pub cancel: Option<BorrowedFd<'a>>,
    /// Called before each sleep and after it, with the channel: to take in what arrives while there is no room to
    /// send, so that two ends that send at once do not wait for each other for ever.
    pub meanwhile: Option<Meanwhile<'a>>,
    /// A signal that is handled ends the wait as the deadline does: the program may want to do something else.
    pub ends_at_signals: bool,
}

impl<'a> Wait<'a> {
    /// Until a deadline, and nothing else.
    pub fn until(deadline: Deadline) -> Wait<'a> {
        Wait {
            deadline,
            cancel: None,
            meanwhile: None,
            ends_at_signals: false,
        }
    }
}

impl Channel {
    /// Waits for the peer's hello. Errors as `try_greet`, and those of a wait: `RS_ERR_DEAD`,
    /// `RS_ERR_TIMEOUT`, `RS_CANCELLED`.
    pub fn greet(&mut self, wait: &mut Wait) -> Result<Agreement, rs_status> {
        self.wait_until(wait, |channel| channel.try_greet())
    }

    /// Receives a message, in place of what `message` holds; returns its kind. What was sent is flushed first.
    /// Errors as `try_receive`, and those of a wait. After the peer's death, first what it had sent.
    pub fn receive(&mut self, wait: &mut Wait, message: &mut Vec<u8>) -> Result<u32, rs_status> {
        self.flush();
        self.wait_until(wait, |channel| channel.try_receive(message))
    }

    /// Sends a message of any length, and shows the peer everything that was sent. Errors as `try_send`, and
    /// those of a wait: the peer gets the message as a whole or not at all, and the channel goes on.
    pub fn send(&mut self, wait: &mut Wait, kind: u32, parts: &[&[u8]]) -> Result<(), rs_status> {
        let length: usize = parts.iter().map(|bytes| bytes.len()).sum();
        if length <= self.longest_whole() {
            let send = |channel: &mut Channel| some_if(channel.try_send(kind, parts)?);
            self.wait_until(wait, send)?;
        } else {
            let length = length as u64;
            self.wait_until(wait, |channel| some_if(channel.try_open(kind, length)?))?;
            let written = self.write_all(wait, parts);
            if written.is_err() {
                self.abandon();
            }
            written?;
        }
        self.flush();
        Ok(())
    }

    fn write_all(&mut self, wait: &mut Wait, parts: &[&[u8]]) -> Result<(), rs_status> {
        for bytes in parts {
            let mut written = 0;
            self.wait_until(wait, |channel| {
                written += channel.try_write(&bytes[written..])?;
                some_if(written == bytes.len())
            })?;
        }
        Ok(())
    }

    /// Sends a descriptor and the message that announces it, and shows the peer everything that was sent. Errors
    /// as `try_send_descriptor`, and those of a wait.
    pub fn send_descriptor(
        &mut self,
        wait: &mut Wait,
        descriptor: BorrowedFd,
        kind: u32,
        parts: &[&[u8]],
    ) -> Result<(), rs_status> {
        self.wait_until(wait, |channel| {
            some_if(channel.try_send_descriptor(descriptor, kind, parts)?)
        })?;
        self.flush();
        Ok(())
    }

    /// Waits until `ready` has an answer, or fails. It is asked again whenever the peer has moved a cursor.
    pub fn wait_until<T>(
        &mut self,
        wait: &mut Wait,
        mut ready: impl FnMut(&mut Channel) -> Result<Option<T>, rs_status>,
    ) -> Result<T, rs_status> {
        let mut expired = false;
        let mut rounds = 0;
        loop {
            // Noted before the question is asked: what changes later is news. What the peer had
            // published before it died is found, since its death was noted before.
            let gone = self.peer.is_gone();
            let seen = self.cursors();
            if let Some(answer) = ready(self)? {
                return Ok(answer);
            }
            self.flush();
            if gone {
                return Err(RS_ERR_DEAD);
            }
            if expired {
                return Err(RS_ERR_TIMEOUT);
            }
            if self.did_meanwhile(wait)? {
                expired = wait.deadline.has_passed(now());
                continue;
            }
            rounds += 1;
            if self.looks_until_moved(seen, wait.deadline) && rounds % ROUNDS != 0 {
                continue;
            }
            expired = self.sleep(wait, seen)?;
        }
    }

    /// Looks for as long as a wait does before it sleeps, but not past the deadline; returns whether there is
    /// something to receive, or room again. What was sent is flushed first.
    pub fn look(&mut self, deadline: Deadline) -> bool {
        self.flush();
        let incoming = self.segment.ring(self.end.other());
        let outgoing = self.segment.ring(self.end);
        let has_news = || self.incoming.has_news(&incoming) || self.outgoing.has_news(&outgoing);
        !self.peer.is_gone() && self.looks_until(has_news, deadline)
    }

    fn did_meanwhile(&mut self, wait: &mut Wait) -> Result<bool, rs_status> {
        let Some(meanwhile) = &mut wait.meanwhile else {
            return Ok(false);
        };
        let did = meanwhile(self)?;
        self.flush();
        Ok(did)
    }

    /// The peer's two cursors. If it does anything, one of them moves.
    #[inline(always)]
    fn cursors(&self) -> (u64, u64) {
        let incoming = self.segment.ring(self.end.other());
        let outgoing = self.segment.ring(self.end);
        (incoming.published().load(), outgoing.consumed().load())
    }

    /// Looks for a while whether a cursor has moved, but not past the deadline.
    fn looks_until_moved(&self, seen: (u64, u64), deadline: Deadline) -> bool {
        self.looks_until(|| self.cursors() != seen, deadline)
    }

    /// Looks for a while whether something has come to be, but not past the deadline. Fetching the
    /// next frame at the same time as the cursor that tells of it saves a third of a round trip.
    #[inline(always)]
    fn looks_until(&self, has_come: impl Fn() -> bool, deadline: Deadline) -> bool {
        if self.spin == 0 {
            return has_come();
        }
        // What comes at once should not wait for a look at the clock.
        let mut end = None;
        loop {
            for _ in 0..LOOKS {
                self.incoming.prefetch(&self.segment.ring(self.end.other()));
                if has_come() {
                    return true;
                }
                core::hint::spin_loop();
            }
            let now = now();
            let end = end.get_or_insert(deadline.min(Deadline::at(now.saturating_add(self.spin))));
            if end.has_passed(now) {
                return false;
            }
        }
    }

    /// Sleeps, unless a cursor has moved since it was seen; returns whether the deadline has passed.
    #[cold]
    fn sleep(&mut self, wait: &Wait, seen: (u64, u64)) -> Result<bool, rs_status> {
        let until = match self.descriptors.is_full() || self.owes_wake_up {
            true => wait.deadline.min(Deadline::after(SLICE)),
            false => wait.deadline,
        };
        let awakened = doorbell::sleep_unless(
            self.segment.sleeping(self.end),
            || self.cursors() != seen,
            |has_news| {
                let until = if has_news { Deadline::NOW } else { until };
                doorbell::sleep(&self.sources(wait.cancel), until)
            },
        )?;
        self.note(awakened)?;
        match awakened.cancelled {
            true => Err(RS_CANCELLED),
            false if awakened.interrupted && wait.ends_at_signals => Ok(true),
            false => Ok(wait.deadline.has_passed(now())),
        }
    }

    fn sources<'a>(&'a self, cancel: Option<BorrowedFd<'a>>) -> Sources<'a> {
        Sources {
            socket: self.socket.descriptor(),
            wake_ups: !self.descriptors.is_full(),
            room: self.is_socket_full,
            process: self.peer.process(),
            cancel,
        }
    }

    fn note(&mut self, awakened: Awakened) -> Result<(), rs_status> {
        if awakened.gone {
            self.peer.set_gone();
        }
        self.is_socket_full &= !awakened.room;
        match awakened.socket {
            true => self.read_signal(),
            false => Ok(()),
        }
    }

    /// A descriptor for the host's event loop: readable when the peer has something to say, or is gone. It belongs
    /// to the channel.
    pub fn descriptor(&mut self) -> Result<BorrowedFd<'_>, rs_status> {
        if self.events.is_none() {
            // SAFETY: no memory is passed.
            let events = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
            add_event(
                events.as_fd(),
                self.socket.descriptor(),
                libc::EPOLLIN | libc::EPOLLRDHUP,
            )?;
            self.events = Some(events);
            self.watch_process()?;
        }
        self.events
            .as_ref()
            .map(|events| events.as_fd())
            .ok_or(RS_ERR_PANIC)
    }

    /// Adds the peer's process to what the event loop waits for, if there are both.
    pub(super) fn watch_process(&mut self) -> Result<(), rs_status> {
        match (&self.events, self.peer.process()) {
            (Some(events), Some(process)) => add_event(events.as_fd(), process, libc::EPOLLIN),
            _ => Ok(()),
        }
    }

    /// Before an event loop sleeps: flushes, and returns whether it may. It may not while there is a message to
    /// receive, or room again for one that could not be sent.
    pub fn prepare_to_sleep(&mut self) -> Result<bool, rs_status> {
        self.expect_whole()?;
        self.flush();
        let own = self.segment.sleeping(self.end);
        doorbell::arm(own);
        let incoming = self.segment.ring(self.end.other());
        let outgoing = self.segment.ring(self.end);
        let has_news = self.incoming.has_news(&incoming)
            || self.outgoing.has_news(&outgoing)
            || self.owes_wake_up;
        if has_news {
            doorbell::disarm(own);
        }
        Ok(!has_news)
    }

    /// After an event loop has slept, for whatever reason it woke.
    pub fn woken(&mut self) -> Result<(), rs_status> {
        doorbell::disarm(self.segment.sleeping(self.end));
        self.expect_whole()?;
        let awakened = doorbell::sleep(&self.sources(None), Deadline::NOW)?;
        self.note(awakened)
    }
}

/// An answer, if something was done.
fn some_if(done: bool) -> Result<Option<()>, rs_status> {
    Ok(done.then_some(()))
}

fn add_event(
    events: BorrowedFd,
    descriptor: BorrowedFd,
    wanted: core::ffi::c_int,
) -> Result<(), rs_status> {
    let mut event = libc::epoll_event {
        events: wanted as u32,
        u64: 0,
    };
    // SAFETY: the event is this frame's.
    check(unsafe {
        libc::epoll_ctl(
            events.as_raw_fd(),
            libc::EPOLL_CTL_ADD,
            descriptor.as_raw_fd(),
            &mut event,
        )
    })?;
    Ok(())
}
