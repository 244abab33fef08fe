//! What is known of slots, ractors and writes: names, values, and who did what where.
//!
//! All of it is behind one lock that is only held for a lookup or a copy, never while the host is called.

use crate::host::callbacks::NO_SITE;
use crate::host::contract::{RS_NO_RACTOR, RS_NO_SLOT, rs_ractor, rs_site, rs_slot, rs_value};
use crate::host::memory::{self, AddressHasher, Box, HostAllocator, Map, Vec};
use crate::host::report::{
    RS_CAUSE_NONE, RS_SLOT_CLASS_INSTANCE_VARIABLE, RS_SLOT_CLASS_VARIABLE, RS_SLOT_CONSTANT,
    RS_SLOT_GLOBAL, rs_report,
};
use crate::host::table::{Kind, Table};
use crate::status::{RS_ERR_ARGUMENT, RS_ERR_MEMORY, RS_OK, rs_status};

/// Bytes of a name that are kept.
const NAME: usize = 127;
/// Bytes of a ractor's name that are kept.
const RACTOR_NAME: usize = 31;

/// A ractor, as reports speak of it: also when it has ended.
#[derive(Clone, Copy)]
pub struct Who {
    /// Counted from 1, which is main; 0 for one that is not known.
    pub number: u64,
    name: [u8; RACTOR_NAME],
    name_length: u8,
}

impl Who {
    fn new(number: u64, name: &[u8]) -> Self {
        let length = name.len().min(RACTOR_NAME);
        let mut kept = [0; RACTOR_NAME];
        kept[..length].copy_from_slice(&name[..length]);
        Who {
            number,
            name: kept,
            name_length: length as u8,
        }
    }

    /// Its name; empty for none.
    pub fn name(&self) -> &[u8] {
        &self.name[..usize::from(self.name_length)]
    }
}

/// Somebody did something, somewhere.
#[derive(Clone, Copy)]
pub struct Act {
    /// The ractor's id.
    pub ractor: rs_ractor,
    /// Who.
    pub who: Who,
    /// Where.
    pub site: rs_site,
}

/// What an access found that failed.
#[derive(Clone, Copy)]
pub struct Failure {
    /// Its report.
    pub report: rs_report,
    /// Who had written what blocks it, if that is known.
    pub writer: Option<Who>,
}

/// A named place that ractors share.
pub struct Slot {
    /// `RS_SLOT_…`.
    pub kind: u32,
    /// Its name.
    pub name: Vec<u8>,
    /// The class it belongs to; empty for none.
    pub owner: Vec<u8>,
    /// What it holds, weakly.
    pub value: Option<rs_value>,
    /// Since it was assigned: the access that made its graph shareable, or would have.
    pub reading: Option<Act>,
    /// Since it was assigned: what the access found that failed.
    pub failure: Option<Box<Failure>>,
}

/// A ractor.
pub struct Ractor {
    /// How reports speak of it.
    pub who: Who,
    /// What its last failing call found. Allocated when the ractor is made: a failure needs no
    /// memory.
    pub report: Box<rs_report>,
}

/// Everything that is known.
pub struct Records {
    /// All slots.
    pub slots: Table<Slot>,
    /// All ractors.
    pub ractors: Table<Ractor>,
    /// With provenance: the write that took each object from A to B.
    pub writes: Map<rs_value, Act>,
    allocator: HostAllocator,
    ractors_made: u64,
}

/// A report that says nothing.
pub fn empty_report() -> rs_report {
    rs_report {
        size: size_of::<rs_report>() as u32,
        status: RS_OK,
        cause: RS_CAUSE_NONE,
        slot_kind: 0,
        slot: RS_NO_SLOT,
        object: 0,
        reader: RS_NO_RACTOR,
        writer: RS_NO_RACTOR,
        read_site: NO_SITE,
        write_site: NO_SITE,
        objects: 0,
        slot_name: [0; 128],
        path: [0; 256],
        object_name: [0; 128],
        message: [0; 256],
        text: [0; 1024],
    }
}

impl Records {
    /// Nothing is known. `vm` is the number of the vm.
    pub fn new(vm: u64, allocator: HostAllocator) -> Self {
        Records {
            slots: Table::new(Kind::Slot, vm, allocator),
            ractors: Table::new(Kind::Ractor, vm, allocator),
            writes: Map::with_hasher_in(AddressHasher, allocator),
            allocator,
            ractors_made: 0,
        }
    }

