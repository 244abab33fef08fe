//! Where the four flags of an object are, and how to change them: header, side table, or split.
//!
//! The rest of the library sees one word for each object, with four masks. With flags in the
//! header it is the host's own flag word, whose other bits are left as they are. With a side
//! table or split flags it is a byte of the table. What split flags add, the bits that an
//! owner keeps in the header, is done by the `owner_…` operations, which do nothing elsewhere:
//!
//! | split | header, written by the owner only | side table |
//! |---|---|---|
//! | ordinary | – | – |
//! | A | AUTOSHARE: "ask before a write" | AUTOSHARE |
//! | A, claimed | AUTOSHARE | AUTOSHARE, PENDING |
//! | C, main has not looked yet | AUTOSHARE | FROZEN, SHAREABLE |
//! | C | FROZEN, SHAREABLE | FROZEN, SHAREABLE |
//! | demoted by a failed access, main has not looked yet | AUTOSHARE | – |

use super::change::Change;
use super::contract::{
    RS_FLAGS_IN_SIDE_TABLE, RS_FLAGS_SPLIT, RS_SIDE_AUTOSHARE, RS_SIDE_FROZEN, RS_SIDE_PENDING,
    RS_SIDE_SHAREABLE, rs_flags,
};
use super::side_table::SideTable;
use crate::sync::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Word};
use core::marker::PhantomData;

/// The bits of the four flags in the word that [`Flags`] shows.
#[derive(Clone, Copy, Debug)]
pub struct Masks {
    /// FROZEN.
    pub frozen: u64,
    /// SHAREABLE.
    pub shareable: u64,
    /// AUTOSHARE.
    pub autoshare: u64,
    /// PENDING, as main may meet it; 0 if it never does.
    pub pending: u64,
    /// What a walk sets in an object that it claims: PENDING; or SHAREABLE, in a host that stops its
    /// world and has no bit to spare. There a claim is seen by nobody but the walk that made it.
    pub claim: u64,
    /// What says that main has assigned a claimed object anew (see autoshare/flags.rs); 0 if main
    /// is stopped meanwhile.
    pub note: u64,
}

impl Masks {
    /// The masks of these bits; `pending` may be 0.
    pub const fn new(frozen: u64, shareable: u64, autoshare: u64, pending: u64) -> Masks {
        let has_pending = pending != 0;
        Masks {
            frozen,
            shareable,
            autoshare,
            pending,
            claim: if has_pending { pending } else { shareable },
            note: if has_pending { shareable } else { 0 },
        }
    }
}

/// The flag words of a host's objects, found by their address.
pub trait Flags: Copy {
    /// The bits of the four flags.
    fn masks(&self) -> Masks;
    /// Whether the object at this address can have flags at all.
    fn covers(&self, address: usize) -> bool;
    /// Reads; what the writer of the value did before is visible.
    fn load(&self, address: usize) -> u64;
    /// Writes, with what this thread did before. Only for an object whose word nobody else writes.
    fn store(&self, address: usize, value: u64);
    /// Replaces `old` by `new`, or returns what stands there.
    fn compare_exchange(&self, address: usize, old: u64, new: u64) -> Result<u64, u64>;
    /// Sets bits, and returns what stood there.
    fn fetch_or(&self, address: usize, bits: u64) -> u64;
    /// Clears bits, and returns what stood there.
    fn fetch_clear(&self, address: usize, bits: u64) -> u64;

    /// Whether they stand in the objects, so that one comes with the other.
    fn stand_in_objects(&self) -> bool {
        true
    }
    /// Brings the flags of an object nearer.
    fn prefetch(&self, _address: usize) {}

    /// The owner has set AUTOSHARE or PENDING: its own check must notice.
    fn owner_must_ask(&self, _address: usize) {}
    /// The owner has seen that neither is set any more.
    fn owner_need_not_ask(&self, _address: usize) {}
    /// The owner has seen that the object is shareable.
    fn owner_saw_shared(&self, _address: usize) {}
    /// The owner's program freezes the object.
    fn owner_freezes(&self, address: usize) {
        self.fetch_or(address, self.masks().frozen);
    }
    /// Whether the object is frozen as its owner sees it.
    fn is_frozen(&self, address: usize) -> bool {
        self.load(address) & self.masks().frozen != 0
    }
}

