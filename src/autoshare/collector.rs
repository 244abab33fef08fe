//! What a collector tells, and what it asks.

use super::{Autoshare, Call, Inside};
use crate::host::contract::rs_value;
use crate::host::heap::{Heap, Object};
use crate::status::{RS_ERR_ARGUMENT, rs_status};
use crate::sync::{Word, lock};

impl Autoshare {
    /// Visits the place of every reference that a walk or a mark holds.
    fn for_each_root(&self, mut visit: impl FnMut(&mut rs_value)) {
        lock(&self.sharing).for_each_mut(&mut visit);
        lock(&self.marking).for_each_mut(&mut visit);
        lock(&self.unprepared).for_each_mut(&mut visit);
        lock(&self.pull).for_each_mut(&mut visit);
        self.turn.for_each_mut(&mut visit);
    }

    /// Shows every object that must stay alive to a collector.
    pub fn visit_roots(&self, visit: &mut dyn FnMut(rs_value)) {
        let _locked = self.enter(Inside::Collecting, true);
        self.for_each_root(|place| {
            if *place != 0 {
                visit(*place);
            }
        });
    }
}

impl Autoshare {
    /// Runs what asks a collector, whose functions call nothing of the library meanwhile.
    pub fn while_collecting<R>(&self, run: impl FnOnce() -> R) -> R {
        let _locked = self.enter(Inside::Collecting, true);
        run()
    }
}

impl Call<'_> {
    /// Follows what a collector has moved.
    pub fn update_references(&self, forward: &mut dyn FnMut(rs_value) -> rs_value) {
        let mut forward = |value: rs_value| match self.heap.object(value) {
            Some(_) => forward(value),
            None => value,
        };
        let autoshare = self.autoshare;
        let _locked = autoshare.enter(Inside::Collecting, true);
        autoshare.for_each_root(|place| *place = forward(*place));
        autoshare.protocol.update(&mut forward);
        autoshare.records().update(&mut forward);
        autoshare.verifier.update(&mut forward);
    }

    /// Forgets what a collector found dead.
    pub fn sweep(&self, is_alive: &mut dyn FnMut(rs_value) -> bool) {
        let mut is_alive = |value: rs_value| self.heap.object(value).is_none() || is_alive(value);
        let _locked = self.autoshare.enter(Inside::Collecting, true);
        self.autoshare.protocol.sweep(&mut is_alive);
        self.autoshare.records().sweep(&mut is_alive);
        self.autoshare.verifier.sweep(&mut is_alive);
    }

    /// An object has moved: its byte of the side table goes with it.
    pub fn moved(&self, from: rs_value, to: rs_value) -> Result<(), rs_status> {
        let (from, to) = (self.object(from)?, self.object(to)?);
        let Some(table) = self.host.side_table() else {
            return Ok(());
        };
        let byte = table.cell(self.heap.address(from)).map(|cell| {
            let byte = Word::load(cell);
            Word::store(cell, 0);
            byte
        });
        if let (Some(byte), Some(cell)) = (byte, table.cell(self.heap.address(to))) {
            Word::store(cell, byte);
        }
        Ok(())
    }

    /// The memory of an object is about to be reused.
    pub fn freed(&self, object: rs_value) -> Result<(), rs_status> {
        let object = self.object(object)?;
        if let Some(table) = self.host.side_table()
            && let Some(cell) = table.cell(self.heap.address(object))
        {
            Word::store(cell, 0);
        }
        Ok(())
    }

    fn object(&self, value: rs_value) -> Result<Object, rs_status> {
        self.heap.object(value).ok_or(RS_ERR_ARGUMENT)
    }
}
