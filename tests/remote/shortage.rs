//! Memory runs out, at each allocation of each request, on either side: an error, and nothing is lost.
//!
//! Each allocation fails alone, and together with all behind it.

use crate::end::End;
use crate::items::{Content, Host, NIL, small};
use crate::kind::{Answer, Asker, Kind, export_everything};
use crate::pair::{
    DEFAULT, OPEN, alone, duplicate, join_link, new_link, open_descriptors, two_with, with_two,
};
use crate::shared::{Shared, wait_until};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::Duration;
use vmshare::ffi::link::{rs_link_adopt, rs_link_close, rs_link_new};
use vmshare::host::exchange::*;
use vmshare::status::*;

/// What asker and owner tell each other.
#[derive(Default)]
struct Board {
    owner_sleeps: AtomicBool,
    /// What the owner's next round has: one more than the allocations until one fails; 0 for all.
    allowed: AtomicI64,
    fails_once: AtomicBool,
    /// Allocations that have failed in that round.
    failures: AtomicU64,
}

/// Which allocations fail.
#[derive(Clone, Copy, Debug)]
struct Shortage {
    /// So many succeed.
    allowed: i64,
    /// Those behind the one that fails succeed too.
    is_over_then: bool,
}

impl Shortage {
    fn begin(self, host: &Host) {
        host.fails_once.set(self.is_over_then);
        host.failures.set(0);
        host.allocations_left.set(self.allowed);
    }
}

/// Memory is there again; returns how many allocations have failed.
fn end_shortage(host: &Host) -> u64 {
    host.allocations_left.set(-1);
    host.failures.take()
}

/// Every shortage, until one does not matter any more. `failures` says how many allocations have failed.
fn for_each_shortage(failures: impl Fn(Shortage) -> u64) {
    for is_over_then in [true, false] {
        let shortages = (0..).map(|allowed| Shortage {
            allowed,
            is_over_then,
        });
        let mattered = shortages
            .map(&failures)
            .take_while(|failures| *failures != 0);
        println!("{} allocations", mattered.count());
    }
}

impl Board {
    fn wait_until_owner_sleeps(&self) {
        wait_until(|| self.owner_sleeps.load(SeqCst));
    }

    /// The next round of the owner, which sleeps, will be short of memory.
    fn begin(&self, shortage: Shortage) {
        self.wait_until_owner_sleeps();
        self.fails_once.store(shortage.is_over_then, SeqCst);
        self.allowed.store(shortage.allowed + 1, SeqCst);
    }

    /// That round is over; returns how many allocations have failed.
    fn end_shortage(&self) -> u64 {
        wait_until(|| self.allowed.load(SeqCst) == 0);
        self.failures.load(SeqCst)
    }
}

/// An event loop, some rounds of which are short of memory.
fn own(end: &End, board: &Board, kind: Kind) {
    export_everything(end, kind);
    let many = (0..MANY).map(|_| end.host.make(Content::Cons([NIL, NIL])));
    let many = end.host.make(Content::Vector(many.collect()));
    end.export("many", many, RS_CAN_READ);
    loop {
        let allowed = board.allowed.load(SeqCst);
        let shortage = Shortage {
            allowed: allowed - 1,
            is_over_then: board.fails_once.load(SeqCst),
        };
        shortage.begin(&end.host);
        let served = end.try_serve(Duration::ZERO);
        board.failures.fetch_add(end_shortage(&end.host), SeqCst);
        if allowed != 0 {
            board.allowed.store(0, SeqCst);
        }
        match served {
            Ok(_) => {}
            Err(RS_ERR_MEMORY) => continue,
            Err(RS_ERR_DEAD) => return,
            Err(status) => panic!("{status}"),
        }
        board.owner_sleeps.store(true, SeqCst);
        end.poll_descriptor();
        board.owner_sleeps.store(false, SeqCst);
    }
}

