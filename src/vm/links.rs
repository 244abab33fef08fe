//! The links of a vm, and the references that came over them.

use super::Vm;
use super::cycles::Cycles;
use super::kept::{Kept, Using};
use crate::host::contract::{rs_ractor, rs_value};
use crate::host::exchange::*;
use crate::host::memory::HostAllocator;
use crate::host::table::Kind;
use crate::remote::cycles::FEATURE;
use crate::remote::link::{Link, Settings};
use crate::remote::probe::Probe;
use crate::remote::remotes::Remotes;
use crate::remote::session::{Session, Surroundings};
use crate::remote::share::Published;
use crate::shm::channel::{Channel, Options};
use crate::shm::deadline::Deadline;
use crate::shm::descriptors::receive_segment;
use crate::shm::handover::Handover;
use crate::shm::socket::Socket;
use crate::status::*;
use crate::sync::{AtomicU32, AtomicUsize, Mutex, Ordering, lock};
use core::ffi::c_char;
use core::time::Duration;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// How long a wait looks before it sleeps, where there is a second processor: longer than a peer needs to carry out
/// a small operation, and shorter than it takes to wake a process on another processor of a virtual machine.
const SPIN: Duration = Duration::from_micros(20);

/// Pins that a peer may have if the host says nothing.
const PINS: usize = 1 << 24;

/// All links of a vm.
pub struct Links {
    links: Kept<LinkAndEnd>,
    pub(super) remotes: Mutex<Remotes>,
    pub(super) cycles: Cycles,
    published: Mutex<Published>,
    /// How many objects peers watch, about: more than there are, if watched ones were given back.
    watches: AtomicUsize,
    /// How often this process was forked from one that had these links. They stay with that one: of the
    /// links of an earlier process nothing is touched, not even locks, which may be held for ever.
    forks: AtomicU32,
}

/// A link, and the descriptors of its other end until another process has them.
pub struct LinkAndEnd {
    pub(super) link: Link,
    end: Mutex<Option<Handover>>,
    /// [`Links::forks`] when it was made.
    forks: u32,
}

impl Links {
    /// None, of the vm with this number.
    pub fn new(vm: u64, allocator: HostAllocator) -> Self {
        Links {
            links: Kept::new(Kind::Link, vm, allocator),
            remotes: Mutex::new(Remotes::new(vm, allocator)),
            cycles: Cycles::new(allocator),
            published: Mutex::new(Published::new(allocator)),
            watches: AtomicUsize::new(0),
            forks: AtomicU32::new(0),
        }
    }

    /// This is another process now.
    pub fn after_fork_child(&self) {
        self.forks.fetch_add(1, Ordering::Relaxed);
    }

    fn is_own(&self, entry: &LinkAndEnd) -> bool {
        entry.forks == self.forks.load(Ordering::Relaxed)
    }

    /// Visits the place of every object that peers refer to.
    pub fn for_each_root(&self, visit: &mut dyn FnMut(&mut rs_value)) {
        self.for_each_own(|link| link.for_each_root(&mut *visit));
    }

    /// Visits the links of this process.
    pub(super) fn for_each_own(&self, mut visit: impl FnMut(&Link)) {
        self.links.for_each_mut(|entry| {
            if self.is_own(entry) {
                visit(&entry.link);
            }
        });
    }

    /// Visits the place of every object that stands for a peer's, or was published.
    pub fn for_each_remote(&self, visit: &mut dyn FnMut(&mut rs_value)) {
        lock(&self.remotes).for_each_mut(visit);
        lock(&self.published).for_each_mut(visit);
    }

    /// Gives back what stands for nothing any more.
    pub fn sweep(&self, is_alive: &mut dyn FnMut(rs_value) -> bool) {
        lock(&self.remotes).sweep(is_alive);
        lock(&self.published).sweep(is_alive);
    }
}

/// In so many nanoseconds; 0: never.
fn deadline(timeout: u64) -> Deadline {
    match timeout {
        0 => Deadline::NEVER,
        timeout => Deadline::after(Duration::from_nanos(timeout)),
    }
}

/// A descriptor that the caller gives away.
fn own_descriptor(descriptor: i32) -> Result<OwnedFd, rs_status> {
    match descriptor {
        // SAFETY: the caller's promise.
        0.. => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(RS_ERR_ARGUMENT),
    }
}

/// See `rs_link_inherit`.
pub fn inherit(end: &rs_link_end) -> rs_status {
    let keep = |descriptor| {
        // SAFETY: no memory is passed; a descriptor that is none is an error.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) != -1 }
    };
    match keep(end.segment) && keep(end.socket) {
        true => RS_OK,
        false => RS_ERR_ARGUMENT,
    }
}

impl Surroundings for Vm {
    fn copy(&self, remote: rs_remote, depth: u64, bytes: u64) -> Result<rs_value, rs_status> {
        self.remote_copy(remote, depth, bytes)
    }

