//! Memory that grows in place, for one process or for several.
//!
//! Address space is reserved at once for as much as the memory may ever become, so that nothing in it moves when
//! it grows: whoever has a place in it keeps it. What others share it through is a file without a name; what
//! belongs to one process needs none.
//!
//! Words are all there is, and each access to one is atomic: in memory that several threads and processes write,
//! there are no bytes to borrow. An index past the end is an answer, and never a touch: behind the end of a file a
//! touch is SIGBUS. So a process goes by no size that somebody has written down, but by the one that it has asked
//! the kernel for; and nobody can make the file smaller.

use super::memfd::{self, GROWING, Mapping};
use super::system::check;
use crate::status::{RS_ERR_ARGUMENT, RS_ERR_LIMIT, rs_status};
use crate::sync::{AtomicUsize, Cell, Ordering};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes by which it grows: a huge page of most machines.
pub const STEP: usize = 2 << 20;

/// Memory that grows.
pub struct Region {
    mapping: Mapping,
    file: Option<OwnedFd>,
    /// Bytes that are known to be there.
    known: AtomicUsize,
}

impl Region {
    /// Memory of this process alone, which may become `most` bytes, a multiple of [`STEP`]. It has none at first.
    pub fn private(most: usize) -> Result<Region, rs_status> {
        Ok(Region {
            mapping: Mapping::reserved(expect_size(most)?)?,
            file: None,
            known: AtomicUsize::new(0),
        })
    }

    /// The same, which others may be given the file of.
    pub fn shared(most: usize) -> Result<Region, rs_status> {
        let file = memfd::create_growing()?;
        Region::of_file(file, expect_size(most)?)
    }

    /// What another process has made. `RS_ERR_PEER` if it is nothing of the kind.
    pub fn adopt(file: OwnedFd, most: usize) -> Result<Region, rs_status> {
        memfd::verify(file.as_fd(), GROWING)?;
        let region = Region::of_file(file, expect_size(most)?)?;
        region.learn()?;
        Ok(region)
    }

    fn of_file(file: OwnedFd, most: usize) -> Result<Region, rs_status> {
        Ok(Region {
            mapping: Mapping::growing(&file, most)?,
            file: Some(file),
            known: AtomicUsize::new(0),
        })
    }

    /// What another process needs to adopt it; none if it is private.
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.file.as_ref().map(OwnedFd::as_fd)
    }

    /// As many bytes as it may become.
    pub fn most(&self) -> usize {
        self.mapping.size()
    }

    /// All words that this process knows of.
    #[inline]
    pub fn words(&self) -> &[Cell] {
        let bytes = self.known.load(Ordering::Acquire);
        // SAFETY: so many bytes of the mapping are there, and stay; they are only accessed as such words, all bits of
        // which may be anything.
        unsafe {
            core::slice::from_raw_parts(
                self.mapping.start().cast::<Cell>().as_ptr(),
                bytes / size_of::<Cell>(),
            )
        }
    }

    /// A word; none if it is not there.
    #[inline]
    pub fn word(&self, index: usize) -> Option<&Cell> {
        match self.words().get(index) {
            Some(word) => Some(word),
            // Another process may have let it grow.
            None => self.new_word(index),
        }
    }

    #[cold]
    fn new_word(&self, index: usize) -> Option<&Cell> {
        self.learn().ok()?;
        self.words().get(index)
    }

    /// Asks the kernel how large it is now.
    fn learn(&self) -> Result<(), rs_status> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let size = memfd::verify(file.as_fd(), GROWING)?;
        let size = size.min(self.most()) / STEP * STEP;
        self.known.fetch_max(size, Ordering::AcqRel);
        Ok(())
    }

    /// Grows until it has this many bytes, all new ones zero, unless it has them. Several may do that at once.
    ///
    /// `RS_ERR_LIMIT` past [`most`](Region::most), or past what the process may have of a file; `RS_ERR_MEMORY` if
    /// the machine has no room.
    pub fn grow(&self, bytes: usize) -> Result<(), rs_status> {
        let known = self.known.load(Ordering::Acquire);
        if bytes <= known {
            return Ok(());
        }
        if bytes > self.most() {
            return Err(RS_ERR_LIMIT);
        }
        let bytes = bytes.next_multiple_of(STEP);
        match &self.file {
            Some(file) => {
                expect_allowed(bytes)?;
                memfd::extend(file.as_fd(), known, bytes)?;
                self.learn()
            }
            None => {
                self.mapping.open(known, bytes - known)?;
                self.known.fetch_max(bytes, Ordering::AcqRel);
                Ok(())
            }
        }
    }
}

