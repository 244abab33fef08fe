//! Batches: many operations in one request, and all their results in one answer.
//!
//! What a request costs besides its operation (a message, a place among those that wait, an answer) is paid once.
//! The operations' heads stand in the place of the name, a row of words each; their arguments follow, as those of
//! any request, all in one row. So whoever only looks for references in a message need not know of batches, but
//! for the targets.
//!
//! | a head | |
//! |---|---|
//! | first word | code, and how many arguments in its upper half |
//! | then | the receiver's pin or 0, index, bytes of the name, and these |
//!
//! The answer holds, behind its status, three strings and a row of values: the status of each operation as a word;
//! kind and text of the first error that was raised; the values of all operations that have succeeded.

use super::ask::{Asked, FIRST_OWN, Posted, REFUSED};
use super::outbox::Tell;
use super::serve::{Granted, Request};
use super::session::{REQUEST, Session};
use super::state::Message;
use super::values::{Sent, read_numbers, read_text, write_numbers, write_text};
use super::wire::{Reader, Writer};
use crate::host::contract::rs_value;
use crate::host::exchange::*;
use crate::host::memory::{HostAllocator, Vec, copied, push, words_of};
use crate::host::roots::RootArray;
use crate::status::*;
use crate::sync::lock;
use core::cell::Cell;

/// The code of a batch; `index` is how many operations.
pub(super) const BATCH: u32 = 106;

/// Most operations of a batch: a peer can't keep this process busy with one request.
const MOST: usize = 1 << 16;

/// Words of a head without the name.
const HEAD: usize = 4;

/// What an operation is.
pub(super) struct Head<'a> {
    code: u32,
    arguments: usize,
    pub pin: u64,
    index: u64,
    name: &'a [u8],
}

/// The heads of a batch, in order.
pub(super) struct Heads<'a>(Reader<'a>);

impl<'a> Heads<'a> {
    /// Those in the place of a request's name.
    pub fn new(name: &'a [u8]) -> Result<Self, rs_status> {
        words_of(name)
            .map(|words| Heads(Reader::new(words)))
            .ok_or(RS_ERR_PEER)
    }

    /// The next one, if there is one.
    pub fn next(&mut self) -> Result<Option<Head<'a>>, rs_status> {
        if self.0.end().is_ok() {
            return Ok(None);
        }
        let what = self.0.word()?;
        Ok(Some(Head {
            code: what as u32,
            arguments: (what >> u32::BITS) as usize,
            pin: self.0.word()?,
            index: self.0.word()?,
            name: self.0.bytes()?,
        }))
    }
}

/// What came of a batch at its owner: a status, a value, and what the peer may do with it, by which operation.
struct Done<'a> {
    statuses: Vec<u64>,
    values: RootArray<'a>,
    rights: Vec<Rights>,
    /// Kind and text of the first error that was raised.
    error: (Vec<u8>, Vec<u8>),
}

struct Rights {
    rights: u32,
    code: u32,
}

