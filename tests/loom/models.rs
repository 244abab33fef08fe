//! One test for each model.

use crate::heap::{AUTOSHARE, FROZEN, ModelHeap, PENDING, SHAREABLE, Shape, View, object, value};
use loom::sync::Arc;
use loom::thread;
use vmshare::autoshare::claim::Purpose;
use vmshare::autoshare::owner::{self, Write};
use vmshare::autoshare::protocol::Protocol;
use vmshare::autoshare::sharing::{Outcome, Sharing};
use vmshare::autoshare::turn::Turn;
use vmshare::autoshare::verifier::Verifier;
use vmshare::host::callbacks::Callbacks;
use vmshare::host::contract::rs_host;
use vmshare::host::memory::HostAllocator;
use vmshare::sync::{Mutex, lock};

use Shape::{Indirect, Inline};

const A: u32 = AUTOSHARE;
const B: u32 = 0;

/// What the threads of a model share.
struct World {
    heap: ModelHeap,
    protocol: Protocol,
    turn: Turn,
    sharing: Mutex<Sharing>,
    verifier: Verifier,
    callbacks: Callbacks,
}

impl World {
    fn new(heap: ModelHeap) -> Arc<World> {
        let allocator = HostAllocator::malloc();
        // SAFETY: all members of the contract are numbers, pointers and optional functions.
        let host = unsafe { std::mem::zeroed::<rs_host>() };
        Arc::new(World {
            heap,
            protocol: Protocol::new(false),
            turn: Turn::new(allocator),
            sharing: Mutex::new(Sharing::new(allocator)),
            verifier: Verifier::new(false, allocator),
            callbacks: Callbacks::new(host),
        })
    }

    fn view(&self) -> View<'_> {
        View(&self.heap)
    }

    /// Main asks before it writes.
    fn check(&self, number: usize) -> bool {
        let cleared = owner::clear_autoshare(&self.view(), &self.protocol, object(number));
        cleared.write != Write::Frozen
    }

    /// Main writes a child, if it may.
    fn write(&self, number: usize, child: usize, to: usize) -> bool {
        let allowed = self.check(number);
        if allowed {
            self.heap.write(number, child, to);
        }
        allowed
    }

    /// Main assigns an object and what it refers to.
    fn mark(&self, numbers: &[usize]) {
        self.protocol.step_serial();
        for &number in numbers {
            owner::set_autoshare(&self.view(), object(number));
        }
        self.protocol.step_serial();
    }

    /// A ractor reads a slot that holds object `root`: one walk.
    fn access(&self, root: usize) -> Outcome {
        let mut place = value(root);
        self.turn.take(&self.callbacks, &mut place).unwrap();
        let outcome = match self.heap.flags_now(root) & (SHAREABLE | PENDING) {
            SHAREABLE => Outcome::Shared,
            _ => self.walk(root),
        };
        self.turn.give();
        outcome
    }

    fn walk(&self, root: usize) -> Outcome {
        lock(&self.sharing)
            .begin(&self.protocol, object(root), Purpose::Access, false)
            .unwrap();
        loop {
            let outcome = lock(&self.sharing).run_piece(
                &self.view(),
                &self.callbacks,
                &self.protocol,
                &self.verifier,
            );
            if let Some(outcome) = outcome {
                return outcome;
            }
            if self.turn.is_shut() {
                self.protocol.interrupt();
            }
        }
    }

    /// As `access`, twice if it is interrupted.
    fn access_once_more(&self, root: usize) -> Outcome {
        match self.access(root) {
            Outcome::Interrupted => self.access(root),
            outcome => outcome,
        }
    }

    fn expect_flags(&self, expected: &[u32]) {
        let flags: Vec<u32> = (0..expected.len())
            .map(|number| self.heap.flags_now(number))
            .collect();
        assert_eq!(flags, expected);
    }
}

const C: u32 = FROZEN | SHAREABLE;

fn model(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(body);
}

fn spawn<R: 'static>(
    world: &Arc<World>,
    body: impl FnOnce(&World) -> R + 'static,
) -> thread::JoinHandle<R> {
    let world = world.clone();
    thread::spawn(move || body(&world))
}

#[test]
fn one_of_write_and_access_fails_on_a_cycle_of_two() {
    for written in [0, 1] {
        model(5, move || {
            let world = World::new(ModelHeap::new(&[(Inline, A, &[1]), (Inline, A, &[0])]));
            let walker = spawn(&world, |world| world.access(0));
            let wrote = world.write(written, 0, 0);
            let outcome = walker.join().unwrap();
            assert_ne!(wrote, outcome == Outcome::Shared, "exactly one fails");
            if outcome == Outcome::Shared {
                world.expect_flags(&[C, C]);
                assert_eq!(world.heap.child(written, 0), value(1 - written));
            } else {
                assert_eq!(world.heap.flags_now(written), B);
                assert_eq!(
                    world.heap.flags_now(1 - written) & !A,
                    0,
                    "no claim is left"
                );
            }
        });
    }
}

