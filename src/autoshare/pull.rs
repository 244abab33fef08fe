//! Pull walks: the host drives, and enumerates children itself, so that no frame of the library is on the
//! stack while host code runs.
//!
//! Two can be under way: main's mark, and one that has the turn and keeps it from call to call.

use super::access::Ended;
use super::claim::Purpose;
use super::mark::{Asleep, Awake, Marker};
use super::records::Act;
use super::sharing::Outcome;
use super::{Call, Inside};
use crate::host::contract::{
    RS_SHARE_BUSY, RS_SHARE_BY_COPY, RS_SHARE_NEEDS_PREPARE, RS_SHARE_NO, rs_ractor, rs_slot,
    rs_value,
};
use crate::host::heap::{Heap, Object};
use crate::host::memory::HostAllocator;
use crate::host::report::{
    RS_CAUSE_BY_COPY, RS_CAUSE_HELD, RS_CAUSE_NEEDS_PREPARE, RS_CAUSE_UNSHAREABLE,
};
use crate::host::table::{Kind, Table};
use crate::status::{
    RS_BUSY, RS_ERR_ARGUMENT, RS_ERR_THREAD, RS_MORE, RS_NOT_SHAREABLE, RS_OK, rs_status,
};
use crate::sync::{Ordering, lock, thread_number};
use crate::walk::Memory;
use crate::walk::chunks::Chunks;

/// What a pull walk is for: `RS_WALK_TO_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// What `rs_autoshare_mark` does.
    Mark,
    /// What `rs_ractor_access` does.
    Access,
    /// What `rs_make_shareable` does.
    Share,
}

/// All pull walks of a vm.
pub struct Pull {
    walks: Table<Pulled>,
}

/// A pull walk.
struct Pulled {
    thread: usize,
    slot: rs_slot,
    /// The object that was handed out, until it is fed to the end.
    current: Option<rs_value>,
    work: Work,
}

/// What it has to do.
#[expect(clippy::large_enum_variant, reason = "there are two at most")]
enum Work {
    /// Main's mark keeps its own worklist, and a list of what it has marked.
    Mark {
        root: rs_value,
        memory: Memory,
        marked: Chunks,
    },
    /// A walk with the turn is the vm's own, driven from outside.
    Share { task: Task, act: Act },
}

impl Pull {
    /// None.
    pub fn new(vm: u64, allocator: HostAllocator) -> Self {
        Pull {
            walks: Table::new(Kind::Walk, vm, allocator),
        }
    }

    fn find(&mut self, id: u64) -> Result<&mut Pulled, rs_status> {
        let pulled = self.walks.get_mut(id)?;
        match pulled.thread == thread_number() {
            true => Ok(pulled),
            false => Err(RS_ERR_THREAD),
        }
    }

    /// In a forked child: whoever drove has no thread there.
    pub fn forget(&mut self) {
        for index in 0..self.walks.places() {
            if let Some((id, _)) = self.walks.at(index) {
                let _ = self.walks.remove(id);
            }
        }
    }

    /// Visits the place of every reference.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(&mut rs_value)) {
        for (_, pulled) in self.walks.iter_mut() {
            if let Some(current) = &mut pulled.current {
                visit(current);
            }
            if let Work::Mark {
                root,
                memory,
                marked,
            } = &mut pulled.work
            {
                visit(root);
                memory.for_each_mut(&mut visit);
                marked.for_each_mut(&mut visit);
            }
        }
    }
}

