//! Calls of vm.h, slot.h, autoshare.h, walk.h and report.h.

use super::World;
use std::ptr::null_mut;
use vmshare::ffi::autoshare::*;
use vmshare::ffi::report::{rs_explain, rs_last_report};
use vmshare::ffi::slot::*;
use vmshare::ffi::vm::{rs_ractor_free, rs_ractor_new};
use vmshare::ffi::walk::*;
use vmshare::host::report::rs_report;
use vmshare::status::*;

impl World<'_> {
    pub fn call_sharing(&mut self, side: usize) -> rs_status {
        match self.script.below(16) {
            0 => self.new_ractor(side),
            1 => self.new_slot(side),
            2 => self.free(side),
            3..6 => self.mark(side),
            6 | 7 => self.access(side),
            8..11 => self.use_object(side),
            11 => self.report(side),
            12 => self.begin_walk(side),
            _ => self.go_on_with_walk(side),
        }
    }

    fn new_ractor(&mut self, side: usize) -> rs_status {
        let (vm, mut ractor) = (self.sides[side].vm(), 0);
        // SAFETY: valid pointers.
        let status = unsafe { rs_ractor_new(vm, c"ractor".as_ptr(), &mut ractor) };
        if status == RS_OK {
            self.sides[side].ractors.push(ractor);
        }
        self.keep(status, ractor)
    }

    fn new_slot(&mut self, side: usize) -> rs_status {
        let (vm, mut slot) = (self.sides[side].vm(), 0);
        let kind = self.script.below(6) as u32;
        // SAFETY: valid pointers; there is no owner.
        let status = unsafe { rs_slot_new(vm, kind, c"SLOT".as_ptr(), null_mut(), &mut slot) };
        self.keep(status, slot)
    }

    fn free(&mut self, side: usize) -> rs_status {
        let vm = self.sides[side].vm();
        // SAFETY: any id may be given.
        unsafe {
            match self.script.below(2) {
                0 => rs_ractor_free(vm, self.id()),
                _ => rs_slot_free(vm, self.id()),
            }
        }
    }

    fn mark(&mut self, side: usize) -> rs_status {
        let (slot, value) = (self.id(), self.value(side));
        // SAFETY: the value is one of this side.
        unsafe { rs_autoshare_mark(self.sides[side].vm(), slot, value) }
    }

    fn access(&mut self, side: usize) -> rs_status {
        let (ractor, slot, value) = (self.ractor(side), self.id(), self.value(side));
        // SAFETY: the value is one of this side.
        unsafe { rs_ractor_access(self.sides[side].vm(), ractor, slot, value) }
    }

    fn use_object(&mut self, side: usize) -> rs_status {
        let (vm, ractor, value) = (self.sides[side].vm(), self.ractor(side), self.value(side));
        let mut state = 0;
        // SAFETY: the value is one of this side; the pointer is valid.
        unsafe {
            match self.script.below(8) {
                0 => rs_make_shareable(vm, ractor, value),
                1 => rs_freeze(vm, ractor, value),
                2 => rs_shareable_p(vm, value),
                3 => rs_frozen_p(vm, value),
                4 => rs_object_state(vm, value, &mut state),
                5 => rs_before_change(vm, ractor, value),
                6 => rs_after_change(vm, ractor, value),
                _ => rs_check_frozen(vm, ractor, value),
            }
        }
    }

    fn report(&mut self, side: usize) -> rs_status {
        // SAFETY: zero is a value of every member.
        let mut report: rs_report = unsafe { std::mem::zeroed() };
        report.size = size_of::<rs_report>() as u32;
        let (vm, ractor) = (self.sides[side].vm(), self.ractor(side));
        // SAFETY: the report has room for what its size says.
        unsafe {
            match self.script.below(2) {
                0 => rs_last_report(vm, ractor, &mut report),
                _ => rs_explain(vm, ractor, self.id(), self.value(side), &mut report),
            }
        }
    }

    fn begin_walk(&mut self, side: usize) -> rs_status {
        let (ractor, purpose) = (self.ractor(side), self.script.below(4) as u32);
        let (slot, value, mut walk) = (self.id(), self.value(side), 0);
        let vm = self.sides[side].vm();
        // SAFETY: valid pointers; the value is one of this side.
        let status = unsafe { rs_walk_begin(vm, ractor, purpose, slot, value, &mut walk) };
        self.keep(status, walk)
    }

    fn go_on_with_walk(&mut self, side: usize) -> rs_status {
        let (vm, walk, mut object) = (self.sides[side].vm(), self.id(), 0);
        let children = self.values(side);
        // SAFETY: valid pointers; the values are of this side.
        unsafe {
            match self.script.below(6) {
                0 | 1 => rs_walk_next(vm, walk, &mut object),
                2 | 3 => {
                    let last = self.script.below(2) as u32;
                    rs_walk_feed(vm, walk, children.as_ptr(), children.len(), last)
                }
                4 => rs_walk_commit(vm, walk),
                _ => rs_walk_abort(vm, walk),
            }
        }
    }
}
