//! A ring of frames with one writer and one reader.
//!
//! A frame is a header of one word and a payload, padded to words:
//!
//! | bits of the header | what |
//! |---|---|
//! | 0 to 29 | length of the payload in bytes |
//! | 30, 31 | [`Part`]: what the frame is of a message |
//! | 32 to 63 | kind: whatever writer and reader agree on |
//!
//! Positions count bytes since the beginning and never wrap (2^64 bytes take centuries); a position modulo the
//! capacity is a place. `consumed ≤ published ≤ consumed + capacity` holds always, and each side keeps its own
//! cursor, and what it has last seen of the other's, where the other can't write: the words in shared
//! memory only tell. A word of the peer's that goes back, or past what can be, ends the link.
//!
//! The writer looks at the reader's word only when there is no room as far as it knows. The reader tells
//! what it has consumed in steps of a quarter of the ring, so that the line of that word rarely moves
//! between processors. Frames take half of the ring at most: a reader that has read everything has
//! told all but a quarter, so a writer never waits for what a reader keeps to itself.

use crate::status::{RS_ERR_PEER, rs_status};
use crate::sync::Cell;
use core::mem::MaybeUninit;

/// Bytes of a header; all positions of headers are multiples of it.
pub const HEADER: usize = size_of::<u64>();

const LENGTH_BITS: u32 = 30;
const KIND_SHIFT: u32 = 32;

/// The memory of a ring, as both sides see it. A peer may write it at any moment.
pub trait Memory {
    /// Bytes for frames: a power of two.
    fn capacity(&self) -> usize;
    /// How many bytes were ever published: the writer's word.
    fn published(&self) -> &Cell;
    /// How many bytes were ever consumed: the reader's word.
    fn consumed(&self) -> &Cell;
    /// Writes bytes from place `at` on; all of them lie before the end of the ring.
    fn write(&self, at: usize, bytes: &[u8]);
    /// Reads bytes from place `at` on; all of them lie before the end of the ring.
    fn read(&self, at: usize, bytes: &mut [MaybeUninit<u8>]);
    /// Writes the header at place `at`.
    fn write_word(&self, at: usize, word: u64);
    /// Reads the header at place `at`.
    fn read_word(&self, at: usize) -> u64;
    /// Brings place `at` nearer.
    fn prefetch(&self, at: usize);
}

/// What a frame is of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole = 0,
    /// The announcement of a long one; the payload is its length.
    Opening = 1,
    /// A piece of the long one that was announced.
    Piece = 2,
    /// The long one that was announced is given up.
    Abandoned = 3,
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the frame is of a message.
    pub part: Part,
    /// Bytes of its payload.
    pub length: usize,
    /// Whatever writer and reader agree on.
    pub kind: u32,
}

impl Header {
    #[inline]
    fn word(self) -> u64 {
        let part = (self.part as u64) << LENGTH_BITS;
        u64::from(self.kind) << KIND_SHIFT | part | self.length as u64
    }

    /// Every word is some header.
    #[inline]
    fn of_word(word: u64) -> Header {
        let part = match word >> LENGTH_BITS & 3 {
            0 => Part::Whole,
            1 => Part::Opening,
            2 => Part::Piece,
            _ => Part::Abandoned,
        };
        Header {
            part,
            length: (word & ((1 << LENGTH_BITS) - 1)) as usize,
            kind: (word >> KIND_SHIFT) as u32,
        }
    }
}

/// The longest payload of a frame in a ring of this capacity.
pub fn longest_payload(capacity: usize) -> usize {
    capacity / 2 - HEADER
}

#[inline]
fn padded(length: usize) -> usize {
    length.next_multiple_of(HEADER)
}

#[inline]
fn place(memory: &impl Memory, position: u64) -> usize {
    position as usize & (memory.capacity() - 1)
}

/// The writer's private side of a ring.
#[derive(Default)]
pub struct Writer {
    /// Up to where frames are written.
    written: u64,
    /// Up to where the reader has been told.
    published: u64,
    /// Up to where the reader has consumed, when last looked at.
    consumed: u64,
    /// There was no room for a frame when last asked.
    is_blocked: bool,
}

impl Writer {
    /// Appends a frame whose payload is `parts`, one behind the other; `false` if there is no room for it now.
    /// The reader sees it after `publish`. The payload is at most [`longest_payload`].
    #[inline]
    pub fn try_push(
        &mut self,
        memory: &impl Memory,
        part: Part,
        kind: u32,
        parts: &[&[u8]],
    ) -> Result<bool, rs_status> {
        let length = parts.iter().map(|bytes| bytes.len()).sum();
        assert!(length <= longest_payload(memory.capacity()));
        if !self.has_room(memory, length)? {
            return Ok(false);
        }
        let header = Header { part, length, kind };
        memory.write_word(place(memory, self.written), header.word());
        let mut position = self.written + HEADER as u64;
        for bytes in parts {
            write_around(memory, position, bytes);
            position += bytes.len() as u64;
        }
        self.written += (HEADER + padded(length)) as u64;
        Ok(true)
    }

