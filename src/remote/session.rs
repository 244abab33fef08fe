//! A link at work: sending, receiving, and what the two sides' messages say.
//!
//! | kind | words |
//! |---|---|
//! | request | its serial number, when it ends (nanoseconds of CLOCK_MONOTONIC), code, the receiver's pin or 0, index, limit, name, arguments |
//! | answer | the serial number of the request, a status, then a value (success), or an error's kind and text (`RS_RAISED`) |
//! | release | for each pin of the receiver: its number, and how many references are given back |
//! | evacuation | a serial number as of a request, how many pins of the sender, their numbers, and a row of values: what they were |
//! | goodbye | none: nothing comes after it |
//!
//! While a request waits, what the peer asks for is carried out at once: it may be what the request
//! waits for; and if it is not, the peer, which is one thread, can't answer before it has its own answer.
//! Answers to outer requests that come meanwhile are kept.

use super::link::{Link, Message, State, count};
use super::remotes::{Release, Remotes};
use super::wire::{Reader, Writer};
use crate::host::Host;
use crate::host::callbacks::Callbacks;
use crate::host::host_heap::AnyHeap;
use crate::host::memory::{Vec, push, words_of};
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

/// How often a wait asks whether it is cancelled.
const SLICE: Duration = Duration::from_millis(10);

/// Most messages that wait here because there is no room to send.
const MOST_ARRIVED: usize = 1 << 16;

/// Releases in a message.
const RELEASES: usize = 64;

