//! One embedding VM: its handle, its host, and what it shares.
//!
//! This is where a call from outside meets the parts: it names the ractors and threads that may call, and
//! picks the heap type of the host's flag placement. What a call does is in `autoshare`.

#[cfg(vmshare_links)]
pub mod cycles;
pub mod images;
pub mod kept;
#[cfg(vmshare_links)]
pub mod links;
#[cfg(not(vmshare_links))]
#[path = "no_links.rs"]
pub mod links;
#[cfg(vmshare_links)]
mod remotes;
pub mod shell;

use crate::autoshare::pull::Task;
use crate::autoshare::statistics::rs_statistics;
use crate::autoshare::{Autoshare, Call, Held};
use crate::host::Host;
use crate::host::contract::{RS_NO_RACTOR, rs_ractor, rs_slot, rs_value};
use crate::host::heap::Heap;
use crate::host::report::rs_report;
use crate::host::side_table::SideTable;
use crate::host::table::Kind;
use crate::status::*;
use images::KeptImage;
use kept::Kept;
use shell::ForkHold;

/// A vm.
pub struct Vm {
    host: Host,
    autoshare: Autoshare,
    fork: ForkHold,
    images: Kept<KeptImage>,
    links: links::Links,
}

impl Vm {
    /// A vm for a host; `number` is the vm's. Returns its main ractor too.
    pub fn new(host: Host, number: u64) -> Result<(Vm, rs_ractor), rs_status> {
        let allocator = host.allocator();
        let (autoshare, main) = Autoshare::new(&host, number)?;
        let vm = Vm {
            host,
            autoshare,
            fork: ForkHold::new(),
            images: Kept::new(Kind::Image, number, allocator),
            links: links::Links::new(number, allocator),
        };
        Ok((vm, main))
    }

