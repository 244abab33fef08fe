//! Marking: main assigns a graph to a slot, and all of it becomes A.
//!
//! Marking stops at A and at C: to pass through A, a walk of a cyclic graph would need a bit that is not
//! there, and a chain of constants, each holding the one before, would cost its length squared. That
//! is sound, since A only permits: what became B below an A object stays B until it is
//! itself assigned. The assigned object's own children are always looked at.
//!
//! # Undo without a log
//!
//! A mark that runs out of memory must leave no trace, yet a mark of ten million objects shall not
//! keep a list of them. It keeps the lengths of the runs of newly marked objects between the
//! places where it stopped (at an object that was marked already, or can't be): nothing at all for a
//! tree. To undo, the same walk runs again, unmarking, and knows from the runs which objects it had
//! found unmarked. The walk is deterministic, and its worklist keeps its memory, so the second one can't
//! fail.

use super::owner;
use super::protocol::Protocol;
use crate::host::callbacks::Callbacks;
use crate::host::contract::{RS_SHARE_BUSY, RS_SHARE_NEEDS_PREPARE, RS_SHARE_YES, rs_value};
use crate::host::flags::Flags;
use crate::host::heap::{Heap, Object};
use crate::host::memory::HostAllocator;
use crate::host::plan::Plan;
use crate::host::side_table::SideTable;
use crate::status::rs_status;
use crate::sync::{AtomicU8, Ordering};
use crate::walk::chunks::Chunks;
use crate::walk::{Memory, Progress, Visit, Visitor};

/// In the byte of an object, before the first ractor: marked, and asleep.
const ASLEEP: u8 = 0x10;

/// What marking does to an object.
pub trait Marker {
    /// Marks an object; returns whether it was newly marked.
    fn mark<H: Heap>(&mut self, heap: &H, object: Object, plan: &Plan) -> Result<bool, rs_status>;
    /// Takes back what `mark` did when it returned true.
    fn unmark<H: Heap>(&mut self, heap: &H, object: Object);
}

/// Whether objects of this kind are marked at all.
fn can_be_marked<H: Heap>(heap: &H, object: Object, plan: &Plan) -> bool {
    matches!(
        heap.can_share(object, plan),
        RS_SHARE_YES | RS_SHARE_NEEDS_PREPARE | RS_SHARE_BUSY
    )
}

/// Ractors exist: sets AUTOSHARE.
pub struct Awake<'a> {
    /// The words shared with walkers.
    pub protocol: &'a Protocol,
    /// Told of each mark.
    pub callbacks: &'a Callbacks,
    /// Whether anybody is told of each mark.
    pub told: bool,
    /// Told of each mark, in a debug mode.
    pub watch: Option<&'a mut dyn FnMut(Object) -> Result<(), rs_status>>,
}

impl Awake<'_> {
    /// Marks an object of which more is to be asked or told than its flags and plan say.
    #[cold]
    #[inline(never)]
    fn mark_slowly<H: Heap>(
        &mut self,
        heap: &H,
        object: Object,
        plan: &Plan,
    ) -> Result<bool, rs_status> {
        if !can_be_marked(heap, object, plan) {
            return Ok(false);
        }
        if let Some(watch) = &mut self.watch {
            watch(object)?;
        }
        if !owner::set_autoshare(heap, object) {
            return Ok(false);
        }
        self.callbacks.on_mark(object);
        Ok(true)
    }
}

impl Marker for Awake<'_> {
    #[inline(always)]
    fn mark<H: Heap>(&mut self, heap: &H, object: Object, plan: &Plan) -> Result<bool, rs_status> {
        let flags = heap.flags();
        let masks = flags.masks();
        let address = heap.address(object);
        let before = flags.load(address);
        let settled = before & (masks.autoshare | masks.shareable | masks.pending);
        if settled != 0 && settled & masks.pending == 0 {
            return Ok(false);
        }
        if settled != 0 || self.told || u32::from(plan.share) != RS_SHARE_YES {
            return self.mark_slowly(heap, object, plan);
        }
        // Nobody but its owner writes the word of an object that is neither A nor claimed.
        flags.store(address, before | masks.autoshare);
        flags.owner_must_ask(address);
        Ok(true)
    }

    fn unmark<H: Heap>(&mut self, heap: &H, object: Object) {
        if owner::undo_autoshare(heap, self.protocol, object) {
            heap.flags().owner_need_not_ask(heap.address(object));
            self.callbacks.on_unmark(object);
        }
    }
}

