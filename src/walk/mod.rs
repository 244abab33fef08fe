//! The one graph walk.
//!
//! A walk visits every object that can be reached from a root, each as often as its visitor says
//! "scan it". It knows nothing of states: a [`Visitor`] decides about each object, and keeps whatever
//! marks make a walk of a cyclic graph end.
//!
//! # Shape
//!
//! Depth first with an explicit worklist, so a list of ten million objects needs one word of it and
//! no stack. An object with very many children is scanned in pieces: it waits in `wide`, with a
//! cursor, until what its last piece brought is done. A walk runs in pieces of a bounded number of
//! words; between them nothing of it lives in registers or on the stack, so that a collector may
//! read and update all of it ([`Memory::for_each_mut`]).
//!
//! # Queues
//!
//! What comes off the worklist is not visited at once, but passes through one or two short
//! first-in-first-out queues.
//!
//! *Ready*: an object's plan is looked up when it enters, and used when it leaves. From the top of the
//! worklist to the object, its type, its plan, its fields, and the new top of the worklist each
//! step waits for the one before; with an object between, two such chains overlap.
//!
//! *Prefetched*: in a graph larger than the caches nearly every object is a miss, so it is prefetched
//! when it enters (Cher, Hosking and Vitek, "Software prefetching for mark-sweep garbage
//! collection", ASPLOS 2004), and halfway through the queue, when it is there, what it holds behind
//! a pointer. Used only once a walk has shown to be large, and its objects to lie scattered: those
//! that lie in the order of the walk are best visited in that order, with a prefetch of what
//! lies a little behind them. Children are therefore pushed last one first, and so the first one is
//! visited first, as it was allocated.
//!
//! When prefetching begins decides in which order objects are visited. [`restart`](Memory::restart)
//! remembers it, so that a walk that is done once more to undo it visits the same objects in the
//! same order, even if a collector has moved them meanwhile.

pub mod chunks;

use crate::host::contract::rs_value;
use crate::host::heap::{Heap, Object, Scanned};
use crate::host::memory::{HostAllocator, Vec, push};
use crate::host::plan::Plan;
use crate::status::rs_status;
use chunks::{Chunks, Cursor};

/// Words that a piece of a walk reads, about: some microseconds.
#[cfg(not(any(test, loom)))]
const PIECE: usize = 1024;
/// Words that a piece of a walk reads. Small under test, so that pieces end often.
#[cfg(any(test, loom))]
const PIECE: usize = 4;

/// Objects that are being prefetched: enough to cover two misses of main memory, one after the other.
const PREFETCHED: usize = 32;

/// A place of either queue that holds no object.
const EMPTY: rs_value = 0;

/// How far behind an object lies what is prefetched when it enters, in bytes, as long as objects do not
/// lie scattered.
const BEHIND: usize = 512;

/// Pieces after which a walk counts as large: what fits the second-level cache needs no
/// prefetching.
#[cfg(not(any(test, loom)))]
const LARGE: usize = 32;
/// Pieces after which a walk counts as large. Small under test, so that both ways are tried.
#[cfg(any(test, loom))]
const LARGE: usize = 4;

/// Two objects lie far from each other if their addresses differ in more than so many low bits: the
/// processor itself fetches what lies near.
const LEAP: u32 = 12;

/// Leaps in a piece by which objects count as scattered: a leap is from an object to its first child.
#[cfg(not(any(test, loom)))]
const LEAPS: usize = PIECE / 8;
/// Leaps in a piece by which objects count as scattered.
#[cfg(any(test, loom))]
const LEAPS: usize = 1;

/// Whether a piece finds out whether objects lie scattered: when the walk is large, and again each time
/// that it has become twice as large.
#[inline(always)]
fn is_judged(piece: usize) -> bool {
    piece >= LARGE && piece.is_power_of_two()
}

/// What a visitor says to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// Go on with something else.
    Skip,
    /// Visit its children too.
    Scan,
}

/// Decides about objects.
pub trait Visitor<H: Heap> {
    /// Why a walk stops before its end.
    type Stop: From<rs_status>;

