//! The end of a walk that shares nothing: every claim is taken back, and what blocks the graph is
//! remembered in its flags.
//!
//! - **Undo**, backwards over the log. It follows the log and not the graph, which main may have
//!   changed since. If an object blocks the walk, the same pass finds the path from the root to it (as
//!   path.rs says): what lies on it keeps its claim, and its place in the log, until the end.
//! - **Demote** that path, from the root down: A becomes B, so that the next access fails at once, on
//!   this slot and on every other through which the path leads. Only if main has marked nothing
//!   since the walk began, and not where main has left a note (flags.rs): what main assigns
//!   anew stays A.

use super::claim::{Purpose, announce};
use super::path::{Found, LABEL, PathText, Search, Step};
use super::protocol::Protocol;
use crate::host::callbacks::Callbacks;
use crate::host::contract::{RS_ELEMENTS_NONE, rs_value};
use crate::host::flags::Flags;
use crate::host::heap::{Heap, Object, is_indirect};
use crate::host::plan::Plan;
use crate::walk::chunks::Chunks;

/// How far ahead of itself a pass over the log prefetches.
pub const AHEAD: usize = 16;

/// What undoing needs of the walk that it ends.
pub struct Undoing<'a, H> {
    /// The host's heap.
    pub heap: &'a H,
    /// Its callbacks.
    pub callbacks: &'a Callbacks,
    /// The words shared with main.
    pub protocol: &'a Protocol,
    /// What the walk was for.
    pub purpose: Purpose,
}

impl<H> Clone for Undoing<'_, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H> Copy for Undoing<'_, H> {}

/// What became of an object on the path to a blocker.
enum Demoted {
    /// It was A and is B.
    Yes,
    /// Main had written it: it was B before.
    Before,
    /// Main has assigned it anew: it stays as it is, and so does the rest of the path.
    Noted,
}

/// How far undoing has come.
#[derive(Default)]
pub struct Undo {
    /// What the path must lead to next; none if there is no path to be found, or demoted.
    target: Option<Object>,
    /// Where in the words of an object the search for it stands.
    search: Option<Search>,
    /// Where in the log the path begins, of which the end is the log's.
    path_start: usize,
    text: PathText,
    labels_wanted: bool,
    demoted: u64,
}

impl Undo {
    /// Begins to undo a walk with a log of this length, which `blocker` blocks, if any object does.
    pub fn new(blocker: Option<Object>, log_length: usize, labels_wanted: bool) -> Self {
        Undo {
            target: blocker,
            path_start: log_length,
            labels_wanted,
            ..Undo::default()
        }
    }

    /// How many objects were demoted.
    pub fn demoted(&self) -> u64 {
        self.demoted
    }

    /// The text of the path that was found.
    pub fn path(&self) -> &PathText {
        &self.text
    }

    /// Where the path begins in the log, once it was found.
    pub fn path_start(&self) -> usize {
        self.path_start
    }

    /// Forgets all references; what was found stays.
    pub fn forget(&mut self) {
        self.target = None;
    }

    /// Visits the place of every reference.
    pub fn for_each_mut(&mut self, visit: &mut impl FnMut(&mut rs_value)) {
        if let Some(target) = &mut self.target {
            visit(&mut target.0);
        }
    }

    /// Takes claims back, backwards from `above`, about `limit` of them; returns where it stopped: 0
    /// if all that do not lie on the path were taken back.
    pub fn take_back<H: Heap>(
        &mut self,
        on: Undoing<H>,
        log: &mut Chunks,
        mut above: usize,
        limit: usize,
    ) -> usize {
        let stop = above.saturating_sub(limit);
        while above > stop {
            let objects = log.words_below(above, above - stop);
            let left = self.take_back_aside(on, objects);
            above -= objects.len() - left;
            if left == 0 {
                continue;
            }
            let index = above - 1;
            let object = Object(log.get(index));
            let is_end = self.path_start == log.len();
            match self.refers_to_target(on, object, is_end, limit) {
                Found::NotYet => break,
                Found::Nowhere => on.unclaim(object),
                Found::Here(_) => {
                    self.target = Some(object);
                    self.path_start -= 1;
                    log.set(self.path_start, object.0);
                }
            }
            self.search = None;
            above = index;
        }
        above
    }

