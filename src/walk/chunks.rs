//! A stack of words in chunks: grows without copying what it holds, and without one big allocation;
//! a walk of ten million objects never asks for more than 32 KiB at a time.
//!
//! Invariant: all chunks before the one in use are full; chunks behind it are spare. Spare chunks stay
//! until `clear`, so that what was done once can be done again without memory.

use crate::host::memory::{Box, HostAllocator, Vec, push};
use crate::status::{RS_ERR_MEMORY, rs_status};
use core::mem::MaybeUninit;

/// Words in a chunk. Small under test, so that crossing from chunk to chunk is common there.
#[cfg(not(any(test, loom)))]
pub const CHUNK: usize = 4096;
/// Words in a chunk. Small under test, so that crossing from chunk to chunk is common there.
#[cfg(any(test, loom))]
pub const CHUNK: usize = 8;

type Chunk = [MaybeUninit<usize>; CHUNK];

/// A stack of words which is also a list: the words can be read and replaced by index.
pub struct Chunks {
    chunks: Vec<Box<Chunk>>,
    /// Words in all chunks before the one in use.
    before: usize,
    /// The chunk in use; null if there is none.
    current: *mut Chunk,
    /// Words in the chunk in use.
    used: usize,
}

/// A place in a stack of words: what [`Chunks`] knows of its chunk in use, by value, so that a loop
/// keeps it in registers. While there is one, the stack itself is not used but through it.
#[derive(Clone, Copy)]
pub struct Cursor {
    next: *mut usize,
    first: *mut usize,
    end: *mut usize,
}

impl Cursor {
    const EMPTY: Cursor = Cursor {
        next: core::ptr::null_mut(),
        first: core::ptr::null_mut(),
        end: core::ptr::null_mut(),
    };

    fn used(self) -> usize {
        (self.next as usize - self.first as usize) / size_of::<usize>()
    }

    /// Where the next word goes.
    #[inline(always)]
    pub fn next(self) -> *mut usize {
        self.next
    }

    /// Where the stack must grow.
    #[inline(always)]
    pub fn end(self) -> *mut usize {
        self.end
    }

    /// The words up to `next` were written.
    ///
    /// # Safety
    /// They were, from the old `next` on, and `next` is not past `end`.
    #[inline(always)]
    pub unsafe fn set_next(&mut self, next: *mut usize) {
        self.next = next;
    }

    /// Appends a word.
    #[inline(always)]
    pub fn push(&mut self, stack: &mut Chunks, word: usize) -> Result<(), rs_status> {
        if self.next == self.end {
            *self = stack.grow(*self)?;
        }
        Reserved(self).fill(word);
        Ok(())
    }

    /// Takes the last word.
    #[inline(always)]
    pub fn pop(&mut self, stack: &mut Chunks) -> Option<usize> {
        if self.next == self.first {
            *self = stack.shrink(*self);
            if self.next == self.first {
                return None;
            }
        }
        // SAFETY: the word before `next` was pushed.
        unsafe {
            self.next = self.next.sub(1);
            Some(*self.next)
        }
    }
}

/// A stack that a loop appends to, with its cursor by value; gives it back when it is dropped.
pub struct Appending<'a> {
    stack: &'a mut Chunks,
    cursor: Cursor,
}

impl Appending<'_> {
    /// Makes room for one more word.
    #[inline(always)]
    pub fn reserve(&mut self) -> Result<Reserved<'_>, rs_status> {
        if self.cursor.next == self.cursor.end {
            self.cursor = self.stack.grow(self.cursor)?;
        }
        Ok(Reserved(&mut self.cursor))
    }
}

/// Room for a word at the end of a stack: its cursor is not at the end of a chunk.
pub struct Reserved<'a>(&'a mut Cursor);

impl Reserved<'_> {
    /// Appends the word.
    #[inline(always)]
    pub fn fill(self, word: usize) {
        // SAFETY: `next` is before the end of the chunk.
        unsafe {
            *self.0.next = word;
            self.0.next = self.0.next.add(1);
        }
    }
}

impl Drop for Appending<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.stack.set_cursor(self.cursor);
    }
}

// SAFETY: `current` points into a box that `chunks` owns.
unsafe impl Send for Chunks {}

