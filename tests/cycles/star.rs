//! A hub and two children with links to it, all in one process and one thread, and the oracle that sees the
//! graph of all three.

use crate::heap::{Heap, NIL, Name, Object, World, object};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use vmshare::ffi::link::*;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::status::*;

pub const HUB: usize = 0;
pub const CHILDREN: [usize; 2] = [1, 2];

/// Values that a program holds. The first ones stay: of a child its board, an object of the hub that both
/// know; of the hub the boards of both.
pub const ROOTS: usize = BOARD_ROOTS + 3 * OBJECTS;
const BOARDS: [usize; 3] = [2, 1, 1];
const BOARD_ROOTS: usize = 2;

/// Objects of each process to begin with.
pub const OBJECTS: usize = 3;

/// A request that is under way.
pub struct Flight {
    /// What the message mentions that has not been handled yet.
    pub holds: Vec<Name>,
    /// Whoever asked will get the result.
    is_wanted: bool,
}

/// A request of a program.
struct Pending {
    link: rs_link,
    request: u64,
    flight: usize,
    root: usize,
}

pub struct Star {
    pub heaps: [Box<Heap>; 3],
    /// The ends of the links: the hub's, and the child's.
    pub links: [(rs_link, rs_link); 2],
    pub flights: RefCell<BTreeMap<usize, Flight>>,
    last_flight: Cell<usize>,
    /// What each process has been asked for over its links, by (asker, owner).
    queues: RefCell<BTreeMap<(usize, usize), VecDeque<usize>>>,
    pending: RefCell<[VecDeque<Pending>; 3]>,
    pub has_round: Cell<bool>,
    /// What happens inside of the next operation.
    pub inside: Cell<Inside>,
    failure: RefCell<Option<String>>,
    /// The names of the objects that there are to begin with.
    first: RefCell<BTreeMap<Name, Name>>,
}

/// What a host may do while it carries out an operation.
#[derive(Clone, Copy, Debug, Default)]
pub enum Inside {
    #[default]
    Nothing,
    Collect,
    Serve,
    /// In the hub, whoever carries out the operation.
    BeginRound,
}

/// A copy of a descriptor.
pub fn duplicate(descriptor: i32) -> i32 {
    // SAFETY: no memory is passed.
    let copy = unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0) };
    assert!(copy >= 0);
    copy
}

/// Joins two heaps of this process.
fn join(hub: &Heap, child: &Heap) -> (rs_link, rs_link) {
    let options = rs_link_options {
        size: size_of::<rs_link_options>() as u32,
        ring_bytes: 4096,
        ..rs_link_options::default()
    };
    let (mut own, mut theirs, mut end) = (0, 0, rs_link_end::default());
    // SAFETY: valid pointers; the copies of the descriptors are given away.
    unsafe {
        let status = rs_link_new(hub.vm, hub.main, &options, &mut own, &mut end);
        assert_eq!(status, RS_OK);
        let copy = rs_link_end {
            segment: duplicate(end.segment),
            socket: duplicate(end.socket),
        };
        let status = rs_link_adopt(child.vm, child.main, &options, &copy, &mut theirs);
        assert_eq!(status, RS_OK);
        assert_eq!(rs_link_spawned(hub.vm, own, libc::getpid()), RS_OK);
    }
    (own, theirs)
}

impl World for Star {
    /// Only the hub ever waits, while one of its children does what it was asked for.
    fn meanwhile(&self, process: usize) {
        for other in (0..3).filter(|&other| other != process) {
            if process == HUB || other == HUB {
                self.serve_all_of(other);
            }
        }
    }

    fn frees(&self, process: usize, freed: &Object) {
        if self.reached().contains(&std::ptr::from_ref(freed)) {
            let name = freed.name;
            self.fails(format!(
                "process {process} frees {name:?}, which is reachable"
            ));
        }
    }

    fn fails(&self, text: String) {
        self.failure.borrow_mut().get_or_insert(text);
    }

    fn inside(&self, process: usize) {
        match self.inside.take() {
            Inside::Nothing => {}
            Inside::Collect => self.heaps[process].collect(),
            Inside::Serve => self.serve_all_of(process),
            Inside::BeginRound => self.begin_round(),
        }
    }

    fn begins(&self, process: usize, link: rs_link) -> usize {
        let asker = self.peer(process, link);
        let mut queues = self.queues.borrow_mut();
        let queue = queues.entry((asker, process)).or_default();
        queue.pop_front().unwrap_or_default()
    }

    fn ends(&self, operation: usize, result: Option<Name>) {
        let mut flights = self.flights.borrow_mut();
        if let Some(flight) = flights.get_mut(&operation) {
            flight.holds = result.into_iter().filter(|_| flight.is_wanted).collect();
        }
    }

