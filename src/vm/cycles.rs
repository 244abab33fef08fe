//! Rounds of finding cycles: the hub's calls, and what a collector contributes.

use super::Vm;
use super::links::{LinkAndEnd, Links};
use crate::host::contract::{rs_ractor, rs_value};
use crate::host::exchange::rs_link;
use crate::host::host_heap::AnyHeap;
use crate::host::memory::{HostAllocator, Vec, push};
use crate::remote::cycles::round::{Noted, Round};
use crate::remote::cycles::snapshot::{IsMarked, Maker, Snapshots, visit_own_roots};
use crate::remote::cycles::summary::Summary;
use crate::shm::deadline::{Deadline, now};
use crate::status::*;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};
use core::time::Duration;

/// What a vm knows of cycles.
pub struct Cycles {
    pub(super) snapshots: Snapshots,
    /// The rounds that are under way: at most one of each ractor.
    rounds: Mutex<Vec<(rs_ractor, Round)>>,
    /// The number of the last round.
    last: AtomicU64,
}

impl Cycles {
    /// No round.
    pub fn new(allocator: HostAllocator) -> Self {
        Cycles {
            snapshots: Snapshots::default(),
            rounds: Mutex::new(Vec::new_in(allocator)),
            last: AtomicU64::new(0),
        }
    }
}

impl Links {
    /// Visits what the library needs for itself: all roots but the pins of the links that take part in the
    /// snapshot which is wanted now.
    pub fn visit_own_roots(&self, visit: &mut dyn FnMut(rs_value)) {
        self.for_each_own(|link| match self.cycles.snapshots.is_wanted_of(link.id()) {
            true => visit_own_roots(link, visit),
            false => link.for_each_root(&mut |place| visit(*place)),
        });
    }

    /// The collector's summary, if one is wanted.
    pub fn summarise(&self, heap: &AnyHeap<'_>, is_marked: IsMarked<'_>, allocator: HostAllocator) {
        self.cycles
            .snapshots
            .fill(|links| self.summary_of(links, heap, is_marked, allocator));
    }

    fn summary_of(
        &self,
        links: &[rs_link],
        heap: &AnyHeap<'_>,
        is_marked: IsMarked<'_>,
        allocator: HostAllocator,
    ) -> Result<Summary, rs_status> {
        let mut maker = Maker::new(heap, is_marked, allocator);
        let mut outcome = Ok(());
        self.for_each_own(|link| {
            if links.contains(&link.id()) {
                outcome = outcome.and_then(|()| maker.add_link(link));
            }
        });
        outcome?;
        maker.add_remotes(links, &lock(&self.remotes))?;
        maker.finish()
    }
}

impl Vm {
    /// See `rs_gc_visit_own_roots`.
    pub fn visit_own_roots(&self, visit: &mut dyn FnMut(rs_value)) {
        self.visit_roots_besides_links(visit);
        self.links.visit_own_roots(visit);
    }

    /// See `rs_gc_summarise`.
    pub fn summarise(&self, is_marked: IsMarked<'_>) {
        let heap = self.host.any_heap();
        self.autoshare.while_collecting(|| {
            self.links
                .summarise(&heap, is_marked, self.host.allocator());
        });
    }

    /// See `rs_cycles_begin`.
    pub fn cycles_begin(&self, ractor: rs_ractor, timeout: u64) -> Result<(), rs_status> {
        self.call().expect_ractor(ractor)?;
        if !self.host.callbacks().can_summarise() {
            return Err(RS_ERR_UNSUPPORTED);
        }
        if self.has_round(ractor) {
            return Err(RS_BUSY);
        }
        let number = self.links.cycles.last.fetch_add(1, Ordering::Relaxed) + 1;
        let links = self.links_with_cycles(ractor)?;
        self.for_each_link(&links, |using| self.session(using).begin_round(number));
        let round = self.snapshot(&links, timeout).and_then(|round| {
            let rounds = &mut lock(&self.links.cycles.rounds);
            push(rounds, (ractor, round))
        });
        self.for_each_link(&links, |using| match round {
            Ok(()) => self.session(using).ask_for_summary(number),
            Err(_) => drop(using.link.observer().finish()),
        });
        round
    }

    fn has_round(&self, ractor: rs_ractor) -> bool {
        let rounds = lock(&self.links.cycles.rounds);
        rounds.iter().any(|(of, _)| *of == ractor)
    }

