//! Which processes are joined, and over which links.

use crate::tree::{Edge, PROCESSES, Tree};
use std::collections::BTreeSet;
use vmshare::host::exchange::rs_link;

/// The parent of each process but the first one; parents come first.
pub type Parents = &'static [usize];

/// A hub and two children.
pub const STAR: Parents = &[0, 0];
/// The one in the middle is a peer of the first, and a hub for the last.
pub const CHAIN: Parents = &[0, 1];
/// Two children, and a child of the first one.
pub const TREE: Parents = &[0, 0, 1];

/// The first process, which has no parent.
pub const HUB: usize = 0;

impl Tree {
    /// All of them.
    pub fn processes(&self) -> std::ops::Range<usize> {
        0..self.heaps.len()
    }

    fn is_edge(&self, edge: &Edge, one: usize, other: usize) -> bool {
        (edge.parent, edge.child) == (one, other) || (edge.parent, edge.child) == (other, one)
    }

    /// Who is joined with a process: its parent first.
    pub fn neighbours(&self, process: usize) -> Vec<usize> {
        let others = 0..self.heaps.len();
        let is_joined = |&other: &usize| {
            let mut edges = self.edges.iter();
            edges.any(|edge| self.is_edge(edge, process, other))
        };
        others.filter(is_joined).collect()
    }

    /// A process's end of the link to a neighbour.
    pub fn link(&self, process: usize, neighbour: usize) -> rs_link {
        let mut edges = self.edges.iter();
        let edge = edges.find(|edge| self.is_edge(edge, process, neighbour));
        match edge.unwrap() {
            edge if edge.parent == process => edge.ends.0,
            edge => edge.ends.1,
        }
    }

    /// The neighbour on the way to another process.
    pub fn next_to(&self, process: usize, to: usize) -> usize {
        let mut last = to;
        // Up from there, until it is below this one.
        while last != HUB {
            let above = self.parent(last);
            if above == process {
                return last;
            }
            last = above;
        }
        self.parent(process)
    }

    fn parent(&self, process: usize) -> usize {
        self.edges[process - 1].parent
    }

    /// Those that have children.
    pub fn hubs(&self) -> BTreeSet<usize> {
        self.edges.iter().map(|edge| edge.parent).collect()
    }

    /// A hub and its children.
    pub fn star_of(&self, hub: usize) -> Vec<usize> {
        let edges = self.edges.iter().filter(|edge| edge.parent == hub);
        [hub]
            .into_iter()
            .chain(edges.map(|edge| edge.child))
            .collect()
    }

    /// A hub itself, or else its parent.
    pub fn hub_of(&self, process: usize) -> usize {
        match self.hubs().contains(&process) {
            true => process,
            false => self.parent(process),
        }
    }

    /// Who is at the other end of a link; nobody if it is none of theirs.
    pub fn peer(&self, process: usize, link: rs_link) -> usize {
        let mut neighbours = self.neighbours(process).into_iter();
        let peer = neighbours.find(|&other| self.link(process, other) == link);
        peer.unwrap_or(PROCESSES)
    }

    /// A process's links.
    pub fn links_of(&self, process: usize) -> Vec<rs_link> {
        let neighbours = self.neighbours(process).into_iter();
        neighbours.map(|other| self.link(process, other)).collect()
    }

    /// Whether one process reaches another only by a third one.
    pub fn is_far(&self, process: usize, owner: usize) -> bool {
        owner < self.heaps.len() && !self.neighbours(process).contains(&owner)
    }

    /// Whether more than one process passes on what others ask for.
    pub fn has_two_in_the_middle(&self) -> bool {
        let middle = self
            .processes()
            .filter(|&process| self.neighbours(process).len() > 1);
        middle.count() > 1
    }
}
