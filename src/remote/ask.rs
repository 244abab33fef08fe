//! Asking a peer, and waiting for its answer.

use super::link::{Message, Waiting, count};
use super::session::{ANSWER, EVACUATION, GOODBYE, REQUEST, Session};
use super::values::{Sent, write_numbers};
use super::wire::{Reader, Writer};
use crate::graph::encode::{Limits, Root};
use crate::host::contract::rs_value;
use crate::host::exchange::{RS_CAN_ALL, RS_NO_REMOTE, rs_operation, rs_remote};
use crate::host::memory::{Vec, bytes_of, push, words_of};
use crate::shm::deadline::Deadline;
use crate::status::*;
use crate::sync::lock;

/// The code of a request for a copy: `index` and `limit` are the limits of depth and of bytes.
pub(super) const COPY: u32 = FIRST_OWN;
/// The code of a request that follows a path: its steps are words in the place of the name, and `index` is
/// how many.
pub(super) const FOLLOW: u32 = FIRST_OWN + 1;
/// The code of a request for copies of everything that the asker refers to.
pub(super) const FETCH: u32 = FIRST_OWN + 2;

/// From here on, codes are not the host's.
const FIRST_OWN: u32 = 100;

/// Most requests that wait for an answer at a time.
const MOST_WAITING: usize = 1 << 16;

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
        self.finish(self.begin(remote, operation)?)
    }

    /// Asks the peer to carry out an operation; returns the number of the request, which is to be finished
    /// or forgotten.
    pub fn begin(&self, remote: rs_remote, operation: &rs_operation) -> Result<u64, rs_status> {
        let is_known = (1..FIRST_OWN).contains(&operation.code);
        if operation.reserved != 0 || !is_known {
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

    /// Reads an element of what a reference leads to, an element of that, and so on.
    pub fn follow(&self, remote: rs_remote, steps: &[u64]) -> Result<rs_value, rs_status> {
        let request = self.ask(
            remote,
            &Asked {
                code: FOLLOW,
                index: steps.len() as u64,
                limit: 0,
                name: bytes_of(steps),
                arguments: &[],
            },
        )?;
        self.finish(request)
    }

    /// Makes an ordinary object of what a reference leads to.
    pub fn copy(&self, remote: rs_remote, depth: u64, bytes: u64) -> Result<rs_value, rs_status> {
        let request = self.ask(
            remote,
            &Asked {
                code: COPY,
                index: depth,
                limit: bytes,
                name: &[],
                arguments: &[],
            },
        )?;
        self.finish(request)
    }

    fn ask(&self, remote: rs_remote, asked: &Asked<'_>) -> Result<u64, rs_status> {
        self.expect_open()
            .inspect_err(|_| self.explain(NOT_EXECUTED))?;
        let pin = self
            .pin_of(remote)
            .inspect_err(|_| self.explain(NOT_EXECUTED))?;
        let deadline = self.deadline();
        count(&self.link.counters.requests, 1);
        self.post(REQUEST, deadline, |message, sent, serial| {
            self.write_request(message, sent, serial, deadline, pin, asked)
        })
    }

    /// Sends a message that is to be answered; returns its number.
    fn post(
        &self,
        kind: u32,
        deadline: Deadline,
        write: impl FnOnce(&mut Writer, &mut Sent, u64) -> Result<(), rs_status>,
    ) -> Result<u64, rs_status> {
        let serial = self.next_serial()?;
        let mut message = Writer::new(self.link.allocator);
        let mut sent = self.nothing_sent();
        let outcome = write(&mut message, &mut sent, serial)
            .and_then(|()| self.send(kind, message))
            .map_err(|status| self.failed(status));
        match outcome {
            Ok(()) => {
                // There is room: see `next_serial`.
                self.state().waiting.push(Waiting {
                    serial,
                    kind,
                    deadline,
                    sent,
                });
                Ok(serial)
            }
            Err(status) => {
                self.take_back(sent);
                self.explain(NOT_EXECUTED);
                Err(status)
            }
        }
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

    /// The number of a new request, for which there is room among those that wait.
    fn next_serial(&self) -> Result<u64, rs_status> {
        let mut state = self.state();
        if state.waiting.len() >= MOST_WAITING {
            return Err(RS_ERR_LIMIT);
        }
        state.waiting.try_reserve(1).map_err(|_| RS_ERR_MEMORY)?;
        state.serial += 1;
        Ok(state.serial)
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

    /// Waits for the result of a request, and does meanwhile what the peer asks for.
    pub fn finish(&self, request: u64) -> Result<rs_value, rs_status> {
        let answer = self.answer(request)?;
        self.result(&answer)
    }

    /// The result of a request if it is there; none if not.
    pub fn poll(&self, request: u64) -> Result<Option<rs_value>, rs_status> {
        self.deadline_of(request)?;
        while let Some(message) = self.receive_now()? {
            self.handle(message)?;
        }
        match self.kept_answer(request) {
            Some(answer) => {
                self.end_wait(request);
                self.result(&answer).map(Some)
            }
            None => self.expect_open().map(|()| None),
        }
    }

    /// Nobody wants the result of a request.
    pub fn forget(&self, request: u64) -> Result<(), rs_status> {
        self.deadline_of(request)?;
        self.end_wait(request);
        match self.kept_answer(request) {
            Some(answer) => self.handle(answer),
            None => Ok(()),
        }
    }

    fn deadline_of(&self, request: u64) -> Result<Deadline, rs_status> {
        let state = self.state();
        let found = state.waiting.iter().find(|own| own.serial == request);
        found.map(|own| own.deadline).ok_or(RS_ERR_ARGUMENT)
    }

    /// A request does not wait any longer.
    fn end_wait(&self, request: u64) -> Option<Waiting> {
        let waiting = &mut self.state().waiting;
        let index = waiting.iter().position(|own| own.serial == request)?;
        Some(waiting.swap_remove(index))
    }

    fn answer(&self, request: u64) -> Result<Message, rs_status> {
        let deadline = self.deadline_of(request)?;
        let answer = self.wait_for_answer(request, deadline);
        let waited = self.end_wait(request);
        if let (Err(_), Some(waited)) = (&answer, waited) {
            let was_kept = self.state().unsend(waited.kind, request);
            self.explain(if was_kept { NOT_EXECUTED } else { UNKNOWN });
            if was_kept {
                self.take_back(waited.sent);
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
        let result = self.read_result(answer);
        self.stop_keeping(answer);
        result
    }

    fn read_result(&self, answer: &Message) -> Result<rs_value, rs_status> {
        let words = words_of(&answer.bytes).unwrap_or(&[]);
        let mut from = Reader::new(words);
        from.word()?;
        let status = from.word()? as i64;
        match rs_status::try_from(status).map_err(|_| self.end(RS_ERR_PEER))? {
            RS_OK => self
                .while_reading(|| self.read(&mut from))
                .map_err(|status| self.failed(status)),
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
        if lock(&self.link.pins).is_empty() {
            return Ok(());
        }
        let request = self.post(EVACUATION, deadline, |message, sent, serial| {
            message.word(serial)?;
            self.write_all(message, sent, 0)
        })?;
        self.answer(request).map(|_| ())
    }

    /// Writes the numbers of all pins with these rights, and what they pin, as one graph.
    pub(super) fn write_all(
        &self,
        message: &mut Writer,
        sent: &mut Sent,
        rights: u32,
    ) -> Result<(), rs_status> {
        let mut numbers = Vec::new_in(self.link.allocator);
        let mut objects = Vec::new_in(self.link.allocator);
        let pins = lock(&self.link.pins);
        for (number, pin) in pins.iter().filter(|(_, pin)| pin.rights & rights == rights) {
            push(&mut numbers, number)?;
            push(&mut objects, pin.object)?;
        }
        drop(pins);
        write_numbers(message, &numbers)?;
        let encoded = self.encode(Root::Row(&objects), Limits::NONE)?;
        self.write_image(message, sent, &encoded, RS_CAN_ALL)
    }

    /// Replaces all that this process refers to by copies, since this link is about to end.
    pub fn fetch_all(&self, deadline: Deadline) -> Result<(), rs_status> {
        self.expect_open()?;
        let request = self.post(REQUEST, deadline, |message, _, serial| {
            let nothing = 0;
            message.words(&[serial, deadline.nanoseconds(), u64::from(FETCH)])?;
            message.words(&[nothing, nothing, nothing])?;
            message.bytes(&[])?;
            message.word(nothing)
        })?;
        let answer = self.answer(request)?;
        let mut from = Reader::new(words_of(&answer.bytes).unwrap_or(&[]));
        from.word()?;
        match from.word()? as rs_status {
            RS_OK => self
                .replace_by_copies(&mut from)
                .map_err(|status| self.failed(status)),
            status => Err(status),
        }
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
