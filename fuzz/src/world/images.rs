//! Calls of graph.h.

use super::World;
use std::ptr::{null, null_mut};
use vmshare::ffi::graph::*;
use vmshare::host::contract::rs_value;
use vmshare::status::*;

impl World<'_> {
    pub fn call_image(&mut self, side: usize) -> rs_status {
        match self.script.below(5) {
            0 => self.encode(side),
            1 => self.read_again(side),
            2 => self.decode(side),
            3 => self.look_at_opaques(side),
            // SAFETY: any id may be given.
            _ => unsafe { rs_image_free(self.sides[side].vm(), self.id()) },
        }
    }

    fn encode(&mut self, side: usize) -> rs_status {
        let limits = rs_limits {
            depth: self.script.number(),
            bytes: self.script.number(),
        };
        let limits = match self.script.below(2) {
            0 => null(),
            _ => &raw const limits,
        };
        let (ractor, value, mut image) = (self.ractor(side), self.value(side), 0);
        let vm = self.sides[side].vm();
        // SAFETY: NULL or valid pointers.
        let status = unsafe { rs_image_encode(vm, ractor, value, limits, &mut image) };
        self.keep(status, image)
    }

    /// Takes an image in once more, perhaps with some of its words changed.
    fn read_again(&mut self, side: usize) -> rs_status {
        let vm = self.sides[side].vm();
        let (mut words, mut count) = (null(), 0);
        // SAFETY: valid pointers; the words stay until the image is freed.
        let mut words = unsafe {
            let status = rs_image_words(vm, self.id(), &mut words, &mut count);
            if status != RS_OK {
                return status;
            }
            std::slice::from_raw_parts(words, count).to_vec()
        };
        for _ in 0..self.script.below(3) {
            let place = self.script.below(words.len());
            words[place] = self.script.number();
        }
        let mut image = 0;
        // SAFETY: valid pointers.
        let status = unsafe { rs_image_read(vm, words.as_ptr(), words.len(), &mut image) };
        self.keep(status, image)
    }

    fn decode(&mut self, side: usize) -> rs_status {
        let opaques = self.values(side);
        let (vm, ractor, image) = (self.sides[side].vm(), self.ractor(side), self.id());
        let mut root: rs_value = 0;
        // SAFETY: NULL or valid pointers.
        unsafe {
            match self.script.below(4) {
                0 => rs_image_decode(vm, ractor, image, null(), 0, null_mut()),
                1 => rs_image_decode(vm, ractor, image, null(), 0, &mut root),
                _ => {
                    let count = opaques.len();
                    rs_image_decode(vm, ractor, image, opaques.as_ptr(), count, &mut root)
                }
            }
        }
    }

    fn look_at_opaques(&mut self, side: usize) -> rs_status {
        let (mut values, mut count) = (null(), 0);
        // SAFETY: valid pointers.
        unsafe { rs_image_opaques(self.sides[side].vm(), self.id(), &mut values, &mut count) }
    }
}
