//! What the thread of a link remembers: the channel, messages on their way, requests that wait for
//! their answers.
//!
//! One lock for all of it, which nobody else wants: a request takes it to be sent, and to get its
//! answer. It is not held while the host is called, since that may use the link again.

use super::outbox::{Outbox, Queue, Tell};
use super::values::Sent;
use super::wire::{Writer, length};
use crate::host::memory::{HostAllocator, Map, Vec, bytes_of};
use crate::shm::channel::Channel;
use crate::shm::deadline::Deadline;
use crate::status::{RS_BUSY, RS_ERR_LIMIT, RS_ERR_MEMORY, rs_status};
use std::os::fd::{BorrowedFd, OwnedFd};

/// A message that has arrived.
pub(super) struct Message {
    pub kind: u32,
    /// Words, as bytes: aligned, since the allocator's memory is.
    pub bytes: Vec<u8>,
    /// It is an answer that was kept, and the pins that come home with it are held until it is read.
    pub is_kept: bool,
    /// What came with it.
    pub descriptor: Option<OwnedFd>,
}

/// A request that was sent, and not finished.
pub(super) struct Waiting {
    pub kind: u32,
    pub deadline: Deadline,
    /// The chain of calls that it belongs to.
    pub chain: u64,
    /// What it holds, as long as it may not have reached the peer.
    pub sent: Sent,
    /// The answer, if it came while nobody waited for it.
    pub answer: Option<Message>,
}

/// In the kind of a message: a descriptor comes with it.
const WITH_DESCRIPTOR: u32 = 1 << 31;

/// Most requests that wait for an answer at a time.
const MOST_WAITING: usize = 1 << 16;

/// A buffer with more room than this is not kept for the next message.
const LONGEST_KEPT: usize = 1 << 16;

/// Counts.
#[derive(Default)]
pub(super) struct Counters {
    pub requests: u64,
    pub served: u64,
    pub released: u64,
    pub messages: u64,
    pub bytes: u64,
    pub collected: u64,
}

/// What the link's own thread remembers.
pub(super) struct State {
    pub channel: Channel,
    pub outbox: Outbox,
    pub waiting: Map<u64, Waiting>,
    /// Messages that came while only requests of another chain were carried out, in order.
    pub deferred: Queue<Message>,
    /// Memory for the next message that arrives.
    spare: Vec<u8>,
    /// An error's kind and text, each with a NUL at its end.
    pub error: (Vec<u8>, Vec<u8>),
    pub has_raised: bool,
    /// The event loop may have slept since the link was last used.
    pub is_armed: bool,
    /// Why the link has ended.
    pub ended: Option<rs_status>,
    pub counters: Counters,
}

impl State {
    pub fn new(channel: Channel, allocator: HostAllocator) -> Self {
        State {
            channel,
            outbox: Outbox::new(allocator),
            waiting: Map::with_hasher_in(Default::default(), allocator),
            deferred: Queue::new(allocator),
            spare: Vec::new_in(allocator),
            error: (Vec::new_in(allocator), Vec::new_in(allocator)),
            has_raised: false,
            is_armed: false,
            ended: None,
            counters: Counters::default(),
        }
    }

    /// Sends a message, or keeps it until there is room; errors as [`Outbox::send`].
    #[inline]
    pub fn send(&mut self, kind: u32, message: &mut Writer, tell: Tell) -> Result<(), rs_status> {
        let bytes = length(&message.parts()) as u64;
        self.outbox.send(&mut self.channel, kind, message, tell)?;
        self.counters.messages += 1;
        self.counters.bytes += bytes;
        Ok(())
    }

    /// The peer is told of everything that was sent.
    pub fn flush(&mut self) {
        self.outbox.flush(&mut self.channel);
    }

    /// Makes room for one more request that waits.
    #[inline]
    pub fn reserve_waiting(&mut self) -> Result<(), rs_status> {
        match self.waiting.len() < MOST_WAITING {
            true => self.waiting.try_reserve(1).map_err(|_| RS_ERR_MEMORY),
            false => Err(RS_ERR_LIMIT),
        }
    }

    /// The next message, if there is one. If there is none, the peer is told of what was sent.
    #[inline]
    pub fn try_receive(&mut self) -> Result<Option<Message>, rs_status> {
        match self.deferred.pop() {
            Some(message) => Ok(Some(message)),
            None => self.try_receive_new(),
        }
    }

    /// The next message that has just arrived.
    #[inline]
    pub fn try_receive_new(&mut self) -> Result<Option<Message>, rs_status> {
        self.outbox.pump(&mut self.channel)?;
        let mut bytes = self.take_spare();
        match self.channel.try_receive(&mut bytes) {
            Ok(Some(kind)) => self.arrived(kind, bytes).map(Some),
            outcome => {
                self.spare = bytes;
                self.outbox.flush(&mut self.channel);
                outcome.map(|_| None)
            }
        }
    }

    /// Kind and text of the error that the host has raised.
    pub fn raised(&self) -> [&[u8]; 2] {
        [&self.error.0, &self.error.1].map(|text| text.strip_suffix(&[0]).unwrap_or(text))
    }

    /// Visits the messages that have arrived and were not read yet.
    pub fn for_each_kept(&self, mut visit: impl FnMut(&Message)) {
        let answers = self.waiting.values().filter_map(|own| own.answer.as_ref());
        answers.for_each(&mut visit);
        self.deferred.iter().for_each(visit);
    }

    /// A message has arrived: with its descriptor, if it says that one came with it.
    #[inline]
    pub fn arrived(&mut self, kind: u32, bytes: Vec<u8>) -> Result<Message, rs_status> {
        let descriptor = match kind & WITH_DESCRIPTOR {
            0 => None,
            _ => Some(self.channel.receive_descriptor()?),
        };
        Ok(Message {
            kind: kind & !WITH_DESCRIPTOR,
            bytes,
            is_kept: false,
            descriptor,
        })
    }

    /// Sends a message and a descriptor. `RS_BUSY` if there is no room for them now.
    pub fn send_with_descriptor(
        &mut self,
        kind: u32,
        message: &Writer,
        descriptor: BorrowedFd<'_>,
    ) -> Result<(), rs_status> {
        let [bytes, ..] = message.parts().map(bytes_of);
        let fits = self.outbox.is_empty() && bytes.len() <= self.channel.longest_whole();
        let kind = kind | WITH_DESCRIPTOR;
        if !fits
            || !self
                .channel
                .try_send_descriptor(descriptor, kind, &[bytes])?
        {
            return Err(RS_BUSY);
        }
        self.flush();
        Ok(())
    }

    /// Memory for a message.
    #[inline]
    pub fn take_spare(&mut self) -> Vec<u8> {
        let allocator = *self.spare.allocator();
        core::mem::replace(&mut self.spare, Vec::new_in(allocator))
    }

    /// A message was read: its memory is for the next one.
    #[inline]
    pub fn recycle(&mut self, bytes: Vec<u8>) {
        let room = bytes.capacity();
        if room > self.spare.capacity() && room <= LONGEST_KEPT {
            self.spare = bytes;
        }
    }
}
