//! Messages of any length, out of frames.
//!
//! | message | frames |
//! |---|---|
//! | short | `Whole` |
//! | long | `Opening` with the length, then `Piece`s whose lengths add up to it |
//! | long, given up by its writer | `Opening`, some `Piece`s, `Abandoned` |
//!
//! So 64 MiB pass through a ring of 64 KiB, writer and reader working at once on pieces that stay in their
//! caches; and a writer whose deadline has passed in the middle leaves a ring that goes on
//! working. The length comes first, so that a reader can refuse it, or make room for all of it at once.
//! Nothing comes between the frames of a message: messages arrive in the order in which they were begun.

use super::ring::{Memory, Part, Reader, Writer, longest_payload};
use crate::status::{RS_ERR_ARGUMENT, RS_ERR_LIMIT, RS_ERR_PEER, RS_ERR_REENTRANT, rs_status};
use core::mem::MaybeUninit;

/// The longest piece: copied while it is in the cache, and published then.
const LONGEST_PIECE: usize = 1 << 16;

/// The longest message that is sent as a whole, and not in pieces, through a ring of this capacity.
pub fn longest_whole(capacity: usize) -> usize {
    longest_payload(capacity)
}

/// A quarter of the ring at most, so that the reader has something to do while the writer writes.
fn longest_piece(capacity: usize) -> usize {
    LONGEST_PIECE.min(longest_payload(capacity / 2))
}

/// What the writer knows about the messages in a ring.
#[derive(Default)]
pub struct Outgoing {
    writer: Writer,
    /// Bytes of the long message in the making that are not written.
    open: Option<u64>,
    /// The reader must be told that the long message before was given up.
    abandoned: bool,
}

impl Outgoing {
    /// Appends a message as a whole; `false` if there is no room for it now. The reader sees it after `publish`.
    ///
    /// `RS_ERR_LIMIT` if it is longer than [`longest_whole`]; `RS_ERR_REENTRANT` in the middle of a long message.
    #[inline]
    pub fn try_send(
        &mut self,
        memory: &impl Memory,
        kind: u32,
        parts: &[&[u8]],
    ) -> Result<bool, rs_status> {
        let length: usize = parts.iter().map(|bytes| bytes.len()).sum();
        if length > longest_whole(memory.capacity()) {
            return Err(RS_ERR_LIMIT);
        }
        Ok(self.is_ready(memory)? && self.writer.try_push(memory, Part::Whole, kind, parts)?)
    }

    /// Whether a message of this length could be appended as a whole now. Errors as `try_send`.
    pub fn try_reserve(&mut self, memory: &impl Memory, length: usize) -> Result<bool, rs_status> {
        if length > longest_whole(memory.capacity()) {
            return Err(RS_ERR_LIMIT);
        }
        Ok(self.is_ready(memory)? && self.writer.has_room(memory, length)?)
    }

    /// Begins a long message; `false` if there is no room now.
    pub fn try_open(
        &mut self,
        memory: &impl Memory,
        kind: u32,
        length: u64,
    ) -> Result<bool, rs_status> {
        let payload = length.to_ne_bytes();
        let opened = self.is_ready(memory)?
            && self
                .writer
                .try_push(memory, Part::Opening, kind, &[&payload])?;
        if opened && length > 0 {
            self.open = Some(length);
        }
        Ok(opened)
    }

    /// Appends the next piece of the long message, from the beginning of `bytes`, and publishes it; returns how many
    /// bytes it has: 0 if there is no room now. The message ends with its last byte.
    pub fn try_write(&mut self, memory: &impl Memory, bytes: &[u8]) -> Result<usize, rs_status> {
        let left = self.open.ok_or(RS_ERR_ARGUMENT)?;
        if bytes.len() as u64 > left {
            return Err(RS_ERR_ARGUMENT);
        }
        let piece = &bytes[..bytes.len().min(longest_piece(memory.capacity()))];
        if piece.is_empty() || !self.writer.try_push(memory, Part::Piece, 0, &[piece])? {
            return Ok(0);
        }
        self.writer.publish(memory);
        let left = left - piece.len() as u64;
        self.open = (left > 0).then_some(left);
        Ok(piece.len())
    }

    /// Gives the long message up, if there is one in the making; the reader is told before the next message.
    pub fn abandon(&mut self) {
        self.abandoned |= self.open.take().is_some();
    }

    /// Whether a message may begin now.
    #[inline]
    fn is_ready(&mut self, memory: &impl Memory) -> Result<bool, rs_status> {
        if self.open.is_some() {
            return Err(RS_ERR_REENTRANT);
        }
        if self.abandoned {
            let told = self.writer.try_push(memory, Part::Abandoned, 0, &[])?;
            self.abandoned = !told;
            return Ok(told);
        }
        Ok(true)
    }

