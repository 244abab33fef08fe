//! One case each for what a round must see.

use crate::heap::{Name, object};
use crate::histories::collect_all;
use crate::shape::HUB;
use crate::tree::{Inside, Tree, star};

const OF_HUB: Name = (HUB, 0);
const LAST: Name = (HUB, 1);
const OF_FIRST: Name = (1, 0);
const OF_SECOND: Name = (2, 0);

/// A field of a board that nothing else uses.
const FIELD: usize = 1;

/// A hub's object refers to one of the second child, which refers to another one of the hub. No program holds the
/// last two.
fn chain() -> Box<Tree> {
    let star = star([true; 3]);
    star.refer(OF_HUB, 0, OF_SECOND);
    star.refer(OF_SECOND, 0, LAST);
    star.drop_all(OF_SECOND);
    star.drop_all(LAST);
    star
}

/// A child asks to put something on its board, and drops it.
fn ask_to_put(star: &Tree, child: usize, of: Name) {
    let value = star.take(child, of);
    let board = object(star.root(child, 0)).unwrap();
    star.begin(child, board, FIELD, Some(value), 1);
}

fn expect_alive(star: &Tree, names: &[Name]) {
    star.end_rounds();
    collect_all(star);
    star.expect_all_usable();
    star.expect_well();
    for &name in names {
        assert!(!star.is_freed(name), "{name:?}");
    }
}

#[test]
fn a_cycle_over_two_processes_is_collected_and_one_that_is_needed_is_not() {
    let star = star([true; 3]);
    star.refer(OF_HUB, 0, OF_FIRST);
    star.refer(OF_FIRST, 0, OF_HUB);
    star.refer(LAST, 0, OF_SECOND);
    star.refer(OF_SECOND, 0, LAST);
    star.drop_all(OF_HUB);
    star.drop_all(OF_FIRST);
    star.drop_all(LAST);
    collect_all(&star);
    assert!(star.is_freed(OF_HUB) && star.is_freed(OF_FIRST));
    assert!(!star.is_freed(LAST) && !star.is_freed(OF_SECOND));
    star.expect_no_garbage();
}

#[test]
fn a_cycle_over_both_children_is_collected() {
    let star = star([true; 3]);
    star.refer(OF_FIRST, 0, OF_SECOND);
    star.refer(OF_SECOND, 0, OF_FIRST);
    star.drop_all(OF_FIRST);
    star.drop_all(OF_SECOND);
    collect_all(&star);
    assert!(star.is_freed(OF_FIRST) && star.is_freed(OF_SECOND));
}

#[test]
fn without_a_round_a_cycle_stays() {
    let star = star([true; 3]);
    star.refer(OF_HUB, 0, OF_FIRST);
    star.refer(OF_FIRST, 0, OF_HUB);
    star.drop_all(OF_HUB);
    star.drop_all(OF_FIRST);
    for _ in 0..4 {
        star.heaps.iter().for_each(|heap| heap.collect());
        star.drain();
    }
    assert!(!star.is_freed(OF_HUB) && !star.is_freed(OF_FIRST));
}

#[test]
fn an_argument_of_an_operation_that_is_being_carried_out_is_needed() {
    let star = chain();
    star.drop_all_but(1, OF_HUB);
    ask_to_put(&star, 1, OF_HUB);
    star.inside.set(Inside::BeginRound);
    expect_alive(&star, &[OF_HUB, OF_SECOND, LAST]);
}

#[test]
fn what_comes_home_between_the_two_snapshots_is_needed() {
    let star = chain();
    star.drop_all_but(1, OF_HUB);
    star.begin_round(HUB);
    ask_to_put(&star, 1, OF_HUB);
    expect_alive(&star, &[OF_HUB, OF_SECOND, LAST]);
}

#[test]
fn what_is_sent_between_the_two_snapshots_is_needed() {
    let star = star([true; 3]);
    star.refer(OF_FIRST, 0, LAST);
    star.drop_all_but(1, OF_FIRST);
    star.drop_all(LAST);
    collect_all(&star);
    star.begin_round(HUB);
    ask_to_put(&star, 1, OF_FIRST);
    expect_alive(&star, &[OF_FIRST, LAST]);
}

#[test]
fn an_answer_that_nobody_has_read_is_needed() {
    let star = chain();
    star.drop_all_but(1, OF_HUB);
    // The hub asks for a field of the child's that holds its own object, and the child lets go of it.
    star.refer(OF_FIRST, 0, OF_HUB);
    star.take(1, OF_HUB);
    let wrapper = object(star.root_of(HUB, OF_FIRST)).unwrap();
    star.begin(HUB, wrapper, 0, None, 5);
    star.serve_all_of(1);
    star.drop_all(OF_FIRST);
    // The answer arrives, and is kept.
    star.serve_all_of(HUB);
    star.begin_round(HUB);
    expect_alive(&star, &[OF_HUB, OF_SECOND, LAST]);
}
