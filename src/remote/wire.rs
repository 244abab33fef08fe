//! Messages as words: how they are written, and how they are read by somebody who does not trust
//! their writer.

use crate::host::memory::{HostAllocator, Vec, bytes_of};
use crate::status::{RS_ERR_LIMIT, RS_ERR_MEMORY, RS_ERR_PEER, rs_status};

/// Most words of a message.
const MOST: usize = 1 << 32;

/// A message being written.
pub struct Writer {
    words: Vec<u64>,
}

impl Writer {
    /// An empty message.
    pub fn new(allocator: HostAllocator) -> Self {
        Writer {
            words: Vec::new_in(allocator),
        }
    }

    /// Appends a word.
    pub fn word(&mut self, word: u64) -> Result<(), rs_status> {
        self.words(&[word])
    }

    /// Appends words.
    pub fn words(&mut self, words: &[u64]) -> Result<(), rs_status> {
        if self.words.len() + words.len() > MOST {
            return Err(RS_ERR_LIMIT);
        }
        self.words
            .try_reserve(words.len())
            .map_err(|_| RS_ERR_MEMORY)?;
        self.words.extend_from_slice(words);
        Ok(())
    }

    /// Appends bytes, filled up to whole words.
    pub fn padded(&mut self, bytes: &[u8]) -> Result<(), rs_status> {
        let (whole, rest) = bytes.as_chunks::<8>();
        let room = whole.len() + usize::from(!rest.is_empty());
        if self.words.len() + room > MOST {
            return Err(RS_ERR_LIMIT);
        }
        self.words.try_reserve(room).map_err(|_| RS_ERR_MEMORY)?;
        self.words
            .extend(whole.iter().map(|bytes| u64::from_ne_bytes(*bytes)));
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.words.push(u64::from_ne_bytes(last));
        }
        Ok(())
    }

    /// Appends how many bytes, and the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), rs_status> {
        self.word(bytes.len() as u64)?;
        self.padded(bytes)
    }

    /// The message, as it is sent.
    pub fn into_words(self) -> Vec<u64> {
        self.words
    }
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
