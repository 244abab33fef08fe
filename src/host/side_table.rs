//! The side table: one byte for each granule of the host's heap, in a linear mapping that is reserved
//! once. It never grows or moves, so a byte's address is a shift and an addition, for the inline
//! check too; memory is used only for pages that are touched.
//!
//! A byte a granule, though four bits would do: two objects in one byte would make plain stores
//! by different ractors lose each other's bits.

use super::contract::rs_flags;
use crate::status::{RS_ERR_UNSUPPORTED, rs_status};
use crate::sync::AtomicU8;

/// Where user addresses end on the 64-bit machines that the library knows; elsewhere there is no more than half.
const USER_ADDRESSES: usize = 1
    << if usize::BITS > 47 {
        47
    } else {
        usize::BITS - 1
    };

/// Memory is not set aside for pages that are never touched, where the system can be told so.
#[cfg(target_os = "linux")]
const NO_RESERVE: core::ffi::c_int = libc::MAP_NORESERVE;
#[cfg(not(target_os = "linux"))]
const NO_RESERVE: core::ffi::c_int = 0;

/// Objects keep at least this distance (log2) if the host does not say.
const DEFAULT_GRANULE: u32 = 3;

/// A reserved table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SideTable {
    /// `byte of address a = biased_base + (a >> granule)`.
    biased_base: usize,
    start: usize,
    size: usize,
    granule: u32,
}

impl SideTable {
    /// Reserves the table of the range that `flags` names.
    pub fn reserve(flags: &rs_flags) -> Result<SideTable, rs_status> {
        let table = SideTable::describe(flags);
        // SAFETY: a new anonymous mapping touches nothing that exists.
        let base = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                table.bytes(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | NO_RESERVE,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(RS_ERR_UNSUPPORTED);
        }
        // Touched sparsely: a huge page for each byte would waste 2 MiB a touch. Only advice.
        // SAFETY: the mapping was just made.
        #[cfg(target_os = "linux")]
        unsafe {
            libc::madvise(base, table.bytes(), libc::MADV_NOHUGEPAGE)
        };
        Ok(table.based(base as usize))
    }

    /// The table that was reserved for `flags` at `base`.
    pub fn at(base: usize, flags: &rs_flags) -> SideTable {
        SideTable::describe(flags).based(base)
    }

    fn based(self, base: usize) -> SideTable {
        SideTable {
            biased_base: base.wrapping_sub(self.start >> self.granule),
            ..self
        }
    }

    fn describe(flags: &rs_flags) -> SideTable {
        let granule = match flags.granule {
            0 => DEFAULT_GRANULE,
            granule => u32::from(granule),
        };
        let (start, size) = match (flags.heap_start, flags.heap_size) {
            (0, 0) => (0, USER_ADDRESSES),
            range => range,
        };
        SideTable {
            biased_base: 0,
            start,
            size,
            granule,
        }
    }

    /// Gives the address space back.
    ///
    /// # Safety
    /// No copy of this table is used afterwards.
    pub unsafe fn release(self) {
        // SAFETY: the mapping is the one that `reserve` made.
        unsafe { libc::munmap(self.base() as *mut libc::c_void, self.bytes()) };
    }

    /// A byte for each granule, also for those that the range begins and ends in the middle of.
    fn bytes(&self) -> usize {
        (self.size >> self.granule) + 2
    }

    /// Where the table begins.
    pub fn base(&self) -> usize {
        self.biased_base.wrapping_add(self.start >> self.granule)
    }

    /// `byte of address a = biased_base[a >> granule]`.
    pub fn biased_base(&self) -> *mut u8 {
        self.biased_base as *mut u8
    }

    /// log2 of the granule.
    pub fn granule(&self) -> u32 {
        self.granule
    }

    /// The lowest address that has a byte.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Bytes of address space that have bytes here.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Brings the byte of an address nearer, wherever the address is.
    #[inline(always)]
    pub fn prefetch(&self, address: usize) {
        super::prefetch::prefetch(self.biased_base.wrapping_add(address >> self.granule));
    }

    /// The byte of an address; none outside of the range.
    #[inline(always)]
    pub fn cell(&self, address: usize) -> Option<&AtomicU8> {
        if address.wrapping_sub(self.start) >= self.size {
            return None;
        }
        let place = self.biased_base.wrapping_add(address >> self.granule);
        // SAFETY: the address lies in the range, so its byte lies in the mapping, which lives as
        // long as the vm; bytes are only accessed atomically.
        Some(unsafe { &*(place as *const AtomicU8) })
    }
}
