//! The host contract: what an embedding VM tells the library about itself, once, as plain data.
//!
//! Everything here is C layout and becomes `include/vmshare/host.h`. The struct [`rs_host`] only
//! ever grows at its end; `size` says how much of it a host was compiled with.

#![allow(non_camel_case_types)]

use super::exchange::{
    rs_collect_fn, rs_is_cancelled_fn, rs_make_remote_fn, rs_on_change_fn, rs_operate_fn,
    rs_replace_remote_fn,
};
use super::item::{
    rs_immediates, rs_make_items_fn, rs_read_elements_fn, rs_read_items_fn, rs_set_elements_fn,
};
use crate::status::rs_status;
use core::ffi::{c_char, c_void};

/// A machine word of the host: an immediate, or a pointer to one of its objects.
pub type rs_value = usize;
/// A registered domain of execution; an id that is never used twice. `RS_NO_RACTOR` is none.
pub type rs_ractor = u64;
/// A named place that ractors share; an id that is never used twice. `RS_NO_SLOT` is none.
pub type rs_slot = u64;

/// A vm: what `rs_vm_new` makes. Only the library looks inside.
pub struct rs_vm {
    _private: [u8; 0],
}

/// No ractor.
pub const RS_NO_RACTOR: rs_ractor = 0;
/// No slot.
pub const RS_NO_SLOT: rs_slot = 0;

/// The version of the contract that this header describes; goes into `rs_host.abi`.
pub const RS_ABI: u32 = 1;

/// All four flags are bits of a word in the object, changed by nobody with a plain
/// read-modify-write while the object may be claimed.
pub const RS_FLAGS_IN_HEADER: u32 = 0;
/// All four flags are kept by the library, one byte for each granule of the host's heap.
pub const RS_FLAGS_IN_SIDE_TABLE: u32 = 1;
/// FROZEN, SHAREABLE and AUTOSHARE are bits of the object that only its owner writes, plainly;
/// what other ractors must see and change stands in the side table. In the header AUTOSHARE says
/// "ask the library before a write".
pub const RS_FLAGS_SPLIT: u32 = 2;

/// In the side table: the object must not change.
pub const RS_SIDE_FROZEN: u8 = 1;
/// In the side table: every ractor may read the object.
pub const RS_SIDE_SHAREABLE: u8 = 2;
/// In the side table: not yet decided, see autoshare.h.
pub const RS_SIDE_AUTOSHARE: u8 = 4;
/// In the side table: claimed by a walk.
pub const RS_SIDE_PENDING: u8 = 8;

/// Where the four flags of an object live.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct rs_flags {
    /// `RS_FLAGS_IN_HEADER`, `RS_FLAGS_IN_SIDE_TABLE` or `RS_FLAGS_SPLIT`.
    pub placement: u32,
    /// Header and split: bytes from the address of the object to its flag word, which is aligned
    /// to its width.
    pub offset: u16,
    /// Header and split: bits of the flag word: 8, 16, 32 or 64.
    pub width: u8,
    /// Side table and split: log2 of the distance that two objects at least keep, 3 to 12.
    pub granule: u8,
    /// Header and split: the bit of FROZEN; the host's own frozen bit serves.
    pub frozen: u64,
    /// Header and split: the bit of SHAREABLE.
    pub shareable: u64,
    /// Header and split: the bit of AUTOSHARE.
    pub autoshare: u64,
    /// Header: the bit of PENDING. 0 if walks stop the world: then SHAREABLE without FROZEN says it,
    /// which nobody but the callbacks of a walk can meet.
    pub pending: u64,
    /// Side table and split: the lowest address that an object can have. Objects outside of
    /// the range count as unshareable.
    pub heap_start: rs_value,
    /// Side table and split: bytes of address space from `heap_start`; 0 with `heap_start` 0
    /// means every user address. The table reserves `heap_size >> granule` bytes of address space
    /// and uses memory only for what is touched.
    pub heap_size: usize,
}

/// How to tell an object from an immediate.
///
/// A value `v` is an object if `v >= lowest` and bit `v & 31` of `tags` is set; its address is
/// then `v & ~tag_mask`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct rs_pointers {
    /// Bit i says that a value whose low five bits are i is an object. `RS_POINTERS_ALIGNED_8`
    /// and `RS_POINTERS_ALIGNED_4` serve hosts whose objects are plain aligned pointers.
    pub tags: u32,
    /// The low bits that are not part of the address.
    pub tag_mask: u32,
    /// The smallest value that is an object: nil, false and the like lie below.
    pub lowest: rs_value,
}

