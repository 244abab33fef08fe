//! Calls of remote.h.

use super::{SHORTLY, World};
use crate::items::Content;
use crate::items::content;
use crate::requests::ask;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use vmshare::ffi::gc::rs_gc_sweep;
use vmshare::ffi::graph::rs_limits;
use vmshare::ffi::link::*;
use vmshare::ffi::remote::*;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::status::*;

const NAMES: [&std::ffi::CStr; 4] = [c"one", c"two", c"", c"three"];

impl World<'_> {
    /// Makes a link, and has the other side take it up.
    pub fn connect(&mut self) {
        let maker = self.script.below(2);
        self.make(maker);
        self.join(1 - maker);
    }

    pub fn call_link(&mut self, side: usize) -> rs_status {
        match self.script.below(21) {
            0 => self.make(side),
            1 => self.join(side),
            2 => self.spawned(side),
            3 => self.close(side),
            4 | 5 => self.export(side),
            6 => self.revoke(side),
            7 => self.serve(side),
            8 => self.wait(side),
            9 => self.ask_about(side),
            10..13 => self.begin(side),
            13 => self.finish(side),
            14 => self.forget(side),
            15 => self.request(side),
            16 => self.copy(side),
            17 => self.follow(side),
            18 => self.release(side),
            19 => self.share(side),
            _ => self.run_short(side),
        }
    }

    fn options(&self) -> rs_link_options {
        rs_link_options {
            size: match self.script.below(8) {
                0 => u32::from(self.script.byte()) % size_of::<rs_link_options>() as u32,
                _ => size_of::<rs_link_options>() as u32,
            },
            flags: self.script.below(3) as u32,
            ring_bytes: match self.script.below(4) {
                0 => self.script.number() % (1 << 22),
                _ => 4096,
            },
            pins: self.script.below(10) as u64,
            timeout: SHORTLY,
            message_bytes: self.script.number() * u64::from(self.script.below(2) as u32),
        }
    }

    /// If the struct is cut before it, nothing says how long a request may wait.
    fn has_timeout(options: &rs_link_options) -> bool {
        options.size as usize == size_of::<rs_link_options>()
    }

    fn make(&mut self, side: usize) -> rs_status {
        let options = self.options();
        let ractor = self.ractor(side);
        let (vm, mut link, mut end) = (self.sides[side].vm(), 0, rs_link_end::default());
        // SAFETY: valid pointers, or NULL.
        let status = unsafe {
            match self.script.below(16) {
                0 => rs_link_new(vm, ractor, &options, null_mut(), &mut end),
                _ => rs_link_new(vm, ractor, &options, &mut link, &mut end),
            }
        };
        if status != RS_OK {
            assert_eq!(link, 0);
            return status;
        }
        // SAFETY: no memory is passed.
        let copy = |descriptor| unsafe { libc::dup(descriptor) };
        self.ends.push(rs_link_end {
            segment: copy(end.segment),
            socket: copy(end.socket),
        });
        self.know_link(side, link, &options)
    }

    fn join(&mut self, side: usize) -> rs_status {
        let options = self.options();
        let end = self.ends.pop().unwrap_or(rs_link_end {
            segment: -1,
            socket: -1,
        });
        let (vm, ractor, mut link) = (self.sides[side].vm(), self.ractor(side), 0);
        // SAFETY: valid pointers; the descriptors are given away.
        let status = unsafe { rs_link_adopt(vm, ractor, &options, &end, &mut link) };
        if status != RS_OK {
            self.give_up(end, status);
            return status;
        }
        self.know_link(side, link, &options)
    }

    /// Descriptors that were refused before they were taken.
    fn give_up(&mut self, end: rs_link_end, status: rs_status) {
        let are_left = matches!(status, RS_ERR_ARGUMENT | RS_ERR_FOREIGN | RS_ERR_CLOSED);
        if are_left && end.segment >= 0 {
            self.ends.push(end);
        }
    }

    fn know_link(&mut self, side: usize, link: rs_link, options: &rs_link_options) -> rs_status {
        let own = &self.sides[side];
        if Self::has_timeout(options) {
            own.links.borrow_mut().push(link);
        } else {
            // SAFETY: any id may be given.
            assert_eq!(unsafe { rs_link_close(own.vm(), link, 0, 0) }, RS_OK);
        }
        self.keep(RS_OK, link)
    }

    fn link(&self, side: usize) -> rs_link {
        let links = self.sides[side].links.borrow();
        match self.script.below(8) {
            0 => self.id(),
            _ => self.script.pick(&links).unwrap_or(0),
        }
    }

    fn remote(&self, side: usize) -> rs_remote {
        let host = &self.sides[side].host;
        let remotes: Vec<rs_remote> = host
            .values()
            .into_iter()
            .filter_map(|value| match content(value) {
                Content::Remote(remote, _) => Some(remote),
                _ => None,
            })
            .collect();
        match self.script.below(8) {
            0 => self.id(),
            1 => RS_NO_REMOTE,
            _ => self.script.pick(&remotes).unwrap_or(RS_NO_REMOTE),
        }
    }

    fn spawned(&mut self, side: usize) -> rs_status {
        // SAFETY: no preconditions.
        let own = unsafe { libc::getpid() };
        let process = [own, 0, -1, i32::MAX][self.script.below(4)];
        // SAFETY: any id and number may be given.
        unsafe { rs_link_spawned(self.sides[side].vm(), self.link(side), process) }
    }

    fn close(&mut self, side: usize) -> rs_status {
        let flags = self.script.below(8) as u32;
        // SAFETY: any id may be given.
        unsafe { rs_link_close(self.sides[side].vm(), self.link(side), flags, SHORTLY) }
    }

    fn export(&mut self, side: usize) -> rs_status {
        let name = match self.script.below(16) {
            0 => null(),
            _ => NAMES[self.script.below(NAMES.len())].as_ptr(),
        };
        let rights = match self.script.below(4) {
            0 => u32::from(self.script.byte()),
            _ => RS_CAN_ALL,
        };
        let (link, value) = (self.link(side), self.value(side));
        // SAFETY: NULL or a C string.
        unsafe { rs_link_export(self.sides[side].vm(), link, name, value, rights) }
    }

    fn revoke(&mut self, side: usize) -> rs_status {
        let (link, value) = (self.link(side), self.value(side));
        // SAFETY: any value may be given.
        unsafe { rs_link_revoke(self.sides[side].vm(), link, value) }
    }

    fn serve(&mut self, side: usize) -> rs_status {
        let budget = [0, 1, SHORTLY][self.script.below(3)];
        // SAFETY: any id may be given.
        unsafe { rs_link_serve(self.sides[side].vm(), self.link(side), budget) }
    }

    fn wait(&mut self, side: usize) -> rs_status {
        // SAFETY: any id may be given.
        unsafe { rs_link_wait(self.sides[side].vm(), self.link(side), SHORTLY) }
    }

    fn ask_about(&mut self, side: usize) -> rs_status {
        let (vm, link) = (self.sides[side].vm(), self.link(side));
        let (mut descriptor, mut kind, mut text) = (-1, null(), null());
        let mut counts = rs_link_statistics {
            size: u32::from(self.script.byte()),
            ..rs_link_statistics::default()
        };
        let mut found = 0;
        // SAFETY: valid pointers; the struct has room for more than its size says, or as much.
        unsafe {
            match self.script.below(6) {
                0 => rs_link_fd(vm, link, &mut descriptor),
                1 => rs_link_error(vm, link, &mut kind, &mut text),
                5 => self.list_pins(side, link),
                2 => {
                    counts.size = counts.size.min(size_of::<rs_link_statistics>() as u32);
                    rs_link_counts(vm, link, &mut counts)
                }
                3 => rs_remote_link(vm, self.remote(side), &mut found),
                _ => rs_link_raise(vm, link, c"kind".as_ptr(), c"text".as_ptr()),
            }
        }
    }

    fn list_pins(&self, side: usize, link: rs_link) -> rs_status {
        let (room, mut count) = (self.script.below(5), 0);
        let mut pins: Vec<rs_pin> = Vec::with_capacity(room);
        // SAFETY: room for as many as it is told.
        unsafe {
            rs_link_pins(
                self.sides[side].vm(),
                link,
                pins.as_mut_ptr(),
                room,
                &mut count,
            )
        }
    }

    fn with_operation(
        &self,
        side: usize,
        ask: impl FnOnce(rs_link, rs_remote, &rs_operation) -> rs_status,
    ) -> rs_status {
        let name = NAMES[self.script.below(NAMES.len())].to_bytes();
        let arguments = self.values(side);
        let operation = rs_operation {
            code: self.script.below(14) as u32,
            flags: self.script.below(4) as u32 / 2,
            name: name.as_ptr().cast(),
            name_length: name.len() as u64,
            index: self.script.number(),
            arguments: arguments.as_ptr(),
            arguments_count: arguments.len() as u64,
            timeout: self.script.below(2) as u64 * SHORTLY,
        };
        ask(self.link(side), self.remote(side), &operation)
    }

    fn begin(&mut self, side: usize) -> rs_status {
        let mut request = 0;
        let status = self.with_operation(side, |link, remote, operation| {
            // SAFETY: valid pointers.
            unsafe { rs_remote_begin(self.sides[side].vm(), link, remote, operation, &mut request) }
        });
        if status == RS_OK {
            self.sides[side].requests.push(request);
        }
        status
    }

    fn request(&mut self, side: usize) -> rs_status {
        let vm = self.sides[side].vm();
        let count = self.script.below(6);
        self.with_operation(side, |link, remote, operation| {
            ask(vm, link, remote, operation, count, SHORTLY)
        })
    }

    fn any_request(&self, side: usize) -> u64 {
        self.script.pick(&self.sides[side].requests).unwrap_or(0)
    }

    fn finish(&mut self, side: usize) -> rs_status {
        let (link, request) = (self.link(side), self.any_request(side));
        let waits = self.script.below(2) as u32;
        let mut result = 0;
        // SAFETY: a valid pointer.
        unsafe { rs_remote_finish(self.sides[side].vm(), link, request, waits, &mut result) }
    }

    fn forget(&mut self, side: usize) -> rs_status {
        let (link, request) = (self.link(side), self.any_request(side));
        // SAFETY: any number may be given.
        unsafe { rs_remote_forget(self.sides[side].vm(), link, request) }
    }

    fn copy(&mut self, side: usize) -> rs_status {
        let limits = rs_limits {
            depth: self.script.number(),
            bytes: self.script.number(),
        };
        let mut value: rs_value = 0;
        let (vm, remote) = (self.sides[side].vm(), self.remote(side));
        // SAFETY: valid pointers.
        unsafe { rs_remote_copy(vm, remote, &limits, &mut value) }
    }

    fn follow(&mut self, side: usize) -> rs_status {
        let count = self.script.below(5);
        let steps: Vec<u64> = (0..count).map(|_| self.script.number()).collect();
        let mut value = 0;
        let (vm, remote) = (self.sides[side].vm(), self.remote(side));
        // SAFETY: valid pointers.
        unsafe { rs_remote_path(vm, remote, steps.as_ptr(), steps.len(), &mut value) }
    }

    fn share(&mut self, side: usize) -> rs_status {
        let (vm, mut image, mut value) = (self.sides[side].vm(), 0, 0);
        // SAFETY: valid pointers.
        unsafe {
            if self.script.below(2) == 0 {
                return rs_image_object(vm, self.id(), self.script.number(), &mut value);
            }
            let status = rs_remote_share(vm, self.remote(side), &mut image);
            self.keep(status, image)
        }
    }

    fn release(&mut self, side: usize) -> rs_status {
        unsafe extern "C" fn is_alive(mask: *mut c_void, value: rs_value) -> u32 {
            // SAFETY: the mask of the call below.
            u32::from(value >> 4 & unsafe { *mask.cast::<usize>() } != 0)
        }
        let vm = self.sides[side].vm();
        if self.script.below(2) == 0 {
            // SAFETY: any id may be given.
            return unsafe { rs_remote_release(vm, self.remote(side)) };
        }
        let mut mask = usize::from(self.script.byte());
        // SAFETY: the mask lives during the call.
        unsafe { rs_gc_sweep(vm, Some(is_alive), (&raw mut mask).cast()) }
    }

    /// One of the next allocations fails.
    fn run_short(&mut self, side: usize) -> rs_status {
        let host = &self.sides[side].host;
        host.fails_once.set(true);
        host.allocations_left.set(self.script.below(8) as i64);
        RS_OK
    }
}
