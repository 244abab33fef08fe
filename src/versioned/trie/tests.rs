//! Tries beside maps, and in memory that holds anything.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Memory for nodes, none of which is ever given back.
struct Memory {
    words: Vec<u64>,
    superseded: Vec<Place>,
}

impl Memory {
    fn new() -> Self {
        Memory {
            words: vec![0],
            superseded: Vec::new(),
        }
    }

    fn build(&mut self, map: &Records) -> Place {
        let changes: Vec<Change> = map.iter().map(|(&id, &record)| (id, record)).collect();
        update(self, 0, &changes).unwrap()
    }
}

impl Nodes for Memory {
    fn word(&self, at: Place) -> Result<u64, rs_status> {
        let index = usize::try_from(at).map_err(|_| RS_ERR_STORE)?;
        self.words.get(index).copied().ok_or(RS_ERR_STORE)
    }

    fn make(&mut self, words: &[u64]) -> Result<Place, rs_status> {
        let at = self.words.len() as Place;
        self.words.extend_from_slice(words);
        Ok(at)
    }

    fn supersede(&mut self, at: Place) -> Result<(), rs_status> {
        self.superseded.push(at);
        Ok(())
    }

    fn forget(&mut self, at: Place) {
        self.superseded.retain(|&own| own != at);
    }
}

type Records = BTreeMap<u64, Place>;

/// All nodes below one.
fn reachable(memory: &Memory, root: Place, into: &mut BTreeSet<Place>) {
    if root == 0 {
        return;
    }
    let view = View::of_node(memory, root).unwrap();
    assert!(into.insert(root), "a tree");
    if view.level > 0 {
        for child in view.open(memory, root).unwrap().children {
            reachable(memory, child, into);
        }
    }
}

fn nodes_of(memory: &Memory, root: Place) -> BTreeSet<Place> {
    let mut nodes = BTreeSet::new();
    reachable(memory, root, &mut nodes);
    nodes
}

/// Both look the same, wherever they lie.
fn expect_same_shape(memory: &Memory, one: Place, other: Place) {
    if one == 0 || other == 0 {
        assert_eq!(one, other);
        return;
    }
    let [one_view, other_view] = [one, other].map(|at| View::of_node(memory, at).unwrap());
    assert_eq!(
        (one_view.level, one_view.prefix),
        (other_view.level, other_view.prefix)
    );
    let [one, other] = [one, other].map(|at| one_view.open(memory, at).unwrap().children);
    for (one, other) in one.into_iter().zip(other) {
        match one_view.level {
            0 => assert_eq!(one, other),
            _ => expect_same_shape(memory, one, other),
        }
    }
}

fn expect_records(memory: &mut Memory, root: Place, records: &Records) {
    for (&id, &record) in records {
        assert_eq!(get(memory, root, id), Ok(record));
        for near in [id ^ 1, id ^ 16, id.wrapping_add(1 << 40), !id] {
            let expected = records.get(&near).copied().unwrap_or(0);
            assert_eq!(get(memory, root, near), Ok(expected));
        }
    }
    let anew = memory.build(records);
    expect_same_shape(memory, root, anew);
}

/// Ids that share much, and some that share nothing.
fn id() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..40_u64,
        2 => 0..5000_u64,
        1 => (0..64_u32, 0..4_u64).prop_map(|(bit, low)| 1 << bit | low),
        1 => any::<u64>(),
    ]
}

/// What becomes of ids: mostly a new record.
fn changes() -> impl Strategy<Value = Records> {
    let record = prop_oneof![1 => Just(0), 3 => 1..1_000_000_u64];
    proptest::collection::btree_map(id(), record, 0..40)
}

fn applied(records: &Records, changes: &Records) -> Records {
    let mut records = records.clone();
    records.extend(changes);
    records.retain(|_, record| *record != 0);
    records
}

fn apply(memory: &mut Memory, root: Place, changes: &Records) -> Place {
    let changes: Vec<Change> = changes.iter().map(|(&id, &record)| (id, record)).collect();
    update(memory, root, &changes).unwrap()
}

/// The larger record; 0 is none, which an odd id gets.
struct Larger;

impl Larger {
    fn of(id: u64, ours: Place, theirs: Place) -> Place {
        match id % 2 {
            0 => ours.max(theirs),
            _ => 0,
        }
    }
}

impl Settle<Memory> for Larger {
    fn settle(
        &mut self,
        _nodes: &mut Memory,
        id: u64,
        _base: Place,
        ours: Place,
        theirs: Place,
    ) -> Result<Place, rs_status> {
        Ok(Larger::of(id, ours, theirs))
    }
}

fn merged(base: &Records, ours: &Records, theirs: &Records) -> Records {
    let ids: BTreeSet<u64> = [base, ours, theirs]
        .iter()
        .flat_map(|own| own.keys().copied())
        .collect();
    let record = |id: u64| {
        let [base, ours, theirs] =
            [base, ours, theirs].map(|own| own.get(&id).copied().unwrap_or(0));
        match () {
            () if ours == base || ours == theirs => theirs,
            () if theirs == base => ours,
            () => Larger::of(id, ours, theirs),
        }
    };
    let all = ids.into_iter().map(|id| (id, record(id)));
    all.filter(|(_, record)| *record != 0).collect()
}

