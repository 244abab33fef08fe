//! The host's allocator, as the library's collections see it. Allocation never aborts: everything
//! that grows does so through `try_reserve`, and a failure is `RS_ERR_MEMORY`.

use super::contract::{rs_allocate_fn, rs_release_fn, rs_value};
use crate::status::{RS_ERR_MEMORY, rs_status};
use allocator_api2::alloc::{AllocError, Allocator};
use core::alloc::Layout;
use core::ffi::c_void;
use core::ptr::NonNull;

/// Alignment that `allocate` promises, and malloc too.
const ALIGNMENT: usize = 16;

/// Bytes of a huge page of most machines.
#[cfg(target_os = "linux")]
const HUGE_PAGE: usize = 2 << 20;
/// Bytes of a page, on some machines: where pages are larger, the kernel takes no such advice.
#[cfg(target_os = "linux")]
const PAGE: usize = 4096;

/// Where the library's memory comes from: the host's callbacks, or malloc.
#[derive(Clone, Copy)]
pub struct HostAllocator {
    ctx: *mut c_void,
    allocate: rs_allocate_fn,
    release: rs_release_fn,
}

// SAFETY: the contract lets the callbacks be called from any thread.
unsafe impl Send for HostAllocator {}
// SAFETY: as above.
unsafe impl Sync for HostAllocator {}

impl HostAllocator {
    /// The allocator of a host that set both callbacks or none.
    pub fn new(ctx: *mut c_void, allocate: rs_allocate_fn, release: rs_release_fn) -> Self {
        HostAllocator {
            ctx,
            allocate,
            release,
        }
    }

    /// The C library's.
    pub fn malloc() -> Self {
        HostAllocator::new(core::ptr::null_mut(), None, None)
    }
}

// SAFETY: memory comes from the host or malloc, stays valid until released, and any copy of the
// allocator can release it, since all copies hold the same callbacks.
unsafe impl Allocator for HostAllocator {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if layout.align() > ALIGNMENT {
            return Err(AllocError);
        }
        if layout.size() == 0 {
            let dangling = NonNull::new(core::ptr::without_provenance_mut(ALIGNMENT));
            return dangling
                .map(|start| NonNull::slice_from_raw_parts(start, 0))
                .ok_or(AllocError);
        }
        // SAFETY: the callback is the host's, with its own ctx; malloc takes any size.
        let memory = unsafe {
            match self.allocate {
                Some(allocate) => allocate(self.ctx, layout.size()),
                None => widened(libc::malloc(layout.size()), layout.size()),
            }
        };
        NonNull::new(memory.cast::<u8>())
            .map(|start| NonNull::slice_from_raw_parts(start, layout.size()))
            .ok_or(AllocError)
    }

    unsafe fn grow(
        &self,
        start: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        if self.allocate.is_none() && old.size() != 0 && new.align() <= ALIGNMENT {
            // SAFETY: malloc's memory, as the caller promises.
            let memory =
                unsafe { widened(libc::realloc(start.as_ptr().cast(), new.size()), new.size()) };
            return NonNull::new(memory.cast::<u8>())
                .map(|start| NonNull::slice_from_raw_parts(start, new.size()))
                .ok_or(AllocError);
        }
        let memory = self.allocate(new)?;
        // SAFETY: both have as many bytes, and are not the same.
        unsafe {
            core::ptr::copy_nonoverlapping(start.as_ptr(), memory.cast().as_ptr(), old.size());
            self.deallocate(start, old);
        }
        Ok(memory)
    }

    unsafe fn deallocate(&self, start: NonNull<u8>, layout: Layout) {
        if layout.size() == 0 {
            return;
        }
        // SAFETY: `start` came from `allocate` with this layout.
        unsafe {
            match self.release {
                Some(release) => release(self.ctx, start.as_ptr().cast(), layout.size()),
                None => libc::free(start.as_ptr().cast()),
            }
        }
    }
}

/// Memory of malloc's; much of it in huge pages, if the system has any to give. The library fills large pieces from
/// front to back, so nothing is wasted; and first touching a page costs more than filling it.
#[cfg(target_os = "linux")]
unsafe fn widened(memory: *mut c_void, size: usize) -> *mut c_void {
    if size >= 2 * HUGE_PAGE && !memory.is_null() {
        // All of its mapping: a part that differs would keep the kernel from moving it when it grows.
        let before = memory.addr() % PAGE;
        let length = (before + size).next_multiple_of(PAGE);
        // SAFETY: advice; nothing changes that can be seen, whatever else lies in the first and the last page.
        unsafe { libc::madvise(memory.byte_sub(before), length, libc::MADV_HUGEPAGE) };
    }
    memory
}

#[cfg(not(target_os = "linux"))]
unsafe fn widened(memory: *mut c_void, _size: usize) -> *mut c_void {
    memory
}

