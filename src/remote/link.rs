//! One end of a link: the channel, and what this process remembers of it.

use super::context::NO_CHAIN;
use super::cycles::observer::Observer;
use super::pins::Pins;
use super::state::State;
use crate::host::contract::{rs_ractor, rs_value};
use crate::host::exchange::{rs_link, rs_link_statistics, rs_pin};
use crate::host::memory::{HostAllocator, Vec, copied, push};
use crate::shm::channel::Channel;
use crate::shm::system;
use crate::status::{RS_ERR_MEMORY, rs_status};
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
    /// This process has made the link or accepted it, and the peer has taken it up or connected to it.
    pub is_maker: bool,
    /// Pins remember where they were taken.
    pub has_sites: bool,
}

/// A name that the peer may use, and for what.
pub(super) struct Export {
    pub name: Vec<u8>,
    pub value: rs_value,
    pub rights: u32,
}

/// One end of a link. Its own thread uses all of it; a collector, of any thread, visits pins and exports.
pub struct Link {
    pub(super) id: AtomicU64,
    pub(super) settings: Settings,
    /// Number of the next request.
    serial: AtomicU64,
    /// Chains of calls that begin here are numbered from this on, which no other link is likely to have.
    chains: u64,
    pub(super) pins: Mutex<Pins>,
    pub(super) exports: Mutex<Vec<Export>>,
    pub(super) state: Mutex<State>,
    pub(super) observer: Observer,
    pub(super) allocator: HostAllocator,
}

impl Link {
    /// A link over a channel.
    pub fn new(channel: Channel, settings: Settings, allocator: HostAllocator) -> Self {
        Link {
            id: AtomicU64::new(0),
            settings,
            serial: AtomicU64::new(1),
            chains: system::random(),
            pins: Mutex::new(Pins::new(settings.pins, settings.has_sites, allocator)),
            exports: Mutex::new(Vec::new_in(allocator)),
            state: Mutex::new(State::new(channel, allocator)),
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

    /// The number of a new request.
    #[inline]
    pub(super) fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// The number of the chain of calls that begins with a request.
    #[inline]
    pub(super) fn chain(&self, serial: u64) -> u64 {
        self.chains.wrapping_add(serial).max(NO_CHAIN + 1)
    }

    /// The ractor that it belongs to.
    pub fn ractor(&self) -> rs_ractor {
        self.settings.ractor
    }

    /// Uses the channel.
    pub fn with_channel<T>(&self, use_it: impl FnOnce(&mut Channel) -> T) -> T {
        use_it(&mut lock(&self.state).channel)
    }

    /// Its share in rounds of finding cycles.
    pub fn observer(&self) -> &Observer {
        &self.observer
    }

    /// Lets the peer use a name, or not any more if there are no rights.
    pub fn export(&self, name: &[u8], value: rs_value, rights: u32) -> Result<(), rs_status> {
        let mut exports = lock(&self.exports);
        if rights == 0 {
            exports.retain(|export| &export.name[..] != name);
            return Ok(());
        }
        let mut known = exports.iter_mut();
        if let Some(known) = known.find(|export| &export.name[..] == name) {
            (known.value, known.rights) = (value, rights);
            return Ok(());
        }
        let export = Export {
            name: copied(name, self.allocator)?,
            value,
            rights,
        };
        push(&mut exports, export)
    }

    /// Takes an object back from the peer.
    pub fn revoke(&self, value: rs_value) -> Result<(), rs_status> {
        lock(&self.pins).revoke(value)
    }

    /// Tells of what the peer refers to; returns how much that is.
    pub fn describe_pins(&self, tell: impl FnMut(usize, rs_pin)) -> usize {
        lock(&self.pins).describe(tell)
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
        let pins = lock(&self.pins).len() as u64;
        let counters = &lock(&self.state).counters;
        rs_link_statistics {
            size: size_of::<rs_link_statistics>() as u32,
            reserved: 0,
            pins,
            remotes: 0,
            requests: counters.requests,
            served: counters.served,
            released: counters.released,
            messages: counters.messages,
            bytes: counters.bytes,
            collected: counters.collected,
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
        .map_err(|_| RS_ERR_MEMORY)?;
    // A NUL inside would end it early.
    place.extend(text.iter().copied().filter(|&byte| byte != 0));
    place.push(0);
    Ok(())
}
