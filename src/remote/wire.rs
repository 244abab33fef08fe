//! Messages as words: how they are written, and how they are read by somebody who does not trust
//! their writer.

use crate::host::memory::{HostAllocator, Vec, append, append_padded, bytes_of};
use crate::status::{RS_ERR_LIMIT, RS_ERR_MEMORY, RS_ERR_PEER, rs_status};

/// Most words of a message.
const MOST: usize = 1 << 32;

/// Words of a message that need no memory of their own: as many as most requests and answers have.
pub const SHORT: usize = 24;

/// A message being written.
pub struct Writer {
    /// The first words, as long as all of them fit.
    short: [u64; SHORT],
    length: usize,
    /// All words, since they do not.
    long: Vec<u64>,
    /// Many words that stand somewhere in the middle, and were not copied.
    inserted: Option<Inserted>,
}

/// Words that stand before the rest of a message from word `at` on.
struct Inserted {
    at: usize,
    words: Vec<u64>,
}

/// Fewer words than these are copied.
const WORTH_INSERTING: usize = 512;

/// A message that is kept.
pub struct Written {
    words: Vec<u64>,
    inserted: Option<Inserted>,
}

/// The parts of a message, in order; some may be empty.
pub type Parts<'a> = [&'a [u64]; 3];

fn parts<'a>(words: &'a [u64], inserted: &'a Option<Inserted>) -> Parts<'a> {
    match inserted {
        None => [words, &[], &[]],
        Some(inserted) => {
            let (before, behind) = words.split_at(inserted.at);
            [before, &inserted.words, behind]
        }
    }
}

impl Writer {
    /// An empty message.
    #[inline]
    pub fn new(allocator: HostAllocator) -> Self {
        Writer {
            short: [0; SHORT],
            length: 0,
            long: Vec::new_in(allocator),
            inserted: None,
        }
    }

    /// Appends a word.
    #[inline]
    pub fn word(&mut self, word: u64) -> Result<(), rs_status> {
        self.words(&[word])
    }

    /// Appends words.
    #[inline]
    pub fn words(&mut self, words: &[u64]) -> Result<(), rs_status> {
        match self.short_room(words.len()) {
            Some(room) => room.copy_from_slice(words),
            None => append(self.long_room(words.len())?, words)?,
        }
        Ok(())
    }

    /// Appends words that the caller has no use for any more.
    pub fn own_words(&mut self, words: Vec<u64>) -> Result<(), rs_status> {
        if words.len() < WORTH_INSERTING || self.inserted.is_some() {
            return self.words(&words);
        }
        if words.len() > MOST {
            return Err(RS_ERR_LIMIT);
        }
        let at = self.own().len();
        self.inserted = Some(Inserted { at, words });
        Ok(())
    }

    /// Appends bytes, filled up to whole words.
    #[inline]
    pub fn padded(&mut self, bytes: &[u8]) -> Result<(), rs_status> {
        let count = bytes.len().div_ceil(size_of::<u64>());
        let Some(room) = self.short_room(count) else {
            return append_padded(self.long_room(count)?, bytes);
        };
        let (whole, rest) = bytes.as_chunks::<8>();
        let whole = whole.iter().map(|bytes| u64::from_ne_bytes(*bytes));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let words = whole.chain([u64::from_ne_bytes(last)]);
        for (place, word) in room.iter_mut().zip(words) {
            *place = word;
        }
        Ok(())
    }

