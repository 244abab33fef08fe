//! Asking a peer, and waiting for its answer.

use super::context::{self, NO_CHAIN};
use super::outbox::Tell;
use super::remotes::Remotes;
use super::session::{Awaited, REQUEST, Session};
use super::state::{Message, Waiting};
use super::values::Sent;
use super::wire::{Reader, Writer};
use crate::host::contract::rs_value;
use crate::host::exchange::*;
use crate::host::memory::{bytes_of, words_of};
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
pub(super) const FIRST_OWN: u32 = 100;

/// A request, with what the host's struct says only by pointers.
pub(super) struct Asked<'a> {
    pub code: u32,
    pub index: u64,
    pub limit: u64,
    pub name: &'a [u8],
    pub arguments: &'a [rs_value],
    /// Most nanoseconds that it may take; 0: as many as the link says.
    pub timeout: u64,
    pub tell: Tell,
}

impl Asked<'_> {
    pub(super) fn new(code: u32) -> Self {
        Asked {
            code,
            index: 0,
            limit: 0,
            name: &[],
            arguments: &[],
            timeout: 0,
            tell: Tell::Now,
        }
    }
}

impl<'a> Asked<'a> {
    /// What a host asks for.
    pub(super) fn of(remote: rs_remote, operation: &'a rs_operation) -> Result<Self, rs_status> {
        let is_known = (1..FIRST_OWN).contains(&operation.code);
        let has_target = remote != RS_NO_REMOTE || is_by_name(operation.code);
        if operation.flags & !RS_REQUEST_MORE != 0 || !is_known || !has_target {
            return Err(RS_ERR_ARGUMENT);
        }
        Ok(Asked {
            index: operation.index,
            name: operation.name(),
            arguments: operation.arguments(),
            timeout: operation.timeout,
            tell: match operation.flags & RS_REQUEST_MORE {
                0 => Tell::Now,
                _ => Tell::Later,
            },
            ..Asked::new(operation.code)
        })
    }
}

/// How a message is sent that is to be answered.
#[derive(Clone, Copy)]
pub(super) struct Posted {
    pub kind: u32,
    pub deadline: Deadline,
    pub tell: Tell,
}

/// Why there is no result.
enum Failed {
    /// The answer could not be read.
    Reading(rs_status),
    /// That is the answer.
    Peer(rs_status),
}

impl From<rs_status> for Failed {
    fn from(status: rs_status) -> Self {
        Failed::Reading(status)
    }
}

/// Whether an operation may find what it is done to by a name.
pub(super) fn is_by_name(code: u32) -> bool {
    matches!(code, RS_READ_VARIABLE | RS_WRITE_VARIABLE | RS_CALL)
}

