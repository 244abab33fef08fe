//! A link at work: sending, receiving, and what the two sides' messages say.
//!
//! | kind | words |
//! |---|---|
//! | request | its serial number, when it ends (nanoseconds of CLOCK_MONOTONIC), code, the receiver's pin or 0, index, limit, name, arguments |
//! | answer | the serial number of the request, a status, then a value (success), or an error's kind and text (`RS_RAISED`) |
//! | release | for each pin of the receiver: its number, and how many references are given back |
//! | evacuation | a serial number as of a request, the numbers of the sender's pins, and a row of values: what they were |
//! | goodbye | none: nothing comes after it |
//! | marker, summary | see [`cycles::round`](super::cycles::round) |
//!
//! Sending never waits: what there is no room for is queued, and sent while the link waits for something
//! to receive, or is served. So a peer that reads nothing stops nobody; it runs into a limit.
//!
//! While a request waits, what the peer asks for is carried out at once: it may be what the request
//! waits for; and if it is not, the peer, which is one thread, can't answer before it has its own answer.
//! Answers to outer requests that come meanwhile are kept.

use super::cycles::observer::mentions_of;
use super::cycles::snapshot::Snapshots;
use super::link::{Link, Message, State, count};
use super::pins::Pins;
use super::remotes::{Release, Remotes};
use super::values::Mention;
use super::wire::{Reader, Writer};
use crate::host::Host;
use crate::host::callbacks::Callbacks;
use crate::host::host_heap::AnyHeap;
use crate::host::memory::{Vec, words_of};
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
pub(super) const MARKER: u32 = 6;
pub(super) const SUMMARY: u32 = 7;

/// How often a wait asks whether it is cancelled.
const SLICE: Duration = Duration::from_millis(10);

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
    /// All snapshots of the vm.
    pub snapshots: &'a Snapshots,
}

impl Session<'_> {
    pub(super) fn callbacks(&self) -> &Callbacks {
        self.host.callbacks()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.link.state)
    }

    /// Both, in the order in which they are locked.
    fn channel_and_state(&self) -> (MutexGuard<'_, Channel>, MutexGuard<'_, State>) {
        (lock(&self.link.channel), self.state())
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

    /// Sends a message, and whatever is to be given back before it. Never waits: what there is no room for
    /// now is sent as there is room, by `pump`.
    ///
    /// `RS_ERR_LIMIT`: the peer takes no such message, or takes nothing at all for too long;
    /// `RS_ERR_MEMORY`. The message is not sent then.
    pub(super) fn send(&self, kind: u32, message: Writer) -> Result<(), rs_status> {
        if lock(self.remotes).has_releases() {
            self.send_releases()?;
        }
        let words = message.into_words();
        count(&self.link.counters.messages, 1);
        count(&self.link.counters.bytes, size_of_val(&words[..]) as u64);
        let (mut channel, mut state) = self.channel_and_state();
        if state.outgoing.is_empty() && state.try_send(&mut channel, kind, &words)? {
            channel.flush();
            return Ok(());
        }
        state.queue(kind, words)?;
        state.pump(&mut channel).map(|_| ())
    }

    /// Gives back what stands for nothing any more.
    pub(super) fn send_releases(&self) -> Result<(), rs_status> {
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
            let mut message = Writer::new(self.link.allocator);
            for release in &releases[..taken] {
                message.words(&[release.pin, release.count])?;
                count(&self.link.counters.released, release.count);
            }
            let words = message.into_words();
            let (mut channel, mut state) = self.channel_and_state();
            state.queue(RELEASE, words)?;
            state.pump(&mut channel)?;
        }
    }

    /// The next message, if there is one.
    pub(super) fn receive_now(&self) -> Result<Option<Message>, rs_status> {
        let mut bytes = Vec::new_in(self.link.allocator);
        let (mut channel, mut state) = self.channel_and_state();
        let received = match state.pump(&mut channel) {
            Ok(_) => channel.try_receive(&mut bytes),
            Err(status) => Err(status),
        };
        drop((state, channel));
        let kind = received.map_err(|status| self.failed(status))?;
        let message = kind.map(|kind| Message {
            kind,
            bytes,
            is_kept: false,
        });
        message.iter().for_each(|message| self.observe(message));
        Ok(message)
    }

    /// Waits for the next message, and sends meanwhile what there was no room for.
    pub(super) fn receive(&self, deadline: Deadline) -> Result<Message, rs_status> {
        if let Some(message) = self.receive_now()? {
            return Ok(message);
        }
        let mut bytes = Vec::new_in(self.link.allocator);
        loop {
            match self.receive_for_a_slice(deadline, &mut bytes) {
                Ok(kind) => {
                    let message = Message {
                        kind,
                        bytes,
                        is_kept: false,
                    };
                    self.observe(&message);
                    return Ok(message);
                }
                Err(RS_ERR_TIMEOUT) if !deadline.has_passed(now()) => {
                    if self.callbacks().is_cancelled(self.link.id()) {
                        return Err(RS_CANCELLED);
                    }
                }
                Err(status) => return Err(self.failed(status)),
            }
        }
    }

    fn receive_for_a_slice(
        &self,
        deadline: Deadline,
        bytes: &mut Vec<u8>,
    ) -> Result<u32, rs_status> {
        let slice = deadline.min(Deadline::after(SLICE));
        self.callbacks().blocking(|| {
            let mut pump = |channel: &mut Channel| self.state().pump(channel);
            let mut wait = Wait {
                deadline: slice,
                cancel: None,
                meanwhile: Some(&mut pump),
            };
            lock(&self.link.channel).receive(&mut wait, bytes)
        })
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
            MARKER => self.take_part(from),
            SUMMARY => self.take_summary(words),
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
        if state.waiting.iter().any(|own| own.serial == serial) {
            state.answers.try_reserve(1).map_err(|_| RS_ERR_MEMORY)?;
            drop(state);
            self.for_each_home(&message, Pins::hold);
            self.state().answers.push(Message {
                is_kept: true,
                ..message
            });
            return Ok(());
        }
        drop(state);
        if from.word()? != RS_OK as u64 {
            return Ok(());
        }
        while from.end().is_err() {
            self.discard(&mut from)?;
        }
        self.stop_keeping(&message);
        Ok(())
    }

    /// What has come home with an answer that was kept is read, or not wanted.
    pub(super) fn stop_keeping(&self, answer: &Message) {
        if answer.is_kept {
            self.for_each_home(answer, |pins, number| {
                // It was held, if it was there.
                let _ = pins.release(number, 1);
            });
        }
    }

    /// Acts on each pin that comes home with an answer. The peer may have given it back behind the answer,
    /// since for the peer it had arrived.
    fn for_each_home(&self, answer: &Message, act: impl Fn(&mut Pins, u64)) {
        let pins = &mut lock(&self.link.pins);
        let words = words_of(&answer.bytes).unwrap_or(&[]);
        // What makes no sense ends the link when it is read.
        let _ = mentions_of(ANSWER, words, &mut |mention| {
            if let Mention::Home(number) = mention {
                act(pins, number);
            }
        });
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
