//! Before a write, a freeze, a change of representation; and what an object's state is.

use super::owner::{self, Write};
use super::protocol::Phase;
use super::{Call, State};
use crate::host::contract::{
    RS_STATE_AUTOSHARE, RS_STATE_FROZEN, RS_STATE_NONE, RS_STATE_ORDINARY, RS_STATE_SHAREABLE,
    rs_ractor, rs_slot, rs_value,
};
use crate::host::flags::Flags;
use crate::host::heap::{Heap, Object};
use crate::status::{RS_ERR_ARGUMENT, RS_FROZEN, RS_NOT_OWNER, RS_OK, rs_status};
use crate::sync::Ordering;

impl Call<'_> {
    /// Whether a ractor may write an object; takes it from A to B if it is main's.
    pub fn check_frozen(&self, ractor: rs_ractor, value: rs_value) -> Result<rs_status, rs_status> {
        self.expect_ractor(ractor)?;
        let Some(object) = self.heap.object(value) else {
            return Ok(self.refuse_write(ractor, None));
        };
        if !self.owns(ractor, object) {
            return Ok(self.check_frozen_of_main(ractor, object));
        }
        match self.clear_autoshare(ractor, object) {
            Write::Frozen => return Ok(self.refuse_write(ractor, Some(object))),
            Write::Unmarked => self.note_write(ractor, object),
            Write::Allowed => {}
        }
        Ok(RS_OK)
    }

    /// Whether the object is the caller's, as far as its flags can tell: only main's are A, and only
    /// those of who shares explicitly are claimed and not A.
    fn owns(&self, ractor: rs_ractor, object: Object) -> bool {
        let marked = match self.state_of(object) {
            State::Autoshare => true,
            State::Claimed => ractor != self.autoshare.sharer.load(Ordering::Relaxed),
            _ => false,
        };
        self.is_main(ractor) || !marked
    }

    fn check_frozen_of_main(&self, ractor: rs_ractor, object: Object) -> rs_status {
        match self.heap.flags().is_frozen(self.heap.address(object)) || self.is_shared(object) {
            true => self.refuse_write(ractor, Some(object)),
            false => self.refuse_foreign(ractor, object),
        }
    }

    /// Takes the object from A to B, unless it is frozen, by its program or because it is shareable.
    fn clear_autoshare(&self, ractor: rs_ractor, object: Object) -> Write {
        let flags = self.heap.flags();
        let address = self.heap.address(object);
        if flags.is_frozen(address) {
            self.see_shared(ractor, object);
            return Write::Frozen;
        }
        let cleared = owner::clear_autoshare(&self.heap, &self.autoshare.protocol, object);
        if cleared.waited {
            self.counters().main_waits.add(1);
        }
        match cleared.write {
            Write::Frozen => self.see_shared(ractor, object),
            Write::Allowed | Write::Unmarked => flags.owner_need_not_ask(address),
        }
        cleared.write
    }

    /// Main has seen that its object is shareable: only it may say so in a header that it writes
    /// plainly.
    fn see_shared(&self, ractor: rs_ractor, object: Object) {
        if self.is_main(ractor) && self.is_shared(object) {
            let flags = self.heap.flags();
            flags.owner_saw_shared(self.heap.address(object));
        }
    }

    fn note_write(&self, ractor: rs_ractor, object: Object) {
        self.counters().objects_written.add(1);
        self.autoshare.verifier.forget(object);
        self.callbacks().on_unmark(object);
        if self.settings().provenance {
            let act = self.act(ractor);
            self.autoshare.records().add_write(object.0, act);
            self.warn_of_write(ractor, object);
        }
    }

    /// The program freezes one object.
    pub fn freeze(&self, ractor: rs_ractor, value: rs_value) -> Result<rs_status, rs_status> {
        self.expect_ractor(ractor)?;
        let Some(object) = self.heap.object(value) else {
            return Ok(RS_OK);
        };
        if self.is_shared(object) {
            return Ok(RS_OK);
        }
        if !self.owns(ractor, object) {
            return Ok(self.refuse_foreign(ractor, object));
        }
        self.heap.flags().owner_freezes(self.heap.address(object));
        Ok(RS_OK)
    }

    /// Whether an object is shareable now. Of a claimed object the walk word says it; the claim is that
    /// walk's if the word has not changed after the flags were read.
    pub fn is_shared(&self, object: Object) -> bool {
        let protocol = &self.autoshare.protocol;
        loop {
            let word = protocol.word();
            match self.state_of(object) {
                State::Shareable => return true,
                State::Claimed if word.phase() == Phase::Commit && protocol.word() == word => {
                    return true;
                }
                State::Claimed if word.phase() == Phase::Commit => {}
                _ => return false,
            }
        }
    }

    /// Whether a value is shareable now.
    pub fn is_shareable(&self, value: rs_value) -> bool {
        self.heap
            .object(value)
            .is_none_or(|object| self.is_shared(object))
    }

    /// Whether a value is frozen now.
    pub fn is_frozen(&self, value: rs_value) -> bool {
        self.heap.object(value).is_none_or(|object| {
            self.heap.flags().is_frozen(self.heap.address(object)) || self.is_shared(object)
        })
    }

    /// The state of a value.
    pub fn object_state(&self, value: rs_value) -> u32 {
        let Some(object) = self.heap.object(value) else {
            return RS_STATE_SHAREABLE;
        };
        if self.is_shared(object) {
            return RS_STATE_SHAREABLE;
        }
        let flags = self.heap.flags();
        let address = self.heap.address(object);
        if flags.load(address) & flags.masks().autoshare != 0 || self.is_asleep(object) {
            return RS_STATE_AUTOSHARE;
        }
        match flags.is_frozen(address) {
            true => RS_STATE_FROZEN,
            false => RS_STATE_ORDINARY,
        }
    }

    /// Whether an object was marked before there were ractors.
    fn is_asleep(&self, object: Object) -> bool {
        let autoshare = self.autoshare;
        self.settings().mark_on_assign
            && !autoshare.ractors_exist.load(Ordering::Relaxed)
            && self
                .host
                .side_table()
                .is_some_and(|table| super::mark::Asleep { table }.has_mark(&self.heap, object))
    }

    /// The state of a slot's value.
    pub fn slot_state(&self, slot: rs_slot) -> Result<u32, rs_status> {
        let value = self.autoshare.records().slots.get(slot)?.value;
        Ok(value.map_or(RS_STATE_NONE, |value| self.object_state(value)))
    }

    /// Main begins to change how an object lies in memory.
    pub fn before_change(
        &self,
        ractor: rs_ractor,
        value: rs_value,
    ) -> Result<rs_status, rs_status> {
        self.expect_ractor(ractor)?;
        let Some(object) = self.heap.object(value) else {
            return Err(RS_ERR_ARGUMENT);
        };
        let changes = &self.autoshare.changes;
        let protocol = &self.autoshare.protocol;
        if !self.is_main(ractor) {
            // No access walk reads what is not main's.
            return Ok(RS_OK);
        }
        let before = changes.fetch_add(1, Ordering::Relaxed);
        protocol.set_changing((before == 0).then_some(object));
        let begun = owner::begin_change(&self.heap, protocol, object);
        if begun.waited {
            self.counters().main_waits.add(1);
        }
        if begun.write == Write::Frozen {
            self.end_change();
            return Ok(RS_FROZEN);
        }
        Ok(RS_OK)
    }

    /// Main ends a change.
    pub fn after_change(&self, ractor: rs_ractor, value: rs_value) -> Result<rs_status, rs_status> {
        self.expect_ractor(ractor)?;
        if self.heap.object(value).is_none() {
            return Err(RS_ERR_ARGUMENT);
        }
        if !self.is_main(ractor) {
            return Ok(RS_OK);
        }
        if self.autoshare.changes.load(Ordering::Relaxed) == 0 {
            return Err(RS_ERR_ARGUMENT);
        }
        self.end_change();
        Ok(RS_OK)
    }

    /// While changes nest, no walk reads indirect elements of any object, until the last one ends.
    fn end_change(&self) {
        if self.autoshare.changes.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.autoshare.protocol.clear_changing();
        }
    }

    fn refuse_foreign(&self, ractor: rs_ractor, object: Object) -> rs_status {
        self.report_foreign(ractor, object);
        RS_NOT_OWNER
    }

    fn refuse_write(&self, ractor: rs_ractor, object: Option<Object>) -> rs_status {
        self.report_frozen(ractor, object);
        RS_FROZEN
    }
}
