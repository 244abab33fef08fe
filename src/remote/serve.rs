//! Carrying out what a peer asks for.

use super::ask::{COPY, FETCH, FIRST_OWN, FOLLOW, is_by_name};
use super::batch::BATCH;
use super::context;
use super::outbox::Tell;
use super::session::{ANSWER, Awaited, Session};
use super::share::{LOCATE, SHARE};
use super::state::Message;
use super::values::Sent;
use super::watch::{WATCH, is_write};
use super::wire::{Reader, Writer};
use crate::graph::encode::{Limits, Root};
use crate::host::contract::rs_value;
use crate::host::exchange::*;
use crate::host::item::RS_ITEM_REMOTE;
use crate::host::memory::words_of;
use crate::shm::deadline::{Deadline, now};
use crate::status::*;
use crate::sync::lock;
use core::cell::Cell;
use core::time::Duration;

/// Most requests that are carried out inside of each other.
const DEPTH: u32 = 64;

/// Most steps of a path: a peer can't keep this process busy with one request.
const MOST_STEPS: usize = 1 << 16;

/// Most requests that are carried out before their answers are told of.
const TOGETHER: u32 = 64;

/// What a peer asks for.
pub(super) struct Request<'a> {
    pub serial: u64,
    pub deadline: Deadline,
    pub chain: u64,
    pub code: u32,
    /// Of the answer.
    pub tell: Tell,
    pub pin: u64,
    pub index: u64,
    pub limit: u64,
    pub name: &'a [u8],
}

/// What it gets: a value, with what it may do with it.
pub(super) struct Granted {
    pub value: rs_value,
    pub rights: u32,
}

/// The right that an operation needs.
fn needed(code: u32) -> Result<u32, rs_status> {
    Ok(match code {
        RS_READ_VARIABLE | RS_READ_ELEMENT | RS_READ_KEY | RS_READ_LENGTH | RS_PRINT | RS_EQUAL
        | COPY | FOLLOW | SHARE | LOCATE | WATCH => RS_CAN_READ,
        RS_WRITE_VARIABLE | RS_WRITE_ELEMENT | RS_WRITE_KEY => RS_CAN_WRITE,
        RS_EXCHANGE_ELEMENT | RS_ADD_ELEMENT => RS_CAN_READ | RS_CAN_WRITE,
        RS_CALL => RS_CAN_CALL,
        _ => return Err(RS_ERR_UNSUPPORTED),
    })
}

