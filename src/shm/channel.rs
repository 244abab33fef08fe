//! One end of a channel: a segment with two rings, a socket, and what is known of the peer.
//!
//! What only looks is called `try_…` and never waits. What waits is in `waiting`, and what has to do with
//! descriptors in `descriptors`. A channel belongs to one thread at a time, and to one process: a forked child
//! may drop its copy, which changes nothing, but not use it.
//!
//! A peer that breaks the protocol has said nothing that can be believed: from then on everything is
//! `RS_ERR_PEER`. After its death what it has published can still be received.

use super::descriptors::Pending;
use super::doorbell;
use super::handover::Handover;
use super::hello::{Agreement, Hello};
use super::message::{Announcement, Incoming, Outgoing, Progress, longest_whole};
use super::peer::Peer;
use super::segment::{End, Segment};
use super::socket::Socket;
use super::system::processors;
use crate::host::memory::{HostAllocator, Vec};
use crate::status::*;
use core::mem::MaybeUninit;
use core::time::Duration;
use std::os::fd::{AsFd, OwnedFd};

/// The kind of a hello. It is not told apart by its kind, but by being the first message.
const HELLO: u32 = 0;

/// How a channel is made.
#[derive(Clone, Copy)]
pub struct Options {
    /// Bytes of each of the two rings, a power of two. The joiner takes what the maker has chosen.
    pub ring_bytes: usize,
    /// What this end tells the other first.
    pub hello: Hello,
    /// How long a wait looks at the rings before it sleeps.
    pub spin: Duration,
    /// Where messages are collected.
    pub allocator: HostAllocator,
}

impl Options {
    /// Rings of 1 MiB, messages up to 1 GiB, no features; 2 µs of looking if there is a second processor for
    /// the peer to answer from.
    pub fn new(allocator: HostAllocator) -> Options {
        Options {
            ring_bytes: 1 << 20,
            hello: Hello {
                oldest: 1,
                newest: 1,
                features: 0,
                required: 0,
                longest_message: 1 << 30,
            },
            spin: Duration::from_micros(if processors() > 1 { 2 } else { 0 }),
            allocator,
        }
    }
}

/// One end of a channel.
pub struct Channel {
    pub(super) segment: Segment,
    pub(super) end: End,
    pub(super) outgoing: Outgoing,
    pub(super) incoming: Incoming,
    /// The message that is being collected.
    collected: Vec<u8>,
    hello: Hello,
    agreement: Option<Agreement>,
    pub(super) socket: Socket,
    pub(super) peer: Peer,
    pub(super) descriptors: Pending,
    /// Socket and process, as one descriptor for a host's event loop.
    pub(super) events: Option<OwnedFd>,
    /// Nanoseconds.
    pub(super) spin: u64,
    /// A descriptor could not be sent: a wait ends when there is room for it.
    pub(super) is_socket_full: bool,
    /// The peer sleeps, and could not be sent the wake-up that it was to get.
    pub(super) owes_wake_up: bool,
    /// The failure that ended the channel.
    broken: Option<rs_status>,
}

impl Channel {
    /// Makes a channel, and what another process needs to join it. Drop the latter when that process
    /// has it: while this one holds the other end too, it does not see it hang up.
    pub fn pair(options: &Options) -> Result<(Channel, Handover), rs_status> {
        let (mine, theirs) = Socket::pair()?;
        let (segment, file) = Segment::new(options.ring_bytes)?;
        let channel = Channel::new(segment, End::Maker, mine, Peer::unknown(), options)?;
        let handover = Handover {
            segment: file,
            socket: theirs.into_descriptor(),
        };
        Ok((channel, handover))
    }

    /// Joins a channel that the parent of this process has made.
    ///
    /// `RS_ERR_PEER` if the segment is none; `RS_ERR_UNSUPPORTED` if the socket is of another kind.
    pub fn adopt(handover: Handover, options: &Options) -> Result<Channel, rs_status> {
        let segment = Segment::adopt(&handover.segment)?;
        let socket = Socket::adopt(handover.socket)?;
        let peer = Peer::of_socket(&socket, true);
        Channel::new(segment, End::Joiner, socket, peer, options)
    }

