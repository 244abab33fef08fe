//! Leaving: before a link ends, copies take the place of references, on one side or on both.
//!
//! All that a side has pinned goes as one image, so that what was shared between the objects stays shared, and
//! with it the numbers of the pins. The other side makes objects of it, and has its host put each in
//! the place of the reference (`replace_remote`). What can't be
//! copied stays a reference, which dies with the link.

use super::ask::{FETCH, Posted};
use super::outbox::Tell;
use super::pins::Pin;
use super::session::{EVACUATION, GOODBYE, REQUEST, Session};
use super::values::{Sent, read_numbers, write_numbers};
use super::wire::{Reader, Writer};
use crate::graph::encode::{Limits, Root};
use crate::host::exchange::RS_CAN_READ;
use crate::host::memory::{Vec, push};
use crate::shm::deadline::Deadline;
use crate::status::*;
use crate::sync::lock;

impl Session<'_> {
    /// Sends the peer copies of all that it refers to, since this link is about to end.
    pub fn evacuate(&self, deadline: Deadline) -> Result<(), rs_status> {
        self.expect_open()?;
        if lock(&self.link.pins).is_empty() {
            return Ok(());
        }
        let evacuation = Posted {
            kind: EVACUATION,
            deadline,
            tell: Tell::Now,
        };
        let write = |message: &mut Writer, sent: &mut Sent, _| self.write_all(message, sent);
        let answer = self.post_and_wait(evacuation, write)?;
        self.expect_ok(&answer).map(|_| ())
    }

    /// Writes the numbers of all pins that the peer may read, and what they pin, as one graph.
    pub(super) fn write_all(&self, message: &mut Writer, sent: &mut Sent) -> Result<(), rs_status> {
        let mut numbers = Vec::new_in(self.link.allocator);
        let mut objects = Vec::new_in(self.link.allocator);
        let pins = lock(&self.link.pins);
        let readable = |(_, pin): &(u64, &Pin)| u32::from(pin.rights) & RS_CAN_READ != 0;
        for (number, pin) in pins.iter().filter(readable) {
            push(&mut numbers, number)?;
            push(&mut objects, pin.object)?;
        }
        drop(pins);
        write_numbers(message, &numbers)?;
        let encoded = self.encode(Root::Row(&objects), Limits::NONE)?;
        // What can't be copied is still referred to, by whom it could be read before.
        self.write_image(message, sent, encoded, RS_CAN_READ)
    }

    /// Replaces all that this process refers to by copies, since this link is about to end.
    pub fn fetch_all(&self, deadline: Deadline) -> Result<(), rs_status> {
        self.expect_open()?;
        let fetch = Posted {
            kind: REQUEST,
            deadline,
            tell: Tell::Now,
        };
        let nothing = 0;
        let answer = self.post_and_wait(fetch, |message, _, chain| {
            message.words(&[deadline.nanoseconds(), chain, u64::from(FETCH)])?;
            message.words(&[nothing, nothing, nothing])?;
            message.bytes(&[])?;
            message.word(nothing)
        })?;
        let mut from = self.expect_ok(&answer)?;
        let replaced = self.replace_by_copies(&mut from);
        self.stop_keeping(&answer);
        replaced.map_err(|status| self.reading_failed(status))
    }

    /// Tells the peer that nothing more will come, and ends.
    pub fn close(&self) {
        if self.link.ended().is_none() {
            let mut goodbye = Writer::new(self.link.allocator);
            // If there is no room, the peer sees the end of the channel.
            let _ = self.send(GOODBYE, &mut goodbye, Tell::Now);
            self.end(RS_ERR_CLOSED);
        }
    }

    /// The peer is about to leave: what this process refers to becomes ordinary objects of its own.
    pub(super) fn take_over(&self, mut from: Reader<'_>) -> Result<(), rs_status> {
        let serial = from.word()?;
        match self.replace_by_copies(&mut from) {
            Err(RS_ERR_PEER) => Err(RS_ERR_PEER),
            Err(status) => self.reply_status(serial, status),
            Ok(()) => self.reply_status(serial, RS_OK),
        }
    }

    /// Reads the numbers of many objects of the peer, and copies of them: what stands for each of them here
    /// stands for its copy from now on. What can't be copied stays a reference, which dies with the link.
    pub(super) fn replace_by_copies(&self, from: &mut Reader<'_>) -> Result<(), rs_status> {
        let pins = read_numbers(from)?;
        self.while_reading(|| self.replace_row(pins, from))
    }

    fn replace_row(&self, pins: &[u64], from: &mut Reader<'_>) -> Result<(), rs_status> {
        self.read_row(from, |number, value| {
            let pin = *pins.get(number).ok_or(RS_ERR_PEER)?;
            let mut remotes = lock(self.remotes);
            let Some(id) = remotes.find(self.link.id(), pin) else {
                return Ok(());
            };
            let stands_for_it = remotes.get(id)?.value;
            if stands_for_it == value || stands_for_it == 0 {
                return Ok(());
            }
            remotes.release(id)?;
            drop(remotes);
            self.callbacks().replace_remote(stands_for_it, value)
        })
    }
}
