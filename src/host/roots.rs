//! Values that the library holds while the host may collect: arrays that a collector visits.

use super::contract::rs_value;
use super::memory::{HostAllocator, Vec, push};
use crate::status::{RS_ERR_MEMORY, rs_status};
use crate::sync::{Mutex, lock};
use core::cell::Cell;
use core::ops::Deref;

/// Where an array lies. Its owner takes it off the list before it is gone.
struct Range {
    start: *const Cell<rs_value>,
    length: usize,
}

// SAFETY: only a collector follows the pointer, while every thread of the host is stopped.
unsafe impl Send for Range {}

/// All arrays of values that are held now.
pub struct Roots {
    ranges: Mutex<Vec<Range>>,
    allocator: HostAllocator,
}

impl Roots {
    /// None.
    pub fn new(allocator: HostAllocator) -> Self {
        Roots {
            ranges: Mutex::new(Vec::new_in(allocator)),
            allocator,
        }
    }

    /// An array of zeros, which are no objects.
    pub fn array(&self, length: usize) -> Result<RootArray<'_>, rs_status> {
        let mut values = Vec::new_in(self.allocator);
        if length == 0 {
            return Ok(RootArray {
                roots: self,
                values,
            });
        }
        values
            .try_reserve_exact(length)
            .map_err(|_| RS_ERR_MEMORY)?;
        values.resize(length, Cell::new(0));
        let range = Range {
            start: values.as_ptr(),
            length,
        };
        push(&mut lock(&self.ranges), range)?;
        Ok(RootArray {
            roots: self,
            values,
        })
    }

    /// Visits the place of every value.
    pub fn for_each_mut(&self, visit: &mut dyn FnMut(&mut rs_value)) {
        for range in lock(&self.ranges).iter() {
            for index in 0..range.length {
                // SAFETY: the array is there as long as its range, and its thread is stopped.
                let place = unsafe { &*range.start.add(index) };
                let mut value = place.get();
                if value != 0 {
                    visit(&mut value);
                    place.set(value);
                }
            }
        }
    }
}

/// An array of values that a collector visits, and updates when objects move: in cells, since that may
/// happen during any call of the host.
pub struct RootArray<'a> {
    roots: &'a Roots,
    values: Vec<Cell<rs_value>>,
}

impl Deref for RootArray<'_> {
    type Target = [Cell<rs_value>];

    #[inline(always)]
    fn deref(&self) -> &[Cell<rs_value>] {
        &self.values
    }
}

impl Drop for RootArray<'_> {
    fn drop(&mut self) {
        if self.values.is_empty() {
            return;
        }
        let start = self.values.as_ptr();
        let mut ranges = lock(&self.roots.ranges);
        if let Some(index) = ranges.iter().position(|range| range.start == start) {
            ranges.swap_remove(index);
        }
    }
}