impl Session<'_> {
    /// Carries out what has arrived, for about so many nanoseconds; 0 for what is there now.
    pub fn serve_all(&self, budget: u64) -> Result<rs_status, rs_status> {
        self.expect_open()?;
        let end = match budget {
            0 => Deadline::NEVER,
            budget => Deadline::after(Duration::from_nanos(budget)),
        };
        if core::mem::take(&mut self.state().is_armed) {
            let woken = self.state().channel.woken();
            woken.map_err(|status| self.channel_failed(status))?;
        }
        loop {
            let mut done = None;
            while let Some(message) = self.receive_now(done.take())? {
                done = self.handle(message)?;
                if end != Deadline::NEVER && end.has_passed(now()) {
                    self.state().flush();
                    return Ok(RS_MORE);
                }
            }
            self.send_releases()?;
            let mut state = self.state();
            if state.channel.peer_is_gone() {
                drop(state);
                return Err(self.end(RS_ERR_DEAD));
            }
            let may_sleep = state.channel.prepare_to_sleep();
            state.is_armed = may_sleep == Ok(true);
            drop(state);
            if may_sleep.map_err(|status| self.channel_failed(status))? {
                return Ok(RS_OK);
            }
        }
    }

    /// Waits until there is something to do, and does it; `RS_ERR_TIMEOUT` if there was nothing.
    pub fn serve_one(&self, timeout: u64) -> Result<(), rs_status> {
        self.expect_open()?;
        let end = match timeout {
            0 => Deadline::NEVER,
            timeout => Deadline::after(Duration::from_nanos(timeout)),
        };
        match self.receive(None, Awaited::anything(end))? {
            Some(message) => {
                let done = self.handle(message)?;
                self.serve_what_is_there(done)
            }
            None => Ok(()),
        }
    }

    /// Carries out what came together with a message, which is done, so that it is answered together.
    fn serve_what_is_there(&self, mut done: Option<Message>) -> Result<(), rs_status> {
        for _ in 0..TOGETHER {
            match self.receive_now(done.take())? {
                Some(message) => done = self.handle(message)?,
                None => return Ok(()),
            }
        }
        self.state().flush();
        Ok(())
    }

    /// Carries out a request, and answers it. Fails only if the link does.
    pub(super) fn serve(&self, mut from: Reader<'_>) -> Result<(), rs_status> {
        let (serial, deadline, chain, code) =
            (from.word()?, from.word()?, from.word()?, from.word()?);
        let request = Request {
            serial,
            deadline: Deadline::at(deadline),
            chain,
            code: code as u32,
            tell: match code >> u32::BITS {
                0 => Tell::Now,
                _ => Tell::Later,
            },
            pin: from.word()?,
            index: from.word()?,
            limit: from.word()?,
            name: from.bytes()?,
        };
        let count = from.count()?;
        let is_late = request.deadline != Deadline::NEVER && request.deadline.has_passed(now());
        let arguments = match is_late || context::current().depth >= DEPTH {
            false => self.while_reading(|| self.read_all(count, &mut from)),
            true => {
                for _ in 0..count {
                    self.discard(&mut from)?;
                }
                Err(RS_ERR_LIMIT)
            }
        };
        if arguments.as_ref().err() == Some(&RS_ERR_PEER) {
            return Err(RS_ERR_PEER);
        }
        from.end()?;
        if is_late {
            // Nobody waits for it any more.
            return Ok(());
        }
        match arguments {
            Ok(arguments) => {
                context::within(request.chain, request.deadline, || match request.code {
                    BATCH => self.serve_batch(&request, &arguments),
                    _ => self.reply(&request, self.carry_out(&request, &arguments)),
                })
            }
            Err(status) => self.reply_failure(&request, status),
        }
    }

    pub(super) fn carry_out(
        &self,
        request: &Request<'_>,
        arguments: &[Cell<rs_value>],
    ) -> Result<Granted, rs_status> {
        if request.code == FETCH {
            return Ok(Granted {
                value: 0,
                rights: RS_CAN_READ,
            });
        }
        let target = self.target(request)?;
        let value = match request.code {
            RS_READ_VARIABLE if target.value != 0 => target.value,
            COPY => self.copied(request, target.value)?,
            FOLLOW => self.follow_steps(request, target.value)?,
            SHARE => target.value,
            WATCH => {
                if lock(&self.link.pins).watch(target.value) {
                    self.around.count_watches(1);
                }
                target.value
            }
            LOCATE => self.located(target.value, request.index)?,
            code if is_write(code) && target.value != 0 => {
                // The host may move the object while it writes.
                let written = self.host.roots().array(1)?;
                written[0].set(target.value);
                let value = self.operate_on_pin(request, target.value, arguments)?;
                self.around.changed(written[0].get());
                value
            }
            _ => self.operate_on_pin(request, target.value, arguments)?,
        };
        Ok(Granted { value, ..target })
    }

    /// What an operation is to be done to, if the peer may; 0 if `operate` is to find it by its name.
    fn target(&self, request: &Request<'_>) -> Result<Granted, rs_status> {
        let needed = needed(request.code)?;
        let found = match request.pin {
            0 => self.link.exported(request.name),
            number => {
                let pins = lock(&self.link.pins);
                let pin = pins.get(number)?;
                Some((pin.object, u32::from(pin.rights)))
            }
        };
        match found {
            Some((value, rights)) if rights & needed == needed => Ok(Granted { value, rights }),
            Some(_) => Err(RS_ERR_DENIED),
            None if self.link.settings.is_open && is_by_name(request.code) => Ok(Granted {
                value: 0,
                rights: RS_CAN_ALL,
            }),
            None => Err(RS_ERR_DENIED),
        }
    }

    /// What is to be copied: the object itself, or, if it stands for one of a third process, a copy
    /// of that.
    fn copied(&self, request: &Request<'_>, target: rs_value) -> Result<rs_value, rs_status> {
        let item = self.item(target)?;
        match item.kind {
            RS_ITEM_REMOTE => {
                let remote = item.integer() as rs_remote;
                self.around.copy(remote, request.index, request.limit)
            }
            _ => Ok(target),
        }
    }

    /// Reads an element, an element of that, and so on. What is on the way is kept alive: the host may
    /// collect, and what refers to it may be written, while it is read.
    fn follow_steps(&self, request: &Request<'_>, target: rs_value) -> Result<rs_value, rs_status> {
        let steps = words_of(request.name).ok_or(RS_ERR_ARGUMENT)?;
        if steps.len() > MOST_STEPS {
            return Err(RS_ERR_LIMIT);
        }
        let kept = self.host.roots().array(1)?;
        kept[0].set(target);
        for &index in steps {
            let step = Request {
                code: RS_READ_ELEMENT,
                index,
                name: &[],
                ..*request
            };
            kept[0].set(self.operate(&step, kept[0].get(), &[])?);
        }
        Ok(kept[0].get())
    }

    /// A nested request may give back the last reference to what an operation is done to: it is held.
    fn operate_on_pin(
        &self,
        request: &Request<'_>,
        target: rs_value,
        arguments: &[Cell<rs_value>],
    ) -> Result<rs_value, rs_status> {
        lock(&self.link.pins).hold(request.pin);
        let outcome = self.operate(request, target, arguments);
        // It was held, unless the link has ended, or there was no pin.
        let _ = lock(&self.link.pins).release(request.pin, 1);
        outcome
    }

    fn operate(
        &self,
        request: &Request<'_>,
        target: rs_value,
        arguments: &[Cell<rs_value>],
    ) -> Result<rs_value, rs_status> {
        let operation = rs_operation {
            code: request.code,
            flags: 0,
            name: request.name.as_ptr().cast(),
            name_length: request.name.len() as u64,
            index: request.index,
            arguments: arguments.as_ptr().cast(),
            arguments_count: arguments.len() as u64,
            timeout: 0,
        };
        let (status, result) = self.callbacks().operate(self.link.id(), target, &operation);
        match status {
            RS_OK => Ok(result),
            RS_RAISED if core::mem::take(&mut self.state().has_raised) => Err(RS_RAISED),
            status if status < RS_OK => Err(status),
            _ => Err(RS_ERR_HOST),
        }
    }

    /// Answers a request.
    fn reply(
        &self,
        request: &Request<'_>,
        outcome: Result<Granted, rs_status>,
    ) -> Result<(), rs_status> {
        let mut message = Writer::new(self.link.allocator);
        let code = if request.code < FIRST_OWN {
            request.code
        } else {
            0
        };
        let mut sent = self.nothing_sent(code);
        let status = match outcome {
            Ok(granted) => {
                if request.code == WATCH {
                    return self.reply_status(request.serial, RS_OK);
                }
                if request.code == SHARE {
                    return match self.reply_shared(request, granted.value, granted.rights) {
                        Ok(()) => Ok(()),
                        Err(status) => self.reply_failure(request, status),
                    };
                }
                let written = message
                    .words(&[request.serial, RS_OK as u64])
                    .and_then(|()| match request.code {
                        COPY => self.write_copy(&mut message, &mut sent, request, &granted),
                        FETCH => self.write_all(&mut message, &mut sent),
                        _ => self.write(&mut message, &mut sent, granted.value, granted.rights),
                    });
                match written.and_then(|()| self.answer_with(&mut message, request.tell)) {
                    Ok(()) => return Ok(()),
                    Err(status) => status,
                }
            }
            Err(status) => status,
        };
        self.take_back(sent);
        self.reply_failure(request, status)
    }

    /// Says that a request has failed, if there still is somebody to say it to.
    pub(super) fn reply_failure(
        &self,
        request: &Request<'_>,
        status: rs_status,
    ) -> Result<(), rs_status> {
        self.expect_open()?;
        self.reply_status(request.serial, status)
    }

    /// Sends an answer. If the peer has said that more requests follow, their answers may go with it.
    pub(super) fn answer_with(&self, message: &mut Writer, tell: Tell) -> Result<(), rs_status> {
        // What the program has dropped meanwhile goes first: who gets the answer can rely on that.
        if lock(self.remotes).has_releases() {
            self.send_releases()?;
        }
        let sent = {
            let mut state = self.state();
            state.counters.served += 1;
            state.send(ANSWER, message, tell)
        };
        sent.map_err(|status| self.channel_failed(status))
    }

    fn write_copy(
        &self,
        message: &mut Writer,
        sent: &mut Sent,
        request: &Request<'_>,
        granted: &Granted,
    ) -> Result<(), rs_status> {
        let words = match request.limit {
            0 => usize::MAX,
            bytes => usize::try_from(bytes / 8).unwrap_or(usize::MAX),
        };
        let limits = Limits {
            depth: request.index,
            words,
        };
        let encoded = self.encode(Root::One(granted.value), limits)?;
        self.write_image(message, sent, encoded, granted.rights)
    }

    pub(super) fn reply_status(&self, serial: u64, status: rs_status) -> Result<(), rs_status> {
        let mut message = Writer::new(self.link.allocator);
        message.words(&[serial, status as i64 as u64])?;
        if status == RS_RAISED {
            let state = self.state();
            for text in state.raised() {
                message.bytes(text)?;
            }
        }
        self.answer_with(&mut message, Tell::Now)
    }

    /// Inside of an operation: why it fails.
    pub fn raise(&self, kind: &[u8], text: &[u8]) -> Result<(), rs_status> {
        self.link.set_error(kind, text)?;
        self.state().has_raised = true;
        Ok(())
    }
}