    /// Whether there may be room now where there was none.
    pub fn has_news(&self, memory: &impl Memory) -> bool {
        self.writer.has_news(memory)
    }

    /// Shows the reader everything; `false` if it knew it all.
    #[inline]
    pub fn publish(&mut self, memory: &impl Memory) -> bool {
        self.writer.publish(memory)
    }
}

/// A message that has begun to arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Whatever writer and reader agree on.
    pub kind: u32,
    /// Its bytes; at most what the reader has set as limit.
    pub length: u64,
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes were copied; more of the message is to come.
    More(usize),
    /// So many bytes were copied, the last ones of the message.
    Done(usize),
    /// The writer has given the message up; what was read of it is worth nothing.
    Abandoned,
}

/// What the reader knows about the messages in a ring.
pub struct Incoming {
    reader: Reader,
    /// The message that is being read.
    current: Option<Announcement>,
    /// Bytes of it that are not read.
    left: u64,
    limit: u64,
}

impl Incoming {
    /// Messages of at most `limit` bytes; a longer one breaks the protocol.
    pub fn new(limit: u64) -> Incoming {
        Incoming {
            reader: Reader::default(),
            current: None,
            left: 0,
            limit,
        }
    }

    /// The message that is to be read now, if one has begun to arrive. Changes nothing by itself: the
    /// same answer until the message has been read.
    #[inline]
    pub fn try_begin(&mut self, memory: &impl Memory) -> Result<Option<Announcement>, rs_status> {
        if self.current.is_none()
            && let Some(header) = self.reader.try_next(memory)?
        {
            let length = match header.part {
                Part::Whole => header.length as u64,
                Part::Opening => self.reader.read_word(memory).ok_or(RS_ERR_PEER)?,
                Part::Piece | Part::Abandoned => return Err(RS_ERR_PEER),
            };
            if length > self.limit {
                return Err(RS_ERR_PEER);
            }
            let kind = header.kind;
            self.current = Some(Announcement { kind, length });
            self.left = length;
        }
        Ok(self.current)
    }

    /// Bytes of the message that are not read.
    #[inline]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Copies the next part of the message to the beginning of `into`, which gets as many bytes as the answer
    /// says: one piece at most, so that its room can be released before the next one. Only after
    /// `try_begin` has told of a message.
    #[inline]
    pub fn try_read(
        &mut self,
        memory: &impl Memory,
        into: &mut [MaybeUninit<u8>],
    ) -> Result<Progress, rs_status> {
        if self.current.is_none() {
            return Err(RS_ERR_ARGUMENT);
        }
        if self.left > 0 && self.reader.left() == 0 {
            match self.next_piece(memory)? {
                None => return Ok(Progress::More(0)),
                Some(Part::Abandoned) => {
                    self.current = None;
                    return Ok(Progress::Abandoned);
                }
                Some(_) => {}
            }
        }
        let read = self.reader.read(memory, into);
        Ok(self.pass(read))
    }

    /// As `try_read`, but copies nothing.
    pub fn try_skip(&mut self, memory: &impl Memory) -> Result<Progress, rs_status> {
        let progress = self.try_read(memory, &mut [])?;
        if progress != Progress::More(0) {
            return Ok(progress);
        }
        let skipped = self.reader.left();
        self.reader.skip();
        Ok(self.pass(skipped))
    }

    #[inline]
    fn pass(&mut self, count: usize) -> Progress {
        self.left -= count as u64;
        if self.left > 0 {
            return Progress::More(count);
        }
        self.current = None;
        Progress::Done(count)
    }

    fn next_piece(&mut self, memory: &impl Memory) -> Result<Option<Part>, rs_status> {
        let Some(header) = self.reader.try_next(memory)? else {
            return Ok(None);
        };
        let fits = match header.part {
            Part::Piece => header.length > 0 && header.length as u64 <= self.left,
            Part::Abandoned => header.length == 0,
            Part::Whole | Part::Opening => false,
        };
        fits.then_some(Some(header.part)).ok_or(RS_ERR_PEER)
    }

    /// Tells the writer what was consumed, if that is worth it; returns whether it did.
    #[inline]
    pub fn release(&mut self, memory: &impl Memory) -> bool {
        self.reader.release(memory)
    }

    /// Whether there is something to read, as far as the writer's word goes.
    pub fn has_news(&self, memory: &impl Memory) -> bool {
        self.reader.has_news(memory)
    }

