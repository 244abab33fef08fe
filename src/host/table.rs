//! Tables whose entries C holds by id. An id is never used twice, so that one which was closed is told
//! from all that live, for ever: an entry's place is reused under a new generation, and retires
//! when its generations are used up.
//!
//! Bits of an id: kind 60–63, vm 48–59, generation 28–47, index 0–27. Generations count from 1, so 0
//! is no id.

use super::memory::{HostAllocator, Vec, push};
use crate::status::{RS_ERR_ARGUMENT, RS_ERR_CLOSED, RS_ERR_FOREIGN, RS_ERR_LIMIT, rs_status};

const INDEX_BITS: u32 = 28;
const GENERATION_BITS: u32 = 20;
/// The last generation of a place. Small under test, so that places retire.
const LAST_GENERATION: u64 = if cfg!(test) {
    3
} else {
    (1 << GENERATION_BITS) - 1
};

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A ractor.
    Ractor = 1,
    /// A slot.
    Slot = 2,
    /// A pull walk.
    Walk = 3,
    /// An image.
    Image = 4,
    /// A link.
    Link = 5,
    /// A remote.
    Remote = 6,
}

struct Place<T> {
    generation: u64,
    entry: Option<T>,
}

/// Entries of one kind, of one vm.
pub struct Table<T> {
    prefix: u64,
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

/// The bits that all ids of one kind and vm share.
fn prefix(kind: Kind, vm: u64) -> u64 {
    ((kind as u64) << 12 | (vm & 0xfff)) << 48
}

impl<T> Table<T> {
    /// An empty table; `vm` is the number of the vm, of which the low 12 bits count.
    pub fn new(kind: Kind, vm: u64, allocator: HostAllocator) -> Self {
        Table {
            prefix: prefix(kind, vm),
            places: Vec::new_in(allocator),
            free: Vec::new_in(allocator),
        }
    }

    /// Enters something, under a new id.
    pub fn add(&mut self, entry: T) -> Result<u64, rs_status> {
        let index = match self.free.pop() {
            Some(index) => index as usize,
            None => {
                if self.places.len() >> INDEX_BITS != 0 {
                    return Err(RS_ERR_LIMIT);
                }
                // The list of free places must be able to take each place: removing never fails.
                let wanted = self.places.len() + 1 - self.free.len();
                self.free
                    .try_reserve(wanted)
                    .map_err(|_| crate::status::RS_ERR_MEMORY)?;
                push(
                    &mut self.places,
                    Place {
                        generation: 0,
                        entry: None,
                    },
                )?;
                self.places.len() - 1
            }
        };
        let place = &mut self.places[index];
        place.generation += 1;
        place.entry = Some(entry);
        Ok(self.prefix | place.generation << INDEX_BITS | index as u64)
    }

    /// Removes what an id names.
    pub fn remove(&mut self, id: u64) -> Result<T, rs_status> {
        let index = self.index(id)?;
        let place = &mut self.places[index];
        let entry = place.entry.take().ok_or(RS_ERR_CLOSED)?;
        if place.generation < LAST_GENERATION {
            self.free.push(index as u32);
        }
        Ok(entry)
    }

    /// What an id names.
    pub fn get(&self, id: u64) -> Result<&T, rs_status> {
        let index = self.index(id)?;
        self.places[index].entry.as_ref().ok_or(RS_ERR_CLOSED)
    }

    /// What an id names.
    pub fn get_mut(&mut self, id: u64) -> Result<&mut T, rs_status> {
        let index = self.index(id)?;
        self.places[index].entry.as_mut().ok_or(RS_ERR_CLOSED)
    }

    fn index(&self, id: u64) -> Result<usize, rs_status> {
        if id == 0 {
            return Err(RS_ERR_ARGUMENT);
        }
        if id >> 48 != self.prefix >> 48 {
            return Err(RS_ERR_FOREIGN);
        }
        let index = (id & ((1 << INDEX_BITS) - 1)) as usize;
        let generation = (id >> INDEX_BITS) & ((1 << GENERATION_BITS) - 1);
        match self.places.get(index) {
            Some(place) if place.generation == generation => Ok(index),
            Some(place) if place.generation > generation && generation > 0 => Err(RS_ERR_CLOSED),
            _ => Err(RS_ERR_FOREIGN),
        }
    }

    /// How many entries there ever were places for: bounds [`Table::at`].
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// The entry at a place, with its id.
    pub fn at(&self, index: usize) -> Option<(u64, &T)> {
        let place = self.places.get(index)?;
        let id = self.prefix | place.generation << INDEX_BITS | index as u64;
        place.entry.as_ref().map(|entry| (id, entry))
    }

    /// Every entry, with its id.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut T)> {
        let prefix = self.prefix;
        self.places
            .iter_mut()
            .enumerate()
            .filter_map(move |(index, place)| {
                let id = prefix | place.generation << INDEX_BITS | index as u64;
                place.entry.as_mut().map(|entry| (id, entry))
            })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn table() -> Table<&'static str> {
        Table::new(Kind::Slot, 7, HostAllocator::malloc())
    }

    #[test]
    fn an_id_finds_its_entry_until_it_is_removed_and_never_again() {
        let mut table = table();
        let a = table.add("a").unwrap();
        assert_eq!(table.get(a), Ok(&"a"));
        assert_eq!(table.remove(a), Ok("a"));
        assert_eq!(table.get(a), Err(RS_ERR_CLOSED));
        let b = table.add("b").unwrap();
        assert_ne!(a, b);
        assert_eq!(table.get(a), Err(RS_ERR_CLOSED));
        assert_eq!(table.get(b), Ok(&"b"));
    }

    #[test]
    fn a_place_retires_when_its_generations_are_used_up() {
        let mut table = table();
        for _ in 0..3 {
            let id = table.add("x").unwrap();
            assert_eq!(id & 0xff, 0);
            table.remove(id).unwrap();
        }
        assert_eq!(table.add("y").unwrap() & 0xff, 1);
    }

    #[test]
    fn ids_of_other_kinds_vms_and_places_are_foreign() {
        let mut table = table();
        let id = table.add("a").unwrap();
        let other_vm = id ^ 1 << 48;
        let other_kind = id ^ 1 << 61;
        assert_eq!(table.get(0), Err(RS_ERR_ARGUMENT));
        for foreign in [other_vm, other_kind, id + 1, id + (1 << 28), u64::MAX] {
            assert_eq!(table.get(foreign), Err(RS_ERR_FOREIGN));
        }
    }
}
