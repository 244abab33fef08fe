//! Descriptors that travel with messages.

use super::channel::Channel;
use super::deadline::{Deadline, now};
use super::doorbell::{self, Sources};
use super::socket::{Signal, Socket};
use crate::status::*;
use std::os::fd::{BorrowedFd, OwnedFd};

/// How many descriptors are kept that were found while looking for wake-ups.
const PENDING: usize = 16;

/// Wake-ups that are passed over to find a descriptor: more than a socket holds.
const WAKE_UPS: usize = 4096;

/// Descriptors that have arrived before anybody asked for them, oldest first.
#[derive(Default)]
pub struct Pending {
    descriptors: [Option<OwnedFd>; PENDING],
    first: usize,
    count: usize,
}

impl Pending {
    /// Whether there is no room for another one: the socket is not read then, and its sender must wait.
    pub fn is_full(&self) -> bool {
        self.count == PENDING
    }

    fn push(&mut self, descriptor: OwnedFd) {
        debug_assert!(!self.is_full());
        self.descriptors[(self.first + self.count) % PENDING] = Some(descriptor);
        self.count += 1;
    }

    fn pop(&mut self) -> Option<OwnedFd> {
        let descriptor = self.descriptors[self.first].take()?;
        self.first = (self.first + 1) % PENDING;
        self.count -= 1;
        Some(descriptor)
    }
}

impl Channel {
    /// Sends a descriptor and the message that announces it, both or none; `false` if there is no room now. The
    /// peer sees it after `flush`, and takes the descriptor by `receive_descriptor` when it has read
    /// the message. An event loop is not told when there is room for another descriptor: it tries again at its
    /// next turn. Errors as `try_send`, and `RS_ERR_LIMIT` if too many descriptors are on their way.
    pub fn try_send_descriptor(
        &mut self,
        descriptor: BorrowedFd,
        kind: u32,
        parts: &[&[u8]],
    ) -> Result<bool, rs_status> {
        if !self.try_reserve(parts)? {
            return Ok(false);
        }
        let sent = self.socket.try_send_descriptor(descriptor);
        if sent == Err(RS_ERR_DEAD) {
            self.peer.set_gone();
        }
        self.is_socket_full = !sent?;
        match self.is_socket_full {
            true => Ok(false),
            false => self.try_send(kind, parts),
        }
    }

    /// The descriptor that the message brought which was received last. To be taken before the next one that brings
    /// one; closed on exec.
    ///
    /// `RS_ERR_PEER` if none was sent; `RS_ERR_LIMIT` if this process has no room for it, and
    /// the channel is at its end then.
    pub fn receive_descriptor(&mut self) -> Result<OwnedFd, rs_status> {
        self.expect_whole()?;
        if let Some(descriptor) = self.descriptors.pop() {
            return Ok(descriptor);
        }
        for _ in 0..WAKE_UPS {
            match self.socket.try_receive() {
                Ok(Some(Signal::Descriptor(descriptor))) => return Ok(descriptor),
                Ok(Some(Signal::WakeUp)) => {}
                Ok(Some(Signal::HungUp) | None) => break,
                Err(status) => return Err(self.ends(status)),
            }
        }
        Err(self.ends(RS_ERR_PEER))
    }

    /// Reads one message from the socket, which is readable. One that was not read ends the next
    /// sleep too early, which costs less than a look for it each time.
    pub(super) fn read_signal(&mut self) -> Result<(), rs_status> {
        if self.descriptors.is_full() {
            return Ok(());
        }
        match self.socket.try_receive() {
            Ok(Some(Signal::Descriptor(descriptor))) => self.descriptors.push(descriptor),
            Ok(Some(Signal::HungUp)) => self.peer.set_gone(),
            Ok(Some(Signal::WakeUp) | None) => {}
            Err(status) => return Err(self.ends(status)),
        }
        Ok(())
    }
}

/// Waits for the segment of a channel that the other end of this socket makes. `RS_ERR_DEAD` if it hangs up,
/// `RS_ERR_PEER` if it sends something else, `RS_ERR_TIMEOUT` at the deadline.
pub fn receive_segment(socket: &Socket, deadline: Deadline) -> Result<OwnedFd, rs_status> {
    let sources = Sources {
        socket: socket.descriptor(),
        wake_ups: true,
        room: false,
        process: None,
        cancel: None,
    };
    loop {
        match socket.try_receive()? {
            Some(Signal::Descriptor(descriptor)) => return Ok(descriptor),
            Some(Signal::HungUp) => return Err(RS_ERR_DEAD),
            Some(Signal::WakeUp) => return Err(RS_ERR_PEER),
            None if deadline.has_passed(now()) => return Err(RS_ERR_TIMEOUT),
            None => doorbell::sleep(&sources, deadline)?,
        };
    }
}