    /// Takes back claims, from the last one on, of objects that are seen at a glance not to lie on the
    /// path; returns how many of the objects are left.
    #[inline(always)]
    fn take_back_aside<H: Heap>(&self, on: Undoing<H>, objects: &[rs_value]) -> usize {
        for (index, &object) in objects.iter().enumerate().rev() {
            if let Some(&ahead) = objects.get(index.wrapping_sub(AHEAD)) {
                on.heap.prefetch(Object(ahead));
            }
            let object = Object(object);
            if let Some(target) = self.target {
                let refers = on.heap.refers_to(object, on.heap.plan(object), target);
                if target == object || refers != Some(false) {
                    return index + 1;
                }
            }
            on.unclaim(object);
        }
        0
    }

    /// Whether an object refers to what the path must lead to next: one piece of the answer. `is_end`:
    /// nothing of the path was found yet.
    #[inline(never)]
    fn refers_to_target<H: Heap>(
        &mut self,
        on: Undoing<H>,
        object: Object,
        is_end: bool,
        limit: usize,
    ) -> Found {
        let Some(target) = self.target else {
            return Found::Nowhere;
        };
        if target == object && is_end {
            // Main wrote this one: the path ends here.
            return Found::Here(Step {
                index: 0,
                previous: 0,
            });
        }
        let plan = on.heap.plan(object);
        if plan.elements == RS_ELEMENTS_NONE && plan.fields_count == 0 {
            return Found::Nowhere;
        }
        let found = self.search_piece(on, object, plan, target, limit);
        if let (Found::Here(step), true) = (&found, self.labels_wanted) {
            let mut label = [0; LABEL];
            on.callbacks
                .label(object, step.index, step.previous, &mut label);
            self.text.prepend(&label);
        }
        found
    }

    fn search_piece<H: Heap>(
        &mut self,
        on: Undoing<H>,
        object: Object,
        plan: &Plan,
        target: Object,
        limit: usize,
    ) -> Found {
        let is_explicit = on.purpose.is_explicit();
        if is_indirect(plan) && !announce(on.heap, on.protocol, object, is_explicit) {
            return Found::Nowhere;
        }
        let search = self.search.get_or_insert_default();
        let found = search.piece(on.heap, object, plan, target, limit);
        on.protocol.end_scan();
        // A callback that fails here leaves the path incomplete, which only costs the next access
        // a walk.
        found.unwrap_or(Found::Nowhere)
    }

    /// All claims beside the path were taken back. Main has marked nothing since `serial` if its serial
    /// is still that and even; otherwise nothing is demoted, nor if the path does not begin at the root.
    pub fn decide_demotion<H>(&mut self, on: Undoing<H>, root: Object, serial: u64) {
        let whole = self.target == Some(root) && on.purpose == Purpose::Access;
        if !whole || !serial.is_multiple_of(2) || on.protocol.serial_now() != serial {
            self.target = None;
        }
    }

    /// Demotes these objects of the path, or takes the claim from them.
    pub fn demote<H: Heap>(&mut self, on: Undoing<H>, objects: &[rs_value]) {
        for &object in objects {
            let object = Object(object);
            let demoted = match self.target {
                Some(_) => on.demote(object),
                None => Demoted::Noted,
            };
            match demoted {
                Demoted::Yes => {
                    self.demoted += 1;
                    on.callbacks.on_unmark(object);
                }
                Demoted::Before => {}
                Demoted::Noted => {
                    self.target = None;
                    on.unclaim(object);
                }
            }
        }
    }
}

impl<H: Heap> Undoing<'_, H> {
    /// Takes the claim from an object, and with it main's note; AUTOSHARE stays as it is.
    #[inline(always)]
    fn unclaim(self, object: Object) {
        let flags = self.heap.flags();
        let masks = flags.masks();
        let address = self.heap.address(object);
        let claim = masks.claim | masks.note;
        if !self.purpose.is_explicit() {
            // What stood there is not asked for, which makes it one instruction.
            flags.fetch_clear(address, claim);
        } else if flags.fetch_clear(address, claim) & masks.autoshare == 0 {
            flags.owner_need_not_ask(address);
        }
    }

    /// Takes the claim and AUTOSHARE from an object in one step, unless main has left a note.
    fn demote(self, object: Object) -> Demoted {
        let flags = self.heap.flags();
        let masks = flags.masks();
        let address = self.heap.address(object);
        let mut before = flags.load(address);
        loop {
            if before & masks.note != 0 {
                return Demoted::Noted;
            }
            let after = before & !(masks.autoshare | masks.claim);
            match flags.compare_exchange(address, before, after) {
                Ok(_) if before & masks.autoshare == 0 => return Demoted::Before,
                Ok(_) => return Demoted::Yes,
                Err(now) => before = now,
            }
        }
    }
}