/// `rs_pointers.tags` of a host in which every multiple of 8 (from `lowest` on) is an object.
pub const RS_POINTERS_ALIGNED_8: u32 = 0x0101_0101;
/// `rs_pointers.tags` of a host in which every multiple of 4 (from `lowest` on) is an object.
pub const RS_POINTERS_ALIGNED_4: u32 = 0x1111_1111;

/// Where an object says which layout it has.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct rs_type_tag {
    /// Bits of the word that holds the tag: 8, 16, 32 or 64; 0 takes the tag from the value
    /// itself (a tagged pointer).
    pub width: u8,
    /// The tag is `(word >> shift) & mask`.
    pub shift: u8,
    /// Bytes from the address of the object to that word, which is aligned to its width.
    pub offset: u16,
    /// The tag is `(word >> shift) & mask`; a tag past the table of layouts means "ask the
    /// callbacks".
    pub mask: u32,
}

/// The object can be shared as it is.
pub const RS_SHARE_YES: u32 = 0;
/// The object can never be shared (a file, a thread).
pub const RS_SHARE_NO: u32 = 1;
/// The object itself can't be shared, a copy of it could.
pub const RS_SHARE_BY_COPY: u32 = 2;
/// The object can be shared once `prepare` was called for it.
pub const RS_SHARE_NEEDS_PREPARE: u32 = 3;
/// The object is held for writing at this moment: later perhaps.
pub const RS_SHARE_BUSY: u32 = 4;
/// In a layout: ask `can_share`.
pub const RS_SHARE_ASK: u32 = 5;

/// Nothing besides the fixed fields.
pub const RS_ELEMENTS_NONE: u8 = 0;
/// Elements follow in the object itself, from `elements_offset` on.
pub const RS_ELEMENTS_INLINE: u8 = 1;
/// Elements lie behind a pointer which stands at `elements_offset`.
pub const RS_ELEMENTS_INDIRECT: u8 = 2;
/// Ask `children` for everything, fixed fields included.
pub const RS_ELEMENTS_ASK: u8 = 3;

/// What the objects of one type look like: which of their words are children, and whether they
/// can be shared. All offsets are bytes from the object's address; all children are aligned words.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct rs_layout {
    /// `RS_SHARE_YES` to `RS_SHARE_ASK`.
    pub share: u8,
    /// `RS_ELEMENTS_NONE` to `RS_ELEMENTS_ASK`.
    pub elements: u8,
    /// Bits of the length word: 8, 16, 32 or 64.
    pub length_width: u8,
    /// The number of elements is `length word >> length_shift`,
    pub length_shift: u8,
    /// of which the low `length_bits` bits count; 0: all.
    pub length_bits: u8,
    /// Nonzero: `commit` is called for objects of this type when they become shareable.
    pub commit: u8,
    /// Where the fixed fields begin.
    pub fields_offset: u16,
    /// How many words of fixed fields there are.
    pub fields_count: u16,
    /// Where the elements begin (inline), or their pointer stands (indirect; NULL means none).
    pub elements_offset: u16,
    /// Where the length word stands.
    pub length_offset: u16,
    /// What a report calls objects of this type; static; NULL for none.
    pub name: *const c_char,
}

/// Where the `children` callback puts what it finds; see `rs_visit` in inline.h.
#[repr(C)]
#[derive(Debug)]
pub struct rs_visitor {
    /// The next free place; written through `rs_visit`.
    pub next: *mut rs_value,
    /// The end of the buffer.
    pub limit: *mut rs_value,
    /// Where the host left off: 0 at the first call for an object, then what the host last
    /// stored here.
    pub cursor: u64,
    /// Children that were offered when the buffer was full. Not 0 is a broken contract.
    pub dropped: u64,
}

/// A position in a program, for reports.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct rs_site {
    /// The file; NULL if unknown. The string must live as long as the vm.
    pub file: *const c_char,
    /// The line, from 1 on; 0 if unknown.
    pub line: u32,
    /// The column, from 1 on; 0 if unknown.
    pub column: u32,
}

// SAFETY: `file` is a static string of the host's, or lives as long as the vm: any thread may read it.
unsafe impl Send for rs_site {}

