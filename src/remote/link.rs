//! One end of a link: the channel, and what this process remembers of it.

use super::cycles::observer::Observer;
use super::pins::Pins;
use super::values::Sent;
use crate::host::contract::{rs_ractor, rs_value};
use crate::host::exchange::{rs_link, rs_link_statistics};
use crate::host::memory::{HostAllocator, Vec, bytes_of, push};
use crate::shm::channel::Channel;
use crate::shm::deadline::Deadline;
use crate::status::{RS_ERR_LIMIT, rs_status};
use crate::sync::{AtomicU64, Mutex, Ordering, lock};
use core::ffi::c_char;

/// What the host chose.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Whose thread uses the link.
    pub ractor: rs_ractor,
    /// The peer may ask for anything by name.
    pub is_open: bool,
    /// Most nanoseconds that a request waits; 0 for ever.
    pub timeout: u64,
    /// Most pins.
    pub pins: usize,
    /// This process has made the link, and the peer has taken it up.
    pub is_maker: bool,
}

/// A name that the peer may use, and for what.
pub(super) struct Export {
    pub name: Vec<u8>,
    pub value: rs_value,
    pub rights: u32,
}

/// A message that has arrived.
pub(super) struct Message {
    pub kind: u32,
    /// Words, as bytes: aligned, since the allocator's memory is.
    pub bytes: Vec<u8>,
    /// It is an answer that was kept: the pins that come home with it are held.
    pub is_kept: bool,
}

/// A request that waits for its answer.
pub(super) struct Waiting {
    pub serial: u64,
    pub kind: u32,
    pub deadline: Deadline,
    /// What it holds, as long as it may not have reached the peer.
    pub sent: Sent,
}

/// A message on its way.
pub(super) struct Outgoing {
    pub kind: u32,
    pub words: Vec<u64>,
    /// Bytes of a long message that are sent; none before it was begun.
    written: Option<usize>,
}

/// Most bytes that are on their way to a peer that does not take them.
const MOST_OUTGOING: usize = 1 << 30;

impl State {
    /// Sends a message at once, if there is room.
    pub fn try_send(
        &self,
        channel: &mut Channel,
        kind: u32,
        words: &[u64],
    ) -> Result<bool, rs_status> {
        match size_of_val(words) <= channel.longest_whole() {
            true => channel.try_send(kind, &[bytes_of(words)]),
            false => Ok(false),
        }
    }

    /// Keeps a message until there is room for it.
    pub fn queue(&mut self, kind: u32, words: Vec<u64>) -> Result<(), rs_status> {
        let queued: usize = self
            .outgoing
            .iter()
            .map(|own| size_of_val(&own.words[..]))
            .sum();
        if !self.outgoing.is_empty() && queued + size_of_val(&words[..]) > MOST_OUTGOING {
            return Err(RS_ERR_LIMIT);
        }
        let message = Outgoing {
            kind,
            words,
            written: None,
        };
        push(&mut self.outgoing, message)
    }

    /// Sends what there is room for; returns whether anything was sent.
    pub fn pump(&mut self, channel: &mut Channel) -> Result<bool, rs_status> {
        let mut has_sent = false;
        while let Some(first) = self.outgoing.first_mut() {
            let (has_moved, is_done) = first.push_on(channel)?;
            has_sent |= has_moved;
            if !is_done {
                break;
            }
            self.outgoing.remove(0);
        }
        if has_sent {
            channel.flush();
        }
        Ok(has_sent)
    }

    /// Takes back a request that has not been begun to be sent; returns whether that was so.
    pub fn unsend(&mut self, kind: u32, serial: u64) -> bool {
        let is_it = |own: &Outgoing| {
            own.kind == kind && own.written.is_none() && own.words.first() == Some(&serial)
        };
        match self.outgoing.iter().position(is_it) {
            Some(index) => {
                self.outgoing.remove(index);
                true
            }
            None => false,
        }
    }
}

impl Outgoing {
    /// Sends as much as there is room for; returns whether that was anything, and whether it was the rest.
    fn push_on(&mut self, channel: &mut Channel) -> Result<(bool, bool), rs_status> {
        let bytes = bytes_of(&self.words);
        if bytes.len() <= channel.longest_whole() {
            let sent = channel.try_send(self.kind, &[bytes])?;
            return Ok((sent, sent));
        }
        let mut written = match self.written {
            Some(written) => written,
            None if channel.try_open(self.kind, bytes.len() as u64)? => 0,
            None => return Ok((false, false)),
        };
        let before = written;
        while written < bytes.len() {
            match channel.try_write(&bytes[written..])? {
                0 => break,
                count => written += count,
            }
        }
        self.written = Some(written);
        Ok((written > before, written == bytes.len()))
    }
}

/// What the link's own thread remembers.
pub(super) struct State {
    /// Number of the last request.
    pub serial: u64,
    /// Requests that wait for their answer, in no order.
    pub waiting: Vec<Waiting>,
    /// Answers that came while an inner request was waiting.
    pub answers: Vec<Message>,
    /// What there was no room for yet, in order.
    pub outgoing: Vec<Outgoing>,
    /// When the requests end that are being carried out, the outermost first.
    pub deadlines: Vec<u64>,
    /// An error's kind and text, each with a NUL at its end.
    pub error: (Vec<u8>, Vec<u8>),
    pub has_raised: bool,
    /// The event loop may have slept since the link was last used.
    pub is_armed: bool,
    /// Why the link has ended.
    pub ended: Option<rs_status>,
}

