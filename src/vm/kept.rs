//! Things that a host holds by id, and may give back while a call of another thread uses them.

use crate::host::memory::{Box, HostAllocator, boxed};
use crate::host::table::{Kind, Table};
use crate::status::{RS_ERR_CLOSED, rs_status};
use crate::sync::{Mutex, lock};
use core::ops::Deref;

struct Entry<T> {
    kept: Box<T>,
    /// Calls that use it.
    users: u32,
    /// Given back meanwhile: the last user takes it away.
    is_freed: bool,
}

/// Things of one kind.
pub struct Kept<T> {
    table: Mutex<Table<Entry<T>>>,
    allocator: HostAllocator,
}

/// A thing that stays until this is dropped.
pub struct Using<'a, T> {
    all: &'a Kept<T>,
    id: u64,
    kept: *const T,
}

impl<T> Kept<T> {
    /// None, of the vm with this number.
    pub fn new(kind: Kind, vm: u64, allocator: HostAllocator) -> Self {
        Kept {
            table: Mutex::new(Table::new(kind, vm, allocator)),
            allocator,
        }
    }

    /// Keeps a thing; returns its id.
    pub fn add(&self, thing: T) -> Result<u64, rs_status> {
        let entry = Entry {
            kept: boxed(thing, self.allocator)?,
            users: 0,
            is_freed: false,
        };
        lock(&self.table).add(entry)
    }

    /// Begins to use a thing.
    pub fn get(&self, id: u64) -> Result<Using<'_, T>, rs_status> {
        let mut table = lock(&self.table);
        let entry = table.get_mut(id)?;
        if entry.is_freed {
            return Err(RS_ERR_CLOSED);
        }
        entry.users += 1;
        Ok(Using {
            all: self,
            id,
            kept: &raw const *entry.kept,
        })
    }

    /// Gives a thing back; who uses it may go on.
    pub fn free(&self, id: u64) -> Result<(), rs_status> {
        let mut table = lock(&self.table);
        let entry = table.get_mut(id)?;
        if entry.is_freed {
            return Err(RS_ERR_CLOSED);
        }
        entry.is_freed = true;
        if entry.users == 0 {
            let removed = table.remove(id)?;
            drop(table);
            drop(removed);
        }
        Ok(())
    }

    /// Visits everything, for a collector.
    pub fn for_each_mut(&self, mut visit: impl FnMut(&mut T)) {
        for (_, entry) in lock(&self.table).iter_mut() {
            visit(&mut entry.kept);
        }
    }
}

impl<T> Deref for Using<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: boxed, so that it does not move; taken away only when nobody uses it.
        unsafe { &*self.kept }
    }
}

impl<T> Drop for Using<'_, T> {
    fn drop(&mut self) {
        let mut table = lock(&self.all.table);
        let Ok(entry) = table.get_mut(self.id) else {
            return;
        };
        entry.users -= 1;
        if entry.is_freed && entry.users == 0 {
            let removed = table.remove(self.id);
            drop(table);
            drop(removed);
        }
    }
}