/// Mark graphs when the first ractor besides main is made, and at assignment from then on.
pub const RS_MARK_ON_FIRST_RACTOR: u32 = 0;
/// Mark graphs when they are assigned; writes undo the mark only once ractors exist. Until then marks
/// stand in a side table, also with flags in the header: set `granule`, `heap_start` and
/// `heap_size` of `rs_flags` then too, or the table spans every user address.
pub const RS_MARK_ON_ASSIGN: u32 = 1;

/// Walk while main runs on.
pub const RS_WALK_CONCURRENT: u32 = 0;
/// Walk between `stop_world` and `resume_world`.
pub const RS_WALK_WORLD_STOPPED: u32 = 1;

/// Do what the calls say.
pub const RS_ENFORCE: u32 = 0;
/// Share nothing and freeze nothing; tell `warn` what enforcing would have done. An access to what is
/// not shareable by itself returns `RS_NOT_SHAREABLE`; if enforcing would have shared it, the
/// report's status is `RS_OK`. Implies `RS_OPTION_PROVENANCE`.
pub const RS_WARN: u32 = 1;
/// Mark nothing: only what is shareable by itself is shareable.
pub const RS_OFF: u32 = 2;

/// A slot that holds nothing.
pub const RS_STATE_NONE: u32 = 0;
/// Nothing is known of the object but that it may be written. Under a slot: B, not shareable.
pub const RS_STATE_ORDINARY: u32 = 1;
/// The program froze the object; it is not known to be shareable.
pub const RS_STATE_FROZEN: u32 = 2;
/// A: may still become either.
pub const RS_STATE_AUTOSHARE: u32 = 3;
/// C: shareable and frozen, and so is all that it refers to. Immediates too.
pub const RS_STATE_SHAREABLE: u32 = 4;

/// Remember who wrote and who read, where, and along which path. Costs time at each transition
/// and memory for each write that ended a sharing state.
pub const RS_OPTION_PROVENANCE: u32 = 1;
/// Keep a hash of the content of each auto-shareable object and report changes that no
/// `rs_check_frozen` announced. A debugging aid: slow. Switched off in a forked child.
pub const RS_OPTION_VERIFY: u32 = 2;

/// `can_share`: one of `RS_SHARE_YES` to `RS_SHARE_BUSY`.
pub type rs_can_share_fn = Option<unsafe extern "C" fn(ctx: *mut c_void, object: rs_value) -> u32>;
/// `children`: `RS_OK` when all children were visited, `RS_MORE` to be called again.
pub type rs_children_fn = Option<
    unsafe extern "C" fn(ctx: *mut c_void, object: rs_value, visitor: *mut rs_visitor) -> rs_status,
>;
/// `prepare`: `RS_OK`, or any other status to give up with.
pub type rs_prepare_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, object: rs_value) -> rs_status>;
/// A callback that is told of an object.
pub type rs_object_fn = Option<unsafe extern "C" fn(ctx: *mut c_void, object: rs_value)>;
/// A callback that is told of a slot: its value, and the state it is in now (`RS_STATE_…`).
pub type rs_transition_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, slot: rs_slot, object: rs_value, state: u32)>;
/// A callback without arguments.
pub type rs_plain_fn = Option<unsafe extern "C" fn(ctx: *mut c_void)>;
/// `current_ractor`: the ractor that the calling thread belongs to.
pub type rs_current_ractor_fn = Option<unsafe extern "C" fn(ctx: *mut c_void) -> rs_ractor>;
/// `site`: fills in where the calling thread's program stands.
pub type rs_site_fn = Option<unsafe extern "C" fn(ctx: *mut c_void, site: *mut rs_site)>;
/// `describe`: writes a short text of the object, at most `size` bytes, and returns how many.
pub type rs_describe_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        object: rs_value,
        text: *mut c_char,
        size: usize,
    ) -> usize,
>;
/// `label`: writes how one comes from an object to its child number `index` (`[3]`, `.@io`).
pub type rs_label_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        object: rs_value,
        index: u64,
        previous: rs_value,
        text: *mut c_char,
        size: usize,
    ) -> usize,
>;
/// `content_hash`: a hash of what the object holds besides its children.
pub type rs_content_hash_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, object: rs_value) -> u64>;
/// `warn`: is told what a report says; the report lives until the callback returns.
pub type rs_warn_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, report: *const crate::host::report::rs_report)>;
/// `allocate`: memory aligned to 16 bytes, or NULL.
pub type rs_allocate_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, size: usize) -> *mut c_void>;
/// `release`: gives back what `allocate` returned for `size`.
pub type rs_release_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, memory: *mut c_void, size: usize)>;
/// `fatal`: the library failed inside; the text lives until the callback returns.
pub type rs_fatal_fn = Option<unsafe extern "C" fn(ctx: *mut c_void, text: *const c_char)>;