/// Flags in the header, in a word of type `W`.
pub struct HeaderFlags<W> {
    offset: usize,
    masks: Masks,
    change: Change,
    word: PhantomData<fn() -> W>,
}

impl<W> Clone for HeaderFlags<W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for HeaderFlags<W> {}

impl<W: Word> HeaderFlags<W> {
    /// The flags that `flags` describes; its width must be that of `W`.
    pub fn new(flags: &rs_flags, change: Change) -> Self {
        HeaderFlags {
            offset: usize::from(flags.offset),
            change,
            masks: Masks::new(
                flags.frozen,
                flags.shareable,
                flags.autoshare,
                flags.pending,
            ),
            word: PhantomData,
        }
    }

    #[inline(always)]
    fn word(&self, address: usize) -> &W {
        // SAFETY: the host promises a flag word of this width at this offset of each of its
        // objects, aligned, and that it is accessed atomically while the library may access it.
        unsafe { &*((address + self.offset) as *const W) }
    }
}

impl<W: Word> Flags for HeaderFlags<W> {
    #[inline(always)]
    fn prefetch(&self, address: usize) {
        super::prefetch::prefetch(address + self.offset);
    }

    #[inline(always)]
    fn masks(&self) -> Masks {
        self.masks
    }

    #[inline(always)]
    fn covers(&self, _address: usize) -> bool {
        true
    }

    #[inline(always)]
    fn load(&self, address: usize) -> u64 {
        self.word(address).load()
    }

    #[inline(always)]
    fn store(&self, address: usize, value: u64) {
        self.word(address).store(value);
    }

    #[inline(always)]
    fn compare_exchange(&self, address: usize, old: u64, new: u64) -> Result<u64, u64> {
        self.change.compare_exchange(self.word(address), old, new)
    }

    #[inline(always)]
    fn fetch_or(&self, address: usize, bits: u64) -> u64 {
        self.change.fetch_or(self.word(address), bits)
    }

    #[inline(always)]
    fn fetch_clear(&self, address: usize, bits: u64) -> u64 {
        self.change.fetch_clear(self.word(address), bits)
    }
}

/// The bits of the side table's bytes.
const SIDE_MASKS: Masks = Masks::new(
    RS_SIDE_FROZEN as u64,
    RS_SIDE_SHAREABLE as u64,
    RS_SIDE_AUTOSHARE as u64,
    RS_SIDE_PENDING as u64,
);

/// Flags in the side table.
#[derive(Clone, Copy)]
pub struct SideFlags {
    table: SideTable,
    change: Change,
}

impl SideFlags {
    /// The flags in a table.
    pub fn new(table: SideTable, change: Change) -> Self {
        SideFlags { table, change }
    }
}

impl Flags for SideFlags {
    #[inline(always)]
    fn stand_in_objects(&self) -> bool {
        false
    }

    #[inline(always)]
    fn prefetch(&self, address: usize) {
        self.table.prefetch(address);
    }

    #[inline(always)]
    fn masks(&self) -> Masks {
        SIDE_MASKS
    }

    #[inline(always)]
    fn covers(&self, address: usize) -> bool {
        self.table.cell(address).is_some()
    }

    #[inline(always)]
    fn load(&self, address: usize) -> u64 {
        self.table.cell(address).map_or(0, Word::load)
    }

    #[inline(always)]
    fn store(&self, address: usize, value: u64) {
        if let Some(cell) = self.table.cell(address) {
            Word::store(cell, value);
        }
    }

    #[inline(always)]
    fn compare_exchange(&self, address: usize, old: u64, new: u64) -> Result<u64, u64> {
        match self.table.cell(address) {
            Some(cell) => self.change.compare_exchange(cell, old, new),
            None => Err(0),
        }
    }