    /// Whether there is room now for a frame with a payload of this length.
    #[inline]
    pub fn has_room(&mut self, memory: &impl Memory, length: usize) -> Result<bool, rs_status> {
        let needed = HEADER + padded(length);
        self.is_blocked = self.room(memory) < needed && self.told_room(memory)? < needed;
        Ok(!self.is_blocked)
    }

    /// The room that there is, as the reader's word says now.
    fn told_room(&mut self, memory: &impl Memory) -> Result<usize, rs_status> {
        let consumed = memory.consumed().load();
        if consumed < self.consumed || consumed > self.published {
            return Err(RS_ERR_PEER);
        }
        self.consumed = consumed;
        Ok(self.room(memory))
    }

    #[inline]
    fn room(&self, memory: &impl Memory) -> usize {
        memory.capacity() - (self.written - self.consumed) as usize
    }

    /// Whether the reader has consumed something since there was no room.
    pub fn has_news(&self, memory: &impl Memory) -> bool {
        self.is_blocked && memory.consumed().load() != self.consumed
    }

    /// Shows the reader everything that was pushed; `false` if it knew it all.
    #[inline]
    pub fn publish(&mut self, memory: &impl Memory) -> bool {
        if self.published == self.written {
            return false;
        }
        self.published = self.written;
        memory.published().store(self.published);
        true
    }
}

/// Writes bytes that may go around the end of the ring.
#[inline]
fn write_around(memory: &impl Memory, position: u64, bytes: &[u8]) {
    let at = place(memory, position);
    let before_end = bytes.len().min(memory.capacity() - at);
    let (first, second) = bytes.split_at(before_end);
    memory.write(at, first);
    if !second.is_empty() {
        memory.write(0, second);
    }
}

/// The reader's private side of a ring.
#[derive(Default)]
pub struct Reader {
    /// Up to where there are frames, when last looked at.
    published: u64,
    /// Up to where they are read.
    position: u64,
    /// Up to where the writer has been told.
    consumed: u64,
    /// Bytes of the payload at `position` that are not read.
    left: usize,
}

impl Reader {
    /// The header of the next frame, if there is one. The payload is to be read before the next call.
    #[inline]
    pub fn try_next(&mut self, memory: &impl Memory) -> Result<Option<Header>, rs_status> {
        debug_assert_eq!(self.left, 0);
        if !self.has_more(memory)? {
            return Ok(None);
        }
        let header = Header::of_word(memory.read_word(place(memory, self.position)));
        let frame = (HEADER + padded(header.length)) as u64;
        if header.length > longest_payload(memory.capacity())
            || frame > self.published - self.position
        {
            return Err(RS_ERR_PEER);
        }
        self.position += HEADER as u64;
        self.left = header.length;
        Ok(Some(header))
    }

    #[inline]
    fn has_more(&mut self, memory: &impl Memory) -> Result<bool, rs_status> {
        if self.published > self.position {
            return Ok(true);
        }
        let published = memory.published().load();
        // The writer may fill what it has been told is free, and moves in words.
        let last = self.consumed + memory.capacity() as u64;
        if published < self.published
            || published > last
            || !published.is_multiple_of(HEADER as u64)
        {
            return Err(RS_ERR_PEER);
        }
        self.published = published;
        Ok(published > self.position)
    }

    /// Bytes of the payload that are left to read.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Copies the next bytes of the payload; returns how many: all of `into`, or all that are left.
    #[inline]
    pub fn read(&mut self, memory: &impl Memory, into: &mut [MaybeUninit<u8>]) -> usize {
        let count = self.left.min(into.len());
        read_around(memory, self.position, &mut into[..count]);
        self.pass(count);
        count
    }

    /// Reads the payload, if it is one word, of which nothing was read before.
    pub fn read_word(&mut self, memory: &impl Memory) -> Option<u64> {
        if self.left != HEADER || !self.position.is_multiple_of(HEADER as u64) {
            return None;
        }
        let word = memory.read_word(place(memory, self.position));
        self.pass(HEADER);
        Some(word)
    }

    /// Passes over the rest of the payload.
    pub fn skip(&mut self) {
        self.pass(self.left);
    }

    #[inline]
    fn pass(&mut self, count: usize) {
        self.left -= count;
        self.position += count as u64;
        if self.left == 0 {
            self.position = self.position.next_multiple_of(HEADER as u64);
        }
    }

    /// Tells the writer what was consumed, if that is worth it; returns whether it did.
    #[inline]
    pub fn release(&mut self, memory: &impl Memory) -> bool {
        if ((self.position - self.consumed) as usize) < memory.capacity() / 4 {
            return false;
        }
        self.consumed = self.position;
        memory.consumed().store(self.consumed);
        true
    }

    /// Whether something is published that is not read.
    pub fn has_news(&self, memory: &impl Memory) -> bool {
        self.left > 0 || memory.published().load() != self.position
    }

    /// Brings the next frame nearer, while its writer is being waited for.
    #[inline(always)]
    pub fn prefetch(&self, memory: &impl Memory) {
        memory.prefetch(place(memory, self.position));
    }
}

