//! The map from ids to records: a persistent trie, whose nodes are never changed.
//!
//! A change copies the nodes on the way to it, and shares all others with the trie that it was made from: so each
//! commit has a trie of its own, and two of them differ only where something was changed. A node stands for all
//! ids that have its prefix, and tells them apart by the next four bits; levels at which there is nothing to tell
//! apart are left out (D. R. Morrison, PATRICIA, Journal of the ACM 15, 1968). There is one trie for a set of ids and
//! records, in whatever order they came: what is equal below two nodes of one level has the same shape.
//!
//! | word of a node | |
//! |---|---|
//! | 0 | when it was made, and [`KIND`], and its level: how many bits of an id stand behind those that it tells apart |
//! | 1 | the prefix: the bits before, as they stand in an id |
//! | 2 | which of the 16 children are there |
//! | 3 and on | those: nodes, or records at level 0; never 0 |
//!
//! Who attaches a store may find anything in it. So each step down must be to a lower level, which bounds all ways,
//! and what is no node is an error.

use crate::status::{RS_ERR_STORE, rs_status};

/// Where in a store something begins: the number of a word. 0 is nothing.
pub type Place = u64;

/// What the tries of a store are made in.
pub trait Nodes {
    /// A word. `RS_ERR_STORE` if there is none.
    fn word(&self, at: Place) -> Result<u64, rs_status>;

    /// Makes a node of these words, the first of which says nothing of its age yet.
    fn make(&mut self, words: &[u64]) -> Result<Place, rs_status>;

    /// A node is no longer part of the trie that is being made.
    fn supersede(&mut self, at: Place) -> Result<(), rs_status>;

    /// A node that was superseded is not part of the trie either that the outcome takes the place of: that is said
    /// already.
    fn forget(&mut self, at: Place);
}

/// The kind of a node: what the lowest byte of its first word says.
pub const KIND: u64 = 1;

/// In the first word of anything in a store: its age.
pub const AGE_SHIFT: u32 = 16;
const LEVEL_SHIFT: u32 = 8;
const BYTE: u64 = 0xff;

const BITS: u32 = 4;
const CHILDREN: usize = 1 << BITS;
const HEAD: u64 = 3;
/// The highest level.
const TOP: u32 = u64::BITS - BITS;

/// What becomes of an id: it gets a record, or none.
pub type Change = (u64, Place);

/// A node, opened: of the level that it is looked at from, which may be higher than its own.
struct Open {
    level: u32,
    prefix: u64,
    children: [Place; CHILDREN],
}

/// The bits of an id that stand before those that a level tells apart.
fn prefix_of(id: u64, level: u32) -> u64 {
    match level {
        TOP => 0,
        level => id >> (level + BITS) << (level + BITS),
    }
}

fn slot_of(id: u64, level: u32) -> usize {
    (id >> level) as usize & (CHILDREN - 1)
}

/// The lowest level at which two ids, or prefixes, are told apart.
fn parting(one: u64, other: u64) -> u32 {
    let highest = (one ^ other).checked_ilog2().unwrap_or(0);
    highest / BITS * BITS
}

/// Level and prefix of a node.
fn head(nodes: &impl Nodes, at: Place) -> Result<(u32, u64), rs_status> {
    let first = nodes.word(at)?;
    let level = (first >> LEVEL_SHIFT & BYTE) as u32;
    let prefix = nodes.word(at + 1)?;
    let is_one = first & BYTE == KIND
        && level <= TOP
        && level.is_multiple_of(BITS)
        && prefix_of(prefix, level) == prefix;
    is_one.then_some((level, prefix)).ok_or(RS_ERR_STORE)
}

/// The level of a node that is to be made.
pub fn level_of(words: &[u64]) -> u32 {
    (words[0] >> LEVEL_SHIFT & BYTE) as u32
}

fn bitmap(nodes: &impl Nodes, at: Place) -> Result<u64, rs_status> {
    let bitmap = nodes.word(at + 2)?;
    (bitmap != 0 && bitmap < 1 << CHILDREN)
        .then_some(bitmap)
        .ok_or(RS_ERR_STORE)
}

/// The record of an id; 0 if it has none.
pub fn get(nodes: &impl Nodes, root: Place, id: u64) -> Result<Place, rs_status> {
    let mut at = root;
    let mut above = TOP + BITS;
    while at != 0 {
        let (level, prefix) = head(nodes, at)?;
        if level >= above {
            return Err(RS_ERR_STORE);
        }
        if prefix_of(id, level) != prefix {
            return Ok(0);
        }
        let bitmap = bitmap(nodes, at)?;
        let bit = 1 << slot_of(id, level);
        if bitmap & bit == 0 {
            return Ok(0);
        }
        let before = (bitmap & (bit - 1)).count_ones();
        at = nodes.word(at + HEAD + u64::from(before))?;
        if level == 0 {
            return Ok(at);
        }
        above = level;
    }
    Ok(0)
}