    fn has_others(&self, but: rs_link) -> bool {
        self.for_each_other(but, |_| true)
    }

    fn serve_chain(&self, but: rs_link, chain: u64) -> Option<Probe> {
        let mut probe = None;
        self.for_each_other(but, |other| {
            // What fails there is seen by whoever uses that link next.
            probe = self.session(other).serve_chain(chain).unwrap_or(None);
            probe.is_some()
        });
        probe
    }

    fn changed(&self, object: rs_value) {
        if self.links.watches.load(Ordering::Relaxed) == 0 {
            return;
        }
        let links = &self.links.links;
        for (_, using) in (0..links.places()).filter_map(|index| links.at(index)) {
            // Others' links have pins of what never changes.
            if self.links.is_own(&using) && self.expect_caller(using.link.ractor()).is_ok() {
                // Who can't be told has other worries; it is seen when the link is used next.
                let _ = self.session(&using).tell_of_change(object);
            }
        }
    }

    fn count_watches(&self, more: isize) {
        self.links
            .watches
            .fetch_add(more as usize, Ordering::Relaxed);
    }

    fn is_shareable(&self, value: rs_value) -> bool {
        Vm::is_shareable(self, value)
    }
}

impl Vm {
    /// Shows the other links of a link's ractor, until one is the right one; returns whether one was.
    fn for_each_other(&self, but: rs_link, mut is_it: impl FnMut(&LinkAndEnd) -> bool) -> bool {
        let Ok(own) = self.link(but) else {
            return false;
        };
        let links = &self.links.links;
        (0..links.places()).any(|index| match links.at(index) {
            Some((id, other)) if id != but && self.links.is_own(&other) => {
                other.link.ractor() == own.link.ractor() && is_it(&other)
            }
            _ => false,
        })
    }

