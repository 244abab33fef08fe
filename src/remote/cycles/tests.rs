//! Condensing and deciding, compared with searches that are slow and obvious.

use super::condense::{Condenser, Part};
use super::joint::{Peer, unreached};
use super::observer::mentions_of;
use super::summary::{Led, Nodes, Reference, Summary, Target};
use crate::host::contract::rs_value;
use crate::host::exchange::RS_READ_LENGTH;
use crate::host::memory::{HostAllocator, Vec as HostVec};
use crate::remote::batch::BATCH;
use crate::remote::session::REQUEST;
use crate::remote::values::Mention;
use crate::remote::wire::{Reader, Writer};
use crate::status::{RS_ERR_PEER, rs_status};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn malloc() -> HostAllocator {
    HostAllocator::malloc()
}

/// Objects are numbers from 0 on; each has the children that stand at its place.
struct Graph<'a> {
    edges: &'a [Vec<usize>],
    is_in: &'a dyn Fn(usize) -> bool,
}

impl Part for Graph<'_> {
    fn children(&self, object: rs_value, into: &mut HostVec<rs_value>) -> Result<(), rs_status> {
        into.extend(
            self.edges[object]
                .iter()
                .filter(|&&child| (self.is_in)(child)),
        );
        Ok(())
    }
}

/// All that can be reached from these, themselves included.
fn reached(edges: &[Vec<usize>], from: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut worklist: Vec<usize> = from.into_iter().collect();
    while let Some(object) = worklist.pop() {
        if reached.insert(object) {
            worklist.extend(&edges[object]);
        }
    }
    reached
}

/// The remotes that a target leads to.
fn remotes(nodes: &Nodes, target: Target) -> BTreeSet<usize> {
    match target.led() {
        Led::Nothing => BTreeSet::new(),
        Led::Remote(remote) => BTreeSet::from([remote]),
        Led::Node(node) => {
            let targets = nodes.targets(node).iter();
            targets.flat_map(|target| remotes(nodes, *target)).collect()
        }
    }
}

/// Graphs of a few objects with a few edges each, so that there are components of all sizes.
fn graph(objects: usize) -> impl Strategy<Value = Vec<Vec<usize>>> {
    let children = proptest::collection::vec(0..objects, 0..4);
    proptest::collection::vec(children, objects)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn each_object_leads_to_the_remotes_that_it_reaches(
        edges in graph(14),
        stands_for in proptest::collection::btree_set(0..14_usize, 0..5),
        starts in proptest::collection::vec(0..14_usize, 1..6),
    ) {
        let part = Graph { edges: &edges, is_in: &|_| true };
        let mut condenser = Condenser::new(&part, malloc());
        for &object in &stands_for {
            condenser.add_remote(object, Target::remote(object).unwrap()).unwrap();
        }
        let targets: Vec<Target> =
            starts.iter().map(|&start| condenser.lead(start).unwrap()).collect();
        let nodes = condenser.into_nodes();
        for (&start, &target) in starts.iter().zip(&targets) {
            let expected = reached(&edges, [start]).intersection(&stands_for).copied().collect();
            prop_assert_eq!(remotes(&nodes, target), expected);
        }
        prop_assert!(nodes.len() < 14);
        for node in 0..nodes.len() {
            prop_assert!(nodes.targets(node).len() > 1);
        }
    }
}

#[test]
fn a_long_list_before_one_remote_is_that_remote() {
    const LENGTH: usize = 1_000_000;
    let mut edges: Vec<Vec<usize>> = (1..=LENGTH).map(|next| vec![next]).collect();
    // The end leads back to the middle.
    edges.push(vec![LENGTH / 2]);
    let part = Graph {
        edges: &edges,
        is_in: &|_| true,
    };
    let mut condenser = Condenser::new(&part, malloc());
    let remote = Target::remote(0).unwrap();
    condenser.add_remote(LENGTH, remote).unwrap();
    assert_eq!(condenser.lead(0), Ok(remote));
    assert_eq!(condenser.lead(LENGTH / 3), Ok(remote));
    assert!(condenser.into_nodes().is_empty());
}

/// A process of a small world: its objects, which of them the roots reach at once, and which stand for
/// objects of another process.
#[derive(Clone, Debug)]
struct Process {
    edges: Vec<Vec<usize>>,
    roots: BTreeSet<usize>,
    /// The object, the other process, and the object there.
    wrappers: Vec<(usize, usize, usize)>,
}

const OBJECTS: usize = 8;