#[test]
fn two_writes_and_two_overlapping_walks_agree() {
    // 0 → 2 ← 1: two slots, one object under both.
    model(4, || {
        let world = World::new(ModelHeap::new(&[
            (Inline, A, &[2]),
            (Inline, A, &[2]),
            (Inline, A, &[]),
        ]));
        let first = spawn(&world, |world| world.access(0));
        let second = spawn(&world, |world| world.access(1));
        let wrote_top = world.check(0);
        let wrote_shared = world.check(2);
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        let shared_first = first == Outcome::Shared;
        let shared_second = second == Outcome::Shared;
        assert_ne!(
            wrote_top || wrote_shared && !shared_second,
            shared_first && !wrote_shared
        );
        assert_ne!(wrote_shared, shared_first || shared_second);
        for number in 0..3 {
            assert_eq!(
                world.heap.flags_now(number) & PENDING,
                0,
                "no claim is left"
            );
        }
    });
}

#[test]
fn a_second_reader_that_finds_the_top_shareable_finds_everything_frozen() {
    model(5, || {
        let world = World::new(ModelHeap::new(&[(Inline, A, &[1]), (Inline, A, &[0])]));
        let walker = spawn(&world, |world| world.access(0));
        if world.heap.flags_now(0) & (SHAREABLE | PENDING) == SHAREABLE {
            assert_ne!(world.heap.flags_now(1) & FROZEN, 0);
        }
        if world.heap.flags_now(1) & (SHAREABLE | PENDING) == SHAREABLE {
            assert_ne!(world.heap.flags_now(0) & FROZEN, 0);
        }
        assert_eq!(walker.join().unwrap(), Outcome::Shared);
    });
}

#[test]
fn what_main_unlinks_and_frees_is_not_looked_at() {
    for shape in [Inline, Indirect] {
        model(4, move || {
            let world = World::new(ModelHeap::new(&[(shape, A, &[1]), (Inline, A, &[])]));
            let walker = spawn(&world, |world| world.access(0));
            let wrote = world.write(0, 0, 0);
            if wrote {
                let shut = world
                    .turn
                    .shut(&world.callbacks, || world.protocol.interrupt());
                shut.unwrap();
                world.heap.free(1);
                world.turn.open().unwrap();
            }
            let outcome = walker.join().unwrap();
            assert!(!(wrote && outcome == Outcome::Shared));
        });
    }
}

#[test]
fn what_the_program_froze_stays_frozen_and_ends_no_walk() {
    model(5, || {
        let world = World::new(ModelHeap::new(&[(Inline, A, &[1]), (Inline, A, &[])]));
        let walker = spawn(&world, |world| world.access(0));
        world.heap.freeze(1);
        assert!(!world.check(1));
        assert_eq!(walker.join().unwrap(), Outcome::Shared);
        world.expect_flags(&[C, C]);
    });
}

#[test]
fn a_walk_that_fails_leaves_the_frozen_bit_of_the_program() {
    model(5, || {
        let world = World::new(ModelHeap::new(&[
            (Inline, A, &[1, 2]),
            (Inline, A | FROZEN, &[]),
            (Inline, B, &[]),
        ]));
        let walker = spawn(&world, |world| world.access(0));
        assert!(!world.check(1));
        assert!(matches!(walker.join().unwrap(), Outcome::Blocked(..)));
        world.expect_flags(&[B, A | FROZEN, B]);
    });
}

#[test]
fn two_writes_around_the_commit_both_succeed_or_both_fail_with_the_walk() {
    model(5, || {
        let world = World::new(ModelHeap::new(&[(Inline, A, &[1]), (Inline, A, &[])]));
        let walker = spawn(&world, |world| world.access(0));
        let first = world.check(1);
        let second = world.check(0);
        let shared = walker.join().unwrap() == Outcome::Shared;
        assert_ne!(first || second, shared);
        assert!(!first || second, "the first write ends the walk for good");
        let state = if shared { C } else { B };
        world.expect_flags(&[if second { B } else { C }, state]);
    });
}

#[test]
fn a_write_beside_the_path_to_the_blocker_is_not_forgotten() {
    // 0 → {1, 2}. Main's write of 1 ends the walk, and while that is undone main writes 2.
    model(4, || {
        let world = World::new(ModelHeap::new(&[
            (Inline, A, &[1, 2]),
            (Inline, A, &[]),
            (Inline, A, &[]),
        ]));
        let walker = spawn(&world, |world| world.access(0));
        let first = world.check(1);
        let second = world.check(2);
        let shared = walker.join().unwrap() == Outcome::Shared;
        assert_ne!(first || second, shared);
        if second {
            assert_eq!(world.heap.flags_now(2), B, "main has written it");
        }
    });
}