/// No ractor exists yet, but graphs are marked when they are assigned. The marks sleep in the side
/// table, where the host's check before a write does not see them: until there is a ractor a write
/// must not undo them, and need not pay for them.
pub struct Asleep {
    /// Where the marks are.
    pub table: SideTable,
}

impl Asleep {
    fn cell<H: Heap>(&self, heap: &H, object: Object) -> Option<&AtomicU8> {
        self.table.cell(heap.address(object))
    }

    /// Whether an object has such a mark.
    pub fn has_mark<H: Heap>(&self, heap: &H, object: Object) -> bool {
        self.cell(heap, object)
            .is_some_and(|cell| cell.load(Ordering::Relaxed) & ASLEEP != 0)
    }

    fn clear<H: Heap>(&self, heap: &H, object: Object) {
        if let Some(cell) = self.cell(heap, object) {
            cell.fetch_and(!ASLEEP, Ordering::Relaxed);
        }
    }
}

impl Marker for Asleep {
    fn mark<H: Heap>(&mut self, heap: &H, object: Object, plan: &Plan) -> Result<bool, rs_status> {
        let flags = heap.flags();
        let shareable = flags.load(heap.address(object)) & flags.masks().shareable != 0;
        if shareable || self.has_mark(heap, object) || !can_be_marked(heap, object, plan) {
            return Ok(false);
        }
        if let Some(cell) = self.cell(heap, object) {
            cell.fetch_or(ASLEEP, Ordering::Relaxed);
            return Ok(true);
        }
        Ok(false)
    }

    fn unmark<H: Heap>(&mut self, heap: &H, object: Object) {
        self.clear(heap, object);
    }
}

/// The first ractor is being made: what sleeps becomes A.
pub struct Waking<'a, 'b> {
    /// Where the marks are.
    pub asleep: Asleep,
    /// What sets AUTOSHARE.
    pub awake: &'a mut Awake<'b>,
}

impl Marker for Waking<'_, '_> {
    fn mark<H: Heap>(&mut self, heap: &H, object: Object, plan: &Plan) -> Result<bool, rs_status> {
        if !self.asleep.has_mark(heap, object) {
            return Ok(false);
        }
        let marked = self.awake.mark(heap, object, plan)?;
        if marked {
            self.asleep.clear(heap, object);
        }
        Ok(marked)
    }

    fn unmark<H: Heap>(&mut self, heap: &H, object: Object) {
        self.awake.unmark(heap, object);
        if let Some(cell) = self.asleep.cell(heap, object) {
            cell.fetch_or(ASLEEP, Ordering::Relaxed);
        }
    }
}

/// A mark under way: lives behind a lock that nobody holds between its pieces.
pub struct Marking {
    memory: Memory,
    /// Lengths of the runs of newly marked objects, each ended by a stop.
    runs: Chunks,
    /// Length of the run that no stop has ended yet.
    run: usize,
    root: rs_value,
    root_marked: bool,
    marked: u64,
}

/// Ends a walk: memory ran out, a callback failed, or (0) there is nothing left to undo.
struct Ended(rs_status);

impl From<rs_status> for Ended {
    fn from(status: rs_status) -> Self {
        Ended(status)
    }
}

/// Marks what it enters.
struct Forward<'a, M> {
    marker: &'a mut M,
    runs: &'a mut Chunks,
    run: usize,
    /// Objects in the runs that have ended.
    marked: u64,
}

impl<H: Heap, M: Marker> Visitor<H> for Forward<'_, M> {
    type Stop = Ended;

    #[inline(always)]
    fn enter(&mut self, heap: &H, object: Object, plan: &Plan) -> Result<Visit, Ended> {
        if self.marker.mark(heap, object, plan)? {
            self.run += 1;
            return Ok(Visit::Scan);
        }
        self.runs.push(self.run)?;
        self.marked += self.run as u64;
        self.run = 0;
        Ok(Visit::Skip)
    }
}

/// Unmarks what a forward walk marked.
struct Backward<'a, M> {
    marker: &'a mut M,
    runs: &'a Chunks,
    next_run: usize,
    /// Objects left in the run that is being undone.
    left: usize,
    /// Length of the last run.
    last: usize,
}

impl<M> Backward<'_, M> {
    fn load_run(&mut self) {
        self.left = match self.next_run < self.runs.len() {
            true => self.runs.get(self.next_run),
            false => self.last,
        };
        self.next_run += 1;
    }
}

