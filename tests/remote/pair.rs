//! A parent and its child, with a link between them.

use crate::end::{End, pins};
use crate::items::Host;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use vmshare::ffi::link::*;
use vmshare::host::exchange::*;
use vmshare::host::memory::HostAllocator;
use vmshare::shm::channel::{Channel, Options};
use vmshare::shm::handover::Handover;
use vmshare::status::*;

/// One test at a time: others would open descriptors, too.
static ALONE: Mutex<()> = Mutex::new(());

/// No other test runs while this is held.
pub fn alone() -> MutexGuard<'static, ()> {
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Runs both; what fails in the child fails the test too.
pub fn two(parent: impl FnOnce(&End), child: impl FnOnce(&End)) {
    two_with(DEFAULT, parent, child);
}

/// The same, with these options on both sides.
pub fn two_with(options: rs_link_options, parent: impl FnOnce(&End), child: impl FnOnce(&End)) {
    run(&options, parent, |end| run_child(&options, end, child));
}

/// Runs both, and kills the child after a while.
pub fn two_and_a_kill(after: Duration, parent: impl FnOnce(&End), child: impl FnOnce(&End)) {
    two(
        |own: &End| {
            let killer = own.kill_peer_after(after);
            parent(own);
            killer.join().unwrap();
        },
        child,
    );
}

/// Runs a parent, and a child that keeps to no protocol but that of the channel.
pub fn two_with_a_liar(parent: impl FnOnce(&End), liar: impl FnOnce(&mut Channel)) {
    let options = Options::new(HostAllocator::malloc());
    two_with_a_channel(options, parent, liar);
}

/// The same, for a liar that makes its channel with options of its own.
pub fn two_with_a_channel(
    options: Options,
    parent: impl FnOnce(&End),
    child: impl FnOnce(&mut Channel),
) {
    run(&DEFAULT, parent, |end| {
        // SAFETY: the descriptors were inherited, and belong to nobody else here.
        let handover = unsafe { Handover::of_descriptors(end.segment, end.socket) }.unwrap();
        child(&mut Channel::adopt(handover, &options).unwrap());
    });
}

/// What the library chooses.
pub const DEFAULT: rs_link_options = rs_link_options {
    size: size_of::<rs_link_options>() as u32,
    flags: 0,
    ring_bytes: 0,
    pins: 0,
    timeout: 0,
    message_bytes: 0,
};

/// The owner's host decides what may be asked for by name.
pub const OPEN: rs_link_options = rs_link_options {
    flags: RS_LINK_OPEN,
    ..DEFAULT
};

fn run(options: &rs_link_options, parent: impl FnOnce(&End), child: impl FnOnce(rs_link_end)) {
    let _alone = alone();
    let before = open_descriptors();
    let host = Host::new(true);
    let (link, end) = new_link(&host, options);
    let process = fork_to(|| child(end));
    // SAFETY: the child has not been waited for.
    assert_eq!(unsafe { rs_link_spawned(host.vm, link, process) }, RS_OK);
    let own = End::new(host, link, process);
    own.export("pins", own.host.function(pins), RS_CAN_CALL);
    parent(&own);
    expect_end(process);
    let _ = own.close(false);
    drop(own);
    assert_eq!(open_descriptors(), before, "every descriptor is closed");
}

fn run_child(options: &rs_link_options, end: rs_link_end, child: impl FnOnce(&End)) {
    let host = Host::new(true);
    let link = join_link(&host, options, end);
    child(&End::new(host, link, 0));
}

/// Runs something with two ends in this process: whatever one of them asks for, the other must serve before the
/// first one waits.
pub fn with_two<T>(run: impl FnOnce(&End, &End) -> T) -> T {
    with_two_of(&DEFAULT, &DEFAULT, run)
}

/// The same, with options for each.
pub fn with_two_of<T>(
    first: &rs_link_options,
    second: &rs_link_options,
    run: impl FnOnce(&End, &End) -> T,
) -> T {
    let _alone = alone();
    let (maker, joiner) = (Host::new(true), Host::new(true));
    let (link, end) = new_link(&maker, first);
    let joined = join_link(&joiner, second, duplicate(end));
    // SAFETY: no preconditions.
    let status = unsafe { rs_link_spawned(maker.vm, link, libc::getpid()) };
    assert_eq!(status, RS_OK);
    run(&End::new(maker, link, 0), &End::new(joiner, joined, 0))
}

/// Copies of both descriptors.
pub fn duplicate(end: rs_link_end) -> rs_link_end {
    // SAFETY: no memory is passed.
    let copy = |descriptor| unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0) };
    rs_link_end {
        segment: copy(end.segment),
        socket: copy(end.socket),
    }
}

/// Makes a link, and what another process needs to join it.
pub fn new_link(host: &Host, options: &rs_link_options) -> (rs_link, rs_link_end) {
    let (mut link, mut end) = (0, rs_link_end::default());
    // SAFETY: valid pointers.
    let status = unsafe { rs_link_new(host.vm, host.main, options, &mut link, &mut end) };
    assert_eq!(status, RS_OK);
    (link, end)
}

/// Joins a link whose descriptors belong to nobody else here.
pub fn join_link(host: &Host, options: &rs_link_options, end: rs_link_end) -> rs_link {
    let mut link = 0;
    // SAFETY: valid pointers.
    let status = unsafe { rs_link_adopt(host.vm, host.main, options, &end, &mut link) };
    assert_eq!(status, RS_OK);
    link
}

/// Runs something in a child, which ends with it.
pub fn fork_to(run: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the child ends without leaving this function.
    let process = unsafe { libc::fork() };
    assert!(process >= 0);
    if process == 0 {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        // SAFETY: ends this process at once.
        unsafe { libc::_exit(i32::from(outcome.is_err())) };
    }
    process
}

/// Waits for the end of a child, which must be a good one, or have been brought about.
pub fn expect_end(process: libc::pid_t) {
    let mut status = 0;
    // SAFETY: a valid pointer.
    assert_eq!(unsafe { libc::waitpid(process, &mut status, 0) }, process);
    let was_killed = libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL;
    assert!(status == 0 || was_killed, "the child has failed");
}

pub fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