    /// Looks at an object.
    fn enter(&mut self, heap: &H, object: Object, plan: &Plan) -> Result<Visit, Self::Stop>;

    /// Is about to read more children of an object that it entered before.
    fn resume(&mut self, _heap: &H, _object: Object, _plan: &Plan) -> Result<(), Self::Stop> {
        Ok(())
    }

    /// Has read children of an object, and not yet used one of them.
    fn scanned(&mut self, _plan: &Plan) -> Result<(), Self::Stop> {
        Ok(())
    }
}

/// How a piece of a walk ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing left to visit.
    Complete,
    /// There is more.
    Pause,
}

/// An object whose children are scanned in pieces.
struct Wide {
    object: Object,
    cursor: u64,
}

/// An object about to be visited.
#[derive(Clone, Copy)]
struct Ready<'h> {
    value: rs_value,
    /// None for `EMPTY`.
    plan: Option<&'h Plan>,
}

impl<'h> Ready<'h> {
    #[inline(always)]
    fn new<H: Heap>(heap: &'h H, value: rs_value) -> Self {
        let plan = (value != EMPTY).then(|| heap.plan(Object(value)));
        Ready { value, plan }
    }
}

/// A first-in-first-out queue of objects that are being prefetched.
struct Ring {
    values: [rs_value; PREFETCHED],
    first: usize,
    length: usize,
}

impl Ring {
    const EMPTY: Ring = Ring {
        values: [EMPTY; PREFETCHED],
        first: 0,
        length: 0,
    };

    /// The place of a value, counted from the one that came first.
    #[inline(always)]
    fn place(&mut self, place: usize) -> &mut rs_value {
        &mut self.values[(self.first + place) % PREFETCHED]
    }

    /// Enters a value; if there is no room, the one that came first leaves.
    #[inline(always)]
    fn push(&mut self, value: rs_value) -> Option<rs_value> {
        if self.length < PREFETCHED {
            *self.place(self.length) = value;
            self.length += 1;
            return None;
        }
        let leaving = core::mem::replace(self.place(0), value);
        self.first = (self.first + 1) % PREFETCHED;
        Some(leaving)
    }

    /// Takes the value that came first.
    #[inline(always)]
    fn pop(&mut self) -> Option<rs_value> {
        if self.length == 0 {
            return None;
        }
        let leaving = *self.place(0);
        self.first = (self.first + 1) % PREFETCHED;
        self.length -= 1;
        Some(leaving)
    }
}

/// What a walk has still to do.
pub struct Memory {
    worklist: Chunks,
    prefetched: Ring,
    ready: rs_value,
    /// The piece from which on objects are prefetched, because they lie scattered.
    scattered_from: usize,
    /// The piece before which that was last judged.
    judged: usize,
    /// How often an object's first child lay far from it.
    leaps: usize,
    wide: Vec<Wide>,
    pieces: usize,
}

impl Memory {
    /// Nothing to do.
    pub fn new(allocator: HostAllocator) -> Self {
        Memory {
            worklist: Chunks::new(allocator),
            prefetched: Ring::EMPTY,
            ready: EMPTY,
            scattered_from: usize::MAX,
            judged: 0,
            leaps: 0,
            wide: Vec::new_in(allocator),
            pieces: 0,
        }
    }

    /// Forgets what was to do.
    pub fn clear(&mut self) {
        self.renew();
        self.worklist.clear();
    }

    /// Forgets what was to do, and keeps the memory, for another walk.
    pub fn renew(&mut self) {
        self.restart();
        self.scattered_from = usize::MAX;
        self.judged = 0;
    }

    /// Whether there is nothing left to do.
    pub fn is_empty(&self) -> bool {
        self.worklist.is_empty()
            && self.prefetched.length == 0
            && self.ready == EMPTY
            && self.wide.is_empty()
    }

    /// Gives all memory back.
    pub fn release(&mut self) {
        self.clear();
        self.worklist.release();
        self.wide.shrink_to_fit();
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        self.worklist.bytes() + self.wide.capacity() * size_of::<Wide>()
    }