/// Counts.
#[derive(Default)]
pub(super) struct Counters {
    pub requests: AtomicU64,
    pub served: AtomicU64,
    pub released: AtomicU64,
    pub messages: AtomicU64,
    pub bytes: AtomicU64,
    pub collected: AtomicU64,
}

/// Adds to a count.
pub(super) fn count(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

/// One end of a link. Its own thread uses all of it; a collector, of any thread, visits pins and exports.
pub struct Link {
    pub(super) id: AtomicU64,
    pub(super) settings: Settings,
    pub(super) channel: Mutex<Channel>,
    pub(super) pins: Mutex<Pins>,
    pub(super) exports: Mutex<Vec<Export>>,
    pub(super) state: Mutex<State>,
    pub(super) counters: Counters,
    pub(super) observer: Observer,
    pub(super) allocator: HostAllocator,
}

impl Link {
    /// A link over a channel.
    pub fn new(channel: Channel, settings: Settings, allocator: HostAllocator) -> Self {
        Link {
            id: AtomicU64::new(0),
            settings,
            channel: Mutex::new(channel),
            pins: Mutex::new(Pins::new(settings.pins, allocator)),
            exports: Mutex::new(Vec::new_in(allocator)),
            state: Mutex::new(State {
                serial: 0,
                waiting: Vec::new_in(allocator),
                answers: Vec::new_in(allocator),
                outgoing: Vec::new_in(allocator),
                deadlines: Vec::new_in(allocator),
                error: (Vec::new_in(allocator), Vec::new_in(allocator)),
                has_raised: false,
                is_armed: false,
                ended: None,
            }),
            counters: Counters::default(),
            observer: Observer::new(settings.pins, allocator),
            allocator,
        }
    }

    /// Its id.
    pub fn id(&self) -> rs_link {
        self.id.load(Ordering::Relaxed)
    }

    /// It is known by this id from now on.
    pub fn set_id(&self, id: rs_link) {
        self.id.store(id, Ordering::Relaxed);
    }

    /// The ractor that it belongs to.
    pub fn ractor(&self) -> rs_ractor {
        self.settings.ractor
    }

    /// The channel.
    pub fn channel(&self) -> &Mutex<Channel> {
        &self.channel
    }

    /// Its share in rounds of finding cycles.
    pub fn observer(&self) -> &Observer {
        &self.observer
    }

    /// Lets the peer use a name, or not any more if there are no rights.
    pub fn export(&self, name: &[u8], value: rs_value, rights: u32) -> Result<(), rs_status> {
        let mut exports = lock(&self.exports);
        exports.retain(|export| &export.name[..] != name);
        if rights == 0 {
            return Ok(());
        }
        let mut own = Vec::new_in(self.allocator);
        own.try_reserve_exact(name.len())
            .map_err(|_| crate::status::RS_ERR_MEMORY)?;
        own.extend_from_slice(name);
        let export = Export {
            name: own,
            value,
            rights,
        };
        push(&mut exports, export)
    }

    /// Takes an object back from the peer.
    pub fn revoke(&self, value: rs_value) -> Result<(), rs_status> {
        lock(&self.pins).revoke(value)
    }

    /// What a name stands for, and what may be done with it.
    pub(super) fn exported(&self, name: &[u8]) -> Option<(rs_value, u32)> {
        let exports = lock(&self.exports);
        let found = exports.iter().find(|export| &export.name[..] == name);
        found.map(|export| (export.value, export.rights))
    }

    /// Visits the place of every object that the link keeps alive.
    pub fn for_each_root(&self, visit: &mut dyn FnMut(&mut rs_value)) {
        lock(&self.pins).for_each_mut(visit);
        for export in lock(&self.exports).iter_mut() {
            visit(&mut export.value);
        }
    }

    /// Notes why something failed: the kind of an error, and its text.
    pub(super) fn set_error(&self, kind: &[u8], text: &[u8]) -> Result<(), rs_status> {
        let mut state = lock(&self.state);
        let (own_kind, own_text) = &mut state.error;
        set_text(own_kind, kind)?;
        set_text(own_text, text)
    }

    /// Kind and text of the last failure: C strings that stay until the next one.
    pub fn error(&self) -> (*const c_char, *const c_char) {
        let state = lock(&self.state);
        let text = |text: &Vec<u8>| match text.is_empty() {
            true => c"".as_ptr(),
            false => text.as_ptr().cast(),
        };
        (text(&state.error.0), text(&state.error.1))
    }

    /// What it has done, and holds; but for the remotes, which it does not know.
    pub fn counts(&self) -> rs_link_statistics {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        rs_link_statistics {
            size: size_of::<rs_link_statistics>() as u32,
            reserved: 0,
            pins: lock(&self.pins).len() as u64,
            remotes: 0,
            requests: get(&self.counters.requests),
            served: get(&self.counters.served),
            released: get(&self.counters.released),
            messages: get(&self.counters.messages),
            bytes: get(&self.counters.bytes),
            collected: get(&self.counters.collected),
        }
    }

    /// Whether it has ended, and why.
    pub fn ended(&self) -> Option<rs_status> {
        lock(&self.state).ended
    }
}

/// Longest text of an error.
const LONGEST: usize = 4096;

fn set_text(place: &mut Vec<u8>, text: &[u8]) -> Result<(), rs_status> {
    let text = &text[..text.len().min(LONGEST)];
    place.clear();
    place
        .try_reserve(text.len() + 1)
        .map_err(|_| crate::status::RS_ERR_MEMORY)?;
    // A NUL inside would end it early.
    place.extend(text.iter().copied().filter(|&byte| byte != 0));
    place.push(0);
    Ok(())
}