    #[inline(always)]
    fn fetch_or(&self, address: usize, bits: u64) -> u64 {
        self.table
            .cell(address)
            .map_or(0, |cell| self.change.fetch_or(cell, bits))
    }

    #[inline(always)]
    fn fetch_clear(&self, address: usize, bits: u64) -> u64 {
        self.table
            .cell(address)
            .map_or(0, |cell| self.change.fetch_clear(cell, bits))
    }
}

/// Split flags: the protocol runs in the side table, the owner's bits are in the header.
pub struct SplitFlags<W> {
    side: SideFlags,
    header: HeaderFlags<W>,
}

impl<W> Clone for SplitFlags<W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for SplitFlags<W> {}

impl<W: Word> SplitFlags<W> {
    /// The flags that `flags` describes, with their side table.
    pub fn new(flags: &rs_flags, table: SideTable, change: Change) -> Self {
        SplitFlags {
            side: SideFlags::new(table, change),
            header: HeaderFlags::new(flags, change),
        }
    }

    /// The owner rewrites its header word, plainly as its host does.
    fn rewrite(&self, address: usize, set: u64, clear: u64) {
        let old = self.header.load(address);
        let new = (old & !clear) | set;
        if new != old {
            self.header.store(address, new);
        }
    }
}

impl<W: Word> Flags for SplitFlags<W> {
    #[inline(always)]
    fn stand_in_objects(&self) -> bool {
        false
    }

    #[inline(always)]
    fn prefetch(&self, address: usize) {
        self.side.prefetch(address);
    }

    #[inline(always)]
    fn masks(&self) -> Masks {
        SIDE_MASKS
    }

    #[inline(always)]
    fn covers(&self, address: usize) -> bool {
        self.side.covers(address)
    }

    #[inline(always)]
    fn load(&self, address: usize) -> u64 {
        self.side.load(address)
    }

    #[inline(always)]
    fn store(&self, address: usize, value: u64) {
        self.side.store(address, value);
    }

    #[inline(always)]
    fn compare_exchange(&self, address: usize, old: u64, new: u64) -> Result<u64, u64> {
        self.side.compare_exchange(address, old, new)
    }

    #[inline(always)]
    fn fetch_or(&self, address: usize, bits: u64) -> u64 {
        self.side.fetch_or(address, bits)
    }

    #[inline(always)]
    fn fetch_clear(&self, address: usize, bits: u64) -> u64 {
        self.side.fetch_clear(address, bits)
    }

    fn owner_must_ask(&self, address: usize) {
        self.rewrite(address, self.header.masks.autoshare, 0);
    }

    fn owner_need_not_ask(&self, address: usize) {
        self.rewrite(address, 0, self.header.masks.autoshare);
    }

    fn owner_saw_shared(&self, address: usize) {
        let masks = self.header.masks;
        self.rewrite(address, masks.frozen | masks.shareable, masks.autoshare);
    }

    fn owner_freezes(&self, address: usize) {
        self.rewrite(address, self.header.masks.frozen, 0);
    }

    fn is_frozen(&self, address: usize) -> bool {
        self.side.is_frozen(address) || self.header.is_frozen(address)
    }
}

/// Flags at whatever placement a host has: a choice at each access, for code in which that does not
/// count.
#[derive(Clone, Copy)]
pub enum AnyFlags {
    /// In the header, 8 bits.
    Header8(HeaderFlags<AtomicU8>),
    /// In the header, 16 bits.
    Header16(HeaderFlags<AtomicU16>),
    /// In the header, 32 bits.
    Header32(HeaderFlags<AtomicU32>),
    /// In the header, 64 bits.
    Header64(HeaderFlags<AtomicU64>),
    /// Split, 8 bits in the header.
    Split8(SplitFlags<AtomicU8>),
    /// Split, 16 bits in the header.
    Split16(SplitFlags<AtomicU16>),
    /// Split, 32 bits in the header.
    Split32(SplitFlags<AtomicU32>),
    /// Split, 64 bits in the header.
    Split64(SplitFlags<AtomicU64>),
    /// In the side table.
    Side(SideFlags),
}

