//! One trial: two processes, of which one is killed at one instruction, and what the other one finds.

use super::board::Board;
use super::tracer::{self, Until};
use crate::end::End;
use crate::items::{Host, Moment};
use crate::kind::{Answer, Asker, Kind, Phase, export_everything};
use crate::pair::{OPEN, fork_to, join_link, new_link, open_descriptors};
use crate::shared::{Shared, wait_until};
use std::ffi::c_void;
use std::rc::Rc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use vmshare::ffi::gc::rs_gc_visit_roots;
use vmshare::ffi::link::*;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::status::*;

/// How soon a call fails whose peer is known to be dead, on a machine that has much else to do.
pub const AT_ONCE: Duration = Duration::from_secs(2);

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Asker,
    Owner,
}

impl Role {
    fn other(self) -> Role {
        match self {
            Role::Asker => Role::Owner,
            Role::Owner => Role::Asker,
        }
    }
}

/// Who dies, and when.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    pub kind: Kind,
    pub victim: Role,
    /// The link was made by the one that dies; the other one has joined it.
    pub victim_is_maker: bool,
    pub phase: Phase,
    pub until: Until,
}

/// What this process has of a link while there is one.
#[derive(Debug, PartialEq)]
struct Traces {
    descriptors: usize,
    mappings: usize,
}

impl Traces {
    fn now() -> Traces {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        Traces {
            descriptors: open_descriptors(),
            mappings: maps.lines().filter(|line| line.contains("memfd:")).count(),
        }
    }
}

/// What a trial has found, besides that everything was as it should be.
pub struct Found {
    pub victim: tracer::End,
    /// When the survivor's call returned that could not be answered any more, if it made one.
    pub survivor_at: Option<Instant>,
}

impl Trial {
    pub fn run(&self) -> Found {
        let before = Traces::now();
        let board = Rc::new(Shared::<Board>::new());
        board.stop_at(self.phase);
        let (end, process) = match self.victim_is_maker {
            true => self.join(&board),
            false => self.make(&board),
        };
        let (victim, survivor_at) = std::thread::scope(|scope| {
            let shared: &Shared<Board> = &board;
            let (phase, until) = (self.phase, self.until);
            let killer = scope.spawn(move || tracer::kill(process, shared, phase, until));
            self.survive(&end, &board, || killer.join().unwrap())
        });
        drop(end);
        assert_eq!(Traces::now(), before, "nothing of the link is left");
        Found {
            victim,
            survivor_at,
        }
    }

    /// Makes the link, and the child that will die.
    fn make(&self, board: &Rc<Shared<Board>>) -> (End, libc::pid_t) {
        let host = Host::new(true);
        let (link, end) = new_link(&host, &OPEN);
        let process = fork_to(|| {
            let host = Host::new(true);
            let link = join_link(&host, &OPEN, end);
            self.live(&End::new(host, link, 0), board);
        });
        // SAFETY: the child has not been waited for.
        assert_eq!(unsafe { rs_link_spawned(host.vm, link, process) }, RS_OK);
        (End::new(host, link, process), process)
    }

    /// Makes the child that will die, which makes the link.
    fn join(&self, board: &Rc<Shared<Board>>) -> (End, libc::pid_t) {
        let process = fork_to(|| {
            let host = Host::new(true);
            let (link, end) = new_link(&host, &OPEN);
            board.socket.store(end.socket + 1, SeqCst);
            board.segment.store(end.segment + 1, SeqCst);
            wait_until(|| board.is_joined.load(SeqCst));
            // SAFETY: no preconditions; the number is this process's parent's.
            let status = unsafe { rs_link_spawned(host.vm, link, libc::getppid()) };
            assert_eq!(status, RS_OK);
            self.live(&End::new(host, link, 0), board);
        });
        wait_until(|| board.segment.load(SeqCst) != 0);
        let [segment, socket] = [&board.segment, &board.socket].map(|word| word.load(SeqCst) - 1);
        let taken = take_descriptors(process, [segment, socket]);
        let host = Host::new(true);
        let end = rs_link_end {
            segment: taken[0],
            socket: taken[1],
        };
        let link = join_link(&host, &OPEN, end);
        board.is_joined.store(true, SeqCst);
        (End::new(host, link, process), process)
    }

    /// What the one that will be killed does.
    fn live(&self, end: &End, board: &Rc<Shared<Board>>) {
        wait_until(|| board.is_traced.load(SeqCst));
        let own = board.clone();
        let reach = Rc::new(move |phase| {
            if own.is_ready() {
                own.reach(phase);
            }
        });
        match self.victim {
            Role::Asker => drop(self.ask(&Asker::new(end), board, reach)),
            Role::Owner => serve(end, board, self.kind, reach),
        }
    }

    fn ask(
        &self,
        asker: &Asker,
        board: &Shared<Board>,
        reach: Rc<impl Fn(Phase) + 'static>,
    ) -> Vec<Answer> {
        wait_until(|| board.owner_sleeps.load(SeqCst));
        board.set_ready();
        if self.kind.is_one_call() {
            let waits = reach.clone();
            *asker.end.host.observer.borrow_mut() = Some(Box::new(move |moment| {
                if moment == Moment::Waits {
                    waits(Phase::InFinish);
                }
            }));
        }
        reach(Phase::BeforeBegin);
        let answers = asker.ask(self.kind, &*reach);
        reach(Phase::Elsewhere);
        answers
    }

