//! Autoshare (Ruby Feature #17278): an object that is assigned to a slot is auto-shareable (A) until its
//! first use decides: main modifies it, and it is not shareable (B); or another ractor reads it,
//! and it is shareable and frozen (C), its whole graph at once.
//!
//! ```text
//!            assigned to a slot             read by another ractor: all A or C
//! ordinary ────────────────────▶  A  ─────────────────────────────────────────▶  C
//!     ▲                           │
//!     └───────────────────────────┘
//!      main writes it; or a read failed, and it
//!      lies on the path to what blocked the read
//! ```
//!
//! # Parts
//!
//! | file | what it does |
//! |---|---|
//! | [`flags`] | the truth table of an object's four flags |
//! | [`protocol`] | the words that main and a walker share |
//! | [`owner`] | main's side: before a write, a change, at a mark |
//! | [`claim`] | the walker's side: how objects are claimed |
//! | [`sharing`], [`undo`] | one walk: claim, decide, publish or undo, in pieces |
//! | [`mark`] | from ordinary to A |
//! | [`turn`] | walkers take turns |
//! | [`collector`] | what a collector asks and tells |
//! | [`assign`], [`check`], [`access`], [`explicit`], [`pull`] | the calls |
//! | [`records`], [`path`], [`report`], [`wording`], [`explain`], [`draw`] | who did what, and why |
//! | [`verifier`] | the debug mode that looks for writes that nobody announced |
//! | [`statistics`] | counts |
//!
//! # Invariants
//!
//! - Only main sets AUTOSHARE. Main clears it by a write; a failed access clears it along the path to
//!   the blocker; publishing clears it for good.
//! - PENDING is set by the walk that has the turn, and cleared only at that walk's end.
//! - A shareable object is frozen, and everything it refers to is shareable or about to be, and frozen.
//! - A walk that fails leaves every flag as it was, but for the path that it demotes.
//! - Main never waits for a walk, and never takes the turn, except to share explicitly.
//!
//! "Exactly one of main's write and another ractor's access fails" means: if they concern an
//! object that is reachable from the slot when the access takes effect, and not frozen by the program.

#![forbid(unsafe_code)]

pub mod access;
pub mod assign;
pub mod check;
pub mod claim;
pub mod collector;
pub mod draw;
pub mod explain;
pub mod explicit;
pub mod flags;
pub mod mark;
pub mod owner;
pub mod path;
pub mod protocol;
pub mod pull;
pub mod records;
pub mod report;
pub mod sharing;
pub mod statistics;
pub mod turn;
pub mod undo;
pub mod verifier;
pub mod wording;

use crate::host::Host;
use crate::host::callbacks::{Callbacks, NO_SITE};
use crate::host::contract::{
    RS_ENFORCE, RS_MARK_ON_ASSIGN, RS_OFF, RS_OPTION_PROVENANCE, RS_OPTION_VERIFY,
    RS_WALK_WORLD_STOPPED, RS_WARN, rs_host, rs_ractor, rs_site,
};
use crate::host::flags::Flags;
use crate::host::heap::{Heap, Object};
use crate::host::host_heap::AnyHeap;
use crate::status::rs_status;
use crate::sync::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering, lock, thread_number,
};
use explicit::Unprepared;
use flags::State;
use mark::Marking;
use protocol::Protocol;
use pull::Pull;
use records::Records;
use sharing::Sharing;
use statistics::Counters;
use turn::Turn;
use verifier::Verifier;

/// What the host chose.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Mark at assignment, not at the first ractor.
    pub mark_on_assign: bool,
    /// Walk with the world stopped.
    pub world_stopped: bool,
    /// Share and freeze, not only tell.
    pub enforce: bool,
    /// Mark nothing.
    pub off: bool,
    /// Remember who did what where.
    pub provenance: bool,
    /// Look for writes that nobody announced.
    pub verify: bool,
}

impl Settings {
    /// What `host` chose.
    pub fn new(host: &rs_host) -> Self {
        Settings {
            mark_on_assign: host.mark_policy == RS_MARK_ON_ASSIGN,
            world_stopped: host.walk_mode == RS_WALK_WORLD_STOPPED,
            enforce: host.enforcement == RS_ENFORCE,
            off: host.enforcement == RS_OFF,
            // What would have happened is told from what is remembered.
            provenance: host.options & RS_OPTION_PROVENANCE != 0 || host.enforcement == RS_WARN,
            verify: host.options & RS_OPTION_VERIFY != 0,
        }
    }
}

