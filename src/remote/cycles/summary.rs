//! What a process knows of its part of a cycle: which of its remotes are needed, and which pins lead to
//! which remotes. And how that is written for a process that does not believe it.
//!
//! As words, all numbers being the receiver's and the sender's own numbers of pins:
//!
//! | words | what |
//! |---|---|
//! | 4 | how many remotes; how many of them, the first ones, the roots reach; how many nodes; how many pins |
//! | 1 each | remotes: the receiver's pins |
//! | 1 each, then its targets, two in a word | nodes: how many targets |
//! | 2 each | pins of the sender: number, target |
//!
//! A target is 0 for nothing, an odd number for a remote, an even one for a node. A node's targets are nodes
//! before it: so there is no cycle in what is read, whoever wrote it.

use crate::host::exchange::rs_link;
use crate::host::memory::{HostAllocator, Vec, push};
use crate::remote::wire::{Reader, Writer};
use crate::status::{RS_ERR_LIMIT, RS_ERR_PEER, rs_status};

/// Most words of a summary that is sent, and taken: what a peer can make this process keep.
pub const LONGEST: usize = 1 << 23;

/// Most remotes, and most nodes, of a summary.
const MOST: usize = 1 << 30;

/// What something leads to: nothing, one remote, or a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(u32);

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Led {
    /// No remote can be reached.
    Nothing,
    /// This one of the remotes, and no other.
    Remote(usize),
    /// What this node leads to.
    Node(usize),
}

impl Target {
    /// No remote can be reached.
    pub const NOTHING: Target = Target(0);

    /// One remote.
    pub fn remote(index: usize) -> Result<Target, rs_status> {
        Self::of(index, 1)
    }

    /// A node.
    pub fn node(index: usize) -> Result<Target, rs_status> {
        Self::of(index, 2)
    }

    fn of(index: usize, offset: u32) -> Result<Target, rs_status> {
        match index < MOST {
            true => Ok(Target(2 * index as u32 + offset)),
            false => Err(RS_ERR_LIMIT),
        }
    }

    /// Which it is.
    pub fn led(self) -> Led {
        match self.0 {
            0 => Led::Nothing,
            odd if odd % 2 == 1 => Led::Remote((odd / 2) as usize),
            even => Led::Node((even / 2 - 1) as usize),
        }
    }
}

/// A pin or a remote: the link, and its owner's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Over which link.
    pub link: rs_link,
    /// The number of the pin, which its owner has given it.
    pub number: u64,
}

/// A graph without cycles whose leaves are remotes; each node leads to two things or more.
pub struct Nodes {
    /// Where the targets of each node end.
    ends: Vec<u32>,
    targets: Vec<Target>,
}

impl Nodes {
    /// None.
    pub fn new(allocator: HostAllocator) -> Self {
        Nodes {
            ends: Vec::new_in(allocator),
            targets: Vec::new_in(allocator),
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One more, which leads to all of these.
    pub fn add(&mut self, targets: &[Target]) -> Result<Target, rs_status> {
        let node = Target::node(self.len())?;
        let end = u32::try_from(self.targets.len() + targets.len()).map_err(|_| RS_ERR_LIMIT)?;
        self.targets
            .try_reserve(targets.len())
            .map_err(|_| crate::status::RS_ERR_MEMORY)?;
        push(&mut self.ends, end)?;
        self.targets.extend_from_slice(targets);
        Ok(node)
    }

    /// What a node leads to.
    pub fn targets(&self, node: usize) -> &[Target] {
        let start = match node {
            0 => 0,
            node => self.ends[node - 1],
        };
        &self.targets[start as usize..self.ends[node] as usize]
    }
}

/// One process's part.
pub struct Summary {
    /// The remotes over the links that take part.
    pub remotes: Vec<Reference>,
    /// How many of them, the first ones, the roots reach.
    pub live: usize,
    /// What lies between pins and remotes.
    pub nodes: Nodes,
    /// The pins that the roots do not reach, and what they lead to.
    pub pins: Vec<(Reference, Target)>,
}

impl Summary {
    /// Nothing.
    pub fn new(allocator: HostAllocator) -> Self {
        Summary {
            remotes: Vec::new_in(allocator),
            live: 0,
            nodes: Nodes::new(allocator),
            pins: Vec::new_in(allocator),
        }
    }

    /// Words that it takes in a message, about.
    fn words(&self) -> usize {
        let nodes = self.nodes.ends.len() * 2 + self.nodes.targets.len() / 2;
        4 + self.remotes.len() + nodes + 2 * self.pins.len()
    }

    /// Writes it for the peer of the only link that takes part. `RS_ERR_LIMIT`: it is too long.
    pub fn write(&self, out: &mut Writer) -> Result<(), rs_status> {
        if self.words() > LONGEST {
            return Err(RS_ERR_LIMIT);
        }
        let leads = |(_, target): &&(Reference, Target)| *target != Target::NOTHING;
        let pins = self.pins.iter().filter(leads);
        out.words(&[
            self.remotes.len() as u64,
            self.live as u64,
            self.nodes.len() as u64,
            pins.clone().count() as u64,
        ])?;
        for remote in self.remotes.iter() {
            out.word(remote.number)?;
        }
        for node in 0..self.nodes.len() {
            let targets = self.nodes.targets(node);
            out.word(targets.len() as u64)?;
            for pair in targets.chunks(2) {
                let second = pair.get(1).map_or(0, |target| target.0);
                out.word(u64::from(pair[0].0) | u64::from(second) << 32)?;
            }
        }
        for (pin, target) in pins {
            out.words(&[pin.number, u64::from(target.0)])?;
        }
        Ok(())
    }

    /// Reads what the peer of a link has written. `RS_ERR_PEER`: it makes no sense.
    pub fn read(
        from: &mut Reader<'_>,
        link: rs_link,
        allocator: HostAllocator,
    ) -> Result<Summary, rs_status> {
        let mut summary = Summary::new(allocator);
        let (remotes, live) = (from.count()?, from.count()?);
        let (nodes, pins) = (from.count()?, from.count()?);
        if live > remotes {
            return Err(RS_ERR_PEER);
        }
        summary.live = live;
        for &number in from.words(remotes)? {
            push(&mut summary.remotes, Reference { link, number })?;
        }
        let mut targets = Vec::new_in(allocator);
        for node in 0..nodes {
            targets.clear();
            let count = from.count()?;
            for &pair in from.words(count.div_ceil(2))? {
                push(&mut targets, known(pair as u32, remotes, node)?)?;
                push(&mut targets, known((pair >> 32) as u32, remotes, node)?)?;
            }
            summary.nodes.add(&targets[..count])?;
        }
        for _ in 0..pins {
            let number = from.word()?;
            let target = u32::try_from(from.word()?).map_err(|_| RS_ERR_PEER)?;
            let target = known(target, remotes, nodes)?;
            push(&mut summary.pins, (Reference { link, number }, target))?;
        }
        from.end()?;
        Ok(summary)
    }
}

/// A target among so many remotes and nodes.
fn known(word: u32, remotes: usize, nodes: usize) -> Result<Target, rs_status> {
    let target = Target(word);
    let is_known = match target.led() {
        Led::Nothing => true,
        Led::Remote(index) => index < remotes,
        Led::Node(index) => index < nodes,
    };
    is_known.then_some(target).ok_or(RS_ERR_PEER)
}
