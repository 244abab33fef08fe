//! A link at work: sending, receiving, and what the two sides' messages say.
//!
//! | kind | words |
//! |---|---|
//! | request | its serial number, when it ends (nanoseconds of CLOCK_MONOTONIC), its chain of calls, code (and 2^32 if more requests follow at once), the receiver's pin or 0, index, limit, name, arguments |
//! | answer | the serial number of the request, a status, then a value (success), or an error's kind and text (`RS_RAISED`) |
//! | release | for each pin of the receiver: its number, and how many references are given back |
//! | evacuation | a serial number as of a request, the numbers of the sender's pins, and a row of values: what they were |
//! | answer with a descriptor | the same: sealed memory came with it |
//! | probe | a chain of calls, and how many processes it has passed |
//! | changed | a pin of the sender: what it names was written |
//! | goodbye | none: nothing comes after it |
//! | marker, summary | see [`cycles::round`](super::cycles::round) |
//!
//! Sending never waits: what there is no room for is queued, and sent while the link waits for something
//! to receive, or is served. So a peer that reads nothing stops nobody; it runs into a limit.
//!
//! While a request waits, what the peer asks for is carried out at once: it may be what the request
//! waits for; and if it is not, the peer, which is one thread, can't answer before it has its own answer.
//! Answers to other requests that come meanwhile are kept. What arrives over the thread's other links waits,
//! unless it belongs to the same chain of calls: somebody asked us, by a detour, for what our own
//! request needs.
//!
//! What fails is told apart: a failure of the channel, or a message that makes no sense, is the end of the link.
//! A failure of the host, or of memory, is an answer like any other.

use super::context::{self, NO_CHAIN};
use super::cycles::snapshot::Snapshots;
use super::link::Link;
use super::outbox::Tell;
use super::probe::{PATIENCE, Probe};
use super::remotes::{Release, Remotes};
use super::share::Published;
use super::state::{Message, State};
use super::wire::{Reader, SHORT, Writer};
use crate::host::Host;
use crate::host::callbacks::Callbacks;
use crate::host::contract::rs_value;
use crate::host::exchange::{rs_link, rs_remote};
use crate::host::memory::words_of;
use crate::shm::channel::Channel;
use crate::shm::deadline::{Deadline, now};
use crate::shm::waiting::Wait;
use crate::status::*;
use crate::sync::{Mutex, MutexGuard, lock};
use core::time::Duration;

/// Kinds of messages.
pub(super) const REQUEST: u32 = 1;
pub(super) const ANSWER: u32 = 2;
pub(super) const RELEASE: u32 = 3;
pub(super) const EVACUATION: u32 = 4;
pub(super) const GOODBYE: u32 = 5;
pub(super) const PROBE: u32 = 6;
pub(super) const CHANGED: u32 = 7;
pub(super) const MARKER: u32 = 8;
pub(super) const SUMMARY: u32 = 9;

/// Where a request says to which chain of calls it belongs.
pub(super) const CHAIN: usize = 2;

/// Where a request says what is to be done.
pub(super) const CODE: usize = 3;

/// Where a request names what it is to be done to; index and limit come behind that.
pub(super) const TARGET: usize = 4;

/// How often a wait asks whether it is cancelled, and looks at the other links.
const SLICE: Duration = Duration::from_millis(10);

/// After how long it does so for the first time.
const FIRST_SLICE: Duration = Duration::from_millis(1);

/// How often a wait looks at the channel before it sleeps if there is always something new that is no message.
const LOOKS: u32 = 64;

/// Releases in a message: so few that it needs no memory.
const RELEASES: usize = SHORT / 2;

/// Messages that are kept while only those of a chain are carried out; later ones stay in the ring.
const MOST_DEFERRED: usize = 1 << 10;

/// What a thread waits for.
#[derive(Clone, Copy)]
pub(super) struct Awaited {
    pub deadline: Deadline,
    /// The chain of calls that waits, or [`NO_CHAIN`].
    pub chain: u64,
    /// The request whose answer is waited for, or 0.
    pub request: u64,
}

impl Awaited {
    /// Whatever comes.
    pub fn anything(deadline: Deadline) -> Self {
        Awaited {
            deadline,
            chain: NO_CHAIN,
            request: 0,
        }
    }
}