fn process(others: &'static [usize]) -> impl Strategy<Value = Process> {
    let wrapper = (proptest::sample::select(others), 0..OBJECTS);
    (
        graph(2 * OBJECTS),
        proptest::collection::btree_set(0..2 * OBJECTS, 0..3),
        proptest::collection::vec(wrapper, 0..6),
    )
        .prop_map(|(edges, roots, wrappers)| {
            let distinct: BTreeSet<_> = wrappers.into_iter().collect();
            let places = OBJECTS..2 * OBJECTS;
            let wrappers = places.zip(distinct);
            Process {
                edges,
                roots,
                wrappers: wrappers
                    .map(|(at, (other, there))| (at, other, there))
                    .collect(),
            }
        })
}

/// The link between the hub and a process.
fn link(one: usize, other: usize) -> u64 {
    100 + one.max(other) as u64
}

fn number(object: usize) -> u64 {
    1 + object as u64
}

/// The objects of a process that others hold, and who.
fn pins(world: &[Process], own: usize) -> BTreeSet<(usize, usize)> {
    let held = |(other, process): (usize, &Process)| {
        let own = process
            .wrappers
            .iter()
            .filter(move |wrapper| wrapper.1 == own);
        own.map(move |wrapper| (other, wrapper.2))
            .collect::<Vec<_>>()
    };
    world.iter().enumerate().flat_map(held).collect()
}

fn summarise(world: &[Process], own: usize) -> Summary {
    let process = &world[own];
    let marked = reached(&process.edges, process.roots.iter().copied());
    let part = Graph {
        edges: &process.edges,
        is_in: &|object| !marked.contains(&object),
    };
    let mut condenser = Condenser::new(&part, malloc());
    let mut summary = Summary::new(malloc());
    let (live, dead): (Vec<_>, Vec<_>) = process
        .wrappers
        .iter()
        .partition(|wrapper| marked.contains(&wrapper.0));
    summary.live = live.len();
    for (index, &&(at, other, there)) in live.iter().chain(&dead).enumerate() {
        let reference = Reference {
            link: link(own, other),
            number: number(there),
        };
        summary.remotes.push(reference);
        condenser
            .add_remote(at, Target::remote(index).unwrap())
            .unwrap();
    }
    for (other, object) in pins(world, own) {
        if !marked.contains(&object) {
            let pin = Reference {
                link: link(own, other),
                number: number(object),
            };
            summary.pins.push((pin, condenser.lead(object).unwrap()));
        }
    }
    summary.nodes = condenser.into_nodes();
    summary
}

/// What is alive in the whole world.
fn alive(
    world: &[Process],
    roots: impl IntoIterator<Item = (usize, usize)>,
) -> BTreeSet<(usize, usize)> {
    let mut alive = BTreeSet::new();
    let mut worklist: Vec<(usize, usize)> = roots.into_iter().collect();
    for (own, process) in world.iter().enumerate() {
        worklist.extend(process.roots.iter().map(|&object| (own, object)));
    }
    while let Some((own, object)) = worklist.pop() {
        if alive.insert((own, object)) {
            let process = &world[own];
            worklist.extend(process.edges[object].iter().map(|&child| (own, child)));
            let wrapper = process
                .wrappers
                .iter()
                .filter(|wrapper| wrapper.0 == object);
            worklist.extend(wrapper.map(|&(_, other, there)| (other, there)));
        }
    }
    alive
}