impl Session<'_> {
    /// Has the peer carry out operations, and says of each what came of it.
    pub fn batch(&self, entries: &mut [rs_batch_entry], timeout: u64) -> Result<(), rs_status> {
        let outcome = self.ask_for_all(entries, timeout);
        if let Err(status) = outcome {
            for entry in entries {
                (entry.status, entry.result) = (status, 0);
            }
        }
        outcome
    }

    fn ask_for_all(&self, entries: &mut [rs_batch_entry], timeout: u64) -> Result<(), rs_status> {
        if entries.is_empty() {
            return self.expect_open();
        }
        if entries.len() > MOST {
            return Err(RS_ERR_LIMIT);
        }
        for entry in entries.iter() {
            Asked::of(entry.remote, &entry.operation)?;
            let is_plain = entry.operation.flags == 0 && entry.operation.timeout == 0;
            if !is_plain || entry.operation.arguments_count > u64::from(u32::MAX) {
                return Err(RS_ERR_ARGUMENT);
            }
        }
        if lock(self.remotes).has_releases() {
            self.send_releases()?;
        }
        let deadline = self.deadline(timeout);
        let request = Posted {
            kind: REQUEST,
            deadline,
            tell: Tell::Now,
        };
        let answer = self.post_and_wait(request, |message, sent, chain| {
            let count = entries.len() as u64;
            message.words(&[deadline.nanoseconds(), chain, u64::from(BATCH), 0, count, 0])?;
            let own = || entries.iter().map(|entry| &entry.operation);
            let names = own().map(|own| own.name().len().div_ceil(size_of::<u64>()));
            let words = entries.len() * HEAD + names.sum::<usize>();
            message.word((words * size_of::<u64>()) as u64)?;
            let remotes = lock(self.remotes);
            for entry in entries.iter() {
                let pin = self.pin_among(&remotes, entry.remote)?;
                write_head(message, &entry.operation, pin)?;
            }
            drop(remotes);
            message.word(own().map(|own| own.arguments().len() as u64).sum())?;
            for &value in own().flat_map(rs_operation::arguments) {
                self.write(message, sent, value, RS_CAN_ALL)?;
            }
            Ok(())
        })?;
        let outcome = self.while_reading(|| self.read_results(&answer, entries));
        self.stop_keeping(&answer);
        self.state().recycle(answer.bytes);
        outcome.map_err(|status| self.reading_failed(status))
    }

    fn read_results(
        &self,
        answer: &Message,
        entries: &mut [rs_batch_entry],
    ) -> Result<(), rs_status> {
        let mut from = self.expect_ok(answer)?;
        let statuses = read_numbers(&mut from)?;
        let has_failed = statuses.iter().any(|&status| status != RS_OK as u64);
        let (kind, text) = (read_text(&mut from)?, read_text(&mut from)?);
        let count = statuses.iter().filter(|&&status| status == 0).count();
        let values = self.read_all(count, &mut from)?;
        from.end()?;
        if statuses.len() != entries.len() {
            return Err(RS_ERR_PEER);
        }
        let mut values = values.iter().map(Cell::get);
        for (entry, &status) in entries.iter_mut().zip(statuses) {
            let status = rs_status::try_from(status as i64).map_err(|_| RS_ERR_PEER)?;
            (entry.status, entry.result) = match status {
                RS_OK => (RS_OK, values.next().unwrap_or(0)),
                RS_RAISED => (RS_RAISED, 0),
                status if status < RS_OK => (status, 0),
                _ => return Err(RS_ERR_PEER),
            };
        }
        match has_failed && text.is_empty() {
            true => self.explain(REFUSED),
            false => self.link.set_error(kind, text)?,
        }
        Ok(())
    }

    /// Carries out a batch, and answers it. Fails only if the link does.
    pub(super) fn serve_batch(
        &self,
        request: &Request<'_>,
        arguments: &RootArray<'_>,
    ) -> Result<(), rs_status> {
        let done = match self.carry_out_all(request, arguments) {
            Ok(done) => done,
            Err(RS_ERR_PEER) => return Err(RS_ERR_PEER),
            Err(status) => return self.reply_failure(request, status),
        };
        let mut message = Writer::new(self.link.allocator);
        let mut sent = self.nothing_sent(0);
        let written = message
            .words(&[request.serial, RS_OK as u64])
            .and_then(|()| self.write_results(&mut message, &mut sent, &done));
        match written.and_then(|()| self.answer_with(&mut message, request.tell)) {
            Ok(()) => Ok(()),
            Err(status) => {
                self.take_back(sent);
                self.reply_failure(request, status)
            }
        }
    }

    fn carry_out_all(
        &self,
        request: &Request<'_>,
        arguments: &[Cell<rs_value>],
    ) -> Result<Done<'_>, rs_status> {
        let count = usize::try_from(request.index).unwrap_or(usize::MAX);
        if count > MOST {
            return Err(RS_ERR_LIMIT);
        }
        let allocator = self.link.allocator;
        let mut done = Done {
            statuses: Vec::new_in(allocator),
            values: self.host.roots().array(count)?,
            rights: Vec::new_in(allocator),
            error: (Vec::new_in(allocator), Vec::new_in(allocator)),
        };
        done.statuses
            .try_reserve(count)
            .and_then(|()| done.rights.try_reserve(count))
            .map_err(|_| RS_ERR_MEMORY)?;
        let mut heads = Heads::new(request.name)?;
        let mut rest = arguments;
        while let Some(head) = heads.next()? {
            let (own, behind) = rest.split_at_checked(head.arguments).ok_or(RS_ERR_PEER)?;
            rest = behind;
            let place = done.values.get(done.statuses.len()).ok_or(RS_ERR_PEER)?;
            let outcome = self.carry_out_head(request, &head, own);
            let status = outcome.as_ref().err().copied().unwrap_or(RS_OK);
            if let Ok(Granted { value, rights }) = outcome {
                place.set(value);
                let code = head.code;
                push(&mut done.rights, Rights { rights, code })?;
            } else if status == RS_RAISED && done.error.1.is_empty() {
                done.error = self.raised(allocator)?;
            }
            push(&mut done.statuses, status as i64 as u64)?;
        }
        let is_whole = rest.is_empty() && done.statuses.len() == count;
        is_whole.then_some(done).ok_or(RS_ERR_PEER)
    }

    fn carry_out_head(
        &self,
        request: &Request<'_>,
        head: &Head<'_>,
        arguments: &[Cell<rs_value>],
    ) -> Result<Granted, rs_status> {
        if head.code >= FIRST_OWN {
            return Err(RS_ERR_UNSUPPORTED);
        }
        let own = Request {
            code: head.code,
            pin: head.pin,
            index: head.index,
            name: head.name,
            ..*request
        };
        self.carry_out(&own, arguments)
    }

    /// Kind and text of the error that the host has just raised.
    fn raised(&self, allocator: HostAllocator) -> Result<(Vec<u8>, Vec<u8>), rs_status> {
        let state = self.state();
        let [kind, text] = state.raised();
        Ok((copied(kind, allocator)?, copied(text, allocator)?))
    }

    fn write_results(
        &self,
        message: &mut Writer,
        sent: &mut Sent,
        done: &Done<'_>,
    ) -> Result<(), rs_status> {
        write_numbers(message, &done.statuses)?;
        write_text(message, &done.error.0)?;
        write_text(message, &done.error.1)?;
        let all = done.statuses.iter().zip(done.values.iter());
        let succeeded = all.filter(|&(&status, _)| status == RS_OK as u64);
        for ((_, value), own) in succeeded.zip(&done.rights) {
            sent.code = own.code;
            self.write(message, sent, value.get(), own.rights)?;
        }
        Ok(())
    }
}

fn write_head(out: &mut Writer, operation: &rs_operation, pin: u64) -> Result<(), rs_status> {
    let arguments = operation.arguments().len() as u64;
    let what = arguments << u32::BITS | u64::from(operation.code);
    let name = operation.name();
    out.words(&[what, pin, operation.index, name.len() as u64])?;
    out.padded(name)
}
