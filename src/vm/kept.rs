//! Things that a host holds by id, and may give back while a call of another thread uses them.

use crate::host::memory::{Box, HostAllocator, boxed};
use crate::host::table::{Kind, Table};
use crate::status::{RS_ERR_CLOSED, rs_status};
use crate::sync::{AtomicU32, Mutex, Ordering, lock};
use core::ops::Deref;

/// In the number of users: the thing was given back, so the last of them takes it away.
const FREED: u32 = 1 << 31;

struct Counted<T> {
    thing: T,
    /// Calls that use it. Only goes up under the lock of the table.
    users: AtomicU32,
}

impl<T> Counted<T> {
    fn is_freed(&self) -> bool {
        self.users.load(Ordering::Relaxed) & FREED != 0
    }
}

/// Things of one kind.
pub struct Kept<T> {
    table: Mutex<Table<Box<Counted<T>>>>,
    allocator: HostAllocator,
}

/// A thing that stays until this is dropped.
pub struct Using<'a, T> {
    all: &'a Kept<T>,
    id: u64,
    counted: *const Counted<T>,
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
        let counted = Counted {
            thing,
            users: AtomicU32::new(0),
        };
        let counted = boxed(counted, self.allocator)?;
        lock(&self.table).add(counted)
    }

    /// Begins to use a thing.
    #[inline]
    pub fn get(&self, id: u64) -> Result<Using<'_, T>, rs_status> {
        let table = lock(&self.table);
        let counted = table.get(id)?;
        match counted.is_freed() {
            false => Ok(self.using(id, counted)),
            true => Err(RS_ERR_CLOSED),
        }
    }

    /// How many things there ever were places for: bounds [`Kept::at`].
    pub fn places(&self) -> usize {
        lock(&self.table).places()
    }

    /// Begins to use the thing at a place, if there is one; with its id.
    pub fn at(&self, index: usize) -> Option<(u64, Using<'_, T>)> {
        let table = lock(&self.table);
        let (id, counted) = table.at(index)?;
        (!counted.is_freed()).then(|| (id, self.using(id, counted)))
    }

    /// The table is locked.
    fn using(&self, id: u64, counted: &Counted<T>) -> Using<'_, T> {
        counted.users.fetch_add(1, Ordering::Relaxed);
        Using {
            all: self,
            id,
            counted,
        }
    }

    /// Gives a thing back; who uses it may go on.
    pub fn free(&self, id: u64) -> Result<(), rs_status> {
        let mut table = lock(&self.table);
        // Whoever stops using it sees that it was given back, or is seen here to have stopped.
        let before = table.get(id)?.users.fetch_or(FREED, Ordering::AcqRel);
        if before & FREED != 0 {
            return Err(RS_ERR_CLOSED);
        }
        if before == 0 {
            let removed = table.remove(id)?;
            drop(table);
            drop(removed);
        }
        Ok(())
    }

    /// Visits everything, for a collector.
    pub fn for_each_mut(&self, mut visit: impl FnMut(&mut T)) {
        for (_, counted) in lock(&self.table).iter_mut() {
            visit(&mut counted.thing);
        }
    }
}

impl<T> Deref for Using<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: boxed, so that it does not move; taken away only when nobody uses it.
        unsafe { &(*self.counted).thing }
    }
}

impl<T> Drop for Using<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this one still uses it.
        let before = unsafe { (*self.counted).users.fetch_sub(1, Ordering::AcqRel) };
        if before == FREED + 1 {
            let mut table = lock(&self.all.table);
            let removed = table.remove(self.id);
            drop(table);
            drop(removed);
        }
    }
}
