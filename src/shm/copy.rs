//! Copies between private memory and memory that a peer may write at any moment.
//!
//! There is never a `&[u8]` or `&mut [u8]` to such memory: the compiler may read through a reference twice, or
//! assume that two reads agree, and a peer could then change what has just been checked. Every access is an
//! atomic one, a word at a time and bytes at the ends, so whatever the peer does meanwhile, the
//! copy holds some bytes, and nothing else depends on them.

use crate::sync::{AtomicU8, AtomicU64, Ordering};
use core::mem::MaybeUninit;

const WORD: usize = size_of::<u64>();

/// Copies private bytes to shared memory.
///
/// # Safety
/// `to` and as many bytes as there are in `from` lie in one mapping, which is only accessed atomically.
#[inline]
pub unsafe fn copy_in(from: &[u8], to: *mut u8) {
    let head = to.align_offset(WORD).min(from.len());
    let (head, rest) = from.split_at(head);
    let (words, tail) = rest.as_chunks::<WORD>();
    // SAFETY: all three parts lie in the mapping, one behind the other, and the words are aligned.
    unsafe {
        store_bytes(head, to);
        let to = to.add(head.len());
        for (index, word) in words.iter().enumerate() {
            let place = &*to.cast::<AtomicU64>().add(index);
            place.store(u64::from_ne_bytes(*word), Ordering::Relaxed);
        }
        store_bytes(tail, to.add(words.len() * WORD));
    }
}

/// Copies shared bytes to private memory; all of `to` is filled.
///
/// # Safety
/// `from` and as many bytes as there are in `to` lie in one mapping, which is only accessed atomically.
#[inline]
pub unsafe fn copy_out(from: *const u8, to: &mut [MaybeUninit<u8>]) {
    let head = from.align_offset(WORD).min(to.len());
    let (head, rest) = to.split_at_mut(head);
    let (words, tail) = rest.as_chunks_mut::<WORD>();
    // SAFETY: all three parts lie in the mapping, one behind the other, and the words are aligned.
    unsafe {
        load_bytes(from, head);
        let from = from.add(head.len());
        for (index, word) in words.iter_mut().enumerate() {
            let place = &*from.cast::<AtomicU64>().add(index);
            let loaded = place.load(Ordering::Relaxed);
            word.as_mut_ptr().cast::<u64>().write_unaligned(loaded);
        }
        load_bytes(from.add(words.len() * WORD), tail);
    }
}

/// # Safety
/// As for [`copy_in`].
unsafe fn store_bytes(from: &[u8], to: *mut u8) {
    for (index, byte) in from.iter().enumerate() {
        // SAFETY: the caller's.
        let place = unsafe { &*to.add(index).cast::<AtomicU8>() };
        place.store(*byte, Ordering::Relaxed);
    }
}

/// # Safety
/// As for [`copy_out`].
unsafe fn load_bytes(from: *const u8, to: &mut [MaybeUninit<u8>]) {
    for (index, byte) in to.iter_mut().enumerate() {
        // SAFETY: the caller's.
        let place = unsafe { &*from.add(index).cast::<AtomicU8>() };
        byte.write(place.load(Ordering::Relaxed));
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Memory as a segment has it: words.
    fn shared() -> [AtomicU64; 8] {
        core::array::from_fn(|_| AtomicU64::new(u64::from_ne_bytes([b'.'; WORD])))
    }

    #[test]
    fn every_place_and_length_is_copied_and_nothing_beside_it() {
        let text: Vec<u8> = (0..64).collect();
        for at in 0..32 {
            for length in 0..32 {
                let memory = shared();
                let start = memory.as_ptr().cast_mut().cast::<u8>();
                let mut copy = [MaybeUninit::new(b'-'); 64];
                let mut whole = [MaybeUninit::new(0); 64];
                // SAFETY: place and length lie in the array.
                unsafe {
                    copy_in(&text[..length], start.add(at));
                    copy_out(start.add(at), &mut copy[..length]);
                    copy_out(start, &mut whole);
                }
                // SAFETY: both were initialised.
                let [copy, whole] =
                    [copy, whole].map(|bytes| bytes.map(|byte| unsafe { byte.assume_init() }));
                assert_eq!(copy[..length], text[..length]);
                assert!(copy[length..].iter().all(|byte| *byte == b'-'));
                assert_eq!(whole[at..at + length], text[..length]);
                assert!(whole[..at].iter().all(|byte| *byte == b'.'));
                assert!(whole[at + length..].iter().all(|byte| *byte == b'.'));
            }
        }
    }
}
