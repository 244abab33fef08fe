//! The slow and obvious view of what the library does: recursion and sets.

use crate::host::{Host, Kind};
use std::collections::BTreeSet;
use vmshare::host::contract::*;

/// Slots of a program.
pub const SLOTS: usize = 3;

/// What every object is, by sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oracle {
    pub marked: BTreeSet<usize>,
    pub frozen: BTreeSet<usize>,
    pub shared: BTreeSet<usize>,
    pub slots: [Option<usize>; SLOTS],
}

pub fn kind(host: &Host, object: usize) -> u32 {
    host.object(object)
        .kind
        .load(std::sync::atomic::Ordering::Relaxed)
}

pub fn can_ever_be_shared(host: &Host, object: usize) -> bool {
    kind(host, object) != Kind::File as u32
}

pub fn is_prepared(host: &Host, object: usize) -> bool {
    kind(host, object) != Kind::Unprepared as u32
}

impl Oracle {
    pub fn state(&self, object: usize) -> u32 {
        if self.shared.contains(&object) {
            RS_STATE_SHAREABLE
        } else if self.marked.contains(&object) {
            RS_STATE_AUTOSHARE
        } else if self.frozen.contains(&object) {
            RS_STATE_FROZEN
        } else {
            RS_STATE_ORDINARY
        }
    }

    pub fn mark(&mut self, host: &Host, top: usize) {
        if !self.shared.contains(&top) && can_ever_be_shared(host, top) {
            self.marked.insert(top);
        }
        for child in host.children(top) {
            self.mark_below(host, child);
        }
    }

    pub fn mark_below(&mut self, host: &Host, object: usize) {
        let settled = self.shared.contains(&object) || self.marked.contains(&object);
        if settled || !can_ever_be_shared(host, object) {
            return;
        }
        self.marked.insert(object);
        for child in host.children(object) {
            self.mark_below(host, child);
        }
    }

    /// Everything that can be reached without passing through what is shared already.
    pub fn reach(&self, host: &Host, object: usize, into: &mut BTreeSet<usize>) {
        if self.shared.contains(&object) || !into.insert(object) {
            return;
        }
        for child in host.children(object) {
            self.reach(host, child, into);
        }
    }

    pub fn reached(&self, host: &Host, object: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        self.reach(host, object, &mut reached);
        reached
    }

    pub fn share_all(&mut self, objects: &BTreeSet<usize>) {
        for object in objects {
            self.shared.insert(*object);
            self.frozen.insert(*object);
            self.marked.remove(object);
        }
    }

    pub fn blocks_access(&self, host: &Host, object: usize) -> bool {
        !self.shared.contains(&object)
            && (!self.marked.contains(&object)
                || !can_ever_be_shared(host, object)
                || !is_prepared(host, object))
    }
}
