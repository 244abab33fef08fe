//! The images that a host holds by id.

use crate::graph::image::Image;
use crate::host::contract::rs_value;
use crate::host::memory::{Box, HostAllocator, Vec, boxed};
use crate::host::table::{Kind, Table};
use crate::status::{RS_ERR_CLOSED, rs_status};
use crate::sync::{Mutex, lock};

/// An image, and the host's values that it refers to.
pub struct Kept {
    words: Vec<u64>,
    opaques: Vec<rs_value>,
}

struct Entry {
    kept: Box<Kept>,
    /// Threads that read it.
    readers: u32,
    /// Freed meanwhile: the last reader takes it away.
    is_freed: bool,
}

/// All images of a vm.
pub struct Images {
    table: Mutex<Table<Entry>>,
    allocator: HostAllocator,
}

/// An image that is being read, and stays until this is dropped.
pub struct Reading<'a> {
    images: &'a Images,
    id: u64,
    kept: *const Kept,
}

impl Images {
    /// None, of the vm with this number.
    pub fn new(vm: u64, allocator: HostAllocator) -> Self {
        Images {
            table: Mutex::new(Table::new(Kind::Image, vm, allocator)),
            allocator,
        }
    }

    /// Keeps an image, which was made here or validated; returns its id.
    pub fn add(&self, words: Vec<u64>, opaques: Vec<rs_value>) -> Result<u64, rs_status> {
        let entry = Entry {
            kept: boxed(Kept { words, opaques }, self.allocator)?,
            readers: 0,
            is_freed: false,
        };
        lock(&self.table).add(entry)
    }

    /// Begins to read an image.
    pub fn read(&self, id: u64) -> Result<Reading<'_>, rs_status> {
        let mut table = lock(&self.table);
        let entry = table.get_mut(id)?;
        if entry.is_freed {
            return Err(RS_ERR_CLOSED);
        }
        entry.readers += 1;
        Ok(Reading {
            images: self,
            id,
            kept: &raw const *entry.kept,
        })
    }

    /// Frees an image; who reads it may go on.
    pub fn free(&self, id: u64) -> Result<(), rs_status> {
        let mut table = lock(&self.table);
        let entry = table.get_mut(id)?;
        if entry.is_freed {
            return Err(RS_ERR_CLOSED);
        }
        entry.is_freed = true;
        if entry.readers == 0 {
            table.remove(id)?;
        }
        Ok(())
    }

    /// Visits the place of every value that an image refers to.
    pub fn for_each_root(&self, visit: &mut dyn FnMut(&mut rs_value)) {
        for (_, entry) in lock(&self.table).iter_mut() {
            entry.kept.opaques.iter_mut().for_each(&mut *visit);
        }
    }
}

impl Reading<'_> {
    fn kept(&self) -> &Kept {
        // SAFETY: boxed, so that it does not move; taken away only when nobody reads it.
        unsafe { &*self.kept }
    }

    /// Its words.
    pub fn words(&self) -> &[u64] {
        &self.kept().words
    }

    /// The values that it refers to. They change when the host's collector moves objects.
    pub fn opaques(&self) -> &[rs_value] {
        &self.kept().opaques
    }

    /// The image. It was validated when it was taken in, or made here.
    pub fn image(&self) -> Image<'_> {
        Image::of_valid(self.words())
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut table = lock(&self.images.table);
        if let Ok(entry) = table.get_mut(self.id) {
            entry.readers -= 1;
            if entry.is_freed && entry.readers == 0 {
                // It is there: it was just found.
                let _ = table.remove(self.id);
            }
        }
    }
}