    /// What the other one does and finds. `until_dead` returns when the first one has been killed.
    fn survive(
        &self,
        end: &End,
        board: &Rc<Shared<Board>>,
        until_dead: impl FnOnce() -> tracer::End,
    ) -> (tracer::End, Option<Instant>) {
        let nowhere = Rc::new(|_: Phase| {});
        match self.victim.other() {
            Role::Owner => {
                serve(end, board, self.kind, nowhere);
                let at = Instant::now();
                expect_nothing_left(end);
                (until_dead(), Some(at))
            }
            Role::Asker => {
                let asker = Asker::new(end);
                let answers = self.ask(&asker, board, nowhere);
                let victim = until_dead();
                for answer in &answers {
                    expect_truth(answer, self.kind, board);
                }
                if !self.kind.closes() {
                    expect_death(&asker);
                }
                expect_nothing_left(end);
                let failed = answers.iter().find(|answer| answer.outcome.is_err());
                (victim, failed.map(|answer| answer.at))
            }
        }
    }
}

/// An event loop, which ends with the peer.
fn serve(end: &End, board: &Rc<Shared<Board>>, kind: Kind, reach: Rc<impl Fn(Phase) + 'static>) {
    export_everything(end, kind);
    let (own, inside) = (board.clone(), reach.clone());
    *end.host.observer.borrow_mut() = Some(Box::new(move |moment| match moment {
        Moment::Operates(index) if own.is_ready() => {
            own.carry_out(index);
            inside(Phase::InOperate);
        }
        Moment::Replaces => {
            own.carry_out(0);
            inside(Phase::InOperate);
        }
        Moment::HasOperated => inside(Phase::AfterOperate),
        _ => {}
    }));
    loop {
        reach(Phase::BeforeOperate);
        let is_served = end.serve();
        reach(Phase::Elsewhere);
        if !is_served {
            return;
        }
        board.owner_sleeps.store(true, SeqCst);
        end.poll_descriptor();
        reach(Phase::Woken);
        board.owner_sleeps.store(false, SeqCst);
    }
}

/// What a request that has ended says of the operation must be true.
fn expect_truth(answer: &Answer, kind: Kind, board: &Board) {
    let was_carried_out = match kind {
        Kind::Batch | Kind::Together => board.was_carried_out(answer.index),
        _ => board.was_anything_carried_out(),
    };
    match answer.outcome {
        Ok(_) => assert!(was_carried_out || !kind.operates(), "an answer to nothing"),
        Err(RS_ERR_DEAD) if answer.text.starts_with("not executed") => {
            assert!(!was_carried_out, "it says not executed, and was");
        }
        Err(RS_ERR_DEAD) => assert!(answer.text.starts_with("unknown"), "{}", answer.text),
        Err(status) => panic!("status {status}: {}", answer.text),
    }
}

/// The peer is dead: every request fails at once, and says that it was not sent when that is known.
fn expect_death(asker: &Asker) {
    let begin = Instant::now();
    let first = asker.ask_once_more();
    assert_eq!(first.outcome, Err(RS_ERR_DEAD));
    let answer = asker.ask_once_more();
    assert_eq!(answer.outcome, Err(RS_ERR_DEAD));
    assert!(answer.text.starts_with("not executed"), "{}", answer.text);
    assert!(answer.at - begin < AT_ONCE);
}

/// Nothing is kept alive for the dead peer, and nothing stands for its objects.
fn expect_nothing_left(end: &End) {
    match end.try_counts() {
        Ok(counts) => {
            assert_eq!(counts.pins, 0);
            end.sweep(|_| false);
            assert_eq!(end.counts().remotes, 0);
            assert_eq!(end.close(false), Ok(()));
        }
        status => assert_eq!(status.err(), Some(RS_ERR_CLOSED)),
    }
    assert_eq!(roots(&end.host), 0);
}

/// How many objects the library keeps alive.
fn roots(host: &Host) -> u64 {
    unsafe extern "C" fn visit(count: *mut c_void, _value: rs_value) {
        // SAFETY: the count of the call below.
        unsafe { *count.cast::<u64>() += 1 };
    }
    let mut count = 0u64;
    // SAFETY: the count lives during the call.
    let status = unsafe { rs_gc_visit_roots(host.vm, Some(visit), (&raw mut count).cast()) };
    assert_eq!(status, RS_OK);
    count
}

/// Copies descriptors of a child into this process.
fn take_descriptors(process: libc::pid_t, descriptors: [i32; 2]) -> [i32; 2] {
    // SAFETY: no memory is passed; the child has not been waited for.
    unsafe {
        let child = libc::syscall(libc::SYS_pidfd_open, process, 0) as i32;
        let taken =
            descriptors.map(|number| libc::syscall(libc::SYS_pidfd_getfd, child, number, 0) as i32);
        let error = std::io::Error::last_os_error();
        assert!(taken[0] >= 0 && taken[1] >= 0, "{error}");
        libc::close(child);
        taken
    }
}