impl Chunks {
    /// An empty stack; allocates nothing.
    pub fn new(allocator: HostAllocator) -> Self {
        Chunks {
            chunks: Vec::new_in(allocator),
            before: 0,
            current: core::ptr::null_mut(),
            used: CHUNK,
        }
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        if self.current.is_null() {
            return 0;
        }
        self.before + self.used
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        self.chunks.len() * size_of::<Chunk>() + self.chunks.capacity() * size_of::<usize>()
    }

    /// Makes sure that the next `push` succeeds.
    #[inline(always)]
    pub fn reserve(&mut self) -> Result<(), rs_status> {
        if self.used == CHUNK {
            return self.advance();
        }
        Ok(())
    }

    /// Appends a word.
    #[inline(always)]
    pub fn push(&mut self, word: usize) -> Result<(), rs_status> {
        self.reserve()?;
        // SAFETY: after `reserve` there is a chunk in use, with room: `used < CHUNK`.
        unsafe { (*self.current).get_unchecked_mut(self.used).write(word) };
        self.used += 1;
        Ok(())
    }

    /// Takes the last word.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<usize> {
        if self.current.is_null() {
            return None;
        }
        if self.used == 0 && !self.retreat() {
            return None;
        }
        self.used -= 1;
        // SAFETY: `used < CHUNK`, and the word was pushed before.
        Some(unsafe { (*self.current).get_unchecked(self.used).assume_init() })
    }

    /// The place of the next word, to keep in a register while a loop pushes and pops.
    #[inline(always)]
    pub fn cursor(&self) -> Cursor {
        if self.current.is_null() {
            return Cursor::EMPTY;
        }
        let first = self.current.cast::<usize>();
        // SAFETY: a chunk has CHUNK words, of which `used` are used.
        unsafe {
            Cursor {
                next: first.add(self.used),
                first,
                end: first.add(CHUNK),
            }
        }
    }

    /// The stack, for a loop that appends to it.
    #[inline(always)]
    pub fn appending(&mut self) -> Appending<'_> {
        let cursor = self.cursor();
        Appending {
            stack: self,
            cursor,
        }
    }

    /// Ends the use of a cursor: what it pushed and popped is the stack's.
    #[inline(always)]
    pub fn set_cursor(&mut self, cursor: Cursor) {
        if !self.current.is_null() {
            self.used = cursor.used();
        }
    }

    /// A cursor with room for a word, after one that has none.
    #[cold]
    #[inline(never)]
    pub fn grow(&mut self, cursor: Cursor) -> Result<Cursor, rs_status> {
        self.set_cursor(cursor);
        self.reserve()?;
        Ok(self.cursor())
    }

    /// A cursor with a word before it, after one that has none; the same if there is none.
    #[cold]
    #[inline(never)]
    pub fn shrink(&mut self, cursor: Cursor) -> Cursor {
        self.set_cursor(cursor);
        if !self.current.is_null() {
            self.retreat();
        }
        self.cursor()
    }

    /// Some words from an index on, at most `limit`, as they lie in memory; none at the end.
    #[inline(always)]
    pub fn words(&self, index: usize, limit: usize) -> &[usize] {
        let left = self.len().saturating_sub(index);
        if left == 0 {
            return &[];
        }
        let begin = index % CHUNK;
        let end = begin + limit.min(CHUNK - begin).min(left);
        // SAFETY: words below the length were pushed.
        unsafe { self.chunks[index / CHUNK][begin..end].assume_init_ref() }
    }

    /// Some words below an index, at most `limit`, as they lie in memory; none at the beginning.
    #[inline(always)]
    pub fn words_below(&self, index: usize, limit: usize) -> &[usize] {
        let begin = index.saturating_sub(1) / CHUNK * CHUNK;
        let first = begin.max(index.saturating_sub(limit));
        self.words(first, index - first)
    }

    /// The word at an index.
    #[inline(always)]
    pub fn get(&self, index: usize) -> usize {
        assert!(index < self.len());
        // SAFETY: words below the length were pushed.
        unsafe { self.chunks[index / CHUNK][index % CHUNK].assume_init() }
    }

    /// Replaces the word at an index.
    #[inline(always)]
    pub fn set(&mut self, index: usize, word: usize) {
        assert!(index < self.len());
        self.chunks[index / CHUNK][index % CHUNK].write(word);
    }

    /// Goes to the next chunk, allocated if there is no spare one.
    #[cold]
    #[inline(never)]
    fn advance(&mut self) -> Result<(), rs_status> {
        let next = if self.current.is_null() {
            0
        } else {
            self.before / CHUNK + 1
        };
        if next == self.chunks.len() {
            let allocator = *self.chunks.allocator();
            let chunk = Box::<Chunk>::try_new_uninit_in(allocator).map_err(|_| RS_ERR_MEMORY)?;
            // SAFETY: words that are not there yet need no value.
            push(&mut self.chunks, unsafe { chunk.assume_init() })?;
        }
        self.enter(next, 0);
        Ok(())
    }

    /// Goes back to the end of the previous chunk, if there is one.
    #[cold]
    #[inline(never)]
    fn retreat(&mut self) -> bool {
        let Some(previous) = (self.before / CHUNK).checked_sub(1) else {
            return false;
        };
        self.enter(previous, CHUNK);
        true
    }

    fn enter(&mut self, chunk: usize, used: usize) {
        self.before = chunk * CHUNK;
        self.current = &raw mut *self.chunks[chunk];
        self.used = used;
    }

    /// Forgets all words and gives back all memory but one chunk.
    pub fn clear(&mut self) {
        self.chunks.truncate(1);
        match self.chunks.is_empty() {
            true => self.release(),
            false => self.enter(0, 0),
        }
    }

    /// Takes all words out.
    pub fn take(&mut self) -> Chunks {
        let empty = Chunks::new(*self.chunks.allocator());
        core::mem::replace(self, empty)
    }

    /// Forgets all words and keeps all memory.
    pub fn rewind(&mut self) {
        if !self.chunks.is_empty() {
            self.enter(0, 0);
        }
    }

    /// Forgets all words and gives back all memory.
    pub fn release(&mut self) {
        *self = Chunks::new(*self.chunks.allocator());
    }

    /// Visits the place of every word, first to last.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(&mut usize)) {
        let length = self.len();
        for (index, chunk) in self.chunks.iter_mut().enumerate() {
            let begin = index * CHUNK;
            if begin >= length {
                break;
            }
            let words = &mut chunk[..CHUNK.min(length - begin)];
            // SAFETY: words below the length were pushed.
            unsafe { words.assume_init_mut() }
                .iter_mut()
                .for_each(&mut visit);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn chunks() -> Chunks {
        Chunks::new(HostAllocator::malloc())
    }

    #[test]
    fn words_come_back_last_in_first_out_across_chunks() {
        let mut stack = chunks();
        for round in 0..3 {
            for word in 0..3 * CHUNK + round {
                stack.push(word).unwrap();
                assert_eq!(stack.len(), word + 1);
            }
            for word in (0..3 * CHUNK + round).rev() {
                assert_eq!(stack.pop(), Some(word));
                assert_eq!(stack.len(), word);
            }
            assert_eq!(stack.pop(), None);
            assert_eq!(stack.pop(), None);
        }
    }

    #[test]
    fn words_can_be_read_and_replaced_by_index() {
        let mut list = chunks();
        (0..20).for_each(|word| list.push(word).unwrap());
        list.set(CHUNK, 99);
        assert_eq!(list.get(CHUNK), 99);
        assert_eq!(list.get(CHUNK - 1), CHUNK - 1);
        assert_eq!(list.words_below(CHUNK + 2, 20), [99, CHUNK + 1]);
        assert_eq!(list.words_below(CHUNK, 2), [CHUNK - 2, CHUNK - 1]);
        assert!(list.words_below(0, 20).is_empty());
        let mut seen = 0;
        list.for_each_mut(|_| seen += 1);
        assert_eq!(seen, 20);
    }

    #[test]
    fn a_stack_keeps_its_memory_until_it_is_cleared() {
        let mut stack = chunks();
        (0..10 * CHUNK).for_each(|word| stack.push(word).unwrap());
        let held = stack.bytes();
        while stack.pop().is_some() {}
        assert_eq!(stack.bytes(), held);
        stack.clear();
        assert!(stack.bytes() < held / 2);
        stack.release();
        assert_eq!(stack.bytes(), 0);
    }
}