/// A vector in the host's memory.
pub type Vec<T> = allocator_api2::vec::Vec<T, HostAllocator>;
/// A box in the host's memory.
pub type Box<T> = allocator_api2::boxed::Box<T, HostAllocator>;
/// A hash map in the host's memory.
pub type Map<K, V> = hashbrown::HashMap<K, V, AddressHasher, HostAllocator>;

/// Appends, or reports that memory ran out.
pub fn push<T>(vector: &mut Vec<T>, value: T) -> Result<(), rs_status> {
    reserve(vector, 1)?;
    vector.push(value);
    Ok(())
}

/// Appends all of a slice at once, or reports that memory ran out. (The vector's own way goes element by
/// element.)
#[inline]
pub fn append<T: Copy>(vector: &mut Vec<T>, values: &[T]) -> Result<(), rs_status> {
    reserve(vector, values.len())?;
    let length = vector.len();
    // SAFETY: there is room for as many behind the old ones, which nobody refers to; they are plain values.
    unsafe {
        let end = vector.as_mut_ptr().add(length);
        core::ptr::copy_nonoverlapping(values.as_ptr(), end, values.len());
        vector.set_len(length + values.len());
    }
    Ok(())
}

/// Makes room for so many more.
#[inline]
fn reserve<T>(vector: &mut Vec<T>, count: usize) -> Result<(), rs_status> {
    #[cold]
    fn grow<T>(vector: &mut Vec<T>, count: usize) -> Result<(), rs_status> {
        vector.try_reserve(count).map_err(|_| RS_ERR_MEMORY)
    }
    match vector.capacity() - vector.len() < count {
        true => grow(vector, count),
        false => Ok(()),
    }
}

/// Appends values of the host, a word each.
#[inline]
pub fn append_values(words: &mut Vec<u64>, values: &[rs_value]) -> Result<(), rs_status> {
    reserve(words, values.len())?;
    let length = words.len();
    let places = words.spare_capacity_mut();
    for (place, &value) in places.iter_mut().zip(values) {
        place.write(value as u64);
    }
    // SAFETY: there was room for all of them, so all were written.
    unsafe { words.set_len(length + values.len()) };
    Ok(())
}

/// Appends bytes, filled up to whole words.
#[inline]
pub fn append_padded(words: &mut Vec<u64>, bytes: &[u8]) -> Result<(), rs_status> {
    let count = bytes.len().div_ceil(size_of::<u64>());
    reserve(words, count)?;
    let before = words.len();
    let places = &mut words.spare_capacity_mut()[..count];
    if let Some(last) = places.last_mut() {
        last.write(0);
    }
    // SAFETY: there is room for so many words behind the others; all bytes of them are written, those of the last
    // one by the word before, if not by a byte.
    unsafe {
        let place = places.as_mut_ptr().cast::<u8>();
        core::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len());
        words.set_len(before + count);
    }
    Ok(())
}

/// A copy of a slice, in no more memory than it needs.
pub fn copied<T: Copy>(values: &[T], allocator: HostAllocator) -> Result<Vec<T>, rs_status> {
    let mut copy = Vec::new_in(allocator);
    copy.try_reserve_exact(values.len())
        .map_err(|_| RS_ERR_MEMORY)?;
    append(&mut copy, values)?;
    Ok(copy)
}

/// The bytes of some words.
pub fn bytes_of(words: &[u64]) -> &[u8] {
    // SAFETY: words are bytes, and need more alignment than they.
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

/// The words that some bytes are; none if they are not whole and aligned.
pub fn words_of(bytes: &[u8]) -> Option<&[u64]> {
    if bytes.is_empty() {
        return Some(&[]);
    }
    // SAFETY: all bits of a word may be anything.
    let (before, words, after) = unsafe { bytes.align_to() };
    (before.is_empty() && after.is_empty()).then_some(words)
}

/// Boxes, or reports that memory ran out.
pub fn boxed<T>(value: T, allocator: HostAllocator) -> Result<Box<T>, rs_status> {
    Box::try_new_in(value, allocator).map_err(|_| RS_ERR_MEMORY)
}

/// Inserts, or reports that memory ran out; returns what stood there.
pub fn insert<K: Eq + core::hash::Hash, V>(
    map: &mut Map<K, V>,
    key: K,
    value: V,
) -> Result<Option<V>, rs_status> {
    map.try_reserve(1).map_err(|_| RS_ERR_MEMORY)?;
    Ok(map.insert(key, value))
}

/// Hashes addresses: their low bits are alike, so one multiplication spreads them over the high
/// bits, which the table uses (Knuth, The Art of Computer Programming 3, 6.4, multiplicative
/// hashing by the golden ratio), folded down for the bucket index.
#[derive(Clone, Copy, Default)]
pub struct AddressHasher;

impl core::hash::BuildHasher for AddressHasher {
    type Hasher = AddressHash;

    fn build_hasher(&self) -> AddressHash {
        AddressHash(0)
    }
}

/// The state of [`AddressHasher`].
pub struct AddressHash(u64);

impl core::hash::Hasher for AddressHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        let spread = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ (spread >> 32);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}
