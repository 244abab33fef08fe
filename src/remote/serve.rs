//! Carrying out what a peer asks for.

use super::ask::{COPY, FETCH, FOLLOW};
use super::link::count;
use super::session::{ANSWER, Session};
use super::values::{Sent, read_numbers};
use super::wire::{Reader, Writer};
use crate::graph::encode::{Limits, Root};
use crate::host::contract::rs_value;
use crate::host::exchange::*;
use crate::host::memory::words_of;
use crate::host::roots::RootArray;
use crate::shm::deadline::{Deadline, now};
use crate::status::*;
use crate::sync::lock;
use core::time::Duration;

/// Most requests that are carried out inside of each other.
const DEPTH: usize = 64;

/// What a peer asks for.
struct Request<'a> {
    serial: u64,
    deadline: u64,
    code: u32,
    pin: u64,
    index: u64,
    limit: u64,
    name: &'a [u8],
}

/// What it gets: a value, with what it may do with it.
struct Granted {
    value: rs_value,
    rights: u32,
}

/// The right that an operation needs.
fn needed(code: u32) -> Result<u32, rs_status> {
    Ok(match code {
        RS_READ_VARIABLE | RS_READ_ELEMENT | RS_READ_KEY | RS_READ_LENGTH | RS_PRINT | RS_EQUAL
        | COPY | FOLLOW => RS_CAN_READ,
        RS_WRITE_VARIABLE | RS_WRITE_ELEMENT | RS_WRITE_KEY => RS_CAN_WRITE,
        RS_EXCHANGE_ELEMENT => RS_CAN_READ | RS_CAN_WRITE,
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
            let woken = lock(&self.link.channel).woken();
            woken.map_err(|status| self.failed(status))?;
        }
        loop {
            while let Some(message) = self.receive_now()? {
                self.handle(message)?;
                if end.has_passed(now()) {
                    return Ok(RS_MORE);
                }
            }
            if lock(self.remotes).has_releases() {
                self.send_releases()?;
            }
            let mut channel = lock(&self.link.channel);
            if channel.peer_is_gone() {
                drop(channel);
                return Err(self.end(RS_ERR_DEAD));
            }
            let may_sleep = channel.prepare_to_sleep();
            drop(channel);
            if may_sleep.map_err(|status| self.failed(status))? {
                self.state().is_armed = true;
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
        if lock(self.remotes).has_releases() {
            self.send_releases()?;
        }
        let message = self.receive(end)?;
        self.handle(message)
    }

    /// Carries out a request, and answers it. Fails only if the link does.
    pub(super) fn serve(&self, mut from: Reader<'_>) -> Result<(), rs_status> {
        let request = Request {
            serial: from.word()?,
            deadline: from.word()?,
            code: u32::try_from(from.word()?).map_err(|_| RS_ERR_PEER)?,
            pin: from.word()?,
            index: from.word()?,
            limit: from.word()?,
            name: from.bytes()?,
        };
        let arguments_count = from.count()?;
        count(&self.link.counters.served, 1);
        let outcome = match self.may_begin(&request) {
            Ok(()) => self.carry_out(&request, arguments_count, &mut from),
            Err(status) => {
                for _ in 0..arguments_count {
                    self.discard(&mut from)?;
                }
                Err(status)
            }
        };
        match outcome {
            // Nobody waits for it any more.
            Err(RS_ERR_TIMEOUT) => Ok(()),
            Err(RS_ERR_PEER) => Err(RS_ERR_PEER),
            outcome => self.reply(&request, outcome),
        }
    }

    fn may_begin(&self, request: &Request<'_>) -> Result<(), rs_status> {
        if Deadline::at(request.deadline).has_passed(now()) {
            return Err(RS_ERR_TIMEOUT);
        }
        match self.state().deadlines.len() < DEPTH {
            true => Ok(()),
            false => Err(RS_ERR_LIMIT),
        }
    }

    fn carry_out(
        &self,
        request: &Request<'_>,
        arguments_count: usize,
        from: &mut Reader<'_>,
    ) -> Result<Granted, rs_status> {
        let arguments = self.while_reading(|| self.read_all(arguments_count, from))?;
        from.end()?;
        if request.code == FETCH {
            return Ok(Granted {
                value: 0,
                rights: RS_CAN_READ,
            });
        }
        let target = self.target(request)?;
        if request.code == RS_READ_VARIABLE && target.value != 0 {
            return Ok(target);
        }
        if request.code == COPY {
            return Ok(target);
        }
        let rights = target.rights;
        let value = match request.code {
            FOLLOW => self.follow_steps(request, target.value)?,
            _ => self.operate(request, target.value, &arguments)?,
        };
        Ok(Granted { value, rights })
    }

    /// What an operation is to be done to, if the peer may; 0 if `operate` is to find it by its name.
    fn target(&self, request: &Request<'_>) -> Result<Granted, rs_status> {
        let needed = needed(request.code)?;
        let found = match request.pin {
            0 => self.link.exported(request.name),
            number => {
                let pins = lock(&self.link.pins);
                let pin = pins.get(number)?;
                Some((pin.object, pin.rights))
            }
        };
        match found {
            Some((value, rights)) if rights & needed == needed => Ok(Granted { value, rights }),
            Some(_) => Err(RS_ERR_DENIED),
            None if self.link.settings.is_open => Ok(Granted {
                value: 0,
                rights: RS_CAN_ALL,
            }),
            None => Err(RS_ERR_DENIED),
        }
    }

    /// Reads an element, an element of that, and so on; what is on the way is alive as long as nobody writes
    /// meanwhile, since each one refers to the next.
    fn follow_steps(&self, request: &Request<'_>, target: rs_value) -> Result<rs_value, rs_status> {
        let steps = words_of(request.name).ok_or(RS_ERR_PEER)?;
        let kept = self.host.roots().array(1)?;
        kept[0].set(target);
        let nothing = self.host.roots().array(0)?;
        for &index in steps {
            let step = Request {
                code: RS_READ_ELEMENT,
                index,
                name: &[],
                ..*request
            };
            kept[0].set(self.operate(&step, kept[0].get(), &nothing)?);
        }
        Ok(kept[0].get())
    }

    fn operate(
        &self,
        request: &Request<'_>,
        target: rs_value,
        arguments: &RootArray<'_>,
    ) -> Result<rs_value, rs_status> {
        let operation = rs_operation {
            code: request.code,
            reserved: 0,
            name: request.name.as_ptr().cast(),
            name_length: request.name.len() as u64,
            index: request.index,
            arguments: arguments.as_ptr().cast(),
            arguments_count: arguments.len() as u64,
        };
        self.state().has_raised = false;
        crate::host::memory::push(&mut self.state().deadlines, request.deadline)?;
        let (status, result) = self.callbacks().operate(self.link.id(), target, &operation);
        self.state().deadlines.pop();
        match status {
            RS_OK => Ok(result),
            RS_RAISED if self.state().has_raised => Err(RS_RAISED),
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
        let mut sent = self.nothing_sent();
        let status = match outcome {
            Ok(granted) => {
                let written = message
                    .words(&[request.serial, RS_OK as u64])
                    .and_then(|()| match request.code {
                        COPY => self.write_copy(&mut message, &mut sent, request, &granted),
                        FETCH => self.write_all(&mut message, &mut sent, granted.rights),
                        _ => self.write(&mut message, &mut sent, granted.value, granted.rights),
                    });
                match written.and_then(|()| self.send(ANSWER, message)) {
                    Ok(()) => return Ok(()),
                    Err(status) => self.failed(status),
                }
            }
            Err(status) => status,
        };
        self.take_back(sent);
        self.expect_open()?;
        self.reply_failure(request.serial, status)
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
        self.write_image(message, sent, &encoded, granted.rights)
    }

    fn reply_failure(&self, serial: u64, status: rs_status) -> Result<(), rs_status> {
        let mut message = Writer::new(self.link.allocator);
        message.words(&[serial, status as i64 as u64])?;
        if status == RS_RAISED {
            let state = self.state();
            message.bytes(without_nul(&state.error.0))?;
            message.bytes(without_nul(&state.error.1))?;
        }
        self.send(ANSWER, message)
    }

    /// Inside of an operation: why it fails.
    pub fn raise(&self, kind: &[u8], text: &[u8]) -> Result<(), rs_status> {
        self.link.set_error(kind, text)?;
        self.state().has_raised = true;
        Ok(())
    }

    /// The peer is about to leave: what this process refers to becomes ordinary objects of its own.
    pub(super) fn take_over(&self, mut from: Reader<'_>) -> Result<(), rs_status> {
        let serial = from.word()?;
        self.replace_by_copies(&mut from)?;
        self.reply_failure(serial, RS_OK)
    }

    /// Reads the numbers of many objects of the peer, and copies of them: what stands for each of them here
    /// stands for its copy from now on. What can't be copied stays a reference, which dies with the link.
    pub(super) fn replace_by_copies(&self, from: &mut Reader<'_>) -> Result<(), rs_status> {
        let pins = read_numbers(from)?;
        self.while_reading(|| self.replace_row(&pins, from))
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

fn without_nul(text: &[u8]) -> &[u8] {
    text.strip_suffix(&[0]).unwrap_or(text)
}
