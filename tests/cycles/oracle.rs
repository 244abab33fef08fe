//! What is alive, by a search through all heaps and all that is under way.

use crate::heap::{Object, object};
use crate::tree::Tree;
use std::cell::Cell;
use std::collections::BTreeSet;

impl Tree {
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

    /// What a wrapper leads to: the object itself, or what stands for it in the process on the way.
    fn behind(&self, process: usize, wrapper: &Object) -> Option<(usize, &Object)> {
        if wrapper.name.0 >= self.heaps.len() {
            return None;
        }
        let next = self.next_to(process, wrapper.name.0);
        if wrapper.name.0 == next {
            return Some((next, self.named(wrapper.name)));
        }
        let mut objects = self.heaps[next].objects().into_iter();
        let stands = |object: &&Object| {
            object.is_wrapper() && object.name == wrapper.name && !object.is_freed.get()
        };
        objects.find(stands).map(|object| (next, object))
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
        self.expect_counts_agree();
    }

    /// Pins are what the other end refers to.
    pub fn expect_counts_agree(&self) {
        self.heaps.iter().for_each(|heap| heap.collect());
        self.drain();
        for edge in &self.edges {
            let parent = self.heaps[edge.parent].counts(edge.ends.0);
            let child = self.heaps[edge.child].counts(edge.ends.1);
            assert_eq!((parent.pins, parent.remotes), (child.remotes, child.pins));
        }
    }

    /// What a round of a hub must keep: what the programs of its star hold leads to it, or a link outside of the star.
    fn needed_in_star(&self, hub: usize) -> BTreeSet<*const Object> {
        let star = self.star_of(hub);
        let mut worklist: Vec<(usize, &Object)> = Vec::new();
        for (process, heap) in self.heaps.iter().enumerate() {
            if star.contains(&process) {
                let held = heap.roots.iter().map(Cell::get).chain(heap.held());
                worklist.extend(held.filter_map(|value| Some((process, object(value)?))));
                continue;
            }
            let objects = heap.objects().into_iter();
            let kept = objects.filter(|object| object.is_wrapper() && !object.is_freed.get());
            let behind = kept.filter_map(|wrapper| self.behind(process, wrapper));
            worklist.extend(behind.filter(|(process, _)| star.contains(process)));
        }
        let mut needed = BTreeSet::new();
        while let Some((process, object)) = worklist.pop() {
            if !needed.insert(&raw const *object) {
                continue;
            }
            let fields = object.fields.iter().map(Cell::get);
            worklist
                .extend(fields.filter_map(|value| Some((process, crate::heap::object(value)?))));
            if object.is_wrapper() {
                let behind = self.behind(process, object).into_iter();
                worklist.extend(behind.filter(|(process, _)| star.contains(process)));
            }
        }
        needed
    }

    /// After rounds of all hubs: what is reachable can be used, and no round of any of them could free more.
    pub fn expect_no_garbage_in_stars(&self) {
        for hub in self.hubs() {
            let needed = self.needed_in_star(hub);
            for process in self.star_of(hub) {
                let mut objects = self.heaps[process].objects().into_iter();
                let is_left = |object: &&Object| {
                    !object.is_freed.get() && !needed.contains(&std::ptr::from_ref(*object))
                };
                let left = objects.find(is_left).map(|object| object.name);
                assert_eq!(left, None, "in process {process}, by the round of {hub}");
            }
        }
        self.expect_all_usable();
        self.expect_counts_agree();
    }
}