/// Runs an owner, and somebody who says how many allocations have failed.
fn with_owner(kind: Kind, asker: impl FnOnce(&End, &Board) -> u64) -> u64 {
    let board = Shared::<Board>::new();
    let failures = Shared::<AtomicU64>::new();
    two_with(
        OPEN,
        |parent| own(parent, &board, kind),
        |child| failures.store(asker(child, &board), SeqCst),
    );
    failures.load(SeqCst)
}

/// Each answer is the right one, or says that memory has run out.
fn expect_memory_errors(answers: &[Answer], shortage: Shortage) {
    for answer in answers {
        let outcome = answer.outcome;
        assert!(
            matches!(outcome, Ok(_) | Err(RS_ERR_MEMORY)),
            "{outcome:?}: {shortage:?}"
        );
    }
}

/// Now that there is memory again, the same works, and nobody refers to what was in between.
fn expect_nothing_lost(asker: &Asker, board: &Board, kind: Kind, shortage: Shortage) {
    let end = asker.end;
    if kind.closes() {
        assert_eq!(end.try_counts().err(), Some(RS_ERR_CLOSED));
        return;
    }
    for answer in asker.ask(kind, &|_| {}) {
        assert!(answer.outcome.is_ok(), "{:?}: {shortage:?}", answer.outcome);
    }
    end.sweep(|_| false);
    end.call_by_name("reset", &[]).unwrap();
    assert_eq!(end.pins_of_peer(), 0, "{shortage:?}");
    // The owner gives its references back before it sleeps.
    board.wait_until_owner_sleeps();
    assert_eq!(end.try_serve(Duration::ZERO), Ok(false));
    assert_eq!(end.counts().pins, 0, "{shortage:?}");
    assert_eq!(end.counts().remotes, 0, "{shortage:?}");
}

fn the_asker_runs_short(kind: Kind) {
    for_each_shortage(|shortage| {
        with_owner(kind, |end, board| {
            let asker = Asker::new(end);
            shortage.begin(&end.host);
            let answers = asker.ask(kind, &|_| {});
            let failures = end_shortage(&end.host);
            expect_memory_errors(&answers, shortage);
            expect_nothing_lost(&asker, board, kind, shortage);
            failures
        })
    });
}

fn the_owner_runs_short(kind: Kind) {
    for_each_shortage(|shortage| {
        with_owner(kind, |end, board| {
            let asker = Asker::new(end);
            board.begin(shortage);
            let answers = asker.ask(kind, &|_| {});
            let failures = board.end_shortage();
            expect_memory_errors(&answers, shortage);
            expect_nothing_lost(&asker, board, kind, shortage);
            failures
        })
    });
}

fn either_runs_short(kind: Kind) {
    the_asker_runs_short(kind);
    the_owner_runs_short(kind);
}

#[test]
fn memory_runs_out_while_variables_are_read_and_written() {
    either_runs_short(Kind::ReadVariable);
    either_runs_short(Kind::WriteVariable);
}

#[test]
fn memory_runs_out_while_elements_are_read_and_written() {
    either_runs_short(Kind::ReadElement);
    either_runs_short(Kind::WriteElement);
    either_runs_short(Kind::ExchangeElement);
}

#[test]
fn memory_runs_out_while_keys_are_read_and_written() {
    either_runs_short(Kind::ReadKey);
    either_runs_short(Kind::WriteKey);
}

#[test]
fn memory_runs_out_while_lengths_and_texts_are_asked_for() {
    either_runs_short(Kind::ReadLength);
    either_runs_short(Kind::Print);
    either_runs_short(Kind::Equal);
}

#[test]
fn memory_runs_out_while_one_calls_the_other_back() {
    either_runs_short(Kind::Call);
}

#[test]
fn memory_runs_out_while_a_graph_is_copied() {
    either_runs_short(Kind::Copy);
    either_runs_short(Kind::Path);
}

#[test]
fn memory_runs_out_while_an_image_is_opened() {
    either_runs_short(Kind::ShareSmall);
    either_runs_short(Kind::ShareLarge);
}

