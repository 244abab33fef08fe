//! The memory of a store: its header, and chunks of words.
//!
//! | words | what |
//! |---|---|
//! | 0 | [`MAGIC`]: what this is, and the version of the layout |
//! | 1 | words that it may become |
//! | 2 | how many chunks there are |
//! | 3 | the next id that nobody has |
//! | [`FIRST`] and on | chunks |
//!
//! A chunk belongs to the one writer that has claimed it, who fills it from front to back with things that are never
//! changed; so writers need not agree on anything but on who claims which. Its first word says whose it is.
//!
//! Who has attached a store may write anything into it. So a word is read where it is needed, and what it says is
//! checked before it is used; a place that does not exist is an error.

use super::trie::Place;
use crate::shm::region::Region;
use crate::status::{RS_ERR_ARGUMENT, RS_ERR_LIMIT, RS_ERR_STORE, rs_status};
use crate::sync::Cell;

/// Word 0 of a store; the last byte is the version of the layout.
pub const MAGIC: u64 = u64::from_be_bytes(*b"vmshsto\x01");

const SIZE: Place = 1;
const CHUNKS: Place = 2;
const NEXT_ID: Place = 3;

/// Words of a chunk.
pub const CHUNK: u64 = 1 << 13;

/// Where chunks begin.
pub const FIRST: Place = 1 << 17;

/// Words of a chunk that say what it is.
pub const CHUNK_HEAD: u64 = 1;

const WORD: u64 = size_of::<u64>() as u64;

/// A store's memory, as one process sees it.
pub struct Memory {
    region: Region,
}

impl Memory {
    /// Makes a store in memory that nobody else knows of yet.
    ///
    /// `RS_ERR_ARGUMENT` if it may not become large enough for anything; `RS_ERR_MEMORY`, `RS_ERR_LIMIT`.
    pub fn make(region: Region) -> Result<Memory, rs_status> {
        let size = region.most() as u64 / WORD;
        if size < FIRST + CHUNK {
            return Err(RS_ERR_ARGUMENT);
        }
        region.grow((FIRST * WORD) as usize)?;
        let memory = Memory { region };
        memory.word(SIZE)?.store(size);
        memory.word(NEXT_ID)?.store(1);
        memory.word(0)?.store(MAGIC);
        Ok(memory)
    }

    /// Takes up a store that somebody has made. `RS_ERR_STORE` if it is none.
    pub fn adopt(region: Region) -> Result<Memory, rs_status> {
        let memory = Memory { region };
        let is_one = memory.word(0)?.load() == MAGIC;
        is_one.then_some(memory).ok_or(RS_ERR_STORE)
    }

    /// A word.
    #[inline]
    pub fn word(&self, at: Place) -> Result<&Cell, rs_status> {
        let index = usize::try_from(at).map_err(|_| RS_ERR_STORE)?;
        self.region.word(index).ok_or(RS_ERR_STORE)
    }

    /// Ids that nobody else gets: so many, from this one on. `RS_ERR_LIMIT` if there are no more.
    pub fn new_ids(&self, count: u64) -> Result<u64, rs_status> {
        let next = self.word(NEXT_ID)?;
        loop {
            let first = next.load();
            let behind = first.checked_add(count).ok_or(RS_ERR_LIMIT)?;
            if next.compare_exchange(first, behind).is_ok() {
                return Ok(first);
            }
        }
    }

    /// A chunk that nobody else has; `owner`, not 0, says whose it is. Returns where it begins.
    ///
    /// `RS_ERR_LIMIT` if the store is full; `RS_ERR_MEMORY` if the machine is.
    pub fn claim_chunk(&self, owner: u64) -> Result<Place, rs_status> {
        loop {
            let count = self.word(CHUNKS)?.load();
            let begin = count
                .checked_mul(CHUNK)
                .and_then(|words| words.checked_add(FIRST))
                .ok_or(RS_ERR_STORE)?;
            let end = begin.checked_add(CHUNK).ok_or(RS_ERR_STORE)?;
            let bytes = end.checked_mul(WORD).ok_or(RS_ERR_LIMIT)?;
            self.region
                .grow(usize::try_from(bytes).map_err(|_| RS_ERR_LIMIT)?)?;
            // Whoever comes first has it; the count may lag behind.
            let claimed = self.word(begin)?.compare_exchange(0, owner);
            let _ = self.word(CHUNKS)?.compare_exchange(count, count + 1);
            if claimed.is_ok() {
                return Ok(begin);
            }
        }
    }
}