proptest! {
    #[test]
    fn a_trie_is_a_map_and_so_are_all_that_were_before(steps in proptest::collection::vec(changes(), 1..12)) {
        let mut memory = Memory::new();
        let mut versions = vec![(0, Records::new())];
        for changes in &steps {
            let (root, records) = versions.last().unwrap();
            let new = apply(&mut memory, *root, changes);
            versions.push((new, applied(records, changes)));
        }
        for (root, records) in &versions {
            expect_records(&mut memory, *root, records);
        }
    }

    #[test]
    fn what_an_update_replaces_is_superseded_and_nothing_else(first in changes(), second in changes()) {
        let mut memory = Memory::new();
        let old = apply(&mut memory, 0, &first);
        prop_assert!(memory.superseded.is_empty());
        let begin = memory.words.len() as Place;
        let new = apply(&mut memory, old, &second);
        let (old, new) = (nodes_of(&memory, old), nodes_of(&memory, new));
        let gone: BTreeSet<Place> = memory.superseded.iter().copied().collect();
        prop_assert_eq!(gone.len(), memory.superseded.len());
        prop_assert_eq!(gone, old.difference(&new).copied().collect::<BTreeSet<Place>>());
        prop_assert!(new.difference(&old).all(|&at| at >= begin));
    }

    #[test]
    fn a_difference_is_that_of_the_maps_in_order(first in changes(), second in changes()) {
        let mut memory = Memory::new();
        let old = apply(&mut memory, 0, &first);
        let new = apply(&mut memory, old, &second);
        let (before, after) = (applied(&Records::new(), &first), applied(&applied(&Records::new(), &first), &second));
        let mut found = Vec::new();
        diff(&memory, old, new, &mut |id, one, other| {
            found.push((id, one, other));
            Ok(())
        }).unwrap();
        let ids: BTreeSet<u64> = before.keys().chain(after.keys()).copied().collect();
        let pair = |id| (id, before.get(&id).copied().unwrap_or(0), after.get(&id).copied().unwrap_or(0));
        let expected: Vec<(u64, Place, Place)> =
            ids.into_iter().map(pair).filter(|(_, one, other)| one != other).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_merge_is_that_of_the_maps(base in changes(), ours in changes(), theirs in changes()) {
        let mut memory = Memory::new();
        let in_base = applied(&Records::new(), &base);
        let base = memory.build(&in_base);
        let [in_ours, in_theirs] = [&ours, &theirs].map(|changes| applied(&in_base, changes));
        let theirs = apply(&mut memory, base, &theirs);
        memory.superseded.clear();
        let roots = [base, apply(&mut memory, base, &ours), theirs];
        let begin = memory.words.len() as Place;
        let outcome = merge(&mut memory, roots, &mut Larger).unwrap();
        expect_records(&mut memory, outcome, &merged(&in_base, &in_ours, &in_theirs));

        // Nothing is left that nobody has a use for, and nothing is gone that somebody has.
        let [base, ours, theirs] = roots.map(|root| nodes_of(&memory, root));
        let outcome = nodes_of(&memory, outcome);
        let known: BTreeSet<Place> = theirs.union(&ours.difference(&base).copied().collect()).copied().collect();
        let gone: BTreeSet<Place> = memory.superseded.iter().copied().collect();
        prop_assert_eq!(gone.len(), memory.superseded.len());
        prop_assert_eq!(gone, known.difference(&outcome).copied().collect::<BTreeSet<Place>>());
        prop_assert!(outcome.difference(&known).all(|&at| at >= begin));
    }

    #[test]
    fn what_is_no_trie_is_an_error(
        base in changes(),
        ours in changes(),
        theirs in changes(),
        spoiled in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u64>(), 0..4), 1..6),
    ) {
        let mut memory = Memory::new();
        let base_root = apply(&mut memory, 0, &base);
        let roots = [base_root, apply(&mut memory, base_root, &ours), apply(&mut memory, base_root, &theirs)];
        for (place, other, word, how) in spoiled {
            let (place, other) = (place.index(memory.words.len()), other.index(memory.words.len()));
            memory.words[place] = match how {
                0 => word,
                1 => other as u64,
                2 => memory.words[other],
                _ => memory.words[place] ^ 1 << (word % 64),
            };
        }
        // Whatever they say, they end.
        for &id in base.keys() {
            let _ = get(&memory, roots[1], id);
        }
        let _ = diff(&memory, roots[1], roots[2], &mut |_, _, _| Ok(()));
        let _ = merge(&mut memory, roots, &mut Larger);
        let changes: Vec<Change> = ours.into_iter().collect();
        let _ = update(&mut memory, roots[2], &changes);
    }
}