/// Evaluates an expression with the flags of an [`AnyFlags`] as their own type.
macro_rules! with_flags {
    ($any:expr, $flags:ident => $body:expr) => {
        match $any {
            $crate::host::flags::AnyFlags::Header8($flags) => $body,
            $crate::host::flags::AnyFlags::Header16($flags) => $body,
            $crate::host::flags::AnyFlags::Header32($flags) => $body,
            $crate::host::flags::AnyFlags::Header64($flags) => $body,
            $crate::host::flags::AnyFlags::Split8($flags) => $body,
            $crate::host::flags::AnyFlags::Split16($flags) => $body,
            $crate::host::flags::AnyFlags::Split32($flags) => $body,
            $crate::host::flags::AnyFlags::Split64($flags) => $body,
            $crate::host::flags::AnyFlags::Side($flags) => $body,
        }
    };
}
pub(crate) use with_flags;

impl AnyFlags {
    /// The flags that `flags` describes, checked; with their side table, unless they are in the header.
    pub fn new(flags: &rs_flags, table: Option<SideTable>, change: Change) -> AnyFlags {
        match (flags.placement, flags.width, table) {
            (RS_FLAGS_IN_SIDE_TABLE, _, Some(table)) => {
                AnyFlags::Side(SideFlags::new(table, change))
            }
            (RS_FLAGS_SPLIT, 8, Some(table)) => {
                AnyFlags::Split8(SplitFlags::new(flags, table, change))
            }
            (RS_FLAGS_SPLIT, 16, Some(table)) => {
                AnyFlags::Split16(SplitFlags::new(flags, table, change))
            }
            (RS_FLAGS_SPLIT, 32, Some(table)) => {
                AnyFlags::Split32(SplitFlags::new(flags, table, change))
            }
            (RS_FLAGS_SPLIT, _, Some(table)) => {
                AnyFlags::Split64(SplitFlags::new(flags, table, change))
            }
            (_, 8, _) => AnyFlags::Header8(HeaderFlags::new(flags, change)),
            (_, 16, _) => AnyFlags::Header16(HeaderFlags::new(flags, change)),
            (_, 32, _) => AnyFlags::Header32(HeaderFlags::new(flags, change)),
            (_, _, _) => AnyFlags::Header64(HeaderFlags::new(flags, change)),
        }
    }
}

impl Flags for AnyFlags {
    fn masks(&self) -> Masks {
        with_flags!(self, flags => flags.masks())
    }

    fn covers(&self, address: usize) -> bool {
        with_flags!(self, flags => flags.covers(address))
    }

    fn load(&self, address: usize) -> u64 {
        with_flags!(self, flags => flags.load(address))
    }

    fn store(&self, address: usize, value: u64) {
        with_flags!(self, flags => flags.store(address, value));
    }

    fn compare_exchange(&self, address: usize, old: u64, new: u64) -> Result<u64, u64> {
        with_flags!(self, flags => flags.compare_exchange(address, old, new))
    }

    fn fetch_or(&self, address: usize, bits: u64) -> u64 {
        with_flags!(self, flags => flags.fetch_or(address, bits))
    }

    fn fetch_clear(&self, address: usize, bits: u64) -> u64 {
        with_flags!(self, flags => flags.fetch_clear(address, bits))
    }

    fn owner_must_ask(&self, address: usize) {
        with_flags!(self, flags => flags.owner_must_ask(address));
    }

    fn owner_need_not_ask(&self, address: usize) {
        with_flags!(self, flags => flags.owner_need_not_ask(address));
    }

    fn owner_saw_shared(&self, address: usize) {
        with_flags!(self, flags => flags.owner_saw_shared(address));
    }

    fn owner_freezes(&self, address: usize) {
        with_flags!(self, flags => flags.owner_freezes(address));
    }

    fn is_frozen(&self, address: usize) -> bool {
        with_flags!(self, flags => flags.is_frozen(address))
    }
}
