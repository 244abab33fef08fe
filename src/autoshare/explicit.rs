//! `make_shareable`: an owner shares its own graph, at its request.

use super::Call;
use super::access::Ended;
use super::claim::Purpose;
use super::sharing::Outcome;
use crate::host::contract::{RS_NO_SLOT, rs_ractor, rs_value};
use crate::host::heap::{Heap, Object};
use crate::host::memory::{HostAllocator, Vec, push};
use crate::status::{RS_BUSY, RS_MORE, RS_OK, rs_status};
use crate::sync::{Ordering, lock};
use crate::walk::chunks::Chunks;

/// How often a walk may meet objects that must be prepared: once, and three times more since
/// preparing may have made new ones.
const ROUNDS: u32 = 4;

impl Call<'_> {
    /// Makes a graph shareable for its owner. Each round claims the graph; what needs preparing is
    /// collected, all claims are undone, and it is prepared with nothing of the library locked,
    /// since preparing runs any code.
    pub fn make_shareable(
        &self,
        ractor: rs_ractor,
        value: rs_value,
    ) -> Result<rs_status, rs_status> {
        self.expect_ractor(ractor)?;
        let Some(object) = self.heap.object(value) else {
            return Ok(RS_OK);
        };
        if self.is_shared(object) {
            return Ok(RS_OK);
        }
        let mut root = object;
        for _ in 0..ROUNDS {
            let ended = self.share_once(ractor, root)?;
            root = ended.root;
            match ended.outcome {
                Outcome::Unprepared => match self.prepare_all(ended.list, &mut root)? {
                    RS_OK => {}
                    status => return Ok(status),
                },
                Outcome::Shared => return Ok(RS_OK),
                Outcome::Failed(status) => return Err(status),
                Outcome::Blocked(..) => return Ok(self.report_unshareable(ractor, &ended)),
                Outcome::Written(_) | Outcome::Interrupted => break,
            }
        }
        self.report_interrupted(ractor, RS_NO_SLOT, root);
        Ok(RS_BUSY)
    }

    fn share_once(&self, ractor: rs_ractor, root: Object) -> Result<Ended, rs_status> {
        let mut place = root.0;
        let autoshare = self.autoshare;
        autoshare.turn.take(self.callbacks(), &mut place)?;
        autoshare.sharer.store(ractor, Ordering::Relaxed);
        let purpose = self.share_by(ractor);
        let ended = self.walk(Object(place), purpose);
        autoshare.sharer.store(0, Ordering::Relaxed);
        autoshare.turn.give();
        ended
    }

    /// What a walk is for in which a ractor shares its own graph.
    pub(super) fn share_by(&self, ractor: rs_ractor) -> Purpose {
        match self.is_main(ractor) {
            true => Purpose::ShareOfMain,
            false => Purpose::ShareOfOther,
        }
    }

    /// Prepares what the last walk met, or has the host take a note of all of it. The list is a root, and so is the root of the graph, so a
    /// collection in the host's code neither frees nor loses them.
    fn prepare_all(&self, list: Chunks, root: &mut Object) -> Result<rs_status, rs_status> {
        let ticket = lock(&self.autoshare.unprepared).add(root.0, list)?;
        let mut put_off = RS_OK;
        let status = loop {
            let next = lock(&self.autoshare.unprepared).next(ticket);
            let Some(object) = next else {
                break put_off;
            };
            match self.callbacks().prepare(object) {
                RS_OK => {}
                RS_MORE => put_off = RS_MORE,
                status => break status,
            }
        };
        if let Some(place) = lock(&self.autoshare.unprepared).remove(ticket) {
            *root = Object(place);
        }
        Ok(status)
    }
}

/// What explicit shares have still to prepare, one list for each that is under way.
pub struct Unprepared {
    lists: Vec<List>,
    next_ticket: u64,
}

struct List {
    ticket: u64,
    root: rs_value,
    objects: Chunks,
}

impl Unprepared {
    /// Nothing.
    pub fn new(allocator: HostAllocator) -> Self {
        Unprepared {
            lists: Vec::new_in(allocator),
            next_ticket: 0,
        }
    }

    fn add(&mut self, root: rs_value, objects: Chunks) -> Result<u64, rs_status> {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        push(
            &mut self.lists,
            List {
                ticket,
                root,
                objects,
            },
        )?;
        Ok(ticket)
    }

    fn place(&self, ticket: u64) -> Option<usize> {
        self.lists.iter().position(|list| list.ticket == ticket)
    }

    fn next(&mut self, ticket: u64) -> Option<Object> {
        let place = self.place(ticket)?;
        self.lists[place].objects.pop().map(Object)
    }

    fn remove(&mut self, ticket: u64) -> Option<rs_value> {
        let place = self.place(ticket)?;
        Some(self.lists.swap_remove(place).root)
    }

    /// In a forked child: whoever prepared has no thread there.
    pub fn forget_all(&mut self) {
        self.lists.clear();
    }

    /// Visits the place of every reference.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(&mut rs_value)) {
        for list in self.lists.iter_mut() {
            visit(&mut list.root);
            list.objects.for_each_mut(&mut visit);
        }
    }
}