impl Open {
    /// The node that these children make: none if there are none; and a child that has nobody to be told apart
    /// from needs none above it.
    fn close(&self, nodes: &mut impl Nodes) -> Result<Place, rs_status> {
        let mut words = [0; HEAD as usize + CHILDREN];
        let mut length = HEAD as usize;
        let mut bitmap = 0;
        for (slot, &child) in self.children.iter().enumerate() {
            if child != 0 {
                bitmap |= 1 << slot;
                words[length] = child;
                length += 1;
            }
        }
        match length - HEAD as usize {
            0 => Ok(0),
            1 if self.level > 0 => Ok(words[HEAD as usize]),
            _ => {
                words[0] = u64::from(self.level) << LEVEL_SHIFT | KIND;
                words[1] = self.prefix;
                words[2] = bitmap;
                nodes.make(&words[..length])
            }
        }
    }
}

/// The lowest level from which some nodes and ids can be seen together, and their prefix there.
#[derive(Clone, Copy)]
struct View {
    level: u32,
    prefix: u64,
}

impl View {
    fn of_id(id: u64) -> View {
        View {
            level: 0,
            prefix: prefix_of(id, 0),
        }
    }

    fn of_node(nodes: &impl Nodes, at: Place) -> Result<View, rs_status> {
        let (level, prefix) = head(nodes, at)?;
        Ok(View { level, prefix })
    }

    /// So that the other can be seen too.
    fn and(self, other: View) -> View {
        let level = self.level.max(other.level);
        let (one, two) = (
            prefix_of(self.prefix, level),
            prefix_of(other.prefix, level),
        );
        let level = match one == two {
            true => level,
            false => parting(one, two),
        };
        View {
            level,
            prefix: prefix_of(self.prefix, level),
        }
    }

    /// A node as it looks from here: one of a lower level is a child. Nothing is empty.
    fn open(self, nodes: &impl Nodes, at: Place) -> Result<Open, rs_status> {
        let View { level, prefix } = self;
        let mut children = [0; CHILDREN];
        if at != 0 {
            let own = View::of_node(nodes, at)?;
            if own.level > level || prefix_of(own.prefix, level) != prefix {
                return Err(RS_ERR_STORE);
            }
            if own.level < level {
                children[slot_of(own.prefix, level)] = at;
            } else {
                let bitmap = bitmap(nodes, at)?;
                let mut next = at + HEAD;
                for (slot, child) in children.iter_mut().enumerate() {
                    if bitmap >> slot & 1 != 0 {
                        *child = nodes.word(next)?;
                        next += 1;
                    }
                }
            }
        }
        Ok(Open {
            level,
            prefix,
            children,
        })
    }

    /// A node is replaced by another one, or by its only child; one that is a child from here is not.
    fn supersede(self, nodes: &mut impl Nodes, at: Place) -> Result<(), rs_status> {
        match self.is_of(nodes, at)? {
            true => nodes.supersede(at),
            false => Ok(()),
        }
    }

    /// Whether a node is of this level.
    fn is_of(self, nodes: &impl Nodes, at: Place) -> Result<bool, rs_status> {
        Ok(at != 0 && head(nodes, at)?.0 == self.level)
    }
}

/// The trie with some ids changed; they are in order, each once.
pub fn update(nodes: &mut impl Nodes, root: Place, changes: &[Change]) -> Result<Place, rs_status> {
    update_below(nodes, TOP + BITS, root, changes)
}

fn update_below(
    nodes: &mut impl Nodes,
    above: u32,
    at: Place,
    changes: &[Change],
) -> Result<Place, rs_status> {
    let (Some(&(first, _)), Some(&(last, _))) = (changes.first(), changes.last()) else {
        return Ok(at);
    };
    expect_below(nodes, at, above)?;
    let mut view = View::of_id(first).and(View::of_id(last));
    if at != 0 {
        view = view.and(View::of_node(nodes, at)?);
    }
    let mut changed = view.open(nodes, at)?;
    let before = changed.children;
    let mut rest = changes;
    while let Some(&(id, record)) = rest.first() {
        let slot = slot_of(id, view.level);
        let count = rest.partition_point(|&(id, _)| slot_of(id, view.level) <= slot);
        let (own, behind) = rest.split_at(count);
        changed.children[slot] = match view.level {
            0 => record,
            level => update_below(nodes, level, before[slot], own)?,
        };
        rest = behind;
    }
    if changed.children == before {
        return Ok(at);
    }
    view.supersede(nodes, at)?;
    changed.close(nodes)
}