    /// Brings the next frame nearer, while its writer is being waited for.
    #[inline(always)]
    pub fn prefetch(&self, memory: &impl Memory) {
        self.reader.prefetch(memory);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::shm::segment::{End, Segment};

    const RING: usize = 4096;
    const LIMIT: u64 = 100_000;

    /// What reading into so many bytes has come to.
    fn read(incoming: &mut Incoming, memory: &impl Memory, bytes: usize) -> Progress {
        let mut place = vec![MaybeUninit::new(0); bytes];
        incoming.try_read(memory, &mut place).unwrap()
    }

    #[test]
    fn a_long_message_comes_piece_by_piece() {
        let (segment, _file) = Segment::new(RING).unwrap();
        let memory = segment.ring(End::Maker);
        let (mut outgoing, mut incoming) = (Outgoing::default(), Incoming::new(LIMIT));
        let text = [7; 5000];
        assert_eq!(outgoing.try_open(&memory, 9, 5000), Ok(true));
        let piece = outgoing.try_write(&memory, &text).unwrap();
        assert_eq!(piece, longest_piece(RING));
        let announcement = Announcement {
            kind: 9,
            length: 5000,
        };
        assert_eq!(incoming.try_begin(&memory), Ok(Some(announcement)));
        assert_eq!(read(&mut incoming, &memory, 10), Progress::More(10));
        let rest = piece - 10;
        assert_eq!(read(&mut incoming, &memory, 5000), Progress::More(rest));
        assert_eq!(read(&mut incoming, &memory, 5000), Progress::More(0));
        let mut written = piece;
        while written < 5000 {
            written += outgoing.try_write(&memory, &text[written..]).unwrap();
            incoming.try_skip(&memory).unwrap();
            incoming.release(&memory);
        }
        assert_eq!(incoming.try_begin(&memory), Ok(None));
    }

    #[test]
    fn nothing_comes_between_the_pieces() {
        let (segment, _file) = Segment::new(RING).unwrap();
        let memory = segment.ring(End::Maker);
        let mut outgoing = Outgoing::default();
        outgoing.try_open(&memory, 1, 10).unwrap();
        let refused = Err(RS_ERR_REENTRANT);
        assert_eq!(outgoing.try_send(&memory, 2, &[b"short"]), refused);
        assert_eq!(outgoing.try_open(&memory, 2, 10), refused);
        // Nor more than was announced.
        assert_eq!(outgoing.try_write(&memory, &[0; 11]), Err(RS_ERR_ARGUMENT));
        assert_eq!(outgoing.try_write(&memory, &[0; 10]), Ok(10));
        assert_eq!(outgoing.try_write(&memory, &[0]), Err(RS_ERR_ARGUMENT));
        assert_eq!(outgoing.try_send(&memory, 2, &[b"short"]), Ok(true));
    }

    #[test]
    fn a_message_that_is_given_up_ends_for_its_reader_too() {
        let (segment, _file) = Segment::new(RING).unwrap();
        let memory = segment.ring(End::Maker);
        let (mut outgoing, mut incoming) = (Outgoing::default(), Incoming::new(LIMIT));
        outgoing.try_open(&memory, 1, 5000).unwrap();
        outgoing.try_write(&memory, &[0; 100]).unwrap();
        outgoing.abandon();
        outgoing.try_send(&memory, 2, &[b"next"]).unwrap();
        outgoing.publish(&memory);
        incoming.try_begin(&memory).unwrap();
        assert_eq!(read(&mut incoming, &memory, 5000), Progress::More(100));
        assert_eq!(read(&mut incoming, &memory, 5000), Progress::Abandoned);
        let announcement = Announcement { kind: 2, length: 4 };
        assert_eq!(incoming.try_begin(&memory), Ok(Some(announcement)));
        assert_eq!(read(&mut incoming, &memory, 4), Progress::Done(4));
    }

    #[test]
    fn messages_of_no_length_are_messages() {
        let (segment, _file) = Segment::new(RING).unwrap();
        let memory = segment.ring(End::Maker);
        let (mut outgoing, mut incoming) = (Outgoing::default(), Incoming::new(LIMIT));
        outgoing.try_send(&memory, 1, &[]).unwrap();
        outgoing.try_open(&memory, 2, 0).unwrap();
        outgoing.publish(&memory);
        for kind in [1, 2] {
            let announcement = Announcement { kind, length: 0 };
            assert_eq!(incoming.try_begin(&memory), Ok(Some(announcement)));
            assert_eq!(read(&mut incoming, &memory, 0), Progress::Done(0));
        }
    }
}