/// Reads bytes that may go around the end of the ring.
#[inline]
fn read_around(memory: &impl Memory, position: u64, bytes: &mut [MaybeUninit<u8>]) {
    let at = place(memory, position);
    let before_end = bytes.len().min(memory.capacity() - at);
    let (first, second) = bytes.split_at_mut(before_end);
    memory.read(at, first);
    if !second.is_empty() {
        memory.read(0, second);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::shm::segment::{End, Ring, Segment};

    const CAPACITY: usize = 4096;

    fn read(reader: &mut Reader, memory: &Ring) -> Option<(Header, Vec<u8>)> {
        let header = reader.try_next(memory).unwrap()?;
        let mut payload = vec![MaybeUninit::new(0); header.length];
        assert_eq!(reader.read(memory, &mut payload), header.length);
        let payload = payload.iter().map(|byte| {
            // SAFETY: all of it was initialised.
            unsafe { byte.assume_init() }
        });
        Some((header, payload.collect()))
    }

    #[test]
    fn every_header_comes_back_as_it_was() {
        for part in [Part::Whole, Part::Opening, Part::Piece, Part::Abandoned] {
            for (length, kind) in [(0, 0), (1, 7), ((1 << 30) - 1, u32::MAX)] {
                let header = Header { part, length, kind };
                assert_eq!(Header::of_word(header.word()), header);
            }
        }
    }

    #[test]
    fn frames_of_all_lengths_go_around_the_end() {
        let (segment, _file) = Segment::new(CAPACITY).unwrap();
        let memory = segment.ring(End::Maker);
        let (mut writer, mut reader) = (Writer::default(), Reader::default());
        for length in (0..longest_payload(CAPACITY)).chain([longest_payload(CAPACITY)]) {
            let payload: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let kind = length as u32;
            let pushed = writer.try_push(&memory, Part::Piece, kind, &[&payload]);
            assert_eq!(pushed, Ok(true));
            assert!(writer.publish(&memory));
            let part = Part::Piece;
            let header = Header { part, length, kind };
            assert_eq!(read(&mut reader, &memory), Some((header, payload)));
            reader.release(&memory);
        }
    }

    #[test]
    fn nothing_is_seen_before_it_is_published() {
        let (segment, _file) = Segment::new(CAPACITY).unwrap();
        let memory = segment.ring(End::Maker);
        let (mut writer, mut reader) = (Writer::default(), Reader::default());
        assert!(!writer.publish(&memory));
        writer.try_push(&memory, Part::Whole, 1, &[b"a"]).unwrap();
        writer.try_push(&memory, Part::Whole, 2, &[b"b"]).unwrap();
        assert_eq!(read(&mut reader, &memory), None);
        assert!(!reader.has_news(&memory));
        assert!(writer.publish(&memory));
        assert!(reader.has_news(&memory));
        assert_eq!(read(&mut reader, &memory).unwrap().1, b"a");
        assert_eq!(read(&mut reader, &memory).unwrap().1, b"b");
        assert_eq!(read(&mut reader, &memory), None);
    }

    #[test]
    fn room_is_told_in_quarters_and_a_writer_never_needs_the_rest() {
        let (segment, _file) = Segment::new(CAPACITY).unwrap();
        let memory = segment.ring(End::Maker);
        let (mut writer, mut reader) = (Writer::default(), Reader::default());
        // 16 frames of a sixteenth.
        let payload = [0; CAPACITY / 16 - HEADER];
        let push = |writer: &mut Writer| writer.try_push(&memory, Part::Whole, 0, &[&payload]);
        for _ in 0..16 {
            assert_eq!(push(&mut writer), Ok(true));
        }
        assert_eq!(push(&mut writer), Ok(false));
        writer.publish(&memory);
        let told = (0..15).map(|_| {
            read(&mut reader, &memory);
            reader.release(&memory)
        });
        let told: Vec<bool> = told.collect();
        let quarters: Vec<bool> = (1..16).map(|frame| frame % 4 == 0).collect();
        assert_eq!(told, quarters);
        assert!(writer.has_news(&memory));
        // Three quarters are free, and known to be.
        let half = [0; CAPACITY / 2 - HEADER];
        let pushed = writer.try_push(&memory, Part::Whole, 0, &[&half]);
        assert_eq!(pushed, Ok(true));
        assert!(!writer.has_news(&memory));
    }

    #[test]
    fn a_payload_can_be_read_in_parts_and_passed_over() {
        let (segment, _file) = Segment::new(CAPACITY).unwrap();
        let memory = segment.ring(End::Joiner);
        let (mut writer, mut reader) = (Writer::default(), Reader::default());
        for _ in 0..2 {
            let parts: [&[u8]; 3] = [b"some", b"", b"thing"];
            writer.try_push(&memory, Part::Whole, 0, &parts).unwrap();
        }
        writer.publish(&memory);
        reader.try_next(&memory).unwrap();
        let mut part = [MaybeUninit::new(0); 4];
        assert_eq!(reader.read(&memory, &mut part), 4);
        assert_eq!(reader.left(), 5);
        reader.skip();
        assert_eq!(read(&mut reader, &memory).unwrap().1, b"something");
    }
}