    /// Makes a channel with the process that has connected to this socket, a SOCK_SEQPACKET one.
    pub fn serve(socket: OwnedFd, options: &Options) -> Result<Channel, rs_status> {
        let socket = Socket::adopt(socket)?;
        let (segment, file) = Segment::new(options.ring_bytes)?;
        if !socket.try_send_descriptor(file.as_fd())? {
            return Err(RS_BUSY);
        }
        let peer = Peer::of_socket(&socket, false);
        Channel::new(segment, End::Maker, socket, peer, options)
    }

    /// Joins a channel over a connected socket, as soon as its maker has sent the segment: `segment` is the
    /// descriptor that has arrived (`descriptors::receive_segment`).
    pub fn join(socket: Socket, segment: OwnedFd, options: &Options) -> Result<Channel, rs_status> {
        let segment = Segment::adopt(&segment)?;
        let peer = Peer::of_socket(&socket, false);
        Channel::new(segment, End::Joiner, socket, peer, options)
    }

    fn new(
        segment: Segment,
        end: End,
        socket: Socket,
        peer: Peer,
        options: &Options,
    ) -> Result<Channel, rs_status> {
        let mut channel = Channel {
            segment,
            end,
            outgoing: Outgoing::default(),
            incoming: Incoming::new(options.hello.longest_message),
            collected: Vec::new_in(options.allocator),
            hello: options.hello,
            agreement: None,
            socket,
            peer,
            descriptors: Pending::default(),
            events: None,
            spin: u64::try_from(options.spin.as_nanos()).unwrap_or(u64::MAX),
            is_socket_full: false,
            owes_wake_up: false,
            broken: None,
        };
        channel.try_send(HELLO, &[&options.hello.to_bytes()])?;
        channel.flush();
        Ok(channel)
    }

    /// The peer is this child of this process, which has not reaped it yet.
    ///
    /// `RS_ERR_UNSUPPORTED` if the system has no descriptor for it: the channel works, but while a grandchild
    /// holds the socket too, the end of the child is not seen.
    pub fn watch_child(&mut self, process: libc::pid_t) -> Result<(), rs_status> {
        self.peer.set_process(Peer::child(process)?);
        self.watch_process()
    }

    /// Whether this end has made the memory, and the peer has joined.
    pub fn is_maker(&self) -> bool {
        matches!(self.end, End::Maker)
    }

    /// Whether the end of the peer's process is seen, besides its hanging up.
    pub fn watches_process(&self) -> bool {
        self.peer.process().is_some()
    }

    /// Whether the peer's end was seen: at a wait, or by `woken`. Costs nothing.
    pub fn peer_is_gone(&self) -> bool {
        self.peer.is_gone()
    }

    /// What both ends have agreed on, once the peer's hello has arrived.
    ///
    /// `RS_ERR_UNSUPPORTED`, now and from now on, if they can't agree.
    pub fn try_greet(&mut self) -> Result<Option<Agreement>, rs_status> {
        self.expect_whole()?;
        if self.agreement.is_none() {
            self.agreement = self.read_hello().map_err(|status| self.breaks(status))?;
        }
        Ok(self.agreement)
    }

    fn read_hello(&mut self) -> Result<Option<Agreement>, rs_status> {
        let mut bytes = Vec::new_in(*self.collected.allocator());
        if self.take(&mut bytes)?.is_none() {
            return Ok(None);
        }
        let theirs = Hello::of_bytes(&bytes)?;
        Ok(Some(self.hello.agree(&theirs)?))
    }

    /// Appends a message, which consists of `parts`, one behind the other; `false` if there is no room
    /// now. The peer sees it after `flush`, so that a batch is told at once.
    ///
    /// `RS_ERR_LIMIT` if it is longer than `longest_whole` or than the peer accepts; `RS_ERR_REENTRANT` while a
    /// long message is being sent; `RS_ERR_DEAD` if the peer is gone.
    #[inline]
    pub fn try_send(&mut self, kind: u32, parts: &[&[u8]]) -> Result<bool, rs_status> {
        self.expect_receiver(parts.iter().map(|bytes| bytes.len() as u64).sum())?;
        let ring = self.segment.ring(self.end);
        let sent = self.outgoing.try_send(&ring, kind, parts);
        sent.map_err(|status| self.breaks(status))
    }

