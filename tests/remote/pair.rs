//! A parent and its child, with a link between them.

use crate::items::{Content, Host, content, small};
use std::cell::Cell;
use std::ffi::{CStr, CString, c_void};
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vmshare::ffi::graph::{RS_WHOLE, rs_limits};
use vmshare::ffi::link::*;
use vmshare::ffi::remote::*;
use vmshare::ffi::vm::{rs_after_fork_child, rs_after_fork_parent, rs_before_fork};
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::host::memory::HostAllocator;
use vmshare::shm::channel::{Channel, Options};
use vmshare::shm::handover::Handover;
use vmshare::status::*;

/// One of the two.
pub struct End {
    pub host: Box<Host>,
    pub link: rs_link,
    /// The other process, for the parent.
    peer: libc::pid_t,
    /// Most pins that there were at a time.
    pub most_pins: Cell<u64>,
}

/// One test at a time: others would open descriptors, too.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs both; what fails in the child fails the test too.
pub fn two(parent: impl FnOnce(&End), child: impl FnOnce(&End)) {
    run(parent, |end| run_child(end, child));
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
    run(parent, |end| {
        // SAFETY: the descriptors were inherited, and belong to nobody else here.
        let handover = unsafe { Handover::of_descriptors(end.segment, end.socket) }.unwrap();
        let options = Options::new(HostAllocator::malloc());
        liar(&mut Channel::adopt(handover, &options).unwrap());
    });
}

pub fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub fn fork_to(run: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the child makes a vm of its own, and ends without leaving this function.
    let process = unsafe { libc::fork() };
    if process == 0 {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        // SAFETY: ends this process at once.
        unsafe { libc::_exit(i32::from(outcome.is_err())) };
    }
    process
}

pub fn expect_end(process: libc::pid_t) {
    let mut status = 0;
    // SAFETY: a valid pointer.
    assert_eq!(unsafe { libc::waitpid(process, &mut status, 0) }, process);
    let was_killed = libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGKILL;
    assert!(status == 0 || was_killed, "the child has failed");
}

pub fn adopt(host: &Host, end: rs_link_end) -> rs_link {
    let mut link = 0;
    // SAFETY: valid pointers; the descriptors were inherited.
    let status = unsafe { rs_link_adopt(host.vm, host.main, std::ptr::null(), &end, &mut link) };
    assert_eq!(status, RS_OK);
    link
}

/// Most pins of a child.
const PINS: u64 = 1 << 20;

fn run(parent: impl FnOnce(&End), child: impl FnOnce(rs_link_end)) {
    let _alone = alone();
    let before = open_descriptors();
    let host = Host::new(true);
    let few = std::thread::current()
        .name()
        .is_some_and(|name| name.contains("no_more_pins"));
    let options = rs_link_options {
        size: size_of::<rs_link_options>() as u32,
        pins: if few { 50 } else { PINS },
        ..rs_link_options::default()
    };
    let (mut link, mut end) = (0, rs_link_end::default());
    // SAFETY: valid pointers.
    let status = unsafe { rs_link_new(host.vm, host.main, &options, &mut link, &mut end) };
    assert_eq!(status, RS_OK);
    let process = fork_to(|| child(end));
    // SAFETY: the child has not been waited for.
    assert_eq!(unsafe { rs_link_spawned(host.vm, link, process) }, RS_OK);
    let own = End::of(host, link, process);
    own.export("pins", own.host.function(pins), RS_CAN_CALL);
    parent(&own);
    expect_end(process);
    let _ = own.close(false);
    drop(own);
    assert_eq!(open_descriptors(), before, "every descriptor is closed");
}

pub fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn run_child(end: rs_link_end, child: impl FnOnce(&End)) {
    let host = Host::new(true);
    let link = adopt(&host, end);
    child(&End::of(host, link, 0));
}

fn ok<T>(status: rs_status, value: T) -> Result<T, rs_status> {
    match status {
        RS_OK => Ok(value),
        status => Err(status),
    }
}

