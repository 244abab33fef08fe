//! What is alive, by a search through all three heaps and all that is under way.

use crate::heap::{Object, object};
use crate::star::{HUB, Star};
use std::cell::Cell;
use std::collections::BTreeSet;

impl Star {
    /// All objects that a program can reach, or a message under way.
    pub fn reached(&self) -> BTreeSet<*const Object> {
        let mut reached = BTreeSet::new();
        let mut worklist: Vec<(usize, &Object)> = Vec::new();
        for heap in &self.heaps {
            let held = heap.roots.iter().map(|root| root.get()).chain(heap.held());
            worklist.extend(held.filter_map(|value| Some((heap.process, object(value)?))));
        }
        for flight in self.flights.borrow().values() {
            worklist.extend(flight.holds.iter().map(|&name| (name.0, self.named(name))));
        }
        while let Some((process, object)) = worklist.pop() {
            if !reached.insert(&raw const *object) {
                continue;
            }
            let fields = object.fields.iter().map(Cell::get);
            worklist
                .extend(fields.filter_map(|value| Some((process, crate::heap::object(value)?))));
            if object.is_wrapper() {
                worklist.extend(self.behind(process, object));
            }
        }
        reached
    }

    /// What a wrapper leads to: the object itself, or what stands for it in the hub.
    fn behind(&self, process: usize, wrapper: &Object) -> Option<(usize, &Object)> {
        if wrapper.name.0 >= self.heaps.len() {
            return None;
        }
        if process == HUB || wrapper.name.0 == HUB {
            return Some((wrapper.name.0, self.named(wrapper.name)));
        }
        let mut objects = self.heaps[HUB].objects().into_iter();
        let stands = |object: &&Object| {
            object.is_wrapper() && object.name == wrapper.name && !object.is_freed.get()
        };
        objects.find(stands).map(|object| (HUB, object))
    }

    /// What is reachable can be used.
    pub fn expect_all_usable(&self) {
        let reached = self.reached();
        for heap in &self.heaps {
            for object in heap.objects() {
                let is_known = object.name.0 < self.heaps.len();
                let is_reached = reached.contains(&std::ptr::from_ref(object));
                if is_reached && is_known && object.is_wrapper() {
                    let read = heap.request(object, 0, None);
                    assert!(read.is_ok(), "{:?}: {read:?}", object.name);
                }
            }
        }
    }

    /// What is reachable can be used; all else is freed, and pins and remotes are what they must be.
    pub fn expect_no_garbage(&self) {
        let reached = self.reached();
        for heap in &self.heaps {
            for object in heap.objects() {
                assert_eq!(
                    object.is_freed.get(),
                    !reached.contains(&std::ptr::from_ref(object)),
                    "object {:?} in process {}",
                    object.name,
                    heap.process
                );
            }
        }
        self.expect_all_usable();
        (0..3).for_each(|process| self.heaps[process].collect());
        self.drain();
        for (index, &(own, theirs)) in self.links.iter().enumerate() {
            let hub = self.heaps[HUB].counts(own);
            let child = self.heaps[index + 1].counts(theirs);
            assert_eq!((hub.pins, hub.remotes), (child.remotes, child.pins));
        }
    }
}