    /// Appends how many bytes, and the bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), rs_status> {
        self.word(bytes.len() as u64)?;
        match bytes.is_empty() {
            true => Ok(()),
            false => self.padded(bytes),
        }
    }

    /// Room for more words, to be filled, if the message is still a short one then.
    #[inline]
    fn short_room(&mut self, count: usize) -> Option<&mut [u64]> {
        let before = self.length;
        if !self.long.is_empty() || before + count > SHORT {
            return None;
        }
        self.length += count;
        Some(&mut self.short[before..][..count])
    }

    /// All words, and memory for so many more.
    #[inline]
    fn long_room(&mut self, count: usize) -> Result<&mut Vec<u64>, rs_status> {
        let room = self.long.capacity() - self.long.len();
        match self.long.is_empty() || room < count {
            true => self.more_room(count),
            false => Ok(&mut self.long),
        }
    }

    #[cold]
    fn more_room(&mut self, count: usize) -> Result<&mut Vec<u64>, rs_status> {
        let before = match self.long.is_empty() {
            true => &self.short[..self.length],
            false => &[],
        };
        if before.len() + self.long.len() + count > MOST {
            return Err(RS_ERR_LIMIT);
        }
        self.long
            .try_reserve(before.len() + count)
            .map_err(|_| RS_ERR_MEMORY)?;
        append(&mut self.long, before)?;
        Ok(&mut self.long)
    }

    fn own(&self) -> &[u64] {
        match self.long.is_empty() {
            true => &self.short[..self.length],
            false => &self.long,
        }
    }

    /// What was written.
    #[inline]
    pub fn parts(&self) -> Parts<'_> {
        parts(self.own(), &self.inserted)
    }

    /// What was written, to be kept; nothing is left.
    pub fn take(&mut self) -> Result<Written, rs_status> {
        if self.long.is_empty() {
            append(&mut self.long, &self.short[..self.length])?;
        }
        self.length = 0;
        let allocator = *self.long.allocator();
        Ok(Written {
            words: core::mem::replace(&mut self.long, Vec::new_in(allocator)),
            inserted: self.inserted.take(),
        })
    }
}

impl Written {
    /// What was written.
    pub fn parts(&self) -> Parts<'_> {
        parts(&self.words, &self.inserted)
    }

    /// The first word.
    pub fn first(&self) -> Option<u64> {
        self.words.first().copied()
    }
}

/// Bytes of a message.
#[inline]
pub fn length(parts: &Parts<'_>) -> usize {
    parts.iter().map(|words| size_of_val(*words)).sum()
}

/// A message being read, from a private copy. Whatever does not fit is the peer's fault.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    words: &'a [u64],
}

impl<'a> Reader<'a> {
    /// From the beginning.
    pub fn new(words: &'a [u64]) -> Self {
        Reader { words }
    }

    /// The next word.
    pub fn word(&mut self) -> Result<u64, rs_status> {
        self.words(1).map(|words| words[0])
    }

    /// The next word, which stays the next.
    pub fn peek(&self) -> Result<u64, rs_status> {
        self.words.first().copied().ok_or(RS_ERR_PEER)
    }

    /// The next words.
    pub fn words(&mut self, count: usize) -> Result<&'a [u64], rs_status> {
        let (words, rest) = self.words.split_at_checked(count).ok_or(RS_ERR_PEER)?;
        self.words = rest;
        Ok(words)
    }

    /// How many bytes, and the bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], rs_status> {
        let length = self.count()?;
        self.padded(length)
    }

    /// So many bytes, filled up to whole words.
    pub fn padded(&mut self, length: usize) -> Result<&'a [u8], rs_status> {
        let words = self.words(length.div_ceil(size_of::<u64>()))?;
        bytes_of(words).get(..length).ok_or(RS_ERR_PEER)
    }

    /// A number of things of which each takes a byte or more: no more than could still come.
    pub fn count(&mut self) -> Result<usize, rs_status> {
        let count = usize::try_from(self.word()?).map_err(|_| RS_ERR_PEER)?;
        let most = size_of_val(self.words);
        (count <= most).then_some(count).ok_or(RS_ERR_PEER)
    }

    /// The message must be at its end.
    pub fn end(&self) -> Result<(), rs_status> {
        self.words.is_empty().then_some(()).ok_or(RS_ERR_PEER)
    }
}