/// How many objects are pinned for the peer.
pub fn pins(host: &Host, link: rs_link, _arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    let mut counts = rs_link_statistics {
        size: size_of::<rs_link_statistics>() as u32,
        ..rs_link_statistics::default()
    };
    // SAFETY: a valid pointer.
    let status = unsafe { rs_link_counts(host.vm, link, &mut counts) };
    ok(status, small(counts.pins as i64))
}

/// Calls a function of the peer.
pub fn call(
    host: &Host,
    link: rs_link,
    function: rs_value,
    arguments: &[rs_value],
) -> Result<rs_value, rs_status> {
    let Content::Remote(remote, _) = content(function) else {
        panic!("no remote");
    };
    request(host, link, remote, RS_CALL, "", 0, arguments)
}

/// Calls a function of the peer that has this name.
pub fn call_by_name(
    host: &Host,
    link: rs_link,
    name: &str,
    arguments: &[rs_value],
) -> Result<rs_value, rs_status> {
    request(host, link, RS_NO_REMOTE, RS_CALL, name, 0, arguments)
}

/// The value of a variable of the peer.
pub fn variable_of(host: &Host, link: rs_link, name: &str) -> Result<rs_value, rs_status> {
    request(host, link, RS_NO_REMOTE, RS_READ_VARIABLE, name, 0, &[])
}

/// A whole copy.
pub fn copy_of(host: &Host, target: rs_value) -> Result<rs_value, rs_status> {
    let Content::Remote(remote, _) = content(target) else {
        panic!("no remote");
    };
    let mut value = 0;
    // SAFETY: valid pointers.
    let status = unsafe { rs_remote_copy(host.vm, remote, std::ptr::null(), &mut value) };
    ok(status, value)
}

fn request(
    host: &Host,
    link: rs_link,
    remote: rs_remote,
    code: u32,
    name: &str,
    index: u64,
    arguments: &[rs_value],
) -> Result<rs_value, rs_status> {
    let operation = rs_operation {
        name: name.as_ptr().cast(),
        name_length: name.len() as u64,
        index,
        arguments: arguments.as_ptr(),
        arguments_count: arguments.len() as u64,
        ..rs_operation::new(code)
    };
    let mut result = 0;
    // SAFETY: valid pointers.
    let status = unsafe { rs_remote_request(host.vm, link, remote, &operation, &mut result) };
    ok(status, result)
}

impl End {
    pub fn of(host: Box<Host>, link: rs_link, peer: libc::pid_t) -> End {
        End {
            host,
            link,
            peer,
            most_pins: Cell::new(0),
        }
    }

    fn ask(
        &self,
        target: rs_value,
        code: u32,
        index: u64,
        arguments: &[rs_value],
    ) -> Result<rs_value, rs_status> {
        let Content::Remote(remote, _) = content(target) else {
            panic!("no remote");
        };
        request(&self.host, self.link, remote, code, "", index, arguments)
    }

    pub fn variable(&self, name: &str) -> Result<rs_value, rs_status> {
        variable_of(&self.host, self.link, name)
    }

    pub fn get(&self, target: rs_value, index: u64) -> Result<rs_value, rs_status> {
        self.ask(target, RS_READ_ELEMENT, index, &[])
    }

    pub fn set(&self, target: rs_value, index: u64, value: rs_value) -> Result<(), rs_status> {
        self.ask(target, RS_WRITE_ELEMENT, index, &[value])
            .map(drop)
    }

    pub fn add(&self, target: rs_value, index: u64, amount: i64) -> Result<rs_value, rs_status> {
        self.ask(target, RS_ADD_ELEMENT, index, &[small(amount)])
    }

    pub fn call_by_name(&self, name: &str, arguments: &[rs_value]) -> Result<rs_value, rs_status> {
        call_by_name(&self.host, self.link, name, arguments)
    }

    pub fn copy(&self, target: rs_value) -> Result<rs_value, rs_status> {
        self.copy_to(target, RS_WHOLE)
    }

    /// A copy of so many levels below the top.
    pub fn copy_to(&self, target: rs_value, depth: u64) -> Result<rs_value, rs_status> {
        let Content::Remote(remote, _) = content(target) else {
            panic!("no remote");
        };
        let limits = rs_limits { depth, bytes: 0 };
        let mut value = 0;
        // SAFETY: valid pointers.
        let status = unsafe { rs_remote_copy(self.host.vm, remote, &limits, &mut value) };
        ok(status, value)
    }

