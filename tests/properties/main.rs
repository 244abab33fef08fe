//! Random programs on random graphs, compared step by step with an oracle that is slow and obvious:
//! recursion and sets.

mod host;
mod oracle;

use host::{Host, Kind, ROOM, Setup};
use oracle::{Oracle, SLOTS, can_ever_be_shared};
use proptest::prelude::*;
use std::collections::BTreeSet;
use vmshare::ffi;
use vmshare::host::contract::*;
use vmshare::host::report::RS_SLOT_CONSTANT;
use vmshare::status::*;

/// One step of a program.
#[derive(Clone, Debug)]
enum Step {
    /// Main assigns an object to a slot.
    Assign { slot: usize, object: usize },
    /// Main writes a child.
    Write {
        object: usize,
        index: usize,
        child: usize,
    },
    /// Another ractor reads a slot.
    Access { slot: usize },
    /// Main shares explicitly.
    Share { object: usize },
    /// The program freezes an object.
    Freeze { object: usize },
    /// Asks why not.
    Explain { slot: usize },
}

struct World {
    host: Box<Host>,
    oracle: Oracle,
    slots: [rs_slot; SLOTS],
    reader: rs_ractor,
}

impl World {
    fn new(setup: Setup, graph: &[(Kind, Vec<usize>)], before: &[(usize, usize)]) -> World {
        let host = Host::new(setup, graph);
        let mut slots = [0; SLOTS];
        for slot in &mut slots {
            // SAFETY: an open vm, a static name.
            let status = unsafe {
                ffi::slot::rs_slot_new(
                    host.vm,
                    RS_SLOT_CONSTANT,
                    c"X".as_ptr(),
                    std::ptr::null(),
                    slot,
                )
            };
            assert_eq!(status, RS_OK);
        }
        let oracle = Oracle {
            marked: BTreeSet::new(),
            frozen: BTreeSet::new(),
            shared: BTreeSet::new(),
            slots: [None; SLOTS],
        };
        let mut world = World {
            host,
            oracle,
            slots,
            reader: 0,
        };
        world.assign_before_ractors(before);
        world
    }

    /// Assigns, then makes the first ractor: both policies have marked the same afterwards, since
    /// nothing was written in between.
    fn assign_before_ractors(&mut self, before: &[(usize, usize)]) {
        for &(slot, object) in before {
            assert_eq!(self.call_mark(slot, object), RS_OK);
            self.oracle.slots[slot] = Some(object);
        }
        // SAFETY: an open vm.
        let status =
            unsafe { ffi::vm::rs_ractor_new(self.host.vm, std::ptr::null(), &mut self.reader) };
        assert_eq!(status, RS_OK);
        for object in self.oracle.slots.into_iter().flatten() {
            self.oracle.mark(&self.host, object);
        }
    }

    fn call_mark(&self, slot: usize, object: usize) -> rs_status {
        // SAFETY: an open vm and a value of its host.
        unsafe {
            ffi::autoshare::rs_autoshare_mark(
                self.host.vm,
                self.slots[slot],
                self.host.value(object),
            )
        }
    }

    /// Does a step in the library, with memory or `prepare` running out after a while.
    fn call(&self, step: &Step) -> rs_status {
        let (vm, main) = (self.host.vm, self.host.main);
        // SAFETY: an open vm and values of its host.
        unsafe {
            match *step {
                Step::Assign { slot, object } => self.call_mark(slot, object),
                Step::Write { object, .. } => {
                    ffi::autoshare::rs_check_frozen(vm, main, self.host.value(object))
                }
                Step::Access { slot } => match self.oracle.slots[slot] {
                    None => RS_OK,
                    Some(object) => ffi::autoshare::rs_ractor_access(
                        vm,
                        self.reader,
                        self.slots[slot],
                        self.host.value(object),
                    ),
                },
                Step::Share { object } => {
                    ffi::autoshare::rs_make_shareable(vm, main, self.host.value(object))
                }
                Step::Freeze { object } => {
                    ffi::autoshare::rs_freeze(vm, main, self.host.value(object))
                }
                Step::Explain { slot } => self.call_explain(slot),
            }
        }
    }

