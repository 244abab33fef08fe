//! Memory runs out at each allocation of a round, in the hub or in a peer: nothing that is needed is let go, and a
//! later round finds what this one did not.
//!
//! Each allocation fails alone, and together with all behind it.

use crate::heap::Name;
use crate::histories::collect_all;
use crate::shape::HUB;
use crate::tree::{Tree, star};
use vmshare::status::*;

const OF_HUB: Name = (HUB, 0);
const KEPT: Name = (HUB, 1);
const OF_FIRST: Name = (1, 0);
const ALSO_OF_FIRST: Name = (1, 1);
const OF_SECOND: Name = (2, 0);

/// One cycle over all three, to which nobody refers, and one that the first child needs.
fn two_cycles() -> Box<Tree> {
    let star = star([true; 3]);
    star.refer(OF_HUB, 0, OF_FIRST);
    star.refer(OF_FIRST, 0, OF_SECOND);
    star.refer(OF_SECOND, 0, OF_HUB);
    star.refer(KEPT, 0, ALSO_OF_FIRST);
    star.refer(ALSO_OF_FIRST, 0, KEPT);
    for name in [OF_HUB, OF_FIRST, OF_SECOND, ALSO_OF_FIRST] {
        star.drop_all(name);
    }
    star.drop_all_but(1, KEPT);
    star.heaps.iter().for_each(|heap| heap.collect());
    star.drain();
    star
}

/// A round, during which a process has so many allocations, and then one or all fail; how many have failed.
fn round_with(star: &Tree, process: usize, allowed: i64, is_over_then: bool) -> u64 {
    let memory = &star.heaps[process].memory;
    let hub = &star.heaps[HUB];
    memory.run_out_after(allowed, is_over_then);
    let begun = hub.begin_round(0);
    for _ in 0..2 {
        star.processes().for_each(|peer| star.serve_all_of(peer));
    }
    let mut finished = match begun {
        RS_OK => hub.try_finish_round(),
        status => Err(status),
    };
    let failures = memory.is_back();
    if finished == Ok(None) {
        star.drain();
        finished = hub.try_finish_round();
    }
    assert!(
        matches!(finished, Ok(Some(_)) | Err(RS_ERR_MEMORY)),
        "{finished:?} after {allowed} allocations"
    );
    failures
}

fn a_process_runs_short(process: usize) {
    for is_over_then in [true, false] {
        let mut allowed = 0;
        loop {
            let star = two_cycles();
            let failures = round_with(&star, process, allowed, is_over_then);
            star.expect_all_usable();
            // A round that has failed is over.
            collect_all(&star);
            for name in [OF_HUB, OF_FIRST, OF_SECOND] {
                assert!(star.is_freed(name), "{name:?} after {allowed} allocations");
            }
            assert!(!star.is_freed(KEPT) && !star.is_freed(ALSO_OF_FIRST));
            star.expect_no_garbage();
            if failures == 0 {
                break;
            }
            allowed += 1;
        }
        assert!(allowed > 3, "a round takes {allowed} allocations");
    }
}

#[test]
fn memory_of_the_hub_runs_out_in_a_round() {
    a_process_runs_short(HUB);
}

#[test]
fn memory_of_a_child_runs_out_in_a_round() {
    a_process_runs_short(1);
}