    /// Asks for an element, and does not wait.
    pub fn begin_get(&self, target: rs_value, index: u64) -> u64 {
        let Content::Remote(remote, _) = content(target) else {
            panic!("no remote");
        };
        let operation = rs_operation {
            index,
            ..rs_operation::new(RS_READ_ELEMENT)
        };
        let mut request = 0;
        // SAFETY: valid pointers.
        let status =
            unsafe { rs_remote_begin(self.host.vm, self.link, remote, &operation, &mut request) };
        assert_eq!(status, RS_OK);
        request
    }

    pub fn finish(&self, request: u64) -> Result<rs_value, rs_status> {
        let mut value = 0;
        // SAFETY: valid pointers.
        let status = unsafe { rs_remote_finish(self.host.vm, self.link, request, 1, &mut value) };
        ok(status, value)
    }

    /// The result, if it is there.
    pub fn poll(&self, request: u64) -> Option<rs_value> {
        let mut value = 0;
        // SAFETY: valid pointers.
        match unsafe { rs_remote_finish(self.host.vm, self.link, request, 0, &mut value) } {
            RS_OK => Some(value),
            status => {
                assert_eq!(status, RS_MORE);
                None
            }
        }
    }

    pub fn forget(&self, request: u64) {
        // SAFETY: any number may be given.
        let status = unsafe { rs_remote_forget(self.host.vm, self.link, request) };
        assert_eq!(status, RS_OK);
    }

    pub fn path(&self, target: rs_value, steps: &[u64]) -> Result<rs_value, rs_status> {
        let Content::Remote(remote, _) = content(target) else {
            panic!("no remote");
        };
        let mut value = 0;
        // SAFETY: valid pointers.
        let status = unsafe {
            rs_remote_path(
                self.host.vm,
                remote,
                steps.as_ptr(),
                steps.len(),
                &mut value,
            )
        };
        ok(status, value)
    }

    pub fn export(&self, name: &str, value: rs_value, rights: u32) {
        self.export_over(self.link, name, value, rights);
    }

    /// Exports over another link than its own.
    pub fn export_over(&self, link: rs_link, name: &str, value: rs_value, rights: u32) {
        let name = CString::new(name).unwrap();
        // SAFETY: valid pointers.
        let status = unsafe { rs_link_export(self.host.vm, link, name.as_ptr(), value, rights) };
        assert_eq!(status, RS_OK);
    }

    /// Serves another link than its own, until that one's peer is gone.
    pub fn serve_over(&self, link: rs_link) {
        // SAFETY: any id may be given.
        while unsafe { rs_link_wait(self.host.vm, link, 0) } == RS_OK {}
    }

    pub fn close(&self, evacuates: bool) -> Result<(), rs_status> {
        self.close_with(if evacuates { RS_LINK_EVACUATE } else { 0 })
    }

    pub fn close_with(&self, flags: u32) -> Result<(), rs_status> {
        // SAFETY: any id may be given.
        ok(
            unsafe { rs_link_close(self.host.vm, self.link, flags, 0) },
            (),
        )
    }

    /// Serves once; false if the peer is gone.
    pub fn serve(&self) -> bool {
        self.serve_for(Duration::ZERO)
    }

    /// Serves for about so long; zero for what is there.
    pub fn serve_for(&self, time: Duration) -> bool {
        let budget = time.as_nanos() as u64;
        // SAFETY: any id may be given.
        let status = unsafe { rs_link_serve(self.host.vm, self.link, budget) };
        assert!(matches!(status, RS_OK | RS_MORE | RS_ERR_DEAD), "{status}");
        self.most_pins
            .set(self.most_pins.get().max(self.counts().pins));
        status != RS_ERR_DEAD
    }