    fn call_explain(&self, slot: usize) -> rs_status {
        let Some(object) = self.oracle.slots[slot] else {
            return RS_OK;
        };
        // SAFETY: plain data; an open vm; a value of its host.
        unsafe {
            let mut report: vmshare::host::report::rs_report = std::mem::zeroed();
            report.size = size_of_val(&report) as u32;
            ffi::report::rs_explain(
                self.host.vm,
                self.host.main,
                self.slots[slot],
                self.host.value(object),
                &mut report,
            )
        }
    }

    /// Does a step in both, and compares.
    fn run(&mut self, step: &Step) {
        let status = self.call(step);
        self.follow(step, status);
        self.compare(step);
    }

    fn follow(&mut self, step: &Step, status: rs_status) {
        match *step {
            Step::Assign { slot, object } => {
                assert_eq!(status, RS_OK);
                self.oracle.slots[slot] = Some(object);
                self.oracle.mark(&self.host, object);
            }
            Step::Write {
                object,
                index,
                child,
            } => self.follow_write(status, object, index, child),
            Step::Access { slot } => self.follow_access(status, slot),
            Step::Share { object } => self.follow_share(status, object),
            Step::Freeze { object } => {
                assert_eq!(status, RS_OK);
                self.oracle.frozen.insert(object);
            }
            Step::Explain { slot } => self.follow_explain(status, slot),
        }
    }

    fn follow_write(&mut self, status: rs_status, object: usize, index: usize, child: usize) {
        if self.oracle.frozen.contains(&object) {
            assert_eq!(status, RS_FROZEN);
            return;
        }
        assert_eq!(status, RS_OK);
        self.oracle.marked.remove(&object);
        let children = self.host.children(object).len();
        if children > 0 {
            let value = self.host.value(child);
            self.host.object(object).set_child(index % children, value);
        }
    }

    fn follow_access(&mut self, status: rs_status, slot: usize) {
        let Some(top) = self.oracle.slots[slot] else {
            return;
        };
        let reached = self.oracle.reached(&self.host, top);
        let blocked = |object: &usize| self.oracle.blocks_access(&self.host, *object);
        if !reached.iter().any(blocked) {
            assert_eq!(status, RS_OK);
            self.oracle.share_all(&reached);
            return;
        }
        assert_eq!(status, RS_NOT_SHAREABLE);
        if self.oracle.marked.contains(&top) {
            self.follow_demotion(top);
        }
    }

    /// What a failed access demoted must be a path from the top to something that blocks. (If the
    /// top blocks by its kind, nothing leads to it.)
    fn follow_demotion(&mut self, top: usize) {
        let demoted: BTreeSet<usize> = self
            .oracle
            .marked
            .iter()
            .copied()
            .filter(|&object| self.host.state(object) != RS_STATE_AUTOSHARE)
            .collect();
        let top_blocks = self.oracle.blocks_access(&self.host, top);
        assert!(
            demoted.contains(&top) || top_blocks,
            "the next access fails at once"
        );
        let mut left = demoted.clone();
        left.remove(&top);
        assert!(
            top_blocks || self.is_path_to_blocker(top, &left),
            "what is demoted is one path, which ends at a blocker"
        );
        for object in demoted {
            self.oracle.marked.remove(&object);
        }
    }

    /// Whether one can go on from an object through all that is left, to end at a blocker.
    fn is_path_to_blocker(&self, at: usize, left: &BTreeSet<usize>) -> bool {
        let children = self.host.children(at);
        if left.is_empty() {
            let blocks = |object: &usize| self.oracle.blocks_access(&self.host, *object);
            return children.iter().any(blocks);
        }
        children.iter().any(|child| {
            let mut left = left.clone();
            left.remove(child) && self.is_path_to_blocker(*child, &left)
        })
    }

    fn follow_share(&mut self, status: rs_status, object: usize) {
        let reached = self.oracle.reached(&self.host, object);
        let shareable = |object: &usize| can_ever_be_shared(&self.host, *object);
        if reached.iter().all(shareable) {
            assert_eq!(status, RS_OK);
            self.oracle.share_all(&reached);
        } else {
            assert_eq!(status, RS_NOT_SHAREABLE);
        }
    }

    fn follow_explain(&self, status: rs_status, slot: usize) {
        let Some(top) = self.oracle.slots[slot] else {
            return;
        };
        let reached = self.oracle.reached(&self.host, top);
        let blocked = |object: &usize| self.oracle.blocks_access(&self.host, *object);
        let expected = match reached.iter().any(blocked) {
            true => RS_NOT_SHAREABLE,
            false => RS_OK,
        };
        assert_eq!(status, expected);
    }