    fn asks(&self, process: usize, link: rs_link, target: Name, argument: Option<Name>) -> usize {
        let owner = self.peer(process, link);
        let number = self.last_flight.get() + 1;
        self.last_flight.set(number);
        let flight = Flight {
            holds: [Some(target), argument].into_iter().flatten().collect(),
            is_wanted: true,
        };
        self.flights.borrow_mut().insert(number, flight);
        let mut queues = self.queues.borrow_mut();
        queues
            .entry((process, owner))
            .or_default()
            .push_back(number);
        number
    }

    fn forgets(&self, asked: usize) {
        self.flights.borrow_mut().remove(&asked);
    }
}

impl Star {
    pub fn new(collects: [bool; 3]) -> Box<Star> {
        let heaps = [0, 1, 2].map(|process| Heap::new(process, ROOTS, collects[process]));
        let links = CHILDREN.map(|child| join(&heaps[HUB], &heaps[child]));
        let star = Box::new(Star {
            heaps,
            links,
            flights: RefCell::default(),
            last_flight: Cell::new(0),
            queues: RefCell::default(),
            pending: RefCell::default(),
            has_round: Cell::new(false),
            inside: Cell::default(),
            failure: RefCell::default(),
            first: RefCell::default(),
        });
        for heap in &star.heaps {
            heap.set_world(Some(&raw const *star));
        }
        for child in CHILDREN {
            let hub = &star.heaps[HUB];
            let board = hub.allocate();
            hub.roots[child - 1].set(board);
            hub.export(star.links[child - 1].0, c"board".as_ptr(), board);
            let own = star.heaps[child].variable(star.links[child - 1].1, "board");
            star.heaps[child].roots[0].set(own.unwrap());
        }
        star.drain();
        star.fill();
        star
    }

    /// Each process makes objects, and each program holds all of them.
    fn fill(&self) {
        let mut first = BTreeMap::new();
        for (process, heap) in self.heaps.iter().enumerate() {
            for number in 0..OBJECTS {
                let value = heap.allocate();
                let name = object(value).unwrap().name;
                first.insert((process, number), name);
                self.hold(process, process, number, value);
                let in_hub = self.to_hub(process, value);
                self.hold(HUB, process, number, in_hub);
                for child in CHILDREN.into_iter().filter(|&child| child != process) {
                    let root = BOARD_ROOTS + process * OBJECTS + number;
                    self.to_child(child, in_hub, root);
                }
            }
        }
        *self.first.borrow_mut() = first;
    }

    fn hold(&self, holder: usize, process: usize, number: usize, value: rs_value) {
        self.heaps[holder].roots[BOARD_ROOTS + process * OBJECTS + number].set(value);
    }

    /// What a value of a process is in the hub.
    fn to_hub(&self, process: usize, value: rs_value) -> rs_value {
        if process == HUB {
            return value;
        }
        let board = object(self.root(process, 0)).unwrap();
        self.begin(process, board, 0, Some(value), 1);
        self.drain();
        object(self.root(HUB, process - 1)).unwrap().fields[0].take()
    }

    fn to_child(&self, child: usize, in_hub: rs_value, root: usize) {
        object(self.root(HUB, child - 1)).unwrap().fields[0].set(in_hub);
        self.begin(child, object(self.root(child, 0)).unwrap(), 0, None, root);
        self.drain();
        object(self.root(HUB, child - 1)).unwrap().fields[0].set(NIL);
    }

    /// The object of this name refers to another, which its program holds.
    pub fn refer(&self, (process, number): (usize, usize), field: usize, to: (usize, usize)) {
        let root = |(owner, number)| self.root(process, BOARD_ROOTS + owner * OBJECTS + number);
        let from = object(root((process, number))).unwrap();
        from.fields[field].set(root(to));
    }

    /// A root of a process that may be changed.
    pub fn changing(process: usize, root: usize) -> usize {
        root.max(BOARDS[process])
    }

    /// One of the roots of a process that hold something.
    pub fn holding(&self, process: usize, choice: usize) -> usize {
        let roots = (0..ROOTS).filter(|&root| self.root(process, root) != NIL);
        let roots: Vec<usize> = roots.collect();
        roots[choice % roots.len()]
    }

    /// Who is at the other end of a link; none of the three if it is none of theirs.
    fn peer(&self, process: usize, link: rs_link) -> usize {
        match process {
            HUB => 1 + self.links.iter().take_while(|ends| ends.0 != link).count(),
            _ => HUB,
        }
    }

    /// A process's links.
    pub fn links_of(&self, process: usize) -> Vec<rs_link> {
        match process {
            HUB => self.links.iter().map(|ends| ends.0).collect(),
            child => vec![self.links[child - 1].1],
        }
    }

