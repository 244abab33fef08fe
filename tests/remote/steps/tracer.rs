//! Runs a process instruction by instruction, or to one instruction, and kills it there.

use super::board::Board;
use crate::kind::Phase;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// One instruction of a phase: where it stands, and how often it was executed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub address: usize,
    pub passes: usize,
}

/// Passes of a loop are alike, and each costs some switches between two processes: the one behind so many stands
/// for all later ones.
const MOST_PASSES: usize = 500;

/// When a process is killed; at the end of its phase at the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After so many instructions, through which it goes step by step.
    Steps(usize),
    /// Before this instruction.
    Instruction(Place),
    /// When it has run for so long.
    Time(Duration),
}

/// How a process has ended.
pub struct End {
    /// It came to its phase.
    pub is_in_phase: bool,
    /// The addresses of the instructions that it went through, if it went step by step.
    pub instructions: Vec<usize>,
    /// How long it ran in its phase.
    pub ran_for: Duration,
    pub at: Instant,
}

/// Kills a child of this process in the phase for which it stops.
///
/// On a thread of its own: only that thread may trace the child.
pub fn kill(process: libc::pid_t, board: &Board, phase: Phase, until: Until) -> End {
    share_processor(process);
    let mut child = Traced {
        process,
        has_ended: false,
    };
    child.seize();
    board.is_traced.store(true, SeqCst);
    let is_in_phase = child.wait().is_some();
    let begin = Instant::now();
    let mut instructions = Vec::new();
    if is_in_phase {
        let is_there = || board.is_at(phase);
        match until {
            Until::Steps(most) => instructions = child.step_through(most, is_there),
            Until::Instruction(place) => child.run_to(place),
            Until::Time(time) => child.run_for(time),
        }
    }
    let at = Instant::now();
    child.kill();
    End {
        is_in_phase,
        instructions,
        ran_for: at - begin,
        at,
    }
}

/// Has this thread and the child on one processor: each step is a switch from one to the other and back.
fn share_processor(process: libc::pid_t) {
    // SAFETY: the set is this frame's.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(libc::sched_getcpu() as usize, &mut set);
        for process in [0, process] {
            let outcome = libc::sched_setaffinity(process, size_of_val(&set), &set);
            assert_eq!(outcome, 0, "{}", std::io::Error::last_os_error());
        }
    }
}

/// A child that this thread traces.
struct Traced {
    process: libc::pid_t,
    /// It was waited for, and its number may be another's.
    has_ended: bool,
}

impl Traced {
    fn request(&self, request: libc::c_uint, address: *mut c_void, data: *mut c_void) {
        // SAFETY: each caller passes what its request wants.
        let outcome = unsafe { libc::ptrace(request, self.process, address, data) };
        let error = std::io::Error::last_os_error();
        assert_ne!(outcome, -1, "a child can't be traced here: {error}");
    }

    /// From now on the child stops for this thread, and dies with it.
    fn seize(&self) {
        let options = libc::PTRACE_O_EXITKILL as usize;
        self.request(libc::PTRACE_SEIZE, null_mut(), options as *mut c_void);
    }

    /// Waits until the child stops, and returns by which signal; none when it has ended.
    fn wait(&mut self) -> Option<i32> {
        let mut status = 0;
        // SAFETY: a valid pointer.
        let found = unsafe { libc::waitpid(self.process, &mut status, libc::__WALL) };
        assert_eq!(found, self.process);
        if libc::WIFSTOPPED(status) {
            return Some(libc::WSTOPSIG(status));
        }
        let was_killed = libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL;
        assert!(status == 0 || was_killed, "the traced process has failed");
        self.has_ended = true;
        None
    }

    fn step(&mut self) -> Option<i32> {
        self.request(libc::PTRACE_SINGLESTEP, null_mut(), null_mut());
        self.wait()
    }