/// A call that uses a link.
pub struct Session<'a> {
    /// The vm's host.
    pub host: &'a Host,
    /// Its heap.
    pub heap: AnyHeap<'a>,
    /// The link.
    pub link: &'a Link,
    /// All remotes of the vm.
    pub remotes: &'a Mutex<Remotes>,
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
    pub(super) fn failed(&self, status: rs_status) -> rs_status {
        match status {
            RS_ERR_DEAD | RS_ERR_PEER | RS_ERR_UNSUPPORTED => self.end(status),
            status => status,
        }
    }

    /// When a request ends that begins now: no later than the one that is being carried out.
    pub(super) fn deadline(&self) -> Deadline {
        let own = match self.link.settings.timeout {
            0 => Deadline::NEVER,
            timeout => Deadline::after(Duration::from_nanos(timeout)),
        };
        match self.state().deadlines.last() {
            Some(&outer) => own.min(Deadline::at(outer)),
            None => own,
        }
    }

    /// Sends a message, and whatever is to be given back before it.
    pub(super) fn send(
        &self,
        kind: u32,
        message: &Writer,
        deadline: Deadline,
    ) -> Result<(), rs_status> {
        if lock(self.remotes).has_releases() {
            self.send_releases(deadline)?;
        }
        self.send_one(kind, message.as_bytes(), deadline)
    }

    fn send_one(&self, kind: u32, bytes: &[u8], deadline: Deadline) -> Result<(), rs_status> {
        count(&self.link.counters.messages, 1);
        count(&self.link.counters.bytes, bytes.len() as u64);
        let mut channel = lock(&self.link.channel);
        let sent = match channel.try_send(kind, &[bytes]) {
            Ok(true) => channel.flush(),
            Ok(false) | Err(RS_ERR_LIMIT) => self.send_slowly(&mut channel, kind, bytes, deadline),
            Err(status) => Err(status),
        };
        drop(channel);
        sent.map_err(|status| self.failed(status))
    }

    /// There is no room, or it is a long message: takes in what arrives meanwhile, since the peer may have no
    /// room either.
    #[cold]
    fn send_slowly(
        &self,
        channel: &mut Channel,
        kind: u32,
        bytes: &[u8],
        deadline: Deadline,
    ) -> Result<(), rs_status> {
        let mut take_in = |channel: &mut Channel| self.take_in(channel);
        let mut wait = Wait {
            deadline,
            cancel: None,
            meanwhile: Some(&mut take_in),
        };
        self.callbacks()
            .blocking(|| channel.send(&mut wait, kind, &[bytes]))
    }

    fn take_in(&self, channel: &mut Channel) -> Result<bool, rs_status> {
        let mut state = self.state();
        if state.arrived.len() >= MOST_ARRIVED {
            return Ok(false);
        }
        let mut bytes = Vec::new_in(self.link.allocator);
        match channel.try_receive(&mut bytes)? {
            Some(kind) => push(&mut state.arrived, Message { kind, bytes }).map(|()| true),
            None => Ok(false),
        }
    }

    /// Gives back what stands for nothing any more.
    pub(super) fn send_releases(&self, deadline: Deadline) -> Result<(), rs_status> {
        let nothing = Release {
            link: 0,
            pin: 0,
            count: 0,
        };
        let mut releases = [nothing; RELEASES];
        loop {
            let taken = lock(self.remotes).take_releases(self.link.id(), &mut releases);
            if taken == 0 {
                return Ok(());
            }
            let mut words = [0; 2 * RELEASES];
            for (pair, release) in words.chunks_exact_mut(2).zip(&releases[..taken]) {
                pair.copy_from_slice(&[release.pin, release.count]);
                count(&self.link.counters.released, release.count);
            }
            let bytes = crate::host::memory::bytes_of(&words[..2 * taken]);
            self.send_one(RELEASE, bytes, deadline)?;
        }
    }

    /// The next message, if there is one.
    pub(super) fn receive_now(&self) -> Result<Option<Message>, rs_status> {
        if let Some(message) = self.arrived() {
            return Ok(Some(message));
        }
        let mut bytes = Vec::new_in(self.link.allocator);
        let received = lock(&self.link.channel).try_receive(&mut bytes);
        let kind = received.map_err(|status| self.failed(status))?;
        Ok(kind.map(|kind| Message { kind, bytes }))
    }

    fn arrived(&self) -> Option<Message> {
        let arrived = &mut self.state().arrived;
        (!arrived.is_empty()).then(|| arrived.remove(0))
    }

    /// Waits for the next message.
    pub(super) fn receive(&self, deadline: Deadline) -> Result<Message, rs_status> {
        if let Some(message) = self.receive_now()? {
            return Ok(message);
        }
        let mut bytes = Vec::new_in(self.link.allocator);
        loop {
            let slice = deadline.min(Deadline::after(SLICE));
            let received = self.callbacks().blocking(|| {
                let mut channel = lock(&self.link.channel);
                channel.receive(&mut Wait::until(slice), &mut bytes)
            });
            match received {
                Ok(kind) => return Ok(Message { kind, bytes }),
                Err(RS_ERR_TIMEOUT) if !deadline.has_passed(now()) => {
                    if self.callbacks().is_cancelled(self.link.id()) {
                        return Err(RS_CANCELLED);
                    }
                }
                Err(status) => return Err(self.failed(status)),
            }
        }
    }

    /// Does what a message says that is no answer to a waiting request.
    pub(super) fn handle(&self, message: Message) -> Result<(), rs_status> {
        let words = words_of(&message.bytes).ok_or_else(|| self.end(RS_ERR_PEER))?;
        let mut from = Reader::new(words);
        let handled = match message.kind {
            REQUEST => self.serve(from),
            ANSWER => self.handle_answer(message),
            RELEASE => self.take_releases(&mut from),
            EVACUATION => self.take_over(from),
            GOODBYE => Err(RS_ERR_DEAD),
            _ => Err(RS_ERR_PEER),
        };
        handled.map_err(|status| self.failed(status))
    }

    fn take_releases(&self, from: &mut Reader<'_>) -> Result<(), rs_status> {
        let mut pins = lock(&self.link.pins);
        while from.end().is_err() {
            pins.release(from.word()?, from.word()?)?;
        }
        Ok(())
    }

    /// An answer that the innermost request does not wait for: an outer one's is kept; one that comes
    /// too late is passed over.
    fn handle_answer(&self, message: Message) -> Result<(), rs_status> {
        let words = words_of(&message.bytes).ok_or(RS_ERR_PEER)?;
        let mut from = Reader::new(words);
        let serial = from.word()?;
        let mut state = self.state();
        if state.waiting.contains(&serial) {
            return push(&mut state.answers, message);
        }
        drop(state);
        match from.word()? as rs_status {
            RS_OK => self.discard(&mut from),
            _ => Ok(()),
        }
    }

    /// The kept answer to a request.
    pub(super) fn kept_answer(&self, serial: u64) -> Option<Message> {
        let answers = &mut self.state().answers;
        let is_it = |message: &Message| {
            words_of(&message.bytes).is_some_and(|words| words.first() == Some(&serial))
        };
        let index = answers.iter().position(is_it)?;
        Some(answers.swap_remove(index))
    }
}
