//! Ring segments: the memory that the two ends of a channel share. The layout is in the part's own prose.

use super::copy::{copy_in, copy_out};
use super::memfd::{self, FIXED, Mapping};
use super::ring::Memory;
use crate::host::prefetch::prefetch;
use crate::status::{RS_ERR_ARGUMENT, RS_ERR_PEER, rs_status};
use crate::sync::{AtomicU64, Cell, Ordering};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use std::os::fd::{AsFd, OwnedFd};

/// Bytes before the first ring.
pub const HEADER: usize = 4096;
/// Bytes from the words of one end to those of the other.
pub const WORDS: usize = 512;
/// Where, among an end's words, stands how many bytes it has ever written.
pub const PUBLISHED: usize = 0;
/// Where stands how many bytes it has ever taken from the other's ring.
pub const CONSUMED: usize = 128;
/// Where stands whether it sleeps.
pub const SLEEPING: usize = 256;

/// Bytes of a small request or answer with its header: all of it is worth having near when it is told.
const SMALL_FRAME: usize = 48;

/// The smallest ring.
pub const LEAST_RING: usize = 4096;
/// The largest ring.
pub const LARGEST_RING: usize = 1 << 30;

/// The two ends of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Who made the segment.
    Maker = 0,
    /// Who was given it.
    Joiner = 1,
}

impl End {
    /// The one at the other side.
    pub fn other(self) -> End {
        match self {
            End::Maker => End::Joiner,
            End::Joiner => End::Maker,
        }
    }
}

/// A segment, mapped.
pub struct Segment {
    mapping: Mapping,
    ring_bytes: usize,
}

impl Segment {
    /// Makes a segment with two rings of so many bytes, and the descriptor for the other end.
    /// `RS_ERR_ARGUMENT` if that is no power of two from [`LEAST_RING`] to [`LARGEST_RING`];
    /// `RS_ERR_MEMORY` if the machine has no room.
    pub fn new(ring_bytes: usize) -> Result<(Segment, OwnedFd), rs_status> {
        if !is_ring(ring_bytes) {
            return Err(RS_ERR_ARGUMENT);
        }
        let size = HEADER + 2 * ring_bytes;
        let file = memfd::create(size)?;
        memfd::seal(file.as_fd(), FIXED)?;
        let mapping = Mapping::shared(&file, size)?;
        let segment = Segment {
            mapping,
            ring_bytes,
        };
        Ok((segment, file))
    }

    /// Maps the segment that a peer has made. `RS_ERR_PEER` if it is none. The size, which the kernel tells
    /// and nobody can change, says where everything lies; nothing written inside is asked.
    pub fn adopt(file: &OwnedFd) -> Result<Segment, rs_status> {
        let size = memfd::verify(file.as_fd(), FIXED)?;
        let ring_bytes = size.saturating_sub(HEADER) / 2;
        if !is_ring(ring_bytes) || size != HEADER + 2 * ring_bytes {
            return Err(RS_ERR_PEER);
        }
        let mapping = Mapping::shared(file, size)?;
        Ok(Segment {
            mapping,
            ring_bytes,
        })
    }

    /// Bytes of each ring.
    pub fn ring_bytes(&self) -> usize {
        self.ring_bytes
    }

    /// The ring that an end writes.
    #[inline(always)]
    pub fn ring(&self, writer: End) -> Ring<'_> {
        let frames = HEADER + writer as usize * self.ring_bytes;
        // SAFETY: both rings lie in the mapping, whose size `new` and `adopt` have computed from theirs.
        let frames = unsafe { self.mapping.start().add(frames) };
        Ring {
            published: self.word(writer, PUBLISHED),
            consumed: self.word(writer.other(), CONSUMED),
            frames,
            capacity: self.ring_bytes,
        }
    }

    /// Whether an end sleeps, as `doorbell` writes it.
    #[inline(always)]
    pub fn sleeping(&self, end: End) -> &Cell {
        self.word(end, SLEEPING)
    }

    #[inline(always)]
    fn word(&self, end: End, offset: usize) -> &Cell {
        // SAFETY: the words of both ends lie in the header, aligned, and are only accessed atomically.
        unsafe {
            let place = self.mapping.start().add(end as usize * WORDS + offset);
            place.cast::<Cell>().as_ref()
        }
    }
}

fn is_ring(bytes: usize) -> bool {
    bytes.is_power_of_two() && (LEAST_RING..=LARGEST_RING).contains(&bytes)
}

/// One direction of a segment.
#[derive(Clone, Copy)]
pub struct Ring<'a> {
    published: &'a Cell,
    consumed: &'a Cell,
    frames: NonNull<u8>,
    capacity: usize,
}

impl Ring<'_> {
    /// Where `length` bytes lie that begin at `at`.
    #[inline(always)]
    fn place(&self, at: usize, length: usize) -> *mut u8 {
        assert!(at <= self.capacity && length <= self.capacity - at);
        // SAFETY: `at` lies in the ring, or at its end, as just tested.
        unsafe { self.frames.as_ptr().add(at) }
    }

    #[inline(always)]
    fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at.is_multiple_of(size_of::<u64>()));
        // SAFETY: the word lies in the ring, which begins at a page boundary, and is aligned.
        unsafe { &*self.place(at, size_of::<u64>()).cast::<AtomicU64>() }
    }
}

impl Memory for Ring<'_> {
    #[inline(always)]
    fn capacity(&self) -> usize {
        self.capacity
    }

    #[inline(always)]
    fn published(&self) -> &Cell {
        self.published
    }

    #[inline(always)]
    fn consumed(&self) -> &Cell {
        self.consumed
    }

    #[inline(always)]
    fn write(&self, at: usize, bytes: &[u8]) {
        // SAFETY: the bytes lie in the ring, as `place` has tested.
        unsafe { copy_in(bytes, self.place(at, bytes.len())) };
    }

    #[inline(always)]
    fn read(&self, at: usize, bytes: &mut [MaybeUninit<u8>]) {
        // SAFETY: the bytes lie in the ring, as `place` has tested.
        unsafe { copy_out(self.place(at, bytes.len()), bytes) };
    }

    #[inline(always)]
    fn write_word(&self, at: usize, word: u64) {
        self.word(at).store(word, Ordering::Relaxed);
    }

    #[inline(always)]
    fn read_word(&self, at: usize) -> u64 {
        self.word(at).load(Ordering::Relaxed)
    }

    #[inline(always)]
    fn prefetch(&self, at: usize) {
        let place = self.place(at, 0) as usize;
        prefetch(place);
        prefetch(place + SMALL_FRAME - 1);
    }
}
