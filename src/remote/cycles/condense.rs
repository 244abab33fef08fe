//! Condenses the part of a heap that its own roots do not reach: to what each pin in it leads to.
//!
//! Objects that reach each other lead to the same remotes, so they become one: these are the strongly
//! connected components of the graph, found in one depth-first search (R. Tarjan, "Depth-first search and linear
//! graph algorithms", SIAM J. Comput. 1, 1972), here with stacks of its own instead of recursion. A component
//! is complete when everything that it reaches is. So what it leads to is known then, and most components need
//! no node: those that lead to nothing, or to one thing only, as the cells of a list before the one remote in
//! it, are that thing. What is left has fewer nodes than the heap has forks, and is never larger than
//! the heap.
//!
//! Costs a few words for each object that is visited, and time in proportion to their references, but for the
//! sorting of what a component leads to.

use super::summary::{Nodes, Target};
use crate::host::contract::rs_value;
use crate::host::memory::{HostAllocator, Map, Vec, insert, push};
use crate::status::{RS_ERR_LIMIT, rs_status};

/// The part of a heap that is condensed.
pub trait Part {
    /// Appends the children of an object that are in this part.
    fn children(&self, object: rs_value, into: &mut Vec<rs_value>) -> Result<(), rs_status>;
}

/// An object that was met.
#[derive(Clone, Copy)]
enum Visited {
    /// Its component is not complete; this object, by the order of visits, is the first that it is known to
    /// reach.
    Open(u32),
    /// Its component leads there.
    Complete(Target),
}

/// An object whose children are being visited.
struct Frame {
    object: u32,
    /// Where those begin that were not visited yet: they reach to the next frame's.
    children: usize,
    /// Where that begins which was found since this object was met.
    found: usize,
}

/// A search, which remembers what it has visited.
pub struct Condenser<'a, P> {
    part: &'a P,
    /// The remotes that objects stand for.
    remotes: Map<rs_value, Target>,
    /// Which object, by the order of visits.
    orders: Map<rs_value, u32>,
    visited: Vec<Visited>,
    path: Vec<Frame>,
    children: Vec<rs_value>,
    /// The objects whose components are not complete, in the order of visits.
    open: Vec<u32>,
    /// What the open objects lead to, besides each other.
    found: Vec<Target>,
    nodes: Nodes,
}

impl<'a, P: Part> Condenser<'a, P> {
    /// Nothing is visited yet.
    pub fn new(part: &'a P, allocator: HostAllocator) -> Self {
        Condenser {
            part,
            remotes: Map::with_hasher_in(Default::default(), allocator),
            orders: Map::with_hasher_in(Default::default(), allocator),
            visited: Vec::new_in(allocator),
            path: Vec::new_in(allocator),
            children: Vec::new_in(allocator),
            open: Vec::new_in(allocator),
            found: Vec::new_in(allocator),
            nodes: Nodes::new(allocator),
        }
    }

    /// An object of the part stands for a remote.
    pub fn add_remote(&mut self, object: rs_value, remote: Target) -> Result<(), rs_status> {
        insert(&mut self.remotes, object, remote).map(drop)
    }

    /// What an object of the part leads to.
    pub fn lead(&mut self, object: rs_value) -> Result<Target, rs_status> {
        if let Some(&order) = self.orders.get(&object) {
            return Ok(self.complete(order));
        }
        let order = self.meet(object)?;
        while let Some(frame) = self.path.last() {
            match self.children.len() > frame.children {
                true => self.visit_child()?,
                false => self.leave()?,
            }
        }
        self.found.clear();
        Ok(self.complete(order))
    }

    /// What lies between the objects and the remotes.
    pub fn into_nodes(self) -> Nodes {
        self.nodes
    }

    fn complete(&self, order: u32) -> Target {
        match self.visited[order as usize] {
            Visited::Complete(target) => target,
            Visited::Open(_) => Target::NOTHING,
        }
    }

    /// Begins with an object that was not met before.
    fn meet(&mut self, object: rs_value) -> Result<u32, rs_status> {
        let order = u32::try_from(self.visited.len()).map_err(|_| RS_ERR_LIMIT)?;
        insert(&mut self.orders, object, order)?;
        push(&mut self.visited, Visited::Open(order))?;
        push(&mut self.open, order)?;
        let frame = Frame {
            object: order,
            children: self.children.len(),
            found: self.found.len(),
        };
        push(&mut self.path, frame)?;
        if let Some(&remote) = self.remotes.get(&object) {
            push(&mut self.found, remote)?;
        }
        self.part.children(object, &mut self.children)?;
        Ok(order)
    }

    fn visit_child(&mut self) -> Result<(), rs_status> {
        let Some(child) = self.children.pop() else {
            return Ok(());
        };
        let Some(&order) = self.orders.get(&child) else {
            return self.meet(child).map(drop);
        };
        match self.visited[order as usize] {
            Visited::Open(_) => self.reach(order),
            Visited::Complete(target) => return self.find(target),
        }
        Ok(())
    }

    /// The object on top of the path reaches one that is open.
    fn reach(&mut self, other: u32) {
        if let Some(frame) = self.path.last()
            && let Visited::Open(first) = &mut self.visited[frame.object as usize]
        {
            *first = other.min(*first);
        }
    }

    fn find(&mut self, target: Target) -> Result<(), rs_status> {
        match target {
            Target::NOTHING => Ok(()),
            target => push(&mut self.found, target),
        }
    }

    /// All children of the object on top of the path are visited.
    fn leave(&mut self) -> Result<(), rs_status> {
        let Some(frame) = self.path.pop() else {
            return Ok(());
        };
        match self.visited[frame.object as usize] {
            Visited::Open(first) if first == frame.object => {
                let target = self.close(&frame)?;
                self.find(target)
            }
            Visited::Open(first) => {
                self.reach(first);
                Ok(())
            }
            Visited::Complete(_) => Ok(()),
        }
    }

    /// A component is complete: the object that was met first, and those that are open since. Returns
    /// what it leads to, which is what they have found.
    fn close(&mut self, first: &Frame) -> Result<Target, rs_status> {
        let found = &mut self.found[first.found..];
        found.sort_unstable();
        let distinct = distinct(found);
        let target = match *distinct {
            [] => Target::NOTHING,
            [target] => target,
            _ => self.nodes.add(distinct)?,
        };
        self.found.truncate(first.found);
        while let Some(order) = self.open.pop() {
            self.visited[order as usize] = Visited::Complete(target);
            if order == first.object {
                break;
            }
        }
        Ok(target)
    }
}

/// What is left of sorted targets if each stands there once: moved to the front.
fn distinct(sorted: &mut [Target]) -> &[Target] {
    let mut kept = 0;
    for index in 0..sorted.len() {
        if index == 0 || sorted[index] != sorted[kept - 1] {
            sorted[kept] = sorted[index];
            kept += 1;
        }
    }
    &sorted[..kept]
}