impl<H: Heap, M: Marker> Visitor<H> for Backward<'_, M> {
    type Stop = Ended;

    fn enter(&mut self, heap: &H, object: Object, _plan: &Plan) -> Result<Visit, Ended> {
        let in_last_run = self.next_run > self.runs.len();
        if self.left == 0 {
            if in_last_run {
                return Err(Ended(0));
            }
            self.load_run();
            return Ok(Visit::Skip);
        }
        self.marker.unmark(heap, object);
        self.left -= 1;
        if self.left == 0 && in_last_run {
            return Err(Ended(0));
        }
        Ok(Visit::Scan)
    }
}

/// Unmarks what is marked.
struct Unmark<'a, M>(&'a mut M);

impl<H: Heap, M: Marker> Visitor<H> for Unmark<'_, M> {
    type Stop = Ended;

    fn enter(&mut self, heap: &H, object: Object, _plan: &Plan) -> Result<Visit, Ended> {
        let flags = heap.flags();
        if flags.load(heap.address(object)) & flags.masks().autoshare == 0 {
            return Ok(Visit::Skip);
        }
        self.0.unmark(heap, object);
        Ok(Visit::Scan)
    }
}

impl Marking {
    /// No mark.
    pub fn new(allocator: HostAllocator) -> Self {
        Marking {
            memory: Memory::new(allocator),
            runs: Chunks::new(allocator),
            run: 0,
            root: 0,
            root_marked: false,
            marked: 0,
        }
    }

    /// Begins to mark the graph of `root`: marks it, and looks at its children in any case.
    pub fn begin<H: Heap, M: Marker>(
        &mut self,
        heap: &H,
        marker: &mut M,
        root: Object,
    ) -> Result<(), rs_status> {
        self.memory.renew();
        self.runs.rewind();
        self.run = 0;
        self.root = root.0;
        self.memory.add_children(root)?;
        self.root_marked = marker.mark(heap, root, heap.plan(root))?;
        self.marked = u64::from(self.root_marked);
        Ok(())
    }

    /// Runs one piece; returns whether the mark is complete.
    pub fn run_piece<H: Heap, M: Marker>(
        &mut self,
        heap: &H,
        marker: &mut M,
    ) -> Result<bool, rs_status> {
        let mut forward = Forward {
            marker,
            runs: &mut self.runs,
            run: self.run,
            marked: self.marked,
        };
        let result = self.memory.run_piece(heap, &mut forward);
        (self.run, self.marked) = (forward.run, forward.marked);
        match result {
            Ok(progress) => Ok(progress == Progress::Complete),
            Err(Ended(status)) => Err(status),
        }
    }

    /// Undoes everything that was marked since `begin`.
    pub fn undo<H: Heap, M: Marker>(&mut self, heap: &H, marker: &mut M) {
        self.memory.restart();
        let mut backward = Backward {
            marker: &mut *marker,
            runs: &self.runs,
            next_run: 0,
            left: 0,
            last: self.run,
        };
        backward.load_run();
        let nothing_below = backward.left == 0 && backward.next_run > backward.runs.len();
        if !nothing_below && self.memory.add_children(Object(self.root)).is_ok() {
            let mut backward = backward;
            while let Ok(Progress::Pause) = self.memory.run_piece(heap, &mut backward) {}
        }
        if self.root_marked {
            marker.unmark(heap, Object(self.root));
        }
    }

    /// Unmarks everything that is marked in the graph of `root`, going the ways of the mark.
    pub fn unmark_graph<H: Heap, M: Marker>(&mut self, heap: &H, marker: &mut M, root: Object) {
        self.memory.renew();
        let mut unmark = Unmark(marker);
        // The root's children are looked at in any case, as they were by the mark.
        let _ = unmark.enter(heap, root, heap.plan(root));
        if self.memory.add_children(root).is_ok() {
            while let Ok(Progress::Pause) = self.memory.run_piece(heap, &mut unmark) {}
        }
    }

    /// How many objects were newly marked.
    pub fn marked(&self) -> u64 {
        self.marked + self.run as u64
    }

    /// Gives back what a large mark used.
    pub fn finish(&mut self) {
        self.memory.clear();
        self.runs.clear();
        self.root = 0;
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        self.memory.bytes() + self.runs.bytes()
    }

    /// The root, where it is now.
    pub fn root(&self) -> Object {
        Object(self.root)
    }

    /// Visits the place of every reference that the mark holds.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(&mut rs_value)) {
        self.memory.for_each_mut(&mut visit);
        if self.root != 0 {
            visit(&mut self.root);
        }
    }
}