    /// The event loop of a host that has nothing else to do.
    pub fn serve_until_gone(&self) {
        let mut descriptor = -1;
        // SAFETY: a valid pointer.
        let status = unsafe { rs_link_fd(self.host.vm, self.link, &mut descriptor) };
        assert_eq!(status, RS_OK);
        while self.serve() {
            let mut wanted = libc::pollfd {
                fd: descriptor,
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: one valid place.
            let ready = unsafe { libc::poll(&mut wanted, 1, 20_000) };
            assert_eq!(ready, 1, "the child does nothing");
        }
    }

    /// The same, for a peer that may break the protocol; returns how the link has ended.
    pub fn serve_until_gone_or_broken(&self) -> rs_status {
        loop {
            // SAFETY: any id may be given.
            match unsafe { rs_link_serve(self.host.vm, self.link, 0) } {
                RS_OK => std::thread::sleep(Duration::from_micros(100)),
                RS_MORE => {}
                status @ (RS_ERR_DEAD | RS_ERR_PEER) => return status,
                status => panic!("{status}"),
            }
        }
    }

    pub fn counts(&self) -> rs_link_statistics {
        let mut counts = rs_link_statistics {
            size: size_of::<rs_link_statistics>() as u32,
            ..rs_link_statistics::default()
        };
        // SAFETY: a valid pointer.
        let status = unsafe { rs_link_counts(self.host.vm, self.link, &mut counts) };
        assert_eq!(status, RS_OK);
        counts
    }

    /// How many objects the peer has pinned for this process: a function that it exports says so.
    pub fn pins_of_peer(&self) -> u64 {
        let count = self.call_by_name("pins", &[]).unwrap();
        count as u64 >> 2
    }

    pub fn error(&self) -> (String, String) {
        let (mut kind, mut text) = (std::ptr::null(), std::ptr::null());
        // SAFETY: valid pointers; the texts stay until the next request.
        unsafe {
            let status = rs_link_error(self.host.vm, self.link, &mut kind, &mut text);
            assert_eq!(status, RS_OK);
            let string = |text| CStr::from_ptr(text).to_str().unwrap().to_string();
            (string(kind), string(text))
        }
    }

    /// A collection after which only these remotes live.
    pub fn sweep(&self, lives: impl Fn(rs_value) -> bool) {
        unsafe extern "C" fn is_alive(data: *mut c_void, value: rs_value) -> u32 {
            // SAFETY: the closure of the call below.
            let lives = unsafe { &*data.cast::<&dyn Fn(rs_value) -> bool>() };
            u32::from(lives(value))
        }
        let lives: &dyn Fn(rs_value) -> bool = &lives;
        let data = (&raw const lives).cast_mut().cast();
        // SAFETY: the closure lives during the call.
        let status = unsafe { vmshare::ffi::gc::rs_gc_sweep(self.host.vm, Some(is_alive), data) };
        assert_eq!(status, RS_OK);
    }

    /// Runs something in a forked process; returns its exit status.
    pub fn fork(&self, run: impl FnOnce()) -> i32 {
        // SAFETY: around a fork, as the library wants it; the child ends here.
        unsafe {
            assert_eq!(rs_before_fork(self.host.vm), RS_OK);
            let process = libc::fork();
            if process == 0 {
                let run = std::panic::AssertUnwindSafe(|| {
                    assert_eq!(rs_after_fork_child(self.host.vm), RS_OK);
                    run();
                });
                let outcome = std::panic::catch_unwind(run);
                libc::_exit(i32::from(outcome.is_err()));
            }
            assert_eq!(rs_after_fork_parent(self.host.vm), RS_OK);
            let mut status = 0;
            assert_eq!(libc::waitpid(process, &mut status, 0), process);
            status
        }
    }

    /// Kills the child after a while; the thread returns when that was.
    pub fn kill_peer_after(&self, time: Duration) -> JoinHandle<Instant> {
        let peer = self.peer;
        std::thread::spawn(move || {
            std::thread::sleep(time);
            // SAFETY: the child of this process, which has not been waited for.
            assert_eq!(unsafe { libc::kill(peer, libc::SIGKILL) }, 0);
            Instant::now()
        })
    }

    pub fn kill_peer(&self) {
        // SAFETY: the child of this process, which has not been waited for.
        assert_eq!(unsafe { libc::kill(self.peer, libc::SIGKILL) }, 0);
    }
}
