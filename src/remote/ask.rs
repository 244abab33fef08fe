//! Asking a peer, and waiting for its answer.

use super::link::{Message, count};
use super::session::{ANSWER, EVACUATION, GOODBYE, REQUEST, Session};
use super::values::{Sent, pinned};
use super::wire::{Reader, Writer};
use crate::graph::encode::{Limits, Root};
use crate::host::contract::rs_value;
use crate::host::exchange::{RS_CAN_ALL, RS_NO_REMOTE, rs_operation, rs_remote};
use crate::host::memory::{Vec, words_of};
use crate::shm::deadline::Deadline;
use crate::status::*;
use crate::sync::lock;

/// The code of a request for a copy: `index` and `limit` are the limits of depth and of bytes.
pub(super) const COPY: u32 = 100;

/// A request, with what the host's struct says only by pointers.
pub(super) struct Asked<'a> {
    pub code: u32,
    pub index: u64,
    pub limit: u64,
    pub name: &'a [u8],
    pub arguments: &'a [rs_value],
}

impl Session<'_> {
    /// Has the peer carry out an operation; returns its result.
    pub fn request(
        &self,
        remote: rs_remote,
        operation: &rs_operation,
    ) -> Result<rs_value, rs_status> {
        if operation.reserved != 0 || operation.code >= COPY || operation.code == 0 {
            return Err(RS_ERR_ARGUMENT);
        }
        self.ask(
            remote,
            &Asked {
                code: operation.code,
                index: operation.index,
                limit: 0,
                name: operation.name(),
                arguments: operation.arguments(),
            },
        )
    }

    /// Makes an ordinary object of what a reference leads to.
    pub fn copy(&self, remote: rs_remote, depth: u64, bytes: u64) -> Result<rs_value, rs_status> {
        self.ask(
            remote,
            &Asked {
                code: COPY,
                index: depth,
                limit: bytes,
                name: &[],
                arguments: &[],
            },
        )
    }

    fn ask(&self, remote: rs_remote, asked: &Asked<'_>) -> Result<rs_value, rs_status> {
        self.expect_open()
            .inspect_err(|_| self.explain(NOT_EXECUTED))?;
        let pin = self.pin_of(remote)?;
        let deadline = self.deadline();
        let serial = self.next_serial()?;
        let mut message = Writer::new(self.link.allocator);
        let mut sent = self.nothing_sent();
        let written = self.write_request(&mut message, &mut sent, serial, deadline, pin, asked);
        let outcome = written
            .and_then(|()| self.send(REQUEST, message))
            .map_err(|status| self.failed(status))
            .inspect_err(|_| self.explain(NOT_EXECUTED));
        count(&self.link.counters.requests, 1);
        let answer = match outcome {
            Ok(()) => self.answer(REQUEST, serial, deadline, sent),
            Err(status) => {
                self.take_back(sent);
                Err(status)
            }
        };
        let left = self.state().waiting.pop();
        debug_assert_eq!(left, Some(serial));
        self.result(&answer?)
    }

    /// The peer's number for what a reference leads to; 0 for none.
    fn pin_of(&self, remote: rs_remote) -> Result<u64, rs_status> {
        if remote == RS_NO_REMOTE {
            return Ok(0);
        }
        let remotes = lock(self.remotes);
        let remote = remotes.get(remote)?;
        match remote.link == self.link.id() {
            true => Ok(remote.pin),
            false => Err(RS_ERR_FOREIGN),
        }
    }

    /// A new request begins to wait.
    fn next_serial(&self) -> Result<u64, rs_status> {
        let mut state = self.state();
        state.waiting.try_reserve(1).map_err(|_| RS_ERR_MEMORY)?;
        state.serial += 1;
        let serial = state.serial;
        state.waiting.push(serial);
        Ok(serial)
    }

    fn write_request(
        &self,
        message: &mut Writer,
        sent: &mut Sent,
        serial: u64,
        deadline: Deadline,
        pin: u64,
        asked: &Asked<'_>,
    ) -> Result<(), rs_status> {
        message.words(&[
            serial,
            deadline.nanoseconds(),
            u64::from(asked.code),
            pin,
            asked.index,
            asked.limit,
        ])?;
        message.bytes(asked.name)?;
        message.word(asked.arguments.len() as u64)?;
        for &value in asked.arguments {
            self.write(message, sent, value, RS_CAN_ALL)?;
        }
        Ok(())
    }

    /// Waits for the answer to what was sent under this number, and does meanwhile what the peer asks for.
    fn answer(
        &self,
        kind: u32,
        serial: u64,
        deadline: Deadline,
        sent: Sent,
    ) -> Result<Message, rs_status> {
        let answer = self.wait_for_answer(serial, deadline);
        if answer.is_err() {
            let was_kept = self.state().unsend(kind, serial);
            self.explain(if was_kept { NOT_EXECUTED } else { UNKNOWN });
            if was_kept {
                self.take_back(sent);
            }
        }
        answer
    }

    fn wait_for_answer(&self, serial: u64, deadline: Deadline) -> Result<Message, rs_status> {
        loop {
            if let Some(answer) = self.kept_answer(serial) {
                return Ok(answer);
            }
            let message = self.receive(deadline)?;
            let is_it = message.kind == ANSWER
                && words_of(&message.bytes).and_then(|words| words.first()) == Some(&serial);
            if is_it {
                return Ok(message);
            }
            self.handle(message)?;
        }
    }

    /// What an answer says.
    fn result(&self, answer: &Message) -> Result<rs_value, rs_status> {
        let words = words_of(&answer.bytes).unwrap_or(&[]);
        let mut from = Reader::new(words);
        from.word()?;
        let status = from.word()? as i64;
        match rs_status::try_from(status).map_err(|_| self.end(RS_ERR_PEER))? {
            RS_OK => self.read(&mut from).map_err(|status| self.failed(status)),
            RS_RAISED => {
                let (kind, text) = (from.bytes()?, from.bytes()?);
                self.link.set_error(kind, text)?;
                Err(RS_RAISED)
            }
            status => {
                self.explain(b"the peer has refused it");
                Err(status)
            }
        }
    }

    /// Notes what is known of an operation whose request has failed.
    fn explain(&self, text: &[u8]) {
        // Without memory the text before stays.
        let _ = self.link.set_error(b"", text);
    }

    /// Sends the peer copies of all that it refers to, since this link is about to end.
    pub fn evacuate(&self, deadline: Deadline) -> Result<(), rs_status> {
        self.expect_open()?;
        let mut numbers = Vec::new_in(self.link.allocator);
        let mut objects = Vec::new_in(self.link.allocator);
        pinned(&lock(&self.link.pins), &mut numbers, &mut objects)?;
        if numbers.is_empty() {
            return Ok(());
        }
        let serial = self.next_serial()?;
        let mut message = Writer::new(self.link.allocator);
        let mut sent = self.nothing_sent();
        let mut write = || {
            message.words(&[serial, numbers.len() as u64])?;
            message.words(&numbers)?;
            let encoded = self.encode(Root::Row(&objects), Limits::NONE)?;
            self.write_image(&mut message, &mut sent, &encoded, RS_CAN_ALL)
        };
        let outcome = match write().and_then(|()| self.send(EVACUATION, message)) {
            Ok(()) => self.answer(EVACUATION, serial, deadline, sent),
            Err(status) => {
                self.take_back(sent);
                Err(status)
            }
        };
        self.state().waiting.pop();
        outcome.map(|_| ())
    }

    /// Tells the peer that nothing more will come, and ends.
    pub fn close(&self) {
        if self.link.ended().is_none() {
            let goodbye = Writer::new(self.link.allocator);
            // If there is no room, the peer sees the end of the channel.
            let _ = self.send(GOODBYE, goodbye);
            self.end(RS_ERR_CLOSED);
        }
    }
}

/// The request never reached the peer.
const NOT_EXECUTED: &[u8] = b"not executed: the request was not sent";
/// The peer had the request, or may have had it.
const UNKNOWN: &[u8] = b"unknown: the peer may have carried it out";