    /// A process does all that it was asked for.
    pub fn serve_all_of(&self, process: usize) {
        for link in self.links_of(process) {
            while self.heaps[process].serve(link, 0) == RS_MORE {}
        }
    }

    /// Asks for a field of what a root stands for, or to set it; the result goes to another root.
    pub fn begin(
        &self,
        process: usize,
        target: &Object,
        field: usize,
        value: Option<rs_value>,
        root: usize,
    ) {
        let (link, request, flight) = self.heaps[process].begin(target, field, value);
        self.pending.borrow_mut()[process].push_back(Pending {
            link,
            request,
            flight,
            root,
        });
    }

    /// Takes the result of the oldest request, if it is there.
    pub fn poll(&self, process: usize) {
        let Some(first) = self.pending.borrow_mut()[process].pop_front() else {
            return;
        };
        match self.heaps[process].poll(first.link, first.request) {
            Some(value) => {
                self.heaps[process].roots[first.root].set(value);
                self.forgets(first.flight);
            }
            None => self.pending.borrow_mut()[process].push_front(first),
        }
    }

    /// Nobody wants the result of the oldest request.
    pub fn forget(&self, process: usize) {
        let Some(first) = self.pending.borrow_mut()[process].pop_front() else {
            return;
        };
        self.heaps[process].forget(first.link, first.request);
        let mut flights = self.flights.borrow_mut();
        let flight = flights.get_mut(&first.flight).unwrap();
        flight.is_wanted = false;
        let is_handled = !self
            .queues
            .borrow()
            .values()
            .any(|queue| queue.contains(&first.flight));
        if is_handled {
            flights.remove(&first.flight);
        }
    }

    /// All processes do all that they were asked for, and take all results.
    pub fn drain(&self) {
        for _ in 0..100 {
            (0..3).for_each(|process| self.serve_all_of(process));
            (0..3).for_each(|process| self.poll(process));
            if self.pending.borrow().iter().all(VecDeque::is_empty) {
                break;
            }
        }
        assert!(self.pending.borrow().iter().all(VecDeque::is_empty));
        for _ in 0..4 {
            (0..3).for_each(|process| self.serve_all_of(process));
        }
    }

    /// Begins a round, if none is under way.
    pub fn begin_round(&self) {
        if !self.has_round.get() {
            let status = self.heaps[HUB].begin_round(0);
            if status != RS_OK {
                self.fails(format!("no round: {status}"));
            }
            self.has_round.set(true);
        }
    }

    /// Nothing is wrong.
    pub fn expect_well(&self) {
        assert_eq!(self.failure.take(), None);
    }

    /// Ends the round that is under way, if one is; all peers answer.
    pub fn end_round(&self) {
        self.drain();
        self.inside.set(Inside::Nothing);
        if self.has_round.replace(false) {
            assert!(self.heaps[HUB].finish_round(false).is_some());
        }
    }

    /// The object of this name, in its own process.
    pub fn named(&self, (process, number): Name) -> &Object {
        self.heaps[process].objects()[number]
    }

    /// A value that a program holds.
    pub fn root(&self, process: usize, root: usize) -> rs_value {
        self.heaps[process].roots[root].get()
    }

    /// Drops everything that a program holds but its board, and what is on that.
    pub fn drop_roots(&self) {
        for (heap, boards) in self.heaps.iter().zip(BOARDS) {
            heap.roots[boards..].iter().for_each(|root| root.set(NIL));
        }
        for board in &self.heaps[HUB].roots[..BOARDS[HUB]] {
            let board = object(board.get()).unwrap();
            board.fields.iter().for_each(|field| field.set(NIL));
        }
    }

    /// What a program holds of the objects that there are to begin with; it drops it.
    pub fn take(&self, process: usize, of: Name) -> rs_value {
        let root = BOARD_ROOTS + of.0 * OBJECTS + of.1;
        self.heaps[process].roots[root].replace(NIL)
    }

    /// What a program holds of the objects that there are to begin with.
    pub fn root_of(&self, process: usize, of: Name) -> rs_value {
        self.root(process, BOARD_ROOTS + of.0 * OBJECTS + of.1)
    }

    /// All programs but one drop one of the objects that there are to begin with.
    pub fn drop_all_but(&self, process: usize, of: Name) {
        let others = (0..3).filter(|&other| other != process);
        others.for_each(|other| {
            self.take(other, of);
        });
    }

    /// All programs drop one of the objects that there are to begin with.
    pub fn drop_all(&self, of: Name) {
        (0..3).for_each(|process| {
            self.take(process, of);
        });
    }

    /// Whether one of the objects that there are to begin with was freed.
    pub fn is_freed(&self, of: Name) -> bool {
        self.named(self.first.borrow()[&of]).is_freed.get()
    }
}