    /// Whether there is room now for a message that consists of `parts`. Errors as `try_send`.
    pub(super) fn try_reserve(&mut self, parts: &[&[u8]]) -> Result<bool, rs_status> {
        let length: usize = parts.iter().map(|bytes| bytes.len()).sum();
        self.expect_receiver(length as u64)?;
        let ring = self.segment.ring(self.end);
        let reserved = self.outgoing.try_reserve(&ring, length);
        reserved.map_err(|status| self.breaks(status))
    }

    /// Bytes of the longest message that `try_send` takes.
    pub fn longest_whole(&self) -> usize {
        longest_whole(self.segment.ring_bytes())
    }

    /// Begins a long message of so many bytes, which `try_write` appends; `false` if there is no room now.
    pub fn try_open(&mut self, kind: u32, length: u64) -> Result<bool, rs_status> {
        self.expect_receiver(length)?;
        let ring = self.segment.ring(self.end);
        let opened = self.outgoing.try_open(&ring, kind, length);
        opened.map_err(|status| self.breaks(status))
    }

    /// Appends bytes to the long message, as many as there is room for, and tells the peer; returns how many.
    pub fn try_write(&mut self, bytes: &[u8]) -> Result<usize, rs_status> {
        self.expect_whole()?;
        let mut written = 0;
        while written < bytes.len() {
            let ring = self.segment.ring(self.end);
            let piece = self.outgoing.try_write(&ring, &bytes[written..]);
            match piece.map_err(|status| self.breaks(status))? {
                0 => break,
                count => written += count,
            }
            self.ring();
        }
        Ok(written)
    }

    /// Gives the long message up. The channel goes on; the peer drops what it has got.
    pub fn abandon(&mut self) {
        self.outgoing.abandon();
    }

    /// Shows the peer everything that was sent, and wakes it if it sleeps.
    #[inline]
    pub fn flush(&mut self) {
        let ring = self.segment.ring(self.end);
        if self.outgoing.publish(&ring) || self.owes_wake_up {
            self.ring();
        }
    }

    /// A cursor was changed: wakes the peer if it sleeps.
    #[inline]
    fn ring(&mut self) {
        self.owes_wake_up |= doorbell::must_wake(self.segment.sleeping(self.end.other()));
        if self.owes_wake_up {
            self.wake();
        }
    }

    /// Where the system has no memory for a wake-up, it is owed until it has.
    #[cold]
    fn wake(&mut self) {
        let woken = self.socket.wake();
        self.owes_wake_up = woken.is_err() && woken != Err(RS_ERR_DEAD);
        if woken == Err(RS_ERR_DEAD) {
            self.peer.set_gone();
        }
    }

    /// Receives a message, if one has arrived as a whole, in place of what `message` holds; returns its kind.
    /// A long one is collected over several calls, whichever buffers they are given. The memory of `message` is
    /// used for the next one.
    ///
    /// `RS_ERR_MEMORY` if there is no memory for it: nothing is lost, and the same call may succeed later.
    #[inline]
    pub fn try_receive(&mut self, message: &mut Vec<u8>) -> Result<Option<u32>, rs_status> {
        match self.has_greeted()? {
            true => self.take(message),
            false => Ok(None),
        }
    }

    /// The peer's hello, which comes first, has been read.
    #[inline]
    fn has_greeted(&mut self) -> Result<bool, rs_status> {
        self.expect_whole()?;
        Ok(self.agreement.is_some() || self.try_greet()?.is_some())
    }