/// An embedding VM, as the library sees it. Start from `RS_HOST_INIT` (inline.h) or zeroed memory
/// with `size` and `abi` set; a NULL callback means its default. The library copies the struct;
/// `ctx` must stay valid as long as the vm. `layouts` is copied; its names are not.
///
/// No callback may `longjmp` or unwind over the library. A callback runs on the thread that called
/// in, unless its text says otherwise. What it may call:
///
/// - `can_share`, `children`, `commit`, `on_mark`, `on_unmark`, `content_hash` and `label` run inside of
///   a walk, or of a dry run: `rs_visit`, `rs_status_…`, `rs_shareable_p`, `rs_frozen_p`,
///   `rs_object_state`. All else is refused with `RS_ERR_REENTRANT`, collectors' calls included: such
///   a callback must not allocate from the host's heap if that may collect.
/// - `safepoint`, `blocking_enter`, `blocking_leave`, `stop_world`, `resume_world`: collectors' calls
///   (gc.h) besides.
/// - `allocate`, `release`, `fatal`: nothing.
/// - All others: anything that does not lead to the same callback again. What needs a walk while the
///   calling thread is in one is refused with `RS_ERR_REENTRANT`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rs_host {
    /// `sizeof(rs_host)` as the host was compiled.
    pub size: u32,
    /// `RS_ABI` as the host was compiled.
    pub abi: u32,
    /// Goes to every callback.
    pub ctx: *mut c_void,

    /// Where the four flags live.
    pub flags: rs_flags,
    /// What is an object.
    pub pointers: rs_pointers,
    /// Where an object's type stands.
    pub type_tag: rs_type_tag,
    /// One layout for each type tag; NULL if `layouts_count` is 0.
    pub layouts: *const rs_layout,
    /// How many layouts there are; tags from there on are asked about by callback.
    pub layouts_count: u32,

    /// `RS_MARK_ON_FIRST_RACTOR` or `RS_MARK_ON_ASSIGN`.
    pub mark_policy: u32,
    /// `RS_WALK_CONCURRENT` or `RS_WALK_WORLD_STOPPED`.
    pub walk_mode: u32,
    /// `RS_ENFORCE`, `RS_WARN` or `RS_OFF`.
    pub enforcement: u32,
    /// `RS_OPTION_…`, or-ed.
    pub options: u32,
    /// Must be 0.
    pub reserved: u32,

    /// Whether an object without a layout of its own can be shared. Default: yes. Runs during
    /// walks, perhaps while main writes to objects that no walk has claimed: it may read the
    /// object's type and what never changes.
    pub can_share: rs_can_share_fn,
    /// Visits the children of an object without a layout of its own. Default: it has none. Runs
    /// during walks; main waits for it before it writes to the object.
    pub children: rs_children_fn,
    /// Makes an object ready to be shared: the host's own freeze hooks, buffers made private.
    /// Explicit shares only; no lock of the library is held; may run any code and call any
    /// function of the library. Must be idempotent. `RS_MORE`: the host has taken a note, and will
    /// do it when `rs_make_shareable` has returned (for hosts whose code may unwind). Any other status
    /// besides `RS_OK` ends the share, and is what `rs_make_shareable` returns (`RS_ERR_HOST` is for
    /// that). Default: nothing to do.
    pub prepare: rs_prepare_fn,
    /// The object is becoming shareable: atomic flips that other ractors may see at once. May not
    /// fail. Called for layouts that ask for it and for objects without a layout.
    pub commit: rs_object_fn,
    /// AUTOSHARE was set: whatever lets a write pass without `rs_check_frozen` (a shape, an inline
    /// cache, compiled code) must be invalidated. On main's thread.
    pub on_mark: rs_object_fn,
    /// AUTOSHARE was cleared: by main's write, on main's thread, or along the path to a blocker, on
    /// the thread of the ractor whose access failed.
    pub on_unmark: rs_object_fn,
    /// The value of a slot changed its state: inline caches that hold it must look again. On the
    /// thread that caused it.
    pub on_transition: rs_transition_fn,

    /// Called after every piece of a walk (some microseconds) with no lock held that a collector
    /// takes: the thread may stop here for a collection, which may move objects, or collect itself.
    pub safepoint: rs_plain_fn,
    /// The calling thread is about to wait: a collection need not wait for it.
    pub blocking_enter: rs_plain_fn,
    /// The calling thread has waited. May itself wait for a running collection.
    pub blocking_leave: rs_plain_fn,
    /// World-stopped mode: stop every other thread of the host. Required there.
    pub stop_world: rs_plain_fn,
    /// World-stopped mode: let them go on. Required there.
    pub resume_world: rs_plain_fn,

    /// Which ractor the calling thread belongs to. With it, calls on the wrong thread return
    /// `RS_ERR_THREAD`; without it, or where it returns `RS_NO_RACTOR`, who calls is believed. Costs a
    /// call each time.
    pub current_ractor: rs_current_ractor_fn,
    /// Where the calling thread's program stands; with provenance only.
    pub site: rs_site_fn,
    /// A short text for an object, for reports and drawings. Default: the name of its layout.
    /// Reads only what never changes about the object (its type), unless the caller of
    /// `rs_explain` or `rs_draw` owns it.
    pub describe: rs_describe_fn,
    /// The step from an object to child `index`; `previous` is child `index - 1` (a map's key), or
    /// 0. Reads no more than `describe`. Default: `[index]`.
    pub label: rs_label_fn,
    /// For `RS_OPTION_VERIFY`: bytes of strings, numbers and the like. Default: only children
    /// are watched. May run on the thread of a ractor that accesses the object; main's next
    /// `rs_check_frozen` of it waits until it has returned.
    pub content_hash: rs_content_hash_fn,
    /// For `RS_WARN` and `RS_OPTION_VERIFY`: what was found. Default: nobody is told. May call
    /// `rs_last_report`.
    pub warn: rs_warn_fn,

    /// Memory for the library. Default: malloc. Any thread.
    pub allocate: rs_allocate_fn,
    /// Gives memory back. Set both or none. Any thread.
    pub release: rs_release_fn,
    /// The library failed inside and the vm is poisoned; the call returns `RS_ERR_PANIC` when
    /// this returns. Default: nothing.
    pub fatal: rs_fatal_fn,

    /// How the host writes what needs no callback.
    pub immediates: rs_immediates,
    /// Says what values are. What items point to must stay until the next call. Must not allocate
    /// from the host's heap if that may collect. Default: this host's graphs can't leave it.
    pub read_items: rs_read_items_fn,
    /// Copies elements of an object whose item has no pointer to them. Like `read_items`.
    pub read_elements: rs_read_elements_fn,
    /// Makes a value for each item: what has elements with as many as `count` says, to be filled in by
    /// `set_elements` before the program sees it; `content.elements` is NULL. May allocate and
    /// collect; what it has stored in `values` is a root. Default: no graph can enter this host.
    pub make_items: rs_make_items_fn,
    /// Fills in elements of what `make_items` made: of a map, pairs that are whole. May allocate
    /// and collect.
    pub set_elements: rs_set_elements_fn,

    /// Makes an object that stands for a peer's, and that `read_items` calls an RS_ITEM_REMOTE from
    /// then on. May allocate and collect. Default: this host has no links.
    pub make_remote: rs_make_remote_fn,
    /// Carries out an operation for a peer: what the program's own primitive would do. Runs on the
    /// thread that serves the link, may run any code and make requests of its own. An error of the
    /// program is told by `rs_link_raise` and RS_RAISED. RS_ERR_UNSUPPORTED: there is no such thing
    /// to do to the target. Default: this host has no links.
    pub operate: rs_operate_fn,
    /// Asked about every 10 ms while a request waits: the program wants to quit. Default: never.
    pub is_cancelled: rs_is_cancelled_fn,
    /// What a remote object stood for has become an ordinary one, since the link ends: from now on
    /// it stands for `value`. Default: nothing.
    pub replace_remote: rs_replace_remote_fn,
    /// What a remote object stands for was written, after `rs_remote_watch`: what was kept of it may be old.
    /// Runs while the link is served or waited for; must not use the link. Default: nothing.
    pub on_change: rs_on_change_fn,

    /// Collects all garbage, and calls `rs_gc_summarise` in the middle of that (gc.h), before it returns:
    /// for a round of finding cycles that go over processes (cycles.h). On the thread of a link, whose
    /// links it does not use. Needs layouts or `children` that leave out no reference of an object.
    /// Default: this host takes no part, and its peers' cycles over it are kept.
    pub collect: rs_collect_fn,
}