#[test]
fn a_child_read_while_main_writes_is_not_used() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(5);
    builder.check(|| {
        let mut heap = ModelHeap::new(&[(Inline, A, &[1]), (Inline, A, &[]), (Inline, A, &[])]);
        heap.forbidden = Some(2);
        let world = World::new(heap);
        let walker = spawn(&world, |world| world.access(0));
        let wrote = world.write(0, 0, value(2));
        assert_ne!(wrote, walker.join().unwrap() == Outcome::Shared);
    });
}

#[test]
fn main_waits_for_the_scan_of_indirect_elements() {
    model(5, || {
        let world = World::new(ModelHeap::new(&[(Indirect, A, &[1]), (Inline, A, &[])]));
        let walker = spawn(&world, |world| world.access(0));
        let wrote = world.write(0, 0, 0);
        assert_ne!(wrote, walker.join().unwrap() == Outcome::Shared);
    });
}

#[test]
fn main_waits_for_a_later_piece_of_a_wide_object() {
    // More children than a piece reads.
    model(4, || {
        let world = World::new(ModelHeap::new(&[
            (Indirect, A, &[1, 1, 1, 1, 1, 1]),
            (Inline, A, &[]),
        ]));
        let walker = spawn(&world, |world| world.access(0));
        let wrote = world.write(0, 5, 0);
        assert_ne!(wrote, walker.join().unwrap() == Outcome::Shared);
    });
}

#[test]
fn a_change_of_representation_meets_no_scan_and_decides_nothing() {
    model(4, || {
        let world = World::new(ModelHeap::new(&[(Indirect, A, &[1]), (Inline, A, &[])]));
        let walker = spawn(&world, |world| world.access_once_more(0));
        world.protocol.set_changing(Some(object(0)));
        let begun = owner::begin_change(&world.view(), &world.protocol, object(0));
        if begun.write != Write::Frozen {
            world.heap.move_buffer(0);
        }
        world.protocol.clear_changing();
        let outcome = walker.join().unwrap();
        assert!(matches!(outcome, Outcome::Shared | Outcome::Interrupted));
        assert_eq!(world.access(0), Outcome::Shared);
        world.expect_flags(&[C, C]);
    });
}

#[test]
fn the_search_for_the_path_meets_no_write() {
    // Undoing reads elements once more: 0 → {1, 2}, 2 is B.
    model(4, || {
        let world = World::new(ModelHeap::new(&[
            (Indirect, A, &[1, 2]),
            (Inline, A, &[]),
            (Inline, B, &[]),
        ]));
        let walker = spawn(&world, |world| world.access(0));
        assert!(world.write(0, 0, 0));
        assert!(!matches!(walker.join().unwrap(), Outcome::Shared));
        world.expect_flags(&[B, A, B]);
    });
}

#[test]
fn a_mark_during_a_failing_walk_is_not_lost() {
    // 0 → 1, 1 is B. Main takes 1 out and assigns 0 anew.
    model(5, || {
        let world = World::new(ModelHeap::new(&[(Inline, A, &[1]), (Inline, B, &[])]));
        let walker = spawn(&world, |world| world.access(0));
        assert!(world.write(0, 0, 0));
        world.mark(&[0]);
        walker.join().unwrap();
        let flags = world.heap.flags_now(0);
        assert!(flags == A || flags == C, "assigned anew, yet {flags:04b}");
        assert_eq!(world.access(0), Outcome::Shared);
    });
}

#[test]
fn a_mark_of_the_path_during_a_failing_walk_is_not_lost() {
    // 0 → 1 → 2, 2 is B. Main takes 2 out and assigns 0 anew, which marks 1 too.
    model(4, || {
        let world = World::new(ModelHeap::new(&[
            (Inline, A, &[1]),
            (Inline, A, &[2]),
            (Inline, B, &[]),
        ]));
        let walker = spawn(&world, |world| world.access(0));
        assert!(world.write(1, 0, 0));
        world.mark(&[0, 1]);
        walker.join().unwrap();
        assert_eq!(world.access(0), Outcome::Shared);
    });
}

#[test]
fn walkers_and_a_collector_do_not_deadlock() {
    model(4, || {
        let world = World::new(ModelHeap::new(&[(Inline, A, &[1]), (Inline, A, &[0])]));
        let first = spawn(&world, |world| world.access_once_more(0));
        let second = spawn(&world, |world| world.access_once_more(1));
        let shut = world
            .turn
            .shut(&world.callbacks, || world.protocol.interrupt());
        shut.unwrap();
        assert!(lock(&world.sharing).is_idle(), "no walk is under way");
        world.turn.open().unwrap();
        for walker in [first, second] {
            assert_eq!(walker.join().unwrap(), Outcome::Shared);
        }
        world.expect_flags(&[C, C]);
    });
}
