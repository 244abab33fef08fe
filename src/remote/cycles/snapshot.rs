//! One process's part of a cut: what its collector finds when it has marked from the roots, and not yet from
//! the pins of the links that take part.

use super::condense::{Condenser, Part};
use super::observer::mentions_of;
use super::summary::{Reference, Summary, Target};
use crate::host::callbacks::Callbacks;
use crate::host::contract::rs_value;
use crate::host::exchange::rs_link;
use crate::host::heap::{Heap, Object};
use crate::host::host_heap::AnyHeap;
use crate::host::memory::{HostAllocator, Vec, push, words_of};
use crate::remote::link::Link;
use crate::remote::remotes::{Remote, Remotes};
use crate::remote::values::Mention;
use crate::status::{RS_BUSY, RS_ERR_HOST, rs_status};
use crate::sync::{Mutex, lock};

/// A snapshot that a thread waits for.
struct Wanted {
    /// The links that take part.
    links: Vec<rs_link>,
    /// What the collector has found.
    summary: Option<Result<Summary, rs_status>>,
}

/// The snapshots of a vm: at most one at a time.
#[derive(Default)]
pub struct Snapshots {
    wanted: Mutex<Option<Wanted>>,
}

/// Whether the collector has marked an object.
pub type IsMarked<'a> = &'a dyn Fn(rs_value) -> bool;

impl Snapshots {
    /// Has the host collect, and returns what it finds then. `RS_BUSY`: another thread, or a frame below, waits
    /// for that already.
    pub fn take(&self, callbacks: &Callbacks, links: Vec<rs_link>) -> Result<Summary, rs_status> {
        let mut wanted = lock(&self.wanted);
        if wanted.is_some() {
            return Err(RS_BUSY);
        }
        *wanted = Some(Wanted {
            links,
            summary: None,
        });
        drop(wanted);
        let collected = callbacks.collect();
        let wanted = lock(&self.wanted).take();
        collected?;
        let summary = wanted.and_then(|wanted| wanted.summary);
        summary.unwrap_or(Err(RS_ERR_HOST))
    }

    /// Whether a link takes part in the snapshot that is wanted now.
    pub fn is_wanted_of(&self, link: rs_link) -> bool {
        let wanted = lock(&self.wanted);
        let links = wanted.as_ref().map(|wanted| &wanted.links[..]);
        links.is_some_and(|links| links.contains(&link))
    }

    /// The collector's: makes the summary, if one is wanted.
    pub fn fill(&self, make: impl FnOnce(&[rs_link]) -> Result<Summary, rs_status>) {
        if let Some(wanted) = &mut *lock(&self.wanted) {
            wanted.summary = Some(make(&wanted.links));
        }
    }
}

/// The objects that the collector has not marked.
struct Unmarked<'a> {
    heap: &'a AnyHeap<'a>,
    is_marked: IsMarked<'a>,
}

impl Unmarked<'_> {
    /// What is no object lives for ever.
    fn has(&self, value: rs_value) -> bool {
        self.heap.object(value).is_some() && !(self.is_marked)(value)
    }
}

impl Part for Unmarked<'_> {
    fn children(&self, object: rs_value, into: &mut Vec<rs_value>) -> Result<(), rs_status> {
        let mut outcome = Ok(());
        self.heap.references(Object(object), |child| {
            if outcome.is_ok() && self.has(child) {
                outcome = push(into, child);
            }
        })?;
        outcome
    }
}

/// A summary in the making.
pub struct Maker<'a> {
    part: Unmarked<'a>,
    allocator: HostAllocator,
    summary: Summary,
    /// Remotes that the roots do not reach, and the objects that stand for them.
    unreached: Vec<(Reference, rs_value)>,
    /// Pins that the roots do not reach.
    pins: Vec<(Reference, rs_value)>,
}

impl<'a> Maker<'a> {
    /// An empty one.
    pub fn new(heap: &'a AnyHeap<'a>, is_marked: IsMarked<'a>, allocator: HostAllocator) -> Self {
        Maker {
            part: Unmarked { heap, is_marked },
            allocator,
            summary: Summary::new(allocator),
            unreached: Vec::new_in(allocator),
            pins: Vec::new_in(allocator),
        }
    }

    /// Adds the pins of a link that takes part, and what its unread messages refer to.
    pub fn add_link(&mut self, link: &Link) -> Result<(), rs_status> {
        // What is being read is in no table yet.
        if link.observer.is_reading() {
            return Err(RS_BUSY);
        }
        let id = link.id();
        for (number, pin) in lock(&link.pins).iter() {
            if self.part.has(pin.object) {
                push(&mut self.pins, (Reference { link: id, number }, pin.object))?;
            }
        }
        for_each_kept(link, &mut |mention| match mention {
            Mention::Remote(number) => {
                push(&mut self.summary.remotes, Reference { link: id, number })
            }
            // Its object is a root, and was marked.
            Mention::Home(_) => Ok(()),
        })
    }

    /// Adds the remotes of the links that take part.
    pub fn add_remotes(&mut self, links: &[rs_link], remotes: &Remotes) -> Result<(), rs_status> {
        for remote in remotes.iter().filter(|remote| links.contains(&remote.link)) {
            let &Remote {
                link, pin, value, ..
            } = remote;
            let reference = Reference { link, number: pin };
            // One whose object is being made is wanted by whoever makes it.
            match value != 0 && self.part.has(value) {
                true => push(&mut self.unreached, (reference, value))?,
                false => push(&mut self.summary.remotes, reference)?,
            }
        }
        Ok(())
    }

    /// The summary.
    pub fn finish(mut self) -> Result<Summary, rs_status> {
        let mut condenser = Condenser::new(&self.part, self.allocator);
        self.summary.live = self.summary.remotes.len();
        for &(reference, value) in self.unreached.iter() {
            let remote = Target::remote(self.summary.remotes.len())?;
            push(&mut self.summary.remotes, reference)?;
            condenser.add_remote(value, remote)?;
        }
        for &(pin, object) in self.pins.iter() {
            let target = condenser.lead(object)?;
            push(&mut self.summary.pins, (pin, target))?;
        }
        self.summary.nodes = condenser.into_nodes();
        Ok(self.summary)
    }
}

/// What the messages refer to that have arrived and nobody has read yet. They are as good as roots.
fn for_each_kept(
    link: &Link,
    tell: &mut dyn FnMut(Mention) -> Result<(), rs_status>,
) -> Result<(), rs_status> {
    let mut outcome = Ok(());
    lock(&link.state).for_each_kept(|message| {
        let words = words_of(&message.bytes).unwrap_or(&[]);
        // One that makes no sense will end the link when it is read, and hold nothing then.
        let _ = mentions_of(message.kind, words, &mut |mention| {
            if outcome.is_ok() {
                outcome = tell(mention);
            }
        });
    });
    outcome
}

/// Visits what a link that takes part needs for itself: what is exported, and objects that come home with
/// messages nobody has read yet.
pub fn visit_own_roots(link: &Link, visit: &mut dyn FnMut(rs_value)) {
    for export in lock(&link.exports).iter() {
        visit(export.value);
    }
    let pins = lock(&link.pins);
    let _ = for_each_kept(link, &mut |mention| {
        if let Mention::Home(number) = mention
            && let Ok(pin) = pins.get(number)
        {
            visit(pin.object);
        }
        Ok(())
    });
}