    /// One more object to visit.
    pub fn add(&mut self, object: Object) -> Result<(), rs_status> {
        self.worklist.push(object.0)
    }

    /// One more object of which the children are to be visited, but not itself.
    pub fn add_children(&mut self, object: Object) -> Result<(), rs_status> {
        push(&mut self.wide, Wide { object, cursor: 0 })
    }

    /// Forgets what was to do, and keeps the memory: the same walk can be done once more without
    /// allocating.
    pub fn restart(&mut self) {
        self.worklist.rewind();
        self.prefetched = Ring::EMPTY;
        self.ready = EMPTY;
        self.wide.clear();
        self.pieces = 0;
        self.leaps = 0;
    }

    /// Takes an object out, for a walk whose host scans its objects itself.
    pub fn take(&mut self) -> Option<Object> {
        self.worklist.pop().map(Object)
    }

    /// Visits the place of every reference that the walk holds.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(&mut rs_value)) {
        self.worklist.for_each_mut(&mut visit);
        for place in 0..self.prefetched.length {
            visit(self.prefetched.place(place));
        }
        if self.ready != EMPTY {
            visit(&mut self.ready);
        }
        self.wide
            .iter_mut()
            .for_each(|wide| visit(&mut wide.object.0));
    }

    /// Runs one piece of the walk.
    #[inline(always)]
    pub fn run_piece<H: Heap, V: Visitor<H>>(
        &mut self,
        heap: &H,
        visitor: &mut V,
    ) -> Result<Progress, V::Stop> {
        let mut cursor = self.worklist.cursor();
        let mut ready = Ready::new(heap, self.ready);
        let result = if self.pieces >= self.scattered_from || is_judged(self.pieces) {
            self.run::<H, V, true>(heap, visitor, &mut cursor, &mut ready)
        } else {
            self.run::<H, V, false>(heap, visitor, &mut cursor, &mut ready)
        };
        self.ready = ready.value;
        self.worklist.set_cursor(cursor);
        if matches!(result, Ok(Progress::Pause)) && is_judged(self.pieces) {
            self.judge_locality()?;
        }
        self.pieces += 1;
        result
    }

    /// After a piece that has counted leaps: whether the objects of a large walk lie scattered. If not,
    /// it goes on without the queue of what is prefetched.
    #[cold]
    fn judge_locality(&mut self) -> Result<(), rs_status> {
        if self.pieces > self.judged {
            self.judged = self.pieces;
            if self.pieces < self.scattered_from && self.leaps > LEAPS {
                self.scattered_from = self.pieces;
            }
        }
        self.leaps = 0;
        if self.pieces < self.scattered_from {
            while let Some(value) = self.prefetched.pop() {
                self.worklist.push(value)?;
            }
        }
        Ok(())
    }

    /// The loop of a piece. All that changes with each object is in local variables, which no
    /// call that is not inlined gets a reference to: so it stays in registers.
    #[inline(always)]
    fn run<'h, H: Heap, V: Visitor<H>, const SCATTERED: bool>(
        &mut self,
        heap: &'h H,
        visitor: &mut V,
        cursor: &mut Cursor,
        ready: &mut Ready<'h>,
    ) -> Result<Progress, V::Stop> {
        let mut budget = PIECE as isize;
        let mut leaps = 0;
        let result = loop {
            let entering = match SCATTERED {
                true => self.next_prefetched(heap, cursor),
                false => {
                    let entering = cursor.pop(&mut self.worklist).unwrap_or(EMPTY);
                    heap.prefetch(Object(entering.wrapping_add(BEHIND)));
                    entering
                }
            };
            let leaving = core::mem::replace(ready, Ready::new(heap, entering));
            let Some(plan) = leaving.plan else {
                if entering != EMPTY {
                    continue;
                }
                let Some(wide) = self.wide.pop() else {
                    break Ok(Progress::Complete);
                };
                match self.resume(heap, visitor, wide, cursor) {
                    Ok(words) => budget -= words as isize,
                    Err(stop) => break Err(stop),
                }
                if budget <= 0 {
                    break Ok(Progress::Pause);
                }
                continue;
            };
            let object = Object(leaving.value);
            let mut words = 1;
            match visitor.enter(heap, object, plan) {
                Ok(Visit::Skip) => {}
                Ok(Visit::Scan) => {
                    // SAFETY: the cursor's stack has this room.
                    let copied = unsafe { heap.copy(object, plan, cursor.next(), cursor.end()) };
                    match copied {
                        Some(copied) => {
                            if SCATTERED {
                                // The first child, without a branch: one that was not written does
                                // not count.
                                let pushed = copied.end as usize - cursor.next() as usize;
                                let first = pushed.saturating_sub(size_of::<rs_value>());
                                // SAFETY: a place of the stack.
                                let child = unsafe { *cursor.next().byte_add(first) };
                                let far = (object.0 ^ child) >> LEAP != 0;
                                leaps += usize::from(far & (pushed != 0));
                            }
                            // SAFETY: they were just written.
                            unsafe { cursor.set_next(copied.end) };
                            words += copied.words;
                        }
                        None => {
                            let (moved, scanned) = self.scan_piece(heap, object, plan, 0, *cursor);
                            *cursor = moved;
                            match scanned {
                                Ok(scanned) => words = scanned,
                                Err(status) => break Err(status.into()),
                            }
                        }
                    }
                    if let Err(stop) = visitor.scanned(plan) {
                        break Err(stop);
                    }
                }
                Err(stop) => break Err(stop),
            }
            budget -= words as isize;
            if budget <= 0 {
                break Ok(Progress::Pause);
            }
        };
        self.leaps += leaps;
        result
    }

    /// The next object of a large walk: what comes off the worklist takes the place of what was
    /// prefetched longest ago.
    #[inline(always)]
    fn next_prefetched<H: Heap>(&mut self, heap: &H, cursor: &mut Cursor) -> rs_value {
        while let Some(entering) = cursor.pop(&mut self.worklist) {
            heap.prefetch(Object(entering));
            if let Some(leaving) = self.prefetched.push(entering) {
                heap.prefetch_elements(Object(*self.prefetched.place(PREFETCHED / 2)));
                return leaving;
            }
        }
        self.prefetched.pop().unwrap_or(EMPTY)
    }

    #[inline(always)]
    fn resume<H: Heap, V: Visitor<H>>(
        &mut self,
        heap: &H,
        visitor: &mut V,
        wide: Wide,
        cursor: &mut Cursor,
    ) -> Result<usize, V::Stop> {
        let Wide {
            object,
            cursor: from,
        } = wide;
        let plan = heap.plan(object);
        visitor.resume(heap, object, plan)?;
        let (moved, scanned) = self.scan_piece(heap, object, plan, from, *cursor);
        *cursor = moved;
        visitor.scanned(plan)?;
        Ok(scanned?)
    }

    /// Reads children of an object, from a place on, onto the worklist; returns how many words, and
    /// the cursor behind them.
    #[inline(never)]
    fn scan_piece<H: Heap>(
        &mut self,
        heap: &H,
        object: Object,
        plan: &Plan,
        from: u64,
        cursor: Cursor,
    ) -> (Cursor, Result<usize, rs_status>) {
        let mut cursor = cursor;
        let mut words = 1;
        let mut pushed = Ok(());
        let worklist = &mut self.worklist;
        let scanned = heap.scan(object, plan, from, PIECE, |value| {
            words += 1;
            if let Some(child) = heap.object(value)
                && let Err(status) = cursor.push(worklist, child.0)
            {
                pushed = Err(status);
            }
        });
        let result = match (pushed, scanned) {
            (Err(status), _) | (_, Err(status)) => Err(status),
            (_, Ok(Scanned::All)) => Ok(words),
            (_, Ok(Scanned::Upto(cursor))) => {
                push(&mut self.wide, Wide { object, cursor }).map(|()| words)
            }
        };
        (cursor, result)
    }
}
