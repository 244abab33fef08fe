//! Three real processes: a hub that serves, collects and finds cycles, and two children that do what they like with
//! objects of all three.

use crate::heap::{FIELDS, Heap, NIL, Object, object};
use std::time::{Duration, Instant};
use vmshare::ffi::link::*;
use vmshare::host::exchange::*;
use vmshare::status::*;

/// Values that a program holds; a child's first one is its board, and the hub has two of them.
const ROOTS: usize = 8;
/// Behind those: what the child and the hub tell each other by, which no program uses.
const SIGNALS: usize = ROOTS;

/// Steps of each child.
const STEPS: usize = 10_000;

/// What is passed on by a board.
const PASSED: usize = 0;
/// Of the signals: the child is done; it may end.
const DONE: usize = 0;
const END: usize = 1;

/// Numbers that look random (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

fn link_options() -> rs_link_options {
    rs_link_options {
        size: size_of::<rs_link_options>() as u32,
        timeout: 20_000_000_000,
        ..rs_link_options::default()
    }
}

/// One step of a program: no reference that it holds may ever be stale.
fn step(heap: &Heap, numbers: &mut Numbers) {
    let (first, second) = (numbers.below(ROOTS), numbers.below(ROOTS));
    let changing = 1 + numbers.below(ROOTS - 1);
    let field = numbers.below(FIELDS);
    let (target, value) = (heap.roots[first].get(), heap.roots[second].get());
    let target: Option<&Object> = object(target);
    match (numbers.below(10), target) {
        (0, _) => heap.roots[changing].set(heap.allocate()),
        (1, _) => heap.roots[changing].set(NIL),
        (2, _) if numbers.below(8) == 0 => heap.collect(),
        (3..=5, Some(target)) => {
            let read = match target.is_wrapper() {
                true => heap.request(target, field, None).unwrap(),
                false => target.fields[field].get(),
            };
            heap.roots[changing].set(read);
        }
        (6..=7, Some(target)) if target.is_wrapper() => {
            // They refer to each other.
            let own = heap.allocate();
            object(own).unwrap().fields[field].set(heap.roots[first].get());
            heap.roots[changing].set(own);
            heap.request(target, field, Some(own)).unwrap();
        }
        (6.., Some(target)) => match target.is_wrapper() {
            true => drop(heap.request(target, field, Some(value)).unwrap()),
            false => target.fields[field].set(value),
        },
        _ => {}
    }
}

fn run_child(number: usize, end: rs_link_end) {
    let heap = Heap::new(number, ROOTS + 1, true);
    let mut link = 0;
    // SAFETY: valid pointers; the descriptors were inherited.
    let status = unsafe { rs_link_adopt(heap.vm, heap.main, &link_options(), &end, &mut link) };
    assert_eq!(status, RS_OK);
    heap.roots[0].set(heap.variable(link, "board").unwrap());
    heap.roots[SIGNALS].set(heap.variable(link, "signals").unwrap());
    let signals = object(heap.roots[SIGNALS].get()).unwrap();
    let mut numbers = Numbers(number as u64);
    for _ in 0..STEPS {
        step(&heap, &mut numbers);
    }
    heap.roots[1..ROOTS].iter().for_each(|root| root.set(NIL));
    heap.request(signals, DONE, Some(heap.roots[0].get()))
        .unwrap();
    while heap.request(signals, END, None).unwrap() == NIL {
        heap.collect();
        std::thread::sleep(Duration::from_millis(1));
    }
}

struct Child {
    process: libc::pid_t,
    link: rs_link,
    number: usize,
}

/// A child that shares nothing with the others but its link.
fn spawn(hub: &Heap, number: usize) -> Child {
    let (mut link, mut end) = (0, rs_link_end::default());
    // SAFETY: valid pointers.
    let status = unsafe { rs_link_new(hub.vm, hub.main, &link_options(), &mut link, &mut end) };
    assert_eq!(status, RS_OK);
    let board = hub.allocate();
    hub.roots[number - 1].set(board);
    hub.export(link, c"board".as_ptr(), board);
    let signals = hub.allocate();
    hub.roots[SIGNALS + number - 1].set(signals);
    hub.export(link, c"signals".as_ptr(), signals);
    // SAFETY: the child makes a vm of its own, and ends without leaving this function.
    let process = unsafe { libc::fork() };
    if process == 0 {
        let run = std::panic::AssertUnwindSafe(|| run_child(number, end));
        let outcome = std::panic::catch_unwind(run);
        // SAFETY: ends this process at once.
        unsafe { libc::_exit(i32::from(outcome.is_err())) };
    }
    // SAFETY: the child has not been waited for.
    assert_eq!(unsafe { rs_link_spawned(hub.vm, link, process) }, RS_OK);
    Child {
        process,
        link,
        number,
    }
}

