//! On a system without links: there are none.

#![allow(missing_docs)]

use super::Vm;
use crate::host::contract::{rs_ractor, rs_value};
use crate::host::exchange::*;
use crate::host::memory::HostAllocator;
use crate::status::*;
use core::ffi::c_char;

pub struct Links;

impl Links {
    pub fn new(_vm: u64, _allocator: HostAllocator) -> Self {
        Links
    }

    pub fn for_each_root(&self, _visit: &mut dyn FnMut(&mut rs_value)) {}

    pub fn for_each_remote(&self, _visit: &mut dyn FnMut(&mut rs_value)) {}

    pub fn after_fork_child(&self) {}

    pub fn sweep(&self, _is_alive: &mut dyn FnMut(rs_value) -> bool) {}
}

pub fn inherit(_end: &rs_link_end) -> rs_status {
    RS_ERR_UNSUPPORTED
}

impl Vm {
    pub fn link_new(
        &self,
        _ractor: rs_ractor,
        _options: rs_link_options,
    ) -> Result<(rs_link, rs_link_end), rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }

    pub fn link_spawned(&self, _link: rs_link, _process: i32) -> Result<(), rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn link_adopt(
        &self,
        _ractor: rs_ractor,
        _options: rs_link_options,
        _end: rs_link_end,
    ) -> Result<rs_link, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }

    pub fn link_accept(
        &self,
        _ractor: rs_ractor,
        _options: rs_link_options,
        _socket: i32,
    ) -> Result<rs_link, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }

    pub fn link_connect(
        &self,
        _ractor: rs_ractor,
        _options: rs_link_options,
        _socket: i32,
        _timeout: u64,
    ) -> Result<rs_link, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }

    pub fn link_changed(&self, _value: rs_value) {}

    pub fn remote_watch(&self, _remote: rs_remote) -> Result<(), rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn link_pins(
        &self,
        _link: rs_link,
        _tell: impl FnMut(usize, rs_pin),
    ) -> Result<usize, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn remote_share(&self, _remote: rs_remote) -> Result<u64, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn image_object(&self, _image: u64, _node: u64) -> Result<rs_value, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }

    pub fn link_close(&self, _link: rs_link, _flags: u32, _timeout: u64) -> Result<(), rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn link_export(
        &self,
        _link: rs_link,
        _name: &[u8],
        _value: rs_value,
        _rights: u32,
    ) -> Result<(), rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn link_fd(&self, _link: rs_link) -> Result<i32, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn link_serve(&self, _link: rs_link, _budget: u64) -> Result<rs_status, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn link_wait(&self, _link: rs_link, _timeout: u64) -> Result<(), rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn link_raise(&self, _link: rs_link, _: &[u8], _text: &[u8]) -> Result<(), rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn link_error(&self, _link: rs_link) -> Result<(*const c_char, *const c_char), rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn link_counts(&self, _link: rs_link) -> Result<rs_link_statistics, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn remote_request(
        &self,
        _link: rs_link,
        _remote: rs_remote,
        _operation: &rs_operation,
    ) -> Result<rs_value, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn remote_begin(
        &self,
        _link: rs_link,
        _remote: rs_remote,
        _operation: &rs_operation,
    ) -> Result<u64, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn remote_finish(
        &self,
        _link: rs_link,
        _request: u64,
        _waits: bool,
    ) -> Result<Option<rs_value>, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn remote_batch(
        &self,
        _link: rs_link,
        _entries: &mut [rs_batch_entry],
        _timeout: u64,
    ) -> Result<(), rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn remote_forget(&self, _link: rs_link, _request: u64) -> Result<(), rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn remote_path(&self, _: rs_remote, _steps: &[u64]) -> Result<rs_value, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn link_revoke(&self, _link: rs_link, _value: rs_value) -> Result<(), rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn remote_copy(&self, _: rs_remote, _depth: u64, _: u64) -> Result<rs_value, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn remote_link(&self, _remote: rs_remote) -> Result<rs_link, rs_status> {
        Err(RS_ERR_FOREIGN)
    }

    pub fn visit_own_roots(&self, visit: &mut dyn FnMut(rs_value)) {
        self.visit_roots(visit);
    }

    pub fn summarise(&self, _is_marked: &dyn Fn(rs_value) -> bool) {}

    pub fn cycles_begin(&self, _ractor: rs_ractor, _timeout: u64) -> Result<(), rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }

    pub fn cycles_finish(&self, _: rs_ractor, _waits: bool) -> Result<Option<u64>, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }

    pub fn remote_release(&self, _remote: rs_remote) -> Result<(), rs_status> {
        Err(RS_ERR_FOREIGN)
    }
}