fn expect_size(most: usize) -> Result<usize, rs_status> {
    let is_one = most != 0 && most.is_multiple_of(STEP);
    is_one.then_some(most).ok_or(RS_ERR_ARGUMENT)
}

/// A process that writes a larger file than it may is killed by default.
fn expect_allowed(bytes: usize) -> Result<(), rs_status> {
    let mut most = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the call fills the struct.
    check(unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut most) })?;
    (bytes as u64 <= most.rlim_cur)
        .then_some(())
        .ok_or(RS_ERR_LIMIT)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::status::RS_ERR_PEER;

    const MOST: usize = 8 * STEP;
    const WORDS: usize = STEP / size_of::<u64>();

    fn fill(region: &Region, bytes: usize) {
        region.grow(bytes).unwrap();
        for (index, word) in region.words().iter().enumerate() {
            word.store(index as u64);
        }
    }

    #[test]
    fn it_has_what_it_was_grown_to_and_nothing_behind() {
        for region in [Region::private(MOST), Region::shared(MOST)] {
            let region = region.unwrap();
            assert!(region.word(0).is_none());
            fill(&region, 1);
            assert_eq!(region.words().len(), WORDS);
            assert!(region.word(WORDS).is_none());
            region.grow(3 * STEP).unwrap();
            assert_eq!(region.word(WORDS - 1).unwrap().load(), WORDS as u64 - 1);
            assert_eq!(region.word(3 * WORDS - 1).unwrap().load(), 0);
            // It does not become smaller.
            region.grow(STEP).unwrap();
            assert_eq!(region.words().len(), 3 * WORDS);
            assert_eq!(region.grow(MOST + 1), Err(RS_ERR_LIMIT));
            assert_eq!(region.grow(usize::MAX), Err(RS_ERR_LIMIT));
            region.grow(MOST).unwrap();
        }
        assert_eq!(Region::private(STEP + 1).err(), Some(RS_ERR_ARGUMENT));
        assert_eq!(Region::shared(0).err(), Some(RS_ERR_ARGUMENT));
    }

    #[test]
    fn what_one_process_lets_grow_the_other_has_too() {
        let one = Region::shared(MOST).unwrap();
        one.grow(1).unwrap();
        let file = one.file().unwrap().try_clone_to_owned().unwrap();
        let other = Region::adopt(file, MOST).unwrap();
        fill(&one, 2 * STEP);
        assert_eq!(other.words().len(), WORDS);
        // It finds out when it is sent there.
        let last = other.word(2 * WORDS - 1).unwrap();
        assert_eq!(last.load(), 2 * WORDS as u64 - 1);
        last.store(7);
        assert_eq!(one.word(2 * WORDS - 1).unwrap().load(), 7);
        other.grow(4 * STEP).unwrap();
        assert_eq!(one.word(4 * WORDS - 1).unwrap().load(), 0);
        assert!(one.word(4 * WORDS).is_none());
    }

    #[test]
    fn nobody_takes_away_what_is_there() {
        let region = Region::shared(MOST).unwrap();
        region.grow(1).unwrap();
        let file = region.file().unwrap().try_clone_to_owned().unwrap();
        // SAFETY: no memory is passed.
        let status = unsafe { libc::ftruncate(std::os::fd::AsRawFd::as_raw_fd(&file), 0) };
        assert_eq!(status, -1);
        let other = memfd::create(STEP).unwrap();
        assert_eq!(Region::adopt(other, MOST).err(), Some(RS_ERR_PEER));
    }

    #[test]
    fn threads_that_let_it_grow_at_once_do_not_hurt_each_other() {
        for region in [Region::private(MOST), Region::shared(MOST)] {
            let region = region.unwrap();
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let region = &region;
                    scope.spawn(move || {
                        for step in 1..=8 {
                            region.grow(step * STEP).unwrap();
                            let own = region.word((step - 1) * WORDS + thread).unwrap();
                            assert_eq!(own.fetch_add(1), 0);
                        }
                    });
                }
            });
            assert_eq!(region.words().len(), 8 * WORDS);
        }
    }
}