    fn compare(&self, step: &Step) {
        for object in 0..self.host.count {
            assert_eq!(
                self.host.state(object),
                self.oracle.state(object),
                "object {object} after {step:?}"
            );
            let flags = self
                .host
                .object(object)
                .flags
                .load(std::sync::atomic::Ordering::Relaxed);
            assert_ne!(flags & host::OWN, 0, "the host's own bits stay");
            assert_eq!(flags & host::PENDING, 0, "no claim is left");
        }
    }

    /// Does a step with every resource running out as early as possible, then one later, and so on,
    /// until it does not fail: each failure leaves every bit as it was.
    fn run_with_failures(&mut self, step: &Step) {
        for allowed in 0.. {
            let before = self.host.snapshot();
            self.host.allocations_left.set(allowed);
            let status = self.call(step);
            self.host.allocations_left.set(-1);
            if status != RS_ERR_MEMORY {
                self.follow(step, status);
                return self.compare(step);
            }
            assert_eq!(
                self.host.snapshot(),
                before,
                "{step:?}, allocation {allowed}"
            );
        }
    }

    fn fail_prepares(&mut self, object: usize) {
        for allowed in 0..64 {
            let before = self.host.snapshot();
            self.host.prepares_left.set(allowed);
            let step = Step::Share { object };
            let status = self.call(&step);
            self.host.prepares_left.set(-1);
            if status != RS_ERR_HOST {
                self.follow(&step, status);
                return self.compare(&step);
            }
            assert_eq!(self.host.snapshot(), before, "prepare {allowed}");
        }
    }
}

fn setup() -> impl Strategy<Value = Setup> {
    (
        0..3_u32,
        0..2_u32,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(placement, mark_policy, provenance, callbacks_only, world_stopped)| Setup {
                placement,
                mark_policy,
                provenance,
                callbacks_only,
                world_stopped,
            },
        )
}

fn graph() -> impl Strategy<Value = Vec<(Kind, Vec<usize>)>> {
    (1..28_usize).prop_flat_map(|count| {
        let kind = prop_oneof![
            8 => Just(Kind::Inline),
            6 => Just(Kind::Indirect),
            4 => Just(Kind::Asked),
            1 => Just(Kind::File),
            1 => Just(Kind::Unprepared),
        ];
        prop::collection::vec(
            (kind, prop::collection::vec(0..count, 0..=ROOM)),
            count..=count,
        )
    })
}

/// A graph, what is assigned before the first ractor, and a program.
type Program = (Vec<(Kind, Vec<usize>)>, Vec<(usize, usize)>, Vec<Step>);

fn program() -> impl Strategy<Value = Program> {
    graph().prop_flat_map(|graph| {
        let count = graph.len();
        let slot = 0..SLOTS;
        let object = 0..count;
        let step = prop_oneof![
            4 => (slot.clone(), object.clone()).prop_map(|(slot, object)| Step::Assign { slot, object }),
            4 => (object.clone(), 0..ROOM, object.clone())
                .prop_map(|(object, index, child)| Step::Write { object, index, child }),
            5 => slot.clone().prop_map(|slot| Step::Access { slot }),
            1 => object.clone().prop_map(|object| Step::Share { object }),
            1 => object.clone().prop_map(|object| Step::Freeze { object }),
            1 => slot.clone().prop_map(|slot| Step::Explain { slot }),
        ];
        (
            Just(graph),
            prop::collection::vec((slot, object), 0..4),
            prop::collection::vec(step, 0..24),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn every_step_of_a_program_does_what_the_oracle_says(
        setup in setup(),
        (graph, before, steps) in program(),
    ) {
        let mut world = World::new(setup, &graph, &before);
        for step in &steps {
            world.run(step);
        }
    }

    #[test]
    fn a_step_that_runs_out_of_memory_leaves_every_bit_as_it_was(
        setup in setup(),
        (graph, before, steps) in program(),
    ) {
        let mut world = World::new(setup, &graph, &before);
        for step in &steps {
            world.run_with_failures(step);
        }
    }

    #[test]
    fn a_share_whose_prepare_fails_leaves_every_bit_as_it_was(
        setup in setup(),
        (graph, before, steps) in program(),
    ) {
        let mut world = World::new(setup, &graph, &before);
        for step in &steps {
            world.run(step);
        }
        for object in 0..world.host.count {
            world.fail_prepares(object);
        }
    }
}
