//! Bytes that nobody can change any more: images travel in them and are read in place.
//!
//! A producer writes into a file that it has never mapped and never sent, seals it, and sends it then.
//! The order matters: F_SEAL_WRITE fails while anybody has a writable mapping, and while a page is pinned;
//! so nobody seals what a peer could ever write. A reader asks the kernel for the seals itself. It
//! takes no F_SEAL_FUTURE_WRITE for F_SEAL_WRITE: that leaves mappings writable that exist.

use super::memfd::{self, FROZEN, Mapping};
use super::system::{last_errno, last_failure};
use crate::status::{RS_ERR_ARGUMENT, RS_ERR_PEER, rs_status};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Bytes in the making.
pub struct Unsealed {
    file: OwnedFd,
    size: usize,
}

impl Unsealed {
    /// So many bytes, all zero; at least one. `RS_ERR_MEMORY` if the machine has no room for them.
    pub fn new(size: usize) -> Result<Unsealed, rs_status> {
        if size == 0 {
            return Err(RS_ERR_ARGUMENT);
        }
        let file = memfd::create(size)?;
        Ok(Unsealed { file, size })
    }

    /// Writes a part, in any order. `RS_ERR_ARGUMENT` if it does not lie inside.
    pub fn write(&mut self, at: usize, bytes: &[u8]) -> Result<(), rs_status> {
        let end = at.checked_add(bytes.len()).ok_or(RS_ERR_ARGUMENT)?;
        if end > self.size {
            return Err(RS_ERR_ARGUMENT);
        }
        let mut written = 0;
        while written < bytes.len() {
            written += self.write_some(at + written, &bytes[written..])?;
        }
        Ok(())
    }

    fn write_some(&mut self, at: usize, bytes: &[u8]) -> Result<usize, rs_status> {
        // SAFETY: the bytes are borrowed for the call.
        let written = unsafe {
            libc::pwrite(
                self.file.as_raw_fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                at as libc::off_t,
            )
        };
        match usize::try_from(written) {
            Ok(written) => Ok(written),
            Err(_) if last_errno() == libc::EINTR => Ok(0),
            Err(_) => Err(last_failure()),
        }
    }

    /// Nobody changes them any more, this process neither.
    pub fn seal(self) -> Result<SealedBytes, rs_status> {
        memfd::seal(self.file.as_fd(), FROZEN)?;
        SealedBytes::map(self.file, self.size)
    }
}

/// Bytes that nobody can change any more.
pub struct SealedBytes {
    file: OwnedFd,
    mapping: Mapping,
}

impl SealedBytes {
    /// Takes what a peer has sent and announced as `size` bytes. `RS_ERR_PEER` if it is anything else.
    pub fn adopt(file: OwnedFd, size: usize) -> Result<SealedBytes, rs_status> {
        if size == 0 || memfd::verify(file.as_fd(), FROZEN)? != size {
            return Err(RS_ERR_PEER);
        }
        SealedBytes::map(file, size)
    }

    fn map(file: OwnedFd, size: usize) -> Result<SealedBytes, rs_status> {
        let mapping = Mapping::read_only(&file, size)?;
        Ok(SealedBytes { file, mapping })
    }

    /// The bytes, at a page boundary. An ordinary slice, unlike memory that a peer may write: the seals are
    /// the kernel's promise that it never changes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping has this size, lives as long as `self`, is readable, and its file is sealed
        // against writing and shrinking.
        unsafe { core::slice::from_raw_parts(self.mapping.start().as_ptr(), self.mapping.size()) }
    }

    /// The descriptor once more, for who does not keep the bytes.
    pub fn duplicate(&self) -> Result<OwnedFd, rs_status> {
        self.file.try_clone().map_err(|_| last_failure())
    }

    /// The descriptor, to be sent.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
