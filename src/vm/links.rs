//! The links of a vm.

use super::Vm;
use crate::ffi::remote::{rs_link_end, rs_link_options, rs_link_statistics};
use crate::host::contract::{rs_ractor, rs_value};
use crate::host::exchange::{rs_link, rs_operation, rs_remote};
use crate::status::*;
use core::ffi::c_char;

/// Lets descriptors be inherited.
pub fn inherit(_end: &rs_link_end) -> rs_status {
    RS_ERR_UNSUPPORTED
}

#[allow(missing_docs, unused_variables)]
impl Vm {
    pub fn link_new(
        &self,
        ractor: rs_ractor,
        options: rs_link_options,
    ) -> Result<(rs_link, rs_link_end), rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn link_spawned(&self, link: rs_link, process: i32) -> Result<(), rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn link_adopt(
        &self,
        ractor: rs_ractor,
        options: rs_link_options,
        end: rs_link_end,
    ) -> Result<rs_link, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn link_close(&self, link: rs_link, evacuate: bool, timeout: u64) -> Result<(), rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn link_export(
        &self,
        link: rs_link,
        name: &[u8],
        value: rs_value,
        rights: u32,
    ) -> Result<(), rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn link_fd(&self, link: rs_link) -> Result<i32, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn link_serve(&self, link: rs_link, budget: u64) -> Result<rs_status, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn link_raise(&self, link: rs_link, kind: &[u8], text: &[u8]) -> Result<(), rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn link_error(&self, link: rs_link) -> Result<(*const c_char, *const c_char), rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn link_counts(&self, link: rs_link) -> Result<rs_link_statistics, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn remote_request(
        &self,
        link: rs_link,
        remote: rs_remote,
        operation: &rs_operation,
    ) -> Result<rs_value, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn remote_copy(
        &self,
        remote: rs_remote,
        depth: u64,
        bytes: u64,
    ) -> Result<rs_value, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn remote_link(&self, remote: rs_remote) -> Result<rs_link, rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
    pub fn remote_release(&self, remote: rs_remote) -> Result<(), rs_status> {
        Err(RS_ERR_UNSUPPORTED)
    }
}