#[test]
fn memory_runs_out_while_many_requests_are_under_way() {
    either_runs_short(Kind::Batch);
    either_runs_short(Kind::Together);
}

#[test]
fn memory_runs_out_while_references_are_given_back() {
    either_runs_short(Kind::Release);
}

#[test]
fn memory_runs_out_while_one_leaves_its_objects_behind() {
    either_runs_short(Kind::Evacuation);
}

#[test]
fn memory_runs_out_while_one_takes_copies_along() {
    either_runs_short(Kind::Fetch);
}

#[test]
fn memory_runs_out_in_the_first_request() {
    for_each_shortage(|shortage| {
        with_owner(Kind::ReadElement, |end, _| {
            shortage.begin(&end.host);
            let first = end.variable("cons");
            let failures = end_shortage(&end.host);
            assert!(matches!(first, Ok(_) | Err(RS_ERR_MEMORY)), "{first:?}");
            let again = end.variable("cons").unwrap();
            assert_eq!(end.get(again, RS_CAR), Ok(small(1)));
            assert_eq!(end.pins_of_peer(), 1);
            failures
        })
    });
    for_each_shortage(|shortage| {
        with_owner(Kind::ReadElement, |end, board| {
            board.begin(shortage);
            let first = end.variable("cons");
            let failures = board.end_shortage();
            assert!(matches!(first, Ok(_) | Err(RS_ERR_MEMORY)), "{first:?}");
            let again = end.variable("cons").unwrap();
            assert_eq!(end.get(again, RS_CAR), Ok(small(1)));
            assert_eq!(end.pins_of_peer(), 1);
            failures
        })
    });
}

/// More objects than there is room for at first.
const MANY: u64 = 200;

#[test]
fn memory_runs_out_when_tables_grow() {
    for is_over_then in [true, false] {
        let shortage = Shortage {
            allowed: 0,
            is_over_then,
        };
        with_owner(Kind::ReadElement, |end, board| {
            let vector = end.variable("many").unwrap();
            let mut failures = 0;
            for index in 0..MANY {
                shortage.begin(&end.host);
                let first = end.get(vector, index);
                failures += end_shortage(&end.host);
                assert!(matches!(first, Ok(_) | Err(RS_ERR_MEMORY)), "{first:?}");
                assert!(end.get(vector, index).is_ok());
            }
            assert_ne!(failures, 0, "there was room for all at first");
            expect_references(end, board, MANY + 1);
            failures
        });
        with_owner(Kind::ReadElement, |end, board| {
            let vector = end.variable("many").unwrap();
            for index in 0..MANY {
                board.begin(shortage);
                let first = end.get(vector, index);
                board.end_shortage();
                assert!(matches!(first, Ok(_) | Err(RS_ERR_MEMORY)), "{first:?}");
                assert!(end.get(vector, index).is_ok());
            }
            let failures = board.failures.load(SeqCst);
            assert_ne!(failures, 0, "there was room for all at first");
            expect_references(end, board, MANY + 1);
            failures
        });
    }
}

/// So many objects of the owner are referred to, and all of them are given back.
fn expect_references(end: &End, board: &Board, count: u64) {
    assert_eq!(end.counts().remotes, count);
    assert_eq!(end.pins_of_peer(), count);
    end.sweep(|_| false);
    assert_eq!(end.pins_of_peer(), 0);
    board.wait_until_owner_sleeps();
}

#[test]
fn memory_runs_out_while_a_link_is_made() {
    let _alone = alone();
    let before = open_descriptors();
    for_each_shortage(|shortage| {
        let host = Host::new(true);
        let (mut link, mut end) = (0, rs_link_end::default());
        shortage.begin(&host);
        // SAFETY: valid pointers.
        let status = unsafe { rs_link_new(host.vm, host.main, &DEFAULT, &mut link, &mut end) };
        let failures = end_shortage(&host);
        if failures != 0 {
            assert_eq!((status, link, end.segment), (RS_ERR_MEMORY, 0, -1));
            assert_eq!(open_descriptors(), before);
            link = new_link(&host, &DEFAULT).0;
        }
        // SAFETY: any id may be given.
        assert_eq!(unsafe { rs_link_close(host.vm, link, 0, 0) }, RS_OK);
        assert_eq!(open_descriptors(), before);
        failures
    });
}

