//! Where a writer puts what it makes, until a commit publishes it.
//!
//! What is made lives as long as the commits that hold it: a node high up in a trie as a rule until the next commit,
//! a record until its object is written again. Each has chunks of its own, so that those of the former are soon
//! empty as a whole.

use super::memory::{CHUNK, CHUNK_HEAD, Memory};
use super::trie::{self, AGE_SHIFT, Nodes, Place};
use crate::host::memory::{HostAllocator, Map, insert};
use crate::status::{RS_ERR_LIMIT, rs_status};

/// From this level on, a node is not expected to live for long.
const SHORT_LIVED: u32 = 8;

/// The rest of a chunk.
#[derive(Clone, Copy, Default)]
struct Rest {
    next: Place,
    end: Place,
}

/// A writer's chunks, and what it has made in them and superseded since it began.
pub struct Space<'a> {
    memory: &'a Memory,
    owner: u64,
    /// Of what lives long, and of what does not.
    rests: [Rest; 2],
    /// The same when it began.
    before: [Rest; 2],
    age: u64,
    superseded: Map<Place, ()>,
}

impl<'a> Space<'a> {
    /// The space of a writer, which has a number that is not 0.
    pub fn new(memory: &'a Memory, owner: u64, allocator: HostAllocator) -> Self {
        Space {
            memory,
            owner,
            rests: Default::default(),
            before: Default::default(),
            age: 0,
            superseded: Map::with_hasher_in(Default::default(), allocator),
        }
    }

    /// Begins something: what is made from now on is not older than the commit with this number.
    pub fn begin(&mut self, age: u64) {
        self.before = self.rests;
        self.age = age;
        self.superseded.clear();
    }

    /// Gives up what was begun: its space is used again, where it lies behind what is published.
    pub fn abandon(&mut self) {
        for (rest, before) in self.rests.iter_mut().zip(self.before) {
            // A chunk that was begun meanwhile holds nothing that is published.
            match rest.end == before.end {
                true => *rest = before,
                false => rest.next = rest.end - CHUNK + CHUNK_HEAD,
            }
        }
        self.superseded.clear();
    }

    /// What was superseded since it began.
    pub fn superseded(&self) -> impl Iterator<Item = Place> {
        self.superseded.keys().copied()
    }

    /// Puts words somewhere; the first one says what they are.
    pub fn put(&mut self, words: &[u64], lives_long: bool) -> Result<Place, rs_status> {
        let at = self.room(words.len() as u64, usize::from(!lives_long))?;
        for (index, &word) in (0..).zip(words) {
            self.memory.word(at + index)?.store_relaxed(word);
        }
        let first = words[0] | self.age << AGE_SHIFT;
        self.memory.word(at)?.store_relaxed(first);
        Ok(at)
    }

    fn room(&mut self, words: u64, which: usize) -> Result<Place, rs_status> {
        if words > CHUNK - CHUNK_HEAD {
            return Err(RS_ERR_LIMIT);
        }
        if self.rests[which].end - self.rests[which].next < words {
            let begin = self.memory.claim_chunk(self.owner)?;
            self.rests[which] = Rest {
                next: begin + CHUNK_HEAD,
                end: begin + CHUNK,
            };
        }
        let rest = &mut self.rests[which];
        let at = rest.next;
        rest.next += words;
        Ok(at)
    }
}

impl Nodes for Space<'_> {
    #[inline]
    fn word(&self, at: Place) -> Result<u64, rs_status> {
        self.memory.word(at).map(|word| word.load_relaxed())
    }

    fn make(&mut self, words: &[u64]) -> Result<Place, rs_status> {
        self.put(words, trie::level_of(words) < SHORT_LIVED)
    }

    fn supersede(&mut self, at: Place) -> Result<(), rs_status> {
        insert(&mut self.superseded, at, ()).map(drop)
    }

    fn forget(&mut self, at: Place) {
        self.superseded.remove(&at);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::shm::region::{Region, STEP};
    use crate::versioned::trie::{Change, get, update};

    const MOST: usize = 16 * STEP;

    fn stores() -> [Memory; 2] {
        [Region::private(MOST), Region::shared(MOST)]
            .map(|region| Memory::make(region.unwrap()).unwrap())
    }

    fn changes(ids: impl Iterator<Item = u64>) -> Vec<Change> {
        ids.map(|id| (id, id + 1)).collect()
    }

    #[test]
    fn what_two_writers_make_at_once_is_there_and_apart() {
        for memory in stores() {
            let make = |owner| {
                let mut space = Space::new(&memory, owner, HostAllocator::malloc());
                space.begin(owner);
                let changes = changes((0..5000).map(|id| id * owner));
                (update(&mut space, 0, &changes).unwrap(), changes)
            };
            let tries = std::thread::scope(|scope| {
                let one = scope.spawn(|| make(1));
                let other = scope.spawn(|| make(3));
                [one.join().unwrap(), other.join().unwrap()]
            });
            let space = Space::new(&memory, 9, HostAllocator::malloc());
            for (root, changes) in tries {
                for (id, record) in changes {
                    assert_eq!(get(&space, root, id), Ok(record));
                }
            }
        }
    }

    #[test]
    fn space_that_is_given_up_is_used_again() {
        let [memory, _] = stores();
        let mut space = Space::new(&memory, 1, HostAllocator::malloc());
        space.begin(1);
        let root = update(&mut space, 0, &changes(0..100)).unwrap();
        let mut places = Vec::new();
        for round in 0..100 {
            space.begin(round + 2);
            let changed: Vec<Change> = vec![(round % 96, 1 << 40)];
            places.push(update(&mut space, root, &changed).unwrap());
            space.abandon();
            assert_eq!(space.superseded().count(), 0);
        }
        assert!(places.iter().all(|&place| place == places[0]));
        assert_eq!(get(&space, root, 99), Ok(100));
    }

    #[test]
    fn a_full_store_is_an_error_and_holds_what_it_has() {
        let [memory, _] = stores();
        let mut space = Space::new(&memory, 1, HostAllocator::malloc());
        space.begin(1);
        let mut root = 0;
        let status = (0..).find_map(|step| {
            space.begin(step);
            let own = changes(step * 1000..(step + 1) * 1000);
            match update(&mut space, root, &own) {
                Ok(new) => {
                    root = new;
                    None
                }
                Err(status) => Some((step, status)),
            }
        });
        let (steps, status) = status.unwrap();
        assert_eq!(status, RS_ERR_LIMIT);
        assert!(steps > 100, "{steps}");
        for id in 0..steps * 1000 {
            assert_eq!(get(&space, root, id), Ok(id + 1));
        }
    }

    #[test]
    fn what_is_no_store_is_refused() {
        use crate::status::RS_ERR_STORE;
        let region = Region::private(MOST).unwrap();
        region.grow(1).unwrap();
        assert_eq!(Memory::adopt(region).err(), Some(RS_ERR_STORE));
        let region = Region::private(MOST).unwrap();
        assert_eq!(Memory::adopt(region).err(), Some(RS_ERR_STORE));
        assert!(Memory::make(Region::private(STEP).unwrap()).is_ok());
        let [memory, _] = stores();
        assert_eq!(memory.word(u64::MAX).err(), Some(RS_ERR_STORE));
        assert_eq!(memory.new_ids(10), Ok(1));
        assert_eq!(memory.new_ids(u64::MAX), Err(RS_ERR_LIMIT));
        assert_eq!(memory.new_ids(1), Ok(11));
    }
}