/// Autoshare of one vm.
pub struct Autoshare {
    settings: Settings,
    main: AtomicU64,
    ractors_exist: AtomicBool,
    protocol: Protocol,
    turn: Turn,
    sharing: Mutex<Sharing>,
    marking: Mutex<Marking>,
    records: Mutex<Records>,
    verifier: Verifier,
    /// The ractor that is sharing explicitly; 0 for none.
    sharer: AtomicU64,
    /// What explicit shares have still to prepare.
    unprepared: Mutex<Unprepared>,
    /// How many changes of representation main has begun and not ended.
    changes: AtomicU32,
    /// The pull walks under way.
    pull: Mutex<Pull>,
    counters: Counters,
    /// The threads that are inside of a walk, a mark, a collector's call: what they call from a
    /// callback is refused. The low bit says that they hold its lock at the moment.
    inside: [AtomicUsize; Inside::Exploring as usize + EXPLORERS],
}

/// What a thread can be inside of when the host is called.
#[derive(Clone, Copy)]
enum Inside {
    Sharing = 0,
    Marking = 1,
    Collecting = 2,
    /// And from there on: several owners may explore their graphs at a time.
    Exploring = 3,
}

/// Owners that may explore at a time and have their callbacks' calls refused; of more than that, they
/// are let in.
const EXPLORERS: usize = 8;

/// One call's view: the vm's autoshare, its host, and the host's heap.
pub struct Call<'a> {
    autoshare: &'a Autoshare,
    host: &'a Host,
    heap: AnyHeap<'a>,
}

impl Autoshare {
    /// Of a vm with this number, whose main ractor is returned too.
    pub fn new(host: &Host, vm: u64) -> Result<(Self, rs_ractor), rs_status> {
        let allocator = host.allocator();
        let mut records = Records::new(vm, allocator);
        let main = records.add_ractor(Some(b"main"))?;
        let settings = Settings::new(host.data());
        let autoshare = Autoshare {
            settings,
            main: AtomicU64::new(main),
            ractors_exist: AtomicBool::new(false),
            protocol: Protocol::new(settings.world_stopped),
            turn: Turn::new(allocator),
            sharing: Mutex::new(Sharing::new(allocator)),
            marking: Mutex::new(Marking::new(allocator)),
            records: Mutex::new(records),
            verifier: Verifier::new(settings.verify, allocator),
            sharer: AtomicU64::new(0),
            unprepared: Mutex::new(Unprepared::new(allocator)),
            changes: AtomicU32::new(0),
            pull: Mutex::new(Pull::new(vm, allocator)),
            counters: Counters::default(),
            inside: core::array::from_fn(|_| AtomicUsize::new(0)),
        };
        Ok((autoshare, main))
    }

    /// The view of one call.
    pub fn call<'a>(&'a self, host: &'a Host) -> Call<'a> {
        Call {
            autoshare: self,
            host,
            heap: host.any_heap(),
        }
    }

    /// The main ractor.
    pub fn main(&self) -> rs_ractor {
        self.main.load(Ordering::Relaxed)
    }

    /// Counts of what happened.
    pub fn statistics(&self) -> statistics::rs_statistics {
        self.counters.read()
    }

    /// What is known of slots and ractors; held only for a lookup or a copy.
    pub fn records(&self) -> MutexGuard<'_, Records> {
        lock(&self.records)
    }

    /// Whether the calling thread is in a callback of a walk, a mark or a collector's call.
    pub fn is_inside(&self) -> bool {
        let me = thread_number();
        self.inside
            .iter()
            .any(|place| place.load(Ordering::Relaxed) & !LOCKED == me)
    }

    /// Whether the calling thread holds a lock of the library, that is it is in a callback other
    /// than a safepoint.
    pub fn is_locked(&self) -> bool {
        let me = thread_number();
        self.inside
            .iter()
            .any(|place| place.load(Ordering::Relaxed) == me | LOCKED)
    }

    /// Whether any walk or mark is under way.
    pub fn is_walking(&self) -> bool {
        self.turn.is_taken() || self.protocol.is_marking()
    }

    /// The calling thread goes inside, and comes out when the result is dropped. While `locked` it
    /// holds a lock.
    fn enter(&self, inside: Inside, locked: bool) -> Entered<'_> {
        let place = &self.inside[inside as usize];
        let before = place.load(Ordering::Relaxed);
        let locked = if locked { LOCKED } else { 0 };
        place.store(thread_number() | locked, Ordering::Relaxed);
        Entered { place, before }
    }

    /// The calling thread begins to explore a graph of its own, until the result is dropped.
    fn enter_exploring(&self) -> Option<Entered<'_>> {
        let me = thread_number() | LOCKED;
        self.inside[Inside::Exploring as usize..]
            .iter()
            .find(|place| {
                place
                    .compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
            })
            .map(|place| Entered { place, before: 0 })
    }

    /// Keeps walks from beginning; none is under way when this returns.
    pub fn gc_begin(&self, callbacks: &Callbacks) -> Result<(), rs_status> {
        self.turn.shut(callbacks, || self.protocol.interrupt())
    }

    /// Lets walks begin again.
    pub fn gc_end(&self) -> Result<(), rs_status> {
        self.turn.open()
    }

    /// Takes every lock, with all walks between two pieces. The guards go to the end of the fork.
    pub fn hold(&self) -> Held<'_> {
        Held {
            pull: lock(&self.pull),
            sharing: lock(&self.sharing),
            marking: lock(&self.marking),
            unprepared: lock(&self.unprepared),
            turn: self.turn.hold(),
            records: lock(&self.records),
        }
    }
}