/// What becomes of an id whose record was changed on both sides: its records in the base, ours and theirs.
pub trait Settle<N> {
    /// Its record from now on; 0 for none.
    fn settle(
        &mut self,
        nodes: &mut N,
        id: u64,
        base: Place,
        ours: Place,
        theirs: Place,
    ) -> Result<Place, rs_status>;
}

/// Theirs, with what differs between the base and ours: a subtrie that only one side has changed is taken over as
/// it is. Nodes of the base that ours does without were superseded when ours was made. Now those of theirs that are
/// replaced are too, and those of ours that the outcome has no use for; and those of the base that theirs does without
/// as well are forgotten. So what is superseded in the end is what the outcome does without, of theirs and of ours.
pub fn merge<N: Nodes>(
    nodes: &mut N,
    [base, ours, theirs]: [Place; 3],
    settle: &mut impl Settle<N>,
) -> Result<Place, rs_status> {
    merge_below(nodes, TOP + BITS, [base, ours, theirs], settle)
}

fn merge_below<N: Nodes>(
    nodes: &mut N,
    above: u32,
    [base, ours, theirs]: [Place; 3],
    settle: &mut impl Settle<N>,
) -> Result<Place, rs_status> {
    if ours == base {
        return Ok(theirs);
    }
    if theirs == base {
        return Ok(ours);
    }
    let mut view: Option<View> = None;
    for at in [base, ours, theirs] {
        if at != 0 {
            expect_below(nodes, at, above)?;
            let own = View::of_node(nodes, at)?;
            view = Some(view.map_or(own, |view| view.and(own)));
        }
    }
    let view = view.ok_or(RS_ERR_STORE)?;
    let [in_base, in_ours, in_theirs] = [
        view.open(nodes, base)?,
        view.open(nodes, ours)?,
        view.open(nodes, theirs)?,
    ];
    let mut merged = Open {
        children: [0; CHILDREN],
        ..in_base
    };
    for slot in 0..CHILDREN {
        let three = [&in_base, &in_ours, &in_theirs].map(|open| open.children[slot]);
        merged.children[slot] = match view.level {
            0 => merge_records(nodes, view.prefix | slot as u64, three, settle)?,
            level => merge_below(nodes, level, three, settle)?,
        };
    }
    let stays = if merged.children == in_theirs.children {
        theirs
    } else if merged.children == in_ours.children {
        ours
    } else {
        0
    };
    for at in [ours, theirs] {
        if at != stays {
            view.supersede(nodes, at)?;
        }
    }
    if view.is_of(nodes, base)? {
        nodes.forget(base);
    }
    match stays {
        0 => merged.close(nodes),
        stays => Ok(stays),
    }
}

fn merge_records<N: Nodes>(
    nodes: &mut N,
    id: u64,
    [base, ours, theirs]: [Place; 3],
    settle: &mut impl Settle<N>,
) -> Result<Place, rs_status> {
    if ours == base || ours == theirs {
        Ok(theirs)
    } else if theirs == base {
        Ok(ours)
    } else {
        settle.settle(nodes, id, base, ours, theirs)
    }
}

/// Shows each id whose record differs in two tries, in order, with both records; 0 for none.
pub fn diff(
    nodes: &impl Nodes,
    one: Place,
    other: Place,
    show: &mut impl FnMut(u64, Place, Place) -> Result<(), rs_status>,
) -> Result<(), rs_status> {
    diff_below(nodes, TOP + BITS, [one, other], show)
}

fn diff_below(
    nodes: &impl Nodes,
    above: u32,
    [one, other]: [Place; 2],
    show: &mut impl FnMut(u64, Place, Place) -> Result<(), rs_status>,
) -> Result<(), rs_status> {
    if one == other {
        return Ok(());
    }
    for at in [one, other] {
        expect_below(nodes, at, above)?;
    }
    let view = match (one, other) {
        (0, at) | (at, 0) => View::of_node(nodes, at)?,
        _ => View::of_node(nodes, one)?.and(View::of_node(nodes, other)?),
    };
    let (one, other) = (view.open(nodes, one)?, view.open(nodes, other)?);
    let pairs = one.children.into_iter().zip(other.children);
    for (slot, (one, other)) in (0..).zip(pairs) {
        match view.level {
            0 if one == other => {}
            0 => show(view.prefix | slot, one, other)?,
            level => diff_below(nodes, level, [one, other], show)?,
        }
    }
    Ok(())
}

fn expect_below(nodes: &impl Nodes, at: Place, level: u32) -> Result<(), rs_status> {
    match at == 0 || head(nodes, at)?.0 < level {
        true => Ok(()),
        false => Err(RS_ERR_STORE),
    }
}

#[cfg(test)]
mod tests;