    #[inline]
    fn take(&mut self, message: &mut Vec<u8>) -> Result<Option<u32>, rs_status> {
        while let Some(announcement) = self.begin()? {
            match self.collect()? {
                Progress::More(0) => return Ok(None),
                Progress::More(_) => {}
                Progress::Abandoned => self.collected.clear(),
                Progress::Done(_) => {
                    core::mem::swap(message, &mut self.collected);
                    self.collected.clear();
                    return Ok(Some(announcement.kind));
                }
            }
        }
        Ok(None)
    }

    #[inline]
    fn collect(&mut self) -> Result<Progress, rs_status> {
        let missing = usize::try_from(self.incoming.left()).map_err(|_| RS_ERR_MEMORY)?;
        let collected = self.collected.len();
        self.collected
            .try_reserve_exact(missing)
            .map_err(|_| RS_ERR_MEMORY)?;
        let ring = self.segment.ring(self.end.other());
        let spare = &mut self.collected.spare_capacity_mut()[..missing];
        let progress = self.incoming.try_read(&ring, spare);
        let progress = self.after_reading(progress)?;
        if let Progress::More(count) | Progress::Done(count) = progress {
            // SAFETY: so many bytes behind the old ones were filled.
            unsafe { self.collected.set_len(collected + count) };
        }
        Ok(progress)
    }

    /// The message that is to be read now, if one has begun to arrive: to be read by `try_read`, straight
    /// to where it belongs, or by `try_receive`. The same answer until it has been read.
    pub fn try_begin(&mut self) -> Result<Option<Announcement>, rs_status> {
        match self.has_greeted()? {
            true => self.begin(),
            false => Ok(None),
        }
    }

    #[inline]
    fn begin(&mut self) -> Result<Option<Announcement>, rs_status> {
        let ring = self.segment.ring(self.end.other());
        let begun = self.incoming.try_begin(&ring);
        begun.map_err(|status| self.breaks(status))
    }

    /// Copies what has arrived next of the message that `try_begin` has told of to the beginning of `into`. What
    /// `try_receive` has collected of it is dropped.
    pub fn try_read(&mut self, into: &mut [MaybeUninit<u8>]) -> Result<Progress, rs_status> {
        self.expect_whole()?;
        self.collected.clear();
        let ring = self.segment.ring(self.end.other());
        let progress = self.incoming.try_read(&ring, into);
        self.after_reading(progress)
    }

    /// Passes over what has arrived next of the message that `try_begin` has told of.
    pub fn try_skip(&mut self) -> Result<Progress, rs_status> {
        self.expect_whole()?;
        self.collected.clear();
        let ring = self.segment.ring(self.end.other());
        let progress = self.incoming.try_skip(&ring);
        self.after_reading(progress)
    }

    #[inline]
    fn after_reading(
        &mut self,
        progress: Result<Progress, rs_status>,
    ) -> Result<Progress, rs_status> {
        let progress = progress.map_err(|status| self.breaks(status))?;
        let ring = self.segment.ring(self.end.other());
        if self.incoming.release(&ring) {
            self.ring();
        }
        Ok(progress)
    }

    /// The channel has not been ended by a failure.
    #[inline]
    pub(super) fn expect_whole(&self) -> Result<(), rs_status> {
        match self.broken {
            None => Ok(()),
            Some(status) => Err(status),
        }
    }

    /// There is somebody who will take a message of this length.
    #[inline]
    fn expect_receiver(&self, length: u64) -> Result<(), rs_status> {
        self.expect_whole()?;
        if self.peer.is_gone() {
            return Err(RS_ERR_DEAD);
        }
        match &self.agreement {
            Some(agreement) if length > agreement.longest_message => Err(RS_ERR_LIMIT),
            _ => Ok(()),
        }
    }

    /// Remembers a failure of the rings, if it ends the channel.
    #[cold]
    fn breaks(&mut self, status: rs_status) -> rs_status {
        match status {
            RS_ERR_PEER | RS_ERR_UNSUPPORTED => self.ends(status),
            _ => status,
        }
    }

    /// The channel ends with this failure.
    #[cold]
    pub(super) fn ends(&mut self, status: rs_status) -> rs_status {
        self.broken = Some(status);
        status
    }
}