    pub(super) fn link(&self, id: rs_link) -> Result<Using<'_, LinkAndEnd>, rs_status> {
        let using = self.links.links.get(id)?;
        if !self.links.is_own(&using) {
            return Err(RS_ERR_FORKED);
        }
        self.expect_caller(using.link.ractor())?;
        Ok(using)
    }

    pub(super) fn session<'a>(&'a self, using: &'a LinkAndEnd) -> Session<'a> {
        Session {
            host: &self.host,
            link: &using.link,
            remotes: &self.links.remotes,
            published: &self.links.published,
            snapshots: &self.links.cycles.snapshots,
            around: self,
        }
    }

    fn channel_options(&self, options: &rs_link_options) -> Options {
        let mut own = Options::new(self.host.allocator());
        if options.ring_bytes != 0 {
            own.ring_bytes = options.ring_bytes as usize;
        }
        if options.message_bytes != 0 {
            own.hello.longest_message = options.message_bytes;
        }
        if own.spin != Duration::ZERO {
            own.spin = SPIN;
        }
        if self.host.callbacks().can_summarise() {
            own.hello.features |= FEATURE;
        }
        own
    }

    fn keep_link(
        &self,
        channel: Channel,
        end: Option<Handover>,
        ractor: rs_ractor,
        options: &rs_link_options,
    ) -> Result<rs_link, rs_status> {
        let settings = Settings {
            ractor,
            is_open: options.flags & RS_LINK_OPEN != 0,
            timeout: options.timeout,
            pins: match options.pins {
                0 => PINS,
                pins => usize::try_from(pins).unwrap_or(usize::MAX),
            },
            has_sites: options.flags & RS_LINK_SITES != 0,
            is_maker: channel.is_maker(),
        };
        let id = self.links.links.add(LinkAndEnd {
            link: Link::new(channel, settings, self.host.allocator()),
            end: Mutex::new(end),
            forks: self.links.forks.load(Ordering::Relaxed),
        })?;
        self.links.links.get(id)?.link.set_id(id);
        Ok(id)
    }

    fn expect_links(&self, ractor: rs_ractor) -> Result<(), rs_status> {
        self.call().expect_ractor(ractor)?;
        let data = self.host.data();
        let can = data.make_remote.is_some() && data.operate.is_some() && data.read_items.is_some();
        can.then_some(()).ok_or(RS_ERR_UNSUPPORTED)
    }

    /// See `rs_link_new`.
    pub fn link_new(
        &self,
        ractor: rs_ractor,
        options: rs_link_options,
    ) -> Result<(rs_link, rs_link_end), rs_status> {
        self.expect_links(ractor)?;
        let (channel, handover) = Channel::pair(&self.channel_options(&options))?;
        let end = rs_link_end {
            segment: handover.segment.as_raw_fd(),
            socket: handover.socket.as_raw_fd(),
        };
        let id = self.keep_link(channel, Some(handover), ractor, &options)?;
        Ok((id, end))
    }

    /// See `rs_link_spawned`.
    pub fn link_spawned(&self, link: rs_link, process: i32) -> Result<(), rs_status> {
        let using = self.link(link)?;
        drop(lock(&using.end).take());
        match using
            .link
            .with_channel(|channel| channel.watch_child(process))
        {
            // Then the peer's end is seen by its hanging up alone.
            Err(RS_ERR_UNSUPPORTED) => Ok(()),
            outcome => outcome,
        }
    }

    /// See `rs_link_adopt`.
    pub fn link_adopt(
        &self,
        ractor: rs_ractor,
        options: rs_link_options,
        end: rs_link_end,
    ) -> Result<rs_link, rs_status> {
        self.expect_links(ractor)?;
        // SAFETY: the caller gives these descriptors away.
        let handover = unsafe { Handover::of_descriptors(end.segment, end.socket) }?;
        let channel = Channel::adopt(handover, &self.channel_options(&options))?;
        self.keep_link(channel, None, ractor, &options)
    }

    /// See `rs_link_accept`.
    pub fn link_accept(
        &self,
        ractor: rs_ractor,
        options: rs_link_options,
        socket: i32,
    ) -> Result<rs_link, rs_status> {
        let socket = own_descriptor(socket);
        self.expect_links(ractor)?;
        let channel = Channel::serve(socket?, &self.channel_options(&options))?;
        self.keep_link(channel, None, ractor, &options)
    }

    /// See `rs_link_connect`.
    pub fn link_connect(
        &self,
        ractor: rs_ractor,
        options: rs_link_options,
        socket: i32,
        timeout: u64,
    ) -> Result<rs_link, rs_status> {
        let socket = own_descriptor(socket);
        self.expect_links(ractor)?;
        let socket = Socket::adopt(socket?)?;
        let end = deadline(timeout);
        let callbacks = self.host.callbacks();
        let segment = callbacks.blocking(|| receive_segment(&socket, end))?;
        let channel = Channel::join(socket, segment, &self.channel_options(&options))?;
        self.keep_link(channel, None, ractor, &options)
    }

    /// See `rs_link_changed`.
    pub fn link_changed(&self, value: rs_value) {
        self.changed(value);
    }

    /// See `rs_link_pins`.
    pub fn link_pins(
        &self,
        link: rs_link,
        tell: impl FnMut(usize, rs_pin),
    ) -> Result<usize, rs_status> {
        Ok(self.link(link)?.link.describe_pins(tell))
    }

    /// See `rs_link_close`.
    pub fn link_close(&self, link: rs_link, flags: u32, timeout: u64) -> Result<(), rs_status> {
        let using = self.link(link)?;
        let session = self.session(&using);
        let deadline = deadline(timeout);
        let mut outcome = Ok(());
        if flags & RS_LINK_EVACUATE != 0 {
            outcome = session.evacuate(deadline);
        }
        if flags & RS_LINK_FETCH != 0 {
            outcome = outcome.and(session.fetch_all(deadline));
        }
        session.close();
        self.links.links.free(link)?;
        outcome
    }

    /// See `rs_link_export`.
    pub fn link_export(
        &self,
        link: rs_link,
        name: &[u8],
        value: rs_value,
        rights: u32,
    ) -> Result<(), rs_status> {
        self.link(link)?.link.export(name, value, rights)
    }

    /// See `rs_link_fd`.
    pub fn link_fd(&self, link: rs_link) -> Result<i32, rs_status> {
        let using = self.link(link)?;
        using.link.with_channel(|channel| {
            let descriptor = channel.descriptor()?;
            Ok(descriptor.as_raw_fd())
        })
    }

    /// See `rs_link_serve`.
    pub fn link_serve(&self, link: rs_link, budget: u64) -> Result<rs_status, rs_status> {
        let using = self.link(link)?;
        self.session(&using).serve_all(budget)
    }

    /// See `rs_link_wait`.
    pub fn link_wait(&self, link: rs_link, timeout: u64) -> Result<(), rs_status> {
        let using = self.link(link)?;
        self.session(&using).serve_one(timeout)
    }

    /// See `rs_link_raise`.
    pub fn link_raise(&self, link: rs_link, kind: &[u8], text: &[u8]) -> Result<(), rs_status> {
        let using = self.link(link)?;
        self.session(&using).raise(kind, text)
    }

    /// See `rs_link_error`.
    pub fn link_error(&self, link: rs_link) -> Result<(*const c_char, *const c_char), rs_status> {
        Ok(self.link(link)?.link.error())
    }

    /// See `rs_link_counts`.
    pub fn link_counts(&self, link: rs_link) -> Result<rs_link_statistics, rs_status> {
        let using = self.link(link)?;
        let mut counts = using.link.counts();
        counts.remotes = lock(&self.links.remotes).count(link) as u64;
        Ok(counts)
    }

    /// See `rs_link_revoke`.
    pub fn link_revoke(&self, link: rs_link, value: rs_value) -> Result<(), rs_status> {
        self.link(link)?.link.revoke(value)
    }
}
