//! Random histories of a hub and two children, step by step, compared with an oracle that sees all of them.

use crate::heap::{FIELDS, NIL, Name, object};
use crate::star::{HUB, Inside, OBJECTS, ROOTS, Star};
use proptest::prelude::*;
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
    (step, 0..3_usize, 0..ROOTS, 0..ROOTS, 0..FIELDS)
}

fn carry_out(star: &Star, (step, process, first, second, field): Act) {
    let heap = &star.heaps[process];
    let (slot, first, second) = (
        first,
        star.holding(process, first),
        star.holding(process, second),
    );
    let target = object(star.root(process, first));
    let own = target.filter(|target| !target.is_wrapper());
    let remote = target.filter(|target| target.is_wrapper());
    let value = star.root(process, second);
    let changing = |root| Star::changing(process, root);
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
            .for_each(|remote| star.begin(process, remote, field, None, changing(slot))),
        Step::BeginWrite => remote.into_iter().for_each(|remote| {
            star.begin(process, remote, field, Some(value), changing(slot));
        }),
        Step::Read => remote.into_iter().for_each(|remote| {
            star.begin(process, remote, field, None, changing(slot));
            star.drain();
        }),
        Step::Write => remote.into_iter().for_each(|remote| {
            star.begin(process, remote, field, Some(value), changing(slot));
            star.drain();
        }),
        Step::Serve => {
            let links = star.links_of(process);
            let status = heap.serve(links[slot % links.len()], 1);
            assert!(matches!(status, RS_OK | RS_MORE), "{status}");
        }
        Step::Poll => star.poll(process),
        Step::Forget => star.forget(process),
        Step::Collect => heap.collect(),
        Step::Inside(inside) => star.inside.set(inside),
        Step::BeginRound => star.begin_round(),
        Step::FinishRound if star.has_round.get() => {
            let is_over = star.heaps[HUB].finish_round(false).is_some();
            star.has_round.set(!is_over);
        }
        Step::FinishRound => {}
    }
    star.expect_well();
}

/// One round finds all garbage; what it was needs some collections to die.
pub fn collect_all(star: &Star) {
    star.end_round();
    star.begin_round();
    star.end_round();
    for _ in 0..4 {
        star.heaps.iter().for_each(|heap| heap.collect());
        star.drain();
    }
    star.expect_well();
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

pub fn beginning() -> impl Strategy<Value = Beginning> {
    let name = || (0..3_usize, 0..OBJECTS);
    let edges = proptest::collection::vec((name(), 0..FIELDS, name()), 6..24);
    let stays = proptest::collection::vec(proptest::bool::weighted(0.2), 3 * ROOTS);
    (edges, stays).prop_map(|(edges, stays)| Beginning { edges, stays })
}

pub fn begin(beginning: &Beginning, takes_part: [bool; 3]) -> Box<Star> {
    let star = Star::new(takes_part);
    for &(from, field, to) in &beginning.edges {
        star.refer(from, field, to);
    }
    for (index, _) in beginning
        .stays
        .iter()
        .enumerate()
        .filter(|(_, stays)| !**stays)
    {
        let (process, root) = (index / ROOTS, index % ROOTS);
        star.heaps[process].roots[Star::changing(process, root)].set(NIL);
    }
    star
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: histories(),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_reachable_is_freed_and_all_else_is(
        beginning in beginning(),
        acts in proptest::collection::vec(act(), 1..50),
    ) {
        let star = begin(&beginning, [true; 3]);
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
        beginning in beginning(),
        acts in proptest::collection::vec(act(), 1..50),
    ) {
        let star = begin(&beginning, [true, true, false]);
        for act in acts {
            carry_out(&star, act);
        }
        star.end_round();
        star.expect_all_usable();
    }
}