    /// The ractor's links to peers that take part.
    fn links_with_cycles(&self, ractor: rs_ractor) -> Result<Vec<rs_link>, rs_status> {
        let mut all = Vec::new_in(self.host.allocator());
        let mut outcome = Ok(());
        self.links.for_each_own(|link| {
            if link.ractor() == ractor && outcome.is_ok() {
                outcome = push(&mut all, link.id());
            }
        });
        outcome?;
        all.retain(|&id| {
            let using = self.link(id);
            using.is_ok_and(|using| {
                using.link.ended().is_none() && self.session(&using).has_cycles()
            })
        });
        Ok(all)
    }

    /// Those of the links that are still there.
    fn for_each_link(&self, links: &[rs_link], mut act: impl FnMut(&LinkAndEnd)) {
        for using in links.iter().filter_map(|&id| self.link(id).ok()) {
            act(&using);
        }
    }

    fn snapshot(&self, links: &[rs_link], timeout: u64) -> Result<Round, rs_status> {
        let deadline = match timeout {
            0 => Deadline::NEVER,
            timeout => Deadline::after(Duration::from_nanos(timeout)),
        };
        let callbacks = self.host.callbacks();
        let copy = |links: &[rs_link]| {
            let mut copy = Vec::new_in(self.host.allocator());
            let copied = links.iter().try_for_each(|&id| push(&mut copy, id));
            copied.map(|()| copy)
        };
        let summary = match links.is_empty() {
            true => Summary::new(self.host.allocator()),
            false => self.links.cycles.snapshots.take(callbacks, copy(links)?)?,
        };
        Ok(Round {
            links: copy(links)?,
            summary,
            deadline,
        })
    }

    /// See `rs_cycles_finish`. None: it goes on.
    pub fn cycles_finish(&self, ractor: rs_ractor, waits: bool) -> Result<Option<u64>, rs_status> {
        self.call().expect_ractor(ractor)?;
        let known = self.round_of(ractor);
        if let Ok((links, deadline)) = &known {
            if waits {
                self.wait_for_summaries(links, *deadline)?;
            } else if !deadline.has_passed(now()) && self.is_noting(links) {
                return Ok(None);
            }
        }
        // For want of memory it ends, too.
        let round = self.take_round(ractor)?;
        let decided = known.and_then(|_| self.decide(&round));
        self.for_each_link(&round.links, |using| drop(using.link.observer().finish()));
        decided.map(Some)
    }

    fn take_round(&self, ractor: rs_ractor) -> Result<Round, rs_status> {
        let mut rounds = lock(&self.links.cycles.rounds);
        let index = rounds.iter().position(|(of, _)| *of == ractor);
        let (_, round) = rounds.swap_remove(index.ok_or(RS_ERR_ARGUMENT)?);
        Ok(round)
    }

    fn round_of(&self, ractor: rs_ractor) -> Result<(Vec<rs_link>, Deadline), rs_status> {
        let rounds = lock(&self.links.cycles.rounds);
        let found = rounds.iter().find(|(of, _)| *of == ractor);
        let (_, round) = found.ok_or(RS_ERR_ARGUMENT)?;
        let mut links = Vec::new_in(self.host.allocator());
        for &id in round.links.iter() {
            push(&mut links, id)?;
        }
        Ok((links, round.deadline))
    }

    fn is_noting(&self, links: &[rs_link]) -> bool {
        links
            .iter()
            .filter_map(|&id| self.link(id).ok())
            .any(|using| using.link.ended().is_none() && using.link.observer().is_noting())
    }

    fn wait_for_summaries(&self, links: &[rs_link], deadline: Deadline) -> Result<(), rs_status> {
        for using in links.iter().filter_map(|&id| self.link(id).ok()) {
            let waited = self.session(&using).wait_for_summary(deadline);
            // After any other failure the round goes on without this one.
            if waited == Err(RS_CANCELLED) {
                return Err(RS_CANCELLED);
            }
        }
        Ok(())
    }

    fn decide(&self, round: &Round) -> Result<u64, rs_status> {
        let allocator = self.host.allocator();
        let mut using = Vec::new_in(allocator);
        for entry in round.links.iter().filter_map(|&id| self.link(id).ok()) {
            push(&mut using, entry)?;
        }
        let mut noted: Vec<Noted<'_>> = Vec::new_in(allocator);
        for entry in using.iter() {
            push(&mut noted, (&entry.link, entry.link.observer().finish()))?;
        }
        round.decide(&noted, allocator)
    }
}
