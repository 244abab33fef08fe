//! Assignment to a slot, and the first ractor: from ordinary to A.

use super::mark::{Asleep, Awake, Marker, Waking};
use super::{Call, Inside};
use crate::host::contract::{RS_STATE_SHAREABLE, rs_ractor, rs_slot, rs_value};
use crate::host::heap::{Heap, Object};
use crate::host::with_heap;
use crate::status::{RS_ERR_REENTRANT, rs_status};
use crate::sync::{Ordering, lock};

/// A graph that was marked.
struct Marked {
    /// Its root, where it is now.
    root: Object,
    /// How many of its objects became A by that.
    objects: u64,
}

impl Call<'_> {
    /// Main assigns a value to a slot.
    pub fn mark(&self, slot: rs_slot, value: rs_value) -> Result<(), rs_status> {
        self.autoshare.records().slots.get(slot)?;
        self.expect_no_mark()?;
        let mut value = value;
        if let Some(object) = self.heap.object(value) {
            let marked = self.mark_graph(object);
            lock(&self.autoshare.marking).finish();
            value = marked?.0;
        }
        self.autoshare.records().assign(slot, value)?;
        self.tell_assigned(slot, value);
        Ok(())
    }

    /// Main marks one graph at a time: it can't begin another while it drives a pull walk.
    pub(super) fn expect_no_mark(&self) -> Result<(), rs_status> {
        match self.autoshare.protocol.is_marking() {
            true => Err(RS_ERR_REENTRANT),
            false => Ok(()),
        }
    }

    /// Marks a graph, if the policy says so; returns its root, where it is now.
    fn mark_graph(&self, object: Object) -> Result<Object, rs_status> {
        let autoshare = self.autoshare;
        if self.settings().off {
            return Ok(object);
        }
        let marked = if autoshare.ractors_exist.load(Ordering::Relaxed) {
            self.with_awake(|awake| self.run_mark(object, awake))?
        } else if self.settings().mark_on_assign {
            let table = self.host.reserve_side_table()?;
            self.run_mark(object, &mut Asleep { table })?
        } else {
            return Ok(object);
        };
        self.counters().marks.add(1);
        self.counters().objects_marked.add(marked.objects);
        Ok(marked.root)
    }

    /// The first ractor besides main is being made: marks what the slots hold.
    pub fn wake(&self) -> Result<(), rs_status> {
        let autoshare = self.autoshare;
        if autoshare.ractors_exist.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !self.settings().off {
            self.mark_all_slots()?;
        }
        autoshare.ractors_exist.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Marks the graphs of all slots, or none. The memory of the walks is kept until the end, so that
    /// undoing, which goes the same ways, needs none.
    fn mark_all_slots(&self) -> Result<(), rs_status> {
        let places = self.autoshare.records().slots.places();
        let (mut graphs, mut objects) = (0, 0);
        let failed = (0..places).find_map(|place| match self.mark_place(place) {
            Ok(marked) => {
                graphs += u64::from(marked.is_some());
                objects += marked.unwrap_or(0);
                None
            }
            Err(status) => Some((place, status)),
        });
        if let Some((place, _)) = failed {
            (0..place).for_each(|before| self.unmark_place(before));
        }
        lock(&self.autoshare.marking).finish();
        if let Some((_, status)) = failed {
            return Err(status);
        }
        self.counters().marks.add(graphs);
        self.counters().objects_marked.add(objects);
        for place in 0..places {
            if let Some((slot, object)) = self.slot_at(place) {
                self.tell_assigned(slot, object.0);
            }
        }
        Ok(())
    }

    /// Marks what a slot holds; returns how many objects became A by that.
    fn mark_place(&self, place: usize) -> Result<Option<u64>, rs_status> {
        let Some((_, object)) = self.slot_at(place) else {
            return Ok(None);
        };
        if self.settings().mark_on_assign {
            let asleep = Asleep {
                table: self.host.reserve_side_table()?,
            };
            self.with_awake(|awake| self.run_mark(object, &mut Waking { asleep, awake }))?;
            // They were A when they were assigned.
            return Ok(Some(0));
        }
        let marked = self.with_awake(|awake| self.run_mark(object, awake))?;
        Ok(Some(marked.objects))
    }

    /// Takes back `mark_place`. Before the first ractor nothing was A, so all that is goes.
    fn unmark_place(&self, place: usize) {
        let Some((_, object)) = self.slot_at(place) else {
            return;
        };
        let _locked = self.autoshare.enter(Inside::Marking, true);
        let mut marking = lock(&self.autoshare.marking);
        self.with_awake(|awake| match self.host.side_table() {
            Some(table) if self.settings().mark_on_assign => {
                let asleep = Asleep { table };
                marking.unmark_graph(&self.heap, &mut Waking { asleep, awake }, object);
            }
            _ => marking.unmark_graph(&self.heap, awake, object),
        });
    }

    fn slot_at(&self, place: usize) -> Option<(rs_slot, Object)> {
        let records = self.autoshare.records();
        let (id, slot) = records.slots.at(place)?;
        Some((id, self.heap.object(slot.value?)?))
    }

    pub(super) fn with_awake<R>(&self, body: impl FnOnce(&mut Awake<'_>) -> R) -> R {
        let mut watch = |object| self.watch(object);
        let watched = self.autoshare.verifier.is_on();
        body(&mut Awake {
            protocol: &self.autoshare.protocol,
            callbacks: self.callbacks(),
            told: watched || self.callbacks().wants_marks(),
            watch: watched.then_some(&mut watch),
        })
    }

    /// Marks a graph in pieces, with a safepoint after each. On failure nothing is marked.
    fn run_mark<M: Marker>(&self, object: Object, marker: &mut M) -> Result<Marked, rs_status> {
        let _inside = self.autoshare.enter(Inside::Marking, false);
        self.autoshare.protocol.step_serial();
        let result = self.run_mark_pieces(object, marker);
        self.autoshare.protocol.step_serial();
        result
    }

    fn run_mark_pieces<M: Marker>(
        &self,
        object: Object,
        marker: &mut M,
    ) -> Result<Marked, rs_status> {
        let marking = &self.autoshare.marking;
        {
            let _locked = self.autoshare.enter(Inside::Marking, true);
            with_heap!(self.host, heap => lock(marking).begin(heap, marker, object))?;
        }
        loop {
            let locked = self.autoshare.enter(Inside::Marking, true);
            let mut piece = lock(marking);
            match with_heap!(self.host, heap => piece.run_piece(heap, marker)) {
                Ok(false) => {}
                Ok(true) => {
                    self.counters().walk_memory_peak.raise(piece.bytes() as u64);
                    return Ok(Marked {
                        root: piece.root(),
                        objects: piece.marked(),
                    });
                }
                Err(status) => {
                    piece.undo(&self.heap, marker);
                    return Err(status);
                }
            }
            drop(piece);
            drop(locked);
            self.callbacks().safepoint();
        }
    }

    /// Tells the host that a slot has a new value.
    pub(super) fn tell_assigned(&self, slot: rs_slot, value: rs_value) {
        let state = match self.heap.object(value) {
            Some(object) => self.object_state(object.0),
            None => RS_STATE_SHAREABLE,
        };
        self.callbacks().on_transition(slot, value, state);
    }

    /// Registers a ractor.
    pub fn new_ractor(&self, name: Option<&[u8]>) -> Result<rs_ractor, rs_status> {
        let id = self.autoshare.records().add_ractor(name)?;
        self.wake().inspect_err(|_| {
            // It was just added, and nobody knows of it yet.
            let _ = self.autoshare.records().ractors.remove(id);
        })?;
        Ok(id)
    }
}
