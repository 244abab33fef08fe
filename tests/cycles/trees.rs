//! Processes that are hub and peer at once, and links over sockets.

use crate::heap::Name;
use crate::histories::collect_all;
use crate::joining;
use crate::shape::{CHAIN, HUB, STAR};
use crate::tree::Tree;

const OF_FIRST: Name = (0, 0);
const OF_MIDDLE: Name = (1, 0);
const ALSO_OF_MIDDLE: Name = (1, 1);
const OF_LAST: Name = (2, 0);

fn chain() -> Box<Tree> {
    Tree::new(CHAIN, &[true; 3], joining::inherited)
}

/// Two objects refer to each other, and no program holds them.
fn abandon_cycle(tree: &Tree, one: Name, other: Name) {
    tree.refer(one, 0, other);
    tree.refer(other, 0, one);
    tree.drop_all(one);
    tree.drop_all(other);
}

#[test]
fn each_hub_of_a_chain_collects_the_cycles_over_its_own_links() {
    let tree = chain();
    abandon_cycle(&tree, OF_FIRST, OF_MIDDLE);
    abandon_cycle(&tree, ALSO_OF_MIDDLE, OF_LAST);
    collect_all(&tree);
    for name in [OF_FIRST, OF_MIDDLE, ALSO_OF_MIDDLE, OF_LAST] {
        assert!(tree.is_freed(name), "{name:?}");
    }
    tree.expect_no_garbage();
}

#[test]
fn a_round_of_the_first_hub_keeps_what_the_last_process_needs() {
    let tree = chain();
    tree.refer(OF_FIRST, 0, OF_MIDDLE);
    tree.refer(OF_MIDDLE, 0, OF_FIRST);
    tree.drop_all_but(2, OF_FIRST);
    tree.drop_all(OF_MIDDLE);
    collect_all(&tree);
    assert!(!tree.is_freed(OF_FIRST) && !tree.is_freed(OF_MIDDLE));
    tree.expect_no_garbage();
}

#[test]
fn a_round_of_the_second_hub_keeps_what_the_first_process_needs() {
    let tree = chain();
    tree.refer(OF_LAST, 0, OF_MIDDLE);
    tree.refer(OF_MIDDLE, 0, OF_LAST);
    tree.drop_all_but(HUB, OF_LAST);
    tree.drop_all(OF_MIDDLE);
    collect_all(&tree);
    assert!(!tree.is_freed(OF_LAST) && !tree.is_freed(OF_MIDDLE));
    tree.expect_no_garbage();
}

#[test]
fn a_cycle_that_no_hub_sees_as_a_whole_stays_and_can_be_used() {
    let tree = chain();
    abandon_cycle(&tree, OF_FIRST, OF_LAST);
    collect_all(&tree);
    assert!(!tree.is_freed(OF_FIRST) && !tree.is_freed(OF_LAST));
    tree.expect_no_garbage_in_stars();
}

#[test]
fn rounds_of_two_hubs_cross() {
    let tree = chain();
    abandon_cycle(&tree, OF_FIRST, OF_MIDDLE);
    abandon_cycle(&tree, ALSO_OF_MIDDLE, OF_LAST);
    tree.begin_round(HUB);
    tree.begin_round(1);
    tree.end_rounds();
    collect_all(&tree);
    tree.expect_no_garbage();
}

#[test]
fn cycles_over_sockets_are_collected() {
    let star = Tree::new(STAR, &[true; 3], joining::by_socket);
    abandon_cycle(&star, OF_FIRST, OF_MIDDLE);
    abandon_cycle(&star, ALSO_OF_MIDDLE, OF_LAST);
    collect_all(&star);
    for name in [OF_FIRST, OF_MIDDLE, ALSO_OF_MIDDLE, OF_LAST] {
        assert!(star.is_freed(name), "{name:?}");
    }
    star.expect_no_garbage();
}
