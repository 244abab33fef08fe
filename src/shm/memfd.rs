//! Anonymous files that live in memory, and how one that comes from a peer is judged.
//!
//! They have no name in any file system, so `kill -9` leaves nothing behind. What a peer says of one
//! does not count; what the kernel says does: seals can't be taken back, so what was seen stays true.

use super::system::{check, failure, last_errno, last_failure, owned};
use crate::status::{RS_ERR_ARGUMENT, RS_ERR_PEER, rs_status};
use core::ffi::c_int;
use core::mem::MaybeUninit;
use core::ptr::{NonNull, null_mut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Nobody can change the size, nor add seals. Pages may be written by all who have the descriptor.
pub const FIXED: c_int = libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL;
/// Nobody can change anything any more.
pub const FROZEN: c_int = FIXED | libc::F_SEAL_WRITE;

/// Nobody can make it smaller, nor add seals.
pub const GROWING: c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_SEAL;

/// Makes a file of `size` bytes, all zero, that have pages from now on: a full machine is an
/// error here, and no SIGBUS later.
pub fn create(size: usize) -> Result<OwnedFd, rs_status> {
    let file = create_empty()?;
    extend(file.as_fd(), 0, size)?;
    Ok(file)
}

/// Makes a file that has no bytes yet, and can only grow.
pub fn create_growing() -> Result<OwnedFd, rs_status> {
    let file = create_empty()?;
    seal(file.as_fd(), GROWING)?;
    Ok(file)
}

/// Lets a file have bytes up to `end`, and pages for those from `start` on; what it has stays as it is.
pub fn extend(file: BorrowedFd, start: usize, end: usize) -> Result<(), rs_status> {
    let [start, length] = [start, end - start].map(libc::off_t::try_from);
    let (Ok(start), Ok(length)) = (start, length) else {
        return Err(RS_ERR_ARGUMENT);
    };
    loop {
        // SAFETY: no memory is passed.
        match unsafe { libc::posix_fallocate(file.as_raw_fd(), start, length) } {
            0 => return Ok(()),
            // A signal: the kernel has given back what it had allocated.
            libc::EINTR => {}
            errno => return Err(failure(errno)),
        }
    }
}

fn create_empty() -> Result<OwnedFd, rs_status> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let make = |flags| {
        // SAFETY: the name is a C string.
        unsafe { libc::memfd_create(c"vmshare".as_ptr(), flags) }
    };
    // Some systems insist that such a file says that it is no program; older ones don't know how.
    match make(flags | libc::MFD_NOEXEC_SEAL) {
        -1 if last_errno() == libc::EINVAL => owned(make(flags)),
        made => owned(made),
    }
}

/// Adds seals.
pub fn seal(file: BorrowedFd, seals: c_int) -> Result<(), rs_status> {
    // SAFETY: no memory is passed.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) })?;
    Ok(())
}

/// The size of a file that has these seals and lies in memory; `RS_ERR_PEER` if it is anything else.
///
/// Only tmpfs will do: huge pages may run out at a touch, and other file systems may change
/// under their seals.
pub fn verify(file: BorrowedFd, seals: c_int) -> Result<usize, rs_status> {
    // SAFETY: no memory is passed.
    let found = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) };
    if found == -1 || found & seals != seals || !is_tmpfs(file)? {
        return Err(RS_ERR_PEER);
    }
    size(file)
}

fn is_tmpfs(file: BorrowedFd) -> Result<bool, rs_status> {
    let mut found = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the call fills the struct.
    check(unsafe { libc::fstatfs(file.as_raw_fd(), found.as_mut_ptr()) })?;
    // SAFETY: it did.
    let found = unsafe { found.assume_init() };
    // C libraries differ in the types of these two.
    Ok(u32::try_from(found.f_type).ok() == u32::try_from(libc::TMPFS_MAGIC).ok())
}

fn size(file: BorrowedFd) -> Result<usize, rs_status> {
    let mut found = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the call fills the struct.
    check(unsafe { libc::fstat(file.as_raw_fd(), found.as_mut_ptr()) })?;
    // SAFETY: it did.
    let found = unsafe { found.assume_init() };
    usize::try_from(found.st_size).map_err(|_| RS_ERR_PEER)
}

/// A file as part of this process's memory, until it is dropped.
pub struct Mapping {
    start: NonNull<u8>,
    size: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread.
unsafe impl Send for Mapping {}
// SAFETY: it hands out addresses only; those who use them say what they rely on.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Memory that everybody who has the file reads and writes.
    pub fn shared(file: &OwnedFd, size: usize) -> Result<Mapping, rs_status> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        Mapping::new(file.as_raw_fd(), size, access, libc::MAP_SHARED)
    }

    /// The same of a file that grows into it: what lies behind its end must not be touched.
    pub fn growing(file: &OwnedFd, size: usize) -> Result<Mapping, rs_status> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let how = libc::MAP_SHARED | libc::MAP_NORESERVE;
        Mapping::new(file.as_raw_fd(), size, access, how)
    }

    /// Addresses of this process alone, with no memory: it must be opened before it is touched.
    pub fn reserved(size: usize) -> Result<Mapping, rs_status> {
        let how = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        Mapping::new(-1, size, libc::PROT_NONE, how)
    }

    /// Opens a part of what was reserved, from a page boundary on: it is memory from now on, zero at first.
    pub fn open(&self, at: usize, length: usize) -> Result<(), rs_status> {
        if at > self.size || length > self.size - at {
            return Err(RS_ERR_ARGUMENT);
        }
        // SAFETY: the part lies in this mapping.
        unsafe {
            let start = self.start.as_ptr().add(at).cast();
            check(libc::mprotect(
                start,
                length,
                libc::PROT_READ | libc::PROT_WRITE,
            ))?;
            // Both are better to have, and not known everywhere. With the second a full machine is an error here.
            libc::madvise(start, length, libc::MADV_HUGEPAGE);
            match libc::madvise(start, length, libc::MADV_POPULATE_WRITE) {
                -1 if last_errno() != libc::EINVAL => Err(last_failure()),
                _ => Ok(()),
            }
        }
    }

    /// Memory that is only read. Private, since a shared mapping counts as one that might be
    /// made writable, and a file with one can't be sealed.
    pub fn read_only(file: &OwnedFd, size: usize) -> Result<Mapping, rs_status> {
        Mapping::new(file.as_raw_fd(), size, libc::PROT_READ, libc::MAP_PRIVATE)
    }

    fn new(file: c_int, size: usize, access: c_int, how: c_int) -> Result<Mapping, rs_status> {
        // SAFETY: a new mapping, at a place that the kernel chooses, touches nothing that exists.
        let start = unsafe { libc::mmap(null_mut(), size, access, how, file, 0) };
        if start == libc::MAP_FAILED {
            return Err(last_failure());
        }
        let start = NonNull::new(start.cast()).ok_or(RS_ERR_ARGUMENT)?;
        Ok(Mapping { start, size })
    }

    /// Where it begins: a page boundary.
    pub fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Its bytes.
    pub fn size(&self) -> usize {
        self.size
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is the one that `new` made; who borrows from it does not outlive it.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.size) };
    }
}
