//! The owner's side of the protocol: what main does before it writes, changes or marks an object that
//! a walk may have claimed. Nothing here waits for a walk, but for one piece of one object.

use super::protocol::{Phase, Protocol};
use crate::host::flags::{Flags, Masks};
use crate::host::heap::{Heap, Object};
use crate::sync::pause;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// It may happen; the object's state has not changed.
    Allowed,
    /// It may happen; the object was A and is B now.
    Unmarked,
    /// It must not happen: the object is frozen or shareable.
    Frozen,
}

/// What [`clear_autoshare`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// What became of the write.
    pub write: Write,
    /// Whether main had to wait for a piece of a scan.
    pub waited: bool,
}

const FROZEN: Cleared = Cleared {
    write: Write::Frozen,
    waited: false,
};

/// Takes an object from A to B, or finds that it is frozen.
///
/// AUTOSHARE is cleared by one read-modify-write, and only then the walk word is judged, and then the
/// flags are read once more: only the end of a walk clears PENDING, so a claim that is still
/// there belongs to the walk whose word was read. (Clearing both bits by one compare-and-swap
/// would be unsound: the walk may have ended, and a new one claimed the object, between the looks at
/// the word and at the flags.)
pub fn clear_autoshare<H: Heap>(heap: &H, protocol: &Protocol, object: Object) -> Cleared {
    let flags = heap.flags();
    let masks = flags.masks();
    let address = heap.address(object);
    let before = flags.load(address);
    if is_frozen(before, masks) {
        return FROZEN;
    }
    if before & (masks.autoshare | masks.pending) == 0 {
        return Cleared {
            write: Write::Allowed,
            waited: false,
        };
    }
    let before = flags.fetch_clear(address, masks.autoshare);
    if is_frozen(before, masks) {
        return FROZEN;
    }
    let write = match before & masks.autoshare {
        0 => Write::Allowed,
        _ => Write::Unmarked,
    };
    let mut rounds = 0;
    loop {
        let word = protocol.word();
        let now = flags.load(address);
        if is_frozen(now, masks) {
            return FROZEN;
        }
        if before & masks.pending == 0 || now & masks.pending == 0 {
            return Cleared {
                write,
                waited: false,
            };
        }
        match word.phase() {
            Phase::Run if !protocol.abort(word, object) => continue,
            Phase::Run | Phase::Abort | Phase::Restart => {}
            Phase::Commit => return FROZEN,
            Phase::Idle => {
                pause(rounds);
                rounds += 1;
                continue;
            }
        }
        return Cleared {
            write,
            waited: protocol.wait_scan(object),
        };
    }
}

/// Frozen by its program, or shareable. SHAREABLE under PENDING is a note, not a state.
fn is_frozen(flags: u64, masks: Masks) -> bool {
    flags & masks.frozen != 0 || flags & (masks.shareable | masks.pending) == masks.shareable
}

/// Marks one object; returns whether it was newly marked. The caller has seen that the object can
/// be marked: the owner is main, and its kind is shareable.
pub fn set_autoshare<H: Heap>(heap: &H, object: Object) -> bool {
    let flags = heap.flags();
    let masks = flags.masks();
    let address = heap.address(object);
    let mut before = flags.load(address);
    loop {
        if before & masks.pending == 0 {
            if before & (masks.shareable | masks.autoshare) != 0 {
                return false;
            }
            // Nobody but its owner writes the word of an object that is neither A nor claimed.
            flags.store(address, before | masks.autoshare);
            flags.owner_must_ask(address);
            return true;
        }
        let noted = before | masks.autoshare | masks.shareable;
        match flags.compare_exchange(address, before, noted) {
            Ok(_) => {
                flags.owner_must_ask(address);
                return before & masks.autoshare == 0;
            }
            Err(now) => before = now,
        }
    }
}

/// Takes back [`set_autoshare`], also from an object that its program has frozen. A walk that has
/// claimed the object meanwhile begins anew. Returns whether the object was still A.
pub fn undo_autoshare<H: Heap>(heap: &H, protocol: &Protocol, object: Object) -> bool {
    let flags = heap.flags();
    let masks = flags.masks();
    let before = flags.fetch_clear(heap.address(object), masks.autoshare);
    if before & masks.pending != 0 {
        protocol.interrupt();
    }
    before & masks.autoshare != 0
}

/// Main begins to change how an object lies in memory: no walk reads it from now on, until the change
/// ends. Returns whether that is possible, and whether main had to wait: it is not for a
/// shareable object, which others read without asking.
///
/// The caller has put the object into `changing`. The read-modify-write of the flags is what makes
/// that visible: a walker that claims the object later sees it, one that claimed before is seen.
pub fn begin_change<H: Heap>(heap: &H, protocol: &Protocol, object: Object) -> Cleared {
    let flags = heap.flags();
    let masks = flags.masks();
    let address = heap.address(object);
    flags.fetch_or(address, 0);
    let mut rounds = 0;
    loop {
        let word = protocol.word();
        let now = flags.load(address);
        if now & (masks.shareable | masks.pending) == masks.shareable {
            return FROZEN;
        }
        if now & masks.pending != 0 {
            match word.phase() {
                Phase::Run => {
                    if !protocol.decide(word.epoch(), Phase::Restart) {
                        continue;
                    }
                }
                Phase::Abort | Phase::Restart => {}
                Phase::Commit => return FROZEN,
                Phase::Idle => {
                    pause(rounds);
                    rounds += 1;
                    continue;
                }
            }
        }
        return Cleared {
            write: Write::Allowed,
            waited: now & masks.pending != 0 && protocol.wait_scan(object),
        };
    }
}