/// What a link needs of the vm around it.
pub trait Surroundings {
    /// Makes an ordinary object of what a reference leads to, over the link that it came by.
    fn copy(&self, remote: rs_remote, depth: u64, bytes: u64) -> Result<rs_value, rs_status>;

    /// Whether the thread has other links.
    fn has_others(&self, but: rs_link) -> bool;

    /// Carries out what has arrived over the thread's links but this one, if it belongs to a chain of calls.
    /// Returns a probe that has come.
    fn serve_chain(&self, but: rs_link, chain: u64) -> Option<Probe>;

    /// An object was written: whoever watches it is told, over whichever link.
    fn changed(&self, object: rs_value);

    /// There are so many watches more, on all links.
    fn count_watches(&self, more: isize);

    /// Whether a value may be shared between ractors, and so never changes.
    fn is_shareable(&self, value: rs_value) -> bool;
}

/// A call that uses a link.
pub struct Session<'a> {
    /// The vm's host.
    pub host: &'a Host,
    /// The link.
    pub link: &'a Link,
    /// All remotes of the vm.
    pub remotes: &'a Mutex<Remotes>,
    /// What peers may read in place.
    pub published: &'a Mutex<Published>,
    /// All snapshots of the vm.
    pub snapshots: &'a Snapshots,
    /// The vm.
    pub around: &'a dyn Surroundings,
}

