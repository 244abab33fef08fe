//! Random histories of processes in a tree, step by step, compared with an oracle that sees all of them.

use crate::heap::{FIELDS, NIL, Name, Object, object};
use crate::joining;
use crate::shape::{CHAIN, Parents, STAR, TREE};
use crate::tree::{Inside, OBJECTS, PROCESSES, ROOTS, Tree};
use proptest::prelude::*;
use vmshare::host::contract::rs_value;
use vmshare::status::*;

/// One step of a history, by a process.
#[derive(Clone, Copy, Debug)]
enum Step {
    Allocate,
    Drop,
    Copy,
    Store,
    Load,
    /// Asks for a field of a remote object.
    BeginRead,
    /// Asks to set it.
    BeginWrite,
    /// Asks for a field, and all do what they have to do until the answer is there.
    Read,
    /// The same, to set it.
    Write,
    /// Handles one message.
    Serve,
    Poll,
    Forget,
    Collect,
    BeginRound,
    FinishRound,
    /// Something happens inside of the next operation.
    Inside(Inside),
}

/// A step, and of which process, with which of its roots, and with which field.
type Act = (Step, usize, usize, usize, usize);

fn act() -> impl Strategy<Value = Act> {
    let step = prop_oneof![
        1 => Just(Step::Allocate),
        5 => Just(Step::Drop),
        1 => Just(Step::Copy),
        4 => Just(Step::Store),
        2 => Just(Step::Load),
        5 => Just(Step::BeginRead),
        5 => Just(Step::BeginWrite),
        1 => Just(Step::Read),
        2 => Just(Step::Write),
        12 => Just(Step::Serve),
        8 => Just(Step::Poll),
        1 => Just(Step::Forget),
        3 => Just(Step::Collect),
        3 => Just(Step::BeginRound),
        4 => Just(Step::FinishRound),
        1 => Just(Step::Inside(Inside::Collect)),
        1 => Just(Step::Inside(Inside::Serve)),
        1 => Just(Step::Inside(Inside::BeginRound)),
    ];
    (step, 0..PROCESSES, 0..ROOTS, 0..ROOTS, 0..FIELDS)
}

/// Asks for a field, or to set it. Where two processes pass things on, what is asked from afar is
/// carried out at once: while two processes wait, one for the
/// other, either may carry out what it was asked for before, and in one thread neither can wait for the other way.
fn ask(
    tree: &Tree,
    process: usize,
    remote: &Object,
    field: usize,
    value: Option<rs_value>,
    root: usize,
) {
    tree.begin(process, remote, field, value, root);
    if tree.has_two_in_the_middle() && tree.is_far(process, remote.name.0) {
        tree.drain();
    }
}

fn carry_out(tree: &Tree, (step, process, first, second, field): Act) {
    let process = process % tree.heaps.len();
    let heap = &tree.heaps[process];
    let (slot, first, second) = (
        first,
        tree.holding(process, first),
        tree.holding(process, second),
    );
    let target = object(tree.root(process, first));
    let own = target.filter(|target| !target.is_wrapper());
    let remote = target.filter(|target| target.is_wrapper());
    let value = tree.root(process, second);
    let changing = |root| tree.changing(process, root);
    match step {
        Step::Allocate => heap.roots[changing(slot)].set(heap.allocate()),
        Step::Drop => heap.roots[changing(first)].set(NIL),
        Step::Copy => heap.roots[changing(slot)].set(value),
        Step::Store => own.into_iter().for_each(|own| own.fields[field].set(value)),
        Step::Load => own
            .into_iter()
            .for_each(|own| heap.roots[changing(slot)].set(own.fields[field].get())),
        Step::BeginRead => remote
            .into_iter()
            .for_each(|remote| ask(tree, process, remote, field, None, changing(slot))),
        Step::BeginWrite => remote.into_iter().for_each(|remote| {
            ask(tree, process, remote, field, Some(value), changing(slot));
        }),
        Step::Read => remote.into_iter().for_each(|remote| {
            tree.begin(process, remote, field, None, changing(slot));
            tree.drain();
        }),
        Step::Write => remote.into_iter().for_each(|remote| {
            tree.begin(process, remote, field, Some(value), changing(slot));
            tree.drain();
        }),
        Step::Serve => {
            let links = tree.links_of(process);
            let status = heap.serve(links[slot % links.len()], 1);
            assert!(matches!(status, RS_OK | RS_MORE), "{status}");
        }
        Step::Poll => tree.poll(process),
        Step::Forget => tree.forget(process),
        Step::Collect => heap.collect(),
        Step::Inside(inside) => tree.inside.set(inside),
        Step::BeginRound => tree.begin_round(tree.hub_of(process)),
        Step::FinishRound => tree.finish_round(tree.hub_of(process)),
    }
    tree.expect_well();
}

