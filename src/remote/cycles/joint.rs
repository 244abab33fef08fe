//! The decision: which of the hub's pins nobody needs.
//!
//! The hub's summary and those of its peers are one graph, joined by link and number: a remote of one side is the
//! pin of the same number on the other. It is marked from what is needed for certain: the remotes that any
//! process's roots reach, what messages under way have mentioned, and everything on a link whose peer has not
//! answered. A pin of the hub that is not marked then is needed by no process that could ever use it.

use super::summary::{Led, Nodes, Reference, Summary, Target};
use crate::host::exchange::rs_link;
use crate::host::memory::{HostAllocator, Map, Vec, insert, push};
use crate::status::{RS_ERR_MEMORY, rs_status};

/// What is known of a peer.
pub struct Peer<'a> {
    /// Its link.
    pub link: rs_link,
    /// Its part; none if it has not answered.
    pub summary: Option<&'a Summary>,
    /// Pins of the hub that messages have mentioned.
    pub pins: &'a [u64],
    /// Pins of the peer that messages have mentioned.
    pub remotes: &'a [u64],
}

/// The number of the hub among the parties; peers have those from 1 on.
const HUB: usize = 0;

/// A summary, and what of it is marked.
struct Party<'a> {
    summary: Option<&'a Summary>,
    /// Where a pin stands in the summary.
    pins: Map<Reference, usize>,
    marked_pins: Vec<bool>,
    marked_remotes: Vec<bool>,
    marked_nodes: Vec<bool>,
}

struct Joint<'a> {
    parties: Vec<Party<'a>>,
    /// The party at the other end of a link.
    peers: Map<rs_link, usize>,
    worklist: Vec<(usize, Target)>,
}

/// The pins of the hub's summary that no process needs. Costs time and memory in proportion to the summaries.
pub fn unreached(
    hub: &Summary,
    peers: &[Peer<'_>],
    allocator: HostAllocator,
) -> Result<Vec<Reference>, rs_status> {
    let mut joint = Joint {
        parties: Vec::new_in(allocator),
        peers: Map::with_hasher_in(Default::default(), allocator),
        worklist: Vec::new_in(allocator),
    };
    push(&mut joint.parties, Party::new(Some(hub), allocator)?)?;
    for peer in peers {
        insert(&mut joint.peers, peer.link, joint.parties.len())?;
        push(&mut joint.parties, Party::new(peer.summary, allocator)?)?;
    }
    joint.mark_roots(peers)?;
    joint.mark_the_rest()?;
    let mut unreached = Vec::new_in(allocator);
    let marked = joint.parties[HUB].marked_pins.iter();
    for ((pin, _), _) in hub.pins.iter().zip(marked).filter(|(_, marked)| !**marked) {
        push(&mut unreached, *pin)?;
    }
    Ok(unreached)
}

impl<'a> Party<'a> {
    fn new(summary: Option<&'a Summary>, allocator: HostAllocator) -> Result<Self, rs_status> {
        let mut pins = Map::with_hasher_in(Default::default(), allocator);
        let all = summary.map_or(&[][..], |summary| &summary.pins);
        for (place, (pin, _)) in all.iter().enumerate() {
            insert(&mut pins, *pin, place)?;
        }
        let remotes = summary.map_or(0, |summary| summary.remotes.len());
        let nodes = summary.map_or(0, |summary| summary.nodes.len());
        Ok(Party {
            summary,
            pins,
            marked_pins: unmarked(all.len(), allocator)?,
            marked_remotes: unmarked(remotes, allocator)?,
            marked_nodes: unmarked(nodes, allocator)?,
        })
    }
}

fn unmarked(count: usize, allocator: HostAllocator) -> Result<Vec<bool>, rs_status> {
    let mut marks = Vec::new_in(allocator);
    marks.try_reserve_exact(count).map_err(|_| RS_ERR_MEMORY)?;
    marks.resize(count, false);
    Ok(marks)
}

impl Joint<'_> {
    fn mark_roots(&mut self, peers: &[Peer<'_>]) -> Result<(), rs_status> {
        for party in 0..self.parties.len() {
            let live = self.parties[party].summary.map_or(0, |own| own.live);
            for remote in 0..live {
                self.mark_remote(party, remote)?;
            }
        }
        for (number, peer) in (1..).zip(peers) {
            let link = peer.link;
            for &number in peer.pins {
                self.mark_pin(HUB, Reference { link, number })?;
            }
            for &pin in peer.remotes {
                self.mark_pin(number, Reference { link, number: pin })?;
            }
        }
        self.mark_silent()
    }

    /// Who has not answered may refer to all that it ever could.
    fn mark_silent(&mut self) -> Result<(), rs_status> {
        let Some(hub) = self.parties[HUB].summary else {
            return Ok(());
        };
        for (pin, _) in hub.pins.iter() {
            let peer = self.peers.get(&pin.link).copied();
            if peer.is_none_or(|peer| self.parties[peer].summary.is_none()) {
                self.mark_pin(HUB, *pin)?;
            }
        }
        Ok(())
    }

    fn mark_the_rest(&mut self) -> Result<(), rs_status> {
        while let Some((party, target)) = self.worklist.pop() {
            match target.led() {
                Led::Nothing => {}
                Led::Remote(remote) => self.mark_remote(party, remote)?,
                Led::Node(node) => self.mark_node(party, node)?,
            }
        }
        Ok(())
    }

    fn mark_pin(&mut self, number: usize, pin: Reference) -> Result<(), rs_status> {
        let party = &mut self.parties[number];
        let (Some(summary), Some(&place)) = (party.summary, party.pins.get(&pin)) else {
            return Ok(());
        };
        if !core::mem::replace(&mut party.marked_pins[place], true) {
            push(&mut self.worklist, (number, summary.pins[place].1))?;
        }
        Ok(())
    }

    /// A remote of one party is a pin of another: of the peer's if it is the hub's, and of the hub otherwise.
    fn mark_remote(&mut self, number: usize, remote: usize) -> Result<(), rs_status> {
        let party = &mut self.parties[number];
        let Some(summary) = party.summary else {
            return Ok(());
        };
        if core::mem::replace(&mut party.marked_remotes[remote], true) {
            return Ok(());
        }
        let reference = summary.remotes[remote];
        match number {
            HUB => match self.peers.get(&reference.link) {
                Some(&peer) => self.mark_pin(peer, reference),
                None => Ok(()),
            },
            _ => self.mark_pin(HUB, reference),
        }
    }

    fn mark_node(&mut self, number: usize, node: usize) -> Result<(), rs_status> {
        let party = &mut self.parties[number];
        let Some(Summary { nodes, .. }) = party.summary else {
            return Ok(());
        };
        if core::mem::replace(&mut party.marked_nodes[node], true) {
            return Ok(());
        }
        self.add(number, nodes, node)
    }

    fn add(&mut self, number: usize, nodes: &Nodes, node: usize) -> Result<(), rs_status> {
        let targets = nodes.targets(node);
        self.worklist
            .try_reserve(targets.len())
            .map_err(|_| RS_ERR_MEMORY)?;
        self.worklist
            .extend(targets.iter().map(|target| (number, *target)));
        Ok(())
    }
}
