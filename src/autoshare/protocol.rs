//! The words that main and a walker share, besides the flags of objects.
//!
//! Walkers take turns, so there is at most one walk. What it has claimed, main may write at any time:
//! main then moves the walk word from RUN to ABORT, and that is the verdict. Main never waits for
//! a walk; it waits at most until the walk has read one piece of the very object that main is
//! about to write, and only if that object's elements lie behind a pointer.
//!
//! | word | written by | says |
//! |---|---|---|
//! | `word` | both | number of the walk, and its state (below) |
//! | `scan` | walker | the object whose elements it is reading; 0 for none |
//! | `changing` | main | the object whose representation main is changing; 0 for none, 1 for several |
//! | `written` | main | the object whose write ended the walk |
//! | `serial` | main | odd while main marks |
//!
//! | state | meaning | next |
//! |---|---|---|
//! | IDLE | no walk | RUN |
//! | RUN | claiming | COMMIT by the walker; ABORT, RESTART by either |
//! | COMMIT | decided: what is claimed is C | IDLE |
//! | ABORT | decided: main wrote, or the walker met a blocker | IDLE |
//! | RESTART | nothing decided: a collection or a change of representation is in the way | IDLE |

use crate::host::heap::Object;
use crate::sync::{Cell, Ordering, fence, pause};

/// The state of the walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No walk.
    Idle = 0,
    /// A walk is claiming.
    Run = 1,
    /// The walk has succeeded and is publishing.
    Commit = 2,
    /// The walk has failed and is being undone.
    Abort = 3,
    /// The walk was interrupted and is being undone.
    Restart = 4,
}

/// A value of the walk word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkWord(u64);

impl WalkWord {
    const STATE_BITS: u32 = 3;

    /// Walk number `epoch`, in `phase`.
    pub fn new(epoch: u64, phase: Phase) -> Self {
        WalkWord(epoch << Self::STATE_BITS | phase as u64)
    }

    /// The number of the walk.
    pub fn epoch(self) -> u64 {
        self.0 >> Self::STATE_BITS
    }

    /// Its state.
    pub fn phase(self) -> Phase {
        match self.0 & ((1 << Self::STATE_BITS) - 1) {
            0 => Phase::Idle,
            1 => Phase::Run,
            2 => Phase::Commit,
            3 => Phase::Abort,
            _ => Phase::Restart,
        }
    }
}

/// `changing` while more than one object is being changed.
const SEVERAL: u64 = 1;

/// The words that main and a walker share.
pub struct Protocol {
    word: Cell,
    scan: Cell,
    changing: Cell,
    written: Cell,
    serial: Cell,
    /// Main is stopped while a walk runs: nobody looks at `scan`.
    world_stopped: bool,
}

impl Protocol {
    /// No walk, no change. Of a host that stops its world for walks, or does not.
    pub fn new(world_stopped: bool) -> Self {
        Protocol {
            world_stopped,
            word: Cell::new(0),
            scan: Cell::new(0),
            changing: Cell::new(0),
            written: Cell::new(0),
            serial: Cell::new(0),
        }
    }

    /// Whether main is stopped while a walk runs.
    pub fn is_world_stopped(&self) -> bool {
        self.world_stopped
    }

    /// The walk word.
    pub fn word(&self) -> WalkWord {
        WalkWord(self.word.load())
    }

    /// Begins a walk; returns its number. Only with the turn.
    pub fn begin(&self) -> u64 {
        let epoch = self.word().epoch() + 1;
        self.word.store(WalkWord::new(epoch, Phase::Run).0);
        epoch
    }

    /// Moves walk `epoch` from RUN to `phase`; returns whether it was still RUN.
    pub fn decide(&self, epoch: u64, phase: Phase) -> bool {
        let run = WalkWord::new(epoch, Phase::Run).0;
        self.word
            .compare_exchange(run, WalkWord::new(epoch, phase).0)
            .is_ok()
    }

