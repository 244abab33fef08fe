//! The truth table of an object's flags.
//!
//! | AUTOSHARE | PENDING | FROZEN | SHAREABLE | state |
//! |---|---|---|---|---|
//! | 0 | 0 | 0 | 0 | ordinary; under a slot: B |
//! | 0 | 0 | 1 | 0 | frozen by its program, not known to be shareable |
//! | 1 | 0 | * | 0 | A |
//! | 1 | 1 | * | 0 | A, claimed: the walk word says whether it is still A, or already C |
//! | 0 | 1 | * | 0 | claimed, and main has written it since; or claimed by an explicit share |
//! | * | 1 | * | 1 | claimed, and assigned anew since: a failed walk must leave AUTOSHARE alone |
//! | 0 | 0 | 1 | 1 | C |
//!
//! The last row but one is a note from main to the walker, in a bit that has no other meaning while
//! PENDING is set. A failed walk demotes the path from the slot to the blocker; main may
//! assign an object of that path at the same time. Without the note, the walker could only look
//! whether a mark is under way and then demote: between the two, main's new mark would be lost,
//! and the slot would stay blocked though it was just assigned.
//!
//! A host that stops its world for a walk may have no bit for PENDING. Then a claim is SHAREABLE
//! without FROZEN, which only callbacks of the walk itself can meet, and there are no notes, since
//! main assigns nothing meanwhile.

use crate::host::flags::Masks;

/// What one load of an object's flags says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Ordinary, or B.
    Ordinary,
    /// Frozen by its program.
    Frozen,
    /// A.
    Autoshare,
    /// Claimed: ask the walk word.
    Claimed,
    /// C.
    Shareable,
}

impl State {
    /// Reads the truth table.
    #[inline(always)]
    pub fn of(flags: u64, masks: Masks) -> State {
        if flags & masks.pending != 0 {
            State::Claimed
        } else if flags & masks.shareable != 0 {
            State::Shareable
        } else if flags & masks.autoshare != 0 {
            State::Autoshare
        } else if flags & masks.frozen != 0 {
            State::Frozen
        } else {
            State::Ordinary
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const MASKS: Masks = Masks::new(1, 2, 4, 8);

    #[test]
    fn every_row_of_the_table() {
        for (flags, state) in [
            (0b0000, State::Ordinary),
            (0b0001, State::Frozen),
            (0b0100, State::Autoshare),
            (0b0101, State::Autoshare),
            (0b1100, State::Claimed),
            (0b1101, State::Claimed),
            (0b1000, State::Claimed),
            (0b1001, State::Claimed),
            (0b1110, State::Claimed),
            (0b0011, State::Shareable),
        ] {
            assert_eq!(State::of(flags, MASKS), state, "{flags:04b}");
            assert_eq!(
                State::of(flags | 0xf0, MASKS),
                state,
                "other bits do not matter"
            );
        }
    }
}