impl Session<'_> {
    pub(super) fn callbacks(&self) -> &Callbacks {
        self.host.callbacks()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.link.state)
    }

    /// The link has not ended.
    pub(super) fn expect_open(&self) -> Result<(), rs_status> {
        match self.link.ended() {
            None => Ok(()),
            Some(status) => Err(status),
        }
    }

    /// The link ends: what the peer had pinned is let go.
    pub(super) fn end(&self, status: rs_status) -> rs_status {
        let mut state = self.state();
        if state.ended.is_none() {
            state.ended = Some(status);
            drop(state);
            lock(&self.link.pins).clear();
            lock(&self.link.exports).clear();
            lock(self.remotes).forget_link(self.link.id());
        }
        status
    }

    /// A failure of the channel, which may be the link's end.
    #[cold]
    pub(super) fn channel_failed(&self, status: rs_status) -> rs_status {
        match status {
            RS_ERR_DEAD | RS_ERR_PEER | RS_ERR_UNSUPPORTED => self.end(status),
            status => status,
        }
    }

    /// A failure to read a message, which is the link's end if the message made no sense.
    #[cold]
    pub(super) fn reading_failed(&self, status: rs_status) -> rs_status {
        match status {
            RS_ERR_PEER => self.end(status),
            status => status,
        }
    }

    /// When a request ends that begins now: no later than the one that is being carried out.
    pub(super) fn deadline(&self, timeout: u64) -> Deadline {
        let timeout = match timeout {
            0 => self.link.settings.timeout,
            timeout => timeout,
        };
        let own = match timeout {
            0 => Deadline::NEVER,
            timeout => Deadline::after(Duration::from_nanos(timeout)),
        };
        own.min(context::current().deadline)
    }

    /// Sends a message. Never waits: what finds no room in the ring goes out when there is some.
    ///
    /// `RS_ERR_LIMIT`: the peer takes no such message, or takes nothing at all for too long;
    /// `RS_ERR_MEMORY`. The message is not sent then.
    pub(super) fn send(
        &self,
        kind: u32,
        message: &mut Writer,
        tell: Tell,
    ) -> Result<(), rs_status> {
        let sent = self.state().send(kind, message, tell);
        sent.map_err(|status| self.channel_failed(status))
    }

    /// Gives back what stands for nothing any more.
    pub(super) fn send_releases(&self) -> Result<(), rs_status> {
        let mut remotes = lock(self.remotes);
        let mut releases = [Release::NONE; RELEASES];
        while remotes.has_releases() {
            let taken = remotes.take_releases(self.link.id(), &mut releases);
            let taken = &releases[..taken];
            if taken.is_empty() {
                break;
            }
            let mut message = Writer::new(self.link.allocator);
            for release in taken {
                message.words(&[release.pin, release.count])?;
            }
            let mut state = self.state();
            if let Err(status) = state.send(RELEASE, &mut message, Tell::Later) {
                remotes.put_back(taken);
                drop((state, remotes));
                return Err(self.channel_failed(status));
            }
            state.counters.released += taken.iter().map(|release| release.count).sum::<u64>();
        }
        Ok(())
    }

    /// A reference was received that nobody wants. Without memory to note that, the peer is told at once, which
    /// needs none while there is room in the ring; if there is none either, the link ends, since no count would
    /// ever be right.
    pub(super) fn give_back(&self, pin: u64) -> Result<(), rs_status> {
        let noted = lock(self.remotes).give_back(self.link.id(), pin);
        noted
            .or_else(|_| self.send_release(pin))
            .map_err(|status| self.end(status))
    }

    fn send_release(&self, pin: u64) -> Result<(), rs_status> {
        let mut message = Writer::new(self.link.allocator);
        message.words(&[pin, 1])?;
        let mut state = self.state();
        state.send(RELEASE, &mut message, Tell::Later)?;
        state.counters.released += 1;
        Ok(())
    }

    /// The next message, if there is one; `done` was read.
    #[inline]
    pub(super) fn receive_now(&self, done: Option<Message>) -> Result<Option<Message>, rs_status> {
        let mut state = self.state();
        if let Some(done) = done {
            state.recycle(done.bytes);
        }
        let received = state.try_receive();
        drop(state);
        let received = received.map_err(|status| self.channel_failed(status))?;
        self.observe(received.as_ref());
        Ok(received)
    }

    /// Waits for the next message, and sends meanwhile what there was no room for; `done` was read. What belongs
    /// to the chain is carried out over all links; none: meanwhile the answer that is waited for was kept.
    pub(super) fn receive(
        &self,
        done: Option<Message>,
        awaited: Awaited,
    ) -> Result<Option<Message>, rs_status> {
        let Awaited {
            deadline,
            chain,
            request,
        } = awaited;
        if let Some(message) = self.receive_soon(done, deadline)? {
            return Ok(Some(message));
        }
        self.send_releases()?;
        let mut slice = self.first_slice(chain);
        let mut patience = Deadline::NEVER;
        loop {
            let end = match slice {
                Duration::MAX => deadline,
                slice => deadline.min(Deadline::after(slice)),
            };
            match self.receive_within(end) {
                Ok(message) => {
                    self.observe(Some(&message));
                    return Ok(Some(message));
                }
                Err(RS_ERR_TIMEOUT) if deadline.has_passed(now()) => return Err(RS_ERR_TIMEOUT),
                Err(RS_ERR_TIMEOUT) => {}
                Err(status) => return Err(self.channel_failed(status)),
            }
            if self.callbacks().is_cancelled(self.link.id()) {
                return Err(RS_CANCELLED);
            }
            if chain != NO_CHAIN && self.look_around(chain, &mut patience)? {
                return Err(RS_ERR_DEADLOCK);
            }
            // In there, what this link waits for may have been received: and deferred, or kept.
            if let Some(message) = self.receive_now(None)? {
                return Ok(Some(message));
            }
            if self.has_answer(request) {
                return Ok(None);
            }
            slice = slice.max(SLICE);
        }
    }

    /// Looks at the other links, if there are any; returns whether this thread waits for itself.
    fn look_around(&self, chain: u64, patience: &mut Deadline) -> Result<bool, rs_status> {
        if !self.around.has_others(self.link.id()) {
            return Ok(false);
        }
        if *patience == Deadline::NEVER {
            *patience = Deadline::after(PATIENCE);
        } else if patience.has_passed(now()) {
            *patience = Deadline::after(PATIENCE);
            self.send_probe(Probe::of(chain))?;
        }
        let probe = self.around.serve_chain(self.link.id(), chain);
        self.is_probed(chain, probe)
    }

    /// How long to sleep before anything else is looked at. A sleep without a limit arms no timer, which
    /// costs as much as a wake-up on a virtual machine.
    fn first_slice(&self, chain: u64) -> Duration {
        if chain != NO_CHAIN && self.around.has_others(self.link.id()) {
            return FIRST_SLICE;
        }
        match self.callbacks().can_be_cancelled() {
            true => SLICE,
            false => Duration::MAX,
        }
    }

    /// The next message, if it comes so soon that sleeping is not worth it.
    pub(super) fn receive_soon(
        &self,
        done: Option<Message>,
        deadline: Deadline,
    ) -> Result<Option<Message>, rs_status> {
        let mut state = self.state();
        if let Some(done) = done {
            state.recycle(done.bytes);
        }
        for _ in 0..LOOKS {
            match state.try_receive() {
                Ok(None) if state.channel.look(deadline) => {}
                received => {
                    drop(state);
                    let received = received.map_err(|status| self.channel_failed(status))?;
                    self.observe(received.as_ref());
                    return Ok(received);
                }
            }
        }
        Ok(None)
    }

    fn receive_within(&self, slice: Deadline) -> Result<Message, rs_status> {
        self.callbacks().blocking(|| {
            let mut state = self.state();
            let mut bytes = state.take_spare();
            let State {
                channel, outbox, ..
            } = &mut *state;
            let mut pump = |channel: &mut Channel| outbox.pump(channel);
            let mut wait = Wait {
                deadline: slice,
                cancel: None,
                meanwhile: Some(&mut pump),
                ends_at_signals: true,
            };
            match channel.receive(&mut wait, &mut bytes) {
                Ok(kind) => state.arrived(kind, bytes),
                Err(status) => {
                    state.recycle(bytes);
                    Err(status)
                }
            }
        })
    }

    /// Carries out what has arrived, if it belongs to a chain of calls, and keeps the rest. Stops at a
    /// probe, and returns it.
    pub fn serve_chain(&self, chain: u64) -> Result<Option<Probe>, rs_status> {
        self.expect_open()?;
        loop {
            let mut state = self.state();
            if state.deferred.len() >= MOST_DEFERRED {
                state.flush();
                return Ok(None);
            }
            state.deferred.reserve()?;
            let received = state.try_receive_new();
            let received = match received {
                Ok(Some(message)) if message.kind == PROBE => {
                    drop(state);
                    let words = words_of(&message.bytes).ok_or_else(|| self.end(RS_ERR_PEER))?;
                    let probe = Probe::read(&mut Reader::new(words));
                    return probe
                        .map(Some)
                        .map_err(|status| self.reading_failed(status));
                }
                Ok(Some(message)) if !belongs_to(&message, chain) => {
                    state.deferred.push(message)?;
                    continue;
                }
                received => received,
            };
            drop(state);
            let received = received.map_err(|status| self.channel_failed(status))?;
            self.observe(received.as_ref());
            match received {
                Some(message) => self.handle(message)?,
                None => return Ok(None),
            };
        }
    }

    /// Does what a message says that is no answer to a waiting request; returns it if its memory may
    /// be used again.
    pub(super) fn handle(&self, message: Message) -> Result<Option<Message>, rs_status> {
        let words = words_of(&message.bytes).ok_or_else(|| self.end(RS_ERR_PEER))?;
        let mut from = Reader::new(words);
        let handled = match message.kind {
            REQUEST => self.serve(from),
            ANSWER => return self.handle_answer(message),
            RELEASE => self.take_releases(&mut from),
            EVACUATION => self.take_over(from),
            MARKER => self.take_part(from),
            SUMMARY => self.take_summary(words),
            // This thread waits for nobody, or for who has sent it: so nobody waits in a circle.
            PROBE => Probe::read(&mut from).map(drop),
            CHANGED => self.hear_of_change(&mut from),
            GOODBYE => Err(self.end(RS_ERR_DEAD)),
            _ => Err(RS_ERR_PEER),
        };
        match handled {
            Ok(()) => Ok(Some(message)),
            Err(status) => Err(self.reading_failed(status)),
        }
    }

    fn take_releases(&self, from: &mut Reader<'_>) -> Result<(), rs_status> {
        let mut pins = lock(&self.link.pins);
        while from.end().is_err() {
            pins.release(from.word()?, from.word()?)?;
        }
        Ok(())
    }
}

/// Whether a message is a request of this chain of calls.
fn belongs_to(message: &Message, chain: u64) -> bool {
    let words = words_of(&message.bytes).unwrap_or(&[]);
    message.kind == REQUEST && words.get(CHAIN) == Some(&chain)
}

impl Message {
    /// Of an answer: the number of its request.
    #[inline]
    pub fn serial(&self) -> Option<u64> {
        words_of(&self.bytes)?.first().copied()
    }

    /// Whether it is the answer to a request.
    #[inline]
    pub fn answers(&self, request: u64) -> bool {
        self.kind == ANSWER && self.serial() == Some(request)
    }
}