    fn call(&self) -> Call<'_> {
        self.autoshare.call(&self.host)
    }

    /// Its host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its side table, if it has one.
    pub fn side_table(&self) -> Option<SideTable> {
        self.host.side_table()
    }

    /// Counts of what happened.
    pub fn statistics(&self) -> rs_statistics {
        self.autoshare.statistics()
    }

    /// Whether a walk is under way.
    pub fn is_walking(&self) -> bool {
        self.autoshare.is_walking()
    }

    /// A call may not come from inside a callback of a walk.
    pub fn expect_outside(&self) -> Result<(), rs_status> {
        match self.autoshare.is_inside() {
            true => Err(RS_ERR_REENTRANT),
            false => Ok(()),
        }
    }

    /// A call that takes a lock may not come from inside a callback that holds one.
    pub fn expect_unlocked(&self) -> Result<(), rs_status> {
        match self.autoshare.is_locked() {
            true => Err(RS_ERR_REENTRANT),
            false => Ok(()),
        }
    }

    /// A call must come from the ractor that it names, if the host can tell.
    pub fn expect_caller(&self, ractor: rs_ractor) -> Result<(), rs_status> {
        match self.host.callbacks().current_ractor() {
            RS_NO_RACTOR => Ok(()),
            current if current == ractor => Ok(()),
            _ => {
                // An id that names no ractor is the graver mistake.
                self.autoshare.records().ractors.get(ractor)?;
                Err(RS_ERR_THREAD)
            }
        }
    }

    /// The main ractor.
    pub fn main(&self) -> rs_ractor {
        self.autoshare.main()
    }

    /// See `rs_ractor_new`.
    pub fn new_ractor(&self, name: Option<&[u8]>) -> Result<rs_ractor, rs_status> {
        self.call().new_ractor(name)
    }

    /// See `rs_ractor_free`.
    pub fn free_ractor(&self, ractor: rs_ractor) -> Result<(), rs_status> {
        if ractor == self.main() {
            return Err(RS_ERR_ARGUMENT);
        }
        self.autoshare.records().ractors.remove(ractor).map(|_| ())
    }

    /// See `rs_slot_new`.
    pub fn new_slot(
        &self,
        kind: u32,
        name: &[u8],
        owner: Option<&[u8]>,
    ) -> Result<rs_slot, rs_status> {
        self.autoshare.records().add_slot(kind, name, owner)
    }

    /// See `rs_slot_free`.
    pub fn free_slot(&self, slot: rs_slot) -> Result<(), rs_status> {
        self.autoshare.records().slots.remove(slot).map(|_| ())
    }

    /// See `rs_slot_state`.
    pub fn slot_state(&self, slot: rs_slot) -> Result<u32, rs_status> {
        self.call().slot_state(slot)
    }

    /// See `rs_autoshare_mark`.
    pub fn mark(&self, slot: rs_slot, value: rs_value) -> Result<(), rs_status> {
        self.call().mark(slot, value)
    }

    /// See `rs_check_frozen`.
    pub fn check_frozen(&self, ractor: rs_ractor, value: rs_value) -> Result<rs_status, rs_status> {
        self.call().check_frozen(ractor, value)
    }

    /// See `rs_ractor_access`.
    pub fn access(
        &self,
        ractor: rs_ractor,
        slot: rs_slot,
        value: rs_value,
    ) -> Result<rs_status, rs_status> {
        self.call().access(ractor, slot, value)
    }

    /// See `rs_make_shareable`.
    pub fn make_shareable(
        &self,
        ractor: rs_ractor,
        value: rs_value,
    ) -> Result<rs_status, rs_status> {
        self.call().make_shareable(ractor, value)
    }

    /// See `rs_freeze`.
    pub fn freeze(&self, ractor: rs_ractor, value: rs_value) -> Result<rs_status, rs_status> {
        self.call().freeze(ractor, value)
    }

    /// See `rs_shareable_p`.
    pub fn is_shareable(&self, value: rs_value) -> bool {
        self.call().is_shareable(value)
    }

    /// See `rs_frozen_p`.
    pub fn is_frozen(&self, value: rs_value) -> bool {
        self.call().is_frozen(value)
    }

    /// See `rs_object_state`.
    pub fn object_state(&self, value: rs_value) -> u32 {
        self.call().object_state(value)
    }

    /// See `rs_before_change`.
    pub fn before_change(
        &self,
        ractor: rs_ractor,
        value: rs_value,
    ) -> Result<rs_status, rs_status> {
        self.call().before_change(ractor, value)
    }

    /// See `rs_after_change`.
    pub fn after_change(&self, ractor: rs_ractor, value: rs_value) -> Result<rs_status, rs_status> {
        self.call().after_change(ractor, value)
    }

    /// See `rs_walk_begin`.
    pub fn pull_begin(
        &self,
        ractor: rs_ractor,
        task: Task,
        slot: rs_slot,
        root: rs_value,
    ) -> Result<(rs_status, u64), rs_status> {
        self.call().pull_begin(ractor, task, slot, root)
    }

    /// See `rs_walk_next`.
    pub fn pull_next(&self, walk: u64) -> Result<(rs_status, rs_value), rs_status> {
        self.call().pull_next(walk)
    }

    /// See `rs_walk_feed`.
    pub fn pull_feed(&self, walk: u64, children: &[rs_value], last: bool) -> Result<(), rs_status> {
        self.call().pull_feed(walk, children, last)
    }

    /// See `rs_walk_refuse`.
    pub fn pull_refuse(&self, walk: u64, share: u32) -> Result<(), rs_status> {
        self.call().pull_refuse(walk, share)
    }

    /// See `rs_walk_commit`.
    pub fn pull_commit(&self, walk: u64) -> Result<rs_status, rs_status> {
        self.call().pull_commit(walk)
    }

    /// See `rs_walk_abort`.
    pub fn pull_abort(&self, walk: u64) -> Result<(), rs_status> {
        self.call().pull_abort(walk)
    }

    /// See `rs_explain`.
    pub fn explain<R>(
        &self,
        ractor: rs_ractor,
        slot: rs_slot,
        value: rs_value,
        tell: impl FnOnce(rs_status, &rs_report) -> Result<R, rs_status>,
    ) -> Result<R, rs_status> {
        self.call().explain(ractor, slot, value, tell)
    }

    /// See `rs_draw`.
    pub fn draw(
        &self,
        ractor: rs_ractor,
        value: rs_value,
        format: u32,
        write: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Result<(), rs_status> {
        self.call().draw(ractor, value, format, write)
    }

    /// See `rs_verify`.
    pub fn verify<R>(
        &self,
        ractor: rs_ractor,
        tell: impl FnOnce(rs_status, &rs_report) -> Result<R, rs_status>,
    ) -> Result<R, rs_status> {
        self.call().verify(ractor, tell)
    }

    /// See `rs_last_report`.
    pub fn with_last_report<R>(
        &self,
        ractor: rs_ractor,
        tell: impl FnOnce(&rs_report) -> Result<R, rs_status>,
    ) -> Result<R, rs_status> {
        let records = self.autoshare.records();
        tell(&records.ractors.get(ractor)?.report)
    }

    /// The images that the host holds.
    pub fn images(&self) -> &Kept<KeptImage> {
        &self.images
    }

    /// Visits the place of every value that is held outside of walks and links.
    fn for_each_root_besides_links(&self, visit: &mut dyn FnMut(&mut rs_value)) {
        self.host.roots().for_each_mut(visit);
        self.images
            .for_each_mut(|image| image.for_each_root(&mut *visit));
    }

    /// Visits the place of every value that is held outside of walks.
    fn for_each_root(&self, visit: &mut dyn FnMut(&mut rs_value)) {
        self.for_each_root_besides_links(visit);
        self.links.for_each_root(visit);
    }

    /// Visits every value that is held outside of links.
    fn visit_roots_besides_links(&self, visit: &mut dyn FnMut(rs_value)) {
        self.autoshare.visit_roots(visit);
        self.for_each_root_besides_links(&mut |place| visit(*place));
    }

    /// See `rs_gc_visit_roots`.
    pub fn visit_roots(&self, visit: &mut dyn FnMut(rs_value)) {
        self.visit_roots_besides_links(visit);
        self.links.for_each_root(&mut |place| visit(*place));
    }

    /// See `rs_gc_sweep`.
    pub fn sweep(&self, is_alive: &mut dyn FnMut(rs_value) -> bool) {
        self.call().sweep(is_alive);
        self.links.sweep(is_alive);
    }

    /// See `rs_gc_update`.
    pub fn update_references(&self, forward: &mut dyn FnMut(rs_value) -> rs_value) {
        self.call().update_references(forward);
        let heap = self.host.any_heap();
        let mut update = |place: &mut rs_value| {
            if heap.object(*place).is_some() {
                *place = forward(*place);
            }
        };
        self.for_each_root(&mut update);
        self.links.for_each_remote(&mut update);
    }

    /// See `rs_gc_moved`.
    pub fn moved(&self, from: rs_value, to: rs_value) -> Result<(), rs_status> {
        self.call().moved(from, to)
    }

    /// See `rs_gc_freed`.
    pub fn freed(&self, object: rs_value) -> Result<(), rs_status> {
        self.call().freed(object)
    }

    /// See `rs_gc_begin`.
    pub fn gc_begin(&self) -> Result<(), rs_status> {
        self.autoshare.gc_begin(self.host.callbacks())
    }

    /// See `rs_gc_end`.
    pub fn gc_end(&self) -> Result<(), rs_status> {
        self.autoshare.gc_end()
    }

    /// See `rs_before_fork`.
    pub fn before_fork(&self) -> Result<(), rs_status> {
        if self.fork.is_held() {
            return Err(RS_BUSY);
        }
        self.fork.hold(&self.autoshare);
        Ok(())
    }

    /// See `rs_after_fork_parent`.
    pub fn after_fork_parent(&self) -> Result<(), rs_status> {
        self.fork.take().map(drop).ok_or(RS_ERR_ARGUMENT)
    }

    /// See `rs_after_fork_child`.
    pub fn after_fork_child(&self) -> Result<(), rs_status> {
        let held: Held<'_> = self.fork.take().ok_or(RS_ERR_ARGUMENT)?;
        self.call().adopt(held);
        self.links.after_fork_child();
        Ok(())
    }
}
