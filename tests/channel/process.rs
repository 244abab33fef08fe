//! Two ends of a channel, in two processes or two threads, and what tests ask of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use vmshare::host::memory::{HostAllocator, Vec as Buffer};
use vmshare::shm::channel::{Channel, Options};
use vmshare::shm::deadline::Deadline;
use vmshare::shm::waiting::Wait;

static ALONE: Mutex<()> = Mutex::new(());

/// No other test runs while this is held.
pub fn alone() -> MutexGuard<'static, ()> {
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Options with rings of so many bytes.
pub fn options(ring_bytes: usize) -> Options {
    Options {
        ring_bytes,
        ..Options::new(HostAllocator::malloc())
    }
}

pub fn buffer() -> Buffer<u8> {
    Buffer::new_in(HostAllocator::malloc())
}

/// Long enough for anything that must happen, so that a test that would hang fails.
pub fn soon<'a>() -> Wait<'a> {
    within(Duration::from_secs(60))
}

pub fn within<'a>(time: Duration) -> Wait<'a> {
    Wait::until(Deadline::after(time))
}

/// A number given from outside, for longer runs.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// The bytes of a test message: different at each place and for each seed.
pub fn pattern(length: usize, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let mut bytes = vec![0; length];
    for word in bytes.chunks_mut(8) {
        let number = numbers.next().to_ne_bytes();
        word.copy_from_slice(&number[..word.len()]);
    }
    bytes
}

/// Numbers that look random (splitmix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A child process; killed when it is dropped.
pub struct Child {
    process: libc::pid_t,
}

impl Child {
    /// Forks; the child runs `body`, and ends with 0 unless it panics.
    pub fn new(body: impl FnOnce()) -> Child {
        // SAFETY: the child runs only this crate's code and malloc, which glibc makes ready for it.
        let process = unsafe { libc::fork() };
        assert!(process >= 0);
        if process == 0 {
            let outcome = catch_unwind(AssertUnwindSafe(body));
            // SAFETY: nothing of the parent's is run at this exit.
            unsafe { libc::_exit(if outcome.is_ok() { 0 } else { 101 }) };
        }
        Child { process }
    }

    pub fn process(&self) -> libc::pid_t {
        self.process
    }

    pub fn kill(&self, signal: libc::c_int) {
        // SAFETY: the child is not reaped yet, so the number is its own.
        unsafe { libc::kill(self.process, signal) };
    }

    /// Waits for its end, which must be a good one.
    pub fn join(mut self) {
        assert_eq!(self.reap(), 0, "the child has failed");
    }

    fn reap(&mut self) -> i32 {
        let mut status = 0;
        // SAFETY: the status is this frame's.
        unsafe { libc::waitpid(self.process, &mut status, 0) };
        self.process = 0;
        status
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.process != 0 {
            self.kill(libc::SIGKILL);
            self.reap();
        }
    }
}

/// A channel to a child that runs `body` with the other end.
pub fn with_child(options: &Options, body: impl FnOnce(Channel)) -> (Channel, Child) {
    let (channel, handover) = Channel::pair(options).unwrap();
    let mut channel = Some(channel);
    let mut handover = Some(handover);
    let child = Child::new(|| {
        channel.take();
        let handover = handover.take().unwrap();
        body(Channel::adopt(handover, options).unwrap());
    });
    let mut channel = channel.unwrap();
    channel.watch_child(child.process()).unwrap();
    (channel, child)
}

/// Both ends in this process.
pub fn both(options: &Options) -> (Channel, Channel) {
    let (maker, handover) = Channel::pair(options).unwrap();
    let joiner = Channel::adopt(handover, options).unwrap();
    (maker, joiner)
}

/// Sends back whatever comes, until the other end is gone.
pub fn echo(mut channel: Channel) {
    let wait = &mut Wait::until(Deadline::NEVER);
    let mut message = buffer();
    while let Ok(kind) = channel.receive(wait, &mut message) {
        if channel.send(wait, kind, &[&message]).is_err() {
            break;
        }
    }
}

/// How many descriptors this process has open.
pub fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