    /// Enters a slot that holds nothing.
    pub fn add_slot(
        &mut self,
        kind: u32,
        name: &[u8],
        owner: Option<&[u8]>,
    ) -> Result<rs_slot, rs_status> {
        let known = [
            RS_SLOT_CONSTANT,
            RS_SLOT_GLOBAL,
            RS_SLOT_CLASS_VARIABLE,
            RS_SLOT_CLASS_INSTANCE_VARIABLE,
        ];
        if !known.contains(&kind) {
            return Err(RS_ERR_ARGUMENT);
        }
        let slot = Slot {
            kind,
            name: self.copy(name)?,
            owner: self.copy(owner.unwrap_or_default())?,
            value: None,
            reading: None,
            failure: None,
        };
        self.slots.add(slot)
    }

    /// Enters a ractor.
    pub fn add_ractor(&mut self, name: Option<&[u8]>) -> Result<rs_ractor, rs_status> {
        let ractor = Ractor {
            who: Who::new(self.ractors_made + 1, name.unwrap_or_default()),
            report: memory::boxed(empty_report(), self.allocator)?,
        };
        let id = self.ractors.add(ractor)?;
        self.ractors_made += 1;
        Ok(id)
    }

    /// How reports speak of a ractor.
    pub fn who(&self, ractor: rs_ractor) -> Who {
        match self.ractors.get(ractor) {
            Ok(ractor) => ractor.who,
            Err(_) => Who::new(0, &[]),
        }
    }

    /// In a forked child: only one ractor has a thread there.
    pub fn close_ractors_but(&mut self, survivor: rs_ractor) {
        for index in 0..self.ractors.places() {
            if let Some((id, _)) = self.ractors.at(index)
                && id != survivor
            {
                let _ = self.ractors.remove(id);
            }
        }
    }

    /// A slot was assigned.
    pub fn assign(&mut self, slot: rs_slot, value: rs_value) -> Result<(), rs_status> {
        let slot = self.slots.get_mut(slot)?;
        slot.value = Some(value);
        slot.reading = None;
        slot.failure = None;
        Ok(())
    }

    /// Main wrote an object that was A. If memory runs out the write is not remembered: a report will
    /// not say where it was.
    pub fn add_write(&mut self, object: rs_value, act: Act) {
        let _ = memory::insert(&mut self.writes, object, act);
    }

    /// An access made a slot's graph shareable, unless the slot was assigned meanwhile.
    pub fn add_reading(&mut self, slot: rs_slot, value: rs_value, act: Act) {
        if let Ok(slot) = self.slots.get_mut(slot)
            && slot.value == Some(value)
        {
            slot.reading = Some(act);
        }
    }

    /// An access failed. If memory runs out later reports about this slot say less.
    pub fn add_failure(&mut self, slot: rs_slot, value: rs_value, failure: Failure) {
        let allocator = self.allocator;
        if let Ok(slot) = self.slots.get_mut(slot)
            && slot.value == Some(value)
        {
            slot.failure = memory::boxed(failure, allocator).ok();
        }
    }

    /// Forgets what did not survive.
    pub fn sweep(&mut self, is_alive: &mut dyn FnMut(rs_value) -> bool) {
        for (_, slot) in self.slots.iter_mut() {
            if slot.value.is_some_and(|value| !is_alive(value)) {
                slot.value = None;
                slot.reading = None;
                slot.failure = None;
            }
        }
        self.writes.retain(|&object, _| is_alive(object));
    }

    /// Follows what has moved.
    pub fn update(&mut self, forward: &mut dyn FnMut(rs_value) -> rs_value) {
        for (_, slot) in self.slots.iter_mut() {
            slot.value = slot.value.map(&mut *forward);
        }
        self.update_writes(forward);
    }

    fn update_writes(&mut self, forward: &mut dyn FnMut(rs_value) -> rs_value) {
        let moved = self.writes.keys().any(|&object| forward(object) != object);
        if !moved {
            return;
        }
        let mut updated = Map::with_hasher_in(AddressHasher, self.allocator);
        if updated.try_reserve(self.writes.len()).is_err() {
            // Without memory the writes are forgotten: reports then do not say where they were.
            self.writes.clear();
            return;
        }
        for (object, act) in self.writes.drain() {
            updated.insert(forward(object), act);
        }
        self.writes = updated;
    }

    fn copy(&self, text: &[u8]) -> Result<Vec<u8>, rs_status> {
        let text = &text[..text.len().min(NAME)];
        let mut copy = Vec::new_in(self.allocator);
        copy.try_reserve_exact(text.len())
            .map_err(|_| RS_ERR_MEMORY)?;
        copy.extend_from_slice(text);
        Ok(copy)
    }
}
