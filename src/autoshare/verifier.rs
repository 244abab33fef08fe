//! A debug mode that looks for writes which no check announced: an inline cache that compares only the
//! shape, a test of the frozen bit alone, compiled code with the bit hard-wired.
//!
//! What each A object holds is copied when it is marked, and compared when it is claimed and when
//! the host asks. Children are copied and not hashed, since a collector may move them.
//!
//! The lock is parking_lot's, which spins before it sleeps and is a word beside the data; it may be
//! caught by a fork, so a forked child never touches it: there the verifier is off.

use crate::host::callbacks::Callbacks;
use crate::host::contract::rs_value;
use crate::host::heap::{Heap, Object, Scanned};
use crate::host::memory::{self, AddressHasher, HostAllocator, Map, Vec, push};
use crate::status::rs_status;
use crate::sync::{AtomicBool, Ordering};
use parking_lot::Mutex;

/// What an object held when it was marked.
struct Content {
    own: u64,
    children: Vec<rs_value>,
}

struct Watched {
    contents: Map<rs_value, Content>,
    /// Objects that had changed when they were claimed, and were not yet reported.
    changed: Vec<rs_value>,
}

/// The verifier of one vm.
pub struct Verifier {
    on: AtomicBool,
    watched: Mutex<Watched>,
    allocator: HostAllocator,
}

impl Verifier {
    /// On or off for good.
    pub fn new(on: bool, allocator: HostAllocator) -> Self {
        Verifier {
            on: AtomicBool::new(on),
            watched: Mutex::new(Watched {
                contents: Map::with_hasher_in(AddressHasher, allocator),
                changed: Vec::new_in(allocator),
            }),
            allocator,
        }
    }

    /// Whether it watches.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// In a forked child.
    pub fn switch_off(&self) {
        self.on.store(false, Ordering::Relaxed);
    }

    /// An object is being marked: remembers what it holds.
    pub fn watch<H: Heap>(
        &self,
        heap: &H,
        callbacks: &Callbacks,
        object: Object,
    ) -> Result<(), rs_status> {
        if !self.is_on() {
            return Ok(());
        }
        let content = self.read(heap, callbacks, object)?;
        memory::insert(&mut self.watched.lock().contents, object.0, content)?;
        Ok(())
    }

    /// A check has announced a write, or the object is no longer A for another reason.
    pub fn forget(&self, object: Object) {
        if self.is_on() {
            self.watched.lock().contents.remove(&object.0);
        }
    }

    /// Compares an object with what it held, and forgets it if it has changed. Its owner does not
    /// write it meanwhile.
    pub fn has_changed<H: Heap>(
        &self,
        heap: &H,
        callbacks: &Callbacks,
        object: Object,
    ) -> Result<bool, rs_status> {
        if !self.is_on() {
            return Ok(false);
        }
        let now = self.read(heap, callbacks, object)?;
        let mut watched = self.watched.lock();
        let Some(content) = watched.contents.get(&object.0) else {
            return Ok(false);
        };
        let changed = content.own != now.own || content.children != now.children;
        if changed {
            watched.contents.remove(&object.0);
        }
        Ok(changed)
    }

    /// A walk has claimed an object, and its owner waits before it writes: compares it.
    pub fn compare_claimed<H: Heap>(
        &self,
        heap: &H,
        callbacks: &Callbacks,
        object: Object,
    ) -> Result<(), rs_status> {
        if self.has_changed(heap, callbacks, object)? {
            push(&mut self.watched.lock().changed, object.0)?;
        }
        Ok(())
    }

    /// Takes one of the objects that walks found changed.
    pub fn take_changed(&self) -> Option<Object> {
        if !self.is_on() {
            return None;
        }
        self.watched.lock().changed.pop().map(Object)
    }

    /// Every object that is watched, for the host's own request. Empty without memory.
    pub fn all(&self) -> Result<Vec<rs_value>, rs_status> {
        let watched = self.watched.lock();
        let mut all = Vec::new_in(self.allocator);
        all.try_reserve(watched.contents.len())
            .map_err(|_| crate::status::RS_ERR_MEMORY)?;
        all.extend(watched.contents.keys().copied());
        Ok(all)
    }

    /// Forgets what did not survive; a dead child is a changed one.
    pub fn sweep(&self, is_alive: &mut dyn FnMut(rs_value) -> bool) {
        if !self.is_on() {
            return;
        }
        let mut watched = self.watched.lock();
        watched.contents.retain(|&object, content| {
            let survives = is_alive(object);
            if survives {
                for child in content.children.iter_mut().filter(|child| **child != 0) {
                    if !is_alive(*child) {
                        *child = 0;
                    }
                }
            }
            survives
        });
        watched.changed.retain(|&object| is_alive(object));
    }

    /// Follows what has moved.
    pub fn update(&self, forward: &mut dyn FnMut(rs_value) -> rs_value) {
        if !self.is_on() {
            return;
        }
        let mut watched = self.watched.lock();
        let mut updated = Map::with_hasher_in(AddressHasher, self.allocator);
        if updated.try_reserve(watched.contents.len()).is_err() {
            watched.contents.clear();
            return;
        }
        for (object, mut content) in watched.contents.drain() {
            for child in content.children.iter_mut().filter(|child| **child != 0) {
                *child = forward(*child);
            }
            updated.insert(forward(object), content);
        }
        watched.contents = updated;
        watched
            .changed
            .iter_mut()
            .for_each(|object| *object = forward(*object));
    }

    /// What an object holds: its children, 0 for each immediate, and a hash of everything else.
    fn read<H: Heap>(
        &self,
        heap: &H,
        callbacks: &Callbacks,
        object: Object,
    ) -> Result<Content, rs_status> {
        let plan = heap.plan(object);
        let mut children = Vec::new_in(self.allocator);
        let mut own = callbacks.content_hash(object);
        let mut pushed = Ok(());
        let mut cursor = 0;
        loop {
            let scanned = heap.scan(object, plan, cursor, usize::MAX, |value| {
                let child = heap.object(value).map_or(0, |child| child.0);
                if child == 0 {
                    own = own.rotate_left(7) ^ (value as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                }
                if let Err(status) = push(&mut children, child) {
                    pushed = Err(status);
                }
            })?;
            pushed?;
            match scanned {
                Scanned::All => return Ok(Content { own, children }),
                Scanned::Upto(next) => cursor = next,
            }
        }
    }
}