impl Session<'_> {
    /// Has the peer carry out an operation; returns its result.
    pub fn request(
        &self,
        remote: rs_remote,
        operation: &rs_operation,
    ) -> Result<rs_value, rs_status> {
        self.ask_and_wait(remote, &Asked::of(remote, operation)?)
    }

    /// Asks the peer to carry out an operation; returns the number of the request, which is to be finished
    /// or forgotten.
    pub fn begin(&self, remote: rs_remote, operation: &rs_operation) -> Result<u64, rs_status> {
        self.ask(remote, &Asked::of(remote, operation)?)
    }

    /// Reads an element of what a reference leads to, an element of that, and so on.
    pub fn follow(&self, remote: rs_remote, steps: &[u64]) -> Result<rs_value, rs_status> {
        self.ask_and_wait(
            remote,
            &Asked {
                index: steps.len() as u64,
                name: bytes_of(steps),
                ..Asked::new(FOLLOW)
            },
        )
    }

    /// Makes an ordinary object of what a reference leads to.
    pub fn copy(&self, remote: rs_remote, depth: u64, bytes: u64) -> Result<rs_value, rs_status> {
        self.ask_and_wait(
            remote,
            &Asked {
                index: depth,
                limit: bytes,
                ..Asked::new(COPY)
            },
        )
    }

    fn ask(&self, remote: rs_remote, asked: &Asked<'_>) -> Result<u64, rs_status> {
        let (serial, waiting) = self.post_request(remote, asked)?;
        self.state().waiting.insert(serial, waiting);
        Ok(serial)
    }

    /// Asks, and waits for the result. If the answer comes soon, and nothing comes before it, the request need
    /// not be entered among those that wait.
    pub(super) fn ask_and_wait(
        &self,
        remote: rs_remote,
        asked: &Asked<'_>,
    ) -> Result<rs_value, rs_status> {
        let (serial, waiting) = self.post_request(remote, asked)?;
        let first = match self.receive_soon(None, waiting.deadline) {
            Ok(Some(message)) if message.answers(serial) => return self.use_answer(message),
            first => first,
        };
        self.state().waiting.insert(serial, waiting);
        match first {
            Ok(Some(message)) => self.finish_after(message, serial),
            // If the link has ended, that is seen there.
            _ => self.finish(serial),
        }
    }

    /// Asks, and waits for the answer, which says that it was done.
    pub(super) fn ask_for_answer(
        &self,
        remote: rs_remote,
        asked: &Asked<'_>,
    ) -> Result<Message, rs_status> {
        let answer = self.answer(self.ask(remote, asked)?)?;
        self.expect_ok(&answer)?;
        Ok(answer)
    }

    /// Sends a message that is to be answered, and waits for the answer.
    pub(super) fn post_and_wait(
        &self,
        posted: Posted,
        write: impl FnOnce(&mut Writer, &mut Sent, u64) -> Result<(), rs_status>,
    ) -> Result<Message, rs_status> {
        let (serial, waiting) = self.post(posted, write)?;
        self.state().waiting.insert(serial, waiting);
        self.answer(serial)
    }

    fn post_request(
        &self,
        remote: rs_remote,
        asked: &Asked<'_>,
    ) -> Result<(u64, Waiting), rs_status> {
        let pin = self
            .pin_of(remote)
            .inspect_err(|_| self.explain(NOT_EXECUTED))?;
        let request = Posted {
            kind: REQUEST,
            deadline: self.deadline(asked.timeout),
            tell: asked.tell,
        };
        self.post(request, |message, sent, chain| {
            message.words(&[
                request.deadline.nanoseconds(),
                chain,
                u64::from(asked.tell == Tell::Later) << u32::BITS | u64::from(asked.code),
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
        })
    }

    /// Sends a message that is to be answered; returns its number, which is the message's first word, and what is
    /// to be entered among the requests that wait, where there is room for it.
    pub(super) fn post(
        &self,
        posted: Posted,
        write: impl FnOnce(&mut Writer, &mut Sent, u64) -> Result<(), rs_status>,
    ) -> Result<(u64, Waiting), rs_status> {
        let serial = self.link.next_serial();
        let chain = match context::current().chain {
            NO_CHAIN => self.link.chain(serial),
            chain => chain,
        };
        let mut message = Writer::new(self.link.allocator);
        let mut sent = self.nothing_sent(0);
        let written = message
            .word(serial)
            .and_then(|()| write(&mut message, &mut sent, chain));
        match written.and_then(|()| self.send_request(posted, &mut message)) {
            Ok(()) => Ok((
                serial,
                Waiting {
                    kind: posted.kind,
                    deadline: posted.deadline,
                    chain,
                    sent,
                    answer: None,
                },
            )),
            Err(status) => {
                self.take_back(sent);
                self.explain(NOT_EXECUTED);
                Err(status)
            }
        }
    }

    fn send_request(&self, posted: Posted, message: &mut Writer) -> Result<(), rs_status> {
        let mut state = self.state();
        if let Some(status) = state.ended {
            return Err(status);
        }
        state.reserve_waiting()?;
        state.counters.requests += 1;
        let outcome = state.send(posted.kind, message, posted.tell);
        drop(state);
        outcome.map_err(|status| self.channel_failed(status))
    }

    /// The peer's number for what a reference leads to; 0 for none. What is to be given back goes first.
    fn pin_of(&self, remote: rs_remote) -> Result<u64, rs_status> {
        let remotes = lock(self.remotes);
        let pin = self.pin_among(&remotes, remote)?;
        let has_releases = remotes.has_releases();
        drop(remotes);
        if has_releases {
            self.send_releases()?;
        }
        Ok(pin)
    }

    #[inline]
    pub(super) fn pin_among(&self, remotes: &Remotes, remote: rs_remote) -> Result<u64, rs_status> {
        if remote == RS_NO_REMOTE {
            return Ok(0);
        }
        let remote = remotes.get(remote)?;
        match remote.link == self.link.id() {
            true => Ok(remote.pin),
            false => Err(RS_ERR_FOREIGN),
        }
    }

    /// Waits for the result of a request, and does meanwhile what the peer asks for.
    pub fn finish(&self, request: u64) -> Result<rs_value, rs_status> {
        let answer = self.answer(request)?;
        self.use_answer(answer)
    }

    /// The same, after this message has come.
    fn finish_after(&self, message: Message, request: u64) -> Result<rs_value, rs_status> {
        match self.handle(message) {
            Ok(_) => self.finish(request),
            Err(status) => {
                self.give_up(request);
                Err(status)
            }
        }
    }

    fn use_answer(&self, answer: Message) -> Result<rs_value, rs_status> {
        let result = self.result(&answer);
        self.state().recycle(answer.bytes);
        result
    }

    /// The result of a request if it is there; none if not.
    pub fn poll(&self, request: u64) -> Result<Option<rs_value>, rs_status> {
        self.expect_waiting(request)?;
        let mut done = None;
        while let Some(message) = self.receive_now(done.take())? {
            done = self.handle(message)?;
        }
        match self.kept_answer(request) {
            Some(answer) => self.result(&answer).map(Some),
            None => self.expect_open().map(|()| None),
        }
    }

    /// Nobody wants the result of a request.
    pub fn forget(&self, request: u64) -> Result<(), rs_status> {
        let waiting = self.state().waiting.remove(&request);
        match waiting.ok_or(RS_ERR_ARGUMENT)?.answer {
            Some(answer) => self
                .discard_answer(&answer)
                .map_err(|status| self.reading_failed(status)),
            None => Ok(()),
        }
    }

    /// Of a request that waits: when it ends, and its chain of calls.
    fn expect_waiting(&self, request: u64) -> Result<(Deadline, u64), rs_status> {
        let state = self.state();
        let own = state.waiting.get(&request).ok_or(RS_ERR_ARGUMENT)?;
        Ok((own.deadline, own.chain))
    }

    /// The answer to a request, if it has come; the request waits no longer then.
    fn kept_answer(&self, request: u64) -> Option<Message> {
        let mut state = self.state();
        let answer = state.waiting.get_mut(&request)?.answer.take()?;
        state.waiting.remove(&request);
        Some(answer)
    }

    pub(super) fn answer(&self, request: u64) -> Result<Message, rs_status> {
        let (deadline, chain) = self.expect_waiting(request)?;
        let answer = self.wait_for_answer(request, deadline, chain);
        match &answer {
            Ok(_) => drop(self.state().waiting.remove(&request)),
            Err(_) => self.give_up(request),
        }
        answer
    }

    /// Nobody waits for a request any longer, and why: it may have been carried out, or was not sent at all.
    fn give_up(&self, request: u64) {
        let mut state = self.state();
        let Some(waited) = state.waiting.remove(&request) else {
            return;
        };
        let was_kept = state.outbox.unsend(waited.kind, request);
        drop(state);
        self.explain(if was_kept { NOT_EXECUTED } else { UNKNOWN });
        if was_kept {
            self.take_back(waited.sent);
        }
    }

    fn wait_for_answer(
        &self,
        serial: u64,
        deadline: Deadline,
        chain: u64,
    ) -> Result<Message, rs_status> {
        let awaited = Awaited {
            deadline,
            chain,
            request: serial,
        };
        let mut done = None;
        loop {
            if let Some(answer) = self.kept_answer(serial) {
                return Ok(answer);
            }
            done = match self.receive(done.take(), awaited)? {
                Some(message) if message.answers(serial) => return Ok(message),
                Some(message) => self.handle(message)?,
                None => None,
            };
        }
    }

    /// What an answer says.
    fn result(&self, answer: &Message) -> Result<rs_value, rs_status> {
        let words = words_of(&answer.bytes).unwrap_or(&[]);
        let result = self.while_reading(|| self.read_result(Reader::new(words)));
        self.stop_keeping(answer);
        result.map_err(|failed| match failed {
            Failed::Reading(status) => self.reading_failed(status),
            Failed::Peer(status) => status,
        })
    }

    fn read_result(&self, mut from: Reader<'_>) -> Result<rs_value, Failed> {
        from.word()?;
        let status = from.word()? as i64;
        match rs_status::try_from(status).map_err(|_| RS_ERR_PEER)? {
            RS_OK => Ok(self.read(&mut from)?),
            RS_RAISED => {
                let (kind, text) = (from.bytes()?, from.bytes()?);
                self.link.set_error(kind, text)?;
                Err(Failed::Peer(RS_RAISED))
            }
            status if status < RS_OK => {
                self.explain(REFUSED);
                Err(Failed::Peer(status))
            }
            _ => Err(Failed::Reading(RS_ERR_PEER)),
        }
    }

    /// Notes what is known of an operation whose request has failed.
    pub(super) fn explain(&self, text: &[u8]) {
        // Without memory the text before stays.
        let _ = self.link.set_error(b"", text);
    }

    /// What stands in an answer behind its status, if that is success.
    pub(super) fn expect_ok<'a>(&self, answer: &'a Message) -> Result<Reader<'a>, rs_status> {
        let mut from = Reader::new(words_of(&answer.bytes).unwrap_or(&[]));
        let status = from.word().and_then(|_| from.word());
        match status.map(|status| rs_status::try_from(status as i64)) {
            Ok(Ok(RS_OK)) => Ok(from),
            Ok(Ok(status)) if status < RS_OK => Err(status),
            _ => Err(self.end(RS_ERR_PEER)),
        }
    }
}

/// The peer has answered that it does no such thing.
pub(super) const REFUSED: &[u8] = b"the peer has refused it";
/// The request never reached the peer.
const NOT_EXECUTED: &[u8] = b"not executed: the request was not sent";
/// The peer had the request, or may have had it.
const UNKNOWN: &[u8] = b"unknown: the peer may have carried it out";
