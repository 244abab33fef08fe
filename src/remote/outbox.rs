//! Messages on their way to a peer that may not take them now.
//!
//! Sending never waits: what there is no room for stays here, in order, until there is.

use super::wire::{Parts, Writer, Written, length};
use crate::host::memory::{HostAllocator, Vec, bytes_of};
use crate::shm::channel::Channel;
use crate::status::{RS_ERR_LIMIT, RS_ERR_MEMORY, rs_status};

/// A message that waits for room.
struct Outgoing {
    kind: u32,
    message: Written,
    /// Bytes of a long message that are sent; none before it was begun.
    written: Option<usize>,
}

/// When the peer is told of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    Now,
    /// With what is sent next, or before the next wait: so that many are told of at once.
    Later,
}

/// Most bytes that wait for a peer that takes none.
const MOST_OUTGOING: usize = 1 << 30;

/// Messages that the peer is told of at a time, at most: so that it has something to do meanwhile.
const MOST_UNTOLD: u32 = 16;

/// What is sent, and what waits for room.
pub(super) struct Outbox {
    waiting: Queue<Outgoing>,
    /// Bytes that wait.
    bytes: usize,
    /// Messages sent of which the peer was not told.
    untold: u32,
}

impl Outbox {
    pub fn new(allocator: HostAllocator) -> Self {
        Outbox {
            waiting: Queue::new(allocator),
            bytes: 0,
            untold: 0,
        }
    }

    /// Sends a message, or keeps it until there is room.
    ///
    /// `RS_ERR_LIMIT`: it is too long for the peer, or too much waits already; `RS_ERR_MEMORY`; or the
    /// channel's. The message is not sent then.
    #[inline]
    pub fn send(
        &mut self,
        channel: &mut Channel,
        kind: u32,
        message: &mut Writer,
        tell: Tell,
    ) -> Result<(), rs_status> {
        if self.waiting.is_empty() && try_send(channel, kind, &message.parts())? {
            self.untold += 1;
            if tell == Tell::Now || self.untold >= MOST_UNTOLD {
                self.flush(channel);
            }
            return Ok(());
        }
        self.keep(kind, message.take()?)?;
        self.pump(channel).map(|_| ())
    }

    /// Whether nothing waits for room.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The peer is told of everything that was sent.
    #[inline]
    pub fn flush(&mut self, channel: &mut Channel) {
        self.untold = 0;
        channel.flush();
    }

    #[cold]
    fn keep(&mut self, kind: u32, message: Written) -> Result<(), rs_status> {
        let bytes = length(&message.parts());
        if !self.waiting.is_empty() && self.bytes + bytes > MOST_OUTGOING {
            return Err(RS_ERR_LIMIT);
        }
        self.waiting.push(Outgoing {
            kind,
            message,
            written: None,
        })?;
        self.bytes += bytes;
        Ok(())
    }

    /// Sends what there is room for; returns whether anything was sent.
    #[inline]
    pub fn pump(&mut self, channel: &mut Channel) -> Result<bool, rs_status> {
        match self.waiting.is_empty() {
            true => Ok(false),
            false => self.pump_all(channel),
        }
    }

    #[cold]
    fn pump_all(&mut self, channel: &mut Channel) -> Result<bool, rs_status> {
        let mut has_sent = false;
        while let Some(first) = self.waiting.first_mut() {
            let (has_moved, is_done) = first.push_on(channel)?;
            has_sent |= has_moved;
            if !is_done {
                break;
            }
            if let Some(sent) = self.waiting.pop() {
                self.bytes -= length(&sent.message.parts());
            }
        }
        if has_sent {
            self.flush(channel);
        }
        Ok(has_sent)
    }

    /// Takes back a request that has not been begun to be sent; returns whether that was so.
    pub fn unsend(&mut self, kind: u32, serial: u64) -> bool {
        let is_it = |own: &Outgoing| {
            own.kind == kind && own.written.is_none() && own.message.first() == Some(serial)
        };
        let removed = self.waiting.remove(is_it);
        if let Some(removed) = &removed {
            self.bytes -= length(&removed.message.parts());
        }
        removed.is_some()
    }
}

/// Sends a message at once, if there is room.
#[inline]
fn try_send(channel: &mut Channel, kind: u32, parts: &Parts<'_>) -> Result<bool, rs_status> {
    let [first, inserted, rest] = parts.map(bytes_of);
    if length(parts) > channel.longest_whole() {
        return Ok(false);
    }
    match inserted.is_empty() {
        true => channel.try_send(kind, &[first]),
        false => channel.try_send(kind, &[first, inserted, rest]),
    }
}

impl Outgoing {
    /// Sends as much as there is room for; returns whether that was anything, and whether it was the rest.
    fn push_on(&mut self, channel: &mut Channel) -> Result<(bool, bool), rs_status> {
        let parts = self.message.parts();
        let length = length(&parts);
        if length <= channel.longest_whole() {
            let sent = try_send(channel, self.kind, &parts)?;
            return Ok((sent, sent));
        }
        let before = match self.written {
            Some(written) => written,
            None if channel.try_open(self.kind, length as u64)? => 0,
            None => return Ok((false, false)),
        };
        let mut written = before;
        let mut passed = 0;
        for bytes in parts.map(bytes_of) {
            while let Some(rest @ [_, ..]) = bytes.get(written - passed..) {
                match channel.try_write(rest)? {
                    0 => break,
                    count => written += count,
                }
            }
            passed += bytes.len();
            if written < passed {
                break;
            }
        }
        self.written = Some(written);
        Ok((written > before, written == length))
    }
}

/// First in, first out.
pub(super) struct Queue<T> {
    /// Those before `first` were taken out.
    entries: Vec<Option<T>>,
    first: usize,
}

impl<T> Queue<T> {
    pub fn new(allocator: HostAllocator) -> Self {
        Queue {
            entries: Vec::new_in(allocator),
            first: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.first == self.entries.len()
    }

    /// Appends, or reports that memory ran out.
    pub fn push(&mut self, entry: T) -> Result<(), rs_status> {
        self.reserve()?;
        self.entries.push(Some(entry));
        Ok(())
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries[self.first..].iter().flatten()
    }

    pub fn len(&self) -> usize {
        self.entries.len() - self.first
    }

    /// Makes room for one more.
    pub fn reserve(&mut self) -> Result<(), rs_status> {
        // Half of it at least is taken out: moving the rest costs no more than that has.
        if self.first > self.entries.len() / 2 {
            self.entries.drain(..self.first);
            self.first = 0;
        }
        self.entries.try_reserve(1).map_err(|_| RS_ERR_MEMORY)
    }

    fn first_mut(&mut self) -> Option<&mut T> {
        self.entries.get_mut(self.first)?.as_mut()
    }

    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let entry = self.entries.get_mut(self.first)?.take();
        self.first += 1;
        if self.is_empty() {
            self.entries.clear();
            self.first = 0;
        }
        entry
    }

    /// Takes the first one out that is meant.
    fn remove(&mut self, mut is_it: impl FnMut(&T) -> bool) -> Option<T> {
        let is_it = |entry: &Option<T>| entry.as_ref().is_some_and(&mut is_it);
        let index = self.entries.iter().position(is_it)?;
        self.entries.remove(index)
    }
}
