//! Processes that are joined in a tree, each with a heap, all of them in one process and one thread.

use crate::heap::{Heap, NIL, Name, Object, World, object};
use crate::joining::{self, Join};
use crate::shape::{Parents, STAR};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::status::*;

/// Most processes of a tree.
pub const PROCESSES: usize = 4;

/// Values that a program holds. The first ones stay: the boards of its links, to its parent and then to its
/// children. A board is an object of the parent that both ends know.
pub const ROOTS: usize = BOARD_ROOTS + PROCESSES * OBJECTS;
/// Most links of a process.
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

/// A link between two of the processes.
pub struct Edge {
    pub parent: usize,
    pub child: usize,
    /// The parent's end, and the child's.
    pub ends: (rs_link, rs_link),
}

pub struct Tree {
    // Boxed: their vms know where they are.
    #[expect(clippy::vec_box)]
    pub heaps: Vec<Box<Heap>>,
    pub edges: Vec<Edge>,
    pub flights: RefCell<BTreeMap<usize, Flight>>,
    last_flight: Cell<usize>,
    /// What each process has been asked for over its links, by (asker, owner).
    queues: RefCell<BTreeMap<(usize, usize), VecDeque<usize>>>,
    pending: RefCell<[VecDeque<Pending>; PROCESSES]>,
    /// Processes whose round is under way.
    rounds: RefCell<BTreeSet<usize>>,
    /// Processes that wait for an answer.
    waiting: RefCell<Vec<usize>>,
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
    /// By the process itself if it is a hub, or else by its parent.
    BeginRound,
}

impl World for Tree {
    /// It waits for a neighbour, which does what it was asked for, and may wait for the next one. None of them
    /// does anything for others, or they would wait for each other: there is but one thread.
    fn meanwhile(&self, process: usize) {
        self.waiting.borrow_mut().push(process);
        for neighbour in self.neighbours(process) {
            if !self.waiting.borrow().contains(&neighbour) {
                self.serve_all_over(neighbour, self.link(neighbour, process));
            }
        }
        self.waiting.borrow_mut().pop();
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
            // Others might have it wait for one that waits.
            Inside::Serve if self.waiting.borrow().is_empty() => self.serve_all_of(process),
            Inside::Serve => {}
            Inside::BeginRound => self.begin_round(self.hub_of(process)),
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

/// A hub and two children, each of which takes part in rounds or does not.
pub fn star(collects: [bool; 3]) -> Box<Tree> {
    Tree::new(STAR, &collects, joining::inherited)
}

impl Tree {
    /// `join` makes a link between the heaps of a parent and of its child.
    pub fn new(parents: Parents, collects: &[bool], join: Join) -> Box<Tree> {
        let heaps = (0..=parents.len()).map(|process| Heap::new(process, ROOTS, collects[process]));
        let heaps: Vec<Box<Heap>> = heaps.collect();
        let edges = parents.iter().zip(1..).map(|(&parent, child)| Edge {
            parent,
            child,
            ends: join(&heaps[parent], &heaps[child]),
        });
        let tree = Box::new(Tree {
            edges: edges.collect(),
            heaps,
            flights: RefCell::default(),
            last_flight: Cell::new(0),
            queues: RefCell::default(),
            pending: RefCell::default(),
            rounds: RefCell::default(),
            waiting: RefCell::default(),
            inside: Cell::default(),
            failure: RefCell::default(),
            first: RefCell::default(),
        });
        for heap in &tree.heaps {
            heap.set_world(Some(&raw const *tree));
        }
        for edge in &tree.edges {
            let (parent, child) = (&tree.heaps[edge.parent], &tree.heaps[edge.child]);
            let board = parent.allocate();
            parent.roots[tree.board_root(edge.parent, edge.child)].set(board);
            parent.export(edge.ends.0, c"board".as_ptr(), board);
            let own = child.variable(edge.ends.1, "board");
            child.roots[tree.board_root(edge.child, edge.parent)].set(own.unwrap());
        }
        tree.drain();
        tree.fill();
        tree
    }

    /// The root that holds the board of a process's link to a neighbour.
    fn board_root(&self, process: usize, neighbour: usize) -> usize {
        let mut neighbours = self.neighbours(process).into_iter();
        neighbours.position(|other| other == neighbour).unwrap()
    }

    fn board(&self, process: usize, neighbour: usize) -> &Object {
        object(self.root(process, self.board_root(process, neighbour))).unwrap()
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
                self.spread(process, process, number);
            }
        }
        *self.first.borrow_mut() = first;
    }

    fn hold(&self, holder: usize, process: usize, number: usize, value: rs_value) {
        self.heaps[holder].roots[BOARD_ROOTS + process * OBJECTS + number].set(value);
    }