/// One round of a hub finds all garbage of its star; what it was needs some collections to die. What dies may leave
/// garbage to another hub.
pub fn collect_all(tree: &Tree) {
    tree.end_rounds();
    let hubs = tree.hubs();
    for _ in 1..2 * hubs.len() {
        for &hub in &hubs {
            tree.begin_round(hub);
            tree.end_rounds();
            for _ in 0..2 * tree.heaps.len() {
                tree.heaps.iter().for_each(|heap| heap.collect());
                tree.drain();
            }
        }
    }
    tree.expect_well();
}

/// How many histories: `VMSHARE_HISTORIES` says so to who wants more.
fn histories() -> u32 {
    let wanted = std::env::var("VMSHARE_HISTORIES").ok();
    wanted.and_then(|wanted| wanted.parse().ok()).unwrap_or(500)
}

/// What refers to what at the beginning, and which roots stay then.
#[derive(Clone, Debug)]
pub struct Beginning {
    edges: Vec<(Name, usize, Name)>,
    stays: Vec<bool>,
}

pub fn beginning(parents: Parents) -> impl Strategy<Value = Beginning> {
    let processes = parents.len() + 1;
    let name = move || (0..processes, 0..OBJECTS);
    let edges = proptest::collection::vec((name(), 0..FIELDS, name()), 6..24);
    let stays = proptest::collection::vec(proptest::bool::weighted(0.2), processes * ROOTS);
    (edges, stays).prop_map(|(edges, stays)| Beginning { edges, stays })
}

pub fn begin(beginning: &Beginning, parents: Parents, takes_part: &[bool]) -> Box<Tree> {
    let tree = Tree::new(parents, takes_part, joining::inherited);
    for &(from, field, to) in &beginning.edges {
        tree.refer(from, field, to);
    }
    for (index, _) in beginning
        .stays
        .iter()
        .enumerate()
        .filter(|(_, stays)| !**stays)
    {
        let (process, root) = (index / ROOTS, index % ROOTS);
        tree.heaps[process].roots[tree.changing(process, root)].set(NIL);
    }
    tree
}

fn expect_safe_and_complete_in_stars(parents: Parents, beginning: &Beginning, acts: Vec<Act>) {
    let tree = begin(beginning, parents, &[true; PROCESSES]);
    for act in acts {
        carry_out(&tree, act);
    }
    collect_all(&tree);
    tree.expect_no_garbage_in_stars();
    tree.drop_roots();
    collect_all(&tree);
    tree.expect_no_garbage_in_stars();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: histories(),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_reachable_is_freed_and_all_else_is(
        beginning in beginning(STAR),
        acts in proptest::collection::vec(act(), 1..50),
    ) {
        let star = begin(&beginning, STAR, &[true; 3]);
        for act in acts {
            carry_out(&star, act);
        }
        collect_all(&star);
        star.expect_no_garbage();
        star.drop_roots();
        collect_all(&star);
        star.expect_no_garbage();
    }

    #[test]
    fn a_child_that_takes_no_part_loses_nothing(
        beginning in beginning(STAR),
        acts in proptest::collection::vec(act(), 1..50),
    ) {
        let star = begin(&beginning, STAR, &[true, true, false]);
        for act in acts {
            carry_out(&star, act);
        }
        star.end_rounds();
        star.expect_all_usable();
    }

    #[test]
    fn in_a_chain_nothing_reachable_is_freed_and_what_one_hub_sees_is(
        beginning in beginning(CHAIN),
        acts in proptest::collection::vec(act(), 1..50),
    ) {
        expect_safe_and_complete_in_stars(CHAIN, &beginning, acts);
    }

    #[test]
    fn in_a_tree_nothing_reachable_is_freed_and_what_one_hub_sees_is(
        beginning in beginning(TREE),
        acts in proptest::collection::vec(act(), 1..50),
    ) {
        expect_safe_and_complete_in_stars(TREE, &beginning, acts);
    }
}