impl Call<'_> {
    /// Begins a pull walk. `RS_MORE` with its id, or an answer without one.
    pub fn pull_begin(
        &self,
        ractor: rs_ractor,
        task: Task,
        slot: rs_slot,
        root: rs_value,
    ) -> Result<(rs_status, u64), rs_status> {
        self.expect_ractor(ractor)?;
        if task != Task::Share || slot != 0 {
            self.autoshare.records().slots.get(slot)?;
        }
        match task {
            Task::Mark if !self.is_main(ractor) => Err(RS_ERR_THREAD),
            Task::Mark => self.begin_mark(slot, root),
            Task::Access | Task::Share => self.begin_share(ractor, task, slot, root),
        }
    }

    fn begin_mark(&self, slot: rs_slot, root: rs_value) -> Result<(rs_status, u64), rs_status> {
        let settings = self.settings();
        let awake = self.autoshare.ractors_exist.load(Ordering::Relaxed);
        let marks = !settings.off && (awake || settings.mark_on_assign);
        let Some(object) = self.heap.object(root).filter(|_| marks) else {
            self.autoshare.records().assign(slot, root)?;
            self.tell_assigned(slot, root);
            return Ok((RS_OK, 0));
        };
        self.expect_no_mark()?;
        let mut pull = lock(&self.autoshare.pull);
        let allocator = self.host.allocator();
        let mut marked = Chunks::new(allocator);
        marked.reserve()?;
        let id = pull.walks.add(Pulled {
            thread: thread_number(),
            slot,
            current: None,
            work: Work::Mark {
                root: object.0,
                memory: Memory::new(allocator),
                marked,
            },
        })?;
        self.autoshare.protocol.step_serial();
        // The root is handed out in any case; whether it is newly marked, `next` finds.
        Ok((RS_MORE, id))
    }

    fn begin_share(
        &self,
        ractor: rs_ractor,
        task: Task,
        slot: rs_slot,
        root: rs_value,
    ) -> Result<(rs_status, u64), rs_status> {
        let Some(object) = self.heap.object(root) else {
            return Ok((RS_OK, 0));
        };
        let answer = match task {
            Task::Access if self.is_main(ractor) => Some(RS_OK),
            Task::Access => self.answer_at_once(ractor, slot, object),
            _ => self.is_shared(object).then_some(RS_OK),
        };
        if let Some(status) = answer {
            return Ok((status, 0));
        }
        let act = self.act(ractor);
        let mut place = object.0;
        self.autoshare.turn.take(self.callbacks(), &mut place)?;
        let begun = self.begin_in_turn(act, task, slot, Object(place));
        if !matches!(begun, Ok((RS_MORE, _))) {
            self.autoshare.turn.give();
        }
        begun
    }

    fn begin_in_turn(
        &self,
        act: Act,
        task: Task,
        slot: rs_slot,
        root: Object,
    ) -> Result<(rs_status, u64), rs_status> {
        let ractor = act.ractor;
        if task == Task::Access
            && let Some(status) = self.answer_at_once(ractor, slot, root)
        {
            return Ok((status, 0));
        }
        let purpose = match task {
            Task::Share => self.share_by(ractor),
            _ if self.settings().enforce => Purpose::Access,
            _ => Purpose::Try,
        };
        let autoshare = self.autoshare;
        let mut pull = lock(&autoshare.pull);
        let id = pull.walks.add(Pulled {
            thread: thread_number(),
            slot,
            current: None,
            work: Work::Share { task, act },
        })?;
        let labels_wanted = self.settings().provenance;
        let begun =
            lock(&autoshare.sharing).begin(&autoshare.protocol, root, purpose, labels_wanted);
        if let Err(status) = begun {
            let _ = pull.walks.remove(id);
            return Err(status);
        }
        if task == Task::Share {
            autoshare.sharer.store(ractor, Ordering::Relaxed);
        }
        self.counters().walks.add(1);
        Ok((RS_MORE, id))
    }

    /// The next object to scan, with `RS_MORE`; or how the walk stands.
    pub fn pull_next(&self, id: u64) -> Result<(rs_status, rs_value), rs_status> {
        let autoshare = self.autoshare;
        let mut pull = lock(&autoshare.pull);
        let pulled = pull.find(id)?;
        if pulled.current.is_some() {
            return Err(RS_ERR_ARGUMENT);
        }
        let next = match &mut pulled.work {
            Work::Mark {
                root,
                memory,
                marked,
            } => self.next_to_mark(*root, memory, marked)?,
            Work::Share { .. } => {
                let _inside = autoshare.enter(Inside::Sharing, true);
                let mut sharing = lock(&autoshare.sharing);
                match sharing.pull(&self.heap, &autoshare.protocol) {
                    Some(object) => Some(object),
                    None if sharing.is_claiming() => None,
                    None => return Ok((pull_status(sharing.outcome())?, 0)),
                }
            }
        };
        pulled.current = next.map(|object| object.0);
        Ok(match next {
            Some(object) => (RS_MORE, object.0),
            None => (RS_OK, 0),
        })
    }

    /// Marks until an object is newly marked, which is then to be scanned. The root, first in the
    /// list, is scanned in any case.
    fn next_to_mark(
        &self,
        root: rs_value,
        memory: &mut Memory,
        marked: &mut Chunks,
    ) -> Result<Option<Object>, rs_status> {
        let _inside = self.autoshare.enter(Inside::Marking, true);
        if marked.is_empty() {
            let newly = self.mark_one(Object(root))?;
            // Room was reserved when the walk began. A root that was marked before is remembered
            // as 0: it is not to be unmarked.
            marked.push(if newly { root } else { 0 })?;
            return Ok(Some(Object(root)));
        }
        while let Some(object) = memory.take() {
            marked.reserve()?;
            if self.mark_one(object)? {
                marked.push(object.0)?;
                return Ok(Some(object));
            }
        }
        Ok(None)
    }

    fn mark_one(&self, object: Object) -> Result<bool, rs_status> {
        let plan = self.heap.plan(object);
        self.with_marker(|marker| match marker {
            PullMarker::Awake(awake) => awake.mark(&self.heap, object, plan),
            PullMarker::Asleep(asleep) => asleep.mark(&self.heap, object, plan),
        })?
    }

    fn unmark_one(&self, object: Object) {
        let undone = self.with_marker(|marker| match marker {
            PullMarker::Awake(awake) => awake.unmark(&self.heap, object),
            PullMarker::Asleep(asleep) => asleep.unmark(&self.heap, object),
        });
        // Only reserving the side table can fail, and it was reserved to mark.
        debug_assert!(undone.is_ok());
    }

    fn with_marker<R>(&self, body: impl FnOnce(PullMarker<'_, '_>) -> R) -> Result<R, rs_status> {
        if self.autoshare.ractors_exist.load(Ordering::Relaxed) {
            return Ok(self.with_awake(|awake| body(PullMarker::Awake(awake))));
        }
        let table = self.host.reserve_side_table()?;
        Ok(body(PullMarker::Asleep(&mut Asleep { table })))
    }

    /// Takes in children of the object that was handed out.
    pub fn pull_feed(&self, id: u64, children: &[rs_value], last: bool) -> Result<(), rs_status> {
        let autoshare = self.autoshare;
        let mut pull = lock(&autoshare.pull);
        let pulled = pull.find(id)?;
        if pulled.current.is_none() {
            return Err(RS_ERR_ARGUMENT);
        }
        if last {
            pulled.current = None;
        }
        match &mut pulled.work {
            Work::Mark { memory, .. } => children
                .iter()
                .filter_map(|&value| self.heap.object(value))
                .try_for_each(|child| memory.add(child)),
            Work::Share { .. } => {
                lock(&autoshare.sharing).feed(&self.heap, &autoshare.protocol, children, last)
            }
        }
    }

    /// The host says that the object which was handed out can't be shared.
    pub fn pull_refuse(&self, id: u64, share: u32) -> Result<(), rs_status> {
        let cause = match share {
            RS_SHARE_NO => RS_CAUSE_UNSHAREABLE,
            RS_SHARE_BY_COPY => RS_CAUSE_BY_COPY,
            RS_SHARE_NEEDS_PREPARE => RS_CAUSE_NEEDS_PREPARE,
            RS_SHARE_BUSY => RS_CAUSE_HELD,
            _ => return Err(RS_ERR_ARGUMENT),
        };
        let autoshare = self.autoshare;
        let mut pull = lock(&autoshare.pull);
        let pulled = pull.find(id)?;
        let object = pulled.current.take().map(Object).ok_or(RS_ERR_ARGUMENT)?;
        match &mut pulled.work {
            Work::Mark { marked, .. } => {
                let newly = marked.pop() == Some(object.0);
                if newly {
                    self.unmark_one(object);
                }
                if marked.is_empty() {
                    // It was the root: that it was looked at must still be remembered.
                    marked.push(0)?;
                }
            }
            Work::Share { .. } => {
                lock(&autoshare.sharing).refuse(&autoshare.protocol, object, cause);
            }
        }
        Ok(())
    }

    /// Ends a complete walk.
    pub fn pull_commit(&self, id: u64) -> Result<rs_status, rs_status> {
        let mut pull = lock(&self.autoshare.pull);
        let pulled = pull.find(id)?;
        if pulled.current.is_some() {
            return Err(RS_ERR_ARGUMENT);
        }
        match &pulled.work {
            Work::Mark { memory, marked, .. } => {
                if marked.is_empty() || !memory.is_empty() {
                    return Err(RS_ERR_ARGUMENT);
                }
            }
            Work::Share { .. } => {
                lock(&self.autoshare.sharing).complete(&self.autoshare.protocol)?;
            }
        }
        let pulled = pull.walks.remove(id)?;
        drop(pull);
        match pulled.work {
            Work::Mark { root, marked, .. } => {
                self.autoshare.protocol.step_serial();
                self.counters().marks.add(1);
                self.counters().objects_marked.add(marked.len() as u64);
                self.autoshare.records().assign(pulled.slot, root)?;
                self.tell_assigned(pulled.slot, root);
                Ok(RS_OK)
            }
            Work::Share { task, act } => self.end_share(task, act, pulled.slot),
        }
    }

    /// Ends a walk and undoes what it did.
    pub fn pull_abort(&self, id: u64) -> Result<(), rs_status> {
        let mut pull = lock(&self.autoshare.pull);
        pull.find(id)?;
        let pulled = pull.walks.remove(id)?;
        drop(pull);
        match pulled.work {
            Work::Mark { mut marked, .. } => {
                while let Some(value) = marked.pop() {
                    if value != 0 {
                        self.unmark_one(Object(value));
                    }
                }
                self.autoshare.protocol.step_serial();
            }
            Work::Share { task, act } => {
                lock(&self.autoshare.sharing).abandon(&self.autoshare.protocol);
                self.abandon_share(task, act, pulled.slot);
            }
        }
        Ok(())
    }

    /// Runs a walk that was decided to its end, and gives the turn back.
    fn end_share(&self, task: Task, act: Act, slot: rs_slot) -> Result<rs_status, rs_status> {
        let ended = self.run_to_end();
        let status = match (task, ended.outcome) {
            (_, Outcome::Failed(status)) => Err(status),
            (_, Outcome::Interrupted) => {
                self.report_interrupted(act.ractor, slot, ended.root);
                Ok(RS_BUSY)
            }
            (Task::Share, Outcome::Shared) => Ok(RS_OK),
            (Task::Share, _) => Ok(self.report_unshareable(act.ractor, &ended)),
            (_, Outcome::Shared) => Ok(self.accessed(slot, act, &ended)),
            _ => Ok(self.refused(slot, act, &ended)),
        };
        self.autoshare.turn.give();
        status
    }

    /// Undoes a walk, and gives the turn back. If it had failed for good, the failure is remembered.
    fn abandon_share(&self, task: Task, act: Act, slot: rs_slot) {
        let ended = self.run_to_end();
        let failed = matches!(ended.outcome, Outcome::Blocked(..) | Outcome::Written(_));
        match task {
            Task::Share if failed => {
                self.report_unshareable(act.ractor, &ended);
            }
            _ if failed => {
                self.refused(slot, act, &ended);
            }
            _ => {}
        }
        self.autoshare.turn.give();
    }

    fn run_to_end(&self) -> Ended {
        let _inside = self.autoshare.enter(Inside::Sharing, false);
        let ended = loop {
            if let Some(ended) = self.run_sharing_piece() {
                break ended;
            }
            self.callbacks().safepoint();
        };
        self.autoshare.sharer.store(0, Ordering::Relaxed);
        ended
    }
}

/// The marker that is right at the moment.
enum PullMarker<'a, 'b> {
    Awake(&'a mut Awake<'b>),
    Asleep(&'a mut Asleep),
}

/// What a host is told of a walk that can't succeed.
fn pull_status(outcome: Outcome) -> Result<rs_status, rs_status> {
    match outcome {
        Outcome::Failed(status) => Err(status),
        Outcome::Interrupted => Ok(RS_BUSY),
        Outcome::Shared => Ok(RS_OK),
        Outcome::Blocked(..) | Outcome::Written(_) | Outcome::Unprepared => Ok(RS_NOT_SHAREABLE),
    }
}