fn wait_for(child: &Child) -> i32 {
    let mut status = 0;
    // SAFETY: a valid pointer; a child of this process.
    let waited = unsafe { libc::waitpid(child.process, &mut status, 0) };
    assert_eq!(waited, child.process);
    status
}

/// Begins rounds, and finishes them, whenever that can be done. How many pins were let go.
fn find_cycles(hub: &Heap, has_round: &mut bool) -> u64 {
    match *has_round {
        true => match hub.finish_round(false) {
            Some(count) => {
                *has_round = false;
                count
            }
            None => 0,
        },
        false => {
            assert_eq!(hub.begin_round(5_000_000_000), RS_OK);
            *has_round = true;
            0
        }
    }
}

fn board<'a>(hub: &Heap, child: &Child) -> &'a Object {
    object(hub.roots[child.number - 1].get()).unwrap()
}

fn signals<'a>(hub: &Heap, child: &Child) -> &'a Object {
    object(hub.roots[SIGNALS + child.number - 1].get()).unwrap()
}

#[test]
fn programs_of_three_processes_use_what_they_hold_while_cycles_are_collected() {
    let hub = Heap::new(0, ROOTS + 2, true);
    let children = [1, 2].map(|number| spawn(&hub, number));
    let mut numbers = Numbers(0);
    let mut has_round = false;
    let (mut let_go, mut rounds) = (0, 0);
    let end = Instant::now() + Duration::from_secs(100);
    let is_busy = |child: &Child| signals(&hub, child).fields[DONE].get() == NIL;
    while children.iter().any(is_busy) {
        assert!(Instant::now() < end, "the children do nothing");
        for child in &children {
            let status = hub.serve(child.link, 200_000);
            assert!(matches!(status, RS_OK | RS_MORE), "{status}");
        }
        // What is on one board gets to the other, too.
        let passed = board(&hub, &children[numbers.below(2)]).fields[PASSED].get();
        hub.roots[2 + numbers.below(ROOTS - 2)].set(passed);
        let root = hub.roots[2 + numbers.below(ROOTS - 2)].get();
        board(&hub, &children[numbers.below(2)]).fields[PASSED].set(root);
        let_go += find_cycles(&hub, &mut has_round);
        rounds += u64::from(!has_round);
    }
    hub.roots[2..ROOTS].iter().for_each(|root| root.set(NIL));
    for child in &children {
        board(&hub, child)
            .fields
            .iter()
            .for_each(|field| field.set(NIL));
    }
    // Besides boards and signals nothing is needed.
    let is_garbage = |child: &Child| {
        let counts = hub.counts(child.link);
        counts.pins > 2 || counts.remotes > 0
    };
    let end = Instant::now() + Duration::from_secs(60);
    while children.iter().any(is_garbage) {
        assert!(Instant::now() < end, "garbage is left");
        for child in &children {
            hub.serve(child.link, 1_000_000);
        }
        let_go += find_cycles(&hub, &mut has_round);
        rounds += u64::from(!has_round);
        hub.collect();
    }
    assert!(rounds > 2 && let_go > 0, "{let_go} in {rounds} rounds");
    for child in &children {
        signals(&hub, child).fields[END].set(hub.allocate());
    }
    for child in &children {
        while hub.serve(child.link, 1_000_000) != RS_ERR_DEAD {}
        assert_eq!(wait_for(child), 0, "a child has failed");
    }
}

#[test]
fn a_child_that_is_killed_in_the_middle_of_a_round_does_not_hold_it() {
    for after in 0..10 {
        let hub = Heap::new(0, ROOTS + 2, true);
        let children = [1, 2].map(|number| spawn(&hub, number));
        let mut has_round = false;
        let begin = Instant::now();
        let mut is_killed = false;
        let mut rounds = 0;
        while rounds < 5 || !is_killed {
            assert!(begin.elapsed() < Duration::from_secs(30));
            for child in &children {
                hub.serve(child.link, 200_000);
            }
            find_cycles(&hub, &mut has_round);
            rounds += u32::from(is_killed && !has_round);
            if !is_killed && begin.elapsed() > Duration::from_millis(5 + 2 * after) {
                // SAFETY: a child of this process, which has not been waited for.
                unsafe { libc::kill(children[0].process, libc::SIGKILL) };
                is_killed = true;
            }
        }
        wait_for(&children[0]);
        // SAFETY: as above.
        unsafe { libc::kill(children[1].process, libc::SIGKILL) };
        wait_for(&children[1]);
    }
}