    /// What a process holds, all hold that are farther from its owner.
    fn spread(&self, holder: usize, process: usize, number: usize) {
        let value = self.root_of(holder, (process, number));
        for to in self.neighbours(holder) {
            if holder != process && to == self.next_to(holder, process) {
                continue;
            }
            self.pass(holder, to, value, BOARD_ROOTS + process * OBJECTS + number);
            self.spread(to, process, number);
        }
    }

    /// Passes a value to a neighbour, by their board.
    fn pass(&self, from: usize, to: usize, value: rs_value, root: usize) {
        let (own, theirs) = (self.board(from, to), self.board(to, from));
        match own.is_wrapper() {
            true => {
                self.begin(from, own, 0, Some(value), root);
                self.drain();
                self.heaps[from].roots[root].set(value);
                self.heaps[to].roots[root].set(theirs.fields[0].take());
            }
            false => {
                own.fields[0].set(value);
                self.begin(to, theirs, 0, None, root);
                self.drain();
                own.fields[0].set(NIL);
            }
        }
    }

    /// The object of this name refers to another, which its program holds.
    pub fn refer(&self, (process, number): (usize, usize), field: usize, to: (usize, usize)) {
        let root = |(owner, number)| self.root(process, BOARD_ROOTS + owner * OBJECTS + number);
        let from = object(root((process, number))).unwrap();
        from.fields[field].set(root(to));
    }

    /// A root of a process that may be changed.
    pub fn changing(&self, process: usize, root: usize) -> usize {
        root.max(self.neighbours(process).len())
    }

    /// One of the roots of a process that hold something.
    pub fn holding(&self, process: usize, choice: usize) -> usize {
        let roots = (0..ROOTS).filter(|&root| self.root(process, root) != NIL);
        let roots: Vec<usize> = roots.collect();
        roots[choice % roots.len()]
    }

    /// A process does all that it was asked for.
    pub fn serve_all_of(&self, process: usize) {
        for link in self.links_of(process) {
            self.serve_all_over(process, link);
        }
    }

    fn serve_all_over(&self, process: usize, link: rs_link) {
        while self.heaps[process].serve(link, 0) == RS_MORE {}
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
            self.processes()
                .for_each(|process| self.serve_all_of(process));
            self.processes().for_each(|process| self.poll(process));
            if self.pending.borrow().iter().all(VecDeque::is_empty) {
                break;
            }
        }
        assert!(self.pending.borrow().iter().all(VecDeque::is_empty));
        // What is given back has to get from end to end.
        for _ in 0..2 * self.heaps.len() {
            self.processes()
                .for_each(|process| self.serve_all_of(process));
        }
    }

    /// A hub begins a round, if it has none under way.
    pub fn begin_round(&self, hub: usize) {
        if self.rounds.borrow_mut().insert(hub) {
            let status = self.heaps[hub].begin_round(0);
            if status != RS_OK {
                self.fails(format!("no round: {status}"));
            }
        }
    }

    /// Ends the round that a hub has under way, if its peers have answered.
    pub fn finish_round(&self, hub: usize) {
        let has_round = self.rounds.borrow().contains(&hub);
        if has_round && self.heaps[hub].finish_round(false).is_some() {
            self.forget_round(hub);
        }
    }

    /// A hub's round has ended.
    pub fn forget_round(&self, hub: usize) {
        self.rounds.borrow_mut().remove(&hub);
    }

    /// Nothing is wrong.
    pub fn expect_well(&self) {
        assert_eq!(self.failure.take(), None);
    }

    /// Ends the rounds that are under way, if any are; all peers answer.
    pub fn end_rounds(&self) {
        self.drain();
        self.inside.set(Inside::Nothing);
        for hub in self.hubs() {
            self.finish_round(hub);
        }
        assert!(self.rounds.borrow().is_empty());
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
        for heap in &self.heaps {
            let boards = self.neighbours(heap.process).len();
            heap.roots[boards..].iter().for_each(|root| root.set(NIL));
        }
        for edge in &self.edges {
            let board = self.board(edge.parent, edge.child);
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
        let others = self.processes().filter(|&other| other != process);
        others.for_each(|other| {
            self.take(other, of);
        });
    }

    /// All programs drop one of the objects that there are to begin with.
    pub fn drop_all(&self, of: Name) {
        self.processes().for_each(|process| {
            self.take(process, of);
        });
    }

    /// Whether one of the objects that there are to begin with was freed.
    pub fn is_freed(&self, of: Name) -> bool {
        self.named(self.first.borrow()[&of]).is_freed.get()
    }
}