#[test]
fn memory_runs_out_while_a_link_is_joined() {
    let _alone = alone();
    let before = open_descriptors();
    for_each_shortage(|shortage| {
        let (maker, joiner) = (Host::new(true), Host::new(true));
        let (link, end) = new_link(&maker, &DEFAULT);
        let copy = duplicate(end);
        let mut joined = 0;
        shortage.begin(&joiner);
        // SAFETY: valid pointers; the copies belong to nobody else.
        let status = unsafe { rs_link_adopt(joiner.vm, joiner.main, &DEFAULT, &copy, &mut joined) };
        let failures = end_shortage(&joiner);
        if failures != 0 {
            assert_eq!((status, joined), (RS_ERR_MEMORY, 0));
            joined = join_link(&joiner, &DEFAULT, duplicate(end));
        }
        // SAFETY: any id may be given.
        unsafe {
            assert_eq!(rs_link_close(joiner.vm, joined, 0, 0), RS_OK);
            assert_eq!(rs_link_close(maker.vm, link, 0, 0), RS_OK);
        }
        assert_eq!(open_descriptors(), before, "{shortage:?}");
        failures
    });
}

#[test]
fn without_memory_a_name_stays_exported_as_it_was() {
    for_each_shortage(|shortage| {
        with_two(|owner, asker| {
            let [first, second] = [1, 2].map(|number| {
                let list = Content::Cons([small(number), NIL]);
                owner.host.make(list)
            });
            owner.export("list", first, RS_CAN_ALL);
            shortage.begin(&owner.host);
            let exported = owner.try_export("list", second, RS_CAN_READ);
            let failures = end_shortage(&owner.host);
            let expected = match failures {
                0 => small(2),
                _ => small(1),
            };
            assert_eq!(exported.is_err(), failures != 0);
            let list = asker.served_by(owner, |asker| asker.begin_variable("list"));
            let list = list.unwrap();
            let car = asker.served_by(owner, |asker| Ok(asker.begin_get(list, RS_CAR)));
            assert_eq!(car, Ok(expected), "{shortage:?}");
            failures
        })
    });
}

#[test]
fn what_needs_no_memory_works_without() {
    with_two(|owner, asker| {
        let list = owner.host.make(Content::Cons([small(1), NIL]));
        owner.export("list", list, RS_CAN_ALL);
        let remote = asker.served_by(owner, |asker| asker.begin_variable("list"));
        let remote = remote.unwrap();
        // What messages need, they have from then on.
        for _ in 0..2 {
            let car = asker.served_by(owner, |asker| Ok(asker.begin_get(remote, RS_CAR)));
            assert_eq!(car, Ok(small(1)));
        }
        let request = asker.begin_get(remote, RS_CAR);
        for end in [owner, asker] {
            end.host.allocations_left.set(0);
        }
        assert_eq!(owner.try_serve(Duration::ZERO), Ok(false));
        assert_eq!(asker.finish(request), Ok(small(1)));
        assert_eq!(owner.counts().pins, 1);
        assert_eq!(asker.counts().remotes, 1);
        asker.error();
        assert_eq!(owner.revoke(list), Ok(()));
        assert_eq!(owner.try_export("list", 0, 0), Ok(()), "it is taken back");
        asker.sweep(|_| false);
        assert_eq!(asker.counts().remotes, 0);
        assert_eq!(asker.try_serve(Duration::ZERO), Ok(false));
        assert_eq!(owner.try_serve(Duration::ZERO), Ok(false));
        assert_eq!(owner.counts().pins, 0);
        assert_eq!(asker.close(false), Ok(()));
        assert_eq!(owner.try_serve(Duration::ZERO), Err(RS_ERR_DEAD));
        assert_eq!(owner.close(false), Ok(()));
    });
}