/// What a summary is after its way through a message.
fn sent(summary: &Summary, link: u64) -> Summary {
    let mut out = Writer::new(malloc());
    summary.write(&mut out).unwrap();
    let words = out.parts().concat();
    Summary::read(&mut Reader::new(&words), link, malloc()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn exactly_what_no_process_needs_is_unreached(
        hub in process(&[1, 2]),
        first in process(&[0]),
        second in process(&[0]),
        is_silent in any::<bool>(),
        mentioned in proptest::collection::vec(0..OBJECTS, 0..2),
        returning in proptest::collection::vec(0..OBJECTS, 0..2),
    ) {
        let world = [hub, first, second];
        let own = summarise(&world, 0);
        let parts = [1, 2].map(|child| sent(&summarise(&world, child), link(0, child)));
        let mentioned_pins: Vec<u64> = mentioned.iter().map(|&object| number(object)).collect();
        let returning_pins: Vec<u64> = returning.iter().map(|&object| number(object)).collect();
        let peers = [
            Peer {
                link: link(0, 1),
                summary: Some(&parts[0]),
                pins: &mentioned_pins,
                remotes: &returning_pins,
            },
            Peer {
                link: link(0, 2),
                summary: (!is_silent).then_some(&parts[1]),
                pins: &[],
                remotes: &[],
            },
        ];
        let unreached: BTreeSet<(u64, u64)> = super::joint::unreached(&own, &peers, malloc())
            .unwrap()
            .iter()
            .map(|pin| (pin.link, pin.number))
            .collect();

        // What was mentioned is needed, and of one that is silent all that it holds.
        let mut roots = Vec::new();
        let pins = pins(&world, 0);
        roots.extend(mentioned.iter().map(|&object| (0, object)).filter(|root| pins.contains(&(1, root.1))));
        let of_first = world[0].wrappers.iter().filter(|wrapper| wrapper.1 == 1);
        let of_first: BTreeSet<usize> = of_first.map(|wrapper| wrapper.2).collect();
        roots.extend(returning.iter().filter(|object| of_first.contains(object)).map(|&object| (1, object)));
        if is_silent {
            roots.extend(world[2].wrappers.iter().map(|wrapper| (2, wrapper.0)));
        }
        let alive = alive(&world, roots);
        let marked = reached(&world[0].edges, world[0].roots.iter().copied());
        let is_needed = |&(other, object): &(usize, usize)| {
            let wrappers = world[other].wrappers.iter();
            let wrapper = wrappers.filter(|wrapper| wrapper.2 == object).map(|wrapper| (other, wrapper.0));
            wrapper.into_iter().any(|wrapper| alive.contains(&wrapper))
                || marked.contains(&object)
                || other == 1 && mentioned.contains(&object)
        };
        let expected: BTreeSet<(u64, u64)> = pins
            .iter()
            .filter(|pin| !is_needed(pin))
            .map(|&(other, object)| (link(0, other), number(object)))
            .collect();
        prop_assert_eq!(unreached, expected);
    }

    #[test]
    fn whatever_a_peer_writes_is_read_or_refused(
        words in proptest::collection::vec(prop_oneof![0..6_u64, any::<u64>()], 0..24),
    ) {
        match Summary::read(&mut Reader::new(&words), 1, malloc()) {
            Ok(summary) => {
                let hub = Summary::new(malloc());
                let peer = Peer { link: 1, summary: Some(&summary), pins: &[], remotes: &[0, 1, 2] };
                prop_assert!(unreached(&hub, &[peer], malloc()).unwrap().is_empty());
            }
            Err(status) => prop_assert_eq!(status, RS_ERR_PEER),
        }
    }
}

#[test]
fn what_is_read_is_what_was_written() {
    let mut summary = Summary::new(malloc());
    for number in [7, 8, 9] {
        summary.remotes.push(Reference { link: 3, number });
    }
    summary.live = 1;
    let [first, second, third] = [0, 1, 2].map(|index| Target::remote(index).unwrap());
    let node = summary.nodes.add(&[first, second, third]).unwrap();
    let outer = summary.nodes.add(&[node, third]).unwrap();
    for (number, target) in [(70, outer), (71, Target::NOTHING), (72, third)] {
        summary.pins.push((Reference { link: 3, number }, target));
    }
    let read = sent(&summary, 5);
    assert_eq!(read.live, 1);
    assert_eq!(read.remotes[2], Reference { link: 5, number: 9 });
    assert_eq!(read.nodes.targets(0), [first, second, third]);
    assert_eq!(read.nodes.targets(1), [node, third]);
    // Who leads to nothing is not worth a word.
    let expected = [(70, outer), (72, third)];
    let expected = expected.map(|(number, target)| (Reference { link: 5, number }, target));
    assert_eq!(read.pins[..], expected);
}

#[test]
fn each_target_of_a_batch_is_mentioned_whatever_else_its_code_says() {
    for flags in [0, 1 << u32::BITS] {
        let heads = [
            RS_READ_LENGTH.into(),
            7,
            0,
            0,
            RS_READ_LENGTH.into(),
            8,
            0,
            0,
        ];
        let mut words = vec![1, u64::MAX, 1, flags | u64::from(BATCH), 0, 2, 0, 64];
        words.extend(heads);
        words.push(0);
        let mut mentioned = Vec::new();
        mentions_of(REQUEST, &words, &mut |mention| mentioned.push(mention)).unwrap();
        assert_eq!(mentioned, [0, 7, 8].map(Mention::Home));
    }
}