/// In `Autoshare::inside`: the thread holds a lock. Thread numbers are even.
const LOCKED: usize = 1;

/// While a thread is inside of a walk, a mark or a collector's call.
struct Entered<'a> {
    place: &'a AtomicUsize,
    before: usize,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.place.store(self.before, Ordering::Relaxed);
    }
}

/// All locks of a vm's autoshare, held over a fork.
pub struct Held<'a> {
    sharing: MutexGuard<'a, Sharing>,
    marking: MutexGuard<'a, Marking>,
    unprepared: MutexGuard<'a, Unprepared>,
    pull: MutexGuard<'a, Pull>,
    turn: MutexGuard<'a, turn::State>,
    records: MutexGuard<'a, Records>,
}

impl Call<'_> {
    fn callbacks(&self) -> &Callbacks {
        self.host.callbacks()
    }

    fn settings(&self) -> Settings {
        self.autoshare.settings
    }

    fn counters(&self) -> &Counters {
        &self.autoshare.counters
    }

    fn is_main(&self, ractor: rs_ractor) -> bool {
        ractor == self.autoshare.main()
    }

    /// Whether a ractor may be named at all.
    pub fn expect_ractor(&self, ractor: rs_ractor) -> Result<(), rs_status> {
        if self.is_main(ractor) {
            return Ok(());
        }
        self.autoshare.records().ractors.get(ractor).map(|_| ())
    }

    fn flags_of(&self, object: Object) -> u64 {
        self.heap.flags().load(self.heap.address(object))
    }

    fn state_of(&self, object: Object) -> State {
        State::of(self.flags_of(object), self.heap.flags().masks())
    }

    /// Where the caller's program stands, if anybody wants to know.
    fn site(&self) -> rs_site {
        match self.settings().provenance {
            true => self.callbacks().site(),
            false => NO_SITE,
        }
    }

    /// In a forked child: no other thread exists. A walk is finished or undone, the forking ractor is
    /// main.
    pub fn adopt(&self, held: Held<'_>) {
        let Held {
            mut sharing,
            mut marking,
            mut unprepared,
            mut pull,
            mut turn,
            mut records,
        } = held;
        let autoshare = self.autoshare;
        // What a mark under way has marked so far stays A, which only permits.
        marking.finish();
        if autoshare.protocol.is_marking() {
            autoshare.protocol.step_serial();
        }
        autoshare.verifier.switch_off();
        sharing.finish_orphan(
            &self.heap,
            self.callbacks(),
            &autoshare.protocol,
            &autoshare.verifier,
        );
        unprepared.forget_all();
        pull.forget();
        autoshare.turn.forget_others(&mut turn);
        autoshare.sharer.store(0, Ordering::Relaxed);
        for inside in &autoshare.inside {
            inside.store(0, Ordering::Relaxed);
        }
        let survivor = match self.callbacks().current_ractor() {
            0 => autoshare.main(),
            ractor => ractor,
        };
        records.close_ractors_but(survivor);
        if survivor != autoshare.main() {
            // What main was changing, nobody will end here.
            autoshare.changes.store(0, Ordering::Relaxed);
            autoshare.protocol.clear_changing();
        }
        autoshare.main.store(survivor, Ordering::Relaxed);
    }
}