    /// Whether walk `epoch` still runs, as seen after everything that was read before: what was
    /// read is then not torn by a write of main's.
    #[inline(always)]
    pub fn still_runs(&self, epoch: u64) -> bool {
        fence(Ordering::Acquire);
        self.word.load_relaxed() == WalkWord::new(epoch, Phase::Run).0
    }

    /// Ends walk `epoch`, which holds no claim any more.
    pub fn end(&self, epoch: u64) {
        self.word.store(WalkWord::new(epoch, Phase::Idle).0);
    }

    /// Main is about to write an object that a walk in state `seen` had claimed: makes that the
    /// verdict. Returns whether `seen` was still true.
    pub fn abort(&self, seen: WalkWord, object: Object) -> bool {
        self.written.store(object.0 as u64);
        let aborted = self
            .word
            .compare_exchange(seen.0, WalkWord::new(seen.epoch(), Phase::Abort).0)
            .is_ok();
        // A walker that reads what main writes next must then find the abort: this fence pairs
        // with the one in `still_runs`.
        fence(Ordering::Release);
        aborted
    }

    /// The object whose write ended the walk.
    pub fn written(&self) -> Object {
        Object(self.written.load() as usize)
    }

    /// Interrupts a walk, whichever, that still claims.
    pub fn interrupt(&self) {
        let seen = self.word();
        if seen.phase() == Phase::Run {
            // If this fails, the walk has been decided, or interrupted by somebody else.
            let _ = self.decide(seen.epoch(), Phase::Restart);
            fence(Ordering::Release);
        }
    }

    /// The walker begins to read an object's elements.
    #[inline(always)]
    pub fn begin_scan(&self, object: Object) {
        if !self.world_stopped {
            self.scan.store(object.0 as u64);
        }
    }

    /// The walker has read them.
    #[inline(always)]
    pub fn end_scan(&self) {
        if !self.world_stopped {
            self.scan.store(0);
        }
    }

    /// Main waits until the walker does not read this object's elements. Returns whether it had to.
    pub fn wait_scan(&self, object: Object) -> bool {
        let mut rounds = 0;
        while self.scan.load() == object.0 as u64 {
            pause(rounds);
            rounds += 1;
        }
        rounds > 0
    }

    /// Whether main is changing how this object lies in memory. True for other objects too while
    /// several are being changed.
    #[inline(always)]
    pub fn is_changing(&self, object: Object) -> bool {
        let changing = self.changing.load();
        changing != 0 && (changing == object.0 as u64 || changing == SEVERAL)
    }

    /// Main begins to change objects: one, if none was being changed before.
    pub fn set_changing(&self, object: Option<Object>) {
        self.changing
            .store(object.map_or(SEVERAL, |object| object.0 as u64));
    }

    /// Main changes nothing any more.
    pub fn clear_changing(&self) {
        self.changing.store(0);
    }

    /// Main begins or ends to mark. The fence pairs with the one in `serial_now`: if a walker reads
    /// the old serial, main's later look at an object finds the claim that the walker made before.
    pub fn step_serial(&self) {
        self.serial.fetch_add(1);
        fence(Ordering::SeqCst);
    }

    /// The serial, after everything that the walker claimed: see `step_serial`.
    pub fn serial_now(&self) -> u64 {
        fence(Ordering::SeqCst);
        self.serial()
    }

    /// How often main has begun or ended to mark.
    pub fn serial(&self) -> u64 {
        self.serial.load()
    }

    /// Whether main is marking.
    pub fn is_marking(&self) -> bool {
        !self.serial().is_multiple_of(2)
    }

    /// Forgets an object that did not survive: the last one that main wrote to may be dead.
    pub fn sweep(&self, is_alive: &mut dyn FnMut(usize) -> bool) {
        let written = self.written.load() as usize;
        if written != 0 && !is_alive(written) {
            self.written.store(0);
        }
    }

    /// Objects have moved: `forward` says where to.
    pub fn update(&self, mut forward: impl FnMut(usize) -> usize) {
        for cell in [&self.written, &self.changing, &self.scan] {
            let value = cell.load();
            if value > SEVERAL {
                cell.store(forward(value as usize) as u64);
            }
        }
    }
}
