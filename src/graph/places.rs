//! Where in an image the node of each object stands.
//!
//! A table in two levels, as of pages: objects that were made one after the other lie beside each other, and
//! are mostly met one after the other, so neighbours share a region of the table, which is in the cache then. A
//! hash table of objects would touch a line of its own for each.

use super::image::Word;
use crate::host::memory::{HostAllocator, Map, Vec, insert, push};
use crate::status::{RS_ERR_LIMIT, rs_status};

/// Bytes of the heap in a region.
const REGION_BITS: u32 = 9;
/// No two objects begin in the same word.
const GRANULE_BITS: u32 = 3;
const SLOTS: usize = 1 << (REGION_BITS - GRANULE_BITS);

/// An opaque value, and not a node.
const OPAQUE: u32 = 1 << 31;

type Region = [u32; SLOTS];

/// What stands for each object that was met.
pub struct Places {
    regions: Vec<Region>,
    /// Where the region of an address is, without its low bits.
    of_address: Map<usize, u32>,
    /// The region that was asked for last.
    last: (usize, u32),
}

/// The place of one object.
#[derive(Clone, Copy)]
pub struct Place {
    region: u32,
    slot: usize,
}

impl Place {
    /// Of nothing.
    pub const NONE: Place = Place { region: 0, slot: 0 };
}

impl Places {
    /// No object was met.
    pub fn new(allocator: HostAllocator) -> Self {
        Places {
            regions: Vec::new_in(allocator),
            of_address: Map::with_hasher_in(Default::default(), allocator),
            last: (usize::MAX, 0),
        }
    }

    /// The place of the object at an address.
    #[inline]
    pub fn find(&mut self, address: usize) -> Result<Place, rs_status> {
        let region = self.region(address >> REGION_BITS)?;
        let slot = address >> GRANULE_BITS & (SLOTS - 1);
        Ok(Place { region, slot })
    }

    #[inline]
    fn region(&mut self, key: usize) -> Result<u32, rs_status> {
        if self.last.0 != key {
            self.last = (key, self.other_region(key)?);
        }
        Ok(self.last.1)
    }

    fn other_region(&mut self, key: usize) -> Result<u32, rs_status> {
        if let Some(&index) = self.of_address.get(&key) {
            return Ok(index);
        }
        let index = u32::try_from(self.regions.len()).map_err(|_| RS_ERR_LIMIT)?;
        push(&mut self.regions, [0; SLOTS])?;
        insert(&mut self.of_address, key, index)?;
        Ok(index)
    }

    /// What stands for the object, if it was met.
    #[inline]
    pub fn get(&self, place: Place) -> Option<Word> {
        match self.regions[place.region as usize][place.slot] {
            0 => None,
            found if found & OPAQUE != 0 => Some(Word::opaque((found & !OPAQUE) as usize)),
            found => Some(Word::node(found as usize)),
        }
    }

    /// The object is met: its node begins at this word.
    #[inline]
    pub fn set_node(&mut self, place: Place, index: usize) -> Result<(), rs_status> {
        self.set(place, small(index)?);
        Ok(())
    }

    /// The object is met: it is referred to by this number.
    pub fn set_opaque(&mut self, place: Place, number: usize) -> Result<(), rs_status> {
        self.set(place, OPAQUE | small(number)?);
        Ok(())
    }

    #[inline]
    fn set(&mut self, place: Place, found: u32) {
        self.regions[place.region as usize][place.slot] = found;
    }
}

/// As many bits as there is room for.
#[inline]
fn small(index: usize) -> Result<u32, rs_status> {
    match u32::try_from(index) {
        Ok(index) if index < OPAQUE => Ok(index),
        _ => Err(RS_ERR_LIMIT),
    }
}