    fn step_through(&mut self, most: usize, is_there: impl Fn() -> bool) -> Vec<usize> {
        let mut passed = Vec::new();
        while is_there() && passed.len() < most {
            passed.push(self.registers().next_instruction());
            if self.step().is_none() {
                break;
            }
        }
        passed
    }

    /// Runs for so long, or until the child stops by itself.
    fn run_for(&mut self, time: Duration) {
        self.request(libc::PTRACE_CONT, null_mut(), null_mut());
        if time != Duration::MAX {
            std::thread::sleep(time);
            self.request(libc::PTRACE_INTERRUPT, null_mut(), null_mut());
        }
        if self.wait().is_some() {
            let address = self.registers().next_instruction();
            println!("after {time:?} it was at {address:#x}");
        }
    }

    /// Runs until the child is about to execute an instruction, or stops for another reason.
    fn run_to(&mut self, place: Place) {
        let address = place.address as *mut c_void;
        let code = self.code(address);
        let trap = code & !TRAP_MASK | TRAP;
        for pass in 0.. {
            self.request(libc::PTRACE_POKETEXT, address, trap as *mut c_void);
            self.request(libc::PTRACE_CONT, null_mut(), null_mut());
            if self.wait() != Some(libc::SIGTRAP) || pass == place.passes.min(MOST_PASSES) {
                return;
            }
            // It goes over this one as if there were no trap.
            self.request(libc::PTRACE_POKETEXT, address, code as *mut c_void);
            self.go_to(place.address);
            if self.step().is_none() {
                return;
            }
        }
    }

    /// The word of code at an address.
    fn code(&self, address: *mut c_void) -> usize {
        let nothing = null_mut::<c_void>();
        // SAFETY: no memory of this process is passed.
        unsafe { libc::ptrace(libc::PTRACE_PEEKTEXT, self.process, address, nothing) as usize }
    }

    fn registers(&self) -> Registers {
        // SAFETY: registers are numbers.
        let mut registers: Registers = unsafe { std::mem::zeroed() };
        self.exchange_registers(libc::PTRACE_GETREGSET, &mut registers);
        registers
    }

    fn go_to(&self, address: usize) {
        let mut registers = self.registers();
        registers.set_next_instruction(address);
        self.exchange_registers(libc::PTRACE_SETREGSET, &mut registers);
    }

    fn exchange_registers(&self, request: libc::c_uint, registers: &mut Registers) {
        let mut place = libc::iovec {
            iov_base: (&raw mut *registers).cast(),
            iov_len: size_of::<Registers>(),
        };
        let general = libc::NT_PRSTATUS as usize as *mut c_void;
        self.request(request, general, (&raw mut place).cast());
    }

    fn kill(&mut self) {
        while !self.has_ended {
            // SAFETY: no memory is passed; the child was not waited for.
            unsafe { libc::kill(self.process, libc::SIGKILL) };
            self.wait();
        }
    }
}

type Registers = libc::user_regs_struct;

/// The instruction that stops a traced process, where a word of code has it.
#[cfg(target_arch = "x86_64")]
const TRAP: usize = 0xcc;
#[cfg(target_arch = "x86_64")]
const TRAP_MASK: usize = 0xff;
#[cfg(target_arch = "aarch64")]
const TRAP: usize = 0xd420_0000;
#[cfg(target_arch = "aarch64")]
const TRAP_MASK: usize = 0xffff_ffff;

/// Where a stopped process goes on.
trait NextInstruction {
    fn next_instruction(&self) -> usize;
    fn set_next_instruction(&mut self, address: usize);
}

#[cfg(target_arch = "x86_64")]
impl NextInstruction for Registers {
    fn next_instruction(&self) -> usize {
        self.rip as usize
    }

    fn set_next_instruction(&mut self, address: usize) {
        self.rip = address as u64;
    }
}

#[cfg(target_arch = "aarch64")]
impl NextInstruction for Registers {
    fn next_instruction(&self) -> usize {
        self.pc as usize
    }

    fn set_next_instruction(&mut self, address: usize) {
        self.pc = address as u64;
    }
}
